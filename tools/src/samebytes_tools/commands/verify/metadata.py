"""What a published artifact says of its own build: generator, tags, dates, and the Python that it wants."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import parse_tag

from samebytes.archive.entry import Archive, Entry, read_all
from samebytes.artifact import headers
from samebytes.artifact.layout import RESERVED_DATE_FILE, ArtifactKind, parse_wheel_name
from samebytes.artifact.opening import kind_of, open_archive
from samebytes.errors import UsageError
from samebytes.passes.pipeline import agreed_date

from ...building.interpreters import Python
from ...index.releases import parse_sdist_name

# bdist_wheel: setuptools' command wrote that while it was part of wheel.
_GENERATORS = {
    "bdist_wheel": "wheel",
    "flit": "flit-core",
    "meson": "meson-python",
    "uv": "uv-build",
}
"""Names in ``Generator`` that are not those of the project that writes them."""

_GENERATOR = re.compile(r"([A-Za-z][\w.-]*?)[ =]+\(?v?(\d[\w.!+-]*)\)?", re.ASCII)
_CPYTHON = re.compile(r"cp3(\d+)")
_FREE_THREADED = re.compile(r"(cp3\d+|abi3)td?")
"""ABI tags (PEP 703, PEP 803)."""
_PLATFORM = re.compile(r"(?P<system>linux|manylinux|musllinux|macosx)(?:_\d+_\d+|\d*)_(?P<machine>.+)")
"""Platform tags (PEP 425, 513, 600, 656), whatever release of the system or its C library they name."""


@dataclass(frozen=True)
class ArtifactMetadata:
    """What is known of an artifact from itself alone."""

    kind: ArtifactKind
    name: str
    """As in the file name."""
    version: str
    tags: str = ""
    """Python, ABI and platform of a wheel, joined by hyphens."""
    generator: str = ""
    """The ``Generator`` of WHEEL; empty for an sdist."""
    requires_python: str = ""
    date: int | None = None
    """The one date of all files, seconds since 1970 UTC; None if they have several."""
    latest: int | None = None
    """The latest of their dates."""
    brings_date: bool = False
    """Whether it is an sdist that brings the date which its source had (``source-date-epoch = "vcs"``)."""
    urls: tuple[tuple[str, str], ...] = ()
    """Labels and addresses of what belongs to the project (``Project-URL``, ``Home-page``), in their order."""


def read(path: Path) -> ArtifactMetadata:
    """Read the metadata of the artifact *path*.

    :raises ArchiveError: if it is not a wheel or an sdist, or is damaged.
    """
    kind = kind_of(path)
    with open_archive(path) as archive:
        times = [int(entry.mtime) for entry in archive.entries]
        metadata = _block(archive, "METADATA" if kind == ArtifactKind.WHEEL else "PKG-INFO")
        generator = _value(_block(archive, "WHEEL"), "Generator") if kind == ArtifactKind.WHEEL else ""
        date = agreed_date(archive) if kind == ArtifactKind.WHEEL else _date_of_sdist(path, archive)
        names = {entry.name.partition("/")[2] for entry in archive.entries} if kind == ArtifactKind.SDIST else set()
    wheel = parse_wheel_name(path.name) if kind == ArtifactKind.WHEEL else None
    name, version = (wheel.name, wheel.version) if wheel else parse_sdist_name(path.name)
    return ArtifactMetadata(
        kind=kind,
        name=name,
        version=version,
        tags=wheel.tags if wheel else "",
        generator=generator,
        requires_python=_value(metadata, "Requires-Python"),
        date=date,
        latest=max(times, default=None),
        brings_date=RESERVED_DATE_FILE in names,
        urls=_urls(metadata),
    )


def _date_of_sdist(path: Path, archive: Archive) -> int | None:
    """Return the one date of all files, or that of all but PKG-INFO where flit was given it.

    flit writes PKG-INFO without a date, and the one date that it is given, which else is a constant, into the header
    of gzip (RFC 1952, 2.3.1, MTIME).
    """
    dated = [entry for entry in archive.entries if not (_is_metadata(entry, "PKG-INFO") and entry.mtime == 0)]
    date = agreed_date(archive._replace(entries=tuple(dated)))
    if date is None or len(dated) == len(archive.entries):
        return date
    with path.open("rb") as file:
        return date if int.from_bytes(file.read(8)[4:], "little") == date else None


def _block(archive: Archive, name: str) -> headers.Block | None:
    """Return the header block of the file *name*: of ``.dist-info`` in a wheel, at the top of an sdist."""
    # At the top only: a wheel may vendor another project with its .dist-info.
    found = [entry for entry in archive.entries if _is_metadata(entry, name)]
    return headers.parse(read_all(found[0].content)) if found else None


def _is_metadata(entry: Entry, name: str) -> bool:
    directory, _, last = entry.name.partition("/")
    return last == name and (name == "PKG-INFO" or directory.endswith(".dist-info"))


def _urls(block: headers.Block | None) -> tuple[tuple[str, str], ...]:
    """Return labels and addresses (Core metadata, "Project-URL")."""
    found = []
    for one in block.fields if block else ():
        value, name = one.value.decode("utf-8", "replace").strip(), one.name.lower()
        if name == "project-url":
            label, _, address = value.partition(",")
            found.append((label.strip(), address.strip()))
        elif name in ("home-page", "download-url"):
            found.append((one.name, value))
    return tuple(found)


def _value(block: headers.Block | None, name: str) -> str:
    if block is None:
        return ""
    values = [field.value for field in block.fields if field.name.lower() == name.lower()]
    return values[0].decode("utf-8", "replace") if values else ""


def generated_by(generator: str, requires: Sequence[str]) -> tuple[str, str] | None:
    """Return project and version of what wrote a wheel; None if ``Generator`` does not name them.

    :param requires: the names of the build requirements, normalized.
    """
    found = _GENERATOR.fullmatch(generator.strip())
    if not found:
        return None
    name = found[1].lower().replace("_", "-").replace(".", "-")
    # Both names are projects of the index, so only the requirements can say which is meant.
    if name == "poetry":  # poetry-core called itself so before 1.1
        return ("poetry-core" if "poetry-core" in requires else "poetry"), found[2]
    return _GENERATORS.get(found[1].lower(), name), found[2]


def wanted_python(tags: str) -> str | None:
    """Return the CPython that a wheel's *tags* name, as ``3.12`` or ``3.13t`` (free-threaded); None if any will do.

    Of several versions it is the oldest, for which all others are compatible as a rule (``abi3``).

    :raises UsageError: if they want an interpreter that is no longer supported, or is not CPython.
    """
    if not tags:
        return None
    found = parse_tag(tags)
    if any(tag.interpreter.startswith("py3") for tag in found):
        return None
    minors = [int(match[1]) for tag in found for match in [_CPYTHON.fullmatch(tag.interpreter)] if match]
    if not minors:
        pythons, abi, _ = tags.split("-")
        raise UsageError(
            f"the wheel is for {pythons} ({abi}), and samebytes rebuilds for CPython 3",
            remedy="Verify another wheel of the release.",
        )
    is_free_threaded = any(_FREE_THREADED.fullmatch(tag.abi) for tag in found)
    return f"3.{min(minors)}{'t' if is_free_threaded else ''}"


def misfit(metadata: ArtifactMetadata, python: Python) -> str:
    """Return why *python* cannot build what the artifact is, or nothing if it can."""
    try:
        fits = SpecifierSet(metadata.requires_python).contains(python.version, prereleases=True)
    # Older than PEP 440; pip takes such a value for "any", too.
    except InvalidSpecifier:
        fits = True
    if not fits:
        return f"it requires Python {metadata.requires_python}"
    # An sdist has no tags, and fits everywhere.
    platform = metadata.tags.rpartition("-")[2]
    if platform in ("", "any") or any(_is_of(one, python) for one in platform.split(".")):
        return ""
    return f"it is for {platform}, and this is {python.platform} ({python.libc or 'another C library'})"


def _is_of(platform: str, python: Python) -> bool:
    """Return whether wheels with the tag *platform* are built on the platform of *python*."""
    found = _PLATFORM.fullmatch(platform)
    if found is None:
        # As PEP 425 makes platform tags of sysconfig.get_platform(): on Windows and BSD.
        return platform == re.sub(r"[-.]", "_", python.platform)
    system, *_, machine = python.platform.split("-")
    if system == "macosx":
        # A universal2 interpreter builds for either machine, as ARCHFLAGS says.
        machines = ("arm64", "x86_64") if machine == "universal2" else (machine,)
        return found["system"] == "macosx" and found["machine"] in (*machines, "universal2")
    # platform.libc_ver() knows glibc alone, and gives nothing for musl.
    libc = ("linux", "manylinux") if python.libc.startswith("glibc") else ("musllinux",)
    return system == "linux" and found["system"] in libc and found["machine"] == machine


def foreign(filename: str, python: Python) -> str:
    """Return the Python or platform that a file is for if it cannot be that of this machine; nothing if it can."""
    if not filename.endswith(".whl"):
        return ""
    wheel = parse_wheel_name(filename)
    pythons, _, platform = wheel.tags.split("-")
    try:
        wanted_python(wheel.tags)
    except UsageError:
        return pythons
    return (
        platform if misfit(ArtifactMetadata(ArtifactKind.WHEEL, wheel.name, wheel.version, wheel.tags), python) else ""
    )
