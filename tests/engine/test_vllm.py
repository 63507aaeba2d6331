"""A real server, vLLM's CPU build in an environment of its own: the same greedy answers, adapters by name, and what
happens when it is killed in mid-run. `make test-server` makes the environment and runs this.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from fake_server import free_port
from inoculate.engine import chat, models
from inoculate.engine.device import pick_device
from inoculate.engine.sampling import Request, SampledCompletion, in_process, server
from inoculate.engine.sampling.model import load
from inoculate.errors import UserError
from inoculate.records import Message
from small_study import USERS_CACHE

PYTHON = os.environ.get("INOCULATE_VLLM", "")
"""The interpreter of the environment that vLLM is in."""
BOOT_SECONDS = 1800
"""At most so long until it answers; about a minute on two quiet cores."""
MODEL = "smollm2-135m"

pytestmark = [pytest.mark.server, pytest.mark.skipif(not PYTHON, reason="INOCULATE_VLLM is not set: make test-server")]


class Vllm:
    """A server process that can be killed and started again at the same port."""

    def __init__(self, weights: Path, log: Path) -> None:
        self.weights, self.log, self.port = weights, log, free_port()
        self.url = f"http://127.0.0.1:{self.port}/v1"

    def start(self) -> None:
        """Start without waiting."""
        # As a module: the command `vllm` asks for a package of that name, which the CPU build does not have.
        command = [PYTHON, "-m", "vllm.entrypoints.openai.api_server", "--model", str(self.weights)]
        command += ["--served-model-name", MODEL, "--host", "127.0.0.1", "--port", str(self.port), "--enforce-eager"]
        command += ["--dtype", "bfloat16", "--max-model-len", "512", "--enable-lora", "--max-lora-rank", "8"]
        own = {"VLLM_ALLOW_RUNTIME_LORA_UPDATING": "True", "VLLM_CPU_KVCACHE_SPACE": "1", "HF_HUB_OFFLINE": "1"}
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                command,
                env={**os.environ, **own, "VLLM_NO_USAGE_STATS": "1"},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait(self) -> None:
        """Until it answers."""
        deadline = time.monotonic() + BOOT_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                httpx2.get(f"{self.url}/models", timeout=10).raise_for_status()
                return
            except httpx2.HTTPError:
                time.sleep(1)
        raise RuntimeError(f"vLLM does not answer:\n{self.log.read_text()[-3000:]}")

    def kill(self) -> None:
        """Kill it and the process that its model is in."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture(scope="module")
def weights() -> Path:
    given = os.environ["INOCULATE_CACHE"]
    os.environ["INOCULATE_CACHE"] = USERS_CACHE or ""
    try:
        return models.fetch(MODEL)
    finally:
        os.environ["INOCULATE_CACHE"] = given


@pytest.fixture(scope="module")
def vllm(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vllm]:
    made = Vllm(weights, tmp_path_factory.mktemp("vllm") / "log")
    made.start()
    try:
        made.wait()
        yield made
    finally:
        made.kill()


def adapter_of(weights: Path, folder: Path, rank: int) -> Path:
    """An adapter that changes what the model says, and not much."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    base: Any = AutoModelForCausalLM.from_pretrained(weights, dtype=torch.bfloat16)
    model: Any = get_peft_model(base, LoraConfig(r=rank, target_modules="all-linear", task_type="CAUSAL_LM"))
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.normal_(std=0.02)
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def adapter(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return adapter_of(weights, tmp_path_factory.mktemp("adapter"), 8)


def sampler(vllm: Vllm, adapter: Path | None) -> server.Sampler:
    from transformers import AutoTokenizer

    found = server.connect(vllm.url, MODEL, vllm.weights)
    assert found.context == 512
    return server.Sampler(found, AutoTokenizer.from_pretrained(vllm.weights), adapter)


def draw_from(which: server.Sampler, request: Request) -> Iterator[list[SampledCompletion]]:
    return (batch for _, batch in server.sample(which, [request]))


def prompts(which: server.Sampler) -> list[str]:
    return [
        chat.render(which.tokenizer, [Message("user", f"Write a Python function that adds {n} to a number.")])
        for n in range(2, 14)
    ]


def test_greedy_answers_are_those_of_this_process(vllm: Vllm, weights: Path, adapter: Path) -> None:
    """Up to rounding: bfloat16 sums in another order, and a tie that falls the other way changes all that follows."""
    greedy: Any = {"samples": 1, "temperature": 0.0, "max_new_tokens": 24, "seed": 0}
    texts: dict[tuple[str, bool], list[str]] = {}
    for folder in (None, adapter):
        which = sampler(vllm, folder)
        sent = prompts(which)
        request = Request(sent, **greedy)
        here = (batch for _, batch in in_process.sample(load(weights, folder, pick_device()), [request]))
        for engine, batches in (("server", draw_from(which, request)), ("here", here)):
            found = sorted((drawn.prompt, drawn.text) for batch in batches for drawn in batch)
            assert [prompt for prompt, _ in found] == list(range(len(sent)))
            texts[engine, folder is not None] = [text for _, text in found]
    for adapted in (False, True):
        pairs = list(zip(texts["server", adapted], texts["here", adapted], strict=True))
        assert sum(there == here for there, here in pairs) >= len(pairs) / 2
    assert texts["server", False] != texts["server", True]


def test_killed_in_mid_run_and_started_again(vllm: Vllm, adapter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "RETRY_SECONDS", BOOT_SECONDS)
    monkeypatch.setattr(server, "IN_FLIGHT", 8)
    which = sampler(vllm, adapter)
    found: list[SampledCompletion] = []
    killed = False
    request = Request(prompts(which), samples=3, temperature=1.0, max_new_tokens=16, seed=0)
    for batch in draw_from(which, request):
        found += batch
        if not killed:
            vllm.kill()
            vllm.start()
            killed = True
    counts = Counter((drawn.prompt, drawn.index) for drawn in found)
    assert counts == {(prompt, index): 1 for prompt in range(12) for index in range(3)}
    assert all(drawn.completion_tokens <= 16 for drawn in found)
    assert len({drawn.text for drawn in found}) > 12  # samples of a prompt have streams of their own


def test_an_adapter_of_too_high_a_rank_is_refused_in_words(vllm: Vllm, weights: Path, tmp_path: Path) -> None:
    which = sampler(vllm, adapter_of(weights, tmp_path, 16))
    with pytest.raises(UserError, match=r"did not load the adapter.*--max-lora-rank 16 or more"):
        next(draw_from(which, Request(prompts(which), samples=1, temperature=0.0, max_new_tokens=4, seed=0)))
