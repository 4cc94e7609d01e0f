"""Mach-O files to be read: made here as Apple's linker lays them out, with a digest for a UUID and hashes for a signature.

Source: ``mach-o/loader.h``, ``mach-o/fat.h``, ``mach-o/nlist.h``, ``mach-o/stab.h`` and ``kern/cs_blobs.h``.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, field, replace

__all__ = ["Made", "build", "command_at", "replace", "universal"]

MACHINES = {"x86_64": (0x1000007, 3), "arm64": (0x100000C, 0), "ppc": (18, 0), "ppc64": (0x1000012, 0)}
TEXT_AT, DATA_AT, LINKEDIT_AT, TEXTS_AT = 0x1000, 0x4000, 0x8000, 0x1400
"""Addresses, and offsets alike; TEXTS_AT is of the section with texts."""
LAST = b"the last text"
"""It lies behind a text that may have any length; code and data lead to it."""
PAGE = 4096


@dataclass(frozen=True)
class Made:
    """What goes into a file."""

    machine: str = "arm64"
    order: str = "<"
    bits: int = 64
    texts: tuple[bytes, ...] = (b"/home/ada/w/src/fast.c",)
    number: int = 42
    """In data."""
    code: bytes = b"\x1f\x20\x03\xd5" * 4
    uuid: bytes | None = None
    """None: a digest, as linkers write."""
    oldest: tuple[int, int] = (11, 0)
    sdk: tuple[int, int] = (14, 5)
    linker: tuple[int, int] = (1053, 12)
    own: tuple[str, int] = ("", 1)
    """Install name and version of a library; none of an extension module."""
    libraries: tuple[tuple[str, int], ...] = (("/usr/lib/libSystem.B.dylib", 1345),)
    search: tuple[str, ...] = ()
    objects: tuple[tuple[str, int], ...] = (("/home/ada/w/build/fast.o", 0),)
    """Object files in the debug map, and their times."""
    exported: tuple[str, ...] = ("_PyInit_fast",)
    signed: str = "fast.so"
    """The identifier in the signature; none without a signature."""
    signing_flags: int = 0x20002
    """Ad hoc, by the linker."""
    more: dict[str, bytes] = field(default_factory=dict)
    """Bytes at odd places: ``gap`` between commands and code, ``names`` in the table of names."""


class _Writer:
    def __init__(self, made: Made) -> None:
        self.made = made
        self.order = made.order
        self.is_wide = made.bits == 64

    def words(self, *numbers: int) -> bytes:
        return struct.pack(f"{self.order}{len(numbers)}I", *numbers)

    def long(self, *numbers: int) -> bytes:
        return struct.pack(f"{self.order}{len(numbers)}{'Q' if self.is_wide else 'I'}", *numbers)

    def command(self, code: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 8)
        return self.words(code, 8 + len(body)) + body

    def segment(self, name: str, at: int, length: int, rights: int, sections: list[bytes]) -> bytes:
        head = name.encode().ljust(16, b"\0") + self.long(at, -(-length // DATA_AT) * DATA_AT, at, length)
        body = head + self.words(rights, rights, len(sections), 0) + b"".join(sections)
        return self.command(0x19 if self.is_wide else 1, body)

    def section(self, name: str, segment: str, at: int, size: int, flags: int = 0) -> bytes:
        head = name.encode().ljust(16, b"\0") + segment.encode().ljust(16, b"\0") + self.long(at, size)
        return head + self.words(at, 2, 0, 0, flags, 0, 0, *([0] if self.is_wide else []))

    def dylib(self, code: int, name: str, version: int) -> bytes:
        return self.command(code, self.words(24, 2, version << 16, 1 << 16) + name.encode() + b"\0")

    def symbol(self, place: int, kind: int, section: int, description: int, value: int) -> bytes:
        form = "IBBHQ" if self.is_wide else "IBBHI"
        return struct.pack(self.order + form, place, kind, section, description, value)


def _code(made: Made, last: int) -> bytes:
    """Return code that leads to the address *last*, then what was asked for."""
    if made.machine == "arm64":
        # adrp x0, page; add x0, x0, offset in it
        pages = (last >> 12) - (TEXT_AT >> 12)
        adrp = 0x90000000 | (pages & 3) << 29 | (pages >> 2 & 0x7FFFF) << 5
        return struct.pack("<II", adrp, 0x91000000 | (last & 0xFFF) << 10) + made.code
    if made.machine == "x86_64":  # lea rax, [rip + distance]
        return b"\x48\x8d\x05" + struct.pack("<i", last - (TEXT_AT + 7)) + b"\x90" + made.code
    return struct.pack(">II", 0x3C600000, 0x38630000) + made.code


def build(made: Made = Made()) -> bytes:
    """Return a file of one machine."""
    if made.uuid is None:
        # Of everything but the signature, which others may put there later.
        plain = build(replace(made, uuid=bytes(16), signed=""))
        return build(replace(made, uuid=hashlib.sha256(plain).digest()[:16]))
    write = _Writer(made)
    texts = b"\0".join([*made.texts, LAST, b""])
    last = TEXTS_AT + texts.index(LAST)
    code = _code(made, last)
    data = write.long(last, TEXTS_AT) + write.words(made.number, 7)
    names, symbols = _symbols(made, write)
    starts = b"\x80\x20\x08\0"  # 0x1000, then 8 bytes on
    places = {"starts": LINKEDIT_AT, "symbols": LINKEDIT_AT + 8}
    places["names"] = places["symbols"] + len(symbols)
    end = places["names"] + len(names)
    signature_at = end + -end % 16
    size = len(_signature(made, b"", signature_at)) if made.signed else 0
    commands = [
        write.segment(
            "__TEXT",
            0,
            DATA_AT,
            5,
            [
                write.section("__text", "__TEXT", TEXT_AT, len(code), 0x80000400),
                write.section("__cstring", "__TEXT", TEXTS_AT, len(texts), 2),
            ],
        ),
        write.segment("__DATA", DATA_AT, DATA_AT, 3, [write.section("__data", "__DATA", DATA_AT, len(data))]),
        write.segment("__LINKEDIT", LINKEDIT_AT, signature_at + size - LINKEDIT_AT, 1, []),
        write.command(2, write.words(places["symbols"], _count(made), places["names"], len(names))),
        write.command(0xB, write.words(*_groups(made), *[0] * 12)),
        write.command(0x1B, made.uuid),
        write.command(0x32, write.words(1, _version(*made.oldest), _version(*made.sdk), 1, 3, _version(*made.linker))),
        *([write.dylib(0xD, *made.own)] if made.own[0] else []),
        *(write.dylib(0xC, *each) for each in made.libraries),
        *(write.command(0x8000001C, write.words(12) + path.encode() + b"\0") for path in made.search),
        write.command(0x26, write.words(places["starts"], len(starts))),
        *([write.command(0x1D, write.words(signature_at, size))] if size else []),
    ]
    kind, subtype = MACHINES[made.machine]
    magic = 0xFEEDFACF if write.is_wide else 0xFEEDFACE
    sizes = len(commands), sum(map(len, commands))
    head = write.words(magic, kind, subtype, 6 if made.own[0] else 8, *sizes, 0x85, *([0] if write.is_wide else []))
    file = bytearray(signature_at)
    for at, piece in (
        (0, head + b"".join(commands)),
        (TEXT_AT - 32, made.more.get("gap", b"")),
        (TEXT_AT, code),
        (TEXTS_AT, texts),
        (DATA_AT, data),
        (LINKEDIT_AT, starts),
        (places["symbols"], symbols),
        (places["names"], names),
    ):
        file[at : at + len(piece)] = piece
    return bytes(file) + (_signature(made, bytes(file), signature_at) if made.signed else b"")


def universal(*slices: Made) -> bytes:
    """Return a file of several machines."""
    table, body, at = b"", b"", 1 << 14
    for made in slices:
        data = build(made)
        table += struct.pack(">5I", *MACHINES[made.machine], at, len(data), 14)
        body = body.ljust(at - (1 << 14), b"\0") + data
        at = (1 << 14) + len(body) + -len(body) % (1 << 14)
    return (struct.pack(">II", 0xCAFEBABE, len(slices)) + table).ljust(1 << 14, b"\0") + body


def command_at(data: bytes, code: int) -> int:
    """Return where the first load command with *code* of a thin 64-bit file begins."""
    at = 32
    while struct.unpack_from("<I", data, at)[0] != code:
        at += struct.unpack_from("<I", data, at + 4)[0]
    return at


def _version(major: int, minor: int) -> int:
    return major << 16 | minor << 8


def _count(made: Made) -> int:
    return 4 * len(made.objects) + len(made.exported)


def _groups(made: Made) -> list[int]:
    local = 4 * len(made.objects)
    return [0, local, local, len(made.exported), local + len(made.exported), 0]


def _symbols(made: Made, write: _Writer) -> tuple[bytes, bytes]:
    """Return the table of names, and that of symbols: for each object file N_SO, N_OSO, N_FUN and an end; exported."""
    names, symbols = bytearray(b" \0"), b""

    def name(text: str) -> int:
        place = len(names)
        names.extend(text.encode() + b"\0")
        return place

    exported = {text: name(text) for text in made.exported}
    names += made.more.get("names", b"")
    for path, when in made.objects:
        source = path.rpartition("/build/")[0] + "/src/"
        symbols += write.symbol(name(source), 0x64, 0, 0, 0) + write.symbol(name(path), 0x66, 0, 1, when)
        symbols += write.symbol(exported[made.exported[0]], 0x24, 1, 0, TEXT_AT) + write.symbol(1, 0x64, 1, 0, 0)
    for place in exported.values():
        symbols += write.symbol(place, 0xF, 1, 0, TEXT_AT)
    return bytes(names) + bytes(-len(names) % 8), symbols


def _signature(made: Made, file: bytes, limit: int) -> bytes:
    """Return a signature with one code directory; always big-endian."""
    pages = [file[at : at + PAGE] for at in range(0, limit, PAGE)]
    hashes = b"".join(hashlib.sha256(page).digest() for page in pages)
    name = made.signed.encode() + b"\0"
    size = 88 + len(name) + len(hashes)
    directory = struct.pack(
        ">9I4BIII4Q", 0xFADE0C02, size, 0x20400, made.signing_flags, 88 + len(name), 88, 0, len(pages), limit,
        32, 2, 0, 12, 0, 0, 0, 0, 0, DATA_AT, 0,
    )  # fmt: skip
    return struct.pack(">5I", 0xFADE0CC0, 20 + size, 1, 0, 20) + directory + name + hashes
