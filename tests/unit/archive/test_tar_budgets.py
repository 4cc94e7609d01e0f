"""Small sdists that cost much: each is read, or refused, within 150 MB of memory and a few seconds of CPU time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Callable

import pytest
from support import tars

CPU_SECONDS = 4
"""Twice what is promised, for machines slower than this one; without budgets these took minutes, or did not end."""

MEMORY = 150 << 20

MEASURE = f"""
import json, resource, subprocess, sys

def limited():
    resource.setrlimit(resource.RLIMIT_CPU, ({CPU_SECONDS}, {CPU_SECONDS}))
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))

done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=limited)
memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps([done.returncode, memory, done.stdout.decode()]))
"""
"""A small program in between: what a process has used counts for those that it starts, too."""

TOP = b"pkg-1.0/"
SOUND = tars.member(TOP + b"PKG-INFO", b"Metadata-Version: 2.1\nName: pkg\nVersion: 1.0\n") + tars.member(
    TOP + b"setup.py"
)


def _links() -> bytes:
    """Links in long chains, whose targets go up and down a thousand times."""
    parts = []
    for number in range(3000):
        target = b"./" * 1600 + (b"%d" % (number + 1) if number % 39 else b"end")
        parts += [tars.gnu_long(b"K", target + b"\0"), tars.symlink(TOP + b"%d" % number, target[:100])]
    return b"".join(parts)


def _deep() -> bytes:
    """A thousand files, each 500 directories deep in a tree of its own."""
    names = (TOP + b"%d/" % number + b"dir/" * 500 + b"file" for number in range(1000))
    return b"".join(tars.pax(tars.record("path", name)) + tars.member(b"x") for name in names)


def _deep_directories() -> bytes:
    """A directory entry for each of a thousand levels, with long names."""
    parts = []
    name = TOP
    for _ in range(1000):
        name += b"dir/"
        parts.append(tars.pax(tars.record("path", name)) + tars.directory(b"x/"))
    return b"".join(parts)


def _records() -> bytes:
    """Many headers full of records with long keywords, no two alike."""
    parts = []
    for number in range(1000):
        data = b"".join(tars.record(f"V.{number:0120}{each:0120}", b"x" * 50) for each in range(180))
        parts.append(tars.pax(data) + tars.member(TOP + b"%d" % number))
    return b"".join(parts)


BUILDERS: dict[str, Callable[[], bytes]] = {
    "links": _links,
    "deep names": _deep,
    "deep directories": _deep_directories,
    "records": _records,
    "many members": lambda: b"".join(tars.member(TOP + b"%d" % number) for number in range(40_000)),
    "hard links to one large file": lambda: (
        tars.member(TOP + b"large", bytes(1 << 25))
        + b"".join(tars.hard_link(TOP + b"%d" % number, TOP + b"large") for number in range(5000))
    ),
}


@pytest.mark.slow("makes and reads archives at their limits")
@pytest.mark.skipif(sys.platform == "win32", reason="needs limits on processes")
@pytest.mark.parametrize("kind", BUILDERS)
def test_a_small_sdist_costs_little_whatever_it_holds(tmp_path: Path, kind: str) -> None:
    path = tars.sdist(tmp_path, SOUND, BUILDERS[kind]())
    assert path.stat().st_size < 3 << 20
    before = path.read_bytes()

    done = subprocess.run(
        [sys.executable, "-c", MEASURE, sys.executable, "-m", "samebytes", "normalize", str(path)],
        check=True,
        capture_output=True,
    )
    status, memory, output = json.loads(done.stdout)
    assert status in (0, 1, 4), output
    assert memory << (0 if sys.platform == "darwin" else 10) < MEMORY, output
    if status == 4:
        assert path.read_bytes() == before
        assert (
            "over the limit" in output
            or "are not read" in output
            or "steps to follow" in output
            or "tools read differently" in output
        )
