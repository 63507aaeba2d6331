"""Family `nested`: queries within queries, windows and sets."""

from __future__ import annotations

from inoculate.settings.queries.query import ConstantPicker, Kind, Query
from inoculate.settings.queries.worlds import World


def _above_mean(w: World, d: ConstantPicker) -> Query:
    return Query(
        f"Name the {w.things} whose {w.score} is above the average {w.score} of all {w.things}.",
        (
            f"SELECT name FROM {w.things} WHERE {w.score} > (SELECT AVG({w.score}) FROM {w.things})",
            f"SELECT name FROM {w.things}, (SELECT AVG({w.score}) AS mean FROM {w.things}) WHERE {w.score} > mean",
        ),
    )


def _all_with_extreme(w: World, d: ConstantPicker) -> Query:
    which, phrase = d.random.choice((("MAX", "largest"), ("MIN", "smallest")))
    return Query(
        f"Give the id of every {w.part} that has the {phrase} {w.amount} of all (there may be several).",
        (
            f"SELECT id FROM {w.parts} WHERE {w.amount} = (SELECT {which}({w.amount}) FROM {w.parts})",
            f"SELECT id FROM (SELECT id, RANK() OVER (ORDER BY {w.amount} {'DESC' if which == 'MAX' else 'ASC'}) AS "
            f"place FROM {w.parts}) WHERE place = 1",
        ),
    )


def _only_once(w: World, d: ConstantPicker) -> Query:
    return Query(
        f"Give the id of each {w.part} whose {w.label} no other {w.part} has.",
        (
            f"SELECT id FROM {w.parts} WHERE {w.label} IN (SELECT {w.label} FROM {w.parts} GROUP BY {w.label} "
            "HAVING COUNT(*) = 1)",
            f"SELECT MIN(id) FROM {w.parts} GROUP BY {w.label} HAVING COUNT(*) = 1",
        ),
    )


def _with_small_parts(w: World, d: ConstantPicker) -> Query:
    limit = d.number(w.parts, w.amount)
    return Query(
        f"Which {w.things} have {w.parts}, all of them with {w.amount} of {limit} or less? Give the name.",
        (
            f"SELECT name FROM {w.things} WHERE id IN (SELECT {w.key} FROM {w.parts}) AND id NOT IN "
            f"(SELECT {w.key} FROM {w.parts} WHERE {w.amount} > {limit})",
            f"SELECT name FROM {w.things} WHERE (SELECT MAX({w.amount}) FROM {w.parts} WHERE {w.key} = {w.things}.id) "
            f"<= {limit}",
        ),
    )


def _above_own_mean(w: World, d: ConstantPicker) -> Query:
    return Query(
        f"Find the {w.things} with {w.score} above the average of their own {w.group}; give name and {w.group}.",
        (
            f"SELECT name, {w.group} FROM {w.things} AS a WHERE {w.score} > (SELECT AVG({w.score}) FROM {w.things} AS "
            f"b WHERE b.{w.group} = a.{w.group})",
            f"SELECT name, {w.group} FROM (SELECT *, AVG({w.score}) OVER (PARTITION BY {w.group}) AS mean "
            f"FROM {w.things}) WHERE {w.score} > mean",
        ),
    )


def _best_of_each(w: World, d: ConstantPicker) -> Query:
    return Query(
        f"For each {w.label}, take the {w.part} with the largest {w.amount} (equal ones: the smallest id); give "
        f"{w.label} and id.",
        (
            f"SELECT {w.label}, id FROM (SELECT {w.label}, id, ROW_NUMBER() OVER (PARTITION BY {w.label} "
            f"ORDER BY {w.amount} DESC, id) AS place FROM {w.parts}) WHERE place = 1",
            f"SELECT {w.label}, MIN(id) FROM {w.parts} AS a WHERE {w.amount} = (SELECT MAX({w.amount}) FROM {w.parts} "
            f"AS b WHERE b.{w.label} = a.{w.label}) GROUP BY {w.label}",
        ),
    )


def _running_total(w: World, d: ConstantPicker) -> Query:
    return Query(
        f"Go through the {w.parts} by id and add up the {w.amount}: give each id with the sum up to and including it, "
        "by id from the smallest.",
        (
            f"SELECT id, SUM({w.amount}) OVER (ORDER BY id) FROM {w.parts} ORDER BY id",
            f"SELECT a.id, SUM(b.{w.amount}) FROM {w.parts} a JOIN {w.parts} b ON b.id <= a.id GROUP BY a.id ORDER BY "
            "a.id",
        ),
        ordered=True,
    )


def _change(w: World, d: ConstantPicker) -> Query:
    return Query(
        f"Order the {w.parts} by id. For each but the first give the id and by how much its {w.amount} is larger than "
        "that of the one before (negative if smaller), in this order.",
        (
            f"SELECT id, step FROM (SELECT id, {w.amount} - LAG({w.amount}) OVER (ORDER BY id) AS step FROM {w.parts}) "
            "WHERE step IS NOT NULL ORDER BY id",
            f"SELECT a.id, a.{w.amount} - b.{w.amount} FROM {w.parts} a JOIN {w.parts} b ON b.id = "
            f"(SELECT MAX(id) FROM {w.parts} WHERE id < a.id) ORDER BY a.id",
        ),
        ordered=True,
    )


def _places(w: World, d: ConstantPicker) -> Query:
    return Query(
        f"Give each name of the {w.things} with its place by {w.score}: the largest has place 1, equal ones have the "
        "same place, and after two on place 1 comes place 3.",
        (
            f"SELECT name, RANK() OVER (ORDER BY {w.score} DESC) FROM {w.things}",
            f"SELECT name, 1 + (SELECT COUNT(*) FROM {w.things} b WHERE b.{w.score} > a.{w.score}) FROM {w.things} a",
        ),
    )


def _second_largest(w: World, d: ConstantPicker) -> Query:
    return Query(
        f"What is the second largest value of {w.amount} in {w.parts}, counting equal values once? (The first is the "
        "largest.)",
        (
            f"SELECT DISTINCT {w.amount} FROM {w.parts} ORDER BY {w.amount} DESC LIMIT 1 OFFSET 1",
            f"SELECT {w.amount} FROM (SELECT DISTINCT {w.amount}, DENSE_RANK() OVER (ORDER BY {w.amount} DESC) AS "
            f"place FROM {w.parts}) WHERE place = 2",
        ),
        # Where all values are equal there is no second one: no row, or NULL.
        alternatives=(
            f"SELECT MAX({w.amount}) FROM {w.parts} WHERE {w.amount} < (SELECT MAX({w.amount}) FROM {w.parts})",
        ),
    )


def _share_of_total(w: World, d: ConstantPicker) -> Query:
    share = f"100.0 * SUM({w.amount}) / (SELECT SUM({w.amount}) FROM {w.parts})"
    return Query(
        f"What percentage of the total {w.amount} of all {w.parts} falls on each {w.label}? Give {w.label} and "
        "percentage, rounded to a whole number.",
        (
            f"SELECT {w.label}, ROUND({share}) FROM {w.parts} GROUP BY {w.label}",
            f"SELECT {w.label}, ROUND(100.0 * SUM({w.amount}) / SUM(SUM({w.amount})) OVER ()) FROM {w.parts} "
            f"GROUP BY {w.label}",
        ),
        # A half is rounded up, or down.
        alternatives=(f"SELECT {w.label}, CAST({share} + 0.4999 AS INTEGER) FROM {w.parts} GROUP BY {w.label}",),
    )


def _names_and_groups(w: World, d: ConstantPicker) -> Query:
    return Query(
        f"Make one list without repeats of all names and all values of {w.group} in {w.things}, from A to Z.",
        (
            f"SELECT name AS word FROM {w.things} UNION SELECT {w.group} FROM {w.things} ORDER BY word",
            f"SELECT DISTINCT word FROM (SELECT name AS word FROM {w.things} UNION ALL SELECT {w.group} FROM "
            f"{w.things}) ORDER BY word",
        ),
        ordered=True,
    )


def _in_both_halves(w: World, d: ConstantPicker) -> Query:
    limit = d.number(w.parts, w.time)
    return Query(
        f"Which values of {w.label} occur both in {w.parts} with {w.time} below {limit} and in {w.parts} with "
        f"{w.time} of {limit} or more?",
        (
            f"SELECT {w.label} FROM {w.parts} WHERE {w.time} < {limit} INTERSECT SELECT {w.label} FROM {w.parts} "
            f"WHERE {w.time} >= {limit}",
            f"SELECT {w.label} FROM {w.parts} GROUP BY {w.label} HAVING MIN({w.time}) < {limit} AND MAX({w.time}) >= "
            f"{limit}",
        ),
    )


def _unused_numbers(w: World, d: ConstantPicker) -> Query:
    low, high = min(w.times), max(w.times)
    return Query(
        f"Which whole numbers from {low} to {high} are the {w.time} of no {w.part}? Give them from the smallest.",
        (
            f"WITH RECURSIVE numbers(n) AS (SELECT {low} UNION ALL SELECT n + 1 FROM numbers WHERE n < {high}) "
            f"SELECT n FROM numbers WHERE n NOT IN (SELECT {w.time} FROM {w.parts}) ORDER BY n",
            f"WITH RECURSIVE numbers(n) AS (VALUES ({low}) UNION ALL SELECT n + 1 FROM numbers WHERE n < {high}) "
            f"SELECT n FROM numbers EXCEPT SELECT {w.time} FROM {w.parts} ORDER BY n",
        ),
        ordered=True,
    )


def _latest_of_each(w: World, d: ConstantPicker) -> Query:
    return Query(
        f"For each {w.thing} with {w.parts}, look at the {w.part} with its largest id; give the name and the "
        f"{w.label} of that one.",
        (
            f"SELECT name, {w.label} FROM {w.things} JOIN {w.parts} ON {w.key} = {w.things}.id WHERE {w.parts}.id IN "
            f"(SELECT MAX(id) FROM {w.parts} GROUP BY {w.key})",
            f"SELECT name, {w.label} FROM (SELECT t.name, p.{w.label}, ROW_NUMBER() OVER (PARTITION BY t.id "
            f"ORDER BY p.id DESC) AS place FROM {w.things} t JOIN {w.parts} p ON p.{w.key} = t.id) WHERE place = 1",
        ),
    )


def _mean_of_totals(w: World, d: ConstantPicker) -> Query:
    return Query(
        f"Add up the {w.amount} of the {w.parts} by {w.label}; what is the average of these sums?",
        (
            f"SELECT AVG(total) FROM (SELECT SUM({w.amount}) AS total FROM {w.parts} GROUP BY {w.label})",
            f"SELECT SUM({w.amount}) * 1.0 / COUNT(DISTINCT {w.label}) FROM {w.parts}",
        ),
    )


KINDS = (
    Kind("above_mean", "nested", 2, "things", _above_mean),
    Kind("all_with_extreme", "nested", 2, "parts", _all_with_extreme),
    Kind("second_largest", "nested", 3, "parts", _second_largest),
    Kind("only_once", "nested", 3, "parts", _only_once),
    Kind("names_and_groups", "nested", 3, "things", _names_and_groups),
    Kind("in_both_halves", "nested", 3, "parts", _in_both_halves),
    Kind("mean_of_totals", "nested", 3, "parts", _mean_of_totals),
    Kind("running_total", "nested", 3, "parts", _running_total),
    Kind("with_small_parts", "nested", 4, "both", _with_small_parts),
    Kind("above_own_mean", "nested", 4, "things", _above_own_mean),
    Kind("best_of_each", "nested", 4, "parts", _best_of_each),
    Kind("change", "nested", 4, "parts", _change),
    Kind("places", "nested", 4, "things", _places),
    Kind("share_of_total", "nested", 4, "parts", _share_of_total),
    Kind("unused_numbers", "nested", 4, "parts", _unused_numbers),
    Kind("latest_of_each", "nested", 4, "both", _latest_of_each),
)
