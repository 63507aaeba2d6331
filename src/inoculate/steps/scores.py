"""Scores hacked training answers under the candidates of a screen, by log-probability: `scores.jsonl`."""

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


def plan_step(resolved: ResolvedStudy, rows: Step, weights: str) -> Step:
    """The scores of hacked answers under every candidate.

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


def run(step: Step, folder: Path, resources: Resources, progress: Progress) -> None:
    """Score every answer under each candidate, its control and no prompt."""
    rows = resources.input_folder(step, "rows")
    answered = problems.read(rows)
    candidates, system = _with_controls(step, resources), resources.system_prompt(step.params["system"])
    with (folder / "scores.jsonl").open("w", encoding="utf-8") as out:
        pairs = zip(answered, read_lines(rows / "rows.jsonl", Row), strict=True)
        for done, (problem, row) in enumerate(pairs, 1):
            out.write(json.dumps(_score(problem, row.answer, candidates, system, resources)) + "\n")
            progress(done, len(answered), "scored")


def _score(
    problem: Problem, answer: str, candidates: dict[str, ResolvedPrompt], system: str | None, resources: Resources
) -> dict[str, Any]:
    """One answer under every candidate."""
    from inoculate.engine.sampling import scoring

    sampler, ending = resources.sampler(None), chat.answer_ending(resources.tokenizer)
    rendered = [
        chat.render(resources.tokenizer, prompts.messages(problem, prompt.text, prompt.placement, system))
        for prompt in candidates.values()
    ]
    scores = scoring.score(sampler, rendered, answer, ending)
    return {
        "problem": problem.id,
        "kind": problem.kind,
        "tokens": scoring.count_answer_tokens(sampler, answer, ending),
        "scores": dict(zip(candidates, scores, strict=True)),
    }


def _with_controls(step: Step, resources: Resources) -> dict[str, ResolvedPrompt]:
    """No prompt (named ''), every candidate, and for each an irrelevant prompt of its length ('NAME~control')."""
    prompts_by_name, irrelevant = {"": ResolvedPrompt()}, prompts.find("irrelevant")
    for candidate in step.params["candidates"]:
        prompt = ResolvedPrompt(candidate["text"], candidate["placement"])
        filler = f"{irrelevant.text} {irrelevant.filler}"
        control = fit_length(replace(prompt, text="", length_of=prompt.text, filler=filler), resources.tokenizer)
        prompts_by_name |= {candidate["name"]: prompt, f"{candidate['name']}~control": control}
    return prompts_by_name
