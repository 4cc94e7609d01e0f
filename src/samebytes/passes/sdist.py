"""The rules for the files that a build writes into an sdist: PKG-INFO, ``.egg-info`` and the reserved date file."""

from __future__ import annotations

from ..archive.entry import Archive, Data, Entry, Kind, read_all
from ..artifact import headers, layout
from ..artifact.layout import ArtifactKind
from ..errors import ArchiveError
from .model import Change, Context, Pass, PassOutcome
from .texts import header_block, rewriting, sorted_lines


def check_sdist(archive: Archive) -> None:
    """Demand what every rule for sdists builds on, and what an index demands of an upload (PEP 625, PEP 643).

    :raises ArchiveError: unless everything lies in one top directory, which holds PKG-INFO and a name that begins with
        another letter: indexes find the top directory by what all names have in common.
    """
    top = layout.own_directory(archive, ArtifactKind.SDIST)
    names = {entry.name for entry in archive.entries}
    if f"{top}/PKG-INFO" not in names or {name[len(top) + 1 :][:1] for name in names} <= {"", "P"}:
        raise ArchiveError(
            f"{archive.name}: an index refuses a source distribution without PKG-INFO, or with nothing beside it",
            remedy=f"Build the sdist again, so that {top} holds PKG-INFO and pyproject.toml or setup.py.",
        )


def is_pkg_info(name: str, top: str) -> bool:
    """Return whether *name* is the sdist's PKG-INFO or a copy in the project's own ``.egg-info``."""
    return name == f"{top}/PKG-INFO" or layout.in_egg_info(name, top, "PKG-INFO")


def _with_date_file(archive: Archive, context: Context) -> PassOutcome:
    if not context.record_date:
        return PassOutcome(archive)
    name = f"{layout.own_directory(archive, context.kind)}/{layout.RESERVED_DATE_FILE}"
    data = b"%d\n" % context.date
    old = [entry for entry in archive.entries if entry.name == name]
    if len(old) == 1 and old[0].kind is Kind.FILE and read_all(old[0].content) == data:
        return PassOutcome(archive)
    entry = Entry(name, Kind.FILE, 0o644, context.date, Data(data))
    others = (other for other in archive.entries if other.name != name)
    detail = f"{'another one' if old else 'none'} -> {context.date}"
    return PassOutcome(archive._replace(entries=(*others, entry)), (Change("S010", name, detail),))


PKG_INFO = Pass(
    "S001",
    "pkg-info-order",
    "Backends and their releases write PKG-INFO's fields in different orders, which mean the same, and with the "
    "line ends of the platform. The order of repeated values is kept, for installers go by it.",
    rewriting("S001", is_pkg_info, header_block(headers.METADATA_ORDER)),
    changes_contents=True,
)

SOURCES = Pass(
    "S002",
    "sources-order",
    "SOURCES.txt lists files, and some of them in the order of a directory's listing.",
    rewriting("S002", lambda name, top: layout.in_egg_info(name, top, "SOURCES.txt"), sorted_lines),
    changes_contents=True,
)

TOP_LEVEL = Pass(
    "S003",
    "sdist-top-level-order",
    "The names in top_level.txt are a set, and some builders write them in the order of a directory's listing.",
    rewriting("S003", lambda name, top: layout.in_egg_info(name, top, "top_level.txt"), sorted_lines),
    changes_contents=True,
)

DATE_FILE = Pass(
    "S010",
    "recorded-date",
    "A date taken from version control is not in the sources; without a file that carries it, the wheel built from the "
    "sdist would differ from the one built from the checkout.",
    _with_date_file,
    changes_contents=True,
)
