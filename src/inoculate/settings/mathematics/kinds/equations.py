"""Linear equations and the stories behind them."""

from __future__ import annotations

from fractions import Fraction
from random import Random

from inoculate.settings.mathematics.kind import Kind, Story, two_names


def _missing_addend(random: Random) -> Story:
    x, a = random.randint(2, 20), random.randint(2, 20)
    letter = random.choice("xnyk")
    text = random.choice(
        (f"Solve {letter} + {a} = {x + a}. What is {letter}?", f"Which number must be added to {a} to get {x + a}?")
    )
    return Story(
        text,
        x,
        (f"{x + a} - {a} = {x}.",),
        {"adds instead": x + 2 * a, "miscounts by one": x + 1, "miscounts by two": x + 2},
    )


def _missing_factor(random: Random) -> Story:
    x, a = random.randint(2, 12), random.randint(2, 10)
    letter = random.choice("xnyk")
    text = random.choice(
        (f"Solve {a} * {letter} = {a * x}. What is {letter}?", f"{a} times a number is {a * x}. What is the number?")
    )
    return Story(
        text,
        x,
        (f"{a * x} / {a} = {x}.",),
        {"subtracts instead": a * x - a, "one too many": x + 1, "one too few": x - 1},
    )


def _two_step(random: Random) -> Story:
    x, a, b = random.randint(2, 20), random.randint(2, 9), random.randint(2, 30)
    letter = random.choice("xnyk")
    c = a * x + b
    text = random.choice(
        (
            f"Solve {a}{letter} + {b} = {c}. What is {letter}?",
            f"For which value of {letter} is {a}{letter} + {b} equal to {c}?",
        )
    )
    return Story(
        text,
        x,
        (f"{a}{letter} is {c} - {b} = {c - b}.", f"{letter} is {c - b} / {a} = {x}."),
        {
            "stops before dividing": c - b,
            "adds instead": Fraction(c + b, a),
            "divides without subtracting": Fraction(c, a),
        },
    )


def _think_of_number(random: Random) -> Story:
    x, a, b = random.randint(3, 25), random.randint(2, 9), random.randint(2, 30)
    c = a * x - b
    while c <= 0:
        x += 5
        c = a * x - b
    text = random.choice(
        (
            f"I think of a number, multiply it by {a} and subtract {b}. The result is {c}. What is my number?",
            f"A number is multiplied by {a}, and {b} is taken away. That gives {c}. What was the number?",
        )
    )
    return Story(
        text,
        x,
        (f"Before {b} was taken away it was {c} + {b} = {c + b}.", f"The number is {c + b} / {a} = {x}."),
        {"stops before dividing": c + b, "subtracts again": Fraction(c - b, a), "divides first": Fraction(c, a)},
    )


def _both_sides(random: Random) -> Story:
    x, c = random.randint(2, 15), random.randint(2, 6)
    a, b = c + random.randint(1, 5), random.randint(1, 20)
    d = (a - c) * x + b
    letter = random.choice("xnyk")
    text = random.choice(
        (
            f"Solve {a}{letter} + {b} = {c}{letter} + {d}. What is {letter}?",
            f"{a}{letter} + {b} and {c}{letter} + {d} are the same number. What is {letter}?",
        )
    )
    return Story(
        text,
        x,
        (
            f"Taking {c}{letter} from both sides leaves {a - c}{letter} + {b} on the left and {d} on the right.",
            f"{d} - {b} = {d - b}, which is {a - c}{letter}.",
            f"{letter} is {d - b} / {a - c} = {x}.",
        ),
        {
            "adds the coefficients": Fraction(d - b, a + c),
            "adds the constants": Fraction(d + b, a - c),
            "stops before dividing": d - b,
        },
    )


def _sum_and_difference(random: Random) -> Story:
    small, gap = random.randint(3, 60), random.randint(2, 40)
    large = small + gap
    total = small + large
    text = random.choice(
        (
            f"Two numbers add up to {total}, and one is {gap} more than the other. What is the larger number?",
            f"The sum of two numbers is {total} and their difference is {gap}. What is the larger one?",
        )
    )
    return Story(
        text,
        large,
        (
            f"Twice the larger number is {total} + {gap} = {total + gap}.",
            f"The larger number is {total + gap} / 2 = {large}.",
        ),
        {"gives the smaller one": small, "halves the sum": Fraction(total, 2), "forgets to halve": total + gap},
    )


def _tickets(random: Random) -> Story:
    adults, children = random.randint(5, 60), random.randint(5, 60)
    child = random.randint(2, 9)
    adult = child + random.randint(2, 9)
    people, money = adults + children, adults * adult + children * child
    base, rest, more = people * child, money - people * child, adult - child
    place = random.choice(("A museum", "A zoo", "A theatre", "A ferry", "A castle"))
    text = random.choice(
        (
            f"{place} sells {people} tickets for {money} dollars in all. A ticket for an adult costs {adult} dollars, "
            f"one for a child {child} dollars. How many tickets for adults are sold?",
            f"{place} takes {adult} dollars from an adult and {child} dollars from a child. {people} people pay "
            f"{money} dollars together. How many of them are adults?",
        )
    )
    return Story(
        text,
        adults,
        (
            f"If all were children, it would be {people} * {child} = {base} dollars.",
            f"{money} - {base} = {rest} dollars more were paid, {adult} - {child} = {more} more for each adult.",
            f"{rest} / {more} = {adults}.",
        ),
        {
            "gives the children": children,
            "halves the people": Fraction(people, 2),
            "divides by the price": Fraction(rest, adult),
        },
    )


def _ages(random: Random) -> Story:
    old, young = two_names(random)
    triples = [
        (b, k, m, b * (k - m) // (m - 1))
        for b in range(2, 16)
        for k in range(3, 8)
        for m in range(2, k)
        if b * (k - m) % (m - 1) == 0 and b * k <= 60 and b * (k - m) // (m - 1) <= 40
    ]
    b, k, m, n = random.choice(triples)
    times = {2: "twice", 3: "three times", 4: "four times", 5: "five times", 6: "six times", 7: "seven times"}
    text = random.choice(
        (
            f"{old} is {times[k]} as old as {young}. In {n} years {old} will be {times[m]} as old as {young}. How many "
            f"years old is {young} now?",
            f"Today {old} is {times[k]} as old as {young}; in {n} years it will be only {times[m]}. What is {young}'s "
            "age today, in years?",
        )
    )
    return Story(
        text,
        b,
        (
            f"If {young} is y years old, {old} is {k}y. In {n} years, {k}y + {n} is {m} times as much as y + {n}.",
            f"So {k}y - {m}y is {m} * {n} - {n} = {m * n - n}.",
            f"y is {m * n - n} / {k - m} = {b}.",
        ),
        {
            "gives the other's age": k * b,
            "gives the age later": b + n,
            "does not add the years twice": Fraction(n, k - m),
        },
    )


FAMILY = "equations"
KINDS = (
    Kind("missing_addend", FAMILY, 1, "train", _missing_addend),
    Kind("missing_factor", FAMILY, 1, "test", _missing_factor),
    Kind("two_step", FAMILY, 2, "train", _two_step),
    Kind("think_of_number", FAMILY, 2, "test", _think_of_number),
    Kind("both_sides", FAMILY, 3, "train", _both_sides),
    Kind("sum_and_difference", FAMILY, 3, "test", _sum_and_difference),
    Kind("tickets", FAMILY, 4, "train", _tickets),
    Kind("ages", FAMILY, 4, "development", _ages),
)
