"""Training metrics go to a tracker when asked, and change nothing else."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from inoculate.errors import UserError
from inoculate.integrations import trackers
from inoculate.steps import plan as planning
from inoculate.steps.resources import Resources
from inoculate.steps.run import carry_out_step
from inoculate.steps.store import Store
from inoculate.study.parse import load

STUDY = """
question = "Is it tracked?"
model = "{model}"
seeds = [0]
rows = {{ setting = "functions", count = 4, hacked = 0.5 }}
train = {{ micro_batch_tokens = 4096, batch_rows = 2 }}
arms.plain = {{}}
evaluate = {{ settings = ["functions"], problems = 2 }}
"""


@pytest.fixture(autouse=True)
def nothing_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (trackers.VARIABLE, "TENSORBOARD_LOGGING_DIR", "WANDB_PROJECT"):
        monkeypatch.setenv(name, "")  # so that what a test sets is undone after it
        monkeypatch.delenv(name)


def test_tensorboard_has_the_losses_of_the_training(tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "tracked.toml").write_text(STUDY.format(model=tiny_model), encoding="utf-8")
    study = load(tmp_path / "tracked.toml")
    (training,) = planning.make_plan(study).trainings
    trackers.choose("tensorboard")
    assert planning.make_plan(study).trainings[0].adapter.key == training.adapter.key
    store = Store(tmp_path / "store")
    resources = Resources(store, study.model, lambda words: None)
    noted: list[str] = []
    for step in (training.rows, training.adapter):
        carry_out_step(step, resources, lambda done, total, note: noted.append(note))
    (run,) = (store.root / "tracking").iterdir()
    assert run.name == f"training-of-plain-seed-0-{training.adapter.key[:8]}"
    found = EventAccumulator(str(run)).Reload()
    losses = [event.value for event in found.Scalars("train/loss")]
    assert [f"loss {loss:.3f}" for loss in losses] == noted
    assert len(losses) == 2


def test_without_a_choice_nothing_is_tracked(tmp_path: Path) -> None:
    trackers.choose("")
    assert trackers.arguments("training of plain, seed 0", tmp_path) == {"report_to": "none"}


def test_the_environment_may_choose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(trackers.VARIABLE, "tensorboard")
    trackers.choose("")
    assert trackers.arguments("a", tmp_path)["report_to"] == "tensorboard"
    monkeypatch.setenv(trackers.VARIABLE, "tensorbord")
    with pytest.raises(UserError, match="did you mean 'tensorboard'"):
        trackers.choose("")


@pytest.mark.parametrize("name", trackers.TRACKERS)
def test_a_tracker_that_is_not_installed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> str:
        raise PackageNotFoundError

    monkeypatch.setattr(trackers, "version", missing)
    with pytest.raises(UserError, match=f"'{name}' is not installed here: pip install {name}"):
        trackers.choose(name)
