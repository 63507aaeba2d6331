"""An interrupted step of sampling goes on after the batches that it has written."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from inoculate.records import Completion
from inoculate.steps.completions import read_batches


def test_batches_that_were_written_survive_a_cut_line(tmp_path: Path) -> None:
    kept = tmp_path / "drawn.jsonl"
    completion = Completion("p", 0, "x", "\u2028", 1, 1, "stop", 0.1)
    line = json.dumps([asdict(completion)], ensure_ascii=False)
    kept.write_text(f"{line}\n{line[: len(line) // 2]}")
    assert [[c.problem for c in batch] for batch in read_batches(kept)] == [["p"]]
    assert kept.read_text() == f"{line}\n"
    assert read_batches(tmp_path / "none") == []
