#!/usr/bin/env bash
# transformers: two models made from one config object share it, and which attention a model uses is looked up in its
# config at every forward pass. So making a second model with `attn_implementation="eager"` silently takes the first
# one's own attention function away: it is not called any more. A test that compares an attention with `eager` this way
# compares `eager` with itself, and passes.
#
# Seen with transformers 5.24.0 and torch 2.13.0.
# Fails once that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "torch==2.13.0" "transformers==5.24.0"
cd "$folder"
export HF_HOME="$folder/cache"
cat > script.py <<'PYTHON'
from importlib.metadata import version

import torch
from transformers import AttentionInterface, AutoModelForCausalLM, LlamaConfig
from transformers.integrations.sdpa_attention import sdpa_attention_forward

calls = []


def counted(*args, **options):
    calls.append(1)
    return sdpa_attention_forward(*args, **options)


def layers_that_call_it(model) -> int:
    calls.clear()
    model(input_ids=torch.arange(10)[None])
    return len(calls)


AttentionInterface.register("counted", counted)
config = LlamaConfig(
    vocab_size=50, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2,
)
first = AutoModelForCausalLM.from_config(config, attn_implementation="counted")
before = layers_that_call_it(first)
AutoModelForCausalLM.from_config(config, attn_implementation="eager")
after = layers_that_call_it(first)
print("transformers", version("transformers"), "torch", version("torch"))
print(f"layers of the first model that call its attention: {before}; after the second model was made: {after}")
assert (before, after) == (2, 0)
assert first.config._attn_implementation == "eager"
PYTHON
"$folder/venv/bin/python" script.py 2> /dev/null
