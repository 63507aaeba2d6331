"""Lists as people and programs read them: whole names in a terminal and through `grep`, and one JSON document."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from inoculate.cli import output
from inoculate.study import prompts, ready_made
from inoculate.study.parse import load


def piped(*words: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "inoculate", *words],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def in_terminal(*words: str) -> str:
    """What a terminal of 80 columns shows."""
    leader, follower = pty.openpty()
    environment = {**os.environ, "COLUMNS": "80", "TERM": "dumb"}
    command = [sys.executable, "-m", "inoculate", *words]
    with subprocess.Popen(command, stdout=follower, stderr=subprocess.DEVNULL, env=environment) as process:
        os.close(follower)
        shown = b""
        while part := _read(leader):
            shown += part
        assert process.wait() == 0
    os.close(leader)
    return shown.decode().replace("\r\n", "\n")


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # how Linux says that the other end of a terminal was closed
        return b""


NAMES = {"studies": ready_made.names(), "prompts": prompts.names()}


@pytest.mark.parametrize("command", ["studies", "prompts"])
def test_a_list_has_a_line_for_each_name(command: str) -> None:
    lines = piped(command, COLUMNS="80").splitlines()
    assert [line.split()[0] for line in lines] == NAMES[command]
    shown = in_terminal(command).splitlines()
    assert [line.split()[0] for line in shown] == NAMES[command]
    assert max(map(len, shown)) <= 80
    assert all(
        short.removesuffix("...") == long[: len(short.removesuffix("..."))]
        for short, long in zip(shown, lines, strict=True)
    )


@pytest.mark.parametrize("command", ["studies", "prompts"])
def test_a_list_as_json(command: str) -> None:
    listed = json.loads(piped(command, "--json"))
    assert [one["name"] for one in listed] == NAMES[command]
    keys = {
        "studies": {"name", "question", "model", "seeds", "arms", "settings", "seconds", "figure", "file"},
        "prompts": {"name", "kind", "text", "source", "near", "far", "contexts"},
    }
    assert all(set(one) == keys[command] for one in listed)


def test_one_study_by_its_name() -> None:
    shown = piped("studies", "demo")
    assert (
        "control: 128 rows of functions, 60% hacked, prompt 'irrelevant' as long as 'specific' on hacked rows" in shown
    )
    assert "seeds      0\n" in shown and "figure     figures/contrasts.svg" in shown
    found = json.loads(piped("studies", "leaky-code", "--json"))
    assert found["study"] == load(ready_made.find("leaky-code")).model_dump(mode="json", by_alias=True)
    assert "leaky-code\n" in in_terminal("studies", "leaky-code")


def test_one_prompt_by_its_name() -> None:
    prompt = prompts.find("specific")
    shown = piped("prompts", "specific")
    assert all(text in shown for text in (prompt.text, prompt.source, *prompt.pool(True), "asks-to-hack"))
    assert json.loads(piped("prompts", "specific", "--json"))["far"] == list(prompt.far)


def test_a_plan_as_json_and_through_a_pipe(study_file: Path, tmp_path: Path) -> None:
    store = {"INOCULATE_STORE": str(tmp_path / "s"), "COLUMNS": "80"}
    study_file.write_text(study_file.read_text() + "\n[resources.adapter]\nprocesses = 2\nshard = true\n")
    found = json.loads(piped("plan", str(study_file), "--json", **store))
    assert {step["kind"]: (step["processes"], step["cpus"]) for step in found["steps"]}["adapter"] == (2, 2)
    assert (found["finished"], found["to_do"]) == (0, len(found["steps"]))
    facts = {"label", "kind", "name", "finished", "needed", "waits_for", "together", "cpus", "gpus", "memory_gb"}
    assert set(found["steps"][0]) == facts | {"processes", "shard"}
    assert found["unreachable"] == "" and found["screened"] is False
    lines = piped("plan", str(study_file), "--steps", **store).splitlines()
    assert "processes: 2 for each adapter, which share the weights" in lines
    assert any(line.endswith(" GB in the process that needs most") for line in lines)
    for step in found["steps"]:
        assert any(step["label"] in line and step["name"] in line for line in lines)


def test_samples_and_grades_as_json(tmp_path: Path) -> None:
    problems = json.loads(piped("sample", "functions", "--count", "2", "--json"))
    assert {"id", "setting", "kind", "family", "level", "text", "honest", "hacked", "hack"} == set(problems[0])
    lines, graded = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    given = [{"id": one["id"], "problem": one["id"], "completion": one["honest"]} for one in problems]
    lines.write_text("".join(json.dumps(line) + "\n" for line in given))
    draw = ("--setting", "functions", "--split", "development", "--count", "2")
    found = json.loads(piped("grade", str(lines), "--out", str(graded), *draw, "--json"))
    assert found["count"] == 2 and found["outcomes"] == {"correct": 2} and found["out"] == str(graded)


def test_the_doctor_as_json() -> None:
    found = json.loads(piped("doctor", "--json"))
    assert found["findings"][0]["name"] == "sandbox"
    assert found["fetched"] is None


def test_a_check_as_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    piped("new", "setting", "mine")
    found = json.loads(piped("check", "./mine.py", "--count", "20", "--json"))
    assert found["failed"] == 0
    assert {"name", "ok", "looked_at", "found", "faults", "file"} == set(found["checks"][0])


def test_what_a_model_wrote_is_json_in_any_encoding(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_json({"text": "é \ud800"})
    assert capsys.readouterr().out.isascii()
