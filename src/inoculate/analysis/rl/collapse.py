"""Collapse: the reward falls to nearly nothing after it had been up. Short answers alone are not one.

A policy may learn to answer with three tokens and be rewarded for it ('copy the number'): that is what it was paid for,
and it is said in other words than a collapse. Answers that cannot be read (gibberish) are said as well. All rules ask
for `LASTING` steps in a row, since one step has few problems and may be all easy or all hard.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any, Literal

LASTING = 3
"""Steps in a row: a single step of a few problems says little."""
UP = 0.2
"""The reward has been up if it reached this share of the largest possible reward: below, there is little to lose."""
NEARLY_NOTHING = 0.1
"""The reward has collapsed at this share of the highest that it had lastingly reached before: nine tenths are gone,
which no draw of other problems explains."""
SHORT_TOKENS = 3
"""A median of so few tokens is at most a number or a word, and short if the untrained median is at least twice that."""
SHORT_SHARE = 0.25
"""Shorter than this share of the untrained median, answers have lost most of what they had: their explanation, or the
code."""
STAYS = 0.5
"""The reward stays if it is at least this share of the highest before."""
GIBBERISH = 0.3
"""Answers have become unreadable if this much more of them is malformed than of the untrained policy's."""

Kind = Literal["collapse", "short", "malformed"]


@dataclass(frozen=True)
class Finding:
    """Something that happened to a run, in a sentence."""

    kind: Kind
    first: int
    last: int
    """The last step of the stretch."""
    sentence: str


def find_collapse(untrained: dict[str, Any], steps: Sequence[dict[str, Any]], largest: float | None) -> list[Finding]:
    """What went wrong, or short, along a run.

    Args:
        untrained: `describe_step` of the untrained policy's sample.
        steps: `describe_step` of step 1, 2, ..., with `step`.
        largest: The largest possible reward; None where it is not known. What is nearly nothing is not known then
            either, and no collapse is found.

    Returns:
        At most one finding of each kind, the collapse first.
    """
    collapse = None if largest is None else _find_fallen_reward(untrained, steps, largest)
    short = _find_short(untrained, steps, collapse, judged=largest is not None)
    findings = [collapse, short, _find_malformed(untrained, steps)]
    return [finding for finding in findings if finding]


def _stretch(steps: Sequence[dict[str, Any]], holds: Callable[[int], bool]) -> tuple[int, int] | None:
    """The first stretch of at least `LASTING` steps in a row that fit, as positions of its first and last step."""
    start = 0
    for place in range(len(steps) + 1):
        if place < len(steps) and holds(place):
            continue
        if place - start >= LASTING:
            return start, place - 1
        start = place + 1
    return None


def _highest_before(untrained: dict[str, Any], steps: Sequence[dict[str, Any]]) -> list[float]:
    """For every step the highest reward before it: the untrained policy's, or the mean of `LASTING` steps in a row."""
    highest, before = untrained["reward"] or 0.0, list[float]()
    for place in range(len(steps)):
        window = [step["reward"] for step in steps[max(0, place - LASTING) : place]]
        if len(window) == LASTING and None not in window:
            highest = max(highest, mean(window))
        before.append(highest)
    return before


def _find_fallen_reward(untrained: dict[str, Any], steps: Sequence[dict[str, Any]], largest: float) -> Finding | None:
    highest_before = _highest_before(untrained, steps)

    def has_fallen(place: int) -> bool:
        reward, highest = steps[place]["reward"], highest_before[place]
        return reward is not None and highest >= UP * largest and reward <= NEARLY_NOTHING * highest

    stretch = _stretch(steps, has_fallen)
    if stretch is None:
        return None
    first, last = stretch
    highest, now = highest_before[first], _mean(steps, stretch, "reward")
    sentence = f"collapse {_span(steps, stretch)}: the reward fell from {highest:.2f} to {now:.2f}"
    return Finding("collapse", steps[first]["step"], steps[last]["step"], sentence)


def _find_short(
    untrained: dict[str, Any], steps: Sequence[dict[str, Any]], collapse: Finding | None, *, judged: bool
) -> Finding | None:
    usual = untrained["median_tokens"]

    def is_short(place: int) -> bool:
        length = steps[place]["median_tokens"]
        return length < SHORT_SHARE * usual or (length <= SHORT_TOKENS and usual >= 2 * SHORT_TOKENS)

    stretch = _stretch(steps, is_short)
    if stretch is None:
        return None
    first, last = stretch
    length, highest = _mean(steps, stretch, "median_tokens"), _highest_before(untrained, steps)[first]
    # What a collapse did to the reward is said of the collapse.
    up_to = last if collapse is None else min(last, collapse.first - 2)
    reward = _mean(steps, (first, up_to), "reward") if up_to >= first else None
    sentence = (
        f"the answers are short {_span(steps, stretch)}: a median of {length:.0f} tokens, where the untrained policy's "
        f"is {usual:.0f}; "
    )
    if judged:
        sentence += "that is part of the collapse" if up_to < first else _reward_of_short(reward, highest, up_to < last)
    else:
        sentence += "they could not be scored" if reward is None else f"their mean reward is {reward:.2f}"
    return Finding("short", steps[first]["step"], steps[last]["step"], sentence)


def _reward_of_short(reward: float | None, highest: float, then_collapses: bool) -> str:
    if reward is None:
        return "they could not be scored"
    if reward < STAYS * highest:
        return f"the reward fell with them, to {reward:.2f} from {highest:.2f}"
    if then_collapses:
        return f"until the collapse the reward stays ({reward:.2f}): this is what the policy had learned to be paid for"
    return f"the reward stays ({reward:.2f}): this is what the policy learned to be paid for, and not a collapse"


def _find_malformed(untrained: dict[str, Any], steps: Sequence[dict[str, Any]]) -> Finding | None:
    usual = untrained["all"]["malformed"]

    def is_gibberish(place: int) -> bool:
        share = steps[place]["all"]["malformed"]
        return usual is not None and share is not None and share >= usual + GIBBERISH

    stretch = _stretch(steps, is_gibberish)
    if stretch is None:
        return None
    shares = [step["all"]["malformed"] for step in steps[stretch[0] : stretch[1] + 1]]
    sentence = (
        f"answers cannot be read {_span(steps, stretch)}: {mean(shares):.0%} are malformed, where the untrained "
        f"policy's are {usual:.0%}"
    )
    return Finding("malformed", steps[stretch[0]]["step"], steps[stretch[1]]["step"], sentence)


def _mean(steps: Sequence[dict[str, Any]], stretch: tuple[int, int], key: str) -> float | None:
    """The mean of the known values in a stretch."""
    known = [step[key] for step in steps[stretch[0] : stretch[1] + 1] if step[key] is not None]
    return mean(known) if known else None


def _span(steps: Sequence[dict[str, Any]], stretch: tuple[int, int]) -> str:
    first, last = (steps[place]["step"] for place in stretch)
    return f"from step {first} to the end" if stretch[1] == len(steps) - 1 else f"from step {first} to step {last}"
