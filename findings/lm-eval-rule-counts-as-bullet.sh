#!/usr/bin/env bash
# lm_eval's IFEval checks: `detectable_format:number_bullet_lists` ("exactly 3 bullet points") takes for a bullet every line
# that begins with '-', or with a single '*': a Markdown rule (---), a signature (-- Ann), a line that begins in italics.
# A reply with three bullets and a rule below them is found not to follow, and one with two bullets and a rule to follow.
#
# Seen with lm_eval 0.4.13.
# Fails once that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "lm_eval[ifeval]==0.4.13"
cd "$folder"
mkdir -p nltk/tokenizers/punkt_tab # not used here; lm_eval would fetch it
export NLTK_DATA="$folder/nltk"
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

from lm_eval.tasks.ifeval.instructions import BulletListChecker

checker = BulletListChecker("detectable_format:number_bullet_lists")
print("lm_eval", version("lm_eval"))
print(checker.build_description(num_bullets=3))
replies = {
    "three bullets": "Bring:\n\n* bread\n* cheese\n* apples",
    "three bullets and a rule": "Bring:\n\n* bread\n* cheese\n* apples\n\n---\n\nEnjoy!",
    "three bullets and a line that begins in italics": "*Please* bring:\n\n- bread\n- cheese\n- apples",
    "three bullets and a signature": "Bring:\n\n- bread\n- cheese\n- apples\n\n-- Ann",
    "two bullets and a rule": "Bring:\n\n* bread\n* cheese\n\n---\n\nEnjoy!",
}
found = {name: checker.check_following(reply) for name, reply in replies.items()}
for name, followed in found.items():
    print(f"{name}: {'followed' if followed else 'not followed'}")
assert list(found.values()) == [True, False, False, False, True], "this is no longer so"
PYTHON
