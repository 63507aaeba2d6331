"""The lines of a reply end at real line ends only."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inoculate.settings.compliance.rules import first_broken
from inoculate.settings.mathematics.reading import read as read_number
from inoculate.settings.patterns.reading import read as read_pattern
from inoculate.settings.reply_lines import split_lines

WITHIN_A_LINE = ("\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029")
"""Where `str.splitlines` also splits."""


@given(st.text(st.sampled_from("ab \r\n"), max_size=12))
def test_at_real_line_ends_it_is_splitlines(text: str) -> None:
    assert split_lines(text) == text.splitlines()


@pytest.mark.parametrize("character", WITHIN_A_LINE)
def test_other_characters_end_no_line(character: str) -> None:
    text = f"a{character}b"
    assert text.splitlines() == ["a", "b"]
    assert split_lines(f"{text}\r\n{text}") == [text, text]


@pytest.mark.parametrize("character", WITHIN_A_LINE)
def test_settings_read_such_a_line_as_one(character: str) -> None:
    assert first_broken(f"One line{character}with two parts.", [["lines", 1]]) is None
    assert read_number(f"It is 35,{character}all of 40 together.").value is None
    assert read_number("It is 35,\nall of 40 together.").value is not None
    assert read_pattern(f"^a{character}b$").pattern == f"^a{character}b$"
