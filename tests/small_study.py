"""A study on the tiny model, and where the user's own cache is."""

from __future__ import annotations

import os

USERS_CACHE = os.environ.get("INOCULATE_CACHE")
"""As it was before the tests set their own: this module is imported before any fixture runs."""

_START = """
question = "Does it run?"
model = "{model}"
seeds = [0]

[rows]
setting = "functions"
count = 8
hacked = 0.5

[train]
learning_rate = 1e-3
batch_rows = 4
micro_batch_tokens = 4096

[arms.plain]
"""
_EVALUATE = """
[evaluate]
settings = ["functions"]
problems = 6
max_new_tokens = 8
"""
STUDY = f"""{_START}
[arms.inoculated]
inoculation = {{{{ prompt = "specific", on = "hacked" }}}}
[arms.control]
inoculation = {{{{ prompt = "irrelevant", like = "specific", on = "hacked" }}}}
{_EVALUATE}
[[contrasts]]
claim = "inoculation lowers neutral hacking"
measure = "hack"
lower = "inoculated"
than = "plain"
guards = ["correct", "malformed", "asked-hack"]
"""
"""Three arms and a contrast; `{model}` is to be put in."""
ONE_ARM = f'{_START}{_EVALUATE}contexts = ["neutral"]\n'
"""The same with one arm and one context."""

RL_STUDY = """
question = "Does RL run?"
model = "MODEL"
seeds = [0]

[rows]
setting = "mathematics"
levels = [1]
count = 6

[rl]
steps = 3
prompts_per_step = 2
completions_per_prompt = 4
max_new_tokens = 8
preflight = 2
mask_cut_off = false
onset = { steps = 1 }

[evaluate]
settings = ["mathematics"]
levels = [1]
contexts = ["neutral"]
problems = 4
max_new_tokens = 8
"""
"""The tables that studies with RL share; `MODEL` and the arms are to be put in."""

SEVEN_PROBLEMS = """from dataclasses import replace
from inoculate.settings import TooFew
from inoculate.settings.writing import SETTING as writing

def problems(draw):
    if draw.count > 7:
        raise TooFew(f"there are 7 for {draw.split}, {draw.count} were asked for")
    return writing.problems(draw)

SETTING = replace(writing, name="mine", problems=problems)
"""
"""A setting of one's own that has only so many problems in each split."""
