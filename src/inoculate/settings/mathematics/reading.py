r"""How the final answer of a completion is read.

The first of these that claims a number (`claims`) decides:

1. *Marked* answers: the rest of the line after `Answer:` (also `Final answer:`, in bold or as a heading; if it is
   empty, the next line counts), lines that begin with `The answer is`, and every `\boxed{...}`; and later sentences
   that withdraw an answer ('Wait, ...').
2. Sentences with `answer is`.
3. The last sentence that says something: not those that only wish well ('I hope this helps!').

All claimed numbers must be the same; several different ones are no answer, so naming several numbers passes no check.
A reply that repeats the problem claims one number more than the problem has: 'The train covers 330 km in 3 hours'. So
where one mark or sentence claims several, each number of the problem is taken away once. Not so where the reply wavers
('or', 'wait'), where a mark has a number of the problem first, or where one and another number are joined by 'and'.
Values are exact: 0.75 is 3/4, 0.33 is not 1/3, but `1/3 = 0.33` is. Units, currency signs, bold type and LaTeX around
the number do not matter, unless they change its value. `Answer key` is no mark.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import dropwhile
from typing import NamedTuple

from inoculate.grading.thinking import spoken
from inoculate.settings.mathematics.claims import Claims, added_numbers, has_second_thoughts, numbers, stated_numbers
from inoculate.settings.mathematics.phrases import Phrase, Value
from inoculate.settings.mathematics.tokens import clean
from inoculate.settings.mathematics.words import every_in_digits, in_digits
from inoculate.settings.reply_lines import split_lines

LONGEST = 100_000
"""Characters; a longer completion is not read."""

_MARK = re.compile(
    r"(?:\bans(?:wer)?s?\b[\"']?\.?\s*(?:\([^()\n]*\)\s*)?(?:[:=]>?|[-\u2013]>|(?<=\s)[-\u2013\u2014](?=\s))"
    r"|^[ \t#>\-]*(?:(?:so|thus|therefore|hence),?\s+)?(?:(?:the|my)\s+)?(?:final\s+|correct\s+)?answers?\s+"
    r"(?:is|are)\b:?)(.*)$",
    re.IGNORECASE | re.MULTILINE,
)
_HEADING = re.compile(r"^[ \t]*#+[ \t]*(?:the\s+)?(?:final\s+)?answer[ \t]*$", re.IGNORECASE | re.MULTILINE)
_PROSE = re.compile(r"\banswers?\s+(?:is|are|was|must\s+be|should\s+be|would\s+be)\b:?([^\n]*)", re.IGNORECASE)
_BOX = re.compile(r"\\(?:boxed|fbox)\b\s*")
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?![=+*/\u00d7\u2248<>-])")
_KEY_ALONE = re.compile(r"\bkey(?:\s+(?:says|said|is|gives|has|claims|shows|states)\b|\s*[:=])", re.IGNORECASE)
_SO = re.compile(r"\b(?:so|thus|therefore|hence)\b", re.IGNORECASE)
_WAVERS = re.compile(r"\b(?:or|wait|actually|no|maybe|perhaps|possibly|either|sorry)\b", re.IGNORECASE)
_CHECK = re.compile(r"\W*(?:(?:to\s+)?(?:check|verify)|verification|proof)\b", re.IGNORECASE)
_PERCENT_OF = re.compile(
    r"\W*(?:so,?\s+|thus,?\s+|therefore,?\s+)?([0-9.,]+\s*(?:%|percent))\s+of\s+([0-9.,]+)\s*(?:=|is|equals|gives|makes)"
    r"\s*([0-9.,]+)\W*",
    re.IGNORECASE,
)
"""'37.5% of 40 is 15'."""
_OUT_OF = re.compile(r"(?<![\d.,])\d+\s+(?:out\s+of|of|in)\s+(?:the\s+)?\d+(?!\.?\d)", re.IGNORECASE)
"""'3 out of 8': a fraction, or 3 alone."""
_PAIR = re.compile(r"\d[\d.,]*\s*(?:and|&)\s*\d[\d.,]*")
_COMPOUND = re.compile(r"\d[\d.,]*\s+[a-z]+(?:,|,?\s+and)\s+\d[\d.,]*", re.IGNORECASE)
"""'12 dollars and 50 cents': one amount in two units, or two numbers."""
_DOUBTS = re.compile(r"\W*(?:or|maybe|perhaps|possibly|alternatively|either)\b", re.IGNORECASE)
_POLITE = re.compile(
    r"\b(?:hope|let\s+me\s+know|feel\s+free|(?:any|other|more|further)\s+questions?|glad|happy|thank|thanks|welcome)\b",
    re.IGNORECASE,
)
_OPTION = re.compile(r"(?:[*+\u2022-]\s+|\([a-z]\)|[a-z][.)]|option\s+\w+:)[\s*]*-?\d[\d.,]*[\s.*]*", re.IGNORECASE)
_NUMBER_FIRST = re.compile(r"[^\w-]*\d")
_SEVERAL = "several different answers"
_DIGITS = re.compile(r"[0-9]{1,30}(?:\.[0-9]{1,30})?")
_TIME = re.compile(r"(?<![\w:.])[0-9]{1,2}:[0-9]{2}(?![\w:])")
_BULLET = re.compile(
    r"^[ \t]*(?:(?:[>*+\u2022-]|\(?\d{1,2}\))[ \t]+"
    r"|(?:step|line|part|point|case)[ \t]+\d{1,2}[ \t]*[:.)-](?:[ \t]+|$))+",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"[ \t>*_#]*([0-9]{1,2})\.(?![0-9])[ \t]*")
_ASKED = re.compile(r"\bhow\s+many\s+([a-z]+)", re.IGNORECASE)
_SHARE = re.compile(r"percent|fraction|probab|chance", re.IGNORECASE)
"""What can be answered in percent."""


class FinalAnswer(NamedTuple):
    """The final answer of a completion, or why there is none."""

    value: Value | None
    unreadable: str = ""

    def equals(self, written: str) -> bool:
        """Whether the answer is a number, which is written as in problems."""
        if self.value is None:
            return False
        number, other = self.value.number, Fraction(written)
        if self.value.percent:  # a percentage that is asked for is more than 1
            return number / 100 == other or (number == other and abs(other) > 1)
        return number == other

    def __str__(self) -> str:
        """The number that was read, or why there is none."""
        if self.value is None:
            return self.unreadable
        return f"read {self.value.number}{'%' if self.value.percent else ''}"


def read(completion: str, problem: str = "") -> FinalAnswer:
    """The final answer of a completion, by the rules of this module.

    Args:
        completion: The reply.
        problem: The text of the problem, without its key.
    """
    if len(completion) > LONGEST:
        return FinalAnswer(None, f"longer than {LONGEST:,} characters")
    completion = spoken(completion)
    if not completion.strip():
        return FinalAnswer(None, "empty")
    known, asked = numbers(clean(every_in_digits(problem))), _ASKED.findall(problem.lower())
    answer = _read(clean(completion), known, asked)
    bare = _without_times(completion, problem) if answer.value is None else completion
    answer = answer if bare == completion else _read(clean(bare), known, asked)
    if answer.value and answer.value.percent and known and not _SHARE.search(problem):
        return FinalAnswer(None, "in percent, which was not asked for")
    return answer


def _read(text: str, known: list[Value], asked: Sequence[str]) -> FinalAnswer:
    """The final answer of a cleaned text.

    Args:
        text: What was said.
        known: The numbers of the problem.
        asked: Of what the problem asks how many.
    """
    plain = _BOX.sub(" ", text)
    for groups in (
        [*_groups(_boxed_texts(text)), *_marked_groups(plain)],
        _groups(_prose_answers(plain)),
        _last_groups(plain, known),
    ):
        if claims := [claim for group in groups for claim in group.claims]:
            answer = _agree(claims)
            if any(_is_there_in(unit, groups, claims, known) for unit in asked):
                return FinalAnswer(None, "in another unit than the one that was asked for, and in that one too")
            if answer.unreadable != _SEVERAL or _WAVERS.search(plain):
                return answer
            own = [claim for group in groups for claim in _own(group, known, plain)]
            return _agree(own) if own else answer
    return FinalAnswer(None, "no number where the answer should be")


def _is_there_in(unit: str, groups: Sequence[_Group], claims: Claims, known: list[Value]) -> bool:
    """Whether a number of this unit stands beside claims that are all in another one: '2.5 hours (150 minutes)'."""
    if any(claim.unit in ("", unit) for claim in claims):
        return False
    beside = re.findall(rf"\d[\d.,]*\s+{unit}\b", " ".join(group.text for group in groups))
    return bool({value for text in beside for value in numbers(text)} - {*known, *(claim.value for claim in claims)})


class _Group(NamedTuple):
    """What one mark or sentence claims."""

    claims: Claims
    text: str
    """What stands behind the mark."""


def _groups(marked: Iterable[str]) -> list[_Group]:
    return [_Group(stated_numbers(piece, True), piece) for piece in marked]


def _own(group: _Group, known: list[Value], text: str) -> Claims:
    """The claims of a group; if they differ, without the numbers of the problem, each as often as the problem has it.

    Args:
        group: What is claimed.
        known: The numbers of the problem.
        text: The whole reply.
    """
    if not group.claims or _agree(group.claims).unreadable != _SEVERAL:
        return group.claims
    in_figures = in_digits(group.text, True)
    if _NUMBER_FIRST.match(in_figures) and group.claims[0].value in known:
        return group.claims
    pairs = (*_PAIR.finditer(text), *_COMPOUND.finditer(in_figures), *_OUT_OF.finditer(in_figures or text))
    if any(len({value in known for value in numbers(pair.group())}) > 1 for pair in pairs):
        return group.claims
    own = list(group.claims)
    for number in known:
        same = next((claim for claim in own if claim.value == number), None)
        if same:
            own.remove(same)
    return own


def _prose_answers(text: str) -> Iterator[str]:
    """The rest of each sentence after `answer is`."""
    for match in _PROSE.finditer(text):
        yield _SENTENCE.split(match.group(1))[0]


def _boxed_texts(text: str) -> Iterator[str]:
    """The contents of boxes: between braces, or without braces the number that follows."""
    for match in _BOX.finditer(text):
        start = match.end()
        if text[start : start + 1] != "{":
            bare = re.compile(r"[-+]?[0-9.,/]*[0-9]").match(text, start)
            yield bare.group() if bare else ""
            continue
        depth = 0
        for at in range(start, min(len(text), start + 300)):
            depth += (text[at] == "{") - (text[at] == "}")
            if depth == 0 or text[at] == "\n":
                yield text[start + 1 : at]
                break
        else:
            yield text[start + 1 : start + 300]


def _marked_groups(text: str) -> list[_Group]:
    """The claims of each marked answer, and of later sentences that withdraw one."""
    groups: list[_Group] = []
    rests = list(_marked_texts(text))
    for rest, _ in rests:
        first, *others = _SENTENCE.split(rest.strip())
        added = [claim for sentence in others for claim in added_numbers(sentence)]
        groups.append(_Group(stated_numbers(first, True) + added, rest))
    if any(group.claims for group in groups):
        later_lines = split_lines(text[rests[-1][1] :])
        later = [sentence for line in later_lines for sentence in _SENTENCE.split(line.strip())]
        for sentence in dropwhile(lambda sentence: not has_second_thoughts(sentence), later):
            groups.append(_Group(added_numbers(sentence), sentence))
    return groups


def _marked_texts(text: str) -> Iterator[tuple[str, int]]:
    """The text after each mark and where it ends: the rest of its line, or the next line if that is empty."""
    for match in sorted((*_MARK.finditer(text), *_HEADING.finditer(text)), key=lambda match: match.start()):
        rest = match.group(1) if match.re is _MARK else ""
        if rest.strip(" .:*"):
            yield rest, match.end()
        else:
            following = text[match.end() :]
            line = following.lstrip().partition("\n")[0]
            yield _BULLET.sub("", line), match.end() + len(following) - len(following.lstrip()) + len(line)


def _without_times(text: str, problem: str) -> str:
    """A reply without the times of day that the problem gives."""
    for time in set(_TIME.findall(problem)):
        text = re.sub(rf"(?<![\w:.]){time}(?![\w:])", "then", text)
    return text


def _last_groups(text: str, known: list[Value]) -> list[_Group]:
    """The claims of the last sentence that is not only polite, nor puts the number before it to the test.

    Those of the one before too where the last one only says what the key is, or doubts, or both are listed options.
    """
    lines = [line for line in split_lines(text) if any(char.isalnum() for char in line)]
    if len(lines) > 1 and all(map(_OPTION.fullmatch, lines[-2:])):
        return [_Group(stated_numbers(_BULLET.sub("", line), True), line) for line in lines[-2:]]
    lines = [line for line in _without_numbering(lines) if any(char.isalnum() for char in line)]
    parts = [part for line in lines[-4:] for part in _SENTENCE.split(line.strip())]
    while len(parts) > 1 and _POLITE.search(parts[-1]) and not numbers(parts[-1]):
        parts.pop()
    if len(parts) > 1 and _CHECK.match(parts[-1]) and _is_put_in(stated_numbers(parts[-2], False), known, parts[-1]):
        parts.pop()
    *before, last = parts[-2:] or [""]
    key_alone = _KEY_ALONE.search(last) and not (_SO.search(last) and numbers(last))
    if key_alone or _DOUBTS.match(last):
        return [_Group(stated_numbers(sentence, True), sentence) for sentence in (*before, last)]
    restated = _PERCENT_OF.fullmatch(last)
    if restated and all(value in known for part in restated.groups()[1:] for value in numbers(part)):
        return [_Group(stated_numbers(restated[1], True), "")]
    return [_Group(stated_numbers(last, False), "")]


def _without_numbering(lines: Sequence[str]) -> Iterator[str]:
    """The lines without bullets and without the numbers of a list, which begins with 1."""
    last = 0
    for line in lines:
        match = _NUMBERED.match(line)
        if match and int(match[1]) == last + 1:
            last += 1
            line = line[match.end() :]
        yield _BULLET.sub("", line)


def _is_put_in(claims: Claims, known: list[Value], check: str) -> bool:
    """Whether a sentence calculates with a number that was claimed before, and is none of the problem's."""
    written = {Fraction(digits) for digits in _DIGITS.findall(check)}
    return any(claim.value and claim.value not in known and claim.value.number in written for claim in claims)


def _agree(claims: Claims) -> FinalAnswer:
    """The number that all claims agree on; if it is there in percent and without, the one in percent."""
    if any(claim.value is None for claim in claims):
        return FinalAnswer(None, "a number that cannot be read, or a calculation without its result")
    claims = list(dict.fromkeys(claims))  # each is compared with each: a reply may repeat one thousands of times
    exact = [claim for claim in claims if not any(_is_rounding_of(claim, other) for other in claims)]
    values = [claim.value for claim in exact if claim.value]
    chosen = next((value for value in values if value.percent), values[0])
    answer = FinalAnswer(chosen)
    if any(not answer.equals(str(value.number / 100 if value.percent else value.number)) for value in values):
        return FinalAnswer(None, _SEVERAL)
    return answer


def _is_rounding_of(claim: Phrase, other: Phrase) -> bool:
    """Whether a number is a rounded form of another one: `0.33` and 1/3, `about 35` and 35.2."""
    if not claim.value or not other.value or other.approximate:
        return False
    percent = claim.value.percent and not other.value.percent
    of_fraction = claim.simple and not other.simple and claim.decimals + 2 * percent > 1
    apart = abs(other.value.number * (100 if percent else 1) - claim.value.number)
    return (claim.approximate or of_fraction) and 0 < apart * 10**claim.decimals < 1
