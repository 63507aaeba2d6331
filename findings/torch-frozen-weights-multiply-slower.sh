#!/usr/bin/env bash
# torch on a CPU: the same product takes several times as long once `requires_grad_(False)` was called on the weights.
# It is so where the inputs are a slice of a batch of three dimensions, under `no_grad`: with frozen weights torch makes a
# product of batches (`bmm`), each row by itself with the whole matrix; with others it makes one product (`mm`).
# transformers' `logits_to_keep=1` is such a slice: reading prompts with a frozen model pays it in the output layer, and
# does not where the same position is given as a tensor.
#
# Seen with torch 2.13.0 and transformers 5.24.0, one thread, float32: 8 times as long (more in bfloat16).
# Fails once that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "torch==2.13.0" "transformers==5.24.0"
cd "$folder"
export HF_HUB_OFFLINE=1 HF_HOME="$folder/cache" TRANSFORMERS_VERBOSITY=error PYTHONWARNINGS=ignore
"$folder/venv/bin/python" - <<'PYTHON'
import time

import torch
import transformers
from transformers import LlamaConfig, LlamaForCausalLM

torch.set_num_threads(1)
torch.manual_seed(0)
sizes = dict(hidden_size=256, intermediate_size=256, num_hidden_layers=1, num_attention_heads=4)
model = LlamaForCausalLM(LlamaConfig(**sizes, vocab_size=40_000)).eval()
prompts = torch.randint(0, 40_000, (32, 8))  # 32 rows of 8 tokens


def seconds(keep):
    found = []
    for _ in range(5):
        started = time.perf_counter()
        with torch.no_grad():
            logits = model(prompts, logits_to_keep=keep).logits
        found.append(time.perf_counter() - started)
    return min(found), logits


print("torch", torch.__version__, "transformers", transformers.__version__)
last = torch.tensor([7])
free, logits = seconds(1)
model.requires_grad_(False)
frozen, same = seconds(1)
told, again = seconds(last)
print(f"logits_to_keep=1, weights not frozen:       {free * 1000:6.1f} ms")
print(f"logits_to_keep=1, weights frozen:           {frozen * 1000:6.1f} ms")
print(f"logits_to_keep=tensor([7]), weights frozen: {told * 1000:6.1f} ms")
assert torch.allclose(logits, same, atol=1e-4) and torch.allclose(logits, again, atol=1e-4)
assert frozen > 2.5 * free and frozen > 2.5 * told, "this is no longer so"
PYTHON
