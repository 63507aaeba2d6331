"""Whether the claims of a study survive at other learning rates: every contrast again, between the arms trained there.

The arms of a repetition differ from those of the contrast in that one number, and are found by it. A repetition is a
study of its own with the same contrasts, seeds and looks, and its own adjustment over the contrasts. A claim survives
if it is supported in the study and in every repetition. Since all must agree, no repetition makes that easier, and no
adjustment for their number is needed (Berger 1982).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from inoculate.analysis.contrasts import Table, contrast_results
from inoculate.analysis.declared import Claim
from inoculate.analysis.looks import Schedule
from inoculate.errors import UserError

OVER = "train.learning_rate"
_SHOWN = ("difference", "low", "high", "p", "p_adjusted", "verdict", "why", "seeds", "problems", "guards")


def sensitivity(
    table: Table,
    study: dict[str, Any],
    claims: Sequence[Claim],
    results: Sequence[dict[str, Any]],
    schedule: Schedule,
) -> list[dict[str, Any]]:
    """The declared contrasts at the learning rates that the study repeats them at; empty where it repeats none.

    Args:
        table: All finished cells.
        study: The study of the manifest.
        claims: Its contrasts.
        results: What was found for them, in the same order.
        schedule: The seeds and looks that were planned.
    """
    rates = (study.get("sensitivity") or {}).get("learning_rate") or ()
    declared = [number for number, claim in enumerate(claims) if not claim.exploratory]
    again: dict[int, list[dict[str, Any]]] = {number: [] for number in declared}
    for rate in rates:
        moved = {number: _moved(study["arms"], claims[number], rate) for number in declared}
        # Where both arms have this rate already, the study itself is this repetition.
        other = [number for number in declared if moved[number] != claims[number]]
        found = contrast_results(table, study, [moved[number] for number in other], schedule)
        for number, one in zip(other, found, strict=True):
            arms = [moved[number].arm, moved[number].other]
            again[number].append({"value": rate, "arms": arms, **{key: one[key] for key in _SHOWN}})
    return [_entry(number, results[number], repeats) for number, repeats in again.items() if repeats]


def _moved(arms: dict[str, Any], claim: Claim, rate: float) -> Claim:
    """The claim between the arms that were trained at another learning rate."""
    return replace(claim, arm=_at(arms, claim.arm, rate), other=_at(arms, claim.other, rate))


def _at(arms: dict[str, Any], name: str, rate: float) -> str:
    """The arm that is like another but for its learning rate; the base arm is not trained at any."""
    own = arms.get(name)
    if own is None or (own.get("train") or {}).get("learning_rate") == rate:
        return name
    wanted = {**own, "train": {**(own.get("train") or {}), "learning_rate": rate}}
    for other, spec in arms.items():
        if spec == wanted:
            return other
    raise UserError(
        f"the manifest has no arm like '{name}' with {OVER} = {rate:g}, though its study repeats the contrasts there; "
        "run the study again, finished steps are not repeated"
    )


def _entry(number: int, main: dict[str, Any], repeats: list[dict[str, Any]]) -> dict[str, Any]:
    every = [main, *repeats]
    verdicts = [one["verdict"] for one in every]
    held = verdicts.count("supported")
    known = [one["difference"] for one in every if one["difference"] is not None]
    sizes = f", differences from {min(known) * 100:+.0f} to {max(known) * 100:+.0f} points" if known else ""
    others = "; ".join(f"{one['verdict']} at {one['value']:g}" for one in repeats)
    return {
        "claim": main["claim"],
        "over": [OVER],
        "contrasts": [number],
        "verdicts": verdicts,
        "survives": held == len(verdicts),
        "sentence": f"supported at {held} of {len(verdicts)} learning rates: {main['verdict']} in the study, "
        f"{others}{sizes}",
        "repeats": repeats,
    }
