"""Hostile files of many kinds, each of at most a megabyte, and what a command takes to read one.

Every kind is made twice, with a difference: what is compared is to be read to its depth.
"""

from __future__ import annotations

import json
import os
import struct
import sys
import tempfile
import traceback
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from . import artifacts, tars, zips
from .conditions import roomy_memory

LARGEST = 1_000_000
"""Bytes of a file."""

MOST_CPU = 2.0
"""Seconds that a command may take for it."""

MOST_MEMORY = 150_000_000
"""Bytes that it may hold."""

INFO = "demo-1.0.dist-info"
WHEEL = "demo-1.0-py3-none-any.whl"
SDIST = "demo-1.0.tar.gz"
METADATA = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n"
WHEEL_FILE = b"Wheel-Version: 1.0\nGenerator: demo 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"

Make = Callable[[int], bytes]
"""Gives the file of a kind; the number is 0 or 1, for the two of a pair."""

M = 1 << 20


class Kind(NamedTuple):
    """One way to be hostile."""

    name: str
    filename: str
    make: Make


def _wheel(files: Mapping[str, bytes], *, record: bytes | None = None, **extra: bytes) -> bytes:
    """Return a wheel whose RECORD is right, unless one is given; *extra* are files of ``.dist-info``."""
    held = {**files, f"{INFO}/METADATA": METADATA, f"{INFO}/WHEEL": WHEEL_FILE}
    held.update((f"{INFO}/{name.replace('_txt', '.txt')}", data) for name, data in extra.items())
    if record is None:
        record = artifacts.record_of(held, f"{INFO}/RECORD")
    return zips.build(*(_member(name, data) for name, data in (*held.items(), (f"{INFO}/RECORD", record))))


def _member(name: str, data: bytes) -> zips.Member:
    # Compressed once, and well: a file has room for more then.
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return zips.Member(name.encode(), data, packed=packer.compress(data) + packer.flush())


def _sdist(*parts: bytes, info: bool = True) -> bytes:
    """Return an sdist of one top directory, with its PKG-INFO."""
    first = [tars.member(b"demo-1.0/PKG-INFO", METADATA)] if info else []
    return _gzip(tars.tar(*first, *parts))


def _gzip(data: bytes, level: int = 9) -> bytes:
    packer = zlib.compressobj(level, zlib.DEFLATED, -15)
    stream = packer.compress(data) + packer.flush()
    return tars.CANONICAL_GZIP + stream + struct.pack("<LL", zlib.crc32(data), len(data) & 0xFFFFFFFF)


def _pyc(code: bytes, source: bytes = b"", magic: int = 3495) -> bytes:
    return struct.pack("<H", magic) + b"\r\n" + struct.pack("<LLL", 0, 1, len(source)) + code


def _code(constant: bytes) -> bytes:
    """Return a marshalled code object of CPython 3.11 with *constant* among its constants."""
    empty, name = b")\0", b"z\1a"
    fields = [b"s\0\0\0\0", b")\1" + constant, empty, empty, b"s\0\0\0\0", b"z\1f", name, name]
    return b"c" + bytes(20) + b"".join(fields) + bytes(4) + b"s\0\0\0\0" + b"s\0\0\0\0"


def _compiled(constant: bytes) -> bytes:
    return _wheel({"demo.py": b"", "__pycache__/demo.cpython-311.pyc": _pyc(_code(constant))})


def _long(count: int) -> bytes:
    return struct.pack("<L", count)


def _texts(name: str, text: bytes) -> bytes:
    """Return a wheel with a file of ``.dist-info``."""
    return _wheel({"demo.py": b"pass\n"}, **{name: text})


def _sboms(*documents: object) -> bytes:
    texts = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in documents]
    return _wheel({f"{INFO}/sboms/{number}.json": text for number, text in enumerate(texts)})


def _cyclone(**more: object) -> dict[str, object]:
    serial = "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79"
    return {"bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": serial, **more}


def _nested_zip(depth: int, inner: bytes) -> bytes:
    for _ in range(depth):
        inner = zips.build(zips.Member(b"inner.zip", inner))
    return inner


def _nested_tar(depth: int, inner: bytes) -> bytes:
    for _ in range(depth):
        inner = _gzip(tars.tar(tars.member(b"demo-1.0/inner.tar.gz", inner)))
    return inner


def _overlapping(size: int) -> bytes:
    """Return a ZIP file in which each member's contents hold all that follow (Fifield, "A better zip bomb")."""
    shared = zips.Member(b"pkg/a.py", bytes(size))
    return zips.build(
        *(zips.Member(b"pkg/%d.py" % n, bytes(size), offset=0, packed=shared.contents()) for n in range(64))
    )


def _seeded(count: int, variant: int) -> Iterator[int]:
    """Give numbers that look random, for what must not compress away."""
    state = 12345 + variant
    for _ in range(count):
        state = (1103515245 * state + 12345) & 0x7FFFFFFF
        yield state


def _macho(sections: int, symbols: int, variant: int, size: int) -> bytes:
    """Return a library for x86-64 of which all sections are the same bytes, and all symbols' names begin among these."""
    section = struct.pack("<16s16s2Q8I", b"__one", b"__TEXT", 0, size, 0, 0, 0, 0, 0, 0, 0, 0)
    segment = struct.pack("<2I16s4Q4I", 0x19, 72 + 80 * sections, b"__TEXT", 0, size, 0, size, 5, 5, sections, 0)
    begin = 32 + len(segment) + len(section) * sections + 24
    table = b"".join(struct.pack("<IBBHQ", number * 10, 1, 0, 0, variant) for number in range(symbols))
    symtab = struct.pack("<6I", 2, 24, begin, symbols, begin + len(table), size - begin - len(table))
    commands = segment + section * sections + symtab
    data = struct.pack("<8I", 0xFEEDFACF, 0x1000007, 3, 8, 2, len(commands), 0, 0) + commands + table
    return data + (b"_name%04d\0" % variant * (size // 10))[: size - len(data)]


def _elf(sections: int, variant: int, more: int = 99) -> bytes:
    """Return a shared object for x86-64 that says it has so many sections, all of them its string table and the rest."""
    names = b"\0" + b".debug_info\0" * 50
    head = struct.pack(
        "<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1" + bytes(9), 3, 62, 1, 0, 0, 64, 0, 64, 0, 0, 64, sections, 1
    )
    size = len(names) + (more if more > 99 else 0)
    section = struct.pack("<IIQQQQIIQQ", 1, 3, 0, 0, 64 + 64 * sections, size, 0, 0, 1, 0)
    return head + section * sections + names + bytes([variant + 65 if more > 99 else variant]) * more


def _links(count: int) -> list[bytes]:
    chain = [tars.symlink(b"demo-1.0/l%d" % n, b"l%d/l%d" % (n + 1, n + 1)) for n in range(count)]
    return [*chain, tars.directory(b"demo-1.0/l%d" % count)]


def _deep(levels: int, files: int) -> list[bytes]:
    path = "/".join("d" for _ in range(levels))
    return [tars.pax(tars.record("path", f"demo-1.0/{path}/{n}")) + tars.member(b"x", b"") for n in range(files)]


WHEELS: dict[str, Make] = {
    "an honest wheel": lambda v: _wheel({"demo.py": b"x = %d\n" % v, "pkg/__init__.py": b""}),
    "zip bomb of one member": lambda v: _wheel({"zeros.bin": bytes(75 * M + v)}),
    "zip bomb of many members": lambda v: _wheel({f"{n}.bin": bytes(2 * M + v) for n in range(36)}),
    "zip bomb that overlaps": lambda v: _overlapping(M + v),
    "many members": lambda v: _wheel({f"{n}": b"%d" % v for n in range(4200)}),
    "many names of 4,000 bytes": lambda v: _wheel({f"{n:03}" + "x" * 3990 + f"{v}": b"" for n in range(80)}),
    "many deep names": lambda v: _wheel({"d/" * 1900 + f"{n}{v}": b"" for n in range(80)}),
    "many names beneath one another": lambda v: _wheel({"a/" * n + f"f{v}": b"" for n in range(1, 600)}),
    "names that differ late": lambda v: _wheel({"x" * 400 + f"{n}{v}": b"" for n in range(500)}),
    "METADATA of one line": lambda v: _texts("METADATA", METADATA + b"Summary: " + b"x" * (4 * M - 99) + b"%d\n" % v),
    "METADATA larger than any": lambda v: _texts("METADATA", METADATA + b"\n" + b"x" * (20 * M + v)),
    "METADATA of many fields": lambda v: _texts("METADATA", METADATA + b"A:%d\n" % v + b"A:\n" * 65000),
    "METADATA of many continuations": lambda v: _texts("METADATA", METADATA + b"A:%d\n" % v + b" \n" * 65000),
    "METADATA of blanks": lambda v: _texts("METADATA", METADATA + b"Summary:" + b" " * (3 * M) + b"%d\n" % v),
    "METADATA of requirements": lambda v: _texts(
        "METADATA", METADATA + b"".join(b"Requires-Dist: a%d; extra == 'e%d'\n" % (n + v, n) for n in range(60000))
    ),
    "METADATA of carriage returns": lambda v: _texts(
        "METADATA", METADATA + b"A: b\r\n" * 60000 + b"\r" * M + b"%d" % v
    ),
    "WHEEL of many tags": lambda v: _texts(
        "WHEEL", WHEEL_FILE + b"".join(b"Tag: %d\n" % (n ^ 12345 + v) for n in range(60000))
    ),
    "RECORD of 100,000 rows": lambda v: _wheel(
        {}, record=b"".join(b"%x,sha256=%d,%d\n" % (n, v, n) for n in range(100_000))
    ),
    "RECORD of one row": lambda v: _wheel({}, record=b"a" * (15 * M) + b",sha256=%d,1\n" % v),
    "RECORD of one quotation": lambda v: _wheel({}, record=b'"' + b"a\n" * (1 << 17) + b"b" * (12 * M) + b"%d" % v),
    "RECORD of quotation marks": lambda v: _wheel({}, record=b'"' * (15 * M) + b"%d" % v),
    "RECORD of commas": lambda v: _wheel({}, record=b"," * (15 * M) + b"%d" % v),
    "RECORD of one row again and again": lambda v: _wheel({}, record=b"a,sha256=%d,1\n" % v * 250_000),
    "RECORD larger than any": lambda v: _wheel({}, record=b"a,sha256=%d,1\n" % v * 2_000_000),
    "RECORD that is not text": lambda v: _wheel({}, record=b"a,,\n" * 200_000 + b"\xff%d" % v),
    "RECORD of long numbers": lambda v: _wheel({}, record=b"demo.py,sha256=a," + b"9" * (8 * M) + b"%d\n" % v),
    "entry_points.txt of many groups": lambda v: _texts(
        "entry_points_txt", b"".join(b"[g%d]\na%d = b:c\n" % (n, v) for n in range(30000))
    ),
    "entry_points.txt of one line": lambda v: _texts("entry_points_txt", b"[console_scripts]\na = " + b"b." * (M + v)),
    "top_level.txt of many lines": lambda v: _texts("top_level_txt", b"b\na\n" * 32000 + b"%d\n" % v),
    "SBOM that is deep": lambda v: _sboms(b'{"bomFormat": "CycloneDX", "a": ' + b"[" * (M + v) + b"]" * (M + v) + b"}"),
    "SBOM that is wide": lambda v: _sboms(_cyclone(components=[{"bom-ref": f"r{n}{v}"} for n in range(90_000)])),
    "SBOM of paths": lambda v: _sboms(
        _cyclone(components=[{"bom-ref": f"path+file:///a/b/{n}#{v}"} for n in range(40_000)])
    ),
    "SBOM of one path": lambda v: _sboms(_cyclone(name="file:///" + "a/" * M + f"{v}", note="file:" * M)),
    "SBOM of numbers": lambda v: _sboms(_cyclone(many=list(range(400_000 + v)))),
    "SBOM of one number": lambda v: _sboms(b'{"bomFormat": "CycloneDX", "a": ' + b"9" * (8 * M + v) + b"}"),
    "SBOM of identifiers": lambda v: _sboms(
        *(_cyclone(refs=[f"{n:08x}-395b-41f5-a30f-{m:012x}{v}" for n in range(2000)]) for m in range(10))
    ),
    "SBOM of parentheses": lambda v: _sboms(_cyclone(a="(" * (2 * M + v), b="path+file://" * 100_000)),
    "SBOMs by the thousand": lambda v: _sboms(*(_cyclone(a=f"{n}{v}") for n in range(1500))),
    "marshal: nested tuples": lambda v: _compiled(b")\1" * (1900 + v) + b"N"),
    "marshal: nested deeper": lambda v: _compiled(b")\1" * (M + v) + b"N"),
    "marshal: one value a million times": lambda v: _compiled(b"(" + _long(4 * M + v) + b"N" * (4 * M + v)),
    "marshal: references to references": lambda v: _compiled(
        b"("
        + _long(20 + v)
        + b"\xa9\0"
        + b"".join(b"\xa9\2" + b"r" + _long(n) + b"r" + _long(n) for n in range(1, 20 + v))
    ),
    "marshal: a frozenset": lambda v: _compiled(
        b">" + _long(400_000) + b"".join(b"i" + _long(n ^ 0x5555 + v) for n in range(400_000))
    ),
    "marshal: frozensets in frozensets": lambda v: _compiled(
        (b">" + _long(2) + b"i" + _long(7)) * (1900 + v) + b">" + _long(0)
    ),
    "marshal: frozensets of frozensets": lambda v: _compiled(
        b"("
        + _long(3000)
        + b"".join(b">" + _long(30) + b"".join(b"i" + _long(m * n + v) for m in range(30)) for n in range(3000))
    ),
    "marshal: integers": lambda v: _compiled(
        b"(" + _long(300_000) + b"".join(b"i" + _long(n * 7 + v) for n in range(300_000))
    ),
    "marshal: one integer": lambda v: _compiled(b"l" + _long(4 * M + v) + b"\1\0" * (4 * M + v)),
    "marshal: strings": lambda v: _compiled(
        b"(" + _long(150_000) + b"".join(b"z\6%06d" % (n + v) for n in range(150_000))
    ),
    "marshal: one string": lambda v: _compiled(b"u" + _long(14 * M + v) + b"a" * (14 * M + v)),
    "marshal: code in code": lambda v: _compiled(_code_in_code(150 + v)),
    "marshal: floats that are no numbers": lambda v: _compiled(
        b"(" + _long(300_000) + (b"g" + struct.pack("<d", float("nan"))) * 299_999 + b"i" + _long(v)
    ),
    "compiled modules by the thousand": lambda v: _wheel(
        {
            name: data
            for n in range(1500)
            for name, data in (
                (f"m{n}.py", b"x=%d" % v),
                (f"__pycache__/m{n}.cpython-311.pyc", _pyc(_code(b"i" + _long(n)), b"x=%d" % v)),
            )
        }
    ),
    "a source of 60 MB for a compiled module": lambda v: _wheel(
        {"demo.py": bytes(60 * M + v), "__pycache__/demo.cpython-38.pyc": _pyc(_code(b"N"), bytes(60 * M + v), 3413)}
    ),
    "compiled modules of 100 MB": lambda v: _wheel(
        {
            name: data
            for n in range(10)
            for name, data in (
                (f"m{n}.py", b""),
                (f"__pycache__/m{n}.cpython-311.pyc", _pyc(_code(b"(" + _long(9 * M + v) + b"N" * (9 * M + v)))),
            )
        }
    ),
    "a text of many lines": lambda v: _wheel({"a.txt": b"".join(b"%d\n" % (n % 977 ^ v) for n in range(600_000))}),
    "a text of lines that are equal": lambda v: _wheel({"a.txt": b"a\nb\n" * 900_000 + b"c\n" * v}),
    "a text of one line": lambda v: _wheel({"a.txt": b"ab" * (2 * M - v) + b"%d" % v}),
    "a text of times": lambda v: _wheel(
        {"a.py": b"".join(b"t = '2020-01-%02d 10:00:0%d'\n" % (n % 28 + 1, v) for n in range(90_000))}
    ),
    "a text of paths": lambda v: _wheel({"a.py": b"/tmp/build%d/" % v * 200_000}),
    "a text of digits": lambda v: _wheel({"a.py": b"7" * (3 * M) + b"%d" % v}),
    "a text of blanks": lambda v: _wheel({"a.py": b" " * (3 * M) + b"%d" % v}),
    "JSON that is deep": lambda v: _wheel({"a.json": b"[" * (M - v) + b"]" * (M - v)}),
    "JSON that is wide": lambda v: _wheel({"a.json": json.dumps({f"k{n}": n ^ v for n in range(120_000)}).encode()}),
    "JSON of a number": lambda v: _wheel({"a.json": b"9" * (M + v)}),
    "HTML and XML of brackets": lambda v: _wheel({"a.html": b"<a " * M + b"%d" % v, "a.xml": b"<a>" * M + b"%d" % v}),
    "texts of times by the dozen": lambda v: _wheel(
        {
            f"{m}.py": b"".join(b"t = '2020-01-%02d 10:00:0%d'\n" % (n % 28 + 1, v) for n in range(8000))
            for m in range(40)
        }
    ),
    "a text of many changes": lambda v: _wheel(
        {"a.py": b"".join(b"t%d = '2020-01-01 10:00:0%d'\n" % (n, 0 if n % 5 else v) for n in range(9000))}
    ),
    "texts in a binary": lambda v: _wheel({"a.bin": b"\0/home/ada%d/x.c" % v * (3 * M)}),
    "paths in binaries": lambda v: _wheel(
        {f"{m}.bin": b"".join(b"\0/home/ada%d/%d/x.c" % (v, n) for n in range(9000)) for m in range(20)}
    ),
    "letters in a binary": lambda v: _wheel({"a.bin": b"\0" + b"ABCDEF"[v : v + 5] * (2 * M)}),
    "bytes of which all differ": lambda v: _wheel({"a.bin": b"\0" + bytes([v + 1]) * (60 * M)}),
    "an ELF file of 60,000 sections": lambda v: _wheel({"a.so": _elf(60_000, v)}),
    "an ELF file of sections that are one": lambda v: _wheel({"a.so": _elf(40, v, 11 * M)}),
    "ELF files of sections that are one": lambda v: _wheel({f"{n}.so": _elf(100, v, 20_000) for n in range(100)}),
    "an ELF file of zeros": lambda v: _wheel({"a.so": b"\x7fELF\2\1\1" + bytes(60 * M) + bytes([v])}),
    "a Mach-O file of a million slices": lambda v: _wheel(
        {"a.so": struct.pack(">II", 0xCAFEBABE, M) + bytes(20 * M) + bytes([v])}
    ),
    "a Mach-O file of sections that are one": lambda v: _wheel({"a.so": _macho(4000, 0, v, 8 * M)}),
    "a Mach-O file of many symbols": lambda v: _wheel({"a.so": _macho(0, 30_000, v, M)}),
    "ZIP files in one another": lambda v: _wheel({"a.zip": _nested_zip(300, b"%d" % v)}),
    "a ZIP bomb in a wheel": lambda v: _wheel(
        {"a.zip": zips.build(*(zips.Member(b"%d" % n, bytes(M + v)) for n in range(60)))}
    ),
    "many ZIP files in a wheel": lambda v: _wheel(
        {f"{n}.zip": zips.build(*(zips.Member(b"%d" % m, b"%d" % v) for m in range(20))) for n in range(150)}
    ),
    "tar files in one another": lambda v: _wheel({"a.tar.gz": _nested_tar(100, b"%d" % v)}),
    "gzip bombs in a wheel": lambda v: _wheel({f"{n}.gz": _gzip(bytes(20 * M + v)) for n in range(8)}),
    "a source of 60 MB": lambda v: _wheel({"demo.py": b"x=%d\n" % v * (15 * M)}),
    "a source of functions that are alike": lambda v: _wheel({"demo.py": b"def f():pass\n" * 20_000 + b"%d\n" % v}),
    "sources that nest": lambda v: _wheel({"demo.py": b"x = " + b"(" * 90_000 + b"%d" % v + b")" * 90_000}),
    "sources of signs": lambda v: _wheel({"demo.py": b"x = " + b"-" * 300_000 + b"%d\n" % v}),
    "sources of one sum": lambda v: _wheel({"demo.py": b"x = 1" + b"+1" * 20_000 + b"+%d\n" % v}),
    "sources by the thousand": lambda v: _wheel({f"m{n}.py": b"x = %d\n" % v for n in range(3000)}),
}


def _code_in_code(depth: int) -> bytes:
    constant = b"N"
    for _ in range(depth):
        constant = _code(constant)
    return constant


def _members(count: int, variant: int) -> bytes:
    """Return a tar of so many members, which differ by their names alone."""
    block = bytearray(tars.header(b"demo-1.0/0000000"))
    plain = sum(block[:148]) + sum(block[156:]) + 8 * 32 - 7 * 48
    out = []
    for number in range(count):
        digits = b"%07d" % (number * 2 + variant)
        block[9:16] = digits
        block[148:156] = b"%06o\0 " % (plain + sum(digits))
        out.append(bytes(block))
    return b"".join(out)


SDISTS: dict[str, Make] = {
    "an honest sdist": lambda v: _sdist(tars.member(b"demo-1.0/demo.py", b"x = %d\n" % v)),
    "gzip bomb": lambda v: _sdist(tars.member(b"demo-1.0/zeros", bytes(75 * M + v))),
    "gzip bomb of 300 MB": lambda v: _gzip(bytes(300 * M + v)),
    "gzip members by the thousand": lambda v: _gzip(b"") * 45_000 + _sdist(tars.member(b"demo-1.0/a", b"%d" % v)),
    "gzip header that never ends": lambda v: b"\x1f\x8b\x08\x08" + bytes(4) + b"\0\xff" + b"x" * 900_000 + b"%d" % v,
    "members by the hundred thousand": lambda v: _sdist(_members(100_000, v)),
    "members by the hundred thousand, each with contents": lambda v: _sdist(
        *(tars.member(b"demo-1.0/%d" % n, b"%d" % v) for n in range(40_000))
    ),
    "PAX records of 1 MB": lambda v: _sdist(
        *(
            tars.pax(tars.record("comment", b"x" * 1_000_000)) + tars.member(b"demo-1.0/%d%d" % (n, v))
            for n in range(100)
        )
    ),
    "PAX keywords of 1 MB": lambda v: _sdist(
        *(tars.pax(tars.record("x" * 1_000_000, b"")) + tars.member(b"demo-1.0/%d%d" % (n, v)) for n in range(100))
    ),
    "PAX records by the hundred thousand": lambda v: _sdist(
        tars.pax(b"".join(tars.record(f"SCHILY.xattr.{n}", b"") for n in range(40_000)))
        + tars.member(b"demo-1.0/%d" % v)
    ),
    "a PAX record without a blank": lambda v: _sdist(tars.pax(b"9" * 900 + b"%d" % v) + tars.member(b"demo-1.0/a")),
    "PAX records without a blank, behind sound ones": lambda v: _sdist(
        tars.pax(tars.record("comment", "a") + b"%d" % (10**40 + v)) + tars.member(b"demo-1.0/a")
    ),
    "global PAX headers": lambda v: _sdist(
        *(
            tars.pax(tars.record("comment", b"x" * 5000), typeflag=b"g") + tars.member(b"demo-1.0/%d%d" % (n, v))
            for n in range(5000)
        )
    ),
    "one global PAX header for many members": lambda v: _sdist(
        tars.pax(b"".join(tars.record(f"A.{n}", b"") for n in range(5000)), typeflag=b"g"), _members(20_000, v)
    ),
    "GNU long names": lambda v: _sdist(
        *(
            tars.gnu_long(b"L", b"demo-1.0/" + b"x" * 900_000 + b"\0") + tars.member(b"demo-1.0/%d%d" % (n, v))
            for n in range(100)
        )
    ),
    "deep directories": lambda v: _sdist(*_deep(500 + v, 1000)),
    "deeper directories": lambda v: _sdist(*_deep(1900 + v, 3000)),
    "links in a chain": lambda v: _sdist(*_links(40 + v)),
    "links by the thousand": lambda v: _sdist(*_links(8000 + v)),
    "links through long paths": lambda v: _sdist(
        tars.directory(b"demo-1.0/d"),
        *(tars.symlink(b"demo-1.0/l%d" % n, b"d/" + b"../d/" * 18) for n in range(20_000 + v)),
    ),
    "hard links to a large file": lambda v: _sdist(
        tars.member(b"demo-1.0/a", bytes(20 * M + v)),
        *(tars.hard_link(b"demo-1.0/l%d" % n, b"demo-1.0/a") for n in range(9000)),
    ),
    "hard links by the hundred thousand": lambda v: _sdist(
        tars.member(b"demo-1.0/a", b"%d" % v),
        *(tars.hard_link(b"demo-1.0/l%d" % n, b"demo-1.0/a") for n in range(60_000)),
    ),
    "one name again and again": lambda v: _sdist(tars.member(b"demo-1.0/a", b"%d" % v) * 100_000),
    "names that differ in case": lambda v: _sdist(
        *(tars.member(b"demo-1.0/%s%d" % (case, n + v)) for n in range(20_000) for case in (b"a", b"A"))
    ),
    "PKG-INFO of many fields": lambda v: _sdist(
        tars.member(b"demo-1.0/PKG-INFO", METADATA + b"A:%d\n" % v + b"A:\n" * 65_000), info=False
    ),
    "PKG-INFO larger than any": lambda v: _sdist(
        tars.member(b"demo-1.0/PKG-INFO", METADATA + b"\n" + b"x" * (20 * M + v)), info=False
    ),
    "PKG-INFO by the thousand": lambda v: _sdist(
        *(tars.member(b"demo-1.0/%d/demo.egg-info/PKG-INFO" % n, METADATA + b"A:%d\n" % v * 500) for n in range(3000))
    ),
    "SOURCES.txt of many lines": lambda v: _sdist(
        tars.member(b"demo-1.0/demo.egg-info/SOURCES.txt", b"b\na\n" * 120_000 + b"%d\n" % v)
    ),
    "SOURCES.txt larger than any": lambda v: _sdist(
        tars.member(b"demo-1.0/demo.egg-info/SOURCES.txt", b"b\na\n" * 5_000_000 + b"%d\n" % v)
    ),
    "texts in an sdist": lambda v: _sdist(
        tars.member(b"demo-1.0/a.txt", b"".join(b"%d\n" % (n % 977 ^ v) for n in range(600_000)))
    ),
    "sdists in one another": lambda v: _nested_tar(60, _sdist(tars.member(b"demo-1.0/a", b"%d" % v))),
    "a date file of digits": lambda v: _sdist(tars.member(b"demo-1.0/.samebytes-date", b"9" * (8 * M) + b"%d" % v)),
    "a tar that is cut off": lambda v: _gzip(tars.member(b"demo-1.0/a", bytes(M + v))[: M // 2]),
}

KINDS = (
    *(Kind(name, WHEEL, make) for name, make in WHEELS.items()),
    *(Kind(name, SDIST, make) for name, make in SDISTS.items()),
)


def write(kind: Kind, directory: Path) -> tuple[Path, Path]:
    """Write the two files of *kind* into directories of their own in *directory*, and return their paths.

    In a child: what they are made of would count as held in all that this process measures later.
    """
    paths = [directory / str(variant) / kind.filename for variant in (0, 1)]
    pid = os.fork()
    if pid == 0:
        try:
            for variant, path in enumerate(paths):
                path.parent.mkdir(parents=True)
                path.write_bytes(kind.make(variant))
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(pid, 0)[1] == 0, kind.name
    assert max(path.stat().st_size for path in paths) <= LARGEST, kind.name
    return paths[0], paths[1]


def commands(kind: Kind, paths: tuple[Path, Path], scratch: Path) -> dict[str, list[str]]:
    """Return the command lines that read the files of *kind*, by the commands' names."""
    first, second = map(str, paths)
    lines = {
        "normalize": ["normalize", first, "-o", str(scratch / "out"), "-q"],
        "compare": ["compare", first, second],
    }
    if kind.filename == WHEEL:
        lines["install"] = ["install", first, "--target", str(scratch / "installed"), "-q"]
    return lines


class Taken(NamedTuple):
    """What a command took."""

    status: int
    """The exit status; negative for a signal."""
    cpu: float
    """Seconds, of the process and those that it started."""
    memory: int
    """Bytes that it held at most, of the process or one that it started."""

    @property
    def is_bounded(self) -> bool:
        """Whether that is as it should be for a file of up to a megabyte."""
        return 0 <= self.status < 70 and self.cpu < MOST_CPU and self.memory < MOST_MEMORY


LOADED = (
    "samebytes.archive.tar_reader",
    "samebytes.archive.tar_writer",
    "samebytes.archive.zip_reader",
    "samebytes.archive.zip_writer",
    "samebytes.commands.normalize.normalize",
    "samebytes_tools.commands.compare.compare",
    "samebytes_tools.commands.install.install",
)
"""What is loaded before a child is measured."""


def taken(arguments: Sequence[str], output: Path, *, seconds: int = 20, memory: int = 1 << 30) -> Taken:
    """Run ``samebytes`` with *arguments* in a child of this process, with the system's own limits, and measure it.

    The child has what this process has loaded, so that only what the command does is counted. *output* gets what it
    prints.

    :param seconds: of CPU, after which the system ends it.
    :param memory: the address space that it may have beyond what this process has, in bytes.
    """
    import resource

    for name in LOADED:
        import_module(name)
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        _, status, usage = os.wait4(pid, 0)
        return Taken(os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)
    try:
        from samebytes.commands.main import main

        sink = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(sink, 1)
        os.dup2(sink, 2)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_AS, (memory + _address_space(), memory + _address_space()))
        status = main(list(arguments))
        sys.stdout.flush()
        os._exit(status)
    finally:
        os._exit(70)


def _address_space() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")


def measured(kind: Kind) -> tuple[int, dict[str, Taken]]:
    """Make the files of *kind*, and return the size of the first and what each command took.

    To be called in a process that holds little, for what it holds counts. All is written to memory, if it can be: what
    a disk's file system takes for a thousand files is its own, and is many times more while others write, too.
    """
    memory = roomy_memory()
    if memory is not None:
        tempfile.tempdir = os.environ["TMPDIR"] = str(memory)  # for the commands as well
    with tempfile.TemporaryDirectory(prefix="hostile-") as scratch:
        place = Path(scratch)
        paths = write(kind, place)
        found = {name: taken(line, place / "log") for name, line in commands(kind, paths, place).items()}
        return paths[0].stat().st_size, found


def main(names: Sequence[str]) -> None:
    """Print, for each kind named, the kind and what each command took: a line of JSON.

    Each is made in a child, so that what is left of it does not count for the next one.
    """
    for name in LOADED:
        import_module(name)
    for kind in KINDS:
        if kind.name not in names:
            continue
        pid = os.fork()
        if not pid:
            status = 1
            try:
                print(json.dumps([kind.name, measured(kind)[1]]), flush=True)
                status = 0
            except BaseException:
                traceback.print_exc()
            os._exit(status)
        if os.waitpid(pid, 0)[1] != 0:
            sys.exit(f"{kind.name} could not be measured")


if __name__ == "__main__":
    main(sys.argv[1:])
