"""The canonical deflate stream: the one compressed form that samebytes gives any contents.

It is what stock zlib emits, raw (RFC 1951), at level 6, memLevel 8 and the default strategy, for the contents cut into
segments of 1 MiB. Each segment is compressed alone, primed with the 32 KiB before it, and ends in exactly one sync
flush (an empty stored block); the last one is finished instead. Together the segments are one ordinary stream. They
may be compressed side by side and by whatever zlib or encoder gives these very bytes: nobody sees it in the result.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

SEGMENT_SIZE = 1 << 20
"""Bytes of contents in each segment but the last, which has 1 to SEGMENT_SIZE of them (none for no contents)."""

WINDOW_SIZE = 1 << 15
"""How many bytes before a segment prime its compression: all that deflate can refer back to."""

LEVEL = 6
MEM_LEVEL = 8


def compress(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Give the canonical stream of *chunks*, a segment at a time; how they are cut has no influence on it.

    Holds a few segments in memory, whatever the size of the contents.
    """
    window = b""
    for segment, last in _segments(chunks):
        yield compress_segment(segment, window, last)
        window = segment[-WINDOW_SIZE:]


def compress_segment(segment: bytes, window: bytes, last: bool) -> bytes:
    """Return the part of the stream that stands for *segment*, where *window* is the WINDOW_SIZE bytes before it."""
    compressor = _compressor(window)
    head = compressor.compress(segment)
    if last:
        return head + compressor.flush(zlib.Z_FINISH)
    # The block is ended first, the sync marker comes second and alone: zlib repeats the marker when it exactly fills
    # the caller's buffer, and where that happens would depend on how Python sizes its buffers.
    return head + compressor.flush(zlib.Z_BLOCK) + compressor.flush(zlib.Z_SYNC_FLUSH)


def _compressor(window: bytes) -> zlib._Compress:
    if window:
        return zlib.compressobj(LEVEL, zlib.DEFLATED, -15, MEM_LEVEL, zlib.Z_DEFAULT_STRATEGY, window)
    return zlib.compressobj(LEVEL, zlib.DEFLATED, -15, MEM_LEVEL, zlib.Z_DEFAULT_STRATEGY)


def _segments(chunks: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Cut *chunks* anew into segments, and tell which is the last: a full one is held back until more follows it."""
    pending = bytearray()
    for chunk in chunks:
        rest = memoryview(chunk)
        while rest:
            if len(pending) == SEGMENT_SIZE:
                yield bytes(pending), False
                pending.clear()
            taken = rest[: SEGMENT_SIZE - len(pending)]
            pending += taken
            rest = rest[len(taken) :]
    yield bytes(pending), True
