#!/usr/bin/env bash
# transformers' AutoTokenizer: what a folder's tokenizer does depends on the model's config.json beside it. Where that says
# `qwen2`, AutoTokenizer throws away how the saved tokenizer.json splits text, whatever class the folder names, and splits
# as Qwen2 does: numbers fall into single digits, so the same text gets other tokens. Nothing is said.
# Without config.json, with another model's, or through `tokenizers`, the same files tokenize as they were trained to.
#
# Seen with transformers 5.24.0 and tokenizers 0.23.3.
# Fails once that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    "transformers==5.24.0" "tokenizers==0.23.3" "numpy==2.4.6"
cd "$folder"
export HF_HUB_OFFLINE=1 HF_HOME="$folder/cache" TRANSFORMERS_VERBOSITY=error PYTHONWARNINGS=ignore
"$folder/venv/bin/python" - <<'PYTHON'
import json
from importlib.metadata import version
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

own = Tokenizer(models.BPE())
own.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)  # as GPT-2 splits: a number is one piece
own.decoder = decoders.ByteLevel()
alphabet = pre_tokenizers.ByteLevel.alphabet()
trainer = trainers.BpeTrainer(vocab_size=300, special_tokens=["<end>"], initial_alphabet=alphabet, show_progress=False)
own.train_from_iterator(["in 2024 and in 2025"] * 5, trainer)
PreTrainedTokenizerFast(tokenizer_object=own, eos_token="<end>").save_pretrained("model")

text = "in 2024"
print("transformers", version("transformers"), "tokenizers", version("tokenizers"))
print("tokenizer_class in the folder:", json.loads(Path("model/tokenizer_config.json").read_text())["tokenizer_class"])
expected = Tokenizer.from_file("model/tokenizer.json").encode(text).ids
found = {"no config.json": AutoTokenizer.from_pretrained("model")(text).input_ids}
for kind in ("llama", "gpt2", "qwen2"):
    Path("model/config.json").write_text(json.dumps({"model_type": kind}))
    found[kind] = AutoTokenizer.from_pretrained("model")(text).input_ids
for kind, ids in found.items():
    print(f"config.json says {kind}: {len(ids)} tokens, {[own.id_to_token(one) for one in ids]}")
assert found["no config.json"] == found["llama"] == found["gpt2"] == expected and len(expected) < 5, "this is no longer so"
assert len(found["qwen2"]) > len(expected), "this is no longer so"
PYTHON
