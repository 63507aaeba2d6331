"""A local object store: moto's server on this machine, with a bucket for each test."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

KEYS = {"AWS_ACCESS_KEY_ID": "known-by-all", "AWS_SECRET_ACCESS_KEY": "a-secret-of-mine", "AWS_REGION": "us-east-1"}


@contextmanager
def served() -> Iterator[str]:
    """Start a server on a free port, and yield its address."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def files() -> Any:
    """The object store, without inoculate."""
    import s3fs

    return s3fs.S3FileSystem(use_listings_cache=False, skip_instance_cache=True)
