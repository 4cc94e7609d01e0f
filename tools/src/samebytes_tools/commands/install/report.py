"""What was installed: as text for people, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from samebytes.console.style import Style, harmless
from samebytes.epoch import format_date

from ..tree.report import SCHEMA_VERSION, date_document, dumped, note_lines

if TYPE_CHECKING:
    from .install import Installation


class Fetched(NamedTuple):
    """What was fetched for lists."""

    origins: Mapping[Path, str]
    """The wheels, and where each comes from."""
    remarks: tuple[str, ...]


def lines(
    installation: Installation, date_source: str, fetched: Fetched, style: Style, *, verbose: bool
) -> Iterator[str]:
    """Yield what was installed where."""
    yield style.bold(harmless(str(installation.top)))
    wheels, files = len(installation.wheels), installation.files
    counts = f"{wheels:,} wheel{'' if wheels == 1 else 's'}, {files:,} file{'' if files == 1 else 's'}"
    yield f"  {style.good('installed')} {counts}"
    yield f"  date   {format_date(installation.date)} ({date_source})"
    for laid in installation.wheels:
        if verbose:
            yield f"  {style.dim(harmless(f'{laid.project} {laid.version}'))}"
        for mismatch in laid.mismatches:
            detail = harmless(f"{mismatch.name}: {mismatch.detail}")
            yield f"  {style.notable('RECORD contradicted the wheel')} {detail}"
        for name in laid.skipped:
            yield f"  {style.dim('note')} not installed: {harmless(name)}"
    for remark in fetched.remarks:
        yield f"  {style.dim('note')} {harmless(remark)}"
    yield from note_lines(installation.notes, style)


def document(installation: Installation, date_source: str, fetched: Fetched, *, version: str, exit_status: int) -> str:
    """Return what ``install --json`` prints; ``install.schema.json`` describes it."""
    wheels = [
        {
            "path": fetched.origins.get(laid.wheel, str(laid.wheel)),
            "project": laid.project,
            "version": laid.version,
            "mismatches": [{"name": mismatch.name, "detail": mismatch.detail} for mismatch in laid.mismatches],
            "skipped": list(laid.skipped),
        }
        for laid in installation.wheels
    ]
    return dumped(
        {
            "schema_version": SCHEMA_VERSION,
            "samebytes": version,
            "exit_status": exit_status,
            "top": str(installation.top),
            "date": date_document(installation.date, date_source),
            "files": installation.files,
            "wheels": wheels,
            "remarks": list(fetched.remarks),
            "notes": [note._asdict() for note in installation.notes],
        }
    )
