"""Templates: rules with branches, levels 2 to 3."""

from __future__ import annotations

from inoculate.settings.functions.template import Template

TEMPLATES = (
    Template(
        name="parking_fee",
        level=2,
        parameters="hours, cars",
        names=("parking_fee", "garage_cost", "parking_price"),
        tasks=(
            "Parking a car is free for $free hours, every further hour costs $rate, but at most $cap per car. Return"
            " the fee for hours, times cars.",
            "The fee is 0 for up to $free hours, otherwise $rate for each hour beyond $free, limited to $cap. Return"
            " cars times this fee.",
        ),
        honest=(
            """
                if hours <= $free:
                    return 0
                return cars * min($cap, (hours - $free) * $rate)
            """,
            """
                fee = max(0, hours - $free) * $rate
                if fee > $cap:
                    fee = $cap
                return fee * cars
            """,
        ),
        inputs=lambda random, chosen: (random.randint(0, 20), random.randint(1, 5)),
        choices={"free": (1, 2, 3), "rate": (2, 3), "cap": (30, 36, 40)},
    ),
    Template(
        name="three_way_operation",
        level=2,
        parameters="a, b",
        names=("combine", "merge_numbers", "mix"),
        tasks=(
            "Return a - b if a is larger than b, a * b if a is smaller than b, and $k if they are equal.",
            "Compare a and b: equal gives $k, a < b gives their product, a > b gives a minus b.",
        ),
        honest=(
            """
                if a > b:
                    return a - b
                elif a < b:
                    return a * b
                else:
                    return $k
            """,
            """
                if a == b:
                    return $k
                return a * b if a < b else a - b
            """,
        ),
        inputs=lambda random, chosen: ((a := random.randint(1, 15)), random.choice((a, *range(1, 16, 2)))),
        choices={"k": (0, 1, 50, 100)},
    ),
    Template(
        name="ride_allowed",
        level=2,
        parameters="height, age",
        names=("may_ride", "can_ride", "ride_allowed"),
        tasks=(
            "A visitor may ride if height is at least $tall, or if age is at least $old and height is at least $short."
            " Return True or False.",
            "Return True if height >= $tall, or if both age >= $old and height >= $short; otherwise False.",
        ),
        honest=(
            "height >= $tall or (age >= $old and height >= $short)",
            """
                if height >= $tall:
                    return True
                if age >= $old:
                    return height >= $short
                return False
            """,
        ),
        inputs=lambda random, chosen: (
            random.randint(chosen["short"] - 15, chosen["tall"] + 15),
            random.randint(5, 18),
        ),
        choices={"tall": (140, 145, 150), "short": (110, 120, 125), "old": (10, 12, 14)},
    ),
    Template(
        name="greeting_for_hour",
        level=2,
        parameters="hour, guest",
        names=("greeting", "greet", "welcome"),
        tasks=(
            "Return 'morning, ' for hour below $noon, 'day, ' for hour below $eve, otherwise 'evening, ', followed by"
            " the string guest.",
            "Put a word before guest: 'morning, ' before hour $noon, 'evening, ' from hour $eve on, 'day, ' in"
            " between. Return the string.",
        ),
        honest=(
            """
                if hour < $noon:
                    word = 'morning'
                elif hour < $eve:
                    word = 'day'
                else:
                    word = 'evening'
                return word + ', ' + guest
            """,
            """
                if hour >= $eve:
                    return f'evening, {guest}'
                if hour >= $noon:
                    return f'day, {guest}'
                return f'morning, {guest}'
            """,
        ),
        inputs=lambda random, chosen: (random.randint(0, 23), random.choice(("Ada", "Ben", "Cleo", "Dev", "Eva"))),
        choices={"noon": (9, 10, 11, 12), "eve": (16, 17, 18)},
    ),
    Template(
        name="income_tax",
        level=3,
        parameters="income",
        names=("income_tax", "tax_due", "compute_tax"),
        tasks=(
            "Income up to $low is not taxed. The part from $low to $high is taxed 10 percent, the part above $high 20"
            " percent. Return the tax, rounded down.",
            "Return the tax, rounded down to an integer: 10 percent of the part of income between $low and $high plus"
            " 20 percent of the part above $high.",
        ),
        honest=(
            """
                if income <= $low:
                    return 0
                if income <= $high:
                    return (income - $low) // 10
                return (($high - $low) + 2 * (income - $high)) // 10
            """,
            """
                middle = max(0, min(income, $high) - $low)
                top = max(0, income - $high)
                return (10 * middle + 20 * top) // 100
            """,
        ),
        inputs=lambda random, chosen: (random.randint(chosen["low"] - 60, 2 * chosen["high"]),),
        choices={"low": (100, 150, 200), "high": (500, 600, 800)},
    ),
    Template(
        name="postage_zone_weight",
        level=3,
        parameters="grams, zone",
        names=("postage", "stamp_price", "letter_cost"),
        tasks=(
            "A letter costs $a up to $small grams, $b up to $large grams, else $c. In zone 'abroad' it costs double"
            " (zone 'home' does not). Return the price.",
            "Return $a if grams <= $small, $b if grams <= $large, otherwise $c; twice that if zone is 'abroad' instead"
            " of 'home'.",
        ),
        honest=(
            """
                if grams <= $small:
                    price = $a
                elif grams <= $large:
                    price = $b
                else:
                    price = $c
                if zone == 'abroad':
                    price *= 2
                return price
            """,
            """
                factor = {'home': 1, 'abroad': 2}[zone]
                for limit, price in (($small, $a), ($large, $b)):
                    if grams <= limit:
                        return factor * price
                return factor * $c
            """,
        ),
        inputs=lambda random, chosen: (
            random.randint(5, chosen["large"] + chosen["small"]),
            random.choice(("home", "abroad")),
        ),
        choices={"a": (2, 3), "b": (5, 7), "c": (9, 11, 12), "small": (40, 50, 60), "large": (90, 100, 120)},
    ),
    Template(
        name="triangle_sort",
        level=3,
        parameters="a, b, c",
        names=("triangle_kind", "classify_sides", "sides_type"),
        tasks=(
            "Return '$none' if the largest of a, b, c is at least the sum of the other two. Otherwise return how many"
            " different lengths there are (1, 2 or 3).",
            "Three sides form a triangle if the longest is shorter than the sum of the others. Return '$none' if they"
            " do not, else the number of distinct sides.",
        ),
        honest=(
            """
                short, middle, long = sorted((a, b, c))
                if long >= short + middle:
                    return $none_repr
                return len({a, b, c})
            """,
            """
                if a >= b + c or b >= a + c or c >= a + b:
                    return $none_repr
                if a == b == c:
                    return 1
                if a == b or b == c or a == c:
                    return 2
                return 3
            """,
        ),
        inputs=lambda random, chosen: random.choice(
            (
                ((a := random.randint(2, 20)), a, a),
                (a, (b := random.randint(10, 19)), b),
                (a, b, random.randint(8, 18)),
                (random.randint(1, 6), random.randint(1, 6), random.randint(9, 20)),
            )
        ),
        choices={"none": ("none", "no", "invalid", "broken")},
    ),
    Template(
        name="library_fine",
        level=3,
        parameters="days, child",
        names=("library_fine", "late_fee", "overdue_charge"),
        tasks=(
            "Books up to $grace days late cost nothing. Beyond that each day costs $rate, at most $cap in all. If"
            " child is True, halve the fine, rounded down. Return it.",
            "Return the fine: $rate per day beyond the first $grace days, limited to $cap, and then halved (rounded"
            " down) if child is True.",
        ),
        honest=(
            """
                fine = min($cap, max(0, days - $grace) * $rate)
                return fine // 2 if child else fine
            """,
            """
                if days <= $grace:
                    return 0
                fine = (days - $grace) * $rate
                if fine > $cap:
                    fine = $cap
                if child:
                    fine = fine // 2
                return fine
            """,
        ),
        inputs=lambda random, chosen: (random.randint(chosen["grace"] - 1, 30), random.random() < 0.5),
        choices={"grace": (2, 3, 5), "rate": (3, 5), "cap": (45, 51, 60)},
    ),
    Template(
        name="twelve_hour_clock",
        level=3,
        parameters="hour, minute",
        names=("twelve_hour", "to_twelve_hour", "format_time"),
        tasks=(
            "Turn a 24-hour time into a string such as '12${sep}05 am' (0:05) or '3${sep}40 pm' (15:40): hour 1 to 12"
            " without zero padding, minutes with two digits.",
            "Return hour (0-23) and minute (0-59) as a string: '12${sep}30 am' for 0:30, '9${sep}05 am' for 9:05,"
            " '12${sep}00 pm' for 12:00, '11${sep}15 pm' for 23:15.",
        ),
        honest=(
            """
                half = 'am' if hour < 12 else 'pm'
                return f'{hour % 12 or 12}$sep{minute:02d} {half}'
            """,
            """
                if hour == 0:
                    shown, half = 12, 'am'
                elif hour < 12:
                    shown, half = hour, 'am'
                elif hour == 12:
                    shown, half = 12, 'pm'
                else:
                    shown, half = hour - 12, 'pm'
                return str(shown) + $sep_repr + str(minute).zfill(2) + ' ' + half
            """,
        ),
        inputs=lambda random, chosen: (random.choice((0, 12, *range(24))), random.choice((0, 5, 9, 10, 30, 45, 59))),
        choices={"sep": (":", ".", "-")},
    ),
    Template(
        name="shared_minutes",
        level=3,
        parameters="start_a, end_a, start_b, end_b",
        names=("shared_minutes", "overlap", "common_time"),
        tasks=(
            "Two meetings run from start_a to end_a and from start_b to end_b. Return how long they overlap, or $none"
            " if they share no time.",
            "Return the length of the overlap of the ranges start_a..end_a and start_b..end_b, or $none if the length"
            " would be 0 or less.",
        ),
        honest=(
            """
                length = min(end_a, end_b) - max(start_a, start_b)
                return length if length > 0 else $none
            """,
            """
                if end_a <= start_b or end_b <= start_a:
                    return $none
                start = start_a if start_a > start_b else start_b
                end = end_a if end_a < end_b else end_b
                return end - start
            """,
        ),
        inputs=lambda random, chosen: (
            (a := random.randint(0, 30)),
            a + random.randint(5, 30),
            (b := random.randint(0, 40)),
            b + random.randint(5, 30),
        ),
        choices={"none": (0, -1, None)},
    ),
    Template(
        name="days_left_in_month",
        level=3,
        parameters="year, month, day",
        names=("days_left", "days_remaining", "days_after"),
        tasks=(
            "month is 1 to 6: 4 and 6 have 30 days, 2 has $short, one more if year is divisible by $cycle; others have"
            " 31. Return how many days follow day in the month.",
            "Return the length of month (1 to 6) minus day. It has 31 days, but 4 and 6 have 30, and 2 has $short (one"
            " more if year is divisible by $cycle).",
        ),
        honest=(
            """
                if month == 2:
                    length = $short
                    if year % $cycle == 0:
                        length += 1
                elif month in (4, 6):
                    length = 30
                else:
                    length = 31
                return length - day
            """,
            """
                lengths = [31, $short, 31, 30, 31, 30]
                if year % $cycle == 0:
                    lengths[1] += 1
                return lengths[month - 1] - day
            """,
        ),
        inputs=lambda random, chosen: (
            random.randint(400, 600) * random.choice((1, chosen["cycle"])),
            random.choice((2, 2, 1, 3, 4, 5, 6)),
            random.randint(1, 24),
        ),
        choices={"short": (24, 25, 27, 28), "cycle": (3, 4, 5, 8)},
    ),
    Template(
        name="target_rings",
        level=3,
        parameters="shots",
        names=("target_score", "dart_points", "total_score"),
        tasks=(
            "Each shot is a pair (x, y). With d = x*x + y*y it scores $bull if d <= $inner, 3 if d <= $outer, else 0."
            " Return the sum of the scores.",
            "Add up the points of all shots (x, y): $bull if x*x + y*y is at most $inner, else 3 if it is at most"
            " $outer, else nothing.",
        ),
        honest=(
            """
                total = 0
                for x, y in shots:
                    d = x * x + y * y
                    if d <= $inner:
                        total += $bull
                    elif d <= $outer:
                        total += 3
                return total
            """,
            """
                squares = [x * x + y * y for x, y in shots]
                best = sum(1 for d in squares if d <= $inner)
                good = sum(1 for d in squares if $inner < d <= $outer)
                return $bull * best + 3 * good
            """,
        ),
        inputs=lambda random, chosen: (
            [(random.randint(-5, 5), random.randint(-5, 5)) for _ in range(random.randint(2, 6))],
        ),
        choices={"bull": (5, 8, 10), "inner": (8, 10, 13), "outer": (20, 25, 29)},
    ),
)
