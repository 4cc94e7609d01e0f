"""How an artifact was built, recovered: interpreter, build requirements as they were then, and the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.version import Version

from samebytes.backend.config import load
from samebytes.backend.date import resolve
from samebytes.epoch import DEFAULT_DATE, format_date
from samebytes.errors import ConfigError, UsageError

from ...building.interpreters import Python, find, installed
from ...building.provenance import MATTERING
from ...building.requirements import parsed
from ...index.client import Index
from ...index.pages import File
from ...index.releases import release_of
from .metadata import ArtifactMetadata, generated_by, misfit, wanted_python

# A list of what is kept, not of what is dropped: nobody knows all variables that a backend may read.
_KEPT = (
    "ALL_PROXY",
    "CARGO_HOME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "PATH",
    "PIP_CERT",
    "PIP_CLIENT_CERT",
    "PIP_DEFAULT_TIMEOUT",
    "PIP_PROXY",
    "PIP_RETRIES",
    "REQUESTS_CA_BUNDLE",
    "RUSTUP_HOME",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "SYSTEMROOT",
)
"""What a rebuild gets of the caller's environment: how to reach the network, and compilers; see ``MATTERING``."""

PINNED = {
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "PYTHONDONTWRITEBYTECODE": "1",  # or a backend that lies in the tree would find its own .pyc files there
    "PYTHONHASHSEED": "0",
    "PYTHONUTF8": "1",
    "TZ": "UTC",
}
"""What a rebuild by a project's own backend gets, so that the same rebuild gives the same bytes."""


_OLDEST = (3, 9)
"""The version from which on pip installs into interpreters, in the releases that are here."""


@dataclass(frozen=True)
class Moment:
    """What is known of the time at which the build requirements were chosen."""

    until: int | None
    """Seconds since 1970-01-01 UTC; None if today's releases have to do."""
    note: str = ""


def interpreter(metadata: ArtifactMetadata, asked: Python | None, own: Python, environ: Mapping[str, str]) -> Python:
    """Return an interpreter that can build the artifact: the one *asked* for, of the wheel's version, or our own.

    :raises UsageError: if it is not here, or the artifact is for another platform.
    """
    wanted = wanted_python(metadata.tags)
    python = asked or (own if wanted in (None, own.short) else _wanted(wanted, metadata, own, environ))
    if not misfit(metadata, python):
        return python
    # Any will do for a pure wheel, so one that its Requires-Python allows is taken.
    if asked is None and wanted is None:
        for other in installed(environ):
            # A free-threaded one needs wheels of its own (PEP 703), which many build requirements do not have.
            if not other.free_threaded and not misfit(metadata, other):
                return other
    release = f"{metadata.name} {metadata.version}"
    raise UsageError(
        f"{release} cannot be rebuilt with Python {python.version}: {misfit(metadata, python)}",
        remedy="Verify it on a machine of that kind, or another file of the release.",
    )


def _wanted(version: str, metadata: ArtifactMetadata, own: Python, environ: Mapping[str, str]) -> Python:
    # The stable ABI is that of any later version, too; and old ones can hardly be had any more.
    is_stable = "-abi3-" in metadata.tags and not own.free_threaded
    own_does = is_stable and own.minor > (3, int(version.partition(".")[2].rstrip("t")))
    try:
        found = find(version, environ)
    except UsageError:
        if own_does:
            return own
        raise
    return own if own_does and found.minor < _OLDEST else found


def epoch(metadata: ArtifactMetadata) -> int | None:
    """Return the SOURCE_DATE_EPOCH that the artifact shows, if it shows one."""
    # hatchling writes the constant, too, where no date is given.
    return None if metadata.date == DEFAULT_DATE else metadata.date


def date_of(tree: Path, environ: Mapping[str, str]) -> int | None:
    """Return the date of what is built from *tree* when none is given; None if there is no date."""
    unset = {name: value for name, value in environ.items() if name != "SOURCE_DATE_EPOCH"}
    try:
        # Without the variable, which would hide what the tree itself brings.
        return resolve(tree, load(tree).source_date_epoch, unset).seconds
    except ConfigError:
        return None


def pins(metadata: ArtifactMetadata, requires: Sequence[str], tree: Path, index: Index) -> tuple[tuple[str, ...], str]:
    """Return constraints that bring back what wrote the artifact from *tree*, and a note on what cannot be had."""
    names = [_name(line) for line in requires]
    found = generated_by(metadata.generator, names)
    if found is None:
        why = f"its Generator, {metadata.generator!r}, names no version" if metadata.generator else ""
        return (), why and f"{why}: the backend's release is a guess"
    # Generator names what wrote WHEEL, which need not be all of the backend.
    name, version = found
    if not has_version(index, name, version):
        return (), f"the index has no {name} {version}, which its Generator names: another release was taken"
    # setuptools has had that command itself since 70.1, and then writes its own name.
    older = ("setuptools<70.1",) if name == "wheel" and not _imports_wheel(tree) else ()
    return (f"{name}=={version}", *older), ""


def _imports_wheel(tree: Path) -> bool:
    """Return whether setup.py takes the command of wheel, whatever setuptools has."""
    setup = tree / "setup.py"
    return setup.is_file() and b"wheel.bdist_wheel" in setup.read_bytes()


def has_version(index: Index, name: str, version: str) -> bool:
    """Return whether the index has a release."""
    from .published import of_release

    try:
        return bool(of_release(index, name, version))
    except UsageError:
        return False


def moment(file: File | None, metadata: ArtifactMetadata, requires: Sequence[str], index: Index) -> Moment:
    """Return until when build requirements count: the artifact's upload, else the latest date in it."""
    if file is not None and file.uploaded is not None:
        return Moment(file.uploaded)
    if not is_dated(index, requires):
        return Moment(
            None,
            "the index has no times of upload: but for what is pinned, build requirements are the newest of today",
        )
    # Constants of backends (1980, 2016, 2020) are not the time of a build.
    if file is not None or not metadata.latest or metadata.latest <= DEFAULT_DATE:
        return Moment(None, "it is unknown when it was built: the build requirements are the newest of today")
    return Moment(
        metadata.latest, "the index does not know this very file: its latest date is taken for that of the build"
    )


_FIRST_SETUPTOOLS = (((3, 12), Version("66.1.0")), ((3, 9), Version("42.0.2")))
"""From which Python on which release of setuptools is the first that has PEP 517's hooks and runs."""


def buildable(found: Moment, requires: Sequence[str], index: Index, python: Python) -> Moment:
    """Return *found*, or when there first was a setuptools that runs with *python*, if that was later.

    Sdists from before PEP 517 were made by ``setup.py`` with what is no backend yet.
    """
    if found.until is None or "setuptools" not in map(_name, requires):
        return found
    first = next(release for since, release in _FIRST_SETUPTOOLS if python.minor >= since)
    times = []
    for file in index.files("setuptools"):
        release = release_of(file.name)
        if release and not release[1].is_prerelease and release[1] >= first and file.uploaded is not None:
            times.append(file.uploaded)
    if not times or min(times) <= found.until:
        return found
    why = f"no setuptools of then builds with Python {python.short}: build requirements are as of"
    return Moment(min(times), "; ".join(filter(None, [found.note, f"{why} {format_date(min(times))}"])))


def is_dated(index: Index, requires: Sequence[str]) -> bool:
    """Return whether the index has times of upload, by the first build requirement that it has."""
    for line in requires:
        try:
            return any(file.uploaded is not None for file in index.files(_name(line)))
        except (UsageError, ConfigError):
            continue
    return False


def _name(line: str) -> str:
    from packaging.utils import canonicalize_name

    return canonicalize_name(parsed(line).name)


def environment(environ: Mapping[str, str], address: str, given: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a rebuild, but for where it may write: the network's, the build's, and pinned ones.

    :param address: of the package index, for pip; nothing else of pip's configuration counts.
    :param given: those that the recovered or recorded build was given.
    """
    # curl, pip and requests read proxies in lower case, too.
    kept = {name: value for name, value in environ.items() if name.upper() in _KEPT}
    kept.update(_toolchains(environ))
    return {**kept, **pip_variables(environ, address), **PINNED, **given}


def beneath(variables: Mapping[str, str], root: Path) -> dict[str, str]:
    """Return *variables* with a home and a directory for temporary files in *root*, which are made."""
    # Windows has USERPROFILE, TEMP and TMP for the same.
    places = {"HOME": root / "home", "USERPROFILE": root / "home", "TMPDIR": root / "tmp"}
    for path in set(places.values()):
        path.mkdir(parents=True)
    there = {name: str(path) for name, path in places.items()}
    return {**variables, **there, "TEMP": there["TMPDIR"], "TMP": there["TMPDIR"]}


def for_samebytes(environ: Mapping[str, str], address: str, given: Mapping[str, str], home: Path) -> dict[str, str]:
    """Return the variables for ``samebytes build``: the caller's, without what would change the build.

    :param home: the home that the build has, for what it builds is others'; caches and toolchains stay where they are.
    """
    kept = {
        name: value
        for name, value in environ.items()
        if name not in MATTERING and (name in _KEPT or not name.startswith(("PIP_", "UV_", "XDG_")))
    }
    caches = pip_variables(environ, address)
    uv = environ.get("UV_CACHE_DIR") or (str(Path(_caches(environ), "uv")) if _caches(environ) else "")
    caches.update({"UV_CACHE_DIR": uv} if uv else {})
    homes = {"HOME": str(home), "USERPROFILE": str(home)}
    return {**kept, **_toolchains(environ), **caches, **homes, **given}


def _caches(environ: Mapping[str, str]) -> str:
    """Return where the caller's programs keep what they downloaded; empty if that is not known."""
    return environ.get("XDG_CACHE_HOME") or (f"{environ['HOME']}/.cache" if environ.get("HOME") else "")


def pip_variables(environ: Mapping[str, str], address: str) -> dict[str, str]:
    """Return what makes pip use the index at *address* and no other, but the cache that it always uses.

    Where neither a variable for it nor a home is set, pip is left to find one by itself.
    """
    home = _caches(environ)
    cache = environ.get("PIP_CACHE_DIR") or (str(Path(home, "pip")) if home else "")
    # os.devnull makes pip skip every configuration file, the system's too (pip documentation, "PIP_CONFIG_FILE").
    variables = {"PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    variables.update({"PIP_CACHE_DIR": cache} if cache else {})
    return {**variables, "PIP_INDEX_URL": address} if address else variables


def _toolchains(environ: Mapping[str, str]) -> dict[str, str]:
    """Return where Rust's toolchains are, which rustup looks for at home."""
    home = Path(environ.get("HOME", "/"))
    found = {"RUSTUP_HOME": home / ".rustup", "CARGO_HOME": home / ".cargo"}
    return {name: str(path) for name, path in found.items() if name not in environ and path.is_dir()}
