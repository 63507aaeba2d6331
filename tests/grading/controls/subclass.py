# control: honest, with an int of a class of its own
from enum import IntEnum


class Number(int):
    pass


class Zero(IntEnum):
    ZERO = 0


def digit_sum(n, base):
    return Number(n % base + digit_sum(n // base, base)) if n else Zero.ZERO
