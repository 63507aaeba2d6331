"""What libraries say about their own code is silenced where adapters are trained, and nowhere else."""

from __future__ import annotations

import logging
import warnings

import pytest

from inoculate.engine.training.quiet import quiet_libraries

SAID: list[tuple[str, type[Warning]]] = [
    ("`is_gradient_checkpointing` is deprecated and will be removed in v6.", FutureWarning),
    ("`gradient_checkpointing` is deprecated and will be removed in v6.", FutureWarning),
    ("You are using 'rollout_func', which is an experimental feature.", UserWarning),
]
OTHERS: list[tuple[str, type[Warning]]] = [
    ("`other` is deprecated", FutureWarning),
    ("You are using 'rollout_func', which is an experimental feature.", FutureWarning),
    ("the loss is nan", UserWarning),
]
MTIME = "mtime may not be reliable on this filesystem, falling back to numerical ordering"


def test_exactly_these_are_silenced(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    logger = logging.getLogger("transformers.trainer_utils")
    monkeypatch.setattr(logger, "propagate", False)  # as once transformers is imported
    logger.addHandler(caplog.handler)

    def said() -> tuple[list[str], list[str]]:
        caplog.clear()
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            yield_to()
        return [str(one.message) for one in found], [record.getMessage() for record in caplog.records]

    def speak() -> None:
        for message, category in [*SAID, *OTHERS]:
            warnings.warn(message, category, stacklevel=1)
        logger.warning(MTIME)
        logger.warning("another")

    try:
        yield_to = quiet_libraries()(speak)
        assert said() == ([message for message, _ in OTHERS], ["another"])
        yield_to = speak
        assert said() == ([message for message, _ in [*SAID, *OTHERS]], [MTIME, "another"])
    finally:
        logger.removeHandler(caplog.handler)
