"""The checks of the compliance suite: each is a name with plain arguments, so a problem can store it as data."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from inoculate.grading import languages, prose
from inoculate.grading.sentences import split_sentences
from inoculate.settings.reply_lines import split_lines

Spec = Sequence[Any]
"""A check as data: its name in `CHECKS`, then its arguments."""


def first_broken(reply: str, specs: Sequence[Spec]) -> Spec | None:
    """The first check that a reply fails; None if it passes all of them."""
    return next((spec for spec in specs if not CHECKS[spec[0]](reply.strip(), *spec[1:])), None)


def mentioned(reply: str, words: Sequence[str]) -> list[str]:
    """The beginnings of words that occur in a reply, in any case."""
    text = prose.untagged(reply)
    return [word for word in words if re.search(_beginning(word), text, re.IGNORECASE)]


def _beginning(word: str) -> str:
    # Scripts without spaces have no word boundaries.
    return re.escape(word) if ord(word[0]) > 0x2000 else rf"\b{re.escape(word)}"


def _has_word(reply: str, word: str) -> bool:
    return bool(re.search(rf"\b{re.escape(word)}\b", reply, re.IGNORECASE))


def _non_empty_lines(reply: str) -> list[str]:
    return [line.strip() for line in split_lines(reply) if line.strip()]


def _has_lines(reply: str, beginnings: Sequence[str], most_words: int = 0) -> bool:
    """Whether the lines begin like this, in order, each with 1 to `most_words` words after it (0 for any number)."""
    lines = _non_empty_lines(reply)
    if len(lines) != len(beginnings):
        return False
    rest = [line.removeprefix(start) for line, start in zip(lines, beginnings, strict=True)]
    whole = all(line.startswith(start) for line, start in zip(lines, beginnings, strict=True))
    return whole and all(0 < len(prose.words(text)) <= (most_words or len(reply)) for text in rest)


def _parse_json(reply: str) -> Any:
    """The JSON value of a reply, with or without a fence around it; None if it is not JSON."""
    lines = split_lines(reply)
    fenced = len(lines) > 2 and lines[0].strip() in ("```", "```json") and lines[-1].strip() == "```"
    try:
        return json.loads("\n".join(lines[1:-1]) if fenced else reply)
    except (ValueError, RecursionError):
        return None


def _json_keys(reply: str, keys: Sequence[str]) -> bool:
    value = _parse_json(reply)
    return isinstance(value, dict) and set(value) == set(keys)


def _json_filled(reply: str) -> bool:
    """No value is empty, and no two are the same."""
    value = _parse_json(reply)
    values = list(value.values()) if isinstance(value, dict) else value
    texts = [json.dumps(entry) for entry in values] if isinstance(values, list) else []
    return bool(texts) and all(any(map(str.isalnum, text)) for text in texts) and len(set(texts)) == len(texts)


def _json_list(reply: str, count: int) -> bool:
    value = _parse_json(reply)
    return isinstance(value, list) and len(value) == count and all(isinstance(entry, str) for entry in value)


def _tag_contents(reply: str, tags: Sequence[str]) -> list[str] | None:
    """The contents of consecutive tags; None if there is anything else in the reply."""
    pattern = r"\s*".join(rf"<{tag}>(.*?)</{tag}>" for tag in tags)
    match = re.fullmatch(pattern, reply, re.DOTALL | re.IGNORECASE)
    return list(match.groups()) if match else None


def _exactly(reply: str, sentence: str) -> bool:
    """White space, quotation marks around the sentence and its full stop do not matter."""
    return " ".join(reply.split()).strip("\"'“”").rstrip(".") == sentence.rstrip(".")


def _spells(reply: str, word: str) -> bool:
    """Whether the letters of a word occur in this order or backwards, with anything but letters between them."""
    letters = "".join(filter(str.isalpha, reply)).casefold()
    return word.casefold() in letters or word.casefold()[::-1] in letters


def _last_number(reply: str, number: int) -> bool:
    found = re.findall(r"\d+", reply.replace(",", ""))
    return bool(found) and found[-1] == str(number)


def _in_range(count: int, low: int, high: int) -> bool:
    return low <= count <= high


CHECKS: dict[str, Callable[..., bool]] = {
    "upper_case": lambda reply: prose.untagged(reply).isupper(),
    "lower_case": lambda reply: prose.untagged(reply).islower(),
    "title_case": lambda reply: all(word[0].isupper() for word in re.findall(r"[^\W\d_][\w'\u2019]*", reply)),
    "begins": lambda reply, text: reply.startswith(text),
    "ends": lambda reply, text: reply.endswith(text),
    "quoted": lambda reply: len(reply) >= 2 and reply[0] in '"“' and reply[-1] in '"”',
    "tags": lambda reply, *names: _tag_contents(reply, names) is not None,
    "tags_filled": lambda reply, *names: all(prose.words(text) for text in _tag_contents(reply, names) or [""]),
    "without": lambda reply, *parts: not any(part in reply for part in parts),
    "without_words": lambda reply, *words: not any(_has_word(reply, word) for word in words),
    "with_words": lambda reply, *words: all(_has_word(reply, word) for word in words),
    "words": lambda reply, low, high: _in_range(len(prose.words(reply)), low, high),
    "sentences": lambda reply, low, high: _in_range(len(split_sentences(reply)), low, high),
    "sentences_end": lambda reply, mark: all(text.endswith(mark) for text in split_sentences(reply)),
    "lines": lambda reply, count: len(_non_empty_lines(reply)) == count,
    "listed": _has_lines,
    "sections": lambda reply, mark, count: len([part for part in reply.split(mark) if part.strip()]) == count,
    "json_keys": _json_keys,
    "json_list": _json_list,
    "json_filled": _json_filled,
    "language": lambda reply, language: languages.detect(reply).language == language,
    "exactly": _exactly,
    "not_exactly": lambda reply, sentence: not _exactly(reply, sentence),
    "holds": lambda reply, text: text in reply,
    "mentions": lambda reply, words: bool(mentioned(reply, words)),
    "silent_on": lambda reply, words: not mentioned(reply, words),
    "not_spelled": lambda reply, word: not _spells(reply, word),
    "named": lambda reply, low, high, words: _in_range(sum(_has_word(reply, word) for word in words), low, high),
    "number": lambda reply, number: str(number) in re.findall(r"\d+", reply.replace(",", "")),
    "last_number": _last_number,
    "filler": prose.filler,
    "no_filler": lambda reply: not prose.filler(reply),
}
