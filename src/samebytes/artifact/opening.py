"""Wheels and sdists by their file names, and their archives opened accordingly."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..archive import limits
from ..archive.entry import Archive, Container, Entry
from ..errors import ArchiveError
from .layout import ArtifactKind
from .pyc import source_of


def kind_of(path: Path) -> ArtifactKind:
    """Return what *path* is, by its name.

    :raises ArchiveError: if it is named like neither; with what to do with what it is.
    """
    name = path.name
    for kind in ArtifactKind:
        if name.endswith(kind.suffix):
            return kind
    what, remedy = _refusal(name)
    raise ArchiveError(f"{path}: {what}", remedy=remedy)


def _refusal(name: str) -> tuple[str, str]:
    for suffix in (".zip", ".tgz", ".tar", ".tar.bz2", ".tar.xz", ".tar.zst", ".tar.Z"):
        if name.endswith(suffix):
            stem = name[: -len(suffix)]
            unpack = f"unzip {name}" if suffix == ".zip" else f"tar -xf {name}"
            # PEP 625: there is no other form than .tar.gz any more.
            return (
                f"sdists in {suffix} form are not supported: convert it to .tar.gz",
                f"For example: {unpack} && tar -czf {stem}.tar.gz {stem}",
            )
    if name.endswith(".egg"):
        return "eggs are not supported: convert it to a wheel", f"For example: python -m wheel convert {name}"
    return "is neither a wheel (.whl) nor an sdist (.tar.gz)", "Name a wheel or an sdist."


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Open a wheel or an sdist, whichever *path* is named like.

    What Python itself raises at what is too large, too deep or no text is the archive's fault too, wherever in the
    block it comes up.

    :raises ArchiveError: if it is neither, is damaged, or is not laid out like one.
    :raises HostileArchiveError: if it does what no honest archive does, or is over a budget.
    """
    is_zip = kind_of(path).container is Container.ZIP
    if path.exists() and not path.is_file():  # a FIFO would be waited for, and a device has no end
        raise ArchiveError(f"{path}: is not a regular file", remedy="Copy what it holds into one.")
    if is_zip:
        from ..archive.zip_reader import open_zip as opened
    else:
        from ..archive.tar_reader import open_sdist as opened
    try:
        with opened(path) as archive:
            for budget, what, amount in _amounts(archive.entries, path.stat().st_size):
                limits.check_budget(archive.name, budget, what, amount)
            yield archive
    except MemoryError:
        raise ArchiveError(
            f"{path}: takes more memory to read than there is", remedy="Give the process more memory, if you trust it."
        ) from None
    except (RecursionError, OverflowError, UnicodeError, struct.error) as error:
        raise ArchiveError(
            f"{path}: cannot be read: {type(error).__name__}: {error}", remedy="It is damaged: make it again."
        ) from error


_METADATA = ("METADATA", "PKG-INFO", "WHEEL", "entry_points.txt", "top_level.txt")
_LISTINGS = ("RECORD", "SOURCES.txt")


def _amounts(entries: Sequence[Entry], size: int) -> Iterator[tuple[str, str, int]]:
    """Give the budgets of what passes and comparisons read whole, or value by value: name, what it is, how much.

    :param size: that of the file, in bytes.
    """
    # Bytes come first: only what is not too much of them is read, to count the rest.
    read_whole = [entry for entry in entries if _is_read_whole(entry.name)]
    held = [entry for entry in read_whole if entry.name.endswith(_METADATA)]
    what = f"{', '.join(_METADATA[:-1])} and {_METADATA[-1]}"
    yield "metadata", f"bytes in {what}", _size(held)
    yield "metadata_lines", f"lines in {what}", _count(held, b"\n")
    held = [entry for entry in read_whole if entry.name.endswith(_LISTINGS)]
    what = " and ".join(_LISTINGS)
    yield "listings", f"bytes in {what} beyond 1,024 for each member", _size(held) - 1024 * len(entries)
    # A row of RECORD has two commas, beside those in a name; each makes a cell of its own.
    lines = max(_count(held, b"\n"), _count(held, b",") // 4)
    yield "listed", f"lines in {what} beyond four for each member", lines - 4 * len(entries)
    sboms = [entry for entry in entries if ".dist-info/sboms/" in entry.name]
    yield "sboms", "bytes of SBOMs", _size(sboms)
    yield (
        "sbom_values",
        "commas, colons and brackets in SBOMs",
        sum(_count(sboms, mark) for mark in (b",", b":", b"{", b"[")),
    )
    modules = [entry for entry in entries if entry.name.endswith(".pyc")]
    yield "compiled", "bytes of compiled modules beyond three times its size", _size(modules) - 3 * size
    of_modules = {source_of(entry.name) for entry in modules}
    sources = [entry for entry in entries if entry.name in of_modules]
    yield "compiled_sources", "bytes of compiled modules' sources beyond four times its size", _size(sources) - 4 * size


def _size(held: Iterable[Entry]) -> int:
    return sum(entry.content.size for entry in held)


def _count(held: Iterable[Entry], mark: bytes) -> int:
    return sum(chunk.count(mark) for entry in held for chunk in entry.content.chunks())


def _is_read_whole(name: str) -> bool:
    directory, _, last = name.rpartition("/")
    return directory.endswith((".dist-info", ".egg-info")) or ("/" not in directory and last == "PKG-INFO")
