"""Hundreds of files that are wrong in some way: each is taken or refused in a sentence, and none is taken in part.

`make fuzz` gives ten times as many.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from long_form import LONG
from mutated_files import MODELS, REPLY, ROLLOUTS, ROWS, TASKS, Made, as_lines, judge, kinds, text_of

TIMES = 10 if LONG else 1
CASES = {"rows": 150, "completions": 150, "rollouts": 150, "replies": 300, "models": 150, "import": 25, "manifest": 25,
         "results": 40, "picks": 60, "judge": 100, "judgement": 100, "damaged import": 40}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("inoculate.engine.models.fingerprint", lambda *_: "weights")
        return Made(tmp_path_factory.mktemp("made"))


@pytest.mark.parametrize("kind", CASES)
def test_a_wrong_file_is_refused_in_a_sentence(
    made: Made, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inoculate.engine.models.fingerprint", lambda *_: "weights")
    read, make = kinds(made)[kind]
    verdicts = [judge(read, make(Random(f"{kind}/{n}")), tmp_path / "mine.jsonl") for n in range(TIMES * CASES[kind])]
    wrong = [verdict for verdict in verdicts if verdict not in ("taken", "refused")]
    assert wrong == [], wrong[0]
    assert "refused" in verdicts


@pytest.mark.parametrize("command", ["report", "compare", "export"])
@pytest.mark.parametrize(
    ("old", "new"),
    [('"arms": {', '"arms": {"x": 3, '), ('"samples": ', '"samples": []  , "x": '), ('"digest": "', '"digest": "x'),
     ('"machine": {', '"machine": null, "x": {'), ('{', '[{'), ('"schema": 1', '"schema": 0')],
)  # fmt: skip
def test_a_manifest_with_rubbish_is_refused_by_every_command(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, old: str, new: str
) -> None:
    monkeypatch.setattr("inoculate.engine.models.fingerprint", lambda *_: "weights")
    text = (made.run / "manifest.json").read_text(encoding="utf-8")
    assert old in text
    read = {"report": made.report_manifest, "compare": made.compare_manifest, "export": made.export_manifest}[command]
    for wrong in (text.replace(old, new, 1), text[: len(text) // 2]):
        assert judge(read, wrong.encode(), tmp_path / "manifest.json") == "refused"


def test_the_files_that_are_changed_are_right_before(made: Made, tmp_path: Path) -> None:
    readers = {kind: read for kind, (read, _) in kinds(made).items()}
    groups = {"rows": ROWS, "completions": TASKS, "rollouts": ROLLOUTS}
    right = [(kind, as_lines(group)) for kind, each in groups.items() for group in each]
    right += [("replies", text_of(REPLY)), ("models", text_of(MODELS))]
    for kind, text in right:
        assert judge(readers[kind], text.encode(), tmp_path / "mine.jsonl") == "taken", text
