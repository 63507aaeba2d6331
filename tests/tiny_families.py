"""Tiny models of many families, with random weights, built in process."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

VOCABULARY = 96
_WIDTHS = {"hidden_size": 32, "intermediate_size": 48}
_HEADS = {"num_attention_heads": 4, "num_key_value_heads": 2}
_SIZES = {**_WIDTHS, **_HEADS, "num_hidden_layers": 2}
_EXPERTS = {"moe_intermediate_size": 16, "num_experts": 4, "num_experts_per_tok": 2}
_MIXED = {"layer_types": ["sliding_attention", "full_attention"], "sliding_window": 6}
_LINEAR = {
    "layer_types": ["linear_attention", "full_attention"],
    "linear_key_head_dim": 8,
    "linear_value_head_dim": 8,
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 4,
}


class Family(NamedTuple):
    """A family of models."""

    type: str
    """As transformers calls it (`model_type`)."""
    config: dict[str, Any]
    """What its configuration has beside the vocabulary."""
    is_fast: bool


FAMILIES = {
    "Llama": Family("llama", _SIZES, True),
    "Qwen 2": Family("qwen2", _SIZES, True),
    "Qwen 3": Family("qwen3", {**_SIZES, "head_dim": 8}, True),
    "Qwen 3, mixture of experts": Family("qwen3_moe", {**_SIZES, **_EXPERTS, "head_dim": 8}, True),
    "Mistral": Family("mistral", {**_SIZES, "sliding_window": 6}, True),
    "Gemma 3": Family("gemma3_text", {**_SIZES, **_MIXED, "head_dim": 8, "query_pre_attn_scalar": 8}, True),
    "Gemma 4": Family(
        "gemma4_text",
        {
            **_SIZES,
            **_MIXED,
            "head_dim": 8,
            "global_head_dim": 16,
            "num_kv_shared_layers": 0,
            "hidden_size_per_layer_input": 8,
            "vocab_size_per_layer_input": VOCABULARY,
        },
        True,
    ),
    "Phi 3": Family("phi3", _SIZES, True),
    "OLMo 2": Family("olmo2", _SIZES, True),
    "OLMo 3": Family("olmo3", {**_SIZES, **_MIXED}, True),
    "Granite": Family("granite", {**_SIZES, "attention_multiplier": 0.3, "logits_scaling": 2.0}, True),
    "SmolLM 3": Family("smollm3", {**_SIZES, "no_rope_layers": [1, 0]}, True),
    "GLM 4": Family("glm4", {**_SIZES, "head_dim": 8}, True),
    "EXAONE 4": Family("exaone4", {**_SIZES, **_MIXED}, True),
    "Cohere 2": Family("cohere2", {**_SIZES, **_MIXED, "logit_scale": 0.5}, True),
    "StarCoder 2": Family("starcoder2", {**_SIZES, "sliding_window": 6}, True),
    "GPT-NeoX": Family("gpt_neox", {**_WIDTHS, "num_attention_heads": 4, "num_hidden_layers": 2}, True),
    "Ministral 3": Family("ministral3", {**_SIZES, "head_dim": 8}, True),
    "LFM 2, attention only": Family("lfm2", {**_SIZES, "layer_types": ["full_attention"] * 2}, False),
    "LFM 2": Family("lfm2", {**_SIZES, "layer_types": ["conv", "full_attention"]}, False),
    "Qwen 3.5": Family("qwen3_5_text", {**_SIZES, **_LINEAR, "head_dim": 8}, False),
    "Qwen 3 Next": Family(
        "qwen3_next",
        {**_SIZES, **_LINEAR, **_EXPERTS, "head_dim": 8, "shared_expert_intermediate_size": 16},
        False,
    ),
    "Falcon H1": Family(
        "falcon_h1",
        {**_SIZES, "mamba_d_ssm": 32, "mamba_n_heads": 4, "mamba_d_head": 8, "mamba_d_state": 8, "mamba_chunk_size": 8},
        False,
    ),
    "Llama 4": Family(
        "llama4_text",
        {
            **_SIZES,
            "head_dim": 8,
            "intermediate_size_mlp": 48,
            "num_local_experts": 2,
            "interleave_moe_layer_step": 2,
            "attention_chunk_size": 8,
            "no_rope_layers": [1, 0],
        },
        False,
    ),
    "Gemma 2": Family(
        "gemma2", {**_SIZES, **_MIXED, "head_dim": 8, "query_pre_attn_scalar": 8, "attn_logit_softcapping": 2.0}, True
    ),
    "GPT-OSS": Family("gpt_oss", {**_SIZES, **_MIXED, "head_dim": 8, "num_local_experts": 4}, True),
    "StableLM": Family("stablelm", _SIZES, False),
}
"""As issue trackers and model cards name them."""


def make(name: str, folder: Path) -> None:
    """Write a tiny model with a tokenizer of `VOCABULARY` words, 't2' and so on, and '<end>'."""
    import torch
    from tokenizers import Tokenizer, pre_tokenizers
    from tokenizers.models import WordLevel
    from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

    vocabulary = {f"t{number}": number for number in range(VOCABULARY)} | {"<unknown>": 0, "<end>": 1}
    del vocabulary["t0"], vocabulary["t1"]
    words = Tokenizer(WordLevel(vocabulary, unk_token="<unknown>"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<end>", unk_token="<unknown>")
    tokenizer.chat_template = "{% for message in messages %}{{ message['content'] + ' <end> ' }}{% endfor %}"
    tokenizer.save_pretrained(folder)
    family = FAMILIES[name]
    ids: dict[str, Any] = {"bos_token_id": 2, "eos_token_id": 1, "pad_token_id": 0}
    config = AutoConfig.for_model(family.type, **family.config, **ids, vocab_size=VOCABULARY)
    torch.manual_seed(0)
    model: Any = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    for weight in (weight for weight in model.parameters() if weight.ndim > 1):
        # Far from 0, so that the attention of one token differs from that of another.
        torch.nn.init.normal_(weight, std=0.25)
    model.save_pretrained(folder)
