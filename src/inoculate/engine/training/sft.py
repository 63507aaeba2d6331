"""Supervised fine-tuning of a LoRA adapter with TRL and PEFT, loss on the answer only.

One departure from TRL's trainer: the rows of a step are packed into micro-batches bounded in *tokens*, without padding
and with what they share only once (`packing`), and the loss of a step is the mean over all answer tokens of its rows.
So the token budget bounds the memory, however long the longest row is, and the result does not depend on how the rows
were split (tested). A row that is longer than the budget is an error that names it; rows are never cut.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from datasets import Dataset
from peft import LoraConfig, PeftModel
from peft.helpers import disable_input_dtype_casting
from torch import nn
from transformers import (
    PreTrainedTokenizerBase,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)
from trl import SFTConfig, SFTTrainer

from inoculate.engine import chat
from inoculate.engine.device import Device
from inoculate.engine.families import context_length, is_fast, read_config
from inoculate.engine.kernels import attention
from inoculate.engine.kernels.packed import pack_base_layers
from inoculate.engine.loading import load_model
from inoculate.engine.packing import EncodedRow, MicroBatch, divide_rows, forward, pack_rows
from inoculate.engine.sampling.model import Sampler
from inoculate.engine.training import sharding
from inoculate.engine.training.checkpoints import Sealing, latest_checkpoint, save_adapter
from inoculate.engine.training.diverging import LearningRate, refuse_broken_adapter, refuse_broken_step
from inoculate.engine.training.launch import refuse_several_processes
from inoculate.engine.training.loss import cross_entropy
from inoculate.engine.training.processes import ALONE, Processes
from inoculate.engine.training.quiet import quiet_libraries
from inoculate.errors import UserError
from inoculate.records import Row
from inoculate.study.schema import RL, SFT

_OF_EXPERTS = {"gate", "gate_proj", "up_proj", "down_proj", "w1", "w2", "w3"}
"""Names that PEFT takes for those of experts and their router."""

Arguments = TypeVar("Arguments", bound=TrainingArguments)
Progress = Callable[[int, int, str], None]
"""Called with (steps done, steps in all, a note such as the loss)."""


@dataclass(frozen=True)
class TrainingReport:
    """The numbers of a training: steps, tokens and losses."""

    steps: int
    tokens: int
    """Tokens of all rows seen, prompts included."""
    label_tokens: int
    """Answer tokens seen: what the loss is taken over."""
    loss: list[tuple[int, float]]
    """(step, mean loss per answer token)."""


def encode(tokenizer: PreTrainedTokenizerBase, rows: Sequence[Row], budget: int) -> list[EncodedRow]:
    """Tokenize rows.

    Raises:
        UserError: A row has no answer or is longer than the budget.
    """
    encoded = []
    for number, row in enumerate(rows):
        prompt = tokenizer(chat.render(tokenizer, row.messages), add_special_tokens=False)["input_ids"]
        answer = chat.encode_answer(tokenizer, row.answer)
        if not row.answer.strip():
            raise UserError(f"row {number} (problem '{row.problem}') has an empty answer: nothing to train on")
        if len(prompt) + len(answer) > budget:
            raise UserError(
                f"row {number} (problem '{row.problem}') has {len(prompt) + len(answer)} tokens, more than "
                f"train.micro_batch_tokens = {budget}; rows are never cut: raise that number or drop the row"
            )
        encoded.append(EncodedRow(prompt + answer, len(answer)))
    return encoded


def _refuse_longer(rows: Sequence[Row], encoded: Sequence[EncodedRow], context: int) -> None:
    """Refuse rows that are longer than the model's context."""
    for row, tokens in zip(rows, (one.tokens for one in encoded), strict=True):
        if len(tokens) > context:
            raise UserError(
                f"problem '{row.problem}': its row has {len(tokens)} tokens, more than the model's context of "
                f"{context}; rows are never cut: drop it, or take another model"
            )


class _Trainer(SFTTrainer):
    """TRL's trainer with token-bounded micro-batches, and logits only at positions that have a label.

    TRL's own loss computes log-probabilities and entropies over the whole vocabulary at every position. Where answers
    are a quarter of the tokens and the vocabulary has 150,000, that took longer than the model (measured on a CPU).
    """

    rate: LearningRate
    is_fast: bool
    """As `families.is_fast`."""
    processes: Processes

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> torch.Tensor:
        batch: MicroBatch = inputs
        logits = forward(model, batch, is_fast=self.is_fast)
        return cross_entropy(logits, batch.targets, batch.weights) / num_items_in_batch

    def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> torch.Tensor:
        model.train()
        batches: list[MicroBatch] = [batch.to(self.args.device) for batch in inputs["micro_batches"]]
        total = torch.zeros((), device=self.args.device)
        for batch in batches:
            with self.compute_loss_context_manager():
                loss = self.compute_loss(model, batch, num_items_in_batch=inputs["label_count"])
            self.accelerator.backward(loss)
            total += loss.detach()
        self.processes.add_up(model, total)
        refuse_broken_step(total, model, self.state.global_step + 1, self.state.max_steps, self.rate)
        return total


def collate(rows: Sequence[dict[str, Any]], budget: int, processes: Processes = ALONE) -> dict[str, Any]:
    """The rows of a step as packed micro-batches, those of this process; and how many labels all rows have."""
    encoded = [EncodedRow(row["input_ids"], row["label_count"]) for row in rows]
    divided = divide_rows([row.tokens for row in encoded], budget, processes.count)
    batches = [pack_rows([encoded[index] for index in members]) for members in divided[processes.number]]
    if processes.shards:
        batches = sharding.with_idle(batches, max(map(len, divided)), encoded)
    return {"micro_batches": batches, "label_count": sum(row.labels for row in encoded)}


class _TrainingCallback(TrainerCallback):
    """Saves the adapter at the chosen fractions, records the losses and reports progress."""

    def __init__(
        self, target: Path, fractions: Sequence[float], steps: int, rate: LearningRate, progress: Progress
    ) -> None:
        self.target, self.rate, self.progress = target, rate, progress
        self.save_steps = {fraction: max(1, round(fraction * steps)) for fraction in fractions}
        self.losses: list[tuple[int, float]] = []

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        due = [fraction for fraction, step in self.save_steps.items() if state.global_step == step]
        if due or control.should_save:  # the trainer's checkpoint comes after this
            refuse_broken_adapter(kwargs["model"], state.global_step, state.max_steps, self.rate)
        for fraction in due:
            save_adapter(kwargs["model"], self.target / fraction_name(fraction))

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **kwargs: Any) -> None:
        if logs and "loss" in logs:
            self.losses.append((state.global_step, float(logs["loss"])))
            self.progress(state.global_step, state.max_steps, f"loss {float(logs['loss']):.3f}")


def fraction_name(fraction: float) -> str:
    """The folder of the adapter at a fraction of training."""
    return f"at-{fraction:g}"


@quiet_libraries()
def train(
    model: Path,
    rows: Sequence[Row],
    sft: SFT,
    *,
    seed: int,
    fractions: Sequence[float],
    start: Path | None = None,
    sampler: Sampler | None = None,
    target: Path,
    work: Path,
    device: Device,
    progress: Progress = lambda done, total, note: None,
    tracking: Mapping[str, Any] | None = None,
    halved: bool = False,
    processes: Processes = ALONE,
) -> TrainingReport:
    """Train one adapter and save it at each fraction of training.

    Args:
        model: A folder of base weights.
        rows: The training rows, in any order; the seed decides the order of training.
        sft: Hyperparameters.
        seed: The seed of the adapter's initial weights and of the order of rows.
        fractions: Fractions of the nominal training (`sft.epochs`) at which the adapter is saved, to
            `target/at-<fraction>`. One above 1 extends the training; the rows are then repeated in a new order.
        start: A PEFT folder with an adapter to continue; a new adapter unless given.
        sampler: A sampler of the model, where one is in memory: the untrained weights are then held once.
        target: A folder to save into.
        work: A folder for the trainer's own checkpoints, from which an interrupted training resumes.
        device: Device and precision.
        progress: Called during training.
        tracking: The trainer's arguments for experiment trackers; none unless given.
        halved: Whether to take less memory, because it ran out; see `memory.train_within`.
        processes: Those that train this adapter together, all called with the same arguments. The first one saves.

    Raises:
        UserError: A row has no answer or is too long, a launcher has started several, or the training diverges.
    """
    tokenizer = chat.load_tokenizer(model)
    encoded = encode(tokenizer, rows, sft.micro_batch_tokens)
    nominal = sft.steps(len(rows))
    steps = round(nominal * max(1.0, *fractions))
    base = load_base(model, device, sampler, recomputes=halved, processes=processes)
    budget = (sft.micro_batch_tokens // (2 if halved else 1)) if is_fast(base.config) else 0
    _refuse_longer(rows, encoded, context_length(base.config))
    rate = LearningRate("train.learning_rate", sft.learning_rate)
    callback = _TrainingCallback(target, fractions if processes.is_first else (), nominal, rate, progress)
    trainer = _Trainer(
        model=base if start is None else PeftModel.from_pretrained(base, start, is_trainable=True),
        args=_training_arguments(sft, steps, nominal, seed, work, device, own_arguments(processes, tracking)),
        train_dataset=Dataset.from_list([{"input_ids": row.tokens, "label_count": row.labels} for row in encoded]),
        data_collator=lambda batch: collate(batch, budget, processes),
        processing_class=tokenizer,
        peft_config=None if start else lora_config(sft, base),
        callbacks=[callback, Sealing()],
    )
    trainer.rate, trainer.is_fast, trainer.processes = rate, is_fast(base.config), processes
    train_from_checkpoint(trainer, device, work, processes, packs=is_fast(base.config) and not processes.shards)
    passes = steps * sft.batch_rows / len(rows)
    return TrainingReport(
        steps=steps,
        tokens=round(passes * sum(len(row.tokens) for row in encoded)),
        label_tokens=round(passes * sum(row.labels for row in encoded)),
        loss=[(int(entry["step"]), float(entry["loss"])) for entry in trainer.state.log_history if "loss" in entry],
    )


def own_arguments(processes: Processes, tracking: Mapping[str, Any] | None) -> dict[str, Any]:
    """The trainer's arguments for what one of the processes does for all: checkpoints, and what trackers get."""
    if not processes.is_first:
        return {"report_to": "none", "save_strategy": "no"}
    return {"report_to": "none", "save_strategy": "steps", **(tracking or {})}


def train_from_checkpoint(trainer: Trainer, device: Device, work: Path, processes: Processes, *, packs: bool) -> None:
    """Train from the last checkpoint to the end.

    Args:
        trainer: The trainer, which reports its progress through a callback of ours.
        device: Device and precision.
        work: The folder of its checkpoints.
        processes: Those that train together. All go on from one checkpoint, and only the first of them removes what is
            left of a broken one.
        packs: Whether the base model's layers are packed.
    """
    trainer.remove_callback(PrinterCallback)
    # PEFT would copy all activations to fp32 for the adapter, and autocast would copy them back to bf16: the same
    # numbers (measured: copying took 1.2 s of a step of 9 s on a CPU, now 0.5).
    tuned: Any = trainer.model
    if packs:
        pack_base_layers(tuned, device)
    checkpoint = processes.from_first(latest_checkpoint(work) if processes.is_first else None)
    with disable_input_dtype_casting(tuned):
        trainer.train(resume_from_checkpoint=checkpoint)


def lora_config(options: SFT | RL, base: Any) -> LoraConfig:
    """A new adapter: plain LoRA on all linear layers; in a mixture of experts on those beside the experts.

    Args:
        options: Rank and scale.
        base: The untrained model.
    """
    return LoraConfig(
        r=options.lora_rank,
        lora_alpha=options.lora_alpha,
        lora_dropout=0.0,
        target_modules=_adapted_layers(base),
        task_type="CAUSAL_LM",
    )


def _adapted_layers(base: Any) -> list[str]:
    """The linear layers that get an adapter: all but the output, as with PEFT's 'all-linear'.

    Left out are layers that do more than a product: a router derived from a linear layer, and the last layer of a Mamba
    mixer, whose kernels read its weight past the layer itself. transformers keeps the weights of all experts in one
    tensor. PEFT takes some names for those of experts, and would put an adapter on that tensor, which is no plain LoRA.
    """
    has_experts = any("experts" in name and weight.ndim == 3 for name, weight in base.named_parameters())
    found = []
    for name, module in base.named_modules():
        above, _, own = name.rpartition(".")
        mixer = base.get_submodule(above)
        is_mamba = own == "out_proj" and hasattr(mixer, "A_log") and hasattr(mixer, "D")
        is_left_out = is_mamba or module is base.get_output_embeddings() or (has_experts and own in _OF_EXPERTS)
        if type(module) is nn.Linear and not is_left_out:
            found.append(name)
    return found


def load_base(
    model: Path,
    device: Device,
    sampler: Sampler | None = None,
    *,
    recomputes: bool = False,
    processes: Processes = ALONE,
) -> Any:
    """The untrained model, ready to be trained: on packed rows, or row by row where its attention cannot do that.

    Args:
        model: A folder of base weights.
        device: Device and precision.
        sampler: A sampler of that model on that device, whose weights are then used: nothing is read, or held twice.
        recomputes: Whether a model on the plain path computes its activations again for the backward pass, where it
            can, in place of keeping them: less memory, a third more time, the same result.
        processes: Those that train together, among which the weights may be divided.

    Raises:
        UserError: This is one of several processes.
    """
    refuse_several_processes()
    attention.register()
    own = {"attn_implementation": attention.ROWS} if is_fast(read_config(model)) else {}
    if sampler:
        base = _from_sampler(model, sampler, device, own)
    elif processes.shards:
        base = sharding.load(model, device, processes, **own)
    else:
        base = load_model(model, device.dtype, **own)
    base.config.use_cache = False
    if recomputes and not own and base.supports_gradient_checkpointing:
        base.activation_checkpointing_enable()
    return base


def _from_sampler(model: Path, sampler: Sampler, device: Device, own: Mapping[str, Any]) -> Any:
    """The untrained model with the weights that a sampler holds."""
    kind, config = type(sampler.model), copy.deepcopy(sampler.model.config)
    held = dict(sampler.base_weights())
    base = kind.from_pretrained(None, config=config, state_dict=held, dtype=device.dtype, **own)
    for name, parameter in base.named_parameters():  # which is loaded on the CPU, whatever the sampler's device
        parameter.data = held[name]
    base.name_or_path = str(model)  # else PEFT asks the hub for a model without a name
    return base


def _training_arguments(
    sft: SFT, steps: int, nominal: int, seed: int, work: Path, device: Device, own: Mapping[str, Any]
) -> SFTConfig:
    arguments = SFTConfig(
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
        **own,
        save_steps=max(10, steps // 4),
        save_total_limit=1,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
        max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True},
    )
    return on_one_device(arguments)


def on_one_device(arguments: Arguments) -> Arguments:
    """The same, where several GPUs are visible: the trainer would spread the model over them by `DataParallel`.

    It would then take that many times the rows for a step.
    """
    arguments._n_gpu = min(arguments.n_gpu, 1)
    return arguments
