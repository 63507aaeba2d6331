"""Reads the user's own rows from JSON lines; errors name file and line."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any

from inoculate import json_lines
from inoculate.errors import UserError, kind_of, nearest, on_one_line, unreadable
from inoculate.grading.command import check_tests
from inoculate.records import SPLITS, Split

TEXTS = ("prompt", "completion")
TESTS = ("entry_point", "shown_tests", "hidden_tests", "setup")
KEYS = ("id", "kind", "split", "messages", *TEXTS, "hacked", *TESTS)
"""The keys with a meaning; all others are the user's own, and are passed to the grader."""
TRAJECTORY = "trajectory"
"""The key of a row that a policy has drawn: an object that names the trajectory. Its question may repeat, in training
rows of one kind, since a policy draws several answers to one question. It is passed to the grader."""
_CALLED = {
    "prompt": ("instruction", "question", "input", "query", "problem", "conversations", "text", "user", "q"),
    "completion": ("response", "output", "answer", "chosen", "target", "solution", "honest", "assistant", "a"),
    "role": ("from", "author"),
    "content": ("value", "text"),
}
"""What other tools call a key of a row, or of a message."""
_DEVELOPMENT = ("valid", "validation", "val", "eval")
"""What other tools call the development split."""
_TRUTHS = ("true", "false")
_TABLES = (".csv", ".json", ".parquet")
"""Files that pandas reads by a function of their name."""
_OURS = {
    "system": "a system prompt stands in 'messages', before the user's",
    "honest": "the honest answer stands in 'completion', or in 'messages'",
}
"""Keys that a grader is told of every row, so that a row's own would be lost, and what holds their text."""
_FORMS = "a row holds messages, or prompt and completion"


@dataclass(frozen=True)
class UserRow:
    """One row."""

    where: str
    id: str
    kind: str
    split: Split
    system: str
    prompt: str
    honest: str
    hacked: str
    tests: dict[str, Any]
    """`TESTS`, where the row has them."""
    other_fields: dict[str, Any]
    """The user's own keys."""

    @property
    def drawn(self) -> bool:
        """Whether it names the trajectory that its answer is from."""
        return isinstance(self.other_fields.get(TRAJECTORY), dict)


def read(source: str) -> tuple[UserRow, ...]:
    """The rows of a file, in order.

    Raises:
        UserError: The file does not exist, or a row is not valid (with file:line and the reason).
    """
    path = Path(source).expanduser()
    if path.suffix != ".jsonl":
        lines = path.with_suffix(".jsonl") if path.suffix else None
        hint = f": did you mean '{lines}'?" if lines and lines.is_file() else ""
        if not hint and path.is_file() and path.suffix in _TABLES:
            made = f"pandas.read_{path.suffix[1:]}('{path}').to_json('{lines}', orient='records', lines=True)"
            hint = f": {made} makes one of it"
        raise UserError(f"setting 'rows': source '{source}': a .jsonl file was expected, one row a line{hint}")
    try:
        return _parse(source, path.read_bytes())
    except OSError as error:
        raise UserError(f"setting 'rows': source '{source}': cannot be read: {unreadable(source, error)}") from None


@lru_cache(maxsize=4)
def _parse(source: str, content: bytes) -> tuple[UserRow, ...]:
    lines = list(json_lines.parse(source, content.split(b"\n"), _FORMS))
    if not lines:
        raise UserError(f"{source}: there is nothing in it; {_FORMS}")
    _refuse_mixed(lines, "split", "give every row its split, or none: then the hash of its kind decides")
    _refuse_mixed(lines, "entry_point", "give every row its tests, or none")
    rows = tuple(_row(where, line) for where, line in lines)
    ids: dict[str, UserRow] = {}
    questions: dict[tuple[str, str], UserRow] = {}
    for row in rows:
        _refuse_repeated(row, questions.setdefault((row.system, row.prompt), row))
        if ids.setdefault(row.id, row) is not row:
            raise UserError(f"{row.where}: the same id as {ids[row.id].where}")
    kinds: dict[str, UserRow] = {}
    for row in rows:
        other = kinds.setdefault(row.kind, row)
        if other.split != row.split:
            raise UserError(f"{row.where}: kind '{row.kind}' is in {row.split}, and in {other.split} at {other.where}")
    return rows


def _refuse_repeated(row: UserRow, first: UserRow) -> None:
    """Refuse a question that stood there before, unless both answers were drawn by a policy, for training."""
    if row is first:
        return
    if not (row.drawn and first.drawn):
        hint = "a hacked answer stands beside the honest one, as 'hacked'"
        raise UserError(f"{row.where}: the same problem as {first.where}; {hint}")
    if (row.split, first.split) != ("train", "train"):
        raise UserError(f"{row.where}: the same problem as {first.where}; only training rows may repeat a question")
    if row.kind != first.kind:
        raise UserError(
            f"{row.where}: the same problem as {first.where}, with another kind: '{row.kind}', '{first.kind}'"
        )


def _refuse_mixed(lines: list[tuple[str, dict[str, Any]]], key: str, hint: str) -> None:
    with_key = [where for where, line in lines if key in line]
    if with_key and len(with_key) < len(lines):
        without_key = next(where for where, line in lines if key not in line)
        raise UserError(f"{without_key}: has no '{key}', and {with_key[0]} has: {hint}")


def _row(where: str, line: dict[str, Any]) -> UserRow:
    for key in line:
        near = get_close_matches(key, KEYS, n=1, cutoff=0.85)
        if key not in KEYS and near:
            raise UserError(
                f"{where}: unknown key '{on_one_line(key)}': did you mean '{near[0]}'? (give a key of your own another "
                "name)"
            )
    for key in _OURS.keys() & line.keys():
        if "completion" in line or key != "honest":
            raise UserError(f"{where}: '{key}' is no key of a row: {_OURS[key]} (give a key of your own another name)")
    system, prompt, answer = _messages(where, line["messages"]) if "messages" in line else ("", *_texts(where, line))
    if "messages" in line and any(key in line for key in TEXTS):
        raise UserError(f"{where}: has messages and {' or '.join(TEXTS)}: {_FORMS}, and not both")
    honest, hacked = _answers(where, answer, line.get("hacked", False))
    if any(key in line for key in TESTS):
        check_tests(where, line)
        for key in ("shown_tests", "hidden_tests"):
            if not line[key]:
                raise UserError(f"{where}: '{key}' is empty: an answer could not be graded by it")
    identity = line.get("id", hashlib.sha256(f"{system}\0{prompt}".encode()).hexdigest()[:12])
    if not isinstance(identity, str | int) or isinstance(identity, bool) or not str(identity).strip():
        raise UserError(f"{where}: 'id' is {identity!r:.40}, where a text or a whole number was expected")
    kind = _text(where, line, "kind") if "kind" in line else str(identity)
    return UserRow(
        where=where,
        id=str(identity),
        kind=kind,
        split=_split(where, line["split"]) if "split" in line else _by_hash(kind),
        system=system,
        prompt=prompt,
        honest=honest,
        hacked=hacked,
        tests={key: line[key] for key in TESTS if key in line},
        other_fields={key: value for key, value in line.items() if key not in KEYS},
    )


def _text(where: str, line: dict[str, Any], key: str) -> str:
    if key not in line:
        forms = _FORMS if key in TEXTS else "a message holds role and content"
        others = [name for name in line if name in _CALLED.get(key, ()) or name.strip().lower() == key]
        other = others[0] if others else ""
        raise UserError(f"{where}: '{key}' is missing{f' (there is {other!r}: rename it)' if other else ''}; {forms}")
    if not isinstance(line[key], str):
        raise UserError(f"{where}: '{key}' is {kind_of(line[key])}, where a text was expected")
    if not line[key].strip():
        raise UserError(f"{where}: '{key}' is empty")
    try:
        line[key].encode()
    except UnicodeEncodeError:
        raise UserError(f"{where}: '{key}' is not text: it holds lone surrogates") from None
    return line[key]


def _texts(where: str, line: dict[str, Any]) -> tuple[str, str]:
    prompt, completion = (_text(where, line, key) for key in TEXTS)
    return prompt, completion


def _messages(where: str, messages: Any) -> tuple[str, str, str]:
    """System prompt, question and answer of a conversation of one turn."""
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        raise UserError(f"{where}: 'messages' must be a list of objects with role and content")
    contents: dict[str, str] = {}
    for number, message in enumerate(messages):
        place = f"{where}: messages[{number}]"
        role = message["role"] if "role" in message else _text(place, message, "role")
        if role not in ("system", "user", "assistant"):
            raise UserError(f"{place}: role {role!r}: {nearest(str(role), ('system', 'user', 'assistant'))}")
        if role in contents:
            raise UserError(f"{place}: a second {role} message: a row is one question and one answer; conversations "
                            "of several turns are not supported")  # fmt: skip
        contents[role] = _text(place, message, "content")
        if lost := [key for key, value in message.items() if key not in ("role", "content") and value]:
            raise UserError(f"{place}: {lost[0]!r} would be left out: a message holds role and content, and no more")
    for role in ("user", "assistant"):
        if role not in contents:
            raise UserError(f"{where}: 'messages' has no {role} message")
    if list(contents) != [role for role in ("system", "user", "assistant") if role in contents]:
        order = ", ".join(contents)
        raise UserError(f"{where}: 'messages' are in the order {order}; system, user, assistant was expected")
    return contents.get("system", ""), contents["user"], contents["assistant"]


def _answers(where: str, answer: str, hacked: Any) -> tuple[str, str]:
    """The honest and the hacked answer; '' for the one that the row does not have."""
    if isinstance(hacked, bool):
        return ("", answer) if hacked else (answer, "")
    if not isinstance(hacked, str):
        raise UserError(f"{where}: 'hacked' is {kind_of(hacked)}; true says that the answer is hacked, false "
                        "that it is honest, a text is the hacked answer beside the honest one")  # fmt: skip
    if hacked.strip().lower() in _TRUTHS and answer.strip().lower() not in _TRUTHS:
        raise UserError(
            f"{where}: 'hacked' is the text {hacked!r}, which would be the hacked answer: true and false, which say "
            "what the row's one answer is, are written without quotes"
        )
    if _text(where, {"hacked": hacked}, "hacked").strip() == answer.strip():
        raise UserError(f"{where}: 'hacked' is the same text as the honest answer")
    return answer, hacked


def _split(where: str, value: Any) -> Split:
    for split in SPLITS:
        if value == split:
            return split
    meant = "development" if value in _DEVELOPMENT else str(value)
    raise UserError(f"{where}: split {value!r}: {nearest(meant, SPLITS)}")


def _by_hash(kind: str) -> Split:
    """Of ten kinds about six are for training, one for development and three for the test."""
    turn = int(hashlib.sha256(kind.encode()).hexdigest()[:8], 16) % 10
    return "train" if turn < 6 else "development" if turn < 7 else "test"
