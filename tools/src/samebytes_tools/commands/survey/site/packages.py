"""What a package's page shows of its newest examination, beside what that says itself."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ....comparison.causes.cause import Cause
from ....comparison.model import Evidence
from ....reporting.evidence import Parted, parted
from ..model import KINDS, WAYS, Artifact, CauseHit, Examination, Run, State
from . import addresses
from .listing import cause_of
from .rendering import cut
from .results import NONE, Outcome, outcome_of

MOST_PLACES = 3
"""Places of a cause that are shown."""
NO_ADDRESS = "https://ADDRESS.OF.THIS.SITE"
"""Stands in snippets where the address of the site is not known; the script puts in where the page came from."""


class CausePlace(NamedTuple):
    """Where a cause was found, and what stands there in the first and the second build."""

    member: str
    where: str
    sides: tuple[Parted, Parted]
    seen: Sequence[str]
    """In what: the way, and its kinds."""


class Reason(NamedTuple):
    """A cause that hits the package."""

    cause: Cause
    ways: Sequence[str]
    places: Sequence[CausePlace]
    more: int
    """How many more places there are."""


def grid(artifacts: Iterable[Artifact]) -> list[tuple[str, list[tuple[Outcome, Artifact | None]]]]:
    """Return for each way what became of each kind."""
    found = {(one.way, one.kind): (outcome_of(one), one) for one in artifacts}
    return [(way, [found.get((way, kind), (NONE, None)) for kind in KINDS]) for way in WAYS]


def reasons(artifacts: Iterable[Artifact]) -> Iterator[Reason]:
    """Give each cause with its places; what several artifacts have alike is one place."""
    found: dict[str, dict[CauseHit, dict[str, list[str]]]] = {}
    for artifact in artifacts:
        for hit in artifact.causes:
            # Without the count, which is another in another artifact.
            alike = CauseHit(hit.code, 0, hit.member, hit.where, hit.left, hit.right)
            seen = found.setdefault(hit.code, {}).setdefault(alike, {})
            seen.setdefault(artifact.way, []).append(artifact.kind)
    for code, hits in sorted(found.items()):
        ways = [way for way in WAYS if any(way in seen for seen in hits.values())]
        places = [_place(hit, seen) for hit, seen in list(hits.items())[:MOST_PLACES]]
        yield Reason(cause_of(code), ways, places, len(hits) - len(places))


def _place(hit: CauseHit, seen: Mapping[str, Sequence[str]]) -> CausePlace:
    left, right = (cut(text).encode("utf-8", "surrogatepass") for text in (hit.left, hit.right))
    sides = parted(Evidence(hit.where, left, right))
    return CausePlace(hit.member, hit.where, sides, [f"{way}: {', '.join(dict.fromkeys(seen[way]))}" for way in seen])


def commands(newest: Examination, run: Run | None) -> list[str]:
    """Return what to type to see the same."""
    tool = f"samebytes[tools]=={run.tool}" if run else "samebytes[tools]"
    lines = [f"pip install {shlex.quote(tool)}"]
    if newest.state not in (State.UNKNOWN, State.NO_SDIST, State.UNAVAILABLE):
        what = shlex.quote(f"{newest.name}=={newest.version}" if newest.version else newest.name)
        lines.append(f"samebytes check --normalized {what}")
        lines.append(f"samebytes survey run --store again.sqlite --packages {what}")
    return lines


def snippets(name: str, address: str) -> dict[str, str]:
    """Return the badge, linked to the page, for READMEs; *address* is that of the site, if it is known."""
    image, page = (
        addresses.absolute(address or NO_ADDRESS, path) for path in (addresses.badge(name), addresses.package(name))
    )
    return {
        "Markdown": f"[![Reproducible builds]({image})]({page}.html)",
        "reStructuredText": f".. image:: {image}\n   :target: {page}.html\n   :alt: Reproducible builds",
    }
