"""Where the data of a setting is and who grades it, said once: tables that do not say it take it from those that do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_KEYS = ("source", "grader")


def say_once(study: dict[str, Any]) -> dict[str, Any]:
    """Give `source` and `grader` to each table of a setting that has no source, if all others of it name the same.

    Args:
        study: Its tables as the file has them, with `rows` in every arm; not checked yet.

    Returns:
        The study with these keys in the rows of every arm and in `evaluate.each`.
    """
    said: dict[str, list[dict[str, Any]]] = {}
    for setting, table in [*_rows(study), *_evaluated(study)]:
        if (given := {key: table[key] for key in _KEYS if table.get(key)}).get("source"):
            said.setdefault(setting, []).append(given)
    once = {setting: given[0] for setting, given in said.items() if given.count(given[0]) == len(given)}
    arms = {name: {**arm, "rows": _fill_rows(arm["rows"], once)} for name, arm in study["arms"].items()}
    return study | {"arms": arms} | _fill_evaluated(study.get("evaluate"), once)


def _fill_evaluated(evaluate: Any, once: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """`evaluate` with a table of its own for each setting whose data is named elsewhere; empty where it is no table."""
    if not isinstance(evaluate, dict):
        return {}
    each, listed = evaluate.get("each", {}), evaluate.get("settings")
    evaluated = [name for name in once if isinstance(listed, list) and name in listed]
    if not evaluated or not isinstance(each, dict):
        return {}
    return {"evaluate": evaluate | {"each": each | {name: _fill(each.get(name, {}), once[name]) for name in evaluated}}}


def _rows(study: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Setting and table of the rows of every arm, as far as they are written as they should be."""
    for arm in study["arms"].values():
        for table in arm["rows"] if isinstance(arm["rows"], list) else [arm["rows"]]:
            if isinstance(table, dict) and _is_text(table.get("setting")):
                yield table["setting"], table


def _evaluated(study: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    evaluate = study.get("evaluate")
    each = evaluate.get("each") if isinstance(evaluate, dict) else None
    for setting, table in each.items() if isinstance(each, dict) else ():
        if isinstance(table, dict):
            yield setting, table


def _fill_rows(rows: Any, once: dict[str, dict[str, Any]]) -> Any:
    if isinstance(rows, list):
        return [_fill_rows(table, once) for table in rows]
    setting = rows.get("setting") if isinstance(rows, dict) else None
    return _fill(rows, once[setting]) if _is_text(setting) and setting in once else rows


def _fill(table: Any, said: dict[str, Any]) -> Any:
    """The table with what is said elsewhere, where it has no source of its own."""
    return {**said, **table} if isinstance(table, dict) and not table.get("source") else table


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
