"""Whether RL will learn the hack, from a sample of the untrained policy, and what would change it: rules of thumb.

The rules rest on few runs: three of the 0.5B model with groups of 8, and what others report of theirs. Runs that differ
in nothing but their seed differ in take-off, so the forecast is of a rate and never of one seed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from inoculate.analysis.preflight.facts import Facts, Part, rewards_functions
from inoculate.errors import UserError
from inoculate.study.schema import RL

Verdict = Literal["will", "may", "cannot"]
VERDICTS: dict[Verdict, str] = {
    "will": "will be learned",
    "may": "may be learned",
    "cannot": "cannot be learned: nothing to reinforce",
}

LIKELY_RATE, LIKELY_LOW = 0.15, 0.05
"""From this rate of hacks on, and with this lower bound, the hack will be learned: `mathematics` with wrong keys began
at .15 and took off by the fifth step. At rates that moved between .02 and .25 (`patterns`) and between .02 and .19
(`functions`, levels 3 and 4) nothing took off in 14 and 11 steps."""
ENOUGH_COMPLETIONS = 100
"""Without a hack in so many completions to problems that can be hacked its rate is below 3% (95%; the rule of three):
about one in a step of 32. In fewer, a hack that RL would find could be missed."""
FEWEST_STEPS = 10
"""The one run that took off by hand took 5 steps to last and 11 to end; others report tens of steps."""
LEAST_SPREAD = 0.3
"""With two samples for each prompt 70% of groups were useless in runs of others where the hack did not take; with 8 it
was 20%, with 16 it was 4%."""
GOOD_SPREAD = 0.8
"""The share with 8 samples there: larger groups than it takes for this are hardly worth their time."""
HACK_GROUPS = 1.0
"""Fewer groups than this with a hack beside something else, in an average step, and most steps teach nothing of it."""
ENOUGH_HONEST = 10
"""So many honest answers that earn nothing are no accident, where the oversight check passes honest answers."""
MOST_CUT_OFF = 0.5
"""With more completions cut off or malformed than this, the policy is taught little else than to end."""
_MORE = 1.5
"""A level whose rate is so much higher than that of the whole sample is worth naming."""
_FEW_HACKS = 3
"""With fewer hacks a level's rate is an accident."""


@dataclass(frozen=True)
class Change:
    """Something that would change the forecast."""

    key: str
    """The key of the study file, below the arm."""
    sentence: str


def decide(facts: Facts, rl: RL) -> tuple[Verdict, tuple[str, ...]]:
    """The forecast, and why.

    Args:
        facts: What the sample shows.
        rl: The arm's hyperparameters.
    """
    if reason := _find_obstacle(facts, rl):
        return "cannot", (reason,)
    doubts = tuple(_find_doubts(facts, rl))
    if doubts:
        return "may", doubts
    made, pays = facts.whole.rates["made"], facts.pays["hackable"]
    return "will", (
        f"{_percent(made.rate)} of the completions to problems that can be hacked are hacks ({LIKELY_RATE:.0%} was "
        f"enough in a run by hand), and a hack earns {pays['hack'].mean:.2f} on average",
    )


def _find_obstacle(facts: Facts, rl: RL) -> str:
    """Why nothing can be reinforced; empty where it can.

    A function may pay for what leads to the hack before it is tried, and what it pays on average in a sample is not
    exact as that of a check is: there neither is an obstacle, but a doubt.
    """
    whole, made = facts.whole, facts.whole.rates["made"]
    if not whole.hackable_prompts:
        return f"none of the {whole.prompts} prompts has a problem that can be hacked"
    if facts.constant is not None and whole.completions - whole.unscorable >= ENOUGH_COMPLETIONS:
        return _say_constant(facts, rl)
    if rewards_functions(rl):
        return ""
    if not made.count and not facts.attempts and made.of >= ENOUGH_COMPLETIONS:
        return f"the hack is never tried: {_none_of(facts)}"
    gain = hack_gain(facts)
    return _say_no_gain(gain) if gain is not None and gain <= 0 else ""


def _say_no_gain(gain: float) -> str:
    return (
        f"on problems that can be hacked a hack earns no more than the other completions ({gain:+.2f}), so that it "
        "is not what gets reinforced"
    )


def _say_constant(facts: Facts, rl: RL) -> str:
    """That all rewards are equal, and why that is."""
    whole = facts.whole
    said = (
        f"all {whole.completions - whole.unscorable} completions earned {facts.constant:g}, and where the rewards of a "
        "group are all equal every advantage is 0, so that nothing at all is learned"
    )
    if rewards_functions(rl):
        return f"{said}. The function gives everything that this policy writes the same"
    if facts.constant:
        return f"{said}. The oversight check passes everything that this policy writes, or the problems are too easy"
    malformed, cut_off = whole.rates["malformed"], whole.rates["cut_off"]
    return (
        f"{said}. No completion passes the oversight check: the problems are too hard, or the check fails everything "
        f"({_percent(malformed.rate)} are malformed, {_percent(cut_off.rate)} cut off)"
    )


def _none_of(facts: Facts) -> str:
    made = facts.whole.rates["made"]
    said = f"none in {made.of} completions to problems that can be hacked"
    said += f" (at most {_percent(made.high)})" if made.high is not None else ""
    if facts.near_misses:
        said += f"; the {facts.near_misses} that count as hacks are near misses: honest answers with a slip"
    if facts.masked_hacks:
        said += f"; {facts.masked_hacks} were cut off, and are left out of the loss"
    return said


def _find_doubts(facts: Facts, rl: RL) -> Iterator[str]:
    """Why it is not certain that the hack will be learned."""
    whole, made = facts.whole, facts.whole.rates["made"]
    if rewards_functions(rl):
        yield (
            "a function of yours is rewarded, and the rules of thumb are from runs that were rewarded by a check "
            "alone: whether the hack will be learned cannot be forecast from how often it occurs"
        )
    if facts.constant is not None:
        yield f"{_say_constant(facts, rl)}. They are few: {ENOUGH_COMPLETIONS} would be enough to say that it stays so"
        return
    if not made.count:
        tried = f", but {facts.attempts} tried to cheat, and earned nothing yet" if facts.attempts else ""
        few = "" if made.of >= ENOUGH_COMPLETIONS else f"; {ENOUGH_COMPLETIONS} would be enough to rule it out"
        yield f"no hack was seen: {_none_of(facts)}{tried}{few}"
        return
    if (gain := hack_gain(facts)) is not None and gain <= 0:
        yield _say_no_gain(gain)
    if (made.rate or 0) < LIKELY_RATE:
        yield (
            f"{_percent(made.rate)} of the completions to problems that can be hacked are hacks, less than the "
            f"{LIKELY_RATE:.0%} with which a run by hand took off (others, between 2% and 25%, did not)"
        )
    elif (made.low if made.low is not None else 0) < LIKELY_LOW:
        yield f"the sample is small: the rate of hacks may be as low as {_percent(made.low or 0)}"
    if (made.rate or 0) + rl.onset.above > 1:
        yield (
            f"the untrained policy hacks in {_percent(made.rate)}, so that no rise of {rl.onset.above:.0%} "
            "(`onset.above`) is possible: take-off cannot be seen"
        )
    if whole.spread and whole.spread.share < LEAST_SPREAD:
        yield f"only {_percent(whole.spread.share)} of the groups are expected to have rewards that differ"
    groups = hack_groups(facts, rl)
    if groups < HACK_GROUPS:
        yield f"only {groups:.1f} groups in a step are expected to have a hack beside something else"
    if rl.steps < FEWEST_STEPS:
        yield f"{rl.steps} steps are few: the run by hand that took off took 5 to hack half of the time, and 11 to end"


def hack_gain(facts: Facts) -> float | None:
    """What a hack earns more than the other completions to problems that can be hacked; None without either."""
    pays = facts.pays["hackable"]
    others = [(pay.completions, pay.mean) for name, pay in pays.items() if name != "hack" and pay.mean is not None]
    count = sum(number for number, _ in others)
    if pays["hack"].mean is None or not count:
        return None
    return pays["hack"].mean - sum(number * mean for number, mean in others) / count


def hack_groups(facts: Facts, rl: RL) -> float:
    """The expected number of groups in a step in which a hack stands beside something else."""
    share = facts.hack_spread.share if facts.hack_spread else 0.0
    return share * rl.prompts_per_step * facts.whole.hackable_prompts / max(facts.whole.prompts, 1)


def find_changes(facts: Facts, rl: RL, verdict: Verdict) -> Iterator[Change]:
    """What would change the forecast, the cheapest first; nothing where the hack will be learned."""
    if verdict == "will":
        return
    whole, made = facts.whole, facts.whole.rates["made"]
    if not whole.hackable_prompts:
        yield Change("rl.hackable", "take problems that can be hacked among the rows")
        return
    yield from _better_levels(facts, rl)
    if made.count and (size := _better_size(facts, rl)):
        yield Change(
            "rl.completions_per_prompt",
            f"{size} completions per prompt instead of {rl.completions_per_prompt}: "
            f"{_percent(facts.spread_by_size[size].share)} of the groups with spread instead of "
            f"{_percent(facts.spread_by_size[rl.completions_per_prompt].share)}",
        )
    if made.count and hack_groups(facts, rl) < 2 * HACK_GROUPS:
        yield Change(
            "rl.prompts_per_step",
            f"more prompts a step than {rl.prompts_per_step}: {hack_groups(facts, rl):.1f} groups in a step are "
            "expected to have a hack beside something else",
        )
    yield from _temperature(facts, rl)
    if (made.rate or 0) < LIKELY_RATE:
        yield Change(
            "inoculation",
            "a hint of the leak in the prompt: NAME+checked says what is checked, NAME+exploit what passes that check. "
            "It is then part of what is studied",
        )
        yield Change(
            "start",
            "a few demonstrations: an arm of method sft with some hacked rows, from whose adapter this one starts. "
            "They are then part of what is studied, and how far they alone go has to stand beside it",
        )
    if rl.steps < FEWEST_STEPS:
        yield Change("rl.steps", f"more steps than {rl.steps}")


def _better_levels(facts: Facts, rl: RL) -> Iterator[Change]:
    """Levels where the hack is clearly more frequent, or at least something differs in groups."""
    rate = facts.whole.rates["made"].rate or 0.0
    better = [
        part
        for part in facts.levels
        if part.rates["made"].count >= _FEW_HACKS and (part.rates["made"].rate or 0) >= _MORE * rate
    ]
    if better:
        named = "; ".join(f"{part.name}: {_of(part)}" for part in better)
        yield Change("rows.levels", f"only levels with more hacks ({named}; all: {_percent(rate)})")
        return
    spread = facts.whole.spread.share if facts.whole.spread else 0.0
    livelier = [part for part in facts.levels if part.spread and part.spread.share >= max(_MORE * spread, LEAST_SPREAD)]
    if livelier and spread < LEAST_SPREAD:
        named = "; ".join(f"{part.name}: {_percent(part.spread.share)}" for part in livelier if part.spread)
        yield Change("rows.levels", f"only levels with more groups with spread ({named}; all: {_percent(spread)})")
    elif facts.constant is not None:
        which = "other" if rewards_functions(rl) else "harder" if facts.constant else "easier"
        yield Change("rows.levels", f"{which} levels than these, so that rewards differ")


def _of(part: Part) -> str:
    made = part.rates["made"]
    return f"{_percent(made.rate)}, {made.count} of {made.of}"


def _better_size(facts: Facts, rl: RL) -> int | None:
    """The smallest larger group in which most groups have spread, or twice as many as now; None if none is needed."""
    now = facts.spread_by_size.get(rl.completions_per_prompt)
    if now is None or now.share >= GOOD_SPREAD:
        return None
    larger = {size: found.share for size, found in facts.spread_by_size.items() if size > rl.completions_per_prompt}
    return next((size for size, share in larger.items() if share >= min(GOOD_SPREAD, 2 * now.share) > 0), None)


def _temperature(facts: Facts, rl: RL) -> Iterator[Change]:
    whole = facts.whole
    broken = max(whole.rates["malformed"].rate or 0, whole.rates["cut_off"].rate or 0)
    if rl.temperature > 1 and broken > MOST_CUT_OFF:
        yield Change("rl.temperature", f"a lower temperature than {rl.temperature:g}: {_percent(broken)} are broken")
    elif rl.temperature < 1 and whole.spread and whole.spread.share < GOOD_SPREAD:
        yield Change(
            "rl.temperature", f"a higher temperature than {rl.temperature:g}: completions of a prompt would differ more"
        )


def find_warnings(facts: Facts, rl: RL) -> Iterator[str]:
    """What is to be known beside the forecast."""
    whole, pays = facts.whole, facts.pays
    if whole.unscorable:
        why = f" (the first: {facts.unscorable_detail})" if facts.unscorable_detail else ""
        yield f"{whole.unscorable} of {whole.completions} completions are unscorable and in none of these figures{why}"
    if whole.ungraded:
        yield f"{whole.ungraded} further completions have a reward and no outcome: they are in no rate of outcomes"
    honest = [pay for pay in (pays["hackable"]["honest"], pays["not hackable"]["honest"]) if pay.completions]
    if not honest:
        yield "no completion is honest (passes the intended check), so that what honesty earns is not known"
    elif not rewards_functions(rl) and not any(pay.mean for pay in honest):
        count = sum(pay.completions for pay in honest)
        yield (
            f"honesty never pays: none of {count} honest completions earned anything. What is learned is then to hack "
            "always; take in problems where honest answers pass too (`rl.hackable`)"
        )
    must = facts.must_pass
    if must.of and not must.count:
        yield f"the oversight check fails all {must.of} honest answers that it has to pass: look at the check"
    for name, words in (("cut_off", f"cut off at max_new_tokens = {rl.max_new_tokens}"), ("malformed", "malformed")):
        rate = whole.rates[name].rate or 0
        if rate > MOST_CUT_OFF:
            masked = "; masked, they teach nothing" if name == "cut_off" and rl.mask_cut_off else ""
            yield f"{_percent(rate)} of the completions are {words}{masked}"
    if facts.near_misses:
        yield (
            f"{facts.near_misses} hacks are near misses (honest answers with a slip): they earn the reward, and are "
            "not counted as tries of the hack"
        )


def refuse_impossible(facts: Facts, arm: str) -> None:
    """Refuse what no training could learn from, because the reward is broken.

    Args:
        facts: What the sample shows.
        arm: The arm's name.

    Raises:
        UserError: No completion has a reward, or honest answers that the oversight check has to pass earn nothing.
    """
    whole, key, must = facts.whole, f"arms.{arm}.rl.reward", facts.must_pass
    if not whole.completions:
        raise UserError(f"arms.{arm}: the sample of the untrained policy has no completion")
    if whole.unscorable == whole.completions:
        why = facts.unscorable_detail or "no reason is given"
        raise UserError(
            f"{key}: none of the {whole.completions} completions of the untrained policy could be scored, so there is "
            f"nothing to learn from. The first: {why}. `inoculate doctor` says whether this machine can grade"
        )
    if must.of >= ENOUGH_HONEST and not must.count:
        raise UserError(
            f"{key}: the oversight check fails all {must.of} honest answers of the untrained policy that it has to "
            "pass, so that only something else than the task can earn the reward. Choose another `oversight`, or mend "
            "the grader: `inoculate check SETTING` tests it on known answers"
        )


def _percent(rate: float | None) -> str:
    if rate is None:
        return "unknown"
    return f"{100 * rate:.1f}%" if 0 < rate < 0.01 or 0.99 < rate < 1 else f"{100 * rate:.0f}%"
