"""C001: software bills of materials say nothing of the clock, the random numbers and the paths of one build."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

from ..archive.entry import Archive, Data, Entry, Kind, read_all
from .container import zip_date
from .model import Context, Pass, PassOutcome, each


def _run(archive: Archive, context: Context) -> PassOutcome:
    documents = [entry for entry in archive.entries if _is_document(entry)]
    if not documents:
        return PassOutcome(archive)
    # Only the few wheels that have documents pay for a JSON reader.
    from ..artifact.sbom import LARGEST, normalize, uuids

    held = {entry.name: entry for entry in documents if entry.content.size <= LARGEST}
    mentions = Counter(uuid for entry in held.values() for uuid in uuids(read_all(entry.content)))
    shared = frozenset(uuid for uuid, count in mentions.items() if count > 1)
    names = sorted(entry.name for entry in documents)
    # The date as the members hold it, so that a later run that takes the date from them finds it here too.
    date = zip_date(context.date)

    def step(entry: Entry) -> tuple[Entry, str]:
        if entry.name not in held or _has_companion(entry.name, names):
            return entry, ""
        data = read_all(entry.content)
        result = normalize(data, date, shared)
        if result is None or result.data == data:
            return entry, ""
        return entry.holding(Data(result.data)), "; ".join(result.details) or "layout"

    return each(archive, SBOM.code, step)


def _is_document(entry: Entry) -> bool:
    """Return whether *entry* lies in ``<name>.dist-info/sboms/`` (PEP 770)."""
    parts = entry.name.split("/", 2)
    return entry.kind is Kind.FILE and len(parts) == 3 and parts[0].endswith(".dist-info") and parts[1] == "sboms"


def _has_companion(name: str, names: Sequence[str]) -> bool:
    """Return whether the sorted *names* hold one that is *name* and a further suffix: a signature, a digest.

    ``.license`` is none of those: it says whose the file is (REUSE 3.3), whatever its bytes.
    """
    place = bisect_left(names, name + ".")
    candidates = (each for each in names[place : place + 2] if each.startswith(name + "."))
    return any(each != name + ".license" for each in candidates)


SBOM = Pass(
    code="C001",
    name="sboms",
    reason=(
        "Software bills of materials (PEP 770) carry random serial numbers, the time of the build, the builder's "
        "paths, and lists in the order in which a tool happened to find things."
    ),
    run=_run,
    changes_contents=True,
)
