"""Wheels of popular projects for macOS, from the package index, and what normalizing them leaves as it was."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from samebytes_tools.comparison.formats.macho_image import MAGICS
from support.conditions import kept_variables

SMALL = ("markupsafe==3.0.4", "frozenlist==1.8.0", "pyyaml==6.0.4", "cffi==2.1.1", "orjson==3.13.0")
LARGE = ("cryptography==50.0.2", "lxml==6.1.3", "numpy==2.5.5", "pillow==13.0.0", "pydantic-core==2.50.5")

_PLATFORMS = (
    "macosx_14_0_arm64",
    "macosx_11_0_arm64",
    *(f"macosx_10_{minor}_universal2" for minor in (9, 12, 13, 15)),
)


class Outcome(NamedTuple):
    """What normalizing made of one wheel."""

    name: str
    size: int
    modules: int
    """How many Mach-O files are in it."""
    changed: frozenset[str]
    """What has other contents: names, without the name and version of the release."""
    moved: bool
    """Whether names, executable bits or the contents of anything outside .dist-info changed."""


def fetched(requirements: Iterable[str], target: Path) -> list[Path]:
    """Download the wheels for CPython 3.12 on macOS."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    for platform in _PLATFORMS:
        command += ["--platform", platform]
    command += ["--python-version=3.12", "--dest", str(target), *requirements]
    done = subprocess.run(command, env=kept_variables(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return sorted(target.glob("*.whl"))


def _members(path: Path) -> Mapping[str, tuple[bytes, bool]]:
    """Return contents and executable bit by name, as Python's own reader has them."""
    with zipfile.ZipFile(path) as archive:
        return {
            each.filename: (archive.read(each), bool(each.external_attr >> 16 & 0o100))
            for each in archive.infolist()
            if not each.is_dir()
        }


def modules(path: Path) -> dict[str, bytes]:
    """Return the Mach-O files in a wheel, by name."""
    return {name: data for name, (data, _) in _members(path).items() if data[:4] in MAGICS}


def normalized(wheel: Path, target: Path, command: Iterable[str | Path]) -> Outcome:
    """Normalize a copy of *wheel* by *command*, and say what it changed."""
    target.mkdir(parents=True, exist_ok=True)
    copy = Path(shutil.copy(wheel, target))
    subprocess.run([*command, "normalize", "--date", "1700000000", copy], check=True, capture_output=True)
    before, after = _members(wheel), _members(copy)
    changed = {name for name in before if name in after and before[name][0] != after[name][0]}
    info = next(name.partition("/")[0] for name in before if ".dist-info/" in name)
    moved = before.keys() != after.keys() or any(
        before[name] != after[name] for name in before if not name.startswith(f"{info}/")
    )
    inside = frozenset(name.replace(f"{info}/", "*.dist-info/") for name in changed)
    return Outcome(wheel.name, wheel.stat().st_size, len(modules(wheel)), inside, moved)
