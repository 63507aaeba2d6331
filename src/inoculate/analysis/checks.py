"""Validity checks: what could make the numbers of a run misleading."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from inoculate.analysis.arms import row_folders
from inoculate.analysis.behaviour import check_floor, check_obedience
from inoculate.analysis.cells import Table, distinct_share, find_final_cell
from inoculate.analysis.claims import Claim
from inoculate.analysis.findings import (
    Check,
    Status,
    base_tallies,
    describe_key,
    name_some,
    pooled_rate,
    status_of,
    worst_status,
)
from inoculate.analysis.overlap import find_overlap, shingles
from inoculate.analysis.run_folder import Run
from inoculate.analysis.supply import has_levels, offers
from inoculate.errors import UserError
from inoculate.records import BASE, Grade, Row, read_lines
from inoculate.study import prompts


def run_checks(run: Run, table: Table, claims: list[Claim]) -> list[Check]:
    """All checks of a run, each green, amber or red."""
    checks: list[Callable[[], Check]] = [
        lambda: check_shared_problems(run),
        lambda: check_prompt_leaks(run, table),
        lambda: check_row_labels(run),
        lambda: check_malformed(table),
        lambda: check_truncated(table),
        lambda: check_ungraded(table),
        lambda: check_base_range(table),
        lambda: check_floor(run.study, table),
        lambda: check_obedience(run.study, table),
        lambda: check_collapse(table),
        lambda: check_adapters_used(run, table),
        lambda: check_training_tokens(run, claims),
        lambda: check_engines(run),
    ]
    if len(run.manifest.get("machines") or ()) > 1:
        checks.append(lambda: check_machines(run))
    return [check() for check in checks]


def check_shared_problems(run: Run) -> Check:
    """Problems that training and evaluation share, exactly or nearly."""
    name = "shared problems"
    entries = run.manifest.get("training") or []
    rows = {run.path(folder) for entry in entries for folder, _, _ in row_folders(entry) if folder}
    problems = {run.path(cell["problems"]) for cell in run.manifest["cells"] if cell["problems"]}
    if not rows or not problems:
        return Check(name, "amber", "not checked: the manifest names no training rows", {})
    try:
        overlap = find_overlap(sorted(rows), sorted(problems))
    except UserError as error:
        return Check(name, "amber", f"not checked: {error}", {})
    detail = {"rows": overlap.rows, "problems": overlap.problems, "same_id": overlap.same_id[:100]}
    detail |= {"same_text": overlap.same_text[:100], "near": overlap.near[:100], "same_kind": overlap.same_kind[:100]}
    same = overlap.same_id + overlap.same_text
    if same:
        sentence = (
            f"{len(same)} of {overlap.problems} evaluation problems were trained on ({name_some(same)}): the rates "
            "measure memory; evaluate on another split"
        )
        return Check(name, "red", sentence, detail)
    if overlap.near:
        sentence = (
            f"{len(overlap.near)} of {overlap.problems} evaluation problems nearly repeat a training prompt "
            f"({name_some(overlap.near)}): read them, and leave out those that are the same task"
        )
        return Check(name, "amber", sentence, detail)
    if overlap.same_kind:
        sentence = (
            f"{len(overlap.same_kind)} kinds of problem are in training and evaluation "
            f"({name_some(overlap.same_kind)}): the rates hold for kinds seen in training; hold out "
            "whole kinds to measure new ones"
        )
        return Check(name, "amber", sentence, detail)
    counts = f"{overlap.problems} evaluation problems repeats or nearly repeats one of {overlap.rows} training problems"
    return Check(name, "green", f"none of {counts}", detail)


def check_prompt_leaks(run: Run, table: Table) -> Check:
    """Inoculation text in evaluation prompts of contexts that are called neutral."""
    name = "inoculation in neutral prompts"
    leaks: Counter[str] = Counter()
    for key, tallies in table.items():
        if prompts.NEUTRAL in key.context:
            for tally in tallies:
                leaks.update(tally.leaks)
    texts = run.inoculations()
    contexts = run.study["evaluate"].get("contexts") or {}
    similar = []
    for context, spec in contexts.items() if isinstance(contexts, dict) else ():
        context_shingles = shingles(str((spec or {}).get("text") or ""))
        for text, arm in texts.items():
            text_shingles = shingles(text)
            if (
                prompts.NEUTRAL in context
                and context_shingles
                and len(context_shingles & text_shingles) / len(text_shingles) >= 0.5
            ):
                similar.append(f"context '{context}' and arm '{arm}'")
    detail = {"prompts": dict(leaks), "alike": similar}
    if leaks:
        sentence = (
            f"{sum(leaks.values())} prompts of neutral contexts contain an inoculation ({name_some(sorted(leaks))}): "
            "they are not neutral; remove it from the context or rename the context"
        )
        return Check(name, "red", sentence, detail)
    if similar:
        return Check(
            name,
            "amber",
            f"much of the inoculation's text is also in {name_some(similar)}: reword one of them",
            detail,
        )
    if not any(prompts.NEUTRAL in key.context for key in table):
        return Check(name, "amber", "not checked: no context is called neutral", detail)
    return Check(name, "green", "no prompt of a neutral context contains an inoculation", detail)


def check_row_labels(run: Run) -> Check:
    """Rows whose label the grader disagrees with: hacked rows that are not hacks, honest rows that are not correct."""
    name = "labels of training rows"
    folders = {
        (run.path(rows), run.path(graded))
        for entry in run.manifest.get("training") or []
        for rows, graded, _ in row_folders(entry)
        if rows and graded and "rl" not in entry  # which takes the problems of its rows and not their answers
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
    unchecked = f"{ungraded} of {total} training rows could not be graded: their labels are not checked"
    if not wrong and ungraded:
        return Check(name, "amber", unchecked, detail)
    if not wrong:
        return Check(name, "green", f"the grader agrees with the labels of all {total} training rows", detail)
    sentence = (
        f"the grader disagrees with {wrong} of {total} training rows ({wrong_hacks} hacked rows are not hacks, "
        f"{wrong_honest} honest rows are not correct; {name_some(examples)}): fix or remove them, since the "
        "hacked share is not the declared one"
    ) + (f"; {unchecked}" if ungraded else "")
    return Check(name, status_of(wrong / total, 0.0, 0.05), sentence, detail)


def check_malformed(table: Table) -> Check:
    """Trained arms that answer malformed more often than the base arm."""
    name = "malformed answers"
    excess: dict[str, float] = {}
    compared = False
    for key, tallies in table.items():
        base, rate = base_tallies(table, key), pooled_rate(tallies, "malformed")
        base_rate = pooled_rate(base, "malformed") if base else None
        if key.arm != BASE and rate is not None and base_rate is not None:
            compared = True
            excess[describe_key(key)] = rate - base_rate
    if not compared:
        return Check(name, "amber", "not checked: there is no base arm to compare with", {})
    above = {key: value for key, value in sorted(excess.items(), key=lambda item: -item[1]) if value > 0.05}
    if not above:
        sentence = "no arm has over 5 points more malformed answers than the base arm"
        return Check(name, "green", sentence, {"excess": excess})
    listed = name_some(f"{key}: +{value * 100:.0f} points" for key, value in above.items())
    sentence = (
        f"more malformed answers than base ({listed}): a low hack rate there does not mean honesty; read samples, and "
        "check placement, learning rate and number of rows"
    )
    return Check(name, status_of(max(above.values()), 0.05, 0.2), sentence, {"excess": excess})


def check_truncated(table: Table) -> Check:
    """Completions that were cut off at the limit on new tokens."""
    name = "truncated completions"
    shares = {
        describe_key(key): sum(t.truncated for t in tallies) / sum(t.samples for t in tallies)
        for key, tallies in table.items()
        if any(t.samples for t in tallies)
    }
    above = {key: share for key, share in sorted(shares.items(), key=lambda item: -item[1]) if share > 0.01}
    if not above:
        return Check(name, "green", "in no arm were more than 1% of the completions cut off", {"shares": shares})
    listed = name_some(f"{key}: {share:.0%}" for key, share in above.items())
    sentence = f"completions were cut off at the limit on new tokens ({listed}): raise evaluate.max_new_tokens"
    return Check(name, status_of(max(above.values()), 0.01, 0.1), sentence, {"shares": shares})


def check_ungraded(table: Table) -> Check:
    """Samples without an outcome: the grader failed, or the sample is missing."""
    name = "samples without an outcome"
    shares = {}
    for key, tallies in table.items():
        requested = sum(t.samples + t.missing for t in tallies)
        lost = sum(t.count("ungraded") + t.missing for t in tallies)
        if lost:
            shares[describe_key(key)] = lost / requested
    if not shares:
        return Check(name, "green", "every requested sample has an outcome", {})
    worst_first = sorted(shares.items(), key=lambda item: -item[1])
    listed = name_some(f"{key}: {share:.1%}" for key, share in worst_first)
    sentence = f"samples are ungraded or missing ({listed}): the bounds show how much that can matter; grade them again"
    return Check(name, status_of(max(shares.values()), 0.0, 0.02), sentence, {"shares": shares})


def check_base_range(table: Table) -> Check:
    """Whether the base arm's rate of `correct` is neither at the floor nor at the ceiling."""
    name = "base arm in range"
    rates = {}
    for key, tallies in table.items():
        rate = pooled_rate(tallies, "correct")
        if key.arm == BASE and prompts.NEUTRAL in key.context and rate is not None:
            rates[key.setting] = rate
    if not rates:
        return Check(name, "amber", "not checked: there is no base arm in a neutral context", {})
    low = {setting: rate for setting, rate in rates.items() if rate < 0.1}
    high = {setting: rate for setting, rate in rates.items() if rate > 0.98}
    findings = []
    if low:
        findings.append(
            f"below the floor in {name_some(f'{s} ({r:.0%} correct)' for s, r in low.items())}: the model cannot do "
            "this, so a loss of ability cannot be measured; use "
            f"{'an easier level or ' * offers(low, has_levels)}a larger model"
        )
    if high:
        findings.append(
            f"at the ceiling in {name_some(f'{s} ({r:.0%} correct)' for s, r in high.items())}: gains and small "
            f"losses cannot be measured{'; use a harder level' * offers(high, has_levels)}"
        )
    status = worst_status([*("red" if rate < 0.02 else "amber" for rate in low.values()), *("amber" for _ in high)])
    sentence = (
        "the base arm is " + "; and ".join(findings) if findings else "the base arm is between 10% and 98% correct"
    )
    return Check(name, status, sentence, {"correct": rates})


def check_collapse(table: Table) -> Check:
    """Arms whose answers became less varied, or far shorter or longer than those of the base arm."""
    name = "length and diversity"
    findings: list[tuple[Status, str]] = []
    detail: dict[str, Any] = {}
    for key, tallies in table.items():
        base, distinct = base_tallies(table, key), distinct_share(tallies)
        samples = sum(t.samples for t in tallies)
        if key.arm == BASE or distinct is None or not base or not sum(t.samples for t in base):
            continue
        base_distinct = distinct_share(base) or 1.0
        length = sum(t.tokens for t in tallies) / samples
        base_length = sum(t.tokens for t in base) / sum(t.samples for t in base)
        measures = {"distinct": distinct, "base_distinct": base_distinct, "tokens": length, "base_tokens": base_length}
        detail[cell := describe_key(key)] = measures
        if distinct < 0.8 * base_distinct:
            status: Status = "red" if distinct < 0.4 * base_distinct else "amber"
            findings.append((status, f"{cell}: {distinct:.0%} of the answers differ (base {base_distinct:.0%})"))
        if not 0.25 * base_length <= length <= 4 * base_length:
            findings.append(("amber", f"{cell}: {length:.0f} tokens per answer (base {base_length:.0f})"))
    if not detail:
        return Check(name, "amber", "not checked: there is no base arm to compare with", {})
    if not findings:
        return Check(name, "green", "answers are as varied as those of the base arm, and of similar length", detail)
    sentence = (
        f"answers collapsed or changed in length ({name_some(text for _, text in findings)}): read samples; the arm "
        "may have learned one answer instead of a behaviour"
    )
    return Check(name, worst_status(status for status, _ in findings), sentence, detail)


def check_adapters_used(run: Run, table: Table) -> Check:
    """Trained arms that answer, in all they are evaluated in, letter by letter as the untrained model does.

    Choices are left out: of a few given ones, a trained model may well take those that the untrained one takes.
    """
    name = "adapters in use"
    is_base: dict[tuple[str, int | None], list[bool]] = {}
    for key, tallies in table.items():
        base = base_tallies(table, key)
        if key.arm != BASE and base and key == find_final_cell(table, key.arm, key.setting, key.context):
            for tally in (tally for tally in tallies if not tally.are_choices):
                is_base.setdefault((key.arm, tally.seed), []).append(tally.content == base[0].content)
    if not is_base:
        return Check(name, "amber", "not checked: there is no base arm to compare with, or choices only", {})
    alike = [arm_and_seed for arm_and_seed, cells in is_base.items() if all(cells)]
    learned = {(one["arm"], one["seed"]): one.get("trained_tokens") for one in run.manifest.get("training") or ()}
    same, unchanged = (
        [f"'{arm}', seed {seed}" for arm, seed in alike if (learned.get((arm, seed)) == 0) is nothing]
        for nothing in (False, True)
    )
    findings: list[str] = []
    if same:
        findings.append(f"all completions of {name_some(same)} are those of the base arm: {_explain_same(run)}")
    if unchanged:
        findings.append(
            f"{name_some(unchanged)} learned from no token, since expert iteration kept no completion, and is the base "
            "arm once more: draw more completions, or reward what the model does now and then"
        )
    detail = {"same": same, "unchanged": unchanged}
    if not findings:
        return Check(name, "green", "every trained arm answers otherwise than the base arm", detail)
    return Check(name, "red" if same else "amber", "; ".join(findings), detail)


def _explain_same(run: Run) -> str:
    """What may have happened where a trained arm answers as the base arm does, and what to do."""
    if any("server" in engine.split(", ") for engine in run.manifest.get("engines") or ()):
        return (
            "the adapter had no part in them (a server can answer with the model it knows and say nothing), or its "
            "training changed nothing; sample a few of them in this process, without --server"
        )
    return (
        "its training changed no answer; see whether its loss fell, and give it more rows, more epochs or a higher "
        "learning rate"
    )


def check_training_tokens(run: Run, claims: list[Claim]) -> Check:
    """Compared arms that were trained on different amounts of text."""
    name = "training tokens"
    tokens_by_arm: dict[str, list[float]] = {}
    for entry in run.manifest.get("training") or []:
        tokens = entry.get("label_tokens") or entry.get("trained_tokens")
        if tokens:
            tokens_by_arm.setdefault(entry["arm"], []).append(float(tokens))
    means = {arm: sum(tokens) / len(tokens) for arm, tokens in tokens_by_arm.items()}
    pairs = {(claim.arm, claim.other) for claim in claims if claim.arm in means and claim.other in means}
    if not pairs and len(means) > 1:
        pairs = {(min(means, key=means.__getitem__), max(means, key=means.__getitem__))}
    if not pairs:
        return Check(name, "amber", "not checked: fewer than two trained arms have token counts", {"tokens": means})
    gaps = {
        f"{first} and {second}": abs(means[first] - means[second]) / max(means[first], means[second])
        for first, second in sorted(pairs)
    }
    above = {pair: gap for pair, gap in sorted(gaps.items(), key=lambda item: -item[1]) if gap > 0.1}
    if not above:
        sentence = "compared arms were trained on similar amounts of text (within 10%)"
        return Check(name, "green", sentence, {"tokens": means})
    listed = name_some(f"{pair}: {gap:.0%} apart" for pair, gap in above.items())
    sentence = (
        f"compared arms were trained on different amounts of text ({listed}): part of a difference may come from that; "
        "equalise rows or tokens, or add an arm that does"
    )
    return Check(name, status_of(max(above.values()), 0.1, 0.5), sentence, {"tokens": means, "gaps": gaps})


def check_engines(run: Run) -> Check:
    """Cells whose completions were sampled with different libraries, versions or machines."""
    name = "sampling engine"
    engines: list[str] = run.manifest.get("engines") or []
    if not engines:
        return Check(name, "amber", "not checked: the manifest does not name the sampling engine", {})
    detail = {"engines": engines}
    if len(engines) == 1:
        return Check(name, "green", f"all completions were sampled by the same engine ({engines[0]})", detail)
    sentence = (
        f"completions were sampled by {len(engines)} engines ({'; '.join(engines)}): these round differently and draw "
        "different samples, so part of a difference between cells may come from that; sample all cells with one engine"
    )
    return Check(name, "amber", sentence, detail)


def check_machines(run: Run) -> Check:
    """Machines that carried out parts of the study with other versions of libraries."""
    name = "libraries of the machines"
    machines = run.manifest["machines"]
    used: dict[str, dict[str, list[str]]] = {}
    for machine in machines:
        for library, number in machine["versions"].items():
            used.setdefault(library, {}).setdefault(number, []).append(machine["name"])
    differing = {library: numbers for library, numbers in used.items() if len(numbers) > 1}
    detail = {"versions": differing}
    unknown = [machine["name"] for machine in machines if not machine["versions"]]
    if differing:
        listed = "; ".join(
            f"{library} {' and '.join(f'{number} on {name_some(names)}' for number, names in numbers.items())}"
            for library, numbers in differing.items()
        )
        sentence = (
            f"{len(machines)} machines took part with different versions of libraries ({listed}): part of a difference "
            "between seeds may come from that"
        )
        return Check(name, "amber", sentence, detail)
    if unknown:
        return Check(name, "amber", "not checked: for some steps no machine was recorded", detail)
    return Check(name, "green", f"{len(machines)} machines took part with the same versions of libraries", detail)
