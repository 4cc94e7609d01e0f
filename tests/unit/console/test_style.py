from __future__ import annotations

import pytest

from samebytes.console.style import PLAIN, Style, error_lines, harmless, indented, shortened


def test_plain_style_adds_nothing() -> None:
    assert [paint("x") for paint in (PLAIN.bold, PLAIN.dim, PLAIN.good, PLAIN.notable, PLAIN.bad)] == ["x"] * 5


def test_colours_end_where_the_text_does() -> None:
    style = Style(colour=True)
    for paint in (style.bold, style.dim, style.good, style.notable, style.bad):
        assert paint("x").startswith("\x1b[")
        assert paint("x").endswith("mx\x1b[0m")
        assert paint("") == ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("grün.py", "grün.py"),
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("a\nb\r", "a\\nb\\r"),
        ("\u202egnp.py", "\\u202egnp.py"),
        ("\udcff", "\\udcff"),
        ("\u2028", "\\u2028"),
    ],
)
def test_harmless(text: str, shown: str) -> None:
    assert harmless(text) == shown


def test_indented_keeps_lines() -> None:
    assert indented("a\n  b\x07") == "a\n    b\\x07"


def test_error_lines_without_a_remedy() -> None:
    assert error_lines("what", "", PLAIN) == ["samebytes: error: what"]


@pytest.mark.parametrize("width", range(12))
def test_shortened_never_is_longer_than_asked(width: int) -> None:
    text = "0123456789"
    assert len(shortened(text, width)) == min(width, 10)


def test_shortened_keeps_both_ends() -> None:
    assert shortened("normalizing something-1.0.whl", 16) == "normal...1.0.whl"
