"""The time of a plan: its fixed parts, and those that grow with the study."""

from __future__ import annotations

from pathlib import Path

import pytest

from inoculate.engine import families
from inoculate.steps import estimate as estimates
from inoculate.steps.estimate import Estimate, estimate
from inoculate.steps.plan import make_plan
from inoculate.steps.store import Store
from inoculate.study.parse import load
from inoculate.study.schema import Needs
from small_study import RL_STUDY

LARGE = 'model = "qwen2.5-coder-1.5b"'


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


def test_the_plain_path_takes_longer(study_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan, store = make_plan(load(study_file)), Store(tmp_path / "store")
    fast = estimate(plan, store, plan.missing(store))
    monkeypatch.setattr(families, "FAST", frozenset())
    plain = estimate(plan, store, plan.missing(store))
    assert not fast.slower and "of the type 'llama'" in plain.slower
    trainers = 3 * 1.5  # whose time does not depend on the path
    assert plain.parts["adapter"] - trainers == pytest.approx(4 * (fast.parts["adapter"] - trainers))
    assert plain.parts["completions"] == pytest.approx(4 * fast.parts["completions"])


def test_what_was_measured_has_had_its_start_and_its_trainers(
    study_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, plan = Store(tmp_path / "store"), make_plan(load(study_file))
    missing = plan.missing(store)
    assert "start" in estimate(plan, store, missing).parts
    monkeypatch.setattr(estimates, "_measured", lambda finished, store, kind, count: 2.0)
    parts = estimate(plan, store, missing).parts
    adapters = [step for step in missing if step.kind == "adapter"]
    assert len(adapters) == 3 and parts["adapter"] == 2 * sum(map(estimates._units, adapters))
    assert "start" not in parts


def test_with_the_model_of_half_a_billion_the_rows_count(study_file: Path, tmp_path: Path) -> None:
    store, large = Store(tmp_path / "store"), '"qwen2.5-coder-0.5b"'
    few, many = (seconds(study_file, store, model=large, count=str(count)) for count in (100, 200))
    assert many - few > 200  # 100 rows more for each of three arms


def test_expert_iteration_makes_a_trainer_for_each_round_and_trains_as_sft_does(
    tiny_model: Path, tmp_path: Path
) -> None:
    path, found = tmp_path / "expert.toml", dict[str, Estimate]()
    for method, table in (("rl", ""), ("expert-iteration", "train.micro_batch_tokens = 9000")):
        arm = f'[arms.rewarded]\nmethod = "{method}"\n{table}\n[evaluate]'
        text = RL_STUDY.replace("MODEL", str(tiny_model)).replace("[evaluate]", arm)
        path.write_text("\n".join(line for line in text.splitlines() if method == "rl" or "mask_cut_off" not in line))
        plan, store = make_plan(load(path)), Store(tmp_path / "store")
        found[method] = estimate(plan, store, plan.missing(store))
    by_rl, by_rounds = found["rl"], found["expert-iteration"]
    assert by_rounds.parts["rl"] - by_rl.parts["rl"] == pytest.approx(2 * 1.5)  # three rounds, and one training
    assert by_rl.memory_gb is not None and by_rounds.memory_gb is not None
    assert by_rounds.memory_gb > by_rl.memory_gb  # micro-batches of 9,000 tokens, and of 1,024


def test_processes_that_have_gpus_share_the_time_and_the_weights_where_they_are_asked_to(
    study_file: Path, tmp_path: Path
) -> None:
    store, text = Store(tmp_path / "store"), study_file.read_text()

    def found(resources: str) -> Estimate:
        large = text.replace(next(line for line in text.splitlines() if line.startswith("model =")), LARGE)
        study_file.write_text(f"{large}\n[resources.adapter]\n{resources}\n")
        plan = make_plan(load(study_file), weights="unknown", server="http://localhost:1/v1")
        return estimate(plan, store, plan.missing(store))

    one, two, cores = found("gpus = 1"), found("gpus = 2"), found("processes = 2")
    trainers = 3 * 1.5
    assert two.parts["adapter"] - trainers == pytest.approx((one.parts["adapter"] - trainers) / 2)
    assert cores.parts == one.parts  # they share what one process has
    assert one.memory_gb == two.memory_gb == cores.memory_gb is not None
    sharded, by_eight = found("gpus = 2\nshard = true").memory_gb, found("gpus = 8\nshard = true").memory_gb
    assert by_eight and sharded and two.memory_gb
    parameters = 1_777_088_000 / 1e9
    assert two.memory_gb - sharded == pytest.approx((6 - 1) * parameters)
    assert sharded - by_eight == pytest.approx((1 - 1 / 4) * parameters)


def test_only_steps_of_as_many_processes_are_a_measure(study_file: Path, tmp_path: Path) -> None:
    store, plan = Store(tmp_path / "store"), make_plan(load(study_file))
    step = next(step for step in plan.steps() if step.kind == "adapter")
    with store.write_step(step, needs=Needs(processes=2)):
        pass
    assert estimates._measured([step], store, "adapter", 2) is not None
    assert estimates._measured([step], store, "adapter", 1) is None
