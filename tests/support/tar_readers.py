"""The readers of sdists that there are, each asked for the tree that it unpacks; and samebytes' own.

A tree is a dictionary by name, as :mod:`support.tar_unpacker` makes it; a refusal is a text.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from unicodedata import normalize

from samebytes.archive.entry import Kind, read_all
from samebytes.artifact.layout import ArtifactKind
from samebytes.artifact.opening import open_archive
from samebytes.epoch import DEFAULT_DATE
from samebytes.errors import SamebytesError
from samebytes.passes import DEFAULT
from samebytes.passes.files import check
from samebytes.passes.model import Context
from samebytes.passes.pipeline import rewrite

from . import tar_unpacker
from .other_readers import VERSIONS, Answer, Reader, Unpacker, has, python_of, running, uv_program
from .tar_mutants import REPORT


def ours(path: Path) -> Answer:
    """Return the tree that samebytes takes the sdist for, or why it refuses it."""
    found: dict[str, str] = {}
    try:
        with open_archive(path) as archive:
            check(archive, ArtifactKind.SDIST)
            for entry in archive.entries:
                parent = entry.name.rpartition("/")[0]
                while parent and parent not in found:
                    found[parent] = "d"
                    parent = parent.rpartition("/")[0]
                if entry.kind is Kind.FILE:
                    digest = hashlib.sha256(read_all(entry.content)).hexdigest()
                    found[entry.name] = ("x" if entry.mode & 0o100 else "f") + digest
                else:
                    found[entry.name] = "d" if entry.kind is Kind.DIRECTORY else f"l{entry.target}"
    except SamebytesError as error:
        return error.message
    return found


def normalized(path: Path, target: Path) -> None:
    """Write the canonical form of the sdist *path* to *target*."""
    rewrite(path, target, Context(DEFAULT_DATE, ArtifactKind.SDIST), DEFAULT)


@contextlib.contextmanager
def pythons() -> Iterator[dict[str, Reader]]:
    """Give the readers of all CPythons that are here: tarfile, pip, and what an index looks at."""
    readers: dict[str, Reader] = {}
    with contextlib.ExitStack() as stack:
        for version in VERSIONS:
            python = python_of(version)
            if python is None:
                continue
            unpacker = Unpacker(python, tar_unpacker.__file__)
            stack.callback(unpacker.close)
            ways = {"index": True, "pip": has(python, "pip._internal.utils.unpacking")}
            ways.update(dict.fromkeys(("tarfile", "stream"), has(python, "tarfile", "data_filter")))
            for how in (how for how, there in ways.items() if there):
                readers[f"{how} {version}"] = _asking(unpacker, how)
        yield readers


def _asking(unpacker: Unpacker, how: str) -> Reader:
    def ask(path: Path, directory: Path) -> Answer:
        found = unpacker.ask(how, path, directory)
        # pip leaves out the top directory; an index unpacks nothing.
        if isinstance(found, str) or how not in ("pip", "index"):
            return found
        return found if how == "pip" else {}

    return ask


def tools() -> dict[str, Reader]:
    """Return the tar programs that are here, each reading a file and a pipe."""
    readers: dict[str, Reader] = {}
    gnu = next((tar for tar in map(shutil.which, ("gtar", "tar")) if tar and "GNU" in _version(tar)), None)
    for name, program in (("GNU tar", gnu), ("bsdtar", shutil.which("bsdtar"))):
        if program:
            readers[name] = _program([program, "-xzf"], piped=False)
            readers[f"{name}, pipe"] = _program([program, "-xzf", "-"], piped=True)
    return readers


def _version(program: str) -> str:
    return subprocess.run([program, "--version"], check=False, capture_output=True, text=True).stdout


def _program(command: list[str], *, piped: bool) -> Reader:
    # As it is for whoever is not root.
    options = ["--no-same-owner", "--no-same-permissions", "-C"]
    return running(
        lambda path, directory: [*command, *([] if piped else [str(path)]), *options, str(directory)],
        tar_unpacker.tree,
        piped=piped,
    )


def uv() -> dict[str, Reader]:
    """Return uv, if it is here: it unpacks an sdist of the kind that :mod:`support.tar_mutants` makes, to build it."""
    program = uv_program()
    if program is None:
        return {}

    def ask(path: Path, directory: Path) -> Answer:
        report = directory / "report"
        command = [
            program,
            "build",
            "--wheel",
            "--offline",
            "--no-config",
            "--no-build-isolation",
            "--python",
            sys.executable,
        ]
        done = subprocess.run(
            [*command, "--out-dir", str(directory / "out"), str(path)],
            check=False,
            capture_output=True,
            env={**os.environ, REPORT: str(report), "PYTHONDONTWRITEBYTECODE": "1"},
        )
        if not report.exists():
            return f"status {done.returncode}: {done.stderr.decode('utf-8', 'replace').strip()[-300:]}"
        return json.loads(report.read_bytes())  # type: ignore[no-any-return]

    return {"uv": ask}


def difference(expected: Mapping[str, str], answer: Answer, reader: str) -> str:
    """Return in what a reader's *answer* is not the tree *expected*, or nothing."""
    if isinstance(answer, str):
        return f"refuses: {answer}"
    if reader.startswith("index"):
        return ""
    if reader.startswith(("pip", "uv")):
        expected = {name.partition("/")[2]: what for name, what in expected.items() if "/" in name}
    if reader.startswith("bsdtar"):
        # It composes the names that PAX headers give, wherever it unpacks them.
        expected, answer = (
            {normalize("NFC", name): what for name, what in tree.items()} for tree in (expected, answer)
        )
    odd = sorted(name for name in {*expected, *answer} if expected.get(name) != answer.get(name))
    shown = "; ".join(f"{name!r}: {expected.get(name)} is {answer.get(name)}" for name in odd[:3])
    return f"differs: {shown}" if odd else ""


def differences(path: Path, expected: Mapping[str, str], readers: Mapping[str, Reader]) -> dict[str, str]:
    """Return in what each of the *readers* sees the sdist *path* otherwise than *expected*; nothing where none does."""
    found = {}
    for name, reader in readers.items():
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
            found[name] = difference(expected, reader(path, Path(directory)), name)
    return {name: what for name, what in found.items() if what}
