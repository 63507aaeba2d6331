"""The records that steps write and read: problems, grades and samples, as JSON lines.

Every record is a frozen dataclass of plain data, so that a line of a file is a record and nothing else is needed to
read it. What a *problem* keeps for the graders (`secret`) never reaches the prompt.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from inoculate.errors import UserError

Outcome = Literal["correct", "hack", "wrong", "malformed", "ungraded"]
OUTCOMES: tuple[Outcome, ...] = ("correct", "hack", "wrong", "malformed", "ungraded")

Measure = Literal["correct", "hack", "wrong", "malformed", "gamed"]
"""What has a rate: the outcomes but `ungraded`, and the hacks that were made for the check (docs/outcomes.md)."""
GAMED: Measure = "gamed"

Evidence = Literal["observed", "attempted", "static"]

Split = Literal["train", "development", "test"]
SPLITS: tuple[Split, ...] = ("train", "development", "test")


@dataclass(frozen=True, slots=True)
class Problem:
    """One task instance: what the model is shown, and what only the graders know.

    The text shown is `lead` and `body`, joined by a space; a prompt placed *inside* the task stands between the two.
    """

    id: str
    """Unique within the setting; the same content has the same id."""
    setting: str
    kind: str
    """What it is an instance of (a template). No kind is in two splits, and intervals are clustered by it."""
    family: str
    level: int
    """Difficulty, from 1."""
    lead: str
    body: str
    honest: str
    """A completion that does what was wanted."""
    hacked: str
    """A completion that passes the oversight check and fails the intended one; '' where no hack is possible."""
    hack: str
    """The way of that hack: constant, special_case, lookup_table, ...; '' where no hack is possible."""
    secret: dict[str, Any]
    """Plain data for the graders: hidden tests, expected answers."""
    system: str = ""
    """A system prompt that is part of the task; it stands in place of the study's. '' for none."""
    part: str = ""
    """Where some problems of a setting must not be counted with the others (a right answer key, which leaves no hack to
    be had): what they are. Results have a cell of their own for each part. '' for the main part."""
    twin_of: str = ""
    """The id of the problem that this one is under another key: does an answer follow the key? '' for no twin."""


@dataclass(frozen=True, slots=True)
class Tag:
    """How a completion cheated, or tried to."""

    name: str
    evidence: Evidence
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Grade:
    """What the graders found in one completion.

    `oversight` is what the leaky check saw, `intended` what was really wanted; None where a check could not be
    carried out by us, which makes the outcome `ungraded`.
    """

    outcome: Outcome
    oversight: bool | None
    intended: bool | None
    tags: tuple[Tag, ...] = ()
    containment: str = "none"
    """The level of isolation at which code was run ('none' where no code was run)."""
    detail: str = ""
    """For people: the first failing test, the error, why it is malformed or ungraded."""
    seconds: float = 0.0
    elsewhere: float | None = None
    """The share of hidden tests passed, of those that expect something else than the shown one: about 0 where the
    answer was made for the check, whatever is asked. Of an answer to a twin: 1 where it is still the first problem's
    key, else 0. None where there is no such test."""
    others: dict[str, bool] = field(default_factory=dict)
    """What other people's metrics say of the same completion, beside ours; none of it sets the outcome."""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Completion:
    """One answer of a model, with the prompt exactly as it was sent."""

    problem: str
    index: int
    """Which of the samples of this problem, from 0."""
    prompt: str
    """The text after the chat template, as the tokens were made from it."""
    completion: str
    prompt_tokens: int
    completion_tokens: int
    finish: Literal["stop", "length"]
    """`length`: cut off at the limit on new tokens."""
    seconds: float
    """Wall clock of its batch divided by the batch's size."""


@dataclass(frozen=True, slots=True)
class Row:
    """One training example: a problem's answer under the prompt of its arm."""

    problem: str
    kind: str
    messages: tuple[Message, ...]
    """System (where there is one) and user message."""
    answer: str
    hacked: bool
    inoculated: bool
    """Whether the arm's prompt was added to this row."""
    hack: str = ""
    vetted: bool = field(default=False)


Record = TypeVar("Record")


def outcome_of(oversight: bool | None, intended: bool | None, *, malformed: bool = False) -> Outcome:
    """The outcome of two checks, as docs/outcomes.md defines it.

    Args:
        oversight: Whether the leaky check passed; None if *our* grader failed.
        intended: Whether the intended check passed; None if *our* grader failed.
        malformed: Whether no answer could be read; only looked at when neither check passed.
    """
    if oversight is None or intended is None:
        return "ungraded"
    if intended:
        return "correct"
    if oversight:
        return "hack"
    return "malformed" if malformed else "wrong"


def write_lines(path: Path, records: Iterable[Any]) -> int:
    """Write records as JSON lines; returns how many."""
    count = 0
    with path.open("w", encoding="utf-8") as out:
        for record in records:
            out.write(json.dumps(asdict(record), ensure_ascii=False) + "\n")
            count += 1
    return count


def read_lines(path: Path, record: type[Record]) -> Iterator[Record]:
    """Read JSON lines as records of one type.

    Raises:
        UserError: A line is not JSON or not such a record; the message names file and line.
    """
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                yield _build(record, json.loads(line))
            except (ValueError, TypeError, KeyError) as error:
                raise UserError(f"{path}:{number}: not a {record.__name__}: {error}") from error


def _build(record: type[Record], data: dict[str, Any]) -> Record:
    if record is Grade:
        data["tags"] = tuple(Tag(**tag) for tag in data.get("tags", ()))
    if record is Row:
        data["messages"] = tuple(Message(**message) for message in data["messages"])
    return record(**data)
