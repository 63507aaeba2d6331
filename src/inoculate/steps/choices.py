"""Takes the most likely of a problem's choices as its completion: `completions.jsonl`, `choices.jsonl`, `engines.json`.

For settings with choices, in place of sampling. The log-probabilities are computed in this process, also where a server
samples: servers give those of what they sample, and few of them those of a given text.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

from inoculate import settings
from inoculate.records import Completion, write_lines
from inoculate.steps import problems, rendering
from inoculate.steps.resources import Progress, Resources
from inoculate.steps.store import Step
from inoculate.steps.train import find_adapter
from inoculate.study.resolve import ResolvedPrompt, ResolvedStudy

KIND, VERSION = "choices", 2


def plan_step(
    resolved: ResolvedStudy,
    prompt: ResolvedPrompt,
    drawn: Step,
    adapter: Step | None,
    *,
    at: float,
    weights: str,
    where: str,
) -> Step:
    """The choices of one cell.

    Args:
        resolved: The study.
        prompt: The context's prompt.
        drawn: The step that draws the problems.
        adapter: The training whose adapter chooses; None for the untrained model.
        at: The fraction of that training.
        weights: The model's fingerprint.
        where: The cell, for the step's label.
    """
    params = {
        "model": weights,
        "at": at,
        "system": resolved.study.system,
        **rendering.prompt_params(prompt),
    }
    inputs = {"problems": drawn, **({"adapter": adapter} if adapter else {})}
    return Step(KIND, params, inputs, label=f"choices of {where}", version=VERSION)


def run(step: Step, folder: Path, resources: Resources, progress: Progress) -> None:
    """Score every problem's choices."""
    from inoculate.engine.sampling import scoring

    shown = problems.read(resources.input_folder(step, "problems"))
    choices_of = settings.find(step.inputs["problems"].params["setting"]).choices
    if choices_of is None:
        raise ValueError("a step of choices is planned only for settings that have them")
    choices = [choices_of(problem) for problem in shown]
    rendered = rendering.render(step.params, shown, resources)
    sampler, names = resources.sampler(find_adapter(step, resources)), [f"problem '{problem.id}'" for problem in shown]
    scored = scoring.score_choices(sampler, rendered, choices, names)
    found, start = dict[int, list[float]](), time.perf_counter()
    for number, scores in scored:
        found[number] = scores
        progress(len(found), len(shown), "scored")
    seconds = (time.perf_counter() - start) / len(shown)  # they are scored together: each has its share
    lines = []
    with (folder / "choices.jsonl").open("w", encoding="utf-8") as out:
        for number, problem in enumerate(shown):
            line = {"problem": problem.id, "log_probabilities": found[number]}
            out.write(json.dumps(line, allow_nan=False) + "\n")
            chosen = choices[number][found[number].index(max(found[number]))]
            lines.append(_record(problem.id, rendered[number], chosen, seconds, resources))
    write_lines(folder / "completions.jsonl", lines)
    (folder / "engines.json").write_text(json.dumps([resources.own_engine], indent=1) + "\n", encoding="utf-8")


def _record(problem: str, prompt: str, chosen: str, seconds: float, resources: Resources) -> Completion:
    prompt_tokens, completion_tokens = (
        len(resources.tokenizer(text, add_special_tokens=False)["input_ids"]) for text in (prompt, chosen)
    )
    return Completion(problem, 0, prompt, chosen, prompt_tokens, completion_tokens, "stop", round(seconds, 4))
