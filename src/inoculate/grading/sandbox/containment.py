"""Levels of containment: what each means, and which are accepted as a sandbox."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from inoculate.errors import UserError

Level = Literal["full", "landlock-seccomp", "seccomp", "rlimits"]
LEVELS: tuple[Level, ...] = get_args(Level)
"""From the best to the worst."""

MEANING: dict[Level, str] = {
    "full": "namespaces, Landlock, seccomp and limits: solutions see no file but Python's own, no network, no other "
    "process. What is left to attack is the kernel.",
    "landlock-seccomp": "Landlock, seccomp and limits, no namespaces: solutions can read no file but Python's own, "
    "write none, reach no network and signal nobody; they can still learn which files exist. Verdicts are as sound as "
    "at 'full'.",
    "seccomp": "seccomp and limits, no Landlock (a kernel before 5.13, or one without it): solutions can write nothing "
    "and reach no network, but READ ANY FILE that this user can read, hidden tests on the disk among them.",
    "rlimits": "NOT A SANDBOX: limits on time and memory only. Solutions can delete your files, use the network, and "
    "kill your processes.",
}  # fmt: skip

ACCEPTED: tuple[Level, ...] = ("full", "landlock-seccomp")


@dataclass(frozen=True)
class Containment:
    """The containment of a worker, and the probes that it rests on."""

    level: Level
    namespaces: bool = False
    uid: int = -1
    landlock: int = 0
    """Version of Landlock; 0 for none."""
    probes: dict[str, bool] = field(default_factory=dict)
    """By name of a forbidden action that was tried, whether it was blocked."""
    notes: tuple[str, ...] = ()

    def require(self, *, unsafe: bool) -> None:
        """Refuse a level that is not a sandbox.

        Raises:
            UserError: The level is below 'landlock-seccomp' and the caller has not accepted that.
        """
        if self.level in ACCEPTED or unsafe:
            return
        failed = (
            ", ".join(name for name, blocked in self.probes.items() if not blocked and name != "alone") or "(not tried)"
        )
        why = f" ({'; '.join(self.notes)})" if self.notes else ""
        raise UserError(
            f"the sandbox reaches only the level '{self.level}' on this machine{why}: {MEANING[self.level]} "
            f"Not blocked: {failed}. Allowed levels: {', '.join(ACCEPTED)}. "
            "Run in a virtual machine or container on Linux 5.13 or later, or accept the risk with --unsafe-sandbox; "
            "`inoculate doctor` shows what is missing."
        )
