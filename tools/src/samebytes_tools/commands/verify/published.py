"""Artifacts to verify: files that are here, or files of a release that a package index has."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Callable

from packaging.utils import canonicalize_name
from packaging.version import Version

from samebytes.artifact.layout import parse_wheel_name
from samebytes.artifact.opening import kind_of
from samebytes.errors import ConfigError, UsageError

from ...building.interpreters import Python
from ...building.source import sha256_of
from ...index.client import Index
from ...index.pages import File
from ...index.releases import chosen, form_of, in_todays_form, is_name, newest, parse_sdist_name, version_of
from ...releases.selection import Selection, demand_hashes, select

# Arbitrary equality (===, PEP 440), too.
RELEASE = re.compile(r"\s*([A-Za-z0-9][\w.-]*)\s*===?\s*(\S+)\s*")
_SUFFIXES = (".whl", ".tar.gz")


@dataclass(frozen=True)
class PublishedArtifact:
    """A wheel or sdist that is here now."""

    path: Path
    sha256: str
    file: File | None = None
    """The entry of this very file in the index; None if the index does not have it."""
    note: str = ""
    chosen: str = ""
    """Why this file of its release was taken; empty if it was asked for, or there is no other."""


def find(
    target: str,
    selection: Selection,
    python: Callable[[], Python],
    index: Callable[[], Index],
    directory: Path,
    *,
    is_in_index: bool = False,
) -> PublishedArtifact:
    """Return the artifact that *target* names: a file, ``NAME==VERSION``, or ``NAME`` for its newest stable release.

    :param is_in_index: whether it may be the name of a file in the index.
    :param selection: which to choose of a release.
    :param directory: where downloads go.
    :raises SamebytesError: if there is no such artifact.
    """
    path = Path(target)
    # Before all else: nothing is downloaded for what is here.
    if path.is_file():
        return _local(path, index)
    release = _release(target, index, python)
    if release:
        file, chosen = select(of_release(index(), *release), selection, target, python)
        found = _downloaded(file, index(), directory)
        demand_hashes(found.path, selection)
        return replace(found, chosen=chosen, note=_yanked(file))
    if is_in_index and target.endswith(_SUFFIXES):
        return _downloaded(by_name(target, index()), index(), directory)
    raise UsageError(
        f"{target}: there is no such file, and it is not a release", remedy="Name a wheel, an sdist, or NAME==VERSION."
    )


def _release(target: str, index: Callable[[], Index], python: Callable[[], Python]) -> tuple[str, str] | None:
    """Return name and version of the release that *target* names; None if it cannot be meant so.

    :raises UsageError: if it is a name alone, and the index has no such project.
    """
    exact = RELEASE.fullmatch(target)
    if exact:
        return exact[1], exact[2]
    # What is here was meant as what is here, such as a directory.
    if not is_name(target) or Path(target).exists():
        return None
    try:
        files = index().files(target)
    except UsageError as error:
        raise UsageError(f"there is no file {target}, and {error.message}", remedy=error.remedy) from None
    return target, str(newest(files, target, python().version))


def release_named(filename: str) -> str:
    """Return the release, as ``NAME==VERSION``, that the file called *filename* is of.

    :raises ArchiveError: if it is not the name of a wheel or sdist.
    """
    parts = parse_wheel_name(filename) if filename.endswith(".whl") else parse_sdist_name(filename)
    return f"{parts.name}=={parts.version}"


def subject_of(record: Path, name: str, sha256: str, index: Callable[[], Index], directory: Path) -> PublishedArtifact:
    """Return the file that a record is about: *name* beside the *record*, else that of the index.

    :param sha256: what the record says of it.
    :param directory: where downloads go.
    :raises ConfigError: if it is another file: in-toto's subjects are matched by their digests alone.
    :raises SamebytesError: if there is no such file.
    """
    beside = record.parent / name
    # Not in the current directory, unless the record is there.
    found = _local(beside, index) if beside.is_file() else _downloaded(by_name(name, index()), index(), directory)
    if found.sha256 != sha256:
        where = str(beside) if beside.is_file() else f"{name} in the index"
        raise ConfigError(
            f"{where} is not what the record {record} is about: its SHA-256 is {found.sha256}, and the record has "
            f"{sha256}",
            remedy=f"To compare with it all the same, name it: samebytes verify {beside if beside.is_file() else name} "
            f"--from {record}",
        )
    return found


def of_release(index: Index, name: str, version: str) -> list[File]:
    """Return the wheels and sdists of a release, those of every form that pip takes.

    :raises UsageError: if the index does not know the project, or not that version.
    """
    try:
        wanted = Version(version)
    except ValueError:  # InvalidVersion, or a number of thousands of digits
        raise UsageError(
            f"{version[:100]!r} is not a version", remedy="Write NAME==VERSION, such as idna==3.10."
        ) from None
    files = [(file, version_of(file.name, name)) for file in index.files(name)]
    found = [file for file, release in files if release == wanted]
    if not found:
        # By version, not by the index's order, which PEP 503 leaves open.
        known = sorted({release for _, release in files if release is not None})
        if not known:
            raise UsageError(
                f"the index {index.address} has no {name} {version}: it lists no wheel and no sdist of {name}",
                remedy="Are they deleted, or private? Or is that address no package index?",
            )
        raise UsageError(
            f"the index {index.address} has no {name} {version}",
            remedy=f"It has, among others: {', '.join(map(str, known[-5:]))}.",
        )
    return found


def other_files(index: Index, name: str, version: str) -> list[File]:
    """Return the files of a release that are neither wheels nor sdists: eggs, installers, and what bdist_dumb made.

    :raises UsageError: as :func:`of_release` does.
    """
    own, release = {file.name for file in of_release(index, name, version)}, (canonicalize_name(name), Version(version))
    return [file for file in index.files(name) if file.name not in own and _release_of_other(file.name) == release]


_OTHER = re.compile(
    r"(?P<name>.+?)-(?P<version>\d[^-]*?)(?:-\d+)?(?:[.-](?:py\d|win|linux|macosx|cygwin|noarch|src|x86_64|i\d86).*)?"
    r"\.(?:egg|exe|msi|rpm|deb|dmg|zip|tgz|tar\.gz|tar\.bz2)"
)
"""Names that distutils and setuptools gave to what was for one system, or one Python."""


def _release_of_other(filename: str) -> tuple[str, Version] | None:
    found = _OTHER.fullmatch(filename)
    try:
        return (canonicalize_name(found["name"]), Version(found["version"])) if found else None
    except ValueError:  # InvalidVersion
        return None


def sdist_of(index: Index, name: str, version: str, python: str) -> tuple[File, str]:
    """Return the sdist of a release that pip takes for the version *python*, and a note on others if there are some.

    :raises UsageError: if it has none.
    """
    files = of_release(index, name, version)
    if not any(form_of(file.name) for file in files):
        raise UsageError(
            f"{name} {version} has no sdist in the index {index.address}",
            remedy="Name its source: --source TREE, or --source GIT-URL@TAG.",
        )
    choice = chosen(files, name, version, python)
    # Whether it is yanked, or for other versions of Python, is said of the file that is verified.
    return choice.file, choice.others


def _local(path: Path, index: Callable[[], Index]) -> PublishedArtifact:
    # Refuses here what is no artifact, before an index is asked about its name.
    kind_of(path)
    digest = sha256_of(path)
    try:
        known = by_name(path.name, index())
    except UsageError:
        return PublishedArtifact(path, digest)
    # Only then its time of upload is that of this very file.
    if known.hashes.get("sha256") == digest:
        return PublishedArtifact(path, digest, known)
    return PublishedArtifact(
        path, digest, note=f"the index has another file called {path.name}: its SHA-256 is another"
    )


def _yanked(file: File) -> str:
    """Return a note on a file that was yanked (PEP 592), which pip takes only where its version is named exactly."""
    reason = f": {file.yanked}" if file.yanked else ""
    return "" if file.yanked is None else f"it was yanked{reason}"


def by_name(filename: str, index: Index) -> File:
    """Return the file called *filename*.

    :raises UsageError: if the index does not have it.
    """
    name = (
        parse_wheel_name(filename).name
        if filename.endswith(".whl")
        else parse_sdist_name(in_todays_form(filename)).name
    )
    found = [file for file in index.files(name) if file.name == filename]
    if not found:
        raise UsageError(f"the index {index.address} has no file {filename}", remedy="Name a file that is here.")
    return found[0]


def _downloaded(file: File, index: Index, directory: Path) -> PublishedArtifact:
    directory.mkdir(parents=True, exist_ok=True)
    path = index.download(file, directory)
    return PublishedArtifact(path, sha256_of(path), file)
