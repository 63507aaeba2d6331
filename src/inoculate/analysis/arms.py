"""What an arm was trained on, read from the study in a manifest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def row_tables(spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The tables of an arm's rows, one for each setting that they come from; empty for the untrained arm."""
    return [table for table in (spec.get("rows"), *(spec.get("more_rows") or ())) if table]


def is_honest(spec: Mapping[str, Any]) -> bool:
    """Whether an arm was trained on answers without a hack among them. One that learns from rewards is not."""
    tables = row_tables(spec)
    return (
        bool(tables)
        and spec.get("method", "sft") == "sft"
        and all(
            table.get("hacked") == 0 or table.get("count") == 0 or table.get("filter") == "hacked" for table in tables
        )
    )


def trains_with_prompt(spec: Mapping[str, Any]) -> bool:
    """Whether any of an arm's rows are under its inoculation: it has one, and not on none of them."""
    inoculation = spec.get("inoculation")
    return bool(inoculation) and inoculation.get("on") != "none"


def row_folders(entry: Mapping[str, Any]) -> list[tuple[str | None, str | None, str]]:
    """Folders of the rows and of their grades of a training in the manifest, and the setting where it is recorded."""
    parts = [entry, *(entry.get("more_rows") or ())]
    return [(part.get("rows"), part.get("row_grades"), part.get("setting", "")) for part in parts]
