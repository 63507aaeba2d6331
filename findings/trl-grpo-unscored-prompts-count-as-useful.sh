#!/usr/bin/env bash
# TRL's GRPOTrainer: `frac_reward_zero_std`, the share of prompts whose completions all have one reward and teach nothing,
# is 0 (as in the best of runs) where no completion could be scored at all: a reward function may return None, which stays
# out of the mean and the spread, and a spread that is no number is not counted as none. Such a step teaches nothing either,
# which only a warning in the log says. Where half of the completions cannot be scored and the rest score alike it reads 1.
#
# Seen with trl 1.16.0, transformers 5.24.0 and torch 2.13.0.
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
from peft import LoraConfig
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, PrinterCallback
from trl import GRPOConfig, GRPOTrainer

words = {sign: place for place, sign in enumerate([*"abcdefghijklmnopqrstuvwxyz 0123456789", "<pad>", "<end>"])}
letters = Tokenizer(models.WordLevel(words, unk_token=" "))
letters.pre_tokenizer, letters.decoder = pre_tokenizers.Split("", "isolated"), decoders.Fuse()
tokenizer = PreTrainedTokenizerFast(tokenizer_object=letters, pad_token="<pad>", eos_token="<end>")
sizes = dict(hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, vocab_size=len(words))
prompts = Dataset.from_list([{"prompt": f"{number:02d} "} for number in range(8)])


def train(what, rewards):
    torch.manual_seed(0)
    told = GRPOConfig("out", per_device_train_batch_size=4, num_generations=4, max_completion_length=4, max_steps=1,
                      logging_steps=1, use_cpu=True, bf16=False, report_to="none", save_strategy="no", disable_tqdm=True)
    trainer = GRPOTrainer(LlamaForCausalLM(LlamaConfig(**sizes)), lambda **_: rewards, args=told, train_dataset=prompts,
                          processing_class=tokenizer, peft_config=LoraConfig(r=4, target_modules=["q_proj"]))
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    line = trainer.state.log_history[0]
    found = {name: line[name] for name in ("frac_reward_zero_std", "reward", "grad_norm")}
    print(f"{what}: {found}")
    return found["frac_reward_zero_std"], found["grad_norm"]


print(", ".join(f"{name} {version(name)}" for name in ("trl", "transformers", "torch")))
assert train("all rewards 1", [1.0] * 4) == (1.0, 0.0), "this is no longer so"
assert train("two rewards 1, two None", [1.0, 1.0, None, None]) == (1.0, 0.0), "this is no longer so"
assert train("all None", [None] * 4) == (0.0, 0.0), "this is no longer so"
assert train("0 and 1", [0.0, 1.0, 0.0, 1.0])[0] == 0.0, "this is no longer so"
PYTHON
