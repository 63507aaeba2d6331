"""How answers are read out of replies: inputs with the outcome that a careful reader gives them.

`data/public_reports_reading.jsonl` are inputs of kinds that public reports name of other graders; `data/reading.jsonl`
are further ones. `made` says whether an input was made and labelled before the readers were written, or after. Where a
careful reader could give one of several outcomes, all of them are allowed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from inoculate.grading.markdown import choose, parse_reply
from inoculate.settings import find
from inoculate.settings.mathematics.reading import read
from inoculate.settings.queries import reading as queries
from reading_problems import problem

DATA = Path(__file__).parents[1] / "data"
SETTINGS = ("mathematics", "queries", "patterns", "knowledge")


def rows(name: str, setting: str) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in (DATA / f"{name}.jsonl").read_text(encoding="utf-8").split("\n") if line]
    return [row for row in found if row["setting"] == setting]


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("name", ["public_reports_reading", "reading"])
def test_a_reply_gets_the_outcome_that_a_careful_reader_gives_it(name: str, setting: str) -> None:
    given_rows = rows(name, setting)
    problems = [problem(row["setting"], row["problem"]) for row in given_rows]
    grades = find(setting).grade(problems, [row["completion"] for row in given_rows])
    wrong = [
        (row["id"], row["completion"], grade.outcome, grade.detail)
        for row, grade in zip(given_rows, grades, strict=True)
        if grade.outcome not in row["outcome"]
    ]
    assert wrong == []


def test_there_are_enough_inputs_and_none_is_there_twice() -> None:
    every = [row for setting in SETTINGS for row in rows("reading", setting)]
    assert (
        len({row["id"] for row in every}) == len({(row["setting"], row["completion"]) for row in every}) == len(every)
    )
    assert sum(row["made"] == "after" for row in every) >= 75 and len(every) >= 150


def test_plain_mathematics_reads_alike() -> None:
    given_rows = rows("reading", "mathematics")
    problems = [problem("mathematics", row["problem"]) for row in given_rows]
    completions = [row["completion"] for row in given_rows]
    keyed = find("mathematics").grade(problems, completions)
    plain = find("mathematics_plain").grade(problems, completions)
    assert [a.intended for a in keyed] == [b.intended for b in plain]


@given(st.integers(2, 10**6), st.integers(2, 10**6))
def test_two_numbers_on_a_line_are_never_one_answer(one: int, other: int) -> None:
    for line in ("{} or {}", "x = {} and y = {}", "({}, {})", "{}; {}", "{}\nAnswer: {}", "by the key {}, by mine {}"):
        answer = read(f"Answer: {line.format(one, other)}")
        assert answer.value is None or one == other, (line, answer)


@example(10, "^{3}")
@given(
    st.integers(2, 10**6), st.sampled_from(["π", "√2", r"\pi", r"\sqrt{2}", "i", "x", "²", "^2", " ± 1", "e", "^{3}"])
)
def test_what_changes_a_number_is_never_passed_over(number: int, factor: str) -> None:
    """A power of ten is read as what it is."""
    power = {"²": 2, "^2": 2, "^{3}": 3}.get(factor, 0) if number == 10 else 0
    answer = read(f"Answer: {number}{factor}")
    assert answer.equals(str(10**power)) if power else answer.value is None


@given(st.integers(1, 999), st.integers(1, 999))
def test_fractions_are_read_in_any_notation(top: int, bottom: int) -> None:
    for form in (r"\frac{%d}{%d}", "%d/%d", "%d / %d", r"$\dfrac{%d}{%d}$", r"\boxed{\frac{%d}{%d}}", "{%d \\over %d}"):
        assert read(f"Answer: {form % (top, bottom)}").equals(f"{top}/{bottom}")


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80) | st.text(alphabet="SELECT WITH AS(*)FROM;'\"`-/\n,x1", max_size=120))
def test_any_text_is_taken_apart_and_no_query_is_made_up(text: str) -> None:
    parse_reply(text)
    answer = queries.read(text)
    bare = "".join(answer.query.split())
    assert bare in "".join(text.replace("`", "").split()) or bare in "".join(text.split()) or answer.unreadable


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="1234567890.,-+*/=^%()[]{}\\$ \n:fracboxedAnswer isnot", max_size=120))
def test_any_text_is_read_as_a_number_or_not(text: str) -> None:
    answer = read(f"Answer: {text}")
    assert (answer.value is None) == bool(answer.unreadable)


@pytest.mark.parametrize(
    "text",
    [
        "Answer: " + "(" * 90_000, "\\frac{" * 15_000, "1 = " * 20_000, "<s>" * 30_000, "Answer: " + "((((1))))" * 200,
        "\\boxed{" * 5_000, "Answer: 1\n" * 5_000,
    ],
)  # fmt: skip
def test_long_and_deep_replies_are_read_in_a_moment(text: str) -> None:
    assert read(text).value is None or text.startswith("Answer: 1")


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("````sql\nA\n````", ["A"]),
        ("~~~\nA\n```\nB\n~~~", ["A", "B"]),
        ("A\n```\n", []),
        ("```\n```sql\nA\n```", ["A"]),
        ("```sql\nA\n\n```sql\nB\n```", ["A", "B"]),
        ("1. x\n\n   ```sql\n   A\n   ```", ["A"]),
        ("So ```sql\nA\n```", ["A"]),
        ("```sql\nA```", ["A"]),
        ("````md\nprose\n```sql\nA\n```\nprose\n````", ["A"]),
    ],
)
def test_blocks_are_what_a_reader_takes_them_for(text: str, blocks: list[str]) -> None:
    assert [block.text.strip() for block in parse_reply(text).blocks] == blocks


def test_nothing_is_chosen_out_of_nothing() -> None:
    assert choose([]) == []
