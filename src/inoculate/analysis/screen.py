"""What a screen found: how strongly each prompt elicits the hack on the untrained model, with uncertain ranks.

Two scores per prompt. *Sampled*: the rate of hacks (and of correct and malformed answers) on development problems.
*Log-probability*: how much more likely, per token, the hacked training answers become under the prompt than without
one, and than under an irrelevant prompt of the same length. Both are wanted because sampling shows nothing where a
model hardly ever hacks.

Intervals of log-probabilities are t intervals over kinds of problem. Ranks are uncertain because the problems are a
sample: kinds are drawn again with replacement, the same for all prompts, and each prompt's 2.5% and 97.5% ranks over
the draws are its interval.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from scipy.stats import t as student

from inoculate.analysis.cells import by_place
from inoculate.analysis.reading import counts, finished, read_cell, read_run
from inoculate.analysis.results import analyse, write_json
from inoculate.errors import UserError

DRAWS = 2000
SCREEN_SCHEMA = 1
COMPLIANCE = "compliance"
NEUTRAL = "neutral"


def analyse_screen(run: Path) -> dict[str, Any]:
    """Put a screen's samples and log-probabilities together and write `screen.json` into its folder.

    Args:
        run: The screen's run folder.

    Returns:
        What was written: `candidates`, best elicitor first, as docs/results-schema.md describes.

    Raises:
        UserError: The run is not a screen, or has nothing finished.
    """
    results = analyse(run)
    source = read_run(run)
    if "scores" not in source.manifest:
        raise UserError(f"{run}: not a screen; `inoculate screen STUDY` makes one")
    first = results["study"]["evaluate"]["settings"][0]
    cells = {(cell["setting"], cell["context"]): cell for cell in results["cells"]}
    scored = _read_scores(source.path(source.manifest["scores"]) / "scores.jsonl")
    names = [name for name in results["study"]["contexts"] if (first, name) in cells]
    if not names:
        raise UserError(f"{run}: no prompt has been sampled yet; run the same command again")
    hits, kinds = _hits(run, first, names)
    sampled_ranks = _ranks(hits, kinds)
    entries = []
    for row, name in enumerate(names):
        cell, context = cells[first, name], results["study"]["evaluate"]["contexts"][name]
        entry: dict[str, Any] = {
            "name": name,
            "text": context["text"],
            "placement": context["placement"],
            "samples": cell["samples"],
            "ungraded": cell["ungraded"],
            "outcomes": cell["outcomes"],
            "rank": sampled_ranks[row],
        }
        if scored is not None:
            entry["added"] = _added(scored, name, "")
            entry["added_to_control"] = _added(scored, name, f"{name}~control")
        if (COMPLIANCE, name) in cells:
            entry["compliance"] = cells[COMPLIANCE, name]["outcomes"]["correct"]
        entries.append(entry)
    if scored is not None:
        table = np.array([scored.per_token[name] - scored.per_token[""] for name in names])
        for entry, ranks in zip(entries, _ranks(table, scored.kinds), strict=True):
            entry["added_rank"] = ranks
    entries.sort(key=lambda entry: (entry["rank"]["rank"], entry.get("added_rank", entry["rank"])["rank"]))
    found = {
        "schema": SCREEN_SCHEMA,
        "name": results["name"],
        "question": results["question"],
        "model": results["study"]["model"],
        "neutral": cells[first, NEUTRAL]["outcomes"] if (first, NEUTRAL) in cells else None,
        "neutral_compliance": _neutral_compliance(cells),
        "candidates": entries,
        "missing": results["missing"],
        "unscored": "" if scored is not None else "the log-probabilities are not finished; run the same command again",
    }
    write_json(run / "screen.json", found)
    return found


def _neutral_compliance(cells: dict[tuple[str, str], Any]) -> dict[str, Any] | None:
    cell = cells.get((COMPLIANCE, NEUTRAL))
    return cell["outcomes"]["correct"] if cell else None


class _Scores:
    """Log-probabilities per token; N answers."""

    def __init__(self, lines: list[dict[str, Any]]) -> None:
        self.kinds = np.array([line["kind"] for line in lines], dtype=object)
        names = list(lines[0]["scores"])
        self.per_token = {name: np.array([line["scores"][name] / line["tokens"] for line in lines]) for name in names}
        """Name -> [N] nats per token."""


def _read_scores(path: Path) -> _Scores | None:
    if not path.exists():
        return None
    return _Scores([json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()])


def _added(scored: _Scores, name: str, reference: str) -> dict[str, Any]:
    """Nats per token by which a prompt makes the answers likelier, with a 95% t interval over kinds."""
    gain = scored.per_token[name] - scored.per_token[reference]
    groups = [gain[scored.kinds == kind].mean() for kind in sorted(set(scored.kinds))]
    mean, count = float(np.mean(groups)), len(groups)
    if count < 2:
        return {"mean": mean, "low": None, "high": None, "answers": len(gain), "reason": "a single kind of problem"}
    half = float(student.ppf(0.975, count - 1)) * float(np.std(groups, ddof=1)) / math.sqrt(count)
    return {"mean": mean, "low": mean - half, "high": mean + half, "answers": len(gain)}


def _hits(run: Path, setting: str, names: list[str]) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """Hack rate of each candidate on each problem [C, P], NaN where nothing is graded, and the problems' kinds [P]."""
    source = read_run(run)
    samples = int(source.study["evaluate"].get("samples") or 1)
    ready, _ = finished(source)
    tallies = (tally for cell in ready for tally in read_cell(source, cell, samples))
    places = by_place(tally for tally in tallies if tally.place.setting == setting)
    found = {place.context: counts(tallies, "hack") for place, tallies in places.items()}
    with np.errstate(invalid="ignore"):
        table = np.array([found[name].hits / found[name].graded for name in names])
    return table, found[names[0]].kinds


def _ranks(table: NDArray[np.float64], kinds: NDArray[Any]) -> list[dict[str, Any]]:
    """Rank of each row by its mean, 1 the highest (ties share), with its interval over redrawn kinds.

    Args:
        table: [C, N] Scores of C candidates on N problems; NaN where there is none.
        kinds: [N] The problems' kinds.
    """
    draw = np.random.default_rng(0)
    members = [np.flatnonzero(kinds == kind) for kind in sorted(set(kinds))]
    sums = np.array([np.nansum(table[:, rows], axis=1) for rows in members])  # [K, C]
    sizes = np.array([np.isfinite(table[:, rows]).sum(axis=1) for rows in members])
    weights = draw.multinomial(len(members), np.full(len(members), 1 / len(members)), size=DRAWS)  # [D, K]
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.nan_to_num((weights @ sums) / (weights @ sizes), nan=-np.inf)
        whole = np.nan_to_num(sums.sum(axis=0) / sizes.sum(axis=0), nan=-np.inf)
    ranks = rankdata(-means, method="average", axis=1)
    rank = rankdata(-whole, method="min")
    low, high = np.quantile(ranks, [0.025, 0.975], axis=0)
    return [
        {"rank": int(rank[row]), "low": float(low[row]), "high": float(high[row]), "of": len(table)}
        for row in range(len(table))
    ]
