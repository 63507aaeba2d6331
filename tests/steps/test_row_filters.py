"""Filters that go by what can be seen of an answer: what they remove, what they miss, and that they say so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from inoculate.errors import UserError
from inoculate.records import Grade, Row, Tag, read_lines, write_lines
from inoculate.steps import rows
from inoculate.steps.plan import make_plan
from inoculate.steps.row_filters import filter_rows
from inoculate.steps.run import carry_out
from inoculate.steps.store import Store
from inoculate.study.parse import load, parse
from inoculate.study.schema import Rows
from running import Log
from small_study import STUDY

TABLE = {"setting": "functions", "count": 10, "hacked": 0.5}
STATIC, OBSERVED = Tag("lookup_table", "static", "seen"), Tag("overfit_to_shown", "observed", "seen")


def step(**table: Any) -> Any:
    return rows.plan_step(Rows(**{**TABLE, **table}), None, seed=0, system=None, weights="w", where="arm, seed 0")


def filtered(
    tmp_path: Path, by: str, tags: list[tuple[Tag, ...]] | None = None, scores: list[float] | None = None, **more: Any
) -> tuple[list[int], dict[str, Any]]:
    made = step(filter=by, **more)
    drawn = rows.draw(made)
    if tags is not None:
        write_lines(tmp_path / "grades.jsonl", [Grade("wrong", False, False, given) for given in tags])
    if scores is not None:
        lines = [{"scores": {"": score}, "tokens": 2} for score in scores]
        (tmp_path / "scores.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    kept, said = filter_rows(made, tmp_path, drawn)
    return [number for number, row in enumerate(drawn) if row in kept], said


def test_tags_remove_what_static_analysis_sees_and_nothing_that_only_a_check_saw(tmp_path: Path) -> None:
    hacked = [row.hacked for row in rows.draw(step())]
    first, other = hacked.index(True), hacked.index(False)
    tags: list[tuple[Tag, ...]] = [(OBSERVED,)] * 10
    tags[first] = tags[other] = (OBSERVED, STATIC)
    kept, said = filtered(tmp_path, "tags", tags)
    assert kept == [number for number in range(10) if number not in (first, other)]
    assert said == {
        "by": "tags", "rows": 10, "hacked_rows": 5, "removed": 2, "removed_hacked": 1, "removed_honest": 1, "missed": 4,
    }  # fmt: skip


def test_surprise_removes_as_many_as_are_hacked_by_log_probability_per_token(tmp_path: Path) -> None:
    hacked = [row.hacked for row in rows.draw(step())]
    kept, said = filtered(tmp_path, "surprise", scores=[-float(number) for number in range(10)])
    assert kept == [0, 1, 2, 3, 4]
    assert said["removed"] == 5
    assert said["removed_hacked"] == sum(hacked[5:])
    assert said["missed"] == sum(hacked[:5])


def test_the_sound_check_misses_none_and_takes_no_other(tmp_path: Path) -> None:
    made = step(filter="hacked", vetted=2)
    whole = rows.draw(step(vetted=2))
    kept, said = filter_rows(made, None, whole)
    assert list(kept) == list(rows.draw(made)) == [row for row in whole if not row.hacked]
    assert (said["removed"], said["removed_hacked"], said["removed_honest"], said["missed"]) == (5, 5, 0, 0)


def test_vetted_rows_are_never_removed(tmp_path: Path) -> None:
    kept, said = filtered(tmp_path, "tags", [(STATIC,)] * 12, vetted=2)
    assert kept == [10, 11]
    assert (said["rows"], said["removed"], said["missed"]) == (10, 10, 0)


def test_a_filter_that_leaves_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"leaves none of 10 rows: lower rows.hacked"):
        filtered(tmp_path, "tags", [(STATIC,)] * 10)


@pytest.mark.parametrize(
    ("arm", "message"),
    [
        ({"rows": {**TABLE, "filter": "surprise", "hacked": 0.0}}, "as many rows as are hacked, and none are"),
        ({"rows": {**TABLE, "filter": "surprise", "hacked": 1.0}}, "all are, and no row would remain"),
        ({"rows": {**TABLE, "filter": "surprises"}}, "filter"),
        ({"method": "rl", "rows": {**TABLE, "filter": "tags"}}, "learns from none: leave it out"),
    ],
)
def test_filters_that_mean_nothing_are_refused(arm: dict[str, Any], message: str) -> None:
    raw = {"question": "?", "model": "m", "seeds": [0], "arms": {"a": arm}, "evaluate": {"settings": ["functions"]}}
    with pytest.raises(UserError, match=message):
        parse(raw, "study", "study.toml")


def test_both_are_carried_out_and_share_what_is_known_of_the_answers(tiny_model: Path, tmp_path: Path) -> None:
    path = tmp_path / "filters.toml"
    arms = "".join(f'[arms.{by}]\nrows.filter = "{by}"\n' for by in ("tags", "surprise"))
    arms += '[arms.told]\nrows.filter = "tags"\n'
    arms += 'inoculation = { prompt = "specific", on = "hacked" }\n[arms.inoculated]'
    path.write_text(STUDY.format(model=tiny_model).replace("[arms.inoculated]", arms))
    plan, store = make_plan(load(path)), Store(tmp_path / "store")
    trainings = {training.arm: training for training in plan.trainings}
    judged = {arm: trainings[arm].rows.inputs["judged"] for arm in ("tags", "surprise", "told")}
    assert judged["tags"].key == judged["told"].key == trainings["plain"].row_grades.key
    assert judged["surprise"].inputs["rows"].key == trainings["plain"].rows.key
    made = [trainings[arm].rows for arm in judged]
    folder = carry_out(plan, store, Log(), "", only=made)
    found = {entry["arm"]: entry for entry in json.loads((folder / "manifest.json").read_text())["training"]}
    for arm in judged:
        kept, said = list(read_lines(store.folder(trainings[arm].rows) / "rows.jsonl", Row)), found[arm]["filtered"]
        assert len(kept) == said["rows"] - said["removed"]
        assert sum(row.hacked for row in kept) == said["missed"] == said["hacked_rows"] - said["removed_hacked"]
    assert found["surprise"]["filtered"]["removed"] == 4
    # Hacks of this setting are written to be seen: static analysis finds some of them, and no honest answer.
    assert found["tags"]["filtered"]["removed_hacked"] > 0
    assert found["tags"]["filtered"]["removed_honest"] == 0
    assert any(row.inoculated for row in read_lines(store.folder(trainings["told"].rows) / "rows.jsonl", Row)) == (
        found["told"]["filtered"]["missed"] > 0
    )
