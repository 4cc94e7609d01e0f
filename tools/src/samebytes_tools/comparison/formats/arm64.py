"""Instructions of 64-bit ARM that hold addresses, which differ where what they lead to only lies elsewhere.

Unlike other numbers, such addresses are spread over bits of one instruction, or of two (ADRP, and what adds to it).
Source: Arm Architecture Reference Manual for A-profile (DDI 0487), C4.1 "A64 instruction set encoding".
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import NamedTuple

from .elf_moved import MOST_PLACES, SectionPlace

__all__ = ["first_unlike"]

_PAGE = 0xFFF


class _Form(NamedTuple):
    """Instructions that have *value* where *mask* is set, with a distance of *bits* from bit *low* on, in words."""

    mask: int
    value: int
    low: int
    bits: int


_DISTANCES = (
    _Form(0x7C000000, 0x14000000, 0, 26),  # B, BL
    _Form(0xFF000010, 0x54000000, 5, 19),  # B.cond
    _Form(0x7E000000, 0x34000000, 5, 19),  # CBZ, CBNZ
    _Form(0x7E000000, 0x36000000, 5, 14),  # TBZ, TBNZ
    _Form(0x3B000000, 0x18000000, 5, 19),  # LDR (literal)
)


def first_unlike(left: SectionPlace, right: SectionPlace, is_one: Callable[[int, int], bool]) -> int | None:
    """Return the offset of the first instruction that differs in more than where the same things lie, or None.

    :param is_one: whether two addresses are of one thing
    """
    pages: dict[int, tuple[int, int]] = {}
    # Registers with the pages of unlike addresses, and where they got them: nothing has shown yet what lies there.
    pending: dict[int, int] = {}
    looked_at = 0
    count = min(len(left.data), len(right.data)) // 4
    # One by one, not as two lists of numbers, which take nine times their bytes.
    words = [struct.iter_unpack("<I", memoryview(side.data)[: 4 * count]) for side in (left, right)]
    for at, (one,), (other,) in zip(range(0, 4 * count, 4), words[0], words[1]):
        if one & 0x9F000000 == 0x90000000 and other & 0x9F00001F == one & 0x9F00001F:  # ADRP
            register = one & 0x1F
            if register in pending:
                return pending[register]
            pages[register] = _page(one, left.address + at), _page(other, right.address + at)
            if pages[register][0] != pages[register][1]:
                pending[register] = at
            continue
        scale, register = _added(one), one >> 5 & 0x1F
        if scale is not None and register in pages and (one ^ other) & ~(_PAGE << 10) == 0:
            page = pages[register]
            if one != other or page[0] != page[1]:
                addresses = (side + ((word >> 10 & _PAGE) << scale) for side, word in zip(page, (one, other)))
                looked_at += 1
                if looked_at > MOST_PLACES or not is_one(*addresses):
                    return at
                pending.pop(register, None)
            # What it writes is no page any more, of whichever register.
            pages.pop(one & 0x1F, None)
        elif one != other:
            looked_at += 1
            places = left.address + at, right.address + at
            if looked_at > MOST_PLACES or not _leads_to_one(one, other, places, is_one):
                return at
    if not pending and left.data[4 * count :] != right.data[4 * count :]:
        return 4 * count
    return min(pending.values(), default=None)


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value


def _page(word: int, address: int) -> int:
    return (address & ~_PAGE) + (_signed((word >> 5 & 0x7FFFF) << 2 | word >> 29 & 3, 21) << 12)


def _added(word: int) -> int | None:
    """Return by how much the number in an instruction that adds it to a register is shifted; None for any other."""
    if word & 0x7FC00000 == 0x11000000:  # ADD (immediate), not shifted
        return 0
    if word & 0x3B000000 == 0x39000000:  # loads and stores with an unsigned offset, of 1 to 16 bytes
        return 4 if word & 0x04800000 == 0x04800000 else word >> 30
    return None


def _leads_to_one(one: int, other: int, places: tuple[int, int], is_one: Callable[[int, int], bool]) -> bool:
    if one & 0x9F000000 == 0x10000000 and other & 0x9F00001F == one & 0x9F00001F:  # ADR
        distances = [_signed((word >> 5 & 0x7FFFF) << 2 | word >> 29 & 3, 21) for word in (one, other)]
        return is_one(places[0] + distances[0], places[1] + distances[1])
    for mask, value, low, bits in _DISTANCES:
        field = ((1 << bits) - 1) << low
        if one & mask == value and (one ^ other) & ~field == 0:
            distances = [_signed((word & field) >> low, bits) << 2 for word in (one, other)]
            return is_one(places[0] + distances[0], places[1] + distances[1])
    return False
