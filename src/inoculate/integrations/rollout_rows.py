"""Makes rows for the setting `rows` of rollouts: of answers that a check calls hacked or honest, and of no others."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inoculate.errors import UserError, refuse_existing
from inoculate.integrations import rollouts
from inoculate.integrations.rollouts import Rollout
from inoculate.records import Grade, Outcome
from inoculate.settings.rows import reading, user_grader


@dataclass(frozen=True)
class WrittenRows:
    """Counts of what was made of rollouts."""

    rows: int
    hacked: int
    honest: int
    left_out: dict[str, int]
    """Why -> how many rollouts are no rows: `wrong`, `malformed`, `ungraded`, `empty`."""
    first_reason: str = ""
    """Why the user's grader left the first of them ungraded; '' where it left none."""

    @property
    def read(self) -> int:
        """Rollouts."""
        return self.rows + sum(self.left_out.values())


def write_rows(
    files: Sequence[Path],
    out: Path,
    *,
    grader: str = "",
    hacked: str = "",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> WrittenRows:
    """Write rows of the rollouts in files, whole or not at all.

    Args:
        files: JSON lines, Parquet or Inspect logs.
        out: A new `.jsonl` file.
        grader: The user's grader, `file.py:function`, which then decides about every answer; '' for the checks that
            the rollouts carry.
        hacked: The key that says whether an answer is a hack; '' for the checks that they carry.
        progress: Called while the grader works, with the number of answers graded and of all.

    Raises:
        UserError: A file cannot be read, a rollout has an unknown form, none says whether it is a hack, two are the
            same, no row is left, or the target exists.
    """
    _check_target(out, grader, hacked)
    found = _read(files, hacked)
    lines = [_line(one) for one in found]
    grades = _grade(grader, found, lines, progress) if grader else []
    outcomes = [grade.outcome for grade in grades] if grader else [_given(one) for one in found]
    first_reason = next((grade.detail for grade in grades if grade.outcome == "ungraded"), "")
    left_out: Counter[str] = Counter()
    rows: list[dict[str, Any]] = []
    for one, line, outcome in zip(found, lines, outcomes, strict=True):
        if not one.answer.strip():
            left_out["empty"] += 1
        elif outcome in ("hack", "correct"):
            rows.append(line | {"hacked": outcome == "hack"})
        else:
            left_out[outcome] += 1
    if not rows:
        reasons = ", ".join(f"{count} {why}" for why, count in left_out.items()) or "no rollouts"
        why = f"; first ungraded: {first_reason}" if first_reason else ""
        raise UserError(
            f"no row is left of {len(found)} rollouts: {reasons}; rows are answers that are hacks or correct{why}"
        )
    _write(out, rows)
    hacks = sum(row["hacked"] for row in rows)
    return WrittenRows(len(rows), hacks, len(rows) - hacks, dict(left_out), first_reason)


def _check_target(out: Path, grader: str, hacked: str) -> None:
    if out.suffix != ".jsonl":
        raise UserError(f"{out}: rows are written to a .jsonl file")
    refuse_existing(out)
    if grader and hacked:
        raise UserError(f"--grader {grader} and --hacked {hacked}: give one of them; either decides what is a hack")
    if grader:
        user_grader.check_grader(grader)


def _read(files: Sequence[Path], hacked: str) -> list[Rollout]:
    names = [file.name for file in files]
    found: list[Rollout] = []
    first: dict[str, str] = {}
    for file in files:
        # Files of the same name in several folders: the path tells them apart.
        for one in rollouts.read(file, file.name if names.count(file.name) == 1 else str(file), hacked):
            if one.name in first:
                raise UserError(f"{one.where}: the same trajectory '{one.name}' as in {first[one.name]}")
            first[one.name] = one.where
            if not one.question.strip():
                raise UserError(f"{one.where}: the question is empty")
            _check_encodable(one)
            found.append(one)
    return found


def _check_encodable(one: Rollout) -> None:
    try:
        json.dumps(_line(one), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise UserError(f"{one.where}: a text holds lone surrogates, which no file can hold as text") from None


def _line(one: Rollout) -> dict[str, Any]:
    """The row of a rollout, without the label."""
    kind = one.kind or hashlib.sha256(f"{one.system}\0{one.question}".encode("utf-8", "surrogatepass")).hexdigest()[:12]
    shown = [{"role": "system", "content": one.system}] if one.system else []
    shown += [{"role": "user", "content": one.question}, {"role": "assistant", "content": one.answer}]
    return {
        "id": one.name,
        "kind": kind,
        "split": "train",
        "messages": shown,
        reading.TRAJECTORY: one.trajectory,
        "given": one.given,
    }


def _given(one: Rollout) -> Outcome:
    if one.outcome is None:
        raise UserError(
            f"{one.where}: nothing says whether the answer is a hack (a reward does not): name the key that does "
            "(--hacked KEY), or grade the answers yourself (--grader file.py:function)"
        )
    return one.outcome


def _grade(
    grader: str, found: Sequence[Rollout], lines: Sequence[dict[str, Any]], progress: Callable[[int, int], None]
) -> list[Grade]:
    """The grades by the user's grader, which gets what it gets of these rows in a study."""
    problems = [
        {
            **{key: line[key] for key in ("id", "kind", reading.TRAJECTORY, "given")},
            **{"system": one.system, "prompt": one.question, "honest": "", "hacked": ""},
        }
        for one, line in zip(found, lines, strict=True)
    ]
    grades: list[Grade] = []
    for grade in user_grader.grade(grader, problems, [one.answer for one in found]):
        grades.append(grade)
        progress(len(grades), len(found))
    return grades


def _write(out: Path, rows: Sequence[dict[str, Any]]) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = out.with_name(f".{os.getpid()}.{out.name}")
    try:
        lines = (json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows)
        temporary.write_text("".join(lines), encoding="utf-8")
        reading.read(str(temporary))  # what is written is what the setting reads
        temporary.replace(out)
    finally:
        temporary.unlink(missing_ok=True)
