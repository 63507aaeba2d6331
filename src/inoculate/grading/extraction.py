"""Extracts the program from a completion.

Code fences are those of CommonMark (0.31, section 4.5), found by markdown-it: they may be indented in lists and quotes,
are closed by a fence of at least the same length, and extend to the end where they are not closed. HTML is not parsed,
so that a block inside a tag such as `<answer>` counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import dedent

from markdown_it import MarkdownIt

from inoculate.grading.parsing import UNPARSABLE, parse
from inoculate.grading.thinking import spoken

MAX_LINES = 20_000
"""A reply with fences and more lines is not parsed: finding fences takes longest for many short lines."""
_DEPTH = 2
"""How many levels of nested blocks are searched."""
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
    """How it was chosen; empty where there was no choice."""
    missing: str = ""
    """Why there is no program; empty where there is one."""


def extract(completion: str, root: str, max_bytes: int) -> Program:
    """Extract the program from a completion.

    The whole text where it is Python. Exactly one fenced block: its contents. Several: the first that defines the name
    at its top level, else the first; a program before the first fence counts as a block. None: the first code
    span of one line that defines the name, else the whole text.

    Args:
        completion: What the model wrote.
        root: The name that a solution has to bind.
        max_bytes: A longer completion is not parsed.
    """
    if len(completion) > max_bytes:
        return Program("", missing=f"longer than {max_bytes:,} bytes")
    try:
        if len(completion.encode()) > max_bytes:
            return Program("", missing=f"longer than {max_bytes:,} bytes")
    except UnicodeEncodeError:
        return Program("", missing="not text: it holds lone surrogates")
    if "\0" in completion:
        return Program("", missing="not text: it holds NUL characters")
    completion = spoken(completion.removeprefix("\ufeff"))  # without the byte order mark of an editor
    if not _may_hold_code(completion) or _is_python(completion):
        return _whole(completion)
    if completion.count("\n") > MAX_LINES:
        return Program("", missing=f"it holds fences and more than {MAX_LINES:,} lines")
    defines = re.compile(
        rf"^(?:(?:async[ \t]+)?def|class)[ \t]+{re.escape(root)}\b|^{re.escape(root)}[ \t]*(?::|=(?!=))", re.MULTILINE
    )
    blocks = _blocks(completion, defines) or _defining_spans(completion, defines) or [completion]
    if len(blocks) == 1:
        return _whole(blocks[0])
    for number, block in enumerate(blocks, 1):
        if defines.search(block):
            return Program(block, f"block {number} of {len(blocks)}, the first that defines {root}")
    return Program(blocks[0], f"block 1 of {len(blocks)}, none of which defines {root}")


def _whole(text: str) -> Program:
    return Program(text, missing="" if text.strip() else "empty")


def _may_hold_code(text: str) -> bool:
    return "`" in text or "~~~" in text


def _is_python(text: str) -> bool:
    try:
        return bool(parse(text).body)
    except UNPARSABLE:
        return False


def _before(text: str, defines: re.Pattern[str]) -> list[str]:
    """The text before the first fence, if it is a program: that fence may close a block that the prompt opened."""
    before, *fenced = _FENCE.split(text, maxsplit=1)
    return [before] if fenced and defines.search(before) and _is_python(before) else []


def _blocks(text: str, defines: re.Pattern[str], depth: int = _DEPTH) -> list[str]:
    """The contents of the fenced blocks, and the program before them; an empty block only where there is no other."""
    contents = _fenced_contents(text)
    if not any(content.strip() for content in contents):
        # Fences that are indented more than CommonMark allows, with code that is indented alike or not at all.
        contents = [dedent(content) for content in _fenced_contents(_INDENT.sub("", text))]
    blocks = [*_before(text, defines), *(block for content in contents for block in _nested(content, defines, depth))]
    return [block for block in blocks if block.strip()] or blocks[:1]


def _fenced_contents(text: str) -> list[str]:
    return [token.content for token in _MARKDOWN.parse(text) if token.type == "fence"]


def _nested(content: str, defines: re.Pattern[str], depth: int) -> list[str]:
    """A block, or the blocks inside it: of Markdown, or of a fence that was opened twice."""
    if depth and _may_hold_code(content) and not _is_python(content):
        return _blocks(content, defines, depth - 1) or [content]
    return [content]


def _defining_spans(text: str, defines: re.Pattern[str]) -> list[str]:
    """The first code span that defines the name."""
    return [code for code in _code_spans(text) if defines.search(code)][:1]


def _code_spans(text: str) -> Iterator[str]:
    for match in _SPAN.finditer(text):
        yield (_LANGUAGE.sub("", match.group(2)) if len(match.group(1)) > 2 else match.group(2)).strip()
