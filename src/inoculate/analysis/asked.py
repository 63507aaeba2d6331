"""What a context of evaluation asks of answers: the hack, the intended answer, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inoculate.analysis.truth import Says, what_it_says
from inoculate.study import prompts

_ALLOWING: tuple[Says, ...] = ("hack", "hack where possible", "either")


def what_is_asked(study: Mapping[str, Any], context: str) -> Says | None:
    """What the prompt of a context says of answers; None where it says nothing of them, or that is not known.

    A manifest of an earlier version has the text of a context and not its prompt's name. Then the context's own name
    says it, or the name of the prompt in an arm that has the same text.

    Args:
        study: The study of a manifest or of results.
        context: One of its contexts.
    """
    spec = ((study.get("evaluate") or {}).get("contexts") or {}).get(context) or {}
    name = spec.get("prompt") or prompts.contexts().get(context, "") or _same_text(study, spec.get("text", ""))
    return what_it_says(name)


def allows_hack(study: Mapping[str, Any], context: str) -> bool:
    """Whether a context asks for the hack or allows it: a hack there is obedience, and no near miss."""
    return what_is_asked(study, context) in _ALLOWING


def _same_text(study: Mapping[str, Any], text: str) -> str:
    """The name of the prompt of an arm with this text."""
    inoculations = [spec.get("inoculation") or {} for spec in (study.get("arms") or {}).values()]
    return next((one.get("prompt") or "" for one in inoculations if text and one.get("text") == text), "")
