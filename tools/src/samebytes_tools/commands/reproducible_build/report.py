"""What ``samebytes build`` made, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from samebytes.commands.normalize.report import group_lines, grouped
from samebytes.console.style import Style, harmless
from samebytes.epoch import format_date

from .artifacts import BuildResult, BuiltArtifact

SCHEMA_VERSION = 1


def lines(built: BuildResult, output: Path, style: Style, *, verbose: bool = False) -> Iterator[str]:
    """Yield each artifact's name, size, SHA-256, date, and what was normalized."""
    for artifact in built.artifacts:
        yield style.bold(harmless(str(output / artifact.name)))
        yield f"  sha256 {artifact.sha256}"
        yield f"  size   {artifact.size:,} bytes"
        yield f"  date   {format_date(artifact.date)} ({artifact.date_origin})"
        for code, changes in grouped(artifact.changes):
            yield from group_lines(code, changes, style, verbose=verbose)


def lock_lines(built: BuildResult, lock: Path, style: Style) -> Iterator[str]:
    """Yield what was written to the file *lock*."""
    yield style.bold(harmless(str(lock)))
    for one in sorted(built.requirements, key=lambda one: one.name.lower()):
        yield f"  {harmless(one.name)} {harmless(one.version)}"


def warning_lines(built: BuildResult, style: Style, *, locked: bool = False) -> Iterator[str]:
    """Yield what of this machine is in the artifacts, and what a lock file does not pin."""
    for artifact in built.artifacts:
        for warning in artifact.warnings:
            yield _warning(f"{artifact.name}: {warning}", style)
    for one in built.requirements if locked else ():
        if not one.url.endswith(".whl"):
            yield _warning(f"{one.name} came as an sdist: what pip needed to build that is not locked", style)


def _warning(text: str, style: Style) -> str:
    return f"samebytes: {style.notable('warning')}: {harmless(text)}"


def as_json(built: BuildResult, output: Path, *, version: str) -> str:
    """Return one JSON document (``build.schema.json``)."""
    requirements = [
        {"name": one.name, "version": one.version, "url": one.url, "hashes": dict(one.hashes)}
        for one in built.requirements
    ]
    document = {
        "schema_version": SCHEMA_VERSION,
        "samebytes": version,
        "fixed_paths": built.fixed,
        "artifacts": [_artifact(artifact, output) for artifact in built.artifacts],
        "build_requirements": requirements,
        "installer": built.installer or None,
    }
    # Names that are not UTF-8 hold lone surrogates, which only ASCII escapes can carry.
    return json.dumps(document, indent=2, ensure_ascii=True)


def _artifact(artifact: BuiltArtifact, output: Path) -> dict[str, object]:
    return {
        "path": str(output / artifact.name),
        "kind": artifact.kind,
        "size": artifact.size,
        "sha256": artifact.sha256,
        "date": {
            "seconds": artifact.date,
            "iso": format_date(artifact.date),
            "origin": artifact.date_origin,
        },
        "changes": [change._asdict() for change in artifact.changes],
        "warnings": list(artifact.warnings),
    }
