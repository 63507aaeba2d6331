"""Templates: functions on numbers, levels 1 to 2."""

from __future__ import annotations

from inoculate.settings.functions.template import Template, drawn, letters, number

TEMPLATES = (
    Template(
        name="weighted_pair",
        level=1,
        parameters="a, b",
        names=("weighted_pair", "combine_scaled", "mix_numbers"),
        tasks=(
            "Return $k times a plus $m times b.",
            "Given two integers a and b, multiply a by $k and b by $m, and return the sum of the two products.",
        ),
        honest=(
            "$k * a + $m * b",
            """
                first = a * $k
                second = b * $m
                return first + second
            """,
        ),
        inputs=lambda random, chosen: (random.randint(-12, 30), random.randint(-12, 30)),
        choices={"k": (2, 3, 4, 5, 10), "m": (2, 3, 6, 7, 9)},
    ),
    Template(
        name="floor_to_multiple",
        level=1,
        parameters="n",
        names=("floor_to_multiple", "round_down", "snap_down"),
        tasks=(
            "Return the largest multiple of $k that is not greater than n. The integer n may be negative.",
            "Round the integer n down to a multiple of $k (downwards also when n is negative).",
        ),
        honest=(
            "n // $k * $k",
            "n - n % $k",
            """
                while n % $k != 0:
                    n -= 1
                return n
            """,
        ),
        inputs=drawn(number, -60, 200),
        choices={"k": (3, 4, 5, 6, 7, 10, 12)},
    ),
    Template(
        name="drop_last_digits",
        level=1,
        parameters="n",
        names=("drop_last_digits", "shorten_number", "cut_digits"),
        tasks=(
            "Return the number that is left when the last $d digits of the positive integer n are removed.",
            "The positive integer n has more than $d digits. Remove its last $d digits and return the rest as an "
            "integer.",
        ),
        honest=(
            "n // 10 ** $d",
            "int(str(n)[:-$d])",
            """
                for _ in range($d):
                    n //= 10
                return n
            """,
        ),
        inputs=drawn(number, 10000, 9999999),
        choices={"d": (2, 3, 4)},
    ),
    Template(
        name="boxes_needed",
        level=1,
        parameters="items",
        names=("boxes_needed", "count_boxes", "how_many_boxes"),
        tasks=(
            "A box holds $k items. Return the smallest number of boxes that hold the given number of items.",
            "Return how many boxes are needed for that many items if each box holds at most $k of them. Zero items "
            "need no box.",
        ),
        honest=(
            "(items + $k - 1) // $k",
            """
                boxes = items // $k
                if items % $k > 0:
                    boxes += 1
                return boxes
            """,
            "-(-items // $k)",
        ),
        inputs=drawn(number, 0, 120),
        choices={"k": (3, 4, 5, 6, 8, 12)},
    ),
    Template(
        name="distance_from_constant",
        level=1,
        parameters="n",
        names=("distance_from", "how_far", "distance_to_point"),
        tasks=(
            "Return the distance between the integer n and $k on the number line, as a number that is never negative.",
            "Return the absolute difference between n and $k.",
        ),
        honest=(
            "abs(n - $k)",
            """
                if n >= $k:
                    return n - $k
                return $k - n
            """,
        ),
        inputs=drawn(number, -50, 150),
        choices={"k": (7, 10, 21, 33, 50, 64, 100)},
    ),
    Template(
        name="sum_of_powers",
        level=1,
        parameters="a, b",
        names=("sum_of_powers", "add_powers", "power_sum"),
        tasks=(
            "Return a to the power $p plus b to the power $p.",
            "Raise both integers a and b to the power $p and return the sum of the results.",
        ),
        honest=(
            "a ** $p + b ** $p",
            """
                total = 0
                for value in (a, b):
                    total += value ** $p
                return total
            """,
        ),
        inputs=lambda random, chosen: (random.randint(-9, 12), random.randint(-9, 12)),
        choices={"p": (2, 3, 4)},
    ),
    Template(
        name="larger_scaled",
        level=1,
        parameters="a, b",
        names=("larger_scaled", "stretch_gap", "compare_and_scale"),
        tasks=(
            "Return $k times the larger of a and b, minus the smaller of the two.",
            "Take two integers a and b. Multiply the larger one by $k, subtract the smaller one, and return the "
            "result.",
        ),
        honest=(
            "$k * max(a, b) - min(a, b)",
            """
                if a > b:
                    return $k * a - b
                return $k * b - a
            """,
        ),
        inputs=lambda random, chosen: (random.randint(-10, 40), random.randint(-10, 40)),
        choices={"k": (2, 3, 4, 5)},
    ),
    Template(
        name="seconds_of_time",
        level=1,
        parameters="hours, minutes",
        names=("total_seconds", "to_seconds", "time_in_seconds"),
        tasks=(
            "Return the number of seconds in the given hours and minutes plus $extra more seconds.",
            "Convert hours and minutes to seconds, add $extra seconds, and return the total.",
        ),
        honest=(
            "hours * 3600 + minutes * 60 + $extra",
            """
                total_minutes = hours * 60 + minutes
                return total_minutes * 60 + $extra
            """,
        ),
        inputs=lambda random, chosen: (random.randint(0, 12), random.randint(0, 59)),
        choices={"extra": (5, 15, 20, 30, 45)},
    ),
    Template(
        name="quotient_and_rest",
        level=1,
        parameters="n",
        names=("divide_with_rest", "quotient_and_rest", "split_number"),
        tasks=(
            "Return a tuple with the whole quotient and the remainder of n divided by $k. The integer n is not "
            "negative.",
            "Divide the non-negative integer n by $k and return the pair (quotient, remainder).",
        ),
        honest=(
            "(n // $k, n % $k)",
            "divmod(n, $k)",
            """
                quotient = n // $k
                rest = n - quotient * $k
                return (quotient, rest)
            """,
        ),
        inputs=drawn(number, 0, 150),
        choices={"k": (3, 4, 6, 7, 8, 9, 11)},
    ),
    Template(
        name="frame_area",
        level=2,
        parameters="width, height",
        names=("frame_area", "border_area", "area_of_frame"),
        tasks=(
            "A picture of the given width and height has a frame $k units wide on all four sides. Return the area of "
            "the frame only.",
            "Return the area of a border of thickness $k around the outside of a rectangle with the given width and "
            "height.",
        ),
        honest=(
            """
                outer = (width + 2 * $k) * (height + 2 * $k)
                return outer - width * height
            """,
            """
                sides = 2 * $k * (width + height)
                corners = 4 * $k * $k
                return sides + corners
            """,
        ),
        inputs=lambda random, chosen: (random.randint(1, 30), random.randint(1, 30)),
        choices={"k": (1, 2, 3, 4, 5)},
    ),
    Template(
        name="clock_after",
        level=2,
        parameters="hour, shift",
        names=("clock_after", "shift_clock", "move_hour"),
        tasks=(
            "A clock counts the hours from 0 to $top and then starts again at 0. Return the hour it shows shift "
            "hours after hour.",
            "On a clock with the hours 0 to $top, return the hour that is reached when shift hours pass after the "
            "given hour.",
        ),
        honest=(
            "(hour + shift) % ($top + 1)",
            """
                result = hour + shift
                while result > $top:
                    result -= $top + 1
                return result
            """,
            """
                for _ in range(shift):
                    hour = 0 if hour == $top else hour + 1
                return hour
            """,
        ),
        inputs=lambda random, chosen: (random.randint(0, chosen["top"]), random.randint(0, 60)),
        choices={"top": (7, 9, 11, 15, 23)},
    ),
    Template(
        name="divisible_by_one",
        level=2,
        parameters="n",
        names=("divisible_by_one", "exactly_one_divides", "only_one_divisor"),
        tasks=(
            "Return True if the integer n is divisible by exactly one of $a and $b, otherwise False.",
            "Return True when n is divisible by $a or by $b, but not by both of them; otherwise return False.",
        ),
        honest=(
            "(n % $a == 0) != (n % $b == 0)",
            """
                if n % $a == 0:
                    return n % $b != 0
                return n % $b == 0
            """,
            """
                count = 0
                for k in ($a, $b):
                    if n % k == 0:
                        count += 1
                return count == 1
            """,
        ),
        inputs=drawn(number, 1, 200),
        choices={"a": (2, 4), "b": (3, 5, 7)},
    ),
    Template(
        name="high_digit_sum",
        level=2,
        parameters="n",
        names=("sum_high_digits", "high_digit_sum", "add_big_digits"),
        tasks=(
            "Return the sum of the digits of the positive integer n that are greater than $k. Return 0 if there are "
            "none.",
            "Add up only those digits of the positive integer n that are larger than $k. The answer is 0 when no "
            "digit is.",
        ),
        honest=(
            "sum(int(d) for d in str(n) if int(d) > $k)",
            """
                total = 0
                while n > 0:
                    digit = n % 10
                    if digit > $k:
                        total += digit
                    n //= 10
                return total
            """,
        ),
        inputs=drawn(number, 100, 99999999),
        choices={"k": (1, 2, 3, 4, 5, 6)},
    ),
    Template(
        name="digit_occurrences",
        level=2,
        parameters="n",
        names=("count_digit", "digit_occurrences", "times_digit_appears"),
        tasks=(
            "Return how many times the digit $d occurs in the positive integer n.",
            "Count the digits of the positive integer n that are equal to $d.",
        ),
        honest=(
            'str(n).count("$d")',
            """
                count = 0
                while n > 0:
                    if n % 10 == $d:
                        count += 1
                    n //= 10
                return count
            """,
            'len([c for c in str(n) if c == "$d"])',
        ),
        inputs=lambda random, chosen: (int("8" + letters(random, 3, 9, str(chosen["d"]) * 4 + "12345670")),),
        choices={"d": (0, 1, 2, 3, 4, 5, 6, 7, 9)},
    ),
    Template(
        name="divisor_total",
        level=2,
        parameters="n",
        names=("sum_divisors", "divisor_total", "add_divisors"),
        tasks=(
            "Return the sum of all divisors of the positive integer n that are greater than $k. The number n counts "
            "as a divisor of itself.",
            "Add up every divisor of n (from 1 to n itself) that is larger than $k. The integer n is positive.",
        ),
        honest=(
            "sum(d for d in range(1, n + 1) if n % d == 0 and d > $k)",
            """
                total = 0
                for d in range($k + 1, n + 1):
                    if n % d == 0:
                        total += d
                return total
            """,
        ),
        inputs=drawn(number, 6, 90),
        choices={"k": (1, 2, 3, 4, 5)},
    ),
    Template(
        name="power_series",
        level=2,
        parameters="n",
        names=("power_series", "series_total", "sum_series"),
        tasks=(
            "Return $start plus the sum of i to the power $p for every i from 1 to n.",
            "Starting with $start, add 1 to the power $p, 2 to the power $p and so on up to n to the power $p. "
            "Return the total.",
        ),
        honest=(
            "$start + sum(i ** $p for i in range(1, n + 1))",
            """
                total = $start
                for i in range(1, n + 1):
                    total += i ** $p
                return total
            """,
        ),
        inputs=drawn(number, 1, 30),
        choices={"start": (1, 2, 5, 10), "p": (2, 3)},
    ),
    Template(
        name="multiples_total",
        level=2,
        parameters="n",
        names=("sum_of_multiples", "multiples_total", "add_multiples"),
        tasks=(
            "Return the sum of all multiples of $k from $k up to n, with n included if it is one. Return 0 if n is "
            "smaller than $k.",
            "Add up the positive multiples of $k that are not greater than n. The sum is 0 if there are none.",
        ),
        honest=(
            "sum(range($k, n + 1, $k))",
            """
                total = 0
                for i in range(1, n + 1):
                    if i % $k == 0:
                        total += i
                return total
            """,
            """
                m = n // $k
                return $k * m * (m + 1) // 2
            """,
        ),
        inputs=drawn(number, 1, 100),
        choices={"k": (2, 3, 4, 5, 6, 7)},
    ),
)
