"""From a study of prompts to its effects and correlations: run on the tiny model, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from inoculate.cli import studies
from inoculate.errors import UserError
from inoculate.report.results import read_results
from inoculate.steps.plan import make_plan
from inoculate.study.parse import load
from small_study import STUDY as SMALL

STUDY = (
    SMALL.partition("[arms.plain]")[0]
    + """
[arms.plain]
[arms.specific]
inoculation = {{ prompt = "specific" }}
[arms.general]
inoculation = {{ prompt = "general" }}
[arms.irrelevant]
inoculation = {{ prompt = "irrelevant" }}
[arms.asked]
rows.families = ["lists"]
inoculation = {{ prompt = "specific", on = "hacked" }}
[arms.plain-from-asked]
start = "asked"
[arms.specific-from-asked]
start = "asked"
inoculation = {{ prompt = "specific" }}

[evaluate]
settings = ["functions"]
contexts = ["neutral"]
problems = 4
max_new_tokens = 8
fractions = [1.0]

[screen]
problems = 4
answers = 2

[factorial]
prompts = ["specific", "general"]

[elicitation]
plain = "plain"
"""
)


def study_of(tmp_path: Path, model: object, old: str = "", new: str = "") -> Path:
    path = tmp_path / "prompts.toml"
    assert old in STUDY
    path.write_text(STUDY.replace(old, new).format(model=model), encoding="utf-8")
    return path


def test_a_study_of_prompts_from_the_command_to_the_report(tiny_model: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    path = study_of(tmp_path, tiny_model)
    studies.run(str(path), store=str(store))
    results = read_results(store / "runs" / "prompts")
    assert [point["arm"] for point in results.elicitation["points"]] == ["specific", "general", "irrelevant"]
    assert all(point["added"] is not None for point in results.elicitation["points"])
    assert [point["arm"] for point in results.elicitation["points"] if point["irrelevant"]] == ["irrelevant"]
    assert all("not enough" in one["says"] for one in results.elicitation["correlations"])
    (start,) = results.elicitation["starts"]
    assert (start["arm"], start["same_from_base"], start["seeds"]) == ("specific-from-asked", "specific", 1)
    assert [cell["arm"] for cell in results.factorial["cells"]] == ["specific", "general"]
    (effect,) = results.factorial["effects"]
    assert (effect["factors"], effect["levels"], effect["low"]) == (["prompt"], ["general"], None)
    assert "one seed" in results.factorial["reason"]
    page = (store / "runs" / "prompts" / "report.html").read_text(encoding="utf-8")
    assert 'id="factorial"' in page
    assert 'id="elicitation"' in page
    assert (store / "runs" / "prompts" / "tables" / "elicitation.csv").exists()
    adapters = {training.arm: training.adapter for training in make_plan(load(path)).trainings}
    assert adapters["plain-from-asked"].inputs["start"] == adapters["asked"]
    assert "start" not in adapters["plain"].inputs


@pytest.mark.parametrize("table", ["[factorial]", "[elicitation]"])
def test_it_may_be_of_a_part_and_in_a_context_of_that_setting_alone(tmp_path: Path, table: str) -> None:
    path = study_of(tmp_path, "m", table, f'{table}\nsetting = "mathematics (right key)"\ncontext = "negated"')
    both = '["functions", "mathematics"]\neach.mathematics.contexts = ["negated"]'
    path.write_text(path.read_text().replace('settings = ["functions"]', f"settings = {both}"))
    assert load(path)
    path.write_text(path.read_text().replace('context = "negated"', 'context = "neutral"'))
    with pytest.raises(UserError, match=r"context: in setting 'mathematics \(right key\)', not evaluated: 'neutral'"):
        load(path)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('start = "asked"\ninoc', 'start = "askd"\ninoc', "start: not an arm.*'askd'.*did you mean 'asked'"),
        (
            'start = "asked"\ninoc',
            'start = "plain-from-asked"\ninoc',
            "start: not an arm of SFT that starts from the",
        ),
        ('start = "asked"\ninoc', 'start = "asked"\ntrain.lora_rank = 4\ninoc', "start: goes on with the adapter"),
        ("fractions = [1.0]", "fractions = [2.0]", "fractions: beyond 1.*'linear' of arm 'plain'"),
        ('plain = "plain"', 'plain = "plane"', "elicitation.plain: unknown arm 'plane'.*did you mean 'plain'"),
        ('plain = "plain"', 'plain = "general"', "elicitation.plain: arm 'general' has an inoculation"),
        ('prompts = ["specific", "general"]', 'prompts = ["praise"]', "factorial.prompts: no arm has the prompt"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, old: str, new: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        load(study_of(tmp_path, "m", old, new))
