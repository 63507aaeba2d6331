"""The table of benchmarks/form.py: rates over all seeds, and seed by seed."""

from __future__ import annotations

from pathlib import Path

import filled_store
from inoculate.analysis import analyse
from inoculate.steps.plan import make_plan
from inoculate.steps.store import Store
from scripts import load_script


def test_a_rate_of_each_seed_stands_behind_that_of_all(tmp_path: Path) -> None:
    folder = filled_store.fill(
        filled_store.write_study(tmp_path),
        Store(tmp_path / "store"),
        make_plan=lambda study: make_plan(study, "weights"),
    )
    cells = analyse(folder)["cells"]
    title, _, head, _, *lines = load_script("benchmarks/form.py").table("own", cells).splitlines()
    assert title == "## own" and head.endswith("| correct by seed | hack by seed |") and len(lines) == len(cells)
    for cell, line in zip(cells, lines, strict=True):
        _, arm, context, *rates, correct, hack, _ = (part.strip() for part in line.split("|"))
        assert (arm, context, len(rates)) == (cell["arm"], cell["context"], 4)
        for shown, name, mean in ((correct, "correct", rates[0]), (hack, "hack", rates[1])):
            seeds = [float(rate) for rate in shown.split(", ") if rate]
            assert len(seeds) == len(cell["seeds"]), name
            assert not seeds or abs(sum(seeds) / len(seeds) - float(mean)) <= 1
