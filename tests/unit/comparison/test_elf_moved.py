"""Numbers that say the same of two files whose sections lie elsewhere; every other byte stays unexplained."""

from __future__ import annotations

import struct

import pytest
from samebytes_tools.comparison.formats.elf_moved import Mover, SectionPlace, beside_texts

TEXTS = (b"\0/opt/one/a.c\0int\0struct thing\0", b"\0/srv/builds/other/a.c\0int\0struct thing\0")
CODE = bytes(range(1, 200))


def section(address: int, data: bytes) -> SectionPlace:
    return SectionPlace(address, len(data), data)


def unexplained(left: bytes, right: bytes, address: int = 0) -> int | None:
    """Return what is unexplained of a section beside texts of other lengths and code that lies elsewhere."""
    sides = []
    for data, texts, moved in ((left, TEXTS[0], 0x1000), (right, TEXTS[1], 0x1040)):
        sides.append({".debug_str": section(0, texts), ".text": section(moved, CODE), "x": section(address, data)})
    return Mover(sides[0], sides[1], 64, "little", lambda *_: False).unexplained("x")


def offsets(text: bytes) -> tuple[int, int]:
    return TEXTS[0].index(text), TEXTS[1].index(text)


def both(form: str, pair: tuple[int, int]) -> tuple[bytes, bytes]:
    return struct.pack(form, pair[0]), struct.pack(form, pair[1])


@pytest.mark.parametrize("ahead", [0, 1, 3, 9])
def test_offsets_of_one_text(ahead: int) -> None:
    one, other = both("<I", offsets(b"struct thing"))
    assert unexplained(b"\7" * ahead + one + b"\7", b"\7" * ahead + other + b"\7") is None


def test_offsets_of_other_texts() -> None:
    one, other = offsets(b"int")[0], offsets(b"struct thing")[1]
    assert unexplained(*both("<I", (one, other))) == 0


def test_addresses_of_one_place() -> None:
    assert unexplained(*both("<Q", (0x1010, 0x1050))) is None


def test_addresses_of_two_places() -> None:
    assert unexplained(*both("<Q", (0x1010, 0x1058))) == 0


def test_lengths_of_one_section() -> None:
    assert unexplained(*both("<Q", (len(TEXTS[0]), len(TEXTS[1])))) is None
    assert unexplained(*both("<Q", (len(TEXTS[0]), len(TEXTS[1]) + 1))) == 0


def test_distances_to_one_place() -> None:
    """From behind the number itself, as instructions count, in a section that does not move."""
    at = 0x9000
    pair = (0x1010 - at - 4, 0x1050 - at - 4)
    assert unexplained(*both("<i", pair), address=at) is None
    assert unexplained(*both("<i", (pair[0], pair[1] + 1)), address=at) == 0
    assert unexplained(*both("<i", pair)) == 0, "what is not loaded has no distances"


def test_what_differs_beside_numbers_is_found() -> None:
    one, other = both("<I", offsets(b"int"))
    assert unexplained(one + b"\7\7\7\7\7\1\7\7\7\7", other + b"\7\7\7\7\7\2\7\7\7\7") == 9


def test_another_length_is_not_explained() -> None:
    assert unexplained(b"abc", b"abcd") == 3


def test_what_is_beside_texts() -> None:
    assert beside_texts(".rodata", b"\1\0\0\0/opt/one\0\0\2") == b"\1\0\2"
    assert beside_texts(".rodata", b"\1\0/srv/builds/other\0\2") == b"\1\0\2"


def test_lengths_of_line_programs_are_left_out() -> None:
    def program(path: bytes) -> bytes:
        header = struct.pack("<HI", 4, len(path) + 5) + b"\1\1\1\1" + path + b"\0"
        return struct.pack("<I", len(header) + 3) + header + b"\x05\x06\x07"

    one, other = (program(path) + program(b"/opt/same/x") for path in (b"/opt/one/a.c", b"/srv/builds/other/a.c"))
    assert beside_texts(".debug_line", one) == beside_texts(".debug_line", other)
    changed = other[:-1] + b"\x08"
    assert beside_texts(".debug_line", one) != beside_texts(".debug_line", changed)
