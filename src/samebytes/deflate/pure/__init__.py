"""A deflate encoder in plain Python that gives, bit for bit, what stock zlib gives (releases 1.2.8 to 1.3.1).

RFC 1951 says what a deflate stream means, not how to find one: the same contents have endlessly many streams. Which
one zlib takes follows from choices that it has kept for decades (RFC 1951 section 4 sketches them, zlib's own notes in
``doc/algorithm.txt`` explain them). Here they are made again, for the one setting that samebytes needs: level 6,
memLevel 8, default strategy, raw, with or without a preset dictionary. The stages, each in its own file:

- ``chains``: for each position, the earlier ones with the same hash of three bytes;
- ``parse``: literals, and the matches that zlib takes among them, once it has seen whether the next position has a
  longer one;
- ``blocks``: how these symbols are cut into blocks, and whether a block is stored, fixed or dynamic;
- ``huffman``: the lengths of the codes, with the order in which zlib breaks ties;
- ``rfc1951``: the alphabets of RFC 1951, and how bits become bytes.

Nothing here uses any zlib, whose bytes are what it stands in for.
"""

from __future__ import annotations

from .blocks import cut, write_block, write_marker
from .parse import parse
from .rfc1951 import WINDOW_SIZE, BitWriter


def encode_segment(segment: bytes, window: bytes, last: bool) -> bytes:
    """Return the part of a raw deflate stream that stands for *segment*, where *window* is what comes before it.

    Only the last 32768 bytes of *window* count. With *last* the stream is finished; otherwise the part ends with one
    sync marker, on a byte, so that parts can be joined. It is what zlib gives for the segment in one call and then
    Z_FINISH, or Z_BLOCK and Z_SYNC_FLUSH. Before such a flush zlib holds the last 261 bytes back, as more might follow
    them; it decides nothing about them until then, and resumes where it was, so the two steps are as good as one.
    """
    data = window[-WINDOW_SIZE:] + segment
    start = len(data) - len(segment)
    writer = BitWriter()
    for symbols, final in cut(parse(data, start), last):
        start = write_block(writer, symbols, data, start, final)
    if not last:
        write_marker(writer)
    return writer.result()
