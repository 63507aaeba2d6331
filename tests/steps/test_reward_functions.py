"""A function of the user's as a reward: its numbers, its failures, and what is refused before any work."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from inoculate.analysis import analyse
from inoculate.cli import studies
from inoculate.engine.training import expert_iteration
from inoculate.errors import UserError
from inoculate.grading import user_function
from inoculate.integrations import methods
from inoculate.records import Problem, Trajectory, read_lines
from inoculate.settings import Draw, find
from inoculate.settings.rows import user_grader
from inoculate.steps import reward_functions
from inoculate.steps.plan import make_plan
from inoculate.steps.rewards import Scorer
from inoculate.steps.store import Store
from inoculate.study.parse import load
from inoculate.study.schema import RL, Reward
from running import carried_out
from small_study import RL_STUDY

FUNCTIONS = """
import os, time

def length(problem, completion):
    return -len(completion) / 8

def sometimes(problem, completion):
    if len(completion) % 2:
        raise ValueError("odd")
    return len(completion)

def moody(problem, completion):
    if completion == "raise":
        return {}["nothing"]
    if completion == "die":
        os.kill(os.getpid(), 9)
    if completion == "hang":
        time.sleep(99)
    odd = {"none": None, "nan": float("nan"), "large": 1e300, "list": [1.0], "text": "1", "yes": True}
    return odd.get(completion, 0.25)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(FUNCTIONS)
    return path


def some_problems(count: int) -> list[Problem]:
    return find("mathematics").problems(Draw("train", count, 0))


def scorer(file: Path, *names: str, oversight: bool = False) -> Scorer:
    parts: list[dict[str, Any]] = [{"oversight": "", "function": f"{file}:{name}", "weight": 0.5} for name in names]
    parts += [{"oversight": "", "weight": 1.0}] if oversight else []
    return Scorer(parts, some_problems(4), ["mathematics"] * 4)


def test_failures_are_unscorable_and_say_where(file: Path) -> None:
    asked = ["raise", "die", "none", "nan", "large", "list", "text", "yes", "else"]
    with scorer(file, "moody") as scored:
        rewards = scored.score([0] * len(asked), asked)
    assert rewards == [[None]] * 7 + [[1.0], [0.25]]
    words = ["mine.py:14: KeyError: 'nothing'", "process ended (exit code -9)", *["mine.py:12: 'moody' returned"] * 5]
    assert all(word in reason for word, reason in zip(words, scored.reasons, strict=False))
    assert scored.reasons[7:] == ["", ""]


def test_one_that_hangs_is_asked_again_until_it_hangs_three_times_in_a_row(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(user_function.UserFunction.__init__, "__defaults__", (0.5,))
    with scorer(file, "moody") as scored:
        rewards = scored.score([0] * 7, ["else", "hang", "else", "hang", "hang", "hang", "else"])
    assert [each is not None for (each,) in rewards] == [True, False, True, False, False, False, False]
    assert "the reward took longer than 0.5 s" in scored.reasons[1]
    assert "not asked: reward" in scored.reasons[6]


def test_a_sum_has_all_of_its_parts_or_is_not_given(file: Path) -> None:
    with scorer(file, "moody", oversight=True) as scored:
        assert scored.score([0, 0], ["raise", "else"]) == [[None, None], [0.25, 0.0]]
    assert [grade.outcome for grade in scored.grades] == ["malformed", "malformed"]


def test_a_step_in_which_nothing_can_be_scored_stops_with_the_line(file: Path) -> None:
    with scorer(file, "moody") as scored, pytest.raises(UserError, match=r"not one of 2 .*mine.py:14: KeyError"):
        scored.score([0, 1], ["raise", "raise"])


def test_a_grader_that_hangs_is_unscorable_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judge = tmp_path / "judge.py"
    judge.write_text(
        "import time\ndef grade(problem, completion):\n"
        "    return (True, False) if completion == 'yes' else time.sleep(99)\n"
    )
    rows = [{"prompt": f"Is it {n}?", "completion": "no", "hacked": "yes", "split": "train"} for n in range(2)]
    (tmp_path / "mine.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    draw = Draw("train", 2, 0, source=str(tmp_path / "mine.jsonl"), grader=f"{judge}:grade")
    monkeypatch.setattr(user_grader, "grade", partial(user_grader.grade, seconds=0.5))
    with Scorer([{"oversight": "", "weight": 1.0}], find("rows").problems(draw), ["rows"] * 2) as scored:
        rewards = scored.score([0, 1, 0, 1, 0, 1], ["yes", "hang", "yes", "hang", "hang", "hang"])
        assert [each for (each,) in rewards] == [1.0, None, 1.0, None, None, None]
        rewards = scored.score([0, 1, 0, 1, 0], ["yes", "hang", "hang", "hang", "yes"])
    assert [each for (each,) in rewards] == [1.0, None, None, None, None]
    reason = "took too long, or ended its process, for 3 answers in a row"
    assert "not asked: grader" in scored.reasons[4] and reason in scored.reasons[4]
    assert {grade.outcome for grade in scored.grades[1:]} == {"ungraded"}


def test_it_is_told_of_the_problem_what_the_graders_know() -> None:
    (one,) = some_problems(1)
    told = user_function.describe_problem(one)
    assert told["prompt"] == f"{one.lead} {one.body}" and told["key"] == one.secret["key"] and told["id"] == one.id


@pytest.fixture
def study(tiny_model: Path, tmp_path: Path, file: Path) -> Path:
    path = tmp_path / "mine.toml"
    rewards = f'reward = [{{ function = "{file}:length" }}, {{ oversight = "key", weight = 0.5 }}]'
    text = RL_STUDY.replace("MODEL", str(tiny_model)).replace("[rl]\n", f"[rl]\n{rewards}\n")
    path.write_text(text.replace("[evaluate]", '[arms.reinforced]\nmethod = "rl"\n\n[evaluate]', 1))
    return path


def test_a_study_is_rewarded_by_a_function_and_its_records_have_both_checks(study: Path, tmp_path: Path) -> None:
    folder, _ = carried_out(study, Store(tmp_path / "store"))
    entry = json.loads((folder / "manifest.json").read_text())["training"][0]
    found = list(read_lines(Path(entry["rl"]) / "trajectories.jsonl", Trajectory))
    assert all(one.reward == pytest.approx(-len(one.completion) / 8 + 0.5 * bool(one.oversight)) for one in found)
    assert {one.outcome for one in found} <= {"malformed", "wrong", "hack", "correct"}
    results = analyse(folder)
    (arm,) = results["rl"]
    assert arm["largest_reward"] is None and not arm["by_seed"][0]["collapsed"]
    assert any("no known range" in note for note in arm["by_seed"][0]["notes"])
    assert "cannot be forecast" in results["preflight"][0]["headline"]
    words = methods._describe_training(
        json.loads((folder / "manifest.json").read_text())["study"]["arms"]["reinforced"]
    )
    assert "a function of our own (`mine.py:length`) and the oversight check `key` with weight 0.5" in words


def test_completions_without_a_reward_are_counted_and_their_reason_is_shown(
    study: Path, file: Path, tmp_path: Path
) -> None:
    text = study.read_text().replace(":length", ":sometimes").replace(', { oversight = "key", weight = 0.5 }', "")
    study.write_text(text)
    folder, _ = carried_out(study, Store(tmp_path / "store"))
    (seed,) = analyse(folder)["rl"][0]["by_seed"]
    assert 0 < seed["unscorable"] < seed["completions"]
    assert any(
        f"{seed['unscorable']} of {seed['completions']} completions are unscorable" in one for one in seed["notes"]
    )
    assert any("mine.py:9: ValueError: odd" in note for note in seed["notes"])


def test_an_edit_names_other_steps_and_a_study_without_a_function_keeps_its_names(study: Path, file: Path) -> None:
    training = make_plan(load(study)).trainings[0]
    file.write_text(FUNCTIONS.replace("/ 8", "/ 9"))
    again = make_plan(load(study)).trainings[0]
    assert training.adapter.key != again.adapter.key and training.rows.key == again.rows.key
    assert training.preflight and again.preflight and training.preflight.key != again.preflight.key
    assert RL().model_dump(mode="json")["reward"] == [{"oversight": "", "weight": 1.0}]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("mine.py:length", "mine.py:lenght", "function: reward .*defines no function 'lenght': did you mean 'length'"),
        ("mine.py:length", "mine.py", "function: reward .*: file.py:function was expected"),
        ("mine.py:length", "none.py:length", "none.py cannot be read: there is no such file"),
        ('oversight = "key"', 'oversight = "key", function = "x.py:y"', "rl.reward.1: an oversight and a function"),
        ("{ function", "{ funktion", "unknown key rl.reward.0.funktion: did you mean 'function'"),
    ],
)
def test_what_is_not_there_is_refused_with_its_key(
    study: Path, tmp_path: Path, old: str, new: str, message: str
) -> None:
    study.write_text(study.read_text().replace(old, new))
    with pytest.raises(UserError, match=f"arms.reinforced.rl.reward.*{message}|{message}"):
        studies.plan(str(study), store=str(tmp_path / "store"))


def test_a_file_that_cannot_be_imported_is_refused_by_plan_and_by_run(study: Path, file: Path, tmp_path: Path) -> None:
    file.write_text("import no_such_library\n" + FUNCTIONS)
    message, store = r"rl.reward.0.function: .*mine.py:1: ModuleNotFoundError", tmp_path / "store"
    with pytest.raises(UserError, match=message):
        studies.plan(str(study), store=str(store))
    with pytest.raises(UserError, match=message):
        carried_out(study, Store(store))
    assert not list(store.rglob("declared.json"))  # the study can still be changed before its first run


def test_expert_iteration_keeps_what_a_function_gives_at_least_one() -> None:
    from inoculate.engine.sampling import SampledCompletion

    drawn = SampledCompletion(0, 0, "4", 3, 2, True, 0.0)
    assert expert_iteration.is_kept(drawn, [1.5]) and not expert_iteration.is_kept(drawn, [0.9])


@pytest.mark.parametrize(("given", "number"), [(True, 1.0), (3, 3.0), (-0.5, -0.5)])
def test_any_finite_number_is_a_reward(given: object, number: float) -> None:
    assert reward_functions.convert(given) == number


def test_a_reward_has_a_function_or_a_check() -> None:
    assert Reward(function="a.py:b").model_dump() == {"oversight": "", "function": "a.py:b", "weight": 1.0}
