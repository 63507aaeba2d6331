"""Replies of a server that are no replies: each is refused in one line, also one of which a byte comes now and then."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from inoculate.engine.sampling import Request, server
from inoculate.errors import UserError
from raw_server import REPLIES, reply, sending


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(server, "RETRY_SECONDS", 0.1)
    for limit in ("CONNECT_TIMEOUT", "RESPONSE_TIMEOUT"):
        monkeypatch.setattr(server, limit, 1.0)


def sample(url: str, model: Path) -> None:
    which = server.Sampler(server.Server(url, "m", None, {}), AutoTokenizer.from_pretrained(model), None)
    list(server.sample(which, [Request(["a"], samples=1, temperature=0.0, max_new_tokens=4, seed=0)]))


@pytest.mark.parametrize("given", REPLIES.values(), ids=REPLIES.keys())
def test_what_is_no_reply_is_refused_in_one_line(given: bytes, tiny_model: Path) -> None:
    with sending(given) as url:
        with pytest.raises(UserError) as connecting:
            server.connect(url, "m", tiny_model)
        with pytest.raises(UserError) as sampling:
            sample(url, tiny_model)
    for refusal in (connecting, sampling):
        said = str(refusal.value)
        assert url in said and said.isprintable() and len(said) < 700


def test_a_reply_that_comes_drop_by_drop_is_not_waited_for(tiny_model: Path) -> None:
    since = time.monotonic()
    with sending(reply(b"a" * 10_000), in_drops=True) as url:
        with pytest.raises(UserError, match=r"no server answers at .*TimeoutError"):
            server.connect(url, "m", tiny_model)
        with pytest.raises(UserError, match=r"has not answered for 0 s \(TimeoutError\)"):
            sample(url, tiny_model)
    assert time.monotonic() - since < 20
