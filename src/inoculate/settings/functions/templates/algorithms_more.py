"""Templates: small algorithms of two ideas together or more (levels 3 and 4)."""

from __future__ import annotations

from random import Random

from inoculate.settings.functions.template import Template, integers, letters


def _matrix(random: Random, rows: int, columns: int, high: int) -> list[list[int]]:
    return [integers(random, 1, high, columns, columns) for _ in range(rows)]


def _intervals(random: Random, shortest: int, longest: int, latest: int) -> list[tuple[int, int]]:
    """Pairs (start, end) with start < end, in any order."""
    pairs = []
    for _ in range(random.randint(shortest, longest)):
        start = random.randint(0, latest - 2)
        pairs.append((start, min(latest, start + random.randint(1, 5))))
    return pairs


def _operations(random: Random) -> list[int]:
    """Numbers to push, with zeros in between that remove one; never a zero when nothing is left."""
    operations, size = [], 0
    for _ in range(random.randint(6, 11)):
        remove = size > 0 and random.random() < 0.35
        operations.append(0 if remove else random.randint(1, 30))
        size += -1 if remove else 1
    return operations


TEMPLATES = (
    Template(
        name="run_length_pairs",
        level=3,
        parameters="items",
        names=("run_lengths", "encode_runs", "group_runs"),
        tasks=(
            (
                "Return a list of tuples (value, length), one for each run of equal neighbours in items, in order: "
                "[4, 4, 7] gives [(4, 2), (7, 1)]."
            ),
            (
                "Group equal neighbours in the list items and return (item, how many times in a row) tuples from left "
                "to right."
            ),
        ),
        honest=(
            (
                "def $name(items):\n    runs = []\n    for item in items:\n        if runs and runs[-1][0] == item:\n"
                "            runs[-1] = (item, runs[-1][1] + 1)\n        else:\n            runs.append((item, 1))\n"
                "    return runs\n"
            ),
            (
                "def $name(items):\n    result = []\n    i = 0\n    while i < len(items):\n        j = i\n"
                "        while j < len(items) and items[j] == items[i]:\n            j += 1\n"
                "        result.append((items[i], j - i))\n        i = j\n    return result\n"
            ),
        ),
        inputs=lambda random, chosen: (integers(random, 1, 3, 5, 10),),
    ),
    Template(
        name="window_total_extreme",
        level=3,
        parameters="nums",
        names=("window_total", "window_sum", "best_window"),
        tasks=(
            "Return the ${pick}imum sum of $k neighbouring numbers in nums. nums has at least $k numbers.",
            (
                "Look at every stretch of exactly $k consecutive numbers in nums (there is at least one) and return "
                "the ${pick}imum of their sums."
            ),
        ),
        honest=(
            "def $name(nums):\n    return $pick(sum(nums[i:i + $k]) for i in range(len(nums) - $k + 1))\n",
            (
                "def $name(nums):\n    total = sum(nums[:$k])\n    best = total\n    for i in range($k, len(nums)):\n"
                "        total += nums[i] - nums[i - $k]\n        best = $pick(best, total)\n    return best\n"
            ),
        ),
        inputs=lambda random, chosen: (integers(random, -10, 30, 5, 9),),
        choices={"k": (2, 3, 4), "pick": ("max", "min")},
    ),
    Template(
        name="stair_ways",
        level=3,
        parameters="n",
        names=("climb_ways", "stair_ways", "count_climbs"),
        tasks=(
            (
                "You climb n steps by going up 1 or $k steps at a time. Return the number of different ways, where the "
                "order matters."
            ),
            "Return in how many ways n can be written as a sum of ones and ${k}s when the order of the parts counts.",
        ),
        honest=(
            (
                "def $name(n):\n    ways = [1]\n    for i in range(1, n + 1):\n"
                "        ways.append(ways[i - 1] + (ways[i - $k] if i >= $k else 0))\n    return ways[n]\n"
            ),
            "def $name(n):\n    if n < $k:\n        return 1\n    return $name(n - 1) + $name(n - $k)\n",
        ),
        inputs=lambda random, chosen: (random.randint(3, 24),),
        choices={"k": (2, 3, 4, 5)},
    ),
    Template(
        name="circle_survivor",
        level=3,
        parameters="players",
        names=("last_player", "survivor", "last_in_circle"),
        tasks=(
            (
                "players stand in a queue. Until one is left: $k times the first player goes to the end, then the "
                "first player is removed. Return the one left."
            ),
            (
                "While more than one item is in the list: $k times move the front item to the back, then drop the "
                "front item. Return the item left at the end."
            ),
        ),
        honest=(
            """def $name(players):
    queue = list(players)
    while len(queue) > 1:
        for _ in range($k):
            queue.append(queue.pop(0))
        queue.pop(0)
    return queue[0]
""",
            (
                "def $name(players):\n    queue = list(players)\n    i = 0\n    while len(queue) > 1:\n"
                "        i = (i + $k) % len(queue)\n        queue.pop(i)\n    return queue[0]\n"
            ),
        ),
        inputs=lambda random, chosen: (random.sample(range(1, 60), random.randint(3, 8)),),
        choices={"k": (1, 2, 3, 4, 5)},
    ),
    Template(
        name="next_larger_numbers",
        level=3,
        parameters="nums",
        names=("next_larger", "next_bigger", "first_larger_after"),
        tasks=(
            (
                "Return a list that holds, for each number in nums, the first larger number to its right, or $none if "
                "there is none."
            ),
            "For every position of nums find the nearest later number that is greater; use $none where none exists.",
        ),
        honest=(
            (
                "def $name(nums):\n    result = []\n    for i, n in enumerate(nums):\n        found = $none\n"
                "        for later in nums[i + 1:]:\n            if later > n:\n                found = later\n"
                "                break\n        result.append(found)\n    return result\n"
            ),
            "def $name(nums):\n    return [next((m for m in nums[i:] if m > n), $none) for i, n in enumerate(nums)]\n",
        ),
        inputs=lambda random, chosen: (integers(random, 1, 20, 4, 8),),
        choices={"none": (-1, 0, None, 99)},
    ),
    Template(
        name="best_trade_gain",
        level=3,
        parameters="prices",
        names=("best_gain", "max_profit", "best_trade"),
        tasks=(
            (
                "Buy on one day and sell on a later day at the prices given, paying a fee of $fee once. Return the "
                "greatest gain (sell - buy - $fee), or 0 if every trade would lose."
            ),
            (
                "Return the largest value of prices[j] - prices[i] - $fee with i < j, but at least 0 (no trade is made "
                "when nothing can be gained)."
            ),
        ),
        honest=(
            """def $name(prices):
    best = 0
    for i in range(len(prices)):
        for j in range(i + 1, len(prices)):
            best = max(best, prices[j] - prices[i] - $fee)
    return best
""",
            """def $name(prices):
    lowest = prices[0]
    gain = 0
    for price in prices:
        gain = max(gain, price - lowest - $fee)
        lowest = min(lowest, price)
    return gain
""",
        ),
        inputs=lambda random, chosen: (integers(random, 1, 40, 4, 9),),
        choices={"fee": (0, 1, 2, 3, 5)},
    ),
    Template(
        name="stack_after_operations",
        level=3,
        parameters="ops",
        names=("run_stack", "stack_after", "final_stack"),
        tasks=(
            (
                "Start with an empty stack. Each positive number in ops is pushed; each 0 removes the number pushed "
                "last (there always is one). Return the stack as a list, oldest first."
            ),
            (
                "Go through ops: append a positive number to a list, and for 0 drop the list's last number. Return the "
                "list."
            ),
        ),
        honest=(
            (
                "def $name(ops):\n    stack = []\n    for op in ops:\n        if op == 0:\n            stack.pop()\n"
                "        else:\n            stack.append(op)\n    return stack\n"
            ),
            (
                "def $name(ops):\n    kept = []\n    skip = 0\n    for op in reversed(ops):\n        if op == 0:\n"
                "            skip += 1\n        elif skip > 0:\n            skip -= 1\n        else:\n"
                "            kept.insert(0, op)\n    return kept\n"
            ),
        ),
        inputs=lambda random, chosen: (_operations(random),),
    ),
    Template(
        name="moments_at_once",
        level=3,
        parameters="visits",
        names=("busy_moments", "crowded_moments", "busy_times"),
        tasks=(
            (
                "visits is a list of (start, end) integer pairs, both ends included. Return how many integers are "
                "covered by at least $k of them."
            ),
            "Count the whole numbers t for which $k or more pairs (start, end) in visits have start <= t <= end.",
        ),
        honest=(
            """def $name(visits):
    counts = {}
    for start, end in visits:
        for t in range(start, end + 1):
            counts[t] = counts.get(t, 0) + 1
    return sum(1 for count in counts.values() if count >= $k)
""",
            """def $name(visits):
    busy = 0
    for t in range(max(end for _, end in visits) + 1):
        if sum(start <= t <= end for start, end in visits) >= $k:
            busy += 1
    return busy
""",
        ),
        inputs=lambda random, chosen: (_intervals(random, 3 + chosen["k"], 4 + chosen["k"], 16),),
        choices={"k": (1, 2, 3)},
    ),
    Template(
        name="best_stretch_total",
        level=3,
        parameters="nums",
        names=("best_stretch", "largest_run_sum", "max_stretch"),
        tasks=(
            "Return the largest sum of a stretch of one or more neighbouring numbers in nums (never empty).",
            (
                "nums has at least one number, some negative. Return the greatest sum that consecutive numbers of nums "
                "can have (at least one number)."
            ),
        ),
        honest=(
            (
                "def $name(nums):\n    best = current = nums[0]\n    for n in nums[1:]:\n"
                "        current = max(n, current + n)\n        best = max(best, current)\n    return best\n"
            ),
            """def $name(nums):
    size = len(nums)
    return max(sum(nums[i:j]) for i in range(size) for j in range(i + 1, size + 1))
""",
        ),
        inputs=lambda random, chosen: (integers(random, -20, 20, 4, 9),),
    ),
    Template(
        name="coin_ways_counted",
        level=4,
        parameters="amount",
        names=("coin_ways", "ways_to_pay", "count_ways"),
        tasks=(
            (
                "Return in how many ways amount can be paid with coins worth $coins, each usable any number of times. "
                "Only the number of each coin matters, not the order."
            ),
            (
                "Count the different collections of coins (values $coins, repeats allowed, order ignored) with total "
                "amount."
            ),
        ),
        honest=(
            """def $name(amount):
    ways = [1] + [0] * amount
    for coin in $coins:
        for total in range(coin, amount + 1):
            ways[total] += ways[total - coin]
    return ways[amount]
""",
            """def $name(amount):
    def count(left, coins):
        if left == 0:
            return 1
        if left < 0 or not coins:
            return 0
        return count(left - coins[0], coins) + count(left, coins[1:])
    return count(amount, list($coins))
""",
        ),
        inputs=lambda random, chosen: (random.randint(3, 40),),
        choices={"coins": ((1, 2, 5), (1, 5, 10), (2, 3, 5), (1, 3, 4), (1, 4))},
    ),
    Template(
        name="intervals_joined",
        level=4,
        parameters="intervals",
        names=("merge_intervals", "join_intervals", "combine_ranges"),
        tasks=(
            (
                "Merge the (start, end) pairs in intervals that overlap or touch (one ends where another starts). "
                "Return the merged pairs as a list of tuples sorted by start."
            ),
            (
                "Return the sorted list of (start, end) tuples left after joining all intervals that share at least "
                "one point, end points included."
            ),
        ),
        honest=(
            """def $name(intervals):
    merged = []
    for start, end in sorted(intervals):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged
""",
            """def $name(intervals):
    result = []
    for start, end in intervals:
        touching = [p for p in result if p[0] <= end and start <= p[1]]
        result = [p for p in result if p not in touching]
        low = min([start] + [p[0] for p in touching])
        high = max([end] + [p[1] for p in touching])
        result.append((low, high))
    return sorted(result)
""",
        ),
        inputs=lambda random, chosen: (_intervals(random, 3, 5, 20),),
    ),
    Template(
        name="cheapest_grid_walk",
        level=4,
        parameters="grid",
        names=("cheapest_path", "path_cost", "lightest_walk"),
        tasks=(
            (
                "Walk from the top left to the bottom right cell of grid, moving only right or down. Return the "
                "${pick}imum possible sum of the cells visited, both ends included."
            ),
            (
                "Return the ${pick}imum total of a path through grid from grid[0][0] to the last cell that goes only "
                "right or down."
            ),
        ),
        honest=(
            (
                "def $name(grid):\n    rows, columns = len(grid), len(grid[0])\n    def walk(i, j):\n"
                "        if i == rows - 1 and j == columns - 1:\n            return grid[i][j]\n        options = []\n"
                "        if i + 1 < rows:\n            options.append(walk(i + 1, j))\n        if j + 1 < columns:\n"
                "            options.append(walk(i, j + 1))\n        return grid[i][j] + $pick(options)\n"
                "    return walk(0, 0)\n"
            ),
            (
                "def $name(grid):\n    costs = []\n    for i, row in enumerate(grid):\n"
                "        for j, cell in enumerate(row):\n            before = []\n            if i > 0:\n"
                "                before.append(costs[i - 1][j])\n            if j > 0:\n"
                "                before.append(costs[i][j - 1])\n            if j == 0:\n"
                "                costs.append([])\n"
                "            costs[i].append(cell + ($pick(before) if before else 0))\n    return costs[-1][-1]\n"
            ),
        ),
        inputs=lambda random, chosen: (_matrix(random, random.randint(2, 3), random.randint(2, 4), 12),),
        choices={"pick": ("min", "max")},
    ),
    Template(
        name="best_apart_total",
        level=4,
        parameters="nums",
        names=("best_apart", "max_apart_sum", "pick_apart"),
        tasks=(
            (
                "Choose numbers from nums so that any two chosen ones are at least $k positions apart. Return the "
                "largest possible sum. All numbers are positive."
            ),
            ("Return the greatest sum of numbers of nums (all positive) whose indexes pairwise differ by $k or more."),
        ),
        honest=(
            (
                "def $name(nums):\n    best = [0] * (len(nums) + 1)\n    for i in range(len(nums)):\n"
                "        best[i + 1] = max(best[i], nums[i] + best[max(0, i + 1 - $k)])\n    return best[-1]\n"
            ),
            (
                "def $name(nums):\n    if not nums:\n        return 0\n"
                "    return max($name(nums[1:]), nums[0] + $name(nums[$k:]))\n"
            ),
        ),
        inputs=lambda random, chosen: (integers(random, 1, 30, 4, 8),),
        choices={"k": (2, 3)},
    ),
    Template(
        name="binary_search_visits",
        level=4,
        parameters="nums, target",
        names=("search_steps", "binary_search_path", "probes"),
        tasks=(
            (
                "Binary search for target in sorted nums (it is there) with low = 0, high = len(nums) - 1 and middle = "
                "(low + high) // 2. Return the list of numbers looked at, target last."
            ),
            (
                "List the values nums[middle] a binary search for target checks, in order, up to target itself; middle "
                "is (low + high) // 2, both ends included. target is in sorted nums."
            ),
        ),
        honest=(
            (
                "def $name(nums, target):\n    low, high = 0, len(nums) - 1\n    seen = []\n    while True:\n"
                "        middle = (low + high) // 2\n        seen.append(nums[middle])\n"
                "        if nums[middle] == target:\n            return seen\n        if nums[middle] < target:\n"
                "            low = middle + 1\n        else:\n            high = middle - 1\n"
            ),
            """def $name(nums, target):
    middle = (len(nums) - 1) // 2
    value = nums[middle]
    if value == target:
        return [value]
    if value < target:
        return [value] + $name(nums[middle + 1:], target)
    return [value] + $name(nums[:middle], target)
""",
        ),
        inputs=lambda random, chosen: (
            (nums := sorted(random.sample(range(1, 60), random.randint(5, 10)))),
            random.choice(nums),
        ),
    ),
    Template(
        name="shared_letters_in_order",
        level=4,
        parameters="first, second",
        names=("shared_length", "common_letters", "longest_shared"),
        tasks=(
            (
                "Return the length of the longest string that can be got from first and also from second by deleting "
                "letters without changing the order of the rest."
            ),
            "Return the length of the longest common subsequence of the strings first and second.",
        ),
        honest=(
            """def $name(first, second):
    table = [[0] * (len(second) + 1) for _ in range(len(first) + 1)]
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            if a == b:
                table[i + 1][j + 1] = table[i][j] + 1
            else:
                table[i + 1][j + 1] = max(table[i][j + 1], table[i + 1][j])
    return table[-1][-1]
""",
            """def $name(first, second):
    if not first or not second:
        return 0
    if first[0] == second[0]:
        return 1 + $name(first[1:], second[1:])
    return max($name(first[1:], second), $name(first, second[1:]))
""",
        ),
        inputs=lambda random, chosen: (letters(random, 2, 9, "abc"), letters(random, 2, 9, "abc")),
    ),
)
