"""The command line. It loads torch only when a command needs it."""

from __future__ import annotations

import errno
import os
import select
import signal
import sys
from collections.abc import Callable

from cyclopts import App, CycloptsError, Parameter
from cyclopts.exceptions import UnusedCliTokensError

from inoculate import __version__
from inoculate.cli import lists, runs, settings, studies, vet
from inoculate.errors import UserError, is_disk_full

_NO_PATH = {
    errno.ENOTDIR: "a part of this path is a file, where a folder was expected",
    errno.ENAMETOOLONG: "the name is too long for a file",
    errno.ELOOP: "too many links lead to each other",
}
"""What is wrong with a path that there cannot be, in other words than the system's."""
_OF_A_PATH = {*_NO_PATH, errno.EISDIR, errno.EEXIST, errno.EIO, errno.ESTALE, errno.EXDEV}
"""What is wrong with a path that was given, or with the disk behind it, and not with this program."""
_LONGEST = 100
"""Characters of a path in a message."""

app = App(
    name="inoculate",
    help="Does an inoculation prompt work, on this model and data? What does it cost, and how sure are we?",
    version=__version__,
    default_parameter=Parameter(negative=()),  # no --no-quick, no --empty-contrast
    suppress_keyboard_interrupt=False,  # `run_command` prints what is kept
)
for command in (
    *(studies.demo, studies.run, studies.plan, studies.step, studies.screen, studies.preflight),
    *(runs.report, runs.compare, runs.export),
    *(lists.studies, lists.prompts),
    *(settings.sample, settings.check, settings.grade, settings.judge, settings.rows, settings.doctor),
    vet.vet,
):
    app.command(command)
app.command(runs.import_graded, name="import")
new = App(name="new", help="Write a file to start from.")
new.command(settings.new_setting, name="setting")
app.command(new)


class _Terminated(KeyboardInterrupt):
    """The process was asked to end (SIGTERM): it ends as after Ctrl-C, with what is finished kept and listed."""


def _terminate(number: int, frame: object) -> None:
    signal.signal(number, signal.SIG_DFL)  # asked again, it ends at once
    raise _Terminated


def main() -> None:
    """Run the command line."""
    signal.signal(signal.SIGTERM, _terminate)
    sys.exit(run_command(lambda: app(exit_on_error=False, print_error=False)))


def run_command(command: Callable[[], object]) -> int:
    """Run a command, and print a user's mistake as one message without a traceback.

    Returns:
        The exit code: 0, 2 for a user's mistake, 130 after Ctrl-C, 143 after SIGTERM, 141 if
        nobody reads the output any more (`| head`).
    """
    try:
        command()
        sys.stdout.flush()  # not at the interpreter's exit, where an error can no longer be caught
    except UserError as error:
        return _print_error(str(error), 2)
    except CycloptsError as error:
        said = str(error) if str(error).endswith("...") else str(error).removesuffix(".")
        if isinstance(error, UnusedCliTokensError) and error.unused_tokens:
            said = f"too much was given: {', '.join(map(repr, error.unused_tokens))}"
        named = " ".join(["inoculate", *(error.command_chain or ())])
        return _print_error(f"{said} (`{named} --help` says what it takes)", 2)
    except KeyboardInterrupt as stop:
        code = 143 if isinstance(stop, _Terminated) else 130
        return _print_error("; ".join(["stopped", *getattr(stop, "__notes__", ["nothing was written"])]), code)
    except OSError as error:
        if isinstance(error, BrokenPipeError) and _reader_is_gone():
            # The rest of the output is discarded, also that which is written at the interpreter's exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 141
        if is_disk_full(error):
            return _print_error(_no_space(str(error.filename or "while writing")), 2)
        if isinstance(error, PermissionError) or error.errno == errno.EROFS:
            return _print_error(f"not allowed: {_shorten(str(error.filename))}: {error.strerror}", 2)
        if error.filename and error.errno in _OF_A_PATH:
            said = _NO_PATH.get(error.errno, error.strerror)
            return _print_error(f"{_shorten(str(error.filename))}: {said}", 2)
        raise
    except Exception as error:
        if is_disk_full(error):
            return _print_error(_no_space("while writing weights"), 2)
        raise
    return 0


def _shorten(path: str) -> str:
    return path if len(path) <= _LONGEST else f"{path[:_LONGEST]}... ({len(path)} characters)"


def _no_space(where: str) -> str:
    return (
        f"no space left on the disk ({where}); finished steps are kept: free some space and run the same command again"
    )


def _reader_is_gone() -> bool:
    """Whether the reader of standard output is gone, and not that of a pipe of the sandbox."""
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


def _print_error(message: str, exit_code: int) -> int:
    print(f"inoculate: {message}", file=sys.stderr)
    return exit_code
