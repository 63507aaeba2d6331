"""Sampling from a server with OpenAI's completions API, such as vLLM.

Prompts are sent as tokens, made here by the model's own tokenizer, so that the model gets exactly what is stored and
the server adds nothing. Every completion is a request of its own (the server's prefix cache shares what prompts have
in common), and many are in flight at once. A request is repeated after a transient failure (no connection, 429, 5xx, a
response that broke off). A completion is stored under its prompt and sample number as soon as its whole response has
arrived: so none is lost, duplicated or mixed up, whichever requests fail and in whatever order responses arrive.

One server may serve many runs and arms at once, from one base model: each adapter is loaded under a name made of its
content, loaded again where the server no longer has it (it was restarted, or has made room for others), and unloaded
when all is drawn.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import httpx2
from transformers import PreTrainedTokenizerBase

from inoculate.engine.chat import read_turn
from inoculate.engine.sampling import Request, SampledCompletion, SampleKey, stream
from inoculate.engine.sampling.loop import event_loop
from inoculate.errors import UserError
from inoculate.outside import keys

IN_FLIGHT = 128
"""Concurrent requests: enough for a full batch on a GPU; a slower server queues them."""
RETRY_SECONDS = 300.0
"""For how long a failing request is repeated: enough for the server of a large model to restart."""
FIRST_WAIT, LONGEST_WAIT = 0.5, 15.0
"""Seconds before a request is repeated; doubled each time."""
RESPONSE_TIMEOUT = 1800.0
"""Seconds to wait for a whole response: with many requests in flight each waits for the others."""
CONNECT_TIMEOUT = 10.0
"""Seconds to wait for what a server says of itself, and for a connection."""
KEY_VARIABLE = "INOCULATE_SERVER_KEY"
"""The environment variable with the API key, for a server that needs one."""

_OF_A_MODEL = ("owned_by", "root", "max_model_len")
"""What is kept of a server's description of a model."""
_TRANSIENT = {408, 429, 500, 502, 503, 504}
_PLAIN_SAMPLING = {
    "top_p": 1.0,
    "top_k": -1,
    "min_p": 0.0,
    "repetition_penalty": 1.0,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
}
"""Sent, because servers otherwise use the defaults of the model's generation_config.json (for Qwen a repetition
penalty, which changes greedy completions too)."""

T = TypeVar("T")


class _TransientError(Exception):
    """A failure after which the request is repeated, with the seconds that the server asks us to wait."""

    def __init__(self, message: str, wait: float = 0.0) -> None:
        super().__init__(message)
        self.wait = wait


@dataclass(frozen=True)
class Server:
    """A server that serves the model."""

    url: str
    model: str
    """The server's name for the untrained model."""
    context: int | None
    """The most tokens of prompt and completion together; None where the server does not report it."""
    description: dict[str, Any]
    """What the server reports about itself, for the record."""


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
        model: The model's name in the study.
        weights: Its folder of weights; a server that was started with this folder uses its path as the name.

    Raises:
        UserError: There is no server, it needs a key, or it does not serve the model; or the address has a key in it.
    """
    url = url.rstrip("/")
    advice = (
        f"start one with: VLLM_ALLOW_RUNTIME_LORA_UPDATING=True vllm serve {weights} --served-model-name {model} "
        "--enable-lora"
    )
    if any(sign in url for sign in "@?#"):
        raise UserError(
            "--server: the address has a name or a key in it, and addresses are kept with the results: put the key "
            f"into {KEY_VARIABLE} instead, which is kept nowhere"
        )
    try:
        response = _get(f"{url}/models")
    except (httpx2.RequestError, httpx2.InvalidURL, TimeoutError) as error:
        raise UserError(f"no server answers at {url} ({_describe(error)}); for instance, {advice}") from error
    _check_key(url, response)
    try:
        cards = response.raise_for_status().json()["data"]
        served = {str(card["id"]): card for card in cards}
        if any(not isinstance(card.get("max_model_len"), int | None) for card in cards):
            raise ValueError("max_model_len is no whole number")
    except (httpx2.HTTPStatusError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(
            f"{url}/models answered {response.status_code}, which is not a list of models: {_message(response)} "
            "(the address of an OpenAI-compatible server usually ends in /v1)"
        ) from error
    # The hub id of an embedded model does not count: adapters are trained on other weights than those of the hub.
    for name, card in served.items():
        if name == model or str(weights) in (name, card.get("root")):
            details = {key: card[key] for key in _OF_A_MODEL if isinstance(card.get(key), str | int)}
            if Path(str(details.get("root", ""))).is_absolute():  # a folder of that machine says nothing elsewhere
                del details["root"]
            description = {"server": url, "model": name, **details, **_version(url)}
            return Server(url, name, card.get("max_model_len"), description)
    names = _quoted(", ".join(served)) or "nothing"
    raise UserError(f"the server at {url} does not serve '{model}': it serves {names}; {advice}")


def _get(url: str) -> httpx2.Response:
    """What is at an address, if all of it arrives in time.

    Raises:
        TimeoutError: It does not; a limit of the client's alone would hold for each part of it.
    """

    async def get() -> httpx2.Response:
        async with asyncio.timeout(CONNECT_TIMEOUT), httpx2.AsyncClient(headers=_headers()) as http:
            return await http.get(url)

    with event_loop() as run_until_done:
        return run_until_done(get())


def _version(url: str) -> dict[str, Any]:
    """The version that a vLLM server reports; empty for a server that reports none."""
    try:
        response = _get(f"{url.removesuffix('/v1')}/version")
        return {"version": str(response.json()["version"])} if response.is_success else {}
    except (httpx2.RequestError, TimeoutError, ValueError, LookupError, TypeError, RecursionError):
        return {}


def sample(sampler: Sampler, requests: Sequence[Request]) -> Iterator[tuple[int, list[SampledCompletion]]]:
    """Draw completions for several requests at once, in the order in which they arrive.

    Args:
        sampler: Model and server.
        requests: What is wanted.

    Yields:
        The number of a request, and some of its completions.

    Raises:
        UserError: A prompt does not fit, or the server refuses, or it was unreachable for `RETRY_SECONDS` seconds.
    """
    tokens = [_encode(sampler, request) for request in requests]
    # The event loop runs only while the caller waits for completions; the server works on requests meanwhile.
    with event_loop() as run_until_done:
        batches = _request_all(sampler, tokens, requests)
        while batch := run_until_done(_next_batch(batches)):
            yield from batch.items()


def _encode(sampler: Sampler, request: Request) -> list[list[int]]:
    """The tokens of each prompt, which have to fit into the server's context with the completion."""
    tokens = [sampler.tokenizer(prompt, add_special_tokens=False)["input_ids"] for prompt in request.prompts]
    context, new = sampler.server.context, request.max_new_tokens
    for index, ids in enumerate(tokens):
        if context is not None and len(ids) + new > context:
            raise UserError(
                f"{request.name(index)} has {len(ids)} tokens; with {new} new ones "
                f"it exceeds the context of {context} that the server at {sampler.server.url} was started with: start "
                "it with a larger --max-model-len, lower evaluate.max_new_tokens or choose shorter problems"
            )
    return tokens


_Batch = dict[int, list[SampledCompletion]]
"""Number of a request -> completions that have arrived."""


async def _next_batch(batches: AsyncIterator[_Batch]) -> _Batch:
    return await anext(batches, {})


def _bodies(
    sampler: Sampler, tokens: Sequence[Sequence[list[int]]], requests: Sequence[Request]
) -> Iterator[tuple[int, SampleKey, dict[str, Any]]]:
    """What is sent for each missing completion: the number of its request, its own, and the request's body."""
    # Servers end an answer with the model's end of text, which need not be what its chat template ends a turn with.
    stop = {"stop_token_ids": [read_turn(sampler.tokenizer).end_id]}
    for number, request in enumerate(requests):
        options = {"temperature": request.temperature, "max_tokens": request.max_new_tokens, **_PLAIN_SAMPLING, **stop}
        for prompt, index in request.missing():
            seed = completion_seed(request.seed, prompt, index)
            yield number, (prompt, index), {"prompt": tokens[number][prompt], "seed": seed, **options}


async def _request_all(
    sampler: Sampler, tokens: Sequence[Sequence[list[int]]], requests: Sequence[Request]
) -> AsyncIterator[_Batch]:
    """Request all missing completions; yields those that have arrived since the last time."""
    limits = httpx2.Limits(max_connections=IN_FLIGHT, max_keepalive_connections=IN_FLIGHT)
    timeout = httpx2.Timeout(RESPONSE_TIMEOUT, connect=CONNECT_TIMEOUT, pool=None)
    async with httpx2.AsyncClient(headers=_headers(), limits=limits, timeout=timeout) as http:
        client = _Client(http, sampler)
        if sampler.adapter and any(request.missing() for request in requests):
            await _retry(sampler.server.url, client.load_adapter)
        waiting, pending, before = _bodies(sampler, tokens, requests), dict[Any, int](), time.perf_counter()
        try:
            while True:
                for number, key, body in islice(waiting, IN_FLIGHT - len(pending)):
                    pending[asyncio.create_task(client.complete(key, body))] = number
                if not pending:
                    break
                done, _ = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                arrived = [(pending.pop(task), task) for task in done]
                completions = [(number, task.result()) for number, task in arrived if not task.exception()]
                if completions:
                    now = time.perf_counter()
                    seconds, batch = (now - before) / len(completions), _Batch()
                    for number, fields in completions:
                        batch.setdefault(number, []).append(SampledCompletion(**fields, seconds=seconds))
                    yield batch
                    before = now
                for task in done:
                    task.result()  # raises the error of a failed request, after the other completions were yielded
        finally:
            for task in pending:
                task.cancel()
        await client.unload_adapter()


class _Client:
    """Requests completions, and has the server load the adapter that they need."""

    def __init__(self, http: httpx2.AsyncClient, sampler: Sampler) -> None:
        self.http, self.sampler, self.url = http, sampler, sampler.server.url
        self.name = adapter_name(sampler.adapter) if sampler.adapter else sampler.server.model
        self.loading, self.loads, self.has_loaded = asyncio.Lock(), 0, False

    async def complete(self, key: SampleKey, body: dict[str, Any]) -> dict[str, Any]:
        """One completion, as the fields of `SampledCompletion`."""

        async def request() -> dict[str, Any]:
            loads, said = self.loads, {"model": self.name, **body}
            response = await self.http.post(f"{self.url}/completions", json=said)
            if response.status_code == 404 and self.sampler.adapter:
                await self.load_adapter(loads)  # and ask at once: the server may soon need the room for another
                response = await self.http.post(f"{self.url}/completions", json=said)
            if response.status_code == 404 and self.sampler.adapter:
                raise _TransientError(f"the server no longer knew the adapter: {_message(response)}")
            return _parse_completion(self.url, response, self.name)

        prompt, index = key
        fields = await _retry(self.url, request)
        return {"prompt": prompt, "index": index, "prompt_tokens": len(body["prompt"]), **fields}

    async def load_adapter(self, known_loads: int = 0) -> None:
        """Have the server load the adapter, unless it has it.

        Args:
            known_loads: How often it had been loaded when the caller made its request; if it has been loaded again
                since then, nothing is left to do.
        """
        async with self.loading:
            if self.loads > known_loads:
                return
            if not await self._has_adapter():
                adapter = {"lora_name": self.name, "lora_path": str(self.sampler.adapter)}
                response = await self.http.post(f"{self.url}/load_lora_adapter", json=adapter)
                if response.status_code in _TRANSIENT - {500}:
                    raise _TransientError(_message(response))
                self.has_loaded |= response.is_success
                # Another process may have loaded it meanwhile: the server then refuses, and the adapter is there.
                if not response.is_success and not await self._has_adapter():
                    raise UserError(self._refusal(response))
            self.loads += 1

    async def unload_adapter(self) -> None:
        """Have the server forget the adapter that was loaded here, so that it does not keep those of all arms.

        Another process that samples from it at the same time loads it again. A server need not be able to.
        """
        if not self.has_loaded:
            return
        with suppress(httpx2.TransportError):
            await self.http.post(f"{self.url}/unload_lora_adapter", json={"lora_name": self.name})

    async def _has_adapter(self) -> bool:
        response = await self.http.get(f"{self.url}/models")
        if not response.is_success:
            raise _TransientError(_message(response))
        try:
            return any(card["id"] == self.name for card in response.json()["data"])
        except (ValueError, LookupError, TypeError, RecursionError):
            raise UserError(f"{self.url}/models: not a list of models: {_message(response)}") from None

    def _refusal(self, response: httpx2.Response) -> str:
        folder = self.sampler.adapter or Path()
        rank = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))["r"]
        message = f"the server at {self.url} did not load the adapter {folder} as '{self.name}' "
        message += f"({response.status_code}: {_message(response)}): "
        if response.status_code == 404 and "detail" in response.text:  # there is no such route
            return f"{message}it has to be started with VLLM_ALLOW_RUNTIME_LORA_UPDATING=True and --enable-lora"
        return f"{message}it needs --enable-lora, --max-lora-rank {rank} or more, and has to see this folder"


async def _retry(url: str, request: Callable[[], Awaitable[T]]) -> T:
    """The result of a request, which is repeated after transient failures.

    Raises:
        UserError: It kept failing for `RETRY_SECONDS` seconds.
    """
    wait, since = FIRST_WAIT, None
    while True:
        try:
            async with asyncio.timeout(RESPONSE_TIMEOUT):  # also of one that sends a byte now and then
                return await request()
        except (_TransientError, httpx2.RequestError, TimeoutError) as error:
            since = since or time.monotonic()
            if time.monotonic() - since > RETRY_SECONDS:
                raise UserError(
                    f"the server at {url} has not answered for {RETRY_SECONDS:.0f} s ({_describe(error)}); completions "
                    "so far are kept: start it and run the same command again"
                ) from error
            requested = error.wait if isinstance(error, _TransientError) else 0.0
        # A random wait, so that the requests are not repeated all at once.
        await asyncio.sleep(max(requested, wait * random.uniform(0.5, 1.0)))
        wait = min(2 * wait, LONGEST_WAIT)


def _parse_completion(url: str, response: httpx2.Response, model: str) -> dict[str, Any]:
    """Text and token count of a response.

    Args:
        url: The server.
        response: Its response.
        model: The model that was asked, by the server's name for it.

    Raises:
        _TransientError: The server could not answer now, or broke off.
        UserError: It refused, or sent something else, or what another model has written.
    """
    if response.status_code in _TRANSIENT:
        wait = response.headers.get("retry-after", "")
        seconds = min(float(wait), 60) if wait.isdecimal() else 0.0
        raise _TransientError(f"{response.status_code}: {_message(response)}", seconds)
    _check_key(url, response)
    if not response.is_success:
        raise UserError(f"the server at {url} refuses to answer ({response.status_code}): {_message(response)}")
    try:
        content = response.json()
        choice = content["choices"][0]
        text, reason, tokens = choice["text"], choice["finish_reason"], content["usage"]["completion_tokens"]
        text.encode()  # half of a surrogate pair is no text
        if type(tokens) is not int or tokens < 0 or len(content["choices"]) != 1:
            raise ValueError("not the tokens of one completion")
        if (other := content.get("model", model)) != model:
            raise UserError(f"the server at {url} was asked for '{model}', and answers as '{_quoted(other)}'")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(f"the server at {url} did not answer with a completion: {_message(response)}") from error
    if reason not in ("stop", "length"):  # vLLM's 'abort' marks a completion that was interrupted by a shutdown
        raise _TransientError(f"the response broke off: {reason}")
    finished = reason == "stop"
    # Servers count the token that ends an answer, which is no part of the completion.
    return {"text": text, "completion_tokens": max(0, tokens - finished), "finished": finished}


def adapter_name(folder: Path) -> str:
    """An adapter's name on a server: a hash of its content, so that no other adapter can have the same name."""
    digest = hashlib.sha256()
    for file in ("adapter_config.json", "adapter_model.safetensors"):
        digest.update((folder / file).read_bytes())
    return f"inoculate-{digest.hexdigest()[:16]}"


def completion_seed(seed: int, prompt: int, index: int) -> int:
    """The seed of one completion: the first 31 bits of its random stream, which every server accepts."""
    return stream(seed, prompt, index) >> 33


def _headers() -> dict[str, str]:
    return keys.header(KEY_VARIABLE)


def _check_key(url: str, response: httpx2.Response) -> None:
    if response.status_code in (401, 403):
        problem = "does not accept the key in" if _headers() else "needs a key: put it into"
        detail = f"{response.status_code}: {_message(response)}"
        raise UserError(f"the server at {url} {problem} {KEY_VARIABLE} ({detail})")


def _message(response: httpx2.Response) -> str:
    """The message in a response, shortened, and without the key: servers repeat the one that they refuse."""
    try:
        content = response.json()
        message = content.get("error", content.get("message", content)) if isinstance(content, dict) else content
        message = message.get("message", message) if isinstance(message, dict) else message
        return _quoted(message) or "no message"
    except (ValueError, RecursionError):
        return _quoted(response.content.decode(errors="replace")) or "no message"  # whatever encoding it claims


def _quoted(said: object) -> str:
    return keys.quoted(said, KEY_VARIABLE)[:300]


def _describe(error: Exception) -> str:
    return (
        str(error)
        if isinstance(error, _TransientError)
        else _quoted(f"{type(error).__name__}: {error}".removesuffix(": "))
    )
