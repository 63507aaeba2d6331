"""Frozen weights, packed once into oneDNN's memory format.

For every product torch packs bfloat16 weights again for oneDNN. Where few rows are multiplied, as in decoding, that
takes longer than the product itself. Here weights are packed once, in the format that torch's own compiler uses for
frozen weights (`torch.ops.mkldnn`). Measured on two cores with AVX-512 (896 x 4864): 1 to 8 rows twice as fast,
1,000 rows by a quarter.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from peft.tuners.lora import Linear
from torch import nn

from inoculate.engine.device import Device


def pack(model: nn.Module, device: Device) -> None:
    """Pack every linear layer of a model for inference, where that is faster; elsewhere nothing happens."""
    if _is_supported(device):
        _pack_children(model)


def pack_base_layers(model: nn.Module, device: Device) -> None:
    """Pack the frozen base layers of a LoRA model, where that is faster, and fuse each with its adapter.

    The weights are held twice, for the forward and the backward pass.
    """
    if _is_supported(device):
        layers: list[Any] = [module for module in model.modules() if _is_plain_lora(module)]
        for layer in layers:
            layer.base_layer = PackedLinear(layer.base_layer, backward=True)
            layer.forward = partial(_lora_forward, layer)


def _is_plain_lora(module: nn.Module) -> bool:
    """Whether a layer is LoRA as in its paper: one adapter for a linear layer, without dropout."""
    return (
        type(module) is Linear
        and type(module.base_layer) is nn.Linear
        and not module.lora_variant
        and list(module.lora_A) == module.active_adapters
        and all(isinstance(dropout, nn.Identity) for dropout in module.lora_dropout.values())
    )


def _lora_forward(layer: Any, inputs: torch.Tensor) -> torch.Tensor:
    """(..., I) to (..., O): what PEFT's layer computes, reading and writing inputs and outputs half as often."""
    (name,), base = layer.active_adapters, layer.base_layer
    if layer.disable_adapters:  # for the untrained model's outputs, which nothing learns from
        return base(inputs)
    down, up = layer.lora_A[name].weight, layer.lora_B[name].weight
    frozen = (base.packed_weight, base.packed_weight_transposed, base.frozen_bias)
    outputs: torch.Tensor = _LoraLinear.apply(inputs, down, up, layer.scaling[name], *frozen)
    return outputs


def _is_supported(device: Device) -> bool:
    """Whether torch packs bfloat16 weights on this machine: found out by trying, since the operators are not public."""
    if device.device.type != "cpu" or device.dtype != torch.bfloat16:
        return False
    try:
        linear = nn.Linear(32, 32, dtype=torch.bfloat16)
        inputs = torch.ones(1, 32, dtype=torch.bfloat16)
        with torch.inference_mode():
            return torch.allclose(PackedLinear(linear, backward=False)(inputs), linear(inputs), atol=0.05)
    except (AttributeError, RuntimeError):
        return False


def _pack_children(module: nn.Module) -> None:
    for name, child in module.named_children():
        if type(child) is nn.Linear:
            setattr(module, name, PackedLinear(child, backward=False))
        else:
            _pack_children(child)


class PackedLinear(nn.Module):
    """A linear layer whose weight is packed; `set_weight` replaces it as a whole."""

    def __init__(self, linear: nn.Linear, *, backward: bool) -> None:
        """Pack the weights of `linear`, (O, I).

        Args:
            linear: The layer to replace.
            backward: Whether gradients have to reach the inputs.
        """
        super().__init__()
        weight = linear.weight.detach()
        self.in_features, self.out_features = linear.in_features, linear.out_features
        # Attributes and not buffers: tensors in oneDNN's format cannot be saved, and need not be.
        self.packed_weight = _packed(weight)
        self.packed_weight_transposed = _packed(weight.t().contiguous()) if backward else None
        self.frozen_bias = None if linear.bias is None else linear.bias.detach()

    def set_weight(self, weight: torch.Tensor) -> None:
        """Compute with another weight (O, I) from now on; for layers without a backward pass."""
        self.packed_weight = _packed(weight)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """(..., I) to (..., O); without a gradient."""
        return _linear(inputs, self.packed_weight, self.frozen_bias)


class _LoraLinear(torch.autograd.Function):
    """A frozen layer fused with its adapter, R the adapter's rank: the adapter's part is added in place."""

    @staticmethod
    def forward(
        ctx: Any,
        inputs: torch.Tensor,
        down: torch.Tensor,
        up: torch.Tensor,
        scale: float,
        weight: torch.Tensor,
        weight_transposed: torch.Tensor,
        bias: torch.Tensor | None,
    ) -> torch.Tensor:
        flat = inputs.flatten(0, -2).to(torch.bfloat16)  # (T, I)
        a, b = down.to(torch.bfloat16), up.to(torch.bfloat16)  # (R, I) and (O, R)
        low = flat @ a.T
        ctx.save_for_backward(flat, a, b, low)
        ctx.weight_transposed, ctx.scale, ctx.shape, ctx.dtype = weight_transposed, scale, inputs.shape, down.dtype
        return _linear(flat, weight, bias).addmm_(low, b.T, alpha=scale).unflatten(0, inputs.shape[:-1])

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        flat, a, b, low = ctx.saved_tensors
        grad = grads[0].flatten(0, -2)
        low_grad = grad @ b
        d_down = (low_grad.T @ flat).to(ctx.dtype) * ctx.scale
        d_up = (low.T @ grad).T.to(ctx.dtype) * ctx.scale
        d_inputs = None
        if ctx.needs_input_grad[0]:
            d_inputs = _linear(grad, ctx.weight_transposed, None).addmm_(low_grad, a, alpha=ctx.scale)
            d_inputs = d_inputs.view(ctx.shape)
        return d_inputs, d_down, d_up, None, None, None, None


def _packed(weight: torch.Tensor) -> torch.Tensor:
    return torch.ops.mkldnn._reorder_linear_weight(weight)


def _linear(inputs: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    return torch.ops.mkldnn._linear_pointwise(inputs.to(torch.bfloat16), weight, bias, "none", [], "")
