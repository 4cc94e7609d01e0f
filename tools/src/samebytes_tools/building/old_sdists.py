"""Sdists in forms from before PEP 625, written anew as ``.tar.gz``: the reader of that form checks whatever is in them.

Only sources are read so. What is compared has to be as it was published.
"""

from __future__ import annotations

import gzip
import importlib
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from samebytes.archive import limits
from samebytes.archive.entry import Kind
from samebytes.archive.zip_reader import open_zip
from samebytes.errors import ArchiveError, MissingExtraError, OutputError

from ..index.releases import form_of, in_todays_form

_MODULES = {".bz2": "bz2", ".tbz": "bz2", ".xz": "lzma", ".txz": "lzma", ".lzma": "lzma", ".tlz": "lzma"}
"""The module of the standard library that unpacks a form, by the last suffix; none for tars that are not compressed."""

_CHUNK = 1 << 18


@contextmanager
def as_tar_gz(path: Path) -> Iterator[Path]:
    """Give the sdist *path* as a ``.tar.gz``: itself if it is one, or not named like an sdist of another form.

    :raises ArchiveError: if it is damaged, or in a form that Python does not unpack.
    :raises HostileArchiveError: if it does what no honest archive does, or is over a budget.
    """
    form = form_of(path.name)
    if form in ("", ".tar.gz"):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="samebytes-") as private:
        made = Path(private, in_todays_form(path.name))
        try:
            _write(path, form, made)
        except OSError as error:
            # bz2 and lzma raise OSError without a number for what is damaged.
            if error.errno is None:
                raise _damaged(path, error) from None
            raise OutputError(f"{path.name}: cannot be unpacked: {error.strerror}", remedy="Is there room?") from None
        yield made


def _write(path: Path, form: str, made: Path) -> None:
    if form == ".tgz":
        shutil.copyfile(path, made)
    elif form == ".zip":
        _write_zip(path, made)
    elif form == ".tar.lz":
        raise ArchiveError(
            f"{path.name}: Python does not unpack {form}, so neither does pip",
            remedy="Name its source: --source TREE, or --source GIT-URL@TAG.",
        )
    else:
        _write_tar(path, made)


def _write_tar(path: Path, made: Path) -> None:
    name = _MODULES.get(path.suffix)
    try:
        module = importlib.import_module(name) if name else None
    except ImportError:  # a Python that was built without its library
        raise MissingExtraError(
            f"{path.name}: this Python has no module {name}", remedy="Run samebytes with another Python."
        ) from None
    size, packed = 0, path.stat().st_size
    # What is damaged raises EOFError, LZMAError or OSError.
    damage: tuple[type[Exception], ...] = (EOFError, *([module.LZMAError] if name == "lzma" and module else []))
    source: IO[bytes]
    try:
        with module.open(path) if module else path.open("rb") as source, gzip.open(made, "wb", 1) as sink:
            for chunk in iter(lambda: source.read(_CHUNK), b""):
                size += len(chunk)
                limits.check_expansion(path.name, packed, size)
                sink.write(chunk)
    except damage as error:
        raise _damaged(path, error) from None


def _write_zip(path: Path, made: Path) -> None:
    with open_zip(path) as archive, tarfile.open(made, "w:gz", compresslevel=1, format=tarfile.PAX_FORMAT) as sink:
        for entry in archive.entries:
            member = tarfile.TarInfo(entry.name)
            member.mtime = int(entry.mtime)
            # As pip does: of the modes in a zip, only what is executable counts.
            member.mode = 0o755 if entry.mode & 0o100 or entry.kind is Kind.DIRECTORY else 0o644
            if entry.kind is Kind.DIRECTORY:
                member.type = tarfile.DIRTYPE
                sink.addfile(member)
                continue
            member.size = entry.content.size
            with tempfile.TemporaryFile() as held:
                held.writelines(entry.content.chunks())
                held.seek(0)
                sink.addfile(member, held)


def _damaged(path: Path, error: Any) -> ArchiveError:
    return ArchiveError(f"{path.name}: cannot be unpacked: {error}", remedy="It is damaged: download it again.")
