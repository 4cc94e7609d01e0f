"""The canonical bytes of an sdist, written out from their specification, and what other tools make of them."""

from __future__ import annotations

import gzip
import hashlib
import io
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import tars
from support.platforms import makes_links
from support.sdist_entries import LONG, VARIETY, file, folder, gnu_tar, link, tar_of, written_variety
from support.tars import DATE, directory, member, octal, pax, records, symlink

from samebytes.archive.entry import Deferred, Entry, Kind, Owner, Written
from samebytes.archive.tar_header import member_head
from samebytes.archive.tar_writer import write_tar
from samebytes.deflate.stream import Encoder, compress
from samebytes.errors import ArchiveError

# -- the canonical bytes


def test_an_archive_of_every_kind_has_exactly_the_specified_bytes() -> None:
    expected = tars.tar(
        directory(b"pkg-1.0/empty/"),
        symlink(b"pkg-1.0/link", b"../pkg-1.0/run"),
        member(b"pkg-1.0/run", b"#!/bin/sh\n", mode=b"0000755\0"),
        member(b"pkg-1.0/setup.py", b"x" * 1024),
    )
    entries = [
        folder("pkg-1.0/empty"),
        link("pkg-1.0/link", "../pkg-1.0/run"),
        file("pkg-1.0/run", b"#!/bin/sh\n", mode=0o755),
        file("pkg-1.0/setup.py", b"x" * 1024),
    ]
    assert tar_of(*entries) == expected
    sink = io.BytesIO()
    write_tar(sink, entries, Encoder())
    stream = b"".join(compress([expected], Encoder()))
    assert sink.getvalue()[:-8] == tars.CANONICAL_GZIP + stream
    assert gzip.decompress(sink.getvalue()) == expected


def test_an_archive_of_nothing_is_two_zero_blocks_and_padding() -> None:
    assert tar_of() == bytes(10240)


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 9216 - 512, 9216 - 511, 100_000])
def test_contents_are_padded_to_blocks_and_the_archive_to_records(size: int) -> None:
    data = b"\xff" * size
    assert tar_of(file("pkg-1.0/f", data)) == tars.tar(member(b"pkg-1.0/f", data))


def test_a_name_of_100_bytes_fits_and_one_of_101_takes_a_pax_record() -> None:
    fits = "pkg-1.0/" + "n" * 92
    over = fits + "n"
    assert tar_of(file(fits)) == tars.tar(member(fits.encode()))
    assert tar_of(file(over)) == tars.tar(pax(records(path=over)), member(fits.encode()))


def test_a_directory_s_slash_counts_for_its_length() -> None:
    fits = "pkg-1.0/" + "n" * 91
    over = fits + "n"
    assert tar_of(folder(fits)) == tars.tar(directory(fits.encode() + b"/"))
    assert tar_of(folder(over)) == tars.tar(pax(records(path=over + "/")), directory(over.encode()))


def test_names_beyond_ascii_stand_in_a_record_and_masked_in_the_field() -> None:
    name, target = "pkg-1.0/größe", "naïve\U0001f600"
    expected = tars.tar(
        pax(records(linkpath=target, path=name)), symlink(b"pkg-1.0/gr____e", b"na__ve____"), member(b"pkg-1.0/z")
    )
    assert tar_of(link(name, target), file("pkg-1.0/z")) == expected


def test_a_long_name_beyond_ascii_is_cut_by_bytes() -> None:
    name = "pkg-1.0/" + "ü" * 60
    assert tar_of(file(name)) == tars.tar(pax(records(path=name)), member(b"pkg-1.0/" + b"_" * 92))


def test_a_link_s_target_of_100_bytes_fits_and_one_of_101_takes_a_record() -> None:
    assert tar_of(link("pkg-1.0/l", "t" * 100)) == tars.tar(symlink(b"pkg-1.0/l", b"t" * 100))
    expected = tars.tar(pax(records(linkpath="t" * 101)), symlink(b"pkg-1.0/l", b"t" * 100))
    assert tar_of(link("pkg-1.0/l", "t" * 101)) == expected


class Huge:
    """Contents that only have a size."""

    def __init__(self, size: int) -> None:
        self.size = size

    def chunks(self) -> Iterator[bytes]:
        raise AssertionError("never read")


def test_a_size_of_8_gib_takes_a_record_and_one_byte_less_does_not() -> None:
    huge = file("pkg-1.0/f")._replace(content=Huge(8**11))
    assert member_head(huge) == pax(records(size="8589934592")) + tars.header(b"pkg-1.0/f")
    less = file("pkg-1.0/f")._replace(content=Huge(8**11 - 1))
    assert member_head(less) == tars.header(b"pkg-1.0/f", size=b"77777777777\0")


def test_every_record_at_once_is_sorted_by_keyword() -> None:
    owner = Owner(8**7, -1, "ü", "g" * 32)
    name, target = "pkg-1.0/" + "n" * 200, "t" * 101
    entry = link(name, target)._replace(owner=owner, mtime=-5)
    extended = records(
        gid="-1", gname="g" * 32, linkpath=target, mtime="-5", path=name, uid="2097152", uname=owner.uname
    )
    own = tars.header(
        name.encode()[:100],
        typeflag=b"2",
        mode=b"0000777\0",
        linkname=target.encode(),
        mtime=octal(0, 12),
        uname=b"__",
        gname=b"g" * 31,
    )
    assert member_head(entry) == pax(extended, mtime=octal(0, 12)) + own


def test_the_writer_keeps_order_modes_times_and_owners_as_they_are_given() -> None:
    entries = [
        file("pkg-1.0/b", mode=0o600, mtime=7.9, owner=Owner(1000, 100, "me", "us")),
        file("pkg-1.0/a", mode=0o4755, mtime=0),
    ]
    me = {"uid": octal(1000, 8), "gid": octal(100, 8), "uname": b"me", "gname": b"us"}
    expected = tars.tar(
        member(b"pkg-1.0/b", mode=b"0000600\0", mtime=octal(7, 12), **me),
        member(b"pkg-1.0/a", mode=b"0004755\0", mtime=octal(0, 12)),
    )
    assert tar_of(*entries) == expected


def test_what_was_written_is_told_with_its_digest() -> None:
    sink = io.BytesIO()
    written = write_tar(sink, [folder("pkg-1.0/d"), file("pkg-1.0/f", b"data"), link("pkg-1.0/l", "f")], Encoder())
    nothing = hashlib.sha256(b"").digest()
    assert written == (
        Written("pkg-1.0/d", 0, nothing, 0, 0),
        Written("pkg-1.0/f", 4, hashlib.sha256(b"data").digest(), 4, 0),
        Written("pkg-1.0/l", 0, nothing, 0, 0),
    )
    assert write_tar(io.BytesIO(), [file("pkg-1.0/f", b"data")]) == written[1:2]


def test_deferred_contents_are_made_from_what_stands_before_them() -> None:
    def listing(written: object) -> bytes:
        assert isinstance(written, tuple)
        return "".join(f"{row.name}\n" for row in written).encode()

    deferred = Entry("pkg-1.0/list", Kind.FILE, 0o644, DATE, Deferred(listing))
    assert tar_of(file("pkg-1.0/a"), deferred) == tar_of(file("pkg-1.0/a"), file("pkg-1.0/list", b"pkg-1.0/a\n"))


class Pieces:
    """Contents that come in pieces of one size."""

    def __init__(self, data: bytes, step: int, size: int) -> None:
        self._data, self._step, self.size = data, step, size

    def chunks(self) -> Iterator[bytes]:
        for start in range(0, len(self._data), self._step):
            yield self._data[start : start + self._step]


def test_how_contents_are_cut_does_not_matter() -> None:
    data = bytes(range(256)) * 5000
    results = set()
    for step in (1000, 4096, 1 << 18, len(data)):
        sink = io.BytesIO()
        write_tar(sink, [file("pkg-1.0/f")._replace(content=Pieces(data, step, len(data)))], Encoder())
        results.add(sink.getvalue())
    assert len(results) == 1


@pytest.mark.parametrize("declared", [3, 5])
def test_contents_of_another_size_than_declared_are_an_error(declared: int) -> None:
    entry = file("pkg-1.0/f")._replace(content=Pieces(b"data", 10, declared))
    with pytest.raises(ArchiveError, match=f"gave 4 bytes instead of {declared}"):
        tar_of(entry)


# -- others read what we write


def test_tarfile_reads_and_extracts_what_we_write(tmp_path: Path) -> None:
    path = written_variety(tmp_path)
    with tarfile.open(path) as archive:
        names = [info.name for info in archive]
        if hasattr(tarfile, "data_filter"):
            archive.extractall(tmp_path / "out", filter="data")
        else:
            archive.extractall(tmp_path / "out")
    assert names == [entry.name for entry in VARIETY]
    assert not makes_links() or (tmp_path / "out" / "pkg-1.0" / "far").read_bytes() == b"pass\n"
    assert (tmp_path / "out" / LONG / "empty").is_dir()
    assert (tmp_path / "out" / "pkg-1.0" / "größe.txt").read_text("utf-8") == "grün\n"
    assert sys.platform == "win32" or (tmp_path / "out" / "pkg-1.0" / "run").stat().st_mode & 0o777 == 0o755


def test_gnu_tar_lists_what_we_write_without_a_warning(tmp_path: Path) -> None:
    lines = gnu_tar("tvzf", written_variety(tmp_path)).splitlines()
    assert [line.split()[5].rstrip("/") for line in lines] == [entry.name for entry in VARIETY]
    assert lines[5].startswith("-rwxr-xr-x 0/0 ")
    assert all("2020-02-02 00:00" in line for line in lines)
