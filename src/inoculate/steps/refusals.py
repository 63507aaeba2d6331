"""What is refused before any step, and is not known from the study alone.

A prompt that is too long shows as soon as the model's tokenizer is there, and a grader of the user's that cannot be
loaded as soon as it is.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from inoculate.engine import chat, models
from inoculate.errors import UserError
from inoculate.settings.rows import user_grader
from inoculate.steps import rows
from inoculate.steps.plan import Plan, Training
from inoculate.steps.resources import Resources
from inoculate.steps.store import Step, Store
from inoculate.study.rl_checks import learning_limit
from inoculate.study.schema import Study, digest


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
        _check_graders(plan.study, missing)


def check(plan: Plan, missing: Collection[Step], resources: Resources) -> None:
    """Refuse a study that would fail later.

    Args:
        plan: The study's plan.
        missing: Its steps that are to be done.
        resources: The model's tokenizer and configuration.

    Raises:
        UserError: A grader of the user's cannot be loaded; or a prompt of RL and a completion of `rl.max_new_tokens`
            are longer than the model's context, or than what passes through the model at once.
    """
    _check_graders(plan.study, missing)
    keys, found, drawn = {step.key for step in missing}, dict[str, _Longest](), dict[str, list[rows.DrawnRow]]()
    for training in plan.trainings:
        if training.preflight and keys & {training.preflight.key, training.adapter.key}:
            for step in (training.rows, *(more for more, _ in training.more_rows)):
                if step.key not in found:
                    # Arms that differ in their prompt have the same problems.
                    draw = digest([step.params.get(key) for key in ("rows", "seed", "hackable")])
                    drawn[draw] = drawn.get(draw) or rows.draw(step)
                    found[step.key] = _find_longest(step, drawn[draw], resources)
                _refuse_longest(plan, training, found[step.key], resources)


def _check_graders(study: Study, missing: Collection[Step]) -> None:
    named = [table.grader for arm in study.arms.values() for table in arm.row_tables]
    named += [each.grader for each in study.evaluate.each.values()]
    for grader in dict.fromkeys(filter(None, named)) if missing else ():
        user_grader.check_starts(grader)


def _find_longest(step: Step, drawn: Sequence[rows.DrawnRow], resources: Resources) -> _Longest:
    system, inoculation = rows.find_prompt(step, resources)
    made = rows.make_rows(drawn, inoculation, system)
    texts = [chat.render(resources.tokenizer, row.messages) for row in made]
    lengths = map(len, resources.tokenizer(texts, add_special_tokens=False)["input_ids"])
    return max(_Longest(length, row.problem) for length, row in zip(lengths, made, strict=True))


def _refuse_longest(plan: Plan, training: Training, longest: _Longest, resources: Resources) -> None:
    arm, key = plan.study.arms[training.arm], f"arms.{training.arm}"
    new, context, (limit_key, limit) = arm.rl.max_new_tokens, resources.context, learning_limit(arm)
    what = f"problem '{longest.problem}' of seed {training.seed} has {longest.tokens} tokens under the arm's prompt"
    needed = longest.tokens + new
    if needed > context:
        raise UserError(
            f"{key}.rl.max_new_tokens: {what}; with {new} new ones it exceeds the model's context of {context}: lower "
            f"rl.max_new_tokens to {max(0, context - longest.tokens)} or choose shorter problems"
        )
    if needed > limit:
        raise UserError(
            f"{key}.{limit_key}: {what}; with rl.max_new_tokens = {new} it exceeds {limit}: raise {limit_key} to "
            f"{needed} or more"
        )
