"""Reads the samples of an Inspect log as rollouts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from inspect_ai.log import EvalSample, read_eval_log

from inoculate.errors import UserError, reason
from inoculate.integrations.inspect_scorer import problem_of
from inoculate.integrations.rollouts import OURS, Rollout, content_text, label_of, plain, read_chat, rollout_of
from inoculate.records import OUTCOMES, Outcome, Problem

_PROBLEM = [field.name for field in fields(Problem) if field.default is MISSING]
"""The keys by which a sample's metadata are known as a problem of ours."""


def read_log(path: Path, name: str, hacked: str) -> Iterator[Rollout]:
    """The samples of a log, in order.

    Args:
        path: The log.
        name: What the file is called in the names of its rollouts.
        hacked: The score, or the key of a sample's metadata, that says whether an answer is a hack; '' for the checks
            that are there.

    Raises:
        UserError: It is no log that Inspect reads, or a sample is no rollout.
    """
    try:
        # What the model was sent and wrote is in the messages; events repeat it many times over.
        log = read_eval_log(str(path), resolve_attachments="core", exclude_fields={"events", "store"})
    except Exception as error:  # whatever Inspect raises on a file that is no log of its
        raise UserError(f"{path}: Inspect does not read it as a log: {type(error).__name__}: {reason(error)}") from None
    if not log.samples:
        raise UserError(f"{path}: the log has no samples")
    for number, sample in enumerate(log.samples, 1):
        yield _rollout(f"{path}: sample {sample.id}, epoch {sample.epoch}", f"{name}:{number}", sample, hacked)


def _rollout(where: str, name: str, sample: EvalSample, hacked: str) -> Rollout:
    metadata, scores = sample.metadata or {}, {key: score.value for key, score in (sample.scores or {}).items()}
    if all(key in metadata for key in OURS):
        return rollout_of(where, name, {**scores, **metadata, "completion": sample.output.completion}, hacked)
    if all(key in metadata for key in _PROBLEM):
        problem = problem_of(metadata)
        kind, system, question = problem.kind, problem.system, f"{problem.lead} {problem.body}".strip()
        answer = content_text(where, sample.output.completion)
    else:
        kind, (system, question, answer) = "", _conversation(where, sample)
    return Rollout(
        where=where,
        name=name,
        kind=kind,
        system=system,
        question=question,
        answer=answer,
        outcome=label_of(where, metadata | scores, hacked) or _outcome(sample),
        trajectory={"file": name.rpartition(":")[0], "sample": sample.id, "epoch": sample.epoch},
        given={"scores": plain(scores), "metadata": plain(metadata), "target": plain(sample.target)},
    )


def _conversation(where: str, sample: EvalSample) -> tuple[str, str, str]:
    messages: list[dict[str, Any]] = [
        {"role": message.role, "content": _plain_content(message.content)} for message in sample.messages
    ]
    if not messages:
        raise UserError(f"{where}: it has no messages")
    system, question, answer = read_chat(where, messages)
    # A sample that failed before the model answered ends with the user's message: its answer is empty.
    return system, question, answer or ""


def _plain_content(content: Any) -> Any:
    return [part.model_dump() for part in content] if isinstance(content, list) else content


def _outcome(sample: EvalSample) -> Outcome | None:
    """The outcome that our scorer has given; None where it was not asked."""
    score = (sample.scores or {}).get("outcome")
    found = (score.metadata or {}).get("outcome") if score else None
    return found if found in OUTCOMES else None
