"""The command line: the parser's assembly, and what becomes of errors and signals."""

from __future__ import annotations

import argparse
import atexit
import errno
import io
import os
import signal
import sys
import threading
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any, Callable, NoReturn

from .. import __version__
from ..console import exit_status
from ..console.streams import prepare, style_of, width_of
from ..console.style import error_lines
from ..console.verbosity import NORMAL, VERBOSE
from ..errors import Interrupted, OutputError, SamebytesError, UsageError, signals_raise, suggestion
from .extensions import INSTALL, installed, missing

COMMANDS: tuple[str, ...] = ("normalize", "check", "compare", "build", "verify", "install", "tree")
COMMANDS += ("survey", "wrap", "unwrap", "doctor", "completion")

_OWN = ("normalize", "check", "doctor")
"""Those of COMMANDS that samebytes has itself; samebytes-tools adds the others."""

_AFTER_A_SIGNAL = "Nothing is half written; run the command again."
_MORE = "Free some room and memory, or raise the limits (ulimit -a). Nothing is half written."
_SCARCE = frozenset(
    (errno.ENOSPC, errno.EFBIG, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, getattr(errno, "EDQUOT", 0))
)
_ISSUES = "https://github.com/samebytes/samebytes/issues"

_DESCRIPTION = """\
Python packages whose bytes anyone can reproduce.

Same source, same build requirements, same platform: the same wheels and
sdists, whoever builds, wherever and whenever."""

_EPILOG = f"""\
examples:
  samebytes normalize dist/*    before you attest and upload
  samebytes check dist/*        check whether archives are canonical
  samebytes check .             build the project here twice, and compare
  samebytes compare A B         report what differs, why, and what to do
  samebytes build               build the project here, reproducibly

{exit_status.table(*exit_status.MEANINGS)}

'samebytes COMMAND --help' describes each."""


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Texts as they were laid out, and the list of commands without argparse's heading line."""

    def __init__(self, prog: str, **settings: Any) -> None:
        # argparse makes a formatter for every option, and would import shutil (with bz2, lzma) to measure the terminal.
        super().__init__(prog, **{"width": width_of(sys.stdout, os.environ) - 2, **settings})

    def _format_action(self, action: argparse.Action) -> str:
        if not isinstance(action, argparse._SubParsersAction):
            return super()._format_action(action)
        return "".join(f"  {row.dest:<12}{row.help}\n" for row in action._choices_actions)


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints are UsageErrors, reported as all errors are, and whose options have no short forms."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{"formatter_class": _Formatter, "allow_abbrev": False, **settings})
        self.color = self.suggest_on_error = False  # as before Python 3.14 and 3.15, which have them on

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, remedy=f"See '{self.prog} --help'.")

    def _print_message(self, message: str, file: Any = None) -> None:
        (file or sys.stderr).write(message)  # argparse would suppress that nobody reads it


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that *argv* names (default: that of the process) and return its exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if argv is None and sys.platform == "win32":  # where no shell does it
        arguments = expanded(arguments)
    options = argparse.Namespace(verbosity=NORMAL)
    try:
        prepare()
        with signals_raise(_interruption):
            _parser(arguments).parse_args(arguments, options)
            status: int = options.run(options)
            sys.stdout.flush()
            return status
    except SystemExit as end:  # argparse, after --help and --version
        status = int(end.code or 0)
    except (Exception, KeyboardInterrupt, Interrupted) as error:  # the one place where they all end
        status = _status_of(error, verbose=options.verbosity >= VERBOSE)
    try:
        sys.stdout.flush()
    except (OSError, OutputError) as error:
        sys.stdout = io.StringIO()  # The interpreter would flush it once more at its end, and complain.
        status = status if status > exit_status.FINDINGS else _status_of(error, verbose=False)
    if any(thread.daemon and thread.name.startswith("samebytes-") for thread in threading.enumerate()):
        import tempfile

        tempfile.tempdir = os.devnull  # What threads made from now on would stay.
        atexit._run_exitfuncs()  # They remove temporary directories.
        os._exit(status)  # The interpreter itself would wait for the threads that are at work.
    return status


def expanded(arguments: Sequence[str]) -> list[str]:
    """Return *arguments* with patterns, such as ``dist/*``, replaced by the names that match, as POSIX shells do it.

    What is the name of a file, or matches none, stays as it is.
    """
    patterns = {each for each in arguments if set("*?[") & set(each) and each[0] != "-" and not os.path.lexists(each)}
    from glob import glob

    # Not Path.glob, which takes no absolute patterns, and gives hidden names.
    found = {each: sorted(glob(each)) for each in patterns}  # noqa: PTH207
    return [name for each in arguments for name in found.get(each) or [each]]


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line, with every command."""
    return _parser([])


def _status_of(error: BaseException, *, verbose: bool) -> int:
    """Report *error*, and return its exit status."""
    if isinstance(error, BrokenPipeError):
        return exit_status.BROKEN_PIPE
    if isinstance(error, KeyboardInterrupt):
        error = Interrupted("interrupted", remedy=_AFTER_A_SIGNAL)
    if isinstance(error, (SamebytesError, Interrupted)):
        return _fail(error)
    if verbose:
        import traceback

        traceback.print_exception(type(error), error, error.__traceback__)
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno in _SCARCE):
        return _fail(OutputError(f"this machine has no more of what the work needs: {error}", remedy=_MORE))
    if isinstance(error, OSError) or "Symlink loop" in str(error):  # that of pathlib before Python 3.13
        return _fail(UsageError(str(error), remedy="Check that path, and this directory; -v shows where it was used."))
    more = "" if verbose else ", with what the same command prints with -v"
    hint = f"This is a bug in samebytes. Please report it at {_ISSUES}{more}."
    lines = error_lines(f"{type(error).__name__}: {error}", hint, style_of(sys.stderr), "bug")
    print("\n".join(lines), file=sys.stderr)
    return exit_status.UNEXPECTED


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    top = _Parser(prog="samebytes", description=_DESCRIPTION, epilog=_EPILOG)
    top.add_argument(
        "--version", action="version", version=f"samebytes {__version__}", help="show the version and exit"
    )
    top.set_defaults(run=lambda _: _show_help(top))
    subparsers = top.add_subparsers(title="commands", metavar="COMMAND", dest="command")
    for add_parser in _definitions(arguments):
        add_parser(subparsers)
    absent = [name for name in COMMANDS if name not in subparsers.choices]
    if len(subparsers.choices) > 1 and absent:  # all commands are listed, and samebytes-tools is not installed
        top.epilog = f"with samebytes-tools ({INSTALL}):\n  {', '.join(absent)}\n\n{_EPILOG}"
    return top


def _definitions(arguments: Sequence[str]) -> Iterable[Callable[[Any], None]]:
    """Return what adds the command asked for to the parser; all commands where none is asked for.

    Without samebytes-tools, all commands are those of samebytes itself.
    """
    first = arguments[0] if arguments else ""
    if first == "--version":
        return ()
    if first in ("normalize", "doctor"):  # nothing else defines these: the entry points need not be looked up
        return (_own(first),)
    added = installed()
    if first and not first.startswith("-"):
        if first in added:
            return (added[first].load(),)
        if first not in COMMANDS:
            raise UsageError(f"there is no command {first!r}", remedy=suggestion(first, COMMANDS))
        if first not in _OWN:
            raise missing(f"samebytes {first}")
        return (_own(first),)
    names = dict.fromkeys((*COMMANDS, *sorted(added)))
    here = (name for name in names if name in added or name in _OWN)
    # Commands that share a module, as wrap and unwrap do, share the function too.
    return dict.fromkeys(added[name].load() if name in added else _own(name) for name in here)


def _own(name: str) -> Any:
    return import_module(f"samebytes.commands.{name}.command").add_parser


def _show_help(top: argparse.ArgumentParser) -> int:
    top.print_help(sys.stderr)
    return UsageError.exit_status


def _interruption(number: int) -> BaseException:
    if number == signal.SIGINT:
        return KeyboardInterrupt()
    error = Interrupted("terminated", remedy=_AFTER_A_SIGNAL)
    error.exit_status = exit_status.TERMINATED
    return error


def _fail(error: SamebytesError | Interrupted) -> int:
    print("\n".join(error_lines(error.message, error.remedy, style_of(sys.stderr))), file=sys.stderr)
    return error.exit_status
