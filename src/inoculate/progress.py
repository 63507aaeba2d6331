"""Progress of a run for people: bars in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time

from rich.console import Console as Terminal
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from inoculate.steps.store import Step

PLAIN_SECONDS = 15
"""Where there is no terminal, at most one line in so many seconds while a step goes on."""


class Console:
    """Progress of a run: bars in a terminal, plain lines elsewhere."""

    def __init__(self) -> None:
        """Look whether there is a terminal."""
        self.terminal = Terminal(stderr=True)
        self.bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            console=self.terminal,
            disable=not self.terminal.is_terminal,
        )
        self._task: TaskID | None = None
        self._label = ""
        self._began = self._last = time.monotonic()

    def __enter__(self) -> Console:
        self.bars.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.bars.stop()

    def started(self, step: Step, number: int, total: int) -> None:
        """A step begins."""
        self._label = f"[{number}/{total}] {step.label}"
        self._began = self._last = time.monotonic()
        if self.terminal.is_terminal:
            self._clear()
            self._task = self.bars.add_task(self._label.replace("[", "\\["), total=None, note="")
        else:
            self._line(self._label)

    def moved(self, done: int, total: int, note: str) -> None:
        """The step has come so far."""
        if self._task is not None:
            self.bars.update(self._task, completed=done, total=total, note=note)
        elif not self.terminal.is_terminal and time.monotonic() - self._last > PLAIN_SECONDS:
            self._last = time.monotonic()
            self._line(f"{self._label}: {done} of {total}, {note}, {self._last - self._began:.0f} s")

    def ended(self, step: Step) -> None:
        """The step is in the store."""
        words = f"{self._label}: {time.monotonic() - self._began:.1f} s"
        self._clear()
        if self.terminal.is_terminal:
            self._line(words)
        elif time.monotonic() - self._began > PLAIN_SECONDS:
            self._line(f"{words}, done")

    def say(self, words: str) -> None:
        """Something that takes long is being done."""
        self._line(words)

    def _clear(self) -> None:
        if self._task is not None:
            self.bars.remove_task(self._task)
            self._task = None

    def _line(self, words: str) -> None:
        self.bars.console.print(words, markup=False, highlight=False, soft_wrap=True)
