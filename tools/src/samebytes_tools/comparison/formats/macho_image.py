"""Reading Mach-O files within bounds: extension modules and libraries of macOS, thin and universal, of any byte order.

Sources: Apple's headers ``mach-o/loader.h``, ``mach-o/fat.h``, ``mach-o/nlist.h``, ``mach-o/stab.h`` and
``kern/cs_blobs.h`` (xnu, cctools); the manual of ld (``-random_uuid``, ``-no_uuid``, ``-oso_prefix``).
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Literal, NamedTuple

from samebytes.archive.entry import CHUNK_SIZE

from ..allowance import Allowance

__all__ = ["LARGEST_PART", "MAGICS", "Command", "Image", "NotMachOError", "Section", "Symbol", "Universal", "read"]

LARGEST_PART = 12 << 20
"""Bytes of a section or table that is held."""

LARGEST_HELD = 24 << 20
"""Bytes of all sections and tables of a file that are held, those of the symbols and the signature aside."""

MOST_COMMANDS = 4096
"""How many load commands a file may have, and how many sections."""

MOST_COMMAND_BYTES = 1 << 20

MOST_SYMBOLS = 100_000
"""Of how many symbols the names are looked at; of more, the tables are compared by their bytes."""

MOST_SLICES = 32
"""Of a universal file. A Java class begins with the same magic, and its version (45 or more) where the number is."""

_FAT, _FAT_64 = 0xCAFEBABE, 0xCAFEBABF
_THIN: Mapping[bytes, tuple[Literal["<", ">"], int]] = {
    b"\xfe\xed\xfa\xce": (">", 32),
    b"\xce\xfa\xed\xfe": ("<", 32),
    b"\xfe\xed\xfa\xcf": (">", 64),
    b"\xcf\xfa\xed\xfe": ("<", 64),
}
MAGICS = frozenset((*_THIN, struct.pack(">I", _FAT), struct.pack(">I", _FAT_64)))
"""The first four bytes of all kinds."""

_MACHINES = {7: "i386", 12: "arm", 18: "ppc", 0x1000007: "x86_64", 0x100000C: "arm64", 0x1000012: "ppc64"}
_SUBTYPES = {(0x1000007, 8): "x86_64h", (0x100000C, 2): "arm64e"}
_SUBTYPE_MASK = 0x00FFFFFF  # the rest is capabilities, such as that of arm64e's pointers

_REQUIRED = 0x80000000
"""LC_REQ_DYLD: set in commands that an older loader may not skip."""
_SEGMENT, _SEGMENT_64, _SYMTAB, _DYSYMTAB, _SIGNATURE = 0x1, 0x19, 0x2, 0xB, 0x1D
_DYLIBS = {0xC: "LOAD", 0xD: "ID", 0x18: "LOAD_WEAK", 0x1F: "REEXPORT", 0x20: "LAZY_LOAD", 0x23: "LOAD_UPWARD"}
_BLOBS = {
    0x1E: "split info",
    0x26: "function starts",
    0x29: "data in code",
    0x2B: "signing requirements",
    0x2E: "linker optimization hints",
    0x33: "exports trie",
    0x34: "chained fixups",
    0x36: "atom info",
}
"""What ``linkedit_data_command`` leads to."""
_DYLD_INFO = ("rebase info", "binding info", "weak binding info", "lazy binding info", "export info")
_COMMANDS = {0x1B: "LC_UUID", 0x1C: "LC_RPATH", 0x24: "LC_VERSION_MIN_MACOSX", 0x2A: "LC_SOURCE_VERSION"} | {
    0x32: "LC_BUILD_VERSION",
    0x2D: "LC_LINKER_OPTION",
    0x28: "LC_MAIN",
    0x2C: "LC_ENCRYPTION_INFO_64",
    **{code: f"LC_{name}_DYLIB" for code, name in _DYLIBS.items()},
}

_ZERO_FILLED = (0x1, 0xC, 0x12)
"""Types of sections that take no room: S_ZEROFILL, S_GB_ZEROFILL, S_THREAD_LOCAL_ZEROFILL."""
_INSTRUCTIONS = 0x80000400
"""S_ATTR_PURE_INSTRUCTIONS and S_ATTR_SOME_INSTRUCTIONS."""
_STAB = 0xE0
"""Bits of a symbol's type: it is debugging information (N_STAB)."""
_INDIRECT_TYPES = (0x6, 0x7, 0x8, 0x14)
"""Types of sections of which each entry has one in the table of indirect symbols."""


class NotMachOError(ValueError):
    """The bytes are not a Mach-O file that can be read within bounds."""


class Command(NamedTuple):
    """A load command that says something by itself."""

    name: str
    value: bytes
    """What follows its size."""


class Symbol(NamedTuple):
    """An entry of the symbol table (``nlist``)."""

    name: bytes
    kind: int
    section: int
    description: int
    value: int

    @property
    def is_stab(self) -> bool:
        """Whether it is debugging information, such as the path of an object file."""
        return bool(self.kind & _STAB)


class Section(NamedTuple):
    """A section, or a table that a load command leads to (address 0)."""

    size: int
    address: int
    digest: bytes
    is_code: bool
    data: bytes
    """Nothing for what takes no room, or is too large to be held."""


class Image(NamedTuple):
    """A thin file, or one slice of a universal one."""

    machine: str
    bits: int
    order: Literal["little", "big"]
    facts: tuple[str, ...]
    """What headers say of the whole: machine, type, flags; rights of segments, types of sections."""
    layout: tuple[str, ...]
    """Where segments and sections lie, and in which order the tables."""
    commands: tuple[Command, ...]
    commands_size: int
    sections: Mapping[str, Section]
    """By ``segment,section``."""
    tables: Mapping[str, Section]
    """What lies in __LINKEDIT, the symbols and the code signature aside."""
    symbols: tuple[Symbol, ...]
    indirect: tuple[bytes, ...]
    """Names of the symbols that stubs and pointers are for."""
    signature: bytes
    rest: bytes
    """Whatever no header leads to, without zeros: its first bytes, and a digest of all."""


class Universal(NamedTuple):
    """A Mach-O file."""

    is_universal: bool
    facts: tuple[str, ...]
    """Alignments and order of the slices."""
    images: Mapping[str, Image]
    """By the name of the machine."""


class _Reader:
    """Numbers and stretches of one slice, which begins at *base* in the file and is *size* bytes long."""

    def __init__(self, stream: IO[bytes], base: int, size: int, allowance: Allowance, room: int = LARGEST_HELD) -> None:
        """Take *size* bytes from *base* on.

        :param room: how many bytes of sections and tables may be held
        """
        self._stream, self._base, self.size, self._allowance, self._room = stream, base, size, allowance, room
        self.taken: list[tuple[int, int]] = []
        """Where what was read begins and ends."""
        self._length = 0

    def _checked(self, offset: int, size: int) -> None:
        if offset < 0 or size < 0 or offset + size > self.size:
            raise NotMachOError(f"{size} bytes at {offset:#x} lie outside of the file")

    def take(self, offset: int, size: int) -> bytes:
        """Return *size* bytes at *offset*."""
        self._count(offset, size)
        self._stream.seek(self._base + offset)
        return self._stream.read(size)

    def _count(self, offset: int, size: int) -> None:
        """Note what is read; beyond the size of the file, as where all sections are one stretch, there is a limit."""
        self._checked(offset, size)
        self._length += size
        self._allowance.unpack(max(0, min(size, self._length - self.size)))
        self.taken.append((offset, offset + size))

    def section(
        self, offset: int, size: int, address: int = 0, *, is_code: bool = False, is_needed: bool = False
    ) -> Section:
        """Return the stretch of *size* bytes at *offset*, which are held if they are not too many.

        :param is_needed: whether they are held wherever they may be, whatever else is held
        """
        if size <= LARGEST_PART and (is_needed or size <= self._room):
            data = self.take(offset, size)
            self._room -= 0 if is_needed else size
            return Section(size, address, hashlib.sha256(data).digest(), is_code, data)
        self._count(offset, size)
        state = hashlib.sha256()
        for chunk in self._chunks(offset, size):
            state.update(chunk)
        return Section(size, address, state.digest(), is_code, b"")

    def _chunks(self, offset: int, size: int) -> Iterator[bytes]:
        self._stream.seek(self._base + offset)
        while size > 0 and (chunk := self._stream.read(min(size, CHUNK_SIZE))):
            size -= len(chunk)
            yield chunk

    def rest(self) -> bytes:
        """Return what was not read, without zeros: the first bytes and a digest."""
        state, first, at = hashlib.sha256(), b"", 0
        for begin, end in sorted([*self.taken, (self.size, self.size)]):
            for chunk in self._chunks(at, begin - at):
                piece = chunk.translate(None, b"\0")
                state.update(piece)
                first += piece[: 64 - len(first)]
            at = max(at, end)
        return first + state.digest() if first else b""


def read(stream: IO[bytes], allowance: Allowance) -> Universal:
    """Return what *stream* holds.

    :raises NotMachOError: if that is not Mach-O, or is outside of what the bounds allow.
    :raises HostileArchiveError: if its parts overlap so that reading them exceeds *allowance*.
    """
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    head = stream.read(8)
    try:
        if head[:4] in _THIN:
            image = _image(_Reader(stream, 0, size, allowance))
            return Universal(False, (), {image.machine: image})
        return _universal(stream, size, head, allowance)
    except struct.error as error:
        raise NotMachOError(str(error)) from error


def _universal(stream: IO[bytes], size: int, head: bytes, allowance: Allowance) -> Universal:
    magic, count = struct.unpack(">II", head)
    if magic not in (_FAT, _FAT_64) or not 0 < count <= MOST_SLICES:
        raise NotMachOError(f"magic {magic:#x} with {count} slices")
    form = ">IIIII" if magic == _FAT else ">IIQQII"
    whole = _Reader(stream, 0, size, allowance)
    table = whole.take(0, 8 + count * struct.calcsize(form))[8:]
    images: dict[str, Image] = {}
    facts = [f"magic {magic:#x}"]
    places: list[tuple[int, int]] = []
    for kind, subtype, offset, length, align, *_ in struct.iter_unpack(form, table):
        name = _machine(kind, subtype)
        if name in images or any(offset < end and begin < offset + length for begin, end in places):
            raise NotMachOError(f"slice {name} is given twice, or overlaps another")
        whole._checked(offset, length)
        places.append((offset, offset + length))
        whole.taken.append(places[-1])
        images[name] = _image(_Reader(stream, offset, length, allowance, LARGEST_HELD // count))
        facts.append(f"{name}: aligned to 2**{align}")
    rest = whole.rest()
    return Universal(True, (*facts, *([f"outside of the slices: {rest.hex()}"] if rest else ())), images)


def _machine(kind: int, subtype: int) -> str:
    subtype &= _SUBTYPE_MASK
    return _SUBTYPES.get((kind, subtype)) or _MACHINES.get(kind) or f"cpu {kind:#x}/{subtype:#x}"


def _image(reader: _Reader) -> Image:
    magic = reader.take(0, 4)
    if magic not in _THIN:
        raise NotMachOError("a slice is not Mach-O")
    order, bits = _THIN[magic]
    begin = 28 if bits == 32 else 32  # the latter with a reserved word
    kind, subtype, file_type, count, size, flags = struct.unpack(order + "6I", reader.take(4, 24))
    if count > MOST_COMMANDS or size > MOST_COMMAND_BYTES:
        raise NotMachOError(f"{count} load commands of {size} bytes")
    commands = list(_commands(reader.take(begin - 4, size + 4)[4:], count, order))
    builder = _Builder(reader, order, bits)
    for code, value in commands:
        builder.add(code, value)
    machine = _machine(kind, subtype)
    facts = (f"{machine} ({subtype:#x}), {bits} bits, {order}, type {file_type}, flags {flags:#x}", *builder.facts)
    return builder.done(machine, facts, size)


def _commands(data: bytes, count: int, order: str) -> Iterator[tuple[int, bytes]]:
    """Give each command's code and what follows its size."""
    at = 0
    for _ in range(count):
        code, size = struct.unpack_from(order + "II", data, at)
        # One that does not advance would be read without end; the format wants multiples of four.
        if size < 8 or at + size > len(data):
            raise NotMachOError(f"load command {code:#x} of {size} bytes")
        yield code, data[at + 8 : at + size]
        at += size
    if any(data[at:]):
        raise NotMachOError("bytes behind the last load command")


class _Builder:
    """Collects what load commands say and lead to."""

    def __init__(self, reader: _Reader, order: Literal["<", ">"], bits: int) -> None:
        self._reader, self._order, self._bits = reader, order, bits
        self.facts: list[str] = []
        self._layout: list[str] = []
        self._commands: list[Command] = []
        self._sections: dict[str, Section] = {}
        self._tables: dict[str, Section] = {}
        self._symtab: tuple[int, ...] = ()
        self._dysymtab: tuple[int, ...] = ()
        self._signature = b""
        self._places: list[tuple[int, str]] = []
        self._again: Counter[str] = Counter()
        """How often names of sections have come again."""

    def add(self, code: int, value: bytes) -> None:
        """Take a load command."""
        plain = code & ~_REQUIRED
        if plain in (_SEGMENT, _SEGMENT_64):
            self._segment(value, 64 if plain == _SEGMENT_64 else 32)
        elif plain == _SYMTAB:
            if self._symtab:
                raise NotMachOError("two symbol tables")
            self._symtab = self._numbers(value, 4)
        elif plain == _DYSYMTAB:
            if self._dysymtab:
                raise NotMachOError("two tables of dynamic symbols")
            self._dysymtab = self._numbers(value, 18)
        elif plain == _SIGNATURE:
            self._signature = self._table("code signature", *self._numbers(value, 2)).data or b"\0"
        elif plain in _BLOBS:
            self._keep(_BLOBS[plain], *self._numbers(value, 2))
        elif plain == 0x22:  # LC_DYLD_INFO
            numbers = self._numbers(value, 10)
            for name, offset, size in zip(_DYLD_INFO, numbers[::2], numbers[1::2]):
                self._keep(name, offset, size)
        else:
            self._commands.append(Command(_COMMANDS.get(plain, f"LC_{code:#x}"), value))

    def _numbers(self, value: bytes, count: int) -> tuple[int, ...]:
        return struct.unpack_from(f"{self._order}{count}I", value)

    def _table(self, name: str, offset: int, size: int, *, is_needed: bool = True) -> Section:
        self._places.append((offset, name))
        return self._reader.section(offset, size, is_needed=is_needed)

    def _keep(self, name: str, offset: int, size: int) -> None:
        if name in self._tables:
            raise NotMachOError(f"two tables of {name}")
        if size:
            self._tables[name] = self._table(name, offset, size, is_needed=False)

    def _segment(self, value: bytes, bits: int) -> None:
        form = self._order + ("16s4Q4I" if bits == 64 else "16s8I")
        name, address, size, offset, length, most, rights, count, flags = struct.unpack_from(form, value)
        segment = _text(name)
        self.facts.append(f"segment {segment}, rights {most:#x} and {rights:#x}, flags {flags:#x}")
        # How long __LINKEDIT is follows from what is in it.
        ends = "" if segment == "__LINKEDIT" else f" to {address + size:#x}, {length:#x} bytes"
        self._layout.append(f"segment {segment} at {address:#x}, offset {offset:#x}{ends}")
        form, at = self._order + ("16s16s2Q8I" if bits == 64 else "16s16s9I"), struct.calcsize(form)
        if count > MOST_COMMANDS - len(self._sections):
            raise NotMachOError(f"{count} sections")
        for _ in range(count):
            self._section(struct.unpack_from(form, value, at), length > 0)
            at += struct.calcsize(form)

    def _section(self, fields: Sequence[object], is_in_file: bool) -> None:
        section, segment = (_text(name) for name in fields[:2] if isinstance(name, bytes))
        address, size, offset, align, at, count, flags, *reserved = (each for each in fields if isinstance(each, int))
        name = plain = f"{segment},{section}"
        while name in self._sections:  # the format does not forbid it
            # Not longer and longer names, which take the square of their number, and more.
            self._again[plain] += 1
            name = f"{plain}'{self._again[plain]}"
        # reserved1 of a section with stubs or pointers is its first entry among the indirect symbols.
        first = 0 if flags & 0xFF in _INDIRECT_TYPES else reserved[0]
        self.facts.append(f"section {name}, aligned to 2**{align}, flags {flags:#x}, {first:#x} {reserved[1]:#x}")
        self._layout.append(f"section {name} at {address:#x}, offset {offset:#x}")
        is_empty = flags & 0xFF in _ZERO_FILLED or not is_in_file
        is_code = bool(flags & _INSTRUCTIONS)
        if is_empty:
            self._sections[name] = Section(size, address, b"", is_code, b"")
        else:
            self._sections[name] = self._reader.section(offset, size, address, is_code=is_code)
        if count:
            self._keep(f"relocations of {name}", at, 8 * count)

    def done(self, machine: str, facts: tuple[str, ...], size: int) -> Image:
        """Return all of it."""
        symbols = self._symbols()
        indirect = self._dynamic(symbols)
        order = [name for _, name in sorted(self._places)]
        # With a signature or without one, the other tables have an order.
        layout = (*self._layout, "tables: " + ", ".join(name for name in order if name != "code signature"))
        return Image(
            machine,
            self._bits,
            "little" if self._order == "<" else "big",
            facts,
            layout,
            tuple(self._commands),
            size,
            self._sections,
            self._tables,
            symbols,
            indirect,
            self._signature,
            self._reader.rest(),
        )

    def _symbols(self) -> tuple[Symbol, ...]:
        if not self._symtab:
            return ()
        offset, count, begin, size = self._symtab
        form = self._order + ("IBBHQ" if self._bits == 64 else "IBBHI")
        if count > MOST_SYMBOLS or size > LARGEST_PART:
            self._keep("symbols", offset, count * struct.calcsize(form))
            self._keep("names of symbols", begin, size)
            return ()
        entries = list(struct.iter_unpack(form, self._table("symbols", offset, count * struct.calcsize(form)).data))
        texts = self._table("names of symbols", begin, size).data
        names = _names(texts, {entry[0] for entry in entries})
        ends = sorted((at, at + len(name)) for at, name in names.items())
        left = b"".join(texts[at:end] for at, end in zip([0, *(end for _, end in ends)], [at for at, _ in ends]))
        left += texts[max((end for _, end in ends), default=0) :]
        # A text that nothing names stays what it is; linkers begin the table with a blank, and fill it up with zeros.
        if unnamed := left.replace(b"\0", b"").strip():
            self._tables["texts beside the names of symbols"] = Section(
                len(unnamed), 0, hashlib.sha256(unnamed).digest(), False, left
            )
        return tuple(Symbol(names[entry[0]], *entry[1:]) for entry in entries)

    def _dynamic(self, symbols: Sequence[Symbol]) -> tuple[bytes, ...]:
        """Return the names of the indirect symbols, and note what else LC_DYSYMTAB says that does not follow."""
        if not self._dysymtab:
            return ()
        numbers = self._dysymtab
        stabs = sum(symbol.is_stab for symbol in symbols)
        first, local, external, exported, undefined, _ = numbers[:6]
        # Three groups, one behind the other; stabs are among the local ones.
        groups = first, local - stabs, external - local, exported, undefined - local - exported, *numbers[7:12:2]
        self.facts.append(f"groups of symbols {groups}")
        self._keep("external relocations", numbers[14], 8 * numbers[15])
        self._keep("local relocations", numbers[16], 8 * numbers[17])
        offset, count = numbers[12:14]
        if 4 * count > LARGEST_PART or not symbols:
            self._keep("indirect symbols", offset, 4 * count)
            return ()
        table = self._table("indirect symbols", offset, 4 * count).data
        # INDIRECT_SYMBOL_LOCAL and _ABS are no indices.
        return tuple(
            symbols[index].name if index < len(symbols) else b"%#x" % index
            for (index,) in struct.iter_unpack(self._order + "I", table)
        )


def _text(name: bytes) -> str:
    return name.rstrip(b"\0").decode("ascii", "backslashreplace")


def _names(texts: bytes, offsets: set[int]) -> dict[int, bytes]:
    """Return the text at each of *offsets*."""
    names, total = {}, 0
    for offset in offsets:
        if offset and offset >= len(texts):
            raise NotMachOError(f"the name of a symbol lies at {offset:#x}, behind all names")
        end = texts.find(b"\0", offset)
        end = len(texts) if end < 0 else end
        total += end - offset
        # Names may share their ends, but not so that they are many times as long as the table.
        if total > 4 * len(texts) + 4096:
            raise NotMachOError("names of symbols overlap")
        names[offset] = texts[offset:end]
    return names
