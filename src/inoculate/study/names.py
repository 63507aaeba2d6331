"""Checks of the names and lists of a study: each thing is named once, and what becomes a folder's name can be one."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

from inoculate import settings
from inoculate.errors import UserError
from inoculate.records import BASE
from inoculate.study import prompts
from inoculate.study.resolve import ResolvedStudy
from inoculate.study.row_schema import VETTED_PROMPTS
from inoculate.study.schema import Arm, Study

_LONGEST = 80
"""Characters of a name: files are called after it, with something added."""
_NO_FILE = "/\\"
"""Signs that cannot stand in the name of a file."""


def check_names(study: Study, where: str) -> None:
    """Refuse names that cannot be files, what is named twice, and a contrast of an arm with itself.

    Args:
        study: The study, before its arms are repeated.
        where: Its file, for messages.

    Raises:
        UserError: So it is; the message names file and key.
    """
    for table in ("arms", "contexts"):
        for name in getattr(study, table):
            _refuse_no_file(name, f"{where}: {table}")
    if BASE in study.arms:
        raise UserError(f"{where}: arms.{BASE}: '{BASE}' is the untrained arm, which is always there: use another name")
    _refuse_names_as_texts(study, where)
    for name in study.prompts:
        if not name.strip():
            raise UserError(f"{where}: prompts.{name!r}: no arm could name this prompt: give it a name")
        if name in VETTED_PROMPTS:
            raise UserError(
                f"{where}: prompts.{name}: '{name}' is no prompt's name in rows.vetted.prompt, but says what vetted "
                "rows stand under: give this prompt another name"
            )
        if "+" in name:
            raise UserError(
                f"{where}: prompts.{name!r}: '+' stands between a prompt and its description, so this one could not be "
                "named: give it a name without it"
            )
    for key, values in _lists(study):
        if repeated := _repeated(values):
            raise UserError(f"{where}: {key}: {list(values)} has {repeated[0]!r} twice: leave one out")
    refuse_same_arms({name: _as_trained(arm) for name, arm in study.arms.items()}, f"{where}: ")
    if study.evaluate.split == "train":
        raise UserError(
            f'{where}: evaluate.split: "train" has the problems that arms are trained on: "test" to report, '
            '"development" while choosing anything'
        )
    for number, contrast in enumerate(study.contrasts):
        one, other = contrast.arms
        if one == other:
            raise UserError(f"{where}: contrasts.{number}: compares arm '{one}' with itself: name two arms")
    first_setting = study.evaluate.settings[0]
    for key, declared in (("contrasts", study.contrasts), ("trends", study.trends)):
        _refuse_same_claims([one.compared(first_setting) for one in declared], f"{where}: {key}")
    _check_sensitivity(study, where)


def _refuse_same_claims(compared: Sequence[Hashable], key: str) -> None:
    for number, one in enumerate(compared):
        if (first := compared.index(one)) < number:
            raise UserError(
                f"{key}.{number}: compares the same as {key.rpartition(' ')[2]}.{first}, and one comparison would be "
                "counted as two: leave one out"
            )


def _check_sensitivity(study: Study, where: str) -> None:
    """Refuse a sensitivity that repeats nothing: all its learning rates are those that its arms are trained with."""
    if not study.sensitivity or not study.contrasts:
        return
    named = sorted({name for contrast in study.contrasts for name in contrast.arms if name in study.arms})
    rates = {study.arms[name].train.learning_rate for name in named}
    if len(rates) == 1 and rates == set(study.sensitivity.learning_rate):
        raise UserError(
            f"{where}: sensitivity.learning_rate: {list(study.sensitivity.learning_rate)} is what "
            f"{' and '.join(map(repr, named))} are trained with anyway, so that nothing would be repeated: name other "
            "rates"
        )


def refuse_same_arms(trained: Mapping[str, Hashable], where: str = "") -> None:
    """Refuse two arms that come to the same adapters: one training would be reported as two.

    Args:
        trained: Arm -> what its adapters are made of.
        where: The study's file, for messages.

    Raises:
        UserError: So it is.
    """
    known: dict[Hashable, str] = {}
    for name, made_of in trained.items():
        first = known.setdefault(made_of, name)
        if first != name:
            raise UserError(
                f"{where}arms.{name}: comes to the same rows and the same training as arms.{first}: say in what they "
                "differ, or leave one out"
            )


def _refuse_names_as_texts(study: Study, where: str) -> None:
    """Refuse a prompt's name where its text is due, which a model would be shown, and a control of itself."""
    known = {*study.prompts, *prompts.names()}
    named = [(f"arms.{name}.inoculation", arm.inoculation) for name, arm in study.arms.items() if arm.inoculation]
    for key, context in [*named, *((f"contexts.{name}", one) for name, one in study.contexts.items())]:
        if context.text and context.text in known:
            raise UserError(
                f"{where}: {key}.text: '{context.text}' is a prompt's name, and would be shown as it stands: write "
                f'prompt = "{context.text}"'
            )
    for key, inoculation in named:
        if inoculation.like and inoculation.like == inoculation.prompt:
            raise UserError(
                f"{where}: {key}.like: '{inoculation.like}' is as long as itself: name the prompt that this one is a "
                "control for, or leave like out"
            )


def refuse_same_contexts(resolved: ResolvedStudy, setting: str, where: str) -> None:
    """Refuse a context of the study that shows what another one shows: one context would be reported as two.

    Args:
        resolved: The study.
        setting: One of the evaluated settings.
        where: The study's file, for messages.

    Raises:
        UserError: So it is.
    """
    named = [name for name in resolved.evaluated[setting] if name not in (prompts.NEUTRAL, prompts.AS_TRAINED)]
    shown = {name: (one.text, one.placement) for name in named for one in [resolved.contexts[name, setting]]}
    for name in (name for name in named if name in resolved.study.contexts):
        if same := [other for other in named if other != name and shown[other] == shown[name]]:
            raise UserError(
                f"{where}: contexts.{name}: shows the same prompt in the same place as '{same[0]}', and one context "
                "would be reported as two: leave one out of evaluate.contexts"
            )


def _as_trained(arm: Arm) -> str:
    """What an arm says, a prompt on none of its rows left out.

    Its tables of rows say how many are hacked, and not which share: that may round to the same.
    """
    first, *more = (rows.model_copy(update={"hacked": 0 if arm.is_rewarded else rows.hacked_rows})
                    for rows in arm.row_tables)  # fmt: skip
    inoculation = arm.inoculation if arm.trains_with_prompt else None
    return repr(arm.model_copy(update={"rows": first, "more_rows": tuple(more), "inoculation": inoculation}))


def _refuse_no_file(name: str, key: str) -> None:
    wrong = [sign for sign in name if sign in _NO_FILE or not sign.isprintable()]
    if not name.strip():
        why = "this one is empty"
    elif wrong:
        why = f"{wrong[0]!r} cannot stand in it"
    elif name != name.strip() or name[0] in ".-":
        why = "it begins or ends with a space, or begins with a dot or a dash"
    elif len(name) > _LONGEST:
        why = f"it has {len(name)} characters, at most {_LONGEST} can be"
    else:
        return
    raise UserError(f"{key}.{name!r:.120}: files are called after this name, and {why}: choose another")


def _lists(study: Study) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """The lists of a study that name things, with their keys."""
    evaluate = study.evaluate
    for key in ("settings", "contexts", "families", "levels", "fractions"):
        yield f"evaluate.{key}", getattr(evaluate, key)
    for setting, own in evaluate.each.items():
        for key in ("contexts", "families", "levels"):
            yield f"evaluate.each.{setting}.{key}", getattr(own, key) or ()
    for name, arm in study.arms.items():
        for rows in arm.row_tables:
            for key in ("families", "levels"):
                yield f"arms.{name}.rows.{key}", getattr(rows, key)
    yield "screen.prompts", study.screen.prompts
    if study.factorial:
        yield "factorial.prompts", study.factorial.prompts
    if study.sensitivity:
        yield "sensitivity.learning_rate", study.sensitivity.learning_rate
    for number, contrast in enumerate(study.contrasts):
        yield f"contrasts.{number}.guards", contrast.guards


def _repeated(values: tuple[Any, ...]) -> list[Any]:
    return [value for place, value in enumerate(values) if value in values[:place]]


def check_settings(study: Study, where: str) -> None:
    """Refuse two paths of one file, or two files whose settings have one name, among rows and evaluated settings.

    Args:
        study: The study; its settings exist.
        where: Its file, for messages.

    Raises:
        UserError: So it is.
    """
    named: dict[str, tuple[str, str]] = {}
    for key, given in _settings(study):
        name = settings.find(given).name
        first_key, first = named.setdefault(name, (key, given))
        if first != given:
            mend = "leave one out" if key == first_key else "write one path in both places"
            of = "" if key == first_key else f" of {first_key}"
            raise UserError(
                f"{where}: {key}: '{given}' and '{first}'{of} are both the setting '{name}': {mend}, or give one of "
                "them another name"
            )


def _settings(study: Study) -> Iterator[tuple[str, str]]:
    """The settings that are evaluated and trained on, with their keys."""
    for given in study.evaluate.settings:
        yield "evaluate.settings", given
    for name, arm in study.arms.items():
        for number, rows in enumerate(arm.row_tables):
            yield f"arms.{name}.rows.{f'{number}.' if arm.more_rows else ''}setting", rows.setting
