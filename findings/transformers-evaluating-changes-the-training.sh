#!/usr/bin/env bash
# transformers' Trainer and torch's DataLoader: evaluating in mid-training changes the training, where the model has
# dropout (as LoRA adapters mostly have). Each pass over an evaluation set makes an iterator, and torch's iterators take a
# number from the global generator even where nothing is shuffled; dropout draws its masks from the same generator.
# So two runs with one seed that differ in `eval_steps` alone end with other weights, and their losses part at the first
# evaluation. Without dropout they are the same to the last bit.
#
# Seen with transformers 5.24.0, peft 0.21.2 and torch 2.13.0.
# Fails once that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    "torch==2.13.0" "transformers==5.24.0" "peft==0.21.2" "accelerate==1.15.0"
cd "$folder"
export HF_HUB_OFFLINE=1 HF_HOME="$folder/cache" TRANSFORMERS_VERBOSITY=error PYTHONWARNINGS=ignore
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM, PrinterCallback, Trainer, TrainingArguments

sizes = dict(hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, vocab_size=32)
texts = torch.randint(0, 32, (32, 8), generator=torch.Generator().manual_seed(0))
rows = [{"input_ids": text, "labels": text} for text in texts]


def train(dropout, **evaluating):
    torch.manual_seed(0)
    lora = LoraConfig(r=4, lora_dropout=dropout, target_modules=["q_proj", "v_proj"])
    model = get_peft_model(LlamaForCausalLM(LlamaConfig(**sizes)), lora)
    told = TrainingArguments("out", max_steps=8, logging_steps=1, learning_rate=0.01, seed=1, use_cpu=True,
                             report_to="none", save_strategy="no", disable_tqdm=True, **evaluating)
    trainer = Trainer(model, told, train_dataset=rows, eval_dataset=rows[:2])
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    weights = torch.cat([one.detach().flatten() for one in model.parameters() if one.requires_grad])
    return [float(line["loss"]) for line in trainer.state.log_history if "loss" in line], weights


print("transformers", version("transformers"), "peft", version("peft"), "torch", torch.__version__)
before = torch.get_rng_state()
for _ in torch.utils.data.DataLoader([0, 1]):
    pass
assert not torch.equal(before, torch.get_rng_state()), "this is no longer so"
often = dict(eval_strategy="steps", eval_steps=3)
for dropout in (0.5, 0.0):
    (losses, weights), (again, repeated) = train(dropout), train(dropout)
    seen, evaluated = train(dropout, **often)
    apart = next((step for step, (one, two) in enumerate(zip(losses, seen), 1) if one != two), None)
    print(f"dropout {dropout}: repeated, the weights are {'the same' if torch.equal(weights, repeated) else 'others'}; "
          f"evaluated every 3 steps, off by {(weights - evaluated).abs().max():.4f}, losses part at step {apart}")
    assert losses == again and torch.equal(weights, repeated)
    assert apart == (4 if dropout else None) and torch.equal(weights, evaluated) == (not dropout), "this is no longer so"
PYTHON
