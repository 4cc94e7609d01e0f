"""Where two pieces part, and what of them is shown as evidence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

EXCERPT = 160
"""Bytes of evidence on each side, at the most."""

_BLOCK = 4096


def shared(left: Sequence[Any], right: Sequence[Any]) -> int:
    """Return how many items, such as bytes or lines, both begin with."""
    shortest = min(len(left), len(right))
    at = 0
    # Whole blocks first: item by item, a text of megabytes would take seconds.
    while at < shortest and left[at : at + _BLOCK] == right[at : at + _BLOCK]:
        at += _BLOCK
    return next((place for place in range(at, shortest) if left[place] != right[place]), shortest)


def narrowed(left: bytes, right: bytes, around: int) -> tuple[bytes, bytes]:
    """Return both without what they share at the beginning and at the end, but for *around* bytes of it."""
    begin = shared(left, right)
    # No byte counts for both ends, as it would in b"aa" and b"aaa".
    end = min(shared(left[::-1], right[::-1]), min(len(left), len(right)) - begin)
    begin, end = max(0, begin - around), max(0, end - around)
    return left[begin : len(left) - end], right[begin : len(right) - end]


def excerpts(left: bytes, right: bytes) -> tuple[bytes, bytes]:
    """Return what fits into evidence, with a little of what both share before the first difference."""
    if max(len(left), len(right)) <= EXCERPT:
        return left, right
    # More after the difference than before: what follows shows what it is.
    begin = max(0, shared(left, right) - EXCERPT // 4)
    return left[begin : begin + EXCERPT], right[begin : begin + EXCERPT]
