"""The time of a plan: its fixed parts, and those that grow with the study."""

from __future__ import annotations

from pathlib import Path

import pytest

from inoculate.steps import estimate as estimates
from inoculate.steps.estimate import estimate
from inoculate.steps.plan import make_plan
from inoculate.steps.store import Store
from inoculate.study.parse import load


def seconds(study: Path, store: Store, **changes: str) -> float:
    """The estimate for a study, with changed keys."""
    text = study.read_text()
    for key, value in changes.items():
        old = next(line for line in text.splitlines() if line.startswith(f"{key} ="))
        text = text.replace(old, f"{key} = {value}", 1)
    other = study.with_name("other.toml")
    other.write_text(text)
    plan = make_plan(load(other))
    found = estimate(plan, store, plan.missing(store)).seconds
    assert found is not None
    return found


def test_a_tiny_study_still_has_to_load_the_model_and_make_its_trainers(study_file: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    one = seconds(study_file, store)
    assert 8 + 3 * 1.5 < one < 30  # three arms
    assert 3 * 1.5 < seconds(study_file, store, seeds="[0, 1]") - one < 3 * 1.5 + 1  # the start is once for all
    plan = make_plan(load(study_file))
    assert estimate(plan, store, []).seconds == 0


def test_what_was_measured_has_had_its_start_and_its_trainers(
    study_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, plan = Store(tmp_path / "store"), make_plan(load(study_file))
    missing = plan.missing(store)
    assert "start" in estimate(plan, store, missing).parts
    monkeypatch.setattr(estimates, "_measured", lambda finished, store, kind: 2.0)
    parts = estimate(plan, store, missing).parts
    adapters = [step for step in missing if step.kind == "adapter"]
    assert len(adapters) == 3 and parts["adapter"] == 2 * sum(map(estimates._units, adapters))
    assert "start" not in parts


def test_with_the_model_of_half_a_billion_the_rows_count(study_file: Path, tmp_path: Path) -> None:
    store, large = Store(tmp_path / "store"), '"qwen2.5-coder-0.5b"'
    few, many = (seconds(study_file, store, model=large, count=str(count)) for count in (100, 200))
    assert many - few > 200  # 100 rows more for each of three arms
