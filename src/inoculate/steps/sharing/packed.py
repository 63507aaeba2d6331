"""The format of a file of graded samples: JSON lines, compressed with xz. It knows steps and files, and no studies.

    a header    what the file is, and the study (`Header`)
    a step      one line for each, after its inputs: what `step.json` says of it, and its files (`PackedStep`)
    the end     {"end": number of steps}

Texts are stored once. A text of some length is in `texts` of the line where it first occurs, and everywhere it is
written as `~` and its number. Files of JSON lines are stored by column. What is read is byte for byte what was written,
which a digest of every file checks; xz has a checksum of the whole.
"""

from __future__ import annotations

import hashlib
import json
import lzma
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from inoculate.errors import UserError, unreadable
from inoculate.json_lines import strict

FORMAT = "inoculate graded samples"
SCHEMA = 1
MOST_UNPACKED = 512 * 2**20
"""Bytes of a file when it is decompressed; one that has more is refused."""
MOST_WRITTEN = 4 * 2**30
"""Bytes that a file may write into the store: a text that is stored once can be written many times."""
_MEMORY = 128 * 2**20
"""Bytes that decompression may take; xz needs 65 MiB for what it compressed most."""
_MAGIC = b"\xfd7zXZ\x00"
_MARK = "~"
_SHORT = 24
"""Characters up to which a text is written where it stands."""


class _Plain(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Machine(_Plain):
    """A machine that carried out steps."""

    name: str = Field(min_length=1, max_length=120)
    cpu: str = Field(max_length=200)
    cores: int | None
    versions: dict[str, str]


class Declared(_Plain):
    """What the study declared when it was first run, as `declared.json` has it."""

    contrasts_hash: str
    seeds: list[int]
    looks: list[int] = []
    borrow: list[str] = []
    study: dict[str, Any]
    created: str


class Header(_Plain):
    """The first line of a file."""

    format: Literal["inoculate graded samples"] = FORMAT
    version: int = SCHEMA
    inoculate: str
    """The version of this package that wrote the file."""
    name: str
    """The run's name."""
    study: str
    """The text of the study file."""
    declared: Declared
    model: str
    """The fingerprint of the model."""
    served: bool
    """Whether a server sampled."""
    screen: bool
    """Whether the run is the screen of the study, and not the study itself."""
    containment: str
    machines: list[Machine]


class PackedStep(_Plain):
    """One finished step."""

    kind: str
    key: str = Field(pattern=r"^[0-9a-f]{20}$")
    step_version: int
    label: str
    params: dict[str, Any]
    inputs: dict[str, str]
    """Name -> kind/key."""
    seconds: float
    processes: int | None = Field(default=None, ge=1)
    """How many carried it out; None where that was not recorded."""
    shard: bool | None = None
    """Whether the model's weights were divided among them."""
    regraded: dict[str, int] | None = None
    """Setting -> the version of its graders that first judged it, where an import has since judged it anew."""
    machine: int = Field(ge=0)
    """Its place among the header's machines."""
    files: dict[str, bytes]


@contextmanager
def write_packed(path: Path, header: Header) -> Iterator[PackedWriter]:
    """Write a file: the header now, the end when the block ends without an error.

    Args:
        path: The file.
        header: Its first line.
    """
    with lzma.open(path, "wb", check=lzma.CHECK_SHA256, preset=9) as out:
        writer = PackedWriter(out)
        writer.write(header.model_dump())
        yield writer
        writer.write({"end": writer.steps})


class PackedWriter:
    """Writes the steps of a file."""

    def __init__(self, out: IO[bytes]) -> None:
        """Set up.

        Args:
            out: Where lines go, to be compressed.
        """
        self._out = out
        self._texts: dict[str, int] = {}
        self._new: list[str] = []
        self.steps = 0
        self.size = 0
        """Bytes so far, before compression."""

    def add(self, step: PackedStep) -> None:
        """Write a step."""
        # Builds that do not know of regraded steps read all other files.
        line = step.model_dump(exclude={"files"} if step.regraded else {"files", "regraded"})
        line["params"] = self._encode(line["params"])
        line["files"] = {name: self._pack(content) for name, content in step.files.items()}
        self.write({"texts": self._new, **line})
        self._new = []
        self.steps += 1

    def write(self, data: dict[str, Any]) -> None:
        """Write one line."""
        line = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        self.size += len(line)
        self._out.write(line)

    def _pack(self, content: bytes) -> dict[str, Any]:
        columns = _columns(content)
        packed = {"text": content.decode()} if columns is None else {"columns": columns}
        return {"sha256": hashlib.sha256(content).hexdigest(), **self._encode(packed)}

    def _encode(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self._encode(each) for name, each in value.items()}
        if isinstance(value, list):
            return [self._encode(each) for each in value]
        if not isinstance(value, str) or (len(value) <= _SHORT and not value.startswith(_MARK)):
            return value
        if value not in self._texts:
            self._texts[value] = len(self._texts)
            self._new.append(value)
        return f"{_MARK}{self._texts[value]}"


def _columns(content: bytes) -> dict[str, list[Any]] | None:
    """The columns of JSON lines; None where they do not give the same bytes again, or there are none."""
    with suppress(ValueError, RecursionError):
        # Only \n ends a line: the other line separators of Unicode may be part of a text.
        lines = [json.loads(line) for line in content.decode().split("\n")[:-1]]
        if lines and all(isinstance(line, dict) and list(line) == list(lines[0]) for line in lines):
            columns = {name: [line[name] for line in lines] for name in lines[0]}
            if columns and b"".join(_json_lines(columns)) == content:
                return columns
    return None


def _json_lines(columns: dict[str, list[Any]]) -> Iterator[bytes]:
    for values in zip(*columns.values(), strict=True):
        yield json.dumps(dict(zip(columns, values, strict=True)), ensure_ascii=False).encode() + b"\n"


def read_packed(path: Path) -> Iterator[Header | PackedStep]:
    """Read a file: the header, then its steps. Only when the last step was read is it known that the file is whole.

    Raises:
        UserError: It cannot be read, is none of these files, was cut off or changed, or is too large.
    """
    lines = _read_lines(path)
    header = _read_header(path, next(lines, b""))
    yield header
    texts: list[str] = []
    steps = written = 0
    ended = False
    for line in lines:
        data = _load(path, line)
        if ended:
            raise _damaged(path, "something follows its end")
        if "end" in data:
            if data != {"end": steps}:
                raise _damaged(path, f"it has {steps} steps, and its end says {data['end']!r}")
            ended = True
            continue
        try:
            texts.extend(_TEXTS.validate_python(data.pop("texts", None)))
            files = data.pop("files", None)
            step = PackedStep.model_validate({**_decode(data, texts), "files": {}})
            unpacked = {}
            for name, packed in _FILES.validate_python(files).items():
                unpacked[name] = _unpack(path, f"{step.kind} {step.key}: {name}", packed, texts, MOST_WRITTEN - written)
                written += len(unpacked[name])
        except (ValueError, IndexError, RecursionError) as error:
            raise _damaged(path, _first_line(error)) from None
        if step.machine >= len(header.machines):
            raise _damaged(path, f"{step.kind} {step.key} is from a machine that is not listed")
        steps += 1
        yield step.model_copy(update={"files": unpacked})
    if not ended:
        raise _damaged(path, "its end is missing")


_TEXTS = TypeAdapter(list[str])
_FILES = TypeAdapter(dict[str, dict[str, Any]])
_COLUMNS = TypeAdapter(dict[str, list[Any]])


def _read_header(path: Path, line: bytes) -> Header:
    data = _load(path, line)
    if data.get("format") != FORMAT:
        raise UserError(f"{path}: not a file of graded samples: `inoculate export RUN --graded FILE` writes one")
    if data.get("version") != SCHEMA:
        raise UserError(
            f"{path}: its format has the version {data.get('version')!r}, and this inoculate reads version {SCHEMA}; "
            f"it was written by inoculate {data.get('inoculate')!r}: use the same version here and there"
        )
    try:
        return Header.model_validate(data)
    except ValidationError as error:
        raise _damaged(path, _first_line(error)) from None


def _unpack(path: Path, what: str, packed: dict[str, Any], texts: list[str], most: int) -> bytes:
    """The bytes of one file of a step."""
    parts: list[bytes] = []
    size = 0
    if "columns" in packed:
        columns = _COLUMNS.validate_python(packed["columns"])
        content = (_decode_line(columns, number, texts) for number in range(len(next(iter(columns.values()), []))))
        if len({len(column) for column in columns.values()}) != 1:
            raise ValueError(f"{what}: columns of unequal length")
    else:
        content = iter([str(_decode(packed.get("text"), texts)).encode()])
    for part in content:
        size += len(part)
        if size > most:
            raise UserError(
                f"{path}: it would write more than {MOST_WRITTEN / 2**30:g} GiB into the store: not imported. Export "
                "fewer seeds at once there: --seeds"
            )
        parts.append(part)
    whole = b"".join(parts)
    if hashlib.sha256(whole).hexdigest() != packed.get("sha256"):
        raise ValueError(f"{what}: its digest does not match its content")
    return whole


def _decode_line(columns: dict[str, list[Any]], number: int, texts: list[str]) -> bytes:
    record = {name: _decode(column[number], texts) for name, column in columns.items()}
    return json.dumps(record, ensure_ascii=False).encode() + b"\n"


def _decode(value: Any, texts: list[str]) -> Any:
    if isinstance(value, dict):
        return {name: _decode(each, texts) for name, each in value.items()}
    if isinstance(value, list):
        return [_decode(each, texts) for each in value]
    if isinstance(value, str) and value.startswith(_MARK):
        number = int(value[1:])
        if number < 0:
            raise IndexError(f"there is no text {number}")
        return texts[number]
    return value


def _read_lines(path: Path) -> Iterator[bytes]:
    """The decompressed lines, without their ends."""
    unpacker = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MEMORY)
    size, pending = 0, bytearray()
    try:
        with path.open("rb") as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                raise UserError(
                    f"{path}: not a file of graded samples: `inoculate export RUN --graded FILE` writes one"
                )
            file.seek(0)
            while not unpacker.eof:
                given = file.read(2**16) if unpacker.needs_input else b""
                if unpacker.needs_input and not given:
                    raise _damaged(path, "it was cut off")
                data = unpacker.decompress(given, 2**20)
                size += len(data)
                if size > MOST_UNPACKED:
                    raise UserError(
                        f"{path}: more than {MOST_UNPACKED // 2**20} MiB when it is decompressed: not imported. Export "
                        "fewer seeds at once there: --seeds"
                    )
                *whole, rest = data.split(b"\n")
                for line in whole:
                    yield bytes(pending) + line
                    pending.clear()
                pending += rest
            if unpacker.unused_data or file.read(1):
                raise _damaged(path, "something follows its end")
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {unreadable(path, error)}") from None
    except lzma.LZMAError as error:
        raise _damaged(path, str(error)) from None
    if pending:
        raise _damaged(path, "its last line was cut off")


def _load(path: Path, line: bytes) -> dict[str, Any]:
    try:
        data = strict(line.decode())
        if b"\\ud" in line.lower():  # half of a surrogate pair is no text, and could not be written again
            json.dumps(data, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise _damaged(path, _first_line(error)) from None
    if not isinstance(data, dict):
        raise _damaged(path, f"a line is a {type(data).__name__} and not an object")
    return data


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return (str(error).splitlines() or [type(error).__name__])[0]


def _damaged(path: Path, why: str) -> UserError:
    return UserError(f"{path}: cut off or changed since it was exported ({why}): nothing was imported; copy it again")
