"""A setting of the user's own is shown by its name; the study keeps its texts."""

from __future__ import annotations

from typing import Any

from inoculate.analysis.own_settings import names_by_path, show_names

PATH = "./work/lists.py"


def results(**settings: Any) -> dict[str, Any]:
    return {
        "settings": settings or {PATH: {"outcome_labels": {}, "name": "lists"}, "functions": {"outcome_labels": {}}},
        "study": {"question": f"Is {PATH} good?", "evaluate": {"settings": [PATH], "each": {PATH: {"problems": 2}}}},
        "cells": [{"setting": f"{PATH} (easy)", "samples": 3}],
        "checks": [{"sentence": f"cut off (base, {PATH}, neutral: 20%)"}],
    }


def test_names_stand_where_paths_stood() -> None:
    shown = show_names(results())
    assert shown["cells"] == [{"setting": "lists (easy)", "samples": 3}]
    assert shown["checks"][0]["sentence"] == "cut off (base, lists, neutral: 20%)"
    assert shown["study"]["evaluate"] == {"settings": ["lists"], "each": {"lists": {"problems": 2}}}
    assert shown["settings"].keys() == {"lists", "functions"}
    assert shown["study"]["question"] == f"Is {PATH} good?"  # a text of the user's


def test_two_settings_of_one_name_keep_their_paths() -> None:
    both = {"a/lists.py": {"name": "lists"}, "b/lists.py": {"name": "lists"}}
    assert names_by_path(both) == {}
    assert show_names(results(**both))["cells"][0]["setting"] == f"{PATH} (easy)"


def test_a_path_that_is_a_part_of_another_names_only_itself() -> None:
    settings = {"lists.py": {"name": "lists"}, "more_lists.py": {"name": "more"}, "work/lists.py": {"name": "far"}}
    cells = [{"setting": path} for path in (*settings, "other/more_lists.py")]
    said = {"sentence": "of lists.py, more_lists.py (easy) and 'work/lists.py'."}
    shown = show_names({"settings": settings, "cells": cells, "checks": [said]})
    assert [cell["setting"] for cell in shown["cells"]] == ["lists", "more", "far", "other/more_lists.py"]
    assert shown["checks"][0]["sentence"] == "of lists, more (easy) and 'far'."
