"""The arithmetic floor of a step of RL, as `benchmarks/rl.py` prints it: against counts by hand and by torch."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoModelForCausalLM


@pytest.fixture(scope="module")
def bench() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
        yield importlib.import_module("rl")
        for name in ("rl", "beside"):
            sys.modules.pop(name, None)


FIRST, SECOND = [*range(20), 50], [*range(20), 60, 61]
"""Two prompts that share twenty tokens."""


def test_prompts_and_what_completions_share_count_once(bench: Any) -> None:
    drawn = [[1, 2, 3], [1, 2, 4], [7], [8, 9]]
    step = bench.Drawn([FIRST, FIRST, SECOND, SECOND], drawn, [True, True, False, False])
    found = bench.computed(step)
    assert found.length == 9 / 4
    assert found.sampled == (20 + 1 + 2 + 9, 9)  # the tree of prompts, and each new token
    tokens, labels = found.trained
    # The group without spread has no part. The other shares its prompt, and may share two tokens of its answers.
    assert 21 + 4 <= tokens <= 21 + 6 and 4 <= labels <= 6
    assert bench.computed(bench.Drawn([FIRST], [[1]], [False])).trained == (0, 0)


def test_the_floor_is_the_time_of_the_products_that_torch_counts(bench: Any, tiny_model: Path) -> None:
    model: Any = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32, attn_implementation="eager")
    size = bench.beside.model_size(model)
    ids = torch.tensor([[5, 6, 7, 8, 9, 10, 11]])
    with FlopCounterMode(display=False) as counter:
        model(ids)
    products = {str(name): count for name, count in counter.get_flop_counts()["Global"].items()}
    count = sum(count for name, count in products.items() if "bmm" not in name)  # which is attention
    norms = sum(weight.numel() for name, weight in model.named_parameters() if "norm" in name)
    assert count == pytest.approx(bench.beside.products(size, 7, 7, back=False) - 2 * 7 * norms)
    once = bench.floor(size, {"sampled": (7, 7), "trained": (0, 0)}, 1e9)
    assert once == pytest.approx(bench.beside.products(size, 7, 7, back=False) / 1e9)
    assert bench.floor(size, {"sampled": (7, 7), "trained": (7, 7)}, 1e9) == pytest.approx(3 * once)


def test_a_line_has_the_floor_of_its_own_completions(bench: Any) -> None:
    size = {"body": 1000, "head": 100}
    steps = [
        bench.Computed(2.0, (10, 4), (8, 4)),
        bench.Computed(3.0, (10, 4), (8, 4)),
        bench.Computed(4.0, (30, 8), (8, 4)),
    ]
    found = {"inoculate": [bench.between([0.0, 9.0, 12.0, 16.0], steps) | {"peak_memory": 2**30}]}
    shown = dict(zip(bench.HEAD, bench.line("inoculate", found, size, 1e4), strict=True))
    assert (shown["seconds a step"], shown["tokens of a completion"]) == ("3.5", "4")
    # Of the two steps that count: (2 x (20,000 + 600) + 4 x (8,000 + 400)) / 10,000
    assert shown["floor, seconds"] == "7.5"
