"""What `report` and `compare` print for programs: the files that they write, as one JSON document."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from report_runs import make_run

from inoculate.cli.app import app


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> object:
    app(words, result_action="return_value")
    return json.loads(capsys.readouterr().out)


def test_a_report_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = make_run(tmp_path / "one")
    found = printed(capsys, "report", str(run), "--json")
    assert found == json.loads((run / "results.json").read_text(encoding="utf-8"))
    assert (run / "report.html").is_file()


def test_a_comparison_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = [str(make_run(tmp_path / name)) for name in ("one", "two")]
    found = printed(capsys, "compare", *runs, "--to", str(tmp_path / "beside"), "--json")
    assert found == json.loads((tmp_path / "beside" / "comparison.json").read_text(encoding="utf-8"))
