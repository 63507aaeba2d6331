"""Sampling with transformers in this process.

The prefix that all prompts share passes through the model once, and the samples of a prompt share one prefill.
Prompts are prefilled a few of similar length at a time. A completion that has finished leaves the batch, and the next
prompts take its place. All this happens within a chunk; the chunks depend on the prompts alone, so that an
interrupted run continues with the missing chunks and gives the same completions.

Shapes: B sequences of a forward pass, T tokens, V vocabulary.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from torch.nn.functional import pad
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerBase

from inoculate.engine.device import Device, rows_at_once
from inoculate.engine.kernels import attention
from inoculate.engine.kernels.packed import pack
from inoculate.engine.sampling import SampledCompletion
from inoculate.engine.sampling.kv_cache import ATTENTION, KVCache, SharedPrompts, register
from inoculate.errors import UserError

CHUNK_COMPLETIONS = 256
"""Completions of a chunk: the most that an interrupted run repeats. Larger chunks need fewer decoding steps for the few
completions that are long."""
BATCH_TOKENS = 65_536
"""Tokens of all sequences that are decoded together, so that the KV cache is bounded. A step has a fixed cost: the more
sequences the better (135M model on two cores: 34 ms for one sequence, 113 for 64, 186 for 128)."""
VOCABULARY_BLOCK = 128
"""Tokens of the vocabulary whose probabilities are summed as one block before a token in it is drawn."""
PREFILL_PROMPTS = 8
"""Prompts of a prefill batch: few, so that their lengths are similar and there is little padding."""


@dataclass(frozen=True)
class Sampler:
    """A model, with its adapter merged in, ready to sample."""

    model: Any
    tokenizer: PreTrainedTokenizerBase
    device: Device
    stops: tuple[int, ...]
    """Ids of the tokens that end an answer."""


def load(model: Path, adapter: Path | None, device: Device) -> Sampler:
    """Load a model and merge an adapter into its weights.

    Args:
        model: A folder of base weights.
        adapter: A PEFT folder; None for the untrained model.
        device: Device and precision.

    Raises:
        UserError: The model has layers that are not supported.
    """
    register()
    base: Any = AutoModelForCausalLM.from_pretrained(model, dtype=device.dtype, attn_implementation=ATTENTION)
    attention.check_layer_types(base.config)
    if adapter is not None:
        base = PeftModel.from_pretrained(base, adapter).merge_and_unload()
    tokenizer = AutoTokenizer.from_pretrained(model)
    eos = base.generation_config.eos_token_id
    stops = {tokenizer.eos_token_id, *(eos if isinstance(eos, list) else [eos])} - {None}
    base = base.to(device.device).eval()
    pack(base, device)
    return Sampler(base, tokenizer, device, tuple(sorted(stops)))


def chunks(lengths: Sequence[int], samples: int) -> list[list[int]]:
    """Indices of prompts, ordered by length, in chunks of at most `CHUNK_COMPLETIONS` completions (or one prompt)."""
    order = sorted(range(len(lengths)), key=lambda index: (lengths[index], index))
    return _split(order, CHUNK_COMPLETIONS // samples)


def _split(items: list[int], size: int) -> list[list[int]]:
    size = max(1, size)
    return [items[start : start + size] for start in range(0, len(items), size)]


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
    on_finished: Callable[[int], None] = lambda count: None,
) -> Iterator[list[SampledCompletion]]:
    """Draw completions, a chunk at a time.

    Args:
        sampler: From `load`.
        prompts: Rendered prompts.
        samples: Completions per prompt.
        temperature: 0 for greedy.
        max_new_tokens: Completions are cut there, and marked as not finished.
        seed: The seed of sampling; each chunk has a random generator of its own.
        skip: How many chunks exist already (they are not sampled again).
        names: The names of the prompts in error messages.
        on_finished: Called at every step with the number of finished completions of the chunk.

    Raises:
        UserError: A prompt and its completion would be longer than the model's context.
    """
    tokens = [sampler.tokenizer(prompt, add_special_tokens=False)["input_ids"] for prompt in prompts]
    context = int(sampler.model.config.max_position_embeddings)
    for index, ids in enumerate(tokens):
        if len(ids) + max_new_tokens > context:
            name = names[index] if names else f"prompt {index}"
            raise UserError(
                f"{name} has {len(ids)} tokens; with {max_new_tokens} new ones it exceeds the model's context of "
                f"{context}: lower evaluate.max_new_tokens or choose shorter problems"
            )
    shared = shared_prefix_length(tokens)
    prefix = prefill_prefix(sampler, tokens[0][:shared])
    suffixes = [ids[shared:] for ids in tokens]
    for number, members in enumerate(chunks([len(ids) for ids in tokens], samples)):
        if number < skip:
            continue
        generator = torch.Generator(device=sampler.device.device).manual_seed(seed * 1_000_003 + number)
        start = time.perf_counter()
        chunk_suffixes = [suffixes[i] for i in members]
        completions = _sample_chunk(
            sampler, prefix, shared, chunk_suffixes, samples, temperature, max_new_tokens, generator, on_finished
        )
        seconds = (time.perf_counter() - start) / len(completions)
        yield [
            SampledCompletion(
                prompt=members[row // samples],
                index=row % samples,
                text=str(sampler.tokenizer.decode(ids, skip_special_tokens=True)),
                prompt_tokens=len(tokens[members[row // samples]]),
                completion_tokens=len(ids),
                finished=finished,
                seconds=seconds,
            )
            for row, (ids, finished) in enumerate(completions)
        ]


def shared_prefix_length(tokens: Sequence[list[int]]) -> int:
    """How many leading tokens all prompts have in common; every prompt keeps at least one token of its own."""
    first, last = min(tokens, default=[]), max(tokens, default=[])
    length = 0
    while length < min(len(first), len(last)) - 1 and first[length] == last[length]:
        length += 1
    return min([length, *(len(ids) - 1 for ids in tokens)])


def prefill_prefix(sampler: Sampler, ids: list[int]) -> KVCache:
    """A cache of one slot with these tokens; an empty slot where there are none."""
    cache = KVCache(1)
    if ids:
        prefill(sampler, cache, 0, 0, [ids], logits_to_keep=1)
    return cache


@torch.inference_mode()
def prefill(
    sampler: Sampler, cache: KVCache, first: int, cached: int, suffixes: Sequence[list[int]], logits_to_keep: int
) -> torch.Tensor:
    """Prefill consecutive slots of a cache.

    Args:
        sampler: The model.
        cache: The cache to fill.
        first: The slot of the first sequence.
        cached: Tokens that the slots hold already.
        suffixes: The tokens of each of B sequences after those.
        logits_to_keep: For how many tokens at the end of each sequence logits are returned.

    Returns:
        Logits (B, logits_to_keep, V).
    """
    device, width = sampler.device.device, max(map(len, suffixes))
    padding = sampler.stops[0]
    inputs = torch.tensor([[padding] * (width - len(ids)) + ids for ids in suffixes], device=device)
    # Padding is stored after the last token: a position that no token sees before it is overwritten.
    unused = cached + width
    positions = [[unused] * (width - len(ids)) + list(range(cached, cached + len(ids))) for ids in suffixes]
    return _forward(sampler, inputs, torch.tensor(positions, device=device), cache, first, logits_to_keep)


@torch.inference_mode()
def _sample_chunk(
    sampler: Sampler,
    prefix: KVCache,
    shared: int,
    prompts: Sequence[list[int]],
    samples: int,
    temperature: float,
    max_new_tokens: int,
    generator: torch.Generator,
    on_finished: Callable[[int], None] = lambda count: None,
) -> list[tuple[list[int], bool]]:
    """Sample the completions of a chunk.

    Args:
        sampler: The model.
        prefix: A slot with the `shared` first tokens of every prompt; it is not changed.
        shared: How many those are.
        prompts: The remaining tokens of each prompt.
        samples: Completions of each prompt.
        temperature: 0 for greedy.
        max_new_tokens: Where completions are cut.
        generator: Random numbers for this chunk.
        on_finished: Called after every token with the number of finished completions.

    Returns:
        Tokens of each completion, and whether it ended by itself; ordered by prompt, then sample.
    """
    completions: list[list[int]] = [[] for _ in range(len(prompts) * samples)]
    finished = [False] * len(completions)
    longest = shared + max(map(len, prompts))
    capacity = max(samples, min(len(completions), BATCH_TOKENS // (-(-longest // samples) + max_new_tokens)))
    waiting = _split(list(range(len(prompts))), min(PREFILL_PROMPTS, capacity // samples))
    prompt_cache, cache = prefix.repeat_first(capacity // samples), KVCache(capacity)
    active: list[int] = []  # the prompt in each slot of the prompt cache
    owners: list[int] = []  # the completion in each slot of the cache
    logits: list[torch.Tensor] = []  # (B, V) after the last token of each sequence, in parts
    while waiting or owners:
        while waiting and len(active) + len(waiting[0]) <= capacity // samples:
            group = waiting.pop(0)
            suffixes = [prompts[index] for index in group]
            new = prefill(sampler, prompt_cache, len(active), shared, suffixes, logits_to_keep=1)[:, 0]
            logits.append(new.repeat_interleave(samples, 0))
            active += group
            owners += [index * samples + sample for index in group for sample in range(samples)]
        tokens = _next_tokens(logits[0] if len(logits) == 1 else torch.cat(logits), temperature, generator).tolist()
        kept = []
        for row, (owner, token) in enumerate(zip(owners, tokens, strict=True)):
            finished[owner] = token in sampler.stops
            if not finished[owner]:
                completions[owner].append(token)
            if not finished[owner] and len(completions[owner]) < max_new_tokens:
                kept.append(row)
        owners, logits = [owners[row] for row in cache.compact(kept)], []
        on_finished(len(completions) - len(owners) - samples * sum(map(len, waiting)))
        needed = {owner // samples for owner in owners}
        kept = [slot for slot, index in enumerate(active) if index in needed]
        active = [active[slot] for slot in prompt_cache.compact(kept)]
        if owners:
            located = {index: (slot, shared + len(prompts[index])) for slot, index in enumerate(active)}
            rows = [(*located[owner // samples], owner % samples, completions[owner]) for owner in owners]
            logits.append(decode_step(sampler, cache, prompt_cache, samples, len(active), rows))
    return list(zip(completions, finished, strict=True))


@torch.inference_mode()
def decode_step(
    sampler: Sampler,
    cache: KVCache,
    prompt_cache: KVCache,
    samples: int,
    count: int,
    rows: Sequence[tuple[int, int, int, list[int]]],
) -> torch.Tensor:
    """Logits (B, V) after the last token of every completion.

    Args:
        sampler: The model.
        cache: The cache of the completions.
        prompt_cache: The cache of their prompts.
        samples: Completions of each prompt.
        count: How many prompts there are.
        rows: For each completion its prompt's slot and length, which of the samples it is, and its tokens so far.
    """
    table = [(slot, length, sample, ids[-1], len(ids) - 1) for slot, length, sample, ids in rows]
    slot, length, sample, last, position = torch.tensor(table, device=sampler.device.device).T
    is_complete = [slot * samples + sample for slot, _, sample, _ in rows] == list(range(count * samples))
    shared_prompts = SharedPrompts(prompt_cache, samples, count, slot, sample, length, is_complete)
    return _forward(sampler, last[:, None], position[:, None], cache, 0, 1, shared_prompts)[:, 0]


def last_positions(inputs: torch.Tensor, count: int) -> torch.Tensor:
    """The last positions of a (B, L) batch, (count,), for `logits_to_keep`.

    As positions and not as a number: the model would *slice* its hidden states, and torch multiplies a slice with
    frozen weights row by row, each row with its own copy of the whole output matrix (measured with 48 prompts, a merged
    adapter and a vocabulary of 150,000: 41 s instead of 11 s for the prefill).
    """
    length = inputs.shape[1]
    return torch.arange(length - count, length, device=inputs.device)


def _forward(
    sampler: Sampler,
    inputs: torch.Tensor,
    positions: torch.Tensor,
    cache: KVCache,
    first: int,
    logits_to_keep: int,
    shared_prompts: SharedPrompts | None = None,
) -> torch.Tensor:
    """Logits (B, logits_to_keep, V) of tokens (B, T) that are stored at `positions` of the slots from `first`."""
    query_positions, key_positions = positions, cache.select(first, positions)[None]
    if shared_prompts is not None:
        prompt_lengths = shared_prompts.lengths[:, None]
        query_positions = prompt_lengths + positions
        key_positions = torch.cat((shared_prompts.positions(), prompt_lengths + key_positions), 1)
    is_later = key_positions[:, None, None, :] > query_positions[:, None, :, None]
    out = sampler.model(
        input_ids=inputs,
        position_ids=query_positions,
        query_positions=query_positions,
        key_positions=key_positions,
        causal_bias=torch.zeros_like(is_later, dtype=sampler.device.dtype).masked_fill_(is_later, -torch.inf),
        shared_prompts=shared_prompts,
        cache=cache,
        use_cache=True,
        logits_to_keep=last_positions(inputs, logits_to_keep),
    )
    return out.logits


def _next_tokens(logits: torch.Tensor, temperature: float, generator: torch.Generator) -> torch.Tensor:
    """The next token of each sequence, (B,)."""
    if temperature == 0:
        return logits.max(-1).indices  # `argmax` of bfloat16 is four times slower on a CPU
    # One random number per sequence, not per token of the vocabulary: `torch.multinomial` took longer than the model
    # (135M model on a CPU, 50 prompts x 8: 46 s of 128). In (0, 1]: no token of probability 0 is drawn.
    uniform = 1 - torch.rand(2, len(logits), 1, generator=generator, device=logits.device)
    size = rows_at_once(logits)
    parts = zip(logits.split(size), uniform[0].split(size), uniform[1].split(size), strict=True)
    return torch.cat([_draw_tokens(*part, temperature) for part in parts])


def _draw_tokens(
    logits: torch.Tensor, block_uniform: torch.Tensor, token_uniform: torch.Tensor, temperature: float
) -> torch.Tensor:
    """A token for each row of logits (B, V), by inverse transform sampling with uniform random numbers (B, 1)."""
    scaled = logits if temperature == 1 else logits.float() / temperature
    probabilities = torch.softmax(scaled, -1, dtype=torch.float32)
    # First a block of the vocabulary, then a token in it: a cumulative sum over all tokens is slower than the softmax.
    size = VOCABULARY_BLOCK
    blocks = pad(probabilities, (0, -probabilities.shape[-1] % size)).unflatten(-1, (-1, size))
    block = _inverse_cdf(blocks.sum(-1), block_uniform)
    return block * size + _inverse_cdf(blocks[torch.arange(len(block), device=block.device), block], token_uniform)


def _inverse_cdf(weights: torch.Tensor, uniform: torch.Tensor) -> torch.Tensor:
    """The column (B,) of each row of weights (B, N) where the cumulative weight reaches a share (B, 1) of the total."""
    cumulative = weights.cumsum(-1)
    return torch.searchsorted(cumulative, uniform * cumulative[:, -1:])[:, 0]
