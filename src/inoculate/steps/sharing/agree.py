"""Whether a file of graded samples may enter a store: same versions, same model, same study. Else it is refused.

Only the versions of graders may be others: what they have judged is judged again (`regrade`).
Nothing in a file is ever run. A study that names Python files (settings, graders) is therefore not read from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from inoculate import __version__, settings
from inoculate.analysis.run_folder import read_run, split_finished
from inoculate.engine import models
from inoculate.errors import UserError
from inoculate.outside import toml_text
from inoculate.steps import manifest
from inoculate.steps.plan import Plan, make_plan
from inoculate.steps.screen import make_screen_plan
from inoculate.steps.sharing.packed import Header, PackedStep
from inoculate.steps.sharing.write import CARRIED, VERSIONS
from inoculate.study import parse
from inoculate.study.schema import Study, digest

_SCREEN = "-screen"
_MOST_NAMED = 5


def check_name(path: Path, header: Header) -> None:
    """Refuse a name that could not be a run's folder, or lead out of the store.

    Raises:
        UserError: It is none.
    """
    name = header.name
    if not name.isprintable() or name.startswith(".") or len(name) > 150 or Path(name).name != name or "\\" in name:
        raise UserError(f"{path}: {name!r} cannot name a run: nothing was imported")
    for machine in header.machines:
        if not machine.name.isprintable():
            raise UserError(f"{path}: {machine.name!r} cannot name a machine: nothing was imported")


def check_step(path: Path, header: Header, step: PackedStep) -> None:
    """Refuse a step that this version would make differently, or whose name does not follow from what it says.

    Raises:
        UserError: It is such a step.
    """
    if step.kind not in CARRIED:
        raise UserError(
            f"{path}: steps of the kind {step.kind!r}, which this inoculate ({__version__}) does not know; it was "
            f"written by {header.inoculate}: use the same version here and there"
        )
    if step.step_version != VERSIONS[step.kind]:
        raise _other_version(path, header, f"steps '{step.kind}'", VERSIONS[step.kind], step.step_version)
    needed, *optional = CARRIED[step.kind]
    if needed not in step.files or not step.files.keys() <= {needed, *optional}:
        raise UserError(
            f"{path}: {step.kind} {step.key} has the files {', '.join(map(repr, step.files)) or '(none)'}, where "
            f"{', '.join([needed, *optional])} were expected: nothing was imported"
        )
    _check_setting(path, header, step)
    if step.params.get("model", header.model) != header.model:
        raise UserError(
            f"{path}: {step.kind} {step.key} is from another model than the file says: nothing was imported"
        )
    inputs = {name: _split_input(path, step, given)[1] for name, given in step.inputs.items()}
    named = {"kind": step.kind, "version": step.step_version, "params": step.params, "inputs": inputs}
    if digest(named) != step.key or not step.label.isprintable():
        raise UserError(
            f"{path}: the name of {step.kind} {step.key} does not follow from what it depends on: "
            "the file was changed, and nothing was imported"
        )


def _split_input(path: Path, step: PackedStep, given: str) -> tuple[str, str]:
    kind, slash, key = given.partition("/")
    if not slash or kind not in CARRIED or not key.isalnum():
        raise UserError(f"{path}: {step.kind} {step.key} has {given!r} as an input: nothing was imported")
    return kind, key


def _check_setting(path: Path, header: Header, step: PackedStep) -> None:
    """Refuse problems of another version of a setting. The user's own are told apart by their digests.

    Grades of another version are not refused, but made anew (`regrade`).
    """
    name = _setting_of(step.params)
    if isinstance(name, str) and not settings.is_file(name):
        here = settings.find(name).version
        there = step.params.get("setting_version", here)
        if there != here:
            raise _other_version(path, header, f"the problems of the setting '{name}'", here, there)
    try:
        gradings(step.params)
    except (LookupError, TypeError, ValueError):
        raise UserError(
            f"{path}: {step.kind} {step.key} does not say as it should which graders it is of: nothing was imported"
        ) from None


def _setting_of(params: Mapping[str, Any]) -> Any:
    rows = params.get("rows")
    return params.get("setting") or (rows.get("setting") if isinstance(rows, dict) else None)


def gradings(params: Mapping[str, Any]) -> list[tuple[str, int, int]]:
    """The graders that a step's parameters name: setting, their version there, and here.

    Those in the user's files have no version: they are told apart by their digests.

    Raises:
        LookupError: These are no parameters of a step.
        TypeError: The same.
        ValueError: The same.
        UserError: There is no such setting.
    """
    given = [{**params, "setting": _setting_of(params)}] if "grading_version" in params else params.get("grading", [])
    found = [(one["setting"], one["grading_version"]) for one in given]
    if any(type(name) is not str or type(version) is not int for name, version in found):
        raise ValueError
    return [
        (name, version, version if settings.is_file(name) else settings.find(name).grading) for name, version in found
    ]


def with_todays(params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that the step has with the graders of today."""
    here = [version for *_, version in gradings(params)]
    if "grading_version" in params:
        return {**params, "grading_version": here[0]}
    if "grading" in params:
        listed = zip(params["grading"], here, strict=True)
        return {**params, "grading": [{**one, "grading_version": version} for one, version in listed]}
    return dict(params)


def _other_version(path: Path, header: Header, what: str, here: Any, there: Any) -> UserError:
    return UserError(
        f"{path}: {what} are of version {there} there and {here} here (inoculate {header.inoculate} there, "
        f"{__version__} here), so their content differs. Use the same version in both places, run the study again "
        "there (only such steps are repeated), and export again"
    )


def check_model(path: Path, header: Header, name: str) -> str:
    """Compare the model with that of this machine.

    Args:
        path: The file, for messages.
        header: Its header.
        name: The model's name in the study.

    Returns:
        Why it could not be compared; '' if it is the same.

    Raises:
        UserError: It has other weights here.
    """
    try:
        here = models.fingerprint(name)
    except UserError as error:
        return f"the model could not be compared, because it is not on this machine ({error})"
    if here != header.model:
        raise UserError(
            f"{path}: the model '{name}' is another one: {header.model} there, {here} here. Use the same weights in "
            "both places, or a study of its own for each model"
        )
    return ""


def own_code(text: str, path: Path) -> list[str]:
    """The Python files that a study file names.

    Args:
        text: The study file.
        path: Where it is from, for messages.

    Raises:
        UserError: It is not TOML.
    """
    return [value for value in _strings(_tables(text, path)) if value.split(":")[0].strip().endswith(".py")]


def _tables(text: str, path: Path) -> dict[str, Any]:
    try:
        return toml_text.parse(text)
    except toml_text.NotTOML as error:
        raise UserError(f"{path}: its study is not TOML: {error}") from None


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for name, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _strings(each)
            if isinstance(name, str):
                yield name  # `evaluate.each` has settings as keys


def plan_study(text: str, name: str, header: Header, where: str) -> Plan:
    """The plan of a study, with the model and engine of a file.

    Args:
        text: The study file.
        name: The run's name.
        header: The header of the file.
        where: The study's origin, for messages.

    Raises:
        UserError: The study has a mistake.
    """
    study = read_study(text, name, header.screen, where)
    server = "a server" if header.served else ""
    if header.screen:
        return make_screen_plan(study, server, header.model)
    return make_plan(study, header.model, server)


def read_study(text: str, name: str, screen: bool, where: str) -> Study:
    """A study from the text of its file, for a run of this name.

    Raises:
        UserError: It has a mistake.
    """
    return parse.parse(_tables(text, Path(where)), name.removesuffix(_SCREEN) if screen else name, where)


def check_study(path: Path, header: Header, text: str, run: Path) -> None:
    """Refuse a file whose study is not that of the run here, but for seeds, settings, contexts and fractions.

    Args:
        path: The file, for messages.
        header: Its header.
        text: The study file of the run here.
        run: The run's folder.

    Raises:
        UserError: They differ; the message says where.
    """
    if own_code(header.study, path):
        there, here = (_tables(each, path) for each in (header.study, text))
    else:
        there = read_study(header.study, header.name, header.screen, str(path)).model_dump(mode="json", by_alias=True)
        here = read_study(text, header.name, header.screen, str(run)).model_dump(mode="json", by_alias=True)
    differences = manifest.differences(here, there)
    if not differences:
        return
    named = [f"{key} is {_short(ours)} here and {_short(theirs)} there" for key, ours, theirs in differences]
    more = f"; and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
    raise UserError(
        f"{path}: its study '{header.name}' is not the one of {run}: {'; '.join(named[:_MOST_NAMED])}{more}. "
        "Run one and the same study file in both places; or import into another store: --store"
    )


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def check_served(path: Path, header: Header, run: Path) -> None:
    """Refuse to mix completions of a server with those of a process.

    Args:
        path: The file, for messages.
        header: Its header.
        run: The run's folder here.

    Raises:
        UserError: They would be mixed.
    """
    if not (run / "manifest.json").is_file():
        return
    here = read_run(run)
    finished, _ = split_finished(here)
    if not finished:
        return
    record = manifest.read_step(here.path(finished[0]["completions"]))
    served = record["params"].get("engine") == "server"
    if served != header.served:
        where = {True: "by a server", False: "in the process"}
        raise UserError(
            f"{path}: sampled {where[header.served]} there, and {where[served]} in {run}: these are different steps, "
            "and are not mixed in one run. Sample in the same way in both places, or import into another store: --store"
        )
