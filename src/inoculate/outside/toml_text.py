"""Reads TOML that users have written: whatever its parser raises becomes one error with a line."""

from __future__ import annotations

import re
import tomllib
from typing import Any

_TOO_LONG = re.compile(r"\d{4000,}")
"""More digits than Python reads as a number."""


class NotTOML(ValueError):
    """A text is not TOML. Its message says why, without the line where that is not known."""

    def __init__(self, why: str, line: int | None, *, said_by_parser: bool = True) -> None:
        """Set up.

        Args:
            why: What is wrong.
            line: Where; None at the end of the text, or where it is not known.
            said_by_parser: Whether `why` is about the form of the text, and not about what can be read.
        """
        super().__init__(why)
        self.line, self.said_by_parser = line, said_by_parser


def parse(text: str) -> dict[str, Any]:
    """The tables of a text.

    Raises:
        NotTOML: It is not TOML, or has what Python cannot read: tables too deep in each other, or endless numbers.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        raise NotTOML(str(error), int(found[1]) if found else None) from None
    except RecursionError:
        lines = text.split("\n")
        deepest = max(range(len(lines)), key=lambda number: lines[number].count("[") + lines[number].count("{"))
        why = "lists or tables lie too deep in each other to be read"
        raise NotTOML(why, deepest + 1, said_by_parser=False) from None
    except ValueError:
        found = _TOO_LONG.search(text)
        line = text.count("\n", 0, found.start()) + 1 if found else None
        raise NotTOML("a number with thousands of digits cannot be read", line, said_by_parser=False) from None
