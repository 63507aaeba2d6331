"""Several processes train one adapter: the same losses and weights as one, however many there are."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

from forked import together
from inoculate.engine import families
from inoculate.engine.device import Device
from inoculate.engine.packing import EncodedRow, divide_rows, pack_rows
from inoculate.engine.training import sft, sharding
from inoculate.engine.training.processes import ALONE, Processes
from inoculate.errors import UserError
from inoculate.records import Row
from inoculate.steps import rows
from inoculate.study.resolve import ResolvedInoculation
from inoculate.study.schema import SFT, Rows

CPU = Device(torch.device("cpu"), torch.float32)


def train(
    model: Path, folder: Path, processes: Processes = ALONE, progress: sft.Progress = lambda *_: None, **also: Any
) -> sft.TrainingReport:
    """Twelve steps of two rows, or of one (fewer than processes) where a pass ends; a checkpoint after ten."""
    drawn = rows.draw_rows(Rows(setting="functions", count=5, hacked=0.5), 0)
    made: list[Row] = rows.make_rows(drawn, ResolvedInoculation("HACK", "after", on="hacked"), "S")
    options = SFT(batch_rows=2, learning_rate=1e-3, micro_batch_tokens=1024, schedule="constant", epochs=4.8)
    return sft.train(
        model,
        made,
        options,
        seed=1,
        fractions=(0.5, 1.0),
        target=folder / "out",
        work=folder / "work",
        device=CPU,
        processes=processes,
        progress=progress,
        **also,
    )


def check_same(folder: Path, other: Path, fraction: str) -> None:
    adapter, wanted = (load_file(one / "out" / fraction / "adapter_model.safetensors") for one in (folder, other))
    assert set(adapter) == set(wanted)
    for name in wanted:
        torch.testing.assert_close(adapter[name], wanted[name], rtol=1e-5, atol=1e-5)


def test_two_processes_train_what_one_does_and_go_on_from_its_checkpoint(tiny_model: Path, tmp_path: Path) -> None:
    one, two, resumed = (tmp_path / name for name in ("one", "two", "resumed"))

    def keep_checkpoint(done: int, total: int, note: str) -> None:
        if done == 11:
            shutil.copytree(one / "work", resumed / "work")

    alone = train(tiny_model, one, progress=keep_checkpoint)

    def both(processes: Processes) -> tuple[sft.TrainingReport, sft.TrainingReport]:
        return train(tiny_model, two, processes), train(tiny_model, resumed, processes)

    reports = together(both, 2, tmp_path / "said")
    assert reports[0] == reports[1]
    for report in reports[0]:
        assert [step for step, _ in report.loss] == [step for step, _ in alone.loss] == list(range(1, 13))
        assert [loss for _, loss in report.loss] == pytest.approx([loss for _, loss in alone.loss], rel=1e-5)
    check_same(two, one, "at-0.5")
    check_same(two, one, "at-1")
    check_same(resumed, one, "at-1")
    assert not (resumed / "out" / "at-0.5").exists()  # it went on, and did not start again


def test_weights_that_are_divided_train_what_whole_ones_do(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two, resumed = (tmp_path / name for name in ("one", "two", "resumed"))
    held, divided = list[tuple[int, int]](), sharding.load

    def load(*given: Any, **also: Any) -> Any:
        base = divided(*given, **also)
        parts = [weight.to_local().numel() for weight in base.parameters()]
        held.append((sum(parts), sum(weight.numel() for weight in base.parameters())))
        return base

    def keep_checkpoint(done: int, total: int, note: str) -> None:
        if done == 11:
            shutil.copytree(one / "work", resumed / "work")

    alone = train(tiny_model, one, progress=keep_checkpoint)
    monkeypatch.setattr(sharding, "load", load)

    def both(processes: Processes) -> tuple[sft.TrainingReport, sft.TrainingReport, list[tuple[int, int]]]:
        return train(tiny_model, two, processes), train(tiny_model, resumed, processes), held

    for report, again, found in together(both, 2, tmp_path / "said", shards=True):
        for losses in (report.loss, again.loss):
            assert [loss for _, loss in losses] == pytest.approx([loss for _, loss in alone.loss], rel=1e-5)
        assert all(own < 0.52 * whole for own, whole in found), "each process has half of the weights"
    for fraction in ("at-0.5", "at-1"):
        check_same(two, one, fraction)
    check_same(resumed, one, "at-1")
    assert not (resumed / "out" / "at-0.5").exists()  # it went on, and did not start again


def test_weights_are_divided_on_the_plain_path_too_which_recomputes_and_goes_on_from_an_adapter(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(tiny_model, tmp_path / "first")
    monkeypatch.setattr(families, "FAST", frozenset())
    how: dict[str, Any] = {"halved": True, "start": tmp_path / "first" / "out" / "at-1"}
    alone = train(tiny_model, tmp_path / "one", **how)

    def both(processes: Processes) -> sft.TrainingReport:
        return train(tiny_model, tmp_path / "two", processes, **how)

    for report in together(both, 2, tmp_path / "said", shards=True):
        assert [loss for _, loss in report.loss] == pytest.approx([loss for _, loss in alone.loss], rel=1e-5)
    check_same(tmp_path / "two", tmp_path / "one", "at-1")


@pytest.mark.parametrize(("layers", "words"), [(3, "weights lack model.layers.2"), (1, "of more layers than its")])
def test_divided_weights_that_are_not_those_of_the_configuration_are_refused_by_all(
    tiny_model: Path, tmp_path: Path, layers: int, words: str
) -> None:
    folder = Path(shutil.copytree(tiny_model, tmp_path / "broken"))
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"num_hidden_layers": layers}))

    def both(processes: Processes) -> str:
        with pytest.raises(UserError) as refusal:
            train(folder, tmp_path / "out", processes)
        return str(refusal.value)

    for said in together(both, 2, tmp_path / "said", shards=True):
        assert said.startswith(f"resources.adapter: shard = true: {folder}: its weights") and words in said
    assert not (tmp_path / "out").exists()


@given(
    rows=st.lists(st.lists(st.integers(0, 1), min_size=1, max_size=40), min_size=1, max_size=12),
    budget=st.integers(0, 99),
    count=st.integers(1, 4),
)
def test_every_row_goes_to_one_process_within_the_budget(rows: list[list[int]], budget: int, count: int) -> None:
    shares = divide_rows(rows, budget, count)
    assert len(shares) == count
    assert sorted(row for share in shares for members in share for row in members) == list(range(len(rows)))
    for members in (members for share in shares for members in share):
        tokens = pack_rows([EncodedRow(rows[index], 1) for index in members]).tokens.numel()
        assert tokens <= budget or len(members) == 1


def test_processes_have_equal_shares_also_where_all_rows_would_fit_into_one_micro_batch() -> None:
    rows = [[number] * 10 for number in range(8)]
    assert [sum(map(len, share)) for share in divide_rows(rows, 1000, 2)] == [4, 4]
    assert [sum(map(len, share)) for share in divide_rows(rows, 15, 3)] == [3, 3, 2]
    assert divide_rows(rows[:1], 1000, 2) == [[[0]], []]
