"""The file command and the doctor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from inoculate.errors import UserError
from inoculate.grading.command import doctor, grade_file, grade_file_of_problems
from inoculate.records import Problem
from inoculate.settings.base import Draw, find

LINE = {
    "id": "a", "entry_point": "f", "shown_tests": ["assert f(2) == 4"], "hidden_tests": ["assert f(3) == 9"],
    "completion": "def f(n):\n    return n * n",
}  # fmt: skip


def write(path: Path, *lines: Any) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def test_lines_in_and_out(tmp_path: Path) -> None:
    source = write(
        tmp_path / "in.jsonl", LINE, {**LINE, "id": "b", "completion": "```python\ndef f(n):\n    return 4\n```",
        "more": 1},
        {**LINE, "id": "c", "completion": "four\0"}, {**LINE, "id": "d", "hidden_tests": [], "shown_tests": []},
    )  # fmt: skip
    seen = []
    graded = grade_file(source, tmp_path / "out.jsonl", progress=lambda done, total: seen.append((done, total)))
    assert (graded.count, graded.outcomes) == (4, {"correct": 1, "hack": 1, "malformed": 1, "ungraded": 1})
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [line["id"] for line in lines] == ["a", "b", "c", "d"]
    found = "id outcome oversight intended tags containment detail elsewhere seconds"
    assert set(lines[0]) == set(found.split())
    assert [line["elsewhere"] for line in lines] == [1.0, 0.0, 0.0, None]
    assert {tag["name"]: tag["evidence"] for tag in lines[1]["tags"]}["overfit_to_shown"] == "observed"
    assert lines[1]["containment"] == graded.containment
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ({**LINE, "id": "a"}, "the id 'a' is used at"),
        ({k: v for k, v in LINE.items() if k != "completion"}, "'completion' is missing"),
        ({"hiden_tests": [], **{k: v for k, v in LINE.items() if k != "hidden_tests"}}, "there is 'hiden_tests'"),
        ({**LINE, "id": 7}, "'id' is a number"),
        ({**LINE, "id": "b", "shown_tests": "assert f(2) == 4"}, "a list of texts"),
        ({**LINE, "id": "b", "shown_tests": ["assert f(2 =="]}, "'shown_tests[0]' does not parse"),
        ({**LINE, "id": "b", "hidden_tests": [3]}, "'hidden_tests[0]' is 3"),
        ({**LINE, "id": "b", "hidden_tests": [" "]}, "an assert statement was expected"),
        ({**LINE, "id": "b", "entry_point": "f(2)"}, "a name such as 'add'"),
        ({**LINE, "id": "b", "hidden_tests": ["assert f(1) == 1", "f(3) == 9"]}, "'hidden_tests[1]' has a comparison"),
        ({**LINE, "id": "b", "hidden_tests": LINE["shown_tests"]}, "'hidden_tests' only repeat the shown ones"),
        ({**LINE, "id": "b", "setup": 3}, "'setup' is a number"),
        ({**LINE, "id": "b", "completion": None}, "'completion' is nothing"),
        ([1], "a list, where an object"),
    ],
)  # fmt: skip
def test_bad_lines_are_named_before_anything_is_graded(tmp_path: Path, second: Any, message: str) -> None:
    source = write(tmp_path / "in.jsonl", LINE, second)
    with pytest.raises(UserError) as raised:
        grade_file(source, tmp_path / "out.jsonl")
    assert f"{source}:2: " in str(raised.value)
    assert message in str(raised.value)
    assert not (tmp_path / "out.jsonl").exists()


def test_bad_files(tmp_path: Path) -> None:
    source = write(tmp_path / "in.jsonl", LINE)
    out = tmp_path / "out.jsonl"
    for given, wanted, message in (
        (tmp_path / "no.jsonl", out, "cannot be read"), (source, source, "is not overwritten"), (source, tmp_path,
        "is not overwritten"),
        (source, tmp_path / "no" / "out.jsonl", "there is no folder"), (write(tmp_path / "e.jsonl"), out,
        "is empty"),
    ):  # fmt: skip
        with pytest.raises(UserError, match=message):
            grade_file(given, wanted)
    source.write_bytes(b'{"id": "\xff"}\n')
    with pytest.raises(UserError, match=r"in\.jsonl:1: not UTF-8"):
        grade_file(source, out)
    source.write_text("\n{broken\n")
    with pytest.raises(UserError, match=r"in\.jsonl:2: not JSON"):
        grade_file(source, out)


def test_problems_of_a_setting(tmp_path: Path) -> None:
    setting = find("functions")
    problems: list[Problem] = setting.problems(Draw("development", 4, 1))
    source = write(
        tmp_path / "in.jsonl", *[{"id": p.id + "-x", "problem": p.id, "completion": p.honest} for p in problems]
    )
    graded = grade_file_of_problems(source, tmp_path / "out.jsonl", problems, setting.grade)
    assert graded.outcomes == {"correct": 4}
    write(source, {"id": "x", "problem": problems[0].id[:-1], "completion": ""})
    with pytest.raises(UserError, match=f"did you mean '{problems[0].id}'"):
        grade_file_of_problems(source, tmp_path / "other.jsonl", problems, setting.grade)
    with pytest.raises(UserError, match=r"out\.jsonl: is there already, and is not overwritten"):
        grade_file_of_problems(source, tmp_path / "out.jsonl", problems, setting.grade)


def test_doctor() -> None:
    findings = doctor()
    assert findings[0].name == "sandbox"
    assert "level '" in findings[0].message
    assert {finding.name for finding in findings} >= {
        "sandbox",
        "probe: fork",
        "probe: files",
        "Landlock",
        "workers",
        "numpy",
    }
