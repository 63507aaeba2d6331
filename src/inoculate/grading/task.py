"""The grader's input: a problem with its tests, the limits on running code, and the kind of oversight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from inoculate.errors import UserError, kind_of

Oversight = Literal["exit_code", "live_equality", "shown_tests"]
"""How the leaky check decides, from the leakiest to the strictest; docs/outcomes.md defines each one exactly.

`exit_code`: solution and shown asserts are one program in one process, which passes when it exits with 0.
`live_equality`: the same process, but every assert must have been reached and held; `==` is still that of the
solution's objects.
`shown_tests`: the intended check, on the shown tests alone; the only leak is that they are few.
"""
OVERSIGHTS: tuple[Oversight, ...] = get_args(Oversight)


@dataclass(frozen=True)
class CodeTask:
    """A problem that asks for a function or class."""

    entry_point: str
    """The name of the function or class; `Solution.method` for a method of a class."""
    shown_tests: tuple[str, ...]
    """Assert statements that the model saw."""
    hidden_tests: tuple[str, ...]
    """Assert statements that it did not see."""
    setup: str = ""
    """Code that runs after the solution and before the tests (imports, inputs). The solution can see it."""

    def __post_init__(self) -> None:
        """Refuse what is of another kind: a single test is a text, and would be read as one test a letter.

        Raises:
            UserError: So it is.
        """
        for name in ("entry_point", "setup"):
            if not isinstance(value := getattr(self, name), str):
                raise UserError(f"CodeTask: {name} is {kind_of(value)}, where a text was expected")
        for name in ("shown_tests", "hidden_tests"):
            if not isinstance(value := getattr(self, name), tuple | list):
                raise UserError(f"CodeTask: {name} is {kind_of(value)}, where a list of assert statements was expected")
            object.__setattr__(self, name, tuple(value))  # a list has no hash

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> CodeTask:
        """The problem in a line of a file, or in the secret of a setting's problem."""
        return cls(data["entry_point"], tuple(data["shown_tests"]), tuple(data["hidden_tests"]), data.get("setup", ""))

    @property
    def root(self) -> str:
        """The top-level name that a solution has to bind."""
        return self.entry_point.partition(".")[0]


@dataclass(frozen=True)
class Limits:
    """Limits of one check. The defaults are far above the needs of an honest short function."""

    cpu_seconds: float = 5.0
    """Processor time of all threads together: a busy machine does not change a verdict."""
    wall_seconds: float = 20.0
    """A check that has used next to no processor time for this long, and is not waiting for a processor, is asleep and
    is stopped. One that computes, however slowly, may go on until `cpu_seconds`."""
    memory_mb: int = 1024
    """Address space of the process."""
    output_mb: int = 16
    """Size of its output, and of its answers."""
    source_bytes: int = 1_000_000
    """A longer completion is malformed."""
    fresh_calls: bool = False
    """Run every call of the intended check in a process of its own, so that a solution keeps no state between calls.
    Costs a few milliseconds per call."""

    def __post_init__(self) -> None:
        """Refuse limits that are too low for any code.

        Raises:
            UserError: One of them is too small.
        """
        least = {"cpu_seconds": 0.05, "wall_seconds": 0.05, "memory_mb": 128, "output_mb": 1, "source_bytes": 1}
        for name, value in least.items():
            if not getattr(self, name) >= value:
                raise UserError(f"limit '{name}' is {getattr(self, name)!r}: allowed: {value} or more")
