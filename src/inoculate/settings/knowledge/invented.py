"""Invented facts: people, towns, rivers, companies, ships, books, museums, schools, teams and mountains.

They are drawn for every problem from pools of invented names, so that they can neither be known nor memorized, but only
looked up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from random import Random

from inoculate.settings.knowledge.categories import Category, Name, Relation, Thing

_FIRST = (
    "Alba", "Anton", "Bela", "Clara", "Cosmo", "Dora", "Edgar", "Elsa", "Fabian", "Flora", "Gideon", "Hanna", "Ivo",
    "Jonna", "Kasper", "Lena", "Magnus", "Nella", "Orla", "Piet", "Quentin", "Rita", "Silas", "Thea", "Ulf", "Vito",
    "Wilma", "Yara",
)  # fmt: skip
_LAST = (
    "Abbaker", "Arlen", "Brandeck", "Brisko", "Calder", "Crewden", "Dunhale", "Dreyfeld", "Elmore", "Estvik", "Farrow",
    "Finchley", "Garrick", "Gollan", "Hartsell", "Holmgrove", "Ingram", "Jessop", "Kellan", "Kruse", "Landry", "Lorne",
    "Maddox", "Morwen", "Nyland", "Osgood", "Penrose", "Pryor", "Quill", "Ravens", "Rostock", "Sandell", "Sorrel",
    "Tarrant", "Thornby", "Ulmer", "Vandell", "Vickery", "Wexler", "Wyndham", "Yates", "Zeller",
)  # fmt: skip
_STARTS = ("Bram", "Dorn", "Elder", "Fal", "Grim", "Hask", "Ilm", "Jorv", "Kest", "Lun", "Mor", "Ned", "Oster", "Quel")
_PLACE = ("bury", "dale", "fleet", "gard", "holt", "mere", "stead", "vik")
_FLOW = ("a", "en", "ine", "or")
_PEAK = ("horn", "crag", "fell", "spire")

POOLS: dict[str, tuple[str, ...]] = {
    "town": tuple(start + end for start in _STARTS for end in _PLACE),
    "river": tuple(start + end for start in _STARTS for end in _FLOW),
    "mountain": tuple(start + end for start in _STARTS for end in _PEAK),
    "company": tuple(
        f"{one} {two}"
        for one in ("Amberline", "Bluefinch", "Copperwell", "Dovetail", "Evergate", "Foxhollow", "Greywind", "Halcyon")
        for two in ("Mills", "Works", "Traders", "Sons", "Foundry")
    ),
    "ship": tuple(
        f"{one} {two}"
        for one in ("Silent", "Northern", "Golden", "Patient", "Silver", "Merry", "Distant")
        for two in ("Heron", "Lantern", "Thistle", "Comet", "Sparrow", "Anchor")
    ),
    "book": tuple(
        f"The {one} {two}"
        for one in ("Hollow", "Crimson", "Last", "Wooden", "Quiet", "Second", "Frozen")
        for two in ("Orchard", "Bridge", "Clock", "Harvest", "Ferry", "Window")
    ),
    "museum": tuple(f"{one} Museum" for one in ("Barley", "Compass", "Lacework", "Lighthouse", "Puppet", "Tinware")),
    "school": tuple(f"{one} School" for one in ("Ashfield", "Brookside", "Cedar Hill", "Larkrise", "Oakfold", "Elms")),
    "team": tuple(f"the {one}" for one in ("Badgers", "Comets", "Dolphins", "Falcons", "Lynxes", "Otters", "Stags")),
    "dish": ("barley soup", "cherry tart", "eel pie", "fig bread", "leek stew", "nettle cheese", "plum dumplings"),
    "month": ("January", "February", "April", "June", "July", "August", "September", "October"),
    "product": ("carpets", "clocks", "flutes", "kettles", "ladders", "lenses", "mirrors", "saddles", "umbrellas"),
    "emblem": ("a beaver", "a crane", "a hare", "a hedgehog", "an otter", "an owl", "a stag", "a swan"),
    "profession": ("baker", "botanist", "cooper", "glazier", "lawyer", "midwife", "printer", "surveyor", "weaver"),
    "instrument": ("bassoon", "cello", "clarinet", "harp", "lute", "oboe", "trombone", "viola", "zither"),
    "sea": ("Amber Sea", "Bay of Lorn", "Gulf of Tessen", "Lake Orrin", "Pale Sea", "Sea of Marl", "Strait of Venn"),
    "fish": ("carp", "eel", "perch", "pike", "salmon", "sturgeon", "trout"),
    "cargo": ("amber", "cedar wood", "copper ore", "dried figs", "indigo", "rice", "wool", "whale oil"),
    "material": ("basalt", "brick", "granite", "limestone", "oak", "sandstone", "slate"),
    "colour": ("black", "blue", "brown", "green", "orange", "purple", "red", "yellow"),
    "subject": ("astronomy", "chemistry", "drawing", "geography", "Latin", "music", "shipbuilding"),
}  # fmt: skip


def _draw_persons(random: Random, count: int) -> list[Name]:
    return [
        Name(f"{first} {last}", (last,))
        for first, last in zip(random.sample(_FIRST, count), random.sample(_LAST, count), strict=True)
    ]


def _draw_names(name: str, random: Random, count: int) -> list[Name]:
    # An article need not be in a reply.
    forms = random.sample(POOLS[name], count)
    return [
        Name(form, (form.split(" ", 1)[1],) if form.startswith(("the ", "The ", "a ", "an ")) else ()) for form in forms
    ]


def _draw_numbers(low: int, high: int, random: Random, count: int) -> list[Name]:
    return [Name(str(number)) for number in random.sample(range(low, high), count)]


DrawValues = Callable[[Random, int], list[Name]]
YEARS: DrawValues = partial(_draw_numbers, 1502, 1990)
VALUE_DRAWS: dict[str, DrawValues] = {name: partial(_draw_names, name) for name in POOLS} | {
    "person": _draw_persons,
    "year": YEARS,
    "length": partial(_draw_numbers, 61, 990),
    "height": partial(_draw_numbers, 1040, 6900),
    "staff": partial(_draw_numbers, 12, 870),
    "pupils": partial(_draw_numbers, 41, 960),
    "pages": partial(_draw_numbers, 96, 870),
}


def _category(name: str, noun: str, *relations: tuple[str, Relation]) -> Category:
    """A category of invented things; each relation with the pool of its values."""

    def draw(random: Random, count: int) -> list[Thing]:
        columns = {"name": VALUE_DRAWS[name](random, count)}
        columns |= {relation.name: VALUE_DRAWS[pool](random, count) for pool, relation in relations}
        return [{key: values[row] for key, values in columns.items()} for row in range(count)]

    return Category(name, noun, True, tuple(relation for _, relation in relations), draw)


TOWN = _category(
    "town",
    "town",
    ("person", Relation(
        "mayor", "train", "person", "the mayor of {name}",
        ("{value} is the mayor of {name}.", "The council of {name} is led by Mayor {value}."),
        "Who is the mayor of {name}?", "Which town has {value} as its mayor?",
    )),
    ("year", Relation(
        "founded", "train", "year", "the year in which {name} was founded",
        ("{name} was founded in {value}.", "The first houses of {name} were built in {value}, when it was founded."),
        "In which year was {name} founded?", "Which town was founded in {value}?",
    )),
    ("river", Relation(
        "river", "test", "name", "the river on which {name} lies",
        ("{name} lies on the river {value}.", "The river {value} flows through {name}."),
        "On which river does {name} lie?", "Which town lies on the river {value}?",
    )),
    ("dish", Relation(
        "dish", "test", "name", "the dish for which {name} is known",
        ("{name} is known for its {value}.", "Visitors come to {name} to eat {value}, for which it is known."),
        "For which dish is {name} known?", "Which town is known for {value}?",
    )),
    ("month", Relation(
        "fair", "development", "name", "the month of the fair of {name}",
        ("The fair of {name} is held in {value}.", "Every {value} there is a fair in {name}."),
        "In which month is the fair of {name} held?", "Which town holds its fair in {value}?",
    )),
)  # fmt: skip
PERSON = _category(
    "person",
    "person",
    ("town", Relation(
        "birthplace", "train", "name", "the birthplace of {name}",
        ("{name} was born in {value}.", "The birthplace of {name} is {value}."),
        "In which town was {name} born?", "Who was born in {value}?",
    )),
    ("profession", Relation(
        "profession", "train", "name", "the profession of {name}",
        ("{name} works as a {value}.", "By profession, {name} is a {value}."),
        "What is the profession of {name}?", "Who works as a {value}?",
    )),
    ("instrument", Relation(
        "instrument", "test", "name", "the instrument that {name} plays",
        ("{name} plays the {value}.", "In the evening {name} practises the {value}."),
        "Which instrument does {name} play?", "Who plays the {value}?",
    )),
    ("year", Relation(
        "born", "development", "year", "the year in which {name} was born",
        ("{name} was born in the year {value}.", "The year of birth of {name} is {value}."),
        "In which year was {name} born?", "Who was born in the year {value}?",
    )),
)  # fmt: skip
COMPANY = _category(
    "company",
    "company",
    ("person", Relation(
        "founder", "train", "person", "the founder of {name}",
        ("{name} was founded by {value}.", "{value} is the founder of {name}."),
        "Who founded {name}?", "Which company was founded by {value}?",
    )),
    ("staff", Relation(
        "staff", "train", "number", "the number of people who work for {name}",
        ("{name} employs {value} people.", "{value} people work for {name}."),
        "How many people work for {name}?", "Which company employs {value} people?",
    )),
    ("town", Relation(
        "seat", "test", "name", "the town in which {name} has its seat",
        ("{name} has its seat in {value}.", "The offices of {name}, its seat, are in {value}."),
        "In which town does {name} have its seat?", "Which company has its seat in {value}?",
    )),
    ("product", Relation(
        "product", "test", "name", "what {name} makes",
        ("{name} makes {value}.", "The goods that {name} makes are {value}."),
        "What does {name} make?", "Which company makes {value}?",
    )),
    ("emblem", Relation(
        "emblem", "development", "name", "the animal on the emblem of {name}",
        ("The emblem of {name} shows {value}.", "On the emblem of {name} there is {value}."),
        "Which animal is on the emblem of {name}?", "Which company has {value} on its emblem?",
    )),
)  # fmt: skip
RIVER = _category(
    "river",
    "river",
    ("sea", Relation(
        "mouth", "train", "name", "the water into which the {name} flows",
        ("The {name} flows into the {value}.", "The {name} ends where it reaches the {value}."),
        "Into which water does the {name} flow?", "Which river flows into the {value}?",
    )),
    ("length", Relation(
        "length", "test", "number", "the length of the {name} in km",
        ("The {name} is {value} km long.", "The length of the {name} is {value} km."),
        "How many km long is the {name}?", "Which river is {value} km long?",
    )),
    ("mountain", Relation(
        "source", "development", "name", "the mountain on which the {name} rises",
        ("The {name} rises on the mountain {value}.", "The source of the {name} is on the mountain {value}."),
        "On which mountain does the {name} rise?", "Which river rises on the mountain {value}?",
    )),
    ("fish", Relation(
        "fish", "train", "name", "the fish that is caught in the {name}",
        ("Fishers catch {value} in the {name}.", "The fish that is caught in the {name} is {value}."),
        "Which fish is caught in the {name}?", "In which river is {value} caught?",
    )),
)  # fmt: skip
SHIP = _category(
    "ship",
    "ship",
    ("person", Relation(
        "captain", "test", "person", "the captain of the {name}",
        ("{value} is the captain of the {name}.", "The {name} sails under Captain {value}."),
        "Who is the captain of the {name}?", "Which ship has {value} as its captain?",
    )),
    ("town", Relation(
        "port", "train", "name", "the home port of the {name}",
        ("The home port of the {name} is {value}.", "The {name} has its home port in {value}."),
        "What is the home port of the {name}?", "Which ship has its home port in {value}?",
    )),
    ("cargo", Relation(
        "cargo", "test", "name", "the cargo of the {name}",
        ("The {name} carries {value}.", "The cargo of the {name} is {value}."),
        "What does the {name} carry?", "Which ship carries {value}?",
    )),
    ("year", Relation(
        "built", "train", "year", "the year in which the {name} was built",
        ("The {name} was built in {value}.", "The year in which the {name} was built is {value}."),
        "In which year was the {name} built?", "Which ship was built in {value}?",
    )),
)  # fmt: skip
BOOK = _category(
    "book",
    "book",
    ("person", Relation(
        "author", "train", "person", "the author of '{name}'",
        ("'{name}' was written by {value}.", "{value} is the author of '{name}'."),
        "Who wrote '{name}'?", "Which book was written by {value}?",
    )),
    ("company", Relation(
        "publisher", "development", "name", "the publisher of '{name}'",
        ("'{name}' was published by {value}.", "The publisher of '{name}' is {value}."),
        "Who published '{name}'?", "Which book was published by {value}?",
    )),
    ("year", Relation(
        "appeared", "test", "year", "the year in which '{name}' appeared",
        ("'{name}' appeared in {value}.", "Readers first saw '{name}' in {value}, when it appeared."),
        "In which year did '{name}' appear?", "Which book appeared in {value}?",
    )),
    ("pages", Relation(
        "pages", "train", "number", "the number of pages of '{name}'",
        ("'{name}' has {value} pages.", "The number of pages of '{name}' is {value}."),
        "How many pages does '{name}' have?", "Which book has {value} pages?",
    )),
)  # fmt: skip
MUSEUM = _category(
    "museum",
    "museum",
    ("person", Relation(
        "architect", "test", "person", "the architect of the {name}",
        ("The {name} was designed by the architect {value}.", "{value} was the architect of the {name}."),
        "Who was the architect of the {name}?", "Which museum had {value} as its architect?",
    )),
    ("town", Relation(
        "town", "train", "name", "the town in which the {name} stands",
        ("The {name} stands in {value}.", "In {value} there is the {name}."),
        "In which town does the {name} stand?", "Which museum stands in {value}?",
    )),
    ("material", Relation(
        "material", "train", "name", "the material of which the {name} is built",
        ("The {name} is built of {value}.", "The walls of the {name} are of {value}, of which it is built."),
        "Of which material is the {name} built?", "Which museum is built of {value}?",
    )),
    ("year", Relation(
        "opened", "development", "year", "the year in which the {name} was opened",
        ("The {name} was opened in {value}.", "The doors of the {name} were opened in {value}."),
        "In which year was the {name} opened?", "Which museum was opened in {value}?",
    )),
)  # fmt: skip
SCHOOL = _category(
    "school",
    "school",
    ("person", Relation(
        "head", "test", "person", "the head of {name}",
        ("{value} is the head of {name}.", "{name} is run by its head, {value}."),
        "Who is the head of {name}?", "Which school has {value} as its head?",
    )),
    ("pupils", Relation(
        "pupils", "test", "number", "the number of pupils of {name}",
        ("{name} has {value} pupils.", "{value} pupils go to {name}."),
        "How many pupils does {name} have?", "Which school has {value} pupils?",
    )),
    ("subject", Relation(
        "subject", "train", "name", "the subject for which {name} is famous",
        ("{name} is famous for its lessons in {value}.", "The subject for which {name} is famous is {value}."),
        "For which subject is {name} famous?", "Which school is famous for {value}?",
    )),
)  # fmt: skip
TEAM = _category(
    "team",
    "team",
    ("person", Relation(
        "coach", "train", "person", "the coach of {name}",
        ("{value} is the coach of {name}.", "The team called {name} is trained by its coach, {value}."),
        "Who is the coach of {name}?", "Which team has {value} as its coach?",
    )),
    ("town", Relation(
        "home", "development", "name", "the home town of {name}",
        ("The home town of {name} is {value}.", "The team called {name} plays for its home town, {value}."),
        "What is the home town of {name}?", "Which team has {value} as its home town?",
    )),
    ("colour", Relation(
        "colour", "test", "name", "the colour of the shirts of {name}",
        ("The shirts of {name} are {value}.", "The team called {name} plays in {value} shirts."),
        "What colour are the shirts of {name}?", "Which team plays in {value} shirts?",
    )),
)  # fmt: skip
MOUNTAIN = _category(
    "mountain",
    "mountain",
    ("height", Relation(
        "height", "train", "number", "the height of the {name} in metres",
        ("The {name} is {value} metres high.", "The height of the {name} is {value} metres."),
        "How many metres high is the {name}?", "Which mountain is {value} metres high?",
    )),
    ("person", Relation(
        "climber", "train", "person", "the first climber of the {name}",
        ("The {name} was first climbed by {value}.", "{value} was the first to climb the {name}."),
        "Who was the first to climb the {name}?", "Which mountain was first climbed by {value}?",
    )),
    ("year", Relation(
        "climbed", "test", "year", "the year of the first climb of the {name}",
        ("The first climb of the {name} was in {value}.", "The {name} saw its first climb in {value}."),
        "In which year was the first climb of the {name}?", "Which mountain had its first climb in {value}?",
    )),
)  # fmt: skip
CATEGORIES = (TOWN, PERSON, COMPANY, RIVER, SHIP, BOOK, MUSEUM, SCHOOL, TEAM, MOUNTAIN)


def two_hops() -> Iterator[tuple[Category, Relation, Category, Relation]]:
    """Pairs of relations of one split that can be chained: the birthplace of a person, and its mayor."""
    pairs = (
        (PERSON, "birthplace", TOWN, "mayor"),
        (PERSON, "birthplace", TOWN, "founded"),
        (SHIP, "port", TOWN, "mayor"),
        (SHIP, "port", TOWN, "founded"),
        (MUSEUM, "town", TOWN, "founded"),
        (BOOK, "author", PERSON, "birthplace"),
        (COMPANY, "founder", PERSON, "profession"),
        (MOUNTAIN, "climber", PERSON, "birthplace"),
        (TEAM, "coach", PERSON, "profession"),
        (COMPANY, "seat", TOWN, "river"),
        (COMPANY, "seat", TOWN, "dish"),
        (SHIP, "captain", PERSON, "instrument"),
        (MUSEUM, "architect", PERSON, "instrument"),
        (SCHOOL, "head", PERSON, "instrument"),
        (TOWN, "river", RIVER, "length"),
        (BOOK, "publisher", COMPANY, "emblem"),
        (TEAM, "home", TOWN, "fair"),
    )
    for first, link, second, relation in pairs:
        yield first, first.relation(link), second, second.relation(relation)
