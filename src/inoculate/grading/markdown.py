"""Pieces of code in a reply that is Markdown, and which of several is the answer.

Fences and code spans are found by a CommonMark parser, so that longer, stray, unclosed and `~~~` fences, fences in
lists and spans of several backquotes are what a reader takes them for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from markdown_it import MarkdownIt
from markdown_it.token import Token

# Nothing but what holds code: a pattern or a query must not be taken for a heading, a link or emphasis.
_MARKDOWN = MarkdownIt("zero").enable(["fence", "list", "blockquote", "backticks"])
_FENCE = re.compile(r"^[ \t]*(```+|~~~+)([^\n]*)", re.MULTILINE)
_MIDLINE = re.compile(r"^([^`\n]*[^`\s])[ \t]*(```+[\w+-]*)[ \t]*$", re.MULTILINE)
"""A fence that opens or closes behind other text on its line, where CommonMark sees none."""
_MARKED = re.compile(
    r"\b(?:answer|solution|result|pattern|regex|regexp|regular\s+expression|expression|query|statement)s?"
    r"(?:\s+(?:is|would\s+be|will\s+be|becomes))?(?:\s+(?:this|simply|therefore|thus|then))?[\s:=*_]*$",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"(?:\bnot|n't|\bnever|\binstead\s+of|\brather\s+than|\bunlike|\bavoid)(?:\s+(?:use|write|just|the|a))*[\s:*_]*$",
    re.IGNORECASE,
)
_OR = re.compile(
    r"[\s,;*_(]*\b(?:or|alternatively|or\s+else|or\s+even)\b[\s,;:*_(]*(?:\w+\s+){0,2}[\s:*_]*", re.IGNORECASE
)


@dataclass(frozen=True)
class Piece:
    """A fenced block or a code span."""

    text: str
    before: str
    """What stands before it: of its paragraph all since the last span, or for a block the last line before it."""
    fence: str = ""
    """The signs around it."""
    info: str | None = None
    """For a block, what stands on the line of its opening fence; None for a span."""
    last: str = ""
    """The span before it in the same paragraph."""


@dataclass(frozen=True)
class Reply:
    """A reply taken apart."""

    blocks: tuple[Piece, ...]
    spans: tuple[Piece, ...]
    rest: str
    """All lines that do not belong to a block."""


def take_apart(text: str) -> Reply:
    """The blocks and spans of a reply, in order; blocks without contents are left out."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    lines = _MIDLINE.sub(r"\1\n\2", text).split("\n")
    blocks: list[Piece] = []
    spans: list[Piece] = []
    outside = [True] * len(lines)
    for token in _MARKDOWN.parse("\n".join(lines)):
        if token.type == "fence" and token.map:
            first, last = token.map
            outside[first:last] = [False] * (last - first)
            before = next((line for line in reversed(lines[:first]) if line.strip()), "")
            blocks += _opened(Piece(token.content, before, token.markup, token.info.strip()))
        elif token.type == "inline":
            spans += _spans(token.children or [])
    rest = "\n".join(line for line, is_outside in zip(lines, outside, strict=True) if is_outside)
    return Reply(tuple(blocks), tuple(spans), rest)


def _spans(parts: Sequence[Token]) -> Iterator[Piece]:
    """The spans of a paragraph."""
    before, last = "", ""
    for part in parts:
        if part.type == "code_inline":
            yield Piece(part.content, before, part.markup, last=last)
            before, last = "", part.content
        else:
            before += part.content or "\n"


def _opened(block: Piece) -> list[Piece]:
    """A block, or the parts of it where it holds fences itself; without those that are empty.

    Within a longer fence a shorter one is quoted, and what it holds is meant. Else the block was not closed before the
    next was opened, or the fence is there twice: then each part is a block.
    """
    parts = [block]
    ends = list(_FENCE.finditer(block.text))
    if ends:
        parts[0] = replace(block, text=block.text[: ends[0].start()])
        stops = [found.start() for found in ends[1:]] + [len(block.text)]
        for found, stop in zip(ends, stops, strict=True):
            text = block.text[found.end() : stop].removeprefix("\n")
            parts.append(Piece(text, block.before, found[1], found[2].strip()))
        if len(ends[0][1]) < len(block.fence):
            parts = parts[1::2]
    return [part for part in parts if part.text.strip() or part.info]


Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Candidate(Generic[Answer]):
    """What could be the answer."""

    answer: Answer
    piece: Piece
    same: str
    """Two candidates are the same answer where this is equal; one is part of another where this is in its own."""


def choose(candidates: Sequence[Candidate[Answer]]) -> list[Answer]:
    """Which of several candidates the reply gives as its answer: one, or several different ones where it gives several.

    One that the reply denies ('not `...`', 'instead of `...`') is none. A span that is part of another candidate
    explains it, unless the two are joined by 'or'. Where some are announced ('the pattern is `...`'), those count.
    """
    left = [one for one in candidates if not _DENIED.search(one.piece.before)]
    left = [one for one in left if not any(_explains(one, other) for other in left)] or left
    left = [one for one in left if _MARKED.search(one.piece.before)] or left if _differ(left) else left
    first: dict[str, Answer] = {}
    for one in left:
        first.setdefault(one.same, one.answer)
    return list(first.values())


def _differ(candidates: Sequence[Candidate[Answer]]) -> bool:
    return len({one.same for one in candidates}) > 1


def _explains(part: Candidate[Answer], whole: Candidate[Answer]) -> bool:
    if part.piece.info is not None or part.same == whole.same or part.same not in whole.same:
        return False
    return not (_joined(part.piece, whole.piece) or _joined(whole.piece, part.piece))


def _joined(first: Piece, second: Piece) -> bool:
    """Whether two spans stand side by side with an 'or' between them."""
    return second.last == first.text and _OR.fullmatch(second.before) is not None
