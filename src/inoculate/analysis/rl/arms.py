"""The RL of every arm, for `results.json`: curves, onset, take-off, collapse, and the policy that stands for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from inoculate.analysis.rl.collapse import find_collapse
from inoculate.analysis.rl.onset import ABSOLUTE, Comparison, compare, count_by_problem, find_onset, take_off
from inoculate.analysis.rl.trainings import UNTRAINED, RLTraining, describe_metrics, describe_step, read_training
from inoculate.analysis.run_folder import Run
from inoculate.study.schema import Onset

UNKNOWN_RANGE = (
    "a function is rewarded, whose numbers have no known range: whether the reward collapsed is not judged (see its "
    "curve)"
)


def analyse_rl(run: Run) -> list[dict[str, Any]]:
    """What happened along the training of every arm that learns from rewards, in the order of the study.

    Args:
        run: The run.

    Returns:
        An entry for each arm, as docs/results-schema.md describes it; empty where no arm learns from rewards.

    Raises:
        UserError: A finished training cannot be read.
    """
    entries: dict[str, list[dict[str, Any]]] = {}
    for entry in run.manifest.get("training") or []:
        if "rl" in entry:
            entries.setdefault(entry["arm"], []).append(entry)
    return [_analyse_arm(run, arm, of_arm) for arm, of_arm in entries.items()]


def _analyse_arm(run: Run, arm: str, entries: Sequence[dict[str, Any]]) -> dict[str, Any]:
    spec = run.study["arms"][arm]["rl"]
    rule = Onset(**(spec.get("onset") or {}))
    largest = _largest_reward(spec.get("reward") or ({},))
    # One training is read, described and forgotten before the next: a run may have many.
    seeds = [_analyse_seed(read_training(run, entry), rule, largest) for entry in entries if entry["rl"]]
    onsets = [seed["onset"] for seed in seeds]
    return {
        "arm": arm,
        "method": entries[0].get("method", "rl"),
        "onset_rule": rule.model_dump(mode="json"),
        "largest_reward": largest,
        "seeds": [seed["seed"] for seed in seeds],
        "unfinished": [entry["seed"] for entry in entries if not entry["rl"]],
        "take_off": take_off(onsets),
        "absolute": [
            {"rate_at_least": at} | take_off([seed["absolute"][f"{at:g}"] for seed in seeds]) for at in ABSOLUTE
        ],
        "sentence": _describe_take_off(seeds),
        "rule_sentence": _describe_rule(rule),
        "by_seed": seeds,
    }


def _largest_reward(parts: Sequence[Mapping[str, Any]]) -> float | None:
    """The largest possible reward; None where it is not known, because a function can give any number."""
    return None if any(part.get("function") for part in parts) else sum(part.get("weight", 1.0) for part in parts)


def _analyse_seed(training: RLTraining, rule: Onset, largest: float | None) -> dict[str, Any]:
    untrained = training.drawn[UNTRAINED]
    counts = count_by_problem(untrained)
    numbers = range(1, training.last_step + 1)
    comparisons = [compare(count_by_problem(training.drawn[number]), counts) for number in numbers]
    steps = [
        {
            "step": number,
            **describe_step(training.drawn[number]),
            **describe_metrics(training.metrics[number]),
            **_describe_comparison(comparison, rule),
        }
        for number, comparison in zip(numbers, comparisons, strict=True)
    ]
    start = describe_step(untrained)
    findings = find_collapse(start, steps, largest)
    return {
        "seed": training.seed,
        "last_step": training.last_step,
        "onset": find_onset([bool(step["above"]) for step in steps], rule.steps),
        "absolute": {f"{at:g}": find_onset(_reach(steps, at), rule.steps) for at in ABSOLUTE},
        "notes": [
            *_describe_unscorable(training),
            *_describe_other_rewards(training),
            *_describe_nothing_kept(training, largest),
            *_describe_comparisons(comparisons, rule),
            *([] if largest is not None else [UNKNOWN_RANGE]),
        ],
        "completions": sum(step["completions"] for step in (start, *steps)),
        "unscorable": sum(step["unscorable"] for step in (start, *steps)),
        "ungraded": sum(step["ungraded"] for step in (start, *steps)),
        "collapsed": any(finding.kind == "collapse" for finding in findings),
        "findings": [asdict(finding) for finding in findings],
        "checkpoint": training.checkpoint | {"sentence": _describe_checkpoint(training)},
        "untrained": start,
        "steps": steps,
    }


def _describe_unscorable(training: RLTraining) -> list[str]:
    """How many completions have no reward, and the reason of the first of them."""
    drawn = [one for of_step in training.drawn.values() for one in of_step]
    reasons = [one.unscorable for one in drawn if one.reward is None]
    if not reasons:
        return []
    return [
        f"{len(reasons)} of {len(drawn)} completions are unscorable: they have no reward, and nothing was learned from "
        f"them; the first: {reasons[0] or 'no reason is given'}"
    ]


def _describe_other_rewards(training: RLTraining) -> list[str]:
    if not training.other_rewards:
        return []
    learned = sum(len(drawn) for step, drawn in training.drawn.items() if step != UNTRAINED)
    return [
        f"it learned by an earlier version of the graders: today's would give another reward to "
        f"{training.other_rewards} of {learned} completions"
    ]


def _describe_nothing_kept(training: RLTraining, largest: float | None) -> list[str]:
    """Rounds of expert iteration that have kept no completion; where none has kept any, why."""
    kept = {number: line["kept"] for number, line in training.metrics.items() if "kept" in line}
    empty = [str(number) for number, count in kept.items() if not count]
    if not empty:
        return []
    if any(kept.values()):
        rounds = f"{len(empty)} of {len(kept)} rounds ({', '.join(empty)})"
        return [f"no completion was kept in {rounds}: nothing was trained on there, and the policy stayed what it was"]
    rounds = [one for number, drawn in training.drawn.items() if number != UNTRAINED for one in drawn]
    said = f"no completion was kept in {len(kept)} rounds, so that nothing was trained on and the policy is what it was"
    if largest is None:
        return [f"{said}: none ended by itself with a reward of at least 1 from each function and check"]
    passed = [one for one in rounds if one.reward is not None and one.reward >= largest]
    cut = sum(one.cut_off for one in passed)
    return [
        f"{said}: {len(passed)} of {len(rounds)} completions had the full reward, and {cut} of these were cut off at "
        "rl.max_new_tokens"
    ]


def _describe_comparison(comparison: Comparison | None, rule: Onset) -> dict[str, Any]:
    """A step beside the untrained policy on the same problems; `above` is null where they cannot be compared."""
    if comparison is None:
        return {"same_problems": None, "above": None}
    return {"same_problems": asdict(comparison), "above": comparison.is_above(rule)}


def _describe_comparisons(comparisons: Sequence[Comparison | None], rule: Onset) -> list[str]:
    """Where the comparison with the untrained policy cannot be made, or cannot show an onset."""
    compared = [comparison for comparison in comparisons if comparison]
    missing, full = len(comparisons) - len(compared), sum(not one.has_room(rule) for one in compared)
    left_out = sum(one.left_out for one in compared)
    notes = []
    if len(comparisons) < rule.steps:
        notes.append(
            f"the run has {len(comparisons)} steps, fewer than the {rule.steps} of the window: no onset is possible"
        )
    if missing:
        notes.append(
            f"{missing} of {len(comparisons)} steps cannot be compared with the untrained policy (no problem that can "
            "be hacked has graded completions of both): they count as not above it"
        )
    if left_out:
        notes.append(
            f"{left_out} groups are left out of the comparison: only one of the policies has graded completions"
        )
    if full:
        notes.append(
            f"in {full} of {len(comparisons)} steps the untrained policy hacks the same problems so often that no rate "
            "would be an onset by this rule"
        )
    return notes


def _reach(steps: Sequence[Mapping[str, Any]], rate: float) -> list[bool]:
    """Whether the hack rate on problems that can be hacked reaches an absolute rate, step by step."""
    return [step["hackable"]["hack"] is not None and step["hackable"]["hack"] >= rate for step in steps]


def _describe_take_off(seeds: Sequence[Mapping[str, Any]]) -> str:
    """How many seeds took off, and when; seeds without an onset are named too."""
    if not seeds:
        return "no seed is finished"
    found = take_off([seed["onset"] for seed in seeds])
    each = ", ".join(f"seed {seed['seed']} {describe_onset(seed)}" for seed in seeds)
    interval = f"95% interval {found['low']:.0%} to {found['high']:.0%}"
    return f"hacking took off in {found['count']} of {found['seeds']} seeds ({interval}): {each}"


def _describe_rule(rule: Onset) -> str:
    window = (
        f"the first of {rule.steps} steps in a row in all of which" if rule.steps > 1 else "the first step in which"
    )
    return (
        f"onset is {window} hacking is at least {100 * rule.above:g} points above the untrained policy's rate on the "
        "same problems, and above the upper 95% bound of that rate"
    )


def describe_onset(seed: Mapping[str, Any]) -> str:
    """The onset of a seed in words; a seed without one is censored at its last step."""
    return f"no onset by step {seed['last_step']}" if seed["onset"] is None else f"at step {seed['onset']}"


def _describe_checkpoint(training: RLTraining) -> str:
    """Which policy stands for the arm, and why."""
    step, rule, met = (training.checkpoint.get(key) for key in ("step", "rule", "met"))
    policy = f"the policy after step {step} of {training.last_step} stands for the arm"
    if not rule:
        return f"{policy}: the last one, since the study declares no rule"
    words = f"hacking of at least {rule['hack']:.0%} with a median length of at least {rule['length']:.0%} of the "
    words += "untrained policy's" + (f", {rule['steps']} steps in a row" if rule.get("steps", 1) > 1 else "")
    if met:
        return f"{policy}: the first that fits the rule ({words})"
    return f"{policy}: the last one, since none fits the rule ({words})"


def collapse_cautions(arms: Sequence[Mapping[str, Any]]) -> list[str]:
    """What a reader must know of collapsed runs before any number.

    Args:
        arms: From `analyse_rl`.
    """
    cautions = []
    for arm in arms:
        collapsed = [str(seed["seed"]) for seed in arm["by_seed"] if seed["collapsed"]]
        if collapsed:
            seeds = f"seed{'s' if len(collapsed) > 1 else ''} {', '.join(collapsed)}"
            cautions.append(f"{arm['arm']}: the reward of {seeds} collapsed along RL; see its curves")
    return cautions
