"""What commands print: text for people, lines for `grep`, or one JSON document."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

_UNLIMITED_WIDTH = 100_000
"""The width where there is no terminal: more than any line needs."""


def console() -> Console:
    """Standard output. In a pipe every row of a table is one line, so that no name is cut and `grep` finds it."""
    from rich.console import Console

    return Console() if sys.stdout.isatty() else Console(width=_UNLIMITED_WIDTH)


def print_json(document: Any) -> None:
    """Print one JSON document.

    Args:
        document: Plain data.
    """
    # Characters beyond ASCII are escaped: a model may write some that cannot be encoded (lone surrogates).
    print(json.dumps(document, indent=1, allow_nan=False))


def print_columns(rows: Sequence[Sequence[str]]) -> None:
    """Print a line for each row. Only the last column is ever cut, and only in a terminal.

    Args:
        rows: Of equal length; the last value of each is a text, the others are names.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]
    available = shutil.get_terminal_size().columns - sum(width + 2 for width in widths)
    for *names, text in rows:
        if sys.stdout.isatty() and len(text) > available > 3:
            text = text[: available - 3] + "..."
        print("".join(f"{name:{width}}  " for name, width in zip(names, widths, strict=True)) + text)


def print_facts(title: str, facts: Sequence[tuple[str, str]]) -> None:
    """Print names and values below a title. Values are wrapped in a terminal only, and never within a word.

    Args:
        title: What the facts are about.
        facts: Name and value; a value may have several lines.
    """
    width = max(len(name) for name, _ in facts) + 2
    available = shutil.get_terminal_size().columns - width if sys.stdout.isatty() else _UNLIMITED_WIDTH
    print(title)
    for name, value in facts:
        for line in value.splitlines():
            for part in textwrap.wrap(line, max(available, width), break_long_words=False, break_on_hyphens=False):
                print(f"{name:{width}}{part}")
                name = ""
