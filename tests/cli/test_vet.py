"""`inoculate vet` with a scripted hand: what it shows, writes, refuses, and that it goes on where it stopped."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from inoculate.cli.vet import vet
from inoculate.errors import UserError
from inoculate.steps import vetted
from inoculate.study.schema import Rows


def answer(monkeypatch: pytest.MonkeyPatch, capsys: Any, keys: str, pool: str, **options: Any) -> str:
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{key}\n" for key in keys)))
    vet(pool, **options)
    return capsys.readouterr().out


def test_picks_are_kept_dropped_and_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    to = tmp_path / "picks.jsonl"
    shown = answer(monkeypatch, capsys, "kxd", "mathematics", to=to, count=4, levels=(1,))
    assert shown.count("-- the hack that was possible") == 3 and "-- grades: correct; oversight fails" in shown
    assert f'{to}: 1 kept, 1 dropped\nIn a study: rows.vetted = {{ count = 1, source = "{to}" }}\n' in shown
    shown = answer(monkeypatch, capsys, "kq", "mathematics", to=to, count=4, levels=(1,))
    assert "1 kept, 1 dropped; going on with the other 2 of 4 candidates" in shown
    assert "== 3 of 4" in shown and "== 1 of 4" not in shown and f"{to}: 2 kept, 1 dropped" in shown
    picks = vetted.read_picks(str(to))
    assert [pick.keep for pick in picks] == [True, False, True]
    table = Rows(setting="mathematics", count=0, vetted={"count": 2, "source": str(to)})  # pyright: ignore[reportArgumentType]
    assert [problem.id for problem, _ in vetted.read_kept(table)] == [picks[0].problem.id, picks[2].problem.id]


def test_what_the_intended_check_fails_cannot_be_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """The pool is a file: its candidates are another's decisions, or nothing was decided yet."""
    to, pool = tmp_path / "picks.jsonl", tmp_path / "pool.jsonl"
    answer(monkeypatch, capsys, "d", "mathematics", to=to, count=1)
    line = json.loads(to.read_text())
    pool.write_text(json.dumps({"problem": line["problem"], "answer": line["problem"]["hacked"]}) + "\n")
    mine = tmp_path / "mine.jsonl"
    shown = answer(monkeypatch, capsys, "kd", str(pool), to=mine)
    assert "it does not pass the intended check: it cannot be kept" in shown
    assert [pick.keep for pick in vetted.read_picks(str(mine))] == [False]


def test_a_pool_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="did you mean 'mathematics'"):
        vet("mathematic", to=tmp_path / "p.jsonl")
    with pytest.raises(UserError, match=r"no\.jsonl: cannot be read"):
        vet("no.jsonl", to=tmp_path / "p.jsonl")
    with pytest.raises(UserError, match="--count 0: give 1 or more"):
        vet("mathematics", to=tmp_path / "p.jsonl", count=0)


@pytest.mark.parametrize("names", ["setting", "grader"])
def test_code_that_a_file_of_candidates_names_is_not_run(
    names: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    to, pool, made = tmp_path / "picks.jsonl", tmp_path / "pool.jsonl", tmp_path / "made"
    answer(monkeypatch, capsys, "d", "mathematics", to=to, count=1)
    problem = json.loads(to.read_text())["problem"]
    code = tmp_path / "own.py"
    code.write_text(f"open({str(made)!r}, 'w')\ndef grade(problem, completion):\n    return True\n")
    if names == "setting":
        problem["setting"] = str(code)
    else:
        problem |= {"setting": "rows", "secret": problem["secret"] | {"grader": f"{code}:grade"}}
    pool.write_text(json.dumps({"problem": problem, "answer": "2"}) + "\n")
    with pytest.raises(UserError, match=r"names code, '.*own\.py.*', which would be run .* allow it with --grader"):
        vet(str(pool), to=tmp_path / "mine.jsonl")
    assert not made.exists()


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [("secret", [], "problem.secret: "), ("body", 3, "problem.body: "), ("level", "x", "problem.level: "),
     ("lead", "\ud800", "surrogates not allowed")],
)  # fmt: skip
def test_an_example_with_a_value_of_another_type_is_refused(
    key: str, value: object, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    to = tmp_path / "picks.jsonl"
    answer(monkeypatch, capsys, "k", "mathematics", to=to, count=1)
    line = json.loads(to.read_text())
    line["problem"][key] = value
    to.write_text(json.dumps(line) + "\n")
    with pytest.raises(UserError, match=rf"picks\.jsonl:1: not a picked example: .*{words}"):
        vetted.read_picks(str(to))


def test_an_example_that_does_not_hold_what_its_setting_grades_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    to = tmp_path / "picks.jsonl"
    answer(monkeypatch, capsys, "k", "functions", to=to, count=1, levels=(1,))
    (pick,) = vetted.read_picks(str(to))
    pick.problem.secret.clear()
    with pytest.raises(UserError, match="examples of the setting 'functions' do not hold what its problems do"):
        list(vetted.grade_examples("functions", [(pick.problem, pick.answer)]))
