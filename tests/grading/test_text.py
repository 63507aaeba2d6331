"""Languages, sentences and words, on texts labelled by hand before any library was tried.

tests/data/reply_languages.jsonl: `language` is what a careful reader says. `several`: a whole clause or sentence in a
second language (names, titles, headings, tags and JSON keys are none); `none`: nothing to read in any language (empty,
numbers, signs, code, addresses); `cannot be told`: it fits several languages.

tests/data/sentences.jsonl: `sentences` of a text, as a reader counts them. A line break ends a sentence, except that a
line without an end mark goes on in one that begins with a small letter.

Libraries and rules were chosen on the texts whose SHA-256 is even; the others were kept apart. docs/settings.md has the
figures.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inoculate.grading import prose
from inoculate.grading.languages import LANGUAGES, detect
from inoculate.grading.sentences import split_sentences

DATA = Path(__file__).parents[1] / "data"


def half(name: str, even: bool) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").splitlines()]
    return [row for row in rows if (int(hashlib.sha256(row["text"].encode()).hexdigest(), 16) % 2 == 0) == even]


def said(text: str) -> str:
    """What `detect` says, in the words of the labels."""
    found = detect(text)
    words = {"no words": "none", "several languages": "several", "too few words to tell": "cannot be told"}
    return found.language or words[found.reason.partition(":")[0]]


def test_the_labels_are_as_many_as_they_should_be() -> None:
    replies = [*half("reply_languages.jsonl", True), *half("reply_languages.jsonl", False)]
    assert len({row["text"] for row in replies}) == len(replies) >= 400
    told = [row for row in replies if row["language"] not in ("none", "cannot be told")]
    assert len(told) >= 300 and sum(len(row["text"].split()) <= 5 for row in told) >= 100
    texts = [*half("sentences.jsonl", True), *half("sentences.jsonl", False)]
    assert len({row["text"] for row in texts}) == len(texts) >= 200


@pytest.mark.parametrize("even", [True, False], ids=["chosen on", "kept apart"])
def test_languages_are_told_as_a_reader_does(even: bool) -> None:
    pairs = [(row["language"], said(row["text"])) for row in half("reply_languages.jsonl", even)]
    tellable = [pair for pair in pairs if pair[0] not in ("none", "cannot be told")]
    decided = [pair for pair in tellable if pair[1] not in ("none", "cannot be told")]
    assert len(decided) >= 0.95 * len(tellable)
    assert sum(label == found for label, found in decided) >= 0.97 * len(decided)
    assert {found for label, found in pairs if label == "none"} == {"none"}
    untellable = [found for label, found in pairs if label == "cannot be told"]
    assert sum(found == "cannot be told" for found in untellable) >= 0.8 * len(untellable)


@pytest.mark.parametrize("even", [True, False], ids=["chosen on", "kept apart"])
def test_sentences_are_found_as_a_reader_does(even: bool) -> None:
    rows = half("sentences.jsonl", even)
    right = [letters(split_sentences(row["text"])) == letters(row["sentences"]) for row in rows]
    assert sum(right) >= 0.97 * len(rows)


def letters(parts: Sequence[str]) -> list[str]:
    return ["".join(filter(str.isalnum, prose.untagged(part))) for part in parts]


@pytest.mark.parametrize(
    ("text", "language", "reason"),
    [
        ("", "", "no words"),
        ("1,200 (42 %)", "", "no words"),
        ("```python\nprint('hello there')\n```", "", "no words"),
        ("import os\nname = os.getcwd()", "", "no words"),
        ("Paris.", "", "too few words to tell: "),
        ("Paris paris paris paris. Paris paris paris.", "", "too few words to tell: "),
        ("Bees make honey. Les abeilles font du miel.", "", "several languages: "),
        ('{"answer": "Il fait froid ce matin."}', "French", ""),
        ("# Answer\n<reply>Il fait froid ce matin.</reply>", "French", ""),
        ("IL FAIT FROID CE MATIN.", "French", ""),
        ("Il a vu « Gone with the Wind » à Lyon.", "French", ""),
        (
            'Voici une réponse : "The heart pumps blood through the whole body, day and night."',
            "",
            "several languages: ",
        ),
        ("Está muito frio esta manhã.", "Portuguese", ""),
    ],
)
def test_what_is_no_text_in_one_language_is_said(text: str, language: str, reason: str) -> None:
    found = detect(text)
    assert found.language == language
    assert found.reason.startswith(reason) and bool(found.reason) == (not language)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("It has 1,200 pages and weighs 3.5 kg.", 8),
        ("It cost $1.50 at 10:30 p.m. on 3.5.2021.", 8),
        ("It is 20°C, 50 % wet, 24/7, at 50 km/h.", 9),
        ("The U.S. and the U.K. agree, e.g. on this.", 9),
        ("It's a well-known rock.", 4),
        ("See https://example.org/a.b?c=1, or ask info@example.org.", 5),
        ("Run main.py now.", 3),
        ("It ended.Then it began.", 5),
        ("red,blue/green; - * ...", 3),
        ("<answer>One two</answer> <3", 2),
    ],
)
def test_words_are_counted_as_a_reader_does(text: str, count: int) -> None:
    assert len(prose.words(text)) == count, prose.words(text)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("She gave it to me. I was ill. Tom saw the art. He left in May. I cried.", 5),
        ('"What a day!" Tom sighed. "No!" Anna cried.', 2),
        ("Ms. Ito met Sgt. Lee. See fig. 5 and approx. 3 others.", 2),
        ("M. Dupont est arrivé hier soir. Le Dr. Roux et Mme. Petit sont partis.", 2),
        ("J.-C. Martin parle de la ville. Elle est belle.", 2),
        ("Doña Ana y Dña. Luisa vinieron ayer. Comieron.", 2),
        ("1. Feed the dog. 2. Walk the dog. 3. Wash the dog.", 3),
        ("lamp\nriver\ncloud", 3),
        ("The lamp\nby the river\nshone.", 1),
        ("42.", 1),
        ("*** ### 🙂", 0),
        ("", 0),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str, count: int) -> None:
    assert len(split_sentences(text)) == count, split_sentences(text)


@settings(max_examples=150, deadline=None)
@given(
    text=st.text(alphabet=st.sampled_from("aT .!?\"'()\n-1ß法。\ud800\0<>`{:@/"), max_size=80) | st.text(max_size=80)
)
def test_any_text_is_read_and_nothing_of_it_is_lost(text: str) -> None:
    found = detect(text)
    assert found.language in LANGUAGES or (not found.language and found.reason)
    kept = "".join(letters(split_sentences(text)))
    assert kept == "".join(filter(str.isalnum, prose.untagged(text).encode(errors="replace").decode()))
