"""A function of the user's, a grader or a reward, in a process of its own under a time limit.

It is named `file.py:name` and called as `name(problem, completion)`. `problem` is a dict (`describe_problem`). Whatever
goes wrong in it (it raises, hangs, dies, returns something else) is no answer, with a reason that names file and line.
"""

from __future__ import annotations

import ast
import inspect
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, NamedTuple, Self

from inoculate import python_file
from inoculate.errors import UserError, kind_of, nearest, on_one_line, unreadable
from inoculate.records import Problem

ANSWER_SECONDS = 60.0
"""Wall-clock limit for one answer."""
START_SECONDS = 300.0
"""Wall-clock limit for loading the file: its imports may take long."""
_TRIED_SECONDS = 10.0
"""Wall-clock limit for one answer before any work."""
_ENDING_SECONDS = 5.0
"""How long a process may take to end that has closed its end of the connection."""
_LONGEST = 64 << 20
"""Bytes of one answer, which may be a long message: whatever writes more does not answer."""
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


class _Late(_Lost):
    """The function took too long."""


def check(function: str, role: str) -> None:
    """Refuse a function that does not exist, without running its file.

    Args:
        function: `file.py:name`.
        role: What it is, for messages: `grader`.

    Raises:
        UserError: It is not of that form, or there is no such file or function.
    """
    file, _, name = function.rpartition(":")
    function = on_one_line(function)
    if not file.endswith(".py") or not name.isidentifier():
        meant = _meant(function)
        hint = f": did you mean '{meant}'?" if meant else f", such as my_{role}.py:name"
        raise UserError(f"{role} '{function}': file.py:function was expected{hint}")
    try:
        tree = ast.parse(Path(file).expanduser().read_bytes())
    except OSError as error:
        raise UserError(f"{role} '{function}': {file} cannot be read: {unreadable(file, error)}") from None
    except SyntaxError as error:
        line = f":{error.lineno}" if error.lineno else ""
        raise UserError(f"{role} '{function}': {file}{line}: {error.msg}") from None
    if other := next((what for node in tree.body if (what := _other_kind(node, name))), ""):
        raise UserError(
            f"{role} '{function}': in {file} '{name}' is {other}, where a function was expected: def {name}"
        )
    defined = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    if name in defined:
        if fault := _find_fault(defined[name]):
            raise UserError(f"{role} '{function}': {file}:{defined[name].lineno}: '{name}' {fault}")
        return
    inner = (node.lineno for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == name)
    if line := next(inner, 0):
        raise UserError(f"{role} '{function}': {file}:{line}: '{name}' stands inside of something else: begin its def "
                        "at the left margin, outside of any class, function, if or try")  # fmt: skip
    raise UserError(f"{role} '{function}': {file} defines no function '{name}': {nearest(name, defined)}")


def _meant(function: str) -> str:
    """The function that is meant by one in another form: `judge:grade`, `judge.py::grade()`; '' where none is."""
    words = re.fullmatch(r"(.+?)(?:\.py)?(?::+(?:\w+\.)*(\w+)(?:\(.*\))?)?", function)
    if words is None or not (file := Path(f"{words[1]}.py")).is_file():
        return ""
    return f"{file}:{words[2] or 'NAME'}"


def _find_fault(node: ast.FunctionDef) -> str:
    """Why a function cannot be called as it will be; '' where it can, or where a decorator may see to it."""
    if node.decorator_list:
        return ""
    given = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
    needed = len(given) - len(node.args.defaults)
    lacks_default = any(default is None for default in node.args.kw_defaults)
    if needed > 2 or (len(given) < 2 and not node.args.vararg) or lacks_default:
        return f"takes ({ast.unparse(node.args)}): it is called as {node.name}(problem, completion)"
    if given[:2] == ["completion", "problem"]:
        return f"takes (completion, problem): it is called as {node.name}(problem, completion), in this order"
    if any(isinstance(part, ast.Yield | ast.YieldFrom) for statement in node.body for part in _own_parts(statement)):
        return "has a yield: what it answers is returned"
    return ""


def _own_parts(node: ast.AST) -> Iterator[ast.AST]:
    """A statement and its parts, but for what stands in functions and classes inside it."""
    yield node
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
        for child in ast.iter_child_nodes(node):
            yield from _own_parts(child)


def _other_kind(node: ast.stmt, name: str) -> str:
    """What a statement makes of a name, where it is no function; '' where it does not make it, or makes one."""
    if isinstance(node, ast.ClassDef | ast.AsyncFunctionDef) and node.name == name:
        return "a class" if isinstance(node, ast.ClassDef) else "an async function"
    if isinstance(node, ast.Import | ast.ImportFrom):
        return "imported" if any((one.asname or one.name) == name for one in node.names) else ""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return "assigned" if any(isinstance(one, ast.Name) and one.id == name for one in targets) else ""


def check_starts(function: str, role: str, convert: Convert, problem: Problem | None = None) -> None:
    """Refuse a function whose file cannot be loaded, in a process of its own, or that has no answer to a known answer.

    Args:
        function: `file.py:name`.
        role: What it is, for messages: `grader`.
        convert: As in `UserFunction`.
        problem: It is asked about this problem's own answer; one that takes long is left to the run. None: nothing is
            asked.

    Raises:
        UserError: It does not exist, its file fails when it is run, or it has no answer; the message has file:line and
            the reason.
    """
    check(function, role)
    with UserFunction(function, role, convert, _TRIED_SECONDS) as process:
        process.start()
        if problem:
            process.try_out(describe_problem(problem), problem.honest or problem.hacked)


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
        self._connection: socket.socket | None = None

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

    def try_out(self, problem: Mapping[str, Any], completion: str) -> None:
        """Ask for one answer, before any work.

        Raises:
            UserError: There is none, for another reason than that it takes long.
        """
        try:
            self._call(problem, completion)
        except _Late:
            return
        except _Failed as error:
            raise UserError(
                f"{self.role} '{self.function}', tried on the answer {completion!r:.60} to problem '{problem['id']}': "
                f"{error}"
            ) from None

    def _call(self, problem: Mapping[str, Any], completion: str) -> Any:
        return self._exchange(self._connection or self._start(), [problem, completion], self.seconds)

    def _start(self) -> socket.socket:
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
        self._connection = ours
        try:
            self._exchange(self._connection, None, START_SECONDS)
        except _Failed as error:
            self.stop()
            raise UserError(f"{self.role} '{self.function}' cannot be started: {error}") from None
        return self._connection

    def _exchange(self, connection: socket.socket, request: Any, seconds: float) -> Any:
        before = self._output.seek(0, os.SEEK_END) if self._output else 0
        try:
            match json.loads(_ask(connection, json.dumps(request).encode() + b"\n", seconds)):
                case {"error": str(reason)}:
                    raise _Failed(reason + self._printed(before))
                case {"answer": answer}:
                    return answer
                case other:
                    raise ValueError(f"{other!r:.100}")
        except TimeoutError:
            late = f"the {self.role} took longer than {seconds:g} s"
            ended = self._end(0)
            raise (self._lost(ended, before) if ended else _Late(str(self._lost(late, before)))) from None
        except (EOFError, ConnectionError):
            gone_on = f"the {self.role} closed its connection without an answer, and went on"
            raise self._lost(self._end(_ENDING_SECONDS) or gone_on, before) from None
        except ValueError as error:
            raise self._lost(
                f"the {self.role} wrote what is not an answer into its connection: {error}", before
            ) from None

    def _end(self, seconds: float) -> str:
        """How the process has ended; '' if it has not within a time."""
        try:
            exit_code = self._process.wait(seconds) if self._process else None
        except subprocess.TimeoutExpired:
            return ""
        return f"the {self.role}'s process ended (exit code {exit_code})"

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


def _ask(connection: socket.socket, line: bytes, seconds: float) -> bytes:
    """Send a line and receive one.

    Raises:
        TimeoutError: Both together took longer.
        EOFError: The other end is closed.
        ConnectionError: The same, while sending.
        ValueError: What was received is more than a line.
    """
    end = time.monotonic() + seconds
    connection.settimeout(seconds)
    connection.sendall(line)
    received = bytearray()
    while not received.endswith(b"\n"):
        connection.settimeout(max(end - time.monotonic(), 1e-6))  # 0 would mean something else
        piece = connection.recv(1 << 16)
        if not piece:
            raise EOFError
        received += piece
        if len(received) > _LONGEST or b"\n" in piece[:-1]:
            raise ValueError(f"{bytes(received[:100])!r}")
    return bytes(received)


def plain(value: Any) -> Any:
    """A scalar of NumPy or torch, also an array or tensor without dimensions, as Python's; anything else as it is.

    One of several elements is no number, and neither is one of a single element in a list.
    """
    shape = getattr(value, "shape", None)
    is_scalar = isinstance(shape, tuple) and not shape and callable(getattr(value, "item", None))
    return value.item() if is_scalar else value


def shown(value: Any) -> str:
    """A value in a message: as it is written, and by its kind where that would be an address in memory."""
    written = f"{value!r:.100}"
    return kind_of(value) if " at 0x" in written else written


def serve(descriptor: int, function: str, convert: Convert) -> None:
    """The main function of the process: answer requests until there are no more."""
    lines = socket.socket(fileno=descriptor).makefile("rwb")
    file, _, name = function.rpartition(":")
    path = Path(file).expanduser().resolve()

    def respond(call: Callable[[], Any]) -> bool:
        try:
            response = {"answer": call()}
        except UserError as error:
            response = {"error": str(error)}
        except Exception as error:
            response = {"error": f"{python_file.error_location(path, error)}: {type(error).__name__}: {error}"}
        lines.write(json.dumps(response).encode() + b"\n")
        lines.flush()
        return "answer" in response

    lines.readline()
    if not respond(lambda: bool(python_file.load(path))):
        return
    user_function, known = getattr(python_file.load(path), name), set(sys.modules)

    def call(problem: dict[str, Any], completion: str) -> Any:
        result = user_function(problem, completion)
        if len(known) < len(sys.modules):  # a function may import when it is called
            python_file.refuse_unwatched(path, known)
            known.update(sys.modules)
        if inspect.iscoroutine(result):
            result.close()  # Python would print that nobody waited for it
        try:
            return convert(result)
        except UserError as error:
            line = getattr(getattr(user_function, "__code__", None), "co_firstlineno", "?")
            raise UserError(f"{path}:{line}: '{name}' {error}") from None

    for line in lines:
        problem, completion = json.loads(line)
        respond(lambda p=problem, c=completion: call(p, c))
