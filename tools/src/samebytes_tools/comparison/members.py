"""A member that differs: looked at by its nature."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from samebytes.archive.entry import Content, Entry, read_all
from samebytes.passes.container import executable

from .causes import repaired
from .causes.causes import UNKNOWN
from .causes.clues import Clues, findings_of
from .formats import elf, hexwindow, jsontree, metadata, pyc, strings, text
from .formats.text import reduced
from .model import Difference, Finding, Kind

__all__ = ["Member", "compare_contents", "missing"]


class Member(NamedTuple):
    """A file with other contents on the two sides."""

    key: str
    name: str
    """As it is called on the left."""
    left: Content
    right: Content
    clues: Clues
    note: Callable[[str], None]
    """Takes what could not be looked at, and why."""
    depth: int = 0
    """How many archives it lies in, beside the one that was given."""


_HEADER_BLOCKS = {
    "*.dist-info/METADATA": "W002",
    "*.dist-info/WHEEL": "W003",
    "PKG-INFO": "S001",
}


def compare_contents(member: Member) -> Difference:
    """Return how the contents of *member* differ, in the way that its nature allows.

    :raises ArchiveError: if they cannot be read.
    """
    for look in (_header_block, _pyc, _json, _text, _elf, _archive, _binary):
        found = look(member)
        if found is not None:
            return found
    return _hex(member)


def _header_block(member: Member) -> Difference | None:
    code = _HEADER_BLOCKS.get(member.key)
    if code is None and member.key.endswith(".egg-info/PKG-INFO"):
        code = "S001"
    held = _held(member)
    return metadata.compare(member.name, *held, code, member.clues) if code and held else None


def _pyc(member: Member) -> Difference | None:
    held = _held(member) if member.key.endswith(".pyc") else None
    return pyc.compare(member.name, *held, member.clues) if held else None


def _text(member: Member) -> Difference | None:
    held = _held(member)
    if held is None or not text.is_text(held[0]) or not text.is_text(held[1]):
        return None
    return text.compare(member.name, *held, member.clues)


def _json(member: Member) -> Difference | None:
    if not member.key.endswith((".json", ".spdx", ".cdx", ".ipynb")):
        return None
    if max(member.left.size, member.right.size) > jsontree.LARGEST:
        return None
    return jsontree.compare(member.name, read_all(member.left), read_all(member.right), member.clues)


def _elf(member: Member) -> Difference | None:
    if _shared_head(member) != elf.MAGIC:
        return None
    return elf.compare(member.name, member.left, member.right, member.clues)


def _archive(member: Member) -> Difference | None:
    # It compares members in turn, so it needs this module.
    from .formats import nested

    return nested.compare(member, _shared_head(member))


def _shared_head(member: Member) -> bytes:
    """Return the first bytes, as far as both sides begin with the same."""
    one, other = (next(content.chunks(), b"")[:4] for content in (member.left, member.right))
    return one if one == other else b""


def _binary(member: Member) -> Difference | None:
    """Compare by the texts in it, with a window of bytes where those do not tell all."""
    if max(member.left.size, member.right.size) > LARGEST_BINARY:
        return None
    one, other = strings.read(member.left), strings.read(member.right)
    found = strings.compare_lists(member.name, one.found, other.found, "embedded text", member.clues)
    if found is None:
        return None
    window = hexwindow.compare(member.name, member.left, member.right)
    findings = found.findings
    if one.beside != other.beside or one.is_cut or other.is_cut:
        findings = reduced([*findings, *_beside_texts(member)])
    return replace(found, detail=(*found.detail, *window.detail), findings=findings)


def _beside_texts(member: Member) -> tuple[Finding, ...]:
    """Return the finding for a file whose texts do not tell all."""
    at = hexwindow.evidence(member.left, member.right)
    return findings_of((UNKNOWN,), at.left, at.right, f"{at.where}, and beside the texts")


LARGEST_BINARY = 256 << 20
"""Bytes of a binary file whose texts are listed; of a larger one only the first difference is shown."""


def _hex(member: Member) -> Difference:
    found = hexwindow.compare(member.name, member.left, member.right)
    at = hexwindow.evidence(member.left, member.right)
    return Difference(found.name, found.kind, found.summary, found.detail, (Finding(UNKNOWN, at),))


def _held(member: Member) -> tuple[bytes, bytes] | None:
    if max(member.left.size, member.right.size) > text.LARGEST:
        return None
    return read_all(member.left), read_all(member.right)


# -- members that are not on both sides, or no files


_LEFTOVER = re.compile(
    r"build/(?:lib|bdist|temp|scripts)[^/]*/|dist/[^/]+\.(?:whl|tar\.gz|egg)\Z"
    r"|(?:.*/)?(?:__pycache__|\.eggs|\.pytest_cache|\.mypy_cache|\.ruff_cache|\.tox)/"
)
"""What builds and tests leave in a tree."""


def missing(key: str, entry: Entry, side: str, kind: str) -> Difference:
    """Return the node for a member that only *side* (``"left"`` or ``"right"``) has, in an archive of *kind*."""
    name = entry.name.encode("utf-8", "surrogateescape")
    sides = (name, b"") if side == "left" else (b"", name)
    code = "D020" if _is_leftover(key, kind) else "D024" if repaired.is_member(key) and kind == "wheel" else UNKNOWN
    return Difference(entry.name, Kind.MISSING, f"only on the {side} side", (), findings_of((code,), *sides, "members"))


def _is_leftover(key: str, kind: str) -> bool:
    """Tell whether a build makes such a file, and a later one may take it in."""
    return bool(_LEFTOVER.match(key)) or (kind == "wheel" and bool(re.match(r"(?:.*/)?[^/]+\.egg-info/", key)))


def other_nature(left: Entry, right: Entry, kind: str) -> Difference | None:
    """Return the node for a member whose kind, target or right to be executed differs, or None."""
    if left.kind is not right.kind:
        summary = f"a {left.kind.value} and a {right.kind.value}"
        texts = [left.kind.value, right.kind.value]
    elif left.target != right.target:
        summary, texts = "a link to another place", [left.target, right.target]
    elif executable(left, kind) != executable(right, kind):
        side = "left" if executable(left, kind) else "right"
        summary, texts = f"executable on the {side} side only", [f"mode {each.mode:04o}" for each in (left, right)]
    else:
        return None
    one, other = (each.encode("utf-8", "surrogateescape") for each in texts)
    return Difference(left.name, Kind.MEMBER, summary, (), findings_of((UNKNOWN,), one, other, ""))


def planted(left: Entry, right: Entry) -> Difference:
    """Return the node for permission bits that no umask gives, on one side only."""
    texts = [f"mode {entry.mode:04o}" for entry in (left, right)]
    summary = f"permissions that no build gives: {texts[0]} and {texts[1]}"
    findings = findings_of((UNKNOWN,), texts[0].encode(), texts[1].encode(), "")
    return Difference(left.name, Kind.MEMBER, summary, (), findings)
