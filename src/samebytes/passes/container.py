"""The rules of the container: what order, times, modes and owners an archive's members have, and which there are.

What the writers have no other form for (``ONE_FORM``) no pass has to change. What a reader noted of it, :func:`noted`
reports; a few codes are only found when the file is written, by the pipeline. They have a pass too, so that every code
is explained in one place.
"""

from __future__ import annotations

import math
import time
from bisect import bisect_left
from collections.abc import Iterable
from functools import lru_cache
from typing import Callable

from ..archive.entry import Archive, Aspect, Container, Entry, Kind, Owner
from ..archive.limits import case_collisions
from ..archive.zip_layout import EARLIEST, LATEST
from ..artifact import layout
from ..artifact.layout import ArtifactKind
from ..epoch import moment
from .model import ONE_FORM, Change, Context, Pass, PassOutcome, Run, each

_Step = Callable[[Entry, Context], tuple[Entry, str]]
"""Gives a member as it is to be, and in one line what that changes: nothing where it is so already."""


def zip_date(date: int) -> int:
    """Return *date* as a ZIP archive can hold it: clamped, and rounded down to an even second."""
    return min(max(date, EARLIEST), LATEST) // 2 * 2


def executable(entry: Entry, kind: ArtifactKind) -> bool:
    """Return whether a file of *kind* is to be executable: pip makes a wheel's so if anybody might run it."""
    if kind == ArtifactKind.WHEEL:
        return bool(entry.mode & 0o111) or layout.is_script(entry.name)
    return bool(entry.mode & 0o100)


CODES = {
    Aspect.ZIP_TIMES: "Z002",
    Aspect.ZIP_MODES: "Z003",
    Aspect.ZIP_VERSIONS: "Z005",
    Aspect.ZIP_EXTRA_FIELDS: "Z006",
    Aspect.ZIP_COMMENTS: "Z007",
    Aspect.ZIP_FLAGS: "Z008",
    Aspect.ZIP64: "Z009",
    Aspect.ZIP_LAYOUT: "Z011",
    Aspect.TAR_HARD_LINKS: "T007",
    Aspect.TAR_HEADERS: "T008",
    Aspect.TAR_END: "T009",
    Aspect.GZIP_HEADER: "G001",
}
"""The code of the pass that reports a reader's deviations, by their aspect."""


def noted(archive: Archive) -> PassOutcome:
    """Report what the archive's reader noted, each by the code that is for it, and drop it: no writer reproduces it."""
    found = [("", each) for each in archive.deviations]
    found += [(entry.name, each) for entry in archive.entries for each in entry.deviations]
    if not found:
        return PassOutcome(archive)
    entries = tuple(entry._replace(deviations=()) if entry.deviations else entry for entry in archive.entries)
    changes = tuple(Change(CODES[deviation.aspect], name, deviation.detail) for name, deviation in found)
    return PassOutcome(archive._replace(entries=entries, deviations=()), changes)


def _report(code: str, name: str, reason: str) -> Pass:
    """Return a pass for what the writer never reproduces: it changes nothing, for :func:`noted` reports it."""
    return Pass(code, name, reason, lambda archive, _: PassOutcome(archive), always_because=ONE_FORM)


def _each(code: str, step: _Step) -> Run:
    """Return the run of a pass that changes members one by one."""
    return lambda archive, context: each(archive, code, lambda entry: step(entry, context))


def _dated(entry: Entry, context: Context) -> tuple[Entry, str]:
    date = zip_date(context.date) if context.kind.container is Container.ZIP else context.date
    detail = "" if entry.mtime == date else f"time {_moment(entry.mtime)} -> {_moment(date)}"
    return entry._replace(mtime=date), detail


def _permitted(entry: Entry, context: Context) -> tuple[Entry, str]:
    if entry.kind is Kind.FILE and context.modes and not layout.is_script(entry.name):
        is_executable = context.modes(entry)
    else:
        is_executable = entry.kind is Kind.DIRECTORY or executable(entry, context.kind)
    mode = 0o755 if is_executable else 0o644
    if entry.kind is Kind.SYMLINK:
        mode = 0o777  # As Linux shows it; the mode of a link means nothing.
    return (entry, "") if entry.mode == mode else (entry._replace(mode=mode), f"mode {entry.mode:04o} -> {mode:04o}")


def _disowned(entry: Entry, _context: Context) -> tuple[Entry, str]:
    if entry.owner == Owner():
        return entry, ""
    return entry._replace(owner=Owner()), f"owner {_owner(entry.owner)} -> {_owner(Owner())}"


@lru_cache  # the times of an archive are few
def _moment(seconds: float) -> str:
    whole = math.floor(seconds)
    try:
        text = time.strftime("%Y-%m-%d %H:%M:%S", moment(whole))
    except (OverflowError, ValueError, OSError):
        return f"{seconds:g} s"  # Beyond what the platform can name.
    return text + f"{seconds - whole:.9f}".rstrip("0.")[1:]


def _owner(owner: Owner) -> str:
    names = f" ({owner.uname}:{owner.gname})" if owner.uname or owner.gname else ""
    return f"{owner.uid}:{owner.gid}{names}"


def without(archive: Archive, dropped: Iterable[Entry], code: str, why: str) -> PassOutcome:
    """Return *archive* without the entries *dropped*, each reported."""
    gone = {id(entry): Change(code, entry.name, why) for entry in dropped}
    entries = tuple(entry for entry in archive.entries if id(entry) not in gone)
    return PassOutcome(archive._replace(entries=entries), tuple(gone.values()))


def _without_directories(archive: Archive, context: Context) -> PassOutcome:
    directories = [entry for entry in archive.entries if entry.kind is Kind.DIRECTORY]
    if context.kind == ArtifactKind.WHEEL:
        return without(archive, directories, "Z004", "directory entry dropped")
    # What lies in a directory is sorted right behind its name with a slash: no need to keep every parent of every name.
    names = sorted(entry.name for entry in archive.entries)

    def is_filled(directory: Entry) -> bool:
        at = bisect_left(names, f"{directory.name}/")
        return at < len(names) and names[at].startswith(f"{directory.name}/")

    filled = list(filter(is_filled, directories))
    return without(archive, filled, "T005", "directory entry dropped, its contents say that it is there")


def _last_of_each_name(archive: Archive, _context: Context) -> PassOutcome:
    last = {entry.name: entry for entry in archive.entries}
    earlier = [entry for entry in archive.entries if last[entry.name] is not entry]
    return without(archive, earlier, "T006", "given again further on; this earlier one dropped")


def _differing_in_case(archive: Archive, _context: Context) -> PassOutcome:
    pairs = case_collisions(entry.name for entry in archive.entries)
    notes = (Change("T010", name, f"is {first} where case does not count") for first, name in pairs)
    return PassOutcome(archive, notes=tuple(notes))


def _ordered(archive: Archive, context: Context) -> PassOutcome:
    """Return *archive* with its members in order, and one change for all: the first one that is out of place."""
    code, late = "T001", "/"  # No member's name begins with a slash.
    if context.kind == ArtifactKind.WHEEL:
        code, late = "Z001", f"{layout.own_directory(archive, context.kind)}/"

    def order(entry: Entry) -> tuple[bool, bool, bytes]:
        return entry.name.startswith(late), entry.name == f"{late}RECORD", entry.name_bytes

    entries = sorted(archive.entries, key=order)
    for index, (old, new) in enumerate(zip(archive.entries, entries)):
        if old is not new:
            place = next(number for number, entry in enumerate(entries) if entry is old)
            detail = f"first out of place: {old.name}, position {index + 1} -> {place + 1}"
            return PassOutcome(archive._replace(entries=tuple(entries)), (Change(code, "", detail),))
    return PassOutcome(archive)


MEMBERS_GIVEN_TWICE = Pass(
    "T006",
    "members-given-twice",
    "A tar may hold a name more than once, where something was appended to it, and the last one counts.",
    _last_of_each_name,
    always_because=ONE_FORM,
)

CASE_NOTE = Pass(
    "T010",
    "names-differing-in-case",
    "Two names that differ only in case become one file on Windows and macOS. They are reported and not changed: files "
    "are never renamed.",
    _differing_in_case,
    always_because="it changes nothing",
)

_COMPRESSION = (
    "Compressors differ: level, library (zlib, zlib-ng, ISA-L) and release each give another stream. It is found when "
    "the canonical stream is there to compare."
)
_OTHERS = "The safety net: the bytes are not canonical though no other rule saw why. Please report such a file."

_ZIP = (
    Pass(
        "Z004",
        "directory-entries",
        "Some builders write entries for directories and some do not; installers go by the files' names.",
        _without_directories,
    ),
    Pass(
        "Z002",
        "member-times",
        "Members carry the modification times of a checkout, a copy or the build itself, in local time.",
        _each("Z002", _dated),
    ),
    Pass(
        "Z003",
        "member-modes",
        "Permission bits follow the umask and the file system of the machine; installers only keep whether a file is "
        "executable, and pip only where the file-type bits are there too.",
        _each("Z003", _permitted),
    ),
    _report(
        "Z005",
        "versions-and-attributes",
        "Made-by system, version needed and internal attributes name the operating system and the zip library used.",
    ),
    _report(
        "Z006",
        "extra-fields",
        "Extra fields hold precise times, user and group numbers or padding, which no installer reads.",
    ),
    _report("Z007", "comments", "Comments on the archive or its members are free text that tools leave behind."),
    _report(
        "Z008",
        "flags-and-data-descriptors",
        "Flag bits and data descriptors depend on whether the builder wrote to a file or to a pipe.",
    ),
    _report("Z009", "zip64-structures", "Some writers reserve ZIP64 fields for files that never need them."),
    _report(
        "Z011",
        "layout",
        "Local headers in another order than the central directory stay behind when archives are edited.",
    ),
    _report("Z010", "compression", _COMPRESSION),
    _report("Z099", "other-differences", _OTHERS),
    Pass(
        "Z001",
        "member-order",
        "Members come in the order in which a file system listed them; the canonical order keeps the metadata last, "
        "where it can be read and replaced quickly.",
        _ordered,
    ),
)

_TAR = (
    Pass(
        "T005",
        "directory-entries",
        "Some builders write entries for directories and some do not; only an empty directory needs one.",
        _without_directories,
    ),
    Pass(
        "T002",
        "member-times",
        "Members carry the modification times of a checkout, a copy or the build itself.",
        _each("T002", _dated),
    ),
    Pass(
        "T003",
        "member-modes",
        "Permission bits follow the umask and the file system of the machine.",
        _each("T003", _permitted),
    ),
    Pass(
        "T004",
        "owners",
        "Members carry the numbers and names of the user and group that built the archive.",
        _each("T004", _disowned),
    ),
    _report(
        "T007",
        "hard-links",
        "Whether two equal files are one on the disk of the builder decides whether tar stores a link; a file stands "
        "for itself.",
    ),
    _report(
        "T008",
        "header-format",
        "Python's tar writer changed its default format and its PAX records over the releases, and other tools have "
        "formats of their own.",
    ),
    _report("T009", "end-of-archive", "How many blocks end an archive depends on the tool and its blocking factor."),
    _report(
        "G001",
        "gzip-header",
        "gzip's header holds the time of compression, the name of the file and the operating system.",
    ),
    _report("G002", "gzip-compression", _COMPRESSION),
    _report("T099", "other-differences", _OTHERS),
    Pass("T001", "member-order", "Members come in the order in which a file system listed them.", _ordered),
)

CONTAINER = (*_ZIP, *_TAR)
"""The passes over a container, to run when its contents are settled."""
