"""What differs in sections of ELF and Mach-O files because other things lie elsewhere: addresses, offsets and sizes.

Nothing is assumed: every byte that differs has to be part of a number that says the same of both files, such as the
address of one function in each. Whatever is not such a number stays unexplained.
"""

from __future__ import annotations

import re
import sys
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Callable, Literal, NamedTuple

from . import strings

__all__ = ["Mover", "SectionPlace", "beside_texts"]

LARGEST_MOVED = 24 << 20
"""Bytes of a file of which it is found out what only lies elsewhere; all its sections are held for that."""

MOST_PLACES = 50_000
"""How many numbers of one section are looked at."""

MOST_GAPS = 50_000
"""How many texts a section may have for what lies between them to be looked at."""

TABLES = (".dynstr", ".strtab", ".shstrtab", ".debug_str", ".debug_line_str")
"""Sections that hold texts, which others name by their offsets."""

_BLOCK = 4096
_LONGEST = 4096
_ALIKE = 16
"""So many equal bytes show that two places without texts are one."""

# 0xF4 begins the last code points of UTF-8 (RFC 3629).
_TEXT = re.compile(rb"[\t\x20-\x7e\x80-\xf4]{5,}")
_NO_ZEROS = re.compile(rb"[^\0]+")

SameTexts = Callable[[bytes, bytes], bool]
"""Returns whether the difference of two texts is explained, or there is none."""


class SectionPlace(NamedTuple):
    """A section."""

    address: int
    """Zero for what is not loaded."""
    size: int
    data: bytes
    """Nothing for what takes no room in the file."""


class Stretch(NamedTuple):
    """A part of a section that lies somewhere in each file."""

    left: int
    right: int
    size: int


class Mover:
    """Two files' sections, by names; *order* is that of bytes in numbers."""

    def __init__(
        self,
        left: Mapping[str, SectionPlace],
        right: Mapping[str, SectionPlace],
        bits: int,
        order: Literal["little", "big"],
        same_texts: SameTexts,
    ) -> None:
        self.pairs = {name: (left[name], right[name]) for name in left if name in right}
        self._tables = [(one.data, other.data) for name, (one, other) in self.pairs.items() if name in TABLES]
        self._loaded = [(one, other) for one, other in self.pairs.values() if one.address and other.address]
        self._sizes = {(a.size, b.size) for a, b in self.pairs.values() if a.size != b.size}
        # 64-bit code has 32-bit distances; the wider first, of which a narrower one may be a part.
        self._widths = (8, 4) if bits == 64 else (4,)
        self._order: Literal["little", "big"] = order
        self._alignments: dict[tuple[SectionPlace, SectionPlace], list[Stretch]] = {}
        self._same_texts = same_texts

    def unexplained(self, name: str) -> int | None:
        """Return the offset of the first byte that differs and is in no number that says the same of both, or None."""
        left, right = self.pairs[name]
        if left.size != right.size:
            return next(_differing(left.data, right.data, 0), min(len(left.data), len(right.data)))
        return self._unexplained(left, right, Stretch(0, 0, left.size))

    def is_explained_beside_texts(self, name: str) -> bool:
        """Return whether all that lies between the texts of a section, which have other lengths, says the same."""
        left, right = self.pairs[name]
        stretches = self._aligned(left, right)
        return bool(stretches) and all(self._unexplained(left, right, each) is None for each in stretches)

    def is_one_number(self, left: int, right: int) -> bool:
        """Return whether two numbers are one section's sizes, or one place's addresses."""
        return (left, right) in self._sizes or self._is_one_address(left, right)

    def _aligned(self, left: SectionPlace, right: SectionPlace) -> list[Stretch]:
        found = self._alignments.get((left, right))
        if found is None:
            found = self._alignments[left, right] = _stretches(left.data, right.data)
        return found

    def _unexplained(self, left: SectionPlace, right: SectionPlace, stretch: Stretch) -> int | None:
        one = left.data[stretch.left : stretch.left + stretch.size]
        other = right.data[stretch.right : stretch.right + stretch.size]
        done = 0
        for _ in range(MOST_PLACES):
            at = next(_differing(one, other, done), None)
            if at is None:
                return None
            # A number of eight bytes may begin up to seven bytes before the first that differs.
            end = self._number_end(left, right, stretch, max(done, at - 7), at)
            if not end:
                return stretch.left + at
            done = end
        return stretch.left + done

    def _number_end(self, left: SectionPlace, right: SectionPlace, stretch: Stretch, first: int, at: int) -> int:
        """Return where a number ends that begins between *first* and *at*, holds *at* and says the same; 0 for none."""
        for width in self._widths:
            for start in range(max(first, at - width + 1), at + 1):
                places = stretch.left + start, stretch.right + start
                if start + width <= stretch.size and self._says_the_same(left, right, places, width):
                    return start + width
        return 0

    def _says_the_same(self, left: SectionPlace, right: SectionPlace, places: tuple[int, int], width: int) -> bool:
        sides = zip((left, right), places)
        one, other = (int.from_bytes(side.data[start : start + width], self._order) for side, start in sides)
        # A number that does not differ explains nothing of what does.
        if one == other:
            return False
        if self.is_one_number(one, other) or any(self._is_one_text(*table, one, other) for table in self._tables):
            return True
        if width != 4 or not left.address:
            return False
        # A distance leads from behind the number, as instructions count, from the number itself, or from its section.
        # Distances are signed.
        one, other = (value - (1 << 32) if value >> 31 else value for value in (one, other))
        return any(
            self._is_one_address(left.address + a + one, right.address + b + other)
            for a, b in ((places[0] + 4, places[1] + 4), places, (0, 0))
        )

    def _is_one_address(self, left: int, right: int) -> bool:
        return any(
            # The end counts, too: symbols such as _end lie behind the last byte.
            one.address <= left <= one.address + one.size
            and other.address <= right <= other.address + other.size
            and self._is_one_place(one, other, left - one.address, right - other.address)
            for one, other in self._loaded
        )

    def _is_one_place(self, left: SectionPlace, right: SectionPlace, one: int, other: int) -> bool:
        """Return whether two offsets in a section are of one thing: an end of it, a text, or equal bytes."""
        if one == other and (left.size == right.size or one == 0):
            return True
        if (one, other) == (left.size, right.size) or self._is_one_text(left.data, right.data, one, other):
            return True
        if left.size != right.size:
            stretches = self._aligned(left, right)
            index = bisect_right(stretches, (one, sys.maxsize)) - 1
            at, other_at, size = stretches[index] if index >= 0 else (one + 1, 0, 0)
            if one - at == other - other_at and 0 <= one - at <= size:
                return True
        near = left.data[one : one + _ALIKE], right.data[other : other + _ALIKE]
        # Zeros are alike everywhere.
        return len(near[0]) == _ALIKE and near[0] == near[1] and any(near[0])

    def _is_one_text(self, left: bytes, right: bytes, one: int, other: int) -> bool:
        if not (0 <= one < len(left) and 0 <= other < len(right)):
            return False
        texts = _text_at(left, one), _text_at(right, other)
        return bool(texts[0]) and bool(texts[1]) and (texts[0] == texts[1] or self._same_texts(*texts))


def _stretches(left: bytes, right: bytes) -> list[Stretch]:
    """Return what lies between the texts of two sections that have as many; nothing if they do not fit together."""
    gaps = [list(islice(_gaps(data), MOST_GAPS + 1)) for data in (left, right)]
    if len(gaps[0]) != len(gaps[1]) or len(gaps[0]) > MOST_GAPS:
        return []
    found: list[Stretch] = []
    for one, other in zip(*gaps):
        here = list(_between(left[slice(*one)], right[slice(*other)]))
        if not here:
            return []
        found += (Stretch(one[0] + each.left, other[0] + each.right, each.size) for each in here)
    return found


def _gaps(data: bytes) -> Iterator[tuple[int, int]]:
    at = 0
    for start, end in strings.places(data):
        yield at, start
        at = end
    yield at, len(data)


def _between(left: bytes, right: bytes) -> Iterator[Stretch]:
    """Give the parts of two gaps between texts, which are cut where one has more zeros, which align what follows."""
    heads = [len(side) - len(side.lstrip(b"\0")) for side in (left, right)]
    tails = [len(side.rstrip(b"\0")) for side in (left, right)]
    if tails[0] - heads[0] == tails[1] - heads[1]:
        zeros = min(heads)
        one, other = heads[0] - zeros, heads[1] - zeros
        yield Stretch(one, other, min(len(left) - one, len(right) - other))
        return
    runs = [[match.span() for match in _NO_ZEROS.finditer(side)] for side in (left, right)]
    if [end - start for start, end in runs[0]] != [end - start for start, end in runs[1]]:
        return
    at = (0, 0)
    for (start, end), (start_, end_) in zip(*runs):
        zeros = min(start - at[0], start_ - at[1])
        yield Stretch(start - zeros, start_ - zeros, end - start + zeros)
        at = end, end_


def _text_at(data: bytes, at: int) -> bytes:
    end = data.find(b"\0", at, at + _LONGEST)
    text = data[at:end] if end > at else b""
    return text if text.isascii() or _TEXT.fullmatch(text) else b""


def _differing(left: bytes, right: bytes, begin: int) -> Iterator[int]:
    """Give the offsets at which two pieces of one length differ, from *begin* on."""
    for start in range(begin, min(len(left), len(right)), _BLOCK):
        one, other = left[start : start + _BLOCK], right[start : start + _BLOCK]
        if one != other:
            yield from (start + place for place, (a, b) in enumerate(zip(one, other)) if a != b)


def beside_texts(name: str, data: bytes) -> bytes:
    """Return what is in a section beside its texts; of any number of zeros in a row, which align, there is one."""
    return strings.beside(_without_lengths(data) if name.startswith((".debug_line", ".zdebug_line")) else data)


def _without_lengths(data: bytes) -> bytes:
    """Return .debug_line without the lengths of its programs and their headers.

    Source: DWARF 5, 6.2.4, in the 32-bit form: unit_length, version (2 bytes), from version 5 on address_size and
    segment_selector_size, then header_length.
    """
    kept, at = [], 0
    while at + 16 <= len(data):
        # Of another byte order, it is not a sensible size, and the data is kept as it is.
        size = int.from_bytes(data[at : at + 4], "little")
        version = int.from_bytes(data[at + 4 : at + 6], "little")
        if not 2 <= version <= 5 or size > len(data) - at - 4:
            break
        header = at + (8 if version == 5 else 6)
        kept += [data[at + 4 : header], data[header + 4 : at + 4 + size]]
        at += 4 + size
    return b"".join([*kept, data[at:]])
