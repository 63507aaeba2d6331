"""Some seeds of a study: which are meant, what they take, and that the parts are the whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filled_store import STUDY, write_study
from inoculate.analysis import analyse
from inoculate.errors import UserError
from inoculate.steps import plan as planning
from inoculate.steps import run
from inoculate.steps.seeds import choose_seeds
from inoculate.steps.sharing.read import import_graded
from inoculate.steps.sharing.write import write_graded
from inoculate.steps.store import Store
from inoculate.study.parse import load
from running import Log, comparable, samples
from small_study import STUDY as TRAINED


@pytest.mark.parametrize(
    ("text", "expected"),
    [("4", (4,)), ("3-5", (3, 4, 5)), ("0,3-5", (0, 3, 4, 5)), (" 5 , 3 - 4", (3, 4, 5)), ("", None), ([4, 0], (0, 4))],
)
def test_which_seeds_are_meant(text: str, expected: tuple[int, ...] | None) -> None:
    assert choose_seeds(text, (0, 1, 2, 3, 4, 5)) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x", "'x' is neither a number nor a range"),
        ("3-", "'3-'"),
        ("-1", "'-1'"),
        ("1,,2", "''"),
        ([], "''"),
        ("3-1", "backwards: 1-3?"),
        ("7", "no seed 7; its seeds are 0, 1, 2"),
        ("1-999999999999999", "no seed 3"),
        ("\u0664", "neither"),
    ],
)
def test_what_is_no_seed(text: str, words: str) -> None:
    with pytest.raises(UserError, match="--seeds") as error:
        choose_seeds(text, (0, 1, 2))
    assert words in str(error.value)


@given(st.sets(st.integers(0, 9), min_size=1))
def test_every_list_is_read_as_it_is_written(seeds: set[int]) -> None:
    assert choose_seeds(",".join(map(str, seeds)), range(10)) == tuple(sorted(seeds))


def test_the_parts_are_the_whole_and_share_only_problems(tmp_path: Path) -> None:
    plan = planning.make_plan(load(write_study(tmp_path, STUDY.replace("[0, 1]", "[7, 2, 5]"))))
    parts = [{step.key: step for step in plan.steps((seed,))} for seed in plan.study.seeds]
    assert set().union(*parts) == {step.key for step in plan.steps()}
    shared = [step.kind for key, step in parts[0].items() if key in parts[1] or key in parts[2]]
    assert set(shared) == {"problems"}
    assert [any("base" in step.label for step in part.values()) for part in parts] == [True, False, False]


def test_two_stores_with_a_seed_each_give_the_results_of_one(tiny_model: Path, tmp_path: Path) -> None:
    """The whole way with a model that is trained and sampled."""
    text = TRAINED.format(model=tiny_model).replace("seeds = [0]", "seeds = [0, 1]")
    start = text.index("[arms.control]")
    study = write_study(tmp_path, text[:start] + text[text.index("[evaluate]") :])

    def carried_out(store: Store, seeds: tuple[int, ...] | None = None) -> tuple[Path, list[str]]:
        log = Log()
        folder = run.carry_out(planning.make_plan(load(study)), store, log, study.read_text(), seeds)
        return folder, log.done

    merged = Store(tmp_path / "merged")
    for seed in (0, 1):
        folder, done = carried_out(Store(tmp_path / f"store-{seed}"), (seed,))
        assert done.count("adapter") == 2
        write_graded(folder, tmp_path / f"{seed}.xz")
        imported = import_graded(tmp_path / f"{seed}.xz", merged)
    assert imported.run and (imported.finished, imported.of) == (10, 10)
    whole, _ = carried_out(Store(tmp_path / "whole"))
    assert samples(imported.run) == samples(whole)
    together, alone = analyse(imported.run), analyse(whole)
    for each in (together, alone):
        for entry in each["training"]:
            del entry["seconds"]
    assert comparable(together, "created") == comparable(alone, "created")
    assert carried_out(merged)[1] == []
    more = 'problems = 6\ncontexts = ["neutral", "asks-to-hack", "negated"]'
    study.write_text(study.read_text().replace("problems = 6", more))
    assert carried_out(merged, (0,))[1].count("adapter") == 2
    seeds = [one["seeds"] for one in json.loads((imported.run / "manifest.json").read_text())["machines"]]
    assert seeds == [[0, 1]]
