"""Rules that hold for every sdist: what is canonical comes back, what is not is noted, and nothing is read two ways."""

from __future__ import annotations

import io
import tarfile
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from support import tars
from support.examples import examples
from support.tars import octal

from samebytes.archive import limits
from samebytes.archive.entry import Archive, Data, Entry, Kind, Owner, read_all
from samebytes.archive.gzip import gunzip, gzip_chunks
from samebytes.archive.tar_reader import open_sdist
from samebytes.archive.tar_writer import write_tar
from samebytes.deflate.stream import Encoder
from samebytes.errors import ArchiveError

FEW = settings(max_examples=examples(150), deadline=None)

# Without control characters, which the filter would refuse in most texts of some length.
SHOWN = st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"], exclude_characters="/\\")
COMPONENTS = st.text(SHOWN, min_size=1, max_size=40).filter(lambda text: not limits.name_problem(text))
NAMES = st.lists(COMPONENTS, min_size=1, max_size=4).map(lambda parts: "/".join(["pkg-1.0", *parts]))
MODES = st.integers(0, 0o7777).filter(lambda mode: mode & 0o100 or not mode & 0o11)
OWNERS = st.builds(
    Owner,
    st.integers(0, 8**8),
    st.integers(0, 2**32 - 1),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40),
    st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=40),
)


@st.composite
def entries(draw: st.DrawFn) -> tuple[Entry, ...]:
    """A tree in which nothing lies beneath a file."""
    names = sorted(draw(st.sets(NAMES, max_size=5)))
    leaves = [name for name in names if not any(other.startswith(name + "/") for other in names)]
    made = []
    for name in leaves:
        kind = draw(st.sampled_from(list(Kind)))
        entry = Entry(name, kind, draw(MODES), draw(st.integers(-10, 8**12)), owner=draw(OWNERS))
        if kind is Kind.FILE:
            entry = entry._replace(content=Data(draw(st.binary(max_size=1500))))
        elif kind is Kind.SYMLINK:
            entry = entry._replace(target="nowhere-" + draw(COMPONENTS))
        made.append(entry)
    return tuple(made) or (Entry("pkg-1.0", Kind.DIRECTORY, 0o755, 0),)


def tar_of(given: tuple[Entry, ...]) -> bytes:
    sink = io.BytesIO()
    write_tar(sink, given)
    return sink.getvalue()


def loaded(archive: Archive) -> tuple[Entry, ...]:
    """The entries with their contents in memory, to be compared and kept."""
    return tuple(entry._replace(content=Data(read_all(entry.content))) for entry in archive.entries)


def plain(entry: Entry) -> tuple[object, ...]:
    return (entry.name, entry.kind, entry.mode, entry.mtime, read_all(entry.content), entry.target, entry.owner)


def read(data: bytes) -> tuple[tuple[Entry, ...], bool]:
    """The entries of the sdist *data*, and whether anything about it is odd."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "pkg-1.0.tar.gz")
        path.write_bytes(data)
        with open_sdist(path) as archive:
            found = loaded(archive)
            return found, bool(archive.deviations or any(entry.deviations for entry in archive.entries))


@FEW
@given(entries())
def test_for_one_date_canonical_input_comes_back_byte_identical(given: tuple[Entry, ...]) -> None:
    sink = io.BytesIO()
    write_tar(sink, given, Encoder())
    found, odd = read(sink.getvalue())
    assert [plain(entry) for entry in found] == [plain(entry) for entry in given]
    assert not odd
    again = io.BytesIO()
    write_tar(again, found, Encoder())
    assert again.getvalue() == sink.getvalue()


@FEW
@given(entries())
def test_tarfile_reads_what_we_write_as_we_do(given: tuple[Entry, ...]) -> None:
    with tarfile.open(fileobj=io.BytesIO(tar_of(given)), encoding="utf-8") as archive:
        for entry, info in zip(given, archive.getmembers()):
            assert info.name == entry.name
            assert (info.isfile(), info.isdir(), info.issym()) == tuple(
                entry.kind is kind for kind in (Kind.FILE, Kind.DIRECTORY, Kind.SYMLINK)
            )
            assert (info.mode, int(info.mtime), info.linkname) == (entry.mode, entry.mtime, entry.target)
            assert Owner(info.uid, info.gid, info.uname, info.gname) == entry.owner
            if entry.kind is Kind.FILE:
                reader = archive.extractfile(info)
                assert reader is not None
                assert reader.read() == read_all(entry.content)


NUMBERS = st.sampled_from(
    [b"", b"0000000\0", b"       \0", b"0000644\0", b"0100755 ", b"\x80\0\0\0\0\0\0\x05", b"\xff" * 8, b"9", b"\0001"]
)
TEXTS = st.sampled_from([b"", b"me", b"\xff", b"me\0you", b"pkg-1.0/other", b"../x", b"l" * 100])
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "mode": NUMBERS,
        "uid": NUMBERS,
        "gid": NUMBERS,
        "size": st.sampled_from([octal(0, 12), octal(3, 12), octal(512, 12), b"3", b"\x80" + bytes(10) + b"\x03"]),
        "mtime": st.sampled_from([octal(5, 12), b"\xff" * 12, b"5", b"-5"]),
        "typeflag": st.sampled_from([b"0", b"\0", b"1", b"2", b"5", b"7", b"x", b"g", b"L", b"K", b"3", b"S", b"Z"]),
        "linkname": TEXTS,
        "magic": st.sampled_from([b"ustar\0", b"ustar ", b"", b"other"]),
        "version": st.sampled_from([b"00", b" \0", b"\0\0", b"01"]),
        "uname": TEXTS,
        "gname": TEXTS,
        "devmajor": NUMBERS,
        "prefix": st.sampled_from([b"", b"pkg-1.0", b"..", b"\0junk"]),
        "rest": st.sampled_from([b"", b"tar\0", b"x"]),
    },
)
MEMBER_NAMES = st.sampled_from(
    [b"pkg-1.0/a", b"pkg-1.0/b/", b"pkg-1.0/b/c", b"./pkg-1.0/d", b"x", b"pkg-1.0/\xc3\xbc", b"pkg-1.0/e\0junk"]
)
CONTENTS = st.sampled_from(
    [b"", b"abc", b"\0" * 600, b"pkg-1.0/name\0", tars.records(path="pkg-1.0/p"), tars.records(size="3", mtime="1.5")]
)
MEMBERS = st.builds(lambda name, data, fields: tars.member(name, data, **fields), MEMBER_NAMES, CONTENTS, FIELDS)
ENDS = st.sampled_from([b"", bytes(512), bytes(1024), bytes(1025), bytes(512) + b"x", bytes(9216), bytes(9728)])


@settings(max_examples=examples(500), deadline=None)
@given(st.lists(MEMBERS, min_size=1, max_size=4), ENDS)
def test_a_tar_without_deviations_is_the_one_that_we_write(parts: list[bytes], end: bytes) -> None:
    """Nothing in a tar goes unnoticed: it is refused, noted, or part of what is written again."""
    given = b"".join(parts) + end
    try:
        found, odd = read(tars.gz(given))
    except ArchiveError:
        return
    once = tar_of(found)
    assert odd or once == given
    again, odd = read(tars.gz(once))
    assert not odd
    assert tar_of(again) == once


@settings(max_examples=examples(500), deadline=None)
@given(st.lists(MEMBERS, min_size=1, max_size=4))
def test_what_is_accepted_is_read_alike_by_tarfile(parts: list[bytes]) -> None:
    """No archive is one thing to us and another to who installs it."""
    given = tars.tar(*parts)
    try:
        found, _ = read(tars.gz(given))
    except ArchiveError:
        return
    with tarfile.open(fileobj=io.BytesIO(given), encoding="utf-8") as archive:
        infos = [info for info in archive.getmembers() if info.name not in (".", "")]
        assert [info.name[2:] if info.name.startswith("./") else info.name for info in infos] == [
            entry.name for entry in found
        ]
        for entry, info in zip(found, infos):
            if info.isfile() and entry.kind is Kind.FILE:
                reader = archive.extractfile(info)
                assert reader is not None
                assert reader.read() == read_all(entry.content)


@FEW
@given(entries(), st.data())
def test_no_byte_of_a_canonical_tar_changes_unnoticed(given: tuple[Entry, ...], data: st.DataObject) -> None:
    tar = bytearray(tar_of(given))
    at = data.draw(st.integers(0, len(tar) - 1))
    tar[at] ^= data.draw(st.integers(1, 255))
    try:
        found, odd = read(tars.gz(bytes(tar)))
    except ArchiveError:
        return
    assert odd or tar_of(found) == tar


@FEW
@given(st.binary(max_size=3000), st.lists(st.integers(0, 3000), max_size=5), st.integers(0, 2999), st.integers(0, 255))
def test_gzip_comes_back_however_it_is_cut_and_damage_is_an_archive_error(
    data: bytes, cuts: list[int], at: int, value: int
) -> None:
    edges = [0, *sorted(cuts), len(data)]
    chunks = [data[start:stop] for start, stop in zip(edges, edges[1:])]
    packed = b"".join(gzip_chunks(chunks, Encoder()))
    assert packed == b"".join(gzip_chunks([data], Encoder()))
    sink = io.BytesIO()
    assert gunzip(io.BytesIO(packed), sink, "x", source_size=len(packed)).deviations == ()
    assert sink.getvalue() == data
    damaged = bytearray(packed)
    damaged[at % len(packed)] = value
    sink = io.BytesIO()
    try:
        gunzip(io.BytesIO(damaged), sink, "x", source_size=len(packed))
    except ArchiveError:
        return
    assert sink.getvalue() == data
