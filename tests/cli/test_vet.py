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
