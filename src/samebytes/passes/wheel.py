"""The rules for the files of a wheel's ``.dist-info`` directory, RECORD aside."""

from __future__ import annotations

from ..archive.entry import Archive, Kind
from ..artifact import headers, layout, record
from ..artifact.layout import ArtifactKind
from ..errors import SignatureError
from .container import without
from .model import Context, Pass, PassOutcome, in_wheel
from .sdist import is_pkg_info
from .texts import Transform, header_block, rewritten, sorted_lines

_SET_LIKE = ("Requires-Dist", "Provides-Extra", "Classifier")


def check_wheel(archive: Archive) -> None:
    """Demand what every rule for wheels builds on.

    :raises ArchiveError: unless there is one ``.dist-info`` directory, that of the file's name.
    """
    layout.check_dist_info(_dist_info(archive), archive.name)


def _dist_info(archive: Archive) -> str:
    files = (entry.name for entry in archive.entries if entry.kind is not Kind.DIRECTORY)
    return layout.dist_info(files, archive.name)


def _rewriting(code: str, name: str, reason: str, filename: str, transform: Transform) -> Pass:
    """Return the pass that applies *transform* to the file *filename* of ``.dist-info``."""

    def run(archive: Archive, _context: Context) -> PassOutcome:
        wanted = f"{_dist_info(archive)}/{filename}"
        return rewritten(archive, lambda member: member == wanted, code, transform)

    return Pass(code, name, reason, in_wheel, run, for_metadata=True, changes_contents=True)


def _without_date_file(archive: Archive, _context: Context) -> PassOutcome:
    gone = [entry for entry in archive.entries if entry.name == layout.RESERVED_DATE_FILE]
    return without(archive, gone, "W005", "removed; it is the sdist's, and a wheel needs none")


def _without_signatures(archive: Archive, context: Context) -> PassOutcome:
    own_name = f"{_dist_info(archive)}/RECORD"
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


def _with_sorted_values(archive: Archive, context: Context) -> PassOutcome:
    names = [entry.name for entry in archive.entries if entry.kind is not Kind.DIRECTORY]
    if context.kind == ArtifactKind.WHEEL:
        found = f"{layout.dist_info(names, archive.name)}/METADATA"
        return rewritten(archive, lambda name: name == found, "W100", header_block((), _SET_LIKE))
    top = layout.top_directory(names, archive.name)
    return rewritten(archive, lambda name: is_pkg_info(name, top), "W100", header_block((), _SET_LIKE))


METADATA = _rewriting(
    "W002",
    "metadata-order",
    "Backends and their releases write METADATA's fields in different orders, which mean the same, and with the "
    "line ends of the platform. The order of repeated values is kept, for installers go by it.",
    "METADATA",
    header_block(headers.METADATA_ORDER),
)

WHEEL = _rewriting(
    "W003",
    "wheel-order",
    "The Tag lines of WHEEL are a set, and some backends write them in the order of a set.",
    "WHEEL",
    header_block(headers.WHEEL_ORDER, ("Tag",)),
)

TOP_LEVEL = _rewriting(
    "W004",
    "top-level-order",
    "The names in top_level.txt are a set, and some builders write them in the order of a directory's listing.",
    "top_level.txt",
    sorted_lines,
)

DATE_FILE = Pass(
    "W005",
    "reserved-date-file",
    "The file that carries the date of an sdist would land in site-packages if a backend took it for a module.",
    in_wheel,
    _without_date_file,
    changes_contents=True,
)

SIGNATURES = Pass(
    "W006",
    "record-signatures",
    "A signature is of RECORD's exact bytes, and nothing here can make a new one: an error, unless it may be dropped.",
    in_wheel,
    _without_signatures,
    always_because="a signature of the old RECORD cannot stay; --drop-signatures drops it",
    changes_contents=True,
)

SORTED_VALUES = Pass(
    "W100",
    "sorted-metadata-values",
    "Where a build puts Requires-Dist, Provides-Extra or Classifier lines in the order of a set and cannot be fixed, "
    "sorting them makes the metadata equal. Resolvers go by that order, so it must be asked for.",
    lambda _context: True,
    _with_sorted_values,
    default=False,
    for_metadata=True,
    changes_contents=True,
)
