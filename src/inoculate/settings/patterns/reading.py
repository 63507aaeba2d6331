"""How a completion of the `patterns` setting is read: which part of what a model wrote is the pattern.

A pattern is searched for in the fenced blocks; without a block that can be a pattern, in code spans; without these, in
the whole text if it is one line or Python, else in those of its lines that look like a pattern and not like a sentence.
In such a text it is:

- in Python source with a string: the pattern that it uses (`python_source.find_patterns`), with its flags;
- in one line with slashes (`/.../`, or `/.../im` with flags among i, m, s, x, u, g): what is between the slashes;
- in any other single line: the line itself, without surrounding space, a label (`Pattern:`) and comments on lines of
  their own; several lines only where they begin with `(?x)`.

Text without any special character of patterns, and names such as `re.fullmatch`, count only where there is nothing
else. Patterns that differ only in `^` at the start and `$` at the end are the same, since whole strings are matched. Of
several different ones, `markdown.choose` decides which are meant as the answer; more than one is no answer. A pattern
is never repaired.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from inoculate.grading.markdown import Candidate, Piece, choose, parse_reply
from inoculate.grading.thinking import spoken
from inoculate.settings.patterns.python_source import LONGEST, FlaggedPattern, find_patterns
from inoculate.settings.reply_lines import split_lines

_LONGEST_COMPLETION = 200_000
_NOT_TEXT = re.compile("[\0\ud800-\udfff]")
_SLASHES = re.compile(r"/(.+)/([a-z]*)", re.DOTALL)
_FLAG_LETTERS = {"i": re.I, "m": re.M, "s": re.S, "x": re.X, "u": re.U, "g": re.NOFLAG}
_LANGUAGE = re.compile(r"(?:regexp?|re|pcre|python3?|py|text|txt|plaintext)[ \t]+(?=\S)", re.IGNORECASE)
_LABEL = re.compile(
    r"[*_ \t]*(?:(?:the|my|final|const|let|var)\s+)*(?:regular\s+expression|regexp?|re|pattern|answer|solution)[*_]*"
    r"(?:\s*[:=]|\s+is\b:?)[*_]*[ \t]*(?=\S)",
    re.IGNORECASE,
)
_WRAPPED = re.compile(
    r"<(?P<tag>code|pre|pattern|regexp?|answer)>\s*(?P<in_tag>.+?)\s*</(?P=tag)>|\\boxed\{(?P<in_box>.+)\}"
    r"|[\u201c\u00ab](?P<in_quotes>[^\u201c\u201d\u00ab\u00bb]+)[\u201d\u00bb]",
    re.DOTALL,
)
"""What stands around a whole pattern and is none of it."""
_OWN = re.compile(r"(?:regexp?|re|pcre\d?|py\w*|te?xt|plain\w*|md|markdown|none)?", re.IGNORECASE)
"""The info string of a block that holds a pattern or Python; others name another language."""
_CODE = re.compile(r"[\"'`;/]|=~")
"""Signs of code in another language, whose quotes and slashes are no part of a pattern."""
_PROMPT = re.compile(r"^(?:>>>|\.\.\.) ", re.MULTILINE)
"""Python's own, in what was typed into it."""
_SIGNS = re.compile(r"[][\\(){}*+?|^$]")
_TRAILING_DOLLAR = re.compile(r"(?<!\\)(?:\\\\)*\$\Z")
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
    """The pattern in a completion, by the rules of this module."""
    if len(completion) > _LONGEST_COMPLETION:
        return Answer(unreadable=f"longer than {_LONGEST_COMPLETION:,} characters")
    if _NOT_TEXT.search(completion):
        return Answer(unreadable="not text: it holds NULs or lone surrogates")
    completion = spoken(completion)
    if not completion.strip():
        return Answer(unreadable="empty")
    candidates = _candidates(completion)
    if not candidates:
        return Answer(unreadable="empty, several lines, or Python without a pattern")
    chosen = choose([candidate for candidate in candidates if _looks_like_pattern(candidate)] or candidates)
    if len(chosen) > 1:
        return Answer(unreadable=f"{len(chosen)} different patterns")
    pattern, flags = chosen[0]
    return (
        Answer(unreadable=f"longer than {LONGEST:,} characters") if len(pattern) > LONGEST else Answer(pattern, flags)
    )


def _candidates(completion: str) -> list[Candidate[FlaggedPattern]]:
    reply = parse_reply(completion)
    if reply.blocks:
        texts = ((block, block.text.strip() or block.info or "") for block in reply.blocks)
        return [candidate for block, text in texts for candidate in _piece_candidates(block, text)]
    candidates = [candidate for span in reply.spans for candidate in _piece_candidates(span, _without_language(span))]
    lines = split_lines(reply.rest.strip())
    if any(map(_looks_like_pattern, candidates)) or (candidates and len(lines) == 1):
        return candidates
    whole = Piece(reply.rest, "", info="")
    outside = list(_piece_candidates(whole, reply.rest))
    if not outside:
        lines = [line for line in lines if _SIGNS.search(line) and not _SENTENCE.search(line)]
        outside = [candidate for line in lines for candidate in _piece_candidates(whole, line)]
    return outside or candidates


def _without_language(span: Piece) -> str:
    """A span without the name of a language, which a span of three backquotes can have like a block."""
    language = _LANGUAGE.match(span.text) if len(span.fence) > 2 else None
    return span.text[language.end() :] if language else span.text


def _piece_candidates(piece: Piece, text: str) -> Iterator[Candidate[FlaggedPattern]]:
    """The patterns that a piece of text could mean."""
    is_other = piece.info is not None and not _OWN.fullmatch(piece.info.partition(" ")[0])
    for found in _patterns(text):
        if is_other and _CODE.search(found.pattern):
            continue
        bare = found.pattern.removeprefix("^")
        bare = bare[:-1] if _TRAILING_DOLLAR.search(bare) else bare
        yield Candidate(found, piece, bare if not found.flags else f"(?{int(found.flags)}){bare}")


def _patterns(text: str) -> Iterable[FlaggedPattern]:
    if len(text) > 4 * LONGEST:
        return [FlaggedPattern(text)]  # too long, which `read` reports
    wrapped = _WRAPPED.fullmatch(text.strip())
    text = next(filter(None, (wrapped["in_tag"], wrapped["in_box"], wrapped["in_quotes"]))) if wrapped else text
    found = find_patterns(_PROMPT.sub("", text.strip()))
    if found is not None:
        return found
    if _VERBOSE.match(text):
        return [FlaggedPattern(text.strip())]
    lines = [line.strip() for line in split_lines(text) if line.strip()]
    if len(lines) > 1:
        lines = [line for line in lines if not line.startswith("# ")]
    return _parse_line(lines[0]) if len(lines) == 1 else []


def _parse_line(text: str) -> list[FlaggedPattern]:
    label = _LABEL.match(text)
    text = text[label.end() :] if label else text
    if not label:
        return [_parse_pattern(text)]
    text = text.removesuffix(";") if text.startswith("/") else text
    text = text[:-1] if text.endswith("$.") else text  # the full stop of a sentence: nothing can match after `$`
    found = find_patterns(text)
    if found and len(found) == 1:
        return found
    if re.search(r"(?<!\\)\.\Z", text):  # a full stop, or any character
        return [_parse_pattern(text), _parse_pattern(text[:-1])]
    return [_parse_pattern(text)]


def _parse_pattern(text: str) -> FlaggedPattern:
    slashes = _SLASHES.fullmatch(text)
    if slashes and set(slashes.group(2)) <= set(_FLAG_LETTERS):
        flags = 0
        for letter in slashes.group(2):
            flags |= _FLAG_LETTERS[letter]
        return FlaggedPattern(slashes.group(1), flags)
    return FlaggedPattern(text)


def _looks_like_pattern(candidate: Candidate[FlaggedPattern]) -> bool:
    """Whether it has a special character of patterns, and is not a name."""
    pattern = candidate.answer.pattern
    return _SIGNS.search(pattern) is not None and not _NAME.fullmatch(pattern)
