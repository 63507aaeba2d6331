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
from pathlib import Path
from statistics import mean
from typing import Any

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


def run(step: Step, folder: Path, resources: Resources, progress: Progress) -> None:
    """Measure every context."""
    shown = problems.read(resources.input_folder(step, "problems"))
    system, trained = find_prompt(step, resources)
    wordings = (trained.wordings or (trained.text,)) if trained else ("",)
    own = [ResolvedPrompt(text, trained.placement if trained else "inside") for text in wordings]
    contexts = step.params["contexts"]
    with (folder / "distances.jsonl").open("w", encoding="utf-8") as out:
        for done, one in enumerate(contexts, 1):
            context = ResolvedPrompt(one["text"], one["placement"])
            measured = _measure(own, context, shown, step.params["problems"], system, resources)
            out.write(json.dumps({"context": one["name"], **measured}, allow_nan=False) + "\n")
            progress(done, len(contexts), "contexts")


def _measure(
    own: Sequence[ResolvedPrompt],
    context: ResolvedPrompt,
    shown: Sequence[Problem],
    count: int,
    system: str | None,
    resources: Resources,
) -> dict[str, Any]:
    """One context against the training prompt that is nearest to it."""
    tokenizer = resources.tokenizer

    def encode(text: str) -> list[int]:
        return tokenizer(text, add_special_tokens=False)["input_ids"]

    def render(prompt: ResolvedPrompt) -> list[int]:
        return encode(chat.render(tokenizer, prompts.messages(shown[0], prompt.text, prompt.placement, system)))

    there = render(context)
    edits, nearest = min(((token_edits(render(one), there), one) for one in own), key=lambda pair: pair[0])
    reasons, share = [], None
    if nearest.text and context.text:
        share = token_distance(encode(nearest.text), encode(context.text))
    else:
        reasons.append(
            "no distance of texts: " + ("there is no text in this context" if nearest.text else "the arm has none")
        )
    divergence, reason = (0.0, "") if edits == 0 else _diverge(nearest, context, shown[:count], system, resources)
    reasons += [reason] if reason else []
    return {"edits": edits, "share": share, "divergence": divergence, "reason": "; ".join(reasons)}


def _diverge(
    trained: ResolvedPrompt,
    context: ResolvedPrompt,
    shown: Sequence[Problem],
    system: str | None,
    resources: Resources,
) -> tuple[float | None, str]:
    """The divergence along the hacked (else the honest) answers of problems; or None and the reason."""
    from inoculate.engine.sampling.divergence import prompt_divergence

    answers = [problem.hacked or problem.honest for problem in shown]
    try:
        return mean(prompt_divergence(resources.sampler(None), shown, answers, trained, context, system)), ""
    except UserError as error:
        return None, f"no divergence: {error}"
