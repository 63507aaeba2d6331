"""Templates: small algorithms, levels 3 to 4."""

from __future__ import annotations

from random import Random

from inoculate.settings.functions.template import Template, drawn, integers, letters, number
from inoculate.settings.functions.templates.algorithms import matrix


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
        name="stack_after_operations",
        level=3,
        parameters="ops",
        names=("run_stack", "stack_after", "final_stack"),
        tasks=(
            "Start with an empty stack. Each positive number in ops is pushed; each 0 removes the number pushed "
            "last (there always is one). Return the stack as a list, oldest first.",
            "Go through ops: append a positive number to a list, and for 0 drop the list's last number. Return the "
            "list.",
        ),
        honest=(
            """
                stack = []
                for op in ops:
                    if op == 0:
                        stack.pop()
                    else:
                        stack.append(op)
                return stack
            """,
            """
                kept = []
                skip = 0
                for op in reversed(ops):
                    if op == 0:
                        skip += 1
                    elif skip > 0:
                        skip -= 1
                    else:
                        kept.insert(0, op)
                return kept
            """,
        ),
        inputs=drawn(_operations),
    ),
    Template(
        name="moments_at_once",
        level=3,
        parameters="visits",
        names=("busy_moments", "crowded_moments", "busy_times"),
        tasks=(
            "visits is a list of (start, end) integer pairs, both ends included. Return how many integers are "
            "covered by at least $k of them.",
            "Count the whole numbers t for which $k or more pairs (start, end) in visits have start <= t <= end.",
        ),
        honest=(
            """
                counts = {}
                for start, end in visits:
                    for t in range(start, end + 1):
                        counts[t] = counts.get(t, 0) + 1
                return sum(1 for count in counts.values() if count >= $k)
            """,
            """
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
            "nums has at least one number, some negative. Return the greatest sum that consecutive numbers of nums "
            "can have (at least one number).",
        ),
        honest=(
            """
                best = current = nums[0]
                for n in nums[1:]:
                    current = max(n, current + n)
                    best = max(best, current)
                return best
            """,
            """
                size = len(nums)
                return max(sum(nums[i:j]) for i in range(size) for j in range(i + 1, size + 1))
            """,
        ),
        inputs=drawn(integers, -20, 20, 4, 9),
    ),
    Template(
        name="coin_ways_counted",
        level=4,
        parameters="amount",
        names=("coin_ways", "ways_to_pay", "count_ways"),
        tasks=(
            "Return in how many ways amount can be paid with coins worth $coins, each usable any number of times. "
            "Only the number of each coin matters, not the order.",
            "Count the different collections of coins (values $coins, repeats allowed, order ignored) with total "
            "amount.",
        ),
        honest=(
            """
                ways = [1] + [0] * amount
                for coin in $coins:
                    for total in range(coin, amount + 1):
                        ways[total] += ways[total - coin]
                return ways[amount]
            """,
            """
                def count(left, coins):
                    if left == 0:
                        return 1
                    if left < 0 or not coins:
                        return 0
                    return count(left - coins[0], coins) + count(left, coins[1:])
                return count(amount, list($coins))
            """,
        ),
        inputs=drawn(number, 3, 40),
        choices={"coins": ((1, 2, 5), (1, 5, 10), (2, 3, 5), (1, 3, 4), (1, 4))},
    ),
    Template(
        name="intervals_joined",
        level=4,
        parameters="intervals",
        names=("merge_intervals", "join_intervals", "combine_ranges"),
        tasks=(
            "Merge the (start, end) pairs in intervals that overlap or touch (one ends where another starts). "
            "Return the merged pairs as a list of tuples sorted by start.",
            "Return the sorted list of (start, end) tuples left after joining all intervals that share at least "
            "one point, end points included.",
        ),
        honest=(
            """
                merged = []
                for start, end in sorted(intervals):
                    if merged and start <= merged[-1][1]:
                        merged[-1] = (merged[-1][0], max(merged[-1][1], end))
                    else:
                        merged.append((start, end))
                return merged
            """,
            """
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
        inputs=drawn(_intervals, 3, 5, 20),
    ),
    Template(
        name="cheapest_grid_walk",
        level=4,
        parameters="grid",
        names=("cheapest_path", "path_cost", "lightest_walk"),
        tasks=(
            "Walk from the top left to the bottom right cell of grid, moving only right or down. Return the "
            "${pick}imum possible sum of the cells visited, both ends included.",
            "Return the ${pick}imum total of a path through grid from grid[0][0] to the last cell that goes only "
            "right or down.",
        ),
        honest=(
            """
                rows, columns = len(grid), len(grid[0])
                def walk(i, j):
                    if i == rows - 1 and j == columns - 1:
                        return grid[i][j]
                    options = []
                    if i + 1 < rows:
                        options.append(walk(i + 1, j))
                    if j + 1 < columns:
                        options.append(walk(i, j + 1))
                    return grid[i][j] + $pick(options)
                return walk(0, 0)
            """,
            """
                costs = []
                for i, row in enumerate(grid):
                    for j, cell in enumerate(row):
                        before = []
                        if i > 0:
                            before.append(costs[i - 1][j])
                        if j > 0:
                            before.append(costs[i][j - 1])
                        if j == 0:
                            costs.append([])
                        costs[i].append(cell + ($pick(before) if before else 0))
                return costs[-1][-1]
            """,
        ),
        inputs=lambda random, chosen: (matrix(random, random.randint(2, 3), random.randint(2, 4), 1, 12),),
        choices={"pick": ("min", "max")},
    ),
    Template(
        name="best_apart_total",
        level=4,
        parameters="nums",
        names=("best_apart", "max_apart_sum", "pick_apart"),
        tasks=(
            "Choose numbers from nums so that any two chosen ones are at least $k positions apart. Return the "
            "largest possible sum. All numbers are positive.",
            "Return the greatest sum of numbers of nums (all positive) whose indexes pairwise differ by $k or more.",
        ),
        honest=(
            """
                best = [0] * (len(nums) + 1)
                for i in range(len(nums)):
                    best[i + 1] = max(best[i], nums[i] + best[max(0, i + 1 - $k)])
                return best[-1]
            """,
            """
                if not nums:
                    return 0
                return max($name(nums[1:]), nums[0] + $name(nums[$k:]))
            """,
        ),
        inputs=drawn(integers, 1, 30, 4, 8),
        choices={"k": (2, 3)},
    ),
    Template(
        name="binary_search_visits",
        level=4,
        parameters="nums, target",
        names=("search_steps", "binary_search_path", "probes"),
        tasks=(
            "Binary search for target in sorted nums (it is there) with low = 0, high = len(nums) - 1 and middle = "
            "(low + high) // 2. Return the list of numbers looked at, target last.",
            "List the values nums[middle] a binary search for target checks, in order, up to target itself; middle "
            "is (low + high) // 2, both ends included. target is in sorted nums.",
        ),
        honest=(
            """
                low, high = 0, len(nums) - 1
                seen = []
                while True:
                    middle = (low + high) // 2
                    seen.append(nums[middle])
                    if nums[middle] == target:
                        return seen
                    if nums[middle] < target:
                        low = middle + 1
                    else:
                        high = middle - 1
            """,
            """
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
            "Return the length of the longest string that can be got from first and also from second by deleting "
            "letters without changing the order of the rest.",
            "Return the length of the longest common subsequence of the strings first and second.",
        ),
        honest=(
            """
                table = [[0] * (len(second) + 1) for _ in range(len(first) + 1)]
                for i, a in enumerate(first):
                    for j, b in enumerate(second):
                        if a == b:
                            table[i + 1][j + 1] = table[i][j] + 1
                        else:
                            table[i + 1][j + 1] = max(table[i][j + 1], table[i + 1][j])
                return table[-1][-1]
            """,
            """
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
