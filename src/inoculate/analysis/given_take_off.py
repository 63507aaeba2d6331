"""Contrasts over those seeds alone in which the policy that they rest on took off, beside those over all seeds.

A seed in which RL never learns the hack has nothing for a prompt to keep out. Over all seeds is the answer to what a
prompt does to a training as a whole; given take-off is what it does where there was something to do. The second chooses
seeds by what happened in them: it has no verdict and no p, and where a prompt of RL is compared, arms may differ in
which seeds they lose.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from inoculate.analysis.arms import row_tables
from inoculate.analysis.cells import Table
from inoculate.analysis.claims import Claim
from inoculate.analysis.contrasts import compare_arms, finished_seeds
from inoculate.analysis.pools import Pools


def given_take_off(
    table: Table, study: Mapping[str, Any], claim: Claim, rl: Sequence[Mapping[str, Any]], pools: Pools
) -> dict[str, Any] | None:
    """The difference of a contrast over the seeds in which every policy that it rests on took off.

    Args:
        table: All finished cells.
        study: The study of the manifest.
        claim: The contrast.
        rl: What happened in the RL arms, as `analyse_rl` says.
        pools: Where the variance over seeds is borrowed.

    Returns:
        `arms` (of RL), `took_off` and `finished` (seeds), `difference`, `low`, `high` and `reason`; None where the
        contrast rests on no RL, or all of its seeds took off.
    """
    onsets = {one["arm"]: {seed["seed"] for seed in one["by_seed"] if seed["onset"] is not None} for one in rl}
    arms = sorted({found for arm in (claim.arm, claim.other) for found in _rests_on(study, arm)} & onsets.keys())
    finished = finished_seeds(table, claim)
    took_off = [seed for seed in sorted(finished) if all(seed in onsets[arm] for arm in arms)]
    if not arms or len(took_off) == len(finished):
        return None
    entry: dict[str, Any] = {"arms": arms, "took_off": took_off, "finished": sorted(finished)}
    nothing = {"difference": None, "low": None, "high": None}
    if not took_off:
        return entry | nothing | {"reason": "no seed took off"}
    difference, reason = compare_arms(table, claim, claim.measure, claim.context, took_off, pools)
    if difference is None or not difference.has_interval:
        return entry | nothing | {"reason": reason}
    low, high = difference.interval()
    return entry | {"difference": difference.value, "low": low, "high": high, "reason": ""}


def _rests_on(study: Mapping[str, Any], arm: str) -> set[str]:
    """The arm, those that it started from, and those whose completions it was trained on."""
    found: set[str] = set()
    waiting = [arm]
    while waiting:
        name = waiting.pop()
        spec = study["arms"].get(name) or {}
        if name in found:
            continue
        found.add(name)
        sources = [(table.get("trajectories") or {}).get("arm") for table in row_tables(spec)]
        waiting += [other for other in (spec.get("start"), *sources) if other]
    return found
