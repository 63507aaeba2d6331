"""Which models the fast paths of sampling and training know; all others take the plain path.

The fast paths (`kernels`, `sampling.kv_cache`, `packing`) replace a model's attention and cache. So they serve
the architectures that they were tried with. Any other model runs through transformers' own attention, cache and
`generate`, its training rows one by one: slower, and as right as transformers is. `tests/engine/test_families.py`
compares both paths with transformers, family by family.

A model's configuration is that which transformers makes of `config.json`: the file may leave out what its type has by
default, such as the types of its layers. Loads no torch before a configuration is read.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from inoculate.errors import UserError, reason

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

FAST = frozenset(
    {
        "cohere2",
        "exaone4",
        "gemma2",
        "gemma3_text",
        "gemma4_text",
        "glm4",
        "gpt_neox",
        "gpt_oss",
        "granite",
        "llama",
        "ministral3",
        "mistral",
        "olmo2",
        "olmo3",
        "phi3",
        "qwen2",
        "qwen3",
        "qwen3_moe",
        "smollm3",
        "starcoder2",
    }
)
"""Model types (`model_type`) that the fast paths were tried with."""
_LAYER_TYPES = {"full_attention", "sliding_attention"}
_CHANGES_ATTENTION = ("use_bidirectional_attention",)
"""Keys of a configuration by which a model of a known type has an attention that the fast paths lack."""

SAFE = {"trust_remote_code": False, "use_safetensors": True}
"""How weights are read: files of a model are data, and none of them is run, or unpickled."""


def read_config(folder: Path) -> PreTrainedConfig:
    """The configuration of the model in a folder.

    Raises:
        UserError: transformers does not know the model's type, or cannot read its `config.json`.
    """
    from transformers import AutoConfig, __version__

    try:
        return AutoConfig.from_pretrained(folder, trust_remote_code=False)
    except Exception as error:  # of transformers and huggingface_hub, whose errors have nothing in common
        path = folder / "config.json"
        raise UserError(f"{path}: transformers {__version__} does not take it: {reason(error)}") from error


def written_context(folder: Path) -> int | None:
    """The most tokens that `config.json` names itself; None where that is left to what the model's type has.

    Reading it takes no second and no torch, as `read_config` does.
    """
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        named = (config.get("text_config") or config)["max_position_embeddings"]
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None  # `read_config` says what is wrong with the file
    return named if type(named) is int and named > 0 else None


def slower(config: PreTrainedConfig) -> str:
    """Why a model takes the plain path; '' where it takes the fast one.

    Args:
        config: From `read_config`, or of the model itself.
    """
    text = config.get_text_config()
    if text.model_type not in FAST:
        return f"the fast path does not know models of the type '{text.model_type}'"
    unknown = sorted(set(getattr(text, "layer_types", None) or ()) - _LAYER_TYPES)
    if unknown:
        return f"the fast path does not know layers of the type '{unknown[0]}'"
    changed = [key for key in _CHANGES_ATTENTION if getattr(text, key, None)]
    return f"the fast path does not know '{changed[0]}'" if changed else ""


def is_fast(config: PreTrainedConfig) -> bool:
    """Whether a model takes the fast path.

    Args:
        config: From `read_config`, or of the model itself.
    """
    return not slower(config)


def context_length(config: PreTrainedConfig) -> int:
    """The most tokens of prompt and completion together.

    Args:
        config: From `read_config`, or of the model itself.
    """
    # A recurrent model names no limit.
    return int(getattr(config.get_text_config(), "max_position_embeddings", None) or sys.maxsize)
