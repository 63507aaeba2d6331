"""Format numbers for people. An unknown value is a dash, never None or NaN."""

from __future__ import annotations

import math
import re
import sys
from typing import Any

from markupsafe import Markup

UNKNOWN = "\u2013"
"""A dash."""
MINUS = "\u2212"
NOTHING = "none"
"""An empty list, dict or text."""


def is_known(value: Any) -> bool:
    """Whether the value is a finite number; a bool is not."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and abs(value) <= sys.float_info.max  # so it is no integer beyond all floats either


def percent(rate: float | None) -> str:
    """A rate as a percentage; with one decimal where rounding would wrongly give 0 or 100."""
    if rate is None or not is_known(rate):
        return UNKNOWN
    hundred = 100 * rate
    if 0.05 <= abs(hundred) < 1 or 99 < abs(hundred) < 99.95:
        return f"{minus(f'{hundred:.1f}')}%"
    return f"{minus(f'{hundred:.0f}')}%"


def interval(low: float | None, high: float | None) -> str:
    """A 95% interval of a rate, in percent without the sign."""
    if low is None or high is None or not (is_known(low) and is_known(high)):
        return UNKNOWN
    return f"{percent(low)[:-1]}\u2013{percent(high)[:-1]}"


def points(difference: float | None) -> str:
    """A difference of two rates in percentage points, with its sign."""
    if difference is None or not is_known(difference):
        return UNKNOWN
    text = minus(f"{100 * difference:+.1f}")
    return "0.0" if text in ("+0.0", f"{MINUS}0.0") else text


def points_interval(low: float | None, high: float | None) -> str:
    """The interval of a difference in percentage points."""
    if low is None or high is None or not (is_known(low) and is_known(high)):
        return UNKNOWN
    return f"{points(low)} to {points(high)}"


def sentence(words: str) -> str:
    """The text as a sentence: with a capital letter, a full stop, and real minus signs."""
    words = re.sub(r"(?<![\w.])-(?=\d)", MINUS, words.strip())
    if not words:
        return ""
    return words[0].upper() + words[1:] + ("" if words[-1] in ".!?" else ".")


def signed(value: float | None) -> str:
    """A correlation, with its sign and two decimals."""
    if value is None or not is_known(value):
        return UNKNOWN
    return minus(f"{value:+.2f}")


def p_value(p: float | None) -> str:
    """A p value with two significant digits, never 0."""
    if p is None or not is_known(p):
        return UNKNOWN
    return "< 0.001" if p < 0.001 else f"{p:.2g}" if p < 0.1 else f"{p:.2f}"


def count(number: float | None) -> str:
    """A whole number with separators between thousands."""
    if number is None or not is_known(number):
        return UNKNOWN
    return f"{round(number):,}"


def seconds(duration: float | None) -> str:
    """A duration in seconds, minutes or hours, by its size."""
    if duration is None or not is_known(duration):
        return UNKNOWN
    if duration < 100:
        return f"{duration:.1f} s" if duration < 10 else f"{duration:.0f} s"
    minutes = duration / 60
    return f"{minutes:.0f} min" if minutes < 100 else f"{minutes / 60:.1f} h"


def plain(value: Any) -> str:
    """Any value of a study or manifest as text: lists are joined; None, True and NaN do not appear."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(plain(item) for item in value) if value else NOTHING
    if isinstance(value, dict):
        return "; ".join(f"{key}: {plain(item)}" for key, item in value.items()) if value else NOTHING
    return str(value) or NOTHING


def breakable(key: str) -> Markup:
    """A key of the study as markup: a narrow column breaks it behind a dot or a line, and not within a word."""
    return Markup("<wbr>").join(re.findall(r"[^._]*[._]|[^._]+", key))


def detail(check: dict[str, Any]) -> str:
    """The details of a validity check on one line; empty where it has none."""
    details = check.get("detail")
    if isinstance(details, dict):
        return "; ".join(f"{key}: {value}" for key, value in flatten(details))
    return plain(details) if details else ""


def flatten(data: dict[str, Any], leave_out: tuple[str, ...] = (), prefix: str = "") -> list[tuple[str, str]]:
    """A nested dict as dotted keys and readable values, in the same order.

    Args:
        data: The dict.
        leave_out: Keys of the first level that are shown elsewhere.
        prefix: Text before every key.
    """
    pairs: list[tuple[str, str]] = []
    for key, value in data.items():
        if key in leave_out:
            continue
        if isinstance(value, dict) and value:
            pairs += flatten(value, prefix=f"{prefix}{key}.")
        else:
            pairs.append((f"{prefix}{key}", plain(value)))
    return pairs


def minus(text: str) -> str:
    """The same number with a real minus sign."""
    return text.replace("-", MINUS)
