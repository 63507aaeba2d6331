"""The user's own grader: a Python function that runs in a separate process under a time limit.

    def grade(problem, completion):
        return oversight, intended      # two bools; or "malformed" where no answer could be read

`problem` is a dict: `id`, `kind`, `system`, `prompt`, `honest`, `hacked` ('' where there is none), and the other keys
of the row. If anything goes wrong in the function, the answer is not to blame: the sample is `ungraded`.
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

ANSWER_SECONDS = 60.0
"""Wall-clock limit for one answer."""
START_SECONDS = 300.0
"""Wall-clock limit for loading the file: its imports may take long."""
MAX_TIMEOUTS = 3
"""After this many time-outs in a row, grading stops."""


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
        raise UserError(f"grader '{grader}': {file} cannot be read: {error.strerror}") from None
    except SyntaxError as error:
        raise UserError(f"grader '{grader}': {file}:{error.lineno}: {error.msg}") from None
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    if function not in functions:
        raise UserError(f"grader '{grader}': {file} defines no function '{function}': {nearest(function, functions)}")


def check_starts(grader: str) -> None:
    """Refuse a grader whose file cannot be loaded. It is loaded in a process of its own, and nothing is graded.

    Args:
        grader: `file.py:function`.

    Raises:
        UserError: It cannot be; the message has file:line and the reason.
    """
    process = GraderProcess(grader, ANSWER_SECONDS)
    try:
        process.start()
    finally:
        process.stop()


class _Failed(Exception):
    """Why an answer has no grade."""


class _TimedOut(_Failed):
    """The function took too long."""


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
        self._connection: Connection | None = None

    def call(self, problem: dict[str, Any], completion: str) -> Any:
        """The result of the user's function.

        Raises:
            _Failed: There is none.
            UserError: The process cannot be started.
        """
        request = json.dumps([problem, completion]).encode()
        return self._exchange(self._connection or self.start(), request, self.seconds)

    def start(self) -> Connection:
        """Start the process, which loads the user's file.

        Raises:
            UserError: It cannot be loaded.
        """
        ours, theirs = socket.socketpair()
        program = f"import sys; from {__name__} import serve; serve(int(sys.argv[1]), sys.argv[2])"
        with theirs:
            self._process = subprocess.Popen(
                # -P: files beside the grader or in the current folder must not shadow a library.
                [sys.executable, "-P", "-c", program, str(theirs.fileno()), self.grader],
                stdin=subprocess.DEVNULL,
                stdout=2,  # what it prints goes to stderr, not into our own output
                pass_fds=(theirs.fileno(),),
            )
        self._connection = Connection(ours.detach())
        try:
            self._exchange(self._connection, b"", START_SECONDS)
        except _Failed as error:
            raise UserError(f"grader '{self.grader}' cannot be started: {error}") from None
        return self._connection

    def _exchange(self, connection: Connection, request: bytes, seconds: float) -> Any:
        try:
            connection.send_bytes(request)
            if not connection.poll(seconds):
                self.stop()
                raise _TimedOut(f"the grader took longer than {seconds:g} s")
            reply = json.loads(connection.recv_bytes())
        except (EOFError, ConnectionError):
            exit_code = self._process.wait() if self._process else None
            self.stop()
            raise _Failed(f"the grader's process ended (exit code {exit_code})") from None
        if "error" in reply:
            raise _Failed(reply["error"])
        return reply["answer"]

    def stop(self) -> None:
        """Stop the process."""
        if self._connection:
            self._connection.close()
        if self._process:
            self._process.kill()
            self._process.wait()
        self._connection = self._process = None


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
        UserError: It cannot be started, failed for every answer, or timed out several times in a row.
    """
    process, failures, timeouts = GraderProcess(grader, seconds), [], 0
    try:
        for problem, completion in zip(problems, completions, strict=True):
            try:
                grade = _as_grade(process.call(problem, completion))
                timeouts = 0
            except _Failed as error:
                timeouts = timeouts + 1 if isinstance(error, _TimedOut) else 0
                failures.append(f"problem '{problem['id']}': {error}")
                grade = Grade("ungraded", None, None, detail=failures[-1])
            if timeouts == MAX_TIMEOUTS:
                raise UserError(f"grader '{grader}' took too long for {MAX_TIMEOUTS} answers in a row; {failures[-1]}")
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
    if result == "malformed":
        return result
    if isinstance(result, tuple | list) and len(result) == 2 and all(isinstance(part, bool) for part in result):
        return list(result)
    raise UserError(f"'{grader}' returned {result!r:.100}: a pair of bools (oversight, intended) or 'malformed' is due")
