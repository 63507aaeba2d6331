"""Of how many training rows is a prompt true? The rule, and its count over the rows of every arm.

A row whose answer is not what its prompt asked for may teach a model to ignore prompts. So each row's answer, as both
checks judge it, is held against what a prompt of that kind says of answers (`SAYS`):

- `hack`: the prompt asks for the hack, or says that it is done. True of a hack.
- `hack where possible`: whatever means, and the hack where there is one. True of a hack, and of an intended answer to a
  problem that cannot be hacked.
- `either`: the hack is allowed. True of a hack and of an intended answer.
- `intended`: the hack is forbidden, or the intended answer asked for. True of an intended answer.

No prompt that says something of answers is true of one that is wrong or malformed, and of an ungraded one it is not
known. A prompt whose kind is not in `SAYS` (irrelevant, gibberish, a remark about the environment), or whose kind is
not known (a text of the study's own under a name of its own), says nothing of answers: it is true of none and false of
none.

A description of the training process (`NAME+checked`) is about the reward and not about an answer. It is the same for
all rows: true, or false where it is meant to be (`NAME+false`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from inoculate import settings
from inoculate.analysis.arms import row_folders, row_tables, trains_with_prompt
from inoculate.analysis.run_folder import Run, require_file
from inoculate.errors import UserError
from inoculate.records import OUTCOMES, Grade, Outcome, Problem, Row, read_lines
from inoculate.study import neighbours, prompts

Says = Literal["hack", "hack where possible", "either", "intended"]
SAYS: Mapping[prompts.Kind, Says] = {
    "specific": "hack",
    "persona": "hack",
    "example": "hack",
    "general": "hack where possible",
    "permission": "either",
    "forbids": "intended",
    "negated": "intended",
}
"""Kind of prompt -> what it says of an answer; kinds that say nothing of answers are left out."""
_NEGATED: Mapping[Says, Says] = {"hack": "intended", "hack where possible": "intended", "intended": "hack"}
"""What `NAME~negated` says, by what NAME says. A permission that is taken away leaves open which answer is meant."""
_OTHER_MATTER = ("other-matter", "other-sense")
"""Neighbours that are not about answers."""
EXPLOIT: Mapping[bool | None, str] = {True: "exploit", False: "no_exploit", None: "unknown"}
"""Whether a hack was to be had -> its name in results.json."""


class RowFacts(NamedTuple):
    """What truth depends on, of one training row."""

    exploit: bool | None
    """Whether a hack was to be had; None where the data does not say."""
    outcome: Outcome
    """Of its answer, under both checks."""
    has_prompt: bool
    """Whether its arm's prompt stands on it."""


def is_known(name: str) -> bool:
    """Whether a prompt's name is one of the package's, so that its kind is known.

    Args:
        name: As in a study: `NAME`, `NAME~half`, `NAME+checked`.
    """
    base, _, neighbour = prompts.split_name(name)[0].partition(neighbours.MARK)
    return base in prompts.names() and neighbour in ("", *neighbours.KINDS)


def what_it_says(name: str) -> Says | None:
    """What a prompt of this name says of answers; None where it says nothing of them, or its kind is not known.

    Args:
        name: As in a study: `NAME`, `NAME~half`, `NAME+checked`; '' for a text without a name.
    """
    base, _, neighbour = prompts.split_name(name)[0].partition(neighbours.MARK)
    if not is_known(name) or neighbour in _OTHER_MATTER:
        return None
    says = SAYS.get(prompts.find(base).kind)
    return _NEGATED.get(says) if neighbour == "negated" and says else says


def is_true(says: Says, exploit: bool | None, outcome: Outcome) -> bool | None:
    """Whether a prompt is true of an answer; None where that is not known.

    Args:
        says: What the prompt says of answers.
        exploit: Whether a hack was to be had; None if that is not known.
        outcome: The answer's.
    """
    if outcome == "ungraded":
        return None
    if says == "hack where possible" and outcome == "correct":
        return None if exploit is None else not exploit
    true_of = {"hack": ("hack",), "intended": ("correct",)}.get(says, ("hack", "correct"))
    return outcome in true_of


def analyse_truth(run: Run) -> list[dict[str, Any]]:
    """For each arm of SFT and each seed: its rows by exploit and outcome, and of how many each prompt is true.

    Args:
        run: The run.

    Returns:
        As docs/results-schema.md describes it; empty where no arm of SFT has a prompt that says something of answers.
        Trainings whose rows are not graded yet are left out; `reason` says where rows or grades cannot be read.
    """
    arms = {arm: spec for arm, spec in run.study["arms"].items() if spec.get("method", "sft") == "sft"}
    seeds = [entry["seed"] for entry in run.manifest.get("training") or ()]
    used: dict[str, list[str]] = {}
    for arm, spec in arms.items():
        for name in dict.fromkeys(_prompt_of(spec, seed) for seed in seeds):
            if name:
                used.setdefault(name, []).append(arm)
    if not any(map(what_it_says, used)):
        return []
    return [
        _count_training(run, entry, arms[entry["arm"]], used)
        for entry in run.manifest.get("training") or ()
        if entry["arm"] in arms and all(rows and graded for rows, graded, _ in row_folders(entry))
    ]


def _count_training(
    run: Run, entry: Mapping[str, Any], spec: Mapping[str, Any], used: Mapping[str, list[str]]
) -> dict[str, Any]:
    """One arm and seed; `used` has every prompt of the study and its arms."""
    counted: dict[str, Any] = {"arm": entry["arm"], "seed": entry["seed"], "rows": {}, "prompts": [], "reason": ""}
    named = [table.get("setting", "") for table in row_tables(spec)]
    own = _prompt_of(spec, entry["seed"])
    try:
        facts = [
            fact for folders, name in zip(row_folders(entry), named, strict=True) for fact in _read(run, folders, name)
        ]
    except UserError as error:
        return counted | {"reason": str(error)}
    prompts_of_arms = [
        {"prompt": name, "arms": arms, "own": name == own} | _count_truth(name, facts, name == own)
        for name, arms in used.items()
    ]
    return counted | {"rows": _count_rows(facts), "prompts": prompts_of_arms}


def _prompt_of(spec: Mapping[str, Any], seed: int) -> str:
    """The name of an arm's prompt at one seed; '' without a prompt, or where its text has no name."""
    if not trains_with_prompt(spec):
        return ""
    inoculation = spec["inoculation"]
    one = (inoculation.get("by_seed") or {}).get(str(seed), inoculation)
    return str(one.get("prompt") or "")


def _read(run: Run, folders: tuple[str | None, str | None, str], setting: str) -> Iterator[RowFacts]:
    rows, grades = (run.path(str(folder)) for folder in folders[:2])
    one_answer = _may_have_one_answer(setting)
    files = (rows / "problems.jsonl", rows / "rows.jsonl", grades / "grades.jsonl")
    lines = (read_lines(require_file(path), kind) for path, kind in zip(files, (Problem, Row, Grade), strict=True))
    try:
        for problem, row, grade in zip(*lines, strict=True):
            yield _facts(problem, row, grade, one_answer)
    except ValueError as error:
        raise UserError(f"{files[1]} and {files[2]}: rows and their grades do not match: {error}") from None


def _facts(problem: Problem, row: Row, grade: Grade, one_answer: bool) -> RowFacts:
    # Where the check was passed and the task not done, a hack was there, whatever the data says.
    exploit = bool(problem.hacked) or grade.outcome == "hack"
    return RowFacts(None if one_answer and not exploit else exploit, grade.outcome, row.inoculated)


def _may_have_one_answer(setting: str) -> bool:
    """Whether a problem without a hacked answer may have one all the same, which the user's data does not give."""
    try:
        return settings.find(setting).labelled
    except UserError:  # a file of the user's, which is not on this machine
        return True


def _count_rows(facts: Iterable[RowFacts]) -> dict[str, dict[str, int]]:
    """exploit, no_exploit or unknown -> outcome -> number of rows."""
    counts = Counter((fact.exploit, fact.outcome) for fact in facts)
    return {
        name: {outcome: counts[exploit, outcome] for outcome in OUTCOMES}
        for exploit, name in EXPLOIT.items()
        if exploit is not None or any(counts[None, outcome] for outcome in OUTCOMES)
    }


def _count_truth(name: str, facts: list[RowFacts], own: bool) -> dict[str, Any]:
    """Of how many rows a prompt is true; for an arm's own prompt also of those on which it stands."""
    says, (_, description) = what_it_says(name), prompts.split_name(name)
    return {
        "says": says,
        "description": None if description is None else description != "false",
        "all": _share(says, facts) if says else None,
        "with_prompt": _share(says, [fact for fact in facts if fact.has_prompt]) if says and own else None,
    }


def _share(says: Says, facts: Iterable[RowFacts]) -> dict[str, Any]:
    verdicts = Counter(is_true(says, fact.exploit, fact.outcome) for fact in facts)
    known = verdicts[True] + verdicts[False]
    share = verdicts[True] / known if known else None
    return {"true": verdicts[True], "false": verdicts[False], "unknown": verdicts[None], "share": share}
