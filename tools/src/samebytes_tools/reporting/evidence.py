"""Bytes that differ, as text that is safe to show, with the part that differs apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from samebytes.console.style import harmless

from ..comparison.excerpts import shared
from ..comparison.model import Evidence


class Parted(NamedTuple):
    """One side of an evidence: what both sides begin with, what only this one has, what both end with."""

    before: str
    own: str
    after: str


def text_of(data: bytes) -> str:
    """Return *data* as text on one line, escaped where it is not printable."""
    return "".join(_pieces(data))


def parted(evidence: Evidence) -> tuple[Parted, Parted]:
    """Return both sides of *evidence* as text, parted where they differ, between words."""
    left, right = _words(evidence.left), _words(evidence.right)
    start = shared(left, right)
    # Of what is left after the beginning, or a word could count twice.
    end = shared(left[start:][::-1], right[start:][::-1])
    return _parted(left, start, end), _parted(right, start, end)


def is_shown(evidence: Evidence, detail: Sequence[str]) -> bool:
    """Return whether both sides of *evidence* stand in the lines of *detail* already."""
    # A line of a text ends where that of the detail does.
    sides = [text_of(side.rstrip(b"\n")) for side in (evidence.left, evidence.right)]
    return any(sides) and all(any(side in harmless(line) for line in detail) for side in sides)


def _words(data: bytes) -> list[str]:
    """Return *data* as it is shown: words whole, all else character by character; no escape is ever cut."""
    words: list[str] = []
    inside = False
    for piece in _pieces(data):
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
        return [harmless(char) for char in data.decode("utf-8")]
    except UnicodeDecodeError:
        return [harmless(chr(byte)) if byte < 0x80 else f"\\x{byte:02x}" for byte in data]


def _parted(pieces: list[str], start: int, end: int) -> Parted:
    stop = len(pieces) - end
    return Parted("".join(pieces[:start]), "".join(pieces[start:stop]), "".join(pieces[stop:]))
