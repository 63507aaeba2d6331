"""Study files that are wrong in some way: each is planned, or refused in one sentence that names the key.

The long form is `make fuzz`: 2,400 files, of all ready-made studies.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import tomli_w

import every_key
from inoculate.study import parse
from inoculate.study.strict import StrictModel
from long_form import LONG
from study_mutations import Case, judge, make, seeds

PARTS = 4
SHARE = 600 if LONG else 120
"""Files of each part."""
SLOW = () if LONG else ("rl", "abilities", "mbpp")
"""Studies whose problems take seconds to draw."""


@pytest.fixture(scope="module")
def parents(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, object]]:
    mbpp = tmp_path_factory.mktemp("mbpp") / "mbpp.jsonl"
    every = every_key.write(tmp_path_factory.mktemp("every-key"), str(tiny_model))
    return seeds(str(tiny_model), write_mbpp(mbpp)) | every


def write_mbpp(path: Path) -> str:
    """A file of MBPP's shape with as many tasks, all made here."""
    tasks = [
        {"task_id": n, "text": f"Write a function to add {n} to x.", "code": f"def add(x):\n    return x + {n}",
         "test_list": [f"assert add({k}) == {k + n}" for k in (1, 2, 5)], "test_setup_code": ""}
        for n in range(11, 975)
    ]  # fmt: skip
    path.write_text("".join(json.dumps(task) + "\n" for task in tasks), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("part", range(PARTS))
def test_a_wrong_study_is_planned_or_refused_in_one_sentence_that_names_the_key(
    parents: dict[str, dict[str, object]], tmp_path: Path, part: int
) -> None:
    changed = {name: tables for name, tables in parents.items() if not name.startswith(SLOW or "-")}
    for number in range(part * SHARE, (part + 1) * SHARE):
        case = make(number, 0, changed)
        verdict, said = judge(case, tmp_path / "case.toml", tmp_path / "store")
        assert verdict in ("planned", "refused"), f"{number} {case.parent}: {case.change}\n{said}"


def test_the_studies_that_are_changed_are_right_before(parents: dict[str, dict[str, object]], tmp_path: Path) -> None:
    for name in ("demo", "compliance", "every-key-sft", "every-key-rl"):
        verdict, said = judge(Case(tomli_w.dumps(parents[name]), name, ""), tmp_path / "case.toml", tmp_path / "store")
        assert verdict == "planned", said


def test_every_key_of_the_schema_stands_in_a_study_that_is_changed(parents: dict[str, dict[str, object]]) -> None:
    found: dict[type[StrictModel], set[str]] = {}
    for name in ("every-key-sft", "every-key-rl"):
        for model in models_in(parse.parse(dict(parents[name]), name, name)):
            found.setdefault(type(model), set()).update(model.model_fields_set)
    assert len(found) > 20
    lacking = {kind.__name__: kind.model_fields.keys() - keys for kind, keys in found.items()}
    assert {name: keys for name, keys in lacking.items() if keys} == {}


def models_in(value: object) -> Iterator[StrictModel]:
    """A model, and all those in it."""
    if isinstance(value, StrictModel):
        yield value
        for key in value.model_fields_set:
            yield from models_in(getattr(value, key))
    elif isinstance(value, dict | tuple):
        for below in value.values() if isinstance(value, dict) else value:
            yield from models_in(below)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("seeds = [", "seeds = " + "[" * 3000 + "]" * 3000 + " # [", ["case.toml:", "too deep in each other"]),
        ('than = "plain"', 'than = "\\n"', ["contrasts.0.than: unknown arm '\\n': allowed"]),
        ('model = "', 'model.x = "', [": model: must be a text"]),
        ('claim = "', 'claim = "a\\u0000', ["contrasts.0.claim: the character '\\x00' is no text"]),
        ("question = ", "looks = 2026-01-01\nquestion = ", [": looks: "]),
        ("seeds = [", f"seeds = {'1' * 5000} # [", ["case.toml:", "a number with thousands of digits"]),
        ("question = ", f"looks = [0x{'f' * 9000}]\nquestion = ", [": looks.0: a whole number of more than 64 bits"]),
        ("hacked = ", f"hacked = 0x{'f' * 9000} # ", ["hacked: a whole number of more than 64 bits"]),
        ("question = ", f'seeds2 = "{"x" * 5000}"\nquestion = ', ["unknown key seeds2"]),
        ('setting = "functions"', 'setting = "\\n"', ["rows.setting: unknown setting '\\n': allowed"]),
        ('prompt = "specific"', 'prompt = "\\n"', ["and not an empty one"]),
        ("problems = ", f'oversight = "{"x" * 300}"\nproblems = ', ["oversight"]),
    ],
)
def test_what_the_fuzzing_has_found(
    parents: dict[str, dict[str, object]], tmp_path: Path, old: str, new: str, words: list[str]
) -> None:
    text = tomli_w.dumps(parents["demo"])
    assert old in text
    path = tmp_path / "case.toml"
    verdict, said = judge(Case(text.replace(old, new, 1), "demo", ""), path, tmp_path / "store")
    assert verdict == "refused", said
    assert f"{path}:" in said and said[said.index(str(path)) + len(str(path)) + 1].isdigit(), said
    for word in words:
        assert word in said
