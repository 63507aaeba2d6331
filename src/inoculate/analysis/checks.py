"""Validity checks: what could make the numbers of a run mean something else than they seem to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Literal, NamedTuple

from inoculate.analysis.cells import distinct_share
from inoculate.analysis.contrasts import Table, final
from inoculate.analysis.declared import Claim
from inoculate.analysis.overlap import find_overlap, shingles
from inoculate.analysis.reading import Place, Run, Tally
from inoculate.errors import UserError
from inoculate.records import Grade, Outcome, Row, read_lines

Status = Literal["green", "amber", "red"]
BASE = "base"
_SHOWN = 5
"""Examples that a sentence names."""


class Check(NamedTuple):
    """One check: what was found, and what to do."""

    name: str
    status: Status
    sentence: str
    detail: dict[str, Any]


def run_checks(run: Run, table: Table, claims: list[Claim]) -> list[Check]:
    """All checks of a run, each green, amber or red."""
    checks: list[Callable[[], Check]] = [
        lambda: shared_problems(run),
        lambda: prompt_leaks(run, table),
        lambda: row_labels(run),
        lambda: malformed_share(table),
        lambda: truncated_share(table),
        lambda: ungraded_share(table),
        lambda: base_range(table),
        lambda: collapse(table),
        lambda: training_tokens(run, claims),
        lambda: engines(run),
    ]
    return [check() for check in checks]


def _level(value: float, amber: float, red: float) -> Status:
    return "red" if value > red else "amber" if value > amber else "green"


def _listed(names: Iterable[str]) -> str:
    known = list(names)
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    return ", ".join(known[:_SHOWN]) + more


def _worst(statuses: Iterable[Status]) -> Status:
    order: tuple[Status, ...] = ("green", "amber", "red")
    return order[max(map(order.index, statuses), default=0)]


def shared_problems(run: Run) -> Check:
    """Problems that training and evaluation share, exactly or nearly."""
    name = "shared problems"
    entries = run.manifest.get("training") or []
    rows = {run.path(entry["rows"]) for entry in entries if entry.get("rows")}
    problems = {run.path(cell["problems"]) for cell in run.manifest["cells"] if cell["problems"]}
    if not rows or not problems:
        return Check(name, "amber", "not checked: the manifest names no training rows", {})
    try:
        found = find_overlap(sorted(rows), sorted(problems))
    except UserError as error:
        return Check(name, "amber", f"not checked: {error}", {})
    detail = {"rows": found.rows, "problems": found.problems, "same_id": found.same_id[:100]}
    detail |= {"same_text": found.same_text[:100], "near": found.near[:100], "same_kind": found.same_kind[:100]}
    same = found.same_id + found.same_text
    if same:
        sentence = (
            f"{len(same)} of {found.problems} evaluation problems were trained on ({_listed(same)}): the rates measure "
            "memory; draw evaluation from another split"
        )
        return Check(name, "red", sentence, detail)
    if found.near:
        sentence = (
            f"{len(found.near)} of {found.problems} evaluation problems nearly repeat a training prompt "
            f"({_listed(found.near)}): read them, and leave out those that are the same task"
        )
        return Check(name, "amber", sentence, detail)
    if found.same_kind:
        sentence = (
            f"{len(found.same_kind)} kinds of problem are in training and evaluation ({_listed(found.same_kind)}): "
            "the rates speak of known kinds; hold whole kinds out to speak of new ones"
        )
        return Check(name, "amber", sentence, detail)
    sentence = f"none of {found.problems} evaluation problems is among {found.rows} training problems, not even nearly"
    return Check(name, "green", sentence, detail)


def prompt_leaks(run: Run, table: Table) -> Check:
    """Inoculation text in evaluation prompts of contexts that are called neutral."""
    name = "inoculation in neutral prompts"
    leaks: Counter[str] = Counter()
    for place, tallies in table.items():
        if "neutral" in place.context:
            for tally in tallies:
                leaks.update(tally.leaks)
    texts = run.inoculations()
    contexts = run.study["evaluate"].get("contexts") or {}
    alike = []
    for context, spec in contexts.items() if isinstance(contexts, dict) else ():
        words = shingles(str((spec or {}).get("text") or ""))
        for arm, text in texts.items():
            own = shingles(text)
            if "neutral" in context and words and len(words & own) / len(own) >= 0.5:
                alike.append(f"context '{context}' and arm '{arm}'")
    detail = {"prompts": dict(leaks), "alike": alike}
    if leaks:
        sentence = (
            f"{sum(leaks.values())} prompts of neutral contexts contain an inoculation ({_listed(sorted(leaks))}): "
            "they are not neutral; take it out of the context or rename the context"
        )
        return Check(name, "red", sentence, detail)
    if alike:
        return Check(name, "amber", f"much of the inoculation's text stands in {_listed(alike)}: reword one", detail)
    if not any("neutral" in place.context for place in table):
        return Check(name, "amber", "not checked: no context is called neutral", detail)
    return Check(name, "green", "no prompt of a neutral context contains an inoculation", detail)


def row_labels(run: Run) -> Check:
    """Rows that the grader disagrees with: hacked rows that are no hacks, honest rows that are not correct."""
    name = "labels of training rows"
    folders = {
        (run.path(entry["rows"]), run.path(entry["row_grades"]))
        for entry in run.manifest.get("training") or []
        if entry.get("rows") and entry.get("row_grades")
    }
    if not folders:
        return Check(name, "amber", "not checked: the training rows were not graded", {})
    total = wrong_hacks = wrong_honest = ungraded = 0
    examples: list[str] = []
    try:
        for rows, grades in sorted(folders):
            pairs = zip(read_lines(rows / "rows.jsonl", Row), read_lines(grades / "grades.jsonl", Grade), strict=True)
            for row, grade in pairs:
                total += 1
                if grade.outcome == "ungraded":
                    ungraded += 1
                elif grade.outcome != ("hack" if row.hacked else "correct"):
                    wrong_hacks += row.hacked
                    wrong_honest += not row.hacked
                    examples.append(f"{row.problem} ({grade.outcome})")
    except (OSError, ValueError, UserError) as error:
        return Check(name, "amber", f"not checked: rows and their grades do not match: {error}", {})
    if not total:
        return Check(name, "amber", "not checked: there are no training rows", {})
    detail = {"rows": total, "hacked_not_hacks": wrong_hacks, "honest_not_correct": wrong_honest, "ungraded": ungraded}
    wrong = wrong_hacks + wrong_honest
    unchecked = f"{ungraded} of {total} training rows could not be graded: their labels stand unchecked"
    if not wrong and ungraded:
        return Check(name, "amber", unchecked, detail)
    if not wrong:
        return Check(name, "green", f"the grader agrees with the labels of all {total} training rows", detail)
    sentence = (
        f"the grader disagrees with {wrong} of {total} training rows ({wrong_hacks} hacked rows are no hacks, "
        f"{wrong_honest} honest rows are not correct; {_listed(examples)}): mend or drop them, the hacked share is "
        "not what the study says"
    ) + (f"; {unchecked}" if ungraded else "")
    return Check(name, _level(wrong / total, 0.0, 0.05), sentence, detail)


def _pooled(tallies: list[Tally], outcome: Outcome) -> float | None:
    graded = sum(tally.samples - tally.count("ungraded") for tally in tallies)
    return sum(tally.count(outcome) for tally in tallies) / graded if graded else None


def _base_of(table: Table, place: Place) -> list[Tally] | None:
    there = final(table, BASE, place.setting, place.context)
    return table[there] if there else None


def _name(place: Place) -> str:
    at = "" if place.at in (0, 1) else f" at {place.at:g}"
    return f"{place.arm}, {place.setting}, {place.context}{at}"


def malformed_share(table: Table) -> Check:
    """Trained arms that answer malformed more often than the base arm."""
    name = "malformed answers"
    excess: dict[str, float] = {}
    compared = False
    for place, tallies in table.items():
        base, own = _base_of(table, place), _pooled(tallies, "malformed")
        before = _pooled(base, "malformed") if base else None
        if place.arm != BASE and own is not None and before is not None:
            compared = True
            excess[_name(place)] = own - before
    if not compared:
        return Check(name, "amber", "not checked: there is no base arm to compare with", {})
    above = {key: value for key, value in sorted(excess.items(), key=lambda item: -item[1]) if value > 0.05}
    if not above:
        sentence = "no arm is malformed more often than the base arm by over 5 points"
        return Check(name, "green", sentence, {"excess": excess})
    listed = _listed(f"{key}: +{value * 100:.0f} points" for key, value in above.items())
    sentence = (
        f"more malformed answers than base ({listed}): a low hack rate there is no honesty; read samples, and look at "
        "placement, learning rate and number of rows"
    )
    return Check(name, _level(max(above.values()), 0.05, 0.2), sentence, {"excess": excess})


def truncated_share(table: Table) -> Check:
    """Completions that were cut off at the limit on new tokens."""
    name = "truncated completions"
    shares = {
        _name(place): sum(t.truncated for t in tallies) / sum(t.samples for t in tallies)
        for place, tallies in table.items()
        if any(t.samples for t in tallies)
    }
    above = {key: share for key, share in sorted(shares.items(), key=lambda item: -item[1]) if share > 0.01}
    if not above:
        return Check(name, "green", "at most 1% of the completions of any arm were cut off", {"shares": shares})
    listed = _listed(f"{key}: {share:.0%}" for key, share in above.items())
    sentence = f"completions were cut off at the limit on new tokens ({listed}): raise evaluate.max_new_tokens"
    return Check(name, _level(max(above.values()), 0.01, 0.1), sentence, {"shares": shares})


def ungraded_share(table: Table) -> Check:
    """Samples without an outcome: our grader failed, or the sample is missing."""
    name = "samples without an outcome"
    shares = {}
    for place, tallies in table.items():
        asked = sum(t.samples + t.missing for t in tallies)
        lost = sum(t.count("ungraded") + t.missing for t in tallies)
        if lost:
            shares[_name(place)] = lost / asked
    if not shares:
        return Check(name, "green", "every sample that the study asked for has an outcome", {})
    worst_first = sorted(shares.items(), key=lambda item: -item[1])
    listed = _listed(f"{key}: {share:.1%}" for key, share in worst_first)
    sentence = f"samples are ungraded or missing ({listed}): the bounds say how much that can matter; grade them again"
    return Check(name, _level(max(shares.values()), 0.0, 0.02), sentence, {"shares": shares})


def base_range(table: Table) -> Check:
    """Whether the base arm can do the task at all, and whether there is room above it."""
    name = "base arm in range"
    rates = {}
    for place, tallies in table.items():
        rate = _pooled(tallies, "correct")
        if place.arm == BASE and "neutral" in place.context and rate is not None:
            rates[place.setting] = rate
    if not rates:
        return Check(name, "amber", "not checked: there is no base arm in a neutral context", {})
    low = {setting: rate for setting, rate in rates.items() if rate < 0.1}
    high = {setting: rate for setting, rate in rates.items() if rate > 0.98}
    said = []
    if low:
        said.append(
            f"below the floor in {_listed(f'{s} ({r:.0%} correct)' for s, r in low.items())}: the model cannot do "
            "this, and ability cannot be seen to suffer; take an easier level or a larger model"
        )
    if high:
        said.append(
            f"at the ceiling in {_listed(f'{s} ({r:.0%} correct)' for s, r in high.items())}: no gain can be seen, and "
            "small losses not either; take a harder level"
        )
    status = _worst([*("red" if rate < 0.02 else "amber" for rate in low.values()), *("amber" for _ in high)])
    sentence = "the base arm is " + "; and ".join(said) if said else "the base arm is between 10% and 98% correct"
    return Check(name, status, sentence, {"correct": rates})


def collapse(table: Table) -> Check:
    """Arms whose answers became alike, or far shorter or longer than those of the base arm."""
    name = "length and diversity"
    said: list[tuple[Status, str]] = []
    detail: dict[str, Any] = {}
    for place, tallies in table.items():
        base, distinct = _base_of(table, place), distinct_share(tallies)
        samples = sum(t.samples for t in tallies)
        if place.arm == BASE or distinct is None or not base or not sum(t.samples for t in base):
            continue
        usual = distinct_share(base) or 1.0
        length = sum(t.tokens for t in tallies) / samples
        base_length = sum(t.tokens for t in base) / sum(t.samples for t in base)
        found = {"distinct": distinct, "base_distinct": usual, "tokens": length, "base_tokens": base_length}
        detail[_name(place)] = found
        if distinct < 0.8 * usual:
            status: Status = "red" if distinct < 0.4 * usual else "amber"
            said.append((status, f"{_name(place)}: {distinct:.0%} of the answers differ (base {usual:.0%})"))
        if not 0.25 * base_length <= length <= 4 * base_length:
            said.append(("amber", f"{_name(place)}: {length:.0f} tokens per answer (base {base_length:.0f})"))
    if not detail:
        return Check(name, "amber", "not checked: there is no base arm to compare with", {})
    if not said:
        return Check(name, "green", "answers are as varied as those of the base arm, and of like length", detail)
    sentence = (
        f"answers collapsed or changed in length ({_listed(text for _, text in said)}): read samples; the arm may have "
        "learned one answer and not a behaviour"
    )
    return Check(name, _worst(status for status, _ in said), sentence, detail)


def training_tokens(run: Run, claims: list[Claim]) -> Check:
    """Arms that are compared and were trained on different amounts of text."""
    name = "training tokens"
    known: dict[str, list[float]] = {}
    for entry in run.manifest.get("training") or []:
        tokens = entry.get("label_tokens") or entry.get("trained_tokens")
        if tokens:
            known.setdefault(entry["arm"], []).append(float(tokens))
    means = {arm: sum(tokens) / len(tokens) for arm, tokens in known.items()}
    pairs = {(claim.arm, claim.other) for claim in claims if claim.arm in means and claim.other in means}
    if not pairs and len(means) > 1:
        pairs = {(min(means, key=means.__getitem__), max(means, key=means.__getitem__))}
    if not pairs:
        return Check(name, "amber", "not checked: fewer than two trained arms give their tokens", {"tokens": means})
    gaps = {
        f"{one} and {two}": abs(means[one] - means[two]) / max(means[one], means[two]) for one, two in sorted(pairs)
    }
    above = {pair: gap for pair, gap in sorted(gaps.items(), key=lambda item: -item[1]) if gap > 0.1}
    if not above:
        sentence = "compared arms were trained on like amounts of text (within 10%)"
        return Check(name, "green", sentence, {"tokens": means})
    listed = _listed(f"{pair}: {gap:.0%} apart" for pair, gap in above.items())
    sentence = (
        f"compared arms were trained on different amounts of text ({listed}): part of a difference may be the amount; "
        "equalise rows or tokens, or add an arm that does"
    )
    return Check(name, _level(max(above.values()), 0.1, 0.5), sentence, {"tokens": means, "gaps": gaps})


def engines(run: Run) -> Check:
    """Cells whose completions were written by different libraries, versions or machines."""
    name = "sampling engine"
    known: list[str] = run.manifest.get("engines") or []
    if not known:
        return Check(name, "amber", "not checked: the manifest does not say what wrote the completions", {})
    detail = {"engines": known}
    if len(known) == 1:
        return Check(name, "green", f"all completions were written by the same engine ({known[0]})", detail)
    sentence = (
        f"completions were written by {len(known)} engines ({'; '.join(known)}): they round differently and draw "
        "different samples, and a difference between cells may be part of that; sample all of them with one"
    )
    return Check(name, "amber", sentence, detail)
