"""Archives that nobody publishes: very large ones, and wheels with very many members. A seed makes them.

Half of their blocks cannot be compressed, the other half is text.
"""

from __future__ import annotations

import base64
import hashlib
import io
import random
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, cast

from inputs import Input, sha256_of

MEGABYTE = 1_000_000
DATE = (2020, 2, 2, 0, 0, 0)
_BLOCK = 1 << 16
_POOL = 64
_WORDS = ("alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliett", "kilo", "lima")

LARGE_WHEEL = [500 * MEGABYTE, *[50 * MEGABYTE] * 10]
"""Sizes of the members' contents: 1 GB."""
LARGE_SDIST = [100 * MEGABYTE, *[MEGABYTE] * 200]
"""300 MB."""
MEMBER_COUNTS = (10, 1_000, 50_000)
MEMBER_SIZE = 1_000


def large(directory: Path) -> list[Input]:
    """Make the large wheel and the large sdist in *directory*, unless they are there."""
    wheel = directory / "large-1.0-py3-none-any.whl"
    sdist = directory / "large-1.0.tar.gz"
    if not wheel.exists():
        write_wheel(wheel, LARGE_WHEEL)
    if not sdist.exists():
        write_sdist(sdist, LARGE_SDIST)
    return [Input("1 GB wheel", wheel, sha256_of(wheel)), Input("300 MB sdist", sdist, sha256_of(sdist))]


def many_members(directory: Path) -> list[Input]:
    """Make wheels of ever more small members in *directory*, unless they are there."""
    found = []
    for count in MEMBER_COUNTS:
        path = directory / f"members_{count}-1.0-py3-none-any.whl"
        if not path.exists():
            write_wheel(path, [MEMBER_SIZE] * count)
        found.append(Input(f"{count:,} members", path, sha256_of(path)))
    return found


class Blocks:
    """Gives blocks of contents, always the same ones for a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        texts = [" ".join(self._random.choices(_WORDS, k=_BLOCK // 4)).encode()[:_BLOCK] for _ in range(_POOL)]
        noise = [self._random.getrandbits(8 * _BLOCK).to_bytes(_BLOCK, "little") for _ in range(_POOL)]
        self._pool = [*texts, *noise]

    def give(self, size: int) -> Iterator[bytes]:
        """Give *size* bytes, in blocks."""
        while size > 0:
            block = self._random.choice(self._pool)[: min(size, _BLOCK)]
            size -= len(block)
            yield block


def write_wheel(path: Path, sizes: Sequence[int]) -> None:
    """Write a wheel with a member of each of *sizes*, and a RECORD of them."""
    stem = "-".join(path.name.split("-")[:2])
    blocks = Blocks(len(sizes))
    rows = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number, size in enumerate(sizes):
            name = f"{stem.partition('-')[0]}/{number // 500:03d}/data_{number:05d}.bin"
            rows.append(_member(archive, name, blocks.give(size)))
        rows += [_member(archive, f"{stem}.dist-info/{name}", [text]) for name, text in _metadata(stem)]
        rows.append(f"{stem}.dist-info/RECORD,,\n")
        _member(archive, f"{stem}.dist-info/RECORD", ["".join(rows).encode()])


def _metadata(stem: str) -> list[tuple[str, bytes]]:
    name, _, version = stem.partition("-")
    return [
        ("METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()),
        ("WHEEL", b"Wheel-Version: 1.0\nGenerator: synthetic\nRoot-Is-Purelib: true\nTag: py3-none-any\n"),
    ]


def _member(archive: zipfile.ZipFile, name: str, chunks: Iterator[bytes] | list[bytes]) -> str:
    """Write a member, and return its row of RECORD."""
    info = zipfile.ZipInfo(name, DATE)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o100644 << 16
    state, size = hashlib.sha256(), 0
    with archive.open(info, "w", force_zip64=True) as file:
        for chunk in chunks:
            file.write(chunk)
            state.update(chunk)
            size += len(chunk)
    digest = base64.urlsafe_b64encode(state.digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{size}\n"


def write_sdist(path: Path, sizes: Sequence[int]) -> None:
    """Write an sdist with a file of each of *sizes*."""
    stem = path.name[: -len(".tar.gz")]
    name, _, version = stem.partition("-")
    blocks = Blocks(len(sizes))
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()
        _file(archive, f"{stem}/PKG-INFO", len(text), io.BytesIO(text))
        for number, size in enumerate(sizes):
            _file(archive, f"{stem}/data_{number:05d}.bin", size, cast("IO[bytes]", _Reader(blocks.give(size))))


def _file(archive: tarfile.TarFile, name: str, size: int, contents: IO[bytes]) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mtime = size, 1580601600
    archive.addfile(info, contents)


class _Reader(io.RawIOBase):
    """Blocks as a file that can be read once."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """Return exactly *size* bytes, unless the end comes first."""
        parts, wanted = [], size
        while wanted:
            self._rest = self._rest or next(self._chunks, b"")
            if not self._rest:
                break
            parts.append(self._rest[:wanted])
            self._rest = self._rest[wanted:]
            wanted -= len(parts[-1])
        return b"".join(parts)
