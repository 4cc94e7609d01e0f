"""Compiled files: what is read of their insides, never run."""

from __future__ import annotations

import importlib.util
import marshal
import struct
import zlib
from pathlib import Path

import elftools.elf.elffile  # noqa: F401 - the product imports it late, and a fuzzer follows only what it saw imported
from fuzz.harness import Refused, Target
from samebytes_tools.comparison.causes.cause import NO_CLUES
from samebytes_tools.comparison.formats import compare_contents, elf, pyc
from samebytes_tools.comparison.members import MemberPair
from support.canonical_code import LeftAlone, canonical_code
from support.elf import Section, build

from samebytes.archive.entry import Data
from samebytes.artifact.pyc import HEADER_SIZE, normalized
from samebytes.errors import ArchiveError

PYC = Path(__file__).parent / "seeds" / "pyc"
FILENAME = "pkg/m.py"
FEW_REFERENCES = 12


def normalize_code(data: bytes) -> None:
    """What is accepted stays as it is from then on, and an independent reader writes the same."""
    made = normalized(data, FILENAME)
    assert normalized(made) == made
    assert normalized(made, FILENAME) == made
    # The other reader takes exponential time where values refer to values that refer to others.
    if data.count(b"r") <= FEW_REFERENCES:
        try:
            other = canonical_code(data[HEADER_SIZE:], int.from_bytes(data[:2], "little"), FILENAME.encode())
        except LeftAlone as problem:
            raise AssertionError(f"accepted, though {problem}") from None
        assert other == made[HEADER_SIZE:]


def modules() -> list[bytes]:
    """Compiled modules of the running Python, and of two with other code objects, that were compiled by those."""
    source = (
        "a = {1: 'b', (2.5, 3j): b'c'}\ndef f(x, *, y=2**70):\n    'ü'\n    return x in {'p', 'q'}, [x for x in y]\n"
    )
    code = marshal.dumps(compile(source, "m.py", "exec"))
    own = importlib.util.MAGIC_NUMBER + bytes(12) + code
    return [own, *(path.read_bytes() for path in sorted(PYC.iterdir()))]


def compare_pyc(data: bytes) -> None:
    """Differences to another module of the same Python are reported, in both directions."""
    other = next((each for each in modules() if each[:4] == data[:4]), modules()[0])
    for left, right in ((other, data), (data, other)):
        if left != right and pyc.compare("m.pyc", left, right, NO_CLUES) is None:
            raise Refused


def other_modules() -> list[bytes]:
    """The same modules, each with something of its own."""
    return [data[:8] + b"\1\2\3\4" + data[12:].replace(b"m.py", b"n.py") for data in modules()]


def compare_elf(data: bytes) -> None:
    """Differences to a file with all that is looked at are reported, in both directions."""
    for left, right in ((LIBRARY, data), (data, LIBRARY)):
        if elf.compare("m.so", Data(left), Data(right), NO_CLUES) is None:
            raise Refused


def library(path: bytes) -> bytes:
    """Return a library with all that comparison looks at, and *path* in it."""
    texts = b"\0libm.so.6\0" + path + b"\0"
    tags = ((1, 1), (29, 11), (5, 0x300), (10, len(texts)), (0, 0))
    packed = zlib.compress(path + b"/debug\0")
    return build(
        {
            ".text": Section(
                b"\x48\x8d\x05" + struct.pack("<i", 0x400 - len(path)) + b"\xc3" * 9, flags=6, address=0x100
            ),
            ".dynstr": Section(texts, kind=3, flags=2, address=0x300),
            ".dynamic": Section(
                b"".join(struct.pack("<qQ", *tag) for tag in tags), kind=6, address=0x400, link=".dynstr", entry_size=16
            ),
            ".rodata": Section(path + b"/src/a.c\0" + bytes(3), flags=2, address=0x500),
            ".note.gnu.build-id": Section(struct.pack("<III", 4, 4, 3) + b"GNU\0" + path[-4:], kind=7, address=0x600),
            ".comment": Section(b"GCC: (Debian 12.2.0-14) 12.2.0\0"),
            ".debug_str": Section(struct.pack("<IIQQ", 1, 0, len(path) + 7, 1) + packed, flags=0x800),
        }
    )


LIBRARY = library(b"/home/ada/work/lib")


def libraries() -> list[bytes]:
    return [library(b"/builds/group/project/lib"), build({".text": Section(b"\xc3", flags=6)})]


KEYS = {
    "demo.dist-info/METADATA": b"Name: demo\nVersion: 1.0\nRequires-Dist: a\n\nBuilt on 2024-05-01.\n",
    "demo/m.json": b'{"a": [1, 2, {"b": "/home/ada/x"}], "c": null}',
    "demo/m.txt": b"built in /home/ada/work on 2024-05-01 10:11:12 by ada@alpha\n" * 3,
    "demo/m.bin": b"\0\1\2 in /home/ada/work \0\0\0 version 1.2.3 \xff\xfe",
}
"""Members that are not archives, each of another nature."""


def compare_member(data: bytes) -> None:
    """A member that differs has a difference, whatever its name says that it is; the first byte chooses the name."""
    key, left = list(KEYS.items())[data[0] % len(KEYS) if data else 0]
    notes: list[str] = []
    if left != data[1:]:
        found = compare_contents(MemberPair(key, key, Data(left), Data(data[1:]), NO_CLUES, notes.append))
        assert found.summary


def other_members() -> list[bytes]:
    changed = (left.replace(b"ada", b"bob").replace(b"2024", b"2025") for left in KEYS.values())
    return [bytes([number]) + data for number, data in enumerate(changed)]


TARGETS = (
    Target("code", normalize_code, modules, (ArchiveError,), longest=1 << 12, runs=60_000),
    Target("compare-pyc", compare_pyc, other_modules, (Refused,), longest=1 << 12, runs=3_000),
    Target("compare-elf", compare_elf, libraries, (Refused,), longest=1 << 12, runs=1_000),
    Target("compare-member", compare_member, other_members, (), longest=1 << 12, runs=4_000),
)
