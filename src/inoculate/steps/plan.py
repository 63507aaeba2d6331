"""Turns a study into its steps, in order. What each kind of step depends on is in its own module. Loads no torch."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import partial
from itertools import groupby, product

from inoculate import settings
from inoculate.engine import models
from inoculate.errors import UserError, on_one_line, under
from inoculate.records import BASE
from inoculate.steps import (
    choices,
    completions,
    distances,
    fresh_samples,
    grades,
    preflight,
    problems,
    rl,
    row_checks,
    row_grades,
    rows,
    scores,
    train,
    trajectory_rows,
)
from inoculate.steps.store import Step, Store
from inoculate.study.descriptions import reward_of
from inoculate.study.names import refuse_same_arms
from inoculate.study.resolve import ResolvedStudy, resolve
from inoculate.study.row_schema import JUDGED, Rows, TrajectorySource, Vetted
from inoculate.study.schema import Arm, Study

TRAINED = (train.KIND, rl.KIND)
"""The kinds of steps that make adapters, which stay where they were made."""


@dataclass(frozen=True)
class Cell:
    """One combination of arm, seed, fraction of training, setting and context, which is sampled and graded together."""

    arm: str
    seed: int | None
    """None for the untrained arm."""
    at: float
    """The fraction of training; 0 for the untrained arm."""
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
    preflight: Step | None = None
    """The sample of the untrained policy; None unless the method is RL."""
    more_rows: tuple[tuple[Step, Step], ...] = ()
    """Rows from further settings, and their grades."""
    scores: Step | None = None
    """The log-probabilities of its rows, if these are trajectories; those of its first table."""
    distances: Step | None = None
    """How far the contexts of evaluation are from its training prompt; None where there are too few of them."""


@dataclass(frozen=True)
class Plan:
    """A study as steps."""

    resolved: ResolvedStudy
    cells: list[Cell] = field(default_factory=list)
    trainings: list[Training] = field(default_factory=list)
    scores: Step | None = None
    """The log-probabilities of hacked answers, if this is the plan of a screen."""
    server: str = ""
    """The address of the server that samples; '' where this process does."""
    draw: rows.DrawRows = field(default_factory=rows.remember_draws, compare=False)
    """Draws rows, each once: what was drawn to see that it is there need not be drawn again."""
    unknown: list[str] = field(default_factory=list[str], compare=False)
    """What of the data is not known before any work, as sentences."""

    @property
    def study(self) -> Study:
        """The study."""
        return self.resolved.study

    def steps(self, seeds: Collection[int] | None = None) -> list[Step]:
        """All steps, each once, in an order in which every step comes after its inputs.

        The untrained arm comes first; then each arm and seed is trained, sampled and graded before the next, so that
        an interrupted study leaves whole arms behind. Cells with the same adapter follow each other: they are sampled
        together.

        Args:
            seeds: Only what these seeds of the study take. The untrained arm belongs to the study's first seed, so that
                machines which share the seeds do it once.
        """
        ordered: dict[str, Step] = {}

        def add(step: Step) -> None:
            if step.key in ordered:
                return
            for needed in step.inputs.values():
                add(needed)
            ordered.setdefault(step.key, step)

        trainings: dict[tuple[str, int | None], Training] = {(t.arm, t.seed): t for t in self.trainings}
        for (arm, seed, _), group in groupby(self.cells, key=lambda cell: (cell.arm, cell.seed, cell.at)):
            if not self.belongs(seed, seeds):
                continue
            cells, training = list(group), trainings.get((arm, seed))
            if training:
                for _, graded in ((training.rows, training.row_grades), *training.more_rows):
                    add(graded)  # first, so that mislabelled rows show before hours of training
                for before in (training.scores, training.preflight, training.distances):
                    if before:
                        add(before)
                add(training.adapter)
            for part in ("problems", "completions", "grades"):
                for cell in cells:
                    add(getattr(cell, part))
        if self.scores and self.belongs(None, seeds):
            add(self.scores)
        return list(ordered.values())

    def find(self, name: str) -> Step:
        """A step by its name, or the beginning of it.

        Raises:
            UserError: The study has no such step, or several whose names begin so.
        """
        found = [step for step in self.steps() if step.key.startswith(name)]
        if len(found) == 1:
            return found[0]
        said = f"{len(found)} steps have names that begin with" if found else "the study has no step"
        hint = "" if found else self._meant(name)
        raise UserError(
            f"{said} '{on_one_line(name)}': {hint}`inoculate plan STUDY --steps` lists them, `--json` with their whole "
            "names"
        )

    def _meant(self, name: str) -> str:
        """The step that an unknown name is nearest to: by its name as far as it was typed, else by its label."""
        steps = self.steps()
        known = {step.key[: len(name)]: step for step in steps} | {step.label: step for step in steps}
        near = get_close_matches(name, known, n=1)
        return f"did you mean '{known[near[0]].key}' ({known[near[0]].label})? " if near else ""

    def belongs(self, seed: int | None, seeds: Collection[int] | None) -> bool:
        """Whether a cell of this seed (None: of the untrained arm) is among those of some seeds (None: of all)."""
        return seeds is None or (self.study.seeds[0] if seed is None else seed) in seeds

    def missing(self, store: Store, seeds: Collection[int] | None = None) -> list[Step]:
        """The steps that are still to do, in order.

        What analysis and report read has to be there. An adapter is only needed where something has to be sampled from
        it: it may be absent though its cells are finished, because they were imported.

        Args:
            store: Where finished steps are.
            seeds: Only what these seeds of the study take.
        """
        finished, needed = self.finished_keys(store), set[str]()

        def need(step: Step) -> None:
            if step.key not in finished and step.key not in needed:
                needed.add(step.key)
                for given in step.inputs.values():
                    need(given)

        steps = self.steps(seeds)
        for step in steps:
            # Of RL the trajectories are wanted too.
            if step.kind != train.KIND and not (step.kind == rl.KIND and store.is_recorded(step)):
                need(step)
        return [step for step in steps if step.key in needed]

    def finished_keys(self, store: Store) -> set[str]:
        """Keys of the plan's steps that are finished."""
        return store.finished_keys(self.steps())


def make_plan(study: Study, weights: str = "", server: str = "") -> Plan:
    """The plan of a study.

    Args:
        study: The study.
        weights: The fingerprint of its model; computed unless given.
        server: The address of the server that samples; '' for this process.

    Raises:
        UserError: The model does not exist, or cannot be identified without a network; or the user's data has a
            mistake.
    """
    if server and not server.startswith(("http://", "https://")):
        raise UserError(f"--server {server}: has to begin with http:// or https://, as http://localhost:8000/v1 does")
    with under("model"):
        weights = weights or models.fingerprint(study.model)
    if server and (trained := [name for name, arm in study.arms.items() if arm.is_rewarded]):
        method = study.arms[trained[0]].method
        raise UserError(f"arms.{trained[0]}.method = '{method}' samples in this process: leave --server out")
    _check_lengths(study)
    plan = Plan(resolve(study), server=server)
    drawn = _plan_problems(plan.resolved)
    _check_sources(plan, drawn)
    _add_cells(plan, drawn, weights)
    declared = [name for name in study.arms if not (study.sensitivity and "@" in name)]
    refuse_same_arms({name: tuple(one.adapter.key for one in plan.trainings if one.arm == name) for name in declared})
    return plan


def outline(study: Study) -> Plan:
    """The steps of a study without a look at its data and its model, which nothing could be carried out with.

    Args:
        study: The study.
    """
    plan = Plan(resolve(study))
    _add_cells(plan, _plan_problems(plan.resolved), "unknown")
    return plan


def _plan_problems(resolved: ResolvedStudy) -> dict[str, Step]:
    return {setting: problems.plan_step(resolved, setting) for setting in resolved.study.evaluate.settings}


def _add_cells(plan: Plan, drawn: Mapping[str, Step], weights: str) -> None:
    study = plan.study
    plan.cells.extend(_plan_cells(plan, drawn, weights))
    for seed in study.seeds:
        for arm in study.arms:
            training = _plan_training(plan.resolved, arm, seed, weights)
            if (shown := drawn.get(study.arms[arm].rows.setting)) is not None:
                where = f"{arm}, seed {seed}"
                measured = distances.plan_step(plan.resolved, arm, seed, shown, weights, where)
                training = replace(training, distances=measured)
            plan.trainings.append(training)
            for fraction in study.evaluate.fractions_of(study.arms[arm]):
                plan.cells.extend(_plan_cells(plan, drawn, weights, training, fraction))


def _check_lengths(study: Study) -> None:
    """Refuse more new tokens than the model takes in all, where the model is here."""
    with under("model"):
        context = models.context(study.model)
    for name in study.evaluate.settings:
        each = study.evaluate.each.get(name)
        key = f"evaluate{f'.each.{name}' if each and each.max_new_tokens else ''}.max_new_tokens"
        tokens = study.evaluate.for_setting(name).max_new_tokens
        if context and tokens >= context:
            raise UserError(
                f"{key}: {tokens} new tokens, and the context of '{study.model}' is {context} tokens, the prompt "
                "included: ask for fewer"
            )


def _check_sources(plan: Plan, drawn: Mapping[str, Step]) -> None:
    study, resolved, draw = plan.study, plan.resolved, plan.draw
    first: dict[tuple[str, int], object] = {}
    unknown: dict[str, None] = {}
    for step in drawn.values():
        unknown[problems.check_source(resolved, step)] = None
    for (name, arm), seed in product(study.arms.items(), study.seeds):
        for number, table in enumerate(arm.row_tables):
            shown, hackable, prompt = table, arm.hackable(table), resolved.inoculation(name, seed, table.setting)
            is_new = False
            key = f"arms.{name}.rows{f'.{number}' if arm.more_rows else ''}"
            if table.vetted.source and seed == study.seeds[0]:
                row_checks.check_picked(table, key)
            if source := table.trajectories:
                shown, prompt = _sampled_problems(study, source), resolved.sampling_prompt(name, seed, table)
                hackable = study.arms[source.arm].hackable(shown)
                # Whether a setting has so many is the same for every seed.
                is_new = source.problems is not None and seed == study.seeds[0]
            row_checks.check_draw(draw, shown, seed, hackable, key, always=is_new)
            # What is drawn without a source is in order; a prompt may be another one at each seed.
            if shown.source or (name, number) not in first or prompt != first[name, number]:
                first[name, number] = prompt
                unknown[row_checks.check_source(draw, shown, prompt, seed, hackable, key)] = None
        if arm.is_rewarded:
            row_checks.check_prompted(draw, arm, seed, name)
    plan.unknown.extend(filter(None, unknown))


def _sampled_problems(study: Study, source: TrajectorySource) -> Rows:
    """The table whose problems are sampled anew: that of RL, with more of them where the study says so."""
    own = study.arms[source.arm].rows
    return own if source.problems is None else own.model_copy(update={"count": source.problems})


def _plan_training(resolved: ResolvedStudy, name: str, seed: int, weights: str) -> Training:
    study, where = resolved.study, f"{name}, seed {seed}"
    arm = study.arms[name]
    drawn = [
        _plan_rows(resolved, name, table, seed, weights, f"{where}, {table.setting}" if arm.more_rows else where)
        for table in arm.row_tables
    ]
    graded = [
        row_grades.plan_step(
            table, step, where, reward_of(study, arm, table)[0].oversight if table.trajectories else ""
        )
        for table, step in zip(arm.row_tables, drawn, strict=True)
    ]
    more = tuple(zip(drawn[1:], graded[1:], strict=True))
    start = None
    if arm.start:
        adapter = _plan_training(resolved, arm.start, seed, weights).adapter
        start = train.Start(adapter, study.evaluate.final_fraction)
    if arm.is_rewarded:
        before = preflight.plan_step(arm, seed, drawn, start, weights, where)
        trained = rl.plan_step(resolved, arm, seed, drawn, before, start, weights, where)
        return Training(name, seed, drawn[0], graded[0], trained, before, more)
    trained = train.plan_step(resolved, arm, seed, drawn, start, weights, where)
    return Training(name, seed, drawn[0], graded[0], trained, None, more, _plan_scores(resolved, arm, seed, weights))


def _plan_scores(resolved: ResolvedStudy, arm: Arm, seed: int, weights: str) -> Step | None:
    """The log-probabilities of an arm's trajectories; None where its first rows are none, or no arm has a prompt."""
    table = arm.rows
    if not table.trajectories or not resolved.prompts_on(table.setting, seed):
        return None
    # Arms whose rows differ in the prompt alone have the same answers: they share the scores of the first of them.
    first = next(name for name, spec in resolved.study.arms.items() if spec.rows == table)
    where = f"{first}, seed {seed}"
    rows = _plan_rows(resolved, first, table, seed, weights, where)
    return scores.plan_step(resolved, table.setting, seed, rows, weights, where)


def _plan_rows(resolved: ResolvedStudy, name: str, table: Rows, seed: int, weights: str, where: str) -> Step:
    """One table of an arm's rows."""
    study, inoculation = resolved.study, resolved.inoculation(name, seed, table.setting)
    if source := table.trajectories:
        trained = _plan_training(resolved, source.arm, seed, weights).adapter
        fresh = _plan_fresh(resolved, name, table, trained, seed, weights)
        return trajectory_rows.plan_step(
            table,
            source,
            inoculation,
            trained,
            fresh,
            seed=seed,
            system=study.system,
            weights=weights,
            where=where,
        )
    like = None
    if other := table.tokens_like:
        like = _plan_rows(resolved, other, study.arms[other].rows, seed, weights, f"{other}, seed {seed}")
    judged = None
    if table.filter in JUDGED:
        # Judged without the arm's prompt, so that arms which differ in it share what is known of their answers.
        whole = table.model_copy(update={"filter": "none", "tokens_like": "", "vetted": Vetted()})
        before = f"{where}, before the filter"
        every = rows.plan_step(whole, None, seed=seed, system=study.system, weights=weights, where=before)
        judged = (
            row_grades.plan_step(whole, every, before)
            if table.filter == "tags"
            else scores.plan_without_prompt(every, study.system, weights, before)
        )
    return rows.plan_step(
        table,
        inoculation,
        seed=seed,
        system=study.system,
        weights=weights,
        where=where,
        hackable=study.arms[name].hackable(table),
        tokens_like=like,
        judged=judged,
        vetted=resolved.vetted.get((name, table.setting)),
    )


def _plan_fresh(resolved: ResolvedStudy, name: str, table: Rows, trained: Step, seed: int, weights: str) -> Step | None:
    """The fresh samples that a table of an arm's rows is chosen from; None where it takes those of training.

    They depend on nothing of the arm but this, so that arms that sample alike share them.
    """
    source, study = table.trajectories, resolved.study
    if source is None or source.samples is None:
        return None
    policy, prompt = study.arms[source.arm], resolved.sampling_prompt(name, seed, table)
    shown = _sampled_problems(study, source)
    told = (f", under '{source.prompt}'" if source.prompt else ", under a text") if source.has_prompt else ""
    where = f"{source.arm}, seed {seed}{told}"
    asked = rows.plan_step(
        shown,
        prompt,
        seed=seed,
        system=study.system,
        weights=weights,
        where=f"the samples of {where}",
        hackable=policy.hackable(shown),
    )
    return fresh_samples.plan_step(
        policy, asked, trained, samples=source.samples, seed=seed, weights=weights, where=where
    )


def _plan_cells(
    plan: Plan, drawn: Mapping[str, Step], weights: str, training: Training | None = None, at: float = 0.0
) -> Iterator[Cell]:
    """Every setting and context of one arm, seed and fraction of training; of the base arm without a training."""
    arm, seed, adapter = (training.arm, training.seed, training.adapter) if training else (BASE, None, None)
    for setting, contexts in plan.resolved.evaluated.items():
        for context in contexts:
            where = f"{arm}, {'' if seed is None else f'seed {seed}, '}{setting}, {context}"
            prompt = plan.resolved.context(context, setting, arm, seed)
            plan_step = (
                choices.plan_step
                if settings.find(setting).choices
                else partial(completions.plan_step, served=bool(plan.server))
            )
            sampled = plan_step(plan.resolved, prompt, drawn[setting], adapter, at=at, weights=weights, where=where)
            graded = grades.plan_step(plan.resolved, setting, sampled, where)
            yield Cell(arm, seed, at, setting, context, drawn[setting], sampled, graded)
