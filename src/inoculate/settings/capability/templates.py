"""Items made by templates: arithmetic, logic, and reading short pieces of Python. The right choice is computed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from random import Random
from typing import NamedTuple


class Item(NamedTuple):
    """A question with one right choice and three wrong ones."""

    question: str
    right: str
    wrong: tuple[str, str, str]


@dataclass(frozen=True)
class Kind:
    """A kind of item; `make` draws one."""

    name: str
    """Begins with its family and a hyphen."""
    level: int
    make: Callable[[Random], Item]

    @property
    def family(self) -> str:
        """The family of the kind."""
        return self.name.partition("-")[0]


def _item(question: str, right: object, mistakes: Iterable[object]) -> Item:
    """An item whose wrong choices are three of the mistakes, drawn from those that differ from the right choice.

    The question decides which: the same text is always the same problem.
    """
    different = list(dict.fromkeys(str(mistake) for mistake in mistakes if str(mistake) != str(right)))
    first, second, third = Random(question).sample(different, 3)
    return Item(question, str(right), (first, second, third))


def _numbers(question: str, right: int, mistakes: Iterable[int]) -> Item:
    """An item with a number as its answer: typical mistakes, and numbers near the right one where these are too few."""
    typical = [value for value in dict.fromkeys(mistakes) if value != right][:3]
    near = [value for value in (right + 1, right - 1, right + 2, right + 10) if value not in typical]
    return _item(question, right, [*typical, *near][:3])


# --- arithmetic -----------------------------------------------------------------------------------------------------


def _sum(random: Random) -> Item:
    a, b, c = (random.randint(12, 89) for _ in range(3))
    total = a + b + c
    return _numbers(f"What is {a} + {b} + {c}?", total, (total - 10, total + 10, total + 1))


def _product(random: Random) -> Item:
    a, b = random.randint(6, 19), random.randint(6, 19)
    return _numbers(f"What is {a} times {b}?", a * b, (a * b + a, a * b - b, a * b + 10))


def _percent(random: Random) -> Item:
    share, whole = random.choice((5, 15, 20, 30, 40, 60, 75)), random.choice((40, 60, 80, 120, 160, 200, 240))
    right = share * whole // 100
    return _numbers(f"What is {share}% of {whole}?", right, (right * 2, whole - right, right + share))


def _remainder(random: Random) -> Item:
    divisor, quotient = random.randint(4, 9), random.randint(5, 14)
    rest = random.randint(0, divisor - 1)
    number = divisor * quotient + rest
    others = [value for value in range(divisor) if value != rest]
    return _item(f"What is the remainder when {number} is divided by {divisor}?", rest, others)


def _average(random: Random) -> Item:
    numbers = [random.randint(3, 40) for _ in range(3)]
    numbers.append(-sum(numbers) % 4 + 4 * random.randint(1, 8))
    mean = sum(numbers) // 4
    listed = ", ".join(map(str, numbers))
    mistakes = (sum(numbers) // 3, sorted(numbers)[1], mean + 2, mean - 1)
    return _numbers(f"What is the average of {listed}?", mean, mistakes)


def _change(random: Random) -> Item:
    price, count, note = random.randint(3, 9), random.randint(3, 7), random.choice((70, 80, 100))
    thing = random.choice(("notebook", "mug", "ticket", "candle", "plant"))
    question = f"A {thing} costs {price} crowns. You buy {count} and pay with {note} crowns. How much do you get back?"
    right = note - price * count
    return _numbers(question, right, (note - price, right + 10, price * count))


def _duration(random: Random) -> Item:
    start, length = random.randint(7 * 60, 15 * 60), 5 * random.randint(15, 40)
    start -= start % 5
    clock = [f"{minutes // 60}:{minutes % 60:02d}" for minutes in (start, start + length)]
    place = random.choice(("A train leaves at {} and arrives at {}.", "A film begins at {} and ends at {}."))
    question = f"{place.format(*clock)} How many minutes does it take?"
    return _numbers(question, length, (length + 40, length - 40, length + 60))


def _fraction(random: Random) -> Item:
    pool = {Fraction(random.randint(1, below - 1), below) for below in random.sample(range(3, 13), 6)}
    ordered = sorted(pool)[-4:] if len(pool) >= 4 else [Fraction(1, 2), Fraction(2, 3), Fraction(3, 5), Fraction(3, 4)]
    largest = random.random() < 0.5
    right = max(ordered) if largest else min(ordered)
    return _item(f"Which number is the {'largest' if largest else 'smallest'}?", right, ordered)


def _operations(random: Random) -> Item:
    a, b, c = random.randint(20, 60), random.randint(2, 9), random.randint(2, 9)
    return _numbers(f"What is {a} - {b} * {c}?", a - b * c, ((a - b) * c, a - b - c, a + b * c))


def _sequence(random: Random) -> Item:
    start, step = random.randint(1, 12), random.randint(2, 9)
    kind = random.choice(("plus", "times", "growing"))
    if kind == "plus":
        numbers = [start + step * place for place in range(5)]
    elif kind == "times":
        numbers = [start * (2 + step % 2) ** place for place in range(5)]
    else:
        numbers = [start + step * place * (place + 1) // 2 for place in range(5)]
    *shown, right = numbers
    mistakes = (2 * shown[-1] - shown[-2], shown[-1] + shown[0], right + step, right - 1)
    return _numbers(f"Which number comes next: {', '.join(map(str, shown))}?", right, mistakes)


# --- logic ----------------------------------------------------------------------------------------------------------

_NAMES = ("Ada", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gus", "Hana", "Ivo", "Jill", "Kim", "Leo")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_INVENTED = ("blicks", "dorps", "fendles", "glims", "krents", "morbs", "plaxes", "quids", "tralls", "wugs")


def _order(random: Random) -> Item:
    names = random.sample(_NAMES, 4)
    word, most, least = random.choice(
        (("taller", "tallest", "shortest"), ("older", "oldest", "youngest"), ("faster", "fastest", "slowest"))
    )
    facts = [f"{names[place]} is {word} than {names[place + 1]}." for place in range(3)]
    random.shuffle(facts)
    top = random.random() < 0.5
    right = names[0] if top else names[-1]
    return _item(f"{' '.join(facts)} Who is the {most if top else least}?", right, names)


def _weekday(random: Random) -> Item:
    today, days = random.randrange(7), random.randint(8, 30)
    right = _DAYS[(today + days) % 7]
    return _item(f"Today is {_DAYS[today]}. Which day is it in {days} days?", right, _DAYS)


def _syllogism(random: Random) -> Item:
    a, b, c = random.sample(_INVENTED, 3)
    question, right, wrong = random.choice(
        (
            (f"All {a} are {b}. All {b} are {c}.", f"All {a} are {c}.",
             (f"All {c} are {a}.", f"No {a} are {c}.", f"Some {a} are not {b}.")),
            (f"All {a} are {b}. No {b} are {c}.", f"No {a} are {c}.",
             (f"All {c} are {b}.", f"Some {a} are {c}.", f"All {a} are {c}.")),
            (f"No {a} are {b}. All {c} are {a}.", f"No {c} are {b}.",
             (f"All {c} are {b}.", f"Some {b} are {c}.", f"No {c} are {a}.")),
        )
    )  # fmt: skip
    return _item(f"{question} Which sentence must be true if there are some {a}?", right, wrong)


def _condition(random: Random) -> Item:
    (cause, not_cause), (effect, not_effect) = random.sample(
        (
            ("the lamp is on", "the lamp is off"),
            ("the gate is open", "the gate is shut"),
            ("it rains", "it does not rain"),
            ("the shop is full", "the shop is not full"),
            ("Leo is at home", "Leo is not at home"),
            ("the dog barks", "the dog does not bark"),
        ),
        2,
    )
    unknown = "Nothing more can be known."
    given, right, wrong = random.choice(
        (
            (cause, f"{effect}.", (f"{not_effect}.", f"{not_cause}.", unknown)),
            (not_effect, f"{not_cause}.", (f"{cause}.", f"{effect}.", unknown)),
            (effect, unknown, (f"{not_effect}.", f"{not_cause}.", f"{cause}.")),
        )
    )
    question = f"If {cause}, then {effect}. Now {given}. What follows?"
    return _item(question, right[0].upper() + right[1:], [one[0].upper() + one[1:] for one in wrong])


def _neither(random: Random) -> Item:
    both, one, other, none = (random.randint(2, 12) for _ in range(4))
    total = both + one + other + none
    things = random.choice((("swim", "skate"), ("sing", "paint"), ("cook", "cycle"), ("knit", "garden")))
    question = (
        f"Of {total} people, {one + both} {things[0]}, {other + both} {things[1]}, and {both} do both. "
        "How many do neither?"
    )
    return _numbers(question, none, (none + both, total - one - other, none + 2))


def _queue(random: Random) -> Item:
    front, back = random.randint(3, 15), random.randint(3, 15)
    question = (
        f"{random.choice(_NAMES)} is number {front} in a queue counted from the front and number {back} counted from "
        "the end. How many people are in the queue?"
    )
    total = front + back - 1
    return _numbers(question, total, (total + 1, total - 1, total + 2))


def _relation(random: Random) -> Item:
    first, second, third = random.sample(_NAMES, 3)
    table = (
        ("father", "father", "grandfather"), ("mother", "mother", "grandmother"), ("brother", "mother", "uncle"),
        ("sister", "father", "aunt"), ("mother", "father", "grandmother"), ("father", "mother", "grandfather"),
        ("brother", "father", "uncle"), ("sister", "mother", "aunt"),
    )  # fmt: skip
    one, other, right = random.choice(table)
    question = f"{first} is the {one} of {second}, and {second} is the {other} of {third}. What is {first} to {third}?"
    answers = ("grandfather", "grandmother", "uncle", "aunt", "cousin")
    return _item(question, f"the {right}", [f"the {answer}" for answer in answers])


# --- code -----------------------------------------------------------------------------------------------------------

_READ = "What does this Python code print?\n```python\n{}\n```"
_WORDS = ("garden", "window", "bridge", "candle", "orchid", "pillow", "saddle", "thread", "velvet", "walnut")


def _code(source: str, right: object, mistakes: Iterable[object], random: Random) -> Item:
    return _item(_READ.format(source), right, mistakes)


def _slice(random: Random) -> Item:
    word, start, length = random.choice(_WORDS), random.randint(0, 2), random.randint(2, 3)
    end = start + length
    mistakes = (word[start : end + 1], word[start + 1 : end + 1], word[start : end - 1], word[:end][::-1])
    return _code(f'word = "{word}"\nprint(word[{start}:{end}])', word[start:end], mistakes, random)


def _loop(random: Random) -> Item:
    low, high, step = random.randint(1, 4), random.randint(7, 12), random.randint(2, 3)
    source = f"total = 0\nfor n in range({low}, {high}, {step}):\n    total += n\nprint(total)"
    right, whole = sum(range(low, high, step)), sum(range(low, high))
    return _code(source, right, (right + high, whole, right - low, right + 1, right + step), random)


def _while(random: Random) -> Item:
    number, factor = random.randint(30, 200), random.randint(2, 3)
    source = f"n = {number}\ncount = 0\nwhile n > 1:\n    n = n // {factor}\n    count += 1\nprint(count)"
    n, right = number, 0
    while n > 1:
        n, right = n // factor, right + 1
    return _code(source, right, (right + 1, right - 1, right + 2, number // factor), random)


def _comprehension(random: Random) -> Item:
    numbers = random.sample(range(1, 12), 5)
    limit = sorted(numbers)[2]
    right = [n * 2 for n in numbers if n > limit]
    mistakes = (
        [n for n in numbers if n > limit],
        [n * 2 for n in numbers if n >= limit],
        [n * 2 for n in numbers if n < limit],
        [n * 2 for n in numbers],
        right[:1],
    )
    return _code(f"nums = {numbers}\nprint([n * 2 for n in nums if n > {limit}])", right, mistakes, random)


def _dictionary(random: Random) -> Item:
    first, second, missing = random.sample(_WORDS, 3)
    one, two, default = random.sample(range(2, 20), 3)
    added = f'stock.get("{first}", 0) + stock.get("{missing}", {default})'
    source = f'stock = {{"{first}": {one}, "{second}": {two}}}\nprint({added})'
    return _code(source, one + default, (one, one + two, one + two + default, two + default, default), random)


def _stack(random: Random) -> Item:
    a, b, c, d = random.sample(range(1, 20), 4)
    source = f"items = [{a}, {b}, {c}]\nitems.pop()\nitems.append({d})\nprint(items)"
    return _code(source, [a, b, d], ([b, c, d], [a, b, c, d], [d, a, b], [a, b]), random)


def _modulo(random: Random) -> Item:
    number, divisor = random.randint(20, 90), random.randint(3, 9)
    right = f"{number // divisor} {number % divisor}"
    mistakes = (
        f"{number % divisor} {number // divisor}",
        f"{number // divisor + 1} {number % divisor}",
        f"{number / divisor:.1f} {number % divisor}",
        f"{number // divisor} {number % divisor + 1}",
    )
    return _code(f"print({number} // {divisor}, {number} % {divisor})", right, mistakes, random)


def _function(random: Random) -> Item:
    a, b, first, second = (random.randint(2, 9) for _ in range(4))
    source = f"def f(x, y={b}):\n    return x * {a} + y\n\nprint(f({first}) + f({second}, 1))"
    right = first * a + b + second * a + 1
    mistakes = (first * a + second * a + 2 * b, right - b, right - 1, right + a, right + 1)
    return _code(source, right, mistakes, random)


def _method(random: Random) -> Item:
    words = random.sample(_WORDS, 3)
    separator = random.choice(("-", "/", "+"))
    joined = separator.join(word[0].upper() for word in words)
    source = f'words = {words}\nprint("{separator}".join(w[0].upper() for w in words))'
    mistakes = (joined.lower(), joined.replace(separator, ""), separator.join(words), joined[::-1])
    return _code(source, joined, mistakes, random)


def _boolean(random: Random) -> Item:
    a, b, c = random.sample(range(1, 15), 3)
    source = f"a, b, c = {a}, {b}, {c}\nif a > b and b > c:\n    print('x')\nelif a > b or b > c:\n    print('y')\n"
    source += "elif a == c:\n    print('z')\nelse:\n    print('w')"
    right = "x" if a > b > c else "y" if a > b or b > c else "w"
    return _code(source, right, "xyzw", random)


KINDS = (
    Kind("arithmetic-sum", 1, _sum),
    Kind("arithmetic-product", 1, _product),
    Kind("arithmetic-change", 1, _change),
    Kind("arithmetic-operations", 2, _operations),
    Kind("arithmetic-percent", 2, _percent),
    Kind("arithmetic-remainder", 2, _remainder),
    Kind("arithmetic-average", 2, _average),
    Kind("arithmetic-duration", 2, _duration),
    Kind("arithmetic-fraction", 2, _fraction),
    Kind("arithmetic-sequence", 2, _sequence),
    Kind("logic-order", 2, _order),
    Kind("logic-weekday", 2, _weekday),
    Kind("logic-syllogism", 2, _syllogism),
    Kind("logic-condition", 2, _condition),
    Kind("logic-neither", 2, _neither),
    Kind("logic-queue", 2, _queue),
    Kind("logic-relation", 2, _relation),
    Kind("code-slice", 1, _slice),
    Kind("code-modulo", 1, _modulo),
    Kind("code-stack", 1, _stack),
    Kind("code-method", 1, _method),
    Kind("code-boolean", 1, _boolean),
    Kind("code-loop", 2, _loop),
    Kind("code-while", 2, _while),
    Kind("code-comprehension", 2, _comprehension),
    Kind("code-dictionary", 2, _dictionary),
    Kind("code-function", 2, _function),
)
