"""Steps are named by what they depend on, and are whole in the store or not there."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inoculate.errors import UserError, refuse_existing
from inoculate.steps import plan as planning
from inoculate.steps.store import Step, Store
from inoculate.study.parse import load


def test_the_key_follows_kind_params_and_inputs_but_not_the_label() -> None:
    rows = Step("rows", {"a": 1, "b": 2})
    assert rows.key == Step("rows", {"b": 2, "a": 1}, label="other words").key
    assert rows.key != Step("rows", {"a": 1, "b": 3}).key
    assert rows.key != Step("problems", {"a": 1, "b": 2}).key
    assert rows.key != Step("rows", {"a": 1, "b": 2}, version=2).key, "one of an older version is never taken for it"
    assert Step("adapter", {}, {"rows": rows}).key != Step("adapter", {}, {"rows": Step("rows", {"a": 2})}).key


@given(st.dictionaries(st.text(max_size=5), st.one_of(st.integers(), st.text(max_size=5), st.none()), max_size=4))
def test_the_key_is_stable_under_order(params: dict[str, object]) -> None:
    assert Step("rows", params).key == Step("rows", dict(reversed(list(params.items())))).key


def test_a_step_is_there_only_when_whole(tmp_path: Path) -> None:
    store, step = Store(tmp_path), Step("rows", {"x": 1})
    with pytest.raises(RuntimeError), store.write_step(step) as work:
        (work / "half").write_text("half")
        raise RuntimeError
    assert not store.is_finished(step)
    with store.write_step(step) as work:
        assert (work / "half").read_text() == "half", "what was written before is gone on from"
        (work / "rest").write_text("rest")
    assert store.is_finished(step)
    assert {path.name for path in store.folder(step).iterdir()} == {"half", "rest", "step.json", "SHA256SUMS"}
    assert list((tmp_path / "work").iterdir()) == []


def test_two_writers_of_one_step_are_refused(tmp_path: Path) -> None:
    step = Step("rows", {})
    with (
        Store(tmp_path).write_step(step),
        pytest.raises(UserError, match="another process"),
        Store(tmp_path).write_step(step),
    ):
        pass


def test_every_step_comes_after_its_inputs(study_file: Path) -> None:
    steps = planning.make_plan(load(study_file)).steps()
    seen: set[str] = set()
    for step in steps:
        assert all(given.key in seen for given in step.inputs.values())
        seen.add(step.key)
    assert len(seen) == len(steps)


ARM = {"rows", "row-grades", "adapter", "completions", "grades"}


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("[arms.plain]", "[arms.more]\nrows.count = 12\n[arms.plain]", ARM),
        (
            "problems = 6",
            'problems = 6\ncontexts = ["neutral", "asks-to-hack", "negated"]',
            {"completions", "grades", "distances"},
        ),
        ("seeds = [0]", "seeds = [0, 1]", ARM),
        ("learning_rate = 1e-3", "learning_rate = 2e-3", {"adapter", "completions", "grades"}),
        ("problems = 6", "problems = 7", {"problems", "completions", "grades"}),
        ("guards =", "margin = 0.1\nguards =", set()),
    ],
)  # fmt: skip
def test_a_change_makes_new_only_what_depends_on_it(study_file: Path, old: str, new: str, changed: set[str]) -> None:
    before = {step.key for step in planning.make_plan(load(study_file)).steps()}
    study_file.write_text(study_file.read_text().replace(old, new, 1))
    fresh = [step for step in planning.make_plan(load(study_file)).steps() if step.key not in before]
    assert {step.kind for step in fresh} == changed


def test_a_mistyped_name_of_a_step_has_its_nearest_match(study_file: Path) -> None:
    made = planning.make_plan(load(study_file))
    step = next(step for step in made.steps() if step.kind == "adapter")
    mistyped = step.key[:8] + ("x" if step.key[8] != "x" else "y") + step.key[9:]
    for given_name in (mistyped, mistyped[:10], step.label[:-1]):
        with pytest.raises(UserError, match=rf"no step '{given_name}': did you mean '{step.key}' \({step.label}\)\?"):
            made.find(given_name)


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="a folder that its owner may write, and cannot")
def test_a_place_where_nothing_can_be_made_is_refused_before_any_work() -> None:
    with pytest.raises(UserError, match="store '/proc/x': '/proc' cannot be written"):
        Store(Path("/proc/x")).check_writable()
    for kind in ("file", "folder"):
        with pytest.raises(UserError, match=f"/proc/x/y: cannot be written: nothing can be made in /proc; .* {kind}"):
            refuse_existing(Path("/proc/x/y"), kind)
