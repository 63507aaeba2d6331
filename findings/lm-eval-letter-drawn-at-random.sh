#!/usr/bin/env bash
# lm_eval's IFEval checks: where the "letter" of keywords:letter_frequency is a sign that is no letter (the data set has
# prompts that ask for '#' and '!'), a letter is drawn at random in its place, without a word. The verdict on one and the
# same reply then changes from call to call.
#
# Seen with lm_eval 0.4.13: a reply with four '#', which was asked for at least four, is sometimes followed, mostly not.
# Fails once that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "lm_eval[ifeval]==0.4.13"
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
from collections import Counter
from importlib.metadata import version

from lm_eval.tasks.ifeval.instructions import LetterFrequencyChecker

reply = "# One\n# Two\n# Three\n# Four\nEvery part of this hymn has a heading."
letters, verdicts = Counter(), Counter()
for _ in range(200):
    checker = LetterFrequencyChecker("keywords:letter_frequency")
    checker.build_description(letter="#", let_frequency=4, let_relation="at least")
    letters[checker.get_instruction_args()["letter"]] += 1
    verdicts[checker.check_following(reply)] += 1
print("lm_eval", version("lm_eval"))
print(f"asked for '#' at least 4 times; looked for {len(letters)} different letters, '#' {letters['#']} times of 200")
print(f"one reply with four '#': followed {verdicts[True]} times, not followed {verdicts[False]} times")
assert letters["#"] == 0 and len(letters) > 10 and verdicts[True] and verdicts[False], "this is no longer so"
PYTHON
