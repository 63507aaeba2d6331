"""Lengths, areas, volumes, right triangles."""

from __future__ import annotations

from fractions import Fraction
from random import Random

from inoculate.settings.mathematics.kind import NAMES, Kind, Story


def _rectangle(random: Random) -> Story:
    what = random.choice(("A garden", "A floor", "A sheet of glass", "A field", "A wall", "A carpet"))
    a, b = random.randint(3, 12), random.randint(2, 10)
    text = random.choice(
        (
            f"{what} is a rectangle, {a} m long and {b} m wide. What is its area in square metres?",
            f"{what} has the shape of a rectangle with sides of {a} m and {b} m. How many square metres is it?",
        )
    )
    return Story(
        text,
        a * b,
        (f"{a} * {b} = {a * b}.",),
        {"gives the perimeter": 2 * (a + b), "adds the sides": a + b, "slips in the product": a * b - b},
    )


def _polygon(random: Random) -> Story:
    name, sides = random.choice(
        (("square", 4), ("regular pentagon", 5), ("regular hexagon", 6), ("regular octagon", 8))
    )
    side = random.randint(2, 30)
    text = random.choice(
        (
            f"Every side of a {name}, which has {sides} sides, is {side} cm long. What is its perimeter in "
            "centimetres?",
            f"A wire is bent into a {name} ({sides} equal sides) with sides of {side} cm. How many centimetres of wire "
            "is that?",
        )
    )
    return Story(
        text,
        sides * side,
        (f"{sides} * {side} = {sides * side}.",),
        {"forgets a side": (sides - 1) * side, "squares the side": side * side, "adds instead": sides + side},
    )


def _missing_side(random: Random) -> Story:
    a, b = random.randint(4, 40), random.randint(3, 30)
    around = 2 * (a + b)
    text = random.choice(
        (
            f"The perimeter of a rectangle is {around} cm. One side is {a} cm long. How long is the other side, in "
            "centimetres?",
            f"A fence of {around} m goes all around a rectangular field that is {a} m long. How many metres wide is "
            "the field?",
        )
    )
    return Story(
        text,
        b,
        (f"Two neighbouring sides are {around} / 2 = {a + b}.", f"The other side is {a + b} - {a} = {b}."),
        {"takes one side from the whole": around - a, "forgets to halve": around - 2 * a, "stops at the half": a + b},
    )


def _triangle(random: Random) -> Story:
    base, height = random.choice([(b, h) for b in range(3, 31) for h in range(3, 31) if b * h % 2 == 0])
    what = random.choice(("A triangle", "A triangular sail", "A triangular flag", "A triangular plot"))
    unit = random.choice(("cm", "m"))
    square = {"cm": "square centimetres", "m": "square metres"}[unit]
    return Story(
        f"{what} has a base of {base} {unit} and a height of {height} {unit}. What is its area in {square}?",
        base * height // 2,
        (f"{base} * {height} = {base * height}.", f"Half of that is {base * height} / 2 = {base * height // 2}."),
        {
            "forgets to halve": base * height,
            "adds the lengths": base + height,
            "halves one sum": Fraction(base + height, 2),
        },
    )


def _cut_corner(random: Random) -> Story:
    a, b = random.randint(8, 30), random.randint(8, 30)
    c, d = random.randint(2, 7), random.randint(2, 7)
    whole, out = a * b, c * d
    text = random.choice(
        (
            f"From a rectangular board of {a} cm by {b} cm a rectangular corner of {c} cm by {d} cm is cut off. How "
            "many square centimetres are left?",
            f"A room is {a} m by {b} m, but a rectangle of {c} m by {d} m in one corner does not belong to it. What is "
            "the room's area in square metres?",
        )
    )
    return Story(
        text,
        whole - out,
        (
            f"The whole rectangle is {a} * {b} = {whole}.",
            f"The corner is {c} * {d} = {out}.",
            f"{whole} - {out} = {whole - out}.",
        ),
        {"adds the corner": whole + out, "forgets the corner": whole, "shortens both sides": (a - c) * (b - d)},
    )


def _tiles(random: Random) -> Story:
    side = random.choice((20, 25, 50))
    a, b = random.randint(2, 9), random.randint(2, 9)
    along, across = a * 100 // side, b * 100 // side
    text = random.choice(
        (
            f"A floor of {a} m by {b} m is covered with square tiles with sides of {side} cm. How many tiles are "
            "needed?",
            f"How many square tiles with a side of {side} cm cover a terrace of {a} m by {b} m?",
        )
    )
    return Story(
        text,
        along * across,
        (
            f"Along one side there are {a} * 100 / {side} = {along} tiles.",
            f"Along the other there are {b} * 100 / {side} = {across}.",
            f"{along} * {across} = {along * across}.",
        ),
        {
            "divides by the side once": a * b * 100 // side,
            "adds the rows": along + across,
            "forgets a row": (along - 1) * across,
        },
    )


def _ladder(random: Random) -> Story:
    p, q, r = random.choice(((3, 4, 5), (5, 12, 13), (8, 15, 17), (7, 24, 25), (20, 21, 29), (9, 40, 41)))
    times = random.randint(1, 8)
    a, b, c = p * times, q * times, r * times
    if random.random() < 0.5:
        a, b = b, a
    unit = random.choice(("cm", "dm", "m"))
    thing = random.choice(("ladder", "beam", "rope", "plank"))
    text = random.choice(
        (
            f"A straight {thing} of {c} {unit} goes from the level ground to a point on an upright wall. Its lower end "
            f"is {a} {unit} from the wall. How high above the ground is its upper end, in {unit}?",
            f"A right triangle has a longest side of {c} {unit} and another side of {a} {unit}. How long is the third "
            f"side, in {unit}?",
        )
    )
    return Story(
        text,
        b,
        (
            f"{c} * {c} = {c * c} and {a} * {a} = {a * a}.",
            f"The difference is {c * c} - {a * a} = {b * b}.",
            f"Since {b} * {b} = {b * b}, it is {b}.",
        ),
        {"subtracts the lengths": c - a, "takes the known side": a, "is out by the factor": b + times},
    )


def _path_around(random: Random) -> Story:
    a, b, w = random.randint(5, 25), random.randint(5, 25), random.randint(1, 3)
    inner, outer = a * b, (a + 2 * w) * (b + 2 * w)
    what = random.choice(("garden", "pond", "lawn", "pool"))
    text = random.choice(
        (
            f"A rectangular {what} of {a} m by {b} m has a path around it that is {w} m wide everywhere, corners "
            "included. What is the area of the path in square metres?",
            f"Around a {what}, a rectangle of {a} m by {b} m, runs a path of {w} m width; path and {what} together are "
            "a larger rectangle. How many square metres is the path?",
        )
    )
    return Story(
        text,
        outer - inner,
        (
            f"The outer sides are {a} + 2 * {w} = {a + 2 * w} and {b} + 2 * {w} = {b + 2 * w}.",
            f"The areas are {a + 2 * w} * {b + 2 * w} = {outer} and {a} * {b} = {inner}.",
            f"{outer} - {inner} = {outer - inner}.",
        ),
        {
            "widens on one side only": (a + w) * (b + w) - inner,
            "forgets the corners": 2 * w * (a + b),
            "gives the outer area": outer,
        },
    )


def _stones(random: Random) -> Story:
    name = random.choice(NAMES)
    a, b = 5 * random.randint(2, 10), 5 * random.randint(2, 8)
    count = random.choice((2, 4, 5, 10))
    low, rise = random.randint(8, 20), random.choice((2, 4, 6))
    while a * b * rise % count:
        rise += 1
    volume = a * b * rise
    one = volume // count
    text = random.choice(
        (
            f"A tank has a base of {a} cm by {b} cm. {name} puts {count} equal stones in, all under water, and the "
            f"water rises from {low} cm to {low + rise} cm. What is the volume of one stone in cubic centimetres?",
            f"In a box-shaped tank of {a} cm by {b} cm the water stands {low} cm high. With {count} equal stones lying "
            f"under water it stands {low + rise} cm high. How many cubic centimetres does one stone have?",
        )
    )
    return Story(
        text,
        one,
        (
            f"The water rises by {low + rise} - {low} = {rise} cm.",
            f"That is {a} * {b} * {rise} = {volume} cubic centimetres.",
            f"One stone has {volume} / {count} = {one}.",
        ),
        {
            "gives all stones": volume,
            "takes the whole height": Fraction(a * b * (low + rise), count),
            "forgets a side of the base": Fraction(a * rise, count),
        },
    )


FAMILY = "geometry"
KINDS = (
    Kind("rectangle", FAMILY, 1, "train", _rectangle),
    Kind("polygon", FAMILY, 1, "test", _polygon),
    Kind("missing_side", FAMILY, 2, "train", _missing_side),
    Kind("triangle", FAMILY, 2, "test", _triangle),
    Kind("cut_corner", FAMILY, 3, "train", _cut_corner),
    Kind("tiles", FAMILY, 3, "development", _tiles),
    Kind("ladder", FAMILY, 3, "test", _ladder),
    Kind("path_around", FAMILY, 4, "train", _path_around),
    Kind("stones", FAMILY, 4, "test", _stones),
)
