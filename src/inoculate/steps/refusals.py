"""What is refused before any step, and is not known from the study alone.

A prompt that is too long shows as soon as the model's tokenizer is there, and a function of the user's (a grader or a
reward) that cannot be loaded as soon as it is; a grader is tried on the first answer that the data has.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from inoculate import settings
from inoculate.engine import chat, models
from inoculate.errors import UserError, under
from inoculate.grading import judge
from inoculate.records import Problem
from inoculate.settings.rows import user_grader
from inoculate.steps import (
    fresh_samples,
    grades,
    preflight,
    problems,
    reward_functions,
    rl,
    row_grades,
    rows,
    trajectory_rows,
)
from inoculate.steps.plan import Plan, Training
from inoculate.steps.resources import Resources
from inoculate.steps.store import Step, Store
from inoculate.study.rl_checks import learning_limit

_REWARDED = (preflight.KIND, rl.KIND, fresh_samples.KIND)
"""The kinds of steps that draw completions and reward them."""


class _Asked(NamedTuple):
    """Problems that a policy of RL is to answer."""

    rows: Step
    arm: str
    key: str
    """Of the arm's, which says so."""
    prompt: str
    """What stands around them, in words."""
    new_tokens: int
    """The limit on the new tokens of an answer."""
    learning_limit: tuple[str, int] | None = None
    """Of the prompt with its completion, by its key in the study file; None where nothing is learned from them."""


class _Longest(NamedTuple):
    """The longest prompt of a step's rows."""

    tokens: int
    problem: str


def check_here(plan: Plan, store: Store, seeds: Collection[int] | None = None) -> None:
    """As `check`, as far as it is possible without downloading or converting the model.

    Args:
        plan: The study's plan.
        store: Where finished steps are.
        seeds: Only what these seeds of the study take.

    Raises:
        UserError: As `check` says.
    """
    missing = plan.missing(store, seeds)
    if models.is_here(plan.study.model):
        check(plan, missing, Resources(store, plan.study.model, lambda _: None))
    else:
        _check_functions(plan, missing)


def check(plan: Plan, missing: Collection[Step], resources: Resources) -> None:
    """Refuse a study that would fail later.

    Args:
        plan: The study's plan.
        missing: Its steps that are to be done.
        resources: The model's tokenizer and configuration.

    Raises:
        UserError: A grader or a reward of the user's cannot be loaded; the grader has no grade for a known answer; a
            control cannot be made as long as its prompt; a row of the user's data is longer than what passes through
            the model at once; or a prompt of RL, or of fresh samples, and a completion of
            `rl.max_new_tokens` are longer than the model's context, or than what passes through the model at once.
    """
    if missing and models.is_here(plan.study.model):
        with under("model"):
            models.slower(plan.study.model)  # refuses a type that transformers does not know
    _check_functions(plan, missing)
    _check_rows(plan, {step.key for step in missing}, resources)
    keys, found = {step.key for step in missing}, dict[str, _Longest]()
    _check_controls(plan, keys, resources)
    for training in plan.trainings:
        for asked in _find_asked(plan, training, keys):
            step = asked.rows
            if step.key not in found:
                found[step.key] = _find_longest(step, rows.draw(step, plan.draw), resources)
            _refuse_longest(asked, training.seed, found[step.key], resources.context)


def _check_controls(plan: Plan, missing: Collection[str], resources: Resources) -> None:
    """Refuse a control that cannot be made as long as its prompt, as soon as the model's tokenizer is here."""
    for training in plan.trainings:
        for step in (training.rows, *(more for more, _ in training.more_rows)):
            inoculation = step.params["inoculation"]
            if step.key in missing and inoculation and inoculation["like"] and models.is_here(plan.study.model):
                with under(f"arms.{training.arm}.inoculation.like"):
                    rows.find_prompt(step, resources)


def _check_rows(plan: Plan, missing: Collection[str], resources: Resources) -> None:
    """Refuse a row that is too long to be trained on, where rows are known before any work: those of the user's data.

    Rows that a step leaves some out of (a filter, a number of tokens) are left to the run.
    """
    for training in plan.trainings:
        arm = plan.study.arms[training.arm]
        tables = [step for step in (training.rows, *(more for more, _ in training.more_rows)) if not step.inputs]
        for step in () if arm.is_rewarded or training.adapter.key not in missing else tables:
            source = step.params["rows"].get("source", "")
            if step.params["rows"].get("filter", "none") != "none" or not source.endswith(".jsonl"):
                continue
            longest = _find_longest(step, rows.draw(step, plan.draw), resources, answers=True)
            budget, context = arm.train.micro_batch_tokens, resources.context
            if longest.tokens > min(budget, context):
                most = f"the model's context of {context}" if longest.tokens > context else f"{budget}"
                mended = "shorten it or leave it out" if longest.tokens > context else f"raise it to {longest.tokens}"
                key = "rows.source" if longest.tokens > context else "train.micro_batch_tokens"
                raise UserError(
                    f"problem '{longest.problem}' of {source} has {longest.tokens} tokens with its answer, more than "
                    f"{most}; rows are never cut: {mended}",
                    key=f"arms.{training.arm}.{key}",
                )


def _check_functions(plan: Plan, missing: Collection[Step]) -> None:
    study = plan.study
    keys = {own.grader: f"evaluate.each.{setting}.grader" for setting, own in study.evaluate.each.items()} | {
        table.grader: f"arms.{name}.rows{f'.{number}' if arm.more_rows else ''}.grader"
        for name, arm in study.arms.items()
        for number, table in enumerate(arm.row_tables)
    }
    for grader, given in {grader: given for step in missing for grader, given in _find_graders(step)}.items():
        with under(keys[grader]):
            if grader.endswith(".toml"):
                judge.read_judge(grader)
            else:
                user_grader.check_starts(grader, _first_problem(plan, given))
    _check_settings(plan, missing)
    drawn = [step.params["rl"]["reward"] for step in missing if step.kind in _REWARDED]
    needed = {part["function"] for reward in drawn for part in reward if "function" in part}
    reward_functions.check_starts(study, needed)


def _check_settings(plan: Plan, missing: Collection[Step]) -> None:
    """Have a setting of the user's grade an answer that is known: no sampling or training should come before that.

    Where it runs code, this is left to the run: what is planned here may be run on a machine with a sandbox.
    """
    drawn = {step.inputs["problems"].params["setting"]: step for step in missing if step.kind == grades.KIND}
    for name, step in drawn.items():
        task = settings.find(name)
        if not settings.is_file(name) or task.runs_code or task.needs_source:
            continue
        if problem := _first_problem(plan, step.inputs["problems"]):
            with under("evaluate.settings"):
                list(task.grade([problem], [problem.honest or problem.hacked]))


def _find_graders(step: Step) -> Iterator[tuple[str, Step]]:
    """The user's graders that a step runs, each with the step that draws what is graded."""
    if step.kind == grades.KIND:
        given = [(step.inputs["problems"].params, step.inputs["problems"])]
    elif step.kind in (row_grades.KIND, *_REWARDED):
        given = [(table.params["rows"], table) for table in _find_tables(step)]
    else:
        given = []
    yield from ((params["grader"], drawn) for params, drawn in given if params.get("grader"))


def _first_problem(plan: Plan, step: Step) -> Problem | None:
    """The first of the problems that a step draws; None where it draws vetted examples alone."""
    if step.kind == problems.KIND:
        return problems.draw(step)[0]
    return next((row.problem for row in rows.draw(step, plan.draw)), None)


def _find_tables(step: Step) -> Iterator[Step]:
    """The rows that a step is given; of those that are trajectories, the rows that they were drawn for."""
    for name, given in step.inputs.items():
        if name.partition("_")[0] == "rows":
            yield from _find_tables(given) if given.kind == trajectory_rows.KIND else (given,)


def _find_asked(plan: Plan, training: Training, missing: Collection[str]) -> Iterator[_Asked]:
    """What is still to be drawn for a training: by RL, and as fresh samples for its rows."""
    arm, tables = plan.study.arms[training.arm], (training.rows, *(more for more, _ in training.more_rows))
    if training.preflight and not {training.preflight.key, training.adapter.key}.isdisjoint(missing):
        for table in tables:
            new, limit = arm.rl.max_new_tokens, learning_limit(arm)
            yield _Asked(table, training.arm, "rl.max_new_tokens", "the arm's prompt", new, limit)
    for fresh in (table.inputs["fresh"] for table in tables if "fresh" in table.inputs):
        if fresh.key in missing:
            new = fresh.params["rl"]["max_new_tokens"]
            yield _Asked(fresh.inputs["rows"], training.arm, "rows.trajectories", "the prompt of the samples", new)


def _find_longest(
    step: Step, drawn: Sequence[rows.DrawnRow], resources: Resources, *, answers: bool = False
) -> _Longest:
    """The longest prompt of a step's rows; if asked with its answer, as it is trained on."""
    system, inoculation = rows.find_prompt(step, resources)
    made = rows.make_rows(drawn, inoculation, system)
    texts = [chat.render(resources.tokenizer, row.messages) for row in made]
    lengths = list(map(len, resources.tokenizer(texts, add_special_tokens=False)["input_ids"]))
    if answers:
        theirs = [len(chat.encode_answer(resources.tokenizer, row.answer)) for row in made]
        lengths = [sum(both) for both in zip(lengths, theirs, strict=True)]
    return max(_Longest(length, row.problem) for length, row in zip(lengths, made, strict=True))


def _refuse_longest(asked: _Asked, seed: int, longest: _Longest, context: int) -> None:
    key = f"arms.{asked.arm}"
    what = f"problem '{longest.problem}' of seed {seed} has {longest.tokens} tokens under {asked.prompt}"
    needed = longest.tokens + asked.new_tokens
    if needed > context:
        raise UserError(
            f"{key}.{asked.key}: {what}; with {asked.new_tokens} new ones it exceeds the model's context of {context}: "
            f"lower rl.max_new_tokens to {max(0, context - longest.tokens)} or choose shorter problems"
        )
    if asked.learning_limit and needed > asked.learning_limit[1]:
        limit_key, limit = asked.learning_limit
        raise UserError(
            f"{key}.{limit_key}: {what}; with rl.max_new_tokens = {asked.new_tokens} it exceeds {limit}: raise "
            f"{limit_key} to {needed} or more"
        )
