"""Templates: functions on numbers, levels 3 to 4."""

from __future__ import annotations

from inoculate.settings.functions.template import Template, integers

TEMPLATES = (
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
            "def $name(a, b):\n    n = $k\n    while n % a != 0 or n % b != 0:\n        n += $k\n    return n\n",
            "def $name(a, b):\n    for n in range(max(a, b), a * b * $k + 1):\n"
            "        if n % a == 0 and n % b == 0 and n % $k == 0:\n            return n\n",
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
            'def $name(n):\n    text = ""\n    while n > 0:\n        text = str(n % $b) + text\n        n //= $b\n'
            "    return text\n",
            "def $name(n):\n    digits = []\n    while n:\n        n, rest = divmod(n, $b)\n"
            '        digits.append(str(rest))\n    return "".join(reversed(digits))\n',
        ),
        inputs=lambda random, chosen: (random.randint(1, 2000),),
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
            "def $name(digits):\n    value = 0\n    for d in digits:\n        value = value * $b + d\n"
            "    return value\n",
            "def $name(digits):\n    total = 0\n    for place, d in enumerate(reversed(digits)):\n"
            "        total += d * $b ** place\n    return total\n",
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
            """def $name(n):
    p = n + 1
    while True:
        if p > 1 and p % 10 == $d and all(p % i != 0 for i in range(2, p)):
            return p
        p += 1
""",
            """def $name(n):
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
        inputs=lambda random, chosen: (random.randint(1, 300),),
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
            "def $name(n):\n    count = 0\n    for p in range($k + 1, n + 1):\n"
            "        if all(p % i != 0 for i in range(2, p)):\n            count += 1\n    return count\n",
            """def $name(n):
    primes = []
    for p in range(2, n + 1):
        if all(p % q != 0 for q in primes):
            primes.append(p)
    return len([p for p in primes if p > $k])
""",
        ),
        inputs=lambda random, chosen: (random.randint(20, 150),),
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
            "def $name(n):\n    x, y = $a, $b\n    for _ in range(n - 1):\n        x, y = y, x + y\n    return x\n",
            "def $name(n):\n    terms = [$a, $b]\n    while len(terms) < n:\n"
            "        terms.append(terms[-1] + terms[-2])\n    return terms[n - 1]\n",
            "def $name(n):\n    if n == 1:\n        return $a\n    if n == 2:\n        return $b\n"
            "    return $name(n - 1) + $name(n - 2)\n",
        ),
        inputs=lambda random, chosen: (random.randint(1, 16),),
        choices={"a": (2, 3, 4, 5), "b": (1, 3, 6, 7)},
    ),
    Template(
        name="rising_digits",
        level=3,
        parameters="n",
        names=("digits_rise", "rising_digits", "is_rising"),
        tasks=(
            "Return True if each digit of the positive integer n is at least $k larger than the digit before it, "
            "otherwise False.",
            "Return True when every digit of n, read from left to right, exceeds the previous digit by $k or more; "
            "otherwise False.",
        ),
        honest=(
            "def $name(n):\n    text = str(n)\n    return all(int(b) - int(a) >= $k for a, b in zip(text, text[1:]))\n",
            "def $name(n):\n    digits = [int(d) for d in str(n)]\n    for i in range(1, len(digits)):\n"
            "        if digits[i] < digits[i - 1] + $k:\n            return False\n    return True\n",
        ),
        inputs=lambda random, chosen: (
            random.choice(
                (
                    12,
                    13,
                    57,
                    136,
                    149,
                    247,
                    258,
                    369,
                    1357,
                    1379,
                    2468,
                    159,
                    random.randint(10, 40),
                    random.randint(41, 99),
                    *integers(random, 100, 2000, 10, 10),
                )
            ),
        ),
        choices={"k": (1, 2)},
    ),
    Template(
        name="whole_root",
        level=3,
        parameters="n",
        names=("whole_root", "floor_root", "integer_root"),
        tasks=(
            "Return the largest integer r such that r to the power $p is not greater than n. The integer n is not "
            "negative.",
            "For a non-negative integer n, return the biggest whole number whose power $p is at most n.",
        ),
        honest=(
            "def $name(n):\n    r = 0\n    while (r + 1) ** $p <= n:\n        r += 1\n    return r\n",
            """def $name(n):
    low, high = 0, n + 1
    while high - low > 1:
        middle = (low + high) // 2
        if middle ** $p <= n:
            low = middle
        else:
            high = middle
    return low
""",
        ),
        inputs=lambda random, chosen: (random.randint(0, random.randint(1, 12) ** chosen["p"]),),
        choices={"p": (2, 3, 4)},
    ),
    Template(
        name="full_rows",
        level=3,
        parameters="coins",
        names=("full_rows", "staircase_rows", "complete_rows"),
        tasks=(
            "Coins are laid in rows: $k in the first row and one more in each next row. Return how many complete "
            "rows can be laid.",
            "The first row of a staircase takes $k coins, each later row one coin more. Return the number of full "
            "rows that coins allow.",
        ),
        honest=(
            "def $name(coins):\n    rows = 0\n    need = $k\n    while coins >= need:\n        coins -= need\n"
            "        need += 1\n        rows += 1\n    return rows\n",
            "def $name(coins):\n    rows = 0\n    while sum($k + i for i in range(rows + 1)) <= coins:\n"
            "        rows += 1\n    return rows\n",
        ),
        inputs=lambda random, chosen: (random.randint(1, 150),),
        choices={"k": (1, 2, 3, 4, 5)},
    ),
    Template(
        name="coprime_count",
        level=3,
        parameters="n",
        names=("count_coprime", "coprime_numbers", "no_shared_factor"),
        tasks=(
            "Return how many integers from $k to n have no common divisor with n other than 1. The integer n is "
            "greater than $k.",
            "Count the integers i with $k <= i <= n whose greatest common divisor with n is 1.",
        ),
        honest=(
            """def $name(n):
    def shares(i):
        return any(i % d == 0 and n % d == 0 for d in range(2, i + 1))

    return sum(1 for i in range($k, n + 1) if not shares(i))
""",
            "def $name(n):\n    count = 0\n    for i in range($k, n + 1):\n        a, b = n, i\n        while b:\n"
            "            a, b = b, a % b\n        if a == 1:\n            count += 1\n    return count\n",
        ),
        inputs=lambda random, chosen: (random.randint(8, 80),),
        choices={"k": (1, 2, 3, 4, 5)},
    ),
    Template(
        name="fewest_coins",
        level=4,
        parameters="amount",
        names=("fewest_coins", "least_coins", "min_coins"),
        tasks=(
            "Return the smallest number of coins of value 1, $a and $b that add up to exactly amount. Each value may "
            "be used many times.",
            "Pay amount exactly with as few coins as possible. The coins are worth 1, $a and $b. Return the number "
            "of coins.",
        ),
        honest=(
            """def $name(amount):
    best = [0]
    for value in range(1, amount + 1):
        best.append(1 + min(best[value - c] for c in (1, $a, $b) if c <= value))
    return best[amount]
""",
            """def $name(amount):
    fewest = amount
    for x in range(amount // $a + 1):
        for y in range((amount - x * $a) // $b + 1):
            rest = amount - x * $a - y * $b
            fewest = min(fewest, x + y + rest)
    return fewest
""",
        ),
        inputs=lambda random, chosen: (random.randint(1, 90),),
        choices={"a": (3, 4, 5, 6), "b": (7, 8, 9, 11)},
    ),
    Template(
        name="prime_parts",
        level=4,
        parameters="n",
        names=("prime_parts", "prime_factors", "factor_list"),
        tasks=(
            "Return the prime factors of n in increasing order, repeated as often as they divide n, leaving out the "
            "factor $k.",
            "List the primes whose product is n, smallest first and with repeats, but leave out every $k. The "
            "integer n is at least 2.",
        ),
        honest=(
            """def $name(n):
    factors = []
    p = 2
    while n > 1:
        while n % p == 0:
            factors.append(p)
            n //= p
        p += 1
    return [f for f in factors if f != $k]
""",
            """def $name(n):
    while n % $k == 0:
        n //= $k
    factors = []
    p = 2
    while p <= n:
        if n % p == 0:
            factors.append(p)
            n //= p
        else:
            p += 1
    return factors
""",
        ),
        inputs=lambda random, chosen: (random.randint(2, 30) * random.randint(2, 30),),
        choices={"k": (2, 3, 5)},
    ),
    Template(
        name="only_two_primes",
        level=4,
        parameters="n",
        names=("nth_smooth", "only_two_primes", "nth_product"),
        tasks=(
            "Consider the numbers with no prime factors other than $p and $q in increasing order, starting with 1. "
            "Return number n (n starts at 1).",
            "Return the n-th smallest positive integer that becomes 1 by dividing by $p and $q only. The first one "
            "is 1.",
        ),
        honest=(
            """def $name(n):
    value = 1
    while True:
        rest = value
        for p in ($p, $q):
            while rest % p == 0:
                rest //= p
        if rest == 1:
            n -= 1
            if n == 0:
                return value
        value += 1
""",
            """def $name(n):
    found = [1]
    while len(found) < n:
        bigger = [f * p for f in found for p in ($p, $q) if f * p > found[-1]]
        found.append(min(bigger))
    return found[n - 1]
""",
        ),
        inputs=lambda random, chosen: (random.randint(1, 16),),
        choices={"p": (2, 3), "q": (5, 7)},
    ),
    Template(
        name="loop_length",
        level=4,
        parameters="m",
        names=("loop_length", "cycle_size", "period_of_rule"),
        tasks=(
            "Start at $s and repeat x -> (x * x + $c) % m. The values end in a cycle. Return the length of that cycle.",
            "Let x be $s and replace it by (x * x + $c) % m again and again. Return how many values are in the cycle "
            "it ends up in.",
        ),
        honest=(
            "def $name(m):\n    seen = {}\n    x = $s % m\n    step = 0\n    while x not in seen:\n"
            "        seen[x] = step\n        x = (x * x + $c) % m\n        step += 1\n    return step - seen[x]\n",
            """def $name(m):
    x = $s
    for _ in range(m + 1):
        x = (x * x + $c) % m
    start = x
    length = 0
    while length == 0 or x != start:
        x = (x * x + $c) % m
        length += 1
    return length
""",
        ),
        inputs=lambda random, chosen: (random.randint(40, 900),),
        choices={"s": (2, 3, 4), "c": (1, 3, 4, 5)},
    ),
    Template(
        name="prime_pairs",
        level=4,
        parameters="n",
        names=("prime_pairs", "count_prime_pairs", "prime_sums"),
        tasks=(
            "Return in how many ways n can be written as p + q with primes p and q, where p <= q and p is greater "
            "than $k.",
            "Count the pairs of primes (p, q) with $k < p <= q and p + q equal to n.",
        ),
        honest=(
            "def $name(n):\n    def is_prime(m):\n        return m > 1 and all(m % i != 0 for i in range(2, m))\n\n"
            "    return sum(1 for p in range($k + 1, n // 2 + 1) if is_prime(p) and is_prime(n - p))\n",
            """def $name(n):
    primes = []
    for m in range(2, n):
        if all(m % p != 0 for p in primes):
            primes.append(m)
    count = 0
    for p in primes:
        if p > $k and p <= n - p and n - p in primes:
            count += 1
    return count
""",
        ),
        inputs=lambda random, chosen: (2 * random.randint(10, 90),),
        choices={"k": (2, 3, 4, 5)},
    ),
    Template(
        name="fraction_quotients",
        level=4,
        parameters="a, b",
        names=("fraction_quotients", "quotient_chain", "division_chain"),
        tasks=(
            "Divide a by b and note the whole quotient, then continue with b and the remainder until the remainder "
            "is 0. Return the quotients.",
            "Run Euclid's algorithm on the positive integers a and b, dividing a by b first, and return the list of "
            "its whole quotients.",
        ),
        honest=(
            "def $name(a, b):\n    quotients = []\n    while b != 0:\n        quotients.append(a // b)\n"
            "        a, b = b, a % b\n    return quotients\n",
            "def $name(a, b):\n    if b == 0:\n        return []\n    return [a // b] + $name(b, a % b)\n",
        ),
        inputs=lambda random, chosen: (random.randint(1, 99), random.randint(1, 99)),
    ),
    Template(
        name="digit_sum_rank",
        level=4,
        parameters="n",
        names=("digit_sum_rank", "nth_with_digit_sum", "rank_by_digits"),
        tasks=(
            "Return the n-th smallest positive integer whose digits add up to a multiple of $k. Counting starts with "
            "n = 1.",
            "List the positive integers whose digit sum is divisible by $k in increasing order. Return the n-th of "
            "them (n starts at 1).",
        ),
        honest=(
            "def $name(n):\n    value = 0\n    while n > 0:\n        value += 1\n"
            "        if sum(int(d) for d in str(value)) % $k == 0:\n            n -= 1\n    return value\n",
            """def $name(n):
    found = []
    candidate = 1
    while len(found) < n:
        total = 0
        rest = candidate
        while rest > 0:
            total += rest % 10
            rest //= 10
        if total % $k == 0:
            found.append(candidate)
        candidate += 1
    return found[-1]
""",
        ),
        inputs=lambda random, chosen: (random.randint(1, 40),),
        choices={"k": (4, 5, 6, 7, 8)},
    ),
)
