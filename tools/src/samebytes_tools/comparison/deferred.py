"""RECORD on both sides: held against the files, so that a wrong one never counts as the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from samebytes.archive.entry import Kind, read_all
from samebytes.artifact import record
from samebytes.artifact.record import Mismatch, Row

from .contents import Digests
from .opened import RECORD, Opened

LARGEST = 64 << 20
"""Bytes of a RECORD that is read; a larger one lists more than any wheel holds."""


class Ledger(NamedTuple):
    """What a wheel's RECORD says."""

    data: bytes
    rows: Mapping[str, Row]
    """By key."""
    faults: tuple[Mismatch, ...]
    """What is wrong whatever the files hold."""


EMPTY = Ledger(b"", {}, ())


def read(side: Opened) -> Ledger:
    """Read the RECORD of a wheel; nothing is raised for what is wrong in it.

    :raises ArchiveError: if it cannot be read at all.
    """
    if side.kind != "wheel":
        return EMPTY
    own_name = f"{side.own}/RECORD"
    entry = side.files.get(RECORD)
    if entry is None or entry.kind is not Kind.FILE or entry.content.size > LARGEST:
        return EMPTY._replace(faults=(Mismatch(own_name, "there is no RECORD that could be read"),))
    data = read_all(entry.content)
    directories = {each.name for each in side.archive.entries if each.kind is Kind.DIRECTORY}
    beside = record.never_listed(own_name)
    files = {each.name for each in side.archive.entries if each.kind is Kind.FILE and each.name not in beside}
    listing = record.parse(data, own_name, directories)
    rows = {side.key(name): row for name, row in listing.rows.items()}
    return Ledger(data, rows, (*listing.faults, *record.compare_names(listing, files)))


def algorithms(*ledgers: Ledger) -> dict[str, set[str]]:
    """Return, by key, the algorithms beside SHA-256 that rows name."""
    found: dict[str, set[str]] = {}
    for ledger in ledgers:
        for key, row in ledger.rows.items():
            if row.algorithm in record.ALGORITHMS and row.algorithm != "sha256":
                found.setdefault(key, set()).add(row.algorithm)
    return found


def mismatches(ledger: Ledger, files: Mapping[str, Digests]) -> tuple[Mismatch, ...]:
    """Return everything in which a RECORD and the files of its wheel disagree."""
    wrong = (
        record.compare(row, files[key].size, files[key].spelt[row.algorithm])
        for key, row in ledger.rows.items()
        if key in files and row.algorithm in record.ALGORITHMS
    )
    return (*ledger.faults, *filter(None, wrong))
