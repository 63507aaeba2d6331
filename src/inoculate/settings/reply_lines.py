"""The lines of a model's reply, for settings that read it line by line."""

from __future__ import annotations

import re

_LINE_END = re.compile(r"\r\n|\n|\r")


def split_lines(reply: str) -> list[str]:
    r"""The lines of a reply, which end at `\n`, `\r\n` or `\r`; like `str.splitlines`, without an empty last line.

    `str.splitlines` also ends lines at form feeds, U+2028 and other characters that may occur within a line.
    """
    lines = _LINE_END.split(reply)
    return lines if lines[-1] else lines[:-1]
