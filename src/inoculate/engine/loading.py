"""Loads the weights of a model: data of which all is there, or nothing is taken."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoModelForCausalLM, __version__

from inoculate.engine.families import SAFE
from inoculate.errors import UserError, reason

_MOST_NAMED = 3


def load_model(folder: Path, dtype: torch.dtype, **own: Any) -> Any:
    """The model in a folder.

    Args:
        folder: The base weights.
        dtype: Their precision.
        own: Further arguments for transformers.

    Raises:
        UserError: The files do not fit together. transformers would give layers that have no weights random ones, leave
            out those that are too many, and only warn.
    """
    # What does not fit is refused below, by its name: transformers names it in a table of its log.
    how: dict[str, Any] = {"dtype": dtype, "output_loading_info": True, "ignore_mismatched_sizes": True, **own}
    try:
        loaded: Any = AutoModelForCausalLM.from_pretrained(folder, **SAFE, **how)
        model, found = loaded
    except (torch.OutOfMemoryError, MemoryError):
        raise
    except Exception as error:  # of transformers, safetensors and torch, whose errors have nothing in common
        raise UserError(f"{folder}: transformers {__version__} cannot load this model: {reason(error)}") from error
    _refuse(folder, "lack", found["missing_keys"], "which its config.json asks for")
    _refuse(folder, "have", (key for key, *_ in found["mismatched_keys"]), "of another size than its config.json says")
    more = (key for key in found["unexpected_keys"] if _is_of_further_layer(model, key))
    _refuse(folder, "have", more, "of more layers than its config.json says")
    return model


def _refuse(folder: Path, verb: str, keys: Iterable[str], why: str) -> None:
    """Refuse a model for some of its weights, if there are any."""
    if names := sorted(map(str, keys)):
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        raise UserError(
            f"{folder}: its weights {verb} {', '.join(names[:_MOST_NAMED])}{more}, {why}: are both of the same model, "
            "and is it whole?"
        )


def _is_of_further_layer(model: nn.Module, key: str) -> bool:
    """Whether weights are of a layer after the model's last; those of another head have no place either."""
    above: Any = model
    for part in key.split("."):
        if isinstance(above, nn.ModuleList) and part.isdigit() and int(part) >= len(above):
            return True
        above = getattr(above, part, None)
    return False
