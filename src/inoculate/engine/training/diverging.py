"""Stops a training whose numbers are no longer finite: nothing that follows from it would mean anything."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch.nn.utils import get_total_norm

from inoculate.errors import NoNumbers, UserError


class LearningRate(NamedTuple):
    """The learning rate of a training and its key in a study, for messages."""

    key: str
    value: float


def refuse_broken_step(loss: torch.Tensor, model: Any, step: int, steps: int, rate: LearningRate) -> None:
    """Refuse to update a model from a loss or gradient that is infinite or not a number.

    Both are fetched from the device at once.

    Args:
        loss: Of the step.
        model: The model, with the step's gradients.
        step: The step, from 1.
        steps: How many there are.
        rate: What most often is the reason.

    Raises:
        UserError: One of them is not finite.
    """
    gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    found = torch.stack([loss.detach().float(), get_total_norm(gradients).to(loss.device, torch.float32)]).tolist()
    for name, value in zip(("loss", "gradient norm"), found, strict=True):
        if not math.isfinite(value):
            raise _diverged(f"{name} is {value}", step, steps, rate)


def refuse_broken_adapter(model: Any, step: int, steps: int, rate: LearningRate) -> None:
    """Refuse to save an adapter that has weights which are no numbers: the step's loss and gradient do not show them.

    Raises:
        UserError: It has.
    """
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if not bool(torch.stack([torch.isfinite(parameter).all() for parameter in trained]).all()):
        raise _diverged("adapter is nan", step, steps, rate)


@contextmanager
def refuse_broken_policy(step: int, steps: int, rate: LearningRate) -> Iterator[None]:
    """While a step's completions are drawn: refuse to go on with a policy that can draw nothing any more.

    Before the first step it is not this training that has broken it.

    Raises:
        UserError: So it is.
    """
    try:
        yield
    except NoNumbers as error:
        if step == 1:
            raise
        raise _diverged("policy's logits are nan", step, steps, rate) from error


def _diverged(what: str, step: int, steps: int, rate: LearningRate) -> UserError:
    return UserError(
        f"the training diverged: at step {step} of {steps} its {what}. Nothing is kept of it: lower {rate.key} = "
        f"{rate.value:g}"
    )
