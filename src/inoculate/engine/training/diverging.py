"""Stops a training whose numbers are no longer finite: nothing that follows from it would mean anything."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch

from inoculate.errors import UserError


class LearningRate(NamedTuple):
    """The learning rate of a training and its key in a study, for messages."""

    key: str
    value: float


def refuse_not_finite(logged: Mapping[str, float], step: int, steps: int, rate: LearningRate) -> None:
    """Refuse to go on after a step whose loss or gradient is infinite or not a number.

    Args:
        logged: Name -> number of what the step has given.
        step: The step.
        steps: How many there are.
        rate: What most often is the reason.

    Raises:
        UserError: One of the numbers is not finite.
    """
    for name, value in logged.items():
        if not math.isfinite(value):
            raise UserError(
                f"the training diverged: at step {step} of {steps} its {name} is {value}. Nothing is kept of it: lower "
                f"{rate.key} = {rate.value:g}"
            )


def refuse_broken_adapter(model: Any, step: int, steps: int, rate: LearningRate) -> None:
    """Refuse to save an adapter that has weights which are no numbers: the last step's loss does not show them.

    Raises:
        UserError: It has.
    """
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if not all(bool(torch.isfinite(parameter).all()) for parameter in trained):
        refuse_not_finite({"adapter": math.nan}, step, steps, rate)
