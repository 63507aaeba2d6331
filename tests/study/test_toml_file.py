"""The line of each key of a study file, whatever its values look like."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from inoculate.study.toml_file import _keys, with_lines

FILE = '''question = "?"
[prompts]
long = """
x = 3
[no]
""" # "
short = "it's [ # {"  # [
other = 'say "' # x
[rows]
families = [
  "a = b",  # ]
  "[evaluate]",
  [1, 2],
]
count = 8
[[contrasts]]
guards = [ "correct",
"malformed" ]
claim = "a"
'''


def test_what_stands_in_a_value_of_several_lines_is_no_key() -> None:
    assert list(_keys(FILE)) == [
        (("question",), 1),
        (("prompts",), 2),
        (("prompts", "long"), 3),
        (("prompts", "short"), 7),
        (("prompts", "other"), 8),
        (("rows",), 9),
        (("rows", "families"), 10),
        (("rows", "count"), 15),
        (("contrasts", "0"), 16),
        (("contrasts", "0", "guards"), 17),
        (("contrasts", "0", "claim"), 19),
    ]


def test_a_key_whose_name_has_a_dot_is_found() -> None:
    text = 'evaluate.each."mine.py".problems = 3\n[arms."v1.5"]\nrows.count = 3\n'
    for message, line in (
        ("evaluate.each.mine.py.problems: few", 1),
        ("arms.'v1.5'.rows.count: few", 3),
        ("arms.v1.5: two", 2),
    ):
        assert with_lines(f"s.toml: {message}", Path("s.toml"), text) == f"s.toml:{line}: {message}"


NAMES = st.sampled_from(["rows", "arms", "a", "b-c", "d_1"])
TEXTS = st.text(st.sampled_from("ab=\"'#[]{},\n\\ \u2028\x85."), max_size=12)
VALUES = TEXTS | st.integers() | st.lists(TEXTS | st.lists(st.integers(), max_size=3), max_size=3)
TABLES = st.dictionaries(NAMES, VALUES | st.dictionaries(NAMES, VALUES, max_size=4), max_size=4)


@given(TABLES, st.booleans())
def test_each_key_is_found_on_its_line(tables: dict[str, Any], multiline: bool) -> None:
    text = tomli_w.dumps(tables, multiline_strings=multiline)
    lines = text.split("\n")
    found = dict(_keys(text))
    wanted = {(name,) for name in tables}
    wanted |= {(name, key) for name, table in tables.items() if isinstance(table, dict) for key in table}
    assert found.keys() == wanted
    for key, number in found.items():
        assert lines[number - 1].startswith((f"{key[-1]} =", f"[{key[-1]}]"))
