"""Sampling: prompts in, completions out; `in_process` with transformers here, `server` from a running server."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SampledCompletion:
    """One completion: the index of its prompt, which of the prompt's samples it is, the text and what it cost."""

    prompt: int
    index: int
    text: str
    prompt_tokens: int
    completion_tokens: int
    finished: bool
    """False where it was cut at the limit on new tokens."""
    seconds: float
    """Wall-clock time of the completions that arrived together, divided by their number."""
