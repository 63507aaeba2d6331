"""Sensitivity analysis: every declared contrast again, between arms trained at other learning rates.

The arms of a repetition differ from those of the contrast only in the learning rate. Each repetition is a study of its
own, with the same contrasts, seeds and looks, and its own adjustment over the contrasts. A claim survives if it is
supported in the study and in every repetition. Since all must agree, their number needs no adjustment (an
intersection-union test, Berger 1982).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from inoculate.analysis.cells import Table
from inoculate.analysis.claims import Claim
from inoculate.analysis.contrasts import contrast_results
from inoculate.analysis.looks import Schedule
from inoculate.analysis.pools import Pools
from inoculate.analysis.side_effects import withhold_verdicts
from inoculate.errors import UserError

VARIED = "train.learning_rate"
_COPIED = ("difference", "low", "high", "p", "p_adjusted", "verdict", "why", "seeds", "problems", "guards")


def repeat_contrasts(
    table: Table,
    study: dict[str, Any],
    claims: Sequence[Claim],
    results: Sequence[dict[str, Any]],
    schedule: Schedule,
    borrow: bool,
    side_effects: Sequence[Mapping[str, Any]],
) -> list[dict[str, Any]]:
    """The declared contrasts at the other learning rates that the study names; empty where it names none.

    Args:
        table: All finished cells.
        study: The study of the manifest.
        claims: Its contrasts.
        results: Their results, in the same order.
        schedule: The planned seeds and looks.
        borrow: Whether the study declared that variances over seeds are borrowed: here from the arms of one rate.
        side_effects: From `analyse_side_effects`: the families and contexts in which no claim has a verdict.
    """
    rates = (study.get("sensitivity") or {}).get("learning_rate") or ()
    declared_numbers = [number for number, claim in enumerate(claims) if not claim.exploratory]
    repeats_by_number: dict[int, list[dict[str, Any]]] = {number: [] for number in declared_numbers}
    for rate in rates:
        claims_at_rate = {number: _claim_at(study["arms"], claims[number], rate) for number in declared_numbers}
        # If both arms have this rate already, the study itself is this repetition.
        numbers = [number for number in declared_numbers if claims_at_rate[number] != claims[number]]
        at_rate = [name for name, spec in study["arms"].items() if _learning_rate(spec) == rate]
        pools = Pools(table, tuple(at_rate) if borrow else ())
        repeated = withhold_verdicts(
            contrast_results(table, study, [claims_at_rate[number] for number in numbers], schedule, pools),
            side_effects,
        )
        for number, result in zip(numbers, repeated, strict=True):
            arms = [claims_at_rate[number].arm, claims_at_rate[number].other]
            repeats_by_number[number].append({"value": rate, "arms": arms, **{key: result[key] for key in _COPIED}})
    return [_summarise(number, results[number], repeats) for number, repeats in repeats_by_number.items() if repeats]


def _claim_at(arms: dict[str, Any], claim: Claim, rate: float) -> Claim:
    """The same claim, between the arms that were trained at this learning rate."""
    return replace(claim, arm=_find_arm_at(arms, claim.arm, rate), other=_find_arm_at(arms, claim.other, rate))


def _find_arm_at(arms: dict[str, Any], name: str, rate: float) -> str:
    """The arm that differs from the named one only in its learning rate; for the base arm, itself."""
    spec = arms.get(name)
    if spec is None or _learning_rate(spec) == rate:
        return name
    changed_spec = {**spec, "train": {**(spec.get("train") or {}), "learning_rate": rate}}
    for other_name, other_spec in arms.items():
        if other_spec == changed_spec:
            return other_name
    raise UserError(
        f"the manifest has no arm like '{name}' with {VARIED} = {rate:g}, though its study repeats the contrasts "
        "there; run the study again (finished steps are not repeated)"
    )


def _learning_rate(spec: dict[str, Any]) -> float | None:
    return (spec.get("train") or {}).get("learning_rate")


def _summarise(number: int, main: dict[str, Any], repeats: list[dict[str, Any]]) -> dict[str, Any]:
    all_results = [main, *repeats]
    verdicts = [result["verdict"] for result in all_results]
    supported = verdicts.count("supported")
    differences = [result["difference"] for result in all_results if result["difference"] is not None]
    sizes = (
        f", differences from {min(differences) * 100:+.0f} to {max(differences) * 100:+.0f} points"
        if differences
        else ""
    )
    verdicts_elsewhere = "; ".join(f"{result['verdict']} at {result['value']:g}" for result in repeats)
    return {
        "claim": main["claim"],
        "over": [VARIED],
        "contrasts": [number],
        "verdicts": verdicts,
        "survives": supported == len(verdicts),
        "sentence": f"supported at {supported} of {len(verdicts)} learning rates: {main['verdict']} in the study, "
        f"{verdicts_elsewhere}{sizes}",
        "repeats": repeats,
    }
