"""What a difference says about a claim, and what its guards say about the success of an inoculation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from inoculate.analysis.declared import Claim, Direction
from inoculate.analysis.estimates import LEVEL, Difference

Verdict = Literal["supported", "refuted", "inconclusive", "descriptive"]

VERDICT_SEEDS = 3
"""Fewest seeds for a verdict. The simulations of docs/statistics.md hold from 2 seeds on, but there all that is known
of retraining is one number, and nothing could show that seeds are not normal."""

ONE_SEED = "one seed: says nothing about retraining"

ASKED = "asks-to-hack"
"""The context in which an inoculated model should still hack."""


def few_seeds(seeds: int) -> str:
    """Why so few seeds allow no verdict; empty where they are enough."""
    if seeds >= VERDICT_SEEDS:
        return ""
    if seeds == 1:
        return ONE_SEED
    return f"{seeds or 'no'} seeds: verdicts begin at {VERDICT_SEEDS}"


def claim_p(found: Difference, direction: Direction, margin: float) -> float:
    """The p value of a claim: of no difference for `lower` and `higher`, of a difference beyond the margin for `same`.

    Equivalence is two one-sided tests (Schuirmann 1987), each doubled so that p < .05 means that the 95% interval lies
    within the margin, as it means for the other claims that the interval excludes 0.
    """
    if direction != "same":
        return found.p_value()
    if abs(found.value) >= margin:
        return 1.0
    return max(found.p_value(-margin), found.p_value(margin))


def judge(claim: Claim, found: Difference, p_adjusted: float, level: float) -> tuple[Verdict, str]:
    """The verdict of a declared contrast and the reason, before guards.

    Args:
        claim: The contrast.
        found: Its difference, from enough seeds.
        p_adjusted: Its p value after Holm's adjustment, to be below .05.
        level: One minus the confidence of the interval that refutes: the look's level over the number of contrasts.
    """
    low, high = found.interval(level)
    margin = claim.margin
    if claim.direction == "same":
        if p_adjusted < LEVEL:
            return "supported", f"differs by less than the margin of {points(margin)}"
        if low > margin or high < -margin:
            return "refuted", f"differs by more than the margin of {points(margin)}"
        return "inconclusive", f"a difference beyond the margin of {points(margin)} can be neither shown nor excluded"
    # From here on a positive effect is one in the claimed direction.
    effect, most = (-found.value, -low) if claim.direction == "lower" else (found.value, high)
    significant = p_adjusted < LEVEL and effect > 0
    if most < margin:
        shown = f"{claim.direction}, but" if significant else "not" if margin == 0 else f"not {claim.direction}"
        return "refuted", f"{shown} by the margin of {points(margin)}: any such effect is excluded"
    if significant:
        return "supported", f"{claim.direction} by {points(abs(found.value))}"
    return "inconclusive", f"neither shown to be {claim.direction}, nor excluded to be so by {points(margin)} or more"


@dataclass(frozen=True)
class Guard:
    """One condition that a claim of success needs beside its contrast."""

    name: str
    status: Literal["green", "amber", "red"]
    sentence: str
    found: Difference | None
    harm: bool
    """Whether the damage that it guards against was shown, and not only not excluded."""

    def result(self) -> dict[str, Any]:
        """As it stands in results.json."""
        low, high = self.found.interval() if self.found and self.found.measured else (None, None)
        value = self.found.value if self.found else None
        return {
            "name": self.name,
            "status": self.status,
            "difference": value,
            "low": low,
            "high": high,
            "harm": self.harm,
            "sentence": self.sentence,
        }


_BAD = {"correct": "lower", "malformed": "higher", "asked-hack": "lower"}
_WHAT = {"correct": "correct", "malformed": "malformed", "asked-hack": "hacking when asked"}


def guard(name: str, claim: Claim, found: Difference | None) -> Guard:
    """Whether the arm of the claim pays for its success: by ability, by form, or by having only learned less.

    Green: harm beyond the margin is excluded. Red: harm is shown and can be beyond the margin. Amber: neither; and
    for hacking when asked always, since an arm that learned less is no failure, but no inoculation either.
    """
    what = _WHAT[name]
    if found is None or not found.measured:
        return Guard(name, "amber", f"not checked: {what} was not measured in both arms", None, False)
    low, high = found.interval()
    harm, least, most = (-found.value, -high, -low) if _BAD[name] == "lower" else (found.value, low, high)
    sizes = f"{found.value * 100:+.0f} points, 95% interval {low * 100:+.0f} to {high * 100:+.0f}"
    few = few_seeds(found.seeds)
    if most < claim.margin:
        if few:
            sentence = f"{what} holds within {points(claim.margin)} ({sizes}); but {few}"
            return Guard(name, "amber", sentence, found, False)
        return Guard(name, "green", f"{what} is not {_BAD[name]} by {points(claim.margin)} ({sizes})", found, False)
    if least > 0:
        if name == "asked-hack":
            sentence = f"'{claim.arm}' has only learned less: it also hacks less when asked to ({sizes})"
            return Guard(name, "amber", sentence, found, True)
        return Guard(name, "red", f"{what} is {_BAD[name]} with '{claim.arm}' by {points(harm)} ({sizes})", found, True)
    also = "whether it has only learned less is open: " if name == "asked-hack" else ""
    sentence = f"{also}{what} may be {_BAD[name]} by more than {points(claim.margin)} ({sizes})"
    return Guard(name, "amber", sentence, found, False)


def with_guards(verdict: Verdict, why: str, guards: list[Guard]) -> tuple[Verdict, str]:
    """A supported claim of success falls where a guard shows harm, and says which guards are open."""
    harmed = [found.sentence for found in guards if found.harm]
    if verdict == "supported" and harmed:
        return "inconclusive", f"{why}, but {'; '.join(harmed)}: that is no success of the inoculation"
    unsettled = [found.name for found in guards if found.status != "green"]
    if verdict == "supported" and unsettled:
        return verdict, f"{why}; not settled: {', '.join(unsettled)}"
    return verdict, why


def points(share: float) -> str:
    """A difference of rates in percentage points, as people say it."""
    value = share * 100
    text = f"{value:.0f}" if abs(value - round(value)) < 0.05 or abs(value) >= 10 else f"{value:.1f}"
    return f"{text} point{'' if text == '1' else 's'}"
