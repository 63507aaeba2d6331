"""What the page shows of RL: take-off, every seed, and some trajectories before, at and after onset."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from inoculate.records import Trajectory, read_lines
from inoculate.report import numbers
from inoculate.report.results import Results, text
from inoculate.report.trajectory_cells import CONTEXT

SHOWN = 3
"""Trajectories that are shown side by side."""
STRETCHES = 5
"""Columns of steps in the table of tags."""
LONGEST = 2_000
"""Characters of a text beside others. The whole text is in the file that the page names."""
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]|\r(?!\n)"
)
"""Invisible characters, direction marks and lone surrogates, as the sample reader has them (`static/text.js`)."""


def rl_views(results: Results) -> list[dict[str, Any]]:
    """The arms that learned from rewards, with their seeds and some trajectories, as `static/rl.html` takes them."""
    return [
        arm
        | {
            "figure": f"rl-{place}",
            "absolute": [_describe_take_off(rule) for rule in arm["absolute"]],
            "untrained": _describe_untrained(arm["by_seed"]),
            "rows": [seed_row(seed) for seed in arm["by_seed"]],
            "lost": _describe_lost(arm["by_seed"]),
            "stands": _group_sentences((seed["seed"], [seed["checkpoint"]["sentence"]]) for seed in arm["by_seed"]),
            "found": _group_sentences(
                (seed["seed"], [finding["sentence"] for finding in seed["findings"]] + seed["notes"])
                for seed in arm["by_seed"]
            ),
            "tags": tag_stretches(arm["by_seed"]),
            "moments": _collect_moments(results, arm),
        }
        for place, arm in enumerate(results.rl, 1)
    ]


def _describe_take_off(rule: dict[str, Any]) -> str:
    return f"{rule['count']} of {rule['seeds']} seeds at {numbers.percent(rule['rate_at_least'])}"


def _describe_untrained(seeds: Sequence[dict[str, Any]]) -> str:
    """The untrained policy's hack rate, beside which the absolute rules must be read."""
    rates = [seed["untrained"]["hackable"]["hack"] for seed in seeds]
    known = sorted({numbers.percent(rate) for rate in sorted(rate for rate in rates if rate is not None)}, key=_leading)
    return " to ".join(dict.fromkeys((known[0], known[-1]))) if known else ""


def _leading(percent: str) -> float:
    return float(percent.rstrip("%"))


def seed_row(seed: dict[str, Any]) -> dict[str, Any]:
    """The line of a seed in a table; its rates are those of the last step."""
    last = seed["steps"][-1]

    def onset(step: int | None) -> str:
        return f"no onset by step {seed['last_step']}" if step is None else f"step {step}"

    return {
        "seed": seed["seed"],
        "censored": seed["onset"] is None,
        "onset": onset(seed["onset"]),
        "absolute": [onset(step) for step in seed["absolute"].values()],
        "hack": last["hackable"]["hack"],
        "correct": last["all"]["correct"],
        "reward": numbers.UNKNOWN if last["reward"] is None else f"{last['reward']:.2f}",
        "tokens": last["median_tokens"],
        "unscorable": seed["unscorable"],
        "ungraded": seed["ungraded"],
        "completions": seed["completions"],
        "stands": f"after step {seed['checkpoint']['step']}",
        "collapsed": seed["collapsed"],
    }


def _describe_lost(seeds: Sequence[dict[str, Any]]) -> str:
    """How many completions have no reward or outcome, over all seeds."""
    total, unscorable, ungraded = (
        sum(seed[key] for seed in seeds) for key in ("completions", "unscorable", "ungraded")
    )
    return (
        f"{unscorable:,} of {total:,} completions could not be scored, and {ungraded:,} have no outcome: they are in "
        "no rate and no mean"
    )


def tag_stretches(seeds: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """How often each tag was given along training, over all seeds, in a few stretches of steps.

    Args:
        seeds: `by_seed` of an arm.

    Returns:
        `stretches`, in words, with the `completions` of each; and `rows`: tag, kind of evidence, and the share of the
        completions of each stretch that have it.
    """
    last = max((seed["last_step"] for seed in seeds), default=0)
    size = -(-last // STRETCHES) or 1
    ends = [(start, min(start + size - 1, last)) for start in range(1, last + 1, size)]
    names = ["untrained", *(f"step {first}" if first == end else f"steps {first} to {end}" for first, end in ends)]
    completions, counts = [0] * len(names), dict[tuple[str, str], list[int]]()
    for seed in seeds:
        for step in ({"step": 0, **seed["untrained"]}, *seed["steps"]):
            place = -(-step["step"] // size)
            completions[place] += step["completions"]
            for tag, kinds in step["tags"].items():
                for evidence, count in kinds.items():
                    counts.setdefault((tag, evidence), [0] * len(names))[place] += count
    rows = [
        (tag.replace("_", " "), evidence, [count / of for count, of in zip(found, completions, strict=True)])
        for (tag, evidence), found in sorted(counts.items(), key=lambda entry: (-sum(entry[1]), entry[0]))
    ]
    return {"stretches": list(zip(names, completions, strict=True)), "rows": rows}


def _group_sentences(sentences: Iterable[tuple[int, list[str]]]) -> list[tuple[str, str]]:
    """Each sentence once, with the seeds that it holds for."""
    seeds: dict[str, list[str]] = {}
    for seed, of_seed in sentences:
        for sentence in of_seed:
            seeds.setdefault(sentence, []).append(str(seed))
    return [(f"seed{'s' if len(names) > 1 else ''} {', '.join(names)}", said) for said, names in seeds.items()]


def _collect_moments(results: Results, arm: dict[str, Any]) -> dict[str, Any] | None:
    """Trajectories before, at and after the onset of the first seed that has one; None without their file."""
    seeds = arm["by_seed"]
    seed = next((seed for seed in seeds if seed["onset"] is not None), seeds[0] if seeds else None)
    if seed is None:
        return None
    entry = results.rl_entries.get((arm["arm"], seed["seed"]), {})
    path = results.run / text(entry.get("rl")) / "trajectories.jsonl"
    if not path.is_file():
        return {"seed": seed["seed"], "file": str(path), "steps": []}
    last = seed["last_step"]
    middle = seed["onset"] or -(-last // 2)
    names = {0: "before training", middle: "at onset" if seed["onset"] else "halfway, without an onset"}
    # A run whose onset is its last step has nothing after it.
    names.setdefault(last, "at the end")
    chosen = choose_trajectories(path, middle, sorted(names))
    return {
        "seed": seed["seed"],
        "onset": seed["onset"],
        "file": f"{path.parent.name}/{path.name}",
        "steps": [
            (
                f"{names[step]}, step {step}",
                _reader_link(arm["arm"], seed["seed"], step),
                list(map(_trajectory_view, found)),
            )
            for step, found in chosen.items()
        ],
    }


def _reader_link(arm: str, seed: int, step: int) -> str:
    """A link that shows the trajectories of a step in the reader."""
    return f"#samples?{urlencode({'arm': arm, 'context': CONTEXT, 'seed': seed, 'step': step})}"


def choose_trajectories(path: Path, middle: int, steps: Sequence[int]) -> dict[int, list[Trajectory]]:
    """Choose trajectories of some steps, by a hash of problem and index, so that no outcome is preferred.

    Problems that can be hacked come first, and other problems before another completion of the same one. Those of the
    untrained policy are of the problems chosen for `middle`, where it has them.

    Args:
        path: `trajectories.jsonl`.
        middle: The step whose problems are looked up in the sample of the untrained policy.
        steps: The steps, ascending.

    Returns:
        Step -> up to `SHOWN` trajectories, without their tokens.

    Raises:
        UserError: A line is not a trajectory; the message names file and line.
    """
    drawn: dict[int, list[Trajectory]] = {step: [] for step in steps}
    for one in read_lines(path, Trajectory):
        if one.step in drawn:
            drawn[one.step].append(replace(one, tokens=(), log_probabilities=()))
    problems = [one.problem for one in _choose(drawn[middle])]
    same = [one for one in drawn[0] if one.problem in problems] if 0 in drawn else []
    return {step: _choose(same if step == 0 and same else found) for step, found in drawn.items()}


def _choose(drawn: Sequence[Trajectory]) -> list[Trajectory]:
    seen: dict[str, int] = {}
    ranked = []
    for one in sorted(drawn, key=lambda one: _hash(one.problem, one.index)):
        seen[one.problem] = rank = seen.get(one.problem, -1) + 1
        ranked.append((not one.hackable, rank, _hash(one.problem), one))
    return [one for *_, one in sorted(ranked, key=lambda entry: entry[:3])[:SHOWN]]


def _hash(*parts: Any) -> bytes:
    name = "\0".join(map(str, parts))
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _trajectory_view(one: Trajectory) -> dict[str, Any]:
    checks = [f"{name} {_passed(value)}" for name, value in (("oversight", one.oversight), ("intended", one.intended))]
    return {
        "problem": one.problem,
        "outcome": one.outcome,
        "reward": numbers.UNKNOWN if one.reward is None else f"{one.reward:g}",
        "checks": ", ".join(checks),
        "tags": ", ".join(f"{tag.name.replace('_', ' ')} ({tag.evidence})" for tag in one.tags),
        "detail": _readable(one.detail),
        "tokens": one.completion_tokens,
        "cut_off": one.finish == "length",
        "prompt": _readable(one.prompt),
        "completion": _readable(one.completion),
    }


def _passed(value: bool | None) -> str:
    return "not known" if value is None else "passed" if value else "failed"


def _readable(whole: Any) -> str:
    """The text with escapes for what cannot be seen; a cut is marked."""
    shown = _UNSEEN.sub(lambda match: f"\\u{ord(match[0]):04x}", text(whole)[:LONGEST])
    return shown if len(text(whole)) <= LONGEST else f"{shown}\n[cut here by the report: {LONGEST:,} of {len(whole):,}]"
