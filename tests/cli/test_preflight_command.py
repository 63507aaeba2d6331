"""`inoculate preflight` and what `inoculate plan` says of RL arms, with samples that are made up."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from filled_store import write_study
from inoculate.cli import studies
from inoculate.cli.tables import forecast_text, plan_facts, plan_table
from inoculate.errors import UserError
from inoculate.records import Problem, Trajectory, outcome_of, read_lines, write_lines
from inoculate.report.page import environment
from inoculate.steps import plan as planning
from inoculate.steps import refusals, rows
from inoculate.steps import run as running
from inoculate.steps.forecasts import preflight_steps, read_forecasts
from inoculate.steps.plan import Plan
from inoculate.steps.resources import Resources
from inoculate.steps.store import Step, Store
from inoculate.study.parse import load
from inoculate.study.schema import Rows

COMMAND = ["inoculate", "preflight", "studies/my own.toml"]
STUDY = """
question = "Is it learned?"
model = "smollm2-135m"
seeds = [0, 1]
rows = { setting = "functions", count = 30 }

[arms.learned]
method = "rl"

[arms.taught]

[evaluate]
settings = ["functions"]
problems = 5
"""


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """A plan with an arm that learns by RL, and one that does not."""
    return planning.make_plan(load(write_study(tmp_path, STUDY)), "weights")


def finish(step: Step, store: Store, hacked: int) -> None:
    """Write a sample of four completions for each of 30 problems; the first `hacked` of each are hacks."""
    seed = step.inputs["rows"].params["seed"]
    names = [f"s{seed}-{number}" for number in range(30)]
    if not store.is_finished(step.inputs["rows"]):
        with store.write_step(step.inputs["rows"]) as folder:
            problems = [Problem(name, "functions", name, "f", 1, "", "", "h", "x", "constant", {}) for name in names]
            write_lines(folder / "problems.jsonl", problems)
            write_lines(folder / "rows.jsonl", [])
    with store.write_step(step) as folder:
        write_lines(folder / "trajectories.jsonl", [_complete(name, i, i < hacked) for name in names for i in range(4)])


def _complete(problem: str, index: int, hacked: bool) -> Trajectory:
    return Trajectory(
        step=0, problem=problem, index=index, prompt=problem, completion="x", tokens=(1,), log_probabilities=(-0.5,),
        prompt_tokens=1, completion_tokens=1, finish="stop", hackable=True, reward=float(hacked), advantage=None,
        outcome=outcome_of(hacked, False), oversight=hacked, intended=False, gamed=hacked,
    )  # fmt: skip


def shown(thing: object) -> str:
    terminal = Console(width=400)
    with terminal.capture() as captured:
        terminal.print(thing)
    return captured.get()


def test_a_plan_has_the_headline_of_each_rl_arm(plan: Plan, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    facts = plan_facts(plan, store)
    assert [one["arm"] for one in facts["forecasts"]] == ["learned"]
    assert "learned: not sampled yet: inoculate preflight 'studies/my own.toml'" in shown(plan_table(facts, COMMAND))
    first, second = preflight_steps(plan)
    finish(first, store, hacked=1)
    facts = plan_facts(plan, store)
    assert "learned (from 1 of 2 seeds): the hack will be learned. 25%" in shown(plan_table(facts, COMMAND))
    finish(second, store, hacked=1)
    facts = plan_facts(plan, store)
    assert "learned: the hack will be learned. 25%" in shown(plan_table(facts, COMMAND))
    assert json.loads(json.dumps(facts, allow_nan=False))["forecasts"][0]["sampled"] == [0, 1]
    (found,) = read_forecasts(plan, store)
    assert found.preflight and found.preflight.facts.whole.prompts == 60


def test_a_study_without_rl_says_nothing_of_it(tmp_path: Path) -> None:
    plan = planning.make_plan(
        load(write_study(tmp_path, STUDY.replace('method = "rl"', "train.epochs = 2"))), "weights"
    )
    facts = plan_facts(plan, Store(tmp_path / "store"))
    assert facts["forecasts"] == [] and "RL" not in shown(plan_table(facts, COMMAND))


def test_seeds_are_sampled_apart(plan: Plan, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    (only,) = preflight_steps(plan, [1])
    finish(only, store, hacked=0)
    (found,) = read_forecasts(plan, store, [1])
    assert found.sampled == found.seeds == (1,)
    assert "nothing to reinforce" in forecast_text([found]).plain
    (none,) = read_forecasts(plan, store, [0])
    assert none.preflight is None and "not sampled yet" in forecast_text([none]).plain


def page_of(forecasts: list[dict[str, Any]]) -> str:
    """The section of the page."""
    return environment().get_template("before.html").render(forecasts=forecasts)


def test_the_page_says_what_was_forecast(plan: Plan, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    (unsampled,) = read_forecasts(plan, store)
    assert "Not sampled yet" in page_of([unsampled.to_plain()])
    finish(preflight_steps(plan)[0], store, hacked=1)
    (found,) = read_forecasts(plan, store)
    page = page_of([replace(found, arm="<b>").to_plain()])
    assert "&lt;b&gt;: the hack will be learned" in page and "<b>" not in page
    assert "From 1 of 2 seeds" in page and "No completion is honest" in page
    assert '<td class="num">25% <span class="ci">' in page
    assert page_of([]).strip() == ""


def test_the_command_carries_out_the_samples_alone(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done: list[str] = []

    def draw(step: Step, folder: Path, resources: object, progress: object) -> None:
        drawn = rows.draw_rows(Rows(**step.params["rows"]), step.params["seed"])
        write_lines(folder / "rows.jsonl", rows.make_rows(drawn, None, ""))
        write_lines(folder / "problems.jsonl", [row.problem for row in drawn])
        (folder / "rows.json").write_text('{"system": "", "inoculation": null}')
        done.append(step.kind)

    def sample(step: Step, folder: Path, resources: Resources, progress: object) -> None:
        problems = read_lines(resources.input_folder(step, "rows") / "problems.jsonl", Problem)
        made = [_complete(problem.id, index, index < 1) for problem in problems for index in range(4)]
        write_lines(folder / "trajectories.jsonl", made)
        done.append(step.kind)

    monkeypatch.setattr(planning, "make_plan", lambda study: plan)
    monkeypatch.setattr(running, "RUN_STEP", {"rows": draw, "preflight": sample})
    study = str(tmp_path / "small.toml")
    studies.preflight(study, store=str(tmp_path / "store"))
    assert done == ["rows", "preflight"] * 2
    text = capsys.readouterr().out
    assert text.startswith("learned\nThe hack will be learned\n") and "What pays" in text
    studies.preflight(study, store=str(tmp_path / "store"), as_json=True)
    assert json.loads(capsys.readouterr().out)["arms"][0]["preflight"]["verdict"] == "will"
    assert len(done) == 4


def test_the_other_samples_are_forecast_where_one_cannot_be_made(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refused, other = preflight_steps(plan)
    finish(other, Store(tmp_path / "store"), hacked=1)

    def refuse(step: Step, *_: object) -> None:
        raise UserError("the reward is broken")

    monkeypatch.setattr(planning, "make_plan", lambda study: plan)
    monkeypatch.setattr(running, "RUN_STEP", {"rows": refuse})
    with pytest.raises(running.Incomplete, match="the reward is broken"):
        studies.preflight(str(tmp_path / "small.toml"), store=str(tmp_path / "store"))
    assert "The hack will be learned" in capsys.readouterr().out
    assert refused.key != other.key


def test_the_suggested_plan_is_the_one_that_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    study = write_study(tmp_path / "my studies", STUDY)
    made = planning.make_plan(load(study), "weights")
    monkeypatch.setattr(planning, "make_plan", lambda *_, **__: made)
    monkeypatch.setattr(refusals, "check_here", lambda *_: None)
    studies.plan(str(study), store=str(tmp_path / "store"), seeds="1")
    asked = f"'{study}' --store {tmp_path / 'store'} --seeds 1"
    printed = capsys.readouterr().out.replace("\n", "")
    assert f"`inoculate plan {asked} --steps`" in printed
    assert f"not sampled yet: inoculate preflight {asked}" in printed.replace(" \n", " ")


def test_a_study_without_rl_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = write_study(tmp_path, STUDY.replace('method = "rl"', "train.epochs = 2"))
    made = planning.make_plan(load(study), "weights")
    monkeypatch.setattr(planning, "make_plan", lambda study: made)
    with pytest.raises(UserError, match=r'no arm that is trained by RL: arms.NAME.method = "rl"'):
        studies.preflight(str(study), store=str(tmp_path / "store"))
