"""What each kind of step does: inputs from the store in, files in one folder out.

Files of a finished step: `problems.jsonl`; `rows.jsonl` and `rows.json` (the system prompt and inoculation as they
were written out); `grades.jsonl`; `at-<fraction>/` (PEFT folders) and `training.json`; `completions.jsonl` and
`engines.json` (what wrote them); `scores.jsonl` (log-probabilities, of screens).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from inoculate import settings
from inoculate.engine import chat, models
from inoculate.engine.sampling import SampledCompletion
from inoculate.errors import UserError
from inoculate.integrations import trackers
from inoculate.records import Completion, Problem, Row, Split, read_lines, write_lines
from inoculate.steps import rows
from inoculate.steps.store import Step, Store, file_digest
from inoculate.study import prompts
from inoculate.study.schema import SFT, Rows

Progress = Callable[[int, int, str], None]


class Workshop:
    """Carries out steps in this process, keeping the model that was used last.

    Nothing heavy is loaded before a step needs it.
    """

    def __init__(self, store: Store, model: str, say: models.Say, server: str = "") -> None:
        """Set up.

        Args:
            store: Where inputs are read and results written.
            model: The study's model.
            say: Told of downloads and conversions.
            server: The address of the server that samples; '' for this process.
        """
        self.store, self.model, self.say, self.server = store, model, say, server
        self._sampler: tuple[Path | None, Any] | None = None

    def carry_out(self, step: Step, progress: Progress) -> None:
        """Do one step; what it makes is whole in the store, or not there.

        Raises:
            UserError: Something that was given makes the step impossible.
        """
        do = {
            "problems": self._problems,
            "rows": self._rows,
            "row-grades": self._row_grades,
            "adapter": self._adapter,
            "completions": self._completions,
            "grades": self._grades,
            "scores": self._scores,
        }[step.kind]
        _check_files(step)
        with self.store.writing(step) as work:
            do(step, work, progress)

    @cached_property
    def weights(self) -> Path:
        """The folder of the study's base model."""
        _quiet()
        return models.fetch(self.model, self.say)

    @cached_property
    def tokenizer(self) -> Any:
        """The model's tokenizer."""
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(self.weights)

    @cached_property
    def device(self) -> Any:
        """Where models run."""
        from inoculate.engine.device import pick

        return pick()

    @property
    def cores_are_free(self) -> bool:
        """Whether models run elsewhere than on this machine's cores."""
        return bool(self.server) or self.device.device.type != "cpu"

    def system(self, given: str | None) -> str | None:
        """The system prompt to be written out; None where the chat template has no place for one."""
        default = chat.default_system(self.tokenizer)
        if given is not None and default is not None:
            return given
        return default

    def read_problems(self, step: Step) -> list[Problem]:
        """The problems of a finished step."""
        return list(read_lines(self.store.folder(step) / "problems.jsonl", Problem))

    def _problems(self, step: Step, work: Path, progress: Progress) -> None:
        params = step.params
        split: Split = params["split"]
        draw = settings.Draw(
            split,
            params["count"],
            params["seed"],
            tuple(params["families"]),
            tuple(params["levels"]),
            params["source"],
            params.get("grader", ""),
        )
        setting = settings.find(params["setting"])
        drawn = setting.problems(draw)
        if params.get("twins") and setting.twin:
            drawn += [twin for twin in map(setting.twin, drawn) if twin]
        write_lines(work / "problems.jsonl", drawn)

    def _rows(self, step: Step, work: Path, progress: Progress) -> None:
        drawn = rows.draw(Rows(**step.params["rows"]), step.params["seed"])
        system = self.system(step.params["system"])
        inoculation = step.params["inoculation"]
        if inoculation and inoculation["like"]:
            length = len(self.tokenizer(inoculation["like"], add_special_tokens=False)["input_ids"])
            control = prompts.fitted(inoculation["text"], length, self.tokenizer, inoculation.get("filler", ""))
            inoculation = {**inoculation, "text": control}
        write_lines(work / "rows.jsonl", rows.make(drawn, inoculation, system))
        write_lines(work / "problems.jsonl", [problem for problem, _, _ in drawn])
        said = {"system": system, "inoculation": inoculation}
        (work / "rows.json").write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    def _row_grades(self, step: Step, work: Path, progress: Progress) -> None:
        folder = self.store.folder(step.inputs["rows"])
        problems = list(read_lines(folder / "problems.jsonl", Problem))
        answers = [row.answer for row in read_lines(folder / "rows.jsonl", Row)]
        self._grade(step, problems, answers, work, progress)

    def _grade(self, step: Step, problems: list[Problem], answers: list[str], work: Path, progress: Progress) -> None:
        setting = settings.find(step.params["setting"])
        oversight = step.params.get("oversight", setting.oversights[0])

        def watched() -> Iterator[Any]:
            for done, grade in enumerate(setting.grade(problems, answers, oversight), 1):
                progress(done, len(answers), "graded")
                yield grade

        write_lines(work / "grades.jsonl", watched())

    def _adapter(self, step: Step, work: Path, progress: Progress) -> None:
        from inoculate.engine.training import sft

        self._sampler = None  # two models need not be held at once
        training, start = step.params, step.inputs.get("start")
        trained = sft.train(
            self.weights,
            list(read_lines(self.store.folder(step.inputs["rows"]) / "rows.jsonl", Row)),
            SFT(**training["train"]),
            seed=training["seed"],
            fractions=training["fractions"],
            start=None if start is None else self.store.folder(start) / sft.fraction_name(training["start"]),
            target=work,
            work=work / "trainer",
            device=self.device,
            progress=progress,
            tracking=trackers.arguments(f"{step.label}, {step.key[:8]}", self.store.root / "tracking"),
        )
        shutil.rmtree(work / "trainer")
        report = {**asdict(trained), "device": self.device.name}
        (work / "training.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")

    def _sampler_for(self, adapter: Path | None) -> Any:
        from inoculate.engine.sampling import in_process

        if self._sampler is None or self._sampler[0] != adapter:
            self._sampler = None  # let go of the last model before the next is loaded
            self._sampler = (adapter, in_process.load(self.weights, adapter, self.device))
        return self._sampler[1]

    @cached_property
    def served(self) -> Any:
        """The model on the server."""
        from inoculate.engine.sampling import server

        return server.connect(self.server, self.model, self.weights)

    def _draw(
        self,
        adapter: Path | None,
        sent: list[str],
        made: list[list[tuple[int, int]]],
        how: dict[str, Any],
        ended: Callable[[int], None],
    ) -> Iterator[list[SampledCompletion]]:
        """Completions of the prompts that were sent, without those that are made: batches of (prompt, sample).

        `ended` is told how many there are of the next batch, where that takes long.
        """
        if self.server:
            from inoculate.engine.sampling import server

            sampler = server.Sampler(self.served, self.tokenizer, adapter)
            return server.sample(sampler, sent, done=[key for batch in made for key in batch], **how)
        from inoculate.engine.sampling import in_process

        return in_process.sample(self._sampler_for(adapter), sent, skip=len(made), on_finished=ended, **how)

    def _engine(self) -> dict[str, Any]:
        """What writes completions, for the record."""
        if self.server:
            return self.served.description
        return {"transformers": version("transformers"), "torch": version("torch"), "device": self.device.name}

    def _completions(self, step: Step, work: Path, progress: Progress) -> None:
        from inoculate.engine.training.sft import fraction_name

        params = step.params
        problems = self.read_problems(step.inputs["problems"])
        position = {problem.id: number for number, problem in enumerate(problems)}
        adapter = step.inputs.get("adapter")
        folder = None if adapter is None else self.store.folder(adapter) / fraction_name(params["at"])
        system = self.system(params["system"])
        placement: prompts.Placement = params["placement"] or "inside"
        sent = [
            chat.render(self.tokenizer, prompts.messages(problem, params["text"], placement, system))
            for problem in problems
        ]
        total = len(problems) * params["samples"]
        kept = work / "drawn.jsonl"
        batches = _finished_batches(kept)
        made = [[(position[line.problem], line.index) for line in batch] for batch in batches]
        done = sum(map(len, batches))
        how = {name: params[name] for name in ("samples", "temperature", "max_new_tokens", "seed")}
        how["names"] = [f"problem '{problem.id}'" for problem in problems]
        _note(work / "engines.json", self._engine())

        def ended(count: int) -> None:
            progress(done + count, total, "sampled")

        with kept.open("a", encoding="utf-8") as partial:
            for batch in self._draw(folder, sent, made, how, ended):
                lines = [_completion(problems, sent, drawn) for drawn in batch]
                partial.write(json.dumps([asdict(line) for line in lines]) + "\n")
                partial.flush()
                batches.append(lines)
                done += len(lines)
                progress(done, total, "sampled")
        every = [line for batch in batches for line in batch]
        write_lines(work / "completions.jsonl", sorted(every, key=lambda c: (position[c.problem], c.index)))
        kept.unlink()

    def _grades(self, step: Step, work: Path, progress: Progress) -> None:
        known = {problem.id: problem for problem in self.read_problems(step.inputs["problems"])}
        completions = list(read_lines(self.store.folder(step.inputs["completions"]) / "completions.jsonl", Completion))
        problems = [known[completion.problem] for completion in completions]
        self._grade(step, problems, [c.completion for c in completions], work, progress)

    def _scores(self, step: Step, work: Path, progress: Progress) -> None:
        """Log-probabilities of training answers under each candidate, its control and no prompt."""
        from inoculate.engine.sampling import scoring

        folder = self.store.folder(step.inputs["rows"])
        sampler, ending = self._sampler_for(None), chat.answer_ending(self.tokenizer)
        system, candidates = self.system(step.params["system"]), self._with_controls(step.params)
        problems = self.read_problems(step.inputs["rows"])
        with (work / "scores.jsonl").open("w", encoding="utf-8") as out:
            for done, (problem, row) in enumerate(
                zip(problems, read_lines(folder / "rows.jsonl", Row), strict=True), 1
            ):
                sent = [
                    chat.render(self.tokenizer, prompts.messages(problem, text, placement, system))
                    for _, text, placement in candidates
                ]
                found = scoring.score(sampler, sent, row.answer, ending)
                said = {
                    "problem": problem.id,
                    "kind": problem.kind,
                    "tokens": scoring.answer_tokens(sampler, row.answer, ending),
                    "scores": {name: value for (name, _, _), value in zip(candidates, found, strict=True)},
                }
                out.write(json.dumps(said) + "\n")
                progress(done, len(problems), "scored")

    def _with_controls(self, params: dict[str, Any]) -> list[tuple[str, str, prompts.Placement]]:
        """No prompt (named ''), every candidate, and for each an irrelevant prompt of its length ('NAME~control')."""
        every: list[tuple[str, str, prompts.Placement]] = [("", "", "inside")]
        for candidate in params["candidates"]:
            name, text, placement = candidate["name"], candidate["text"], candidate["placement"]
            length = len(self.tokenizer(text, add_special_tokens=False)["input_ids"])
            control = prompts.fitted("", length, self.tokenizer)
            every += [(name, text, placement), (f"{name}~control", control, placement)]
        return every


def _check_files(step: Step) -> None:
    """Refuse a file of the user's that is no longer what the step's name says."""
    for name, digest in step.params.get("files", {}).items():
        if not Path(name).expanduser().is_file() or file_digest(name) != digest:
            raise UserError(f"{name} was changed after this run began: start the same command again")


def _quiet() -> None:
    """Keep the libraries' own bars and notices out of the progress of a run.

    The notices are of TRL calling transformers by names that will go; nothing a user can mend.
    """
    import warnings

    from transformers.utils import logging

    logging.disable_progress_bar()
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers|trl")


def _note(path: Path, engine: dict[str, Any]) -> None:
    """Add an engine to those that had a part in a step: a server may be another when the step is gone on with."""
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    if engine not in known:
        path.write_text(json.dumps([*known, engine], indent=1) + "\n", encoding="utf-8")


def _finished_batches(kept: Path) -> list[list[Completion]]:
    """Batches that an interrupted run has written; a last line that was cut off is taken away."""
    if not kept.exists():
        return []
    *whole, _ = kept.read_text(encoding="utf-8").split("\n")  # what follows the last line end was cut off
    kept.write_text("".join(f"{line}\n" for line in whole), encoding="utf-8")
    return [[Completion(**line) for line in json.loads(batch)] for batch in whole]


def _completion(problems: list[Problem], sent: list[str], drawn: Any) -> Completion:
    return Completion(
        problem=problems[drawn.prompt].id,
        index=drawn.index,
        prompt=sent[drawn.prompt],
        completion=drawn.text,
        prompt_tokens=drawn.prompt_tokens,
        completion_tokens=drawn.completion_tokens,
        finish="stop" if drawn.finished else "length",
        seconds=round(drawn.seconds, 4),
    )
