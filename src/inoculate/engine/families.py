"""Which models the fast paths of sampling and training know; all others take the plain path.

The fast paths (`kernels`, `sampling.kv_cache`, `training.packing`) replace a model's attention and cache. So they serve
the architectures that they were tried with. Any other model runs through transformers' own attention, cache and
`generate`, its training rows one by one: slower, and as right as transformers is. `tests/engine/test_families.py`
compares both paths with transformers, family by family. Loads no torch.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FAST = frozenset(
    {
        "cohere2",
        "exaone4",
        "gemma3_text",
        "gemma4_text",
        "glm4",
        "gpt_neox",
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
"""Model types (of `config.json`) that the fast paths were tried with."""
_LAYER_TYPES = {"full_attention", "sliding_attention"}
_CHANGES_ATTENTION = ("attn_logit_softcapping", "use_bidirectional_attention")
"""Keys of a config by which a model of a known type has an attention that the fast paths lack."""


def read_config(folder: Path) -> dict[str, Any]:
    """The `config.json` of a model's folder."""
    return json.loads((folder / "config.json").read_text(encoding="utf-8"))


def slower(config: Mapping[str, Any]) -> str:
    """Why a model takes the plain path; '' where it takes the fast one.

    Args:
        config: The content of its `config.json`.
    """
    text = config.get("text_config") or config
    if text.get("model_type") not in FAST:
        return f"the fast path does not know models of the type '{text.get('model_type')}'"
    unknown = sorted(set(text.get("layer_types") or ()) - _LAYER_TYPES)
    if unknown:
        return f"the fast path does not know layers of the type '{unknown[0]}'"
    changed = [key for key in _CHANGES_ATTENTION if text.get(key)]
    return f"the fast path does not know '{changed[0]}'" if changed else ""


def context_length(config: Any) -> int:
    """The most tokens of prompt and completion together.

    Args:
        config: The model's configuration, as transformers has it.
    """
    # A recurrent model names no limit.
    return int(getattr(config.get_text_config(), "max_position_embeddings", None) or sys.maxsize)
