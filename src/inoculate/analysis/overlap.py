"""Problems that training and evaluation share: by id, by text, and nearly by text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from inoculate.errors import UserError
from inoculate.records import Problem, Row, read_lines

SHINGLE = 5
"""Words in a shingle (Broder 1997); a shorter text is one shingle."""
NEAR = 0.8
"""Share of a problem's shingles that a training prompt must contain to be called near."""

_Key = tuple[str, str]
"""Kind and id, since ids are unique within a setting only."""
_Shingle = tuple[str, ...]
_WORD = re.compile(r"\w+|[^\w\s]")


class Overlap(NamedTuple):
    """How many problems of an evaluation were trained on."""

    rows: int
    """Number of different training problems."""
    problems: int
    same_id: list[str]
    same_text: list[str]
    """Problems whose whole text is in a row with another id."""
    near: list[str]
    same_kind: list[str]
    """Kinds that are in both: intervals over kinds then do not hold for new kinds."""


def shingles(text: str) -> set[_Shingle]:
    """All sequences of `SHINGLE` words of a text, ignoring case and spacing; empty for a text without words."""
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
        UserError: A file is missing or has a broken line.
    """
    texts: dict[_Key, set[_Shingle]] = {}
    for folder in problems:
        for problem in read_lines(_require_file(folder, "problems.jsonl"), Problem):
            texts[problem.kind, problem.id] = shingles(problem.body or problem.lead)
    trained, largest_shares = _compare_rows(rows, texts)
    untrained = {key: share for key, share in largest_shares.items() if key not in trained}
    return Overlap(
        rows=len(trained),
        problems=len(texts),
        same_id=sorted(identity for _, identity in texts.keys() & trained),
        same_text=sorted(identity for (_, identity), share in untrained.items() if share == 1),
        near=sorted(identity for (_, identity), share in untrained.items() if NEAR <= share < 1),
        same_kind=sorted({kind for kind, _ in texts} & {kind for kind, _ in trained}),
    )


def _compare_rows(rows: Iterable[Path], texts: dict[_Key, set[_Shingle]]) -> tuple[set[_Key], dict[_Key, float]]:
    """The problems that were trained on, and the largest share of every evaluation problem in one row.

    Arms and seeds share most of their rows' problems. The same id means the same content, so each is compared once.
    """
    index = _index(texts)
    trained: set[_Key] = set()
    largest_shares: dict[_Key, float] = {}
    for folder in rows:
        for row in read_lines(_require_file(folder, "rows.jsonl"), Row):
            if (row.kind, row.problem) in trained:
                continue
            trained.add((row.kind, row.problem))
            prompt = " ".join(message.content for message in row.messages if message.role == "user")
            for key, share in _shares(prompt, index, texts).items():
                largest_shares[key] = max(largest_shares.get(key, 0.0), share)
    return trained, largest_shares


def find_near(prompts: Mapping[str, str], texts: Mapping[str, str]) -> dict[str, tuple[str, float]]:
    """Texts that nearly stand in a training prompt, or wholly: as `find_overlap` finds them.

    Args:
        prompts: Id -> training prompt.
        texts: Id -> text of an evaluation problem.

    Returns:
        Id of the text -> id of the prompt that holds most of it, and the share of its shingles there: `NEAR` or more.
    """
    sets = {("", identity): shingles(text) for identity, text in texts.items()}
    index, near = _index(sets), dict[str, tuple[str, float]]()
    for trained, prompt in prompts.items():
        for (_, identity), share in _shares(prompt, index, sets).items():
            if share >= max(NEAR, near.get(identity, ("", 0.0))[1]):
                near[identity] = (trained, share)
    return near


def _index(texts: Mapping[_Key, set[_Shingle]]) -> dict[_Shingle, list[_Key]]:
    """Shingle -> the texts that have it."""
    index: dict[_Shingle, list[_Key]] = {}
    for key, text_shingles in texts.items():
        for shingle in text_shingles:
            index.setdefault(shingle, []).append(key)
    return index


def _shares(
    prompt: str, index: Mapping[_Shingle, list[_Key]], texts: Mapping[_Key, set[_Shingle]]
) -> dict[_Key, float]:
    """The share of each text's shingles that a prompt has, where it has any."""
    hits = Counter(key for shingle in shingles(prompt) for key in index.get(shingle, ()))
    return {key: count / len(texts[key]) for key, count in hits.items()}


def _require_file(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.is_file():
        raise UserError(f"{path}: not there, though the manifest names it; `inoculate run STUDY` makes it again")
    return path
