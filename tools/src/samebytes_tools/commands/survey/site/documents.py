"""The JSON beside the pages; ``survey-site.schema.json`` describes it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from ..model import WAYS, Artifact, CauseHit, Examination, Headline, Run, Tally
from . import addresses
from .causes import Found, Struck
from .listing import Page, Row
from .packages import Package
from .texts import day, moment

SCHEMA_VERSION = 1
"""Raised when a field is removed or changes its meaning; new fields may come without."""


def index(
    headline: Headline, tallies: Iterable[dict[str, Any]], causes: Sequence[Found], runs: Sequence[Run], version: str
) -> str:
    """Return what ``index.json`` says: the numbers of all packages."""
    return _document(
        "index",
        samebytes=version,
        packages=headline.packages,
        states={state.value: number for state, number in headline.states.items()},
        shares=list(tallies),
        causes=[
            {
                "code": one.cause.code,
                "name": one.cause.name,
                "packages": one.packages,
                "page": f"{addresses.cause(one.cause.code)}.html",
            }
            for one in causes
        ],
        runs=[_run(run) for run in runs],
        listing=f"{addresses.listing('rank')}.json",
    )


def tally(way: str, kind: str, counted: Tally, **group: str | bool | None) -> dict[str, Any]:
    """Return one line of ``shares``."""
    numbers = {"same": counted.same, "differs": counted.differs, "could_not_be_built": counted.not_built}
    return {"way": way, "kind": kind, **group, **numbers}


def listing(page: Page) -> str:
    """Return one page of all packages, by rank."""
    return _document(
        "packages",
        packages=[_row(row) for row in page.rows],
        total=page.total,
        next=f"{addresses.listing('rank', page.number + 1)}.json" if page.number < page.last else None,
    )


def _row(row: Row) -> dict[str, Any]:
    return {
        "name": row.name,
        "version": row.version,
        "rank": row.rank,
        "backend": row.backend,
        "is_pure": row.is_pure,
        "date": day(row.started),
        "standing": row.standing.key,
        "told": row.label,
        "ways": {way: outcome.label for way, outcome in zip(WAYS, row.ways)},
        "causes": list(row.causes),
        "page": f"{addresses.package(row.name)}.json",
    }


def cause(found: Found, page: Page) -> str:
    """Return one page of the packages that a cause hits."""
    code = found.cause.code
    return _document(
        "cause",
        code=code,
        name=found.cause.name,
        explanation=found.cause.explanation,
        remedy=found.cause.remedy,
        total=found.packages,
        packages=[_struck(one) for one in page.rows],
        next=f"{addresses.cause(code, page.number + 1)}.json" if page.number < page.last else None,
    )


def _struck(one: Struck) -> dict[str, Any]:
    return {
        "name": one.name,
        "version": one.version,
        "ways": {way: list(kinds) for way, kinds in zip(WAYS, one.kinds) if kinds},
        "member": one.member,
        "where": one.where,
        "page": f"{addresses.package(one.name)}.json",
    }


def package(found: Package, every: Sequence[Examination]) -> str:
    """Return a package with *every* examination; of logs, the end of the newest."""
    return _document(
        "package",
        name=found.newest.name,
        standing=found.standing.key,
        told=found.label,
        log=list(found.log),
        examinations=[_examination(one, event.run) for one, event in zip(every, found.history)],
        older=found.older,
    )


def _examination(one: Examination, run: Run | None) -> dict[str, Any]:
    return {
        "version": one.version,
        "state": one.state.value,
        "reason": one.reason,
        "started": moment(one.started),
        "seconds": one.seconds,
        "memory": one.memory,
        "rank": one.rank,
        "run": one.run,
        "samebytes": run.tool if run else None,
        "sdist": None if one.sdist is None else vars(one.sdist),
        "backend": one.backend,
        "backend_version": one.backend_version,
        "is_pure": one.is_pure,
        "requirements": [vars(requirement) for requirement in one.requirements],
        "artifacts": [_artifact(artifact) for artifact in one.artifacts],
        "varied": list(one.varied),
        "not_varied": dict(one.not_varied),
        "notes": list(one.notes),
    }


def _artifact(one: Artifact) -> dict[str, Any]:
    return {
        "way": one.way,
        "kind": one.kind,
        "state": one.state,
        "verdict": one.verdict,
        "reason": one.reason,
        "file": one.file,
        "size": one.size,
        "sha256": list(one.sha256),
        "causes": [_hit(hit) for hit in one.causes],
    }


def _hit(hit: CauseHit) -> dict[str, Any]:
    return dict(vars(hit))


def _run(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "started": moment(run.started),
        "ended": None if run.ended is None else moment(run.ended),
        "samebytes": run.tool,
        "canonical_form": run.canonical_form,
        "machine": dict(run.machine),
    }


def _document(what: str, **fields: Any) -> str:
    document = {"schema_version": SCHEMA_VERSION, "what": what, **fields}
    # Texts from outside may hold lone surrogates, which only ASCII escapes can carry.
    return json.dumps(document, separators=(",", ":"), ensure_ascii=True) + "\n"
