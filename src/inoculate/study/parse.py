"""Reads a study file: TOML becomes a `Study`. Mistakes are refused before any work.

Every refusal names the file, the key, what is allowed and the nearest match.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from inoculate.errors import UserError, nearest, on_one_line
from inoculate.records import BASE
from inoculate.study import checks, sources, toml_file
from inoculate.study.comparisons import Contrast, Elicitation, Factorial, Screen, Sensitivity, Transfer, Trend
from inoculate.study.row_schema import Context, Inoculation, Rows, TrajectorySource, Vetted
from inoculate.study.schema import (
    RL,
    SFT,
    Arm,
    CheckpointRule,
    Evaluate,
    EvaluatedSetting,
    Needs,
    Onset,
    Reward,
    Study,
)
from inoculate.study.strict import StrictModel


def load(path: Path) -> Study:
    """Read a study file.

    Raises:
        UserError: It does not exist, is not TOML, or has a mistake; the message names file and key.
    """
    raw, text = toml_file.read(path)
    try:
        return parse(raw, path.stem, str(path))
    except UserError as error:
        raise UserError(toml_file.with_lines(str(error), path, text)) from None


_BITS = 63
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""Of a whole number, without its sign: what TOML has."""


@contextmanager
def located(path: Path) -> Iterator[None]:
    """Give file and line to what is refused in the block, as `load` does, where the message begins with a key.

    For what is found only when a study is planned or carried out.

    Args:
        path: The study file.

    Raises:
        UserError: One was raised in the block.
    """
    try:
        yield
    except UserError as error:
        if type(error) is UserError and _BEGINS_WITH_KEY.match(str(error)):
            _, text = toml_file.read(path)
            error.args = (toml_file.with_lines(f"{path}: {error}", path, text),)
        raise


def parse(raw: dict[str, Any], name: str, where: str) -> Study:
    """Make a study of the tables of its file.

    Args:
        raw: The tables, as TOML gives them: `rows`, `train` and `rl` hold for every arm that does not say otherwise.
        name: The study's name.
        where: The file, for messages.

    Raises:
        UserError: They have a mistake.
    """
    if "name" in raw:
        raise UserError(f"{where}: unknown key name: a study is called as its file is: leave it out")
    for arm, table in raw["arms"].items() if isinstance(raw.get("arms"), dict) else ():
        if isinstance(table, dict) and "more_rows" in table:
            raise UserError(f"{where}: unknown key arms.{on_one_line(arm)}.more_rows: rows may be a list of tables")
    if unusable := next(_find_unusable(raw), ""):
        raise UserError(f"{where}: {unusable}")
    merged = sources.say_once(_merge_arms(raw, where) | {"name": name})
    try:
        study = Study.model_validate(merged)
    except ValidationError as error:
        raise UserError("\n".join(_explain(where, detail) for detail in _own_errors(error))) from None
    _refuse_other_methods(raw, study, where)
    _refuse_unused(raw, study, where)
    checks.check(study, where)
    return study.with_sensitivity_arms()


def _find_unusable(value: Any, key: str = "") -> Iterator[str]:
    """The keys of what no page, figure or floating-point number can hold, each with what is wrong with it."""
    if isinstance(value, int) and value.bit_length() > _BITS:
        yield f"{key}: a whole number of more than 64 bits"
    if isinstance(value, str) and (found := _UNWRITABLE.search(value)):
        yield f"{key}: the character {found[0]!r} is no text: leave it out"
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list | tuple) else ()
    for name, below in items:
        yield from _find_unusable(below, f"{key}.{name}" if key else str(name))


def _refuse_other_methods(raw: dict[str, Any], study: Study, where: str) -> None:
    """Refuse an arm's own hyperparameters of a method that is not its own: they would have no effect."""
    for name, arm in study.arms.items():
        for key in ("train", "rl"):
            if key in raw["arms"][name] and key not in HYPERPARAMETERS[arm.method]:
                own = " and ".join(f"arms.{name}.{other}" for other in HYPERPARAMETERS[arm.method])
                raise UserError(
                    f"{where}: arms.{name}.{key}: this arm's method is '{arm.method}', whose hyperparameters are under "
                    f"{own}: leave {key} out, or give the arm another method"
                )


def _refuse_unused(raw: dict[str, Any], study: Study, where: str) -> None:
    """Refuse what no arm uses: a table of hyperparameters, or a key of RL in an arm of expert iteration."""
    used = {key for arm in study.arms.values() for key in HYPERPARAMETERS[arm.method]}
    for key in ("train", "rl"):
        if study.arms and key in raw and key not in used:
            raise UserError(f"{where}: {key}: no arm's method uses it: leave it out, or give an arm another method")
    methods = {arm.method for arm in study.arms.values()}
    own = {f"arms.{name}": raw["arms"][name] for name, arm in study.arms.items() if arm.method == "expert-iteration"}
    shared = {"": raw} if "expert-iteration" in methods and "rl" not in methods else {}
    for above, table in {**shared, **own}.items():
        for key in table.get("rl", {}):
            if key not in DRAWING:
                owner = f"{above}." if above else ""
                raise UserError(
                    f"{where}: {owner}rl.{key}: means nothing to expert iteration, whose rounds are trained as "
                    f"{owner}train says; it uses {', '.join(DRAWING)}"
                )


def _merge_arms(raw: dict[str, Any], where: str) -> dict[str, Any]:
    """Give every arm the study's `rows`, `train` and `rl`, overridden by its own."""
    rest = {key: value for key, value in raw.items() if key not in _SHARED}
    arms = raw.get("arms", {})
    if not isinstance(arms, dict):
        raise UserError(f"{where}: arms: each must be a table: [arms.plain]")
    for name in (name for name, arm in arms.items() if not isinstance(arm, dict)):
        raise UserError(f"{where}: arms.{on_one_line(name)}: must be a table: [arms.{on_one_line(name)}]")
    if not arms:
        if unused := [key for key in _SHARED if key in raw]:
            raise UserError(
                f"{where}: arms: a study that trains needs at least one arm beside the untrained '{BASE}': "
                f"[arms.plain]; one of '{BASE}' alone has no {' and no '.join(unused)}"
            )
        rest = {"seeds": [0], **rest}  # nothing is drawn from it: there is no training to repeat
    merged: dict[str, Any] = {}
    for name, arm in arms.items():
        merged[name] = dict(arm)
        for key in _SHARED:
            if not isinstance(arm.get(key, {}), dict | list):
                raise UserError(f"{where}: arms.{on_one_line(name)}.{key}: must be a table: {key} = {{ ... }}")
            merged[name][key] = _merge_table(raw.get(key, {}), arm.get(key, {}), key, where)
    return rest | {"arms": merged}


def _merge_table(shared: Any, own: Any, key: str, where: str) -> dict[str, Any] | list[Any]:
    """A shared table overridden by an arm's own. Rows may be a list: each of its tables overrides the shared one."""
    lists = [given for given in (shared, own) if isinstance(given, list)]
    if any(not isinstance(given, dict) for given in (shared, own) if given not in lists) or (lists and key != "rows"):
        raise UserError(f"{where}: {key}: must be a table: [{key}]")
    if not lists:
        return {**shared, **own}
    if isinstance(shared, list):
        if isinstance(own, dict) and own:
            raise UserError(
                f"{where}: {key}: the study's is a list of tables, and an arm gives one table, which could override "
                "any of them: give the arm a list of its own"
            )
        return own if isinstance(own, list) else shared
    return [{**shared, **table} if isinstance(table, dict) else table for table in own]


_SHARED = ("rows", "train", "rl")
"""Tables that hold for every arm which does not say otherwise."""
_BEGINS_WITH_KEY = re.compile(rf"({'|'.join({*Study.model_fields, *_SHARED} - {'name'})})(\.[^:]*?)?(: | '| = )")
"""A message about a key of a study, and not about a step or a file that is called like one."""
HYPERPARAMETERS = {"sft": ("train",), "rl": ("rl",), "expert-iteration": ("train", "rl")}
"""Method -> the tables of its hyperparameters."""
DRAWING = ("reward", "steps", "prompts_per_step", "completions_per_prompt", "hackable", "temperature", "max_new_tokens",
           "preflight", "onset", "checkpoint")  # fmt: skip
"""The keys of `rl` that expert iteration uses: how it draws completions, and what is said of them."""
_IN_ONE_LINE = (Inoculation, TrajectorySource, Vetted, Reward, Onset, CheckpointRule)
"""Tables that are written within a line: what follows on other lines is not taken into them."""
_TABLES: dict[str, type[StrictModel]] = {
    "rows": Rows,
    "inoculation": Inoculation,
    "train": SFT,
    "rl": RL,
    "trajectories": TrajectorySource,
    "vetted": Vetted,
    "reward": Reward,
    "onset": Onset,
    "checkpoint": CheckpointRule,
    "evaluate": Evaluate,
    "screen": Screen,
    "contrasts": Contrast,
    "contexts": Context,
    "arms": Arm,
    "sensitivity": Sensitivity,
    "factorial": Factorial,
    "elicitation": Elicitation,
    "trends": Trend,
    "transfer": Transfer,
    "resources": Needs,
}


_CLOSE, _MISSPELT = 0.85, 0.6
"""How alike an unknown key and one of its own table are, before it is looked for in other tables; an unknown key and
one that is missing."""


def _own_errors(error: ValidationError) -> list[Any]:
    """The errors without those that others bring about.

    A list is called too short where its items have mistakes, and a key missing where it, or the table that all arms
    share, is misspelt.
    """
    details = list({_place(detail): _of_the_key(detail) for detail in error.errors()}.values())
    places: list[tuple[Any, ...]] = [detail["loc"] for detail in details]
    unknown: list[tuple[Any, ...]] = [detail["loc"] for detail in details if detail["type"] == "extra_forbidden"]

    missing: list[tuple[Any, ...]] = [detail["loc"] for detail in details if detail["type"] == "missing"]

    def is_own(kind: str, place: tuple[Any, ...]) -> bool:
        if kind == "too_short":
            return not any(len(other) > len(place) and other[: len(place)] == place for other in places)
        if kind != "missing":
            return True
        of_arms = [other for other in missing if other[0] == "arms" and other[2:] == place[2:]]
        if place[0] == "arms" and place != of_arms[0]:  # said once: the tables that arms share lack it
            return False
        wanted = [(place[:-1], str(place[-1]))]  # and the table that all arms share
        wanted += [((), str(place[2]))] if place[0] == "arms" and len(place) > 3 else []
        return not any(
            other[:-1] == above and _means(str(other[-1]), name, _MISSPELT)
            for other in unknown
            for above, name in wanted
        )

    return [detail for detail in details if is_own(detail["type"], detail["loc"])]


def _place(detail: Any) -> tuple[Any, ...]:
    """The key of an error: where a value may be of several types, each has an error of its own, below the key."""
    location = detail["loc"]
    return location[:-1] if location and str(location[-1]).startswith(_TYPES) else location


def _of_the_key(detail: Any) -> Any:
    """An error of one of several types as one of the key, which says what all of them allow."""
    place = _place(detail)
    return (
        detail if place == detail["loc"] else {**detail, "loc": place, "msg": f"Input should be {_EITHER[place[-1]]}"}
    )


def _means(given: str, key: str, alike: float = _CLOSE) -> bool:
    """Whether an unknown key is likely to be another one: misspelt, or as other tools call it."""
    return key in _CALLED.get(given, ()) or bool(get_close_matches(given, [key], n=1, cutoff=alike))


_TYPES = ("bool", "literal[")
"""What pydantic calls the types of `_EITHER`."""
_EITHER = {"rephrase": "true, false, 'near' or 'far'"}
"""Keys whose value may be of several types, and what they take."""
_INTERNAL = ("name", "more_rows")
"""Fields that are no keys of a file."""
_TABLES_IN_LISTS = ("contrasts", "trends", "reward")
"""Keys whose value is a list of tables; that of other lists is of names or numbers."""
_FORMS = {
    "inoculation": 'inoculation = { prompt = "NAME" }',
    "trajectories": 'trajectories = { arm = "NAME", where = "outcome=hack" }',
    "vetted": 'vetted = 16, or { count = 16, exposures = 64, prompt = "diverse" }',
    "reward": 'reward = [{ oversight = "NAME", weight = 1.0 }, { function = "FILE.py:NAME" }]',
    "onset": "onset = { steps = 5, above = 0.15 }",
    "checkpoint": "checkpoint = { hack = 0.5, length = 0.5, steps = 1 }",
    "contrasts": '[[contrasts]] claim = "...", measure = "hack", lower = "ARM", than = "ARM"',
    "trends": '[[trends]] claim = "...", measure = "hack", arms = ["ARM", "ARM", "ARM"], direction = "lower"',
    "contexts": '[contexts.NAME] text = "..."',
    "resources": "[resources.KIND] cpus = 8, gpus = 1, memory_gb = 64",
    "each": "[evaluate.each.SETTING] problems = 100",
}
"""How a table, or a list of tables, is written; the others are `[NAME]`."""
_PLAIN_WORDS = {
    "Input should be a valid string": "must be a text",
    "Input should be a valid integer": "must be a whole number",
    "Input should be a valid number": "must be a number",
    "Input should be a valid boolean": "must be true or false",
    "Input should be": "must be",
    "Field required": "is missing",
    "Tuple should have": "must have",
    " items after validation": " entries",
    " item after validation": " entry",
}
"""What pydantic says, and what stands in a message."""
_WRONG_FORMS = {"model_type": "must be a table", "dict_type": "must be a table", "tuple_type": "must be a list"}


def _explain(where: str, detail: Any) -> str:
    """One error of pydantic's as a sentence: file, key, what is allowed, the nearest match."""
    location = [str(part) for part in detail["loc"]]
    key = ".".join(location) or "(the whole file)"
    named = [part for part in location if part in {*_TABLES, *_FORMS}]
    if location[:2] == ["evaluate", "each"]:  # a setting can be called as a table is: `rows`
        named = ["each"]
    form = _FORMS.get(named[-1], f"[{named[-1]}]") if named else ""
    if detail["type"] == "extra_forbidden":
        table = next((_TABLES[part] for part in reversed(location[:-1]) if part in _TABLES), Study)
        owner = EvaluatedSetting if location[:2] == ["evaluate", "each"] else table  # a setting can be called `rows`
        allowed = [field.alias or name for name, field in owner.model_fields.items() if name not in _INTERNAL]
        if owner is Study:
            allowed += _SHARED
        needed = [name for name, field in owner.model_fields.items() if field.is_required()]
        is_here = any(_means(location[-1], name) for name in needed)  # `settings` in rows, and not that of evaluate
        trap = "" if is_here else _explain_trap(location, owner, detail["input"])
        other = next((name for name in _CALLED.get(location[-1], ()) if name in allowed), "")
        hint = f"did you mean '{other}'? {nearest('', allowed)}" if other else nearest(location[-1], allowed)
        if trap and (close := get_close_matches(location[-1], allowed, n=1, cutoff=_CLOSE)):
            hint = f"did you mean '{close[0]}'? Or it is {trap}"
            trap = ""
        return f"{where}: unknown key {key}: {trap or hint}"
    value = detail.get("input")
    shown = "" if isinstance(value, dict) or detail["type"] == "missing" else f" (given: {_shown(value)})"
    message = detail["msg"].removeprefix("Value error, ")
    for theirs, ours in _PLAIN_WORDS.items():
        message = message.replace(theirs, ours)
    if detail["type"] == "value_error" and re.match(r"\w+ = ", message):  # a rule of a table names the key it is about
        return f"{where}: {'.'.join([*location, message])}"
    if detail["type"] in _WRONG_FORMS:
        parts = [part for part in location if not part.isdigit()]
        if detail["type"] == "tuple_type" and parts[-1] not in _TABLES_IN_LISTS:
            is_plain = isinstance(value, str | int | float)  # of a date there is no example
            form = f": {parts[-1]} = [{json.dumps(value, ensure_ascii=False)}]" if is_plain else ""
        else:  # a table may be one of several under a name: [contexts.NAME]
            form = f": {form}" if form and named[-1] in parts[-2:] else ""
        message = f"{_WRONG_FORMS[detail['type']]}{form}"
    elif detail["type"] == "missing" and form in _FORMS.values():
        message += f": {form}"
    limit = detail.get("ctx", {}).get("le")
    if limit == 1 and isinstance(value, int | float) and 2 <= value <= 100:
        shown = f" (given: {value!r}; a share is written as {value / 100:g} for {value:g}%)"
    return f"{where}: {key}: {message[0].lower()}{message[1:]}{shown}"


_CALLED: dict[str, tuple[str, ...]] = {
    "lr": ("learning_rate",),
    "batch_size": ("batch_rows", "prompts_per_step"),
    "per_device_train_batch_size": ("batch_rows", "prompts_per_step"),
    "num_train_epochs": ("epochs",),
    "num_epochs": ("epochs",),
    "max_steps": ("steps", "epochs"),
    "lr_scheduler_type": ("schedule",),
    "warmup_ratio": ("warmup",),
    "r": ("lora_rank",),
    "rank": ("lora_rank",),
    "alpha": ("lora_alpha",),
    "num_generations": ("completions_per_prompt",),
    "max_completion_length": ("max_new_tokens",),
    "max_tokens": ("max_new_tokens",),
    "loss_type": ("loss",),
    "epsilon": ("clip_low",),
    "n": ("samples", "count"),
    "num_samples": ("samples", "count"),
    "num_problems": ("problems", "count"),
    "size": ("count", "problems"),
    "task": ("setting",),
    "tasks": ("settings",),
    "dataset": ("source", "setting"),
    "data": ("source", "rows"),
    "training": ("train",),
    "sft": ("train",),
    "grpo": ("rl",),
    "eval": ("evaluate",),
    "evaluation": ("evaluate",),
    "conditions": ("arms",),
    "metric": ("measure",),
    "description": ("question", "claim"),
    "file": ("source",),
    "path": ("source",),
    "scorer": ("grader",),
    "judge": ("grader",),
    "system_prompt": ("system",),
    "model_name": ("model",),
    "base_model": ("model",),
    "position": ("placement",),
}
"""What other tools, or plain words, call a key -> the keys that are meant, in the table that has them."""
_LONGEST = 200
"""Characters of a value that a message shows."""


def _shown(value: Any) -> str:
    text = repr(_as_given(value))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..., {len(text):,} characters"


class _Small:
    """`true`, `false` or a date in a message."""

    def __init__(self, value: bool | datetime.date | datetime.time) -> None:
        self._text = str(value).lower()

    def __repr__(self) -> str:
        return self._text


def _as_given(value: Any) -> Any:
    """A value as the file has it: a tuple was a list, and truth is written small."""
    if isinstance(value, bool):
        return _Small(value)
    if isinstance(value, datetime.date | datetime.time):
        return _Small(value)
    return [_as_given(part) for part in value] if isinstance(value, tuple) else value


def _explain_trap(location: list[str], owner: type[StrictModel], value: Any) -> str:
    """Why TOML has put a key where it does not belong; '' where it has not."""
    *above, name = location
    if owner is Arm and name in Inoculation.model_fields:
        return f"a key of inoculation: inoculation = {{ {name} = ... }}"
    if owner in _IN_ONE_LINE:
        return ""
    if isinstance(value, dict) and len(above) >= 2 and name not in (*Study.model_fields, *_SHARED):
        table, entry = ".".join(above[:-1]), above[-1]
        if table in ("arms", "contexts", "evaluate.each") and not get_close_matches(name, owner.model_fields, n=1):
            return (
                f"a dot makes '{name}' a table of its own in '{entry}'; a name that has a dot wants quotes: "
                f'[{table}."{entry}.{name}"]'
            )
    homes = {"": {*(field for field in Study.model_fields if field != "name"), *_SHARED}} | {
        table: set(_TABLES[table].model_fields) for table in ("rows", "train", "rl", "evaluate")
    }
    home = next(
        (table for table, keys in homes.items() if name in keys and above and _TABLES.get(table) is not owner), None
    )
    if home is None:
        return ""
    where = f"[{home}]" if home else "the study itself"
    if home in _SHARED and above[0] == "arms" and len(above) == 2:
        return f"a key of {where}, which is written {home}.{name} in an arm"
    move = f"move it to {where}" if home else "move it above the first [table]"
    return f"a key of {where}, and all lines below a [table] belong to that table: {move}"
