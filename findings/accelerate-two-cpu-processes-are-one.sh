#!/usr/bin/env bash
# accelerate: `accelerate launch --cpu --num_processes 2` starts one process, and gives it one thread, so that asking for
# two processes leaves half a two-core machine idle. That `--num_processes` was not followed is not said.
# `torchrun --nproc-per-node 2` runs the same script in two processes, and accelerate in it knows of both.
#
# Seen with accelerate 1.15.0 and torch 2.13.0.
# Fails once that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "torch==2.13.0" "accelerate==1.15.0"
cd "$folder"
export HF_HOME="$folder/cache" PATH="$folder/venv/bin:$PATH"
cat > script.py <<'PYTHON'
import torch
from accelerate import Accelerator

accelerator = Accelerator(cpu=True)
index, count = accelerator.process_index, accelerator.num_processes
print(f"process {index} of {count}, threads: {torch.get_num_threads()}\n", end="", flush=True)
PYTHON
python -c "from importlib.metadata import version as v; print('accelerate', v('accelerate'), 'torch', v('torch'))"
accelerate launch --cpu --num_processes 2 script.py > launched 2> said
torchrun --nproc-per-node 2 script.py > ran 2> /dev/null
echo "accelerate launch --cpu --num_processes 2:"
cat said launched
echo "torchrun --nproc-per-node 2:"
cat ran
test "$(grep -c '^process' launched)" = 1
grep -qx 'process 0 of 1, threads: 1' launched
test "$(grep -c num_processes said)" = 0
test "$(grep -c '^process . of 2' ran)" = 2
