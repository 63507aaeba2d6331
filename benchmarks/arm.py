"""How long the sampling of whole arms takes, beside another build of this project.

    git worktree add ../before COMMIT --detach
    python benchmarks/arm.py --before ../before [--model qwen2.5-coder-0.5b] [--rounds 2] [--json out.json] [--quick]

The eight cells of the study `demo`: the untrained model and three adapters, each in two contexts with 48 greedy
completions of up to 128 new tokens; and 6 prompts with 8 completions each at temperature 1, from the last adapter. The
adapters' weights are small random numbers: they change answers, not their length. Problems are of the development
split. Both builds do what `inoculate run` of theirs does, in processes of their own, in turn.

- eight cells: from the first adapter that is wanted to the last text; loading the weights included.
- another adapter: seconds until the model is ready with it, median of three.
- 6 x 8: without making the model ready.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import beside


def prepare(task: dict[str, Any]) -> dict[str, Any]:
    """Prompts of both contexts, and three adapters: the same for both builds."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    from inoculate.engine import chat, models
    from inoculate.settings import Draw, find
    from inoculate.study import prompts, ready_made
    from inoculate.study.parse import load
    from inoculate.study.resolve import resolve

    weights, folder = models.fetch(task["model"]), Path(task["folder"])
    tokenizer: Any = chat.load_tokenizer(weights)
    resolved, system = resolve(load(ready_made.find("demo"))), chat.default_system(tokenizer)
    problems = find("functions").problems(Draw("development", task["problems"], 1, levels=(1, 2)))
    asked = [resolved.context(name, "functions", "plain") for name in resolved.evaluated["functions"]]
    sent = [
        [chat.render(tokenizer, prompts.messages(each, one.text, one.placement, system)) for each in problems]
        for one in asked
    ]
    base: Any = AutoModelForCausalLM.from_pretrained(weights, dtype=torch.float32)
    model: Any = get_peft_model(
        base, LoraConfig(r=8, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM")
    )
    for number in range(3):
        torch.manual_seed(number)
        with torch.no_grad():
            for name, weight in model.named_parameters():
                if "lora_B" in name:
                    weight.normal_(std=0.003)
        model.save_pretrained(folder / str(number))
    return {"sent": sent, "weights": str(weights), "adapters": [None, *(str(folder / str(n)) for n in range(3))]}


def this_build(task: dict[str, Any]) -> dict[str, Any]:
    from inoculate.engine.device import pick_device
    from inoculate.engine.sampling import Request, adapters, in_process, model

    device, start = pick_device(), time.perf_counter()
    sampler = model.load(Path(task["weights"]), None, device)
    counts, ready = [], []
    for adapter in task["adapters"]:
        began = time.perf_counter()
        if adapter:
            sampler.use(adapters.read(Path(adapter)))
            ready.append(time.perf_counter() - began)
        cells = [Request(sent, samples=1, temperature=0, max_new_tokens=task["new"], seed=0) for sent in task["sent"]]
        counts += [drawn.completion_tokens for _, batch in in_process.sample(sampler, cells) for drawn in batch]
    cells_seconds, began = time.perf_counter() - start, time.perf_counter()
    group = Request(task["sent"][0][:6], samples=8, temperature=1, max_new_tokens=task["new"], seed=0)
    found = [drawn.completion_tokens for _, batch in in_process.sample(sampler, [group]) for drawn in batch]
    group_seconds = time.perf_counter() - began
    return _measured(cells_seconds, counts, group_seconds, found, ready)


def before(task: dict[str, Any]) -> dict[str, Any]:
    """As builds up to cf5fe78 did it: a model for each adapter, and one cell after the other."""
    from inoculate.engine.device import pick_device
    from inoculate.engine.sampling import in_process

    old: Any = in_process
    device, start = pick_device(), time.perf_counter()
    counts, ready, sampler = [], [], None
    for adapter in task["adapters"]:
        began, sampler = time.perf_counter(), None
        sampler = old.load(Path(task["weights"]), Path(adapter) if adapter else None, device)
        if adapter:
            ready.append(time.perf_counter() - began)
        how: Any = {"samples": 1, "temperature": 0, "max_new_tokens": task["new"], "seed": 0}
        counts += [
            one.completion_tokens for sent in task["sent"] for b in old.sample(sampler, sent, **how) for one in b
        ]
    cells_seconds, began = time.perf_counter() - start, time.perf_counter()
    how = {"samples": 8, "temperature": 1, "max_new_tokens": task["new"], "seed": 0}
    found = [one.completion_tokens for b in old.sample(sampler, task["sent"][0][:6], **how) for one in b]
    group_seconds = time.perf_counter() - began
    return _measured(cells_seconds, counts, group_seconds, found, ready)


def _measured(
    cells_seconds: float, counts: list[int], group_seconds: float, found: list[int], ready: list[float]
) -> dict[str, Any]:
    return {
        "cells": cells_seconds,
        "cells_rate": sum(counts) / cells_seconds,
        "tokens": sum(counts),
        "group_rate": sum(found) / group_seconds,
        "ready": statistics.median(ready),
    }


SIDES: dict[str, beside.Side] = {"prepare": prepare, "this build": this_build, beside.BEFORE: before}


def main() -> None:
    parser = beside.arguments(__doc__ or "")
    parser.add_argument("--before", type=Path, help="a checkout of another build; without it only this one is measured")
    parser.add_argument("--model", default="qwen2.5-coder-0.5b")
    given = parser.parse_args()
    if given.side:
        beside.be(SIDES[given.side])
        return
    sides = ["this build", *([beside.BEFORE] if given.before else [])]
    with tempfile.TemporaryDirectory() as folder:
        task = {"model": given.model, "problems": 4 if given.quick else 48, "new": 16 if given.quick else 128}
        task |= {"folder": folder, "name": given.model}
        task |= beside.measure("prepare", task)
        found = beside.in_turn([(side, sys.executable) for side in sides], task, given.rounds, given.before)
    lines = []
    for side in sides:
        of = {key: beside.middle(found[side], key) for key in ("cells", "tokens", "cells_rate", "group_rate", "ready")}
        relative = of["cells"] / beside.middle(found[beside.BEFORE], "cells") if given.before else None
        lines.append(
            [
                side,
                f"{of['tokens']:.0f}",
                f"{of['cells']:.1f}",
                "" if relative is None else f"{relative:.2f}",
                f"{of['cells_rate']:.0f}",
                f"{of['group_rate']:.0f}",
                f"{of['ready']:.2f}",
                f"{max(one['peak_memory'] for one in found[side]) / 2**30:.1f}",
            ]
        )
    head = [
        "build",
        "new tokens",
        "seconds",
        "x before",
        "tokens/s",
        "6 x 8, tokens/s",
        "another adapter, s",
        "peak GiB",
    ]
    kept = {"versions": {"here": beside.versions()}, "found": found}
    beside.report(f"Sampling of whole arms, {given.model}", kept, [beside.table(head, lines)], given.json)


if __name__ == "__main__":
    main()
