"""The user's own grader: a Python function that runs in a separate process under a time limit.

    def grade(problem, completion):
        return oversight, intended      # two bools; or "malformed" where no answer could be read

`problem` is a dict: `id`, `kind`, `system`, `prompt`, `honest`, `hacked` ('' where there is none), and the other keys
of the row. If anything goes wrong in the function, the answer is not to blame: the sample is `ungraded`.
"""

from __future__ import annotations

import ast
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Any

from inoculate import python_file
from inoculate.errors import UserError, nearest, unreadable
from inoculate.records import Grade, outcome_of

ANSWER_SECONDS = 60.0
"""Wall-clock limit for one answer."""
START_SECONDS = 300.0
"""Wall-clock limit for loading the file: its imports may take long."""
MAX_LOST = 3
"""After this many time-outs and ends of its process in a row, grading stops."""
_PRINTED = 1000
"""Characters of what it printed last that are shown with a failure."""


def check_grader(grader: str) -> None:
    """Refuse a grader that does not exist, without running it.

    Args:
        grader: `file.py:function`.

    Raises:
        UserError: It is not of that form, or there is no such file or function.
    """
    file, _, function = grader.rpartition(":")
    if not file.endswith(".py") or not function.isidentifier():
        raise UserError(f"grader '{grader}': file.py:function was expected, such as my_grader.py:grade")
    try:
        tree = ast.parse(Path(file).expanduser().read_bytes())
    except OSError as error:
        raise UserError(f"grader '{grader}': {file} cannot be read: {unreadable(file, error)}") from None
    except SyntaxError as error:
        raise UserError(f"grader '{grader}': {file}:{error.lineno}: {error.msg}") from None
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    if function not in functions:
        raise UserError(f"grader '{grader}': {file} defines no function '{function}': {nearest(function, functions)}")


class _Failed(Exception):
    """Why an answer has no grade."""


class _Lost(_Failed):
    """The function took too long, or its process ended: it has to be started again."""


class GraderProcess:
    """The process that runs the user's function; started when it is needed, and again after it ended."""

    def __init__(self, grader: str, seconds: float) -> None:
        """Store what is needed to start it.

        Args:
            grader: `file.py:function`.
            seconds: Wall-clock limit for one answer.
        """
        self.grader, self.seconds = grader, seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None
        self._connection: Connection | None = None

    def call(self, problem: dict[str, Any], completion: str) -> Any:
        """The result of the user's function.

        Raises:
            _Failed: There is none.
            UserError: The process cannot be started.
        """
        request = json.dumps([problem, completion]).encode()
        return self._exchange(self._connection or self._start(), request, self.seconds)

    def _start(self) -> Connection:
        ours, theirs = socket.socketpair()
        program = f"import sys; from {__name__} import serve; serve(int(sys.argv[1]), sys.argv[2])"
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - `stop` closes it
        with theirs:
            self._process = subprocess.Popen(
                # -P: files beside the grader or in the current folder must not shadow a library.
                [sys.executable, "-u", "-P", "-c", program, str(theirs.fileno()), self.grader],
                stdin=subprocess.DEVNULL,
                # What it prints is shown where it fails, and nowhere else.
                stdout=self._output,
                stderr=self._output,
                pass_fds=(theirs.fileno(),),
            )
        self._connection = Connection(ours.detach())
        try:
            self._exchange(self._connection, b"", START_SECONDS)
        except _Failed as error:
            raise UserError(f"grader '{self.grader}' cannot be started: {error}") from None
        return self._connection

    def _exchange(self, connection: Connection, request: bytes, seconds: float) -> Any:
        before = self._output.seek(0, os.SEEK_END) if self._output else 0
        try:
            connection.send_bytes(request)
            if not connection.poll(seconds):
                raise self._lost(f"the grader took longer than {seconds:g} s", before)
            reply = json.loads(connection.recv_bytes())
        except (EOFError, ConnectionError):
            exit_code = self._process.wait() if self._process else None
            raise self._lost(f"the grader's process ended (exit code {exit_code})", before) from None
        if "error" in reply:
            raise _Failed(reply["error"] + self._printed(before))
        return reply["answer"]

    def _lost(self, why: str, before: int) -> _Lost:
        lost = _Lost(why + self._printed(before))
        self.stop()
        return lost

    def _printed(self, before: int) -> str:
        """The end of what was printed since then, for a message."""
        if not self._output:
            return ""
        end = self._output.seek(0, os.SEEK_END)
        self._output.seek(max(before, end - 4 * _PRINTED))
        text = self._output.read().decode("utf-8", "replace").strip()
        return f"; it printed: {text[-_PRINTED:]}" if text else ""

    def stop(self) -> None:
        """Stop the process."""
        if self._connection:
            self._connection.close()
        if self._process:
            self._process.kill()
            self._process.wait()
        if self._output:
            self._output.close()
        self._connection = self._process = self._output = None


def grade(
    grader: str, problems: Sequence[dict[str, Any]], completions: Sequence[str], seconds: float = ANSWER_SECONDS
) -> Iterator[Grade]:
    """Grades of completions by the user's function, in order.

    Args:
        grader: `file.py:function`.
        problems: What the function is given, one for each completion.
        completions: What the model wrote.
        seconds: Wall clock for one answer.

    Raises:
        UserError: It cannot be started, failed for every answer, or timed out or ended several times in a row.
    """
    process, failures, lost = GraderProcess(grader, seconds), [], 0
    try:
        for problem, completion in zip(problems, completions, strict=True):
            try:
                grade = _as_grade(process.call(problem, completion))
                lost = 0
            except _Failed as error:
                lost = lost + 1 if isinstance(error, _Lost) else 0
                failures.append(f"problem '{problem['id']}': {error}")
                grade = Grade("ungraded", None, None, detail=failures[-1])
            if lost == MAX_LOST:
                raise UserError(
                    f"grader '{grader}' took too long, or ended its process, for {MAX_LOST} answers in a row; "
                    f"{failures[-1]}"
                )
            yield grade
    finally:
        process.stop()
    if failures and len(failures) == len(problems):
        raise UserError(f"grader '{grader}' failed for every one of {len(problems)} answers; {failures[0]}")


def _as_grade(result: Any) -> Grade:
    if result == "malformed":
        return Grade("malformed", False, False)
    oversight, intended = result
    return Grade(outcome_of(oversight, intended), oversight, intended)


def serve(descriptor: int, grader: str) -> None:
    """The main function of the grader process: answer requests until there are no more."""
    connection = Connection(descriptor)
    file, _, function = grader.rpartition(":")
    path = Path(file).expanduser().resolve()

    def respond(call: Callable[[], Any]) -> dict[str, Any]:
        try:
            return {"answer": call()}
        except UserError as error:
            return {"error": str(error)}
        except Exception as error:
            return {"error": f"{python_file.error_location(path, error)}: {type(error).__name__}: {error}"}

    connection.recv_bytes()
    connection.send_bytes(json.dumps(respond(lambda: bool(python_file.load(path)))).encode())
    user_function = getattr(python_file.load(path), function)
    while True:
        try:
            problem, completion = json.loads(connection.recv_bytes())
        except EOFError:
            return
        response = respond(lambda p=problem, c=completion: _checked(user_function(p, c), grader))
        connection.send_bytes(json.dumps(response).encode())


def _checked(result: Any, grader: str) -> Any:
    if isinstance(result, str) and result == "malformed":
        return result
    if isinstance(result, tuple | list) and len(result) == 2:
        # A bool of NumPy or torch is one too.
        parts = [part.item() if getattr(part, "shape", None) == () else part for part in result]
        if all(isinstance(part, bool) for part in parts):
            return parts
    raise UserError(f"'{grader}' returned {result!r:.100}: a pair of bools (oversight, intended) or 'malformed' is due")
