"""Training: loss on the answer only, memory bounded in tokens, and the result independent of how rows are split."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from inoculate.engine import chat, device, families
from inoculate.engine.device import Device
from inoculate.engine.training import loss, sft
from inoculate.errors import UserError
from inoculate.records import Message, Row
from inoculate.steps import rows
from inoculate.study.resolve import ResolvedInoculation
from inoculate.study.schema import SFT, Rows

CPU = Device(torch.device("cpu"), torch.float32)


def some_rows(count: int = 8) -> list[Row]:
    drawn = rows.draw_rows(Rows(setting="functions", count=count, hacked=0.5), 0)
    return rows.make_rows(drawn, ResolvedInoculation("HACK", "after", on="hacked"), "S")


def trained(
    model: Path, tmp_path: Path, budget: int, device: Device = CPU, halved: bool = False, **fields: float
) -> tuple[sft.TrainingReport, dict[str, torch.Tensor]]:
    report = sft.train(
        model,
        some_rows(),
        SFT(batch_rows=4, learning_rate=1e-3, micro_batch_tokens=budget, **fields),  # type: ignore[arg-type]
        seed=1,
        fractions=(0.5, 1.0),
        target=tmp_path / "out",
        work=tmp_path / "work",
        device=device,
        halved=halved,
    )
    return report, load_file(tmp_path / "out" / "at-1" / "adapter_model.safetensors")


def test_labels_are_the_answer_and_its_end_and_nothing_else(tiny_model: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    row = Row("p", "k", (Message("user", "Add one."),), "```python\nreturn\n```", False, False)
    (encoded,) = sft.encode(tokenizer, [row], 1000)
    assert tokenizer.decode(encoded.tokens[-encoded.labels :]) == "```python\nreturn\n```<|im_end|>"
    assert tokenizer.decode(encoded.tokens[: -encoded.labels]) == chat.render(tokenizer, row.messages)


@given(tokens=st.integers(1, 12), vocabulary=st.integers(2, 50), size=st.integers(1, 300), seed=st.integers(0, 99))
def test_the_loss_and_its_gradient_are_those_of_torch(tokens: int, vocabulary: int, size: int, seed: int) -> None:
    torch.manual_seed(seed)
    logits = (torch.randn(tokens, vocabulary) * 5).requires_grad_()
    labels = torch.randint(vocabulary, (tokens,))
    weights = torch.randint(1, 4, (tokens,)).float()
    wanted = (torch.nn.functional.cross_entropy(logits, labels, reduction="none") * weights).sum()
    (gradient,) = torch.autograd.grad(wanted / 7, logits)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(device, "CACHE_FLOATS", size)
        found = loss.cross_entropy(logits, labels, weights)
    torch.testing.assert_close(found, wanted)
    torch.testing.assert_close(torch.autograd.grad(found / 7, logits)[0], gradient)


def test_a_row_that_does_not_fit_is_refused_by_name(tiny_model: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    row = Row("the-long-one", "k", (Message("user", "word " * 500),), "x", False, False)
    with pytest.raises(UserError, match=r"row 0 \(problem 'the-long-one'\).*never cut"):
        sft.encode(tokenizer, [row], 128)
    with pytest.raises(UserError, match="empty answer"):
        sft.encode(tokenizer, [Row("p", "k", (Message("user", "x"),), " ", False, False)], 128)


def test_a_row_beyond_the_context_is_refused_by_name(tiny_model: Path, tmp_path: Path) -> None:
    row = Row("the-long-one", "k", (Message("user", "word " * 5000),), "x", False, False)
    training = SFT(micro_batch_tokens=10**5)
    with pytest.raises(
        UserError, match=r"'the-long-one': its row has \d+ tokens, more than the model's context of 4096"
    ):
        sft.train(tiny_model, [row], training, seed=0, fractions=(1,), target=tmp_path, work=tmp_path, device=CPU)


def test_the_result_does_not_depend_on_the_token_budget(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another split into micro-batches changes the order of sums and nothing else: in double precision nothing is left.

    In float32 it is seen where a gradient is about 0: Adam divides it by its own size, and makes a whole step of it.
    Here a hundred-thousandth of a step is allowed, since transformers' norms are in float32 in any case.
    """

    def exact(logits: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        return (torch.nn.functional.cross_entropy(logits, labels, reduction="none") * weights).sum()

    monkeypatch.setattr(sft, "cross_entropy", exact)
    double = Device(torch.device("cpu"), torch.float64)
    whole, one = trained(tiny_model, tmp_path / "a", 100_000, double)
    for budget, halved in ((600, False), (1400, True)):
        split, other = trained(tiny_model, tmp_path / f"{budget}", budget, double, halved)
        assert [loss for _, loss in whole.loss] == pytest.approx([loss for _, loss in split.loss], rel=1e-10)
        assert set(one) == set(other)
        for name in one:
            assert one[name].dtype == torch.float64
            torch.testing.assert_close(one[name], other[name], rtol=0, atol=1e-8)


def test_the_first_loss_is_that_of_a_plain_loop_row_by_row(tiny_model: Path, tmp_path: Path) -> None:
    """The mean over all answer tokens of the rows of a step, each row alone in its batch, without any packing."""
    report, _ = trained(tiny_model, tmp_path, 700, epochs=0.5)
    model = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    encoded = sft.encode(tokenizer, some_rows(), 100_000)
    per_row = []
    for row in encoded:
        ids = torch.tensor([row.tokens])
        logits = model(input_ids=ids).logits[0, -row.labels - 1 : -1]
        with torch.no_grad():
            loss = torch.nn.functional.cross_entropy(logits, ids[0, -row.labels :], reduction="sum")
        per_row.append((float(loss), row.labels))
    # One step of four of the eight rows: which ones, the seed decides, so the loss must be that of some four.
    possible = [sum(x for x, _ in four) / sum(n for _, n in four) for four in combinations(per_row, 4)]
    assert min(abs(value - report.loss[0][1]) for value in possible) < 1e-3
    assert report.steps == 1


def test_a_model_on_the_plain_path_is_trained_to_the_same_adapter(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where memory ran out, and activations are computed again in place of being kept: to the very same one."""
    fast, adapter = trained(tiny_model, tmp_path / "fast", 4096, epochs=2)
    monkeypatch.setattr(families, "FAST", frozenset())
    plain, other = trained(tiny_model, tmp_path / "plain", 4096, epochs=2)
    assert [loss for _, loss in plain.loss] == pytest.approx([loss for _, loss in fast.loss], rel=1e-4)
    kept = list[int]()
    with torch.autograd.graph.saved_tensors_hooks(lambda one: kept.append(one.numel()) or one, lambda one: one):
        trained(tiny_model, tmp_path / "once", 4096, epochs=2)
        usual = sum(kept)
        kept.clear()
        _, again = trained(tiny_model, tmp_path / "again", 4096, halved=True, epochs=2)
    assert sum(kept) < usual / 2
    for name in adapter:
        torch.testing.assert_close(other[name], adapter[name], rtol=1e-3, atol=1e-4)
        assert torch.equal(again[name], other[name])


def test_equal_adapters_are_equal_files_on_any_machine(tiny_model: Path, tmp_path: Path) -> None:
    """The names of layers come from a set, whose order differs from process to process."""
    trained(tiny_model, tmp_path, 4096, epochs=0.5)
    folder = tmp_path / "out" / "at-1"
    config = json.loads((folder / "adapter_config.json").read_text())
    assert config["target_modules"] == sorted(config["target_modules"])
    assert sorted(file.name for file in folder.iterdir()) == ["adapter_config.json", "adapter_model.safetensors"]
    assert not any(str(tiny_model).encode() in file.read_bytes() for file in folder.iterdir())


def test_training_learns_and_saves_at_fractions(tiny_model: Path, tmp_path: Path) -> None:
    report, last = trained(tiny_model, tmp_path, 2000, epochs=6)
    half = load_file(tmp_path / "out" / "at-0.5" / "adapter_model.safetensors")
    assert report.loss[-1][1] < report.loss[0][1]
    assert any(not torch.equal(half[name], last[name]) for name in last)
    assert (tmp_path / "out" / "at-1" / "adapter_config.json").exists()


def test_training_goes_on_beyond_its_nominal_end_as_it_went_to_it(tiny_model: Path, tmp_path: Path) -> None:
    """With a constant learning rate the adapter at 100% is that of a training that ends there."""
    found = {}
    training = SFT(batch_rows=4, learning_rate=1e-3, schedule="constant", micro_batch_tokens=4096)
    for last in (1.0, 2.0):
        sft.train(
            tiny_model, some_rows(), training,
            seed=1, fractions=(1.0, last), target=tmp_path / f"{last}", work=tmp_path / f"work-{last}", device=CPU,
        )  # fmt: skip
        found[last] = load_file(tmp_path / f"{last}" / "at-1" / "adapter_model.safetensors")
    further = load_file(tmp_path / "2.0" / "at-2" / "adapter_model.safetensors")
    for name, value in found[1.0].items():
        torch.testing.assert_close(value, found[2.0][name])
    assert any(not torch.equal(further[name], value) for name, value in found[2.0].items())


def test_training_goes_on_from_another_adapter(tiny_model: Path, tmp_path: Path) -> None:
    """With next to no learning rate the result is the adapter that it started from, which a new one is not."""
    _, first = trained(tiny_model, tmp_path / "first", 4096)
    found = {}
    for start in (tmp_path / "first" / "out" / "at-1", None):
        target = tmp_path / f"from-{start is not None}"
        sft.train(
            tiny_model, some_rows(), SFT(batch_rows=4, learning_rate=1e-12, micro_batch_tokens=4096),
            seed=2, fractions=(1.0,), start=start, target=target, work=target / "work", device=CPU,
        )  # fmt: skip
        found[start is not None] = load_file(target / "at-1" / "adapter_model.safetensors")
    for name, value in first.items():
        torch.testing.assert_close(found[True][name], value)
    assert any(not torch.allclose(found[False][name], value) for name, value in first.items())


def test_same_seed_same_adapter(tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    _, one = trained(tiny_model, tmp_path / "a", 2000)
    _, two = trained(tiny_model, tmp_path / "b", 2000)
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_training_that_diverges_stops_and_keeps_nothing(tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"diverged: at step \d of 2 its \w+ is (nan|inf).*train.learning_rate = 1e\+30"
    ):
        sft.train(
            tiny_model,
            some_rows(),
            SFT(batch_rows=4, warmup=0.0).model_copy(update={"learning_rate": 1e30}),  # no study may ask for it
            seed=1,
            fractions=(1.0,),
            target=tmp_path / "out",
            work=tmp_path / "work",
            device=CPU,
        )
    assert not (tmp_path / "out").exists()


def test_several_visible_gpus_do_not_change_the_rows_of_a_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    gpu = Device(torch.device("cuda"), torch.float32)
    arguments = sft._training_arguments(SFT(batch_rows=4), 1, 1, 0, tmp_path, gpu, {"report_to": "none"})
    assert arguments.train_batch_size == 4
