"""Mach-O files of macOS, by their slices, load commands, sections, symbols, debug map and code signature.

What follows from something else has no cause of its own: the linker's UUID, which is a digest, the hashes in a code
signature, addresses, and the sizes of all that.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import zip_longest
from typing import NamedTuple

from samebytes.archive.entry import Content
from samebytes.errors import HostileArchiveError

from ..causes.cause import CauseClues
from ..causes.table import TOOLCHAIN, UNKNOWN, codes, explain, explained
from ..excerpts import shared
from ..members import MemberPair, only_on
from ..model import Difference, Finding, NodeKind
from ..nearby import stream_of
from ..observations import Libraries, Nature, OfNature, SearchPaths, TextPair, Unexplained, on_side
from . import strings
from .arm64 import first_unlike
from .elf_moved import LARGEST_MOVED, Mover, SectionPlace
from .macho_image import MAGICS, Command, Image, NotMachOError, Section, Symbol, Universal, read

__all__ = ["compare", "look"]

LARGEST = 1 << 30
"""Bytes of a file that is looked at by its parts; it is put into a temporary file for that."""

_MOST = 100
_MOST_DARK = 4
"""So many parts that nothing explains get a node each, where other compilers made them."""

_OBJECT_FILE = 0x66
"""The type of the stab that names an object file, with its modification time as the value (N_OSO)."""

_SYSTEM = (b"/usr/lib/", b"/System/")
"""Libraries whose versions are those that the SDK has of them."""

_NO_DATE = 2
"""The largest of the dates that linkers write of a library instead of one."""

_LOADED = re.compile(r"LC_(?!ID_)\w+_DYLIB")
_SAID = re.compile(r"LC_UUID|LC_RPATH|LC_BUILD_VERSION|LC_VERSION_MIN_MACOSX|LC_\w+_DYLIB")
"""Commands that are looked into, each by a function here."""


class _Dylib(NamedTuple):
    """Source: ``struct dylib_command``."""

    command: str
    path: bytes
    versions: tuple[int, int]
    """Current and compatibility version."""
    date: int
    """In seconds, where today's linkers write 0, 1 or 2."""


class _Version(NamedTuple):
    """For which systems a file is, and what made it; source: ``struct build_version_command``."""

    target: bytes
    """The platform and the oldest release that it is for."""
    made_by: bytes
    """The SDK and the tools."""


class _Identity(NamedTuple):
    """What a code signature says by itself, beside the hashes of what is signed."""

    name: bytes
    facts: tuple[object, ...]


def look(member: MemberPair) -> Difference | None:
    """Return how two Mach-O files differ; None where :func:`compare` gives none, or one is not Mach-O at all."""
    # By content; a thin file and a universal one begin with unlike bytes.
    heads = {next(content.chunks(), b"")[:4] for content in (member.left, member.right)}
    return compare(member.name, member.left, member.right, member.clues) if heads <= MAGICS else None


def compare(name: str, left: Content, right: Content, clues: CauseClues) -> Difference | None:
    """Return how two Mach-O files differ, or None if one of them cannot be read as one, or no part differs.

    :raises ArchiveError: if contents cannot be read.
    """
    if max(left.size, right.size) > LARGEST:
        return None
    with ExitStack() as stack:
        try:
            one, other = (read(stream_of(name, content, stack), clues.allowance) for content in (left, right))
        # Not errors: the member is compared by its texts then.
        except (NotMachOError, HostileArchiveError):
            return None
    children = tuple(_universal(one, other, clues))
    if not children:
        return None
    shown = ", ".join(child.name for child in children[:6]) + (" ..." if len(children) > 6 else "")
    return Difference(name, NodeKind.MACHO, f"parts differ: {shown}", children=children[:_MOST])


def _universal(left: Universal, right: Universal, clues: CauseClues) -> Iterator[Difference]:
    if not left.is_universal and not right.is_universal and left.images.keys() == right.images.keys():
        (one,), (other,) = left.images.values(), right.images.values()
        yield from _together(list(_Pair(one, other, clues).differences()))
        return
    for name in dict.fromkeys((*left.images, *right.images)):
        if name not in left.images or name not in right.images:
            is_left = name in left.images
            seen = Unexplained(*on_side(name.encode(), is_left))
            yield only_on(is_left, f"slice {name}", explain(seen, "slices", clues))
            continue
        children = _together(list(_Pair(left.images[name], right.images[name], clues).differences()))
        if children:
            yield Difference(f"slice {name}", NodeKind.MACHO, "parts differ", children=children[:_MOST])
    if left.images.keys() == right.images.keys() and left.facts != right.facts:
        yield _facts("slices", "other alignments or order", left.facts, right.facts, clues)


def _together(nodes: Sequence[Difference]) -> tuple[Difference, ...]:
    """Return *nodes* with one for all that nothing explains, where other compilers made the files: they differ anyhow.

    That the compilers are the only reason is not known, so it stays unknown.
    """
    found = [(node, {finding.code for finding in node.findings}) for node in nodes]
    made_by_others = any(node.name == "LC_BUILD_VERSION" and TOOLCHAIN in causes for node, causes in found)
    dark = [node for node, causes in found if causes == {UNKNOWN}]
    if not made_by_others or len(dark) < _MOST_DARK:
        return tuple(nodes)
    names = ", ".join(node.name for node in dark)
    summary = f"{len(dark)} sections by other compilers, which make other code of the same source, too"
    one = Difference("other sections", dark[0].kind, summary, (names,), dark[0].findings)
    return (*(node for node in nodes if node not in dark), one)


class _Pair:
    """Two images of one machine."""

    def __init__(self, left: Image, right: Image, clues: CauseClues) -> None:
        self._sides = left, right
        self._clues = clues
        self._mover = _mover(left, right, clues)

    def differences(self) -> Iterator[Difference]:
        """Give all that differs; what is a digest of the rest comes last."""
        found = [*self._commands(), *self._sections(), *self._symbols(), *self._tables()]
        left, right = self._sides
        for name, summary, one, other in (
            ("headers", "other kinds, flags or rights", left.facts, right.facts),
            ("layout", "other places of the same contents", *self._layouts(bool(found))),
        ):
            if one != other:
                found.append(_facts(name, summary, one, other, self._clues))
        if left.rest != right.rest:
            # The last 32 bytes are a digest.
            seen, where = Unexplained(left.rest[:-32], right.rest[:-32]), "what no header leads to"
            found.append(explained("other bytes", NodeKind.MACHO, where, seen, where, self._clues))
        found += self._uuid(bool(found))
        yield from found
        if left.signature != right.signature:
            yield _signature(left.signature, right.signature, bool(found), self._clues)

    def _layouts(self, has_other: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the layouts, but nothing where they follow from what has other sizes."""
        left, right = self._sides
        sizes = [[(name, section.size) for name, section in side.sections.items()] for side in self._sides]
        moved = sizes[0] != sizes[1] or left.commands_size != right.commands_size
        return ((), ()) if has_other and moved else (left.layout, right.layout)

    # -- load commands

    def _commands(self) -> Iterator[Difference]:
        clues = self._clues
        versions = [_versions(side.commands, side.order) for side in self._sides]
        if versions[0] != versions[1]:
            yield _other_versions(versions[0], versions[1], clues)
        paths = [[_rpath(each, side.order) for each in _called("LC_RPATH", side)] for side in self._sides]
        if paths[0] != paths[1]:
            yield _search_paths(paths[0], paths[1], clues)
        own, loaded = ([_dylibs(side, is_own) for side in self._sides] for is_own in (True, False))
        if own[0] != own[1]:
            yield _install_names(own[0], own[1], clues)
        if loaded[0] != loaded[1]:
            yield _libraries(loaded[0], loaded[1], clues)
        rest = [[each for each in side.commands if not _SAID.fullmatch(each.name)] for side in self._sides]
        for name in dict.fromkeys(each.name for each in (*rest[0], *rest[1])):
            one, other = (b"".join(each.value for each in side if each.name == name) for side in rest)
            if one != other:
                yield explained(name, NodeKind.MACHO, "says something else", Unexplained(one, other), name, clues)

    def _uuid(self, follows: bool) -> Iterator[Difference]:
        one, other = (b"".join(each.value for each in _called("LC_UUID", side)) for side in self._sides)
        if one == other:
            return
        detail = (f"-{one.hex()}", f"+{other.hex()}")
        if follows:
            yield Difference("LC_UUID", NodeKind.MACHO, "follows from other parts", detail)
            return
        # On one side only, somebody asked for none (-no_uuid).
        seen = OfNature(Nature.BUILD_ID, one, other) if one and other else Unexplained(one, other)
        yield explained(
            "LC_UUID", NodeKind.MACHO, "another id of the same contents", seen, "LC_UUID", self._clues, detail=detail
        )

    # -- contents

    def _sections(self) -> Iterator[Difference]:
        one, other = (side.sections for side in self._sides)
        for name in dict.fromkeys((*one, *other)):
            if name not in one or name not in other:
                seen = Unexplained(*on_side(name.encode(), name in one))
                yield only_on(name in one, name, explain(seen, "sections", self._clues))
            elif one[name].digest != other[name].digest or one[name].size != other[name].size:
                yield self._looked_into(name, one[name], other[name])

    def _looked_into(self, name: str, left: Section, right: Section) -> Difference:
        """Return the node of a section that both have: what is explained by others, then by its texts, or nothing."""
        at: int | None = 0
        if self._mover is not None and left.data and right.data:
            at = self._mover.unexplained(name)
            if at is not None and left.is_code and left.size == right.size and self._sides[0].machine[:5] == "arm64":
                at = first_unlike(*self._mover.pairs[name], self._mover.is_one_number)
            if at is None:
                return Difference(name, NodeKind.MACHO, "follows from other sections: addresses and offsets in it")
        # What looks like a text in instructions is none.
        is_held = all(len(side.data) == side.size for side in (left, right))
        node = self._by_texts(name, left, right) if is_held and not left.is_code else None
        return node or _opaque(name, left, right, at or 0, self._clues)

    def _by_texts(self, name: str, left: Section, right: Section) -> Difference | None:
        one, other = strings.of(left.data), strings.of(right.data)
        is_location = name.startswith("__DWARF,")
        found = strings.compare_lists(name, one, other, f"section {name}", self._clues, is_location=is_location)
        if found is None or all(finding.code == UNKNOWN for finding in found.findings):
            return None
        rest = strings.beside(left.data), strings.beside(right.data)
        more: tuple[Finding, ...] = ()
        moves = self._mover is not None and self._mover.is_explained_beside_texts(name)
        if (rest[0] != rest[1] and not moves) or strings.MOST in (len(one), len(other)):
            at = shared(*rest)
            seen = Unexplained(rest[0][at : at + 64], rest[1][at : at + 64])
            more = explain(seen, f"section {name}, beside its texts", self._clues)
        return Difference(name, NodeKind.MACHO, found.summary, found.detail, found.findings + more)

    def _tables(self) -> Iterator[Difference]:
        one, other = (side.tables for side in self._sides)
        for name in dict.fromkeys((*one, *other)):
            if name not in one or name not in other:
                seen = Unexplained(*on_side(name.encode(), name in one))
                yield only_on(name in one, name, explain(seen, "tables", self._clues))
            elif one[name].digest != other[name].digest:
                yield self._table(name, one[name], other[name])

    def _table(self, name: str, left: Section, right: Section) -> Difference:
        if name == "function starts":
            # One by one: as numbers they take thirty times their bytes.
            starts = zip_longest(*(_function_starts(side.data) for side in (left, right)), fillvalue=-1)
            is_held = bool(left.data and right.data)
            if is_held and all(-1 not in pair and self._is_one(*pair) for pair in starts):
                return Difference(name, NodeKind.MACHO, "follows from other sections: addresses")
        return _opaque(name, left, right, 0, self._clues)

    # -- symbols

    def _symbols(self) -> Iterator[Difference]:
        one, other = ([each for each in side.symbols if not each.is_stab] for side in self._sides)
        if one != other:
            yield self._other_symbols("symbols", one, other)
        elif self._sides[0].indirect != self._sides[1].indirect:
            seen = Unexplained(*(b"; ".join(side.indirect) for side in self._sides))
            yield explained(
                "indirect symbols", NodeKind.MACHO, "other symbols for stubs and pointers", seen, "", self._clues
            )
        one, other = ([each for each in side.symbols if each.is_stab] for side in self._sides)
        if one != other:
            yield self._debug_map(one, other)

    def _other_symbols(self, name: str, one: Sequence[Symbol], other: Sequence[Symbol]) -> Difference:
        """Return the node of symbols that differ: in nothing but addresses that moved, in their names, or in all."""
        if self._are_moved(one, other):
            return Difference(name, NodeKind.MACHO, "follows from other sections: addresses")
        left, right = ([each.name for each in side] for side in (one, other))
        found = strings.compare_lists(name, left, right, name, self._clues, is_location=True)
        if found is not None:
            return found
        sides = zip(*((a, b) for a, b in zip(one, other) if a != b))
        seen = Unexplained(*(b"; ".join(b"%s %x" % (each.name, each.value) for each in side) for side in sides))
        return explained(name, NodeKind.MACHO, "other addresses, kinds or order", seen, name, self._clues)

    def _are_moved(self, one: Sequence[Symbol], other: Sequence[Symbol]) -> bool:
        return len(one) == len(other) and all(
            a == b or (a._replace(value=b.value) == b and self._is_one(a.value, b.value)) for a, b in zip(one, other)
        )

    def _is_one(self, left: int, right: int) -> bool:
        return left == right or (self._mover is not None and self._mover.is_one_number(left, right))

    def _debug_map(self, one: Sequence[Symbol], other: Sequence[Symbol]) -> Difference:
        """Return the node of stabs, which name sources and object files, and say when the latter were written."""
        name, clues = "debug map", self._clues
        if not one or not other:
            seen = Unexplained(*on_side(next((each.name for each in (*one, *other) if each.name), b""), bool(one)))
            return only_on(bool(one), name, explain(seen, name, clues))
        times = [[each.value for each in side if each.kind == _OBJECT_FILE] for side in (one, other)]
        findings: tuple[Finding, ...] = ()
        if times[0] != times[1] and len(times[0]) == len(times[1]):
            a, b = next((a, b) for a, b in zip(*times) if a != b)
            seen_times = OfNature(Nature.MOMENT, b"%d" % a, b"%d" % b)
            findings = explain(seen_times, f"{name}, times of object files", clues)
            one, other = ([each._replace(value=0) if each.kind == _OBJECT_FILE else each for each in side]
                          for side in (one, other))  # fmt: skip
        if findings and self._are_moved(one, other):
            return Difference(name, NodeKind.MACHO, "other times of object files", findings=findings)
        node = self._other_symbols(name, one, other)
        more: tuple[Finding, ...] = ()
        unnamed = [[each._replace(name=b"") for each in side] for side in (one, other)]
        if node.kind is NodeKind.STRINGS and not self._are_moved(*unnamed):
            more = explain(Unexplained(b"%d" % len(one), b"%d" % len(other)), f"{name}, beside its names", clues)
        return Difference(name, NodeKind.MACHO, node.summary, node.detail, findings + node.findings + more)


# -- what load commands say


def _called(name: str, image: Image) -> list[Command]:
    return [each for each in image.commands if each.name == name]


def _word(image_order: str, value: bytes, at: int) -> int:
    return int.from_bytes(value[at : at + 4], "little" if image_order == "little" else "big")


def _path(order: str, value: bytes) -> bytes:
    """Return the text of a command that begins with its offset, which counts from the command's beginning."""
    at = max(0, _word(order, value, 0) - 8)
    return value[at:].split(b"\0", 1)[0]


def _rpath(command: Command, order: str) -> str:
    return _path(order, command.value).decode("utf-8", "replace")


def _dylibs(image: Image, is_own: bool) -> list[_Dylib]:
    found = []
    for name, value in image.commands:
        if _LOADED.fullmatch(name) if not is_own else name == "LC_ID_DYLIB":
            date, *versions = (_word(image.order, value, at) for at in (4, 8, 12))
            found.append(_Dylib(name, _path(image.order, value), (versions[0], versions[1]), date))
    return found


def _dotted(version: int) -> str:
    return f"{version >> 16}.{version >> 8 & 0xFF}.{version & 0xFF}"


def _versions(commands: Sequence[Command], order: str) -> list[_Version]:
    found = []
    for name, value in commands:
        words = [_word(order, value, at) for at in range(0, len(value), 4)]
        # An older command for the same, without the platform, which is macOS (1), and without tools.
        if name == "LC_VERSION_MIN_MACOSX" and len(words) >= 2:
            words = [1, *words[:2], 0]
        elif name != "LC_BUILD_VERSION" or len(words) < 4:
            continue
        platform, oldest, sdk, count, *tools = words
        made_by = [f"tool {tool} {_dotted(version)}" for tool, version in zip(tools[::2], tools[1::2])][:count]
        target = f"platform {platform}, {_dotted(oldest)} or newer"
        found.append(_Version(target.encode(), "; ".join([f"SDK {_dotted(sdk)}", *made_by]).encode()))
    return found


def _other_versions(left: Sequence[_Version], right: Sequence[_Version], clues: CauseClues) -> Difference:
    name = "LC_BUILD_VERSION"
    findings: tuple[Finding, ...] = ()
    for nature, field in ((Nature.DEPLOYMENT_TARGET, "target"), (Nature.COMPILER, "made_by")):
        one, other = (b"; ".join(getattr(each, field) for each in side) for side in (left, right))
        if one != other:
            seen = OfNature(nature, one, other) if one and other else Unexplained(one, other)
            findings += explain(seen, name, clues)
    return Difference(name, NodeKind.MACHO, "for other systems, or made by other tools", findings=findings)


def _search_paths(left: Sequence[str], right: Sequence[str], clues: CauseClues) -> Difference:
    name = "LC_RPATH"
    gone, come = [each for each in left if each not in right], [each for each in right if each not in left]
    if not gone and not come:
        seen: SearchPaths | Unexplained = Unexplained(_lines(left), _lines(right))  # in another order
    else:
        seen = SearchPaths(_lines(gone), _lines(come), (gone, come))
    return explained(name, NodeKind.MACHO, "other search paths", seen, name, clues)


def _lines(paths: Sequence[str]) -> bytes:
    return "; ".join(paths).encode()


def _install_names(left: Sequence[_Dylib], right: Sequence[_Dylib], clues: CauseClues) -> Difference:
    name = "LC_ID_DYLIB"
    findings: tuple[Finding, ...] = ()
    paths = [b"; ".join(each.path for each in side) for side in (left, right)]
    if paths[0] != paths[1]:
        findings = explain(TextPair(paths[0], paths[1], is_location=True), name, clues)
    findings += _rest_of_dylibs(left, right, name, clues)
    return Difference(name, NodeKind.MACHO, "another name or version of its own", findings=findings)


def _libraries(left: Sequence[_Dylib], right: Sequence[_Dylib], clues: CauseClues) -> Difference:
    name = "libraries"
    findings: tuple[Finding, ...] = ()
    paths = [[each.path.decode("utf-8", "replace") for each in side] for side in (left, right)]
    if paths[0] != paths[1]:
        gone, come = ([each for each in side if each not in other] for side, other in (paths, paths[::-1]))
        if gone or come:
            findings = explain(Libraries(_lines(gone), _lines(come), (gone, come)), name, clues)
        else:
            findings = explain(Unexplained(_lines(paths[0]), _lines(paths[1])), name, clues)
    findings += _rest_of_dylibs(left, right, name, clues)
    return Difference(name, NodeKind.MACHO, "other libraries, or other versions of them", findings=findings)


def _rest_of_dylibs(
    left: Sequence[_Dylib], right: Sequence[_Dylib], where: str, clues: CauseClues
) -> tuple[Finding, ...]:
    """Return the findings of what else is said of libraries that both sides name: versions, dates, how to load them."""
    findings: tuple[Finding, ...] = ()
    others = {each.path: each for each in right} if where == "libraries" else dict(zip((x.path for x in left), right))
    for one in left:
        other = others.get(one.path)
        if other is None:
            continue
        if one.versions != other.versions:
            texts = [b"%s %s" % (side.path, "/".join(map(_dotted, side.versions)).encode()) for side in (one, other)]
            # The linker takes the versions from the library, which of a system's lie in the SDK.
            is_system = one.path.startswith(_SYSTEM)
            findings += explain(OfNature(Nature.COMPILER, *texts) if is_system else Unexplained(*texts), where, clues)
        if one.date != other.date:
            dates = b"%d" % one.date, b"%d" % other.date
            is_time = max(one.date, other.date) > _NO_DATE
            findings += explain(OfNature(Nature.MOMENT, *dates) if is_time else Unexplained(*dates), where, clues)
        if one.command != other.command:
            findings += explain(Unexplained(one.command.encode(), other.command.encode()), where, clues)
    return findings


# -- the code signature


def _signature(left: bytes, right: bytes, follows: bool, clues: CauseClues) -> Difference:
    """Return the node of code signatures, which hold a hash of each page of the file.

    Where something that is signed differs, they differ as well; by whom it was signed is a difference of its own.
    """
    one, other = _identity(left), _identity(right)
    name = "code signature"
    if follows and one == other and one is not None:
        return Difference(name, NodeKind.MACHO, "follows from other parts")
    shown = [b"; ".join((side.name, str(side.facts).encode())) if side else b"" for side in (one, other)]
    summary = "signed on one side only" if not left or not right else "signed otherwise"
    return explained(name, NodeKind.MACHO, summary, OfNature(Nature.SIGNATURE, *shown), name, clues)


def _identity(data: bytes) -> _Identity | None:
    """Return what the signature *data* says; None if there is none, or it cannot be read.

    Source: ``CS_SuperBlob`` and ``CS_CodeDirectory`` in cs_blobs.h; of any machine they are big-endian.
    """
    try:
        magic, _, count = struct.unpack_from(">3I", data)
        if magic != 0xFADE0CC0 or count > 64:
            return None
        blobs = [struct.unpack_from(">2I", data, 12 + 8 * index) for index in range(count)]
        begin = dict(blobs)[0]
        _, _, version, flags, _, name_at, _, _, _, hash_size, hash_type, _, page = struct.unpack_from(
            ">9I4B", data, begin
        )
        team_at = struct.unpack_from(">I", data, begin + 48)[0] if version >= 0x20200 else 0
    except (struct.error, KeyError):
        return None
    name, team = (data[begin + at :].split(b"\0", 1)[0] if at else b"" for at in (name_at, team_at))
    # codesign makes names unique by digits of the UUID or of a digest, where it is given none.
    name = re.sub(rb"-[0-9a-f]{32,}\Z", b"", name)
    return _Identity(name, (hex(version), hex(flags), hash_size, hash_type, page, team, [kind for kind, _ in blobs]))


# -- what lies elsewhere, and the rest


def _mover(left: Image, right: Image, clues: CauseClues) -> Mover | None:
    sizes = (sum(len(section.data) for section in side.sections.values()) for side in (left, right))
    if max(sizes) > LARGEST_MOVED or (left.bits, left.order) != (right.bits, right.order):
        return None

    def same_texts(one: bytes, other: bytes) -> bool:
        return UNKNOWN not in codes(TextPair(one, other, is_location=True), clues)

    places = [
        {name: SectionPlace(each.address, each.size, each.data) for name, each in side.sections.items()}
        for side in (left, right)
    ]
    return Mover(places[0], places[1], left.bits, left.order, same_texts)


def _function_starts(data: bytes) -> Iterator[int]:
    """Give offsets from the beginning of __TEXT, which are kept as distances in ULEB128."""
    address = value = shift = 0
    for byte in data:
        value |= (byte & 0x7F) << shift
        shift = min(shift + 7, 63)
        if not byte & 0x80:
            address += value
            yield address
            value = shift = 0


def _facts(name: str, summary: str, left: Sequence[str], right: Sequence[str], clues: CauseClues) -> Difference:
    one, other = (
        "; ".join([fact for fact in mine if fact not in others] or mine).encode()
        for mine, others in ((left, right), (right, left))
    )
    return explained(name, NodeKind.MACHO, summary, Unexplained(one, other), name, clues)


def _opaque(name: str, left: Section, right: Section, at: int, clues: CauseClues) -> Difference:
    if not left.data and not right.data:  # too large, or of memory alone
        seen = Unexplained(b"%d bytes" % left.size, b"%d bytes" % right.size)
        return explained(name, NodeKind.MACHO, "other contents or another size", seen, name, clues)
    sizes = "" if left.size == right.size else f", {left.size} and {right.size} bytes"
    at = max(at, shared(left.data, right.data))
    begin = at - at % 16
    seen = Unexplained(left.data[begin : begin + 64], right.data[begin : begin + 64])
    return explained(name, NodeKind.MACHO, f"other contents{sizes}", seen, f"{name}, offset 0x{at:x}", clues)
