"""The arms of several runs that learned from rewards, side by side: take-off, onset by seed, and the end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from inoculate.report import numbers
from inoculate.report.results import Results, mapping
from inoculate.report.rl import seed_row


@dataclass(frozen=True)
class RewardedArm:
    """One arm in each run, as `results.rl` has it; None where a run has no such arm that learns from rewards."""

    name: str
    by_run: tuple[dict[str, Any] | None, ...]
    options: tuple[dict[str, Any], ...]
    """Its `rl` in the study of each run; empty where it has none."""

    def differences(self) -> list[tuple[str, list[str]]]:
        """(Key of `rl`, its value in each run) for every key that differs between the runs that have the arm."""
        flat = [dict(numbers.flatten({"rl": options})) for options in self.options]
        known = [facts for facts, arm in zip(flat, self.by_run, strict=True) if arm]
        keys = dict.fromkeys(key for facts in known for key in facts)
        return [
            (key, [facts.get(key, numbers.UNKNOWN) for facts in flat])
            for key in keys
            if len({facts.get(key) for facts in known}) > 1
        ]

    @property
    def rules_differ(self) -> bool:
        """Whether runs have declared different rules of onset."""
        return any(first["onset_rule"] != other["onset_rule"] for first in self._finished for other in self._finished)

    @property
    def _finished(self) -> list[dict[str, Any]]:
        return [arm for arm in self.by_run if arm]


def rewarded_arms(runs: Sequence[Results]) -> list[RewardedArm]:
    """The arms that learn from rewards in some run, in the order of the first run that has them."""
    by_run = [{arm["arm"]: arm for arm in run.rl} for run in runs]
    return [
        RewardedArm(
            name,
            tuple(arms.get(name) for arms in by_run),
            tuple(
                mapping(run.arm(name).get("rl")) if name in arms else {} for run, arms in zip(runs, by_run, strict=True)
            ),
        )
        for name in dict.fromkeys(name for arms in by_run for name in arms)
    ]


def describe_take_off(arm: dict[str, Any]) -> str:
    """How many seeds took off, with the interval; the seeds that are not finished."""
    found = arm["take_off"]
    words = f"{found['count']} of {found['seeds']}"
    if found["seeds"]:
        words += f" [{100 * found['low']:.0f}, {100 * found['high']:.0f}]"
    return words + (f", {len(arm['unfinished'])} not finished" if arm["unfinished"] else "")


def seed_rows(arm: dict[str, Any]) -> list[dict[str, Any]]:
    """Each finished seed: its onset, and the last step."""
    return [seed_row(seed) for seed in arm["by_seed"]]


def rl_data(arms: Iterable[RewardedArm], labels: Sequence[str]) -> list[dict[str, Any]]:
    """The arms for `comparison.json`, as docs/results-schema.md describes them."""
    return [
        {
            "arm": arm.name,
            "runs": {label: found and _arm_data(found) for label, found in zip(labels, arm.by_run, strict=True)},
            "differences": [
                {"what": key, "values": dict(zip(labels, values, strict=True))} for key, values in arm.differences()
            ],
        }
        for arm in arms
    ]


def _arm_data(arm: dict[str, Any]) -> dict[str, Any]:
    return {key: arm[key] for key in ("method", "onset_rule", "take_off", "unfinished")} | {
        "by_seed": [
            {
                **{key: seed[key] for key in ("seed", "onset", "last_step", "collapsed")},
                "reward": seed["steps"][-1]["reward"],
                "hack": seed["steps"][-1]["hackable"]["hack"],
                "correct": seed["steps"][-1]["all"]["correct"],
                "median_tokens": seed["steps"][-1]["median_tokens"],
            }
            for seed in arm["by_seed"]
        ]
    }
