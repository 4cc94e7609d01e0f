"""The names inside wheels, sdists and source trees, and the parts of their file names."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from ..archive.entry import Archive, Container
from ..errors import ArchiveError

RESERVED_DATE_FILE = ".source-date-epoch"
"""In the top directory of an sdist: the date of the artifact, ASCII decimal seconds since 1970-01-01 UTC and an LF."""

# Not compiled here: re keeps what was compiled at the first use, and most runs use only some of them.
_WHEEL = r"(?P<name>[^-]+)-(?P<version>[^-]+)(?:-(?P<build>[0-9][^-]*))?-(?P<tags>[^-]+-[^-]+-[^-]+)\.whl"


class ArtifactKind(str, enum.Enum):
    """What a project is published as; the values are those of hooks' names and of JSON documents."""

    SDIST = "sdist"
    WHEEL = "wheel"

    def __str__(self) -> str:
        return self.value

    @property
    def container(self) -> Container:
        """What the specifications say that it is packed in (PEP 427, PEP 625)."""
        return Container.ZIP if self is ArtifactKind.WHEEL else Container.TAR_GZ

    @property
    def suffix(self) -> str:
        """How its file name ends."""
        return ".whl" if self is ArtifactKind.WHEEL else ".tar.gz"


class WheelName(NamedTuple):
    """The parts of a wheel's file name."""

    name: str
    version: str
    build: str
    """Empty where there is none."""
    tags: str
    """Python, ABI and platform, joined by hyphens as in the file name."""


def fold(text: str) -> str:
    """Return a name or version for comparison: ASCII lower case, runs of ``-``, ``_``, ``.`` as one ``-`` (PEP 503)."""
    return re.sub(r"[A-Z]+", lambda found: found[0].lower(), re.sub(r"[-_.]+", "-", text))


def parse_wheel_name(filename: str) -> WheelName:
    """Split the file name of a wheel.

    :raises ArchiveError: if it is not of the form in the wheel specification, "File name convention".
    """
    match = re.fullmatch(_WHEEL, filename)
    if match is None:
        remedy = "A wheel is called NAME-VERSION[-BUILD]-PYTHON-ABI-PLATFORM.whl; give it back the name it had."
        raise ArchiveError(f"{filename}: this is not the file name of a wheel", remedy=remedy)
    return WheelName(match["name"], match["version"], match["build"] or "", match["tags"])


def dist_info(names: Iterable[str], where: str) -> str:
    """Return the one top-level name ``*.dist-info`` among the names of a wheel's members; *where* is for messages.

    :raises ArchiveError: if there is none, or more than one.
    """
    tops = {name.partition("/")[0] for name in names if ".dist-info" in name}
    found = sorted(top for top in tops if top.endswith(".dist-info"))
    if len(found) == 1:
        return found[0]
    what = f"{len(found)} .dist-info directories ({', '.join(found)})" if found else "no .dist-info directory"
    raise ArchiveError(f"{where}: there is {what} at the top; a wheel has exactly one", remedy="Build the wheel again.")


def check_dist_info(directory: str, filename: str) -> None:
    """Refuse a wheel whose ``.dist-info`` directory and file name are of different releases.

    :raises ArchiveError: if name or version differ after folding, or *filename* is not that of a wheel.
    """
    wheel = parse_wheel_name(filename)
    if fold(directory) == f"{fold(f'{wheel.name}-{wheel.version}')}-dist-info":
        return
    raise ArchiveError(
        f"{filename}: its metadata directory is {directory}, which belongs to another name or version",
        remedy=f"A wheel of this name holds {wheel.name}-{wheel.version}.dist-info; was the file renamed?",
    )


def is_source_tree(directory: Path) -> bool:
    """Return whether *directory* is the root of a Python project's source."""
    return (directory / "pyproject.toml").exists() or (directory / "setup.py").exists()


def own_directory(archive: Archive, kind: ArtifactKind) -> str:
    """Return the directory that is called after the release: a wheel's ``.dist-info``, an sdist's top directory.

    :raises ArchiveError: if there is none, or more than one.
    """
    if kind == ArtifactKind.WHEEL:
        return dist_info((entry.name for entry in archive.entries), archive.name)
    # That there is but one directory at the top, the reader has seen.
    for entry in archive.entries:
        if "/" in entry.name:
            return entry.name.partition("/")[0]
    raise ArchiveError(
        f"{archive.name}: there is no file in a top directory",
        remedy="An sdist holds one top directory called NAME-VERSION and nothing beside it; build the sdist again.",
    )


def is_script(name: str) -> bool:
    """Return whether a wheel's file is installed as a script, so must be executable (``*.data/scripts/``)."""
    # The plain search spares most names the pattern.
    return ".data/scripts/" in name and re.match(r"[^/]+\.data/scripts/", name) is not None


def in_egg_info(name: str, top: str, filename: str) -> bool:
    """Return whether *name* is *filename* in the project's own ``.egg-info`` directory, wherever that lies.

    Egg-info directories of other projects in an sdist are test data, and nobody's to change.
    """
    directory, _, last = name.rpartition("/")
    egg_info = directory.rpartition("/")[2]
    if last != filename or not egg_info.endswith(".egg-info") or not directory.startswith(f"{top}/"):
        return False
    # The sdist's top directory is NAME-VERSION; a name may hold hyphens, a version begins with a digit.
    project = fold(egg_info[: -len(".egg-info")])
    version = fold(top)[len(project) + 1 :]
    return fold(top).startswith(f"{project}-") and "0" <= version[:1] <= "9"
