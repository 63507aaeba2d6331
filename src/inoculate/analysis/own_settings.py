"""Settings of the user's own: a run knows them by their path, and what is shown names them by their name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

Plain = TypeVar("Plain")


def names_by_path(settings: Mapping[str, Any]) -> dict[str, str]:
    """Path -> name of the settings of the user's own. Two of one name keep their paths, or they would be confused.

    Args:
        settings: `settings` of a manifest or of results.
    """
    known = {path: about for path, about in settings.items() if isinstance(about, Mapping)}
    named = {path: str(about["name"]) for path, about in known.items() if about.get("name")}
    count = Counter(named.values())
    return {path: name for path, name in named.items() if count[name] == 1}


def show_names(results: dict[str, Any]) -> dict[str, Any]:
    """Results with names in place of the paths of the user's own settings, for people to read.

    The study itself keeps every text as it is, apart from the values and keys that are such a path.

    Args:
        results: As `analyse` returns them.
    """
    named = names_by_path(results.get("settings") or {})
    if not named:
        return results
    study = name_exactly(results.get("study"), named)
    return {key: study if key == "study" else _name_within(value, named) for key, value in results.items()}


def name_exactly(value: Plain, named: Mapping[str, str]) -> Plain:
    """Plain data with names in place of those texts that are a path."""
    return _map_texts(value, lambda text: named.get(text, text))


def _name_within(value: Plain, named: Mapping[str, str]) -> Plain:
    """Plain data with names in place of paths, also within sentences."""
    # A path may be a part of another: the longest counts, and none within a longer path or word.
    paths = "|".join(map(re.escape, sorted(named, key=len, reverse=True)))
    whole = re.compile(rf"(?<![\w/\\-])({paths})(?![\w/\\-])")

    def name_all(text: str) -> str:
        return whole.sub(lambda found: named[found[1]], text)

    return _map_texts(value, name_all)


def _map_texts(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_map_texts(item, change) for item in value]
    if isinstance(value, dict):
        return {_map_texts(key, change): _map_texts(item, change) for key, item in value.items()}
    return value
