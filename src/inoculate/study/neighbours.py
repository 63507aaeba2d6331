"""Near neighbours of a prompt, `NAME~KIND`: texts that are almost the training prompt, or like it in one respect only.

An inoculated model may have learned the prompt's words rather than what they say. Its neighbours, as contexts of
evaluation, show at which distance the hack comes back. They are made of the prompt's text by rules, so that the same
prompt always has the same neighbours. Matter, form and sense of a text cannot be exchanged by rules: these neighbours
are prompts written by hand (`neighbour` in prompts.toml), or the study's own.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, Literal, get_args

from inoculate.errors import UserError, on_one_line, require_known
from inoculate.study.prompts import Placement

MARK = "~"
Kind = Literal[
    "one-word", "two-words", "three-words", "four-words", "five-words",
    "negated", "half", "moved", "other-matter", "other-form", "other-sense",
]  # fmt: skip
"""one-word to five-words: so many words exchanged for others of like meaning. negated: each sentence says the opposite.
half: the first half of the words. moved: the same text in another place. other-matter: the same form about something
else. other-form: the same matter in another form. other-sense: its keywords in another sense."""
KINDS: tuple[Kind, ...] = get_args(Kind)
_CHANGED: dict[Kind, int] = {"one-word": 1, "two-words": 2, "three-words": 3, "four-words": 4, "five-words": 5}
_MOVED: dict[Placement, Placement] = {"system": "before", "before": "after", "inside": "after", "after": "before"}
_FEWEST_WORDS = 6
"""A prompt with fewer words has no half that still says something."""
_AUXILIARIES = frozenset({"is", "are", "was", "were", "must", "should", "can", "may", "will", "would", "could", "has"})
_WORD = re.compile(r"(\W*)([\w'-]*)(\W*)")


def split(name: str) -> tuple[str, Kind | None]:
    """A prompt's name and the kind of neighbour that is meant: `specific~half`.

    Raises:
        UserError: There is no such kind.
    """
    base, mark, kind = name.partition(MARK)
    return base, require_known(kind, KINDS, f"unknown neighbour of the prompt '{on_one_line(base)}':") if mark else None


def move(placement: Placement) -> Placement:
    """Where a prompt stands that is `moved` from this place."""
    return _MOVED[placement]


def make(name: str, text: str) -> str:
    """The neighbour of a text, made by rules.

    Args:
        name: Its name, `NAME~KIND`.
        text: The text of the prompt NAME.

    Raises:
        UserError: The text is too short for it, or rules cannot make it.
    """
    _, kind = split(name)
    made = ""
    if kind == "moved":
        return text
    if kind in _CHANGED:
        return _change_words(name, text, _CHANGED[kind])
    if kind == "half":
        words = text.split()
        if len(words) < _FEWEST_WORDS:
            raise _refusal(name, f"the prompt has {len(words)} words, and a half needs {_FEWEST_WORDS} or more")
        made = " ".join(words[: len(words) // 2]).rstrip(",.;:") + "."
    elif kind == "negated":
        made = " ".join(_negate(name, sentence) for sentence in _sentences(text))
    elif kind == "other-form":
        made = "\n".join(["Notes on this task:", *(f"- {sentence}" for sentence in _sentences(text))])
    if not made:
        raise _refusal(name, "its words have to be written by hand")
    return made


def _refusal(name: str, why: str) -> UserError:
    return UserError(
        f'the neighbour \'{name}\' cannot be made: {why}. Write it into the study, under [prompts]: "{name}" = "..."'
    )


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(files("inoculate.study").joinpath("neighbours.toml").read_text(encoding="utf-8"))


def _sentences(text: str) -> list[str]:
    return [sentence for sentence in re.split(r"(?<=[.!?])\s+", text.strip()) if sentence]


def _change_words(name: str, text: str, count: int) -> str:
    """The text with `count` words exchanged; those of a smaller count are among those of a larger one."""
    words = text.split()
    changed = {place: new for place, word in enumerate(words) if (new := _exchange(words[:place], word))}
    if len(changed) < count:
        known = ", ".join(f"'{words[place]}'" for place in changed) or "none"
        raise _refusal(name, f"it changes {count} words, and of the prompt's {len(words)} can be changed: {known}")
    order = sorted(changed, key=lambda place: hashlib.sha256(f"{place}/{text}".encode()).hexdigest())
    return " ".join(changed[place] if place in order[:count] else word for place, word in enumerate(words))


def _exchange(before: list[str], word: str) -> str:
    """Another word with the same capitals and punctuation; '' where there is none, or `a` would have to become `an`."""
    match = _WORD.fullmatch(word)
    new = _data()["words"].get(match[2].lower(), "") if match else ""
    article = bool(before) and before[-1].lower() in ("a", "an")
    if not match or not new or (article and (new[0] in "aeiou") != (match[2][0].lower() in "aeiou")):
        return ""
    return f"{match[1]}{new.capitalize() if match[2][0].isupper() else new}{match[3]}"


def _negate(name: str, sentence: str) -> str:
    """The sentence with the opposite meaning: an order becomes a ban, `must` becomes `must not`, and back."""
    if match := re.match(r"Do not (\w)(.*)", sentence, re.DOTALL):
        return f"{match[1].upper()}{match[2]}"
    words = sentence.split()
    for place, word in enumerate(words[:-1]):
        if word.lower() in _AUXILIARIES and words[place + 1] == "not":
            return " ".join([*words[: place + 1], *words[place + 2 :]])
    if not re.search(r"\b(not|never|no|nobody|nothing|cannot)\b|n't\b", sentence.lower()):
        if words[0].lower().rstrip(",") in _data()["verbs"]:
            return " ".join(["Do not", words[0].lower(), *words[1:]])
        for place, word in enumerate(words):
            if place and word.lower() in _AUXILIARIES:
                return " ".join([*words[: place + 1], "not", *words[place + 1 :]])
    raise _refusal(name, f"no rule turns '{sentence}' into its opposite")
