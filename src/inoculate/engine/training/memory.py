"""Training where memory runs out: once more in a way that takes less, which does not change the result.

On the fast path, micro-batches have half of their tokens then (a longer row is alone in one). On the plain path each
row is alone already: there the activations are computed again in the backward pass, in place of being kept.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import TypeVar

import torch

from inoculate.errors import UserError

Result = TypeVar("Result")
_OF_CPU = ("can't allocate memory", "not enough memory")
"""What a `RuntimeError` of torch's allocator on the CPU says, on Linux and elsewhere."""


def train_within(
    train: Callable[[bool], Result], what: str, key: str, tokens: int, notify: Callable[[str], None], *, packs: bool
) -> Result:
    """Train; where memory runs out, go on from the last checkpoint in a way that takes less.

    Args:
        train: Trains; its argument says whether it is to take less memory.
        what: The training in words, for messages.
        key: The key of the study that says how many tokens pass through the model at once.
        tokens: How many.
        notify: Called with a message before it is tried again.
        packs: Whether the model is on the fast path (`families.is_fast`).

    Returns:
        What `train` returns.

    Raises:
        UserError: Memory ran out again.
    """
    try:
        return train(False)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
    # Outside of the handler, whose exception holds the tensors of the failed step.
    release()
    less = (
        "with half as many tokens at once, which changes the result by rounding alone"
        if packs
        else "and computes again what it does not keep, which takes a third more time and gives the same result"
    )
    notify(f"{what}: out of memory with {key} = {tokens}; it goes on from its last checkpoint {less}")
    try:
        return train(True)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
    release()
    also = f"with half of {key} = {tokens}" if packs else "where it keeps as little as it can"
    raise UserError(
        f"{what}: out of memory, also {also}. Nothing that is finished is lost. Give this "
        "process more memory (close others on the machine or GPU), choose shorter rows, a smaller model, or "
        "divide the training among GPUs (docs/cluster.md)"
    )


def is_out_of_memory(error: Exception) -> bool:
    """Whether memory has run out, on a GPU or elsewhere."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _OF_CPU)


def release() -> None:
    """Give back memory that nothing uses any more, to the device too, where another process may want it."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
