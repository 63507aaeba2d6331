"""Runs studies from Python, and loads runs."""

from __future__ import annotations

import base64
import json
import os
from collections import Counter
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inoculate.api import DEFAULT_STORE, STORE_VARIABLE
from inoculate.api.arguments import checked
from inoculate.api.frames import make_frame
from inoculate.errors import UserError, kind_of
from inoculate.steps.seeds import choose_seeds
from inoculate.steps.working_copy import find_run, open_store
from inoculate.study import parse, ready_made, schema
from inoculate.study.from_python import Study

if TYPE_CHECKING:
    import pandas

_RESULT_FILES = ("results.json", "report.html")


@dataclass(frozen=True)
class Run:
    """A run of a study. As the last expression of a notebook cell it shows headline, cautions and picture."""

    folder: Path
    """The run's folder, with manifest.json, results.json, report.html, tables and figures."""

    def __post_init__(self) -> None:
        """Refuse what is no folder's path.

        Raises:
            UserError: So it is.
        """
        if not isinstance(self.folder, Path):
            raise UserError(f"Run: {kind_of(self.folder)} was given, where a Path was expected: inoculate.load(...) "
                            "takes a run's folder, or the name of its study, as a text")  # fmt: skip

    @cached_property
    def results(self) -> dict[str, Any]:
        """All results, as docs/results-schema.md describes them."""
        return json.loads((self.folder / "results.json").read_text(encoding="utf-8"))

    @property
    def name(self) -> str:
        """The study's name."""
        return self.results["name"]

    @property
    def headline(self) -> str:
        """A sentence about the first declared contrast, as strong as the number of seeds allows."""
        return self.results["headline"]

    @property
    def cautions(self) -> list[str]:
        """Warnings to read before the numbers."""
        return self.results["cautions"]

    @property
    def report(self) -> Path:
        """The report: one HTML file with figures, verdicts and samples."""
        return self.folder / "report.html"

    def outcomes(self) -> pandas.DataFrame:
        """A row for each arm, setting, context, fraction of training and outcome: its rate and 95% interval.

        Raises:
            UserError: pandas is not installed.
        """
        from inoculate.report.results import read_results
        from inoculate.report.tables import OUTCOMES, outcome_lines

        return make_frame(outcome_lines(read_results(self.folder)), OUTCOMES.split())

    def contrasts(self) -> pandas.DataFrame:
        """A row for each contrast: difference, intervals, p and verdict.

        Raises:
            UserError: pandas is not installed.
        """
        from inoculate.report.results import read_results
        from inoculate.report.tables import CONTRASTS, contrast_lines

        return make_frame(contrast_lines(read_results(self.folder)), CONTRASTS.split())

    def samples(self) -> pandas.DataFrame:
        """A row for each graded sample: its cell, prompt, completion and grade (docs/integrations.md).

        Raises:
            UserError: pandas is not installed, or the store was moved or removed.
        """
        from inoculate.analysis.run_folder import read_run, split_finished
        from inoculate.integrations.export import SAMPLES, sample_records

        source = read_run(self.folder)
        ready, _ = split_finished(source)
        return make_frame((list(line.values()) for line in sample_records(source, ready, Counter())), SAMPLES.names)

    def trajectories(self, where: str = "") -> pandas.DataFrame:
        """A row for each completion that was drawn while an arm learned from rewards: place, prompt, reward, grade.

        Tokens and their log-probabilities are not among the columns: `inoculate export RUN --trajectories FILE` has
        them. Trainings that are not finished have no rows yet: `results["rl"]` names them.

        Args:
            where: Which are kept, as "arm=told steps=5-11 outcome=hack" (docs/integrations.md); all unless given.

        Raises:
            UserError: pandas is not installed, no arm of the run learns from rewards, the filter has a mistake or keeps
                nothing, or the store was moved or removed.
        """
        from inoculate.analysis.run_folder import read_run
        from inoculate.analysis.trajectories import Selection, check_names, read_filter, read_trajectories
        from inoculate.integrations.trajectories import TRAJECTORIES, trajectory_records

        source, keep = read_run(self.folder), read_filter(where)
        check_names(source, keep)
        selection = Selection(keep)
        columns = [name for name in TRAJECTORIES.names if name not in ("tokens", "log_probabilities")]
        records = trajectory_records(source, selection.over(read_trajectories(source)))
        table = make_frame(([record[name] for name in columns] for record in records), columns)
        selection.refuse_nothing()
        return table

    def rl_steps(self) -> pandas.DataFrame:
        """A row for each arm that learned from rewards, seed and step, from 0: all rates and metrics of the step.

        Raises:
            UserError: pandas is not installed, or no arm of the run learns from rewards.
        """
        from inoculate.analysis.run_folder import read_run
        from inoculate.analysis.trajectories import trainings
        from inoculate.report.results import read_results
        from inoculate.report.tables import RL_COLUMNS, rl_lines

        trainings(read_run(self.folder))  # refuses a run without such an arm
        return make_frame(rl_lines(read_results(self.folder)), RL_COLUMNS)

    def export_graded(
        self, file: str | os.PathLike[str], *, machine: str = "", seeds: str | Iterable[int] | None = None
    ) -> Path:
        """Write the graded samples of the finished cells into one file, without weights, for another machine.

        Args:
            file: A file that does not exist yet.
            machine: A name for this machine; by default its system and processor, never the host's name.
            seeds: Only the cells of these seeds. The untrained model belongs to the study's first seed.

        Returns:
            The file.

        Raises:
            UserError: The file exists, nothing is finished, or the study has no such seed.
        """
        from inoculate.steps.sharing.write import write_graded

        chosen = choose_seeds(seeds, self.results["study"].get("seeds") or ())
        write_graded(self.folder, Path(file), machine=machine, seeds=chosen)
        return Path(file)

    def __repr__(self) -> str:
        return f"Run({self.name!r}): {self.headline}"

    def _repr_png_(self) -> bytes | None:
        """The picture with the rates of every arm; None if nothing is finished."""
        return self._picture("png")

    def _repr_html_(self) -> str:
        """Headline, cautions and picture."""
        cautions = "".join(f"<li>{escape(caution)}</li>" for caution in self.cautions)
        picture = self._picture("svg")
        # As an image, not inline: ids in an inline SVG must be unique in a page, and a notebook may show several runs.
        address = f"data:image/svg+xml;base64,{base64.b64encode(picture).decode()}" if picture else ""
        image = f'<img alt="Rates of every arm" src="{address}">' if picture else ""
        return f"<p><b>{escape(self.headline)}</b></p><ul>{cautions}</ul>{image}"

    def _picture(self, kind: str) -> bytes | None:
        path = self.folder / "figures" / f"picture.{kind}"
        return path.read_bytes() if path.is_file() else None


@checked
def run(
    study: str | os.PathLike[str] | Study,
    *,
    store: str | os.PathLike[str] | None = None,
    seeds: str | Iterable[int] | None = None,
    server: str = "",
    ray: str = "",
    progress: bool = True,
) -> Run:
    """Carry out a study. Steps that are finished in the store are not repeated.

    Args:
        study: The name of a ready-made study, a study file, or a `Study`.
        store: The folder of finished steps, or its URL (docs/cluster.md). Default: the environment variable
            INOCULATE_STORE, else `store`.
        seeds: Only what these seeds of the study take: `[3, 4]` or "3-5". The untrained model belongs to the study's
            first seed.
        server: Sample from this OpenAI-compatible server (http://localhost:8000/v1) instead of in this process.
        ray: Carry out the steps on a Ray cluster: `auto`, HOST:PORT, or `local` for this machine alone
            (docs/cluster.md).
        progress: Whether progress is shown: bars in a terminal, one line in a notebook, plain lines elsewhere.

    Raises:
        UserError: The study has a mistake, or cannot be carried out on this machine; or arms of it could not be made
            and all others were, which `load` then reads.
    """
    from inoculate.analysis import analyse_screen
    from inoculate.integrations import trackers
    from inoculate.progress import show_progress
    from inoculate.report.screen import draw_screen
    from inoculate.steps.cluster.drive import on_cluster
    from inoculate.steps.plan import make_plan
    from inoculate.steps.run import Incomplete, carry_out_most, refuse_incomplete
    from inoculate.steps.screen import make_screen_plan

    declared, text, located = _read_study(study)
    chosen = choose_seeds(seeds, declared.seeds)
    trackers.choose("")
    target = open_store(_store_name(store))
    left_out: list[Incomplete] = []
    with show_progress(quiet=not progress) as watcher, on_cluster(ray, watcher.on_message) as place, located:
        if declared.elicitation and (chosen is None or declared.seeds[0] in chosen):
            screened = carry_out_most(make_screen_plan(declared, server), target, watcher, text, left_out, place=place)
            draw_screen(analyse_screen(screened), screened / "figures")
            target.publish_run(screened)
        plan = make_plan(declared, server=server)
        folder = carry_out_most(plan, target, watcher, text, left_out, chosen, place=place)
        refuse_incomplete(left_out)
        analysed = _analyse(folder)
        target.publish_run(folder)
        return analysed


@checked
def load(run: str | os.PathLike[str], *, store: str | os.PathLike[str] | None = None) -> Run:
    """Load an earlier run. Its results and report are rebuilt if the run was continued since.

    Args:
        run: A run's folder, or the name of its study.
        store: The folder of finished steps, or its URL (docs/cluster.md). Default: the environment variable
            INOCULATE_STORE, else `store`.

    Raises:
        UserError: There is no such run, or it cannot be read.
    """
    folder = find_run(_as_path(run, "a run: its folder, or the name of its study"), _store_name(store))
    manifest_time = (folder / "manifest.json").stat().st_mtime
    result_files = [folder / name for name in _RESULT_FILES]
    if all(path.is_file() and path.stat().st_mtime >= manifest_time for path in result_files):
        return Run(folder)
    return _analyse(folder)


@checked
def import_graded(file: str | os.PathLike[str], *, store: str | os.PathLike[str] | None = None) -> Run:
    """Take over finished cells of a study from another machine, so that runs and reports count them.

    Args:
        file: What `Run.export_graded` or `inoculate export RUN --graded FILE` wrote.
        store: The folder of finished steps, or its URL (docs/cluster.md). Default: the environment variable
            INOCULATE_STORE, else `store`.

    Returns:
        The run with these cells, its results and report rebuilt.

    Raises:
        UserError: The file is damaged, or of another version, model or study; a step is in the store with other
            content; or the study has code of its own and was not run in this store before.
    """
    from inoculate.steps.sharing.read import import_graded as import_file

    imported = import_file(Path(file), open_store(_store_name(store)))
    if imported.run is None:
        raise UserError(f"{file}: the steps are imported; {'; '.join(imported.notes)}")
    return _analyse(imported.run)


def _analyse(folder: Path) -> Run:
    from inoculate.analysis import analyse
    from inoculate.report import write_report

    analyse(folder)
    write_report(folder)
    return Run(folder)


def _read_study(study: str | os.PathLike[str] | Study) -> tuple[schema.Study, str, AbstractContextManager[None]]:
    """A study, the text of its file, and what gives refusals their place in it."""
    if isinstance(study, Study):
        return study.declared, study.toml(), nullcontext()
    path = ready_made.find(_as_path(study, "a study: a Study, the name of a ready-made one, or a file"))
    return parse.load(path), path.read_text(encoding="utf-8"), parse.located(path)


def _store_name(store: str | os.PathLike[str] | None) -> str:
    return _as_path(store or os.environ.get(STORE_VARIABLE) or DEFAULT_STORE, "a store: a folder, or its URL")


def _as_path(given: object, due: str) -> str:
    if not isinstance(given, str | os.PathLike):
        raise UserError(f"{kind_of(given)} was given, where {due} was expected")
    return os.fspath(given)
