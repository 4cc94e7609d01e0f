"""Bytes that differ, as text that is safe to show, with the part that differs apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from samebytes.console.style import harmless

from ..comparison.excerpts import shared
from ..comparison.model import Evidence

_ALIGNED = 16
"""How many words and signs two excerpts that end in different places have to share at the end of one."""


class Parted(NamedTuple):
    """One side of an evidence: what both sides begin with, what only this one has, what both have after that.

    An excerpt may end before the other's does, and then has less of the last.
    """

    before: str
    own: str
    after: str


def text_of(data: bytes) -> str:
    """Return *data* as text on one line, escaped where it is not printable."""
    return "".join(_pieces(data))


def parted(evidence: Evidence) -> tuple[Parted, Parted]:
    """Return both sides of *evidence* as text, parted where they differ, between words."""
    return _both(_words(_pieces(evidence.left)), _words(_pieces(evidence.right)))


def parted_lines(left: str, right: str) -> tuple[Parted, Parted]:
    """Return two lines of text, harmless, parted where they differ, between words."""
    return _both(*(_words(_no_commands([harmless(char) for char in line])) for line in (left, right)))


def _both(left: list[str], right: list[str]) -> tuple[Parted, Parted]:
    start = shared(left, right)
    # Of what is left after the beginning, or a word could count twice.
    end = shared(left[start:][::-1], right[start:][::-1])
    stops = (len(left) - end, len(right) - end) if end else _stops(left, right, start)
    return _parted(left, start, stops[0]), _parted(right, start, stops[1])


def _stops(left: list[str], right: list[str], start: int) -> tuple[int, int]:
    """Return where what both have after *start* begins at its longest, if it leads to the end of one; else the ends."""
    matcher = SequenceMatcher(None, left[start:], right[start:], autojunk=False)
    found = matcher.find_longest_match(0, len(left) - start, 0, len(right) - start)
    stops = start + found.a, start + found.b
    # The last word may be cut.
    reaches = stops[0] + found.size >= len(left) - 1 or stops[1] + found.size >= len(right) - 1
    return stops if reaches and found.size >= _ALIGNED else (len(left), len(right))


def is_shown(evidence: Evidence, detail: Sequence[str]) -> bool:
    """Return whether both sides of *evidence* stand in the lines of *detail* already."""
    # A line of a text ends where that of the detail does.
    sides = [text_of(side.rstrip(b"\n")) for side in (evidence.left, evidence.right)]
    return any(sides) and all(any(side in harmless(line) for line in detail) for side in sides)


def _words(pieces: Iterable[str]) -> list[str]:
    """Return *pieces* with words whole, all else character by character; no escape is ever cut."""
    words: list[str] = []
    inside = False
    for piece in pieces:
        if inside and piece.isalnum():
            words[-1] += piece
        else:
            words.append(piece)
        inside = piece.isalnum()
    return words


def _pieces(data: bytes) -> list[str]:
    """Return each character of *data* as it is shown, escaped as Python does where it is not printable.

    What is not UTF-8 as a whole is binary: accidental letters in it would only puzzle, so all but ASCII is escaped. A
    backslash stands for itself, so that Windows' paths can be read; whoever needs the very bytes has them in JSON.
    """
    try:
        return _no_commands([harmless(char) for char in data.decode("utf-8")])
    except UnicodeDecodeError:
        return _no_commands([harmless(chr(byte)) if byte < 0x80 else f"\\x{byte:02x}" for byte in data])


def _no_commands(pieces: list[str]) -> list[str]:
    """Return *pieces* with none that are a command to GitHub's runner together, wherever they stand in a line."""
    ends = [at for at in range(2, len(pieces)) if pieces[at] == "[" and pieces[at - 2] == pieces[at - 1] == "#"]
    for at in ends:
        pieces[at - 1] = "\\x23"
    return pieces


def _parted(pieces: list[str], start: int, stop: int) -> Parted:
    return Parted("".join(pieces[:start]), "".join(pieces[start:stop]), "".join(pieces[stop:]))
