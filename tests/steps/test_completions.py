"""An interrupted step of sampling goes on after the batches that it has written."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from inoculate.engine.sampling import SampledCompletion
from inoculate.records import Completion
from inoculate.steps import unfinished


def test_batches_that_were_written_survive_a_cut_line(tmp_path: Path) -> None:
    kept = tmp_path / "drawn.jsonl"
    completion = Completion("p", 0, "x", "\u2028", 1, 1, "stop", 0.1)
    line = json.dumps([asdict(completion)], ensure_ascii=False)
    kept.write_text(f"{line}\n{line[: len(line) // 2]}")
    assert [one.problem for one in unfinished.read(kept, Completion)] == ["p"]
    assert kept.read_text() == f"{line}\n"
    assert unfinished.read(tmp_path / "none", Completion) == []


def test_what_is_kept_is_read_as_it_was(tmp_path: Path) -> None:
    drawn = SampledCompletion(1, 0, "\u2028", 3, 2, True, 0.5, (4, 5), (-0.25, -1.5))
    for batch in ([drawn], [drawn, drawn]):
        unfinished.keep(tmp_path / unfinished.FILE, batch)
    assert unfinished.read(tmp_path / unfinished.FILE, SampledCompletion) == [drawn] * 3
