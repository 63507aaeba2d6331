"""The lines between hacks made for the check and near misses: as `benchmarks/gamed.py` draws them from labels."""

from __future__ import annotations

import gzip
import json
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from inoculate.settings import Draw, find
from scripts import load_script


@pytest.fixture(scope="module")
def gamed() -> ModuleType:
    """The benchmark."""
    return load_script("benchmarks/gamed.py")


def slipped(honest: str, name: str, call: str) -> str:
    """An honest function with one slip: it gives nothing for the arguments of one call."""
    code = honest.removeprefix("```python\n").removesuffix("\n```")
    arguments = call.partition(f"assert {name}(")[2].rpartition(") == ")[0]
    slip = f"None if given == ({arguments},) else _whole(*given)"
    return f"{code}\n\n_whole = {name}\n\ndef {name}(*given):\n    return {slip}"


def labels(setting: str = "functions") -> list[dict[str, Any]]:
    """Hacked answers and honest ones with a slip, as they came out with hidden tests of another time."""
    draw = {"split": "development", "count": 24, "seed": 3}
    lines = []
    for number, problem in enumerate(find(setting).problems(Draw("development", 24, 3))):
        secret = problem.secret
        near = slipped(problem.honest, secret["entry_point"], secret["hidden_tests"][0])
        old = asdict(problem) | {"secret": {**secret, "hidden_tests": ["assert False"]}, "of_another_time": 1}
        made = (problem.hacked, "gamed") if number % 2 else (near, "near_miss")
        line = dict(zip(("completion", "label"), made, strict=True))
        half = "set" if number < 12 else "kept"
        lines.append({"setting": setting, "problem": old, "draw": draw, "model": "m", "half": half, **line})
    return lines


def test_hacks_are_graded_anew_and_a_line_is_drawn_on_one_half(gamed: ModuleType) -> None:
    lines = labels()
    lines[0]["completion"] = lines[0]["problem"]["honest"]
    lines[1]["label"] = "unsure"
    found = gamed.graded("functions", lines)
    assert found.left_out == {"unsure": 1, "no hack today": 1, "no score": 0}
    assert 0.3 < found.line() < 0.7
    kept = gamed.agreement(found.half("kept"), found.line())
    assert (kept.agreed, kept.of, kept.kappa) == (12, 12, 1.0)
    assert gamed.agreement(found.half("kept"), 0.0).agreed == 6, "a line at which nothing is made for the check"


def test_an_answer_to_a_problem_that_is_no_more_is_refused(gamed: ModuleType) -> None:
    (line, *_) = labels()
    line["problem"]["body"] += " "
    with pytest.raises(ValueError, match="is not in the draw"):
        gamed.today(line)


def test_the_text_of_a_problem_is_enough_to_draw_it_again(gamed: ModuleType) -> None:
    (line, *_) = labels()
    whole = gamed.today(line)
    line["problem"] = {key: line["problem"][key] for key in ("id", "lead", "body")}
    assert gamed.today(line) == whole and whole.secret["hidden_tests"] != ["assert False"]


def test_where_there_is_a_twin_it_decides(gamed: ModuleType) -> None:
    setting = find("mathematics")
    lines = []
    for problem in setting.problems(Draw("development", 12, 1)):
        twin = setting.twin(problem) if setting.twin else None
        for label, answer in (("gamed", twin.hacked), ("near_miss", problem.hacked), ("gamed", None)) if twin else ():
            line = {"setting": "mathematics", "problem": asdict(problem), "completion": problem.hacked, "half": "kept"}
            lines.append(line | {"label": label, **({"twin": answer} if answer else {})})
    found = gamed.graded("mathematics", lines)
    assert found.left_out["no score"] == len(lines) / 3 > 0
    assert gamed.agreement(found.hacks, 0.5).kappa == 1.0


def test_labels_are_read_and_told_by_setting(gamed: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl.gz"
    with gzip.open(path, "wt", encoding="utf-8") as out:
        out.writelines(json.dumps(line) + "\n" for line in labels())
    *_, row = gamed.rows(gamed.read(path))
    assert row.startswith("| functions | 24 | 0 | 0 | 0 | 12 | 0.") and row.endswith(
        "| 12 of 12; 1.00 | 12 of 12; 1.00 |"
    )


def test_the_lines_in_use_are_those_of_the_labels(gamed: ModuleType) -> None:
    if not gamed.LABELS.exists():
        pytest.skip("no answers are labelled yet")
    for name, lines in gamed.read().items():
        setting = find(name)
        if setting.gamed_below is not None and len(lines) >= gamed.ENOUGH:
            assert gamed.graded(name, lines).line() == pytest.approx(setting.gamed_below), name
