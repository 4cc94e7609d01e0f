"""Who is measured: samebytes, its peers, and the least that any of them has to do; each as commands that a user types.

Everything of Python is installed into one environment, strip-nondeterminism by apt where that is allowed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from inputs import Input

ROOT = Path(__file__).resolve().parents[2]
_PEERS = Path(__file__).resolve().parent / "peers"

CANONICAL = "samebytes"
KEEP = "samebytes keep"
WHEEL = "wheel"
ZIP_REWRITE = "zip rewrite"
STRIP = "strip-nondeterminism"
REPAIRWHEEL = "repairwheel"
RETAR = "re-tar"
FLOOR = "floor"
PURE = "pure"

Commands = Callable[[Path, Path], Sequence[Sequence[str]]]
"""What to run one after another, given the input and an empty directory for the output."""


class Contender(NamedTuple):
    """A way of rewriting archives."""

    name: str
    what: str
    """One line for the reader."""
    kinds: tuple[str, ...]
    commands: Commands
    in_place: bool = False
    """Whether it must be given a copy."""


def environment() -> dict[str, str]:
    """Return this process' environment without what changes how Python starts or what date an archive gets."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "SOURCE_DATE_EPOCH"))}


def install(directory: Path, samebytes: str) -> Path:
    """Make an environment with samebytes and the peers in *directory*, and return its programs' directory."""
    programs = directory / "bin"
    if not programs.exists():
        subprocess.run([sys.executable, "-m", "venv", str(directory)], check=True)
    pip = [str(programs / "python"), "-m", "pip", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "-q", "wheel", "repairwheel", samebytes], check=True, env=environment())
    # The tree has the same version after every edit: what was installed earlier must go.
    again = ["install", "-q", "--no-deps", "--force-reinstall", "--no-cache-dir", samebytes]
    subprocess.run([*pip, *again], check=True, env=environment())
    return programs


def versions(programs: Path) -> dict[str, str]:
    """Return the versions of what is measured."""
    command = [str(programs / "python"), "-m", "pip", "list", "--format=freeze", "--disable-pip-version-check"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    found = dict(line.split("==", 1) for line in listed if "==" in line)
    wanted = {name: found[name] for name in ("samebytes", "wheel", "repairwheel")}
    zlib = "import sys, zlib; print(sys.version.split()[0], zlib.ZLIB_RUNTIME_VERSION)"
    python = subprocess.run([str(programs / "python"), "-c", zlib], check=True, capture_output=True, text=True)
    wanted["python"], wanted["zlib"] = python.stdout.split()
    if shutil.which(STRIP):
        told = subprocess.run([STRIP, "--version"], check=False, capture_output=True, text=True)
        wanted[STRIP] = (told.stdout + told.stderr).split()[-1]
    return wanted


def install_strip_nondeterminism() -> str:
    """Install it if it is not there and this may; return why it is not there, or nothing."""
    if shutil.which(STRIP):
        return ""
    if not shutil.which("apt-get") or os.geteuid():
        return "not installed: that needs apt and root"
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-qq"], ["install", "-y", "-qq", STRIP]):
        done = subprocess.run(["apt-get", *command], env=environment, capture_output=True, text=True, check=False)
    return "" if shutil.which(STRIP) else f"apt did not install it: {done.stderr.strip()[-200:]}"


def has_keep(programs: Path) -> bool:
    """Tell whether this samebytes can copy compressed streams."""
    told = subprocess.run([programs / "samebytes", "normalize", "--help"], check=True, capture_output=True, text=True)
    return "--deflate" in told.stdout


def contenders(programs: Path, jobs: int) -> tuple[Contender, ...]:
    """Return all, samebytes first."""
    return (*_ours(programs, jobs), *_peers(programs), *_least(programs))


def _ours(programs: Path, jobs: int) -> tuple[Contender, ...]:
    program = [str(programs / "samebytes"), "normalize", "--jobs", str(jobs)]
    return (
        Contender(
            CANONICAL,
            f"samebytes normalize --jobs {jobs}",
            ("wheel", "sdist"),
            lambda path, out: [[*program, str(path), "-o", str(out)]],
        ),
        Contender(
            KEEP,
            f"samebytes normalize --jobs {jobs} --deflate keep",
            ("wheel",),
            lambda path, out: [[*program, "--deflate", "keep", str(path), "-o", str(out)]],
        ),
    )


def _peers(programs: Path) -> tuple[Contender, ...]:
    return (
        Contender(WHEEL, "wheel unpack, then wheel pack", ("wheel",), lambda path, out: _wheel(programs, path, out)),
        Contender(
            ZIP_REWRITE,
            "every member read and written by zipfile, sorted, one date",
            ("wheel",),
            lambda path, out: [_script(programs, "zip_rewrite.py", path, out / path.name)],
        ),
        Contender(
            STRIP,
            "strip-nondeterminism, in place on a copy (copies compressed streams)",
            ("wheel",),
            lambda path, _: [[STRIP, "--type", "zip", str(path)]],
            in_place=True,
        ),
        Contender(
            REPAIRWHEEL,
            "repairwheel, which writes reproducible wheels besides repairing them",
            ("wheel",),
            lambda path, out: [[str(programs / "repairwheel"), str(path), "-o", str(out)]],
        ),
        Contender(
            RETAR,
            "tarfile and gzip at its default level, sorted, no owner, one time",
            ("sdist",),
            lambda path, out: [_script(programs, "retar.py", path, out / path.name)],
        ),
    )


def _least(programs: Path) -> tuple[Contender, ...]:
    kinds = ("wheel", "sdist")
    return (
        Contender(
            FLOOR,
            "all contents inflated and hashed by SHA-256 on one thread, nothing written",
            kinds,
            lambda path, _: [_script(programs, "contents.py", path)],
        ),
        Contender(
            PURE,
            "all contents inflated, hashed and deflated at level 6 on one thread, nothing written",
            kinds,
            lambda path, _: [[*_script(programs, "contents.py", path), "--deflate"]],
        ),
    )


def _script(programs: Path, name: str, *paths: Path) -> list[str]:
    return [str(programs / "python"), str(_PEERS / name), *map(str, paths)]


def _wheel(programs: Path, path: Path, out: Path) -> list[list[str]]:
    name, version = path.name.split("-")[:2]
    program = str(programs / "wheel")
    unpacked = out / "unpacked"
    return [
        [program, "unpack", str(path), "-d", str(unpacked)],
        [program, "pack", str(unpacked / f"{name}-{version}"), "-d", str(out)],
    ]


def unfit(contender: Contender, source: Input, strip_missing: str, keep: bool) -> str:
    """Return why *contender* is not tried on *source*, or nothing."""
    if source.kind not in contender.kinds:
        return f"not for {source.kind}s"
    if contender.name == STRIP:
        return strip_missing
    if contender.name == KEEP and not keep:
        return "this samebytes has no --deflate"
    return ""
