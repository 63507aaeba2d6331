"""Sampling: `in_process` with transformers in this process, `server` from a server with OpenAI's completions API."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass

SampleKey = tuple[int, int]
"""The index of a prompt, and which of its samples."""


@dataclass(frozen=True)
class Request:
    """Prompts that are sampled alike, and what is wanted of each."""

    prompts: Sequence[str]
    """Rendered prompts."""
    samples: int
    """Completions per prompt."""
    temperature: float
    """0 for greedy."""
    max_new_tokens: int
    """Completions are cut there, and marked as not finished."""
    seed: int
    """The seed of sampling; each completion has a random stream of its own (`stream`)."""
    done: Collection[SampleKey] = ()
    """Completions that exist already, and are not sampled again."""
    names: Sequence[str] = ()
    """The names of the prompts in error messages."""
    limit: str = "evaluate.max_new_tokens"
    """The study's key for `max_new_tokens`, in error messages."""

    def name(self, prompt: int) -> str:
        """What an error message calls a prompt."""
        return self.names[prompt] if self.names else f"prompt {prompt}"

    def missing(self) -> list[SampleKey]:
        """The completions that do not exist yet."""
        existing = set(self.done)
        keys = ((prompt, index) for prompt in range(len(self.prompts)) for index in range(self.samples))
        return [key for key in keys if key not in existing]


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
    tokens: tuple[int, ...] = ()
    """Ids of its tokens, with the one that ended it; empty where a server gave text only."""
    log_probabilities: tuple[float, ...] = ()
    """Of each of these tokens, at the temperature of sampling."""


def stream(seed: int, prompt: int, index: int) -> int:
    """The random stream of one completion, in 64 bits: it depends on nothing else that is sampled with it.

    A hash, so that the streams of neighbouring seeds, prompts and samples are unrelated. Contexts and arms at the same
    seed have the same streams for the same problem (common random numbers).
    """
    return int.from_bytes(hashlib.sha256(f"{seed} {prompt} {index}".encode()).digest()[:8], "big")
