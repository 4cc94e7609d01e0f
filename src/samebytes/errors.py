"""Every error that samebytes raises on purpose, each with the exit status that the command line gives it.

An error says what is wrong, where, and what to do next: ``message`` holds the first two, ``remedy`` the third.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import Any


class _Explained(BaseException):
    """What the command line reports in two lines."""

    exit_status = 2

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}\n  {self.remedy}" if self.remedy else self.message

    def described(self) -> dict[str, object]:
        """Return what JSON documents have of an error: ``$defs/error`` in their schemas."""
        return {
            "class": type(self).__name__,
            "message": self.message,
            "remedy": self.remedy,
            "exit_status": self.exit_status,
        }


class SamebytesError(_Explained, Exception):
    """The root of all errors that are the user's to fix; never raised itself."""


def suggestion(word: str, known: tuple[str, ...]) -> str:
    """Return the remedy for *word*, which is none of *known*: the nearest of them, if it resembles one, and all."""
    from difflib import get_close_matches

    folded = {name.lower(): name for name in known}  # UMASK has no letter of umask, and means it
    close = get_close_matches(word.lower(), folded, n=1)
    guess = f"Did you mean {folded[close[0]]!r}? " if close else ""
    return f"{guess}Known are: {', '.join(known)}."


class UsageError(SamebytesError):
    """The command line does not make sense."""


class ConfigError(SamebytesError):
    """``pyproject.toml``, ``[tool.samebytes]`` or SOURCE_DATE_EPOCH is missing, malformed or contradicts itself."""

    exit_status = 3


class ArchiveError(SamebytesError):
    """An input is not an archive of a supported kind, is truncated, or lies about its contents."""

    exit_status = 4


class HostileArchiveError(ArchiveError):
    """An input does what no honest archive does: escapes, overlaps, bombs, contradictions."""


class RecordError(SamebytesError):
    """RECORD is missing or does not agree with the files of its wheel."""

    exit_status = 5


class SignatureError(SamebytesError):
    """A signature or attestation is invalid, or rewriting would break it."""

    exit_status = 6


class BackendError(SamebytesError):
    """The inner backend is missing, failed, or did not keep to PEP 517."""

    exit_status = 7


class OutputError(SamebytesError):
    """A result could not be written; the target is as it was."""

    exit_status = 8


class MissingExtraError(SamebytesError, ImportError):  # "from samebytes import compare" may be tried
    """What is asked for needs a distribution that is not installed: samebytes-tools, or one that an extra brings."""

    exit_status = 9


class EncoderError(SamebytesError):
    """Two encoders of the canonical deflate stream disagree; nothing was written."""

    exit_status = 11


class IndexFailure(SamebytesError):
    """The package index cannot be reached, or what it sends cannot be understood."""

    exit_status = 12


class StoreError(SamebytesError):
    """The store of a survey is damaged, of another program or a newer version, or cannot be written."""

    exit_status = 13


class ClusterError(SamebytesError):
    """The cluster that was to do the work cannot be reached, or was lost."""

    exit_status = 14


class Interrupted(_Explained):
    """A signal ended the work; nothing is half written. No Exception: whatever reports those and goes on is to end."""

    exit_status = 130


@contextmanager
def signals_raise(error_of: Callable[[int], BaseException]) -> Iterator[None]:
    """Let SIGINT, SIGTERM and SIGHUP raise for a while, once; later ones could interrupt the first one's cleaning up.

    Handlers that others have set stay, and what is ignored remains so, as under nohup and in the background.

    :param error_of: returns what a signal raises; whatever error that leads to in the end, it is this one that is seen.
    """
    import os
    import signal
    import sys
    import threading

    raised: dict[int, BaseException] = {}

    def once_more(number: int) -> None:
        # os.kill interrupts what the main thread waits for, as raise_signal in a thread does not. On Windows it would
        # end the process.
        send = signal.raise_signal if sys.platform == "win32" else partial(os.kill, os.getpid())
        threading.Timer(0.01, lambda: raised or send(number)).start()  # not if another was faster, whose error is seen

    def interrupt(number: int, frame: FrameType | None) -> None:
        if not raised and _is_divisible(frame):
            raise raised.setdefault(number, error_of(number))
        if not raised:
            once_more(number)

    def unraisable(what: Any) -> None:
        if what.exc_value in raised.values():  # raised in a __del__ method, which Python lets nothing out of
            once_more(raised.popitem()[0])
        else:
            report(what)

    here = threading.current_thread() is threading.main_thread()  # no other may set handlers (signal.signal)
    gone = getattr(signal, "SIGHUP", getattr(signal, "SIGBREAK", 0))  # Windows sends this where its console is closed
    numbers = {signal.SIGINT, signal.SIGTERM, gone} if here else set()
    usual, report = (signal.SIG_DFL, signal.default_int_handler), sys.unraisablehook
    before = {number: signal.getsignal(number) for number in numbers if signal.getsignal(number) in usual}
    try:
        for number in before:
            signal.signal(number, interrupt)
        sys.unraisablehook = unraisable
        yield
    except Exception:
        # Inside of threading.Condition.wait, a signal ends in RuntimeError: the lock to release is not held just then.
        for error in raised.values():
            raise error from None
        raise
    finally:
        sys.unraisablehook = report
        for number, handler in before.items():
            signal.signal(number, handler)


_UNDIVIDED = ("tempfile.", "subprocess.__init__", "subprocess._internal_poll", f"{__name__}.unraisable")
"""Where a process or file is made that nobody knows of yet, a lock would be held for ever, or nothing can be raised."""


def _is_divisible(frame: FrameType | None) -> bool:
    """Return whether a signal may raise in *frame*: not below _UNDIVIDED, nor where ``wait`` has its lock to poll."""
    while frame:
        name = f"{frame.f_globals.get('__name__')}.{frame.f_code.co_name}"
        waits = frame.f_locals if name == "subprocess._wait" else {}
        if name.startswith(_UNDIVIDED) or (waits.get("timeout") is not None and waits["self"]._waitpid_lock.locked()):
            return False
        frame = frame.f_back
    return True
