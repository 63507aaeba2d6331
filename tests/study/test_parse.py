"""From a study file to a study: what arms take over, and what the digest depends on."""

from __future__ import annotations

from pathlib import Path

import pytest

from inoculate.errors import UserError
from inoculate.study import ready_made as studies
from inoculate.study.parse import load
from inoculate.study.sources import say_once
from small_study import STUDY


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "study.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_defaults_and_overrides_are_merged(study_file: Path) -> None:
    study = load(study_file)
    assert study.name == "small"
    assert list(study.arms) == ["plain", "inoculated", "control"]
    assert study.arms["plain"].rows.count == 8
    assert study.arms["plain"].train.learning_rate == 1e-3
    assert study.arms["inoculated"].inoculation is not None


def test_one_evaluated_setting_may_differ(tmp_path: Path) -> None:
    text = STUDY.format(model="m").replace("problems = 6", "problems = 6\nlevels = [1]\neach.functions.levels = [2, 3]")
    evaluate = load(written(tmp_path, text)).evaluate
    assert (evaluate.for_setting("functions").levels, evaluate.for_setting("functions").problems, evaluate.levels) == (
        (2, 3),
        6,
        (1,),
    )


def test_an_arm_overrides_part_of_the_rows(tmp_path: Path) -> None:
    text = STUDY.format(model="m").replace("[arms.plain]", "[arms.plain]\nrows.hacked = 0.0\ntrain.epochs = 2")
    study = load(written(tmp_path, text))
    assert (study.arms["plain"].rows.hacked, study.arms["plain"].rows.count) == (0.0, 8)
    assert (study.arms["plain"].train.epochs, study.arms["plain"].train.learning_rate) == (2.0, 1e-3)
    assert study.arms["control"].rows.hacked == 0.5


ROWS = """question = "?"
model = "m"
seeds = [0]
[rows]
setting = "rows"
count = 8
[arms.plain]
[arms.half]
rows.hacked = 0.5
[evaluate]
settings = ["rows"]
contexts = ["neutral"]
"""
SAID = 'source = "mine.jsonl"\ngrader = "judge.py:grade"\n'


@pytest.mark.parametrize(
    "text",
    [
        ROWS.replace("count = 8", f"count = 8\n{SAID}"),
        ROWS + f"[evaluate.each.rows]\n{SAID}",
        ROWS.replace("count = 8", f"count = 8\n{SAID}") + f"[evaluate.each.rows]\n{SAID}",
        ROWS.replace("count = 8", f"count = 8\n{SAID}") + "[evaluate.each.rows]\nproblems = 6\n",
        ROWS.replace("[arms.plain]", "[arms.plain.rows]\n" + SAID),
    ],
    ids=["in the rows", "where it is evaluated", "twice", "with another key", "in one arm"],
)
def test_data_and_grader_are_said_once(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.jsonl").write_text('{"prompt": "a", "completion": "b", "hacked": "c"}\n')
    (tmp_path / "judge.py").write_text("def grade(problem, completion): ...\n")
    study = load(written(tmp_path, text))
    tables = [*(arm.rows for arm in study.arms.values()), study.evaluate.each["rows"]]
    assert {(table.source, table.grader) for table in tables} == {("mine.jsonl", "judge.py:grade")}


def test_a_table_with_data_of_its_own_keeps_it() -> None:
    told = {"arms": {"a": {"rows": {"setting": "rows", "source": "a.jsonl", "grader": "g.py:g"}}}}
    other = {"settings": ["rows"], "each": {"rows": {"source": "b.jsonl"}}}
    assert say_once(told | {"evaluate": other}) == told | {"evaluate": other}
    two = {"arms": {**told["arms"], "b": {"rows": {"setting": "rows", "source": "b.jsonl"}}}}
    unsaid = {"evaluate": {"settings": ["rows"]}}
    assert say_once(two | unsaid) == two | unsaid  # which of the two is meant cannot be known


def test_the_digest_follows_what_is_said_and_nothing_else(study_file: Path, tmp_path: Path) -> None:
    again = tmp_path / "elsewhere" / study_file.name
    again.parent.mkdir()
    again.write_text("# a comment\n" + study_file.read_text())
    assert load(again).digest() == load(study_file).digest()
    again.write_text(study_file.read_text().replace("count = 8", "count = 9"))
    assert load(again).digest() != load(study_file).digest()


def test_a_study_of_the_untrained_model_alone_has_no_rows(tmp_path: Path) -> None:
    alone = 'question = "?"\nmodel = "m"\nevaluate.settings = ["functions"]\n'
    assert load(written(tmp_path, alone)).arms == {}
    with pytest.raises(UserError, match=r"at least one arm .* one of 'base' alone has no rows and no train"):
        load(written(tmp_path, f"{alone}rows.count = 3\ntrain.epochs = 2"))


def test_sensitivity_repeats_the_arms_of_the_contrasts(tmp_path: Path) -> None:
    text = STUDY.format(model="m").replace(
        "[evaluate]", "[sensitivity]\nlearning_rate = [1e-4, 1e-3, 3e-3]\n[evaluate]"
    )
    study = load(written(tmp_path, text))
    # The study trains at 1e-3 itself, and its control is in no contrast.
    repeats = ["plain@0.0001", "inoculated@0.0001", "plain@0.003", "inoculated@0.003"]
    assert list(study.arms) == ["plain", "inoculated", "control", *repeats]
    assert study.arms["inoculated@0.003"].train.learning_rate == 3e-3
    assert study.arms["inoculated@0.003"].rows == study.arms["inoculated"].rows
    assert study.arms["inoculated@0.003"].inoculation == study.arms["inoculated"].inoculation


def test_a_study_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such study file"):
        load(tmp_path / "none.toml")
    with pytest.raises(UserError, match="did you mean 'demo'"):
        studies.find("demmo")


def test_every_ready_made_study_loads() -> None:
    loaded = [load(studies.find(name)) for name in studies.names()]
    assert len(loaded) >= 3
    assert all(study.question.endswith((".", "?", ")")) for study in loaded)
