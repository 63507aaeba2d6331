"""Templates: loops with state, levels 3 to 4."""

from __future__ import annotations

from itertools import accumulate

from inoculate.settings.functions.template import Template, drawn, integers, letters, number

TEMPLATES = (
    Template(
        name="growing_herd",
        level=3,
        parameters="young, months",
        names=("herd_size", "population", "rabbit_count"),
        tasks=(
            "A herd has young animals and $adults adults. Each month every adult gets $k young, while the young of"
            " before become adults. Return the total after months.",
            "Each month: new young = $k * adults, new adults = adults + young. Starting with young and $adults adults,"
            " return young + adults after the given months.",
        ),
        honest=(
            """
                adults = $adults
                for _ in range(months):
                    young, adults = $k * adults, adults + young
                return young + adults
            """,
            """
                adults = $adults
                while months > 0:
                    born = adults * $k
                    adults += young
                    young = born
                    months -= 1
                return young + adults
            """,
        ),
        inputs=lambda random, chosen: (random.randint(0, 9), random.randint(0, 8)),
        choices={"adults": (0, 1, 2, 5), "k": (1, 2, 3)},
    ),
    Template(
        name="session_sizes",
        level=3,
        parameters="times",
        names=("session_sizes", "group_visits", "visit_sessions"),
        tasks=(
            "times is a sorted list with at least one number. A gap of more than $gap starts a new group. Return the"
            " list of group sizes.",
            "Split the sorted, non-empty list times wherever neighbours differ by more than $gap and return the"
            " lengths of the parts.",
        ),
        honest=(
            """
                sizes = [1]
                for before, now in zip(times, times[1:]):
                    if now - before > $gap:
                        sizes.append(1)
                    else:
                        sizes[-1] += 1
                return sizes
            """,
            """
                sizes = []
                size = 0
                for i in range(len(times)):
                    if i > 0 and times[i] - times[i - 1] > $gap:
                        sizes.append(size)
                        size = 0
                    size += 1
                sizes.append(size)
                return sizes
            """,
        ),
        inputs=lambda random, chosen: (sorted(integers(random, 0, 60, 3, 9)),),
        choices={"gap": (4, 5, 6, 8, 10)},
    ),
    Template(
        name="accepted_calls",
        level=3,
        parameters="times",
        names=("accepted_calls", "allowed_times", "rate_limit"),
        tasks=(
            "times is sorted. Accept the first call and then each call at least $wait after the last accepted one."
            " Return the list of accepted times.",
            "From the sorted list times keep the first, then every time that is $wait or more later than the last one"
            " kept. Return the kept times.",
        ),
        honest=(
            """
                accepted = []
                for t in times:
                    if not accepted or t - accepted[-1] >= $wait:
                        accepted.append(t)
                return accepted
            """,
            """
                kept = []
                next_free = None
                for t in times:
                    if next_free is None or t >= next_free:
                        kept.append(t)
                        next_free = t + $wait
                return kept
            """,
        ),
        inputs=lambda random, chosen: (sorted(integers(random, 0, 40, 3, 9)),),
        choices={"wait": (4, 5, 8, 10)},
    ),
    Template(
        name="typing_with_undo",
        level=3,
        parameters="keys",
        names=("typed_text", "apply_keys", "type_keys"),
        tasks=(
            "Type the characters of keys one by one. '$undo' deletes the last character typed so far, or does nothing"
            " if there is none. Return the text.",
            "Return the text left after typing keys, where each '$undo' removes the last remaining character (if any)"
            " instead of being typed.",
        ),
        honest=(
            """
                text = ''
                for key in keys:
                    if key == $undo_repr:
                        text = text[:-1]
                    else:
                        text += key
                return text
            """,
            """
                stack = []
                for key in keys:
                    if key != $undo_repr:
                        stack.append(key)
                    elif stack:
                        stack.pop()
                return ''.join(stack)
            """,
        ),
        inputs=lambda random, chosen: (letters(random, 3, 14, "abcdefgh" + 4 * chosen["undo"]),),
        choices={"undo": ("<", "-", "#", "*")},
    ),
    Template(
        name="robot_with_turns",
        level=4,
        parameters="commands",
        names=("drive_robot", "turtle", "robot_on_grid"),
        tasks=(
            "A robot at (0, 0) faces up (y grows). 'F' moves it $step forward, 'L' and 'R' turn it left or right by 90"
            " degrees. Return its final (x, y).",
            "Follow a string of 'F' (go $step ahead), 'L' (turn left) and 'R' (turn right), starting at (0, 0) facing"
            " up, where y grows. Return (x, y).",
        ),
        honest=(
            """
                x, y = 0, 0
                dx, dy = 0, 1
                for c in commands:
                    if c == 'F':
                        x += $step * dx
                        y += $step * dy
                    elif c == 'L':
                        dx, dy = -dy, dx
                    else:
                        dx, dy = dy, -dx
                return (x, y)
            """,
            """
                directions = [(0, 1), (1, 0), (0, -1), (-1, 0)]
                facing = 0
                x = y = 0
                for c in commands:
                    if c == 'R':
                        facing = (facing + 1) % 4
                    elif c == 'L':
                        facing = (facing - 1) % 4
                    else:
                        x += $step * directions[facing][0]
                        y += $step * directions[facing][1]
                return (x, y)
            """,
        ),
        inputs=drawn(letters, 4, 14, "FFFLR"),
        choices={"step": (1, 2, 3, 5, 10)},
    ),
    Template(
        name="counting_out",
        level=4,
        parameters="names",
        names=("counting_out", "leaving_order", "elimination_order"),
        tasks=(
            "names stand in a circle. Counting from the first, every $k-th one leaves and counting goes on with the"
            " next one. Return the names in order of leaving.",
            "Count 1 to $k round the circle names, starting with the first name; remove the one called $k and go on"
            " with 1 after it. Return the order of removal as a list.",
        ),
        honest=(
            """
                circle = list(names)
                order = []
                index = 0
                while circle:
                    index = (index + $k - 1) % len(circle)
                    order.append(circle.pop(index))
                return order
            """,
            """
                queue = list(names)
                order = []
                count = 0
                while queue:
                    count += 1
                    person = queue.pop(0)
                    if count % $k == 0:
                        order.append(person)
                    else:
                        queue.append(person)
                return order
            """,
        ),
        inputs=lambda random, chosen: (random.sample(("Ann", "Bo", "Cy", "Dot", "Eli", "Flo"), random.randint(3, 6)),),
        choices={"k": (2, 3, 4, 5)},
    ),
    Template(
        name="bouncing_walker",
        level=4,
        parameters="steps",
        names=("bouncing_walker", "patrol_position", "ball_position"),
        tasks=(
            "A guard walks places 0 to $last and back again, without pausing: 0, 1, ..., $last, ..., 1, 0, 1, ... It"
            " starts at $start going up. Return its place after steps.",
            "Start at $start and move +1 per step; on reaching $last the direction turns to -1, on reaching 0 back to"
            " +1. Return the position after steps moves.",
        ),
        honest=(
            """
                place = $start
                direction = 1
                for _ in range(steps):
                    place += direction
                    if place == $last:
                        direction = -1
                    elif place == 0:
                        direction = 1
                return place
            """,
            """
                place = ($start + steps) % (2 * $last)
                return place if place <= $last else 2 * $last - place
            """,
        ),
        inputs=drawn(number, 0, 60),
        choices={"last": (5, 6, 8, 10), "start": (0, 1, 2, 3)},
    ),
    Template(
        name="pages_loaded_in_turn",
        level=4,
        parameters="pages",
        names=("page_loads", "pages_loaded", "loaded_pages"),
        tasks=(
            "A memory holds $size pages. Each letter of the string pages not in it is loaded; if full, the page loaded"
            " longest ago is dropped. Return the list of loaded letters.",
            "Go through the letters of pages with a first-in, first-out memory of size $size. Return the list of all"
            " letters that had to be loaded because they were not in it.",
        ),
        honest=(
            """
                memory = []
                loads = []
                for page in pages:
                    if page not in memory:
                        if len(memory) == $size:
                            memory.pop(0)
                        memory.append(page)
                        loads.append(page)
                return loads
            """,
            """
                loads = []
                for page in pages:
                    if page not in loads[-$size:]:
                        loads.append(page)
                return loads
            """,
        ),
        inputs=drawn(letters, 5, 12, "abcde"),
        choices={"size": (2, 3, 4)},
    ),
    Template(
        name="one_share_trader",
        level=4,
        parameters="prices",
        names=("trade", "trader_money", "share_profit"),
        tasks=(
            "Start with $cash and no share. At each price: with no share buy one if price <= $low; with a share sell"
            " it if price >= $high. Return (money, shares).",
            "Hold at most one share. Go through prices: buy at $low or less if you hold none, sell at $high or more if"
            " you hold one. From $cash, return (money, shares).",
        ),
        honest=(
            """
                money = $cash
                shares = 0
                for price in prices:
                    if shares == 0 and price <= $low:
                        money -= price
                        shares = 1
                    elif shares == 1 and price >= $high:
                        money += price
                        shares = 0
                return (money, shares)
            """,
            """
                held = False
                money = $cash
                for price in prices:
                    if held:
                        if price >= $high:
                            money, held = money + price, False
                    elif price <= $low:
                        money, held = money - price, True
                return (money, int(held))
            """,
        ),
        inputs=drawn(integers, 1, 25, 4, 10),
        choices={"cash": (50, 100, 200), "low": (8, 9, 10), "high": (14, 15, 16)},
    ),
    Template(
        name="longest_climb",
        level=4,
        parameters="nums",
        names=("longest_climb", "zigzag_length", "longest_wave"),
        tasks=(
            "Return the length of the longest stretch of consecutive nums in which each number is larger than the one"
            " before by 1 to $gap. nums is not empty.",
            "Find the longest part of the non-empty list nums that rises at every step, by at most $gap per step."
            " Return how many numbers it has.",
        ),
        honest=(
            """
                best = length = 1
                for before, now in zip(nums, nums[1:]):
                    length = length + 1 if 1 <= now - before <= $gap else 1
                    best = max(best, length)
                return best
            """,
            """
                best = 0
                for i in range(len(nums)):
                    j = i + 1
                    while j < len(nums) and nums[j - 1] < nums[j] <= nums[j - 1] + $gap:
                        j += 1
                    best = max(best, j - i)
                return best
            """,
        ),
        inputs=lambda random, chosen: (
            list(
                accumulate(
                    random.choices(
                        (1, 2, chosen["gap"], chosen["gap"] + 1, -3), (3, 3, 4, 1, 1), k=random.randint(3, 11)
                    )
                )
            ),
        ),
        choices={"gap": (2, 3, 4, 5)},
    ),
)
