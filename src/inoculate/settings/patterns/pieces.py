"""Strings at the edges of a language, made from the pieces of its pattern.

A piece is a character or a character class in the pattern. For each piece there are members with its first and its last
character there, members that repeat it more often than usual, and strings that are wrong at this piece alone. Strings
drawn at random have these for some pieces only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from string import ascii_letters, digits

from inoculate.settings.patterns import mutants

LONGEST = 40
"""Characters of a string that repeats pieces."""
_ALL = digits + ascii_letters
_WRONG = "_^-7x~"
"""Wrong characters, in the order in which they are tried: `\\w` also matches an underscore, `[A-z]` also a caret."""
_PACKED, _CHANGED, _REPEATS = 24, 3, 3


class Pieces:
    """The pieces of a pattern, and where they match in a member."""

    def __init__(self, pattern: str) -> None:
        """Make each piece of a pattern a named group."""
        self._pattern = re.compile("".join(_named_groups(mutants.tokens(pattern))))

    def places(self, text: str) -> dict[str, int]:
        """Where in a member each piece matched last, for pieces that matched one character."""
        match = self._pattern.fullmatch(text)
        assert match, text
        spans = {piece: match.span(piece) for piece in self._pattern.groupindex if piece.startswith("piece")}
        return {piece: start for piece, (start, end) in spans.items() if end - start == 1}

    def takes(self, piece: str, text: str, at: int) -> bool:
        """Whether a text is a member in which a piece matches at this index."""
        match = self._pattern.fullmatch(text)
        return match is not None and match.start(piece) == at

    def holds(self, text: str) -> bool:
        """Whether a text is a member."""
        return self._pattern.fullmatch(text) is not None


def _named_groups(tokens: Sequence[str]) -> Iterator[str]:
    """A pattern in which each piece is a named group, and each numbered group too."""
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
    """Members, drawn ones and edge cases, each with its features."""
    members = [*members, *_with_rare_pieces(pieces, members, random)]
    ends = _edge_characters(pieces, members)
    features = {text: _edge_features(pieces, text, ends) for text in members}
    ordered = sorted(members, key=len)
    features[ordered[0]].add("the shortest")
    features[ordered[-1]].add("the longest")
    for text in random.choices(members, k=_PACKED):
        packed = text
        for piece, at in pieces.places(text).items():
            changed = (packed[:at] + end + packed[at + 1 :] for end in random.sample(ends[piece], len(ends[piece])))
            packed = next((other for other in changed if pieces.takes(piece, other, at)), packed)
        features.setdefault(packed, set()).update(_edge_features(pieces, packed, ends))
        often = {f"{piece} often" for piece in _repeatable(pieces, text)}
        features.setdefault(_with_repeats(pieces, text), set()).update(often)
    return features


def _with_rare_pieces(pieces: Pieces, members: Sequence[str], random: Random) -> Iterator[str]:
    """Members with one character changed, in which a piece matches that none of the drawn members has."""
    seen = {piece for text in members for piece in pieces.places(text)}
    for text in random.sample(members, min(len(members), _CHANGED)):
        for at in range(len(text)):
            for other in _ALL:
                changed = text[:at] + other + text[at + 1 :]
                new = {*pieces.places(changed)} - seen if pieces.holds(changed) else set()
                if new:
                    seen |= new
                    yield changed


def _edge_features(pieces: Pieces, text: str, ends: Mapping[str, Sequence[str]]) -> set[str]:
    return {f"{piece} {text[at]}" for piece, at in pieces.places(text).items() if text[at] in ends.get(piece, ())}


def _edge_characters(pieces: Pieces, members: Sequence[str]) -> dict[str, list[str]]:
    """For each piece its first and last characters: it matches them, and not both of their neighbours."""
    ends: dict[str, list[str]] = {}
    for text in members:
        for piece, at in pieces.places(text).items():
            if piece not in ends:
                taken = {char for char in _ALL if pieces.takes(piece, text[:at] + char + text[at + 1 :], at)}
                ends[piece] = sorted(char for char in taken if not {chr(ord(char) - 1), chr(ord(char) + 1)} <= taken)
    return ends


def _repeatable(pieces: Pieces, text: str) -> Iterator[str]:
    """The pieces that can be repeated where they match."""
    for piece, at in pieces.places(text).items():
        if pieces.holds(text[:at] + text[at] * _REPEATS + text[at:]):
            yield piece


def _with_repeats(pieces: Pieces, text: str) -> str:
    """A member with every piece repeated that can be."""
    for at in sorted(pieces.places(text).values(), reverse=True):
        longer = text[:at] + text[at] * _REPEATS + text[at:]
        if len(longer) <= LONGEST and pieces.holds(longer):
            text = longer
    return text


def outside(pieces: Pieces, members: Sequence[str]) -> dict[str, set[str]]:
    """Strings that are wrong in one piece, or before or after all pieces, or empty; each with its features."""
    features: dict[str, set[str]] = {"": {"nothing"}}
    for other in _WRONG:
        features.setdefault(members[0] + other, set()).add(f"{other} after")
        features.setdefault(other + members[-1], set()).add(f"{other} before")
    covered = set[str]()
    ends = _edge_characters(pieces, members)
    for text in members:
        for piece, at in pieces.places(text).items():
            for variant, texts in _wrong_variants(text, at, ends[piece]).items():
                changed = next((other for other in texts if not pieces.holds(other)), None)
                if changed and f"{piece} {variant}" not in covered and len(changed) <= LONGEST:
                    features.setdefault(changed, set()).add(f"{piece} {variant}")
                    covered.add(f"{piece} {variant}")
    return {text: names for text, names in features.items() if not pieces.holds(text)}


def _wrong_variants(text: str, at: int, ends: Sequence[str]) -> dict[str, list[str]]:
    """Ways to be wrong at an index, each with the strings to try: the first that is not a member is taken."""
    before, after = text[:at], text[at + 1 :]
    beside = {f"{end}{step:+}": chr(ord(end) + step) for end in ends for step in (-1, 1)}
    return {
        "other": [before + other + after for other in _WRONG],
        "more": [before + other + text[at:] for other in _WRONG],
        "none": [before + after],
        "again": [text + text[at:]],
        "end": [before],
        **{f"beside {variant}": [before + other + after] for variant, other in beside.items()},
    }
