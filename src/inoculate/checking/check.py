"""All checks, in order, each guarded: what a setting's own code raises is a fault of that setting."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

from inoculate.checking import answers, draws, texts
from inoculate.checking.subject import Fault, Finding, Subject
from inoculate.errors import UserError

CHECKS: dict[str, Callable[[Subject], Finding]] = {
    "declaration": texts.declaration,
    "draws are exact": draws.exact,
    "enough problems": draws.enough,
    "draws are deterministic": draws.deterministic,
    "smaller draws begin larger ones": draws.nested,
    "families and levels": draws.parts,
    "ids": draws.ids,
    "splits share no kind, id or text": draws.apart,
    "splits share no near-duplicate": draws.near,
    "shown text": texts.shown,
    "prompts": texts.worded,
    "honest answers are correct": answers.honest,
    "hacked answers are hacks": answers.hacked,
    "the leak is real": answers.leak,
    "empty and garbage": answers.garbage,
    "grades are deterministic": answers.deterministic,
    "lengths of answers": answers.lengths,
    "diversity of answers": answers.diversity,
}


def check(
    name: str,
    *,
    count: int = 200,
    source: str = "",
    grader: str = "",
    begun: Callable[[str], object] = lambda name: None,
) -> Iterator[Finding]:
    """Examine a setting.

    Args:
        name: A setting's name, or a Python file.
        count: Problems of each split that are looked at.
        source: Where the data is, for settings that load it.
        grader: The user's own grader, for settings that take one.
        begun: Told the name of each check before it is made.

    Yields:
        What each of `CHECKS` came to.

    Raises:
        UserError: There is no such setting, or nothing can be drawn from it.
    """
    if count < 1:
        raise UserError(f"--count {count}: at least one problem of each split has to be looked at")
    subject = Subject(name, count, source, grader)
    try:
        _ = subject.problems
    except UserError:
        raise
    except Exception as error:
        yield Finding("draws are exact", 1, (Fault(_raised(error)),))
        return
    for title, examine in CHECKS.items():
        begun(title)
        try:
            yield examine(subject)._replace(name=title)
        except Exception as error:
            yield Finding(title, 1, (Fault(_raised(error)),))


def _raised(error: Exception) -> str:
    """What was raised, and where: by the setting, so that its author needs no traceback to find it."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"raised {type(error).__name__}: {error} ({Path(frame.filename).name}:{frame.lineno})"
