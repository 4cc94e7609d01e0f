"""Whether an archive was made on Windows, as its headers show."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from samebytes.archive.entry import Entry, Kind, Owner
from samebytes.archive.zip_layout import MemberHeader

__all__ = ["made_on_windows"]

_MODES = frozenset({0, 0o444, 0o555, 0o666, 0o777})
"""What os.stat() gives there: files may be written or not; directories, and what is called .exe or .bat, are run."""

_MODES_OF_ZIPS = _MODES | {0o600}
"""Those, and the one that zipfile gives what it writes by its name alone."""


def made_on_windows(entries: Sequence[Entry], headers: Collection[MemberHeader]) -> bool:
    """Return whether a system without modes made all members of an archive.

    :param headers: of a zip, what its central directory says of each member; none for a tar.
    """
    if headers:
        # zipfile writes 0, for FAT, on Windows alone, and 3 elsewhere (APPNOTE 4.4.2.2). wheel gives RECORD a mode.
        return all(
            header.made_by >> 8 == 0
            and (header.external >> 16 & 0o777 in _MODES_OF_ZIPS or header.name.endswith(b"/RECORD"))
            for header in headers
        )
    files = [entry for entry in entries if entry.kind is Kind.FILE]
    # There is neither umask nor owner there. Elsewhere a file that all may write is rare, and a tree of them rarer.
    return bool(files) and all(
        entry.mode in _MODES and (entry.owner == Owner() or entry.kind is not Kind.FILE) for entry in entries
    )
