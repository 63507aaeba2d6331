"""What a reply says after it has thought aloud: models that reason write that between `<think>` and `</think>`.

A chat template may have written the opening tag. So what stands before a closing tag on a line of its own is thought
too. A reply that is cut off while it thinks says nothing. Tags elsewhere are text like any other.
"""

from __future__ import annotations

import re

_THOUGHT = re.compile(
    r"\s*<(think(?:ing)?)>.*?(?:</\1>|\Z)|.*?^[ \t]*</think(?:ing)?>[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE
)


def spoken(reply: str) -> str:
    """A reply without what it thinks aloud."""
    thought = _THOUGHT.match(reply) if "think" in reply else None
    return reply[thought.end() :].lstrip("\r\n") if thought else reply
