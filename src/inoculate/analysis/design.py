"""Before anything is trained: which declared contrasts can a study of this size decide?

The smallest true difference that 80% of such studies find is simulated from variances, as in `power`. They come from
earlier runs of the same model and setting, else they are assumed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from inoculate.analysis.borrowing import FEWEST_ARMS
from inoculate.analysis.claims import Direction
from inoculate.analysis.looks import split_level
from inoculate.analysis.power import PRIOR_SD, Size, Spread, read_variances, smallest_difference
from inoculate.analysis.verdicts import VERDICT_SEEDS, explain_few_seeds, format_points

_ASSUMED = Spread(seed=PRIOR_SD**2, kind=0.06, both=0.04, kinds=0.2, df=0)
_ASSUMED_SAMPLING = 0.35
"""Where no earlier run says more: a standard deviation over seeds of .1, and problems and sampling as they are in
`benchmarks/coverage.py` at rates of .5, with five problems of a kind. `both` has the sampling of one sample besides."""
_MOST_RUNS = 20
"""The newest runs that are read: enough for an estimate, however many there are."""


class Planned(NamedTuple):
    """A contrast as it is declared."""

    claim: str
    measure: str
    setting: str
    context: str
    direction: Direction
    margin: float
    problems: int
    samples: int
    """Per problem."""
    against_base: bool = False
    """Whether one arm is the untrained one: such contrasts do not borrow."""


@dataclass(frozen=True)
class Earlier:
    """What earlier runs of one model say of the variances of differences."""

    spreads: dict[tuple[str, str], list[Spread]]
    """(setting, measure) -> one spread for each contrast of each run."""

    def find(self, setting: str, measure: str, samples: int) -> tuple[Spread, str]:
        """The spread to plan with, and in words where it comes from.

        Args:
            setting: The setting of a contrast.
            measure: Its measure.
            samples: Samples per problem, for what is assumed. Earlier runs are taken as they were.
        """
        found = self.spreads.get((setting, measure), [])
        if not found:
            assumed = _ASSUMED._replace(both=_ASSUMED.both + _ASSUMED_SAMPLING / samples)
            return assumed.shrink(), f"assumed (a standard deviation over seeds of {PRIOR_SD * 100:g} points)"
        mean = Spread(*(sum(values) / len(found) for values in zip(*found, strict=True)))
        # Contrasts of a run share arms, so together they are not taken to say more than one of them.
        count = f"{len(found)} contrast{'s' if len(found) > 1 else ''} of earlier runs"
        weighed = sum(spread.seed * spread.df for spread in found) / max(sum(spread.df for spread in found), 1)
        return mean._replace(seed=weighed).shrink(), f"from {count} of this model and setting"


def read_earlier(runs: Path, model: str) -> Earlier:
    """What the runs of a store say of the variances of differences.

    Args:
        runs: The folder of the store's runs.
        model: The model of the study.
    """
    files = sorted(runs.glob("*/results.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    spreads: dict[tuple[str, str], list[Spread]] = {}
    for path in files[:_MOST_RUNS]:
        for contrast in _read_contrasts(path, model):
            key = (contrast["setting"], contrast["measure"])
            spreads.setdefault(key, []).append(read_variances(contrast["variances"]))
    return Earlier(spreads)


def _read_contrasts(path: Path, model: str) -> Iterable[dict[str, Any]]:
    """The contrasts of a run of this model, with at least two seeds; none where the file is not one of results."""
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
        if results["study"]["model"] != model:
            return []
        return [contrast for contrast in results["contrasts"] if (contrast.get("variances") or {}).get("df")]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        # A damaged file of another run is that run's matter: `report` names it. Here it says nothing.
        return []


def assess_contrasts(
    contrasts: Sequence[Planned], looks: Sequence[int], arms: Sequence[str], earlier: Earlier
) -> list[dict[str, Any]]:
    """What a study can decide before anything of it is trained.

    Args:
        contrasts: The declared contrasts.
        looks: Numbers of seeds at which the study is judged, ascending; the last is that of all its seeds.
        arms: The arms that variances over seeds are borrowed from; none where nothing is borrowed.
        earlier: What earlier runs say.

    Returns:
        For each contrast `claim`, `measure`, `setting`, `context`, `margin`, `smallest` (the smallest true difference
        that 80% of such studies find, for `same` the smallest margin that they show; null where there can be no
        verdict), `decides` (whether that is at most the margin), `variances` (where they come from) and `sentence`.
    """
    lenders = len(arms) if len(arms) >= FEWEST_ARMS else 0
    alpha = split_level(looks)[-1] / max(len(contrasts), 1)
    return [
        _assess(contrast, looks[-1], 0 if contrast.against_base else lenders, alpha, earlier) for contrast in contrasts
    ]


def _assess(contrast: Planned, seeds: int, lenders: int, alpha: float, earlier: Earlier) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "claim": contrast.claim,
        "measure": contrast.measure,
        "setting": contrast.setting,
        "context": contrast.context,
        "margin": contrast.margin,
    }
    too_few = explain_few_seeds(seeds)
    if too_few:
        sentence = f"no verdict is possible: {too_few}"
        return entry | {"smallest": None, "decides": False, "variances": "", "sentence": sentence}
    spread, source = earlier.find(contrast.setting, contrast.measure, contrast.samples)
    size = Size(seeds, contrast.problems, lenders)
    smallest = smallest_difference(spread, size, contrast.direction, alpha)
    decides = smallest <= contrast.margin
    return entry | {
        "smallest": smallest if smallest < 1 else None,
        "decides": decides,
        "variances": source,
        "sentence": _describe(contrast, smallest, decides),
    }


def _describe(contrast: Planned, smallest: float, decides: bool) -> str:
    margin = f"the margin of {format_points(contrast.margin)}"
    if smallest >= 1:
        return "cannot be decided: not even a difference of 100 points would be found in 80% of such studies"
    if contrast.direction == "same":
        found = f"80% of such studies would show a margin of {format_points(smallest)} if there is no difference"
        return f"{found}, so {margin} can be shown" if decides else f"{found}: {margin} is too narrow to be shown"
    found = f"80% of such studies would find a difference of {format_points(smallest)}"
    return f"{found}, less than {margin}" if decides else f"{found}: one as small as {margin} will mostly be missed"


def summarise(assessed: Sequence[dict[str, Any]], seeds: int, arms: Sequence[str]) -> list[str]:
    """Warnings about the whole design, in sentences; empty where there is nothing to warn of."""
    if not assessed:
        return []
    warnings = []
    if not any(contrast["decides"] for contrast in assessed):
        which = "the declared contrast" if len(assessed) == 1 else f"none of the {len(assessed)} declared contrasts"
        can = "cannot be decided" if len(assessed) == 1 else "can be decided"
        more = "more seeds or problems, or a wider margin"
        more = more if seeds >= VERDICT_SEEDS else f"at least {VERDICT_SEEDS} seeds"
        warnings.append(f"{which} {can} at its margin by a study of this size: it needs {more}")
    if arms and len(arms) < FEWEST_ARMS:
        count = f"{len(arms)} trained arm{'s' if len(arms) > 1 else ''}"
        warnings.append(f"{count}: nothing to borrow the variance over seeds from (at least {FEWEST_ARMS} are needed)")
    return warnings
