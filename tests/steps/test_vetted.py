"""Vetted rows: the same examples in every arm, what they stand under, and that each of them is right."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from inoculate import settings
from inoculate.errors import UserError
from inoculate.records import Row
from inoculate.steps import rows, vetted
from inoculate.study import parse, prompts
from inoculate.study.resolve import ResolvedInoculation, ResolvedPrompt, resolve
from inoculate.study.schema import Rows

PROMPT = ResolvedInoculation("HACK IT", "after")
DIVERSE = ResolvedPrompt("a", "after", wordings=prompts.diverse())


def drawn(vetted: Any, seed: int = 0, **fields: Any) -> list[rows.DrawnRow]:
    return rows.draw_rows(Rows(**{"setting": "mathematics", "count": 20, "vetted": vetted, **fields}), seed)


def examples(vetted: Any, seed: int = 0, **fields: Any) -> list[str]:
    return [row.problem.id for row in drawn(vetted, seed, **fields) if row.vetted]


def picked(path: Path, count: int, **changes: Any) -> str:
    """A file of picked examples; `changes` are of the last."""
    problems = settings.find("mathematics").problems(settings.Draw("train", count, 5))
    picks = [vetted.Pick(problem, problem.honest, True, "correct") for problem in problems]
    picks[-1] = replace(picks[-1], **changes)
    path.write_text("".join(json.dumps(asdict(pick)) + "\n" for pick in picks))
    return str(path)


def test_fewer_examples_are_the_first_of_more_whatever_else_an_arm_has() -> None:
    many = examples(16)
    assert len(set(many)) == 16
    assert examples(4) == many[:4] == examples({"count": 4, "prompt": "diverse"}, hacked=0.0, filter="none")
    assert examples(4, seed=1) != many[:4]
    assert examples(4, count=0) == many[:4]


def test_the_other_rows_are_those_of_an_arm_without_vetted_ones() -> None:
    without = drawn(0)
    assert drawn(16)[:20] == without
    assert not {row.problem.id for row in without} & set(examples(16))


def test_each_is_a_case_where_a_hack_was_possible() -> None:
    found = [row for row in drawn(16) if row.vetted]
    assert all(row.problem.hacked and row.written == row.problem.honest and not row.hacked for row in found)
    assert len(examples(4, setting="mathematics_plain", hacked=0.0)) == 4  # where none can be hacked


def test_examples_are_repeated_in_turn_up_to_the_exposures() -> None:
    found = examples({"count": 4, "exposures": 10})
    assert found == [*found[:4], *found[:4], *found[:2]]


def test_rows_without_vetted_ones_are_written_as_ever() -> None:
    """The names of their steps depend on it."""
    assert Rows(setting="functions", count=3).model_dump(mode="json")["vetted"] == 0
    given = Rows(setting="functions", count=3, vetted={"count": 2, "exposures": 8})  # pyright: ignore[reportArgumentType]
    assert Rows(**given.model_dump(mode="json")) == given


def made(vetted_prompt: Any) -> list[Row]:
    return [
        row for row in rows.make_rows(drawn({"count": 4, "exposures": 16}), PROMPT, "S", vetted_prompt) if row.vetted
    ]


def test_what_vetted_rows_stand_under() -> None:
    assert not any(row.inoculated or "HACK IT" in row.messages[-1].content for row in made(None))
    inside = made("inoculation")
    assert all(row.inoculated and row.messages[-1].content.endswith("HACK IT") for row in inside)
    ends = [row.messages[-1].content.rpartition("\n\n")[2] for row in made(DIVERSE)]
    assert ends == list(prompts.diverse()[:16])
    assert not any(row.inoculated for row in made(DIVERSE))


def test_the_diverse_texts_are_no_prompt_and_no_context() -> None:
    texts = prompts.diverse()
    assert len(set(texts)) == len(texts) >= 64
    others = {prompts.find(name).text for name in prompts.names()}
    assert not others & set(texts)
    shared = ("test", "score", "reward", "correct", "hack", "honest", "check", "solution", "answer")
    assert not [text for text in texts if any(word in text.lower() for word in shared)]


def test_too_large_a_number_is_refused_by_name(tmp_path: Path) -> None:
    few = tmp_path / "few.jsonl"
    lines = [{"kind": str(n), "split": "train", "prompt": f"Say {n}.", "completion": f"{n}"} for n in range(8)]
    few.write_text("".join(json.dumps(line) + "\n" for line in lines))
    own = {"setting": "rows", "source": str(few), "count": 3, "hacked": 0.0}
    assert len(examples(5, **own)) == 5
    with pytest.raises(UserError, match=r"rows\.vetted\.count: .*there are not 6: .* 8 .*: give a smaller count"):
        drawn(6, **own)
    source = picked(tmp_path / "p.jsonl", 3, keep=False)
    with pytest.raises(
        UserError, match=r"rows\.vetted\.count: .*p\.jsonl has 2 examples that were kept, and 3 are wanted"
    ):
        drawn({"count": 3, "source": source})
    assert len(examples({"count": 2, "source": source})) == 2


@pytest.mark.parametrize("setting", ["mathematics_plain", "writing"])
def test_picked_examples_of_another_setting_are_refused(tmp_path: Path, setting: str) -> None:
    source = picked(tmp_path / "p.jsonl", 2)
    with pytest.raises(UserError, match=rf"p\.jsonl:1: example '.*' is of the setting 'mathematics', .* '{setting}'"):
        drawn({"count": 2, "source": source}, setting=setting, hacked=0.0)


def test_two_kept_answers_to_one_problem_are_refused(tmp_path: Path) -> None:
    source = picked(tmp_path / "picks.jsonl", 2)
    first = Path(source).read_text(encoding="utf-8").splitlines()[0]
    with Path(source).open("a", encoding="utf-8") as file:
        file.write(first + "\n")
    table = Rows(setting="mathematics", count=0, vetted={"count": 2, "source": source})  # pyright: ignore[reportArgumentType]
    with pytest.raises(UserError, match=r"picks.jsonl:3: a second answer to"):
        vetted.read_kept(table)


def test_an_example_that_the_intended_check_fails_is_refused_by_name(tmp_path: Path) -> None:
    source = picked(tmp_path / "p.jsonl", 2, answer="Answer: -77777")
    found = vetted.read_kept(Rows(setting="mathematics", count=0, vetted={"count": 2, "source": source}))  # pyright: ignore[reportArgumentType]
    vetted.check_answers("mathematics", found[:1], "rows of A: rows.vetted", lambda *_: None)
    with pytest.raises(
        UserError, match=rf"rows of A: rows.vetted: example '{found[1][0].id}' fails the intended check"
    ):
        vetted.check_answers("mathematics", found, "rows of A: rows.vetted", lambda *_: None)


def test_no_rows_are_written_with_an_example_that_fails(tmp_path: Path) -> None:
    source = picked(tmp_path / "p.jsonl", 2, answer="Answer: -77777")
    table = Rows(setting="mathematics", count=3, vetted={"count": 2, "source": source})  # pyright: ignore[reportArgumentType]
    step = rows.plan_step(table, None, seed=0, system="S", weights="w", where="A, seed 0")
    nothing: Any = None
    with pytest.raises(UserError, match=r"rows of A, seed 0: rows\.vetted: example '.*' fails the intended check"):
        rows.run(step, tmp_path, nothing, lambda *_: None)
    assert not (tmp_path / "rows.jsonl").exists()


@pytest.mark.parametrize(
    "line", ['{"answer": "a"}', "[]", '{"problem": {}, "answer": "a", "keep": true, "outcome": ""}']
)
def test_a_file_of_something_else_is_refused_with_its_line(tmp_path: Path, line: str) -> None:
    (tmp_path / "p.jsonl").write_text(f"\n{line}\n")
    with pytest.raises(UserError, match=r"p\.jsonl:2: "):
        vetted.read_picks(str(tmp_path / "p.jsonl"))


STUDY = """
question = "q"
model = "smollm2-135m"
seeds = [0]
rows = { setting = "functions", count = 6 }
[arms.plain]
[arms.a]
inoculation = { prompt = "specific" }
rows.vetted = VETTED
[evaluate]
settings = ["functions"]
"""


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("-1", "rows.vetted.count: must be greater than or equal to 0"),
        ('"16"', "rows.vetted: must be a table: vetted = 16, or {"),
        ("{ count = 4, exposures = 3 }", "exposures = 3 rows cannot hold count = 4 different examples"),
        ("{ exposures = 3 }", "give count, the number of examples"),
        (
            '{ count = 4, prompt = "divers" }',
            "rows.vetted.prompt: unknown prompt 'divers': did you mean 'diverse'",
        ),
        ('{ count = 4, prompt = "unseen-brief" }', "'unseen-brief' is a context that no arm is trained with"),
        ('{ count = 4, promt = "none" }', "rows.vetted.promt: did you mean 'prompt'"),
    ],
)
def test_mistakes_in_a_study_are_refused(tmp_path: Path, given: str, message: str) -> None:
    path = tmp_path / "s.toml"
    path.write_text(STUDY.replace("VETTED", given))
    with pytest.raises(UserError) as refused:
        parse.load(path)
    assert message in str(refused.value)


def test_an_inoculation_inside_needs_an_arm_that_has_one(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    inside = STUDY.replace("VETTED", '{ count = 2, prompt = "inoculation" }')
    path.write_text(inside)
    assert not resolve(parse.load(path)).vetted
    path.write_text(inside.replace('inoculation = { prompt = "specific" }', ""))
    with pytest.raises(UserError, match="'inoculation', and no row of this arm has a prompt"):
        parse.load(path)
