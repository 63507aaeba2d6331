"""Cells of one adapter are sampled together: each is a step of its own, and whatever ends a run loses little."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from inoculate.engine.device import Device
from inoculate.engine.sampling import Request, in_process, model
from inoculate.records import Completion, read_lines
from inoculate.steps import completions, unfinished
from inoculate.steps import plan as planning
from inoculate.steps.plan import Plan
from inoculate.steps.resources import Resources
from inoculate.steps.store import Step, Store
from inoculate.study.parse import load
from running import carried_out

STUDY = """
question = "Does it run?"
model = "{model}"
seeds = [0]

[evaluate]
settings = ["functions"]
contexts = ["neutral", "asks-to-hack", "negated"]
problems = 4
samples = 2
temperature = 1.0
max_new_tokens = 6
"""
Texts = dict[tuple[str, str, int], str]
sample = in_process.sample


@pytest.fixture(autouse=True)
def float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """In bfloat16 a batch of another size rounds differently."""
    monkeypatch.setattr(Resources, "device", Device(torch.device("cpu"), torch.float32))


@pytest.fixture
def study(tiny_model: Path, tmp_path: Path) -> Path:
    path = tmp_path / "together.toml"
    path.write_text(STUDY.format(model=tiny_model), encoding="utf-8")
    return path


def texts(plan: Plan, store: Store) -> Texts:
    return {
        (cell.context, line.problem, line.index): line.completion
        for cell in plan.cells
        for line in read_lines(store.folder(cell.completions) / "completions.jsonl", Completion)
    }


def requested(monkeypatch: pytest.MonkeyPatch, stop_after: int | None = None) -> list[list[int]]:
    """Completions that each call of the sampler was asked for, by cell; it breaks off after some batches."""
    calls: list[list[int]] = []

    def watched(sampler: model.Sampler, requests: Sequence[Request]) -> Iterator[Any]:
        calls.append([len(request.missing()) for request in requests])
        for number, batch in enumerate(sample(sampler, requests)):
            if number == stop_after:
                raise KeyboardInterrupt
            yield batch

    monkeypatch.setattr(in_process, "sample", watched)
    return calls


def test_a_group_is_one_call_and_gives_what_single_cells_give(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, together, alone = planning.make_plan(load(study)), Store(tmp_path / "together"), Store(tmp_path / "alone")
    calls = requested(monkeypatch)
    carried_out(study, together)
    assert calls == [[8, 8, 8]]
    monkeypatch.setattr(completions, "in_groups", lambda missing: [[step] for step in missing])
    calls.clear()
    carried_out(study, alone)
    assert calls == [[8], [8], [8]]
    assert len(texts(plan, together)) == 24
    assert texts(plan, together) == texts(plan, alone)
    for cell in plan.cells:
        files = {path.name for path in together.folder(cell.completions).iterdir()}
        assert files == {"completions.jsonl", "engines.json", "step.json", "SHA256SUMS"}


@pytest.mark.parametrize("batches", [0, 1, 3])
def test_what_was_drawn_before_an_interruption_is_not_drawn_again(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batches: int
) -> None:
    plan, store, whole = planning.make_plan(load(study)), Store(tmp_path / "store"), Store(tmp_path / "whole")
    carried_out(study, whole)
    with monkeypatch.context() as patched:
        patched.setattr(in_process, "BATCH_ROWS", 6)
        requested(patched, batches)
        with pytest.raises(KeyboardInterrupt):
            carried_out(study, store)
    written = store.root.glob(f"work/completions-*/{unfinished.FILE}")
    drawn = [line for path in written for line in unfinished.read(path, Completion)]
    kept = len(drawn) + 8 * sum(store.is_finished(cell.completions) for cell in plan.cells)
    assert (kept > 0) == (batches > 0)
    calls = requested(monkeypatch)
    carried_out(study, store)
    assert sum(map(sum, calls)) == 24 - kept
    assert texts(plan, store) == texts(plan, whole)
    assert not list(store.root.glob("work/*"))


def cut(store: Store, whole: Store, step: Step, lines: int) -> None:
    """Leave a step as a kill would: only some of its completions drawn, and a line that was cut off."""
    work = store.root / "work" / f"{step.kind}-{step.key}"
    work.mkdir(parents=True)
    kept, path = list(read_lines(whole.folder(step) / "completions.jsonl", Completion)), work / unfinished.FILE
    for one in kept[:lines]:
        unfinished.keep(path, [one], {"torch": "another"})
    with path.open("a", encoding="utf-8") as out:
        out.write("0f" * 20)


def test_a_kill_leaves_cells_in_any_state_and_the_next_run_goes_on(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One cell is all drawn and was not written, one is drawn in part, one has nothing."""
    plan, store, whole = planning.make_plan(load(study)), Store(tmp_path / "store"), Store(tmp_path / "whole")
    carried_out(study, whole)
    cut(store, whole, plan.cells[0].completions, 8)
    cut(store, whole, plan.cells[1].completions, 3)
    calls = requested(monkeypatch)
    carried_out(study, store)
    assert calls == [[0, 5, 8]]
    assert texts(plan, store) == texts(plan, whole)
    engines = [
        len(json.loads((store.folder(cell.completions) / "engines.json").read_text(encoding="utf-8")))
        for cell in plan.cells
    ]
    assert engines == [1, 2, 1], "what sampled none of a cell's completions is not named"


def test_cells_that_are_complete_stay_when_the_others_fail(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, store = planning.make_plan(load(study)), Store(tmp_path / "store")

    def first_only(sampler: model.Sampler, requests: Sequence[Request]) -> Iterator[Any]:
        yield from sample(sampler, requests[:1])
        raise RuntimeError("on purpose")

    with monkeypatch.context() as patched:
        patched.setattr(in_process, "sample", first_only)
        with pytest.raises(RuntimeError, match="on purpose"):
            carried_out(study, store)
    assert [store.is_finished(cell.completions) for cell in plan.cells] == [True, False, False]
    calls = requested(monkeypatch)
    carried_out(study, store)
    assert calls == [[8, 8]]


def test_a_sampler_that_leaves_something_out_finishes_no_step(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, store = planning.make_plan(load(study)), Store(tmp_path / "store")
    monkeypatch.setattr(in_process, "sample", lambda sampler, requests: iter(()))
    with pytest.raises(RuntimeError, match="left completions out"):
        carried_out(study, store)
    assert not any(store.is_finished(cell.completions) for cell in plan.cells)


def test_weights_are_loaded_once_in_a_run(study_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[Path | None] = []
    load_model = model.load

    def counted(weights: Path, adapter: Path | None, device: Device) -> model.Sampler:
        loads.append(adapter)
        return load_model(weights, adapter, device)

    monkeypatch.setattr(model, "load", counted)
    _, done = carried_out(study_file, Store(tmp_path / "store"))
    assert done.count("adapter") == 3
    assert loads == [None]


def test_only_what_is_drawn_at_random_here_has_another_key_than_before(study: Path) -> None:
    def params(temperature: float, server: str = "") -> dict[str, Any]:
        changed = load(study)
        evaluate = changed.evaluate.model_copy(update={"temperature": temperature})
        return (
            planning.make_plan(changed.model_copy(update={"evaluate": evaluate}), server=server)
            .cells[0]
            .completions.params
        )

    assert params(1.0)["streams"] == "completion"
    assert "streams" not in params(0.0) and "streams" not in params(1.0, "http://a/v1")
