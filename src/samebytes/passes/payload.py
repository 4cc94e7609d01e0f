"""What an archive delivers, as one digest: to prove that the rewriting changed nothing that it does not name."""

from __future__ import annotations

import hashlib
from collections.abc import Collection

from ..archive.entry import Archive, Entry, Kind
from ..artifact import layout
from ..artifact.layout import ArtifactKind
from .container import executable


def digest(archive: Archive, kind: ArtifactKind, left_out: Collection[str]) -> str:
    """Return the SHA-256, in hexadecimal, over every file and link of an archive of *kind*, RECORD and *left_out* not.

    Digested is a line for each, sorted by the UTF-8 bytes of the names: the SHA-256 of the contents (of a link: of its
    target) in hexadecimal, a space, ``x`` for an executable file, ``l`` for a link, else ``-``, a space, the name, NUL.

    :raises ArchiveError: if contents cannot be read.
    """
    members = {entry.name: entry for entry in archive.entries if entry.kind is not Kind.DIRECTORY}
    hidden = {*left_out, *_record(archive, kind)}
    lines = sorted((_encoded(name), entry) for name, entry in members.items() if name not in hidden)
    state = hashlib.sha256()
    for name, entry in lines:
        state.update(f"{_contents(entry)} {_nature(entry, kind)} ".encode("ascii") + name + b"\0")
    return state.hexdigest()


def _record(archive: Archive, kind: ArtifactKind) -> tuple[str, ...]:
    if kind != ArtifactKind.WHEEL:
        return ()
    return (f"{layout.dist_info((entry.name for entry in archive.entries), archive.name)}/RECORD",)


def _nature(entry: Entry, kind: ArtifactKind) -> str:
    if entry.kind is Kind.SYMLINK:
        return "l"
    return "x" if executable(entry, kind) else "-"


def _contents(entry: Entry) -> str:
    state = hashlib.sha256()
    if entry.kind is Kind.SYMLINK:
        state.update(_encoded(entry.target))
    else:
        for chunk in entry.content.chunks():
            state.update(chunk)
    return state.hexdigest()


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
