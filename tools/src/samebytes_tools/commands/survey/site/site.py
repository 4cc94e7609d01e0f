"""The whole site: which pages there are, and what each is made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Callable, NamedTuple

from samebytes import __version__

from ....comparison.causes.causes import ALL, Cause
from ....variations.variations import ALL as VARIATIONS
from ..model import KINDS, WAYS, WHOLE, Examination, Headline, Run
from ..store.store import Store
from . import addresses, documents, figures, listing
from .badge import badge
from .causes import Found, cause_of, found, struck
from .output import Output, replacing
from .packages import package
from .rendering import Templates, asset
from .table_data import data_script
from .texts import day

ASSETS = ("site.css", "site.js")
STEP = 1000
"""After so many packages it is told how far the work is."""


class SiteSummary(NamedTuple):
    """What was written."""

    directory: Path
    packages: int
    files: int
    bytes: int


def write_site(store: Store, directory: Path, *, tell: Callable[[str], None], address: str = "") -> SiteSummary:
    """Write the site of all that is in *store* to *directory*, in place of what an earlier call wrote there.

    The same store gives the same bytes. *address* is where the site will be found, for the snippets that show a badge;
    links need none. *tell* takes the steps of the work.

    :raises MissingExtraError: without Jinja2.
    :raises OutputError: if *directory* holds something else, or cannot be written.
    :raises StoreError: if the store cannot be read.
    """
    templates = Templates(version=__version__)
    with store.snapshot(), replacing(directory) as output:
        rows = listing.rows_of(store.newest())
        site = _Site(store, output, templates, rows, address, tell)
        site.write()
    return SiteSummary(directory, len(rows), output.files, output.bytes)


class _Site:
    """One run over the store."""

    def __init__(
        self,
        store: Store,
        output: Output,
        templates: Templates,
        rows: Sequence[listing.Row],
        address: str,
        tell: Callable[[str], None],
    ) -> None:
        self._store, self._output, self._templates, self._rows = store, output, templates, rows
        self._address, self._tell = address, tell
        self._runs: list[Run] = store.runs()
        self._choices = {
            "backends": _commonest(row.backend for row in rows),
            "causes": [cause_of(code) for code in sorted({code for row in rows for code in row.causes})],
            "everything": len(rows),
        }

    def write(self) -> None:
        """Write every file."""
        for name in ASSETS:
            self._output.write(f"assets/{name}", asset(name))
        causes = [self._cause(cause) for cause in self._causes()]
        self._page("causes.html", "causes", causes=causes, ways=WAYS)
        self._index(causes)
        for order in listing.ORDERS:
            self._listing(order)
        self._output.write(addresses.DATA, data_script(self._rows))
        self._packages()

    def _page(self, template: str, path: str, **values: Any) -> None:
        self._output.write(f"{path}.html", self._templates.page(template, path, **values))

    def _causes(self) -> Iterator[Cause]:
        """Yield the causes that there are, and those that only a newer samebytes knows."""
        yield from ALL
        known = {cause.code for cause in ALL}
        yield from map(cause_of, sorted({code for row in self._rows for code in row.causes} - known))

    def _cause(self, cause: Cause) -> Found:
        """Write the pages of a cause."""
        hit = list(struck(self._store.hit_by(cause.code)))
        total = found(cause, hit)
        for page in listing.pages(hit):
            path = addresses.cause(cause.code, page.number)
            self._page("cause.html", path, found=total, page=page, ways=WAYS, near=listing.near(page.number, page.last))
            self._output.write(f"{path}.json", documents.cause(total, page))
        return total

    def _index(self, causes: Sequence[Found]) -> None:
        headline = self._store.headline()
        chart, by_run = figures.over_time(headline, self._runs)
        newest = self._runs[-1] if self._runs else None
        self._page(
            "index.html",
            "index",
            headline=headline,
            states=figures.states(headline),
            steps=figures.steps(headline),
            groups=figures.groups(headline),
            chart=chart,
            by_run=by_run,
            causes=sorted((one for one in causes if one.packages), key=lambda one: (-one.packages, one.cause.code)),
            newest=newest,
            variations=VARIATIONS,
            ways=WAYS,
            examined=day(max((row.started for row in self._rows), default=0)) if self._rows else "",
        )
        self._output.write("index.json", documents.index(headline, _tallies(headline), causes, self._runs, __version__))

    def _listing(self, order: listing.Order) -> None:
        rows = listing.ordered(self._rows, order)
        for page in listing.pages(rows):
            path = addresses.listing(order.key, page.number)
            self._page(
                "packages.html",
                path,
                order=order,
                page=page,
                near=listing.near(page.number, page.last),
                ways=WAYS,
                **self._choices,
            )
            if order is listing.RANK:
                self._output.write(f"{path}.json", documents.listing(page))

    def _packages(self) -> None:
        runs = {run.id: run for run in self._runs}
        remedies = _Remedies(self._templates)
        for number, row in enumerate(self._rows, start=1):
            self._package(row, list(self._store.history(row.name)), runs, remedies)
            if number % STEP == 0:
                self._tell(f"{number:,} of {len(self._rows):,} packages")

    def _package(
        self, row: listing.Row, history: Sequence[Examination], runs: Mapping[str, Run], remedies: _Remedies
    ) -> None:
        """Write a package's page, its JSON and its badge."""
        view = package(history, runs, self._address)
        path = addresses.package(row.name)
        self._page("package.html", path, package=view, kinds=KINDS, ways=WAYS, remedies=remedies)
        self._output.write(f"{path}.json", documents.package(view, history))
        self._output.write(addresses.badge(row.name), badge(self._templates, row.name, view.standing, view.label))


class _Remedies:
    """What each cause is and what to do about it, as HTML, which is the same on every page."""

    def __init__(self, templates: Templates) -> None:
        self._templates = templates
        self._made: dict[str, Any] = {}

    def __getitem__(self, code: str) -> Any:
        from markupsafe import Markup

        if code not in self._made:
            self._made[code] = Markup(self._templates.part("remedy.html", cause=cause_of(code)))
        return self._made[code]


def _tallies(headline: Headline) -> Iterator[dict[str, Any]]:
    """Yield the shares of the newest examinations: all, and each backend's and nature's, of every kind."""
    now = figures.of_run(headline, "")
    backends = sorted({one.backend for one in now.counts})
    groups: list[dict[str, Any]] = [{}, {"is_pure": True}, {"is_pure": False}, *({"backend": one} for one in backends)]
    for group in groups:
        for kind in (*KINDS, WHOLE):
            for way, tally in zip(WAYS, figures.tallies_of(now, kind, **group)):
                yield documents.tally(way, kind, tally, **group)


def _commonest(names: Iterator[str]) -> list[str]:
    """Return the most frequent names, for a list to choose from, in order."""
    return sorted(name for name, _ in Counter(names).most_common(50) if name)
