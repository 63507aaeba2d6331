"""Sampling with transformers in this process.

What all prompts begin with (system prompt, opening of the task) passes through the model once; a prompt's samples
share one pass over it. Prompts are read a few of like length at a time. A row that has finished leaves, and the next
prompts take its place. All this happens within a chunk; chunks are fixed by the prompts alone, so that an interrupted
run goes on with the chunks that are missing and gives the same completions.

Shapes: B rows being written, L positions of the cache, V vocabulary.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from torch.nn.functional import pad
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache, PreTrainedTokenizerBase
from transformers.cache_utils import DynamicLayer

from inoculate.device import Device
from inoculate.errors import UserError
from inoculate.packed import pack
from inoculate.sampling import Drawn

CHUNK_ROWS = 256
"""Completions of a chunk: what an interrupted run may have to write again, and the fewer chunks the fewer steps for the
few rows that are long."""
BATCH_ROWS = 64
"""Completions written at once. More gain little on a CPU and cost memory."""
READ_ROWS = 8
"""Completions whose prompts are read at once: few, so that the prompts are of like length and little is padding."""


@dataclass(frozen=True)
class Sampler:
    """A model, with its adapter merged in, ready to write."""

    model: Any
    tokenizer: PreTrainedTokenizerBase
    device: Device
    stops: tuple[int, ...]
    """Tokens that end an answer."""


def load(model: Path, adapter: Path | None, device: Device) -> Sampler:
    """Load a model and merge an adapter into its weights.

    Args:
        model: A folder of base weights.
        adapter: A PEFT folder; None for the untrained model.
        device: Where and in what precision.
    """
    base: Any = AutoModelForCausalLM.from_pretrained(model, dtype=device.dtype, attn_implementation="sdpa")
    if adapter is not None:
        base = PeftModel.from_pretrained(base, adapter).merge_and_unload()
    tokenizer = AutoTokenizer.from_pretrained(model)
    ends = base.generation_config.eos_token_id
    stops = {tokenizer.eos_token_id, *(ends if isinstance(ends, list) else [ends])} - {None}
    base = base.to(device.device).eval()
    pack(base, device)
    return Sampler(base, tokenizer, device, tuple(sorted(stops)))


def chunks(lengths: Sequence[int], samples: int) -> list[list[int]]:
    """Indices of prompts, ordered by length, in chunks of at most `CHUNK_ROWS` completions (or one prompt)."""
    order = sorted(range(len(lengths)), key=lambda index: (lengths[index], index))
    return _parts(order, CHUNK_ROWS // samples)


def _parts(whole: list[int], size: int) -> list[list[int]]:
    size = max(1, size)
    return [whole[start : start + size] for start in range(0, len(whole), size)]


def sample(
    sampler: Sampler,
    prompts: Sequence[str],
    *,
    samples: int,
    temperature: float,
    max_new_tokens: int,
    seed: int,
    skip: int = 0,
    names: Sequence[str] = (),
) -> Iterator[list[Drawn]]:
    """Draw completions, a chunk at a time.

    Args:
        sampler: From `load`.
        prompts: Rendered prompts.
        samples: Completions per prompt.
        temperature: 0 for greedy.
        max_new_tokens: Completions are cut there, and say so.
        seed: Of sampling; each chunk has a stream of its own.
        skip: How many chunks were done before (their completions are not made again).
        names: What the prompts are called in a refusal.

    Raises:
        UserError: A prompt and its completion would be longer than the model's context.
    """
    tokens = [sampler.tokenizer(prompt, add_special_tokens=False)["input_ids"] for prompt in prompts]
    longest = int(sampler.model.config.max_position_embeddings)
    for index, ids in enumerate(tokens):
        if len(ids) + max_new_tokens > longest:
            name = names[index] if names else f"prompt {index}"
            raise UserError(
                f"{name} has {len(ids)} tokens; with {max_new_tokens} new ones it exceeds the model's context of "
                f"{longest}: lower evaluate.max_new_tokens or choose shorter problems"
            )
    common = shared(tokens)
    prefix = read(sampler, tokens[0][:common]) if common else DynamicCache(config=sampler.model.config)
    rests = [ids[common:] for ids in tokens]
    for number, members in enumerate(chunks([len(ids) for ids in tokens], samples)):
        if number < skip:
            continue
        generator = torch.Generator(device=sampler.device.device).manual_seed(seed * 1_000_003 + number)
        start = time.perf_counter()
        rest = [rests[i] for i in members]
        written = _write(sampler, prefix, common, rest, samples, temperature, max_new_tokens, generator)
        each = (time.perf_counter() - start) / len(written)
        yield [
            Drawn(
                prompt=members[row // samples],
                index=row % samples,
                text=str(sampler.tokenizer.decode(ids, skip_special_tokens=True)),
                prompt_tokens=len(tokens[members[row // samples]]),
                completion_tokens=len(ids),
                finished=finished,
                seconds=each,
            )
            for row, (ids, finished) in enumerate(written)
        ]


def shared(tokens: Sequence[list[int]]) -> int:
    """How many tokens all prompts begin with; every prompt keeps at least one of its own."""
    first, last = min(tokens, default=[]), max(tokens, default=[])
    length = 0
    while length < min(len(first), len(last)) - 1 and first[length] == last[length]:
        length += 1
    return min([length, *(len(ids) - 1 for ids in tokens)])


@torch.inference_mode()
def read(sampler: Sampler, ids: list[int]) -> DynamicCache:
    """The cache after these tokens, for one row."""
    cache = DynamicCache(config=sampler.model.config)
    sampler.model(input_ids=torch.tensor([ids], device=sampler.device.device), cache=cache, use_cache=True)
    return cache


@dataclass
class _Live:
    """Rows that are being written."""

    owners: list[int]
    """(B,) Which completion of the chunk each row is."""
    cache: DynamicCache
    mask: torch.Tensor
    """(B, L) Which positions of the cache are no padding."""
    logits: torch.Tensor
    """(B, V) After the last token of each row."""


@torch.inference_mode()
def _write(
    sampler: Sampler,
    prefix: DynamicCache,
    shared: int,
    prompts: Sequence[list[int]],
    samples: int,
    temperature: float,
    max_new_tokens: int,
    generator: torch.Generator,
) -> list[tuple[list[int], bool]]:
    """Write the completions of a chunk.

    Args:
        sampler: The model.
        prefix: Cache of the `shared` tokens that every prompt begins with, for one row; it is not changed.
        shared: How many those are.
        prompts: What follows them in each prompt.
        samples: Completions of each prompt.
        temperature: 0 for greedy.
        max_new_tokens: Where completions are cut.
        generator: Random numbers for this chunk.

    Returns:
        Tokens of each completion, and whether it ended by itself; ordered by prompt, then sample.
    """
    written: list[list[int]] = [[] for _ in range(len(prompts) * samples)]
    finished = [False] * len(written)
    # Layers that keep only a window of the past cannot be padded, so nothing joins the rows that they have.
    joins = bool(prefix.layers) and all(type(layer) is DynamicLayer for layer in prefix.layers)
    groups = _parts(list(range(len(prompts))), (READ_ROWS if joins else BATCH_ROWS) // samples)
    live: list[_Live] = []
    while groups or live:
        while groups and (not live or (joins and _rows(live) + len(groups[0]) * samples <= BATCH_ROWS)):
            live.append(_read(sampler, prefix, shared, groups.pop(0), prompts, samples))
        rows = _joined(live)
        chosen = _choose(rows.logits, temperature, generator)
        stay = []
        for row, (owner, token) in enumerate(zip(rows.owners, chosen.tolist(), strict=True)):
            finished[owner] = token in sampler.stops
            if not finished[owner]:
                written[owner].append(token)
            if not finished[owner] and len(written[owner]) < max_new_tokens:
                stay.append(row)
        live = [_step(sampler, rows, chosen, stay)] if stay else []
    return list(zip(written, finished, strict=True))


def _rows(live: Sequence[_Live]) -> int:
    return sum(len(one.owners) for one in live)


def _read(
    sampler: Sampler,
    prefix: DynamicCache,
    shared: int,
    group: Sequence[int],
    prompts: Sequence[list[int]],
    samples: int,
) -> _Live:
    """Read some of the prompts; each becomes as many rows as it has samples."""
    where = sampler.device.device
    rests = [prompts[index] for index in group]
    width = max(map(len, rests))
    filler = sampler.stops[0]
    inputs = torch.tensor([[filler] * (width - len(ids)) + ids for ids in rests], device=where)
    # The padding stands between what is shared and what is not: (B, shared + width).
    mask = torch.tensor([[1] * shared + [0] * (width - len(ids)) + [1] * len(ids) for ids in rests], device=where)
    cache = copy.deepcopy(prefix)
    if shared:
        cache.batch_repeat_interleave(len(rests))
    logits = _logits(sampler, inputs, mask, (mask.cumsum(1) - 1).clamp(min=0)[:, shared:], cache)
    if samples > 1:
        cache.batch_repeat_interleave(samples)
        mask, logits = mask.repeat_interleave(samples, 0), logits.repeat_interleave(samples, 0)
    owners = [index * samples + sample for index in group for sample in range(samples)]
    return _Live(owners, cache, mask, logits)


def _joined(live: Sequence[_Live]) -> _Live:
    """All rows as one, with padding on the left of those that have less behind them."""
    if len(live) == 1:
        return live[0]
    # Where those that had most behind them have left, nobody needs their positions any more.
    unused = [int(one.mask.argmax(1).min()) for one in live]
    width = max(one.mask.shape[1] - first for one, first in zip(live, unused, strict=True))
    cache = live[0].cache
    for number, layer in enumerate(cache.layers):
        for name in ("keys", "values"):
            parts = (getattr(one.cache.layers[number], name) for one in live)
            kept = [part[:, :, first:] for part, first in zip(parts, unused, strict=True)]
            setattr(layer, name, torch.cat([pad(part, (0, 0, width - part.shape[2], 0)) for part in kept]))
    masks = [one.mask[:, first:] for one, first in zip(live, unused, strict=True)]
    return _Live(
        [owner for one in live for owner in one.owners],
        cache,
        torch.cat([pad(mask, (width - mask.shape[1], 0)) for mask in masks]),
        torch.cat([one.logits for one in live]),
    )


def _step(sampler: Sampler, rows: _Live, chosen: torch.Tensor, stay: Sequence[int]) -> _Live:
    """The rows that go on, after their chosen tokens."""
    mask, owners = rows.mask, rows.owners
    if len(stay) < len(owners):
        kept = torch.tensor(stay, device=mask.device)
        rows.cache.batch_select_indices(kept)
        mask, chosen, owners = mask[kept], chosen[kept], [owners[row] for row in stay]
    mask = torch.cat([mask, mask.new_ones(len(owners), 1)], 1)
    logits = _logits(sampler, chosen[:, None], mask, mask.sum(1, keepdim=True) - 1, rows.cache)
    return _Live(owners, rows.cache, mask, logits)


def last(inputs: torch.Tensor, count: int) -> torch.Tensor:
    """The last positions of a (B, L) batch, (count,), for `logits_to_keep`.

    As positions and not as a number: the model would *slice* its hidden states, and torch multiplies a slice with
    frozen weights row by row, each row with its own copy of the whole vocabulary's matrix (measured with 48 prompts, an
    adapter merged in and 150,000 words: 41 s instead of 11 s for reading the prompts).
    """
    length = inputs.shape[1]
    return torch.arange(length - count, length, device=inputs.device)


def _logits(
    sampler: Sampler, inputs: torch.Tensor, mask: torch.Tensor, positions: torch.Tensor, cache: DynamicCache
) -> torch.Tensor:
    """Logits (B, V) after the last token of each row."""
    out = sampler.model(
        input_ids=inputs,
        attention_mask=mask,
        position_ids=positions,
        cache=cache,
        use_cache=True,
        logits_to_keep=last(inputs, 1),
    )
    return out.logits[:, -1].float()


def _choose(logits: torch.Tensor, temperature: float, generator: torch.Generator) -> torch.Tensor:
    """The next token of each row, (B,)."""
    if temperature == 0:
        return logits.argmax(-1)
    return torch.multinomial(torch.softmax(logits / temperature, -1), 1, generator=generator)[:, 0]
