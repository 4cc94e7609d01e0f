"""Traits of wheels and sdists in which releases of build backends differ, whatever the project is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from samebytes.archive.entry import Archive, Kind, read_all
from samebytes.archive.zip_directory import Source, read_directory
from samebytes.archive.zip_layout import MemberHeader
from samebytes.artifact import headers
from samebytes.artifact.layout import ArtifactKind
from samebytes.artifact.opening import kind_of, open_archive

from ...comparison.requirements import meaning
from ...comparison.windows import made_on_windows

_SPECIFIER = re.compile(rb"[\w.-]+(?:\[[^\]]*\])?( ?\(?)[<>=!~]")
"""A requirement up to its first version, with what stands in between."""
_EXTRA = re.compile(rb"""extra == (["'])""")
_LICENSE = re.compile(r"(?:LICEN[CS]E|COPYING|NOTICE|AUTHORS)[^/]*", re.IGNORECASE)
"""Names that backends take for a license by themselves."""
_TOP_LEVELS = re.compile(r"\.(?:egg-info|dist-info)/top_level\.txt\Z")
_COMMIT = re.compile(rb"^__commit_id__ = commit_id = (?:None|'(\w{1,41})')$", re.MULTILINE)
_COMPILED = re.compile(r"/__pycache__/[^/]+\.cpython-3(\d+)(?:\.opt-\d)?\.pyc\Z|-py3\.(\d+)-nspkg\.pth\Z")
"""Names of files that have the release of the interpreter that made them."""


def traits(path: Path) -> dict[str, str]:
    """Return the traits of the wheel or sdist *path*, by name; none of what it has nothing of.

    :raises ArchiveError: if it is not an artifact, or damaged.
    """
    kind = kind_of(path)
    with open_archive(path) as archive:
        found = dict(_of_metadata(archive, kind))
        found.update(_of_layout(archive, kind))
    if kind == ArtifactKind.WHEEL:
        found.update(_of_zip(path))
    return found


def _of_metadata(archive: Archive, kind: ArtifactKind) -> Iterator[tuple[str, str]]:
    """Yield traits of METADATA or PKG-INFO."""
    block = _metadata(archive, kind)
    if block is None:
        return
    fields = [field.name.lower() for field in block.fields]
    values = [(field.name.lower(), field.value) for field in block.fields]
    for version in [value.decode("ascii", "replace") for _, value in values[:1]]:
        # Which of 1.0, 1.1 and 1.2 it is depends on the fields that there are, and not on the release.
        yield "metadata version", "1.x" if version.startswith("1.") else version
    requirements = [value for name, value in values if name == "requires-dist"]
    for match in [match for match in map(_SPECIFIER.match, requirements) if match][:1]:
        yield "requirements", {b"": "bare", b" ": "spaced"}.get(match[1], "parenthesized")
    for match in [match for match in map(_EXTRA.search, requirements) if match][:1]:
        yield "quotes", "double" if match[1] == b'"' else "single"
    if kind == ArtifactKind.SDIST and "provides-extra" in fields:
        yield "extras", "with requirements" if requirements else "alone"
    if "download-url" in fields and "author" in fields:
        yield "Download-URL", "first" if fields.index("download-url") < fields.index("author") else "after authors"
    if ("platform", b"UNKNOWN") in values or "platform" not in fields:
        yield "platform", "UNKNOWN" if "platform" in fields else "none"
    if "description" in fields or (block.body or b"").strip():
        yield "description", "field" if "description" in fields else "body"
    if "dynamic" in fields:  # without it there may just be nothing dynamic
        yield "Dynamic", "yes"
    if any(_is_license(entry.name, kind) for entry in archive.entries):
        yield "License-File", "yes" if "license-file" in fields else "no"


def _metadata(archive: Archive, kind: ArtifactKind) -> headers.Block | None:
    last = "METADATA" if kind == ArtifactKind.WHEEL else "PKG-INFO"
    held = [entry for entry in archive.entries if _is_own(entry.name, last)]
    return headers.parse(read_all(held[0].content)) if held else None


def _is_own(name: str, last: str) -> bool:
    directory, _, rest = name.partition("/")
    return rest == last and (last == "PKG-INFO" or directory.endswith(".dist-info"))


def _is_license(name: str, kind: ArtifactKind) -> bool:
    directory, _, rest = name.partition("/")
    if kind == ArtifactKind.SDIST:
        return _LICENSE.fullmatch(rest) is not None
    return directory.endswith(".dist-info") and _LICENSE.fullmatch(rest.rpartition("/")[2]) is not None


def _of_layout(archive: Archive, kind: ArtifactKind) -> Iterator[tuple[str, str]]:
    """Yield traits of names, and of which files there are."""
    names = [entry.name for entry in archive.entries if entry.kind is not Kind.DIRECTORY]
    if kind == ArtifactKind.SDIST:
        top = names[0].partition("/")[0] if names else ""
        # The version has no hyphen in any form of it (PEP 440).
        name = top.rpartition("-")[0]
        if re.search(r"[-_.]", name):
            yield "directory", "with underscores" if re.fullmatch(r"[a-z0-9_]+", name) else "as written"
        return
    licenses = [name for name in names if _is_license(name, kind)]
    if licenses:
        yield "licenses", "licenses/" if ".dist-info/licenses/" in licenses[0] else "beside METADATA"


def _of_zip(path: Path) -> Iterator[tuple[str, str]]:
    """Yield traits of the headers of a wheel's members."""
    record = [member for member in _members(path) if member.name.endswith(b".dist-info/RECORD")]
    if record:
        yield "mode of RECORD", f"{record[0].external >> 16:o}"


def _members(path: Path) -> Sequence[MemberHeader]:
    with path.open("rb") as file:
        return read_directory(Source(file, path.name))[1]


def differing(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """Return the names of traits that both have, and that are not the same."""
    return [name for name, value in one.items() if other.get(name, value) != value]


def is_of_windows(path: Path) -> bool:
    """Return whether the wheel or sdist *path* was made on Windows, as far as its headers show.

    :raises ArchiveError: if it is not an artifact, or damaged.
    """
    with open_archive(path) as archive:
        return made_on_windows(archive.entries, _members(path) if kind_of(path) == ArtifactKind.WHEEL else ())


def requirements_of(path: Path) -> frozenset[object]:
    """Return what the wheel or sdist *path* requires, however it is spelled.

    :raises ArchiveError: if it is not an artifact, or damaged.
    """
    with open_archive(path) as archive:
        block = _metadata(archive, kind_of(path))
    fields = block.fields if block else ()
    return frozenset(meaning("requires-dist", one.value) for one in fields if one.name.lower() == "requires-dist")


def top_levels(path: Path) -> set[str]:
    """Return what setuptools' ``top_level.txt`` lists in the wheel or sdist *path*.

    :raises ArchiveError: if it is not an artifact, or damaged.
    """
    with open_archive(path) as archive:
        held = [entry for entry in archive.entries if _TOP_LEVELS.search(entry.name)]
        return set(read_all(held[0].content).decode("utf-8", "replace").split()) if held else set()


def packages_in(path: Path) -> set[str]:
    """Return what the wheel or sdist *path* has at the top of where packages are, up to a dot in each name.

    :raises ArchiveError: if it is not an artifact, or damaged.
    """
    is_sdist = kind_of(path) == ArtifactKind.SDIST
    with open_archive(path) as archive:
        steps = [entry.name.split("/")[is_sdist:] for entry in archive.entries]
    # Below src/ and the like, too, which no wheel has.
    packages = [names[1:2] if is_sdist and names[:1] in (["src"], ["lib"]) else names[:1] for names in steps]
    return {one.partition(".")[0] for names in packages for one in names}


def requirement_lists(path: Path) -> list[list[str]]:
    """Return the lists of requirements and of extras in the wheel or sdist *path*, each in its order.

    Of a wheel they are those of METADATA with one marker; of an sdist, the sections of setuptools' ``requires.txt``.

    :raises ArchiveError: if it is not an artifact, or damaged.
    """
    kind = kind_of(path)
    with open_archive(path) as archive:
        block = _metadata(archive, kind)
        held = [entry for entry in archive.entries if entry.name.endswith(".egg-info/requires.txt")]
        text = read_all(held[0].content).decode("utf-8", "replace") if held else ""
    fields = [(one.name.lower(), one.value.decode("utf-8", "replace")) for one in (block.fields if block else ())]
    found: dict[str, list[str]] = {"extras": [value for name, value in fields if name == "provides-extra"]}
    if kind == ArtifactKind.WHEEL:
        for value in (value for name, value in fields if name == "requires-dist"):
            requirement, _, marker = value.partition(";")
            # As it stood in requires.txt, by which setuptools sorts.
            found.setdefault(f"of {marker}", []).append(re.sub(r"[ ()]", "", requirement))
    section = "of "
    for line in filter(None, text.splitlines() if kind == ArtifactKind.SDIST else ()):
        section = line if line.startswith("[") else section
        found.setdefault(section, []).extend([] if line.startswith("[") else [line])
    return [one for _, one in sorted(found.items())]


def commits(path: Path) -> dict[str, str]:
    """Return which commit modules of the wheel or sdist *path* name as setuptools-scm writes it, empty for none.

    :raises ArchiveError: if it is not an artifact, or damaged.
    """
    with open_archive(path) as archive:
        held = [entry for entry in archive.entries if entry.name.endswith("version.py")]
        found = [(entry.name, _COMMIT.search(read_all(entry.content))) for entry in held]
    return {name: (match[1] or b"").decode("ascii") for name, match in found if match}


def compiled_for(path: Path) -> set[str]:
    """Return the releases of CPython, as in ``3.8``, that files in a wheel are named for.

    They are compiled modules (PEP 3147), and what setuptools writes for namespaces: ``demo-1.0-py3.8-nspkg.pth``.

    :raises ArchiveError: if it is not an artifact, or damaged.
    """
    with open_archive(path) as archive:
        found = [_COMPILED.search(entry.name) for entry in archive.entries]
    return {f"3.{match[1] or match[2]}" for match in found if match}
