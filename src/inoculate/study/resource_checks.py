"""Checks what a study gives its steps."""

from __future__ import annotations

from inoculate.errors import UserError, require_known
from inoculate.study.schema import DIVIDED, STEP_KINDS, Study


def check_resources(study: Study, where: str) -> None:
    """Refuse what steps of a kind cannot make use of.

    Args:
        study: The study.
        where: Its file, for messages.

    Raises:
        UserError: There is no such kind of step, or it is not divided among processes, or its weights are not.
    """
    for kind, needs in study.resources.items():
        require_known(kind, STEP_KINDS, f"{where}: resources: unknown kind of step")
        if needs.count > 1 and kind not in DIVIDED:
            given = f"processes = {needs.processes}" if needs.processes else f"gpus = {needs.gpus:g}"
            raise UserError(
                f"{where}: resources.{kind}: {given}: such a step is one process, and uses one GPU at most; several "
                f"processes: {', '.join(DIVIDED)}"
            )
        if needs.shard and kind != "adapter":
            raise UserError(
                f"{where}: resources.{kind}: shard = true: a policy that draws completions needs all its weights for "
                "each token, so each process has them whole; leave it out, or take a model that fits. SFT can divide "
                "them: resources.adapter"
            )
