"""The language of a reply, by its script and its most common words."""

from __future__ import annotations

import re

from inoculate.grading import prose

_COMMON = {
    "English": "the is are and of to it you that with for this can has was its from by which have be as they",
    "French": "le la les est et des une un du dans pour qui elle il que sur avec ce cette sont au aux ne pas nous vous "
    "je plus en de se on par ou mais très",
    "Spanish": "el la los las es y de en una un con por para que se del su al son más muy este esta como está ser o "
    "pero no lo también",
    "German": "der die das und ist ein eine mit von im den dem sich auf für sie wird nicht auch zu sind am als man "
    "aus einem einer oder aber sehr des ich",
}
_COMMON_WORDS = {language: frozenset(words.split()) for language, words in _COMMON.items()}
LANGUAGES = ("French", "Spanish", "German", "Chinese")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_KANA = re.compile(r"[\u3040-\u30ff]")
_LETTER = re.compile(r"[^\W\d_]")
_ELISION = re.compile(r"\b[ldjnsqmc]['\u2019]|\bqu['\u2019]")


def is_in_language(text: str, language: str) -> bool:
    """Whether a text is in a language (one of `LANGUAGES`), and not partly in English.

    Chinese: most letters are Han characters, and none is kana. The others: at least two words are among the most
    common ones of the language, and more than of any other language; for every four of them there may be one of
    English, for a name or a title.
    """
    if language == "Chinese":
        letters = len(_LETTER.findall(text))
        return len(_HAN.findall(text)) * 2 > letters > 0 and not _KANA.search(text)
    if language == "French":
        text = _ELISION.sub("le ", text.casefold())
    words = prose.words(text)
    counts = {name: sum(word in common for word in words) for name, common in _COMMON_WORDS.items()}
    count = counts.pop(language)
    return count >= 2 and count > max(counts.values()) and counts["English"] * 4 <= count
