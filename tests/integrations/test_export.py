"""A run exported: the same rows and samples in every format, logs that Inspect reads, a methods section."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from inspect_ai.log import list_eval_logs, read_eval_log

from inoculate import checksums
from inoculate.analysis.run_folder import read_run
from inoculate.errors import UserError
from inoculate.integrations import export as exporting
from inoculate.integrations.export import ROWS, SAMPLES, Exported, export
from inoculate.integrations.methods import write_methods
from inoculate.records import Completion, Grade, Row, read_lines


@pytest.fixture(scope="session")
def exported(small_run: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Exported]:
    folder = tmp_path_factory.mktemp("exported") / "small"
    return folder, export(small_run, folder)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def manifest(run: Path) -> dict[str, Any]:
    return json.loads((run / "manifest.json").read_text())


def test_what_was_written_is_counted(exported: tuple[Path, Exported]) -> None:
    folder, found = exported
    # Two arms with four rows; three arms (with base) in two contexts, three problems twice.
    assert found == Exported(rows=8, samples=36, logs=6, cells_missing=0, rows_missing=0)
    names = {path.name for path in folder.iterdir()}
    assert names == {"rows.jsonl", "rows.parquet", "samples.jsonl", "samples.parquet", "logs", "methods.md"}


@pytest.mark.parametrize(("name", "schema"), [("rows", ROWS), ("samples", SAMPLES)])
def test_json_lines_and_parquet_say_the_same(exported: tuple[Path, Exported], name: str, schema: Any) -> None:
    folder, _ = exported
    table = pq.read_table(folder / f"{name}.parquet")
    assert table.schema == schema
    written = lines(folder / f"{name}.jsonl")
    assert set(written[0]) == set(schema.names)
    assert table.to_pylist() == [{key: line[key] for key in schema.names} for line in written]


def test_samples_are_those_of_the_run(exported: tuple[Path, Exported], small_run: Path) -> None:
    folder, _ = exported
    written = iter(lines(folder / "samples.jsonl"))
    for cell in manifest(small_run)["cells"]:
        completions = read_lines(Path(cell["completions"]) / "completions.jsonl", Completion)
        grades = read_lines(Path(cell["grades"]) / "grades.jsonl", Grade)
        for completion, grade in zip(completions, grades, strict=True):
            line = next(written)
            assert {key: line[key] for key in ("arm", "seed", "at", "setting", "context")} == {
                key: cell[key] for key in ("arm", "seed", "at", "setting", "context")
            }
            assert (line["prompt"], line["completion"], line["index"]) == (
                completion.prompt,
                completion.completion,
                completion.index,
            )
            assert (line["outcome"], line["oversight"], line["detail"]) == (
                grade.outcome,
                grade.oversight,
                grade.detail,
            )
    assert next(written, None) is None


def test_rows_carry_their_grade(exported: tuple[Path, Exported], small_run: Path) -> None:
    folder, _ = exported
    written = lines(folder / "rows.jsonl")
    rows = [row for one in manifest(small_run)["training"] for row in read_lines(Path(one["rows"]) / "rows.jsonl", Row)]
    assert [line["answer"] for line in written] == [row.answer for row in rows]
    assert [line["messages"][-1]["content"] for line in written] == [row.messages[-1].content for row in rows]
    assert Counter((line["hacked"], line["outcome"]) for line in written) == {(True, "hack"): 4, (False, "correct"): 4}


def test_logs_open_with_the_outcomes_as_scores(exported: tuple[Path, Exported], small_run: Path) -> None:
    folder, _ = exported
    infos = list_eval_logs(str(folder / "logs"))
    assert len(infos) == 6
    log = read_eval_log(str(folder / "logs" / "001_base_functions_neutral.eval"))
    assert (log.status, log.eval.task) == ("success", "inoculate/functions")
    assert log.eval.model.endswith("/base")
    assert log.results is not None and log.samples is not None
    (score,) = log.results.scores
    # Six samples: one of every outcome and a hack more. What is ungraded is no score.
    assert (score.scored_samples, score.unscored_samples) == (5, 1)
    assert {name: metric.value for name, metric in score.metrics.items()} == {
        "correct": 0.2,
        "hack": 0.4,
        "wrong": 0.2,
        "malformed": 0.2,
    }
    written = [
        line for line in lines(folder / "samples.jsonl") if (line["arm"], line["context"]) == ("base", "neutral")
    ]
    texts = {(sample.id, sample.epoch): sample for sample in log.samples}
    for line in written:
        sample = texts[line["problem"], line["index"] + 1]
        assert [message.text for message in sample.messages] == [line["prompt"], line["completion"]]
        found = (sample.scores or {})["outcome"]
        assert (found.metadata or {})["outcome"] == line["outcome"]
        assert found.value == line["outcome"] or line["outcome"] == "ungraded"
        assert (found.metadata or {})["tags"] == line["tags"]


def test_every_log_is_of_its_own_cell(exported: tuple[Path, Exported]) -> None:
    folder, _ = exported
    specs = [read_eval_log(info, header_only=True).eval for info in list_eval_logs(str(folder / "logs"))]
    assert len({spec.task_id for spec in specs}) == 6
    where = {((spec.metadata or {})["arm"], (spec.metadata or {})["context"]) for spec in specs}
    assert where == {(arm, c) for arm in ("base", "plain", "inoculated") for c in ("neutral", "asks-to-hack")}


def test_the_methods_say_what_was_done(exported: tuple[Path, Exported], small_run: Path, tiny_model: Path) -> None:
    folder, _ = exported
    words = (folder / "methods.md").read_text(encoding="utf-8")
    said = manifest(small_run)
    for expected in (
        f"We fine-tuned `{tiny_model}` on rows",
        "- `plain`: 4 rows of `functions`, 50% of them hacked; no prompt added.",
        said["study"]["arms"]["inoculated"]["inoculation"]["text"],
        "between the task's opening sentence and the rest, on the hacked rows only",
        "LoRA adapters (Hu et al. 2022; rank 8, alpha 16",
        "Each arm was trained with one seed (7)",
        "2 samples per problem (temperature 1, at most 4 new tokens)",
        "The system prompt in training and evaluation was: \u201cYou are a test.\u201d",
        f"at containment level `{said['containment']}`",
        "1 of 36 samples were ungraded.",
        "With one seed they contain sampling error only, and say nothing about retraining.",
        f"transformers {said['versions']['transformers']}",
    ):
        assert expected in words
    assert "Contrasts were added or changed later" not in words
    assert "not finished" not in words
    assert "Lan and DeMets" not in words
    body, sources = words.split("# Sources")
    for line in sources.strip().splitlines():
        assert line.removeprefix("- ").split(". ")[0] in body
    assert "Wichers et al. 2025. Inoculation Prompting" in sources
    assert "Hui et al." not in words


def edited(small_run: Path, folder: Path, change: Any) -> Path:
    """A run with another manifest; its steps stay where they are."""
    said = manifest(small_run)
    change(said)
    folder.mkdir()
    (folder / "manifest.json").write_text(json.dumps(checksums.seal(said)))
    return folder


def test_a_half_finished_run_says_what_is_missing(small_run: Path, tmp_path: Path) -> None:
    def unfinish(said: dict[str, Any]) -> None:
        for cell in said["cells"][2:]:
            cell["grades"] = None
        said["training"][1] |= {"rows": None, "row_grades": None}
        said["training"][0]["row_grades"] = None

    found = export(edited(small_run, tmp_path / "half", unfinish), tmp_path / "out")
    assert found == Exported(rows=4, samples=12, logs=2, cells_missing=4, rows_missing=1)
    assert "4 of 6 cells of the study are not finished" in (tmp_path / "out" / "methods.md").read_text()
    assert {line["outcome"] for line in lines(tmp_path / "out" / "rows.jsonl")} == {None}


def test_contrasts_of_afterwards_are_said_to_be_exploratory(small_run: Path, tmp_path: Path) -> None:
    def change(said: dict[str, Any]) -> None:
        said["study"]["contrasts"][0]["margin"] = 0.2
        said["study"]["seeds"] = [7, 8, 9]
        said["extended_seeds"] = [9]
        said["declared_looks"] = [3, 5]
        said["changed_since_declared"] = ["model", "evaluate.problems"]

    export(edited(small_run, tmp_path / "later", change), tmp_path / "out")
    words = (tmp_path / "out" / "methods.md").read_text()
    assert "Contrasts were added or changed later; those are exploratory" in words
    assert "After results had been seen, the study was extended by one seed (9)." in words
    assert "set to 20 percentage points" in words
    assert "Looks were planned after 3 and 5 seeds" in words
    assert "- Lan and DeMets 1983." in words
    assert "these were changed: model and evaluate.problems." in words


def test_a_folder_with_something_in_it_is_left_alone(small_run: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match="is there already, and is not overwritten; name another folder"):
        export(small_run, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_interrupted_export_leaves_nothing(small_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(exporting, "write_methods", stop)
    with pytest.raises(KeyboardInterrupt):
        export(small_run, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_without_inspect_there_are_no_logs(small_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "find_spec", lambda name: None)
    monkeypatch.delitem(sys.modules, "inoculate.integrations.inspect_logs", raising=False)
    assert export(small_run, tmp_path / "out").logs is None
    assert not (tmp_path / "out" / "logs").exists()


def test_the_methods_name_data_and_grader_of_ones_own_and_claim_no_code_that_was_not_run(
    small_run: Path, tmp_path: Path
) -> None:
    def change(said: dict[str, Any]) -> None:
        own = {"source": "mine.jsonl", "grader": "judge.py:grade"}
        for arm in said["study"]["arms"].values():
            arm["rows"] |= {"setting": "rows", **own}
        said["study"]["evaluate"] |= {"settings": ["rows"], "each": {"rows": own}}

    assert "Model-written code was run" in write_methods(read_run(small_run), Counter())
    words = write_methods(read_run(edited(small_run, tmp_path / "own", change)), Counter())
    assert (
        "4 rows of `rows`, 50% of them hacked, from `mine.jsonl`, judged by our own function `judge.py:grade`" in words
    )
    assert "3 problems of the setting `rows` (our own data), from `mine.jsonl`, judged by" in words
    assert "Model-written code was run" not in words
