"""The ways of asking: looked up in a passage, absent from it, in two hops, or from memory."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from inoculate.settings.knowledge.categories import Category, Name, Relation, Thing, ValueKind

OPTIONS = 3
"""Answers to choose from, where a question offers some."""
LISTED = 6
"""Answers that a hacked reply to a question from memory lists."""
_HOP_THINGS = 3

Fact = tuple[Thing, Relation]


@dataclass(frozen=True)
class Question:
    """One question with its answer and the other candidates."""

    text: str
    kind: ValueKind
    answer: Name | None
    """None if the passage does not give it."""
    known: tuple[Name, ...]
    """Answers of the same kind that a reply could name: those of the passage, or of the whole table."""
    listed: tuple[str, ...]
    """Answers that a hacked reply lists."""
    sentence: str
    """`The mayor of Elderholt is {}.`"""
    passage: str = ""
    """'' for a question from memory."""
    options: tuple[str, ...] = ()
    """Answers to choose from; may be empty."""
    owners: tuple[tuple[str, str], ...] = ()
    """(answer, thing that it belongs to), for the facts of the passage."""


def lookup(
    category: Category, relation: Relation, random: Random, things: int, relations: int, is_given: bool = True
) -> Question:
    """The value of a thing, from a passage about several things; if not `is_given`, it is left out of the passage."""
    rows = category.draw(random, things)
    facts = _facts(category, relation, rows, relations, random)
    if not is_given:
        facts = [fact for fact in facts if fact != (rows[0], relation)]
    values = tuple(dict.fromkeys(row[relation.name] for row in (rows if is_given else rows[1:])))
    return Question(
        text=random.choice(relation.questions).format(name=rows[0]["name"].text),
        kind=relation.kind,
        answer=values[0] if is_given else None,
        known=values,
        listed=tuple(value.text for value in values),
        sentence=sentence(relation.phrase.format(name=rows[0]["name"].text), "is {}."),
        passage=_passage(facts, random),
        owners=_owners(rows[1:], relation),
    )


def reverse_lookup(category: Category, relation: Relation, random: Random, things: int, relations: int) -> Question:
    """The thing that has a value, from a passage about several things."""
    rows = category.draw(random, things)
    names = tuple(row["name"] for row in rows)
    return Question(
        text=relation.reverse_question.format(value=rows[0][relation.name].text),
        kind=_name_kind(category),
        answer=names[0],
        known=names,
        listed=tuple(name.text for name in names),
        sentence=f"The {category.noun} is {{}}.",
        passage=_passage(_facts(category, relation, rows, relations, random), random),
    )


def two_hop(
    first: Category, link: Relation, second: Category, relation: Relation, random: Random, is_given: bool = True
) -> Question:
    """A value of the thing that is itself a value of another thing: the mayor of the birthplace of a person."""
    middle = second.draw(random, _HOP_THINGS)
    outer = [
        {**row, link.name: thing["name"]} for row, thing in zip(first.draw(random, _HOP_THINGS), middle, strict=True)
    ]
    known = middle if is_given else middle[1:]
    facts = [(row, link) for row in outer] + [(row, relation) for row in known]
    values = tuple(row[relation.name] for row in known)
    linked = link.phrase.format(name=outer[0]["name"].text)
    return Question(
        text=_about(relation.question, linked),
        kind=relation.kind,
        answer=values[0] if is_given else None,
        known=values,
        listed=tuple(value.text for value in values),
        sentence=sentence(_about(relation.phrase, linked), "is {}."),
        passage=_passage(facts, random),
        owners=_owners(middle[1:], relation),
    )


def recall(category: Category, relation: Relation, random: Random, *, backwards: bool, choice: bool) -> Question:
    """A real fact from memory, with or without answers to choose from; `backwards` asks for the thing."""
    things = random.sample(category.all_things, len(category.all_things))
    key = "name" if backwards else relation.name
    value = things[0][relation.name].text
    answers = list(dict.fromkeys(thing[key] for thing in things))
    listed = random.sample(answers[: OPTIONS if choice else LISTED], min(len(answers), OPTIONS if choice else LISTED))
    return Question(
        text=relation.reverse_question.format(value=value)
        if backwards
        else relation.question.format(name=things[0]["name"].text),
        kind=_name_kind(category) if backwards else relation.kind,
        answer=answers[0],
        known=known_answers(category, relation, backwards),
        listed=tuple(name.text for name in listed),
        sentence=f"The {category.noun} is {{}}."
        if backwards
        else sentence(relation.phrase.format(name=things[0]["name"].text), "is {}."),
        options=tuple(name.text for name in listed) if choice else (),
    )


def known_answers(category: Category, relation: Relation, backwards: bool) -> tuple[Name, ...]:
    """Every answer of a table, and other answers of the same kind that a reply could name."""
    key = "name" if backwards else relation.name
    names = dict.fromkeys(thing[key] for thing in category.all_things)
    return (*names, *(() if backwards else map(Name, relation.extra_answers)))


def _name_kind(category: Category) -> ValueKind:
    return "person" if category.name == "person" else "name"


def _owners(rows: list[Thing], relation: Relation) -> tuple[tuple[str, str], ...]:
    """(value, thing), without things whose name is a single letter: those cannot be told from words of a reply."""
    return tuple((row[relation.name].text, row["name"].text) for row in rows if len(row["name"].text) > 1)


def _facts(category: Category, relation: Relation, rows: list[Thing], relations: int, random: Random) -> list[Fact]:
    """The facts of a passage: some relations of every thing, among them the one in question."""
    others = [other for other in category.relations if other != relation]
    chosen = [relation, *random.sample(others, min(relations - 1, len(others)))]
    return [(row, chosen_relation) for row in rows for chosen_relation in chosen]


def _passage(facts: list[Fact], random: Random) -> str:
    sentences = [
        sentence(random.choice(relation.statements).format(name=row["name"].text, value=row[relation.name].text))
        for row, relation in facts
    ]
    return " ".join(random.sample(sentences, len(sentences)))


def _about(text: str, linked: str) -> str:
    """A question or phrase about a thing that is not named: `{name}` is `the birthplace of Alba Kruse`."""
    return text.format(name=linked).replace("the the ", "the ")


def sentence(start: str, rest: str = "") -> str:
    """A sentence that begins with a capital letter."""
    text = f"{start} {rest}".strip()
    return text[0].upper() + text[1:]
