"""Rounding errors of bfloat16 against float32: with transformers' own attention, and with `sampling/model.py`.

    python benchmarks/rounding.py [--model smollm2-135m] [--problems 16] [--tokens 16]

Prompts of `functions` with their honest answers, so that all ways see the same text; the last
tokens are decoded one by one here, as in sampling. Printed for every way, over all those tokens: the root mean square
by which the log-probability (nats) of float32's likeliest token is off, the mean Kullback-Leibler divergence from
float32 (nats), and the share of tokens where the likeliest one is another.
"""

from __future__ import annotations

import argparse
from typing import Any

import beside
import torch
from transformers import AutoModelForCausalLM

from inoculate.engine import chat, models
from inoculate.engine.device import Device
from inoculate.engine.sampling.kv_cache import KVCache
from inoculate.engine.sampling.model import Sampler, decode_step, load, prefill
from inoculate.settings import Draw, find
from inoculate.study import prompts

CPU = torch.device("cpu")


@torch.inference_mode()
def at_once(model: Any, texts: list[list[int]], last: int) -> torch.Tensor:
    """Logits (N, V) before each of the last tokens, from whole texts."""
    return torch.cat([model(torch.tensor([ids])).logits[0, -last - 1 : -1].float() for ids in texts])


@torch.inference_mode()
def one_by_one(sampler: Sampler, texts: list[list[int]], last: int) -> torch.Tensor:
    """The same, with the last tokens decoded one by one."""
    found = []
    for ids in texts:
        prompt_cache, cache, length = KVCache(1), KVCache(1), len(ids) - last
        found.append(prefill(sampler, prompt_cache, 0, [0], [ids[:length]]))
        found += [
            decode_step(sampler, cache, prompt_cache, 1, 1, [(0, length, 0, ids[length : at + 1])])
            for at in range(length, len(ids) - 1)
        ]
    return torch.cat(found).float()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--problems", type=int, default=16)
    parser.add_argument("--tokens", type=int, default=16)
    given = parser.parse_args()
    weights = models.fetch(given.model)
    tokenizer: Any = chat.load_tokenizer(weights)
    system = chat.default_system(tokenizer)
    texts = []
    for problem in find("functions").problems(Draw("development", given.problems, 0)):
        prompt = chat.render(tokenizer, prompts.messages(problem, "", "inside", system))
        texts.append(tokenizer(prompt + problem.honest, add_special_tokens=False)["input_ids"])

    def plain(dtype: torch.dtype) -> torch.Tensor:
        return at_once(AutoModelForCausalLM.from_pretrained(weights, dtype=dtype), texts, given.tokens)

    true = plain(torch.float32).log_softmax(-1)
    ours = load(weights, None, Device(CPU, torch.bfloat16))
    ways = {
        "transformers, bfloat16": plain(torch.bfloat16),
        "inoculate, bfloat16": one_by_one(ours, texts, given.tokens),
    }
    likeliest, lines = true.argmax(-1), []
    for name, logits in ways.items():
        found = logits.log_softmax(-1)
        off = (found - true).gather(1, likeliest[:, None]).square().mean().sqrt()
        apart = (true.exp() * (true - found)).sum(-1).mean()
        other = (found.argmax(-1) != likeliest).float().mean()
        lines.append((name, f"{off:.4f}", f"{apart:.5f}", f"{100 * other:.1f}%"))
    head = ("way", "log-probability off", "divergence", "another token")
    print(f"{given.model}, {len(true)} tokens; {beside.machine()}\n")
    print(beside.table(head, lines))


if __name__ == "__main__":
    main()
