"""Family `words`, levels 1 and 2: what letters a string has, and where."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from string import ascii_lowercase

from inoculate.settings.patterns.language import Kind, Language

VOWELS = "aeiou"
CONSONANTS = "".join(sorted(set(ascii_lowercase) - set(VOWELS)))
STARTS = ("re", "un", "co", "st", "tr", "in", "ex", "pre", "sub", "mis", "out", "dis")
_ENDINGS = ("ing", "ed", "er", "ly", "ion", "ful", "ness", "al", "ist", "able")
MIDDLES = ("an", "ee", "oo", "th", "qu", "ch", "sh", "ar", "ou", "zz")
ANY = "one or more lowercase letters [a-z]"


def draw_letters(random: Random, shortest: int, longest: int, alphabet: str = ascii_lowercase) -> str:
    """A run of letters of an alphabet."""
    return "".join(random.choice(alphabet) for _ in range(random.randint(shortest, longest)))


def draw_until(random: Random, draw: Callable[[Random], str], holds: Callable[[str], bool]) -> str:
    """A drawn string for which a condition holds."""
    while True:
        text = draw(random)
        if holds(text):
            return text


def mixed(*pieces: str) -> Callable[[Random], str]:
    """Draws letters with some of the pieces among them."""

    def draw(random: Random) -> str:
        chosen = [piece for piece in pieces if random.random() < 0.6]
        random.shuffle(chosen)
        return draw_letters(random, 0, 3) + "".join(piece + draw_letters(random, 0, 3) for piece in chosen)

    return draw


def _beginning(random: Random) -> Language:
    start = random.choice(STARTS)
    words = random.choice(
        (
            f"Lowercase letters [a-z] only, beginning with {start!r}.",
            f"{start!r}, then zero or more lowercase letters [a-z].",
        )
    )
    return Language(
        words,
        (f"^{start}[a-z]*$", f"{start}[a-z]*"),
        lambda r: start + draw_letters(r, 0, 7),
        lambda r: draw_letters(r, 0, 2) + start[:-1] + draw_letters(r, 0, 5),
    )


def _ending(random: Random) -> Language:
    end = random.choice(_ENDINGS)
    words = random.choice(
        (f"Lowercase letters [a-z] only, ending with {end!r}.", f"Zero or more lowercase letters [a-z], then {end!r}.")
    )
    return Language(
        words,
        (f"^[a-z]*{end}$", f"[a-z]*{end}"),
        lambda r: draw_letters(r, 0, 7) + end,
        lambda r: draw_letters(r, 1, 5) + end[:-1] + draw_letters(r, 0, 2),
    )


def _first_capital(random: Random) -> Language:
    least = random.randint(2, 4)
    words = f"One uppercase letter [A-Z], then at least {least} lowercase letters [a-z]."
    return Language(
        words,
        (f"^[A-Z][a-z]{{{least},}}$", f"[A-Z][a-z]{{{least},}}"),
        lambda r: draw_letters(r, 1, 1).upper() + draw_letters(r, least, least + 5),
    )


def _few_letters(random: Random) -> Language:
    letters = "".join(sorted(random.sample(ascii_lowercase, random.randint(3, 4))))
    words = f"One or more characters, each of which is one of the letters {', '.join(letters)}."
    return Language(
        words,
        (f"^[{letters}]+$", f"(?:{'|'.join(letters)})+"),
        lambda r: draw_letters(r, 1, 9, letters),
        lambda r: draw_letters(r, 1, 5, letters) + draw_letters(r, 1, 2),
    )


def _doubled_start(random: Random) -> Language:
    start, more = random.choice(STARTS), random.randint(3, 6)
    words = f"{start!r}, then exactly {more} lowercase letters [a-z]."
    return Language(
        words, (f"^{start}[a-z]{{{more}}}$", f"{start}[a-z]{{{more}}}"), lambda r: start + draw_letters(r, more, more)
    )


def _both_ends(random: Random) -> Language:
    start, end = random.choice(STARTS), random.choice(_ENDINGS)
    words = f"{start!r}, then zero or more lowercase letters [a-z], then {end!r}."
    return Language(
        words,
        (f"^{start}[a-z]*{end}$", f"{start}[a-z]*{end}"),
        lambda r: start + draw_letters(r, 0, 6) + end,
        lambda r: r.choice(
            (start + draw_letters(r, 1, 6), draw_letters(r, 1, 6) + end, end + draw_letters(r, 0, 4) + start)
        ),
    )


def _containing(random: Random) -> Language:
    middle = random.choice(MIDDLES)
    words = f"Lowercase letters [a-z] only, with {middle!r} in them at any place (at the beginning and at the end too)."
    return Language(
        words,
        (f"^[a-z]*{middle}[a-z]*$", f"(?=.*{middle})[a-z]+"),
        lambda r: draw_letters(r, 0, 4) + middle + draw_letters(r, 0, 4),
        lambda r: draw_letters(r, 0, 3) + middle[0] + draw_letters(r, 1, 2) + middle[1] + draw_letters(r, 0, 3),
    )


def _without_letters(random: Random) -> Language:
    banned = sorted(random.sample("aeiourstln", random.randint(1, 2)))
    phrase = " and no ".join(map(repr, banned))
    words = f"{ANY.capitalize()}, with no {phrase} among them."
    rest = "".join(letter for letter in ascii_lowercase if letter not in banned)
    return Language(
        words,
        (f"^(?:(?![{''.join(banned)}])[a-z])+$", f"[{as_ranges(rest)}]+"),
        lambda r: draw_letters(r, 2, 8, rest),
        lambda r: draw_letters(r, 1, 4, rest) + r.choice(banned) + draw_letters(r, 0, 4, rest),
    )


def as_ranges(letters: str) -> str:
    """Sorted letters as the inside of a character class, with runs written as a-d."""
    as_ranges: list[str] = []
    for letter in letters:
        if as_ranges and ord(letter) == ord(as_ranges[-1][-1]) + 1:
            as_ranges[-1] = as_ranges[-1][0] + letter
        else:
            as_ranges.append(letter)
    return "".join(span if len(span) < 2 else f"{span[0]}-{span[-1]}" for span in as_ranges)


def _vowel_first(random: Random) -> Language:
    sets = [(VOWELS, "a vowel [aeiou]"), (CONSONANTS, "a consonant [b-df-hj-np-tv-z]")]
    random.shuffle(sets)
    first, phrase = sets[0]
    last, phrase_last = random.choice((sets[0], sets[1]))
    words = f"At least two lowercase letters [a-z], of which the first is {phrase} and the last is {phrase_last}."
    classes = [f"[{as_ranges(letters)}]" for letters in (first, last)]
    patterns = (f"^{classes[0]}[a-z]*{classes[1]}$", f"(?={classes[0]})[a-z]+(?<=[a-z]{classes[1]})")

    def draw(random: Random, head: str = first, tail: str = last) -> str:
        return random.choice(head) + draw_letters(random, 0, 6) + random.choice(tail)

    return Language(
        words,
        patterns,
        draw,
        lambda r: draw(r, *r.choice(((ascii_lowercase, ascii_lowercase), (_opposite(first), last)))),
    )


def _opposite(letters: str) -> str:
    return CONSONANTS if letters == VOWELS else VOWELS


def _exactly_once(random: Random) -> Language:
    letter = random.choice("aeistr")
    rest = ascii_lowercase.replace(letter, "")
    words = f"{ANY.capitalize()}, among them exactly one {letter!r}."
    inside = as_ranges(rest)
    return Language(
        words,
        (f"^[{inside}]*{letter}[{inside}]*$", f"(?!.*{letter}.*{letter})[a-z]*{letter}[a-z]*"),
        lambda r: draw_letters(r, 0, 4, rest) + letter + draw_letters(r, 0, 4, rest),
        lambda r: letter.join(draw_letters(r, 0, 3, rest) for _ in range(r.choice((1, 3)))),
    )


def _nth_letter(random: Random) -> Language:
    place, letter = random.choice(((1, "second"), (2, "third"), (3, "fourth"))), random.choice(ascii_lowercase)
    before, phrase = place
    words = f"Lowercase letters [a-z] only, at least {before + 1} of them, of which the {phrase} is {letter!r}."
    return Language(
        words,
        (f"^[a-z]{{{before}}}{letter}[a-z]*$", "[a-z]" * before + f"{letter}[a-z]*"),
        lambda r: draw_letters(r, before, before) + letter + draw_letters(r, 0, 5),
        lambda r: draw_letters(r, before + r.choice((-1, 1)), before + 1) + letter + draw_letters(r, 0, 5),
    )


def _runs_in_order(random: Random) -> Language:
    letters = sorted(random.sample(ascii_lowercase, 3))
    counts = [random.choice(("*", "+")) for _ in letters[1:]]
    phrase = {"*": "zero or more", "+": "one or more"}
    parts = [
        f"one or more {letters[0]!r}",
        *(f"{phrase[count]} {letter!r}" for letter, count in zip(letters[1:], counts, strict=True)),
    ]
    first = f"{letters[0]}+" + "".join(letter + count for letter, count in zip(letters[1:], counts, strict=True))
    second = first.replace("+", "{1,}")

    def draw(random: Random) -> str:
        return letters[0] * random.randint(1, 4) + "".join(
            letter * random.randint(count == "+", 4) for letter, count in zip(letters[1:], counts, strict=True)
        )

    return Language(
        f"{', then '.join(parts).capitalize()}.",
        (f"^{first}$", second),
        draw,
        lambda r: draw_letters(r, 2, 7, "".join(letters)),
    )


KINDS = (
    Kind("beginning", "words", 1, _beginning),
    Kind("ending", "words", 1, _ending),
    Kind("first_capital", "words", 2, _first_capital),
    Kind("few_letters", "words", 1, _few_letters),
    Kind("beginning_and_length", "words", 2, _doubled_start),
    Kind("both_ends", "words", 2, _both_ends),
    Kind("containing", "words", 2, _containing),
    Kind("without_letters", "words", 2, _without_letters),
    Kind("vowel_first", "words", 2, _vowel_first),
    Kind("exactly_once", "words", 2, _exactly_once),
    Kind("nth_letter", "words", 2, _nth_letter),
    Kind("runs_in_order", "words", 2, _runs_in_order),
)
