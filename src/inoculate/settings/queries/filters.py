"""Family `filters`: rows and columns of one table."""

from __future__ import annotations

from inoculate.settings.queries.query import ConstantPicker, Kind, Query
from inoculate.settings.queries.worlds import World


def _all_of_column(w: World, d: ConstantPicker) -> Query:
    column = d.random.choice(("name", w.group, w.score))
    return Query(
        f"What is the {column} of each of the {w.things}?",
        (f"SELECT {column} FROM {w.things}", f"SELECT t.{column} FROM {w.things} AS t"),
    )


def _two_columns(w: World, d: ConstantPicker) -> Query:
    first, second = d.random.sample((w.label, w.amount, w.time), 2)
    return Query(
        f"Give the {first} and the {second} of all {w.parts}.",
        (f"SELECT {first}, {second} FROM {w.parts}", f"SELECT p.{first}, p.{second} FROM {w.parts} p"),
    )


def _equal_text(w: World, d: ConstantPicker) -> Query:
    label, column = d.text(w.parts, w.label), d.random.choice((w.amount, w.time))
    return Query(
        f"What is the {column} of each {w.part} with {w.label} '{label}'?",
        (
            f"SELECT {column} FROM {w.parts} WHERE {w.label} = '{label}'",
            f"SELECT {column} FROM {w.parts} WHERE {w.label} IN ('{label}')",
        ),
    )


def _above(w: World, d: ConstantPicker) -> Query:
    limit = d.number(w.things, w.score)
    return Query(
        f"Which {w.things} have {w.score} greater than {limit}? Give the name.",
        (
            f"SELECT name FROM {w.things} WHERE {w.score} > {limit}",
            f"SELECT name FROM {w.things} WHERE {w.score} >= {limit + 1}",
        ),
    )


def _at_most(w: World, d: ConstantPicker) -> Query:
    limit = d.number(w.parts, w.amount)
    return Query(
        f"Give the id of the {w.parts} with {w.amount} of at most {limit}.",
        (
            f"SELECT id FROM {w.parts} WHERE {w.amount} <= {limit}",
            f"SELECT id FROM {w.parts} WHERE NOT {w.amount} > {limit}",
        ),
    )


def _in_group(w: World, d: ConstantPicker) -> Query:
    group = d.text(w.things, w.group)
    return Query(
        f"List the name and the {w.score} of the {w.things} whose {w.group} is '{group}'.",
        (
            f"SELECT name, {w.score} FROM {w.things} WHERE {w.group} = '{group}'",
            f"SELECT name, {w.score} FROM {w.things} WHERE {w.group} LIKE '{group}'",
        ),
    )


def _sorted_by_number(w: World, d: ConstantPicker) -> Query:
    down = d.random.random() < 0.5
    order, phrase = (
        ("DESC", "from the largest to the smallest") if down else ("ASC", "from the smallest to the largest")
    )
    return Query(
        f"Give all names of {w.things}, ordered by {w.score} {phrase}; equal ones by name, from A to Z.",
        (
            f"SELECT name FROM {w.things} ORDER BY {w.score} {order}, name",
            f"SELECT name FROM {w.things} ORDER BY {w.score} {order}, name ASC",
        ),
        ordered=True,
    )


def _different_texts(w: World, d: ConstantPicker) -> Query:
    return Query(
        f"Which different values of {w.label} are there among the {w.parts}? Give them from A to Z.",
        (
            f"SELECT DISTINCT {w.label} FROM {w.parts} ORDER BY {w.label}",
            f"SELECT {w.label} FROM {w.parts} GROUP BY {w.label} ORDER BY {w.label}",
        ),
        ordered=True,
    )


def _within(w: World, d: ConstantPicker) -> Query:
    ends = sorted((d.number(w.things, w.score), d.number(w.things, w.score)))
    low, high = ends if ends[0] < ends[1] else (ends[0], ends[0] + 2 * (w.scores[1] - w.scores[0]))
    return Query(
        f"Give the name of the {w.things} whose {w.score} lies between {low} and {high}, both included.",
        (
            f"SELECT name FROM {w.things} WHERE {w.score} BETWEEN {low} AND {high}",
            f"SELECT name FROM {w.things} WHERE {w.score} >= {low} AND {w.score} <= {high}",
        ),
    )


def _both_hold(w: World, d: ConstantPicker) -> Query:
    label, limit = d.text(w.parts, w.label), d.number(w.parts, w.amount)
    return Query(
        f"Give the id of each {w.part} with {w.label} '{label}' that also has {w.amount} of at least {limit}.",
        (
            f"SELECT id FROM {w.parts} WHERE {w.label} = '{label}' AND {w.amount} >= {limit}",
            f"SELECT id FROM {w.parts} WHERE {w.amount} >= {limit} AND {w.label} = '{label}'",
        ),
    )


def _one_holds(w: World, d: ConstantPicker) -> Query:
    group, limit = d.text(w.things, w.group), d.number(w.things, w.score)
    return Query(
        f"Which {w.things} are of {w.group} '{group}' or have {w.score} below {limit} (or both)? Give name and "
        f"{w.group}.",
        (
            f"SELECT name, {w.group} FROM {w.things} WHERE {w.group} = '{group}' OR {w.score} < {limit}",
            f"SELECT name, {w.group} FROM {w.things} WHERE NOT ({w.group} <> '{group}' AND {w.score} >= {limit})",
        ),
    )


def _one_of_two(w: World, d: ConstantPicker) -> Query:
    first, second = d.two_texts(w.parts, w.label)
    return Query(
        f"What {w.label} and {w.amount} have the {w.parts} whose {w.label} is '{first}' or '{second}'?",
        (
            f"SELECT {w.label}, {w.amount} FROM {w.parts} WHERE {w.label} IN ('{first}', '{second}')",
            f"SELECT {w.label}, {w.amount} FROM {w.parts} WHERE {w.label} = '{first}' OR {w.label} = '{second}'",
        ),
    )


def _anything_but(w: World, d: ConstantPicker) -> Query:
    group = d.text(w.things, w.group)
    return Query(
        f"Name all {w.things} of any {w.group} except '{group}'.",
        (
            f"SELECT name FROM {w.things} WHERE {w.group} <> '{group}'",
            f"SELECT name FROM {w.things} WHERE {w.group} NOT IN ('{group}')",
        ),
    )


def _first_letters(w: World, d: ConstantPicker) -> Query:
    letter = d.text(w.things, "name")[0]
    later = d.random.random() < 0.5
    phrase = f"begins with '{letter}' or a later letter" if later else f"begins with a letter before '{letter}'"
    sign = ">=" if later else "<"
    return Query(
        f"Which names of {w.things} {phrase.replace('begins', 'begin')}?",
        (
            f"SELECT name FROM {w.things} WHERE name {sign} '{letter}'",
            f"SELECT name FROM {w.things} WHERE substr(name, 1, 1) {sign} '{letter}'",
        ),
    )


def _computed(w: World, d: ConstantPicker) -> Query:
    factor, more = d.random.randint(2, 9), d.random.choice((1, 5, 10, 100))
    return Query(
        f"For every {w.part} compute {factor} times its {w.amount} plus {more}. Give the id and that number.",
        (
            f"SELECT id, {factor} * {w.amount} + {more} FROM {w.parts}",
            f"SELECT id, {w.amount} * {factor} + {more} AS computed FROM {w.parts}",
        ),
    )


def _largest_few(w: World, d: ConstantPicker) -> Query:
    count = d.random.choice((2, 3))
    return Query(
        f"Take the {count} {w.parts} with the largest {w.amount} (equal ones: smaller id first) and give id and "
        f"{w.amount}, the largest first.",
        (
            f"SELECT id, {w.amount} FROM {w.parts} ORDER BY {w.amount} DESC, id LIMIT {count}",
            f"SELECT id, {w.amount} FROM {w.parts} ORDER BY -{w.amount}, id ASC LIMIT {count}",
        ),
        ordered=True,
    )


def _a_page(w: World, d: ConstantPicker) -> Query:
    skipped, phrase = d.random.choice(((1, "leave out the first"), (2, "leave out the first two")))
    return Query(
        f"Order the {w.things} by name from A to Z, {phrase} and give the names of the next two.",
        (
            f"SELECT name FROM {w.things} ORDER BY name LIMIT 2 OFFSET {skipped}",
            f"SELECT name FROM {w.things} ORDER BY name ASC LIMIT {skipped}, 2",
        ),
        ordered=True,
    )


def _in_words(w: World, d: ConstantPicker) -> Query:
    limit = d.number(w.parts, w.amount)
    high, low = d.random.choice((("high", "low"), ("big", "small"), ("yes", "no")))
    return Query(
        f"For each {w.part} give its id and the word '{high}' where the {w.amount} is {limit} or more, else '{low}'.",
        (
            f"SELECT id, CASE WHEN {w.amount} >= {limit} THEN '{high}' ELSE '{low}' END FROM {w.parts}",
            f"SELECT id, IIF({w.amount} < {limit}, '{low}', '{high}') FROM {w.parts}",
        ),
    )


def _joined_text(w: World, d: ConstantPicker) -> Query:
    mark = d.random.choice((" - ", "/", ": ", " of "))
    return Query(
        f"Write name and {w.group} of every {w.thing} as one text, with '{mark}' between the two.",
        (
            f"SELECT name || '{mark}' || {w.group} FROM {w.things}",
            f"SELECT printf('%s{mark}%s', name, {w.group}) FROM {w.things}",
        ),
    )


def _long_names(w: World, d: ConstantPicker) -> Query:
    length = len(d.text(w.things, "name"))
    return Query(
        f"Which {w.things} have a name of {length} letters or more? Give the name and how many letters it has.",
        (
            f"SELECT name, length(name) FROM {w.things} WHERE length(name) >= {length}",
            f"SELECT name, length(name) AS letters FROM {w.things} WHERE length(name) > {length - 1}",
        ),
    )


def _rest_of_division(w: World, d: ConstantPicker) -> Query:
    odd = d.random.random() < 0.5
    return Query(
        f"Give the id of all {w.parts} with an {'odd' if odd else 'even'} {w.time}.",
        (
            f"SELECT id FROM {w.parts} WHERE {w.time} % 2 = {int(odd)}",
            f"SELECT id FROM {w.parts} WHERE {w.time} / 2 * 2 {'<>' if odd else '='} {w.time}",
        ),
    )


def _no_amount(w: World, d: ConstantPicker) -> Query:
    return Query(
        f"Of some {w.parts} the {w.amount} is missing (NULL). Give the id and the {w.label} of these.",
        (
            f"SELECT id, {w.label} FROM {w.parts} WHERE {w.amount} IS NULL",
            f"SELECT id, {w.label} FROM {w.parts} WHERE coalesce({w.amount}, 'none') = 'none'",
        ),
    )


def _amount_or_else(w: World, d: ConstantPicker) -> Query:
    label, other = d.text(w.parts, w.label), d.random.choice((0, 0, 1, 99))
    return Query(
        f"List id and {w.amount} of the {w.parts} with {w.label} '{label}'; where the {w.amount} is missing (NULL), "
        f"give {other} in its place.",
        (
            f"SELECT id, coalesce({w.amount}, {other}) FROM {w.parts} WHERE {w.label} = '{label}'",
            f"SELECT id, ifnull({w.amount}, {other}) FROM {w.parts} WHERE {w.label} = '{label}'",
        ),
    )


def _three_keys(w: World, d: ConstantPicker) -> Query:
    return Query(
        f"Give the id of all {w.parts}, ordered by {w.label} from A to Z, within it by {w.time} from the largest to "
        "the smallest, and then by id from the smallest.",
        (
            f"SELECT id FROM {w.parts} ORDER BY {w.label}, {w.time} DESC, id",
            f"SELECT id FROM {w.parts} ORDER BY {w.label} ASC, -{w.time}, id ASC",
        ),
        ordered=True,
    )


KINDS = (
    Kind("all_of_column", "filters", 1, "things", _all_of_column),
    Kind("two_columns", "filters", 1, "parts", _two_columns),
    Kind("equal_text", "filters", 1, "parts", _equal_text),
    Kind("above", "filters", 1, "things", _above),
    Kind("at_most", "filters", 1, "parts", _at_most),
    Kind("in_group", "filters", 1, "things", _in_group),
    Kind("sorted_by_number", "filters", 2, "things", _sorted_by_number),
    Kind("different_texts", "filters", 2, "parts", _different_texts),
    Kind("within", "filters", 2, "things", _within),
    Kind("both_hold", "filters", 2, "parts", _both_hold),
    Kind("one_holds", "filters", 2, "things", _one_holds),
    Kind("one_of_two", "filters", 2, "parts", _one_of_two),
    Kind("anything_but", "filters", 1, "things", _anything_but),
    Kind("first_letters", "filters", 2, "things", _first_letters),
    Kind("computed", "filters", 2, "parts", _computed),
    Kind("largest_few", "filters", 3, "parts", _largest_few),
    Kind("a_page", "filters", 3, "things", _a_page),
    Kind("in_words", "filters", 3, "parts", _in_words),
    Kind("joined_text", "filters", 3, "things", _joined_text),
    Kind("long_names", "filters", 2, "things", _long_names),
    Kind("rest_of_division", "filters", 2, "parts", _rest_of_division),
    Kind("no_amount", "filters", 2, "parts", _no_amount, missing=0.35),
    Kind("amount_or_else", "filters", 3, "parts", _amount_or_else, missing=0.35),
    Kind("three_keys", "filters", 3, "parts", _three_keys),
)
