"""Annotations: what GitHub shows beside a workflow's files and above its log, as commands to the runner in that log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from samebytes.console.style import harmless, shortened

MOST = 10
"""How many of one level GitHub shows for a step."""

_MOST_CHARACTERS = 1000
"""Of a message; GitHub takes up to 4 KiB."""

_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_DATA, ":": "%3A", ",": "%2C"}
"""What the runner takes back: "%" first, as it is in all the others."""


class Annotation(NamedTuple):
    """One of them."""

    level: str
    """``"error"``, ``"warning"`` or ``"notice"``."""
    title: str
    message: str
    """Line breaks are shown as such."""
    file: str = ""
    """Relative to the checkout, with slashes."""

    def line(self) -> str:
        """Return the command to the runner, on one line, with nothing in it that could be another."""
        message = "\n".join(harmless(shortened(line, _MOST_CHARACTERS)) for line in self.message.splitlines())
        properties = {"file": harmless(self.file), "title": harmless(self.title)}
        given = ",".join(f"{name}={_escaped(value, _PROPERTY)}" for name, value in properties.items() if value)
        return f"::{self.level} {given}::{_escaped(message, _DATA)}"


def lines(annotations: Sequence[Annotation]) -> list[str]:
    """Return the commands for *annotations*; in place of those that GitHub would not show, how many these are."""
    if len(annotations) <= MOST:
        return [each.line() for each in annotations]
    shown, more = annotations[: MOST - 1], len(annotations) - MOST + 1
    last = Annotation(annotations[0].level, "samebytes", f"{more:,} more, which the report of this step has")
    return [each.line() for each in [*shown, last]]


def _escaped(text: str, signs: dict[str, str]) -> str:
    for sign, instead in signs.items():
        text = text.replace(sign, instead)
    return text
