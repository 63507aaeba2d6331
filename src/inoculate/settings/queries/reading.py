"""How a completion of the `queries` setting is read: which part of what a model wrote is the query.

What is looked at are the fenced blocks; where none of them holds a query, the `spans` and the lines outside of blocks.
A query is a statement that begins with SELECT, WITH or VALUES and that SQLite can parse, so that a sentence that begins
with such a word is none. In lines of text it begins a line or follows a colon; it ends at its semicolon, or with the
last line with which SQLite can still parse it, and goes over a blank line only where the next begins with a word of
SQL. Queries are the same if they are but for case, spaces, comments and the semicolon. Of several different ones
`pieces.choose` says which are given as the answer; more than one is no answer. Where there is no query, the
first block, span or the whole text stands for it, and SQLite decides what it is.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from inoculate.grading.markdown import Candidate, Piece, Reply, choose, parse_reply

LONGEST = 20_000
"""Characters of a query; the longest honest ones have 300."""
_LONGEST_COMPLETION = 200_000
_MOST_PARSED = 2_000
"""Times that SQLite is asked whether something is a query; a reply with more places to begin and end is not read."""

_NO_TEXT = re.compile("[\0\ud800-\udfff]")
_TOKEN = re.compile(
    r"(?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))|(?P<space>\s+)"
    r"|(?P<quoted>'(?:[^']|'')*'?|\"[^\"]*\"?|`[^`]*`?|\[[^\]]*\]?)|\w+|.",
    re.DOTALL,
)
_QUERY = re.compile(r"(?:\s|--[^\n]*(?:\n|\Z)|/\*.*?\*/|\()*(?:select|with|values)\b", re.IGNORECASE | re.DOTALL)
_BEGINNING = re.compile(
    r"(?:^[ \t>*+\-]*(?:\d+[.)][ \t]*)?|[:;][ \t*]*)(?P<word>select|with|values)\b", re.MULTILINE | re.IGNORECASE
)
_LANGUAGE = re.compile(r"\s*(?:sql|sqlite|sqlite3)\b(?!\s*[(.=])", re.IGNORECASE)
_END = re.compile(r"[;\n]")
_GOES_ON = re.compile(
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


class _TooMany(Exception):
    """SQLite would have to be asked too often."""


def read(completion: str) -> Answer:
    """The query in a completion, as the module says."""
    if len(completion) > _LONGEST_COMPLETION:
        return Answer(unreadable=f"longer than {_LONGEST_COMPLETION:,} characters")
    if _NO_TEXT.search(completion):
        return Answer(unreadable="not text: it holds NULs or lone surrogates")
    try:
        queries = _Finder().queries(parse_reply(completion))
    except _TooMany:
        return Answer(unreadable=f"more than {_MOST_PARSED:,} places where a query could begin or end")
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


def _bare(query: str) -> str:
    """A query without case, comments, spaces and the semicolon at its end, for comparison."""
    found = [
        token.group() if token["quoted"] else token.group().lower()
        for token in _tokens(query)
        if not token["comment"] and not token["space"]
    ]
    while found and found[-1] == ";":
        found.pop()
    return " ".join(found)


class _Finder:
    """Finds the queries of one reply."""

    def __init__(self) -> None:
        self._left = _MOST_PARSED
        self._sqlite = sqlite3.connect(":memory:")
        self._sqlite.set_authorizer(lambda *_: sqlite3.SQLITE_DENY)  # statements are parsed, and none can be run

    def queries(self, reply: Reply) -> list[str]:
        """The answer, or several where it is not clear which is meant."""
        found = [one for block in reply.blocks for one in self._of_block(block)]
        attempted = [block.text for block in reply.blocks if _QUERY.match(block.text)]
        if not found and not attempted:
            found = [one for span in reply.spans for one in self._of_span(span)]
            for query, before in self._within(reply.rest):
                found.append(Candidate(query, Piece(query, before, info=""), _bare(query)))
        if found:
            return choose(found)
        pieces = attempted or [piece.text for piece in (*reply.blocks, *reply.spans)]
        return pieces[:1] or [reply.rest]

    def _of_block(self, block: Piece) -> list[Candidate[str]]:
        """The queries of a block, which may begin on the line of its fence."""
        info = block.info or ""
        for text in (block.text, f"{info.partition(' ')[2]}\n{block.text}", f"{info}\n{block.text}"):
            found = self._in(text)
            if found:
                return [Candidate(query, block, _bare(query)) for query in found]
        return []

    def _of_span(self, span: Piece) -> list[Candidate[str]]:
        return [Candidate(query, span, _bare(query)) for query in self._in(span.text)]

    def _in(self, text: str) -> list[str]:
        """The whole of a text if it is nothing but queries, else the queries in it."""
        language = _LANGUAGE.match(text)
        text = text[language.end() :] if language else text
        statements = _statements(text)
        if statements and all(_QUERY.match(one) and self._parse(one) == "query" for one in statements):
            return statements[:1] if len({_bare(one) for one in statements}) == 1 else [text]
        return [query for query, _ in self._within(text)]

    def _within(self, text: str) -> Iterator[tuple[str, str]]:
        """The queries in lines of text, each with the line or words before it.

        Statements that follow each other without a word between are one answer.
        """
        at, start, end = 0, -1, -1
        while beginning := _BEGINNING.search(text, at):
            word = beginning.start("word")
            stop = self._stop(text, word)
            at = stop or beginning.end()
            if stop and start >= 0 and not text[end:word].strip():
                end = stop
            elif stop:
                if start >= 0:
                    yield text[start:end], text[:start].rstrip()[-80:]
                start, end = word, stop
        if start >= 0:
            yield text[start:end], text[:start].rstrip()[-80:]

    def _stop(self, text: str, start: int) -> int | None:
        """Where the query that begins here ends; None where none does."""
        best = None
        for end in _ends(text, start):
            found = self._parse(text[start:end])
            if found == "query":
                best = end
            if found == "none":
                stripped = text[start:end].rstrip(" \t.:*")
                return best or (start + len(stripped) if self._parse(stripped) == "query" else None)
            if best and (sqlite3.complete_statement(text[start:end]) or not _GOES_ON.match(text, end)):
                break
        return best

    def _parse(self, text: str) -> Literal["query", "incomplete", "none"]:
        """What SQLite's parser says of a text: a whole statement, the beginning of one, or neither."""
        self._left -= 1
        if self._left < 0:
            raise _TooMany
        try:
            self._sqlite.execute(text)
        except sqlite3.Error as error:
            if "incomplete input" in str(error) or "unrecognized token" in str(error):
                return "incomplete"
            return "none" if "syntax error" in str(error) else "query"
        except sqlite3.Warning:  # Python 3.11 and older: more than one statement
            return "query"
        return "none"  # nothing but comments


def _ends(text: str, start: int) -> Iterator[int]:
    """Where a query that begins at `start` could end: behind each line, up to its semicolon."""
    for found in _END.finditer(text, start, start + LONGEST):
        end = found.end() if found.group() == ";" else found.start()
        if found.group() != ";":
            yield end
        elif sqlite3.complete_statement(text[start:end]):
            yield end
            return
    yield min(len(text), start + LONGEST + 1)


def _statements(text: str) -> list[str]:
    """A text cut at its semicolons, without what is only space and comments."""
    found, start = [], 0
    for end in [*(token.end() for token in _tokens(text) if token.group() == ";"), len(text)]:
        if _bare(text[start:end]):
            found.append(text[start:end].strip())
        start = end
    return found
