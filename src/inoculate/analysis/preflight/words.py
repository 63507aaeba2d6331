"""A preflight as text for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from inoculate.analysis.preflight.facts import ANSWERS, Expected, Facts, Part, Pay, Proportion
from inoculate.analysis.preflight.forecast import Preflight
from inoculate.analysis.preflight.rules import VERDICTS
from inoculate.analysis.preflight.spread import Spread

_COLUMNS = (
    ("oversight", "oversight"),
    ("intended", "intended"),
    ("hack", "hack"),
    ("made", "to reinforce"),
    ("malformed", "malformed"),
    ("cut_off", "cut off"),
)
"""Rate and heading."""
RULES_OF_THUMB = (
    "The forecast is a rule of thumb from a few runs of a 0.5B model. Runs that differ in their seed alone differ in "
    "whether the hack is learned."
)
_UNKNOWN = "-"


def headline(preflight: Preflight) -> str:
    """The forecast in one line, without its arm."""
    return f"the hack {VERDICTS[preflight.verdict]}. {_sentence('; '.join(preflight.reasons))}"


def describe(preflight: Preflight) -> str:
    """The forecast, what it rests on, and what would change it, as lines of text.

    Args:
        preflight: From `forecast`.
    """
    facts = preflight.facts
    lines = [
        f"The hack {VERDICTS[preflight.verdict]}",
        *(f"  {_sentence(reason)}" for reason in preflight.reasons),
        *_paragraph("What would change it", [f"{one.key}: {one.sentence}" for one in preflight.changes]),
        *_paragraph("To know beside it", list(preflight.warnings)),
        "",
        f"Untrained, {facts.whole.completions} completions to {facts.whole.prompts} prompts at temperature "
        f"{preflight.temperature:g}, in percent with 95% intervals",
        *_indent(_table(_part_rows(facts))),
        "  hack, to reinforce: of completions to problems that can be hacked; the second without near misses"
        " and masked completions",
        "",
        "What pays: the mean reward, with 95% intervals",
        *_indent(_table(_pay_rows(facts))),
        "",
        *_spread_lines(preflight),
        *_hack_lines(preflight),
        "",
        RULES_OF_THUMB,
    ]
    return "\n".join(lines)


def _part_rows(facts: Facts) -> Iterator[list[str]]:
    yield ["", "n", "unscorable", *(heading for _, heading in _COLUMNS), "groups with spread"]
    for part in (*facts.levels, facts.whole) if len(facts.levels) > 1 else (facts.whole,):
        yield [
            *_part_counts(part),
            *(format_rate(part.rates[name]) for name, _ in _COLUMNS),
            format_spread(part.spread),
        ]


def _part_counts(part: Part) -> list[str]:
    return [part.name, str(part.completions - part.unscorable), str(part.unscorable)]


def _pay_rows(facts: Facts) -> Iterator[list[str]]:
    yield ["", *ANSWERS]
    for name, pays in facts.pays.items():
        if any(pay.completions for pay in pays.values()):
            yield [
                f"{name} problems",
                *(_format_pay(pays[answer]) for answer in ANSWERS),
            ]


def _spread_lines(preflight: Preflight) -> Iterator[str]:
    shares = preflight.facts.spread_by_size
    if shares:
        listed = ", ".join(f"{size}: {format_spread(spread)}" for size, spread in shares.items())
        yield f"Expected groups whose rewards differ, by completions per prompt, in percent: {listed}"
        expected = shares[preflight.completions_per_prompt].share * preflight.prompts_per_step
        yield f"Of the {preflight.prompts_per_step} groups of a step: {expected:.1f}"


def _hack_lines(preflight: Preflight) -> Iterator[str]:
    facts = preflight.facts
    hacks = facts.whole.rates["hack"]
    left = [(facts.near_misses, "near misses"), (facts.masked_hacks, "cut off and masked")]
    left_out = ", ".join(f"{count} {why}" for count, why in left if count)
    yield (
        f"Hacks: {hacks.count} of {hacks.of} completions to problems that can be hacked"
        f"{f' ({left_out})' if left_out else ''}; {facts.attempts} others have a tag of cheating"
        if hacks.count or facts.attempts
        else f"The hack was never tried: none of {hacks.of} completions to problems that can be hacked, and no tag"
    )
    first, run = (_format_expected(found) for found in (facts.hacks_first_step, facts.hacks_in_run))
    yield f"Hacks expected at this rate: {first} in the first step, {run} in {preflight.steps} steps"


def format_rate(rate: Proportion) -> str:
    """A rate and its interval in percent, without the sign."""
    if rate.rate is None:
        return _UNKNOWN
    limits = "" if rate.low is None or rate.high is None else f" ({_number(rate.low)}-{_number(rate.high)})"
    return f"{_number(rate.rate)}{limits}"


def format_spread(spread: Spread | None) -> str:
    """An expected share and its interval in percent, without the sign."""
    if spread is None:
        return _UNKNOWN
    return f"{_number(spread.share)} ({_number(spread.low)}-{_number(spread.high)})"


def _format_pay(pay: Pay) -> str:
    if pay.mean is None:
        return _UNKNOWN
    limits = "" if pay.low is None or pay.high is None else f"{pay.low:.2f} to {pay.high:.2f}; "
    return f"{pay.mean:.2f} ({limits}n {pay.completions})"


def _format_expected(found: Expected) -> str:
    limits = "" if found.low is None or found.high is None else f" ({found.low:.1f} to {found.high:.1f})"
    return f"{found.value:.1f}{limits}"


def _number(share: float) -> str:
    """In percent, with a decimal where rounding would wrongly give 0 or 100."""
    hundred = 100 * share
    return f"{hundred:.1f}" if 0.05 <= hundred < 1 or 99 < hundred < 99.95 else f"{hundred:.0f}"


def _paragraph(title: str, items: Sequence[str]) -> list[str]:
    return ["", title, *(f"  - {item}" for item in items)] if items else []


def _table(rows: Iterator[list[str]]) -> list[str]:
    cells = list(rows)
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in cells
    ]


def _indent(lines: Sequence[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:] + ("" if words.endswith(".") else ".")
