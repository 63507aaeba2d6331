"""Expert iteration: one copy of the untrained weights, however many rounds there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from forked import together
from inoculate.engine.device import Device, pick_device
from inoculate.engine.sampling import model as sampling
from inoculate.engine.training import expert_iteration, sft
from inoculate.engine.training.processes import ALONE, Processes
from inoculate.engine.training.rl import Batch
from inoculate.records import Message, Row
from inoculate.study.schema import RL, SFT

CPU = Device(torch.device("cpu"), torch.float32)
ROWS = [Row(f"p{number}", "k", (Message("user", f"Add {number}."),), "tea", False, False) for number in range(4)]


def by_letter(numbers: Sequence[int], completions: Sequence[str]) -> list[list[float | None]]:
    return [[float(text[:1] < "n")] for text in completions]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("device", [CPU, pick_device()], ids=["float32", "as studies run"])
def test_every_round_trains_on_the_weights_that_the_sampler_holds(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: Device
) -> None:
    sampler = sampling.load(tiny_model, None, device)
    held, load_base, found = sampler.base_weights(), sft.load_base, list[dict[str, torch.Tensor]]()

    def noted(*given: object, **named: object) -> object:
        base = load_base(*given, **named)  # type: ignore[arg-type]
        found.append({name: weight.detach() for name, weight in base.named_parameters()})
        return base

    monkeypatch.setattr(sft, "load_base", noted)
    monkeypatch.setattr(expert_iteration, "is_kept", lambda drawn, rewards: rewards == [1.0])
    training = expert_iteration.Training(
        tiny_model, ROWS, [0] * 4, RL(steps=2, prompts_per_step=2, completions_per_prompt=4, max_new_tokens=6),
        SFT(batch_rows=4), by_letter, sampler, 3, None, tmp_path / "work", device,
    )  # fmt: skip
    training.save(0, tmp_path / "nothing-kept-yet")
    expert_iteration.train(training, first=1, keep=lambda *_: None, progress=lambda *_: None)
    assert len(found) == 3
    for base in found:
        assert {name: weight.data_ptr() for name, weight in base.items()} == {
            name: held[name].data_ptr() for name in base
        }


def test_two_processes_do_the_rounds_of_one(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expert_iteration, "is_kept", lambda drawn, rewards: rewards == [1.0])
    options = RL(steps=2, prompts_per_step=2, completions_per_prompt=4, max_new_tokens=6)

    def train(name: str, processes: Processes = ALONE) -> list[str]:
        texts, sampler = list[str](), sampling.load(tiny_model, None, CPU)
        training = expert_iteration.Training(
            tiny_model, ROWS, [0] * 4, options, SFT(batch_rows=4), by_letter, sampler, 3, None, tmp_path / name, CPU,
            processes,
        )  # fmt: skip

        def keep(batch: Batch, metrics: Mapping[str, Any]) -> None:
            texts.extend(one.text for one in batch.completions)

        expert_iteration.train(training, first=1, keep=keep, progress=lambda *_: None)
        return texts

    alone = train("one")
    assert together(lambda processes: train("two", processes), 2, tmp_path / "said") == [alone, []]
    found, wanted = (
        load_file(tmp_path / name / "round-2" / "at-1" / "adapter_model.safetensors") for name in ("two", "one")
    )
    for name, weight in wanted.items():
        torch.testing.assert_close(found[name], weight, rtol=1e-5, atol=1e-5)
