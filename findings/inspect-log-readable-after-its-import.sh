#!/usr/bin/env bash
# Inspect's logs and Python's zipfile: a .eval log is a zip file whose entries are compressed with Zstandard, which Python
# before 3.14 cannot read. But importing inspect_ai changes the standard library's own `zipfile` in that process, so the
# very same lines work or fail depending on whether something imported inspect_ai before: they pass in a test of an export
# and raise NotImplementedError in the script of whoever gets the log.
#
# Seen with inspect_ai 0.3.285 and Python 3.11.
# Fails once that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "inspect_ai==0.3.285"
cd "$folder"
cat > read.py <<'PYTHON'
import zipfile

with zipfile.ZipFile("log.eval") as log:
    print(len(log.read("header.json")), "bytes read")
PYTHON
"$folder/venv/bin/python" - <<'PYTHON'
import subprocess
import sys
import zipfile
from importlib.metadata import version

from inspect_ai.log import EvalConfig, EvalDataset, EvalLog, EvalSpec, write_eval_log

made = dict(created="2026-01-01T00:00:00+00:00", task="task", model="mockllm/model", dataset=EvalDataset(),
            config=EvalConfig())
write_eval_log(EvalLog(eval=EvalSpec(**made)), "log.eval", format="eval")
methods = {entry.compress_type for entry in zipfile.ZipFile("log.eval").infolist()}
print("inspect_ai", version("inspect_ai"), "Python", sys.version.split()[0], "compression", methods)
lines = open("read.py").read()
found = {}
for first in ("import inspect_ai.log\n", ""):
    ran = subprocess.run([sys.executable, "-c", first + lines], capture_output=True, text=True)
    found[first] = ran.returncode
    print(f"{first.strip() or 'without inspect_ai'}: {(ran.stdout or ran.stderr).strip().splitlines()[-1]}")
assert methods == {93} and found["import inspect_ai.log\n"] == 0, "this is no longer so"
assert (found[""] != 0) == (sys.version_info < (3, 14)), "this is no longer so"
PYTHON
