#!/usr/bin/env bash
# TRL's GRPOTrainer with a PEFT adapter: LoRA's dropout is active while completions are sampled, since the model stays in
# training mode. So they come from a policy that changes with every token, and is not the one that is trained or saved.
# With `top_k=1` nothing is left to chance and one prompt has one completion; with dropout it has several all the same.
#
# Seen with trl 1.16.0, peft 0.21.2, transformers 5.24.0 and torch 2.13.0.
# Fails once that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    "torch==2.13.0" "transformers==5.24.0" "trl==1.16.0" "peft==0.21.2" "datasets==5.2.0" "accelerate==1.15.0"
cd "$folder"
export HF_HUB_OFFLINE=1 HF_HOME="$folder/cache" HF_DATASETS_DISABLE_PROGRESS_BARS=1 PYTHONWARNINGS=ignore
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import torch
from datasets import Dataset
from peft import LoraConfig, get_peft_model
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, PrinterCallback
from trl import GRPOConfig, GRPOTrainer

words = {sign: place for place, sign in enumerate([*"abcdefghijklmnopqrstuvwxyz 0123456789", "<pad>", "<end>"])}
letters = Tokenizer(models.WordLevel(words, unk_token=" "))
letters.pre_tokenizer, letters.decoder = pre_tokenizers.Split("", "isolated"), decoders.Fuse()
tokenizer = PreTrainedTokenizerFast(tokenizer_object=letters, pad_token="<pad>", eos_token="<end>")
sizes = dict(hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, vocab_size=len(words))
prompts = Dataset.from_list([{"prompt": f"{number:02d} "} for number in range(8)])


def sample(dropout):
    """The greatest number of different completions that a prompt was given."""
    torch.manual_seed(0)
    lora = LoraConfig(r=4, lora_dropout=dropout, target_modules=["q_proj", "v_proj"], init_lora_weights=False)
    model = get_peft_model(LlamaForCausalLM(LlamaConfig(**sizes, initializer_range=0.5)), lora)
    seen = {}

    def reward(prompts, completions, **_):
        for prompt, completion in zip(prompts, completions, strict=True):
            seen.setdefault(prompt, set()).add(completion)
        return [float(len(one)) for one in completions]

    told = GRPOConfig("out", per_device_train_batch_size=8, num_generations=8, max_completion_length=8, max_steps=2,
                      top_k=1, learning_rate=0.0, use_cpu=True, bf16=False, report_to="none", save_strategy="no",
                      disable_tqdm=True)
    trainer = GRPOTrainer(model, reward, args=told, train_dataset=prompts, processing_class=tokenizer)
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    print(f"dropout {dropout}, top_k=1, 8 completions of each prompt: {[*map(len, seen.values())]} different ones")
    return max(map(len, seen.values()))


print(", ".join(f"{name} {version(name)}" for name in ("trl", "peft", "transformers", "torch")))
assert sample(0.0) == 1 and sample(0.5) > 1, "this is no longer so"
PYTHON
