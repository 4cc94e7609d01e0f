"""Traits of wheels and sdists in which releases of build backends differ, whatever the project is."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from samebytes.archive.entry import Archive, Kind, read_all
from samebytes.archive.tar_header import parse_header
from samebytes.archive.zip_directory import Source, read_directory
from samebytes.archive.zip_layout import MemberHeader
from samebytes.artifact import headers
from samebytes.artifact.layout import ArtifactKind
from samebytes.artifact.opening import kind_of, open_archive

from ...building.source import WRITTEN_BY_FLIT
from ...comparison.requirements import meaning
from ...comparison.windows import made_on_windows

_SPECIFIER = re.compile(rb"[\w.-]+(?:\[[^\]]*\])?( ?\(?)[<>=!~]")
"""A requirement up to its first version, with what stands in between."""
_EXTRA = re.compile(rb"""extra == (["'])""")
LICENSE = r"(?:LICEN[CS]E|COPYING|NOTICE|AUTHORS)[^/]*"
"""A pattern, without regard to case, for the names of files that backends take for a license by themselves."""
_LICENSE = re.compile(LICENSE, re.IGNORECASE)
_TOP_LEVELS = (".egg-info/top_level.txt", ".dist-info/top_level.txt")
_REQUIRES = ".egg-info/requires.txt"
_RECORD = ".dist-info/RECORD"
_VERSION_MODULE = "version.py"
_MOST_TEXT = 64 << 20
"""Bytes of all that is read of one artifact, whoever made it: RECORDs of large wheels have one or two millions."""
_COMMIT = re.compile(rb"^__commit_id__ = commit_id = (?:None|'(\w{1,41})')$", re.MULTILINE)
_COMPILED = re.compile(r"/__pycache__/[^/]+\.cpython-3(\d+)(?:\.opt-\d)?\.pyc\Z|-py3\.(\d+)-nspkg\.pth\Z")
"""Names of files that have the release of the interpreter that made them."""

_BLOCK = 512
_EXTENDING = (b"x", b"g", b"L", b"K")
"""Types of tar members that belong to the next one: PAX headers, and GNU's long names (tar(5))."""
_LONGEST = 1 << 20


@dataclass(frozen=True)
class ArtifactClues:
    """What a wheel or sdist shows of how it was made, as one reading of it found."""

    kind: ArtifactKind
    names: tuple[str, ...]
    """Of all members, in their order."""
    directories: frozenset[str]
    """Those of the names that are directories."""
    members: tuple[MemberHeader, ...]
    """Of a wheel, what its central directory says of each member."""
    fields: tuple[headers.Field, ...]
    """Of METADATA or PKG-INFO; none if it has neither."""
    has_body: bool
    """Whether text follows them."""
    texts: Mapping[str, bytes]
    """The few members whose text shows something, by name."""
    times: Mapping[str, float]
    """Of each file, in seconds since 1970 UTC; a zip's times, which have no zone, as if they were UTC."""
    modes: Mapping[str, int]
    """Permission bits of each file."""
    tar_header: bytes
    """Of an sdist, the header block of its first member, after what belongs to that one."""
    is_of_windows: bool
    """Whether it was made on Windows, as far as its headers show."""

    def values(self, name: str) -> list[bytes]:
        """Return the values of the field *name*, in lower case, in their order."""
        return [field.value for field in self.fields if field.name.lower() == name]

    def text(self, *ends: str) -> str:
        """Return the first of the texts whose name ends with one of *ends*; nothing if there is none."""
        held = [data for name, data in self.texts.items() if name.endswith(ends)]
        return held[0].decode("utf-8", "replace") if held else ""


def read(path: Path) -> ArtifactClues:
    """Read all that the wheel or sdist *path* shows of how it was made.

    :raises ArchiveError: if it is not an artifact, or damaged.
    """
    kind = kind_of(path)
    members = _members(path) if kind == ArtifactKind.WHEEL else ()
    with open_archive(path) as archive:
        block, files = _metadata(archive, kind), [entry for entry in archive.entries if entry.kind is Kind.FILE]
        return ArtifactClues(
            kind,
            tuple(entry.name for entry in archive.entries),
            frozenset(entry.name for entry in archive.entries if entry.kind is Kind.DIRECTORY),
            tuple(members),
            tuple(block.fields) if block else (),
            bool(block and (block.body or b"").strip()),
            dict(_texts(archive, kind)),
            {entry.name: entry.mtime for entry in files},
            {entry.name: entry.mode for entry in files},
            _tar_header(path) if kind == ArtifactKind.SDIST else b"",
            made_on_windows(archive.entries, members),
        )


def _texts(archive: Archive, kind: ArtifactKind) -> Iterator[tuple[str, bytes]]:
    """Yield the members that are read for more than their names, as long as there is room for them."""
    room = _MOST_TEXT
    for entry in archive.entries:
        if _is_text(entry.name, kind) and entry.content.size <= room:
            room -= entry.content.size
            yield entry.name, read_all(entry.content)


def _is_text(name: str, kind: ArtifactKind) -> bool:
    """Return whether the member of that *name* is read for more than its name."""
    if name.endswith((_REQUIRES, _RECORD, _VERSION_MODULE, *_TOP_LEVELS)):
        return True
    return kind == ArtifactKind.SDIST and _is_script(name)


def _is_script(name: str) -> bool:
    return name.partition("/")[2] == "setup.py"


def _metadata(archive: Archive, kind: ArtifactKind) -> headers.Block | None:
    last = "METADATA" if kind == ArtifactKind.WHEEL else "PKG-INFO"
    held = [entry for entry in archive.entries if _is_own(entry.name, last)]
    return headers.parse(read_all(held[0].content)) if held else None


def _is_own(name: str, last: str) -> bool:
    directory, _, rest = name.partition("/")
    return rest == last and (last == "PKG-INFO" or directory.endswith(".dist-info"))


def _members(path: Path) -> Sequence[MemberHeader]:
    with path.open("rb") as file:
        return read_directory(Source(file, path.name))[1]


def _tar_header(path: Path) -> bytes:
    """Return the header block of an sdist's first member, after those of names and keywords that belong to it."""
    with gzip.open(path) as file:
        while len(header := file.read(_BLOCK)) == _BLOCK and header[156:157] in _EXTENDING:
            size = parse_header(header, path.name).size
            file.read(min(size + -size % _BLOCK, _LONGEST))
    return header


def traits(clues: ArtifactClues) -> dict[str, str]:
    """Return the traits of an artifact, by name; none of what it has nothing of."""
    return dict(chain(_of_metadata(clues), _of_layout(clues), _of_zip(clues), _of_tar(clues)))


def _of_metadata(clues: ArtifactClues) -> Iterator[tuple[str, str]]:
    """Yield traits of METADATA or PKG-INFO."""
    fields = [field.name.lower() for field in clues.fields]
    if not fields:
        return
    version = clues.fields[0].value.decode("ascii", "replace")
    # Which of 1.0, 1.1 and 1.2 it is depends on the fields that there are, and not on the release.
    yield "metadata version", "1.x" if version.startswith("1.") else version
    requirements = clues.values("requires-dist")
    for match in [match for match in map(_SPECIFIER.match, requirements) if match][:1]:
        yield "requirements", {b"": "bare", b" ": "spaced"}.get(match[1], "parenthesized")
    for match in [match for match in map(_EXTRA.search, requirements) if match][:1]:
        yield "quotes", "double" if match[1] == b'"' else "single"
    if clues.text(_REQUIRES).strip():
        yield "Requires-Dist", "yes" if requirements else "no"
    if "download-url" in fields and "author" in fields:
        yield "Download-URL", "first" if fields.index("download-url") < fields.index("author") else "after authors"
    if b"UNKNOWN" in clues.values("platform") or "platform" not in fields:
        yield "platform", "UNKNOWN" if "platform" in fields else "none"
    if "description" in fields or clues.has_body:
        yield "description", "field" if "description" in fields else "body"
    if "dynamic" in fields:  # without it there may just be nothing dynamic
        yield "Dynamic", "yes"
    if any(_is_license(name, clues.kind) for name in clues.names):
        yield "License-File", "yes" if "license-file" in fields else "no"


def _is_license(name: str, kind: ArtifactKind) -> bool:
    directory, _, rest = name.partition("/")
    if kind == ArtifactKind.SDIST:
        return _LICENSE.fullmatch(rest) is not None
    return directory.endswith(".dist-info") and _LICENSE.fullmatch(rest.rpartition("/")[2]) is not None


def _of_layout(clues: ArtifactClues) -> Iterator[tuple[str, str]]:
    """Yield traits of names, and of which files there are."""
    names = [name for name in clues.names if name not in clues.directories]
    if clues.kind == ArtifactKind.SDIST:
        top = names[0].partition("/")[0] if names else ""
        # The version has no hyphen in any form of it (PEP 440).
        name = top.rpartition("-")[0]
        if re.search(r"[-_.]", name):
            yield "directory", "with underscores" if re.fullmatch(r"[a-z0-9_]+", name) else "as written"
        return
    licenses = [name for name in names if _is_license(name, clues.kind)]
    if licenses:
        yield "licenses", "licenses/" if ".dist-info/licenses/" in licenses[0] else "beside METADATA"


def _of_zip(clues: ArtifactClues) -> Iterator[tuple[str, str]]:
    """Yield traits of the headers of a wheel's members."""
    record = [member for member in clues.members if member.name.endswith(b".dist-info/RECORD")]
    if record:
        yield "mode of RECORD", f"{record[0].external >> 16:o}"
    rows = [line.partition(",")[0] for line in clues.text(_RECORD).splitlines()]
    if rows:
        yield "row of RECORD", "last" if rows[-1].endswith(_RECORD) else "by name"


def _of_tar(clues: ArtifactClues) -> Iterator[tuple[str, str]]:
    """Yield traits of a tar's headers, which are the same for all members."""
    if clues.tar_header:
        # POSIX's magic and version, and GNU's, which are one field there (tar(5)).
        yield "tar format", "GNU" if clues.tar_header[257:265] == b"ustar  \0" else "POSIX"
        yield "device numbers", "none" if clues.tar_header[329:345].strip(b"\0") == b"" else "zeros"


def differing(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """Return the names of traits that both have, and that are not the same."""
    return [name for name, value in one.items() if other.get(name, value) != value]


def requirements_of(clues: ArtifactClues) -> frozenset[object]:
    """Return what an artifact requires, however it is spelled."""
    return frozenset(meaning("requires-dist", value) for value in clues.values("requires-dist"))


def top_levels(clues: ArtifactClues) -> set[str]:
    """Return what setuptools' ``top_level.txt`` lists."""
    return set(clues.text(*_TOP_LEVELS).split())


def packages_in(clues: ArtifactClues) -> set[str]:
    """Return what an artifact has at the top of where packages are, up to a dot in each name."""
    is_sdist = clues.kind == ArtifactKind.SDIST
    steps = [name.split("/")[is_sdist:] for name in clues.names]
    # Below src/ and the like, too, which no wheel has.
    packages = [names[1:2] if is_sdist and names[:1] in (["src"], ["lib"]) else names[:1] for names in steps]
    return {one.partition(".")[0] for names in packages for one in names}


def requirement_lists(clues: ArtifactClues) -> list[list[str]]:
    """Return the lists of requirements and of extras, each in its order.

    Of a wheel they are those of METADATA with one marker; of an sdist, the sections of setuptools' ``requires.txt``.
    """
    found = {"extras": [value.decode("utf-8", "replace") for value in clues.values("provides-extra")]}
    if clues.kind == ArtifactKind.WHEEL:
        for value in clues.values("requires-dist"):
            requirement, _, marker = value.decode("utf-8", "replace").partition(";")
            # As it stood in requires.txt, by which setuptools sorts.
            found.setdefault(f"of {marker}", []).append(re.sub(r"[ ()]", "", requirement))
    section = "of "
    for line in filter(None, clues.text(_REQUIRES).splitlines() if clues.kind == ArtifactKind.SDIST else ()):
        section = line if line.startswith("[") else section
        found.setdefault(section, []).extend([] if line.startswith("[") else [line])
    return [one for _, one in sorted(found.items())]


def commits(clues: ArtifactClues) -> dict[str, str]:
    """Return which commit each module that setuptools-scm wrote names; empty for none."""
    held = {name: _COMMIT.search(data) for name, data in clues.texts.items() if name.endswith(_VERSION_MODULE)}
    return {name: (match[1] or b"").decode("ascii") for name, match in held.items() if match}


def compiled_for(clues: ArtifactClues) -> set[str]:
    """Return the releases of CPython, as in ``3.8``, that files in a wheel are named for.

    They are compiled modules (PEP 3147), and what setuptools writes for namespaces: ``demo-1.0-py3.8-nspkg.pth``.
    """
    found = [_COMPILED.search(name) for name in clues.names]
    return {f"3.{match[1] or match[2]}" for match in found if match}


def flit_generated_setup(clues: ArtifactClues) -> bool:
    """Return whether flit generated the ``setup.py`` of an sdist."""
    return any(WRITTEN_BY_FLIT in data[:200] for name, data in clues.texts.items() if _is_script(name))


def names_below_top(clues: ArtifactClues) -> set[str]:
    """Return the names in an sdist below its top directory."""
    return {name.partition("/")[2] for name in clues.names}
