"""Contrasts over those seeds alone in which the policy that they rest on took off, beside those over all seeds.

A seed in which RL never learns the hack has nothing for a prompt to keep out. Over all seeds is the answer to what a
prompt does to a training as a whole; given take-off is what it does where there was something to do. The second chooses
seeds by what happened in them: it has no verdict and no p, and where a prompt of RL is compared, arms may differ in
which seeds they lose. Where an arm of RL is itself compared, its seeds are chosen by the very result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from inoculate.analysis.arms import row_tables
from inoculate.analysis.cells import Table
from inoculate.analysis.claims import Claim
from inoculate.analysis.contrasts import compare_arms, finished_seeds
from inoculate.analysis.looks import Schedule
from inoculate.analysis.pools import Pools
from inoculate.analysis.verdicts import ONE_SEED


def given_take_off(
    table: Table,
    study: Mapping[str, Any],
    claim: Claim,
    rl: Sequence[Mapping[str, Any]],
    schedule: Schedule,
    pools: Pools,
) -> dict[str, Any] | None:
    """The difference of a contrast over the seeds in which every policy that it rests on took off.

    Args:
        table: All finished cells.
        study: The study of the manifest.
        claim: The contrast.
        rl: What happened in the RL arms, as `analyse_rl` says.
        schedule: The seeds and looks that were planned: only seeds that the verdict is over are chosen from.
        pools: Where the variance over seeds is borrowed.

    Returns:
        `arms` (of RL), `outcome` (those of them that the claim itself compares), `took_off` and `finished` (seeds),
        `difference`, `low`, `high` and `reason`; None where the contrast rests on no RL, or all of its seeds took off.
    """
    onsets = {one["arm"]: {seed["seed"] for seed in one["by_seed"] if seed["onset"] is not None} for one in rl}
    compared = (claim.arm, claim.other)
    arms = sorted({found for arm in compared for found in _rests_on(study, arm)} & onsets.keys())
    finished = sorted(schedule.find_look(finished_seeds(table, claim)).seeds)
    took_off = [seed for seed in finished if all(seed in onsets[arm] for arm in arms)]
    if not arms or len(took_off) == len(finished):
        return None
    outcome = [arm for arm in arms if arm in compared]
    entry: dict[str, Any] = {"arms": arms, "outcome": outcome, "took_off": took_off, "finished": finished}
    entry |= {"difference": None, "low": None, "high": None}
    if not took_off:
        return entry | {"reason": "no seed took off"}
    # With pools of its own: those of the run are what verdicts borrow from.
    own = replace(pools, made={})
    difference, reason = compare_arms(table, claim, claim.measure, claim.context, took_off, own)
    if difference is None:
        return entry | {"reason": reason}
    entry |= {"difference": difference.value}
    if len(took_off) == 1 or not difference.has_interval:
        return entry | {"reason": reason or ONE_SEED}
    low, high = difference.interval()
    return entry | {"low": low, "high": high, "reason": ""}


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
