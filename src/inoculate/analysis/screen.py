"""The results of a screen: how strongly each prompt elicits the hack from the untrained model, with intervals of ranks.

There are two scores per prompt. *Sampled*: the rate of hacks (and of correct and malformed answers) on development
problems. *Log-probability*: how much more likely, per token, the hacked training answers become under the prompt than
without one, and than under an irrelevant prompt of the same length. The second is needed because sampling shows nothing
where a model hardly ever hacks.

Intervals of log-probabilities are as in `analysis/log_probability.py`. Intervals of ranks are a cluster bootstrap over
kinds: kinds are redrawn with replacement, the same for all prompts, with an interval from the 2.5% to the 97.5% rank.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from inoculate.analysis.cells import group_by_cell
from inoculate.analysis.log_probability import NONE, Scores, read_scores
from inoculate.analysis.results import analyse
from inoculate.analysis.run_folder import pool_counts, read_cell, read_run, split_finished
from inoculate.errors import UserError
from inoculate.records import COMPLIANCE, write_json
from inoculate.study import prompts

DRAWS = 2000
SCREEN_SCHEMA = 1


def analyse_screen(run: Path) -> dict[str, Any]:
    """Combine a screen's samples and log-probabilities, and write `screen.json` into its folder.

    Args:
        run: The screen's run folder.

    Returns:
        The contents of `screen.json`: `candidates`, the strongest first, as docs/results-schema.md describes.

    Raises:
        UserError: The run is not a screen, or no prompt has been sampled.
    """
    results = analyse(run)
    source = read_run(run)
    if "scores" not in source.manifest:
        raise UserError(f"{run}: not a screen; `inoculate screen STUDY` makes one")
    first = results["study"]["evaluate"]["settings"][0]
    cells = {(cell["setting"], cell["context"]): cell for cell in results["cells"]}
    score_file = source.path(source.manifest["scores"]) / "scores.jsonl"
    scored = read_scores(score_file) if score_file.exists() else None
    names = [name for name in results["study"]["contexts"] if (first, name) in cells]
    if not names:
        raise UserError(f"{run}: no prompt has been sampled yet; run the same command again")
    entries = _entries(run, results["study"]["evaluate"]["contexts"], first, names, cells, scored)
    screen = {
        "schema": SCREEN_SCHEMA,
        "name": results["name"],
        "question": results["question"],
        "model": results["study"]["model"],
        "neutral": cells[first, prompts.NEUTRAL]["outcomes"] if (first, prompts.NEUTRAL) in cells else None,
        "neutral_compliance": _neutral_compliance(cells),
        "candidates": entries,
        "missing": results["missing"],
        "unscored": "" if scored is not None else "the log-probabilities are not finished; run the same command again",
    }
    write_json(run / "screen.json", screen)
    return screen


def _entries(
    run: Path,
    contexts: dict[str, Any],
    first: str,
    names: list[str],
    cells: dict[tuple[str, str], Any],
    scored: Scores | None,
) -> list[dict[str, Any]]:
    """The candidates, the strongest first: by samples in the first setting, and by log-probabilities where they are."""
    rates, kinds = _hit_rates(run, first, names)
    sampled_ranks = _ranks(rates, kinds)
    entries = []
    for index, name in enumerate(names):
        cell, context = cells[first, name], contexts[name]
        entry: dict[str, Any] = {
            "name": name,
            "text": context["text"],
            "placement": context["placement"],
            "samples": cell["samples"],
            "ungraded": cell["ungraded"],
            "outcomes": cell["outcomes"],
            "rank": sampled_ranks[index],
        }
        if scored is not None:
            entry["added"] = scored.added(name)
            entry["added_to_control"] = scored.added(name, f"{name}~control")
        if (COMPLIANCE, name) in cells:
            entry["compliance"] = cells[COMPLIANCE, name]["outcomes"]["correct"]
        entries.append(entry)
    if scored is not None:
        table = np.array([scored.per_token[name] - scored.per_token[NONE] for name in names])
        for entry, ranks in zip(entries, _ranks(table, scored.kinds), strict=True):
            entry["added_rank"] = ranks
    return sorted(entries, key=lambda entry: (entry["rank"]["rank"], entry.get("added_rank", entry["rank"])["rank"]))


def _neutral_compliance(cells: dict[tuple[str, str], Any]) -> dict[str, Any] | None:
    cell = cells.get((COMPLIANCE, prompts.NEUTRAL))
    return cell["outcomes"]["correct"] if cell else None


def _hit_rates(run: Path, setting: str, names: list[str]) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """Hack rate of each candidate on each problem [C, P], NaN where nothing is graded, and the problems' kinds [P]."""
    source = read_run(run)
    samples = int(source.study["evaluate"].get("samples") or 1)
    finished_cells, _ = split_finished(source)
    tallies = (tally for cell in finished_cells for tally in read_cell(source, cell, samples))
    cells = group_by_cell(tally for tally in tallies if tally.key.setting == setting)
    counts = {key.context: pool_counts(tallies, "hack") for key, tallies in cells.items()}
    with np.errstate(invalid="ignore"):
        table = np.array([counts[name].hits / counts[name].graded for name in names])
    return table, counts[names[0]].kinds


def _ranks(table: NDArray[np.float64], kinds: NDArray[Any]) -> list[dict[str, Any]]:
    """Rank of each row by its mean, with a bootstrap interval over kinds; 1 is the highest, and ties share a rank.

    Args:
        table: [C, N] Scores of C candidates on N problems; NaN where a problem has no score.
        kinds: [N] The problems' kinds.
    """
    generator = np.random.default_rng(0)
    members = [np.flatnonzero(kinds == kind) for kind in sorted(set(kinds))]
    sums = np.array([np.nansum(table[:, rows], axis=1) for rows in members])  # [K, C]
    sizes = np.array([np.isfinite(table[:, rows]).sum(axis=1) for rows in members])
    weights = generator.multinomial(len(members), np.full(len(members), 1 / len(members)), size=DRAWS)  # [D, K]
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.nan_to_num((weights @ sums) / (weights @ sizes), nan=-np.inf)
        observed = np.nan_to_num(sums.sum(axis=0) / sizes.sum(axis=0), nan=-np.inf)
    ranks = rankdata(-means, method="average", axis=1)
    rank = rankdata(-observed, method="min")
    low, high = np.quantile(ranks, [0.025, 0.975], axis=0)
    return [
        {"rank": int(rank[row]), "low": float(low[row]), "high": float(high[row]), "of": len(table)}
        for row in range(len(table))
    ]
