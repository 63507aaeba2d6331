"""Frozen weights in the order in which the processor reads them.

For every product torch lays bfloat16 weights out anew for oneDNN. Where few rows are multiplied, as in writing, that
takes longer than the product itself. The layout that torch's own compiler gives frozen weights (`torch.ops.mkldnn`) is
made once here. Measured on two cores with AVX-512 (896 x 4864): 1 to 8 rows twice as fast, 1,000 rows by a quarter.
"""

from __future__ import annotations

from typing import Any

import torch
from peft.tuners.lora import LoraLayer
from torch import nn

from inoculate.device import Device


def pack(model: nn.Module, device: Device) -> None:
    """Pack every linear layer of a model that only writes, where that is faster; elsewhere nothing happens."""
    if _can(device):
        _replace(model, backward=False)


def pack_under_adapters(model: nn.Module, device: Device) -> None:
    """Pack the frozen layers that LoRA stands beside, where that is faster; gradients pass through to the inputs.

    The weights are held twice, for the way there and the way back.
    """
    if _can(device):
        for layer in [module for module in model.modules() if isinstance(module, LoraLayer)]:
            _replace(layer, backward=True, only="base_layer")


def _can(device: Device) -> bool:
    """Whether this torch packs bfloat16 weights on this machine: it is tried, since these operators are not public."""
    if device.device.type != "cpu" or device.dtype != torch.bfloat16:
        return False
    try:
        linear = nn.Linear(32, 32, dtype=torch.bfloat16)
        inputs = torch.ones(1, 32, dtype=torch.bfloat16)
        with torch.inference_mode():
            return torch.allclose(Packed(linear, backward=False)(inputs), linear(inputs), atol=0.05)
    except (AttributeError, RuntimeError):
        return False


def _replace(module: nn.Module, *, backward: bool, only: str = "") -> None:
    for name, child in module.named_children():
        if type(child) is nn.Linear and only in ("", name):
            setattr(module, name, Packed(child, backward=backward))
        elif not only:
            _replace(child, backward=backward)


class Packed(nn.Module):
    """A linear layer whose weight never changes."""

    def __init__(self, linear: nn.Linear, *, backward: bool) -> None:
        """Take the place of `linear`, (O, I); with `backward`, gradients reach the inputs."""
        super().__init__()
        weight = linear.weight.detach()
        self.in_features, self.out_features = linear.in_features, linear.out_features
        # Attributes and not buffers: tensors in a layout of oneDNN's cannot be saved, and need not be.
        self.weight_forward = _laid_out(weight)
        self.weight_back = _laid_out(weight.t().contiguous()) if backward else None
        self.offset = None if linear.bias is None else linear.bias.detach()

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """(..., I) to (..., O)."""
        if self.weight_back is None:
            return _product(inputs, self.weight_forward, self.offset)
        found: torch.Tensor = _Through.apply(inputs, self.weight_forward, self.weight_back, self.offset)
        return found


class _Through(torch.autograd.Function):
    """The product, with a gradient for the inputs alone."""

    @staticmethod
    def forward(
        ctx: Any, inputs: torch.Tensor, forth: torch.Tensor, back: torch.Tensor, offset: torch.Tensor | None
    ) -> torch.Tensor:
        ctx.back = back
        return _product(inputs, forth, offset)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None, None, None]:
        return _product(grads[0], ctx.back, None), None, None, None


def _laid_out(weight: torch.Tensor) -> torch.Tensor:
    return torch.ops.mkldnn._reorder_linear_weight(weight)


def _product(inputs: torch.Tensor, weight: torch.Tensor, offset: torch.Tensor | None) -> torch.Tensor:
    return torch.ops.mkldnn._linear_pointwise(inputs.to(torch.bfloat16), weight, offset, "none", [], "")
