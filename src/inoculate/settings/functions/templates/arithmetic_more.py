"""Templates: functions on numbers, levels 2 to 3."""

from __future__ import annotations

from inoculate.settings.functions.template import Template, drawn, integers, number

TEMPLATES = (
    Template(
        name="sign_formula",
        level=2,
        parameters="n",
        names=("sign_formula", "transform_by_sign", "piecewise_value"),
        tasks=(
            "Return $k times n if n is negative, n squared if n is from 0 to $m, and n plus $c if n is greater than "
            "$m.",
            "For a negative n return n * $k. For n between 0 and $m (both included) return n * n. For a larger n "
            "return n + $c.",
        ),
        honest=(
            """
                if n < 0:
                    return $k * n
                if n <= $m:
                    return n * n
                return n + $c
            """,
            """
                if n > $m:
                    result = n + $c
                elif n >= 0:
                    result = n ** 2
                else:
                    result = n * $k
                return result
            """,
        ),
        inputs=drawn(number, -20, 30),
        choices={"k": (-2, -1, 2, 3), "m": (8, 10, 12), "c": (1, 5, 7, 100)},
    ),
    Template(
        name="reversed_plus",
        level=2,
        parameters="n",
        names=("reverse_and_add", "reversed_plus", "flip_digits"),
        tasks=(
            "Reverse the decimal digits of the positive integer n, and return the resulting number plus $k.",
            "Write the digits of the positive integer n backwards, read them as an integer, and return that integer "
            "increased by $k.",
        ),
        honest=(
            "int(str(n)[::-1]) + $k",
            """
                result = 0
                while n > 0:
                    result = result * 10 + n % 10
                    n //= 10
                return result + $k
            """,
        ),
        inputs=drawn(number, 1, 99999),
        choices={"k": (1, 2, 5, 10, 100)},
    ),
    Template(
        name="power_below",
        level=2,
        parameters="n",
        names=("power_below", "largest_power", "biggest_power"),
        tasks=(
            "Return the largest power of $b that is not greater than n. The powers of $b are 1, $b, $b * $b and so "
            "on; n is at least 1.",
            "Return the biggest number that is $b to the power 0, 1, 2, ... and at most the positive integer n.",
        ),
        honest=(
            """
                power = 1
                while power * $b <= n:
                    power *= $b
                return power
            """,
            """
                exponent = 0
                while $b ** (exponent + 1) <= n:
                    exponent += 1
                return $b ** exponent
            """,
        ),
        inputs=lambda random, chosen: (random.randint(1, chosen["b"] ** random.randint(1, 7)),),
        choices={"b": (2, 3, 4, 5, 6, 7)},
    ),
    Template(
        name="times_divisible",
        level=2,
        parameters="n",
        names=("times_divisible", "count_divisions", "how_often_divisible"),
        tasks=(
            "Return how many times the positive integer n can be divided by $k in a row without a remainder.",
            "Return the largest e such that $k to the power e divides the positive integer n.",
        ),
        honest=(
            """
                count = 0
                while n % $k == 0:
                    n //= $k
                    count += 1
                return count
            """,
            """
                e = 0
                while n % $k ** (e + 1) == 0:
                    e += 1
                return e
            """,
        ),
        inputs=lambda random, chosen: (chosen["k"] ** random.randint(0, 5) * random.randint(1, 20),),
        choices={"k": (2, 3, 5, 6, 7)},
    ),
    Template(
        name="alternating_series",
        level=2,
        parameters="n",
        names=("alternating_series", "plus_minus", "alternate_sum"),
        tasks=(
            "Return $k * (1 - 2 + 3 - 4 + ...) with n terms in the brackets: odd numbers are added, even numbers "
            "subtracted.",
            "Add the odd numbers and subtract the even numbers from 1 to n, then multiply the result by $k and "
            "return it.",
        ),
        honest=(
            """
                total = 0
                for i in range(1, n + 1):
                    if i % 2 == 1:
                        total += i
                    else:
                        total -= i
                return total * $k
            """,
            "$k * sum(i if i % 2 else -i for i in range(1, n + 1))",
        ),
        inputs=drawn(number, 1, 60),
        choices={"k": (2, 3, 4, 5)},
    ),
    Template(
        name="multiples_between",
        level=2,
        parameters="low, high",
        names=("multiples_between", "count_multiples", "how_many_multiples"),
        tasks=(
            "Return how many multiples of $k there are from low to high, both included. Both are positive and low is "
            "not greater than high.",
            "Count the integers between low and high (both ends included, 0 < low <= high) that are divisible by $k.",
        ),
        honest=(
            "sum(1 for n in range(low, high + 1) if n % $k == 0)",
            "high // $k - (low - 1) // $k",
            """
                count = 0
                for n in range(low, high + 1):
                    if n % $k == 0:
                        count += 1
                return count
            """,
        ),
        inputs=lambda random, chosen: (random.randint(1, 40), random.randint(40, 120)),
        choices={"k": (3, 4, 5, 6, 7, 8, 9)},
    ),
    Template(
        name="repeated_step",
        level=2,
        parameters="x, steps",
        names=("repeated_step", "iterate_rule", "run_machine"),
        tasks=(
            "Replace x by the remainder of (x * $m + $c) divided by $q, steps times in a row, and return the final x.",
            "A machine turns x into (x * $m + $c) % $q. Return the value after the machine was used steps times.",
        ),
        honest=(
            """
                for _ in range(steps):
                    x = (x * $m + $c) % $q
                return x
            """,
            """
                while steps > 0:
                    x = ($m * x + $c) % $q
                    steps -= 1
                return x
            """,
        ),
        inputs=lambda random, chosen: (random.randint(0, 100), random.randint(1, 8)),
        choices={"m": (3, 5, 7), "c": (1, 2, 4), "q": (41, 53, 97, 101)},
    ),
    Template(
        name="repeated_digit_sum",
        level=3,
        parameters="n",
        names=("repeated_digit_sum", "shrink_number", "collapse_digits"),
        tasks=(
            "While n is at least $limit, replace n by the sum of its digits. Return the final n. The integer n is "
            "positive.",
            "Keep replacing the positive integer n by the sum of its decimal digits until it is less than $limit, "
            "then return it.",
        ),
        honest=(
            """
                while n >= $limit:
                    n = sum(int(d) for d in str(n))
                return n
            """,
            """
                if n < $limit:
                    return n
                total = 0
                for d in str(n):
                    total += int(d)
                return $name(total)
            """,
        ),
        inputs=drawn(number, 1, 999999),
        choices={"limit": (10, 12, 15, 20)},
    ),
    Template(
        name="common_multiple",
        level=3,
        parameters="a, b",
        names=("common_multiple", "smallest_shared", "smallest_common"),
        tasks=(
            "Return the smallest positive integer that is divisible by a, by b and by $k. Both a and b are positive.",
            "Return the least common multiple of the positive integers a and b and the number $k.",
        ),
        honest=(
            """
                n = $k
                while n % a != 0 or n % b != 0:
                    n += $k
                return n
            """,
            """
                for n in range(max(a, b), a * b * $k + 1):
                    if n % a == 0 and n % b == 0 and n % $k == 0:
                        return n
            """,
        ),
        inputs=lambda random, chosen: (random.randint(2, 24), random.randint(2, 24)),
        choices={"k": (2, 3, 4, 5, 6, 10)},
    ),
    Template(
        name="base_digits_text",
        level=3,
        parameters="n",
        names=("to_base", "write_in_base", "number_in_base"),
        tasks=(
            "Return the positive integer n written in base $b, as a string of digits without leading zeros.",
            "Convert the positive integer n to base $b and return its digits as a string, most significant digit "
            "first.",
        ),
        honest=(
            """
                text = ""
                while n > 0:
                    text = str(n % $b) + text
                    n //= $b
                return text
            """,
            """
                digits = []
                while n:
                    n, rest = divmod(n, $b)
                    digits.append(str(rest))
                return "".join(reversed(digits))
            """,
        ),
        inputs=drawn(number, 1, 2000),
        choices={"b": (2, 3, 4, 5, 6, 7, 8, 9)},
    ),
    Template(
        name="number_from_base",
        level=3,
        parameters="digits",
        names=("from_base", "value_of_digits", "read_in_base"),
        tasks=(
            "The list digits holds the digits of a number in base $b, most significant first. Return the number as "
            "an integer.",
            "Return the value of a number that is written in base $b. Its digits are given as a list of integers, "
            "highest place first.",
        ),
        honest=(
            """
                value = 0
                for d in digits:
                    value = value * $b + d
                return value
            """,
            """
                total = 0
                for place, d in enumerate(reversed(digits)):
                    total += d * $b ** place
                return total
            """,
        ),
        inputs=lambda random, chosen: (integers(random, 0, chosen["b"] - 1, 2, 7),),
        choices={"b": (2, 3, 4, 5, 6, 7, 8, 9)},
    ),
    Template(
        name="prime_with_ending",
        level=3,
        parameters="n",
        names=("next_prime_ending", "prime_with_ending", "find_prime"),
        tasks=(
            "Return the smallest prime number greater than n whose last digit is $d.",
            "Find the first prime after n that ends in the digit $d, and return it.",
        ),
        honest=(
            """
                p = n + 1
                while True:
                    if p > 1 and p % 10 == $d and all(p % i != 0 for i in range(2, p)):
                        return p
                    p += 1
            """,
            """
                def is_prime(m):
                    if m < 2:
                        return False
                    for i in range(2, int(m ** 0.5) + 1):
                        if m % i == 0:
                            return False
                    return True

                candidate = n + 1
                while candidate % 10 != $d or not is_prime(candidate):
                    candidate += 1
                return candidate
            """,
        ),
        inputs=drawn(number, 1, 300),
        choices={"d": (1, 3, 7, 9)},
    ),
    Template(
        name="primes_up_to",
        level=3,
        parameters="n",
        names=("count_primes", "primes_up_to", "number_of_primes"),
        tasks=(
            "Return how many prime numbers are greater than $k and not greater than n.",
            "Count the primes p with $k < p <= n.",
        ),
        honest=(
            """
                count = 0
                for p in range($k + 1, n + 1):
                    if all(p % i != 0 for i in range(2, p)):
                        count += 1
                return count
            """,
            """
                primes = []
                for p in range(2, n + 1):
                    if all(p % q != 0 for q in primes):
                        primes.append(p)
                return len([p for p in primes if p > $k])
            """,
        ),
        inputs=drawn(number, 20, 150),
        choices={"k": (2, 3, 5, 7, 10)},
    ),
    Template(
        name="adding_sequence",
        level=3,
        parameters="n",
        names=("adding_sequence", "sequence_term", "nth_term"),
        tasks=(
            "A sequence starts with $a and $b, and each further term is the sum of the two before it. Return term n; "
            "$a is term 1.",
            "The first two terms are $a and $b. Every later term adds the two previous terms. Return the n-th term "
            "(n starts at 1).",
        ),
        honest=(
            """
                x, y = $a, $b
                for _ in range(n - 1):
                    x, y = y, x + y
                return x
            """,
            """
                terms = [$a, $b]
                while len(terms) < n:
                    terms.append(terms[-1] + terms[-2])
                return terms[n - 1]
            """,
            """
                if n == 1:
                    return $a
                if n == 2:
                    return $b
                return $name(n - 1) + $name(n - 2)
            """,
        ),
        inputs=drawn(number, 1, 16),
        choices={"a": (2, 3, 4, 5), "b": (1, 3, 6, 7)},
    ),
)
