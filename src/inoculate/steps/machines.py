"""Which machine carried out which step: every `step.json` says it, and the manifest sums it up."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from inoculate import __version__

_LIBRARIES = ("torch", "transformers", "trl", "peft", "numpy", "scipy", "py3langid", "sentencex")


@cache
def versions() -> dict[str, str]:
    """Versions of this package, and of the libraries on which results depend."""
    return {"inoculate": __version__, **{name: version(name) for name in _LIBRARIES}}


@cache
def processor() -> str:
    """The model of this machine's processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()


def describe() -> dict[str, Any]:
    """This machine: `name` (system and processor, never the host's name), `cpu`, `cores`, `versions`."""
    name = f"{platform.system()} {platform.machine()}, {processor()}"
    return {"name": name, "cpu": processor(), "cores": os.cpu_count(), "versions": versions()}


def summarise(done: Iterable[tuple[int | None, dict[str, Any], str | None]]) -> list[dict[str, Any]]:
    """Which machine did which seed.

    Args:
        done: For every finished piece of work its seed (None for the untrained arm), its `step.json`, and the device
            where models ran.

    Returns:
        For every machine `name`, `cpu`, `cores`, `versions`, `devices`, `seeds`, `base` (whether it sampled the
        untrained arm), `steps` (how many of these pieces of work) and `imported` (whether they came in a file). One
        machine is there twice where libraries were changed on it.
    """
    found: dict[str, dict[str, Any]] = {}
    for seed, record, device in done:
        machine = record.get("machine") or {"name": "not recorded", "cpu": "", "cores": None, "versions": {}}
        entry = found.setdefault(
            json.dumps(machine, sort_keys=True),
            {**machine, "devices": [], "seeds": [], "base": False, "steps": 0, "imported": False},
        )
        if device and device not in entry["devices"]:
            entry["devices"].append(device)
        if seed is None:
            entry["base"] = True
        elif seed not in entry["seeds"]:
            entry["seeds"].append(seed)
        entry["steps"] += 1
        entry["imported"] = entry["imported"] or bool(record.get("imported"))
    for entry in found.values():
        entry["seeds"].sort()
    return sorted(found.values(), key=lambda entry: (not entry["base"], entry["seeds"], entry["name"]))
