"""What is neither text nor of a known format: a window of bytes at the first difference."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from samebytes.archive.entry import Content

from ..causes.cause import NO_CLUES, CauseClues
from ..causes.table import explain
from ..excerpts import shared
from ..model import Difference, NodeKind
from ..observations import Window

__all__ = ["compare"]

_ROW = 16
_ROWS = 4


def compare(name: str, left: Content, right: Content, clues: CauseClues = NO_CLUES, more: str = "") -> Difference:
    """Return where the different contents of member *name* part; both are streamed, whatever their size.

    :param more: what to add to the place of the first difference
    :raises ArchiveError: if contents cannot be read.
    """
    at = _first_difference(left, right)
    begin = at - at % _ROW
    one, other = _window(left, begin), _window(right, begin)
    sizes = "" if left.size == right.size else f"{left.size} and {right.size} bytes; they "
    summary = f"{sizes or 'bytes '}differ from offset 0x{at:x} on"
    is_all = left.size == right.size and not more and _is_equal_from(begin + len(one), left, right)
    findings = explain(Window(one, other, is_all), f"offset 0x{at:x}{more}", clues)
    return Difference(name, NodeKind.HEX, summary, (*_rows("-", begin, one), *_rows("+", begin, other)), findings)


def _first_difference(left: Content, right: Content) -> int:
    """Return the offset of the first difference; where one side ends, if that is all."""
    streams = _Stream(left), _Stream(right)
    at = 0
    while True:
        one, other = streams[0].peek(), streams[1].peek()
        size = min(len(one), len(other))
        # Whole chunks are compared; only one that differs is searched byte by byte.
        if not size or one[:size] != other[:size]:
            return at + shared(one, other)
        streams[0].skip(size)
        streams[1].skip(size)
        at += size


def _is_equal_from(offset: int, left: Content, right: Content) -> bool:
    """Return whether two contents of one size are the same from *offset* on."""
    states = []
    for content in (left, right):
        state, at = hashlib.sha256(), 0
        for chunk in content.chunks():
            state.update(chunk[max(0, offset - at) :])
            at += len(chunk)
        states.append(state.digest())
    return states[0] == states[1]


class _Stream:
    """Contents read forward, some bytes at a time."""

    def __init__(self, content: Content) -> None:
        self._chunks = content.chunks()
        self._held = b""

    def peek(self) -> bytes:
        while not self._held:
            chunk = next(self._chunks, None)
            if chunk is None:
                return b""
            self._held = chunk
        return self._held

    def skip(self, size: int) -> None:
        self._held = self._held[size:]


def _window(content: Content, begin: int) -> bytes:
    """Return the bytes of a few rows from *begin* on."""
    window = b""
    at = 0
    for chunk in content.chunks():
        if at + len(chunk) > begin:
            window += chunk[max(0, begin - at) :]
            if len(window) >= _ROW * _ROWS:
                break
        at += len(chunk)
    return window[: _ROW * _ROWS]


def _rows(sign: str, begin: int, data: bytes) -> Iterator[str]:
    for offset in range(0, len(data), _ROW):
        row = data[offset : offset + _ROW]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        yield f"{sign}{begin + offset:08x}  {row.hex(' ', -2):<39}  {text}"
