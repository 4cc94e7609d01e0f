"""What the ZIP reader makes of honest files, canonical, odd and larger than 4 GiB."""

from __future__ import annotations

import errno
import io
import os
import struct
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.zips import (
    FILE_0644,
    FULL,
    NOON,
    NOON_SECONDS,
    TEXT,
    Member,
    OneWay,
    build,
    deflated,
    descriptor,
    directory,
    field_of,
    saved,
    zip64,
)

from samebytes.archive.entry import CHUNK_SIZE, Archive, Aspect, Deviation, Kind, read_all
from samebytes.archive.zip_deviations import member_deviations
from samebytes.archive.zip_directory import Source, read_directory
from samebytes.archive.zip_layout import MemberHeader
from samebytes.archive.zip_reader import open_zip
from samebytes.errors import ArchiveError


def read(tmp_path: Path, data: bytes) -> tuple[Archive, list[bytes]]:
    """Return the archive and all of its contents."""
    with open_zip(saved(tmp_path, data)) as archive:
        return archive, [read_all(entry.content) for entry in archive.entries]


def test_canonical_file_has_nothing_odd(tmp_path: Path) -> None:
    script = Member(b"it-1.data/scripts/run", b"#!python\n", method=0, external=0o100755 << 16)
    archive, contents = read(tmp_path, build(Member(), script, Member("é.txt".encode(), flags=0x800)))
    assert archive.name == "it-1-py3-none-any.whl"
    assert [entry.name for entry in archive.entries] == ["pkg/a.py", "it-1.data/scripts/run", "é.txt"]
    assert [entry.mode for entry in archive.entries] == [0o644, 0o755, 0o644]
    assert {entry.kind for entry in archive.entries} == {Kind.FILE}
    assert {entry.mtime for entry in archive.entries} == {NOON_SECONDS}
    assert contents == [TEXT, b"#!python\n", TEXT]
    assert [entry.content.size for entry in archive.entries] == [len(data) for data in contents]
    assert archive.deviations == ()
    assert [entry.deviations for entry in archive.entries] == [(), (), ()]


def test_packed_size_and_crc_are_of_the_bytes_in_the_file(tmp_path: Path) -> None:
    with open_zip(saved(tmp_path, build(Member(), Member(b"b", b"12", method=0)))) as archive:
        first, second = archive.entries
        assert first.packed is not None
        assert second.packed is not None
        assert (first.packed.deflated, second.packed.deflated) == (True, False)
        assert (first.packed.size, first.packed.crc()) == (len(deflated(TEXT)), zlib.crc32(deflated(TEXT)))
        assert b"".join(first.packed.chunks()) == deflated(TEXT)
        assert (second.packed.size, second.packed.crc()) == (2, zlib.crc32(b"12"))


def test_contents_can_be_read_again_and_side_by_side(tmp_path: Path) -> None:
    big = bytes(range(256)) * 8192
    with open_zip(saved(tmp_path, build(Member(b"a", big), Member(b"b", big, method=0)))) as archive:
        first, second = archive.entries
        pairs = list(zip(first.content.chunks(), second.content.chunks()))
        assert b"".join(one for one, _ in pairs)[:1000] == b"".join(other for _, other in pairs)[:1000]
        assert read_all(first.content) == read_all(first.content) == read_all(second.content) == big


def test_contents_come_in_bounded_pieces(tmp_path: Path) -> None:
    zeros = bytes(20 * CHUNK_SIZE + 7)
    with open_zip(saved(tmp_path, build(Member(b"zeros", zeros)))) as archive:
        (entry,) = archive.entries
        sizes = [len(chunk) for chunk in entry.content.chunks()]
    assert sum(sizes) == len(zeros)
    assert max(sizes) <= CHUNK_SIZE


def test_contents_can_be_read_from_several_threads(tmp_path: Path) -> None:
    noise = [os.urandom(300_000) for _ in range(8)]
    data = build(*(Member(b"%d" % number, each, method=0) for number, each in enumerate(noise)))
    with open_zip(saved(tmp_path, data)) as archive, ThreadPoolExecutor(8) as pool:
        read_ones = pool.map(read_all, [entry.content for entry in archive.entries * 20])
        assert list(read_ones) == noise * 20


def test_directory_that_is_longer_than_what_is_held_of_it(tmp_path: Path) -> None:
    comments = [b"x" * (size * 1000) for size in range(60)]
    members = [Member(b"%02d" % number, comment=comment) for number, comment in enumerate(comments)]
    archive, contents = read(tmp_path, build(*members))
    assert sum(map(len, comments)) > 1 << 20
    assert [entry.name for entry in archive.entries] == [f"{number:02}" for number in range(60)]
    assert [entry.deviations for entry in archive.entries[1:]] == [
        (Deviation(Aspect.ZIP_COMMENTS, f"comment of {len(comment)} bytes"),) for comment in comments[1:]
    ]
    assert contents == [TEXT] * 60


def test_extra_field_that_is_longer_than_usual(tmp_path: Path) -> None:
    member = Member(local={"extra": field_of(0xA220, b"\0" * 60_000)})
    archive, contents = read(tmp_path, build(member, Member(b"b")))
    assert archive.entries[0].deviations == (Deviation(Aspect.ZIP_EXTRA_FIELDS, "extra field 0xa220 (padding)"),)
    assert contents == [TEXT, TEXT]


def test_empty_archive_has_no_entries(tmp_path: Path) -> None:
    archive, _ = read(tmp_path, build())
    assert archive == Archive("it-1-py3-none-any.whl", ())


def test_empty_file_may_be_stored_or_deflated(tmp_path: Path) -> None:
    archive, contents = read(tmp_path, build(Member(b"a", b"", method=0), Member(b"b", b"")))
    assert contents == [b"", b""]
    assert [entry.packed.size for entry in archive.entries if entry.packed] == [0, 2]


def test_directory_loses_its_slash(tmp_path: Path) -> None:
    archive, contents = read(tmp_path, build(directory(), directory(b"q/", packed=b"\3\0", method=8), Member()))
    assert [(entry.name, entry.kind, entry.mode) for entry in archive.entries] == [
        ("pkg", Kind.DIRECTORY, 0o755),
        ("q", Kind.DIRECTORY, 0o755),
        ("pkg/a.py", Kind.FILE, 0o644),
    ]
    assert contents == [b"", b"", TEXT]
    assert all(entry.deviations == () for entry in archive.entries)


def test_zipfile_output_is_read(tmp_path: Path) -> None:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("pkg/a.py", TEXT)
        file.writestr(zipfile.ZipInfo("stored", (2020, 2, 2, 12, 0, 0)), b"x")
    archive, contents = read(tmp_path, sink.getvalue())
    assert contents == [TEXT, b"x"]
    assert archive.entries[1].mtime == NOON_SECONDS


@pytest.mark.parametrize("force_zip64", [False, True])
def test_zipfile_stream_with_data_descriptors_is_read(tmp_path: Path, force_zip64: bool) -> None:
    sink = OneWay()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as file:  # type: ignore[call-overload]
        for name in ("a", "b"):
            with file.open(name, "w", force_zip64=force_zip64) as member:
                member.write(TEXT)
    archive, contents = read(tmp_path, bytes(sink.data))
    assert contents == [TEXT, TEXT]
    codes = {deviation.aspect for entry in archive.entries for deviation in entry.deviations}
    assert codes >= ({Aspect.ZIP_FLAGS, Aspect.ZIP64} if force_zip64 else {Aspect.ZIP_FLAGS})


def odd(detail: str, code: str, **changes: object) -> object:
    return pytest.param(Member(**changes), [(code, detail)], id=detail)  # type: ignore[arg-type]


ODD_MEMBERS = [
    odd("time 0x0000 and date 0x0000 are not a valid date", Aspect.ZIP_TIMES, time=0, date=0),
    odd("another time in the local header than in the central directory", Aspect.ZIP_TIMES, local={"time": 7}),
    odd("no Unix mode", Aspect.ZIP_MODES, external=0),
    odd("no file type in the mode 0o644", Aspect.ZIP_MODES, external=0o644 << 16),
    odd("DOS attributes 0x20", Aspect.ZIP_MODES, external=FILE_0644 | 0x20),
    odd("made by system 0 (DOS)", Aspect.ZIP_VERSIONS, made_by=20),
    odd("made by system 99 (unknown)", Aspect.ZIP_VERSIONS, made_by=99 << 8 | 20),
    odd("made by version 6.3 instead of 2.0", Aspect.ZIP_VERSIONS, made_by=3 << 8 | 63),
    odd("version needed 2.0 instead of 1.0", Aspect.ZIP_VERSIONS, data=b"x", method=0, needed=20),
    odd("version needed, in the local header, 1.0 instead of 2.0", Aspect.ZIP_VERSIONS, local={"needed": 10}),
    odd("internal attributes 0x0001", Aspect.ZIP_VERSIONS, internal=1),
    odd("extra field 0x5455 (Unix times)", Aspect.ZIP_EXTRA_FIELDS, extra=field_of(0x5455, b"\3" + bytes(8))),
    odd(
        "extra field 0x7875 (Unix owner)", Aspect.ZIP_EXTRA_FIELDS, local={"extra": field_of(0x7875, b"\1\4abcd\4efgh")}
    ),
    odd("extra field 0x1234 (unknown)", Aspect.ZIP_EXTRA_FIELDS, extra=field_of(0x1234, b"")),
    odd("comment of 5 bytes", Aspect.ZIP_COMMENTS, comment=b"hello"),
    odd("flag 0x0002 (compression level)", Aspect.ZIP_FLAGS, flags=2),
    odd("flag 0x0800 (UTF-8 name)", Aspect.ZIP_FLAGS, flags=0x800),
    odd(
        "ZIP64 extra field in the local header, where nothing needs it",
        Aspect.ZIP64,
        local={"extra": zip64(len(TEXT), len(deflated(TEXT))), "size": FULL, "packed_size": FULL},
    ),
    odd(
        "ZIP64 extra field in the local header, where nothing needs it",
        Aspect.ZIP64,
        local={"extra": zip64(len(TEXT), len(deflated(TEXT)))},
    ),
]


@pytest.mark.parametrize(("member", "expected"), ODD_MEMBERS)
def test_deviation_of_a_member_is_told(tmp_path: Path, member: Member, expected: list[tuple[str, str]]) -> None:
    archive, contents = read(tmp_path, build(member))
    assert contents == [member.data]
    assert archive.entries[0].deviations == tuple(Deviation(*deviation) for deviation in expected)
    assert archive.deviations == ()


def test_missing_or_impossible_facts_get_the_plain_ones(tmp_path: Path) -> None:
    archive, _ = read(tmp_path, build(Member(external=0, time=0, date=0), directory(b"d/", external=0x10)))
    assert [entry.mode for entry in archive.entries] == [0o644, 0o755]
    assert archive.entries[0].mtime == 315532800


@pytest.mark.parametrize(
    ("attributes", "detail"), [(0, "no DOS attribute says that it is a directory"), (0x30, "DOS attributes 0x30")]
)
def test_odd_attributes_of_a_directory_are_told(tmp_path: Path, attributes: int, detail: str) -> None:
    archive, _ = read(tmp_path, build(directory(external=0o040755 << 16 | attributes)))
    assert archive.entries[0].deviations == (Deviation(Aspect.ZIP_MODES, detail),)


@pytest.mark.parametrize("width", [4, 8])
@pytest.mark.parametrize("data", [TEXT, b""])
@pytest.mark.parametrize("zeroed", [True, False])
def test_data_descriptor_is_read(tmp_path: Path, data: bytes, width: int, zeroed: bool) -> None:
    """Its sizes are as wide as the local header says (APPNOTE 4.3.9.2)."""
    plain = Member(data=data, flags=8)
    local: dict[str, int | bytes] = {"crc": 0, "size": 0, "packed_size": 0} if zeroed else {}
    if width == 8:
        sizes = (0, 0) if zeroed else (len(data), len(plain.contents()))
        local.update(size=FULL, packed_size=FULL, extra=zip64(*sizes))
    first = Member(data=data, flags=8, local=local, descriptor=descriptor(plain, width=width))
    archive, contents = read(tmp_path, build(first, Member(b"b")))
    assert contents == [data, TEXT]
    assert archive.deviations == ()
    assert archive.entries[0].deviations[0] == Deviation(Aspect.ZIP_FLAGS, "flag 0x0008 (data descriptor)")
    assert len(archive.entries[0].deviations) == width // 4


@pytest.mark.parametrize(
    ("mode", "expected"), [(0o100655, 0o655), (0o100644, 0o644), (0o755, 0o644), (0o777, 0o666), (0, 0o644)]
)
def test_mode_is_what_pip_makes_of_it(tmp_path: Path, mode: int, expected: int) -> None:
    """Executable is what is marked as a regular file and has one of the three bits."""
    archive, _ = read(tmp_path, build(Member(external=mode << 16)))
    assert archive.entries[0].mode == expected


def test_order_is_reported(tmp_path: Path) -> None:
    archive, contents = read(tmp_path, build(Member(), Member(b"b"), order=[1, 0]))
    assert [entry.name for entry in archive.entries] == ["b", "pkg/a.py"]
    assert contents == [TEXT, TEXT]
    detail = "members lie in another order than the central directory's"
    assert archive.deviations == (Deviation(Aspect.ZIP_LAYOUT, detail),)


@pytest.mark.parametrize("size", [1, 22, 65535])
def test_archive_comment_is_told(tmp_path: Path, size: int) -> None:
    archive, contents = read(tmp_path, build(Member(), comment=b"c" * size))
    assert contents == [TEXT]
    assert archive.deviations == (Deviation(Aspect.ZIP_COMMENTS, f"comment of {size} bytes"),)


FITTING = zip64(len(TEXT), len(deflated(TEXT)))


def test_zip64_sizes_are_read(tmp_path: Path) -> None:
    member = Member(extra=FITTING, size=FULL, packed_size=FULL)
    archive, contents = read(tmp_path, build(member))
    assert contents == [TEXT]
    assert {deviation.aspect for deviation in archive.entries[0].deviations} == {Aspect.ZIP64}


@pytest.mark.parametrize(
    ("changes", "extra"),
    [
        ({"size": FULL}, zip64(len(TEXT))),
        ({"packed_size": FULL}, zip64(len(deflated(TEXT)))),
    ],
    ids=["size", "packed size"],
)
def test_zip64_holds_only_the_full_fields(tmp_path: Path, changes: dict[str, int], extra: bytes) -> None:
    _, contents = read(tmp_path, build(Member(**changes, extra=extra)))  # type: ignore[arg-type]
    assert contents == [TEXT]


def test_zip64_offset_is_read_after_the_sizes(tmp_path: Path) -> None:
    second = Member(b"b", offset=FULL, extra=zip64(len(build(Member())) - 22 - 46 - 8), local={"extra": b""})
    archive, contents = read(tmp_path, build(Member(), second))
    assert contents == [TEXT, TEXT]
    assert [deviation.aspect for deviation in archive.entries[1].deviations] == [Aspect.ZIP64]


@pytest.mark.parametrize(
    ("end", "end64"),
    [
        ({}, {}),
        ({"here": 0xFFFF, "count": 0xFFFF, "size": FULL, "offset": FULL}, {}),
        ({}, {"made_by": 20}),
    ],
)
def test_zip64_end_record_is_read(tmp_path: Path, end: dict[str, int], end64: dict[str, int]) -> None:
    archive, contents = read(tmp_path, build(Member(), end=end, end64=end64))
    assert contents == [TEXT]
    assert archive.deviations == (Deviation(Aspect.ZIP64, "a ZIP64 end record, though all fits without it"),)


MANY = [Member(b"%d" % number, b"", method=0) for number in range(0xFFFF)]
FULL_COUNT = {"here": 0xFFFF, "count": 0xFFFF}


@pytest.mark.parametrize(
    ("end", "end64", "details"),
    [
        ({}, None, ["no ZIP64 end record, though the end record's fields are full"]),
        pytest.param(FULL_COUNT, {}, [], marks=pytest.mark.slow("reads 65,535 members once more")),
    ],
    ids=["no ZIP64", "ZIP64"],
)
def test_65535_members_are_read(
    tmp_path: Path, end: dict[str, int], end64: dict[str, int] | None, details: list[str]
) -> None:
    with open_zip(saved(tmp_path, build(*MANY, end=end, end64=end64))) as archive:
        assert len(archive.entries) == 0xFFFF
        assert archive.deviations == tuple(Deviation(Aspect.ZIP64, detail) for detail in details)


@pytest.mark.parametrize("version", [45, 63])
def test_members_beyond_4_gib_are_read(tmp_path: Path, version: int) -> None:
    large = (1 << 32) + 12_345
    extra = zip64(large, large)
    first = Member(b"large.bin", b"", method=0, needed=45, size=FULL, packed_size=FULL, extra=extra)
    start = build(first)[: 30 + len(b"large.bin") + len(extra)]
    offset = len(start) + large
    second = Member(b"second.txt", TEXT, needed=45, made_by=3 << 8 | 45, extra=zip64(offset), offset=FULL)
    second_file = build(Member(b"second.txt"))
    local = second_file[: 30 + len(b"second.txt") + len(deflated(TEXT))]
    wide = Member(b"large.bin", b"", method=0, needed=45, made_by=3 << 8 | 45, size=FULL, packed_size=FULL, extra=extra)
    central = build(wide, second).split(b"PK\x01\x02")[1:]
    records = b"".join(b"PK\x01\x02" + record for record in [central[0], central[1].split(b"PK\x05\x06")[0]])
    at = offset + len(local)
    end64 = struct.pack("<4sQHHLLQQQQ", b"PK\x06\x06", 44, version, 45, 0, 0, 2, 2, len(records), at)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, at + len(records), 1)
    end = struct.pack("<4sHHHHLLH", b"PK\x05\x06", 0, 0, 2, 2, len(records), FULL, 0)
    path = tmp_path / "large.whl"
    with path.open("wb") as file:
        file.write(start)
        file.truncate(offset)
        file.seek(offset)
        file.write(local + records + end64 + locator + end)
    with open_zip(path) as archive:
        assert [(entry.name, entry.content.size) for entry in archive.entries] == [
            ("large.bin", large),
            ("second.txt", len(TEXT)),
        ]
        assert read_all(archive.entries[1].content) == TEXT
        assert next(iter(archive.entries[0].content.chunks())).strip(b"\0") == b""
        detail = "a ZIP64 end record with other versions or fields than are needed"
        assert archive.deviations == (() if version == 45 else (Deviation(Aspect.ZIP64, detail),))
        assert [entry.deviations for entry in archive.entries] == [(), ()]


def test_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="cannot be opened: No such file"), open_zip(tmp_path / "none.whl"):
        pass


def test_directory_is_no_archive(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="cannot be opened"), open_zip(tmp_path):
        pass


@pytest.mark.skipif(not Path("/dev/fd").is_dir(), reason="no /dev/fd, by which a pipe has a path")
def test_pipe_is_no_archive() -> None:
    reading, writing = os.pipe()
    os.close(writing)
    with pytest.raises(ArchiveError, match="cannot be opened"), open_zip(Path(f"/dev/fd/{reading}")):
        pass
    os.close(reading)


def test_file_is_closed_afterwards(tmp_path: Path) -> None:
    with open_zip(saved(tmp_path, build(Member()))) as archive:
        pass
    with pytest.raises(ValueError, match="closed"):
        read_all(archive.entries[0].content)


def test_file_that_cannot_be_read_is_told() -> None:
    class Failing(io.BytesIO):
        def read(self, *_: object) -> bytes:
            raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(ArchiveError, match=r"it\.whl: cannot be read: Input/output error") as caught:
        read_directory(Source(Failing(build(Member())), "it.whl"))
    assert "fetch or build it again" in caught.value.remedy


def test_pieces_of_a_stream_that_hold_no_contents(tmp_path: Path) -> None:
    """A deflate stream may have any number of empty blocks, so a piece of it may give nothing."""
    nothing = b"\0\0\0\xff\xff" * (CHUNK_SIZE // 5 + 1)
    _, (contents,) = read(tmp_path, build(Member(packed=nothing + deflated(TEXT))))
    assert contents == TEXT


@pytest.mark.parametrize(
    ("local", "central", "details"),
    [
        ((bytes(16),), (bytes(24),), []),
        (
            (bytes(8),),
            (bytes(16),),
            [
                "ZIP64 extra field of 8 bytes in the local header",
                "ZIP64 extra field of 16 bytes in the central directory",
            ],
        ),
    ],
)
def test_members_that_need_zip64_are_to_have_just_that(
    local: tuple[bytes, ...], central: tuple[bytes, ...], details: list[str]
) -> None:
    """Here on headers alone, for such members are larger than 4 GiB."""
    extras = [tuple((1, data) for data in fields) for fields in (local, central)]
    here = MemberHeader(45, 0, 0, *NOON, 0, FULL, FULL, b"a", extras[0])
    there = here._replace(made_by=3 << 8 | 45, external=FILE_0644, offset=FULL, extra=extras[1])
    assert member_deviations(there, here) == tuple(Deviation(Aspect.ZIP64, detail) for detail in details)


@pytest.mark.parametrize("width", [8, 4])
def test_data_descriptor_of_a_member_beyond_4_gib_has_wide_sizes(tmp_path: Path, width: int) -> None:
    large, crc = (1 << 32) + 5, 7
    extra = zip64(large, large)
    member = Member(b"a", b"", 8, b"", needed=45, flags=8, crc=crc, size=FULL, packed_size=FULL, extra=extra)
    whole = build(member)
    start, central = whole[: 31 + len(extra)], whole[31 + len(extra) : -22]
    sizes = struct.pack("<QQ", large, large) if width == 8 else struct.pack("<LL", large - (1 << 32), large - (1 << 32))
    path = tmp_path / "large.whl"
    with path.open("wb") as file:
        file.write(start)
        file.seek(large, 1)
        file.write(b"PK\x07\x08" + struct.pack("<L", crc) + sizes)
        at = file.tell()
        end64 = struct.pack("<4sQHHLLQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, len(central), at)
        locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, at + len(central), 1)
        end = struct.pack("<4sHHHHLLH", b"PK\x05\x06", 0, 0, 1, 1, len(central), FULL, 0)
        file.write(central + end64 + locator + end)
    if width == 8:
        with open_zip(path) as archive:
            assert [entry.content.size for entry in archive.entries] == [large]
    else:
        with pytest.raises(ArchiveError, match="its data descriptor is missing or contradicts"), open_zip(path):
            pass
