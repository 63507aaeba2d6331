#!/usr/bin/env bash
# PEFT: a model in evaluation mode to which an adapter is added draws dropout again, while `model.training` still says
# False. `add_adapter` makes the new adapter's dropout layers in training mode and leaves the model's own mode alone; the
# same with `load_adapter(..., is_trainable=True)`. Two passes over one and the same input then differ, until `eval()` is
# called once more. An adapter loaded in the usual way is put into evaluation mode.
#
# Seen with peft 0.21.2, transformers 5.24.0 and torch 2.13.0.
# Fails once that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    "torch==2.13.0" "transformers==5.24.0" "peft==0.21.2"
cd "$folder"
export HF_HUB_OFFLINE=1 HF_HOME="$folder/cache" TRANSFORMERS_VERBOSITY=error PYTHONWARNINGS=ignore
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

torch.manual_seed(0)
sizes = dict(hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, vocab_size=32)
lora = LoraConfig(r=4, lora_dropout=0.5, target_modules=["q_proj", "v_proj"], init_lora_weights=False)
model = get_peft_model(LlamaForCausalLM(LlamaConfig(**sizes)), lora).eval()
model.save_pretrained("adapter")
tokens = torch.arange(8)[None]


def look(how):
    with torch.no_grad():
        same = torch.equal(model(tokens).logits, model(tokens).logits)
    print(f"{how}: model.training is {model.training}, two passes {'agree' if same else 'differ'}")
    return model.training, same


print("peft", version("peft"), "transformers", version("transformers"), "torch", torch.__version__)
first = look("after eval()")
model.add_adapter("added", lora)
model.set_adapter("added")
added = look("after add_adapter")
model.eval()
called = look("after eval() once more")
model.load_adapter("adapter", "loaded", is_trainable=True)
model.set_adapter("loaded")
loaded = look("after load_adapter, trainable")
assert first == called == (False, True), "this is no longer so"
assert added == loaded == (False, False), "this is no longer so"
PYTHON
