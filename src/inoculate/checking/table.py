"""The results of checks as a table, and counterexamples as files."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from inoculate.checking.draws import shown_text
from inoculate.checking.subject import Fault, Finding

_RESULTS = {True: "[green]ok[/]", False: "[bold red]failed[/]", None: "[dim]nothing to check[/]"}


def findings_table(name: str, findings: Sequence[Finding]) -> Table:
    """A row for each check: ok or failed, how much was checked, and the first counterexample.

    Args:
        name: The setting's.
        findings: From `check`.
    """
    table = Table("check", "result", "checked", "what was found", title=f"check of '{name}'", title_justify="left")
    for finding in findings:
        note = finding.unmade or finding.caution or finding.note
        if finding.faults:
            first = finding.faults[0]
            more = f" (and {len(finding.faults) - 1} more)" if len(finding.faults) > 1 else ""
            where = f"{first.problem.id}: " if first.problem else ""
            note = f"{where}{first.message}{more}"
        escaped = note.encode("utf-8", "backslashreplace").decode().replace("[", r"\[")
        result = "[yellow]look at it[/]" if finding.caution and not finding.faults else _RESULTS[finding.ok]
        result = "[yellow]not made[/]" if finding.unmade else result
        table.add_row(finding.name, result, str(finding.count), escaped)
    return table


def write_faults(findings: Sequence[Finding]) -> dict[str, Path]:
    """Write the first counterexample of each failed check in full into a new folder; returns the files by check."""
    failed = [finding for finding in findings if finding.faults and finding.faults[0].problem]
    if not failed:
        return {}
    folder = Path(tempfile.mkdtemp(prefix="inoculate-check-"))
    files = {}
    for finding in failed:
        path = folder / f"{finding.name.replace(' ', '-').replace(',', '')}.txt"
        path.write_text(_format_fault(finding.faults[0]), encoding="utf-8", errors="backslashreplace")
        files[finding.name] = path
    return files


def _format_fault(fault: Fault) -> str:
    problem = fault.problem
    assert problem is not None
    parts = {
        "what is wrong": fault.message,
        "problem": f"{problem.id} (kind {problem.kind}, family {problem.family}, level {problem.level})",
        "shown": shown_text(problem),
        "honest answer": problem.honest,
        f"hacked answer ({problem.hack})": problem.hacked,
        "secret": json.dumps(problem.secret, indent=1, ensure_ascii=False, default=repr),
        "answer that was graded": fault.completion,
        "grade": repr(fault.grade) if fault.grade else "",
    }
    return "\n\n".join(f"== {title}\n{content}" for title, content in parts.items() if content) + "\n"
