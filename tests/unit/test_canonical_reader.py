"""The independent reader of the canonical form, tried on archives made here by hand from the same document.

Nothing of samebytes is imported: what is tested is the reader that samebytes is held against, and the document.
"""

from __future__ import annotations

import ast
import base64
import hashlib
import json
import re
import struct
import uuid
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from support import canonical_code, canonical_reader
from support.canonical_reader import check_sdist, check_wheel

DATE = 1580601600
DOS_TIME, DOS_DATE = 0, 40 << 9 | 2 << 5 | 2
DOCUMENT = Path(__file__).parents[2] / "docs" / "canonical-form.md"

METADATA = b"Metadata-Version: 2.1\nName: a\nVersion: 1\n"
WHEEL = b"Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
PAYLOAD = {b"a.py": b"x = 1\n", "é.txt".encode(): b"long line of text " * 20, b"z/empty": b""}


# -- a wheel by hand


def deflated(data: bytes, level: int = 6) -> bytes:
    """Return the stream of less than 1 MiB of contents: one segment."""
    assert len(data) <= 1 << 20
    compressor = zlib.compressobj(level, zlib.DEFLATED, -15, 8)
    return compressor.compress(data) + compressor.flush()


def record_row(name: bytes, data: bytes) -> bytes:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=")
    return b"%b,sha256=%b,%d\n" % (name, digest, len(data))


def record_of(files: dict[bytes, bytes], record: bytes = b"a-1.dist-info/RECORD") -> bytes:
    return b"".join(record_row(name, files[name]) for name in sorted(files)) + record + b",,\n"


def wheel_files(**changed: bytes) -> list[tuple[bytes, bytes]]:
    """Return a small wheel's files in order; *changed* replaces or adds files of its dist-info directory."""
    inside = {"METADATA": METADATA, "WHEEL": WHEEL, **changed}
    files = {**PAYLOAD, **{b"a-1.dist-info/" + name.encode(): data for name, data in inside.items()}}
    record = files.pop(b"a-1.dist-info/RECORD", None)
    order = sorted(files, key=lambda name: (name.startswith(b"a-1.dist-info/"), name))
    return [(name, files[name]) for name in order] + [(b"a-1.dist-info/RECORD", record or record_of(files))]


def with_payload(extra: dict[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    """Return the files of a small wheel with more payload."""
    files = {**dict(wheel_files()[:-1]), **extra}
    order = sorted(files, key=lambda name: (name.startswith(b"a-1.dist-info/"), name))
    return [(name, files[name]) for name in order] + [(b"a-1.dist-info/RECORD", record_of(files))]


Change = Callable[[bytes, dict[str, int]], None]


def zip64_extra(*values: int) -> bytes:
    return struct.pack(f"<2H{len(values)}Q", 1, 8 * len(values), *values) if values else b""


def zip_of(
    files: list[tuple[bytes, bytes]],
    *,
    change: Change = lambda _name, _fields: None,
    order: list[int] | None = None,
    pack: Callable[[bytes], bytes] = deflated,
    between: bytes = b"",
    limits: tuple[int, int] = (0xFFFF, 0xFFFFFFFF),
    end: dict[str, int] | None = None,
) -> bytes:
    """Return a ZIP file; *change* may alter the fields of any member's headers before they are written.

    *limits* are those from which on ZIP64 is used, for numbers of members and for sizes.
    """
    out = bytearray()
    headers = []
    for name, data in files:
        packed = pack(data)
        method, body = (8, packed) if data and len(packed) < len(data) else (0, data)
        sizes = (len(data), len(body)) if len(data) >= limits[1] else ()
        offset = (len(out),) if len(out) >= limits[1] else ()
        version = 20 if method else 10
        fields = {
            "needed": 45 if sizes or offset else version,
            "local_needed": 45 if sizes else version,
            "flags": 0 if name.isascii() else 0x800,
            "method": method,
            "time": DOS_TIME,
            "date": DOS_DATE,
            "crc": zlib.crc32(data),
            "packed": 0xFFFFFFFF if sizes else len(body),
            "size": 0xFFFFFFFF if sizes else len(data),
            "made": 0x32D if sizes or offset else 0x314,
            "comment": 0,
            "disk": 0,
            "internal": 0,
            "external": (0o100755 if b".data/scripts/" in name else 0o100644) << 16,
            "offset": 0xFFFFFFFF if offset else len(out),
        }
        change(name, fields)
        shared = ["needed", "flags", "method", "time", "date", "crc", "packed", "size"]
        local_extra, extra = zip64_extra(*sizes), zip64_extra(*sizes, *offset)
        local = [fields.get(f"local_{key}", fields[key]) for key in shared]
        out += b"PK\3\4" + struct.pack("<5H3L2H", *local, len(name), len(local_extra)) + name + local_extra + body
        out += between
        central = struct.pack("<6H3L2H", fields["made"], *(fields[key] for key in shared), len(name), len(extra))
        rest = [fields[key] for key in ("comment", "disk", "internal", "external", "offset")]
        headers.append(b"PK\1\2" + central + struct.pack("<3H2L", *rest) + name + extra)
    return bytes(out + ending([headers[number] for number in (order or range(len(headers)))], len(out), limits, end))


def ending(headers: list[bytes], offset: int, limits: tuple[int, int], end: dict[str, int] | None) -> bytes:
    """Return the central directory and what follows it; *end* replaces fields of the end record."""
    directory = b"".join(headers)
    count, size = len(headers), len(directory)
    wide = b""
    if count >= limits[0] or max(size, offset) >= limits[1]:
        wide = b"PK\6\6" + struct.pack("<Q2H2L4Q", 44, 45, 45, 0, 0, count, count, size, offset)
        wide += b"PK\6\7" + struct.pack("<LQL", 0, offset + size, 1)
    narrow = min(count, 0xFFFF)
    last = {"disk": 0, "first": 0, "here": narrow, "all": narrow, "size": size, "offset": offset, "comment": 0}
    return directory + wide + b"PK\5\6" + struct.pack("<4H2LH", *{**last, **(end or {})}.values())


def sections(findings: list[str]) -> set[str]:
    return {finding.partition(":")[0] for finding in findings}


def test_a_canonical_wheel_has_no_findings() -> None:
    assert check_wheel(zip_of(wheel_files()), DATE) == []


def test_every_single_byte_of_a_wheel_counts() -> None:
    data = zip_of(wheel_files())
    for offset in range(len(data)):
        for flip in (0x01, 0x20, 0x80):
            mutated = bytearray(data)
            mutated[offset] ^= flip
            assert check_wheel(bytes(mutated), DATE), f"byte {offset} ^ {flip:#x}"


def test_every_truncation_and_extension_of_a_wheel_is_found() -> None:
    data = zip_of(wheel_files())
    assert all(check_wheel(data[:length], DATE) for length in range(len(data)))
    assert all(check_wheel(data[start:], DATE) for start in range(1, len(data), 7))
    assert check_wheel(data + b"\0", DATE)
    assert check_wheel(b"\0" + data, DATE)


@pytest.mark.parametrize(
    ("date", "wanted"),
    [
        (0, (0, 33)),
        (315532799, (0, 33)),
        (315532800, (0, 33)),
        (315532803, (1, 33)),
        (1580644801, (12 << 11, DOS_DATE)),
        (1709164799, (23 << 11 | 59 << 5 | 29, 44 << 9 | 2 << 5 | 28)),
        (4354819198, (23 << 11 | 59 << 5 | 29, 127 << 9 | 12 << 5 | 31)),
    ],
)
def test_the_date_of_a_wheel(date: int, wanted: tuple[int, int]) -> None:
    def change(_name: bytes, fields: dict[str, int]) -> None:
        fields["time"], fields["date"] = wanted

    assert check_wheel(zip_of(wheel_files(), change=change), date) == []


@pytest.mark.parametrize("date", [-1, 4354819199])
def test_a_date_that_no_wheel_can_hold(date: int) -> None:
    assert sections(check_wheel(zip_of(wheel_files()), date)) == {"3"}
    assert sections(check_sdist(sdist_of(SMALL), date)) == {"3"}


def test_scripts_are_executable_and_other_files_may_be() -> None:
    files = with_payload({b"a-1.data/scripts/run": b"#!python", b"b": b"", b"a-1.data/data/x": b""})
    assert check_wheel(zip_of(files), DATE) == []

    def all_executable(_name: bytes, fields: dict[str, int]) -> None:
        fields["external"] = 0o100755 << 16

    def none_executable(_name: bytes, fields: dict[str, int]) -> None:
        fields["external"] = 0o100644 << 16

    assert check_wheel(zip_of(files, change=all_executable), DATE) == []
    assert sections(check_wheel(zip_of(files, change=none_executable), DATE)) == {"5.10"}


@pytest.mark.parametrize(
    ("field", "value", "section"),
    [
        ("needed", 11, "5.6"),
        ("needed", 45, "5.6"),
        ("local_needed", 11, "5.5"),
        ("flags", 0x0002, "5.6"),
        ("local_flags", 0x0008, "5.5"),
        ("flags", 0x0800, "5.6"),
        ("time", 1, "5.6"),
        ("local_time", 1, "5.5"),
        ("date", DOS_DATE + 1, "5.6"),
        ("local_date", 33, "5.5"),
        ("local_crc", 1, "5.5"),
        ("local_packed", 1, "5.5"),
        ("local_size", 1, "5.5"),
        ("made", 0x0014, "5.6"),
        ("made", 0x031E, "5.6"),
        ("made", 0x032D, "5.6"),
        ("internal", 1, "5.6"),
        ("disk", 1, "5.6"),
        ("external", 0, "5.10"),
        ("external", 0o644 << 16, "5.10"),
        ("external", 0o100664 << 16, "5.10"),
        ("external", 0o100644 << 16 | 0x20, "5.10"),
        ("external", 0o120777 << 16, "5.10"),
        ("offset", 1, "5.1"),
    ],
)
def test_a_wrong_header_field(field: str, value: int, section: str) -> None:
    def change(name: bytes, fields: dict[str, int]) -> None:
        if name == b"z/empty":
            fields[field] = value

    assert section in sections(check_wheel(zip_of(wheel_files(), change=change), DATE))


def test_the_utf8_flag_is_there_exactly_where_the_name_is_not_ascii() -> None:
    def never(_name: bytes, fields: dict[str, int]) -> None:
        fields["flags"] = 0

    def always(_name: bytes, fields: dict[str, int]) -> None:
        fields["flags"] = 0x800

    assert sections(check_wheel(zip_of(wheel_files(), change=never), DATE)) == {"5.5", "5.6"}
    assert sections(check_wheel(zip_of(wheel_files(), change=always), DATE)) == {"5.5", "5.6"}


@pytest.mark.parametrize(
    ("field", "value", "section"),
    [("disk", 1, "5.9"), ("first", 1, "5.9"), ("here", 5, "5.9"), ("all", 5, "5.1"), ("size", 9, "5.1")],
)
def test_a_wrong_end_record(field: str, value: int, section: str) -> None:
    assert section in sections(check_wheel(zip_of(wheel_files(), end={field: value}), DATE))


def test_layout_of_a_wheel() -> None:
    files = wheel_files()
    assert sections(check_wheel(zip_of(files, between=b"\0"), DATE)) == {"5.1", "5.5"}
    assert "5.1" in sections(check_wheel(zip_of(files, order=[1, 0, 2, 3, 4, 5]), DATE))
    assert "5.9" in sections(check_wheel(zip_of(files) + b"\0" * 22, DATE))
    assert "5.9" in sections(check_wheel(b"", DATE))
    prefixed = b"#!/bin/sh\n" + zip_of(files)
    assert check_wheel(prefixed, DATE)


def test_order_of_a_wheel() -> None:
    files = wheel_files()
    for wrong in ([1, 0, 2, 3, 4, 5], [3, 4, 5, 0, 1, 2], [0, 1, 2, 3, 5, 4], [5, 0, 1, 2, 3, 4]):
        assert sections(check_wheel(zip_of([files[number] for number in wrong]), DATE)) == {"5.2"}


@pytest.mark.parametrize("level", [1, 2, 5, 9])
def test_another_compression_level(level: int) -> None:
    # Short texts deflate alike at several levels, so this one is long.
    files = with_payload({b"text": canonical_reader.squares(50000)})
    findings = check_wheel(zip_of(files, pack=lambda data: deflated(data, level)), DATE)
    assert sections(findings) == {"4"}
    assert check_wheel(zip_of(files), DATE) == []


def test_stored_where_deflate_is_smaller_and_the_other_way_round() -> None:
    assert sections(check_wheel(zip_of(wheel_files(), pack=lambda data: data), DATE)) == {"5.3"}

    def packed_for_nothing(name: bytes, fields: dict[str, int]) -> None:
        if name == b"a.py":
            fields.update(method=8, needed=20, local_needed=20, packed=len(deflated(b"x = 1\n")))

    data = zip_of(wheel_files(), change=packed_for_nothing)
    stream = deflated(b"x = 1\n")
    start = data.index(b"x = 1\n")
    shifted = data[:start] + stream + data[start + 6 :]
    shift = len(stream) - 6
    assert shift == 2
    for match in re.finditer(b"PK\1\2", shifted):
        at = match.start() + 42
        offset = struct.unpack_from("<L", shifted, at)[0]
        shifted = shifted[:at] + struct.pack("<L", offset + shift if offset else 0) + shifted[at + 4 :]
    at = len(shifted) - 6
    offset = struct.unpack_from("<L", shifted, at)[0]
    shifted = shifted[:at] + struct.pack("<L", offset + shift) + shifted[at + 4 :]
    assert sections(check_wheel(shifted, DATE)) == {"5.3"}


def segmented(data: bytes, size: int = 1 << 20, window: int = 1 << 15, markers: int = 1) -> bytes:
    """Return the stream of any contents, or, by other arguments, one that is cut or primed otherwise."""
    stream = b""
    for start in range(0, len(data), size):
        dictionary = [data[start - window : start]] if start and window else []
        compressor = zlib.compressobj(6, zlib.DEFLATED, -15, 8, 0, *dictionary)
        last = start + size >= len(data)
        stream += compressor.compress(data[start : start + size])
        stream += compressor.flush(zlib.Z_FINISH if last else zlib.Z_SYNC_FLUSH)
        stream += b"" if last else b"\0\0\0\xff\xff" * (markers - 1)
    return stream


@pytest.mark.parametrize("size", [(1 << 20) - 1, 1 << 20, (1 << 20) + 1, 2 << 20, (2 << 20) + 5])
def test_segments(size: int) -> None:
    contents = canonical_reader.squares(size)
    files = with_payload({b"big": contents})
    assert check_wheel(zip_of(files, pack=segmented), DATE) == []
    if size > 1 << 20:
        assert sections(check_wheel(zip_of(files, pack=lambda data: segmented(data, 4 << 20)), DATE)) == {"4"}
        assert sections(check_wheel(zip_of(files, pack=lambda data: segmented(data, markers=2)), DATE)) == {"4"}


@pytest.mark.parametrize("window", [0, 1 << 14, 32000])
def test_segments_that_are_not_primed_with_32_kib(window: int) -> None:
    # What is noise and comes again 32760 bytes later can only be found with all of the dictionary.
    contents = (canonical_reader.noise(32760) * 33)[: (1 << 20) + 5000]
    files = with_payload({b"big": contents})
    assert sections(check_wheel(zip_of(files, pack=lambda data: segmented(data, window=window)), DATE)) <= {"4"}
    assert check_wheel(zip_of(files, pack=segmented), DATE) == []
    text = with_payload({b"big": canonical_reader.squares(3 << 20)})
    assert sections(check_wheel(zip_of(text, pack=lambda data: segmented(data, window=window)), DATE)) == {"4"}


def test_a_segment_more_at_the_end_is_found() -> None:
    """Contents of exactly 1 MiB, flushed, with an empty last segment behind."""
    contents = canonical_reader.squares(1 << 20)

    def wrong(data: bytes) -> bytes:
        compressor = zlib.compressobj(6, zlib.DEFLATED, -15, 8)
        flushed = compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH)
        return flushed + b"\3\0" if data == contents else deflated(data)

    assert sections(check_wheel(zip_of(with_payload({b"big": contents}), pack=wrong), DATE)) == {"4"}


# -- ZIP64, with lower limits so that examples stay small


@pytest.fixture
def low_limits(monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    monkeypatch.setattr(canonical_reader, "MANY_MEMBERS", 8)
    monkeypatch.setattr(canonical_reader, "NEEDS_ZIP64", 2000)
    return 8, 2000


def test_zip64_where_sizes_offsets_or_numbers_need_it(low_limits: tuple[int, int]) -> None:
    large = with_payload({b"big1": bytes(3000), b"big2": canonical_reader.noise(2500)})
    assert check_wheel(zip_of(large, limits=low_limits), DATE) == []
    many = with_payload({b"%d" % number: b"" for number in range(9)})
    assert check_wheel(zip_of(many, limits=low_limits), DATE) == []


@pytest.mark.parametrize("limits", [(0xFFFF, 2000), (8, 0xFFFFFFFF), (0xFFFF, 0xFFFFFFFF), (8, 2001), (9, 2000)])
def test_zip64_missing_where_it_is_needed(low_limits: tuple[int, int], limits: tuple[int, int]) -> None:
    # Eight members, one of them of 2000 bytes, with the central directory from byte 2000 on.
    files = with_payload({b"big": bytes(2000), b"c": b""})
    assert len(files) == 8
    findings = check_wheel(zip_of(files, limits=limits), DATE)
    assert sections(findings) & {"5.5", "5.6", "5.7", "5.8"} or limits == (9, 2000)
    assert check_wheel(zip_of(files, limits=low_limits), DATE) == []


def test_zip64_where_nothing_needs_it() -> None:
    files = with_payload({b"big": bytes(3000)})
    assert sections(check_wheel(zip_of(files, limits=(0xFFFF, 2000)), DATE)) == {"5.5", "5.6", "5.7"}
    assert sections(check_wheel(zip_of(files, limits=(2, 0xFFFFFFFF)), DATE)) == {"5.8"}


@pytest.mark.parametrize("offset", range(76))
def test_every_byte_of_the_zip64_records_counts(low_limits: tuple[int, int], offset: int) -> None:
    data = bytearray(zip_of(with_payload({b"%d" % number: b"" for number in range(9)}), limits=low_limits))
    data[len(data) - 98 + offset] ^= 1
    assert check_wheel(bytes(data), DATE)


def test_numbers_of_members_that_really_need_zip64() -> None:
    files = with_payload({b"%05d" % number: b"" for number in range(0xFFFF)})
    assert len(files) >= 0xFFFF
    assert check_wheel(zip_of(files, pack=segmented), DATE) == []


# -- what is in a wheel


@pytest.mark.parametrize(
    ("change", "section"),
    [
        (lambda text: text.replace(b"\n", b"\r\n"), "7.5"),
        (lambda text: text.rstrip(b"\n"), "7.5"),
        (lambda text: text + b"\n", "7.5"),
        (lambda text: b"".join(text.splitlines(True)[::-1]), "7.5"),
        (lambda text: text.replace(b",\n", b"\n"), "7.5"),
        (lambda text: text.replace(b"sha256=", b"SHA256="), "7.5"),
        (lambda text: text.replace(b"a.py,", b'"a.py",'), "7.5"),
        (lambda text: text.replace(b",6\n", b",7\n"), "7.5"),
        (lambda text: text.replace(b",6\n", b"=,6\n"), "7.5"),
        (lambda text: b"".join(text.splitlines(True)[1:]), "7.5"),
        (lambda text: b"gone.py,,\n" + text, "7.5"),
    ],
)
def test_a_record_that_is_not_as_it_must_be(change: Callable[[bytes], bytes], section: str) -> None:
    record = change(record_of(dict(wheel_files()[:-1])))
    assert sections(check_wheel(zip_of(wheel_files(RECORD=record)), DATE)) == {section}


def test_names_in_record_are_quoted_where_they_must_be() -> None:
    extra = {b'q"uote': b"1", b"com,ma": b"2", b"plain'; x": b"4"}
    files = {**dict(wheel_files()[:-1]), **extra}
    rows = []
    quoted = {b'q"uote': b'"q""uote"', b"com,ma": b'"com,ma"'}
    for name in sorted(files):
        rows.append(record_row(quoted.get(name, name), files[name]))
    record = b"".join(rows) + b"a-1.dist-info/RECORD,,\n"
    ordered = [*with_payload(extra)[:-1], (b"a-1.dist-info/RECORD", record)]
    assert check_wheel(zip_of(ordered), DATE) == []
    assert sections(check_wheel(zip_of(with_payload(extra)), DATE)) == {"7.5"}


GOOD_BLOCKS = [
    METADATA,
    METADATA + b"\n",
    METADATA + b"\nbody\r\nof any kind\0",
    b"NAME: a\nversion: 1\n",
    b"Name:a\n b\n\tc\nX-Other: 1\nAnother: 2\nx-other: 0\n",
    b"Requires-Dist: b\nRequires-Dist: a\nRequires-Python: >=3\nHome-page: x\nRequires: y\n",
    b"Name: a\nDynamic: x\n   \nLicense: y\n \n z\n",
    b"Name: \xff latin\n",
    # Not header blocks, so left as they are.
    b"",
    b"\n",
    b"\nVersion: 1\nName: a\n",
    b"Version: 1\nName a\n",
    b"Version: 1\r\nName: a\0\n",
    b"Version: 1\nName: a\rb\n",
    b"Version: 1\nName: a\r",
    b" Version: 1\nName: a\n",
    b": 1\nName: a\n",
    b"V rsion: 1\nName: a\n",
    "Né: 1\nName: a\n".encode(),
    b"\xef\xbb\xbfVersion: 1\nName: a\n",
]
BAD_BLOCKS = [
    b"Name: a\nMetadata-Version: 2.1\n",
    b"Name: a\r\nVersion: 1\r\n",
    b"Name: a\nVersion: 1",
    b"Name: a\n\r\nbody",
    b"Name: a\nVersion: 1\r\n\nbody",
    b"X-Other: 1\nName: a\n",
    b"Name: a\n b\r\n",
    b"requires-dist: x\nCLASSIFIER: y\n",
    b"Home-page: x\nKeywords: y\n",
    b"Import-Namespace: x\nImport-Name: y\n",
    b"Import-Name: x\nProvides-Extra: y\n",
    b"Author: a\nName: x\n continued\n",
]


@pytest.mark.parametrize("block", GOOD_BLOCKS)
def test_header_blocks_in_order(block: bytes) -> None:
    assert check_wheel(zip_of(wheel_files(METADATA=block)), DATE) == []
    assert check_sdist(sdist_of([("a-1/PKG-INFO", "file", block, False)]), DATE) == []


@pytest.mark.parametrize("block", BAD_BLOCKS)
def test_header_blocks_not_in_order(block: bytes) -> None:
    assert sections(check_wheel(zip_of(wheel_files(METADATA=block)), DATE)) == {"7.2"}
    assert sections(check_sdist(sdist_of([("a-1/PKG-INFO", "file", block, False)]), DATE)) == {"7.2"}


@pytest.mark.parametrize(
    ("block", "right"),
    [
        (b"Tag: a\nTag: b\nBuild: 1\n", True),
        (b"Tag: b\nTag: a\n", False),
        (b"Tag:  a\nTag: b \nTag:\tc\n", True),
        (b"Tag:a\nTag: a\nTag: B\n", False),
        (b"Tag: B\nTag: a\nTag:a\n", True),
        (b"Build: 1\nTag: a\n", False),
        (b"Wheel-Version: 1\nTag: a\nX: 1\nA: 1\n", True),
        (b"Generator: x\nWheel-Version: 1\n", False),
        (b"Root-Is-Purelib: true\nGenerator: x\n", False),
        (b"Tag: b\n a\nTag: b\n", False),
        (b"Tag: b\nTag: b\n a\nTag: b\n c\n", True),
    ],
)
def test_wheel_and_its_tags(block: bytes, right: bool) -> None:
    assert sections(check_wheel(zip_of(wheel_files(WHEEL=block)), DATE)) == (set() if right else {"7.3"})


@pytest.mark.parametrize(
    ("text", "right"),
    [
        (b"", True),
        (b"\n", True),
        (b"a\nb\n", True),
        (b"B\na\na\n", True),
        (b"\na\n", True),
        (b"b\na\rc\n", True),
        (b"b\na\0c\n", True),
        (b"b\r\r\na\n", True),
        (b"b\na\n", False),
        (b"a", False),
        (b"a\n\n", False),
        (b"a\r\nb\r\n", False),
        (b"a\n\nb\n", False),
    ],
)
def test_text_lists(text: bytes, right: bool) -> None:
    wanted = set() if right else {"7.4"}
    assert sections(check_wheel(zip_of(wheel_files(**{"top_level.txt": text})), DATE)) == wanted
    for name in ("SOURCES.txt", "top_level.txt"):
        assert sections(check_sdist(sdist_of([(f"a-1/src/a.egg-info/{name}", "file", text, False)]), DATE)) == wanted
        assert check_sdist(sdist_of([(f"a-1/tests/b.egg-info/{name}", "file", text, False)]), DATE) == []


@pytest.mark.parametrize("name", ["RECORD.jws", "RECORD.p7s"])
def test_signatures(name: str) -> None:
    assert sections(check_wheel(zip_of(wheel_files(**{name: b"{}"})), DATE)) == {"7.6"}


def test_the_reserved_date_file_is_not_in_a_wheels_root() -> None:
    assert sections(check_wheel(zip_of(with_payload({b".source-date-epoch": b"1\n"})), DATE)) == {"7.9"}
    assert check_wheel(zip_of(with_payload({b"pkg/.source-date-epoch": b"1\n"})), DATE) == []


def test_a_wheel_has_one_dist_info_directory_with_a_record() -> None:
    assert sections(check_wheel(zip_of(with_payload({b"b-1.dist-info/x": b""})), DATE)) == {"2.2"}
    assert sections(check_wheel(zip_of([(b"a.py", b"")]), DATE)) == {"2.2"}
    assert sections(check_wheel(zip_of(wheel_files()[:-1]), DATE)) == {"2.2"}
    assert sections(check_wheel(zip_of(with_payload({b"c.dist-info": b""})), DATE)) == {"2.2"}
    assert check_wheel(zip_of(with_payload({b"pkg/b-1.dist-info/RECORD": b""})), DATE) == []


BAD_NAMES = [
    "../up", "/abs", "a//b", "a/./b", "a/..", "C:/x", "c:x", "back\\slash", "nul\0", "x" * 4097, "dir/", b"\xff".decode("latin-1")
]  # fmt: skip


@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_that_must_not_be(name: str) -> None:
    raw = name.encode("latin-1")
    assert "2.1" in sections(check_wheel(zip_of(with_payload({raw: b""})), DATE))


def test_names_that_cannot_be_together() -> None:
    files = wheel_files()
    assert "2.1" in sections(check_wheel(zip_of([files[0], *files]), DATE))
    assert sections(check_wheel(zip_of(with_payload({b"z/empty/x": b""})), DATE)) == {"2.1"}
    assert sections(check_wheel(zip_of(with_payload({b"A.py": b""})), DATE)) == {"2.2"}
    assert sections(check_wheel(zip_of(with_payload({b"A.PY/x": b""})), DATE)) == {"2.2"}


# -- SBOMs and compiled modules


def sbom(
    stamp: str = "2020-02-02T00:00:00Z", serial: str | None = None, extra: dict[str, object] | None = None
) -> bytes:
    """Return a canonical CycloneDX document, or one with another serial number."""
    document = {
        "bomFormat": "CycloneDX",
        "components": [{"bom-ref": "a", "name": "é"}, {"bom-ref": "b"}],
        "metadata": {"timestamp": stamp, "tools": []},
        "serialNumber": "urn:uuid:\0",
        **(extra or {}),
    }

    def text() -> str:
        return json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True) + "\n"

    namespace = uuid.UUID("2bf58dff-7987-5a67-a080-18d885b700eb")
    derived = str(uuid.uuid5(namespace, hashlib.sha256(text().encode()).hexdigest()))
    document["serialNumber"] = f"urn:uuid:{serial or derived}"
    return text().encode()


def check_with(name: str, data: bytes, date: int = DATE, **others: bytes) -> set[str]:
    def change(_name: bytes, fields: dict[str, int]) -> None:
        fields["time"], fields["date"] = canonical_reader.dos(date)

    return sections(check_wheel(zip_of(wheel_files(**{name: data}, **others), change=change), date))


def test_sboms() -> None:
    name = "sboms/a.json"
    assert check_with(name, sbom()) == set()
    assert check_with("sboms/deep/a.cdx", sbom()) == set()
    assert check_with(name, sbom(stamp="2021-01-01T00:00:00Z")) == {"7.7"}
    assert check_with(name, sbom(serial="00000000-0000-4000-8000-000000000000")) == {"7.7"}
    assert check_with(name, sbom(extra={"components": [{"bom-ref": "b"}, {"bom-ref": "a"}]})) == {"7.7"}
    assert check_with(name, sbom().rstrip(b"\n")) == {"7.7"}
    assert check_with(name, sbom().replace(b"  ", b"    ")) == {"7.7"}
    assert check_with(name, sbom().replace("é".encode(), b"\\u00e9")) == {"7.7"}
    assert check_with("notes/a.json", sbom(stamp="x")) == set()
    assert check_with(name, sbom(stamp="x", extra={"deep": json.loads("[" * 100 + "]" * 100)})) == {"7.7"}


def test_the_time_in_an_sbom_is_that_of_the_members() -> None:
    name = "sboms/a.json"
    assert check_with(name, sbom(stamp="2020-02-02T00:00:00Z"), DATE + 1) == set()
    assert check_with(name, sbom(stamp="2020-02-02T00:00:01Z"), DATE + 1) == {"7.7"}
    assert check_with(name, sbom(stamp="1980-01-01T00:00:00Z"), 7) == set()


@pytest.mark.parametrize(
    "data",
    [
        sbom(stamp="x", extra={"signature": {}}),
        sbom(stamp="x", extra={"a": ["\0"]}),
        sbom(stamp="x", extra={"specVersion": float("nan")}),
        sbom(stamp="x", extra={"spdxVersion": "SPDX-2.3"}),
        sbom(stamp="x", extra={"bomFormat": "Other"}),
        sbom(stamp="x").replace(b'"tools"', b'"timestamp"'),
        sbom(stamp="x")[:-3],
        b"\xff" + sbom(stamp="x"),
        b"[]",
        sbom(stamp="x", extra={"deep": json.loads("[" * 101 + "]" * 101)}),
    ],
)
def test_sboms_that_are_left_alone(data: bytes) -> None:
    assert check_with("sboms/a.json", data) == set()


def test_sboms_with_companions_are_left_alone() -> None:
    name, old = "sboms/a.json", sbom(stamp="x")
    assert check_with(name, old, **{"sboms/a.json.sig": b""}) == set()
    assert check_with(name, old, **{"sboms/a.json.license": b""}) == {"7.7"}
    assert check_with(name, old, **{"sboms/a.jsonx": b""}) == {"7.7"}
    serial = re.search(b'urn:uuid:([^"]*)', old)
    assert serial is not None
    assert check_with(name, old, **{"sboms/b.txt": serial[1].upper()}) == set()


def test_spdx() -> None:
    document = {
        "SPDXID": "SPDXRef-DOCUMENT",
        "creationInfo": {"created": "2020-02-02T00:00:00Z"},
        "number": 1e-7,
        "packages": [{"SPDXID": "a", "annotations": [{"annotationDate": "2020-02-02T00:00:00Z"}]}, {"SPDXID": "b"}],
        "spdxVersion": "SPDX-2.3",
    }
    good = (json.dumps(document, indent=2, sort_keys=True) + "\n").encode()
    assert check_with("sboms/a.spdx.json", good) == set()
    assert check_with("sboms/a.spdx.json", good.replace(b"02T00", b"03T00", 1)) == {"7.7"}
    assert check_with("sboms/a.spdx.json", good.replace(b"1e-07", b"0.0000001000")) == set()
    swapped = good.replace(b'"a"', b'"c"')
    assert check_with("sboms/a.spdx.json", swapped) == {"7.7"}


def pyc(magic: int = 3495, flags: int = 0, size: int = 6, code: bytes = b"code") -> bytes:
    return struct.pack("<H2s3L", magic, b"\r\n", flags, 1700000000, size) + code


# A code object of 3.11 in which nothing is but its file name and its name, twice; all that is empty is one.
CODE = (
    b"c" + bytes(20) + b"\xf3\0\0\0\0" + b"\xa9\0" + b"r\1\0\0\0" * 2 + b"r\0\0\0\0"
    b"z\x04a.py" + b"\xda\x01f" + b"r\2\0\0\0" + b"\1\0\0\0" + b"r\0\0\0\0" * 2
)


@pytest.mark.parametrize(
    ("name", "data", "right"),
    [
        ("__pycache__/a.cpython-311.pyc", pyc(), False),
        ("__pycache__/a.cpython-311.opt-2.pyc", pyc(), False),
        ("a.pyc", pyc(3392), False),
        ("a.pyc", pyc(flags=1), True),
        ("a.pyc", pyc(flags=3), True),
        ("a.pyc", pyc(size=7), True),
        ("a.pyc", pyc(3394), False),
        ("a.pyc", pyc(3391), True),
        ("a.pyc", pyc(3440), True),
        ("a.pyc", pyc(3700), True),
        ("a.pyc", pyc(code=b""), True),
        ("a.pyc", b"\0", True),
        ("b.pyc", pyc(), True),
        ("__pycache__/a.pyc", pyc(), True),
        ("__pycache__/a.b.c.pyc", pyc(), True),
        ("pkg/__pycache__/a.cpython-311.pyc", pyc(), True),
        ("a.pyc", pyc(3495, 3, code=CODE), True),
        ("a.pyc", pyc(3495, 3, code=CODE.replace(b"a.py", b"b.py")), False),
        ("a.pyc", pyc(3495, 3, code=CODE.replace(b"\x04a.py", b"\x04a.pyN")), True),
        ("a.pyc", pyc(3495, 3, code=CODE.replace(b"r\0\0\0\0", b"s\0\0\0\0", 1)), False),
        ("a.pyc", pyc(3449, 3, code=CODE.replace(b"a.py", b"b.py")), True),
        ("b.pyc", pyc(3495, 3, code=CODE.replace(b"a.py", b"b.py")), True),
    ],
)
def test_compiled_modules(name: str, data: bytes, right: bool) -> None:
    findings = check_wheel(zip_of(with_payload({name.encode(): data})), DATE)
    assert sections(findings) == (set() if right else {"7.8"})


# -- an sdist by hand

Row = tuple[str, str, bytes, bool]
"""Name, kind, contents or target, and whether it is executable."""

SMALL: list[Row] = [
    ("a-1/PKG-INFO", "file", METADATA, False),
    ("a-1/docs", "directory", b"", False),
    ("a-1/link", "symlink", b"run", False),
    ("a-1/run", "file", b"#!/bin/sh\n", True),
    ("a-1/é.txt", "file", b"x" * 600, False),
]


def header(name: bytes, mode: int, size: int, flag: bytes, *, target: bytes = b"", date: int = DATE) -> bytes:
    """Return one header block."""

    def plain(value: bytes) -> bytes:
        return bytes(byte if byte < 128 else ord("_") for byte in value)[:100].ljust(100, b"\0")

    front = plain(name) + b"%07o\x000000000\x000000000\0%011o\0%011o\0" % (mode, size, date)
    back = flag + plain(target) + b"ustar\x0000" + bytes(64) + b"0000000\x000000000\0" + bytes(167)
    return front + b"%06o\0 " % (sum(front) + sum(back) + 8 * 32) + back


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 512)


def record(keyword: bytes, value: bytes) -> bytes:
    for length in range(1, 100000):
        text = b"%d %b=%b\n" % (length, keyword, value)
        if len(text) == length:
            return text
    raise AssertionError("no length fits")


def tar_member(row: Row, date: int = DATE) -> bytes:
    name, kind, data, executable = row
    raw = name.encode() + b"/" * (kind == "directory")
    target = data if kind == "symlink" else b""
    contents = data if kind == "file" else b""
    records = b""
    for keyword, value in ((b"linkpath", target), (b"path", raw)):
        if len(value) > 100 or not value.isascii():
            records += record(keyword, value)
    extended = header(b"././@PaxHeader", 0o644, len(records), b"x", date=date) + padded(records) if records else b""
    mode = {"file": 0o755 if executable else 0o644, "directory": 0o755, "symlink": 0o777}[kind]
    flag = {"file": b"0", "directory": b"5", "symlink": b"2"}[kind]
    return extended + header(raw, mode, len(contents), flag, target=target, date=date) + padded(contents)


def tar_of(rows: list[Row], date: int = DATE) -> bytes:
    body = b"".join(tar_member(row, date) for row in rows) + bytes(1024)
    return body + bytes(-len(body) % 10240)


def gzip_of(tar: bytes, head: bytes = b"\x1f\x8b\x08\0\0\0\0\0\0\xff") -> bytes:
    return head + segmented(tar) + struct.pack("<2L", zlib.crc32(tar), len(tar))


def sdist_of(rows: list[Row], date: int = DATE) -> bytes:
    return gzip_of(tar_of(rows, date))


def test_a_canonical_sdist_has_no_findings() -> None:
    assert check_sdist(sdist_of(SMALL), DATE) == []


@pytest.mark.parametrize("date", [0, 1, 315532799, 4354819198])
def test_the_date_of_an_sdist(date: int) -> None:
    assert check_sdist(sdist_of(SMALL, date), date) == []
    assert sections(check_sdist(sdist_of(SMALL, date), DATE)) == {"6.4", "6.6"}


def test_every_single_byte_of_an_sdist_counts() -> None:
    data = sdist_of(SMALL)
    for offset in range(len(data)):
        mutated = bytearray(data)
        mutated[offset] ^= 0x01
        assert check_sdist(bytes(mutated), DATE), f"byte {offset}"


def test_every_single_byte_of_a_tar_counts_but_those_of_contents() -> None:
    tar = tar_of(SMALL)
    contents = {*range(512, 512 + len(METADATA))}
    for row in (SMALL[3], SMALL[4]):
        start = tar.index(row[2])
        contents |= {*range(start, start + len(row[2]))}
    # What is not ASCII in a name stands in the extended header alone.
    start = tar.index("é".encode())
    contents |= {start, start + 1}
    # Of the zeros at the end some are enough.
    for offset in (*range(4700), *range(4700, len(tar), 97)):
        if offset >= 512 and offset < 512 + len(METADATA):
            continue  # A change there may put its fields out of order, and may not.
        mutated = bytearray(tar)
        mutated[offset] ^= 0x01
        assert bool(check_sdist(gzip_of(bytes(mutated)), DATE)) == (offset not in contents), f"byte {offset}"


def test_every_truncation_of_an_sdist_is_found() -> None:
    data = sdist_of(SMALL)
    assert all(check_sdist(data[:length], DATE) for length in range(len(data)))
    tar = tar_of(SMALL)
    assert all(check_sdist(gzip_of(tar[:length]), DATE) for length in range(0, len(tar), 512))


@pytest.mark.parametrize("offset", range(2, 10))
def test_gzip_header_fields(offset: int) -> None:
    head = bytearray(b"\x1f\x8b\x08\0\0\0\0\0\0\xff")
    head[offset] ^= 0x02
    assert sections(check_sdist(gzip_of(tar_of(SMALL), bytes(head)), DATE)) == {"6.1"}


def test_gzip_members_and_trailing_bytes() -> None:
    data = sdist_of(SMALL)
    assert sections(check_sdist(data + b"\0", DATE)) == {"6.1"}
    assert sections(check_sdist(data + gzip_of(b""), DATE)) == {"6.1"}
    assert sections(check_sdist(data[:-1], DATE)) == {"6.1"}
    assert sections(check_sdist(b"PK" + data, DATE)) == {"6.1"}


def test_another_compression_of_the_tar() -> None:
    tar = tar_of([("a-1/text", "file", canonical_reader.squares(30000), False)])
    trailer = struct.pack("<2L", zlib.crc32(tar), len(tar))
    head = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
    assert check_sdist(head + deflated(tar) + trailer, DATE) == []
    assert sections(check_sdist(head + deflated(tar, 9) + trailer, DATE)) == {"4"}


@pytest.mark.parametrize("size", [(1 << 20) - 2560, (1 << 20) - 2048, 3 << 20])
def test_segments_of_a_tar(size: int) -> None:
    assert check_sdist(sdist_of([("a-1/text", "file", canonical_reader.squares(size), False)]), DATE) == []


def fixed(block: bytes) -> bytes:
    """Return a header block with the checksum that fits it."""
    return block[:148] + b"%06o\0 " % (sum(block[:148]) + 8 * 32 + sum(block[156:])) + block[156:]


@pytest.mark.parametrize(
    ("offset", "value", "section"),
    [
        (100, b"0000664\0", "6.3"),
        (100, b"0100644\0", "6.3"),
        (100, b"000644 \0", "6.3"),
        (108, b"0001750\0", "6.4"),
        (116, b"0001750\0", "6.4"),
        (124, b"         14 ", "6.4"),
        (136, b"00000000000\0", "6.4"),
        (136, b"\x80" + bytes(11), "6.4"),
        (156, b"\0", "6.4"),
        (156, b"1", "6.4"),
        (156, b"3", "6.4"),
        (156, b"7", "6.4"),
        (156, b"g", "6.4"),
        (156, b"L", "6.4"),
        (157, b"target", "6.4"),
        (257, b"ustar  \0", "6.4"),
        (257, bytes(8), "6.4"),
        (265, b"root", "6.4"),
        (297, b"root", "6.4"),
        (329, bytes(8), "6.4"),
        (337, b"0000001\0", "6.4"),
        (345, b"a-1", "6.4"),
        (500, b"x", "6.4"),
    ],
)
def test_a_wrong_field_of_a_header(offset: int, value: bytes, section: str) -> None:
    tar = tar_of([("a-1/run", "file", b"#!/bin/sh\n", False)])
    block = fixed(tar[:offset] + value + tar[offset + len(value) : 512])
    assert section in sections(check_sdist(gzip_of(block + tar[512:]), DATE))


def test_the_checksum() -> None:
    tar = tar_of(SMALL)
    for wrong in (b"00000000", b" 12345\0 ", tar[148:154] + b" \0", b"\0" + tar[148:154] + b"\0"):
        assert sections(check_sdist(gzip_of(tar[:148] + wrong + tar[156:]), DATE)) == {"6.5"}


NAMES = ["x" * 96, "x" * 97, "é", "é" * 60, "d/" * 60 + "f", f"{'x' * 255}/" * 15 + "x" * 252]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["file", "directory", "symlink"])
def test_long_and_foreign_names(name: str, kind: str) -> None:
    data = b"x" if kind == "symlink" else b""
    assert check_sdist(sdist_of([(f"a-1/{name}", kind, data, False)]), DATE) == []


@pytest.mark.parametrize("target", [b"x" * 100, b"x" * 101, "é".encode(), b"y/" * 70 + "ö".encode()])
@pytest.mark.parametrize("name", ["link", "lünk", "l" * 200])
def test_long_and_foreign_targets(name: str, target: bytes) -> None:
    assert check_sdist(sdist_of([(f"a-1/{name}", "symlink", target, False)]), DATE) == []


def test_lengths_of_extended_records() -> None:
    """The length of a record counts its own digits; there are lengths where that is tricky."""
    for length in (*range(97, 110), *range(980, 1010)):
        name = ("a-1/" + f"{'x' * 199}/" * 5)[: length - 1] + "x"
        assert check_sdist(sdist_of([(name, "file", b"", False)]), DATE) == []


def extended(records: bytes, **changed: bytes) -> bytes:
    block = header(b"././@PaxHeader", 0o644, len(records), b"x")
    return block + padded(records) if not changed else fixed(changed["block"]) + padded(records)


LONG = "a-1/" + "x" * 100
PLAIN = ("a-1/f", "file", b"", False)


@pytest.mark.parametrize(
    ("head", "row"),
    [
        (extended(record(b"path", b"a-1/f")), PLAIN),
        (extended(record(b"mtime", b"1580601600.5")), PLAIN),
        (extended(b""), PLAIN),
        (extended(record(b"path", LONG.encode()) + record(b"mtime", b"1")), (LONG, "file", b"", False)),
        (extended(record(b"path", LONG.encode()) * 2), (LONG, "file", b"", False)),
        (extended(record(b"size", b"0") + record(b"path", LONG.encode())), (LONG, "file", b"", False)),
        (extended(b"0" + record(b"path", LONG.encode())), (LONG, "file", b"", False)),
        (header(b"a-1/PaxHeaders/f", 0o644, 115, b"x") + padded(record(b"path", LONG.encode())), (LONG, "file", b"", False)),
        (header(b"././@PaxHeader", 0, 115, b"x") + padded(record(b"path", LONG.encode())), (LONG, "file", b"", False)),
    ],
)  # fmt: skip
def test_extended_headers_that_must_not_be(head: bytes, row: Row) -> None:
    own = tar_member(row)[-512:]
    body = head + own + bytes(1024)
    assert sections(check_sdist(gzip_of(body + bytes(-len(body) % 10240)), DATE)) == {"6.6"}


def test_sizes_that_need_a_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canonical_reader, "EIGHT_GIB", 1000)
    for size, needed in ((999, False), (1000, True)):
        records = record(b"size", b"%d" % size) if needed else b""
        head = header(b"././@PaxHeader", 0o644, len(records), b"x") + padded(records) if needed else b""
        body = head + header(b"a-1/f", 0o644, 0 if needed else size, b"0") + padded(bytes(size)) + bytes(1024)
        assert check_sdist(gzip_of(body + bytes(-len(body) % 10240)), DATE) == []
    assert sections(check_sdist(sdist_of([("a-1/f", "file", bytes(1000), False)]), DATE)) == {"6.4", "6.6"}


@pytest.mark.parametrize("extra", [-10240, -9216, -1024, -512, 512, 1024, 10240])
def test_the_end_of_a_tar(extra: int) -> None:
    tar = tar_of([*SMALL, ("a-1/ö", "file", b"x" * 9000, False)])
    other = tar[:extra] if extra < 0 else tar + bytes(extra)
    assert sections(check_sdist(gzip_of(other), DATE)) == {"6.7" if extra < -1024 else "6.8"}


def test_contents_fill_the_last_record_exactly() -> None:
    for size in (10240 - 1536 - 512, 10240 - 1536, 10240 - 1535, 10240 - 1024):
        assert check_sdist(sdist_of([("a-1/f", "file", bytes(size), False)]), DATE) == []


def test_padding_is_zeros() -> None:
    tar = bytearray(tar_of(SMALL))
    tar[1023] = 1
    assert sections(check_sdist(gzip_of(bytes(tar)), DATE)) == {"6.7"}


def test_order_and_directories_of_an_sdist() -> None:
    assert sections(check_sdist(sdist_of(SMALL[::-1]), DATE)) == {"6.2"}
    with_top: list[Row] = [("a-1", "directory", b"", False), *SMALL]
    assert sections(check_sdist(sdist_of(with_top), DATE)) == {"6.2"}
    twice = [SMALL[0], *SMALL]
    assert sections(check_sdist(sdist_of(twice), DATE)) == {"2.1"}
    # The slash in a directory's header does not count: a-1/b comes before a-1/b.txt.
    rows: list[Row] = [("a-1/b", "directory", b"", False), ("a-1/b.txt", "file", b"", False), ("a-1/b0", "file", b"", False)]  # fmt: skip
    assert check_sdist(sdist_of(rows), DATE) == []


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [("a-1", "directory", b"", False)],
        [("file", "file", b"", False)],
        [("a-1/f", "file", b"", False), ("b-1/f", "file", b"", False)],
        [("a-1/l", "symlink", b"../../etc/passwd", False)],
        [("a-1/l", "symlink", b"/etc/passwd", False)],
        [("a-1/l", "symlink", b"../a-1/f", False)],
        [("a-1/l", "symlink", b"", False)],
        [("a-1/l", "symlink", b"l", False)],
        [("a-1/l", "symlink", b"C:x", False)],
        [("a-1/l", "symlink", b"a\\b", False)],
        [("a-1/l", "symlink", b"\xff", False)],
        [("a-1/d/l", "symlink", b"../m", False), ("a-1/m", "symlink", b"d/..", False), ("a-1/n", "symlink", b"d/l/../..", False)],
        [("a-1/l", "symlink", b"x" * 4097, False)],
        [("a-1/d/l", "symlink", b"./nowhere//at/all/../..", False)],
        [("a-1/l", "symlink", b"d/..", False)],
        [("a-1/e\u0301", "file", b"", False), ("a-1/é", "file", b"", False)],
        [("a-1/e\u0301/f", "file", b"", False), ("a-1/é", "file", b"", False)],
        [("a-1/L/f", "file", b"", False), ("a-1/l", "symlink", b"x", False)],
        [(f"a-1/l{number:03}", "symlink", b"d/" * 2040 + b"d", False) for number in range(129)],
    ],
)  # fmt: skip
def test_trees_and_links_that_must_not_be(rows: list[Row]) -> None:
    assert sections(check_sdist(sdist_of(rows), DATE)) == {"2.3"}


def test_links_that_may_be() -> None:
    rows: list[Row] = [
        ("a-1/d/l", "symlink", b"../f", False),
        ("a-1/dangling", "symlink", b".//./nowhere//at/all", False),
        ("a-1/f", "file", b"", False),
        ("a-1/l", "symlink", b"./d/l", False),
    ]
    assert check_sdist(sdist_of(rows), DATE) == []


def test_nothing_lies_beneath_files_and_links() -> None:
    rows: list[Row] = [("a-1/l", "symlink", b"d", False), ("a-1/l/x", "file", b"", False)]
    assert sections(check_sdist(sdist_of(rows), DATE)) == {"2.1", "2.3"}


@pytest.mark.parametrize(
    ("directory", "own"),
    [
        ("a-1/a.egg-info", True),
        ("a-1/src/A.egg-info", True),
        ("a-1/x/y/a.egg-info", True),
        ("a-1/b.egg-info", False),
        ("a-1/tests/ab.egg-info", False),
        ("a-1/.egg-info", False),
        ("a-1/a.egg-info/sub", False),
    ],
)
def test_whose_egg_info_it_is(directory: str, own: bool) -> None:
    rows: list[Row] = [(f"{directory}/PKG-INFO", "file", b"Version: 1\nName: a\n", False)]
    assert sections(check_sdist(sdist_of(rows), DATE)) == ({"7.2"} if own else set())


def test_names_are_folded_to_find_the_egg_info() -> None:
    rows: list[Row] = [("My.Pkg-1.0/src/my__pkg.egg-info/PKG-INFO", "file", b"Version: 1\nName: a\n", False)]
    assert sections(check_sdist(sdist_of(rows), DATE)) == {"7.2"}


# -- the document itself


def blocks(kind: str) -> list[bytes]:
    """Return the bytes of each fenced block of *kind* in the document: lines of offset, two blanks, bytes, remark."""
    found = []
    for block in re.findall(rf"^```{kind}\n(.*?)^```", DOCUMENT.read_text("utf-8"), re.MULTILINE | re.DOTALL):
        data = b""
        for line in block.splitlines():
            match = re.fullmatch(r"([0-9a-f]{4,})  ((?:[0-9a-f]{2} ?)+?)(?: x (\d+))?(?:  .*)?", line)
            assert match is not None, line
            assert int(match[1], 16) == len(data), line
            data += bytes.fromhex(match[2]) * int(match[3] or 1)
        found.append(data)
    return found


EXAMPLE_FILES = [
    (b"a.py", b"x = 1\n"),
    (b"a-1.dist-info/METADATA", METADATA),
    (b"a-1.dist-info/WHEEL", WHEEL),
]
EXAMPLE_ROWS: list[Row] = [("a-1/PKG-INFO", "file", METADATA, False), ("a-1/é", "symlink", b"PKG-INFO", False)]


def test_the_files_in_the_document() -> None:
    shown = re.findall(
        r"^`([^`]+)`[^\n]*:\n\n```text\n(.*?)^```", DOCUMENT.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    record = record_of(dict(EXAMPLE_FILES))
    assert [(name.encode(), text.encode()) for name, text in shown] == [
        *EXAMPLE_FILES,
        (b"a-1.dist-info/RECORD", record),
    ]


def test_the_wheel_in_the_document() -> None:
    wanted = zip_of([*EXAMPLE_FILES, (b"a-1.dist-info/RECORD", record_of(dict(EXAMPLE_FILES)))])
    assert blocks("wheel") == [wanted]
    assert check_wheel(wanted, DATE) == []
    digest = hashlib.sha256(wanted).hexdigest()
    assert digest in DOCUMENT.read_text("utf-8")


def test_the_sdist_in_the_document() -> None:
    wanted = sdist_of(EXAMPLE_ROWS)
    assert blocks("tar") == [tar_of(EXAMPLE_ROWS)]
    assert blocks("sdist") == [wanted]
    assert check_sdist(wanted, DATE) == []
    digest = hashlib.sha256(wanted).hexdigest()
    assert digest in DOCUMENT.read_text("utf-8")


def test_the_reference_streams_in_the_document() -> None:
    rows = re.findall(
        r"^\| `([TH])\((\d+)\)` \| (\d+) \| (\d+) \| `([0-9a-f]{64})` \|$", DOCUMENT.read_text("utf-8"), re.M
    )
    assert len(rows) >= 8
    for kind, size, count, packed_size, digest in rows:
        contents = {"T": canonical_reader.squares, "H": canonical_reader.noise}[kind](int(size))
        stream = segmented(contents)
        assert (-(-len(contents) >> 20), len(stream)) == (int(count), int(packed_size))
        assert hashlib.sha256(stream).hexdigest() == digest
        assert zlib.decompress(stream, -15) == contents
        assert canonical_reader.canonical_stream(contents) == stream
    held = {(kind, int(size), int(packed), digest) for kind, size, _, packed, digest in rows}
    assert held >= set(canonical_reader.REFERENCE_STREAMS)


def test_the_fields_in_the_document() -> None:
    text = DOCUMENT.read_text("utf-8")
    cells = re.findall(r"(?<=\| )(\d+) `([A-Za-z-]+)`", text)
    listed = [name for _, name in sorted(cells, key=lambda cell: int(cell[0]))]
    assert tuple(listed) == canonical_reader.METADATA_FIELDS
    section = text.partition("### 7.3")[2].partition("### 7.4")[0]
    assert tuple(re.findall(r"^\d\. `([^`]+)`$", section, re.M)) == canonical_reader.WHEEL_FIELDS


def test_every_section_that_the_reader_names_exists() -> None:
    source = Path(canonical_reader.__file__).read_text("utf-8")
    headings = set(re.findall(r"^#{2,3} (\d+(?:\.\d+)?) ", DOCUMENT.read_text("utf-8"), re.MULTILINE))
    named = {
        node.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"\d(\.\d+)?", node.value)
    }
    assert len(named) > 20
    assert named <= headings
    cited = set(re.findall(r"(?<=section )(\d+(?:\.\d+)?)", source)) - {"3.2"}
    assert cited <= headings


def test_the_reader_is_independent() -> None:
    """It must not lean on what it checks, nor on the libraries that that may lean on."""
    imported = set()
    for module in (canonical_reader, canonical_code):
        for node in ast.walk(ast.parse(Path(module.__file__).read_text("utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(node.module)
    assert imported == {
        "__future__", "base64", "collections", "collections.abc", "functools", "hashlib", "json", "re", "struct",
        "support", "sys", "time", "typing", "unicodedata", "uuid", "zlib",
    }  # fmt: skip


def test_a_zlib_that_is_not_the_stock_one_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    canonical_reader.demand_stock_zlib.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(canonical_reader, "canonical_stream", lambda contents: deflated(contents, 5))
        with pytest.raises(RuntimeError, match="not the stock one"):
            check_wheel(b"", DATE)
    assert check_wheel(zip_of(wheel_files()), DATE) == []
