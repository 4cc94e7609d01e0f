"""What normalizing or checking did, as text for people."""

from __future__ import annotations

from collections.abc import Iterator

from ...console.style import Style, harmless, indented
from .normalize import RECORD_VERIFIED, Change, Group, Result, grouped

SHOWN = 5
"""How many findings of one code a check prints for a file before it only counts them."""


def summary_lines(result: Result, style: Style, *, verbose: bool = False) -> Iterator[str]:
    """Yield what became of one normalized file: its digest, size and date, and the changes by code."""
    if result.rewritten is None:
        return
    before, after = result.rewritten.before, result.rewritten.after
    state = style.notable("normalized") if result.changed else style.good("already canonical")
    yield style.bold(harmless(result.source.name))
    yield f"  {state}"
    yield f"  sha256 {after.sha256}"
    yield f"  size   {_sizes(before.size, after.size)}"
    yield f"  date   {result.date}"
    if result.output is not None and result.output != result.source:
        yield f"  output {harmless(str(result.output))}"
    for group in grouped(result.changes):
        yield from group_lines(group, style, verbose=verbose or group.code == RECORD_VERIFIED)
    for note in result.notes:
        yield f"  {style.dim('note')} {note.code} {_told(note)}"


def finding_lines(result: Result, style: Style, *, verbose: bool = False) -> Iterator[str]:
    """Yield a line for each finding of a check, or one that says there is none; *verbose* shows every member."""
    if result.rewritten is None:
        return
    file = harmless(str(result.source))
    if not result.changed:
        yield f"{style.bold(file)}: {style.good('canonical')}"
    for group in grouped(result.changes):
        shown = group.changes if verbose or len(group.changes) <= SHOWN else group.changes[:SHOWN]
        for change in shown:
            yield f"{style.bold(file)}: {style.notable(change.code)} {_told(change)}"
        if len(shown) < len(group.changes):
            yield f"{style.bold(file)}: {style.notable(group.code)} ... and {_more(group, len(shown))}"
    for note in result.notes:
        yield f"{style.bold(file)}: {style.dim('note')} {note.code} {_told(note)}"


def located_message(result: Result) -> str:
    """Return the message of *result*'s error with the file's whole path: of many, two may be named alike."""
    message = "" if result.error is None else result.error.message
    path = str(result.source)
    if path in message:
        return message
    if message.startswith(result.source.name):
        return path + message[len(result.source.name) :]
    return f"{path}: {message}"


def group_lines(group: Group, style: Style, *, verbose: bool) -> Iterator[str]:
    """Yield what one pass changed: its code and name, and each change if *verbose*."""
    members = len({change.member for change in group.changes if change.member})
    count = f": {_counted(members, 'member')}" if members else ""
    # The pass is called after what it does where all is well; its changes are the rows that were not.
    name = "RECORD contradicted the files" if group.code == RECORD_VERIFIED else group.name
    yield f"  {style.notable(group.code)} {name}{count}"
    if verbose:
        for change in group.changes:
            yield f"    {style.dim(_told(change))}"


def _told(change: Change) -> str:
    """Return ``member: detail``, or the detail where the whole archive is meant."""
    detail = indented(change.detail)
    return f"{harmless(change.member)}: {detail}" if change.member else detail


def _more(group: Group, shown: int) -> str:
    rest = group.changes[shown:]
    return _counted(len(rest), "more member" if all(change.member for change in rest) else "more finding")


def _sizes(before: int, after: int) -> str:
    return f"{after:,} bytes" if before == after else f"{after:,} bytes, was {before:,}"


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
