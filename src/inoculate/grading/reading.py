"""How a completion is read: which part of what a model wrote is the program."""

from __future__ import annotations

import re
from dataclasses import dataclass

# A fence opens at the start of a line, with a language or without, and closes, as in CommonMark, no more than three
# spaces deeper: what stands further in belongs to the program. One that never closes (a completion that was cut off)
# goes on to the end.
_FENCE = re.compile(
    r"^([ \t]*)(```+|~~~+)[ \t]*([\w+.#-]*)[^\n]*\n(.*?)(?:^(?:\1)? {0,3}\2[ \t]*\r?$|\Z)", re.MULTILINE | re.DOTALL
)


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

    One fenced block: its contents. None: the whole text. Several: the first that defines the name at its top level,
    else the first.

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
    blocks = [_unindent(match.group(4), match.group(1)) for match in _FENCE.finditer(completion)]
    if not blocks:
        return _given(completion)
    if len(blocks) == 1:
        return _given(blocks[0])
    defines = re.compile(
        rf"^(?:(?:async[ \t]+)?def|class)[ \t]+{re.escape(root)}\b|^{re.escape(root)}[ \t]*[:=]", re.MULTILINE
    )
    for number, block in enumerate(blocks, 1):
        if defines.search(block):
            return Program(block, f"block {number} of {len(blocks)}, the first that defines {root}")
    return Program(blocks[0], f"block 1 of {len(blocks)}, none of which defines {root}")


def _unindent(text: str, fence: str) -> str:
    """The lines of a block without the indentation of its fence, which it has in a list."""
    return re.sub(rf"^{re.escape(fence)}", "", text, flags=re.MULTILINE) if fence else text


def _given(text: str) -> Program:
    return Program(text, unreadable="" if text.strip() else "empty")
