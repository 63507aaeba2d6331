"""Scores training answers under prompts, by log-probability under the untrained model: `scores.jsonl`.

For a screen: hacked answers under its candidates. For an arm that is trained on trajectories: these, under the prompts
of all arms.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from inoculate.engine import chat
from inoculate.records import Problem, Row, read_lines
from inoculate.steps import problems
from inoculate.steps.resources import Progress, Resources
from inoculate.steps.store import Step
from inoculate.study import prompts
from inoculate.study.resolve import ResolvedPrompt, ResolvedStudy, fit_length

KIND, VERSION = "scores", 2


def plan_screen(resolved: ResolvedStudy, rows: Step, weights: str) -> Step:
    """The scores of hacked answers under every candidate, and under a control of each.

    Args:
        resolved: The study.
        rows: The step that makes the rows with these answers.
        weights: The model's fingerprint.
    """
    candidates = [
        {"name": name, "text": prompt.text, "placement": prompt.placement}
        for name, prompt in resolved.candidates.items()
    ]
    return Step(
        KIND,
        {"model": weights, "system": resolved.study.system, "candidates": candidates},
        {"rows": rows},
        label=f"log-probabilities of {rows.params['rows']['count']} hacked answers under {len(candidates)} prompts",
        version=VERSION,
    )


def plan_step(resolved: ResolvedStudy, setting: str, seed: int, rows: Step, weights: str, where: str) -> Step:
    """The scores of the first training answers of an arm, under the prompts of all arms that train on their setting.

    Args:
        resolved: The study; `screen.answers` says how many are scored.
        setting: That of the rows.
        seed: That of the rows.
        rows: The step that makes them.
        weights: The model's fingerprint.
        where: Arm and seed, for the step's label.
    """
    shown = resolved.prompts_on(setting, seed)
    params = {
        "model": weights,
        "system": resolved.study.system,
        "answers": resolved.study.screen.answers,
        "prompts": [
            {
                "name": name,
                "text": prompt.text,
                "placement": prompt.placement,
                "like": prompt.length_of,
                "filler": prompt.filler,
            }
            for name, prompt in shown.items()
        ],
    }
    label = f"log-probabilities of the rows of {where}, under {len(shown)} prompts"
    return Step(KIND, params, {"rows": rows}, label=label, version=VERSION)


def plan_without_prompt(rows: Step, system: str | None, weights: str, where: str) -> Step:
    """The scores of all answers of an arm's rows without a prompt: how much they surprise the untrained model.

    Args:
        rows: The step that makes the rows.
        system: The study's system prompt.
        weights: The model's fingerprint.
        where: Arm and seed, for the step's label.
    """
    params = {"model": weights, "system": system, "answers": rows.params["rows"]["count"], "prompts": []}
    return Step(KIND, params, {"rows": rows}, label=f"log-probabilities of the rows of {where}", version=VERSION)


def count_scores(step: Step) -> int:
    """How many pairs of answer and prompt a step scores, at most."""
    params, rows = step.params, step.inputs["rows"].params["rows"]["count"]
    if "candidates" in params:
        return rows * (1 + 2 * len(params["candidates"]))
    return min(rows, params["answers"]) * (1 + len(params["prompts"]))


def run(step: Step, folder: Path, resources: Resources, progress: Progress) -> None:
    """Score every answer under each prompt and under none."""
    rows = resources.input_folder(step, "rows")
    pairs = list(zip(problems.read(rows), read_lines(rows / "rows.jsonl", Row), strict=True))
    scored = pairs[: step.params.get("answers")]
    shown = _with_controls(step, resources) if "candidates" in step.params else _prompts(step, resources)
    system = resources.system_prompt(step.params["system"])
    with (folder / "scores.jsonl").open("w", encoding="utf-8") as out:
        for done, (problem, row) in enumerate(scored, 1):
            out.write(json.dumps(_score(problem, row.answer, shown, system, resources), allow_nan=False) + "\n")
            progress(done, len(scored), "scored")


def _score(
    problem: Problem, answer: str, shown: dict[str, ResolvedPrompt], system: str | None, resources: Resources
) -> dict[str, Any]:
    """One answer under every prompt."""
    from inoculate.engine.sampling import scoring

    sampler, ending = resources.sampler(None), chat.answer_ending(resources.tokenizer)
    rendered = [
        chat.render(resources.tokenizer, prompts.messages(problem, prompt.text, prompt.placement, system))
        for prompt in shown.values()
    ]
    scores = scoring.score(sampler, rendered, answer, ending)
    return {
        "problem": problem.id,
        "kind": problem.kind,
        "tokens": scoring.count_answer_tokens(sampler, answer, ending),
        "scores": dict(zip(shown, scores, strict=True)),
    }


def _prompts(step: Step, resources: Resources) -> dict[str, ResolvedPrompt]:
    """No prompt (named ''), and every prompt of the arms at its length."""
    named = {
        one["name"]: ResolvedPrompt(one["text"], one["placement"], length_of=one["like"], filler=one["filler"])
        for one in step.params["prompts"]
    }
    return {"": ResolvedPrompt()} | {name: fit_length(prompt, resources.tokenizer) for name, prompt in named.items()}


def _with_controls(step: Step, resources: Resources) -> dict[str, ResolvedPrompt]:
    """No prompt (named ''), every candidate, and for each an irrelevant prompt of its length ('NAME~control')."""
    prompts_by_name, irrelevant = {"": ResolvedPrompt()}, prompts.find("irrelevant")
    for candidate in step.params["candidates"]:
        prompt = ResolvedPrompt(candidate["text"], candidate["placement"])
        filler = f"{irrelevant.text} {irrelevant.filler}"
        control = fit_length(replace(prompt, text="", length_of=prompt.text, filler=filler), resources.tokenizer)
        prompts_by_name |= {candidate["name"]: prompt, f"{candidate['name']}~control": control}
    return prompts_by_name
