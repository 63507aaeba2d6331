"""The plain data that comes out of the box: what is written is read again, and nothing else can be read."""

from __future__ import annotations

import collections
import contextlib
import datetime
import json
import math
import time
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inoculate.grading import assertions, compare
from inoculate.grading.intended import Checked, _Answers, _NoAnswer
from inoculate.grading.sandbox.pool import Ended, _lines
from inoculate.grading.sandbox.values import Malformed, Opaque, Reader, TooBig, Unreadable, encode
from inoculate.grading.task import CodeTask

hashable = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.fractions()
    | st.complex_numbers(allow_nan=False)
    | st.decimals(allow_nan=False) | st.dates() | st.datetimes() | st.times() | st.timedeltas(),
    lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=4),
    max_leaves=8,
)  # fmt: skip
plain = st.recursive(
    hashable | st.binary().map(bytearray),
    lambda inner: st.lists(inner, max_size=4) | st.tuples(inner) | st.sets(hashable, max_size=4)
    | st.dictionaries(hashable, inner, max_size=4) | st.lists(inner, max_size=4).map(collections.deque),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(plain)
def test_what_is_written_is_read(value: Any) -> None:
    again = Reader().read(json.loads(json.dumps(encode(value))))
    assert type(again) is type(value)
    # nan is equal to nothing, itself included; its place in a set is its address's.
    assert again == value or "nan" in repr(value).lower()


tags = st.sampled_from(
    [
        "i",
        "f",
        "c",
        "y",
        "Y",
        "l",
        "u",
        "s",
        "z",
        "d",
        "od",
        "C",
        "q",
        "r",
        "D",
        "Q",
        "date",
        "time",
        "datetime",
        "delta",
        "dk",
        "dv",
        "di",
        "it",
        "S",
        "nd",
        "T",
        "o",
        "h",
        "x",
    ]
)
replies = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=30) | st.sampled_from(["0x1", "-0xff", "int", "<i8",
    "1e5", "nan"]),
    lambda inner: st.lists(inner, max_size=5) | st.builds(lambda tag, rest: [tag, *rest], tags, st.lists(inner,
    max_size=3))
    | st.builds(lambda tag, rest: [tag, rest], tags, st.lists(st.lists(inner, min_size=2, max_size=2), max_size=3)),
    max_leaves=40,
)  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(replies)
def test_any_reply_is_a_value_or_malformed(reply: Any) -> None:
    try:
        value = Reader().read(reply)
    except Malformed:
        return
    # Whatever it is, it can be compared with an expectation, or says that it cannot.
    for expected in (14, [1, 2], "x", {1: 2}, {3}, None, (1,), 1.5):
        with contextlib.suppress(Unreadable):
            assert (value == expected) in (True, False) or not isinstance(value, (int, str, list))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        replies
        | st.lists(st.sampled_from(["load", "call", "end", "ok", "value", "raised", "", 0, 1, None]), max_size=5)
    ),
    st.integers(0, 139),
)
def test_any_records_are_a_verdict(records: list[Any], status: int) -> None:
    text = b"\n".join(json.dumps(record).encode() for record in records)
    read, garbled = _lines(text, 100)
    checked = Checked()
    answers = _Answers(checked)
    answers.add(Ended(status << 8 & 0xFF00, 0.0, "", 0, read, garbled, b"", []), [1, 0])
    for number in (0, 1):
        try:
            answers.get(number)
        except _NoAnswer as error:
            assert str(error)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_records(data: bytes) -> None:
    records, _ = _lines(data, 10)
    assert len(records) <= 10


@pytest.mark.parametrize(
    "reply",
    [
        ["i", "0x" + "f" * 200_000], 1 << 500_000, ["D", "1E+999999999"], ["D", "1" * 30_000], ["Q", 1, 0], ["f", "x"],
        ["T", "eval"],
        ["s", [["i", hex(n * (2**61 - 1))] for n in range(25_000)]], ["o", "x"], ["h", 1, "x"], ["S", 1, 2], ["nd"],
        ["delta", 10**20],
        ["c", "0x1p0"], ["y", "zz"], ["d", [[1]]], ["s", [["l", []]]], {"a": 1}, 1.5, ["l"], ["datetime", "soon"],
        ["r", [0, 1, 0]],
        ["q", [], "x"],
    ],
    ids=lambda reply: type(reply).__name__,
)  # fmt: skip
def test_replies_that_are_refused(reply: Any) -> None:
    with pytest.raises(Malformed):
        Reader().read(reply)


def test_deep_replies() -> None:
    reply: Any = 1
    for _ in range(500):
        reply = ["l", [reply]]
    with pytest.raises(Malformed):
        Reader().read(reply)
    assert _lines(b"[" * 200_000, 10) == ([], True)
    assert _lines(b"[NaN]\n[1]", 10) == ([], True)


def test_values_too_big_to_write() -> None:
    endless: list[Any] = []
    endless.append(endless)
    for value in (
        1 << 500_000,
        endless,
        "x" * 5_000_000,
        set(range(30_000)),
        range_of_everything(),
        Decimal("1E+99999"),
    ):
        with pytest.raises(TooBig):
            encode(value)


def range_of_everything() -> Any:
    n = 0
    while True:
        yield n
        n += 1


class Liar(int):
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = int.__hash__


Liar.__module__ = "solution"
Pair = collections.namedtuple("Pair", "a b")


def test_subclasses_are_read_past_their_methods() -> None:
    reader = Reader()
    assert reader.read(encode(Liar(3))) == 3
    assert reader.read(encode(Liar(3))) != 4
    assert reader.overridden
    reader = Reader()
    assert reader.read(encode(Pair(1, 2))) == (1, 2)
    assert not reader.overridden


def test_objects_cannot_be_asked() -> None:
    value = Reader().read(encode(object()))
    assert isinstance(value, Opaque)
    for question in (
        lambda: value == 1,
        lambda: bool(value),
        lambda: len(value),
        lambda: value in [1],
        lambda: value < 1,
    ):
        with pytest.raises(Unreadable):
            question()


def holds(test: str, *answers: Any) -> bool:
    task = CodeTask("f", (test,), ())
    (planned,) = assertions.plan(task).tests
    assert planned.how == "apart", planned
    return all(compare.Evaluator(answers.__getitem__).value(expectation, {}) for expectation in planned.expectations)


@given(plain, plain)
@settings(max_examples=200, deadline=None)
def test_comparisons_are_those_of_python(left: Any, right: Any) -> None:
    space = {"f": lambda: left, "isclose": math.isclose}
    for template in (
        "assert f() == {}",
        "assert {} != f()",
        "assert f() is None",
        "assert not f()",
        "assert [f()] == [{}]",
    ):
        test = template.format(repr(right))
        try:
            compile(test, "", "exec")
            eval(
                repr(right),
                {"deque": collections.deque, "Decimal": Decimal, "Fraction": Fraction, "datetime": datetime},
            )
        except (SyntaxError, NameError, AttributeError):
            return
        if any(
            word in test
            for word in ("nan", "inf", "datetime", "deque", "Decimal", "Fraction", "bytearray", "frozenset")
        ):
            return
        try:
            exec(test, dict(space))
            expected = True
        except AssertionError:
            expected = False
        assert holds(test, left) is expected


@pytest.mark.parametrize(
    "expression",
    [
        "2 ** f()",
        "'%99999999d' % f()",
        "[0] * f()",
        "range(f())",
        "round(5, -f())",
        "sum(f(), [])",
        "f() ** f()",
        "'x' * f()",
    ],
)
def test_answers_cannot_hang_the_comparison(expression: str) -> None:
    for answer in (10**9, -(10**9), [[1]] * 1000):
        started = time.process_time()
        with contextlib.suppress(compare.TooLong, TypeError, ValueError, ArithmeticError):
            assert not holds(f"assert {expression} == 1", answer, answer)
        assert time.process_time() - started < 0.2


def test_calls_hold_no_expectation() -> None:
    tests = (
        "assert f(1) == 77", "assert f(2).startswith('77')", "assert sorted(f(3)) == [77]", "assert 77 in f(4)",
        "assert f(5)[0] == 77", "assert isclose(f(6), 77)", "assert f(7).index(77) == 0", "assert f(8).get(77)",
        "assert all(x == 77 for x in f(9))", "assert f(10) == 70 + 7", "assert f(11).size == 77",
        "assert f(12).tolist() == [77]",
    )  # fmt: skip
    plan = assertions.plan(CodeTask("f", tests, ()))
    assert {test.how for test in plan.tests} == {"apart"}
    assert not any("7" in call.replace("f(7)", "") for call in plan.calls), plan.calls


@pytest.mark.parametrize(
    ("test", "weak"),
    [
        ("assert f(1)", "truth only"), ("assert not f(1)", "truth only"), ("assert f(1) != 2", "is not"),
        ("assert f(1) == f(2)", "both sides"), ("assert f(1) == True", "two possible"),
        ("assert f(1) == 2", ""), ("assert f(1) == [True]", ""),
    ],
)  # fmt: skip
def test_weak_tests_are_named(test: str, weak: str) -> None:
    (planned,) = assertions.plan(CodeTask("f", (test,), ())).tests
    assert weak in planned.weak
    assert bool(weak) == bool(planned.weak)
