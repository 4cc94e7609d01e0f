"""What pip installed into one virtual environment, copied into another: the same files in a small part of the time."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from .virtualenvs import InstalledDistribution, VirtualEnvironment

_LONGEST_SHEBANG = 100
"""Characters of an interpreter's path up to which pip writes it into scripts as it is; its limit is 127."""


class _Copied(NamedTuple):
    """A file to write."""

    source: Path
    target: Path
    data: bytes | None
    """Its contents, where they are not those of *source*."""


def copied(installed: Iterable[InstalledDistribution], source: VirtualEnvironment, target: VirtualEnvironment) -> bool:
    """Copy what pip installed into *source* into *target*, as pip would have installed it there.

    :return: whether that was possible; if not, nothing was written.
    """
    # Windows' scripts are programs with the path in an archive behind them; long paths and blanks are put otherwise.
    if os.name == "nt" or any(len(each.python) > _LONGEST_SHEBANG or " " in each.python for each in (source, target)):
        return False
    plan: list[_Copied] = []
    for one in installed:
        files = _files(one, source, target)
        if files is None:
            return False
        plan += files
    for each in plan:
        each.target.parent.mkdir(parents=True, exist_ok=True)
        if each.data is None:
            shutil.copy2(each.source, each.target)
        else:
            each.target.write_bytes(each.data)
            shutil.copystat(each.source, each.target)
    return True


def _files(one: InstalledDistribution, source: VirtualEnvironment, target: VirtualEnvironment) -> list[_Copied] | None:
    """Return the files of a distribution; None if they are not as pip wrote them, or it is not known which they are."""
    wanted, places = _normal(f"{one.name}-{one.version}"), source.real.glob("lib/*/site-packages/*.dist-info")
    found = [path for path in places if _normal(path.name[: -len(".dist-info")]) == wanted]
    if len(found) != 1 or not (found[0] / "RECORD").is_file():
        return None
    packages, record = found[0].parent, found[0] / "RECORD"
    files, text = [], record.read_bytes()
    for row in csv.reader(io.StringIO(text.decode("utf-8"))):
        path = Path(os.path.normpath(packages / row[0]))
        if not path.is_relative_to(source.real) or not path.is_file():
            return None
        data = path.read_bytes()
        if row[1] and row[1] != _digest(data):
            return None
        new = data.replace(os.fsencode(source.root), os.fsencode(target.root)) if data.startswith(b"#!") else data
        files.append(_Copied(path, target.real / path.relative_to(source.real), new if new != data else None))
        if new != data:
            # In place, for releases of pip end its lines in two ways.
            text = text.replace(f",{row[1]},{row[2]}".encode(), f",{_digest(new)},{len(new)}".encode())
    return [each._replace(data=text) if each.source == record else each for each in files]


def _normal(name: str) -> str:
    """Return *name* as two spellings of it have in common (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _digest(data: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
