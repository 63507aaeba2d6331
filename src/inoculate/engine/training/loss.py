"""Cross-entropy of answer tokens, without a float32 copy of all logits."""

from __future__ import annotations

from typing import Any

import torch

from inoculate.engine.device import rows_at_once


def cross_entropy(logits: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """The weighted sum of the negative log-probabilities of the labels, computed in float32 as by torch.

    Loss and gradient are computed together, some tokens at a time. The gradient is rounded to the logits' precision, as
    it is where logits are copied to float32 and back. Measured on two cores, forward and backward, 300 tokens and a
    vocabulary of 151,936 in bfloat16: 270 ms with torch's own, 78 with this.

    Args:
        logits: (N, V).
        labels: (N,) Token ids, below V.
        weights: (N,) Factor of each label's part, in float32.

    Returns:
        A scalar in float32.
    """
    loss: torch.Tensor = _CrossEntropy.apply(logits, labels, weights)
    return loss


class _CrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        grad = torch.empty_like(logits)
        total = torch.zeros((), dtype=torch.float32, device=logits.device)
        size = rows_at_once(logits)
        parts = (part.split(size) for part in (logits, labels[:, None], weights[:, None], grad))
        for logits_part, index, factor, grad_part in zip(*parts, strict=True):
            log_probabilities = torch.log_softmax(logits_part, -1, dtype=torch.float32)
            total -= (log_probabilities.gather(1, index) * factor).sum()
            minus_one = -torch.ones_like(factor)
            grad_part.copy_(log_probabilities.exp_().scatter_add_(1, index, minus_one).mul_(factor))
        ctx.grad = grad
        return total

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        # In place, so a second backward pass from the same loss fails; training needs only one.
        grad, ctx.grad = ctx.grad, None
        return grad.mul_(grads[0]), None, None
