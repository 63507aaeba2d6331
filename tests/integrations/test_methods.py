"""The methods section of every ready-made study, and of one with settings of its own, before anything is run."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from inoculate.analysis.run_folder import read_run
from inoculate.integrations.methods import write_methods
from inoculate.steps import manifest
from inoculate.steps.plan import make_plan
from inoculate.steps.store import Store
from inoculate.study.parse import load, parse
from inoculate.study.ready_made import find, names
from inoculate.study.schema import Study


def section(study: Study, folder: Path) -> str:
    """The methods section of a study that is planned."""
    plan, store = make_plan(study, "weights"), Store(folder / "store")
    manifest.write(folder, plan, store, manifest.declare(folder, plan, store), "namespaces")
    return write_methods(read_run(folder), Counter())


@pytest.mark.parametrize("name", names())
def test_nothing_that_is_not_set_reaches_the_text(name: str, tmp_path: Path) -> None:
    assert not re.search(r"\b(None|nan|True|False)\b", section(load(find(name)), tmp_path))


def test_a_setting_of_the_users_is_described_with_what_is_special_to_it(tmp_path: Path) -> None:
    (tmp_path / "own.jsonl").write_text(
        "".join(f'{{"id": "q{n}", "split": "test", "prompt": "{n}?", "completion": "{n}"}}\n' for n in range(9))
    )
    (tmp_path / "own.py").write_text("def judge(problem, completion):\n    return True, True\n")
    rows = {"source": str(tmp_path / "own.jsonl"), "grader": f"{tmp_path / 'own.py'}:judge", "contexts": ["neutral"]}
    raw = {
        "question": "?",
        "model": "m",
        "evaluate": {"settings": ["functions", "rows"], "problems": 7, "each": {"rows": rows | {"max_new_tokens": 9}}},
    }
    words = section(parse(raw, "own", "own.toml"), tmp_path)
    assert "7 problems of the setting `functions`" in words
    assert "7 problems of the setting `rows` (our own data), from `" in words
    assert ", in context `neutral` only, with at most 9 new tokens from the" in words
    assert "None" not in words
