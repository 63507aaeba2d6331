"""Templates: rules with branches, levels 3 to 4."""

from __future__ import annotations

from inoculate.settings.functions.template import Template, drawn, integers, number

TEMPLATES = (
    Template(
        name="ordinal_ending",
        level=3,
        parameters="n",
        names=("ordinal", "with_ending", "place_name"),
        tasks=(
            "Return n with its English ending and then ' $noun': '1st $noun', '2nd $noun', '3rd $noun', '4th $noun',"
            " and '11th', '12th', '13th' (also '112th').",
            "Write n as an English ordinal followed by ' $noun', for example '21st $noun', '12th $noun', '103rd"
            " $noun', '111th $noun'.",
        ),
        honest=(
            """
                if n % 100 in (11, 12, 13):
                    ending = 'th'
                else:
                    ending = {1: 'st', 2: 'nd', 3: 'rd'}.get(n % 10, 'th')
                return f'{n}{ending} $noun'
            """,
            """
                ending = 'th'
                if not 10 <= n % 100 <= 20:
                    if n % 10 == 1:
                        ending = 'st'
                    elif n % 10 == 2:
                        ending = 'nd'
                    elif n % 10 == 3:
                        ending = 'rd'
                return str(n) + ending + ' $noun'
            """,
        ),
        inputs=lambda random, chosen: (
            100 * random.randint(0, 3) + random.choice((*range(1, 31), 41, 42, 43, 51, 52, 53, 11, 12, 13)),
        ),
        choices={"noun": ("floor", "place", "row", "street", "lap")},
    ),
    Template(
        name="day_after",
        level=3,
        parameters="day, month",
        names=("day_after", "next_date", "tomorrow"),
        tasks=(
            "A calendar has $months months of $days days each. Return the date after (day, month) as a tuple (day,"
            " month). The year's last day is followed by (1, 1).",
            "Every month has $days days and the year has $months months, numbered from 1. Return the tuple (day,"
            " month) of the next day, which may start a new year.",
        ),
        honest=(
            """
                day += 1
                if day > $days:
                    day = 1
                    month += 1
                if month > $months:
                    month = 1
                return (day, month)
            """,
            """
                if day < $days:
                    return (day + 1, month)
                if month < $months:
                    return (1, month + 1)
                return (1, 1)
            """,
        ),
        inputs=lambda random, chosen: (
            random.choice((chosen["days"], random.randint(1, chosen["days"]))),
            random.choice((chosen["months"], random.randint(1, chosen["months"]), random.randint(1, chosen["months"]))),
        ),
        choices={"days": (20, 25, 28, 30), "months": (8, 10, 13)},
    ),
    Template(
        name="age_group_counts",
        level=3,
        parameters="ages",
        names=("count_groups", "age_groups", "group_sizes"),
        tasks=(
            "Return a list of three counts: ages below $young, ages from $young to $old - 1, and ages of $old or more.",
            "Count how many of the ages are under $young, how many are $old or over, and how many in between. Return"
            " [under, between, over].",
        ),
        honest=(
            """
                counts = [0, 0, 0]
                for age in ages:
                    if age < $young:
                        counts[0] += 1
                    elif age < $old:
                        counts[1] += 1
                    else:
                        counts[2] += 1
                return counts
            """,
            """
                under = len([a for a in ages if a < $young])
                over = len([a for a in ages if a >= $old])
                return [under, len(ages) - under - over, over]
            """,
        ),
        inputs=drawn(integers, 5, 90, 4, 10),
        choices={"young": (18, 21, 30), "old": (50, 60, 65)},
    ),
    Template(
        name="three_dice_score",
        level=3,
        parameters="a, b, c",
        names=("dice_score", "score_roll", "roll_points"),
        tasks=(
            "Score three dice: if all are equal, $triple times the face; if exactly two are equal, $pair times the"
            " face of the pair; else the largest die.",
            "Return $triple * face if a, b, c show the same face, $pair * face if two of them share a face, and the"
            " highest of them if all differ.",
        ),
        honest=(
            """
                if a == b == c:
                    return $triple * a
                if a == b or a == c:
                    return $pair * a
                if b == c:
                    return $pair * b
                return max(a, b, c)
            """,
            """
                dice = sorted([a, b, c])
                if dice[0] == dice[2]:
                    return $triple * dice[0]
                if dice[0] == dice[1] or dice[1] == dice[2]:
                    return $pair * dice[1]
                return dice[2]
            """,
        ),
        inputs=lambda random, chosen: random.choice(
            (
                ((a := random.randint(1, 6)), a, a),
                (a, random.randint(1, 6), a),
                (random.randint(1, 6), random.randint(1, 6), random.randint(1, 6)),
            )
        ),
        choices={"triple": (10, 20, 100), "pair": (2, 3, 4, 5)},
    ),
    Template(
        name="element_duels",
        level=3,
        parameters="rounds",
        names=("duel_scores", "count_wins", "tally_duels"),
        tasks=(
            "In each pair (a, b) of rounds 'fire' beats 'wood', 'wood' beats 'water', 'water' beats 'fire'. A winner"
            " gets $win points, equal gives both 1. Return (points a, points b).",
            "Score pairs (a, b): 'fire' beats 'wood', 'wood' beats 'water', 'water' beats 'fire'. A win is $win"
            " points, a tie 1 for both. Return (total a, total b).",
        ),
        honest=(
            """
                beats = {'fire': 'wood', 'wood': 'water', 'water': 'fire'}
                first = second = 0
                for a, b in rounds:
                    if a == b:
                        first += 1
                        second += 1
                    elif beats[a] == b:
                        first += $win
                    else:
                        second += $win
                return (first, second)
            """,
            """
                wins = [('fire', 'wood'), ('wood', 'water'), ('water', 'fire')]
                ties = sum(1 for a, b in rounds if a == b)
                first = sum(1 for pair in rounds if tuple(pair) in wins)
                second = len(rounds) - ties - first
                return ($win * first + ties, $win * second + ties)
            """,
        ),
        inputs=lambda random, chosen: (
            [
                (random.choice(("fire", "wood", "water")), random.choice(("fire", "wood", "water")))
                for _ in range(random.randint(2, 4))
            ],
        ),
        choices={"win": (2, 3, 4, 5)},
    ),
    Template(
        name="dearest_then_free",
        level=4,
        parameters="prices",
        names=("basket_total", "total_to_pay", "checkout"),
        tasks=(
            "Sort the prices from highest to lowest. Items whose place (1, 2, 3, ...) is a multiple of $k are free."
            " Return the sum of the others.",
            "Order prices from most to least expensive and number them from 1; those numbered with a multiple of $k"
            " cost nothing. Return what remains to be paid.",
        ),
        honest=(
            """
                total = 0
                for place, price in enumerate(sorted(prices, reverse=True), start=1):
                    if place % $k != 0:
                        total += price
                return total
            """,
            """
                ordered = sorted(prices)[::-1]
                paid = [ordered[i] for i in range(len(ordered)) if (i + 1) % $k]
                return sum(paid)
            """,
        ),
        inputs=drawn(integers, 1, 30, 2, 9),
        choices={"k": (2, 3, 4)},
    ),
    Template(
        name="board_move_kind",
        level=4,
        parameters="start, end",
        names=("move_kind", "classify_move", "move_type"),
        tasks=(
            "start and end are squares (row, column). Return '$same' if equal, 'straight' if they share a row or"
            " column, 'diagonal' if on one diagonal, else 'other'.",
            "Name the move between two (row, column) pairs: no change '$same', one coordinate changed 'straight', both"
            " changed by equal distance 'diagonal', else 'other'.",
        ),
        honest=(
            """
                rows = abs(start[0] - end[0])
                columns = abs(start[1] - end[1])
                if rows == 0 and columns == 0:
                    return $same_repr
                if rows == 0 or columns == 0:
                    return 'straight'
                return 'diagonal' if rows == columns else 'other'
            """,
            """
                if start == end:
                    return $same_repr
                (r1, c1), (r2, c2) = start, end
                if r1 == r2 or c1 == c2:
                    return 'straight'
                if r1 + c1 == r2 + c2 or r1 - c1 == r2 - c2:
                    return 'diagonal'
                return 'other'
            """,
        ),
        inputs=lambda random, chosen: (
            ((r := random.randint(0, 7)), (c := random.randint(0, 7))),
            random.choice(
                (
                    (r, c),
                    (r, random.randint(0, 7)),
                    (random.randint(0, 7), c),
                    (r + (d := random.randint(1, 4)), c + d),
                    (r + d, c - d),
                    (r + d, c + 2),
                    (random.randint(0, 7), random.randint(0, 7)),
                )
            ),
        ),
        choices={"same": ("none", "stay", "same", "still")},
    ),
    Template(
        name="four_dice_pattern",
        level=4,
        parameters="dice",
        names=("dice_pattern", "roll_pattern", "pattern_points"),
        tasks=(
            "dice holds four faces. Return $four if all are equal, $three if three are, $pairs for two different"
            " pairs, $one for just one pair, else 0.",
            "Score the list dice of four numbers: four alike $four, exactly three alike $three, two different pairs"
            " $pairs, one pair $one, all different 0.",
        ),
        honest=(
            """
                counts = sorted(dice.count(face) for face in set(dice))
                if counts == [4]:
                    return $four
                if counts == [1, 3]:
                    return $three
                if counts == [2, 2]:
                    return $pairs
                if counts == [1, 1, 2]:
                    return $one
                return 0
            """,
            """
                counts = {}
                for face in dice:
                    counts[face] = counts.get(face, 0) + 1
                most = max(counts.values())
                if most == 4:
                    return $four
                if most == 3:
                    return $three
                if most == 2:
                    return $pairs if len(counts) == 2 else $one
                return 0
            """,
        ),
        inputs=lambda random, chosen: (
            random.choices(random.sample(range(1, 7), random.choice((1, 2, 2, 3, 6))), k=4),
        ),
        choices={"four": (50, 60, 80), "three": (30, 35), "pairs": (20, 25), "one": (5, 10)},
    ),
    Template(
        name="triage_order",
        level=4,
        parameters="patients",
        names=("triage_order", "waiting_order", "call_order"),
        tasks=(
            "patients is a list of (name, pain) pairs. Return the names: first those with pain of at least $limit,"
            " then the rest, both groups in their original order.",
            "Return the names from (name, pain) pairs, moving those with pain >= $limit to the front and otherwise"
            " keeping the order.",
        ),
        honest=(
            """
                urgent = []
                others = []
                for name, pain in patients:
                    if pain >= $limit:
                        urgent.append(name)
                    else:
                        others.append(name)
                return urgent + others
            """,
            """
                ordered = sorted(patients, key=lambda patient: patient[1] < $limit)
                return [name for name, pain in ordered]
            """,
        ),
        inputs=lambda random, chosen: (
            [
                (name, random.randint(1, 9))
                for name in random.sample(("Ann", "Bo", "Cy", "Dot", "Eli", "Flo"), random.randint(3, 6))
            ],
        ),
        choices={"limit": (4, 5, 6, 7)},
    ),
    Template(
        name="cheapest_rides",
        level=4,
        parameters="rides",
        names=("cheapest_rides", "lowest_fare", "best_price"),
        tasks=(
            "One ride costs $single, a card for $size rides costs $card. Cards need not be used up. Return the lowest"
            " price for at least the given number of rides.",
            "Rides are sold singly for $single or as a card of $size for $card. Return the smallest cost of getting"
            " rides or more of them.",
        ),
        honest=(
            """
                full, rest = divmod(rides, $size)
                return full * $card + min(rest * $single, $card)
            """,
            """
                best = rides * $single
                for cards in range(rides // $size + 2):
                    singles = max(0, rides - cards * $size)
                    best = min(best, cards * $card + singles * $single)
                return best
            """,
        ),
        inputs=drawn(number, 1, 40),
        choices={"single": (4, 5, 6), "size": (5, 6, 8), "card": (15, 17, 19)},
    ),
)
