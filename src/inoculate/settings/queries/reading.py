"""How a completion of the `queries` setting is read: which part of what a model wrote is the query.

A query is searched for in the fenced blocks; where none of them has one, in code spans and in the lines outside of
blocks. A query is a statement that begins with SELECT, WITH or VALUES and that SQLite can parse, so a sentence that
begins with such a word is not one. Outside of blocks it begins a line or follows a colon. It ends at its semicolon, or
with the last line with which SQLite can still parse it, and continues after a blank line only where the next line
begins with an SQL keyword. Queries that differ only in case, spaces, comments and semicolon are the same. Of several
different ones, `markdown.choose` decides which are meant as the answer; more than one is no answer. Where there is no
query, the first block or span or the whole text is taken for one, and SQLite decides what it is.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from inoculate.grading.markdown import Candidate, Piece, Reply, choose, parse_reply
from inoculate.grading.thinking import spoken

LONGEST = 20_000
"""Characters of a query; the longest honest ones have 300."""
_LONGEST_COMPLETION = 200_000
_MAX_PARSES = 2_000
"""How often SQLite parses parts of one reply; a reply with more possible starts and ends is not read."""

_NOT_TEXT = re.compile("[\0\ud800-\udfff]")
_TOKEN = re.compile(
    r"(?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))|(?P<space>\s+)"
    r"|(?P<quoted>'(?:[^']|'')*'?|\"[^\"]*\"?|`[^`]*`?|\[[^\]]*\]?)|\w+|.",
    re.DOTALL,
)
_QUERY = re.compile(r"(?:\s|--[^\n]*(?:\n|\Z)|/\*.*?\*/|\()*(?:select|with|values)\b", re.IGNORECASE | re.DOTALL)
_STATEMENT_START = re.compile(
    r"(?:^[ \t>*+\-]*(?:\d+[.)][ \t]*)?|[:;][ \t*]*)(?P<word>select|with|values|insert|update|delete|replace|create|"
    r"drop|alter|pragma|attach|begin|commit|vacuum)\b",
    re.MULTILINE | re.IGNORECASE,
)
_COMMENT = re.compile(r"^[ \t]*--[^\n]*|/\*.*?(?:\*/|\Z)", re.MULTILINE | re.DOTALL)
_LANGUAGE = re.compile(r"\s*(?:sql|sqlite|sqlite3)\b(?!\s*[(.=])", re.IGNORECASE)
_STOP = re.compile(r"[;\n]")
_CONTINUES = re.compile(
    r"\n[ \t]+\S|\s*(?:[,()]|(?:select|from|where|group|order|having|limit|offset|union|except|intersect|window|values|"
    r"join|left|right|full|inner|outer|cross|natural|on|using|and|or|not|as|case|when|then|else|end)\b)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Answer:
    """The query in a completion."""

    query: str = ""
    unreadable: str = ""
    """Why there is none; empty where there is one."""


class _TooManyParses(Exception):
    """SQLite would have to parse too many parts of a reply."""


def read(completion: str) -> Answer:
    """The query in a completion, by the rules of this module."""
    if len(completion) > _LONGEST_COMPLETION:
        return Answer(unreadable=f"longer than {_LONGEST_COMPLETION:,} characters")
    if _NOT_TEXT.search(completion):
        return Answer(unreadable="not text: it holds NULs or lone surrogates")
    try:
        queries = _Finder().queries(parse_reply(spoken(completion)))
    except _TooManyParses:
        return Answer(unreadable=f"more than {_MAX_PARSES:,} places where a query could begin or end")
    if len(queries) > 1:
        return Answer(unreadable=f"{len(queries)} different queries")
    query = queries[0].strip()
    if not query:
        return Answer(unreadable="empty")
    if len(query) > LONGEST:
        return Answer(unreadable=f"longer than {LONGEST:,} characters")
    return Answer(query)


def _tokens(text: str, at: int = 0) -> Iterator[re.Match[str]]:
    return _TOKEN.finditer(text, at)


def _normalized(query: str) -> str:
    """A query in lower case, without comments, spaces and the semicolon at its end, for comparison."""
    tokens = [
        token.group() if token["quoted"] else token.group().lower()
        for token in _tokens(query)
        if not token["comment"] and not token["space"]
    ]
    while tokens and tokens[-1] == ";":
        tokens.pop()
    return " ".join(tokens)


class _Finder:
    """Finds the queries of one reply."""

    def __init__(self) -> None:
        self._parses_left = _MAX_PARSES
        self._sqlite = sqlite3.connect(":memory:")
        self._sqlite.set_authorizer(lambda *_: sqlite3.SQLITE_DENY)  # statements are parsed, but cannot run

    def queries(self, reply: Reply) -> list[str]:
        """The answer, or several where it is not clear which is meant."""
        candidates = [candidate for block in reply.blocks for candidate in self._of_block(block)]
        attempted = [block.text for block in reply.blocks if _QUERY.match(block.text)]
        if not candidates and not attempted:
            candidates = [candidate for span in reply.spans for candidate in self._of_span(span)]
            for query, before in self._queries_in_lines(reply.rest):
                candidates.append(Candidate(query, Piece(query, before, info=""), _normalized(query)))
        if candidates:
            return choose(candidates)
        pieces = attempted or [piece.text for piece in (*reply.blocks, *reply.spans)]
        return pieces[:1] or [reply.rest]

    def _of_block(self, block: Piece) -> list[Candidate[str]]:
        """The queries of a block; the first may begin on the line of the opening fence."""
        info = block.info or ""
        for text in (block.text, f"{info.partition(' ')[2]}\n{block.text}", f"{info}\n{block.text}"):
            queries = self._queries_in(text)
            if queries:
                return [Candidate(query, block, _normalized(query)) for query in queries]
        return []

    def _of_span(self, span: Piece) -> list[Candidate[str]]:
        return [Candidate(query, span, _normalized(query)) for query in self._queries_in(span.text)]

    def _queries_in(self, text: str) -> list[str]:
        """The whole text if it consists of queries only, else the queries in it."""
        language = _LANGUAGE.match(text)
        text = text[language.end() :] if language else text
        statements = _statements(text)
        if statements and all(_QUERY.match(text) and self._parse(text) == "query" for text in statements):
            return statements[:1] if len(set(map(_normalized, statements))) == 1 else [text]
        return [query for query, _ in self._queries_in_lines(text)]

    def _queries_in_lines(self, text: str) -> Iterator[tuple[str, str]]:
        """The queries in lines of text, each with the text before it.

        Statements that follow each other directly are one answer, also those that would change something.
        """
        bare = _COMMENT.sub(lambda comment: re.sub(r"\S", " ", comment[0]), text)
        at, runs = 0, [(0, 0, False)]
        while beginning := _STATEMENT_START.search(bare, at):
            word = beginning.start("word")
            stop = self._find_end(text, word)
            at = stop - (bare[stop - 1] == ";") if stop else beginning.end()
            start, end, has_query = runs[-1]
            is_query = _QUERY.match(text, word) is not None
            if stop and not bare[end:word].strip():
                runs[-1] = (start if end else word, stop, has_query or is_query)
            elif stop:
                runs.append((word, stop, is_query))
        for start, end, has_query in runs:
            if has_query:
                yield text[start:end], text[:start].rstrip()[-80:]

    def _find_end(self, text: str, start: int) -> int | None:
        """Where the query that begins here ends; None where there is no query."""
        best = None
        for end in _possible_ends(text, start):
            kind = self._parse(text[start:end])
            if kind == "query":
                best = end
            if kind == "none":
                stripped = text[start:end].rstrip(" \t.:*")
                return best or (start + len(stripped) if self._parse(stripped) == "query" else None)
            if best and (sqlite3.complete_statement(text[start:end]) or not _CONTINUES.match(text, end)):
                break
        return best

    def _parse(self, text: str) -> Literal["query", "incomplete", "none"]:
        """Whether a text is a whole statement, the beginning of one, or neither, by SQLite's parser."""
        self._parses_left -= 1
        if self._parses_left < 0:
            raise _TooManyParses
        try:
            self._sqlite.execute(text)
        except sqlite3.Error as error:
            if "incomplete input" in str(error) or "unrecognized token" in str(error):
                return "incomplete"
            return "none" if "syntax error" in str(error) else "query"
        except sqlite3.Warning:  # Python 3.11 and older: more than one statement
            return "query"
        return "none"  # nothing but comments


def _possible_ends(text: str, start: int) -> Iterator[int]:
    """Where a query that begins at `start` could end: after each line, up to its semicolon."""
    for match in _STOP.finditer(text, start, start + LONGEST):
        end = match.end() if match.group() == ";" else match.start()
        if match.group() != ";":
            yield end
        elif sqlite3.complete_statement(text[start:end]):
            yield end
            return
    yield min(len(text), start + LONGEST + 1)


def _statements(text: str) -> list[str]:
    """A text split at its semicolons, without parts that are only spaces and comments."""
    statements, start = [], 0
    for end in [*(token.end() for token in _tokens(text) if token.group() == ";"), len(text)]:
        if _normalized(text[start:end]):
            statements.append(text[start:end].strip())
        start = end
    return statements
