"""Compiled modules: the header that ties one to its source, and the code, by the fields of its code objects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from samebytes.artifact.pyc import HEADER_SIZE

from ..causes.causes import UNKNOWN
from ..causes.clues import Clues, codes, findings_of
from ..model import Difference, Finding, Kind
from . import strings
from .marshalled import Code, FrozenSet, NotMarshalError, Number, Text, Value, load
from .text import reduced

__all__ = ["compare"]

_MAGICS = (
    (3400, "3.8"),
    (3420, "3.9"),
    (3430, "3.10"),
    (3450, "3.11"),
    (3500, "3.12"),
    (3550, "3.13"),
    (3600, "3.14"),
    (3650, "3.15"),
)
"""The first magic number of each Python; source: CPython's ``pycore_magic_number.h``."""

_FLAGS = {0: "time and size of the source", 1: "hash of the source, not checked", 3: "hash of the source, checked"}
"""PEP 552's word of flags."""

_MOST = 40


class _Change(NamedTuple):
    """A field of a code object that differs."""

    where: str
    """The code objects' names, and the field's."""
    left: Value
    right: Value


def compare(name: str, left: bytes, right: bytes, clues: Clues) -> Difference | None:
    """Return how two compiled modules differ, or None if one of them is none."""
    if min(len(left), len(right)) <= HEADER_SIZE or left[2:4] != b"\r\n" or right[2:4] != b"\r\n":
        return None
    if left[:4] != right[:4]:
        return _other_python(name, left, right, clues)
    children = [*_header(left, right)]
    if left[HEADER_SIZE:] != right[HEADER_SIZE:]:
        children.append(_code(left, right, clues))
    parts = " and ".join(child.name for child in children)
    return Difference(name, Kind.PYC, f"{parts} differ{'s' * (len(children) == 1)}", children=tuple(children))


def _python(magic: bytes) -> str:
    number = int.from_bytes(magic[:2], "little")
    version = next((text for first, text in reversed(_MAGICS) if number >= first), "")
    return f"Python {version} (magic number {number})" if version else f"magic number {number}"


def _other_python(name: str, left: bytes, right: bytes, clues: Clues) -> Difference:
    pythons = _python(left[:4]), _python(right[:4])
    texts = _texts("texts", left, right, clues)
    # Another compiler writes other texts; those that tell a cause of their own still do.
    told = tuple(finding for finding in texts.findings if finding.code != UNKNOWN) if texts else ()
    findings = (*findings_of(("D023",), pythons[0].encode(), pythons[1].encode(), "magic number"), *told)
    summary = f"compiled by {pythons[0]} and {pythons[1]}"
    return Difference(name, Kind.PYC, summary, texts.detail if texts else (), findings)


def _texts(name: str, left: bytes, right: bytes, clues: Clues) -> Difference | None:
    one, other = strings.of(left[HEADER_SIZE:]), strings.of(right[HEADER_SIZE:])
    return strings.compare_lists(name, one, other, "embedded text", clues)


def _header(left: bytes, right: bytes) -> Iterator[Difference]:
    flags = [int.from_bytes(data[4:8], "little") for data in (left, right)]
    words = [left[8:HEADER_SIZE], right[8:HEADER_SIZE]]
    if flags[0] == flags[1] and words[0] == words[1]:
        return
    shown = [_header_text(flag, word) for flag, word in zip(flags, words)]
    detail = (f"-{shown[0]}", f"+{shown[1]}")
    excerpts = left[4:HEADER_SIZE], right[4:HEADER_SIZE]
    is_hash = flags[0] == flags[1] and flags[0] & 1
    if is_hash or (flags == [0, 0] and words[0][4:] != words[1][4:]):
        # Another hash or size stands for another source.
        yield Difference("header", Kind.PYC, "follows from the source", detail)
        return
    passes = ("P001",) if 0 in flags and not {1, 2} & set(flags) else ()
    findings = findings_of(("D011",), *excerpts, "header, from offset 4")
    yield Difference("header", Kind.PYC, f"{shown[0]} and {shown[1]}", detail, findings, passes)


def _header_text(flags: int, word: bytes) -> str:
    if flags == 0:
        return f"source of {int.from_bytes(word[4:], 'little')} bytes with time {int.from_bytes(word[:4], 'little')}"
    return f"{_FLAGS.get(flags, f'flags {flags:#x}')}: {word.hex()}"


def _code(left: bytes, right: bytes, clues: Clues) -> Difference:
    magic = int.from_bytes(left[:2], "little")
    try:
        values = load(left[HEADER_SIZE:], magic), load(right[HEADER_SIZE:], magic)
    except NotMarshalError as error:
        found = _texts("code", left, right, clues)
        summary = f"code cannot be read ({error}); its texts are compared"
        if found is None:
            return Difference("code", Kind.PYC, summary, (), _unknown(left, right))
        return Difference("code", Kind.PYC, summary, found.detail, found.findings)
    return _values(left, right, *values, clues)


def _values(left: bytes, right: bytes, one: Value, other: Value, clues: Clues) -> Difference:
    changes = list(_changes("", one, other))
    if not changes:
        # The same values: which of them are written as references depends on how often each was in use.
        return Difference("code", Kind.PYC, "the same code, written with other references", (), _unknown(left, right))
    findings = reduced(finding for change in changes for finding in _finding(change, clues))
    fields = sorted({change.where.rpartition(".")[2] for change in changes})
    only = "only " if fields == ["co_filename"] else ""
    paths = {(_shown(change.left), _shown(change.right)) for change in changes if change.where.endswith("co_filename")}
    summary = f"{only}{', '.join(fields)} differ{'s' * (len(fields) == 1)}"
    if only and len(paths) == 1:
        summary = f"only the path of the source, co_filename, differs: {' and '.join(next(iter(paths)))}"
    detail = [line for change in changes[:_MOST] for line in _lines(change)]
    return Difference("code", Kind.PYC, summary, tuple(detail), findings)


def _unknown(left: bytes, right: bytes) -> tuple[Finding, ...]:
    at = next((place for place, (a, b) in enumerate(zip(left, right)) if a != b and place >= HEADER_SIZE), HEADER_SIZE)
    return findings_of((UNKNOWN,), left[at - 8 : at + 24], right[at - 8 : at + 24], f"offset 0x{at:x}")


def _changes(where: str, left: Value, right: Value) -> Iterator[_Change]:
    """Give the smallest values that differ, from the outside to the inside."""
    if isinstance(left, Code) and isinstance(right, Code):
        for name, value in left.fields:
            yield from _changes(f"{where}{_name(left)}.{name}", value, right.get(name))
    elif isinstance(left, tuple) and isinstance(right, tuple) and len(left) == len(right):
        for one, other in zip(left, right):
            yield from _changes(where + "/" if isinstance(one, Code) else where, one, other)
    elif left != right:
        yield _Change(where, left, right)


def _name(code: Code) -> str:
    name = code.get("co_name")
    return name.text if isinstance(name, Text) else "?"


def _finding(change: _Change, clues: Clues) -> tuple[Finding, ...]:
    left, right = _bytes(change.left), _bytes(change.right)
    if isinstance(change.left, FrozenSet) and isinstance(change.right, FrozenSet):
        same = Counter(map(repr, change.left.elements)) == Counter(map(repr, change.right.elements))
        return findings_of(("D008" if same else UNKNOWN,), left, right, change.where)
    if isinstance(change.left, Text) and isinstance(change.right, Text):
        located = clues._replace(is_location=change.where.endswith(".co_filename"))
        return findings_of(codes(left, right, located), left, right, change.where)
    return findings_of((UNKNOWN,), left, right, change.where)


def _bytes(value: Value) -> bytes:
    if isinstance(value, Text):
        return value.text.encode("utf-8", "surrogatepass")
    return value if isinstance(value, bytes) else _shown(value).encode("utf-8", "backslashreplace")


def _shown(value: Value) -> str:
    if isinstance(value, Text):
        return value.text[:200]
    if isinstance(value, FrozenSet):
        return "{" + ", ".join(_shown(element) for element in value.elements[:20]) + "}"
    if isinstance(value, Number):
        return (
            f"{value.kind} {int.from_bytes(value.data, 'little', signed=True)}"
            if value.kind == "int"
            else value.data.hex()
        )
    if isinstance(value, bytes):
        return value[:60].hex(" ")
    if isinstance(value, Code):
        return f"<code {_name(value)}>"
    return "(" + ", ".join(_shown(each) for each in value[:20]) + ")" if isinstance(value, tuple) else str(value)


def _lines(change: _Change) -> tuple[str, str, str]:
    return f" {change.where}", f"-{ascii(_shown(change.left))[1:-1]}", f"+{ascii(_shown(change.right))[1:-1]}"
