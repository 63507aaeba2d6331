"""Commands that list and describe the package's studies and prompts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from inoculate.cli.options import AsJson
from inoculate.cli.output import print_columns, print_facts, print_json
from inoculate.errors import UserError

if TYPE_CHECKING:
    from inoculate.study.schema import Arm, Rows, Study


def studies(name: str = "", /, *, as_json: AsJson = False) -> None:
    """List the ready-made studies (time on two CPU cores, figure that answers, question), or describe one.

    Args:
        name: A ready-made study, or a study file.
        as_json: Print one JSON document instead of text.
    """
    from inoculate.study import parse, ready_made

    if name:
        path = ready_made.find(name)
        study = parse.load(path)
        if as_json:
            print_json(_study_entry(study, path) | {"study": study.model_dump(mode="json", by_alias=True)})
        else:
            print_facts(study.name, _describe(study, path))
        return
    entries = [_study_entry(parse.load(path), path) for path in map(ready_made.find, ready_made.names())]
    if as_json:
        print_json(entries)
    else:
        columns = [
            (study["name"], _duration(study["seconds"]), study["figure"], study["question"]) for study in entries
        ]
        print_columns(columns)


def prompts(name: str = "", /, *, as_json: AsJson = False) -> None:
    """List the named prompts, or show one with its source and wordings.

    Args:
        name: A prompt.
        as_json: Print one JSON document instead of text.
    """
    from inoculate.study import prompts as library

    if not name:
        entries = [_prompt_entry(name) for name in library.names()]
        if as_json:
            print_json(entries)
        else:
            print_columns([(prompt["name"], prompt["kind"], prompt["text"]) for prompt in entries])
        return
    prompt = _prompt_entry(name)
    if as_json:
        print_json(prompt)
        return
    facts = [(key, prompt[key]) for key in ("kind", "source", "text")]
    for which in ("near", "far"):
        wordings = [f"{number}. {wording}" for number, wording in enumerate(prompt[which], 1)]
        facts += [(f"{which} wordings", "\n".join(wordings))] if wordings else []
    facts += [] if prompt["near"] else [("wordings", "this one only")]
    facts += [("contexts", ", ".join(prompt["contexts"]))] if prompt["contexts"] else []
    described = ", ".join(f"{name}+{description}" for description in library.DESCRIPTIONS)
    facts += [("described", f"{described}: with a description of the training process")]
    print_facts(name, [*facts, ("neighbours", _neighbour_lines(name))])


def _neighbour_lines(name: str) -> str:
    """The prompt's near neighbours with their texts; those that cannot be made with the reason."""
    from inoculate.study import neighbours
    from inoculate.study import prompts as library

    written = {library.find(other).neighbour: library.find(other).text for other in library.names()}
    lines = []
    for kind in neighbours.KINDS:
        neighbour = f"{name}{neighbours.MARK}{kind}"
        try:
            text = written.get(neighbour) or neighbours.make(neighbour, library.find(name).text)
        except UserError as error:
            text = f"({error})"
        lines.append(f"{neighbour}: {'in another place' if kind == 'moved' else text}")
    return "\n".join(lines)


def _seconds(study: Study) -> float | None:
    """About how long a study takes on two CPU cores; None if its model is not one of the package's."""
    from inoculate.engine import models
    from inoculate.steps import plan
    from inoculate.steps.estimate import estimate
    from inoculate.steps.store import Store

    if study.model not in models.EMBEDDED:
        return None  # a list must not wait for a network
    outlined = plan.outline(study)
    return estimate(outlined, Store(Path("/dev/null")), outlined.steps()).seconds


def _duration(seconds: float | None) -> str:
    from inoculate.cli.tables import format_duration

    return "-" if seconds is None else format_duration(seconds)


def _study_entry(study: Study, path: Path) -> dict[str, Any]:
    from inoculate.report.figures import answering_figure

    return {
        "name": study.name,
        "question": study.question,
        "model": study.model,
        "seeds": list(study.seeds),
        "arms": list(study.arms),
        "settings": list(study.evaluate.settings),
        "seconds": _seconds(study),
        "figure": answering_figure(study),
        "file": str(path),
    }


def _describe(study: Study, path: Path) -> list[tuple[str, str]]:
    from inoculate.report.figures import answering_figure

    problems = {name: study.evaluate.for_setting(name).problems for name in study.evaluate.settings}
    return [
        ("question", study.question),
        ("model", study.model),
        ("seeds", ", ".join(map(str, study.seeds))),
        (
            "arms",
            "\n".join(f"{name}: {_describe_arm(arm)}" for name, arm in study.arms.items())
            or "none: the untrained model",
        ),
        ("evaluated", "\n".join(f"{name}: {count} problems" for name, count in problems.items())),
        ("contexts", ", ".join(study.evaluate.contexts)),
        ("contrasts", "\n".join(contrast.claim for contrast in study.contrasts) or "none"),
        ("time", f"{_duration(_seconds(study))} on two CPU cores"),
        ("figure", f"figures/{answering_figure(study)}.svg of its run"),
        ("file", str(path)),
    ]


def _describe_rows(arm: Arm, rows: Rows) -> list[str]:
    if arm.is_rewarded:
        return [f"{rows.count} problems of {rows.setting}, by {arm.method}"]
    if source := rows.trajectories:
        named = f"'{source.prompt}'" if source.prompt else "a text of its own"
        under = f" under {named}" if source.has_prompt else ""
        return [f"{rows.count} {'fresh samples' if source.samples else 'trajectories'} of {source.arm}{under}"]
    facts = [f"{rows.count} rows of {rows.setting}", f"{rows.hacked:.0%} hacked"] if rows.count else []
    facts += [f"of these as many as have the answer tokens of {rows.tokens_like}"] if rows.tokens_like else []
    facts += ["hacked rows left out"] if rows.filter == "hacked" else []
    vetted = rows.vetted
    under = "" if vetted.prompt == "none" else f" under '{vetted.prompt}'"
    of = "" if rows.count else f" of {rows.setting}"
    return facts + ([f"{vetted.count} vetted examples{of} in {vetted.rows} rows{under}"] if vetted.count else [])


def _describe_arm(arm: Arm) -> str:
    """How an arm is trained, in a few words."""
    facts = [fact for rows in arm.row_tables for fact in _describe_rows(arm, rows)]
    facts += [f"starts from {arm.start}"] if arm.start else []
    if arm.inoculation:
        prompt, one_of, like = arm.inoculation.prompt, arm.inoculation.one_of, arm.inoculation.like
        named = f"prompt '{prompt}'" if prompt else "a prompt of its own"
        named = f"for each seed one of {', '.join(one_of)}," if one_of else named
        length = f" as long as '{like}'" if like else ""
        facts.append(f"{named}{length} on {arm.inoculation.on} rows")
    return ", ".join(facts)


def _prompt_entry(name: str) -> dict[str, Any]:
    from inoculate.study import prompts as library

    library.split_name(name)  # refuses a description that there is not
    prompt = library.find(name)
    return {
        "name": name,
        "kind": prompt.kind,
        "text": prompt.text,
        "source": prompt.source,
        "near": list(prompt.near),
        "far": list(prompt.far),
        "contexts": [context for context, prompt_name in library.contexts().items() if prompt_name == name],
    }
