"""The order in which a cluster is given steps: the longest chain first, and nothing overtakes what waits for room."""

from __future__ import annotations

import pytest

from inoculate.steps.cluster.schedule import Free, Schedule
from inoculate.steps.store import Step
from inoculate.study.schema import Needs

ROWS, LONG_ROWS = Step("rows", {"n": 0}), Step("rows", {"n": 1})
SHORT, LONG = Step("adapter", {"n": 0}, {"rows": ROWS}), Step("adapter", {"n": 1}, {"rows": LONG_ROWS})
BOTH = Step("scores", {}, {"short": SHORT, "long": LONG})
STEPS = [ROWS, LONG_ROWS, SHORT, LONG, BOTH]
SECONDS = {ROWS.key: 5.0, LONG_ROWS.key: 1.0, SHORT.key: 1.0, LONG.key: 90.0, BOTH.key: 1.0}


def scheduled(not_made: dict[str, str] | None = None, needs: dict[str, Needs] | None = None) -> Schedule:
    return Schedule([[step] for step in STEPS], needs or {}, SECONDS, {} if not_made is None else not_made)


def started(schedule: Schedule, cpus: float, gpus: float = 0) -> list[Step]:
    return [unit.steps[0] for unit in schedule.start(Free(cpus, gpus, 0))]


def test_the_longest_chain_starts_first_and_a_step_when_all_that_it_needs_is_over() -> None:
    schedule = scheduled()
    (first,) = schedule.start(Free(1, 0, 0))
    assert first.steps == [LONG_ROWS] and first.path == 92
    (second,) = schedule.start(Free(1, 0, 0))
    assert second.steps == [ROWS]
    assert started(schedule, 9) == []
    schedule.end(second)
    schedule.end(first)
    adapters = list(schedule.start(Free(9, 0, 0)))
    assert [unit.steps[0] for unit in adapters] == [LONG, SHORT]
    schedule.end(adapters[0])
    assert started(schedule, 9) == []
    schedule.end(adapters[1])
    (last,) = schedule.start(Free(9, 0, 0))
    schedule.end(last)
    assert schedule.left == 0


def test_what_needs_a_step_that_cannot_be_made_is_left_out_for_its_reason() -> None:
    not_made: dict[str, str] = {}
    schedule = scheduled(not_made)
    long_rows, rows = schedule.start(Free(2, 0, 0))
    not_made[LONG_ROWS.key] = "no rows"
    schedule.end(long_rows)
    assert not_made == {LONG_ROWS.key: "no rows", LONG.key: "no rows"}
    schedule.end(rows)
    (short,) = schedule.start(Free(2, 0, 0))
    assert schedule.left == 2
    schedule.end(short)
    assert not_made[BOTH.key] == "no rows" and schedule.left == 0


def test_a_step_that_waits_for_room_keeps_it_and_others_take_what_it_does_not_need() -> None:
    needs = {"adapter": Needs(cpus=4, gpus=1)}
    schedule = Schedule([[ROWS], [SHORT], [LONG]], needs, SECONDS | {LONG.key: 90.0}, {})
    (rows, long) = sorted(schedule.start(Free(5, 1, 0)), key=lambda unit: unit.seconds)
    assert [rows.steps, long.steps] == [[ROWS], [LONG]]
    schedule.end(rows)
    assert started(schedule, 4, gpus=0) == []  # no GPU is free
    assert started(schedule, 4, gpus=1) == [SHORT]


def test_thousands_that_wait_for_a_gpu_are_not_looked_at_whenever_a_step_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    adapters = [Step("adapter", {"n": number}) for number in range(5000)]
    rows = [Step("rows", {"n": number}) for number in range(50)]
    seconds = dict.fromkeys((step.key for step in [*rows, *adapters]), 1.0)
    schedule = Schedule([[step] for step in [*rows, *adapters]], {"adapter": Needs(gpus=1)}, seconds, {})
    asked, fits = list[Needs](), Free.fits
    monkeypatch.setattr(Free, "fits", lambda free, needs: asked.append(needs) or fits(free, needs))
    for _ in rows:
        (unit,) = schedule.start(Free(1, 0, 0))
        schedule.end(unit)
    assert started(schedule, 1) == []
    assert len(asked) <= 2 * len(rows) + 1


def test_memory_is_set_aside() -> None:
    assert Free(1, 0, 2e9).fits(Needs(memory_gb=2)) and not Free(1, 0, 2e9).fits(Needs(memory_gb=2.1))
    assert Free(1, 0, 2e9).without(Needs(memory_gb=2.5)).memory == -0.5e9
