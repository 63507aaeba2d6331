"""Finished cells go from store to store: nothing is redone, nothing is trusted, and the results are the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from inoculate.analysis import analyse
from inoculate.steps import plan as planning
from inoculate.steps import run
from inoculate.steps.sharing.read import import_graded
from inoculate.steps.sharing.write import write_graded
from inoculate.steps.store import Store
from inoculate.study.parse import load
from running import Log


def carried_out(study_file: Path, store: Store, seeds: tuple[int, ...] | None = None) -> tuple[Path, list[str]]:
    log = Log()
    folder = run.carry_out(planning.make_plan(load(study_file)), store, log, study_file.read_text(), seeds)
    return folder, log.done


def comparable(results: dict[str, Any]) -> dict[str, Any]:
    """Results without what belongs to a machine or a moment."""
    kept = {key: value for key, value in results.items() if key not in ("created", "machine", "machines", "versions")}
    kept["training"] = [{key: value for key, value in entry.items() if key != "seconds"} for entry in kept["training"]]
    return kept


@pytest.fixture(scope="session")
def two_seeds(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from small_study import STUDY

    path = tmp_path_factory.mktemp("study") / "small.toml"
    text = STUDY.format(model=tiny_model).replace("seeds = [0]", "seeds = [0, 1]")
    start = text.index("[arms.control]")
    path.write_text(text[:start] + text[text.index("[evaluate]") :], encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def halves(two_seeds: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The files of two machines, which did one seed each."""
    root = tmp_path_factory.mktemp("halves")
    for seed in (0, 1):
        store = Store(root / f"store-{seed}")
        folder, _ = carried_out(two_seeds, store, (seed,))
        write_graded(folder, root / f"{seed}.xz", machine=f"machine {seed}")
    return root / "0.xz", root / "1.xz"


def test_two_halves_are_the_whole(two_seeds: Path, halves: tuple[Path, Path], tmp_path: Path) -> None:
    merged = Store(tmp_path / "merged")
    for path in halves:
        imported = import_graded(path, merged)
    assert (imported.finished, imported.of) == (10, 10)
    whole, _ = carried_out(two_seeds, Store(tmp_path / "whole"))
    assert imported.run is not None
    assert comparable(analyse(imported.run)) == comparable(analyse(whole))
    assert carried_out(two_seeds, merged)[1] == []
    assert json.loads((imported.run / "manifest.json").read_text())["machines"]
