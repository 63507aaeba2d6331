"""Two differences where a seed of RL does not take off: over all seeds, and given take-off."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inoculate.analysis import analyse
from rl_runs import rl_entry, rl_study, write_rows, write_training

New = Callable[..., Any]
UNTRAINED = {"a": "cccc", "b": "cccc"}
TAKES_OFF = {"untrained": UNTRAINED, "steps": [{"a": "hhhh", "b": "hhhh"}] * 2}
STAYS = {"untrained": UNTRAINED, "steps": [{"a": "cccc", "b": "cccc"}] * 2}


def make(new_run: New, tmp_path: Path, trainings: list[dict[str, Any]]) -> dict[str, Any]:
    """A contrast of two arms of SFT on the trajectories of `rewarded`: with an effect only where that took off."""
    run = new_run()
    arms = run.manifest["study"]["arms"]
    arms["rewarded"] = rl_study(steps=2, onset={"steps": 1})
    for arm in ("plain", "inoculated"):
        arms[arm]["rows"] = {"setting": "functions", "trajectories": {"arm": "rewarded"}}
    run.contrasts({**run.CONTRAST, "guards": []})
    for seed, one in enumerate(trainings):
        folder = write_training(tmp_path / f"rl-{seed}", **one)
        rows = write_rows(tmp_path / f"rows-{seed}", [one["untrained"]])
        run.manifest["training"].append(rl_entry("rewarded", seed, folder, rows))
        hacks = 12 if one is TAKES_OFF else 1
        run.cell("plain", seed, run.rates(hack=hacks))
        run.cell("inoculated", seed, run.rates(hack=2))
    return analyse(run.write())["contrasts"][0]


def test_both_are_given_where_a_seed_did_not_take_off(new_run: New, tmp_path: Path) -> None:
    found = make(new_run, tmp_path, [TAKES_OFF, STAYS, TAKES_OFF, TAKES_OFF])
    given = found["given_take_off"]
    assert (given["arms"], given["took_off"], given["finished"]) == (["rewarded"], [0, 2, 3], [0, 1, 2, 3])
    assert given["difference"] == pytest.approx(-0.5)
    assert found["difference"] == pytest.approx((3 * -0.5 + 0.05) / 4)  # the verdict is over all seeds
    assert found["seeds"] == 4 and given["low"] < given["difference"] < given["high"]


def test_one_difference_where_all_took_off(new_run: New, tmp_path: Path) -> None:
    assert make(new_run, tmp_path, [TAKES_OFF, TAKES_OFF])["given_take_off"] is None


def test_no_seed_took_off(new_run: New, tmp_path: Path) -> None:
    given = make(new_run, tmp_path, [STAYS, STAYS])["given_take_off"]
    assert (given["took_off"], given["difference"], given["reason"]) == ([], None, "no seed took off")


def test_a_study_without_rl_has_one_difference(new_run: New) -> None:
    run = new_run()
    run.contrasts({**run.CONTRAST, "guards": []})
    for arm in ("plain", "inoculated"):
        run.cell(arm, 0, run.rates(hack=3))
    assert analyse(run.write())["contrasts"][0]["given_take_off"] is None
