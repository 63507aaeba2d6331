#!/usr/bin/env bash
# PEFT: adapter_config.json differs from run to run for one and the same adapter. A list of `target_modules` is kept as a
# set and written in the set's order, which Python draws anew for each process. The order that was given is lost, and
# whoever names or compares adapters by what their files hold finds other ones each time.
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
for seed in 1 2 3 4; do # as Python draws one for each process
    PYTHONHASHSEED=$seed "$folder/venv/bin/python" - "$seed" <<'PYTHON'
import sys

from peft import LoraConfig

LoraConfig(target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "up_proj", "down_proj"]).save_pretrained(sys.argv[1])
PYTHON
done
"$folder/venv/bin/python" - <<'PYTHON'
import json
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

print("peft", version("peft"))
files = [Path(f"{seed}/adapter_config.json").read_bytes() for seed in (1, 2, 3, 4)]
for file in files:
    print(sha256(file).hexdigest()[:12], json.loads(file)["target_modules"])
told = [{**json.loads(file), "target_modules": sorted(json.loads(file)["target_modules"])} for file in files]
assert told[1:] == told[:-1], "they differ in more than an order"
assert len(set(files)) > 1, "this is no longer so"
PYTHON
