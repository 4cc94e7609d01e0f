"""What is installed in a virtual environment: which published wheel each distribution came from, and if it is still so.

Sources: the specifications "Recording installed projects" (``INSTALLER``, ``RECORD``) and "Direct URL Data Structure".
"""

from __future__ import annotations

import hashlib
import json
import stat
from pathlib import Path
from typing import Any

from samebytes.archive.entry import Entry, Kind
from samebytes.artifact import headers, record
from samebytes.artifact.opening import open_archive
from samebytes.errors import ConfigError, RecordError, UsageError

from ...building.source import sha256_of
from ...comparison.contents import digests_of
from ...releases import listed
from ...releases.listed import ListedRelease
from ...releases.selection import Selection

_SITES = ("lib/python*/site-packages", "lib64/python*/site-packages", "Lib/site-packages", "lib/pypy*/site-packages")
_OWN_NOTES = ("INSTALLER", "REQUESTED", "direct_url.json", "RECORD", "uv_cache.json", "uv_build.json")
"""Files in ``.dist-info`` that installers write."""
_SIGNATURES = ("RECORD.jws", "RECORD.p7s")
"""What not every installer takes over."""
_LARGEST = 64 << 20
"""Bytes of a file of metadata."""
_SHOWN = 3
_MISSING = "-"


def is_environment(path: Path) -> bool:
    """Return whether *path* is a virtual environment (PEP 405)."""
    return (path / "pyvenv.cfg").is_file()


def read(path: Path) -> list[ListedRelease]:
    """Return an entry for each distribution that is installed in the virtual environment *path*, by their names.

    :raises ConfigError: if it has no place for any.
    """
    # lib64 is a link to lib on some systems.
    sites = {site.resolve(): site for pattern in _SITES for site in sorted(path.glob(pattern))}
    # Nothing that is verified would pass for all that is.
    if not sites:
        raise ConfigError(f"{path} has no site-packages", remedy="Make the environment anew, or name the files.")
    found = [_entry(info) for site in sites.values() for info in sorted(site.glob("*.dist-info"))]
    found += [_egg(egg) for site in sites.values() for egg in sorted([*site.glob("*.egg-info"), *site.glob("*.egg")])]
    return sorted(found, key=lambda one: one.label.lower())


def _egg(path: Path) -> ListedRelease:
    name, _, version = path.stem.partition("-")
    error = UsageError(
        "it was not installed from a wheel: it has no RECORD", remedy="Install it again, by pip 23.1 or later."
    )
    return ListedRelease(name, version.partition("-")[0], error=error)


def _entry(info: Path) -> ListedRelease:
    name, _, version = info.name[: -len(".dist-info")].partition("-")
    try:
        metadata = _fields(info / "METADATA")
        name, version = metadata["name"][0], metadata["version"][0]
        return _release(info, name, version)
    except (OSError, LookupError, ValueError, TypeError, AttributeError, RecursionError) as error:
        problem = ConfigError(f"{info} is damaged: {error!r:.200}", remedy="Install it again.")
        return ListedRelease(name, version, error=problem)


def _release(info: Path, name: str, version: str) -> ListedRelease:
    hashes: frozenset[str] = frozenset()
    if (info / "direct_url.json").is_file():
        origin = json.loads(_data(info / "direct_url.json"))
        if "vcs_info" in origin:
            return listed.repository(name, version, origin["url"])
        if "dir_info" in origin:
            return listed.directory(name, version, origin["url"], editable=bool(origin["dir_info"].get("editable")))
        hashes = _hashes(origin["archive_info"])
        # With its hash it can be found among what the index has; without, nothing says what it was.
        if not hashes:
            return listed.address(name, version, origin["url"])
    tags = frozenset(_fields(info / "WHEEL").get("tag", ()))
    if not tags:
        raise ValueError("WHEEL names no tag")
    if not (info / "RECORD").is_file():
        installer = (
            _data(info / "INSTALLER").decode("utf-8", "replace").strip() if (info / "INSTALLER").is_file() else ""
        )
        error = UsageError(
            f"it has no RECORD{f', for {installer} installed it' if installer else ''}",
            remedy="Verify it by the package manager that installed it.",
        )
        return ListedRelease(name, version, error=error)
    return ListedRelease(name, version, Selection(tags=tags, hashes=hashes), installed=info)


def _hashes(archive: dict[str, Any]) -> frozenset[str]:
    """Return the hashes of ``archive_info``; ``hash`` is what it had alone before ``hashes``."""
    return listed.strong([*archive.get("hashes", {}).items(), archive.get("hash", "").partition("=")[::2]])


def _data(path: Path) -> bytes:
    if not stat.S_ISREG(path.stat().st_mode):  # A pipe would never end, nor would /dev/zero.
        raise ValueError(f"{path.name} is not a regular file")
    with path.open("rb") as file:
        data = file.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise ValueError(f"{path.name} is too large")
    return data


def _fields(path: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    block = headers.parse(_data(path))
    for one in block.fields if block else ():
        found.setdefault(one.name.lower(), []).append(one.value.decode("utf-8", "replace").strip())
    return found


def check(info: Path, wheel: Path) -> None:
    """Check that what is installed with the ``.dist-info`` directory *info* are the files of the published *wheel*.

    By their contents, as installers do not look at RECORD. Scripts are left out, whose first line is the installer's,
    and so are headers, and what installers write beside the files.

    :raises RecordError: if a file is missing or another.
    """
    with open_archive(wheel) as archive:
        files = [entry for entry in archive.entries if entry.kind is Kind.FILE]
        wrong = [fault for entry in files for fault in [_fault(entry, info)] if fault]
    if wrong:
        more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise RecordError(
            f"what is installed is not what {wheel.name} has: {'; '.join(wrong[:_SHOWN])}{more}",
            remedy="Find out who changed it after the installation; install it again.",
        )


def digest(info: Path) -> str:
    """Return the SHA-256 of all digests of the files that RECORD lists, as they are now."""
    state = hashlib.sha256()
    try:
        rows = record.parse(_data(info / "RECORD"), f"{info.name}/RECORD").rows
    except (OSError, ValueError):
        rows = {}
    for name in sorted(rows):
        state.update(_digest(info.parent / name).encode())
    return state.hexdigest()


def _fault(entry: Entry, info: Path) -> str:
    """Return what is wrong with the installed file of an *entry* of the wheel; nothing if all is well."""
    name, base = entry.name, info.parent
    top, _, below = name.partition("/")
    if top.endswith(".data"):
        scheme, _, name = below.partition("/")
        if scheme == "data":
            base = next(filter(is_environment, info.parents), base)
        elif scheme not in ("purelib", "platlib"):
            return ""
    elif top.endswith(".dist-info"):
        if below in (*_OWN_NOTES, *_SIGNATURES):
            return ""
        name = f"{info.name}/{below}"  # installers may spell the directory otherwise
    found = _digest(base / name)
    if found == _MISSING:
        return f"{name} is missing"
    return "" if found == digests_of(entry.content).sha256.hex() else f"{name} is another"


def _digest(path: Path) -> str:
    """Return the SHA-256 of the file *path*; ``-`` if there is none that can be read."""
    try:
        return sha256_of(path) if path.is_file() else _MISSING
    except OSError:
        return _MISSING
