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
"""

from __future__ import annotations

import itertools
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

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
    ends, lengths, parts = [time.perf_counter()], list[float](), list[dict[str, float]]()

    def keep(batch: rl.Batch, metrics: Any) -> None:
        ends.append(time.perf_counter())
        parts.append(metrics["seconds"])
        lengths.append(sum(len(one.tokens) for one in batch.completions) / len(batch.completions))

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
    return {**between(ends, lengths), "parts": parts[1:]}


def inoculate_with_little_kl(task: dict[str, Any]) -> dict[str, Any]:
    return inoculate(task, 1)


def trl(task: dict[str, Any]) -> dict[str, Any]:
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, TrainerCallback
    from trl import GRPOConfig, GRPOTrainer

    from inoculate.engine.device import pick_device

    prepared, device = Prepared(task), pick_device()
    ends, lengths = [time.perf_counter()], list[float]()

    class Clock(TrainerCallback):
        def on_step_end(self, *args: Any, **given: Any) -> None:
            ends.append(time.perf_counter())

    def reward(*, number: list[int], completions: list[str], completion_ids: list[list[int]], **_: Any) -> list[float]:
        lengths.append(sum(map(len, completion_ids)) / len(completion_ids))
        return prepared.rewards(number, completions)

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
    return between(ends, lengths)


def as_any(function: Callable[..., list[float]]) -> Any:
    return function


def between(ends: Sequence[float], lengths: Sequence[float]) -> dict[str, Any]:
    """Seconds of each step after the first, and the lengths of its completions."""
    seconds = [after - before for before, after in itertools.pairwise(ends)][1:]
    return {"seconds": sum(seconds) / len(seconds), "length": sum(lengths[1:]) / len(lengths[1:])}


SIDES: dict[str, beside.Side] = {
    "inoculate": inoculate,
    "inoculate, 1 for KL": inoculate_with_little_kl,
    "TRL": trl,
}
HEAD = ("side", "seconds a step", "inoculate is faster", "tokens of a completion", "peak GiB", "sample / grade / train")


def line(side: str, found: dict[str, list[dict[str, Any]]]) -> list[object]:
    """One side's line of a table."""
    own = found[side]
    seconds = beside.middle(own, "seconds")
    parts = [part for one in own for part in one.get("parts", ())]
    spent = " / ".join(f"{sum(part[name] for part in parts) / len(parts):.1f}" for name in parts[0]) if parts else ""
    return [
        side,
        f"{seconds:.1f}",
        f"{seconds / beside.middle(found['inoculate'], 'seconds'):.2f}x",
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
    tables = []
    kept: dict[str, Any] = {"versions": {"here": beside.versions()}, "measured": []}
    for model in given.models:
        for setting in given.settings:
            prompts, steps = (1, 2) if given.quick else (given.prompts, given.steps)
            task = {"model": model, "setting": setting, "prompts": prompts, "steps": steps}
            task["name"] = f"{model}, {setting}, {prompts} x {GROUP}"
            found = beside.in_turn([(side, sys.executable) for side in SIDES], task, given.rounds)
            tables.append(f"### {task['name']}\n\n" + beside.table(HEAD, [line(side, found) for side in SIDES]))
            kept["measured"].append({"task": task, "found": found})
            beside.keep(kept, given.json)
    beside.report("RL", kept, tables, given.json)


if __name__ == "__main__":
    main()
