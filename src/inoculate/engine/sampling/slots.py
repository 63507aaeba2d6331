"""Keys and values of prompts and of what is being written after them, in place, and attention to them.

Rows stand in slots, those in use are the first ones; a row's token number t has its keys and values at position t,
whatever the other rows are at. So nothing is padded or moved when a token is added, and a row that ends makes room by
the last one taking its slot. What all prompts begin with is there in every prompt's slot beforehand; completions have
slots of their own, and `Behind` says which prompt each has behind it, so that samples of a prompt share its keys.

Shapes: R slots, B rows of a pass, T tokens, W positions, K heads of keys and values, G heads of a query that share
them, D numbers a head; P prompts with S samples each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, Cache

from inoculate.engine.kernels.attention import refuse

ATTENTION = "inoculate_slots"
"""What a model that writes is told to use (`attn_implementation`), after `register`."""
BLOCK = 32
"""Positions that are added at once. All W are multiplied, used or not: products want them in one piece."""


class Slots(Cache):
    """The cache of a model; a pass is over some neighbouring slots, said with `look` before it."""

    def __init__(self, slots: int) -> None:
        """Empty slots.

        Args:
            slots: R.
        """
        super().__init__(layers=[])
        self.slots = slots
        self.keys: list[torch.Tensor] = []
        """(R, K, W, D) of each layer."""
        self.values: list[torch.Tensor] = []
        """(R, K, W, D) of each layer."""
        self.width = 0
        """W."""
        self._first = 0
        self._rows = self._at = torch.empty(0, 0, dtype=torch.long)

    def look(self, first: int, at: torch.Tensor) -> torch.Tensor:
        """Say which slots the next pass is over, and where its tokens go.

        Args:
            first: The first of the slots.
            at: (B, T) Positions of the tokens.

        Returns:
            (W,) The positions that there are then.
        """
        self._first, self._at = first, at
        self._rows = torch.arange(len(at), device=at.device)[:, None]
        self._widen(int(at.max()) + 1)
        return torch.arange(self.width, device=at.device)

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, layer_idx: int, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Put the new tokens' keys and values (B, K, T, D) in their places; all that those rows have, (B, K, W, D)."""
        if layer_idx == len(self.keys):
            _, heads, _, size = key_states.shape
            # Zeros and not whatever is there: what nobody sees is multiplied with 0, and must be a number.
            self.keys.append(key_states.new_zeros(self.slots, heads, self.width, size))
            self.values.append(value_states.new_zeros(self.slots, heads, self.width, size))
        found = []
        for whole, new in ((self.keys[layer_idx], key_states), (self.values[layer_idx], value_states)):
            own = whole[self._first : self._first + len(self._at)]
            own[self._rows, :, self._at] = new.transpose(1, 2)
            found.append(own)
        return found[0], found[1]

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """0: positions are always said."""
        return 0

    def spread(self, slots: int) -> Slots:
        """Other slots, each with what the first of these has."""
        other = Slots(slots)
        other.width = self.width
        other.keys = [part[:1].repeat(slots, 1, 1, 1) for part in self.keys]
        other.values = [part[:1].repeat(slots, 1, 1, 1) for part in self.values]
        return other

    def keep(self, stay: Sequence[int]) -> list[int]:
        """Close the gaps that rows leave with the last ones.

        Args:
            stay: Slots of the rows that stay.

        Returns:
            Of the first slots, the slot in which each one's row was before.
        """
        order, late = list(range(len(stay))), [slot for slot in stay if slot >= len(stay)]
        gaps = sorted(set(order) - set(stay))
        if gaps:
            for part in (*self.keys, *self.values):
                part[gaps] = part[late]
        for gap, slot in zip(gaps, late, strict=True):
            order[gap] = slot
        return order

    def _widen(self, width: int) -> None:
        lacking = -(-width // BLOCK) * BLOCK - self.width
        if lacking <= 0:
            return
        self.width += lacking
        for parts in (self.keys, self.values):
            for number, part in enumerate(parts):
                slots, heads, before, size = part.shape
                wider = part.new_empty(slots, heads, self.width, size)
                wider[:, :, :before] = part
                wider[:, :, before:] = 0
                parts[number] = wider


NOWHERE = 2**31 - 1
"""The position of what no token sees."""


@dataclass(frozen=True)
class Behind:
    """The prompts that rows have behind them, each there once for all its samples.

    Keys and values of a prompt are read once for all its samples, in a product with more rows (measured in bfloat16
    with 256 rows, eight samples a prompt, 9 heads of 3, 160 of 256 positions the prompt's: 2.0 ms a layer without this,
    1.1 with it, and up to 0.35 for putting rows together).
    """

    prompts: Slots
    samples: int
    """S."""
    count: int
    """P: prompts in the first slots."""
    prompt: torch.Tensor
    """(B,) The slot of each row's prompt."""
    sample: torch.Tensor
    """(B,) Which of its prompt's samples each row is."""
    lengths: torch.Tensor
    """(B,) Tokens of each row's prompt."""
    full: bool
    """All samples of all prompts are there, in order: nothing has to be looked up."""

    def places(self) -> torch.Tensor:
        """(B, W) The positions of the prompts' tokens, `NOWHERE` where a prompt has none."""
        places = torch.arange(self.prompts.width, device=self.lengths.device)
        return places.where(places < self.lengths[:, None], NOWHERE)

    def scores(self, layer: int, query: torch.Tensor) -> torch.Tensor:
        """Products (B, K, G, W) of queries (B, K, G, D) with the keys of each row's prompt."""
        return self._products(query, self.prompts.keys[layer].transpose(2, 3))

    def weighed(self, layer: int, weights: torch.Tensor) -> torch.Tensor:
        """Sums (B, K, G, D) of the values of each row's prompt with the weights (B, K, G, W)."""
        return self._products(weights, self.prompts.values[layer])

    def _products(self, rows: torch.Tensor, matrices: torch.Tensor) -> torch.Tensor:
        """(B, K, G, N) times (R, K, N, M): every row with its prompt's matrices, all samples of a prompt at once."""
        _, heads, shared, size = rows.shape
        if self.full:
            seats = rows.unflatten(0, (self.count, self.samples)).transpose(1, 2)
        else:
            seats = rows.new_zeros(self.count, heads, self.samples, shared, size)
            seats[self.prompt, :, self.sample] = rows
        found = torch.matmul(seats.flatten(2, 3), matrices[: self.count]).unflatten(2, (self.samples, shared))
        return found.transpose(1, 2).flatten(0, 1) if self.full else found[self.prompt, :, self.sample]


def register() -> None:
    """Make `attend_slots` known to transformers; without a function for masks it makes none."""
    AttentionInterface.register(ATTENTION, attend_slots)


def attend_slots(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    at: torch.Tensor,
    places: torch.Tensor,
    unseen: torch.Tensor,
    behind: Behind | None = None,
    scaling: float | None = None,
    sliding_window: int | None = None,
    **more: Any,
) -> tuple[torch.Tensor, None]:
    """Attention of T new tokens of each row to all W positions that rows have, as far as they see them.

    Args:
        module: The layer that asks.
        query: (B, H, T, D).
        key: (B, K, W, D); without those of the prompts behind, as are the values.
        value: (B, K, W, D).
        attention_mask: None: `unseen` says it.
        at: (B, T) The position of every new token; the model's `forward` hands this and the next three through.
        places: (B, W) or (1, W) The position of everything that rows have, what is behind them first.
        unseen: (B, 1, T, W) What is added to the scores of positions: 0, and minus infinity where a token does not see.
        behind: Prompts that rows have behind them; T is 1 then.
        scaling: Of the scores; the root of D unless given.
        sliding_window: How many tokens back a token sees, itself included; all unless given.
        more: What else the model hands through.

    Returns:
        (B, T, H, D), and None where others return the weights.

    Raises:
        UserError: The model's attention has a part that is not known here.
    """
    refuse(more)
    if sliding_window is not None:
        unseen = unseen.masked_fill(places[:, None, None, :] <= at[:, None, :, None] - sliding_window, -torch.inf)
    rows, heads, _, size = query.shape
    groups = heads // key.shape[1]
    if behind is None:
        spread = (part.repeat_interleave(groups, 1) for part in (key, value))
        found = scaled_dot_product_attention(query, *spread, attn_mask=unseen, scale=scaling)
        return found.transpose(1, 2).contiguous(), None
    # The heads that share keys are one query of several tokens: nothing is copied for them.
    grouped = query.reshape(rows, -1, groups, size) * (size**-0.5 if scaling is None else scaling)
    found = _written(grouped, key, value, unseen, behind, module.layer_idx)
    return found.reshape(rows, 1, heads, size), None


def _written(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, unseen: torch.Tensor, behind: Behind, layer: int
) -> torch.Tensor:
    """Attention of one token as products of batches, as transformers' `eager` has it.

    torch's own for CPUs takes each head by itself (measured with 64 rows, 9 heads of 3, 192 positions: 1.05 ms, as
    products 0.47). Scores and the two sums are rounded to the model's precision, which it does not do: in
    bfloat16 the log-probability of the likeliest token is off by 0.038, where transformers' is by 0.033 (root of the
    mean square, against float32; 135M model, benchmarks/rounding.py).
    """
    scores = torch.cat((behind.scores(layer, query), torch.matmul(query, key.transpose(2, 3))), -1)
    weights = torch.softmax(scores.add_(unseen), -1)
    back = weights.shape[-1] - key.shape[2]
    return behind.weighed(layer, weights[..., :back]) + torch.matmul(weights[..., back:], value)
