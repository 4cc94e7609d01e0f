"""What is left out of a comparison because somebody asked for it."""

from __future__ import annotations

import csv
import posixpath
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from samebytes.archive.entry import Data, Entry, Kind, read_all
from samebytes.errors import UsageError

from .records import LARGEST

__all__ = ["Exclusion", "demand_rest"]


@dataclass
class Exclusion:
    """Patterns of names, and what they have matched so far."""

    patterns: Sequence[str] = ()
    """As :mod:`fnmatch` takes them: ``*`` matches slashes, too. One without a slash is of the last part of a name."""
    used: set[str] = field(default_factory=set)
    """The patterns that something was called by."""

    def matches(self, name: str, top: str = "") -> bool:
        """Return whether the member called *name* is left out; below *top* its name begins after that."""
        own = name[len(top) + 1 :] if top and name.startswith(f"{top}/") else name
        found = [
            pattern
            for pattern in self.patterns
            if fnmatchcase(own, pattern) or ("/" not in pattern and fnmatchcase(posixpath.basename(own), pattern))
        ]
        self.used.update(found)
        return bool(found)

    def kept(self, entries: Iterable[Entry], top: str = "") -> list[Entry]:
        """Return *entries* without those that are left out, and RECORDs without their rows.

        :raises ArchiveError: if a RECORD cannot be read.
        """
        return [self._without_rows(entry) for entry in entries if not self.matches(entry.name, top)]

    def _without_rows(self, entry: Entry) -> Entry:
        directory, _, last = entry.name.rpartition("/")
        is_record = last == "RECORD" and directory.endswith(".dist-info") and entry.kind is Kind.FILE
        if not self.patterns or not is_record or entry.content.size > LARGEST:
            return entry
        # Rows count from where the directory lies.
        site = posixpath.dirname(directory)
        lines = read_all(entry.content).splitlines(keepends=True)
        rows = [line for line in lines if not self.matches(posixpath.normpath(posixpath.join(site, _name(line))))]
        return entry if rows == lines else entry._replace(content=Data(b"".join(rows)), packed=None)


def demand_rest(excluded: int, left: Iterable[object], right: Iterable[object]) -> None:
    """Refuse to compare what has nothing left on either side; a verdict on nothing would be read as one on all.

    :param excluded: how many members were left out.
    :raises UsageError: if there is neither anything in *left* nor in *right*.
    """
    if excluded and not any(True for side in (left, right) for _ in side):
        raise UsageError("--exclude leaves nothing to compare", remedy="Name fewer members.")


def _name(line: bytes) -> str:
    """Return the name in a row of a RECORD; of what is no row, nothing that is called so."""
    try:
        return next(csv.reader([line.decode("utf-8", "surrogateescape")]), [""])[0]
    except (csv.Error, IndexError):
        return ""
