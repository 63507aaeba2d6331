"""Training where memory runs out: tried once more with half of the tokens, and then said."""

from __future__ import annotations

import pytest
import torch

from inoculate.engine.training.memory import train_within
from inoculate.errors import UserError

ERRORS = [
    torch.OutOfMemoryError("CUDA out of memory"),
    MemoryError(),
    RuntimeError("[enforce fail at alloc_cpu.cpp:118] err == 0. DefaultCPUAllocator: can't allocate memory: you tried"),
]


def attempt(errors: list[Exception], *, packs: bool = True) -> tuple[list[bool], list[str], object]:
    tried, said, left = list[bool](), list[str](), list(errors)

    def train(halved: bool) -> str:
        tried.append(halved)
        if left:
            raise left.pop(0)
        return "trained"

    try:
        key = "train.micro_batch_tokens"
        return tried, said, train_within(train, "training of plain", key, 1024, said.append, packs=packs)
    except UserError as error:
        return tried, said, error


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_once_is_halved_and_twice_is_refused(error: Exception) -> None:
    assert attempt([]) == ([False], [], "trained")
    tried, said, result = attempt([error])
    assert (tried, result) == ([False, True], "trained")
    assert said[0].startswith("training of plain: out of memory with train.micro_batch_tokens = 1024;")
    assert "half as many tokens" in said[0] and "computes again" in attempt([error], packs=False)[1][0]
    tried, said, refusal = attempt([error, error])
    assert tried == [False, True] and len(said) == 1
    assert isinstance(refusal, UserError) and "a smaller model" in str(refusal)


def test_other_errors_are_no_lack_of_memory() -> None:
    with pytest.raises(RuntimeError, match="size mismatch"):
        attempt([RuntimeError("size mismatch")])
