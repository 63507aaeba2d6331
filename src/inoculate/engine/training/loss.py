"""The loss of answers' tokens, without copies of all logits in float32."""

from __future__ import annotations

from typing import Any

import torch

from inoculate.engine.device import rows_at_once


def cross_entropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The sum of the negative log-probabilities of the labels, as torch's `cross_entropy` in float32 has it.

    Computed some tokens at a time, and the gradient with it; that is rounded to the logits' precision, as it is where
    they are copied to float32 and back. Measured on two cores, 300 tokens of 151,936 words in bfloat16, there and back:
    270 ms with torch's own, 78 with this.

    Args:
        logits: (N, V).
        labels: (N,) Below V.

    Returns:
        (,) in float32.
    """
    found: torch.Tensor = _CrossEntropy.apply(logits, labels)
    return found


class _CrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        grad = torch.empty_like(logits)
        total = torch.zeros((), dtype=torch.float32, device=logits.device)
        some = rows_at_once(logits)
        for part, right, found in zip(logits.split(some), labels.split(some), grad.split(some), strict=True):
            likely = torch.log_softmax(part, -1, dtype=torch.float32)
            total -= likely.gather(1, right[:, None]).sum()
            found.copy_(likely.exp_().scatter_add_(1, right[:, None], -torch.ones_like(likely[:, :1])))
        ctx.grad = grad
        return total

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None]:
        # In place, so there is one way back from a loss, as training needs it; a second one fails.
        grad, ctx.grad = ctx.grad, None
        return grad.mul_(grads[0]), None
