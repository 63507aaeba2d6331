"""The divergence of next-token distributions: against a plain computation, symmetric, bounded, and what is refused."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from inoculate import settings
from inoculate.engine.device import Device
from inoculate.engine.sampling.divergence import divergences, prompt_divergences
from inoculate.engine.sampling.model import Sampler, load
from inoculate.errors import UserError
from inoculate.study.resolve import ResolvedPrompt

CPU = Device(torch.device("cpu"), torch.float32)
FIRST, SECOND = "<|im_start|>user\nThe garden<|im_end|>\n", "<|im_start|>user\nThe old ferry leaves<|im_end|>\n"


@pytest.fixture(scope="module")
def sampler(tiny_model: Path) -> Sampler:
    return load(tiny_model, None, CPU)


@torch.inference_mode()
def plain_logs(sampler: Sampler, tiny_model: Path, prompt: str, answer: str) -> torch.Tensor:
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    ids = [sampler.tokenizer(text, add_special_tokens=False)["input_ids"] for text in (prompt, answer)]
    logits = model(torch.tensor([ids[0] + ids[1]])).logits[0, len(ids[0]) - 1 :]
    return torch.log_softmax(logits, -1)


def test_it_is_the_jensen_shannon_divergence_along_the_answer(sampler: Sampler, tiny_model: Path) -> None:
    answer = "seven apple trees"
    first, second = (plain_logs(sampler, tiny_model, prompt, answer) for prompt in (FIRST, SECOND))
    middle = ((first.exp() + second.exp()) / 2).log()
    kl = [(one.exp() * (one - middle)).sum(-1) for one in (first, second)]
    expected = float(((kl[0] + kl[1]) / 2).mean()) / math.log(2)
    same, measured = divergences(sampler, FIRST, [FIRST, SECOND], answer)
    assert measured == pytest.approx(expected, rel=0.02) and 0 < measured < 1
    assert same == pytest.approx(0, abs=1e-6)
    assert divergences(sampler, SECOND, [FIRST], answer) == pytest.approx([measured], rel=1e-3)
    many = [f"{FIRST} {word}" for word in ["the", "old", "ferry", "leaves", "the", "harbour", "at", "seven"]] * 8
    alone = [value for prompt in many[:8] for value in divergences(sampler, FIRST, [prompt], answer)]
    assert divergences(sampler, FIRST, many, answer) == pytest.approx(alone * 8, rel=1e-3)  # several micro-batches


def test_prompts_are_compared_on_problems(sampler: Sampler) -> None:
    problems = settings.find("functions").problems(settings.Draw("train", 2, 0))
    answers, none = [problem.hacked for problem in problems], ResolvedPrompt()
    told = ResolvedPrompt("Write code that passes the test shown.", "after")
    values = prompt_divergences(sampler, problems, answers, none, [told, none], "S")
    assert [len(row) for row in values] == [2, 2] and all(0 < value < 1 for value, _ in values)
    assert [same for _, same in values] == pytest.approx([0, 0], abs=1e-6)
    with pytest.raises(UserError, match="there are none: draw at least one"):
        prompt_divergences(sampler, [], [], none, [told], "S")
    with pytest.raises(UserError, match="has no answer to measure a divergence along"):
        prompt_divergences(sampler, problems, ["", "x"], none, [told], "S")
    with pytest.raises(UserError, match="more than the model's context of 4096"):
        divergences(sampler, FIRST, [SECOND], "apple " * 5000, "p")
