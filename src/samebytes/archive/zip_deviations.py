"""In what a ZIP file's headers deviate from those of the canonical form: reported to the user, and never written again.

Source: PKWARE's APPNOTE 6.3.10, whose sections the numbers in brackets are.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from itertools import starmap

from . import zip_layout as layout
from .entry import Aspect, Deviation
from .zip_layout import MemberHeader

_SYSTEMS = {0: "DOS", 7: "Macintosh", 10: "Windows NTFS", 14: "VFAT", 19: "macOS"}
"""Who made a member (4.4.2.2), of what tools write today."""

_EXTRAS = {
    0x000A: "NTFS times",
    0x000D: "Unix times and owner",
    0x5455: "Unix times",
    0x5855: "Unix times and owner, old",
    0x6375: "Unicode comment",
    0x756E: "ASi Unix mode and owner",
    0x7855: "Unix owner",
    0x7875: "Unix owner",
    0xA220: "padding",
    0xCAFE: "Java",
    0xD935: "Android alignment",
}
"""What an extra field holds (4.5.2 and 4.6, and Info-ZIP's list of extra fields)."""

_FLAGS = {0x0002: "compression level", 0x0004: "compression level", 0x0008: "data descriptor", 0x0800: "UTF-8 name"}
"""What a flag's bit stands for (4.4.4)."""


def member_deviations(central: MemberHeader, local: MemberHeader) -> tuple[Deviation, ...]:
    """Return in what a member's two headers deviate, in the order of the aspects."""
    return tuple(starmap(Deviation, _details(central, local)))


def _details(central: MemberHeader, local: MemberHeader) -> Iterator[tuple[Aspect, str]]:
    if layout.seconds_from_dos(central.time, central.date) is None:
        yield Aspect.ZIP_TIMES, f"time 0x{central.time:04x} and date 0x{central.date:04x} are not a valid date"
    if (local.time, local.date) != (central.time, central.date):
        yield Aspect.ZIP_TIMES, "another time in the local header than in the central directory"
    for detail in _modes(central):
        yield Aspect.ZIP_MODES, detail
    for detail in _versions(central, local):
        yield Aspect.ZIP_VERSIONS, detail
    if central.extra or local.extra:
        # ZIP64 has an aspect of its own, for it is needed at times.
        for identifier in sorted({identifier for identifier, _ in central.extra + local.extra} - {layout.ZIP64_EXTRA}):
            yield Aspect.ZIP_EXTRA_FIELDS, f"extra field 0x{identifier:04x} ({_EXTRAS.get(identifier, 'unknown')})"
    if central.comment:
        yield Aspect.ZIP_COMMENTS, f"comment of {len(central.comment)} bytes"
    flags = central.flags & ~(0 if central.name.isascii() else layout.FLAG_UTF8)
    for bit in (1 << shift for shift in range(flags.bit_length())):
        if flags & bit:
            yield Aspect.ZIP_FLAGS, f"flag 0x{bit:04x} ({_FLAGS[bit]})"
    for detail in _zip64(central, local):
        yield Aspect.ZIP64, detail


def _modes(central: MemberHeader) -> Iterator[str]:
    """Look at the external attributes (4.4.15): the Unix mode, whose type must be there, above the DOS attributes."""
    mode, attributes = central.external >> 16, central.external & 0xFFFF
    directory = central.name.endswith(b"/")
    if not mode:
        yield "no Unix mode"
    elif not stat.S_IFMT(mode):
        yield f"no file type in the mode 0o{mode:o}"
    if directory and not attributes & layout.DOS_DIRECTORY:
        yield "no DOS attribute says that it is a directory"
    elif attributes != (layout.DOS_DIRECTORY if directory else 0):
        yield f"DOS attributes 0x{attributes:02x}"


def _versions(central: MemberHeader, local: MemberHeader) -> Iterator[str]:
    """Look at who made the member (4.4.2), what is needed to read it (4.4.3) and the internal attributes (4.4.14)."""
    # The upper byte is the system, the lower one the version of the format.
    system, version = central.made_by >> 8, central.made_by & 0xFF
    if system != layout.UNIX:
        yield f"made by system {system} ({_SYSTEMS.get(system, 'unknown')})"
    wide = central.wide_sizes or central.wide_offset
    plain = layout.VERSION_DEFLATED if central.method == layout.DEFLATED else layout.VERSION_STORED
    yield from _version("made by version", version, layout.VERSION_ZIP64 if wide else layout.VERSION_DEFLATED)
    needed = layout.VERSION_ZIP64 if wide else plain
    # Local headers have no offset, so that one beyond ZIP64's limit does not count there.
    local_needed = layout.VERSION_ZIP64 if central.wide_sizes else plain
    yield from _version("version needed", central.version_needed, needed)
    if (local.version_needed, local_needed) != (central.version_needed, needed):
        yield from _version("version needed, in the local header,", local.version_needed, local_needed)
    if central.internal:
        yield f"internal attributes 0x{central.internal:04x}"


def _version(what: str, version: int, canonical: int) -> Iterator[str]:
    if version != canonical:
        yield f"{what} {version / 10:.1f} instead of {canonical / 10:.1f}"


def _zip64(central: MemberHeader, local: MemberHeader) -> Iterator[str]:
    """Look at the ZIP64 extra fields (4.5.3): eight bytes for each value that needs them, and none else."""
    sizes = 16 if central.wide_sizes else 0
    offset = 8 if central.wide_offset else 0
    if not (sizes or offset or central.extra or local.extra):
        return
    for header, needed, where in (
        (local, sizes, "the local header"),
        (central, sizes + offset, "the central directory"),
    ):
        found = [len(data) for identifier, data in header.extra if identifier == layout.ZIP64_EXTRA]
        if found and not needed:
            yield f"ZIP64 extra field in {where}, where nothing needs it"
        elif needed and found != [needed]:
            yield f"ZIP64 extra field of {sum(found)} bytes in {where}"
