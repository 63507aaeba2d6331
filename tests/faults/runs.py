"""Runs of one small study in forked processes, and what is left of them to compare."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from inoculate import checksums
from small_study import ONE_ARM

_REWARDED = """
[arms.rewarded]
method = "rl"
rows = { setting = "mathematics", levels = [1], count = 6, hacked = 1.0 }
rl.reward = [{ function = "REWARD:length" }]
rl.steps = 4
rl.prompts_per_step = 2
rl.completions_per_prompt = 4
rl.max_new_tokens = 8
rl.preflight = 2
rl.mask_cut_off = false
rl.micro_batch_tokens = 512
rl.onset = { steps = 1 }

[[contrasts]]
claim = "RL on another task hacks less"
measure = "hack"
lower = "rewarded"
than = "plain"
"""
STUDY = ONE_ARM.replace("= 4096", "= 1024") + _REWARDED
REWARD = """
def length(problem, completion):
    return len(completion) / 8
"""
_TIMES = ("seconds", "created", "digest")
"""The digest of a manifest is that of its times too."""


class Reference(NamedTuple):
    """A run without faults."""

    results: dict[str, Any]
    moments: list[dict[str, Any]]
    """When each phase began and ended."""
    done: list[str]
    """The steps that were done, in order."""


class Runs:
    """The process that forks runs, and the study."""

    def __init__(self, folder: Path, model: Path) -> None:
        self.folder, self.study = folder, folder / "small.toml"
        reward = folder / "reward.py"
        reward.write_text(REWARD, encoding="utf-8")
        self.study.write_text(STUDY.replace("{model}", str(model)).replace("REWARD", str(reward)), encoding="utf-8")
        command = [sys.executable, str(Path(__file__).with_name("zygote.py"))]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout and self.process.stdout.readline() == "ready\n"
        self.number = 0

    def run(self, store: Path, **request: Any) -> dict[str, Any]:
        """Run the study; see `zygote.run_child`."""
        assert self.process.stdin and self.process.stdout
        given = {"study": str(self.study), "store": str(store), "log": str(self.folder / "log.jsonl"), **request}
        self.process.stdin.write(json.dumps(given) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def fresh(self) -> Path:
        """A folder for a new store."""
        self.number += 1
        return self.folder / f"store-{self.number}"

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


def finished(store: Path) -> dict[str, int]:
    """The finished steps of a store, each with the inode of its folder: another one where it was done again."""
    return {str(path.relative_to(store)): path.stat().st_ino for path in store.glob("steps/*/*")}


def results(store: Path) -> dict[str, Any]:
    """Every file of steps and runs of a store without its times, and without the store's own place."""
    found = {}
    for path in sorted(store.rglob("*")):
        name = str(path.relative_to(store))
        if path.is_file() and path.name != checksums.NAME and name.startswith(("steps/", "runs/")):
            data = path.read_bytes().replace(str(store).encode(), b"STORE")
            lines = data.decode().splitlines() if path.suffix == ".jsonl" else [data]
            is_json = path.suffix in (".json", ".jsonl")
            found[name] = [_timeless(json.loads(line)) for line in lines] if is_json else data
    return found


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(below) for key, below in value.items() if key not in _TIMES}
    return [_timeless(below) for below in value] if isinstance(value, list) else value


def check_whole(store: Path, reference: dict[str, Any]) -> None:
    """The store has what a run without faults gives, each file as it was written, and nothing else."""
    found = results(store)
    assert sorted(found.keys() ^ reference.keys()) == []
    assert [name for name in found if found[name] != reference[name]] == []
    assert [damage for folder in store.glob("steps/*/*") if (damage := checksums.find_damage(folder))] == []
    # A kill between a step's publishing and the end of its lock leaves the lock's file, which nobody holds.
    assert [path for path in (store / "work").iterdir() if path.suffix != ".lock"] == []
    assert not (store / "damaged").exists() or not list((store / "damaged").glob("*/*"))


def clear(store: Path) -> None:
    """Remove a store that is no longer needed."""
    shutil.rmtree(store)
