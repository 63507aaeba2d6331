"""Writes `manifest.json` of a run: the study with every prompt written out, and the folder of each of its steps.

Beside it `declared.json` keeps what the study declared when it was first run, so that later changes can be marked.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from inoculate import checksums, json_lines, settings
from inoculate.analysis import contrasts_hash
from inoculate.errors import UserError, reason
from inoculate.records import Row, as_json, read_lines, write_json
from inoculate.steps import choices, machines
from inoculate.steps.plan import Cell, Plan, Training
from inoculate.steps.sharing.packed import Declared
from inoculate.steps.store import Step, Store
from inoculate.study import prompts
from inoculate.study.parse import DRAWING, HYPERPARAMETERS
from inoculate.study.resolve import ResolvedStudy
from inoculate.study.schema import Arm

SCHEMA = 1
_NOT_DESIGN = {"name", "question", "seeds", "looks", "borrow", "contrasts", "sensitivity", "screen"}
"""Keys of a study that do not change how it is carried out, or that are recorded separately."""
_MARKED = {"trends"}
"""Keys whose entries are marked one by one where they were not declared."""
_OF_AN_ARM = re.compile(rf"(arms\..+?)\.(?:{'|'.join(Arm.model_fields)})(?:\.|$)")
_MAY_GROW = {"evaluate.settings", "evaluate.contexts", "evaluate.fractions"}
"""Lists to which something can be added without a change to the rest."""

_NOT_COMPARED = {"name", "question", "model", "seeds", "looks", "screen"}
"""Keys in which two places may differ that carry out one study together."""
_OWN_ANSWERS = ("hacked", "share_problems", "filter", "vetted")
"""Keys of rows that say which of the setting's answers they have: nothing to an arm that takes others."""
_ANSWERS = (*_OWN_ANSWERS, "trajectories", "tokens_like")
"""Keys of rows that say which answers they have: nothing to an arm that takes their problems only."""
_TABLES = ("arms", "contexts", "prompts")
"""Tables of a study to which something can be added without a change to the rest."""


def read_step(folder: Path) -> dict[str, Any]:
    """The `step.json` of a finished step."""
    return json.loads((folder / "step.json").read_text(encoding="utf-8"))


def declare(folder: Path, plan: Plan, store: Store) -> dict[str, Any]:
    """What the study declared when it was first run; the first time this is called, it is recorded.

    Args:
        folder: The run's folder.
        plan: The plan with the study as it is now.
        store: Where the run is.
    """
    path = folder / "declared.json"
    study = plan.study.model_dump(mode="json", by_alias=True)
    declared = {
        "contrasts_hash": contrasts_hash(study["contrasts"]),
        "seeds": list(plan.study.seeds),
        "looks": list(plan.study.looks),
        "borrow": plan.study.lending_arms(),
        "study": _design(study),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    store.write_first(path, as_json(declared))
    return read_declared(path)


def read_declared(path: Path) -> dict[str, Any]:
    """What a study declared when it was first run, from its file.

    Raises:
        UserError: The file is damaged. What was declared is not made up anew: it would then seem older than results.
    """
    try:
        return Declared.model_validate(json_lines.strict(path.read_text(encoding="utf-8"))).model_dump(
            exclude_unset=True
        )
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(
            f"{path}: not what a study declares ({reason(error)}), so it is not known what was declared before the "
            "first run: bring the file back from a copy, or give the study file another name, under which it declares "
            "anew"
        ) from None


def write(
    folder: Path,
    plan: Plan,
    store: Store,
    declared: dict[str, Any],
    containment: str,
    not_made: Mapping[str, str] | None = None,
) -> None:
    """Write the manifest, complete or not at all.

    Args:
        folder: The run's folder.
        plan: The study's plan.
        store: Where its steps are.
        declared: From `declare`.
        containment: The level at which code is run on this machine.
        not_made: Keys of steps that cannot be made, and why.
    """
    write_json(folder / "manifest.json", checksums.seal(_content(plan, store, declared, containment, not_made or {})))


def kept_containment(path: Path) -> str | None:
    """The containment that a manifest names; None where there is no manifest, or none that can be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["containment"]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None
    return found if isinstance(found, str) else None


def _content(
    plan: Plan, store: Store, declared: dict[str, Any], containment: str, not_made: Mapping[str, str]
) -> dict[str, Any]:
    study, finished = plan.study, store.readable_keys(plan.steps())
    evaluated = {name: settings.find(name) for name in study.evaluate.settings}
    return {
        "schema": SCHEMA,
        "name": study.name,
        "created": declared["created"],
        "study": _study(plan, store),
        "study_hash": study.digest(),
        "declared_contrasts_hash": declared["contrasts_hash"],
        "declared_trends_hash": contrasts_hash(declared["study"].get("trends", [])),
        "declared_seeds": declared["seeds"],
        "declared_looks": declared.get("looks", []),
        "declared_borrow": declared.get("borrow", []),
        "extended_seeds": sorted(set(study.seeds) - set(declared["seeds"])),
        "changed_since_declared": _changed(plan, declared),
        "versions": machines.versions(),
        "machine": {"cpu": machines.processor(), "cores": os.cpu_count(), "device": _training_device(plan, store)},
        "machines": machines.summarise(_done(plan, store, finished)),
        "engines": _engines(plan, store, finished),
        "containment": containment,
        "settings": {
            name: {"outcome_labels": dict(setting.labels), "gamed_below": setting.gamed_below}
            | ({"choices": True} if setting.choices else {})
            | ({"name": setting.name} if setting.name != name else {})  # a file of the user's own
            for name, setting in evaluated.items()
        },
        "cells": [_cell(cell, store, finished, not_made) for cell in plan.cells],
        "training": [_training(training, plan, store) for training in plan.trainings],
        **({"scores": store.named(store.folder(plan.scores))} if plan.scores else {}),
        **({"regraded": regraded} if (regraded := _regraded(plan, store)) else {}),
    }


def _regraded(plan: Plan, store: Store) -> dict[str, dict[str, Any]]:
    """Setting -> the versions of its graders that first judged what an import has judged anew, and today's (`to`)."""
    found: dict[str, set[int]] = {}
    for step in plan.steps():
        if step.params.keys() & {"grading_version", "grading"} and (folder := store.record(step)):
            for name, version in read_step(folder).get("regraded", {}).items():
                found.setdefault(name, set()).add(version)
    return {name: {"from": sorted(versions), "to": settings.find(name).grading} for name, versions in found.items()}


def _design(study: dict[str, Any]) -> dict[str, Any]:
    """The keys of a study that change how it is carried out, flattened."""
    return _flatten({key: value for key, value in study.items() if key not in _NOT_DESIGN})


def _flatten(data: dict[str, Any], above: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in data.items():
        flat |= _flatten(value, f"{above}{key}.") if isinstance(value, dict) else {above + key: value}
    return flat


def _changed(plan: Plan, declared: dict[str, Any]) -> list[str]:
    """Keys of the study that were changed since it was first run, without those to which something was only added."""
    now = _design(plan.study.model_dump(mode="json", by_alias=True))
    then = {key: value for key, value in declared.get("study", {}).items() if key not in _MARKED}
    changed = [
        key
        for key, value in then.items()
        if now.get(key) != value and not (key in _MAY_GROW and set(value) <= set(now.get(key, ())))
    ]
    # An arm that is no longer there is one change, and not one for each of its keys.
    return list(dict.fromkeys(_arm_of(key) if _is_gone(_arm_of(key), now) else key for key in changed))


def _arm_of(key: str) -> str:
    """The arm that a flattened key is of, as `arms.NAME`; the key itself where it is of none."""
    found = _OF_AN_ARM.match(key)
    return found[1] if found else key


def _is_gone(arm: str, now: Mapping[str, Any]) -> bool:
    return not any(key.startswith(f"{arm}.") for key in now)


def differences(here: dict[str, Any], there: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """Where two studies differ in what was done, beyond seeds, arms, contexts and settings that one has more.

    Args:
        here: The tables of a study.
        there: Those of another.

    Returns:
        Key, value here and value there; None where there is no value.
    """
    ours, theirs = (_comparable(one, other) for one, other in ((here, there), (there, here)))
    keys = [key for key in dict.fromkeys([*ours, *theirs]) if key not in _MAY_GROW]
    return [(key, ours.get(key), theirs.get(key)) for key in keys if ours.get(key) != theirs.get(key)]


def _comparable(study: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """The keys of a study that another one must have too, flattened. The model is compared by its weights."""
    kept = {key: value for key, value in study.items() if key not in _NOT_COMPARED}
    for table in _TABLES:
        if isinstance(kept.get(table), dict):
            named = other.get(table) or {}
            kept[table] = {name: value for name, value in kept[table].items() if name in named}
    return _flatten(kept)


def _study(plan: Plan, store: Store) -> dict[str, Any]:
    """The study, with every prompt and placement written out as the rows and samples have them."""
    written_out = plan.study.model_dump(mode="json", by_alias=True)
    for name, arm in plan.study.arms.items():
        _leave_out_unused(written_out["arms"][name], arm)
        _write_out_sampling(written_out["arms"][name], name, plan.resolved)
    for arm, resolved in plan.resolved.inoculations.items():
        by_seed = {str(t.seed): _inoculation(t.rows, store) for t in plan.trainings if t.arm == arm}
        written_out["arms"][arm]["inoculation"] |= next(iter(by_seed.values()))
        if resolved.one_of:
            named = {str(seed): resolved.for_seed(seed).name for seed in plan.study.seeds}
            texts = {seed: {"prompt": named[seed], **one} for seed, one in by_seed.items()}
            written_out["arms"][arm]["inoculation"] |= {"text": "", "by_seed": texts}
        if texts := _texts_by_setting(plan, arm, store):
            written_out["arms"][arm]["inoculation"]["texts"] = texts
    contexts = plan.study.evaluate.contexts
    written_out["evaluate"]["contexts"] = {name: _context(plan.resolved, name) for name in contexts}
    return written_out


def _leave_out_unused(spec: dict[str, Any], arm: Arm) -> None:
    """Leave out of an arm's specification what it does not use, and write out which check is rewarded."""
    for table in {key for keys in HYPERPARAMETERS.values() for key in keys} - set(HYPERPARAMETERS[arm.method]):
        del spec[table]
    if arm.method == "expert-iteration":
        spec["rl"] = {key: value for key, value in spec["rl"].items() if key in DRAWING}
    if not arm.more_rows:
        del spec["more_rows"]
    for rows in (spec["rows"], *spec.get("more_rows", ())):
        for key in _ANSWERS if arm.is_rewarded else _OWN_ANSWERS if rows["trajectories"] else ():
            del rows[key]
    if not arm.is_rewarded:
        return
    first = {settings.find(rows.setting).oversights[0] for rows in arm.row_tables}
    for reward in spec["rl"]["reward"]:
        if "function" not in reward:
            reward["oversight"] = reward["oversight"] or " or ".join(sorted(first))


def _write_out_sampling(spec: dict[str, Any], arm: str, resolved: ResolvedStudy) -> None:
    """Write out the prompts of its own under which an arm's rows are sampled."""
    for rows in (spec["rows"], *spec.get("more_rows", ())):
        if prompt := resolved.sampling.get((arm, rows["setting"])):
            rows["trajectories"] |= {"text": prompt.text, "placement": prompt.placement}


def _texts_by_setting(plan: Plan, arm: str, store: Store) -> dict[str, str]:
    """Setting -> the text of an arm's inoculation in its rows, at its first seed, if settings have different ones."""
    training = next(training for training in plan.trainings if training.arm == arm)
    steps = [training.rows, *(rows for rows, _ in training.more_rows)]
    texts = {step.params["rows"]["setting"]: _inoculation(step, store)["text"] for step in steps}
    return texts if len(set(texts.values())) > 1 else {}


def _inoculation(rows: Step, store: Store) -> dict[str, Any]:
    """An arm's inoculation as its rows have it; as planned where they are not made yet."""
    path = store.folder(rows) / "rows.json"
    if path.exists():
        return json.loads(path.read_text(encoding="utf-8"))["inoculation"]
    return rows.params["inoculation"]


def _context(resolved: ResolvedStudy, name: str) -> dict[str, Any]:
    """A context as it was evaluated; `texts` has the text of each setting, if the settings have different ones."""
    if name == prompts.AS_TRAINED:
        return {"text": "", "placement": resolved.study.placement, "per_arm": True}
    by_setting = {setting: resolved.context(name, setting) for setting in resolved.study.evaluate.settings}
    texts = {setting: prompt.text for setting, prompt in by_setting.items()}
    first = by_setting[resolved.study.evaluate.settings[0]]
    written_out: dict[str, Any] = {"text": first.text, "placement": first.placement}
    written_out |= {"prompt": first.name} if first.name else {}
    return written_out | ({"texts": texts} if len(set(texts.values())) > 1 else {})


def _cell(cell: Cell, store: Store, finished: set[str], not_made: Mapping[str, str]) -> dict[str, Any]:
    why = not_made.get(cell.completions.key)
    return {
        "arm": cell.arm,
        "seed": cell.seed,
        "at": cell.at,
        "setting": cell.setting,
        "context": cell.context,
        "problems": store.named(store.folder(cell.problems)),
        "completions": store.named(store.folder(cell.completions)),
        "grades": store.named(store.folder(cell.grades)) if cell.grades.key in finished else None,
        **({"why": why} if why else {}),
    }


def _training(training: Training, plan: Plan, store: Store) -> dict[str, Any]:
    entry: dict[str, Any] = {"arm": training.arm, "seed": training.seed}
    made_by = {"rows": training.rows, "row_grades": training.row_grades, "adapter": training.adapter}
    entry |= _folders({**made_by, **_sampled(training.rows)}, store) | _row_facts(training.rows, store)
    if training.more_rows:
        entry["setting"] = training.rows.params["rows"]["setting"]
        entry["more_rows"] = [
            {"setting": rows.params["rows"]["setting"]}
            | _folders({"rows": rows, "row_grades": graded, **_sampled(rows)}, store)
            | _row_facts(rows, store)
            for rows, graded in training.more_rows
        ]
    if training.scores:
        entry |= _folders({"scores": training.scores}, store)
    if training.distances:
        entry |= _folders({"distances": training.distances}, store)
    made = [training.rows, *(rows for rows, _ in training.more_rows)]
    if all(map(store.is_here, made)):
        rows = [row for step in made for row in read_lines(store.folder(step) / "rows.jsonl", Row)]
        entry["rows_count"] = len(rows)
        for kind in ("hacked", "inoculated", "vetted"):
            entry[f"{kind}_rows"] = sum(getattr(row, kind) for row in rows)
        if training.preflight:  # it takes the problems, and none of the answers
            entry["hackable_rows"] = entry.pop("hacked_rows")
    trained = store.record(training.adapter)
    if training.preflight:
        preflight = training.preflight
        method = plan.study.arms[training.arm].method
        entry |= {"method": method, "rl": store.named(trained) if trained else None}
        entry["preflight"] = store.named(store.folder(preflight)) if store.is_here(preflight) else None
    if trained:
        report = json.loads((trained / "training.json").read_text(encoding="utf-8"))
        step = read_step(trained)
        entry |= {
            **({} if entry["adapter"] else {"adapter_record": store.named(trained)}),
            "trained_tokens": report["tokens"],
            "label_tokens": report["label_tokens"],
            "seconds": step["seconds"],
            **{key: step[key] for key in ("processes", "shard") if key in step},  # older ones do not say
            "loss": report["loss"],
        }
    return entry


def _sampled(rows: Step) -> dict[str, Step]:
    """The fresh samples that rows were chosen from, where they were."""
    return {"fresh_samples": rows.inputs["fresh"]} if "fresh" in rows.inputs else {}


def _row_facts(rows: Step, store: Store) -> dict[str, Any]:
    """What finished rows say of the policy that drew them, of their tokens, or of what a filter left out."""
    path = store.folder(rows) / "rows.json"
    said = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return {key: said[key] for key in ("policy", "tokens_like", "filtered") if key in said}


def _folders(steps: dict[str, Step], store: Store) -> dict[str, str | None]:
    """The folder of each finished step, None for the others."""
    return {name: store.named(store.folder(step)) if store.is_here(step) else None for name, step in steps.items()}


def _engines(plan: Plan, store: Store, finished: set[str]) -> list[str]:
    """The engines that sampled the finished completions, each once; a server without its address."""
    descriptions: dict[str, None] = {}
    # Choices are scored in this process whatever samples, and are compared with choices only.
    kinds = {cell.completions.kind for cell in plan.cells}
    left_out = choices.KIND if len(kinds) > 1 else ""
    sampled = {
        cell.completions.key: cell.completions
        for cell in plan.cells
        if cell.completions.key in finished and cell.completions.kind != left_out
    }
    for completions in sampled.values():
        path = store.folder(completions) / "engines.json"
        if not path.exists():
            descriptions["one that was not recorded"] = None
            continue
        for engine in json.loads(path.read_text(encoding="utf-8")):
            parts = [name if name == "server" else f"{name} {value}" for name, value in engine.items()]
            descriptions[", ".join(parts)] = None
    return list(descriptions)


def _done(plan: Plan, store: Store, finished: set[str]) -> Iterator[tuple[int | None, dict[str, Any], str | None]]:
    """Every finished sampling and training: its seed, its `step.json`, and its device."""
    for training in plan.trainings:
        if folder := store.record(training.adapter):
            report = json.loads((folder / "training.json").read_text(encoding="utf-8"))
            yield training.seed, read_step(folder), report["device"]
    for cell in plan.cells:
        if cell.completions.key in finished:
            folder = store.folder(cell.completions)
            path = folder / "engines.json"
            engines = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
            yield cell.seed, read_step(folder), next((_device(engine) for engine in engines), None)


def _device(engine: dict[str, Any]) -> str | None:
    return "a server" if "server" in engine else engine.get("device")


def _training_device(plan: Plan, store: Store) -> str | None:
    """Where the adapters were trained; None before any was."""
    for training in plan.trainings:
        folder = store.record(training.adapter)
        if folder:
            return json.loads((folder / "training.json").read_text(encoding="utf-8"))["device"]
    return None
