"""Serialization of plain data: what is encoded is decoded again, and nothing else can be decoded."""

from __future__ import annotations

import collections
import contextlib
import datetime
import itertools
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
from inoculate.grading.intended import IntendedResult, _Answers, _NoAnswer
from inoculate.grading.sandbox.decoder import _BUILDERS, Decoder, Malformed, NotPlainData, Opaque
from inoculate.grading.sandbox.encoder import TooBig, encode
from inoculate.grading.sandbox.pool import JobResult, _parse_lines
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
def test_encoded_values_are_decoded(value: Any) -> None:
    again = Decoder().decode(json.loads(json.dumps(encode(value))))
    assert type(again) is type(value)
    # nan is equal to nothing, itself included; its place in a set is its address's.
    assert again == value or "nan" in repr(value).lower()


tags = st.sampled_from([*_BUILDERS, "nd", "S", "o", "h", "class", "k", "a", "x"])
heads = st.lists(st.none() | st.booleans() | st.integers() | st.text(max_size=30)
                 | st.sampled_from(["0x1", "-0xff", "int", "<i8", "1e5", "nan"]), max_size=3)  # fmt: skip
parts = st.lists(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
                 | st.lists(st.integers(0, 3), max_size=2), max_size=4)  # fmt: skip
nodes = st.lists(st.builds(lambda tag, head, part: [tag, head, part], tags, heads, parts), max_size=5)
replies = nodes | st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=30),
                               lambda inner: st.lists(inner, max_size=5), max_leaves=20)  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(replies)
def test_any_reply_is_a_value_or_malformed(reply: Any) -> None:
    try:
        value = Decoder().decode(reply)
    except Malformed:
        return
    # Whatever it is, it can be compared with an expectation, or says that it cannot.
    for expected in (14, [1, 2], "x", {1: 2}, {3}, None, (1,), 1.5):
        with contextlib.suppress(NotPlainData):
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
    read, garbled = _parse_lines(text, 100)
    checked = IntendedResult()
    answers = _Answers(checked)
    answers.add(JobResult(status << 8 & 0xFF00, 0.0, "", 0, read, garbled, b"", []), [1, 0])
    for number in (0, 1):
        try:
            answers.get(number)
        except _NoAnswer as error:
            assert str(error)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_records(data: bytes) -> None:
    records, _ = _parse_lines(data, 10)
    assert len(records) <= 10


@pytest.mark.parametrize(
    "reply",
    [
        [["i", ["0x" + "f" * 1_200_000], []]], 1 << 5_000_000, [["D", ["1E+999999999"], []]],
        [["D", ["1" * 30_000], []]], [["Q", [], [1, 0]]], [["f", ["x"], []]], [["T", ["eval"], []]],
        [*[["i", [hex(n * (2**61 - 1))], []] for n in range(2_000)], ["s", [], [[n] for n in range(2_000)]]],
        [["o", ["x"], []]], [["h", [1, "x"], []]], [["S", [1], [2]]], [["nd", [], []]], [["delta", [10**20], []]],
        [["c", ["0x1p0"], []]], [["y", ["zz"], []]], [["d", [], [1]]], [["l", [], []], ["s", [], [[0]]]], {"a": 1},
        [["l"]], [["datetime", ["soon"], []]], [["r", [], [0, 1, 0]]], [["q", ["x"], []]], [], [["l", [], [[5]]]],
        [["l", [], []], ["l", [], [[0], [0]]]], [["l", [], []], ["l", [], []]], [["lib", ["os", "system", "ls"], []]],
    ],
    ids=lambda reply: type(reply).__name__,
)  # fmt: skip
def test_replies_that_are_refused(reply: Any) -> None:
    with pytest.raises(Malformed):
        Decoder().decode(reply)


def test_members_with_one_hash_take_no_time() -> None:
    """A set of them would take quadratic time to build, and longer to compare."""
    numbers = [n * (2**61 - 1) for n in range(20_000)]
    started = time.process_time()
    with pytest.raises(Malformed):
        Decoder().decode([*[["i", [hex(n)], []] for n in numbers], ["s", [], [[n] for n in range(20_000)]]])
    assert time.process_time() - started < 1
    assert Decoder().decode(encode(set(range(50_000)))) == set(range(50_000))


def test_deep_replies() -> None:
    value: Any = None
    for number in range(1_500):
        value = (number, value)
    again, depth = Decoder().decode(json.loads(json.dumps(encode(value)))), 0
    while again is not None:
        again, depth = again[1], depth + 1
    assert depth == 1_500
    nested: list[Any] = [["l", [], []], *[["l", [], [[n]]] for n in range(3_000)]]
    with pytest.raises(Malformed):
        Decoder().decode(nested)
    assert _parse_lines(b"[" * 200_000, 10) == ([], True)
    assert _parse_lines(b"[NaN]\n[1]", 10) == ([], True)


def test_values_too_big_to_encode() -> None:
    endless: list[Any] = []
    endless.append(endless)
    for value in (
        1 << 5_000_000, endless, ["x" * 5_000_000] * 3, [0] * 1_000_001, Decimal("1E+99999"),
        Fraction(1, 3**300_000), {n: {n: n} for n in range(400_000)},
    ):  # fmt: skip
        with pytest.raises(TooBig):
            encode(value)


def test_an_iterator_is_not_consumed() -> None:
    assert isinstance(Decoder().decode(encode(itertools.count())), Opaque)


class Liar(int):
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = int.__hash__


Liar.__module__ = "solution"
Pair = collections.namedtuple("Pair", "a b")


def test_subclasses_are_decoded_without_their_methods() -> None:
    decoder = Decoder()
    assert decoder.decode(encode(Liar(3))) == 3
    assert decoder.decode(encode(Liar(3))) != 4
    assert decoder.overridden
    decoder = Decoder()
    assert decoder.decode(encode(Pair(1, 2))) == (1, 2)
    assert not decoder.overridden


def test_opaque_objects_support_no_operation() -> None:
    value = Decoder().decode(encode(object()))
    assert isinstance(value, Opaque)
    assert value != 1
    assert value not in [1, object()]
    for question in (lambda: bool(value), lambda: len(value), lambda: value < 1, lambda: value - 1, lambda: str(value)):
        with pytest.raises(NotPlainData):
            question()


def holds(test: str, *answers: Any) -> bool:
    task = CodeTask("f", (test,), ())
    (planned,) = assertions.plan(task).tests
    assert planned.method == "compared", planned
    return all(compare.Evaluator(answers.__getitem__).value(expectation) for expectation in planned.expectations)


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
        "2 ** f()", "'%99999999d' % f()", "[0] * f()", "range(f())", "round(5, -f())", "sum(f(), [])", "f() ** f()",
        "'x' * f()", "f() % 3", "f() // 3", "Decimal(1) + f()", "Decimal(1)", "10 ** 10 ** 10",
        "[i for i in f()]", "'a'.join(f())",
        "zip(f(), [1])", "f() * 2", "f() << 9", "5 in f()", "f() if f() else 1", "f(1) == f(2)", "f(1) + f(2)",
    ],
)  # fmt: skip
def test_slow_expressions_are_not_evaluated_here(expression: str) -> None:
    """Nor what an object of the solution's own could decide: settled from the test, before there is an answer."""
    test = f"assert {expression}" if "==" in expression else f"assert {expression} == f()"
    (planned,) = assertions.plan(CodeTask("f", (test,), ())).tests
    assert planned.method == "remote", planned


@given(
    plain,
    st.sampled_from(
        [
            "f() == 1",
            "f() - 1 < 2",
            "[f()] == [1]",
            "isinstance(f(), list)",
            "f() in (1, 2)",
            "abs(f() - .5) < 1e-6",
            "isclose(f(), .5)",
            "f() is None or not f()",
            "0 < f() <= 3",
        ]
    ),
)
@settings(max_examples=300, deadline=None)
def test_expressions_evaluate_as_in_python(answer: Any, expression: str) -> None:
    try:
        expected: Any = bool(eval(expression, {"f": lambda: answer, "isclose": math.isclose}))
    except Exception as error:
        expected = type(error)
    (planned,) = assertions.plan(CodeTask("f", (f"assert {expression}",), ())).tests
    assert planned.method == "compared", planned
    calls = assertions.plan(CodeTask("f", (f"assert {expression}",), ())).calls
    given = Decoder().decode(json.loads(json.dumps(encode(answer))))
    try:
        found: Any = all(
            compare.Evaluator(lambda number: bool(given) if calls[number].only_truth else given).value(expectation)
            for expectation in planned.expectations
        )
    except Exception as error:
        found = type(error)
    assert found == expected


def test_calls_contain_no_expectation() -> None:
    tests = (
        "assert f(1) == 77", "assert f(2).startswith('77')", "assert sorted(f(3)) == [77]", "assert 77 in f(4)",
        "assert f(5)[0] == 77", "assert isclose(f(6), 77)", "assert f(7).index(77) == 0", "assert f(8).get(77)",
        "assert all(x == 77 for x in f(9))", "assert f(10) == 70 + 7", "assert f(11).size == 77",
        "assert f(12).tolist() == [77]",
    )  # fmt: skip
    plan = assertions.plan(CodeTask("f", tests, ()))
    assert not any("7" in call.text.replace("f(7)", "") for call in plan.calls), plan.calls
    assert [test.method for test in plan.tests].count("compared") == 7


@pytest.mark.parametrize(
    ("test", "weak"),
    [
        ("assert f(1)", "only the truth"), ("assert not f(1)", "only the truth"), ("assert f(1) != 2", "excludes"),
        ("assert f(1) == f(2)", "both sides"), ("assert f(1) == True", "two possible"),
        ("assert f(1) == 2", ""), ("assert f(1) == [True]", ""),
    ],
)  # fmt: skip
def test_weak_tests_are_named(test: str, weak: str) -> None:
    (planned,) = assertions.plan(CodeTask("f", (test,), ())).tests
    assert weak in planned.weak
    assert bool(weak) == bool(planned.weak)


@given(st.integers(-(10**30), 10**30), st.integers(1, 10**30))
def test_fractions_are_those_of_python(numerator: int, denominator: int) -> None:
    value = Decoder().decode([["i", [hex(numerator)], []], ["i", [hex(denominator)], []], ["Q", [], [[0], [1]]]])
    assert value == Fraction(numerator, denominator) and hash(value) == hash(Fraction(numerator, denominator))
    assert (value.numerator, value.denominator) == Fraction(numerator, denominator).as_integer_ratio()


@given(st.integers(-3, 3), st.integers(max_value=0))
def test_a_fraction_over_nothing_is_forged(numerator: int, denominator: int) -> None:
    with pytest.raises(Malformed):
        Decoder().decode([["i", [hex(numerator)], []], ["i", [hex(denominator)], []], ["Q", [], [[0], [1]]]])
