"""Templates: text formats into data and back, in one expression or one loop (levels 1 and 2)."""

from __future__ import annotations

from inoculate.settings.functions.template import WORDS, Template, integers, letters, words

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
            "def $name(text):\n    return int(text.split($sep_repr)[1])\n",
            "def $name(text):\n    key, value = text.split($sep_repr)\n    return int(value)\n",
            "def $name(text):\n    start = text.index($sep_repr) + len($sep_repr)\n    return int(text[start:])\n",
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
            "def $name(text):\n    return [int(part) for part in text.split($sep_repr)]\n",
            "def $name(text):\n    return list(map(int, text.split($sep_repr)))\n",
            (
                "def $name(text):\n    numbers = []\n    for part in text.split($sep_repr):\n"
                "        numbers.append(int(part))\n    return numbers\n"
            ),
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
            "def $name(version):\n    return int(version.split('.')[$i])\n",
            "def $name(version):\n    parts = [int(part) for part in version.split('.')]\n    return parts[$i]\n",
            "def $name(version):\n    parts = version.split('.')\n    number = parts[$i]\n    return int(number)\n",
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
            (
                "Given a range like '10${sep}15' (first number, '$sep', last number), return how many integers it "
                "covers, counting both ends."
            ),
        ),
        honest=(
            "def $name(text):\n    first, last = text.split($sep_repr)\n    return int(last) - int(first) + 1\n",
            (
                "def $name(text):\n    parts = text.split($sep_repr)\n"
                "    return len(range(int(parts[0]), int(parts[1]) + 1))\n"
            ),
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
            (
                "text is a whole number with '$sep' between groups of digits, such as '1${sep}234${sep}567'. "
                "Return it as an integer."
            ),
            "Convert a number written like '12${sep}500' (groups separated by '$sep') to an integer.",
        ),
        honest=(
            "def $name(text):\n    return int(text.replace($sep_repr, ''))\n",
            "def $name(text):\n    return int(''.join(text.split($sep_repr)))\n",
            (
                "def $name(text):\n    digits = ''\n    for char in text:\n        if char != $sep_repr:\n"
                "            digits += char\n    return int(digits)\n"
            ),
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
            "def $name(text):\n    return int(text, $b)\n",
            (
                "def $name(text):\n    value = 0\n    for digit in text:\n        value = value * $b + int(digit)\n"
                "    return value\n"
            ),
            (
                "def $name(text):\n    digits = [int(d) for d in reversed(text)]\n"
                "    return sum(d * $b ** i for i, d in enumerate(digits))\n"
            ),
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
            (
                "date is a string like '2024-03-09' (year-month-day). Return it as day, month, year joined by '$sep', "
                "such as '09${sep}03${sep}2024'."
            ),
            "Rewrite a date such as '1999-12-31' with the day first and '$sep' between parts: '31${sep}12${sep}1999'.",
        ),
        honest=(
            "def $name(date):\n    return $sep_repr.join(reversed(date.split('-')))\n",
            (
                "def $name(date):\n    year, month, day = date.split('-')\n"
                "    return day + $sep_repr + month + $sep_repr + year\n"
            ),
            "def $name(date):\n    parts = date.split('-')\n    return $sep_repr.join(parts[::-1])\n",
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
            (
                "text is a fraction of positive integers such as '17/5'. Return a tuple of the whole part and the "
                "remaining numerator, here (3, 2)."
            ),
            (
                "Given a fraction string like '9/4', divide the top by the bottom and return the tuple "
                "(quotient, remainder)."
            ),
        ),
        honest=(
            "def $name(text):\n    top, bottom = text.split('/')\n    return divmod(int(top), int(bottom))\n",
            "def $name(text):\n    top, bottom = map(int, text.split('/'))\n    return (top // bottom, top % bottom)\n",
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
            "def $name(text):\n    first, second = text.split($sep_repr)\n    return second + $sep_repr + first\n",
            "def $name(text):\n    return $sep_repr.join(text.split($sep_repr)[::-1])\n",
            "def $name(text):\n    parts = text.split($sep_repr)\n    return parts[1] + $sep_repr + parts[0]\n",
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
            (
                "time is a 24-hour time such as '07${sep}45' (hours, '$sep', minutes). "
                "Return the minutes since midnight as an integer."
            ),
            "Convert a time like '13${sep}05' into the number of minutes passed since '00${sep}00'.",
        ),
        honest=(
            "def $name(time):\n    hours, minutes = time.split($sep_repr)\n    return int(hours) * 60 + int(minutes)\n",
            "def $name(time):\n    return int(time[:2]) * 60 + int(time[3:])\n",
            (
                "def $name(time):\n    total = 0\n    for part in time.split($sep_repr):\n"
                "        total = total * 60 + int(part)\n    return total\n"
            ),
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
            (
                "def $name(text):\n    hours, minutes = text[:-1].split('h')\n"
                "    return int(hours) * 60 + int(minutes) + $extra\n"
            ),
            (
                "def $name(text):\n    h = text.index('h')\n    hours = int(text[:h])\n"
                "    minutes = int(text[h + 1:text.index('m')])\n    return hours * 60 + minutes + $extra\n"
            ),
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
            (
                "Write a number of minutes as hours and minutes: the hours, '$h', the minutes left over, '$m'. "
                "So 80 becomes '1${h}20${m}' and 5 becomes '0${h}5${m}'."
            ),
            (
                "Return minutes as text like '2${h}7${m}' (127 minutes): whole hours then '$h', remaining minutes then "
                "'$m', without leading zeros."
            ),
        ),
        honest=(
            "def $name(minutes):\n    return str(minutes // 60) + $h_repr + str(minutes % 60) + $m_repr\n",
            "def $name(minutes):\n    hours, rest = divmod(minutes, 60)\n    return f'{hours}$h{rest}$m'\n",
            (
                "def $name(minutes):\n    hours = 0\n    while minutes >= 60:\n        hours += 1\n"
                "        minutes -= 60\n    return str(hours) + $h_repr + str(minutes) + $m_repr\n"
            ),
        ),
        inputs=lambda random, chosen: (random.randint(0, 600),),
        choices={"h": ("h", "H", " h ", "hr"), "m": ("m", "M", "min")},
    ),
    Template(
        name="hex_colour_channels",
        level=2,
        parameters="colour",
        names=("hex_to_rgb", "parse_colour", "colour_channels"),
        tasks=(
            (
                "colour is '$mark' followed by six hex digits. Return a list of the three integers that "
                "its three pairs of digits stand for: '${mark}ff8000' gives [255, 128, 0]."
            ),
            (
                "Convert a hex colour such as '${mark}0a10ff' to the list of its red, green and blue values, "
                "here [10, 16, 255]."
            ),
        ),
        honest=(
            (
                "def $name(colour):\n return [int(colour[i:i + 2], 16) for i in range(len($mark_repr), len(colour), "
                "2)]\n"
            ),
            (
                "def $name(colour):\n    digits = colour[-6:]\n    red = int(digits[0:2], 16)\n"
                "    green = int(digits[2:4], 16)\n    blue = int(digits[4:6], 16)\n    return [red, green, blue]\n"
            ),
        ),
        inputs=lambda random, chosen: (chosen["mark"] + letters(random, 6, 6, "0123456789abcdef"),),
        choices={"mark": ("#", "0x", "x", "&")},
    ),
    Template(
        name="pairs_text_to_dict",
        level=2,
        parameters="text",
        names=("parse_pairs", "read_settings", "text_to_dict"),
        tasks=(
            (
                "text holds pairs such as 'a${eq}1${sep}b${eq}22', separated by '$sep'. "
                "Return a dict from each key (a string) to its integer value."
            ),
            "Parse a string like 'x${eq}5${sep}y${eq}8' into a dict with string keys and integer values.",
        ),
        honest=(
            (
                "def $name(text):\n    result = {}\n    for pair in text.split($sep_repr):\n"
                "        key, value = pair.split($eq_repr)\n        result[key] = int(value)\n    return result\n"
            ),
            (
                "def $name(text):\n    pairs = [pair.split($eq_repr) for pair in text.split($sep_repr)]\n"
                "    return {key: int(value) for key, value in pairs}\n"
            ),
        ),
        inputs=lambda random, chosen: (
            chosen["sep"].join(f"{w}{chosen['eq']}{random.randint(0, 99)}" for w in random.sample(WORDS, 3)),
        ),
        choices={"sep": ("&", ";", ",", " "), "eq": ("=", ":", ">")},
    ),
    Template(
        name="dict_to_pairs_text",
        level=2,
        parameters="data",
        names=("format_pairs", "dict_to_text", "write_settings"),
        tasks=(
            "Return the pairs of the dict data as text like 'a${eq}1${sep}b${eq}2', in alphabetical order of the keys.",
            "Sort the keys of data, write each as key${eq}value and join them with '$sep'. Return the string.",
        ),
        honest=(
            "def $name(data):\n    return $sep_repr.join(key + $eq_repr + str(data[key]) for key in sorted(data))\n",
            (
                "def $name(data):\n    parts = []\n    for key, value in sorted(data.items()):\n"
                "        parts.append(f'{key}$eq{value}')\n    return $sep_repr.join(parts)\n"
            ),
        ),
        inputs=lambda random, chosen: ({w: random.randint(0, 99) for w in random.sample(WORDS, random.randint(2, 4))},),
        choices={"sep": ("&", ";", ", ", " "), "eq": ("=", ":", "->")},
    ),
    Template(
        name="text_rows_column_total",
        level=2,
        parameters="text",
        names=("column_total", "sum_column", "add_column"),
        tasks=(
            (
                "text holds rows separated by ';', each of three integers separated by ','. "
                "Return the sum of the integers at index $i (from 0) of all rows."
            ),
            (
                "Given text such as '1,2,3;4,5,6', add up the integers in column $i (counting from 0) and return the "
                "total."
            ),
        ),
        honest=(
            "def $name(text):\n    return sum(int(row.split(',')[$i]) for row in text.split(';'))\n",
            (
                "def $name(text):\n    total = 0\n    for row in text.split(';'):\n        cells = row.split(',')\n"
                "        total += int(cells[$i])\n    return total\n"
            ),
        ),
        inputs=lambda random, chosen: (
            ";".join(",".join(map(str, integers(random, -9, 50, 3, 3))) for _ in range(random.randint(1, 4))),
        ),
        choices={"i": (0, 1, 2)},
    ),
    Template(
        name="size_with_suffix",
        level=2,
        parameters="text",
        names=("parse_size", "size_value", "read_size"),
        tasks=(
            (
                "text is a whole number, sometimes followed by '$unit'. Return the number as an integer, "
                "multiplied by $factor if '$unit' is there: '3$unit' gives 3 * $factor and '7' gives 7."
            ),
            "Return the integer written in text; if text ends with '$unit', drop '$unit' and multiply by $factor.",
        ),
        honest=(
            (
                "def $name(text):\n    if text.endswith($unit_repr):\n        return int(text[:-1]) * $factor\n"
                "    return int(text)\n"
            ),
            (
                "def $name(text):\n    factor = $factor if text[-1] == $unit_repr else 1\n"
                "    return int(text.replace($unit_repr, '')) * factor\n"
            ),
        ),
        inputs=lambda random, chosen: (f"{random.randint(1, 300)}{random.choice((chosen['unit'], ''))}",),
        choices={"unit": ("K", "k", "T", "x", "D"), "factor": (10, 12, 100, 1000, 1024)},
    ),
    Template(
        name="time_within_limits",
        level=2,
        parameters="time",
        names=("is_valid_time", "valid_clock", "is_clock_time"),
        tasks=(
            (
                "time is two digits, a colon and two digits. Return True if the first number is below $h and the "
                "second is below $m, otherwise False."
            ),
            (
                "On a strange clock a time 'AA:BB' is valid when AA is less than $h and BB is less than $m. "
                "Return whether time is valid."
            ),
        ),
        honest=(
            "def $name(time):\n    first, second = time.split(':')\n    return int(first) < $h and int(second) < $m\n",
            "def $name(time):\n    if int(time[:2]) >= $h:\n        return False\n    return int(time[3:]) < $m\n",
        ),
        inputs=lambda random, chosen: (
            f"{random.randrange(chosen['h'] * 7 // 5):02d}:{random.randrange(chosen['m'] * 7 // 5):02d}",
        ),
        choices={"h": (10, 12, 20, 24, 30), "m": (30, 40, 50, 60)},
    ),
    Template(
        name="words_numbered_text",
        level=2,
        parameters="items",
        names=("number_words", "label_words", "numbered_text"),
        tasks=(
            (
                "Write every word of the list items as its number, '$mark' and the word, counting from $start, and "
                "join them with spaces: ['cat', 'dog'] starts with '$start${mark}cat '."
            ),
            (
                "Return the words of items joined by single spaces, each with its number and '$mark' in front; "
                "the first word has number $start."
            ),
        ),
        honest=(
            "def $name(items):\n    return ' '.join(f'{i}$mark{item}' for i, item in enumerate(items, $start))\n",
            (
                "def $name(items):\n    parts = []\n    number = $start\n    for item in items:\n"
                "        parts.append(str(number) + $mark_repr + item)\n        number += 1\n"
                "    return ' '.join(parts)\n"
            ),
        ),
        inputs=lambda random, chosen: (words(random, 2, 5),),
        choices={"start": (0, 1, 2, 5, 10), "mark": (".", ")", ":", "-")},
    ),
)
