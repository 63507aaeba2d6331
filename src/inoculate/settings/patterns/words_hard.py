"""Family `words`, levels 3 and 4: what a string may not have, how often it has it, and what is the same in it."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from string import ascii_lowercase

from inoculate.settings.patterns.language import Kind, Language
from inoculate.settings.patterns.words import (
    ANY,
    CONSONANTS,
    MIDDLES,
    STARTS,
    VOWELS,
    as_ranges,
    draw_letters,
    draw_until,
    mixed,
)


def _not_beginning(random: Random) -> Language:
    start = random.choice(STARTS)
    words = f"{ANY.capitalize()}, not beginning with {start!r}."

    def draw(random: Random) -> str:
        near = start[: random.randint(0, len(start) - 1)] if random.random() < 0.5 else ""
        return near + draw_letters(random, 1, 7)

    return Language(
        words,
        (f"^(?!{start})[a-z]+$", f"(?!{start}.*)[a-z]+"),
        lambda r: draw_until(r, draw, lambda t: not t.startswith(start)),
        lambda r: start + draw_letters(r, 0, 6),
    )


def _not_containing(random: Random) -> Language:
    banned = random.choice(MIDDLES)
    words = f"{ANY.capitalize()}, with {banned!r} nowhere in them."
    return Language(
        words,
        (f"^(?!.*{banned})[a-z]+$", f"(?:(?!{banned})[a-z])+"),
        lambda r: draw_until(
            r, lambda r: draw_letters(r, 1, 3) + mixed(banned[0], banned[1])(r), lambda t: banned not in t
        ),
        lambda r: draw_letters(r, 0, 4) + banned + draw_letters(r, 0, 4),
    )


def _two_in_any_order(random: Random) -> Language:
    first, second = random.sample(("an", "th", "ch", "sh", "ou", "er"), 2)
    words = f"Lowercase letters [a-z] only, with both {first!r} and {second!r} in them, in any order."
    return Language(
        words,
        (f"^(?=.*{first})(?=.*{second})[a-z]+$", f"[a-z]*(?:{first}[a-z]*{second}|{second}[a-z]*{first})[a-z]*"),
        lambda r: draw_until(r, mixed(first, second), lambda t: first in t and second in t),
        lambda r: draw_until(r, mixed(first, second), lambda t: (first in t) != (second in t)),
    )


def _length_parity(random: Random) -> Language:
    odd = random.random() < 0.5
    letters = random.choice((ascii_lowercase, ascii_lowercase, "ab", "xyz"))
    phrase = (
        "lowercase letters [a-z]"
        if letters == ascii_lowercase
        else f"characters, each {' or '.join(map(repr, letters))}"
    )
    words = f"An {'odd' if odd else 'even'} number of {phrase}, at least {1 if odd else 2} of them."
    one = "[a-z]" if letters == ascii_lowercase else f"[{letters}]"
    patterns = (
        (f"^{one}(?:{one}{{2}})*$", f"(?:{one}{one})*{one}") if odd else (f"^(?:{one}{{2}})+$", f"(?:{one}{one})+")
    )
    return Language(
        words,
        patterns,
        lambda r: draw_until(r, lambda r: draw_letters(r, 1, 10, letters), lambda t: len(t) % 2 == odd),
        lambda r: draw_until(r, lambda r: draw_letters(r, 1, 10, letters), lambda t: len(t) % 2 != odd),
    )


def _exact_count(random: Random) -> Language:
    letter, count = random.choice("aeost"), random.choice((2, 3))
    rest = as_ranges(ascii_lowercase.replace(letter, ""))
    words = f"Lowercase letters [a-z] only, among them exactly {count} times {letter!r} (not necessarily side by side)."

    def draw(random: Random, times: int = count) -> str:
        return letter.join(draw_letters(random, 0, 2, ascii_lowercase.replace(letter, "")) for _ in range(times + 1))

    return Language(
        words,
        (f"^[{rest}]*(?:{letter}[{rest}]*){{{count}}}$", f"[{rest}]*" + f"{letter}[{rest}]*" * count),
        draw,
        lambda r: draw(r, count + r.choice((-1, 1))),
    )


def _same_ends(random: Random) -> Language:
    least = random.randint(2, 4)
    words = f"At least {least} lowercase letters [a-z], of which the first and the last are the same."
    patterns = (rf"^([a-z])[a-z]{{{least - 2},}}\1$", rf"(?=[a-z]{{{least},}}$)(.).*\1")

    def draw(random: Random) -> str:
        first = draw_letters(random, 1, 1)
        return first + draw_letters(random, least - 2, least + 3) + first

    return Language(words, patterns, draw, lambda r: draw_letters(r, least, least + 4))


def _twin_letters(random: Random) -> Language:
    alphabet = random.choice((ascii_lowercase, "abc", "xy", "mnop"))
    phrase = "a-z" if alphabet == ascii_lowercase else alphabet
    words = f"Lowercase letters [{phrase}] only, with some letter that stands twice in a row at least once."
    one = "[a-z]" if alphabet == ascii_lowercase else f"[{alphabet}]"

    def draw(random: Random) -> str:
        letter = random.choice(alphabet)
        return (
            draw_letters(random, 0, 4, alphabet)
            + letter * random.choice((2, 2, 3))
            + draw_letters(random, 0, 4, alphabet)
        )

    return Language(
        words,
        (rf"^{one}*({one})\1{one}*$", rf"(?=.*(.)\1){one}+"),
        draw,
        lambda r: draw_until(r, lambda r: draw_letters(r, 2, 7, alphabet), lambda t: not _twins(t)),
    )


def _twins(text: str) -> bool:
    return any(a == b for a, b in pairwise(text))


def _no_twins(random: Random) -> Language:
    alphabet = random.choice((ascii_lowercase, "abc", "abcd", "xyz"))
    phrase = "a-z" if alphabet == ascii_lowercase else alphabet
    least = random.randint(1, 3)
    words = f"At least {least} lowercase letters [{phrase}], of which no two neighbours are the same."
    one = "[a-z]" if alphabet == ascii_lowercase else f"[{alphabet}]"
    return Language(
        words.replace("At least 1 lowercase letters", "One or more lowercase letters"),
        (rf"^(?!.*(.)\1){one}{{{least},}}$", rf"(?:({one})(?!\1)){{{least},}}"),
        lambda r: draw_until(r, lambda r: draw_letters(r, least, 7, alphabet), lambda t: not _twins(t)),
        lambda r: draw_until(r, lambda r: draw_letters(r, least + 1, 7, alphabet), _twins),
    )


def _alternating(random: Random) -> Language:
    kinds = [("a vowel [aeiou]", VOWELS), ("a consonant [b-df-hj-np-tv-z]", CONSONANTS)]
    if random.random() < 0.5:
        kinds = [("a lowercase letter [a-z]", ascii_lowercase), ("a digit [0-9]", "0123456789")]
    random.shuffle(kinds)
    (first, here), (second, there) = kinds
    a, b = (f"[{as_ranges(letters)}]" for letters in (here, there))
    words = (
        f"At least two characters: {first}, then {second}, then {first.split(' [')[0]} again, and so on in turn. "
        "It may end with either."
    )

    def draw(random: Random) -> str:
        return "".join(random.choice((here, there)[at % 2]) for at in range(random.randint(2, 8)))

    def near(random: Random) -> str:
        text = draw(random)
        return random.choice((text[1:], text + text[-1], random.choice(there) + text, text[:1]))

    return Language(words, (f"^(?:{a}{b})+{a}?$", f"{a}{b}({a}{b})*{a}?"), draw, near)


def _all_different(random: Random) -> Language:
    low = random.randint(2, 4)
    high = low + random.randint(2, 4)
    words = f"{low} to {high} lowercase letters [a-z], all of them different."
    return Language(
        words,
        (rf"^(?!.*(.).*\1)[a-z]{{{low},{high}}}$", rf"(?:([a-z])(?!.*\1)){{{low},{high}}}"),
        lambda r: "".join(r.sample(ascii_lowercase, r.randint(low, high))),
        lambda r: draw_until(r, lambda r: draw_letters(r, low, high, "abcdefghij"), lambda t: len(set(t)) < len(t)),
    )


def _doubled(random: Random) -> Language:
    mark, phrase = random.choice(
        (("", "with nothing between"), ("-", "with a hyphen between"), (" ", "with a space between"))
    )
    least = random.randint(2, 3)
    words = f"The same word twice, {phrase}; the word is {least} or more lowercase letters [a-z]."
    patterns = (rf"^([a-z]{{{least},}}){mark}\1$", rf"([a-z]{{{least},}}){mark}(?:\1)")

    def draw(random: Random) -> str:
        word = draw_letters(random, least, least + 3)
        return f"{word}{mark}{word}"

    def near(random: Random) -> str:
        word = draw_letters(random, least, least + 3)
        return random.choice(
            (f"{word}{mark}{word[:-1]}", f"{word}{mark}{word[::-1]}", f"{word}{mark}{word}{mark}{word}", word)
        )

    return Language(words, patterns, draw, near)


def _with_and_without(random: Random) -> Language:
    wanted, banned = random.choice(MIDDLES), random.choice("xyvk")
    words = f"Lowercase letters [a-z] only, with {wanted!r} somewhere in them and no {banned!r} anywhere."
    rest = ascii_lowercase.replace(banned, "")
    inside = as_ranges(rest)

    def draw(random: Random, letters: str = rest) -> str:
        return draw_letters(random, 0, 4, letters) + wanted + draw_letters(random, 0, 4, letters)

    return Language(
        words,
        (f"^(?=.*{wanted})(?!.*{banned})[a-z]+$", f"[{inside}]*{wanted}[{inside}]*"),
        draw,
        lambda r: r.choice((draw(r, rest + banned * 6), draw_letters(r, 2, 7, rest))),
    )


def _always_followed(random: Random) -> Language:
    first, second = random.choice((("q", "u"), ("c", "h"), ("n", "g"), ("x", "y"), ("t", "h")))
    words = f"{ANY.capitalize()}, in which every {first!r} is followed directly by {second!r}."
    rest = ascii_lowercase.replace(first, "")

    def draw(random: Random) -> str:
        pieces = [
            random.choice((first + second, draw_letters(random, 1, 2, rest))) for _ in range(random.randint(1, 4))
        ]
        return "".join(pieces)

    return Language(
        words,
        (f"^(?:[{as_ranges(rest)}]|{first}{second})+$", f"(?!.*{first}(?!{second}))[a-z]+"),
        draw,
        lambda r: draw(r) + first + draw_letters(r, 0, 3, rest.replace(second, "")),
    )


def _parity_of_letter(random: Random) -> Language:
    letters = random.choice(("ab", "xy", "01", "uv"))
    counted, other = random.sample(letters, 2)
    odd = random.random() < 0.5
    words = (
        f"One or more characters, each {letters[0]!r} or {letters[1]!r}, with an {'odd' if odd else 'even'} number of "
        f"{counted!r}{'' if odd else ' (zero is even)'}."
    )
    core = f"{other}*(?:{counted}{other}*{counted}{other}*)*"
    even = (f"^(?=.){core}$", f"(?=[{letters}]){other}*({counted}{other}*{counted}{other}*)*")
    patterns = (
        (f"^{core}{counted}{other}*$", f"{other}*{counted}({other}*{counted}{other}*{counted})*{other}*")
        if odd
        else even
    )

    def draw(random: Random) -> str:
        return draw_letters(random, 1, 9, letters)

    return Language(
        words,
        patterns,
        lambda r: draw_until(r, draw, lambda t: t.count(counted) % 2 == odd),
        lambda r: draw_until(r, draw, lambda t: t.count(counted) % 2 != odd),
    )


def _password(random: Random) -> Language:
    least, digits = random.randint(5, 8), random.choice((1, 2))
    phrase = "at least one digit" if digits == 1 else "at least two digits"
    words = (
        f"At least {least} characters, each a letter [a-zA-Z] or a digit [0-9], among them {phrase} and at least one "
        "uppercase letter [A-Z]."
    )
    patterns = (
        rf"^(?=(?:.*\d){{{digits}}})(?=.*[A-Z])[A-Za-z\d]{{{least},}}$",
        rf"(?=.*[A-Z])(?={'.*[0-9]' * digits})[a-zA-Z0-9]{{{least},}}",
    )

    def draw(random: Random, figures: int = digits, capitals: int = 1) -> str:
        text = [
            *draw_letters(random, figures, figures + 1, "0123456789"),
            *draw_letters(random, capitals, capitals + 1).upper(),
        ]
        text += draw_letters(random, max(0, least - len(text)), least)
        random.shuffle(text)
        return "".join(text)

    return Language(
        words,
        patterns,
        lambda r: draw_until(r, draw, lambda t: len(t) >= least),
        lambda r: r.choice(
            (
                draw_letters(r, least, least + 3) + "7" * digits,
                draw_letters(r, least, least + 3).title(),
                draw(r)[: least - 1],
            )
        ),
    )


KINDS = (
    Kind("not_beginning", "words", 3, _not_beginning),
    Kind("not_containing", "words", 3, _not_containing),
    Kind("two_in_any_order", "words", 3, _two_in_any_order),
    Kind("length_parity", "words", 3, _length_parity),
    Kind("exact_count", "words", 3, _exact_count),
    Kind("same_ends", "words", 3, _same_ends),
    Kind("twin_letters", "words", 3, _twin_letters),
    Kind("no_twins", "words", 4, _no_twins),
    Kind("alternating", "words", 4, _alternating),
    Kind("all_different", "words", 4, _all_different),
    Kind("doubled", "words", 4, _doubled),
    Kind("with_and_without", "words", 4, _with_and_without),
    Kind("always_followed", "words", 4, _always_followed),
    Kind("parity_of_letter", "words", 4, _parity_of_letter),
    Kind("password", "words", 4, _password),
)
