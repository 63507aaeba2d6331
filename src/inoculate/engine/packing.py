"""Packs rows into micro-batches that are bounded in tokens, without padding; what rows share is there once.

Rows of a step begin alike: the system prompt, the opening of the task, in RL the whole prompt of a group. A causal
model computes the same for a token whatever comes after it, so that what rows share passes through the model once,
forward and back, and the gradients of all rows meet there. Losses and gradients are those of the rows one by one.
Prefix sharing over the rows of an RL group is described in "Prefix Grouper" (arXiv 2506.05433, section 3); here it is
every branch of a prefix tree, over any rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch

from inoculate.engine.kernels.attention import PackedRows, Segment
from inoculate.engine.prefix import LEAST_SHARED, common_prefix_length


class EncodedRow(NamedTuple):
    """A row as tokens: `tokens` of prompt and answer, the last `labels` of which are trained on."""

    tokens: list[int]
    labels: int


@dataclass(frozen=True, eq=False)
class MicroBatch:
    """Rows that pass through the model together. T packed tokens; N pairs of a position and what it has to predict."""

    tokens: torch.Tensor
    """(1, T) Token ids."""
    rows: PackedRows
    """Where the rows are among them."""
    predicting: torch.Tensor
    """(N,) Packed tokens after which a label is predicted; one with several continuations is there for each."""
    targets: torch.Tensor
    """(N,) The labels."""
    weights: torch.Tensor
    """(N,) How many rows have this pair."""
    pairs: tuple[tuple[int, ...], ...]
    """For each row, in the order they were given: the number of the pair of each of its labels."""

    def to(self, device: torch.device) -> MicroBatch:
        """The same on a device."""
        moved = (part.to(device) for part in (self.tokens, self.predicting, self.targets, self.weights))
        tokens, predicting, targets, weights = moved
        return MicroBatch(tokens, self.rows, predicting, targets, weights, self.pairs)


def shared_length(row: Sequence[int], other: Sequence[int]) -> int:
    """How many leading tokens two rows share; 0 where it is not worth it."""
    length = common_prefix_length(row, other)
    return length if length >= LEAST_SHARED else 0


def split_rows(rows: Sequence[list[int]], budget: int) -> list[list[int]]:
    """Indices of rows for each micro-batch of at most `budget` packed tokens (or one row; 0 for one row in each).

    Rows are taken in the order of their tokens. So those with the longest common beginnings are neighbours, and each
    goes where it shares most among the micro-batches that have room, or else into the first of them.
    """
    packed: list[tuple[int, list[int]]] = []
    for index in sorted(range(len(rows)), key=rows.__getitem__):
        shared = [shared_length(rows[members[-1]], rows[index]) for _, members in packed]
        fits = [n for n, (used, _) in enumerate(packed) if used + len(rows[index]) - shared[n] <= budget]
        if fits:
            best = max(fits, key=lambda number: (shared[number], -number))
            used, members = packed[best]
            packed[best] = (used + len(rows[index]) - shared[best], [*members, index])
        else:
            packed.append((len(rows[index]), [index]))
    return [members for _, members in packed]


def divide_rows(rows: Sequence[list[int]], budget: int, count: int) -> list[list[list[int]]]:
    """The micro-batches of `split_rows`, divided among processes so that these have about as many tokens each.

    Where all rows would fit into fewer micro-batches than there are processes, they are smaller.

    Args:
        rows: The rows of a step.
        budget: As for `split_rows`.
        count: How many processes there are.

    Returns:
        For each process its micro-batches, as indices of rows; none where there are fewer rows than processes.
    """
    if count == 1:
        return [split_rows(rows, budget)]
    split = split_rows(rows, min(budget, -(-_packed_length(rows) // count)))
    lengths = [_packed_length([rows[index] for index in members]) for members in split]
    shares, loads = [list[list[int]]() for _ in range(count)], [0] * count
    for number in sorted(range(len(split)), key=lambda number: (-lengths[number], number)):
        least = loads.index(min(loads))
        shares[least].append(split[number])
        loads[least] += lengths[number]
    return shares


def _packed_length(rows: Sequence[list[int]]) -> int:
    """How many tokens rows have when they are packed."""
    ordered = sorted(rows)
    return sum(len(row) - shared_length(before, row) for before, row in zip([[], *ordered], ordered, strict=False))


def pack_rows(rows: Sequence[EncodedRow]) -> MicroBatch:
    """Pack rows into one micro-batch."""
    tokens: list[int] = []
    path: list[int] = []  # the packed tokens of the current row
    previous: Sequence[int] = ()
    segments: list[Segment] = []
    seen_until: list[int] = []
    positions: list[int] = []
    counts: dict[tuple[int, int], int] = {}
    numbers: dict[tuple[int, int], int] = {}
    pairs: list[tuple[int, ...]] = [()] * len(rows)
    for index in sorted(range(len(rows)), key=rows.__getitem__):
        row = rows[index]
        shared = shared_length(previous, row.tokens)
        start = len(tokens)
        tokens += row.tokens[shared:]
        positions += range(shared, len(row.tokens))
        path = [*path[:shared], *range(start, len(tokens))]
        seen_until += [0] * (len(tokens) - start)
        for place in path:
            seen_until[place] = len(tokens)
        if len(tokens) > start:
            segments.append(Segment(slice(start, len(tokens)), _runs(path[:shared])))
        labelled = range(len(row.tokens) - row.labels, len(row.tokens))
        own = [(path[number - 1], row.tokens[number]) for number in labelled]
        for pair in own:
            counts[pair] = counts.get(pair, 0) + 1
            numbers.setdefault(pair, len(numbers))
        pairs[index] = tuple(numbers[pair] for pair in own)
        previous = row.tokens
    return MicroBatch(
        tokens=torch.tensor([tokens]),
        rows=PackedRows(segments, torch.tensor(seen_until), torch.tensor(positions)),
        predicting=torch.tensor([place for place, _ in counts]),
        targets=torch.tensor([label for _, label in counts]),
        weights=torch.tensor(list(counts.values()), dtype=torch.float32),
        pairs=tuple(pairs),
    )


def _runs(places: Sequence[int]) -> tuple[slice, ...]:
    """Ascending numbers as slices of those that follow each other."""
    starts = [n for n, place in enumerate(places) if n == 0 or place != places[n - 1] + 1]
    ends = [*starts[1:], len(places)]
    return tuple(slice(places[a], places[b - 1] + 1) for a, b in zip(starts, ends, strict=False) if places)


def forward(model: Any, batch: MicroBatch, *, is_fast: bool) -> torch.Tensor:
    """Logits (N, V) of a micro-batch, after each of the tokens `batch.predicting`.

    Args:
        model: From `sft.load_base`, with or without an adapter.
        batch: On the model's device.
        is_fast: Whether the model attends to packed rows (`families`); if not, the micro-batch is one row.
    """
    if not is_fast:
        count = len(batch.predicting) + 1
        logits = model(input_ids=batch.tokens, use_cache=False, logits_to_keep=count).logits
        return logits.squeeze(0)[-count:-1]
    logits = model(
        input_ids=batch.tokens,
        position_ids=batch.rows.positions[None].to(batch.tokens.device),
        packed_rows=batch.rows,
        logits_to_keep=batch.predicting,
        use_cache=False,
    ).logits
    return logits.squeeze(0)  # an index would allocate a whole tensor of zeros in the backward pass
