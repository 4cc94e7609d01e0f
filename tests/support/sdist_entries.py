"""Entries of sdists, briefly said, and other tools to look at what becomes of them."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path

import pytest
from support.tars import DATE

from samebytes.archive.entry import Data, Entry, Kind, Owner
from samebytes.archive.tar_writer import write_tar
from samebytes.deflate.stream import Encoder

NOBODY = Owner()
LONG = "pkg-1.0/" + "d" * 60 + "/" + "e" * 60


def file(name: str, data: bytes = b"", mode: int = 0o644, mtime: float = DATE, owner: Owner = NOBODY) -> Entry:
    return Entry(name, Kind.FILE, mode, mtime, Data(data), owner=owner)


def folder(name: str) -> Entry:
    return Entry(name, Kind.DIRECTORY, 0o755, DATE)


def link(name: str, target: str) -> Entry:
    return Entry(name, Kind.SYMLINK, 0o777, DATE, target=target)


def tar_of(*entries: Entry) -> bytes:
    sink = io.BytesIO()
    write_tar(sink, entries)
    return sink.getvalue()


VARIETY = (
    folder("pkg-1.0/empty"),
    folder(LONG + "/empty"),
    file(LONG + "/module.py", b"pass\n"),
    link("pkg-1.0/far", LONG.partition("/")[2] + "/module.py"),
    file("pkg-1.0/größe.txt", "grün\n".encode()),
    file("pkg-1.0/run", b"#!/bin/sh\n" * 1000, mode=0o755),
)


def written_variety(tmp_path: Path) -> Path:
    path = tmp_path / "pkg-1.0.tar.gz"
    with path.open("wb") as sink:
        write_tar(sink, VARIETY, Encoder())
    return path


def gnu_tar(*arguments: object) -> str:
    tar = shutil.which("gtar") or shutil.which("tar")
    version = subprocess.run([tar, "--version"], check=True, capture_output=True, text=True).stdout if tar else ""
    if tar is None or "GNU" not in version:
        pytest.skip("there is no GNU tar here")
    environment = {"PATH": "/usr/bin:/bin:/usr/local/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    command = [tar, *map(str, arguments)]
    done = subprocess.run(command, check=False, capture_output=True, encoding="utf-8", env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout
