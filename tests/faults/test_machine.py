"""A clock that jumps, and a machine whose memory runs out in training."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from faults.runs import Reference, Runs, check_whole, clear

pytestmark = pytest.mark.faults

HALVED = "out of memory with {} = {}; it goes on from its last checkpoint with half as many tokens at once"


def test_a_clock_that_jumps_changes_nothing(runs: Runs, reference: Reference) -> None:
    store = runs.fresh()
    assert runs.run(store, patch="clock jumps")["codes"] == [0]
    check_whole(store, reference.results)
    seconds = [json.loads(path.read_text())["seconds"] for path in store.glob("steps/*/*/step.json")]
    assert all(0 <= spent < 600 for spent in seconds), seconds
    clear(store)


def weights(store: Path) -> dict[str, list[float]]:
    """Every adapter's weights: names in order, and all numbers."""
    from safetensors.torch import load_file

    found = {}
    for path in store.glob("steps/*/*/at-1/adapter_model.safetensors"):
        tensors = load_file(path)
        found[path.parts[-4]] = [value for name in sorted(tensors) for value in tensors[name].flatten().tolist()]
    return found


def test_memory_runs_out_once_and_the_training_goes_on_with_the_same_result(runs: Runs) -> None:
    plain, store = runs.fresh(), runs.fresh()
    assert runs.run(plain)["codes"] == [0]
    done = runs.run(store, patch="memory runs out", value=3)
    assert done["codes"] == [0], done["said"]
    for key, tokens in (("train", 1024), ("rl", 512)):
        assert any(HALVED.format(f"{key}.micro_batch_tokens", tokens) in said for said in done["said"])
    expected, found = weights(plain), weights(store)
    assert expected.keys() == found.keys() == {"adapter", "rl"}
    for kind in expected:
        apart = [abs(one - other) for one, other in zip(found[kind], expected[kind], strict=True)]
        # Rounding alone: in double precision nothing is left (tests/engine/test_training.py). Where a gradient is about
        # 0, its rounding decides the sign of a whole step of Adam (1e-3 for SFT).
        assert sum(one < 2e-4 for one in apart) > 0.99 * len(apart) and max(apart) < 5e-3
    clear(plain)
    clear(store)


def test_memory_that_never_suffices_is_said_in_a_sentence_that_helps(runs: Runs) -> None:
    store = runs.fresh()
    done = runs.run(store, patch="memory runs out", value=0)
    assert done["codes"] == [2]
    assert "Traceback" not in done["said"][-1]
    for words in ("out of memory, also with half of train.micro_batch_tokens = 1024", "a smaller model"):
        assert words in done["said"][-1]
    clear(store)
