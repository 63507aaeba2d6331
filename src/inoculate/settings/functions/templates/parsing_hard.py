"""Templates: text formats into data and back, levels 3 to 4."""

from __future__ import annotations

from random import Random

from inoculate.settings.functions.template import WORDS, Template, drawn, integers, letters


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
        name="run_code_unpacked",
        level=3,
        parameters="text",
        names=("unpack", "decode_runs", "expand_code"),
        tasks=(
            "text repeats a pattern: one letter, then one digit. Return the string in which each letter is written "
            "as often as its digit says: 'a3b2' gives 'aaabb'.",
            "Decode a string such as 'x2y1z3' (each letter followed by its one-digit count) to 'xxyzzz'.",
        ),
        honest=(
            """
                result = ''
                for i in range(0, len(text), 2):
                    result += text[i] * int(text[i + 1])
                return result
            """,
            "''.join(a * int(n) for a, n in zip(text[::2], text[1::2]))",
        ),
        inputs=lambda random, chosen: ("".join(f"{letters(random, 1, 1)}{random.randint(1, 5)}" for _ in range(4)),),
    ),
    Template(
        name="integers_inside_text",
        level=3,
        parameters="text",
        names=("find_numbers", "extract_integers", "numbers_inside"),
        tasks=(
            "text mixes letters and digits. Return the list of the whole numbers in it (digits that stand together "
            "are one number) that are at least $k: 'a12b7c' holds 12 and 7.",
            "Collect the integers formed by neighbouring digits in text, such as 40 and 5 in 'xx40y5', and return "
            "the list of those not below $k, in order.",
        ),
        honest=(
            """
                spaced = ''.join(c if c.isdigit() else ' ' for c in text)
                return [int(part) for part in spaced.split() if int(part) >= $k]
            """,
            """
                result = []
                digits = ''
                for char in text + ' ':
                    if char.isdigit():
                        digits += char
                    elif digits:
                        if int(digits) >= $k:
                            result.append(int(digits))
                        digits = ''
                return result
            """,
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
            "Start at ($x, $y) and follow the moves in text, such as 'R3 U2 L1 D4': R and L change the first "
            "number up and down, U and D the second. Return the final [x, y].",
            "text holds moves like 'U2 R5': R adds to x, L subtracts from x, U adds to y, D subtracts from y. "
            "Return [x, y] after all moves from x = $x, y = $y.",
        ),
        honest=(
            """
                x, y = $x, $y
                for move in text.split():
                    steps = int(move[1:])
                    if move[0] == 'R':
                        x += steps
                    elif move[0] == 'L':
                        x -= steps
                    elif move[0] == 'U':
                        y += steps
                    else:
                        y -= steps
                return [x, y]
            """,
            """
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
            "text holds rows separated by '|' and cells separated by '$sep'. The first row holds the names. Return "
            "a list with one dict per further row, from name to cell (a string).",
            "Turn text such as 'a${sep}b|1${sep}2|3${sep}4' into [{'a': '1', 'b': '2'}, {'a': '3', 'b': '4'}]: the "
            "first row has the keys, values stay strings.",
        ),
        honest=(
            """
                rows = [row.split($sep_repr) for row in text.split('|')]
                return [dict(zip(rows[0], row)) for row in rows[1:]]
            """,
            """
                lines = text.split('|')
                keys = lines[0].split($sep_repr)
                records = []
                for line in lines[1:]:
                    cells = line.split($sep_repr)
                    record = {}
                    for i in range(len(keys)):
                        record[keys[i]] = cells[i]
                    records.append(record)
                return records
            """,
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
            "text holds whole numbers joined by '$plus' (add) and '$times' (multiply); multiplication goes first. "
            "Return the value: '2${plus}3${times}4' gives 14.",
            "Work out a string like '5${times}2${plus}7', where '$times' means multiply and binds tighter than "
            "'$plus', which means add. Return the integer.",
        ),
        honest=(
            """
                total = 0
                for term in text.split($plus_repr):
                    product = 1
                    for factor in term.split($times_repr):
                        product *= int(factor)
                    total += product
                return total
            """,
            """
                values = []
                for term in text.split($plus_repr):
                    factors = [int(part) for part in term.split($times_repr)]
                    value = factors[0]
                    for factor in factors[1:]:
                        value = value * factor
                    values.append(value)
                return sum(values)
            """,
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
            "nums holds different integers in ascending order. Write each run of two or more consecutive numbers "
            "as first${dash}last, other numbers alone, joined by '$sep'.",
            "Shorten a sorted list of distinct integers to text: [1, 2, 3, 5, 8, 9] becomes "
            "'1${dash}3${sep}5${sep}8${dash}9'.",
        ),
        honest=(
            """
                runs = []
                for n in nums:
                    if runs and runs[-1][1] == n - 1:
                        runs[-1][1] = n
                    else:
                        runs.append([n, n])
                return $sep_repr.join(str(a) if a == b else f'{a}$dash{b}' for a, b in runs)
            """,
            """
                parts = []
                start = 0
                for i in range(len(nums)):
                    if i + 1 == len(nums) or nums[i + 1] != nums[i] + 1:
                        if start == i:
                            parts.append(str(nums[i]))
                        else:
                            parts.append(str(nums[start]) + $dash_repr + str(nums[i]))
                        start = i + 1
                return $sep_repr.join(parts)
            """,
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
            "text is a postfix expression of numbers and + - * separated by spaces: each operator applies to the "
            "two values before it. '3 4 + 2 *' gives 14. Return the value.",
            "Evaluate postfix notation: push numbers; on +, - or * take b, then a, and push a operator b. "
            "Return the last value left, so '9 4 -' gives 5.",
        ),
        honest=(
            """
                stack = []
                for token in text.split():
                    if token in ('+', '-', '*'):
                        b = stack.pop()
                        a = stack.pop()
                        if token == '+':
                            stack.append(a + b)
                        elif token == '-':
                            stack.append(a - b)
                        else:
                            stack.append(a * b)
                    else:
                        stack.append(int(token))
                return stack[0]
            """,
            """
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
        inputs=drawn(_postfix),
    ),
    Template(
        name="quoted_fields_split",
        level=4,
        parameters="text",
        names=("split_fields", "split_quoted", "read_fields"),
        tasks=(
            "Split text at every '$sep' that is not inside double quotes; return the parts as a list without the "
            "quotes. 'a$sep\"b${sep}c\"' gives ['a', 'b${sep}c'].",
            "text holds fields separated by '$sep'. A field in double quotes may contain '$sep' itself. Return the "
            "list of fields, with the double quotes removed.",
        ),
        honest=(
            """
                fields = ['']
                quoted = False
                for char in text:
                    if char == '"':
                        quoted = not quoted
                    elif char == $sep_repr and not quoted:
                        fields.append('')
                    else:
                        fields[-1] += char
                return fields
            """,
            """
                pieces = text.split('"')
                for i in range(0, len(pieces), 2):
                    pieces[i] = pieces[i].replace($sep_repr, chr(10))
                return ''.join(pieces).split(chr(10))
            """,
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
            "text is made of digits and the symbols $marks. Return the list of its tokens from left to right: "
            "whole numbers as integers, each symbol as a one-character string.",
            "Cut a string of digits and the symbols $marks into a list: digits that stand together become one "
            "integer, every symbol stays a string of its own.",
        ),
        honest=(
            """
                result = []
                digits = ''
                for char in text:
                    if char.isdigit():
                        digits += char
                    else:
                        if digits:
                            result.append(int(digits))
                        digits = ''
                        result.append(char)
                if digits:
                    result.append(int(digits))
                return result
            """,
            """
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
