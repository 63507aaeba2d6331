"""Counting: choices, orders, selections, numbers with a property."""

from __future__ import annotations

from math import comb, lcm
from random import Random

from inoculate.settings.mathematics.kind import NAMES, Kind, Story


def _outfits(random: Random) -> Story:
    name = random.choice(NAMES)
    a, b = random.randint(2, 10), random.randint(2, 10)
    (one, two), thing = random.choice(
        ((("shirts", "skirts"), "outfits"), (("soups", "main courses"), "meals"), (("hats", "scarves"), "combinations"))
    )
    text = random.choice(
        (
            f"{name} can choose one of {a} {one} and one of {b} {two}. How many different {thing} are possible?",
            f"There are {a} {one} and {b} {two}. {name} takes one of each. In how many ways can that be done?",
        )
    )
    return Story(
        text,
        a * b,
        (f"Each of the {a} goes with each of the {b}: {a} * {b} = {a * b}.",),
        {"adds instead": a + b, "leaves one out": (a - 1) * b, "miscounts by one": a * b + 1},
    )


def _from_to(random: Random) -> Story:
    low = random.randint(3, 30)
    high = low + random.randint(3, 20)
    name = random.choice(NAMES)
    text = random.choice(
        (
            f"{name} reads a book from page {low} to page {high}, both included. How many pages is that?",
            f"How many whole numbers are there from {low} to {high}, if {low} and {high} are counted too?",
        )
    )
    answer = high - low + 1
    return Story(
        text,
        answer,
        (f"{high} - {low} + 1 = {answer}.",),
        {"does not count the first": answer - 1, "counts one too many": answer + 1, "adds instead": high + low},
    )


def _handshakes(random: Random) -> Story:
    n = random.randint(4, 30)
    who, act, one = random.choice(
        (("people", "shake hands", "handshakes"), ("teams", "play", "games"), ("friends", "exchange one call", "calls"))
    )
    answer = n * (n - 1) // 2
    return Story(
        random.choice(
            (
                f"There are {n} {who}, and every two of them {act} exactly once. How many {one} is that?",
                f"In a group of {n} {who}, each pair of them will {act} once. How many {one} are there altogether?",
            )
        ),
        answer,
        (f"Each of the {n} has {n} - 1 = {n - 1} of them.", f"Every one counts twice: {n} * {n - 1} / 2 = {answer}."),
        {"counts every one twice": 2 * answer, "squares and halves": n * n // 2, "counts one person's": n - 1},
    )


def _codes(random: Random) -> Story:
    symbols, places = random.choice([(s, p) for s in range(3, 13) for p in (2, 3) if s**p < 1800])
    what = random.choice(("letters", "digits", "colours", "signs"))
    answer = symbols**places
    product = " * ".join([str(symbols)] * places)
    return Story(
        random.choice(
            (
                f"A code has {places} places. Each place is one of {symbols} {what}, and repeats are allowed. How many "
                "codes are there?",
                f"How many codes of length {places} can be made from {symbols} {what}, if each may be used again?",
            )
        ),
        answer,
        (f"There are {symbols} choices for each of the {places} places.", f"{product} = {answer}."),
        {
            "multiplies by the places": symbols * places,
            "allows no repeats": symbols * (symbols - 1) * (symbols - 2 if places == 3 else 1),
            "takes one place too few": answer // symbols,
        },
    )


def _podium(random: Random) -> Story:
    n = random.randint(5, 14)
    name = random.choice(NAMES)
    answer = n * (n - 1) * (n - 2)
    return Story(
        random.choice(
            (
                f"{n} runners start in a race. In how many ways can first, second and third place be filled, without "
                "ties?",
                f"{name} puts 3 of {n} different books in a row on a shelf. In how many ways can that be done, if the "
                "order counts?",
            )
        ),
        answer,
        (
            f"There are {n} choices for the first, {n - 1} for the second and {n - 2} for the third.",
            f"{n} * {n - 1} * {n - 2} = {answer}.",
        ),
        {"allows repeats": n**3, "leaves the order out": answer // 6, "adds the choices": 3 * n - 3},
    )


def _teams(random: Random) -> Story:
    n, k = random.randint(5, 14), random.choice((2, 3))
    name = random.choice(NAMES)
    answer = comb(n, k)
    top, bottom = " * ".join(str(n - i) for i in range(k)), " * ".join(str(i) for i in range(k, 0, -1))
    ordered = answer * (2 if k == 2 else 6)
    return Story(
        random.choice(
            (
                f"How many different groups of {k} can be formed from {n} people, if the order does not count?",
                f"{name} chooses {k} of {n} cards; in which order does not matter. How many choices are there?",
            )
        ),
        answer,
        (
            f"In order there are {top} = {ordered} ways.",
            f"Each group is counted {bottom} = {ordered // answer} times.",
            f"{ordered} / {ordered // answer} = {answer}.",
        ),
        {"counts the order": ordered, "multiplies the numbers": n * k, "divides by the size": ordered // k},
    )


def _multiples(random: Random) -> Story:
    top = random.choice((50, 60, 80, 90, 100, 120, 150, 180, 200, 240, 300))
    a, b = random.choice(((2, 3), (2, 5), (3, 4), (3, 5), (4, 6), (4, 5), (2, 7), (3, 7), (5, 6), (6, 9), (4, 10)))
    x, y, both = top // a, top // b, top // lcm(a, b)
    answer = x + y - both
    return Story(
        random.choice(
            (
                f"How many whole numbers from 1 to {top} are multiples of {a} or of {b} (or of both)?",
                f"Of the numbers 1 to {top}, those that can be divided by {a} or by {b} without a remainder are "
                "marked. How many are marked?",
            )
        ),
        answer,
        (
            f"There are {x} multiples of {a} and {y} multiples of {b}.",
            f"{both} are multiples of both, that is of {lcm(a, b)}.",
            f"{x} + {y} - {both} = {answer}.",
        ),
        {
            "counts those of both twice": x + y,
            "leaves those of both out": x + y - 2 * both,
            "counts those of both": both,
        },
    )


def _committee(random: Random) -> Story:
    a, b = random.randint(3, 9), random.randint(3, 9)
    one, two = random.choice(
        (("teachers", "parents"), ("painters", "writers"), ("boys", "girls"), ("nurses", "doctors"))
    )
    x, y = comb(a, 2), comb(b, 2)
    answer = x * y
    return Story(
        random.choice(
            (
                f"A committee of 2 {one} and 2 {two} is chosen from {a} {one} and {b} {two}. In how many ways can that "
                "be done?",
                f"There are {a} {one} and {b} {two}. How many groups can be formed that consist of exactly 2 {one} and "
                f"2 {two}?",
            )
        ),
        answer,
        (
            f"There are {a} * {a - 1} / 2 = {x} pairs of {one}.",
            f"There are {b} * {b - 1} / 2 = {y} pairs of {two}.",
            f"{x} * {y} = {answer}.",
        ),
        {"adds the pairs": x + y, "counts the order": 4 * answer, "ignores the two sorts": comb(a + b, 4)},
    )


FAMILY = "counting"
KINDS = (
    Kind("outfits", FAMILY, 1, "train", _outfits),
    Kind("from_to", FAMILY, 1, "test", _from_to),
    Kind("handshakes", FAMILY, 2, "train", _handshakes),
    Kind("codes", FAMILY, 2, "development", _codes),
    Kind("podium", FAMILY, 3, "train", _podium),
    Kind("teams", FAMILY, 3, "test", _teams),
    Kind("multiples", FAMILY, 4, "train", _multiples),
    Kind("committee", FAMILY, 4, "test", _committee),
)
