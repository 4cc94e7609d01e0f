"""Rules that the ZIP reader and writer keep whatever the entries are."""

from __future__ import annotations

import contextlib
import hashlib
import io
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from support import zip_mutants, zip_unpacker
from support.examples import examples

from samebytes.archive import limits
from samebytes.archive.entry import Data, Entry, Kind, Written, read_all
from samebytes.archive.zip_layout import EARLIEST, LATEST
from samebytes.archive.zip_reader import open_zip
from samebytes.archive.zip_writer import write_zip
from samebytes.deflate.stream import Encoder
from samebytes.errors import ArchiveError

EXAMPLES = settings(max_examples=examples(60), deadline=None)

components = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\\:"), min_size=1, max_size=8
).filter(lambda name: not (limits.name_problem(name) or limits.windows_problem(name)))
names = st.lists(components, min_size=1, max_size=4).map("/".join)
contents = st.one_of(
    st.binary(max_size=300),
    st.builds(lambda piece, times: piece * times, st.binary(min_size=1, max_size=20), st.integers(0, 3000)),
)


def fit_together(given_names: list[str]) -> bool:
    folded = {limits.folded(name) for name in given_names}
    return len(folded) == len(given_names) and not list(limits.beneath_files(folded, folded))


@st.composite
def entries(draw: st.DrawFn) -> list[Entry]:
    return [
        Entry(
            name,
            Kind.FILE,
            draw(st.sampled_from([0o644, 0o755])),
            float(draw(st.integers(EARLIEST // 2, LATEST // 2)) * 2),
            Data(draw(contents)),
        )
        for name in draw(st.lists(names, max_size=6).filter(fit_together))
    ]


class Cut:
    """The same contents in other pieces."""

    def __init__(self, data: bytes, step: int) -> None:
        self.data = data
        self.step = step

    @property
    def size(self) -> int:
        return len(self.data)

    def chunks(self) -> Iterator[bytes]:
        for at in range(0, len(self.data), self.step):
            yield self.data[at : at + self.step]


def written(given_entries: list[Entry]) -> tuple[bytes, tuple[Written, ...]]:
    sink = io.BytesIO()
    told = write_zip(sink, given_entries, Encoder())
    return sink.getvalue(), told


def facts(data: bytes) -> list[tuple[str, Kind, int, float, bytes, int, int]]:
    """Write *data* to a file, and return all that the reader says of it."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "it.whl")
        path.write_bytes(data)
        with open_zip(path) as archive:
            assert archive.deviations == ()
            assert all(entry.deviations == () for entry in archive.entries)
            return [
                (
                    entry.name,
                    entry.kind,
                    entry.mode,
                    entry.mtime,
                    read_all(entry.content),
                    entry.packed.size if entry.packed else -1,
                    entry.packed.crc() if entry.packed else -1,
                )
                for entry in archive.entries
            ]


@EXAMPLES
@given(entries())
def test_what_was_written_is_read_back_and_has_nothing_odd(given_entries: list[Entry]) -> None:
    data, told = written(given_entries)
    assert facts(data) == [
        (entry.name, entry.kind, entry.mode, entry.mtime, read_all(entry.content), one.packed_size, one.packed_crc)
        for entry, one in zip(given_entries, told)
    ]


@EXAMPLES
@given(entries(), st.integers(1, 100))
def test_bytes_do_not_depend_on_how_contents_are_cut(given_entries: list[Entry], step: int) -> None:
    cut = [entry._replace(content=Cut(read_all(entry.content), step)) for entry in given_entries]
    assert written(cut) == written(given_entries)


@EXAMPLES
@given(entries())
def test_zipfile_sees_the_same(given_entries: list[Entry]) -> None:
    with zipfile.ZipFile(io.BytesIO(written(given_entries)[0])) as file:
        assert file.testzip() is None
        assert [
            (info.orig_filename, info.external_attr >> 16 & 0o777, file.read(info)) for info in file.infolist()
        ] == [(entry.name, entry.mode, read_all(entry.content)) for entry in given_entries]


@EXAMPLES
@given(entries().filter(bool), st.data())
def test_any_damage_is_refused_or_changes_no_contents(given_entries: list[Entry], data: st.DataObject) -> None:
    plain, _ = written(given_entries)
    damaged = bytearray(plain)
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(plain) - 1))] = data.draw(st.integers(0, 255))
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "it.whl")
        path.write_bytes(damaged)
        try:
            with open_zip(path) as archive:
                seen = [(entry.name, read_all(entry.content)) for entry in archive.entries]
        except ArchiveError:
            return
    assert sorted(seen) == sorted((entry.name, read_all(entry.content)) for entry in given_entries)


MADE = list(zip_mutants.bases().values())


@EXAMPLES
@given(st.lists(st.sampled_from(sorted(zip_mutants.KINDS)), min_size=1, max_size=4), st.integers(0, 1 << 32))
def test_zipfile_sees_the_same_in_whatever_is_accepted(kinds: list[str], seed: int) -> None:
    data, _ = zip_mutants.mutant(seed, MADE, kinds)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, zip_mutants.NAME)
        path.write_bytes(data)
        try:
            with open_zip(path) as archive:
                seen = {
                    entry.name: "d"
                    if entry.kind is Kind.DIRECTORY
                    else "f" + hashlib.sha256(read_all(entry.content)).hexdigest()
                    for entry in archive.entries
                }
        except ArchiveError:
            return
        assert zip_unpacker.answer("zipfile", str(path), "") == seen


@EXAMPLES
@given(st.binary(max_size=400))
def test_bytes_that_are_no_archive_get_an_error_and_never_another_exception(noise: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "it.whl")
        path.write_bytes(b"PK\3\4" + noise + b"PK\5\6" + bytes(18))
        with contextlib.suppress(ArchiveError), open_zip(path) as archive:
            assert archive.entries == ()
