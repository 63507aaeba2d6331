"""What the tests of faults share: the process that forks runs, and a run without faults."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.runs import Reference, Runs, results


@pytest.fixture(scope="session")
def runs(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    made = Runs(tmp_path_factory.mktemp("faults"), tiny_model)
    yield made
    made.stop()


@pytest.fixture(scope="session")
def reference(runs: Runs) -> Reference:
    store = runs.fresh()
    done = runs.run(store)
    assert done["codes"] == [0], done["said"]
    return Reference(results(store), done["moments"], done["done"])
