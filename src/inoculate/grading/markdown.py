"""Extracts pieces of code from a Markdown reply, and chooses the answer among them.

Fences and code spans are found by a CommonMark parser, which handles long, stray, unclosed and `~~~` fences, fences in
lists, and spans of several backquotes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from markdown_it import MarkdownIt
from markdown_it.token import Token

# Only the syntax of code: a pattern or a query must not be parsed as a heading, a link or emphasis.
_MARKDOWN = MarkdownIt("zero").enable(["fence", "list", "blockquote", "backticks"])
_FENCE = re.compile(r"^[ \t]*(```+|~~~+)([^\n]*)", re.MULTILINE)
_MIDLINE = re.compile(r"^(?=[^`\n]*[^\W\d_])([^`\n]+?)[ \t]*(```+[\w+-]*)[ \t]*$", re.MULTILINE)
"""A fence after other text on its line, which CommonMark does not accept."""
_ANNOUNCED = re.compile(
    r"\b(?:answer|solution|result|pattern|regex|regexp|regular\s+expression|expression|query|statement)s?"
    r"(?:\s+(?:is|would\s+be|will\s+be|becomes))?(?:\s+(?:this|simply|therefore|thus|then))?[\s:=*_]*$",
    re.IGNORECASE,
)
_REJECTED = re.compile(
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
    """The text before it: since the last span of its paragraph, or for a block the last line before it."""
    fence: str = ""
    """Its delimiter."""
    info: str | None = None
    """For a block, the info string of its opening fence; None for a span."""
    last: str = ""
    """The span before it in the same paragraph."""


@dataclass(frozen=True)
class Reply:
    """The parts of a reply."""

    blocks: tuple[Piece, ...]
    spans: tuple[Piece, ...]
    rest: str
    """All lines outside blocks."""


def parse_reply(text: str) -> Reply:
    """The blocks and spans of a reply, in order; empty blocks are left out."""
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
            blocks += _split_block(Piece(token.content, before, token.markup, token.info.strip()))
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


def _split_block(block: Piece) -> list[Piece]:
    """The parts of a block that contains fences itself, or the block; without empty parts.

    A shorter fence inside a longer one is quoted, and its contents count. Else the block was not closed before the next
    one was opened, or the fence was written twice: then each part is a block.
    """
    parts = [block]
    fences = list(_FENCE.finditer(block.text))
    if fences:
        parts[0] = replace(block, text=block.text[: fences[0].start()])
        stops = [fence.start() for fence in fences[1:]] + [len(block.text)]
        for fence, stop in zip(fences, stops, strict=True):
            text = block.text[fence.end() : stop].removeprefix("\n")
            parts.append(Piece(text, block.before, fence[1], fence[2].strip()))
        if len(fences[0][1]) < len(block.fence):
            parts = parts[1::2]
    return [part for part in parts if part.text.strip() or part.info]


Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Candidate(Generic[Answer]):
    """A piece that may be the answer."""

    answer: Answer
    piece: Piece
    key: str
    """Candidates with the same key are the same answer; one is part of another if the other's key contains its key."""


def choose(candidates: Sequence[Candidate[Answer]]) -> list[Answer]:
    """Choose the answers of a reply among the candidates: one, or several different ones where it gives several.

    A candidate that the reply rejects ('not `...`', 'instead of `...`') does not count. A span that is part of another
    candidate explains it, unless the two are joined by 'or'. If some are announced ('the pattern is `...`'), only those
    count.
    """
    left = [each for each in candidates if not _REJECTED.search(each.piece.before)]
    left = [each for each in left if not any(_explains(each, other) for other in left)] or left
    left = [each for each in left if _ANNOUNCED.search(each.piece.before)] or left if _differ(left) else left
    first: dict[str, Answer] = {}
    for candidate in left:
        first.setdefault(candidate.key, candidate.answer)
    return list(first.values())


def _differ(candidates: Sequence[Candidate[Answer]]) -> bool:
    return len({candidate.key for candidate in candidates}) > 1


def _explains(part: Candidate[Answer], whole: Candidate[Answer]) -> bool:
    if part.piece.info is not None or part.key == whole.key or part.key not in whole.key:
        return False
    return not (_joined(part.piece, whole.piece) or _joined(whole.piece, part.piece))


def _joined(first: Piece, second: Piece) -> bool:
    """Whether two spans are next to each other with an 'or' between them."""
    return second.last == first.text and _OR.fullmatch(second.before) is not None
