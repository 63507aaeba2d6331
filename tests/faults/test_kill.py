"""kill -9 at random moments of every phase: the run completes when it is started again, and nothing is different."""

from __future__ import annotations

from collections import Counter, defaultdict
from random import Random
from typing import NamedTuple

import pytest

from faults.runs import Reference, Runs, check_whole, clear, finished
from faults.zygote import PHASES

KILLED = -9
TIMES, PARTS = 20, 5
"""How often each of the six phases is hit in the long form, and in how many parts."""


class Moment(NamedTuple):
    """A time in a phase of the run without faults."""

    phase: str
    number: int
    begins: float
    length: float
    """Seconds."""


def moments(reference: Reference) -> dict[str, list[Moment]]:
    """Each time that the run without faults was in a phase.

    An update goes on after its loss: with the gradients, the optimizer and the checkpoint, until the next completions
    are drawn.
    """
    found = defaultdict[str, list[Moment]](list)
    for place, one in enumerate(reference.moments):
        if phase := one.get("phase"):
            rest = reference.moments[place + 1 :]
            ends = [other for other in rest if other.get("ended") == phase and other["number"] == one["number"]]
            if phase == "RL update":
                ends = [other for other in rest if other.get("phase") in ("RL sampling", "publishing")]
            found[phase].append(Moment(phase, one["number"], one["at"], ends[0]["at"] - one["at"]))
    return found


def kill_everywhere(runs: Runs, reference: Reference, times: int, random: Random) -> Counter[str]:
    """Kill runs until each phase has been hit so often: each run once in every phase, then it is completed.

    Returns:
        How often each phase was hit.
    """
    found, hit = moments(reference), Counter[str]()
    assert set(found) == set(PHASES)
    while any(hit[phase] < times for phase in PHASES):
        store, ended = runs.fresh(), Counter[str]()
        before, drawn, kills = dict[str, int](), 0, 0
        chosen = sorted((random.choice(found[phase]) for phase in PHASES), key=lambda one: one.begins)
        for moment in [*chosen, None]:
            kill = moment and {
                "phase": moment.phase,
                # Of those that are still to come: a run that goes on begins with the first that is not finished.
                "number": max(0, moment.number - ended[moment.phase]),
                "seconds": random.random() * moment.length,
            }
            done = runs.run(store, **({"kill": kill} if kill else {}))
            assert done["codes"][0] in (0, KILLED), done["said"]
            after = finished(store)
            assert before.items() <= after.items(), "finished steps are left as they are"
            assert not {f"steps/{name}" for name in done["done"]} & set(before), "and not done again"
            ended.update(one["ended"] for one in done["moments"] if "ended" in one)
            drawn += sum(one.get("phase") == "RL sampling" for one in done["moments"])
            before = after
            if done["codes"][0] == KILLED and moment:
                hit[moment.phase] += 1
                kills += 1
        check_whole(store, reference.results)
        assert drawn <= len(found["RL sampling"]) + kills, "a kill costs one step of RL at most"
        clear(store)
    return hit


def test_a_run_that_is_killed_anywhere_completes_with_the_same_results(runs: Runs, reference: Reference) -> None:
    assert sum(kill_everywhere(runs, reference, 1, Random(0)).values()) >= len(PHASES)


@pytest.mark.faults
@pytest.mark.parametrize("part", range(PARTS))
def test_a_hundred_and_twenty_moments(runs: Runs, reference: Reference, part: int) -> None:
    """In parts of some minutes, each of which can be run by itself."""
    hit = kill_everywhere(runs, reference, TIMES // PARTS, Random())
    print(f"part {part + 1} of {PARTS}: killed at {sum(hit.values())} moments: {dict(hit)}")
    assert set(hit) == set(PHASES) and all(times >= TIMES // PARTS for times in hit.values()), hit


def test_a_run_without_faults_gives_the_same_and_a_difference_is_found(runs: Runs, reference: Reference) -> None:
    """Without which the tests of this folder would show nothing."""
    store = runs.fresh()
    assert runs.run(store)["codes"] == [0]
    check_whole(store, reference.results)
    again = runs.run(store)
    assert (again["codes"], again["done"]) == ([0], [])
    path = next(store.glob("steps/grades/*/grades.jsonl"))
    path.write_text(path.read_text().replace('"outcome": "', '"outcome": "x', 1))
    with pytest.raises(AssertionError):
        check_whole(store, reference.results)
    clear(store)


def test_two_runs_on_one_store_at_once(runs: Runs, reference: Reference) -> None:
    """One of them completes, or both do; the other says why not, and nothing is mixed up."""
    store = runs.fresh()
    done = runs.run(store, together=2)
    assert set(done["codes"]) <= {0, 2}, done["said"]
    for said in done["said"]:
        assert "Traceback" not in said
    assert done["codes"] == [0, 0] or any("another process is working on" in said for said in done["said"])
    assert len(done["done"]) == len(set(done["done"])), "no step is done by both"
    assert runs.run(store)["codes"] == [0]
    check_whole(store, reference.results)
    clear(store)
