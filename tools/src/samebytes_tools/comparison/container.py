"""The container: what the normalizer's passes find different in the two archives themselves, one node for a code."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from samebytes.archive.entry import Entry
from samebytes.archive.entry import Kind as Nature
from samebytes.archive.zip_layout import CentralHeader
from samebytes.passes import by_code
from samebytes.passes.container import executable

from .causes.dates import is_zone_shift
from .contents import Pair
from .formats.text import reduced
from .model import EXCERPT, Difference, Evidence, Finding, Kind, World
from .opened import Opened

__all__ = ["deviations", "node", "order", "planted", "repacked"]

PLANTED_ALWAYS = 0o7000
"""setuid, setgid and sticky: no umask gives these."""

WORLD_WRITABLE = 0o002

_SHOWN = 20
_OF_CONTENTS = frozenset("WSPC")
_ORDERS = frozenset({"Z001", "T001"})
_TIMES, _MODES = frozenset({"Z002", "T002"}), frozenset({"Z003", "T003"})
_EXTRA_TIMES, _EXTRA_OWNERS = frozenset({0x000A, 0x5455, 0x5855}), frozenset({0x7855, 0x7875})


class _Trait(NamedTuple):
    """One thing in which the containers differ."""

    member: str
    """Empty for the archive itself."""
    left: str
    right: str
    cause: str


def deviations(left: Opened, right: Opened, worlds: tuple[World, World]) -> Iterator[Difference]:
    """Give a node for each code under which the passes find other things on the two sides, order and compression aside.

    Changes of members that only one side has are none of these: the member itself is what differs.
    """
    found = _changes(left), _changes(right)
    common = [key for key in left.files if key in right.files]
    is_wheel = left.kind == "wheel"
    traits: dict[str, list[_Trait]] = {
        "Z002" if is_wheel else "T002": list(_times(left, right, common, worlds)),
        "Z003" if is_wheel else "T003": list(_modes(left, right, common)),
        "Z006": list(_extra_fields(left, right, common)),
        "Z007": list(_comments(left, right, common)),
    }
    if not is_wheel:
        traits["T004"] = list(_owners(left, right, common))
    for code in sorted({*found[0], *found[1], *traits}):
        given = traits.get(code) or list(_details(code, found[0].get(code, {}), found[1].get(code, {}), left, right))
        if given:
            yield node(code, given)


def node(code: str, traits: Sequence[_Trait]) -> Difference:
    """Return the node for the pass *code*."""
    findings = reduced(
        Finding(trait.cause, Evidence(_where(trait), trait.left.encode()[:EXCERPT], trait.right.encode()[:EXCERPT]))
        for trait in traits
    )
    detail = [f"{trait.member or 'archive'}: {trait.left or '-'} | {trait.right or '-'}" for trait in traits[:_SHOWN]]
    if len(traits) > _SHOWN:
        detail.append(f"... and {len(traits) - _SHOWN} more")
    one = by_code(code)
    members = len({trait.member for trait in traits if trait.member})
    summary = "not the same" + (f" in {members} member{'s' * (members != 1)}" if members else "")
    return Difference(one.name, Kind.CONTAINER, summary, tuple(detail), findings, (code,))


def trait(member: str, left: str, right: str, cause: str) -> _Trait:
    """Return one thing in which the containers differ, of *member* or of the archive itself."""
    return _Trait(member, left, right, cause)


def _where(trait: _Trait) -> str:
    return f"member {trait.member}" if trait.member else "archive"


# -- what the passes changed


def _changes(side: Opened) -> dict[str, dict[str, list[str]]]:
    """Return by code and member what the passes changed in the container."""
    found: dict[str, dict[str, list[str]]] = {}
    for change in side.changes:
        if change.code[0] not in _OF_CONTENTS and change.code not in _ORDERS:
            key = side.key(change.member) if change.member else ""
            found.setdefault(change.code, {}).setdefault(key, []).append(change.detail)
    return found


def _details(
    code: str, left: dict[str, list[str]], right: dict[str, list[str]], one: Opened, other: Opened
) -> Iterator[_Trait]:
    """Give what the passes say otherwise of the two sides."""
    for key in dict.fromkeys([*left, *right]):
        details = sorted(left.get(key, [])), sorted(right.get(key, []))
        if details[0] == details[1] or not _is_shared(key, code, one, other):
            continue
        told = [[text for text in details[side] if text not in details[1 - side]] for side in (0, 1)]
        if code in _TIMES | _MODES | {"T004"}:
            # The values were compared themselves; what is left is how the headers write them.
            told = [[text for text in texts if " -> " not in text] for texts in told]
        name = one.files[key].name if key in one.files else key
        alike = _is_packed_alike(key, one, other)
        for cause, texts in _by_cause(code, told, alike).items():
            yield _Trait(name, "; ".join(texts[0]), "; ".join(texts[1]), cause)


def _by_cause(code: str, told: list[list[str]], packed_alike: bool) -> dict[str, tuple[list[str], list[str]]]:
    """Return details of both sides by the cause that they have; all of one header's have one, but for gzip's."""
    found: dict[str, tuple[list[str], list[str]]] = {}
    for side in (0, 1):
        for text in told[side]:
            cause = _cause_of(code, [text] if code == "G001" else [*told[0], *told[1]], packed_alike)
            found.setdefault(cause, ([], []))[side].append(text)
    return found


def _is_packed_alike(key: str, left: Opened, right: Opened) -> bool:
    """Tell whether a member is compressed on both sides, or on none."""
    sides = [side.files[key].packed for side in (left, right) if key in side.files]
    return len({packed.deflated for packed in sides if packed is not None}) < 2


def _is_shared(key: str, code: str, left: Opened, right: Opened) -> bool:
    """Tell whether a change is not of a member that only one side has; directories are the code's own matter."""
    return not key or code in {"Z004", "T005", "T006"} or (key in left.files and key in right.files)


def _cause_of(code: str, details: Sequence[str], packed_alike: bool) -> str:
    if code == "Z005" and not packed_alike and all(detail.startswith("version needed") for detail in details):
        return "D013"  # What is stored needs no inflating.
    if code == "G001" and all(detail.startswith("gzip header: time ") for detail in details):
        return "D005"
    if code == "G001" and all(detail.startswith("gzip header: compression effort ") for detail in details):
        return "D013"
    if code == "T008" and any(map(_is_of_fraction, details)) and all(map(_is_of_time, details)):
        return "D011"
    return "D019"


def _is_of_fraction(detail: str) -> bool:
    """Tell whether a header is odd only because it holds the fraction of a second of a time."""
    return set(detail.split("; ")) == {"PAX header: mtime", "fraction of a second"}


def _is_of_time(detail: str) -> bool:
    """Tell whether a header may be odd for that alone: readers name other deviations only where there is no such."""
    return _is_of_fraction(detail) or detail.startswith("written in another way: ")


# -- values


def _times(left: Opened, right: Opened, common: Iterable[str], worlds: tuple[World, World]) -> Iterator[_Trait]:
    pairs = [(left.files[key], right.files[key]) for key in common]
    differing = [(one, other) for one, other in pairs if one.mtime != other.mtime]
    shifts = {one.mtime - other.mtime for one, other in differing}
    zones = worlds[0].timezone, worlds[1].timezone
    known_alike = bool(zones[0]) and zones[0] == zones[1]
    by_zone = (
        left.kind == "wheel"
        and len(shifts) == 1
        and len(differing) == len(pairs) > 1
        and not known_alike
        and is_zone_shift(next(iter(shifts)))
    )
    for one, other in differing:
        yield _Trait(one.name, _moment(one.mtime), _moment(other.mtime), "D007" if by_zone else "D011")


def _moment(seconds: float) -> str:
    whole = math.floor(seconds)
    try:
        text = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(whole))
    except (OverflowError, ValueError, OSError):
        return f"{seconds:g} s"
    return text if whole == seconds else text + f"{seconds - whole:.9f}".rstrip("0")[1:]


def _modes(left: Opened, right: Opened, common: Iterable[str]) -> Iterator[_Trait]:
    """Give other permission bits, where neither who may execute it nor a planted bit is at stake."""
    strange = planted(left), planted(right)
    for key in common:
        one, other = left.files[key], right.files[key]
        if one.mode == other.mode or one.kind is not other.kind or one.kind is Nature.SYMLINK:
            continue
        if executable(one, left.kind) != executable(other, right.kind) or strange[0].get(key) != strange[1].get(key):
            continue
        yield _Trait(one.name, f"{one.mode:04o}", f"{other.mode:04o}", "D010")


def planted(side: Opened) -> dict[str, int]:
    """Return, by key, the permission bits of files that no umask and no ordinary build gives.

    Those are setuid, setgid, sticky, and that everybody may write, unless all files but RECORD are so: then it was the
    umask, or a system without permissions.
    """
    files = {key: entry for key, entry in side.files.items() if entry.kind is Nature.FILE}
    plain = [entry for key, entry in files.items() if not key.endswith(".dist-info/RECORD")]
    umask_zero = len(plain) > 1 and all(entry.mode & WORLD_WRITABLE for entry in plain)
    watched = PLANTED_ALWAYS | (0 if umask_zero else WORLD_WRITABLE)
    return {key: entry.mode & watched for key, entry in files.items() if entry.mode & watched}


def _owners(left: Opened, right: Opened, common: Iterable[str]) -> Iterator[_Trait]:
    for key in common:
        one, other = left.files[key], right.files[key]
        if one.owner != other.owner:
            yield _Trait(one.name, _owner(one), _owner(other), "D012")


def _owner(entry: Entry) -> str:
    owner = entry.owner
    return f"{owner.uid}:{owner.gid} ({owner.uname}:{owner.gname})"


def _extra_fields(left: Opened, right: Opened, common: Iterable[str]) -> Iterator[_Trait]:
    """Give extra fields of one kind with other contents; that one side lacks them is told by the passes."""
    for key in common:
        one, other = left.headers.get(left.files[key].name), right.headers.get(right.files[key].name)
        if one is None or other is None or one.extra == other.extra:
            continue
        kinds = [identifier for identifier, _ in one.extra]
        if kinds == [identifier for identifier, _ in other.extra]:
            changed = {kind for (kind, a), (_, b) in zip(one.extra, other.extra) if a != b}
            cause = "D011" if changed <= _EXTRA_TIMES else "D012" if changed <= _EXTRA_OWNERS else "D019"
            yield _Trait(left.files[key].name, _hex(one), _hex(other), cause)


def _hex(header: CentralHeader) -> str:
    return " ".join(data.hex() for _, data in header.extra)


def _comments(left: Opened, right: Opened, common: Iterable[str]) -> Iterator[_Trait]:
    if left.comment != right.comment:
        yield _Trait("", ascii(left.comment), ascii(right.comment), "D019")
    for key in common:
        one, other = left.headers.get(left.files[key].name), right.headers.get(right.files[key].name)
        if one is not None and other is not None and one.comment != other.comment:
            yield _Trait(left.files[key].name, ascii(one.comment), ascii(other.comment), "D019")


# -- order and compression, which need both sides


def order(left: Opened, right: Opened) -> Difference | None:
    """Return the node for members that both sides have, in another order, or None."""
    names = [{side.key(entry.name): entry.name for entry in side.archive.entries} for side in (left, right)]
    sides = [[key for key in mine if key in others] for mine, others in (names, names[::-1])]
    place = next((number for number, (one, other) in enumerate(zip(*sides)) if one != other), None)
    if place is None:
        return None
    code = "Z001" if left.kind == "wheel" else "T001"
    first = [f"{place + 1}: {found[keys[place]]}" for found, keys in zip(names, sides)]
    return node(code, [_Trait("", first[0], first[1], "D009")])


def repacked(pairs: Iterable[Pair]) -> Difference | None:
    """Return the node for equal contents that are compressed otherwise, or None."""
    traits = [
        _Trait(pair.left.name, _packing(pair.left), _packing(pair.right), "D013") for pair in pairs if pair.repacked
    ]
    return node("Z010", traits) if traits else None


def _packing(entry: Entry) -> str:
    if entry.packed is None:
        return ""
    how = "deflated" if entry.packed.deflated else "stored"
    return f"{how}, {entry.packed.size} bytes, CRC-32 {entry.packed.crc():08x}"
