"""Binary files, by the texts in them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher

from ..archive.entry import Content
from .causes import UNKNOWN
from .clues import Clues, codes, findings_of
from .model import Difference, Finding, Kind
from .text import reduced

__all__ = ["SHORTEST", "compare_lists", "strings"]

SHORTEST = 5
"""How many printable characters in a row are a text."""

LONGEST = 4096
"""Longer ones are cut into pieces of this length."""

MOST = 200_000
"""How many texts of one file are compared."""

_SHOWN = 60
_TEXT = re.compile(rb"[\t\x20-\x7e\x80-\xf4]{%d,%d}" % (SHORTEST, LONGEST))


def strings(content: Content) -> Iterator[bytes]:
    """Give the texts in *content*, in its order; it is streamed.

    :raises ArchiveError: if it cannot be read.
    """
    tail = b""
    for chunk in content.chunks():
        data = tail + chunk
        keep = data[-1:] and _TEXT_END.search(data)
        tail = data[keep.start() :] if keep and len(data) - keep.start() < LONGEST else b""
        yield from of(data[: len(data) - len(tail)])
    yield from of(tail)


_TEXT_END = re.compile(rb"[\t\x20-\x7e\x80-\xf4]+\Z")


def of(data: bytes) -> Iterator[bytes]:
    """Give the texts in *data*."""
    for match in _TEXT.finditer(data):
        text = match[0]
        if _is_likely(text):
            yield text


def _is_likely(text: bytes) -> bool:
    """Tell whether *text* is one, and not bytes that happen to be printable: UTF-8, and mostly letters or paths."""
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return sum(byte in _USUAL for byte in text) * 4 >= len(text) * 3


_USUAL = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 /._-:+=,") | frozenset(
    range(0x80, 0xF5)
)


def compare_lists(
    name: str, left: Sequence[bytes], right: Sequence[bytes], where: str, clues: Clues
) -> Difference | None:
    """Return how two lists of texts differ, or None if they are the same; *where* is for the evidence."""
    if left == right:
        return None
    gone, come = _different(left, right)
    if not gone and not come:
        return None
    findings: list[Finding] = []
    pairs, rest = _matched(gone, come)
    for one, other in pairs:
        findings += findings_of(codes(one, other, clues), one, other, where)
    for one, other in rest:
        findings += findings_of((UNKNOWN,), one, other, where)
    detail = [f"-{_shown(text)}" for text in gone[:_SHOWN]] + [f"+{_shown(text)}" for text in come[:_SHOWN]]
    summary = f"{len(gone)} and {len(come)} texts only on one side"
    return Difference(name, Kind.STRINGS, summary, tuple(detail), reduced(findings))


def _different(left: Iterable[bytes], right: Iterable[bytes]) -> tuple[list[bytes], list[bytes]]:
    one, other = Counter(left), Counter(right)
    return list((one - other).elements())[:MOST], list((other - one).elements())[:MOST]


def _matched(
    gone: Sequence[bytes], come: Sequence[bytes]
) -> tuple[list[tuple[bytes, bytes]], list[tuple[bytes, bytes]]]:
    """Return the texts that stand for each other, and those that have none; both in order."""
    if len(gone) == len(come):
        return list(zip(gone, come)), []
    pairs: list[tuple[bytes, bytes]] = []
    rest: list[tuple[bytes, bytes]] = []
    free = list(come[:500])
    for text in gone[:500]:
        best = max(free, key=lambda other: _likeness(text, other), default=None)
        if best is not None and _likeness(text, best) > 0.3:
            free.remove(best)
            pairs.append((text, best))
        else:
            rest.append((text, b""))
    return pairs, [*rest, *((b"", text) for text in free)]


def _likeness(left: bytes, right: bytes) -> float:
    matcher = SequenceMatcher(None, left[:200], right[:200], autojunk=False)
    return matcher.real_quick_ratio() and matcher.quick_ratio()


def _shown(text: bytes) -> str:
    shown = text[:300].decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in shown)
