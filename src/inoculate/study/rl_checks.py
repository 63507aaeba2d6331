"""Checks of arms that learn from rewards: that there is a reward, and that no key of theirs means nothing."""

from __future__ import annotations

from inoculate import settings
from inoculate.errors import UserError, require_known
from inoculate.study import prompts
from inoculate.study.schema import Arm, Rows, Study


def check_rewarded(study: Study, name: str, arm: Arm, where: str) -> None:
    """Check an arm that learns from rewards.

    Args:
        study: The study.
        name: The arm's name.
        arm: The arm.
        where: The study's file, for messages.

    Raises:
        UserError: It cannot be trained, or a key of it has no effect.
    """
    key = f"{where}: arms.{name}"
    for rows in arm.row_tables:
        _check_rows(arm, rows, key)
    if arm.inoculation and arm.inoculation.on == "none":
        raise UserError(
            f"{key}.inoculation.on: 'none', and an arm of method '{arm.method}' learns from what it draws under its "
            "prompt, which no problem would have: leave the inoculation out"
        )
    if arm.start and arm.rl.beta:
        raise UserError(f"{key}.rl.beta: the divergence is from the untrained model, and this arm starts from another")
    count = sum(rows.count for rows in arm.row_tables)
    if count < arm.rl.prompts_per_step:
        raise UserError(f"{key}.rl.prompts_per_step: {arm.rl.prompts_per_step} of {count} problems: raise rows.count")
    limit_key, limit = learning_limit(arm)
    if arm.rl.max_new_tokens >= limit:
        raise UserError(
            f"{key}.{limit_key}: {limit}, and a prompt with rl.max_new_tokens = {arm.rl.max_new_tokens} completion "
            "tokens does not fit: raise it"
        )
    _check_windows(arm, key)
    _check_policies(study, arm, where)
    _check_analyses(study, name, arm, where)


def learning_limit(arm: Arm) -> tuple[str, int]:
    """The key that bounds a prompt with its completion when an arm learns from it, and its value in tokens."""
    table = "rl" if arm.method == "rl" else "train"
    return f"{table}.micro_batch_tokens", getattr(arm, table).micro_batch_tokens


def _check_rows(arm: Arm, rows: Rows, key: str) -> None:
    """Check that a table of rows has a reward, and no key about answers, of which none is used."""
    setting = settings.find(rows.setting)
    if rows.trajectories:
        raise UserError(f"{key}.rows.trajectories: RL draws completions of its own: leave it out")
    if setting.choices or not setting.oversights:
        raise UserError(f"{key}.rows.setting: '{rows.setting}' has no oversight that could reward a completion")
    for number, reward in enumerate(arm.rl.reward):
        if any((reward.oversight, reward.function) == (one.oversight, one.function) for one in arm.rl.reward[:number]):
            raise UserError(
                f"{key}.rl.reward.{number}: rewards the same as an earlier one: give that one the whole weight"
            )
        if reward.function and reward.oversight:
            raise UserError(f"{key}.rl.reward.{number}: an oversight and a function: give each a reward of its own")
        if reward.oversight and rows.grader:
            raise UserError(
                f"{key}.rl.reward.{number}.oversight: '{reward.oversight}' would have no effect, since the grader "
                f"'{rows.grader}' decides what oversight sees: leave oversight out"
            )
        if reward.oversight:
            what = f"{key}.rl.reward.{number}.oversight: setting '{rows.setting}' has no oversight"
            require_known(reward.oversight, setting.oversights, what)
    given = {"vetted": rows.vetted.count, "share_problems": rows.share_problems, "filter": rows.filter != "none"}
    for field in (field for field, value in given.items() if value):
        raise UserError(f"{key}.rows.{field}: RL takes the problems of its rows and no answers: leave it out")


def _check_windows(arm: Arm, key: str) -> None:
    """Refuse rules that need more steps in a row than there are."""
    steps, checkpoint = arm.rl.steps, arm.rl.checkpoint
    for rule, window, what in (
        ("onset", arm.rl.onset.steps, "no training could have an onset"),
        ("checkpoint", checkpoint.steps if checkpoint else 0, "no policy could fit the rule"),
    ):
        if window > steps:
            raise UserError(
                f"{key}.rl.{rule}.steps: {window} steps in a row, and rl.steps = {steps}: {what}; give more rl.steps, "
                f"or rl.{rule}.steps of at most {steps}"
            )


def _check_policies(study: Study, arm: Arm, where: str) -> None:
    """Refuse fractions that would not be policies of their own, in their order."""
    fractions, steps = study.evaluate.fractions_of(arm), arm.rl.steps
    if max(fractions) > 1:
        raise UserError(f"{where}: evaluate.fractions: RL ends after rl.steps steps: use fractions up to 1, more steps")
    after = [max(1, round(fraction * steps)) for fraction in fractions]
    if len(set(after)) < len(after):
        raise UserError(
            f"{where}: evaluate.fractions: {list(fractions)} of {steps} rl.steps are the policies after {after} steps, "
            "some of them the same: give fewer, or more steps"
        )


def _check_analyses(study: Study, name: str, arm: Arm, where: str) -> None:
    """Refuse analyses of arms of SFT that name this arm."""
    if study.sensitivity and any(name in contrast.arms for contrast in study.contrasts):
        raise UserError(
            f"{where}: sensitivity: repeats SFT at other learning rates, and the contrasts name arm '{name}' of method "
            f"'{arm.method}'"
        )
    if study.elicitation and study.elicitation.plain == name:
        raise UserError(
            f"{where}: elicitation.plain: compares what prompts add to the probability of training answers with their "
            f"effect, and arm '{name}' of method '{arm.method}' has no training answers: name an arm of SFT"
        )
    if study.factorial and name == _first_of_grid(study, study.factorial.prompts):
        raise UserError(
            f"{where}: factorial.prompts: the grid would be of arms like '{name}', of method '{arm.method}'. Its "
            "intervals take arms to vary alike over seeds, and RL takes off in some seeds and not in others: compare "
            "such arms in contrasts"
        )


def _first_of_grid(study: Study, names: tuple[str, ...]) -> str:
    """The first arm with one of the prompts: the grid has those that differ from it in their prompt alone."""
    prompted = {
        name: prompts.split_name(arm.inoculation.prompt)[0] for name, arm in study.arms.items() if arm.inoculation
    }
    return next((name for name, prompt in prompted.items() if prompt in names), "")
