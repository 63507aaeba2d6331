"""Templates: small algorithms, levels 2 to 3."""

from __future__ import annotations

from inoculate.settings.functions.template import Template, drawn, integers, number

TEMPLATES = (
    Template(
        name="widest_sorted_gap",
        level=2,
        parameters="nums",
        names=("largest_gap", "widest_gap", "biggest_jump"),
        tasks=(
            "Sort nums and return the largest difference between two numbers that are then next to each other. "
            "nums has at least 2 numbers.",
            "Return the widest gap between neighbours when the numbers of nums are put in ascending order "
            "(at least two numbers).",
        ),
        honest=(
            """
                ordered = sorted(nums)
                return max(ordered[i + 1] - ordered[i] for i in range(len(ordered) - 1))
            """,
            """
                ordered = sorted(nums)
                widest = 0
                for a, b in zip(ordered, ordered[1:]):
                    if b - a > widest:
                        widest = b - a
                return widest
            """,
        ),
        inputs=drawn(integers, -40, 60, 3, 7),
    ),
    Template(
        name="split_around_pivot",
        level=2,
        parameters="nums",
        names=("partition", "split_at_pivot", "small_then_large"),
        tasks=(
            "Return the numbers of nums with all numbers below $k first, then all others; within each part keep "
            "the original order.",
            "Rearrange nums so that numbers less than $k come before the rest, without otherwise changing the "
            "order. Return a new list.",
        ),
        honest=(
            "[n for n in nums if n < $k] + [n for n in nums if n >= $k]",
            """
                small, large = [], []
                for n in nums:
                    if n < $k:
                        small.append(n)
                    else:
                        large.append(n)
                return small + large
            """,
            "sorted(nums, key=lambda n: n >= $k)",
        ),
        inputs=drawn(integers, 0, 30, 4, 8),
        choices={"k": (8, 10, 12, 15, 18, 20)},
    ),
    Template(
        name="leading_numbers_needed",
        level=2,
        parameters="nums",
        names=("numbers_needed", "steps_to_reach", "how_many_needed"),
        tasks=(
            "Add the positive numbers of nums from the left. Return how many are needed until the total is at "
            "least $k, or -1 if all of them are not enough.",
            "Return the smallest count of leading numbers of nums whose sum is $k or more; return -1 if there is none.",
        ),
        honest=(
            """
                total = 0
                for i in range(len(nums)):
                    total += nums[i]
                    if total >= $k:
                        return i + 1
                return -1
            """,
            """
                for count in range(1, len(nums) + 1):
                    if sum(nums[:count]) >= $k:
                        return count
                return -1
            """,
        ),
        inputs=lambda random, chosen: (integers(random, 1, random.choice((8, 12, 20)), 4, 10),),
        choices={"k": (20, 24, 25, 30)},
    ),
    Template(
        name="pairs_out_of_order",
        level=2,
        parameters="nums",
        names=("count_inversions", "out_of_order", "wrong_pairs"),
        tasks=(
            "Return how many pairs of positions i < j there are with nums[i] greater than nums[j].",
            "Count the pairs of numbers in nums in which the earlier number is larger than the later one.",
        ),
        honest=(
            """
                count = 0
                for i in range(len(nums)):
                    for j in range(i + 1, len(nums)):
                        if nums[i] > nums[j]:
                            count += 1
                return count
            """,
            "sum(1 for i, a in enumerate(nums) for b in nums[i + 1:] if a > b)",
        ),
        inputs=drawn(integers, 0, 20, 4, 8),
    ),
    Template(
        name="coins_greedily_counted",
        level=2,
        parameters="amount",
        names=("coin_count", "coins_needed", "count_coins"),
        tasks=(
            "Pay amount with coins worth $coins, always taking the largest coin that still fits. "
            "Return the number of coins used.",
            "From the coins $coins (as many as you like) repeatedly take the largest one not above what is left of "
            "amount. Return how many coins that takes.",
        ),
        honest=(
            """
                count = 0
                for coin in $coins:
                    count += amount // coin
                    amount %= coin
                return count
            """,
            """
                count = 0
                while amount > 0:
                    amount -= max(c for c in $coins if c <= amount)
                    count += 1
                return count
            """,
        ),
        inputs=drawn(number, 1, 120),
        choices={"coins": ((10, 5, 1), (20, 5, 2, 1), (25, 10, 1), (12, 4, 1), (50, 20, 10, 1))},
    ),
    Template(
        name="run_length_pairs",
        level=3,
        parameters="items",
        names=("run_lengths", "encode_runs", "group_runs"),
        tasks=(
            "Return a list of tuples (value, length), one for each run of equal neighbours in items, in order: "
            "[4, 4, 7] gives [(4, 2), (7, 1)].",
            "Group equal neighbours in the list items and return (item, how many times in a row) tuples from left "
            "to right.",
        ),
        honest=(
            """
                runs = []
                for item in items:
                    if runs and runs[-1][0] == item:
                        runs[-1] = (item, runs[-1][1] + 1)
                    else:
                        runs.append((item, 1))
                return runs
            """,
            """
                result = []
                i = 0
                while i < len(items):
                    j = i
                    while j < len(items) and items[j] == items[i]:
                        j += 1
                    result.append((items[i], j - i))
                    i = j
                return result
            """,
        ),
        inputs=drawn(integers, 1, 3, 5, 10),
    ),
    Template(
        name="window_total_extreme",
        level=3,
        parameters="nums",
        names=("window_total", "window_sum", "best_window"),
        tasks=(
            "Return the ${pick}imum sum of $k neighbouring numbers in nums. nums has at least $k numbers.",
            "Look at every stretch of exactly $k consecutive numbers in nums (there is at least one) and return "
            "the ${pick}imum of their sums.",
        ),
        honest=(
            "$pick(sum(nums[i:i + $k]) for i in range(len(nums) - $k + 1))",
            """
                total = sum(nums[:$k])
                best = total
                for i in range($k, len(nums)):
                    total += nums[i] - nums[i - $k]
                    best = $pick(best, total)
                return best
            """,
        ),
        inputs=drawn(integers, -10, 30, 5, 9),
        choices={"k": (2, 3, 4), "pick": ("max", "min")},
    ),
    Template(
        name="stair_ways",
        level=3,
        parameters="n",
        names=("climb_ways", "stair_ways", "count_climbs"),
        tasks=(
            "You climb n steps by going up 1 or $k steps at a time. Return the number of different ways, where the "
            "order matters.",
            "Return in how many ways n can be written as a sum of ones and ${k}s when the order of the parts counts.",
        ),
        honest=(
            """
                ways = [1]
                for i in range(1, n + 1):
                    ways.append(ways[i - 1] + (ways[i - $k] if i >= $k else 0))
                return ways[n]
            """,
            """
                if n < $k:
                    return 1
                return $name(n - 1) + $name(n - $k)
            """,
        ),
        inputs=drawn(number, 3, 24),
        choices={"k": (2, 3, 4, 5)},
    ),
    Template(
        name="circle_survivor",
        level=3,
        parameters="players",
        names=("last_player", "survivor", "last_in_circle"),
        tasks=(
            "players stand in a queue. Until one is left: $k times the first player goes to the end, then the "
            "first player is removed. Return the one left.",
            "While more than one item is in the list: $k times move the front item to the back, then drop the "
            "front item. Return the item left at the end.",
        ),
        honest=(
            """
                queue = list(players)
                while len(queue) > 1:
                    for _ in range($k):
                        queue.append(queue.pop(0))
                    queue.pop(0)
                return queue[0]
            """,
            """
                queue = list(players)
                i = 0
                while len(queue) > 1:
                    i = (i + $k) % len(queue)
                    queue.pop(i)
                return queue[0]
            """,
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
            "Return a list that holds, for each number in nums, the first larger number to its right, or $none if "
            "there is none.",
            "For every position of nums find the nearest later number that is greater; use $none where none exists.",
        ),
        honest=(
            """
                result = []
                for i, n in enumerate(nums):
                    found = $none
                    for later in nums[i + 1:]:
                        if later > n:
                            found = later
                            break
                    result.append(found)
                return result
            """,
            "[next((m for m in nums[i:] if m > n), $none) for i, n in enumerate(nums)]",
        ),
        inputs=drawn(integers, 1, 20, 4, 8),
        choices={"none": (-1, 0, None, 99)},
    ),
    Template(
        name="best_trade_gain",
        level=3,
        parameters="prices",
        names=("best_gain", "max_profit", "best_trade"),
        tasks=(
            "Buy on one day and sell on a later day at the prices given, paying a fee of $fee once. Return the "
            "greatest gain (sell - buy - $fee), or 0 if every trade would lose.",
            "Return the largest value of prices[j] - prices[i] - $fee with i < j, but at least 0 (no trade is made "
            "when nothing can be gained).",
        ),
        honest=(
            """
                best = 0
                for i in range(len(prices)):
                    for j in range(i + 1, len(prices)):
                        best = max(best, prices[j] - prices[i] - $fee)
                return best
            """,
            """
                lowest = prices[0]
                gain = 0
                for price in prices:
                    gain = max(gain, price - lowest - $fee)
                    lowest = min(lowest, price)
                return gain
            """,
        ),
        inputs=drawn(integers, 1, 40, 4, 9),
        choices={"fee": (0, 1, 2, 3, 5)},
    ),
)
