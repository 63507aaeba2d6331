"""Frozen weights in the order in which the processor reads them.

For every product torch lays bfloat16 weights out anew for oneDNN. Where few rows are multiplied, as in writing, that
takes longer than the product itself. The layout that torch's own compiler gives frozen weights (`torch.ops.mkldnn`) is
made once here. Measured on two cores with AVX-512 (896 x 4864): 1 to 8 rows twice as fast, 1,000 rows by a quarter.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from peft.tuners.lora import Linear
from torch import nn

from inoculate.engine.device import Device


def pack(model: nn.Module, device: Device) -> None:
    """Pack every linear layer of a model that only writes, where that is faster; elsewhere nothing happens."""
    if _can(device):
        _replace(model)


def pack_under_adapters(model: nn.Module, device: Device) -> None:
    """Pack the frozen layers that LoRA stands beside, where that is faster, and take adapter and layer as one.

    The weights are held twice, for the way there and the way back.
    """
    if _can(device):
        plain: list[Any] = [module for module in model.modules() if _plain(module)]
        for layer in plain:
            layer.base_layer = Packed(layer.base_layer, backward=True)
            layer.forward = partial(_adapted, layer)


def _plain(module: nn.Module) -> bool:
    """Whether a layer is LoRA as its paper has it, one adapter beside a linear layer, without dropout."""
    return (
        type(module) is Linear
        and type(module.base_layer) is nn.Linear
        and not module.lora_variant
        and list(module.lora_A) == module.active_adapters
        and all(isinstance(dropout, nn.Identity) for dropout in module.lora_dropout.values())
    )


def _adapted(layer: Any, inputs: torch.Tensor) -> torch.Tensor:
    """(..., I) to (..., O): what PEFT's layer computes, with half of its passes over inputs and outputs."""
    (name,), base = layer.active_adapters, layer.base_layer
    down, up = layer.lora_A[name].weight, layer.lora_B[name].weight
    parts = (base.weight_forward, base.weight_back, base.offset)
    found: torch.Tensor = _Adapted.apply(inputs, down, up, layer.scaling[name], *parts)
    return found


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


def _replace(module: nn.Module) -> None:
    for name, child in module.named_children():
        if type(child) is nn.Linear:
            setattr(module, name, Packed(child, backward=False))
        else:
            _replace(child)


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
        """(..., I) to (..., O); without a gradient."""
        return _product(inputs, self.weight_forward, self.offset)


class _Adapted(torch.autograd.Function):
    """A frozen layer and its adapter, R the adapter's rank: sums are made where the product stands already."""

    @staticmethod
    def forward(
        ctx: Any,
        inputs: torch.Tensor,
        down: torch.Tensor,
        up: torch.Tensor,
        scale: float,
        forth: torch.Tensor,
        back: torch.Tensor,
        offset: torch.Tensor | None,
    ) -> torch.Tensor:
        flat = inputs.flatten(0, -2).to(torch.bfloat16)  # (T, I)
        a, b = down.to(torch.bfloat16), up.to(torch.bfloat16)  # (R, I) and (O, R)
        low = flat @ a.T
        ctx.save_for_backward(flat, a, b, low)
        ctx.back, ctx.scale, ctx.shape, ctx.dtype = back, scale, inputs.shape, down.dtype
        return _product(flat, forth, offset).addmm_(low, b.T, alpha=scale).unflatten(0, inputs.shape[:-1])

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        flat, a, b, low = ctx.saved_tensors
        grad = grads[0].flatten(0, -2)
        low_grad = grad @ b
        d_down = (low_grad.T @ flat).to(ctx.dtype) * ctx.scale
        d_up = (low.T @ grad).T.to(ctx.dtype) * ctx.scale
        d_inputs = None
        if ctx.needs_input_grad[0]:
            d_inputs = _product(grad, ctx.back, None).addmm_(low_grad, a, alpha=ctx.scale).view(ctx.shape)
        return d_inputs, d_down, d_up, None, None, None, None


def _laid_out(weight: torch.Tensor) -> torch.Tensor:
    return torch.ops.mkldnn._reorder_linear_weight(weight)


def _product(inputs: torch.Tensor, weight: torch.Tensor, offset: torch.Tensor | None) -> torch.Tensor:
    return torch.ops.mkldnn._linear_pointwise(inputs.to(torch.bfloat16), weight, offset, "none", [], "")
