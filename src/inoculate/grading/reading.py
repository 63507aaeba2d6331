"""How a completion is read: which part of what a model wrote is the program.

Fences are those of CommonMark (0.31, section 4.5), found by markdown-it: they may be indented in lists and quotes,
close with as many signs or more, and go on to the end where they never close. HTML is not looked at, so that a block
counts within a tag such as `<answer>`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import dedent

from markdown_it import MarkdownIt

from inoculate.grading.parsing import UNPARSABLE, parse

MOST_LINES = 20_000
"""A reply with fences that has more lines is not read: looking for fences takes longest for many short lines."""
_DEPTH = 2
"""How many blocks within blocks are looked into."""
_MARKDOWN = MarkdownIt("commonmark").disable(["html_block", "reference", "inline"])
_FENCE = re.compile(r"^[ \t>]*(?=```|~~~)", re.MULTILINE)
_INDENT = re.compile(r"^[ \t]+(?=```|~~~)", re.MULTILINE)
# A code span is closed by as many backticks as opened it. A language may stand first where there are three or more.
_SPAN = re.compile(r"(?<!`)(`+)(?!`)([^\n]{1,2000}?)(?<!`)\1(?!`)")
_LANGUAGE = re.compile(r"^[ \t]*(?:python3?|py)[ \t]+", re.IGNORECASE)


@dataclass(frozen=True)
class Program:
    """The program in a completion."""

    source: str
    note: str = ""
    """What had to be decided to find it; empty where there was nothing to decide."""
    unreadable: str = ""
    """Why there is none; empty where there is one."""


def read(completion: str, root: str, most_bytes: int) -> Program:
    """The program in a completion.

    The whole text where it is Python. Exactly one fenced block: its contents. Several: the first that defines the name
    at its top level, else the first; a program that stands before the first fence is a block too. None: the first code
    span of one line that defines the name, else the whole text.

    Args:
        completion: What the model wrote.
        root: The name that a solution has to bind.
        most_bytes: A longer completion is not read.
    """
    if len(completion) > most_bytes:
        return Program("", unreadable=f"longer than {most_bytes:,} bytes")
    try:
        if len(completion.encode()) > most_bytes:
            return Program("", unreadable=f"longer than {most_bytes:,} bytes")
    except UnicodeEncodeError:
        return Program("", unreadable="not text: it holds lone surrogates")
    if "\0" in completion:
        return Program("", unreadable="not text: it holds NUL characters")
    completion = completion.removeprefix("\ufeff")  # the byte order mark of an editor
    if not _may_hold_code(completion) or _is_python(completion):
        return _given(completion)
    if completion.count("\n") > MOST_LINES:
        return Program("", unreadable=f"it holds fences and more than {MOST_LINES:,} lines")
    defines = re.compile(
        rf"^(?:(?:async[ \t]+)?def|class)[ \t]+{re.escape(root)}\b|^{re.escape(root)}[ \t]*(?::|=(?!=))", re.MULTILINE
    )
    blocks = _blocks(completion, defines) or _spans(completion, defines) or [completion]
    if len(blocks) == 1:
        return _given(blocks[0])
    for number, block in enumerate(blocks, 1):
        if defines.search(block):
            return Program(block, f"block {number} of {len(blocks)}, the first that defines {root}")
    return Program(blocks[0], f"block 1 of {len(blocks)}, none of which defines {root}")


def _given(text: str) -> Program:
    return Program(text, unreadable="" if text.strip() else "empty")


def _may_hold_code(text: str) -> bool:
    return "`" in text or "~~~" in text


def _is_python(text: str) -> bool:
    try:
        return bool(parse(text).body)
    except UNPARSABLE:
        return False


def _before(text: str, defines: re.Pattern[str]) -> list[str]:
    """What stands before the first fence, where it is a program: the fence may only close what the prompt opened."""
    before, *fenced = _FENCE.split(text, maxsplit=1)
    return [before] if fenced and defines.search(before) and _is_python(before) else []


def _blocks(text: str, defines: re.Pattern[str], depth: int = _DEPTH) -> list[str]:
    """The contents of the fenced blocks, and the program before them; an empty one only where there is no other."""
    contents = _fenced(text)
    if not any(content.strip() for content in contents):
        # Fences that are indented as CommonMark does not have it, with code that is indented alike or not at all.
        contents = [dedent(content) for content in _fenced(_INDENT.sub("", text))]
    blocks = [*_before(text, defines), *(block for content in contents for block in _within(content, defines, depth))]
    return [block for block in blocks if block.strip()] or blocks[:1]


def _fenced(text: str) -> list[str]:
    return [token.content for token in _MARKDOWN.parse(text) if token.type == "fence"]


def _within(content: str, defines: re.Pattern[str], depth: int) -> list[str]:
    """A block, or the blocks that it holds: of Markdown, or of a fence that was opened twice."""
    if depth and _may_hold_code(content) and not _is_python(content):
        return _blocks(content, defines, depth - 1) or [content]
    return [content]


def _spans(text: str, defines: re.Pattern[str]) -> list[str]:
    """The code spans that define the name."""
    return [code for code in _codes(text) if defines.search(code)][:1]


def _codes(text: str) -> Iterator[str]:
    for match in _SPAN.finditer(text):
        yield (_LANGUAGE.sub("", match.group(2)) if len(match.group(1)) > 2 else match.group(2)).strip()
