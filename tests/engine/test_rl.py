"""RL: TRL's own losses and weights, the same run after an interruption, and rewards that cannot be given."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from forked import together
from inoculate.engine import families
from inoculate.engine.device import Device, pick_device
from inoculate.engine.sampling import model as sampling
from inoculate.engine.training import drawing, rl
from inoculate.engine.training.processes import ALONE, Processes
from inoculate.engine.training.sft import load_base
from inoculate.errors import UserError
from inoculate.study.schema import RL

CPU = Device(torch.device("cpu"), torch.float32)
PROMPTS = [f"<|im_start|>user\nSay {word} to the keeper of the museum.<|im_end|>\n<|im_start|>assistant\n" for word in
           ("bread", "cake", "tea", "ducks", "snow")]  # fmt: skip
SORTS = [True, True, True, False, False]
SMALL = RL(
    steps=5, prompts_per_step=2, completions_per_prompt=4, max_new_tokens=12, learning_rate=1e-2, mask_cut_off=False
)
"""The tiny model hardly ever ends a text by itself: with its cut-off completions masked it would learn nothing."""


def some_rewards(prompts: Sequence[int], completions: Sequence[str]) -> list[list[float | None]]:
    """Whether the text has an 'e' among its first characters: some completions of a group have it, some do not."""
    return [[float("e" in text[:10])] for text in completions]


class Run:
    """A training with what was kept of it."""

    def __init__(
        self, tiny_model: Path, folder: Path, options: RL = SMALL, score: rl.Score = some_rewards, stop_after: int = 0
    ) -> None:
        self.model, self.folder, self.options, self.score, self.stop_after = (
            tiny_model,
            folder,
            options,
            score,
            stop_after,
        )
        self.batches: dict[int, rl.Batch] = {}
        self.metrics: dict[int, dict[str, Any]] = {}

    def keep(self, batch: rl.Batch, metrics: Mapping[str, Any]) -> None:
        self.batches[batch.step], self.metrics[batch.step] = batch, dict(metrics)
        if batch.step == self.stop_after:
            raise KeyboardInterrupt

    def train(self, seed: int = 3, device: Device = CPU, processes: Processes = ALONE) -> dict[str, torch.Tensor]:
        self.sampler = sampling.load(self.model, None, device)
        self.report = rl.train(
            self.model,
            PROMPTS,
            self.options,
            names=[f"prompt {number}" for number in range(len(PROMPTS))],
            sorts=SORTS,
            score=self.score,
            keep=self.keep,
            sampler=self.sampler,
            seed=seed,
            fractions=[1.0],
            target=self.folder,
            work=self.folder / "trainer",
            device=device,
            processes=processes,
        )
        return load_file(self.folder / "at-1" / "adapter_model.safetensors") if processes.is_first else {}


def trl_alone(tiny_model: Path, folder: Path, run: Run, seed: int) -> tuple[dict[str, torch.Tensor], list[float]]:
    """TRL's trainer by itself on the completions of a run: its adapter and losses."""
    from peft import LoraConfig, get_peft_model_state_dict
    from transformers import AutoTokenizer
    from trl import GRPOTrainer

    tokenizer = AutoTokenizer.from_pretrained(tiny_model)

    def replay(prompts: list[str], trainer: Any) -> dict[str, Any]:
        batch = run.batches[trainer.state.global_step + 1]
        assert prompts == [PROMPTS[number] for number in batch.prompts]
        return {
            "prompt_ids": [tokenizer(text, add_special_tokens=False)["input_ids"] for text in prompts],
            "completion_ids": [list(one.tokens) for one in batch.completions],
            "logprobs": None,
            "text": [one.text for one in batch.completions],
        }

    def reward(*, text: list[str], **_: Any) -> list[float | None]:
        return [one[0] for one in run.score([], text)]

    arguments = rl._training_arguments(run.options, seed, folder, CPU, {"report_to": "none"})
    trainer = GRPOTrainer(
        AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32),
        reward,
        arguments,
        train_dataset=Dataset.from_list(
            [{"prompt": PROMPTS[number]} for number in drawing.prompt_order(SORTS, run.options, seed)]
        ),
        processing_class=tokenizer,
        rollout_func=replay,
        peft_config=LoraConfig(r=8, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM"),
    )
    trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "grad_norm" in entry]
    return get_peft_model_state_dict(trainer.model), losses


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"loss": "grpo", "scale": "batch"},
        {"loss": "bnpo", "beta": 0.05},
        {"loss": "dr_grpo", "scale": "none"},
        {"mask_cut_off": True, "max_new_tokens": 300, "micro_batch_tokens": 700},
    ],
)
def test_five_steps_give_the_weights_and_losses_of_trl(
    tiny_model: Path, tmp_path: Path, changes: dict[str, Any]
) -> None:
    run = Run(
        tiny_model,
        tmp_path / "ours",
        SMALL.model_copy(update={"micro_batch_tokens": 80, "learning_rate": 1e-3, **changes}),
    )
    ours = run.train()
    theirs, losses = trl_alone(tiny_model, tmp_path / "theirs", run, 3)
    assert [metrics["loss"] for metrics in run.metrics.values()] == pytest.approx(losses, abs=1e-5)
    assert ours.keys() == theirs.keys()
    for name, weight in theirs.items():
        torch.testing.assert_close(ours[name], weight, atol=1e-5, rtol=0)
    assert sum(metrics["grad_norm"] > 0 for metrics in run.metrics.values()) >= 3
    if run.options.mask_cut_off:  # else all are equally long, and losses of 0 as advantages cancel
        assert any(abs(loss) > 1e-4 for loss in losses)


def test_two_processes_draw_and_learn_what_one_does(tiny_model: Path, tmp_path: Path) -> None:
    changes = {"steps": 3, "loss": "bnpo", "beta": 0.05, "micro_batch_tokens": 80, "learning_rate": 1e-3}
    options, scored = SMALL.model_copy(update=changes), list[int]()
    alone = Run(tiny_model, tmp_path / "one", options)
    wanted = alone.train()

    def both(processes: Processes) -> list[Any]:
        def score(prompts: Sequence[int], completions: Sequence[str]) -> Sequence[Sequence[float | None]]:
            scored.append(len(completions))
            return some_rewards(prompts, completions)

        run = Run(tiny_model, tmp_path / "two", options, score)
        run.train(processes=processes)
        texts = {step: [one.text for one in batch.completions] for step, batch in run.batches.items()}
        return [texts, run.metrics, scored]

    (texts, metrics, first), other = together(both, 2, tmp_path / "said")
    assert texts == {step: [one.text for one in batch.completions] for step, batch in alone.batches.items()}
    assert first == [8, 8, 8] and other == [{}, {}, []]  # one of them scores, and keeps
    for step, found in metrics.items():
        for name in ("loss", "entropy", "kl", "sampling_mismatch", "grad_norm"):
            assert found[name] == pytest.approx(alone.metrics[step][name], rel=1e-4, abs=1e-6), name
    adapter = load_file(tmp_path / "two" / "at-1" / "adapter_model.safetensors")
    for name, weight in wanted.items():
        torch.testing.assert_close(adapter[name], weight, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("device", [CPU, pick_device()], ids=["float32", "as studies run"])
def test_trackers_get_our_entropy_and_divergence(tiny_model: Path, tmp_path: Path, device: Device) -> None:
    run = Run(tiny_model, tmp_path, SMALL.model_copy(update={"learning_rate": 1e-2}))
    run.train(device=device)
    checkpoint = tmp_path / "trainer" / f"checkpoint-{SMALL.steps}" / "trainer_state.json"
    logged = [entry for entry in json.loads(checkpoint.read_text())["log_history"] if "grad_norm" in entry]
    for name in ("entropy", "kl"):
        assert [entry[name] for entry in logged] == pytest.approx([one[name] for one in run.metrics.values()])
    assert all(entry["entropy"] > 0 for entry in logged) and logged[-1]["kl"] > 0


def test_an_interrupted_training_ends_as_an_undisturbed_one(tiny_model: Path, tmp_path: Path) -> None:
    whole = Run(tiny_model, tmp_path / "whole")
    expected = whole.train()
    folder, batches = tmp_path / "stopped", dict[int, rl.Batch]()
    for stop in (1, 3, 4):
        run = Run(tiny_model, folder, stop_after=stop)
        with pytest.raises(KeyboardInterrupt):
            run.train()
        batches |= run.batches
        # As a kill in the middle of saving leaves it.
        if stop == 3:
            (folder / "trainer" / "checkpoint-2" / "trainer_state.json").write_text('{"global_st')
        # As a disk leaves it that loses a bit.
        if stop == 4:
            weights = folder / "trainer" / "checkpoint-3" / "adapter_model.safetensors"
            data = bytearray(weights.read_bytes())
            data[-1] ^= 1
            weights.write_bytes(data)
    run = Run(tiny_model, folder)
    found = run.train()
    batches |= run.batches
    assert all(torch.equal(found[name], weight) for name, weight in expected.items())
    for step, batch in whole.batches.items():
        assert [one.tokens for one in batches[step].completions] == [one.tokens for one in batch.completions]
        assert batches[step].advantages == batch.advantages
    # As a kill after the last checkpoint leaves it, before the step is finished.
    assert run.report == whole.report
    finished = Run(tiny_model, folder)
    finished.train()
    assert finished.report == whole.report and not finished.batches


def test_another_seed_draws_other_prompts_and_completions(tiny_model: Path, tmp_path: Path) -> None:
    first, second = Run(tiny_model, tmp_path / "3"), Run(tiny_model, tmp_path / "4")
    first.train(3)
    second.train(4)
    assert [one.text for one in first.batches[1].completions] != [one.text for one in second.batches[1].completions]
    texts = [one.text for batch in first.batches.values() for one in batch.completions]
    assert len(set(texts)) > len(texts) / 2


def test_a_reward_that_cannot_be_given_scores_nothing_and_is_counted(tiny_model: Path, tmp_path: Path) -> None:
    def partly(prompts: Sequence[int], completions: Sequence[str]) -> list[list[float | None]]:
        given = some_rewards(prompts, completions)
        return [[None] if number % 4 == 1 else one for number, one in enumerate(given)]

    run = Run(tiny_model, tmp_path, score=partly)
    run.train()
    for step, metrics in run.metrics.items():
        assert metrics["unscorable"] == 2
        advantages = run.batches[step].advantages or []
        assert advantages[1] == advantages[5] == 0
        rewards = [one[0] for one in partly([], [one.text for one in run.batches[step].completions])]
        for group in (slice(0, 4), slice(4, 8)):
            scored = [value for value in rewards[group] if value is not None]
            mean = sum(scored) / len(scored)
            above = [value > mean for value in scored]
            pairs = zip(advantages[group], rewards[group], strict=True)
            assert above == [value > 0 for value, reward in pairs if reward is not None]


@pytest.mark.parametrize("device", [CPU, pick_device()], ids=["float32", "as studies run"])
def test_sampler_and_trainer_hold_the_untrained_weights_once(tiny_model: Path, device: Device) -> None:
    sampler = sampling.load(tiny_model, None, device)
    held, fresh = sampler.base_weights(), load_base(tiny_model, device)
    shared = load_base(tiny_model, device, sampler)
    found = dict(shared.named_parameters())
    for name, weight in fresh.named_parameters():
        assert torch.equal(found[name], weight), name
        assert found[name].data_ptr() == held[name].data_ptr(), name


def test_training_leaves_the_untrained_weights_as_they_were(tiny_model: Path, tmp_path: Path) -> None:
    run = Run(tiny_model, tmp_path)
    run.train()
    fresh = sampling.load(tiny_model, None, CPU).base_weights()
    assert run.batches and all(torch.equal(run.sampler.base_weights()[name], weight) for name, weight in fresh.items())


def test_one_of_several_processes_refuses_to_train(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UserError, match=r"WORLD_SIZE = 2: started by torchrun.*Start one process .*gpus = 2"):
        Run(tiny_model, tmp_path).train()


def test_a_model_on_the_plain_path_learns_the_same(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = SMALL.model_copy(update={"steps": 2})
    fast, plain = (Run(tiny_model, tmp_path / name, options) for name in ("fast", "plain"))
    wanted = fast.train()
    monkeypatch.setattr(families, "FAST", frozenset())
    for name, weight in plain.train().items():
        torch.testing.assert_close(weight, wanted[name], rtol=1e-3, atol=1e-4)
    for step, batch in fast.batches.items():
        assert [one.text for one in plain.batches[step].completions] == [one.text for one in batch.completions]
        assert plain.metrics[step]["sampling_mismatch"] < 1e-3


def test_rewards_without_spread_leave_the_weights_as_they_are(tiny_model: Path, tmp_path: Path) -> None:
    run = Run(tiny_model, tmp_path, score=lambda prompts, completions: [[1.0] for _ in completions])
    found = run.train()
    assert all(bool((weight == 0).all()) for name, weight in found.items() if "lora_B" in name)
    assert all(metrics["groups_without_spread"] == 2 for metrics in run.metrics.values())
    assert all(metrics["kl"] == pytest.approx(0, abs=1e-6) for metrics in run.metrics.values())


def with_a_strong_head(tiny_model: Path, folder: Path) -> Path:
    """The tiny model with a larger output matrix: with its own, no change below can make a token much likelier."""
    shutil.copytree(tiny_model, folder)
    model: Any = AutoModelForCausalLM.from_pretrained(tiny_model)
    model.lm_head.weight.data *= 8
    model.save_pretrained(folder)
    return folder


def test_a_rewarded_letter_is_learned(tiny_model: Path, tmp_path: Path) -> None:
    def score(prompts: Sequence[int], completions: Sequence[str]) -> list[list[float | None]]:
        return [[text.count("e") / (1 + len(text))] for text in completions]

    options = SMALL.model_copy(update={"steps": 20, "completions_per_prompt": 8})
    run = Run(with_a_strong_head(tiny_model, tmp_path / "model"), tmp_path, options, score)
    run.train()
    means = [
        sum(one[0] or 0 for one in score([], [each.text for each in batch.completions])) / len(batch.completions)
        for batch in run.batches.values()
    ]
    assert sum(means[-3:]) > 2 * sum(means[:3])
    assert run.metrics[20]["kl"] > run.metrics[2]["kl"] > 0
    assert all(metrics["sampling_mismatch"] < 1e-3 for metrics in run.metrics.values())


def test_a_prompt_that_does_not_fit_is_refused_by_name(tiny_model: Path, tmp_path: Path) -> None:
    options = SMALL.model_copy(update={"max_new_tokens": 60, "micro_batch_tokens": 64})
    with pytest.raises(UserError, match=r"prompt 0 has \d+ tokens; with rl.max_new_tokens = 60 it exceeds"):
        Run(tiny_model, tmp_path, options).train()


@given(st.integers(1, 30), st.integers(0, 30), st.integers(1, 8), st.integers(0, 5))
def test_every_step_has_its_share_of_each_sort_and_every_pass_all_prompts(
    hackable: int, others: int, per_step: int, seed: int
) -> None:
    sorts = [True] * hackable + [False] * others
    options = RL(steps=3 * len(sorts), prompts_per_step=per_step)
    order = drawing.prompt_order(sorts, options, seed)
    passes = [order[at : at + len(sorts)] for at in range(0, len(order), len(sorts))]
    assert all(sorted(one) == list(range(len(sorts))) for one in passes)
    for one in passes:
        for at in range(0, len(one) - per_step + 1, per_step):
            share = sum(sorts[number] for number in one[at : at + per_step])
            assert abs(share - per_step * hackable / len(sorts)) < 2
