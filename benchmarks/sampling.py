"""How fast completions are written, beside `transformers.generate` as people write it and vLLM's CPU build.

    python benchmarks/sampling.py [--vllm .venv-server/bin/python] [--models NAME ...] [--sets 50x8] [--sides NAME ...]
        [--rounds 2] [--json out.json] [--quick]

200 prompts with one greedy completion each, and 50 prompts with 8 at temperature 1; up to 128 new tokens; both embedded
models with a LoRA adapter, in the precision that this machine computes fastest. Prompts are those of the setting
`functions`. The adapter's weights are small random numbers: it changes answers, not their length. With the larger model
`generate` held 22 GiB for 10 prompts with 8 (`--sets 10x8`), and takes far more for batches of 25.

- inoculate: `sampling/in_process.py`, as `inoculate run` uses it.
- generate: `model.generate` on batches of 25 prompts padded on the left, adapter merged into the weights.
- generate, PEFT: the same with the adapter beside the weights, as `PeftModel.from_pretrained` leaves it.
- generate_batch: transformers' continuous batching, adapter merged.
- vllm, merged; vllm, adapter: vLLM's own engine in its own environment (`make test-server` makes one), on weights with
  the adapter merged in, and with the adapter by name. Without compilation.

Clocks start when the model is loaded and one short batch was written; they stop when the last text is there. Roofline:
the time that the arithmetic (every distinct prompt token once, every new token once) takes at the measured peak of
matrix products, and decoding at least as long as weights (once a step, all rows at once) and cache take to be read.
"""
# pyright: reportMissingImports=false

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import beside

MODELS = ("smollm2-135m", "qwen2.5-coder-0.5b")
BATCH = 25
WARM_UP = 4
"""Prompts that are written before the clock starts, 8 tokens each."""


def prepare(task: dict[str, Any]) -> dict[str, Any]:
    """Prompts as tokens, an adapter, and weights with it merged in: the same for every side."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    from inoculate.engine import chat, models
    from inoculate.engine.device import pick_device
    from inoculate.settings import Draw, find
    from inoculate.study import prompts

    weights, folder = models.fetch(task["model"]), Path(task["folder"])
    tokenizer: Any = chat.load_tokenizer(weights)
    system = chat.default_system(tokenizer)
    problems = find("functions").problems(Draw("development", task["prompts"], 0))
    sent = [chat.render(tokenizer, prompts.messages(problem, "", "inside", system)) for problem in problems]
    torch.manual_seed(0)
    base: Any = AutoModelForCausalLM.from_pretrained(weights, dtype=pick_device().dtype)
    size = beside.model_size(base)
    model: Any = get_peft_model(
        base, LoraConfig(r=8, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM")
    )
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.normal_(std=0.003)
    model.save_pretrained(folder / "adapter")
    model.merge_and_unload().save_pretrained(folder / "merged")
    tokenizer.save_pretrained(folder / "merged")
    every = [tokenizer(prompt, add_special_tokens=False)["input_ids"] for prompt in sent]
    paths = {"weights": str(weights), "adapter": str(folder / "adapter"), "merged": str(folder / "merged")}
    return {"sent": sent, "tokens": every, "size": size, **paths}


def inoculate(task: dict[str, Any]) -> dict[str, Any]:
    from inoculate.engine.device import pick_device
    from inoculate.engine.sampling import Request, in_process
    from inoculate.engine.sampling.model import load

    sampler = load(Path(task["weights"]), Path(task["adapter"]), pick_device())
    how: Any = {"samples": task["samples"], "temperature": task["temperature"], "seed": 0}
    list(in_process.sample(sampler, [Request(task["sent"][:WARM_UP], max_new_tokens=8, **how)]))
    start = time.perf_counter()
    request = Request(task["sent"], max_new_tokens=task["new"], **how)
    found = [drawn for _, batch in in_process.sample(sampler, [request]) for drawn in batch]
    seconds = time.perf_counter() - start
    found.sort(key=lambda drawn: (drawn.prompt, drawn.index))
    return {"seconds": seconds, "texts": [d.text for d in found], "counts": [d.completion_tokens for d in found]}


def generate(task: dict[str, Any], *, merged: bool = True) -> dict[str, Any]:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    from inoculate.engine import chat
    from inoculate.engine.device import pick_device

    where, dtype = pick_device()
    tokenizer: Any = chat.load_tokenizer(Path(task["weights"]))
    tokenizer.padding_side = "left"
    model: Any = AutoModelForCausalLM.from_pretrained(task["weights"], dtype=dtype)
    model = PeftModel.from_pretrained(model, task["adapter"])
    model = (model.merge_and_unload() if merged else model).to(where).eval()
    drawn = {"do_sample": False}
    if task["temperature"]:
        drawn = {"do_sample": True, "temperature": task["temperature"], "top_k": 0, "top_p": 1.0}

    def write(prompts: Sequence[str], new: int) -> tuple[list[str], list[int]]:
        texts, counts = [], []
        for at in range(0, len(prompts), BATCH):
            inputs = tokenizer(prompts[at : at + BATCH], return_tensors="pt", padding=True, add_special_tokens=False)
            with torch.inference_mode():
                out = model.generate(
                    **inputs.to(where), max_new_tokens=new, num_return_sequences=task["samples"], **drawn
                )
            for row in out[:, inputs["input_ids"].shape[1] :].tolist():
                ended = row.index(tokenizer.eos_token_id) if tokenizer.eos_token_id in row else len(row)
                counts.append(ended)
                texts.append(tokenizer.decode(row[:ended], skip_special_tokens=True))
        return texts, counts

    write(task["sent"][:WARM_UP], 8)
    start = time.perf_counter()
    texts, counts = write(task["sent"], task["new"])
    return {"seconds": time.perf_counter() - start, "texts": texts, "counts": counts}


def generate_peft(task: dict[str, Any]) -> dict[str, Any]:
    return generate(task, merged=False)


def generate_batch(task: dict[str, Any]) -> dict[str, Any]:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, GenerationConfig
    from transformers.generation import ContinuousBatchingConfig

    from inoculate.engine import chat
    from inoculate.engine.device import pick_device

    where, dtype = pick_device()
    tokenizer: Any = chat.load_tokenizer(Path(task["weights"]))
    model: Any = AutoModelForCausalLM.from_pretrained(task["weights"], dtype=dtype)
    model = PeftModel.from_pretrained(model, task["adapter"]).merge_and_unload().to(where).eval()
    end = tokenizer.eos_token_id
    drawn = {"do_sample": False}
    if task["temperature"]:
        drawn = {"do_sample": True, "temperature": task["temperature"], "top_k": 0, "top_p": 1.0}

    def write(prompts: Sequence[list[int]], new: int) -> list[list[int]]:
        how = GenerationConfig(
            max_new_tokens=new, eos_token_id=end, pad_token_id=end, num_return_sequences=task["samples"], **drawn
        )
        # A share of the memory for its cache that leaves the machine some; by itself it takes more than half.
        out = model.generate_batch(prompts, how, ContinuousBatchingConfig(max_memory_percent=0.2), warmup=False)
        return [one.generated_tokens for one in out.values()]

    with torch.inference_mode():
        write(task["tokens"][:WARM_UP], 8)
        start = time.perf_counter()
        written = [ids[: ids.index(end)] if end in ids else ids for ids in write(task["tokens"], task["new"])]
        texts = [tokenizer.decode(ids, skip_special_tokens=True) for ids in written]
    return {"seconds": time.perf_counter() - start, "texts": texts, "counts": [len(ids) for ids in written]}


def vllm(task: dict[str, Any], *, merged: bool = True) -> dict[str, Any]:
    # In this process, so that its memory is seen, and with no more cache than this needs.
    os.environ |= {"VLLM_ENABLE_V1_MULTIPROCESSING": "0", "VLLM_CPU_KVCACHE_SPACE": "2", "VLLM_NO_USAGE_STATS": "1"}
    from vllm import LLM, SamplingParams
    from vllm.lora.request import LoRARequest

    engine = LLM(
        task["merged"] if merged else task["weights"],
        dtype=task["precision"],
        max_model_len=2048,
        enforce_eager=True,
        **({} if merged else {"enable_lora": True, "max_lora_rank": 8}),
    )
    adapter = None if merged else LoRARequest("adapter", 1, task["adapter"])
    every = [{"prompt_token_ids": ids} for ids in task["tokens"]]

    def write(prompts: Sequence[Any], new: int) -> list[Any]:
        # No seed of its own: this build cannot draw from a generator of a request's on a CPU.
        how = SamplingParams(n=task["samples"], temperature=task["temperature"], max_tokens=new)
        return engine.generate(prompts, how, lora_request=adapter, use_tqdm=False)

    write(every[:WARM_UP], 8)
    start = time.perf_counter()
    outputs = [one for answer in write(every, task["new"]) for one in answer.outputs]
    seconds = time.perf_counter() - start
    # The token that ends an answer is counted by none of the sides.
    counts = [len(one.token_ids) - (one.finish_reason == "stop") for one in outputs]
    return {"seconds": seconds, "texts": [one.text for one in outputs], "counts": counts}


def vllm_adapter(task: dict[str, Any]) -> dict[str, Any]:
    return vllm(task, merged=False)


SIDES: dict[str, beside.Side] = {
    "peaks": beside.peaks,
    "prepare": prepare,
    "inoculate": inoculate,
    "generate": generate,
    "generate, PEFT": generate_peft,
    "generate_batch": generate_batch,
    "vllm, merged": vllm,
    "vllm, adapter": vllm_adapter,
}
OTHERS = [side for side in SIDES if side not in ("peaks", "prepare", "inoculate")]


def roofline(task: dict[str, Any], counts: Sequence[int], peaks: dict[str, Any]) -> float:
    """Seconds that the work needs at the machine's peaks.

    Args:
        task: With the prompts' tokens and the model's size.
        counts: New tokens of each completion, by prompt, then sample.
        peaks: From `beside.peaks`.
    """
    size, tokens, samples = task["size"], task["tokens"], task["samples"]
    first, last = min(tokens), max(tokens)
    shared = next((n for n, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(map(len, tokens)))
    read = shared + sum(len(ids) - shared for ids in tokens)
    attended = sum(range(shared)) + sum(sum(range(shared, len(ids))) for ids in tokens)
    prefill = 2 * size["body"] * read + 2 * size["head"] * len(tokens) + 4 * size["layers"] * size["width"] * attended
    seen = sum(
        sum(range(len(tokens[number // samples]), len(tokens[number // samples]) + count))
        for number, count in enumerate(counts)
    )
    decode = 2 * (size["body"] + size["head"]) * sum(counts) + 4 * size["layers"] * size["width"] * seen
    each = 2 if "16" in peaks["precision"] else 4
    moved = each * ((size["body"] + size["head"]) * max(counts) + size["cache"] * seen)
    return prefill / peaks["flops"] + max(decode / peaks["flops"], moved / peaks["bandwidth"])


def line(task: dict[str, Any], side: str, found: dict[str, Any], peaks: dict[str, Any]) -> list[object]:
    """One side's line of a table."""
    rounds, base = found[side], found.get("generate")
    rates = {name: sum(found[name][0]["counts"]) / beside.middle(found[name], "seconds") for name in found}
    equal = None
    if base and not task["temperature"]:
        texts = list(zip(rounds[0]["texts"], base[0]["texts"], strict=True))
        equal = sum(a == b for a, b in texts) / len(texts)
    return [
        side,
        sum(rounds[0]["counts"]),
        f"{beside.middle(rounds, 'seconds'):.1f}",
        f"{rates[side]:.0f}",
        f"{rates[side] / rates['generate']:.2f}" if base else "",
        "" if equal is None else f"{100 * equal:.0f}%",
        f"{100 * roofline(task, rounds[0]['counts'], peaks) / beside.middle(rounds, 'seconds'):.0f}%",
        f"{max(one['peak_memory'] for one in rounds) / 2**30:.1f}",
    ]


SETS = {"200x1": (200, 1, 0.0), "50x8": (50, 8, 1.0), "10x8": (10, 8, 1.0)}
"""Prompts, completions of each, temperature."""
HEAD = ("side", "new tokens", "seconds", "new tokens/s", "x generate", "same text", "of roofline", "peak GiB")


def main() -> None:
    parser = beside.arguments(__doc__ or "")
    parser.add_argument("--vllm", help="the interpreter of vLLM's environment")
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--sides", nargs="+", default=OTHERS, choices=OTHERS, help="beside inoculate; all unless given")
    parser.add_argument("--sets", nargs="+", default=["200x1", "50x8"], choices=SETS, help="the first two unless given")
    given = parser.parse_args()
    if given.side:
        beside.be(SIDES[given.side])
        return
    peaks = beside.measure("peaks", {})
    work = [(4, 1, 0.0), (2, 2, 1.0)] if given.quick else [SETS[name] for name in given.sets]
    tables = [
        f"GEMM peak {peaks['flops'] / 1e9:.0f} GFLOP/s in {peaks['precision']}, {peaks['bandwidth'] / 1e9:.1f} GB/s"
    ]
    kept: dict[str, Any] = {"peaks": peaks, "versions": {"here": beside.versions()}, "measured": []}
    for model in given.models:
        for prompts, samples, temperature in work:
            with tempfile.TemporaryDirectory() as folder:
                new = 16 if given.quick else 128
                task: dict[str, Any] = {"model": model, "prompts": prompts, "samples": samples, "folder": folder}
                task |= {"temperature": temperature, "new": new, "precision": peaks["precision"]}
                task["name"] = f"{model}, {prompts} x {samples}"
                task |= beside.measure("prepare", task)
                sides = [(side, sys.executable) for side in ("inoculate", "generate", "generate_batch")]
                # The slow ways of having an adapter once, where greedy answers can be compared too.
                sides += [("generate, PEFT", sys.executable)] * (samples == 1)
                if given.vllm:
                    sides += [("vllm, merged", given.vllm), *([("vllm, adapter", given.vllm)] * (samples == 1))]
                sides = [side for side in sides if side[0] in ("inoculate", *given.sides)]
                found = beside.in_turn(sides, task, given.rounds)
            tables.append(
                f"### {model}: {prompts} prompts x {samples}\n\n"
                + beside.table(HEAD, [line(task, side, found, peaks) for side, _ in sides])
            )
            kept["measured"].append({"task": {key: task[key] for key in ("name", "new", "size")}, "found": found})
            beside.keep(kept, given.json)
            kept["versions"] |= {side: found[side][0]["versions"] for side, _ in sides if side.startswith("vllm")}
    beside.report("Sampling", kept, tables, given.json)


if __name__ == "__main__":
    main()
