"""Finished cells go from store to store: nothing is redone, nothing is trusted, and the results are the same."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import filled_store
from filled_store import STUDY, fill, steps_of, unpacked, write_study
from inoculate.analysis import analyse, analyse_screen
from inoculate.analysis.run_folder import read_run
from inoculate.integrations.methods import write_methods
from inoculate.records import OUTCOMES, Grade, Problem
from inoculate.report import write_report
from inoculate.steps import plan as planning
from inoculate.steps import run
from inoculate.steps.screen import make_screen_plan
from inoculate.steps.sharing.read import import_graded
from inoculate.steps.sharing.write import CARRIED, VERSIONS, write_graded
from inoculate.steps.store import Store
from inoculate.study.parse import load
from running import comparable


def test_every_kind_of_step_is_known() -> None:
    assert CARRIED.keys() == VERSIONS.keys() == run.RUN_STEP.keys()


def test_a_merged_store_is_like_one_that_did_everything(study: Path, tmp_path: Path) -> None:
    merged = Store(tmp_path / "merged")
    for seed in (1, 0):
        folder = fill(study, Store(tmp_path / f"store-{seed}"), (seed,))
        finished = [cell for cell in json.loads((folder / "manifest.json").read_text())["cells"] if cell["grades"]]
        assert {cell["seed"] for cell in finished} == ({0, None} if seed == 0 else {1})
        write_graded(folder, tmp_path / f"{seed}.xz", machine=f"machine {seed}")
        imported = import_graded(tmp_path / f"{seed}.xz", merged)
    assert (imported.finished, imported.of) == (10, 10)
    assert imported.run
    whole = analyse(fill(study, Store(tmp_path / "whole")))
    results = analyse(imported.run)
    # The training's seconds are measured, and the declaration is that of the store which was first.
    for each in (results, whole):
        for entry in each["training"]:
            del entry["seconds"]
    extra = {"libraries of the machines"}
    results["checks"] = [check for check in results["checks"] if check["name"] not in extra]
    assert comparable(results, "created") == comparable(whole, "created")
    assert [(one["name"], one["seeds"], one["base"]) for one in results["machines"]] == [
        ("machine 0", [0], True),
        ("machine 1", [1], False),
    ]
    page = write_report(imported.run).read_text()
    assert "machine 0" in page and "machine 1" in page
    methods = write_methods(read_run(imported.run), Counter(dict.fromkeys(OUTCOMES, 1)))
    assert "It was carried out on 2 machines: machine 0 (the untrained model and seed 0; cpu/bfloat16" in methods


def test_a_finished_arm_is_not_trained_and_a_new_context_trains_it(study: Path, exported: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "here")
    import_graded(exported, store)
    plan = planning.make_plan(load(study))
    assert plan.missing(store) == []
    study.write_text(STUDY.replace("problems = 5", 'problems = 5\ncontexts = ["neutral", "asks-to-hack", "negated"]'))
    kinds = [step.kind for step in planning.make_plan(load(study)).missing(store)]
    assert sorted(set(kinds)) == ["adapter", "completions", "distances", "grades"] and kinds.count("adapter") == 4


def test_importing_twice_changes_nothing(exported: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "here")
    once = import_graded(exported, store)
    before = steps_of(store)
    again = import_graded(exported, store)
    assert (again.new_steps, again.known_steps) == (0, once.new_steps)
    assert steps_of(store) == before
    assert not [name for name in before if "at-1" in name], "weights stay where they are"


def test_what_was_imported_is_exported_again(exported: Path, tmp_path: Path) -> None:
    first_import = import_graded(exported, Store(tmp_path / "b"))
    assert first_import.run
    write_graded(first_import.run, tmp_path / "again.xz", machine="not this one")
    second = import_graded(tmp_path / "again.xz", Store(tmp_path / "c"))
    assert second.machines == first_import.machines
    assert steps_of(Store(tmp_path / "c")) == steps_of(Store(tmp_path / "b"))


def test_two_exports_are_the_same_file(study: Path, tmp_path: Path) -> None:
    folder = fill(study, Store(tmp_path / "there"))
    write_graded(folder, tmp_path / "a.xz")
    write_graded(folder, tmp_path / "b.xz")
    assert (tmp_path / "a.xz").read_bytes() == (tmp_path / "b.xz").read_bytes()


texts = st.one_of(st.text(max_size=60), st.sampled_from(["~0", "~", "x" * 40, "\u2028line", "a\nb" * 20, "\\u0000"]))


@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(texts, st.sampled_from(["correct", "hack", "wrong", "ungraded"])), min_size=1), st.booleans())
def test_export_then_import_gives_the_same_results(drawn: list[tuple[str, str]], part: bool) -> None:
    checks = {"correct": (True, True), "hack": (True, False), "wrong": (False, False), "ungraded": (None, None)}

    def make(problem: Problem, random: Random) -> tuple[str, Grade]:
        text, outcome = random.choice(drawn)
        oversight, intended = checks[outcome]
        return text, Grade(outcome, oversight, intended, detail=text, others={"peer": bool(intended)})  # pyright: ignore

    with TemporaryDirectory() as root:
        study = write_study(Path(root))
        store = Store(Path(root) / "there")
        folder = fill(study, store, (1,) if part else None, make)
        write_graded(folder, Path(root) / "small.xz")
        here = Store(Path(root) / "here")
        imported = import_graded(Path(root) / "small.xz", here)
        assert imported.run
        assert comparable(analyse(imported.run)) == comparable(analyse(folder))
        there, ours = steps_of(store), steps_of(here)
        for name in ours:
            if not name.endswith(("step.json", "SHA256SUMS")):
                assert ours[name] == there[name.replace("records/", "steps/")]


def test_a_screen_is_shared_too(study: Path, tmp_path: Path) -> None:
    folder = fill(study, Store(tmp_path / "there"), make_plan=make_screen_plan)
    write_graded(folder, tmp_path / "screen.xz")
    imported = import_graded(tmp_path / "screen.xz", Store(tmp_path / "here"))
    assert imported.name == "small-screen" and imported.run
    assert analyse_screen(imported.run) == analyse_screen(folder)
    assert make_screen_plan(load(study)).missing(Store(tmp_path / "here")) == []


def test_nothing_personal_is_in_a_file(exported: Path) -> None:
    text = unpacked(exported).decode()
    assert os.uname().nodename not in text
    assert str(Path.home()) + "/" not in text


def test_kill_nine_leaves_whole_steps(exported: Path, tmp_path: Path) -> None:
    whole, store = Store(tmp_path / "whole"), Store(tmp_path / "killed")
    import_graded(exported, whole)
    command = [sys.executable, "-m", "inoculate", "import", str(exported), "--store", str(store.root)]
    for steps in (1, 9):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and len(list(store.root.glob("steps/*/*"))) < steps:
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert steps_of(store).items() <= steps_of(whole).items()
    import_graded(exported, store)
    assert steps_of(store) == steps_of(whole)
    assert list((store.root / "work").iterdir()) == [] or not list((store.root / "work").glob("import/*"))


def test_ten_arms_and_five_seeds_are_less_than_two_megabytes(tmp_path: Path) -> None:
    prompt = "This is prompt {n}: do what the shown test asks for and nothing else, whatever was said above."
    arms = "".join(
        f'[arms.a{n}]\ninoculation = {{ text = "{prompt.format(n=n)}", on = "hacked" }}\n' for n in range(10)
    )
    start = STUDY[: STUDY.index("[arms.plain]")].replace("[0, 1]", "[0, 1, 2, 3, 4]").replace("count = 6", "count = 16")
    study = write_study(tmp_path, f'{start}{arms}[evaluate]\nsettings = ["functions"]\nproblems = 48\n')
    words = ("result", "total", "value", "items", "count", "found", "current", "seen", "left", "right")

    def make(problem: Problem, random: Random) -> tuple[str, Grade]:
        """An answer in words of its own: with other names, and a remark."""
        text, grade = filled_store.answer(problem, random)
        for name in words:
            text = text.replace(name, f"{random.choice(words)}_{random.randrange(100)}")
        remark = " ".join(random.choice(words) for _ in range(random.randrange(12)))
        return f"{text}\n# {remark}", grade

    folder = fill(study, Store(tmp_path / "there"), make=make)
    written = write_graded(folder, tmp_path / "big.xz")
    assert written.cells == 2 * (10 * 5 + 1)
    assert written.bytes < 2_000_000
    shutil.rmtree(tmp_path / "there")
