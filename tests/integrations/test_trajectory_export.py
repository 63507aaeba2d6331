"""Trajectories exported: what was drawn, in every format, whole or not at all."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pyarrow.parquet as pq
import pytest
from inspect_ai.log import read_eval_log

from inoculate import checksums
from inoculate.analysis.trajectories import Filter
from inoculate.errors import UserError
from inoculate.integrations import trajectories
from inoculate.integrations.trajectories import TRAJECTORIES, export_trajectories
from inoculate.records import Trajectory, read_lines, write_lines
from rl_run import drawn, exported, some_problems, write_run

HACKS = Filter(outcomes=("hack",), first_step=1)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write_run(tmp_path / "store")


def expected(run: Path, keep: Filter = HACKS) -> list[dict[str, Any]]:
    """What the run's own files hold of what is kept."""
    problems = {problem.id: problem for problem in some_problems()}
    return [
        exported(arm, seed, one, problems[one.problem])
        for arm, seed in (("reinforced", 0), ("reinforced", 1), ("told", 0))
        for one in read_lines(run.parents[1] / f"{arm}-{seed}" / "trajectories.jsonl", Trajectory)
        if keep == Filter() or (one.outcome == "hack" and one.step > 0)
    ]


@pytest.mark.parametrize("keep", [Filter(), HACKS])
def test_json_lines_hold_what_was_drawn(run: Path, tmp_path: Path, keep: Filter) -> None:
    written = export_trajectories(run, tmp_path / "new" / "all.jsonl", keep)
    lines = [json.loads(line) for line in (tmp_path / "new" / "all.jsonl").open(encoding="utf-8")]
    assert lines == expected(run, keep)
    assert list(lines[0]) == TRAJECTORIES.names
    assert (written.count, written.left["all"], written.unfinished) == (len(lines), 216, ["told, seed 1"])


def test_parquet_holds_the_same(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trajectories, "_BATCH", 7)
    told: list[int] = []
    export_trajectories(run, tmp_path / "some.parquet", HACKS, told.append)
    table = pq.read_table(tmp_path / "some.parquet")
    assert table.schema == TRAJECTORIES
    assert table.to_pylist() == expected(run)
    assert told == [*range(7, len(expected(run)) + 1, 7)]


def test_a_log_holds_the_same(run: Path, tmp_path: Path) -> None:
    export_trajectories(run, tmp_path / "all.eval", Filter())
    log = read_eval_log(str(tmp_path / "all.eval"))
    lines = expected(run, Filter())
    assert log.samples is not None and log.results is not None
    by_name = {sample.id: sample for sample in log.samples}
    assert len(by_name) == len(lines)
    for line in lines:
        name = f"{line['arm']}/seed-{line['seed']}/step-{line['step']}/{line['problem']}/{line['index']}"
        sample = by_name[name]
        assert [message.text for message in sample.messages] == [line["prompt"], line["completion"]]
        assert sample.metadata == {key: line[key] for key in line if key not in ("prompt", "completion")}
        assert sample.output.stop_reason == ("stop" if line["finish"] == "stop" else "max_tokens")
    graded = [line for line in lines if line["outcome"] != "ungraded"]
    outcome, reward = log.results.scores
    assert (outcome.scored_samples, outcome.unscored_samples) == (len(graded), len(lines) - len(graded))
    hacks = sum(line["outcome"] == "hack" for line in graded) / len(graded)
    assert outcome.metrics["hack"].value == pytest.approx(hacks)
    assert reward.metrics["mean"].value == pytest.approx(sum(line["reward"] for line in graded) / len(graded))


@pytest.mark.parametrize("ending", trajectories.ENDINGS)
def test_a_filter_that_keeps_nothing_leaves_no_file(run: Path, tmp_path: Path, ending: str) -> None:
    with pytest.raises(UserError, match=r"no trajectory is left \(all: 216, outcome hack: \d+, tag 'none': 0\)"):
        export_trajectories(run, tmp_path / f"none{ending}", Filter(outcomes=("hack",), tags=("none",)))
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


def test_bad_targets_are_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"the ending '\.json' is no format: did you mean '\.jsonl'"):
        export_trajectories(run, tmp_path / "all.json", Filter())
    (tmp_path / "all.jsonl").write_text("mine")
    with pytest.raises(UserError, match="is there already"):
        export_trajectories(run, tmp_path / "all.jsonl", Filter())
    with pytest.raises(UserError, match="finished trajectories of an arm 'tolt': did you mean 'told'"):
        export_trajectories(run, tmp_path / "new.jsonl", Filter(arms=("tolt",)))


def add_fresh(run: Path, arms: dict[str, tuple[str, str, int]]) -> None:
    """Give a run arms that take rows from fresh samples: arm -> folder, own prompt, and how many samples it holds."""
    manifest = json.loads((run / "manifest.json").read_text())
    store = run.parents[1]
    (store / "steps" / "rows" / "r").mkdir(parents=True)
    write_lines(store / "steps" / "rows" / "r" / "problems.jsonl", some_problems())
    checksums.write(store / "steps" / "rows" / "r")
    for arm, (name, text, count) in arms.items():
        folder = store / "steps" / "fresh-samples" / name
        if count:
            folder.mkdir(parents=True, exist_ok=True)
            lines = [drawn(some_problems()[0], 3, index, Random(name)) for index in range(count)]
            write_lines(folder / "trajectories.jsonl", lines)
            (folder / "step.json").write_text(json.dumps({"inputs": {"rows": "rows/r", "trained": "rl/t"}}))
            checksums.write(folder)
        source = {"arm": "reinforced", "samples": 4} | ({"text": text} if text else {})
        manifest["study"]["arms"][arm] = {"rows": {"trajectories": source}}
        entry = {"arm": arm, "seed": 0, "rows": None, "fresh_samples": str(folder) if count else None}
        manifest["training"].append(entry)
    (run / "manifest.json").write_text(json.dumps(manifest))


def test_fresh_samples_are_exported_once_each(run: Path, tmp_path: Path) -> None:
    add_fresh(
        run, {"none": ("a", "", 5), "general": ("a", "", 5), "forbidden": ("b", "Do not.", 3), "late": ("c", "", 0)}
    )
    written = export_trajectories(run, tmp_path / "fresh.jsonl", Filter(), fresh=True)
    lines = [json.loads(line) for line in (tmp_path / "fresh.jsonl").open(encoding="utf-8")]
    assert Counter(line["arm"] for line in lines) == {"reinforced": 5, "reinforced for forbidden": 3}
    assert {line["setting"] for line in lines} == {"mathematics"} and {line["step"] for line in lines} == {3}
    assert (written.count, written.unfinished) == (8, ["late, seed 0"])
    export_trajectories(run, tmp_path / "told.parquet", Filter(arms=("reinforced for forbidden",)), fresh=True)
    assert pq.read_table(tmp_path / "told.parquet").num_rows == 3


def test_a_run_without_fresh_samples_says_so(run: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no fresh samples: .*--trajectories"):
        export_trajectories(run, tmp_path / "fresh.jsonl", Filter(), fresh=True)
