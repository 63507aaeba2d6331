"""Keys and values of the rows that are being written, in place.

Rows stand in slots, those that are being written in the first ones; a row's token number t has its keys and values at
position t, whatever the other rows are at. So nothing is padded or moved when a token is added, a row that ends makes
room by the last one taking its slot, and what all prompts begin with is there in every slot beforehand.

Shapes: R slots, B rows of a pass, T tokens, W positions, K heads of keys and values, D numbers a head.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers import Cache

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
        self._width = 0
        self._first = 0
        self._rows = self._at = torch.empty(0, 0, dtype=torch.long)

    def look(self, first: int, at: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """Say which slots the next pass is over, and where its tokens go.

        Args:
            first: The first of the slots.
            at: (B, T) Positions of the tokens.
            dtype: The model's precision.

        Returns:
            (B, 1, T, W) 0 for positions that a token sees, those up to its own, and minus infinity for the others.
        """
        self._first, self._at = first, at
        self._rows = torch.arange(len(at), device=at.device)[:, None]
        self._widen(int(at.max()) + 1)
        later = torch.arange(self._width, device=at.device) > at[:, None, :, None]
        return torch.zeros_like(later, dtype=dtype).masked_fill_(later, -torch.inf)

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, layer_idx: int, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Put the new tokens' keys and values (B, K, T, D) in their places; all that those rows have, (B, K, W, D)."""
        if layer_idx == len(self.keys):
            _, heads, _, size = key_states.shape
            # Zeros and not whatever is there: what nobody sees is multiplied with 0, and must be a number.
            self.keys.append(key_states.new_zeros(self.slots, heads, self._width, size))
            self.values.append(value_states.new_zeros(self.slots, heads, self._width, size))
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
        other._width = self._width
        other.keys = [part[:1].repeat(slots, 1, 1, 1) for part in self.keys]
        other.values = [part[:1].repeat(slots, 1, 1, 1) for part in self.values]
        return other

    def multiply(self, first: int, count: int, times: int) -> None:
        """Each of `count` rows becomes `times` neighbouring ones, from the slot `first` on."""
        for part in (*self.keys, *self.values):
            part[first : first + count * times] = part[first : first + count].repeat_interleave(times, 0)

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
        lacking = -(-width // BLOCK) * BLOCK - self._width
        if lacking <= 0:
            return
        self._width += lacking
        for parts in (self.keys, self.values):
            for number, part in enumerate(parts):
                slots, heads, before, size = part.shape
                wider = part.new_empty(slots, heads, self._width, size)
                wider[:, :, :before] = part
                wider[:, :, before:] = 0
                parts[number] = wider
