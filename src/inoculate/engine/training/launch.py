"""How this process was launched. Loads no torch."""

from __future__ import annotations

import os

from inoculate.errors import UserError


def refuse_several_processes() -> None:
    """Refuse to work as one of several processes that a launcher has started to train together.

    The trainer would wait for the others and average their gradients, while every one of them draws and writes the
    same steps.

    Raises:
        UserError: So it is.
    """
    processes = os.environ.get("WORLD_SIZE", "")
    if processes.isdecimal() and int(processes) > 1:
        raise UserError(
            f"WORLD_SIZE = {processes}: started by torchrun, accelerate launch or the like, and training over several "
            "processes is not supported. Start one process (`inoculate run STUDY`); for several GPUs or machines start "
            "one on each, with the seeds shared among them (`--seeds 0`, `--seeds 1`; docs/studies.md)"
        )
