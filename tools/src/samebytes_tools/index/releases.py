"""The source of a release on the package index, downloaded and verified."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from samebytes.errors import UsageError

from .client import Index
from .pages import File

NAME = re.compile(r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:==\s*(?P<version>[A-Za-z0-9.!+_-]+))?")
"""``NAME`` or ``NAME==VERSION``."""


_FORMS = (".tar.gz", ".zip", ".tgz", ".tar.bz2", ".tbz", ".tar.xz", ".txz", ".tar.lzma", ".tlz", ".tar.lz", ".tar")
"""Forms of sdists that pip takes (``pip._internal.utils.filetypes``); PEP 625 knows the first alone."""


def form_of(filename: str) -> str:
    """Return the form of an sdist, such as ``.tar.gz``, by its name; empty if it is not the name of one."""
    return next((form for form in _FORMS if filename.endswith(form)), "")


def in_todays_form(filename: str) -> str:
    """Return what the sdist called *filename*, of any form, would be called as a ``.tar.gz``."""
    return f"{filename[: len(filename) - len(form_of(filename))]}.tar.gz"


def release_of_any(filename: str) -> tuple[str, Version] | None:
    """Return what :func:`release_of` does, for sdists of every form."""
    return release_of(in_todays_form(filename) if form_of(filename) else filename)


def by_preference(sdists: Iterable[File]) -> list[File]:
    """Return the *sdists* of one release, the one first that pip takes: not yanked, then the last on the page.

    It does not prefer a form (pip's ``CandidateEvaluator``).
    """
    last_first = list(sdists)[::-1]
    return sorted(last_first, key=lambda file: file.yanked is not None)


def is_name(text: str) -> bool:
    """Return whether *text* could name a project on the index, and not a file."""
    return NAME.fullmatch(text) is not None and not text.endswith((".whl", ".gz", ".zip", ".tgz", ".tar"))


def sdist(text: str, python: str, directory: Path, environ: Mapping[str, str]) -> Path:
    """Put the sdist of ``NAME`` (its newest stable release) or ``NAME==VERSION`` into *directory* and return it.

    Nothing of it is run. Its hash is that which the index records.

    :param python: the version of the interpreter that it has to be for.
    :raises UsageError: if there is no such project, release or sdist.
    :raises ArchiveError: if the download is not what the index records.
    :raises IndexFailure: if the index cannot be reached or understood.
    """
    found = NAME.fullmatch(text)
    if found is None:
        raise UsageError(f"{text!r} is neither NAME nor NAME==VERSION", remedy="Name a project of the package index.")
    index = Index.configured(environ)
    try:
        files = index.files(found["name"])
    except UsageError as error:  # it may have been meant as a path
        raise UsageError(f"there is no file {text}, and {error.message}", remedy=error.remedy) from None
    return index.download(chosen(files, found["name"], found["version"], python), directory)


def chosen(files: Iterable[File], name: str, version: str | None, python: str) -> File:
    """Return the sdist to take: of the *version*, else of the newest release that is stable, not yanked and for us.

    :raises UsageError: if there is none.
    """
    files = list(files)
    releases = [(release_of(file.name), file) for file in files if file.name.endswith(".tar.gz")]
    sdists = [(release[1], file) for release, file in releases if release is not None]
    if version is not None:
        wanted = [(found, file) for found, file in sdists if found == _parsed(version)]
    else:
        wanted = _to_take(sdists, python)
    if not wanted:
        raise UsageError(
            f"the index has no sdist (.tar.gz) of {name}{'==' + version if version else ''} for Python {python}",
            remedy=_remedy(sdists, files),
        )
    return max(wanted, key=lambda pair: pair[0])[1]


def newest(files: Iterable[File], name: str, python: str) -> Version:
    """Return the newest version among wheels and sdists that is stable, not yanked, and for the version *python*.

    :raises UsageError: if there is none.
    """
    releases = [(release_of_any(file.name), file) for file in files]
    found = _to_take([(release[1], file) for release, file in releases if release is not None], python)
    if not found:
        raise UsageError(
            f"the index has no wheel and no sdist of {name} for Python {python}",
            remedy=f"Name a release: {name}==VERSION.",
        )
    return max(version for version, _ in found)


def _to_take(files: Sequence[tuple[Version, File]], python: str) -> list[tuple[Version, File]]:
    """Return those among *files* that are taken where no version is named."""
    # PEP 592: a yanked release is taken only if it is named exactly.
    usable = [(found, file) for found, file in files if file.yanked is None and _is_for(file, python)]
    # As pip does: pre-releases only where there is nothing else (PEP 440).
    return [(found, file) for found, file in usable if not found.is_prerelease] or usable


def release_of(filename: str) -> tuple[str, Version] | None:
    """Return the normalized name of the project and the version that a wheel or ``.tar.gz`` sdist is of.

    None for files of another kind, and of a name or version that today's specifications do not allow.
    """
    try:
        # Both parsers check versions (PEP 440), so ancient names give None rather than a guess.
        if filename.endswith(".whl"):
            return parse_wheel_filename(filename)[:2]
        return parse_sdist_filename(filename) if filename.endswith(".tar.gz") else None
    except (InvalidWheelFilename, InvalidSdistFilename):
        return None


def _parsed(version: str) -> Version:
    try:
        return Version(version)
    except InvalidVersion:
        raise UsageError(f"{version!r} is not a version (PEP 440)", remedy="Write it as in NAME==1.2.3.") from None


def _is_for(file: File, python: str) -> bool:
    try:
        # prereleases: a 3.14.0rc1 is an interpreter like any other here.
        return SpecifierSet(file.requires_python).contains(python, prereleases=True)
    # Releases older than PEP 440 wrote anything there; pip takes these, too.
    except InvalidSpecifier:
        return True


def _remedy(sdists: Iterable[tuple[Version, File]], files: Iterable[File]) -> str:
    versions = sorted({version for version, _ in sdists}, reverse=True)[:5]
    if versions:
        return f"The newest sdists there are of {', '.join(map(str, versions))}."
    if any(file.name.endswith(".zip") for file in files):
        return "There are zip sdists only, which are not supported."
    return "There are wheels only: check a clone of its source."
