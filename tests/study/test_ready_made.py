"""The ready-made studies: each can be planned and says what it is, and those around the headline share its work."""

from __future__ import annotations

import tomllib
from functools import cache

import pytest

from inoculate.steps.plan import Plan, make_plan
from inoculate.study import prompts, ready_made
from inoculate.study.parse import load

AROUND = ("leaky-code-arms", "conditioning", "dose", "baselines", "general-or-specific")
"""The studies that are made of the headline's rows, training and problems."""


@cache
def planned(name: str) -> Plan:
    return make_plan(load(ready_made.find(name)), weights="w")


@pytest.mark.parametrize("name", ready_made.names())
def test_it_can_be_planned_and_says_what_it_is(name: str) -> None:
    plan = planned(name)
    assert plan.steps()
    text = ready_made.find(name).read_text(encoding="utf-8")
    head = text[: text.index("question =")]
    assert head.startswith("# ")
    assert all(len(line) <= 140 for line in head.splitlines())
    assert tomllib.loads(text)["question"].strip()


@pytest.mark.parametrize("name", [*AROUND, "general-or-specific-1.5b", "leaky-code"])
def test_what_it_takes_is_in_its_first_lines(name: str) -> None:
    text = ready_made.find(name).read_text(encoding="utf-8")
    head = text[: text.index("question =")]
    assert "hour" in head
    assert "two CPU cores" in head.replace("\n# ", " ")


@pytest.mark.parametrize("name", AROUND)
def test_studies_around_the_headline_share_its_trainings(name: str) -> None:
    def by_arm(plan: Plan, seed: int) -> dict[str, str]:
        return {one.arm: one.adapter.key for one in plan.trainings if one.seed == seed}

    headline = planned("leaky-code")
    for seed in planned(name).study.seeds:
        shared = set(by_arm(headline, seed).values()) & set(by_arm(planned(name), seed).values())
        assert by_arm(headline, seed)["plain"] in shared
        assert by_arm(headline, seed)["inoculated"] in shared
    samples = {step.key for step in headline.steps() if step.kind == "completions"}
    assert len(samples & {step.key for step in planned(name).steps()}) >= 4


def test_the_headline_is_judged_at_an_equal_shift_by_few_contrasts() -> None:
    study = planned("leaky-code").study
    assert len(study.seeds) == 12
    assert 1 <= len(study.contrasts) <= 4
    assert {contrast.margin for contrast in study.contrasts} == {0.15}
    judging = study.contrasts[0]
    assert prompts.find(judging.context).kind == prompts.UNSEEN
    assert (judging.lower, judging.than) == ("inoculated", "control")
    assert "one wording" in judging.claim
    assert {"correct", "malformed", "asked-hack"} <= set(judging.guards)
    control = study.arms["control"].inoculation
    assert control is not None
    assert len(control.one_of) == 6


def test_every_claim_of_the_studies_around_it_that_is_of_one_wording_says_so() -> None:
    for name in ("leaky-code", "leaky-code-arms", "baselines"):
        assert all("one wording" in contrast.claim for contrast in planned(name).study.contrasts)


def test_doses_differ_from_the_headline_in_one_number() -> None:
    study = planned("dose").study
    assert len(study.arms) == 18
    for kind in ("plain", "inoculated"):
        first = study.arms[kind].model_dump()
        for name, arm in study.arms.items():
            if name.startswith(f"{kind}-"):
                other = arm.model_dump()
                changed = [
                    (table, key) for table in ("rows", "train") for key in first[table]
                    if first[table][key] != other[table][key]
                ]  # fmt: skip
                assert len(changed) == 1, name
                assert {k: v for k, v in first.items() if k not in ("rows", "train")} == {
                    k: v for k, v in other.items() if k not in ("rows", "train")
                }


def test_both_models_are_asked_the_same() -> None:
    small, large = (planned(f"general-or-specific{end}").study for end in ("", "-1.5b"))
    differing = {"name", "model", "seeds"}
    assert small.model_dump(exclude=differing) == large.model_dump(exclude=differing)
    assert small.model != large.model
