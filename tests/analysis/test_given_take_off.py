"""Two differences where a seed of RL does not take off: over all seeds, and given take-off."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from inoculate.analysis import analyse
from inoculate.analysis.table import contrast_table
from inoculate.analysis.verdicts import ONE_SEED
from rl_runs import rl_entry, rl_study, write_rows, write_training

New = Callable[..., Any]
UNTRAINED = {"a": "cccc", "b": "cccc"}
TAKES_OFF = {"untrained": UNTRAINED, "steps": [{"a": "hhhh", "b": "hhhh"}] * 2}
STAYS = {"untrained": UNTRAINED, "steps": [{"a": "cccc", "b": "cccc"}] * 2}


def make(
    new_run: New, tmp_path: Path, trainings: list[dict[str, Any]], claimed: str = "inoculated", **facts: Any
) -> dict[str, Any]:
    """A contrast of two arms of SFT on the trajectories of `rewarded`: with an effect only where that took off.

    Args:
        new_run: The fixture.
        tmp_path: Where.
        trainings: What happened in `rewarded`, by seed.
        claimed: The arm that the contrast is about.
        facts: Of the manifest.
    """
    run = new_run()
    arms = run.manifest["study"]["arms"]
    arms["rewarded"] = rl_study(steps=2, onset={"steps": 1})
    for arm in ("plain", "inoculated"):
        arms[arm]["rows"] = {"setting": "functions", "trajectories": {"arm": "rewarded"}}
    run.contrasts({**run.CONTRAST, "guards": [], "lower": claimed})
    run.manifest |= facts
    for seed, one in enumerate(trainings):
        folder = write_training(tmp_path / f"rl-{seed}", **one)
        rows = write_rows(tmp_path / f"rows-{seed}", [one["untrained"]])
        run.manifest["training"].append(rl_entry("rewarded", seed, folder, rows))
        hacks = 12 if one is TAKES_OFF else 1
        run.cell("plain", seed, run.rates(hack=hacks))
        run.cell("inoculated", seed, run.rates(hack=2))
        run.cell("rewarded", seed, run.rates(hack=hacks))
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


def test_seeds_beyond_the_look_are_not_chosen_from(new_run: New, tmp_path: Path) -> None:
    trainings = [TAKES_OFF, STAYS, TAKES_OFF, TAKES_OFF]
    found = make(new_run, tmp_path, trainings, declared_seeds=[0, 1, 2, 3], extended_seeds=[3])
    assert found["given_take_off"]["finished"] == [0, 1, 2] and found["given_take_off"]["took_off"] == [0, 2]


def test_one_seed_has_a_difference_and_no_interval(new_run: New, tmp_path: Path) -> None:
    given = make(new_run, tmp_path, [TAKES_OFF, STAYS, STAYS])["given_take_off"]
    assert given["difference"] == pytest.approx(-0.5)
    assert (given["low"], given["high"], given["reason"]) == (None, None, ONE_SEED)


def test_chosen_seeds_make_no_pool_of_the_run(new_run: New, tmp_path: Path) -> None:
    make(new_run, tmp_path, [TAKES_OFF, STAYS, TAKES_OFF], declared_borrow=["plain", "inoculated"])
    pools = json.loads((tmp_path / "results.json").read_text())["borrowing"]["pools"]
    assert len(pools) == 1


@pytest.mark.parametrize(("claimed", "outcome"), [("inoculated", []), ("rewarded", ["rewarded"])])
def test_it_is_known_whether_seeds_are_chosen_by_the_result(
    new_run: New, tmp_path: Path, claimed: str, outcome: list[str]
) -> None:
    given = make(new_run, tmp_path, [TAKES_OFF, STAYS], claimed)["given_take_off"]
    assert given["outcome"] == outcome
    shown = Console(width=200, file=io.StringIO(), record=True)
    shown.print(contrast_table(json.loads((tmp_path / "results.json").read_text())))
    assert ("chosen by the result" in shown.export_text()) == bool(outcome)
