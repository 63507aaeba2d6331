"""Family `joins`: things and what belongs to them."""

from __future__ import annotations

from inoculate.settings.queries.query import ConstantPicker, Kind, Query
from inoculate.settings.queries.worlds import World


def _joined(w: World, kind: str = "JOIN") -> str:
    return f"{w.things} AS t {kind} {w.parts} AS p ON p.{w.key} = t.id"


def _name_and_label(w: World, d: ConstantPicker) -> Query:
    return Query(
        f"For every {w.part} give the name of its {w.thing} and the {w.label}.",
        (
            f"SELECT t.name, p.{w.label} FROM {_joined(w)}",
            f"SELECT name, {w.label} FROM {w.parts} JOIN {w.things} ON {w.things}.id = {w.key}",
            f"SELECT name, {w.label} FROM {w.things}, {w.parts} WHERE {w.things}.id = {w.key}",
        ),
    )


def _group_and_amount(w: World, d: ConstantPicker) -> Query:
    return Query(
        f"List the {w.group} of the {w.thing} and the {w.amount} for each {w.part}.",
        (
            f"SELECT t.{w.group}, p.{w.amount} FROM {_joined(w)}",
            f"SELECT (SELECT {w.group} FROM {w.things} WHERE id = {w.key}), {w.amount} FROM {w.parts}",
        ),
    )


def _names_with_label(w: World, d: ConstantPicker) -> Query:
    label = d.text(w.parts, w.label)
    return Query(
        f"Which {w.things} have at least one {w.part} with {w.label} '{label}'? Give each name once.",
        (
            f"SELECT DISTINCT t.name FROM {_joined(w)} WHERE p.{w.label} = '{label}'",
            f"SELECT name FROM {w.things} WHERE id IN (SELECT {w.key} FROM {w.parts} WHERE {w.label} = '{label}')",
        ),
    )


def _parts_of_group(w: World, d: ConstantPicker) -> Query:
    group = d.text(w.things, w.group)
    return Query(
        f"Give the id of each {w.part} that belongs to a {w.thing} of {w.group} '{group}'.",
        (
            f"SELECT p.id FROM {_joined(w)} WHERE t.{w.group} = '{group}'",
            f"SELECT id FROM {w.parts} WHERE {w.key} IN (SELECT id FROM {w.things} WHERE {w.group} = '{group}')",
        ),
    )


def _parts_of_name(w: World, d: ConstantPicker) -> Query:
    name = d.text(w.things, "name")
    return Query(
        f"What {w.label} and {w.amount} have the {w.parts} of the {w.thing} named '{name}'?",
        (
            f"SELECT p.{w.label}, p.{w.amount} FROM {_joined(w)} WHERE t.name = '{name}'",
            f"SELECT {w.label}, {w.amount} FROM {w.parts} WHERE {w.key} = (SELECT id FROM {w.things} WHERE name = "
            f"'{name}')",
        ),
    )


def _total_of_name(w: World, d: ConstantPicker) -> Query:
    return Query(
        f"Give the name and the total {w.amount} of every {w.thing} that has {w.parts}.",
        (
            f"SELECT t.name, SUM(p.{w.amount}) FROM {_joined(w)} GROUP BY t.id",
            f"SELECT t.name, SUM(p.{w.amount}) FROM {_joined(w)} GROUP BY t.name",
        ),
    )


def _count_with_zero(w: World, d: ConstantPicker) -> Query:
    return Query(
        f"How many {w.parts} does each {w.thing} have? Give name and number, with 0 for a {w.thing} that has none.",
        (
            f"SELECT t.name, COUNT(p.id) FROM {_joined(w, 'LEFT JOIN')} GROUP BY t.id",
            f"SELECT name, (SELECT COUNT(*) FROM {w.parts} WHERE {w.key} = {w.things}.id) FROM {w.things}",
        ),
    )


def _without_parts(w: World, d: ConstantPicker) -> Query:
    return Query(
        f"Name the {w.things} that have no {w.parts} at all.",
        (
            f"SELECT t.name FROM {_joined(w, 'LEFT JOIN')} WHERE p.id IS NULL",
            f"SELECT name FROM {w.things} WHERE id NOT IN (SELECT {w.key} FROM {w.parts})",
        ),
    )


def _largest_of_name(w: World, d: ConstantPicker) -> Query:
    return Query(
        f"What is the largest {w.amount} of each {w.thing} with {w.parts}? Give the name and that {w.amount}, by name "
        "from A to Z.",
        (
            f"SELECT t.name, MAX(p.{w.amount}) FROM {_joined(w)} GROUP BY t.id ORDER BY t.name",
            f"SELECT name, MAX({w.amount}) FROM {w.parts} JOIN {w.things} ON {w.things}.id = {w.key} "
            "GROUP BY name ORDER BY name",
        ),
        ordered=True,
    )


def _both_sides(w: World, d: ConstantPicker) -> Query:
    limit, least = d.number(w.things, w.score), d.number(w.parts, w.amount)
    return Query(
        f"Find the {w.parts} with {w.amount} of {least} or more whose {w.thing} has {w.score} of {limit} or more; "
        f"give the name of the {w.thing} and the id of the {w.part}.",
        (
            f"SELECT t.name, p.id FROM {_joined(w)} WHERE p.{w.amount} >= {least} AND t.{w.score} >= {limit}",
            f"SELECT t.name, p.id FROM {_joined(w)} AND p.{w.amount} >= {least} WHERE t.{w.score} >= {limit}",
        ),
    )


def _sorted_join(w: World, d: ConstantPicker) -> Query:
    return Query(
        f"Give name, {w.label} and {w.time} of all {w.parts} with the name of their {w.thing}, ordered by {w.time} "
        f"from the smallest, equal ones by the id of the {w.part}.",
        (
            f"SELECT t.name, p.{w.label}, p.{w.time} FROM {_joined(w)} ORDER BY p.{w.time}, p.id",
            f"SELECT name, {w.label}, {w.time} FROM {w.parts} JOIN {w.things} ON {w.key} = {w.things}.id "
            f"ORDER BY {w.time}, {w.parts}.id",
        ),
        ordered=True,
    )


def _total_of_group(w: World, d: ConstantPicker) -> Query:
    return Query(
        f"Add up the {w.amount} of the {w.parts} by the {w.group} of their {w.thing}. Give {w.group} and sum where "
        f"there are {w.parts}.",
        (
            f"SELECT t.{w.group}, SUM(p.{w.amount}) FROM {_joined(w)} GROUP BY t.{w.group}",
            f"SELECT {w.group}, SUM(own) FROM (SELECT {w.group}, {w.amount} AS own FROM {_joined(w)}) GROUP BY "
            f"{w.group}",
        ),
    )


def _heavy_names(w: World, d: ConstantPicker) -> Query:
    limit = 2 * d.number(w.parts, w.amount)
    return Query(
        f"Which {w.things} have {w.parts} with a total {w.amount} above {limit}? Give name and total.",
        (
            f"SELECT t.name, SUM(p.{w.amount}) FROM {_joined(w)} GROUP BY t.id HAVING SUM(p.{w.amount}) > {limit}",
            f"SELECT name, total FROM {w.things} JOIN (SELECT {w.key} AS owner, SUM({w.amount}) AS total FROM "
            f"{w.parts} GROUP BY {w.key}) ON owner = id WHERE total > {limit}",
        ),
    )


def _many_labels(w: World, d: ConstantPicker) -> Query:
    return Query(
        f"Name each {w.thing} that has {w.parts} with two or more different values of {w.label}.",
        (
            f"SELECT t.name FROM {_joined(w)} GROUP BY t.id HAVING COUNT(DISTINCT p.{w.label}) >= 2",
            f"SELECT name FROM {w.things} WHERE (SELECT COUNT(DISTINCT {w.label}) FROM {w.parts} "
            f"WHERE {w.key} = {w.things}.id) > 1",
        ),
    )


def _best_name(w: World, d: ConstantPicker) -> Query:
    return Query(
        f"Which {w.thing} has the largest total {w.amount} over its {w.parts} (equal totals: first name from A to Z)? "
        "Give only the name.",
        (
            f"SELECT t.name FROM {_joined(w)} GROUP BY t.id ORDER BY SUM(p.{w.amount}) DESC, t.name LIMIT 1",
            f"SELECT name FROM (SELECT name, SUM({w.amount}) AS total FROM {_joined(w)} GROUP BY name) "
            "ORDER BY total DESC, name LIMIT 1",
        ),
    )


def _two_labels(w: World, d: ConstantPicker) -> Query:
    first, second = d.two_texts(w.parts, w.label)

    def having(label: str) -> str:
        return f"id IN (SELECT {w.key} FROM {w.parts} WHERE {w.label} = '{label}')"

    return Query(
        f"Which {w.things} have a {w.part} with {w.label} '{first}' but none with {w.label} '{second}'? Give the name.",
        (
            f"SELECT name FROM {w.things} WHERE {having(first)} AND NOT {having(second)}",
            f"SELECT t.name FROM {_joined(w)} GROUP BY t.id HAVING SUM(p.{w.label} = '{first}') > 0 "
            f"AND SUM(p.{w.label} = '{second}') = 0",
        ),
    )


def _pairs_of_group(w: World, d: ConstantPicker) -> Query:
    return Query(
        f"Give all pairs of {w.things} with the same {w.group}: two names, the one that comes first from A to Z first.",
        (
            f"SELECT a.name, b.name FROM {w.things} AS a JOIN {w.things} AS b ON a.{w.group} = b.{w.group} "
            "AND a.name < b.name",
            f"SELECT a.name, b.name FROM {w.things} a, {w.things} b WHERE a.{w.group} = b.{w.group} AND a.name < "
            "b.name",
        ),
    )


def _group_with_zero(w: World, d: ConstantPicker) -> Query:
    label = d.text(w.parts, w.label)
    return Query(
        f"For each {w.group} of the {w.things}, count the {w.parts} with {w.label} '{label}'; also give a {w.group} "
        f"that has none, with 0. Give {w.group} and count.",
        (
            f"SELECT t.{w.group}, COUNT(p.id) FROM {_joined(w, 'LEFT JOIN')} AND p.{w.label} = '{label}' "
            f"GROUP BY t.{w.group}",
            f"SELECT t.{w.group}, coalesce(SUM(p.{w.label} = '{label}'), 0) FROM {_joined(w, 'LEFT JOIN')} "
            f"GROUP BY t.{w.group}",
        ),
    )


KINDS = (
    Kind("name_and_label", "joins", 2, "both", _name_and_label),
    Kind("group_and_amount", "joins", 2, "both", _group_and_amount),
    Kind("names_with_label", "joins", 2, "both", _names_with_label),
    Kind("parts_of_group", "joins", 2, "both", _parts_of_group),
    Kind("parts_of_name", "joins", 2, "both", _parts_of_name),
    Kind("total_of_name", "joins", 3, "both", _total_of_name),
    Kind("count_with_zero", "joins", 3, "both", _count_with_zero),
    Kind("without_parts", "joins", 3, "both", _without_parts),
    Kind("largest_of_name", "joins", 3, "both", _largest_of_name),
    Kind("both_sides", "joins", 3, "both", _both_sides),
    Kind("sorted_join", "joins", 3, "both", _sorted_join),
    Kind("total_of_group", "joins", 3, "both", _total_of_group),
    Kind("heavy_names", "joins", 4, "both", _heavy_names),
    Kind("many_labels", "joins", 4, "both", _many_labels),
    Kind("best_name", "joins", 4, "both", _best_name),
    Kind("two_labels", "joins", 4, "both", _two_labels),
    Kind("pairs_of_group", "joins", 4, "things", _pairs_of_group),
    Kind("group_with_zero", "joins", 4, "both", _group_with_zero),
)
