"""Reinforcement learning of a LoRA adapter: GRPO by TRL, with our sampler and our forward pass in it.

Losses, advantages, optimizer and metrics are TRL's (`GRPOTrainer`). Two departures, neither of which changes them:

- completions are drawn by `sampling.in_process` with the adapter merged into its weights, all of a step in one batch;
- they pass through the model in micro-batches bounded in *tokens*, without padding, the prompt of a group and whatever
  else they share only once (`packing`). Those whose advantage is 0 (in a group whose rewards are all the same) have no
  part in loss or gradient, and are left out, unless the divergence from the untrained policy is in the loss.

Every step's completions are sampled with random streams of their own and a checkpoint is written after every step, so
that an interrupted training goes on with the same completions and weights as one that was not.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import PeftModel
from transformers import TrainerCallback
from trl import GRPOConfig, GRPOTrainer

from inoculate.engine.device import Device
from inoculate.engine.packing import EncodedRow, divide_rows, forward, pack_rows
from inoculate.engine.sampling import SampledCompletion, adapters
from inoculate.engine.sampling.model import Sampler
from inoculate.engine.training.checkpoints import Sealing, save_adapter
from inoculate.engine.training.diverging import (
    LearningRate,
    refuse_broken_adapter,
    refuse_broken_policy,
    refuse_broken_step,
)
from inoculate.engine.training.drawing import draw_groups, entropy, prompt_order
from inoculate.engine.training.loss import log_probabilities
from inoculate.engine.training.processes import ALONE, Processes
from inoculate.engine.training.quiet import quiet_libraries
from inoculate.engine.training.sft import (
    Progress,
    TrainingReport,
    fraction_name,
    load_base,
    lora_config,
    on_one_device,
    own_arguments,
    train_from_checkpoint,
)
from inoculate.errors import UserError
from inoculate.study.schema import RL

Score = Callable[[Sequence[int], Sequence[str]], Sequence[Sequence[float | None]]]
"""(index of each completion's prompt, completions) -> for each completion its rewards, in the order of `RL.reward`;
None where a reward cannot be given. Where it can for none of them, it raises: TRL would go on."""


@dataclass(frozen=True)
class Batch:
    """The completions of one step: B of them, group by group."""

    step: int
    """From 1."""
    prompts: list[int]
    """Index of each completion's prompt."""
    completions: list[SampledCompletion]
    advantages: list[float] | None
    """None where nothing is compared within a group."""


KeepStep = Callable[[Batch, Mapping[str, Any]], None]
"""Called after each step with its completions and its metrics."""


class _Trainer(GRPOTrainer):
    """TRL's trainer with our sampler and token-bounded micro-batches."""

    halved: bool
    """Whether micro-batches have half of their tokens, because memory ran out."""
    processes: Processes

    def __init__(self, prompts: Sequence[str], names: Sequence[str], rl: RL, **arguments: Any) -> None:
        self.rl, self._texts, self._names = rl, list(prompts), list(names)
        self.rate = LearningRate("rl.learning_rate", rl.learning_rate)
        self.sampler: Sampler
        self.score: Score
        self.seconds: dict[str, float] = {}
        self.own_metrics: dict[str, float | None] = {}
        own: dict[str, Any] = {"rollout_func": _draw, "reward_funcs": _rewards(rl)}
        super().__init__(**own, **arguments)

    def _generate_and_score_completions(self, inputs: Any) -> Any:
        self._prompts = [row["prompt_number"] for row in inputs]
        return super()._generate_and_score_completions(inputs)

    def draw(self) -> dict[str, list[Any]]:
        """Draw and score the completions of a step, as TRL's `rollout_func` returns them."""
        started, rl = time.perf_counter(), self.rl
        numbers = self._prompts[:: rl.completions_per_prompt]
        self.sampler.use(adapters.from_model(self.model))
        texts, names = ([of[number] for number in numbers] for of in (self._texts, self._names))
        step = self.state.global_step + 1
        with refuse_broken_policy(step, rl.steps, self.rate):
            self.completions = draw_groups(self.sampler, texts, names, rl, int(self.args.seed), step, self.processes)
        sampled = time.perf_counter()
        drawn = [one.text for one in self.completions]
        rewards = self.processes.from_first(self.score(self._prompts, drawn) if self.processes.is_first else [])
        self.seconds = {"sample": sampled - started, "grade": time.perf_counter() - sampled}
        encoded = [self.sampler.tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
        return {
            "prompt_ids": [encoded[one.prompt] for one in self.completions],
            "completion_ids": [list(one.tokens) for one in self.completions],
            "logprobs": [list(one.log_probabilities) for one in self.completions],
            "rewards": [list(one) for one in rewards],
        }

    def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> torch.Tensor:
        model.train()
        batch = self._prepare_inputs(inputs)
        started = time.perf_counter()
        total = torch.zeros((), device=self.args.device)
        for members in self._micro_batches(batch):
            part = {key: value[members] if value.dim() else value for key, value in batch.items()}
            with self.compute_loss_context_manager():
                loss = self.compute_loss(model, part) * self._share(part, batch)
            self.accelerator.backward(loss)
            total += loss.detach()
        for parameter in model.parameters():
            # No completion had a part in the loss: gradients of 0, as TRL has them, and not none at all, which would
            # have the optimizer leave out its step.
            if parameter.requires_grad and parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        self.processes.add_up(model, total)
        refuse_broken_step(total, model, self.state.global_step + 1, self.rl.steps, self.rate)
        self.own_metrics = self._compare_policies(model, batch)
        self._log_own_metrics()
        self.seconds["train"] = time.perf_counter() - started
        self._step += 1
        return total

    def _micro_batches(self, batch: Mapping[str, torch.Tensor]) -> Iterator[list[int]]:
        """Indices of completions that pass through the model together, in this process."""
        rows = [row.tokens for row in _encode(*_joined(batch))]
        learns = batch["completion_mask"].any(-1) & ((batch["advantages"] != 0) | (self.beta > 0))
        members = learns.nonzero()[:, 0].tolist()
        divided = divide_rows([rows[index] for index in members], self._budget, self.processes.count)
        for group in divided[self.processes.number]:
            yield [members[index] for index in group]

    @property
    def _budget(self) -> int:
        """The most tokens of a micro-batch; 0 for one row in each, where the model cannot attend to packed rows."""
        return self.rl.micro_batch_tokens // (2 if self.halved else 1) if self.sampler.is_fast else 0

    def _share(self, part: Mapping[str, torch.Tensor], batch: Mapping[str, torch.Tensor]) -> float:
        """What the loss of a part counts in the loss of the step: TRL averages over the completions it is given."""
        if self.loss_type == "dapo":  # divided by the tokens of the whole step already
            return 1.0
        if self.loss_type == "bnpo":
            return float(part["completion_mask"].sum() / batch["completion_mask"].sum())
        return len(part["advantages"]) / len(batch["advantages"])

    def _get_per_token_logps_and_entropies(
        self, model: Any, input_ids: Any, attention_mask: Any, logits_to_keep: int, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor, None]:
        """Log-probabilities (B, C) of completion tokens. Entropies are not computed here (zeros): see `entropy`.

        Where no gradients are wanted, all processes are here with the same rows, and each computes its share.
        """
        together = ALONE if torch.is_grad_enabled() else self.processes
        rows = _encode(input_ids, attention_mask, logits_to_keep)
        found = torch.zeros(len(rows), logits_to_keep, device=input_ids.device)
        labelled = [index for index, row in enumerate(rows) if row.labels]
        divided = divide_rows([rows[index].tokens for index in labelled], self._budget, together.count)
        for group in divided[together.number]:
            members = [labelled[index] for index in group]
            packed = pack_rows([rows[index] for index in members]).to(input_ids.device)
            with self.accelerator.autocast():
                logits = forward(model, packed, is_fast=self.sampler.is_fast)
            values = log_probabilities(logits, packed.targets, self.temperature)
            row = [index for index, own in zip(members, packed.pairs, strict=True) for _ in own]
            column = [number for own in packed.pairs for number in range(len(own))]
            pair = [number for own in packed.pairs for number in own]
            found = found.index_put((_index(row, found), _index(column, found)), values[_index(pair, found)])
        return together.summed(found), torch.zeros_like(found), None

    @torch.no_grad()
    def _compare_policies(self, model: Any, batch: Mapping[str, torch.Tensor]) -> dict[str, float | None]:
        """The divergence from the untrained policy, and the difference to the sampler, on some completions.

        The divergence is estimated per token as in GRPO (arXiv 2402.03300, equation 4), without bias and never below 0.
        """
        whole = batch["completion_mask"].any(-1).nonzero()[:, 0].tolist()
        count = min(self.rl.kl_completions, len(whole))
        if not count:
            return {"kl": None, "sampling_mismatch": None}
        members = [whole[number * len(whole) // count] for number in range(count)]
        part = {key: value[members] for key, value in batch.items() if value.dim()}
        own, _, _ = self._get_per_token_logps_and_entropies(model, *_joined(part))
        with self.accelerator.unwrap_model(model).disable_adapter():
            untrained, _, _ = self._get_per_token_logps_and_entropies(model, *_joined(part))
        mask = part["completion_mask"]
        difference = untrained - own
        divergence = ((difference.exp() - difference - 1) * mask).sum() / mask.sum()
        mismatch = ((own - part["sampling_per_token_logps"]).abs() * mask).sum() / mask.sum()
        values = {"kl": float(divergence), "sampling_mismatch": float(mismatch)}
        # Far from the untrained policy the estimate overflows: then it is not known.
        return {name: value if math.isfinite(value) else None for name, value in values.items()}

    def _log_own_metrics(self) -> None:
        """Put right what experiment trackers would get: TRL's entropy is the mean of zeros from our forward pass."""
        logged, divergence = self._metrics["train"], self.own_metrics["kl"]
        logged["entropy"] = [entropy(self.completions)]
        if not self.beta and divergence is not None:
            logged["kl"] = [divergence]

    def step_metrics(self, logs: Mapping[str, float]) -> dict[str, Any]:
        """The metrics of the step that has just been done, by the names of `metrics.jsonl`."""
        groups = len(self._prompts) // self.rl.completions_per_prompt
        rewards = zip(*self._logs["rewards"].values(), strict=True)
        unscorable = sum(all(math.isnan(value) for value in row) for row in rewards)
        return {
            "step": self.state.global_step,
            "loss": float(logs["loss"]),
            "entropy": entropy(self.completions),
            **self.own_metrics,
            "grad_norm": float(logs["grad_norm"]),
            "learning_rate": float(logs["learning_rate"]),
            "groups": groups,
            "groups_without_spread": round(float(logs["frac_reward_zero_std"]) * groups),
            "unscorable": unscorable,
            "seconds": {part: round(spent, 3) for part, spent in self.seconds.items()},
        }

    def last_batch(self) -> Batch:
        """The completions of the step that has just been done."""
        return Batch(self.state.global_step, list(self._prompts), self.completions, list(self._logs["advantages"]))


def _draw(prompts: list[str], trainer: _Trainer) -> dict[str, list[Any]]:
    return trainer.draw()


def _rewards(rl: RL) -> list[Callable[..., list[float | None]]]:
    """TRL's reward functions: they hand over what `draw` has scored."""

    def column(number: int) -> Callable[..., list[float | None]]:
        def reward(*, rewards: list[list[float | None]], **_: Any) -> list[float | None]:
            return [row[number] for row in rewards]

        reward.__name__ = f"reward_{number}"
        return reward

    return [column(number) for number in range(len(rl.reward))]


def _joined(batch: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor, int]:
    """Tokens and mask of prompts and completions, and how many columns are completions."""
    tokens = torch.cat([batch["prompt_ids"], batch["completion_ids"]], 1)
    mask = torch.cat([batch["prompt_mask"], batch["completion_mask"]], 1)
    return tokens, mask, batch["completion_ids"].size(1)


def _encode(tokens: torch.Tensor, mask: torch.Tensor, completion: int) -> list[EncodedRow]:
    """The rows of a padded batch without padding; those whose completion is masked have no labels."""
    labels = mask[:, -completion:].sum(-1).tolist()
    return [
        EncodedRow(row[own.bool()].tolist(), int(count)) for row, own, count in zip(tokens, mask, labels, strict=True)
    ]


def _index(numbers: Sequence[int], like: torch.Tensor) -> torch.Tensor:
    return torch.tensor(numbers, dtype=torch.long, device=like.device)


class _TrainingCallback(TrainerCallback):
    """Hands over each step, saves the adapter where it is wanted, and reports progress."""

    def __init__(self, keep: KeepStep, save: Mapping[int, Sequence[Path]], progress: Progress) -> None:
        self.trainer: _Trainer
        self.keep, self.save, self.progress = keep, save, progress

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        # A checkpoint follows every step.
        refuse_broken_adapter(kwargs["model"], state.global_step, state.max_steps, self.trainer.rate)
        for target in self.save.get(state.global_step, ()):
            save_adapter(kwargs["model"], target)

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **kwargs: Any) -> None:
        if logs and "grad_norm" in logs:
            self.keep(self.trainer.last_batch(), self.trainer.step_metrics(logs))
            self.progress(state.global_step, state.max_steps, f"reward {float(logs['reward']):.2f}")


@quiet_libraries()
def train(
    model: Path,
    prompts: Sequence[str],
    rl: RL,
    *,
    names: Sequence[str],
    sorts: Sequence[Hashable],
    score: Score,
    keep: KeepStep,
    sampler: Sampler,
    seed: int,
    fractions: Sequence[float],
    start: Path | None = None,
    target: Path,
    work: Path,
    device: Device,
    progress: Progress = lambda done, total, note: None,
    tracking: Mapping[str, Any] | None = None,
    halved: bool = False,
    processes: Processes = ALONE,
) -> TrainingReport:
    """Train one adapter.

    Args:
        model: A folder of base weights.
        prompts: Rendered prompts; the seed decides in which order they are taken.
        rl: Hyperparameters.
        names: The prompts' names in error messages.
        sorts: The prompts' sorts: each step has prompts of all sorts, as far as it has places.
        score: Scores completions.
        keep: Called after each step.
        sampler: The model that samples. It has the last policy's adapter afterwards.
        seed: The seed of the adapter's initial weights, of the order of prompts and of sampling.
        fractions: Fractions of the steps at which the adapter is saved, to `target/at-<fraction>`; 1 at the end.
        start: A PEFT folder with an adapter to continue; a new adapter unless given.
        target: A folder to save into.
        work: A folder for checkpoints, from which an interrupted training resumes. Where `rl.checkpoint` will choose
            among policies, it also gets the one that draws the completions of each step, `before-<step>`.
        device: Device and precision.
        progress: Called during training.
        tracking: The trainer's arguments for experiment trackers; none unless given.
        halved: Whether to take less memory, because it ran out; see `memory.train_within`.
        processes: Those that train this adapter together, all called with the same arguments. The first one scores,
            keeps and saves.

    Raises:
        UserError: A prompt and its completion do not fit, a launcher has started several, or the training diverges.
    """
    _check_lengths(prompts, names, rl, sampler)
    base = load_base(model, device, sampler, recomputes=halved)
    saves = _plan_saves(rl, fractions, target, work) if processes.is_first else {}
    callback = _TrainingCallback(keep if processes.is_first else lambda batch, metrics: None, saves, progress)
    rows = [{"prompt": prompts[number], "prompt_number": number} for number in prompt_order(sorts, rl, seed)]
    trainer = _Trainer(
        prompts,
        names,
        rl,
        model=base if start is None else PeftModel.from_pretrained(base, start, is_trainable=True),
        args=_training_arguments(rl, seed, work, device, own_arguments(processes, tracking)),
        train_dataset=Dataset.from_list(rows),
        processing_class=sampler.tokenizer,
        peft_config=None if start else lora_config(rl, base),
        callbacks=[callback, Sealing()],
    )
    trainer.sampler, trainer.score, callback.trainer, trainer.eos_token_ids = sampler, score, trainer, [*sampler.stops]
    trainer.halved, trainer.processes = halved, processes
    train_from_checkpoint(trainer, device, work, processes, packs=sampler.is_fast)
    return _report(trainer, rl)


def _report(trainer: _Trainer, rl: RL) -> TrainingReport:
    history = [entry for entry in trainer.state.log_history if "grad_norm" in entry]
    return TrainingReport(
        steps=rl.steps,
        tokens=int(trainer.state.num_input_tokens_seen),
        label_tokens=round(sum(entry["completions/mean_length"] for entry in history) * _per_step(rl)),
        loss=[(int(entry["step"]), float(entry["loss"])) for entry in history],
    )


def _per_step(rl: RL) -> int:
    """How many completions a step draws."""
    return rl.prompts_per_step * rl.completions_per_prompt


def _plan_saves(rl: RL, fractions: Sequence[float], target: Path, work: Path) -> dict[int, list[Path]]:
    """Step -> the folders that the adapter is saved to after it."""
    save = {step: [work / f"before-{step + 1}"] for step in range(1, rl.steps) if rl.checkpoint}
    for fraction in fractions:
        save.setdefault(max(1, round(fraction * rl.steps)), []).append(target / fraction_name(fraction))
    return save


def _check_lengths(prompts: Sequence[str], names: Sequence[str], rl: RL, sampler: Sampler) -> None:
    for name, text in zip(names, prompts, strict=True):
        length = len(sampler.tokenizer(text, add_special_tokens=False)["input_ids"])
        if length + rl.max_new_tokens > rl.micro_batch_tokens:
            raise UserError(
                f"{name} has {length} tokens; with rl.max_new_tokens = {rl.max_new_tokens} it exceeds "
                f"rl.micro_batch_tokens = {rl.micro_batch_tokens}: raise that number"
            )


def _training_arguments(rl: RL, seed: int, work: Path, device: Device, own: Mapping[str, Any]) -> GRPOConfig:
    count = _per_step(rl)
    arguments = GRPOConfig(
        output_dir=str(work),
        max_steps=rl.steps,
        per_device_train_batch_size=count,
        gradient_accumulation_steps=1,
        steps_per_generation=1,
        num_generations=rl.completions_per_prompt,
        num_iterations=1,
        max_completion_length=rl.max_new_tokens,
        temperature=rl.temperature,
        reward_weights=[reward.weight for reward in rl.reward],
        loss_type=rl.loss,
        beta=rl.beta,
        epsilon=rl.clip_low,
        epsilon_high=rl.clip_high,
        scale_rewards=rl.scale,
        mask_truncated_completions=rl.mask_cut_off,
        importance_sampling_level="token",
        multi_objective_aggregation="sum_then_normalize",
        learning_rate=rl.learning_rate,
        lr_scheduler_type="constant_with_warmup" if rl.schedule == "constant" else rl.schedule,
        warmup_steps=round(rl.warmup * rl.steps),
        weight_decay=rl.weight_decay,
        adam_beta1=0.9,
        adam_beta2=0.999,
        max_grad_norm=rl.max_grad_norm,
        gradient_checkpointing=False,
        bf16=device.dtype == torch.bfloat16,
        use_cpu=device.device.type == "cpu",
        seed=seed,
        data_seed=seed,
        shuffle_dataset=False,
        logging_steps=1,
        logging_nan_inf_filter=False,
        disable_tqdm=True,
        **own,
        save_steps=1,
        save_total_limit=2,
        dataloader_pin_memory=False,
        disable_dropout=True,
        use_vllm=False,
        log_completions=False,
    )
    return on_one_device(arguments)
