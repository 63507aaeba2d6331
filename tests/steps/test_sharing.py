"""Finished cells go from store to store: nothing is redone, nothing is trusted, and the results are the same."""

from __future__ import annotations

import json
import lzma
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import filled_store
from filled_store import STUDY, fill, write_study
from inoculate.analysis import analyse
from inoculate.analysis.run_folder import read_run
from inoculate.errors import UserError
from inoculate.integrations.methods import write_methods
from inoculate.records import OUTCOMES, Grade, Problem
from inoculate.report import write_report
from inoculate.steps import plan as planning
from inoculate.steps import run
from inoculate.steps.sharing import packed
from inoculate.steps.sharing.read import import_graded
from inoculate.steps.sharing.write import CARRIED, VERSIONS, write_graded
from inoculate.steps.store import Store
from inoculate.study.parse import load
from inoculate.study.schema import digest
from running import comparable


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return write_study(tmp_path / "study")


@pytest.fixture
def exported(study: Path, tmp_path: Path) -> Path:
    """The file of a machine that finished the whole study."""
    folder = fill(study, Store(tmp_path / "there"))
    write_graded(folder, tmp_path / "small.xz")
    return tmp_path / "small.xz"


def steps_of(store: Store) -> dict[str, bytes]:
    files = [path for name in ("steps", "records") for path in (store.root / name).rglob("*") if path.is_file()]
    return {str(path.relative_to(store.root)): path.read_bytes() for path in files}


def unpacked(path: Path) -> bytes:
    return lzma.decompress(path.read_bytes())


def rewrite(path: Path, change: Callable[[list[dict[str, Any]]], None]) -> Path:
    """Change the lines of a file, as somebody would who wants to deceive."""
    lines = [json.loads(line) for line in unpacked(path).split(b"\n")[:-1]]
    change(lines)
    changed = path.with_name("changed.xz")
    with lzma.open(changed, "wb") as out:
        out.write(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
    return changed


def first(lines: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    return next(line for line in lines if line.get("kind") == kind)


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
    assert sorted(set(kinds)) == ["adapter", "completions", "grades"] and kinds.count("adapter") == 4


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
            if not name.endswith("step.json"):
                assert ours[name] == there[name.replace("records/", "steps/")]


# What is refused


def refused(path: Path, store: Store, *words: str) -> None:
    before = steps_of(store)
    with pytest.raises(UserError) as error:
        import_graded(path, store)
    for word in words:
        assert word in str(error.value)
    assert steps_of(store) == before


def test_a_file_that_was_cut_off_or_changed(exported: Path, tmp_path: Path) -> None:
    whole, store = exported.read_bytes(), Store(tmp_path / "here")
    random = Random(0)
    for size in [0, 3, 40, len(whole) // 2, len(whole) - 1]:
        (tmp_path / "cut.xz").write_bytes(whole[:size])
        refused(tmp_path / "cut.xz", store, "cut.xz")
    for _ in range(20):
        place = random.randrange(12, len(whole))
        (tmp_path / "bit.xz").write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        refused(tmp_path / "bit.xz", store, "cut off or changed")
    (tmp_path / "more.xz").write_bytes(whole + b"more")
    refused(tmp_path / "more.xz", store, "something follows its end")
    refused(tmp_path / "none.xz", store, "there is no such file")
    (tmp_path / "text.xz").write_text("question = 1")
    refused(tmp_path / "text.xz", store, "inoculate export RUN --graded FILE")


def changed(kind: str, **values: Any) -> Callable[[list[dict[str, Any]]], None]:
    """Change keys of the first step of a kind; its name is made to fit."""

    def change(lines: list[dict[str, Any]]) -> None:
        step = first(lines, kind)
        step.update(values)
        named = {"kind": step["kind"], "version": step["step_version"], "params": step["params"]}
        step["key"] = digest({**named, "inputs": {name: one.split("/")[-1] for name, one in step["inputs"].items()}})

    return change


def header(**values: Any) -> Callable[[list[dict[str, Any]]], None]:
    return lambda lines: lines[0].update(values)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (header(version=2), ["version 2", "reads version 1"]),
        (header(format="other"), ["not a file of graded samples"]),
        (header(name="../x"), ["'../x' cannot name a run"]),
        (header(name=".."), ["'..' cannot name a run"]),
        (header(name="a/b"), ["cannot name a run"]),
        (header(model="gguf:other:1"), ["from another model"]),
        (header(machines=[]), ["a machine that is not listed"]),
        (header(study="= 1"), ["its study is not TOML"]),
        (header(study=STUDY.replace("cont", "kont")), ["unknown key"]),
        (header(study=STUDY.replace("problems = 5", "problems = 6")), ["are not those of its study"]),
        (lambda lines: first(lines, "grades").update(key="../../../../x"), ["key"]),
        (lambda lines: first(lines, "grades").update(kind="../x"), ["kind '../x'"]),
        (lambda lines: first(lines, "grades").update(kind="trajectories"), ["kind 'trajectories'", "same version"]),
        (changed("grades", step_version=1), ["steps 'grades' are of version 1 there and 2 here"]),
        (changed("grades", inputs={"problems": "problems/../../x"}), ["as an input"]),
        (lambda lines: first(lines, "grades")["params"].update(setting="mbpp"), ["does not follow"]),
        (lambda lines: first(lines, "grades")["params"].update(setting="functons"), ["did you mean 'functions'"]),
        (lambda lines: first(lines, "grades")["params"].update(grading_version=0), ["graders of the setting"]),
        (lambda lines: first(lines, "problems")["params"].update(setting_version=99), ["problems of the setting"]),
        (lambda lines: first(lines, "completions")["files"].update({"../x": {"text": ""}}), ["'../x'", "digest"]),
        (lambda lines: lines.remove(first(lines, "problems")), ["step"]),
        (lambda lines: lines.insert(2, dict(lines[1])), ["is there twice"]),
    ],
)  # fmt: skip
def test_a_file_that_deceives(
    exported: Path, tmp_path: Path, change: Callable[[list[dict[str, Any]]], None], words: list[str]
) -> None:
    def fitted(lines: list[dict[str, Any]]) -> None:
        change(lines)
        lines[-1] = {"end": len(lines) - 2}

    outside = {path.name for path in tmp_path.iterdir()}
    path = rewrite(exported, fitted)
    with pytest.raises(UserError) as error:
        import_graded(path, Store(tmp_path / "here"))
    assert any(word in str(error.value) for word in words), error.value
    assert steps_of(Store(tmp_path / "here")) == {}
    assert {path.name for path in tmp_path.iterdir()} <= outside | {"here", "changed.xz"}


def test_a_file_of_another_study(exported: Path, study: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "here")
    study.write_text(STUDY.replace("problems = 5", "problems = 6"))
    fill(study, store)
    refused(exported, store, "evaluate.problems is 6 here and 5 there", "--store")
    study.write_text(STUDY.replace('guards = ["correct"]', ""))
    other = Store(tmp_path / "other")
    fill(study, other)
    refused(exported, other, "contrasts is")


def test_a_study_that_has_grown_elsewhere_is_kept_and_said(exported: Path, study: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "here")
    study.write_text(STUDY.replace("seeds = [0, 1]", "seeds = [0]"))
    fill(study, store, make=filled_store.answer)
    imported = import_graded(exported, store)
    assert imported.finished == imported.of == 6
    (grown,) = [note for note in imported.notes if "not in the study here" in note]
    assert grown.startswith("4 cells") and "seed 1" in grown
    study.write_text(STUDY)
    assert planning.make_plan(load(study)).missing(store) == []


def test_what_was_declared_first_counts(study: Path, tmp_path: Path) -> None:
    study.write_text(STUDY.split("[[contrasts]]")[0])
    there = Store(tmp_path / "there")
    fill(study, there)
    study.write_text(STUDY)
    folder = fill(study, there)
    write_graded(folder, tmp_path / "small.xz")
    imported = import_graded(tmp_path / "small.xz", Store(tmp_path / "here"))
    assert imported.run
    assert [contrast["exploratory"] for contrast in analyse(imported.run)["contrasts"]] == [True]


def test_a_step_with_other_content_is_not_overwritten(exported: Path, study: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "here")
    fill(study, store, (0,), lambda problem, random: ("other", Grade("wrong", False, False)))
    refused(exported, store, "with other content", "base, functions", "--seeds")


def test_times_and_explanations_are_no_other_content(exported: Path, study: Path, tmp_path: Path) -> None:
    def make(problem: Problem, random: Random) -> tuple[str, Grade]:
        text, grade = filled_store.answer(problem, random)
        return text, Grade(grade.outcome, grade.oversight, grade.intended, grade.tags, "partial", "else", 9.0)

    store = Store(tmp_path / "here")
    fill(study, store, (0,), make)
    assert import_graded(exported, store).known_steps > 0


def test_another_model(exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inoculate.engine.models.fingerprint", lambda name: "gguf:other:1")
    refused(exported, Store(tmp_path / "here"), "the model 'smollm2-135m' is another one", "gguf:other:1 here")


def test_a_model_that_is_not_here(exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> str:
        raise UserError("not cached")

    monkeypatch.setattr("inoculate.engine.models.fingerprint", absent)
    (note,) = import_graded(exported, Store(tmp_path / "here")).notes
    assert "could not be compared" in note and "not cached" in note


def test_problems_that_this_version_does_not_draw(exported: Path, tmp_path: Path) -> None:
    def change(lines: list[dict[str, Any]]) -> None:
        step = first(lines, "problems")
        columns = step["files"]["problems.jsonl"]["columns"]
        columns["level"] = [9] * len(columns["level"])
        _fit_digest(lines, step, "problems.jsonl")

    refused(rewrite(exported, change), Store(tmp_path / "here"), "not the problems that this version", "level")


def _fit_digest(lines: list[dict[str, Any]], step: dict[str, Any], name: str) -> None:
    import hashlib

    texts: list[str] = []
    for line in lines[1:]:
        texts += line.get("texts", [])
    file = step["files"][name]
    content = b"".join(
        packed._decode_line(file["columns"], number, texts)  # pyright: ignore[reportPrivateUsage]
        for number in range(len(next(iter(file["columns"].values()))))
    )
    file["sha256"] = hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    ("kind", "name", "column", "value", "words"),
    [
        ("grades", "grades.jsonl", "outcome", "great", "outcome"),
        ("grades", "grades.jsonl", "oversight", "yes", "oversight"),
        ("completions", "completions.jsonl", "completion_tokens", "3", "completion_tokens"),
        ("rows", "problems.jsonl", "secret", {"grader": "/tmp/evil.py:run"}, "names a grader"),
    ],
)
def test_lines_that_are_no_records(
    exported: Path, tmp_path: Path, kind: str, name: str, column: str, value: Any, words: str
) -> None:
    def change(lines: list[dict[str, Any]]) -> None:
        step = first(lines, kind)
        step["files"][name]["columns"][column][0] = value
        _fit_digest(lines, step, name)

    refused(rewrite(exported, change), Store(tmp_path / "here"), words)


def test_code_that_a_file_names_is_never_run(tmp_path: Path) -> None:
    trace, code = tmp_path / "trace", tmp_path / "mine.py"
    base = (
        "from dataclasses import replace\nfrom inoculate import settings\n"
        "SETTING = replace(settings.find('functions'), name='mine')\n"
    )
    code.write_text(base)
    study = write_study(tmp_path / "study", STUDY.replace('"functions"', f'"{code}"'))
    there = Store(tmp_path / "there")
    folder = fill(study, there)
    write_graded(folder, tmp_path / "small.xz")
    code.write_text(f"open({str(trace)!r}, 'w')\n{base}")
    here = Store(tmp_path / "here")
    for _ in range(2):  # what the first import leaves must not be trusted by the second
        imported = import_graded(tmp_path / "small.xz", here)
        assert imported.run is None and "never runs" in imported.notes[0]
    assert not trace.exists()
    code.write_text(base)
    assert planning.make_plan(load(study)).missing(here) == []


def test_a_small_file_cannot_fill_the_disk(exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = len(unpacked(exported))
    monkeypatch.setattr(packed, "MOST_UNPACKED", size - 1)
    refused(exported, Store(tmp_path / "here"), "MiB when it is decompressed")
    monkeypatch.setattr(packed, "MOST_UNPACKED", size)
    monkeypatch.setattr(packed, "MOST_WRITTEN", 20_000)
    refused(exported, Store(tmp_path / "here"), "GiB into the store")


def test_deep_nesting_is_no_traceback(tmp_path: Path) -> None:
    with lzma.open(tmp_path / "deep.xz", "wb") as out:
        out.write(b"[" * 500_000)
    refused(tmp_path / "deep.xz", Store(tmp_path / "here"), "cut off or changed")


def test_a_store_that_cannot_be_written(exported: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        import_graded(exported, Store(tmp_path / "file"))
    with pytest.raises(UserError, match="cannot be written"):
        import_graded(exported, Store(tmp_path / "file" / "below"))


def test_an_export_is_refused(study: Path, tmp_path: Path) -> None:
    plan = planning.make_plan(load(study))
    store = Store(tmp_path / "there")
    folder = filled_store.finish_run(plan, study, store)
    with pytest.raises(UserError, match="no cell is finished"):
        write_graded(folder, tmp_path / "a.xz")
    fill(study, store, (1,))
    with pytest.raises(UserError, match="no cell is finished of seed 0"):
        write_graded(folder, tmp_path / "a.xz", seeds=(0,))
    with pytest.raises(UserError, match="printable"):
        write_graded(folder, tmp_path / "a.xz", machine="a\x1b[31m")
    assert write_graded(folder, tmp_path / "a.xz").missing == 6
    with pytest.raises(UserError, match="not overwritten"):
        write_graded(folder, tmp_path / "a.xz")
    step = next((store.root / "steps" / "grades").iterdir())
    record = json.loads((step / "step.json").read_text())
    (step / "step.json").write_text(json.dumps(record | {"params": {**record["params"], "more": 1}}))
    with pytest.raises(UserError, match="another version of inoculate"):
        write_graded(folder, tmp_path / "b.xz")
    assert not (tmp_path / "b.xz").exists()


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
    start = (
        STUDY[: STUDY.index("[arms.plain]")].replace("[0, 1]", "[0, 1, 2, 3, 4]").replace("count = 6", "count = 128")
    )
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
