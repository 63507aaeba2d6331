"""Number theory: remainders, divisors, multiples, primes, digits."""

from __future__ import annotations

from fractions import Fraction
from math import gcd, isqrt, lcm
from random import Random

from inoculate.settings.mathematics.kind import NAMES, Kind, Story


def _remainder(random: Random) -> Story:
    d, q = random.randint(2, 9), random.randint(2, 9)
    r = random.randint(1, d - 1)
    n = d * q + r
    text = random.choice(
        (
            f"What is the remainder when {n} is divided by {d}?",
            f"{n} eggs are put into boxes of {d}. How many eggs are left over when no more full box can be made?",
        )
    )
    return Story(
        text,
        r,
        (f"{d} * {q} = {d * q}, and {n} - {d * q} = {r}.",),
        {"gives the quotient": q, "gives what is missing": d - r, "miscounts by one": r + 1},
    )


def _next_multiple(random: Random) -> Story:
    d, q = random.randint(2, 10), random.randint(2, 10)
    n = d * q + random.randint(1, d - 1)
    text = random.choice(
        (
            f"What is the smallest multiple of {d} that is greater than {n}?",
            f"Which is the first number after {n} that can be divided by {d} without a remainder?",
        )
    )
    return Story(
        text,
        d * (q + 1),
        (f"{d} * {q} = {d * q} is not greater than {n}, so it is {d} * {q + 1} = {d * (q + 1)}.",),
        {"takes the multiple below": d * q, "adds the divisor": n + d, "takes one too far": d * (q + 2)},
    )


def _gcd(random: Random) -> Story:
    name, g = random.choice(NAMES), random.randint(3, 15)
    a, b = random.choice([(a, b) for a in range(2, 9) for b in range(2, 9) if a != b and gcd(a, b) == 1])
    x, y = g * a, g * b
    text = random.choice(
        (
            f"What is the greatest common divisor of {x} and {y}?",
            f"{name} has {x} red and {y} blue beads and makes as many equal chains as possible, using all of them. How "
            "many chains are made?",
        )
    )
    return Story(
        text,
        g,
        (f"{x} = {g} * {a} and {y} = {g} * {b}.", f"{a} and {b} have no common divisor, so it is {g}."),
        {
            "takes the difference": abs(x - y),
            "takes the common multiple": lcm(x, y),
            "takes half of it": Fraction(g, 2),
        },
    )


def _digit_sum(random: Random) -> Story:
    digits = [random.randint(1, 9), *(random.randint(0, 9) for _ in range(random.randint(2, 4)))]
    number = "".join(map(str, digits))
    total = sum(digits)
    text = random.choice(
        (f"What is the sum of the digits of {number}?", f"Add up all digits of the number {number}. What do you get?")
    )
    return Story(
        text,
        total,
        (f"{' + '.join(map(str, digits))} = {total}.",),
        {
            "forgets the last digit": total - digits[-1],
            "forgets the first digit": total - digits[0],
            "miscounts": total + 1,
        },
    )


def _bells(random: Random) -> Story:
    a, b = random.choice([(a, b) for a in range(4, 25) for b in range(a + 1, 31) if 1 < gcd(a, b) < a])
    what, act = random.choice((("bells", "ring"), ("lamps", "flash"), ("buses", "leave"), ("pumps", "start")))
    both = lcm(a, b)
    text = random.choice(
        (
            f"Two {what} {act} together at noon, and then one every {a} minutes and the other every {b} minutes. After "
            f"how many minutes do they {act} together again?",
            f"One of two {what} is set to {act} every {a} minutes, the other every {b} minutes. They {act} together "
            "now. How many minutes pass until they do so the next time?",
        )
    )
    shared = gcd(a, b)
    return Story(
        text,
        both,
        (
            "The time must be the smallest multiple of both.",
            f"The greatest common divisor of {a} and {b} is {shared}.",
            f"The smallest common multiple is {a} * {b} / {shared} = {both}.",
        ),
        {"multiplies": a * b, "adds": a + b, "takes the common divisor": shared},
    )


def _divisors(random: Random) -> Story:
    n = random.choice([n for n in range(12, 121) if sum(n % d == 0 for d in range(1, n + 1)) in range(5, 13)])
    found = [d for d in range(1, n + 1) if n % d == 0]
    text = random.choice(
        (
            f"How many positive whole numbers divide {n} without a remainder, 1 and {n} included?",
            f"How many different divisors does {n} have, counting 1 and {n} itself?",
        )
    )
    return Story(
        text,
        len(found),
        (f"The divisors are {', '.join(map(str, found))}.", f"Counted, they are {len(found)}."),
        {
            "leaves out 1 and the number": len(found) - 2,
            "leaves out the number": len(found) - 1,
            "counts one twice": len(found) + 1,
        },
    )


def _is_prime(n: int) -> bool:
    return n > 1 and all(n % d for d in range(2, isqrt(n) + 1))


def _next_prime(random: Random) -> Story:
    n = random.choice([n for n in range(20, 400) if not _is_prime(n + 1) and not _is_prime(n + 2)])
    prime = next(p for p in range(n + 1, 2 * n) if _is_prime(p))
    passed = [
        f"{k} = {d} * {k // d}" for k in range(n + 1, prime) for d in [next(d for d in range(2, k) if k % d == 0)]
    ]
    odd = [k for k in range(n + 1, prime) if k % 2]
    text = random.choice(
        (f"What is the smallest prime number greater than {n}?", f"Which prime number comes next after {n}?")
    )
    return Story(
        text,
        prime,
        (f"No primes: {', '.join(passed)}.", f"The next prime is {prime}."),
        {
            "takes a number that is no prime": odd[-1] if odd else prime - 1,
            "skips one prime": next(p for p in range(prime + 1, 2 * prime) if _is_prime(p)),
        },
    )


def _last_digit(random: Random) -> Story:
    base, power = random.choice((2, 3, 7, 8, 12, 13, 17, 18, 22, 23, 27, 28)), random.randint(11, 60)
    last, cycle = base % 10, [pow(base, k, 10) for k in range(1, 5)]
    answer = pow(base, power, 10)
    place = (power - 1) % 4
    text = random.choice(
        (
            f"What is the last digit of {base} to the power of {power}?",
            f"{base} is multiplied by itself until the product has {power} factors of {base}. What is the product's "
            "last digit?",
        )
    )
    return Story(
        text,
        answer,
        (
            f"The last digits of the powers go {', '.join(map(str, cycle))} and then repeat, since {base} ends in "
            f"{last}.",
            f"{power} has the remainder {power % 4} when divided by 4.",
            f"So it is the last digit of power {place + 1}, which is {answer}.",
        ),
        {
            "takes the power after": cycle[(place + 1) % 4],
            "takes the power before": cycle[place - 1],
            "takes the first": cycle[0],
        },
    )


def _two_remainders(random: Random) -> Story:
    a, b = random.choice([(a, b) for a in range(3, 10) for b in range(a + 1, 13) if gcd(a, b) == 1])
    answer = random.randint(b + 1, a * b - 1)
    while answer % a == 0 or answer % b == 0:
        answer += 1
    r, s = answer % a, answer % b
    tried = list(range(s, answer + 1, b))
    text = random.choice(
        (
            f"What is the smallest positive whole number that leaves the remainder {r} when divided by {a} and the "
            f"remainder {s} when divided by {b}?",
            f"Someone counts chairs: rows of {a} leave {r} over, and rows of {b} leave {s} over. "
            "What is the smallest possible number of chairs?",
        )
    )
    shown = ", ".join(map(str, tried[-4:]))
    return Story(
        text,
        answer,
        (
            f"Numbers with the remainder {s} when divided by {b}: {'..., ' if len(tried) > 4 else ''}{shown}.",
            f"{answer} = {a} * {answer // a} + {r} also has the remainder {r} when divided by {a}.",
            f"No smaller one does, so it is {answer}.",
        ),
        {
            "takes the next one": answer + a * b,
            "looks at the second condition only": s + b if s + b != answer else s,
            "adds the remainders to the product": a * b + r + s,
        },
    )


FAMILY = "numbers"
KINDS = (
    Kind("remainder", FAMILY, 1, "train", _remainder),
    Kind("next_multiple", FAMILY, 1, "test", _next_multiple),
    Kind("gcd", FAMILY, 2, "train", _gcd),
    Kind("digit_sum", FAMILY, 2, "test", _digit_sum),
    Kind("bells", FAMILY, 3, "train", _bells),
    Kind("divisors", FAMILY, 3, "development", _divisors),
    Kind("next_prime", FAMILY, 3, "test", _next_prime),
    Kind("last_digit", FAMILY, 4, "train", _last_digit),
    Kind("two_remainders", FAMILY, 4, "test", _two_remainders),
)
