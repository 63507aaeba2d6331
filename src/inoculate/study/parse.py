"""Reading a study file: TOML into a `Study`, refused before any work where something is wrong.

Every refusal names the file, the key, what is allowed and the nearest match.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from inoculate import settings
from inoculate.errors import UserError, nearest
from inoculate.study import prompts
from inoculate.study.schema import (
    BASE,
    SFT,
    Arm,
    Context,
    Contrast,
    Each,
    Elicitation,
    Evaluate,
    Factorial,
    Inoculation,
    Rows,
    Screen,
    Sensitivity,
    Strict,
    Study,
)


def load(path: Path) -> Study:
    """Read a study file.

    Raises:
        UserError: It is not there, not TOML, or says something that cannot be; the message names file and key.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, IsADirectoryError):
        raise UserError(f"{path}: there is no such study file (ready-made ones: `inoculate studies`)") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 text: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{path}: not TOML: {error}") from None
    return parse(raw, path.stem, str(path))


def parse(raw: dict[str, Any], name: str, where: str) -> Study:
    """A study from the tables of its file.

    Args:
        raw: The tables, as TOML gives them: `rows` and `train` hold for every arm that does not say otherwise.
        name: The study's name.
        where: The file, for messages.
    """
    merged = _merged(raw, where) | {"name": name}
    try:
        study = Study.model_validate(merged)
    except ValidationError as error:
        raise UserError("\n".join(_sentence(where, detail) for detail in error.errors())) from None
    _check_names(study, where)
    return study.repeated()


def _merged(raw: dict[str, Any], where: str) -> dict[str, Any]:
    """Give every arm the study's `rows` and `train`, overridden by its own."""
    rest = {key: value for key, value in raw.items() if key not in {"rows", "train", "name"}}
    arms = raw.get("arms", {})
    if not isinstance(arms, dict) or not all(isinstance(arm, dict) for arm in arms.values()):
        raise UserError(f"{where}: arms: each must be a table: [arms.plain]")
    if not arms:
        if unused := [key for key in ("rows", "train") if key in raw]:
            raise UserError(
                f"{where}: arms: a study that trains needs at least one arm beside the untrained '{BASE}': "
                f"[arms.plain]; one of '{BASE}' alone has no {' and no '.join(unused)}"
            )
        rest = {"seeds": [0], **rest}  # nothing is drawn from it: there is no training to repeat
    whole: dict[str, Any] = {}
    for name, arm in arms.items():
        whole[name] = dict(arm)
        for key in ("rows", "train"):
            shared, own = raw.get(key, {}), arm.get(key, {})
            if not isinstance(shared, dict) or not isinstance(own, dict):
                raise UserError(f"{where}: {key}: must be a table: [{key}]")
            whole[name][key] = {**shared, **own}
    return rest | {"arms": whole}


_TABLES: dict[str, type[Strict]] = {
    "rows": Rows,
    "inoculation": Inoculation,
    "train": SFT,
    "evaluate": Evaluate,
    "screen": Screen,
    "contrasts": Contrast,
    "contexts": Context,
    "arms": Arm,
    "sensitivity": Sensitivity,
    "factorial": Factorial,
    "elicitation": Elicitation,
}


def _sentence(where: str, detail: Any) -> str:
    """One error of pydantic's as a sentence: file, key, what is allowed, the nearest match."""
    location = [str(part) for part in detail["loc"]]
    key = ".".join(location) or "(the whole file)"
    if detail["type"] == "extra_forbidden":
        named = next((_TABLES[part] for part in reversed(location[:-1]) if part in _TABLES), Study)
        owner = Each if location[:2] == ["evaluate", "each"] else named  # a setting can be called `rows`
        allowed = [field.alias or name for name, field in owner.model_fields.items() if name != "name"]
        if owner is Study:
            allowed += ["rows", "train"]
        return f"{where}: unknown key {key}: {nearest(location[-1], allowed)}"
    given = detail.get("input")
    shown = "" if isinstance(given, dict) or detail["type"] == "missing" else f" (given: {given!r})"
    message = detail["msg"].removeprefix("Value error, ")
    return f"{where}: {key}: {message[0].lower()}{message[1:]}{shown}"


def _check_names(study: Study, where: str) -> None:
    """Refuse names that do not exist and combinations that cannot be, with the file, the key and the nearest match."""
    if len(set(study.seeds)) < len(study.seeds):
        raise UserError(f"{where}: seeds: {list(study.seeds)} has the same seed twice")
    if study.sensitivity and not study.contrasts:
        raise UserError(f"{where}: sensitivity: there are no contrasts to repeat")
    for name in study.prompts:
        if not study.prompts[name].strip():
            raise UserError(f"{where}: prompts.{name}: an empty prompt")
    for name in study.screen.prompts:
        _check_prompt(study, name, f"{where}: screen.prompts")
    for name, arm in study.arms.items():
        _check_arm(study, name, arm, where)
        _check_start(study, name, arm, where)
    _check_evaluation(study, where)
    _check_grids(study, where)
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
    if study.sensitivity and "@" in name:
        raise UserError(f"{key}: '@' stands in the names of the arms that sensitivity repeats: use another name")
    rows = arm.rows
    _check_draw(rows.setting, rows.source, rows.grader, rows.families, rows.levels, f"{key}.rows")
    inoculation = arm.inoculation
    if inoculation is None:
        return
    for field in ("prompt", "like"):
        given = getattr(inoculation, field)
        if given:
            _check_prompt(study, given, f"{key}.inoculation.{field}")
            _has_words(study, given, arm.rows.setting, f"{key}.inoculation.{field}")
    if inoculation.rephrase and (inoculation.text or len(study.wordings(inoculation.prompt, rows.setting)) < 2):
        offered = [name for name in prompts.names() if len(study.wordings(name, rows.setting)) > 1]
        raise UserError(f"{key}.inoculation.rephrase: this prompt has one wording only; those with more: {offered}")
    text = inoculation.text or study.prompt_text(inoculation.prompt, rows.setting)
    neutral = {"system": study.system or ""} | {
        f"contexts.{name}": context.text or study.prompt_text(context.prompt, rows.setting)
        for name, context in study.contexts.items()
        if name.startswith(prompts.NEUTRAL)
    }
    for given, words in neutral.items():
        if text in words:
            raise UserError(f"{where}: {given}: holds the inoculation of arm '{name}': a neutral prompt must not")
    if inoculation.on == "hacked" and (arm.rows.hacked_rows == 0 or arm.rows.filter == "hacked"):
        raise UserError(f"{key}.inoculation.on: 'hacked', but this arm has no hacked rows")


def _check_start(study: Study, name: str, arm: Arm, where: str) -> None:
    """An arm that goes on from another's adapter, and training that goes on beyond its nominal length."""
    key = f"{where}: arms.{name}"
    if arm.start:
        others = [other for other, spec in study.arms.items() if other != name and not spec.start]
        _known(arm.start, others, f"{key}.start: not an arm that starts from the untrained model:")
        ours, theirs = ({k: getattr(a.train, k) for k in _SHAPE} for a in (arm, study.arms[arm.start]))
        if ours != theirs:
            raise UserError(f"{key}.start: goes on with the adapter of '{arm.start}', so {ours} must be {theirs}")
    if max(study.evaluate.fractions) > 1 and arm.train.schedule != "constant":
        raise UserError(
            f"{where}: evaluate.fractions: beyond 1 training goes on after its nominal end, where the schedule "
            f"'{arm.train.schedule}' of arm '{name}' has brought the learning rate to 0: use train.schedule = "
            '"constant", or more epochs and fractions up to 1'
        )


_SHAPE = ("lora_rank", "lora_alpha")


def _check_grids(study: Study, where: str) -> None:
    for key, given in (("factorial", study.factorial), ("elicitation", study.elicitation)):
        if given:
            _known(given.context, study.evaluate.contexts, f"{where}: {key}.context: not evaluated:")
            _known(given.setting or study.evaluate.settings[0], study.evaluate.settings, f"{where}: {key}.setting:")
    if study.elicitation:
        plain = study.elicitation.plain
        _known(plain, study.arms, f"{where}: elicitation.plain: unknown arm")
        if study.arms[plain].inoculation:
            raise UserError(f"{where}: elicitation.plain: arm '{plain}' has an inoculation: name one without")
    if study.factorial:
        used = {prompts.parted(arm.inoculation.prompt)[0] for arm in study.arms.values() if arm.inoculation}
        for name in study.factorial.prompts:
            _known(name, used, f"{where}: factorial.prompts: no arm has the prompt")


def _check_evaluation(study: Study, where: str) -> None:
    for name, context in study.contexts.items():
        if name in {prompts.NEUTRAL, prompts.TRAINED, *prompts.CONTEXTS}:
            raise UserError(f"{where}: contexts.{name}: this name is the package's own; choose another")
        if context.prompt:
            _check_prompt(study, context.prompt, f"{where}: contexts.{name}.prompt")
    for setting in study.evaluate.each:
        _known(setting, study.evaluate.settings, f"{where}: evaluate.each: not evaluated:")
    for setting in study.evaluate.settings:
        _check_setting(study, setting, where)


def _check_setting(study: Study, name: str, where: str) -> None:
    """One evaluated setting: its data, its draw, its oversight and its words for the contexts."""
    evaluate, own = study.evaluate.of(name), study.evaluate.each.get(name, Each())
    key = f"{where}: evaluate.each.{name}" if name in study.evaluate.each else f"{where}: evaluate"
    _check_draw(name, own.source, own.grader, evaluate.families, evaluate.levels, key)
    setting = settings.find(name)
    known = [prompts.NEUTRAL, prompts.TRAINED, *prompts.CONTEXTS, *study.contexts]
    for context in evaluate.contexts:
        _known(context, known, f"{key if own.contexts else f'{where}: evaluate'}.contexts: unknown context")
    if evaluate.oversight:
        what = f"{where}: evaluate.oversight: setting '{name}' has no oversight"
        _known(evaluate.oversight, setting.oversights, what)
    if asking := study.splits_hacks(name):
        _splits_hacks(setting, own.grader, f"{where}: {asking[0]}.measure")
    for context in () if setting.only_neutral and own.contexts is None else evaluate.contexts:
        prompt = study.contexts[context].prompt if context in study.contexts else prompts.CONTEXTS.get(context, "")
        if prompt:
            _has_words(study, prompt, name, f"{where}: evaluate.contexts: '{context}'")


def _splits_hacks(setting: settings.Setting, grader: str, key: str) -> None:
    told = f"{key}: 'gamed': setting '{setting.name}' does not tell hacks that were made for the check from near misses"
    if not setting.splits_hacks:
        able = ", ".join(name for name in settings.names() if settings.find(name).splits_hacks)
        raise UserError(f"{told}: measure 'hack' there, or use one of {able}")
    if grader:
        raise UserError(f"{told} where a grader of yours decides ('{grader}'): measure 'hack', or give rows tests")


def _check_prompt(study: Study, given: str, what: str) -> None:
    try:
        base, _ = prompts.parted(given)
    except UserError as error:
        raise UserError(f"{what}: {error}") from None
    _known(base, [*study.prompts, *prompts.names()], f"{what}: unknown prompt")


def _has_words(study: Study, prompt: str, setting: str, what: str) -> None:
    base, form = prompts.parted(prompt)
    where = settings.find(setting)
    told = {None: True, "false": True, "checked": bool(where.leak), "exploit": bool(where.leak and where.exploit)}
    if not told[form]:
        raise UserError(f"{what}: setting '{setting}' does not say what its check looks at: '{prompt}' cannot be made")
    if not study.prompt_text(base, setting):
        raise UserError(
            f"{what}: setting '{setting}' has no words for the prompt '{prompt}': "
            f'give them in the study, under [prompts]: {base} = "..."'
        )


def _check_draw(name: str, source: str, grader: str, families: Iterable[str], levels: Iterable[int], key: str) -> None:
    try:
        setting = settings.find(name)
    except UserError as error:
        raise UserError(f"{key}: {error}") from None
    for family in families:
        _known(family, setting.families, f"{key}.families: unknown family of '{name}'")
    for level in levels:
        if level not in setting.levels:
            raise UserError(
                f"{key}.levels: unknown level {level} of '{name}': allowed: {list(setting.levels)} "
                f"([evaluate.each.{name}] gives a setting levels of its own)"
            )
    if setting.needs_source and not source:
        raise UserError(f"{key}: setting '{name}' loads its data: name a file or hub id as its source")
    if grader and not setting.takes_grader:
        raise UserError(f"{key}.grader: setting '{name}' grades by itself; leave the grader out")


def _known(given: str, allowed: Iterable[str], what: str) -> None:
    names = list(allowed)
    if given not in names:
        raise UserError(f"{what} '{given}': {nearest(given, names)}")
