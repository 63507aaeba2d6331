"""Silences what libraries say about their own code while an adapter is made or trained: no user can change it."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_WARNINGS: tuple[tuple[str, type[Warning]], ...] = (
    # TRL and PEFT use names that transformers 6 will not have.
    (r"`(is_)?gradient_checkpointing` is deprecated", FutureWarning),
    # RL here is built on it.
    ("You are using 'rollout_func', which is an experimental feature", UserWarning),
)
_LOGGER, _LOGGED = "transformers.trainer_utils", "mtime may not be reliable"
"""Said where two checkpoints were written within a second of each other; they are then ordered by their numbers."""


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Within this context, or in a function decorated with it, exactly these messages are not shown."""

    def is_shown(record: logging.LogRecord) -> bool:
        return not record.getMessage().startswith(_LOGGED)

    logger = logging.getLogger(_LOGGER)
    with warnings.catch_warnings():
        for message, category in _WARNINGS:
            warnings.filterwarnings("ignore", message, category)
        logger.addFilter(is_shown)
        try:
            yield
        finally:
            logger.removeFilter(is_shown)
