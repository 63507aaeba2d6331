"""Checks of a study that need more than its file: names that must exist, combinations that cannot be."""

from __future__ import annotations

from collections.abc import Iterable

from inoculate import prompts, settings
from inoculate.errors import UserError, nearest
from inoculate.study import BASE, Arm, Study


def check_names(study: Study, where: str) -> None:
    """Refuse names that do not exist and combinations that cannot be.

    Raises:
        UserError: With the file, the key and the nearest match.
    """
    if len(set(study.seeds)) < len(study.seeds):
        raise UserError(f"{where}: seeds: {list(study.seeds)} has the same seed twice")
    for name in study.prompts:
        if not study.prompts[name].strip():
            raise UserError(f"{where}: prompts.{name}: an empty prompt")
    for name, arm in study.arms.items():
        _check_arm(study, name, arm, where)
    _check_evaluation(study, where)
    for number, contrast in enumerate(study.contrasts):
        key = f"contrasts.{number}"
        for arm in contrast.arms:
            _known(arm, [BASE, *study.arms], f"{where}: {key}: unknown arm")
        _known(contrast.context, study.evaluate.contexts, f"{where}: {key}.context: not evaluated:")
        if contrast.setting:
            _known(contrast.setting, study.evaluate.settings, f"{where}: {key}.setting: not evaluated:")
        if "asked-hack" in contrast.guards and prompts.ASKS not in study.evaluate.contexts:
            raise UserError(f"{where}: {key}.guards: 'asked-hack' needs '{prompts.ASKS}' in evaluate.contexts")


def _check_arm(study: Study, name: str, arm: Arm, where: str) -> None:
    key = f"{where}: arms.{name}"
    if name == BASE:
        raise UserError(f"{key}: '{BASE}' is the untrained arm, which is always there: use another name")
    _check_draw(arm.rows.setting, arm.rows.source, arm.rows.families, arm.rows.levels, f"{key}.rows")
    inoculation = arm.inoculation
    if inoculation is None:
        return
    for field in ("prompt", "like"):
        given = getattr(inoculation, field)
        if given:
            _known(given, [*study.prompts, *prompts.names()], f"{key}.inoculation.{field}: unknown prompt")
    if inoculation.on == "hacked" and (arm.rows.hacked_rows == 0 or arm.rows.filter == "hacked"):
        raise UserError(f"{key}.inoculation.on: 'hacked', but this arm has no hacked rows")


def _check_evaluation(study: Study, where: str) -> None:
    evaluate = study.evaluate
    for setting in evaluate.settings:
        source = evaluate.sources.get(setting, "")
        _check_draw(setting, source, evaluate.families, evaluate.levels, f"{where}: evaluate")
    for setting in evaluate.sources:
        _known(setting, evaluate.settings, f"{where}: evaluate.sources: not evaluated:")
    known = [prompts.NEUTRAL, *prompts.CONTEXTS, *study.contexts]
    for context in evaluate.contexts:
        _known(context, known, f"{where}: evaluate.contexts: unknown context")
    for name, context in study.contexts.items():
        if name == prompts.NEUTRAL or name in prompts.CONTEXTS:
            raise UserError(f"{where}: contexts.{name}: this name is the package's own; choose another")
        if context.prompt:
            available = [*study.prompts, *prompts.names()]
            _known(context.prompt, available, f"{where}: contexts.{name}.prompt: unknown prompt")


def _check_draw(name: str, source: str, families: Iterable[str], levels: Iterable[int], key: str) -> None:
    _known(name, settings.names(), f"{key}: unknown setting")
    setting = settings.find(name)
    for family in families:
        _known(family, setting.families, f"{key}.families: unknown family of '{name}'")
    for level in levels:
        if level not in setting.levels:
            raise UserError(f"{key}.levels: unknown level {level} of '{name}': allowed: {list(setting.levels)}")
    if setting.needs_source and not source:
        raise UserError(f"{key}: setting '{name}' loads its data: name a file or hub id as its source")


def _known(given: str, allowed: Iterable[str], what: str) -> None:
    names = list(allowed)
    if given not in names:
        raise UserError(f"{what} '{given}': {nearest(given, names)}")
