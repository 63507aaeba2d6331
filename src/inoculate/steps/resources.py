"""What the steps of a run share: the store, the model and its device. Models and libraries are loaded on first use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any

from inoculate.engine import chat, families, models
from inoculate.errors import UserError
from inoculate.steps.store import Step, Store
from inoculate.study.schema import Needs

Progress = Callable[[int, int, str], None]
"""Called during a step with how much is done, of how much, and a note."""

STAYS_BYTES = 1.5 * 2**30
"""The largest file of weights with which the model that samples stays in memory while the same model is trained: twice
this is held. The model of 0.5B parameters stays (1 GB), so that it is loaded once in a run; that of 1.5B does not."""


class Resources:
    """The store, and the study's model: its weights, tokenizer and device, and its sampler."""

    def __init__(
        self,
        store: Store,
        model: str,
        notify: models.Notify,
        server: str = "",
        needs: Mapping[str, Needs] = MappingProxyType({}),
    ) -> None:
        """Set up.

        Args:
            store: Where inputs are read and results written.
            model: The study's model.
            notify: Called with a message before a download or conversion.
            server: The address of the server that samples; '' for this process.
            needs: Kind of step -> what the study gives its steps; one process unless given.
        """
        self.store, self.model, self.notify, self.server = store, model, notify, server
        self._needs = needs
        self._sampler: Any = None
        self._adapter: Path | None = None

    def needs_of(self, kind: str) -> Needs:
        """What a step of a kind is given."""
        return self._needs.get(kind, Needs())

    def input_folder(self, step: Step, name: str) -> Path:
        """The folder of one of a step's inputs."""
        return self.store.folder(step.inputs[name])

    @cached_property
    def weights(self) -> Path:
        """The folder of the base model."""
        _silence_libraries()
        return models.fetch(self.model, self.notify)

    @cached_property
    def tokenizer(self) -> Any:
        """The model's tokenizer."""
        return chat.load_tokenizer(self.weights)

    @cached_property
    def context(self) -> int:
        """The most tokens that the model takes."""
        return families.context_length(families.read_config(self.weights))

    @cached_property
    def device(self) -> Any:
        """Where models run in this process."""
        from inoculate.engine.device import pick_device

        return pick_device()

    @property
    def cores_are_free(self) -> bool:
        """Whether models run elsewhere than on this machine's cores."""
        return bool(self.server) or self.device.device.type != "cpu"

    @property
    def engine(self) -> dict[str, Any]:
        """A description of what samples, to be stored with the completions."""
        return self.served_model.description | chat.clock(self.tokenizer) if self.server else self.own_engine

    @property
    def own_engine(self) -> dict[str, Any]:
        """A description of what runs models in this process."""
        versions = {name: version(name) for name in ("transformers", "torch")}
        path = {} if families.is_fast(families.read_config(self.weights)) else {"attention": "of transformers"}
        return {**versions, "device": self.device.name, **path, **chat.clock(self.tokenizer)}

    def system_prompt(self, given: str | None) -> str | None:
        """The system prompt of a study, or the chat template's default if the study gives none.

        Returns:
            None where the chat template has no place for one.

        Raises:
            UserError: The study gives one, and the chat template has no place for it.
        """
        default = chat.default_system(self.tokenizer)
        if given and default is None:
            raise UserError(
                f"system = '{given}': the chat template of model '{self.model}' has no place for a system prompt; "
                "leave `system` out, or choose another model"
            )
        return default if given is None or default is None else given

    @cached_property
    def served_model(self) -> Any:
        """The model on the server."""
        from inoculate.engine.sampling import server

        return server.connect(self.server, self.model, self.weights)

    def sampler(self, adapter: Path | None) -> Any:
        """The model in this process, with an adapter: the model is loaded once, adapters take turns."""
        from inoculate.engine.sampling import adapters, model

        if self._sampler is None:
            self._sampler, self._adapter = model.load(self.weights, None, self.device), None
        if adapter != self._adapter:
            self._adapter = None  # if the next lines fail, no other adapter is taken for this one
            self._sampler.use(None if adapter is None else adapters.read(adapter))
            self._adapter = adapter
        return self._sampler

    def lend_sampler(self) -> Any:
        """The model in this process, for a caller that changes its adapter."""
        sampler, self._adapter = self.sampler(None), Path()  # no adapter's folder: the next caller's is merged anew
        return sampler

    def make_room(self) -> None:
        """Before training: unload the model that samples, unless it is so small that it may stay."""
        files = [file for file in self.weights.iterdir() if file.suffix in (".safetensors", ".bin")]
        if sum(file.stat().st_size for file in files) > STAYS_BYTES:
            self.unload()

    def unload(self) -> None:
        """Unload the model that samples."""
        self._sampler = None


def _silence_libraries() -> None:
    """Turn off the progress bars of transformers, which are shown while it loads and writes weights."""
    from transformers.utils import logging

    logging.disable_progress_bar()
