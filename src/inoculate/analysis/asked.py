"""What a context of evaluation asks of answers: the hack, the intended answer, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from inoculate.analysis.arms import trains_with_prompt
from inoculate.analysis.truth import Says, is_known, what_it_says
from inoculate.study import prompts

Asked = Says | Literal["nothing", "unknown"]
"""What is asked; `unknown` where a text has no name whose meaning is known."""
_ALLOWING: tuple[Asked, ...] = ("hack", "hack where possible", "either")


def what_is_asked(study: Mapping[str, Any], context: str, arm: str) -> Asked:
    """What an arm is asked of its answers in a context.

    In a context that shows each arm its own inoculation, that depends on the arm. A manifest of an earlier version has
    the text of a context and not its prompt's name. Then the context's own name says it, or the name of the prompt in
    an arm that has the same text. A text of the user's own asks for the hack where its context is named so.

    Args:
        study: The study of a manifest or of results.
        context: One of its contexts.
        arm: The arm that is evaluated.
    """
    spec = ((study.get("evaluate") or {}).get("contexts") or {}).get(context) or {}
    if spec.get("per_arm"):
        return _asked_while_training((study.get("arms") or {}).get(arm) or {})
    name = spec.get("prompt") or prompts.contexts().get(context, "") or _same_text(study, spec.get("text", ""))
    asked = _asked_by(name, spec.get("text") or "")
    return "hack" if asked == "unknown" and context.startswith(prompts.ASKS_TO_HACK) else asked


def allows_hack(study: Mapping[str, Any], context: str, arm: str) -> bool:
    """Whether a context asks an arm for the hack or allows it: a hack there is obedience, and no near miss."""
    return what_is_asked(study, context, arm) in _ALLOWING


def has_floor(study: Mapping[str, Any], context: str, arm: str) -> bool:
    """Whether hacks of an arm that was trained on none are near misses: it is known that nothing allows them."""
    return what_is_asked(study, context, arm) in ("nothing", "intended")


def is_main(context: str) -> bool:
    """Whether a context is shown where there is no room for all: it is neutral, or is named as asking for the hack."""
    return prompts.NEUTRAL in context or context.startswith(prompts.ASKS_TO_HACK)


def _asked_while_training(arm: Mapping[str, Any]) -> Asked:
    if not trains_with_prompt(arm):
        return "nothing"
    inoculation = arm["inoculation"]
    by_seed = (inoculation.get("by_seed") or {}).values() or (inoculation,)
    asked: set[Asked] = {_asked_by(one.get("prompt") or "", one.get("text") or "") for one in by_seed}
    return asked.pop() if len(asked) == 1 else "unknown"


def _asked_by(name: str, text: str) -> Asked:
    if not name:
        return "unknown" if text else "nothing"
    return what_it_says(name) or ("nothing" if is_known(name) else "unknown")


def _same_text(study: Mapping[str, Any], text: str) -> str:
    """The name of the prompt of an arm with this text."""
    inoculations = [spec.get("inoculation") or {} for spec in (study.get("arms") or {}).values()]
    return next((one.get("prompt") or "" for one in inoculations if text and one.get("text") == text), "")
