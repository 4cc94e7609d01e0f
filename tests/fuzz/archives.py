"""Archives. What is accepted can be written in the canonical form, and is read there as it was read here."""

from __future__ import annotations

import gzip
import io
import math
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from fuzz.harness import Drawn, Target, saved
from support import tars, wheels, zips
from support.canonical_reader import check_sdist, check_wheel

from samebytes.archive.entry import Entry, read_all
from samebytes.archive.gzip import gunzip, gzip_chunks
from samebytes.archive.tar_reader import open_sdist
from samebytes.archive.tar_writer import write_tar
from samebytes.archive.zip_reader import open_zip
from samebytes.archive.zip_writer import write_zip
from samebytes.artifact.layout import ArtifactKind
from samebytes.deflate.stream import Encoder
from samebytes.passes import ALL
from samebytes.passes.model import Context
from samebytes.passes.pipeline import rewrite

DATE = 1580601600
LARGE = 1 << 18
"""Contents of more bytes are read and not written again: our encoder is not what is to be tried here."""


def read_gzip(data: bytes) -> None:
    """Python's own reader unpacks to the same what is accepted, and what we make of that."""
    plain = io.BytesIO()
    found = gunzip(io.BytesIO(data), plain, "fuzzed.gz", source_size=len(data))
    assert found.size == len(plain.getvalue())
    assert gzip.decompress(data) == plain.getvalue()
    if found.size <= LARGE:
        assert gzip.decompress(b"".join(gzip_chunks([plain.getvalue()], Encoder()))) == plain.getvalue()


def gzips() -> list[bytes]:
    named = b"\x1f\x8b\x08\x1a" + bytes(6) + b"name\0comment\0"
    checked = named + (zlib.crc32(named) & 0xFFFF).to_bytes(2, "little")
    return [
        tars.gz(b""),
        tars.gz(zips.TEXT),
        tars.gz(zips.TEXT, head=checked),
        gzip.compress(zips.TEXT, 0, mtime=DATE),
    ]


def read_tar(data: bytes) -> None:
    """What is accepted is the same after it was written, and deviates in nothing from the canonical form then."""
    with (
        saved(tars.gz(tars.padded(with_checksums(data)) + bytes(1024)), "fuzzed-1.tar.gz") as path,
        open_sdist(path) as archive,
    ):
        seen = [facts(entry) for entry in archive.entries]
        sink = io.BytesIO()
        write_tar(sink, archive.entries, Encoder())
    with saved(sink.getvalue(), "fuzzed-1.tar.gz") as path, open_sdist(path) as archive:
        assert [facts(entry) for entry in archive.entries] == seen
        assert archive.deviations == ()
        assert all(entry.deviations == () for entry in archive.entries)


def with_checksums(data: bytes) -> bytes:
    """Return a tar archive in which the checksum of whatever looks like a header is right.

    Else nearly every change of a header would end at the checksum, and nothing behind that be tried.
    """
    fixed = bytearray(data)
    for at in range(0, len(data) - 511, 512):
        block = fixed[at : at + 512]
        if block[257:262] == b"ustar":
            block[148:156] = b" " * 8
            fixed[at + 148 : at + 156] = b"%06o\0 " % sum(block)
    return bytes(fixed)


def facts(entry: Entry) -> tuple[object, ...]:
    """Return what a tar archive keeps of a member."""
    contents = read_all(entry.content)
    return entry.name, entry.kind, entry.mode, math.floor(entry.mtime), contents, entry.target, entry.owner


def all_of_tar() -> list[bytes]:
    """Tar archives with every form of header that is accepted."""
    member, directory = tars.member, tars.directory
    pax = tars.pax(tars.records(path="p-1/ü", mtime="1580601600.5", uid="70000", uname="ü"))
    links = tars.symlink(b"p-1/l", b"a.py"), tars.hard_link(b"p-1/h", b"p-1/a.py")
    gnu = {"magic": b"ustar ", "version": b" \0"}
    # But for the first, without the zeros at the end, in which changes would be lost; they are added when it is read.
    return [
        tars.tar(member(b"p-1/a.py", zips.TEXT)),
        directory(b"p-1/") + member(b"p-1/a.py", b"a") + directory(b"p-1/d/") + b"".join(links),
        pax + member(b"p-1/b", b"b"),
        tars.pax(tars.records(comment="all"), typeflag=b"g") + member(b"p-1/a.py", b"a"),
        tars.gnu_long(b"L", b"p-1/" + b"n" * 120 + b"\0") + member(b"p-1/n", b"n", uid=tars.base256(70000, 8), **gnu),
        tars.gnu_long(b"K", b"a" * 120 + b"\0") + tars.symlink(b"p-1/l", b"a", **gnu),
        member(b"a.py", b"a", prefix=b"p-1"),
    ]


def normalize_sdist(data: bytes) -> None:
    """What is accepted is canonical once it is normalized, and normalizing it again changes nothing."""
    with saved(tars.gz(tars.padded(with_checksums(data)) + bytes(1024)), "fuzzed-1.tar.gz") as path:
        assert check_sdist(twice(path, "sdist"), DATE) == []


def sdists() -> list[bytes]:
    member = tars.member
    metadata = member(b"fuzzed-1/PKG-INFO", wheels.METADATA)
    egg = b"fuzzed-1/fuzzed.egg-info/"
    generated = {b"PKG-INFO": wheels.METADATA, b"SOURCES.txt": b"b\r\na\n", b"top_level.txt": b"b\na\n"}
    return [
        metadata + member(b"fuzzed-1/a.py", zips.TEXT) + tars.symlink(b"fuzzed-1/l", b"a.py"),
        b"".join(member(egg + name, data) for name, data in generated.items())
        + tars.directory(b"fuzzed-1/d/")
        + metadata,
    ]


def twice(path: Path, kind: str) -> bytes:
    """Normalize the file at *path* on a fixed date, demand that doing so again changes nothing, return its bytes."""
    context = Context(DATE, ArtifactKind(kind))
    rewrite(path, path, context, ALL, prove=True)
    made = path.read_bytes()
    assert rewrite(path, path, context, ALL, prove=True).changes == ()
    assert path.read_bytes() == made
    return made


def read_zip(data: bytes) -> None:
    """What is accepted is the same after it was written, and deviates in nothing from the canonical form then."""
    with saved(data, "fuzzed.whl") as path, open_zip(path) as archive:
        seen = [facts(entry) for entry in archive.entries]
        for entry in archive.entries:
            assert entry.packed is None or entry.packed.crc() >= 0
        sink = io.BytesIO()
        if sum(entry.content.size for entry in archive.entries) <= LARGE:
            write_zip(sink, archive.entries, Encoder())
    if sink.getvalue():
        with saved(sink.getvalue(), "fuzzed.whl") as path, open_zip(path) as archive:
            assert [facts(entry) for entry in archive.entries] == seen
            assert archive.deviations == ()
            assert all(entry.deviations == () for entry in archive.entries)


def all_of_zip() -> list[bytes]:
    """ZIP files with every form of header that is accepted."""
    plain = zips.Member()
    late = replace(plain, flags=8, local={"crc": 0, "size": 0, "packed_size": 0}, descriptor=zips.descriptor(plain))
    wide = replace(
        plain, packed_size=zips.FULL, size=zips.FULL, extra=zips.zip64(len(plain.data), len(plain.contents()))
    )
    return [
        zips.build(),
        zips.build(plain, zips.Member(b"pkg/b.py", b"b", 0)),
        zips.build(zips.directory(), late),
        zips.build(wide, end64={}, end={"offset": zips.FULL}),
        zips.build(replace(plain, name="pkg/ü".encode(), flags=0x800, comment=b"why"), comment=b"because"),
        zips.build(plain, replace(plain, name=b"pkg/b", extra=zips.field_of(0x5455, b"\1" + bytes(4))), order=(1, 0)),
    ]


def read_zip_of_members(data: bytes) -> None:
    """As :func:`read_zip`, of an archive whose fields are chosen by *data*, so that most of them fit one another."""
    read_zip(drawn_zip(Drawn(data)))


def drawn_zip(drawn: Drawn) -> bytes:
    """Return a ZIP file of a few members, most of them ordinary."""
    members: list[zips.Member] = []
    while drawn and len(members) < 4:
        members.append(drawn_member(drawn, len(members)))
    bits = drawn.number()
    field, field64 = drawn.one_of(["disk", "here", "count", "size", "offset"]), drawn.one_of(["count", "at", "length"])
    return zips.build(
        *members,
        end={field: drawn.number(2)} if bits & 1 else {},
        end64=None if not bits & 2 else {field64: drawn.number(2)} if bits & 4 else {},
        comment=drawn.take(bits >> 5),
        order=tuple(reversed(range(len(members)))) if bits & 8 else (),
    )


def drawn_member(drawn: Drawn, number: int) -> zips.Member:
    names = [b"pkg/%d.py" % number, b"pkg/d%d/" % number, b"pkg", "pkg/ü".encode(), drawn.take(drawn.number() % 8)]
    member = zips.Member(drawn.one_of(names), drawn.take(drawn.number()), drawn.one_of([8, 0]))
    if member.name.endswith(b"/"):
        member = replace(member, external=zips.directory().external)
    for change in drawn_changes(drawn, member):
        member = replace(member, **change)
    return member


def drawn_changes(drawn: Drawn, member: zips.Member) -> Iterator[dict[str, Any]]:
    """Give changes to what a member's headers hold, of a kind that some builder makes or that makes it a lie."""
    bits = drawn.number(2)
    if bits & 1:
        yield {"flags": drawn.one_of([8, 0x800, 0x808, 1, 0x20, drawn.number(2)])}
    if bits & 2:
        yield {"descriptor": zips.descriptor(member, width=drawn.one_of([4, 8]), signature=bool(bits & 4))}
    if bits & 8:
        yield {"local": {drawn.one_of(["crc", "size", "packed_size", "flags", "method", "time"]): drawn.number(2)}}
    if bits & 16:
        yield {"extra": zips.field_of(drawn.one_of([1, 0x7075, 0x5455, 0x7875]), drawn.take(drawn.number() % 32))}
    if bits & 32:
        yield {drawn.one_of(["packed_size", "size", "crc", "offset", "disk"]): drawn.number(2)}
    if bits & 64:
        yield {"external": drawn.number(4)}
    if bits & 128:
        yield {"packed": drawn.take(drawn.number())}
    if bits & 256:
        yield {"after": drawn.take(drawn.number() % 16), "comment": drawn.take(drawn.number() % 8)}
    if bits & 512:
        yield {"time": drawn.number(2), "date": drawn.number(2), "made_by": drawn.number(2), "needed": drawn.number(2)}


def drawn_zips() -> list[bytes]:
    plain, directory = b"\0\0\5hello\0\0\0", b"\0\1\0\1\0\0"
    flagged = b"\0\0\5hello\0\7\0\0\0"  # a data descriptor, and the flag for it
    owned = b"\0\0\5hello\1\x50\0\3\4more\0\0\xed\x81"  # an extra field, and a mode
    return [b"", plain * 3, plain + directory, flagged, owned]


_PARTS = (
    f"{wheels.INFO}/METADATA",
    f"{wheels.INFO}/WHEEL",
    f"{wheels.INFO}/top_level.txt",
    f"{wheels.INFO}/sboms/demo.cdx.json",
    "demo_pkg/__init__.py",
    "demo_pkg/__pycache__/__init__.cpython-311.pyc",
    wheels.RECORD,
)
_CUT = b"\n--cut--\n"


def normalize_wheel(data: bytes) -> None:
    """A wheel of the files that *data* holds, one after another: what is accepted is canonical once it is normalized.

    And normalizing it again changes nothing. RECORD is a true one unless *data* goes on to give another.
    """
    contents = dict(zip(_PARTS, data.split(_CUT)))
    record = contents.pop(wheels.RECORD, None)
    with saved(b"", wheels.WHEEL_NAME) as path:
        wheels.write_wheel(path.parent, wheels.members(contents, record))
        assert check_wheel(twice(path, "wheel"), DATE) == []


def wheel_parts() -> list[bytes]:
    sbom = b'{"bomFormat": "CycloneDX", "metadata": {"timestamp": "2026-11-20T10:11:12Z"}}'
    source = b"ANSWER = 42\n"
    compiled = (3495).to_bytes(2, "little") + b"\r\n" + bytes(8) + len(source).to_bytes(4, "little") + b"N"
    parts = [wheels.METADATA + b"\r\nAbout\r\n", wheels.WHEEL, b"b\na\n", sbom, source, compiled]
    return [_CUT.join(parts[:2]), _CUT.join(parts)]


TARGETS = (
    Target("gzip", read_gzip, gzips, longest=1 << 12, runs=400_000),
    Target("tar", read_tar, all_of_tar, runs=12_000),
    Target("sdist", normalize_sdist, sdists, runs=3_000),
    Target("zip", read_zip, all_of_zip, runs=30_000),
    Target("zip-members", read_zip_of_members, drawn_zips, longest=1 << 10, runs=10_000),
    Target("wheel", normalize_wheel, wheel_parts, runs=600),
)
