"""Arithmetic for docs/scale.md: what a study of very many trainings of a large model asks for. It measures nothing.

python benchmarks/scale.py
"""

from __future__ import annotations

TRAININGS = 10_000
PARAMETERS, LAYERS, HIDDEN, INNER, KEYS, RANK = 70e9, 80, 8192, 28672, 1024, 8
"""Of Llama 3 70B, and this package's default LoRA rank on all linear layers."""
CELLS, PROBLEMS, NEW_TOKENS, PROMPT_TOKENS = 20, 200, 100, 200
"""Of each training: settings x contexts, and what one of its problems takes."""
ROWS, ROW_TOKENS = 256, 300
COMPLETION_BYTES, GRADE_BYTES, CELL_BYTES = 1000, 260, 400
"""Of a completion of 100 tokens with its prompt, of its grade, and of a cell in a manifest."""
FLOPS, NODE_GPUS, BUSY = 990e12, 8, 0.4
"""Of an H100 in bfloat16 by its data sheet, and how much of it a training is taken to reach."""
READ_BYTES, SAMPLED_TOKENS = 2e9, 5000
"""Assumed of a node of eight: bytes a second from shared storage, and new tokens a second from a server."""
GRADE_SECONDS = 0.01
"""Of one core: `steps.estimate`."""
NODE_HOUR = 3600.0


def lora_parameters() -> float:
    """Parameters of an adapter."""
    attention = 2 * (HIDDEN + HIDDEN) + 2 * (HIDDEN + KEYS)
    return RANK * LAYERS * (attention + 3 * (HIDDEN + INNER))


def facts() -> list[tuple[str, str]]:
    """What is asked for, and how much of it."""
    adapter, cells = 4 * lora_parameters(), TRAININGS * CELLS
    answers = cells * PROBLEMS
    load = 2 * PARAMETERS / READ_BYTES
    train = 4 * PARAMETERS * ROWS * ROW_TOKENS / (FLOPS * NODE_GPUS * BUSY)
    sample = answers * NEW_TOKENS / SAMPLED_TOKENS / NODE_HOUR
    return [
        ("steps (rows, their check, adapter; samples and grades of each cell)", f"{TRAININGS * (3 + 2 * CELLS):,}"),
        ("tasks, the cells of an adapter in one", f"{TRAININGS * (4 + CELLS):,}"),
        ("parameters of an adapter", f"{lora_parameters() / 1e6:.0f} million: {adapter / 1e9:.2f} GB in float32"),
        ("adapters", f"{TRAININGS * adapter / 1e12:.1f} TB"),
        ("completions", f"{answers / 1e6:.0f} million: {answers * COMPLETION_BYTES / 1e9:.0f} GB"),
        ("their grades", f"{answers * GRADE_BYTES / 1e9:.0f} GB, {answers * GRADE_SECONDS / NODE_HOUR:.0f} core hours"),
        ("the manifest, one JSON file", f"{cells * CELL_BYTES / 1e6:.0f} MB"),
        ("the base model", f"{2 * PARAMETERS / 1e9:.0f} GB in bfloat16: {load:.0f} s to read"),
        ("one training, once that is loaded", f"{train:.1f} s of a node of eight"),
        ("all trainings, the model loaded for each", f"{TRAININGS * (load + train) / NODE_HOUR:.0f} node hours"),
        ("all trainings, the model loaded once", f"{TRAININGS * train / NODE_HOUR:.0f} node hours"),
        ("all samples from such a server", f"{sample:.0f} node hours"),
        ("and the model loaded for each adapter", f"{TRAININGS * load / NODE_HOUR:.0f} node hours more"),
    ]  # fmt: skip


def main() -> None:
    """Print the table."""
    print("| what | how much |\n| --- | --- |")
    for what, value in facts():
        print(f"| {what} | {value} |")


if __name__ == "__main__":
    main()
