"""What ``samebytes build`` made, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from ..epoch import format_date
from ..flows.build_inside import Artifact, Built
from ..flows.normalize import grouped
from .normalize import group_lines
from .terminal import Style, harmless

SCHEMA_VERSION = 1


def lines(built: Built, output: Path, style: Style, *, verbose: bool = False) -> Iterator[str]:
    """Yield each artifact's name, size, SHA-256, date, and what was normalized."""
    for artifact in built.artifacts:
        yield style.bold(harmless(str(output / artifact.name)))
        yield f"  sha256 {artifact.sha256}"
        yield f"  size   {artifact.size:,} bytes"
        yield f"  date   {format_date(artifact.date)} ({artifact.date_origin})"
        for group in grouped(artifact.changes):
            yield from group_lines(group, style, verbose=verbose)


def warning_lines(built: Built, style: Style) -> Iterator[str]:
    """Yield what of this machine is in the artifacts."""
    for artifact in built.artifacts:
        for warning in artifact.warnings:
            yield f"samebytes: {style.notable('warning')}: {harmless(artifact.name)}: {harmless(warning)}"


def as_json(built: Built, output: Path) -> str:
    """Return one JSON document (``schemas/build.schema.json``)."""
    requirements = [
        {"name": one.name, "version": one.version, "url": one.url, "hashes": dict(one.hashes)}
        for one in built.requirements
    ]
    document = {
        "schema_version": SCHEMA_VERSION,
        "artifacts": [_artifact(artifact, output) for artifact in built.artifacts],
        "build_requirements": requirements,
    }
    return json.dumps(document, indent=2)


def _artifact(artifact: Artifact, output: Path) -> dict[str, object]:
    return {
        "path": str(output / artifact.name),
        "kind": artifact.kind,
        "size": artifact.size,
        "sha256": artifact.sha256,
        "date": artifact.date,
        "date_origin": artifact.date_origin,
        "changes": [change._asdict() for change in artifact.changes],
        "warnings": list(artifact.warnings),
    }
