"""Compiled modules: the header that ties one to its source, and the code, by the fields of its code objects."""

from __future__ import annotations

from collections.abc import Iterator

from samebytes.artifact.magic_numbers import format_of
from samebytes.artifact.marshal_reader import NotMarshalError
from samebytes.artifact.pyc import HEADER_SIZE, PycHeader, header_of

from ..causes.cause import CauseClues
from ..causes.table import explain, explained, reduced, without_unknown
from ..excerpts import shared
from ..members import MemberPair
from ..model import Difference, Finding, NodeKind
from ..observations import MemberTime, Nature, Observation, OfNature, Reordered, TextPair, Unexplained
from . import strings
from .marshalled import FieldChange, changes

__all__ = ["compare", "look"]

_FLAGS = {0: "time and size of the source", 1: "hash of the source, not checked", 3: "hash of the source, checked"}
"""PEP 552's word of flags."""

LARGEST = 1 << 20
"""Bytes of a compiled module that is compared by its values; a larger one is by its texts."""

_MOST = 40
"""How many of the values that differ are shown."""

_MOST_EXPLAINED = 1000
"""For how many of them causes are looked for: each costs some tenths of a millisecond."""


def look(member: MemberPair) -> Difference | None:
    """Return how two compiled modules differ, or None if one of the contents is not one, or too large."""
    held = member.held(LARGEST) if member.key.endswith(".pyc") else None
    return compare(member.name, *held, member.clues) if held else None


def compare(name: str, left: bytes, right: bytes, clues: CauseClues) -> Difference | None:
    """Return how two compiled modules differ, or None if one of them is not a compiled module."""
    one, other = header_of(left), header_of(right)
    if one is None or other is None or min(len(left), len(right)) == HEADER_SIZE:
        return None
    # Another Python's code has other instructions, so that values mean nothing to one another.
    if one.magic != other.magic:
        return _other_python(name, one, other, _texts("texts", left, right, clues))
    children = [*_header(one, other, (left[4:HEADER_SIZE], right[4:HEADER_SIZE]), clues)]
    if left[HEADER_SIZE:] != right[HEADER_SIZE:]:
        children.append(_code(left, right, one.magic, clues))
    parts = " and ".join(child.name for child in children)
    return Difference(name, NodeKind.PYC, f"{parts} differ{'s' * (len(children) == 1)}", children=tuple(children))


def _other_python(name: str, left: PycHeader, right: PycHeader, texts: Difference | None) -> Difference:
    pythons = []
    for each in (left, right):
        magic, python = f"magic number {each.magic}", format_of(each.magic).python
        pythons.append(f"Python {python} ({magic})" if python else magic)
    seen = OfNature(Nature.COMPILER, *(python.encode() for python in pythons))
    # Another compiler writes other texts; those that show a cause of their own still do.
    caused = without_unknown(texts).findings if texts else ()
    detail = texts.detail if texts else ()
    summary = f"compiled by {' and '.join(pythons)}"
    return Difference(name, NodeKind.PYC, summary, detail, (*explain(seen, "magic number"), *caused))


def _texts(name: str, left: bytes, right: bytes, clues: CauseClues) -> Difference | None:
    # Behind the header, whose hash may look like text.
    one, other = strings.of(left[HEADER_SIZE:]), strings.of(right[HEADER_SIZE:])
    return strings.compare_lists(name, one, other, "embedded text", clues)


def _header(
    left: PycHeader, right: PycHeader, excerpts: tuple[bytes, bytes], clues: CauseClues
) -> Iterator[Difference]:
    if left == right:
        return
    shown = _shown(left), _shown(right)
    detail = (f"-{shown[0]}", f"+{shown[1]}")
    flags = {left.flags, right.flags}
    is_hash = left.flags == right.flags and left.flags & 1
    # A pyc by time holds the time of its source (PEP 552).
    seen: Observation = MemberTime(*excerpts)
    summary, passes = " and ".join(shown), ("P001",) if 0 in flags and not {1, 2} & flags else ()
    if is_hash or (flags == {0} and left.size != right.size):
        # Another hash or size stands for another source; where that one differs too, its node has the cause.
        seen, summary, passes = Unexplained(*excerpts), "made from another source", ()
    yield explained("header", NodeKind.PYC, summary, seen, "header, from offset 4", clues, detail=detail, passes=passes)


def _shown(header: PycHeader) -> str:
    if header.flags == 0:
        return f"source of {header.size} bytes with time {header.time}"
    return f"{_FLAGS.get(header.flags, f'flags {header.flags:#x}')}: {header.stamp.hex()}"


def _code(left: bytes, right: bytes, magic: int, clues: CauseClues) -> Difference:
    try:
        found = changes(left[HEADER_SIZE:], right[HEADER_SIZE:], magic)
        findings = reduced(finding for change in found[:_MOST_EXPLAINED] for finding in _finding(change, clues))
    except NotMarshalError as error:
        texts = _texts("code", left, right, clues)
        summary = f"code cannot be read ({error}); its texts are compared"
        if texts is None:
            return Difference("code", NodeKind.PYC, summary, (), _unknown(left, right, clues))
        return Difference("code", NodeKind.PYC, summary, texts.detail, texts.findings)
    if not found:
        # The same values: which of them are written as references depends on how often each was in use.
        findings = _unknown(left, right, clues)
        return Difference("code", NodeKind.PYC, "the same code, written with other references", (), findings)
    detail = [line for change in found[:_MOST] for line in _lines(change)]
    return Difference("code", NodeKind.PYC, _summary(found), tuple(detail), findings)


def _summary(found: list[FieldChange]) -> str:
    fields = sorted({change.where.rpartition(".")[2] for change in found})
    if fields == ["co_filename"]:
        paths = {(change.left.shown(), change.right.shown()) for change in found}
        if len(paths) == 1:
            return f"only the path of the source, co_filename, differs: {' and '.join(next(iter(paths)))}"
        return "only co_filename differs"
    return f"{', '.join(fields)} differ{'s' * (len(fields) == 1)}"


def _unknown(left: bytes, right: bytes, clues: CauseClues) -> tuple[Finding, ...]:
    at = HEADER_SIZE + shared(left[HEADER_SIZE:], right[HEADER_SIZE:])
    return explain(Unexplained(left[at - 8 : at + 24], right[at - 8 : at + 24]), f"offset 0x{at:x}", clues)


def _finding(change: FieldChange, clues: CauseClues) -> tuple[Finding, ...]:
    one, other = change.left, change.right
    left, right = one.content(), other.content()
    seen: Observation = Unexplained(left, right)
    if one.is_set and other.is_set and sorted(one.elements()) == sorted(other.elements()):
        seen = Reordered(left, right)
    elif one.text is not None and other.text is not None:
        seen = TextPair(left, right, is_location=change.where.endswith(".co_filename"))
    return explain(seen, change.where, clues)


def _lines(change: FieldChange) -> tuple[str, str, str]:
    # Escaped, as constants may hold line ends and control characters.
    left, right = (ascii(value.shown())[1:-1] for value in (change.left, change.right))
    return f" {change.where}", f"-{left}", f"+{right}"
