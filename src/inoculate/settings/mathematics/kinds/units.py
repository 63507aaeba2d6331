"""Units of measure, clock and calendar."""

from __future__ import annotations

from fractions import Fraction
from random import Random

from inoculate.settings.mathematics.kind import NAMES, Kind, Story, decimal


def _to_minutes(random: Random) -> Story:
    what, small, factor = random.choice((("hours", "minutes", 60), ("minutes", "seconds", 60), ("days", "hours", 24)))
    n = random.randint(2, 10)
    name = random.choice(NAMES)
    text = random.choice(
        (f"How many {small} are {n} {what}?", f"{name} waits for {n} {what}. How many {small} is that?")
    )
    return Story(
        text,
        n * factor,
        (f"{n} * {factor} = {n * factor}.",),
        {"takes 100": n * 100, "adds instead": n + factor, "counts one too few": (n - 1) * factor},
    )


def _to_small(random: Random) -> Story:
    big, small, factor = random.choice(
        (
            ("metres", "centimetres", 100),
            ("kilograms", "grams", 1000),
            ("litres", "millilitres", 1000),
            ("kilometres", "metres", 1000),
        )
    )
    n = random.randint(2, 30)
    thing = {"metres": "A rope of", "kilograms": "A bag of", "litres": "A can of", "kilometres": "A path of"}[big]
    text = random.choice((f"How many {small} are {n} {big}?", f"{thing} {n} {big}: how many {small} is that?"))
    return Story(
        text,
        n * factor,
        (f"{n} * {factor} = {n * factor}.",),
        {"shifts too far": n * factor * 10, "shifts too little": n * factor // 10},
    )


def _clock(minutes: int) -> str:
    return f"{minutes // 60}:{minutes % 60:02d}"


def _span(random: Random) -> Story:
    start = random.randint(6 * 60, 20 * 60)
    length = random.randint(35, 230)
    end = start + length
    name = random.choice(NAMES)
    what = random.choice(("film", "concert", "lesson", "meeting", "match", "bus ride", "train ride"))
    text = random.choice(
        (
            f"A {what} begins at {_clock(start)} and ends at {_clock(end)} on the same day. How many minutes does it "
            "take?",
            f"{name} sleeps from {_clock(start)} to {_clock(end)} on the same day. How many minutes is that?",
        )
    )
    hours = end // 60 - start // 60
    gap = end % 60 - start % 60
    sign, size = ("+", gap) if gap >= 0 else ("-", -gap)
    return Story(
        text,
        length,
        (
            f"From {start // 60} to {end // 60} there are {hours} * 60 = {hours * 60} minutes.",
            f"With the minutes it is {hours * 60} {sign} {size} = {length}.",
        ),
        {
            "takes 100 minutes for an hour": hours * 100 + gap,
            "turns the minutes round": hours * 60 - gap,
            "counts an hour too many": length + 60,
        },
    )


def _weeks(random: Random) -> Story:
    weeks, days = random.randint(2, 30), random.randint(1, 6)
    name = random.choice(NAMES)
    text = random.choice(
        (
            f"{name} travels for {weeks} weeks and {days} days. How many days is that?",
            f"How many days are {weeks} weeks and {days} days together?",
        )
    )
    text = text.replace(" 1 days", " 1 day")
    return Story(
        text,
        weeks * 7 + days,
        (f"{weeks} * 7 = {weeks * 7}.", f"{weeks * 7} + {days} = {weeks * 7 + days}."),
        {
            "takes 5 days for a week": weeks * 5 + days,
            "forgets the days": weeks * 7,
            "takes 10 days for a week": weeks * 10 + days,
        },
    )


def _bottles(random: Random) -> Story:
    n, size, m, other = (
        random.randint(2, 12),
        random.choice((250, 350, 500, 750)),
        random.randint(2, 9),
        random.choice((200, 300, 330, 400)),
    )
    total = n * size + m * other
    litres = Fraction(total, 1000)
    thing = random.choice(("juice", "milk", "water", "lemonade", "tea"))
    text = random.choice(
        (
            f"{n} bottles hold {size} ml of {thing} each and {m} cans hold {other} ml each. How many litres is that "
            "together?",
            f"How many litres of {thing} are in {n} bottles of {size} ml and {m} cans of {other} ml?",
        )
    )
    return Story(
        text,
        litres,
        (
            f"The bottles hold {n} * {size} = {n * size} ml and the cans {m} * {other} = {m * other} ml.",
            f"Together that is {n * size} + {m * other} = {total} ml.",
            f"In litres it is {total} / 1000 = {decimal(litres)}.",
        ),
        {
            "forgets the cans": Fraction(n * size, 1000),
            "shifts the point": Fraction(total, 100),
            "swaps the sizes": Fraction(n * other + m * size, 1000),
        },
    )


def _film(random: Random) -> Story:
    start = random.randint(14 * 60, 20 * 60)
    hours, minutes = random.randint(1, 3), random.randint(5, 55)
    while (start + minutes) % 60 == 0:
        start += 1
    end = start + hours * 60 + minutes
    mark = end // 60 * 60
    what = random.choice(("film", "play", "opera", "match", "meeting", "lecture"))
    began = start % 60 + minutes
    text = random.choice(
        (
            f"A {what} begins at {_clock(start)} and takes {hours} h {minutes} min. How many minutes after "
            f"{_clock(mark)} does it end?",
            f"A {what} that takes {hours} h {minutes} min starts at {_clock(start)}. It ends some minutes after "
            f"{_clock(mark)}. How many minutes?",
        )
    ).replace("A opera", "An opera")
    carried = began // 60
    first = f"{hours} h after {_clock(start)} it is {_clock(start + hours * 60)}."
    if carried:
        last = f"{start % 60} + {minutes} - 60 = {end % 60}."
        second = f"The minutes are {start % 60} + {minutes} = {began}, which is an hour and the rest."
    else:
        second, last = f"Then {minutes} minutes are added.", f"{start % 60} + {minutes} = {end % 60}."
    return Story(
        text,
        end % 60,
        (first, second, last),
        {"does not carry": began, "takes the rest of the hour": 60 - end % 60, "miscounts by five": end % 60 + 5},
    )


def _watering(random: Random) -> Story:
    month, length, following = random.choice(
        (
            ("April", 30, "May"),
            ("June", 30, "July"),
            ("September", 30, "October"),
            ("March", 31, "April"),
            ("July", 31, "August"),
        )
    )
    every, start = random.randint(5, 12), random.randint(2, 14)
    times = next(k for k in range(1, 12) if start + k * every > length)
    times += random.randint(0, 1)
    total = start + times * every
    day = total - length
    name = random.choice(NAMES)
    text = random.choice(
        (
            f"{name} waters a cactus on {start} {month} and then every {every} days. Watering number {times + 1} is in "
            f"{following}. On which day of {following}? ({month} has {length} days.)",
            f"A bill is paid on {start} {month} and again every {every} days. Payment number {times + 1} falls in "
            f"{following}. On which day of that month? ({month} has {length} days.)",
        )
    )
    return Story(
        text,
        day,
        (
            f"After the first there are {times} steps of {every} days: {times} * {every} = {times * every}.",
            f"{start} + {times * every} = {total}, counted from the start of {month}.",
            f"{total} - {length} = {day}.",
        ),
        {
            "takes one step too many": day + every,
            "takes the wrong length of the month": day - 1 if length == 30 else day + 1,
            "takes one step too few": day - every,
        },
    )


def _walk(random: Random) -> Story:
    speed, hours = 10 * random.randint(5, 12), random.randint(1, 4)
    minutes = random.choice((10, 15, 20, 30, 40, 45, 50))
    whole = hours * 60 + minutes
    metres = whole * speed
    name = random.choice(NAMES)
    text = random.choice(
        (
            f"{name} walks {speed} metres a minute for {hours} h {minutes} min. How many kilometres is that?",
            f"How many kilometres does {name} walk in {hours} h {minutes} min at {speed} metres a minute?",
        )
    )
    return Story(
        text,
        Fraction(metres, 1000),
        (
            f"The time is {hours} * 60 + {minutes} = {whole} minutes.",
            f"The way is {whole} * {speed} = {metres} metres.",
            f"In kilometres it is {metres} / 1000 = {decimal(Fraction(metres, 1000))}.",
        ),
        {
            "takes 100 minutes for an hour": Fraction((hours * 100 + minutes) * speed, 1000),
            "shifts the point": Fraction(metres, 100),
            "forgets the minutes": Fraction(hours * 60 * speed, 1000),
        },
    )


FAMILY = "units"
KINDS = (
    Kind("to_minutes", FAMILY, 1, "train", _to_minutes),
    Kind("to_small", FAMILY, 1, "test", _to_small),
    Kind("span", FAMILY, 2, "train", _span),
    Kind("weeks", FAMILY, 2, "development", _weeks),
    Kind("bottles", FAMILY, 3, "train", _bottles),
    Kind("film", FAMILY, 3, "test", _film),
    Kind("watering", FAMILY, 4, "train", _watering),
    Kind("walk", FAMILY, 4, "test", _walk),
)
