"""Cross-entropy and log-probabilities of answer tokens, without a float32 copy of all logits."""

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


def log_probabilities(logits: torch.Tensor, labels: torch.Tensor, temperature: float) -> torch.Tensor:
    """The log-probability of each label at a temperature, computed in float32, some tokens at a time.

    Args:
        logits: (N, V).
        labels: (N,) Token ids, below V.
        temperature: What logits are divided by.

    Returns:
        (N,) in float32.
    """
    found: torch.Tensor = _LogProbabilities.apply(logits, labels, temperature)
    return found


class _LogProbabilities(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: torch.Tensor, labels: torch.Tensor, temperature: float) -> torch.Tensor:
        ctx.save_for_backward(logits, labels)
        ctx.temperature = temperature
        size = rows_at_once(logits)
        parts = zip(logits.split(size), labels[:, None].split(size), strict=True)
        found = [torch.log_softmax(part.float() / temperature, -1).gather(1, index)[:, 0] for part, index in parts]
        return torch.cat(found)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        logits, labels = ctx.saved_tensors
        grad = torch.empty_like(logits)
        size, scale = rows_at_once(logits), grads[0][:, None] / ctx.temperature
        parts = (part.split(size) for part in (logits, labels[:, None], scale, grad))
        for logits_part, index, factor, grad_part in zip(*parts, strict=True):
            # d log p(label) / d logit = (1 at the label, else 0) - p, divided by the temperature
            change = torch.softmax(logits_part.float() / ctx.temperature, -1).mul_(-factor)
            grad_part.copy_(change.scatter_add_(1, index, factor))
        return grad, None, None
