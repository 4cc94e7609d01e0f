"""ELF files, by the contents of their sections.

Sources: System V ABI (gABI), chapters "Sections", "Program Header" and "Dynamic Section"; of the GNU sections, the
manuals of ld (--build-id) and gdb (separate debug files).
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import IO, Any, Literal, NamedTuple

from samebytes.archive.entry import CHUNK_SIZE, Content

from ..allowance import Allowance
from ..causes.cause import CauseClues
from ..causes.table import REPAIRED, TOOLCHAIN, UNKNOWN, codes, explain, explained, reduced
from ..excerpts import EXCERPT, shared
from ..members import MemberPair, only_on
from ..model import Difference, Finding, NodeKind
from ..nearby import stream_of
from ..observations import Libraries, Nature, OfNature, Padding, SearchPaths, TextPair, Unexplained, on_side
from . import strings
from .elf_moved import LARGEST_MOVED, TABLES, Mover, SectionPlace, beside_texts

__all__ = ["MADE_BY", "SAID_IN_DYNAMIC", "SEGMENTS", "SOURCE", "compare", "look"]

LARGEST = 1 << 30
"""Bytes of a file that is looked at by sections; it is put into a temporary file for that."""

LARGEST_SECTION = 12 << 20
"""Bytes of a section that is held."""

_MAGIC = b"\x7fELF"
"""The first bytes of e_ident."""

_SHF_EXECINSTR = 0x4
"""The flag of sections that hold instructions."""

_NULL, _NEEDED, _SONAME, _RPATH, _RUNPATH = 0, 1, 14, 15, 29
"""Tags of .dynamic: DT_NULL, which fills it up, and those whose values are offsets of texts."""

_TEXTS = {"DT_RPATH": "rpath", "DT_RUNPATH": "runpath", "DT_NEEDED": "needed", "DT_SONAME": "soname"}
"""The same by pyelftools' names, with its names of their texts."""

_SEARCHED = ("RPATH", "RUNPATH")
_BUILD_ID = ".note.gnu.build-id"
_FROM_OTHERS = (_BUILD_ID, ".gnu_debuglink", ".gnu.build.attributes")
"""Sections that hold a digest of others: the linker's id, a CRC-32 of the separate debug file, annobin's notes."""

_ID_SIZE = 20
"""Bytes of a build id, which is SHA-1 by default, at the end of its note."""

_PATHS_IN = (".debug_", ".zdebug_", ".dynstr", ".strtab")
"""Sections whose paths are where something was built, or is looked for."""

MADE_BY = ".comment"
"""Where compilers write themselves down."""

_COMPILERS = re.compile(rb"GCC: |clang|rustc|flang|LLD |Linker: |LLVM|Intel")

SAID_IN_DYNAMIC = "section .dynamic"
"""The place of what .dynamic says in texts; what its numbers are is at an offset."""

SEGMENTS = "segments"
"""The name of the node for the same headers in another order or number."""

_RIGHTS = "rights"
_WRITTEN_AND_RUN = re.compile(r"rights 0x[37]\Z")
"""PF_W and PF_X."""

_SYMBOLS = (".dynsym", ".symtab")

SOURCE = "texts and functions of Python"
"""The name of the node for what shows the source, whatever the compiler is."""

_OF_DEBUGGERS = (".debug_", ".zdebug_")
_OF_THE_PROGRAM = (".rodata", ".data")
_TEXT = re.compile(rb"(?<![^\0])[\t\n\r\x20-\x7e]{6,}(?=\0)")
_WORD = re.compile(rb"\w[\w.]{3,}\w")
_LIBSTDCXX = re.compile(
    rb"(?:basic_string|vector|deque)::_[MS]_\w+(?: null not valid)?"
    rb"|basic_string: construction from null is not valid"
    rb"|(?:basic_)?string::(?:(?:basic_)?string|append|assign|at|compare|copy|erase|insert|replace|resize|substr)"
    rb"|(?:%s|basic_string::at): __\w+ \(which is %zu\) >=? \S*size\(\) \(which is %zu\)"
    rb"|cannot create std::(?:vector|deque) larger than max_size\(\)"
)
"""Texts of GCC's C++ library that its templates put into what is compiled with them; they change with its releases."""
_PYTHON = re.compile(rb"_?Py\w+")
_CYTHON = re.compile(rb"_cython_(\d{1,9}_\w{1,20})(?!\w)")
"""The name of the module of Cython's own types (CYTHON_ABI)."""

_MOST = 100
_MOST_SEARCHED = 200
_MOST_LONE = 500
_MOST_SYMBOLS = 50_000
_LONGEST_NAME = 1 << 14
"""Bytes of a name that is read; thousands of symbols, sections and entries of .dynamic may have one and the same."""
_MOST_PARTS = 4096
"""How many sections, segments and entries of .dynamic a file may have to be looked at by them."""


class _Section(NamedTuple):
    size: int
    address: int
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
    facts: tuple[str, ...]
    """What headers say of the whole: machine, flags, kinds and rights of segments, memory that takes no room here."""
    bits: int
    order: Literal["little", "big"]
    empty: Mapping[str, tuple[int, int]]
    """Address and size of sections that take no room here."""
    size: int
    python: frozenset[str]
    """Names of Python's functions and of its own that it takes or gives."""
    cython: str
    """The release of Cython that made it, if one did."""

    @property
    def searched(self) -> frozenset[bytes]:
        """The search paths for libraries."""
        return frozenset(value.encode("utf-8", "replace") for tag, value in self.dynamic if tag in _SEARCHED)


def look(member: MemberPair) -> Difference | None:
    """Return how two ELF files differ; None where :func:`compare` gives none, or one is not ELF at all."""
    # By content: extension modules, executables and object files have many names.
    return compare(member.name, member.left, member.right, member.clues) if member.head() == _MAGIC else None


def compare(name: str, left: Content, right: Content, clues: CauseClues) -> Difference | None:
    """Return how two ELF files differ, or None if one of them cannot be read as one, or no section differs.

    :raises ArchiveError: if contents cannot be read.
    """
    if max(left.size, right.size) > LARGEST:
        return None
    with ExitStack() as stack:
        streams = [stream_of(name, content, stack) for content in (left, right)]
        try:
            one, other = (_parsed(stream, clues.allowance) for stream in streams)
            children = tuple(
                _by_compilers(node) if node.name == MADE_BY else node for node in _sections(one, other, clues)
            )
            if any(node.name == MADE_BY and TOOLCHAIN in {each.code for each in node.findings} for node in children):
                children = (*_follows_from_compilers(children), *_source(one, other, clues))
        # Not an error: the member is compared by its texts then.
        except Exception:
            # pyelftools lets whatever its parsing runs into escape, for files that are damaged or made to harm.
            return None
    if not children:
        return None
    shown = ", ".join(child.name for child in children[:6]) + (" ..." if len(children) > 6 else "")
    return Difference(name, NodeKind.ELF, f"sections differ: {shown}", children=children[:_MOST])


# -- reading


def _parsed(stream: IO[bytes], allowance: Allowance) -> _File:
    from elftools.elf.elffile import ELFFile  # which most archives do not need

    file: Any = ELFFile(stream)
    sections: dict[str, _Section] = {}
    again: Counter[str] = Counter()
    empty: dict[str, tuple[int, int]] = {}
    dynamic: list[tuple[str, str]] = []
    python: frozenset[str] = frozenset()
    cython = ""
    size = stream.seek(0, os.SEEK_END)
    if max(file.num_sections(), file.num_segments()) > _MOST_PARTS:
        raise ValueError("too many sections or segments")
    _check_names(file)
    held = 0
    for section in file.iter_sections():
        name, kind = section.name, section["sh_type"]
        length = int(section.data_size) if kind != "SHT_NOBITS" else 0
        # Headers may name one stretch of the file as thousands of sections, and compressed ones hold more than it.
        allowance.unpack(max(0, min(length, held + length - size)))
        held += length
        # .bss: its size is of memory, not of the file.
        if kind == "SHT_NOBITS":
            empty[name] = (int(section["sh_addr"]), int(section["sh_size"]))
        elif kind != "SHT_NULL":
            # Names need not be unique: relocatable files have a .group for each COMDAT group.
            plain = name
            while name in sections:
                again[plain] += 1
                name = f"{plain}'{again[plain]}"
            sections[name] = _section(section)
            if name.startswith(_OF_THE_PROGRAM) and not cython:
                found = _CYTHON.search(sections[name].data)
                cython = found[1].decode().replace("_", ".") if found else ""
        if kind == "SHT_DYNSYM":
            names = (symbol["name"] for symbol in _symbols(file, section))
            python = frozenset(name.decode("ascii") for name in names if _PYTHON.fullmatch(name))
        if kind == "SHT_DYNAMIC":
            dynamic += _texts_of_dynamic(file, section)
    facts = (
        f"{file.elfclass} bits, {file['e_type']} for {file['e_machine']}, flags {file['e_flags']:#x}",
        *(f"segment {each['p_type']}, rights {each['p_flags']:#x}" for each in _segments(file)),
        *(f"{name}: {size} bytes" for name, (_, size) in empty.items()),
    )
    return _File(sections, tuple(dynamic), facts, file.elfclass, _order(file), empty, size, python, cython)


def _name_at(table: Any, at: int) -> bytes:
    """Return the name at an offset in a table of names, or the beginning of what is none.

    pyelftools reads to the next zero, which may be at the end of a large file.
    """
    table.stream.seek(table["sh_offset"] + at)
    return bytes(table.stream.read(_LONGEST_NAME).partition(b"\0")[0])


def _check_names(file: Any) -> None:
    """Raise ValueError if a section has too long a name; pyelftools reads them all."""
    count = file.num_sections()
    table = file.get_section(file.get_shstrndx()) if count else None
    for number in range(count):
        file.stream.seek(file["e_shoff"] + number * file["e_shentsize"])
        at = int.from_bytes(file.stream.read(4), _order(file))  # sh_name is first
        if len(_name_at(table, at)) == _LONGEST_NAME:
            raise ValueError("the name of a section is too long")


def _order(file: Any) -> Literal["little", "big"]:
    return "little" if file.little_endian else "big"


def _segments(file: Any) -> Iterator[Any]:
    """Give the headers of segments; pyelftools would look through all sections for each that is .dynamic."""
    for number in range(file.num_segments()):
        file.stream.seek(file["e_phoff"] + number * file["e_phentsize"])
        yield file.structs.Elf_Phdr.parse_stream(file.stream)


def _symbols(file: Any, section: Any) -> Iterator[dict[str, Any]]:
    """Give the first entries of a table of symbols, each with its name."""
    table, width = file.get_section(section["sh_link"]), int(section["sh_entsize"])
    for number in range(min(int(section["sh_size"]) // width, _MOST_SYMBOLS)):
        file.stream.seek(section["sh_offset"] + number * width)
        entry = file.structs.Elf_Sym.parse_stream(file.stream)
        yield {**entry, "name": _name_at(table, entry["st_name"])}


def _texts_of_dynamic(file: Any, section: Any) -> Iterator[tuple[str, str]]:
    """Give the names of the first entries of .dynamic that are texts, and these."""
    table, width = file.get_section(section["sh_link"]), int(section["sh_entsize"])
    for number in range(min(int(section["sh_size"]) // width, _MOST_PARTS)):
        file.stream.seek(section["sh_offset"] + number * width)
        entry = file.structs.Elf_Dyn.parse_stream(file.stream)
        tag = str(entry["d_tag"])
        if tag == "DT_NULL":
            return
        if tag in _TEXTS:
            yield _TEXTS[tag].upper(), _name_at(table, entry["d_val"]).decode("utf-8", "replace")


def _section(section: Any) -> _Section:
    is_code = bool(section["sh_flags"] & _SHF_EXECINSTR)
    size, address = int(section.data_size), int(section["sh_addr"])
    if size <= LARGEST_SECTION:
        return _Section(size, address, hashlib.sha256(section.data()).digest(), is_code, section)
    # Compared by its bytes as they lie in the file; what they hold is not looked at.
    section.stream.seek(section["sh_offset"])
    state = hashlib.sha256()
    left = int(section["sh_size"])
    while left > 0 and (piece := section.stream.read(min(left, CHUNK_SIZE))):
        state.update(piece)
        left -= len(piece)
    return _Section(size, address, state.digest(), is_code, section)


# -- what differs


def _sections(left: _File, right: _File, clues: CauseClues) -> Iterator[Difference]:
    one, other = left.sections, right.sections
    differing = [name for name in one if name in other and one[name].digest != other[name].digest]
    missing = [name for name in {**one, **other} if (name in one) != (name in other)]
    if left.facts != right.facts:
        yield _headers(left.facts, right.facts, clues)
    texts = _dynamic(left.dynamic, right.dynamic, clues) if left.dynamic != right.dynamic else None
    if texts is not None and ".dynamic" not in differing:
        yield texts
    for name in missing:
        seen = Unexplained(*on_side(name.encode(), name in one))
        yield only_on(name in one, name, explain(seen, "sections", clues))
    mover = _mover(left, right, clues)
    # A digest of other sections has a cause of its own only where nothing else differs.
    others = bool(set(differing) - set(_FROM_OTHERS)) or bool(missing) or left.facts != right.facts
    for name in differing:
        if name in _FROM_OTHERS:
            yield _derived(name, one[name], other[name], others, clues)
            continue
        is_large = max(one[name].size, other[name].size) > LARGEST_SECTION
        node = (
            _opaque(name, one[name], other[name], None, clues)
            if is_large
            else _looked_into(name, left, right, mover, clues)
        )
        yield node if texts is None or name != ".dynamic" else _with_texts(node, texts)


def _follows_from_compilers(nodes: Sequence[Difference]) -> Iterator[Difference]:
    """Give the nodes of two files that other compilers made: what follows from that is one of them, without causes.

    Other compilers make other code of one source, with other debug information, in other sections.
    """
    following = []
    for node in nodes:
        kept = tuple(finding for finding in node.findings if not _is_explained(node.name, finding))
        if node.name == MADE_BY or len(kept) == len(node.findings):
            yield node
        elif kept:
            yield replace(node, findings=kept)
        else:
            following.append(node.name)
    if following:
        count = f"{len(following)} section{'s' * (len(following) != 1)}"
        yield Difference(
            "other sections", NodeKind.ELF, f"{count}, which other compilers explain", (", ".join(following),)
        )


def _is_explained(section: str, finding: Finding) -> bool:
    """Return whether other compilers explain what was found in *section*: not what the file needs, or texts show."""
    if section == ".dynamic" and finding.evidence.where == SAID_IN_DYNAMIC:
        return finding.code in (TOOLCHAIN, REPAIRED)
    if section == _RIGHTS:
        return False
    return finding.code == UNKNOWN or section.startswith(_OF_DEBUGGERS)


def _by_compilers(node: Difference) -> Difference:
    """Return the node of .comment with all that compilers write there found to be theirs, on one side only too."""
    findings = []
    for finding in node.findings:
        texts = [text for text in (finding.evidence.left, finding.evidence.right) if text]
        is_theirs = finding.code == UNKNOWN and all(map(_COMPILERS.search, texts))
        findings.append(replace(finding, code=TOOLCHAIN) if is_theirs else finding)
    return replace(node, findings=reduced(findings))


def _source(left: _File, right: _File, clues: CauseClues) -> Iterator[Difference]:
    """Give the node for texts and functions of Python that one side alone has: they come from the source.

    Two releases of Cython make other texts and calls of one source, so that nothing can be seen there.
    """
    if all(each.cython for each in (left, right)) and left.cython != right.cython:
        summary = f"by Cython {left.cython} and {right.cython}, so texts and functions of Python do not show the source"
        made = OfNature(Nature.COMPILER, f"Cython {left.cython}".encode(), f"Cython {right.cython}".encode())
        yield explained(SOURCE, NodeKind.ELF, summary, made, "the name of Cython's types", clues)
        return
    if max(left.size, right.size) > LARGEST_MOVED:
        seen = Unexplained(*(f"{file.size} bytes".encode() for file in (left, right)))
        yield explained(SOURCE, NodeKind.ELF, "too large to be compared by them", seen, "", clues)
        return
    lone = _only_in(left, right), _only_in(right, left)
    one, other = (texts[:_MOST_LONE] for texts in lone)
    found = strings.compare_lists(SOURCE, one, other, SOURCE, clues)
    # What has another cause, such as a path, is found in its section.
    unknown = tuple(finding for finding in found.findings if finding.code == UNKNOWN) if found is not None else ()
    if found is not None and unknown:
        summary = f"{len(lone[0])} and {len(lone[1])} only on one side, which compilers do not explain"
        yield replace(found, summary=summary, findings=unknown)


def _only_in(file: _File, other: _File) -> list[bytes]:
    """Return the texts of the program *file*, and the functions of Python that it names, which *other* has nowhere."""
    beside = (each for name, each in other.sections.items() if not name.startswith(_OF_DEBUGGERS))
    held = b"\0".join(each.data for each in beside if not each.is_code)
    known = frozenset(_WORD.findall(held))
    found: dict[bytes, list[bytes]] = {}
    for text in _texts(file) - _texts(other):
        new = [word for word in _WORD.findall(text) if word not in known]
        if new:
            found[text] = new
    if len(found) <= _MOST_SEARCHED:
        # Compilers put short texts into instructions, and others behind one another, or behind numbers.
        code = b"\0".join(each.data for each in other.sections.values() if each.is_code)
        found = {
            text: words
            for text, words in found.items()
            if text[:4] not in code and any(word not in held for word in words)
        }
    return sorted(found) + sorted(name.encode() for name in file.python - other.python)


def _texts(file: _File) -> frozenset[bytes]:
    own = (each.data for name, each in file.sections.items() if name.startswith(_OF_THE_PROGRAM))
    return frozenset(text for data in own for text in _TEXT.findall(data) if not _LIBSTDCXX.fullmatch(text))


def _mover(left: _File, right: _File, clues: CauseClues) -> Mover | None:
    if max(left.size, right.size) > LARGEST_MOVED or (left.bits, left.order) != (right.bits, right.order):
        return None

    def same_texts(one: bytes, other: bytes) -> bool:
        return UNKNOWN not in codes(TextPair(one, other, is_location=True), clues)

    places = []
    for file in (left, right):
        here = {name: SectionPlace(*facts, b"") for name, facts in file.empty.items()}
        here.update((name, SectionPlace(each.address, each.size, each.data)) for name, each in file.sections.items())
        places.append(here)
    return Mover(places[0], places[1], left.bits, left.order, same_texts)


def _looked_into(name: str, left: _File, right: _File, mover: Mover | None, clues: CauseClues) -> Difference:
    """Return the node of a section that both have: what is explained by others, then by its texts, then by nothing."""
    one, other = left.sections[name], right.sections[name]
    at: int | None = 0
    if name in _SYMBOLS and _are_renumbered(one.source, other.source):
        return Difference(name, NodeKind.ELF, "follows from the headers: sections have other numbers")
    if mover is not None:
        if name == ".dynamic" and _is_one_dynamic(one, other, left, mover):
            return Difference(name, NodeKind.ELF, "beside its texts the same, but for addresses and lengths")
        at = mover.unexplained(name)
        if at is None:
            return Difference(name, NodeKind.ELF, "follows from other sections: addresses, offsets and lengths in it")
    if one.is_code:
        # What looks like a text in instructions is none.
        return _opaque(name, one, other, at, clues)
    return (
        (_zeroed(one, other, left, right, clues) if name == ".dynstr" else None)
        or _by_texts(name, one, other, left.searched ^ right.searched, clues, mover)
        or _opaque(name, one, other, at, clues)
    )


def _by_texts(
    name: str, left: _Section, right: _Section, known: frozenset[bytes], clues: CauseClues, mover: Mover | None
) -> Difference | None:
    """Return the node of a section whose texts differ, or None if they do not, or say nothing.

    :param known: texts that .dynamic names, which has a node of its own
    """
    texts = [strings.of(side.data) for side in (left, right)]
    one, other = ([text for text in side if text not in known] for side in texts)
    is_location = name.startswith(_PATHS_IN)
    found = strings.compare_lists(name, one, other, f"section {name}", clues, is_location=is_location)
    if found is None and not known:
        return None
    # Only tables of texts hold nothing else.
    if found is not None and name not in TABLES and all(finding.code == UNKNOWN for finding in found.findings):
        return None  # What looks like a text there may be none.
    rest = beside_texts(name, left.data), beside_texts(name, right.data)
    if found is None:
        same = rest[0] == rest[1]
        return Difference(name, NodeKind.ELF, "follows from .dynamic: the search path") if same else None
    more: tuple[Finding, ...] = ()
    is_all = rest[0] == rest[1] or (mover is not None and mover.is_explained_beside_texts(name))
    if not is_all or strings.MOST in map(len, texts):
        at = shared(*rest)
        seen = Unexplained(rest[0][at : at + 64], rest[1][at : at + 64])
        more = explain(seen, f"section {name}, beside its texts", clues)
    return Difference(name, NodeKind.ELF, found.summary, found.detail, found.findings + more)


def _derived(name: str, left: _Section, right: _Section, follows: bool, clues: CauseClues) -> Difference:
    """Return the node of a section that is a digest of others."""
    one, other = left.data[-_ID_SIZE:], right.data[-_ID_SIZE:]
    detail = (f"-{one.hex()}", f"+{other.hex()}")
    if follows:
        return Difference(name, NodeKind.ELF, "follows from other sections", detail)
    findings = explain(OfNature(Nature.BUILD_ID, one, other), f"section {name}", clues) if name == _BUILD_ID else ()
    return Difference(name, NodeKind.ELF, "another id of the same contents", detail, findings)


def _opaque(name: str, left: _Section, right: _Section, at: int | None, clues: CauseClues) -> Difference:
    """Return the node of a section that differs from offset *at* on, for which there is no explanation."""
    sizes = "" if left.size == right.size else f", {left.size} and {right.size} bytes"
    one, other = left.data, right.data
    at = max(at or 0, shared(one, other))
    # From a multiple of 16, as hexdump and readelf -x show it.
    begin = at - at % 16
    seen = Unexplained(one[begin : begin + 64], other[begin : begin + 64])
    return explained(name, NodeKind.ELF, f"other contents{sizes}", seen, f"section {name}, offset 0x{at:x}", clues)


def _headers(left: Sequence[str], right: Sequence[str], clues: CauseClues) -> Difference:
    one, other = (
        "; ".join([fact for fact in mine if fact not in others] or mine).encode()
        for mine, others in ((left, right), (right, left))
    )
    name, summary = "headers", "other segments, flags or memory"
    if set(left) == set(right):
        name, summary = SEGMENTS, "another order or number of segments"
    elif any(_WRITTEN_AND_RUN.search(fact) for fact in set(left) ^ set(right)) or _machine(left) != _machine(right):
        name, summary = _RIGHTS, "another machine, or memory that may be written and executed on one side"
    return explained(name, NodeKind.ELF, summary, Unexplained(one, other), "headers", clues)


def _machine(facts: Sequence[str]) -> str:
    return facts[0].partition(", flags")[0]


def _are_renumbered(left: Any, right: Any) -> bool:
    """Return whether two tables of symbols say the same but for the numbers that their sections have in each file."""
    if left.num_symbols() != right.num_symbols() or left.num_symbols() > _MOST_SYMBOLS:
        return False
    numbers = [
        {number: each.name for number, each in enumerate(side.elffile.iter_sections())} for side in (left, right)
    ]
    for one, other in zip(_symbols(left.elffile, left), _symbols(right.elffile, right)):
        places = [names.get(each["st_shndx"], each["st_shndx"]) for names, each in zip(numbers, (one, other))]
        rest = [
            (each["name"], each["st_value"], each["st_size"], each["st_info"], each["st_other"])
            for each in (one, other)
        ]
        if places[0] != places[1] or rest[0] != rest[1]:
            return False
    return True


# -- texts of .dynamic, and what overwriting them leaves behind


def _with_texts(node: Difference, texts: Difference) -> Difference:
    """Return the *node* of .dynamic with what its *texts* show, which stands first: addresses follow from them."""
    summary = texts.summary if not node.findings else f"{texts.summary}; {node.summary}"
    detail, findings = texts.detail + node.detail, texts.findings + node.findings
    return replace(texts, summary=summary, detail=detail, findings=findings)


def _dynamic(left: Sequence[tuple[str, str]], right: Sequence[tuple[str, str]], clues: CauseClues) -> Difference:
    gone, come = [each for each in left if each not in right], [each for each in right if each not in left]
    where = SAID_IN_DYNAMIC
    if not gone and not come:
        seen = Unexplained(_joined(left), _joined(right))  # which is looked in first has a meaning
        return explained(".dynamic", NodeKind.ELF, "libraries in another order", seen, where, clues)
    findings: tuple[Finding, ...] = ()
    for tags, observed in ((_SEARCHED, SearchPaths), (("NEEDED", "SONAME"), Libraries)):
        one, other = ([each for each in side if each[0] in tags] for side in (gone, come))
        if one or other:
            values = [value for _, value in one], [value for _, value in other]
            findings += explain(observed(_joined(one), _joined(other), values), where, clues)
    detail = [f"{sign}{tag} {value}" for sign, entries in (("-", gone), ("+", come)) for tag, value in entries]
    return Difference(".dynamic", NodeKind.ELF, "other search paths or libraries", tuple(detail), findings)


def _joined(entries: Sequence[tuple[str, str]]) -> bytes:
    return "; ".join(f"{tag} {value}" for tag, value in entries).encode()


def _is_one_dynamic(left: _Section, right: _Section, file: _File, mover: Mover) -> bool:
    """Return whether .dynamic has the same entries in one order, those with texts and unused ones aside."""
    # Elf32_Dyn and Elf64_Dyn: a tag and a value, each a word long (gABI, "Dynamic Section").
    width = file.bits // 8
    sides = []
    for data in (left.data, right.data):
        words = [int.from_bytes(data[at : at + width], file.order) for at in range(0, len(data), width)]
        entries = zip(words[::2], words[1::2])  # d_tag, and d_val or d_ptr
        sides.append([each for each in entries if each[0] not in (_NULL, _NEEDED, _SONAME, _RPATH, _RUNPATH)])
    return len(sides[0]) == len(sides[1]) and all(
        tag == other_tag and (value == other or mover.is_one_number(value, other))
        for (tag, value), (other_tag, other) in zip(*sides)
    )


def _zeroed(one: _Section, other: _Section, left: _File, right: _File, clues: CauseClues) -> Difference | None:
    """Return the node of a .dynstr with another number of zeros behind the search path, which was overwritten.

    Linkers write one zero behind a text. CMake overwrites the search path of the build by that of the installation
    without moving anything, so that the former's length remains.
    """
    data = one.data, other.data
    begin = len(data[0][: shared(*data)].rstrip(b"\0"))
    zeros = [len(side) - begin - len(side[begin:].lstrip(b"\0")) for side in data]
    text = data[0][data[0].rfind(b"\0", 0, begin) + 1 : begin]
    if data[0][begin + zeros[0] :] != data[1][begin + zeros[1] :] or left.searched != right.searched:
        return None
    if left.searched and text not in left.searched:
        return None
    first = max(begin - len(text), begin + min(zeros) - EXCERPT // 2)
    shown = [side[first : min(begin + count, first + EXCERPT)] for side, count in zip(data, zeros)]
    seen = Padding(shown[0], shown[1], zeros[0] - zeros[1])
    summary = f"{zeros[0]} and {zeros[1]} zeros where a longer search path was overwritten"
    return explained(".dynstr", NodeKind.ELF, summary, seen, "section .dynstr, behind the search path", clues)
