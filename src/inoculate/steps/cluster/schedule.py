"""Which steps can start, and in which order: those first on which the longest chain of others waits."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from inoculate.steps.run import can_be_made
from inoculate.steps.store import Step
from inoculate.study.schema import Needs


@dataclass(eq=False)
class Unit:
    """What one task carries out: one step, or cells that are sampled together."""

    number: int
    steps: list[Step]
    needs: Needs
    seconds: float
    path: float = 0.0
    """Seconds of the longest chain of units that begins with this one."""
    waits_for: int = 0
    """How many units are to be over before it can start."""
    next: list[Unit] = field(default_factory=list["Unit"])
    """The units that wait for this one."""


class Free(NamedTuple):
    """What of the cluster is not asked for by a task."""

    cpus: float
    gpus: float
    memory: float
    """In bytes."""

    def fits(self, needs: Needs) -> bool:
        """Whether a task could start now."""
        return self.cpus >= needs.cpus and self.gpus >= needs.gpus and self.memory >= bytes_of(needs)

    def without(self, needs: Needs) -> Free:
        """What is left for others, below 0 where there is not so much."""
        return Free(self.cpus - needs.cpus, self.gpus - needs.gpus, self.memory - bytes_of(needs))


def bytes_of(needs: Needs) -> int:
    """The memory that is set aside; 0 for none."""
    return int((needs.memory_gb or 0) * 1e9)


class Schedule:
    """The units of a run that are still to do."""

    def __init__(
        self,
        groups: Sequence[Sequence[Step]],
        needs: Mapping[str, Needs],
        seconds: Mapping[str, float],
        not_made: dict[str, str],
    ) -> None:
        """Put the units in order.

        Args:
            groups: The steps to do, in an order in which each comes after its inputs, in groups that one task does.
            needs: Kind of step -> what a task is given; one core unless given.
            seconds: Key of each step -> how long it takes, as far as anybody knows.
            not_made: Keys of steps that cannot be made, and why. What needs these is added to it.
        """
        self._not_made = not_made
        self._ready: dict[str, list[tuple[float, int, Unit]]] = {}
        """Kind of step -> a heap of its units, which all need the same."""
        self.left = len(groups)
        units = [
            Unit(number, list(steps), needs.get(steps[0].kind, Needs()), sum(seconds[step.key] for step in steps))
            for number, steps in enumerate(groups)
        ]
        unit_of = {step.key: unit for unit in units for step in unit.steps}
        for unit in units:
            before = {
                unit_of[given.key] for step in unit.steps for given in step.inputs.values() if given.key in unit_of
            }
            unit.waits_for = len(before)
            for other in before:
                other.next.append(unit)
        for unit in reversed(units):
            unit.path = unit.seconds + max((other.path for other in unit.next), default=0.0)
        for unit in units:
            if not unit.waits_for:
                self.add(unit)

    def add(self, unit: Unit) -> None:
        """A unit can start (again)."""
        heapq.heappush(self._ready.setdefault(unit.steps[0].kind, []), (-unit.path, unit.number, unit))

    def end(self, unit: Unit) -> None:
        """A unit is over, whether it was made or not: what waited for it alone can start, or is left out too."""
        self.left -= 1
        for other in unit.next:
            other.waits_for -= 1
            if other.waits_for:
                continue
            other.steps = can_be_made(other.steps, self._not_made)
            if other.steps:
                self.add(other)
            else:
                self.end(other)

    def start(self, free: Free) -> Iterator[Unit]:
        """Those that are to start now, and take what is free.

        A unit that needs more than is free waits, and no other takes what the first of these waits for.
        """
        is_waiting, heads = False, {kind: heap for kind, heap in self._ready.items() if heap}
        while heads and free.cpus > 0:
            kind = min(heads, key=lambda kind: heads[kind][0])
            unit = heads[kind][0][2]
            fits = free.fits(unit.needs)
            if fits or not is_waiting:
                free = free.without(unit.needs)
            if fits:
                heapq.heappop(heads[kind])
                yield unit
            if not fits or not heads[kind]:
                del heads[kind]  # nor do the others of its kind fit, of which there may be very many
            is_waiting |= not fits
