from __future__ import annotations

import io
import sys

import pytest

from samebytes.console.streams import Progress, style_of, wants_colour, width_of
from samebytes.console.style import Style


class Screen(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


TERM = {"TERM": "xterm"}


@pytest.mark.parametrize(
    ("stream", "environ", "wanted"),
    [
        (Screen(), TERM, True),
        (Screen(), {"TERM": "dumb"}, False),
        (Screen(), {**TERM, "NO_COLOR": "1"}, False),
        (Screen(), {**TERM, "NO_COLOR": ""}, True),
        (Screen(), {**TERM, "NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        (io.StringIO(), TERM, False),
        (io.StringIO(), {"FORCE_COLOR": "1"}, True),
        (io.StringIO(), {"FORCE_COLOR": ""}, False),
    ],
)
def test_colour(stream: io.StringIO, environ: dict[str, str], wanted: bool) -> None:
    assert wants_colour(stream, environ) is wanted


def test_width() -> None:
    assert width_of(io.StringIO(), {}) == 80
    assert width_of(io.StringIO(), {"COLUMNS": "132"}) == 132
    assert width_of(io.StringIO(), {"COLUMNS": "wide"}) == 80
    assert width_of(io.StringIO(), {"COLUMNS": "0"}) == 80


def test_style_of_a_pipe_is_plain() -> None:
    assert style_of(io.StringIO(), {}) == Style(colour=False, width=80)


def test_progress_on_a_terminal_is_one_line_that_goes_away() -> None:
    screen = Screen()
    with Progress(screen, {**TERM, "COLUMNS": "20"}) as progress:
        progress.show("one")
        progress.step("two\x1b")
        progress.show("a text that is longer than the line")
    lines = screen.getvalue().split("\r\x1b[K")
    assert lines == ["", "one", "two\\x1b", "a text t...the line", ""]
    assert max(map(len, lines)) == 19


def test_progress_elsewhere_is_plain_lines_for_steps() -> None:
    pipe = io.StringIO()
    with Progress(pipe, TERM) as progress:
        progress.show("detail")
        progress.step("step")
    assert pipe.getvalue() == "step\n"


@pytest.mark.parametrize("stream", [Screen(), io.StringIO()])
def test_quiet_progress_is_silent(stream: io.StringIO) -> None:
    with Progress(stream, TERM, quiet=True) as progress:
        progress.show("detail")
        progress.step("step")
    assert stream.getvalue() == ""


@pytest.mark.skipif(sys.platform == "win32", reason="tells of other platforms")
def test_escapes_are_for_windows_terminal_only_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert wants_colour(Screen(), {}) is False
    assert wants_colour(Screen(), {"WT_SESSION": "x"}) is True
