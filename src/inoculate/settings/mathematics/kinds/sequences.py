"""Sequences: next, missing, far and summed terms."""

from __future__ import annotations

from random import Random

from inoculate.settings.mathematics.kind import NAMES, Kind, Story


def _list(terms: list[int]) -> str:
    return ", ".join(map(str, terms))


def _next_term(random: Random) -> Story:
    start, step = random.randint(1, 40), random.choice((2, 3, 4, 5, 10))
    terms = [start + step * k for k in range(5)]
    text = random.choice(
        (
            f"What number comes next: {_list(terms[:4])}, ...?",
            f"The numbers {_list(terms[:4])} go up by the same amount each time. What is the next one?",
        )
    )
    return Story(
        text,
        terms[4],
        (f"Each number is {step} more than the one before: {terms[3]} + {step} = {terms[4]}.",),
        {
            "goes one too far": terms[4] + step,
            "adds the first number": terms[3] + start,
            "miscounts by one": terms[4] + 1,
        },
    )


def _next_multiple(random: Random) -> Story:
    start, factor = random.randint(1, 9), random.choice((2, 3))
    terms = [start * factor**k for k in range(5)]
    return Story(
        random.choice(
            (
                f"A list begins {_list(terms[:4])} and is made by multiplying again and again. Which number follows?",
                f"In the list {_list(terms[:4])} every number is {factor} times the one before. What comes next?",
            )
        ),
        terms[4],
        (f"Each number is {factor} times the one before: {terms[3]} * {factor} = {terms[4]}.",),
        {
            "adds the last difference": 2 * terms[3] - terms[2],
            "adds the factor": terms[3] + factor,
            "goes one too far": terms[4] * factor,
        },
    )


def _seats(random: Random) -> Story:
    first, more, row = random.randint(8, 30), random.randint(2, 7), random.randint(6, 20)
    answer = first + (row - 1) * more
    what, line = random.choice((("A hall has rows of seats", "row"), ("A wall is built of bricks", "layer")))
    thing = "seats" if line == "row" else "bricks"
    return Story(
        random.choice(
            (
                f"{what}. The first {line} has {first} {thing}, and every further {line} has {more} more than the one "
                f"before. How many {thing} does {line} number {row} have?",
                f"{what}: {first} in the first {line}, then {more} more from {line} to {line}. How many {thing} are in "
                f"{line} {row}?",
            )
        ),
        answer,
        (f"There are {row} - 1 = {row - 1} steps of {more}.", f"{first} + {row - 1} * {more} = {answer}."),
        {
            "takes one step too many": answer + more,
            "forgets the first": answer - first,
            "one step too few": answer - more,
        },
    )


def _gap(random: Random) -> Story:
    start, step, hidden = random.randint(2, 60), random.randint(3, 15), random.randint(1, 3)
    terms = [start + step * k for k in range(5)]
    written = ", ".join("?" if k == hidden else str(term) for k, term in enumerate(terms))
    far = next(k for k in range(4) if hidden not in (k, k + 1))
    return Story(
        random.choice(
            (
                f"Which number belongs in place of the question mark: {written}? The steps are all equal.",
                f"The list {written} goes up by the same amount each time. What is the missing number?",
            )
        ),
        terms[hidden],
        (
            f"The step is {terms[far + 1]} - {terms[far]} = {step}.",
            f"The missing number is {terms[hidden - 1]} + {step} = {terms[hidden]}.",
        ),
        {
            "miscounts by one": terms[hidden] - 1,
            "takes half a step": terms[hidden - 1] + step // 2,
            "gives the step": step,
        },
    )


def _pyramid(random: Random) -> Story:
    first, more, rows = random.randint(2, 12), random.randint(1, 5), random.randint(5, 12)
    name = random.choice(NAMES)
    last = first + (rows - 1) * more
    total = rows * (first + last) // 2
    text = random.choice(
        (
            f"{name} reads {first} pages on the first day and every day {more} more than the day before. How many "
            f"pages does {name} read in {rows} days altogether?",
            f"{name} plants {first} trees in the first row and in every row {more} more than in the row before. How "
            f"many trees are in {rows} rows altogether?",
        )
    )
    return Story(
        text,
        total,
        (
            f"The last number is {first} + {rows - 1} * {more} = {last}.",
            f"First and last add up to {first} + {last} = {first + last}.",
            f"The sum is {rows} * {first + last} / 2 = {total}.",
        ),
        {"gives the last number": last, "forgets the increase": rows * first, "forgets to halve": 2 * total},
    )


def _doubling(random: Random) -> Story:
    start, factor, hours = random.randint(2, 12), random.choice((2, 3)), random.randint(4, 6)
    word = {2: "doubles", 3: "triples"}[factor]
    what = random.choice(("cells in a dish", "weeds in a pond", "copies of a file", "bees in a hive"))
    answer = start * factor**hours
    unit = random.choice(("hour", "day", "week"))
    return Story(
        random.choice(
            (
                f"There are {start} {what}. Their number {word} every {unit}. How many are there after {hours} "
                f"{unit}s?",
                f"The number of {what} {word} each {unit}. It begins with {start}. What is it {hours} {unit}s later?",
            )
        ),
        answer,
        (
            f"In {hours} {unit}s it is multiplied {hours} times by {factor}, that is by {factor**hours}.",
            f"{start} * {factor**hours} = {answer}.",
        ),
        {
            "takes one time too few": answer // factor,
            "multiplies once": start * factor * hours,
            "takes one time too many": answer * factor,
        },
    )


def _two_before(random: Random) -> Story:
    a, b = random.randint(1, 9), random.randint(1, 9)
    place = random.randint(6, 8)
    terms = [a, b]
    while len(terms) <= place:
        terms.append(terms[-1] + terms[-2])
    answer = terms[place - 1]
    sums = [f"{terms[k]} + {terms[k + 1]} = {terms[k + 2]}" for k in range(place - 2)]
    text = random.choice(
        (
            f"A list begins with {a}, {b}. Every further number is the sum of the two numbers before it. What is "
            f"number {place} of the list?",
            f"From the third number on, each number of a list is the sum of the two before. The first is {a}, the "
            f"second {b}. What is the {place}th?",
        )
    )
    return Story(
        text,
        answer,
        (f"{', '.join(sums[:-1])}.", f"{sums[-1]}."),
        {"stops one early": terms[place - 2], "goes one too far": terms[place], "slips in a sum": answer - 1},
    )


def _growing_steps(random: Random) -> Story:
    start, step, more = random.randint(1, 20), random.randint(1, 6), random.randint(1, 5)
    terms, steps = [start], []
    for k in range(6):
        steps.append(step + k * more)
        terms.append(terms[-1] + steps[-1])
    text = random.choice(
        (
            f"In the list {_list(terms[:4])}, ... the steps grow by the same amount each time. What is the 7th number?",
            f"The steps between the numbers {_list(terms[:4])}, ... get larger by an equal amount every time. Which "
            "number is the seventh?",
        )
    )
    return Story(
        text,
        terms[6],
        (
            f"The steps are {_list(steps[:3])}, so they go on with {_list(steps[3:])}.",
            f"{terms[3]} + {steps[3]} = {terms[4]}, {terms[4]} + {steps[4]} = {terms[5]}.",
            f"{terms[5]} + {steps[5]} = {terms[6]}.",
        ),
        {
            "gives the sixth": terms[5],
            "keeps the last step": terms[3] + 3 * steps[2],
            "goes one too far": terms[6] + steps[5] + more,
        },
    )


FAMILY = "sequences"
KINDS = (
    Kind("next_term", FAMILY, 1, "train", _next_term),
    Kind("next_multiple_term", FAMILY, 1, "development", _next_multiple),
    Kind("seats", FAMILY, 2, "train", _seats),
    Kind("gap", FAMILY, 2, "test", _gap),
    Kind("pyramid", FAMILY, 3, "train", _pyramid),
    Kind("doubling", FAMILY, 3, "test", _doubling),
    Kind("two_before", FAMILY, 4, "train", _two_before),
    Kind("growing_steps", FAMILY, 4, "test", _growing_steps),
)
