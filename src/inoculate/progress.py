"""Progress of a run for people: bars in a terminal, one line that changes in a notebook, plain lines elsewhere."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from inoculate.steps.store import Step

if TYPE_CHECKING:
    from inoculate.steps.run import Running

PLAIN_SECONDS = 15
"""Where there is no terminal, at most one line in so many seconds while a step goes on."""
NOTEBOOK_SECONDS = 0.3
"""How often the line in a notebook changes, at most."""


_MOST_NAMED = 8
"""Tasks on a cluster that are named where there is no terminal."""
_SPARE_LINES = 4
"""Lines of a terminal that tasks on a cluster leave to other things."""


class TerminalProgress:
    """Progress of a run on standard error: bars in a terminal, plain lines elsewhere."""

    def __init__(self, *, quiet: bool = False) -> None:
        """Set up.

        Args:
            quiet: Show nothing.
        """
        self.terminal = Console(stderr=True, quiet=quiet)
        self.bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            console=self.terminal,
            disable=quiet or not self.terminal.is_terminal,
        )
        self._task: TaskID | None = None
        self._tasks: dict[str, TaskID] = {}
        """Of the tasks on a cluster: what is shown of each."""
        self._label = ""
        self._start_time = self._last_shown = time.monotonic()

    def __enter__(self) -> TerminalProgress:
        self.bars.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.bars.stop()

    def on_step_start(self, step: Step, number: int, total: int) -> None:
        """A step starts."""
        self.start(f"[{number}/{total}] {step.label}")

    def start(self, label: str) -> None:
        """Start to show the progress of something."""
        self._label = label
        self._start_time = self._last_shown = time.monotonic()
        if self.terminal.is_terminal:
            self._clear()
            self._task = self.bars.add_task(self._label.replace("[", "\\["), total=None, note="")
        else:
            self._print(self._label)

    def on_progress(self, done: int, total: int, note: str) -> None:
        """A part of the step is done."""
        if self._task is not None:
            self.bars.update(self._task, completed=done, total=total, note=note)
        elif not self.terminal.is_terminal and time.monotonic() - self._last_shown > PLAIN_SECONDS:
            self._last_shown = time.monotonic()
            self._print(_format_line(self._label, done, total, note, self._last_shown - self._start_time))

    def on_step_end(self, step: Step) -> None:
        """The step is in the store; of those that were carried out together, the first ends what is shown."""
        if not self._label:
            return
        text, self._label = f"{self._label}: {time.monotonic() - self._start_time:.1f} s", ""
        self._clear()
        if self.terminal.is_terminal:
            self._print(text)
        elif time.monotonic() - self._start_time > PLAIN_SECONDS:
            self._print(f"{text}, done")

    def on_message(self, text: str) -> None:
        """Something that takes long starts, such as a download."""
        self._print(text)

    def on_parallel(self, running: Sequence[Running], finished: int, total: int) -> None:
        """Several machines work: a bar for the run and for each task in a terminal, now and then a line elsewhere."""
        if self.terminal.is_terminal:
            self._show_tasks(running, finished, total)
        elif time.monotonic() - self._last_shown > PLAIN_SECONDS:
            self._last_shown = time.monotonic()
            self._print(_format_parallel(running, finished, total))

    def _show_tasks(self, running: Sequence[Running], finished: int, total: int) -> None:
        shown = running[: max(0, self.terminal.height - _SPARE_LINES)]
        lines = {f"{one.label}, on {one.machine}".replace("[", "\\["): one for one in shown}
        for line in [line for line in self._tasks if line not in lines]:
            self.bars.remove_task(self._tasks.pop(line))
        for line, one in lines.items():
            if line not in self._tasks:
                self._tasks[line] = self.bars.add_task(line, total=None, note="")
            self.bars.update(self._tasks[line], completed=one.done, total=one.total or None, note=one.note)
        if self._task is None:
            self._task = self.bars.add_task("steps", note="")
        self.bars.update(self._task, completed=finished, total=total, note=f"{len(running)} tasks under way")

    def _clear(self) -> None:
        if self._task is not None:
            self.bars.remove_task(self._task)
            self._task = None

    def _print(self, text: str) -> None:
        self.bars.console.print(text, markup=False, highlight=False, soft_wrap=True)


class NotebookProgress:
    """Progress of a run in a notebook: one line below the cell, which changes and needs no widgets."""

    def __init__(self) -> None:
        """Show nothing yet."""
        self._output: Any = None
        self._label = ""
        self._steps = 0
        self._created = self._start_time = self._last_shown = time.monotonic()

    def __enter__(self) -> NotebookProgress:
        with warnings.catch_warnings():
            # Libraries import it later, and it would then ask for widgets, which nothing here needs.
            warnings.simplefilter("ignore")
            import tqdm.auto  # noqa: F401
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if kind is None and self._steps:
            steps = "1 step" if self._steps == 1 else f"{self._steps} steps"
            self._show(f"{steps} in {time.monotonic() - self._created:.0f} s")

    def on_step_start(self, step: Step, number: int, total: int) -> None:
        """A step starts."""
        self.start(f"[{number}/{total}] {step.label}")

    def start(self, label: str) -> None:
        """Start to show the progress of something."""
        self._label, self._start_time = label, time.monotonic()
        self._show(label)

    def on_progress(self, done: int, total: int, note: str) -> None:
        """A part of the step is done."""
        now = time.monotonic()
        if done == total or now - self._last_shown > NOTEBOOK_SECONDS:
            self._show(_format_line(self._label, done, total, note, now - self._start_time))

    def on_step_end(self, step: Step) -> None:
        """The step is in the store."""
        self._steps += 1

    def on_message(self, text: str) -> None:
        """Something that takes long starts, such as a download."""
        self._show(text)

    def on_parallel(self, running: Sequence[Running], finished: int, total: int) -> None:
        """Several machines work."""
        self._show(_format_parallel(running, finished, total))

    def _show(self, text: str) -> None:
        from IPython.display import display  # a notebook has it, whatever is installed elsewhere

        self._last_shown = time.monotonic()
        output = {"text/plain": text}
        if self._output is None:
            self._output = display(output, raw=True, display_id=True)
        else:
            self._output.update(output, raw=True)


def _format_line(label: str, done: int, total: int, note: str, seconds: float) -> str:
    return ", ".join([f"{label}: {done} of {total}", *([note] if note else []), f"{seconds:.0f} s"])


def _format_parallel(running: Sequence[Running], finished: int, total: int) -> str:
    """How far the run is, and below it a line for each task: how far it is, what it does, and where."""
    said = [f"{finished} of {total} steps finished" + (f", {len(running)} under way:" if running else "")]
    shown = [(f"{one.done} of {one.total}" if one.total else "begins", one) for one in running[:_MOST_NAMED]]
    width = max((len(far) for far, _ in shown), default=0)
    said += [f"  {far:>{width}}  {one.label}, on {one.machine}" for far, one in shown]
    if len(running) > len(shown):
        said.append(f"  and {len(running) - len(shown)} more")
    return "\n".join(said)


def show_progress(*, quiet: bool = False) -> TerminalProgress | NotebookProgress:
    """The progress display for a notebook if this process runs in one, else for a terminal.

    Args:
        quiet: Show nothing.
    """
    return NotebookProgress() if Console().is_jupyter and not quiet else TerminalProgress(quiet=quiet)
