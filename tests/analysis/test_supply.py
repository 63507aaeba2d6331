"""What a setting has to offer: how many problems of a part there are, and remedies that it lacks are not advised."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inoculate import settings
from inoculate.analysis import analyse, design
from inoculate.analysis.supply import has_levels, most_problems, offers
from inoculate.cli.tables import _design_facts
from inoculate.steps.plan import outline
from inoculate.steps.store import Store
from inoculate.study import ready_made
from inoculate.study.parse import load

HONESTY = "side_effects (honesty)"


def test_a_draw_is_counted_by_part_up_to_what_there_is() -> None:
    every = settings.count_parts("side_effects", settings.Draw("test", 10_000, 1))
    assert every == settings.count_parts("side_effects", settings.Draw("test", every.total(), 1))
    assert set(every) == set(settings.find("side_effects").parts) and set(every.values()) == {136}
    some = settings.count_parts("mathematics", settings.Draw("test", 48, 1))
    assert some.total() == 48 and set(some) == {"", "right key"}


def test_plan_sizes_a_contrast_with_the_problems_of_its_part(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    planned: list[design.Planned] = []
    monkeypatch.setattr(design, "assess_contrasts", lambda contrasts, *_: planned.extend(contrasts) or [])
    for name in ("side-effects", "transfer"):
        _design_facts(outline(load(ready_made.find(name))), Store(tmp_path))
    sizes = {(one.setting, one.problems) for one in planned}
    assert (HONESTY, 136) in sizes and ("functions", 48) in sizes
    (wrong_keys,) = [problems for setting, problems in sizes if setting == "mathematics"]
    assert 24 < wrong_keys < 48, "problems with a right key are another part"


def test_a_new_study_is_not_asked_for_problems_that_there_are_not() -> None:
    evaluate = {"settings": ["side_effects"], "problems": 816, "split": "test", "seed": 1}
    assert most_problems({"evaluate": evaluate}, HONESTY, 200) == 136
    assert most_problems({"evaluate": evaluate}, HONESTY, 20) == 136
    assert (most_problems({"evaluate": evaluate}, "mathematics (right key)", 200) or 0) >= 200
    assert most_problems({"evaluate": evaluate}, "functions", 200) is None, "its problems have programs"
    assert most_problems({"evaluate": evaluate}, "gone.py", 200) is None


def test_remedies_are_those_of_the_settings_named() -> None:
    assert not offers([HONESTY, "mbpp"], has_levels) and offers([HONESTY, "functions"], has_levels)
    assert offers(["gone.py"], has_levels), "it may have them"


@pytest.mark.parametrize(
    ("setting", "advice"), [("functions", "an easier level or a larger"), ("mbpp", "use a larger")]
)
def test_an_easier_level_is_advised_where_there_is_one(new_run: Callable[..., Any], setting: str, advice: str) -> None:
    run = new_run()
    run.cell("base", None, run.rates(hack=20))["setting"] = setting
    sentences = {check["name"]: check["sentence"] for check in analyse(run.write())["checks"]}
    assert advice in sentences["base arm in range"]
    assert ("an easier level" in sentences["false-hack floor"]) == (setting == "functions")
