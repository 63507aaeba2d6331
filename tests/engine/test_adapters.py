"""Adapters take turns in one model: as PEFT merges them, and the base weights come back bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import nn
from transformers import AutoModelForCausalLM

from inoculate.engine.device import Device, pick_device
from inoculate.engine.kernels.packed import PackedLinear
from inoculate.engine.sampling import adapters
from inoculate.engine.sampling.kv_cache import KVCache
from inoculate.engine.sampling.model import Sampler, load, prefill
from inoculate.errors import UserError

CPU = Device(torch.device("cpu"), torch.float32)
IDS = [list(range(20, end)) for end in range(56, 61)]


def saved(model: Path, folder: Path, seed: int, **config: Any) -> Path:
    """An adapter with random weights."""
    torch.manual_seed(seed)
    base: Any = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    lora = LoraConfig(**{"r": 4, "lora_alpha": 12, "target_modules": "all-linear", "task_type": "CAUSAL_LM", **config})
    tuned: Any = get_peft_model(base, lora)
    with torch.no_grad():
        for name, weight in tuned.named_parameters():
            if "lora_B" in name:
                weight.normal_(std=0.1)
    tuned.save_pretrained(folder / str(seed))
    return folder / str(seed)


def logits(sampler: Sampler) -> torch.Tensor:
    return prefill(sampler, KVCache(len(IDS)), 0, [0] * len(IDS), IDS)


@pytest.mark.parametrize("device", [CPU, pick_device()], ids=["float32", "as studies run"])
def test_adapters_take_turns_and_the_base_comes_back_bit_for_bit(
    tiny_model: Path, tmp_path: Path, device: Device
) -> None:
    first = adapters.read(saved(tiny_model, tmp_path, 1))
    second = adapters.read(saved(tiny_model, tmp_path, 2, target_modules=["q_proj", "down_proj"]))
    sampler = load(tiny_model, None, device)
    untouched = {name: weight.clone() for name, weight in sampler._layers._base.items()}
    base = logits(sampler)
    alone = {}
    for name, adapter in (("first", first), ("second", second)):
        fresh = load(tiny_model, None, device)
        fresh.use(adapter)
        alone[name] = logits(fresh)
        assert not torch.equal(alone[name], base)
    for name in ("first", "second", "first", "", "second", ""):
        sampler.use({"first": first, "second": second, "": None}[name])
        assert torch.equal(logits(sampler), alone.get(name, base)), name
    assert all(torch.equal(sampler._layers._base[name], weight) for name, weight in untouched.items())
    for name, module in sampler._layers._modules.items():
        if isinstance(module, PackedLinear):
            assert torch.equal(module.packed_weight.to_dense(), untouched[name]), name
        else:
            assert torch.equal(module.weight, untouched[name]), name


@pytest.mark.parametrize("more", [{}, {"use_rslora": True}])
def test_an_adapter_is_merged_as_peft_merges_it(tiny_model: Path, tmp_path: Path, more: dict[str, Any]) -> None:
    folder = saved(tiny_model, tmp_path, 3, **more)
    sampler = load(tiny_model, folder, CPU)
    base: Any = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    merged: Any = PeftModel.from_pretrained(base, folder).merge_and_unload()
    for name, module in sampler._layers._modules.items():
        torch.testing.assert_close(module.weight, merged.get_submodule(name).weight, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(logits(sampler), merged(torch.tensor(IDS[-1:])).logits[0, -5:], rtol=1e-3, atol=1e-4)


def test_an_adapter_on_a_tied_layer_leaves_the_other_alone() -> None:
    model = nn.Module()
    model.embed, model.head = nn.Embedding(9, 4), nn.Linear(4, 9, bias=False)
    model.head.weight = model.embed.weight
    before, layers = model.embed.weight.clone(), adapters.Layers(model, CPU)
    layers.merge({"head": adapters.LowRank(torch.ones(1, 4), torch.ones(9, 1), 0.5)})
    assert torch.equal(model.embed.weight, before)
    torch.testing.assert_close(model.head.weight, before + 0.5)  # type: ignore[arg-type]
    layers.merge({})
    assert torch.equal(model.head.weight, before)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ({"use_dora": True}, "LoRA with use_dora"),
        ({"bias": "all"}, "LoRA with bias = all"),
        ({"target_modules": ["q_proj", "embed_tokens"]}, "embed_tokens"),
    ],
)
def test_what_is_not_supported_is_refused(tiny_model: Path, tmp_path: Path, more: dict[str, Any], what: str) -> None:
    with pytest.raises(UserError, match=what):
        adapters.read(saved(tiny_model, tmp_path, 4, **more))


def test_an_adapter_of_another_model_is_refused(tiny_model: Path) -> None:
    part = adapters.LowRank(torch.ones(1, 4), torch.ones(9, 1), 0.5)
    with pytest.raises(UserError, match=r"changes model\.other, which is no linear layer"):
        load(tiny_model, None, CPU).use({"model.other": part})
