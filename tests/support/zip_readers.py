"""The readers of wheels that there are, each asked for what it reads, unpacks or installs; and samebytes' own.

An answer is a dictionary by name, as :mod:`support.zip_unpacker` makes it, or a text: a refusal.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from samebytes.archive.entry import Kind, read_all
from samebytes.archive.zip_reader import open_zip
from samebytes.artifact.layout import ArtifactKind
from samebytes.epoch import DEFAULT_DATE
from samebytes.errors import SamebytesError
from samebytes.passes import DEFAULT
from samebytes.passes.model import Context
from samebytes.passes.pipeline import rewrite

from . import zip_unpacker
from .acceptance import zip_problems
from .other_readers import VERSIONS, Answer, Reader, Unpacker, has, python_of, running, uv_program
from .zip_mutants import INFO, NAME

INSTALLERS = ("pip", "installer", "uv")
"""Readers that want a wheel, and not just any archive."""
MODELESS = ("zipfile", "bsdtar, pipe", "index")
"""Readers that see no modes: zipfile leaves them to its caller, in a pipe they come after the contents."""
OF_THEIR_OWN = {f"{INFO}/{name}" for name in ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json")}
"""What installers write themselves."""


def ours(path: Path) -> Answer:
    """Return what samebytes takes the archive for, as pip would install its modes, or why it refuses it."""
    found = {}
    try:
        with open_zip(path) as archive:
            for entry in archive.entries:
                if entry.kind is Kind.FILE:
                    digest = hashlib.sha256(read_all(entry.content)).hexdigest()
                    found[entry.name] = ("x" if entry.mode & 0o111 else "f") + digest
                else:
                    found[entry.name] = "d"
    except SamebytesError as error:
        return error.message
    return found


def normalized(path: Path, target: Path) -> str:
    """Write the canonical form of the wheel *path* to *target*, or return why it is refused."""
    try:
        rewrite(path, target, Context(DEFAULT_DATE, ArtifactKind.WHEEL), DEFAULT)
    except SamebytesError as error:
        return error.message
    return ""


@contextlib.contextmanager
def pythons(hows: Sequence[str] = ("zipfile", "pip", "installer")) -> Iterator[dict[str, Reader]]:
    """Give the readers of all CPythons that are here, one process for each."""
    modules = {"zipfile": "zipfile", "pip": "pip._internal.operations.install.wheel", "installer": "installer"}
    with contextlib.ExitStack() as stack:
        readers: dict[str, Reader] = {}
        for version in VERSIONS:
            python = python_of(version)
            if python is None:
                continue
            unpacker = Unpacker(python, zip_unpacker.__file__)
            stack.callback(unpacker.close)
            for how in hows:
                if has(python, modules[how]):
                    readers[f"{how} {version}"] = _asking(unpacker, how)
        yield readers


def _asking(unpacker: Unpacker, how: str) -> Reader:
    return lambda path, directory: unpacker.ask(how, path, directory)


def tools() -> dict[str, Reader]:
    """Return the programs that are here; bsdtar reads a file by its central directory, and a pipe from the front."""
    readers: dict[str, Reader] = {}
    unzip, bsdtar = shutil.which("unzip"), shutil.which("bsdtar")
    if unzip:
        readers["unzip"] = _program(lambda path, directory: [unzip, "-q", "-o", str(path), "-d", str(directory)])
    if bsdtar:
        readers["bsdtar"] = _program(lambda path, directory: [bsdtar, "-xf", str(path), "-C", str(directory)])
        readers["bsdtar, pipe"] = _program(lambda _, directory: [bsdtar, "-xf", "-", "-C", str(directory)], piped=True)
    return readers


def _program(command: Callable[[Path, Path], list[str]], *, piped: bool = False) -> Reader:
    return running(command, zip_unpacker.tree, piped=piped)


def uv() -> dict[str, Reader]:
    """Return uv, if it is here."""
    program = uv_program()
    if program is None:
        return {}
    options = ["--offline", "--no-config", "--no-index", "--no-deps", "--no-cache", "--quiet", "--link-mode", "copy"]
    return {
        "uv": _program(
            lambda path, directory: [
                *(
                    program,
                    "pip",
                    "install",
                    *options,
                    "--python",
                    sys.executable,
                    "--target",
                    str(directory / "lib"),
                    str(path),
                )
            ]
        )
    }


def difference(expected: Mapping[str, str], answer: Answer, reader: str, *, modes: bool) -> str:
    """Return in what a reader's *answer* is not what is *expected*, or nothing; *modes* says whether those count."""
    if isinstance(answer, str):
        return f"refuses: {answer}"
    if reader == "uv":
        inside = {name.partition("/")[2]: what for name, what in answer.items() if name.startswith("lib/")}
        answer = {name: what for name, what in inside.items() if name not in (".lock", ".gitignore", "CACHEDIR.TAG")}
    wanted, got = _files(expected, reader, modes), _files(answer, reader, modes)
    odd = sorted(name for name in {*wanted, *got} if wanted.get(name) != got.get(name))
    shown = "; ".join(f"{name!r}: {wanted.get(name)} is {got.get(name)}" for name in odd[:3])
    return f"differs: {shown}" if odd else ""


def _files(tree: Mapping[str, str], reader: str, modes: bool) -> dict[str, str]:
    installer = reader.startswith((*INSTALLERS, "samebytes"))
    plain = not modes or reader.startswith(MODELESS)
    return {
        name: what.replace("x", "f", 1) if plain and what[0] == "x" else what
        for name, what in tree.items()
        # Where directories come from members of their own, or from files beneath them, makes no difference.
        if what != "d" and not (installer and name in OF_THEIR_OWN)
    }


def differences(
    data: bytes, expected: Mapping[str, str], readers: Mapping[str, Reader], *, canonical: bool = False
) -> dict[str, str]:
    """Return in what each of the *readers* sees the wheel *data* otherwise than *expected*; nothing where none does.

    Whether a file is executable is what pip says; of a file that is not *canonical*, others may take it otherwise, for
    uv goes without a type of file in the mode, and where the mode was not made by Unix, most do not look at it. Nor is
    unzip asked of names that it translates.
    """
    found = {}
    for name, reader in readers.items():
        if name == "unzip" and not canonical and _has_translated_names(data):
            continue
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
            path = Path(scratch, NAME)
            path.write_bytes(data)
            directory = Path(scratch, "out")
            directory.mkdir()
            modes = canonical or name.startswith("pip")
            found[name] = difference(expected, reader(path, directory), name, modes=modes)
    return {name: what for name, what in found.items() if what}


def _has_translated_names(data: bytes) -> bool:
    """Return whether unzip takes a name beyond ASCII, marked UTF-8 or not, for one of a DOS code page.

    It does so for what was made on FAT, HPFS or NTFS, as by zipfile on Windows.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return any(
                info.create_system in (0, 6, 11) and not info.orig_filename.isascii() for info in archive.infolist()
            )
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return False


@dataclass(frozen=True)
class Examined:
    """What became of one archive."""

    refused: str
    """Why it is refused, or nothing."""
    found: dict[str, str]
    """In what readers differ, by reader; of the canonical form with the word "afterwards"."""
    canonical: bool
    """Whether it has a canonical form; else it is one that only commands that read it take."""


def examined(
    data: bytes, readers: Mapping[str, Reader], seen: set[bytes], reading: Callable[[Path], Answer] = ours
) -> Examined:
    """Return how the wheel *data* fares: read by *readers* before and after it is normalized.

    Canonical forms in *seen* are not looked at again. *reading* is what decides whether it is refused.
    """
    with tempfile.TemporaryDirectory() as scratch:
        path, target = Path(scratch, NAME), Path(scratch, "canonical", NAME)
        target.parent.mkdir()
        path.write_bytes(data)
        answer = reading(path)
        if isinstance(answer, str):
            return Examined(answer, {}, False)
        why = normalized(path, target)
        found = differences(
            data, answer, {name: reader for name, reader in readers.items() if not _installs(name, why)}
        )
        if why:
            return Examined("", found, False)
        result = target.read_bytes()
        if result not in seen:
            seen.add(result)
            found.update(_found_afterwards(answer, result, target, readers))
    return Examined("", found, True)


def _installs(reader: str, why: str) -> bool:
    """Return whether an archive that is no wheel (*why*) is not for *reader*."""
    return bool(why) and reader.startswith(INSTALLERS)


def _found_afterwards(
    before: Mapping[str, str], result: bytes, path: Path, readers: Mapping[str, Reader]
) -> Iterator[tuple[str, str]]:
    after = ours(path)
    found = differences(result, after, readers, canonical=True) if not isinstance(after, str) else {"samebytes": after}
    found["samebytes"] = difference(before, after, "samebytes", modes=True)
    found["index"] = "; ".join(zip_problems(result))
    return ((f"{name}, afterwards", what) for name, what in found.items() if what)
