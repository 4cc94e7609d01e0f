"""Binary files, by the texts in them."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from itertools import islice, zip_longest
from typing import NamedTuple

from samebytes.archive.entry import CHUNK_SIZE, Content

from ..causes.cause import CauseClues
from ..causes.table import UNKNOWN, explain, reduced
from ..excerpts import narrowed
from ..members import MemberPair
from ..model import Difference, Finding, NodeKind
from ..observations import TextPair, Unexplained
from . import hexwindow

__all__ = ["MOST_SHOWN", "SHORTEST", "beside", "compare_lists", "look", "of", "places", "read"]

LARGEST = 256 << 20
"""Bytes of a binary file whose texts are listed."""

SHORTEST = 5
"""How many printable characters in a row are a text."""

LONGEST = 4096
"""Longer ones are cut into pieces of this length."""

MOST = 100_000
"""How many texts of one file or section are compared."""

MOST_BYTES = 16 << 20
"""How long all texts of one file may be together."""

MOST_SHOWN = 60
"""How many texts of each side a node has in its detail."""
_MOST_ALIKE = 40
"""Of how many texts on each side the likeness to each other is tried: each with each."""
_MATCHED = 1024
"""Bytes of texts that cost as much to be matched as one pair to be looked at for causes."""
_MOST_WAYS = 300
"""How many ways in which texts differ are looked at for causes."""

_PRINTABLE = b"\t" + bytes(range(0x20, 0x7F)) + bytes(range(0x80, 0xF5))
"""Printable ASCII, tabs, and all bytes that UTF-8 has beyond ASCII."""
# bytes.translate and find run in C.
_MASK = bytes(byte in _PRINTABLE for byte in range(256))
"""A table for bytes.translate that leaves ones where texts may be, and zeros."""
_RUN = b"\1" * SHORTEST
_USUAL = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 /._-:+=," + bytes(range(0x80, 0xF5))
_ZEROS = re.compile(rb"\0{2,}")
_SKELETON = re.compile(rb"(?:[A-Za-z]:)?[\\/][^ \t:;,\"']*[\\/]|(?<![0-9A-Fa-f])[A-Fa-f]*[0-9][0-9A-Fa-f]*")
"""What texts of one origin may differ in: directories and numbers. (In letters without a digit each start would cost as
much as all that follow, but for looking back.)"""

_Pairs = list[tuple[bytes, bytes]]


class EmbeddedTexts(NamedTuple):
    """What is in a member."""

    found: list[bytes]
    """Its first texts, in its order."""
    beside: bytes
    """A digest of all else; of any number of zeros in a row, which align, it sees one."""
    is_cut: bool
    """Whether there are more texts than were kept."""


def look(member: MemberPair) -> Difference | None:
    """Return how the texts in two binary files differ, with a window of bytes where those do not show all.

    None if they do not differ, or one of the files is too large.
    """
    if max(member.left.size, member.right.size) > LARGEST:
        return None
    one, other = read(member.left, member.right)
    found = compare_lists(member.name, one.found, other.found, "embedded text", member.clues)
    if found is None:
        return None
    whole = hexwindow.compare(member.name, member.left, member.right, member.clues)
    # Numbers that the bytes show for certain may begin with, or lie beside, what looks like a text.
    if all(finding.code != UNKNOWN for finding in whole.findings):
        return whole
    window = hexwindow.compare(member.name, member.left, member.right, member.clues, ", and beside the texts")
    is_all = one.beside == other.beside and not one.is_cut and not other.is_cut
    findings = found.findings if is_all else reduced([*found.findings, *window.findings])
    return replace(found, detail=(*found.detail, *window.detail), findings=findings)


def read(*contents: Content) -> tuple[EmbeddedTexts, ...]:
    """Return the texts in each of *contents*, of which no more than MOST and MOST_BYTES are kept; they are streamed.

    :raises ArchiveError: if one cannot be read.
    """
    readers = [_Reader() for _ in contents]
    for pieces in zip_longest(*map(_pieces, contents), fillvalue=b""):
        if all(reader.is_cut for reader in readers):
            break  # What is beside the texts says nothing any more.
        first = _split(pieces[0])
        for reader, piece in zip(readers, pieces):
            # Where the sides are equal, which they mostly are, they are searched once.
            reader.take(*(first if piece == pieces[0] else _split(piece)))
    return tuple(reader.done() for reader in readers)


class _Reader:
    """Collects what :func:`_split` gives of one side's pieces."""

    def __init__(self) -> None:
        self._found: list[bytes] = []
        self._state, self._size, self._last = hashlib.sha256(), 0, b""

    def take(self, texts: Sequence[bytes], rest: bytes) -> None:
        for text in texts:
            self._size += len(text)
            if len(self._found) < MOST and self._size <= MOST_BYTES:
                self._found.append(text)
        # A row of zeros may be cut in two by the pieces.
        self._state.update(rest[1:] if self._last == rest[:1] == b"\0" else rest)
        self._last = rest[-1:] or self._last

    @property
    def is_cut(self) -> bool:
        return len(self._found) == MOST or self._size > MOST_BYTES

    def done(self) -> EmbeddedTexts:
        return EmbeddedTexts(self._found, self._state.digest(), self.is_cut)


def _pieces(content: Content) -> Iterator[bytes]:
    """Give *content* in pieces that cut no text in two, but for very long ones."""
    tail = b""
    for chunk in content.chunks():
        for at in range(0, len(chunk), CHUNK_SIZE):
            data = tail + chunk[at : at + CHUNK_SIZE]
            mask = data[-LONGEST:].translate(_MASK)
            keep = len(mask) - mask.rfind(0) - 1
            # What ends the chunk may go on in the next one.
            tail = data[len(data) - keep :] if keep < LONGEST else b""
            yield data[: len(data) - len(tail)]
    yield tail


def places(data: bytes) -> Iterator[tuple[int, int]]:
    """Give where texts begin and end in *data*: UTF-8, and mostly letters or paths, not just printable bytes."""
    # A search for bytes is many times faster than a pattern, where there are few texts.
    mask = data.translate(_MASK)
    begin = mask.find(_RUN)
    while begin >= 0:
        end = mask.find(0, begin + SHORTEST)
        end = len(mask) if end < 0 else end
        for at in range(begin, end - SHORTEST + 1, LONGEST):
            text = data[at : min(at + LONGEST, end)]
            # Instructions have printable runs, but with unusual signs among them.
            if len(text.translate(None, _USUAL)) * 4 <= len(text) and _is_utf8(text):
                yield at, at + len(text)
        begin = mask.find(_RUN, end)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def of(data: bytes) -> list[bytes]:
    """Return the first MOST texts in *data*."""
    return [data[start:end] for start, end in islice(places(data), MOST)]


def beside(data: bytes) -> bytes:
    """Return what is in *data* beside its texts; of any number of zeros in a row there is one."""
    return _split(data)[1]


def _split(data: bytes) -> tuple[list[bytes], bytes]:
    """Return the texts in *data*, and what is beside them."""
    texts, rest, at = [], [], 0
    for start, end in places(data):
        texts.append(data[start:end])
        rest.append(data[at:start])
        at = end
    left = b"".join([*rest, data[at:]])
    return texts, _ZEROS.sub(b"\0", left) if b"\0\0" in left else left


def compare_lists(
    name: str,
    left: Sequence[bytes],
    right: Sequence[bytes],
    where: str,
    clues: CauseClues,
    *,
    is_location: bool = False,
) -> Difference | None:
    """Return how two lists of texts differ, or None if they hold the same; *where* is for the evidence.

    :param is_location: whether paths in them are where something was built
    """
    one, other = Counter(left), Counter(right)
    gone, come = list((one - other).elements()), list((other - one).elements())
    if not gone and not come:
        return None
    is_bounded = clues.allowance.explain(sum(map(len, gone + come)) // _MATCHED)
    pairs, rest = _matched(gone, come) if is_bounded else ([], [(b"".join(gone[:1]), b"".join(come[:1]))])
    findings = [*_explained(pairs, where, clues, is_location)]
    findings += [finding for texts in rest[:MOST_SHOWN] for finding in explain(Unexplained(*texts), where, clues)]
    detail = [f"{sign}{_shown(text)}" for sign, texts in (("-", gone), ("+", come)) for text in texts[:MOST_SHOWN]]
    summary = f"{_texts(gone)} only on the left side, {_texts(come)} only on the right"
    return Difference(name, NodeKind.STRINGS, summary, tuple(detail), reduced(findings))


def _texts(texts: Sequence[bytes]) -> str:
    return f"{len(texts) or 'no'} text{'' if len(texts) == 1 else 's'}"


def _shown(text: bytes) -> str:
    shown = text[:300].decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in shown)


def _explained(pairs: _Pairs, where: str, clues: CauseClues, is_location: bool) -> Iterator[Finding]:
    """Give the findings of texts that stand for each other; what differs in the same way is looked at once."""
    ways: set[tuple[bytes, bytes]] = set()
    for one, other in pairs:
        way = narrowed(one, other, 0)
        if way in ways:
            continue
        ways.add(way)
        if len(ways) > _MOST_WAYS or clues.allowance.is_spent:
            yield from explain(Unexplained(one, other), where, clues)
            return
        yield from explain(TextPair(one, other, is_location), where, clues)


def _matched(gone: Sequence[bytes], come: Sequence[bytes]) -> tuple[_Pairs, _Pairs]:
    """Return the texts that stand for each other, and those that have none.

    Those with one skeleton belong together; the others by their places, or if there are not as many, by likeness.
    """
    pairs, left, right = _by_skeleton(gone, come)
    if len(left) == len(right):
        return [*pairs, *zip(left, right)], []
    rest = [(text, b"") for text in left[_MOST_ALIKE:]]
    free = right[:_MOST_ALIKE]
    for text in left[:_MOST_ALIKE]:
        likeness, best = max(((_likeness(text, other), other) for other in free), default=(0.0, b""))
        if likeness > 0.3:
            free.remove(best)
            pairs.append((text, best))
        else:
            rest.append((text, b""))
    return pairs, [*rest, *((b"", text) for text in [*free, *right[_MOST_ALIKE:]])]


def _likeness(left: bytes, right: bytes) -> float:
    # An upper bound that needs no alignment, for up to 1,600 pairs.
    return SequenceMatcher(None, left[:200], right[:200], autojunk=False).quick_ratio()


def _skeleton(text: bytes) -> bytes:
    # Most texts have nothing of it, which is seen at once.
    return _SKELETON.sub(b"", text) if len(text.translate(None, b"/\\0123456789")) < len(text) else text


def _by_skeleton(gone: Sequence[bytes], come: Sequence[bytes]) -> tuple[_Pairs, list[bytes], list[bytes]]:
    """Pair the texts that are alike but for directories and numbers; return the pairs, and what is left of each."""
    free: dict[bytes, list[bytes]] = {}
    for text in reversed(come):
        free.setdefault(_skeleton(text), []).append(text)
    pairs, left = [], []
    for text in gone:
        # In their order: the first on one side most likely stands for the first on the other.
        others = free.get(_skeleton(text))
        if others:
            pairs.append((text, others.pop()))
        else:
            left.append(text)
    taken = Counter(other for _, other in pairs)
    return pairs, left, list((Counter(come) - taken).elements())
