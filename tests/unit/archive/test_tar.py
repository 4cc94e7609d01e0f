"""Reading sdists: canonical ones come back, every odd form is read and noted, every hostile one refused."""

from __future__ import annotations

import gzip
import io
import random
import sys
import tarfile
from pathlib import Path

import pytest
from support import tars
from support.sdist_entries import LONG, VARIETY, gnu_tar, link, tar_of, written_variety
from support.tars import DATE, base256, directory, hard_link, member, octal, pax, record, records, symlink

from samebytes.archive import limits
from samebytes.archive.entry import Archive, Aspect, Deviation, Kind, Owner, read_all
from samebytes.archive.tar_reader import open_sdist
from samebytes.archive.tar_writer import write_tar
from samebytes.deflate.stream import Encoder
from samebytes.errors import ArchiveError, HostileArchiveError, OutputError


def facts(path: Path) -> list[tuple[str, Kind, int, float, bytes, str]]:
    """All that an sdist says, in its order."""
    with open_sdist(path) as archive:
        return [(e.name, e.kind, e.mode, e.mtime, read_all(e.content), e.target) for e in archive.entries]


def all_deviations(archive: Archive) -> list[Deviation]:
    return [*archive.deviations, *(deviation for entry in archive.entries for deviation in entry.deviations)]


def deviations(path: Path) -> list[Deviation]:
    with open_sdist(path) as archive:
        return all_deviations(archive)


def rewritten(path: Path) -> bytes:
    """The sdist that the writer makes of the entries read; reading and writing that one must change nothing."""
    once = written_again(path)
    again = path.with_name("again.tar.gz")
    again.write_bytes(once)
    assert deviations(again) == []
    assert written_again(again) == once
    return once


def written_again(path: Path) -> bytes:
    sink = io.BytesIO()
    with open_sdist(path) as archive:
        write_tar(sink, archive.entries, Encoder())
    return sink.getvalue()


# -- canonical input comes back


def test_canonical_input_has_no_deviation_and_comes_back_byte_for_byte(tmp_path: Path) -> None:
    path = written_variety(tmp_path)
    assert deviations(path) == []
    assert rewritten(path) == path.read_bytes()
    with open_sdist(path) as archive:
        assert archive.name == "pkg-1.0.tar.gz"
        assert [(*entry[:4], *entry[5:]) for entry in archive.entries] == [(*e[:4], *e[5:]) for e in VARIETY]
        assert [read_all(entry.content) for entry in archive.entries] == [read_all(e.content) for e in VARIETY]


def test_contents_can_be_read_again_and_side_by_side(tmp_path: Path) -> None:
    one, two = bytes(range(256)) * 4000, b"\x07" * 900_000
    path = tars.sdist(tmp_path, member(b"pkg-1.0/a", one), member(b"pkg-1.0/b", two))
    with open_sdist(path) as archive:
        first, second = (entry.content for entry in archive.entries)
        pairs = list(zip(first.chunks(), second.chunks()))
        assert len(pairs) > 2
        assert b"".join(pair[0] for pair in pairs) == one[: sum(len(pair[0]) for pair in pairs)]
        assert b"".join(pair[1] for pair in pairs) == two[: sum(len(pair[1]) for pair in pairs)]
        assert read_all(first) == one
        assert read_all(first) == one


# -- what others write


@pytest.mark.parametrize("dialect", ["oldgnu", "gnu", "ustar", "pax"])
def test_what_gnu_tar_writes_in_each_format_is_read(tmp_path: Path, dialect: str) -> None:
    source = tmp_path / "pkg-1.0"
    source.mkdir()
    (source / "a.txt").write_bytes(b"a" * 1000)
    (source / "b").symlink_to("a.txt")
    (source / "empty").mkdir()
    (source / ("n" * 90)).mkdir()
    (source / ("n" * 90) / "deep.txt").write_bytes(b"deep")
    path = tmp_path / "x.tar.gz"
    gnu_tar("-c", "-z", "-f", path, "-C", tmp_path, f"--format={dialect}", "pkg-1.0")
    found = {name: (kind, data, target) for name, kind, _, _, data, target in facts(path)}
    assert found["pkg-1.0/a.txt"] == (Kind.FILE, b"a" * 1000, "")
    assert found["pkg-1.0/b"] == (Kind.SYMLINK, b"", "a.txt")
    assert found["pkg-1.0/empty"] == (Kind.DIRECTORY, b"", "")
    assert len(found) == 6
    rewritten(path)


@pytest.mark.parametrize("dialect", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_what_tarfile_writes_in_each_format_is_read(tmp_path: Path, dialect: int) -> None:
    path = tmp_path / "x.tar.gz"
    long = LONG + ("/long.txt" if dialect == tarfile.USTAR_FORMAT else "/" + "l" * 200)
    with tarfile.open(path, "w:gz", format=dialect) as archive:
        for name, mtime in ((long, 1.5), ("pkg-1.0/größe", DATE)):
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.mode = 4, mtime, 0o600  # type: ignore[assignment]
            info.uid, info.uname = 3_000_000 if dialect != tarfile.USTAR_FORMAT else 3, "me"
            archive.addfile(info, io.BytesIO(b"data"))
    mtime = 1.5 if dialect == tarfile.PAX_FORMAT else 1
    expected = [(long, Kind.FILE, 0o600, mtime, b"data", ""), ("pkg-1.0/größe", Kind.FILE, 0o600, DATE, b"data", "")]
    assert facts(path) == expected
    with open_sdist(path) as archive:
        assert archive.entries[0].owner.uid in (3, 3_000_000)
        assert archive.entries[0].owner.uname == "me"
    rewritten(path)


# -- odd, but readable


TOP = directory(b"pkg-1.0/")

ODD_FORMS = {
    "GNU magic": (member(b"pkg-1.0/f", b"d", magic=b"ustar ", version=b" \0"), "GNU header"),
    "pre-POSIX type": (member(b"pkg-1.0/f", b"d", typeflag=b"\0"), "pre-POSIX type"),
    "contiguous": (member(b"pkg-1.0/f", b"d", typeflag=b"7"), "contiguous file"),
    "prefix": (member(b"f", b"d", prefix=b"pkg-1.0"), "name in two parts"),
    "device numbers": (member(b"pkg-1.0/f", b"d", devmajor=b"0000001\0"), "written in another way: devmajor"),
    "no device numbers": (member(b"pkg-1.0/f", b"d", devmajor=b""), "written in another way: devmajor"),
    "file type in the mode": (member(b"pkg-1.0/f", b"d", mode=b"0100644\0"), "written in another way: mode"),
    "blanks in numbers": (member(b"pkg-1.0/f", b"d", size=b"         1 \0"), "written in another way: size"),
    "base 256 size": (member(b"pkg-1.0/f", b"d", size=base256(1, 12)), "written in another way: size"),
    "garbage behind the name": (member(b"pkg-1.0/f\0junk", b"d"), "written in another way: name"),
    "garbage in the rest": (member(b"pkg-1.0/f", b"d", rest=b"junk"), "written in another way: rest"),
    "link name of a file": (member(b"pkg-1.0/f", b"d", linkname=b"\xff"), "written in another way: linkname"),
    "a checksum of seven digits": (
        member(b"pkg-1.0/f", b"d", checksum=octal(sum(member(b"pkg-1.0/f", b"d", checksum=b" " * 8)[:512]), 8)),
        "written in another way: checksum",
    ),
    "PAX times": (
        pax(records(atime="5", ctime="6.5")) + member(b"pkg-1.0/f", b"d"),
        "PAX header: atime, ctime",
    ),
    "PAX name not needed": (pax(records(path="pkg-1.0/f")) + member(b"x", b"d"), "PAX header: path"),
    "PAX size not needed": (pax(records(size="1")) + member(b"pkg-1.0/f", b"d"), "PAX header: size"),
    "PAX attributes in bytes": (
        pax(record("SCHILY.xattr.user.x", b"\xff\0\n")) + member(b"pkg-1.0/f", b"d"),
        "PAX header: SCHILY.xattr.user.x",
    ),
    "PAX encoding named": (
        pax(records(hdrcharset="ISO-IR 10646 2000 UTF-8", path="pkg-1.0/f")) + member(b"x", b"d"),
        "PAX header: hdrcharset, path",
    ),
    "PAX header with no record": (pax(b"") + member(b"pkg-1.0/f", b"d"), "PAX header: "),
    "GNU long name": (tars.gnu_long(b"L", b"pkg-1.0/f\0") + member(b"pkg-1.0/", b"d"), "GNU long name"),
    "two ways to the same name": (
        tars.gnu_long(b"L", b"pkg-1.0/f\0") + pax(records(path="pkg-1.0/f")) + member(b"x", b"d"),
        "GNU long name; PAX header: path",
    ),
}


@pytest.mark.parametrize("case", ODD_FORMS)
def test_an_odd_form_is_read_noted_and_not_written_again(tmp_path: Path, case: str) -> None:
    part, detail = ODD_FORMS[case]
    path = tars.sdist(tmp_path, part)
    assert facts(path) == [("pkg-1.0/f", Kind.FILE, 0o644, DATE, b"d", "")]
    assert deviations(path) == [Deviation(Aspect.TAR_HEADERS, detail)]
    assert gzip.decompress(rewritten(path)) == tars.tar(member(b"pkg-1.0/f", b"d"))


def test_a_name_beyond_ascii_in_the_field_itself_is_read_and_noted(tmp_path: Path) -> None:
    path = tars.sdist(tmp_path, member("pkg-1.0/ü".encode()))
    assert facts(path)[0][0] == "pkg-1.0/ü"
    assert [deviation.aspect for deviation in deviations(path)] == [Aspect.TAR_HEADERS]
    rewritten(path)


def test_a_gnu_long_link_target_is_read_and_noted(tmp_path: Path) -> None:
    target = b"t" * 150
    path = tars.sdist(tmp_path, tars.gnu_long(b"K", target + b"\0"), symlink(b"pkg-1.0/l", target[:100]))
    assert facts(path) == [("pkg-1.0/l", Kind.SYMLINK, 0o777, DATE, b"", target.decode())]
    assert deviations(path) == [Deviation(Aspect.TAR_HEADERS, "GNU long link target")]
    assert gzip.decompress(rewritten(path)) == tar_of(link("pkg-1.0/l", target.decode()))


@pytest.mark.parametrize(
    ("part", "mtime", "detail"),
    [
        (pax(records(mtime="1580601600.25")) + member(b"pkg-1.0/f"), DATE + 0.25, "mtime; fraction of a second"),
        (pax(records(mtime="1580601600")) + member(b"pkg-1.0/f", mtime=octal(0, 12)), DATE, "PAX header: mtime"),
        (pax(records(mtime="7.")) + member(b"pkg-1.0/f"), 7, "PAX header: mtime"),
        (pax(records(mtime="-1.5")) + member(b"pkg-1.0/f"), -1.5, "PAX header: mtime; fraction of a second"),
        (member(b"pkg-1.0/f", mtime=base256(-86400, 12)), -86400, "written in another way: mtime"),
        (member(b"pkg-1.0/f", mtime=base256(8**11, 12)), 8**11, "written in another way: mtime"),
    ],
)
def test_times_are_read_whatever_their_form(tmp_path: Path, part: bytes, mtime: float, detail: str) -> None:
    path = tars.sdist(tmp_path, part)
    assert facts(path)[0][3] == mtime
    (deviation,) = deviations(path)
    assert deviation.aspect == Aspect.TAR_HEADERS
    assert deviation.detail.endswith(detail)
    rewritten(path)


def test_owners_are_read_from_fields_and_from_records(tmp_path: Path) -> None:
    fields = {"uid": octal(1000, 8), "gid": base256(8**7, 8), "uname": b"me", "gname": b"\xff"}
    path = tars.sdist(
        tmp_path,
        member(b"pkg-1.0/a", **fields),
        pax(records(uid="70000000", gid="4294967294", uname="Jürgen", gname="g" * 40)) + member(b"pkg-1.0/b", **fields),
    )
    with open_sdist(path) as archive:
        owners = [entry.owner for entry in archive.entries]
    assert owners == [Owner(1000, 8**7, "me", "\ufffd"), Owner(70000000, 4294967294, "Jürgen", "g" * 40)]
    rewritten(path)


def test_owners_times_and_modes_that_canonical_headers_can_hold_are_not_odd(tmp_path: Path) -> None:
    path = tars.sdist(
        tmp_path,
        member(b"pkg-1.0/a", uid=octal(1000, 8), uname=b"me", mtime=octal(7, 12), mode=b"0000666\0"),
    )
    assert deviations(path) == []
    assert gzip.decompress(rewritten(path)) == gzip.decompress(path.read_bytes())


def test_a_global_pax_header_counts_for_all_that_follow_and_is_noted(tmp_path: Path) -> None:
    path = tars.sdist(
        tmp_path,
        member(b"pkg-1.0/a"),
        pax(records(comment="0123abcd", mtime="77"), typeflag=b"g"),
        member(b"pkg-1.0/b"),
        pax(records(mtime="78")) + member(b"pkg-1.0/c"),
    )
    assert [row[3] for row in facts(path)] == [DATE, 77, 78]
    assert deviations(path)[0] == Deviation(Aspect.TAR_HEADERS, "global PAX header: comment, mtime")
    rewritten(path)


def test_members_given_twice_are_all_returned_in_order(tmp_path: Path) -> None:
    path = tars.sdist(tmp_path, member(b"pkg-1.0/f", b"1"), member(b"pkg-1.0/g"), member(b"pkg-1.0/f", b"22"))
    assert [(row[0], row[4]) for row in facts(path)] == [("pkg-1.0/f", b"1"), ("pkg-1.0/g", b""), ("pkg-1.0/f", b"22")]


def test_hard_links_become_files_with_the_contents_last_given_before_them(tmp_path: Path) -> None:
    path = tars.sdist(
        tmp_path,
        member(b"pkg-1.0/f", b"old", mode=b"0000755\0"),
        member(b"pkg-1.0/f", b"new", mode=b"0000755\0"),
        hard_link(b"pkg-1.0/h", b"pkg-1.0/f", mode=b"0000755\0"),
        hard_link(b"pkg-1.0/i", b"pkg-1.0/h", mode=b"0000777\0"),
    )
    assert facts(path)[2:4] == [
        ("pkg-1.0/h", Kind.FILE, 0o755, DATE, b"new", ""),
        ("pkg-1.0/i", Kind.FILE, 0o755, DATE, b"new", ""),
    ]
    assert [deviation for deviation in deviations(path) if deviation.aspect == Aspect.TAR_HARD_LINKS] == [
        Deviation(Aspect.TAR_HARD_LINKS, "hard link to 'pkg-1.0/f'"),
        Deviation(Aspect.TAR_HARD_LINKS, "hard link to 'pkg-1.0/h'"),
    ]
    rewritten(path)


def test_the_headers_of_a_hard_link_are_noted_beside_it(tmp_path: Path) -> None:
    path = tars.sdist(
        tmp_path,
        member(b"pkg-1.0/f", b"d"),
        pax(records(ctime="1")) + hard_link(b"pkg-1.0/m", b"pkg-1.0/f"),
    )
    assert facts(path)[1] == ("pkg-1.0/m", Kind.FILE, 0o644, DATE, b"d", "")
    assert deviations(path) == [
        Deviation(Aspect.TAR_HARD_LINKS, "hard link to 'pkg-1.0/f'"),
        Deviation(Aspect.TAR_HEADERS, "PAX header: ctime"),
    ]
    rewritten(path)


def test_a_pre_posix_directory_is_known_by_its_slash(tmp_path: Path) -> None:
    path = tars.sdist(tmp_path, directory(b"pkg-1.0/d/", typeflag=b"\0"))
    assert [(row[0], row[1]) for row in facts(path)] == [("pkg-1.0/d", Kind.DIRECTORY)]
    rewritten(path)


def test_a_directory_without_a_slash_is_odd(tmp_path: Path) -> None:
    path = tars.sdist(tmp_path, directory(b"pkg-1.0/d"))
    assert deviations(path) == [Deviation(Aspect.TAR_HEADERS, "written in another way: name")]
    rewritten(path)


@pytest.mark.parametrize("target", [b"f", b"../pkg-1.0/f", b"..", b".", b"./f", b"dangling", b"d/"])
def test_links_that_stay_inside_are_kept_as_they_are(tmp_path: Path, target: bytes) -> None:
    path = tars.sdist(tmp_path, member(b"pkg-1.0/f"), directory(b"pkg-1.0/d/"), symlink(b"pkg-1.0/d/l", target))
    assert facts(path)[2][5] == target.decode()
    assert gzip.decompress(rewritten(path)) == gzip.decompress(path.read_bytes())


@pytest.mark.parametrize(
    ("again", "kept"),
    [
        (member(b"pkg-1.0/f", b"x"), ("pkg-1.0/f", Kind.FILE, 0o644, DATE, b"x", "")),
        (directory(b"pkg-1.0/d/"), ("pkg-1.0/d", Kind.DIRECTORY, 0o755, DATE, b"", "")),
        (symlink(b"pkg-1.0/l", b"f"), ("pkg-1.0/l", Kind.SYMLINK, 0o777, DATE, b"", "f")),
    ],
)
def test_a_name_may_be_given_twice_where_the_first_time_makes_no_difference(
    tmp_path: Path, again: bytes, kept: tuple[object, ...]
) -> None:
    first = member(b"pkg-1.0/f", b"old") + directory(b"pkg-1.0/d/", mode=b"0000700\0") + symlink(b"pkg-1.0/l", b"f")
    assert facts(tars.sdist(tmp_path, first, again))[3] == kept


def test_names_that_differ_in_case_only_are_not_refused(tmp_path: Path) -> None:
    path = tars.sdist(tmp_path, member(b"pkg-1.0/readme"), member(b"pkg-1.0/README"))
    assert [row[0] for row in facts(path)] == ["pkg-1.0/readme", "pkg-1.0/README"]
    assert deviations(path) == []


# -- the end of the archive


ONE = member(b"pkg-1.0/f", b"data")


@pytest.mark.parametrize(
    ("end", "detail"),
    [
        (bytes(1024), "1024 bytes of zeros mark the archive's end, not 9216"),
        (bytes(9216 + 10240), "19456 bytes of zeros mark the archive's end, not 9216"),
    ],
)
def test_another_end_than_the_canonical_is_noted(tmp_path: Path, end: bytes, detail: str) -> None:
    path = tars.raw_sdist(tmp_path, ONE + end)
    assert [row[4] for row in facts(path)] == [b"data"]
    assert deviations(path) == [Deviation(Aspect.TAR_END, detail)]
    rewritten(path)


def test_padding_that_holds_something_is_noted_and_dropped(tmp_path: Path) -> None:
    path = tars.sdist(tmp_path, ONE[:-5] + b"stash")
    assert facts(path)[0][4] == b"data"
    assert deviations(path) == [Deviation(Aspect.TAR_END, "the padding of 'pkg-1.0/f' holds other bytes than zeros")]
    assert b"stash" not in gzip.decompress(rewritten(path))


@pytest.mark.parametrize(
    "rest",
    [
        bytes(512) + ONE + bytes(1024),
        bytes(1024) + ONE,
        bytes(1024) + b"x",
        bytes(10240) + bytes(1 << 19) + b"\x01",
    ],
)
def test_what_follows_the_end_is_refused(tmp_path: Path, rest: bytes) -> None:
    path = tars.raw_sdist(tmp_path, ONE + rest)
    with pytest.raises(HostileArchiveError, match=r"trailing data behind the tar's end at byte 1024"):
        facts(path)


@pytest.mark.parametrize("length", [1, 511, 513, 515, 516, 1023, 1024, 1025, 1535, 2000, 2048, 2049, 2560, 3071, 3073])
def test_a_truncated_tar_is_refused(tmp_path: Path, length: int) -> None:
    path = tars.raw_sdist(tmp_path, (ONE + ONE + bytes(2048))[:length])
    with pytest.raises(
        ArchiveError, match=r"^pkg-1\.0\.tar\.gz: the tar inside is truncated: it ends (at|in|without) "
    ):
        facts(path)


# -- refused


def gnu(name: bytes, data: bytes = b"", **fields: bytes) -> bytes:
    return member(name, data, magic=b"ustar ", version=b" \0", **fields)


DAMAGED = {
    "a wrong checksum": (ONE + member(b"pkg-1.0/g", checksum=b"0000000\0"), "byte 1024 is damaged: its checksum"),
    "a checksum of signed bytes": (
        tars.header("pkg-1.0/ü".encode(), True, size=octal(1, 12)) + tars.padded(b"d"),
        "byte 0 is damaged: its checksum is wrong",
    ),
    "a checksum in base 256": (
        member(b"pkg-1.0/f", checksum=base256(sum(member(b"pkg-1.0/f", checksum=b" " * 8)[:512]), 8)),
        "its checksum is not a number",
    ),
    "a size of blanks": (member(b"pkg-1.0/f", size=b" " * 12), "its size is not a number"),
    "a flipped bit in the middle": (ONE + b"q" + ONE[1:], "byte 1024 is damaged: its checksum is wrong"),
    "text where a header belongs": (ONE + b"x" * 512, "byte 1024 is damaged: its checksum is not a number"),
    "a bad number": (member(b"pkg-1.0/f", mode=b"rw-r--r-"), "its mode is not a number"),
    "a device number that is none": (member(b"pkg-1.0/f", devminor=b"9"), "its devminor is not a number"),
    "a number with an eight": (member(b"pkg-1.0/f", size=b"00000000008\0"), "its size is not a number"),
    "a number behind a NUL": (member(b"pkg-1.0/f", size=b"\x0000000000001"), "its size is not a number"),
    "an unknown magic": (member(b"pkg-1.0/f", magic=b"ustart"), "neither the magic of ustar nor"),
    "no magic": (member(b"pkg-1.0/f", magic=b"", version=b""), "neither the magic of ustar nor"),
    "another version": (member(b"pkg-1.0/f", version=b"01"), "neither the magic of ustar nor"),
    "GNU tar's magic with ustar's version": (member(b"pkg-1.0/f", magic=b"ustar "), "neither the magic of ustar nor"),
    "a negative size": (member(b"pkg-1.0/f", size=base256(-1, 12)), "the size -1 is negative"),
    "a size beyond the end": (member(b"pkg-1.0/f", size=octal(8**11 - 1, 12)), "truncated: it ends in 'pkg-1.0/f'"),
    "a PAX size beyond the end": (pax(records(size="99999999999")) + member(b"pkg-1.0/f"), "truncated"),
    "a negative PAX size": (pax(records(size="-5")) + member(b"pkg-1.0/f"), "the size -5 is negative"),
    "a PAX size that is none": (pax(records(size="1e3")) + member(b"pkg-1.0/f"), "size is not a number"),
    "an empty PAX size": (pax(records(size="")) + member(b"pkg-1.0/f"), "size is not a number"),
    "a PAX time that is none": (pax(records(mtime="inf")) + member(b"pkg-1.0/f"), "mtime is not a time"),
    "a time out of range": (member(b"pkg-1.0/f", mtime=base256(1 << 62, 12)), "out of any range"),
    "a PAX uid that is none": (pax(records(uid="me")) + member(b"pkg-1.0/f"), "uid is not a number"),
    "a negative PAX uid": (pax(records(uid="-2")) + member(b"pkg-1.0/f"), "the owner -2:0 is out of any range"),
    "a large PAX gid": (pax(records(gid="4294967296")) + member(b"pkg-1.0/f"), "out of any range"),
    "a negative uid": (member(b"pkg-1.0/f", uid=base256(-2, 8)), "the owner -2:0 is out of any range"),
    "a negative uid beside a PAX one": (
        pax(records(uid="5")) + member(b"pkg-1.0/f", uid=base256(-2, 8)),
        "the owner -2:0 is out of any range",
    ),
    "a global uid out of range beside another": (
        pax(records(uid="-2"), typeflag=b"g") + pax(records(uid="5")) + member(b"pkg-1.0/f"),
        "the owner -2:0 is out of any range",
    ),
    "a time out of range beside PAX ones": (
        pax(records(mtime="5", atime="5", ctime="5")) + member(b"pkg-1.0/f", mtime=base256(1 << 62, 12)),
        "out of any range",
    ),
    "a global time that is none beside another": (
        pax(records(mtime="x"), typeflag=b"g") + pax(records(mtime="5")) + member(b"pkg-1.0/f"),
        "mtime is not a time",
    ),
    "a PAX atime that is none": (pax(records(atime="")) + member(b"pkg-1.0/f"), "atime is not a time"),
    "a PAX ctime out of range": (pax(records(ctime="9" * 20)) + member(b"pkg-1.0/f"), "out of any range"),
    "zeros behind a PAX record": (pax(records(comment="x") + bytes(20)) + ONE, "a PAX record is malformed"),
    "a PAX record without length": (pax(b"path=x\n") + ONE, "a PAX record is malformed"),
    "a PAX record too long": (pax(b"99 path=x\n") + ONE, "a PAX record is malformed"),
    "a PAX record too short": (pax(b"5 path=x\n") + ONE, "a PAX record is malformed"),
    "a PAX record of length zero": (pax(b"0 path=x\n") + ONE, "a PAX record is malformed"),
    "a PAX record without length behind a sound one": (
        pax(tars.record("path", "p-1/x") + b"path=x\n") + ONE,
        "a PAX record is malformed",
    ),
    "a PAX record without equals sign": (pax(b"8 path \n") + ONE, "a PAX record is malformed"),
    "a PAX record without keyword": (pax(b"5 =x\n") + ONE, "a PAX record is malformed"),
    "a PAX record without newline": (pax(b"10 path=xyz") + ONE, "a PAX record is malformed"),
    "a long name that is empty": (tars.gnu_long(b"L", b"\0") + ONE, "the GNU long name is malformed"),
    "a long name that ends in two NULs": (tars.gnu_long(b"L", b"a\0\0") + ONE, "the GNU long name is malformed"),
    "a long name with a second one": (tars.gnu_long(b"L", b"a\0b\0") + ONE, "the GNU long name is malformed"),
    "an extended header at the end": (ONE + pax(records(path="x")), "no member follows the PAX header"),
    "a global header at the end": (
        ONE + pax(records(comment="x"), typeflag=b"g"),
        "no member follows the global PAX header",
    ),
    "an extended header before a global one": (
        pax(records(path="x")) + pax(records(comment="x"), typeflag=b"g") + ONE,
        "no member follows the PAX header",
    ),
    "an extended header cut off": (ONE + pax(records(path="x"), size=octal(9999, 12)), "in an extended header"),
    "a name that is not UTF-8": (member(b"pkg-1.0/gr\xf6sse"), r"its name b'pkg-1\.0/gr\\xf6sse' is not UTF-8"),
    "a surrogate in a name": (pax(records(path=b"pkg-1.0/\xed\xa0\x80")) + ONE, "is not UTF-8"),
    "a target that is not UTF-8": (symlink(b"pkg-1.0/l", b"\xff"), "its link target"),
    "a character device": (member(b"pkg-1.0/f", typeflag=b"3"), "it is a character device"),
    "a block device": (member(b"pkg-1.0/f", typeflag=b"4"), "it is a block device"),
    "a named pipe": (member(b"pkg-1.0/f", typeflag=b"6"), "it is a named pipe"),
    "a GNU sparse file": (gnu(b"pkg-1.0/f", typeflag=b"S", prefix=bytes(41) + b"00000000000"), "it is a sparse file"),
    "a PAX sparse file": (pax(records(GNU_sparse_major="1")) + ONE, "it is a sparse file"),
    "global sparse records": (pax(records(GNU_sparse_size="1"), typeflag=b"g") + ONE, "it is a sparse file"),
    "a dump directory": (gnu(b"pkg-1.0/", typeflag=b"D"), "an incremental backup"),
    "a volume label": (gnu(b"label", typeflag=b"V"), "a volume's label"),
    "an unknown type": (member(b"pkg-1.0/f", typeflag=b"Q"), "it is of the unknown type b'Q'"),
    "a GNU header with times in the prefix": (gnu(b"pkg-1.0/f", prefix=b"13615403000\0"), "tools disagree on the name"),
    "a dangling hard link": (hard_link(b"pkg-1.0/h", b"pkg-1.0/f") + ONE, "no member before it has that name"),
    "a hard link to itself": (hard_link(b"pkg-1.0/h", b"pkg-1.0/h"), "no member before it has that name"),
    "a hard link to a symbolic link": (
        symlink(b"pkg-1.0/l", b"f") + hard_link(b"pkg-1.0/h", b"pkg-1.0/l"),
        "but that is a symlink",
    ),
    "a prefix that is the whole name": (member(b"", prefix=b"pkg-1.0"), "tools disagree on the name"),
    "a star sparse file": (pax(records(SCHILY_realsize="9")) + ONE, "it is a sparse file"),
    "a Solaris sparse file": (pax(records(SUN_holesdata=" 0 9")) + ONE, "it is a sparse file"),
    "a hard link to a directory": (TOP + hard_link(b"pkg-1.0/h", b"pkg-1.0"), "but that is a directory"),
    "no member": (b"", "this one has no member at all"),
    "files at the top": (
        b"".join(member(b"%d.py" % number) for number in range(7)) + TOP,
        "this one has '0.py', '1.py', '2.py', '3.py', '4.py' and 2 more beside it",
    ),
    "two top-level directories": (ONE + member(b"other/f"), "this one has 'other', 'pkg-1.0'"),
    "a link at the top": (symlink(b"pkg-1.0", b"x"), "'pkg-1.0' beside it"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_or_unfit_archive_is_refused_and_the_message_says_how(tmp_path: Path, case: str) -> None:
    part, message = DAMAGED[case]
    with pytest.raises(ArchiveError, match=message) as caught:
        facts(tars.sdist(tmp_path, part))
    assert caught.value.message.startswith("pkg-1.0.tar.gz: ")
    assert caught.value.remedy


HOSTILE = {
    "a file that only others may execute": (member(b"pkg-1.0/f", mode=b"0000655\0"), "but not its owner"),
    "an absolute name": (member(b"/etc/passwd"), "the name is absolute"),
    "a way out": (member(b"pkg-1.0/../../f"), r"leads out of the archive"),
    "a way out by a PAX record": (pax(records(path="../f")) + ONE, r"leads out of the archive"),
    "a way out by a long name": (tars.gnu_long(b"L", b"../f\0") + ONE, r"leads out of the archive"),
    "a way out by a prefix": (member(b"f", prefix=b".."), r"leads out of the archive"),
    "a NUL in a name": (pax(records(path="pkg-1.0/f\0.txt")) + ONE, "holds a NUL"),
    "an empty name": (member(b""), "the name is empty"),
    "an empty name by a PAX record": (pax(records(path="")) + ONE, "the name is empty"),
    "an empty component": (member(b"pkg-1.0//f"), "an empty component"),
    "two slashes behind a directory": (directory(b"pkg-1.0/d//"), "an empty component"),
    "the archive's own directory": (directory(b"./") + ONE, r"a component '\.'"),
    "a dot in front": (ONE + member(b"./pkg-1.0/g"), r"a component '\.'"),
    "a dot inside": (member(b"pkg-1.0/./f"), r"a component '\.'"),
    "a backslash": (member(b"pkg-1.0\\f"), "a backslash"),
    "a drive": (member(b"c:/f"), "a drive letter"),
    "a name too long": (pax(records(path="pkg-1.0/" + "n" * 5000)) + ONE, "longer than 4096 bytes"),
    "a file with a slash": (member(b"pkg-1.0/f/"), "not a directory by its type"),
    "a link with a slash": (symlink(b"pkg-1.0/l/", b"f"), "not a directory by its type"),
    "a directory with contents": (directory(b"pkg-1.0/d/", size=octal(512, 12)) + bytes(512), "with contents"),
    "a link with contents": (symlink(b"pkg-1.0/l", b"f", size=octal(512, 12)) + ONE[512:], "with contents"),
    "a hard link with contents": (ONE + hard_link(b"pkg-1.0/h", b"pkg-1.0/f", size=octal(4, 12)), "with contents"),
    "an absolute link": (symlink(b"pkg-1.0/l", b"/etc/passwd"), "is absolute"),
    "a link out": (symlink(b"pkg-1.0/l", b"../x"), "leads out of the top directory"),
    "a link out and in again": (symlink(b"pkg-1.0/l", b"../../pkg-1.0/f"), "leads out of the top directory"),
    "a link to the directory around": (symlink(b"pkg-1.0/l", b".."), "leads out of the top directory"),
    "a link out through a link": (
        symlink(b"pkg-1.0/a/b/up", b"../..") + symlink(b"pkg-1.0/out", b"a/b/up/../x"),
        "leads out of the top directory",
    ),
    "a link that another one replaces": (symlink(b"pkg-1.0/l", b"g") + symlink(b"pkg-1.0/l", b"f"), "given twice"),
    "a link that a file replaces": (symlink(b"pkg-1.0/l", b"f") + member(b"pkg-1.0/l"), "given twice"),
    "a file that a link replaces": (ONE + symlink(b"pkg-1.0/f", b"g"), "given twice"),
    "a file that a directory replaces": (ONE + directory(b"pkg-1.0/f/"), "given twice"),
    "a directory that a file replaces": (directory(b"pkg-1.0/f/") + ONE, "given twice"),
    "a file that a hard link replaces": (
        ONE + member(b"pkg-1.0/g", b"data") + hard_link(b"pkg-1.0/f", b"pkg-1.0/g"),
        "given twice",
    ),
    "a hard link that a file replaces": (
        ONE + hard_link(b"pkg-1.0/g", b"pkg-1.0/f") + member(b"pkg-1.0/g", b"other"),
        "given twice",
    ),
    "a file with a hard link to it that is given again": (
        ONE + hard_link(b"pkg-1.0/g", b"pkg-1.0/f") + member(b"pkg-1.0/f", b"other"),
        "given twice",
    ),
    "a file that is executable the first time only": (member(b"pkg-1.0/f", mode=b"0000755\0") + ONE, "given twice"),
    "a hard link with another mode": (
        ONE + hard_link(b"pkg-1.0/g", b"pkg-1.0/f", mode=b"0000755\0"),
        "by their modes one is executable",
    ),
    "a link nowhere": (symlink(b"pkg-1.0/l", b""), "points nowhere"),
    "a target with a NUL": (pax(records(linkpath="f\0g")) + symlink(b"pkg-1.0/l", b"f"), "a NUL"),
    "a member beneath a file": (ONE + member(b"pkg-1.0/f/g"), "it lies beneath 'pkg-1.0/f'"),
    "a file above a member": (member(b"pkg-1.0/f/g/h") + ONE, "it lies beneath 'pkg-1.0/f'"),
    "a link that a file replaces where case does not count": (
        symlink(b"pkg-1.0/l", b"g") + member(b"pkg-1.0/L"),
        "'pkg-1.0/L': on another system it is one with the link 'pkg-1.0/l'",
    ),
    "two links that are one in Unicode": (
        symlink("pkg-1.0/\u00e4".encode(), b"g") + symlink("pkg-1.0/a\u0308".encode(), b"g"),
        "on another system it is one with the link",
    ),
    "two files that are one in Unicode": (
        member("pkg-1.0/\u212a".encode()) + member(b"pkg-1.0/K"),
        "by Unicode it is one with",
    ),
    "a file beneath one that is another in Unicode": (
        member("pkg-1.0/\u00e4".encode()) + member("pkg-1.0/a\u0308/f".encode()),
        "by Unicode it lies beneath 'pkg-1.0/\u00e4', a file or link",
    ),
    "a PAX keyword that GNU tar takes for another": (
        pax(tars.record(" path", "pkg-1.0/g")) + ONE,
        "its PAX record ' path' is one that tools read differently",
    ),
    "a PAX keyword with a NUL": (pax(tars.record("pa\0th", "x")) + ONE, "is one that tools read differently"),
    "a file beneath a link where dots do not count": (
        member(b"pkg-1.0/D./f") + symlink(b"pkg-1.0/d", b"e"),
        "'pkg-1.0/d': on another system 'pkg-1.0/d/f' lies beneath this link",
    ),
    "a member beneath a link": (symlink(b"pkg-1.0/l", b"d") + member(b"pkg-1.0/l/f"), "it lies beneath 'pkg-1.0/l'"),
    "two names by two headers": (
        tars.gnu_long(b"L", b"pkg-1.0/a\0") + pax(records(path="pkg-1.0/b")) + ONE,
        "by a GNU header and b'pkg-1.0/b' by a PAX header",
    ),
    "two PAX headers": (pax(records(path="pkg-1.0/a")) + pax(records(path="pkg-1.0/b")) + ONE, "a second PAX header"),
    "two long names": (tars.gnu_long(b"L", b"a\0") + tars.gnu_long(b"L", b"b\0") + ONE, "a second GNU long name"),
    "two sizes": (pax(records(size="1024")) + ONE + ONE, "4 by the header and 1024 by the PAX record"),
    "a size beside a saturated field": (
        pax(records(size="4")) + member(b"pkg-1.0/f", b"data", size=b"77777777777\0"),
        "8589934591 by the header and 4 by",
    ),
    "a size beside an empty field": (
        pax(records(size="4")) + member(b"pkg-1.0/f", b"data", size=octal(0, 12)),
        "0 by the header and 4 by",
    ),
    "a PAX keyword twice": (
        pax(records(path="pkg-1.0/e") + records(path="pkg-1.0/f")) + ONE,
        "PAX record 'path' is one that tools read differently",
    ),
    "a PAX record inside another's value": (
        pax(records(comment="x\n" + "18 path=pkg-1.0/g")) + ONE,
        "PAX record 'comment' is one that tools read differently",
    ),
    "PAX records in no encoding": (pax(records(hdrcharset="BINARY")) + ONE, "in another encoding than UTF-8"),
    "PAX records in no encoding, for all": (
        pax(records(hdrcharset="BINARY"), typeflag=b"g") + ONE,
        "in another encoding than UTF-8",
    ),
    "a directory by the header's name alone": (
        pax(records(path="pkg-1.0/f")) + member(b"pkg-1.0/f/", b"data", typeflag=b"\0"),
        "a directory by one of its names",
    ),
    "a directory by the PAX name alone": (
        pax(records(path="pkg-1.0/f/")) + member(b"pkg-1.0/f", b"", typeflag=b"\0"),
        "a directory by one of its names",
    ),
    "a directory by the header's name and not by the GNU one": (
        tars.gnu_long(b"L", b"pkg-1.0/f\0") + gnu(b"pkg-1.0/f/", data=b"data", typeflag=b"\0"),
        "a directory by one of its names",
    ),
    "a directory by the GNU name alone": (
        tars.gnu_long(b"L", b"pkg-1.0/f/\0") + gnu(b"pkg-1.0/f", typeflag=b"\0"),
        "a directory by one of its names",
    ),
    "one name for all": (pax(records(path="pkg-1.0/x"), typeflag=b"g") + ONE, "gives every member the same path"),
    "one size for all": (pax(records(size="4"), typeflag=b"g") + ONE, "gives every member the same size"),
    "a GNU name that goes on behind its size": (
        tars.gnu_long(b"L", b"pkg-1.0/name").replace(b"pkg-1.0/name\0", b"pkg-1.0/names") + ONE,
        "an extended header goes on behind its size",
    ),
    "a PAX header with more records behind its size": (
        pax(records(path="pkg-1.0/x"), typeflag=b"x").replace(b"pkg-1.0/x\n\0", b"pkg-1.0/x\n1") + ONE,
        "an extended header goes on behind its size",
    ),
    "a global one with more records behind its size": (
        pax(records(comment="x"), typeflag=b"g").replace(b"comment=x\n\0", b"comment=x\n1") + ONE,
        "an extended header goes on behind its size",
    ),
    "an immense extended header": (pax(records(comment="x" * (1 << 20))) + ONE, "an extended header of 10485"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_archive_is_refused_and_the_message_says_how(tmp_path: Path, case: str) -> None:
    part, message = HOSTILE[case]
    with pytest.raises(HostileArchiveError, match=message) as caught:
        facts(tars.sdist(tmp_path, part))
    assert caught.value.message.startswith("pkg-1.0.tar.gz: ")
    assert caught.value.remedy


def test_headers_that_take_next_to_nothing_of_the_file_are_refused_beyond_a_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "budgets", lambda: limits.Budgets(headers=30))
    many = [pax(records(mtime="5")) + member(b"pkg-1.0/%d" % number) for number in range(15)]
    assert len(facts(tars.sdist(tmp_path, *many))) == 15
    with pytest.raises(
        HostileArchiveError, match="31 tar headers in a file of its size are over the limit headers, which is 30"
    ):
        facts(tars.sdist(tmp_path, *many, member(b"pkg-1.0/more")))
    # Those that fill the file are sources, however many they are.
    noise = random.Random(1).randbytes
    full = [member(b"pkg-1.0/%d" % number, noise(100)) for number in range(40)]
    assert len(facts(tars.sdist(tmp_path, *full))) == 40


def test_names_and_targets_are_refused_beyond_so_many_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "budgets", lambda: limits.Budgets(names=20))
    assert len(facts(tars.sdist(tmp_path, symlink(b"pkg-1.0/ab", b"x" * 10)))) == 1
    with pytest.raises(HostileArchiveError, match="21 bytes of names and link targets are over the limit names"):
        facts(tars.sdist(tmp_path, symlink(b"pkg-1.0/ab", b"x" * 11)))
    # In bytes, not characters: a directory and its slash, a file, and what a hard link is to.
    names = directory("pkg-1.0/é/".encode()) + ONE + hard_link(b"pkg-1.0/h", b"pkg-1.0/f")
    total = len("pkg-1.0/é/".encode()) + 3 * len(b"pkg-1.0/f")
    monkeypatch.setattr(limits, "budgets", lambda: limits.Budgets(names=total))
    facts(tars.sdist(tmp_path, names))
    monkeypatch.setattr(limits, "budgets", lambda: limits.Budgets(names=total - 1))
    with pytest.raises(HostileArchiveError, match=f"{total} bytes of names"):
        facts(tars.sdist(tmp_path, names))


def test_what_deviations_quote_of_pax_records_is_bounded(tmp_path: Path) -> None:
    many = b"".join(record(f"VENDOR.{number:0250}", b"") for number in range(100))
    path = tars.sdist(tmp_path, pax(many, typeflag=b"g"), pax(many), ONE)
    assert all(len(deviation.detail) < 2000 for deviation in deviations(path))
    assert [deviation.detail[-12:] for deviation in deviations(path)] == [" and 95 more"] * 2
    with pytest.raises(HostileArchiveError, match="is one that tools read differently"):
        facts(tars.sdist(tmp_path, pax(record("v" * 301, b"")), ONE))


def test_many_records_in_one_header_take_no_quadratic_time(tmp_path: Path) -> None:
    many = pax(b"".join(b"17 %08d=bcde\n" % number for number in range(3_000)))
    assert len(facts(tars.sdist(tmp_path, many, ONE))) == 1


def test_what_is_no_tar_says_so(tmp_path: Path) -> None:
    path = tmp_path / "x.tar.gz"
    path.write_bytes(tars.gz(b"just some text\n" * 100))
    with pytest.raises(ArchiveError, match=r"x\.tar\.gz: .*is it a tar archive"):
        facts(path)


def test_what_is_no_gzip_says_so(tmp_path: Path) -> None:
    path = tmp_path / "x.tar.gz"
    path.write_bytes(tars.tar(ONE))
    with pytest.raises(ArchiveError, match=r"x\.tar\.gz: is not a gzip file"):
        facts(path)


def test_a_file_that_is_missing_or_a_directory_is_an_archive_error(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.tar.gz", tmp_path):
        with pytest.raises(ArchiveError, match="cannot be opened"):
            facts(path)


def test_the_deviations_of_gzip_stand_before_those_of_tar(tmp_path: Path) -> None:
    path = tmp_path / "x.tar.gz"
    path.write_bytes(tars.gz(ONE + bytes(1024), head=b"\x1f\x8b\x08\0\0\0\0\0\x02\xff"))
    assert [deviation.aspect for deviation in deviations(path)] == [Aspect.GZIP_HEADER, Aspect.TAR_END]
    rewritten(path)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
def test_a_full_disk_is_an_output_error_and_says_where(tmp_path: Path) -> None:
    import resource
    import signal

    path = tars.sdist(tmp_path, member(b"pkg-1.0/f", bytes(4 << 20)))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, limits[1]))
    try:
        with pytest.raises(OutputError, match="cannot be unpacked to a temporary file") as caught:
            facts(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert "TMPDIR" in caught.value.remedy
