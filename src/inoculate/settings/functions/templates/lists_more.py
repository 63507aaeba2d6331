"""Templates: lists of numbers and of words, levels 2 to 3."""

from __future__ import annotations

from random import Random

from inoculate.settings.functions.template import WORDS, Template, drawn, integers, words


def _some_repeated(random: Random) -> list[int]:
    """Draw four to six different numbers, three of them twice, in any order."""
    pool = random.sample(range(-10, 40), random.randint(4, 6))
    return random.sample(pool + pool[:3], len(pool) + 3)


TEMPLATES = (
    Template(
        name="position_weighted",
        level=2,
        parameters="nums",
        names=("weighted_total", "position_sum", "weigh_by_place"),
        tasks=(
            "Multiply each number in nums by its position, where the first position is $start, and return the sum of "
            "the products.",
            "Return the sum of position * number over the list nums. Positions go up by one and the first number has "
            "position $start.",
        ),
        honest=(
            "sum(i * n for i, n in enumerate(nums, $start))",
            """
                total = 0
                for i in range(len(nums)):
                    total += (i + $start) * nums[i]
                return total
            """,
        ),
        inputs=drawn(integers, -5, 12, 2, 7),
        choices={"start": (1, 2, 3, 5, 10)},
    ),
    Template(
        name="close_neighbours",
        level=2,
        parameters="nums",
        names=("close_neighbours", "is_smooth", "small_steps"),
        tasks=(
            "Return True if every two neighbouring numbers in nums differ by at most $k, otherwise False.",
            "Return True when no number in nums differs from the number before it by more than $k; otherwise return "
            "False.",
        ),
        honest=(
            "all(abs(a - b) <= $k for a, b in zip(nums, nums[1:]))",
            """
                for i in range(len(nums) - 1):
                    if abs(nums[i] - nums[i + 1]) > $k:
                        return False
                return True
            """,
        ),
        inputs=lambda random, chosen: (integers(random, 0, chosen["k"] + random.choice((0, 2, 8, 8)), 3, 5),),
        choices={"k": (3, 4, 5, 6)},
    ),
    Template(
        name="equal_copies",
        level=2,
        parameters="items",
        names=("repeat_each", "multiply_items", "copy_items"),
        tasks=(
            "Return a list in which each item of items occurs $k times in a row, followed by one $end at the very end.",
            "Repeat every item of the list $k times, copies next to each other, then append the number $end. Return "
            "the new list.",
        ),
        honest=(
            "[item for item in items for _ in range($k)] + [$end]",
            """
                result = []
                for item in items:
                    result.extend([item] * $k)
                result.append($end)
                return result
            """,
        ),
        inputs=drawn(integers, 1, 30, 1, 5),
        choices={"k": (2, 3), "end": (-1, 0, 99)},
    ),
    Template(
        name="interleaved_lists",
        level=2,
        parameters="a, b",
        names=("interleave", "take_in_turns", "zip_flat"),
        tasks=(
            "The lists a and b have the same length. Return one list with the items taken in turn, a first, each "
            "item of b increased by $k.",
            "Return the list a[0], b[0] + $k, a[1], b[1] + $k and so on. The lists a and b are equally long.",
        ),
        honest=(
            """
                result = []
                for x, y in zip(a, b):
                    result.append(x)
                    result.append(y + $k)
                return result
            """,
            "[value for i in range(len(a)) for value in (a[i], b[i] + $k)]",
        ),
        inputs=lambda random, chosen: tuple(
            [random.randint(0, 20) for _ in range(n)] for n in [random.randint(1, 5)] * 2
        ),
        choices={"k": (1, 2, 10, 50, 100)},
    ),
    Template(
        name="limited_repeats",
        level=3,
        parameters="items",
        names=("limit_repeats", "at_most_times", "cap_repeats"),
        tasks=(
            "Go through items from the left and keep a number only if it was kept fewer than $k times before. Return "
            "the kept numbers.",
            "Keep only the first $k copies of each number in items, and return the list of what is kept in its "
            "original order.",
        ),
        honest=(
            """
                result = []
                for item in items:
                    if result.count(item) < $k:
                        result.append(item)
                return result
            """,
            """
                counts = {}
                result = []
                for item in items:
                    counts[item] = counts.get(item, 0) + 1
                    if counts[item] <= $k:
                        result.append(item)
                return result
            """,
        ),
        inputs=drawn(integers, 1, 3, 6, 12),
        choices={"k": (2, 3)},
    ),
    Template(
        name="small_distinct",
        level=3,
        parameters="nums",
        names=("kth_smallest", "small_distinct", "rank_distinct"),
        tasks=(
            "Sort the different values in nums and return the one at rank $k, where rank 1 is the smallest. Repeats "
            "count once.",
            "Return the number at place $k when the values of nums are sorted in increasing order and repeated "
            "values are counted only once.",
        ),
        honest=(
            "sorted(set(nums))[$k - 1]",
            """
                values = []
                for n in sorted(nums):
                    if n not in values:
                        values.append(n)
                return values[$k - 1]
            """,
            """
                rest = list(nums)
                for _ in range($k - 1):
                    smallest = min(rest)
                    rest = [n for n in rest if n != smallest]
                return min(rest)
            """,
        ),
        inputs=drawn(_some_repeated),
        choices={"k": (2, 3, 4)},
    ),
    Template(
        name="block_sums",
        level=3,
        parameters="nums",
        names=("block_sums", "sum_in_groups", "group_totals"),
        tasks=(
            "Cut nums into groups of $k numbers from the left; the last group may be shorter. Return the list of the "
            "sums of the groups.",
            "Return a list with the sum of the first $k numbers of nums, of the next $k and so on. A shorter rest at "
            "the end is summed too.",
        ),
        honest=(
            "[sum(nums[i : i + $k]) for i in range(0, len(nums), $k)]",
            """
                result = []
                for i, n in enumerate(nums):
                    if i % $k == 0:
                        result.append(0)
                    result[-1] += n
                return result
            """,
        ),
        inputs=drawn(integers, -5, 20, 3, 10),
        choices={"k": (2, 3, 4)},
    ),
    Template(
        name="peaks_kept",
        level=3,
        parameters="nums",
        names=("find_peaks", "local_peaks", "hill_tops"),
        tasks=(
            "Return a list of the numbers in nums that are larger than both of their neighbours by at least $k. The "
            "ends are never in it.",
            "List, in order, each number of nums that has a neighbour on both sides and exceeds each of the two by "
            "$k or more.",
        ),
        honest=(
            """
                result = []
                for i in range(1, len(nums) - 1):
                    if nums[i] - nums[i - 1] >= $k and nums[i] - nums[i + 1] >= $k:
                        result.append(nums[i])
                return result
            """,
            "[b for a, b, c in zip(nums, nums[1:], nums[2:]) if b >= max(a, c) + $k]",
        ),
        inputs=drawn(integers, 0, 30, 6, 12),
        choices={"k": (1, 2, 3, 4)},
    ),
    Template(
        name="longest_equal_run",
        level=3,
        parameters="nums",
        names=("longest_run", "equal_run", "longest_streak"),
        tasks=(
            "Return $k times the length of the longest run of equal neighbouring numbers in nums. The list is not "
            "empty.",
            "Find the longest stretch of the non-empty list nums in which all numbers are equal. Return its length "
            "multiplied by $k.",
        ),
        honest=(
            """
                best = 1
                length = 1
                for i in range(1, len(nums)):
                    if nums[i] == nums[i - 1]:
                        length += 1
                    else:
                        length = 1
                    best = max(best, length)
                return best * $k
            """,
            """
                lengths = []
                for i, n in enumerate(nums):
                    if i > 0 and n == nums[i - 1]:
                        lengths.append(lengths[-1] + 1)
                    else:
                        lengths.append(1)
                return $k * max(lengths)
            """,
        ),
        inputs=lambda random, chosen: (
            [value for _ in range(random.randint(1, 4)) for value in [random.randint(1, 3)] * random.randint(1, 5)],
        ),
        choices={"k": (2, 3, 5, 10)},
    ),
    Template(
        name="missing_number",
        level=3,
        parameters="nums",
        names=("smallest_missing", "first_gap", "missing_number"),
        tasks=(
            "Return the smallest integer that is at least $k and does not occur in the list nums.",
            "Starting at $k and counting upwards, return the first integer that is not in nums.",
        ),
        honest=(
            """
                n = $k
                while n in nums:
                    n += 1
                return n
            """,
            """
                candidate = $k
                for n in sorted(nums):
                    if n == candidate:
                        candidate += 1
                return candidate
            """,
        ),
        inputs=lambda random, chosen: (random.sample(range(chosen["k"] - 2, chosen["k"] + 8), random.randint(6, 9)),),
        choices={"k": (1, 2, 5, 10)},
    ),
    Template(
        name="column_totals",
        level=3,
        parameters="rows",
        names=("column_totals", "sum_columns", "add_columns"),
        tasks=(
            "The list rows holds lists of equal length. Return the list of the sums of their columns, each "
            "multiplied by $k.",
            "Given a table as a list of rows, all equally long, add up each column, multiply each sum by $k, and "
            "return the results.",
        ),
        honest=(
            "[$k * sum(column) for column in zip(*rows)]",
            """
                totals = [0] * len(rows[0])
                for row in rows:
                    for i, value in enumerate(row):
                        totals[i] += value * $k
                return totals
            """,
        ),
        inputs=lambda random, chosen: (
            next(
                [integers(random, 0, 9, width, width) for _ in range(random.randint(2, 4))]
                for width in [random.randint(2, 4)]
            ),
        ),
        choices={"k": (2, 3, 5, 10)},
    ),
    Template(
        name="most_common_value",
        level=3,
        parameters="nums",
        names=("most_common", "most_frequent", "favourite_number"),
        tasks=(
            "Return the number that occurs most often in nums, plus $k. If several occur equally often, take the "
            "smallest of them.",
            "Find the most frequent number in the non-empty list nums (the smallest one on a tie) and return it "
            "increased by $k.",
        ),
        honest=(
            """
                best = None
                for n in sorted(nums):
                    if best is None or nums.count(n) > nums.count(best):
                        best = n
                return best + $k
            """,
            "min(nums, key=lambda n: (-nums.count(n), n)) + $k",
        ),
        inputs=drawn(integers, 1, 6, 5, 10),
        choices={"k": (5, 10, 20, 100)},
    ),
    Template(
        name="short_forms",
        level=3,
        parameters="words",
        names=("short_forms", "distinct_starts", "unique_prefixes"),
        tasks=(
            "Cut every word to its first $k letters. Return the different results as a list, in the order in which "
            "they first appear.",
            "Return a list of the first $k letters of each word (the whole word if it is shorter), without repeats, "
            "in order of first appearance.",
        ),
        honest=(
            """
                result = []
                for w in words:
                    short = w[:$k]
                    if short not in result:
                        result.append(short)
                return result
            """,
            "list(dict.fromkeys(w[:$k] for w in words))",
        ),
        inputs=lambda random, chosen: (words(random, 4, 8, WORDS[: random.randint(3, 50)]),),
        choices={"k": (1, 2, 3)},
    ),
)
