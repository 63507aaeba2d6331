"""An interrupted step of sampling goes on after the batches that it has written."""

from __future__ import annotations

import hashlib
from pathlib import Path
from random import Random

from inoculate.engine.sampling import SampledCompletion
from inoculate.records import Completion
from inoculate.steps import unfinished


def test_batches_that_were_written_survive_a_cut_line(tmp_path: Path) -> None:
    kept = tmp_path / "drawn.jsonl"
    completion = Completion("p", 0, "x", "\u2028", 1, 1, "stop", 0.1)
    unfinished.keep(kept, [completion], {"torch": "2"})
    line = kept.read_text()
    kept.write_text(line + line[: len(line) // 2])
    assert [one.problem for one in unfinished.read(kept, Completion)] == ["p"]
    assert kept.read_text() == line
    assert unfinished.engines(kept) == [{"torch": "2"}]
    assert unfinished.read(tmp_path / "none", Completion) == []


def test_a_batch_that_a_disk_has_changed_is_left_out(tmp_path: Path) -> None:
    kept = tmp_path / "drawn.jsonl"
    for problem in ("p", "q", "r"):
        unfinished.keep(kept, [Completion(problem, 0, "x", "y", 1, 1, "stop", 0.1)])
    whole, random = kept.read_bytes(), Random(0)
    lines = whole.splitlines(keepends=True)
    for _ in range(60):
        data = bytearray(whole)
        place = random.randrange(len(data))
        data[place] ^= 1 << random.randrange(8)
        kept.write_bytes(data)
        left = [one.problem for one in unfinished.read(kept, Completion)]
        hit = sum(place >= end for end in (len(lines[0]), len(lines[0] + lines[1])))
        glued = "pqr"[hit + 1 : hit + 2] if whole[place] == ord("\n") else ""
        assert left == [one for one in "pqr" if one not in ("pqr"[hit], glued)]
        assert [one.problem for one in unfinished.read(kept, Completion)] == left


def test_what_is_kept_is_read_as_it_was(tmp_path: Path) -> None:
    drawn = SampledCompletion(1, 0, "\u2028", 3, 2, True, 0.5, (4, 5), (-0.25, -1.5))
    for batch in ([drawn], [drawn, drawn]):
        unfinished.keep(tmp_path / unfinished.FILE, batch)
    assert unfinished.read(tmp_path / unfinished.FILE, SampledCompletion) == [drawn] * 3


def test_lines_of_a_version_that_kept_the_engine_elsewhere_are_drawn_again(tmp_path: Path) -> None:
    kept = tmp_path / unfinished.FILE
    unfinished.keep(kept, [Completion("p", 0, "x", "y", 1, 1, "stop", 0.1)])
    earlier = '[{"problem": "q"}]'
    kept.write_text(f"{hashlib.sha256(earlier.encode()).hexdigest()} {earlier}\n{kept.read_text()}")
    assert [one.problem for one in unfinished.read(kept, Completion)] == ["p"]
