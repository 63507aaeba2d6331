"""A grader of the user's: a Python function, asked in a process of its own under a time limit.

    def grade(problem, completion):
        return oversight, intended      # two bools; or "malformed" where no answer could be read

`problem` is a dict: `id`, `kind`, `system`, `prompt`, `honest`, `hacked` ('' where there is none), and whatever else
the row of the data holds. Anything that goes wrong in it is no fault of the answer: the sample is `ungraded`.
"""

from __future__ import annotations

import ast
import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from inoculate import python_file
from inoculate.errors import UserError, nearest
from inoculate.records import Grade, outcome_of

SECONDS = 60.0
"""Wall clock that the grader may take for one answer."""
START_SECONDS = 300.0
"""Wall clock until it can be asked: what it imports may take long."""
HUNG = 3
"""So many answers in a row that took too long, and it is not asked again."""


def check(given: str) -> None:
    """Refuse a grader that is not there, without running it.

    Args:
        given: `file.py:function`.

    Raises:
        UserError: It is not of that form, or there is no such file or function in it.
    """
    file, _, function = given.rpartition(":")
    if not file.endswith(".py") or not function.isidentifier():
        raise UserError(f"grader '{given}': file.py:function was expected, such as my_grader.py:grade")
    try:
        tree = ast.parse(Path(file).expanduser().read_bytes())
    except OSError as error:
        raise UserError(f"grader '{given}': {file} cannot be read: {error.strerror}") from None
    except SyntaxError as error:
        raise UserError(f"grader '{given}': {file}:{error.lineno}: {error.msg}") from None
    defined = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    if function not in defined:
        raise UserError(f"grader '{given}': {file} defines no function '{function}': {nearest(function, defined)}")


class _Failed(Exception):
    """Why an answer has no grade."""


class _Slow(_Failed):
    """It took too long."""


class Asked:
    """The other process; started when it is needed, and again after it ended."""

    def __init__(self, grader: str, seconds: float) -> None:
        """Keep what is needed to start it."""
        self.grader, self.seconds = grader, seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._line: Connection | None = None

    def ask(self, problem: dict[str, Any], completion: str) -> Any:
        """The answer of the user's function.

        Raises:
            _Failed: It gave none.
            UserError: It cannot even be started.
        """
        return self._exchange(self._line or self._start(), json.dumps([problem, completion]).encode(), self.seconds)

    def _start(self) -> Connection:
        ours, theirs = socket.socketpair()
        code = f"import sys; from {__name__} import serve; serve(int(sys.argv[1]), sys.argv[2])"
        with theirs:
            self._process = subprocess.Popen(
                # -P: what lies beside the grader, or where the command runs, must not stand in for a library.
                [sys.executable, "-P", "-c", code, str(theirs.fileno()), self.grader],
                stdin=subprocess.DEVNULL,
                stdout=2,  # what it prints is for people: not among our own output
                pass_fds=(theirs.fileno(),),
            )
        self._line = Connection(ours.detach())
        try:
            self._exchange(self._line, b"", START_SECONDS)
        except _Failed as error:
            raise UserError(f"grader '{self.grader}' cannot be asked: {error}") from None
        return self._line

    def _exchange(self, line: Connection, request: bytes, seconds: float) -> Any:
        try:
            line.send_bytes(request)
            if not line.poll(seconds):
                self.stop()
                raise _Slow(f"the grader took longer than {seconds:g} s")
            reply = json.loads(line.recv_bytes())
        except (EOFError, ConnectionError):
            code = self._process.wait() if self._process else None
            self.stop()
            raise _Failed(f"the grader's process ended (exit code {code})") from None
        if "error" in reply:
            raise _Failed(reply["error"])
        return reply["answer"]

    def stop(self) -> None:
        """End the other process."""
        if self._line:
            self._line.close()
        if self._process:
            self._process.kill()
            self._process.wait()
        self._line = self._process = None


def grade(
    grader: str, problems: Sequence[dict[str, Any]], completions: Sequence[str], seconds: float = SECONDS
) -> Iterator[Grade]:
    """Grades of completions by the user's function, in order.

    Args:
        grader: `file.py:function`.
        problems: What the function is given, one for each completion.
        completions: What the model wrote.
        seconds: Wall clock for one answer.

    Raises:
        UserError: It cannot be asked, it failed for every answer, or it takes too long again and again.
    """
    asked, failures, slow = Asked(grader, seconds), [], 0
    try:
        for problem, completion in zip(problems, completions, strict=True):
            try:
                made = _grade(asked.ask(problem, completion))
                slow = 0
            except _Failed as error:
                slow = slow + 1 if isinstance(error, _Slow) else 0
                failures.append(f"problem '{problem['id']}': {error}")
                made = Grade("ungraded", None, None, detail=failures[-1])
            if slow == HUNG:
                raise UserError(f"grader '{grader}' took too long for {HUNG} answers in a row; {failures[-1]}")
            yield made
    finally:
        asked.stop()
    if failures and len(failures) == len(problems):
        raise UserError(f"grader '{grader}' failed for every one of {len(problems)} answers; {failures[0]}")


def _grade(answer: Any) -> Grade:
    if answer == "malformed":
        return Grade("malformed", False, False)
    oversight, intended = answer
    return Grade(outcome_of(oversight, intended), oversight, intended)


def serve(descriptor: int, grader: str) -> None:
    """Answer requests until there are no more: what the other process does."""
    line = Connection(descriptor)
    file, _, function = grader.rpartition(":")
    path = Path(file).expanduser().resolve()

    def told(answer: Callable[[], Any]) -> dict[str, Any]:
        try:
            return {"answer": answer()}
        except UserError as error:
            return {"error": str(error)}
        except Exception as error:
            return {"error": f"{python_file.place(path, error)}: {type(error).__name__}: {error}"}

    line.recv_bytes()
    line.send_bytes(json.dumps(told(lambda: bool(python_file.load(path)))).encode())
    own = getattr(python_file.load(path), function)
    while True:
        try:
            problem, completion = json.loads(line.recv_bytes())
        except EOFError:
            return
        line.send_bytes(json.dumps(told(lambda p=problem, c=completion: _checked(own(p, c), grader))).encode())


def _checked(answer: Any, grader: str) -> Any:
    if answer == "malformed":
        return answer
    if isinstance(answer, tuple | list) and len(answer) == 2 and all(isinstance(part, bool) for part in answer):
        return list(answer)
    raise UserError(f"'{grader}' returned {answer!r:.100}: a pair of bools (oversight, intended) or 'malformed' is due")
