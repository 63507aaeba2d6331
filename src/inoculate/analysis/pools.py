"""Which arms a contrast borrows its variance over seeds from, and how that is told in the results."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from inoculate.analysis.borrowing import FEWEST_ARMS, Borrowed, Pool, align_seeds, fit_pool
from inoculate.analysis.cells import Table, find_final_cell
from inoculate.analysis.estimates import ArmRate, Difference, estimate_arms
from inoculate.analysis.run_folder import pool_counts
from inoculate.records import Measure


def pool_arms(arms: Sequence[ArmRate], graded: Sequence[float], seeds: Sequence[Sequence[int]] | None = None) -> Pool:
    """What arms say together of their variance over seeds.

    Args:
        arms: [A] Trained arms of at least two seeds each.
        graded: [A] Samples of one seed.
        seeds: [A] The seeds of each arm, ascending; unless given, all have the same.
    """
    every, present = align_seeds(seeds or [range(arms[0].scores.shape[-2])] * len(arms))
    rates = np.stack([arm.rate for arm in arms])
    deviations = np.zeros((*rates.shape, len(every)))
    for number, arm in enumerate(arms):
        deviations[number][..., present[number]] = arm.scores.sum(axis=-1) * arm.scores.shape[-2]
    within = np.stack([arm.variances.shared * arm.scores.shape[-2] for arm in arms])
    samples = np.asarray(graded, dtype=float).reshape(-1, *[1] * (rates.ndim - 1))
    return fit_pool(rates, deviations, within, samples, present)


@dataclass(frozen=True)
class NamedPool:
    """The pool of one measure, setting and context, with the arms it is made of."""

    measure: Measure
    setting: str
    context: str
    seeds: dict[str, list[int]]
    """Arm -> its seeds, of those that count; at least two."""
    left_out: dict[str, str]
    """Arm -> why nothing is borrowed from it."""
    pool: Pool | None
    """None with too few arms."""

    @property
    def reason(self) -> str:
        """Why nothing can be borrowed; empty where it can."""
        if self.pool is None or not self.pool.is_enough:
            usable = len(self.seeds) if self.pool is None else int(self.pool.varying.sum())
            counts = f"{usable} arm{'' if usable == 1 else 's'} with two seeds and a rate that is neither 0 nor 1"
            return f"since there is nothing to borrow from: {counts}, and at least {FEWEST_ARMS} are needed"
        return ""

    def is_unlike(self, arm: str) -> bool:
        """Whether an arm varies more over seeds than the others allow."""
        return bool(self.pool and arm in self.seeds and self.pool.unlike[list(self.seeds).index(arm)])

    def lend(self, difference: Difference, first: str, second: str) -> Difference:
        """The difference of two arms, borrowing from this pool if both are in it.

        Contrasts with the untrained arm do not borrow: the error of their one trained arm can be skewed, and intervals
        then fell short in simulation at rates near 0 and 1 (docs/statistics.md).
        """
        borrowed = None if self.pool is None or self.reason else self._borrow(difference, first, second)
        return replace(difference, borrowed=borrowed) if borrowed else difference

    def _borrow(self, difference: Difference, first: str, second: str) -> Borrowed | None:
        names = list(self.seeds)
        if self.pool is None or first not in names or second not in names:
            return None
        return self.pool.borrow(names.index(first), names.index(second), difference.variances.seed_df)

    def result(self) -> dict[str, Any]:
        """Its entry in results.json."""
        entry: dict[str, Any] = {"measure": self.measure, "setting": self.setting, "context": self.context}
        entry |= {"reason": self.reason, "left_out": self.left_out, "df": None, "prior_df": None}
        entry["arms"] = []
        pool = self.pool
        if pool is None:
            return entry
        known = np.isfinite(pool.prior_df)
        entry |= {"df": int(pool.df), "prior_df": float(pool.prior_df) if known else None}
        entry["arms"] = [
            {
                "arm": name,
                "seeds": seeds,
                "sd": float(np.sqrt(pool.own[number])),
                "sd_expected": float(np.sqrt(pool.expected[number])),
                "varies": bool(pool.varying[number]),
                "unlike": bool(pool.unlike[number]),
            }
            for number, (name, seeds) in enumerate(self.seeds.items())
        ]
        return entry


@dataclass
class Pools:
    """The pools of a run, each made when it is first asked for."""

    table: Table
    arms: tuple[str, ...]
    """The arms that the study declared to borrow from; none where it declared not to borrow."""
    made: dict[Any, NamedPool] = field(default_factory=dict)

    def find(self, measure: Measure, setting: str, context: str, seeds: Collection[int] | None) -> NamedPool | None:
        """The pool for contrasts of a measure in one setting and context; None where nothing is borrowed.

        Args:
            measure: What is compared.
            setting: Where.
            context: Under which prompt.
            seeds: The seeds that the contrast is judged on; None for all.
        """
        if not self.arms:
            return None
        key = (measure, setting, context, None if seeds is None else frozenset(seeds))
        if key not in self.made:
            self.made[key] = self._make(measure, setting, context, seeds)
        return self.made[key]

    def count_lenders(self, difference: Difference) -> int:
        """How many arms a new study would borrow from; 0 where this difference keeps its own variance."""
        return len(self.arms) if not difference.keeps_own else 0

    def _make(self, measure: Measure, setting: str, context: str, seeds: Collection[int] | None) -> NamedPool:
        counted, names, left_out = [], {}, {}
        for arm in self.arms:
            cell = find_final_cell(self.table, arm, setting, context)
            tallies = [t for t in self.table[cell] if seeds is None or t.seed in seeds] if cell else []
            tallies = [tally for tally in tallies if tally.judged(measure).any()]
            if len(tallies) < 2:
                left_out[arm] = f"{len(tallies) or 'no'} finished seed{'' if len(tallies) == 1 else 's'}"
                continue
            counts = pool_counts(tallies, measure)
            counted.append(counts.select(counts.graded > 0))
            names[arm] = [int(seed) for seed in np.unique(counted[-1].seeds)]
        pool = None
        if len(counted) >= FEWEST_ARMS:
            samples = [
                float(counts.graded.sum()) / len(own) for counts, own in zip(counted, names.values(), strict=True)
            ]
            rates = estimate_arms([counts.reweight() for counts in counted])
            pool = pool_arms(rates, samples, list(names.values()))
        return NamedPool(measure, setting, context, names, left_out, pool)


def describe_borrowed(difference: Difference | None, pool: NamedPool | None, names: Sequence[str]) -> dict[str, Any]:
    """Where the variance over seeds of a contrast comes from, as its entry in results.json.

    Returns:
        `kind` (`moderated`, `own` or `none`), `sentence`, and as far as there are any `sd_own`, `df_own`,
        `sd_expected` (as all arms predict it), `df_borrowed` (what the prediction counts for), `sd_used` and `df_used`.
        The standard deviations are of the difference at one seed.

    Args:
        difference: The difference; None where there is none.
        pool: What it could borrow from.
        names: Its two arms.
    """
    if difference is None or not difference.variances.seed_df:
        return {"kind": "none", "sentence": _explain_none(difference)}
    own_df = difference.variances.seed_df
    own = difference.variances.seed * difference.seeds
    sd_own = float(np.sqrt(own))
    entry: dict[str, Any] = {"kind": "own", "sd_own": sd_own, "df_own": own_df, "sd_used": sd_own, "df_used": own_df}
    borrowed = difference.borrowed
    if borrowed is None or pool is None:
        return entry | {"sentence": f"of this contrast alone, {_explain_own(difference, pool)}"}
    unlike = [f"'{name}' varies" for name in names if pool.is_unlike(name)]
    entry |= {"sd_expected": float(np.sqrt(borrowed.joint.variance)), "df_borrowed": 0.0}
    if difference.keeps_own:
        return entry | {"sentence": f"of this contrast alone, since {' and '.join(unlike)} more than the others allow"}
    moderated, df = borrowed.joint.moderate(own, own_df)
    entry |= {"kind": "moderated", "df_borrowed": float(borrowed.joint.weight)}
    entry |= {"sd_used": float(np.sqrt(moderated)), "df_used": float(df)}
    return entry | {
        "sentence": f"standard deviation {entry['sd_used'] * 100:.1f} points, borrowed in part from {len(pool.seeds)} "
        f"arms ({sd_own * 100:.1f} from the {difference.seeds} seeds of this contrast alone, "
        f"{entry['sd_expected'] * 100:.1f} as all arms predict it)"
    }


def _explain_none(difference: Difference | None) -> str:
    if difference is None:
        return "unknown: there is no difference"
    return "unknown: one seed says nothing about it" if difference.seeds else "none: neither arm was trained"


def _explain_own(difference: Difference, pool: NamedPool | None) -> str:
    if pool is None:
        return "since borrowing was not declared before the run"
    if not (difference.first.trained and difference.second.trained):
        return "since contrasts with the untrained arm do not borrow"
    return pool.reason or "since one of its arms is not among those that were declared to be borrowed from"
