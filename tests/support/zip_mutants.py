"""Wheels by every writer at hand, and kinds of mutations that could make two readers see different things in them.

A wheel is taken to pieces (:class:`Pieces`), a kind changes some of them by a source of randomness, and the rest is put
together around it: offsets, counts and sizes stay true unless a kind makes them lie. Nothing here knows the code under
test but for its writer.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import random
import struct
import zipfile
import zlib
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Callable

from samebytes.archive.entry import Data, Entry, Kind
from samebytes.archive.zip_writer import write_zip
from samebytes.deflate.stream import Encoder

from .zips import OneWay

NAME = "pkg-1.0-py3-none-any.whl"
INFO = "pkg-1.0.dist-info"
FULL_16, FULL_32 = 0xFFFF, 0xFFFFFFFF
SIGNATURES = [b"PK\1\2", b"PK\3\4", b"PK\5\6", b"PK\6\6", b"PK\6\7", b"PK\7\x08"]


def _nested() -> bytes:
    """Return a ZIP file with another pkg/a.py: what reads contents as headers sees it."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr(zipfile.ZipInfo("pkg/a.py"), b"print('other')\n")
    return sink.getvalue()


NESTED = _nested()
FILES = {
    "pkg/__init__.py": b"",
    "pkg/a.py": b"print('honest')\n" * 9,
    "pkg/data.zip": NESTED,
    "pkg/gr\u00fcn.txt": b"gr\xc3\xbcn\n" * 4,
    "pkg/tool.sh": b"#!/bin/sh\nexit 0\n",
    f"{INFO}/METADATA": b"Metadata-Version: 2.1\nName: pkg\nVersion: 1.0\n",
    f"{INFO}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
}


def _record() -> bytes:
    rows = []
    for name, data in FILES.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows.append(f"{name},sha256={digest},{len(data)}\n")
    return ("".join(rows) + f"{INFO}/RECORD,,\n").encode()


FILES[f"{INFO}/RECORD"] = _record()
_EXECUTABLE = "pkg/tool.sh"


def bases() -> dict[str, bytes]:
    """Return the same wheel by each writer."""
    entries = [
        Entry(name, Kind.FILE, 0o755 if name == _EXECUTABLE else 0o644, 1580601600.0, Data(data))
        for name, data in FILES.items()
    ]
    sink = io.BytesIO()
    write_zip(sink, entries, Encoder())
    found = {"samebytes": sink.getvalue()}
    for name, method in (("deflated", zipfile.ZIP_DEFLATED), ("stored", zipfile.ZIP_STORED)):
        sink = io.BytesIO()
        _written(sink, method, wide=name == "deflated", directories=name == "stored")
        found[f"zipfile, {name}"] = sink.getvalue()
    stream = OneWay()
    _written(stream, zipfile.ZIP_DEFLATED, wide=False, directories=False)
    found["zipfile, to a pipe"] = bytes(stream.data)
    return found


def _written(sink: io.BytesIO | OneWay, method: int, *, wide: bool, directories: bool) -> None:
    with zipfile.ZipFile(sink, "w") as archive:
        if directories:
            folder = zipfile.ZipInfo("pkg/", (2020, 2, 2, 0, 0, 0))
            folder.external_attr = 0o040755 << 16 | 0x10
            archive.writestr(folder, b"")
        for name, data in FILES.items():
            info = zipfile.ZipInfo(name, (2020, 2, 2, 0, 0, 0))
            info.external_attr = (0o100755 if name == _EXECUTABLE else 0o100644) << 16
            info.compress_type = method
            with archive.open(info, "w", force_zip64=wide) as member:
                member.write(data)


_LOCAL = ("needed", "flags", "method", "time", "date", "crc", "packed", "size")
_CENTRAL = ("made_by", *_LOCAL)
_TAIL = ("disk", "internal", "external", "offset")
_END = ("disk", "first", "here", "count", "size", "offset")


@dataclass
class Member:
    """One member: what its two headers hold, and the bytes between them."""

    local: dict[str, int]
    central: dict[str, int]
    names: list[bytes]
    """In the local header and in the central one; so are the extra fields."""
    extras: list[bytes]
    data: bytes
    comment: bytes = b""
    descriptor: bytes = b""
    after: bytes = b""
    listed: bool = True
    """Whether the central directory has it."""
    stored: bool = True
    """Whether it is there, and not in the central directory alone."""
    shift: int = 0
    """What its offset lies by."""


@dataclass
class Pieces:
    """A ZIP file in pieces."""

    members: list[Member]
    prefix: bytes = b""
    suffix: bytes = b""
    comment: bytes = b""
    before_end: bytes = b""
    end: dict[str, int] = field(default_factory=dict)
    """Fields of the end record that lie."""
    end64: dict[str, int] | None = None
    """The same of the ZIP64 one, if there is one; ``length``, ``at`` and ``disks`` too."""
    end64_data: bytes = b""
    order: list[int] | None = None
    """Of the central directory."""
    raw: Callable[[bytes], bytes] = bytes
    """What is done to the whole at last."""

    def whole(self) -> bytes:
        out = bytearray(self.prefix)
        headers = []
        offset = 0
        for member in self.members:
            if member.stored:
                offset = len(out)
                out += _packed(b"PK\3\4", _LOCAL, member.local, member.names[0], member.extras[0])
                out += member.data + member.descriptor + member.after
            if member.listed:
                place = (offset + member.shift) & FULL_32
                headers.append(_central(member, place))
        order = self.order if self.order and len(self.order) == len(headers) else range(len(headers))
        directory = b"".join(headers[number] for number in order)
        true = dict(zip(_END, (0, 0, len(headers), len(headers), len(directory), len(out))))
        out += directory + self.before_end
        if self.end64 is not None:
            out += self._end64({**true, **self.end64}, len(out))
        numbers = [{**true, **self.end}[key] & (FULL_16 if at < 4 else FULL_32) for at, key in enumerate(_END)]
        length = self.end.get("length", len(self.comment)) & FULL_16
        out += struct.pack("<4s4H2LH", b"PK\5\6", *numbers, length) + self.comment + self.suffix
        return self.raw(bytes(out))

    def _end64(self, fields: dict[str, int], at: int) -> bytes:
        numbers = [fields[key] for key in _END]
        length = fields.get("length", 44 + len(self.end64_data))
        record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", length, 45, 45, *numbers) + self.end64_data
        return record + struct.pack("<4sLQL", b"PK\6\7", 0, fields.get("at", at), fields.get("disks", 1))


def _packed(signature: bytes, keys: Sequence[str], fields: dict[str, int], name: bytes, extra: bytes) -> bytes:
    numbers = b"".join(
        struct.pack("<L", fields[key] & FULL_32)
        if key in ("crc", "packed", "size")
        else struct.pack("<H", fields[key] & FULL_16)
        for key in keys
    )
    return (
        signature + numbers + struct.pack("<HH", len(name), len(extra)) + (name + extra if signature[2] == 3 else b"")
    )


def _central(member: Member, offset: int) -> bytes:
    fields = member.central
    head = _packed(b"PK\1\2", _CENTRAL, fields, member.names[1], member.extras[1])
    place = fields["offset"] if fields["offset"] >= 0 else offset
    tail = struct.pack(
        "<HHHLL",
        len(member.comment),
        fields["disk"] & FULL_16,
        fields["internal"] & FULL_16,
        fields["external"] & FULL_32,
        place & FULL_32,
    )
    return head + tail + member.names[1] + member.extras[1] + member.comment


def taken_apart(data: bytes) -> Pieces:
    """Return the pieces of an honest archive without comments, gaps and ZIP64 records."""
    _, _, _, count, _, at, _ = struct.unpack("<HHHHLLH", data[-18:])
    starts, centrals = [], []
    for _ in range(count):
        numbers = struct.unpack_from("<HHHHHHLLLHHHHHLL", data, at + 4)
        name_length, extra_length = numbers[9:11]
        start = at + 46
        name, extra = data[start : start + name_length], data[start + name_length : start + name_length + extra_length]
        fields = dict(zip((*_CENTRAL, *_TAIL), (*numbers[:9], *numbers[12:])))
        centrals.append((fields, name, extra))
        starts.append(fields["offset"])
        at = start + name_length + extra_length
    end = struct.unpack("<L", data[-6:-2])[0]
    members = []
    for (central, name, extra), start, border in zip(centrals, starts, [*starts[1:], end]):
        local = dict(zip(_LOCAL, struct.unpack_from("<HHHHHLLL", data, start + 4)))
        lengths = struct.unpack_from("<HH", data, start + 26)
        begin = start + 30 + lengths[0] + lengths[1]
        stop = begin + central["packed"]
        here = data[start + 30 + lengths[0] : begin]
        central["offset"] = -1
        members.append(
            Member(local, central, [name, name], [here, extra], data[begin:stop], descriptor=data[stop:border])
        )
    return Pieces(members)


Kinds = Callable[[random.Random, Pieces], None]
KINDS: dict[str, Kinds] = {}


def _kind(function: Kinds) -> Kinds:
    KINDS[function.__name__.lstrip("_")] = function
    return function


def mutant(seed: int, made: Sequence[bytes], kinds: Sequence[str] = ()) -> tuple[bytes, tuple[str, ...]]:
    """Return a wheel made of one of *made* by one to three *kinds* of mutations, by default any, and which they were."""
    chance = random.Random(seed)
    pieces = deepcopy(taken_apart(chance.choice(made)))
    chosen = tuple(chance.choices(kinds or sorted(KINDS), k=chance.choice((1, 1, 1, 2, 3))))
    for kind in chosen:
        KINDS[kind](chance, pieces)
    return pieces.whole(), chosen


# -- what goes between


def _noise(chance: random.Random) -> bytes:
    """Return bytes that could lie in a gap, a comment or an extra field."""
    return chance.choice(
        [
            bytes(chance.choice((1, 3, 4, 22, 4096))),
            chance.randbytes(chance.randrange(1, 40)),
            b"plain text",
            NESTED,
            NESTED[: chance.randrange(4, len(NESTED))],
            *SIGNATURES,
            b"-" + chance.choice(SIGNATURES) + bytes(30),
        ]
    )


@_kind
def gap(chance: random.Random, pieces: Pieces) -> None:
    chance.choice(pieces.members).after = _noise(chance)


@_kind
def gap_before_directory(chance: random.Random, pieces: Pieces) -> None:
    pieces.members[-1].after = _noise(chance)


@_kind
def prefix(chance: random.Random, pieces: Pieces) -> None:
    pieces.prefix = chance.choice([b"#!/bin/sh\n", _noise(chance)])
    if chance.random() < 0.5:  # offsets as if it were not there
        for member in pieces.members:
            member.shift = -len(pieces.prefix)


@_kind
def suffix(chance: random.Random, pieces: Pieces) -> None:
    pieces.suffix = _noise(chance)
    if chance.random() < 0.3:
        pieces.end["length"] = len(pieces.suffix)


@_kind
def before_end(chance: random.Random, pieces: Pieces) -> None:
    pieces.before_end = _noise(chance)


@_kind
def comment(chance: random.Random, pieces: Pieces) -> None:
    pieces.comment = _noise(chance)
    if chance.random() < 0.3:
        pieces.end["length"] = len(pieces.comment) + chance.choice((-1, 1, -22))


@_kind
def member_comment(chance: random.Random, pieces: Pieces) -> None:
    chance.choice(pieces.members).comment = _noise(chance)


@_kind
def locator_in_a_comment(chance: random.Random, pieces: Pieces) -> None:
    """A reader that looks for a ZIP64 locator before the end record finds one in the last member's comment."""
    pieces.members[-1].comment = struct.pack("<4sLQL", b"PK\6\7", 0, chance.choice((0, 100, 1 << 40)), 1)


# -- fields that lie


def _value(chance: random.Random, true: int) -> int:
    return chance.choice(
        (0, 1, true + 1, true - 1, true ^ 1 << chance.randrange(16), FULL_16, FULL_32, chance.getrandbits(32))
    )


@_kind
def local_field(chance: random.Random, pieces: Pieces) -> None:
    member = chance.choice(pieces.members)
    key = chance.choice(_LOCAL)
    member.local[key] = _value(chance, member.local[key])


@_kind
def central_field(chance: random.Random, pieces: Pieces) -> None:
    member = chance.choice(pieces.members)
    key = chance.choice((*_CENTRAL, "disk", "internal", "external"))
    member.central[key] = _value(chance, member.central[key])


@_kind
def field_of_both(chance: random.Random, pieces: Pieces) -> None:
    member = chance.choice(pieces.members)
    key = chance.choice(_LOCAL)
    member.central[key] = member.local[key] = _value(chance, member.central[key])


@_kind
def offset(chance: random.Random, pieces: Pieces) -> None:
    chance.choice(pieces.members).shift = chance.choice((-1, 1, 30, 46, -30, chance.randrange(-200, 200)))


@_kind
def flags(chance: random.Random, pieces: Pieces) -> None:
    member = chance.choice(pieces.members)
    value = chance.choice((0, 2, 6, 8, 0x800, 0x808, 0x10, 0x20, 1, 0x40, 0x2000, 0x4000, 0x8000))
    for side in chance.choice(((member.local,), (member.central,), (member.local, member.central))):
        side["flags"] = value if chance.random() < 0.5 else side["flags"] ^ value


@_kind
def version(chance: random.Random, pieces: Pieces) -> None:
    member = chance.choice(pieces.members)
    value = chance.choice((0, 10, 20, 45, 46, 51, 63, 64, 255, 0x0314))
    for side in chance.choice(((member.local,), (member.central,), (member.local, member.central))):
        side["needed"] = value


@_kind
def end_record(chance: random.Random, pieces: Pieces) -> None:
    key = chance.choice((*_END, "count and here"))
    value = _value(chance, len(pieces.members))
    for each in ("count", "here") if key == "count and here" else (key,):
        pieces.end[each] = value


@_kind
def modes(chance: random.Random, pieces: Pieces) -> None:
    member = chance.choice(pieces.members)
    kind = chance.choice((0, 0o01, 0o02, 0o04, 0o06, 0o10, 0o10, 0o12, 0o14)) << 12
    member.central["external"] = (kind | chance.getrandbits(12)) << 16 | chance.choice((0, 0, 0, 0x10, 0x20, 0xFF))
    if chance.random() < 0.3:
        member.central["made_by"] = chance.choice((0, 3, 7, 10, 11, 19)) << 8 | 20


# -- names


@_kind
def names(chance: random.Random, pieces: Pieces) -> None:
    member = chance.choice(pieces.members)
    name = member.names[0]
    other = chance.choice(
        [
            *(
                name.upper(),
                name + b"/",
                name + b".",
                name + b" ",
                b"./" + name,
                b"/" + name,
                b"../" + name,
                name + b"\n",
            ),
            *(
                name.replace(b"/", b"\\"),
                name.replace(b"/", b"//"),
                b"C:" + name,
                name + b":a",
                name + b"\0x",
                b"",
                b"/",
            ),
            *(
                b"pkg",
                b"pkg/a.py",
                b"pkg/A.PY",
                b"pkg/a.py/b",
                b"pkg/caf\x82",
                b"pkg/caf\xe9",
                "pkg/gr\u00fcn.txt".encode(),
            ),
            *("pkg/gru\u0308n.txt".encode(), b"pkg/nul", b"pkg/con.py", "pkg/\u202ea".encode(), b"pkg/" + b"n" * 300),
            *(
                b"pkg/fine.py",
                "pkg/sch\u00f6n.py".encode(),
                "pkg/\u65e5\u672c".encode(),
                b"pkg/a b",
                b"pkg/a?b",
                b"pkg/-rf",
            ),
        ]
    )
    if chance.random() < 0.7:
        member.names = [other, other]
    else:
        member.names[chance.randrange(2)] = other
    if not other.isascii() and chance.random() < 0.7:
        member.local["flags"] |= 0x800
        member.central["flags"] |= 0x800


def _copy(chance: random.Random, pieces: Pieces) -> Member:
    """Return a new member, to be put somewhere."""
    member = deepcopy(chance.choice(pieces.members))
    data = b"print('another')\n"
    for side in (member.local, member.central):
        side.update(crc=zlib.crc32(data), packed=len(data), size=len(data), method=0, flags=side["flags"] & ~8)
    member.data, member.descriptor, member.extras = data, b"", [b"", b""]
    return member


@_kind
def member_twice(chance: random.Random, pieces: Pieces) -> None:
    twin = _copy(chance, pieces)
    twin.listed = chance.random() < 0.5
    pieces.members.insert(chance.randrange(len(pieces.members) + 1), twin)


@_kind
def member_unlisted(chance: random.Random, pieces: Pieces) -> None:
    chance.choice(pieces.members).listed = False


@_kind
def header_twice(chance: random.Random, pieces: Pieces) -> None:
    """Two entries of the central directory for one member."""
    number = chance.randrange(len(pieces.members))
    twin = deepcopy(pieces.members[number])
    twin.stored = False
    if chance.random() < 0.5:
        twin.names = [b"pkg/twin.py"] * 2
    pieces.members.insert(number + 1, twin)


@_kind
def folder(chance: random.Random, pieces: Pieces) -> None:
    member = _copy(chance, pieces)
    member.names = [chance.choice((b"pkg/", b"empty/", b"pkg/a.py/", b"a/b/c/"))] * 2
    data = chance.choice((b"", b"", b"\3\0", b"\3\0", b"x", b"\2\0"))
    method = 8 if data == b"\3\0" else chance.choice((0, 0, 8))
    size = 0 if data in (b"", b"\3\0") else chance.choice((0, len(data)))
    for side in (member.local, member.central):
        side.update(method=method, packed=len(data), size=size, crc=zlib.crc32(data) if size else 0)
    member.data = data
    member.central["external"] = chance.choice((0o040755 << 16 | 0x10, 0o040755 << 16, 0x10, 0, 0o100644 << 16))
    pieces.members.insert(chance.randrange(len(pieces.members) + 1), member)


@_kind
def order(chance: random.Random, pieces: Pieces) -> None:
    if chance.random() < 0.5:
        pieces.order = list(range(sum(member.listed for member in pieces.members)))
        chance.shuffle(pieces.order)
    else:
        chance.shuffle(pieces.members)


# -- data descriptors


@_kind
def descriptor(chance: random.Random, pieces: Pieces) -> None:
    member = chance.choice(pieces.members)
    central = member.central
    for side in chance.choice(((member.local, central),) * 4 + ((member.local,), (central,))):
        side["flags"] |= 8
    if chance.random() < 0.7:
        member.local.update(crc=0, packed=0, size=0)
    width = chance.choice("LLLQ")
    values = [central["crc"], central["packed"], central["size"]]
    if chance.random() < 0.2:
        values[chance.randrange(3)] ^= 1
    member.descriptor = chance.choice((b"PK\7\x08",) * 4 + (b"",)) + struct.pack("<L2" + width, *values)
    if chance.random() < 0.1:
        member.descriptor = member.descriptor[:-1]


@_kind
def descriptor_that_hides(chance: random.Random, pieces: Pieces) -> None:
    """Stored contents that hold a descriptor, and after it another member."""
    member = chance.choice(pieces.members)
    hidden = b"x" + b"PK\7\x08" + struct.pack("<LLL", zlib.crc32(b"x"), 1, 1) + NESTED[: NESTED.index(b"PK\1\2")]
    for side in (member.local, member.central):
        side.update(method=0, size=len(hidden), packed=len(hidden), crc=zlib.crc32(hidden), flags=side["flags"] | 8)
    member.local.update(crc=0, packed=0, size=0)
    member.data = hidden
    member.descriptor = b"PK\7\x08" + struct.pack("<LLL", zlib.crc32(hidden), len(hidden), len(hidden))


# -- extra fields and ZIP64


def extra_of(identifier: int, data: bytes) -> bytes:
    return struct.pack("<HH", identifier, len(data)) + data


@_kind
def extra(chance: random.Random, pieces: Pieces) -> None:
    member = chance.choice(pieces.members)
    data = chance.choice(
        [
            extra_of(0x5455, b"\3" + bytes(8)),
            extra_of(0x7875, b"\1\4" + bytes(4) + b"\4" + bytes(4)),
            extra_of(0xCAFE, b""),
            extra_of(0xA220, bytes(chance.randrange(20))),
            extra_of(0x5455, b"\0") * 2,
            extra_of(chance.getrandbits(16), _noise(chance)),
            bytes(chance.randrange(1, 6)),
            extra_of(0x5455, b"")[: chance.randrange(1, 4)],
            struct.pack("<HH", 0x5455, 99),
            extra_of(0x9901, b"\2\0AE\3\0\0"),
            extra_of(0x000A, bytes(32)),
        ]
    )
    for side in chance.choice(((0,), (1,), (0, 1))):
        member.extras[side] += data


@_kind
def unicode_path(chance: random.Random, pieces: Pieces) -> None:
    member = chance.choice(pieces.members)
    name = chance.choice((member.names[0], b"pkg/other.py"))
    crc = chance.choice((zlib.crc32(member.names[0]), 0))
    data = extra_of(0x7075, struct.pack("<BL", chance.choice((1, 1, 2)), crc) + name)
    for side in chance.choice(((0,), (1,), (0, 1))):
        member.extras[side] += data


@_kind
def zip64_extra(chance: random.Random, pieces: Pieces) -> None:
    member = chance.choice(pieces.members)
    for at, side in enumerate((member.local, member.central)):
        if chance.random() < 0.3:
            continue
        values = []
        for key in ("size", "packed"):
            if chance.random() < 0.7:
                values.append(side[key])
                side[key] = FULL_32
            elif chance.random() < 0.2:
                values.append(side[key])
        if at and chance.random() < 0.2:
            values.append(chance.choice((0, (1 << 64) - 1, 1 << 40)))
            side["offset"] = FULL_32
        if chance.random() < 0.1:
            chance.shuffle(values)
        if chance.random() < 0.1:
            values.append(chance.getrandbits(64))
        payload = b"".join(value.to_bytes(8, "little") for value in values)
        member.extras[at] = extra_of(1, payload[: chance.choice((None,) * 8 + (-4,))]) * chance.choice((1,) * 8 + (2,))


@_kind
def zip64_of_all(chance: random.Random, pieces: Pieces) -> None:
    """As writers that always write ZIP64 do."""
    for member in pieces.members:
        for at, side in enumerate((member.local, member.central)):
            values = side["size"], side["packed"]
            side.update(size=FULL_32, packed=FULL_32)
            member.extras[at] = extra_of(1, struct.pack("<QQ", *values))
        if chance.random() < 0.1:
            break


@_kind
def zip64_end(chance: random.Random, pieces: Pieces) -> None:
    pieces.end64 = {}
    what = chance.randrange(8)
    if what < 2:
        pieces.end64_data = chance.choice((b"", b"x", NESTED, bytes(44), bytes(56)))
    elif what == 2:
        pieces.end64[chance.choice((*_END, "length", "at", "disks"))] = chance.choice(
            (0, 1, 2, 44, 45, 1 << 32, (1 << 64) - 1)
        )
        pieces.end64 = {
            key: value & FULL_32 if key in ("disk", "first", "disks") else value for key, value in pieces.end64.items()
        }
    elif what == 3:
        pieces.end64["length"] = 44 + chance.choice((-12, -1, 1, 12))
    elif what == 4:
        pieces.before_end = _noise(chance)
    for key, full in (
        ("count", FULL_16),
        ("here", FULL_16),
        ("size", FULL_32),
        ("offset", FULL_32),
        ("disk", FULL_16),
        ("first", FULL_16),
    ):
        if chance.random() < 0.3:
            pieces.end[key] = full


# -- contents


@_kind
def stream(chance: random.Random, pieces: Pieces) -> None:
    """Other deflate streams: of the same contents, and such as end early, late or not at all."""
    member = chance.choice([member for member in pieces.members if member.central["method"] == 8] or pieces.members)
    data = member.data
    with contextlib.suppress(zlib.error):  # Of a member that is stored, or that another kind has changed.
        data = zlib.decompress(data, -15)
    packer = zlib.compressobj(chance.choice((0, 1, 9)), zlib.DEFLATED, -15)
    plain = packer.compress(data) + packer.flush()
    empty = b"\0\0\0\xff\xff"
    packed = chance.choice(
        [
            plain,
            empty * 3 + plain,
            plain + b"x",
            plain + plain,
            plain[:-1],
            plain + empty,
            b"\3\0",
            b"",
            plain + bytes(4),
            zlib.compress(data),
        ]
    )
    for side in (member.local, member.central):
        if side["packed"] == len(member.data):
            side["packed"] = len(packed)
        side["method"] = 8
    if member.descriptor:
        member.descriptor = b"PK\7\x08" + struct.pack(
            "<LLL", member.central["crc"], len(packed), member.central["size"]
        )
    member.data = packed


@_kind
def method(chance: random.Random, pieces: Pieces) -> None:
    member = chance.choice(pieces.members)
    value = chance.choice((0, 8, 9, 12, 14, 93, 1, 99))
    for side in chance.choice(((member.local,), (member.central,), (member.local, member.central))):
        side["method"] = value


@_kind
def contents(chance: random.Random, pieces: Pieces) -> None:
    """Honest contents that look like a ZIP file's records, stored."""
    member = chance.choice(pieces.members)
    data = _noise(chance)
    for side in (member.local, member.central):
        side.update(method=0, size=len(data), packed=len(data), crc=zlib.crc32(data), flags=side["flags"] & ~8)
    member.data, member.descriptor, member.extras = data, b"", [b"", b""]


# -- the whole


@_kind
def flipped(chance: random.Random, pieces: Pieces) -> None:
    def raw(data: bytes) -> bytes:
        changed = bytearray(data)
        for _ in range(chance.randrange(1, 4)):
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
        return bytes(changed)

    pieces.raw = raw


@_kind
def cut(chance: random.Random, pieces: Pieces) -> None:
    def raw(data: bytes) -> bytes:
        first, second = sorted(chance.randrange(len(data) + 1) for _ in range(2))
        return chance.choice((data[:first], data[first:], data[:first] + data[second:], data[:second] + data[first:]))

    pieces.raw = raw


@_kind
def joined(chance: random.Random, pieces: Pieces) -> None:
    """Two archives behind one another, or one in the other's comment."""
    honest = chance.random() < 0.5
    pieces.raw = (lambda data: data + NESTED) if honest else (lambda data: NESTED + data)


@_kind
def nothing(chance: random.Random, pieces: Pieces) -> None:
    """So that honest archives are among them."""
    del chance, pieces
