"""RECORD on both sides: held against the files, so that a wrong one never counts as the same; and row by row."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from typing import NamedTuple

from samebytes.archive.entry import Kind as EntryKind
from samebytes.archive.entry import read_all
from samebytes.artifact import record
from samebytes.artifact.layout import ArtifactKind
from samebytes.artifact.record import Mismatch, Row

from .causes.cause import CauseClues
from .causes.table import explain
from .contents import Digests
from .model import Difference, NodeKind
from .observations import Nature, OfNature, Reordered, on_side
from .opened import RECORD, Opened

__all__ = ["NO_RECORD", "ReadRecord", "algorithms", "compare", "mismatches", "read", "wrong"]

LARGEST = 64 << 20
"""Bytes of a RECORD that is read; a larger one lists more than any wheel holds."""

_MOST = 200
"""How many rows that differ are shown."""


class ReadRecord(NamedTuple):
    """What a RECORD says."""

    data: bytes
    rows: Mapping[str, Row]
    """By key."""
    faults: tuple[Mismatch, ...]
    """What is wrong whatever the files hold."""


NO_RECORD = ReadRecord(b"", {}, ())


def read(side: Opened) -> ReadRecord:
    """Read the RECORD of a wheel; nothing is raised for what is wrong in it.

    :raises ArchiveError: if it cannot be read at all.
    """
    own_name = f"{side.own}/RECORD"
    if side.kind != ArtifactKind.WHEEL or own_name in side.excluded:
        return NO_RECORD
    entry = side.files.get(RECORD)
    if entry is None or entry.kind is not EntryKind.FILE or entry.content.size > LARGEST:
        return NO_RECORD._replace(faults=(Mismatch(own_name, "there is no RECORD that could be read"),))
    data = read_all(entry.content)
    directories = {each.name for each in side.archive.entries if each.kind is EntryKind.DIRECTORY}
    beside = record.never_listed(own_name)
    files = {each.name for each in side.archive.entries if each.kind is EntryKind.FILE and each.name not in beside}
    listing = record.parse(data, own_name, directories)
    rows = {side.key(name): row for name, row in listing.rows.items()}
    return ReadRecord(data, rows, (*listing.faults, *record.compare_names(listing, files)))


def algorithms(*sides: ReadRecord) -> dict[str, set[str]]:
    """Return, by key, the algorithms beside SHA-256 that rows name."""
    found: dict[str, set[str]] = {}
    for side in sides:
        for key, row in side.rows.items():
            # Those of other algorithms are faults of the row already.
            if row.algorithm in record.ALGORITHMS and row.algorithm != "sha256":
                found.setdefault(key, set()).add(row.algorithm)
    return found


def mismatches(side: ReadRecord, files: Mapping[str, Digests]) -> tuple[Mismatch, ...]:
    """Return everything in which a RECORD and the files of its wheel disagree."""
    wrong_rows = (
        record.compare(row, files[key].size, files[key].spelt[row.algorithm])
        for key, row in side.rows.items()
        # Rows without a file are among the faults.
        if key in files and row.algorithm in record.ALGORITHMS
    )
    return (*side.faults, *filter(None, wrong_rows))


def wrong(
    name: str, left: Collection[Mismatch], right: Collection[Mismatch], clues: CauseClues
) -> Iterator[Difference]:
    """Give the node for what RECORD and the files disagree about on either side; none if they agree on both."""
    both = [("left", mismatch) for mismatch in left] + [("right", mismatch) for mismatch in right]
    children = []
    for side, mismatch in both[:_MOST]:
        evidence = on_side(mismatch.detail.encode("utf-8", "surrogateescape"), side == "left")
        findings = explain(OfNature(Nature.RECORD_MISMATCH, *evidence), f"RECORD of the {side} side", clues)
        children.append(Difference(mismatch.name, NodeKind.RECORD, f"{side}: {mismatch.detail}", (), findings))
    if children:
        sides = " and ".join(side for side, found in (("left", left), ("right", right)) if found)
        summary = f"does not agree with the files, {sides}"
        yield Difference(name, NodeKind.RECORD, summary, children=tuple(children))


def compare(
    name: str, left: ReadRecord, right: ReadRecord, differing: Collection[str], clues: CauseClues
) -> Iterator[Difference]:
    """Give the node for two RECORDs that differ; *differing* holds the keys of members that do."""
    if left.data == right.data:
        return
    children = tuple(islice(_rows(left, right, differing, clues), _MOST))
    if not children:
        form = _form(left.data, right.data, clues)
        yield Difference(name, NodeKind.RECORD, "the same rows", passes=form.passes, children=(form,))
        return
    count = len(children)
    # Of those shown: counting the rest would mean explaining it.
    summary = f"{count} row{'s' * (count != 1)} differ{'s' * (count == 1)}"
    if all(child.summary.startswith("follows from") for child in children):
        summary += ", which follows from the files"
    yield Difference(name, NodeKind.RECORD, summary, children=children)


def _rows(left: ReadRecord, right: ReadRecord, differing: Collection[str], clues: CauseClues) -> Iterator[Difference]:
    for key in dict.fromkeys([*left.rows, *right.rows]):
        one, other = left.rows.get(key), right.rows.get(key)
        texts = [",".join(row[1:]).encode() if row else b"" for row in (one, other)]
        if texts[0] == texts[1]:
            continue
        name = (one or other or ("",))[0]
        detail = tuple(f"{sign}{text.decode()}" for sign, text in zip("-+", texts) if text)
        kind = NodeKind.RECORD if one and other else NodeKind.MISSING
        # PEP 376 leaves a digest's padding away.
        is_padding = texts[0].replace(b"=,", b",") == texts[1].replace(b"=,", b",")
        if key in differing:
            # Digest and size are those of a file that is reported itself.
            yield Difference(name, kind, f"follows from {name}", detail)
        elif one and other and (one.algorithm != other.algorithm or one.size != other.size or is_padding):
            findings = explain(OfNature(Nature.BACKEND_SPELLING, texts[0], texts[1]), f"row {name}", clues)
            yield Difference(name, kind, "written otherwise", detail, findings, ("W010",))
        else:
            yield Difference(name, kind, "another row of the same file", detail)


def _form(left: bytes, right: bytes, clues: CauseClues) -> Difference:
    """Return how two RECORDs of the same rows differ: in their order, line ends, or quoting."""
    one, other = left.splitlines(), right.splitlines()
    pair = next(((a, b) for a, b in zip(one, other) if a != b), (left[-80:], right[-80:]))
    # splitlines() takes CRLF, CR and LF alike, so that only these can differ.
    if one == other:
        ends = [data[len(lines[0]) if lines else 0 :][:2] for data, lines in ((left, one), (right, other))]
        nature = Nature.GENERATED_LINE_ENDS if ends[0] != ends[1] else Nature.BACKEND_SPELLING
        return _form_node("line ends", "lines end otherwise", OfNature(nature, *ends), clues)
    if sorted(one) == sorted(other):
        return _form_node("order of rows", "rows in another order", Reordered(*pair, is_listing=True), clues)
    return _form_node("form of rows", "rows written otherwise", OfNature(Nature.BACKEND_SPELLING, *pair), clues)


def _form_node(name: str, summary: str, seen: OfNature | Reordered, clues: CauseClues) -> Difference:
    return Difference(name, NodeKind.RECORD, summary, (), explain(seen, name, clues), ("W010",))
