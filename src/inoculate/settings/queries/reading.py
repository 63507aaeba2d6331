"""How a completion of the `queries` setting is read: which part of what a model wrote is the query.

The first fenced block; without one, what follows from the first line that begins with SELECT, WITH or VALUES to the
end of the first line that ends with a semicolon, or to the next blank line; without one, the first `span` in
backquotes; without that, the whole text. SQLite decides whether it is a query.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST = 20_000
"""Characters of a query; the longest honest ones have 300."""
_LONGEST_COMPLETION = 200_000

_NO_TEXT = re.compile("[\0\ud800-\udfff]")
_FENCE = re.compile(r"^[ \t]*(```+|~~~+)[^\n]*\n(.*?)(?:^[ \t]*\1[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
_BEGINNING = re.compile(r"^[ \t]*(?:select|with|values)\b", re.MULTILINE | re.IGNORECASE)
_END = re.compile(r";[ \t]*$|\n[ \t]*$", re.MULTILINE)
_SPAN = re.compile(r"(`{1,3})([^`\n]+)\1")


@dataclass(frozen=True)
class Answer:
    """The query in a completion."""

    query: str = ""
    unreadable: str = ""
    """Why there is none; empty where there is one."""


def read(completion: str) -> Answer:
    """The query in a completion, as the module says."""
    if len(completion) > _LONGEST_COMPLETION:
        return Answer(unreadable=f"longer than {_LONGEST_COMPLETION:,} characters")
    if _NO_TEXT.search(completion):
        return Answer(unreadable="not text: it holds NULs or lone surrogates")
    query = _query(completion).strip()
    if not query:
        return Answer(unreadable="empty")
    if len(query) > LONGEST:
        return Answer(unreadable=f"longer than {LONGEST:,} characters")
    return Answer(query)


def _query(completion: str) -> str:
    block = _FENCE.search(completion)
    if block:
        return block.group(2)
    beginning = _BEGINNING.search(completion)
    if beginning:
        end = _END.search(completion, beginning.end())
        return completion[beginning.start() : end.end() if end else None]
    span = _SPAN.search(completion)
    return span.group(2) if span else completion
