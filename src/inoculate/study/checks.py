"""Checks beyond the types of keys: that names exist, and that combinations are possible.

Every refusal names the file, the key, what is allowed and the nearest match. Names are checked first, so that the
study can then be resolved and its texts checked.
"""

from __future__ import annotations

from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter

from inoculate import settings
from inoculate.errors import UserError, require_known
from inoculate.records import BASE, CAPABILITY, name_part, setting_of
from inoculate.study import names, neighbours, prompts, rl_checks
from inoculate.study.comparisons import ArmsAnalysis, Contrast
from inoculate.study.resolve import ResolvedStudy, evaluated_contexts, resolve
from inoculate.study.resource_checks import check_resources
from inoculate.study.row_schema import DIVERSE, INOCULATION, JUDGED, VETTED_PROMPTS
from inoculate.study.schema import Arm, EvaluatedSetting, Rows, Study

_ADAPTER_SHAPE = ("lora_rank", "lora_alpha")


def check(study: Study, where: str) -> None:
    """Refuse a study that cannot be carried out.

    Args:
        study: The study, before its arms are repeated.
        where: Its file, for messages.

    Raises:
        UserError: It has a mistake; the message names file and key.
    """
    names.check_names(study, where)
    _check_names(study, where)
    names.check_settings(study, where)
    try:
        resolved = resolve(study)
    except UserError as error:  # a neighbour of a prompt that is too short for it
        raise UserError(f"{where}: {error}") from None
    for name in study.arms:
        _check_arm_texts(resolved, name, where)
    for (name, setting), prompt in resolved.sampling.items():
        _check_text(prompt.name, prompt.text, setting, f"{where}: arms.{name}.rows.trajectories.prompt")
    for (name, setting), prompt in resolved.vetted.items():
        _check_text(
            "" if prompt.name == DIVERSE else prompt.name,
            prompt.text,
            setting,
            f"{where}: arms.{name}.rows.vetted.prompt",
        )
    for setting in study.evaluate.settings:
        _check_context_texts(resolved, setting, where)
    evaluated = {name for listed in resolved.evaluated.values() for name in listed}
    for name in study.contexts:
        if name not in evaluated:
            raise UserError(
                f"{where}: contexts.{name}: nothing is evaluated in it: name it in evaluate.contexts, or leave it out"
            )
    for prompt in resolved.candidates.values():
        if prompt.name in study.screen.prompts:
            setting = next(iter(study.arms.values())).rows.setting
            _check_text(prompt.name, prompt.text, setting, f"{where}: screen.prompts")


def _check_names(study: Study, where: str) -> None:
    if len(set(study.seeds)) < len(study.seeds):
        raise UserError(f"{where}: seeds: {list(study.seeds)} has the same seed twice")
    if study.sensitivity and not study.contrasts:
        raise UserError(f"{where}: sensitivity: there are no contrasts to repeat")
    check_resources(study, where)
    for name in study.prompts:
        if not study.prompts[name].strip():
            raise UserError(f"{where}: prompts.{name}: an empty prompt")
    for name in study.screen.prompts:
        _check_prompt(study, name, f"{where}: screen.prompts")
    for name, arm in study.arms.items():
        _check_arm(study, name, arm, where)
        _check_start(study, name, arm, where)
        if arm.is_rewarded:
            rl_checks.check_rewarded(study, name, arm, where)
    _check_order(study, where)
    _check_contexts(study, where)
    for setting in study.evaluate.each:
        require_known(setting, study.evaluate.settings, f"{where}: evaluate.each: not evaluated:")
    for setting in study.evaluate.settings:
        _check_setting(study, setting, where)
    _check_grids(study, where)
    _check_trends(study, where)
    _check_transfer(study, where)
    _check_contrasts(study, where)


def _check_arm(study: Study, name: str, arm: Arm, where: str) -> None:
    key = f"{where}: arms.{name}"
    if study.sensitivity and "@" in name:
        raise UserError(f"{key}: '@' stands in the names of the arms that sensitivity repeats: use another name")
    inoculation = arm.inoculation
    named = [rows.setting for rows in arm.row_tables]
    if repeated := [setting for setting in named if named.count(setting) > 1]:
        raise UserError(f"{key}.rows: two tables of '{repeated[0]}' might draw the same problems: give it one table")
    for number, rows in enumerate(arm.row_tables):
        where_rows = f"{key}.rows.{number}" if arm.more_rows else f"{key}.rows"
        _check_draw(rows.setting, rows.source, rows.grader, rows.families, rows.levels, where_rows)
        _check_trajectories(study, rows, where_rows)
        _check_tokens_like(study, name, rows, where_rows)
        if arm.is_rewarded and rows.filter in JUDGED:
            raise UserError(
                f"{where_rows}.filter: '{rows.filter}' is of answers, and an arm of method '{arm.method}' learns from "
                "none: leave it out"
            )
        if rows.filter == "tags":
            _check_tags(rows, f"{where_rows}.filter")
        _check_vetted(study, arm, rows, where_rows)
    if inoculation is None:
        return
    for field, named in (
        ("prompt", (inoculation.prompt,)),
        ("one_of", inoculation.one_of),
        ("like", (inoculation.like,)),
    ):
        for prompt in filter(None, named):
            _check_prompt(study, prompt, f"{key}.inoculation.{field}")
            _check_trained_with(study, prompt, f"{key}.inoculation.{field}")
    if inoculation.on == "hacked" and not any(_has_hacks(arm, rows) for rows in arm.row_tables):
        what = "no problem that can be hacked" if arm.is_rewarded else "no hacked rows"
        raise UserError(f"{key}.inoculation.on: 'hacked', but this arm has {what}")


def _check_tags(rows: Rows, key: str) -> None:
    """Refuse a filter that goes by tags of code, where no answer could have one."""
    if rows.grader:
        why = f"the grader '{rows.grader}' gives no tags"
    elif not settings.find(rows.setting).tags_text:
        why = f"the answers of '{rows.setting}' are no code"
    else:
        return
    raise UserError(
        f"{key}: 'tags' leaves out what looks like a hack to static analysis of code, and {why}, so that no row would "
        "be left out: 'surprise' goes by the untrained model, and 'hacked' by the check"
    )


def _has_hacks(arm: Arm, rows: Rows) -> bool:
    """Whether there can be rows with a hacked answer; for an arm that learns from rewards, problems that have one."""
    return arm.hackable(rows) != 0 if arm.is_rewarded else rows.hacked_rows > 0 and rows.filter != "hacked"


def _check_trained_with(study: Study, name: str, key: str) -> None:
    """Refuse to train with a prompt that is for evaluation, because no arm is trained with it."""
    base, _ = neighbours.split(prompts.split_name(name)[0])
    if base not in study.prompts and prompts.find(base).kind == prompts.UNSEEN:
        raise UserError(
            f"{key}: '{name}' is a context that no arm is trained with, so that all arms are at the same distance from "
            "it: train with 'harmless' or an irrelevant prompt (`inoculate prompts`)"
        )


def _check_start(study: Study, name: str, arm: Arm, where: str) -> None:
    """Check an arm that continues another's training, and training beyond its nominal length."""
    key = f"{where}: arms.{name}"
    if arm.start:
        others = [
            other for other, spec in study.arms.items() if other != name and not spec.start and spec.method == "sft"
        ]
        require_known(arm.start, others, f"{key}.start: not an arm of SFT that starts from the untrained model:")
        for size in _ADAPTER_SHAPE:
            ours, theirs = (getattr(a.rl if a.method == "rl" else a.train, size) for a in (arm, study.arms[arm.start]))
            if ours != theirs:
                raise UserError(
                    f"{key}.start: goes on with the adapter of '{arm.start}': {size} = {ours} must be {theirs}"
                )
    if arm.method == "sft" and max(study.evaluate.fractions) > 1 and arm.train.schedule != "constant":
        raise UserError(
            f"{where}: evaluate.fractions: beyond 1 training goes on after its nominal end, where the schedule "
            f"'{arm.train.schedule}' of arm '{name}' has brought the learning rate to 0: use train.schedule = "
            '"constant", or more epochs and fractions up to 1'
        )


def _check_trajectories(study: Study, rows: Rows, key: str) -> None:
    """Check rows that are another arm's trajectories."""
    source = rows.trajectories
    if source is None:
        return
    rewarded = [name for name, arm in study.arms.items() if arm.is_rewarded]
    require_known(source.arm, rewarded, f"{key}.trajectories.arm: not an arm that learns from rewards:")
    theirs = [table.setting for table in study.arms[source.arm].row_tables]
    if theirs != [rows.setting]:
        raise UserError(f"{key}.setting: '{rows.setting}', and the trajectories of '{source.arm}' are of {theirs}")
    for field, given in (("vetted", rows.vetted.count), ("share_problems", rows.share_problems)):
        if given:
            raise UserError(f"{key}.{field}: does not go with rows.trajectories: leave it out")
    if rows.filter != "none":
        raise UserError(f"{key}.filter: does not go with rows.trajectories: say it in trajectories.where")
    if source.prompt:
        _check_prompt(study, source.prompt, f"{key}.trajectories.prompt")
    own = study.arms[source.arm].rows.count
    if source.problems is not None and source.problems <= own:
        raise UserError(
            f"{key}.trajectories.problems: {source.problems}, and the first {own} are those of '{source.arm}' itself: "
            "give more, or leave it out for these"
        )


def _check_tokens_like(study: Study, name: str, rows: Rows, key: str) -> None:
    """Check rows whose number is set by the answer tokens of another arm's."""
    if not rows.tokens_like:
        return
    arm = study.arms[name]
    given = {
        "vetted": rows.vetted.count > 0,
        "share_problems": rows.share_problems,
        "trajectories": rows.trajectories is not None,
    }
    for field in (field for field, value in given.items() if value):
        raise UserError(f"{key}.{field}: does not go with rows.tokens_like, which keeps the first rows of a draw")
    if arm.is_rewarded or arm.more_rows:
        what = "an arm of SFT with one table of rows"
        raise UserError(f"{key}.tokens_like: is for {what}, and '{name}' is none: leave it out")
    others = [
        other
        for other, spec in study.arms.items()
        if other != name and not spec.is_rewarded and not any(table.tokens_like for table in spec.row_tables)
    ]
    require_known(rows.tokens_like, others, f"{key}.tokens_like: not an arm of SFT that has rows of its own number:")


def _check_vetted(study: Study, arm: Arm, rows: Rows, key: str) -> None:
    """Check what vetted rows stand under, and that no other row is left without a problem of its own."""
    prompt = rows.vetted.prompt
    if prompt == INOCULATION and not arm.trains_with_prompt:
        raise UserError(f"{key}.vetted.prompt: '{INOCULATION}', and no row of this arm has a prompt: give it one")
    if prompt not in VETTED_PROMPTS:
        known = [*VETTED_PROMPTS, *study.prompts, *prompts.names()]
        require_known(prompts.split_name(prompt)[0], known, f"{key}.vetted.prompt: unknown prompt")
        _check_trained_with(study, prompt, f"{key}.vetted.prompt")


def _arms_named(rows: Rows) -> tuple[str, str]:
    return rows.trajectories.arm if rows.trajectories else "", rows.tokens_like


def _check_order(study: Study, where: str) -> None:
    """Refuse arms that wait for each other: one starts from, or takes rows from, what needs itself."""
    needs = {
        name: {arm.start, *(one for rows in arm.row_tables for one in _arms_named(rows))} - {""}
        for name, arm in study.arms.items()
    }
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        *circle, _ = error.args[1]
        raise UserError(
            f"{where}: arms.{circle[0]}: {' and '.join(map(repr, circle))} wait for each other, through start, "
            "rows.trajectories.arm and rows.tokens_like: no training could be the first"
        ) from None


def _check_contexts(study: Study, where: str) -> None:
    for name, context in study.contexts.items():
        if name in {prompts.NEUTRAL, prompts.AS_TRAINED, *prompts.contexts()}:
            raise UserError(f"{where}: contexts.{name}: this name is the package's own; choose another")
        if context.prompt:
            _check_prompt(study, context.prompt, f"{where}: contexts.{name}.prompt")


def _check_setting(study: Study, name: str, where: str) -> None:
    """Check one evaluated setting: its data, draw, contexts, oversight and what is measured in it."""
    evaluate, own = study.evaluate.for_setting(name), study.evaluate.each.get(name, EvaluatedSetting())
    key = f"{where}: evaluate.each.{name}" if name in study.evaluate.each else f"{where}: evaluate"
    setting = _find_setting(name, f"{where}: evaluate.settings")
    _check_draw(name, own.source, own.grader, evaluate.families, evaluate.levels, key)
    known = [prompts.NEUTRAL, prompts.AS_TRAINED, *prompts.contexts(), *study.contexts]
    contexts_key = f"{key if own.contexts else f'{where}: evaluate'}.contexts"
    for context in evaluate.contexts:
        if neighbours.MARK in context and context not in study.contexts:
            _check_prompt(study, context, contexts_key)
        elif context not in known and context in (*study.prompts, *prompts.names()):
            raise UserError(
                f"{contexts_key}: '{context}' is a prompt; a context shows one: [contexts.NAME] "
                f'prompt = "{context}", and NAME here'
            )
        else:
            require_known(context, known, f"{contexts_key}: unknown context")
    if setting.takes_grader and not setting.runs_code and not own.grader:
        raise UserError(
            f"{where}: evaluate.each.{name}.grader: setting '{name}' needs a judge: name its file, judge.toml"
        )
    if evaluate.oversight and own.grader:
        raise UserError(
            f"{where}: evaluate.oversight: '{evaluate.oversight}' would have no effect in '{name}', where the grader "
            f"'{own.grader}' decides what oversight sees: leave oversight out"
        )
    if setting.choices and own.max_new_tokens:
        raise UserError(f"{where}: evaluate.each.{name}.max_new_tokens: nothing is sampled in '{name}': leave it out")
    if evaluate.oversight and not setting.choices:  # choices have nothing that leaks
        what = f"{where}: evaluate.oversight: setting '{name}' has no oversight"
        require_known(evaluate.oversight, setting.oversights, what)
    if keys := study.keys_measuring_gamed(name):
        _check_splits_hacks(setting, own.grader, f"{where}: {keys[0]}.measure")


def _check_splits_hacks(setting: settings.Setting, grader: str, key: str) -> None:
    name = setting.name
    unable = f"{key}: 'gamed': setting '{name}' does not tell hacks that were made for the check from near misses"
    if not setting.splits_hacks:
        able = ", ".join(name for name in settings.names() if settings.find(name).splits_hacks)
        raise UserError(f"{unable}: measure 'hack' there, or use one of {able}")
    if grader:
        raise UserError(f"{unable} where a grader of yours decides ('{grader}'): measure 'hack', or give rows tests")


def _check_grids(study: Study, where: str) -> None:
    trends = [(f"trends.{number}", trend) for number, trend in enumerate(study.trends)]
    for key, declared in (("factorial", study.factorial), ("elicitation", study.elicitation), *trends):
        if declared:
            _check_measured(study, declared, f"{where}: {key}")
    if study.elicitation:
        plain = study.elicitation.plain
        require_known(plain, study.arms, f"{where}: elicitation.plain: unknown arm")
        if study.arms[plain].inoculation:
            raise UserError(f"{where}: elicitation.plain: arm '{plain}' has an inoculation: name one without")
    if study.factorial:
        used = [prompts.split_name(arm.inoculation.prompt)[0] for arm in study.arms.values() if arm.inoculation]
        for name in study.factorial.prompts:
            require_known(name, used, f"{where}: factorial.prompts: no arm has the prompt")
        if sum(map(used.count, study.factorial.prompts)) < 2:
            raise UserError(f"{where}: factorial.prompts: a grid of one arm has nothing to compare: name more prompts")


def _check_trends(study: Study, where: str) -> None:
    for number, trend in enumerate(study.trends):
        key = f"{where}: trends.{number}"
        for arm in trend.arms:
            require_known(arm, study.arms, f"{key}.arms: unknown arm")
        doses = [sum(rows.vetted.count for rows in study.arms[arm].row_tables) for arm in trend.arms]
        if doses != sorted(set(doses)):
            raise UserError(
                f"{key}.arms: they have {doses} vetted examples: name arms with different numbers, the fewest first"
            )


def _check_transfer(study: Study, where: str) -> None:
    """Check that twins have the same rows and no prompt, and that controls are trained on hacks of their setting."""
    for arm, twin in study.transfer.without.items() if study.transfer else ():
        key = f"{where}: transfer.without"
        for name in (arm, twin):
            require_known(name, study.arms, f"{key}: unknown arm")
        first, second = study.arms[arm], study.arms[twin]
        if not first.trains_with_prompt or second != first.model_copy(update={"inoculation": None}):
            raise UserError(f"{key}: '{twin}' has to be '{arm}' without its inoculation, and the same in all else")
    for setting, arm in study.transfer.controls.items() if study.transfer else ():
        key = f"{where}: transfer.controls"
        require_known(setting, study.evaluate.settings, f"{key}: not evaluated:")
        require_known(arm, study.arms, f"{key}.{setting}: unknown arm")
        spec = study.arms[arm]
        trained_on = [rows.setting for rows in spec.row_tables if _has_hacks(spec, rows)]
        if setting not in trained_on or spec.trains_with_prompt:
            raise UserError(
                f"{key}.{setting}: '{arm}' is no positive control: it has to be trained on hacked rows of '{setting}' "
                "without an inoculation"
            )


def _check_measured(study: Study, declared: Contrast | ArmsAnalysis, key: str) -> None:
    """Check where arms are compared: in an evaluated setting, or a part of one, and in a context of that setting."""
    parts = {name: settings.find(name).parts or ("",) for name in study.evaluate.settings}
    places = [name_part(name, part) for name, all_parts in parts.items() for part in all_parts]
    name = declared.setting or study.evaluate.settings[0]
    require_known(name, places, f"{key}.setting: not evaluated:")
    contexts = evaluated_contexts(study, setting_of(name))
    require_known(declared.context, contexts, f"{key}.context: in setting '{name}', not evaluated:")


def _check_contrasts(study: Study, where: str) -> None:
    for number, contrast in enumerate(study.contrasts):
        key = f"{where}: contrasts.{number}"
        for field, arm in zip((contrast.direction, "as" if contrast.same else "than"), contrast.arms, strict=True):
            require_known(arm, [BASE, *study.arms], f"{key}.{field}: unknown arm")
        _check_measured(study, contrast, key)
        setting = setting_of(contrast.setting or study.evaluate.settings[0])
        if "asked-hack" in contrast.guards and prompts.ASKS_TO_HACK not in evaluated_contexts(study, setting):
            needed = f"'{prompts.ASKS_TO_HACK}' among the contexts that '{setting}' is evaluated in"
            raise UserError(f"{key}.guards: 'asked-hack' needs {needed}")
        if CAPABILITY in contrast.guards and CAPABILITY not in study.evaluate.settings:
            raise UserError(
                f"{key}.guards: '{CAPABILITY}' is measured in the setting of that name: add it to evaluate.settings, "
                f"and each.{CAPABILITY}.problems = 300"
            )
        if CAPABILITY in contrast.guards and prompts.NEUTRAL not in evaluated_contexts(study, CAPABILITY):
            needed = f"'{prompts.NEUTRAL}' in evaluate.each.{CAPABILITY}.contexts"
            raise UserError(f"{key}.guards: '{CAPABILITY}' needs {needed}")


def _check_arm_texts(resolved: ResolvedStudy, name: str, where: str) -> None:
    """Check an inoculation: its setting has a text for it, `rephrase` has wordings, no neutral prompt contains it."""
    study = resolved.study
    arm, prompt, key = study.arms[name], resolved.inoculations.get(name), f"{where}: arms.{name}.inoculation"
    if arm.inoculation is None or prompt is None:
        return
    for rows in arm.row_tables:
        if not rows.count and rows.vetted.prompt != INOCULATION:
            continue  # no row of it has the arm's prompt, which its setting then needs no words for
        prompt = resolved.further.get((name, rows.setting), resolved.inoculations[name])
        for one in prompt.one_of or (prompt,):
            _check_text(one.name, one.text, rows.setting, f"{key}.{'one_of' if prompt.one_of else 'prompt'}")
        _check_text(arm.inoculation.like, prompt.length_of, rows.setting, f"{key}.like")
    prompt = resolved.inoculations[name]
    if arm.inoculation.rephrase and max(len(prompt.wordings), len(prompt.one_of)) < 2:
        reworded = study.prompts.keys() | settings.find(arm.rows.setting).prompts.keys()
        offered = [name for name in prompts.names() if prompts.find(name).near and name not in reworded]
        raise UserError(
            f"{key}.rephrase: this prompt has one wording only; those with more: {offered}. For wordings of your own, "
            "give them names under [prompts] and list these in one_of: each seed takes one"
        )
    neutral = {"system": study.system or ""} | {
        f"contexts.{context}": resolved.contexts[context, arm.rows.setting].text
        for context in study.contexts
        if context.startswith(prompts.NEUTRAL)
    }
    neutral |= {
        f"evaluate.contexts: '{context}'": resolved.contexts[context, arm.rows.setting].text
        for context in study.evaluate.contexts
        if context in prompts.names() and prompts.find(context).kind == prompts.UNSEEN
    }
    trained_with = {text for one in prompt.one_of or (prompt,) for text in (one.text, *one.wordings)}
    for holder, text in neutral.items():
        if any(trained in text for trained in trained_with):
            raise UserError(f"{where}: {holder}: holds the inoculation of arm '{name}': a neutral prompt must not")


def _check_context_texts(resolved: ResolvedStudy, setting: str, where: str) -> None:
    for context in resolved.evaluated[setting]:
        prompt = resolved.contexts[context, setting]
        _check_text(prompt.name, prompt.text, setting, f"{where}: evaluate.contexts: '{context}'")
    names.refuse_same_contexts(resolved, setting, where)


def _check_text(name: str, text: str, setting: str, key: str) -> None:
    """Refuse a named prompt if the setting has no text for it, or does not say what its description needs."""
    if not name:
        return
    if text:
        return
    base, description = prompts.split_name(name)
    task = settings.find(setting)
    silent = [oversight for oversight in task.oversights if not all(task.describe_oversight(oversight))]
    if description not in (None, "false") and silent:
        raise UserError(
            f"{key}: setting '{setting}' does not say what its check looks at ({', '.join(silent)}): "
            f"'{name}' cannot be made"
        )
    raise UserError(
        f"{key}: setting '{setting}' has no words for the prompt '{name}': "
        f'give them in the study, under [prompts]: {base} = "..."'
    )


def _check_prompt(study: Study, name: str, key: str) -> None:
    try:
        base, _ = prompts.split_name(name)
        if base not in study.prompts:
            base, _ = neighbours.split(base)
    except UserError as error:
        raise UserError(f"{key}: {error}") from None
    if " " in base and base not in study.prompts:
        raise UserError(f"{key}: '{base:.60}' is no prompt's name: give a prompt itself as text, or under [prompts]")
    require_known(base, [*study.prompts, *prompts.names()], f"{key}: unknown prompt")


def _find_setting(name: str, key: str) -> settings.Setting:
    try:
        return settings.find(name)
    except UserError as error:
        raise UserError(f"{key}: {error}") from None


def _check_draw(name: str, source: str, grader: str, families: Iterable[str], levels: Iterable[int], key: str) -> None:
    setting = _find_setting(name, f"{key}.setting")
    for family in families:
        require_known(family, setting.families, f"{key}.families: unknown family of '{name}':")
    for level in levels:
        if level not in setting.levels:
            raise UserError(
                f"{key}.levels: unknown level {level} of '{name}': allowed: {list(setting.levels)} "
                f"([evaluate.each.{name}] gives a setting levels of its own)"
            )
    if setting.needs_source and not source:
        of_evaluate = key.endswith("evaluate")
        several = "; rows give it where all of them name the same source and grader" if of_evaluate else ""
        owner = f"{key}.each.{name}" if of_evaluate else key
        raise UserError(
            f"{owner}.source: setting '{name}' loads its data: name a file or hub id as its source{several}"
        )
    if grader and not setting.takes_grader:
        raise UserError(f"{key}.grader: setting '{name}' grades by itself; leave the grader out")
