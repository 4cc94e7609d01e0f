"""Wheels and sdists by their file names, and their archives opened accordingly."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..archive import limits
from ..archive.entry import Archive, Container
from ..errors import ArchiveError
from .layout import ArtifactKind


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
            _check_texts(archive)
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


def _check_texts(archive: Archive) -> None:
    """Refuse texts that are too much to be read whole, as the passes and all who compare or install do.

    :raises HostileArchiveError: if they are over a budget.
    """
    for names, size, lines in ((_METADATA, "metadata", "metadata_lines"), (_LISTINGS, "listings", "listed")):
        held = [entry for entry in archive.entries if entry.name.endswith(names) and _is_read_whole(entry.name)]
        what = f"{', '.join(names[:-1])} and {names[-1]}"
        limits.check_budget(archive.name, size, f"bytes in {what}", sum(entry.content.size for entry in held))
        # A row of RECORD has two commas, beside those in a name; each makes a cell of its own.
        chunks = (chunk for entry in held for chunk in entry.content.chunks())
        count = sum(max(chunk.count(b"\n"), chunk.count(b",") // 4) for chunk in chunks)
        allowed = 4 * len(archive.entries) if names is _LISTINGS else 0
        limits.check_budget(archive.name, lines, f"lines in {what}", count - allowed)


def _is_read_whole(name: str) -> bool:
    directory, _, last = name.rpartition("/")
    return directory.endswith((".dist-info", ".egg-info")) or ("/" not in directory and last == "PKG-INFO")
