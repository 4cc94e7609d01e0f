"""Texts, line by line: a unified diff, and the causes of what changed in it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import islice
from typing import NamedTuple

from ..allowance import Allowance
from ..causes import variables
from ..causes.cause import CauseClues
from ..causes.table import TOOLCHAIN, UNKNOWN, explain, reduced
from ..excerpts import EXCERPT, shared
from ..members import MemberPair
from ..model import Difference, Finding, NodeKind
from ..observations import LoneLines, Nature, OfNature, Reordered, TextPair, Unexplained

__all__ = ["LARGEST", "NO_NEWLINE", "compare", "is_text", "look"]

LARGEST = 4 << 20
"""Bytes of a text that is held; larger ones are looked at in windows of bytes."""

MOST_HELD = 200_000
"""Lines of a text that is held: each takes ten times its bytes, where it is short."""

MOST_LINES = 10_000
"""How many lines between the first and the last difference are aligned."""

_LINES_AND_LINES = 20_000
"""How many pairs of lines may cost as much, where they are aligned, as one line that is looked at for causes."""

NO_NEWLINE = "\\ No newline at end of file"
"""What follows such a line in a unified diff, as in those of diff and git."""

_SHOWN_LINES = 120
_SHOWN_WIDTH = 300
_CONTEXT = 3
"""Lines around a hunk of a diff."""
_MOST_HUNKS = 400
"""How many hunks are."""
_MOST_EXPLAINED = 3000
"""How many lines of one hunk are looked at for causes."""

_HEAD = 400
"""Bytes in which a generated file says that it is one."""

_BY_PROGRAM = re.compile(rb"generated (?:by|from)|made by GNU Bison|do not (?:edit|modify)", re.IGNORECASE)

_CODE = re.compile(r"\.(?:py|pyi|pyx|pxd|c|cc|cpp|cxx|h|hh|hpp|rs|go|js|ts|f|f90|sh|bat)\Z", re.IGNORECASE)
"""Where the order of lines is the program's."""


class _Hunk(NamedTuple):
    left: Sequence[bytes]
    right: Sequence[bytes]
    line: int
    """In the left text, from 1; in the right one where the left has none."""


def look(member: MemberPair) -> Difference | None:
    """Return how two texts differ, or None if one of the contents is not a text, or too large."""
    held = member.held(LARGEST)
    ends = Nature.GENERATED_LINE_ENDS if _GENERATED.search(member.key) else Nature.LINE_ENDS
    return compare(member.name, *held, member.clues, ends) if held and all(map(is_text, held)) else None


_GENERATED = re.compile(
    r"(?:\A|/)PKG-INFO\Z|\Asetup\.cfg\Z|\.egg-info/[^/]+\Z|\.data/scripts/[^/]+\Z"
    r"|\.dist-info/(?:METADATA|WHEEL|RECORD|(?:entry_points|top_level|namespace_packages)\.txt)\Z"
)
"""The keys of members that backends write; setuptools writes setup.cfg and Python's scripts anew."""


def is_text(data: bytes) -> bool:
    """Return whether *data* is UTF-8 of at most MOST_HELD lines, without control characters that texts do not have."""
    if b"\0" in data or data.count(b"\n") > MOST_HELD:
        return False
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    # Tab, line ends, form feed and escape are in texts: \x1b begins colours.
    return not re.search(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f]", data)


def compare(name: str, left: bytes, right: bytes, clues: CauseClues, ends: Nature = Nature.LINE_ENDS) -> Difference:
    """Return how two different texts differ, the member or field *name*; *ends* is the nature of its line ends."""
    findings: list[Finding] = []
    detail: tuple[str, ...] = ()
    summary = []
    pairs = left.count(b"\r\n"), right.count(b"\r\n")
    # Made alike first, or every line would differ.
    if bool(pairs[0]) != bool(pairs[1]) and b"\n" in left and b"\n" in right:
        findings += explain(_line_ends(left, right, ends), "line ends", clues)
        summary = ["line ends CRLF and LF" if pairs[0] else "line ends LF and CRLF"]
        left, right = left.replace(b"\r\n", b"\n"), right.replace(b"\r\n", b"\n")
    whole = _of_the_whole(left, right, clues)
    if whole is not None:
        findings += explain(whole[0], "the text", clues)
        summary.append("variables of the environment" if whole[0].nature is Nature.VARIABLES else "lines are broken")
        left, right = whole[1:]
    if left != right:
        hunks, detail = _hunks(left.splitlines(keepends=True), right.splitlines(keepends=True), clues.allowance)
        begin = left.rfind(b"\n", 0, shared(left, right)) + 1
        # From the beginning of a line.
        excerpts = left[begin : begin + EXCERPT], right[begin : begin + EXCERPT]
        if left.splitlines() == right.splitlines():
            # The same lines in the same order: they end otherwise, or the last one does not end.
            ended = OfNature(ends, *excerpts) if b"\r" in left + right else Unexplained(*excerpts)
            found = list(explain(ended, f"line {hunks[0].line}", clues))
        else:
            found = list(_explained(name, hunks, excerpts, clues))
        if _is_generated(left) and _is_generated(right) and TOOLCHAIN in {finding.code for finding in found}:
            # Another release of the generator writes other code as well.
            found = [finding for finding in found if finding.code != UNKNOWN]
        findings += reduced(found)
        changed = sum(max(len(hunk.left), len(hunk.right)) for hunk in hunks)
        summary.insert(0, f"{changed} line{'s' * (changed != 1)} differ{'s' * (changed == 1)}")
        if left.endswith(b"\n") != right.endswith(b"\n") and left and right:
            summary.append("one ends without a newline")
    return Difference(name, NodeKind.TEXT, "; ".join(summary), detail, tuple(findings))


def _of_the_whole(left: bytes, right: bytes, clues: CauseClues) -> tuple[OfNature, bytes, bytes] | None:
    """Return what is to be seen only of texts as a whole, and what is left of them to be looked at line by line."""
    excerpts = left[shared(left, right) :][:EXCERPT], right[shared(left, right) :][:EXCERPT]
    rest = variables.masked(left, right, clues.builds)
    if rest is not None:
        return (OfNature(Nature.VARIABLES, *excerpts), *rest)
    widths = [build.columns for build in clues.builds]
    # The same words, on other lines, and on none that is wider than the terminal was.
    is_laid_out = all(widths) and widths[0] != widths[1] and left.split() == right.split()
    if is_laid_out and all(_width(text) <= width for text, width in zip((left, right), widths)):
        return (OfNature(Nature.TERMINAL, *excerpts), b"", b"")
    return None


def _is_generated(text: bytes) -> bool:
    """Return whether a program wrote the text, and says so at its beginning."""
    return bool(_BY_PROGRAM.search(text[:_HEAD]))


def _width(text: bytes) -> int:
    return max(map(len, text.decode("utf-8", "replace").splitlines()), default=0)


def _line_ends(left: bytes, right: bytes, nature: Nature) -> OfNature:
    """Return the first line of each side that ends otherwise than its like."""
    for one, other in zip(left.splitlines(keepends=True), right.splitlines(keepends=True)):
        if one.endswith(b"\r\n") != other.endswith(b"\r\n"):
            return OfNature(nature, one[-80:], other[-80:])
    return OfNature(nature)


def _hunks(left: list[bytes], right: list[bytes], allowance: Allowance) -> tuple[list[_Hunk], tuple[str, ...]]:
    """Return what differs between two lists of lines, and the same as a unified diff."""
    prefix = shared(left, right)
    suffix = min(shared(left[::-1], right[::-1]), len(left) - prefix, len(right) - prefix)
    begin = max(0, prefix - _CONTEXT)
    ends = [len(lines) - max(0, suffix - _CONTEXT) for lines in (left, right)]
    one, other = left[begin : ends[0]], right[begin : ends[1]]
    most = max(len(one), len(other))
    # difflib may take as long as the square of the lines.
    if most > MOST_LINES or not allowance.explain(most * most // _LINES_AND_LINES):
        hunk = _Hunk(left[prefix : len(left) - suffix], right[prefix : len(right) - suffix], prefix + 1)
        return [hunk], ("(too many lines between the first difference and the last for a diff)",)
    # On what lies between, as it takes quadratic time.
    matcher = SequenceMatcher(None, one, other)
    hunks = [
        _Hunk(one[a:b], other[c:d], begin + (a if b > a else c) + 1)
        for tag, a, b, c, d in matcher.get_opcodes()
        if tag != "equal"
    ]
    lines = list(islice(_unified(matcher, one, other, begin), _SHOWN_LINES + 1))
    lines[_SHOWN_LINES:] = ["..."] * (len(lines) > _SHOWN_LINES)
    return hunks, tuple(lines)


def _unified(matcher: SequenceMatcher[bytes], left: list[bytes], right: list[bytes], begin: int) -> Iterator[str]:
    for group in matcher.get_grouped_opcodes(_CONTEXT):
        (_, a, _, c, _), (_, _, b, _, d) = group[0], group[-1]
        yield f"@@ -{begin + a + 1},{b - a} +{begin + c + 1},{d - c} @@"
        for tag, a, b, c, d in group:
            if tag == "equal":
                yield from _marked(" ", left[a:b])
            else:
                yield from _marked("-", left[a:b])
                yield from _marked("+", right[c:d])


def _marked(sign: str, lines: Sequence[bytes]) -> Iterator[str]:
    for line in lines:
        yield sign + _shown(line)
        # Only the last line of a text has none; that may be all that differs.
        if not line.endswith(b"\n"):
            yield NO_NEWLINE


def _shown(line: bytes) -> str:
    # Cut before it is decoded: a line may have megabytes.
    bare = line[:-1] if line.endswith(b"\n") else line
    text = bare[: 4 * _SHOWN_WIDTH].decode("utf-8", "backslashreplace")
    text = "".join(char if char.isprintable() or char == "\t" else ascii(char)[1:-1] for char in text)
    return text if len(text) <= _SHOWN_WIDTH else text[:_SHOWN_WIDTH] + "..."


def _explained(
    name: str, hunks: Sequence[_Hunk], excerpts: tuple[bytes, bytes], clues: CauseClues
) -> Iterator[Finding]:
    gone = [line.rstrip(b"\r\n") for hunk in hunks for line in hunk.left]
    come = [line.rstrip(b"\r\n") for hunk in hunks for line in hunk.right]
    if Counter(gone) == Counter(come):
        # The order of a program's lines has a meaning, unless they are those of a list.
        in_list = all(line.rstrip().endswith((b",", b'"', b"'")) for line in gone)
        sides = [[line.strip(b" \t\"',").decode("utf-8", "replace") for line in lines] for lines in (gone, come)]
        is_program = _CODE.search(name) and not in_list
        seen = Unexplained(*excerpts) if is_program else Reordered(*excerpts, sides[0], sides[1])
        yield from explain(seen, f"from line {hunks[0].line}", clues)
        return
    for number, hunk in enumerate(hunks):
        if number < _MOST_HUNKS and not clues.allowance.is_spent:
            yield from _hunk_findings(name, hunk, clues)
            continue
        rest = Unexplained(b"".join(hunk.left[:2]), b"".join(hunk.right[:2]))
        yield from explain(rest, f"line {hunk.line}", clues)
        return


def _hunk_findings(name: str, hunk: _Hunk, clues: CauseClues) -> Iterator[Finding]:
    # Which line stands for which is known only where there are as many on both sides.
    if len(hunk.left) != len(hunk.right):
        left, right = b"".join(hunk.left), b"".join(hunk.right)
        seen = TextPair(left, right) if left and right else LoneLines(left, right, name)
        yield from explain(seen, f"line {hunk.line}", clues)
        return
    for offset, (one, other) in enumerate(zip(hunk.left, hunk.right)):
        if one != other:
            is_too_far = offset >= _MOST_EXPLAINED or clues.allowance.is_spent
            line = Unexplained(one, other) if is_too_far else TextPair(one, other)
            yield from explain(line, f"line {hunk.line + offset}", clues)
            if is_too_far:
                return
