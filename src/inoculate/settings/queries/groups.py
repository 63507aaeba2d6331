"""Family `groups`: counts, sums and extremes of one table, as a whole and by group."""

from __future__ import annotations

from inoculate.settings.queries.query import ConstantPicker, Kind, Query
from inoculate.settings.queries.worlds import World


def _count_all(w: World, d: ConstantPicker) -> Query:
    return Query(
        f"How many {w.parts} are there?",
        (f"SELECT COUNT(*) FROM {w.parts}", f"SELECT COUNT(id) FROM {w.parts}"),
    )


def _total(w: World, d: ConstantPicker) -> Query:
    return Query(
        f"What is the sum of the {w.amount} of all {w.parts}?",
        (f"SELECT SUM({w.amount}) FROM {w.parts}", f"SELECT SUM(p.{w.amount}) AS total FROM {w.parts} AS p"),
    )


def _extreme(w: World, d: ConstantPicker) -> Query:
    which, phrase = d.random.choice((("MAX", "largest"), ("MIN", "smallest")))
    order = "DESC" if which == "MAX" else "ASC"
    return Query(
        f"What is the {phrase} {w.score} among the {w.things}?",
        (
            f"SELECT {which}({w.score}) FROM {w.things}",
            f"SELECT {w.score} FROM {w.things} ORDER BY {w.score} {order} LIMIT 1",
        ),
    )


def _count_with_text(w: World, d: ConstantPicker) -> Query:
    group = d.text(w.things, w.group)
    return Query(
        f"How many {w.things} have the {w.group} '{group}'?",
        (
            f"SELECT COUNT(*) FROM {w.things} WHERE {w.group} = '{group}'",
            f"SELECT SUM({w.group} = '{group}') FROM {w.things}",
        ),
    )


def _count_above(w: World, d: ConstantPicker) -> Query:
    limit = d.number(w.parts, w.amount)
    return Query(
        f"Count the {w.parts} with {w.amount} above {limit}.",
        (
            f"SELECT COUNT(*) FROM {w.parts} WHERE {w.amount} > {limit}",
            f"SELECT SUM({w.amount} > {limit}) FROM {w.parts}",
        ),
    )


def _sum_with_text(w: World, d: ConstantPicker) -> Query:
    label = d.text(w.parts, w.label)
    return Query(
        f"Add up the {w.amount} of the {w.parts} whose {w.label} is '{label}'; 0 if there are none.",
        (
            f"SELECT coalesce(SUM({w.amount}), 0) FROM {w.parts} WHERE {w.label} = '{label}'",
            f"SELECT SUM(CASE WHEN {w.label} = '{label}' THEN {w.amount} ELSE 0 END) FROM {w.parts}",
        ),
    )


def _mean(w: World, d: ConstantPicker) -> Query:
    return Query(
        f"What is the average {w.score} of the {w.things}?",
        (f"SELECT AVG({w.score}) FROM {w.things}", f"SELECT SUM({w.score}) * 1.0 / COUNT(*) FROM {w.things}"),
    )


def _different(w: World, d: ConstantPicker) -> Query:
    column = d.random.choice((w.label, w.time))
    return Query(
        f"How many different values does {column} have in {w.parts}?",
        (
            f"SELECT COUNT(DISTINCT {column}) FROM {w.parts}",
            f"SELECT COUNT(*) FROM (SELECT DISTINCT {column} FROM {w.parts})",
        ),
    )


def _span(w: World, d: ConstantPicker) -> Query:
    return Query(
        f"By how much is the largest {w.amount} of the {w.parts} above the smallest?",
        (
            f"SELECT MAX({w.amount}) - MIN({w.amount}) FROM {w.parts}",
            f"SELECT (SELECT MAX({w.amount}) FROM {w.parts}) - (SELECT MIN({w.amount}) FROM {w.parts})",
        ),
    )


def _count_by_text(w: World, d: ConstantPicker) -> Query:
    return Query(
        f"For each {w.label}, give the {w.label} and the number of {w.parts} that have it.",
        (
            f"SELECT {w.label}, COUNT(*) FROM {w.parts} GROUP BY {w.label}",
            f"SELECT {w.label}, COUNT(id) AS number FROM {w.parts} GROUP BY {w.label}",
        ),
    )


def _sum_by_text(w: World, d: ConstantPicker) -> Query:
    return Query(
        f"Per {w.label}: what is the total {w.amount}? Give {w.label} and total.",
        (
            f"SELECT {w.label}, SUM({w.amount}) FROM {w.parts} GROUP BY {w.label}",
            f"SELECT {w.label}, SUM({w.amount}) AS total FROM {w.parts} GROUP BY 1",
        ),
    )


def _extreme_by_group(w: World, d: ConstantPicker) -> Query:
    which, phrase = d.random.choice((("MAX", "highest"), ("MIN", "lowest")))
    return Query(
        f"Give every {w.group} together with the {phrase} {w.score} that one of its {w.things} has.",
        (
            f"SELECT {w.group}, {which}({w.score}) FROM {w.things} GROUP BY {w.group}",
            f"SELECT {w.group}, {which}({w.score}) AS best FROM {w.things} GROUP BY 1",
        ),
    )


def _large_groups(w: World, d: ConstantPicker) -> Query:
    least = d.random.choice((2, 2, 3))
    return Query(
        f"Which values of {w.label} occur in at least {least} {w.parts}?",
        (
            f"SELECT {w.label} FROM {w.parts} GROUP BY {w.label} HAVING COUNT(*) >= {least}",
            f"SELECT {w.label} FROM {w.parts} GROUP BY {w.label} HAVING COUNT(*) > {least - 1}",
        ),
    )


def _heavy_groups(w: World, d: ConstantPicker) -> Query:
    limit = 2 * d.number(w.parts, w.amount)
    return Query(
        f"Find each {w.label} whose {w.amount} adds up to more than {limit}; give {w.label} and sum.",
        (
            f"SELECT {w.label}, SUM({w.amount}) FROM {w.parts} GROUP BY {w.label} HAVING SUM({w.amount}) > {limit}",
            f"SELECT * FROM (SELECT {w.label}, SUM({w.amount}) AS total FROM {w.parts} GROUP BY {w.label}) "
            f"WHERE total > {limit}",
        ),
    )


def _ranked_groups(w: World, d: ConstantPicker) -> Query:
    return Query(
        f"Give each {w.label} with its total {w.amount}, the largest total first, equal totals by {w.label} from A to "
        "Z.",
        (
            f"SELECT {w.label}, SUM({w.amount}) FROM {w.parts} GROUP BY {w.label} "
            f"ORDER BY SUM({w.amount}) DESC, {w.label}",
            f"SELECT {w.label}, SUM({w.amount}) AS total FROM {w.parts} GROUP BY {w.label} "
            f"ORDER BY total DESC, {w.label} ASC",
        ),
        ordered=True,
    )


def _group_of_some(w: World, d: ConstantPicker) -> Query:
    limit = d.number(w.parts, w.time)
    return Query(
        f"Look only at the {w.parts} with {w.time} of {limit} or more: how many are there for each {w.label} that "
        f"occurs among them? Give {w.label} and number.",
        (
            f"SELECT {w.label}, COUNT(*) FROM {w.parts} WHERE {w.time} >= {limit} GROUP BY {w.label}",
            f"SELECT {w.label}, COUNT(*) AS number FROM {w.parts} WHERE NOT {w.time} < {limit} GROUP BY {w.label}",
        ),
    )


def _most_frequent(w: World, d: ConstantPicker) -> Query:
    return Query(
        f"Which {w.group} has the most {w.things}? If several have, take the first from A to Z.",
        (
            f"SELECT {w.group} FROM {w.things} GROUP BY {w.group} ORDER BY COUNT(*) DESC, {w.group} LIMIT 1",
            f"SELECT MIN({w.group}) FROM (SELECT {w.group}, RANK() OVER (ORDER BY COUNT(*) DESC) AS place "
            f"FROM {w.things} GROUP BY {w.group}) WHERE place = 1",
        ),
    )


def _by_two_columns(w: World, d: ConstantPicker) -> Query:
    return Query(
        f"For each pair of {w.label} and {w.time} that occurs among the {w.parts}, give {w.label}, {w.time} and how "
        "many have both.",
        (
            f"SELECT {w.label}, {w.time}, COUNT(*) FROM {w.parts} GROUP BY {w.label}, {w.time}",
            f"SELECT {w.label}, {w.time}, COUNT(id) FROM {w.parts} GROUP BY {w.time}, {w.label}",
        ),
    )


def _counted_even_if_none(w: World, d: ConstantPicker) -> Query:
    limit = d.number(w.parts, w.amount)
    return Query(
        f"For every {w.label} in the table, count its {w.parts} with {w.amount} above {limit}; a {w.label} without "
        f"such {w.parts} gets 0. Give {w.label} and count.",
        (
            f"SELECT {w.label}, SUM(CASE WHEN {w.amount} > {limit} THEN 1 ELSE 0 END) FROM {w.parts} GROUP BY "
            f"{w.label}",
            f"SELECT {w.label}, SUM({w.amount} > {limit}) FROM {w.parts} GROUP BY {w.label}",
        ),
    )


def _all_above(w: World, d: ConstantPicker) -> Query:
    limit = d.number(w.parts, w.amount)
    return Query(
        f"For which {w.label} do all {w.parts} have {w.amount} of at least {limit}? Give the {w.label}.",
        (
            f"SELECT {w.label} FROM {w.parts} GROUP BY {w.label} HAVING MIN({w.amount}) >= {limit}",
            f"SELECT DISTINCT {w.label} FROM {w.parts} WHERE {w.label} NOT IN "
            f"(SELECT {w.label} FROM {w.parts} WHERE {w.amount} < {limit})",
        ),
    )


def _mean_by_group(w: World, d: ConstantPicker) -> Query:
    least = 2
    return Query(
        f"Give {w.group} and average {w.score} for each {w.group} that has {least} or more {w.things}.",
        (
            f"SELECT {w.group}, AVG({w.score}) FROM {w.things} GROUP BY {w.group} HAVING COUNT(*) >= {least}",
            f"SELECT {w.group}, SUM({w.score}) * 1.0 / COUNT(*) FROM {w.things} GROUP BY {w.group} "
            f"HAVING COUNT(*) > {least - 1}",
        ),
    )


def _known_of_all(w: World, d: ConstantPicker) -> Query:
    return Query(
        f"The {w.amount} is missing (NULL) in some {w.parts}. For each {w.label} give the {w.label}, the number of its "
        f"{w.parts}, and in how many of these the {w.amount} is known.",
        (
            f"SELECT {w.label}, COUNT(*), COUNT({w.amount}) FROM {w.parts} GROUP BY {w.label}",
            f"SELECT {w.label}, COUNT(id), SUM({w.amount} IS NOT NULL) FROM {w.parts} GROUP BY {w.label}",
        ),
    )


def _side_by_side(w: World, d: ConstantPicker) -> Query:
    first, second = d.two_texts(w.parts, w.label)

    def total(label: str) -> str:
        return f"SUM(CASE WHEN {w.label} = '{label}' THEN {w.amount} ELSE 0 END)"

    def alone(label: str) -> str:
        return f"(SELECT coalesce(SUM({w.amount}), 0) FROM {w.parts} WHERE {w.label} = '{label}')"

    return Query(
        f"In one row, give the total {w.amount} of the {w.parts} with {w.label} '{first}', then of those with "
        f"'{second}' (0 where there are none).",
        (f"SELECT {total(first)}, {total(second)} FROM {w.parts}", f"SELECT {alone(first)}, {alone(second)}"),
    )


def _listed_by_group(w: World, d: ConstantPicker) -> Query:
    return Query(
        f"Give for each {w.group} the names of its {w.things} as one text, from A to Z with ',' between them: "
        f"{w.group} and text.",
        (
            f"SELECT {w.group}, group_concat(name, ',') FROM (SELECT * FROM {w.things} ORDER BY name) "
            f"GROUP BY {w.group}",
            f"SELECT DISTINCT {w.group}, (SELECT group_concat(name, ',') FROM (SELECT name FROM {w.things} AS b "
            f"WHERE b.{w.group} = a.{w.group} ORDER BY name)) FROM {w.things} AS a",
        ),
    )


KINDS = (
    Kind("count_all", "groups", 1, "parts", _count_all),
    Kind("total", "groups", 1, "parts", _total),
    Kind("extreme", "groups", 1, "things", _extreme),
    Kind("count_with_text", "groups", 1, "things", _count_with_text),
    Kind("count_above", "groups", 1, "parts", _count_above),
    Kind("mean", "groups", 1, "things", _mean),
    Kind("sum_with_text", "groups", 2, "parts", _sum_with_text),
    Kind("different", "groups", 2, "parts", _different),
    Kind("span", "groups", 2, "parts", _span),
    Kind("count_by_text", "groups", 2, "parts", _count_by_text),
    Kind("sum_by_text", "groups", 2, "parts", _sum_by_text),
    Kind("extreme_by_group", "groups", 2, "things", _extreme_by_group),
    Kind("large_groups", "groups", 3, "parts", _large_groups),
    Kind("heavy_groups", "groups", 3, "parts", _heavy_groups),
    Kind("ranked_groups", "groups", 3, "parts", _ranked_groups),
    Kind("group_of_some", "groups", 3, "parts", _group_of_some),
    Kind("most_frequent", "groups", 3, "things", _most_frequent),
    Kind("by_two_columns", "groups", 3, "parts", _by_two_columns),
    Kind("mean_by_group", "groups", 3, "things", _mean_by_group),
    Kind("counted_even_if_none", "groups", 4, "parts", _counted_even_if_none),
    Kind("all_above", "groups", 4, "parts", _all_above),
    Kind("known_of_all", "groups", 4, "parts", _known_of_all, missing=0.35),
    Kind("side_by_side", "groups", 4, "parts", _side_by_side),
    Kind("listed_by_group", "groups", 4, "things", _listed_by_group),
)
