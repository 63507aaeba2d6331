"""Strings at the edges of a language, made piece by piece of its pattern.

A piece is a character or a class that stands in the pattern. For each there are members that have its first and its
last character there, members in which it comes more often than usual, and strings that are wrong in it alone. Strings
drawn at random have these for some pieces only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from string import ascii_letters, digits

from inoculate.settings.patterns import mistakes

LONGEST = 40
"""Characters of a string that is made by repeating pieces."""
_ALL = digits + ascii_letters
_WRONG = "_^-7x~"
"""In this order: an underscore is what `\\w` takes for a letter, and a caret what `[A-z]` does."""
_PACKED, _CHANGED, _MORE = 24, 3, 3


class Pieces:
    """The pieces of a pattern, and where a member has them."""

    def __init__(self, pattern: str) -> None:
        """Name the pieces of a pattern."""
        self._pattern = re.compile("".join(_with_names(mistakes.tokens(pattern))))

    def places(self, text: str) -> dict[str, int]:
        """The place in a member that each of its pieces of one character took last."""
        found = self._pattern.fullmatch(text)
        assert found, text
        spans = {piece: found.span(piece) for piece in self._pattern.groupindex if piece.startswith("piece")}
        return {piece: start for piece, (start, end) in spans.items() if end - start == 1}

    def takes(self, piece: str, text: str, at: int) -> bool:
        """Whether a text is a member, with a piece at this place."""
        found = self._pattern.fullmatch(text)
        return found is not None and found.start(piece) == at

    def holds(self, text: str) -> bool:
        """Whether a text is a member."""
        return self._pattern.fullmatch(text) is not None


def _with_names(tokens: Sequence[str]) -> Iterator[str]:
    """A pattern in which each piece is a group with a name, and each group that has a number too."""
    groups = 0
    for place, token in enumerate(tokens):
        if token == "(":
            groups += 1
            yield f"(?P<group{groups}>"
        elif re.fullmatch(r"\\\d", token):
            yield f"(?P=group{token[1]})"
        elif token[0] == "[" or (re.fullmatch(r"\\?[^\\]", token) and token not in "^$|)*+?"):
            yield f"(?P<piece{place}>{token})"
        else:
            yield token


def inside(pieces: Pieces, members: Sequence[str], random: Random) -> dict[str, set[str]]:
    """Members, drawn ones and some at edges, each with what it shows."""
    members = [*members, *_rare(pieces, members, random)]
    ends = _ends(pieces, members)
    found = {text: _shown(pieces, text, ends) for text in members}
    ordered = sorted(members, key=len)
    found[ordered[0]].add("the shortest")
    found[ordered[-1]].add("the longest")
    for text in random.choices(members, k=_PACKED):
        packed = text
        for piece, at in pieces.places(text).items():
            changed = (packed[:at] + end + packed[at + 1 :] for end in random.sample(ends[piece], len(ends[piece])))
            packed = next((other for other in changed if pieces.takes(piece, other, at)), packed)
        found.setdefault(packed, set()).update(_shown(pieces, packed, ends))
        often = {f"{piece} often" for piece in _repeated(pieces, text)}
        found.setdefault(_stretched(pieces, text), set()).update(often)
    return found


def _rare(pieces: Pieces, members: Sequence[str], random: Random) -> Iterator[str]:
    """Members with one character changed that have a piece which none of those drawn has."""
    seen = {piece for text in members for piece in pieces.places(text)}
    for text in random.sample(members, min(len(members), _CHANGED)):
        for at in range(len(text)):
            for other in _ALL:
                changed = text[:at] + other + text[at + 1 :]
                new = {*pieces.places(changed)} - seen if pieces.holds(changed) else set()
                if new:
                    seen |= new
                    yield changed


def _shown(pieces: Pieces, text: str, ends: Mapping[str, Sequence[str]]) -> set[str]:
    return {f"{piece} {text[at]}" for piece, at in pieces.places(text).items() if text[at] in ends.get(piece, ())}


def _ends(pieces: Pieces, members: Sequence[str]) -> dict[str, list[str]]:
    """For each piece the characters that it takes, and of whose neighbours it does not take both."""
    found: dict[str, list[str]] = {}
    for text in members:
        for piece, at in pieces.places(text).items():
            if piece not in found:
                taken = {one for one in _ALL if pieces.takes(piece, text[:at] + one + text[at + 1 :], at)}
                found[piece] = sorted(one for one in taken if not {chr(ord(one) - 1), chr(ord(one) + 1)} <= taken)
    return found


def _repeated(pieces: Pieces, text: str) -> Iterator[str]:
    """The pieces that can come more often where they are."""
    for piece, at in pieces.places(text).items():
        if pieces.holds(text[:at] + text[at] * _MORE + text[at:]):
            yield piece


def _stretched(pieces: Pieces, text: str) -> str:
    """A member with every piece in it as often as it can be, or some times more."""
    for at in sorted(pieces.places(text).values(), reverse=True):
        longer = text[:at] + text[at] * _MORE + text[at:]
        if len(longer) <= LONGEST and pieces.holds(longer):
            text = longer
    return text


def outside(pieces: Pieces, members: Sequence[str]) -> dict[str, set[str]]:
    """Strings that are wrong in one piece, with something before or after them, or empty; each with what it shows."""
    found: dict[str, set[str]] = {"": {"nothing"}}
    for other in _WRONG:
        found.setdefault(members[0] + other, set()).add(f"{other} after")
        found.setdefault(other + members[-1], set()).add(f"{other} before")
    done = set[str]()
    ends = _ends(pieces, members)
    for text in members:
        for piece, at in pieces.places(text).items():
            for how, texts in _changes(text, at, ends[piece]).items():
                changed = next((other for other in texts if not pieces.holds(other)), None)
                if changed and f"{piece} {how}" not in done and len(changed) <= LONGEST:
                    found.setdefault(changed, set()).add(f"{piece} {how}")
                    done.add(f"{piece} {how}")
    return {text: shown for text, shown in found.items() if not pieces.holds(text)}


def _changes(text: str, at: int, ends: Sequence[str]) -> dict[str, list[str]]:
    """Ways to be wrong at a place, each with the texts to try: the first that is no member is taken."""
    before, after = text[:at], text[at + 1 :]
    beside = {f"{end}{step:+}": chr(ord(end) + step) for end in ends for step in (-1, 1)}
    return {
        "other": [before + other + after for other in _WRONG],
        "more": [before + other + text[at:] for other in _WRONG],
        "none": [before + after],
        "again": [text + text[at:]],
        "end": [before],
        **{f"beside {how}": [before + other + after] for how, other in beside.items()},
    }
