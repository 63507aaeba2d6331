"""How numbers read: nothing unknown is shown as a word of Python."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from inoculate.report.numbers import (
    UNKNOWN,
    count,
    detail,
    flatten,
    interval,
    p_value,
    percent,
    plain,
    points,
    points_interval,
    seconds,
    sentence,
)


@pytest.mark.parametrize(
    ("rate", "said"),
    [(0.0, "0%"), (1.0, "100%"), (0.5, "50%"), (0.004, "0.4%"), (0.996, "99.6%"), (1e-17, "0%"), (None, UNKNOWN)],
)
def test_percent(rate: float | None, said: str) -> None:
    assert percent(rate) == said


@pytest.mark.parametrize("say", [percent, points, p_value, count, seconds, plain])
@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_unknown_is_a_dash(say: Callable[[Any], str], value: float | None) -> None:
    assert say(value) == UNKNOWN


def test_intervals() -> None:
    assert interval(0.5, 0.69) == "50\u201369"
    assert interval(None, 0.69) == UNKNOWN
    assert points_interval(-0.68, 0.052) == "\u221268.0 to +5.2"
    assert points(-0.0001) == "0.0"


def test_small_p_is_not_zero() -> None:
    assert p_value(0.0) == "< 0.001"
    assert p_value(0.034) == "0.034"


def test_plain_values() -> None:
    assert plain([0, 1]) == "0, 1"
    assert plain(True) == "yes"
    assert plain([]) == plain("") == "none"
    assert plain(2e-4) == "0.0002"
    assert plain({"a": None}) == "a: \u2013"


def test_flat_leaves_nothing_out_but_what_is_told() -> None:
    data = {"rows": {"count": 256, "deep": {"x": 1}}, "text": "t", "empty": {}}
    assert flatten(data, leave_out=("text",)) == [("rows.count", "256"), ("rows.deep.x", "1"), ("empty", "none")]


def test_sentence() -> None:
    assert sentence("the interval is wide") == "The interval is wide."
    assert sentence("Done!") == "Done!"
    assert sentence("") == ""


def test_detail_of_a_check() -> None:
    assert detail({"detail": {"plain": 1, "worst": None}}) == "plain: 1; worst: \u2013"
    assert detail({"detail": ""}) == detail({"detail": {}}) == detail({}) == ""
