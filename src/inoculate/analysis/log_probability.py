"""Log-probabilities of training answers under prompts, before anything is trained: what a prompt adds per token.

Intervals are 95% t intervals over kinds of problem.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from inoculate.analysis.run_folder import Run, require_file

NONE = ""
"""The name of no prompt."""


class Scores:
    """Log-probabilities per token; N answers."""

    def __init__(self, lines: list[dict[str, Any]]) -> None:
        """Take them from the lines of `scores.jsonl` files, which need not have the same prompts."""
        self.kinds = np.array([line["kind"] for line in lines], dtype=object)
        names = dict.fromkeys(name for line in lines for name in line["scores"])
        self.per_token = {
            name: np.array([line["scores"].get(name, math.nan) / line["tokens"] for line in lines]) for name in names
        }
        """Name -> [N] nats per token; NaN where the answer was not scored under this prompt."""

    def added(self, name: str, reference: str = NONE) -> dict[str, Any]:
        """Nats per token that a prompt adds to the answers' log-probability, with a 95% t interval over kinds.

        It is of the answers that were scored under both.
        """
        return self._mean(self.per_token[name] - self.per_token[reference])

    def mean(self, name: str) -> dict[str, Any]:
        """Nats per token of the answers under a prompt, in the same way."""
        return self._mean(self.per_token[name])

    def _mean(self, every: NDArray[np.float64]) -> dict[str, Any]:
        scored = ~np.isnan(every)
        values, kinds = every[scored], self.kinds[scored]
        kind_means = [values[kinds == kind].mean() for kind in sorted(set(kinds))]
        mean, count = float(np.mean(kind_means)), len(kind_means)
        if count < 2:
            return {
                "mean": mean,
                "low": None,
                "high": None,
                "answers": len(values),
                "reason": "a single kind of problem",
            }
        half_width = float(student.ppf(0.975, count - 1)) * float(np.std(kind_means, ddof=1)) / math.sqrt(count)
        return {"mean": mean, "low": mean - half_width, "high": mean + half_width, "answers": len(values)}


def read_scores(path: Path) -> Scores:
    """The scores of a file."""
    return Scores(_read_lines(path))


def _read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def analyse_scores(run: Run) -> list[dict[str, Any]]:
    """What each prompt adds to the trajectories that arms are trained on, under the untrained model.

    Args:
        run: The run.

    Returns:
        An entry for arms that share their answers, over the seeds whose scores are finished, as docs/results-schema.md
        describes it; empty where no arm is trained on trajectories.

    Raises:
        UserError: A file is missing.
    """
    arms: dict[str, dict[int, str]] = {}
    for entry in run.manifest.get("training") or ():
        if entry.get("scores"):
            arms.setdefault(entry["arm"], {})[entry["seed"]] = entry["scores"]
    shared: dict[tuple[tuple[int, str], ...], list[str]] = {}
    for arm, folders in arms.items():
        shared.setdefault(tuple(folders.items()), []).append(arm)
    found: list[dict[str, Any]] = []
    for folders, names in shared.items():
        by_seed = {seed: _read_lines(require_file(run.path(folder) / "scores.jsonl")) for seed, folder in folders}
        scores = Scores([line for lines in by_seed.values() for line in lines])
        found.append(
            {
                "arms": names,
                "seeds": list(by_seed),
                "without": scores.mean(NONE),
                "prompts": [
                    {"prompt": name, "seeds": [seed for seed, lines in by_seed.items() if name in lines[0]["scores"]]}
                    | scores.added(name)
                    for name in scores.per_token
                    if name != NONE
                ],
            }
        )
    return found
