"""Templates: lists of numbers and of words, levels 3 to 4."""

from __future__ import annotations

from random import Random
from typing import Any

from inoculate.settings.functions.template import WORDS, Template, integers, words


def _nested(random: Random, depth: int) -> list[Any]:
    """Draw a list of two to three numbers or, at most `depth` deep, lists of them."""
    return [
        _nested(random, depth - 1) if depth > 1 and random.random() < 0.4 else random.randint(1, 9)
        for _ in range(random.randint(2, 3))
    ]


TEMPLATES = (
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
            """def $name(nums):
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
            """def $name(nums):
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
            "def $name(nums):\n    n = $k\n    while n in nums:\n        n += 1\n    return n\n",
            "def $name(nums):\n    candidate = $k\n    for n in sorted(nums):\n        if n == candidate:\n"
            "            candidate += 1\n    return candidate\n",
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
            "def $name(rows):\n    return [$k * sum(column) for column in zip(*rows)]\n",
            "def $name(rows):\n    totals = [0] * len(rows[0])\n    for row in rows:\n"
            "        for i, value in enumerate(row):\n            totals[i] += value * $k\n    return totals\n",
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
            """def $name(nums):
    best = None
    for n in sorted(nums):
        if best is None or nums.count(n) > nums.count(best):
            best = n
    return best + $k
""",
            "def $name(nums):\n    return min(nums, key=lambda n: (-nums.count(n), n)) + $k\n",
        ),
        inputs=lambda random, chosen: (integers(random, 1, 6, 5, 10),),
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
            "def $name(words):\n    result = []\n    for w in words:\n        short = w[:$k]\n"
            "        if short not in result:\n            result.append(short)\n    return result\n",
            "def $name(words):\n    return list(dict.fromkeys(w[:$k] for w in words))\n",
        ),
        inputs=lambda random, chosen: (words(random, 4, 8, WORDS[: random.randint(3, 50)]),),
        choices={"k": (1, 2, 3)},
    ),
    Template(
        name="smallest_to_front",
        level=3,
        parameters="nums",
        names=("smallest_first", "turn_to_smallest", "start_at_smallest"),
        tasks=(
            "Move numbers from the front of nums to its end until the smallest number is first. Return the list with "
            "$k added to each number.",
            "Rotate nums so that it starts with its smallest number and then add $k to every number. All numbers of "
            "nums differ.",
        ),
        honest=(
            "def $name(nums):\n    i = nums.index(min(nums))\n    return [n + $k for n in nums[i:] + nums[:i]]\n",
            """def $name(nums):
    result = list(nums)
    while result[0] != min(result):
        result.append(result.pop(0))
    for i in range(len(result)):
        result[i] += $k
    return result
""",
        ),
        inputs=lambda random, chosen: (random.sample(range(30), random.randint(3, 8)),),
        choices={"k": (1, 2, 5, 10, 100)},
    ),
    Template(
        name="fairest_cut",
        level=3,
        parameters="nums",
        names=("fairest_cut", "smallest_difference", "best_cut"),
        tasks=(
            "Cut nums into a left and a right part with at least one number each. Return $k times the smallest "
            "possible difference of their sums.",
            "Over all ways to split nums in a non-empty start and a non-empty rest, find the least absolute "
            "difference of sums. Return it times $k.",
        ),
        honest=(
            "def $name(nums):\n    differences = []\n    for i in range(1, len(nums)):\n"
            "        differences.append(abs(sum(nums[:i]) - sum(nums[i:])))\n    return min(differences) * $k\n",
            """def $name(nums):
    left = 0
    total = sum(nums)
    best = None
    for n in nums[:-1]:
        left += n
        difference = abs(total - 2 * left)
        if best is None or difference < best:
            best = difference
    return $k * best
""",
        ),
        inputs=lambda random, chosen: (integers(random, 0, 30, 2, 7),),
        choices={"k": (2, 3, 5, 10)},
    ),
    Template(
        name="blocks_reversed",
        level=3,
        parameters="items",
        names=("reverse_blocks", "flip_groups", "turn_blocks"),
        tasks=(
            "Cut items into blocks of $k from the left (the last may be shorter), reverse each block, and return all "
            "items as one list.",
            "Reverse the first $k items, then the next $k items and so on; a shorter rest at the end is reversed "
            "too. Return the whole list.",
        ),
        honest=(
            "def $name(items):\n    result = []\n    for i in range(0, len(items), $k):\n"
            "        result += items[i : i + $k][::-1]\n    return result\n",
            """def $name(items):
    result = []
    block = []
    for item in items:
        block.insert(0, item)
        if len(block) == $k:
            result += block
            block = []
    return result + block
""",
        ),
        inputs=lambda random, chosen: (integers(random, 0, 30, 4, 10),),
        choices={"k": (2, 3, 4)},
    ),
    Template(
        name="longest_spaced_climb",
        level=4,
        parameters="nums",
        names=("spaced_climb", "climbing_length", "longest_rising"),
        tasks=(
            "Numbers are picked from nums in order, not always neighbours; each is at least $k more than the one "
            "before. Return the most that can be picked.",
            "Return the length of the longest subsequence of the non-empty list nums in which each number exceeds "
            "the one before by $k or more.",
        ),
        honest=(
            """def $name(nums):
    best = []
    for i, n in enumerate(nums):
        best.append(1 + max([best[j] for j in range(i) if n - nums[j] >= $k], default=0))
    return max(best)
""",
            """def $name(nums):
    def longest_from(i, last):
        if i == len(nums):
            return 0
        skipped = longest_from(i + 1, last)
        if last is None or nums[i] >= last + $k:
            return max(skipped, 1 + longest_from(i + 1, nums[i]))
        return skipped

    return longest_from(0, None)
""",
        ),
        inputs=lambda random, chosen: (
            next(
                [min(30, max(0, n + slope * i)) for i, n in enumerate(integers(random, 0, 15, 3, 12))]
                for slope in integers(random, 0, 4, 1, 1)
            ),
        ),
        choices={"k": (1, 2, 3)},
    ),
    Template(
        name="subsets_with_total",
        level=4,
        parameters="nums",
        names=("subsets_with_sum", "count_subsets", "ways_to_choose"),
        tasks=(
            "Return in how many ways numbers can be chosen from nums so that they add up to $k. Each position is "
            "used at most once.",
            "Count the sets of positions in nums, a list of positive numbers, whose numbers have the sum $k.",
        ),
        honest=(
            """def $name(nums):
    ways = [1] + [0] * $k
    for n in nums:
        for total in range($k, n - 1, -1):
            ways[total] += ways[total - n]
    return ways[$k]
""",
            "def $name(nums):\n    sums = [0]\n    for n in nums:\n        sums += [s + n for s in sums]\n"
            "    return sums.count($k)\n",
        ),
        inputs=lambda random, chosen: (integers(random, 1, 7, 3, 9),),
        choices={"k": (8, 9, 10, 12)},
    ),
    Template(
        name="jump_around",
        level=4,
        parameters="nums",
        names=("jump_around", "count_visited", "hop_positions"),
        tasks=(
            "Start at position 0 and jump forward nums[i] + $k places from position i, wrapping round the end. "
            "Return how many positions are visited before one repeats.",
            "From position i of nums the next position is (i + nums[i] + $k) % len(nums). Start at 0 and return how "
            "many different positions are visited.",
        ),
        honest=(
            "def $name(nums):\n    visited = []\n    i = 0\n    while i not in visited:\n        visited.append(i)\n"
            "        i = (i + nums[i] + $k) % len(nums)\n    return len(visited)\n",
            "def $name(nums):\n    seen = [False] * len(nums)\n    i = 0\n    while not seen[i]:\n"
            "        seen[i] = True\n        i += nums[i] + $k\n        i %= len(nums)\n    return sum(seen)\n",
        ),
        inputs=lambda random, chosen: (integers(random, 0, 9, 5, 12),),
        choices={"k": (1, 2, 3, 5)},
    ),
    Template(
        name="cancelled_neighbours",
        level=4,
        parameters="nums",
        names=("cancel_neighbours", "remove_matches", "clear_pairs"),
        tasks=(
            "As long as two neighbours in nums add up to $k, remove the leftmost such two. Return the list that is "
            "left in the end.",
            "Repeat: find the leftmost two neighbouring numbers with the sum $k and delete both. Stop when there are "
            "none and return the list.",
        ),
        honest=(
            "def $name(nums):\n    stack = []\n    for n in nums:\n        if stack and stack[-1] + n == $k:\n"
            "            stack.pop()\n        else:\n            stack.append(n)\n    return stack\n",
            """def $name(nums):
    rest = list(nums)
    i = 0
    while i < len(rest) - 1:
        if rest[i] + rest[i + 1] == $k:
            del rest[i : i + 2]
            i = 0
        else:
            i += 1
    return rest
""",
        ),
        inputs=lambda random, chosen: ([random.choice((n, chosen["k"] - n)) for n in integers(random, 1, 3, 5, 11)],),
        choices={"k": (7, 8, 9, 10)},
    ),
    Template(
        name="ends_inwards",
        level=4,
        parameters="nums",
        names=("ends_inwards", "zigzag_order", "small_large_order"),
        tasks=(
            "Sort nums, then take the smallest, the largest, the second smallest, the second largest and so on, each "
            "number multiplied by $k. Return the list.",
            "Return all numbers of nums times $k in this order: smallest, largest, next smallest, next largest and "
            "so on until none is left.",
        ),
        honest=(
            "def $name(nums):\n    rest = sorted(nums)\n    result = []\n    while rest:\n"
            "        result.append(rest.pop(0) * $k)\n        rest.reverse()\n    return result\n",
            """def $name(nums):
    ordered = sorted(nums)
    result = []
    low, high = 0, len(ordered) - 1
    while low <= high:
        result.append(ordered[low] * $k)
        if low < high:
            result.append(ordered[high] * $k)
        low += 1
        high -= 1
    return result
""",
        ),
        inputs=lambda random, chosen: (integers(random, 0, 30, 3, 8),),
        choices={"k": (2, 3, 5, 10)},
    ),
    Template(
        name="depth_weighted_total",
        level=4,
        parameters="items",
        names=("weigh_by_depth", "depth_total", "nested_total"),
        tasks=(
            "The list items holds integers and lists nested to any depth. A number in d lists counts d + $k times. "
            "Return the total.",
            "Add up all integers in the nested list items, each multiplied by $k plus its depth. The depth of a "
            "direct item of items is 1.",
        ),
        honest=(
            """def $name(items):
    def total(part, depth):
        if isinstance(part, list):
            return sum(total(p, depth + 1) for p in part)
        return part * (depth + $k)

    return total(items, 0)
""",
            """def $name(items):
    total = 0
    open_parts = [(items, 1)]
    while open_parts:
        part, depth = open_parts.pop()
        for p in part:
            if isinstance(p, list):
                open_parts.append((p, depth + 1))
            else:
                total += p * (depth + $k)
    return total
""",
        ),
        inputs=lambda random, chosen: (_nested(random, 3),),
        choices={"k": (0, 1, 2, 3)},
    ),
    Template(
        name="recently_used",
        level=4,
        parameters="visits",
        names=("recently_used", "remember_visits", "last_seen"),
        tasks=(
            "Go through visits. Move each number to the end of a memory list (add it if new), dropping the first if "
            "more than $k remain. Return the memory.",
            "Return the last $k different numbers of visits (all if there are fewer), ordered by their last "
            "occurrence, the latest at the end.",
        ),
        honest=(
            """def $name(visits):
    memory = []
    for v in visits:
        if v in memory:
            memory.remove(v)
        memory.append(v)
        if len(memory) > $k:
            memory.pop(0)
    return memory
""",
            "def $name(visits):\n    found = []\n    for v in reversed(visits):\n"
            "        if v not in found and len(found) < $k:\n            found.append(v)\n    return found[::-1]\n",
        ),
        inputs=lambda random, chosen: (integers(random, 1, 7, 4, 12),),
        choices={"k": (2, 3, 4)},
    ),
)
