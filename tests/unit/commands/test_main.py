"""What the command line does with errors, whatever the command."""

from __future__ import annotations

import argparse
import errno
import os
import signal
import subprocess
import sys
import threading

import pytest
from support.error_classes import CLASSES
from support.processes import modules_loaded_by

from samebytes import __version__, errors
from samebytes.commands import main as cli
from samebytes.console import exit_status


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Let ``samebytes doctor`` raise *error*."""

    def run(args: argparse.Namespace) -> int:
        raise error

    monkeypatch.setattr("samebytes.commands.doctor.command.run", run)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"samebytes {__version__}\n"


def test_no_command_shows_the_help_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "usage: samebytes" in err


def test_unknown_command_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["normalise"]) == 2
    assert capsys.readouterr().err.startswith(
        "samebytes: error: there is no command 'normalise'\n  hint: Did you mean 'normalize'?"
    )


@pytest.mark.parametrize("arguments", [["check"], ["check", "--wrong", "x"], ["doctor", "-v", "-q"], ["--wrong"]])
def test_parsers_complaints_are_errors_with_a_hint(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("samebytes: error: ")
    assert "--help'" in err


def test_complaints_have_the_same_words_under_every_python(capsys: pytest.CaptureFixture[str]) -> None:
    """But for quotation marks. argparse of Python 3.15 would add a guess."""
    assert cli.main(["normalize", "--deflate", "canonica", "x"]) == 2
    first = capsys.readouterr().err.replace("'", "").splitlines()[0]
    assert first == "samebytes: error: argument --deflate: invalid choice: canonica (choose from canonical, keep)"


def test_options_have_no_short_forms(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", "--js", "x"]) == 2
    assert "unrecognized arguments: --js" in capsys.readouterr().err


ERRORS = [error for name, error in CLASSES.items() if name != "SamebytesError"]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_every_error_has_its_exit_status(
    error: type[errors.SamebytesError], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(monkeypatch, error("It broke", remedy="Mend it."))
    assert cli.main(["doctor"]) == error.exit_status
    assert capsys.readouterr().err == "samebytes: error: It broke\n  hint: Mend it.\n"
    assert error.exit_status in exit_status.MEANINGS


def test_an_error_cannot_control_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(monkeypatch, errors.ArchiveError("a\x1b[2Jb\nc\u202e", remedy="\x07"))
    cli.main(["doctor"])
    assert capsys.readouterr().err == "samebytes: error: a\\x1b[2Jb\n    c\\u202e\n  hint: \\x07\n"


def test_an_error_in_colour(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    failing(monkeypatch, errors.UsageError("what", remedy="do"))
    cli.main(["doctor"])
    assert capsys.readouterr().err == "samebytes: \x1b[31;1merror\x1b[0m: what\n  \x1b[1mhint\x1b[0m: do\n"


def test_a_bug_is_short_and_says_where_to_report_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(monkeypatch, ZeroDivisionError("by zero"))
    assert cli.main(["doctor"]) == 70
    err = capsys.readouterr().err
    assert err.startswith("samebytes: bug: ZeroDivisionError: by zero\n")
    assert "/issues" in err
    assert "Traceback" not in err


def test_a_bug_has_its_traceback_with_v(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    failing(monkeypatch, ZeroDivisionError("by zero"))
    assert cli.main(["doctor", "-v"]) == 70
    assert "Traceback" in capsys.readouterr().err


def test_keyboard_interrupt(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    failing(monkeypatch, KeyboardInterrupt())
    assert cli.main(["doctor"]) == 130
    assert "interrupted" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals between processes")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_raise_once_and_are_put_back(
    number: signal.Signals, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cleaned = []

    def run(args: argparse.Namespace) -> int:
        try:
            os.kill(os.getpid(), number)
            raise AssertionError("the signal came too late")
        finally:
            os.kill(os.getpid(), number)  # the impatient user's second
            cleaned.append(True)

    usual = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
    inherited = signal.signal(number, usual)  # background jobs have SIGINT ignored
    monkeypatch.setattr("samebytes.commands.doctor.command.run", run)
    try:
        assert cli.main(["doctor"]) == status
        assert signal.getsignal(number) is usual
    finally:
        signal.signal(number, inherited)
    assert cleaned == [True]
    assert "Nothing is half written" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals between processes")
def test_what_a_signal_leads_to_is_the_signals_doing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As in threading.Condition.wait, where the lock to release is not held for a moment."""

    def run(args: argparse.Namespace) -> int:
        lock = threading.Lock()
        with lock:
            lock.release()
            os.kill(os.getpid(), signal.SIGTERM)
            raise AssertionError("the signal came too late")

    monkeypatch.setattr("samebytes.commands.doctor.command.run", run)
    assert cli.main(["doctor"]) == 143
    assert "terminated" in capsys.readouterr().err


class SignalingLock:
    """A lock of a ``Popen`` object that a signal follows each time it was taken to poll."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.locked, self.release = self._lock.locked, self._lock.release

    def acquire(self, blocking: bool = True) -> bool:
        taken = self._lock.acquire(blocking)
        os.kill(os.getpid(), signal.SIGTERM)
        return taken


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals between processes")
def test_a_signal_leaves_no_lock_that_waiting_takes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """``Popen.wait`` with a timeout takes it before its try block; the next call would wait for it for ever."""
    locks = []

    def run(args: argparse.Namespace) -> int:
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
            usual, lock = vars(process)["_waitpid_lock"], SignalingLock()
            locks.append(lock)
            vars(process)["_waitpid_lock"] = lock
            try:
                process.wait(600)
            finally:
                vars(process)["_waitpid_lock"] = usual
        return 0

    monkeypatch.setattr("samebytes.commands.doctor.command.run", run)
    assert cli.main(["doctor"]) == 143
    assert not locks[0].locked()


def test_full_disk_behind_stdout_is_an_output_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(monkeypatch, OSError(errno.ENOSPC, "No space left on device"))
    assert cli.main(["doctor"]) == 8
    assert "No space left" in capsys.readouterr().err


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")  # noqa: PTH110
def test_stdout_on_a_full_disk() -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        done = subprocess.run(
            [sys.executable, "-m", "samebytes", "doctor"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 8
    assert done.stderr.startswith("samebytes: error: the output cannot be written")
    assert "Exception ignored" not in done.stderr


def test_broken_pipe_is_silent() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "samebytes", "doctor"], stdout=write, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


def test_output_that_the_encoding_cannot_say() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "samebytes", "check", "fehlt-\u00fc.whl"],
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "1"},
        stderr=subprocess.PIPE,
        check=False,
    )
    assert done.returncode == 2
    assert b"fehlt-\\xfc.whl" in done.stderr


def test_the_version_is_had_without_importing_what_only_commands_need() -> None:
    loaded = modules_loaded_by("import samebytes.commands.main as c; c.main(['check', '--help'])")
    assert "samebytes_tools.commands.check.command" in loaded
    assert not loaded & {
        "samebytes.commands.normalize.normalize",
        "samebytes_tools.commands.reproducible_build.command",
        "concurrent.futures",
        *(() if sys.version_info[:2] == (3, 14) else ("dataclasses",)),  # argparse loads it there, for its colours
        *(() if sys.version_info >= (3, 12) else ("json",)),  # since then importlib.metadata loads it
    }
