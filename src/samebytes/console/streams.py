"""The streams that a command writes to: whether they take colour, how wide they are, and progress on stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from types import TracebackType
from typing import TextIO

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
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError, AttributeError):
        return 80


def forgive_encodings() -> None:
    """Escape what the streams' encodings cannot represent, rather than fail with a UnicodeEncodeError."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


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
