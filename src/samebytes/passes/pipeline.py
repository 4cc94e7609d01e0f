"""From an archive to its canonical form: read strictly, run the passes, write, and say what was changed."""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import BinaryIO, Callable, NamedTuple

from ..archive import limits
from ..archive.entry import Archive, Container, Content, Data, Entry, Kind, Streamed, Written, read_all
from ..archive.zip_layout import LATEST
from ..artifact.opening import open_archive
from ..deflate.stream import Encoder
from ..errors import Interrupted, OutputError
from . import by_code
from .container import noted
from .files import check
from .model import Change, Context, Pass, PassOutcome

HELD = 1 << 22
"""Up to how many bytes an archive's contents may have for its canonical form to be made in memory."""

_CHUNK = 1 << 18


class FileDigest(NamedTuple):
    """What a file is, to anybody who has it."""

    sha256: str
    """In hexadecimal."""
    size: int


class Compression(NamedTuple):
    """How contents are compressed."""

    jobs: int = 1
    """On how many cores at once; the bytes are the same with any number."""
    keep: bool = False
    """Copy the streams that a wheel already has instead; no canonical form then, and sdists are compressed anew."""


ONE_CORE = Compression()


class Stop(threading.Event):
    """Ends what other threads do once it is set: reading ends with Interrupted, and no target is replaced any more."""

    def __init__(self) -> None:
        super().__init__()
        self._change = threading.Condition()
        self._publishing = 0

    def check(self) -> None:
        """Raise Interrupted if it is set."""
        if self.is_set():
            raise Interrupted("stopped", remedy="Run it again: nothing is half written.")

    @contextmanager
    def publishing(self) -> Iterator[None]:
        """Replace a target in the block; not begun any more once this is set."""
        with self._change:
            self.check()
            self._publishing += 1
        try:
            yield
        finally:
            with self._change:
                self._publishing -= 1
                self._change.notify_all()

    def await_published(self) -> None:
        """Wait until what was begun to be replaced is replaced; of all else that threads do, nothing stays."""
        with self._change:
            self._change.wait_for(lambda: not self._publishing)


class Rewritten(NamedTuple):
    """What became of an archive."""

    changes: tuple[Change, ...]
    """Everything that was not canonical, or not as the passes want it; empty where the bytes are the same."""
    written: tuple[Written, ...]
    before: FileDigest
    after: FileDigest
    date: int
    """The date that all members have now."""
    own_date: bool
    """Whether the archive was canonical on that date already, so that it took precedence over the context's."""
    payload_before: str | None
    """What :func:`samebytes.passes.payload.digest` says of the source; None unless a proof was asked for."""
    payload_after: str | None
    """The same of the result, read anew; equal, or there was an error."""
    notes: tuple[Change, ...] = ()
    """What is worth knowing but was not changed."""


def agreed_date(archive: Archive) -> int | None:
    """Return the one date of all files in *archive*, whole seconds since 1970 UTC, or None if they do not agree."""
    times = {entry.mtime for entry in archive.entries if entry.kind is Kind.FILE}
    date = times.pop() if len(times) == 1 else -1.0
    return int(date) if date >= 0 and date == int(date) else None


def run(archive: Archive, context: Context, passes: Sequence[Pass]) -> tuple[PassOutcome, ...]:
    """Run *passes* one after another, each on what the one before it gave back; the last outcome has the archive.

    What the reader noted is reported at the end, of what the passes left.
    """
    outcomes = [PassOutcome(archive)]
    for one in passes:
        if one.applies(context):
            outcomes.append(one.run(outcomes[-1].archive, context))
    return (*outcomes, noted(outcomes[-1].archive))


def normalize_files(files: Mapping[str, bytes], context: Context, passes: Sequence[Pass]) -> dict[str, bytes]:
    """Return the files of a ``.dist-info`` directory as they will be in a wheel.

    Names are those in a wheel: ``name-1.0.dist-info/METADATA``. Of *passes*, those marked ``for_metadata`` are run.
    """
    entries = tuple(Entry(name, Kind.FILE, 0o644, context.date, Data(data)) for name, data in files.items())
    wanted = [one for one in passes if one.for_metadata]
    last = run(Archive("the prepared metadata", entries), context, wanted)[-1].archive
    return {entry.name: read_all(entry.content) for entry in last.entries}


def rewrite(
    source: Path,
    target: Path | None,
    context: Context,
    passes: Sequence[Pass],
    compression: Compression = ONE_CORE,
    *,
    own_date: bool = False,
    prove: bool = False,
    stop: Stop | None = None,
) -> Rewritten:
    """Write the canonical form of the archive *source* to *target*, which may be *source* itself.

    A source that is canonical already is not touched when it is the target. Without a target the form is only
    compared. With *own_date*, the date of a source that is canonical already takes precedence over the context's. With
    *prove*, source and result are read once more, before the target is replaced.

    :raises SamebytesError: of the class that fits; the target is as it was then.
    """
    stop = stop or Stop()
    # Before it is read: whatever happens to it from now on is noticed before it is overwritten.
    read = source.stat() if target is not None and target.exists() and source.samefile(target) else None
    with ExitStack() as scratch:
        with open_archive(source) as found, source.open("rb") as original, digesting(original) as digested:
            archive = stoppable(found, stop)
            sink = scratch.enter_context(_scratch(archive, named=prove))
            check(archive, context.kind)
            own = _as_found(archive, context, passes, compression, sink, digested, stop) if own_date else None
            if own is None:
                outcomes = run(archive, context, passes)
                written = _write(sink, outcomes[-1].archive, context, compression)
            else:
                context, outcomes, written = own
            before, after = digested(), _digest(sink, stop)
            limits.check_formats(sink, archive.name, is_zip=context.kind.container is Container.ZIP)
            changes: tuple[Change, ...] = ()
            if before != after:
                changes = _changes(outcomes, written, context, original, sink, keep=compression.keep)
            proof = _proof(archive, Path(sink.name), context, changes) if prove else (None, None)
        # Only now, for Windows does not let anybody replace a file that is open.
        if target is not None and (before != after or read is None):
            from ..archive.atomic import replacing

            with stop.publishing(), replacing(target, unchanged=read) as file:
                for chunk in _chunks(sink):
                    file.write(chunk)
    notes = tuple(note for outcome in outcomes for note in outcome.notes)
    return Rewritten(changes, written, before, after, context.date, own is not None, proof[0], proof[1], notes)


def _as_found(
    archive: Archive,
    context: Context,
    passes: Sequence[Pass],
    compression: Compression,
    sink: BinaryIO,
    digested: Callable[[], FileDigest],
    stop: Stop,
) -> tuple[Context, tuple[PassOutcome, ...], tuple[Written, ...]] | None:
    """Return the context, the outcomes and what was written, if that is what *archive* is on its own date; else None.

    Any other has its times from a clock perhaps, also where a quick build gave them all the same.
    """
    date = agreed_date(archive)
    if date is None or date == context.date or date > LATEST:
        return None
    # Each is a change at the end of run, whatever the passes are.
    if archive.deviations or any(entry.deviations for entry in archive.entries):
        return None
    context = context._replace(date=date)
    outcomes = run(archive, context, passes)
    if any(outcome.changes for outcome in outcomes):
        return None
    # Copying a wheel's streams costs a tenth of compressing, and shows whatever else is not canonical.
    ways = (True, compression.keep) if context.kind.container is Container.ZIP else (False,)
    for keep in dict.fromkeys(ways):
        written = _write(sink, outcomes[-1].archive, context, compression._replace(keep=keep))
        if _digest(sink, stop) != digested():
            return None
    return context, outcomes, written


def stoppable(archive: Archive, stop: Stop) -> Archive:
    """Return *archive* with contents whose reading ends with Interrupted once *stop* is set."""

    def chunks(content: Content) -> Iterator[bytes]:
        stop.check()  # An empty file has no pieces.
        for chunk in content.chunks():
            stop.check()
            yield chunk

    def watched(content: Content) -> Content:
        return Streamed(content.size, lambda: chunks(content))

    return archive._replace(entries=tuple(entry._replace(content=watched(entry.content)) for entry in archive.entries))


@contextmanager
def _scratch(archive: Archive, *, named: bool) -> Iterator[BinaryIO]:
    """Yield a file to write and read what *archive* becomes; with *named*, it has its name, in a temporary directory.

    It is held in memory if the contents are small and it needs no name, for most wheels are small, and importing
    tempfile alone costs 4 ms.
    """
    # Compressed anew or kept.
    sizes = (max(entry.content.size, entry.packed.size if entry.packed else 0) for entry in archive.entries)
    if not named and sum(sizes) <= HELD:
        yield io.BytesIO()
        return
    import tempfile

    name = archive.name
    try:
        with tempfile.TemporaryDirectory(prefix="samebytes-") as directory:
            with Path(directory, name).open("w+b") as sink:
                yield sink
    except OSError as error:
        raise OutputError(
            f"{name}: cannot be written to a temporary file: {error.strerror or error}",
            remedy="Make room, or point TMPDIR at a directory with more.",
        ) from error


def _write(sink: BinaryIO, archive: Archive, context: Context, compression: Compression) -> tuple[Written, ...]:
    """Write *archive* over whatever is in *sink*."""
    sink.seek(0)
    sink.truncate()
    with Encoder(compression.jobs) as encoder:
        if context.kind.container is Container.ZIP:
            from ..archive.zip_writer import write_zip

            written = write_zip(sink, archive.entries, encoder, keep=compression.keep)
        else:
            from ..archive.tar_writer import write_tar

            written = write_tar(sink, archive.entries, encoder)
    sink.flush()
    return written


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    """Yield all of *file*, from its start."""
    file.seek(0)
    while True:
        chunk = file.read(_CHUNK)
        if not chunk:
            return
        yield chunk


@contextmanager
def digesting(file: BinaryIO) -> Iterator[Callable[[], FileDigest]]:
    """Digest *file* in a thread meanwhile; what is given waits for the digest."""
    found: list[FileDigest | BaseException] = []
    stop = Stop()

    def work() -> None:
        try:
            found.append(_digest(file, stop))
        except BaseException as error:  # for whoever waits
            found.append(error)

    thread = threading.Thread(target=work)
    thread.start()

    def digested() -> FileDigest:
        thread.join()
        if isinstance(found[0], BaseException):
            raise found[0]
        return found[0]

    try:
        yield digested
    finally:
        stop.set()  # After an error nobody waits for the digest.
        thread.join()


def _digest(file: BinaryIO, stop: Stop) -> FileDigest:
    state = hashlib.sha256()
    size = 0
    for chunk in _chunks(file):
        stop.check()
        state.update(chunk)
        size += len(chunk)
    return FileDigest(state.hexdigest(), size)


def _changes(
    outcomes: Sequence[PassOutcome],
    written: Sequence[Written],
    context: Context,
    original: BinaryIO,
    sink: BinaryIO,
    *,
    keep: bool,
) -> tuple[Change, ...]:
    """Return why two archives differ: what the passes say, and what only shows now."""
    changes = [change for outcome in outcomes for change in outcome.changes]
    changes += [change for outcome in outcomes if outcome.late is not None for change in outcome.late(written)]
    if context.kind.container is Container.ZIP:
        if not keep:
            rewritten = {change.member for change in changes if change.code == "W010"}
            changes += _compressed_otherwise(outcomes[-1].archive, written, rewritten)
        return tuple(changes) or (Change("Z099", "", "the bytes differ, and no rule explains it"),)
    return tuple(changes) or (_sdist_difference(original, sink),)


def _compressed_otherwise(archive: Archive, written: Iterable[Written], rewritten: Collection[str]) -> Iterator[Change]:
    """Yield a change for each member whose contents are as they were, but compressed to other bytes."""
    for entry, member in zip(archive.entries, written):
        # A pass that gives a member other contents takes away what was known of the old ones' compression.
        if entry.kind is not Kind.FILE or entry.packed is None or entry.name in rewritten:
            continue
        if entry.packed.size != member.packed_size:
            yield Change("Z010", entry.name, f"compressed to {entry.packed.size} bytes -> {member.packed_size}")
        elif entry.packed.crc() != member.packed_crc:
            yield Change("Z010", entry.name, f"compressed otherwise, to {member.packed_size} bytes too")


def _sdist_difference(original: BinaryIO, sink: BinaryIO) -> Change:
    """Return whether two sdists that differ in no other way differ in their compression alone."""
    import gzip

    original.seek(0)
    sink.seek(0)
    # Without a mode it is that of the file, and from Python 3.15 on the sink's is "wb+".
    with gzip.GzipFile(None, "rb", fileobj=original) as old, gzip.GzipFile(None, "rb", fileobj=sink) as new:
        pairs = zip_longest(iter(lambda: old.read(_CHUNK), b""), iter(lambda: new.read(_CHUNK), b""))
        if all(one == other for one, other in pairs):
            return Change("G002", "", "compressed otherwise")
    return Change("T099", "", "the bytes differ, and no rule explains it")


def _proof(archive: Archive, path: Path, context: Context, changes: Iterable[Change]) -> tuple[str, str]:
    """Return the payload's digest before and after, both read from their files.

    :raises OutputError: if they differ, which only a mistake in samebytes can cause.
    """
    from . import payload  # only for normalize --json: no build proves anything

    named = {change.member for change in changes if by_code(change.code).changes_contents}
    before = payload.digest(archive, context.kind, named)
    with open_archive(path) as result:
        after = payload.digest(result, context.kind, named)
    if before != after:
        raise OutputError(
            f"{archive.name}: the result does not hold the same files as the source, though no rule changed them",
            remedy="Nothing was written. This is a mistake in samebytes; please report it with the file.",
        )
    return before, after
