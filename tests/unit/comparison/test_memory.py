"""What comparing takes in memory does not grow with the members: they are streamed, and looked at in bounded pieces."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from samebytes_tools.comparison.causes.variables import masked
from samebytes_tools.comparison.model import UNKNOWN_BUILDS
from support.wheels import FILES, members, write_wheel

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").is_file(), reason="the peak of memory is read from /proc/self/status"
)

MIB = 1 << 20

LARGE = pytest.mark.slow("members must be larger than what of them may be held, and take seconds to compare")

MEASURED = """
import sys
from pathlib import Path
from samebytes_tools.comparison.archives import compare_files
found = compare_files(*map(Path, sys.argv[1:]))
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
print(found.verdict.value, int(peak.split()[1]) << 10, sep=":")
"""
"""Prints the verdict and the most memory in bytes; in a process of its own, whose peak is nobody else's."""


def peak(directory: Path, name: str, left: bytes, right: bytes) -> int:
    """Return the bytes that comparing two wheels with one other member takes at the most."""
    wheels = []
    for side, data in (("left", left), ("right", right)):
        (directory / side).mkdir(parents=True)
        wheels.append(str(write_wheel(directory / side, members({**FILES, name: data}))))
    command = [sys.executable, "-c", MEASURED, *wheels]
    verdict, size = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split(":")
    assert verdict == "different"
    return int(size)


def lines(size: int, word: bytes) -> bytes:
    """Texts of which no two are the same, and none is in a text with another *word*."""
    one = b"%s line %08d of a long text\n"
    return b"".join(one % (word, number) for number in range(size // len(one % (word, 0))))


def noise(size: int, word: bytes) -> bytes:
    return random.Random(word).getrandbits(8 * size).to_bytes(size, "big")


def document(size: int, word: bytes) -> bytes:
    return json.dumps([f"{word.decode()} {number:08d}" for number in range(size // 20)]).encode()


def one_line(size: int, word: bytes) -> bytes:
    return (word + b" ") * (size // (len(word) + 1))


@LARGE
@pytest.mark.parametrize(
    ("name", "make", "size", "most"),
    [
        ("x.bin", noise, 16, 16),
        ("x.txt", lines, 48, 72),
        ("x.txt", one_line, 48, 72),
        ("x.json", document, 48, 72),
    ],
)
def test_what_a_large_member_takes(
    name: str, make: Callable[[int, bytes], bytes], size: int, most: int, tmp_path: Path
) -> None:
    """*most* MiB more than for a small member; the two sides have twice *size* MiB, and as objects several times that.

    Texts take 33 to 47 MiB, and on one machine 51 that came with its allocator: the bound is not drawn closer.
    """
    small = peak(tmp_path / "small", "demo_pkg/x.bin", b"\0left", b"\0right")
    large = peak(tmp_path / "large", f"demo_pkg/{name}", make(size * MIB, b"left"), make(size * MIB, b"right"))
    assert large - small < most * MIB


def extension(directory: Path, size: int, word: bytes) -> bytes:
    """A library that gcc made, with texts of *size* bytes in its data."""
    directory.mkdir(parents=True)
    (directory / "texts").write_bytes(lines(size, word).replace(b"\n", b"\0"))
    source, target = directory / "x.S", directory / "x.so"
    source.write_text(f'.data\n.incbin "{directory}/texts"\n.section .note.GNU-stack,"",@progbits\n')
    subprocess.run(["gcc", "-shared", "-o", target, source], check=True, capture_output=True)
    return target.read_bytes()


@pytest.mark.parametrize(("size", "most"), [(10, 90), pytest.param(48, 24, marks=LARGE)])
def test_what_a_large_library_takes(size: int, most: int, tmp_path: Path) -> None:
    """Sections are held up to a limit, which the first library is below and the second above."""
    if shutil.which("gcc") is None:
        pytest.skip("needs gcc")
    small = peak(tmp_path / "small", "demo_pkg/x.bin", b"\0left", b"\0right")
    both = [extension(tmp_path / word, size * MIB, word.encode()) for word in ("left", "right")]
    more = peak(tmp_path / "large", "demo_pkg/x.so", *both) - small
    assert more < most * MIB


def test_what_a_long_value_of_a_variable_takes() -> None:
    """In one line of a script with names of variables."""
    sides = [b'HOME="%s" USER="" PATH="' % word + b"x" * MIB + b'"' for word in (b"left", b"right")]
    tracemalloc.start()
    try:
        assert masked(sides[0], sides[1], UNKNOWN_BUILDS) is None
        assert tracemalloc.get_traced_memory()[1] < 8 * MIB
    finally:
        tracemalloc.stop()
