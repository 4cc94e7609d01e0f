"""The source of a release on the package index, downloaded and verified."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

from samebytes.errors import ArchiveError, UsageError

from .client import Index
from .pages import File

NAME = re.compile(r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:==\s*(?P<version>[A-Za-z0-9.!+_-]+))?")
"""``NAME`` or ``NAME==VERSION``."""


_FORMS = (".tar.gz", ".zip", ".tgz", ".tar.bz2", ".tbz", ".tar.xz", ".txz", ".tar.lzma", ".tlz", ".tar.lz", ".tar")
"""Forms of sdists that pip takes (``pip._internal.utils.filetypes``); PEP 625 knows the first alone."""


def form_of(filename: str) -> str:
    """Return the form of an sdist, such as ``.tar.gz``, by its name; empty if it is not the name of one."""
    return next((form for form in _FORMS if filename.endswith(form)), "")


class SdistName(NamedTuple):
    """The parts of an sdist's file name."""

    name: str
    version: str


def parse_sdist_name(filename: str) -> SdistName:
    """Split the file name of an sdist at its last hyphen, for names from before PEP 625 hold hyphens too.

    :raises ArchiveError: if it is not ``NAME-VERSION.tar.gz``.
    """
    match = re.fullmatch(r"(.+)-([^-]+)\.tar\.gz", filename)
    if match is None:
        remedy = "An sdist is called NAME-VERSION.tar.gz; give it back the name it had."
        raise ArchiveError(f"{filename}: this is not the file name of an sdist", remedy=remedy)
    return SdistName(match[1], match[2])


def in_todays_form(filename: str) -> str:
    """Return what the sdist called *filename*, of any form, would be called as a ``.tar.gz``."""
    return f"{filename[: len(filename) - len(form_of(filename))]}.tar.gz"


def version_of(filename: str, project: str) -> Version | None:
    """Return the version of the *project* that a wheel, or an sdist of any form, is of; None if it is of none.

    The name of an old sdist may have a hyphen in its version: where the project ends in it, pip looks up so, too.
    """
    wanted = canonicalize_name(project)
    form = form_of(filename)
    if not form:
        release = release_of(filename)
        return release[1] if release is not None and release[0] == wanted else None
    parts = filename[: len(filename) - len(form)].split("-")
    for number in range(1, len(parts)):
        if canonicalize_name("-".join(parts[:number])) == wanted:
            with suppress(ValueError):  # InvalidVersion, or a number of thousands of digits
                return Version("-".join(parts[number:]))
    return None


def by_preference(sdists: Iterable[File], python: str) -> list[File]:
    """Return the *sdists* of one release, the one first that pip takes for the version *python*.

    That is: one that is for this Python, not yanked, then the last on the page. It does not prefer a form (pip's
    ``CandidateEvaluator``).
    """
    last_first = list(sdists)[::-1]
    return sorted(last_first, key=lambda file: (not is_for(file, python), file.yanked is not None))


def is_name(text: str) -> bool:
    """Return whether *text* could name a project on the index, and not a file."""
    return NAME.fullmatch(text) is not None and not (form_of(text) or text.endswith((".whl", ".gz")))


class ChosenSdist(NamedTuple):
    """The sdist of a project that is taken."""

    file: File
    version: Version
    others: str = ""
    """What other sdists the release has, in a sentence; empty if there are none."""
    doubts: tuple[str, ...] = ()
    """Why pip would not take it, or which release it would rather take."""

    @property
    def notes(self) -> tuple[str, ...]:
        """All that is to be known of the choice."""
        return (*filter(None, [self.others]), *self.doubts)


def sdist(text: str, python: str, directory: Path, environ: Mapping[str, str]) -> tuple[Path, tuple[str, ...]]:
    """Put the sdist of ``NAME`` (its newest stable release) or ``NAME==VERSION`` into *directory* and return it.

    Nothing of it is run. Its hash is that which the index records. Beside it, notes on the choice are returned.

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
    choice = chosen(files, found["name"], found["version"], python)
    return index.download(choice.file, directory), choice.notes


def chosen(files: Iterable[File], name: str, version: str | None, python: str) -> ChosenSdist:
    """Return the sdist to take: of the *version*, else of the newest release that is stable, not yanked and for us.

    Of several, it is the one that pip takes. One that was yanked, or is not for the version *python*, is taken only
    if its version is named, and noted.

    :raises UsageError: if there is none.
    """
    every = [(found, file) for file in files for found in [version_of(file.name, name)] if found is not None]
    sdists = [(found, file) for found, file in every if form_of(file.name)]
    if version is not None:
        wanted = [(found, file) for found, file in sdists if found == _parsed(version)]
    else:
        wanted = _to_take(sdists, python)
    if not wanted:
        raise UsageError(
            f"the index has no sdist of {name}{'==' + version if version else ''} for Python {python}",
            remedy=_remedy(sdists),
        )
    taken = max(found for found, _ in wanted)
    first, *others = by_preference((file for found, file in sdists if found == taken), python)
    names = ", ".join(file.name for file in others)
    several = f"the release has other sdists, too ({names}); pip takes {first.name}" if others else ""
    later = max((found for found, file in every if file.yanked is None and not found.is_prerelease), default=taken)
    newer = f"{name} {later} is newer than {taken}, and has no sdist for Python {python}"
    is_newest = version is not None or later <= taken
    return ChosenSdist(first, taken, several, (*_doubts(first, python), *([] if is_newest else [newer])))


def _doubts(file: File, python: str) -> Iterator[str]:
    """Yield why pip would not take *file*, or only if its version is named exactly."""
    if file.yanked is not None:
        yield f"{file.name} was yanked{': ' + file.yanked if file.yanked else ''}"
    if not is_for(file, python):
        yield f"{file.name} is for Python {file.requires_python}, not for {python}, and pip would refuse it"


def newest(files: Iterable[File], name: str, python: str) -> Version:
    """Return the newest version among wheels and sdists that is stable, not yanked, and for the version *python*.

    :raises UsageError: if there is none.
    """
    releases = [(version_of(file.name, name), file) for file in files]
    found = _to_take([(release, file) for release, file in releases if release is not None], python)
    if not found:
        raise UsageError(
            f"the index has no wheel and no sdist of {name} for Python {python}",
            remedy=f"Name a release: {name}==VERSION.",
        )
    return max(version for version, _ in found)


def _to_take(files: Sequence[tuple[Version, File]], python: str) -> list[tuple[Version, File]]:
    """Return those among *files* that are taken where no version is named."""
    # PEP 592: a yanked release is taken only if it is named exactly.
    usable = [(found, file) for found, file in files if file.yanked is None and is_for(file, python)]
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


def is_for(file: File, python: str) -> bool:
    """Return whether the Requires-Python of *file*, as far as its index gives it, is one of the version *python*."""
    try:
        # prereleases: a 3.14.0rc1 is an interpreter like any other here.
        return SpecifierSet(file.requires_python).contains(python, prereleases=True)
    # Releases older than PEP 440 wrote anything there; pip takes these, too.
    except InvalidSpecifier:
        return True


def _remedy(sdists: Iterable[tuple[Version, File]]) -> str:
    versions = sorted({version for version, _ in sdists}, reverse=True)[:5]
    if versions:
        return f"The newest sdists there are of {', '.join(map(str, versions))}."
    return "There are wheels only: check a clone of its source."
