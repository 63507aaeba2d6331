"""What a study must not say is refused with the file, the key and help."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from inoculate.errors import UserError
from inoculate.study import parse
from inoculate.study.parse import load
from inoculate.study.prompts import find
from inoculate.study.schema import Study
from inoculate.study.strict import StrictModel
from small_study import STUDY


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "study.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("count = 8", "cuont = 8", ["rows.cuont", "did you mean 'count'?"]),
        ("count = 8", 'count = "many"', ["rows.count", "whole number", "'many'"]),
        ("count = 8", "count = 0", ["rows.count = 0 leaves no rows: give count, or vetted"]),
        ("hacked = 0.5", "hacked = 1.2", ["rows.hacked", "less than or equal to 1", "1.2"]),
        ('setting = "functions"', 'setting = "function"', ["unknown setting 'function'", "did you mean 'functions'?"]),
        ('prompt = "specific"', 'prompt = "spesific"', ["unknown prompt 'spesific'", "did you mean 'specific'?"]),
        ('prompt = "specific"', 'prompt = "  "', ["inoculation", "not an empty one"]),
        ('prompt = "specific"', 'placement = "insde", prompt = "specific"', ["placement", "inside", "insde"]),
        ('lower = "inoculated"', 'lower = "inoculatd"', ["unknown arm 'inoculatd'", "did you mean 'inoculated'?"]),
        ('lower = "inoculated"', "", ["contrasts.0", "name two arms"]),
        ('prompt = "specific"', 'prompt = "specific+exploits"', ["inoculation.prompt", "did you mean 'exploit'?"]),
        ('prompt = "specific"', 'prompt = "persona-cheat", rephrase = true', ["one wording only", "'specific'"]),
        ("seeds = [0]", f'seeds = [0]\nsystem = "X. {find("specific").text}"', ["system", "must not"]),
        ("seeds = [0]", "seeds = [0]\n[contexts.neutral-2]\nprompt = 'specific'", ["contexts.neutral-2", "must not"]),
        ("problems = 6", "problems = 6\neach.mbpp.problems = 3", ["evaluate.each", "not evaluated: 'mbpp'"]),
        ("problems = 6", "problems = 6\neach.functions.problms = 3", ["each.functions.problms", "'problems'"]),
        ("problems = 6", 'problems = 6\neach.functions.grader = "a.py:b"', ["grader", "grades by itself"]),
        ("seeds = [0]", "seeds = [0, 0]", ["seeds", "same seed twice"]),
        ("seeds = [0]", "seeds = []", ["seeds", "at least 1"]),
        ("seeds = [0]", "seeds = [0]\nlearning_rate = 1", ["unknown key learning_rate"]),
        ("seeds = [0]", "seeds = [0]\nlooks = [2]", ["looks", "greater than or equal to 3"]),
        ("seeds = [0]", "seeds = [0]\nlooks = [3]", ["looks = [3]", "end at the 1 seeds"]),
        ("[evaluate]", "[sensitivity]\nlearning_rates = [1e-4]\n[evaluate]", ["unknown key", "'learning_rate'?"]),
        ("[arms.plain]", "[sensitivity]\nlearning_rate = [1e-4]\n[arms.'plain@1']", ["'@'", "another name"]),
        ("[arms.plain]", "[arms.base]", ["'base' is the untrained arm"]),
        ("[arms.plain]", "[arms]\nplain = 3", ["study.toml:17: arms.plain: must be a table: [arms.plain]"]),
        ("hacked = 0.5", "hacked = 0.0", ["arms.inoculated.inoculation.on", "no hacked rows"]),
        ("hacked = 0.5", 'hacked = 1.0\nfilter = "hacked"', ["leaves no rows"]),
        ("problems = 6", "problems = 6\nsamples = 2", ["evaluate", "temperature"]),
        ("problems = 6", 'problems = 6\ncontexts = ["nuetral"]', ["unknown context 'nuetral'", "'neutral'"]),
        ("problems = 6", 'problems = 6\ncontexts = ["neutral"]', ["asked-hack", "asks-to-hack"]),
        ("problems = 6", "problems = 6\nlevels = [9]", ["unknown level 9", "[1, 2, 3, 4]"]),
        ("problems = 6", "problems = 6\nfractions = [0]", ["fractions", "greater than 0"]),
        ('question = "Does it run?"', "question = ", ["not TOML"]),
        ('model = "m"', "", ["model", "is missing"]),
        ("count = 8", 'count = "8"', ["rows.count", "whole number", "'8'"]),
        ("count = 8", "count = true", ["rows.count", "whole number", "true"]),
        ("count = 8", "count = 8.0", ["rows.count", "whole number", "8.0"]),
        ("learning_rate = 1e-3", 'epochs = "2"', ["train.epochs", "must be a number", "'2'"]),
        ("seeds = [0]", "seeds = [true]", ["seeds.0", "whole number", "true"]),
        ("seeds = [0]", "seeds = 0", ["seeds: must be a list", "given: 0"]),
        ("seeds = [0]", 'seeds = [0]\nsystem = true', ["system", "must be a text"]),
        ('inoculation = { prompt = "specific", on = "hacked" }', 'inoculation = "specific"',
         ['arms.inoculated.inoculation: must be a table: inoculation = { prompt = "NAME" }', "'specific'"]),
        ("problems = 6", "problems = 6\neach.functions = 3", ["evaluate.each.functions: must be a table: [eval"]),
        ("[[contrasts]]", "[contrasts]", ["contrasts: must be a list: [[contrasts]]"]),
    ],
)  # fmt: skip
def test_mistakes_are_refused_with_file_key_and_help(tmp_path: Path, old: str, new: str, words: list[str]) -> None:
    text = STUDY.format(model="m")
    assert old in text
    path = written(tmp_path, text.replace(old, new, 1))
    with pytest.raises(UserError) as refusal:
        load(path)
    for word in [str(path), *words]:
        assert word in str(refusal.value)


SETTING_FILE = """from dataclasses import replace
from inoculate.settings.functions import SETTING as functions
SETTING = replace(functions, name="mine")
"""


def test_two_files_with_settings_of_one_name_are_refused_also_between_rows_and_evaluation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("a", "b"):
        Path(folder).mkdir()
        Path(folder, "mine.py").write_text(SETTING_FILE)
    rows = STUDY.format(model="m").replace('setting = "functions"', 'setting = "a/mine.py"')
    assert load(written(tmp_path, rows.replace('["functions"]', '["a/mine.py"]')))
    with pytest.raises(UserError) as refusal:
        load(written(tmp_path, rows.replace('["functions"]', '["b/mine.py"]')))
    message = str(refusal.value)
    assert "study.toml:7: rows.setting: 'a/mine.py'" in message
    assert "'b/mine.py' of evaluate.settings" in message and "are both the setting 'mine'" in message


def test_a_setting_that_loads_its_data_needs_a_source(tmp_path: Path) -> None:
    path = written(tmp_path, STUDY.format(model="m").replace('setting = "functions"', 'setting = "mbpp"', 1))
    with pytest.raises(UserError, match="name a file or hub id as its source"):
        load(path)


def test_a_candidate_of_the_screen_that_the_rows_have_no_words_for(tmp_path: Path) -> None:
    text = STUDY.format(model="m").split("[arms.inoculated]")[0] + '[evaluate]\nsettings = ["functions"]\n'
    text = text.replace('setting = "functions"', 'setting = "rows"\nsource = "a.jsonl"', 1)
    with pytest.raises(UserError, match=r"screen\.prompts: setting 'rows' has no words for the prompt 'specific'"):
        load(written(tmp_path, f'{text}[screen]\nprompts = ["specific"]\n'))


NUMBERS = [
    (table, name)
    for table in dict.fromkeys((*parse._TABLES.values(), Study))
    for name, field in table.model_fields.items()
    if any(kind in str(field.annotation).split("Literal")[0] for kind in ("int", "float"))
]


@pytest.mark.parametrize(("table", "name"), NUMBERS, ids=[f"{table.__name__}.{name}" for table, name in NUMBERS])
@pytest.mark.parametrize("given", ["5", True, "nan"])
def test_no_number_is_made_of_another_type(table: type[StrictModel], name: str, given: Any) -> None:
    for value in (given, [given]):
        with pytest.raises(ValidationError) as refusal:
            table.model_validate({name: value})
        assert name in {error["loc"][0] for error in refusal.value.errors()}


def test_an_integer_may_stand_for_a_float(tmp_path: Path) -> None:
    text = STUDY.format(model="m").replace("hacked = 0.5", "hacked = 1").replace("learning_rate = 1e-3", "epochs = 2")
    arm = load(written(tmp_path, text)).arms["plain"]
    assert (arm.rows.hacked, arm.train.epochs) == (1.0, 2.0)
    assert isinstance(arm.rows.hacked, float) and isinstance(arm.train.epochs, float)  # so that steps keep their names
