"""What a run was counted with, where that is another now: files of the user's, and versions of the package's settings.

A report shows what is in the store. After an edit of a grader, a setting or the data, that is no longer what the study
would give, and the numbers do not say so by themselves.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from inoculate import settings
from inoculate.analysis.run_folder import Run
from inoculate.study import ready_made

_OF_A_CELL = ("problems", "grades")
_OF_A_TRAINING = ("rows", "row_grades", "adapter", "adapter_record")
"""Keys of the manifest whose folders hold what files and settings have made."""


def find_outdated(run: Run, cells: Iterable[Mapping[str, Any]]) -> list[str]:
    """What is another now than it was when a run was carried out, as cautions; none where nothing is.

    Files are looked for as the study names them, from the folder that the command is started in. One that is not there
    is not missed: a report may be made anywhere.

    Args:
        run: The run.
        cells: Those of its cells that are finished.
    """
    made_by = list(_params(run, cells))
    files = dict.fromkeys(item for params in made_by for item in (params.get("files") or {}).items())
    changed = [f"{name} has changed since the run" for name, digest in files if _is_another(name, digest)]
    changed += dict.fromkeys(what for params in made_by for what in _raised_versions(params))
    if not changed:
        return []
    name = run.manifest["name"]
    command = f"inoculate run {name if name in ready_made.names() else f'{name}.toml'}"
    return [f"{'; '.join(changed)}: what is shown here is by the earlier one; `{command}` counts anew"]


def _params(run: Run, cells: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """What the steps behind the shown numbers depended on, each once."""
    trainings = run.manifest.get("training") or ()
    tables = [table for entry in trainings for table in (entry, *(entry.get("more_rows") or ()))]
    named = [cell.get(key) for cell in cells for key in _OF_A_CELL]
    named += [table.get(key) for table in tables for key in _OF_A_TRAINING]
    for folder in dict.fromkeys(filter(None, named)):
        try:
            params = json.loads((run.folder / folder / "step.json").read_text(encoding="utf-8"))["params"]
        except (OSError, ValueError, LookupError, TypeError):
            continue  # not there yet; a damaged step is found where its records are read
        if isinstance(params, dict):
            yield params


def _is_another(name: str, digest: str) -> bool:
    path = Path(name).expanduser()
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() != digest


def _raised_versions(params: Mapping[str, Any]) -> Iterator[str]:
    """The package's settings that draw or grade otherwise now; one of the user's own has changed as a file."""
    name = params.get("setting") or (params.get("rows") or {}).get("setting")
    if name not in settings.names():
        return
    setting = settings.find(name)
    if params.get("setting_version", setting.version) != setting.version:
        yield f"'{name}' draws other problems now (version {setting.version}, then {params['setting_version']})"
    if params.get("grading_version", setting.grading) != setting.grading:
        yield f"'{name}' grades otherwise now (version {setting.grading}, then {params['grading_version']})"
