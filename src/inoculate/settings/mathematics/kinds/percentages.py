"""Percentages: shares, discounts, changes one after another."""

from __future__ import annotations

from fractions import Fraction
from random import Random

from inoculate.settings.mathematics.kind import NAMES, Kind, Story

GOODS = (
    "coat",
    "lamp",
    "chair",
    "backpack",
    "radio",
    "watch",
    "drill",
    "kettle",
    "pair of boots",
    "rug",
    "tent",
    "desk",
)


def _percent_of(random: Random) -> Story:
    percent, number = random.choice((10, 20, 50)), 10 * random.randint(2, 30)
    what, do = random.choice(
        (("pupils at a school", "come by bicycle"), ("seats in a hall", "are taken"), ("trees in a park", "are oaks"))
    )
    answer = number * percent // 100
    text = random.choice(
        (
            f"What is {percent}% of {number}?",
            f"Of the {number} {what}, {percent}% {do}. How many is that?",
        )
    )
    return Story(
        text,
        answer,
        (f"{percent}% of {number} is {number} * {percent} / 100 = {answer}.",),
        {
            "takes the rest": number - answer,
            "shifts the point": answer * 10,
            "divides by the percent": Fraction(number, percent),
        },
    )


def _what_percent(random: Random) -> Story:
    whole = random.choice((10, 20, 25, 50, 200))
    part = random.choice([part for part in range(1, whole) if part * 100 % whole == 0 and part * 2 != whole])
    who, do = random.choice(
        (("members of a club", "can swim"), ("apples in a crate", "are green"), ("houses in a street", "have a garden"))
    )
    answer = part * 100 // whole
    return Story(
        f"{part} of the {whole} {who} {do}. What percent is that?",
        answer,
        (f"{part} / {whole} * 100 = {answer}.",),
        {"takes the rest": 100 - answer, "gives the number": part, "halves it": Fraction(answer, 2)},
    )


def _discount(random: Random) -> Story:
    goods, price, percent = random.choice(GOODS), 20 * random.randint(2, 20), random.choice((5, 10, 15, 20, 25, 30, 40))
    off = price * percent // 100
    text = random.choice(
        (
            f"A {goods} costs {price} dollars. In a sale it is {percent}% cheaper. How many dollars is it then?",
            f"The price of a {goods} is {price} dollars, and today there is a discount of {percent}%. How many dollars "
            "does it cost today?",
        )
    )
    return Story(
        text,
        price - off,
        (
            f"The discount is {price} * {percent} / 100 = {off} dollars.",
            f"The price is {price} - {off} = {price - off}.",
        ),
        {"gives the discount": off, "adds the discount": price + off, "takes dollars for percent": price - percent},
    )


def _raise(random: Random) -> Story:
    name, wage, percent = random.choice(NAMES), 20 * random.randint(20, 150), random.choice((5, 10, 15, 20, 25))
    more = wage * percent // 100
    text = random.choice(
        (
            f"{name} earns {wage} dollars a month and gets a raise of {percent}%. How many dollars a month is that "
            "now?",
            f"{name}'s rent was {wage} dollars a month and goes up by {percent}%. How many dollars is the new rent?",
        )
    )
    return Story(
        text,
        wage + more,
        (
            f"{percent}% of {wage} is {wage} * {percent} / 100 = {more}.",
            f"The new amount is {wage} + {more} = {wage + more}.",
        ),
        {"gives the increase": more, "subtracts it": wage - more, "takes dollars for percent": wage + percent},
    )


def _discount_and_coupon(random: Random) -> Story:
    goods, count = random.choice(("chairs", "lamps", "shirts", "books", "mugs", "rackets")), random.randint(2, 6)
    price, percent = 20 * random.randint(1, 8), random.choice((5, 10, 15, 20, 25, 30))
    full = count * price
    off = full * percent // 100
    coupon = random.randint(2, 9)
    total = full - off - coupon
    name = random.choice(NAMES)
    text = random.choice(
        (
            f"{name} buys {count} {goods} at {price} dollars each. There is {percent}% off the total, and after that a "
            f"coupon takes another {coupon} dollars off. How many dollars does {name} pay?",
            f"{count} {goods} at {price} dollars each go on a bill. First {percent}% is taken off, then {name} hands "
            f"in a coupon worth {coupon} dollars. How many dollars remain to be paid?",
        )
    )
    return Story(
        text,
        total,
        (
            f"The {goods} cost {count} * {price} = {full} dollars.",
            f"The discount is {full} * {percent} / 100 = {off}, which leaves {full} - {off} = {full - off}.",
            f"With the coupon it is {full - off} - {coupon} = {total}.",
        ),
        {
            "forgets the coupon": full - off,
            "takes the percent of one": full - price * percent // 100 - coupon,
            "adds the coupon": full - off + coupon,
        },
    )


def _before_discount(random: Random) -> Story:
    goods, percent = random.choice(GOODS), random.choice((10, 20, 25, 40, 50))
    price = 20 * random.randint(2, 25)
    now = price * (100 - percent) // 100
    text = random.choice(
        (
            f"After a discount of {percent}% a {goods} costs {now} dollars. How many dollars did it cost before?",
            f"A {goods} is sold for {now} dollars, which is {percent}% less than its old price. What was the old price "
            "in dollars?",
        )
    )
    return Story(
        text,
        price,
        (
            f"{now} dollars are 100 - {percent} = {100 - percent} percent of the old price.",
            f"The old price was {now} * 100 / {100 - percent} = {price}.",
        ),
        {
            "adds the percent of the new price": Fraction(now * (100 + percent), 100),
            "takes it off again": Fraction(now * (100 - percent), 100),
            "takes dollars for percent": now + percent,
        },
    )


def _up_then_down(random: Random) -> Story:
    base = 400 * random.randint(1, 12)
    up, down = random.choice((10, 20, 25, 50)), random.choice((5, 10, 20, 25, 40))
    higher = base * (100 + up) // 100
    answer = higher * (100 - down) // 100
    what = random.choice(("village has {} inhabitants", "club has {} members", "web page has {} readers a day"))
    unit = {"village": "inhabitants", "club": "members", "web": "readers a day"}[what.split()[0]]
    text = random.choice(
        (
            f"A {what.format(base)}. In one year the number rises by {up}%, in the next it falls by {down}%. How many "
            f"{unit} are there then?",
            f"A {what.format(base)}. The number first goes up by {up}% and then goes down by {down}% of what it has "
            f"become. How many {unit} are left?",
        )
    )
    return Story(
        text,
        answer,
        (
            f"After the rise there are {base} * {100 + up} / 100 = {higher}.",
            f"The fall leaves 100 - {down} = {100 - down} percent of these.",
            f"{higher} * {100 - down} / 100 = {answer}.",
        ),
        {
            "takes both percents of the start": base * (100 + up - down) // 100,
            "stops after the rise": higher,
            "forgets the rise": base * (100 - down) // 100,
        },
    )


def _percent_of_rest(random: Random) -> Story:
    name, money = random.choice(NAMES), 400 * random.randint(1, 12)
    first, second = random.choice((10, 20, 25, 40, 50)), random.choice((5, 10, 20, 25, 30, 40))
    rest = money * (100 - first) // 100
    answer = rest * (100 - second) // 100
    one, two = random.sample(("rent", "food", "a journey", "books", "repairs", "music lessons"), 2)
    text = random.choice(
        (
            f"{name} has {money} dollars and spends {first}% of it on {one}. Of what remains, {second}% goes to {two}. "
            f"How many dollars does {name} still have?",
            f"Of {money} dollars, {name} uses {first}% for {one} and then {second}% of the rest for {two}. How many "
            "dollars are left in the end?",
        )
    )
    return Story(
        text,
        answer,
        (
            f"After {one} there are {money} * {100 - first} / 100 = {rest} dollars.",
            f"Of these, {rest} * {second} / 100 = {rest - answer} go to {two}.",
            f"{rest} - {rest - answer} = {answer}.",
        ),
        {
            "takes both percents of the whole": money * (100 - first - second) // 100,
            "stops after the first": rest,
            "gives the second expense": rest - answer,
        },
    )


FAMILY = "percentages"
KINDS = (
    Kind("percent_of", FAMILY, 1, "train", _percent_of),
    Kind("what_percent", FAMILY, 1, "development", _what_percent),
    Kind("discount", FAMILY, 2, "train", _discount),
    Kind("raise", FAMILY, 2, "test", _raise),
    Kind("discount_and_coupon", FAMILY, 3, "train", _discount_and_coupon),
    Kind("before_discount", FAMILY, 3, "test", _before_discount),
    Kind("up_then_down", FAMILY, 4, "train", _up_then_down),
    Kind("percent_of_rest", FAMILY, 4, "test", _percent_of_rest),
)
