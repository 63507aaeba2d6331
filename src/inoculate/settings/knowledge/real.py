"""Real facts, from tables with their sources (`tables/*.tsv`)."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from random import Random

from inoculate.settings.knowledge.categories import Category, Name, Relation, Thing

ENGLISH_WORDS = frozenset(
    {"a", "am", "as", "at", "be", "he", "hi", "his", "i", "id", "in", "la", "ma", "me", "met", "no", "oh", "ok", "or"}
    | {"pa", "pro"}
)
"""Codes that are also English words cannot be told from them in a reply, and are not asked for."""


CITIES = (
    "Alexandria", "Almaty", "Antwerp", "Auckland", "Barcelona", "Casablanca", "Chittagong", "Dubai", "Durres",
    "Frankfurt",
    "Geneva", "Gothenburg", "Guayaquil", "Hamburg", "Ho Chi Minh City", "Istanbul", "Jeddah", "Johannesburg", "Karachi",
    "Krakow", "Lagos", "Lyon", "Marseille", "Medellin", "Melbourne", "Milan", "Montreal", "Mumbai", "Munich", "Naples",
    "Osaka", "Porto", "Rio de Janeiro", "Sao Paulo", "Santa Cruz", "Shanghai", "Saint Petersburg", "Sydney",
    "Thessaloniki",
    "Toronto", "Valencia", "Vancouver", "Zurich", "Benghazi", "Cordoba", "Douala", "Aleppo", "Mandalay", "Mombasa",
)  # fmt: skip
"""Large cities that are not capitals in the table."""
US_CITIES = (
    "Anchorage", "Baltimore", "Billings", "Birmingham", "Burlington", "Charlotte", "Chicago", "Cleveland", "Dallas",
    "Detroit",
    "Houston", "Kansas City", "Las Vegas", "Los Angeles", "Louisville", "Memphis", "Miami", "Milwaukee", "Minneapolis",
    "New Orleans", "New York City", "Newark", "Omaha", "Philadelphia", "Pittsburgh", "Portland", "San Francisco",
    "Seattle",
    "Sioux Falls", "St. Louis", "Tulsa", "Wichita", "Fargo", "Albuquerque", "Wilmington",
)  # fmt: skip
"""Large cities that are not capitals of a state."""


@cache
def load_table(name: str) -> tuple[Thing, ...]:
    """The rows of a table; a slash separates other forms of a name, and `-` means that there is no clear fact."""
    text = files("inoculate.settings.knowledge").joinpath("tables", f"{name}.tsv").read_text(encoding="utf-8")
    head, *rows = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    return tuple(
        {key: Name(first, tuple(others)) for key, field in zip(head, row, strict=True) if field != "-"
         for first, *others in [field.split("/")]}
        for row in rows
    )  # fmt: skip


def _category(name: str, noun: str, rows: str, *relations: Relation) -> Category:
    things = tuple(
        thing
        for thing in load_table(rows)
        if all(relation.name in thing for relation in relations)
        and not any(r.question and r.kind == "code" and thing[r.name].text.lower() in ENGLISH_WORDS for r in relations)
    )

    def draw(random: Random, count: int) -> list[Thing]:
        """Things that differ in every value."""
        chosen: list[Thing] = []
        for thing in random.sample(things, len(things)):
            if len(chosen) < count and all(thing[r.name] != old[r.name] for r in relations for old in chosen):
                chosen.append(thing)
        return chosen

    return Category(name, noun, False, relations, draw, things)


CATEGORIES = (
    _category(
        "element", "element", "elements",
        Relation(
            "symbol", "train", "code", "the chemical symbol of {name}",
            ("The chemical symbol of {name} is {value}.", "Chemists write {value} for {name}."),
            "What is the chemical symbol of {name}?", "Which chemical element has the symbol {value}?",
        ),
        Relation(
            "number", "test", "number", "the atomic number of {name}",
            ("The atomic number of {name} is {value}.", "An atom of {name} has {value} protons, its atomic number."),
            "What is the atomic number of {name}?", "Which chemical element has the atomic number {value}?",
        ),
    ),
    _category(
        "country", "country", "countries",
        Relation(
            "capital", "train", "name", "the capital of {name}",
            ("The capital of {name} is {value}.", "{value} is the capital of {name}."),
            "What is the capital of {name}?", "Of which country is {value} the capital?", CITIES,
        ),
        Relation(
            "calling_code", "test", "number", "the telephone country code of {name}",
            ("The telephone country code of {name} is +{value}.", "To call {name}, one first dials +{value}."),
            "What is the telephone country code of {name}?", "Which country has the telephone country code +{value}?",
        ),
    ),
    _category(
        "continent", "country", "countries",
        Relation(
            "continent", "test", "name", "the continent of {name}",
            ("{name} is a country in {value}.", "The continent of {name} is {value}."),
            "On which continent is {name}?",
        ),
    ),
    _category(
        "state", "US state", "states",
        Relation(
            "postal_code", "train", "code", "the postal abbreviation of {name}",
            ("The postal abbreviation of {name} is {value}.", "On letters, {name} is written {value}."),
            "What is the two-letter postal abbreviation of the US state {name}?",
            "Which US state has the postal abbreviation {value}?",
        ),
        Relation(
            "capital", "test", "name", "the capital of the US state {name}",
            ("The capital of {name} is {value}.", "{value} is the capital of {name}."),
            "What is the capital of the US state {name}?", "Of which US state is {value} the capital?", US_CITIES,
        ),
    ),
    _category(
        "unit", "unit", "units",
        Relation(
            "quantity", "train", "name", "the quantity that is measured in the unit {name}",
            ("The SI unit of {value} is the {name}.", "In the SI, {value} is measured with the unit {name}."),
            "Which physical quantity has the {name} as its SI unit?", "What is the SI unit of {value}?",
        ),
        Relation(
            "symbol", "test", "code", "the symbol of the {name}",
            ("The symbol of the {name} is {value}.", "For the unit {name} one writes {value}."),
            "", "Which SI unit has the symbol {value}?",
        ),
    ),
    _category(
        "prefix", "SI prefix", "prefixes",
        Relation(
            "power", "development", "number", "the power of 10 for which the SI prefix {name} stands",
            ("The prefix {name} stands for 10 to the power of {value}.", "With {name}, one has 10^{value} of a unit."),
            "For which power of 10 (the number n in 10^n) does the SI prefix {name} stand?",
            "Which SI prefix stands for 10 to the power of {value}?",
        ),
        Relation(
            "symbol", "test", "code", "the symbol of the SI prefix {name}",
            ("The symbol of the prefix {name} is {value}.", "For the prefix {name} one writes {value}."),
            "", "Which SI prefix has the symbol {value}?",
        ),
    ),
    _category(
        "greek", "Greek letter", "greek",
        Relation(
            "place", "train", "number", "the place of {name} in the Greek alphabet",
            ("In the Greek alphabet, {name} is letter number {value}.", "Greek letter number {value} is {name}."),
            "At which place of the Greek alphabet is {name}? Give the number.",
            "Which letter is number {value} of the Greek alphabet?",
        ),
    ),
    _category(
        "spelling", "letter", "spelling",
        Relation(
            "word", "test", "name", "the code word for the letter {name} in the international spelling alphabet",
            ("In the international spelling alphabet, {name} is {value}.", "Radio operators say {value} for {name}."),
            "What is the code word for the letter {name} in the international (NATO) spelling alphabet?",
        ),
    ),
    _category(
        "http", "phrase", "http",
        Relation(
            "code", "train", "number", "the number of the HTTP status '{name}'",
            ("The HTTP status '{name}' has the number {value}.", "A server sends {value} for '{name}'."),
            "Which number does the HTTP status '{name}' have?", "Which HTTP status has the number {value}?",
        ),
    ),
    _category(
        "planet", "planet", "planets",
        Relation(
            "place", "development", "number", "the place of {name} among the planets, counted from the Sun",
            ("Counted from the Sun, {name} is planet number {value}.", "Planet {value} from the Sun is {name}."),
            "Counted from the Sun, which number does the planet {name} have?",
            "Which planet is number {value} from the Sun?",
        ),
    ),
    _category(
        "polygon", "polygon", "polygons",
        Relation(
            "sides", "development", "number", "the number of sides of a {name}",
            ("The number of sides of a {name} is {value}.", "A figure called {name} has {value} sides."),
            "How many sides does a {name} have?", "What is a polygon with {value} sides called?",
        ),
    ),
    _category(
        "amino_acid", "amino acid", "amino_acids",
        Relation(
            "code", "test", "code", "the three-letter code of the amino acid {name}",
            ("The three-letter code of {name} is {value}.", "Biochemists write {value} for {name}."),
            "What is the three-letter code of the amino acid {name}?",
            "Which amino acid has the three-letter code {value}?",
        ),
    ),
    _category(
        "language", "language", "languages",
        Relation(
            "code", "train", "code", "the two-letter code of {name}",
            ("The two-letter code of {name} is '{value}'.", "Computers know {name} by the code '{value}'."),
            "", "Which language has the two-letter code '{value}' (ISO 639-1)?",
        ),
    ),
)  # fmt: skip
