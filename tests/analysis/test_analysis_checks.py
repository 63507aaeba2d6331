"""Each validity check, found and not found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from inoculate.analysis import analyse
from inoculate.analysis.overlap import shingles
from inoculate.records import Problem, write_lines

New = Callable[..., Any]


def check(run: Any, name: str) -> dict[str, Any]:
    """One check of a run."""
    return next(found for found in analyse(run.write())["checks"] if found["name"] == name)


@pytest.fixture
def run(new_run: New) -> Any:
    """A base arm and one trained arm."""
    run = new_run()
    run.cell("base", None, run.rates(correct=10, hack=1))
    return run


def test_no_shared_problems(run: Any) -> None:
    run.trained("plain", 0, [run.problem(number, number, "t") for number in range(100, 130)])
    found = check(run, "shared problems")
    assert found["status"] == "green", found
    assert "20 evaluation problems" in found["sentence"] and "30 training problems" in found["sentence"]


def test_shared_by_id(run: Any) -> None:
    run.trained("plain", 0, run.problems[3:5])
    found = check(run, "shared problems")
    assert found["status"] == "red" and found["detail"]["same_id"] == ["p3", "p4"]


def test_shared_by_text_and_nearly(run: Any) -> None:
    def renamed(number: int, body: str) -> Any:
        name = f"t{number}"
        return Problem(name, "functions", name, "lists", 1, "Write f that", body, "", "", "", {})

    body = run.problems[2].body
    run.trained("plain", 0, [renamed(1, body.upper() + "  ")])
    found = check(run, "shared problems")
    assert found["status"] == "red" and found["detail"]["same_text"] == ["p2"]
    run.manifest["training"] = []
    longer = " ".join(f"word{number}" for number in range(40))
    run.problems[2] = renamed(0, f"{body} {longer}")
    run.problems[2] = replace(run.problems[2], id="p2")
    write_lines(run.folder("problems") / "problems.jsonl", run.problems)
    run.trained("plain", 0, [renamed(1, f"{body} {longer}".replace("word39", "other"))])
    found = check(run, "shared problems")
    assert found["status"] == "amber" and found["detail"]["near"] == ["p2"]


def test_shared_kinds(run: Any) -> None:
    other = run.problem(99, 0, "t")
    run.trained("plain", 0, [replace(other, kind="p-kind3")])
    found = check(run, "shared problems")
    assert found["status"] == "amber" and found["detail"]["same_kind"] == ["p-kind3"]


def test_shingles_ignore_case_and_spacing() -> None:
    assert shingles("A  b\nc d E f") == shingles("a b c d e F") and len(shingles("a b c d e f")) == 2
    assert shingles("short") == {("short",)} and shingles(" ") == set()


def test_inoculation_in_neutral_prompts(run: Any) -> None:
    assert check(run, "inoculation in neutral prompts")["status"] == "green"
    run.cell("plain", 0, run.rates(), context="asks-to-hack", prompt=run.specific)
    assert check(run, "inoculation in neutral prompts")["status"] == "green"
    run.cell("plain", 0, run.rates(), prompt=run.specific)
    found = check(run, "inoculation in neutral prompts")
    assert found["status"] == "red" and found["sentence"].startswith("20 prompts")


def test_inoculation_reworded_in_a_neutral_context(run: Any) -> None:
    text = run.specific.replace("whatever", "any")
    run.manifest["study"]["evaluate"]["contexts"]["neutral"]["text"] = text
    assert check(run, "inoculation in neutral prompts")["status"] == "amber"


def test_labels_of_rows(run: Any) -> None:
    rows = [run.problem(number, number, "t") for number in range(30)]
    run.trained("plain", 0, rows)
    assert check(run, "labels of training rows")["sentence"].startswith("not checked")
    run.trained("plain", 1, rows, grades=["hack"] * 30)
    assert check(run, "labels of training rows")["status"] == "green"
    run.trained("plain", 2, rows, grades=["hack"] * 29 + ["correct"])
    found = check(run, "labels of training rows")
    assert found["status"] == "amber" and found["detail"]["hacked_not_hacks"] == 1
    run.trained("plain", 3, rows, grades=["wrong"] * 30)
    assert check(run, "labels of training rows")["status"] == "red"


def test_labels_of_rows_that_nothing_can_grade_are_not_called_wrong(run: Any) -> None:
    rows = [run.problem(number, number, "t") for number in range(30)]
    run.trained("plain", 0, rows, grades=["ungraded"] * 30)
    found = check(run, "labels of training rows")
    assert found["status"] == "amber" and "30 of 30 training rows could not be graded" in found["sentence"]
    run.trained("plain", 1, rows, grades=["hack"] * 28 + ["ungraded", "wrong"])
    found = check(run, "labels of training rows")
    assert found["status"] == "amber" and found["sentence"].startswith("the grader disagrees with 1 of 60 ")
    assert "31 of 60 training rows could not be graded" in found["sentence"]


def test_malformed(run: Any) -> None:
    run.cell("plain", 0, run.rates(malformed=1))
    assert check(run, "malformed answers")["status"] == "green"
    run.cell("inoculated", 0, run.rates(malformed=16))
    found = check(run, "malformed answers")
    assert found["status"] == "red" and "inoculated, functions, neutral: +80 points" in found["sentence"]


def test_truncated(run: Any) -> None:
    assert check(run, "truncated completions")["status"] == "green"
    run.cell("plain", 0, run.rates(), finish="length")
    assert check(run, "truncated completions")["status"] == "red"


def test_without_an_outcome(run: Any) -> None:
    assert check(run, "samples without an outcome")["status"] == "green"
    run.cell("plain", 0, run.rates(ungraded=1))
    assert check(run, "samples without an outcome")["status"] == "red"


@pytest.mark.parametrize(("correct", "status"), [(0, "red"), (1, "amber"), (10, "green"), (20, "amber")])
def test_base_in_range(new_run: New, correct: int, status: str) -> None:
    run = new_run()
    run.cell("base", None, run.rates(correct=correct))
    assert check(run, "base arm in range")["status"] == status


def test_collapse(run: Any) -> None:
    run.cell("plain", 0, run.rates())
    assert check(run, "length and diversity")["status"] == "green"
    run.cell("inoculated", 0, run.rates(), texts=["return 1"] * 20)
    found = check(run, "length and diversity")
    assert found["status"] == "red" and "inoculated, functions, neutral: 5% of the answers differ" in found["sentence"]


def test_an_arm_that_answers_as_the_base_does_is_said(run: Any) -> None:
    texts = [f"answer {own.id} 0 base" for own in run.problems]
    run.cell("plain", 0, run.rates(), texts=texts)
    run.cell("plain", 1, run.rates(), texts=[*texts[1:], texts[0]])
    found = check(run, "adapters in use")
    assert found["status"] == "red" and found["detail"]["same"] == ["'plain', seed 0"]
    run.cell("plain", 0, run.rates(), context="asks-to-hack", texts=texts[::-1])
    run.cell("base", None, run.rates(), context="asks-to-hack", texts=texts)
    assert check(run, "adapters in use")["status"] == "green"


def test_choices_that_are_those_of_the_base_say_nothing_of_the_adapter(run: Any) -> None:
    run.manifest["settings"] = {"functions": {"choices": True}}
    texts = [f"answer {own.id} 0 base" for own in run.problems]
    run.cell("plain", 0, run.rates(), texts=texts)
    found = check(run, "adapters in use")
    assert found["status"] == "amber" and "choices" in found["sentence"], found


def test_an_arm_that_learned_nothing_is_not_said_to_be_left_out(run: Any) -> None:
    run.cell("plain", 0, run.rates(), texts=[f"answer {own.id} 0 base" for own in run.problems])
    entry = run.trained("plain", 0, tokens=0)
    entry["trained_tokens"] = 0
    found = check(run, "adapters in use")
    assert found["status"] == "amber" and "'plain', seed 0" in found["sentence"], found
    assert "kept no" in found["sentence"] and found["detail"] == {"same": [], "unchanged": ["'plain', seed 0"]}


@pytest.mark.parametrize("engine", ["torch 2.13.0, device cpu/bfloat16", "server, model m"])
def test_a_server_is_named_only_where_one_sampled(run: Any, engine: str) -> None:
    run.manifest["engines"] = [engine]
    run.cell("plain", 0, run.rates(), texts=[f"answer {own.id} 0 base" for own in run.problems])
    found = check(run, "adapters in use")
    assert found["status"] == "red" and ("--server" in found["sentence"]) == engine.startswith("server")


def test_sampling_engine(run: Any) -> None:
    assert check(run, "sampling engine")["sentence"].startswith("not checked")
    run.manifest["engines"] = ["torch 2.13.0, device cpu/bfloat16"]
    assert check(run, "sampling engine")["status"] == "green"
    run.manifest["engines"].append("server, model m")
    found = check(run, "sampling engine")
    assert found["status"] == "amber" and "by 2 engines (torch 2.13.0, device cpu/bfloat16; server" in found["sentence"]


def test_training_tokens(run: Any) -> None:
    run.trained("plain", 0, tokens=4000)
    assert check(run, "training tokens")["sentence"].startswith("not checked")
    run.trained("inoculated", 0, tokens=4200)
    assert check(run, "training tokens")["status"] == "green"
    run.trained("inoculated", 1, tokens=8000)
    assert check(run, "training tokens")["status"] == "amber"
    run.trained("inoculated", 2, tokens=40000)
    assert check(run, "training tokens")["status"] == "red"
