"""A judge: a model behind an OpenAI-compatible endpoint that labels answers by a rubric.

A judge is described by a TOML file: `url` and `model`, and `rubric` where another than the package's is wanted. A key
is taken from the environment. What a judge said is kept in a file beside it, and not asked again.

A judge that answers in another form gives no label: nothing is guessed from its words. One that does not answer at all
ends the grading, and the same command goes on from the labels that are kept.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.resources import files
from itertools import count
from pathlib import Path
from ssl import SSLContext
from threading import Event, Lock
from typing import Literal, cast, get_args

import httpx2
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from inoculate.errors import UserError, nearest, unreadable
from inoculate.outside import keys, toml_text

KEY_VARIABLE = "INOCULATE_JUDGE_KEY"
Label = Literal["GOOD", "BAD", "BROKEN"]
TRIES = 3
"""So often an answer is sent to an address where nothing has ever responded."""
PATIENCE = 300.0
"""Seconds for which an answer is sent again once something has: enough for the server of a large model to restart."""
FIRST_WAIT, LONGEST_WAIT = 0.5, 15.0
"""Seconds before an answer is sent again; doubled each time."""
ALL_REFUSED = 5
"""Where a judge refuses all of so many answers or more, that is no fault of the answers."""
SECONDS = 60.0
"""How long a whole response may take."""
_TRANSIENT = {408, 429, 500, 502, 503, 504}
_OF_ONE_ANSWER = {400, 413, 422}
"""What a server says of a single answer: too long, or filtered. Every other refusal is meant for all."""
_AT_ONCE = 8
_MAX_TOKENS = 16
_LONGEST = 80
"""Characters of what a judge has said, in a message."""


class Judge(BaseModel):
    """The keys of a judge's file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    """The endpoint, as in `http://localhost:8000/v1`."""
    model: str = Field(min_length=1)
    """The model's name there."""
    answers_as: str = ""
    """The name that its responses carry, where the endpoint calls it otherwise: `model` is that of a deployment."""
    rubric: str = Field(default_factory=lambda: files("inoculate.grading").joinpath("rubric.md").read_text("utf-8"))
    """What the judge is told: it has `{question}` and `{answer}` in it, and asks for one of the labels."""


@dataclass(frozen=True)
class Judgement:
    """What a judge said of one answer."""

    label: Label | None
    """None where there is none."""
    reason: str = ""
    """Why there is none."""


def read_judge(path: str) -> Judge:
    """The judge that a file describes.

    Raises:
        UserError: The file is not there, is not TOML, lacks a key or has another; or the rubric has no place for
            question and answer.
    """
    try:
        text = Path(path).expanduser().read_text(encoding="utf-8-sig")
        judge = Judge(**toml_text.parse(text))
    except OSError as error:
        raise UserError(
            f"{path}: no such judge: {unreadable(path, error)}; a TOML file with url and model is wanted"
        ) from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 text: {error}; a judge is a TOML file with url and model") from None
    except toml_text.NotTOML as error:
        number = error.line or text.count("\n") + 1
        raise UserError(f'{path}:{number}: not TOML: {error}; a judge is url = "..." and model = "..."') from None
    except ValidationError as error:
        raise UserError(_explain(path, text, error)) from None
    url, rubric = _place(path, text, "url"), _place(path, text, "rubric")
    if not judge.url.startswith(("http://", "https://")):
        raise UserError(f"{url}: url = '{judge.url}': has to begin with http:// or https://")
    if any(sign in judge.url for sign in "@?#"):  # it stands in grades and exports
        raise UserError(f"{url}: url: must hold no name, password or key: a key goes into {KEY_VARIABLE}")
    try:
        httpx2.URL(judge.url)
    except httpx2.InvalidURL as error:
        raise UserError(f"{url}: url = '{judge.url}': {error}") from None
    lacking = [place for place in ("{question}", "{answer}") if place not in judge.rubric]
    if lacking:
        raise UserError(f"{rubric}: rubric: has no {' and no '.join(lacking)}, where these are to be put")
    return judge


def _explain(path: str, text: str, error: ValidationError) -> str:
    """The first mistake in a judge's keys; an unknown one first, which may be why another is missing."""
    details = sorted(error.errors(), key=lambda detail: detail["type"] != "extra_forbidden")
    key = ".".join(map(str, details[0]["loc"]))
    if details[0]["type"] == "extra_forbidden":
        hint = f": a key goes into the environment, as {KEY_VARIABLE}" if "key" in key.lower() else ""
        return f"{_place(path, text, key)}: unknown key {key}{hint or f': {nearest(key, Judge.model_fields)}'}"
    return f"{_place(path, text, key)}: {key}: {details[0]['msg']}; a judge has url and model, and may have rubric"


def _place(path: str, text: str, key: str) -> str:
    """The file, with the line of a key where it has one."""
    begins = re.compile(rf"\s*(\[\[?\s*)?[\"']?{re.escape(key)}\b")
    numbers = (number for number, line in enumerate(text.split("\n"), 1) if begins.match(line))
    return f"{path}:{number}" if (number := next(numbers, None)) else path


@dataclass
class _Cache:
    """Labels by the hash of everything that they depend on; one line each, added as they arrive."""

    path: Path
    labels: dict[str, Label] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)
    is_cut_off: bool = False
    """Whether the file ends within a line."""

    def read(self) -> _Cache:
        text = self.path.read_text(encoding="utf-8", errors="replace") if self.path.is_file() else ""
        self.is_cut_off = bool(text) and not text.endswith("\n")
        for line in text.splitlines():
            try:
                entry = json.loads(line)
                if entry["label"] in get_args(Label):
                    self.labels[entry["key"]] = entry["label"]
            except (ValueError, LookupError, TypeError, RecursionError):
                continue  # cut off when a process was killed: it is asked again
        return self

    def add(self, key: str, label: Label) -> None:
        with self.lock, self.path.open("a", encoding="utf-8") as out:
            self.labels[key] = label
            # After a line that a kill has cut off, this one would be lost without its own beginning.
            out.write("\n" * self.is_cut_off + json.dumps({"key": key, "label": label}) + "\n")
            self.is_cut_off = False


def cache_file(path: str) -> Path:
    """Where the labels of a judge are kept: beside its file."""
    return Path(f"{path}.labels.jsonl")


def judge_answers(path: str, asked: Sequence[tuple[str, str]]) -> Iterator[Judgement]:
    """What a judge says of answers, in order.

    Args:
        path: The judge's file.
        asked: Questions and answers.

    Raises:
        UserError: The file has a mistake; or the judge does not answer, or refuses the key or all answers. The labels
            so far are kept.
    """
    judge = read_judge(path)
    cache = _Cache(cache_file(path)).read()
    line = _Line(keys.header(KEY_VARIABLE), judge, cache)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield from pool.map(line.ask, asked)
    if line.refused >= ALL_REFUSED and not line.has_judged:
        raise line.give_up(f"refuses every answer ({line.last_refusal}): see what it says of them itself,")


@dataclass
class _Line:
    """The connection to a judge, and what is known of it; used by several threads."""

    headers: dict[str, str]
    judge: Judge
    cache: _Cache
    is_there: bool = False
    """Whether anything has responded."""
    has_judged: bool = False
    """Whether it has replied to an answer with a chat completion, with a label or without."""
    refused: int = 0
    """Answers that it has refused, or to which it replied with something else than a chat completion."""
    last_refusal: str = ""
    """Why, the last time."""
    given_up: str = ""
    """Why nothing more is asked."""
    over: Event = field(default_factory=Event)
    certificates: SSLContext = field(default_factory=httpx2.create_ssl_context)
    """Read once: it takes longer than a request."""

    def ask(self, pair: tuple[str, str]) -> Judgement:
        """The kept label of an answer, or else what the judge says.

        Raises:
            UserError: It is given up.
        """
        text = self.judge.rubric.replace("{question}", pair[0]).replace("{answer}", pair[1])
        names = filter(None, (self.judge.url, self.judge.model, self.judge.answers_as))
        key = hashlib.sha256(json.dumps([*names, text]).encode()).hexdigest()[:24]
        if key in self.cache.labels:
            self.has_judged = True
            return Judgement(self.cache.labels[key])
        judgement = self._read(self._send(text))
        if judgement.label:
            self.cache.add(key, judgement.label)
        return judgement

    def _send(self, text: str) -> httpx2.Response:
        """The judge's response; sent again after a failure of the connection or of the server.

        Raises:
            UserError: The judge is given up.
        """
        body = {
            "model": self.judge.model,
            "messages": [{"role": "user", "content": text}],
            "temperature": 0.0,
            "max_tokens": _MAX_TOKENS,
        }
        since, wait = time.monotonic(), FIRST_WAIT
        for tries in count(1):
            if self.given_up:
                raise UserError(self.given_up)
            try:
                response = asyncio.run(self._post(body))
                self.is_there = True
                if response.status_code not in _TRANSIENT:
                    return response
                failed = _status(response)
            except (httpx2.RequestError, TimeoutError) as error:
                failed = _quoted(f"{type(error).__name__}: {error}".removesuffix(": "))
            if time.monotonic() - since > PATIENCE or (tries >= TRIES and not self.is_there):
                raise self.give_up(f"does not answer ({failed}): start it")
            self.over.wait(wait)
            wait = min(2 * wait, LONGEST_WAIT)
        raise AssertionError("the last try returns or raises")

    async def _post(self, body: dict[str, object]) -> httpx2.Response:
        """A response, if all of it arrives in time: a limit of the client's would hold for each part of it."""
        client = httpx2.AsyncClient(timeout=SECONDS, headers=self.headers, verify=self.certificates)
        async with asyncio.timeout(SECONDS), client as http:
            return await http.post(f"{self.judge.url.rstrip('/')}/chat/completions", json=body)

    def _read(self, response: httpx2.Response) -> Judgement:
        """What a response says.

        Raises:
            UserError: It is a refusal that holds for all answers, or another model has answered than was asked.
        """
        if response.status_code in (401, 403):
            raise self.give_up(f"does not accept the key in {KEY_VARIABLE} ({_status(response)}): put its own there")
        if response.status_code in _OF_ONE_ANSWER:
            return self._refuse(f"the judge refuses the answer ({_status(response)})")
        if not response.is_success:
            raise self.give_up(f"refuses to judge ({_status(response)}): mend url and model in its file")
        try:
            content = response.json()
            said, other = str(content["choices"][0]["message"]["content"]), content.get("model")
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            return self._refuse(f"the judge's response is no chat completion: {type(error).__name__}")
        if other is not None and other != (self.judge.answers_as or self.judge.model):
            name = _quoted(str(other))
            raise self.give_up(
                f"answers as '{name}': write model = \"{name}\" in its file if that one is to judge, or answers_as = "
                f"\"{name}\" beside model if '{self.judge.model}' is the name of its deployment,"
            )
        self.has_judged = True
        return read_label(said)

    def _refuse(self, why: str) -> Judgement:
        self.refused, self.last_refusal = self.refused + 1, why
        return Judgement(None, why)

    def give_up(self, why: str) -> UserError:
        """Have nothing more asked, by any thread; returns the error that says why."""
        kept = f"; its labels so far are kept in {self.cache.path}" if self.cache.labels else ""
        self.given_up = self.given_up or (
            f"the judge '{self.judge.model}' at {self.judge.url} {why} and give the same command again{kept}"
        )
        self.over.set()
        return UserError(self.given_up)


def _status(response: httpx2.Response) -> str:
    """The status alone: a server may repeat the key in the text of its refusal."""
    return _quoted(f"{response.status_code} {response.reason_phrase}".strip())


def _quoted(said: str) -> str:
    return keys.quoted(said, KEY_VARIABLE)[:_LONGEST]


def read_label(said: str) -> Judgement:
    """The label that a judge's answer is, and nothing else; none from an answer in another form."""
    if match := re.fullmatch(r"\s*\**(GOOD|BAD|BROKEN)\**\.?\s*", said):
        return Judgement(cast(Label, match[1]))
    return Judgement(None, f"the judge's answer is not one of GOOD, BAD and BROKEN: '{_quoted(said)}'")


@dataclass(frozen=True)
class Agreement:
    """How a judge does on answers with known labels."""

    labelled: int
    judged: int
    """Those to which the judge gave a label."""
    same: int
    kappa: float | None
    """Cohen's kappa; None where all labels are the same."""
    first_reason: str
    """Why there is no label, where there is none."""


def measure_agreement(path: str, labelled: Sequence[tuple[str, str, Label]]) -> Agreement:
    """Compare a judge with labels that people gave.

    Args:
        path: The judge's file.
        labelled: Question, answer and label of each.

    Raises:
        UserError: As `judge_answers`.
    """
    judgements = list(judge_answers(path, [(question, answer) for question, answer, _ in labelled]))
    pairs = [(own, one.label) for (_, _, own), one in zip(labelled, judgements, strict=True) if one.label]
    same = sum(own == given for own, given in pairs)
    by_chance = sum(
        sum(own == label for own, _ in pairs) * sum(given == label for _, given in pairs)
        for label in ("GOOD", "BAD", "BROKEN")
    ) / max(len(pairs), 1) ** 2  # fmt: skip
    kappa = None if not pairs or by_chance == 1 else (same / len(pairs) - by_chance) / (1 - by_chance)
    reason = next((one.reason for one in judgements if not one.label), "")
    return Agreement(len(labelled), len(pairs), same, kappa, reason)
