"""RECORD: held against the files that it lists, first of all, and written anew, last of all.

Files are verified as they are written: the writer hashes them by SHA-256 anyway. Only what another pass rewrote or
dropped, or RECORD has another digest of, is read once more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Callable

from ..archive.entry import Archive, Data, Deferred, Entry, Kind, Written, read_all
from ..artifact import layout, record
from ..errors import RecordError
from .model import Change, Context, Pass, PassOutcome


class _VerifiedRecord(Data):
    """RECORD as it was found, with the files that it was held against: what W001 leaves for W010."""

    __slots__ = ("files", "rows")

    def __init__(self, data: bytes, rows: Mapping[str, record.Row], files: Mapping[str, Entry]) -> None:
        super().__init__(data)
        self.rows = rows
        self.files = files


def _comparing(
    archive: Archive, verified: _VerifiedRecord
) -> Callable[[Sequence[Written]], tuple[record.Mismatch, ...]]:
    """Return what gives every mismatch once all is written; what the writer has no digest of is read here."""
    now = {entry.name: entry.content for entry in archive.entries}
    rows = {
        name: verified.rows[name]
        for name, entry in verified.files.items()
        if now.get(name) is entry.content and name in verified.rows and verified.rows[name].algorithm == "sha256"
    }
    early = _examined(verified.rows, (entry for name, entry in verified.files.items() if name not in rows))

    def found(written: Sequence[Written]) -> tuple[record.Mismatch, ...]:
        late = (
            record.compare(rows[member.name], member.size, record.spelled("sha256", member.sha256))
            for member in written
            if member.name in rows
        )
        return (*early, *filter(None, late))

    return found


def _examined(rows: Mapping[str, record.Row], entries: Iterable[Entry]) -> tuple[record.Mismatch, ...]:
    """Read *entries* and return those that are not what their rows say."""
    listed = (entry for entry in entries if entry.name in rows)
    return tuple(filter(None, (record.examine(rows[entry.name], entry.content) for entry in listed)))


def _verify(archive: Archive, context: Context) -> PassOutcome:
    own_name = f"{layout.own_directory(archive, context.kind)}/RECORD"
    beside = record.never_listed(own_name)
    files = {entry.name: entry for entry in archive.entries if entry.kind is Kind.FILE and entry.name not in beside}
    found = next((entry for entry in archive.entries if entry.name == own_name), None)
    if found is None:
        return _without_record(archive, context, own_name)
    data = read_all(found.content)
    directories = {entry.name for entry in archive.entries if entry.kind is Kind.DIRECTORY}
    listing = record.parse(data, own_name, directories, loose=context.fresh)
    faults = (*listing.faults, *record.compare_names(listing, files))
    if _refused(faults, context):
        # It fails already; read the rest now, so that all is reported at once.
        raise _disagreement(archive, (*faults, *_examined(listing.rows, files.values())), context)
    verified = _VerifiedRecord(data, listing.rows, files)
    entries = tuple(entry._replace(content=verified) if entry is found else entry for entry in archive.entries)
    return PassOutcome(archive._replace(entries=entries), _changes(faults))


def _without_record(archive: Archive, context: Context, own_name: str) -> PassOutcome:
    if not context.rebuild_record and not context.fresh:
        raise RecordError(
            f"{archive.name}: there is no {own_name}, so nothing says that its files are whole",
            remedy="Build the wheel again; or, if you trust its files, write RECORD from them with --rebuild-record.",
        )
    entry = Entry(own_name, Kind.FILE, 0o644, context.date, _VerifiedRecord(b"", {}, {}))
    change = Change("W001", own_name, "there is none -> written from the files")
    return PassOutcome(archive._replace(entries=(*archive.entries, entry)), (change,))


def _finish(archive: Archive, context: Context) -> PassOutcome:
    own_name = f"{layout.own_directory(archive, context.kind)}/RECORD"
    own = next(entry for entry in archive.entries if entry.name == own_name)
    verified = (
        own.content if isinstance(own.content, _VerifiedRecord) else _VerifiedRecord(read_all(own.content), {}, {})
    )
    found = _comparing(archive, verified)
    listed = {entry.name for entry in archive.entries if entry.kind is Kind.FILE and entry is not own}

    wrong: tuple[record.Mismatch, ...] = ()
    text = b""

    def make(written: Sequence[Written]) -> bytes:
        nonlocal wrong, text
        wrong = found(written)
        if _refused(wrong, context):
            raise _disagreement(archive, wrong, context)
        rows = (record.row(member.name, member.sha256, member.size) for member in written if member.name in listed)
        text = record.serialise(rows, own_name)
        return text

    def late(_: Sequence[Written]) -> tuple[Change, ...]:
        difference = record.difference(verified.data, text)
        rewritten = (Change("W010", own_name, difference),) if difference and verified.data else ()
        return (*_changes(wrong), *rewritten)

    others = tuple(entry for entry in archive.entries if entry is not own)
    moved = archive.entries[-1] is not own
    changes = (Change("W010", own_name, "moved to the end, to be written last"),) if moved else ()
    deferred = own._replace(content=Deferred(make))
    return PassOutcome(archive._replace(entries=(*others, deferred)), changes, late=late)


def _changes(mismatches: Iterable[record.Mismatch]) -> tuple[Change, ...]:
    return tuple(Change("W001", mismatch.name, mismatch.detail) for mismatch in mismatches)


def _refused(mismatches: Iterable[record.Mismatch], context: Context) -> bool:
    return not context.rebuild_record and any(each.contradicts or not context.fresh for each in mismatches)


def _disagreement(archive: Archive, mismatches: Iterable[record.Mismatch], context: Context) -> RecordError:
    remedy = "Build or fetch it again; or, if you trust its files, write RECORD from them with --rebuild-record."
    if context.fresh:
        remedy = "The backend wrote it so: report it there, or try another release of it."
    return record.disagreement(archive.name, map(str, mismatches), remedy)


VERIFIED = Pass(
    "W001",
    "record-verified",
    "A RECORD written from files that nobody checked would make damage look right, so every file is held against the "
    "RECORD found before a new one is written.",
    _verify,
    always_because="a RECORD that nobody checked must not be written anew",
)

REWRITTEN = Pass(
    "W010",
    "record-rewritten",
    "Rows come in the order in which files were found, with the line ends and quoting of the tool; and every file that "
    "another rule changed has another digest.",
    _finish,
    always_because="a wheel without a RECORD of its files cannot be installed",
)
