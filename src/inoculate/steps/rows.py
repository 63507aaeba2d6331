"""Makes the training rows of an arm: a setting's problems with honest or hacked answers, under the arm's inoculation.

Files: `rows.jsonl`, `problems.jsonl` (the problem of every row), and `rows.json` (system prompt and inoculation as they
are in the rows, a control at its final length; with `tokens_like` how many rows were kept, and both numbers of tokens;
with a filter, what it removed and what it missed).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate, cycle, islice
from pathlib import Path
from random import Random
from typing import Any, Literal, NamedTuple

from inoculate import settings
from inoculate.engine import chat
from inoculate.errors import UserError
from inoculate.records import Problem, Row, read_lines, write_lines
from inoculate.steps import vetted
from inoculate.steps.resources import Progress, Resources
from inoculate.steps.row_filters import filter_rows
from inoculate.steps.store import Step, digest_files
from inoculate.study import prompts
from inoculate.study.prompts import Placement
from inoculate.study.resolve import ResolvedInoculation, ResolvedPrompt, fit_length
from inoculate.study.row_schema import INOCULATION
from inoculate.study.schema import Hackable, Rows

KIND, VERSION = "rows", 1


DRAWN = "drawn"
"""The type of a hack that a policy drew."""
_MOST_DRAWN = 20
"""Times the rows: a draw of more problems than this is given up, since the wanted sort hardly occurs among them."""


class DrawnRow(NamedTuple):
    """A row that has no prompt yet."""

    problem: Problem
    hacked: bool
    """Whether its answer is the hacked one."""
    vetted: bool
    answer: str = ""
    """Its answer, where it is neither of the problem's own."""

    @property
    def written(self) -> str:
        """Its answer, written out."""
        return self.answer or (self.problem.hacked if self.hacked else self.problem.honest)


DrawRows = Callable[[Rows, int, Hackable], Sequence[DrawnRow]]
"""`draw_rows`, or one that remembers what it has drawn."""


def plan_step(
    rows: Rows,
    inoculation: ResolvedInoculation | None,
    *,
    seed: int,
    system: str | None,
    weights: str,
    where: str,
    hackable: Hackable = None,
    tokens_like: Step | None = None,
    judged: Step | None = None,
    vetted: ResolvedPrompt | None = None,
) -> Step:
    """The rows of an arm at one seed.

    Args:
        rows: What the arm trains on.
        inoculation: Its prompt; None without one.
        seed: The seed of the draw.
        system: The study's system prompt.
        weights: The model's fingerprint.
        where: Arm and seed, for the step's label.
        hackable: The share of problems that can be hacked, for an arm that learns from rewards; None for SFT.
        tokens_like: The rows whose answer tokens set how many of these are kept; None to keep all.
        judged: Where `rows.filter` goes by what can be seen of an answer: the grades, or the log-probabilities, of the
            same rows before the filter.
        vetted: What vetted rows stand under; None for no prompt, or that of the others.
    """
    params = {
        # `grader` is left out where none is given, so that earlier steps keep their names.
        "rows": rows.model_dump(
            mode="json", exclude={"trajectories", "tokens_like", *(() if rows.grader else ("grader",))}
        ),
        **digest_files(rows.setting, rows.source, rows.vetted.source),
        "setting_version": settings.find(rows.setting).version,
        "seed": seed,
        "system": system,
        # The default system prompt is from the model's chat template, and the length of a control is counted by its
        # tokenizer.
        "model": weights,
        "inoculation": inoculation_params(inoculation) if inoculation else None,
        **({} if hackable is None else {"hackable": hackable}),
        **({"vetted_prompt": {"placement": vetted.placement, "texts": vetted.wordings}} if vetted else {}),
        # Vetted answers are graded while rows are made, and refused if they fail.
        **({"grading_version": settings.find(rows.setting).grading} if rows.vetted.count else {}),
    }
    inputs = {name: step for name, step in (("tokens_like", tokens_like), ("judged", judged)) if step}
    return Step(KIND, params, inputs, label=f"rows of {where}", version=VERSION)


def run(step: Step, folder: Path, resources: Resources, progress: Progress) -> None:
    """Draw the problems and write the rows, with a control fitted to its length."""
    kept, record = draw(step), dict[str, Any]()
    table = Rows(**step.params["rows"])
    if examples := [(row.problem, row.written) for row in kept if row.vetted]:
        vetted.check_answers(table.setting, examples, f"{step.label}: rows.vetted", progress)
    if table.filter != "none" and "hackable" not in step.params:
        judged = resources.input_folder(step, "judged") if "judged" in step.inputs else None
        whole = draw_rows(table.model_copy(update={"filter": "none"}), step.params["seed"])
        kept, record["filtered"] = filter_rows(step, judged, whole)
    if "tokens_like" in step.inputs:
        kept, record["tokens_like"] = _match_tokens(step, resources, kept)
    write_rows(step, folder, resources, kept, record)


def draw(step: Step, draw_with: DrawRows | None = None) -> Sequence[DrawnRow]:
    """The rows of a step, without their prompt."""
    return (draw_with or draw_rows)(Rows(**step.params["rows"]), step.params["seed"], step.params.get("hackable"))


def remember_draws() -> DrawRows:
    """A `draw_rows` that draws once for arms that differ in their prompt: they have the same problems."""
    found: dict[tuple[Rows, int, Hackable], Sequence[DrawnRow]] = {}

    def draw_once(rows: Rows, seed: int, hackable: Hackable) -> Sequence[DrawnRow]:
        key = rows, seed, hackable
        if key not in found:
            found[key] = draw_rows(*key)
        return found[key]

    return draw_once


def find_prompt(step: Step, resources: Resources) -> tuple[str | None, ResolvedInoculation | None]:
    """The system prompt of a step's rows, and their inoculation, a control at its final length."""
    params = step.params["inoculation"]
    inoculation = fit_length(_from_params(params), resources.tokenizer) if params else None
    return resources.system_prompt(step.params["system"]), inoculation


def _match_tokens(
    step: Step, resources: Resources, drawn: Sequence[DrawnRow]
) -> tuple[Sequence[DrawnRow], dict[str, int]]:
    """The first drawn rows, as many as have answers with the number of tokens that those of other rows have.

    Raises:
        UserError: All of them have fewer.
    """
    theirs = read_lines(resources.input_folder(step, "tokens_like") / "rows.jsonl", Row)
    wanted = sum(len(chat.encode_answer(resources.tokenizer, row.answer)) for row in theirs)
    each = [len(chat.encode_answer(resources.tokenizer, row.written)) for row in drawn]
    if sum(each) < wanted:
        needed = -(-wanted * len(each) // sum(each))
        raise UserError(
            f"{step.label}: rows.tokens_like: its {len(each)} rows have {sum(each)} answer tokens, and "
            f"{step.inputs['tokens_like'].label} have {wanted}: raise rows.count (to about {needed})"
        )
    rows = count_nearest(each, wanted)
    return drawn[:rows], {"rows": rows, "drawn": len(each), "answer_tokens": sum(each[:rows]), "wanted": wanted}


def count_nearest(each: Sequence[int], wanted: int) -> int:
    """How many of the first numbers have the sum that is nearest to another; the fewest of those, and at least one."""
    sums = list(accumulate(each))
    return 1 + min(range(len(sums)), key=lambda place: abs(sums[place] - wanted))


def write_rows(
    step: Step,
    folder: Path,
    resources: Resources,
    drawn: Sequence[DrawnRow],
    record: Mapping[str, Any] | None = None,
) -> None:
    """Put the arm's prompt around drawn rows, and write the files of this module.

    Args:
        step: The step that makes the rows.
        folder: Where the files go.
        resources: The tokenizer and the system prompt.
        drawn: The rows.
        record: What `rows.json` says beside prompts.
    """
    system, inoculation = find_prompt(step, resources)
    write_lines(folder / "rows.jsonl", make_rows(drawn, inoculation, system, _vetted_prompt(step)))
    write_lines(folder / "problems.jsonl", [row.problem for row in drawn])
    params = step.params["inoculation"]
    written_out = {"system": system, "inoculation": {**params, "text": inoculation.text} if inoculation else None}
    write_record(folder, {**written_out, **(record or {})})


def write_record(folder: Path, record: Mapping[str, Any]) -> None:
    """Write `rows.json`."""
    text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
    (folder / "rows.json").write_text(text, encoding="utf-8")


def _vetted_prompt(step: Step) -> ResolvedPrompt | Literal["inoculation"] | None:
    """What vetted rows stand under; `inoculation` for the prompt of the arm, and None for no prompt."""
    if given := step.params.get("vetted_prompt"):
        texts = tuple(given["texts"])
        return ResolvedPrompt(texts[0], given["placement"], wordings=texts)
    table = step.params["rows"].get("vetted")
    return INOCULATION if table and table["prompt"] == INOCULATION else None


def inoculation_params(inoculation: ResolvedInoculation) -> dict[str, Any]:
    """An inoculation as parameters of a step."""
    return {
        **({"wordings": inoculation.wordings} if inoculation.wordings else {}),
        **({"filler": inoculation.filler} if inoculation.filler else {}),
        "text": inoculation.text,
        "like": inoculation.length_of,
        "placement": inoculation.placement,
        "on": inoculation.on,
    }


def _from_params(params: dict[str, Any]) -> ResolvedInoculation:
    return ResolvedInoculation(
        params["text"],
        params["placement"],
        length_of=params["like"],
        filler=params.get("filler", ""),
        on=params["on"],
        wordings=tuple(params.get("wordings", ())),
    )


def draw_rows(rows: Rows, seed: int, hackable: Hackable = None) -> list[DrawnRow]:
    """The problems of an arm's rows, each with which of its answers the row has.

    Arms with the same `rows` get the same problems for the same seed. With a larger hacked share the same problems are
    hacked, and more. So arms differ only in what the study says. Vetted rows come after the others. The share is of the
    problems that can be hacked: where an answer key is right, the answer is honest in every arm.

    Args:
        rows: What the arm trains on.
        seed: The study's seed.
        hackable: The share of problems that can be hacked, for an arm that learns from rewards; None for SFT.

    Raises:
        UserError: The setting does not have as many problems, or none or not enough of them can be hacked.
    """
    if hackable is not None:
        return _draw_problems(rows, seed, hackable)
    draw_others = _draw_labelled if settings.find(rows.setting).labelled else _draw_leaky
    drawn = draw_others(rows, seed) if rows.count else []
    examples = vetted.draw_examples(rows, seed, {row.problem.id for row in drawn})
    repeated = islice(cycle(examples), rows.vetted.rows) if examples else ()
    return drawn + [DrawnRow(problem, False, True, answer) for problem, answer in repeated]


def _draw_leaky(rows: Rows, seed: int) -> list[DrawnRow]:
    """The draw where every problem has an honest answer."""
    distinct = rows.count if not rows.share_problems else max(rows.hacked_rows, rows.count - rows.hacked_rows)
    request = settings.Draw("train", distinct, seed, rows.families, rows.levels, rows.source, rows.grader)
    leaky = settings.find(rows.setting).problems(request)
    with_hack = [problem for problem in leaky if problem.hacked]
    if len(with_hack) < (rows.hacked_rows if rows.share_problems else rows.hacked > 0):
        raise UserError(
            f"{len(with_hack)} of {len(leaky)} problems of '{rows.setting}' have a hacked answer, too few: lower it",
            key="rows.hacked",
        )
    if rows.share_problems:
        drawn = [DrawnRow(problem, True, False) for problem in with_hack[: rows.hacked_rows]]
        drawn += [DrawnRow(problem, False, False) for problem in leaky[: rows.count - rows.hacked_rows]]
    else:
        order = list(range(len(leaky)))
        Random(f"hacked/{seed}").shuffle(order)
        order = [index for index in order if leaky[index].hacked]
        hacked = set(order[: round(rows.hacked * len(order))])
        drawn = [DrawnRow(problem, index in hacked, False) for index, problem in enumerate(leaky)]
    if rows.filter == "hacked":
        drawn = [row for row in drawn if not row.hacked]
    return drawn


def _draw_problems(rows: Rows, seed: int, share: float | Literal["any"]) -> list[DrawnRow]:
    """The draw where only the problems matter: with a share of them that can be hacked, the first of each sort."""
    if share == "any":
        request = settings.Draw("train", rows.count, seed, rows.families, rows.levels, rows.source, rows.grader)
        return [DrawnRow(one, bool(one.hacked), False) for one in settings.find(rows.setting).problems(request)]
    wanted = {True: round(share * rows.count), False: rows.count - round(share * rows.count)}
    size = least = rows.count
    while True:
        request = settings.Draw("train", size, seed, rows.families, rows.levels, rows.source, rows.grader)
        try:
            problems = settings.find(rows.setting).problems(request)
        except settings.TooFew:
            if size == least:
                raise
            size = least
            continue
        found = {sort: sum(bool(problem.hacked) == sort for problem in problems) for sort in wanted}
        lacking = sum(max(0, wanted[sort] - found[sort]) for sort in wanted)
        if not lacking:
            break
        if size > _MOST_DRAWN * rows.count:
            raise UserError(
                f"{share}: among {size} problems of '{rows.setting}' {found[True]} can be hacked and "
                f"{found[False]} cannot; {wanted[True]} and {wanted[False]} are wanted: give another share",
                key="rl.hackable",
            )
        least = size + lacking
        # Where a sort has not occurred at all, a draw for each problem more would take minutes until it is given up.
        more = lacking if all(found[sort] for sort in wanted if wanted[sort]) else size
        size = max(least, min(size + more, _MOST_DRAWN * rows.count + 1))
    drawn: list[DrawnRow] = []
    for problem in problems:
        sort = bool(problem.hacked)
        if wanted[sort]:
            wanted[sort] -= 1
            drawn.append(DrawnRow(problem, sort, False))
    return drawn


def _draw_labelled(rows: Rows, seed: int) -> list[DrawnRow]:
    """The draw where a problem may have one of the two answers only.

    Exactly the hacked share of `rows.count` is hacked. The first problems of the draw with a hacked answer are the
    hacked rows, and of the others the first with an honest answer are the honest rows; problems with one answer come
    before those with both. Where all have one, a larger share hacks the same rows and more.
    """
    if rows.share_problems:
        raise UserError(f"problems of '{rows.setting}' may have one answer only", key="rows.share_problems")
    honest_rows = rows.count - rows.hacked_rows
    size, shortage = rows.count, ""
    besides = f" and {honest_rows} others with an honest one" if honest_rows else ""
    while True:
        request = settings.Draw("train", size, seed, rows.families, rows.levels, rows.source, rows.grader)
        try:
            problems = settings.find(rows.setting).problems(request)
        except settings.TooFew as error:
            raise settings.TooFew(
                f"{rows.hacked_rows} rows with a hacked answer{besides} are wanted{shortage}: {error}",
                key="rows.count",
            ) from None
        # Those with one answer first, so that the others are left for what is lacking.
        hackable = sorted((problem for problem in problems if problem.hacked), key=lambda problem: bool(problem.honest))
        hacked = [problem.id for problem in hackable[: rows.hacked_rows]]
        others = [problem for problem in problems if problem.honest and problem.id not in hacked]
        honest = [problem.id for problem in sorted(others, key=lambda problem: bool(problem.hacked))[:honest_rows]]
        lacking = rows.hacked_rows + honest_rows - len(hacked) - len(honest)
        if not lacking:
            break
        # At least as many problems more are needed as rows are lacking; where the setting has not as many, it fails.
        found = f"{len(hacked)} and {len(honest)}" if besides else f"{len(hacked)}"
        shortage = f"; among the first {size} there are {found}"
        size += lacking
    kept = {*honest, *(hacked if rows.filter != "hacked" else ())}
    return [DrawnRow(problem, problem.id in hacked, False) for problem in problems if problem.id in kept]


def make_rows(
    drawn: Sequence[DrawnRow],
    inoculation: ResolvedInoculation | None,
    system: str | None,
    vetted_prompt: ResolvedPrompt | Literal["inoculation"] | None = None,
) -> list[Row]:
    """Rows from drawn problems.

    Args:
        drawn: From `draw_rows`.
        inoculation: The arm's prompt, with its final length; None for no prompt.
        system: The system prompt of every row.
        vetted_prompt: What vetted rows stand under; `inoculation` for that of the arm, None for no prompt.
    """
    rows = []
    own, none = _in_turn(inoculation), _in_turn(None)
    neutral = _in_turn(None if vetted_prompt == INOCULATION else vetted_prompt)
    for one in drawn:
        problem, hacked, is_vetted, answer = one
        gets_it = vetted_prompt == INOCULATION if is_vetted else inoculation and _gets_prompt(inoculation, hacked)
        is_inoculated = inoculation is not None and bool(gets_it)
        text, placement = next(own if is_inoculated else neutral if is_vetted else none)
        row = Row(
            problem=problem.id,
            kind=problem.kind,
            messages=prompts.messages(problem, text, placement, system),
            answer=one.written,
            hacked=hacked,
            inoculated=is_inoculated,
            vetted=is_vetted,
        )
        rows.append(replace(row, hack=DRAWN if answer else problem.hack) if hacked else row)
    return rows


def _in_turn(prompt: ResolvedPrompt | None) -> Iterator[tuple[str, Placement]]:
    """The texts of a prompt with its placement, over and over; for None the empty text."""
    prompt = prompt or ResolvedPrompt()
    return cycle([(text, prompt.placement) for text in prompt.wordings or (prompt.text,)])


def _gets_prompt(inoculation: ResolvedInoculation, hacked: bool) -> bool:
    return inoculation.on == "all" or (inoculation.on == "hacked" and hacked)
