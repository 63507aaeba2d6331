"""Talks to Ray: connects to a cluster, says who may use it, starts tasks and cancels them."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any, NamedTuple

from inoculate.engine import models
from inoculate.errors import UserError
from inoculate.steps.cluster.schedule import Free, bytes_of
from inoculate.steps.cluster.tasks import LOADING, Board, Job, Outcome, Place, work
from inoculate.steps.store import Step
from inoculate.study.schema import Needs

Work = Callable[[Job, int, Sequence[Step], int, Any], Outcome]
"""What a task does: carries out the steps of a unit of this number, with so many threads, and tells the board."""

_START_SECONDS = 60.0
"""How long a cluster may take to start a process."""
_CANCEL_SECONDS = 5.0
_LOCAL_OBJECTS = 10**8
"""Bytes for Ray's objects on a cluster of this machine alone: results go into the store, and none into objects."""
_UNKNOWN = Place("", "")
_OPEN = (
    "the Ray cluster asks for no token: anybody who reaches it over the network may run code on all its machines. "
    "Start it with RAY_AUTH_MODE=token (docs/cluster.md)"
)


class Ended(NamedTuple):
    """How a task ended."""

    outcome: Outcome
    is_node_lost: bool = False
    """Whether it ended with its node."""


class Cluster:
    """A Ray cluster that this process is connected to."""

    def __init__(self, ray: Any, work: Work = work) -> None:
        """Start the board on this machine, which does not go away before the run.

        Args:
            ray: The module, connected.
            work: What a task does.
        """
        self._ray = ray
        here = _on_node(ray, ray.get_runtime_context().get_node_id(), soft=False)
        self._board = ray.remote(num_cpus=0)(Board).options(scheduling_strategy=here).remote()
        # A process that has loaded a model ends with its step: its memory is free when Ray believes that it is.
        self._ending, self._lasting = ray.remote(max_calls=1, max_retries=0)(work), ray.remote(max_retries=0)(work)
        self._places: dict[int, Place] = {}

    def has_token(self) -> bool:
        """Whether the cluster lets in only those who have its token.

        Raises:
            UserError: This package is not on the cluster.
        """
        try:
            return self._ray.get(self._board.has_token.remote(), timeout=_START_SECONDS)
        except self._ray.exceptions.RayError as error:
            raise UserError(
                f"the Ray cluster cannot start a process of inoculate: install the same version on each of its "
                f"machines, with the same Python ({_last_line(error)})"
            ) from None

    def nodes(self) -> list[dict[str, Any]]:
        """The nodes that are there."""
        return [node for node in self._ray.nodes() if node["Alive"]]

    def total(self) -> Free:
        """What all nodes have together."""
        return _size(self._ray.cluster_resources())

    def refuse_too_large(self, kind: str, needs: Needs) -> None:
        """Refuse what would wait for ever.

        Raises:
            UserError: No node has so much.
        """
        nodes = [node["Resources"] for node in self.nodes()]
        if any(_size(node).fits(needs) for node in nodes):
            return
        given = needs.model_dump(include={"cpus", "gpus", "memory_gb", "processes"}, exclude_none=True)
        asked = ", ".join(f"{key} = {value:g}" for key, value in given.items())
        there = "; ".join(sorted({_describe(node) for node in nodes}))
        raise UserError(
            f"resources.{kind}: a step asks for {asked}, and no node of the cluster has so much (nodes have: {there})"
        )

    def submit(self, job: Job, number: int, steps: Sequence[Step], needs: Needs, avoid: Collection[str]) -> Any:
        """Start a task.

        Args:
            job: The run.
            number: The unit's number.
            steps: What it carries out.
            needs: What it is given.
            avoid: Nodes on which it has failed: another one takes it, if there is one.

        Returns:
            Ray's reference to its outcome.
        """
        loads_model = steps[0].kind in LOADING
        task = self._ending if loads_model else self._lasting
        options: dict[str, Any] = {"num_cpus": needs.cpus, "num_gpus": needs.gpus, "name": steps[0].label}
        if needs.memory_gb:
            options["memory"] = bytes_of(needs)
        if avoid:
            fitting = [node for node in self.nodes() if _size(node["Resources"]).fits(needs)]
            others = [node["NodeID"] for node in fitting if node["NodeID"] not in avoid]
            if others:
                options["scheduling_strategy"] = _on_node(self._ray, others[number % len(others)], soft=True)
        return task.options(**options).remote(job, number, list(steps), max(1, int(needs.cpus)), self._board)

    def wait(self, tasks: Sequence[Any], seconds: float) -> list[Any]:
        """Those tasks that are over, after so many seconds at most."""
        if not tasks:
            threading.Event().wait(seconds)
            return []
        first, waiting = self._ray.wait(list(tasks), timeout=seconds)
        return (
            [*first, *self._ray.wait(waiting, num_returns=len(waiting), timeout=0)[0]] if first and waiting else first
        )

    def result(self, task: Any, number: int) -> Ended:
        """How a task that is over has ended."""
        try:
            return Ended(self._ray.get(task))
        except self._ray.exceptions.RayError as error:
            self.read()  # it may have started after anybody last looked
            place = self._places.get(number, _UNKNOWN)
            lost = bool(place.node) and place.node not in {one["NodeID"] for one in self.nodes()}
            lost |= isinstance(error, self._ray.exceptions.NodeDiedError)
            return Ended(Outcome("failed", _last_line(error), place.address), lost)

    def node_of(self, number: int) -> str:
        """The node on which a task runs or has last run."""
        return self._places.get(number, _UNKNOWN).node

    def read(self) -> tuple[dict[int, Place], list[str]]:
        """What the board says; nothing new where it does not answer."""
        try:
            self._places, messages = self._ray.get(self._board.read.remote(), timeout=_CANCEL_SECONDS)
        except self._ray.exceptions.RayError:
            return self._places, []
        return self._places, messages

    def end(self, numbers: Sequence[int]) -> None:
        """Take tasks that are over off the board."""
        self._board.end.remote(list(numbers))

    def cancel(self, tasks: Sequence[Any]) -> None:
        """Kill tasks."""
        for task in tasks:
            self._ray.cancel(task, force=True)
        if tasks:
            self._ray.wait(list(tasks), num_returns=len(tasks), timeout=_CANCEL_SECONDS)

    def close(self) -> None:
        """End the board."""
        self._ray.kill(self._board)


@contextmanager
def connected(address: str, notify: models.Notify, work: Work = work) -> Iterator[Cluster]:
    """A connection to a cluster, which ends with the block.

    Args:
        address: `auto`: the cluster that this machine is a node of; `local`: one of this machine alone, which ends with
            the run; else the address of a cluster's head, HOST:PORT, from one of its nodes.
        notify: Called with what the user should know of the cluster.
        work: What a task does.

    Raises:
        UserError: Ray is not installed, or there is no such cluster.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray sends its makers statistics unless told otherwise
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # silences a warning about a coming default
    ray, handler = _load(), signal.getsignal(signal.SIGTERM)
    is_own = not ray.is_initialized()
    if is_own:
        _start(ray, address)
    try:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)  # Ray has put in its own
        cluster = Cluster(ray, work)
        if not cluster.has_token():
            notify(_OPEN)
        try:
            yield cluster
        finally:
            cluster.close()
    finally:
        if is_own:
            ray.shutdown()


def asks_for_token() -> bool:
    """Whether the cluster that this process belongs to asks for a token: its nodes hand down how they were started."""
    return os.environ.get("RAY_AUTH_MODE") == "token"


def this_node() -> tuple[str, str]:
    """The id and the address of the node that this process runs on."""
    ray = _load()
    return ray.get_runtime_context().get_node_id(), ray.util.get_node_ip_address()


def _load() -> Any:
    try:
        return import_module("ray")
    except ModuleNotFoundError:
        raise UserError("--ray: Ray is not installed here: pip install 'inoculate[ray]'") from None


def _start(ray: Any, address: str) -> None:
    options: dict[str, Any] = {"address": address, "log_to_driver": False, "logging_level": "ERROR"}
    if address == "local":
        options |= {"include_dashboard": False, "object_store_memory": _LOCAL_OBJECTS}
    elif address.startswith("ray://"):
        raise UserError(f"--ray {address}: give the address of the cluster's head, HOST:6379, on one of its nodes")
    elif address != "auto":
        _refuse_silent(address)
    try:
        ray.init(**options)
    except (ConnectionError, ValueError, RuntimeError, ray.exceptions.RayError) as error:
        raise UserError(
            f"--ray {address}: {_last_line(error)}\nIf the cluster has a token, set RAY_AUTH_MODE=token and "
            "RAY_AUTH_TOKEN_PATH=FILE here too. If there is none, start one (docs/cluster.md), or use this machine "
            "alone: --ray local"
        ) from None


def _refuse_silent(address: str) -> None:
    """Refuse an address where nothing answers: Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise UserError(f"--ray {address}: give auto, local, or the address of the cluster's head, HOST:PORT")
    try:
        socket.create_connection((host, int(port)), timeout=_CANCEL_SECONDS).close()
    except OSError as error:
        raise UserError(
            f"--ray {address}: nothing answers there ({error.strerror or error}): is the head up?"
        ) from None


def _on_node(ray: Any, node: str, *, soft: bool) -> Any:
    return ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(node_id=node, soft=soft)


def _size(resources: dict[str, float]) -> Free:
    return Free(resources.get("CPU", 0), resources.get("GPU", 0), resources.get("memory", 0))


def _describe(node: dict[str, float]) -> str:
    return (
        f"cpus = {node.get('CPU', 0):g}, gpus = {node.get('GPU', 0):g}, memory_gb = {node.get('memory', 0) / 1e9:.1f}"
    )


def _last_line(error: BaseException) -> str:
    """The line of an error of Ray's that says what happened: the last of a traceback, else the first."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return lines[-1] if "Traceback" in str(error) or "ray::" in lines[0] else lines[0]
