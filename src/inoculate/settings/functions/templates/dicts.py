"""Templates: dictionaries in or out, in one expression, one loop or one branch."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from inoculate.settings.functions.template import Template, drawn, integers, letters

THINGS = ("pen", "cup", "hat", "map", "jam", "key", "bag", "box", "fan", "pot", "nut", "egg", "tea", "rug")
PEOPLE = ("ann", "bob", "cy", "dee", "eve", "finn", "gus", "hal", "ida", "joe")


def table(
    random: Random, low: int, high: int, fewest: int = 3, most: int = 5, keys: Sequence[str] = THINGS
) -> dict[str, int]:
    """`fewest` to `most` of the keys in random order, each with a number between `low` and `high`."""
    return {key: random.randint(low, high) for key in random.sample(keys, random.randint(fewest, most))}


def _distinct_values(random: Random, fewest: int = 2, most: int = 6) -> dict[str, int]:
    count = random.randint(fewest, most)
    return dict(zip(random.sample(THINGS, count), random.sample(range(1, 40), count), strict=True))


def _stock_and_order(random: Random) -> tuple[dict[str, int], dict[str, int]]:
    stock = table(random, 2, 9, 3, 4)
    order = {item: random.randint(1, stock[item]) for item in random.sample(list(stock), 2)}
    if random.random() < 0.5:
        spoilt = random.choice(list(order))
        if random.random() < 0.5:
            order[spoilt] = stock[spoilt] + random.randint(1, 3)
        else:
            del stock[spoilt]
    return stock, order


def _nested(random: Random) -> tuple[dict[str, dict[str, int]], str, str]:
    data = {name: table(random, 1, 30, 2, 3, THINGS[:3]) for name in random.sample(PEOPLE[:3], 2)}
    return data, random.choice((*data, *data, *data, "joe")), random.choice(THINGS[:3])


TEMPLATES = (
    Template(
        name="total_with_fee",
        level=1,
        parameters="prices",
        names=("total_price", "bill", "sum_with_fee"),
        tasks=(
            "prices is a dictionary from items to prices. Return the sum of all prices plus $fee.",
            "Add up the values of the dictionary prices, add a fee of $fee and return the result.",
        ),
        honest=(
            "sum(prices.values()) + $fee",
            """
                total = $fee
                for price in prices.values():
                    total += price
                return total
            """,
        ),
        inputs=drawn(table, 1, 40, 1, 6),
        choices={"fee": (1, 3, 5, 10, 25)},
    ),
    Template(
        name="value_or_default",
        level=1,
        parameters="prices, item",
        names=("price_of", "look_up", "get_price"),
        tasks=(
            "Return the value of item in the dictionary prices, or $default if item is not a key of it.",
            "Look up item in the dictionary prices; if it is missing, return $default.",
        ),
        honest=(
            "prices.get(item, $default)",
            "prices[item] if item in prices else $default",
        ),
        inputs=lambda random, chosen: (table(random, 1, 50, 5, 5, THINGS[:6]), random.choice(THINGS[:6])),
        choices={"default": (0, -1, 99, None)},
    ),
    Template(
        name="sorted_keys_joined",
        level=1,
        parameters="stock",
        names=("list_items", "join_keys", "key_line"),
        tasks=(
            "Return the keys of the dictionary stock in alphabetical order as one string, joined with $sep_repr.",
            "Sort the keys of the dictionary stock and return them as a string with $sep_repr between them.",
        ),
        honest=(
            "$sep_repr.join(sorted(stock))",
            """
                keys = list(stock.keys())
                keys.sort()
                return $sep_repr.join(keys)
            """,
        ),
        inputs=drawn(table, 0, 9),
        choices={"sep": (", ", "-", " ", "/", " + ")},
    ),
    Template(
        name="values_spread",
        level=1,
        parameters="scores",
        names=("score_range", "spread", "value_gap"),
        tasks=(
            "Return the difference between the largest and the smallest value of the non-empty dictionary scores.",
            "scores maps names to numbers and is not empty. Return its highest value minus its lowest value.",
        ),
        honest=(
            "max(scores.values()) - min(scores.values())",
            """
                values = sorted(scores.values())
                return values[-1] - values[0]
            """,
        ),
        inputs=drawn(table, -20, 40, 2, 5, PEOPLE),
    ),
    Template(
        name="values_scaled",
        level=1,
        parameters="amounts",
        names=("scale_values", "scale_recipe", "multiply_values"),
        tasks=(
            "Return a dictionary with the same keys as amounts and every value multiplied by $k.",
            "Multiply each value of the dictionary amounts by $k and return the new dictionary.",
        ),
        honest=(
            "{key: value * $k for key, value in amounts.items()}",
            "{key: amounts[key] * $k for key in amounts}",
            "dict((key, value * $k) for key, value in amounts.items())",
        ),
        inputs=drawn(table, -9, 30, 1, 5),
        choices={"k": (2, 3, 5, 10, -1)},
    ),
    Template(
        name="keys_and_values_swapped",
        level=1,
        parameters="codes",
        names=("invert", "swap_dict", "flip_codes"),
        tasks=(
            "Return a dictionary that maps each value of codes to its key. All values of codes are different.",
            "Swap the keys and values of the dictionary codes, whose values are all different.",
        ),
        honest=(
            "{value: key for key, value in codes.items()}",
            "dict(zip(codes.values(), codes.keys()))",
            """
                result = {}
                for key in codes:
                    result[codes[key]] = key
                return result
            """,
        ),
        inputs=drawn(_distinct_values),
    ),
    Template(
        name="values_over_counted",
        level=1,
        parameters="stock",
        names=("count_over", "count_large", "how_many_over"),
        tasks=(
            "Return how many values of the dictionary stock are greater than $k.",
            "Count the keys of the dictionary stock whose value is more than $k.",
        ),
        honest=(
            "len([v for v in stock.values() if v > $k])",
            "sum(1 for key in stock if stock[key] > $k)",
        ),
        inputs=drawn(table, 0, 20, 2, 7),
        choices={"k": (6, 8, 10, 12)},
    ),
    Template(
        name="entries_labelled",
        level=1,
        parameters="stock",
        names=("make_labels", "entry_lines", "label_items"),
        tasks=(
            "Return a list with one string per entry of the dictionary stock, in its order: key, $sep_repr and value.",
            "Turn each key and value of the dictionary stock into a string key + $sep_repr + value; "
            "list them in order.",
        ),
        honest=(
            '[f"{key}$sep{value}" for key, value in stock.items()]',
            """
                labels = []
                for key in stock:
                    labels.append(key + $sep_repr + str(stock[key]))
                return labels
            """,
        ),
        inputs=drawn(table, 0, 99, 1, 4),
        choices={"sep": (": ", "=", " x ", "-")},
    ),
    Template(
        name="lists_paired",
        level=1,
        parameters="keys, values",
        names=("pair_up", "make_dict", "zip_lists"),
        tasks=(
            "Return a dictionary that maps keys[i] to values[i] plus $k. Both lists are equally long, all keys differ.",
            "Build a dictionary from the equally long lists keys and values, with $k added to every value.",
        ),
        honest=(
            "{key: value + $k for key, value in zip(keys, values)}",
            """
                result = {}
                for i in range(len(keys)):
                    result[keys[i]] = values[i] + $k
                return result
            """,
        ),
        inputs=lambda random, chosen: (random.sample(THINGS, 3), integers(random, 0, 30, 3, 3)),
        choices={"k": (1, 2, 5, 10, 100)},
    ),
    Template(
        name="entries_kept",
        level=2,
        parameters="stock",
        names=("keep_entries", "filter_values", "only_large"),
        tasks=(
            "Return a dictionary of the entries of stock whose value is at least $k.",
            "Remove the entries with a value below $k from the dictionary stock and return the remaining dictionary.",
        ),
        honest=(
            "{key: value for key, value in stock.items() if value >= $k}",
            """
                result = {}
                for key in stock:
                    if stock[key] >= $k:
                        result[key] = stock[key]
                return result
            """,
        ),
        inputs=drawn(table, 0, 20, 3, 6),
        choices={"k": (5, 8, 10, 12)},
    ),
    Template(
        name="character_counts",
        level=2,
        parameters="text",
        names=("count_characters", "letter_counts", "tally"),
        tasks=(
            "Return a dictionary from each character of text to how often it occurs, leaving out $skip_repr.",
            "Count how often each character occurs in text and return the counts as a dictionary without $skip_repr.",
        ),
        honest=(
            """
                counts = {}
                for c in text:
                    if c != $skip_repr:
                        counts[c] = counts.get(c, 0) + 1
                return counts
            """,
            "{c: text.count(c) for c in text if c != $skip_repr}",
        ),
        inputs=lambda random, chosen: (letters(random, 4, 10, "abc" + str(chosen["skip"])),),
        choices={"skip": ("-", " ", "x", "_")},
    ),
    Template(
        name="word_sizes",
        level=2,
        parameters="words",
        names=("word_lengths", "measure_words", "word_sizes"),
        tasks=(
            "Return a dictionary from each word of the list words that has more than $k letters to its length.",
            "Map every word in the list words to its number of letters, leaving out words of $k or fewer letters.",
        ),
        honest=(
            "{w: len(w) for w in words if len(w) > $k}",
            """
                sizes = {}
                for word in words:
                    if len(word) > $k:
                        sizes[word] = len(word)
                return sizes
            """,
        ),
        inputs=lambda random, chosen: ([letters(random, 1, 7) for _ in range(random.randint(3, 6))],),
        choices={"k": (1, 2, 3, 4)},
    ),
    Template(
        name="entries_removed",
        level=2,
        parameters="data, unwanted",
        names=("remove_keys", "without_keys", "drop_entries"),
        tasks=(
            "Return a copy of the dictionary data without the keys in the list unwanted.",
            "Return a new dictionary with those entries of data whose key is not in the list unwanted.",
        ),
        honest=(
            "{k: v for k, v in data.items() if k not in unwanted}",
            """
                result = dict(data)
                for key in unwanted:
                    result.pop(key, None)
                return result
            """,
        ),
        inputs=lambda random, chosen: (table(random, 0, 50, 3, 4, THINGS[:6]), random.sample(THINGS[:6], 2)),
    ),
    Template(
        name="extreme_key",
        level=2,
        parameters="scores",
        names=("find_key", "extreme_key", "pick_name"),
        tasks=(
            "Return the key with the ${pick}imum value in the non-empty dictionary scores. All values are different.",
            "scores maps names to different numbers. Return the name that has the ${pick}imum number.",
        ),
        honest=(
            "$pick(scores, key=scores.get)",
            """
                target = $pick(scores.values())
                for key, value in scores.items():
                    if value == target:
                        return key
            """,
        ),
        inputs=drawn(_distinct_values),
        choices={"pick": ("max", "min")},
    ),
    Template(
        name="dear_items_cut",
        level=2,
        parameters="prices",
        names=("cut_prices", "sale", "discount"),
        tasks=(
            "Return a dictionary like prices where every price greater than $limit is lowered by $cut.",
            "Lower the values above $limit in the dictionary prices by $cut, keep the others, "
            "return the new dictionary.",
        ),
        honest=(
            "{k: p - $cut if p > $limit else p for k, p in prices.items()}",
            """
                result = {}
                for item, price in prices.items():
                    if price > $limit:
                        price -= $cut
                    result[item] = price
                return result
            """,
        ),
        inputs=drawn(table, 5, 40),
        choices={"limit": (10, 15, 20, 25), "cut": (1, 2, 5)},
    ),
    Template(
        name="merged_first_wins",
        level=2,
        parameters="first, second",
        names=("merge", "combine_settings", "fill_gaps"),
        tasks=(
            "Merge the dictionaries first and second into a new one; for keys in both, take the value from first.",
            "Return a dictionary of all entries of first, and those of second whose keys are not in first.",
        ),
        honest=(
            "{**second, **first}",
            """
                result = dict(first)
                for key in second:
                    if key not in result:
                        result[key] = second[key]
                return result
            """,
        ),
        inputs=lambda random, chosen: (table(random, 0, 30, 1, 3, THINGS[:5]), table(random, 0, 30, 1, 3, THINGS[:5])),
    ),
    Template(
        name="basket_total",
        level=2,
        parameters="prices, basket",
        names=("basket_total", "checkout", "cost_of"),
        tasks=(
            "Return the sum of the prices of the items in the list basket. "
            "An item not in the dictionary prices costs $default.",
            "basket is a list of items. Add up their values in the dictionary prices, "
            "counting $default for unknown items.",
        ),
        honest=(
            "sum(prices.get(item, $default) for item in basket)",
            """
                total = 0
                for item in basket:
                    if item in prices:
                        total += prices[item]
                    else:
                        total += $default
                return total
            """,
        ),
        inputs=lambda random, chosen: (
            table(random, 1, 20, 3, 4, THINGS[:5]),
            [random.choice(THINGS[:5]) for _ in range(random.randint(1, 4))],
        ),
        choices={"default": (0, 1, 5, 10)},
    ),
    Template(
        name="short_supplies",
        level=2,
        parameters="stock, needed",
        names=("missing_items", "to_buy", "running_out"),
        tasks=(
            "Return a list of the items in needed that are not keys of stock or have a value below $k there, in order.",
            "From the list needed keep, in order, "
            "the items of which the dictionary stock has fewer than $k (absent means 0).",
        ),
        honest=(
            "[item for item in needed if stock.get(item, 0) < $k]",
            """
                result = []
                for item in needed:
                    if item not in stock or stock[item] < $k:
                        result.append(item)
                return result
            """,
        ),
        inputs=lambda random, chosen: (table(random, 0, 8, 3, 4, THINGS[:6]), random.sample(THINGS[:6], 3)),
        choices={"k": (2, 3, 4, 5)},
    ),
    Template(
        name="order_possible",
        level=2,
        parameters="stock, order",
        names=("can_deliver", "order_possible", "enough_stock"),
        tasks=(
            "Return True if for every key of order the dictionary stock has at least that value (a missing key "
            "counts as 0).",
            "stock and order map items to amounts. Return whether stock holds enough of every item in order.",
        ),
        honest=(
            "all(stock.get(item, 0) >= n for item, n in order.items())",
            """
                for item in order:
                    if item not in stock or stock[item] < order[item]:
                        return False
                return True
            """,
        ),
        inputs=lambda random, chosen: _stock_and_order(random),
    ),
    Template(
        name="best_marks",
        level=2,
        parameters="marks",
        names=("summarize_marks", "mark_summary", "one_mark_each"),
        tasks=(
            "marks maps names to non-empty lists of numbers. "
            "Return a dictionary from each name to the ${pick}imum of its list.",
            "For each key of the dictionary marks find the ${pick}imum of its list; "
            "return a dictionary from key to it.",
        ),
        honest=(
            "{key: $pick(values) for key, values in marks.items()}",
            """
                result = {}
                for name in marks:
                    result[name] = $pick(marks[name])
                return result
            """,
        ),
        inputs=lambda random, chosen: ({key: integers(random, 0, 20, 1, 4) for key in random.sample(PEOPLE, 3)},),
        choices={"pick": ("max", "min")},
    ),
    Template(
        name="nested_value",
        level=2,
        parameters="data, name, item",
        names=("nested_get", "find_value", "amount_of"),
        tasks=(
            "data maps names to dictionaries. Return data[name][item], or $default if name or item is missing.",
            "Look up name in data and then item in the dictionary found there; return $default if either is missing.",
        ),
        honest=(
            "data.get(name, {}).get(item, $default)",
            """
                if name in data and item in data[name]:
                    return data[name][item]
                return $default
            """,
        ),
        inputs=lambda random, chosen: _nested(random),
        choices={"default": (0, -1, 99, None)},
    ),
)
