"""A difference in two columns: what each side has, line by line, and every piece of evidence once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple

from samebytes.console.style import harmless

from ..comparison.formats.text import NO_NEWLINE
from ..comparison.model import Difference, Evidence, Finding, NodeKind
from .evidence import Parted, is_shown, parted, parted_lines


class ColumnRow(NamedTuple):
    """What stands side by side; texts are harmless."""

    left: Parted | None
    """None if this side has no such line."""
    right: Parted | None
    is_changed: bool = True
    place: str = ""
    """Where the rows below are, in a row of its own."""
    finding: Finding | None = None
    """Whose evidence the row is, if that is not seen in the lines."""


def columns(difference: Difference) -> list[ColumnRow]:
    """Return the detail of *difference*, and the evidence that does not stand in it; nothing of its children."""
    is_container = difference.kind is NodeKind.CONTAINER
    rows = list(map(_value, difference.detail) if is_container else _rows(difference.detail))
    if difference.findings:
        # What differs in a long line is not in what is shown of it.
        cut = ColumnRow(None, None, is_changed=False, place="a long line, of which this part differs:")
        rows = [cut if row.is_changed and row.left == row.right else row for row in rows]
    first = {(each.evidence.left, each.evidence.right): each for each in reversed(difference.findings)}
    for finding in difference.findings:
        is_first = first[finding.evidence.left, finding.evidence.right] is finding
        if is_first and not is_shown(finding.evidence, difference.detail):
            rows.append(ColumnRow(*_sides(finding.evidence), finding=finding))
    return rows


def _sides(evidence: Evidence) -> tuple[Parted | None, Parted | None]:
    left, right = parted(evidence)
    return (left if evidence.left else None, right if evidence.right else None)


def _rows(detail: Sequence[str]) -> Iterator[ColumnRow]:
    """Yield the lines of a unified diff in two columns; what is neither side's alone is on both."""
    gone: list[str] = []
    come: list[str] = []
    has_headers = len(detail) > 1 and detail[0].startswith("--- ") and detail[1].startswith("+++ ")
    for line in detail[2:] if has_headers else detail:
        if line.startswith("-") and not come:
            gone.append(line[1:])
            continue
        if line.startswith("+"):
            come.append(line[1:])
            continue
        if line == NO_NEWLINE and (come or gone):
            (come or gone)[-1] += f"  {NO_NEWLINE}"
            continue
        yield from _changed(gone, come)
        gone, come = ([line[1:]], []) if line.startswith("-") else ([], [])
        if line.startswith("... and "):
            yield ColumnRow(None, None, is_changed=False, place=harmless(line))
        elif line.startswith("@@"):
            yield ColumnRow(None, None, is_changed=False, place=_place(line))
        elif not line.startswith("-"):
            shown = Parted(harmless(line.removeprefix(" ")), "", "")
            yield ColumnRow(shown, shown, is_changed=False)
    yield from _changed(gone, come)


def _value(line: str) -> ColumnRow:
    """Return a line of the container's detail, a name and what it has on either side, in two columns."""
    name, colon, values = line.partition(": ")
    left, bar, right = values.partition(" | ")
    # A name may have these signs, too; then nobody knows where it ends.
    if not colon or not bar or " | " in right:
        return ColumnRow(None, None, is_changed=False, place=harmless(line))
    return ColumnRow(Parted(f"{harmless(name)}: ", harmless(left), ""), Parted("", harmless(right), ""))


def _changed(gone: Sequence[str], come: Sequence[str]) -> Iterator[ColumnRow]:
    # Of as many on both sides each has its counterpart; of others nobody knows which.
    if len(gone) == len(come):
        yield from (ColumnRow(*parted_lines(left, right)) for left, right in zip(gone, come))
        return
    for left, right in zip_longest(gone, come):
        yield ColumnRow(_whole(left), _whole(right))


def _whole(line: str | None) -> Parted | None:
    return None if line is None else Parted(harmless(line), "", "")


def _place(line: str) -> str:
    """Return what the head of a hunk says."""
    found = re.fullmatch(r"@@ -(\d+)\S* \+(\d+)\S* @@", line)
    if found is None:
        return harmless(line.strip("@ "))
    return f"from line {found[1]}" if found[1] == found[2] else f"from line {found[1]}, and {found[2]}"
