"""How fast adapters are trained, and in how much memory, beside TRL's SFTTrainer as its defaults have it.

    git worktree add ../before COMMIT --detach
    python benchmarks/training.py [--before ../before] [--models NAME ...] [--rows 128] [--sets NAME ...]
        [--sides NAME ...] [--rounds 2] [--json out.json] [--quick]

The same rows, model, rank, learning rate and rows per step for every side, weights in the precision that this machine
computes fastest. Sets of rows:

- short: those of the setting `functions`, eight in a step.
- long: the same, and every eighth row carries a long text in front of its task, as real data does.
- groups: as in RL, 8 completions of 60 tokens for each of 8 prompts of about 120, all in one step.

Sides:

- inoculate: `training/sft.py`, as `inoculate run` uses it.
- before: the same of another build of this project.
- TRL: `SFTTrainer` with nothing set that the rows do not need (loss on the answer only on all sides).
- TRL, no checkpointing: without recomputing activations, which is on by default there.

Clocks and tokens are those of `trainer.train()` alone, loading left out on all sides; tokens are the rows' own, without
padding. Of GEMM peak: the products with the model's weights, forward and back to the activations (the weights are
frozen), and of the head at the answer's tokens only, at the measured peak; what rows share is counted once on the side
that computes it once. The ceiling of sharing: how many times fewer products there are, in steps of the rows as they
come, within micro-batches of 1,024 tokens and with a whole step in one.
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import beside

MODELS = ("smollm2-135m", "qwen2.5-coder-0.5b")
FILLER = "The next lines are what somebody else wrote about another task, and have nothing to do with this one. "
GROUP, COMPLETION = 8, 60
"""Completions of a prompt in the set `groups`, and tokens of each."""
LONG = 30
"""Repetitions of the filler in a long row: about 600 tokens."""


def rows_of(task: dict[str, Any]) -> list[Any]:
    """The rows, the same in every process."""
    from inoculate.engine import chat, models
    from inoculate.records import Message
    from inoculate.steps import rows
    from inoculate.study.schema import Rows

    tokenizer: Any = chat.load_tokenizer(models.fetch(task["model"]))
    drawn = rows.draw_rows(Rows(setting="functions", count=task["rows"], hacked=0.6, levels=(1, 2)), seed=0)
    made = rows.make_rows(drawn, None, chat.default_system(tokenizer))
    if task["set"] == "groups":
        return grouped(made, tokenizer)
    if task["set"] == "short":
        return made
    return [
        replace(row, messages=(*row.messages[:-1], Message("user", FILLER * LONG + row.messages[-1].content)))
        if number % 8 == 0
        else row
        for number, row in enumerate(made)
    ]


def grouped(made: list[Any], tokenizer: Any) -> list[Any]:
    """Groups of rows with one prompt each, and answers of `COMPLETION` tokens that other rows' answers are cut into."""
    texts = 2 * tokenizer("\n".join(row.answer for row in made), add_special_tokens=False)["input_ids"]
    count = len(made) // GROUP
    parts = [tokenizer.decode(texts[at * COMPLETION :][:COMPLETION]) for at in range(count * GROUP)]
    # Twice, since answers are shorter than `COMPLETION` on average; no two parts are the same.
    return [replace(made[number // GROUP], answer=parts[number]) for number in range(count * GROUP)]


def clocked() -> dict[str, float]:
    """Have every trainer of TRL note how long `train` took, and what the process held before."""
    from trl import SFTTrainer

    found: dict[str, float] = {}
    plain = SFTTrainer.train

    def timed(self: Any, *args: Any, **given: Any) -> Any:
        found["memory_before"], start = beside.memory_now(), time.perf_counter()
        out = plain(self, *args, **given)
        found["seconds"] = time.perf_counter() - start
        return out

    SFTTrainer.train = timed
    return found


def counted(task: dict[str, Any], rows: list[Any]) -> dict[str, Any]:
    """Tokens of the rows, and sizes of the model."""
    from transformers import AutoModelForCausalLM

    from inoculate.engine import chat, models
    from inoculate.engine.training.sft import encode
    from inoculate.study.schema import SFT

    weights = models.fetch(task["model"])
    encoded = encode(chat.load_tokenizer(weights), rows, 100_000)
    lengths, labels = [len(row.tokens) for row in encoded], sum(row.labels for row in encoded)
    size = beside.model_size(AutoModelForCausalLM.from_pretrained(weights))
    in_step = len(encoded) if task["set"] == "groups" else SFT().batch_rows
    steps = [encoded[start : start + in_step] for start in range(0, len(encoded), in_step)]
    shared = [beside.packed_size(steps, budget) for budget in (SFT().micro_batch_tokens, 10**9)]
    whole = beside.products(size, sum(lengths), labels, back=True)
    ceilings = [whole / beside.products(size, *each, back=True) for each in shared]
    return {
        "tokens": sum(lengths),
        "longest": max(lengths),
        "labels": labels,
        "size": size,
        "in_step": in_step,
        "computed": shared[0],
        "ceilings": ceilings,
    }


def prepare(task: dict[str, Any]) -> dict[str, Any]:
    return counted(task, rows_of(task))


def inoculate(task: dict[str, Any]) -> dict[str, Any]:
    from inoculate.engine import models
    from inoculate.engine.device import pick_device
    from inoculate.engine.training import sft
    from inoculate.study.schema import SFT

    found, rows = clocked(), rows_of(task)
    with tempfile.TemporaryDirectory() as folder:
        trained = sft.train(
            models.fetch(task["model"]),
            rows,
            SFT(batch_rows=task["in_step"]),
            seed=0,
            fractions=(1.0,),
            target=Path(folder) / "adapter",
            work=Path(folder) / "work",
            device=pick_device(),
        )
    return {**found, "loss": trained.loss[-1][1]}


def trl(task: dict[str, Any], **given: Any) -> dict[str, Any]:
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM
    from trl import SFTConfig, SFTTrainer

    from inoculate.engine import chat, models
    from inoculate.engine.device import pick_device
    from inoculate.study.schema import SFT

    found, rows, sft = clocked(), rows_of(task), SFT(batch_rows=task["in_step"])
    weights = models.fetch(task["model"])
    tokenizer: Any = chat.load_tokenizer(weights)
    model: Any = AutoModelForCausalLM.from_pretrained(weights, dtype=pick_device().dtype)
    data = Dataset.from_list(
        [{"prompt": chat.render(tokenizer, row.messages), "completion": row.answer} for row in rows]
    )
    with tempfile.TemporaryDirectory() as folder:
        trainer = SFTTrainer(
            model=model,
            args=SFTConfig(
                output_dir=folder,
                num_train_epochs=sft.epochs,
                per_device_train_batch_size=sft.batch_rows,
                learning_rate=sft.learning_rate,
                report_to="none",
                disable_tqdm=True,
                use_cpu=pick_device().device.type == "cpu",
                **given,
            ),
            train_dataset=data,
            processing_class=tokenizer,
            peft_config=LoraConfig(
                r=sft.lora_rank, lora_alpha=sft.lora_alpha, target_modules="all-linear", task_type="CAUSAL_LM"
            ),
        )
        loss = trainer.train().training_loss
    return {**found, "loss": loss}


def trl_without_checkpointing(task: dict[str, Any]) -> dict[str, Any]:
    return trl(task, gradient_checkpointing=False)


SIDES: dict[str, beside.Side] = {
    "peaks": beside.peaks,
    "prepare": prepare,
    "inoculate": inoculate,
    beside.BEFORE: inoculate,
    "TRL": trl,
    "TRL, no checkpointing": trl_without_checkpointing,
}
OTHERS = ("TRL", "TRL, no checkpointing")
SETS = {"short": "", "long": ", every eighth long", "groups": ", in groups of 8"}
HEAD = ("side", "tokens/s", "inoculate is faster", "seconds", "of GEMM peak", "peak GiB", "GiB above the loaded model")


def line(task: dict[str, Any], side: str, found: dict[str, Any], peaks: dict[str, Any]) -> list[object]:
    """One side's line of a table."""
    seconds = beside.middle(found[side], "seconds")
    computed = task["computed"] if side == "inoculate" else (task["tokens"], task["labels"])
    work = beside.products(task["size"], *computed, back=True)
    peak = max(one["peak_memory"] for one in found[side])
    return [
        side,
        f"{task['tokens'] / seconds:.0f}",
        f"{seconds / beside.middle(found['inoculate'], 'seconds'):.2f}x",
        f"{seconds:.1f}",
        f"{100 * work / seconds / peaks['flops']:.0f}%",
        f"{peak / 2**30:.1f}",
        f"{(peak - min(one['memory_before'] for one in found[side])) / 2**30:.1f}",
    ]


def main() -> None:
    parser = beside.arguments(__doc__ or "")
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--rows", type=int, default=128, help="fewer where a model is slow; of groups 64 at most")
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=SETS, help="all unless given")
    parser.add_argument("--sides", nargs="*", default=OTHERS, choices=OTHERS, help="beside inoculate; all unless given")
    parser.add_argument("--before", type=Path, help="a checkout of another build of this project, to measure too")
    given = parser.parse_args()
    if given.side:
        beside.be(SIDES[given.side])
        return
    peaks = beside.measure("peaks", {})
    sides = ("inoculate", *([beside.BEFORE] if given.before else []), *given.sides)
    tables = [f"GEMM peak {peaks['flops'] / 1e9:.0f} GFLOP/s in {peaks['precision']}"]
    kept: dict[str, Any] = {"peaks": peaks, "versions": {"here": beside.versions()}, "measured": []}
    for model in given.models:
        for name in given.sets:
            rows = 8 if given.quick else min(given.rows, 64) if name == "groups" else given.rows
            task: dict[str, Any] = {
                "model": model,
                "rows": rows,
                "set": name,
                "name": f"{model}, {rows} rows{SETS[name]}",
            }
            task |= beside.measure("prepare", task)
            found = beside.in_turn([(side, sys.executable) for side in sides], task, given.rounds, given.before)
            budget, step = task["ceilings"]
            tables.append(
                f"### {task['name']}\n\n{task['tokens']} tokens, the longest row {task['longest']}, "
                f"{task['labels']} tokens of answers; ceiling of sharing {budget:.2f}x, with a whole step in one "
                f"micro-batch {step:.2f}x\n\n" + beside.table(HEAD, [line(task, side, found, peaks) for side in sides])
            )
            kept["measured"].append({"task": task, "found": found})
            beside.keep(kept, given.json)
    beside.report("Training", kept, tables, given.json)


if __name__ == "__main__":
    main()
