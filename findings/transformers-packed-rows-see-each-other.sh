#!/usr/bin/env bash
# transformers: rows that are packed end to end with position ids that start anew are kept apart by `eager` and `sdpa`
# only if no attention mask is given and `use_cache` is False. With the cache on, which is the default, or with a mask of
# ones, which tokenizers return, the second row sees the first one: other logits, no error, no warning.
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
import warnings
from importlib.metadata import version

import torch
from transformers import AutoModelForCausalLM, LlamaConfig

print("transformers", version("transformers"), "torch", version("torch"))
tokens = torch.tensor([[3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8]])
positions = torch.tensor([[0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5]])
for attention in ("eager", "sdpa"):
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=50, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2,
    )
    model = AutoModelForCausalLM.from_config(config, attn_implementation=attention).eval()
    with torch.no_grad(), warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        alone = model(input_ids=tokens[:, 6:]).logits[0]
        for cache in (False, True):
            for mask in (None, torch.ones_like(tokens)):
                packed = model(input_ids=tokens, position_ids=positions, use_cache=cache, attention_mask=mask)
                off = float((packed.logits[0, 6:] - alone).abs().max())
                print(f"{attention}, use_cache {cache}, mask of ones {mask is not None}: logits of the second row off by {off:.3f}")
                assert (off < 1e-5) == (not cache and mask is None)
    assert not said
PYTHON
"$folder/venv/bin/python" script.py 2> /dev/null
