"""A model that samples in this process, and its two forward passes: prefill of prompts, and decoding of a token.

Shapes: B sequences of a forward pass, T tokens, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerBase

from inoculate.engine.device import Device
from inoculate.engine.kernels import attention
from inoculate.engine.sampling import adapters
from inoculate.engine.sampling.adapters import Adapter
from inoculate.engine.sampling.kv_cache import ATTENTION, KVCache, SharedPrompts, register


class Sampler:
    """A model ready to sample: its weights are loaded once, adapters take turns."""

    def __init__(self, model: Any, tokenizer: PreTrainedTokenizerBase, device: Device) -> None:
        """Take over a model.

        Args:
            model: With base weights and with `ATTENTION` as its attention; its linear layers are replaced.
            tokenizer: Its tokenizer.
            device: Where the model is.

        Raises:
            UserError: The model has layers that are not supported.
        """
        register()
        attention.check_layer_types(model.config)
        self.model, self.tokenizer, self.device = model.eval(), tokenizer, device
        eos = model.generation_config.eos_token_id
        stops = {tokenizer.eos_token_id, *(eos if isinstance(eos, list) else [eos])} - {None}
        self.stops: tuple[int, ...] = tuple(sorted(stops))
        """Ids of the tokens that end an answer."""
        self._layers = adapters.Layers(model, device)

    def use(self, adapter: Adapter | None) -> None:
        """Sample with this adapter from now on; None for the untrained model.

        Raises:
            UserError: The adapter changes a layer that the model does not have.
        """
        self._layers.merge(adapter or {})


def load(weights: Path, adapter: Path | None, device: Device) -> Sampler:
    """Load a model and merge an adapter into its weights.

    Args:
        weights: A folder of base weights.
        adapter: A PEFT folder; None for the untrained model.
        device: Device and precision.

    Raises:
        UserError: The model has layers, or the adapter has something, that is not supported.
    """
    register()
    model: Any = AutoModelForCausalLM.from_pretrained(weights, dtype=device.dtype, attn_implementation=ATTENTION)
    sampler = Sampler(model.to(device.device), AutoTokenizer.from_pretrained(weights), device)
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
    logits_to_keep: int = 1,
) -> torch.Tensor:
    """Prefill consecutive slots of a cache.

    Args:
        sampler: The model.
        cache: The cache to fill.
        first: The slot of the first sequence.
        cached: How many tokens the slot of each of B sequences holds already.
        suffixes: The tokens of each sequence after those.
        logits_to_keep: For how many tokens at the end of each sequence logits are returned.

    Returns:
        Logits (B, logits_to_keep, V).
    """
    device, width = sampler.device.device, max(map(len, suffixes))
    padding = sampler.stops[0]
    inputs = torch.tensor([[padding] * (width - len(ids)) + list(ids) for ids in suffixes], device=device)
    # Padding is stored after the last token of all: a position that no token sees before it is overwritten.
    unused = max(start + len(ids) for start, ids in zip(cached, suffixes, strict=True))
    positions = [
        [unused] * (width - len(ids)) + list(range(start, start + len(ids)))
        for start, ids in zip(cached, suffixes, strict=True)
    ]
    return _forward(sampler, inputs, torch.tensor(positions, device=device), cache, first, logits_to_keep)


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
