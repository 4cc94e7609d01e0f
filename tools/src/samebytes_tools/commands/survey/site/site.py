"""The whole site: which pages there are, and what each is made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Callable, NamedTuple

from samebytes import __version__

from ....comparison.causes.cause import Cause
from ....comparison.causes.table import ALL
from ....variations.variations import ALL as VARIATIONS
from ..model import KINDS, PUBLISHED, WAYS, Examination, Run
from ..store.store import Store
from . import addresses, documents, figures, listing, packages, published
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
            verifies=any(run.verifies for run in self._runs),
            published=PUBLISHED,
            outcome=published.outcome,
            record_facts=published.facts,
            record_requirements=published.requirements,
            rebuilt_cells=published.cells,
            rebuilt_places=published.places,
            again=published.again,
            rebuilt_snippets=lambda name: published.snippets(name, address, packages.NO_ADDRESS),
            linked={cause.code: cause.name for cause in ALL},
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
            rebuilt=published.tallies([(kind, headline.rebuilt(kind)) for kind in PUBLISHED]),
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
        verifies = any(run.verifies for run in self._runs)
        found: list[tuple[str, int | None, Examination, published.RebuiltStanding]] = []
        for number, row in enumerate(self._rows, start=1):
            name, path = row.summary.name, addresses.package(row.summary.name)
            history = list(self._store.history(name))
            verified = [one for one in history if one.run in runs and runs[one.run].verifies]
            standing = published.standing(verified[0] if verified else None)
            # What rebuilt published files alone is on their page.
            twice = [one for one in history if one.run not in runs or runs[one.run].builds]
            shown, older = _cut(twice or history)
            result = result_of(shown[0])
            values = {"history": shown, "older": older, "runs": runs, "result": result}
            self._page("package.html", path, **values, twice=bool(twice), standing=standing)
            self._output.write(f"{path}.json", documents.package(shown, older, runs))
            self._badge(addresses.badge(name), name, "reproducible", result.label, result.standing.colour)
            if verifies:
                self._rebuilt(name, verified, standing, runs)
            if verified:
                found.append((name, row.summary.rank, verified[0], standing))
            if number % STEP == 0:
                report(f"{number:,} of {len(self._rows):,} packages")
        if verifies:
            for page in listing.pages(found):
                self._page("published.html", addresses.published(page.number), page=page)

    def _badge(self, path: str, name: str, words: str, label: str, colour: str) -> None:
        self._output.write(path, self._templates.part("badge.svg", name=name, words=words, label=label, colour=colour))

    def _rebuilt(
        self,
        name: str,
        verified: Sequence[Examination],
        standing: published.RebuiltStanding,
        runs: Mapping[str, Run],
    ) -> None:
        """Write the page of a package's published files, its JSON, its badge and the records of the newest rebuilds."""
        path = addresses.rebuilt(name)
        shown, older = _cut(verified)
        self._page("rebuilt.html", path, name=name, history=shown, older=older, runs=runs, standing=standing)
        self._output.write(f"{path}.json", documents.rebuilt(name, standing, shown, runs))
        self._badge(f"{path}.svg", name, "rebuilt", standing.label, standing.colour)
        for number, one in enumerate(shown[0].rebuilds if shown else (), start=1):
            if one.record:
                self._output.write(addresses.record(name, number), documents.record(one))


def _cut(history: Sequence[Examination]) -> tuple[Sequence[Examination], int]:
    """Return those that are shown, and how many older ones are not."""
    return history[:MOST_HISTORY], max(0, len(history) - MOST_HISTORY)
