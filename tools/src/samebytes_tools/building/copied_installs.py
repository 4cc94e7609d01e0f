"""What was installed into one virtual environment, copied into another: the same files in a small part of the time."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import shutil
import struct
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from samebytes.artifact.layout import fold
from samebytes.artifact.record import spelled

from .virtualenvs import InstalledDistribution, VirtualEnvironment

_LONGEST_SHEBANG = 100
"""Characters of an interpreter's path up to which pip writes it into scripts as it is; its limit is 127."""

_EARLIER = 3
"""Seconds by which copies are older, so that it shows in ZIP files, too, which count in steps of two."""


class _Copied(NamedTuple):
    """A file to write."""

    source: Path
    target: Path
    data: bytes | None
    """Its contents, where they are not those of *source*."""
    names_time: bool
    """Whether it was compiled from another, and has the time of that in it."""


def copied(
    installed: Iterable[InstalledDistribution],
    source: VirtualEnvironment,
    target: VirtualEnvironment,
    check: Callable[[], None] = lambda: None,
    number: int = 1,
) -> bool:
    """Copy what was installed into *source* into *target*, as if it had been installed there a moment before.

    :param source: only what installers wrote is in it; no build was.
    :param check: called before each file; what it raises ends the work.
    :param number: which copy it is: each is older than the one before.
    :return: whether that was possible; if not, nothing was written.
    """
    if not is_possible(source, target):
        return False
    # Another release of one, such as the setuptools that a new environment may have: pip would remove it.
    present = {fold(path.name.partition("-")[0]) for path in target.real.glob("lib/*/site-packages/*-*.*-info")}
    installed = list(installed)
    if any(fold(one.name) in present for one in installed):
        return False
    plan, earlier = [], number * _EARLIER
    for one in installed:
        files = _files(one, source, target)
        if files is None:
            return False
        plan += files
    # Two installations by pip have two times, and builds that take these over differ by that.
    for directory in dict.fromkeys(each.target.parent for each in plan):
        check()
        directory.mkdir(parents=True, exist_ok=True)
    for each in plan:
        check()
        data = _compiled_earlier(each.source.read_bytes(), earlier) if each.names_time else each.data
        if data is None:
            shutil.copyfile(each.source, each.target)
        else:
            each.target.write_bytes(data)
        shutil.copymode(each.source, each.target)
        moment = each.source.stat().st_mtime_ns - earlier * 10**9
        os.utime(each.target, ns=(moment, moment))
    return True


def is_possible(*places: VirtualEnvironment) -> bool:
    """Return whether what is installed in one of *places* can be copied into the others at all."""
    # Windows' scripts are programs with the path in an archive behind them; long paths and blanks are put otherwise.
    return os.name != "nt" and not any(len(each.python) > _LONGEST_SHEBANG or " " in each.python for each in places)


def _compiled_earlier(data: bytes, earlier: int) -> bytes:
    """Return the compiled file *data* for an older source, unless it goes by its source's digest (PEP 552)."""
    flags, moment = struct.unpack("<4xII", data[:12]) if len(data) >= 12 else (1, 0)
    return data if flags else data[:8] + struct.pack("<I", (moment - earlier) & 0xFFFFFFFF) + data[12:]


def _files(one: InstalledDistribution, source: VirtualEnvironment, target: VirtualEnvironment) -> list[_Copied] | None:
    """Return the files of a distribution; None if they are not as installed, or it is not known which they are."""
    wanted, places = fold(f"{one.name}-{one.version}"), source.real.glob("lib/*/site-packages/*.dist-info")
    found = [path for path in places if fold(path.name[: -len(".dist-info")]) == wanted]
    if len(found) != 1 or not (found[0] / "RECORD").is_file():
        return None
    packages, record = found[0].parent, found[0] / "RECORD"
    text = record.read_bytes()
    files: list[_Copied] = []
    for row in csv.reader(io.StringIO(text.decode("utf-8"))):
        path = Path(os.path.normpath(packages / row[0]))
        if not path.is_relative_to(source.real):
            return None
        place = target.real / path.relative_to(source.real)
        # Not through links: what bin/python leads to is the system's. And os.path, for any name may stand there.
        if os.path.islink(path) or os.path.islink(place) or not os.path.isfile(path):  # noqa: PTH113
            return None
        data = path.read_bytes()
        if row[1] and row[1] != _digest(data):
            return None
        new = data.replace(os.fsencode(source.root), os.fsencode(target.root)) if data.startswith(b"#!") else data
        is_compiled = not row[1] and path.suffix == ".pyc"
        files.append(_Copied(path, place, new if new != data else None, is_compiled))
        if new != data:
            # In place, for releases of pip end its lines in two ways.
            text = text.replace(f",{row[1]},{row[2]}".encode(), f",{_digest(new)},{len(new)}".encode())
    files += _compiled(files)
    return [each._replace(data=text) if each.source == record else each for each in files]


def _compiled(files: Sequence[_Copied]) -> list[_Copied]:
    """Return what *files* were compiled to and is not among them: pip lists that in RECORD, uv does not."""
    listed = {each.source for each in files}
    modules = {(path.parent, path.stem) for path in listed if path.suffix == ".py"}
    found = []
    for source, target in {each.source.parent: each.target.parent for each in files}.items():
        for path in source.glob("__pycache__/*.pyc"):
            is_of_ours = (source, path.name.partition(".")[0]) in modules and path not in listed
            if is_of_ours and path.is_file() and not path.is_symlink():
                found.append(_Copied(path, target / "__pycache__" / path.name, None, names_time=True))
    return found


def _digest(data: bytes) -> str:
    return spelled("sha256", hashlib.sha256(data).digest())
