"""How a completion of the `patterns` setting is read: which part of what a model wrote is the pattern.

What is looked at are the fenced blocks; without one that can be a pattern, the `spans`; without one, the whole text if
it is one line or Python, else those of its lines that look like a pattern and like no sentence. Of such a text:

- Python that holds a string: the pattern that it means (`python.patterns`), with the flags that it names;
- one line that begins and ends with a slash (`/.../`, or `/.../im` with flags among i, m, s, x, u, g): what is between;
- any other single line: the line itself, without the space around it, a label (`Pattern:`) and comments on lines of
  their own; several lines only where they begin with `(?x)`.

What has no sign of a pattern in it, and names such as `re.fullmatch`, count only where nothing else is there. Patterns
are the same if they are but for `^` at the start and `$` at the end, since strings are matched whole. Of several
different ones `pieces.choose` says which are given as the answer; more than one is no answer. Nothing is looked for in
a pattern and nothing about it is mended.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from inoculate.grading.markdown import Candidate, Piece, choose, parse_reply
from inoculate.settings.patterns.python import LONGEST, Found, patterns

_LONGEST_COMPLETION = 200_000
_NO_TEXT = re.compile("[\0\ud800-\udfff]")
_SLASHES = re.compile(r"/(.+)/([a-z]*)", re.DOTALL)
_LETTERS = {"i": re.I, "m": re.M, "s": re.S, "x": re.X, "u": re.U, "g": re.NOFLAG}
_LANGUAGE = re.compile(r"(?:regexp?|re|pcre|python3?|py|text|txt|plaintext)[ \t]+(?=\S)", re.IGNORECASE)
_LABEL = re.compile(
    r"[*_ \t]*(?:(?:the|my|final)\s+)*(?:regular\s+expression|regexp?|pattern|answer|solution)[*_]*"
    r"(?:\s*[:=]|\s+is\b:?)[*_]*[ \t]*(?=\S)",
    re.IGNORECASE,
)
_SIGNS = re.compile(r"[][\\(){}*+?|^$]")
_END = re.compile(r"(?<!\\)(?:\\\\)*\$\Z")
_NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*(?:\((?:\w+(?:, *\w+)*)?\))?")
_SENTENCE = re.compile(r"(?<![\w\[\\])[A-Za-z]+(?:[,;]? [A-Za-z]+){2}(?![\w\]])")
_VERBOSE = re.compile(r"\s*\(\?[a-z]*x[a-z]*\)")


@dataclass(frozen=True)
class Answer:
    """The pattern in a completion."""

    pattern: str = ""
    flags: int = 0
    unreadable: str = ""
    """Why there is none; empty where there is one."""


def read(completion: str) -> Answer:
    """The pattern in a completion, as the module says."""
    if len(completion) > _LONGEST_COMPLETION:
        return Answer(unreadable=f"longer than {_LONGEST_COMPLETION:,} characters")
    if _NO_TEXT.search(completion):
        return Answer(unreadable="not text: it holds NULs or lone surrogates")
    if not completion.strip():
        return Answer(unreadable="empty")
    found = _candidates(completion)
    if not found:
        return Answer(unreadable="empty, several lines, or Python without a pattern")
    chosen = choose([one for one in found if _looks_like_one(one)] or found)
    if len(chosen) > 1:
        return Answer(unreadable=f"{len(chosen)} different patterns")
    pattern, flags = chosen[0]
    return (
        Answer(unreadable=f"longer than {LONGEST:,} characters") if len(pattern) > LONGEST else Answer(pattern, flags)
    )


def _candidates(completion: str) -> list[Candidate[Found]]:
    reply = parse_reply(completion)
    if reply.blocks:
        return [one for block in reply.blocks for one in _of_piece(block, block.text.strip() or block.info or "")]
    found = [one for span in reply.spans for one in _of_piece(span, _without_language(span))]
    lines = reply.rest.strip().splitlines()
    if any(map(_looks_like_one, found)) or (found and len(lines) == 1):
        return found
    whole = Piece(reply.rest, "", info="")
    outside = list(_of_piece(whole, reply.rest))
    if not outside:
        lines = [line for line in lines if _SIGNS.search(line) and not _SENTENCE.search(line)]
        outside = [one for line in lines for one in _of_piece(whole, line)]
    return outside or found


def _without_language(span: Piece) -> str:
    """A span without the name of a language, which one of three backquotes can have like a block."""
    language = _LANGUAGE.match(span.text) if len(span.fence) > 2 else None
    return span.text[language.end() :] if language else span.text


def _of_piece(piece: Piece, text: str) -> Iterator[Candidate[Found]]:
    """What a piece of text could mean as a pattern."""
    for found in _patterns(text):
        bare = found.pattern.removeprefix("^")
        bare = bare[:-1] if _END.search(bare) else bare
        yield Candidate(found, piece, bare if not found.flags else f"(?{int(found.flags)}){bare}")


def _patterns(text: str) -> Iterable[Found]:
    if len(text) > 4 * LONGEST:
        return [Found(text)]  # too long, and said to be
    found = patterns(text.strip())
    if found is not None:
        return found
    if _VERBOSE.match(text):
        return [Found(text.strip())]
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > 1:
        lines = [line for line in lines if not line.startswith("# ")]
    return [_line(lines[0])] if len(lines) == 1 else []


def _line(text: str) -> Found:
    label = _LABEL.match(text)
    if label:
        text = text[label.end() :]
        text = text[:-1] if text.endswith("$.") else text  # the end of a sentence: no sign can follow a line's end
        found = patterns(text)
        if found and len(found) == 1:
            return found[0]
    slashes = _SLASHES.fullmatch(text)
    if slashes and set(slashes.group(2)) <= set(_LETTERS):
        flags = 0
        for letter in slashes.group(2):
            flags |= _LETTERS[letter]
        return Found(slashes.group(1), flags)
    return Found(text)


def _looks_like_one(candidate: Candidate[Found]) -> bool:
    """Whether there is a sign of a pattern in it, and it is no name."""
    pattern = candidate.answer.pattern
    return _SIGNS.search(pattern) is not None and not _NAME.fullmatch(pattern)
