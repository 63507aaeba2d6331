"""Templates: loops with state, levels 1 to 2."""

from __future__ import annotations

from inoculate.settings.functions.template import Template, drawn, integers, letters, number

TEMPLATES = (
    Template(
        name="final_balance",
        level=1,
        parameters="moves",
        names=("final_balance", "end_balance", "apply_moves"),
        tasks=(
            "An account starts with $start. Add every number in moves (some are negative) and return the final"
            " balance.",
            "Return $start plus all the numbers in moves.",
        ),
        honest=(
            "$start + sum(moves)",
            """
                balance = $start
                for move in moves:
                    balance += move
                return balance
            """,
        ),
        inputs=drawn(integers, -30, 40, 0, 7),
        choices={"start": (10, 50, 100, 200, 1000)},
    ),
    Template(
        name="ring_position",
        level=1,
        parameters="steps",
        names=("ring_position", "walk_ring", "final_seat"),
        tasks=(
            "A token starts at place 0 of a ring with places 0 to $last. It moves forward by each number in steps."
            " Return its final place.",
            "On a circle the places 0 to $last follow each other and then 0 comes again. Start at 0, go forward by"
            " every number in steps, return the place.",
        ),
        honest=(
            "sum(steps) % ($last + 1)",
            """
                place = 0
                for step in steps:
                    place = (place + step) % ($last + 1)
                return place
            """,
        ),
        inputs=drawn(integers, 1, 12, 2, 7),
        choices={"last": (6, 7, 9, 11, 15)},
    ),
    Template(
        name="countdown_list",
        level=1,
        parameters="n",
        names=("countdown", "count_down", "down_list"),
        tasks=(
            "Return the list that counts down from n in steps of $step while the numbers are at least $end.",
            "Return the list [n, n - $step, ...] that stops before a number gets smaller than $end.",
        ),
        honest=(
            "list(range(n, $end - 1, -$step))",
            """
                result = []
                while n >= $end:
                    result.append(n)
                    n -= $step
                return result
            """,
        ),
        inputs=lambda random, chosen: (random.randint(chosen["end"], 40),),
        choices={"step": (3, 4, 5, 6), "end": (0, 1, 2, 3)},
    ),
    Template(
        name="change_between_readings",
        level=1,
        parameters="readings",
        names=("daily_use", "usage_costs", "costs_per_day"),
        tasks=(
            "Return a list with the increase from each meter reading to the next, times $price.",
            "readings is a sorted list. For each pair of neighbours return (second - first) * $price, as a list.",
        ),
        honest=(
            "[(b - a) * $price for a, b in zip(readings, readings[1:])]",
            """
                result = []
                for i in range(1, len(readings)):
                    result.append((readings[i] - readings[i - 1]) * $price)
                return result
            """,
        ),
        inputs=lambda random, chosen: (sorted(integers(random, 0, 90, 2, 7)),),
        choices={"price": (2, 3, 4, 5, 10)},
    ),
    Template(
        name="add_and_take_away",
        level=1,
        parameters="nums",
        names=("swing_sum", "alternate_sum", "plus_minus"),
        tasks=(
            "Starting from $start, add the first number of nums, subtract the second, add the third, and so on. Return"
            " the result.",
            "Return $start plus the numbers at indexes 0, 2, 4, ... of nums minus the numbers at indexes 1, 3, 5, ...",
        ),
        honest=(
            "$start + sum(nums[::2]) - sum(nums[1::2])",
            """
                total = $start
                sign = 1
                for n in nums:
                    total += sign * n
                    sign = -sign
                return total
            """,
        ),
        inputs=drawn(integers, 0, 20, 0, 8),
        choices={"start": (2, 5, 10, 50)},
    ),
    Template(
        name="robot_on_line",
        level=1,
        parameters="commands",
        names=("robot_position", "walk_line", "end_position"),
        tasks=(
            "A robot starts at $start. Each 'R' in the string commands moves it by +$right, each 'L' by -$left. Return"
            " where it ends.",
            "Return $start plus $right for every 'R' minus $left for every 'L' in the string commands.",
        ),
        honest=(
            "$start + $right * commands.count('R') - $left * commands.count('L')",
            """
                position = $start
                for c in commands:
                    if c == 'R':
                        position += $right
                    else:
                        position -= $left
                return position
            """,
        ),
        inputs=drawn(letters, 1, 12, "LR"),
        choices={"start": (2, 3, 10), "right": (2, 3, 4), "left": (1, 5)},
    ),
    Template(
        name="wall_of_bricks",
        level=1,
        parameters="rows",
        names=("count_bricks", "bricks_needed", "wall_bricks"),
        tasks=(
            "The first row of a wall has $first bricks, each further row $more bricks more than the row before. Return"
            " the total number of bricks of the wall with the given number of rows.",
            "Add up rows numbers, of which the first is $first and each next one is $more larger. Return the sum.",
        ),
        honest=(
            "sum($first + $more * i for i in range(rows))",
            "rows * $first + $more * rows * (rows - 1) // 2",
            """
                total = 0
                bricks = $first
                for _ in range(rows):
                    total += bricks
                    bricks += $more
                return total
            """,
        ),
        inputs=drawn(number, 0, 40),
        choices={"first": (1, 3, 4, 10), "more": (2, 3, 5)},
    ),
    Template(
        name="departure_times",
        level=1,
        parameters="first, buses",
        names=("departures", "bus_times", "timetable"),
        tasks=(
            "The first bus leaves at minute first, the next ones every $gap minutes. Return the list of the minutes of"
            " all buses, buses in number.",
            "Return a list of buses numbers that starts with first and in which each number is $gap more than the one"
            " before.",
        ),
        honest=(
            "[first + $gap * i for i in range(buses)]",
            """
                times = []
                while len(times) < buses:
                    times.append(first)
                    first += $gap
                return times
            """,
        ),
        inputs=lambda random, chosen: (random.randint(0, 30), random.randint(1, 7)),
        choices={"gap": (5, 7, 10, 12, 15)},
    ),
    Template(
        name="totals_so_far",
        level=2,
        parameters="nums",
        names=("running_totals", "totals_so_far", "balances"),
        tasks=(
            "Starting from $start, add the numbers of nums one by one and return the list of totals after each"
            " addition.",
            "Return a list whose i-th element is $start plus the sum of nums up to and including the i-th number.",
        ),
        honest=(
            """
                total = $start
                totals = []
                for n in nums:
                    total += n
                    totals.append(total)
                return totals
            """,
            "[$start + sum(nums[:i + 1]) for i in range(len(nums))]",
        ),
        inputs=drawn(integers, -9, 20, 1, 7),
        choices={"start": (3, 5, 10, 100)},
    ),
    Template(
        name="refused_withdrawals",
        level=2,
        parameters="moves",
        names=("safe_balance", "no_debt", "wallet"),
        tasks=(
            "A wallet starts with $start. Add each number in moves in turn, but skip a number that would make it"
            " negative. Return the final amount.",
            "Begin with $start and go through moves: add each number unless the result would be below 0. Return the"
            " end value.",
        ),
        honest=(
            """
                amount = $start
                for move in moves:
                    if amount + move >= 0:
                        amount += move
                return amount
            """,
            """
                amount = $start
                for move in moves:
                    new = amount + move
                    amount = amount if new < 0 else new
                return amount
            """,
        ),
        inputs=drawn(integers, -25, 15, 3, 8),
        choices={"start": (0, 5, 10, 20)},
    ),
    Template(
        name="tank_with_limits",
        level=2,
        parameters="changes",
        names=("tank_level", "water_level", "fill_tank"),
        tasks=(
            "A tank holds $start litres of at most $cap. Apply each change in turn; the level never goes below 0 or"
            " above $cap. Return the final level.",
            "Start at $start. For every number in changes add it, then replace a result below 0 by 0 and one above"
            " $cap by $cap. Return the result.",
        ),
        honest=(
            """
                level = $start
                for change in changes:
                    level = max(0, min($cap, level + change))
                return level
            """,
            """
                level = $start
                for change in changes:
                    level += change
                    if level < 0:
                        level = 0
                    elif level > $cap:
                        level = $cap
                return level
            """,
        ),
        inputs=drawn(integers, -15, 15, 3, 7),
        choices={"start": (5, 10, 15), "cap": (20, 25, 30)},
    ),
    Template(
        name="steps_until_large",
        level=2,
        parameters="n",
        names=("growth_steps", "years_needed", "rounds_to_limit"),
        tasks=(
            "n is positive. Each round n becomes $factor * n + $plus. Return the first value that is at least $limit"
            " (n itself if it already is).",
            "While the positive integer n is below $limit, replace it by $factor times n plus $plus. Return n.",
        ),
        honest=(
            """
                while n < $limit:
                    n = $factor * n + $plus
                return n
            """,
            """
                if n >= $limit:
                    return n
                return $name($factor * n + $plus)
            """,
        ),
        inputs=lambda random, chosen: (random.randint(1, chosen["limit"] + 10),),
        choices={"factor": (2, 3), "plus": (1, 2, 3), "limit": (30, 50, 70)},
    ),
    Template(
        name="steps_down_to_zero",
        level=2,
        parameters="n",
        names=("steps_to_zero", "count_steps", "moves_to_zero"),
        tasks=(
            "Count steps until n is 0: if n is divisible by $k, divide it by $k, otherwise subtract 1. Return the"
            " count. n is not negative.",
            "As long as n > 0, do one step: n // $k when n is a multiple of $k, else n - 1. Return how many steps it"
            " takes.",
        ),
        honest=(
            """
                steps = 0
                while n > 0:
                    if n % $k == 0:
                        n //= $k
                    else:
                        n -= 1
                    steps += 1
                return steps
            """,
            """
                if n == 0:
                    return 0
                if n % $k == 0:
                    return 1 + $name(n // $k)
                return 1 + $name(n - 1)
            """,
        ),
        inputs=drawn(number, 0, 90),
        choices={"k": (2, 3, 4, 5)},
    ),
    Template(
        name="count_with_reset",
        level=2,
        parameters="events",
        names=("count_with_reset", "counter_value", "final_counter"),
        tasks=(
            "A counter starts at $start. In the string events each '+' adds $step and each 'r' sets the counter back"
            " to 0. Return its final value.",
            "Read the string events: '+' raises a counter by $step, 'r' makes it 0. The counter begins at $start."
            " Return the counter.",
        ),
        honest=(
            """
                counter = $start
                for event in events:
                    if event == '+':
                        counter += $step
                    else:
                        counter = 0
                return counter
            """,
            """
                if 'r' not in events:
                    return $start + $step * len(events)
                return $step * len(events.split('r')[-1])
            """,
        ),
        inputs=drawn(letters, 2, 12, "+++++++r"),
        choices={"start": (1, 4, 7, 10), "step": (1, 2, 3, 5)},
    ),
    Template(
        name="day_goal_reached",
        level=2,
        parameters="savings",
        names=("goal_day", "day_reached", "first_day"),
        tasks=(
            "savings is what is saved each day, starting with day 1. Return the first day on which the total is at"
            " least $goal, or $never if that never happens.",
            "Add up the list savings from the left. Return how many numbers are needed for a sum of $goal or more, or"
            " $never if all are not enough.",
        ),
        honest=(
            """
                total = 0
                for day, amount in enumerate(savings, start=1):
                    total += amount
                    if total >= $goal:
                        return day
                return $never
            """,
            """
                for i in range(len(savings)):
                    if sum(savings[:i + 1]) >= $goal:
                        return i + 1
                return $never
            """,
        ),
        inputs=lambda random, chosen: (integers(random, 1, random.choice((6, 9, 14, 25)), 5, 9),),
        choices={"goal": (20, 25, 30), "never": (-1, 0, None)},
    ),
    Template(
        name="lowest_balance",
        level=2,
        parameters="moves",
        names=("lowest_balance", "low_point", "minimum_reached"),
        tasks=(
            "An account starts with $start and the moves are added one after another. Return the lowest balance ever"
            " held, including the start.",
            "Begin with $start and add the numbers in moves in turn. Return the smallest value seen, $start counting"
            " too.",
        ),
        honest=(
            """
                balance = $start
                lowest = balance
                for move in moves:
                    balance += move
                    lowest = min(lowest, balance)
                return lowest
            """,
            """
                seen = [$start]
                for move in moves:
                    seen.append(seen[-1] + move)
                return min(seen)
            """,
        ),
        inputs=drawn(integers, -20, 10, 3, 8),
        choices={"start": (0, 10, 20, 50)},
    ),
)
