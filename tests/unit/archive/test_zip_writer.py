"""The canonical ZIP form, byte by byte."""

from __future__ import annotations

import hashlib
import io
import random
import shutil
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from support.zips import FULL, NOON, NOON_SECONDS, TEXT, Member, build, deflated, directory, saved, zip64

from samebytes.archive import limits
from samebytes.archive.entry import CHUNK_SIZE, Data, Deferred, Entry, Kind, Written, read_all
from samebytes.archive.zip_layout import Stream, central_header, local_header, write_directory
from samebytes.archive.zip_reader import open_zip
from samebytes.archive.zip_writer import MOST_TOGETHER, write_zip
from samebytes.deflate.stream import Encoder
from samebytes.errors import ArchiveError, HostileArchiveError

NOISE = random.Random(3).randbytes(5000)


class Cut:
    """Contents that come in pieces of a given size, and may lie about how many they are."""

    def __init__(self, data: bytes, step: int, size: int | None = None) -> None:
        self.data = data
        self.step = step
        self.size = len(data) if size is None else size

    def chunks(self) -> Iterator[bytes]:
        for at in range(0, len(self.data), self.step):
            yield self.data[at : at + self.step]


def entry(name: str = "pkg/a.py", data: bytes = TEXT, mode: int = 0o644, mtime: float = NOON_SECONDS) -> Entry:
    return Entry(name, Kind.FILE, mode, mtime, Data(data))


def written(*entries: Entry) -> tuple[bytes, tuple[Written, ...]]:
    sink = io.BytesIO()
    told = write_zip(sink, entries, Encoder())
    assert sink.tell() == len(sink.getvalue())
    return sink.getvalue(), told


def test_a_file_is_laid_out_as_specified() -> None:
    packed = deflated(TEXT)
    facts = struct.pack("<HHLLL", *NOON, zlib.crc32(TEXT), len(packed), len(TEXT)) + struct.pack("<HH", 8, 0)
    local = b"PK\x03\x04" + b"\x14\0" + b"\0\0" + b"\x08\0" + facts + b"pkg/a.py" + packed
    rest = b"\0\0" + b"\0\0" + b"\0\0" + struct.pack("<L", 0o100644 << 16) + b"\0\0\0\0" + b"pkg/a.py"
    central = b"PK\x01\x02" + b"\x14\x03" + b"\x14\0" + b"\0\0" + b"\x08\0" + facts + rest
    end = b"PK\x05\x06" + b"\0\0\0\0" + b"\1\0\1\0" + struct.pack("<LL", len(central), len(local)) + b"\0\0"
    assert written(entry())[0] == local + central + end


def test_no_entries_make_an_empty_archive() -> None:
    assert written() == (b"PK\x05\x06" + bytes(18), ())


def test_several_members_are_laid_out_as_specified() -> None:
    data, _ = written(
        entry(),
        entry("run", b"#!", mode=0o755),
        entry("é", NOISE),
        entry("empty", b""),
        Entry("d", Kind.DIRECTORY, 0o755, NOON_SECONDS),
    )
    assert data == build(
        Member(),
        Member(b"run", b"#!", method=0, external=0o100755 << 16),
        Member("é".encode(), NOISE, method=0, flags=0x800),
        Member(b"empty", b"", method=0),
        directory(b"d/"),
    )


@pytest.mark.parametrize(
    ("data", "method"),
    [(b"", 0), (b"x", 0), (b"xyz" * 2, 0), (bytes(100), 8), (NOISE, 0), (NOISE + bytes(100), 8)],
)
def test_contents_are_stored_where_deflate_is_not_smaller(data: bytes, method: int) -> None:
    file, _ = written(entry(data=data))
    assert file == build(Member(data=data, method=method))


def test_stream_of_equal_length_is_not_kept() -> None:
    equal = next(data for data in (b"a" * n + b"bcd" for n in range(50)) if len(deflated(data)) == len(data))
    file, _ = written(entry(data=equal))
    assert file == build(Member(data=equal, method=0))


def test_large_noise_is_stored_after_all() -> None:
    noise = random.Random(4).randbytes(2_500_000)
    file, told = written(entry(data=noise), entry("after"))
    assert file == build(Member(data=noise, method=0), Member(b"after"))
    assert told[0].packed_size == len(noise)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (NOON_SECONDS + 1, NOON),
        (NOON_SECONDS + 1.999, NOON),
        (NOON_SECONDS + 2, (NOON[0] + 1, NOON[1])),
        (0, (0, 1 << 5 | 1)),
        (-1e18, (0, 1 << 5 | 1)),
        (315532800, (0, 1 << 5 | 1)),
        (4354819198, (23 << 11 | 59 << 5 | 29, 127 << 9 | 12 << 5 | 31)),
        (4354819200, (23 << 11 | 59 << 5 | 29, 127 << 9 | 12 << 5 | 31)),
        (1e18, (23 << 11 | 59 << 5 | 29, 127 << 9 | 12 << 5 | 31)),
    ],
)
def test_times_are_even_seconds_within_the_range_of_the_format(seconds: float, expected: tuple[int, int]) -> None:
    assert written(entry(mtime=seconds))[0] == build(Member(time=expected[0], date=expected[1]))


def test_what_is_written_is_told() -> None:
    _, told = written(entry(), entry("noise", NOISE), Entry("d", Kind.DIRECTORY, 0o755, NOON_SECONDS))
    packed = deflated(TEXT)
    nothing = hashlib.sha256().digest()
    assert told == (
        Written("pkg/a.py", len(TEXT), hashlib.sha256(TEXT).digest(), len(packed), zlib.crc32(packed)),
        Written("noise", len(NOISE), hashlib.sha256(NOISE).digest(), len(NOISE), zlib.crc32(NOISE)),
        Written("d", 0, nothing, 0, 0),
    )


def test_deferred_contents_are_made_from_what_was_written_before() -> None:
    seen: list[Sequence[Written]] = []

    def make(before: Sequence[Written]) -> bytes:
        seen.append(before)
        return b"RECORD of %d" % len(before)

    file, told = written(entry(), Entry("RECORD", Kind.FILE, 0o644, NOON_SECONDS, Deferred(make)), entry("z"))
    assert file == build(Member(), Member(b"RECORD", b"RECORD of 1", method=0), Member(b"z"))
    assert seen == [told[:1]]


@pytest.mark.parametrize("step", [1, 7, 1 << 14, 1 << 20])
def test_bytes_do_not_depend_on_how_contents_come(step: int) -> None:
    for data in (TEXT, NOISE):
        assert written(entry()._replace(content=Cut(data, step)))[0] == written(entry(data=data))[0]


def test_sink_may_already_hold_something() -> None:
    sink = io.BytesIO(b"before")
    sink.seek(6)
    write_zip(sink, [entry(), entry("noise", NOISE)], Encoder())
    assert sink.getvalue() == b"before" + build(Member(), Member(b"noise", NOISE, method=0))


def test_symbolic_link_is_refused() -> None:
    with pytest.raises(ArchiveError, match="'l': is a symbolic link"):
        written(Entry("l", Kind.SYMLINK, 0o777, NOON_SECONDS, target="a"))


@pytest.mark.parametrize(("name", "problem"), [("\udcff", "cannot be written as UTF-8"), ("x" * 65536, "is too long")])
def test_name_that_does_not_fit_is_refused(name: str, problem: str) -> None:
    with pytest.raises(ArchiveError, match=problem):
        written(entry(name))


@pytest.mark.parametrize("size", [0, len(TEXT) - 1, len(TEXT) + 1])
def test_contents_that_are_not_as_large_as_they_say_are_refused(size: int) -> None:
    with pytest.raises(ArchiveError, match=f"'pkg/a.py': gave {len(TEXT)} bytes instead of {size}"):
        written(entry()._replace(content=Cut(TEXT, 100, size)))


def test_second_run_changes_nothing(tmp_path: Path) -> None:
    first, told = written(entry(), entry("é", NOISE), entry("x", b"", mode=0o755), entry("z", bytes(3_000_000)))
    with open_zip(saved(tmp_path, first)) as archive:
        assert archive.deviations == ()
        assert {one.deviations for one in archive.entries} == {()}
        assert written(*archive.entries) == (first, told)
        crcs = [one.packed.crc() for one in archive.entries if one.packed]
    assert crcs == [one.packed_crc for one in told]


def test_others_read_it(tmp_path: Path) -> None:
    path = saved(
        tmp_path, written(entry(), entry("é/noise", NOISE), entry("big", bytes(3_000_000)), entry("e", b""))[0]
    )
    with zipfile.ZipFile(path) as file:
        assert file.testzip() is None
        assert file.namelist() == ["pkg/a.py", "é/noise", "big", "e"]
        assert file.read("é/noise") == NOISE
        assert {info.date_time for info in file.infolist()} == {(2020, 2, 2, 12, 0, 0)}
    subprocess.run([sys.executable, "-m", "zipfile", "-t", path], check=True, stdout=subprocess.DEVNULL)


@pytest.mark.skipif(not shutil.which("unzip"), reason="unzip is not installed")
def test_unzip_reads_it(tmp_path: Path) -> None:
    path = saved(tmp_path, written(entry(), entry("é/noise", NOISE), entry("e", b""))[0])
    told = subprocess.run(["unzip", "-t", path], check=True, capture_output=True, text=True).stdout
    assert "No errors detected" in told


# ZIP64: what would take gigabytes to make is made of forged sizes.

LARGE = 1 << 33


@pytest.mark.parametrize(
    ("size", "packed_size", "method", "extra"),
    [
        (FULL - 1, FULL - 1, 0, b""),
        (FULL, FULL, 0, zip64(FULL, FULL)),
        (FULL, 5, 8, zip64(FULL, 5)),
        (LARGE, LARGE - 1, 8, zip64(LARGE, LARGE - 1)),
    ],
)
def test_sizes_that_do_not_fit_go_to_both_headers_zip64_fields(
    size: int, packed_size: int, method: int, extra: bytes
) -> None:
    packed = Stream(method, packed_size, 7)
    narrow = {"size": FULL, "packed_size": FULL} if extra else {"size": size, "packed_size": packed_size}
    member = Member(
        data=b"", packed=b"", crc=7, method=method, extra=extra, made_by=3 << 8 | (45 if extra else 20),
        needed=45 if extra else None, **narrow,
    )  # fmt: skip
    file = build(member)
    local, central = file[: file.index(b"PK\1\2")], file[file.index(b"PK\1\2") : -22]
    assert local_header(entry(), size, packed) == local
    assert central_header(entry(), size, packed, 0) == central


@pytest.mark.parametrize(
    ("size", "offset", "extra"),
    [
        (100, FULL - 1, b""),
        (100, FULL, zip64(FULL)),
        (100, LARGE, zip64(LARGE)),
        (LARGE, LARGE, zip64(LARGE, 50, LARGE)),
        (LARGE, 5, zip64(LARGE, 50)),
    ],
)
def test_offset_that_does_not_fit_goes_to_the_central_zip64_field(size: int, offset: int, extra: bytes) -> None:
    header = central_header(entry(), size, Stream(8, 50, 7), offset)
    assert header[46 + len("pkg/a.py") :] == extra
    assert struct.unpack_from("<L", header, 42) == (min(offset, FULL),)
    assert header[4:8] == (b"\x2d\x03\x2d\0" if extra else b"\x14\x03\x14\0")


@pytest.mark.parametrize("offset", [FULL - 1, FULL, LARGE])
def test_end_records_of_a_directory_that_lies_far_away(offset: int) -> None:
    sink = io.BytesIO()
    write_directory(sink, [b"one", b"two"], offset)
    wide = struct.pack("<4sQHHLLQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, 2, 2, 6, offset)
    wide += struct.pack("<4sLQL", b"PK\6\7", 0, offset + 6, 1)
    narrow = struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, 2, 2, 6, min(offset, FULL), 0)
    assert sink.getvalue() == b"onetwo" + (wide if offset >= FULL else b"") + narrow


@pytest.mark.parametrize("count", [0xFFFE, 0xFFFF, 0x10000])
def test_end_records_of_many_members(count: int) -> None:
    sink = io.BytesIO()
    write_directory(sink, [b""] * count, 9)
    wide = struct.pack("<4sQHHLLQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, count, count, 0, 9)
    wide += struct.pack("<4sLQL", b"PK\6\7", 0, 9, 1)
    full = min(count, 0xFFFF)
    narrow = struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, full, full, 0, 9, 0)
    assert sink.getvalue() == (wide if count >= 0xFFFF else b"") + narrow


def test_forged_giant_is_read_without_deviations(tmp_path: Path) -> None:
    giant = Stream(0, LARGE)
    small = Stream(8, len(deflated(TEXT)), zlib.crc32(TEXT))
    path = tmp_path / "giant.whl"
    with path.open("wb") as sink:
        sink.write(local_header(entry("giant"), LARGE, giant))
        far = sink.seek(LARGE, io.SEEK_CUR)
        sink.write(local_header(entry("small"), len(TEXT), small) + deflated(TEXT))
        headers = [
            central_header(entry("giant"), LARGE, giant, 0),
            central_header(entry("small"), len(TEXT), small, far),
        ]
        write_directory(sink, headers, sink.tell())
    with open_zip(path) as archive:
        assert [one.content.size for one in archive.entries] == [LARGE, len(TEXT)]
        assert read_all(archive.entries[1].content) == TEXT
        assert archive.deviations == ()
        assert [one.deviations for one in archive.entries] == [(), ()]
    with zipfile.ZipFile(path) as file:
        assert [info.file_size for info in file.infolist()] == [LARGE, len(TEXT)]
        assert file.read("small") == TEXT


@pytest.mark.parametrize(
    "sizes", [[3] * (2 * MOST_TOGETHER + 5), [CHUNK_SIZE * 2 // 3] * 4, [CHUNK_SIZE, 1, CHUNK_SIZE]]
)
def test_small_members_are_compressed_together_up_to_a_number_and_a_size(sizes: list[int]) -> None:
    entries = [entry(f"{at:04}", bytes([at % 256]) * size) for at, size in enumerate(sizes)]
    data, told = written(*entries)
    assert [one.name for one in told] == [each.name for each in entries]
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert [file.read(each.name) for each in entries] == [read_all(each.content) for each in entries]


def test_contents_that_depend_on_what_is_written_cannot_be_read_before() -> None:
    with pytest.raises(RuntimeError, match="made by the writer"):
        read_all(Deferred(lambda _: b""))


def test_an_archive_that_no_reader_of_ours_would_take_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stored file has any ratio once it is compressed: what is written would be refused when it is read again."""
    monkeypatch.setenv(limits.VARIABLE, "expanded=1M,expansion=100")
    limits.budgets.cache_clear()
    try:
        write_zip(io.BytesIO(), [entry("a", random.Random(4).randbytes(1 << 16) * 17)], Encoder())
        with pytest.raises(HostileArchiveError, match="the normalized archive: 1,114,112 bytes that its") as caught:
            write_zip(io.BytesIO(), [entry("a", b"\0" * (1 << 16) * 17)], Encoder())
        assert "SAMEBYTES_LIMITS=expanded=1114112" in caught.value.remedy
    finally:
        limits.budgets.cache_clear()
