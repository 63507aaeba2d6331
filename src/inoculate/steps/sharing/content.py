"""Whether the content of a step is what analysis can read, and whether it is the same as that of another one."""

from __future__ import annotations

import json
from dataclasses import is_dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from pydantic import BaseModel, TypeAdapter, ValidationError

from inoculate import json_lines, settings
from inoculate.errors import UserError
from inoculate.records import Completion, Grade, Problem, Row, Trajectory
from inoculate.steps import problems
from inoculate.steps.sharing.packed import PackedStep
from inoculate.steps.store import Step


class _Scores(BaseModel):
    problem: str
    kind: str
    tokens: int
    scores: dict[str, float]


class _Distances(BaseModel):
    context: str
    edits: int
    share: float | None
    divergence: float | None
    reason: str


class _Choices(BaseModel):
    problem: str
    log_probabilities: list[float]


class _Training(BaseModel):
    tokens: int
    label_tokens: int
    loss: list[tuple[int, float]]
    device: str
    other_rewards: int = 0


class _Metrics(BaseModel):
    step: int
    loss: float | None
    entropy: float
    kl: float | None
    grad_norm: float | None
    learning_rate: float
    sampling_mismatch: float | None
    groups: int
    groups_without_spread: int
    unscorable: int
    seconds: dict[str, float]
    kept: int = 0
    tokens: int = 0
    label_tokens: int = 0


class _Origin(BaseModel):
    seed: int
    step: int
    problem: str
    index: int


class _WrittenOut(BaseModel):
    system: str | None
    inoculation: dict[str, Any] | None
    policy: dict[str, int | bool | None] | None = None
    tokens_like: dict[str, int] | None = None
    filtered: dict[str, int | str] | None = None


_LINES: dict[str, type[Any]] = {
    "problems.jsonl": Problem,
    "rows.jsonl": Row,
    "completions.jsonl": Completion,
    "grades.jsonl": Grade,
    "scores.jsonl": _Scores,
    "distances.jsonl": _Distances,
    "choices.jsonl": _Choices,
    "trajectories.jsonl": Trajectory,
    "metrics.jsonl": _Metrics,
    "origins.jsonl": _Origin,
}
"""File -> what each of its lines is."""
_DOCUMENTS: dict[str, Any] = {
    "engines.json": list[dict[str, str | int | None]],
    "training.json": _Training,
    "rows.json": _WrittenOut,
}
"""File -> what it is as a whole."""
_NOT_COMPARED = {
    Completion: {"seconds"},
    # Explanations and containment may differ from machine to machine; tags are compared by name and evidence.
    Grade: {"seconds", "detail", "containment"},
    # Seeds share them, and machines that share the seeds round otherwise.
    _Distances: {"divergence"},
}


def check_files(what: str, step: PackedStep) -> None:
    """Refuse files that are not what their names promise.

    Args:
        what: The step, for messages.
        step: The step, with its files.

    Raises:
        UserError: A line is not such a record; the message has its number.
    """
    for name, content in step.files.items():
        if name in _LINES:
            for number, line in enumerate(content.split(b"\n")[:-1], 1):
                _check(f"{what}, {name}:{number}", _LINES[name], line)
        else:
            _check(f"{what}, {name}", _DOCUMENTS[name], content)
    _check_graders(what, step)
    if "rows.json" in step.files:
        written, planned = json.loads(step.files["rows.json"])["inoculation"], step.params.get("inoculation")
        # A control has its final length there; all else is as planned.
        if (written and {**written, "text": ""}) != (planned and {**planned, "text": ""}):
            raise UserError(f"{what}, rows.json: not the inoculation that was planned: nothing was imported")


def _check_graders(what: str, step: PackedStep) -> None:
    """Refuse problems that name a grader other than the study's: it would be run with the next completions."""
    rows = step.params.get("rows")
    planned = (rows if isinstance(rows, dict) else step.params).get("grader", "")
    for line in step.files.get("problems.jsonl", b"").split(b"\n")[:-1]:
        problem = json.loads(line)
        if problem["secret"].get("grader", "") != planned:
            raise UserError(f"{what}: problem {problem['id']!r} names a grader that the study does not name")


def check_drawn(path: Path, step: PackedStep) -> None:
    """Draw the problems of a setting again, and refuse others: their tests would be run with the next completions.

    Problems from files and data sets, and those of the user's own settings, are not drawn: they are named by digests.

    Args:
        path: The file, for messages.
        step: A step that draws problems, with its files.

    Raises:
        UserError: They are not those that this version draws.
    """
    params = step.params
    if settings.is_file(params["setting"]) or params["source"] or settings.find(params["setting"]).needs_source:
        return
    drawing = Step(step.kind, params, version=step.step_version)
    with TemporaryDirectory() as folder:
        problems.write_drawn(drawing, Path(folder))
        if found := find_difference(step, Path(folder)):
            raise UserError(
                f"{path}: {step.label}: not the problems that this version of inoculate draws ({found}): nothing was "
                "imported; use the same version here and there"
            )


def _check(where: str, kind: Any, content: bytes) -> None:
    try:
        data = json_lines.strict(content.decode())
        _adapter(kind).validate_json(content, strict=True)
        if is_dataclass(kind):
            cast(Any, kind)(**data)  # refuses further keys
    except ValidationError as error:
        first = error.errors()[0]
        reason = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise UserError(f"{where}: not as expected: {reason}: nothing was imported") from None
    except (TypeError, ValueError, RecursionError) as error:
        raise UserError(f"{where}: not as expected: {error}: nothing was imported") from None


def _adapter(kind: Any) -> TypeAdapter[Any]:
    name = str(kind)
    if name not in _ADAPTERS:
        _ADAPTERS[name] = TypeAdapter(kind)
    return _ADAPTERS[name]


_ADAPTERS: dict[str, TypeAdapter[Any]] = {}


def find_difference(step: PackedStep, folder: Path) -> str:
    """Where a step differs from a finished one of the same name, beyond times and explanations.

    Args:
        step: The step, with its files.
        folder: The folder of the finished one.

    Returns:
        File and line, with both contents; '' where there is no difference.
    """
    for name in step.files:
        if name not in _LINES:
            continue
        theirs = step.files[name].split(b"\n")
        ours = (folder / name).read_bytes().split(b"\n") if (folder / name).is_file() else []
        if len(ours) != len(theirs):
            return f"{name} has {max(len(ours) - 1, 0)} lines here and {len(theirs) - 1} in the file"
        for number, (here, there) in enumerate(zip(ours, theirs, strict=True), 1):
            if here != there and (keys := _differing_keys(_LINES[name], here, there)):
                return f"line {number} of {name} has another {' and '.join(keys)}"
    return ""


def _differing_keys(record: type[Any], here: bytes, there: bytes) -> list[str]:
    ours, theirs = (_compared(record, line) for line in (here, there))
    return [key for key in dict.fromkeys([*ours, *theirs]) if ours.get(key) != theirs.get(key)]


def _compared(record: type[Any], line: bytes) -> dict[str, Any]:
    data = json.loads(line)
    compared = {key: value for key, value in data.items() if key not in _NOT_COMPARED.get(record, ())}
    if record is Grade:
        compared["tags"] = [(tag["name"], tag["evidence"]) for tag in data.get("tags", ())]
    return compared
