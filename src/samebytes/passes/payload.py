"""What an archive delivers, as one digest: to prove that the rewriting changed nothing that it does not name."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from operator import itemgetter

from ..archive.entry import Archive, Kind
from ..artifact import layout
from ..artifact.layout import ArtifactKind
from .container import executable


def digest(archive: Archive, kind: ArtifactKind, left_out: Collection[str]) -> str:
    """Return the SHA-256, in hexadecimal, over every file and link of an archive of *kind*, RECORD and *left_out* not.

    Digested is a line for each, sorted by the UTF-8 bytes of the names: the SHA-256 of the contents (of a link: of its
    target) in hexadecimal, a space, ``x`` for an executable file, ``l`` for a link, else ``-``, a space, the name, NUL.

    :raises ArchiveError: if contents cannot be read.
    """
    hidden = set(left_out)
    if kind == ArtifactKind.WHEEL:
        hidden.add(f"{layout.own_directory(archive, kind)}/RECORD")
    # Of a name given twice, the last counts, as it does where the archive is unpacked.
    members = {entry.name_bytes: entry for entry in archive.entries if entry.kind is not Kind.DIRECTORY}
    state = hashlib.sha256()
    for name, entry in sorted(members.items(), key=itemgetter(0)):
        if entry.name in hidden:
            continue
        is_link = entry.kind is Kind.SYMLINK
        contents = hashlib.sha256()
        for chunk in [entry.target.encode("utf-8", "surrogateescape")] if is_link else entry.content.chunks():
            contents.update(chunk)
        nature = "l" if is_link else "x" if executable(entry, kind) else "-"
        state.update(f"{contents.hexdigest()} {nature} ".encode("ascii") + name + b"\0")
    return state.hexdigest()
