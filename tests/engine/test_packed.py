"""PackedLinear weights give what torch's own linear layer gives, in the forward and the backward pass."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import nn

from inoculate.engine.device import Device, pick_device
from inoculate.engine.kernels.packed import PackedLinear, pack, pack_base_layers

BF16 = Device(torch.device("cpu"), torch.bfloat16)
needs_bf16 = pytest.mark.skipif(pick_device() != BF16, reason="this machine does not compute in bfloat16")


@needs_bf16
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(1, 48), (3, 48), (2, 100, 48)])
def test_packed_weights_give_the_same(bias: bool, shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    linear = nn.Linear(48, 80, bias=bias, dtype=torch.bfloat16)
    inputs = torch.randn(shape, dtype=torch.bfloat16)
    torch.testing.assert_close(PackedLinear(linear, backward=False)(inputs), linear(inputs))


def adapted(dropout: float = 0.0) -> tuple[nn.Module, nn.Module]:
    """A model with LoRA beside both of its layers, the second without a bias; and the first one."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(48, 80), nn.Tanh(), nn.Linear(80, 32, bias=False)).to(torch.bfloat16)
    config = LoraConfig(r=4, lora_alpha=12, lora_dropout=dropout, target_modules=["0", "2"])
    tuned = get_peft_model(model, config)  # type: ignore[arg-type]
    with torch.no_grad():
        for name, weight in tuned.named_parameters():
            if "lora_B" in name:
                weight.normal_(std=0.3)
    return tuned, tuned.base_model.model[0]  # type: ignore[index]


@needs_bf16
@pytest.mark.parametrize("frozen", [True, False], ids=["inputs without a gradient", "inputs with one"])
def test_packed_layers_and_their_adapters_give_what_peft_gives(frozen: bool) -> None:
    """Outputs and gradients of a model under autocast, as it is trained; both are rounded, in other places."""
    found = []
    for packed in (True, False):
        model, layer = adapted()
        if packed:
            pack_base_layers(model, BF16)
        assert isinstance(layer.base_layer, PackedLinear) == packed
        inputs = (
            torch.randn(2, 50, 48, generator=torch.Generator().manual_seed(1)).bfloat16().requires_grad_(not frozen)
        )
        with torch.autocast("cpu", torch.bfloat16):
            out = model(inputs)
        out.float().square().sum().backward()
        found.append({"out": out, "inputs": inputs.grad} | {name: p.grad for name, p in model.named_parameters()})
    ours, theirs = ({name: one for name, one in each.items() if one is not None} for each in found)
    assert ours.keys() == theirs.keys()
    assert len(ours) == (5 if frozen else 6), "of two adapters with two matrices each, beside the outputs"
    for name, one in ours.items():
        assert (one - theirs[name]).float().norm() < 0.02 * theirs[name].float().norm(), name


@needs_bf16
@needs_bf16
def test_packed_layers_give_the_untrained_model_where_adapters_are_disabled() -> None:
    found: list[torch.Tensor] = []
    for packed in (True, False):
        model: Any = adapted()[0]
        if packed:
            pack_base_layers(model, BF16)
        inputs = torch.randn(2, 50, 48, generator=torch.Generator().manual_seed(1)).bfloat16()
        with torch.no_grad():
            with model.disable_adapter():
                found.append(model(inputs))
            assert not torch.allclose(found[-1], model(inputs), atol=0.1)
    torch.testing.assert_close(*found)


def test_other_adapters_are_left_to_peft() -> None:
    model, layer = adapted(dropout=0.1)
    pack_base_layers(model, BF16)
    assert not isinstance(layer.base_layer, PackedLinear)


@needs_bf16
def test_every_linear_layer_of_a_model_is_packed() -> None:
    model = nn.Sequential(nn.Linear(8, 8), nn.Sequential(nn.ReLU(), nn.Linear(8, 4))).to(torch.bfloat16)
    pack(model, BF16)
    assert [type(each) for each in model.modules() if not list(each.children())] == [
        PackedLinear,
        nn.ReLU,
        PackedLinear,
    ]


def test_where_models_run_in_float32_nothing_changes() -> None:
    model = nn.Sequential(nn.Linear(8, 8))
    pack(model, Device(torch.device("cpu"), torch.float32))
    assert type(model[0]) is nn.Linear
