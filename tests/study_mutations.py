"""Study files that are wrong in some way, by the thousand: half of them one value away from a ready-made study.

Each is given to `inoculate plan`. It is either planned, or refused with exit code 2 and a message whose every line
names the file and a key.
"""

from __future__ import annotations

import contextlib
import copy
import io
import json
import re
import signal
import tomllib
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import Any

import tomli_w

from inoculate.study import ready_made

LIMIT = 60.0
"""Seconds after which a plan counts as hanging."""

Place = tuple[str | int, ...]
"""The keys that lead to a value."""


@dataclass(frozen=True)
class Case:
    """A study file."""

    text: str
    parent: str
    """The ready-made study that it was made from."""
    change: str
    """What was done to it."""


def seeds(model: str, mbpp: str) -> dict[str, dict[str, Any]]:
    """The ready-made studies as tables, on a model that is here, and on a file of MBPP's shape.

    Args:
        model: The model's folder.
        mbpp: The file.
    """
    found = {}
    for name in ready_made.names():
        text = (ready_made.folder() / f"{name}.toml").read_text(encoding="utf-8")
        found[name] = tomllib.loads(text.replace("google-research-datasets/mbpp", mbpp)) | {"model": model}
    return found


_NUMBERS = [0, 1, -1, 2, 7, 10**6, 10**9, 2**63, -(2**63), 10**40, 10**400, 0.0, -0.0, 0.5, 1.5, -1e-9, 1e308, 1e-308]
_NO_NUMBERS = [float("nan"), float("inf"), float("-inf"), True, False]
_TEXTS = [
    *(
        "",
        " ",
        "x",
        "none",
        "neutral",
        "base",
        "plain",
        "\n",
        "a\nb",
        "\u2028",
        "\x07",
        "é" * 3,
        "../../x",
        "/etc/passwd",
    ),
    *("a" * 5000, "{{ x }}", "{% for", "%s", "<script>", "'", '"', "arms.plain", "a.b", "0", "true", "[1]", "~", "+"),
    *("specific+", "+exploit", "specific~", "specific@2", "~half", "rows.py", "x.py:f", "nul\0l"),
]
_OTHERS: list[Any] = [
    *([], {}, [[]], [{}], {"": 1}, {"x": {}}, date(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC), [1, "a"], [None])
]
_KEYS = [
    *("x", "", "a.b", "rows", "train", "rl", "prompt", "text", "name", "source", "a b", "é", "@", "a/b", "count"),
    *("setting", "settings", "more_rows", "method", "__class__", "model_config", "0"),
]


def paths(value: Any, above: Place = ()) -> Iterator[Place]:
    """Every place in some tables."""
    items: Sequence[tuple[str | int, Any]] = ()
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    for key, below in items:
        yield (*above, key)
        yield from paths(below, (*above, key))


def at(study: Any, path: Place) -> Any:
    """What stands at a place."""
    for key in path:
        study = study[key]
    return study


def mutate(study: dict[str, Any], random: Random) -> str:
    """Change one value, in place; returns what was done."""
    place = random.choice(list(paths(study)))
    holder, key = at(study, place[:-1]), place[-1]
    name, old = ".".join(map(str, place)), holder[key]
    kind = random.choice(["value", "value", "value", "near", "drop", "key", "new", "list", "table", "twice", "swap"])
    if kind == "near":
        holder[key] = _near(old, random)
    elif kind == "drop":
        del holder[key]
    elif kind in ("key", "new") and isinstance(holder, dict):
        new = random.choice(_KEYS) if kind == "new" or random.random() < 0.3 else _misspelt(str(key), random)
        holder[new] = old if kind == "key" else _value(random)
        if kind == "key" and new != key:
            del holder[key]
        return f"{kind}: {name} -> {new!r}"
    elif kind == "list":
        holder[key] = [old]
    elif kind == "table":
        holder[key] = {str(random.choice(_KEYS)): old}
    elif kind == "twice" and isinstance(old, list) and old:
        holder[key] = [*old, random.choice(old)]
    elif kind == "swap":
        holder[key] = copy.deepcopy(at(study, random.choice(list(paths(study)))))
    else:
        holder[key] = _value(random)
    return f"{kind}: {name} = {str(holder.get(key) if isinstance(holder, dict) else holder)[:60]!r}"


def _value(random: Random) -> Any:
    return copy.deepcopy(random.choice(random.choice([_NUMBERS, _NO_NUMBERS, _TEXTS, _OTHERS])))


def _near(old: Any, random: Random) -> Any:
    """A value of the same type that may be wrong."""
    if isinstance(old, bool):
        return not old
    if isinstance(old, int | float):
        return random.choice([old + 1, old - 1, -old, old * 1000, str(old), float(old), [old]])
    if isinstance(old, str):
        return random.choice([_misspelt(old, random), old.upper(), f" {old}", f"{old}.", old * 2])
    if isinstance(old, list):
        return random.choice([old[::-1], old[:-1], [*old, "x"], [*old, 1], old[0] if old else 0])
    return {} if random.random() < 0.5 else [old]


def _misspelt(text: str, random: Random) -> str:
    place = random.randrange(len(text) + 1)
    return random.choice([text[:place] + text[place + 1 :], text[:place] + "x" + text[place:], text.swapcase()])


def damage(text: str, random: Random) -> tuple[str, str]:
    """A file of which the text is damaged: it may be TOML no longer."""
    lines = text.split("\n")
    number = random.randrange(len(lines))
    line = lines[number]
    place = random.randrange(len(line) + 1)
    kind = random.choice(["twice", "lost", "cut", "sign", "end", "swap", "unquoted", "dotted", "date", "deep"])
    if kind == "twice":
        lines.insert(random.randrange(len(lines)), line)
    elif kind == "lost":
        del lines[number]
    elif kind == "cut":
        lines[number] = line[:place]
    elif kind == "sign":
        lines[number] = line[:place] + random.choice("[]{}\"'=.,#\\\0\u2028\ufeff\t🙂") + line[place:]
    elif kind == "end":
        lines = [*lines[:number], line[:place]]
    elif kind == "swap":
        other = random.randrange(len(lines))
        lines[number], lines[other] = lines[other], lines[number]
    elif kind == "unquoted":
        lines[number] = line.replace('"', "")
    elif kind == "dotted":
        lines[number] = re.sub(r"^(\w+) =", r"\1.x =", line)
    elif kind == "date":
        lines[number] = re.sub(r"= .*", "= 1979-05-27T07:32:00Z", line)
    else:
        lines[number] = re.sub(r"= .*", lambda _: "= " + "[" * 3000 + "]" * 3000, line)
    return "\n".join(lines), f"{kind}: line {number + 1}"


def make(number: int, seed: int, parents: dict[str, dict[str, Any]]) -> Case:
    """One case. Even ones are one value away from a ready-made study; others have more changes, or a damaged text."""
    random = Random(f"{seed}/{number}")
    name = random.choice(sorted(parents))
    while True:
        study = copy.deepcopy(parents[name])
        changes = []
        try:
            if number % 2 == 0 or random.random() < 0.5:
                for _ in range(1 if number % 2 == 0 else random.randint(2, 6)):
                    changes.append(mutate(study, random))
                return Case(tomli_w.dumps(study), name, "; ".join(changes))
            text, change = damage(tomli_w.dumps(study), random)
            return Case(text, name, change)
        except (TypeError, ValueError, IndexError, KeyError):  # what TOML cannot hold, such as None
            continue


def judge(case: Case, path: Path, store: Path) -> tuple[str, str]:
    """Give a case to `inoculate plan`.

    Returns:
        `planned`, `refused`, or what is wrong with the answer; and the answer.
    """
    from inoculate.cli.app import app, run_command

    path.write_text(case.text, encoding="utf-8")
    out, err = io.StringIO(), io.StringIO()

    def ring(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, LIMIT)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            words = ["plan", str(path), "--store", str(store), "--json"]
            code = run_command(lambda: app(words, exit_on_error=False, print_error=False))
    except TimeoutError:
        return "hangs", traceback.format_exc()
    except SystemExit as end:
        code = int(end.code or 0)
    except Exception:
        return "traceback", traceback.format_exc()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    return _judge_answer(code, out.getvalue(), err.getvalue(), path)


def _judge_answer(code: int, out: str, err: str, path: Path) -> tuple[str, str]:
    if code == 0:
        try:
            json.loads(out)
        except ValueError as error:
            return f"no JSON: {error}", out
        return ("planned", out) if not err.strip() else ("says something beside the plan", err)
    if code != 2:
        return f"exit code {code}", err
    lines = err.removeprefix("inoculate: ").rstrip("\n").split("\n")
    if out:
        return "refused, and prints something", out
    named = re.compile(rf"{re.escape(str(path))}(:\d+)?: (?:unknown key )?\S")
    unnamed = [line for line in lines if not named.match(line)]
    if unnamed:
        return "names no key", err
    if len(set(lines)) < len(lines):
        return "says a thing twice", err
    return "refused", err
