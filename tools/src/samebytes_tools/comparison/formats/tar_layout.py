"""Tar files of any layout, written anew as the strict reader takes them: with all below one directory, as in sdists.

``tar -C DIRECTORY .`` and :func:`shutil.make_archive` begin names with ``./``; others have several files at the top.
"""

from __future__ import annotations

import gzip
import re
from dataclasses import replace
from pathlib import Path

from ..model import Difference

__all__ = ["below_one_directory", "without_directory"]

_TOP = "_tar_/"
"""A directory that no archive is expected to have."""

_BLOCK = 512
_NAME, _SIZE, _SUM, _TYPE = slice(0, 100), slice(124, 136), slice(148, 156), slice(156, 157)
_LINK, _MAGIC, _PREFIX = slice(157, 257), slice(257, 263), slice(345, 500)
"""The fields of a header (POSIX, ustar Interchange Format)."""

_USTAR, _HARD_LINK = b"ustar\0", b"1"
_OF_MEMBERS = (b"\0", b"0", b"1", b"2", b"5", b"7")
"""Types of headers that have a member's own name; others hold what is about the next one."""

_AT_ONCE = 1 << 11


def below_one_directory(path: Path) -> Path:
    """Write the tar file *path* anew with all members below one directory, and return where.

    Names that are too long for one header stay as they are, and a size that is no octal number ends its member.
    """
    target = path.with_name(f"{path.name}.tar.gz")
    with path.open("rb") as source, gzip.GzipFile(target, "wb", compresslevel=1, mtime=0) as file:
        while len(head := source.read(_BLOCK)) == _BLOCK:
            digits = head[_SIZE].strip(b" \0")
            file.write(_moved(head) if head[_TYPE] in _OF_MEMBERS and head[_NAME].strip(b"\0") else head)
            blocks = -(-int(digits, 8) // _BLOCK) if re.fullmatch(rb"[0-7]+", digits) else 0
            while blocks > 0 and (data := source.read(min(blocks, _AT_ONCE) * _BLOCK)):
                file.write(data)
                blocks -= _AT_ONCE
    return target


def _moved(head: bytes) -> bytes:
    has_prefix = head[_MAGIC] == _USTAR and head[_PREFIX].strip(b"\0")
    fields = [_PREFIX if has_prefix else _NAME, *([_LINK] if head[_TYPE] == _HARD_LINK else [])]
    for field in fields:
        name = head[field].rstrip(b"\0")
        name = _TOP.encode() + (name[2:] if name.startswith(b"./") else b"" if name == b"." else name)
        if len(name) > field.stop - field.start:
            return head
        head = _with(head, field, name.ljust(field.stop - field.start, b"\0"))
    return _with(head, _SUM, b"%06o\0 " % sum(_with(head, _SUM, b" " * 8)))


def _with(head: bytes, field: slice, value: bytes) -> bytes:
    return head[: field.start] + value + head[field.stop :]


def without_directory(node: Difference) -> Difference:
    """Return *node* with the names that members have in the archive itself."""
    findings = tuple(
        replace(one, evidence=replace(one.evidence, where=one.evidence.where.replace(_TOP, "")))
        for one in node.findings
    )
    return replace(
        node,
        name=node.name.removeprefix(_TOP),
        summary=node.summary.replace(_TOP, ""),
        detail=tuple(line.removeprefix(_TOP) for line in node.detail),
        findings=findings,
        children=tuple(map(without_directory, node.children)),
    )
