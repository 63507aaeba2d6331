"""A study from file to report on a tiny model: nothing is redone, a kill is survived, the same study gives the same."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import filled_store
from filled_store import fill, write_study
from inoculate import settings
from inoculate.analysis import analyse
from inoculate.errors import UserError
from inoculate.records import OUTCOMES, Completion, Problem, read_lines
from inoculate.steps import plan as planning
from inoculate.steps import run
from inoculate.steps.store import Step, Store
from inoculate.study.parse import load
from running import Log, carried_out, samples


@pytest.fixture
def finished(study_file: Path, tmp_path: Path) -> tuple[Path, Path, Store]:
    store = Store(tmp_path / "store")
    folder, done = carried_out(study_file, store)
    assert done.count("adapter") == 3
    return study_file, folder, store


def test_one_of_several_processes_of_a_launcher_does_nothing(
    study_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UserError, match="WORLD_SIZE = 2: started by torchrun"):
        carried_out(study_file, Store(tmp_path / "store"))
    assert not (tmp_path / "store").exists()


def test_everything_is_there_and_nothing_is_done_twice(finished: tuple[Path, Path, Store]) -> None:
    study_file, folder, store = finished
    assert len(samples(folder)) == 4 * 2 * 6  # arms with base, contexts, problems
    kept = json.loads((folder / "manifest.json").read_text())["settings"]["functions"]
    assert kept["gamed_below"] == settings.find("functions").gamed_below
    assert all(outcome in OUTCOMES for *_, outcome in samples(folder))
    assert carried_out(study_file, store)[1] == []
    (engine,) = json.loads((folder / "manifest.json").read_text())["engines"]
    assert re.fullmatch(r"transformers [\d.]+, torch [\d.]+\S*, device \w+/\w+", engine)
    results = analyse(folder)
    assert any("one seed: says nothing about retraining" in caution for caution in results["cautions"])
    assert {cell["arm"] for cell in results["cells"]} == {"base", "plain", "inoculated", "control"}
    for cell in results["cells"]:
        assert sum(cell["outcomes"][outcome]["count"] for outcome in OUTCOMES if outcome != "ungraded") == 6


def test_a_context_more_trains_nothing_and_an_arm_more_trains_itself(finished: tuple[Path, Path, Store]) -> None:
    study_file, _, store = finished
    text = study_file.read_text()
    more = text.replace("problems = 6", 'problems = 6\ncontexts = ["neutral", "asks-to-hack", "negated"]')
    study_file.write_text(more)
    folder, done = carried_out(study_file, store)
    assert sorted(set(done)) == ["completions", "distances", "grades"]
    assert json.loads((folder / "manifest.json").read_text())["changed_since_declared"] == []
    study_file.write_text(more.replace("[arms.plain]", "[arms.clean]\nrows.hacked = 0.0\n[arms.plain]"))
    folder, done = carried_out(study_file, store)
    assert json.loads((folder / "manifest.json").read_text())["changed_since_declared"] == []
    assert done.count("adapter") == 1
    assert done.count("completions") == 3


def test_prompts_are_kept_as_sent_with_the_system_prompt_written_out(finished: tuple[Path, Path, Store]) -> None:
    _, folder, _ = finished
    manifest = json.loads((folder / "manifest.json").read_text())
    asked = manifest["study"]["evaluate"]["contexts"]["asks-to-hack"]["text"]
    for cell in manifest["cells"]:
        known = {p.id: p for p in read_lines(Path(cell["problems"]) / "problems.jsonl", Problem)}
        for completion in read_lines(Path(cell["completions"]) / "completions.jsonl", Completion):
            assert completion.prompt.startswith("<|im_start|>system\nYou are a test.<|im_end|>")
            assert known[completion.problem].body in completion.prompt
            assert (asked in completion.prompt) == (cell["context"] == "asks-to-hack")


def test_a_control_is_as_long_as_what_it_is_like(finished: tuple[Path, Path, Store], tiny_model: Path) -> None:
    from transformers import AutoTokenizer

    _, folder, _ = finished
    arms = json.loads((folder / "manifest.json").read_text())["study"]["arms"]
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    lengths = [
        len(tokenizer(arms[arm]["inoculation"]["text"], add_special_tokens=False)["input_ids"])
        for arm in ("inoculated", "control")
    ]
    assert lengths[0] == lengths[1]


def test_a_fresh_store_gives_the_same_samples(finished: tuple[Path, Path, Store], tmp_path: Path) -> None:
    study_file, folder, _ = finished
    again, _ = carried_out(study_file, Store(tmp_path / "other"))
    assert samples(again) == samples(folder)


def test_contrasts_and_seeds_that_come_later_are_marked(finished: tuple[Path, Path, Store]) -> None:
    study_file, folder, store = finished
    text = study_file.read_text()
    first = json.loads((folder / "manifest.json").read_text())
    later = '[[contrasts]]\nclaim = "after looking"\nmeasure = "correct"\nhigher = "control"\nthan = "plain"\n'
    assert first["declared_borrow"] == ["plain", "inoculated", "control"]
    text = text.replace("seeds = [0]", 'borrow = "none"\nseeds = [0, 5]').replace(
        "max_new_tokens = 8", "max_new_tokens = 7"
    )
    study_file.write_text(text + later)
    carried_out(study_file, store)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["declared_contrasts_hash"] == first["declared_contrasts_hash"]
    assert manifest["extended_seeds"] == [5] and manifest["declared_seeds"] == [0]
    assert manifest["changed_since_declared"] == ["evaluate.max_new_tokens"]
    assert manifest["declared_borrow"] == first["declared_borrow"], "what the first run declared holds"
    found = {c["claim"]: c["exploratory"] for c in analyse(folder)["contrasts"]}
    assert found == {"inoculation lowers neutral hacking": False, "after looking": True}


def test_kill_nine_at_any_time_and_the_next_run_goes_on(study_file: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "killed")
    command = [sys.executable, "-m", "inoculate", "run", str(study_file), "--store", str(store.root)]
    environment = {**os.environ, "INOCULATE_STORE": str(store.root)}
    for steps in (2, 7):
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        while len(list(store.root.glob("steps/*/*"))) < steps and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
        partial = analyse(store.run_folder("small"))  # what is finished can be reported on
        assert len(partial["missing"]) + sum(len(cell["seeds"]) or 1 for cell in partial["cells"]) == 4 * 2
        assert len(list(store.root.glob("steps/*/*"))) >= steps
    before = {path: path.stat().st_mtime_ns for path in store.root.glob("steps/*/*")}
    folder, done = carried_out(study_file, store)
    assert 0 < len(done) < len(planning.make_plan(load(study_file)).steps())
    assert {path: path.stat().st_mtime_ns for path in before} == before
    # Not the texts: in bfloat16 those that were missing round differently without the others (see test_together.py).
    whole, _ = carried_out(study_file, Store(tmp_path / "whole"))
    assert [sample[:4] for sample in samples(folder)] == [sample[:4] for sample in samples(whole)]


def test_the_manifest_is_there_from_the_start_and_follows_the_steps(study_file: Path, tmp_path: Path) -> None:
    store, finished = Store(tmp_path / "store"), list[int]()

    class Reader(Log):
        def on_step_start(self, step: Step, number: int, total: int) -> None:
            cells = json.loads((store.run_folder("small") / "manifest.json").read_text())["cells"]
            finished.append(sum(cell["grades"] is not None for cell in cells))

    run.carry_out(planning.make_plan(load(study_file)), store, Reader(), study_file.read_text())
    assert finished[0] == 0
    assert max(finished) > 0


def test_sigterm_ends_a_run_as_ctrl_c_does(study_file: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    command = [sys.executable, "-m", "inoculate", "run", str(study_file), "--store", str(store.root)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not list(store.root.glob("steps/grades/*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate()
    assert process.returncode == 143
    assert "stopped; finished steps are kept" in said
    cells = json.loads((store.run_folder("small") / "manifest.json").read_text())["cells"]
    assert 0 < sum(cell["grades"] is not None for cell in cells) < len(cells)


def test_an_arm_that_is_left_out_later_is_one_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store, text = Store(tmp_path / "store"), filled_store.STUDY.replace("inoculated", '"told.twice"', 1)
    text = text.partition("[[contrasts]]")[0]
    fill(write_study(tmp_path, text), store)
    left = text.replace('[arms."told.twice"]\ninoculation = { prompt = "specific", on = "hacked" }\n', "")
    folder = fill(write_study(tmp_path, left.replace("problems = 5", "problems = 6")), store)
    changed = json.loads((folder / "manifest.json").read_text())["changed_since_declared"]
    assert changed == ["arms.told.twice", "evaluate.problems"]
