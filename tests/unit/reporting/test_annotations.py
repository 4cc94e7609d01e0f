"""Annotations, taken back by what the runner does with a line of a log."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samebytes_tools.reporting.annotations import MOST, Annotation, lines
from support.comparisons import HOSTILE


def taken(line: str) -> tuple[str, dict[str, str], str]:
    """Return the command, its properties and its message, as the runner's documentation describes commands."""
    found = re.fullmatch(r"::([a-z]+)(?: (.*?))?::(.*)", line)
    assert found is not None, line
    pairs = [each.partition("=") for each in (found[2] or "").split(",")]
    return found[1], {name: back(value, "\r\n:,%") for name, _, value in pairs}, back(found[3], "\r\n%")


def back(text: str, signs: str) -> str:
    for sign in signs:
        text = text.replace(f"%{ord(sign):02X}", sign)
    return text


@given(st.text(st.sampled_from("%:,=\r\n 0123AD\x0b\u2028ab#[]"), max_size=30), st.text(max_size=30))
def test_no_text_makes_another_command_or_property(one: str, other: str) -> None:
    for title, file, message in ((one, other, one), (other, one, other)):
        line = Annotation("error", title, message, file).line()
        # Whatever splits lines, it is one.
        assert line.splitlines() == [line]
        command, properties, said = taken(line)
        assert command == "error"
        assert set(properties) <= {"file", "title", ""}
        assert all(char.isprintable() or char == "\n" for char in said)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [("100%", "100%25"), ("a\nb", "a%0Ab"), ("::set-env name=x::y", "\\x3a:set-env name=x::y"), ("%0A::x", "%250A::x")],
)
def test_what_is_escaped(text: str, escaped: str) -> None:
    assert Annotation("error", "t", text, "a,b:c").line() == f"::error file=a%2Cb%3Ac,title=t::{escaped}"


def test_hostile_names() -> None:
    line = Annotation("warning", HOSTILE, HOSTILE, HOSTILE).line()
    assert line.isprintable()
    assert taken(line)[0] == "warning"
    assert "<script>" in taken(line)[2]  # GitHub shows text, so it is no markup there


def test_more_than_github_shows_are_counted() -> None:
    every = [Annotation("error", f"t{number}", "m") for number in range(MOST + 5)]
    assert len(lines(every[:MOST])) == MOST
    shown = lines(every)
    assert len(shown) == MOST
    assert shown[-1] == "::error title=samebytes::6 more, which the report of this step has"
