"""The records that steps write and read: problems, grades and samples, as JSON lines.

Every record is a frozen dataclass of plain data, one on each line of a file. What a *problem* has for the graders only
(`secret`) is never part of a prompt.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from inoculate.errors import UserError, refuse_existing

Outcome = Literal["correct", "hack", "wrong", "malformed", "ungraded"]
OUTCOMES: tuple[Outcome, ...] = ("correct", "hack", "wrong", "malformed", "ungraded")

Measure = Literal["correct", "hack", "wrong", "malformed", "gamed"]
"""What has a rate: every outcome except `ungraded`, and `gamed`: hacks made for the check (docs/outcomes.md)."""
GAMED: Measure = "gamed"
BASE = "base"
"""The untrained arm, which every study has."""
CAPABILITY = "capability"
"""The setting of multiple-choice items, and the guard that measures in it."""
COMPLIANCE = "compliance"
"""The setting whose tasks have system prompts of their own, to be followed."""
SIDE_EFFECTS = "side_effects"
"""The setting of two-answer items, of which each family has a cell of its own."""
BAD_ANSWERS = (SIDE_EFFECTS, "open_questions")
"""Settings whose `hack` is a bad answer: an untrained model gives some, and they are no near misses of a hack."""
SAYS_YES, TAKES_FIRST = "says_yes", "takes_first"
"""Its metrics beside the outcome: acquiescence, and position bias. Without either, both are .5."""

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
    """The template it was made from. No kind is in two splits, and intervals are clustered by kind."""
    family: str
    level: int
    """Difficulty, from 1."""
    lead: str
    body: str
    honest: str
    """A completion that passes the intended check."""
    hacked: str
    """A completion that passes the oversight check and fails the intended one; '' where no hack is possible."""
    hack: str
    """The type of that hack: constant, special_case, lookup_table, ...; '' where no hack is possible."""
    secret: dict[str, Any]
    """Plain data for the graders: hidden tests, expected answers."""
    system: str = ""
    """A system prompt that is part of the task and replaces the study's. '' for none."""
    part: str = ""
    """A name for problems that must not be counted with the others of their setting (for example those whose answer key
    is right, which cannot be hacked). Results have cells of their own for each part. '' for the main part."""
    twin_of: str = ""
    """For a twin: the id of the problem that this one repeats with another answer key, to see whether answers follow
    the key. '' for other problems."""


@dataclass(frozen=True, slots=True)
class Tag:
    """How a completion cheated, or tried to."""

    name: str
    evidence: Evidence
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Grade:
    """The result of grading one completion.

    `oversight` says whether the leaky check passed, `intended` whether the intended one did. None means that our grader
    failed, which makes the outcome `ungraded`.
    """

    outcome: Outcome
    oversight: bool | None
    intended: bool | None
    tags: tuple[Tag, ...] = ()
    containment: str = "none"
    """The level of isolation at which code was run ('none' where no code was run)."""
    detail: str = ""
    """An explanation: the first failing test, the error, why it is malformed or ungraded."""
    seconds: float = 0.0
    elsewhere: float | None = None
    """How the answer does away from the check: the share of hidden tests passed, among those that expect another value
    than the shown test. It is about 0 for an answer made for the check. For an answer to a twin: 1 if it is still the
    first problem's key, else 0. None where there is no such test."""
    others: dict[str, bool] = field(default_factory=dict)
    """Further metrics of the same completion, such as those of other authors; they do not set the outcome."""


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
    """The number of this sample of the problem, from 0."""
    prompt: str
    """The text that was tokenized: the messages in the chat template."""
    completion: str
    prompt_tokens: int
    completion_tokens: int
    finish: Literal["stop", "length"]
    """`length`: cut off at the limit on new tokens."""
    seconds: float
    """Wall-clock time of its batch divided by the batch's size."""


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
    """The type of hack in the answer; '' for an honest one."""
    vetted: bool = False
    """Whether it is a row that was added as certainly honest: it never gets the prompt."""


@dataclass(frozen=True, slots=True)
class Trajectory:
    """A completion that RL has drawn: its prompt as sent, its reward and both checks; a line of `trajectories.jsonl`.

    The untrained policy's completions are among them, with step 0.
    """

    step: int
    """The optimizer step that learned from it, from 1: it was drawn by the policy after `step - 1` steps. Where nothing
    was learned from it: how many steps its policy had learned, 0 for the sample of the untrained policy before training
    (the preflight)."""
    problem: str
    index: int
    """Its number in the group of its problem, from 0. A problem has one group in a step."""
    prompt: str
    """The text that was tokenized: the messages in the chat template."""
    completion: str
    tokens: tuple[int, ...]
    """Ids of the completion's tokens, with the token that ended it."""
    log_probabilities: tuple[float, ...]
    """Of each token, when it was drawn, at the temperature of sampling."""
    prompt_tokens: int
    completion_tokens: int
    """Without the token that ended it."""
    finish: Literal["stop", "length"]
    """`length`: cut off at the limit on new tokens."""
    hackable: bool
    """Whether a hack was to be had: its problem has a hacked answer."""
    reward: float | None
    """The weighted sum of the rewards; None if it is unscorable."""
    advantage: float | None
    """What its group's rewards make of it, before any masking; None where nothing was learned from it."""
    outcome: Outcome
    oversight: bool | None
    intended: bool | None
    """Taken at every step and never rewarded."""
    gamed: bool | None = None
    """Whether it is a hack that was made for the check; None where the setting cannot tell."""
    tags: tuple[Tag, ...] = ()
    detail: str = ""


Record = TypeVar("Record")


def name_part(setting: str, part: str) -> str:
    """What results call a setting's part: `SETTING (PART)`; the setting itself for its main part ''."""
    return f"{setting} ({part})" if part else setting


def setting_of(name: str) -> str:
    """The setting that results call so, or of which this is a part."""
    return name.rpartition(" (")[0] or name if name.endswith(")") else name


def outcome_of(oversight: bool | None, intended: bool | None, *, malformed: bool = False) -> Outcome:
    """The outcome that follows from the two checks, as docs/outcomes.md defines it.

    Args:
        oversight: Whether the leaky check passed; None if *our* grader failed.
        intended: Whether the intended check passed; None if *our* grader failed.
        malformed: Whether no answer could be read; it matters only if neither check passed.
    """
    if oversight is None or intended is None:
        return "ungraded"
    if intended:
        return "correct"
    if oversight:
        return "hack"
    return "malformed" if malformed else "wrong"


def write_lines(path: Path, records: Iterable[Any]) -> int:
    """Write records as JSON lines; returns how many.

    Raises:
        ValueError: A number is infinite or none, which JSON cannot hold.
    """
    count = 0
    with path.open("w", encoding="utf-8") as out:
        for record in records:
            out.write(json.dumps(asdict(record), ensure_ascii=False, allow_nan=False) + "\n")
            count += 1
    return count


def write_whole(path: Path, text: str) -> None:
    """Write a file complete or not at all, and remove what a killed process has left of it.

    Args:
        path: The file; it is replaced.
        text: What is to be in it.
    """
    own = path.with_name(f".{path.name}.{os.getpid()}")
    for left in path.parent.glob(f".{path.name}.*"):
        left.unlink(missing_ok=True)
    while True:
        own.write_text(text, encoding="utf-8")
        try:
            own.replace(path)
            return
        except FileNotFoundError:  # another process that writes it now has taken ours for something left
            continue


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """A folder to write into, which takes its place at the end of the block; nothing is left where it ends early.

    Args:
        folder: A folder that does not exist yet, or is empty.

    Raises:
        UserError: There is something in it.
    """
    refuse_existing(folder, "folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        yield staging
        staging.chmod(0o755)
        staging.replace(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def write_json(path: Path, document: dict[str, Any]) -> None:
    """Write a JSON document for programs and people, complete or not at all.

    Raises:
        ValueError: A number is infinite or none, which JSON cannot hold.
    """
    write_whole(path, as_json(document))


def as_json(document: dict[str, Any]) -> str:
    """A JSON document for programs and people.

    Raises:
        ValueError: A number is infinite or none, which JSON cannot hold.
    """
    return json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def read_lines(path: Path, record: type[Record]) -> Iterator[Record]:
    """Read JSON lines as records of one type.

    Raises:
        UserError: A line is not JSON or not such a record; the message names file and line.
    """
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                yield build(record, json.loads(line))
            except (ValueError, TypeError, KeyError, RecursionError) as error:
                raise UserError(f"{path}:{number}: not a {record.__name__}: {error}") from error


def build(record: type[Record], data: dict[str, Any]) -> Record:
    """A record from its plain data.

    Raises:
        TypeError: The data is not that of such a record.
    """
    if record in (Grade, Trajectory):
        data["tags"] = tuple(Tag(**tag) for tag in data.get("tags", ()))
    if record == Trajectory:
        data |= {key: tuple(data[key]) for key in ("tokens", "log_probabilities")}
    if record is Row:
        data["messages"] = tuple(Message(**message) for message in data["messages"])
    return record(**data)
