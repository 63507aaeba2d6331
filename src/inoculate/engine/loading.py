"""Loads the weights of a model: data of which all is there, or nothing is taken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
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
        UserError: The files do not fit together. transformers would give layers that have no weights random ones, and
            only warn.
    """
    try:
        loaded: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, output_loading_info=True, **SAFE, **own)
        model, found = loaded
    except (torch.OutOfMemoryError, MemoryError):
        raise
    except Exception as error:  # of transformers, safetensors and torch, whose errors have nothing in common
        raise UserError(f"{folder}: transformers {__version__} cannot load this model: {reason(error)}") from error
    if missing := sorted(map(str, found["missing_keys"])):
        more = f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
        raise UserError(
            f"{folder}: its weights lack {', '.join(missing[:_MOST_NAMED])}{more}, which its config.json asks for: are "
            "both of the same model, and is it whole?"
        )
    return model
