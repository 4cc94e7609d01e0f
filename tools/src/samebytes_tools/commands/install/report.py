"""What was installed: as text for people, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from samebytes.console.style import Style, harmless
from samebytes.epoch import format_date

from ..tree.report import SCHEMA_VERSION, date_document, note_lines

if TYPE_CHECKING:  # it needs a library that only an extra brings
    from .install import Installed


def lines(installed: Installed, date_source: str, style: Style, *, verbose: bool) -> Iterator[str]:
    """Yield what was installed where."""
    yield style.bold(harmless(str(installed.top)))
    yield f"  {style.good('installed')} {_counted(len(installed.wheels), 'wheel')}, {_counted(installed.files, 'file')}"
    yield f"  date   {format_date(installed.date)} ({date_source})"
    for laid in installed.wheels:
        if verbose:
            yield f"  {style.dim(harmless(f'{laid.project} {laid.version}'))}"
        for mismatch in laid.mismatches:
            told = harmless(f"{mismatch.name}: {mismatch.detail}")
            yield f"  {style.notable('RECORD contradicted the wheel')} {told}"
        for name in laid.skipped:
            yield f"  {style.dim('note')} not installed: {harmless(name)}"
    yield from note_lines(installed.notes, style)


def document(installed: Installed, date_source: str, *, version: str, exit_status: int) -> str:
    """Return what ``install --json`` prints; ``install.schema.json`` describes it."""
    wheels = [
        {
            "path": str(laid.wheel),
            "project": laid.project,
            "version": laid.version,
            "mismatches": [mismatch._asdict() for mismatch in laid.mismatches],
            "skipped": list(laid.skipped),
        }
        for laid in installed.wheels
    ]
    told = {
        "schema_version": SCHEMA_VERSION,
        "samebytes": version,
        "exit_status": exit_status,
        "top": str(installed.top),
        "date": date_document(installed.date, date_source),
        "files": installed.files,
        "wheels": wheels,
        "notes": [note._asdict() for note in installed.notes],
    }
    return json.dumps(told, indent=2, ensure_ascii=True)


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
