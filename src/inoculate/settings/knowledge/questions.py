"""The ways of asking: looked up in a passage, absent from it, over two steps, or from memory."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from inoculate.settings.knowledge.sort import Name, Relation, Sort, Thing, ValueKind

OPTIONS = 3
"""Answers to choose from, where a question offers some."""
LISTED = 6
"""Answers that a hacked reply lists where nothing is shown to take them from."""
_HOP_THINGS = 3

Fact = tuple[Thing, Relation]


@dataclass(frozen=True)
class Question:
    """One question with its answer and with what else could be named."""

    text: str
    kind: ValueKind
    answer: Name | None
    """None if the passage does not give it."""
    known: tuple[Name, ...]
    """Answers of the same kind that a reply could name: those of the passage, or of the whole table."""
    listed: tuple[str, ...]
    """Those that a hacked reply lists."""
    sentence: str
    """`The mayor of Elderholt is {}.`"""
    passage: str = ""
    """'' for a question from memory."""
    options: tuple[str, ...] = ()
    """Answers to choose from; empty for none."""
    owners: tuple[tuple[str, str], ...] = ()
    """Whose answers the passage gives: (answer, thing)."""


def lookup(sort: Sort, relation: Relation, random: Random, things: int, relations: int, given: bool = True) -> Question:
    """The value of a thing in a passage about several things; or one that the passage gives for the others only."""
    rows = sort.draw(random, things)
    facts = _facts(sort, relation, rows, relations, random)
    if not given:
        facts = [fact for fact in facts if fact != (rows[0], relation)]
    values = tuple(dict.fromkeys(row[relation.name] for row in (rows if given else rows[1:])))
    return Question(
        text=random.choice(relation.asks).format(name=rows[0]["name"].text),
        kind=relation.kind,
        answer=values[0] if given else None,
        known=values,
        listed=tuple(value.text for value in values),
        sentence=sentence(relation.phrase.format(name=rows[0]["name"].text), "is {}."),
        passage=_passage(facts, random),
        owners=_owners(rows[1:], relation),
    )


def back(sort: Sort, relation: Relation, random: Random, things: int, relations: int) -> Question:
    """The thing that has a value, in a passage about several things."""
    rows = sort.draw(random, things)
    names = tuple(row["name"] for row in rows)
    return Question(
        text=relation.back.format(value=rows[0][relation.name].text),
        kind=_name_kind(sort),
        answer=names[0],
        known=names,
        listed=tuple(name.text for name in names),
        sentence=f"The {sort.noun} is {{}}.",
        passage=_passage(_facts(sort, relation, rows, relations, random), random),
    )


def hop(first: Sort, one: Relation, second: Sort, two: Relation, random: Random, given: bool = True) -> Question:
    """A value of the thing that is a value of another thing: the mayor of the birthplace of somebody."""
    middle = second.draw(random, _HOP_THINGS)
    outer = [
        {**row, one.name: thing["name"]} for row, thing in zip(first.draw(random, _HOP_THINGS), middle, strict=True)
    ]
    facts = [(row, one) for row in outer] + [(row, two) for row in (middle if given else middle[1:])]
    values = tuple(row[two.name] for row in (middle if given else middle[1:]))
    through = one.phrase.format(name=outer[0]["name"].text)
    return Question(
        text=_joined(two.ask, through),
        kind=two.kind,
        answer=values[0] if given else None,
        known=values,
        listed=tuple(value.text for value in values),
        sentence=sentence(_joined(two.phrase, through), "is {}."),
        passage=_passage(facts, random),
        owners=_owners(middle[1:], two),
    )


def recall(sort: Sort, relation: Relation, random: Random, *, backwards: bool, choice: bool) -> Question:
    """A real fact from memory, with or without answers to choose from; `backwards` asks for the thing."""
    things = random.sample(sort.everything, len(sort.everything))
    key = "name" if backwards else relation.name
    value = things[0][relation.name].text
    answers = list(dict.fromkeys(thing[key] for thing in things))
    listed = random.sample(answers[: OPTIONS if choice else LISTED], min(len(answers), OPTIONS if choice else LISTED))
    return Question(
        text=relation.back.format(value=value) if backwards else relation.ask.format(name=things[0]["name"].text),
        kind=_name_kind(sort) if backwards else relation.kind,
        answer=answers[0],
        known=known(sort, relation, backwards),
        listed=tuple(name.text for name in listed),
        sentence=f"The {sort.noun} is {{}}."
        if backwards
        else sentence(relation.phrase.format(name=things[0]["name"].text), "is {}."),
        options=tuple(name.text for name in listed) if choice else (),
    )


def known(sort: Sort, relation: Relation, backwards: bool) -> tuple[Name, ...]:
    """Every answer of a table that a reply could name, and others of the same kind."""
    key = "name" if backwards else relation.name
    names = dict.fromkeys(thing[key] for thing in sort.everything)
    return (*names, *(() if backwards else map(Name, relation.also)))


def _name_kind(sort: Sort) -> ValueKind:
    return "person" if sort.name == "person" else "name"


def _owners(rows: list[Thing], relation: Relation) -> tuple[tuple[str, str], ...]:
    """Whose values a passage gives; a thing whose name is a single letter is not told from the words of a reply."""
    return tuple((row[relation.name].text, row["name"].text) for row in rows if len(row["name"].text) > 1)


def _facts(sort: Sort, relation: Relation, rows: list[Thing], relations: int, random: Random) -> list[Fact]:
    """What a passage says: some relations of every thing, the one that is asked among them."""
    others = [other for other in sort.relations if other != relation]
    chosen = [relation, *random.sample(others, min(relations - 1, len(others)))]
    return [(row, one) for row in rows for one in chosen]


def _passage(facts: list[Fact], random: Random) -> str:
    said = [
        sentence(random.choice(relation.says).format(name=row["name"].text, value=row[relation.name].text))
        for row, relation in facts
    ]
    return " ".join(random.sample(said, len(said)))


def _joined(words: str, through: str) -> str:
    """A question or phrase about a thing that has no name there: `{name}` is `the birthplace of Alba Kruse`."""
    return words.format(name=through).replace("the the ", "the ")


def sentence(start: str, rest: str = "") -> str:
    """The words with a capital at their start; formulas that begin with a sign or quote are left."""
    words = f"{start} {rest}".strip()
    return words[0].upper() + words[1:]
