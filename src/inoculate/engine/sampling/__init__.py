"""Sampling: `in_process` with transformers in this process, `server` from a server with OpenAI's completions API."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SampledCompletion:
    """One completion: the index of its prompt, its number among the samples of this prompt, the text and its cost."""

    prompt: int
    index: int
    text: str
    prompt_tokens: int
    completion_tokens: int
    finished: bool
    """False if it was cut at the limit on new tokens."""
    seconds: float
    """Wall-clock time of the completions that arrived together, divided by their number."""
