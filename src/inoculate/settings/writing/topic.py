"""The topic of a text: its words, each with a sentence that uses it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Topic:
    """A topic; each topic is a kind of problem."""

    name: str
    """Begins with its family and a hyphen."""
    level: int
    about: str
    """The task, as it continues 'Write'."""
    sentences: Mapping[str, str]
    """Word -> a sentence of six words or more that uses it and none of the others."""

    @property
    def family(self) -> str:
        """The family of the topic."""
        return self.name.partition("-")[0]
