"""Sampling with transformers in this process.

All completions that a model with one adapter is to write go through one batch, whatever request they belong to. The
beginnings that prompts share pass through the model once (`prefixes`), and the samples of a prompt share one prefill.
A completion that has finished leaves the batch and is handed over, and the next prompts take its place. Every
completion draws from a random stream of its own (`drawing`), so that the same ones come out, up to rounding, whatever
they are sampled with: alone, with other requests, or after an interruption.

A model that this fast path does not know is sampled by transformers' `generate` (`plain`), with the same streams.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch

from inoculate.engine.sampling import Request, SampledCompletion, plain, stream
from inoculate.engine.sampling.drawing import next_tokens
from inoculate.engine.sampling.kv_cache import KVCache
from inoculate.engine.sampling.model import Sampler, decode_step, prefill
from inoculate.engine.sampling.prefixes import Beginning, beginnings
from inoculate.errors import UserError

BATCH_ROWS = 256
"""Completions that are decoded together: the most that an interrupted run repeats. A step has a fixed cost: the more
completions the better (135M model on two cores: 34 ms for one, 113 for 64, 186 for 128)."""
BATCH_TOKENS = 65_536
"""Tokens of all sequences that are decoded together, so that the KV cache is bounded."""
PREFILL_TOKENS = 1024
"""Tokens of a prefill batch: enough for matrix products to be fast."""
PREFILL_PROMPTS = 8
"""Prompts that have to fit before more are prefilled: with few tokens matrix products are slow."""
PLAIN_ROWS, PLAIN_TOKENS = 64, 32_768
"""Completions, and tokens of all sequences, that are drawn together on the plain path."""


@dataclass(frozen=True)
class _Prompt:
    """A prompt whose completions are missing."""

    number: int
    """Of its request."""
    request: Request
    index: int
    """Among the prompts of its request."""
    tokens: list[int]
    samples: list[int]
    """The samples that are missing."""


@dataclass(frozen=True)
class _Row:
    """A completion in progress."""

    prompt: _Prompt
    column: int
    """Its place among the missing samples of its prompt."""
    stream: int
    tokens: list[int] = field(default_factory=list)
    log_probabilities: list[float] = field(default_factory=list)


def sample(sampler: Sampler, requests: Sequence[Request]) -> Iterator[tuple[int, list[SampledCompletion]]]:
    """Draw the missing completions of all requests together.

    Args:
        sampler: The model, with the adapter that is to be sampled from.
        requests: What is wanted.

    Yields:
        The number of a request, and those of its completions that have just been finished, in no particular order.

    Raises:
        UserError: A prompt and its completion would be longer than the model's context.
    """
    prompts = _missing_prompts(sampler, requests)
    batch = _Batch(sampler, prompts) if sampler.is_fast else _PlainBatch(sampler, prompts)
    before = time.perf_counter()
    while batch.is_unfinished():
        finished = batch.advance()
        if not finished:
            continue
        now = time.perf_counter()
        seconds, before = (now - before) / len(finished), now
        for number in sorted({row.prompt.number for row, _ in finished}):
            rows = [(row, stopped) for row, stopped in finished if row.prompt.number == number]
            yield number, [_completion(sampler, row, stopped, seconds) for row, stopped in rows]


def _missing_prompts(sampler: Sampler, requests: Sequence[Request]) -> list[_Prompt]:
    """Prompts of which completions are missing; those that begin alike are neighbours.

    Raises:
        UserError: A prompt and its completion would be longer than the model's context.
    """
    context, found = sampler.context, []
    for number, request in enumerate(requests):
        missing: dict[int, list[int]] = {}
        for prompt, index in request.missing():
            missing.setdefault(prompt, []).append(index)
        for prompt, text in enumerate(request.prompts):
            ids = sampler.tokenizer(text, add_special_tokens=False)["input_ids"]
            if len(ids) + request.max_new_tokens > context:
                raise UserError(
                    f"{request.name(prompt)} has {len(ids)} tokens; with {request.max_new_tokens} new ones it exceeds "
                    f"the model's context of {context}: lower {request.limit} or choose shorter problems"
                )
            if prompt in missing:
                found.append(_Prompt(number, request, prompt, ids, missing[prompt]))
    return sorted(found, key=lambda prompt: prompt.tokens)


def _rows(prompt: _Prompt) -> list[_Row]:
    """The missing completions of a prompt, with no token yet."""
    return [
        _Row(prompt, column, stream(prompt.request.seed, prompt.index, index))
        for column, index in enumerate(prompt.samples)
    ]


def _completion(sampler: Sampler, row: _Row, stopped: bool, seconds: float) -> SampledCompletion:
    return SampledCompletion(
        prompt=row.prompt.index,
        index=row.prompt.samples[row.column],
        text=str(sampler.tokenizer.decode(row.tokens[: len(row.tokens) - stopped], skip_special_tokens=True)),
        prompt_tokens=len(row.prompt.tokens),
        completion_tokens=len(row.tokens) - stopped,
        finished=stopped,
        seconds=seconds,
        tokens=tuple(row.tokens),
        log_probabilities=tuple(row.log_probabilities),
    )


class _PlainBatch:
    """Completions that wait for `plain.generate`, batch after batch; those with prompts of like length together."""

    def __init__(self, sampler: Sampler, prompts: Sequence[_Prompt]) -> None:
        self.sampler = sampler
        self.waiting = [row for prompt in sorted(prompts, key=lambda one: len(one.tokens)) for row in _rows(prompt)]
        lengths = {len(prompt.tokens) for prompt in prompts}
        self.mixes_lengths = len(lengths) > 1 and sampler.ignores_padding

    def is_unfinished(self) -> bool:
        """Whether there is anything left to sample."""
        return bool(self.waiting)

    def advance(self) -> list[tuple[_Row, bool]]:
        """Draw the next batch.

        Returns:
            Its completions, and whether they ended by themselves.
        """
        longest = max(len(row.prompt.tokens) + row.prompt.request.max_new_tokens for row in self.waiting)
        count = max(1, min(PLAIN_ROWS, PLAIN_TOKENS // longest))
        if not self.mixes_lengths:
            shortest = len(self.waiting[0].prompt.tokens)
            count = min(count, sum(len(row.prompt.tokens) == shortest for row in self.waiting))
        batch, self.waiting = self.waiting[:count], self.waiting[count:]
        wanted = [
            plain.Wanted(row.prompt.tokens, request.temperature, request.max_new_tokens, row.stream)
            for row, request in ((row, row.prompt.request) for row in batch)
        ]
        found = plain.generate(self.sampler.model, wanted, self.sampler.stops)
        for row, tokens, log_probabilities in zip(batch, *found, strict=True):
            row.tokens.extend(tokens)
            row.log_probabilities.extend(log_probabilities)
        return [(row, row.tokens[-1] in self.sampler.stops) for row in batch]


class _Batch:
    """Completions in progress, their caches, and the prompts that wait for a place."""

    def __init__(self, sampler: Sampler, prompts: Sequence[_Prompt]) -> None:
        self.sampler, self.waiting = sampler, list(prompts)
        self.active: list[_Prompt] = []
        """The prompt in each slot of the prompt cache."""
        self.rows: list[_Row] = []
        """The completion in each slot of the cache."""
        fewest = min((len(prompt.samples) for prompt in prompts), default=1)
        most = max((len(prompt.samples) for prompt in prompts), default=1)
        longest = max((len(prompt.tokens) for prompt in prompts), default=0)
        new = max((prompt.request.max_new_tokens for prompt in prompts), default=0)
        fitting = min(BATCH_ROWS, BATCH_TOKENS // max(1, -(-longest // fewest) + new))
        self.free_rows = max(most, min(fitting, sum(len(prompt.samples) for prompt in prompts)))
        self.free_prompts = max(1, min(self.free_rows // fewest, len(prompts)))
        self.cache, self.prompt_cache = KVCache(self.free_rows), KVCache(self.free_prompts)
        self._logits: list[torch.Tensor] = []  # (B, V) after the last token of each row, in parts

    def is_unfinished(self) -> bool:
        """Whether there is anything left to sample."""
        return bool(self.waiting or self.rows)

    @torch.inference_mode()
    def advance(self) -> list[tuple[_Row, bool]]:
        """Draw a token for every completion in the batch.

        Returns:
            The completions that are finished by it, and whether they ended by themselves.
        """
        self._admit()
        logits = self._logits[0] if len(self._logits) == 1 else torch.cat(self._logits)
        tokens, log_probabilities = next_tokens(
            logits,
            [row.prompt.request.temperature for row in self.rows],
            [row.stream for row in self.rows],
            [len(row.tokens) for row in self.rows],
        )
        finished, kept = [], []
        for number, (row, token) in enumerate(zip(self.rows, tokens, strict=True)):
            stopped = token in self.sampler.stops
            row.tokens.append(token)
            row.log_probabilities.append(log_probabilities[number])
            if stopped or len(row.tokens) >= row.prompt.request.max_new_tokens:
                finished.append((row, stopped))
            else:
                kept.append(number)
        self._keep(kept)
        self._logits = [self._decode()] if self.rows else []
        return finished

    def _keep(self, kept: list[int]) -> None:
        """Remove all other rows, and the prompts that have none left."""
        self.free_rows += len(self.rows) - len(kept)
        self.rows = [self.rows[number] for number in self.cache.compact(kept)]
        needed = {id(row.prompt) for row in self.rows}
        slots = [slot for slot, prompt in enumerate(self.active) if id(prompt) in needed]
        self.free_prompts += len(self.active) - len(slots)
        self.active = [self.active[slot] for slot in self.prompt_cache.compact(slots)]

    def _decode(self) -> torch.Tensor:
        """Logits (B, V) after the last token of every row."""
        slots = {id(prompt): slot for slot, prompt in enumerate(self.active)}
        most = max(len(prompt.samples) for prompt in self.active)
        rows = [(slots[id(row.prompt)], len(row.prompt.tokens), row.column, row.tokens) for row in self.rows]
        return decode_step(self.sampler, self.cache, self.prompt_cache, most, len(self.active), rows)

    def _admit(self) -> None:
        """Prefill the next prompts, as many as fit, once there is room for some."""
        count, rows = 0, 0
        for prompt in self.waiting[: self.free_prompts]:
            if rows + len(prompt.samples) > self.free_rows:
                break
            count, rows = count + 1, rows + len(prompt.samples)
        if not count or (self.active and count < min(PREFILL_PROMPTS, len(self.waiting))):
            return
        admitted, self.waiting = self.waiting[:count], self.waiting[count:]
        self.free_prompts, self.free_rows = self.free_prompts - count, self.free_rows - rows
        self._prefill(admitted)

    def _prefill(self, admitted: Sequence[_Prompt]) -> None:
        """Prefill prompts, wave after wave."""
        ready = sorted(range(len(self.active)), key=lambda slot: self.active[slot].tokens)
        prompts = [self.active[slot] for slot in ready] + list(admitted)
        found = beginnings([prompt.tokens for prompt in prompts], len(ready))
        widths = [len(prompt.tokens) - beginning.shared for prompt, beginning in zip(prompts, found, strict=True)]
        order = sorted(range(len(ready), len(prompts)), key=lambda number: found[number].wave)
        slots = dict(enumerate(ready)) | {number: len(self.active) + place for place, number in enumerate(order)}
        for members in _prefill_batches(order, found, widths):
            donors = [(slots[found[number].donor], slots[number]) for number in members if found[number].shared]
            if donors:
                width = max(found[number].shared for number in members)
                self.prompt_cache.copy([source for source, _ in donors], [target for _, target in donors], width)
            cached = [found[number].shared for number in members]
            suffixes = [prompts[number].tokens[found[number].shared :] for number in members]
            logits = prefill(self.sampler, self.prompt_cache, slots[members[0]], cached, suffixes)
            samples = [len(prompts[number].samples) for number in members]
            self._logits.append(logits.repeat_interleave(torch.tensor(samples, device=logits.device), 0))
        for number in order:
            prompt = prompts[number]
            self.active.append(prompt)
            self.rows += _rows(prompt)


def _prefill_batches(order: Sequence[int], found: Sequence[Beginning], widths: Sequence[int]) -> Iterator[list[int]]:
    """Consecutive prompts of one wave, with at most `PREFILL_TOKENS` tokens (or one prompt)."""
    members: list[int] = []
    for number in order:
        is_full = sum(widths[member] for member in members) + widths[number] > PREFILL_TOKENS
        if members and (is_full or found[number].wave != found[members[0]].wave):
            yield members
            members = []
        members.append(number)
    if members:
        yield members
