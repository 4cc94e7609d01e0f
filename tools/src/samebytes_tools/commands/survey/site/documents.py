"""The data beside the pages: JSON, which ``survey-site.schema.json`` describes, and the script of all packages."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from samebytes.console.style import harmless

from ..model import PUBLISHED, WAYS, Examination, Headline, Rebuild, Run
from . import addresses, figures
from .listing import Found, ListingRow, Page, Struck
from .published import RebuiltStanding
from .rendering import day, moment, tail
from .results import STANDINGS, result_of

SCHEMA_VERSION = 1
"""Raised when a field is removed or changes its meaning; new fields may come without."""


def index(headline: Headline, causes: Sequence[Found], runs: Sequence[Run], version: str) -> str:
    """Return what ``index.json`` says: the numbers of all packages."""
    return _document(
        "index",
        samebytes=version,
        packages=headline.packages,
        states={state.value: number for state, number in headline.states.items()},
        shares=list(figures.shares(headline)),
        rebuilt={kind: vars(headline.rebuilt(kind)) for kind in PUBLISHED if headline.rebuilt(kind).tried},
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


def _run(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "started": moment(run.started),
        "ended": None if run.ended is None else moment(run.ended),
        "samebytes": run.tool,
        "canonical_form": run.canonical_form,
        "builds": run.builds,
        "verifies": run.verifies,
        "operator": run.operator,
        "machine": dict(run.machine),
    }


def listing(page: Page) -> str:
    """Return one page of all packages, by rank."""
    return _document(
        "packages",
        packages=[_row(row) for row in page.rows],
        total=page.total,
        next=f"{addresses.listing('rank', page.number + 1)}.json" if page.number < page.last else None,
    )


def _row(row: ListingRow) -> dict[str, Any]:
    one = row.summary
    return {
        "name": one.name,
        "version": one.version,
        "rank": one.rank,
        "backend": one.backend,
        "is_pure": one.is_pure,
        "date": day(one.started),
        "standing": row.result.standing.key,
        "label": row.result.label,
        "ways": {way: outcome.label for way, outcome in zip(WAYS, row.result.ways)},
        "causes": list(one.causes),
        "page": f"{addresses.package(one.name)}.json",
    }


def cause(found: Found, page: Page) -> str:
    """Return one page of the packages that a cause hits."""
    code = found.cause.code
    return _document(
        "cause",
        **found.cause.described(),
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


def package(history: Sequence[Examination], older: int, runs: Mapping[str, Run]) -> str:
    """Return a package with its *history*, the newest examination first; of logs, the end of the newest."""
    result = result_of(history[0])
    return _document(
        "package",
        name=history[0].name,
        standing=result.standing.key,
        label=result.label,
        log=tail(history[0].log),
        examinations=[_examination(one, runs.get(one.run)) for one in history],
        older=older,
    )


def rebuilt(name: str, standing: RebuiltStanding, verified: Sequence[Examination], runs: Mapping[str, Run]) -> str:
    """Return what became of a package's published files when they were built again the last time."""
    newest = verified[0] if verified else None
    run = runs.get(newest.run) if newest else None
    return _document(
        "rebuilt",
        name=name,
        standing=standing.key,
        label=standing.label,
        version=newest.version if newest else "",
        started=moment(newest.started) if newest else None,
        run=_run(run) if run else None,
        rebuilds=[
            _rebuild(one, addresses.record(name, number) if one.record else "")
            for number, one in enumerate(newest.rebuilds if newest else (), start=1)
        ],
        page=f"{addresses.rebuilt(name)}.html",
        badge=f"{addresses.rebuilt(name)}.svg",
    )


def record(one: Rebuild) -> str:
    """Return the record of a rebuild, as ``samebytes verify --from`` reads it."""
    return json.dumps(one.record, indent=2, ensure_ascii=True) + "\n"


def _examination(one: Examination, run: Run | None) -> dict[str, Any]:
    values = {name: value for name, value in vars(one).items() if name not in ("name", "log", "asked")}
    values.update(state=one.state.value, started=moment(one.started), samebytes=run.tool if run else None)
    # Records are files of their own, and of older rebuilds there is none.
    values["rebuilds"] = [_rebuild(each, "") for each in one.rebuilds]
    return values


def _rebuild(one: Rebuild, record: str) -> dict[str, Any]:
    """Return *one*, with where its *record* lies."""
    values = {name: value for name, value in vars(one).items() if name != "record"}
    return {**values, **({"record": record} if record else {})}


def _document(what: str, **fields: Any) -> str:
    return _json({"schema_version": SCHEMA_VERSION, "what": what, **fields}) + "\n"


def _json(value: Any) -> str:
    # Texts from outside may hold lone surrogates, which only ASCII escapes can carry. Our own values are their fields;
    # dataclasses.asdict would copy them first, and take as long as all else that a package's page needs.
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True, default=vars)


_PURE = {None: 0, True: 1, False: 2}


def script(rows: Sequence[ListingRow]) -> str:
    """Return the script that hands all packages over: pages that are opened from a disk cannot fetch JSON.

    It is a call with one JSON document, and compact: what many rows have is given by its place in a list.
    """
    backends = _places(row.summary.backend for row in rows)
    labels = _places(row.result.label for row in rows)
    codes = _places(code for row in rows for code in row.summary.causes)
    head = {
        "schema_version": 1,
        "backends": [harmless(backend) for backend in backends],
        "labels": [harmless(label) for label in labels],
        "causes": [[harmless(code), addresses.cause_stem(code)] for code in codes],
        "standings": [standing.key for standing in STANDINGS],
    }

    def line(row: ListingRow) -> str:
        """Return *row* as site.js reads it."""
        one, stem = row.summary, addresses.stem(row.summary.name)
        return _json(
            [
                # The stem is the name nearly always, and not written twice.
                *(harmless(one.name), 0 if stem == one.name else stem, harmless(one.version), one.rank),
                *(backends[one.backend], _PURE[one.is_pure], "".join(outcome.letter for outcome in row.result.ways)),
                *(STANDINGS.index(row.result.standing), labels[row.result.label]),
                *([codes[code] for code in one.causes], day(one.started)),
            ]
        )

    lines = ",\n".join(map(line, rows))
    return f'samebytesSurvey({_json(head)[:-1]},"rows":[\n{lines}\n]}});\n'


def _places(texts: Iterable[str]) -> dict[str, int]:
    return {text: at for at, text in enumerate(sorted(set(texts)))}
