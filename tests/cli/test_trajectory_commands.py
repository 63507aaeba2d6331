"""`export --trajectories` and `rows` as a user meets them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from inoculate.cli.app import app, run_command
from rl_run import write_run


def inoculate(*words: str) -> int:
    return run_command(lambda: app(words, exit_on_error=False, print_error=False, result_action="return_value"))


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INOCULATE_STORE", str(tmp_path / "store"))
    write_run(tmp_path / "store")
    return tmp_path / "store"


def test_trajectories_go_out_and_come_in_as_rows(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        inoculate("export", "by-rl", "--trajectories", "some.jsonl", "--where", "steps=1- graded=yes", "--seeds", "0")
        == 0
    )
    said = capsys.readouterr().out
    count = len(Path("some.jsonl").read_bytes().splitlines())
    assert f"some.jsonl: {count} of 216 trajectories\n- seed 0: 144 left\n- from step 1: 108 left\n" in said
    assert f"- graded: {count} left\nnot there yet: told, seed 1" in said
    assert inoculate("rows", "some.jsonl", "--out", "rows.jsonl") == 0
    said = capsys.readouterr().out
    assert f"honest) of {count} rollouts\nleft out: " in said and " wrong" in said
    assert inoculate("rows", "some.jsonl", "--out", "again.jsonl", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["rows"] == shown["hacked"] + shown["honest"] == len(Path("rows.jsonl").read_bytes().splitlines())
    assert shown["rows"] + sum(shown["left_out"].values()) == count
    assert inoculate("export", "by-rl", "--trajectories", "all.jsonl", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown == {"file": "all.jsonl", "count": 216, "left": {"all": 216}, "unfinished": ["told, seed 1"]}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["export", "by-rl", "--trajectories", "x.jsonl", "--where", "outcome=hack tag=no"], "tag 'no': 0)"),
        (["export", "by-rl", "--trajectories", "x.jsonl", "--where", "outcme=hack"], "did you mean 'outcome'?"),
        (["export", "by-rl", "--trajectories", "x.jsonl", "--seeds", "7"], "the study has no seed 7"),
        (["export", "by-rl", "--trajectories", "x.jsonl", "--machine", "m"], "--machine belongs to --graded"),
        (["export", "by-rl", "--trajectories", "x.jsonl", "--to", "x"], "give one of --to FOLDER"),
        (["export", "by-rl", "--to", "x", "--where", "steps=1"], "--where belongs to --trajectories"),
        (["export", "by-rl", "--to", "x", "--seeds", "0"], "--seeds belongs to --graded, --trajectories"),
        (["rows", "--out", "rows.jsonl"], "name at least one file"),
        (["rows", "none.jsonl", "--out", "rows.jsonl"], "none.jsonl: there is no such file"),
    ],
)
def test_mistakes_are_sentences(
    store: Path, capsys: pytest.CaptureFixture[str], words: list[str], expected: str
) -> None:
    assert inoculate(*words) == 2
    assert expected in capsys.readouterr().err
    assert [path.name for path in store.parent.iterdir()] == ["store"]


def test_nothing_here_loads_torch() -> None:
    modules = "inoculate.integrations.trajectories, inoculate.integrations.rollout_rows"
    program = f"import {modules}, sys; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr
