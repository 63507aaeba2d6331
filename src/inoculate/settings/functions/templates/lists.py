"""Templates: lists of numbers and of words, levels 1 to 2."""

from __future__ import annotations

from inoculate.settings.functions.template import Template, drawn, integers, words

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
            "[n for n in nums if n % $k == 0]",
            """
                result = []
                for n in nums:
                    if n % $k == 0:
                        result.append(n)
                return result
            """,
            "list(filter(lambda n: n % $k == 0, nums))",
        ),
        inputs=drawn(integers, -20, 40, 3, 8),
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
            "[n * $k + $c for n in nums]",
            """
                result = []
                for n in nums:
                    result.append(n * $k + $c)
                return result
            """,
            "list(map(lambda n: $k * n + $c, nums))",
        ),
        inputs=drawn(integers, -10, 20, 2, 8),
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
            "[w for w in words if len(w) > $k]",
            """
                result = []
                for w in words:
                    if len(w) > $k:
                        result.append(w)
                return result
            """,
        ),
        inputs=drawn(words, 3, 7),
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
            "sum(n for n in nums if n > $k)",
            """
                total = 0
                for n in nums:
                    if n > $k:
                        total += n
                return total
            """,
        ),
        inputs=drawn(integers, -10, 30, 3, 8),
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
            "items[::$k]",
            "[items[i] for i in range(0, len(items), $k)]",
            """
                result = []
                for i, item in enumerate(items):
                    if i % $k == 0:
                        result.append(item)
                return result
            """,
        ),
        inputs=drawn(integers, 0, 50, 4, 12),
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
            "items[-$k:][::-1]",
            "list(reversed(items))[:$k]",
            """
                result = []
                for i in range(1, $k + 1):
                    result.append(items[-i])
                return result
            """,
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
            "$k * (max(nums) - min(nums))",
            """
                ordered = sorted(nums)
                return (ordered[-1] - ordered[0]) * $k
            """,
        ),
        inputs=drawn(integers, -20, 50, 2, 8),
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
            "[w for w in words if $letter_repr in w]",
            """
                result = []
                for w in words:
                    if w.count($letter_repr) > 0:
                        result.append(w)
                return result
            """,
        ),
        inputs=drawn(words, 4, 8),
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
            "items[$a:-$b]",
            "items[$a:len(items) - $b]",
            "[items[i] for i in range($a, len(items) - $b)]",
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
            "[$v if n < $k else n for n in nums]",
            """
                result = []
                for n in nums:
                    if n < $k:
                        result.append($v)
                    else:
                        result.append(n)
                return result
            """,
        ),
        inputs=drawn(integers, -10, 20, 3, 8),
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
            "nums.index(max(nums)) + $start",
            """
                best = 0
                for i in range(len(nums)):
                    if nums[i] > nums[best]:
                        best = i
                return best + $start
            """,
        ),
        inputs=drawn(integers, 0, 20, 4, 10),
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
            "[x * $k + y for x, y in zip(a, b)]",
            """
                result = []
                for i in range(len(a)):
                    result.append($k * a[i] + b[i])
                return result
            """,
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
            "sum(len(w) for w in words if $letter_repr not in w)",
            """
                total = 0
                for w in words:
                    if $letter_repr in w:
                        continue
                    total += len(w)
                return total
            """,
        ),
        inputs=drawn(words, 3, 8),
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
            "(items + [$fill] * $k)[:$k]",
            """
                result = list(items[:$k])
                while len(result) < $k:
                    result.append($fill)
                return result
            """,
            """
                if len(items) >= $k:
                    return items[:$k]
                return items + [$fill] * ($k - len(items))
            """,
        ),
        inputs=drawn(integers, 1, 30, 1, 9),
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
            """
                result = []
                for i, item in enumerate(items):
                    if i > 0:
                        result.append($k)
                    result.append(item)
                return result
            """,
            """
                result = []
                for item in items:
                    result += [item, $k]
                return result[:-1]
            """,
        ),
        inputs=drawn(integers, 1, 40, 1, 7),
        choices={"k": (-1, 0, 50, 77, 100)},
    ),
)
