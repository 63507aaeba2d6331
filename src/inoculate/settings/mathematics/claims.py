"""Which numbers a piece of text puts forward as the answer.

A piece without an equation puts forward all of its numbers. In equations (`=`, `is`, `makes`, ...) it is the value on
the right; where the left side is a number as well, both. What comes before the last equation is working if its left
side is a calculation, and an answer of its own if it is a name. 'So' and 'therefore' take back what came before them.
Not put forward is what is denied ('not 35'), a bound ('at least 35'), a reason ('because ...') and, in brackets or a
later sentence, whatever does not itself say what something is. A calculation that is not carried out is no number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from inoculate.settings.mathematics.phrases import Aside, Element, Link, Phrase, Word, elements
from inoculate.settings.mathematics.tokens import tokens

Claims = list[Phrase]
"""What is put forward; a phrase without a value is one that cannot be read."""

_LONGEST, _DEEPEST = 2_000, 6
_SO = {"so", "therefore", "thus", "hence", "then", "giving", "leaving", "finally"}
_REASONS = {"because", "since", "as", "check", "checking"}
_DENIALS = {"not", "never", "neither", "nor", "than", "without", "unlike", "\u2260"}
_OPINIONS = {"think", "believe", "suppose", "say", "mean", "claim"}
_BOUNDS = {"least", "most", "over", "under", "above", "below", "between", "exceeds", "<", ">"}
_MORE = {"more", "less", "fewer", "greater", "higher", "above", "over", "lower", "larger"}
_SECOND_THOUGHTS = {
    "wait", "no", "actually", "or", "sorry", "correction", "hmm", "rather", "instead", "maybe", "perhaps",
    "alternatively", "could", "might", "may", "oops", "mistake", "answer", "possibly",
}  # fmt: skip
_NO_SUM = {"of", "for", "with", "each", "per", "from", "in", "out", "to", "by"}


def stated(text: str, marked: bool) -> Claims:
    """The numbers that a piece of text puts forward.

    Args:
        text: The piece, after `tokens.clean`.
        marked: Whether it is announced as the answer, so that what it begins with is meant.
    """
    return [Phrase(None)] if _is_too_much(text) else _stated(elements(tokens(text, marked)), marked)


def added(text: str) -> Claims:
    """The numbers that a sentence behind the answer puts forward beside it."""
    return [] if _is_too_much(text) else _added(elements(tokens(text, False)))


def has_second_thoughts(text: str) -> bool:
    """Whether a sentence begins like one that takes an answer back: 'Wait, ...', 'Actually ...'."""
    first = next((token.text.lower() for token in tokens(text[:40], False)), "")
    return first in ("wait", "no", "actually", "sorry", "correction", "hmm", "oops", "alternatively")


def _is_too_much(text: str) -> bool:
    """Whether a piece is longer, or has brackets deeper in each other, than any that states a number."""
    depth = deepest = 0
    for sign in text[:_LONGEST]:
        depth += (sign in "([{") - (sign in ")]}")
        deepest = max(deepest, depth)
    return len(text) > _LONGEST or deepest > _DEEPEST


def _stated(found: Sequence[Element], marked: bool) -> Claims:
    found, reasons = _without_reasons(list(found))
    live = _live(found)
    main = [element for element in live if not isinstance(element, Aside)]
    claims = _equations(main, marked)
    asides = [element.inside for element in live if isinstance(element, Aside)]
    if not claims:
        return [claim for inside in asides for claim in _in_brackets(inside, marked)]
    units = {claim.unit for claim in claims}
    beside = [claim for inside in (*asides, reasons) for claim in _added(inside)]
    return claims + [claim for claim in beside if not claim.unit or "" in units or claim.unit in units]


def _in_brackets(inside: Sequence[Element], marked: bool) -> Claims:
    """What brackets put forward where nothing stands outside of them; a list in brackets is no number."""
    phrases = [element for element in inside if isinstance(element, Phrase)]
    return [Phrase(None)] if len(phrases) > 1 and Word(",") in inside else _stated(inside, marked)


def _added(found: Sequence[Element]) -> Claims:
    live = [element for element in _live(found) if not isinstance(element, Aside)]
    words = [element.text for element in live if isinstance(element, Word)]
    phrases = [element for element in live if isinstance(element, Phrase)]
    if _SECOND_THOUGHTS & set(words):
        return _readable(_equations(live, True))
    if any(isinstance(element, Link) for element in live):
        return _readable(_equations(live, False, aside=True))
    names = [word for word in words if word[0].isalpha()]
    alone = len(phrases) == 1 and len(names) <= 2 and not _NO_SUM & set(names)
    return _readable(phrases) if alone else []


def _readable(claims: Sequence[Phrase]) -> Claims:
    return [claim for claim in claims if claim.value]


def _without_reasons(found: list[Element]) -> tuple[list[Element], list[Element]]:
    """What is said, and the reason given for it; a reason that comes first is left out up to its comma."""
    at = next((n for n, one in enumerate(found) if isinstance(one, Word) and one.text in _REASONS), None)
    if at is None:
        return found, []
    if at == 0:
        comma = next((n for n, one in enumerate(found) if one == Word(",")), None)
        return (found, []) if comma is None else (found[comma + 1 :], [])
    return found[:at], found[at + 1 :]


def _live(found: Sequence[Element]) -> list[Element]:
    """Without the numbers that are denied, and those that only bound another."""
    result: list[Element] = []
    denied = False
    for at, element in enumerate(found):
        if isinstance(element, Phrase):
            joined = denied and _words_before(found, at)[:1] in (["or"], ["nor"], ["and"])
            denied = joined or _is_denied(found, at)
            if denied:
                result.append(Word("something"))
                continue
        elif isinstance(element, Word) and element.text in ("but", ",", "."):
            denied = False
        result.append(element)
    return result


def _words_before(found: Sequence[Element], at: int) -> list[str]:
    """The words just before a place, nearest first, up to what parts the sentence."""
    words: list[str] = []
    for element in reversed(found[max(0, at - 5) : at]):
        if not isinstance(element, Word) or element.text in (",", ";", ".", "but", ":", "-", "\u2013", "!", "?"):
            break
        words.append(element.text)
    return words


def _is_denied(found: Sequence[Element], at: int) -> bool:
    before = _words_before(found, at)
    if at and isinstance(found[at - 1], Link):  # 'I do not think that it is 35'
        before = _words_before(found, at - 1)
        before = before if _OPINIONS & set(before) else []
    denials = [n for n, word in enumerate(before) if word in _DENIALS or word.endswith("n't")]
    if denials and not (denials[0] and before[denials[0] - 1] in ("only", "just", "merely", "sure", "certain")):
        return True
    if set(before[:1]) & _BOUNDS or before[:2] == ["to", "up"] or before[:2] == ["of", "instead"]:
        return True
    after = [element.text if isinstance(element, Word) else "" for element in found[at + 1 : at + 5]]
    if set(after[:1]) & {"<", ">"} or (after[:1] == ["or"] and set(after[1:2]) & _MORE):
        return True
    is_not = set(after[1:2]) & {"not", "wrong", "incorrect", "false"} and after[0] in ("is", "was", "are")
    return bool(is_not) or (bool(after) and after[0] in ("isn't", "wasn't", "aren't"))


def _equations(found: Sequence[Element], marked: bool, aside: bool = False) -> Claims:
    """The claims of a piece, from its equations where it has some; in an aside, calculations are working."""
    first, segments = _cut(found)
    if not segments:
        return _listed(first)
    head, left = _clause(first)
    claims: Claims = _listed(head) if marked and not _says_so(left) and any(_phrases(head)) else []
    named, sides = not _phrases(left), _alone(left, segments[0])
    for number, (link, segment) in enumerate(segments, 1):
        value, rest = _value_of(segment)
        if value:
            sides = [*sides, replace(value, approximate=link.approximate or value.approximate)]
        if number == len(segments):
            claims += _sides(sides) if named or not aside else []
            claims += _listed(rest) if _phrases(rest) else []
        elif len(rest) > 1 or _phrases(rest) or any(isinstance(one, Word) and one.parts for one in rest):
            claims += _sides(sides) if named or _readable(sides[:-1]) else []
            _, left = _clause(rest)
            claims = [] if _says_so(rest) else claims
            named, sides = not _phrases(left), _alone(left, segments[number])
    return claims


def _cut(found: Sequence[Element]) -> tuple[list[Element], list[tuple[Link, list[Element]]]]:
    """The elements before the first link, and each link with those behind it."""
    first: list[Element] = []
    segments: list[tuple[Link, list[Element]]] = []
    for element in found:
        if isinstance(element, Link):
            segments.append((element, []))
        else:
            (segments[-1][1] if segments else first).append(element)
    return first, segments


def _phrases(found: Sequence[Element]) -> list[Phrase]:
    return [element for element in found if isinstance(element, Phrase)]


def _clause(found: list[Element]) -> tuple[list[Element], list[Element]]:
    """What stands before the clause that leads up to an equation, and that clause."""
    for at in range(len(found) - 1, -1, -1):
        element = found[at]
        if isinstance(element, Phrase):
            break
        if isinstance(element, Word) and element.parts:
            return found[:at], found[at + 1 :]
    return [], found


def _alone(left: list[Element], equation: tuple[Link, list[Element]]) -> list[Phrase]:
    """The left side of an equation if it is a phrase; with a unit only if the right side has the same or none.

    In '7 weeks are 49 days' and '7 weeks = 49 days' it only says what is converted.
    """
    link, segment = equation
    if not left or not isinstance(left[0], Phrase) or len(left) > 2 - link.is_word or len(_phrases(left)) > 1:
        return []
    value, _ = _value_of(segment)
    converts = value and value.unit and left[0].unit and value.unit != left[0].unit
    return [] if converts else [left[0]]


def _says_so(found: Sequence[Element]) -> bool:
    return any(isinstance(element, Word) and element.text in _SO for element in found)


def _value_of(segment: list[Element]) -> tuple[Phrase | None, list[Element]]:
    """The phrase that an equation gives as the value, and what comes behind it."""
    for at, element in enumerate(segment[:4]):
        if isinstance(element, Phrase):
            return element, segment[at + 1 :]
        if isinstance(element, Word) and element.parts and element.text not in (":", "="):
            break
    return None, segment


def _sides(sides: Sequence[Phrase]) -> Claims:
    """What the sides of an equation put forward: their numbers, else a calculation that is not carried out."""
    return _readable(sides) or ([Phrase(None)] if sides else [])


def _listed(found: Sequence[Element]) -> Claims:
    """All numbers of a piece without an equation; two with nothing but a comma between them are none."""
    phrases = _phrases(found)
    for at, element in enumerate(found[:-2]):
        if isinstance(element, Phrase) and found[at + 1] == Word(",") and isinstance(found[at + 2], Phrase):
            return [Phrase(None)]
    return list(phrases)
