"""Templates: text formats into data and back, in two ideas together or a small algorithm (levels 3 and 4)."""

from __future__ import annotations

from random import Random

from inoculate.settings.functions.template import WORDS, Template, integers, letters


def _ranges(random: Random, dash: str, comma: str) -> str:
    """A text of ascending numbers and ranges that do not overlap, such as '1-3,5,8-10'."""
    parts, number = [], 0
    for _ in range(random.randint(2, 4)):
        first = number + random.randint(1, 4)
        number = first + random.randint(0, 4)
        parts.append(str(first) if number == first else f"{first}{dash}{number}")
    return comma.join(parts)


def _postfix(random: Random) -> str:
    """A text of single digits and operators in postfix order, such as '3 4 + 2 *'."""
    parts, waiting = [str(random.randint(1, 9)), str(random.randint(1, 9))], 2
    while len(parts) < 6 or waiting > 1:
        if waiting == 1 or (len(parts) < 5 and random.random() < 0.4):
            parts.append(str(random.randint(1, 9)))
            waiting += 1
        else:
            parts.append(random.choice("+-*"))
            waiting -= 1
    return " ".join(parts)


def _quoted(random: Random, separator: str) -> str:
    """A text of words, some of them in pairs inside double quotes."""
    fields = []
    for _ in range(random.randint(2, 4)):
        pair = random.sample(WORDS, 2)
        fields.append(f'"{separator.join(pair)}"' if random.random() < 0.4 else pair[0])
    return separator.join(fields)


TEMPLATES = (
    Template(
        name="ranges_text_expanded",
        level=3,
        parameters="text",
        names=("expand_ranges", "parse_ranges", "list_pages"),
        tasks=(
            (
                "text lists numbers and ranges with '$sep' between them, such as '1${dash}3${sep}5'. Return the list "
                "of all numbers meant, ends included: here [1, 2, 3, 5]."
            ),
            (
                "Expand a string like '2${sep}4${dash}6' into the list of its integers, here [2, 4, 5, 6]. A range "
                "includes both ends."
            ),
        ),
        honest=(
            (
                "def $name(text):\n    result = []\n    for part in text.split($sep_repr):\n"
                "        if $dash_repr in part:\n            first, last = part.split($dash_repr)\n"
                "            result.extend(range(int(first), int(last) + 1))\n        else:\n"
                "            result.append(int(part))\n    return result\n"
            ),
            """def $name(text):
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
            (
                "time is a 24-hour time such as '23:50'. Return the time $step minutes later in the same form "
                "(two digits, colon, two digits), starting again at '00:00' after midnight."
            ),
            "Add $step minutes to a 'HH:MM' time and return the new 'HH:MM' time; after '23:59' comes '00:00'.",
        ),
        honest=(
            """def $name(time):
    hours, minutes = time.split(':')
    total = (int(hours) * 60 + int(minutes) + $step) % (24 * 60)
    return f'{total // 60:02d}:{total % 60:02d}'
""",
            (
                "def $name(time):\n    hours = int(time[:2])\n    minutes = int(time[3:]) + $step\n"
                "    while minutes >= 60:\n        minutes -= 60\n        hours += 1\n    if hours >= 24:\n"
                "        hours -= 24\n    return str(hours).zfill(2) + ':' + str(minutes).zfill(2)\n"
            ),
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
            (
                "version is a string like '1.4.2'. Raise its number at index $i (from 0) by $step, set every later "
                "number to 0 and return the new version string."
            ),
            (
                "Return the version string with $step added to the number at index $i (counting from 0) and all "
                "numbers after it replaced by 0."
            ),
        ),
        honest=(
            """def $name(version):
    parts = [int(part) for part in version.split('.')]
    parts[$i] += $step
    for i in range($i + 1, len(parts)):
        parts[i] = 0
    return '.'.join(str(part) for part in parts)
""",
            (
                "def $name(version):\n    parts = version.split('.')\n    raised = str(int(parts[$i]) + $step)\n"
                "    zeros = ['0'] * (len(parts) - $i - 1)\n    return '.'.join(parts[:$i] + [raised] + zeros)\n"
            ),
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
            (
                "text holds entries such as 'cat${eq}3' separated by '$sep'; a name may occur several times. Return a "
                "dict from each name to the sum of its integers."
            ),
            (
                "Add up the numbers of each name in a string like 'fox${eq}2${sep}bee${eq}4${sep}fox${eq}1' and return "
                "a dict from name to total."
            ),
        ),
        honest=(
            """def $name(text):
    totals = {}
    for entry in text.split($sep_repr):
        key, value = entry.split($eq_repr)
        totals[key] = totals.get(key, 0) + int(value)
    return totals
""",
            (
                "def $name(text):\n    totals = {}\n    for entry in text.split($sep_repr):\n"
                "        parts = entry.split($eq_repr)\n        if parts[0] not in totals:\n"
                "            totals[parts[0]] = 0\n        totals[parts[0]] += int(parts[1])\n    return totals\n"
            ),
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
            (
                "Return the ${pick}imum of a list of version strings such as '1.10.2', compared number by number from "
                "the left, so that '1.9.0' is below '1.10.0'."
            ),
            (
                "versions holds strings of three numbers joined by dots. Compare them as numbers, the first number "
                "first, and return the ${pick}imum version string."
            ),
        ),
        honest=(
            "def $name(versions):\n    return $pick(versions, key=lambda v: [int(part) for part in v.split('.')])\n",
            """def $name(versions):
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
    Template(
        name="run_code_unpacked",
        level=3,
        parameters="text",
        names=("unpack", "decode_runs", "expand_code"),
        tasks=(
            (
                "text repeats a pattern: one letter, then one digit. Return the string in which each letter is written "
                "as often as its digit says: 'a3b2' gives 'aaabb'."
            ),
            "Decode a string such as 'x2y1z3' (each letter followed by its one-digit count) to 'xxyzzz'.",
        ),
        honest=(
            (
                "def $name(text):\n    result = ''\n    for i in range(0, len(text), 2):\n"
                "        result += text[i] * int(text[i + 1])\n    return result\n"
            ),
            "def $name(text):\n    return ''.join(a * int(n) for a, n in zip(text[::2], text[1::2]))\n",
        ),
        inputs=lambda random, chosen: ("".join(f"{letters(random, 1, 1)}{random.randint(1, 5)}" for _ in range(4)),),
    ),
    Template(
        name="integers_inside_text",
        level=3,
        parameters="text",
        names=("find_numbers", "extract_integers", "numbers_inside"),
        tasks=(
            (
                "text mixes letters and digits. Return the list of the whole numbers in it (digits that stand together "
                "are one number) that are at least $k: 'a12b7c' holds 12 and 7."
            ),
            (
                "Collect the integers formed by neighbouring digits in text, such as 40 and 5 in 'xx40y5', and return "
                "the list of those not below $k, in order."
            ),
        ),
        honest=(
            """def $name(text):
    spaced = ''.join(c if c.isdigit() else ' ' for c in text)
    return [int(part) for part in spaced.split() if int(part) >= $k]
""",
            (
                "def $name(text):\n    result = []\n    digits = ''\n    for char in text + ' ':\n"
                "        if char.isdigit():\n            digits += char\n        elif digits:\n"
                "            if int(digits) >= $k:\n                result.append(int(digits))\n"
                "            digits = ''\n    return result\n"
            ),
        ),
        inputs=lambda random, chosen: (
            "".join(f"{letters(random, 0, 2)}{random.randint(1, 99)}{letters(random, 1, 2)}" for _ in range(4)),
        ),
        choices={"k": (0, 10, 20, 30)},
    ),
    Template(
        name="walk_text_end",
        level=3,
        parameters="text",
        names=("follow_moves", "end_of_walk", "final_position"),
        tasks=(
            (
                "Start at ($x, $y) and follow the moves in text, such as 'R3 U2 L1 D4': R and L change the first "
                "number up and down, U and D the second. Return the final [x, y]."
            ),
            (
                "text holds moves like 'U2 R5': R adds to x, L subtracts from x, U adds to y, D subtracts from y. "
                "Return [x, y] after all moves from x = $x, y = $y."
            ),
        ),
        honest=(
            (
                "def $name(text):\n    x, y = $x, $y\n    for move in text.split():\n        steps = int(move[1:])\n"
                "        if move[0] == 'R':\n            x += steps\n        elif move[0] == 'L':\n"
                "            x -= steps\n        elif move[0] == 'U':\n            y += steps\n        else:\n"
                "            y -= steps\n    return [x, y]\n"
            ),
            """def $name(text):
    total = {'R': 0, 'L': 0, 'U': 0, 'D': 0}
    for move in text.split(' '):
        total[move[0]] += int(move[1:])
    return [$x + total['R'] - total['L'], $y + total['U'] - total['D']]
""",
        ),
        inputs=lambda random, chosen: (
            " ".join(f"{random.choice('RLUD')}{random.randint(1, 12)}" for _ in range(random.randint(2, 6))),
        ),
        choices={"x": (0, 1, 5), "y": (0, 2, 10)},
    ),
    Template(
        name="table_text_records",
        level=3,
        parameters="text",
        names=("parse_table", "read_records", "table_to_dicts"),
        tasks=(
            (
                "text holds rows separated by '|' and cells separated by '$sep'. The first row holds the names. Return "
                "a list with one dict per further row, from name to cell (a string)."
            ),
            (
                "Turn text such as 'a${sep}b|1${sep}2|3${sep}4' into [{'a': '1', 'b': '2'}, {'a': '3', 'b': '4'}]: the "
                "first row has the keys, values stay strings."
            ),
        ),
        honest=(
            """def $name(text):
    rows = [row.split($sep_repr) for row in text.split('|')]
    return [dict(zip(rows[0], row)) for row in rows[1:]]
""",
            (
                "def $name(text):\n    lines = text.split('|')\n    keys = lines[0].split($sep_repr)\n"
                "    records = []\n    for line in lines[1:]:\n        cells = line.split($sep_repr)\n"
                "        record = {}\n        for i in range(len(keys)):\n            record[keys[i]] = cells[i]\n"
                "        records.append(record)\n    return records\n"
            ),
        ),
        inputs=lambda random, chosen: (
            "|".join(
                [chosen["sep"].join(random.sample(WORDS, 2))]
                + [chosen["sep"].join(map(str, integers(random, 0, 99, 2, 2))) for _ in range(random.randint(1, 3))]
            ),
        ),
        choices={"sep": (",", ";", ":", " ")},
    ),
    Template(
        name="sum_of_products_text",
        level=3,
        parameters="text",
        names=("calculate", "evaluate", "compute_text"),
        tasks=(
            (
                "text holds whole numbers joined by '$plus' (add) and '$times' (multiply); multiplication goes first. "
                "Return the value: '2${plus}3${times}4' gives 14."
            ),
            (
                "Work out a string like '5${times}2${plus}7', where '$times' means multiply and binds tighter than "
                "'$plus', which means add. Return the integer."
            ),
        ),
        honest=(
            (
                "def $name(text):\n    total = 0\n    for term in text.split($plus_repr):\n        product = 1\n"
                "        for factor in term.split($times_repr):\n            product *= int(factor)\n"
                "        total += product\n    return total\n"
            ),
            (
                "def $name(text):\n    values = []\n    for term in text.split($plus_repr):\n"
                "        factors = [int(part) for part in term.split($times_repr)]\n        value = factors[0]\n"
                "        for factor in factors[1:]:\n            value = value * factor\n"
                "        values.append(value)\n    return sum(values)\n"
            ),
        ),
        inputs=lambda random, chosen: (
            "".join(f"{random.randint(1, 9)}{random.choice((chosen['plus'], chosen['times']))}" for _ in range(3))
            + str(random.randint(1, 9)),
        ),
        choices={"plus": ("+", "a", "&"), "times": ("*", "x", "m")},
    ),
    Template(
        name="ranges_text_written",
        level=4,
        parameters="nums",
        names=("write_ranges", "collapse_ranges", "short_ranges"),
        tasks=(
            (
                "nums holds different integers in ascending order. Write each run of two or more consecutive numbers "
                "as first${dash}last, other numbers alone, joined by '$sep'."
            ),
            (
                "Shorten a sorted list of distinct integers to text: [1, 2, 3, 5, 8, 9] becomes "
                "'1${dash}3${sep}5${sep}8${dash}9'."
            ),
        ),
        honest=(
            (
                "def $name(nums):\n    runs = []\n    for n in nums:\n        if runs and runs[-1][1] == n - 1:\n"
                "            runs[-1][1] = n\n        else:\n            runs.append([n, n])\n"
                "    return $sep_repr.join(str(a) if a == b else f'{a}$dash{b}' for a, b in runs)\n"
            ),
            (
                "def $name(nums):\n    parts = []\n    start = 0\n    for i in range(len(nums)):\n"
                "        if i + 1 == len(nums) or nums[i + 1] != nums[i] + 1:\n            if start == i:\n"
                "                parts.append(str(nums[i]))\n            else:\n"
                "                parts.append(str(nums[start]) + $dash_repr + str(nums[i]))\n"
                "            start = i + 1\n    return $sep_repr.join(parts)\n"
            ),
        ),
        inputs=lambda random, chosen: (sorted(random.sample(range(1, 15), random.randint(4, 9))),),
        choices={"sep": (",", ";", " "), "dash": ("-", "..", "~")},
    ),
    Template(
        name="postfix_text_value",
        level=4,
        parameters="text",
        names=("postfix_value", "evaluate_postfix", "run_postfix"),
        tasks=(
            (
                "text is a postfix expression of numbers and + - * separated by spaces: each operator applies to the "
                "two values before it. '3 4 + 2 *' gives 14. Return the value."
            ),
            (
                "Evaluate postfix notation: push numbers; on +, - or * take b, then a, and push a operator b. "
                "Return the last value left, so '9 4 -' gives 5."
            ),
        ),
        honest=(
            (
                "def $name(text):\n    stack = []\n    for token in text.split():\n"
                "        if token in ('+', '-', '*'):\n            b = stack.pop()\n            a = stack.pop()\n"
                "            if token == '+':\n                stack.append(a + b)\n            elif token == '-':\n"
                "                stack.append(a - b)\n            else:\n                stack.append(a * b)\n"
                "        else:\n            stack.append(int(token))\n    return stack[0]\n"
            ),
            """def $name(text):
    actions = {'+': lambda a, b: a + b, '-': lambda a, b: a - b, '*': lambda a, b: a * b}
    stack = []
    for token in text.split():
        if token in actions:
            b, a = stack.pop(), stack.pop()
            stack.append(actions[token](a, b))
        else:
            stack.append(int(token))
    return stack[-1]
""",
        ),
        inputs=lambda random, chosen: (_postfix(random),),
    ),
    Template(
        name="quoted_fields_split",
        level=4,
        parameters="text",
        names=("split_fields", "split_quoted", "read_fields"),
        tasks=(
            (
                "Split text at every '$sep' that is not inside double quotes; return the parts as a list without the "
                "quotes. 'a$sep\"b${sep}c\"' gives ['a', 'b${sep}c']."
            ),
            (
                "text holds fields separated by '$sep'. A field in double quotes may contain '$sep' itself. Return the "
                "list of fields, with the double quotes removed."
            ),
        ),
        honest=(
            (
                "def $name(text):\n    fields = ['']\n    quoted = False\n    for char in text:\n"
                "        if char == '\"':\n            quoted = not quoted\n"
                "        elif char == $sep_repr and not quoted:\n            fields.append('')\n        else:\n"
                "            fields[-1] += char\n    return fields\n"
            ),
            (
                "def $name(text):\n    pieces = text.split('\"')\n    for i in range(0, len(pieces), 2):\n"
                "        pieces[i] = pieces[i].replace($sep_repr, chr(10))\n    return ''.join(pieces).split(chr(10))\n"
            ),
        ),
        inputs=lambda random, chosen: (_quoted(random, chosen["sep"]),),
        choices={"sep": (",", ";", "|", ":", "/")},
    ),
    Template(
        name="sum_text_tokens",
        level=4,
        parameters="text",
        names=("tokens", "tokenise", "split_tokens"),
        tasks=(
            (
                "text is made of digits and the symbols $marks. Return the list of its tokens from left to right: "
                "whole numbers as integers, each symbol as a one-character string."
            ),
            (
                "Cut a string of digits and the symbols $marks into a list: digits that stand together become one "
                "integer, every symbol stays a string of its own."
            ),
        ),
        honest=(
            (
                "def $name(text):\n    result = []\n    digits = ''\n    for char in text:\n"
                "        if char.isdigit():\n            digits += char\n        else:\n            if digits:\n"
                "                result.append(int(digits))\n            digits = ''\n            result.append(char)\n"
                "    if digits:\n        result.append(int(digits))\n    return result\n"
            ),
            """def $name(text):
    spaced = ''.join(c if c.isdigit() else f' {c} ' for c in text)
    return [int(part) if part.isdigit() else part for part in spaced.split()]
""",
        ),
        inputs=lambda random, chosen: (
            "".join(f"{random.choice((random.randint(1, 150), ''))}{random.choice(chosen['marks'])}" for _ in range(4))
            + random.choice(("", str(random.randint(1, 99)))),
        ),
        choices={"marks": ("+-", "()*", "<=>", "#/", "+-*/")},
    ),
)
