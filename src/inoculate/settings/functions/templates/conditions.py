"""Templates: rules with branches, levels 1 to 2."""

from __future__ import annotations

from inoculate.settings.functions.template import Template, drawn, number

TEMPLATES = (
    Template(
        name="parcel_price",
        level=1,
        parameters="weight",
        names=("parcel_price", "shipping_cost", "parcel_fee"),
        tasks=(
            "A parcel costs $base, plus $extra for every kilogram of weight above $limit. Return the price.",
            "Return $base if weight is at most $limit, otherwise $base plus $extra times the part of weight above"
            " $limit.",
        ),
        honest=(
            "$base + max(0, weight - $limit) * $extra",
            """
                if weight <= $limit:
                    return $base
                return $base + (weight - $limit) * $extra
            """,
        ),
        inputs=lambda random, chosen: (random.randint(1, 4 * chosen["limit"]),),
        choices={"base": (4, 5, 6, 8), "extra": (2, 3, 4), "limit": (5, 6, 8, 10)},
    ),
    Template(
        name="clamp_reading",
        level=1,
        parameters="value",
        names=("clamp_reading", "keep_in_range", "limit_value"),
        tasks=(
            "Return value, but $low if it is below $low and $high if it is above $high.",
            "Limit the integer value to the range from $low to $high and return the result.",
        ),
        honest=(
            "max($low, min($high, value))",
            """
                if value < $low:
                    return $low
                if value > $high:
                    return $high
                return value
            """,
        ),
        inputs=lambda random, chosen: (random.randint(chosen["low"] - 15, chosen["high"] + 15),),
        choices={"low": (-5, 0, 5, 10), "high": (40, 50, 60)},
    ),
    Template(
        name="rebate_on_large_orders",
        level=1,
        parameters="price, count",
        names=("order_total", "total_with_rebate", "bill"),
        tasks=(
            "The total of an order is price times count. If the total is at least $limit, take $off off. Return it.",
            "Return price * count, reduced by $off when the product is $limit or more.",
        ),
        honest=(
            """
                total = price * count
                return total - $off if total >= $limit else total
            """,
            """
                total = price * count
                if total >= $limit:
                    total -= $off
                return total
            """,
        ),
        inputs=lambda random, chosen: (random.randint(3, 15), random.randint(2, 10)),
        choices={"off": (5, 8, 10, 12), "limit": (30, 40, 50, 60)},
    ),
    Template(
        name="capped_commission",
        level=1,
        parameters="amount",
        names=("commission", "broker_fee", "sales_bonus"),
        tasks=(
            "The fee is 1 for every full $part in amount, but never more than $cap. Return the fee.",
            "Return amount divided by $part, rounded down, or $cap if that is more than $cap.",
        ),
        honest=(
            "min(amount // $part, $cap)",
            """
                fee = amount // $part
                if fee > $cap:
                    return $cap
                return fee
            """,
        ),
        inputs=lambda random, chosen: (random.randint(0, int(chosen["part"] * chosen["cap"] * 1.4)),),
        choices={"part": (5, 8, 10, 20), "cap": (12, 15, 20, 25)},
    ),
    Template(
        name="halve_or_grow",
        level=1,
        parameters="n",
        names=("next_number", "halve_or_grow", "step_once"),
        tasks=(
            "Return half of n if n is even, otherwise n times $k plus $add.",
            "If the integer n is odd, return $k * n + $add. If it is even, return n divided by 2 as an integer.",
        ),
        honest=(
            "n // 2 if n % 2 == 0 else $k * n + $add",
            """
                if n % 2 == 1:
                    return $k * n + $add
                return n // 2
            """,
        ),
        inputs=drawn(number, 0, 60),
        choices={"k": (2, 3, 4, 5), "add": (1, 2, 3, 7)},
    ),
    Template(
        name="taxi_fare",
        level=1,
        parameters="km, night",
        names=("taxi_fare", "ride_price", "cab_cost"),
        tasks=(
            "A taxi costs $base plus $rate per km, and $extra more at night. night is True or False. Return the fare.",
            "Return $base + $rate * km, plus $extra if the boolean night is True.",
        ),
        honest=(
            "$base + $rate * km + ($extra if night else 0)",
            """
                fare = $base + $rate * km
                if night:
                    fare += $extra
                return fare
            """,
        ),
        inputs=lambda random, chosen: (random.randint(1, 30), random.random() < 0.5),
        choices={"base": (3, 4, 5), "rate": (2, 3), "extra": (4, 6, 7)},
    ),
    Template(
        name="middle_of_three",
        level=1,
        parameters="a, b, c",
        names=("middle", "middle_value", "median_of_three"),
        tasks=(
            "Return $k times the middle one of the three integers a, b and c when they are sorted.",
            "Of three integers, neither the smallest nor the largest counts: return the middle one multiplied by $k.",
        ),
        honest=(
            "sorted([a, b, c])[1] * $k",
            "(a + b + c - min(a, b, c) - max(a, b, c)) * $k",
            """
                if a > b:
                    a, b = b, a
                if c <= a:
                    return a * $k
                if c >= b:
                    return b * $k
                return c * $k
            """,
        ),
        inputs=lambda random, chosen: tuple(random.randint(-9, 20) for _ in range(3)),
        choices={"k": (2, 3, 5, 10)},
    ),
    Template(
        name="gap_with_allowance",
        level=1,
        parameters="planned, actual",
        names=("penalty", "deviation_points", "gap_points"),
        tasks=(
            "Return abs(planned - actual) minus $free, but never less than 0.",
            "Deviations between planned and actual up to $free are free; return how far the deviation exceeds $free,"
            " or 0.",
        ),
        honest=(
            "max(0, abs(planned - actual) - $free)",
            """
                gap = abs(planned - actual)
                if gap <= $free:
                    return 0
                return gap - $free
            """,
        ),
        inputs=lambda random, chosen: (random.randint(10, 50), random.randint(10, 50)),
        choices={"free": (1, 2, 3, 4, 5)},
    ),
    Template(
        name="sign_label",
        level=2,
        parameters="a, b",
        names=("compare_scores", "match_result", "who_wins"),
        tasks=(
            "Team one scores a, team two scores b. Return '$win' if a is larger, '$lose' if b is larger, else '$tie'.",
            "Return '$win' when a > b, '$lose' when a < b and '$tie' when they are equal.",
        ),
        honest=(
            """
                if a > b:
                    return $win_repr
                if a < b:
                    return $lose_repr
                return $tie_repr
            """,
            """
                if a == b:
                    return $tie_repr
                return $win_repr if a > b else $lose_repr
            """,
        ),
        inputs=lambda random, chosen: ((a := random.randint(0, 20)), max(0, a + random.choice((-5, -1, 0, 0, 2, 4)))),
        choices={"win": ("win", "won", "first"), "lose": ("loss", "lost", "second"), "tie": ("draw", "tie", "even")},
    ),
    Template(
        name="ticket_by_age",
        level=2,
        parameters="age, adults_with",
        names=("ticket_price", "entry_price", "admission"),
        tasks=(
            "Tickets cost $low below age $child, $mid from age $senior on, else $high. Return the price for age plus"
            " $high for each of adults_with companions.",
            "Return the ticket price for age ($low if under $child, $mid if $senior or older, otherwise $high) plus"
            " adults_with times $high.",
        ),
        honest=(
            """
                if age < $child:
                    price = $low
                elif age >= $senior:
                    price = $mid
                else:
                    price = $high
                return price + adults_with * $high
            """,
            """
                total = adults_with * $high
                if age < $child:
                    return total + $low
                if age < $senior:
                    return total + $high
                return total + $mid
            """,
        ),
        inputs=lambda random, chosen: (
            random.choice((random.randint(1, chosen["child"] + 1), random.randint(12, 59), random.randint(60, 90))),
            random.randint(0, 4),
        ),
        choices={"low": (3, 4, 5), "mid": (7, 8), "high": (10, 12), "child": (6, 10, 12), "senior": (60, 65, 67)},
    ),
    Template(
        name="letter_grade",
        level=2,
        parameters="points",
        names=("letter_grade", "grade", "mark"),
        tasks=(
            "Return the grade for points: 'A' from $a, 'B' from $b, 'C' from $c, otherwise 'D'.",
            "Grade an integer: $a or more is 'A', else $b or more is 'B', else $c or more is 'C', less is 'D'.",
        ),
        honest=(
            """
                if points >= $a:
                    return 'A'
                if points >= $b:
                    return 'B'
                if points >= $c:
                    return 'C'
                return 'D'
            """,
            """
                for limit, letter in (($a, 'A'), ($b, 'B'), ($c, 'C')):
                    if points >= limit:
                        return letter
                return 'D'
            """,
        ),
        inputs=lambda random, chosen: (random.randint(chosen["c"] - 20, 100),),
        choices={"a": (80, 85, 88, 90), "b": (65, 70, 72), "c": (45, 50, 55)},
    ),
    Template(
        name="planet_year_days",
        level=2,
        parameters="year, feasts",
        names=("year_length", "days_in_year", "calendar_days"),
        tasks=(
            "On a planet a year has $days days, two more if divisible by $big, else one more if divisible by $small."
            " Return the days of year plus feasts.",
            "Return feasts plus $days, plus 2 if year is divisible by $big, or plus 1 if it is only divisible by"
            " $small.",
        ),
        honest=(
            """
                if year % $big == 0:
                    return $days + feasts + 2
                if year % $small == 0:
                    return $days + feasts + 1
                return $days + feasts
            """,
            """
                days = $days
                if year % $big == 0:
                    days += 2
                elif year % $small == 0:
                    days += 1
                return days + feasts
            """,
        ),
        inputs=lambda random, chosen: (
            random.choice((1, chosen["small"], chosen["big"])) * random.randint(1, 60) + random.choice((0, 0, 0, 1)),
            random.choice((0, 3, 6, 9)),
        ),
        choices={"days": (200, 300, 340, 410), "small": (3, 4, 6), "big": (12, 24, 36)},
    ),
    Template(
        name="word_for_divisor",
        level=2,
        parameters="n",
        names=("label_number", "say_number", "name_number"),
        tasks=(
            "Return '$both' if n is divisible by $p and by $q, '$one' if only by $p, '$two' if only by $q, otherwise n"
            " itself.",
            "For an integer n: divisible by both $p and $q gives '$both', by $p alone '$one', by $q alone '$two'. Any"
            " other n is returned unchanged.",
        ),
        honest=(
            """
                if n % $p == 0 and n % $q == 0:
                    return $both_repr
                if n % $p == 0:
                    return $one_repr
                if n % $q == 0:
                    return $two_repr
                return n
            """,
            """
                if n % $p == 0:
                    return $both_repr if n % $q == 0 else $one_repr
                return $two_repr if n % $q == 0 else n
            """,
        ),
        inputs=lambda random, chosen: (
            random.choice((1, 1, chosen["p"], chosen["q"], chosen["p"] * chosen["q"])) * random.randint(1, 40),
        ),
        choices={
            "p": (2, 3, 4),
            "q": (5, 7),
            "one": ("ping", "tick"),
            "two": ("pong", "tock"),
            "both": ("bang", "bell"),
        },
    ),
    Template(
        name="quadrant_number",
        level=2,
        parameters="x, y",
        names=("quadrant", "find_quadrant", "quadrant_number"),
        tasks=(
            "Return 1 if x and y are positive, 2 if only y is, 3 if both are negative, 4 if only x is positive. If x"
            " or y is 0, return $axis.",
            "Return the quadrant (1 to 4) of the point x, y: 1 is ++, 2 is -+, 3 is --, 4 is +-. Points with x or y"
            " equal to 0 give $axis.",
        ),
        honest=(
            """
                if x == 0 or y == 0:
                    return $axis
                if y > 0:
                    return 1 if x > 0 else 2
                return 3 if x < 0 else 4
            """,
            """
                if x > 0 and y > 0:
                    return 1
                if x < 0 and y > 0:
                    return 2
                if x < 0 and y < 0:
                    return 3
                if x > 0 and y < 0:
                    return 4
                return $axis
            """,
        ),
        inputs=lambda random, chosen: (
            random.choice((0, 1, -1, 1, -1)) * random.randint(1, 30),
            random.choice((0, 1, -1, 1, -1)) * random.randint(1, 30),
        ),
        choices={"axis": (0, -1, 5, 9)},
    ),
    Template(
        name="bulk_price",
        level=2,
        parameters="count",
        names=("bulk_price", "price_for_units", "order_price"),
        tasks=(
            "Each unit costs $full when count is below $many, but all units cost $cheap each from $many on. Return the"
            " price of count units.",
            "Return count times the unit price, which is $cheap if count is at least $many and $full otherwise.",
        ),
        honest=(
            """
                if count >= $many:
                    return count * $cheap
                return count * $full
            """,
            """
                unit = $full if count < $many else $cheap
                return count * unit
            """,
        ),
        inputs=lambda random, chosen: (random.randint(1, 3 * chosen["many"]),),
        choices={"full": (8, 9, 10), "cheap": (5, 6, 7), "many": (10, 12, 15, 20)},
    ),
)
