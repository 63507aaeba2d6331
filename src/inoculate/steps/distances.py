"""Measures how far the prompts of evaluation are from an arm's training prompt, as placed: `distances.jsonl`.

A line for each context: `edits` (tokens to change in the whole prompt), `share` (edits of the text alone, over the
length of the longer one), `divergence` (of the untrained model's next-token distributions, in bits per token), `reason`
(why one of them is null). An arm without a prompt is measured too: its training prompt is the bare task.

For an arm whose rows take wordings in turn, it is the wording that is nearest to the context. The numbers depend on
texts and problems alone, so that seeds with the same text share them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from inoculate import settings
from inoculate.engine import chat
from inoculate.errors import UserError
from inoculate.records import Problem
from inoculate.steps import problems
from inoculate.steps.resources import Progress, Resources
from inoculate.steps.rows import find_prompt, inoculation_params
from inoculate.steps.store import Step
from inoculate.study import prompts
from inoculate.study.distance import FEWEST_CONTEXTS, token_distance, token_edits
from inoculate.study.resolve import ResolvedPrompt, ResolvedStudy

KIND, VERSION = "distances", 1
_PROBLEMS = 4
"""On how many problems the divergence is taken: it varies little over them (docs/studies.md)."""


def plan_step(resolved: ResolvedStudy, arm: str, seed: int, drawn: Step, weights: str, where: str) -> Step | None:
    """The distances of the contexts from an arm's training prompt, in the setting of its (first) rows.

    Args:
        resolved: The study.
        arm: The arm.
        seed: The seed: an arm may have another prompt at each.
        drawn: The step that draws the setting's problems of evaluation.
        weights: The model's fingerprint.
        where: Arm and seed, for the step's label.

    Returns:
        None where the setting is evaluated in too few contexts.
    """
    setting = resolved.study.arms[arm].rows.setting
    names = [name for name in resolved.evaluated[setting] if name != prompts.AS_TRAINED]
    if len(resolved.evaluated[setting]) < FEWEST_CONTEXTS or settings.find(setting).choices:
        return None
    inoculation = resolved.inoculation(arm, seed, setting)
    contexts = [(name, resolved.context(name, setting, arm, seed)) for name in names]
    params = {
        "model": weights,
        "system": resolved.study.system,
        "inoculation": {**inoculation_params(inoculation), "on": ""} if inoculation else None,
        "contexts": [{"name": name, "text": one.text, "placement": one.placement} for name, one in contexts],
        "problems": _PROBLEMS,
    }
    label = f"distances of {len(contexts)} contexts from the prompt of {where}"
    return Step(KIND, params, {"problems": drawn}, label=label, version=VERSION)


def count_scored(step: Step) -> int:
    """How many answers the model reads, at most: one under each of two prompts, for each context and problem."""
    return 2 * len(step.params["contexts"]) * step.params["problems"]


@dataclass
class _Measured:
    """A context against the training prompt that is nearest to it."""

    context: ResolvedPrompt
    nearest: ResolvedPrompt
    edits: int
    share: float | None
    reasons: list[str]
    divergence: float | None = 0.0


def run(step: Step, folder: Path, resources: Resources, progress: Progress) -> None:
    """Measure every context."""
    shown = problems.read(resources.input_folder(step, "problems"))
    system, trained = find_prompt(step, resources)
    wordings = (trained.wordings or (trained.text,)) if trained else ("",)
    own = [ResolvedPrompt(text, trained.placement if trained else "inside") for text in wordings]
    contexts = {one["name"]: ResolvedPrompt(one["text"], one["placement"]) for one in step.params["contexts"]}
    measured = {name: _edit(own, one, shown[0], system, resources) for name, one in contexts.items()}
    _diverge(list(measured.values()), shown[: step.params["problems"]], system, resources, progress)
    with (folder / "distances.jsonl").open("w", encoding="utf-8") as out:
        for name, one in measured.items():
            numbers = {"edits": one.edits, "share": one.share, "divergence": one.divergence}
            line = {"context": name, **numbers, "reason": "; ".join(one.reasons)}
            out.write(json.dumps(line, allow_nan=False) + "\n")


def _edit(
    own: Sequence[ResolvedPrompt], context: ResolvedPrompt, problem: Problem, system: str | None, resources: Resources
) -> _Measured:
    """How many tokens a context differs in from the training prompt that is nearest to it."""
    tokenizer = resources.tokenizer

    def encode(text: str) -> list[int]:
        return tokenizer(text, add_special_tokens=False)["input_ids"]

    def render(prompt: ResolvedPrompt) -> list[int]:
        return encode(chat.render(tokenizer, prompts.messages(problem, prompt.text, prompt.placement, system)))

    there = render(context)
    edits, nearest = min(((token_edits(render(one), there), one) for one in own), key=lambda pair: pair[0])
    if nearest.text and context.text:
        share = token_distance(encode(nearest.text), encode(context.text))
        return _Measured(context, nearest, edits, share, [])
    lacking = "there is no text in this context" if nearest.text else "the arm has none"
    return _Measured(context, nearest, edits, None, [f"no distance of texts: {lacking}"])


def _diverge(
    measured: Sequence[_Measured],
    shown: Sequence[Problem],
    system: str | None,
    resources: Resources,
    progress: Progress,
) -> None:
    """Add the divergences along the hacked (else the honest) answers of problems, or why there are none.

    Contexts that have the same training prompt as their nearest pass through the model together.
    """
    from inoculate.engine.sampling.divergence import prompt_divergences

    differing = [one for one in measured if one.edits]
    nearest = list(dict.fromkeys(one.nearest for one in differing))
    for number, own in enumerate(nearest):
        group, found = [one for one in differing if one.nearest == own], list[list[float]]()
        try:
            for problem in shown:
                answer, others = problem.hacked or problem.honest, [one.context for one in group]
                found += prompt_divergences(resources.sampler(None), [problem], [answer], own, others, system)
                progress(number * len(shown) + len(found), len(nearest) * len(shown), "comparisons")
        except UserError as error:
            for one in group:
                one.divergence = None
                one.reasons.append(f"no divergence: {error}")
            continue
        for one, values in zip(group, zip(*found, strict=True), strict=True):
            one.divergence = mean(values)
