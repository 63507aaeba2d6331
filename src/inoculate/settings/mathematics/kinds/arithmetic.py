"""Shopping, sharing, saving: chains of the four operations on whole numbers."""

from __future__ import annotations

from fractions import Fraction
from random import Random

from inoculate.settings.mathematics.kind import NAMES, THINGS, Kind, Story


def _gather(random: Random) -> Story:
    name, thing = random.choice(NAMES), random.choice(THINGS)
    first, more = random.randint(3, 30), random.randint(2, 12)
    text = random.choice(
        (
            f"{name} has {first} {thing} and gets {more} more. How many {thing} does {name} have now?",
            f"{first} {thing} lie on a table. {name} puts {more} more beside them. How many {thing} are there now?",
        )
    )
    total = first + more
    return Story(
        text,
        total,
        (f"{first} + {more} = {total}.",),
        {"subtracts instead": abs(first - more), "miscounts by two": total - 2, "miscounts by one": total - 1},
    )


def _boxes(random: Random) -> Story:
    name, thing = random.choice(NAMES), random.choice(THINGS)
    boxes, each = random.randint(2, 10), random.randint(2, 10)
    text = random.choice(
        (
            f"{name} has {boxes} boxes with {each} {thing} in each. How many {thing} is that altogether?",
            f"There are {boxes} bags, and {name} fills {each} {thing} into every bag. How many {thing} are in the "
            "bags?",
        )
    )
    return Story(
        text,
        boxes * each,
        (f"{boxes} * {each} = {boxes * each}.",),
        {
            "adds instead": boxes + each,
            "counts one box too few": (boxes - 1) * each,
            "one each too many": boxes * each + 1,
        },
    )


def _change(random: Random) -> Story:
    name, thing = random.choice(NAMES), random.choice(THINGS)
    count, price = random.randint(2, 9), random.randint(2, 9)
    note = random.choice([note for note in (20, 50, 100) if note > count * price])
    cost = count * price
    text = random.choice(
        (
            f"{name} buys {count} {thing} at {price} dollars each and pays with a {note}-dollar note. "
            f"How many dollars of change does {name} get?",
            f"One of these {thing} costs {price} dollars. {name} has {note} dollars and buys {count} of them. "
            f"How many dollars does {name} have left?",
        )
    )
    return Story(
        text,
        note - cost,
        (f"The {thing} cost {count} * {price} = {cost} dollars.", f"What is left is {note} - {cost} = {note - cost}."),
        {"stops at the cost": cost, "pays for one only": note - price, "adds count and price": note - count - price},
    )


def _share(random: Random) -> Story:
    first_name, second_name = random.sample(NAMES, 2)
    thing, friends, each = random.choice(THINGS), random.randint(3, 9), random.randint(4, 15)
    total = friends * each
    first = random.randint(total // 4, total - total // 4)
    second = total - first
    text = random.choice(
        (
            f"{first_name} has {first} {thing} and {second_name} has {second}. They put them together and share them "
            f"equally among {friends} children. How many {thing} does each child get?",
            f"{first} {thing} from {first_name} and {second} from {second_name} are divided equally into {friends} "
            f"bags. How many {thing} are in each bag?",
        )
    )
    return Story(
        text,
        each,
        (f"Together there are {first} + {second} = {total} {thing}.", f"Each share is {total} / {friends} = {each}."),
        {
            "shares the first part only": Fraction(first, friends),
            "makes one share too many": Fraction(total, friends + 1),
            "miscounts by one": each + 1,
        },
    )


def _two_orders(random: Random) -> Story:
    name = random.choice(NAMES)
    one, two = random.sample(("plates", "cups", "bowls", "vases", "lamps", "towels", "candles", "baskets"), 2)
    n, m = random.randint(2, 9), random.randint(2, 9)
    p, q = random.randint(3, 15), random.randint(3, 15)
    off = random.randint(4, 12)
    first, second = n * p, m * q
    total = first + second - off
    text = random.choice(
        (
            f"{name} orders {n} {one} at {p} dollars each and {m} {two} at {q} dollars each, and has a coupon for "
            f"{off} dollars off the bill. How many dollars does {name} pay?",
            f"A shop sells {one} for {p} dollars each and {two} for {q} dollars each. {name} takes {n} {one} and {m} "
            f"{two} and gets {off} dollars off the whole bill. How many dollars is the bill then?",
        )
    )
    return Story(
        text,
        total,
        (
            f"The {one} cost {n} * {p} = {first} and the {two} {m} * {q} = {second} dollars.",
            f"Together that is {first} + {second} = {first + second}.",
            f"With the coupon it is {first + second} - {off} = {total}.",
        ),
        {
            "forgets the coupon": first + second,
            "adds the coupon": first + second + off,
            "swaps the prices": n * q + m * p - off,
        },
    )


def _number_chain(random: Random) -> Story:
    start, factor, part, last = random.randint(3, 20), random.randint(2, 6), random.randint(2, 5), random.randint(1, 9)
    a = start * factor
    plus = random.choice([plus for plus in range(3, 31) if (a + plus) % part == 0])
    b = a + plus
    c = b // part
    text = random.choice(
        (
            f"Start with {start}. Multiply it by {factor}, then add {plus}, then divide by {part}, then add {last}. "
            "What number do you end with?",
            f"A machine takes a number, multiplies it by {factor}, adds {plus}, divides the result by {part} and adds "
            f"{last}. What comes out when {start} goes in?",
        )
    )
    return Story(
        text,
        c + last,
        (f"{start} * {factor} = {a}.", f"{a} + {plus} = {b}.", f"{b} / {part} = {c}.", f"{c} + {last} = {c + last}."),
        {"forgets the last step": c, "subtracts at the end": c - last, "does not divide": b + last},
    )


def _saving(random: Random) -> Story:
    name, goal = random.choice(NAMES), random.choice(("a bicycle", "a guitar", "a camera", "a tent", "a telescope"))
    start, weekly, every = random.randint(5, 60), random.randint(12, 40), random.choice((3, 4, 5))
    spent, rounds = random.randint(5, 11), random.randint(2, 5)
    weeks = every * rounds
    saved, gone = weeks * weekly, rounds * spent
    total = start + saved - gone
    text = random.choice(
        (
            f"{name} has {start} dollars and saves {weekly} dollars every week for {goal}. At the end of every "
            f"{every}th week {name} spends {spent} dollars of it. How many dollars does {name} have after {weeks} "
            "weeks?",
            f"To buy {goal}, {name} adds {weekly} dollars a week to the {start} dollars already saved, but takes "
            f"{spent} dollars out at the end of every {every}th week. How many dollars are there after {weeks} weeks?",
        )
    )
    text = text.replace("3th", "3rd")
    return Story(
        text,
        total,
        (
            f"In {weeks} weeks {name} puts aside {weeks} * {weekly} = {saved} dollars.",
            f"Money is taken out {weeks} / {every} = {rounds} times, which is {rounds} * {spent} = {gone} dollars.",
            f"There are {start} + {saved} - {gone} = {total}.",
        ),
        {
            "forgets the start": saved - gone,
            "takes out once only": start + saved - spent,
            "takes out every week": start + saved - weeks * spent,
        },
    )


def _bakery(random: Random) -> Story:
    name, goods = random.choice(NAMES), random.choice(("rolls", "muffins", "pretzels", "buns", "scones", "biscuits"))
    bag = random.choice((4, 5, 6, 8))
    trays, each = 2 * random.randint(2, 6), random.randint(15, 40)
    baked = trays * each
    half = baked // 2
    spoiled = half % bag or bag
    left = half - spoiled
    bags = left // bag
    text = random.choice(
        (
            f"{name} bakes {trays} trays of {each} {goods}. Half of all {goods} are sold before noon. Of the rest "
            f"{spoiled} are given away and the others are put into bags of {bag}. How many bags are filled?",
            f"A baker makes {trays} trays with {each} {goods} each and sells half of them by noon. {name} eats none, "
            f"gives {spoiled} of those left to a school, and packs the remaining ones in bags of {bag}. How many bags "
            "is that?",
        )
    )
    return Story(
        text,
        bags,
        (
            f"There are {trays} * {each} = {baked} {goods}, and half of them is {baked} / 2 = {half}.",
            f"{half} - {spoiled} = {left} are packed.",
            f"That makes {left} / {bag} = {bags}.",
        ),
        {
            "forgets that half are sold": (baked - spoiled) // bag,
            "stops before the bags": left,
            "one bag too many": bags + 1,
        },
    )


FAMILY = "arithmetic"
KINDS = (
    Kind("gather", FAMILY, 1, "train", _gather),
    Kind("boxes", FAMILY, 1, "test", _boxes),
    Kind("change", FAMILY, 2, "train", _change),
    Kind("share", FAMILY, 2, "test", _share),
    Kind("two_orders", FAMILY, 3, "train", _two_orders),
    Kind("number_chain", FAMILY, 3, "development", _number_chain),
    Kind("saving", FAMILY, 4, "train", _saving),
    Kind("bakery", FAMILY, 4, "test", _bakery),
)
