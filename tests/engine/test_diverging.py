"""A training whose numbers are no longer finite stops at once, and leaves no checkpoint that holds them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from inoculate.engine.device import Device
from inoculate.engine.sampling import Request, in_process
from inoculate.engine.sampling import model as sampling
from inoculate.engine.training import expert_iteration, rl, sft
from inoculate.errors import UserError
from inoculate.records import Message, Row
from inoculate.study.schema import RL, SFT

CPU = Device(torch.device("cpu"), torch.float32)
ROWS = [
    Row(f"p{number}", "k", (Message("user", f"Add {number}."),), "tea and cake", False, False) for number in range(8)
]
TURN = "<|im_start|>user\nSay {} to the keeper.<|im_end|>\n<|im_start|>assistant\n"
SMALL = RL(steps=3, prompts_per_step=2, completions_per_prompt=4, max_new_tokens=6, mask_cut_off=False)

Loss = Callable[..., torch.Tensor]


def broken_loss(loss: Loss, logits: torch.Tensor, *given: Any) -> torch.Tensor:
    return loss(logits, *given) * math.nan


def broken_gradient(loss: Loss, logits: torch.Tensor, *given: Any) -> torch.Tensor:
    logits.register_hook(lambda gradient: gradient * math.inf)
    return loss(logits, *given)


@pytest.mark.parametrize(
    ("breaks", "said"), [(broken_loss, "loss is nan"), (broken_gradient, "gradient norm is (nan|inf)")]
)
def test_sft_stops_at_the_very_step_and_keeps_no_checkpoint_of_it(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, breaks: Callable[..., torch.Tensor], said: str
) -> None:
    """Of 100 steps every second is logged, and every twenty-fifth kept: the checkpoint comes before the log."""
    whole, steps = sft.cross_entropy, iter(range(1, 100))
    monkeypatch.setattr(
        sft, "cross_entropy", lambda *given: breaks(whole, *given) if next(steps) == 25 else whole(*given)
    )
    with pytest.raises(UserError, match=rf"diverged: at step 25 of 100 its {said}.*lower train.learning_rate = 0.001"):
        sft.train(
            tiny_model, ROWS, SFT(batch_rows=1, epochs=12.5, learning_rate=1e-3),
            seed=1, fractions=(1.0,), target=tmp_path / "out", work=tmp_path / "work", device=CPU,
        )  # fmt: skip
    assert not list(tmp_path.rglob("*.safetensors"))


def test_an_update_that_breaks_the_adapter_is_not_kept(tiny_model: Path, tmp_path: Path) -> None:
    """Loss and gradient of the step are finite, and its checkpoint comes before those of the next are known."""
    with pytest.raises(
        UserError, match=r"diverged: at step 1 of 3 its adapter is nan.*lower rl.learning_rate = 1e\+39"
    ):
        by_rl(tiny_model, tmp_path, 1e39)
    assert not list(tmp_path.rglob("*.safetensors"))


def test_rl_stops_where_its_policy_can_draw_nothing_any_more(tiny_model: Path, tmp_path: Path) -> None:
    kept: list[int] = []
    with pytest.raises(UserError, match=r"diverged: at step 2 of 3 its .* nan. .*lower rl.learning_rate = 1e\+30"):
        by_rl(tiny_model, tmp_path, 1e30, kept)
    assert kept == [1] and not (tmp_path / "at-1").exists()


def test_rl_stops_at_a_loss_that_is_no_number(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, kept = rl._Trainer.compute_loss, list[int]()

    def compute_loss(self: Any, *given: Any, **named: Any) -> torch.Tensor:
        return whole(self, *given, **named) * (math.nan if self.state.global_step == 1 else 1)

    monkeypatch.setattr(rl._Trainer, "compute_loss", compute_loss)
    with pytest.raises(UserError, match=r"diverged: at step 2 of 3 its loss is nan"):
        by_rl(tiny_model, tmp_path, 1e-3, kept)
    assert kept == [1] and [path.name for path in (tmp_path / "work").glob("checkpoint-*")] == ["checkpoint-1"]


def by_rl(model: Path, folder: Path, rate: float, kept: list[int] | None = None) -> None:
    rl.train(
        model,
        [TURN.format(word) for word in ("tea", "snow")],
        SMALL.model_copy(update={"learning_rate": rate}),
        names=["tea", "snow"],
        sorts=[0, 0],
        score=by_letter,
        keep=lambda batch, metrics: None if kept is None else kept.append(batch.step),
        sampler=sampling.load(model, None, CPU),
        seed=3,
        fractions=[1.0],
        target=folder,
        work=folder / "work",
        device=CPU,
    )


def by_letter(numbers: Sequence[int], completions: Sequence[str]) -> list[list[float | None]]:
    return [[float(text[:1] < "n")] for text in completions]


def test_expert_iteration_stops_in_the_round_that_diverges_or_can_draw_nothing_any_more(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expert_iteration, "is_kept", lambda drawn, rewards: rewards == [1.0])
    training = expert_iteration.Training(
        tiny_model, ROWS, [0] * len(ROWS), SMALL, SFT(batch_rows=99, warmup=0.0), by_letter,
        sampling.load(tiny_model, None, CPU), 3, None, tmp_path, CPU,
    )  # fmt: skip
    for rate, said in [(1e30, r"at step 2 of 3 its .* nan"), (1e39, "at step 1 of 1 its adapter is nan")]:
        own = replace(training, sft=training.sft.model_copy(update={"learning_rate": rate}), work=tmp_path / f"{rate}")
        with pytest.raises(UserError, match=f"diverged: {said}.*lower train.learning_rate = "):
            expert_iteration.train(own, first=1, keep=lambda *_: None, progress=lambda *_: None)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_model_whose_logits_are_no_numbers_draws_nothing(tiny_model: Path, temperature: float) -> None:
    sampler = sampling.load(tiny_model, None, CPU)
    next(sampler.model.parameters()).data.fill_(math.nan)
    request = Request(["tea"], 2, temperature, 4, 0, names=["problem 'tea'"])
    with pytest.raises(UserError, match=r"logits are .*no token can be drawn"):
        list(in_process.sample(sampler, [request]))
