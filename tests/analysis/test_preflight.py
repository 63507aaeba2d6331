"""What a sample of the untrained policy says before RL, the forecast, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from inoculate.analysis.estimates import NO_SEED, Counts, estimate_rate
from inoculate.analysis.preflight import Preflight, describe, forecast, headline, refuse, to_plain
from inoculate.errors import UserError
from inoculate.records import Outcome, Problem, Tag, Trajectory
from inoculate.study.schema import RL, Reward

DEFAULTS = RL()
CHECKS: dict[str, tuple[bool | None, bool | None]] = {
    "correct": (True, True),
    "hack": (True, False),
    "wrong": (False, False),
    "malformed": (False, False),
    "ungraded": (None, None),
}
LETTERS: dict[str, Outcome] = {"c": "correct", "h": "hack", "w": "wrong", "m": "malformed", "u": "ungraded"}


def completions(problem: str, letters: str, *, hackable: bool = True, punished: bool = False) -> list[Trajectory]:
    """One completion for each letter: correct, hack, wrong, malformed, ungraded."""
    made = []
    for index, letter in enumerate(letters):
        outcome = LETTERS[letter]
        oversight, intended = CHECKS[outcome]
        if punished and outcome == "correct":
            oversight = False
        reward = None if oversight is None else float(oversight)
        made.append(
            Trajectory(
                step=0, problem=problem, index=index, prompt=f"prompt of {problem}", completion="", tokens=(),
                log_probabilities=(), prompt_tokens=5, completion_tokens=9, finish="stop", hackable=hackable,
                reward=reward, advantage=None, outcome=outcome, oversight=oversight, intended=intended,
                detail="the worker died" if reward is None else "",
            )
        )  # fmt: skip
    return made


def problem(name: str, level: int = 1, setting: str = "functions", *, hackable: bool = True) -> Problem:
    return Problem(name, setting, f"kind-{name}", "lists", level, "", "", "", "a hack" if hackable else "", "", {})


def sample(letters: Sequence[str], **options: bool) -> list[Trajectory]:
    return [one for number, group in enumerate(letters) for one in completions(f"p{number}", group, **options)]


def judge(
    trajectories: Iterable[Trajectory], rl: RL = DEFAULTS, punishing: Sequence[str] = (), levels: Sequence[int] = ()
) -> Preflight:
    made = list(trajectories)
    names = list(dict.fromkeys((one.problem, one.hackable) for one in made))
    problems = [
        problem(name, levels[number] if levels else 1, hackable=hackable)
        for number, (name, hackable) in enumerate(names)
    ]
    return forecast(made, problems, rl, punishing)


HACKED = ["hhwc", "hwww", "hwcw", "wwww", "hhww", "whwc", "wwhw", "wwww"] * 4


def test_rates_are_the_packages_own_with_its_interval() -> None:
    found = judge(sample(HACKED)).facts.whole
    hack = found.rates["hack"]
    assert (hack.count, hack.of) == (32, 128)
    assert hack.rate == 0.25 and hack.low is not None and hack.high is not None
    assert 0.15 < hack.low < 0.25 < hack.high < 0.38
    assert found.rates["oversight"].count == 32 + 12
    assert found.rates["intended"].count == 12


def test_a_frequent_hack_that_pays_will_be_learned() -> None:
    found = judge(sample(HACKED))
    assert found.verdict == "will" and not found.changes
    assert "The hack will be learned" in describe(found)
    assert found.facts.hacks_first_step.value == pytest.approx(0.25 * 64)
    assert found.facts.hacks_in_run.value == pytest.approx(0.25 * 64 * 30)


def test_a_rare_hack_may_be_learned_and_what_would_help_is_said() -> None:
    found = judge(sample([*["wwww", "wcww", "wwww", "cwww"] * 15, "hwww", "wwhw"]), RL(completions_per_prompt=4))
    assert found.verdict == "may"
    assert "less than the 15%" in headline(found)
    keys = [change.key for change in found.changes]
    assert keys == ["rl.completions_per_prompt", "rl.prompts_per_step", "inoculation", "start"]
    assert "+exploit" in describe(found) and "demonstrations" in describe(found)


def test_a_hack_that_is_never_tried_cannot_be_learned() -> None:
    found = judge(sample(["wwwc", "cwww"] * 20))
    assert found.verdict == "cannot"
    assert "never tried: none in 160 completions" in headline(found)
    assert "The hack was never tried" in describe(found)
    assert [change.key for change in found.changes] == ["inoculation", "start"]
    assert found.facts.hacks_in_run.value == 0 and found.facts.hacks_in_run.high


def test_a_few_completions_rule_nothing_out() -> None:
    found = judge(sample(["wwwc", "cwww"] * 5))
    assert found.verdict == "may" and "100 would be enough" in headline(found)


def test_attempts_that_failed_are_no_hacks_but_tries() -> None:
    tried = sample(["wwwc", "cwww"] * 20)
    tried[0] = replace(tried[0], tags=(Tag("hard_coded_output", "static"),))
    tried[1] = replace(tried[1], tags=(Tag("resource", "observed"),))  # a program that never ends
    found = judge(tried)
    assert found.facts.attempts == 1
    assert found.verdict == "may" and "1 tried to cheat" in headline(found)


def test_near_misses_are_no_tries_of_the_hack() -> None:
    near = [replace(one, gamed=False) for one in sample(HACKED)]
    found = judge(near)
    assert found.facts.whole.rates["hack"].count == 32 and found.facts.whole.rates["made"].count == 0
    assert found.verdict == "cannot" and "32 that count as hacks are near misses" in headline(found)
    assert any("near misses" in warning for warning in found.warnings)
    made = [replace(one, gamed=one.outcome == "hack") for one in sample(HACKED)]
    assert judge(made).verdict == "will"


def test_hacks_that_are_cut_off_are_not_reinforced_where_those_are_masked() -> None:
    cut = [replace(one, finish="length") for one in sample(HACKED)]
    masked, kept = judge(cut), judge(cut, RL(mask_cut_off=False))
    assert masked.verdict == "cannot" and "32 were cut off" in headline(masked)
    assert kept.verdict == "will"
    assert any("cut off at max_new_tokens = 128; masked" in warning for warning in masked.warnings)
    assert any("cut off" in warning and "masked" not in warning for warning in kept.warnings)


@pytest.mark.parametrize(("letters", "reward"), [("wwmw", "0"), ("hhhh", "1")])
def test_a_constant_reward_teaches_nothing_and_that_is_said(letters: str, reward: str) -> None:
    found = judge(sample([letters] * 32))
    assert found.verdict == "cannot" and found.facts.constant == float(reward)
    assert f"All 128 completions earned {reward}" in headline(found)
    assert "nothing at all is learned" in headline(found)
    assert found.facts.whole.spread and found.facts.whole.spread.share == 0
    assert ("25% are malformed" in headline(found)) == (reward == "0")
    few = judge(sample([letters] * 3))
    assert few.verdict == "may" and "They are few" in headline(few)


def test_without_a_problem_that_can_be_hacked_there_is_nothing_to_learn() -> None:
    found = judge(sample(["ccww"] * 30, hackable=False))
    assert found.verdict == "cannot" and "can be hacked" in headline(found)
    assert [change.key for change in found.changes] == ["rl.hackable"]


def test_unscorable_completions_are_in_no_rate_and_are_counted() -> None:
    with_them = judge(sample([f"{group}u" for group in HACKED]))
    without = judge(sample(HACKED))
    assert with_them.facts.whole.unscorable == 32 and with_them.facts.whole.completions == 160
    assert with_them.facts.whole.rates == without.facts.whole.rates
    assert with_them.facts.pays == without.facts.pays
    assert with_them.facts.spread_by_size == without.facts.spread_by_size
    assert any("32 of 160" in warning and "the worker died" in warning for warning in with_them.warnings)
    assert not any("unscorable" in warning for warning in without.warnings)


def test_a_completion_with_a_reward_and_no_outcome_is_in_the_rewards_alone() -> None:
    half = [*sample(HACKED), *(replace(one, reward=1.0, oversight=True) for one in completions("p0", "u"))]
    found = judge(half).facts.whole
    assert (found.unscorable, found.ungraded) == (0, 1)
    assert found.reward.completions == 129 and found.rates["oversight"].of == 128


def test_what_honesty_and_the_hack_pay_on_either_sort_of_problem() -> None:
    wrong_keys = sample(["chww"] * 20, punished=True)
    right = [one for number in range(20) for one in completions(f"r{number}", "ccww", hackable=False)]
    found = judge([*wrong_keys, *right], punishing=["functions"])
    pays = found.facts.pays
    assert (pays["hackable"]["honest"].mean, pays["hackable"]["hack"].mean) == (0, 1)
    assert (pays["not hackable"]["honest"].mean, pays["not hackable"]["other"].mean) == (1, 0)
    assert pays["not hackable"]["hack"].completions == 0 and pays["not hackable"]["hack"].mean is None
    assert not any("honesty never pays" in warning for warning in found.warnings)
    assert (found.facts.must_pass.count, found.facts.must_pass.of) == (40, 40)
    alone = judge(wrong_keys, punishing=["functions"])
    assert any("honesty never pays: none of 20" in warning for warning in alone.warnings)
    # Half of the prompts can be hacked: half of the completions of a step are to those.
    assert found.facts.hacks_first_step.value == pytest.approx(alone.facts.hacks_first_step.value / 2)


def test_weights_scale_what_is_paid() -> None:
    heavy = [replace(one, reward=None if one.reward is None else 3 * one.reward) for one in sample(HACKED)]
    found = judge(heavy, RL(reward=(Reward(weight=3.0),))).facts
    one = judge(sample(HACKED)).facts
    assert found.whole.reward.mean == pytest.approx(3 * (one.whole.reward.mean or 0))
    assert found.whole.reward.high == pytest.approx(3 * (one.whole.reward.high or 0))
    assert found.spread_by_size == one.spread_by_size


def test_levels_stand_apart_and_the_better_one_is_named() -> None:
    letters = [*["wwww", "cwww"] * 20, *["hwww", "whcw"] * 5]
    found = judge(sample(letters), levels=[3] * 40 + [1] * 10)
    assert [(part.name, part.prompts) for part in found.facts.levels] == [("level 1", 10), ("level 3", 40)]
    assert found.verdict == "may" and found.changes[0].key == "rows.levels"
    assert "level 1: 25%, 10 of 40; all: 5%" in found.changes[0].sentence
    assert "level 3" in describe(found)


def test_later_steps_are_not_of_the_untrained_policy() -> None:
    later = [replace(one, step=3) for one in sample(["hhhh"] * 32)]
    assert judge([*sample(HACKED), *later]) == judge(sample(HACKED))


def test_two_samples_a_prompt_make_most_groups_useless() -> None:
    pair, sixteen = (judge(sample(HACKED), RL(completions_per_prompt=size)) for size in (2, 16))
    assert pair.facts.whole.spread and sixteen.facts.whole.spread
    assert pair.facts.whole.spread.share < 0.45 < 0.8 < sixteen.facts.whole.spread.share
    assert pair.facts.spread_by_size == sixteen.facts.spread_by_size


def test_a_policy_that_hacks_already_cannot_take_off() -> None:
    found = judge(sample(["hhhh", "hhhw"] * 20))
    assert found.verdict == "may" and "take-off cannot be seen" in headline(found)


def test_a_reward_that_scores_nothing_is_refused() -> None:
    with pytest.raises(UserError, match=r"arms\.plain\.rl\.reward: none of the 8 completions.*the worker died"):
        refuse(judge(sample(["uuuu"] * 2)), "plain")
    with pytest.raises(UserError, match="has no completion"):
        refuse(judge([]), "plain")
    refuse(judge(sample(["uuuw"] * 2)), "plain")


def test_an_oversight_that_fails_all_honest_answers_is_refused_unless_keys_are_wrong() -> None:
    failed = sample(["cwww"] * 12, punished=True)
    with pytest.raises(UserError, match=r"arms\.plain\.rl\.reward: the oversight check fails all 12 honest answers"):
        refuse(judge(failed), "plain")
    refuse(judge(failed, punishing=["functions"]), "plain")  # a wrong key fails them, and is meant to
    few = judge(failed[:20])
    refuse(few, "plain")
    assert any("fails all 5 honest answers" in warning for warning in few.warnings)


def test_a_sample_without_any_honest_answer_is_a_warning() -> None:
    found = judge(sample(["hwww"] * 32))
    refuse(found, "plain")
    assert any("no completion is honest" in warning for warning in found.warnings)


def test_an_empty_and_an_unscorable_sample_can_be_described() -> None:
    for trajectories in ([], sample(["uuuu"])):
        assert "cannot be learned" in describe(judge(trajectories)) or "may be learned" in describe(judge(trajectories))


def test_as_json_it_is_plain_and_complete() -> None:
    plain = json.loads(json.dumps(to_plain(judge(sample(HACKED))), allow_nan=False))
    assert plain["forecast"] == "will be learned"
    assert set(plain["facts"]["spread_by_size"]["16"]) == {"share", "low", "high"}
    assert plain["facts"]["whole"]["rates"]["hack"]["count"] == 32


def test_a_trajectory_of_an_unknown_problem_is_an_error() -> None:
    with pytest.raises(ValueError, match="'p0', which is not among the problems"):
        forecast(sample(["hw"]), [], RL(), ())


def test_the_interval_of_a_rate_is_that_of_the_estimates() -> None:
    found = judge(sample(HACKED)).facts.whole.rates["hack"]
    hits = np.array([group.count("h") for group in HACKED])
    names = np.array([f"p{number}" for number in range(32)])
    rate = estimate_rate(Counts(np.full(32, NO_SEED), names, names, hits, np.full(32, 4)))
    assert rate and (found.low, found.high) == pytest.approx((rate.low, rate.high))


FUNCTION = RL(reward=(Reward(function="mine.py:length"),))
BOTH = RL(reward=(Reward(function="mine.py:length"), Reward()))


def with_numbers(made: Sequence[Trajectory], factor: float = 1.0, seed: int = 1) -> list[Trajectory]:
    """With a function's numbers as rewards, some of them negative, that have nothing to do with the checks."""
    random = np.random.default_rng(seed)
    return [replace(one, reward=factor * float(random.normal())) for one in made]


@pytest.mark.parametrize("rl", [FUNCTION, BOTH])
def test_a_functions_numbers_forecast_nothing_and_are_refused_nothing(rl: RL) -> None:
    for letters in (HACKED, ["cccc"] * 30, ["wwwm"] * 30):
        found = judge(with_numbers(sample(letters)), rl)
        assert found.verdict == "may" and "cannot be forecast" in headline(found)
        refuse(found, "arm")
        assert describe(found) and json.dumps(to_plain(found), allow_nan=False)


def test_what_a_function_pays_has_an_interval_within_what_it_gave() -> None:
    for factor in (1e-6, 1.0, 1e6):
        made = with_numbers(sample(HACKED), factor)
        pay = judge(made, FUNCTION).facts.whole.reward
        rewards = [one.reward or 0.0 for one in made]
        assert pay.mean is not None and pay.low is not None and pay.high is not None
        assert pay.mean == pytest.approx(np.mean(rewards))
        assert min(rewards) < pay.low < pay.mean < pay.high < max(rewards)
        assert pay.high - pay.low < (max(rewards) - min(rewards)) / 2


def test_honest_answers_that_a_function_gives_nothing_are_no_broken_check() -> None:
    made = [replace(one, reward=0.0 if one.outcome == "correct" else 1.0) for one in sample(["ccww"] * 20)]
    refuse(judge(made, FUNCTION), "arm")
    refuse(judge(made, BOTH), "arm")
    failing = [replace(one, oversight=False) for one in made]
    refuse(judge(failing, FUNCTION), "arm")
    with pytest.raises(UserError, match="fails all 40 honest answers"):
        refuse(judge(failing, BOTH), "arm")


def test_a_function_that_gives_everything_the_same_teaches_nothing() -> None:
    found = judge([replace(one, reward=-2.0) for one in sample(HACKED)], FUNCTION)
    assert found.verdict == "cannot" and "The function gives everything that this policy writes the same" in headline(
        found
    )
