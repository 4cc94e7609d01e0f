"""What a ZIP file's headers hold that the canonical form does not: told to the user, and never written again."""

from __future__ import annotations

import stat
from collections.abc import Iterator

from .entry import Aspect, Deviation
from .zip_directory import PADDING
from .zip_layout import (
    DEFLATED,
    DOS_DIRECTORY,
    FLAG_DESCRIPTOR,
    FLAG_UTF8,
    MAX_32,
    UNIX,
    VERSION_DEFLATED,
    VERSION_STORED,
    VERSION_ZIP64,
    ZIP64_EXTRA,
    CentralHeader,
    LocalHeader,
    seconds_from_dos,
)

_SYSTEMS = {
    0: "DOS",
    1: "Amiga",
    2: "OpenVMS",
    3: "Unix",
    4: "VM/CMS",
    5: "Atari ST",
    6: "OS/2 HPFS",
    7: "Macintosh",
    10: "Windows NTFS",
    11: "MVS",
    13: "Acorn RISC",
    14: "VFAT",
    16: "BeOS",
    19: "macOS",
}
"""Who made a member (APPNOTE 4.4.2.2)."""

_EXTRAS = {
    0x000A: "NTFS times",
    0x000D: "Unix times and owner",
    0x5455: "Unix times",
    0x5855: "Unix times and owner, old",
    0x6375: "Unicode comment",
    0x7075: "Unicode name",
    0x756E: "ASi Unix mode and owner",
    0x7855: "Unix owner",
    0x7875: "Unix owner",
    0xA220: "padding",
    0xCAFE: "Java",
    0xD935: "Android alignment",
}
"""What an extra field holds (APPNOTE 4.5.2 and Info-ZIP's list)."""

_FLAGS = {0x0002: "compression level", 0x0004: "compression level", 0x0008: "data descriptor", 0x0800: "UTF-8 name"}


def member_deviations(central: CentralHeader, local: LocalHeader) -> tuple[Deviation, ...]:
    """Return what is odd about a member's two headers, in the order of the codes."""
    found = (
        (Aspect.ZIP_TIMES, _times(central, local)),
        (Aspect.ZIP_MODES, _modes(central)),
        (Aspect.ZIP_VERSIONS, _versions(central, local)),
        (Aspect.ZIP_EXTRA_FIELDS, _extras(central, local)),
        (Aspect.ZIP_COMMENTS, [f"comment of {len(central.comment)} bytes"] if central.comment else ()),
        (Aspect.ZIP_FLAGS, _flags(central, local)),
        (Aspect.ZIP64, _zip64(central, local)),
    )
    return tuple(Deviation(aspect, detail) for aspect, details in found for detail in details)


def _times(central: CentralHeader, local: LocalHeader) -> Iterator[str]:
    if seconds_from_dos(central.time, central.date) is None:
        yield f"time 0x{central.time:04x} and date 0x{central.date:04x} are no moment"
    if (local.time, local.date) != (central.time, central.date):
        yield "another time in the local header than in the central directory"


def _modes(central: CentralHeader) -> Iterator[str]:
    mode, attributes = central.external >> 16, central.external & 0xFFFF
    directory = central.name.endswith(b"/")
    kind = stat.S_IFMT(mode)
    if not mode:
        yield "no Unix mode"
    elif not kind:
        yield f"no file type in the mode 0o{mode:o}"
    elif kind not in (stat.S_IFLNK, stat.S_IFDIR if directory else stat.S_IFREG):
        yield f"file type 0o{kind:o} in the mode of a {'directory' if directory else 'file'}"
    if directory and not attributes & DOS_DIRECTORY:
        yield "no DOS attribute says that it is a directory"
    elif attributes != (DOS_DIRECTORY if directory else 0):
        yield f"DOS attributes 0x{attributes:02x}"


def _versions(central: CentralHeader, local: LocalHeader) -> Iterator[str]:
    system, version = central.made_by >> 8, central.made_by & 0xFF
    if system != UNIX:
        yield f"made by system {system} ({_SYSTEMS.get(system, 'unknown')})"
    sizes_need = max(central.size, central.packed_size) >= MAX_32
    wide = sizes_need or central.offset >= MAX_32
    plain = VERSION_DEFLATED if central.method == DEFLATED else VERSION_STORED
    yield from _version("made by version", version, VERSION_ZIP64 if wide else VERSION_DEFLATED)
    needed = VERSION_ZIP64 if wide else plain
    local_needed = VERSION_ZIP64 if sizes_need else plain
    yield from _version("version needed", central.version_needed, needed)
    if (local.version_needed, local_needed) != (central.version_needed, needed):
        yield from _version("version needed, in the local header,", local.version_needed, local_needed)
    if central.internal:
        yield f"internal attributes 0x{central.internal:04x}"


def _version(what: str, version: int, canonical: int) -> Iterator[str]:
    if version != canonical:
        yield f"{what} {version / 10:.1f} instead of {canonical / 10:.1f}"


def _extras(central: CentralHeader, local: LocalHeader) -> Iterator[str]:
    if not central.extra and not local.extra:
        return
    for identifier in sorted({identifier for identifier, _ in central.extra + local.extra} - {ZIP64_EXTRA}):
        if identifier == PADDING:
            yield "padding in the extra field"
        else:
            yield f"extra field 0x{identifier:04x} ({_EXTRAS.get(identifier, 'unknown')})"


def _flags(central: CentralHeader, local: LocalHeader) -> Iterator[str]:
    ascii_name = central.name.isascii()
    if not ascii_name and not central.flags & FLAG_UTF8:
        yield "name neither ASCII nor marked as UTF-8, read as code page 437"
    expected = 0 if ascii_name else FLAG_UTF8
    flags = (central.flags | local.flags) & ~expected
    for bit in (1 << shift for shift in range(flags.bit_length())):
        if flags & bit:
            yield f"flag 0x{bit:04x} ({_FLAGS.get(bit, 'unknown')})"
    if (central.flags ^ local.flags) & FLAG_DESCRIPTOR:
        yield "data descriptor announced in one of the two headers only"


def _zip64(central: CentralHeader, local: LocalHeader) -> Iterator[str]:
    sizes = 16 if max(central.size, central.packed_size) >= MAX_32 else 0
    offset = 8 if central.offset >= MAX_32 else 0
    if not (sizes or offset or central.extra or local.extra):
        return
    for header, needed, where in (
        (local, sizes, "the local header"),
        (central, sizes + offset, "the central directory"),
    ):
        found = [len(data) for identifier, data in header.extra if identifier == ZIP64_EXTRA]
        if found and not needed:
            yield f"ZIP64 extra field in {where}, where nothing needs it"
        elif needed and found != [needed]:
            yield f"ZIP64 extra field of {found[0]} bytes" if found else f"no ZIP64 extra field in {where}"
