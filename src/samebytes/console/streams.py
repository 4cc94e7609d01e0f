"""The streams that a command writes to: whether they take colour, how wide they are, and progress on stderr."""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Any, TextIO

from ..errors import OutputError
from .style import Style, harmless, shortened

_CLEAR_LINE = "\r\x1b[K"


def style_of(stream: TextIO, environ: Mapping[str, str] = os.environ) -> Style:
    """Return how to write to *stream*."""
    return Style(colour=wants_colour(stream, environ), width=width_of(stream, environ))


def wants_colour(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Return whether *stream* gets colours: NO_COLOR forbids, FORCE_COLOR demands, else terminals that can do it do.

    Both count only if they are not empty (https://no-color.org, https://force-color.org); NO_COLOR is the stronger.
    """
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and _understands_escapes(environ)


def width_of(stream: TextIO, environ: Mapping[str, str]) -> int:
    """Return the columns of *stream*; 80 where it has none."""
    columns = environ.get("COLUMNS", "")
    if columns.isascii() and columns.isdigit() and int(columns) > 0:
        return int(columns)
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80  # 0: a pseudo-terminal that was given no size
    except (OSError, ValueError, AttributeError):  # no terminal; closed; no descriptor, or no stream at all
        return 80


def prepare() -> None:
    """Make the standard streams ones that can be used, whatever the process was started with.

    A closed descriptor leads to nothing: the next file that is opened would get its number, and all that is printed.
    What an encoding cannot represent is escaped. A failure to write standard output raises OutputError or
    BrokenPipeError; one to write standard error is no failure.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    sys.stdin = sys.stdin or io.TextIOWrapper(io.FileIO(0, closefd=False), encoding="utf-8")
    sys.stdout, sys.stderr = _writable(sys.stdout, 1), _writable(sys.stderr, 2)


def _writable(stream: TextIO | None, number: int) -> TextIO:
    buffer = getattr(stream, "buffer", None)
    if stream is None or (type(getattr(buffer, "raw", buffer)) is io.FileIO and stream.fileno() == number):
        raw = _Descriptor(number, "w", closefd=False)
        is_watched = number == 2 or raw.isatty() or getattr(stream, "write_through", False)  # the last by "python -u"
        encoding = stream.encoding if stream is not None else "utf-8"
        stream = io.TextIOWrapper(io.BufferedWriter(raw), encoding, line_buffering=is_watched)
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")  # a name in an archive must not end the report about it
    return stream


class _Descriptor(io.FileIO):
    """A descriptor that is written to: standard output must be, standard error only if it can be."""

    _failed = False

    def write(self, data: Any) -> int:
        if self._failed:  # It was reported. What is still buffered is flushed once more when the stream is deleted.
            return len(data)
        try:
            while (written := super().write(data)) is None:  # made not to block by another program
                select.select((), (self,), ())
        except OSError as error:
            if self.fileno() == 2:
                return len(data)
            self._failed = True
            if isinstance(error, BrokenPipeError) or (os.name == "nt" and error.errno == errno.EINVAL):
                raise BrokenPipeError from None  # the latter is what Windows' C library says of a pipe without a reader
            remedy = "Is there room where it goes, and may it be written to?"
            raise OutputError(f"the output cannot be written: {error.strerror}", remedy=remedy) from None
        return written


class Progress:
    """What is being done now, on stderr: one line rewritten on a terminal; elsewhere a plain line for each step.

    :meth:`show` is for what changes often, and is silent where there is no terminal.
    """

    def __init__(self, stream: TextIO, environ: Mapping[str, str] = os.environ, *, quiet: bool = False) -> None:
        self._stream = stream
        self._quiet = quiet
        self._live = stream.isatty() and _understands_escapes(environ)
        self._width = width_of(stream, environ)
        self._shown = False

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clear()

    def show(self, text: str) -> None:
        """Replace the line on a terminal."""
        if self._live and not self._quiet:
            # One column is left free: some terminals wrap as soon as the last one is written to.
            self._stream.write(_CLEAR_LINE + shortened(harmless(text), self._width - 1))
            self._stream.flush()
            self._shown = True

    def step(self, text: str) -> None:
        """Report that a new step begins."""
        if self._live:
            self.show(text)
        elif not self._quiet:
            self._stream.write(f"{harmless(text)}\n")
            self._stream.flush()

    def clear(self) -> None:
        """Take the line away, before anything else is written to the terminal."""
        if self._shown:
            self._stream.write(_CLEAR_LINE)
            self._stream.flush()
            self._shown = False


def _understands_escapes(environ: Mapping[str, str]) -> bool:
    if environ.get("TERM") == "dumb":
        return False
    # The classic Windows console shows escapes as garbage unless it is switched over; Windows Terminal does not.
    return sys.platform != "win32" or "WT_SESSION" in environ or "TERM" in environ
