"""From a study to its steps: what is to be made, in order, with what each depends on. Loads no torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inoculate import settings
from inoculate.engine import models
from inoculate.steps import rows
from inoculate.steps.store import Step, Store, file_digest
from inoculate.study import prompts
from inoculate.study.schema import BASE, Arm, Each, Study


@dataclass(frozen=True)
class Cell:
    """One arm, seed, point of training, setting and context: what is sampled and graded together."""

    arm: str
    seed: int | None
    """None for the untrained arm."""
    at: float
    """Share of training done; 0 for the untrained arm."""
    setting: str
    context: str
    problems: Step
    completions: Step
    grades: Step


@dataclass(frozen=True)
class Training:
    """One arm and seed: its rows and its adapter."""

    arm: str
    seed: int
    rows: Step
    row_grades: Step
    adapter: Step


@dataclass(frozen=True)
class Plan:
    """A study as steps."""

    study: Study
    cells: list[Cell] = field(default_factory=list)
    trainings: list[Training] = field(default_factory=list)
    scores: Step | None = None
    """The log-probabilities of training answers, where the plan is a screen's."""
    server: str = ""
    """The address of the server that samples; '' where this process does."""

    def steps(self) -> list[Step]:
        """All steps, each once, in an order in which every step comes after its inputs.

        The untrained arm comes first; then each arm and seed is trained, sampled and graded before the next, so that
        an interrupted study leaves whole arms behind.
        """
        seen: dict[str, Step] = {}

        def add(step: Step) -> None:
            if step.key in seen:
                return
            for given in step.inputs.values():
                add(given)
            seen.setdefault(step.key, step)

        trained: dict[tuple[str, int | None], Training] = {(t.arm, t.seed): t for t in self.trainings}
        for cell in self.cells:
            training = trained.get((cell.arm, cell.seed))
            if training:
                add(training.row_grades)  # before hours go into rows that are not what they are called
                add(training.adapter)
            add(cell.completions)
            add(cell.grades)
        if self.scores:
            add(self.scores)
        return list(seen.values())

    def finished(self, store: Store) -> set[str]:
        """Keys of the steps that the store has."""
        return store.finished(self.steps())


def make(study: Study, weights: str = "", server: str = "") -> Plan:
    """The plan of a study.

    Args:
        study: The study.
        weights: The fingerprint of its model; found out unless given.
        server: The address of the server that samples; '' for this process.

    Raises:
        UserError: Its model is none, or cannot be identified without a network; or the user's data is not what it has
            to be.
    """
    weights = weights or models.fingerprint(study.model)
    plan = Plan(study, server=server)
    _read_data(study)
    problems = {setting: _problems(study, setting) for setting in study.evaluate.settings}
    plan.cells.extend(_cells(plan, problems, weights, BASE, None, 0.0, None))
    for seed in study.seeds:
        for name, arm in study.arms.items():
            training = _training(study, name, arm, seed, weights)
            plan.trainings.append(training)
            for fraction in study.evaluate.fractions:
                plan.cells.extend(_cells(plan, problems, weights, name, seed, fraction, training.adapter))
    return plan


def _read_data(study: Study) -> None:
    """Read the user's own files now, so that what is wrong in them is refused before any work."""
    for setting in study.evaluate.settings:
        given, own = study.evaluate.of(setting), study.evaluate.each.get(setting, Each())
        if own.source.endswith(".jsonl"):
            draw = settings.Draw(
                given.split, given.problems, given.seed, given.families, given.levels, own.source, own.grader
            )
            first = settings.find(setting).problems(draw)[0]
            for context in given.contexts:
                prompts.messages(first, *study.context(context, setting), "")
    for arm in study.arms.values():
        for seed in study.seeds if arm.rows.source.endswith(".jsonl") else ():
            drawn = rows.draw(arm.rows, seed)
            if arm.inoculation:
                prompts.messages(drawn[0][0], "a prompt", arm.inoculation.placement or study.placement, "")


def _problems(study: Study, setting: str) -> Step:
    evaluate = study.evaluate.of(setting)
    own = study.evaluate.each.get(setting, Each())
    twins = bool(settings.find(setting).twin and study.splits_hacks(setting))
    draw = {
        "setting": setting,
        "setting_version": settings.find(setting).version,
        "source": own.source,
        **_files(setting, own.source),
        **({"grader": own.grader} if own.grader else {}),
        "split": evaluate.split,
        "count": evaluate.problems,
        "seed": evaluate.seed,
        "families": evaluate.families,
        "levels": evaluate.levels,
        **({"twins": True} if twins else {}),
    }
    return Step("problems", draw, label=f"{evaluate.problems} problems of {setting}")


def _files(*names: str) -> dict[str, Any]:
    """The user's files among these names, so that a file which was changed is another input; nothing where none is."""
    files = {name: file_digest(name) for name in names if Path(name).suffix and Path(name).expanduser().is_file()}
    return {"files": files} if files else {}


def _grading(setting: str, grader: str) -> dict[str, Any]:
    """What grading depends on. A grader that was changed is asked again; nothing is sampled or trained for it."""
    version = settings.find(setting).grading
    return {"setting": setting, "grading_version": version, **_files(setting, grader.partition(":")[0])}


def rows_step(study: Study, name: str, arm: Arm, seed: int, weights: str) -> Step:
    """The rows of an arm.

    Args:
        study: The study.
        name: The arm's name, for people.
        arm: The arm.
        seed: Of the draw.
        weights: The model's fingerprint.
    """
    # `grader` is left out where none is given.
    said = arm.rows.model_dump(mode="json", exclude=set() if arm.rows.grader else {"grader"})
    rows_params: dict[str, Any] = {
        "rows": said,
        **_files(arm.rows.setting, arm.rows.source),
        "setting_version": settings.find(arm.rows.setting).version,
        "seed": seed,
        "system": study.system,
        # The chat template's default system prompt is written out, and a control is as long as the model's own
        # tokenizer says: both depend on the model.
        "model": weights,
        "inoculation": None,
    }
    if arm.inoculation:
        given = arm.inoculation
        wordings = study.wordings(given.prompt, arm.rows.setting) if given.rephrase else []
        filler = prompts.find(given.prompt).filler if given.like and given.prompt in prompts.names() else ""
        rows_params["inoculation"] = {
            **({"wordings": wordings} if wordings else {}),
            **({"filler": filler} if filler else {}),
            "text": given.text or study.prompt_text(given.prompt, arm.rows.setting),
            "like": study.prompt_text(given.like, arm.rows.setting) if given.like else "",
            "placement": given.placement or study.placement,
            "on": given.on,
        }
    return Step("rows", rows_params, label=f"rows of {name}, seed {seed}")


def _training(study: Study, name: str, arm: Arm, seed: int, weights: str) -> Training:
    made = rows_step(study, name, arm, seed, weights)
    row_grades = Step(
        "row-grades",
        _grading(arm.rows.setting, arm.rows.grader),
        {"rows": made},
        label=f"check of the rows of {name}, seed {seed}",
    )
    start = _training(study, arm.start, study.arms[arm.start], seed, weights).adapter if arm.start else None
    adapter = Step(
        "adapter",
        {
            "model": weights,
            "method": arm.method,
            "train": arm.train.model_dump(mode="json"),
            "seed": seed,
            "fractions": study.evaluate.fractions,
            **({"start": study.evaluate.end} if start else {}),
        },
        {"rows": made, **({"start": start} if start else {})},
        label=f"training of {name}, seed {seed}",
    )
    return Training(name, seed, made, row_grades, adapter)


def _cells(
    plan: Plan,
    problems: dict[str, Step],
    weights: str,
    arm: str,
    seed: int | None,
    at: float,
    adapter: Step | None,
) -> Iterator[Cell]:
    study = plan.study
    # Which engine samples belongs to the name: another one rounds differently and draws other random numbers, so its
    # samples are others, and a study of which some arms were sampled here and some there would compare engines too.
    # Where the server is does not belong to it: the same engine may have moved.
    engine = {"engine": "server"} if plan.server else {}
    for setting in study.evaluate.settings:
        evaluate = study.evaluate.of(setting)
        only_neutral = settings.find(setting).only_neutral
        grader = study.evaluate.each.get(setting, Each()).grader
        own = study.evaluate.each.get(setting, Each()).contexts
        for context in (prompts.NEUTRAL,) if only_neutral and own is None else evaluate.contexts:
            text, placement = study.context(context, setting, arm)
            where = f"{arm}, {'' if seed is None else f'seed {seed}, '}{setting}, {context}"
            completions = Step(
                "completions",
                {
                    "model": weights,
                    "at": at,
                    "system": study.system,
                    # Without a text there is nothing to place, and a context that differs in nothing is the same.
                    "text": text,
                    "placement": placement if text else "",
                    "samples": evaluate.samples,
                    "temperature": evaluate.temperature,
                    "max_new_tokens": evaluate.max_new_tokens,
                    "seed": evaluate.seed,
                    **engine,
                },
                {"problems": problems[setting], **({"adapter": adapter} if adapter else {})},
                label=f"samples of {where}",
            )
            grades = Step(
                "grades",
                _grading(setting, grader) | ({"oversight": evaluate.oversight} if evaluate.oversight else {}),
                {"problems": problems[setting], "completions": completions},
                label=f"grades of {where}",
            )
            yield Cell(arm, seed, at, setting, context, problems[setting], completions, grades)
