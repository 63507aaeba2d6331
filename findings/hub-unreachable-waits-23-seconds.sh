#!/usr/bin/env bash
# huggingface_hub 2.4 tries a hub that refuses the connection five times more, one second after the first try and 2, 4, 8
# and 8 after the next, before hf_hub_download says that it cannot be reached: 23 seconds for each file that is not in the
# cache. A program that asks for an optional file in passing, and takes "not reachable" for an answer, stands still meanwhile
# (a machine without network, a test). HF_HUB_OFFLINE=1 answers at once.
#
# Seen with huggingface_hub 2.4.0: 23 seconds and 0.
# Fails once that is no longer so. Nothing leaves the machine: the hub's address is a closed port of this one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "huggingface_hub==2.4.0"
cd "$folder"
export HF_HOME="$folder/cache" HF_ENDPOINT="http://127.0.0.1:9"
cat > ask.py <<'PYTHON'
import time
from importlib.metadata import version

from huggingface_hub import hf_hub_download
from huggingface_hub.errors import LocalEntryNotFoundError

started = time.monotonic()
try:
    hf_hub_download("some/model", "config.json")
except LocalEntryNotFoundError as error:
    said = type(error).__name__
seconds = time.monotonic() - started
print("huggingface_hub", version("huggingface_hub"), said, "after", round(seconds), "seconds")
print(round(seconds), file=open("seconds.txt", "w"))
PYTHON
venv/bin/python ask.py 2> /dev/null
[ "$(cat seconds.txt)" -ge 20 ]
HF_HUB_OFFLINE=1 venv/bin/python ask.py 2> /dev/null
[ "$(cat seconds.txt)" -le 2 ]
