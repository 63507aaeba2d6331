"""A model that samples in this process, and its two forward passes: prefill of prompts, and decoding of a token.

Shapes: B sequences of a forward pass, T tokens, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from itertools import accumulate, chain
from pathlib import Path
from typing import Any

import torch
from transformers import GenerationConfig, PreTrainedTokenizerBase

from inoculate.engine import chat
from inoculate.engine.device import Device
from inoculate.engine.families import context_length, is_fast, read_config
from inoculate.engine.loading import load_model
from inoculate.engine.sampling import adapters, plain
from inoculate.engine.sampling.adapters import Adapter
from inoculate.engine.sampling.kv_cache import ATTENTION, Decoding, KVCache, Prefill, SharedPrompts, register

_HEAD_ROWS = 16384
"""Tokens of the vocabulary whose weights are held in float32 at a time."""


class Sampler:
    """A model ready to sample: its weights are loaded once, adapters take turns."""

    def __init__(self, model: Any, tokenizer: PreTrainedTokenizerBase, device: Device) -> None:
        """Take over a model.

        Args:
            model: With base weights; with `ATTENTION` as its attention where the fast path knows it. Its linear layers
                are replaced.
            tokenizer: Its tokenizer.
            device: Where the model is.

        Raises:
            UserError: It cannot be told from the chat template how an answer ends.
        """
        register()
        self.model, self.tokenizer, self.device = model.eval(), tokenizer, device
        self.is_fast = is_fast(model.config)
        """Whether the model takes the fast path: slots of our cache, and not transformers' `generate`."""
        self.context = context_length(model.config)
        """The most tokens of prompt and completion together."""
        own: Any = tokenizer.eos_token_id
        eos = model.generation_config.eos_token_id
        stops = {chat.read_turn(tokenizer).end_id, own, *(eos if isinstance(eos, list) else [eos])} - {None}
        self.stops: tuple[int, ...] = tuple(sorted(stops))
        """Ids of the tokens that end an answer: that of the chat template, and those that end a text."""
        if not self.is_fast:  # nothing of the model's own defaults (a repetition penalty, say) may have a part in it
            model.generation_config = GenerationConfig()
        self._layers = adapters.Layers(model, device, packed=self.is_fast)

    @cached_property
    def ignores_padding(self) -> bool:
        """Whether prompts of different lengths can be sampled together on the plain path."""
        return plain.ignores_padding(self.model)

    def use(self, adapter: Adapter | None) -> None:
        """Sample with this adapter from now on; None for the untrained model.

        Raises:
            UserError: The adapter changes a layer that the model does not have.
        """
        self._layers.merge(adapter or {})

    @contextmanager
    def exact_logits(self) -> Iterator[None]:
        """Logits in float32, whatever the model's precision, from its last hidden states.

        In bfloat16 logits have steps of 1/16 and more: two answers that are about as likely often have the same ones.
        """
        head = self.model.get_output_embeddings()
        (weight, bias), own = self._layers.held(head), head.forward

        def forward(hidden: torch.Tensor) -> torch.Tensor:
            precise = hidden.float()
            logits = precise.new_empty(*hidden.shape[:-1], len(weight))
            for part, rows in zip(logits.split(_HEAD_ROWS, -1), weight.split(_HEAD_ROWS), strict=True):
                torch.matmul(precise, rows.float().T, out=part)
            return logits if bias is None else logits.add_(bias)

        head.forward = forward
        try:
            yield
        finally:
            head.forward = own

    def base_weights(self) -> Mapping[str, torch.Tensor]:
        """The untrained model's state dict: the tensors that are held here, which are never written to."""
        return self._layers.base_weights(self.model)


def load(weights: Path, adapter: Path | None, device: Device) -> Sampler:
    """Load a model and merge an adapter into its weights.

    Args:
        weights: A folder of base weights.
        adapter: A PEFT folder; None for the untrained model.
        device: Device and precision.

    Raises:
        UserError: The adapter has something that is not supported.
    """
    register()
    own = {"attn_implementation": ATTENTION} if is_fast(read_config(weights)) else {}
    model = load_model(weights, device.dtype, **own)
    sampler = Sampler(model.to(device.device), chat.load_tokenizer(weights), device)
    if adapter is not None:
        sampler.use(adapters.read(adapter))
    return sampler


@torch.inference_mode()
def prefill(
    sampler: Sampler,
    cache: KVCache,
    first: int,
    cached: Sequence[int],
    suffixes: Sequence[Sequence[int]],
) -> torch.Tensor:
    """Prefill consecutive slots of a cache. The tokens pass through the model end to end, without padding.

    Args:
        sampler: The model.
        cache: The cache to fill.
        first: The slot of the first sequence.
        cached: How many tokens the slot of each of B sequences holds already.
        suffixes: The tokens of each sequence after those.

    Returns:
        Logits (B, V) after each sequence.
    """
    device, lengths = sampler.device.device, [len(ids) for ids in suffixes]
    slots = range(first, first + len(lengths))
    position = [at for start, length in zip(cached, lengths, strict=True) for at in range(start, start + length)]
    slot = [slot for slot, length in zip(slots, lengths, strict=True) for _ in range(length)]
    # The last positions as indices: one product of all of them with the output matrix.
    kept = [end - 1 for end in accumulate(lengths)]
    positions = torch.tensor(position, device=device)
    cache.select(torch.tensor(slot, device=device), positions)
    tokens = torch.tensor([list(chain.from_iterable(suffixes))], device=device)
    rows = Prefill(slots, cached, lengths)
    return _forward(sampler, tokens, positions[None], cache, rows, torch.tensor(kept, device=device))[0]


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
        samples: The most completions of a prompt.
        count: How many prompts there are.
        rows: For each completion its prompt's slot and length, which of the samples it is, and its tokens so far.
    """
    table = [(slot, length, sample, ids[-1], len(ids) - 1) for slot, length, sample, ids in rows]
    slot, length, sample, last, position = torch.tensor(table, device=sampler.device.device).T
    is_complete = [slot * samples + sample for slot, _, sample, _ in rows] == list(range(count * samples))
    prompts = SharedPrompts(prompt_cache, samples, count, slot, sample, length, is_complete)
    cache.select(torch.arange(len(rows), device=position.device), position)
    own = length[:, None] + torch.arange(cache.width, device=position.device)
    positions, key_positions = length + position, torch.cat((prompts.positions(), own), 1)
    is_later = (key_positions > positions[:, None])[:, None, None]
    bias = torch.zeros_like(is_later, dtype=sampler.device.dtype).masked_fill_(is_later, -torch.inf)
    decoding = Decoding(prompts, positions, key_positions, bias)
    # The last position as an index: the model would *slice* its hidden states for a number, and torch multiplies a
    # slice with frozen weights row by row, each row with its own copy of the whole output matrix.
    return _forward(sampler, last[:, None], positions[:, None], cache, decoding, torch.zeros_like(last[:1]))[:, 0]


def _forward(
    sampler: Sampler,
    inputs: torch.Tensor,
    positions: torch.Tensor,
    cache: KVCache,
    rows: Prefill | Decoding,
    kept: torch.Tensor,
) -> torch.Tensor:
    """Logits (B, N, V) of tokens (B, T) at `positions` (B, T), of those N whose places in T are `kept`."""
    out = sampler.model(
        input_ids=inputs, position_ids=positions, rows=rows, cache=cache, use_cache=True, logits_to_keep=kept
    )
    return out.logits
