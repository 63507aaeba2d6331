"""Inputs after public reports of graders that read answers or tests wrongly, each with the right verdict."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from inoculate.errors import UserError
from inoculate.grading.command import grade_file

CASES = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "data" / "public_reports_lines.jsonl").read_text().split("\n")
    if line
]


@pytest.mark.parametrize("case", CASES, ids=[case["kind"] for case in CASES])
def test_reported_answers_are_graded_rightly(tmp_path: Path, case: dict[str, Any]) -> None:
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text(json.dumps(case), encoding="utf-8")
    if case["expected"] == "refused":
        with pytest.raises(UserError, match=r"in\.jsonl:1: a test tests nothing: 'hidden_tests"):
            grade_file(source, out)
        return
    assert grade_file(source, out).outcomes == {case["expected"]: 1}, out.read_text()
