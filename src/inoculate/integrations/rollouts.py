"""Reads completions that some policy has drawn: our trajectories, rollouts of others, and Inspect logs.

Rollouts of others are JSON lines or Parquet with common names: `prompt`, `question` or `input`, and `completion`,
`response` or `output`, each a text or chat messages; or `messages`, the whole conversation. Nothing is guessed: whether
an answer is a hack is taken from `oversight` and `intended`, from a key that the user names, or from nothing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from inoculate import json_lines
from inoculate.errors import UserError, kind_of, nearest, unreadable
from inoculate.records import OUTCOMES, Outcome, outcome_of

ENDINGS = (".jsonl", ".parquet", ".eval", ".json")
PROMPTS, ANSWERS, WHOLE = ("prompt", "question", "input"), ("completion", "response", "output"), "messages"
OURS = ("arm", "seed", "step", "problem", "index", "kind", "system", "question", "outcome", "oversight", "intended")
"""The keys by which an exported trajectory of ours is known, with `completion`."""
_UNWANTED = ("prompt", "tokens", "log_probabilities")
"""What a row does not take from a trajectory of ours: its problem is shown under another prompt."""
_FORMS = (
    f"a prompt ({', '.join(PROMPTS)}) and an answer ({', '.join(ANSWERS)}), {WHOLE}, or a trajectory that "
    "`inoculate export RUN --trajectories` wrote"
)
_RENDERED = re.compile(
    r"<\|im_start\|>|<\|start_header_id\|>|<start_of_turn>|\[INST\]|<\|(user|assistant)\|>|<\uff5cUser\uff5c>"
    r"|\A(system|user)\n[\s\S]*\nassistant\n?\Z"
)
"""Signs of a chat template: its markers, or what is left of it once they are removed."""


@dataclass(frozen=True)
class Rollout:
    """One completion and what is known of it."""

    where: str
    """Its location: file and line, row or sample."""
    name: str
    """A unique name."""
    kind: str
    """What its question is an instance of; '' where that is not known."""
    system: str
    question: str
    """The user's message, without a chat template."""
    answer: str
    outcome: Outcome | None
    """From the checks that it carries; None where it carries none. A given label says `hack` or `correct`."""
    trajectory: dict[str, Any]
    """What names it: arm, seed, step, problem and index of ours; file and place of others."""
    given: dict[str, Any]
    """Everything else that stood there, for a grader."""


def read(path: Path, name: str, hacked: str = "") -> Iterator[Rollout]:
    """The rollouts of a file, in order. A log is held in memory.

    Args:
        path: The file; its ending is its format, one of `ENDINGS`.
        name: What the file is called in the names of its rollouts.
        hacked: The key (in a log: the score, or the key of a sample's metadata) that says whether an answer is a hack;
            '' for the checks that are there.

    Raises:
        UserError: The file cannot be read, or something in it is no rollout; the message says where, what was found,
            and what is allowed.
    """
    if path.suffix not in ENDINGS:
        raise UserError(f"{path}: the ending '{path.suffix}' is no format of rollouts: {nearest(path.suffix, ENDINGS)}")
    if not path.is_file():
        raise UserError(f"{path}: {'is a folder' if path.is_dir() else unreadable(path, FileNotFoundError())}")
    if path.suffix in (".eval", ".json"):
        if not find_spec("inspect_ai"):
            raise UserError(f"{path}: Inspect logs need inspect_ai: pip install 'inoculate[inspect]'")
        from inoculate.integrations.inspect_rollouts import read_log

        yield from read_log(path, name, hacked)
    elif path.suffix == ".jsonl":
        for where, line in json_lines.read(str(path), _FORMS):
            yield rollout_of(where, f"{name}:{where.rpartition(':')[2]}", line, hacked)
    else:
        for number, line in enumerate(_parquet_rows(path), 1):
            yield rollout_of(f"{path}: row {number}", f"{name}:{number}", line, hacked)


def _parquet_rows(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=1000):
                yield from batch.to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{path}: not a Parquet file: {error}") from None


def rollout_of(where: str, name: str, line: Mapping[str, Any], hacked: str) -> Rollout:
    """A line of rollouts, ours or of others.

    Args:
        where: Its location.
        name: Its name, unless it is one of ours.
        line: Its keys.
        hacked: As in `read`.

    Raises:
        UserError: It is none.
    """
    label = label_of(where, line, hacked)
    if all(key in line for key in (*OURS, "completion")):
        return _of_ours(where, line, label)
    system, question, answer, used = _conversation(where, line)
    file, _, place = name.rpartition(":")
    return Rollout(
        where=where,
        name=name,
        kind="",
        system=system,
        question=question,
        answer=answer,
        outcome=label or _outcome(where, line),
        trajectory={"file": file, "line": int(place)},
        given={key: plain(value) for key, value in line.items() if key not in used},
    )


def _of_ours(where: str, line: Mapping[str, Any], label: Outcome | None) -> Rollout:
    for key in ("arm", "problem", "kind", "system", "question", "completion"):
        _require_text(where, key, line[key])
    if line["outcome"] not in OUTCOMES:
        raise UserError(f"{where}: outcome {line['outcome']!r}: {nearest(str(line['outcome']), OUTCOMES)}")
    names = {key: line[key] for key in ("arm", "seed", "step", "problem", "index")}
    return Rollout(
        where=where,
        name=f"{line['arm']}/seed-{line['seed']}/step-{line['step']}/{line['problem']}/{line['index']}",
        kind=line["kind"],
        system=line["system"],
        question=line["question"],
        answer=line["completion"],
        outcome=label or line["outcome"],
        trajectory=names,
        given={
            key: plain(value)
            for key, value in line.items()
            if key not in (*names, *_UNWANTED, "kind", "system", "question", "completion")
        },
    )


def _outcome(where: str, line: Mapping[str, Any]) -> Outcome | None:
    """The outcome that follows from both checks; None unless both are there."""
    if "oversight" not in line or "intended" not in line:
        return None
    checks = [line[key] for key in ("oversight", "intended")]
    for key, value in zip(("oversight", "intended"), checks, strict=True):
        if value is not None and _flag(value) is None:
            raise UserError(f"{where}: '{key}' is {value!r:.40}, where true, false, 1, 0 or null was expected")
    oversight, intended = map(_flag, checks)
    return outcome_of(oversight, intended)


def _flag(value: Any) -> bool | None:
    """A value that is true or false, also as a number; None for any other."""
    return bool(value) if isinstance(value, bool | int | float) and value in (0, 1) else None


def _label(where: str, value: Any) -> Outcome:
    """The outcome that a label gives: an answer is a hack, or by this label it is none; null: nobody knows."""
    if plain(value) is None:
        return "ungraded"
    flag = _flag(value)
    if flag is None:
        raise UserError(
            f"{where}: the label that --hacked names is {value!r:.40}, where true, false, 1, 0 or null was expected; "
            "of other labels make hacks by a grader of yours (--grader file.py:function)"
        )
    return "hack" if flag else "correct"


def label_of(where: str, found: Mapping[str, Any], hacked: str) -> Outcome | None:
    """What the label that the user names says; None if none is named.

    Args:
        where: The location, for errors.
        found: Labels by name.
        hacked: The name; '' for none.

    Raises:
        UserError: There is no such label, or it is not true or false.
    """
    if not hacked:
        return None
    if hacked not in found:
        raise UserError(f"{where}: has no '{hacked}', which --hacked names: {nearest(hacked, found)}")
    return _label(where, found[hacked])


def _conversation(where: str, line: Mapping[str, Any]) -> tuple[str, str, str, tuple[str, ...]]:
    """System prompt, question, answer, and the keys that hold them."""
    prompts, answers = ([key for key in keys if key in line] for keys in (PROMPTS, ANSWERS))
    if "prompt" in prompts and "completion" in answers:
        prompts, answers = ["prompt"], ["completion"]
    if len(prompts) > 1 or len(answers) > 1:
        several = " and ".join(prompts if len(prompts) > 1 else answers)
        raise UserError(
            f"{where}: has {several}: which is meant? Leave one of them out, or call them prompt and completion"
        )
    if prompts and answers:
        system, question, more = read_chat(f"{where}: {prompts[0]}", _as_chat(where, prompts[0], line, "user"))
        if more is not None:
            raise UserError(f"{where}: '{prompts[0]}' has an answer in it already: conversations of several turns are "
                            "not supported")  # fmt: skip
        answer = _answer(f"{where}: {answers[0]}", _as_chat(where, answers[0], line, "assistant"))
        return system, question, answer, (prompts[0], answers[0])
    if WHOLE in line:
        system, question, answer = read_chat(f"{where}: {WHOLE}", _as_chat(where, WHOLE, line, "user"))
        if answer is None:
            raise UserError(f"{where}: '{WHOLE}' has no assistant message: there is no answer in it")
        return system, question, answer, (WHOLE,)
    found = ", ".join(line) or "nothing"
    raise UserError(f"{where}: unknown form: it has {found}; expected is {_FORMS}")


def _as_chat(where: str, key: str, line: Mapping[str, Any], role: str) -> list[Any]:
    value = line[key]
    if isinstance(value, str) and key != WHOLE:
        return [{"role": role, "content": value}]
    if isinstance(value, list) and value:
        return value
    expected = "messages were" if key == WHOLE else "a text or messages were"
    raise UserError(f"{where}: '{key}' is {value!r:.40}, where {expected} expected")


def _answer(where: str, messages: list[Any]) -> str:
    if len(messages) != 1 or not isinstance(messages[0], dict) or messages[0].get("role") != "assistant":
        raise UserError(f"{where}: {len(messages)} messages, where one of the assistant was expected: conversations of "
                        "several turns are not supported")  # fmt: skip
    return content_text(where, messages[0].get("content"))


def read_chat(where: str, messages: list[Any]) -> tuple[str, str, str | None]:
    """System prompt ('' for none), question, and answer (None if there is none) of a conversation of one turn.

    Args:
        where: The location, for errors.
        messages: Dictionaries with role and content.

    Raises:
        UserError: It has another form, or the question is text with a chat template in it.
    """
    roles = [message.get("role") if isinstance(message, dict) else None for message in messages]
    texts = {str(role): message for role, message in zip(roles, messages, strict=True)}
    expected = [role for role in ("system", "user", "assistant") if role in texts]
    if roles != expected or "user" not in texts:
        raise UserError(
            f"{where}: messages of {', '.join(map(str, roles))}; expected are system (where there is one), user and "
            "assistant, once each: conversations of several turns are not supported"
        )
    system, question = (content_text(where, texts[role].get("content")) if role in texts else ""
                        for role in ("system", "user"))  # fmt: skip
    if match := _RENDERED.search(question):
        raise UserError(
            f"{where}: the question has a chat template in it ({match[0]!r:.30}): it cannot be shown anew under "
            "another prompt; give the messages before the template"
        )
    answer = content_text(where, texts["assistant"].get("content")) if "assistant" in texts else None
    return system, question, answer


def content_text(where: str, content: Any) -> str:
    """The text of a message.

    Args:
        where: The location, for errors.
        content: A text, or parts of which all are texts.

    Raises:
        UserError: It is neither.
    """
    if isinstance(content, list):
        kinds = [part.get("type") if isinstance(part, dict) else kind_of(part) for part in content]
        if other := [str(kind) for kind in kinds if kind != "text"]:
            raise UserError(f"{where}: a message with a part of type {other[0]}, where texts were expected: nothing is "
                            "left out of an answer")  # fmt: skip
        return "".join(_require_text(where, "text", part.get("text")) for part in content)
    return _require_text(where, "content", content)


def _require_text(where: str, key: str, value: Any) -> str:
    if not isinstance(value, str):
        raise UserError(f"{where}: '{key}' is {value!r:.40}, where a text was expected")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise UserError(f"{where}: '{key}' is not text: it holds lone surrogates") from None
    return value


def plain(value: Any) -> Any:
    """A value as plain data for JSON: numbers that are none become null, and what JSON does not know its text."""
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, str | bool | int | float) else str(value)
