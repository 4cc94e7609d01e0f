"""One of the two archives: what a reader says of it, and what it would be after normalizing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from samebytes.archive.entry import Archive, Entry, Kind
from samebytes.archive.zip_layout import MemberHeader
from samebytes.artifact import layout
from samebytes.artifact.layout import ArtifactKind
from samebytes.artifact.pyc import source_of
from samebytes.epoch import DEFAULT_DATE
from samebytes.passes import DEFAULT
from samebytes.passes.files import check
from samebytes.passes.model import Change, Context, Pass
from samebytes.passes.pipeline import run

RECORD = "*.dist-info/RECORD"
"""The key of a wheel's RECORD."""

SIGNATURES = frozenset((f"{RECORD}.jws", f"{RECORD}.p7s"))
"""The keys of what signs it."""

_RECORD_PASSES = frozenset({"W001", "W010"})
"""RECORD is looked at by :mod:`.records`: a wrong one is a finding here, and not an error."""

_COSTLY = frozenset({"P001", "P002", "C001"})
"""Passes that read members of any size; they are run on what differs, for equal members stay equal."""

_RULES = tuple(one for one in DEFAULT if one.code not in _RECORD_PASSES | _COSTLY)
_COSTLY_RULES = tuple(one for one in DEFAULT if one.code in _COSTLY)


class Opened(NamedTuple):
    """An archive, open for reading, and what the normalizer's passes make of it.

    Members are found by a key: their name with the release's own name and version left out.
    """

    kind: ArtifactKind
    archive: Archive
    own: str
    """The directory with the release's name: ``.dist-info`` of a wheel, the top directory of an sdist."""
    files: Mapping[str, Entry]
    """What is installed or unpacked, as read: files, links, and the directories that nothing else implies."""
    normal: Mapping[str, Entry]
    """What there is after the passes, with one date for everybody; RECORD as it was. See :func:`settled`."""
    changes: tuple[Change, ...]
    """What the passes changed, RECORD aside."""
    headers: Mapping[str, MemberHeader]
    """Of a wheel: what the central directory says of each member, by name."""
    comment: bytes
    """Of a wheel's container."""
    excluded: frozenset[str] = frozenset()
    """The names of what was left out."""

    def key(self, name: str) -> str:
        """Return the key of the member called *name*."""
        return member_key(name, self.own, self.kind)

    @property
    def is_signed(self) -> bool:
        """Whether a signature keeps RECORD from being written anew."""
        return not SIGNATURES.isdisjoint(self.files)


def member_key(name: str, own: str, kind: ArtifactKind) -> str:
    """Return *name* without the name and version of the release whose directory is *own*."""
    first, slash, rest = name.partition("/")
    if kind == ArtifactKind.SDIST:
        # The top directory itself has nothing left of its name.
        return rest if first == own and rest else name
    if not own:
        return name
    if first == own:
        return f"*.dist-info{slash}{rest}"
    # Both directories have the version in their names, which differs between releases.
    return f"*.data{slash}{rest}" if first == own[: -len(".dist-info")] + ".data" else name


def opened(path: Path, archive: Archive, kind: ArtifactKind) -> Opened:
    """Run the passes on *archive*, which was read from *path*.

    :raises ArchiveError: if it is not laid out like what its name says.
    """
    # Before the passes, which assume the layout of their kind.
    check(archive, kind)
    return passed(path, archive, kind, layout.own_directory(archive, kind), _RULES)


def passed(path: Path, archive: Archive, kind: ArtifactKind, own: str, rules: Sequence[Pass]) -> Opened:
    """Run *rules* on *archive*, which was read from *path*; *own* is the directory with the release's name, if any."""
    outcomes = run(archive, _context(kind), rules)
    normal = {member_key(entry.name, own, kind): entry for entry in outcomes[-1].archive.entries}
    # Of members with one name the last counts. Directories that others imply are removed by a pass.
    last = {member_key(entry.name, own, kind): entry for entry in archive.entries}
    files = {key: entry for key, entry in last.items() if key in normal or entry.kind is not Kind.DIRECTORY}
    changes = tuple(change for outcome in outcomes for change in outcome.changes)
    return Opened(
        kind,
        archive,
        own,
        files,
        normal,
        changes,
        *(_declared(path, archive) if kind == ArtifactKind.WHEEL else ({}, b"")),
    )


def without(side: Opened, kept: Callable[[Iterable[Entry], str], list[Entry]]) -> Opened:
    """Return *side* without the members that *kept* does not return; names of an sdist begin below its directory."""
    # Of an sdist alone that directory has no meaning for names.
    left = kept(side.archive.entries, side.own if side.kind == ArtifactKind.SDIST else "")
    names = {entry.name for entry in left}
    excluded = frozenset(entry.name for entry in side.archive.entries) - names
    contents = {side.key(entry.name): entry for entry in left}
    return side._replace(
        archive=side.archive._replace(entries=tuple(left)),
        files={key: contents[key] for key in side.files if key in contents},
        normal={
            key: entry._replace(content=contents[key].content) if key == RECORD else entry
            for key, entry in side.normal.items()
            if entry.name not in excluded
        },
        changes=tuple(change for change in side.changes if change.member not in excluded),
        excluded=excluded,
    )


def _context(kind: ArtifactKind) -> Context:
    # Signatures would be an error; that they count is for the verdict to say.
    return Context(DEFAULT_DATE, kind, drop_signatures=True)


def settled(side: Opened, differing: Collection[str]) -> Opened:
    """Run the passes that :func:`opened` leaves out, for they read much, on the members that may be changed by them.

    :param differing: the keys of members that are not equal on both sides
    :raises ArchiveError: if contents cannot be read.
    """
    sources = {source_of(key) for key in differing}
    concerned = [
        entry
        for key, entry in side.normal.items()
        # A member that differs, or depends on one that does: a module and its source, another bill of materials.
        if key in sources or key in differing or source_of(key) in differing or key.startswith("*.dist-info/sboms/")
    ]
    if not concerned:
        return side
    # Without deviations, which the first run has reported already.
    archive = side.archive._replace(entries=tuple(concerned), deviations=())
    *outcomes, last = run(archive, _context(side.kind), _COSTLY_RULES)
    changed = {side.key(entry.name): entry for entry in last.archive.entries}
    changes = tuple(change for outcome in outcomes for change in outcome.changes)
    return side._replace(normal={**side.normal, **changed}, changes=side.changes + changes)


def _declared(path: Path, archive: Archive) -> tuple[dict[str, MemberHeader], bytes]:
    """Return what a ZIP file's central directory says of each member, and its comment: entries show less."""
    from samebytes.archive.zip_directory import Source, read_directory

    with path.open("rb") as file:
        directory, headers = read_directory(Source(file, archive.name))
    return {entry.name: header for entry, header in zip(archive.entries, headers)}, directory.comment
