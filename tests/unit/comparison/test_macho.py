"""Mach-O files are compared by their parts: each cause that is there, no other, and nothing overlooked."""

from __future__ import annotations

import io
import random
import struct
import tracemalloc

import pytest
from samebytes_tools.comparison.allowance import Allowance
from samebytes_tools.comparison.causes.cause import NO_CLUES
from samebytes_tools.comparison.formats import compare_contents, macho
from samebytes_tools.comparison.formats.arm64 import first_unlike
from samebytes_tools.comparison.formats.elf_moved import SectionPlace
from samebytes_tools.comparison.formats.macho_image import LARGEST_HELD, read
from samebytes_tools.comparison.members import MemberPair
from samebytes_tools.comparison.model import Difference, NodeKind
from support.macho import LINKEDIT_AT, TEXT_AT, Made, build, command_at, replace, universal

from samebytes.archive.entry import Data

LEFT = Made()
OTHER_PLACE = (("/srv/ci/other/w/build/fast.o", 0),)
INTEL, POWER = Made("x86_64"), Made("ppc", order=">", bits=32)

CAUSES = {
    "another UUID of the same contents": (("D017",), replace(LEFT, uuid=b"1" * 16), replace(LEFT, uuid=b"2" * 16)),
    "an object file in another place": (("D001",), LEFT, replace(LEFT, objects=OTHER_PLACE)),
    "an object file in another temporary directory": (
        ("D002",),
        replace(LEFT, objects=(("/private/var/folders/y6/nj79/T/tmp1a_b2c3d/build/fast.o", 0),)),
        replace(LEFT, objects=(("/private/var/folders/q0/wmf3/T/tmpx9_y8z7w/build/fast.o", 0),)),
    ),
    "an object file of another time": (
        ("D005",),
        LEFT,
        replace(LEFT, objects=(("/home/ada/w/build/fast.o", 1_758_996_682),)),
    ),
    "an object file of another place and time": (
        ("D001", "D005"),
        LEFT,
        replace(LEFT, objects=((OTHER_PLACE[0][0], 1_758_996_682),)),
    ),
    "a debug map on one side": (("D099",), LEFT, replace(LEFT, objects=())),
    "another signer": (("D025",), LEFT, replace(LEFT, signed="org.example.fast", signing_flags=0x10000)),
    "a signature on one side": (("D025",), LEFT, replace(LEFT, signed="")),
    "another signer, and another number": (("D025", "D099"), LEFT, replace(LEFT, signing_flags=2, number=43)),
    "another SDK": (("D023",), LEFT, replace(LEFT, sdk=(15, 5))),
    "another linker": (("D023",), LEFT, replace(LEFT, linker=(1167, 5))),
    "another deployment target": (("D026",), LEFT, replace(LEFT, oldest=(12, 0))),
    "a library of the system of another version": (
        ("D023",),
        LEFT,
        replace(LEFT, libraries=(("/usr/lib/libSystem.B.dylib", 1351),)),
    ),
    "another library of another version": (
        ("D099",),
        replace(LEFT, libraries=(("@rpath/libz.dylib", 1),)),
        replace(LEFT, libraries=(("@rpath/libz.dylib", 2),)),
    ),
    "libraries in another order": (
        ("D099",),
        replace(LEFT, libraries=(("@rpath/liba.dylib", 1), ("@rpath/libb.dylib", 1))),
        replace(LEFT, libraries=(("@rpath/libb.dylib", 1), ("@rpath/liba.dylib", 1))),
    ),
    "a library in another place": (
        ("D001",),
        replace(LEFT, libraries=(("/home/ada/w/lib/libz.dylib", 1),)),
        replace(LEFT, libraries=(("/srv/ci/other/w/lib/libz.dylib", 1),)),
    ),
    "search paths of two places": (
        ("D001",),
        replace(LEFT, search=("/home/ada/w/lib",)),
        replace(LEFT, search=("/srv/ci/other/lib",)),
    ),
    "a search path on one side": (("D099",), LEFT, replace(LEFT, search=("/opt/pythons/3.11/lib",))),
    "an install name in another place": (
        ("D001",),
        replace(LEFT, own=("/home/ada/w/lib/libfast.dylib", 1)),
        replace(LEFT, own=("/srv/ci/other/lib/libfast.dylib", 1)),
    ),
    "another version of a library": (
        ("D099",),
        replace(LEFT, own=("@rpath/libfast.dylib", 1)),
        replace(LEFT, own=("@rpath/libfast.dylib", 2)),
    ),
    # Behind the path lies a text to which code and data lead.
    "a path of another length": (("D001",), LEFT, replace(LEFT, texts=(b"/srv/ci/group/another/src/fast.c",))),
    "a path of another length, x86_64": (
        ("D001",),
        INTEL,
        replace(INTEL, texts=(b"/srv/ci/group/another/src/fast.c",)),
    ),
    "a path of another length, and another number": (
        ("D001", "D099"),
        LEFT,
        replace(LEFT, texts=(b"/srv/ci/group/another/src/fast.c",), number=43),
    ),
    "a path of another length, and other code": (
        ("D001", "D099"),
        LEFT,
        replace(LEFT, texts=(b"/srv/ci/group/another/src/fast.c",), code=b"\xe0\x03\x1f\xaa" * 4),
    ),
    "another number": (("D099",), LEFT, replace(LEFT, number=43)),
    "other code": (("D099",), LEFT, replace(LEFT, code=b"\xe0\x03\x1f\xaa" * 4)),
    "a symbol more": (("D099",), LEFT, replace(LEFT, exported=("_PyInit_fast", "_more"))),
    "bytes between commands and code": (("D099",), LEFT, replace(LEFT, more={"gap": b"left over"})),
    "a text among the names that is none": (("D099",), LEFT, replace(LEFT, more={"names": b"nobody's\0"})),
    "PowerPC: an object file in another place": (("D001",), POWER, replace(POWER, objects=OTHER_PLACE)),
    "PowerPC, 64 bits: another number": (
        ("D099",),
        replace(POWER, machine="ppc64", bits=64),
        replace(POWER, machine="ppc64", bits=64, number=1),
    ),
}
"""The codes to be found, and the two files."""


def compared(left: bytes, right: bytes) -> Difference:
    notes: list[str] = []
    node = compare_contents(MemberPair("a.so", "a.so", Data(left), Data(right), NO_CLUES, notes.append))
    assert notes == []
    return node


def codes(node: Difference) -> tuple[str, ...]:
    return tuple(sorted({finding.code for each in node.walk() for finding in each.findings}))


@pytest.mark.parametrize("name", CAUSES)
def test_the_cause_is_named_and_no_other(name: str) -> None:
    expected, left, right = CAUSES[name]
    sides = build(left), build(right)
    for one, other in (sides, sides[::-1]):
        node = compared(one, other)
        assert node.kind is NodeKind.MACHO
        assert codes(node) == expected


@pytest.mark.parametrize("name", CAUSES)
def test_in_a_slice_it_is_the_same(name: str) -> None:
    expected, left, right = CAUSES[name]
    beside = Made("ppc64", order=">") if left.machine != "ppc64" else INTEL
    node = compared(universal(beside, left), universal(beside, right))
    assert [child.name for child in node.children] == [f"slice {left.machine}"]
    assert codes(node) == expected


def test_slices_are_matched_by_their_machines() -> None:
    both = universal(LEFT, INTEL)
    assert macho.compare("a.so", Data(both), Data(both), NO_CLUES) is None
    for one, other in ((both, build(LEFT)), (build(LEFT), both)):
        node = compared(one, other)
        assert [(child.name, child.kind) for child in node.children] == [("slice x86_64", NodeKind.MISSING)]
        assert codes(node) == ("D099",)
    (order,) = compared(both, universal(INTEL, LEFT)).children
    assert (order.name, codes(order)) == ("slices", ("D099",))


def test_what_follows_from_something_else_has_no_cause_of_its_own() -> None:
    node = compared(build(LEFT), build(replace(LEFT, texts=(b"/srv/ci/group/another/src/fast.c",))))
    found = {child.name: (child.summary, codes(child)) for child in node.children}
    assert codes(next(child for child in node.children if child.name == "__TEXT,__cstring")) == ("D001",)
    for name in ("__TEXT,__text", "__DATA,__data", "LC_UUID", "code signature"):
        assert found[name][0].startswith("follows from other ")
        assert found[name][1] == ()


@pytest.mark.parametrize("made", [LEFT, INTEL, POWER], ids=lambda made: made.machine)
def test_no_byte_is_overlooked(made: Made) -> None:
    """Whichever byte differs, there is a finding; and the file itself has none."""
    data = build(made)
    places = [at for at, byte in enumerate(data) if byte]
    chance = random.Random(13)
    for at in {*chance.sample(places, 400), *range(32, 700, 9), *range(LINKEDIT_AT, len(data), 17)}:
        other = bytearray(data)
        other[at] ^= 1 << chance.randrange(8)
        assert codes(compared(data, bytes(other))), hex(at)


def with_numbers(data: bytes, at: int, *numbers: int) -> bytes:
    return data[:at] + struct.pack(f"<{len(numbers)}I", *numbers) + data[at + 4 * len(numbers) :]


GOOD = build(LEFT)
HUGE = 0xFFFFFFF0
REFUSED = {
    "a million slices": struct.pack(">II", 0xCAFEBABE, 1_000_000) + bytes(20 * 1_000_000),
    "no slices": struct.pack(">II", 0xCAFEBABE, 0),
    "a Java class": b"\xca\xfe\xba\xbe\0\0\0\x34" + bytes(400),
    "a slice outside": struct.pack(">7I", 0xCAFEBABE, 1, 7, 3, HUGE, HUGE, 14),
    "slices that overlap": struct.pack(">12I", 0xCAFEBABE, 2, 7, 3, 48, len(GOOD), 0, 12, 0, 48, len(GOOD), 0) + GOOD,
    "a slice in a slice": struct.pack(">7I", 0xCAFEBABE, 1, 7, 3, 0, 28, 0),
    "a command that does not advance": with_numbers(GOOD, 36, 0),
    "a command of four bytes": with_numbers(GOOD, 36, 4),
    "a command that leads outside": with_numbers(GOOD, 36, HUGE),
    "commands without end": with_numbers(GOOD, 16, 0x7FFFFFFF, 0x7FFFFFFF),
    "more commands than there are": with_numbers(GOOD, 16, 4000),
    "sections without end": with_numbers(GOOD, 32 + 64, 0x7FFFFFFF),
    "a section outside": with_numbers(GOOD, 32 + 72 + 48, HUGE),
    "symbols outside": with_numbers(GOOD, command_at(GOOD, 2) + 8, HUGE),
    "symbols without end": with_numbers(GOOD, command_at(GOOD, 2) + 12, HUGE),
    "names outside": with_numbers(GOOD, command_at(GOOD, 2) + 16, len(GOOD) - 4),
    "a name outside": with_numbers(GOOD, LINKEDIT_AT + 8, HUGE),
    "a signature outside": with_numbers(GOOD, command_at(GOOD, 0x1D) + 8, HUGE),
    "a header alone": GOOD[:32],
    "half of it": GOOD[: TEXT_AT + 4],
    "a magic alone": GOOD[:4],
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_falls_back_to_its_bytes(name: str) -> None:
    for one, other in ((GOOD, REFUSED[name]), (REFUSED[name], GOOD)):
        assert macho.compare("a.so", Data(one), Data(other), NO_CLUES) is None
        assert codes(compared(one, other))


def test_damaged_files_end_in_a_comparison() -> None:
    """Headers are changed at random; whatever becomes of the file, it is compared, or its bytes are."""
    chance = random.Random(7)
    for data in (GOOD, build(POWER), universal(LEFT, INTEL)):
        for _ in range(150):
            other = bytearray(data)
            for _ in range(chance.randrange(1, 5)):
                at = chance.randrange(700) if chance.random() < 0.8 else chance.randrange(len(data))
                other[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, other[at] ^ 1))
            if other != data:
                assert codes(compared(data, bytes(other)))


def test_sections_that_are_one_stretch_are_not_read_again_and_again() -> None:
    """4,000 sections of 16 MB, all the same, would be 64 GB to be hashed."""
    size, count = 16 << 20, 4000
    section = struct.pack("<16s16s2Q8I", b"__one", b"__TEXT", 0, size, 0, 0, 0, 0, 0, 0, 0, 0)
    segment = struct.pack("<16s4Q4I", b"__TEXT", 0, size, 0, size, 5, 5, count, 0) + section * count
    head = struct.pack("<8I2I", 0xFEEDFACF, 7, 3, 8, 1, 8 + len(segment), 0, 0, 0x19, 8 + len(segment))
    data = (head + segment).ljust(size, b"\0")
    assert macho.compare("a.so", Data(data), Data(data[:-1] + b"\1"), NO_CLUES._replace(allowance=Allowance(1))) is None


def test_names_of_symbols_that_overlap_are_not_read_again_and_again() -> None:
    """60,000 names, each of which goes to the end of a megabyte, would be 60 GB."""
    names = b"a" * (1 << 20)
    symbols = b"".join(struct.pack("<IBBHQ", place, 1, 0, 0, 0) for place in range(60_000))
    command = struct.pack("<6I", 2, 24, 56, 60_000, 56 + len(symbols), len(names))
    head = struct.pack("<8I", 0xFEEDFACF, 7, 3, 8, 1, 24, 0, 0)
    data = head + command + symbols + names
    assert macho.compare("a.so", Data(data), Data(data[:-1] + b"b"), NO_CLUES) is None


def test_other_compilers_are_one_node() -> None:
    left = replace(LEFT, sdk=(14, 5))
    right = replace(LEFT, sdk=(15, 5), number=1, code=b"\xe0\x03\x1f\xaa" * 5, exported=("_a",), texts=(b"12345678",))
    node = compared(build(left), build(right))
    (other,) = (child for child in node.children if child.name == "other sections")
    assert "__TEXT,__text" in other.detail[0]
    assert codes(node) == ("D023", "D099")


def of_sections(*sections: tuple[str, int, int]) -> bytes:
    """Return the head of a 64-bit file with sections of these names, offsets and sizes."""
    body = struct.pack("<16s4Q4I", b"__DATA", 0, 1 << 40, 0, 1 << 40, 3, 3, len(sections), 0)
    for name, at, size in sections:
        body += struct.pack("<16s16s2Q8I", name.encode(), b"__DATA", at, size, at, *[0] * 7)
    command = struct.pack("<II", 0x19, 8 + len(body)) + body
    return struct.pack("<8I", 0xFEEDFACF, 0x100000C, 0, 6, 1, len(command), 0, 0) + command


def test_sections_of_one_name_are_kept_apart_by_short_names() -> None:
    data = of_sections(*[("__x", 0, 4)] * 1000)
    (image,) = read(io.BytesIO(data), Allowance(1 << 30)).images.values()
    assert len(image.sections) == 1000
    assert max(map(len, image.sections)) < 20


def test_of_many_sections_no_more_is_held_than_of_a_few() -> None:
    """What is not held is compared by its digest, and nothing is said of texts that only one side could look at."""
    size, begin = 8 << 20, 1 << 12
    heads = [of_sections(*((f"__s{n}", begin + n * size, size) for n in range(4))).ljust(begin, b"\0")] * 2
    left = heads[0] + b"/home/ada/w/a.c\0".ljust(size, b"\1") * 4
    right = left[:-size] + b"/home/bob/w/a.c\0".ljust(size, b"\1")
    (image,) = read(io.BytesIO(left), Allowance(1 << 30)).images.values()
    assert sum(len(section.data) for section in image.sections.values()) == 3 * size <= LARGEST_HELD
    (node,) = macho.compare("x.so", Data(left), Data(right), NO_CLUES).children  # type: ignore[union-attr]
    assert (node.name, [finding.code for finding in node.findings]) == ("__DATA,__s3", ["D099"])


def test_instructions_are_looked_at_one_by_one() -> None:
    sides = [SectionPlace(0x1000, 1 << 18, b"\x1f\x20\x03\xd5" * (1 << 16)) for _ in range(2)]
    tracemalloc.start()
    try:
        assert first_unlike(*sides, lambda *_: False) is None
        assert tracemalloc.get_traced_memory()[1] < 1 << 18
    finally:
        tracemalloc.stop()


def test_bytes_behind_the_last_whole_instruction_count() -> None:
    sides = [SectionPlace(0x1000, 6, b"\x1f\x20\x03\xd5" + rest) for rest in (b"ab", b"ac")]
    assert first_unlike(*sides, lambda *_: True) == 4


def test_dates_that_linkers_write_always_are_no_times() -> None:
    """Apple's write 1 or 2 for a library, LLVM's 0."""
    left = replace(LEFT, uuid=b"1" * 16, signed="")
    data = build(replace(left, own=("@rpath/libfast.dylib", 1)))
    other = bytearray(data)
    at = command_at(data, 0xD) + 12
    assert data[at : at + 4] == b"\2\0\0\0"
    for date, code in ((0, "D099"), (1_758_996_682, "D005")):
        other[at : at + 4] = struct.pack("<I", date)
        assert codes(compared(data, bytes(other))) == (code,)


def test_a_debug_map_without_names_on_one_side() -> None:
    left = replace(LEFT, objects=())
    data = bytearray(build(left))
    at = command_at(bytes(data), 2)
    offset, count = struct.unpack_from("<2I", data, at + 8)
    # The only symbol becomes an end of a source file (N_SO), whose name is empty.
    assert count == 1
    struct.pack_into("<IBBHQ", data, offset, 1, 0x64, 1, 0, 0)
    assert "D099" in codes(compared(build(left), bytes(data)))
