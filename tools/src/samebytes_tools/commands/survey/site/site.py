"""The whole site: which pages there are, and what each is made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Callable, NamedTuple

from samebytes import __version__

from ....comparison.causes.cause import Cause
from ....comparison.causes.table import ALL
from ....variations.variations import ALL as VARIATIONS
from ..model import KINDS, WAYS
from ..store.store import Store
from . import addresses, documents, figures, listing, packages
from .output import Output, replacing
from .rendering import Templates, asset, day
from .results import result_of

ASSETS = ("site.css", "site.js")
MOST_HISTORY = 100
"""Examinations of a package that are shown."""
STEP = 1000
"""After so many packages it is reported how far the work is."""


class SiteSummary(NamedTuple):
    """What was written."""

    directory: Path
    packages: int
    files: int
    bytes: int


def write_site(store: Store, directory: Path, *, report: Callable[[str], None], address: str = "") -> SiteSummary:
    """Write the site of all that is in *store* to *directory*, in place of what an earlier call wrote there.

    The same store gives the same bytes. *address* is where the site will be found, for the snippets that show a badge;
    links need none. *report* takes the steps of the work.

    :raises OutputError: if *directory* holds something else, or cannot be written.
    :raises StoreError: if the store cannot be read.
    """
    # Of one moment: runners may write to the store meanwhile.
    with store.snapshot(), replacing(directory) as output:
        rows = listing.rows_of(store.newest())
        _Site(store, output, rows, address).write(report)
    return SiteSummary(directory, len(rows), output.files, output.bytes)


class _Site:
    """One run over the store."""

    def __init__(self, store: Store, output: Output, rows: Sequence[listing.ListingRow], address: str) -> None:
        self._store, self._output, self._rows = store, output, rows
        self._runs = store.runs()
        self._templates = Templates(
            version=__version__,
            ways=WAYS,
            kinds=KINDS,
            address=address,
            result_of=result_of,
            points=figures.points,
            grid=packages.grid,
            reasons=packages.reasons,
            commands=packages.commands,
            snippets=packages.snippets,
        )

    def write(self, report: Callable[[str], None]) -> None:
        """Write every file."""
        for name in ASSETS:
            self._output.write(f"assets/{name}", asset(name))
        codes = sorted({code for row in self._rows for code in row.summary.causes})
        known = {cause.code for cause in ALL}
        # Those that only a newer samebytes knows come last.
        causes = [
            self._cause(cause) for cause in (*ALL, *(listing.cause_of(code) for code in codes if code not in known))
        ]
        self._page("causes.html", "causes", causes=causes)
        self._index(causes)
        self._listings(codes)
        self._output.write(addresses.DATA, documents.script(self._rows))
        self._packages(report)

    def _page(self, template: str, path: str, **values: Any) -> None:
        self._output.write(f"{path}.html", self._templates.page(template, path, **values))

    def _cause(self, cause: Cause) -> listing.Found:
        """Write the pages of a cause."""
        hit = list(listing.struck(self._store.hit_by(cause.code)))
        total = listing.found(cause, hit)
        for page in listing.pages(hit):
            path = addresses.cause(cause.code, page.number)
            self._page("cause.html", path, found=total, page=page)
            self._output.write(f"{path}.json", documents.cause(total, page))
        return total

    def _index(self, causes: Sequence[listing.Found]) -> None:
        headline = self._store.headline()
        self._page(
            "index.html",
            "index",
            headline=headline,
            states=[(text, headline.states[one]) for one, text in figures.STATES.items() if headline.states.get(one)],
            groups=figures.groups(headline),
            by_run=figures.over_time(headline, self._runs),
            causes=sorted((one for one in causes if one.packages), key=lambda one: (-one.packages, one.cause.code)),
            newest=self._runs[-1] if self._runs else None,
            variations=VARIATIONS,
            examined=day(max(row.summary.started for row in self._rows)) if self._rows else "",
        )
        self._output.write("index.json", documents.index(headline, causes, self._runs, __version__))

    def _listings(self, codes: Iterable[str]) -> None:
        """Write the pages of all packages, in each order."""
        common = Counter(row.summary.backend for row in self._rows).most_common(50)
        choices = {
            "backends": sorted(name for name, _ in common if name),
            "causes": [listing.cause_of(code) for code in codes],
            "everything": len(self._rows),
        }
        for order in listing.ORDERS:
            for page in listing.pages(listing.ordered(self._rows, order)):
                path = addresses.listing(order.key, page.number)
                self._page("packages.html", path, order=order, page=page, **choices)
                if order is listing.RANK:
                    self._output.write(f"{path}.json", documents.listing(page))

    def _packages(self, report: Callable[[str], None]) -> None:
        """Write each package's page, its JSON and its badge."""
        runs = {run.id: run for run in self._runs}
        for number, row in enumerate(self._rows, start=1):
            name, path = row.summary.name, addresses.package(row.summary.name)
            history = list(self._store.history(name))
            shown, older = history[:MOST_HISTORY], max(0, len(history) - MOST_HISTORY)
            result = result_of(shown[0])
            self._page("package.html", path, history=shown, older=older, runs=runs, result=result)
            self._output.write(f"{path}.json", documents.package(shown, older, runs))
            badge = self._templates.part("badge.svg", name=name, result=result)
            self._output.write(addresses.badge(name), badge)
            if number % STEP == 0:
                report(f"{number:,} of {len(self._rows):,} packages")
