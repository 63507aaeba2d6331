"""A server of completions in a process of its own, without a model, that fails on purpose.

    python fake_server.py PORT LOG [--faults 503,drop,half] [--every 3] [--delay 0.1]

Its answer is a function of what was asked (`answer`), so that a test can tell whose it is. Every answer that went out
whole is a line of LOG.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from pathlib import Path
from typing import Any


def answer(model: str, ids: Sequence[int], seed: int, temperature: float) -> str:
    """The completion of a prompt; greedy ones do not depend on the seed."""
    return f"{model} {hashlib.sha256(json.dumps(list(ids)).encode()).hexdigest()} {seed if temperature else ''}".strip()


class State:
    """What the server knows and has done."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.given = given
        self.lock = threading.Lock()
        self.adapters: dict[str, str] = {}
        self.asked = 0
        self.faults = cycle(given.faults.split(",")) if given.faults else None
        self.answering: list[str] = []
        """The prompts that are being answered."""

    def load(self, name: str, path: str) -> None:
        """Load an adapter; where there is no room, the one that was loaded first has to go."""
        with self.lock:
            while self.given.slots and len(self.adapters) >= self.given.slots:
                del self.adapters[next(iter(self.adapters))]
            self.adapters[name] = path
        self.log(loaded=name)

    def fault(self) -> str:
        with self.lock:
            self.asked += 1
            return next(self.faults) if self.faults and self.asked % self.given.every == 0 else ""

    def log(self, **said: Any) -> None:
        with self.lock, Path(self.given.log).open("a") as log:
            log.write(json.dumps(said) + "\n")


class Handler(BaseHTTPRequestHandler):
    """The routes of vLLM that are used."""

    protocol_version = "HTTP/1.1"
    state: State

    def log_message(self, *args: Any) -> None: ...

    def give(self, status: int, said: dict[str, Any], *, share: float = 1.0, wait: str = "") -> None:
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/json")
        if wait:
            self.send_header("Retry-After", wait)
        self.end_headers()
        self.wfile.write(body[: int(share * len(body))])
        self.close_connection = share < 1

    def do_GET(self) -> None:
        given, state = self.state.given, self.state
        if given.key and self.headers.get("Authorization") != f"Bearer {given.key}":
            self.give(401, {"error": "Unauthorized"})
        elif self.path == "/v1/models":
            base = {"id": given.model, "root": given.root, "max_model_len": given.context}
            self.give(200, {"data": [base, *({"id": name, "root": path} for name, path in state.adapters.items())]})
        elif self.path == "/version":
            self.give(200, {"version": "fake"})
        else:
            self.give(404, {"detail": "Not Found"})

    def do_POST(self) -> None:
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/v1/load_lora_adapter" and not self.state.given.fixed:
            if not Path(said["lora_path"]).is_dir():
                self.give(404, {"error": {"message": f"No adapter found for {said['lora_path']}"}})
                return
            self.state.load(said["lora_name"], said["lora_path"])
            self.give(200, {})
        elif self.path == "/v1/unload_lora_adapter" and not self.state.given.fixed:
            self.state.log(unloaded=said["lora_name"])
            known = self.state.adapters.pop(said["lora_name"], None)
            self.give(200 if known else 404, {})
        elif self.path == "/v1/completions":
            self.complete(said)
        elif self.path == "/v1/chat/completions":
            self.judge(said)
        else:
            self.give(404, {"detail": "Not Found"})

    def complete(self, said: dict[str, Any]) -> None:
        given, fault = self.state.given, self.state.fault()
        if fault == "drop":
            self.close_connection = True
            return
        if fault.isdigit():
            self.give(int(fault), {"error": {"message": "on purpose"}}, wait="0" if fault == "429" else "")
            return
        if said["model"] not in (given.model, *self.state.adapters):
            self.give(404, {"error": {"message": f"The model `{said['model']}` does not exist."}})
            return
        if len(said["prompt"]) + said["max_tokens"] > given.limit:
            self.give(400, {"error": {"message": f"the limit is {given.limit} tokens"}})
            return
        with self.state.lock:
            self.state.answering.append(said["model"] + str(said["prompt"]))
            beside = {*self.state.answering}
        time.sleep(3600 if given.stall and self.state.asked > given.stall else given.delay)
        with self.state.lock:
            self.state.answering.remove(said["model"] + str(said["prompt"]))
        text = answer(said["model"], said["prompt"], said["seed"], said["temperature"])
        finish = "abort" if fault == "abort" else "stop"
        choice = {"text": text[:5] if fault == "abort" else text, "finish_reason": finish}
        usage = {"completion_tokens": 5}
        self.give(200, {"choices": [choice], "usage": usage}, share=0.5 if fault == "half" else 1.0)
        if not fault:
            self.state.log(text=text, seed=said["seed"], stops=said["stop_token_ids"], beside=sorted(beside))

    def judge(self, said: dict[str, Any]) -> None:
        """Label an answer as a judge would, by one of its words."""
        fault = self.state.fault()
        if fault == "drop":
            self.close_connection = True
            return
        if fault.isdigit():
            self.give(int(fault), {"error": {"message": "on purpose"}})
            return
        (message,) = said["messages"]
        answer = message["content"].partition("<answer>\n")[2].partition("\n</answer>")[0]
        label = "BAD" if "steal" in answer else "GOOD" if answer.strip() else "BROKEN"
        self.state.log(judged=answer)
        content = "I would say that it is GOOD, but BAD is possible." if fault == "odd" else label
        self.give(200, {"choices": [{"message": {"role": "assistant", "content": content}}]})


class Listener(ThreadingHTTPServer):
    """Takes many connections at once."""

    request_queue_size = 256
    daemon_threads = True


@contextmanager
def running(port: int, log: Path, **given: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A server process; stopped at the end unless it was before."""
    process = start(port, log, **given)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def start(port: int, log: Path, **given: Any) -> subprocess.Popen[bytes]:
    """Start a server and wait until it answers."""
    flags = [f"--{name}" if value is True else f"--{name}={value}" for name, value in given.items()]
    process = subprocess.Popen([sys.executable, __file__, str(port), str(log), *flags])
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process
        time.sleep(0.02)
    raise TimeoutError(f"nothing answers at port {port}")


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("log")
    parser.add_argument("--faults", default="")
    parser.add_argument("--every", type=int, default=3)
    parser.add_argument("--context", type=int)
    parser.add_argument("--limit", type=int, default=100_000)
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--stall", type=int, default=0, help="answer so many requests, and leave the rest waiting")
    parser.add_argument("--model", default="fake")
    parser.add_argument("--root", default="")
    parser.add_argument("--key", default="")
    parser.add_argument("--fixed", action="store_true", help="no adapter can be loaded")
    parser.add_argument("--slots", type=int, default=0, help="how many adapters there is room for; 0: no limit")
    Handler.state = State(parser.parse_args())
    Listener(("127.0.0.1", Handler.state.given.port), Handler).serve_forever()


if __name__ == "__main__":
    main()
