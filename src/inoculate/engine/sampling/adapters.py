"""LoRA adapters for sampling: merged into the weights, one after the other, from base weights that never change.

Merged, an adapter costs nothing while tokens are decoded. The base weights are kept beside the merged ones, so that
the next adapter needs no loading, and so that no rounding adds up: each is merged into the same weights.

Shapes: O outputs, I inputs of a layer, R rank.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from peft import PeftConfig, get_peft_model_state_dict
from safetensors.torch import load_file
from torch import nn

from inoculate.engine.device import Device
from inoculate.engine.kernels.packed import PackedLinear, pack
from inoculate.errors import UserError

_NAME = "base_model.model."
_UNSUPPORTED = ("use_dora", "fan_in_fan_out", "modules_to_save", "rank_pattern", "alpha_pattern", "lora_bias")
"""Settings of PEFT's LoRA that change what is added, and that no adapter of ours has."""


class LowRank(NamedTuple):
    """What an adapter adds to the weight of one layer: scale * up @ down."""

    down: torch.Tensor
    """(R, I)."""
    up: torch.Tensor
    """(O, R)."""
    scale: float


Adapter = Mapping[str, LowRank]
"""Name of a linear layer in the model -> what is added to it."""


def read(folder: Path) -> Adapter:
    """Read an adapter.

    Args:
        folder: A PEFT folder with a LoRA adapter.

    Raises:
        UserError: It has something that is not supported.
    """
    config: Any = PeftConfig.from_pretrained(str(folder))
    kind = str(getattr(config.peft_type, "value", config.peft_type))
    extra = [name for name in _UNSUPPORTED if getattr(config, name, None)]
    if kind != "LORA" or extra or config.bias != "none":
        what = f"LoRA with {extra[0]}" if extra else kind if kind != "LORA" else f"LoRA with bias = {config.bias}"
        raise UserError(f"the adapter in {folder} is {what}; supported is plain LoRA on linear layers")
    weights = load_file(folder / "adapter_model.safetensors")
    names = {name.removeprefix(_NAME).rpartition(".lora_")[0] for name in weights}
    unknown = set(weights) - {key for name in names for key in _keys(name)}
    if unknown:
        raise UserError(f"the adapter in {folder} has {min(unknown)}; supported is plain LoRA on linear layers")
    return _pair(weights, config)


def from_model(model: Any) -> Adapter:
    """What the LoRA adapter of a PEFT model in training adds now; its tensors, not copies of them."""
    return _pair(get_peft_model_state_dict(model), model.peft_config["default"])


def _pair(weights: Mapping[str, torch.Tensor], config: Any) -> Adapter:
    """The adapter in a state dict of PEFT's."""
    scale = config.lora_alpha / (config.r**0.5 if config.use_rslora else config.r)
    names = sorted({name.removeprefix(_NAME).rpartition(".lora_")[0] for name in weights})
    down, up = ({name: weights[_keys(name)[part]].detach() for name in names} for part in (0, 1))
    return {name: LowRank(down[name], up[name], scale) for name in names}


def _keys(name: str) -> tuple[str, str]:
    """What a state dict calls the two matrices of a layer."""
    return f"{_NAME}{name}.lora_A.weight", f"{_NAME}{name}.lora_B.weight"


class Layers:
    """The linear layers of a model, their base weights, and the adapter that is merged into them."""

    def __init__(self, model: nn.Module, device: Device, *, packed: bool = True) -> None:
        """Take over the linear layers of a model with base weights; they may be packed where that is faster."""
        linear = {name: module for name, module in model.named_modules() if isinstance(module, nn.Linear)}
        self._base = {name: module.weight.detach() for name, module in linear.items()}
        if packed:
            pack(model, device)
        self._modules: dict[str, Any] = {name: model.get_submodule(name) for name in linear}
        self._merged: Adapter = {}

    def held(self, module: nn.Module) -> tuple[torch.Tensor, torch.Tensor | None]:
        """The weight (out, in) that a linear layer has now, its adapter merged, and its bias if it has one."""
        (name,) = (name for name, own in self._modules.items() if own is module)
        weight = self._with_adapter(name) if name in self._merged else self._base[name]
        bias: torch.Tensor | None = module.frozen_bias if isinstance(module, PackedLinear) else self._modules[name].bias
        return weight, bias

    def base_weights(self, model: nn.Module) -> dict[str, torch.Tensor]:
        """The state dict with base weights of a model whose linear layers these are; not copies."""
        weights: dict[str, torch.Tensor] = dict(model.state_dict())
        for name, weight in self._base.items():
            weights[f"{name}.weight"] = weight
            bias = getattr(self._modules[name], "frozen_bias", None)
            if bias is not None:
                weights[f"{name}.bias"] = bias
        return weights

    @torch.no_grad()
    def merge(self, adapter: Adapter) -> None:
        """Have the model compute with this adapter and no other; an empty one gives the base weights, bit for bit.

        Raises:
            UserError: The model has no such layer.
        """
        unknown = adapter.keys() - self._base.keys()
        if unknown:
            raise UserError(f"the adapter changes {min(unknown)}, which is no linear layer of this model")
        for name in self._merged.keys() - adapter.keys():
            self._set_weight(name, self._base[name])
        self._merged = dict(adapter)
        for name in adapter:
            self._set_weight(name, self._with_adapter(name))

    def _with_adapter(self, name: str) -> torch.Tensor:
        base, part = self._base[name], self._merged[name]
        down, up = (each.to(base.device, torch.float32) for each in (part.down, part.up))
        return torch.addmm(base.float(), up, down, alpha=part.scale).to(base.dtype)

    def _set_weight(self, name: str, weight: torch.Tensor) -> None:
        module = self._modules[name]
        if isinstance(module, PackedLinear):
            module.set_weight(weight)
        else:
            # A new parameter: the old one may be tied to another layer.
            module.weight = nn.Parameter(weight, requires_grad=False)
