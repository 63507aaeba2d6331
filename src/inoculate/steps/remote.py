"""Files in an object store (S3, GCS, what else fsspec knows), and what its errors mean in words.

An object store has no rename and no locks. What it has is an object that is created only where none is, so a finished
step is announced by its checksums:

URL/inoculate-store.json              the store's own name; created first, and never changed
URL/steps/<kind>/<key>/SHA256SUMS     a finished step: created last, and only once
URL/files/steps/<kind>/<key>/<sums>/  its files, beside those of attempts that came too late or were cut off
URL/records/..., URL/files/records/.. the same for what is known of steps whose output stayed elsewhere
URL/runs/<study>/, URL/logs/          as in a folder

The files of a step are in a folder that is named by the hash of its checksums. So two machines that do the same step
at once never write into each other's files, and the same attempt is uploaded twice into the same place.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from inoculate import checksums
from inoculate.errors import UserError, nearest

Result = TypeVar("Result")

MARK = "inoculate-store.json"
PATIENCE_SECONDS = 300.0
"""How long an object store that was reached once may be out of reach until a run gives up."""
_LONGEST_WAIT = 20.0
_SCHEMES = ("s3", "gs", "gcs", "abfs", "az")
_LOCAL = ("file", "local")
_INSTALL = {"s3": "'inoculate[s3]'", "gs": "gcsfs", "gcs": "gcsfs", "abfs": "adlfs", "az": "adlfs"}
_OPTIONS: dict[str, dict[str, Any]] = {
    "s3": {"config_kwargs": {"connect_timeout": 10, "retries": {"max_attempts": 2}}}  # what is beyond, we repeat
}
_PASSING = {
    *("HTTPClientError", "ConnectionError", "ConnectionClosedError", "ClientConnectionError", "ClientPayloadError"),
    *("TransportError", "HttpError", "TimeoutError"),
}
"""Names of classes of errors that may pass: of botocore, aiohttp and google.auth, which are not all installed."""
_PASSING_NUMBERS = {errno.EBUSY, errno.EIO, getattr(errno, "EREMOTEIO", errno.EIO)}
_SECRET = ("KEY", "SECRET", "TOKEN", "PASSWORD", "CREDENTIAL")


class OutOfReach(UserError):
    """The object store, or the network, does not answer."""


def is_url(store: str) -> bool:
    """Whether a store is named by a URL, and is no folder."""
    return "://" in store


class Remote:
    """The objects below a URL."""

    def __init__(self, url: str) -> None:
        """Take a URL. Nothing is sent yet.

        Args:
            url: `s3://BUCKET/PREFIX` and the like.

        Raises:
            UserError: It is none, or the package for its scheme is not installed.
        """
        scheme, _, place = url.partition("://")
        _check(scheme, place)
        self.url = f"{scheme}://{place.rstrip('/')}"
        self.notify: Callable[[str], None] = lambda text: None
        self.kept = ""
        """What becomes of what was made, if the store gets out of reach: the end of a message."""
        self._patience = 0.0
        """Until the store has answered once: what is wrong then is rather the URL than the network."""
        self._root = place.rstrip("/")
        self._scheme = {"s3a": "s3"}.get(scheme, scheme)
        self._files = _open(self._scheme)

    def identify(self, *, make: bool) -> str:
        """The store's own name, which no other has.

        Args:
            make: Whether a store is made where none is.

        Raises:
            UserError: There is none, and none is to be made; or none can be made there.
        """
        text = self.read(MARK)
        if text is None and not make:
            raise UserError(f"there is no store at {self.url}: `inoculate run STUDY --store {self.url}` makes one")
        if text is None:
            text = self._make()
        try:
            name = json.loads(text)["id"]
        except (ValueError, KeyError, TypeError):
            raise UserError(f"{self.url}/{MARK} is not what inoculate has written: use another prefix") from None
        self._patience = PATIENCE_SECONDS
        return str(name)

    def _make(self) -> str:
        """Write the mark; the second attempt shows that nothing is created where something is."""
        text = json.dumps({"id": uuid.uuid4().hex, "layout": 1}) + "\n"
        for _ in range(2):
            try:
                self.create(MARK, text)
            except FileExistsError:
                return self.read(MARK) or text
            except FileNotFoundError:
                raise UserError(f"{self.url}: there is no such bucket: make it first, or name another") from None
        raise UserError(
            f"{self.url} replaces an object where it was asked to create one only if there is none (If-None-Match on "
            "S3), which keeps two machines apart: use an object store that can do this, or a folder"
        )

    def folders_with(self, file: str, place: str) -> set[str]:
        """Names of the folders in a place that have a file: keys of the finished steps of a kind, or runs.

        Args:
            file: `SHA256SUMS`, or `manifest.json`.
            place: `steps/KIND`, `records/KIND` or `runs`.
        """
        found = self._insist("list", lambda: self._files.find(f"{self._root}/{place}"))
        return {name.split("/")[-2] for name in found if name.endswith(f"/{file}")}

    def read(self, name: str) -> str | None:
        """The text of an object; None where there is none."""
        try:
            return self._insist("read", lambda: self._files.cat_file(f"{self._root}/{name}")).decode()
        except FileNotFoundError:
            return None

    def create(self, name: str, text: str) -> None:
        """Write an object where none is.

        Raises:
            FileExistsError: There is one.
        """
        path, content = f"{self._root}/{name}", text.encode()
        self._insist("write to", lambda: self._files.pipe_file(path, content, mode="create"))

    def remove(self, name: str) -> None:
        """Remove an object, if it is there."""
        try:
            self._insist("write to", lambda: self._files.rm_file(f"{self._root}/{name}"))
        except FileNotFoundError:
            return

    def upload(self, files: Sequence[tuple[Path, str]]) -> None:
        """Write objects from files, each whole or not at all, in no order."""
        here, there = [str(path) for path, _ in files], [f"{self._root}/{name}" for _, name in files]
        self._insist("write to", lambda: self._files.put(here, there))

    def download(self, files: Sequence[tuple[str, Path]]) -> None:
        """Write files from objects, in no order.

        Raises:
            FileNotFoundError: One of them is not there.
        """
        there, here = [f"{self._root}/{name}" for name, _ in files], [str(path) for _, path in files]
        self._insist("read", lambda: self._files.get(there, here))

    def publish(self, name: str, folder: Path) -> None:
        """Upload a finished step, and announce it.

        Args:
            name: `steps/KIND/KEY`, or `records/KIND/KEY`.
            folder: The step.

        Raises:
            FileExistsError: It is announced already, by this machine or by another.
        """
        sums = (folder / checksums.NAME).read_text(encoding="utf-8")
        self.upload([(folder / file, f"{_place(name, sums)}/{file}") for file in checksums.read(folder)])
        self.create(f"{name}/{checksums.NAME}", sums)

    def fetch(self, wanted: Mapping[str, tuple[Path, bool]]) -> set[str]:
        """Download finished steps.

        Args:
            wanted: Name of each, as `publish` had it -> the folder that is made of it, and whether that has the files
                of its subfolders (adapters) too.

        Returns:
            The names of those that are there. Whether their files are what was written is not looked at.
        """
        marks = {f"{self._root}/{name}/{checksums.NAME}": name for name in wanted}
        found = self._insist("read", lambda: _reraise(self._files.cat(list(marks), on_error="return")))
        files: dict[str, list[tuple[str, Path]]] = {}
        for mark, content in found.items():
            name, sums = marks[mark], content.decode()
            folder, whole = wanted[name]
            folder.mkdir(parents=True)
            (folder / checksums.NAME).write_text(sums, encoding="utf-8")
            names = list[str]()
            with suppress(ValueError):  # it is damaged, which is found where files are compared with it
                names = [file for file in checksums.read(folder) if whole or "/" not in file]
            files[name] = [(f"{_place(name, sums)}/{file}", folder / file) for file in names]
        try:
            self.download([pair for pairs in files.values() for pair in pairs])
        except FileNotFoundError:  # of one of them: the others are complete
            for pairs in files.values():
                with suppress(FileNotFoundError):
                    self.download(pairs)
        return set(files)

    def _insist(self, do: str, action: Callable[[], Result]) -> Result:
        """Do something, again and again for a while where the store does not answer.

        Raises:
            FileNotFoundError: An object that was to be read is not there; or the bucket is not.
            FileExistsError: One that was to be created is there.
            OutOfReach: The store does not answer.
            UserError: It refuses.
        """
        end, wait = time.monotonic() + self._patience, 0.5
        while True:
            try:
                return action()
            except (FileNotFoundError, FileExistsError):
                raise
            except Exception as error:
                if isinstance(error, OSError) and error.filename:
                    raise  # of a file on this machine
                if not _may_pass(error):
                    raise UserError(_refusal(error, do, self.url)) from None
                why = f"{self.url} does not answer ({_said(error)})"
                if time.monotonic() + wait > end:
                    self._patience = 0.0  # the end of a run does not wait for it again
                    raise OutOfReach(why + self.kept) from None
                if wait == 0.5:
                    self.notify(f"{why}: it is tried again for {self._patience / 60:.0f} minutes")
            time.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT)


def _reraise(found: dict[str, Any]) -> dict[str, bytes]:
    """What was read of several objects, without those that are not there."""
    for content in found.values():
        if isinstance(content, Exception) and not isinstance(content, FileNotFoundError):
            raise content
    return {name: content for name, content in found.items() if isinstance(content, bytes)}


def _place(name: str, sums: str) -> str:
    """Where the files of a step are, which has these checksums."""
    return f"files/{name}/{hashlib.sha256(sums.encode()).hexdigest()[:16]}"


def _check(scheme: str, place: str) -> None:
    from fsspec import available_protocols

    if scheme in _LOCAL:
        raise UserError(f"a store in a folder is named without {scheme}://")
    if scheme not in (*_SCHEMES, *available_protocols()):
        raise UserError(f"the store's URL begins with an unknown scheme '{scheme}': {nearest(scheme, _SCHEMES)}")
    bucket = place.partition("/")[0]
    if "@" in bucket:
        raise UserError(
            "the store's URL has a user or a password in it, which would be in logs and lists of processes: leave them "
            "out (credentials come from the environment, or from the provider's own file)"
        )
    if not bucket or any(sign in place for sign in "?#*[]") or "//" in place:
        raise UserError(f"the store's URL is {scheme}://BUCKET/PREFIX, with no query, no pattern and no empty part")


def _open(scheme: str) -> Any:
    import fsspec

    try:
        return fsspec.filesystem(scheme, use_listings_cache=False, skip_instance_cache=True, **_OPTIONS.get(scheme, {}))
    except ImportError as error:
        package = _INSTALL.get(scheme)
        how = f"pip install {package}" if package else str(error)
        raise UserError(f"a store at {scheme}:// needs a package that is not installed here: {how}") from None
    except Exception as error:  # gcsfs looks for credentials at once
        raise UserError(_refusal(error, "open", f"{scheme}://")) from None


def _may_pass(error: Exception) -> bool:
    if isinstance(error, OSError) and error.errno in _PASSING_NUMBERS:
        return True
    return not _PASSING.isdisjoint(kind.__name__ for kind in type(error).__mro__)


def _refusal(error: Exception, do: str, url: str) -> str:
    kind = type(error).__name__
    if "Credential" in kind or "SSO" in kind or "Profile" in kind:
        return (
            f"no credentials for {url} ({_said(error)}): set those of its provider (for S3: AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or a role of the machine)"
        )
    if isinstance(error, PermissionError):
        return f"no permission to {do} {url} ({_said(error)}): other credentials, or a right for these, would help"
    return f"{url} refuses ({kind}: {_said(error)})"


def _said(error: Exception) -> str:
    """What an error says, on one line, without anything that the environment keeps secret."""
    text = " ".join(str(error).split()) or type(error).__name__
    for name, value in os.environ.items():
        if len(value) >= 6 and any(word in name.upper() for word in _SECRET):
            text = text.replace(value, "***")
    return text[:300].rstrip(".")
