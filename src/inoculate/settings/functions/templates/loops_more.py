"""Templates: loops with state, levels 2 to 3."""

from __future__ import annotations

from inoculate.settings.functions.template import Template, drawn, integers, letters, number

TEMPLATES = (
    Template(
        name="floors_travelled",
        level=2,
        parameters="stops",
        names=("floors_travelled", "lift_distance", "lift_time"),
        tasks=(
            "A lift starts at floor $start and visits the floors in stops in order. Each floor up or down takes $secs"
            " seconds. Return the total seconds.",
            "Starting from $start, go through the numbers in stops and sum the absolute differences between"
            " neighbours. Return the sum times $secs.",
        ),
        honest=(
            """
                floor = $start
                total = 0
                for stop in stops:
                    total += abs(stop - floor)
                    floor = stop
                return total * $secs
            """,
            """
                path = [$start] + stops
                return $secs * sum(abs(path[i] - path[i - 1]) for i in range(1, len(path)))
            """,
        ),
        inputs=drawn(integers, 0, 12, 1, 7),
        choices={"start": (0, 1, 3, 6), "secs": (2, 3, 4)},
    ),
    Template(
        name="never_overdrawn",
        level=2,
        parameters="moves",
        names=("never_overdrawn", "stays_positive", "always_enough"),
        tasks=(
            "Start with $start and add the numbers in moves in turn. Return True if the value never drops below 0,"
            " else False.",
            "Return False if $start plus the first few numbers of moves (for any count of them) is negative, otherwise"
            " True.",
        ),
        honest=(
            """
                value = $start
                for move in moves:
                    value += move
                    if value < 0:
                        return False
                return True
            """,
            "all($start + sum(moves[:i]) >= 0 for i in range(len(moves) + 1))",
        ),
        inputs=lambda random, chosen: (integers(random, -chosen["start"], chosen["start"] - 4, 3, 7),),
        choices={"start": (10, 12, 15, 20)},
    ),
    Template(
        name="longest_warm_spell",
        level=3,
        parameters="temps",
        names=("spell_total", "streak_sum", "sum_of_best_run"),
        tasks=(
            "Return the sum of the longest run of neighbouring temps that are all above $limit: 0 if there is none,"
            " and the first run if several are longest.",
            "Find the longest stretch of consecutive numbers greater than $limit (the first one on ties) and return"
            " its sum, or 0 if there is no such number.",
        ),
        honest=(
            """
                best = []
                run = []
                for t in temps:
                    if t > $limit:
                        run = run + [t]
                        if len(run) > len(best):
                            best = run
                    else:
                        run = []
                return sum(best)
            """,
            """
                length = total = best_length = best_total = 0
                for t in temps:
                    if t <= $limit:
                        length = total = 0
                        continue
                    length += 1
                    total += t
                    if length > best_length:
                        best_length, best_total = length, total
                return best_total
            """,
        ),
        inputs=drawn(integers, 0, 30, 4, 10),
        choices={"limit": (8, 10, 12, 15)},
    ),
    Template(
        name="thermostat_states",
        level=3,
        parameters="temps",
        names=("heater_states", "thermostat", "heating_plan"),
        tasks=(
            "A heater starts off. For each temperature: below $low it goes on, above $high it goes off, otherwise it"
            " stays. Return the list of states (1 on, 0 off).",
            "Return a list with 1 (on) or 0 (off) per reading in temps: under $low is on, over $high is off, in"
            " between as before, at first off.",
        ),
        honest=(
            """
                state = 0
                states = []
                for t in temps:
                    if t < $low:
                        state = 1
                    elif t > $high:
                        state = 0
                    states.append(state)
                return states
            """,
            """
                states = [0]
                for t in temps:
                    if $low <= t <= $high:
                        states.append(states[-1])
                    else:
                        states.append(1 if t < $low else 0)
                return states[1:]
            """,
        ),
        inputs=lambda random, chosen: (integers(random, chosen["low"] - 3, chosen["high"] + 3, 4, 9),),
        choices={"low": (17, 18, 19), "high": (21, 22, 23)},
    ),
    Template(
        name="queue_lengths",
        level=3,
        parameters="arrivals",
        names=("queue_lengths", "waiting_line", "queue_history"),
        tasks=(
            "Each minute arrivals[i] people join a queue, then up to $serve are served and leave. Return the list of"
            " queue lengths after each minute.",
            "Start with 0 waiting. For each number in arrivals add it, then subtract $serve but not below 0. Return"
            " the list of values after each step.",
        ),
        honest=(
            """
                waiting = 0
                lengths = []
                for people in arrivals:
                    waiting = max(0, waiting + people - $serve)
                    lengths.append(waiting)
                return lengths
            """,
            """
                waiting = 0
                lengths = []
                for people in arrivals:
                    waiting += people
                    waiting -= min(waiting, $serve)
                    lengths.append(waiting)
                return lengths
            """,
        ),
        inputs=lambda random, chosen: (integers(random, 0, 2 * chosen["serve"] + 1, 3, 8),),
        choices={"serve": (2, 3, 4, 5)},
    ),
    Template(
        name="robot_between_walls",
        level=3,
        parameters="commands",
        names=("walled_robot", "robot_bumps", "blocked_moves"),
        tasks=(
            "A robot starts at $start on places 0 to $last. 'R' moves it +1, 'L' -1, but a move off the line is a bump"
            " and it stays. Return (place, bumps).",
            "Follow commands of 'L' (-1) and 'R' (+1) from $start; ignore moves that leave 0..$last. Return a tuple:"
            " final position, number of ignored moves.",
        ),
        honest=(
            """
                place = $start
                bumps = 0
                for c in commands:
                    new = place + 1 if c == 'R' else place - 1
                    if 0 <= new <= $last:
                        place = new
                    else:
                        bumps += 1
                return (place, bumps)
            """,
            """
                place, bumps = $start, 0
                for c in commands:
                    if c == 'R' and place < $last:
                        place += 1
                    elif c == 'L' and place > 0:
                        place -= 1
                    else:
                        bumps += 1
                return place, bumps
            """,
        ),
        inputs=lambda random, chosen: (letters(random, 4, 14, random.choice(("LR", "LLR", "LRR"))),),
        choices={"start": (0, 1, 2), "last": (3, 4, 5)},
    ),
    Template(
        name="fee_on_some_entries",
        level=3,
        parameters="payments",
        names=("total_with_fees", "after_fees", "account_after"),
        tasks=(
            "An account starts at $start. Add each payment; after every $k-th payment subtract a fee of $fee. Return"
            " the final balance.",
            "Begin with $start, add all payments, and take off $fee each time another $k payments have been made."
            " Return the result.",
        ),
        honest=(
            """
                balance = $start
                count = 0
                for payment in payments:
                    balance += payment
                    count += 1
                    if count % $k == 0:
                        balance -= $fee
                return balance
            """,
            "$start + sum(payments) - len(payments) // $k * $fee",
        ),
        inputs=drawn(integers, 1, 30, 1, 9),
        choices={"start": (0, 20, 100), "k": (2, 3, 4), "fee": (1, 2, 5)},
    ),
    Template(
        name="path_of_a_number",
        level=3,
        parameters="n",
        names=("number_path", "number_chain", "trail"),
        tasks=(
            "Start a list with n. Repeat $times times: if the last number is even append its half, otherwise append it"
            " times 3 plus $plus. Return the list.",
            "Return a list of $times + 1 numbers: the first is n; after an even number comes its half, after an odd"
            " number x comes 3 * x + $plus.",
        ),
        honest=(
            """
                path = [n]
                for _ in range($times):
                    n = n // 2 if n % 2 == 0 else 3 * n + $plus
                    path.append(n)
                return path
            """,
            """
                path = [n]
                while len(path) < $times + 1:
                    last = path[-1]
                    if last % 2 == 1:
                        path.append(3 * last + $plus)
                    else:
                        path.append(last // 2)
                return path
            """,
        ),
        inputs=drawn(number, 1, 60),
        choices={"times": (3, 4, 5, 6), "plus": (1, 3, 5)},
    ),
    Template(
        name="extra_turns",
        level=3,
        parameters="rolls",
        names=("game_scores", "dice_game", "two_players"),
        tasks=(
            "Players A and B take turns, A first. Each roll is added to the score of the player whose turn it is;"
            " after a $again that player rolls again. Return [A, B].",
            "Give each number in rolls to the player to move (player 0 first). The turn then passes to the other,"
            " except after a $again. Return both sums as a list.",
        ),
        honest=(
            """
                scores = [0, 0]
                player = 0
                for roll in rolls:
                    scores[player] += roll
                    if roll != $again:
                        player = 1 - player
                return scores
            """,
            """
                a = b = 0
                first = True
                for roll in rolls:
                    if first:
                        a += roll
                    else:
                        b += roll
                    if roll != $again:
                        first = not first
                return [a, b]
            """,
        ),
        inputs=lambda random, chosen: (
            [random.choice((1, 2, 3, 4, 5, 6, chosen["again"])) for _ in range(random.randint(3, 9))],
        ),
        choices={"again": (1, 3, 4, 5, 6)},
    ),
    Template(
        name="coin_machine",
        level=3,
        parameters="coins",
        names=("coin_machine", "drink_machine", "vending"),
        tasks=(
            "A machine adds coins to its credit, at first 0. Whenever the credit is $price or more, it sells one drink"
            " and the credit becomes 0 (no change). Return (drinks, credit).",
            "Add coins to a credit that starts at 0; when it reaches $price or more, count a sale and set it to 0."
            " Return the tuple (sales, final credit).",
        ),
        honest=(
            """
                drinks = 0
                credit = 0
                for coin in coins:
                    credit += coin
                    if credit >= $price:
                        drinks += 1
                        credit = 0
                return (drinks, credit)
            """,
            """
                sales, credit = 0, 0
                for coin in coins:
                    if credit + coin < $price:
                        credit += coin
                    else:
                        sales, credit = sales + 1, 0
                return sales, credit
            """,
        ),
        inputs=lambda random, chosen: ([random.choice((1, 2, 5)) for _ in range(random.randint(3, 12))],),
        choices={"price": (4, 6, 7, 8)},
    ),
    Template(
        name="turnstile_count",
        level=3,
        parameters="events",
        names=("turnstile", "gate_counts", "gate_log"),
        tasks=(
            "A gate starts locked. '$coin' unlocks it (wasted if already unlocked); 'p' passes and locks it, or is"
            " refused if locked. Return (passed, refused, wasted).",
            "Run a locked gate on a string: '$coin' unlocks, a second '$coin' is wasted, 'p' passes if unlocked (and"
            " locks) or is refused. Return (passed, refused, wasted).",
        ),
        honest=(
            """
                unlocked = False
                passed = refused = wasted = 0
                for event in events:
                    if event == $coin_repr:
                        if unlocked:
                            wasted += 1
                        unlocked = True
                    elif unlocked:
                        passed += 1
                        unlocked = False
                    else:
                        refused += 1
                return (passed, refused, wasted)
            """,
            """
                passed = refused = wasted = 0
                previous = 'p'
                for event in events:
                    if event == 'p':
                        if previous == 'p':
                            refused += 1
                        else:
                            passed += 1
                    elif previous != 'p':
                        wasted += 1
                    previous = event
                return passed, refused, wasted
            """,
        ),
        inputs=lambda random, chosen: (letters(random, 3, 12, chosen["coin"] + "p"),),
        choices={"coin": ("c", "k", "t", "x")},
    ),
)
