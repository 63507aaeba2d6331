#!/usr/bin/env bash
# TRL's GRPOTrainer: a run that resumes from a checkpoint ends with other weights than the run that went on, where one
# batch of completions serves several steps (`steps_per_generation`, `gradient_accumulation_steps`) and the checkpoint lies
# between two of them. The completions that were waiting are not in the checkpoint: others are sampled in their place.
# From a checkpoint between two batches it resumes to the same weights, to the last bit. Nothing is said in either case.
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


def train(resumed=None):
    torch.manual_seed(0)
    told = GRPOConfig("out", per_device_train_batch_size=4, num_generations=4, steps_per_generation=2, max_steps=4,
                      max_completion_length=6, save_steps=1, learning_rate=0.01, use_cpu=True, bf16=False,
                      report_to="none", disable_tqdm=True)
    trainer = GRPOTrainer(LlamaForCausalLM(LlamaConfig(**sizes)), reward, args=told, train_dataset=prompts,
                          processing_class=tokenizer, peft_config=LoraConfig(r=4, target_modules=["q_proj", "v_proj"]))
    trainer.remove_callback(PrinterCallback)
    trainer.train(resume_from_checkpoint=resumed)
    return torch.cat([one.detach().flatten() for one in trainer.model.parameters() if one.requires_grad])


def reward(completions, **_):
    return [float(len(set(one))) for one in completions]


print(", ".join(f"{name} {version(name)}" for name in ("trl", "peft", "transformers", "torch")))
whole = train()  # 4 steps, a batch of completions for each two
off = {step: (whole - train(f"out/checkpoint-{step}")).abs().max().item() for step in (2, 1)}
for step, difference in off.items():
    print(f"resumed after step {step} of 4: weights off by {difference:.4f}")
assert off[2] == 0 and off[1] > 0.001, "this is no longer so"
PYTHON
