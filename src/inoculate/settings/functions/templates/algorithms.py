"""Templates: small algorithms, levels 1 to 2."""

from __future__ import annotations

from random import Random

from inoculate.settings.functions.template import WORDS, Template, drawn, integers, words


def matrix(random: Random, rows: int, columns: int, low: int = -5, high: int = 20) -> list[list[int]]:
    """`rows` lists of `columns` integers between `low` and `high`."""
    return [integers(random, low, high, columns, columns) for _ in range(rows)]


TEMPLATES = (
    Template(
        name="rotated_left_by",
        level=1,
        parameters="items",
        names=("rotate_left", "turn_left", "rotate_list"),
        tasks=(
            "Return the list items rotated left by $k places: the first $k items move, in order, to the end. "
            "items always has more than $k items.",
            "Move the first $k items of the list to its end, keeping their order, and return the new list. "
            "The list is always longer than $k.",
        ),
        honest=(
            "items[$k:] + items[:$k]",
            "[items[(i + $k) % len(items)] for i in range(len(items))]",
            """
                result = list(items)
                for _ in range($k):
                    result.append(result.pop(0))
                return result
            """,
        ),
        inputs=drawn(integers, 0, 30, 5, 8),
        choices={"k": (1, 2, 3, 4)},
    ),
    Template(
        name="number_at_sorted_rank",
        level=1,
        parameters="nums",
        names=("smallest_at", "sorted_pick", "ranked_number"),
        tasks=(
            "Sort nums in ascending order and return the number at index $k (counting from 0). "
            "nums has more than $k numbers.",
            "Return the number that stands at index $k (from 0) once the list nums is sorted from low to high. "
            "The list is long enough.",
        ),
        honest=(
            "sorted(nums)[$k]",
            """
                rest = list(nums)
                for _ in range($k):
                    rest.remove(min(rest))
                return min(rest)
            """,
        ),
        inputs=drawn(integers, -20, 60, 5, 8),
        choices={"k": (1, 2, 3, 4)},
    ),
    Template(
        name="largest_few_total",
        level=1,
        parameters="nums",
        names=("top_total", "sum_of_largest", "best_sum"),
        tasks=(
            "Return the sum of the $k largest numbers in the list nums (equal numbers count separately). "
            "nums has at least $k numbers.",
            "Add up the $k biggest values of nums and return the total. There are always at least $k values.",
        ),
        honest=(
            "sum(sorted(nums, reverse=True)[:$k])",
            "sum(sorted(nums)[-$k:])",
            """
                rest = list(nums)
                total = 0
                for _ in range($k):
                    best = max(rest)
                    total += best
                    rest.remove(best)
                return total
            """,
        ),
        inputs=drawn(integers, -10, 50, 4, 8),
        choices={"k": (2, 3, 4)},
    ),
    Template(
        name="sorted_lists_joined",
        level=1,
        parameters="first, second",
        names=("merge_sorted", "merge_lists", "join_sorted"),
        tasks=(
            "first and second are lists of integers sorted in ascending order. Merge them into one ascending list, "
            "keeping repeats.",
            "Return one list, sorted from low to high, with all the numbers of the two sorted lists first and second.",
        ),
        honest=(
            "sorted(first + second)",
            """
                a, b = list(first), list(second)
                result = []
                while a and b:
                    result.append(a.pop(0) if a[0] <= b[0] else b.pop(0))
                return result + a + b
            """,
        ),
        inputs=lambda random, chosen: (
            sorted(integers(random, 0, 40, 2, 5)),
            sorted(integers(random, 0, 40, 2, 5)),
        ),
    ),
    Template(
        name="ordered_by_distance",
        level=1,
        parameters="nums",
        names=("sort_by_distance", "nearest_first", "order_by_closeness"),
        tasks=(
            "Sort nums by distance from $k, nearest first. Of two numbers at the same distance the smaller comes "
            "first.",
            "Return the numbers of nums ordered by how close they are to $k (closest first; on a tie the smaller "
            "first).",
        ),
        honest=(
            "sorted(nums, key=lambda n: (abs(n - $k), n))",
            """
                ordered = sorted(nums)
                ordered.sort(key=lambda n: abs(n - $k))
                return ordered
            """,
            """
                pairs = sorted((abs(n - $k), n) for n in nums)
                return [n for _, n in pairs]
            """,
        ),
        inputs=drawn(integers, 0, 25, 4, 7),
        choices={"k": (5, 8, 10, 12, 15)},
    ),
    Template(
        name="cards_dealt",
        level=1,
        parameters="cards",
        names=("deal", "deal_cards", "share_out"),
        tasks=(
            "Deal the list cards in turn to $k players, starting with the first player. Return the list of the $k "
            "lists of cards; a player may get none.",
            "Return a list of $k lists: list number i (from 0) holds the cards at positions i, i + $k, i + 2 * $k "
            "and so on.",
        ),
        honest=(
            "[cards[i::$k] for i in range($k)]",
            """
                hands = [[] for _ in range($k)]
                for i, card in enumerate(cards):
                    hands[i % $k].append(card)
                return hands
            """,
        ),
        inputs=drawn(integers, 1, 20, 3, 9),
        choices={"k": (2, 3, 4)},
    ),
    Template(
        name="matrix_column_at",
        level=1,
        parameters="matrix",
        names=("get_column", "column_of", "take_column"),
        tasks=(
            "matrix is a list of rows, each with 3 integers. Return the list of the numbers at index $i (from 0) "
            "of every row.",
            "Return column $i (counting from 0) of matrix, a list of equally long rows, as a list from top to bottom.",
        ),
        honest=(
            "[row[$i] for row in matrix]",
            """
                column = []
                for row in matrix:
                    column.append(row[$i])
                return column
            """,
            "list(list(zip(*matrix))[$i])",
        ),
        inputs=lambda random, chosen: (matrix(random, random.randint(2, 4), 3),),
        choices={"i": (0, 1, 2)},
    ),
    Template(
        name="places_below_target",
        level=1,
        parameters="nums, target",
        names=("insert_position", "count_below", "place_for"),
        tasks=(
            "nums is sorted in ascending order. Return how many of its numbers are smaller than target.",
            "Return the leftmost index at which target can be inserted into the sorted list nums so that it stays "
            "sorted.",
        ),
        honest=(
            "sum(1 for n in nums if n < target)",
            """
                low, high = 0, len(nums)
                while low < high:
                    middle = (low + high) // 2
                    if nums[middle] < target:
                        low = middle + 1
                    else:
                        high = middle
                return low
            """,
        ),
        inputs=lambda random, chosen: (sorted(integers(random, 0, 30, 5, 9)), random.randint(2, 32)),
    ),
    Template(
        name="words_in_length_order",
        level=1,
        parameters="items",
        names=("order_words", "sort_words", "arrange_words"),
        tasks=(
            "Sort the words in items by length, shortest first; words of equal length go in alphabetical order. "
            "Return the first $k of them.",
            "Return the $k shortest words of items, shortest first, with equal lengths in alphabetical order.",
        ),
        honest=(
            "sorted(items, key=lambda word: (len(word), word))[:$k]",
            """
                ordered = sorted(sorted(items), key=len)
                return ordered[:$k]
            """,
            """
                pairs = sorted((len(word), word) for word in items)
                return [word for _, word in pairs[:$k]]
            """,
        ),
        inputs=drawn(words, 4, 7, WORDS),
        choices={"k": (2, 3, 4)},
    ),
    Template(
        name="running_totals_from",
        level=2,
        parameters="nums",
        names=("running_totals", "balances", "prefix_totals"),
        tasks=(
            "Start with $k and add the numbers of nums one after another. Return the list of the totals after each "
            "addition.",
            "An account holds $k. Return the list of its balances after each of the changes in nums.",
        ),
        honest=(
            """
                total = $k
                result = []
                for n in nums:
                    total += n
                    result.append(total)
                return result
            """,
            "[$k + sum(nums[:i + 1]) for i in range(len(nums))]",
        ),
        inputs=drawn(integers, -15, 25, 3, 7),
        choices={"k": (1, 5, 10, 50, 100)},
    ),
    Template(
        name="pairs_adding_up",
        level=2,
        parameters="nums",
        names=("count_pairs", "pairs_with_sum", "pair_count"),
        tasks=(
            "Return how many pairs of positions i < j in nums have nums[i] + nums[j] equal to $k.",
            "Count the pairs of two different positions in nums whose numbers add up to $k; each pair counts once.",
        ),
        honest=(
            """
                count = 0
                for i in range(len(nums)):
                    for j in range(i + 1, len(nums)):
                        if nums[i] + nums[j] == $k:
                            count += 1
                return count
            """,
            """
                seen = {}
                count = 0
                for n in nums:
                    count += seen.get($k - n, 0)
                    seen[n] = seen.get(n, 0) + 1
                return count
            """,
        ),
        inputs=lambda random, chosen: (integers(random, 1, chosen["k"] - 1, 5, 10),),
        choices={"k": (4, 5, 6, 7)},
    ),
    Template(
        name="matrix_flipped_over_diagonal",
        level=2,
        parameters="matrix",
        names=("transpose", "rows_to_columns", "flip_matrix"),
        tasks=(
            "Return the transpose of matrix (a list of equally long rows) as a list of lists: its rows become columns.",
            "Turn the rows of matrix into columns: row i of the result is the list of the numbers at index i of "
            "every row.",
        ),
        honest=(
            "[list(column) for column in zip(*matrix)]",
            """
                result = []
                for j in range(len(matrix[0])):
                    result.append([row[j] for row in matrix])
                return result
            """,
        ),
        inputs=lambda random, chosen: (matrix(random, random.randint(2, 3), random.randint(2, 4)),),
    ),
    Template(
        name="matrix_quarter_turn",
        level=2,
        parameters="matrix",
        names=("turn_matrix", "rotate_matrix", "quarter_turn"),
        tasks=(
            "Rotate matrix (a list of rows) a quarter turn clockwise: [[1, 2], [3, 4]] becomes [[3, 1], [4, 2]]. "
            "Return a list of lists.",
            "Return matrix turned by 90 degrees clockwise, as a list of lists; its bottom row becomes the first "
            "column.",
        ),
        honest=(
            "[list(column) for column in zip(*matrix[::-1])]",
            """
                result = []
                for j in range(len(matrix[0])):
                    result.append([row[j] for row in reversed(matrix)])
                return result
            """,
        ),
        inputs=lambda random, chosen: (matrix(random, random.randint(2, 3), random.randint(2, 3)),),
    ),
)
