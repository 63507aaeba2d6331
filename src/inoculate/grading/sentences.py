"""The sentences of a text: sentencex (Wikimedia's segmenter, with abbreviations of each language), line by line.

docs/settings.md has the figures; `benchmarks/text.py` compares it with other libraries.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from inoculate.grading import languages, prose

_LIST_MARK = re.compile(r"(?:[-*•]|\d{1,3}[.)]|[a-z]\))\s+")
_ENDED = re.compile(r"[.!?:\u3002\uff01\uff1f…][\"'\u201d\u2019)*_]*$")
_QUOTED = re.compile(r"[\"\u201c]([^\"\u201c\u201d]*)[\"\u201d]")
_MISSED_END = re.compile(
    r"(?<=\.\.)\s+(?=[A-Z])|(?<=…)\s+(?=[A-Z])|(?<=[!?][!?])\s+(?=\w)"  # Wait... What?! No!
    r"|(?<=[.!?]\))\s+(?=[A-Z])"  # It rained. (It always does.) We stayed in.
    r"|(?<=[/\d][^\W\d_]\.)\s+(?=[A-Z])|(?<=\d\s[^\W\d_]\.)\s+(?=[A-Z])"  # It is 5 m. The speed is 50 km/h. Go.
)
_SMALL_WORD = re.compile(
    r"(?<![\w.])(?!(?:aka|al|approx|ca|cf|eqs?|esp|ext|figs?|incl|nr|pp|resp|sect?|viz|vol|vs)\.)"
    r"((?:[^\W\d_A-Z]{2,}|May)\.)\s+(?=[A-Z])"
)
"""Ends that sentencex misses: it takes the words 'me.', 'ill.' and 'art.' for the abbreviations Me., Ill. and Art.

Not in German, where nouns have capitals ('ca. Drei Wochen').
"""
_NUMBER_MARK = re.compile(r"\d{1,2}[.)]")
_BEFORE_NAME = re.compile(r"\b(?:Amb|Atty|Cmdr|Hon|Ms|Mx|Sgt)\.$")
_BEFORE_NUMBER = re.compile(
    r"\b(?:app|approx|apt|ca|ch|chap|eqs?|exs?|ext|figs?|max|min|nr|pp?|rm|sect?|tab|tel|vers?|vol)\.$", re.IGNORECASE
)
"""Abbreviations that sentencex takes for the end of a sentence."""
_INITIAL = re.compile(r"-[A-Z]\.")
"""J.-C. Martin."""
_TITLES = {
    "fr": re.compile(r"(?<![\w.])(?:MM?|Mmes?|Mlles?|Mgr|Me|Dr|Drs|Pr|Prof|Ste?|av|bd|[A-Z]\. ?-[A-Z])\.$"),
    "es": re.compile(r"(?<![\w.])(?:D\u00f1a|Mons)\.$"),
    "nl": re.compile(r"(?<![\w.])(?:Mevr|Mw)\.$"),
}
"""Titles and the like before a name, by language: of other languages it knows most, of French none."""
_SPEECH = re.compile(r"[!?][\"\u201d\u2019']$")
_SPEAKER = re.compile(
    r"(?:I|[A-Z]\w+)(?: [A-Z]\w+)? (?:added|answered|asked|begged|called|cried|exclaimed|gasped|joked|laughed|muttered|"
    r"repeated|replied|said|screamed|shouted|sighed|smiled|thought|warned|whispered|wondered|yelled)\b"
)
"""'What a day!' Tom sighed."""


def split_sentences(text: str) -> list[str]:
    """The sentences of a text, in order; pieces without a letter or digit are none.

    A sentence also ends at the end of its line, except that a line without an end mark goes on in one that begins with
    a small letter. A text that is quoted as a whole is read without its quotation marks.
    """
    text = prose.untagged(text).encode(errors="replace").decode().strip()
    if quoted := _QUOTED.fullmatch(text):
        text = quoted[1]
    capitals = next((letter.isupper() for letter in text if letter.islower() or letter.isupper()), True)
    code = languages.LANGUAGES.get(languages.detect(text).language, "en")
    pieces = [piece for line in _lines(text, capitals) for piece in _split_line(line, code, capitals)]
    return [piece for piece in pieces if any(map(str.isalnum, piece))]


def _lines(text: str, capitals: bool) -> Iterator[str]:
    """The lines, together with those that go on in the next one. Where a text has no capitals, no line goes on."""
    joined = ""
    for line in map(str.strip, text.splitlines()):
        goes_on = capitals and joined and line[:1].islower() and not _LIST_MARK.match(line)
        if goes_on and not _ENDED.search(joined):
            joined = f"{joined} {line}"
        else:
            yield joined
            joined = line
    yield joined


def _split_line(line: str, code: str, capitals: bool) -> list[str]:
    from sentencex import segment  # pyright: ignore[reportAttributeAccessIssue] (compiled, without types)

    mark = _LIST_MARK.match(line)
    start = mark.end() if mark else 0
    pieces: list[str] = []
    for piece in (part.strip() for found in segment(code, line[start:]) for part in _split_missed(found, code)):
        if pieces and _goes_on(pieces[-1], piece, capitals, code):
            pieces[-1] = f"{pieces[-1]} {piece}"
        else:
            pieces.append(piece)
    return [line[:start] + pieces[0], *pieces[1:]] if pieces else []


def _split_missed(sentence: str, code: str) -> list[str]:
    """What sentencex takes for one sentence, split where another one begins, unless that is in quotation marks."""
    if code != "de" and not any(mark in sentence for mark in '"\u201c'):
        sentence = _SMALL_WORD.sub(r"\1\n", sentence)
    return [part for piece in sentence.split("\n") for part in _MISSED_END.split(piece)]


def _goes_on(sentence: str, piece: str, capitals: bool, code: str) -> bool:
    """Whether a piece belongs to the sentence before it."""
    begins = piece.lstrip("\u2014\u2013- ")[:1]
    return bool(
        (capitals and begins.islower())
        or _NUMBER_MARK.fullmatch(sentence)
        or (begins.isdigit() and _BEFORE_NUMBER.search(sentence))
        or _INITIAL.match(piece)
        or _BEFORE_NAME.search(sentence)
        or (code in _TITLES and _TITLES[code].search(sentence))
        or (_SPEECH.search(sentence) and _SPEAKER.match(piece))
    )
