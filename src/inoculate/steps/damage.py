"""Finished steps whose files have been damaged since: set aside before a run, and done again.

What a step depends on names it, and so a damaged one is not replaced by itself: it would be taken for finished. Its
folder moves to `<store>/damaged/<kind>/<key>/`, where it stays until the step is finished again. If that gives other
files than were there (the answers of a server that draws at random; the time that each took), the steps that have read
the old ones are set aside as well, so that no result is made of two halves that do not belong together.

One process at a time does this (`Store.mending`): of two, one would delete what the other has just set aside.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from inoculate import checksums
from inoculate.errors import UserError
from inoculate.steps.plan import TRAINED
from inoculate.steps.store import Step, Store, remove

_SAYS_WHEN = "step.json"
"""The file of a step that is another one each time it is done."""


def set_aside(
    steps: Sequence[Step], find_missing: Callable[[], list[Step]], store: Store, notify: Callable[[str], None]
) -> list[Step]:
    """Set aside the damaged ones among some finished steps.

    Read are the files that a report is made of, and all files of those that a missing step needs. So the adapters of
    finished cells, which nothing reads any more, are not.

    Args:
        steps: Those of the plan that are to be finished.
        find_missing: Gives those that are still to do.
        store: Where they are.
        notify: Called with what was found.

    Returns:
        The steps that are to be done, with those set aside.

    Raises:
        UserError: A damaged one had been imported: it is set aside, and was not made here.
    """
    settle(store, notify)
    if not (store.root / "steps").is_dir():
        return find_missing()
    with store.mending(notify):
        return _set_aside(steps, find_missing, store, notify)


def _set_aside(
    steps: Sequence[Step], find_missing: Callable[[], list[Step]], store: Store, notify: Callable[[str], None]
) -> list[Step]:
    whole: set[tuple[str, bool]] = set()
    """Key of each step that was read, and whether its subfolders were too."""
    while True:
        missing = find_missing()
        needed = {given.key for step in missing for given in step.inputs.values()}
        found = False
        for step in steps:
            deep = step.key in needed
            if not os.path.lexists(store.folder(step)):  # also a link that leads nowhere is in the way
                continue
            if whole.isdisjoint({(step.key, deep), (step.key, True)}):
                if damage := checksums.find_damage(store.folder(step), deep=deep):
                    _tell(store.folder(step), step.label, damage, store, notify)
                    found = True
                whole.add((step.key, deep))
        if not found:
            return missing


def settle(store: Store, notify: Callable[[str], None]) -> bool:
    """See to the steps that were set aside and are finished again: what has read other files of theirs is set aside.

    Args:
        store: Where they are.
        notify: Called with what is set aside.

    Returns:
        Whether anything was set aside.

    Raises:
        UserError: One of them had been imported: it is set aside, and was not made here.
    """
    if not store.damaged.is_dir():
        return False
    with store.mending(notify):
        return _settle(store, notify)


def _settle(store: Store, notify: Callable[[str], None]) -> bool:
    found, imported = False, list[str]()
    for old in sorted(store.damaged.glob("*/*")):
        new = store.root / "steps" / old.parent.name / old.name
        if not new.is_dir():
            continue
        if _content(old) != _content(new):
            for folder in _readers(old.parent.name, old.name, store):
                record = _record(folder)
                told = f"{record.get('label') or folder.name}: has read files that are others now"
                store.set_aside(folder)
                if record.get("imported"):
                    imported.append(told)
                else:
                    notify(f"{told}: it is done again")
                found = True
        remove(old)
    if imported:
        raise UserError(
            f"{'; '.join(imported)}. {'It was' if len(imported) == 1 else 'They were'} imported, and set aside in "
            f"{store.damaged}: the same command does this here; what else was imported from that machine for the same "
            "seeds is kept"
        )
    return found


def _tell(folder: Path, label: str, damage: str, store: Store, notify: Callable[[str], None]) -> None:
    if done := store.restore(folder):
        notify(f"{label}: {damage}: {done}")
        return
    imported = _record(folder).get("imported")
    aside = store.set_aside(folder)
    what = f"{label}: {damage}: set aside in {aside}"
    if imported:
        raise UserError(
            f"{what}. It was imported: `inoculate import FILE` brings it again; without that, the same command does it "
            "here"
        )
    notify(f"{what}, and done again")


def _content(folder: Path) -> dict[str, str] | None:
    """The checksums of what a step has made; None where they cannot be read."""
    try:
        sums = checksums.read(folder)
    except (ValueError, OSError):
        return None
    return {name: digest for name, digest in sums.items() if name != _SAYS_WHEN} or None


def _readers(kind: str, key: str, store: Store) -> Iterator[Path]:
    """The finished steps, of any study, that have read a step: of an adapter, imported ones have read another."""
    for path in sorted((store.root / "steps").glob("*/*/step.json")):
        elsewhere = kind in TRAINED and _record(path.parent).get("imported")
        if f"{kind}/{key}" in _inputs(path.parent) and not elsewhere:
            yield path.parent


def _inputs(folder: Path) -> Collection[str]:
    return (_record(folder).get("inputs") or {}).values()


def _record(folder: Path) -> dict[str, Any]:
    """The `step.json` of a finished step; empty where it is damaged itself."""
    try:
        return json.loads((folder / "step.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
