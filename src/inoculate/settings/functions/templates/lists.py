"""Templates: lists of numbers and of words, levels 1 to 3."""

from __future__ import annotations

from random import Random

from inoculate.settings.functions.template import Template, integers, words


def _some_repeated(random: Random) -> list[int]:
    """Draw four to six different numbers, three of them twice, in any order."""
    pool = random.sample(range(-10, 40), random.randint(4, 6))
    return random.sample(pool + pool[:3], len(pool) + 3)


TEMPLATES = (
    Template(
        name="multiples_kept",
        level=1,
        parameters="nums",
        names=("keep_multiples", "only_multiples", "filter_multiples"),
        tasks=(
            "Return a list of the numbers in nums that are divisible by $k, in their original order.",
            "Given a list of integers nums, keep only the multiples of $k, without changing their order.",
        ),
        honest=(
            "def $name(nums):\n    return [n for n in nums if n % $k == 0]\n",
            "def $name(nums):\n    result = []\n    for n in nums:\n        if n % $k == 0:\n"
            "            result.append(n)\n    return result\n",
            "def $name(nums):\n    return list(filter(lambda n: n % $k == 0, nums))\n",
        ),
        inputs=lambda random, chosen: (integers(random, -20, 40, 3, 8),),
        choices={"k": (2, 3, 4, 5, 7)},
    ),
    Template(
        name="scaled_and_shifted",
        level=1,
        parameters="nums",
        names=("scale_and_shift", "scaled_list", "transform_all"),
        tasks=(
            "Multiply every number in nums by $k, add $c, and return the results as a list in the same order.",
            "Return a list with n * $k + $c for each number n in nums.",
        ),
        honest=(
            "def $name(nums):\n    return [n * $k + $c for n in nums]\n",
            "def $name(nums):\n    result = []\n    for n in nums:\n        result.append(n * $k + $c)\n"
            "    return result\n",
            "def $name(nums):\n    return list(map(lambda n: $k * n + $c, nums))\n",
        ),
        inputs=lambda random, chosen: (integers(random, -10, 20, 2, 8),),
        choices={"k": (2, 3, 4, 5, 10), "c": (1, 2, 3, 5, 7)},
    ),
    Template(
        name="long_words_kept",
        level=1,
        parameters="words",
        names=("long_words", "keep_long_words", "longer_than"),
        tasks=(
            "Return a list of the words that have more than $k letters, in their original order.",
            "Given a list of words, keep only those that are longer than $k characters, in the same order.",
        ),
        honest=(
            "def $name(words):\n    return [w for w in words if len(w) > $k]\n",
            "def $name(words):\n    result = []\n    for w in words:\n        if len(w) > $k:\n"
            "            result.append(w)\n    return result\n",
        ),
        inputs=lambda random, chosen: (words(random, 3, 7),),
        choices={"k": (2, 3, 4)},
    ),
    Template(
        name="sum_above",
        level=1,
        parameters="nums",
        names=("sum_above", "total_of_large", "add_large_numbers"),
        tasks=(
            "Return the sum of the numbers in nums that are greater than $k. The sum is 0 if there are none.",
            "Add up only those numbers in the list nums that are larger than $k. Return 0 if no number is.",
        ),
        honest=(
            "def $name(nums):\n    return sum(n for n in nums if n > $k)\n",
            "def $name(nums):\n    total = 0\n    for n in nums:\n        if n > $k:\n            total += n\n"
            "    return total\n",
        ),
        inputs=lambda random, chosen: (integers(random, -10, 30, 3, 8),),
        choices={"k": (2, 5, 8, 10, 12)},
    ),
    Template(
        name="every_kth_item",
        level=1,
        parameters="items",
        names=("every_kth", "skip_through", "pick_regularly"),
        tasks=(
            "Return a list with the first item of items and every ${k}th item after it: the items at positions 0, "
            "$k, 2 * $k and so on.",
            "Return the items at those positions of the list items (counted from 0) that are divisible by $k.",
        ),
        honest=(
            "def $name(items):\n    return items[::$k]\n",
            "def $name(items):\n    return [items[i] for i in range(0, len(items), $k)]\n",
            "def $name(items):\n    result = []\n    for i, item in enumerate(items):\n        if i % $k == 0:\n"
            "            result.append(item)\n    return result\n",
        ),
        inputs=lambda random, chosen: (integers(random, 0, 50, 4, 12),),
        choices={"k": (4, 5, 6)},
    ),
    Template(
        name="tail_backwards",
        level=1,
        parameters="items",
        names=("tail_backwards", "last_reversed", "reversed_tail"),
        tasks=(
            "Return the last $k items of the list in reverse order, the very last item first. The list has at least "
            "$k items.",
            "Given a list with at least $k items, return a list of its last $k items from the end backwards.",
        ),
        honest=(
            "def $name(items):\n    return items[-$k:][::-1]\n",
            "def $name(items):\n    return list(reversed(items))[:$k]\n",
            "def $name(items):\n    result = []\n    for i in range(1, $k + 1):\n        result.append(items[-i])\n"
            "    return result\n",
        ),
        inputs=lambda random, chosen: (integers(random, 0, 60, chosen["k"], 9),),
        choices={"k": (2, 3, 4, 5)},
    ),
    Template(
        name="scaled_spread",
        level=1,
        parameters="nums",
        names=("scaled_spread", "spread", "list_range"),
        tasks=(
            "Return $k times the difference between the largest and the smallest number in nums. The list is not "
            "empty.",
            "Subtract the smallest number of the non-empty list nums from the largest one, and return the difference "
            "multiplied by $k.",
        ),
        honest=(
            "def $name(nums):\n    return $k * (max(nums) - min(nums))\n",
            "def $name(nums):\n    ordered = sorted(nums)\n    return (ordered[-1] - ordered[0]) * $k\n",
        ),
        inputs=lambda random, chosen: (integers(random, -20, 50, 2, 8),),
        choices={"k": (2, 3, 4, 5, 10)},
    ),
    Template(
        name="letter_inside",
        level=1,
        parameters="words",
        names=("words_with_letter", "containing_letter", "find_letter"),
        tasks=(
            'Return a list of the words that contain the letter "$letter", in their original order.',
            'Given a list of lowercase words, keep those in which the letter "$letter" occurs at least once, in the '
            "same order.",
        ),
        honest=(
            "def $name(words):\n    return [w for w in words if $letter_repr in w]\n",
            "def $name(words):\n    result = []\n    for w in words:\n        if w.count($letter_repr) > 0:\n"
            "            result.append(w)\n    return result\n",
        ),
        inputs=lambda random, chosen: (words(random, 4, 8),),
        choices={"letter": ("a", "e", "i", "l", "n", "o", "r", "t")},
    ),
    Template(
        name="ends_removed",
        level=1,
        parameters="items",
        names=("trim_ends", "cut_both_ends", "inner_items"),
        tasks=(
            "Return the list without its first $a and its last $b items. It has more than $a + $b items.",
            "Remove $a items from the start and $b items from the end of the list items and return what is left. "
            "Some items always remain.",
        ),
        honest=(
            "def $name(items):\n    return items[$a:-$b]\n",
            "def $name(items):\n    return items[$a:len(items) - $b]\n",
            "def $name(items):\n    return [items[i] for i in range($a, len(items) - $b)]\n",
        ),
        inputs=lambda random, chosen: (integers(random, 0, 60, chosen["a"] + chosen["b"] + 1, 10),),
        choices={"a": (2, 3, 4), "b": (2, 3)},
    ),
    Template(
        name="small_replaced",
        level=1,
        parameters="nums",
        names=("replace_small", "raise_to_floor", "fill_small"),
        tasks=(
            "Return a new list in which every number of nums that is less than $k is replaced by $v.",
            "Copy the list nums, but put $v in the place of each number that is smaller than $k.",
        ),
        honest=(
            "def $name(nums):\n    return [$v if n < $k else n for n in nums]\n",
            "def $name(nums):\n    result = []\n    for n in nums:\n        if n < $k:\n"
            "            result.append($v)\n        else:\n            result.append(n)\n    return result\n",
        ),
        inputs=lambda random, chosen: (integers(random, -10, 20, 3, 8),),
        choices={"k": (0, 3, 5, 8), "v": (-1, 0, 99, 100)},
    ),
    Template(
        name="place_of_largest",
        level=2,
        parameters="nums",
        names=("place_of_largest", "where_is_max", "index_of_largest"),
        tasks=(
            "Return the position of the largest number in nums, counting positions from $start. If it occurs several "
            "times, use the first.",
            "Find the first place where the maximum of the non-empty list nums stands. The first item has the place "
            "number $start.",
        ),
        honest=(
            "def $name(nums):\n    return nums.index(max(nums)) + $start\n",
            "def $name(nums):\n    best = 0\n    for i in range(len(nums)):\n        if nums[i] > nums[best]:\n"
            "            best = i\n    return best + $start\n",
        ),
        inputs=lambda random, chosen: (integers(random, 0, 20, 4, 10),),
        choices={"start": (1, 5, 10, 100)},
    ),
    Template(
        name="combined_lists",
        level=2,
        parameters="a, b",
        names=("combine_lists", "add_pairwise", "mix_lists"),
        tasks=(
            "The lists a and b have the same length. Return a list with $k times the item of a plus the item of b "
            "for each position.",
            "Given two lists of numbers a and b of equal length, return the list of a[i] * $k + b[i] for every index "
            "i.",
        ),
        honest=(
            "def $name(a, b):\n    return [x * $k + y for x, y in zip(a, b)]\n",
            "def $name(a, b):\n    result = []\n    for i in range(len(a)):\n        result.append($k * a[i] + b[i])\n"
            "    return result\n",
        ),
        inputs=lambda random, chosen: tuple(
            [random.randint(-5, 15) for _ in range(n)] for n in [random.randint(2, 6)] * 2
        ),
        choices={"k": (2, 3, 4, 5, 10)},
    ),
    Template(
        name="letters_of_some_words",
        level=2,
        parameters="words",
        names=("count_letters", "letters_in_words", "total_length"),
        tasks=(
            'Return the total number of letters in those words that do not contain the letter "$letter".',
            'Add up the lengths of all words in the list words, but skip each word in which the letter "$letter" '
            "occurs.",
        ),
        honest=(
            "def $name(words):\n    return sum(len(w) for w in words if $letter_repr not in w)\n",
            "def $name(words):\n    total = 0\n    for w in words:\n        if $letter_repr in w:\n"
            "            continue\n        total += len(w)\n    return total\n",
        ),
        inputs=lambda random, chosen: (words(random, 3, 8),),
        choices={"letter": ("a", "e", "i", "l", "n", "o", "r", "t")},
    ),
    Template(
        name="fixed_length",
        level=2,
        parameters="items",
        names=("fit_length", "pad_or_cut", "fixed_length"),
        tasks=(
            "Return a list of exactly $k items: cut items after the first $k, or append $fill until there are $k "
            "items.",
            "Bring the list items to the length $k. If it is too long, drop items from the end; if it is too short, "
            "add $fill at the end.",
        ),
        honest=(
            "def $name(items):\n    return (items + [$fill] * $k)[:$k]\n",
            "def $name(items):\n    result = list(items[:$k])\n    while len(result) < $k:\n"
            "        result.append($fill)\n    return result\n",
            "def $name(items):\n    if len(items) >= $k:\n        return items[:$k]\n"
            "    return items + [$fill] * ($k - len(items))\n",
        ),
        inputs=lambda random, chosen: (integers(random, 1, 30, 1, 9),),
        choices={"k": (3, 4, 5, 6), "fill": (-1, 0, 99)},
    ),
    Template(
        name="separated",
        level=2,
        parameters="items",
        names=("put_between", "separate_items", "insert_separator"),
        tasks=(
            "Return a list with the number $k inserted between each two neighbouring items, but not at the start or "
            "the end.",
            "Put $k between all neighbours of the list items and return the new list. A list with one item stays as "
            "it is.",
        ),
        honest=(
            "def $name(items):\n    result = []\n    for i, item in enumerate(items):\n        if i > 0:\n"
            "            result.append($k)\n        result.append(item)\n    return result\n",
            "def $name(items):\n    result = []\n    for item in items:\n        result += [item, $k]\n"
            "    return result[:-1]\n",
        ),
        inputs=lambda random, chosen: (integers(random, 1, 40, 1, 7),),
        choices={"k": (-1, 0, 50, 77, 100)},
    ),
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
            "def $name(nums):\n    return sum(i * n for i, n in enumerate(nums, $start))\n",
            "def $name(nums):\n    total = 0\n    for i in range(len(nums)):\n"
            "        total += (i + $start) * nums[i]\n    return total\n",
        ),
        inputs=lambda random, chosen: (integers(random, -5, 12, 2, 7),),
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
            "def $name(nums):\n    return all(abs(a - b) <= $k for a, b in zip(nums, nums[1:]))\n",
            "def $name(nums):\n    for i in range(len(nums) - 1):\n        if abs(nums[i] - nums[i + 1]) > $k:\n"
            "            return False\n    return True\n",
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
            "def $name(items):\n    return [item for item in items for _ in range($k)] + [$end]\n",
            "def $name(items):\n    result = []\n    for item in items:\n        result.extend([item] * $k)\n"
            "    result.append($end)\n    return result\n",
        ),
        inputs=lambda random, chosen: (integers(random, 1, 30, 1, 5),),
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
            "def $name(a, b):\n    result = []\n    for x, y in zip(a, b):\n        result.append(x)\n"
            "        result.append(y + $k)\n    return result\n",
            "def $name(a, b):\n    return [value for i in range(len(a)) for value in (a[i], b[i] + $k)]\n",
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
            "def $name(items):\n    result = []\n    for item in items:\n        if result.count(item) < $k:\n"
            "            result.append(item)\n    return result\n",
            """def $name(items):
    counts = {}
    result = []
    for item in items:
        counts[item] = counts.get(item, 0) + 1
        if counts[item] <= $k:
            result.append(item)
    return result
""",
        ),
        inputs=lambda random, chosen: (integers(random, 1, 3, 6, 12),),
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
            "def $name(nums):\n    return sorted(set(nums))[$k - 1]\n",
            "def $name(nums):\n    values = []\n    for n in sorted(nums):\n        if n not in values:\n"
            "            values.append(n)\n    return values[$k - 1]\n",
            "def $name(nums):\n    rest = list(nums)\n    for _ in range($k - 1):\n        smallest = min(rest)\n"
            "        rest = [n for n in rest if n != smallest]\n    return min(rest)\n",
        ),
        inputs=lambda random, chosen: (_some_repeated(random),),
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
            "def $name(nums):\n    return [sum(nums[i : i + $k]) for i in range(0, len(nums), $k)]\n",
            "def $name(nums):\n    result = []\n    for i, n in enumerate(nums):\n        if i % $k == 0:\n"
            "            result.append(0)\n        result[-1] += n\n    return result\n",
        ),
        inputs=lambda random, chosen: (integers(random, -5, 20, 3, 10),),
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
            """def $name(nums):
    result = []
    for i in range(1, len(nums) - 1):
        if nums[i] - nums[i - 1] >= $k and nums[i] - nums[i + 1] >= $k:
            result.append(nums[i])
    return result
""",
            "def $name(nums):\n    return [b for a, b, c in zip(nums, nums[1:], nums[2:]) if b >= max(a, c) + $k]\n",
        ),
        inputs=lambda random, chosen: (integers(random, 0, 30, 6, 12),),
        choices={"k": (1, 2, 3, 4)},
    ),
)
