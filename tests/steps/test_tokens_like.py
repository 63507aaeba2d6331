"""Rows of a setting's own that are matched to another arm's in the tokens of their answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer

from inoculate.engine import chat
from inoculate.errors import UserError
from inoculate.records import Row, read_lines
from inoculate.steps.plan import make_plan
from inoculate.steps.rows import count_nearest
from inoculate.steps.run import carry_out
from inoculate.steps.store import Store
from inoculate.study.parse import load
from running import Log, carried_out
from small_study import STUDY

LIKE = 'rows = { count = 12, hacked = 1.0, tokens_like = "plain" }'


@given(st.lists(st.integers(1, 60), min_size=1, max_size=30), st.integers(0, 2000))
def test_no_other_number_of_rows_comes_nearer(each: list[int], wanted: int) -> None:
    count = count_nearest(each, wanted)
    distances = [abs(sum(each[:rows]) - wanted) for rows in range(1, len(each) + 1)]
    assert distances[count - 1] == min(distances) and count - 1 == distances.index(min(distances))


def matched(tiny_model: Path, tmp_path: Path, arm: str = LIKE, old: str = "", new: str = "") -> Path:
    path = tmp_path / "matched.toml"
    text = STUDY.format(model=tiny_model).replace("[arms.inoculated]", f"[arms.matched]\n{arm}\n[arms.inoculated]")
    path.write_text(text.replace(old, new, 1))
    return path


def test_rows_are_kept_until_their_answers_have_as_many_tokens(tiny_model: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    path = matched(tiny_model, tmp_path)
    plan = make_plan(load(path))
    trainings = {training.arm: training for training in plan.trainings}
    folder = carry_out(plan, store, Log(), "", only=[trainings["plain"].adapter, trainings["matched"].rows])
    found = {entry["arm"]: entry for entry in json.loads((folder / "manifest.json").read_text())["training"]}
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    tokens = {}
    for arm in ("plain", "matched"):
        rows = list(read_lines(Path(found[arm]["rows"]) / "rows.jsonl", Row))
        tokens[arm] = [len(chat.encode_answer(tokenizer, row.answer)) for row in rows]
    said = found["matched"]["tokens_like"]
    assert said == {
        "rows": len(tokens["matched"]),
        "drawn": 12,
        "answer_tokens": sum(tokens["matched"]),
        "wanted": sum(tokens["plain"]),
    }
    assert found["plain"]["label_tokens"] == said["wanted"]  # what the training counts, one epoch
    assert abs(said["answer_tokens"] - said["wanted"]) <= max(tokens["matched"]) / 2 + 1
    assert found["matched"]["rows_count"] == found["matched"]["hacked_rows"] == said["rows"] < 12


def test_too_few_answer_tokens_are_refused_with_both_numbers(tiny_model: Path, tmp_path: Path) -> None:
    path = matched(tiny_model, tmp_path, LIKE.replace("12", "2"))
    with pytest.raises(
        UserError, match=r"its 2 rows have \d+ answer tokens, .*plain, seed 0 have \d+: raise rows.count"
    ):
        carried_out(path, Store(tmp_path / "store"))


@pytest.mark.parametrize(
    ("arm", "old", "new", "message"),
    [
        (LIKE.replace("plain", "plan"), "", "", "tokens_like: not an arm of SFT .*'plan'"),
        (LIKE.replace("plain", "matched"), "", "", "tokens_like: not an arm of SFT .*'matched'"),
        (LIKE.replace("count = 12", "count = 12, vetted = 2"), "", "", "vetted: does not go with rows.tokens_like"),
        (LIKE.replace("count = 12", "count = 12, share_problems = true"), "", "", "share_problems: does not go with"),
        (LIKE + '\nmethod = "rl"', "", "", "tokens_like: is for an arm of SFT with one table"),
        (LIKE, "[arms.plain]", '[arms.plain]\nmethod = "rl"', "tokens_like: not an arm of SFT .*'plain'"),
        (LIKE, "[arms.plain]", '[arms.plain]\nrows.tokens_like = "control"', "not an arm of SFT that has rows of its"),
    ],
)
def test_mistakes_are_refused(tiny_model: Path, tmp_path: Path, arm: str, old: str, new: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load(matched(tiny_model, tmp_path, arm, old, new))
