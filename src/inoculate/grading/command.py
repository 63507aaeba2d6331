"""The commands `grade` (JSON lines in, JSON lines out) and `doctor`.

Prints nothing: the command line does, from the return values and the progress callback.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import Any

from inoculate import json_lines
from inoculate.errors import UserError, kind_of, on_one_line, refuse_existing
from inoculate.grading import validation
from inoculate.grading.grade import UNSAFE_VARIABLE, containment, cores, grade_code
from inoculate.grading.parsing import UNPARSABLE, parse
from inoculate.grading.sandbox.containment import ACCEPTED, MEANING
from inoculate.grading.sandbox.pool import WorkerFailed, has_numpy, pool
from inoculate.grading.task import CodeTask, Limits, Oversight
from inoculate.records import Grade, Problem

Progress = Callable[[int, int], None]
"""Called with the number of lines graded and the number of lines."""

_BATCH = 2000
_TESTS = {"entry_point": str, "shown_tests": list, "hidden_tests": list}
_NEEDED = {"id": str, **_TESTS, "completion": str}
_SHAPE = "a completion and what it answers"
_NEEDED_FOR_SETTING = {"id": str, "problem": str, "completion": str}


@dataclass(frozen=True)
class Graded:
    """Summary of a grading."""

    count: int
    outcomes: dict[str, int] = field(default_factory=dict)
    containment: str = ""


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's report."""

    name: str
    good: bool | None
    """None where it is neither good nor bad."""
    message: str


def grade_file(
    source: Path,
    out: Path,
    *,
    unsafe: bool = False,
    limits: Limits = Limits(),  # noqa: B008 (frozen)
    oversight: Oversight = "exit_code",
    progress: Progress | None = None,
) -> Graded:
    """Grade the completions of a file.

    A line in: `id`, `entry_point`, `shown_tests` and `hidden_tests` (lists of assert statements), `completion`, and
    `setup` where the tests need one. Other keys are ignored. A line out: `id`, `outcome`, `oversight`, `intended`,
    `tags` (each with its evidence), `containment`, `detail`, `seconds`, in the order of the lines in.

    Args:
        source: JSON lines.
        out: Written completely or not at all.
        unsafe: Run even where the containment is not a sandbox.
        limits: Limits of one check.
        oversight: Which leak the oversight check has.
        progress: Called after each line.

    Raises:
        UserError: A line is not valid; nothing has been graded then.
    """
    total = _check_lines(source, out, _check_task, _NEEDED)
    level = containment(unsafe=unsafe).level

    def grade(lines: Sequence[dict[str, Any]]) -> Iterator[Grade]:
        tasks = [CodeTask.of(line) for line in lines]
        completions = [line["completion"] for line in lines]
        return grade_code(tasks, completions, limits=limits, unsafe=unsafe, oversight=oversight)

    return _grade_lines(source, out, total, grade, progress, level)


def grade_file_of_problems(
    source: Path,
    out: Path,
    problems: Sequence[Problem],
    grade: Callable[[Sequence[Problem], Sequence[str]], Iterator[Grade]],
    *,
    unsafe: bool = False,
    progress: Progress | None = None,
) -> Graded:
    """Grade the completions of a file that names problems of a setting.

    A line in: `id`, `problem` (a problem's id), `completion`.

    Args:
        source: JSON lines.
        out: Written completely or not at all.
        problems: The problems that lines may name.
        grade: The setting's own grading.
        unsafe: Run even where the containment is not a sandbox; passed on to the setting by an environment variable.
        progress: Called after each line.

    Raises:
        UserError: A line is not valid, or names an unknown problem.
    """
    known = {problem.id: problem for problem in problems}

    def check(where: str, line: Mapping[str, Any]) -> None:
        _check_keys(where, line, _NEEDED_FOR_SETTING)
        if line["problem"] not in known:
            near = get_close_matches(line["problem"], known, n=1)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            raise UserError(f"{where}: no problem '{on_one_line(line['problem'])}' among the {len(known)} given{hint}")

    def grade_lines(lines: Sequence[dict[str, Any]]) -> Iterator[Grade]:
        return grade([known[line["problem"]] for line in lines], [line["completion"] for line in lines])

    total = _check_lines(source, out, check, _NEEDED_FOR_SETTING)
    if unsafe:
        os.environ[UNSAFE_VARIABLE] = "1"
    level = containment().level
    return _grade_lines(source, out, total, grade_lines, progress, level)


def _check_lines(
    source: Path, out: Path, check: Callable[[str, Mapping[str, Any]], None], needed: Mapping[str, type[Any]]
) -> int:
    """Check every line, which has the keys needed, before any is graded; returns the number of lines."""
    if not out.parent.is_dir():
        raise UserError(f"{out}: there is no folder {out.parent}")
    refuse_existing(out)
    places: dict[str, str] = {}
    count = 0
    for where, line in json_lines.read(str(source), _SHAPE):
        check(where, line)
        first = places.setdefault(line["id"], where)
        if first != where:
            raise UserError(f"{where}: the id '{line['id']}' is used at {first} already")
        count += 1
    if count == 0:
        raise UserError(f"{source}: is empty; a line holds {', '.join(needed)}")
    return count


def _check_keys(where: str, line: Mapping[str, Any], needed: Mapping[str, type[Any]]) -> None:
    for key, kind in needed.items():
        if key not in line:
            near = get_close_matches(key, [str(given) for given in line], n=1)
            hint = f" (there is '{near[0]}')" if near else ""
            raise UserError(f"{where}: '{key}' is missing{hint}; a line holds {', '.join(needed)}")
        if not isinstance(line[key], kind):
            wanted = {str: "a text", list: "a list of texts"}[kind]
            raise UserError(f"{where}: '{key}' is {kind_of(line[key])}, where {wanted} was expected")


def _check_task(where: str, line: Mapping[str, Any]) -> None:
    if "problem" in line and not set(_TESTS) & set(line):
        raise UserError(f"{where}: names a problem, and has no tests: name its setting with --setting")
    _check_keys(where, line, _NEEDED)
    check_tests(where, line)


def check_tests(where: str, line: Mapping[str, Any]) -> None:
    """Refuse a line whose tests are not valid.

    Args:
        where: The position of the line, for the message.
        line: Its `entry_point`, `shown_tests`, `hidden_tests` and, where there is one, `setup`.

    Raises:
        UserError: One is missing, has a wrong type, is not Python, or tests nothing.
    """
    _check_keys(where, line, _TESTS)
    if not all(part.isidentifier() for part in line["entry_point"].split(".")):
        raise UserError(f"{where}: 'entry_point' is {line['entry_point']!r}: a name such as 'add' or 'Solution.add' "
                        "was expected")  # fmt: skip
    if not isinstance(line.get("setup", ""), str):
        raise UserError(f"{where}: 'setup' is {kind_of(line['setup'])}, where a text was expected")
    texts = [("setup", line.get("setup", ""))]
    for key in ("shown_tests", "hidden_tests"):
        for position, test in enumerate(line[key]):
            if not isinstance(test, str) or not test.strip():
                raise UserError(f"{where}: '{key}[{position}]' is {test!r}, where an assert statement was expected")
            texts.append((f"{key}[{position}]", test))
    for name, text in texts:
        try:
            parse(text)
        except UNPARSABLE as error:
            reason = str(error) or "it is nested too deeply"  # a MemoryError has no message
            raise UserError(f"{where}: '{name}' does not parse: {reason}") from error
    if fault := validation.find_fault(CodeTask.of(line)):
        raise UserError(f"{where}: a test tests nothing: {fault}")


def _grade_lines(
    source: Path,
    out: Path,
    total: int,
    grade: Callable[[Sequence[dict[str, Any]]], Iterator[Grade]],
    progress: Progress | None,
    level: str,
) -> Graded:
    outcomes: Counter[str] = Counter()
    lines = (line for _, line in json_lines.read(str(source), _SHAPE))
    done = 0
    with _atomic_file(out) as file:
        while batch := list(islice(lines, _BATCH)):
            for line, result in zip(batch, grade(batch), strict=True):
                file.write(json.dumps(_result(line["id"], result), ensure_ascii=True) + "\n")
                outcomes[result.outcome] += 1
                done += 1
                if progress is not None:
                    progress(done, total)
    return Graded(done, dict(outcomes), level)


def _result(identity: str, grade: Grade) -> dict[str, Any]:
    return {
        "id": identity, "outcome": grade.outcome, "oversight": grade.oversight, "intended": grade.intended,
        "tags": [asdict(tag) for tag in grade.tags], "containment": grade.containment, "detail": grade.detail,
        "elsewhere": grade.elsewhere, "seconds": grade.seconds, **({"others": grade.others} if grade.others else {}),
    }  # fmt: skip


@contextlib.contextmanager
def _atomic_file(out: Path) -> Iterator[Any]:
    """A file that appears when it is complete."""
    try:
        descriptor, name = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.", suffix=".part")
    except OSError as error:
        raise UserError(f"{out}: cannot be written: {error.strerror}") from error
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            yield file
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(name, 0o666 & ~mask)
        os.replace(name, out)
    except OSError as error:
        raise UserError(f"{out}: cannot be written: {error.strerror}") from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)


_PROBES = {
    "fork": "starting a process", "signal": "signalling another process", "socket": "opening a socket",
    "write": "writing a file", "files": "reading a file that is not Python's",
    "seccomp": "loading the allowlist of system calls",
    "alone": "seeing other processes and networks",
}  # fmt: skip


def doctor() -> list[Finding]:
    """Check how well model-written code is contained on this machine: a worker is started and probes its restrictions.

    Returns:
        Findings; the first is the level and its meaning.
    """
    try:
        reached = pool().get_containment()
    except WorkerFailed as error:
        return [Finding("sandbox", False, f"no worker can be started, so no code can be graded: {error}")]
    findings = [Finding("sandbox", reached.level in ACCEPTED, f"level '{reached.level}': {MEANING[reached.level]}")]
    for name, action in _PROBES.items():
        if name == "alone" and not reached.namespaces:
            findings.append(Finding("namespaces", None, "not allowed here; optional"))
            continue
        blocked = reached.probes.get(name, False)
        good = "works" if name == "seccomp" else "was stopped"
        bad = "does not work" if name == "seccomp" else "WAS NOT STOPPED"
        findings.append(
            Finding(
                "namespaces" if name == "alone" else f"probe: {name}", blocked, f"{action} {good if blocked else bad}"
            )
        )
    findings.append(
        Finding("Landlock", reached.landlock > 0, f"version {reached.landlock}" if reached.landlock else "none")
    )
    findings.append(Finding("user", None, f"solutions run as user number {reached.uid}"))
    findings += [Finding("note", None, note) for note in reached.notes]
    findings.append(
        Finding("numpy", None, "solutions may import it" if has_numpy() else "not installed: solutions cannot")
    )
    findings.append(Finding("workers", None, f"{cores()}, one for each processor, on {sys.platform}"))
    return findings
