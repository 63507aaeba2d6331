"""What a setting has to offer: remedies that it lacks are not advised."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from inoculate import settings
from inoculate.errors import UserError
from inoculate.records import name_part, setting_of


def offers(names: Iterable[str], has: Callable[[settings.Setting], bool]) -> bool:
    """Whether one of some settings, or parts of settings, has something.

    Args:
        names: As results call them.
        has: Says it of a setting. A file of the user's that is not on this machine may have it.
    """
    for name in names:
        try:
            if has(settings.find(setting_of(name))):
                return True
        except UserError:
            return True
    return False


def has_levels(setting: settings.Setting) -> bool:
    """Whether there are easier and harder problems to choose from."""
    return len(setting.levels) > 1


def most_problems(study: Mapping[str, Any], name: str, wanted: int) -> int | None:
    """How many problems of a setting, or a part of one, a study could evaluate.

    Args:
        study: The study of the manifest, which says the split, and the families and levels.
        name: The setting or part, as results call it.
        wanted: The number of which it matters whether they are there.

    Returns:
        Their number, or a larger one than is wanted; None where it takes long to find out, or the data is not here.
    """
    setting, evaluate = setting_of(name), study["evaluate"]
    own = (evaluate.get("each") or {}).get(setting) or {}
    families, levels, problems = (
        evaluate.get(key) if own.get(key) is None else own[key] for key in ("families", "levels", "problems")
    )
    source, grader = (own.get(key) or "" for key in ("source", "grader"))
    try:
        if not settings.is_read_first(setting, source):
            return None
        count = max(wanted, problems or 0)
        while True:
            draw = settings.Draw(
                evaluate.get("split") or "test", count, evaluate.get("seed") or 0, tuple(families or ()),
                tuple(levels or ()), source, grader,
            )  # fmt: skip
            parts = settings.count_parts(setting, draw)
            found = sum(number for part, number in parts.items() if name_part(setting, part) == name)
            if found >= wanted or parts.total() < count or not found:
                return found
            count *= 2  # other parts take their share of a draw
    except UserError:
        return None
