"""Packed weights give what torch's own linear layer gives, forth and back."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from inoculate.device import Device, pick
from inoculate.packed import Packed, pack

BF16 = Device(torch.device("cpu"), torch.bfloat16)
needs_bf16 = pytest.mark.skipif(pick() != BF16, reason="this machine does not compute in bfloat16")


@needs_bf16
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(1, 48), (3, 48), (2, 100, 48)])
def test_packed_weights_give_the_same_and_pass_gradients_to_the_inputs(bias: bool, shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    linear = nn.Linear(48, 80, bias=bias, dtype=torch.bfloat16)
    one, other = (torch.randn(shape, generator=torch.Generator().manual_seed(1)).bfloat16() for _ in range(2))
    one.requires_grad_()
    other.requires_grad_()
    found, wanted = Packed(linear, backward=True)(one), linear(other)
    torch.testing.assert_close(found, wanted)
    found.sum().backward()
    wanted.sum().backward()
    torch.testing.assert_close(one.grad, other.grad)


@needs_bf16
def test_every_linear_layer_of_a_model_is_packed() -> None:
    model = nn.Sequential(nn.Linear(8, 8), nn.Sequential(nn.ReLU(), nn.Linear(8, 4))).to(torch.bfloat16)
    pack(model, BF16)
    assert [type(each) for each in model.modules() if not list(each.children())] == [Packed, nn.ReLU, Packed]


def test_where_models_run_in_float32_nothing_changes() -> None:
    model = nn.Sequential(nn.Linear(8, 8))
    pack(model, Device(torch.device("cpu"), torch.float32))
    assert type(model[0]) is nn.Linear
