"""How this process was launched. Loads no torch."""

from __future__ import annotations

import os

from inoculate.errors import UserError


def refuse_several_processes() -> None:
    """Refuse to work as one of several processes that a launcher has started to train together.

    The trainer would wait for the others and average their gradients, while every one of them draws and writes the
    same steps. `steps.processes` starts those that work on one step.

    Raises:
        UserError: So it is.
    """
    processes = os.environ.get("WORLD_SIZE", "")
    if processes.isdecimal() and int(processes) > 1:
        raise UserError(
            f"WORLD_SIZE = {processes}: started by torchrun, accelerate launch or the like, which is not supported. "
            "Start one process (`inoculate run STUDY`): it starts as many as [resources.adapter] gpus = 2, or "
            "processes = 2, asks for (docs/cluster.md); or share the seeds (`--seeds 0`, `--seeds 1`; docs/studies.md)"
        )
