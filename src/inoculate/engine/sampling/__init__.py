"""Sampling: prompts in, completions out; `local` in this process, `server` from one that is running."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Drawn:
    """One completion: the prompt's index, which of its samples, the text and what it took."""

    prompt: int
    index: int
    text: str
    prompt_tokens: int
    completion_tokens: int
    finished: bool
    """False where it was cut at the limit on new tokens."""
    seconds: float
    """Wall clock of what came together, divided by how many came."""
