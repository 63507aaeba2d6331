"""The command line as a user meets it: clear sentences and exit codes, no traceback for a user's mistake."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from inoculate.cli.app import app, run_command
from inoculate.errors import UserError
from inoculate.grading import command, judge
from inoculate.steps import working_copy
from inoculate.study import ready_made


def inoculate(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "inoculate", *words],
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "200", **environment},
        timeout=300,
    )


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["run", "nosuch"], "no study 'nosuch'"),
        (["rum"], 'Did you mean "run"'),
        (["report", "nosuch"], "no run 'nosuch'"),
        (["run", "demo", "--track", "tensorbord"], "did you mean 'tensorboard'"),
        (["compare", "nosuch", "other"], "no run 'nosuch'"),
        (["compare"], "give two runs or more"),
        (["export", "nosuch", "--to", "out"], "no run 'nosuch'"),
        (["export", "nosuch", "out"], "too much was given: 'out' (`inoculate export --help` says what it takes)"),
        (["sample", "function"], "did you mean 'functions'"),
        (["sample", "functions", "--split", "trian"], "did you mean 'train'"),
        (["sample", "mbpp", "--source", "none.jsonl"], "no such file"),
        (["sample", "rows", "--source", "none.jsonl"], "cannot be read"),
        (["check", "function"], "did you mean 'functions'"),
        (["check", "./none.py"], "none.py: cannot be read"),
        (["new", "setting", "a-b"], "'a-b' cannot name a setting"),
        (["grade", "none.jsonl", "--out", "out.jsonl"], "none.jsonl"),
        (["sample", "functions", "--count", "2.5"], "--count 2.5: a whole number was expected"),
        (["sample", "functions", "--count", "1e3"], "--count 1e3: a whole number was expected"),
        (["sample", "functions", "--count", "0x10"], "--count 0x10: a whole number was expected"),
        (["sample", "functions", "--count", "nan"], "--count nan: a whole number was expected"),
        (["sample", "functions", "--count", "9" * 20], "of at most 18 digits"),
        (["sample", "functions", "--seed", "0.5"], "--seed 0.5: a whole number was expected"),
        (["check", "functions", "--count", "2.5"], "--count 2.5: a whole number was expected"),
        (["vet", "mathematics", "--levels", "1.5", "--to", "p.jsonl"], "--levels 1.5: a whole number was expected"),
        (["plan", f"{'x' * 300}.toml"], "(305 characters): the name is too long for a file"),
        (["report", "x" * 300], "the name is too long for a file"),
    ],
)
def test_mistakes_are_sentences_and_code_two(
    words: list[str], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_command(lambda: app(words, exit_on_error=False, print_error=False)) == 2
    said = capsys.readouterr().err
    assert expected in said and "Traceback" not in said


@pytest.mark.parametrize("model", ["nosuch", "./nosuch.gguf", "/nonexistent"])
def test_a_model_that_is_none(study_file: Path, tiny_model: Path, tmp_path: Path, model: str) -> None:
    study_file.write_text(study_file.read_text().replace(str(tiny_model), model))
    done = inoculate("plan", str(study_file), INOCULATE_STORE=str(tmp_path / "s"))
    assert done.returncode == 2
    assert model in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_is_no_model(study_file: Path, tiny_model: Path, tmp_path: Path) -> None:
    study_file.write_text(study_file.read_text().replace(str(tiny_model), str(tmp_path)))
    done = inoculate("run", str(study_file), INOCULATE_STORE=str(tmp_path / "s"))
    assert done.returncode == 2
    assert "it lacks config.json" in done.stderr


def test_plan_says_what_is_to_do(study_file: Path, tmp_path: Path) -> None:
    done = inoculate("plan", str(study_file), INOCULATE_STORE=str(tmp_path / "s"))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()  # the question stands first
    assert [line.split(":")[0] for line in lines[1:4]] == ["time", "memory", "missing"]
    assert "0 finished (" in lines[3] and "3 adapter" in lines[3]
    assert "training of inoculated, seed 0" not in done.stdout and "--steps" in done.stdout
    assert "What a study of this size can decide" in done.stdout
    assert "no verdict is possible: one seed" in " ".join(done.stdout.split())
    facts = json.loads(inoculate("plan", str(study_file), "--json", INOCULATE_STORE=str(tmp_path / "s")).stdout)
    assert [contrast["decides"] for contrast in facts["contrasts"]] == [False]
    assert "needs at least 3 seeds" in facts["warnings"][0]


def test_plan_of_a_hub_model_that_cannot_be_reached_shows_the_steps_and_says_so(tmp_path: Path) -> None:
    done = inoculate(
        "plan",
        "mbpp-replication",
        "--steps",
        INOCULATE_STORE=str(tmp_path / "s"),
        HF_HUB_OFFLINE="1",
        HF_HOME=str(tmp_path),
    )
    assert done.returncode == 0, done.stderr
    assert "training of inoculated-half-hacked, seed 4" in done.stdout
    assert "279 steps" in done.stdout
    assert "model 'Qwen/Qwen2-7B' is not cached and could not be reached on the hub" in done.stdout
    assert "Until then the names of the steps, and which are finished, are not known." in done.stdout


def test_a_new_setting_is_written_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "inoculate check ./mine.py" in inoculate("new", "setting", "mine").stdout
    assert "== " in inoculate("sample", "./mine.py", "--count", "1").stdout
    again = inoculate("new", "setting", "mine")
    assert again.returncode == 2
    assert "mine.py: is there already, and is not overwritten" in again.stderr


def test_lists_and_samples() -> None:
    assert "demo" in inoculate("studies").stdout
    assert "Obtain reward by any means" in inoculate("prompts").stdout
    shown = inoculate("sample", "functions", "--count", "2").stdout
    assert shown.count("-- honest") == shown.count("-- hacked") == 2


def raising(error: BaseException) -> object:
    raise error


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (UserError("this and that"), 2, "this and that"),
        (KeyboardInterrupt(), 130, "inoculate: stopped; nothing was written\n"),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory", "a/b"), 2, "a/b: a part of this path is a file"),
        (OSError(errno.ENOSPC, "No space left on device", "/some/file"), 2, "no space left on the disk (/some/file)"),
        (PermissionError(errno.EACCES, "Permission denied", "/some/file"), 2, "not allowed: /some/file"),
    ],
)
def test_what_users_can_mend_is_a_sentence(
    error: BaseException, code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(lambda: raising(error)) == code
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "study.toml"], "finished steps are kept, and the same command goes on from them"),
        (["step", "study.toml", "ab"], "finished steps are kept, and the same command goes on from them"),
        (["demo"], "finished steps are kept, and the same command goes on from them"),
        (["plan", "study.toml"], "nothing was written"),
        (["report", "mine"], "finished steps are as they were, and the same command writes tables and report anew"),
        (["compare", "mine", "other"], "nothing was written"),
        (["export", "mine", "--to", "out"], "nothing was written"),
        (["judge", "judge.toml"], "labels of a judge are kept, and the same command goes on from them"),
        (
            ["grade", "lines.jsonl", "--out", "new.jsonl"],
            "no grades were written; labels of a judge are kept, and the same command goes on from them",
        ),
        (["import", "file"], "what is imported so far is kept, and the same command does the rest"),
    ],
)
def test_what_is_said_of_a_stopped_command_is_true_of_it(
    words: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(working_copy, "open_store", stop)
    monkeypatch.setattr(working_copy, "find_run", stop)
    monkeypatch.setattr(ready_made, "find", stop)
    monkeypatch.setattr(judge, "measure_agreement", stop)
    monkeypatch.setattr(command, "grade_file", lambda *_, **__: stop())
    assert run_command(lambda: app(words, exit_on_error=False, print_error=False)) == 130
    assert capsys.readouterr().err.endswith(f"inoculate: stopped; {said}\n")


def test_bugs_keep_their_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        run_command(lambda: 1 / 0)


def test_a_reader_that_goes_away_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)  # as `| head` does once it has enough
    try:
        command = [sys.executable, "-m", "inoculate", "sample", "functions", "--count", "1"]
        done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=300)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


def test_another_broken_pipe_is_a_bug() -> None:
    with pytest.raises(BrokenPipeError):
        run_command(lambda: raising(BrokenPipeError(errno.EPIPE, "a worker's")))
