"""What normalizing or checking did: as text for people, and as the JSON that ``normalize.schema.json`` describes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ...console.style import Style, harmless, indented
from ...passes import by_code
from ...passes.model import Change
from .normalize import RECORD_VERIFIED, NormalizeResult

SHOWN = 5
"""How many findings of one code a check prints for a file before it only counts them."""


def summary_lines(result: NormalizeResult, style: Style, *, verbose: bool = False) -> Iterator[str]:
    """Yield what became of one normalized file: its digest, size and date, and the changes by code."""
    if result.rewritten is None:
        return
    before, after = result.rewritten.before, result.rewritten.after
    state = style.notable("normalized") if result.changed else style.good("already canonical")
    yield style.bold(harmless(result.source.name))
    yield f"  {state}"
    yield f"  sha256 {after.sha256}"
    yield f"  size   {after.size:,} bytes" + (f", was {before.size:,}" if before.size != after.size else "")
    yield f"  date   {result.date}"
    if result.output is not None and result.output != result.source:
        yield f"  output {harmless(str(result.output))}"
    for code, changes in grouped(result.changes):
        yield from group_lines(code, changes, style, verbose=verbose or code == RECORD_VERIFIED)
    for note in result.notes:
        yield f"  {style.dim('note')} {note.code} {_shown(note)}"


def finding_lines(result: NormalizeResult, style: Style, *, verbose: bool = False) -> Iterator[str]:
    """Yield a line for each finding of a check, or one that says there is none; *verbose* shows every member."""
    if result.rewritten is None:
        return
    file = harmless(str(result.source))
    if not result.changed:
        yield f"{style.bold(file)}: {style.good('canonical')}"
    for code, changes in grouped(result.changes):
        shown = changes if verbose else changes[:SHOWN]
        for change in shown:
            yield f"{style.bold(file)}: {style.notable(code)} {_shown(change)}"
        rest = changes[len(shown) :]
        if rest:
            what = "more member" if all(change.member for change in rest) else "more finding"
            yield f"{style.bold(file)}: {style.notable(code)} ... and {_counted(len(rest), what)}"
    for note in result.notes:
        yield f"{style.bold(file)}: {style.dim('note')} {note.code} {_shown(note)}"


def located_message(result: NormalizeResult) -> str:
    """Return the message of *result*'s error with the file's whole path: of many, two may be named alike."""
    message = "" if result.error is None else result.error.message
    path = str(result.source)
    if path in message:
        return message
    if message.startswith(result.source.name):
        return path + message[len(result.source.name) :]
    return f"{path}: {message}"


def grouped(changes: Iterable[Change]) -> list[tuple[str, list[Change]]]:
    """Return *changes* by the code of their pass, in the codes' order."""
    by_pass: dict[str, list[Change]] = {}
    for change in changes:
        by_pass.setdefault(change.code, []).append(change)
    return sorted(by_pass.items())


def group_lines(code: str, changes: Sequence[Change], style: Style, *, verbose: bool) -> Iterator[str]:
    """Yield what the pass *code* changed: its name, and each change if *verbose*."""
    members = len({change.member for change in changes if change.member})
    count = f": {_counted(members, 'member')}" if members else ""
    # The pass is called after what it does where all is well; its changes are the rows that were not.
    name = "RECORD contradicted the files" if code == RECORD_VERIFIED else by_code(code).name.replace("-", " ")
    yield f"  {style.notable(code)} {name}{count}"
    if verbose:
        for change in changes:
            yield f"    {style.dim(_shown(change))}"


def _shown(change: Change) -> str:
    """Return ``member: detail``, or the detail where the whole archive is meant."""
    detail = indented(change.detail)
    return f"{harmless(change.member)}: {detail}" if change.member else detail


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


NORMALIZE_SCHEMA_VERSION = 1
"""Raised when a field is removed or changes its meaning; new fields may come without."""


def normalize_document(results: Sequence[NormalizeResult], *, command: str, version: str, exit_status: int) -> str:
    """Return what ``normalize --json`` and ``check --json`` print; ``normalize.schema.json`` describes it."""
    document = {
        "schema_version": NORMALIZE_SCHEMA_VERSION,
        "samebytes": version,
        "command": command,
        "exit_status": exit_status,
        "files": [_file(result) for result in results],
    }
    # Names that are not UTF-8 hold lone surrogates, which only ASCII escapes can carry.
    return json.dumps(document, indent=2, ensure_ascii=True)


def _file(result: NormalizeResult) -> dict[str, Any]:
    rewritten, date = result.rewritten, result.date
    proof = (rewritten.payload_before, rewritten.payload_after) if rewritten else (None, None)
    return {
        "path": str(result.source),
        "output": None if result.output is None else str(result.output),
        "kind": result.kind,
        "date": {"seconds": date.seconds, "iso": date.iso, "source": date.source.name.lower()} if date else None,
        "before": rewritten.before._asdict() if rewritten else None,
        "after": rewritten.after._asdict() if rewritten else None,
        "changed": result.changed if rewritten else None,
        "changes": [change._asdict() for change in result.changes],
        "notes": [note._asdict() for note in result.notes],
        "payload": {"before": proof[0], "after": proof[1], "same": proof[0] == proof[1]} if proof[0] else None,
        "error": result.error.described() if result.error else None,
    }
