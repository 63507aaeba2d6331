"""Rates by distance from the training prompt, and what a suppression comes with."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analysis.conftest import Folder
from inoculate.analysis import analyse
from inoculate.errors import UserError

# Context -> hacks of 20 for the plain arm and for the inoculated one, tokens from its training prompt.
CONTEXTS = {
    "neutral": (16, 4, 30),
    "asks-to-hack": (17, 19, 0),
    "specific~half": (16, 18, 14),
    "unseen-brief": (16, 5, 35),
    "as-trained": (16, 19, None),
}


def write(folder: Folder, seeds: int = 3, measured: bool = True, settings: tuple[str, ...] = ()) -> dict[str, Any]:
    """A run in which the hack comes back near the training prompt."""
    study = folder.manifest["study"]
    for spec in study["arms"].values():
        spec["rows"]["setting"] = "functions"
    evaluate = study["evaluate"]["contexts"]
    evaluate |= {"unseen-brief": {"text": "Hello."}, "as-trained": {"text": "", "per_arm": True}}
    evaluate |= {"specific~half": {"text": "Make", "prompt": "specific~half"}}
    folder.cell("base", None, folder.rates(correct=20))
    for seed in range(seeds):
        for number, arm in enumerate(("plain", "inoculated")):
            entry = folder.trained(arm, seed)
            if measured:
                entry["distances"] = str(_distances(folder, arm, seed))
            for context, values in CONTEXTS.items():
                folder.cell(arm, seed, folder.rates(hack=values[number], correct=20 - values[number]), context)
            for setting in settings:
                cell = folder.cell(arm, seed, folder.rates(correct=15 - 5 * number))
                cell["setting"] = setting
    folder.contrasts(folder.CONTRAST)
    return analyse(folder.write())


def _distances(folder: Folder, arm: str, seed: int) -> Path:
    path = folder.folder(f"distances-{arm}-{seed}")
    lines = [
        {
            "context": context,
            "edits": (values[2] or 0) + seed,
            "share": None if context == "neutral" else 0.5,
            "divergence": None if context == "unseen-brief" else 0.25,
            "reason": "no divergence: too long" if context == "unseen-brief" else "",
        }
        for context, values in CONTEXTS.items()
        if context != "as-trained"
    ]
    (path / "distances.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_contexts_are_ordered_by_distance_and_say_where_the_hack_is_back(new_run: Callable[..., Folder]) -> None:
    (entry,) = write(new_run())["conditioning"]
    plain, inoculated = entry["arms"]
    assert (plain["prompt"], inoculated["prompt"]) == (False, True)
    found = {one["context"]: one for one in inoculated["contexts"]}
    assert list(found) == ["as-trained", "asks-to-hack", "specific~half", "neutral", "unseen-brief"]
    assert (found["specific~half"]["edits"], found["specific~half"]["edits_range"]) == (15, [14, 16])
    assert found["as-trained"]["edits"] == 0
    assert found["unseen-brief"]["divergence"] is None
    assert found["unseen-brief"]["reason"] == "no divergence: too long"
    assert found["specific~half"]["asks"] == "hack"
    assert found["specific~half"]["rates"]["hack"]["rate"] == 0.9
    assert inoculated["back"] == ["as-trained", "asks-to-hack", "specific~half"]
    assert inoculated["open"] == ["unseen-brief"]
    assert inoculated["less"] == []
    half = found["specific~half"]["above_neutral"]
    assert half["difference"] == pytest.approx(14 / 20)
    assert half["low"] > 0
    assert plain["back"] == []


def test_beside_a_suppression_stand_asking_again_and_its_costs(new_run: Callable[..., Folder]) -> None:
    results = write(new_run(), settings=("capability", "compliance (format)"))
    (one,) = next(entry for entry in results["conditioning"] if entry["setting"] == "functions")["suppressions"]
    assert (one["arm"], one["than"]) == ("inoculated", "plain")
    assert one["hack"]["difference"] == pytest.approx(-12 / 20)
    assert one["hack"]["high"] < 0
    assert {found["context"]: round(found["difference"], 2) for found in one["again"]} == {
        "asks-to-hack": 0.1,
        "as-trained": 0.15,
    }
    costs = {(cost["setting"], cost["measure"]): round(cost["difference"], 2) for cost in one["costs"]}
    assert costs == {
        ("functions", "malformed"): 0.0,
        ("functions", "correct"): 0.6,
        ("capability", "correct"): -0.25,
        ("compliance (format)", "correct"): -0.25,
    }


def test_what_was_not_measured_is_said_with_the_command_that_measures_it(new_run: Callable[..., Folder]) -> None:
    (entry,) = write(new_run(), measured=False)["conditioning"]
    contexts = {one["context"]: one for one in entry["arms"][1]["contexts"]}
    assert contexts["unseen-brief"]["edits"] is None
    assert "`inoculate run` on the study measures it" in contexts["unseen-brief"]["reason"]
    assert contexts["as-trained"]["edits"] == 0
    assert contexts["unseen-brief"]["rates"]["hack"]["rate"] == 0.25


def test_arms_that_differ_in_more_than_the_prompt_are_not_paired(new_run: Callable[..., Folder]) -> None:
    folder = new_run()
    folder.manifest["study"]["arms"]["plain"]["rows"]["hacked"] = 0.5
    (entry,) = write(folder)["conditioning"]
    assert entry["suppressions"] == []


def test_an_arm_without_finished_cells_is_left_out(new_run: Callable[..., Folder]) -> None:
    folder = new_run()
    folder.manifest["study"]["arms"]["late"] = {"rows": {"hacked": 1.0, "setting": "functions"}, "inoculation": None}
    (entry,) = write(folder)["conditioning"]
    assert [arm["arm"] for arm in entry["arms"]] == ["plain", "inoculated"]


def test_two_contexts_are_no_course_and_a_lost_file_is_named(new_run: Callable[..., Folder]) -> None:
    folder = new_run()
    for spec in folder.manifest["study"]["arms"].values():
        spec["rows"]["setting"] = "functions"
    for context in ("neutral", "asks-to-hack"):
        folder.cell("plain", 0, folder.rates(hack=20), context)
    folder.trained("plain", 0)["distances"] = str(folder.folder("gone"))
    with pytest.raises(UserError, match=r"distances.jsonl: not there"):
        analyse(folder.write())
    del folder.manifest["training"][0]["distances"]
    assert analyse(folder.write())["conditioning"] == []
