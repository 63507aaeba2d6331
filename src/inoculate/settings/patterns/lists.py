"""Family `lists`: items with separators between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from inoculate.settings.patterns.language import Kind, Language
from inoculate.settings.patterns.parts import (
    BIT,
    DIGIT,
    HEX,
    LOWER,
    MIXED,
    UPPER,
    Maker,
    Part,
    between,
    bracketed,
    either,
    escaped,
    exactly,
    fixed,
    joined,
    one,
    one_of,
    run,
)


@dataclass(frozen=True)
class _Count:
    """How many items a list has."""

    words: str
    rest: str
    """The quantifier of what follows the first item."""
    least: int
    most: int


def _any(random: Random) -> _Count:
    return _Count("one or more items", "*", 1, 5)


def _two_or_more(random: Random) -> _Count:
    return _Count("at least two items", "+", 2, 5)


def _exact(random: Random) -> _Count:
    count = random.randint(3, 4)
    return _Count(f"exactly {count} items", f"{{{count - 1}}}", count, count)


def _low_to_high(random: Random) -> _Count:
    low, high = random.choice(((1, 3), (2, 4), (2, 3), (1, 4)))
    return _Count(f"{low} to {high} items", f"{{{low - 1},{high - 1}}}", low, high)


_SEPARATORS = {
    ",": "a comma", ";": "a semicolon", "|": "a vertical bar", "&": "an ampersand", "/": "a slash", ":": "a colon",
    "+": "a plus sign", " ": "a single space", "..": "two dots", ", ": "a comma and a space", "->": "an arrow '->'",
}  # fmt: skip


def _list(item: Part, count: _Count, separator: str, ends: tuple[str, str], more: str) -> Part:
    """A list as a part.

    Args:
        item: What its items are.
        count: How many there are.
        separator: The text between two items.
        ends: The texts before the first and after the last item.
        more: 'trailing' where a separator may follow the last item, 'empty' where there may be no item, or ''.
    """
    words = f"{count.words}, each of which is {bracketed(item.words)}, with {_SEPARATORS[separator]} between two items"
    if ends[0]:
        words = f"{ends[0]!r}, then {words}, then {ends[1]!r}"
    patterns = []
    for written in item.patterns:
        pattern = f"{written}(?:{escaped(separator)}{written}){count.rest}"
        if more == "trailing":
            pattern += f"(?:{escaped(separator)})?"
        if more == "empty":
            pattern = f"(?:{pattern})?"
        patterns.append(escaped(ends[0]) + pattern + escaped(ends[1]))
    if more:
        words += {
            "trailing": "; one more separator may follow the last item",
            "empty": "; there may also be no item at all between the two ends",
        }[more]

    def draw(random: Random) -> str:
        items = [item.draw(random) for _ in range(random.randint(count.least, count.most))]
        if more == "empty" and random.random() < 0.15:
            items = []
        tail = separator if more == "trailing" and random.random() < 0.4 else ""
        return ends[0] + separator.join(items) + tail + ends[1]

    return Part(words, (patterns[0], patterns[1]), draw)


def _kind(
    name: str,
    level: int,
    item: tuple[Maker, ...],
    count: Callable[[Random], _Count] = _any,
    separators: str | tuple[str, ...] = ",;|/",
    ends: tuple[tuple[str, str], ...] = (("", ""),),
    more: str = "",
    before: tuple[Maker, ...] = (),
) -> Kind:
    def make(random: Random) -> Language:
        chosen = random.choice(separators)
        listed = _list(joined([maker(random) for maker in item]), count(random), chosen, random.choice(ends), more)
        whole = joined([*(maker(random) for maker in before), listed]) if before else listed
        first, second = whole.patterns

        def near(random: Random) -> str:
            """Separators that are doubled, missing, left over at an end, or others."""
            text = whole.draw(random)
            other = random.choice([mark for mark in _SEPARATORS if mark not in chosen and chosen not in mark])
            places = [at for at in range(len(text)) if text.startswith(chosen, at)]
            changes = [chosen + text, text + chosen]
            if places and random.random() < 0.4:
                cut = random.choice(places)
                return random.choice((text[:cut], text[cut + len(chosen) :], text + text[cut:]))
            if places:
                at = random.choice(places)
                head, tail = text[:at], text[at + len(chosen) :]
                changes += [head + other + tail, head + tail, head + chosen * 2 + tail]
            return random.choice(changes)

        opening = random.choice(("The string is", "Strings made of", "The whole string is"))
        return Language(f"{opening} {whole.words}.", (f"^{first}$", f"^{second}$", first), whole.draw, near)

    return Kind(name, "lists", level, make)


_BRACKETS = (("[", "]"), ("(", ")"), ("{", "}"), ("<", ">"))

KINDS = (
    _kind("numbers_in_a_row", 2, (run(DIGIT, 3),)),
    _kind("words_in_a_row", 2, (run(LOWER, 5),)),
    _kind("three_or_four_codes", 2, (exactly(UPPER, 2, 3),), _exact),
    _kind("path", 2, (run(MIXED, 4),), _two_or_more, "/"),
    _kind("spaced_numbers", 2, (exactly(DIGIT, 2, 3),), _any, (" ", ", ")),
    _kind("bits_in_a_row", 2, (exactly(BIT, 2, 4),), _two_or_more),
    _kind("spaced_words", 2, (run(LOWER, 4),), _exact, (" ",)),
    _kind("letters_joined", 2, (one(UPPER),), _two_or_more, ("+", "->")),
    _kind("few_numbers", 3, (run(DIGIT, 2),), _low_to_high),
    _kind("bracketed_numbers", 3, (run(DIGIT, 2),), _any, ",;", _BRACKETS),
    _kind("settings", 3, (run(LOWER, 3), fixed("="), run(DIGIT, 2)), _any, "&;,"),
    _kind("trailing_separator", 3, (run(LOWER, 3),), _any, ",;", more="trailing"),
    _kind("counted_items", 3, (one(DIGIT), fixed("x"), run(LOWER, 3)), _two_or_more, ",+"),
    _kind("named_list", 3, (run(DIGIT, 3),), _any, ",;", before=(fixed("ids", "nums", "rows"), fixed(":"))),
    _kind("choices_in_a_row", 3, (one_of("up", "down", "left", "right", "stop", "go"),), _two_or_more, (",", "->")),
    _kind("bracketed_words", 3, (run(LOWER, 4),), _two_or_more, (", ", ";"), _BRACKETS),
    _kind("spans", 3, (run(DIGIT, 2), fixed("-"), run(DIGIT, 2)), _any, ",;"),
    _kind("empty_or_not", 4, (run(DIGIT, 2),), _any, ",;", _BRACKETS, "empty"),
    _kind("few_bracketed", 4, (exactly(HEX, 2, 2),), _low_to_high, (",", ", "), _BRACKETS),
    _kind("two_sorts", 4, (either((run(DIGIT, 3),), (exactly(UPPER, 2, 2),)),), _any),
    _kind("few_settings", 4, (run(LOWER, 2), fixed(":"), one_of("on", "off", "auto")), _low_to_high, (",", ", ")),
    _kind("headed_list", 4, (between(DIGIT, 1, 2),), _two_or_more, ",|", more="trailing",
          before=(exactly(UPPER, 2, 3), fixed("=", ":"))),
    _kind("pairs", 4, (fixed("("), one(DIGIT), fixed(","), one(DIGIT), fixed(")")), _low_to_high, (";", " ")),
    _kind("optional_counts", 4, (one(UPPER), either((run(DIGIT, 2),), (fixed("?", "*"),))), _any, ("+", ",")),
)  # fmt: skip
