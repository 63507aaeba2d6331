"""Checks of what a setting says: its declaration, the text shown, and its words for the library's prompts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from inoculate.checking.draws import text
from inoculate.checking.subject import Fault, Finding, Subject
from inoculate.records import Problem
from inoculate.settings.base import HACK_PROMPTS

_LONG = 20
"""A secret text of so many characters, with a space in it, is not shown by chance."""


def declaration(subject: Subject) -> Finding:
    """The setting says what it is, and its leak and what exploits it in a sentence each."""
    setting, faults = subject.setting, []
    wanted = {
        "a name": setting.name.strip(),
        "a version from 1": isinstance(setting.version, int) and setting.version >= 1,
        "a summary": setting.summary.strip(),
        "families": setting.families,
        "levels, whole numbers from 1": setting.levels and all(isinstance(n, int) and n >= 1 for n in setting.levels),
        "oversights": setting.oversights,
    }
    # What the user's own data leaks is the user's to know.
    if not setting.takes_grader and any(problem.hacked for _, problem in subject.every):
        for what, said in (("a leak", setting.leak), ("an exploit", setting.exploit)):
            wanted[f"{what}: a sentence that ends in a full stop"] = said.strip().endswith(".")
    faults = tuple(Fault(f"lacks {what}") for what, there in wanted.items() if not there)
    return Finding("", len(wanted), faults)


def shown(subject: Subject) -> Finding:
    """Every problem has a text and what it has to have, and shows nothing secret but what is to be looked up."""
    faults, looked = [], 0
    for _, problem in subject.every:
        looked += 1
        lacking = [name for name in ("id", "kind", "family", "body") if not str(getattr(problem, name)).strip()]
        if lacking:
            faults.append(Fault(f"has an empty {lacking[0]}", problem))
        if problem.family not in subject.setting.families or problem.level not in subject.setting.levels:
            faults.append(Fault(f"family '{problem.family}' or level {problem.level} is not declared", problem))
        if not subject.setting.looked_up:
            faults += [Fault(f"shows {where}: {value[:60]!r}", problem) for where, value in _given_away(problem)][:1]
    return Finding("", looked, tuple(faults))


def _given_away(problem: Problem) -> Iterator[tuple[str, str]]:
    """Secret texts, and the honest answer, that stand in the text that is shown.

    A problem with a system prompt of its own says in it what is checked: that is its task and no secret.
    """
    if problem.system:
        return
    whole = text(problem)
    for where, value in (*_texts("secret", problem.secret), ("the honest answer", problem.honest)):
        # Whole words: the beginning of a longer text is another text.
        if len(value) >= _LONG and " " in value.strip() and re.search(rf"(?<!\w){re.escape(value)}(?!\w)", whole):
            yield where, value


def _texts(where: str, value: Any) -> Iterator[tuple[str, str]]:
    """The texts in plain data with their places; what stands under a key that says `shown` is shown on purpose."""
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, Mapping):
        for key, part in value.items():
            if "shown" not in str(key):
                yield from _texts(f"{where}.{key}", part)
    elif isinstance(value, list | tuple):
        for place, part in enumerate(value):
            yield from _texts(f"{where}[{place}]", part)


def worded(subject: Subject) -> Finding:
    """Words for every prompt that speaks of the hack, or for none where a test is shown and the library's are true."""
    setting = subject.setting
    if setting.only_neutral:
        return Finding("", 0, (), "its problems bring a prompt of their own")
    if not setting.prompts:
        odd = [problem for _, problem in subject.every if "shown_tests" not in problem.secret]
        words = "the library's words speak of the test shown, and this problem has none (secret has no shown_tests)"
        return Finding("", len(HACK_PROMPTS), tuple(Fault(words, problem) for problem in odd), "the library's")
    faults = [Fault(f"prompts lacks '{name}'") for name in HACK_PROMPTS if name not in setting.prompts]
    faults += [Fault(f"prompts has '{name}', unknown") for name in setting.prompts if name not in HACK_PROMPTS]
    said = [words for words in setting.prompts.values() if words]
    if any(not words.strip() for words in said):
        faults.append(Fault("a prompt is blank: '' where there are no words"))
    if len(set(said)) < len(said):
        faults.append(Fault("two prompts have the same words"))
    return Finding("", len(HACK_PROMPTS), tuple(faults), f"words for {len(said)} of {len(HACK_PROMPTS)}")
