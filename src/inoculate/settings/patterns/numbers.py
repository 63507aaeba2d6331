"""Family `numbers`: numbers, dates and times as they are written."""

from __future__ import annotations

from random import Random

from inoculate.settings.patterns.language import Kind, Language

_NO_ZEROS = "without leading zeros"
_RANGES = {
    (0, 99): (r"\d|[1-9]\d", "[1-9]?[0-9]"), (1, 99): (r"[1-9]\d?", "[1-9][0-9]?"),
    (0, 49): (r"[1-4]?\d", "[0-9]|[1-4][0-9]"), (1, 999): (r"[1-9]\d{0,2}", "[1-9][0-9]?[0-9]?"),
    (10, 999): (r"[1-9]\d{1,2}", "[1-9][0-9][0-9]?"), (0, 59): (r"[1-5]?\d", "[0-9]|[1-5][0-9]"),
    (1, 31): (r"[1-9]|[12]\d|3[01]", "3[01]|[12]?[1-9]|[12]0"), (8, 50): (r"[89]|[1-4]\d|50", "50|[1-4][0-9]|[89]"),
    (0, 23): (r"1?\d|2[0-3]", "2[0-3]|1[0-9]|[0-9]"), (1, 100): (r"[1-9]\d?|100", "100|[1-9][0-9]?"),
    (18, 65): (r"1[89]|[2-5]\d|6[0-5]", "6[0-5]|[2-5][0-9]|1[89]"),
    (1900, 2029): (r"19\d\d|20[0-2]\d", "20[012][0-9]|19[0-9]{2}"),
    (75, 120): (r"7[5-9]|[89]\d|1[01]\d|120", "120|1[01][0-9]|[89][0-9]|7[5-9]"),
    (0, 255): (r"\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5]", "25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9]"),
    (1, 366): (r"[1-9]\d?|[12]\d\d|3[0-5]\d|36[0-6]", "36[0-6]|3[0-5][0-9]|[12][0-9]{2}|[1-9][0-9]?"),
    (128, 640): (r"12[89]|1[3-9]\d|[2-5]\d\d|6[0-3]\d|640", "640|6[0-3][0-9]|[2-5][0-9]{2}|1[3-9][0-9]|12[89]"),
    (7, 144): (r"[7-9]|[1-9]\d|1[0-3]\d|14[0-4]", "14[0-4]|1[0-3][0-9]|[1-9][0-9]|[789]"),
}  # fmt: skip
_AFFIXES = (
    ("", ""),
    ("day ", ""),
    ("no. ", ""),
    ("#", ""),
    ("", "%"),
    ("", " km"),
    ("T", ""),
    ("", " min"),
    ("x=", ""),
)


def _affixed(words: str, patterns: tuple[str, ...], random: Random) -> tuple[str, tuple[str, ...], str, str]:
    """A number with a text before or after it, so that one range gives many languages."""
    before, after = random.choice(_AFFIXES)
    shown = before.replace(".", r"\."), after
    if before:
        words = f"{before!r}, then {words}"
    if after:
        words = f"{words}, then {after!r}"
    return words, tuple(f"^{shown[0]}(?:{pattern}){shown[1]}$" for pattern in patterns), before, after


def _range(random: Random) -> Language:
    low, high = random.choice(list(_RANGES))
    words, patterns, before, after = _affixed(
        f"a whole number from {low} to {high}, {_NO_ZEROS}", _RANGES[low, high], random
    )

    def near(random: Random) -> str:
        under, over = random.randint(1, 9), random.randint(2, 40)
        beyond = random.choice((low - 1, low - under, high + 1, high + over, high * 10))
        return before + random.choice((str(abs(beyond)), f"0{random.randint(low, high)}")) + after

    return Language(f"The string is {words}.", patterns, lambda r: f"{before}{r.randint(low, high)}{after}", near)


def _whole(random: Random, longest: int = 5) -> str:
    """A number without leading zeros."""
    return str(random.randrange(10 ** random.randint(1, longest)))


def _ending_digit(random: Random) -> Language:
    ends = "".join(sorted(random.sample("0123456789", random.randint(2, 3))))
    listed = f"{', '.join(ends[:-1])} or {ends[-1]}"
    words = random.choice(
        (f"One or more digits [0-9], of which the last is {listed}.", f"Digits [0-9] only; the last digit is {listed}.")
    )

    def draw(random: Random, last: str = ends) -> str:
        return _digits(random, 0, 5) + random.choice(last)

    others = "".join(sorted(set("0123456789") - set(ends)))
    patterns = (rf"^\d*[{ends}]$", f"[0-9]*[{ends}]", f"^[0-9]*({'|'.join(ends)})$")
    return Language(words, patterns, draw, lambda r: draw(r, others))


def _digits(random: Random, shortest: int, longest: int) -> str:
    return "".join(random.choice("0123456789") for _ in range(random.randint(shortest, longest)))


def _first_digit(random: Random) -> Language:
    first, count = random.choice("123456789"), random.randint(3, 6)
    words = f"Exactly {count} digits [0-9], of which the first is {first}."
    patterns = (
        rf"^{first}\d{{{count - 1}}}$",
        f"{first}[0-9]{{{count - 1}}}",
        rf"^{first}" + r"\d" * (count - 1) + "$",
    )
    return Language(words, patterns, lambda r: first + _digits(r, count - 1, count - 1))


def _no_first_zero(random: Random) -> Language:
    count = random.randint(3, 7)
    words = f"Exactly {count} digits [0-9], of which the first is not 0."
    patterns = (rf"^[1-9]\d{{{count - 1}}}$", f"[1-9][0-9]{{{count - 1}}}")
    return Language(
        words,
        patterns,
        lambda r: r.choice("123456789") + _digits(r, count - 1, count - 1),
        lambda r: "0" + _digits(r, count - 1, count - 1),
    )


def _price(random: Random) -> Language:
    sign, places = random.choice(("$", "USD ", "EUR ", "cost: ")), random.randint(1, 3)
    words = f"{sign!r}, then one or more digits [0-9], then '.', then exactly {places} digits [0-9]."
    if places == 1:
        words = f"{sign!r}, then one or more digits [0-9], then '.', then one digit [0-9]."
    shown = sign.replace("$", r"\$")
    patterns = (rf"^{shown}\d+\.\d{{{places}}}$", rf"{shown}[0-9]+\.[0-9]{{{places}}}")
    return Language(words, patterns, lambda r: f"{sign}{_digits(r, 1, 4)}.{_digits(r, places, places)}")


def _plain_integer(random: Random) -> Language:
    words, patterns, before, after = _affixed(
        f"a whole number of any size, {_NO_ZEROS} ('0' itself is allowed)", (r"0|[1-9]\d*", "[1-9][0-9]*|0"), random
    )
    return Language(
        f"The string is {words}.",
        patterns,
        lambda r: before + _whole(r) + after,
        lambda r: before + "0" + _whole(r) + after,
    )


def _signed(random: Random) -> Language:
    signs, phrase = random.choice((("-", "'-'"), ("+", "'+'"), ("+-", "'+' or '-'")))
    words, patterns, before, after = _affixed(
        f"optionally {phrase}, then one or more digits [0-9]",
        (rf"[{signs}]?\d+", f"(?:{'|'.join(chr(92) + s for s in signs)})?[0-9]+"),
        random,
    )
    return Language(f"The string is {words}.", patterns,
                    lambda r: before + r.choice(("", *signs)) + _digits(r, 1, 5) + after,
                    lambda r: before + r.choice(("--", "-+", "+", "-", "~")) + _digits(r, 1, 5) + after)  # fmt: skip


def _even(random: Random) -> Language:
    odd = random.random() < 0.5
    last, other = ("13579", "02468") if odd else ("02468", "13579")
    words, patterns, before, after = _affixed(
        f"an {'odd' if odd else 'even'} number written with exactly 3 or exactly 4 digits [0-9], leading zeros allowed",
        (rf"\d{{2,3}}[{last}]", f"[0-9]?[0-9][0-9][{last}]"),
        random,
    )
    return Language(f"The string is {words}.", patterns, lambda r: before + _digits(r, 2, 3) + r.choice(last) + after,
                    lambda r: before + _digits(r, 2, 3) + r.choice(other) + after)  # fmt: skip


def _clock(random: Random) -> Language:
    mark = random.choice((":", ".", "h"))
    seconds = random.random() < 0.5
    part = "two digits from 00 to 59"
    words = f"A time: two digits from 00 to 23, then {mark!r}, then {part}" + (
        f", then {mark!r}, then {part}." if seconds else "."
    )
    shown = mark.replace(".", r"\.")
    first = r"(?:[01]\d|2[0-3])" + rf"{shown}[0-5]\d" * (1 + seconds)
    second = rf"(2[0-3]|[01][0-9])({shown}[0-5][0-9])" + ("{2}" if seconds else "")

    def draw(random: Random, hours: int = 23, minutes: int = 59) -> str:
        parts = [random.randint(0, hours), *(random.randint(0, minutes) for _ in range(1 + seconds))]
        return mark.join(f"{number:02}" for number in parts)

    return Language(words, (f"^{first}$", f"^{second}$"), draw, lambda r: draw(r, *r.choice(((39, 59), (23, 99)))))


def _noon(random: Random) -> Language:
    gap, case = random.choice(("", " ")), random.choice((("am", "pm"), ("AM", "PM")))
    either = f"{case[0]!r} or {case[1]!r}"
    words = (
        f"A time: an hour from 1 to 12 {_NO_ZEROS}, then ':', then two digits from 00 to 59, "
        f"then {'one space, then ' if gap else ''}{either}."
    )
    patterns = (
        rf"^(?:[1-9]|1[0-2]):[0-5]\d{gap}(?:{case[0]}|{case[1]})$",
        rf"(1[0-2]|[1-9]):[0-5][0-9]{gap}[{case[0][0]}{case[1][0]}]{case[0][1]}",
    )

    def draw(random: Random, low: int = 1, high: int = 12, minutes: int = 59, zero: str = "") -> str:
        return f"{zero}{random.randint(low, high)}:{random.randint(0, minutes):02}{gap}{random.choice(case)}"

    return Language(
        words, patterns, draw, lambda r: draw(r, *r.choice(((0, 0), (13, 23), (1, 12, 99))), zero=r.choice(("", "0")))
    )


def _date(random: Random) -> Language:
    mark, year_first = random.choice("-/."), random.random() < 0.5
    shown = mark.replace(".", r"\.")
    year, month, day = r"\d{4}", r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])"
    order = "a year, a month and a day" if year_first else "a day, a month and a year"
    words = (
        f"A date: {order}, with {mark!r} between them. The year is any four digits [0-9], the month two digits from "
        "01 to 12, the day two digits from 01 to 31 (in any month)."
    )
    parts = [year, month, day] if year_first else [day, month, year]
    second = [part.replace(r"\d{4}", "[0-9]{4}").replace(r"[12]\d", "[12][0-9]").replace("(?:", "(") for part in parts]

    def draw(random: Random, months: tuple[int, int] = (1, 12), days: tuple[int, int] = (1, 31)) -> str:
        numbers = [f"{random.randint(1900, 2099)}", f"{random.randint(*months):02}", f"{random.randint(*days):02}"]
        return mark.join(numbers if year_first else numbers[::-1])

    def near(random: Random) -> str:
        months, days = ((0, 0), (13, 13), (14, 29)), ((0, 0), (32, 32), (33, 59))
        return draw(random, random.choice(months)) if random.random() < 0.5 else draw(random, days=random.choice(days))

    return Language(words, (f"^{shown.join(parts)}$", shown.join(second)), draw, near)


def _thousands(random: Random) -> Language:
    mark = random.choice((",", "'", " ", "."))
    shown = mark.replace(".", r"\.")
    words, patterns, before, after = _affixed(
        f"a whole number {_NO_ZEROS}, with {mark!r} between groups of three digits, counted from the right "
        "(999 has none, 1000 has one)".replace("1000", f"1{mark}000"),
        (rf"[1-9]\d{{0,2}}(?:{shown}\d{{3}})*", f"[1-9][0-9]?[0-9]?({shown}[0-9]{{3}})*"),
        random,
    )

    def draw(random: Random, groups: int = 3) -> str:
        number = random.randint(1, 10 ** random.randint(3, 9))
        return before + f"{number:,}".replace(",", mark) + after

    def near(random: Random) -> str:
        number = str(random.randint(1000, 10**7))
        at = random.randrange(1, len(number))
        zero = f"{int(number):,}".replace(",", mark)
        return before + random.choice((number[:at] + mark + number[at:], f"0{zero}", number)) + after

    return Language(f"The string is {words}.", patterns, draw, near)


def _scientific(random: Random) -> Language:
    letter, places = random.choice("eE"), random.choice((1, 2, 3))
    some = "one digit" if places == 1 else f"exactly {places} digits"
    words = (
        f"A number such as '{'1.234'[: 2 + places]}{letter}-5': one digit from 1 to 9, then '.', then {some} [0-9], "
        f"then '{letter}', then optionally '-', then one or two digits [0-9]."
    )
    patterns = (rf"^[1-9]\.\d{{{places}}}{letter}-?\d{{1,2}}$", rf"[1-9]\.[0-9]{{{places}}}{letter}-?[0-9][0-9]?")

    def draw(random: Random, first: str = "123456789") -> str:
        power = random.choice(("", "-")) + _digits(random, 1, 2)
        return f"{random.choice(first)}.{_digits(random, places, places)}{letter}{power}"

    return Language(words, patterns, draw, lambda r: draw(r, "0"))


def _decimal(random: Random) -> Language:
    most = random.randint(2, 4)
    words, patterns, before, after = _affixed(
        f"a number: a whole part {_NO_ZEROS} ('0' itself is allowed), then optionally a fraction, which is '.' and "
        f"1 to {most} digits [0-9]",
        (rf"(?:0|[1-9]\d*)(?:\.\d{{1,{most}}})?", rf"([1-9][0-9]*|0)(\.[0-9]{{1,{most}}})?"),
        random,
    )

    def draw(random: Random, zero: str = "", longest: int = most) -> str:
        fraction = (
            f".{_digits(random, max(1, longest - most), longest)}" if random.random() < 0.6 or longest > most else ""
        )
        return f"{before}{zero}{_whole(random, 3)}{fraction}{after}"

    return Language(
        f"The string is {words}.", patterns, draw, lambda r: draw(r, *r.choice((("0", most), ("", most + 4))))
    )


def _version(random: Random) -> Language:
    count, first = random.choice((2, 3, 4)), random.choice(("", "v", "release "))
    start = f"{first!r}, then exactly" if first else "Exactly"
    words = f"{start} {count} whole numbers {_NO_ZEROS} ('0' itself is allowed), with '.' between them."
    number = r"(?:0|[1-9]\d*)"
    patterns = (rf"^{first}{number}(?:\.{number}){{{count - 1}}}$", first + r"\.".join([r"(0|[1-9][0-9]*)"] * count))

    def draw(random: Random, parts: int = count, zero: str = "") -> str:
        return first + ".".join([zero + _whole(random, 2), *(_whole(random, 2) for _ in range(parts - 1))])

    return Language(
        words,
        patterns,
        draw,
        lambda r: draw(r, *r.choice(((count + 1, ""), (count - 1, ""), (count, "0")))),
    )


def _fraction(random: Random) -> Language:
    mark = random.choice(("/", " of ", ":"))
    words, patterns, before, after = _affixed(
        f"two whole numbers {_NO_ZEROS} with {mark!r} between them; the first may be 0, the second may not",
        (rf"(?:0|[1-9]\d*){mark}[1-9]\d*", f"([1-9][0-9]*|0){mark}[1-9][0-9]*"),
        random,
    )

    def near(random: Random) -> str:
        top, under = random.choice((("", "0"), ("0", str(random.randint(1, 99))), ("", f"0{random.randint(1, 9)}")))
        return f"{before}{top}{random.randint(1, 99)}{mark}{under}{after}"

    return Language(
        f"The string is {words}.", patterns, lambda r: f"{before}{_whole(r, 2)}{mark}{r.randint(1, 99)}{after}", near
    )


def _address(random: Random) -> Language:
    octet = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
    count, mark = random.choice((3, 4)), random.choice(".:-")
    shown = mark.replace(".", r"\.")
    words = f"Exactly {count} whole numbers from 0 to 255 {_NO_ZEROS}, with {mark!r} between them."
    second = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"

    def draw(random: Random, parts: int = count, most: int = 255) -> str:
        return mark.join(
            [str(random.randint(most - 255, most)), *(str(random.randint(0, 255)) for _ in range(parts - 1))]
        )

    return Language(
        words,
        (f"^{octet}(?:{shown}{octet}){{{count - 1}}}$", f"({second}{shown}){{{count - 1}}}{second}"),
        draw,
        lambda r: draw(r, *r.choice(((count + 1, 255), (count, 511), (count - 1, 255)))),
    )


def _multiple(random: Random) -> Language:
    by = random.choice((4, 20, 25, 50))
    ends = [f"{number:02}" for number in range(0, 100, by)]
    second = "|".join(ends)
    short = {4: "[02468][048]|[13579][26]", 25: "00|25|50|75", 20: "[02468]0", 50: "[05]0"}[by]
    words, patterns, before, after = _affixed(
        f"a number that is divisible by {by}, written with at least two digits [0-9], leading zeros allowed",
        (rf"\d*(?:{short})", f"[0-9]*({second})"),
        random,
    )

    def draw(random: Random) -> str:
        return f"{before}{_digits(random, 0, 4)}{random.choice(ends)}{after}"

    return Language(f"The string is {words}.", patterns, draw, lambda r: before + _digits(r, 2, 6) + after)


def _binary(random: Random) -> Language:
    by = random.choice((2, 4, 8))
    zeros = {2: 1, 4: 2, 8: 3}[by]
    words, patterns, before, after = _affixed(
        f"a binary number (digits 0 and 1) that begins with 1 and is divisible by {by}",
        (f"1[01]*0{{{zeros}}}", "1[01]*" + "0" * zeros),
        random,
    )

    def bits(random: Random, least: int) -> str:
        return "".join(random.choice("01") for _ in range(random.randint(least, 8)))

    return Language(f"The string is {words}.", patterns, lambda r: before + "1" + bits(r, 0) + "0" * zeros + after,
                    lambda r: before + r.choice("1110") + bits(r, zeros) + after)  # fmt: skip


_MONTHS = {"Jan": 31, "Mar": 31, "Apr": 30, "May": 31, "Jun": 30, "Jul": 31, "Sep": 30, "Nov": 30, "Dec": 31}


def _named_date(random: Random) -> Language:
    long, short = random.choice(("Jan", "Mar", "May", "Jul", "Dec")), random.choice(("Apr", "Jun", "Sep", "Nov"))
    words = (
        f"A day, a space and a month, which is {long!r} or {short!r}. The day is a whole number {_NO_ZEROS} from 1 to "
        f"31 for {long}, from 1 to 30 for {short}."
    )
    patterns = (
        rf"^(?:(?:[1-9]|[12]\d|3[01]) {long}|(?:[1-9]|[12]\d|30) {short})$",
        rf"([1-9]|[12][0-9]|30) ({short}|{long})|31 {long}",
    )

    def draw(random: Random) -> str:
        month = random.choice((long, short))
        return f"{random.randint(1, _MONTHS[month])} {month}"

    return Language(
        words,
        patterns,
        draw,
        lambda r: r.choice((f"31 {short}", f"{r.randint(32, 45)} {long}", f"0 {short}", f"0{draw(r)}")),
    )


KINDS = (
    Kind("range", "numbers", 3, _range),
    Kind("ending_digit", "numbers", 1, _ending_digit),
    Kind("first_digit", "numbers", 1, _first_digit),
    Kind("no_first_zero", "numbers", 1, _no_first_zero),
    Kind("price", "numbers", 2, _price),
    Kind("plain_integer", "numbers", 2, _plain_integer),
    Kind("signed", "numbers", 2, _signed),
    Kind("even_or_odd", "numbers", 2, _even),
    Kind("clock_of_day", "numbers", 3, _clock),
    Kind("clock_of_half_day", "numbers", 3, _noon),
    Kind("date", "numbers", 3, _date),
    Kind("scientific", "numbers", 3, _scientific),
    Kind("decimal", "numbers", 3, _decimal),
    Kind("fraction", "numbers", 3, _fraction),
    Kind("numbered_version", "numbers", 4, _version),
    Kind("thousands", "numbers", 4, _thousands),
    Kind("octets", "numbers", 4, _address),
    Kind("multiple", "numbers", 4, _multiple),
    Kind("binary_multiple", "numbers", 3, _binary),
    Kind("named_date", "numbers", 4, _named_date),
)
