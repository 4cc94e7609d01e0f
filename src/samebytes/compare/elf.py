"""ELF files, by the contents of their sections; needs pyelftools.

Source: System V ABI, chapters "Sections" and "Dynamic Section"; the GNU notes and debug links as in binutils' manual.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any, BinaryIO, NamedTuple

from ..archive.entry import CHUNK_SIZE, Content
from . import strings
from .causes import UNKNOWN
from .clues import FOLLOWS, Clues, codes, findings_of
from .model import Difference, Kind

__all__ = ["MAGIC", "MISSING", "compare", "is_available"]

MAGIC = b"\x7fELF"

MISSING = (
    "pyelftools is not installed, so ELF files were compared by the texts in them alone: "
    'pip install "samebytes[compare]"'
)

LARGEST = 1 << 30
"""Bytes of a file that is looked at by sections; it is put into an anonymous temporary file for that."""

LARGEST_SECTION = 64 << 20
"""Bytes of a section that is held."""

_BUILD_ID = ".note.gnu.build-id"
_FROM_OTHERS = (_BUILD_ID, ".gnu_debuglink", ".gnu.build.attributes")
_DEBUG = (".debug_", ".zdebug_", ".symtab", ".strtab", ".shstrtab", ".rela", ".rel.", ".gnu_debugdata", ".eh_frame")
_PATHS = {"DT_RPATH": "rpath", "DT_RUNPATH": "runpath", "DT_NEEDED": "needed", "DT_SONAME": "soname"}
_PATHS_IN = (".debug_", ".zdebug_", ".dynstr", ".strtab")
"""Sections whose paths are where something was built, or is looked for."""

_MOST = 100


class _Section(NamedTuple):
    size: int
    digest: bytes
    is_code: bool
    source: Any
    """pyelftools' own; its contents are held only while they are looked at."""

    @property
    def data(self) -> bytes:
        """The contents; nothing for a section too large to be held."""
        return bytes(self.source.data()) if self.size <= LARGEST_SECTION else b""


class _File(NamedTuple):
    sections: Mapping[str, _Section]
    dynamic: tuple[tuple[str, str], ...]
    """What .dynamic says in texts: the search path, the libraries needed, the own name."""


def is_available() -> bool:
    """Tell whether pyelftools can be imported."""
    return importlib.util.find_spec("elftools") is not None


def compare(name: str, left: Content, right: Content, clues: Clues) -> Difference | None:
    """Return how two ELF files differ, or None if one of them cannot be read as one, or no section differs.

    :raises ArchiveError: if contents cannot be read.
    """
    if max(left.size, right.size) > LARGEST:
        return None
    with ExitStack() as stack:
        streams = [stack.enter_context(tempfile.TemporaryFile(prefix="samebytes-")) for _ in (left, right)]
        for content, stream in zip((left, right), streams):
            for chunk in content.chunks():
                stream.write(chunk)
        try:
            children = tuple(_sections(_parsed(streams[0]), _parsed(streams[1]), clues))
        except Exception:
            # pyelftools lets whatever its parsing runs into escape, for files that are damaged or made to harm.
            return None
    if not children:
        return None
    shown = ", ".join(child.name for child in children[:6]) + (" ..." if len(children) > 6 else "")
    return Difference(name, Kind.ELF, f"sections differ: {shown}", children=children[:_MOST])


def _parsed(stream: BinaryIO) -> _File:
    # Imported by name, for it has no types and is there only with the extra.
    file: Any = importlib.import_module("elftools.elf.elffile").ELFFile(stream)
    sections: dict[str, _Section] = {}
    dynamic: list[tuple[str, str]] = []
    for section in file.iter_sections():
        kind = section["sh_type"]
        if kind in ("SHT_NULL", "SHT_NOBITS"):
            continue
        name = section.name
        while name in sections:
            name += "'"
        sections[name] = _section(section)
        if kind == "SHT_DYNAMIC":
            dynamic += _tags(section)
    return _File(sections, tuple(dynamic))


def _section(section: Any) -> _Section:
    is_code = bool(section["sh_flags"] & 0x4)  # SHF_EXECINSTR
    size = int(section.data_size)
    if size <= LARGEST_SECTION:
        return _Section(size, hashlib.sha256(section.data()).digest(), is_code, section)
    # Told apart by its bytes as they lie in the file; what they hold is not looked at.
    section.stream.seek(section["sh_offset"])
    state = hashlib.sha256()
    left = int(section["sh_size"])
    while left > 0 and (piece := section.stream.read(min(left, CHUNK_SIZE))):
        state.update(piece)
        left -= len(piece)
    return _Section(size, state.digest(), is_code, section)


def _tags(section: Any) -> Iterator[tuple[str, str]]:
    for tag in section.iter_tags():
        attribute = _PATHS.get(str(tag.entry.d_tag))
        if attribute:
            yield attribute.upper(), str(getattr(tag, attribute))


# -- what differs


def _sections(left: _File, right: _File, clues: Clues) -> Iterator[Difference]:
    one, other = left.sections, right.sections
    differing = [name for name in one if name in other and one[name].digest != other[name].digest]
    nodes = {name: _by_texts(name, one[name], other[name], clues) for name in differing}
    if left.dynamic != right.dynamic:
        yield _dynamic(left.dynamic, right.dynamic, clues)
    told = {name: node for name, node in nodes.items() if node is not None}
    explained = bool(told) or left.dynamic != right.dynamic
    lengths = any(one[name].size != other[name].size for name in told) or explained
    missing = [name for name in {**one, **other} if (name in one) != (name in other)]
    for name in missing:
        yield _missing(name, name in one)
    for name in differing:
        node = told.get(name)
        if node is not None:
            yield node
        elif name in _FROM_OTHERS:
            yield _derived(name, one[name], other[name], bool(set(differing) - set(_FROM_OTHERS)) or bool(missing))
        else:
            yield _opaque(name, one[name], other[name], explained and lengths)


def _by_texts(name: str, left: _Section, right: _Section, clues: Clues) -> Difference | None:
    """Return the node of a section whose texts differ, or None if they do not, or say nothing."""
    if name in _FROM_OTHERS or left.is_code:
        return None
    one, other = strings.of(left.data), strings.of(right.data)
    located = clues._replace(is_location=name.startswith(_PATHS_IN))
    found = strings.compare_lists(name, one, other, f"section {name}", located)
    if found is None or (name.startswith(_DEBUG) and all(finding.code == UNKNOWN for finding in found.findings)):
        return None
    return Difference(name, Kind.ELF, found.summary, found.detail, found.findings)


def _dynamic(left: Iterable[tuple[str, str]], right: Iterable[tuple[str, str]], clues: Clues) -> Difference:
    gone, come = [each for each in left if each not in right], [each for each in right if each not in left]
    texts = ["; ".join(f"{tag} {value}" for tag, value in each).encode() for each in (gone, come)]
    found = codes(texts[0], texts[1], clues._replace(is_location=True))
    findings = findings_of(found, texts[0], texts[1], "section .dynamic")
    detail = [f"-{tag} {value}" for tag, value in gone] + [f"+{tag} {value}" for tag, value in come]
    return Difference(".dynamic", Kind.ELF, "other search paths or libraries", tuple(detail), findings)


def _missing(name: str, is_left: bool) -> Difference:
    side = "left" if is_left else "right"
    text = name.encode()
    sides = (text, b"") if is_left else (b"", text)
    findings = findings_of((UNKNOWN,), sides[0], sides[1], "sections")
    return Difference(name, Kind.MISSING, f"only on the {side} side", (), findings)


def _derived(name: str, left: _Section, right: _Section, follows: bool) -> Difference:
    """Return the node of a section that is a digest of others."""
    detail = (f"-{left.data[-20:].hex()}", f"+{right.data[-20:].hex()}")
    if follows:
        return Difference(name, Kind.ELF, "follows from other sections", detail)
    code = "D017" if name == _BUILD_ID else FOLLOWS
    findings = findings_of((code,), left.data[-20:], right.data[-20:], f"section {name}")
    return Difference(name, Kind.ELF, "another id of the same contents", detail, findings)


def _opaque(name: str, left: _Section, right: _Section, explained: bool) -> Difference:
    """Return the node of a section whose texts tell nothing."""
    is_moved = left.size == right.size or not left.is_code
    if explained and is_moved:
        return Difference(name, Kind.ELF, "follows from other sections: offsets and lengths in it")
    sizes = "" if left.size == right.size else f", {left.size} and {right.size} bytes"
    one, other = left.data, right.data
    at = next((place for place, (a, b) in enumerate(zip(one, other)) if a != b), min(len(one), len(other)))
    begin = at - at % 16
    windows = one[begin : begin + 64], other[begin : begin + 64]
    findings = findings_of((UNKNOWN,), windows[0], windows[1], f"section {name}, offset 0x{at:x}")
    return Difference(name, Kind.ELF, f"other contents{sizes}", (), findings)
