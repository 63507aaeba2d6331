"""Simple probability, answered by a fraction."""

from __future__ import annotations

from fractions import Fraction
from random import Random

from inoculate.settings.mathematics.kind import Kind, Story, fraction, two_names

ASK = "Give the answer as a fraction."
COLOURS = ("red", "blue", "green", "white", "black", "yellow")


def _drawn(random: Random) -> Story:
    one, two = random.sample(COLOURS, 2)
    thing = random.choice(("balls", "marbles", "beads", "socks"))
    a, b = random.randint(1, 9), random.randint(2, 9)
    answer = Fraction(a, a + b)
    return Story(
        f"A bag holds {a} {one} and {b} {two} {thing}. One is drawn at random. What is the probability that it is "
        f"{one}? {ASK}",
        answer,
        (f"{a} of {a} + {b} = {a + b} are {one}: {_over(a, a + b)}.",),
        {
            "takes the other colour": Fraction(b, a + b),
            "divides by the others": Fraction(a, b),
            "counts one too many": Fraction(a, a + b + 1),
        },
        fraction=True,
    )


def _over(part: int, whole: int) -> str:
    """A fraction, and in lowest terms where it is not yet."""
    lowest = fraction(Fraction(part, whole))
    return lowest if lowest == f"{part}/{whole}" else f"{part}/{whole} = {lowest}"


def _spinner(random: Random) -> Story:
    n = random.randint(5, 20)
    above = random.randint(2, n - 2)
    what = random.choice((f"A wheel has {n} equal fields, numbered 1 to {n}", f"{n} cards are numbered 1 to {n}"))
    act = "It is spun once" if "wheel" in what else "One is drawn at random"
    answer = Fraction(n - above, n)
    return Story(
        f"{what}. {act}. What is the probability of a number greater than {above}? {ASK}",
        answer,
        (f"{n} - {above} = {n - above} of {n} numbers are greater: {_over(n - above, n)}.",),
        {
            "takes those not greater": Fraction(above, n),
            "counts the number itself": Fraction(n - above + 1, n),
            "counts one too few": Fraction(n - above - 1, n),
        },
        fraction=True,
    )


def _not(random: Random) -> Story:
    one, two, three = random.sample(COLOURS, 3)
    thing = random.choice(("balls", "marbles", "beads", "tickets"))
    a, b, c = (random.randint(1, 9) for _ in range(3))
    total = a + b + c
    return Story(
        f"A box holds {a} {one}, {b} {two} and {c} {three} {thing}. One is drawn at random. What is the probability "
        f"that it is not {two}? {ASK}",
        Fraction(a + c, total),
        (f"There are {a} + {b} + {c} = {total} {thing}.", f"{a} + {c} = {a + c} are not {two}: {_over(a + c, total)}."),
        {
            "takes the colour itself": Fraction(b, total),
            "forgets a colour": Fraction(a, total),
            "divides by the rest": Fraction(b, a + c),
        },
        fraction=True,
    )


def _two_things(random: Random) -> Story:
    sides, above = random.choice([(s, k) for s in (6, 8, 10, 12, 20) for k in range(1, s)])
    what = random.choice(
        (
            f"A coin is thrown and a die with the numbers 1 to {sides} is rolled.",
            f"Someone rolls a die that has the numbers 1 to {sides} and throws a coin.",
        )
    )
    side = random.choice(("heads", "tails"))
    good = sides - above
    return Story(
        f"{what} What is the probability of {side} together with a number greater than {above}? {ASK}",
        Fraction(good, 2 * sides),
        (
            f"The coin gives 1/2, the die {good}/{sides}.",
            f"The product is 1/2 * {good}/{sides} = {fraction(Fraction(good, 2 * sides))}.",
        ),
        {
            "forgets the coin": Fraction(good, sides),
            "takes those not greater": Fraction(above, 2 * sides),
            "counts the number itself": Fraction(good + 1, 2 * sides),
        },
        fraction=True,
    )


def _both(random: Random) -> Story:
    one, two = random.sample(COLOURS, 2)
    thing = random.choice(("balls", "marbles", "cards", "socks"))
    a, b = random.randint(2, 9), random.randint(2, 9)
    n = a + b
    return Story(
        f"A bag holds {a} {one} and {b} {two} {thing}. Two are drawn one after the other and not put back. What is the "
        f"probability that both are {one}? {ASK}",
        Fraction(a * (a - 1), n * (n - 1)),
        (
            f"The first is {one} with {a}/{n}, the second then with {a - 1}/{n - 1}.",
            f"The product is {_over(a * (a - 1), n * (n - 1))}.",
        ),
        {
            "puts the first one back": Fraction(a * a, n * n),
            "takes one draw only": Fraction(a, n),
            "takes the other colour": Fraction(b * (b - 1), n * (n - 1)),
        },
        fraction=True,
    )


def _at_least_one(random: Random) -> Story:
    name, other = two_names(random)
    part, whole = random.choice([(p, w) for w in range(3, 12) for p in range(1, w)])
    chance = Fraction(part, whole)
    miss = 1 - chance
    act = random.choice(("hits the target", "wins a round", "catches the ball", "finds the way"))
    times = random.choice((2, 3)) if whole <= 5 else 2
    answer = 1 - miss**times
    factors = " * ".join([fraction(miss)] * times)
    return Story(
        f"Each time {name} tries, {name} {act} with probability {fraction(chance)}, whatever happened before. {other} "
        f"watches {times} tries. What is the probability that {name} {act} at least once? {ASK}",
        answer,
        (
            f"A try fails with 1 - {fraction(chance)} = {fraction(miss)}.",
            f"All fail with {factors} = {fraction(miss**times)}.",
            f"1 - {fraction(miss**times)} = {fraction(answer)}.",
        ),
        {
            "gives the chance of none": miss**times,
            "gives the chance of all": chance**times,
            "gives the chance of one try": chance,
        },
        fraction=True,
    )


def _exactly_one(random: Random) -> Story:
    one, two = two_names(random)
    a, b = (Fraction(*random.choice([(p, w) for w in range(3, 8) for p in range(1, w)])) for _ in range(2))
    act = random.choice(("passes the test", "hits the target", "comes in time", "guesses the word"))
    first, second = a * (1 - b), b * (1 - a)
    return Story(
        f"{one} {act} with probability {fraction(a)} and {two} with probability {fraction(b)}, independently of each "
        f"other. What is the probability that exactly one of them {act}? {ASK}",
        first + second,
        (
            f"Only {one}: {fraction(a)} * {fraction(1 - b)} = {fraction(first)}.",
            f"Only {two}: {fraction(b)} * {fraction(1 - a)} = {fraction(second)}.",
            f"{fraction(first)} + {fraction(second)} = {fraction(first + second)}.",
        ),
        {"counts both as well": a + b - a * b, "gives the chance of both": a * b, "counts one of them only": first},
        fraction=True,
    )


def _dice_sum(random: Random) -> Story:
    m, n = random.choice([(m, n) for m in (4, 6, 8, 10, 12) for n in (4, 6, 8, 10, 12) if m <= n])
    total = random.randint(3, m + n - 1)
    good = sum(1 for x in range(1, m + 1) if 1 <= total - x <= n)
    low, high = max(1, total - n), min(m, total - 1)
    return Story(
        random.choice(
            (
                f"Two dice are rolled, one with {m} and one with {n} sides (numbered from 1). What is the probability "
                f"that the sum is exactly {total}? {ASK}",
                f"A die with the numbers 1 to {m} and a die with the numbers 1 to {n} are rolled together. What is the "
                f"probability of a sum of exactly {total}? {ASK}",
            )
        ),
        Fraction(good, m * n),
        (
            f"There are {m} * {n} = {m * n} results.",
            f"The first die must show {low} to {high}, so {high} - {low} + 1 = {good} of them fit.",
            f"The probability is {_over(good, m * n)}.",
        ),
        {
            "counts one too few": Fraction(good - 1, m * n),
            "counts one too many": Fraction(good + 1, m * n),
            "counts the sums, not the rolls": Fraction(1, m + n - 1),
        },
        fraction=True,
    )


FAMILY = "probability"
KINDS = (
    Kind("drawn", FAMILY, 1, "train", _drawn),
    Kind("spinner", FAMILY, 1, "test", _spinner),
    Kind("not_drawn", FAMILY, 2, "train", _not),
    Kind("coin_and_die", FAMILY, 2, "test", _two_things),
    Kind("both_drawn", FAMILY, 3, "train", _both),
    Kind("at_least_one", FAMILY, 3, "test", _at_least_one),
    Kind("exactly_one", FAMILY, 4, "train", _exactly_one),
    Kind("dice_sum", FAMILY, 4, "development", _dice_sum),
)
