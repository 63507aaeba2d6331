"""A server that sends the same bytes to whoever asks, at once or drop by drop, for replies that are no replies."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

DROPS = 0.05
"""Seconds between two bytes of a reply that comes drop by drop."""


def reply(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """The bytes of a reply."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


@contextmanager
def sending(given: bytes, *, in_drops: bool = False) -> Iterator[str]:
    """Serve; yields the address."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    over = threading.Event()

    def answer(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            asked = b""
            while b"\r\n\r\n" not in asked:
                asked += connection.recv(65536)
            for number in range(len(given)) if in_drops else ():
                if over.wait(DROPS):
                    return
                connection.sendall(given[number : number + 1])
            connection.sendall(b"" if in_drops else given)
            time.sleep(0.05)  # what is left of the request is not read: a close at once would reset the connection

    def serve() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    finally:
        over.set()
        listener.close()


DEEP = b"[" * 100_000 + b"]" * 100_000
REPLIES: dict[str, bytes] = {
    "a page": reply(b"<html>hello</html>", "Content-Type: text/html"),
    "nothing": reply(b""),
    "gzip that is none": reply(b"garbage", "Content-Encoding: gzip"),
    "an encoding of bytes": reply(b'{"a":1', "Content-Type: application/json; charset=hex"),
    "an encoding of signs": reply(b'{"a":1', "Content-Type: text/html; charset=rot13"),
    "an encoding of names": reply(b'{"a":1\xff', "Content-Type: application/json; charset=idna"),
    "elsewhere": reply(b"", "Location: http://127.0.0.1:1/", status="302 Found"),
    "no HTTP": b"hello\r\n\r\n",
    "a status that is none": reply(b"{}", status="000 X"),
    "lists in lists": reply(DEEP),
    "lists in an object": reply(b'{"data":' + DEEP + b',"choices":' + DEEP + b"}"),
    "an endless number": reply(b'{"data":[{"id":"m","max_model_len":' + b"9" * 5000 + b"}]}"),
    "half a sign": reply(b'{"error":{"message":"\\ud800 \\u001b[31m"}}', status="400 Bad"),
    "orders to a terminal": reply(b"\x1b[2Jhello", status="418 teapot"),
    "a wait that is no number": reply(b"{}", "Retry-After: \u00b2", status="429 Busy"),
    "an endless header": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 300_000 + b"\r\n\r\n{}",
}
"""What a server may send that is neither a list of models nor a completion."""
