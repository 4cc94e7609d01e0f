"""The container: what the normalizer's passes find different in the two archives themselves, one node for a code."""

from __future__ import annotations

import hashlib
import math
import stat
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

from samebytes.archive.entry import Container, Entry
from samebytes.archive.entry import Kind as EntryKind
from samebytes.archive.gzip import gunzip
from samebytes.archive.zip_layout import UNIX
from samebytes.artifact.layout import ArtifactKind, is_script
from samebytes.passes import by_code
from samebytes.passes.container import executable

from .causes.cause import CauseClues
from .causes.repaired import is_member
from .causes.table import explain, reduced
from .contents import Contents
from .model import Difference, NodeKind
from .observations import LoneMember, MemberTime, Nature, Observation, OfNature, Reordered
from .opened import Opened

__all__ = ["compare", "compare_streams", "disputed", "moment", "planted", "shown"]

PLANTED_ALWAYS = 0o7000
"""setuid, setgid and sticky: no umask gives these."""

WORLD_WRITABLE = 0o002

_SHOWN = 20
_OF_CONTENTS = frozenset("WSPC")
"""First letters of passes that are not about the container."""
_ORDERS = frozenset({"Z001", "T001"})
_VALUES = frozenset({"Z002", "T002", "Z003", "T003", "T004"})
"""Passes of times, modes and owners, which are compared themselves."""
_OF_DIRECTORIES = frozenset({"Z004", "T005", "T006"})
"""Passes that are about members as such, be they on one side only."""

_EXTRA_TIMES = frozenset({0x000A, 0x5455, 0x5855})
"""Extra fields that hold times: NTFS (APPNOTE 4.5.5), Info-ZIP's extended timestamp and its old UNIX field."""
_EXTRA_OWNERS = frozenset({0x7855, 0x7875})
"""Extra fields that hold owners: Info-ZIP's UNIX fields with numbers of user and group."""


class _Trait(NamedTuple):
    """One thing in which the containers differ."""

    member: str
    """Empty for the archive itself."""
    seen: Observation


def compare(left: Opened, right: Opened, read: Contents, clues: CauseClues) -> Iterator[Difference]:
    """Give a node for each code under which the passes find other things on the two sides: order, headers, compression.

    Changes of members that only one side has are left out: the member itself is what differs.
    """
    order = "Z001" if left.kind.container is Container.ZIP else "T001"
    traits: dict[str, list[_Trait]] = {order: list(_order(left, right))}
    common = [(entry, right.files[key]) for key, entry in left.files.items() if key in right.files]
    compared = _compared(left, right, common)
    found = _changes(left), _changes(right)
    for code in sorted({*found[0], *found[1], *compared}):
        traits[code] = compared.get(code) or list(
            _details(code, found[0].get(code, {}), found[1].get(code, {}), left, right)
        )
    traits["Z010"] = [
        _Trait(pair.left.name, OfNature(Nature.COMPRESSION, _packing(pair.left), _packing(pair.right)))
        for pair in read.pairs.values()
        if pair.repacked
    ]
    for code, given in traits.items():
        if given:
            yield _node(code, given, clues)


def _node(code: str, traits: Sequence[_Trait], clues: CauseClues) -> Difference:
    """Return the node for the pass *code*."""
    findings = reduced(
        finding
        for member, seen in traits
        for finding in explain(seen, f"member {member}" if member else "archive", clues)
    )
    values = [(member or "archive", _text(seen.left), _text(seen.right)) for member, seen in traits]
    members = len({member for member, _ in traits if member})
    summary = "not the same" + (f" in {members} member{'s' * (members != 1)}" if members else "")
    return Difference(by_code(code).name, NodeKind.CONTAINER, summary, shown(values), findings, (code,))


def shown(values: Sequence[tuple[str, str, str]]) -> tuple[str, ...]:
    """Return lines for the first of *values*: a name, and what it has on either side."""
    lines = [f"{name}: {left or '-'} | {right or '-'}" for name, left, right in values[:_SHOWN]]
    more = [f"... and {len(values) - _SHOWN:,} more"] if len(values) > _SHOWN else []
    return (*lines, *more)


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


# -- what the passes changed


def _changes(side: Opened) -> dict[str, dict[str, list[str]]]:
    """Return by code and member what the passes changed in the container."""
    found: dict[str, dict[str, list[str]]] = {}
    for change in side.changes:
        # The passes report every member that moves; one place shows as much.
        if change.code[0] not in _OF_CONTENTS and change.code not in _ORDERS:
            key = side.key(change.member) if change.member else ""
            found.setdefault(change.code, {}).setdefault(key, []).append(change.detail)
    return found


def _details(
    code: str, left: Mapping[str, list[str]], right: Mapping[str, list[str]], one: Opened, other: Opened
) -> Iterator[_Trait]:
    """Give what the passes report otherwise of the two sides."""
    for key in dict.fromkeys([*left, *right]):
        details = left.get(key, []), right.get(key, [])
        # Both deviate alike from the canonical form: no difference of the two.
        if sorted(details[0]) == sorted(details[1]):
            continue
        if key and code not in _OF_DIRECTORIES and not (key in one.files and key in other.files):
            continue
        alone = [sorted(text for text in mine if text not in others) for mine, others in (details, details[::-1])]
        if code in _VALUES:
            # The values were compared themselves; what is left is how the headers write them.
            alone = [[text for text in texts if " -> " not in text] for texts in alone]
        packed = [side.files[key].packed for side in (one, other) if key in side.files]
        packed_alike = len({each.deflated for each in packed if each is not None}) < 2
        name = one.files[key].name if key in one.files else key
        for nature in _natures(code, [*alone[0], *alone[1]], packed_alike):
            # Of gzip's header each part is for itself; all else in one header has one reason.
            parts = [[text for text in texts if code != "G001" or _of_gzip(text) is nature] for texts in alone]
            values = _bytes("; ".join(parts[0])), _bytes("; ".join(parts[1]))
            if code == "Z004":
                yield _Trait(name, _lone_directory(key, values, one.kind))
            else:
                yield _Trait(name, OfNature(nature, *values) if nature else MemberTime(*values))


def _lone_directory(key: str, values: tuple[bytes, bytes], kind: ArtifactKind) -> Observation:
    """Return a directory entry of a wheel that one side has: a repair's own, or what tools write as they like."""
    directory = f"{key.rstrip('/')}/"
    return LoneMember(*values, directory, kind) if is_member(directory) else OfNature(Nature.ARCHIVE_HEADER, *values)


def _natures(code: str, details: Sequence[str], packed_alike: bool) -> Iterable[Nature | None]:
    """Return what *details* are about; None for a member's time."""
    if code == "G001":
        return dict.fromkeys(map(_of_gzip, details))
    if code == "Z005" and not packed_alike and all(detail.startswith("version needed") for detail in details):
        return [Nature.COMPRESSION]  # What is stored needs no inflating.
    if code == "T008" and any(map(_is_of_fraction, details)):
        # Readers report other deviations only where there is none of these, so what else there is may be due to it.
        is_time = all(detail.startswith("written in another way: ") or _is_of_fraction(detail) for detail in details)
        return [None if is_time else Nature.ARCHIVE_HEADER]
    return [Nature.ARCHIVE_HEADER] if details else []


def _of_gzip(detail: str) -> Nature:
    if detail.startswith("gzip header: time "):
        return Nature.GZIP_TIME
    is_effort = detail.startswith("gzip header: compression effort ")
    return Nature.COMPRESSION if is_effort else Nature.ARCHIVE_HEADER


def _is_of_fraction(detail: str) -> bool:
    """Return whether a header deviates only because it holds the fraction of a second of a time."""
    return set(detail.split("; ")) == {"PAX header: mtime", "fraction of a second"}


# -- values


_Pairs = Sequence[tuple[Entry, Entry]]


def _compared(left: Opened, right: Opened, common: _Pairs) -> dict[str, list[_Trait]]:
    """Return by code what differs in values that both sides have."""
    if left.kind.container is not Container.ZIP:
        owners = (
            _Trait(one.name, OfNature(Nature.MEMBER_OWNER, _owner(one), _owner(other)))
            for one, other in common
            if one.owner != other.owner
        )
        return {
            "T002": list(_times(common, False)),
            "T003": list(_modes(left, right)),
            "T004": list(owners),
        }
    return {
        "Z002": list(_times(common, True)),
        "Z003": list(_modes(left, right)),
        "Z006": list(_extra_fields(left, right, common)),
        "Z007": list(_comments(left, right, common)),
    }


def _times(common: _Pairs, is_local: bool) -> Iterator[_Trait]:
    """Give other times; *is_local* says that the format keeps them without a time zone, as ZIP does (APPNOTE 4.4.6)."""
    differing = [(one, other) for one, other in common if one.mtime != other.mtime]
    shifts = Counter(one.mtime - other.mtime for one, other in differing)
    usual, number = shifts.most_common(1)[0] if shifts else (0.0, 0)
    # Of one member alone, any whole hour would look like a zone; those that are written anew differ by more.
    is_shifted = is_local and number > 1 and number * 2 > len(common)
    for one, other in differing:
        shift = usual if is_shifted and one.mtime - other.mtime == usual else 0.0
        yield _Trait(one.name, MemberTime(moment(one.mtime).encode(), moment(other.mtime).encode(), shift))


def moment(seconds: float) -> str:
    """Return a time in UTC as people read it."""
    # Not int(), which rounds times before 1970 the other way.
    whole = math.floor(seconds)
    try:
        text = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(whole))
    # gmtime(3) fails for years that its platform does not know; PAX times may be anything.
    except (OverflowError, ValueError, OSError):
        return f"{seconds:g} s"
    return text if whole == seconds else text + f"{seconds - whole:.9f}".rstrip("0")[1:]


def _modes(left: Opened, right: Opened) -> Iterator[_Trait]:
    """Give other permission bits, where neither who may execute it nor a planted bit is at stake."""
    strange = planted(left), planted(right)
    for key, one in left.files.items():
        other = right.files.get(key, one)
        # The modes of links mean nothing (symlink(7)).
        if one.mode == other.mode or one.kind is not other.kind or one.kind is EntryKind.SYMLINK:
            continue
        if executable(one, left.kind) == executable(other, right.kind) and strange[0].get(key) == strange[1].get(key):
            yield _Trait(one.name, OfNature(Nature.MEMBER_MODE, b"%04o" % one.mode, b"%04o" % other.mode))


def planted(side: Opened) -> dict[str, int]:
    """Return, by key, the permission bits of files that no umask and no ordinary build gives.

    Those are setuid, setgid, sticky, and that everybody may write, unless all files but RECORD are so: then it was the
    umask, or a system without permissions.
    """
    files = {key: entry for key, entry in side.files.items() if entry.kind is EntryKind.FILE}
    plain = [entry for key, entry in files.items() if not key.endswith(".dist-info/RECORD")]
    # Of a single file nobody can say whether it was the umask.
    umask_zero = len(plain) > 1 and all(entry.mode & WORLD_WRITABLE for entry in plain)
    watched = PLANTED_ALWAYS | (0 if umask_zero else WORLD_WRITABLE)
    return {key: entry.mode & watched for key, entry in files.items() if entry.mode & watched}


_TRANSLATED = frozenset({0, 6, 11})
"""FAT, HPFS and NTFS (APPNOTE 4.4.2.2): unzip takes names from there for ones in a DOS code page, UTF-8 or not."""


def disputed(side: Opened) -> dict[str, tuple[int, int]]:
    """Return, by key, the files of a wheel that not all readers take alike: mode, if it matters, and what made them.

    pip makes executable what a mode marks as a regular file, whatever made it; uv goes by the bits alone; unzip and
    bsdtar do too, but where Unix made it only. Scripts are executable wherever they are installed. unzip translates
    names that some systems made.
    """
    found = {}
    for key, entry in side.files.items():
        header = side.headers.get(entry.name)
        if header is None:
            continue
        mode, system = header.external >> 16, header.made_by >> 8
        runs = mode & 0o111 and not is_script(entry.name) and not (stat.S_ISREG(mode) and system == UNIX)
        if runs or (system in _TRANSLATED and not entry.name.isascii()):
            found[key] = (mode if runs else 0, header.made_by)
    return found


def _owner(entry: Entry) -> bytes:
    owner = entry.owner
    return _bytes(f"{owner.uid}:{owner.gid} ({owner.uname}:{owner.gname})")


def _extra_fields(left: Opened, right: Opened, common: _Pairs) -> Iterator[_Trait]:
    """Give extra fields of one kind with other contents; that one side lacks them is reported by the passes."""
    for one, other in common:
        headers = left.headers.get(one.name), right.headers.get(other.name)
        if headers[0] is None or headers[1] is None:
            continue
        fields, others = headers[0].extra, headers[1].extra
        if fields == others or [kind for kind, _ in fields] != [kind for kind, _ in others]:
            continue
        changed = {kind for (kind, a), (_, b) in zip(fields, others) if a != b}
        texts = [" ".join(data.hex() for _, data in extra).encode() for extra in (fields, others)]
        nature = Nature.MEMBER_OWNER if changed <= _EXTRA_OWNERS else Nature.ARCHIVE_HEADER
        is_time = changed <= _EXTRA_TIMES
        yield _Trait(one.name, MemberTime(texts[0], texts[1]) if is_time else OfNature(nature, *texts))


def _comments(left: Opened, right: Opened, common: _Pairs) -> Iterator[_Trait]:
    comments = [("", left.comment, right.comment)]
    for one, other in common:
        headers = left.headers.get(one.name), right.headers.get(other.name)
        if headers[0] is not None and headers[1] is not None:
            comments.append((one.name, headers[0].comment, headers[1].comment))
    for name, mine, others in comments:
        if mine != others:
            yield _Trait(name, OfNature(Nature.ARCHIVE_HEADER, ascii(mine).encode(), ascii(others).encode()))


def _order(left: Opened, right: Opened) -> Iterator[_Trait]:
    """Give the first place at which members that both sides have are in another order."""
    names = [{side.key(entry.name): entry.name for entry in side.archive.entries} for side in (left, right)]
    sides = [[key for key in mine if key in others] for mine, others in (names, names[::-1])]
    place = next((number for number, (one, other) in enumerate(zip(*sides)) if one != other), None)
    if place is not None:
        one, other = (_bytes(f"{place + 1}: {found[keys[place]]}") for found, keys in zip(names, sides))
        # Tools that change a wheel write RECORD anew, and put it where they like.
        plain = [[key for key in side if not key.endswith(".dist-info/RECORD")] for side in sides]
        is_record = plain[0] == plain[1]
        moved = OfNature(Nature.ARCHIVE_HEADER, one, other)
        yield _Trait("", moved if is_record else Reordered(one, other, is_listing=True))


def _packing(entry: Entry) -> bytes:
    if entry.packed is None:
        return b""
    how = "deflated" if entry.packed.deflated else "stored"
    return f"{how}, {entry.packed.size} bytes, CRC-32 {entry.packed.crc():08x}".encode()


# -- what is left when all members are compared: how an sdist is compressed, and what no rule sees


def compare_streams(
    left: Path, right: Path, kind: ArtifactKind, known: Sequence[Difference], clues: CauseClues
) -> Iterator[Difference]:
    """Give the nodes for what differs in two files beside the differences *known*, which are not the same bytes.

    :raises ArchiveError: if a file cannot be read.
    """
    if kind.container is Container.ZIP:
        if not known:
            seen = OfNature(Nature.ARCHIVE_HEADER, b"the bytes differ", b"and no rule says why")
            yield _node("Z099", [_Trait("", seen)], clues)
        return
    # G001 is about gzip's header, which compression does not depend on.
    if any(code != "G001" for each in known for code in each.passes or ("",)):
        return  # What differs in the tar is compressed to other bytes by any compressor.
    streams, tars = [], []
    for path in (left, right):
        state = hashlib.sha256()
        sink: Any = SimpleNamespace(write=state.update)  # The tar is only digested.
        with path.open("rb") as source:
            found = gunzip(source, sink, path.name, source_size=path.stat().st_size)
        streams.append(f"{found.packed_size} bytes, CRC-32 {found.packed_crc:08x}".encode())
        tars.append(state.digest())
    if tars[0] != tars[1]:
        if not known:
            seen = OfNature(Nature.ARCHIVE_HEADER, b"the tar's bytes differ", b"and no rule says why")
            yield _node("T099", [_Trait("", seen)], clues)
    elif streams[0] != streams[1]:
        yield _node("G002", [_Trait("", OfNature(Nature.COMPRESSION, *streams))], clues)
