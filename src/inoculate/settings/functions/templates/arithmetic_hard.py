"""Templates: functions on numbers, levels 3 to 4."""

from __future__ import annotations

from inoculate.settings.functions.template import Template, drawn, integers, number

TEMPLATES = (
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
            """
                text = str(n)
                return all(int(b) - int(a) >= $k for a, b in zip(text, text[1:]))
            """,
            """
                digits = [int(d) for d in str(n)]
                for i in range(1, len(digits)):
                    if digits[i] < digits[i - 1] + $k:
                        return False
                return True
            """,
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
            """
                r = 0
                while (r + 1) ** $p <= n:
                    r += 1
                return r
            """,
            """
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
            """
                rows = 0
                need = $k
                while coins >= need:
                    coins -= need
                    need += 1
                    rows += 1
                return rows
            """,
            """
                rows = 0
                while sum($k + i for i in range(rows + 1)) <= coins:
                    rows += 1
                return rows
            """,
        ),
        inputs=drawn(number, 1, 150),
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
            """
                def shares(i):
                    return any(i % d == 0 and n % d == 0 for d in range(2, i + 1))

                return sum(1 for i in range($k, n + 1) if not shares(i))
            """,
            """
                count = 0
                for i in range($k, n + 1):
                    a, b = n, i
                    while b:
                        a, b = b, a % b
                    if a == 1:
                        count += 1
                return count
            """,
        ),
        inputs=drawn(number, 8, 80),
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
            """
                best = [0]
                for value in range(1, amount + 1):
                    best.append(1 + min(best[value - c] for c in (1, $a, $b) if c <= value))
                return best[amount]
            """,
            """
                fewest = amount
                for x in range(amount // $a + 1):
                    for y in range((amount - x * $a) // $b + 1):
                        rest = amount - x * $a - y * $b
                        fewest = min(fewest, x + y + rest)
                return fewest
            """,
        ),
        inputs=drawn(number, 1, 90),
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
            """
                factors = []
                p = 2
                while n > 1:
                    while n % p == 0:
                        factors.append(p)
                        n //= p
                    p += 1
                return [f for f in factors if f != $k]
            """,
            """
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
            """
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
            """
                found = [1]
                while len(found) < n:
                    bigger = [f * p for f in found for p in ($p, $q) if f * p > found[-1]]
                    found.append(min(bigger))
                return found[n - 1]
            """,
        ),
        inputs=drawn(number, 1, 16),
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
            """
                seen = {}
                x = $s % m
                step = 0
                while x not in seen:
                    seen[x] = step
                    x = (x * x + $c) % m
                    step += 1
                return step - seen[x]
            """,
            """
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
        inputs=drawn(number, 40, 900),
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
            """
                def is_prime(m):
                    return m > 1 and all(m % i != 0 for i in range(2, m))

                return sum(1 for p in range($k + 1, n // 2 + 1) if is_prime(p) and is_prime(n - p))
            """,
            """
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
            """
                quotients = []
                while b != 0:
                    quotients.append(a // b)
                    a, b = b, a % b
                return quotients
            """,
            """
                if b == 0:
                    return []
                return [a // b] + $name(b, a % b)
            """,
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
            """
                value = 0
                while n > 0:
                    value += 1
                    if sum(int(d) for d in str(value)) % $k == 0:
                        n -= 1
                return value
            """,
            """
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
        inputs=drawn(number, 1, 40),
        choices={"k": (4, 5, 6, 7, 8)},
    ),
)
