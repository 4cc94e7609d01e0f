"""The rules for the files of a wheel's ``.dist-info`` directory, RECORD aside."""

from __future__ import annotations

from typing import Callable

from ..archive.entry import Archive
from ..artifact import headers, layout, record
from ..artifact.layout import ArtifactKind
from ..errors import SignatureError
from .container import without
from .model import Context, Pass, PassOutcome
from .sdist import is_pkg_info
from .texts import header_block, rewriting, sorted_lines

_SET_LIKE = ("Requires-Dist", "Provides-Extra", "Classifier")


def check_wheel(archive: Archive) -> None:
    """Demand what every rule for wheels builds on.

    :raises ArchiveError: unless there is one ``.dist-info`` directory, that of the file's name.
    """
    layout.check_dist_info(layout.own_directory(archive, ArtifactKind.WHEEL), archive.name)


def _is(filename: str) -> Callable[[str, str], bool]:
    return lambda name, own: name == f"{own}/{filename}"


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


def _with_sorted_values(archive: Archive, context: Context) -> PassOutcome:
    wanted = _is("METADATA") if context.kind == ArtifactKind.WHEEL else is_pkg_info
    return rewriting("W100", wanted, header_block((), _SET_LIKE))(archive, context)


METADATA = Pass(
    "W002",
    "metadata-order",
    "Backends and their releases write METADATA's fields in different orders, which mean the same, and with the "
    "line ends of the platform. The order of repeated values is kept, for installers go by it.",
    rewriting("W002", _is("METADATA"), header_block(headers.METADATA_ORDER)),
    for_metadata=True,
    changes_contents=True,
)

WHEEL = Pass(
    "W003",
    "wheel-order",
    "The Tag lines of WHEEL are a set, and some backends write them in the order of a set.",
    rewriting("W003", _is("WHEEL"), header_block(headers.WHEEL_ORDER, ("Tag",))),
    for_metadata=True,
    changes_contents=True,
)

TOP_LEVEL = Pass(
    "W004",
    "top-level-order",
    "The names in top_level.txt are a set, and some builders write them in the order of a directory's listing.",
    rewriting("W004", _is("top_level.txt"), sorted_lines),
    for_metadata=True,
    changes_contents=True,
)

DATE_FILE = Pass(
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

SORTED_VALUES = Pass(
    "W100",
    "sorted-metadata-values",
    "Where a build puts Requires-Dist, Provides-Extra or Classifier lines in the order of a set and cannot be fixed, "
    "sorting them makes the metadata equal. Resolvers go by that order, so it must be asked for.",
    _with_sorted_values,
    also_in_sdists=True,
    default=False,
    for_metadata=True,
    changes_contents=True,
)
