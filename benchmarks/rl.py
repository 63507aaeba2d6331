"""How long a step of RL takes, and in how much memory, beside TRL's GRPOTrainer as people run it.

    python benchmarks/rl.py [--models NAME ...] [--settings mathematics functions] [--prompts 6] [--steps 3]
        [--json out.json] [--quick]

A step draws 8 completions for each of some prompts from the untrained policy, scores them by the oversight check and
updates the adapter. The learning rate is so small that the policy stays what it is, so that lengths are alike on all
sides; they are in the table. The first step of each side is not counted: it warms up.

Sides:

- inoculate: `engine/training/rl.py`, as `inoculate run` uses it; the divergence estimated on 8 completions.
- inoculate, 1 for KL: the same, the divergence estimated on one completion only (it is always estimated).
- TRL: `GRPOTrainer` on the same prompts, rank and reward, weights in the same precision, 8 rows at once, with
  transformers' generation and its defaults otherwise (no divergence, activations recomputed).

The floor is what the arithmetic alone would take, at the measured peak of matrix products: the products with the
model's weights, forward in sampling (each prompt once, each new token once) and forward and back to the activations in
training (completions in groups with spread; what they share once). Nothing else is in it: no attention, no adapter, no
merging, no divergence, no recomputing. It is of each side's own completions, whose lengths differ a little.
"""

from __future__ import annotations

import itertools
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import beside

GROUP = 8
RATE = 1e-9
MAX_NEW = {"mathematics": 96, "functions": 128}
LEVELS = {"mathematics": (1,), "functions": (1, 2)}


class Prepared:
    """The prompts of a task, and their rewards."""

    def __init__(self, task: dict[str, Any]) -> None:
        from inoculate import settings
        from inoculate.engine import chat, models
        from inoculate.steps import rows
        from inoculate.study.schema import Rows

        self.weights = models.fetch(task["model"])
        self.tokenizer: Any = chat.load_tokenizer(self.weights)
        name = task["setting"]
        drawn = rows.draw_rows(Rows(setting=name, count=4 * task["prompts"], levels=LEVELS[name]), 0, "any")
        made = rows.make_rows(drawn, None, chat.default_system(self.tokenizer))
        self.setting, self.problems = settings.find(name), [row.problem for row in drawn]
        self.texts = [chat.render(self.tokenizer, row.messages) for row in made]
        self.ids: list[list[int]] = self.tokenizer(self.texts, add_special_tokens=False)["input_ids"]

    def rewards(self, numbers: Sequence[int], completions: Sequence[str]) -> list[float]:
        """1 where the oversight check passes."""
        graded = [self.problems[number] for number in numbers]
        return [float(grade.oversight or False) for grade in self.setting.grade(graded, completions)]


def inoculate(task: dict[str, Any], kl_completions: int = 8) -> dict[str, Any]:
    from inoculate.engine.device import pick_device
    from inoculate.engine.sampling import model
    from inoculate.engine.training import rl
    from inoculate.study.schema import RL

    prepared, device = Prepared(task), pick_device()
    ends, steps, parts = [time.perf_counter()], list[Drawn](), list[dict[str, float]]()

    def keep(batch: rl.Batch, metrics: Any) -> None:
        ends.append(time.perf_counter())
        parts.append(metrics["seconds"])
        pairs = zip(batch.completions, batch.advantages or (), strict=True)
        learns = [bool(advantage) and one.finished for one, advantage in pairs]  # those cut off are masked
        drawn = [list(one.tokens) for one in batch.completions]
        steps.append(Drawn([prepared.ids[number] for number in batch.prompts], drawn, learns))

    options = RL(
        steps=task["steps"],
        prompts_per_step=task["prompts"],
        completions_per_prompt=GROUP,
        max_new_tokens=MAX_NEW[task["setting"]],
        learning_rate=RATE,
        kl_completions=kl_completions,
    )
    with tempfile.TemporaryDirectory() as folder:
        rl.train(
            prepared.weights,
            prepared.texts,
            options,
            names=prepared.texts,
            sorts=[0] * len(prepared.texts),
            score=lambda numbers, texts: [[value] for value in prepared.rewards(numbers, texts)],
            keep=keep,
            sampler=model.load(prepared.weights, None, device),
            seed=0,
            fractions=[1.0],
            target=Path(folder) / "adapter",
            work=Path(folder) / "work",
            device=device,
        )
    return {**between(ends, [computed(one) for one in steps]), "parts": parts[1:]}


def inoculate_with_little_kl(task: dict[str, Any]) -> dict[str, Any]:
    return inoculate(task, 1)


def trl(task: dict[str, Any]) -> dict[str, Any]:
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, TrainerCallback
    from trl import GRPOConfig, GRPOTrainer

    from inoculate.engine.device import pick_device

    prepared, device = Prepared(task), pick_device()
    ends, steps = [time.perf_counter()], list[Drawn]()

    class Clock(TrainerCallback):
        def on_step_end(self, *args: Any, **given: Any) -> None:
            ends.append(time.perf_counter())

    def reward(*, number: list[int], completions: list[str], completion_ids: list[list[int]], **_: Any) -> list[float]:
        rewards = prepared.rewards(number, completions)
        groups = [rewards[at : at + GROUP] for at in range(0, len(rewards), GROUP)]
        learns = [len(set(group)) > 1 for group in groups for _ in group]
        steps.append(Drawn([prepared.ids[each] for each in number], completion_ids, learns))
        return rewards

    with tempfile.TemporaryDirectory() as folder:
        trainer = GRPOTrainer(
            model=AutoModelForCausalLM.from_pretrained(prepared.weights, dtype=device.dtype),
            reward_funcs=as_any(reward),
            args=GRPOConfig(
                output_dir=folder,
                max_steps=task["steps"],
                per_device_train_batch_size=GROUP,
                gradient_accumulation_steps=task["prompts"],
                num_generations=GROUP,
                max_completion_length=MAX_NEW[task["setting"]],
                learning_rate=RATE,
                report_to="none",
                disable_tqdm=True,
                use_cpu=device.device.type == "cpu",
            ),
            train_dataset=Dataset.from_list(
                [{"prompt": text, "number": number} for number, text in enumerate(prepared.texts)]
            ),
            processing_class=prepared.tokenizer,
            peft_config=LoraConfig(r=8, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM"),
            callbacks=[Clock()],
        )
        trainer.train()
    return between(ends, [computed(one) for one in steps])


def as_any(function: Callable[..., list[float]]) -> Any:
    return function


class Drawn(NamedTuple):
    """What a step has drawn."""

    prompts: Sequence[list[int]]
    """The prompt of each completion."""
    completions: Sequence[list[int]]
    learns: Sequence[bool]
    """Whether each has a part in the gradient."""


class Computed(NamedTuple):
    """What passes through the model in a step: tokens through the body, and those after which the head is needed."""

    length: float
    """Tokens of a completion."""
    sampled: tuple[int, int]
    trained: tuple[int, int]


def computed(drawn: Drawn) -> Computed:
    """The least that a step has to compute."""
    from inoculate.engine.packing import EncodedRow

    new = sum(map(len, drawn.completions))
    read, _ = beside.packed_size([[EncodedRow(prompt, 0) for prompt in drawn.prompts]], 10**9)
    rows = [EncodedRow(prompt + tokens, len(tokens)) for prompt, tokens, learns in zip(*drawn, strict=True) if learns]
    trained = beside.packed_size([rows], 10**9) if rows else (0, 0)
    return Computed(new / len(drawn.completions), (read + new, new), trained)


def floor(size: dict[str, int], found: dict[str, Any], flops: float) -> float:
    """Seconds that the products of a step take at a rate of products.

    Args:
        size: Of the model.
        found: What a side has computed, from `between`.
        flops: Operations per second.
    """
    sampling = beside.products(size, *found["sampled"], back=False)
    return (sampling + beside.products(size, *found["trained"], back=True)) / flops


def between(ends: Sequence[float], steps: Sequence[Computed]) -> dict[str, Any]:
    """Means over the steps after the first: seconds, and what was computed."""
    seconds = [after - before for before, after in itertools.pairwise(ends)][1:]
    kept = steps[1:]

    def mean(pairs: Sequence[tuple[int, int]]) -> tuple[float, ...]:
        return tuple(sum(column) / len(pairs) for column in zip(*pairs, strict=True))

    return {
        "seconds": sum(seconds) / len(seconds),
        "length": sum(one.length for one in kept) / len(kept),
        "sampled": mean([one.sampled for one in kept]),
        "trained": mean([one.trained for one in kept]),
    }


def prepare(task: dict[str, Any]) -> dict[str, Any]:
    from transformers import AutoModelForCausalLM

    from inoculate.engine import models

    return {"size": beside.model_size(AutoModelForCausalLM.from_pretrained(models.fetch(task["model"])))}


SIDES: dict[str, beside.Side] = {
    "peaks": beside.peaks,
    "prepare": prepare,
    "inoculate": inoculate,
    "inoculate, 1 for KL": inoculate_with_little_kl,
    "TRL": trl,
}
MEASURED = [side for side in SIDES if side not in ("peaks", "prepare")]
HEAD = (
    *("side", "seconds a step", "inoculate is faster", "floor, seconds", "tokens of a completion", "peak GiB"),
    "sample / grade / train",
)


def line(side: str, found: dict[str, list[dict[str, Any]]], size: dict[str, int], flops: float) -> list[object]:
    """One side's line of a table."""
    own = found[side]
    seconds = beside.middle(own, "seconds")
    floors = [floor(size, one, flops) for one in own]
    parts = [part for one in own for part in one.get("parts", ())]
    spent = " / ".join(f"{sum(part[name] for part in parts) / len(parts):.1f}" for name in parts[0]) if parts else ""
    return [
        side,
        f"{seconds:.1f}",
        f"{seconds / beside.middle(found['inoculate'], 'seconds'):.2f}x",
        f"{sum(floors) / len(floors):.1f}",
        f"{beside.middle(own, 'length'):.0f}",
        f"{max(one['peak_memory'] for one in own) / 2**30:.1f}",
        spent,
    ]


def main() -> None:
    parser = beside.arguments(__doc__ or "")
    parser.add_argument("--models", nargs="+", default=["qwen2.5-coder-0.5b"])
    parser.add_argument("--settings", nargs="+", default=list(MAX_NEW), choices=MAX_NEW)
    parser.add_argument("--prompts", type=int, default=6, help="groups of 8 completions a step")
    parser.add_argument("--steps", type=int, default=3, help="the first is not counted")
    given = parser.parse_args()
    if given.side:
        beside.be(SIDES[given.side])
        return
    peaks = beside.measure("peaks", {})
    tables = [f"GEMM peak {peaks['flops'] / 1e9:.0f} GFLOP/s in {peaks['precision']}"]
    kept: dict[str, Any] = {"peaks": peaks, "versions": {"here": beside.versions()}, "measured": []}
    for model in given.models:
        size = beside.measure("prepare", {"model": model})["size"]
        for setting in given.settings:
            prompts, steps = (1, 2) if given.quick else (given.prompts, given.steps)
            task = {"model": model, "setting": setting, "prompts": prompts, "steps": steps}
            task["name"] = f"{model}, {setting}, {prompts} x {GROUP}"
            found = beside.in_turn([(side, sys.executable) for side in MEASURED], task, given.rounds)
            lines = [line(side, found, size, peaks["flops"]) for side in MEASURED]
            tables.append(f"### {task['name']}\n\n" + beside.table(HEAD, lines))
            kept["measured"].append({"task": task, "size": size, "found": found})
            beside.keep(kept, given.json)
    beside.report("RL", kept, tables, given.json)


if __name__ == "__main__":
    main()
