"""Studies with RL that cannot work are refused by `plan`, or before the first step of a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from inoculate.cli import studies
from inoculate.errors import UserError
from inoculate.steps.plan import make_plan
from inoculate.steps.store import Store
from inoculate.study.parse import load
from running import carried_out
from small_study import RL_STUDY

MASK = "mask_cut_off = false\n"
"""What expert iteration does not have."""
ARM = "[arms.reinforced]\nmethod = 'rl'\n"
CONTRAST = "[[contrasts]]\nclaim = 'c'\nmeasure = 'hack'\nhigher = 'reinforced'\nthan = 'base'\n"


def write_study(folder: Path, model: Path | str, *changes: tuple[str, str]) -> Path:
    """A study with one arm of RL, with changes."""
    text = RL_STUDY.replace("MODEL", str(model)).replace("[evaluate]", f"{ARM}\n[evaluate]")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = folder / "by-rl.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ([("onset = { steps = 1 }\n", "")], r"rl.onset.steps: 5 steps in a row, and rl.steps = 3: no"),
        (
            [("[rl]\n", "[rl]\ncheckpoint = { hack = 0.5, steps = 4 }\n")],
            r"rl.checkpoint.steps: 4 steps in a row, and rl.steps = 3: no policy could",
        ),
        ([("[rl]\n", "[rl]\nreward = 'key'\n")], r"rl.reward: must be a list: reward = \[\{ oversight = \"NAME\", wei"),
        ([("[rl]\n", "[rl]\nreward = ['key']\n")], r"rl.reward.0: must be a table: reward = \[\{ oversight = \"NAME"),
        ([("[rl]\n", "[rl]\nreward = { oversight = 'key' }\n")], r"rl.reward: must be a list: reward = \[\{ oversi"),
        ([("[rl]\n", "[rl]\ncheckpoint = 0.5\n")], r"rl.checkpoint: must be a table: checkpoint = \{ hack = 0.5, l"),
        ([("[rl]\n", "[rl]\ncheckpoint = { steps = 2 }\n")], r"rl.checkpoint.hack: is missing: checkpoint = \{ h"),
        ([("onset = { steps = 1 }", "onset = 3")], r"rl.onset: must be a table: onset = \{ steps = 5, above = 0.15 \}"),
        ([("steps = 3", "steps = '3'")], r"rl.steps: must be a whole number \(given: '3'\)"),
        ([(ARM, f"{ARM}inoculation = {{ prompt = 'general', on = 'none' }}\n")], "inoculation.on: 'none', and an arm"),
        (
            [
                ("[evaluate]", "[sensitivity]\nlearning_rate = [1e-4]\n[evaluate]"),
                ("[evaluate]", f"{CONTRAST}[evaluate]"),
            ],
            r"sensitivity: repeats SFT at other learning rates, and the contrasts name arm 'reinforced' of method 'rl'",
        ),
        (
            [("[evaluate]", "[elicitation]\nplain = 'reinforced'\n[evaluate]")],
            r"elicitation.plain: compares .* arm 'reinforced' of method 'rl' has no training answers",
        ),
        (
            [
                (ARM, f"{ARM}inoculation = {{ prompt = 'general+checked' }}\n"),
                ("[evaluate]", "[factorial]\nprompts = ['general']\n[evaluate]"),
            ],
            r"factorial.prompts: the grid would be of arms like 'reinforced', of method 'rl'",
        ),
        (
            [("'rl'", "'expert-iteration'"), (MASK, ""), ("max_new_tokens = 8", "max_new_tokens = 2000")],
            r"arms.reinforced.train.micro_batch_tokens: 1024, and a prompt with rl.max_new_tokens = 2000",
        ),
    ],
)
def test_a_study_file_with_a_mistake_is_refused(tmp_path: Path, changes: list[tuple[str, str]], message: str) -> None:
    with pytest.raises(UserError, match=message):
        load(write_study(tmp_path, "m", *changes))


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (
            "mathematics_plain",
            r"arms.reinforced.inoculation.on: .* none of the 6 problems of seed 0 can: its prompt would",
        ),
        ("functions", r"arms.reinforced.inoculation.on: .* every one of the 6 problems of seed 0 can: 'all' says the"),
    ],
)
def test_a_prompt_for_a_sort_of_problems_that_is_not_there(tmp_path: Path, setting: str, message: str) -> None:
    prompt = f"{ARM}inoculation = {{ prompt = 'general', on = 'hacked' }}\n"
    study = write_study(tmp_path, "smollm2-135m", (ARM, prompt), ('setting = "mathematics"', f'setting = "{setting}"'))
    with pytest.raises(UserError, match=message):
        make_plan(load(study))


def test_a_prompt_on_the_problems_that_can_be_hacked(tmp_path: Path) -> None:
    study = write_study(
        tmp_path, "smollm2-135m", (ARM, f"{ARM}inoculation = {{ prompt = 'general', on = 'hacked' }}\n")
    )
    assert make_plan(load(study)).trainings


@pytest.mark.parametrize(
    ("method", "changes", "message"),
    [
        (
            "rl",
            [("max_new_tokens = 8", "max_new_tokens = 5000\nmicro_batch_tokens = 9000")],
            r"rl.max_new_tokens: problem '.*' of seed 0 has \d+ tokens under the arm's prompt; with "
            r"5000 new ones it exceeds the model's context of 4096: lower rl.max_new_tokens to \d+ or choose shorter",
        ),
        (
            "rl",
            [("max_new_tokens = 8", "max_new_tokens = 8\nmicro_batch_tokens = 64")],
            r"rl.micro_batch_tokens: problem '.*; with rl.max_new_tokens = 8 it exceeds 64: raise",
        ),
        (
            "expert-iteration",
            [(MASK, ""), ("[evaluate]", "[train]\nmicro_batch_tokens = 64\n[evaluate]")],
            r"train.micro_batch_tokens: problem '.*: raise train.micro_batch_tokens to \d+ or more",
        ),
    ],
)
def test_a_prompt_that_is_too_long_is_refused_before_anything_is_sampled(
    tiny_model: Path, tmp_path: Path, method: str, changes: list[tuple[str, str]], message: str
) -> None:
    study = write_study(tmp_path, tiny_model, ("'rl'", f"'{method}'"), *changes)
    with pytest.raises(UserError, match=message):
        studies.plan(str(study), store=str(tmp_path / "store"))
    with pytest.raises(UserError, match=message):
        carried_out(study, Store(tmp_path / "store"))
    assert not list((tmp_path / "store").glob("*/step.json"))


def test_the_least_limit_that_is_named_is_enough(tiny_model: Path, tmp_path: Path) -> None:
    old, store = "max_new_tokens = 8", str(tmp_path / "store")
    with pytest.raises(UserError) as refused:
        studies.plan(str(write_study(tmp_path, tiny_model, (old, f"{old}\nmicro_batch_tokens = 64"))), store=store)
    least = int(str(refused.value).split(" or more")[0].rpartition(" ")[2])
    studies.plan(str(write_study(tmp_path, tiny_model, (old, f"{old}\nmicro_batch_tokens = {least}"))), store=store)
    with pytest.raises(UserError):
        studies.plan(
            str(write_study(tmp_path, tiny_model, (old, f"{old}\nmicro_batch_tokens = {least - 1}"))), store=store
        )


ROWS = "".join(
    f'{{"id": "q{number}", "kind": "k{number}", "split": "{split}", "prompt": "How much is {number}?", '
    f'"completion": "{number}", "hacked": "{number}0"}}\n'
    for number, split in enumerate(["train"] * 6 + ["test"] * 4)
)
OWN = ('setting = "mathematics"\nlevels = [1]', 'setting = "rows"\nsource = "own.jsonl"')


@pytest.mark.parametrize(
    ("grader", "program", "message"),
    [
        ("", "", r"rows.source: own.jsonl has no tests, and no grader is named: completions cannot be rewarded"),
        ("own.py:judge", "", r"grader 'own.py:judge': own.py cannot be read: there is no such file"),
        (
            "own.py:judge",
            "import nowhere_to_be_found\ndef judge(p, c): ...",
            r"own.py:1: ModuleNotFoundError: No module",
        ),
        ("own.py:judge", "def jugde(p, c): ...", r"own.py defines no function 'judge': did you mean 'jugde'"),
    ],
)
def test_a_grader_that_cannot_be_loaded_is_refused_by_plan(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, grader: str, program: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.jsonl").write_text(ROWS)
    if program:
        (tmp_path / "own.py").write_text(program)
    named = (OWN[0], f'{OWN[1]}\ngrader = "{grader}"') if grader else OWN
    study = write_study(tmp_path, tiny_model, named)
    with pytest.raises(UserError, match=message):
        studies.plan(str(study), store=str(tmp_path / "store"))
