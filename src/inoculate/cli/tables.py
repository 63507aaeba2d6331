"""Tables of plans and of `inoculate doctor`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from shlex import join
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from rich.text import Text

from inoculate import settings
from inoculate.grading.command import Finding
from inoculate.records import BASE, name_part, setting_of
from inoculate.steps import completions
from inoculate.steps.estimate import estimate
from inoculate.steps.plan import Plan
from inoculate.steps.problems import count_parts
from inoculate.steps.store import Step, Store

if TYPE_CHECKING:
    from inoculate.analysis.preflight.arms import ArmForecast
    from inoculate.study.schema import Study

MOST_LISTED = 1000
"""Steps of a plan that are shown one by one; rich needs more than a millisecond for each."""
_SHORT = 8
"""How many signs of a step's name tell it apart from others; `inoculate step` takes as few."""
_UNKNOWN = "unknown until the model is downloaded"
_VERDICT_STYLES = {"will": "green", "may": "yellow", "cannot": "bold red"}


def format_duration(seconds: float) -> str:
    """A length of time for people."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def plan_facts(plan: Plan, store: Store, seeds: Collection[int] | None = None) -> dict[str, Any]:
    """The steps of a plan, which are finished, and an estimate for the rest, as plain data.

    Args:
        plan: The plan.
        store: Where finished steps are.
        seeds: Only the steps of these seeds of the study; None for all.

    Returns:
        `name`, `question`, `steps` (`label`, `kind`, `name`, `finished`, `needed`: whether it has to be done,
        and what a queue has to know: `waits_for`, the names of its inputs that are not finished, `together`, the name
        of the first step of those that are best carried out by one process, and `cpus`, `gpus`, `memory_gb`,
        `processes` and `shard`),
        `finished` and `to_do` (how many), `slower` (why this process samples and trains the model on the plain path; ''
        where it does not), `seconds` and `memory_gb` of the steps to do, None where they are not known;
        `seconds_by_kind`, the parts of `seconds`; `unknown`: what of the data shows only when it is drawn;
        `contrasts` (`assess_contrasts`) and `warnings`: what a study of this size can decide; `forecasts`: for each RL
        arm, whether the hack will be learned (`ArmForecast.to_plain`); `remarks`: what works otherwise than it may
        seem.
    """
    steps = plan.steps(seeds)
    finished = store.finished_keys(steps)
    missing = plan.missing(store, seeds)
    needs = estimate(plan, store, missing)
    return {
        "name": plan.study.name,
        "question": plan.study.question,
        "steps": _step_facts(plan, steps, finished, missing),
        "finished": len(finished),
        "to_do": len(missing),
        "slower": needs.slower,
        "seconds": needs.seconds,
        "seconds_by_kind": needs.parts,
        "memory_gb": needs.memory_gb,
        "unknown": plan.unknown,
        "remarks": _small_arms(plan.study),
        **_design_facts(plan, store),
        "forecasts": _forecast_facts(plan, store, seeds),
    }


def _small_arms(study: Study) -> list[str]:
    """Arms whose optimizer steps cannot have as many rows as the study says."""
    found: list[str] = []
    for name, arm in study.arms.items():
        rows = sum(table.count + table.vetted.rows for table in arm.row_tables)
        if not arm.is_rewarded and rows < arm.train.batch_rows:
            steps = arm.train.steps(rows)
            found.append(
                f"arms.{name}.train.batch_rows = {arm.train.batch_rows}, and the arm has {rows} rows: a step has all "
                f"of them, and its training {steps} step{'s' * (steps > 1)}"
            )
    return found


def _step_facts(
    plan: Plan, steps: Sequence[Step], finished: Collection[str], missing: Sequence[Step]
) -> list[dict[str, Any]]:
    to_do = {step.key for step in missing}
    first = {step.key: group[0].key for group in completions.in_groups(missing) for step in group}
    return [
        {
            "label": step.label,
            "kind": step.kind,
            "name": step.key,
            "finished": step.key in finished,
            "needed": step.key in to_do,
            "waits_for": sorted({given.key for given in step.inputs.values()} - set(finished)),
            "together": first.get(step.key, step.key),
            **(needs := plan.study.needs_of(step.kind)).model_dump(),
            "processes": needs.count,
        }
        for step in steps
    ]


def _forecast_facts(plan: Plan, store: Store, seeds: Collection[int] | None) -> list[dict[str, Any]]:
    """Whether the hack will be learned, for each RL arm."""
    if not any(training.preflight for training in plan.trainings):
        return []
    from inoculate.steps.forecasts import read_forecasts  # takes a second, which other studies need not spend

    return [one.to_plain() for one in read_forecasts(plan, store, seeds)]


def _design_facts(plan: Plan, store: Store) -> dict[str, Any]:
    """Which declared contrasts the study can decide."""
    study = plan.study
    if not study.contrasts or not study.arms:
        return {"contrasts": [], "warnings": []}
    from inoculate.analysis import design  # takes a second, which other commands need not spend

    planned = []
    drawn = {cell.setting: cell.problems for cell in plan.cells}
    for contrast in study.contrasts:
        name = contrast.setting or study.evaluate.settings[0]
        setting = setting_of(name)
        evaluate = study.evaluate.for_setting(setting)
        parts = {name_part(setting, part): count for part, count in (count_parts(drawn[setting]) or {}).items()}
        place = (contrast.claim, contrast.measure, name, contrast.context)
        samples = 1 if settings.find(setting).choices else evaluate.samples
        size = (contrast.margin, parts.get(name, 1) if parts else evaluate.problems, samples)
        planned.append(design.Planned(*place, contrast.direction, *size, against_base=BASE in contrast.arms))
    looks, lenders = sorted({*study.looks, len(study.seeds)}), study.lending_arms()
    assessed = design.assess_contrasts(planned, looks, lenders, design.read_earlier(store.root / "runs", study.model))
    return {"contrasts": assessed, "warnings": design.summarise(assessed, looks[-1], lenders)}


def plan_table(facts: dict[str, Any], preflight: Sequence[str], steps: bool = False) -> Group:
    """What a plan takes and what is missing, what it can decide, and if asked its steps.

    Args:
        facts: From `plan_facts`.
        preflight: The command that samples the untrained policy of RL, word by word.
        steps: Whether the steps are listed.
    """
    lines = [Text(f"{facts['name']}: {facts['question']}", style="italic"), *_need_lines(facts)]
    lines += [Text(f"not known yet: {unknown}") for unknown in facts["unknown"]]
    lines += [Text(remark, style="yellow") for remark in facts["remarks"]]
    lines += [*_design_lines(facts), *_forecast_lines(facts, preflight)]
    return Group(*lines, Text(""), _step_table(facts["steps"])) if steps else Group(*lines)


def _need_lines(facts: dict[str, Any]) -> list[Text]:
    """Time and memory, and how many steps of which kind are missing."""
    steps = facts["steps"]
    counts = Counter(step["kind"] for step in steps if step["needed"])
    missing = f"missing: {facts['to_do']:,} of {len(steps):,} steps, {facts['finished']:,} finished"
    lines = []
    if facts["to_do"]:
        seconds, memory = facts["seconds"], facts["memory_gb"]
        time_needed = _UNKNOWN if seconds is None else f"about {format_duration(seconds)}"
        parts = ", ".join(f"{kind} {format_duration(part)}" for kind, part in facts["seconds_by_kind"].items())
        time_needed += f": {parts}" if len(facts["seconds_by_kind"]) > 1 else ""
        lines.append(f"time: {time_needed} (on two CPU cores, unless steps like these were measured here)")
        each = " in the process that needs most" if any(step["processes"] > 1 for step in steps) else ""
        lines.append(f"memory: {_UNKNOWN if memory is None else f'about {memory:.1f} GB{each}'}")
        missing += f" ({', '.join(f'{count:,} {kind}' for kind, count in counts.items())})"
    lines.append(missing)
    divided = {
        step["kind"]: f"{step['processes']} for each {step['kind']}{', which share the weights' * step['shard']}"
        for step in steps
        if step["needed"] and step["processes"] > 1
    }
    if divided:
        lines.append(f"processes: {'; '.join(divided.values())}")
    if facts["to_do"] and facts["slower"]:
        lines.append(f"slower: {facts['slower']}; the time allows for the plain path")
    if absent := len(steps) - facts["finished"] - facts["to_do"]:
        lines.append(f"{absent:,} trainings are not here and not needed: all that was asked of them is finished")
    return [Text(line) for line in lines]


def _step_table(steps: list[dict[str, Any]]) -> Table:
    """A line for each step; for each kind of step where they are very many."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    if len(steps) <= MOST_LISTED:
        table.add_column("step", overflow="fold")
        for heading in ("kind", "name", "finished"):
            table.add_column(heading, no_wrap=True)
        table.add_column("waits for", overflow="fold")
        kinds = {step["name"]: step["kind"] for step in steps}
        for step in steps:
            waits = ", ".join(f"{kinds.get(name, '')} {name[:_SHORT]}" for name in step["waits_for"])
            shown = waits if step["needed"] else ""
            table.add_row(Text(step["label"]), step["kind"], step["name"], _finished(step), shown)
        return table
    for heading in ("kind", "steps", "finished"):
        table.add_column(heading)
    table.caption = f"by kind, since they are more than {MOST_LISTED:,}"
    finished = Counter(step["kind"] for step in steps if step["finished"])
    for kind, count in Counter(step["kind"] for step in steps).items():
        table.add_row(kind, f"{count:,}", f"{finished[kind]:,}")
    return table


def _design_lines(facts: dict[str, Any]) -> list[Text]:
    """What a study of this size can decide, a line for each contrast, and warnings."""
    if not facts["contrasts"]:
        return []
    lines = [Text("\nWhat a study of this size can decide", style="italic")]
    for contrast in facts["contrasts"]:
        style = "" if contrast["decides"] else "yellow"
        lines.append(Text(f"{contrast['claim']}: {contrast['sentence']}", style=style))
    sources = dict.fromkeys(contrast["variances"] for contrast in facts["contrasts"] if contrast["variances"])
    lines += [Text(f"variances: {source}", style="dim") for source in sources]
    return lines + [Text(f"warning: {warning}", style="bold yellow") for warning in facts["warnings"]]


def _forecast_lines(facts: dict[str, Any], preflight: Sequence[str]) -> list[Text]:
    """Whether RL will learn the hack, a line for each of its arms."""
    if not facts["forecasts"]:
        return []
    lines = [Text("\nWhether RL will learn the hack", style="italic")]
    for one in facts["forecasts"]:
        found = one["preflight"]
        said = one["headline"] or f"not sampled yet: {join(preflight)}"
        style = _VERDICT_STYLES[found["verdict"]] if found else "dim"
        lines.append(Text(f"{one['arm']}{_name_sampled(one['sampled'], one['seeds'])}: {said}", style=style))
    return lines


def _name_sampled(sampled: Sequence[int], seeds: Sequence[int]) -> str:
    """From which seeds' problems, where it is not all of them; empty where none is sampled."""
    if not sampled or len(sampled) == len(seeds):
        return ""
    return f" (from {len(sampled)} of {len(seeds)} seeds)"


def forecast_text(forecasts: Sequence[ArmForecast]) -> Text:
    """The forecasts of RL arms in full, the verdict of each coloured.

    Args:
        forecasts: From `read_forecasts`.
    """
    from inoculate.analysis.preflight import describe

    parts = Text()
    for one in forecasts:
        parts.append(f"{one.arm}{_name_sampled(one.sampled, one.seeds)}\n", style="bold")
        if not one.preflight:
            parts.append("not sampled yet\n\n")
            continue
        first, _, rest = describe(one.preflight).partition("\n")
        parts.append(first, style=_VERDICT_STYLES[one.preflight.verdict]).append(f"\n{rest}\n\n")
    parts.rstrip()
    return parts


def _finished(step: dict[str, Any]) -> str:
    return "yes" if step["finished"] else "" if step["needed"] else "not needed"


def doctor_table(findings: Sequence[Finding]) -> Table:
    """What the machine can do."""
    table = Table("", "what", "finding", box=SIMPLE_HEAD, pad_edge=False)
    for finding in findings:
        mark = {True: "[green]good[/]", False: "[red]bad[/]", None: ""}[finding.good]
        table.add_row(mark, finding.name, finding.message)
    return table
