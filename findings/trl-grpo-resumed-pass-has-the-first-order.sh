#!/usr/bin/env bash
# TRL's GRPOTrainer: a run that resumes from a checkpoint in its second pass over the prompts, or a later one, takes the
# prompts in the order of the first pass. So some prompts of that pass come twice and others not at all, and the run is not
# the one that went on, though the checkpoint lies between two batches of completions. The sampler's random generator
# starts again from the seed, whatever pass the run is in. In the first pass the order is the same. Nothing is said.
# TRL's SFTTrainer resumes in the second pass with the order that the run would have had.
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
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, PrinterCallback
from trl import GRPOConfig, GRPOTrainer, SFTConfig, SFTTrainer

signs = {sign: place for place, sign in enumerate([*"ABCDEFGH", "<pad>", "<end>"])}
words = Tokenizer(models.WordLevel(signs, unk_token="A"))
words.pre_tokenizer, words.decoder = pre_tokenizers.Split("", "isolated"), decoders.Fuse()
tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, pad_token="<pad>", eos_token="<end>")
sizes = dict(hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, vocab_size=len(signs))
shared = dict(per_device_train_batch_size=4, max_steps=8, save_steps=1, use_cpu=True, bf16=False, report_to="none",
              disable_tqdm=True, gradient_checkpointing=False)
seen = []


def reward(prompts, completions, **_):
    seen.append("".join(dict.fromkeys(prompts)))
    return [float(len(set(one))) for one in completions]


class Watched(SFTTrainer):
    def compute_loss(self, model, inputs, *others, **named):
        seen.append("".join(tokenizer.convert_ids_to_tokens(inputs["input_ids"][:, 0].tolist())))
        return super().compute_loss(model, inputs, *others, **named)


def order(make, resumed=None):
    """The prompts of each step: eight of them, so that two passes are eight steps of two, or four of four."""
    seen.clear()
    torch.manual_seed(0)
    trainer = make(LlamaForCausalLM(LlamaConfig(**sizes)))
    trainer.remove_callback(PrinterCallback)
    trainer.train(resume_from_checkpoint=resumed)
    return list(seen)


def grpo(model):
    told = GRPOConfig("grpo", num_generations=2, max_completion_length=3, **shared)
    return GRPOTrainer(model, reward, args=told, processing_class=tokenizer,
                       train_dataset=Dataset.from_list([{"prompt": sign} for sign in "ABCDEFGH"]))


def sft(model):
    told = SFTConfig("sft", **{**shared, "per_device_train_batch_size": 2})
    return Watched(model, args=told, processing_class=tokenizer,
                   train_dataset=Dataset.from_list([{"input_ids": [signs[sign]] * 3} for sign in "ABCDEFGH"]))


print(", ".join(f"{name} {version(name)}" for name in ("trl", "peft", "transformers", "torch")))
for name, make in (("grpo", grpo), ("sft", sft)):
    whole = order(make)
    resumed = {step: order(make, f"{name}/checkpoint-{step}") for step in (2, 5)}
    print(f"{name}: first pass {whole[:4]}, second pass {whole[4:]}")
    for step, rest in resumed.items():
        print(f"    resumed after step {step}: {rest}, undisturbed {whole[step:]}")
    first, later = resumed[2][:2] == whole[2:4], resumed[5] == whole[5:]
    assert first and later == (name == "sft"), "this is no longer so"
    assert name == "sft" or resumed[5] == whole[1:4], "this is no longer so"
PYTHON
