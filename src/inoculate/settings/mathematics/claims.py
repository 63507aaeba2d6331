"""Which numbers a piece of text claims as the answer.

A piece without an equation claims all of its numbers. An equation (`=`, `is`, `makes`, ...) claims the value on the
right, and the left side too if that is a number. Before the last equation, one whose left side is a calculation is
working, and one whose left side is a name is an answer. 'So' and 'therefore' take back the claims before them. Not
claimed are numbers that are denied ('not 35'), bounds ('at least 35'), reasons ('because ...') and, in brackets or a
later sentence, whatever is not itself an equation or a number alone. A calculation without its result is no number.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import dropwhile, pairwise, takewhile

from inoculate.settings.mathematics.phrases import Aside, Element, Link, Phrase, Value, Word, parse_elements
from inoculate.settings.mathematics.tokens import tokens

Claims = list[Phrase]
"""The claimed numbers; a phrase without a value is a number that cannot be read."""

_LONGEST, _DEEPEST = 2_000, 6
_SO = {"so", "therefore", "thus", "hence", "then", "giving", "leaving", "finally"}
_CONCLUDES = (Word("so"), Word("therefore"), Word("thus"), Word("hence"))
_BEFORE_SO = (Word(","), Word(";"), Word("and"))
_NO_CONCLUSION = (Word("key"), Word("key's"), Word("or"))
"""'So the key has 35', 'so 35 or so': what was said before still stands."""
_REASONS = {"because", "since", "as", "check", "checking"}
_DENIALS = {
    "not", "never", "neither", "nor", "than", "without", "unlike", "\u2260",
    "nicht", "kein", "keine", "pas", "niet", "geen", "non", "n\u00e3o", "inte", "ikke", "nie", "\u043d\u0435",
}  # fmt: skip
"""Also those of languages that models answer in."""
_DENIED_IN_CJK = ("\u4e0d\u662f", "\u5e76\u975e", "\u800c\u975e")
_OPINIONS = {"think", "believe", "suppose", "say", "mean", "claim"}
_BOUNDS = {"least", "most", "over", "under", "above", "below", "between", "exceeds", "<", ">"}
_AND = {"and", "und", "et", "e", "y", "en", "och"}
_MORE = {"more", "less", "fewer", "greater", "higher", "above", "over", "lower", "larger"}
_SUMS = {"add", "adds", "added", "adding", "sum", "sums"}
_RELATED = {"multiple", "multiples", "factor", "divisor", "sum", "product", "difference"}
_WRONG = {"not", "wrong", "incorrect", "false", "mistaken"}
_IS = {"is", "was", "are", "be", "seems", "looks"}
_VERBS, _RIGHT = (Word("is"), Word("was")), (Word("right"), Word("correct"), Word("true"))
_LEADS_TO_IS = {",", "but", "which", "that", "it", "would", "must", "cannot", "can't", "clearly", "simply"}
_SECOND_THOUGHTS = {
    "wait", "no", "actually", "or", "sorry", "correction", "hmm", "rather", "instead", "maybe", "perhaps",
    "alternatively", "could", "might", "may", "oops", "mistake", "answer", "possibly", "thought", "revised", "scratch",
}  # fmt: skip
_WITHDRAWS = re.compile(
    r"[\s\W]*(?:wait|no|nope|actually|rather|sorry|correct(?:ion|ed)|hmm|oops|alternatively|(?:scratch|strike)\s+that|edit(?:ed)?|revised|updated?|"
    r"hold\s+on|(?:on|upon)\s+(?:second|further|closer)|(?:my\s+)?apologies|my\s+(?:mistake|bad)|i\s+(?:made|was)|let\s+me\s+(?!know))\b",
    re.IGNORECASE,
)
_REFERENCES = {"step", "steps", "line", "part", "point", "case", "page", "equation", "note", "section"}
"""A number behind one of these only counts parts of the text."""
_FACTORS, _TERMS = {"*", "x", "/", "times"}, {"+", "-", "plus", "minus"}
_NO_SUM = {"of", "for", "with", "each", "per", "from", "in", "out", "to", "by"}


def stated_numbers(text: str, marked: bool) -> Claims:
    """The numbers that a piece of text claims.

    Args:
        text: The piece, after `tokens.clean`.
        marked: Whether it is marked as the answer, so that a number at its beginning is meant.
    """
    return [Phrase(None)] if _is_too_much(text) else _claims_of(parse_elements(tokens(text, marked)), marked)


def added_numbers(text: str) -> Claims:
    """The numbers that a sentence after the answer claims beside it; the only one where it takes the answer back."""
    if _is_too_much(text):
        return []
    elements = parse_elements(tokens(text, False))
    only = _readable(_phrases_of(elements)) if has_second_thoughts(text) else []
    return _added_claims(elements) or (only if len(only) == 1 else [])


def numbers(text: str) -> list[Value]:
    """All numbers of a text."""
    return [
        element.value
        for element in parse_elements(tokens(text, False))
        if isinstance(element, Phrase) and element.value
    ]


def has_second_thoughts(text: str) -> bool:
    """Whether a sentence begins like one that withdraws an answer: 'Wait, ...', 'Actually ...'."""
    return _WITHDRAWS.match(text) is not None


def _is_too_much(text: str) -> bool:
    """Whether a piece is too long, or has brackets nested too deeply, to state a number."""
    depth = deepest = 0
    for sign in text[:_LONGEST]:
        depth += (sign in "([{") - (sign in ")]}")
        deepest = max(deepest, depth)
    return len(text) > _LONGEST or deepest > _DEEPEST


def _claims_of(elements: Sequence[Element], marked: bool) -> Claims:
    elements, reasons = _without_reasons(list(elements))
    live = _without_denied(elements)
    main = [element for element in live if not isinstance(element, Aside)]
    claims = _equations(main if marked else _behind_so(main), marked)
    asides = [element.inside for element in live if isinstance(element, Aside)]
    if not claims:
        return [claim for inside in asides for claim in _in_brackets(inside, marked)]
    units = {claim.unit for claim in claims}
    beside = [claim for inside in (*asides, reasons) for claim in _added_claims(inside)]
    return claims + [claim for claim in beside if not claim.unit or "" in units or claim.unit in units]


def _behind_so(elements: Sequence[Element]) -> Sequence[Element]:
    """What a clause says that begins with 'so', where it claims a number, and neither in doubt nor the key's."""
    for at in range(len(elements) - 1, -1, -1):
        if elements[at] in _CONCLUDES and (at == 0 or elements[at - 1] in _BEFORE_SO):
            rest = elements[at + 1 :]
            unsure = any(element in _NO_CONCLUSION for element in rest)
            unsure = unsure or any(phrase.approximate for phrase in _phrases_of(rest))
            return rest if _phrases_of(rest) and not unsure else elements
    return elements


def _in_brackets(inside: Sequence[Element], marked: bool) -> Claims:
    """What brackets claim where there is no claim outside of them; a list in brackets is no number."""
    phrases = [element for element in inside if isinstance(element, Phrase)]
    return [Phrase(None)] if len(phrases) > 1 and Word(",") in inside else _claims_of(inside, marked)


def _added_claims(elements: Sequence[Element]) -> Claims:
    live = [element for element in _without_denied(elements) if not isinstance(element, Aside)]
    live = [element for at, element in enumerate(live) if not (at and _is_reference(live[at - 1], element))]
    words = [element.text for element in live if isinstance(element, Word)]
    phrases = [element for element in live if isinstance(element, Phrase)]
    if _SECOND_THOUGHTS & set(words):
        return _readable(_equations(live, True))
    if right := _said_right(live):
        return _readable(right)
    if any(isinstance(element, Link) for element in live):
        return _readable(_equations(live, False, aside=True))
    names = [word for word in words if word[0].isalpha()]
    alone = len(phrases) == 1 and len(names) <= 2 and not _NO_SUM & set(names)
    return _readable(phrases) if alone else []


def _said_right(elements: Sequence[Element]) -> list[Phrase]:
    """The numbers that are called right: '35 is right'."""
    threes = zip(elements, elements[1:], elements[2:], strict=False)
    named = [one for one, verb, word in threes if verb in _VERBS and word in _RIGHT]
    return [replace(one, unit="") for one in named if isinstance(one, Phrase)]


def _is_reference(before: Element, element: Element) -> bool:
    return isinstance(element, Phrase) and isinstance(before, Word) and before.text in _REFERENCES


def _readable(claims: Sequence[Phrase]) -> Claims:
    return [claim for claim in claims if claim.value]


def _without_reasons(elements: list[Element]) -> tuple[list[Element], list[Element]]:
    """The elements before a reason, and the reason; a reason that comes first is left out up to its comma."""
    at = next((n for n, element in enumerate(elements) if isinstance(element, Word) and element.text in _REASONS), None)
    if at is None:
        return elements, []
    if at == 0:
        comma = next((n for n, element in enumerate(elements) if element == Word(",")), None)
        return (elements, []) if comma is None else (elements[comma + 1 :], [])
    return elements[:at], elements[at + 1 :]


def _without_denied(elements: Sequence[Element]) -> list[Element]:
    """The elements without denied numbers and bounds."""
    result: list[Element] = []
    denied = False
    for at, element in enumerate(elements):
        if isinstance(element, Phrase):
            joined = denied and _words_before(elements, at)[:1] in (["or"], ["nor"], ["and"])
            denied = joined or _is_denied(elements, at)
            if denied:
                result.append(Word("something"))
                continue
        elif isinstance(element, Word) and element.text in ("but", ",", "."):
            denied = False
        result.append(element)
    return result


def _words_before(elements: Sequence[Element], at: int) -> list[str]:
    """The words just before an element, nearest first, up to the end of the clause."""
    words: list[str] = []
    for element in reversed(elements[max(0, at - 5) : at]):
        if not isinstance(element, Word) or element.text in (",", ";", ".", "but", ":", "-", "\u2013", "!", "?"):
            break
        words.append(element.text)
    return words


def _is_denied(elements: Sequence[Element], at: int) -> bool:
    before = _words_before(elements, at)
    if at and isinstance(elements[at - 1], Link):  # 'I do not think that it is 35'
        before = _words_before(elements, at - 1)
        before = before if _OPINIONS & set(before) else []
    denials = [
        n
        for n, word in enumerate(before)
        if word in _DENIALS
        or word.endswith(("n't", *_DENIED_IN_CJK))
        or (word == "no" and not set(before[:n]) - {"es", "son", *_AND})  # 'no es 35'
    ]
    if denials and not (denials[0] and before[denials[0] - 1] in ("only", "just", "merely", "sure", "certain")):
        return True
    if set(before[:1]) & _BOUNDS or before[:2] == ["of", "instead"]:
        return True
    if before[:2] == ["to", "up"] and not set(before[2:3]) & _SUMS:
        return at < 3 or len(before) > 2 or not isinstance(elements[at - 3], Phrase)  # '35 up to 40' is a range
    if (before[:1] == ["of"] and set(before[1:2]) & _RELATED) or before[:2] == ["by", "divisible"]:
        return True
    if _is_said_wrong(elements[at + 1 : at + 9]):
        return True
    after = [element.text if isinstance(element, Word) else "" for element in elements[at + 1 : at + 5]]
    if set(after[:1]) & _MORE and after[1:2] == ["than"] and _phrases_of(elements[at + 3 : at + 4]):
        return True  # '6 less than 48' is no number without its result
    if set(after[:1]) & {"<", ">"} or (after[:1] == ["or"] and set(after[1:2]) & _MORE):
        return True
    return bool(after) and after[0] in ("isn't", "wasn't", "aren't")


def _is_said_wrong(after: Sequence[Element]) -> bool:
    """Whether what follows says that something is wrong: 'is wrong', ', which is not', 'but that would be false'."""
    words = list(takewhile(lambda word: word, (each.text if isinstance(each, Word) else "" for each in after)))
    rest = list(dropwhile(lambda word: word in _LEADS_TO_IS, words))
    return bool(rest) and rest[0] in _IS and bool(set(rest[1:2]) & _WRONG)


def _equations(elements: Sequence[Element], marked: bool, aside: bool = False) -> Claims:
    """The claims of a piece, from its equations if it has any; in a remark, calculations are working."""
    first, segments = _split_at_links(elements)
    if not segments:
        return _listed_numbers(first)
    head, left = _last_clause(first)
    if Word("or") in left:  # '40, or 6 * 7 = 42'
        at = left.index(Word("or"))
        head, left = [*head, *left[:at]], left[at + 1 :]
    beside = marked or Word("key") in left  # '35, but the key says 70'
    claims: Claims = _listed_numbers(head) if beside and not _has_so(left) and any(_phrases_of(head)) else []
    named, sides = not _phrases_of(left), _left_side_value(left, segments[0])
    for number, (link, segment) in enumerate(segments, 1):
        value, rest = _value_of(segment)
        if number < len(segments) and _goes_on_calculating(value, rest):
            continue
        if value:
            sides = [*sides, replace(value, approximate=link.approximate or value.approximate)]
        if number == len(segments):
            claims += _side_claims(sides) if named or not aside else []
            claims += _listed_numbers(rest) if _phrases_of(rest) else []
        elif len(rest) > 1 or _phrases_of(rest) or any(isinstance(element, Word) and element.parts for element in rest):
            claims += _side_claims(sides) if named or _readable(sides[:-1]) or Word("key") in rest else []
            _, left = _last_clause(rest)
            claims = [] if _has_so(rest) else claims
            named, sides = not _phrases_of(left), _left_side_value(left, segments[number])
    return claims


def _split_at_links(elements: Sequence[Element]) -> tuple[list[Element], list[tuple[Link, list[Element]]]]:
    """The elements before the first link, and each link with the elements after it."""
    first: list[Element] = []
    segments: list[tuple[Link, list[Element]]] = []
    for element in elements:
        if isinstance(element, Link):
            segments.append((element, []))
        else:
            (segments[-1][1] if segments else first).append(element)
    return first, segments


def _phrases_of(elements: Sequence[Element]) -> list[Phrase]:
    return [element for element in elements if isinstance(element, Phrase)]


def _last_clause(elements: list[Element]) -> tuple[list[Element], list[Element]]:
    """The elements before the last clause, and that clause, which leads up to an equation."""
    for at in range(len(elements) - 1, -1, -1):
        element = elements[at]
        if isinstance(element, Phrase):
            break
        if isinstance(element, Word) and element.parts:
            return elements[:at], elements[at + 1 :]
    return [], elements


def _left_side_value(left: list[Element], equation: tuple[Link, list[Element]]) -> list[Phrase]:
    """The left side of an equation if it is a number; with a unit only if the right side has the same unit or none.

    In '7 weeks are 49 days' and '7 weeks = 49 days' the left side is only what is converted.
    """
    link, segment = equation
    if not left or not isinstance(left[0], Phrase) or len(left) > 2 - link.is_word or len(_phrases_of(left)) > 1:
        return []
    value, _ = _value_of(segment)
    converts = value and value.unit and left[0].unit and value.unit != left[0].unit
    return [] if converts else [left[0]]


def _has_so(elements: Sequence[Element]) -> bool:
    return any(isinstance(element, Word) and element.text in _SO for element in elements)


def _value_of(segment: list[Element]) -> tuple[Phrase | None, list[Element]]:
    """The value of an equation, and the elements after it."""
    for at, element in enumerate(segment[:4]):
        if isinstance(element, Phrase):
            return element, segment[at + 1 :]
        is_contrast = element == Word("but") and segment[at - 1] == Word("something")  # 'is not 48 but 42'
        if isinstance(element, Word) and element.parts and element.text not in (":", "=") and not is_contrast:
            break
    return None, segment


_AND_THAT = {Word(","), Word("which"), Word("that"), Word("and"), Word("this"), Word("it"), Word("so")}


def _goes_on_calculating(value: Phrase | None, rest: Sequence[Element]) -> bool:
    """Whether what stands behind a link is a calculation with units, whose result comes behind the next link.

    'Distance: 30 km * 6 hours = 180 km' claims one number, and so does 'Left: 30 apples - 4 apples = 26 apples'.
    """
    if value and rest and isinstance(rest[0], Phrase):  # '12 m * 7 m' is read as '12 m', '* 7 m'
        return rest[0].value is None
    # 'The number is 7 * 6, which is 42'
    if value and value.value is None and set(rest) <= {*_AND_THAT, Word(value.unit)}:
        return True
    for at, (element, after) in enumerate(pairwise(rest), 1):
        if not isinstance(element, Word):
            continue
        if element.text in _FACTORS and _phrases_of(rest[at:]):
            return True
        if value and element.text in _TERMS and isinstance(after, Phrase):
            return bool(value.unit) and value.unit == after.unit
        if element.parts:
            return False
    return False


def _side_claims(sides: Sequence[Phrase]) -> Claims:
    """What the sides of an equation claim: their numbers, else a calculation without its result."""
    return _readable(sides) or ([Phrase(None)] if sides else [])


def _listed_numbers(elements: Sequence[Element]) -> Claims:
    """All numbers of a piece without an equation; two with only a comma between them cannot be read."""
    phrases = _phrases_of(elements)
    for at, element in enumerate(elements[:-2]):
        if isinstance(element, Phrase) and elements[at + 1] == Word(",") and isinstance(elements[at + 2], Phrase):
            return [Phrase(None)]
    return list(phrases)
