"""Supervised fine-tuning of a LoRA adapter with TRL and PEFT, loss on the answer only.

One departure from TRL's trainer: a step's rows are laid end to end into micro-batches bounded in *tokens*, without
padding, and the loss of a step is the mean over all answer tokens of its rows. Memory is therefore set by the token
budget, whatever the longest row, and the result does not depend on how the rows were split (tested). A row that is
longer than the budget is refused by name, never cut.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig, PeftModel
from peft.helpers import disable_input_dtype_casting
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedTokenizerBase,
    PrinterCallback,
    TrainerCallback,
)
from trl import SFTConfig, SFTTrainer

from inoculate.engine import chat
from inoculate.engine.device import Device
from inoculate.engine.kernels import attention
from inoculate.engine.kernels.packed import pack_under_adapters
from inoculate.engine.training.loss import cross_entropy
from inoculate.errors import UserError
from inoculate.records import Row
from inoculate.study.schema import SFT

Progress = Callable[[int, int, str], None]
"""Told (steps done, steps in all, a note such as the loss)."""


@dataclass(frozen=True)
class Encoded:
    """A row as tokens: `tokens` of prompt and answer, the last `labels` of which are trained on."""

    tokens: list[int]
    labels: int


@dataclass(frozen=True)
class Trained:
    """What training reports beside the adapters."""

    steps: int
    tokens: int
    """Tokens of all rows seen, prompts included."""
    label_tokens: int
    """Answer tokens seen: what the loss is taken over."""
    loss: list[tuple[int, float]]
    """(step, mean loss per answer token)."""


def encode(tokenizer: PreTrainedTokenizerBase, rows: Sequence[Row], budget: int) -> list[Encoded]:
    """Rows as tokens.

    Raises:
        UserError: A row has no answer or is longer than the budget.
    """
    encoded = []
    for number, row in enumerate(rows):
        prompt = tokenizer(chat.render(tokenizer, row.messages), add_special_tokens=False)["input_ids"]
        answer = tokenizer(row.answer + chat.answer_ending(tokenizer), add_special_tokens=False)["input_ids"]
        if not row.answer.strip():
            raise UserError(f"row {number} (problem '{row.problem}') has an empty answer: nothing to train on")
        if len(prompt) + len(answer) > budget:
            raise UserError(
                f"row {number} (problem '{row.problem}') has {len(prompt) + len(answer)} tokens, more than "
                f"train.micro_batch_tokens = {budget}; rows are never cut: raise that number or drop the row"
            )
        encoded.append(Encoded(prompt + answer, len(answer)))
    return encoded


def bins(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Indices of rows, laid into as few micro-batches of at most `budget` tokens as first-fit decreasing finds."""
    filled: list[tuple[int, list[int]]] = []
    for index in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        for place, (used, members) in enumerate(filled):
            if used + lengths[index] <= budget:
                filled[place] = (used + lengths[index], [*members, index])
                break
        else:
            filled.append((lengths[index], [index]))
    return [members for _, members in filled]


class _Trainer(SFTTrainer):
    """TRL's trainer with a step made of token-bounded micro-batches, and logits only where the loss is.

    TRL's own loss takes log-probabilities and entropies over the whole vocabulary at every position; with answers a
    quarter of the tokens and 150,000 words that took longer than the model itself (measured on a CPU).
    """

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> torch.Tensor:
        following = inputs["labels"][0, 1:]  # (T - 1,): what each position has to predict
        predicting = (following != -100).nonzero()[:, 0]
        logits = model(
            input_ids=inputs["input_ids"],
            position_ids=inputs["position_ids"],
            row_lengths=inputs["row_lengths"],
            logits_to_keep=predicting,
            use_cache=False,
        ).logits.squeeze(0)  # an index would be a whole copy of zeros on the way back
        return cross_entropy(logits, following[predicting]) / num_items_in_batch

    def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> torch.Tensor:
        model.train()
        batches: Any = self._prepare_inputs(inputs)["micro_batches"]
        labelled = sum(int(batch["labels"].ne(-100).sum()) for batch in batches)
        total = torch.zeros((), device=self.args.device)
        for batch in batches:
            with self.compute_loss_context_manager():
                loss = self.compute_loss(model, batch, num_items_in_batch=labelled)
            self.accelerator.backward(loss)
            total += loss.detach()
        return total


def collate(rows: Sequence[dict[str, list[int]]], budget: int) -> dict[str, Any]:
    """A step's rows as micro-batches of shape (1, T): rows end to end, positions counted from 0 in each."""
    micro_batches = []
    for members in bins([len(row["input_ids"]) for row in rows], budget):
        chosen = [rows[index] for index in members]
        lengths = [len(row["input_ids"]) for row in chosen]
        micro_batches.append(
            {
                "input_ids": torch.tensor([[token for row in chosen for token in row["input_ids"]]]),
                "labels": torch.tensor([[label for row in chosen for label in row["labels"]]]),
                "position_ids": torch.cat([torch.arange(length) for length in lengths])[None],
                "row_lengths": lengths,
            }
        )
    return {"micro_batches": micro_batches}


class _Watch(TrainerCallback):
    """Saves adapters at the chosen fractions, keeps the losses and reports progress."""

    def __init__(self, target: Path, fractions: Sequence[float], steps: int, progress: Progress) -> None:
        self.target, self.progress = target, progress
        self.points = {fraction: max(1, round(fraction * steps)) for fraction in fractions}
        self.losses: list[tuple[int, float]] = []

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        for fraction, point in self.points.items():
            if state.global_step == point:
                kwargs["model"].save_pretrained(self.target / fraction_name(fraction))

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **kwargs: Any) -> None:
        if logs and "loss" in logs:
            self.losses.append((state.global_step, float(logs["loss"])))
            self.progress(state.global_step, state.max_steps, f"loss {float(logs['loss']):.3f}")


def fraction_name(fraction: float) -> str:
    """The folder of the adapter at a fraction of training."""
    return f"at-{fraction:g}"


def train(
    model: Path,
    rows: Sequence[Row],
    sft: SFT,
    *,
    seed: int,
    fractions: Sequence[float],
    start: Path | None = None,
    target: Path,
    work: Path,
    device: Device,
    progress: Progress = lambda done, total, note: None,
    tracking: Mapping[str, Any] | None = None,
) -> Trained:
    """Train one adapter and save it at each fraction of training.

    Args:
        model: A folder of base weights.
        rows: The training rows, in any order; the seed decides the order of training.
        sft: Hyperparameters.
        seed: Of the adapter's first weights and of the order of rows.
        fractions: Of the nominal training (`sft.epochs`) at which the adapter is saved to `target/at-<fraction>`. With
            one beyond 1, training goes on that far; the rows come round again in a new order.
        start: A PEFT folder whose adapter training goes on with; a new adapter unless given.
        target: A folder to save into.
        work: A folder for the trainer's own checkpoints: what an interrupted training goes on from.
        device: Where and in what precision.
        progress: Called as training goes.
        tracking: What the trainer is told of experiment trackers; none unless given.
    """
    attention.register()
    tokenizer = AutoTokenizer.from_pretrained(model)
    encoded = encode(tokenizer, rows, sft.micro_batch_tokens)
    nominal = math.ceil(len(rows) / sft.batch_rows * sft.epochs)
    steps = round(nominal * max(1.0, *fractions))
    base = AutoModelForCausalLM.from_pretrained(model, dtype=device.dtype, attn_implementation=attention.ROWS)
    attention.check(base.config)  # layers of another kind would carry something from one row into the next
    base.config.use_cache = False
    for row, one in zip(rows, encoded, strict=True):
        if len(one.tokens) > base.config.max_position_embeddings:
            raise UserError(
                f"problem '{row.problem}': its row has {len(one.tokens)} tokens, more than the model's context of "
                f"{base.config.max_position_embeddings}; rows are never cut: drop it, or take another model"
            )
    watch = _Watch(target, fractions, nominal, progress)
    trainer = _Trainer(
        model=base if start is None else PeftModel.from_pretrained(base, start, is_trainable=True),
        args=_arguments(sft, steps, nominal, seed, work, device, tracking or {"report_to": "none"}),
        train_dataset=Dataset.from_list(
            [
                {"input_ids": row.tokens, "labels": [-100] * (len(row.tokens) - row.labels) + row.tokens[-row.labels :]}
                for row in encoded
            ]
        ),
        data_collator=lambda batch: collate(batch, sft.micro_batch_tokens),
        processing_class=tokenizer,
        peft_config=None if start else _adapter(sft),
        callbacks=[watch],
    )
    trainer.remove_callback(PrinterCallback)  # progress is reported by `watch`
    # PEFT would give the adapter fp32 copies of all activations, of which autocast makes bf16 ones again:
    # the same numbers (measured: copying took 1.2 s of a step of 9 s on a CPU, now 0.5).
    tuned: Any = trainer.model
    pack_under_adapters(tuned, device)
    with disable_input_dtype_casting(tuned):
        trainer.train(resume_from_checkpoint=bool(list(work.glob("checkpoint-*"))))
    seen = steps * sft.batch_rows / len(rows)
    return Trained(
        steps=steps,
        tokens=round(seen * sum(len(row.tokens) for row in encoded)),
        label_tokens=round(seen * sum(row.labels for row in encoded)),
        loss=[(int(entry["step"]), float(entry["loss"])) for entry in trainer.state.log_history if "loss" in entry],
    )


def _adapter(sft: SFT) -> LoraConfig:
    return LoraConfig(
        r=sft.lora_rank,
        lora_alpha=sft.lora_alpha,
        lora_dropout=0.0,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )


def _arguments(
    sft: SFT, steps: int, nominal: int, seed: int, work: Path, device: Device, tracking: Mapping[str, Any]
) -> SFTConfig:
    return SFTConfig(
        output_dir=str(work),
        max_steps=steps,
        per_device_train_batch_size=sft.batch_rows,
        gradient_accumulation_steps=1,
        learning_rate=sft.learning_rate,
        lr_scheduler_type=sft.schedule,
        warmup_steps=round(sft.warmup * nominal),
        weight_decay=sft.weight_decay,
        max_grad_norm=1.0,
        # Recomputing activations halves the speed and saves what the token budget already bounds.
        gradient_checkpointing=False,
        bf16=device.dtype == torch.bfloat16,
        use_cpu=device.device.type == "cpu",
        seed=seed,
        data_seed=seed,
        logging_steps=max(1, steps // 50),
        logging_nan_inf_filter=False,
        disable_tqdm=True,
        **tracking,
        save_strategy="steps",
        save_steps=max(10, steps // 4),
        save_total_limit=1,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
        max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True},
    )
