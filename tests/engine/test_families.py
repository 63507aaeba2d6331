"""Families of models: on the fast or the plain path each gives what transformers and PEFT give."""

from __future__ import annotations

import json
import math
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from rich.console import Console
from transformers import AutoModelForCausalLM, GenerationConfig

from inoculate.cli.tables import plan_facts, plan_table
from inoculate.engine import families, models, packing
from inoculate.engine.device import Device
from inoculate.engine.families import is_fast, read_config, slower
from inoculate.engine.sampling import Request, adapters, in_process, scoring
from inoculate.engine.sampling import plain as plain_path
from inoculate.engine.sampling.divergence import divergences
from inoculate.engine.sampling.model import Sampler, load
from inoculate.engine.sampling.plain import ignores_padding
from inoculate.engine.training import sft
from inoculate.engine.training.loss import cross_entropy
from inoculate.errors import UserError
from inoculate.steps.plan import make_plan
from inoculate.steps.resources import Resources
from inoculate.steps.store import Store
from inoculate.study.parse import load as load_study
from inoculate.study.schema import SFT
from tiny_families import FAMILIES, make

CPU = Device(torch.device("cpu"), torch.float32)
NEW = 10
PROMPTS = [[7, 8, 9, 10, 11, 12, 13, 14, 15], [7, 8, 9, 10, 30, 31], [50, 51], [7, 8, 9, 10, 30, 32, 33]]
TEXTS = [" ".join(f"t{token}" for token in prompt) for prompt in PROMPTS]
ROWS = [{"input_ids": [*prompt, 20, 21 + number, 1], "label_count": 3} for number, prompt in enumerate(PROMPTS)]


@pytest.fixture(scope="module", params=FAMILIES)
def family(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    folder = tmp_path_factory.mktemp("family")
    make(request.param, folder)
    return request.param, folder


@torch.no_grad()
def adapter_of(folder: Path, target: Path) -> Any:
    """A model of ours with an adapter that changes it, which is saved."""
    base = sft.load_base(folder, CPU)
    tuned: Any = get_peft_model(base, sft.lora_config(SFT(lora_rank=2), base))
    torch.manual_seed(1)
    for name, weight in tuned.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.05)
    tuned.save_pretrained(target)
    return tuned


def plain(folder: Path) -> Any:
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")


@torch.no_grad()
def generated(model: Any) -> list[list[int]]:
    """What transformers generates after each prompt, alone."""
    config = GenerationConfig(max_new_tokens=NEW, do_sample=False, eos_token_id=1, pad_token_id=0)
    ids = [torch.tensor([prompt]) for prompt in PROMPTS]
    found = [model.generate(one, attention_mask=torch.ones_like(one), generation_config=config) for one in ids]
    return [one[0, len(prompt) :].tolist() for one, prompt in zip(found, PROMPTS, strict=True)]


def sampled(sampler: Sampler, temperature: float = 0.0) -> list[tuple[tuple[int, ...], tuple[float, ...]]]:
    request = Request(TEXTS, 1, temperature, NEW, seed=0)
    drawn = {one.prompt: one for _, batch in in_process.sample(sampler, [request]) for one in batch}
    return [(drawn[number].tokens, drawn[number].log_probabilities) for number in range(len(PROMPTS))]


@torch.no_grad()
def test_samples_are_those_of_transformers(family: tuple[str, Path]) -> None:
    name, folder = family
    sampler, model = load(folder, None, CPU), plain(folder)
    assert is_fast(read_config(folder)) == is_fast(model.config) == sampler.is_fast == FAMILIES[name].is_fast
    found = [list(tokens) for tokens, _ in sampled(sampler)]
    assert found == generated(model)
    assert len({tuple(tokens) for tokens in found}) == len(PROMPTS)
    for prompt, (tokens, drawn) in zip(PROMPTS, sampled(sampler, 1.5), strict=True):
        logits = model(torch.tensor([[*prompt, *tokens]]), use_cache=False).logits[0, len(prompt) - 1 : -1]
        expected = torch.log_softmax(logits / 1.5, -1)[range(len(tokens)), list(tokens)]
        torch.testing.assert_close(torch.tensor(drawn), expected, atol=1e-4, rtol=0)
    first, second = (
        torch.log_softmax(model(torch.tensor([[*prompt, 41, 42]]), use_cache=False).logits[0, -3:], -1)
        for prompt in PROMPTS[:2]
    )
    middle = torch.logaddexp(first, second) - math.log(2)
    nats = [(one.exp() * (one - middle)).sum(-1) for one in (first, second)]
    bits = (nats[0] + nats[1]) / (2 * math.log(2))
    assert divergences(sampler, TEXTS[0], TEXTS[1:2], "t41 t42") == pytest.approx([float(bits.mean())], abs=1e-5)


def test_training_is_that_of_peft_row_by_row(family: tuple[str, Path], tmp_path: Path) -> None:
    name, folder = family
    tuned = adapter_of(folder, tmp_path)
    reference: Any = PeftModel.from_pretrained(plain(folder), str(tmp_path), is_trainable=True)
    is_fast = FAMILIES[name].is_fast
    found, wanted = torch.zeros(()), torch.zeros(())
    for batch in sft.collate(ROWS, 1000 if is_fast else 0)["micro_batches"]:
        found = found + cross_entropy(packing.forward(tuned, batch, is_fast=is_fast), batch.targets, batch.weights)
    for row in ROWS:
        ids, count = torch.tensor([row["input_ids"]]), row["label_count"]
        logits = reference(input_ids=ids, use_cache=False).logits[0, -count - 1 : -1]
        wanted = wanted + torch.nn.functional.cross_entropy(logits, ids[0, -count:], reduction="sum")
    torch.testing.assert_close(found, wanted, atol=1e-4, rtol=1e-4)
    for total in (found, wanted):
        total.backward()
    gradients = {key: weight.grad for key, weight in reference.named_parameters() if weight.requires_grad}
    assert len(gradients) > 4
    largest = max(float(gradient.abs().max()) for gradient in gradients.values())
    for key, weight in tuned.named_parameters():
        if weight.requires_grad:
            torch.testing.assert_close(weight.grad, gradients[key], atol=2e-6 * largest, rtol=1e-4)
    sampler = load(folder, tmp_path, CPU)
    assert [list(tokens) for tokens, _ in sampled(sampler)] == generated(reference)
    sampler.use(adapters.read(tmp_path))
    words = [f"{text} t40" for text in TEXTS]
    scores = scoring.score(sampler, words, "t41 t42", " <end>")
    for prompt, score in zip(PROMPTS, scores, strict=True):
        ids = torch.tensor([[*prompt, 40, 41, 42, 1]])
        logs = torch.log_softmax(reference(ids, use_cache=False).logits[0], -1)
        assert score == pytest.approx(sum(float(logs[-at, ids[0, 1 - at]]) for at in (4, 3, 2)), abs=1e-3)


@pytest.mark.parametrize("name", ["Qwen 3, mixture of experts", "GPT-OSS"])
def test_an_adapter_on_the_experts_is_refused_and_ours_has_none(name: str, tmp_path: Path) -> None:
    make(name, tmp_path)
    ours = adapter_of(tmp_path, tmp_path / "ours")
    adapted = {key.split(".lora_")[0].rpartition(".")[2] for key, _ in ours.named_parameters() if ".lora_" in key}
    assert adapted == {"q_proj", "k_proj", "v_proj", "o_proj"}
    options = LoraConfig(r=2, target_modules=["q_proj"], target_parameters=["mlp.experts.down_proj"])
    get_peft_model(plain(tmp_path), options).save_pretrained(str(tmp_path / "theirs"))
    with pytest.raises(UserError, match=r"adapter .*experts.*(is no linear layer|plain LoRA on linear layers)"):
        load(tmp_path, tmp_path / "theirs", CPU)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_a_trained_model_can_have_the_weights_of_the_sampler(family: tuple[str, Path], dtype: torch.dtype) -> None:
    device = Device(torch.device("cpu"), dtype)
    sampler = load(family[1], None, device)
    shared, wanted = sft.load_base(family[1], device, sampler), sft.load_base(family[1], device)
    found, held = dict(shared.named_parameters()), sampler.base_weights()
    assert {name: weight.data_ptr() for name, weight in found.items()} == {
        name: held[name].data_ptr() for name in found
    }
    for (name, own), (other, weight) in zip(
        [*shared.named_parameters(), *shared.named_buffers()],
        [*wanted.named_parameters(), *wanted.named_buffers()],
        strict=True,
    ):
        assert name == other and torch.equal(own, weight), name


def test_a_model_that_sees_its_padding_is_sampled_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make("StableLM", tmp_path)
    sampler, wanted = load(tmp_path, None, CPU), generated(plain(tmp_path))
    assert ignores_padding(sampler.model)
    forward = sampler.model.forward

    def unmasked(attention_mask: Any = None, position_ids: Any = None, **rest: Any) -> Any:
        return forward(**rest)

    monkeypatch.setattr(sampler.model, "forward", unmasked)
    assert not ignores_padding(sampler.model)
    assert [list(tokens) for tokens, _ in sampled(sampler)] == wanted


def test_the_plain_path_is_said_by_the_plan_and_with_the_samples(
    study_file: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, study = Store(tmp_path / "store"), load_study(study_file)
    facts = plan_facts(make_plan(study), store)
    assert facts["slower"] == ""
    assert "attention" not in Resources(store, str(tiny_model), print).own_engine
    monkeypatch.setattr(families, "FAST", frozenset())
    facts = plan_facts(make_plan(study), store)
    shown = Console(width=200, file=StringIO())
    shown.print(plan_table(facts, ["inoculate", "preflight", "study.toml"]))
    assert isinstance(shown.file, StringIO)
    assert "slower: the fast path does not know models of the type 'llama'; the time allows" in shown.file.getvalue()
    assert Resources(store, str(tiny_model), print).own_engine["attention"] == "of transformers"


def test_padding_is_tried_once_for_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make("StableLM", tmp_path)
    sampler, tried = load(tmp_path, None, CPU), []
    monkeypatch.setattr(plain_path, "ignores_padding", lambda model: tried.append(model) or True)
    assert sampled(sampler) == sampled(sampler)
    assert tried == [sampler.model]


def test_a_known_type_with_an_unknown_part_is_not_fast(tmp_path: Path) -> None:
    def why(**config: Any) -> str:
        (tmp_path / "config.json").write_text(json.dumps(config))
        return slower(read_config(tmp_path))

    assert why(model_type="gemma3", text_config={"model_type": "gemma3_text"}) == ""
    assert "'use_bidirectional_attention'" in why(model_type="gemma3_text", use_bidirectional_attention=True)
    assert "'lfm2'" in why(model_type="lfm2", full_attn_idxs=[0], num_hidden_layers=2)


def test_a_file_may_leave_out_what_its_type_has_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The layers of a Qwen 3.5 and the context of a Llama are in no key of these files."""
    monkeypatch.setattr(families, "FAST", families.FAST | {"qwen3_5_text"})
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "qwen3_5_text"}))
    assert "layers of the type 'linear_attention'" in slower(read_config(tmp_path))
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llama"}))
    assert models.context(str(tmp_path)) == 2048
