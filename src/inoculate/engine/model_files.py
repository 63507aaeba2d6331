"""The files of a model on this machine: what is missing or broken is refused before any work."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from inoculate.errors import UserError, unreadable

_TEMPLATES = ("chat_template.jinja", "chat_template.json", "additional_chat_templates")
"""Where transformers reads a chat template from, beside tokenizer_config.json."""
_WEIGHTS, _INDEX = "model.safetensors", "model.safetensors.index.json"
"""The weights, if they are in one file; else which are in which."""


def check_gguf(path: Path) -> Path:
    """Refuse a GGUF file that cannot be sampled from, by its header: converting takes minutes.

    Raises:
        UserError: It cannot be read, or has no chat template.
    """
    from gguf import GGUFReader

    try:
        fields = GGUFReader(path).fields
    except (ValueError, IndexError, OSError) as error:
        raise UserError(f"model '{path}': this file cannot be read as GGUF: {error}") from error
    if "tokenizer.chat_template" not in fields:
        raise UserError(
            f"model '{path}': this GGUF file has no chat template (tokenizer.chat_template), so it is not known how "
            "its model is asked: take the file of an instruction-tuned model"
        )
    return path.resolve()


def check_folder(path: Path, name: str) -> Path:
    """Refuse a folder that is not a model, or only a part of one.

    Args:
        path: The folder.
        name: What the user calls the model.

    Raises:
        UserError: A file is missing, cut off or not JSON; or there is no chat template.
    """
    if missing := missing_files(path):
        raise UserError(
            f"model '{name}': this folder is not a model: it lacks {', '.join(missing)} "
            "(needed: config.json, tokenizer_config.json and *.safetensors, as save_pretrained writes them)"
        )
    for file in path.glob("*.safetensors"):
        _check_weights(file)
    for file in (path / "config.json", path / "tokenizer_config.json"):
        try:
            if not isinstance(json.loads(file.read_text(encoding="utf-8")), dict):
                raise ValueError("an object was expected")
        except (ValueError, RecursionError) as error:
            raise UserError(f"model '{name}': {file.name} is not JSON: {error}") from None
    tokenizer = json.loads((path / "tokenizer_config.json").read_text(encoding="utf-8"))
    if not tokenizer.get("chat_template") and not any((path / template).exists() for template in _TEMPLATES):
        raise UserError(
            f"model '{name}': this folder has no chat template, so it is not known how its model is asked: take an "
            "instruction-tuned model, or give the folder a chat_template.jinja"
        )
    return path.resolve()


def missing_files(folder: Path) -> list[str]:
    """What a folder lacks of a model's files, all files of weights that an index names among them."""
    missing = [name for name in ("config.json", "tokenizer_config.json") if not (folder / name).is_file()]
    if (folder / _WEIGHTS).is_file():
        return missing
    try:
        index = json.loads((folder / _INDEX).read_text(encoding="utf-8"))
        weights = sorted({str(file) for file in index["weight_map"].values()})
    except FileNotFoundError:
        return missing if list(folder.glob("*.safetensors")) else [*missing, "*.safetensors"]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return [*missing, f"a {_INDEX} that can be read"]
    return missing + [name for name in weights if not (folder / name).is_file()]


def _check_weights(file: Path) -> None:
    """Refuse a file of weights that is cut off: its header says how long it must be."""
    size = file.stat().st_size
    try:
        with file.open("rb") as data:
            length = int.from_bytes(data.read(8), "little")
            tensors = json.loads(data.read(length)) if length < size else {}
        ends = [int(entry["data_offsets"][1]) for name, entry in tensors.items() if name != "__metadata__"]
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError):
        ends = []
    if not ends or size < 8 + length + max(ends):
        raise UserError(
            f"model '{file.parent}': {file.name} is not whole ({size:,} bytes): was a download or a copy cut off?"
        )


def beside(path: Path) -> list[str]:
    """The folders and GGUF files in the folder that a path is in, of which one may be meant."""
    found = path.parent.iterdir() if path.parent.is_dir() else ()
    return [str(one) for one in found if one.suffix == ".gguf" or (one / "config.json").is_file()]


def no_such(path: Path, kind: Literal["folder", "GGUF file"]) -> str:
    """That there is no such folder or GGUF file, with the nearest match, and where paths start from."""
    return unreadable(path, FileNotFoundError()).replace("no such file", f"no such {kind}", 1)
