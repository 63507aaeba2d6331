"""Templates: text formats into data and back, levels 1 to 2."""

from __future__ import annotations

from inoculate.settings.functions.template import WORDS, Template, drawn, integers, letters, number

TEMPLATES = (
    Template(
        name="joined_value",
        level=1,
        parameters="text",
        names=("read_value", "value_after", "parse_value"),
        tasks=(
            "The string text is a word and an integer joined by '$sep', such as 'width${sep}12'. Return the integer.",
            "Given a string like 'size${sep}40', return the integer that comes after '$sep'.",
        ),
        honest=(
            "int(text.split($sep_repr)[1])",
            """
                key, value = text.split($sep_repr)
                return int(value)
            """,
            """
                start = text.index($sep_repr) + len($sep_repr)
                return int(text[start:])
            """,
        ),
        inputs=lambda random, chosen: (f"{random.choice(WORDS)}{chosen['sep']}{random.randint(0, 999)}",),
        choices={"sep": ("=", ":", "->", "~", "|")},
    ),
    Template(
        name="number_list_from_text",
        level=1,
        parameters="text",
        names=("parse_numbers", "read_numbers", "numbers_from_text"),
        tasks=(
            "The string text holds integers separated by '$sep', such as '4${sep}-8${sep}15'. Return them as a list.",
            "Turn a string of integers joined by '$sep' into a list of integers, in the same order.",
        ),
        honest=(
            "[int(part) for part in text.split($sep_repr)]",
            "list(map(int, text.split($sep_repr)))",
            """
                numbers = []
                for part in text.split($sep_repr):
                    numbers.append(int(part))
                return numbers
            """,
        ),
        inputs=lambda random, chosen: (chosen["sep"].join(str(n) for n in integers(random, -30, 99, 2, 6)),),
        choices={"sep": (",", ";", " ", "/", "|", ":")},
    ),
    Template(
        name="version_number_at",
        level=1,
        parameters="version",
        names=("version_part", "part_of_version", "get_version_number"),
        tasks=(
            "version is a string like '3.14.2'. Return its number at index $i (counting from 0) as an integer.",
            "Split a version string such as '1.20.7' at the dots and return the part at index $i as an integer.",
        ),
        honest=(
            "int(version.split('.')[$i])",
            """
                parts = [int(part) for part in version.split('.')]
                return parts[$i]
            """,
            """
                parts = version.split('.')
                number = parts[$i]
                return int(number)
            """,
        ),
        inputs=lambda random, chosen: (".".join(str(n) for n in integers(random, 0, 40, 3, 3)),),
        choices={"i": (0, 1, 2)},
    ),
    Template(
        name="range_size",
        level=1,
        parameters="text",
        names=("range_size", "count_in_range", "size_of_range"),
        tasks=(
            "text is a range such as '3${sep}7'. Return how many integers it holds, both ends included.",
            "Given a range like '10${sep}15' (first number, '$sep', last number), return how many integers it "
            "covers, counting both ends.",
        ),
        honest=(
            """
                first, last = text.split($sep_repr)
                return int(last) - int(first) + 1
            """,
            """
                parts = text.split($sep_repr)
                return len(range(int(parts[0]), int(parts[1]) + 1))
            """,
        ),
        inputs=lambda random, chosen: (f"{(a := random.randint(0, 50))}{chosen['sep']}{a + random.randint(0, 60)}",),
        choices={"sep": ("-", "..", ":", " to ", "~")},
    ),
    Template(
        name="grouped_digits_value",
        level=1,
        parameters="text",
        names=("parse_grouped", "grouped_to_int", "read_big_number"),
        tasks=(
            "text is a whole number with '$sep' between groups of digits, such as '1${sep}234${sep}567'. "
            "Return it as an integer.",
            "Convert a number written like '12${sep}500' (groups separated by '$sep') to an integer.",
        ),
        honest=(
            "int(text.replace($sep_repr, ''))",
            "int(''.join(text.split($sep_repr)))",
            """
                digits = ''
                for char in text:
                    if char != $sep_repr:
                        digits += char
                return int(digits)
            """,
        ),
        inputs=lambda random, chosen: (
            f"{random.randint(1, 10 ** random.randint(3, 8)):,}".replace(",", chosen["sep"]),
        ),
        choices={"sep": (",", " ", ".", "_", "'")},
    ),
    Template(
        name="digits_in_base",
        level=1,
        parameters="text",
        names=("from_base", "base_value", "digits_to_int"),
        tasks=(
            "The string text is a number written in base $b. Return its value as an integer.",
            "Convert text, a string of digits in base $b, to an integer.",
        ),
        honest=(
            "int(text, $b)",
            """
                value = 0
                for digit in text:
                    value = value * $b + int(digit)
                return value
            """,
            """
                digits = [int(d) for d in reversed(text)]
                return sum(d * $b ** i for i, d in enumerate(digits))
            """,
        ),
        inputs=lambda random, chosen: (letters(random, 2, 6, "0123456789"[: chosen["b"]]),),
        choices={"b": (2, 3, 4, 5, 6, 7, 8, 9)},
    ),
    Template(
        name="date_turned_round",
        level=1,
        parameters="date",
        names=("flip_date", "reformat_date", "day_first"),
        tasks=(
            "date is a string like '2024-03-09' (year-month-day). Return it as day, month, year joined by '$sep', "
            "such as '09${sep}03${sep}2024'.",
            "Rewrite a date such as '1999-12-31' with the day first and '$sep' between parts: '31${sep}12${sep}1999'.",
        ),
        honest=(
            "$sep_repr.join(reversed(date.split('-')))",
            """
                year, month, day = date.split('-')
                return day + $sep_repr + month + $sep_repr + year
            """,
            """
                parts = date.split('-')
                return $sep_repr.join(parts[::-1])
            """,
        ),
        inputs=lambda random, chosen: (
            f"{random.randint(1950, 2049)}-{random.randint(1, 12):02d}-{random.randint(1, 28):02d}",
        ),
        choices={"sep": ("/", ".", " ", ":", "_")},
    ),
    Template(
        name="fraction_to_mixed",
        level=1,
        parameters="text",
        names=("mixed_number", "whole_and_rest", "split_fraction"),
        tasks=(
            "text is a fraction of positive integers such as '17/5'. Return a tuple of the whole part and the "
            "remaining numerator, here (3, 2).",
            "Given a fraction string like '9/4', divide the top by the bottom and return the tuple "
            "(quotient, remainder).",
        ),
        honest=(
            """
                top, bottom = text.split('/')
                return divmod(int(top), int(bottom))
            """,
            """
                top, bottom = map(int, text.split('/'))
                return (top // bottom, top % bottom)
            """,
        ),
        inputs=lambda random, chosen: (f"{random.randint(5, 99)}/{random.randint(2, 9)}",),
    ),
    Template(
        name="halves_swapped",
        level=1,
        parameters="text",
        names=("swap_sides", "swap_parts", "flip_pair"),
        tasks=(
            "text is two words joined by '$sep', such as 'left${sep}right'. Return it with the two words swapped.",
            "Given a string like 'cat${sep}dog', swap the parts before and after '$sep': 'dog${sep}cat'.",
        ),
        honest=(
            """
                first, second = text.split($sep_repr)
                return second + $sep_repr + first
            """,
            "$sep_repr.join(text.split($sep_repr)[::-1])",
            """
                parts = text.split($sep_repr)
                return parts[1] + $sep_repr + parts[0]
            """,
        ),
        inputs=lambda random, chosen: (chosen["sep"].join(random.sample(WORDS, 2)),),
        choices={"sep": ("=", "@", "-", "/", "->", "+")},
    ),
    Template(
        name="clock_to_minutes",
        level=2,
        parameters="time",
        names=("to_minutes", "minutes_since_midnight", "clock_minutes"),
        tasks=(
            "time is a 24-hour time such as '07${sep}45' (hours, '$sep', minutes). "
            "Return the minutes since midnight as an integer.",
            "Convert a time like '13${sep}05' into the number of minutes passed since '00${sep}00'.",
        ),
        honest=(
            """
                hours, minutes = time.split($sep_repr)
                return int(hours) * 60 + int(minutes)
            """,
            "int(time[:2]) * 60 + int(time[3:])",
            """
                total = 0
                for part in time.split($sep_repr):
                    total = total * 60 + int(part)
                return total
            """,
        ),
        inputs=lambda random, chosen: (f"{random.randint(0, 23):02d}{chosen['sep']}{random.randint(0, 59):02d}",),
        choices={"sep": (":", ".", "h", "-")},
    ),
    Template(
        name="duration_to_minutes",
        level=2,
        parameters="text",
        names=("duration_minutes", "parse_duration", "total_minutes"),
        tasks=(
            "text is a duration such as '1h20m' (hours and minutes). Return its minutes plus $extra.",
            "Convert a duration like '2h05m' to minutes, add $extra more minutes and return the sum as an integer.",
        ),
        honest=(
            """
                hours, minutes = text[:-1].split('h')
                return int(hours) * 60 + int(minutes) + $extra
            """,
            """
                h = text.index('h')
                hours = int(text[:h])
                minutes = int(text[h + 1:text.index('m')])
                return hours * 60 + minutes + $extra
            """,
        ),
        inputs=lambda random, chosen: (f"{random.randint(0, 12)}h{random.randint(0, 59):02d}m",),
        choices={"extra": (5, 10, 15, 20, 30, 45)},
    ),
    Template(
        name="minutes_to_duration",
        level=2,
        parameters="minutes",
        names=("format_duration", "duration_text", "show_duration"),
        tasks=(
            "Write a number of minutes as hours and minutes: the hours, '$h', the minutes left over, '$m'. "
            "So 80 becomes '1${h}20${m}' and 5 becomes '0${h}5${m}'.",
            "Return minutes as text like '2${h}7${m}' (127 minutes): whole hours then '$h', remaining minutes then "
            "'$m', without leading zeros.",
        ),
        honest=(
            "str(minutes // 60) + $h_repr + str(minutes % 60) + $m_repr",
            """
                hours, rest = divmod(minutes, 60)
                return f'{hours}$h{rest}$m'
            """,
            """
                hours = 0
                while minutes >= 60:
                    hours += 1
                    minutes -= 60
                return str(hours) + $h_repr + str(minutes) + $m_repr
            """,
        ),
        inputs=drawn(number, 0, 600),
        choices={"h": ("h", "H", " h ", "hr"), "m": ("m", "M", "min")},
    ),
    Template(
        name="hex_colour_channels",
        level=2,
        parameters="colour",
        names=("hex_to_rgb", "parse_colour", "colour_channels"),
        tasks=(
            "colour is '$mark' followed by six hex digits. Return a list of the three integers that "
            "its three pairs of digits stand for: '${mark}ff8000' gives [255, 128, 0].",
            "Convert a hex colour such as '${mark}0a10ff' to the list of its red, green and blue values, "
            "here [10, 16, 255].",
        ),
        honest=(
            """
             return [int(colour[i:i + 2], 16) for i in range(len($mark_repr), len(colour), 2)]
            """,
            """
                digits = colour[-6:]
                red = int(digits[0:2], 16)
                green = int(digits[2:4], 16)
                blue = int(digits[4:6], 16)
                return [red, green, blue]
            """,
        ),
        inputs=lambda random, chosen: (chosen["mark"] + letters(random, 6, 6, "0123456789abcdef"),),
        choices={"mark": ("#", "0x", "x", "&")},
    ),
)
