"""What must not enter a store: files that are damaged, of others, or that deceive."""

from __future__ import annotations

import json
import lzma
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

import filled_store
from filled_store import STUDY, fill, steps_of, unpacked, write_study
from inoculate import checksums
from inoculate.analysis import analyse
from inoculate.errors import UserError
from inoculate.records import Grade, Problem
from inoculate.steps import plan as planning
from inoculate.steps.sharing import packed
from inoculate.steps.sharing.read import import_graded
from inoculate.steps.sharing.write import write_graded
from inoculate.steps.store import Store
from inoculate.study.parse import load
from inoculate.study.schema import digest


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


def without(kind: str) -> Callable[[list[dict[str, Any]]], None]:
    """Leave out a step, but not its texts."""

    def change(lines: list[dict[str, Any]]) -> None:
        place = lines.index(first(lines, kind))
        lines[place + 1]["texts"] = lines[place]["texts"] + lines[place + 1]["texts"]
        del lines[place]

    return change


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
        (lambda lines: first(lines, "grades")["params"].update(setting="repair"), ["does not follow"]),
        (lambda lines: first(lines, "grades")["params"].update(setting="functons"), ["did you mean 'functions'"]),
        (lambda lines: first(lines, "grades")["params"].update(grading_version=0), ["does not follow"]),
        (changed("grades", params={"setting": "functions", "grading_version": "2"}), ["which graders it is of"]),
        (lambda lines: first(lines, "problems")["params"].update(setting_version=99), ["problems of the setting"]),
        (lambda lines: first(lines, "completions")["files"].update({"../x": {"text": ""}}), ["'../x'", "digest"]),
        (without("problems"), ["its problems (problems/"]),
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
        ("grades", "grades.jsonl", "seconds", float("nan"), "NaN is no value of JSON"),
        ("completions", "completions.jsonl", "seconds", float("inf"), "Infinity is no value of JSON"),
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


@pytest.mark.parametrize("kind", ["header", "grades"])
def test_numbers_that_json_does_not_have(exported: Path, tmp_path: Path, kind: str) -> None:
    def change(lines: list[dict[str, Any]]) -> None:
        place = lines[0]["declared"]["study"] if kind == "header" else first(lines, kind)["params"]
        place["x"] = float("inf")

    refused(rewrite(exported, change), Store(tmp_path / "here"), "Infinity is no value of JSON")


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
    fill(study, here)  # nothing to do: the user's own study is known from here on
    assert import_graded(tmp_path / "small.xz", here).finished == 10


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
    for store in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(UserError, match=r"is a file: name a folder with --store"):
            import_graded(exported, Store(store))


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
    checksums.write(step)
    with pytest.raises(UserError, match="another version of inoculate"):
        write_graded(folder, tmp_path / "b.xz")
    assert not (tmp_path / "b.xz").exists()
