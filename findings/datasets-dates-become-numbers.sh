#!/usr/bin/env bash
# datasets: a column of strings that look like dates is read from JSON lines as timestamps, but only where *every* string
# of the block looks so: one other answer leaves all of them strings. Written again by the same library, those timestamps
# become numbers (milliseconds since 1970). So a column of answers goes from '2024-01-05' to 1704412800000 in one round
# trip that no line of code asks for, and whether it does depends on its neighbours.
#
# Seen with datasets 5.2.0 and pyarrow 26.0.1.
# Fails once that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    "datasets==5.2.0" "pyarrow==26.0.1" "pandas==3.1.1"
cd "$folder"
export HF_HUB_OFFLINE=1 HF_HOME="$folder/cache" HF_DATASETS_DISABLE_PROGRESS_BARS=1 PYTHONWARNINGS=ignore
"$folder/venv/bin/python" - <<'PYTHON'
import json
from importlib.metadata import version
from pathlib import Path

from datasets import Dataset, load_dataset


def through(name, answers):
    """Written, read and written again."""
    Dataset.from_dict({"answer": answers}).to_json(f"{name}.jsonl")
    read = load_dataset("json", data_files=f"{name}.jsonl", split="train", cache_dir="cache")
    read.to_json(f"{name}-again.jsonl")
    again = [json.loads(line)["answer"] for line in Path(f"{name}-again.jsonl").read_text().splitlines()]
    print(f"{answers} is read as {read.features['answer'].dtype}, written again as {again}")
    return read.features["answer"].dtype, again


print("datasets", version("datasets"), "pyarrow", version("pyarrow"))
dates, mixed = ["2024-01-05", "1999-12-31"], ["2024-01-05", "unknown"]
assert through("dates", dates) == ("timestamp[s]", [1704412800000, 946598400000]), "this is no longer so"
assert through("mixed", mixed) == ("string", mixed), "this is no longer so"
PYTHON
