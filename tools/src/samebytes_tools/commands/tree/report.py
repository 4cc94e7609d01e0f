"""What was changed in a tree, and its digest: as text for people, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from samebytes.console.style import Style, harmless, indented
from samebytes.epoch import format_date

from .digest import Digest
from .fix import Fixed
from .plan import RULES, TreeChange

SCHEMA_VERSION = 1
"""Raised when a field is removed or changes its meaning; new fields may come without."""

SHOWN = 5
"""How many findings of one rule a check prints; the others are counted."""


def summary_lines(fixed: Fixed, date_source: str, style: Style, *, verbose: bool) -> Iterator[str]:
    """Yield what was changed in a tree, by rule; every change if *verbose*."""
    state = style.notable("fixed") if fixed.changes else style.good("already canonical")
    yield style.bold(harmless(str(fixed.root)))
    yield f"  {state}"
    yield f"  date   {format_date(fixed.date)} ({date_source})"
    for rule, changes in _grouped(fixed.changes):
        yield f"  {style.notable(rule)}: {RULES[rule]}: {'one' if len(changes) == 1 else f'{len(changes):,}'}"
        for change in changes if verbose else ():
            yield f"    {style.dim(_shown(change))}"
    yield from note_lines(fixed.notes, style)


def finding_lines(fixed: Fixed, style: Style, *, verbose: bool) -> Iterator[str]:
    """Yield a line for each finding of a check, or one that reports none."""
    root = style.bold(harmless(str(fixed.root)))
    if not fixed.changes:
        yield f"{root}: {style.good('canonical')}"
    for rule, changes in _grouped(fixed.changes):
        shown = changes if verbose or len(changes) <= SHOWN else changes[:SHOWN]
        for change in shown:
            yield f"{root}: {style.notable(rule)} {_shown(change)}"
        if len(shown) < len(changes):
            yield f"{root}: {style.notable(rule)} ... and {len(changes) - len(shown):,} more"
    yield from note_lines(fixed.notes, style)


def note_lines(notes: Iterable[TreeChange], style: Style) -> Iterator[str]:
    """Yield a line for each note."""
    for note in notes:
        yield f"  {style.dim('note')} {note.rule} {_shown(note)}"


def digest_lines(digest: Digest, style: Style, *, verbose: bool) -> Iterator[str]:
    """Yield the digest as ``sha256sum`` would print it, and if *verbose* how much is in the tree."""
    yield f"{digest.sha256}  {harmless(str(digest.root))}"
    if verbose:
        counts = f"{digest.files:,} files, {digest.directories:,} directories, {digest.links:,} links"
        yield f"  {style.dim(f'{counts}; the canonical tar has {digest.size:,} bytes')}"


def fix_document(fixed: Fixed, date_source: str, *, check: bool, version: str, exit_status: int) -> str:
    """Return what ``tree fix --json`` prints; ``tree-fix.schema.json`` describes it."""
    return dumped(
        {
            "schema_version": SCHEMA_VERSION,
            "samebytes": version,
            "exit_status": exit_status,
            "root": str(fixed.root),
            "check": check,
            "date": date_document(fixed.date, date_source),
            "distributions": fixed.distributions,
            "changes": [change._asdict() for change in fixed.changes],
            "notes": [note._asdict() for note in fixed.notes],
        }
    )


def digest_document(digests: Sequence[Digest], *, version: str) -> str:
    """Return what ``tree digest --json`` prints; ``tree-digest.schema.json`` describes it."""
    trees = [
        {**digest._asdict(), "root": str(digest.root), "tar": None if digest.tar is None else str(digest.tar)}
        for digest in digests
    ]
    return dumped({"schema_version": SCHEMA_VERSION, "samebytes": version, "trees": trees})


def date_document(seconds: int, source: str) -> dict[str, Any]:
    """Return a date and where it comes from."""
    return {"seconds": seconds, "iso": format_date(seconds), "source": source}


def dumped(document: dict[str, Any]) -> str:
    """Return *document* as JSON."""
    # Names that are not UTF-8 hold lone surrogates, which only ASCII escapes can carry.
    return json.dumps(document, indent=2, ensure_ascii=True)


def _grouped(changes: Iterable[TreeChange]) -> Iterator[tuple[str, list[TreeChange]]]:
    by_rule: dict[str, list[TreeChange]] = {}
    for change in changes:
        by_rule.setdefault(change.rule, []).append(change)
    # In the table's order: the same for every tree.
    return ((rule, by_rule[rule]) for rule in RULES if rule in by_rule)


def _shown(change: TreeChange) -> str:
    return f"{harmless(change.name)}: {indented(change.detail)}"
