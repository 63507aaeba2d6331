"""Training where memory runs out: once more with smaller micro-batches, which set memory and not the result."""

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
    train: Callable[[bool], Result], what: str, key: str, tokens: int, notify: Callable[[str], None]
) -> Result:
    """Train; where memory runs out, go on from the last checkpoint with half as many tokens at once.

    Args:
        train: Trains; its argument says whether micro-batches are to have half of their tokens.
        what: The training in words, for messages.
        key: The key of the study that says how many tokens pass through the model at once.
        tokens: How many.
        notify: Called with a message before it is tried again.

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
    notify(
        f"{what}: out of memory with {key} = {tokens}; it goes on from its last checkpoint with half as many tokens at "
        "once, which changes the result by rounding alone"
    )
    try:
        return train(True)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
    release()
    raise UserError(
        f"{what}: out of memory, also with half of {key} = {tokens}. Nothing that is finished is lost. Give this "
        "process more memory (close others on the machine or GPU), choose shorter rows, or a smaller model"
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
