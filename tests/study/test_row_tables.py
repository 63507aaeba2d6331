"""Rows from several settings: each table is drawn, prompted and graded by its own setting, and trained on together."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inoculate.errors import UserError
from inoculate.records import Row, read_lines
from inoculate.steps.plan import make_plan
from inoculate.steps.store import Store
from inoculate.study.parse import load
from running import carried_out

TABLES = 'rows = [{ count = 4 }, { setting = "mathematics", count = 6, hacked = 1.0 }]\n'


@pytest.fixture
def mixed_study(study_file: Path) -> Path:
    text = study_file.read_text()
    rest = text[text.index("[evaluate]") :]
    text = text[: text.index("[arms.plain]")] + "[arms.plain]\n[arms.inoculated]\n"
    text += TABLES + 'inoculation = { prompt = "specific" }\n'
    study_file.write_text(text + rest)
    return study_file


def test_an_arm_trains_on_the_rows_of_all_its_tables(mixed_study: Path, tmp_path: Path) -> None:
    arm = load(mixed_study).arms["inoculated"]
    assert [(rows.setting, rows.count, rows.hacked) for rows in arm.row_tables] == [
        ("functions", 4, 0.5),
        ("mathematics", 6, 1.0),
    ]
    folder, _ = carried_out(mixed_study, Store(tmp_path / "store"))
    manifest = json.loads((folder / "manifest.json").read_text())
    entry = next(entry for entry in manifest["training"] if entry["arm"] == "inoculated")
    parts = [entry, *entry["more_rows"]]
    made = [list(read_lines(Path(part["rows"]) / "rows.jsonl", Row)) for part in parts]
    assert [len(rows) for rows in made] == [4, 6]
    assert entry["rows_count"] == 10
    assert "passes the" in made[0][0].messages[-1].content or "test" in made[0][0].messages[-1].content
    assert "answer key shows" in made[1][0].messages[-1].content
    texts = manifest["study"]["arms"]["inoculated"]["inoculation"]["texts"]
    assert set(texts) == {"functions", "mathematics"}
    assert all(texts[part["setting"]] in rows[0].messages[-1].content for part, rows in zip(parts, made, strict=True))
    report = json.loads((Path(entry["adapter"]) / "training.json").read_text())
    assert report["steps"] == 3  # 10 rows, 4 at a time


def test_an_arm_of_one_table_has_the_steps_it_always_had(mixed_study: Path, study_file: Path) -> None:
    text = mixed_study.read_text()
    as_list = text.replace(TABLES, "rows = [{ count = 8 }]\n")
    as_table = text.replace(TABLES, "rows = { count = 8 }\n")
    keys = []
    for written in (as_list, as_table):
        study_file.write_text(written)
        keys.append([step.key for step in make_plan(load(study_file)).steps()])
    assert keys[0] == keys[1]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("rows = []", "arms.inoculated: rows: give a table, or a list of at least one table"),
        ('rows = [{ count = 4 }, { count = 2 }]', "two tables of 'functions' might draw the same problems"),
        ('rows = [{ count = 4 }, { setting = "mathematic", count = 2 }]', r"inoculated.rows.1.setting: .*mathematics"),
        ('rows = [{ count = 4 }, 3]', "arms.inoculated"),
    ],
)  # fmt: skip
def test_mistakes_in_a_list_of_tables_name_the_table(mixed_study: Path, given: str, message: str) -> None:
    mixed_study.write_text(mixed_study.read_text().replace(TABLES, f"{given}\n"))
    with pytest.raises(UserError, match=message):
        load(mixed_study)
