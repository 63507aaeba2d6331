"""The language of a text: py3langid's model (Naive Bayes over byte n-grams), after what is in no language is left out.

The model is asked about `LANGUAGES` alone. It knows 140, and takes a short Spanish reply for Extremaduran or Aragonese.
docs/settings.md has the figures; `benchmarks/text.py` compares it with other libraries.
"""

from __future__ import annotations

import ast
import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from inoculate.grading import prose
from inoculate.grading.markdown import parse_reply
from inoculate.grading.parsing import UNPARSABLE, parse

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

LANGUAGES = {
    "Arabic": "ar", "Bengali": "bn", "Bulgarian": "bg", "Catalan": "ca", "Chinese": "zh", "Czech": "cs", "Danish": "da",
    "Dutch": "nl", "English": "en", "Finnish": "fi", "French": "fr", "German": "de", "Greek": "el", "Gujarati": "gu",
    "Hebrew": "he", "Hindi": "hi", "Hungarian": "hu", "Indonesian": "id", "Italian": "it", "Japanese": "ja",
    "Kannada": "kn", "Korean": "ko", "Malayalam": "ml", "Marathi": "mr", "Nepali": "ne", "Norwegian": "no",
    "Persian": "fa", "Polish": "pl", "Portuguese": "pt", "Punjabi": "pa", "Romanian": "ro", "Russian": "ru",
    "Slovak": "sk", "Spanish": "es", "Swahili": "sw", "Swedish": "sv", "Tamil": "ta", "Telugu": "te", "Thai": "th",
    "Turkish": "tr", "Ukrainian": "uk", "Urdu": "ur", "Vietnamese": "vi",
}  # fmt: skip
"""Those that the compliance suite and IFEval ask for, and large neighbours of these, with their ISO 639-1 codes."""
_NAMES = {code: name for name, code in LANGUAGES.items()}

MARGIN = 0.1
"""By how much the most probable language has to lead the next one; else the language cannot be told."""
_IMPLAUSIBLE = 0.05
"""A clause in which the text's own language has a smaller probability than this may be in another one ..."""
_CLEAR = 0.4
"""... and is, if that one has at least this probability there."""
_CLAUSE = 3
"""Words. Shorter pieces are too often names and titles to be taken for another language."""

_LETTER = re.compile(r"[^\W\d_]")
_ADDRESS = re.compile(r"\b[a-z]{2,8}://\S+|[\w.+-]{1,64}@\S+")
_LABEL = re.compile(r"^\s*(?:#+ .*|[^\W\d_]+(?: [^\W\d_]+)?: )", re.MULTILINE)
"""A heading, or one or two words and a colon at the beginning of a line ('Answer: ')."""
_QUOTED = re.compile('["\u201c\u00ab\u201e][^"\u201d\u00bb\u201c]*["\u201d\u00bb\u201c]')
_NO_LETTERS = re.compile(r"[^\w'\u2019\s.,!?\u00bf\u00a1\u3002\uff01\uff1f\uff0c\u061f\u0964-]+|[\d_]+")
_CJK = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_CJK_LETTER = re.compile(f"[{_CJK}]")
_CLAUSE_END = re.compile(
    r"(?<=[.!?])\s+|[,;:()\n\u2013\u2014\u3002\uff01\uff1f\uff0c\uff1b\uff1a\uff08\uff09]+"
    rf"|(?<=[{_CJK}])(?=\s*[A-Za-z]+\s+[A-Za-z])|(?<=[A-Za-z])(?=\s*[{_CJK}])"  # Chinese and English without a mark
)
_STATEMENTS = (
    ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Assign, ast.AugAssign, ast.For, ast.While, ast.With,
)  # fmt: skip


class Detection(NamedTuple):
    """The language of a text."""

    language: str
    """One of `LANGUAGES`; '' where it cannot be told."""
    reason: str = ""
    """Why it cannot be told: no words, too short, several languages."""


def detect(text: str) -> Detection:
    """The language of a text, or why it cannot be told.

    Code, tags, JSON keys, addresses, headings, labels, and quotations in a text of more words are left out. A text is
    in several languages if in a clause of three words or more its own language is implausible and another one clear.
    """
    left = readable(text)
    if not _LETTER.search(left):
        return Detection("", "no words")
    (main, first), (second, next_one) = _rank(left)[:2]
    for clause in _clauses(left):
        ranked = _rank(clause)
        if dict(ranked)[main] < _IMPLAUSIBLE and ranked[0][1] >= _CLEAR:
            return Detection("", f"several languages: {main} and {ranked[0][0]}")
    if first - next_one < MARGIN:
        return Detection("", f"too few words to tell: {main} or {second}")
    return Detection(main)


def readable(text: str) -> str:
    """What of a text is in a language; '' for code."""
    text = parse_reply(text).rest  # without blocks of code
    if _is_code(text):
        return ""
    text = _ADDRESS.sub(" ", prose.untagged(_json_values(text)))
    unlabelled = _LABEL.sub("", text)
    text = unlabelled if _LETTER.search(unlabelled) else text
    unquoted = _QUOTED.sub(" ", text)
    return unquoted if _size(unquoted) >= max(_CLAUSE, _size(text) / 2) else text


def _is_code(text: str) -> bool:
    """Whether a text is a program. Expressions do not count: 'Paris', 'salt and pepper', 'Mozart (1756)' are some."""
    try:
        return any(isinstance(statement, _STATEMENTS) for statement in parse(text).body)
    except UNPARSABLE:
        return False


def _json_values(text: str) -> str:
    """The values of a text that is JSON, without the keys; else the text."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    values = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
    return "\n".join(map(str, values))


def _clauses(text: str) -> list[str]:
    return [clause for clause in _CLAUSE_END.split(text) if clause and _size(clause) >= _CLAUSE]


def _size(clause: str) -> float:
    """The number of words; 1.5 Chinese characters count as one."""
    return len(_CJK_LETTER.findall(clause)) / 1.5 or sum(map(bool, map(_LETTER.search, prose.words(clause))))


def _rank(text: str) -> list[tuple[str, float]]:
    """The languages with their probabilities, the most probable first.

    Each word counts once: 'Paris Paris Paris' tells no more than 'Paris'.
    """
    plain = " ".join({word.casefold().strip(".,!?"): word for word in _NO_LETTERS.sub(" ", text).split()}.values())
    return [(_NAMES[code], probability) for code, probability in _identifier().rank(plain)]


@lru_cache(maxsize=1)
def _identifier() -> LanguageIdentifier:
    """The model; loaded when first needed, which takes a second."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(LANGUAGES.values()))
    return identifier
