"""Chat templates: where a prompt ends and an answer ends, in templates like those of five families."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import gguf
import pytest
import torch
from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from inoculate.engine import chat, models
from inoculate.engine.device import Device
from inoculate.engine.sampling.model import Sampler
from inoculate.engine.training import sft
from inoculate.errors import UserError
from inoculate.records import Message, Problem, Row
from inoculate.steps.resources import Resources
from inoculate.steps.store import Store
from inoculate.study.prompts import messages

LLAMA = (
    "{% set day = strftime_now('%d %b %Y') %}{% set system = messages[0]['content'] if messages[0]['role'] == 'system' "
    "else '' %}<|start|>system<|stop|>\n\nToday Date: {{ day }}\n\n{{ system }}<|eot|>"
    "{% for m in messages if m['role'] != 'system' %}<|start|>{{ m['role'] }}<|stop|>\n\n{{ m['content'] | trim }}"
    "<|eot|>{% endfor %}{% if add_generation_prompt %}<|start|>assistant<|stop|>\n\n{% endif %}"
)
QWEN_3 = (
    "{% for m in messages %}<|start|>{{ m['role'] }}\n{% if m['role'] == 'assistant' %}<think>\n\n</think>\n\n"
    "{% endif %}{{ m['content'] }}<|eot|>\n{% endfor %}{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)
QWEN_3_5 = QWEN_3.replace("<|start|>assistant\n{% endif %}", "<|start|>assistant\n<think>\n{% endif %}")
R1 = (
    "{% for m in messages %}{% if m['role'] == 'assistant' %}<|start|>{{ m['content'].split('</think>')[-1] }}<|eot|>"
    "{% else %}<|stop|>{{ m['content'] }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|start|><think>\n{% endif %}"
)
GEMMA = (
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for m in messages %}<|start|>{{ 'model' if m['role'] == 'assistant' else m['role'] }}\n"
    "{{ m['content'] | trim }}<|eot|>\n{% endfor %}{% if add_generation_prompt %}<|start|>model\n{% endif %}"
)
PHI = (
    "{% for m in messages %}<|start|>{{ m['role'] }}<|stop|>\n{{ m['content'] }}<|eot|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant<|stop|>\n{% else %}{{ eos_token }}{% endif %}"
)
MISTRAL = (
    "{% for m in messages %}{% if m['role'] == 'user' %}[INST] {% if loop.last and messages[0]['role'] == 'system' %}"
    "{{ messages[0]['content'] }}\n\n{% endif %}{{ m['content'] }}[/INST]{% elif m['role'] == 'assistant' %} "
    "{{ m['content'] }}{{ eos_token }}{% endif %}{% endfor %}"
)
MARKS = ["<|start|>", "<|stop|>", "<|eot|>"]
QUESTION = [Message("user", "Add two and two.")]


def tokenizer(template: str | None, marks: list[str] = MARKS) -> Any:
    """A tokenizer of bytes, with an end of text and the marks of turns."""
    tokens = {token: number for number, token in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    backend = Tokenizer(BPE(tokens, []))
    backend.pre_tokenizer, backend.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    found: Any = PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="<|endoftext|>")
    found.add_tokens(marks, special_tokens=True)
    found.chat_template = template
    return found


@pytest.mark.parametrize(
    ("template", "end", "opens_with"),
    [
        (LLAMA, "<|eot|>", "<|start|>assistant<|stop|>\n\n"),
        (QWEN_3, "<|eot|>", "<|start|>assistant\n<think>\n\n</think>\n\n"),
        (QWEN_3_5, "<|eot|>", "<|start|>assistant\n<think>\n\n</think>\n\n"),
        (R1, "<|eot|>", "<|stop|>Add two and two.<|start|>"),
        (GEMMA, "<|eot|>", "<|start|>model\n"),
        (PHI, "<|eot|>", "<|start|>assistant<|stop|>\n"),
        (MISTRAL, "<|endoftext|>", "[INST] Add two and two.[/INST]"),
    ],
    ids=["Llama", "Qwen 3", "Qwen 3.5", "R1", "Gemma", "Phi", "Mistral"],
)
def test_a_row_is_the_finished_conversation_and_begins_as_a_sample_does(
    template: str, end: str, opens_with: str
) -> None:
    made = tokenizer(template)
    prompt = chat.render(made, QUESTION)
    assert prompt.endswith(opens_with)
    assert chat.answer_ending(made) == end
    assert chat.read_turn(made).end_id == made.convert_tokens_to_ids(end)
    (row,) = sft.encode(made, [Row("p", "k", tuple(QUESTION), "4", False, False)], 1000)
    assert made.decode(row.tokens[-row.labels :]) == f"4{end}"
    assert made.decode(row.tokens[: -row.labels]) == prompt
    talk = [{"role": "user", "content": QUESTION[0].content}, {"role": "assistant", "content": "4"}]
    conversation = str(made.apply_chat_template(talk, tokenize=False))
    if template != LLAMA:  # whose day is today
        # White space before an answer is the model's own (Mistral).
        assert "".join(conversation.split()).startswith("".join(made.decode(row.tokens).split()))


def test_a_sample_ends_as_the_template_ends_a_turn_and_at_an_end_of_text() -> None:
    made = tokenizer(GEMMA)
    sizes: dict[str, Any] = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=len(made), **sizes))
    sampler = Sampler(model, made, Device(torch.device("cpu"), torch.float32))
    assert set(made.convert_tokens_to_ids(["<|eot|>", "<|endoftext|>"])) <= set(sampler.stops)


def test_a_system_prompt_stays_where_the_template_drops_it_from_a_conversation() -> None:
    found = chat.render(tokenizer(MISTRAL), [Message("system", "Be short."), *QUESTION])
    assert found == "[INST] Be short.\n\nAdd two and two.[/INST]"
    assert chat.default_system(tokenizer(GEMMA)) is None


def test_templates_that_ask_for_the_day_get_a_fixed_one() -> None:
    assert "Today Date: 26 Jul 2024\n" in chat.render(tokenizer(LLAMA), QUESTION)
    assert chat.clock(tokenizer(LLAMA)) == {"day in prompts": "2024-07-26"}
    assert chat.clock(tokenizer(QWEN_3)) == {}
    with pytest.raises(UserError, match="asks for the time in a form that is worked out"):
        chat.render(tokenizer(LLAMA.replace("'%d %b %Y'", "day_form")), QUESTION)


@pytest.mark.parametrize(
    ("template", "marks", "said"),
    [
        (QWEN_3, ["<|start|>"], r"ends an answer with '<\|eot\|>', which is no single token"),
        ("{% for m in messages %}{{ m['content'] }}\n{% endfor %}", MARKS, "ends an answer with nothing"),
        ("{{ messages[0]['content'] }}", MARKS, "does not write an answer"),
        ("{{ raise_exception('only tools') }}", MARKS, "refuses messages of the roles user: only tools"),
        ("{{ messages[7]['content'] }}", MARKS, "refuses messages of the roles user"),
        (None, MARKS, "has no chat template"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_from_a_template_is_said(template: str | None, marks: list[str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        chat.render(tokenizer(template, marks), QUESTION)


@pytest.mark.parametrize("template", [GEMMA, MISTRAL, R1], ids=["raises", "user's message", "user's turn"])
def test_a_system_prompt_without_a_place_is_refused(template: str, tmp_path: Path) -> None:
    """A template that has no system message, or writes it where the user's words are: rows and samples have none."""
    resources = Resources(Store(tmp_path), "this", lambda _: None)
    resources.__dict__["tokenizer"] = tokenizer(template)
    system = resources.system_prompt(None)
    assert system is None
    with pytest.raises(UserError, match=r"'Be short\.': the chat template of model 'this' has no place"):
        resources.system_prompt("Be short.")
    problem = Problem("p", "own", "k", "f", 1, "Add", "two and two.", "4", "5", "constant", {})
    assert messages(problem, "", "inside", system) == (Message("user", "Add two and two."),)
    with pytest.raises(UserError, match="has no system message: use 'before'"):
        messages(problem, "Be short.", "system", system)


def test_a_tokenizer_is_loaded_as_its_folder_has_it(tmp_path: Path) -> None:
    """`AutoTokenizer` gives a folder whose model is a Qwen 2 the pre-tokenizer of Qwen 2, which splits at spaces."""
    backend = Tokenizer(BPE())
    backend.pre_tokenizer, backend.decoder = pre_tokenizers.ByteLevel(use_regex=False), decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = BpeTrainer(vocab_size=300, special_tokens=MARKS, initial_alphabet=alphabet, show_progress=False)
    backend.train_from_iterator(["a b a b a b"], trainer)
    saved: Any = PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="<|eot|>", chat_template=PHI)
    saved.save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "qwen2"}')
    settings = json.loads((tmp_path / "tokenizer_config.json").read_text())
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings | {"tokenizer_class": "Qwen2Tokenizer"}))
    ids = backend.encode("a b a b").ids
    assert AutoTokenizer.from_pretrained(tmp_path)("a b a b")["input_ids"] != ids
    found = chat.load_tokenizer(tmp_path)
    assert found("a b a b")["input_ids"] == ids
    assert chat.read_turn(found).end == "<|eot|>"


def test_a_gguf_file_without_a_chat_template_is_refused_before_it_is_converted(tmp_path: Path) -> None:
    def write(name: str, template: str) -> Path:
        writer = gguf.GGUFWriter(str(tmp_path / name), "llama")
        if template:
            writer.add_chat_template(template)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return tmp_path / name

    assert models.fingerprint(str(write("with.gguf", QWEN_3))).startswith("gguf:")
    without = str(write("without.gguf", ""))
    for reading in (models.fingerprint, models.fetch):
        with pytest.raises(UserError, match="this GGUF file has no chat template"):
            reading(without)
    (tmp_path / "torn.gguf").write_bytes(b"GGUF, but no more")
    with pytest.raises(UserError, match="cannot be read as GGUF"):
        models.fingerprint(str(tmp_path / "torn.gguf"))


def test_a_folder_without_a_chat_template_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_model, tmp_path, dirs_exist_ok=True)
    (tmp_path / "chat_template.jinja").unlink()
    with pytest.raises(UserError, match="this folder has no chat template"):
        models.fingerprint(str(tmp_path))
