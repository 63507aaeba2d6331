"""Checks of a setting's texts: its declaration, the text shown, and its text for the prompts about the hack."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from inoculate.checking.draws import shown_text
from inoculate.checking.subject import Fault, Finding, Subject
from inoculate.records import Problem
from inoculate.settings.base import HACK_PROMPTS

_MIN_SECRET = 20
"""A secret text with at least this many characters and a space is not shown by chance."""


def check_declaration(subject: Subject) -> Finding:
    """The setting declares what it is, and describes its leak and the exploit in a sentence each."""
    setting, faults = subject.setting, []
    required = {
        "a name": setting.name.strip(),
        "a version from 1": isinstance(setting.version, int) and setting.version >= 1,
        "a summary": setting.summary.strip(),
        "families": setting.families,
        "levels, whole numbers from 1": setting.levels and all(isinstance(n, int) and n >= 1 for n in setting.levels),
        "oversights": setting.oversights,
    }
    # Only the users know what their own data leaks.
    if not setting.takes_grader and any(problem.hacked for _, problem in subject.all_problems):
        for place, oversight in enumerate(setting.oversights):
            of = f" of '{oversight}' (further_leaks)" if place else ""
            for what, given in zip(("a leak", "an exploit"), setting.describe_oversight(oversight), strict=True):
                required[f"{what}{of}: a sentence that ends in a full stop"] = given.strip().endswith(".")
    faults = tuple(Fault(f"lacks {what}") for what, is_there in required.items() if not is_there)
    return Finding("", len(required), faults)


def check_shown_text(subject: Subject) -> Finding:
    """Every problem has a text and its other fields, and shows nothing secret, except what is to be looked up."""
    faults, checked = [], 0
    for _, problem in subject.all_problems:
        checked += 1
        empty = [name for name in ("id", "kind", "family", "body") if not str(getattr(problem, name)).strip()]
        if empty:
            faults.append(Fault(f"has an empty {empty[0]}", problem))
        if problem.family not in subject.setting.families or problem.level not in subject.setting.levels:
            faults.append(Fault(f"family '{problem.family}' or level {problem.level} is not declared", problem))
        if not subject.setting.looked_up:
            faults += [Fault(f"shows {where}: {value[:60]!r}", problem) for where, value in _leaked_texts(problem)][:1]
    return Finding("", checked, tuple(faults))


def _leaked_texts(problem: Problem) -> Iterator[tuple[str, str]]:
    """Secret texts, or the honest answer, in the text that is shown.

    A problem with its own system prompt says there what is checked: that is its task, and not secret.
    """
    if problem.system:
        return
    whole = shown_text(problem)
    for where, value in (*_strings("secret", problem.secret), ("the honest answer", problem.honest)):
        # Whole words: the beginning of a longer word is something else.
        if len(value) >= _MIN_SECRET and " " in value.strip() and re.search(rf"(?<!\w){re.escape(value)}(?!\w)", whole):
            yield where, value


def _strings(where: str, value: Any) -> Iterator[tuple[str, str]]:
    """The strings in plain data with their paths; values of keys with `shown` in them are shown on purpose."""
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, Mapping):
        for key, part in value.items():
            if "shown" not in str(key):
                yield from _strings(f"{where}.{key}", part)
    elif isinstance(value, list | tuple):
        for place, part in enumerate(value):
            yield from _strings(f"{where}[{place}]", part)


def check_prompts(subject: Subject) -> Finding:
    """Text for every prompt about the hack, or for none where a test is shown, so that the library's text is right."""
    setting = subject.setting
    if setting.only_neutral:
        return Finding("", 0, (), "its problems bring a prompt of their own")
    if not setting.prompts:
        without_tests = [problem for _, problem in subject.all_problems if "shown_tests" not in problem.secret]
        message = "the library's words speak of the test shown, and this problem has none (secret has no shown_tests)"
        faults = [Fault(message, problem) for problem in without_tests]
        return Finding("", len(HACK_PROMPTS), tuple(faults), "the library's")
    faults = [Fault(f"prompts lacks '{name}'") for name in HACK_PROMPTS if name not in setting.prompts]
    faults += [Fault(f"prompts has '{name}', unknown") for name in setting.prompts if name not in HACK_PROMPTS]
    given = [prompt for prompt in setting.prompts.values() if prompt]
    if any(not prompt.strip() for prompt in given):
        faults.append(Fault("a prompt is blank: '' where there are no words"))
    if len(set(given)) < len(given):
        faults.append(Fault("two prompts have the same words"))
    return Finding("", len(HACK_PROMPTS), tuple(faults), f"words for {len(given)} of {len(HACK_PROMPTS)}")
