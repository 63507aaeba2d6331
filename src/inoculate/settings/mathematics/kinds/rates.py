"""Rates: distance and time, wages, work done together, mixtures."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from random import Random

from inoculate.settings.mathematics.kind import NAMES, Kind, Story, two_names


def _distance(random: Random) -> Story:
    name, speed, hours = random.choice(NAMES), 10 * random.randint(1, 12), random.randint(2, 6)
    text = random.choice(
        (
            f"{name} drives at {speed} km per hour for {hours} hours. How many kilometres is that?",
            f"A train runs at a steady {speed} km per hour. How many kilometres does it cover in {hours} hours?",
        )
    )
    return Story(
        text,
        speed * hours,
        (f"{speed} * {hours} = {speed * hours}.",),
        {
            "adds instead": speed + hours,
            "an hour too few": speed * (hours - 1),
            "an hour too many": speed * (hours + 1),
        },
    )


def _wage(random: Random) -> Story:
    name, wage, hours = random.choice(NAMES), random.randint(8, 25), random.randint(2, 6)
    work = random.choice(("in a garden", "in a library", "at a market", "in a kitchen", "on a farm", "at a pool"))
    text = random.choice(
        (
            f"{name} works {work} for {hours} hours and is paid {wage} dollars an hour. How many dollars is that?",
            f"For work {work}, {name} gets {wage} dollars an hour. How many dollars does {name} get for {hours} hours?",
        )
    )
    return Story(
        text,
        wage * hours,
        (f"{hours} * {wage} = {wage * hours}.",),
        {"adds instead": wage + hours, "an hour too few": wage * (hours - 1), "forgets a carry": wage * hours - 10},
    )


def _two_legs(random: Random) -> Story:
    name = random.choice(NAMES)
    (v1, v2), (h1, h2) = random.sample(range(4, 25), 2), (random.randint(1, 5), random.randint(1, 5))
    a, b = v1 * h1, v2 * h2
    text = random.choice(
        (
            f"{name} cycles for {h1} h at {v1} km per hour and then for {h2} h at {v2} km per hour. How many "
            "kilometres is that in all?",
            f"On a trip, {name} goes {v1} km per hour for the first {h1} h and {v2} km per hour for the other {h2} h. "
            "How long is the trip in kilometres?",
        )
    )
    return Story(
        text,
        a + b,
        (f"The first part is {v1} * {h1} = {a} and the second {v2} * {h2} = {b} km.", f"In all {a} + {b} = {a + b}."),
        {
            "stops after the first part": a,
            "swaps the times": v1 * h2 + v2 * h1,
            "adds speeds and times": (v1 + v2) * (h1 + h2),
        },
    )


def _machines(random: Random) -> Story:
    machines, each, hours = random.randint(2, 9), random.randint(4, 25), random.randint(2, 8)
    part = random.choice(("screws", "bottles", "candles", "tiles", "toys", "boxes"))
    total = machines * each * hours
    return Story(
        random.choice(
            (
                f"A machine makes {each} {part} an hour. How many {part} do {machines} such machines make in {hours} "
                "hours?",
                f"{machines} machines run for {hours} hours, and each makes {each} {part} an hour. How many {part} is "
                "that?",
            )
        ),
        total,
        (f"In an hour they make {machines} * {each} = {machines * each}.", f"{machines * each} * {hours} = {total}."),
        {
            "counts one machine": each * hours,
            "counts one hour": machines * each,
            "adds the machines": (machines + each) * hours,
        },
    )


@cache
def _legs() -> list[tuple[int, int, int, int]]:
    """Speeds and hours of two legs with a whole average speed."""
    return [
        (v1, h1, v2, h2)
        for v1 in range(30, 121, 5)
        for v2 in range(30, 121, 5)
        for h1, h2 in ((1, 2), (1, 3), (1, 4), (2, 1), (2, 3), (3, 1), (3, 2), (4, 1))
        if v1 != v2 and (v1 * h1 + v2 * h2) % (h1 + h2) == 0
    ]


def _average_speed(random: Random) -> Story:
    name = random.choice(NAMES)
    v1, h1, v2, h2 = random.choice(_legs())
    way, time = v1 * h1 + v2 * h2, h1 + h2
    text = random.choice(
        (
            f"{name} drives {h1} h at {v1} km per hour and then {h2} h at {v2} km per hour. What is the average speed "
            "of the whole drive in km per hour?",
            f"A bus goes {v1} km per hour for {h1} h, then {v2} km per hour for {h2} h. How many kilometres per hour "
            "does it make on average over the whole time?",
        )
    )
    return Story(
        text,
        way // time,
        (
            f"The way is {v1} * {h1} + {v2} * {h2} = {way} km.",
            f"The time is {h1} + {h2} = {time} h.",
            f"The average is {way} / {time} = {way // time}.",
        ),
        {"takes the mean of the speeds": Fraction(v1 + v2, 2), "swaps the times": Fraction(v1 * h2 + v2 * h1, time)},
    )


_PAIRS = [(a, b) for a in range(3, 61) for b in range(a + 1, 61) if a * b % (a + b) == 0]
"""Times alone that give a whole number together."""


def _work_together(random: Random) -> Story:
    one, two = two_names(random)
    a, b = random.choice(_PAIRS)
    unit = random.choice(("minutes", "hours")) if b <= 30 else "minutes"
    job = random.choice(("paint a fence", "fold all letters", "clear a path", "fill a pond", "wash the windows"))
    both = a * b // (a + b)
    text = random.choice(
        (
            f"{one} needs {a} {unit} to {job}, {two} needs {b} {unit} for the same. How many {unit} do they need "
            "together, each at their own speed?",
            f"Alone, {one} can {job} in {a} {unit} and {two} in {b} {unit}. If both work at the same time, how many "
            f"{unit} does it take?",
        )
    )
    return Story(
        text,
        both,
        (
            f"In one {unit[:-1]} they do 1/{a} and 1/{b} of the work.",
            f"Together that is 1/{a} + 1/{b} = 1/{both}.",
            f"So it takes {both}.",
        ),
        {"takes the mean": Fraction(a + b, 2), "adds the times": a + b, "takes the difference": b - a},
    )


def _meeting(random: Random) -> Story:
    early, v1, v2, hours = (
        random.randint(1, 3),
        10 * random.randint(4, 10),
        10 * random.randint(4, 10),
        random.randint(2, 6),
    )
    start, together = v1 * early, v1 + v2
    way = start + together * hours
    head = f"{early} hour{'s' if early > 1 else ''}"
    text = random.choice(
        (
            f"Two towns are {way} km apart. A train leaves the first town for the second at {v1} km per hour. {head} "
            f"later another train leaves the second town for the first at {v2} km per hour. How many hours after the "
            "second train has left do they meet?",
            f"A car sets out at {v1} km per hour on a road of {way} km. {head} later a second car sets out from the "
            f"other end at {v2} km per hour. How many hours has the second car driven when the two meet?",
        )
    )
    gap = way - start
    return Story(
        text,
        hours,
        (
            f"The first has gone {v1} * {early} = {start} km, so {way} - {start} = {gap} km are between them.",
            f"They come closer by {v1} + {v2} = {together} km an hour.",
            f"{gap} / {together} = {hours}.",
        ),
        {
            "counts from the first start": hours + early,
            "forgets the head start": Fraction(way, together),
            "uses one speed": Fraction(gap, v2),
        },
    )


@cache
def _mixes() -> list[tuple[int, int, int, int]]:
    """Litres and percents of two liquids whose mixture has a whole percentage."""
    return [
        (a, p, b, q)
        for a in range(1, 9)
        for b in range(1, 9)
        for p in range(10, 91, 5)
        for q in range(10, 91, 5)
        if a != b and p < q and (a * p + b * q) % (a + b) == 0
    ]


def _mixture(random: Random) -> Story:
    name = random.choice(NAMES)
    a, p, b, q = random.choice(_mixes())
    drink = random.choice(("juice", "syrup", "vinegar", "milk", "alcohol"))
    pure, total = a * p + b * q, a + b
    text = random.choice(
        (
            f"{name} mixes {a} litres of a liquid with {p}% {drink} and {b} litres of one with {q}% {drink}. What "
            f"percent of the mixture is {drink}?",
            f"Into {a} litres with {p}% {drink}, {name} pours {b} litres with {q}% {drink}. How many percent {drink} "
            "does it have then?",
        )
    )
    return Story(
        text,
        pure // total,
        (
            f"There are {a} * {p} + {b} * {q} = {pure} hundredths of a litre of {drink}.",
            f"In all there are {a} + {b} = {total} litres.",
            f"The percentage is {pure} / {total} = {pure // total}.",
        ),
        {
            "takes the mean of the percents": Fraction(p + q, 2),
            "swaps the amounts": Fraction(a * q + b * p, total),
            "adds the percents": p + q,
        },
    )


FAMILY = "rates"
KINDS = (
    Kind("distance", FAMILY, 1, "train", _distance),
    Kind("wage", FAMILY, 1, "test", _wage),
    Kind("two_legs", FAMILY, 2, "train", _two_legs),
    Kind("machines", FAMILY, 2, "development", _machines),
    Kind("average_speed", FAMILY, 3, "train", _average_speed),
    Kind("work_together", FAMILY, 3, "test", _work_together),
    Kind("meeting", FAMILY, 4, "train", _meeting),
    Kind("mixture", FAMILY, 4, "test", _mixture),
)
