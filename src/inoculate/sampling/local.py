"""Sampling with transformers in this process.

What all prompts begin with (system prompt, opening of the task) passes through the model once. Prompts are taken in
batches, and read a few of like length at a time; a prompt's samples share one pass over it; a row that has finished
leaves the batch, so that later steps cost only what is still being written. Batches are fixed by the prompts alone, so
that an interrupted run goes on with the batches that are missing and gives the same completions.

Shapes: B rows of a batch, L tokens of the longest prompt in it, V vocabulary.
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

BATCH_ROWS = 64
"""Completions written at once. Larger batches gain little on a CPU and cost memory."""
READ_ROWS = 8
"""Prompts of a batch that are read at once: few, so that they are of like length and little is padding."""


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


def batches(lengths: Sequence[int], samples: int) -> list[list[int]]:
    """Indices of prompts in batches of like length, each at most `BATCH_ROWS` completions (or one prompt)."""
    order = sorted(range(len(lengths)), key=lambda index: (lengths[index], index))
    size = max(1, BATCH_ROWS // samples)
    return [order[start : start + size] for start in range(0, len(order), size)]


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
    """Draw completions, a batch at a time.

    Args:
        sampler: From `load`.
        prompts: Rendered prompts.
        samples: Completions per prompt.
        temperature: 0 for greedy.
        max_new_tokens: Completions are cut there, and say so.
        seed: Of sampling; each batch has a stream of its own.
        skip: How many batches were done before (their completions are not made again).
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
    for number, members in enumerate(batches([len(ids) for ids in tokens], samples)):
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
    """Write the completions of a batch.

    Args:
        sampler: The model.
        prefix: Cache of the `shared` tokens that every prompt begins with, for one row; it is not changed.
        shared: How many those are.
        prompts: What follows them in each prompt.
        samples: Completions of each prompt.
        temperature: 0 for greedy.
        max_new_tokens: Where completions are cut.
        generator: Random numbers for this batch.

    Returns:
        Tokens of each completion, and whether it ended by itself; ordered by prompt, then sample.
    """
    where = sampler.device.device
    cache, mask, logits = _read_all(sampler, prefix, shared, prompts)
    at = mask.sum(1, keepdim=True) - 1
    if samples > 1:
        cache.batch_repeat_interleave(samples)
        mask, at, logits = (x.repeat_interleave(samples, 0) for x in (mask, at, logits))
    written: list[list[int]] = [[] for _ in range(len(prompts) * samples)]
    finished = [False] * len(written)
    live = list(range(len(written)))
    for count in range(max_new_tokens):
        chosen = _choose(logits, temperature, generator)
        stay = []
        for row, (owner, token) in enumerate(zip(live, chosen.tolist(), strict=True)):
            if token in sampler.stops:
                finished[owner] = True
            else:
                written[owner].append(token)
                stay.append(row)
        if not stay or count == max_new_tokens - 1:
            break
        if len(stay) < len(live):
            kept = torch.tensor(stay, device=where)
            cache.batch_select_indices(kept)
            mask, at, chosen = mask[kept], at[kept], chosen[kept]
            live = [live[row] for row in stay]
        mask = torch.cat([mask, mask.new_ones(len(live), 1)], 1)
        at = at + 1
        logits = _step(sampler, chosen[:, None], mask, at, cache)
    return list(zip(written, finished, strict=True))


def _read_all(
    sampler: Sampler, prefix: DynamicCache, shared: int, prompts: Sequence[list[int]]
) -> tuple[DynamicCache, torch.Tensor, torch.Tensor]:
    """Read prompts, a few of like length at a time.

    Returns:
        The cache of all prompts, with padding on the left where a prompt is shorter than the longest; a (B, L) mask of
        what in it is no padding; and the logits (B, V) after each prompt.
    """
    # Layers that keep only a window of the past cannot be padded afterwards.
    plain = all(type(layer) is DynamicLayer for layer in prefix.layers)
    size = READ_ROWS if plain and len(prefix.layers) else len(prompts)
    groups = [prompts[start : start + size] for start in range(0, len(prompts), size)]
    read = [_read_group(sampler, copy.deepcopy(prefix), shared, group) for group in groups]
    caches, masks, logits = zip(*read, strict=True)
    width = max(mask.shape[1] for mask in masks)
    for number, layer in enumerate(caches[0].layers if len(read) > 1 else ()):
        same = [cache.layers[number] for cache in caches]
        layer.keys = torch.cat([pad(one.keys, (0, 0, width - one.keys.shape[2], 0)) for one in same])
        layer.values = torch.cat([pad(one.values, (0, 0, width - one.values.shape[2], 0)) for one in same])
    return caches[0], torch.cat([pad(mask, (width - mask.shape[1], 0)) for mask in masks]), torch.cat(logits)


def _read_group(
    sampler: Sampler, cache: DynamicCache, shared: int, prompts: Sequence[list[int]]
) -> tuple[DynamicCache, torch.Tensor, torch.Tensor]:
    where = sampler.device.device
    width = max(len(ids) for ids in prompts)
    filler = sampler.stops[0]
    inputs = torch.tensor([[filler] * (width - len(ids)) + ids for ids in prompts], device=where)  # (B, L)
    # The padding stands between what is shared and what is not: (B, shared + L).
    mask = torch.tensor([[1] * shared + [0] * (width - len(ids)) + [1] * len(ids) for ids in prompts], device=where)
    positions = (mask.cumsum(1) - 1).clamp(min=0)[:, shared:]
    if shared:
        cache.batch_repeat_interleave(len(prompts))
    return cache, mask, _step(sampler, inputs, mask, positions, cache)


def last(inputs: torch.Tensor, count: int) -> torch.Tensor:
    """The last positions of a (B, L) batch, (count,), for `logits_to_keep`.

    As positions and not as a number: the model would *slice* its hidden states, and torch multiplies a slice with
    frozen weights row by row, each row with its own copy of the whole vocabulary's matrix (measured with 48 prompts, an
    adapter merged in and 150,000 words: 41 s instead of 11 s for reading the prompts).
    """
    length = inputs.shape[1]
    return torch.arange(length - count, length, device=inputs.device)


def _step(
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
