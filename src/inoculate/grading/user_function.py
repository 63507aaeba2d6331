"""A function of the user's, a grader or a reward, in a process of its own under a time limit.

It is named `file.py:name` and called as `name(problem, completion)`. `problem` is a dict (`describe_problem`). Whatever
goes wrong in it (it raises, hangs, dies, returns something else) is no answer, with a reason that names file and line.
"""

from __future__ import annotations

import ast
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import IO, Any, NamedTuple, Self

from inoculate import python_file
from inoculate.errors import UserError, nearest, unreadable
from inoculate.records import Problem

ANSWER_SECONDS = 60.0
"""Wall-clock limit for one answer."""
START_SECONDS = 300.0
"""Wall-clock limit for loading the file: its imports may take long."""
MAX_LOST = 3
"""After this many time-outs and ends of its process in a row, the function is not asked any more."""
_PRINTED = 1000
"""Characters of what it printed last that are shown with a failure."""

Convert = Callable[[Any], Any]
"""Makes plain data of what the function returned, in its process; raises a `UserError` that says what was due."""


class Answer(NamedTuple):
    """What the function answered for one completion."""

    value: Any
    """None where there is no answer."""
    error: str = ""
    """Why there is none; '' where there is one."""


class FunctionFailed(UserError):
    """The function is given up: it took too long or ended several times in a row, or failed for every answer."""


class _Failed(Exception):
    """Why there is no answer."""


class _Lost(_Failed):
    """The function took too long, or its process ended: it has to be started again."""


def check(function: str, role: str) -> None:
    """Refuse a function that does not exist, without running its file.

    Args:
        function: `file.py:name`.
        role: What it is, for messages: `grader`.

    Raises:
        UserError: It is not of that form, or there is no such file or function.
    """
    file, _, name = function.rpartition(":")
    if not file.endswith(".py") or not name.isidentifier():
        raise UserError(f"{role} '{function}': file.py:function was expected, such as my_{role}.py:name")
    try:
        tree = ast.parse(Path(file).expanduser().read_bytes())
    except OSError as error:
        raise UserError(f"{role} '{function}': {file} cannot be read: {unreadable(file, error)}") from None
    except SyntaxError as error:
        raise UserError(f"{role} '{function}': {file}:{error.lineno}: {error.msg}") from None
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    if name not in names:
        raise UserError(f"{role} '{function}': {file} defines no function '{name}': {nearest(name, names)}")


def check_starts(function: str, role: str, convert: Convert) -> None:
    """Refuse a function whose file cannot be loaded. It is loaded in a process of its own, and nothing is asked.

    Args:
        function: `file.py:name`.
        role: What it is, for messages: `grader`.
        convert: As in `UserFunction`.

    Raises:
        UserError: It does not exist, or its file fails when it is run; the message has file:line and the reason.
    """
    check(function, role)
    with UserFunction(function, role, convert) as process:
        process.start()


def describe_problem(problem: Problem) -> dict[str, Any]:
    """What the function is told of a problem: what is shown, both answers, and what its setting's graders know."""
    fields = {key: value for key, value in problem.secret.items() if key not in ("own", "grader")}
    return fields | problem.secret.get("own", {}) | {
        "id": problem.id, "kind": problem.kind, "system": problem.system,
        "prompt": f"{problem.lead} {problem.body}" if problem.lead else problem.body,
        "honest": problem.honest, "hacked": problem.hacked,
    }  # fmt: skip


class UserFunction:
    """The process that runs the function; started when it is needed, and again after it ended."""

    def __init__(self, function: str, role: str, convert: Convert, seconds: float = ANSWER_SECONDS) -> None:
        """Store what is needed to start it.

        Args:
            function: `file.py:name`.
            role: What it is, for messages: `grader`.
            convert: A function of a module, which the process imports.
            seconds: Wall-clock limit for one answer.
        """
        self.function, self.role, self.convert, self.seconds = function, role, convert, seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None
        self._connection: Connection | None = None

    def __enter__(self) -> Self:
        """Nothing is started yet."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop the process, if there is one."""
        self.stop()

    def ask(self, problems: Sequence[Mapping[str, Any]], completions: Sequence[str]) -> Iterator[Answer]:
        """The answers, in order.

        Args:
            problems: One for each completion, with its `id`.
            completions: What the model wrote.

        Raises:
            FunctionFailed: It took too long or ended its process for several answers in a row.
            UserError: The process cannot be started.
        """
        lost = 0
        for problem, completion in zip(problems, completions, strict=True):
            try:
                answer, lost = Answer(self._call(problem, completion)), 0
            except _Failed as error:
                lost = lost + 1 if isinstance(error, _Lost) else 0
                answer = Answer(None, f"problem '{problem['id']}': {error}")
            yield answer
            if lost == MAX_LOST:
                raise FunctionFailed(
                    f"{self.role} '{self.function}' took too long, or ended its process, for {MAX_LOST} answers in a "
                    f"row; {answer.error}"
                )

    def start(self) -> None:
        """Start the process, which loads the file.

        Raises:
            UserError: It cannot be loaded.
        """
        self._connection = self._connection or self._start()

    def _call(self, problem: Mapping[str, Any], completion: str) -> Any:
        request = json.dumps([problem, completion]).encode()
        return self._exchange(self._connection or self._start(), request, self.seconds)

    def _start(self) -> Connection:
        ours, theirs = socket.socketpair()
        convert = f"from {self.convert.__module__} import {self.convert.__name__} as convert"
        program = f"import sys; from {__name__} import serve; {convert}; serve(int(sys.argv[1]), sys.argv[2], convert)"
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `stop`)
        with theirs:
            self._process = subprocess.Popen(
                # -P: files beside the user's or in the current folder must not shadow a library.
                [sys.executable, "-u", "-P", "-c", program, str(theirs.fileno()), self.function],
                stdin=subprocess.DEVNULL,
                # What it prints is shown where it fails, and nowhere else.
                stdout=self._output,
                stderr=self._output,
                pass_fds=(theirs.fileno(),),
                process_group=0,  # Ctrl-C is for us: we stop the process, and what it has started
            )
        self._connection = Connection(ours.detach())
        try:
            self._exchange(self._connection, b"", START_SECONDS)
        except _Failed as error:
            self.stop()
            raise UserError(f"{self.role} '{self.function}' cannot be started: {error}") from None
        return self._connection

    def _exchange(self, connection: Connection, request: bytes, seconds: float) -> Any:
        before = self._output.seek(0, os.SEEK_END) if self._output else 0
        try:
            connection.send_bytes(request)
            if not connection.poll(seconds):
                raise self._lost(f"the {self.role} took longer than {seconds:g} s", before)
            reply = json.loads(connection.recv_bytes())
        except (EOFError, ConnectionError):
            exit_code = self._process.wait() if self._process else None
            raise self._lost(f"the {self.role}'s process ended (exit code {exit_code})", before) from None
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
        """Stop the process, and others that it has started."""
        if self._connection:
            self._connection.close()
        if self._process:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)  # also where it has ended: what it started may go on
            self._process.wait()
        if self._output:
            self._output.close()
        self._connection = self._process = self._output = None


def serve(descriptor: int, function: str, convert: Convert) -> None:
    """The main function of the process: answer requests until there are no more."""
    connection = Connection(descriptor)
    file, _, name = function.rpartition(":")
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
    user_function = getattr(python_file.load(path), name)

    def call(problem: dict[str, Any], completion: str) -> Any:
        result = user_function(problem, completion)
        try:
            return convert(result)
        except UserError as error:
            line = getattr(getattr(user_function, "__code__", None), "co_firstlineno", "?")
            raise UserError(f"{path}:{line}: '{name}' {error}") from None

    while True:
        try:
            problem, completion = json.loads(connection.recv_bytes())
        except EOFError:
            return
        response = respond(lambda p=problem, c=completion: call(p, c))
        connection.send_bytes(json.dumps(response).encode())
