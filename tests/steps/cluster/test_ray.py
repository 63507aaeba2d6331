"""A real Ray cluster of several nodes on this machine: the results of one process, also where a node is lost."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from inoculate.steps import plan as planning
from inoculate.steps import run
from inoculate.steps.cluster.drive import on_cluster
from inoculate.steps.run import Running
from inoculate.steps.store import Store
from inoculate.study.parse import load
from running import Log, carried_out, samples
from small_study import ONE_ARM

ray: Any = pytest.importorskip("ray")
cluster_utils: Any = pytest.importorskip("ray.cluster_utils")


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A cluster whose head takes no tasks."""
    for name, value in {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled"}.items():
        monkeypatch.setenv(name, value)
    # Ray hands it down to its processes, whose folders of imports are those of this one.
    paths = [str(Path(__file__).parents[3] / "src"), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
    started = cluster_utils.Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "object_store_memory": 10**8})
    ray.init(address=started.address, log_to_driver=False, logging_level="ERROR")
    try:
        yield started
    finally:
        ray.shutdown()
        started.shutdown()


class Losing(Log):
    """Takes the node away on which tasks run, once, when another one is there."""

    def __init__(self, cluster: Any) -> None:
        super().__init__()
        self.cluster, self.messages = cluster, list[str]()
        self.node = cluster.add_node(num_cpus=2, object_store_memory=10**8)

    def on_message(self, text: str) -> None:
        self.messages.append(text)

    def on_parallel(self, running: Sequence[Running], finished: int, total: int) -> None:
        if self.node and any("training" in one.label for one in running):
            self.cluster.add_node(num_cpus=2, object_store_memory=10**8)
            self.cluster.remove_node(self.node, allow_graceful=False)
            self.node = None


def test_a_run_that_loses_a_node_gives_what_one_process_gives(tiny_model: Path, tmp_path: Path, cluster: Any) -> None:
    study = tmp_path / "small.toml"
    study.write_text(ONE_ARM.format(model=tiny_model))
    watcher, store = Losing(cluster), Store(tmp_path / "far")
    with on_cluster("auto", watcher.on_message) as place:
        folder = run.carry_out(planning.make_plan(load(study)), store, watcher, study.read_text(), place=place)
    alone, done = carried_out(study, Store(tmp_path / "near"))
    assert samples(folder) == samples(alone)
    assert sorted(watcher.done) == sorted(done)
    assert any("asks for no token" in message for message in watcher.messages)
    assert watcher.node is None
    assert any("training of plain, seed 0: lost with its node" in message for message in watcher.messages)
    assert not list((tmp_path / "far" / "work").iterdir())
