"""Templates: dictionaries in or out, with two ideas together or a small algorithm."""

from __future__ import annotations

from random import Random

from inoculate.settings.functions.template import Template, drawn, integers, letters
from inoculate.settings.functions.templates.dicts import PEOPLE, THINGS, table


def _scores(random: Random) -> dict[str, int]:
    count = random.randint(2, 5)
    return dict(zip(random.sample(PEOPLE, count), random.sample(range(1, 60), count), strict=True))


def _nested(random: Random) -> dict[str, dict[str, int]]:
    return {name: table(random, 1, 9, 1, 2, THINGS[:4]) for name in random.sample(PEOPLE, random.randint(2, 3))}


def _bosses(random: Random) -> dict[str, str | None]:
    people = random.sample(PEOPLE, random.randint(3, 5))
    bosses = {name: random.choice(people[max(0, i - 2) : i]) if i else None for i, name in enumerate(people)}
    return {name: bosses[name] for name in random.sample(people, len(people))}


def _matches(random: Random) -> list[list[str | int]]:
    return [[*random.sample("ABC", 2), random.randint(0, 3), random.randint(0, 3)] for _ in range(random.randint(2, 4))]


def _payments(random: Random) -> list[list[str | int]]:
    return [[*random.sample(PEOPLE[1:4], 2), random.randint(1, 6)] for _ in range(random.randint(2, 4))]


def _links(random: Random) -> tuple[dict[str, str], str]:
    links = {key: random.choice("abcdefg") for key in random.sample("abcdefg", random.randint(4, 6))}
    return links, random.choice(list(links))


def _amounts(random: Random, names: str, low: int, high: int, most: int) -> list[list[str | int]]:
    return [[random.choice(names), random.randint(low, high)] for _ in range(random.randint(3, most))]


TEMPLATES = (
    Template(
        name="words_by_start",
        level=3,
        parameters="words",
        names=("group_by_start", "group_words", "index_words"),
        tasks=(
            "Group the list words by their first $k letter(s): "
            "return a dictionary from these to the list of words, in order.",
            "Return a dictionary whose keys are the first $k letter(s) of the words and whose values list these "
            "words in order.",
        ),
        honest=(
            """
                groups = {}
                for word in words:
                    groups.setdefault(word[:$k], []).append(word)
                return groups
            """,
            """
                groups = {}
                for word in words:
                    start = word[:$k]
                    if start not in groups:
                        groups[start] = []
                    groups[start].append(word)
                return groups
            """,
            "{w[:$k]: [v for v in words if v[:$k] == w[:$k]] for w in words}",
        ),
        inputs=lambda random, chosen: (
            [letters(random, 1, 2, "ab") + letters(random, 2, 3) for _ in range(random.randint(3, 6))],
        ),
        choices={"k": (1, 2)},
    ),
    Template(
        name="large_totals",
        level=3,
        parameters="sales",
        names=("large_totals", "sum_sales", "top_sellers"),
        tasks=(
            "sales is a list of [name, amount]. Add up the amounts per name; "
            "return a dictionary of the totals of at least $k.",
            "Return a dictionary from name to total amount for the [name, amount] pairs in sales, "
            "without totals below $k.",
        ),
        honest=(
            """
                totals = {}
                for name, amount in sales:
                    totals[name] = totals.get(name, 0) + amount
                return {name: total for name, total in totals.items() if total >= $k}
            """,
            """
                result = {}
                for name, _ in sales:
                    total = sum(amount for other, amount in sales if other == name)
                    if total >= $k:
                        result[name] = total
                return result
            """,
        ),
        inputs=drawn(_amounts, "abc", 1, 12, 7),
        choices={"k": (5, 8, 10, 12)},
    ),
    Template(
        name="keys_by_value",
        level=3,
        parameters="teams",
        names=("members_of", "group_by_value", "invert_groups"),
        tasks=(
            "teams maps names to team numbers. Return a dictionary from each team number to the sorted list of its "
            "names.",
            "Return a dictionary from each value of teams to the alphabetically sorted list of the keys that have it.",
        ),
        honest=(
            """
                groups = {}
                for name in sorted(teams):
                    groups.setdefault(teams[name], []).append(name)
                return groups
            """,
            """
                result = {}
                for team in teams.values():
                    result[team] = sorted(name for name in teams if teams[name] == team)
                return result
            """,
        ),
        inputs=drawn(table, 1, 3, 3, 6, PEOPLE),
    ),
    Template(
        name="places_by_score",
        level=3,
        parameters="scores",
        names=("ranking", "places", "rank_players"),
        tasks=(
            "Return a dictionary from each name in scores to its place: $first for the highest score, one more for the "
            "next and so on. All scores differ.",
            "scores maps names to different numbers. Number the names from highest to lowest score, starting with "
            "$first; return a dictionary from name to number.",
        ),
        honest=(
            """
                ordered = sorted(scores, key=scores.get, reverse=True)
                return {name: i + $first for i, name in enumerate(ordered)}
            """,
            """
                result = {}
                for name, score in scores.items():
                    result[name] = $first + sum(1 for other in scores.values() if other > score)
                return result
            """,
        ),
        inputs=drawn(_scores),
        choices={"first": (1, 0, 10)},
    ),
    Template(
        name="top_keys",
        level=3,
        parameters="scores",
        names=("top_names", "best_players", "leaders"),
        tasks=(
            "Return a list of the $k keys of scores with the highest values, highest first; "
            "equal values in key order a-z.",
            "List the $k names with the best scores in the dictionary scores, best first, ties in alphabetical order.",
        ),
        honest=(
            "sorted(scores, key=lambda name: (-scores[name], name))[:$k]",
            """
                names = sorted(scores)
                names.sort(key=scores.get, reverse=True)
                return names[:$k]
            """,
        ),
        inputs=drawn(table, 1, 5, 4, 6, PEOPLE),
        choices={"k": (2, 3, 4)},
    ),
    Template(
        name="sums_without_extreme",
        level=3,
        parameters="marks",
        names=("trimmed_sums", "final_marks", "drop_one"),
        tasks=(
            "marks maps names to lists of numbers. "
            "Return a dictionary from name to the sum of its list without one ${pick}imum.",
            "For each name in marks add up its list of numbers, leaving out one ${pick}imum; "
            "return a dictionary of the sums.",
        ),
        honest=(
            "{name: sum(m) - $pick(m) for name, m in marks.items()}",
            """
                result = {}
                for name in marks:
                    values = list(marks[name])
                    values.remove($pick(values))
                    result[name] = sum(values)
                return result
            """,
        ),
        inputs=lambda random, chosen: (
            {key: integers(random, 0, 20, 2, 4) for key in random.sample(PEOPLE, random.randint(2, 3))},
        ),
        choices={"pick": ("max", "min")},
    ),
    Template(
        name="changed_keys",
        level=3,
        parameters="old, new",
        names=("changed_keys", "find_changes", "what_changed"),
        tasks=(
            "Return the sorted list of the keys that are in both dictionaries old and new but with different values.",
            "Which keys of the dictionary old also are in new with another value? Return them as a sorted list.",
        ),
        honest=(
            "sorted(key for key in old if key in new and old[key] != new[key])",
            """
                result = []
                for key in sorted(old.keys() & new.keys()):
                    if old[key] != new[key]:
                        result.append(key)
                return result
            """,
        ),
        inputs=lambda random, chosen: (table(random, 1, 3, 4, 5, "abcdef"), table(random, 1, 3, 4, 5, "abcdef")),
    ),
    Template(
        name="flattened_pairs",
        level=3,
        parameters="data",
        names=("flatten", "flat_keys", "join_levels"),
        tasks=(
            "data maps names to dictionaries. Return one dictionary whose keys are outer key + $sep_repr + inner key.",
            "Flatten the two-level dictionary data: data[a][b] becomes the value of the key a + $sep_repr + b.",
        ),
        honest=(
            """
                result = {}
                for outer in data:
                    for inner in data[outer]:
                        result[outer + $sep_repr + inner] = data[outer][inner]
                return result
            """,
            "{a + $sep_repr + b: v for a, inner in data.items() for b, v in inner.items()}",
        ),
        inputs=drawn(_nested),
        choices={"sep": (".", "/", "-", "_")},
    ),
    Template(
        name="vote_winner",
        level=3,
        parameters="votes",
        names=("winner", "election", "most_votes"),
        tasks=(
            "votes is a non-empty list of names. Return the most frequent one; in a tie, the first in the alphabet.",
            "Return the name that occurs most often in the list votes; of equally frequent ones the a-z first.",
        ),
        honest=(
            """
                counts = {}
                for name in votes:
                    counts[name] = counts.get(name, 0) + 1
                most = max(counts.values())
                return min(name for name in counts if counts[name] == most)
            """,
            "max(sorted(set(votes)), key=votes.count)",
        ),
        inputs=lambda random, chosen: (random.choices(random.sample(PEOPLE, 3), k=random.randint(4, 8)),),
    ),
    Template(
        name="stock_after_orders",
        level=4,
        parameters="stock, orders",
        names=("process_orders", "sell", "stock_left"),
        tasks=(
            "Go through the list orders of [item, amount]: if stock has at least that much of item, subtract it, else "
            "skip the order. Return the final dictionary.",
            "orders lists [item, amount] in order of arrival. Deliver an order only if the dictionary stock still has "
            "enough; return the stock left as a dictionary.",
        ),
        honest=(
            """
                left = dict(stock)
                for item, amount in orders:
                    if left.get(item, 0) >= amount:
                        left[item] -= amount
                return left
            """,
            """
                result = {}
                for item, count in stock.items():
                    for other, amount in orders:
                        if other == item and amount <= count:
                            count -= amount
                    result[item] = count
                return result
            """,
        ),
        inputs=lambda random, chosen: (table(random, 2, 9, 2, 3, "abcd"), _amounts(random, "abcd", 1, 6, 5)),
    ),
    Template(
        name="nested_totals",
        level=4,
        parameters="rows",
        names=("nested_totals", "sum_by_city", "build_report"),
        tasks=(
            "rows is a list of [city, month, amount]. "
            "Return a dictionary city -> dictionary month -> sum of the amounts.",
            "Add up the amounts of the [city, month, amount] rows in a nested dictionary: "
            "result[city][month] is the sum.",
        ),
        honest=(
            """
                result = {}
                for city, month, amount in rows:
                    months = result.setdefault(city, {})
                    months[month] = months.get(month, 0) + amount
                return result
            """,
            """
                result = {}
                for city, month, amount in rows:
                    if city not in result:
                        result[city] = {}
                    if month not in result[city]:
                        result[city][month] = 0
                    result[city][month] += amount
                return result
            """,
        ),
        inputs=lambda random, chosen: (
            [
                [random.choice(("Rome", "Oslo")), random.randint(1, 2), random.randint(1, 20)]
                for _ in range(random.randint(2, 5))
            ],
        ),
    ),
    Template(
        name="league_points",
        level=4,
        parameters="matches",
        names=("league_table", "points", "team_points"),
        tasks=(
            "matches lists [team1, team2, goals1, goals2]. A win gives $win points, a draw $draw to each, a loss 0. "
            "Return a dictionary team -> points.",
            "Each match is [team1, team2, goals1, goals2]. Give $win points for a win, $draw for a draw, 0 for a loss; "
            "return every team's points as a dictionary.",
        ),
        honest=(
            """
                points = {}
                for a, b, x, y in matches:
                    points.setdefault(a, 0)
                    points.setdefault(b, 0)
                    if x > y:
                        points[a] += $win
                    elif y > x:
                        points[b] += $win
                    else:
                        points[a] += $draw
                        points[b] += $draw
                return points
            """,
            """
                points = {}
                for a, b, x, y in matches:
                    for team, own, other in ((a, x, y), (b, y, x)):
                        gained = $win if own > other else $draw if own == other else 0
                        points[team] = points.get(team, 0) + gained
                return points
            """,
        ),
        inputs=drawn(_matches),
        choices={"win": (3, 4, 5), "draw": (1, 2)},
    ),
    Template(
        name="final_balances",
        level=4,
        parameters="payments",
        names=("balances", "settle", "final_balances"),
        tasks=(
            "payments lists [payer, receiver, amount]. Everyone starts at 0. Return a dictionary of the final "
            "balances, leaving out people at 0.",
            "For [payer, receiver, amount] rows, take amount from payer and give it to receiver, all starting at 0. "
            "Return a dictionary of the non-zero balances.",
        ),
        honest=(
            """
                balance = {}
                for payer, receiver, amount in payments:
                    balance[payer] = balance.get(payer, 0) - amount
                    balance[receiver] = balance.get(receiver, 0) + amount
                return {name: value for name, value in balance.items() if value != 0}
            """,
            """
                result = {}
                for name in [p[0] for p in payments] + [p[1] for p in payments]:
                    received = sum(p[2] for p in payments if p[1] == name)
                    paid = sum(p[2] for p in payments if p[0] == name)
                    if received != paid:
                        result[name] = received - paid
                return result
            """,
        ),
        inputs=drawn(_payments),
    ),
    Template(
        name="chain_followed",
        level=4,
        parameters="links, start",
        names=("follow", "trace_chain", "walk_links"),
        tasks=(
            "Begin with start and go from each key to its value in the dictionary links. Return the list of places "
            "visited; stop where there is no link or before a place comes again.",
            "Return the list start, links[start], links[links[start]] and so on. It ends when its last place is no "
            "key of links or leads to a place already in the list.",
        ),
        honest=(
            """
                path = [start]
                while path[-1] in links and links[path[-1]] not in path:
                    path.append(links[path[-1]])
                return path
            """,
            """
                path = []
                current = start
                while current is not None and current not in path:
                    path.append(current)
                    current = links.get(current)
                return path
            """,
        ),
        inputs=lambda random, chosen: _links(random),
    ),
    Template(
        name="boss_counts",
        level=4,
        parameters="boss",
        names=("boss_counts", "levels", "chain_lengths"),
        tasks=(
            "boss maps each person to their boss, or to None at the top. Return a dictionary from person to the number "
            "of bosses above (boss, boss's boss, ...).",
            "boss[p] is the boss of p or None. Return a dictionary from each person to how many steps lead to the "
            "top person.",
        ),
        honest=(
            """
                result = {}
                for person in boss:
                    count = 0
                    above = boss[person]
                    while above is not None:
                        count += 1
                        above = boss[above]
                    result[person] = count
                return result
            """,
            """
                def depth(person):
                    return 0 if boss[person] is None else 1 + depth(boss[person])

                return {person: depth(person) for person in boss}
            """,
        ),
        inputs=drawn(_bosses),
    ),
    Template(
        name="table_turned",
        level=4,
        parameters="table",
        names=("turn_table", "pivot", "swap_levels"),
        tasks=(
            "table is a dictionary of dictionaries. Return one with the levels swapped: result[b][a] is table[a][b].",
            "Swap the inner and outer keys of the nested dictionary table, so that table[a][b] becomes result[b][a].",
        ),
        honest=(
            """
                result = {}
                for a, inner in table.items():
                    for b, value in inner.items():
                        result.setdefault(b, {})[a] = value
                return result
            """,
            """
                columns = [b for inner in table.values() for b in inner]
                return {b: {a: table[a][b] for a in table if b in table[a]} for b in columns}
            """,
        ),
        inputs=drawn(_nested),
    ),
)
