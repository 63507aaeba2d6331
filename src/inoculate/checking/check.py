"""All checks, in order. An exception in a setting's own code is a fault of that setting."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

from inoculate.checking import answers, balance, draws, texts
from inoculate.checking.subject import Fault, Finding, NoGrader, Subject
from inoculate.errors import UserError
from inoculate.settings import require_some

CHECKS: dict[str, Callable[[Subject], Finding]] = {
    "declaration": texts.check_declaration,
    "draws are exact": draws.check_counts,
    "enough problems": draws.check_size,
    "draws are deterministic": draws.check_determinism,
    "smaller draws begin larger ones": draws.check_prefixes,
    "families and levels": draws.check_families_and_levels,
    "ids": draws.check_ids,
    "splits share no kind, id or text": draws.check_splits,
    "splits share no near-duplicate": draws.check_near_duplicates,
    "shown text": texts.check_shown_text,
    "prompts": texts.check_prompts,
    "honest answers are correct": answers.check_honest,
    "hacked answers are hacks": answers.check_hacked,
    "the leak is real": answers.check_leak,
    "empty and garbage": answers.check_garbage,
    "grades are deterministic": answers.check_determinism,
    "lengths of answers": answers.check_lengths,
    "diversity of answers": answers.check_diversity,
    "two answers are balanced": balance.check_balance,
}


def check(
    name: str,
    *,
    count: int = 200,
    source: str = "",
    grader: str = "",
    on_start: Callable[[str], object] = lambda name: None,
) -> Iterator[Finding]:
    """Check a setting.

    Args:
        name: A setting's name, or a Python file.
        count: Problems of each split to check.
        source: Where the data is, for settings that load it.
        grader: The user's own grader, for settings that take one.
        on_start: Called with the name of each check before it runs.

    Yields:
        The result of each of `CHECKS`.

    Raises:
        UserError: There is no such setting, or nothing can be drawn from it.
    """
    subject = Subject(name, require_some(count), source, grader)
    try:
        _ = subject.problems
    except UserError:
        raise
    except Exception as error:
        yield Finding("draws are exact", 1, (Fault(_describe_error(error)),))
        return
    for title, run_check in CHECKS.items():
        on_start(title)
        try:
            yield run_check(subject)._replace(name=title)
        except NoGrader as reason:
            yield Finding(title, 0, (), unmade=str(reason))
        except UserError as error:
            yield Finding(title, 1, (Fault("could not be made: see under the table", failure=str(error)),))
        except Exception as error:
            yield Finding(title, 1, (Fault(_describe_error(error)),))


def _describe_error(error: Exception) -> str:
    """The exception and where it was raised, so that the author of the setting needs no traceback."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"raised {type(error).__name__}: {error} ({Path(frame.filename).name}:{frame.lineno})"
