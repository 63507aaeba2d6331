"""Templates: text in, text or a number out, with two ideas together or a small algorithm."""

from __future__ import annotations

from random import Random

from inoculate.settings.functions.template import Template, drawn, letters, words
from inoculate.settings.functions.templates.strings import sentence


def _same_start(random: Random) -> tuple[str, str]:
    start = letters(random, 0, 5)
    return start + letters(random, 1, 4, "abcde"), start + letters(random, 1, 4, "abfgh")


def _overlapping(random: Random) -> tuple[str, str]:
    middle = letters(random, 0, 3, "abc")
    return letters(random, 1, 4, "abx") + middle, middle + letters(random, 1, 4, "bcy")


def _camel(random: Random) -> str:
    first, *rest = words(random, 2, 4)
    return first + "".join(word.capitalize() for word in rest)


def _few_letters(random: Random, kinds: int, shortest: int, longest: int) -> str:
    return letters(random, shortest, longest, "".join(random.sample("abcdefghijklmnop", kinds)))


TEMPLATES = (
    Template(
        name="letters_shifted",
        level=3,
        parameters="text",
        names=("shift_letters", "encode", "caesar"),
        tasks=(
            "Move every lower-case letter of text $k places forward in the alphabet, from z on to a. "
            "Keep other characters.",
            "Return text with each letter a-z replaced by the one $k later (after z comes a); spaces stay as they are.",
        ),
        honest=(
            """
                result = ""
                for c in text:
                    if c.islower():
                        result += chr((ord(c) - ord("a") + $k) % 26 + ord("a"))
                    else:
                        result += c
                return result
            """,
            """
                alphabet = "abcdefghijklmnopqrstuvwxyz"
                shifted = alphabet[$k:] + alphabet[:$k]
                return "".join(shifted[alphabet.index(c)] if c in alphabet else c for c in text)
            """,
        ),
        inputs=drawn(sentence, 1, 3),
        choices={"k": (1, 2, 3, 5, 13)},
    ),
    Template(
        name="runs_squeezed",
        level=3,
        parameters="text",
        names=("squeeze", "limit_runs", "calm_down"),
        tasks=(
            "Shorten every run of more than $k equal characters in a row in text to exactly $k of them.",
            "Return text where no character stands more than $k times in a row: "
            "drop the surplus ones of each longer run.",
        ),
        honest=(
            """
                result = ""
                run = 0
                for i, c in enumerate(text):
                    run = run + 1 if i > 0 and text[i - 1] == c else 1
                    if run <= $k:
                        result += c
                return result
            """,
            """
                result = ""
                for c in text:
                    if not result.endswith(c * $k):
                        result += c
                return result
            """,
        ),
        inputs=lambda random, chosen: ("".join(c * random.choice((1, 1, 2, 3, 4)) for c in letters(random, 3, 6)),),
        choices={"k": (1, 2, 3)},
    ),
    Template(
        name="longest_run_of",
        level=3,
        parameters="text",
        names=("longest_run", "longest_streak", "max_run"),
        tasks=(
            "Return the length of the longest run of the letter $letter_repr in a row in text, or 0 if there is none.",
            "How many $letter_repr stand next to each other at most in text? Return that number (0 if there are none).",
        ),
        honest=(
            """
                best = 0
                run = 0
                for c in text:
                    if c == $letter_repr:
                        run += 1
                        best = max(best, run)
                    else:
                        run = 0
                return best
            """,
            """
                length = 0
                while $letter_repr * (length + 1) in text:
                    length += 1
                return length
            """,
        ),
        inputs=lambda random, chosen: (
            letters(random, 2, 16, "bd" + random.choice((1, 3, 6)) * str(chosen["letter"])),
        ),
        choices={"letter": ("a", "e", "o", "s", "t")},
    ),
    Template(
        name="most_frequent_letter",
        level=3,
        parameters="text",
        names=("top_letter", "most_common_letter", "favourite_letter"),
        tasks=(
            "Return the letter that occurs most often in text; of equally frequent letters the alphabetically first.",
            "Find the most frequent letter of text. In case of a tie, return the one that comes first in the alphabet.",
        ),
        honest=(
            "max(sorted(set(text)), key=text.count)",
            """
                best = ""
                for c in "abcdefghijklmnopqrstuvwxyz":
                    if text.count(c) > text.count(best) or (best == "" and c in text):
                        best = c
                return best
            """,
            "min(text, key=lambda c: (-text.count(c), c))",
        ),
        inputs=drawn(_few_letters, 3, 4, 10),
    ),
    Template(
        name="texts_interleaved",
        level=3,
        parameters="a, b",
        names=("interleave", "zip_texts", "shuffle_together"),
        tasks=(
            "Take characters from a and b in turn, starting with a; when one is used up, add the rest of the other.",
            "Return a[0], b[0], a[1], b[1] and so on as one string. The rest of the longer text follows at the end.",
        ),
        honest=(
            """
                result = ""
                for i in range(max(len(a), len(b))):
                    result += a[i : i + 1] + b[i : i + 1]
                return result
            """,
            """
                n = min(len(a), len(b))
                return "".join(x + y for x, y in zip(a, b)) + a[n:] + b[n:]
            """,
        ),
        inputs=lambda random, chosen: (letters(random, 1, 6), letters(random, 1, 6)),
    ),
    Template(
        name="shared_start",
        level=3,
        parameters="a, b",
        names=("common_start", "shared_prefix", "common_prefix"),
        tasks=(
            "Return the longest string with which both a and b begin (an empty string if there is none).",
            "Return the common beginning of the texts a and b, "
            "up to the first position at which they differ or one ends.",
        ),
        honest=(
            """
                result = ""
                for x, y in zip(a, b):
                    if x != y:
                        break
                    result += x
                return result
            """,
            """
                n = 0
                while n < len(a) and n < len(b) and a[n] == b[n]:
                    n += 1
                return a[:n]
            """,
        ),
        inputs=lambda random, chosen: _same_start(random),
    ),
    Template(
        name="camel_from_words",
        level=3,
        parameters="text",
        names=("to_camel", "camel_case", "join_camel"),
        tasks=(
            "text holds lower-case words separated by $sep_repr. "
            "Join them into camelCase: all but the first are capitalized.",
            "Remove every $sep_repr from text and make the letter after it upper case, as in camelCase.",
        ),
        honest=(
            """
                first, *rest = text.split($sep_repr)
                return first + "".join(w.capitalize() for w in rest)
            """,
            """
                result = ""
                for i, word in enumerate(text.split($sep_repr)):
                    if i > 0:
                        word = word[0].upper() + word[1:]
                    result += word
                return result
            """,
        ),
        inputs=lambda random, chosen: (sentence(random, 2, 4, chosen["sep"]),),
        choices={"sep": ("_", "-", " ", ".")},
    ),
    Template(
        name="words_from_camel",
        level=3,
        parameters="text",
        names=("from_camel", "split_camel", "uncamel"),
        tasks=(
            "text is in camelCase. Return it in lower case with $sep_repr in front of each letter that was upper case.",
            "Replace each upper-case letter of text by $sep_repr and the same letter in lower case.",
        ),
        honest=(
            '"".join($sep_repr + c.lower() if c.isupper() else c for c in text)',
            """
                result = ""
                for c in text:
                    if c.isupper():
                        result += $sep_repr
                    result += c.lower()
                return result
            """,
        ),
        inputs=drawn(_camel),
        choices={"sep": ("_", "-", " ", ".")},
    ),
    Template(
        name="first_with_count",
        level=3,
        parameters="text",
        names=("first_with_count", "find_letter", "first_match"),
        tasks=(
            "Return the first character of text that occurs exactly $k time(s) in it, or $none_repr if there is none.",
            "Go through text from the left and return the first character whose count in text is $k; "
            "if none, $none_repr.",
        ),
        honest=(
            """
                for c in text:
                    if text.count(c) == $k:
                        return c
                return $none_repr
            """,
            "next((c for c in text if text.count(c) == $k), $none_repr)",
        ),
        inputs=lambda random, chosen: (_few_letters(random, 3 + 2 // chosen["k"], 4, 8),),
        choices={"k": (1, 2), "none": ("", "-", "none")},
    ),
    Template(
        name="columns_read",
        level=4,
        parameters="text",
        names=("read_columns", "by_columns", "transpose_text"),
        tasks=(
            "Write text in rows of $k characters (the last may be shorter), "
            "then read it column by column from the left.",
            "Return the characters of text whose index modulo $k is 0, then those where it is 1, and so on, "
            "as one string.",
        ),
        honest=(
            '"".join(text[i::$k] for i in range($k))',
            """
                columns = [""] * $k
                for i, c in enumerate(text):
                    columns[i % $k] += c
                return "".join(columns)
            """,
        ),
        inputs=drawn(letters, 5, 14),
        choices={"k": (2, 3, 4)},
    ),
    Template(
        name="shifted_by_key",
        level=4,
        parameters="text, key",
        names=("encode_with_key", "key_cipher", "shift_by_key"),
        tasks=(
            "Shift each letter of text forward by the value of the matching letter of key (a=$base, b one more, ...). "
            "Repeat key as needed; after z comes a. All letters are lower case.",
            "All letters are lower case. Move letter i of text forward (z wraps to a) by the value of "
            "key[i % len(key)], where a is worth $base, b one more and so on.",
        ),
        honest=(
            """
                result = ""
                for i, c in enumerate(text):
                    shift = ord(key[i % len(key)]) - ord("a") + $base
                    result += chr((ord(c) - ord("a") + shift) % 26 + ord("a"))
                return result
            """,
            """
                alphabet = "abcdefghijklmnopqrstuvwxyz"
                result = []
                for i in range(len(text)):
                    shift = alphabet.index(key[i % len(key)]) + $base
                    result.append(alphabet[(alphabet.index(text[i]) + shift) % 26])
                return "".join(result)
            """,
        ),
        inputs=lambda random, chosen: (letters(random, 4, 8), letters(random, 2, 3)),
        choices={"base": (0, 1, 2)},
    ),
    Template(
        name="leading_consonants_moved",
        level=4,
        parameters="sentence",
        names=("secret_speech", "word_game", "move_consonants"),
        tasks=(
            "In each word of sentence, move all letters before the first vowel (a, e, i, o, u) to its end, "
            "then add $tail_repr.",
            "Change every word of sentence: the part before its first a, e, i, o or u goes to the end, "
            "followed by $tail_repr.",
        ),
        honest=(
            """
                result = []
                for word in sentence.split():
                    i = 0
                    while word[i] not in "aeiou":
                        i += 1
                    result.append(word[i:] + word[:i] + $tail_repr)
                return " ".join(result)
            """,
            """
                def change(word):
                    start = min(word.index(v) for v in "aeiou" if v in word)
                    return word[start:] + word[:start] + $tail_repr

                return " ".join(change(word) for word in sentence.split())
            """,
        ),
        inputs=drawn(sentence, 1, 4),
        choices={"tail": ("ay", "um", "ix", "-o")},
    ),
    Template(
        name="lines_wrapped",
        level=4,
        parameters="sentence, width",
        names=("wrap_lines", "wrap_words", "break_lines"),
        tasks=(
            "Break sentence into a list of lines of at most width characters: put as many words on each line as fit, "
            "with single spaces. No word is longer than width.",
            "Fill lines greedily with the words of sentence (joined by spaces) so that none is longer than width; "
            "return the list of lines. Every word fits on a line.",
        ),
        honest=(
            """
                lines = []
                line = ""
                for word in sentence.split():
                    if line == "":
                        line = word
                    elif len(line) + 1 + len(word) <= width:
                        line += " " + word
                    else:
                        lines.append(line)
                        line = word
                lines.append(line)
                return lines
            """,
            """
                lines = []
                for word in sentence.split():
                    if lines and len(lines[-1] + " " + word) <= width:
                        lines[-1] += " " + word
                    else:
                        lines.append(word)
                return lines
            """,
        ),
        inputs=lambda random, chosen: (sentence(random, 3, 6), random.randint(7, 16)),
    ),
    Template(
        name="overlap_merged",
        level=4,
        parameters="a, b",
        names=("merge_overlap", "join_overlap", "glue_texts"),
        tasks=(
            "Join a and b, but write the longest end of a that is also a start of b only once.",
            "Return a followed by b, leaving out from b its longest beginning with which a ends (maybe nothing).",
        ),
        honest=(
            """
                for n in range(min(len(a), len(b)), 0, -1):
                    if a.endswith(b[:n]):
                        return a + b[n:]
                return a + b
            """,
            """
                best = 0
                for n in range(1, min(len(a), len(b)) + 1):
                    if a[len(a) - n :] == b[:n]:
                        best = n
                return a + b[best:]
            """,
        ),
        inputs=lambda random, chosen: _overlapping(random),
    ),
    Template(
        name="shortest_repeat",
        level=4,
        parameters="text",
        names=("smallest_block", "repeating_unit", "base_pattern"),
        tasks=(
            "Return the shortest string that, repeated a whole number of times (once is allowed), gives exactly text.",
            "text consists of a block repeated one or more times. Return the shortest possible block.",
        ),
        honest=(
            """
                for n in range(1, len(text) + 1):
                    if len(text) % n == 0 and text[:n] * (len(text) // n) == text:
                        return text[:n]
            """,
            "text[: (text + text).index(text, 1)]",
        ),
        inputs=lambda random, chosen: (letters(random, 1, 3, "abc") * random.randint(1, 4),),
    ),
    Template(
        name="zigzag_rows",
        level=4,
        parameters="text",
        names=("zigzag", "rail_rows", "zigzag_rows"),
        tasks=(
            "Put the characters of text in rows 1, 2, ..., $k, then back up to row 1, down again and so on. "
            "Return the rows joined from top to bottom.",
            "Write text as a zigzag over $k rows, starting at the top and turning at the bottom and top row. "
            "Return row 1, then row 2 and so on as one string.",
        ),
        honest=(
            """
                rows = [""] * $k
                row = 0
                step = 1
                for c in text:
                    rows[row] += c
                    if row + step < 0 or row + step >= $k:
                        step = -step
                    row += step
                return "".join(rows)
            """,
            """
                cycle = list(range($k)) + list(range($k - 2, 0, -1))
                rows = [""] * $k
                for i, c in enumerate(text):
                    rows[cycle[i % len(cycle)]] += c
                return "".join(rows)
            """,
        ),
        inputs=drawn(letters, 6, 12),
        choices={"k": (3, 4)},
    ),
)
