"""Problems that training and evaluation share: by id, by text, and nearly by text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from inoculate.errors import UserError
from inoculate.records import Problem, Row, read_lines

SHINGLE = 5
"""Words in a shingle (Broder 1997); a text shorter than this is one shingle."""
NEAR = 0.8
"""Share of a problem's shingles that a training prompt must contain to be called near."""

_Key = tuple[str, str]
"""Kind and id: ids are unique within a setting only."""
_Shingle = tuple[str, ...]
_WORD = re.compile(r"\w+|[^\w\s]")


class Overlap(NamedTuple):
    """How many problems of an evaluation were trained on."""

    rows: int
    """Different training problems that were looked at."""
    problems: int
    same_id: list[str]
    same_text: list[str]
    """Under another id, or in a row of another id, the whole text again."""
    near: list[str]
    same_kind: list[str]
    """Kinds that are in both; intervals over kinds then do not speak of new ones."""


def shingles(text: str) -> set[_Shingle]:
    """The runs of `SHINGLE` words of a text, without case and spacing; no words, no shingles."""
    words = _WORD.findall(text.lower())
    return {tuple(words[start : start + SHINGLE]) for start in range(max(len(words) - SHINGLE + 1, min(len(words), 1)))}


def find_overlap(rows: Iterable[Path], problems: Iterable[Path]) -> Overlap:
    """Compare training rows with evaluation problems.

    The prompt of a row is the problem's text with an inoculation around it or between lead and body, so the measure is
    containment: the share of the shingles of the *problem's* body that are in the row.

    Args:
        rows: Folders of training rows.
        problems: Folders of evaluation problems.

    Raises:
        UserError: A folder is not there or a line is broken.
    """
    texts: dict[_Key, set[_Shingle]] = {}
    for folder in problems:
        for problem in read_lines(_file(folder, "problems.jsonl"), Problem):
            texts[problem.kind, problem.id] = shingles(problem.body or problem.lead)
    trained, best = _scan(rows, texts)
    others = {key: share for key, share in best.items() if key not in trained}
    return Overlap(
        rows=len(trained),
        problems=len(texts),
        same_id=sorted(identity for _, identity in texts.keys() & trained),
        same_text=sorted(identity for (_, identity), share in others.items() if share == 1),
        near=sorted(identity for (_, identity), share in others.items() if NEAR <= share < 1),
        same_kind=sorted({kind for kind, _ in texts} & {kind for kind, _ in trained}),
    )


def _scan(rows: Iterable[Path], texts: dict[_Key, set[_Shingle]]) -> tuple[set[_Key], dict[_Key, float]]:
    """The problems that were trained on, and for every evaluation problem the largest share of it in one row.

    Arms and seeds share most of their rows' problems, and the same id means the same content: each is compared once.
    """
    index: dict[_Shingle, list[_Key]] = {}
    for key, found in texts.items():
        for shingle in found:
            index.setdefault(shingle, []).append(key)
    trained: set[_Key] = set()
    best: dict[_Key, float] = {}
    for folder in rows:
        for row in read_lines(_file(folder, "rows.jsonl"), Row):
            if (row.kind, row.problem) in trained:
                continue
            trained.add((row.kind, row.problem))
            prompt = " ".join(message.content for message in row.messages if message.role == "user")
            hits = Counter(key for shingle in shingles(prompt) for key in index.get(shingle, ()))
            for key, count in hits.items():
                best[key] = max(best.get(key, 0.0), count / len(texts[key]))
    return trained, best


def _file(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.is_file():
        raise UserError(f"{path}: not there, though the manifest names it; `inoculate run STUDY` makes it again")
    return path
