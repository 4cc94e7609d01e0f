"""What one tar member is, from its header and all the headers that extend it, whichever dialect they are in.

Sources: POSIX.1-2017, pax, "ustar Interchange Format" (typeflag) and "pax Extended Header Keywords"; the GNU tar
manual, "Basic Tar Format".
"""

from __future__ import annotations

import math
import re
from collections import ChainMap
from collections.abc import Mapping
from typing import NamedTuple

from ..errors import ArchiveError
from . import limits
from .entry import Aspect, Deviation, Entry, Kind, Owner
from .tar_header import BLOCK, DAMAGED, LARGEST_IN_11_DIGITS, Header, differing_fields, member_head

_LATEST_TIME = 1 << 62
"""Seconds: beyond any clock, and still within what a float and the platform's time functions bear."""

_LARGEST_OWNER = (1 << 32) - 1
"""What Linux, macOS and the BSDs have room for."""

_SECONDS = re.compile(rb"-?\d{1,20}(\.\d{0,40})?")
_INTEGER = re.compile(rb"-?\d{1,20}")

FOR_ALL = frozenset(("mtime", "atime", "ctime", "uid", "gid", "uname", "gname"))
"""Keywords of records that may stand in a global header and mean something there."""

_NOT_GLOBAL = ("path", "linkpath", "size")
"""Keywords that make no sense for every member, and on which readers differ when they stand in a global header."""

_SPARSE = ("GNU.sparse.", "GNU.dumpdir", "GNU.volume.", "SCHILY.filetype", "SCHILY.realsize", "SUN.holesdata")
"""What begins the keywords by which GNU tar, star and Solaris' tar store contents that are not a plain file's."""

_UTF_8 = b"ISO-IR 10646 2000 UTF-8"
"""The encoding of records (POSIX, "hdrcharset"), also where none is named."""

# Type flags: hard and symbolic links; files, with what is not canonical about the flag; what no sdist may hold.
_LINKS = (b"1", b"2")
_FILES = {b"0": "", b"\0": "pre-POSIX type", b"7": "contiguous file"}
_REFUSED = {
    b"3": "a character device",
    b"4": "a block device",
    b"6": "a named pipe",
    b"S": "a sparse file",
    b"D": "a directory listing of an incremental backup",
    b"M": "the continuation of a file from another volume",
    b"N": "a list of long names in the oldest GNU form",
    b"V": "a volume's label",
    b"X": "a Solaris extended header",
    b"A": "a Solaris access control list",
}


class Extended(NamedTuple):
    """What the extended headers before a member give it."""

    start: int
    """Where the first of them begins."""
    pax: dict[str, bytes]
    long_name: bytes = b""
    long_link: bytes = b""
    facts: tuple[str, ...] = ()


class Member(NamedTuple):
    """A member's header with all that overrides it, its texts decoded, its place known."""

    header: Header
    where: str
    start: int
    name: str
    """As it stands in the archive."""
    link: str
    size: int
    mtime: float
    owner: Owner
    facts: list[str]
    """How its form deviates."""


def read_member(header: Header, extended: Extended, defaults: dict[str, bytes], where: str) -> Member:
    """Return the member that *header* describes, where *defaults* are the records of global PAX headers before it.

    :raises ArchiveError: if a name is not UTF-8 or a number is not one; *where* names the header's place.
    :raises HostileArchiveError: if two headers contradict each other.
    """
    # The member's own records take precedence over global ones, and both over the header's fields.
    pax = ChainMap(extended.pax, defaults)
    name = _name(header.name, extended.long_name, pax.get("path"), "name", where)
    is_link = header.typeflag in _LINKS
    link = _name(header.linkname, extended.long_link, pax.get("linkpath"), "link target", where) if is_link else ""
    # Only the first counts, but not every reader goes on where another is none; "" stands for the header's field.
    keywords = ("mtime", "atime", "ctime", "")
    mtime, *_ = (_time(each, keyword, header.mtime, where) for each in (pax, defaults) for keyword in keywords)
    owner = Owner(
        _integer(pax, "uid", header.uid, where),
        _integer(pax, "gid", header.gid, where),
        # Owners are dropped, so it does not matter if their names are in another encoding.
        pax.get("uname", header.uname).decode("utf-8", "replace"),
        pax.get("gname", header.gname).decode("utf-8", "replace"),
    )
    for_all = (_integer(defaults, keyword, 0, where) for keyword in ("uid", "gid"))
    for uid, gid in (owner[:2], (header.uid, header.gid), for_all):  # GNU tar looks at all of them, too.
        if not (0 <= uid <= _LARGEST_OWNER and 0 <= gid <= _LARGEST_OWNER):
            raise ArchiveError(f"{where}: the owner {uid}:{gid} is out of any range", remedy=DAMAGED)
    return Member(
        header=header,
        where=where,
        start=extended.start,
        name=name,
        link=link,
        size=_size(pax, header.size, where),
        mtime=mtime,
        owner=owner,
        facts=[*extended.facts, *_facts(header, mtime)],
    )


def check_records(records: dict[str, bytes], where: str, *, for_all: bool) -> None:
    """Refuse PAX records that no sdist may hold; *for_all* where they stand in a global header.

    :raises ArchiveError: naming *where*.
    """
    if any(keyword.startswith((*_SPARSE, "SCHILY.acl.access")) for keyword in records):
        raise _refused("a sparse file, part of a backup, or a file with an access list", where)
    # bsdtar decodes these, whatever the member is.
    texts = b"\n".join(records.get(keyword, b"") for keyword in ("linkpath", "uname", "gname"))
    if records.get("hdrcharset", _UTF_8) != _UTF_8 or texts.decode("utf-8", "replace").encode() != texts:
        raise limits.hostile(where, "", "its PAX records are in another encoding than UTF-8")
    for keyword in _NOT_GLOBAL:
        if for_all and keyword in records:
            raise limits.hostile(where, "", f"a global PAX header gives every member the same {keyword}")


def _refused(what: str, where: str) -> ArchiveError:
    return ArchiveError(
        f"{where}: it is {what}, which no source distribution may hold",
        remedy="Build the archive again from plain files, directories and links (GNU tar: without --sparse).",
    )


def _name(field: bytes, long: bytes, record: bytes | None, what: str, where: str) -> str:
    """Return a name by the header's field, the GNU header before it or the PAX record, refused where these differ."""
    if long and record is not None and long != record:
        raise limits.hostile(where, "", f"its {what} is {long!r} by a GNU header and {record!r} by a PAX header")
    raw = field if record is None and not long else long or record or b""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise ArchiveError(
            f"{where}: its {what} {raw!r} is not UTF-8", remedy="Rename the file, and build the archive again."
        ) from None


def _time(pax: Mapping[str, bytes], keyword: str, field: int, where: str) -> float:
    """Return a time by its PAX record or the header's *field*, in seconds."""
    text = pax.get(keyword, b"%d" % field)
    if not _SECONDS.fullmatch(text):
        raise ArchiveError(f"{where}: the PAX record {keyword} is not a time: {text!r}", remedy=DAMAGED)
    if abs(int(text.partition(b".")[0])) >= _LATEST_TIME:
        raise ArchiveError(f"{where}: the time {text.decode()} is out of any range", remedy=DAMAGED)
    return float(text) if b"." in text else int(text)


def _integer(pax: Mapping[str, bytes], keyword: str, field: int, where: str) -> int:
    if keyword not in pax:
        return field
    if not _INTEGER.fullmatch(pax[keyword]):
        raise ArchiveError(f"{where}: the PAX record {keyword} is not a number: {pax[keyword]!r}", remedy=DAMAGED)
    return int(pax[keyword])


def _size(pax: Mapping[str, bytes], field: int, where: str) -> int:
    size = _integer(pax, "size", field, where)
    if size < 0:
        raise ArchiveError(f"{where}: the size {size} is negative", remedy=DAMAGED)
    # Zero and all sevens are what writers put where the size does not fit. Anything else would be believed by readers
    # that do not know PAX headers, and the contents or what follows be another archive to them.
    if field != size and (size <= LARGEST_IN_11_DIGITS or field not in (0, LARGEST_IN_11_DIGITS)):
        raise limits.hostile(where, "", f"its size is {field} by the header and {size} by the PAX record before it")
    return size


def kind_of(member: Member) -> Kind | None:
    """Return what a member is; None stands for a hard link.

    :raises ArchiveError: if it is of a type that no sdist may hold.
    :raises HostileArchiveError: if tools would differ on what it is.
    """
    flag = member.header.typeflag
    slashed = member.name.endswith("/")
    # Before POSIX, files and directories had one type, and the slash told them apart. Some readers look for it in the
    # header's own field, and some in the name that a header before it gives.
    if flag == b"\0" and slashed != member.header.slashed:
        raise limits.hostile(member.where, member.name, "it is a directory by one of its names, and not by the other")
    kind: Kind | None = None
    if flag == b"5" or (flag == b"\0" and slashed):
        kind = Kind.DIRECTORY
    elif flag == b"2":
        kind = Kind.SYMLINK
    elif flag in _FILES:
        kind = Kind.FILE
    elif flag != b"1":
        raise _refused(_REFUSED.get(flag, f"of the unknown type {flag!r}"), f"{member.where} ({member.name!r})")
    if slashed and kind is not Kind.DIRECTORY:
        raise limits.hostile(member.where, member.name, "it is not a directory by its type, but by its name")
    if kind is not Kind.SYMLINK and member.header.mode & 0o111 and not member.header.mode & 0o100:
        raise limits.hostile(member.where, member.name, "some may execute it, but not its owner, which pip ignores")
    if member.size and kind is not Kind.FILE:
        problem = "a directory or link with contents, which tools read differently"
        raise limits.hostile(member.where, member.name, problem)
    return kind


def _facts(header: Header, mtime: float) -> list[str]:
    """Return how a header's form deviates, apart from the extended ones before it."""
    facts = [] if header.dialect == "ustar" else [f"{header.dialect} header"]
    if header.prefixed:
        facts.append("name in two parts")
    if _FILES.get(header.typeflag):
        facts.append(_FILES[header.typeflag])
    if mtime != math.floor(mtime):
        facts.append("fraction of a second")
    return facts


def deviations_of(entry: Entry, member: Member, raw: bytes) -> tuple[Deviation, ...]:
    """Note it where the bytes before the contents are not those that samebytes writes for the same values."""
    canonical = member_head(entry)
    if raw == canonical:
        return ()
    # What can be said in words is; the bytes decide.
    facts = list(member.facts)
    if not facts:
        fields = differing_fields(raw[-BLOCK:], canonical[-BLOCK:]) or ["checksum"]
        facts.append(f"written in another way: {', '.join(fields)}")
    return (Deviation(Aspect.TAR_HEADERS, "; ".join(facts)),)
