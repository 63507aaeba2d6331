"""What `plan` draws and which of the user's functions it loads: nothing twice, and nothing that is not to be run."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from inoculate.cli.new import new_setting
from inoculate.cli.tables import plan_facts, plan_table
from inoculate.errors import UserError
from inoculate.settings.rows import user_grader
from inoculate.steps import refusals, reward_functions, rows
from inoculate.steps.plan import Plan, make_plan
from inoculate.steps.store import Store
from inoculate.study.parse import parse

RAW: dict[str, Any] = {
    "question": "?",
    "model": "m",
    "seeds": [0, 1],
    "rows": {"setting": "rows", "source": "own.jsonl", "count": 4, "grader": "trains.py:grade"},
    "arms": {
        "taught": {},
        "reinforced": {
            "method": "rl",
            "rl": {"prompts_per_step": 2, "hackable": 0.5, "reward": [{"function": "reward.py:reward"}]},
        },
    },
    "evaluate": {
        "settings": ["rows"],
        "problems": 2,
        "contexts": ["neutral"],
        "each": {"rows": {"source": "own.jsonl", "grader": "judges.py:grade"}},
    },
}
LINE = '{{"id": "q{0}", "kind": "k{0}", "split": "{1}", "prompt": "How much is {0}?", "completion": "{0}"{2}}}\n'


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The seeds of the draws of rows."""
    seeds: list[int] = []
    draw_rows = rows.draw_rows

    def noted(table: Any, seed: int, hackable: Any = None) -> Any:
        seeds.append(seed)
        return draw_rows(table, seed, hackable)

    monkeypatch.setattr(rows, "draw_rows", noted)
    return seeds


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, drawn: list[int]) -> Plan:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(user_grader, "check_grader", lambda *_: None)
    lines = [(number, "train", f', "hacked": "{number}0"' if number < 6 else "") for number in range(12)]
    lines += [(number, "test", "") for number in range(20, 24)]
    Path("own.jsonl").write_text("".join(LINE.format(*line) for line in lines))
    return make_plan(parse(RAW, "study", "study.toml"), "weights")


def test_what_was_drawn_for_the_plan_is_not_drawn_again(plan: Plan, drawn: list[int]) -> None:
    assert sorted(drawn) == [0, 0, 1, 1]  # for SFT and for RL
    for training in plan.trainings:
        assert len(rows.draw(training.rows, plan.draw)) == 4
    assert len(drawn) == 4


def test_only_functions_that_are_still_to_be_called_are_loaded(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []
    monkeypatch.setattr(user_grader, "check_starts", lambda name, *_: loaded.append(name))
    monkeypatch.setattr(reward_functions.user_function, "check_starts", lambda name, *_: loaded.append(name))
    for kinds, names in (
        ({"adapter", "completions"}, set[str]()),
        ({"grades"}, {"judges.py:grade"}),
        ({"row-grades"}, {"trains.py:grade"}),
        ({"rl"}, {"trains.py:grade", "reward.py:reward"}),
        ({step.kind for step in plan.steps()}, {"judges.py:grade", "trains.py:grade", "reward.py:reward"}),
    ):
        loaded.clear()
        refusals._check_functions(plan, [step for step in plan.steps() if step.kind in kinds])
        assert set(loaded) == names and len(set(loaded)) == len(loaded), kinds


def test_a_control_that_is_too_short_is_refused_before_any_work(tiny_model: Path, tmp_path: Path) -> None:
    long = " ".join(f"Word {number} follows." for number in range(400))
    raw = RAW | {
        "model": str(tiny_model),
        "prompts": {"long": long},
        "rows": {"setting": "mathematics", "count": 4},
        "arms": {"plain": {}, "control": {"inoculation": {"prompt": "irrelevant", "like": "long"}}},
        "evaluate": {"settings": ["mathematics"], "problems": 2},
    }
    made = make_plan(parse(raw, "study", "study.toml"), "weights")
    with pytest.raises(UserError, match=r"^arms\.control\.inoculation\.like: the control .* is to have"):
        refusals.check_here(made, Store(tmp_path / "store"))


OWN = RAW | {
    "rows": {"setting": "rows", "source": "own.jsonl", "count": 4},
    "arms": {"plain": {}},
    "evaluate": {"settings": ["mathematics"], "problems": 2},
}


@pytest.mark.parametrize(
    ("words", "train", "message"),
    [
        (800, {}, r"^arms\.plain\.train\.micro_batch_tokens: problem '7' of own\.jsonl has \d+ tokens .* raise it to"),
        (
            9000,
            {"micro_batch_tokens": 99999},
            r"^arms\.plain\.rows\.source: problem '7' .* the model's context of 4096",
        ),
        (3, {}, ""),
    ],
)
def test_a_row_that_is_too_long_is_refused_before_any_work(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: int, train: dict[str, int], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    rows_made = [{"id": str(n), "split": "train", "prompt": f"Say {n}.", "completion": f"{n}"} for n in range(8)]
    rows_made[7]["completion"] = "well " * words
    Path("own.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows_made))
    raw = OWN | {"model": str(tiny_model), "train": train, "rows": OWN["rows"] | {"count": 8, "hacked": 0.0}}
    made = make_plan(parse(raw, "study", "study.toml"), "weights")
    with pytest.raises(UserError, match=message) if message else nullcontext():
        refusals.check_here(made, Store(tmp_path / "store"))


def test_a_setting_of_ones_own_grades_an_answer_before_any_work(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = new_setting("mine", Path())
    path.write_text(path.read_text().replace("        yield Grade(", "        yield ("))
    raw = OWN | {
        "model": str(tiny_model),
        "rows": {"setting": "./mine.py", "count": 4},
        "evaluate": {"settings": ["./mine.py"], "problems": 2},
    }
    made = make_plan(parse(raw, "study", "study.toml"), "weights")
    with pytest.raises(UserError, match=r"^evaluate\.settings: \./mine\.py:\d+: grade\(\.\.\.\)\[0\] is a list: Grade"):
        refusals.check_here(made, Store(tmp_path / "store"))


def test_arms_with_fewer_rows_than_a_step_takes_are_named(tiny_model: Path, tmp_path: Path) -> None:
    raw = OWN | {
        "model": str(tiny_model),
        "rows": {"setting": "mathematics_plain", "count": 8, "hacked": 0.0},
        "train": {"batch_rows": 64, "epochs": 3},
    }
    facts = plan_facts(make_plan(parse(raw, "study", "study.toml"), "weights"), Store(tmp_path / "store"))
    said = "arms.plain.train.batch_rows = 64, and the arm has 8 rows: a step has all of them, and its training 1 step"
    assert facts["remarks"] == [said]
    assert any(said in str(line) for line in plan_table(facts, []).renderables)
