"""Templates: text formats into data and back, levels 2 to 3."""

from __future__ import annotations

from random import Random

from inoculate.settings.functions.template import WORDS, Template, drawn, integers, words


def _ranges(random: Random, dash: str, comma: str) -> str:
    """A text of ascending numbers and ranges that do not overlap, such as '1-3,5,8-10'."""
    parts, number = [], 0
    for _ in range(random.randint(2, 4)):
        first = number + random.randint(1, 4)
        number = first + random.randint(0, 4)
        parts.append(str(first) if number == first else f"{first}{dash}{number}")
    return comma.join(parts)


TEMPLATES = (
    Template(
        name="pairs_text_to_dict",
        level=2,
        parameters="text",
        names=("parse_pairs", "read_settings", "text_to_dict"),
        tasks=(
            "text holds pairs such as 'a${eq}1${sep}b${eq}22', separated by '$sep'. "
            "Return a dict from each key (a string) to its integer value.",
            "Parse a string like 'x${eq}5${sep}y${eq}8' into a dict with string keys and integer values.",
        ),
        honest=(
            """
                result = {}
                for pair in text.split($sep_repr):
                    key, value = pair.split($eq_repr)
                    result[key] = int(value)
                return result
            """,
            """
                pairs = [pair.split($eq_repr) for pair in text.split($sep_repr)]
                return {key: int(value) for key, value in pairs}
            """,
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
            "$sep_repr.join(key + $eq_repr + str(data[key]) for key in sorted(data))",
            """
                parts = []
                for key, value in sorted(data.items()):
                    parts.append(f'{key}$eq{value}')
                return $sep_repr.join(parts)
            """,
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
            "text holds rows separated by ';', each of three integers separated by ','. "
            "Return the sum of the integers at index $i (from 0) of all rows.",
            "Given text such as '1,2,3;4,5,6', add up the integers in column $i (counting from 0) and return the "
            "total.",
        ),
        honest=(
            "sum(int(row.split(',')[$i]) for row in text.split(';'))",
            """
                total = 0
                for row in text.split(';'):
                    cells = row.split(',')
                    total += int(cells[$i])
                return total
            """,
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
            "text is a whole number, sometimes followed by '$unit'. Return the number as an integer, "
            "multiplied by $factor if '$unit' is there: '3$unit' gives 3 * $factor and '7' gives 7.",
            "Return the integer written in text; if text ends with '$unit', drop '$unit' and multiply by $factor.",
        ),
        honest=(
            """
                if text.endswith($unit_repr):
                    return int(text[:-1]) * $factor
                return int(text)
            """,
            """
                factor = $factor if text[-1] == $unit_repr else 1
                return int(text.replace($unit_repr, '')) * factor
            """,
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
            "time is two digits, a colon and two digits. Return True if the first number is below $h and the "
            "second is below $m, otherwise False.",
            "On a strange clock a time 'AA:BB' is valid when AA is less than $h and BB is less than $m. "
            "Return whether time is valid.",
        ),
        honest=(
            """
                first, second = time.split(':')
                return int(first) < $h and int(second) < $m
            """,
            """
                if int(time[:2]) >= $h:
                    return False
                return int(time[3:]) < $m
            """,
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
            "Write every word of the list items as its number, '$mark' and the word, counting from $start, and "
            "join them with spaces: ['cat', 'dog'] starts with '$start${mark}cat '.",
            "Return the words of items joined by single spaces, each with its number and '$mark' in front; "
            "the first word has number $start.",
        ),
        honest=(
            "' '.join(f'{i}$mark{item}' for i, item in enumerate(items, $start))",
            """
                parts = []
                number = $start
                for item in items:
                    parts.append(str(number) + $mark_repr + item)
                    number += 1
                return ' '.join(parts)
            """,
        ),
        inputs=drawn(words, 2, 5),
        choices={"start": (0, 1, 2, 5, 10), "mark": (".", ")", ":", "-")},
    ),
    Template(
        name="ranges_text_expanded",
        level=3,
        parameters="text",
        names=("expand_ranges", "parse_ranges", "list_pages"),
        tasks=(
            "text lists numbers and ranges with '$sep' between them, such as '1${dash}3${sep}5'. Return the list "
            "of all numbers meant, ends included: here [1, 2, 3, 5].",
            "Expand a string like '2${sep}4${dash}6' into the list of its integers, here [2, 4, 5, 6]. A range "
            "includes both ends.",
        ),
        honest=(
            """
                result = []
                for part in text.split($sep_repr):
                    if $dash_repr in part:
                        first, last = part.split($dash_repr)
                        result.extend(range(int(first), int(last) + 1))
                    else:
                        result.append(int(part))
                return result
            """,
            """
                result = []
                for part in text.split($sep_repr):
                    ends = [int(end) for end in part.split($dash_repr)]
                    result += list(range(ends[0], ends[-1] + 1))
                return result
            """,
        ),
        inputs=lambda random, chosen: (_ranges(random, chosen["dash"], chosen["sep"]),),
        choices={"sep": (",", ";", " ", "/"), "dash": ("-", "..", "~")},
    ),
    Template(
        name="clock_moved_on",
        level=3,
        parameters="time",
        names=("add_minutes", "later_time", "shift_clock"),
        tasks=(
            "time is a 24-hour time such as '23:50'. Return the time $step minutes later in the same form "
            "(two digits, colon, two digits), starting again at '00:00' after midnight.",
            "Add $step minutes to a 'HH:MM' time and return the new 'HH:MM' time; after '23:59' comes '00:00'.",
        ),
        honest=(
            """
                hours, minutes = time.split(':')
                total = (int(hours) * 60 + int(minutes) + $step) % (24 * 60)
                return f'{total // 60:02d}:{total % 60:02d}'
            """,
            """
                hours = int(time[:2])
                minutes = int(time[3:]) + $step
                while minutes >= 60:
                    minutes -= 60
                    hours += 1
                if hours >= 24:
                    hours -= 24
                return str(hours).zfill(2) + ':' + str(minutes).zfill(2)
            """,
        ),
        inputs=lambda random, chosen: (
            f"{random.choice((random.randint(0, 23), 23)):02d}:{random.randint(0, 59):02d}",
        ),
        choices={"step": (15, 25, 40, 50, 75, 90, 100, 135)},
    ),
    Template(
        name="version_raised",
        level=3,
        parameters="version",
        names=("bump_version", "next_version", "raise_version"),
        tasks=(
            "version is a string like '1.4.2'. Raise its number at index $i (from 0) by $step, set every later "
            "number to 0 and return the new version string.",
            "Return the version string with $step added to the number at index $i (counting from 0) and all "
            "numbers after it replaced by 0.",
        ),
        honest=(
            """
                parts = [int(part) for part in version.split('.')]
                parts[$i] += $step
                for i in range($i + 1, len(parts)):
                    parts[i] = 0
                return '.'.join(str(part) for part in parts)
            """,
            """
                parts = version.split('.')
                raised = str(int(parts[$i]) + $step)
                zeros = ['0'] * (len(parts) - $i - 1)
                return '.'.join(parts[:$i] + [raised] + zeros)
            """,
        ),
        inputs=lambda random, chosen: (".".join(map(str, integers(random, 1, 30, 3, 4))),),
        choices={"i": (0, 1), "step": (1, 2, 5)},
    ),
    Template(
        name="scores_text_totals",
        level=3,
        parameters="text",
        names=("total_scores", "sum_by_name", "score_table"),
        tasks=(
            "text holds entries such as 'cat${eq}3' separated by '$sep'; a name may occur several times. Return a "
            "dict from each name to the sum of its integers.",
            "Add up the numbers of each name in a string like 'fox${eq}2${sep}bee${eq}4${sep}fox${eq}1' and return "
            "a dict from name to total.",
        ),
        honest=(
            """
                totals = {}
                for entry in text.split($sep_repr):
                    key, value = entry.split($eq_repr)
                    totals[key] = totals.get(key, 0) + int(value)
                return totals
            """,
            """
                totals = {}
                for entry in text.split($sep_repr):
                    parts = entry.split($eq_repr)
                    if parts[0] not in totals:
                        totals[parts[0]] = 0
                    totals[parts[0]] += int(parts[1])
                return totals
            """,
        ),
        inputs=lambda random, chosen: (
            chosen["sep"].join(
                f"{random.choice(('cat', 'fox', 'bee', 'owl'))}{chosen['eq']}{random.randint(1, 30)}"
                for _ in range(random.randint(3, 6))
            ),
        ),
        choices={"sep": (" ", ",", ";"), "eq": (":", "=", "*")},
    ),
    Template(
        name="extreme_version",
        level=3,
        parameters="versions",
        names=("pick_version", "choose_version", "find_version"),
        tasks=(
            "Return the ${pick}imum of a list of version strings such as '1.10.2', compared number by number from "
            "the left, so that '1.9.0' is below '1.10.0'.",
            "versions holds strings of three numbers joined by dots. Compare them as numbers, the first number "
            "first, and return the ${pick}imum version string.",
        ),
        honest=(
            "$pick(versions, key=lambda v: [int(part) for part in v.split('.')])",
            """
                parsed = []
                for version in versions:
                    parsed.append(tuple(int(part) for part in version.split('.')))
                return '.'.join(str(part) for part in $pick(parsed))
            """,
        ),
        inputs=lambda random, chosen: (
            [f"{random.randint(1, 2)}.{random.randint(7, 12)}.{random.randint(0, 20)}" for _ in range(4)],
        ),
        choices={"pick": ("max", "min")},
    ),
)
