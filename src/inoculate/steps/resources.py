"""What the steps of a run share: the store, the model and where it runs.

Nothing heavy is loaded before it is needed.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from inoculate.engine import chat, models
from inoculate.steps.store import Step, Store

Progress = Callable[[int, int, str], None]
"""Told of a step under way: how much is done, of how much, and what was done last."""


class Resources:
    """The store, and the study's model: its weights, tokenizer, device, and the sampler that was used last."""

    def __init__(self, store: Store, model: str, say: models.Say, server: str = "") -> None:
        """Set up.

        Args:
            store: Where inputs are read and results written.
            model: The study's model.
            say: Told of downloads and conversions.
            server: The address of the server that samples; '' for this process.
        """
        self.store, self.model, self.say, self.server = store, model, say, server
        self._sampler: tuple[Path | None, Any] | None = None

    def input(self, step: Step, name: str) -> Path:
        """The folder of one of a step's inputs."""
        return self.store.folder(step.inputs[name])

    @cached_property
    def weights(self) -> Path:
        """The folder of the base model."""
        _silence_libraries()
        return models.fetch(self.model, self.say)

    @cached_property
    def tokenizer(self) -> Any:
        """The model's tokenizer."""
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(self.weights)

    @cached_property
    def device(self) -> Any:
        """Where models run in this process."""
        from inoculate.engine.device import pick

        return pick()

    @property
    def cores_are_free(self) -> bool:
        """Whether models run elsewhere than on this machine's cores."""
        return bool(self.server) or self.device.device.type != "cpu"

    @property
    def engine(self) -> dict[str, Any]:
        """What samples, for the record."""
        if self.server:
            return self.served_model.description
        return {"transformers": version("transformers"), "torch": version("torch"), "device": self.device.name}

    def system_prompt(self, given: str | None) -> str | None:
        """The system prompt as it is written out, with the chat template's own for None.

        Returns:
            None where the chat template has no place for one.
        """
        default = chat.default_system(self.tokenizer)
        return default if given is None or default is None else given

    @cached_property
    def served_model(self) -> Any:
        """The model on the server."""
        from inoculate.engine.sampling import server

        return server.connect(self.server, self.model, self.weights)

    def sampler(self, adapter: Path | None) -> Any:
        """The model in this process, with an adapter; the last one is kept."""
        from inoculate.engine.sampling import in_process

        if self._sampler is None or self._sampler[0] != adapter:
            self.release_sampler()  # before the next is loaded
            self._sampler = (adapter, in_process.load(self.weights, adapter, self.device))
        return self._sampler[1]

    def release_sampler(self) -> None:
        """Let go of the model that was kept, so that two need not be held at once."""
        self._sampler = None


def _silence_libraries() -> None:
    """Keep the libraries' own bars and notices out of the progress of a run.

    The notices are of TRL calling transformers by names that will go; nothing a user can mend.
    """
    from transformers.utils import logging

    logging.disable_progress_bar()
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers|trl")
