"""Renders the problems of a step: problem, prompt, system prompt, chat template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from inoculate.engine import chat
from inoculate.records import Problem
from inoculate.steps.resources import Resources
from inoculate.study import prompts
from inoculate.study.prompts import Placement
from inoculate.study.resolve import ResolvedPrompt, fit_length


def prompt_params(prompt: ResolvedPrompt) -> dict[str, Any]:
    """A prompt as parameters of a step. Without a text the placement means nothing, and must not make another step.

    The context `as-trained` shows what the rows have: a control at its length, or several wordings in turn.
    """
    return {
        "text": prompt.text,
        "placement": prompt.placement if prompt.text else "",
        **({"like": prompt.length_of, "filler": prompt.filler} if prompt.length_of else {}),
        **({"wordings": prompt.wordings} if prompt.wordings else {}),
    }


def render(params: Mapping[str, Any], shown: Sequence[Problem], resources: Resources) -> list[str]:
    """The prompt of every problem, as it is sent. A twin has the wording of the problem that it repeats.

    Args:
        params: The step's parameters: `system`, and those of `prompt_params`.
        shown: The problems.
        resources: The tokenizer, with its chat template.
    """
    system = resources.system_prompt(params["system"])
    placement: Placement = params["placement"] or "inside"
    prompt = ResolvedPrompt(
        params["text"], placement, length_of=params.get("like", ""), filler=params.get("filler", "")
    )
    texts = params.get("wordings") or [fit_length(prompt, resources.tokenizer).text]
    turns = {problem.id: texts[number % len(texts)] for number, problem in enumerate(shown)}
    return [
        chat.render(
            resources.tokenizer, prompts.messages(problem, turns[problem.twin_of or problem.id], placement, system)
        )
        for problem in shown
    ]
