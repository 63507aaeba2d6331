"""Files of JSON lines, as each command that takes one reads them."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from inoculate import json_lines
from inoculate.errors import UserError
from inoculate.grading.command import grade_file, grade_file_of_problems
from inoculate.json_lines import read
from inoculate.records import Grade, write_lines
from inoculate.settings import Draw, find
from inoculate.settings import ifeval as ifeval_module
from inoculate.steps import unfinished

ENDS = "one\u2028two\u2029three\x85four\x0bfive\x0csix\x1cseven\rend"
"""A text with everything that Unicode calls the end of a line."""
CODE = {"entry_point": "f", "shown_tests": ["assert f(2) == 4"], "hidden_tests": ["assert f(3) == 9"]}
LINES = {
    "grade": {"id": "a", **CODE, "completion": f"# {ENDS}"},
    "grade --setting": {"id": "a", "problem": "p", "completion": ENDS},
    "rows": {"id": "a", "prompt": f"What is it? {ENDS}", "completion": "This."},
    "mbpp": {"task_id": 601, "text": ENDS, "code": "def f(n):\n    return n * n",
             "test_list": ["assert f(2) == 4", "assert f(3) == 9"]},
    "ifeval": {"key": 1, "prompt": ENDS, "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]},
}  # fmt: skip


def readers(path: Path) -> dict[str, Callable[[], object]]:
    def draw(name: str) -> Callable[[], object]:
        return lambda: find(name).problems(Draw("test" if name == "ifeval" else "train", 1, 0, source=str(path)))

    problems = [replace(find("functions").problems(Draw("train", 1, 0))[0], id="p")]
    return {
        "grade": lambda: grade_file(path, path.with_name("out")),
        "grade --setting": lambda: grade_file_of_problems(path, path.with_name("out"), problems, lambda *_: iter(())),
        "rows": draw("rows"),
        "mbpp": draw("mbpp"),
        "ifeval": draw("ifeval"),
    }


@pytest.mark.parametrize("name", LINES)
def test_a_repeated_key_is_refused_by_file_line_and_key(tmp_path: Path, name: str) -> None:
    path = tmp_path / "in.jsonl"
    whole = json.dumps(LINES[name])
    key = next(iter(LINES[name]))
    for repeated, said in ((f'{whole[:-1]}, "{key}": 7}}', key), (f'{whole[:-1]}, "own": {{"x": 1, "x": 2}}}}', "x")):
        path.write_text(f"\n{repeated}\n", encoding="utf-8")
        with pytest.raises(UserError) as raised:
            readers(path)[name]()
        assert str(raised.value).startswith(f"{path}:2: the key '{said}' stands there twice")


@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_only_a_line_feed_ends_a_line(tmp_path: Path, name: str, end: str) -> None:
    path = tmp_path / "in.jsonl"
    text = json.dumps(LINES[name], ensure_ascii=False)
    assert "\u2028" in text
    path.write_bytes(f"{text}{end}{end}[]".encode())
    with pytest.raises(UserError) as raised:
        readers(path)[name]()
    assert str(raised.value).startswith(f"{path}:3: a list, where an object was expected")
    ((where, line),) = json_lines.parse("x", [text.encode()], "")
    assert (where, line) == ("x:1", LINES[name])


def test_the_text_arrives_as_it_was(tmp_path: Path) -> None:
    for name in ("rows", "mbpp", "ifeval"):
        path = tmp_path / f"{name}.jsonl"
        path.write_text(json.dumps(LINES[name], ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")
        if name == "rows":
            path.write_text(path.read_text(encoding="utf-8").replace('"id"', '"split": "train", "id"'), newline="\n")
        (problem,) = readers(path)[name]()  # type: ignore[misc]
        assert ENDS in problem.body


def test_files_that_are_not_there(tmp_path: Path) -> None:
    ifeval_module.load.cache_clear()
    for name in ("grade", "mbpp", "ifeval"):
        with pytest.raises(UserError, match=r"none\.jsonl: cannot be read: there is no such file"):
            readers(tmp_path / "none.jsonl")[name]()


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
def test_a_number_that_is_none_is_refused(number: str, tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text(f'{{"id": "a", "own": [{number}]}}\n', encoding="utf-8")
    with pytest.raises(UserError, match=r"in.jsonl:1: not JSON: -?(NaN|Infinity|1e999) is "):
        list(read(str(path), "an object"))


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_records_have_no_number_that_is_none(value: float, tmp_path: Path) -> None:
    grade = Grade("correct", True, True, elsewhere=value)
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_lines(tmp_path / "grades.jsonl", [grade])
    with pytest.raises(ValueError, match="not JSON compliant"):
        unfinished.keep(tmp_path / "drawn.jsonl", [grade])


@pytest.mark.parametrize(
    ("data", "kind"), [(gzip.compress(b"{}", mtime=0), "gzip"), ('{"a": 1}'.encode("utf-16"), "UTF-16")]
)
def test_another_kind_of_file_is_named(data: bytes, kind: str) -> None:
    with pytest.raises(
        UserError, match=rf"rows.jsonl:1: not UTF-8: .*; this is {kind}: lines of JSON are due, as text"
    ):
        list(json_lines.parse("rows.jsonl", [data], "a row"))
