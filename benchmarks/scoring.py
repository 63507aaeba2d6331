"""How long choices take, whose answers are scored and not sampled, beside another build of this project.

    git worktree add ../before COMMIT --detach
    python benchmarks/scoring.py --before ../before [--model NAME] [--rounds 2] [--json out.json] [--quick]

Questions of `side_effects` (test split, without a prompt beside them), each with the two words that can be its answer.
Both builds do what `inoculate run` of theirs does, in processes of their own, in turn; loading the weights is not
counted. *off by*: the largest difference of a log-probability from this build's: both are rounded, in their own order.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import beside

SETTING = "side_effects"


def prepare(task: dict[str, Any]) -> dict[str, Any]:
    """Prompts and choices: the same for both builds."""
    from inoculate.engine import chat, models
    from inoculate.settings import Draw, find
    from inoculate.study import prompts

    weights = models.fetch(task["model"])
    tokenizer: Any = chat.load_tokenizer(weights)
    setting, system = find(SETTING), chat.default_system(tokenizer)
    problems = setting.problems(Draw("test", task["questions"], 0))
    sent = [chat.render(tokenizer, prompts.messages(each, "", "before", system)) for each in problems]
    assert setting.choices
    return {"weights": str(weights), "sent": sent, "choices": [list(setting.choices(each)) for each in problems]}


def score(task: dict[str, Any]) -> dict[str, Any]:
    from inoculate.engine.device import pick_device
    from inoculate.engine.sampling import model, scoring

    sampler = model.load(Path(task["weights"]), None, pick_device())
    names, start = [str(number) for number in range(len(task["sent"]))], time.perf_counter()
    scored: Any = list(scoring.score_choices(sampler, task["sent"], task["choices"], names))
    seconds = time.perf_counter() - start
    # Builds up to c8ac576 gave no number with the scores: they came in the order of the prompts.
    in_order = [scores for _, scores in sorted(scored)] if isinstance(scored[0], tuple) else scored
    return {"seconds": seconds, "scores": in_order}


SIDES: dict[str, beside.Side] = {"prepare": prepare, "this build": score, beside.BEFORE: score}


def main() -> None:
    parser = beside.arguments(__doc__ or "")
    parser.add_argument("--before", type=Path, help="a checkout of another build; without it only this one is measured")
    parser.add_argument("--model", default="qwen2.5-coder-0.5b")
    given = parser.parse_args()
    if given.side:
        beside.be(SIDES[given.side])
        return
    sides = ["this build", *([beside.BEFORE] if given.before else [])]
    task = {"model": given.model, "name": given.model, "questions": 16 if given.quick else 192}
    task |= beside.measure("prepare", task)
    found = beside.in_turn([(side, sys.executable) for side in sides], task, given.rounds, given.before)
    own = found["this build"][0]["scores"]
    lines = []
    for side in sides:
        seconds = beside.middle(found[side], "seconds")
        ratio = seconds / beside.middle(found["this build"], "seconds")
        off = max(
            abs(a - b)
            for one, other in zip(found[side][0]["scores"], own, strict=True)
            for a, b in zip(one, other, strict=True)
        )
        peak = max(one["peak_memory"] for one in found[side]) / 2**30
        lines.append(
            [side, f"{seconds:.1f}", f"{task['questions'] / seconds:.1f}", f"{ratio:.2f}", f"{off:.3f}", f"{peak:.1f}"]
        )
    head = ["", "seconds", "questions a second", "time, this build's as 1", "off by", "peak memory (GiB)"]
    title = f"{task['questions']} questions with two choices, {given.model}"
    kept = {side: [{k: v for k, v in one.items() if k != "scores"} for one in rounds] for side, rounds in found.items()}
    beside.report(
        title,
        {**kept, "versions": {side: found[side][0]["versions"] for side in sides}},
        [beside.table(head, lines)],
        given.json,
    )


if __name__ == "__main__":
    main()
