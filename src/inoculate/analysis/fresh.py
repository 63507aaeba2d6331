"""Fresh samples of a run: completions that a policy of RL drew after its training, for rows to be chosen from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from inoculate.analysis.run_folder import Run
from inoculate.errors import UserError


def fresh_samples(run: Run) -> tuple[list[dict[str, Any]], list[str]]:
    """The fresh samples of a run, each once, however many arms take rows from them, in the form of trainings.

    Returns:
        Entries with `arm`, `seed`, `rl` (the folder of the samples) and `rows` (that of their problems); and the arms
        and seeds whose samples are not there yet, in words. `arm` is the policy's. Where it was sampled under another
        prompt than its own, or once more, the arm whose rows they are for stands behind it: `reinforced for told`.

    Raises:
        UserError: No arm of the study takes rows from fresh samples.
    """
    found: dict[str, dict[str, Any]] = {}
    waiting: list[str] = []
    for arm, seed, source, folder in _places(run):
        if folder is None:
            waiting.append(f"{arm}, seed {seed}")
        elif folder not in found:
            taken = {(entry["arm"], entry["seed"]) for entry in found.values()}
            own = not source.get("text") and (source["arm"], seed) not in taken
            name = source["arm"] if own else f"{source['arm']} for {arm}"
            found[folder] = {"arm": name, "seed": seed, "rl": folder, "rows": _problems(run, folder)}
    if not found and not waiting:
        raise UserError(
            f"{run.folder}: no fresh samples: none of its arms has rows.trajectories.samples in the study file; what "
            "RL drew in training is exported by --trajectories"
        )
    return list(found.values()), waiting


def _places(run: Run) -> Iterator[tuple[str, int, Mapping[str, Any], str | None]]:
    """Arm, seed, and where its rows come from: the study's table, and the folder of the samples if it is there."""
    for entry in run.manifest.get("training") or ():
        spec = run.study["arms"].get(entry["arm"]) or {}
        tables = [spec.get("rows") or {}, *(spec.get("more_rows") or ())]
        parts = [entry, *(entry.get("more_rows") or ())]
        for table, part in zip(tables, parts, strict=False):
            source = table.get("trajectories") or {}
            if source.get("samples"):
                yield entry["arm"], entry["seed"], source, part.get("fresh_samples")


def _problems(run: Run, folder: str) -> str:
    """The folder of the rows that made the problems of fresh samples."""
    path = run.path(folder)
    try:
        step = json.loads((path / "step.json").read_text(encoding="utf-8"))
        return str(path.parents[1] / step["inputs"]["rows"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError(f"{path / 'step.json'}: cannot be read, so the problems are not known: {error}") from None
