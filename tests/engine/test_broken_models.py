"""Folders of models that are broken in some way: each is refused in one line, and no part is taken for a model."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
import torch
from safetensors.torch import load_file, save_file

from inoculate.engine import chat, models
from inoculate.engine.device import Device
from inoculate.engine.sampling import model as sampling
from inoculate.errors import UserError
from inoculate.records import Message
from mutated_files import changed

CPU = Device(torch.device("cpu"), torch.float32)
DEEP = "[" * 50_000 + "]" * 50_000


@pytest.fixture
def folder(tiny_model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_model, tmp_path / "broken"))


def take(folder: Path) -> None:
    """As a study does: see whether it is a model, render a prompt, and load the weights."""
    models.fingerprint(str(folder))
    chat.render(chat.load_tokenizer(folder), [Message("system", "s"), Message("user", "x")])
    sampling.load(folder, None, CPU)


def check_refused(folder: Path, words: str = ".") -> None:
    with pytest.raises(UserError, match=words) as refusal:
        take(folder)
    assert str(folder) in str(refusal.value) and "\n" not in str(refusal.value).strip()


def test_the_folder_is_right_before(folder: Path) -> None:
    take(folder)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"])
@pytest.mark.parametrize(
    "change",
    [lambda data: data[: len(data) // 2], lambda data: b"", lambda data: b"[]", lambda data: DEEP.encode()],
    ids=["cut off", "empty", "a list", "deep"],
)
def test_a_broken_file_is_refused(folder: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    path = folder / name
    path.write_bytes(change(path.read_bytes()))
    check_refused(folder)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("num_hidden_layers", 3, r"its weights lack model\.layers\.2"),
        (
            "num_hidden_layers",
            1,
            r"its weights have model\.layers\.1\..* and 6 more, of more layers than its",
        ),
        ("intermediate_size", 256, r"its weights have model\.layers\.0\.mlp\..* and 3 more, of another size than its"),
        ("hidden_size", 128, "."),
        ("tie_word_embeddings", [], "."),
        ("vocab_size", 7, "lm_head.weight, model.embed_tokens.weight, of another size"),
        ("model_type", 3, "."),
    ],
)
def test_weights_that_are_not_those_of_the_configuration_are_refused(
    folder: Path, key: str, value: object, words: str
) -> None:
    """transformers gives a layer without weights random ones, leaves out those that are too many, and warns."""
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    check_refused(folder, words)


def test_weights_of_a_head_that_has_no_place_here_are_left_out(folder: Path) -> None:
    path = folder / "model.safetensors"
    save_file(load_file(path) | {"v_head.summary.weight": torch.zeros(1, 64)}, path, metadata={"format": "pt"})
    take(folder)


@pytest.mark.parametrize(
    "template",
    [
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{{ 1 / 0 }}",
        "{% for",
        "{{ range(10 ** 9) | list }}",
        "{% include 'x' %}",
        "{{ messages[9].x.y }}",
    ],
)
def test_a_chat_template_that_fails_is_refused(folder: Path, template: str) -> None:
    (folder / "chat_template.jinja").write_text(template)
    check_refused(folder, "its chat template")


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "tokenizer_config.json"])
def test_a_changed_file_is_taken_or_refused(folder: Path, name: str) -> None:
    path, random, verdicts = folder / name, Random(name), set[str]()
    document = json.loads(path.read_text())
    for _ in range(12):
        path.write_text(json.dumps(changed(document, random), default=str))
        try:
            models.fingerprint(str(folder))
            chat.load_tokenizer(folder)
            verdicts.add("taken")
        except UserError as error:
            assert "\n" not in str(error).strip()
            verdicts.add("refused")
    assert "refused" in verdicts
