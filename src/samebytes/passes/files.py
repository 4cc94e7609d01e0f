"""The rules for which files a wheel or an sdist has to hold, and which it must not."""

from __future__ import annotations

from ..archive.entry import Archive, Data, Entry, Kind, read_all
from ..artifact import layout, record
from ..artifact.layout import ArtifactKind
from ..errors import ArchiveError, SignatureError
from .container import without
from .model import Change, Context, Pass, PassOutcome


def check(archive: Archive, kind: ArtifactKind) -> None:
    """Demand what every rule builds on, and of an sdist what an index demands of an upload (PEP 625, PEP 643).

    :raises ArchiveError: unless a wheel holds one ``.dist-info`` directory, that of the file's name; unless everything
        in an sdist lies in one top directory, which holds PKG-INFO and a name that begins with another letter: indexes
        find the top directory by what all names have in common.
    """
    own = layout.own_directory(archive, kind)
    if kind == ArtifactKind.WHEEL:
        layout.check_dist_info(own, archive.name)
        return
    names = {entry.name + "/" * (entry.kind is Kind.DIRECTORY) for entry in archive.entries}
    if f"{own}/PKG-INFO" not in names or {name[len(own) + 1 :][:1] for name in names} <= {"", "P"}:
        raise ArchiveError(
            f"{archive.name}: an index refuses a source distribution without PKG-INFO, or with nothing beside it",
            remedy=f"Build the sdist again, so that {own} holds PKG-INFO and pyproject.toml or setup.py.",
        )


def _without_date_file(archive: Archive, _context: Context) -> PassOutcome:
    gone = [entry for entry in archive.entries if entry.name == layout.RESERVED_DATE_FILE]
    return without(archive, gone, "W005", "removed; it is the sdist's, and a wheel needs none")


def _without_signatures(archive: Archive, context: Context) -> PassOutcome:
    own_name = f"{layout.own_directory(archive, context.kind)}/RECORD"
    names = record.never_listed(own_name) - {own_name}
    found = [entry for entry in archive.entries if entry.name in names]
    if found and not context.drop_signatures:
        raise SignatureError(
            f"{archive.name}: {found[0].name} signs RECORD, and would not fit a RECORD that is rewritten",
            remedy="Sign the wheel when it is built, not while it is."
            if context.fresh
            else "Normalize before you sign; or drop the signature with --drop-signatures.",
        )
    return without(archive, found, "W006", "signature dropped")


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


RESERVED_DATE_FILE = Pass(
    "W005",
    "reserved-date-file",
    "The file that carries the date of an sdist would land in site-packages if a backend took it for a module.",
    _without_date_file,
    changes_contents=True,
)

SIGNATURES = Pass(
    "W006",
    "record-signatures",
    "A signature is of RECORD's exact bytes, and nothing here can make a new one: an error, unless it may be dropped.",
    _without_signatures,
    always_because="a signature of the old RECORD cannot stay; --drop-signatures drops it",
    changes_contents=True,
)

RECORDED_DATE = Pass(
    "S010",
    "recorded-date",
    "A date taken from version control is not in the sources; without a file that carries it, the wheel built from the "
    "sdist would differ from the one built from the checkout.",
    _with_date_file,
    changes_contents=True,
)
