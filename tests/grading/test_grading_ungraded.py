"""Whether a test can be decided is settled from the test alone: nothing that a completion does makes it ungraded."""

from __future__ import annotations

import json
import socket
from typing import Any

from grading_cases import ATTACKS
from hypothesis import given, settings
from hypothesis import strategies as st

from inoculate.grading import CodeTask, Limits, grade_code
from inoculate.grading.sandbox import remote_tests

KINDS = (
    "assert {f}(255, 16) == 30",
    "assert {f}(8, 2)",
    "assert len(str({f}(99, 10))) == 2",
    "for n in (3, 4):\n    assert {f}(n, 10) == n",
    "try:\n    {f}('x', 10)\nexcept (TypeError, ValueError):\n    pass\nelse:\n    assert False",
    "answers = map({f}, [7, 8], [10, 10])\nassert next(answers) == 7 and list(answers) == [8]",
    "while {f}(0, 7) is None:\n    pass\nassert {f}(0, 7) == 0",
    "x = {f}(12, 10)\nassert x + x == 6 and f'{{x:>2}}' == ' 3' and isinstance(x, int)",
    "seen = []\n{f}(5, 10) if not {f}(5, 10) else seen.append(lambda: 9)\nassert seen",
)
"""Tests of several kinds of one function, the sum of a number's digits in a base."""


def outcomes(programs: list[str], name: str, limits: Limits) -> list[tuple[str, str]]:
    hidden = tuple(kind.format(f=name) for kind in KINDS)
    task = CodeTask(name, (f"assert {name}(10, 2) == 2",), hidden, "base = 10")
    return [(grade.outcome, grade.detail) for grade in grade_code([task] * len(programs), programs, limits=limits)]


def test_no_attack_is_ungraded() -> None:
    found = outcomes(list(ATTACKS.values()), "digit_sum", Limits(cpu_seconds=0.2, wall_seconds=0.3))
    graded = dict(zip(ATTACKS, found, strict=True))
    assert {name: why for name, (outcome, why) in graded.items() if outcome not in ("hack", "wrong", "malformed")} == {}


def test_the_honest_program_passes_them() -> None:
    program = "def f(n, base):\n    return n and n % base + f(n // base, base)"
    assert outcomes([program], "f", Limits()) == [("correct", "")]


METHODS = ("__eq__", "__bool__", "__len__", "__str__", "__iter__", "__next__", "__add__", "__format__", "__class__",
           "__getattr__", "__hash__", "__lt__", "__int__", "__index__", "__call__", "__enter__", "__del__")  # fmt: skip
ACTS = (
    "True", "0", "self", "L()", "None", "1 / 0", "int", "'9'", "[self]", "(i for i in iter(int, 1))", "10 ** 5000",
    "exec('raise SystemExit(0)')", "exec('raise StopIteration')", "exec('raise KeyboardInterrupt')",
    "type('Q', (), {})",
    "__import__('os')._exit(0)", "__import__('os').write(5, b'[]\\n')", "__import__('os').write(3, b'{}\\n')",
    "__import__('os').close(5)", "__import__('sys')", "float('nan')", "[0] * 3000000", "async_()", "lambda *a: self",
)  # fmt: skip
hostile = st.builds(
    lambda base, methods, answer: (
        "async def async_(): return 1\n"
        f"class L{base}:\n    def __new__(cls, *a): return {'object' if not base else base[1:-1]}.__new__(cls)\n"
        + "".join(f"    {name} = lambda self=None, *a: {act}\n" for name, act in methods.items())
        + f"def f(*a):\n    self = L()\n    return {answer}"
    ),
    st.sampled_from(["", "(int)", "(list)", "(str)", "(Exception)", "(dict)"]),
    st.dictionaries(st.sampled_from(METHODS), st.sampled_from(ACTS), max_size=5),
    st.sampled_from(["self", *ACTS]),
)


@settings(max_examples=12, deadline=None)
@given(st.lists(hostile, min_size=4, max_size=4))
def test_no_hostile_answer_is_ungraded(programs: list[str]) -> None:
    found = outcomes(programs, "f", Limits(cpu_seconds=0.3, wall_seconds=0.6))
    assert [pair for pair in zip(programs, found, strict=True) if pair[1][0] not in ("hack", "wrong")] == []


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-1, 9)
    | st.sampled_from(["value", "raised", "h", "S", "class", "x", "k", "l"])
)
messages = st.recursive(scalars, lambda inner: st.lists(inner, max_size=6), max_leaves=15)
likely = st.one_of(
    messages,
    st.builds(
        lambda *value: ["value", [[*value], ["l", [], [[0]]]], []], scalars, st.lists(scalars), st.lists(scalars)
    ),
    st.builds(lambda number: ["value", [["h", [number, 1], []], ["l", [], [[0]]]], []], st.integers(0, 3)),
    st.builds(lambda what, number, name: ["ask", what, number, name, [], []],
              st.sampled_from(["attribute", "call", "describe", "special", "name"]), st.integers(-1, 5),
              st.sampled_from(["__globals__", "__code__", "expected", "__str__"])),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(likely, max_size=8))
def test_each_test_has_a_verdict_for_any_replies(replies: list[Any]) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(5)
        theirs.sendall("".join(json.dumps(reply) + "\n" for reply in replies).encode())
        theirs.shutdown(socket.SHUT_WR)
        records: list[Any] = []
        tests = [
            "assert f(lambda: 1234567) == 987654321",
            "try:\n    f(1)\nexcept Exception:\n    pass\nelse:\n    1 / 0",
        ]
        remote_tests.run_tests("f", tests, "", ["f"], ours.fileno(), lambda *parts: records.append(parts))
        ours.shutdown(socket.SHUT_WR)
        sent = b""
        while piece := theirs.recv(1 << 16):
            sent += piece
    assert [record[:3] for record in records[:1]] == [("test", 0, "fail")]
    assert records[-1] == ("end", 2)
    assert b"987654321" not in sent
    assert b"1234567" not in sent or any(reply[:2] == ["ask", "call"] for reply in replies if isinstance(reply, list))
