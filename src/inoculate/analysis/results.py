"""From a run folder to `results.json`: the last step before the report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from inoculate.analysis.cells import build_cell, group_by_cell
from inoculate.analysis.changes import compute_changes
from inoculate.analysis.checks import Check, run_checks
from inoculate.analysis.claims import check_further, declared_trends, read_claims
from inoculate.analysis.conditioning import analyse_conditioning
from inoculate.analysis.contrasts import contrast_results
from inoculate.analysis.elicitation import analyse_elicitation
from inoculate.analysis.factorial import analyse_factorial
from inoculate.analysis.given_take_off import given_take_off
from inoculate.analysis.log_probability import analyse_scores
from inoculate.analysis.looks import Schedule, split_level
from inoculate.analysis.pools import Pools
from inoculate.analysis.preflight.arms import forecast_run
from inoculate.analysis.rl import analyse_rl, collapse_cautions
from inoculate.analysis.run_folder import Run, Tally, read_cell, read_run, split_finished
from inoculate.analysis.sensitivity import repeat_contrasts
from inoculate.analysis.side_effects import analyse_side_effects, describe_silent, withhold_verdicts
from inoculate.analysis.since_then import find_outdated
from inoculate.analysis.transfer import analyse_transfer
from inoculate.analysis.trends import analyse_trends
from inoculate.analysis.truth import analyse_truth
from inoculate.analysis.verdicts import ONE_SEED, VERDICT_SEEDS
from inoculate.records import write_json

RESULTS_SCHEMA = 1
_TRAINING_FOLDERS = (
    "rows", "adapter", "adapter_record", "row_grades", "more_rows", "rl", "preflight", "scores", "fresh_samples",
    "distances",
)  # fmt: skip


def analyse(run: Path, further: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """Estimate, compare and check everything that is finished in a run, and write `results.json` into its folder.

    Args:
        run: The run's folder, which holds `manifest.json`.
        further: Contrasts beside those of the study, as `read_contrast` gives them: exploratory, without a verdict.

    Returns:
        The results as written, as docs/results-schema.md describes them.

    Raises:
        UserError: The manifest or a finished cell cannot be read; or a further contrast has a mistake.
    """
    source = read_run(run)
    manifest, study = source.manifest, source.study
    check_further(further, manifest)
    finished_cells, missing = split_finished(source)
    samples = int(study["evaluate"].get("samples") or 1)
    tallies = [tally for cell in finished_cells for tally in read_cell(source, cell, samples)]
    table = group_by_cell(tallies)
    claims = read_claims(study, manifest.get("declared_contrasts_hash"), further, manifest.get("settings"))
    schedule = _plan_looks(manifest, tallies)
    # A run from before this could be declared borrows nothing: its verdicts stay what they were.
    pools = Pools(table, tuple(manifest.get("declared_borrow") or ()))
    rl = analyse_rl(source)
    contrasts = [
        contrast | {"given_take_off": given_take_off(table, study, claim, rl, schedule, pools)}
        for claim, contrast in zip(claims, contrast_results(table, study, claims, schedule, pools), strict=True)
    ]
    side_effects = analyse_side_effects(table, study)
    contrasts = withhold_verdicts(contrasts, side_effects)
    trends = withhold_verdicts(analyse_trends(table, study, schedule, declared_trends(manifest)), side_effects)
    checks = run_checks(source, table, claims)
    results = {
        "schema": RESULTS_SCHEMA,
        **_describe_run(manifest),
        "headline": _write_headline(contrasts),
        "cautions": find_outdated(source, finished_cells)
        + _collect_cautions(source, tallies, contrasts, trends, checks, missing, schedule)
        + collapse_cautions(rl)
        + describe_silent(side_effects),
        "cells": [build_cell(key, key_tallies) for key, key_tallies in table.items()],
        "changes": compute_changes(table, study),
        "contrasts": contrasts,
        "conditioning": analyse_conditioning(source, table),
        "sensitivity": repeat_contrasts(table, study, claims, contrasts, schedule, bool(pools.arms), side_effects),
        "trends": trends,
        "transfer": analyse_transfer(source, table),
        "factorial": analyse_factorial(table, study),
        "elicitation": analyse_elicitation(table, study, run.parent / f"{manifest['name']}-screen" / "screen.json"),
        "preflight": forecast_run(source),
        "rl": rl,
        "side_effects": side_effects,
        "truth": analyse_truth(source),
        "scores": analyse_scores(source),
        "checks": [check._asdict() for check in checks],
        "training": _describe_trainings(manifest),
        "looks": [
            {"seeds": look, "level": level}
            for look, level in zip(schedule.looks, split_level(schedule.looks), strict=True)
        ],
        "borrowing": {"arms": list(pools.arms), "pools": [pool.result() for pool in pools.made.values()]},
        "extended_seeds": sorted(manifest.get("extended_seeds") or ()),
        "missing": missing,
    }
    write_json(run / "results.json", results)
    return results


def _describe_run(manifest: dict[str, Any]) -> dict[str, Any]:
    """What the results take over from the manifest."""
    return {
        "name": manifest["name"],
        "question": manifest["study"].get("question", ""),
        "created": manifest.get("created"),
        "study": manifest["study"],
        "study_hash": manifest.get("study_hash"),
        "declared_contrasts_hash": manifest.get("declared_contrasts_hash"),
        "versions": manifest.get("versions") or {},
        "machine": manifest.get("machine") or {},
        "machines": manifest.get("machines") or [],
        "engines": manifest.get("engines") or [],
        "containment": manifest.get("containment"),
        "regraded": manifest.get("regraded") or {},
        "settings": manifest.get("settings") or {},
    }


def _describe_trainings(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """The trainings of the manifest, without the folders that hold their files."""
    return [
        {key: value for key, value in entry.items() if key not in _TRAINING_FOLDERS}
        for entry in manifest.get("training") or []
    ]


def _plan_looks(manifest: dict[str, Any], tallies: list[Tally]) -> Schedule:
    """The seeds and looks that were planned before the study ran, without those added since."""
    added = set(manifest.get("extended_seeds") or ())
    seeds = manifest.get("declared_seeds") or manifest["study"].get("seeds") or sorted(_seeds(tallies))
    planned = tuple(seed for seed in seeds if seed not in added)
    looks = {look for look in manifest.get("declared_looks") or () if look < len(planned)}
    return Schedule(planned, (*sorted(looks), len(planned)) if planned else ())


def _seeds(tallies: list[Tally]) -> set[int]:
    return {tally.seed for tally in tallies if tally.seed is not None}


def _write_headline(contrasts: list[dict[str, Any]]) -> str:
    """The first declared contrast and its verdict, in a sentence."""
    declared = [contrast for contrast in contrasts if not contrast["exploratory"]] or contrasts
    computed = [contrast for contrast in declared if contrast["difference"] is not None]
    if not computed:
        return "No contrast can be computed from the finished cells." if contrasts else "No contrast was declared."
    first = computed[0]
    verdict = {
        "supported": f"'{first['claim']}' is supported by {first['seeds']} seeds",
        "refuted": f"'{first['claim']}' is refuted by {first['seeds']} seeds",
        "inconclusive": f"'{first['claim']}' is inconclusive with {first['seeds']} seeds",
    }.get(first["verdict"], f"'{first['claim']}' has no verdict")
    return f"{verdict}: {first['why']}."


def _collect_cautions(
    source: Run,
    tallies: list[Tally],
    contrasts: list[dict[str, Any]],
    trends: list[dict[str, Any]],
    checks: list[Check],
    missing: list[dict[str, Any]],
    schedule: Schedule,
) -> list[str]:
    """What a reader must know before any number."""
    seeds, added = _seeds(tallies), source.manifest.get("extended_seeds") or []
    cautions = _seed_cautions(seeds, set(added))
    if missing:
        cells = len(source.manifest["cells"])
        cautions.append(f"{len(missing)} of {cells} cells are not finished: this is a partial result")
    if added:
        cautions.append(
            f"seeds {', '.join(map(str, sorted(added)))} were added after results had been seen: verdicts use the "
            "planned seeds only"
        )
    changed = source.manifest.get("changed_since_declared") or []
    if changed:
        more = " and more" if len(changed) > 5 else ""
        cautions.append(
            f"changed since the study was first run: {', '.join(changed[:5])}{more}: the earlier declaration does not "
            "cover this; run it as a study with another name"
        )
    cautions += _borrowing_cautions(source) + _look_cautions(contrasts, schedule)
    for kind, claims in (("contrasts", contrasts), ("trends", trends)):
        if exploratory := sum(claim["exploratory"] for claim in claims):
            cautions.append(
                f"{exploratory} of {len(claims)} {kind} were not declared before the study ran: they are exploratory "
                "and have no verdict"
            )
    lost = sum(tally.count("ungraded") + tally.missing for tally in tallies)
    if lost:
        cautions.append(f"{lost} samples have no outcome: rates leave them out, and bounds count them either way")
    if any(len(set(tally.problems.kinds)) == 1 for tally in tallies):
        cautions.append("all problems of a cell are of one kind: intervals say nothing about other kinds")
    cautions += [f"{check.name}: {check.sentence}" for check in checks if check.status == "red"]
    return cautions


def _seed_cautions(seeds: set[int], added: set[int]) -> list[str]:
    """What so few seeds cannot say."""
    if not seeds:
        return ["no trained arm is finished: nothing can be said about training"]
    if len(seeds) == 1:
        return [ONE_SEED]
    if (planned := len(seeds - added)) < VERDICT_SEEDS:
        return [f"{planned} seeds: intervals are wide, and a verdict needs at least {VERDICT_SEEDS} seeds"]
    return []


def _look_cautions(contrasts: list[dict[str, Any]], schedule: Schedule) -> list[str]:
    """At which of several planned looks contrasts were judged."""
    looks = {(look["seeds"], look["level"]) for contrast in contrasts if (look := contrast["look"])["level"]}
    last = max(schedule.looks, default=0)
    return [
        f"judged at {'the last' if seeds == last else 'an early'} planned look: {seeds} seeds, with {level:.4f} of the "
        "level of .05"
        for seeds, level in (sorted(looks) if len(schedule.looks) > 1 else ())
    ]


def _borrowing_cautions(source: Run) -> list[str]:
    """What was declared about borrowing, where the study now says otherwise."""
    declared = source.manifest.get("declared_borrow") or []
    now = source.study.get("borrow")
    if now is not None and (now == "arms") != bool(declared) and source.study["arms"]:
        then = "to borrow" if declared else "not to borrow"
        return [f"borrow = '{now}' was set after the first run, which had declared {then} between arms: that holds"]
    return []
