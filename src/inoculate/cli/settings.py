"""Commands about settings and grading: sample, check, new, grade, doctor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from inoculate.cli.options import LABELS_KEPT, AsJson, Whole, stopped
from inoculate.cli.output import console, print_json
from inoculate.errors import UserError, require_known
from inoculate.records import SPLITS

if TYPE_CHECKING:
    from inoculate.checking import Finding
    from inoculate.records import Problem


def sample(
    setting: str,
    *,
    count: Whole = 3,
    split: str = "development",
    seed: Whole = 0,
    source: str = "",
    grader: str = "",
    as_json: AsJson = False,
) -> None:
    """Show problems of a setting, each with an honest and a hacked answer.

    Args:
        setting: The setting's name, or a Python file of your own.
        count: How many problems.
        split: train, development or test.
        seed: The seed of the draw.
        source: Where the data is, for settings that load it.
        grader: Your own grader, for settings that take one: file.py:function.
        as_json: Print one JSON document instead of text.
    """
    from rich.console import Console

    from inoculate import checking

    with Console(stderr=True).status(f"drawing {count} problems of {setting}"):
        problems = _draw(setting, split, count, seed, source, grader, graded=False)
    if as_json:
        keys = ("id", "setting", "kind", "family", "level", "honest", "hacked", "hack")
        print_json(
            [
                {key: getattr(problem, key) for key in keys} | {"text": checking.shown_text(problem)}
                for problem in problems
            ],
        )
        return
    for problem in problems:
        print(f"== {problem.id} (family {problem.family}, level {problem.level})\n{checking.shown_text(problem)}\n")
        answers = (("honest", problem.honest), (f"hacked ({problem.hack})", problem.hacked))
        print("\n".join(f"-- {name}\n{answer}\n" for name, answer in answers if answer))


def _draw(setting: str, split: str, count: int, seed: int, source: str, grader: str, *, graded: bool) -> list[Problem]:
    """Problems of a setting as the options of a command name them.

    Raises:
        UserError: There is no such setting or split, its data is not named or does not go with it, or there are not as
            many problems.
    """
    from inoculate.settings import Draw, TooFew, find_for, require_some

    task, drawn_from = find_for(setting, source, grader), require_known(split, SPLITS, "--split: unknown split")
    try:
        return task.problems(Draw(drawn_from, require_some(count), seed, source=source, grader=grader, graded=graded))
    except TooFew as error:
        raise UserError(f"--count {count} --split {split}: {error}") from None


def check(setting: str, *, count: Whole = 200, source: str = "", grader: str = "", as_json: AsJson = False) -> None:
    """Test whether a setting is sound. Exits with 1 if it is not.

    Args:
        setting: A setting's name, or a Python file of your own.
        count: How many problems of each split are looked at.
        source: Where the data is, for settings that load it.
        grader: Your own grader, for settings that take one: file.py:function.
        as_json: Print one JSON document instead of text.
    """
    from rich.console import Console

    from inoculate import checking

    with Console(stderr=True).status("") as status:
        results = checking.check(setting, count=count, source=source, grader=grader, on_start=status.update)
        findings = list(results)
    files = checking.write_faults(findings)
    failed = sum(finding.ok is False for finding in findings)
    if as_json:
        checks = [_finding_entry(finding, files.get(finding.name)) for finding in findings]
        print_json({"setting": setting, "failed": failed, "checks": checks})
    else:
        terminal = console()
        terminal.print(checking.findings_table(setting, findings))
        for failure in _failures(findings):
            terminal.print(failure, soft_wrap=True, markup=False)
        for title, path in files.items():
            terminal.print(f"{title}: the counterexample, whole: {path}", soft_wrap=True)
        terminal.print(_summary(findings))
    if failed:
        raise SystemExit(1)


def _summary(findings: list[Finding]) -> str:
    """How many checks passed, failed, and are to be looked at."""
    failed = sum(finding.ok is False for finding in findings)
    cautions = [finding.name for finding in findings if finding.caution and not finding.faults]
    look = f"; to be looked at: {', '.join(cautions)}" if cautions else ""
    made = [finding for finding in findings if not finding.unmade]
    if unmade := [finding.name for finding in findings if finding.unmade]:
        look += f"; not made: {', '.join(unmade)}"
    if failed:
        return f"{failed} of {len(made)} checks failed{look}"
    return f"no check failed{look}" if look else f"all {len(findings)} checks passed"


def _failures(findings: list[Finding]) -> list[str]:
    """Why checks could not be made, each reason once."""
    return list(dict.fromkeys(fault.failure for finding in findings for fault in finding.faults if fault.failure))


def _finding_entry(finding: Finding, file: Path | None) -> dict[str, Any]:
    return {
        "name": finding.name,
        "ok": finding.ok,
        "looked_at": finding.count,
        "found": finding.unmade or finding.caution or finding.note,
        "faults": [
            {"problem": fault.problem.id if fault.problem else None, "what": fault.failure or fault.message}
            for fault in finding.faults
        ],
        "file": str(file) if file else None,
    }


def new_setting(name: str) -> None:
    """Write NAME.py into this folder: a small setting that works, for you to change.

    Args:
        name: The setting's name.
    """
    from inoculate.cli.new import new_setting as write

    path = write(name, Path())
    print(f"{path}: look at it with `inoculate sample ./{path}`, prove it with `inoculate check ./{path}`")


@stopped(f"no grades were written; {LABELS_KEPT}")
def grade(
    lines: Path,
    *,
    out: Path,
    setting: str = "",
    split: str = "test",
    count: Whole = 100,
    seed: Whole = 0,
    source: str = "",
    grader: str = "",
    unsafe_sandbox: bool = False,
    as_json: AsJson = False,
) -> None:
    """Grade completions from a file. Code runs in the sandbox.

    Args:
        lines: JSON lines with id, entry_point, shown_tests, hidden_tests, completion; with --setting: id, problem,
            completion.
        out: The file for the graded lines.
        setting: Grade completions of this setting's problems, named by their ids.
        split: Which problems of the setting: train, development or test.
        count: How many problems were drawn.
        seed: The seed of the draw.
        source: Where the data is, for settings that load it.
        grader: Your own grader, for settings that take one: file.py:function.
        unsafe_sandbox: Run even where there is no sandbox worth the name.
        as_json: Print one JSON document instead of text.
    """
    from inoculate.grading.command import grade_file, grade_file_of_problems
    from inoculate.progress import TerminalProgress
    from inoculate.settings import find

    given = {"--source": source, "--grader": grader}
    if not setting and (unused := next((option for option, value in given.items() if value), "")):
        raise UserError(f"{unused} belongs to --setting, which says whose problems the completions answer")
    with TerminalProgress() as display:
        display.start("grading")

        def progress(done: int, total: int) -> None:
            display.on_progress(done, total, "graded")

        if setting:
            problems, task = _draw(setting, split, count, seed, source, grader, graded=True), find(setting)
            graded = grade_file_of_problems(lines, out, problems, task.grade, unsafe=unsafe_sandbox, progress=progress)
        else:
            graded = grade_file(lines, out, unsafe=unsafe_sandbox, progress=progress)
    if as_json:
        summary = {"count": graded.count, "outcomes": graded.outcomes, "containment": graded.containment}
        print_json({**summary, "out": str(out)})
        return
    counts = ", ".join(f"{count} {outcome}" for outcome, count in graded.outcomes.items())
    print(f"{graded.count} completions graded ({counts}) at containment level '{graded.containment}': {out}")


@stopped(LABELS_KEPT)
def judge(file: str, *, as_json: AsJson = False) -> None:
    """Compare a judge of open questions with labels that were given by hand.

    Args:
        file: The judge's file, TOML with url and model.
        as_json: Print one JSON document instead of text.
    """
    from dataclasses import asdict

    from inoculate.grading.judge import measure_agreement
    from inoculate.settings.open_questions import labelled_sample

    found = measure_agreement(file, labelled_sample())
    if as_json:
        print_json(asdict(found))
    if not found.judged:
        raise UserError(f"{file}: a label for none of {found.labelled} answers: {found.first_reason}")
    if as_json:
        return
    print(f"{file}: a label for {found.judged} of {found.labelled} answers")
    kappa = "not defined" if found.kappa is None else f"{found.kappa:.2f}"
    print(f"the same as by hand in {found.same} of {found.judged}; Cohen's kappa {kappa}")
    if found.first_reason:
        print(f"no label: {found.first_reason}")


def rows(*files: Path, out: Path, grader: str = "", hacked: str = "", as_json: AsJson = False) -> None:
    """Make training rows of what a policy has drawn: trajectories of ours, rollouts of others, Inspect logs.

    Args:
        files: JSON lines, Parquet, or Inspect logs (.eval, .json).
        out: A new .jsonl file, for `rows.setting = "rows"`.
        grader: Your own grader, which decides about every answer: file.py:function. A rollout's own keys are in
            problem["given"].
        hacked: The key that says whether an answer is a hack; in a log: the score, or the key of the metadata.
        as_json: Print one JSON document instead of text.
    """
    from dataclasses import asdict

    from inoculate.integrations.rollout_rows import write_rows
    from inoculate.progress import TerminalProgress

    if not files:
        raise UserError("name at least one file: inoculate rows FILE --out rows.jsonl")
    with TerminalProgress() as display:
        display.start("rows")
        written = write_rows(
            files,
            out,
            grader=grader,
            hacked=hacked,
            progress=lambda done, total: display.on_progress(done, total, "graded"),
        )
    if as_json:
        print_json({"file": str(out), **asdict(written)})
        return
    print(f"{out}: {written.rows} rows ({written.hacked} hacked, {written.honest} honest) of {written.read} rollouts")
    if written.left_out:
        print("left out: " + ", ".join(f"{count} {why}" for why, count in written.left_out.items()))
    if written.first_reason:
        print(f"first ungraded: {written.first_reason}")


def doctor(*, fetch: str = "", as_json: AsJson = False) -> None:
    """Show how well this machine contains the code that models write.

    Args:
        fetch: Also download and convert this model, so that runs need no network.
        as_json: Print one JSON document instead of text.
    """
    from rich.console import Console

    from inoculate.cli.tables import doctor_table
    from inoculate.engine import models
    from inoculate.grading.command import doctor as examine_machine

    folder = models.fetch(fetch, Console(stderr=True).print) if fetch else None
    findings = examine_machine()
    if as_json:
        entries = [{"name": finding.name, "good": finding.good, "finding": finding.message} for finding in findings]
        print_json({"findings": entries, "fetched": str(folder) if folder else None})
        return
    terminal = console()
    if folder:
        terminal.print(f"{fetch}: {folder}", soft_wrap=True)
    terminal.print(doctor_table(findings))
