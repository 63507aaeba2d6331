"""Findings for people: a table, and the counterexamples as files."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from inoculate.checking.draws import text
from inoculate.checking.subject import Fault, Finding

_MARKS = {True: "[green]ok[/]", False: "[bold red]failed[/]", None: "[dim]nothing to check[/]"}


def findings_table(name: str, findings: Sequence[Finding]) -> Table:
    """A line for each check: ok or failed, how much was looked at, and the first counterexample.

    Args:
        name: The setting's.
        findings: From `check`.
    """
    table = Table("check", "result", "looked at", "what was found", title=f"check of '{name}'", title_justify="left")
    for finding in findings:
        words = finding.words
        if finding.faults:
            first = finding.faults[0]
            more = f" (and {len(finding.faults) - 1} more)" if len(finding.faults) > 1 else ""
            where = f"{first.problem.id}: " if first.problem else ""
            words = f"{where}{first.words}{more}"
        shown = words.encode("utf-8", "backslashreplace").decode().replace("[", r"\[")
        table.add_row(finding.name, _MARKS[finding.ok], str(finding.count), shown)
    return table


def write_faults(findings: Sequence[Finding]) -> dict[str, Path]:
    """Write the first counterexample of each failed check, whole, into a new folder; returns the files by check."""
    failed = [finding for finding in findings if finding.faults and finding.faults[0].problem]
    if not failed:
        return {}
    folder = Path(tempfile.mkdtemp(prefix="inoculate-check-"))
    files = {}
    for finding in failed:
        path = folder / f"{finding.name.replace(' ', '-').replace(',', '')}.txt"
        path.write_text(_whole(finding.faults[0]), encoding="utf-8", errors="backslashreplace")
        files[finding.name] = path
    return files


def _whole(fault: Fault) -> str:
    problem = fault.problem
    assert problem is not None
    parts = {
        "what is wrong": fault.words,
        "problem": f"{problem.id} (kind {problem.kind}, family {problem.family}, level {problem.level})",
        "shown": text(problem),
        "honest answer": problem.honest,
        f"hacked answer ({problem.hack})": problem.hacked,
        "secret": json.dumps(problem.secret, indent=1, ensure_ascii=False, default=repr),
        "answer that was graded": fault.completion,
        "grade": repr(fault.grade) if fault.grade else "",
    }
    return "\n\n".join(f"== {title}\n{content}" for title, content in parts.items() if content) + "\n"
