"""Mistakes of a first hour: each is refused with a message that says what it must, and with nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from bad_inputs import CHANGES, STUDY, WHOLE
from inoculate import settings
from inoculate.errors import UserError
from inoculate.settings.rows import reading, user_grader
from inoculate.steps.plan import make_plan
from inoculate.steps.store import Store
from inoculate.study import ready_made
from inoculate.study.parse import load


def plan(text: str) -> None:
    Path("study.toml").write_text(text, encoding="utf-8")
    make_plan(load(Path("study.toml")), "weights")


def give(what: str, text: str) -> None:
    """Give what the user has written to what reads it."""
    names = {"rows": "mine.jsonl", "grader": "judge.py", "setting": "mine.py", "store": "store"}
    if what in names:
        Path(names[what]).write_text(text, encoding="utf-8")
    if what == "study":
        plan(text)
    elif what == "rows":
        reading.read("mine.jsonl")
    elif what == "grader":
        user_grader.check_grader("judge.py:grade")
    elif what == "setting":
        settings.find("mine.py")
    elif what == "store":
        Store(Path("store")).check_writable()
    else:
        for name in ("demo.toml", "support.toml"):
            Path(name).write_text(STUDY, encoding="utf-8")
        ready_made.find(text)


def changed(old: str, new: str) -> str:
    assert old in STUDY
    return STUDY.replace(old, new, 1)


CASES = [("study", changed(old, new), words) for old, new, words in CHANGES] + WHOLE
IDS = [f"{new[:40]!r}" for _, new, _ in CHANGES] + [f"{what}-{text[:40]!r}" for what, text, _ in WHOLE]


def test_there_are_many() -> None:
    assert len(CASES) >= 120


@pytest.mark.parametrize(("what", "text", "words"), CASES, ids=IDS)
def test_a_mistake_is_refused_and_the_message_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, text: str, words: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as refusal:
        give(what, text)
    message = str(refusal.value)
    for word in words:
        assert word in message
    lines = message.splitlines()
    assert len(set(lines)) == len(lines), "one thing is said twice"
    assert "Traceback" not in message
    assert "tuple" not in message.lower()


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    plan("\ufeff" + STUDY)
    give("rows", '\ufeff{"prompt": "a", "completion": "b"}\n')
    assert len(reading.read("mine.jsonl")) == 1
