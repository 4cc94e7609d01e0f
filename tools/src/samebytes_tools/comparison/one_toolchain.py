"""Two wheels of one release that other toolchains made, or of which one was repaired, and what follows from that.

What compilers do not explain keeps its findings: other Python files, metadata, texts, functions and libraries.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from samebytes.archive.entry import read_all

from .causes.order import DIRECTORY_ORDER
from .causes.platforms import COMPILED
from .causes.repaired import is_left_by_repair, is_member
from .causes.table import REPAIRED, TOOLCHAIN, UNKNOWN
from .formats import strings
from .formats.elf import MADE_BY, SAID_IN_DYNAMIC, SEGMENTS, SOURCE
from .model import Difference, Evidence, Finding, NodeKind
from .opened import RECORD, Opened

__all__ = ["summed_up"]

_COMPILER = re.compile(
    r"(?:(GCC): \([^)]*\)|(?:\w+ )*(clang|rustc|flang)(?: LLVM)? version|(Cython)|(?:Linker: )?(LLD)) (\d+(?:\.\d+)*)"
)
_LIBC = re.compile(r"-linux-(gnu|musl)(?=\.)")
_SOURCES = (".py", ".pyi", ".pyc", ".pth")
_SCRIPTS = "*.data/scripts/"
_METADATA = "*.dist-info/METADATA"
_WHEEL = "*.dist-info/WHEEL"
_FROM_TOOLCHAIN = frozenset({TOOLCHAIN, REPAIRED})
_PATCHED = frozenset({SEGMENTS, ".dynamic", ".dynstr", ".shstrtab", ".gnu.version_r"})
"""What patchelf writes anew: the dynamic section, its texts, and where they are."""

_MOST_SHOWN = 20


def summed_up(
    left: Opened, right: Opened, differing: Collection[str], differences: Sequence[Difference]
) -> tuple[Difference, ...]:
    """Return *differences* with one for the toolchain in front if that differs, and no findings that follow from it.

    :param differing: the keys of members that differ after the passes, or are on one side only.
    """
    members = {side.files[key].name: key for side in (left, right) for key in side.files}
    found = {node.name: list(_toolchains(node)) for node in differences if _is_module(members.get(node.name, ""))}
    found = {name: evidence for name, evidence in found.items() if evidence}
    repaired = [_is_repaired(side) for side in (left, right)]
    if not found:
        if repaired[0] == repaired[1]:
            return tuple(differences)
        return tuple(_by_repair(node, members.get(node.name, "")) for node in differences)
    made = {name: _made_by(evidence) for name, evidence in found.items()}
    # An extension module has the C library in its name, and is one module nevertheless.
    count, of = (
        len({_LIBC.sub("", name) for name in names}) for names in (found, filter(_is_module, members.values()))
    )
    shown = "; ".join(dict.fromkeys(f"{one} against {other}" for one, other in made.values()))
    modules = f"{count} of {of} compiled module{'s' * (of != 1)} differ{'s' * (count == 1)}"
    lines = [f"{name}: {one} | {other}" for name, (one, other) in made.items()][:_MOST_SHOWN]
    evidence = next(iter(found.values()))[0]
    node = Difference(
        "toolchain",
        NodeKind.MEMBER,
        f"{_the_same(differing)}; {modules}: {shown}",
        tuple(lines) if len(made) > 1 else (),
        (Finding(TOOLCHAIN, evidence),),
    )
    return (node, *(_following(each, members.get(each.name, ""), any(repaired)) for each in differences))


def _is_module(key: str) -> bool:
    return key.endswith(COMPILED) and not is_member(key)


def _is_python(key: str) -> bool:
    return key.endswith(_SOURCES) or key.startswith(_SCRIPTS)


def _is_repaired(side: Opened) -> bool:
    wheel = side.normal.get(_WHEEL)
    return wheel is not None and re.search(rb"(?m)^Tag: .*(?:many|musl)linux", read_all(wheel.content)) is not None


def _toolchains(node: Difference) -> Iterator[Evidence]:
    """Give what shows that other compilers made a module."""
    for each in node.walk():
        if each.name in (MADE_BY, SOURCE) or (each is node and each.kind is NodeKind.ELF):
            yield from (finding.evidence for finding in each.findings if finding.code == TOOLCHAIN)


def _made_by(found: Sequence[Evidence]) -> tuple[str, str]:
    """Return what made a module on each side, with releases: as they write themselves down if they are of one name."""
    raw = [dict.fromkeys(text.decode("utf-8", "replace") for text in side if text) for side in _sides(found)]
    short = [dict.fromkeys(map(_short, texts)) for texts in raw]
    one, other = (" and ".join(texts) or "nothing" for texts in (short if short[0] != short[1] else raw))
    return one, other


def _sides(found: Sequence[Evidence]) -> tuple[list[bytes], list[bytes]]:
    return [each.left for each in found], [each.right for each in found]


def _short(text: str) -> str:
    match = _COMPILER.search(text)
    libc = _LIBC.search(text)
    if match:
        return f"{next(filter(None, match.groups()))} {match[match.lastindex or 0]}"
    return {"gnu": "glibc"}.get(libc[1], libc[1]) if libc else text[:80]


def _the_same(differing: Collection[str]) -> str:
    """Return a line on what the modules were made beside: it shows whether the source is the same."""
    python, metadata = any(map(_is_python, differing)), _METADATA in differing
    if python and metadata:
        return "Python files and metadata differ"
    if python or metadata:
        return f"{'metadata' if python else 'Python files'} identical, {'Python files' if python else 'metadata'} not"
    return "Python files and metadata identical"


def _following(node: Difference, key: str, is_repaired: bool) -> Difference:
    """Return *node* without the findings that the toolchain, or a repair in its image, explains."""
    if is_member(key) and key.endswith(".json") and node.kind is not NodeKind.MISSING:  # a list of what was added
        codes = {finding.code for each in node.walk() for finding in each.findings}
        return _without(node, codes, "toolchain")
    if _is_module(key) or is_member(key) or key == _WHEEL:
        return _without(node, _FROM_TOOLCHAIN, "toolchain")
    if is_repaired and (key == RECORD or node.kind is NodeKind.CONTAINER):  # written anew, in another order
        return _without(node, {DIRECTORY_ORDER.code}, "repair")
    return node


def _by_repair(node: Difference, key: str) -> Difference:
    """Return *node* with what a repair does to a wheel ascribed to it: one side alone was repaired, by its tags."""
    if key == RECORD or node.kind is NodeKind.CONTAINER:
        return _ascribed(node, {DIRECTORY_ORDER.code})
    # All that the linker wrote beside them is the same, so nothing was built otherwise.
    if (
        _is_module(key)
        and node.kind is NodeKind.ELF
        and {child.name for child in node.children if child.findings} <= _PATCHED
    ):
        return replace(node, children=tuple(map(_patched, node.children)))
    return node


def _patched(node: Difference) -> Difference:
    if node.name == ".dynstr":
        # Names of functions may be too short to be texts, and of many texts only some are in the detail.
        is_all = 0 < len(node.detail) < strings.MOST_SHOWN and len({each.evidence.where for each in node.findings}) == 1
        if not is_all or not all(is_left_by_repair(line[1:]) for line in node.detail):
            return node
    if any(finding.code == UNKNOWN and finding.evidence.where == SAID_IN_DYNAMIC for finding in node.findings):
        return node  # A repair gives libraries other names, and has a file load no more of them.
    return _ascribed(node, {UNKNOWN, TOOLCHAIN})


def _ascribed(node: Difference, codes: Collection[str]) -> Difference:
    """Return *node* with the findings of *codes* in it and below it ascribed to the repair."""
    findings = (replace(each, code=REPAIRED) if each.code in codes else each for each in node.findings)
    children = tuple(_ascribed(child, codes) for child in node.children)
    return replace(node, findings=tuple(findings), children=children)


def _without(node: Difference, codes: Collection[str], reason: str) -> Difference:
    children = tuple(_without(child, codes, reason) for child in node.children)
    kept = tuple(finding for finding in node.findings if finding.code not in codes)
    summary = node.summary
    if len(kept) < len(node.findings) and not kept:
        summary = f"follows from the {reason}: {summary}"
    return replace(node, summary=summary, findings=kept, children=children)
