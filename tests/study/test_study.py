"""What a study file may say, and what is refused in words that help."""

from __future__ import annotations

from pathlib import Path

import pytest

from inoculate.errors import UserError
from inoculate.study import ready_made as studies
from inoculate.study.parse import load
from inoculate.study.prompts import find
from small_study import STUDY


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "study.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_defaults_and_overrides_are_merged(study_file: Path) -> None:
    study = load(study_file)
    assert study.name == "small"
    assert list(study.arms) == ["plain", "inoculated", "control"]
    assert study.arms["plain"].rows.count == 8
    assert study.arms["plain"].train.learning_rate == 1e-3
    assert study.arms["inoculated"].inoculation is not None
    assert study.context("neutral", "functions") == ("", "inside")
    assert "test shown" in study.context("asks-to-hack", "functions")[0]


def test_one_evaluated_setting_may_differ(tmp_path: Path) -> None:
    text = STUDY.format(model="m").replace("problems = 6", "problems = 6\nlevels = [1]\neach.functions.levels = [2, 3]")
    evaluate = load(written(tmp_path, text)).evaluate
    assert (evaluate.of("functions").levels, evaluate.of("functions").problems, evaluate.levels) == ((2, 3), 6, (1,))


def test_a_prompt_with_a_description_and_the_context_as_trained(tmp_path: Path) -> None:
    text = STUDY.format(model="m").replace('prompt = "specific", on', 'prompt = "general+checked", on')
    study = load(written(tmp_path, text))
    words, _ = study.context("as-trained", "functions", "inoculated")
    assert words.endswith("use that instead.") and "the one test that is shown" in words
    assert study.context("as-trained", "functions", "plain")[0] == study.context("as-trained", "functions")[0] == ""


def test_an_arm_overrides_part_of_the_rows(tmp_path: Path) -> None:
    text = STUDY.format(model="m").replace("[arms.plain]", "[arms.plain]\nrows.hacked = 0.0\ntrain.epochs = 2")
    study = load(written(tmp_path, text))
    assert (study.arms["plain"].rows.hacked, study.arms["plain"].rows.count) == (0.0, 8)
    assert (study.arms["plain"].train.epochs, study.arms["plain"].train.learning_rate) == (2.0, 1e-3)
    assert study.arms["control"].rows.hacked == 0.5


def test_the_digest_follows_what_is_said_and_nothing_else(study_file: Path, tmp_path: Path) -> None:
    again = tmp_path / "elsewhere" / study_file.name
    again.parent.mkdir()
    again.write_text("# a comment\n" + study_file.read_text())
    assert load(again).digest() == load(study_file).digest()
    again.write_text(study_file.read_text().replace("count = 8", "count = 9"))
    assert load(again).digest() != load(study_file).digest()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("count = 8", "cuont = 8", ["arms.plain.rows.cuont", "did you mean 'count'?"]),
        ("count = 8", 'count = "many"', ["arms.plain.rows.count", "valid integer", "'many'"]),
        ("count = 8", "count = 0", ["rows.count", "greater than or equal to 1"]),
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
        ("[arms.plain]", "[arms]\nplain = 3", ["arms: each must be a table"]),
        ("hacked = 0.5", "hacked = 0.0", ["arms.inoculated.inoculation.on", "no hacked rows"]),
        ("hacked = 0.5", 'hacked = 1.0\nfilter = "hacked"', ["leaves no rows"]),
        ("problems = 6", "problems = 6\nsamples = 2", ["evaluate", "temperature"]),
        ("problems = 6", 'problems = 6\ncontexts = ["nuetral"]', ["unknown context 'nuetral'", "'neutral'"]),
        ("problems = 6", 'problems = 6\ncontexts = ["neutral"]', ["asked-hack", "asks-to-hack"]),
        ("problems = 6", "problems = 6\nlevels = [9]", ["unknown level 9", "[1, 2, 3, 4]"]),
        ("problems = 6", "problems = 6\nfractions = [0]", ["fractions", "greater than 0"]),
        ('question = "Does it run?"', "question = ", ["not TOML"]),
        ('model = "m"', "", ["model", "required"]),
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


def test_a_study_of_the_untrained_model_alone_has_no_rows(tmp_path: Path) -> None:
    alone = 'question = "?"\nmodel = "m"\nevaluate.settings = ["functions"]\n'
    assert load(written(tmp_path, alone)).arms == {}
    with pytest.raises(UserError, match=r"at least one arm .* one of 'base' alone has no rows and no train"):
        load(written(tmp_path, f"{alone}rows.count = 3\ntrain.epochs = 2"))


def test_sensitivity_repeats_the_arms_of_the_contrasts(tmp_path: Path) -> None:
    text = STUDY.format(model="m").replace(
        "[evaluate]", "[sensitivity]\nlearning_rate = [1e-4, 1e-3, 3e-3]\n[evaluate]"
    )
    study = load(written(tmp_path, text))
    # The study trains at 1e-3 itself, and its control is in no contrast.
    repeats = ["plain@0.0001", "inoculated@0.0001", "plain@0.003", "inoculated@0.003"]
    assert list(study.arms) == ["plain", "inoculated", "control", *repeats]
    assert study.arms["inoculated@0.003"].train.learning_rate == 3e-3
    assert study.arms["inoculated@0.003"].rows == study.arms["inoculated"].rows
    assert study.arms["inoculated@0.003"].inoculation == study.arms["inoculated"].inoculation


def test_a_setting_that_loads_its_data_needs_a_source(tmp_path: Path) -> None:
    path = written(tmp_path, STUDY.format(model="m").replace('setting = "functions"', 'setting = "mbpp"', 1))
    with pytest.raises(UserError, match="name a file or hub id as its source"):
        load(path)


def test_a_study_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such study file"):
        load(tmp_path / "none.toml")
    with pytest.raises(UserError, match="did you mean 'demo'"):
        studies.find("demmo")


def test_every_ready_made_study_loads() -> None:
    loaded = [load(studies.find(name)) for name in studies.names()]
    assert len(loaded) >= 3
    assert all(study.question.endswith((".", "?", ")")) for study in loaded)
