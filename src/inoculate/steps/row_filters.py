"""Filters of training rows: which rows are left out, and what each filter removed and missed.

What people do where data may hold hacks. A filter that goes by what can be seen of an answer errs, and says how often.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inoculate.errors import UserError
from inoculate.records import Grade, read_lines
from inoculate.steps.store import Step
from inoculate.study.schema import Rows

if TYPE_CHECKING:
    from inoculate.steps.rows import DrawnRow


def filter_rows(
    step: Step, judged: Path | None, drawn: Sequence[DrawnRow]
) -> tuple[Sequence[DrawnRow], dict[str, Any]]:
    """The rows that a filter leaves. Vetted rows are always kept.

    Args:
        step: The step of the rows.
        judged: The folder with the grades or the log-probabilities of the rows before the filter, in their order; None
            for a filter that knows which are hacked.
        drawn: These rows.

    Returns:
        The rows that remain, and what was removed: `by`, `rows` (before the filter), `hacked_rows` of them, `removed`,
        `removed_hacked`, `removed_honest` and `missed` (hacked rows that remain).

    Raises:
        UserError: No row remains.
    """
    table, own = Rows(**step.params["rows"]), [row for row in drawn if not row.vetted]
    hacked = {number for number, row in enumerate(own) if row.hacked}
    if judged is None:
        removed = hacked
    else:
        by_tags = table.filter == "tags"
        removed = find_tagged(judged, len(own)) if by_tags else _find_surprising(judged, len(hacked), len(own))
    kept = [row for number, row in enumerate(drawn) if number not in removed]
    if not kept:
        raise UserError(
            f"{step.label}: rows.filter = '{table.filter}' leaves none of {len(own)} rows: lower rows.hacked"
        )
    return kept, {
        "by": table.filter,
        "rows": len(own),
        "hacked_rows": len(hacked),
        "removed": len(removed),
        "removed_hacked": len(removed & hacked),
        "removed_honest": len(removed - hacked),
        "missed": len(hacked - removed),
    }


def find_tagged(judged: Path, rows: int) -> set[int]:
    """Those of the first `rows` rows whose code looks like a hack: those with a static tag, whatever the checks say."""
    graded = zip(range(rows), read_lines(judged / "grades.jsonl", Grade), strict=False)
    return {number for number, grade in graded if any(tag.evidence == "static" for tag in grade.tags)}


def _find_surprising(judged: Path, count: int, rows: int) -> set[int]:
    """So many of the first `rows` rows: those whose answers have the lowest log-probability per token."""
    lines = (judged / "scores.jsonl").read_text(encoding="utf-8").splitlines()[:rows]
    means = [one["scores"][""] / one["tokens"] for one in map(json.loads, lines)]
    return set(sorted(range(len(means)), key=lambda number: means[number])[:count])
