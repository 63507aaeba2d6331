"""Sampling from a server that speaks OpenAI's completions protocol: vLLM and the like.

Prompts go as tokens, made here by the model's own tokenizer, so that the server reads exactly what is stored and adds
nothing of its own. Every completion is a request of its own (a server's prefix cache shares what prompts have in
common); many are in flight at once. A request that failed for a reason that may pass (no connection, 429, 5xx, an
answer that broke off) is made again. A completion is kept under the prompt and the sample that it was asked for, the
moment its whole answer is here: so nothing is lost, doubled or mixed up, whichever requests fail and in whatever order
answers come.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import httpx2
from transformers import PreTrainedTokenizerBase

from inoculate.engine.sampling import Drawn
from inoculate.engine.sampling.loop import event_loop
from inoculate.errors import UserError

IN_FLIGHT = 128
"""Requests at once: enough to fill a GPU; a slower server queues what it cannot take yet."""
PATIENCE = 300.0
"""Seconds that a request goes on being tried after it first failed: time for a large model's server to start again."""
FIRST_WAIT, LONGEST_WAIT = 0.5, 15.0
"""Seconds before a request is made again; doubled each time."""
ANSWER_TIMEOUT = 1800.0
"""Seconds for an answer: with many requests in flight each waits for the others."""
KEY = "INOCULATE_SERVER_KEY"
"""Environment variable: the key of a server that wants one."""

_MAY_PASS = {408, 429, 500, 502, 503, 504}
_NOTHING_ELSE = {
    "top_p": 1.0,
    "top_k": -1,
    "min_p": 0.0,
    "repetition_penalty": 1.0,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
}
"""Said, because servers otherwise take what the model's generation_config.json suggests (for Qwen a penalty on
repetition, which changes greedy answers too)."""

Key = tuple[int, int]
"""A prompt's index, and which of its samples."""
T = TypeVar("T")


class _Passing(Exception):
    """A failure that may pass, with the seconds that the server asks us to wait."""

    def __init__(self, words: str, wait: float = 0.0) -> None:
        super().__init__(words)
        self.wait = wait


@dataclass(frozen=True)
class Server:
    """A server that was found to serve the model."""

    url: str
    model: str
    """What requests call the untrained model."""
    context: int | None
    """Tokens of prompt and completion together; None where the server does not say."""
    said: dict[str, Any]
    """What it says of itself, for the record."""


@dataclass(frozen=True)
class Sampler:
    """A model on a server, with or without an adapter."""

    server: Server
    tokenizer: PreTrainedTokenizerBase
    adapter: Path | None
    """A PEFT folder that the server can read too."""


def connect(url: str, model: str, weights: Path) -> Server:
    """Find the model on a server.

    Args:
        url: The address, '/v1' included.
        model: What the study calls the model.
        weights: Its folder of weights; a server that was started with this folder calls the model by it.

    Raises:
        UserError: There is no server, it wants a key, or it serves something else.
    """
    url = url.rstrip("/")
    start = (
        f"start one with: VLLM_ALLOW_RUNTIME_LORA_UPDATING=True vllm serve {weights} --served-model-name {model} "
        "--enable-lora"
    )
    try:
        answer = httpx2.get(f"{url}/models", headers=_headers(), timeout=10)
    except (httpx2.TransportError, httpx2.InvalidURL) as error:
        raise UserError(f"no server answers at {url} ({_of(error)}); for instance, {start}") from error
    _check_key(url, answer)
    try:
        cards = answer.raise_for_status().json()["data"]
        served = {str(card["id"]): card for card in cards}
    except (httpx2.HTTPStatusError, ValueError, LookupError, TypeError) as error:
        raise UserError(
            f"{url}/models answered {answer.status_code}, which is not a list of models: {_words(answer)} "
            "(the address of an OpenAI-compatible server mostly ends in /v1)"
        ) from error
    # The hub's name of an embedded model does not count: the weights there are not the ones adapters are trained on.
    for name, card in served.items():
        if name == model or str(weights) in (name, card.get("root")):
            said = {key: card[key] for key in ("owned_by", "root", "max_model_len") if key in card}
            return Server(url, name, card.get("max_model_len"), {"server": url, "model": name, **said, **_version(url)})
    raise UserError(
        f"the server at {url} does not serve '{model}': it serves {', '.join(served) or 'nothing'}; {start}"
    )


def _version(url: str) -> dict[str, Any]:
    """What a vLLM server says of its version; nothing where another does not."""
    try:
        answer = httpx2.get(f"{url.removesuffix('/v1')}/version", headers=_headers(), timeout=10)
        return {"version": answer.json()["version"]} if answer.is_success else {}
    except (httpx2.TransportError, ValueError, LookupError, TypeError):
        return {}


def sample(
    sampler: Sampler,
    prompts: Sequence[str],
    *,
    samples: int,
    temperature: float,
    max_new_tokens: int,
    seed: int,
    done: Collection[Key] = (),
    names: Sequence[str] = (),
) -> Iterator[list[Drawn]]:
    """Draw completions, as they come.

    Args:
        sampler: Model and server.
        prompts: Rendered prompts.
        samples: Completions per prompt.
        temperature: 0 for greedy.
        max_new_tokens: Completions are cut there, and say so.
        seed: Of sampling; each completion has a stream of its own.
        done: Completions that were made before.
        names: What the prompts are called in a refusal.

    Raises:
        UserError: A prompt does not fit, or the server refuses, or it was out of reach for `PATIENCE` seconds.
    """
    tokens = [sampler.tokenizer(prompt, add_special_tokens=False)["input_ids"] for prompt in prompts]
    longest = sampler.server.context
    for index, ids in enumerate(tokens):
        if longest is not None and len(ids) + max_new_tokens > longest:
            raise UserError(
                f"{names[index] if names else f'prompt {index}'} has {len(ids)} tokens; with {max_new_tokens} new ones "
                f"it exceeds the context of {longest} that the server at {sampler.server.url} was started with: start "
                "it with a larger --max-model-len, lower evaluate.max_new_tokens or choose shorter problems"
            )
    made = set(done)
    wanted = ((prompt, index) for prompt in range(len(tokens)) for index in range(samples))
    missing = [key for key in wanted if key not in made]
    how = {"temperature": temperature, "max_tokens": max_new_tokens, **_NOTHING_ELSE}
    # The loop runs only while the caller waits for completions; requests go on by themselves at the server.
    with event_loop() as run:
        arriving = _arriving(sampler, tokens, missing, how, seed)
        while landed := run(_next(arriving)):
            yield landed


async def _next(arriving: AsyncIterator[list[Drawn]]) -> list[Drawn]:
    return await anext(arriving, [])


async def _arriving(
    sampler: Sampler, tokens: Sequence[list[int]], missing: Sequence[Key], how: dict[str, Any], seed: int
) -> AsyncIterator[list[Drawn]]:
    """Whatever has come since the last time."""
    limits = httpx2.Limits(max_connections=IN_FLIGHT, max_keepalive_connections=IN_FLIGHT)
    timeout = httpx2.Timeout(ANSWER_TIMEOUT, connect=10, pool=None)
    async with httpx2.AsyncClient(headers=_headers(), limits=limits, timeout=timeout) as client:
        line = _Line(client, sampler)
        if missing and sampler.adapter:
            await _patiently(sampler.server.url, line.load)
        waiting, flying, before = iter(missing), set(), time.perf_counter()
        try:
            while True:
                for prompt, index in islice(waiting, IN_FLIGHT - len(flying)):
                    body = {"prompt": tokens[prompt], "seed": _stream(seed, prompt, index), **how}
                    flying.add(asyncio.create_task(line.draw((prompt, index), body)))
                if not flying:
                    return
                landed, flying = await asyncio.wait(flying, return_when=asyncio.FIRST_COMPLETED)
                whole = [task.result() for task in landed if not task.exception()]
                if whole:
                    now = time.perf_counter()
                    yield [Drawn(**each, seconds=(now - before) / len(whole)) for each in whole]
                    before = now
                for task in landed:
                    task.result()  # raises what made it fail, after the others were handed on
        finally:
            for task in flying:
                task.cancel()


class _Line:
    """The line to a server: requests for completions, and the adapter that they need."""

    def __init__(self, client: httpx2.AsyncClient, sampler: Sampler) -> None:
        self.client, self.sampler, self.url = client, sampler, sampler.server.url
        self.name = adapter_name(sampler.adapter) if sampler.adapter else sampler.server.model
        self.loading, self.loads = asyncio.Lock(), 0

    async def draw(self, key: Key, body: dict[str, Any]) -> dict[str, Any]:
        """One completion, as the fields of `Drawn`."""

        async def ask() -> dict[str, Any]:
            loads = self.loads
            answer = await self.client.post(f"{self.url}/completions", json={"model": self.name, **body})
            if answer.status_code == 404 and self.sampler.adapter:
                await self.load(loads)
                raise _Passing(f"the server no longer knew the adapter: {_words(answer)}")
            return _completion(self.url, answer)

        prompt, index = key
        found = await _patiently(self.url, ask)
        return {"prompt": prompt, "index": index, "prompt_tokens": len(body["prompt"]), **found}

    async def load(self, known: int = 0) -> None:
        """Have the server load the adapter, unless it has it.

        Args:
            known: How often it had been loaded when the caller last asked; if it was loaded since, that is enough.
        """
        async with self.loading:
            if self.loads > known:
                return
            if not await self._has_adapter():
                said = {"lora_name": self.name, "lora_path": str(self.sampler.adapter)}
                answer = await self.client.post(f"{self.url}/load_lora_adapter", json=said)
                if answer.status_code in _MAY_PASS - {500}:
                    raise _Passing(_words(answer))
                # Another process may have loaded it in between, which is refused and good enough.
                if not answer.is_success and not await self._has_adapter():
                    raise UserError(self._refusal(answer))
            self.loads += 1

    async def _has_adapter(self) -> bool:
        answer = await self.client.get(f"{self.url}/models")
        if not answer.is_success:
            raise _Passing(_words(answer))
        return any(card["id"] == self.name for card in answer.json()["data"])

    def _refusal(self, answer: httpx2.Response) -> str:
        folder = self.sampler.adapter or Path()
        rank = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))["r"]
        words = f"the server at {self.url} did not load the adapter {folder} as '{self.name}' "
        words += f"({answer.status_code}: {_words(answer)}): "
        if answer.status_code == 404 and "detail" in answer.text:  # there is no such route
            return f"{words}it has to be started with VLLM_ALLOW_RUNTIME_LORA_UPDATING=True and --enable-lora"
        return f"{words}it needs --enable-lora, --max-lora-rank {rank} or more, and has to see this folder"


async def _patiently(url: str, attempt: Callable[[], Awaitable[T]]) -> T:
    """What an attempt gives, made again while it fails for reasons that may pass.

    Raises:
        UserError: It went on failing for `PATIENCE` seconds.
    """
    wait, since = FIRST_WAIT, None
    while True:
        try:
            return await attempt()
        except (_Passing, httpx2.TransportError) as error:
            since = since or time.monotonic()
            if time.monotonic() - since > PATIENCE:
                raise UserError(
                    f"the server at {url} has not answered for {PATIENCE:.0f} s ({_of(error)}); what came so far is "
                    "kept: start it and run the same command again"
                ) from error
            asked = error.wait if isinstance(error, _Passing) else 0.0
        # Not all at the same moment again.
        await asyncio.sleep(max(asked, wait * random.uniform(0.5, 1.0)))
        wait = min(2 * wait, LONGEST_WAIT)


def _completion(url: str, answer: httpx2.Response) -> dict[str, Any]:
    """Text and counts of an answer.

    Raises:
        _Passing: The server could not answer now, or broke off.
        UserError: It refused, or answered with something else.
    """
    if answer.status_code in _MAY_PASS:
        wait = answer.headers.get("retry-after", "")
        raise _Passing(f"{answer.status_code}: {_words(answer)}", min(float(wait), 60) if wait.isdigit() else 0.0)
    _check_key(url, answer)
    if not answer.is_success:
        raise UserError(f"the server at {url} refuses to answer ({answer.status_code}): {_words(answer)}")
    try:
        said = answer.json()
        choice = said["choices"][0]
        text, finish, tokens = str(choice["text"]), choice["finish_reason"], int(said["usage"]["completion_tokens"])
    except (ValueError, LookupError, TypeError) as error:
        raise UserError(
            f"the server at {url} answered with something else than a completion: {_words(answer)}"
        ) from error
    if finish not in ("stop", "length"):  # vLLM says 'abort' for what it had written when it was told to stop
        raise _Passing(f"the answer broke off: {finish}")
    ended = finish == "stop"
    # The token that ends an answer is counted by servers, and is no part of the completion.
    return {"text": text, "completion_tokens": tokens - ended, "finished": ended}


def adapter_name(folder: Path) -> str:
    """What an adapter is called at a server: by its content, so that no other can stand under its name."""
    digest = hashlib.sha256()
    for file in ("adapter_config.json", "adapter_model.safetensors"):
        digest.update((folder / file).read_bytes())
    return f"inoculate-{digest.hexdigest()[:16]}"


def _stream(seed: int, prompt: int, index: int) -> int:
    """The seed of one completion; in 31 bits, which every server takes."""
    return int.from_bytes(hashlib.sha256(f"{seed} {prompt} {index}".encode()).digest()[:4], "big") >> 1


def _headers() -> dict[str, str]:
    return {"Authorization": f"Bearer {os.environ[KEY]}"} if os.environ.get(KEY) else {}


def _check_key(url: str, answer: httpx2.Response) -> None:
    if answer.status_code in (401, 403):
        held = "another key than the one in" if os.environ.get(KEY) else "a key: put it into"
        raise UserError(f"the server at {url} wants {held} {KEY} ({answer.status_code}: {_words(answer)})")


def _words(answer: httpx2.Response) -> str:
    """What a server said, in short."""
    try:
        said = answer.json()
        words = said.get("error", said.get("message", said)) if isinstance(said, dict) else said
        words = words.get("message", words) if isinstance(words, dict) else words
    except ValueError:
        words = answer.text
    return " ".join(str(words).split())[:300] or "no words"


def _of(error: Exception) -> str:
    return str(error) if isinstance(error, _Passing) else f"{type(error).__name__}: {error}"
