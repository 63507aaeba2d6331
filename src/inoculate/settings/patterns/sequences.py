"""Family `sequences`: one part after the other."""

from __future__ import annotations

from random import Random

from inoculate.settings.patterns.language import Kind, Language
from inoculate.settings.patterns.parts import (
    BIT,
    CAPITAL,
    DIGIT,
    HEX,
    LETTER,
    LOWER,
    MIXED,
    UPPER,
    VOWEL,
    Maker,
    at_least,
    between,
    either,
    exactly,
    fixed,
    joined,
    one,
    one_of,
    optional,
    repeated,
    run,
)

_LABEL = fixed("ID", "REF", "no", "item", "T", "room", "key", "PO")
_MARK = fixed("-", ":", "_", "/", "#")
_DASH = fixed("-", "_")
_UNIT = fixed("kg", "cm", "ms", "px", "mph", "mm")
_ENDING = fixed(".txt", ".csv", ".py", ".md", ".log")
_NAMES = one_of("red", "blue", "green", "north", "south", "east", "low", "high", "cat", "dog", "bird")

_LEVELS: dict[int, dict[str, tuple[Maker, ...]]] = {
    1: {
        "digits": (exactly(DIGIT, 3, 7),),
        "lowercase_word": (run(LOWER, 9),),
        "capitals": (exactly(UPPER, 2, 6),),
        "digit_run": (run(DIGIT, 8),),
        "capital_run": (run(UPPER, 8),),
        "lowercase_letters": (exactly(LOWER, 3, 7),),
        "letters": (at_least(LETTER),),
        "bits": (exactly(BIT, 8, 12),),
        "vowels": (exactly(VOWEL, 3, 6),),
        "label_digits": (_LABEL, exactly(DIGIT)),
        "label_number": (_LABEL, run(DIGIT)),
        "digits_unit": (run(DIGIT), _UNIT),
        "letter_digits": (one(UPPER), exactly(DIGIT, 2, 4)),
        "word_digit": (run(LOWER), one(DIGIT)),
    },
    2: {
        "hash_hex": (fixed("#", "0x", "h"), exactly(HEX, 3, 6)),
        "plate": (exactly(UPPER, 2, 3), fixed("-", " "), exactly(DIGIT, 2, 4)),
        "digits_mark_digits": (exactly(DIGIT, 1, 3), _MARK, exactly(DIGIT, 2, 4)),
        "address": (run(LOWER), fixed("@"), run(LOWER)),
        "file_name": (run(MIXED), _ENDING),
        "label_mark_digits": (_LABEL, _DASH, between(DIGIT)),
        "three_numbers": (exactly(DIGIT, 2, 4), fixed("/"), exactly(DIGIT, 1, 2), fixed("/"), exactly(DIGIT, 1, 2)),
        "two_part_version": (fixed("v", "r", "release"), run(DIGIT, 2), fixed("."), run(DIGIT, 2)),
        "word_then_digits": (at_least(LOWER), exactly(DIGIT, 2, 4)),
        "hex_pairs": (exactly(HEX, 2, 2), fixed(":"), exactly(HEX, 2, 2), fixed(":"), exactly(HEX, 2, 2)),
        "capitals_then_word": (one(UPPER), run(LOWER)),
        "name_number": (_NAMES, _DASH, run(DIGIT, 4)),
        "range_of_bits": (between(BIT, 2, 4), fixed("..", "~"), between(BIT, 2, 4)),
    },
    3: {
        "signed_decimal": (optional(fixed("-", "+")), run(DIGIT, 4), fixed("."), exactly(DIGIT, 1, 3)),
        "phone": (
            fixed("("), exactly(DIGIT, 3, 3), fixed(") ", ")"), exactly(DIGIT, 3, 4), fixed("-"), exactly(DIGIT, 2, 4),
        ),
        "site": (optional(fixed("www.", "ftp.")), run(MIXED, 7), fixed("."), exactly(LOWER, 2, 3)),
        "clock": (exactly(DIGIT, 2, 2), fixed(":"), exactly(DIGIT, 2, 2), optional(fixed(":"), exactly(DIGIT, 2, 2))),
        "part_number": (exactly(UPPER, 2, 3), exactly(DIGIT, 2, 4), optional(fixed("-"), one(LOWER))),
        "either_code": (either((exactly(UPPER, 2, 3),), (exactly(DIGIT, 2, 4),)), _MARK, run(LOWER, 5)),
        "tag": (fixed("<"), run(LOWER, 6), optional(fixed("/")), fixed(">")),
        "tail_number": (_NAMES, optional(_DASH), between(DIGIT), optional(fixed("x", "b", "!"))),
        "serial": (between(CAPITAL, 3, 4), _MARK, exactly(HEX, 2, 3), _MARK, one(UPPER)),
        "measure": (
            run(DIGIT, 3), optional(fixed("."), run(DIGIT, 2)), fixed(" ", "_"), one_of("kg", "g", "lb", "oz", "t"),
        ),
    },
    4: {
        "two_plates": (
            either(
                (exactly(UPPER, 2, 3), fixed("-"), exactly(DIGIT, 2, 4)),
                (exactly(DIGIT, 2, 4), fixed("-"), exactly(UPPER, 2, 3)),
            ),
        ),
        "groups": (repeated(one(UPPER), between(DIGIT, 1, 2)),),
        "marked_groups": (run(LOWER, 4), repeated(fixed("-", "."), exactly(DIGIT, 2, 3))),
        "optional_tail": (exactly(UPPER, 2, 3), optional(_MARK, run(DIGIT, 3), optional(fixed("."), one(LOWER)))),
        "either_value": (
            run(LOWER, 4), fixed("="), either((fixed("<"), run(MIXED, 5), fixed(">")), (run(DIGIT, 5),)),
        ),
        "stamp": (
            exactly(DIGIT, 4, 4), fixed("-"), exactly(DIGIT, 2, 2),
            optional(fixed("T"), exactly(DIGIT, 2, 2), optional(fixed(":"), exactly(DIGIT, 2, 2))),
        ),
        "choice_in_groups": (repeated(either((one(VOWEL),), (exactly(DIGIT, 2, 2),)), fixed(";", "/")),),
        "long_code": (
            optional(_NAMES, fixed(":")), between(UPPER, 1, 2),
            either((exactly(DIGIT, 3, 4),), (fixed("X", "Z"), exactly(BIT, 2, 4))),
        ),
    },
}  # fmt: skip


def _sentence(words: str, parts: int, random: Random) -> str:
    if parts == 1:
        return random.choice(
            (f"Strings made of {words} and nothing else.", f"The whole string is {words}.", f"Strings of {words}.")
        )
    return random.choice(
        (
            f"The string is {words}.",
            f"In this order, with nothing before, between or after: {words}.",
            f"Strings made of {words}.",
        )
    )


def _kind(name: str, level: int, makers: tuple[Maker, ...]) -> Kind:
    def make(random: Random) -> Language:
        parts = [maker(random) for maker in makers]
        whole = joined(parts)
        first, second = whole.patterns
        return Language(_sentence(whole.words, len(parts), random), (f"^{first}$", first, f"^{second}$"), whole.draw)

    return Kind(name, "sequences", level, make)


KINDS = tuple(_kind(name, level, makers) for level, kinds in _LEVELS.items() for name, makers in kinds.items())
