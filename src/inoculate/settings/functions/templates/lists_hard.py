"""Templates: lists of numbers and of words, levels 3 to 4."""

from __future__ import annotations

from random import Random
from typing import Any

from inoculate.settings.functions.template import Template, drawn, integers


def _nested(random: Random, depth: int) -> list[Any]:
    """Draw a list of two to three numbers or, at most `depth` deep, lists of them."""
    return [
        _nested(random, depth - 1) if depth > 1 and random.random() < 0.4 else random.randint(1, 9)
        for _ in range(random.randint(2, 3))
    ]


TEMPLATES = (
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
            """
                i = nums.index(min(nums))
                return [n + $k for n in nums[i:] + nums[:i]]
            """,
            """
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
            """
                differences = []
                for i in range(1, len(nums)):
                    differences.append(abs(sum(nums[:i]) - sum(nums[i:])))
                return min(differences) * $k
            """,
            """
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
        inputs=drawn(integers, 0, 30, 2, 7),
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
            """
                result = []
                for i in range(0, len(items), $k):
                    result += items[i : i + $k][::-1]
                return result
            """,
            """
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
        inputs=drawn(integers, 0, 30, 4, 10),
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
            """
                best = []
                for i, n in enumerate(nums):
                    best.append(1 + max([best[j] for j in range(i) if n - nums[j] >= $k], default=0))
                return max(best)
            """,
            """
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
            """
                ways = [1] + [0] * $k
                for n in nums:
                    for total in range($k, n - 1, -1):
                        ways[total] += ways[total - n]
                return ways[$k]
            """,
            """
                sums = [0]
                for n in nums:
                    sums += [s + n for s in sums]
                return sums.count($k)
            """,
        ),
        inputs=drawn(integers, 1, 7, 3, 9),
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
            """
                visited = []
                i = 0
                while i not in visited:
                    visited.append(i)
                    i = (i + nums[i] + $k) % len(nums)
                return len(visited)
            """,
            """
                seen = [False] * len(nums)
                i = 0
                while not seen[i]:
                    seen[i] = True
                    i += nums[i] + $k
                    i %= len(nums)
                return sum(seen)
            """,
        ),
        inputs=drawn(integers, 0, 4, 5, 12),
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
            """
                stack = []
                for n in nums:
                    if stack and stack[-1] + n == $k:
                        stack.pop()
                    else:
                        stack.append(n)
                return stack
            """,
            """
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
            """
                rest = sorted(nums)
                result = []
                while rest:
                    result.append(rest.pop(0) * $k)
                    rest.reverse()
                return result
            """,
            """
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
        inputs=drawn(integers, 0, 30, 3, 8),
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
            """
                def total(part, depth):
                    if isinstance(part, list):
                        return sum(total(p, depth + 1) for p in part)
                    return part * (depth + $k)

                return total(items, 0)
            """,
            """
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
        inputs=drawn(_nested, 3),
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
            """
                memory = []
                for v in visits:
                    if v in memory:
                        memory.remove(v)
                    memory.append(v)
                    if len(memory) > $k:
                        memory.pop(0)
                return memory
            """,
            """
                found = []
                for v in reversed(visits):
                    if v not in found and len(found) < $k:
                        found.append(v)
                return found[::-1]
            """,
        ),
        inputs=drawn(integers, 1, 7, 4, 12),
        choices={"k": (2, 3, 4)},
    ),
)
