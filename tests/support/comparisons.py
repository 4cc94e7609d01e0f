"""Comparisons made by hand: ordinary ones, and some whose archives mean harm to whoever looks at a report."""

from __future__ import annotations

from samebytes_tools.comparison.model import (
    ComparedFile,
    Comparison,
    Difference,
    Evidence,
    Finding,
    NodeKind,
    Verdict,
)

from samebytes.artifact.layout import ArtifactKind

WHEEL = "demo-1.0-cp311-cp311-linux_x86_64.whl"

HOSTILE = "<script>alert('x')</script>\"&\x1b[31m\x07\r\n\x00\u202egnp.exe\u2066\udcff"
"""Markup, quotes, a terminal's control sequence, line breaks, directional marks, and a byte that is not UTF-8."""


def side(path: str = f"a/{WHEEL}", digit: str = "a", size: int = 12345) -> ComparedFile:
    return ComparedFile(path, digit * 64, size)


def identical() -> Comparison:
    return Comparison(side(), side(f"b/{WHEEL}"), ArtifactKind.WHEEL, Verdict.IDENTICAL)


def finding(code: str, left: bytes, right: bytes, where: str = "") -> Finding:
    return Finding(code, Evidence(where, left, right))


def different(
    *differences: Difference, verdict: Verdict = Verdict.DIFFERENT, notes: tuple[str, ...] = ()
) -> Comparison:
    return Comparison(side(), side(f"b/{WHEEL}", "b", 12400), ArtifactKind.WHEEL, verdict, differences, notes)


CONTAINER = (
    Difference(
        "member-order",
        NodeKind.CONTAINER,
        "the members' order differs from position 1 on",
        findings=(finding("D009", b"demo/__init__.py", b"demo/tool.py", "position 1"),),
        passes=("Z001",),
    ),
    Difference(
        "member-times",
        NodeKind.CONTAINER,
        "12 members have other times",
        findings=(finding("D011", b"2026-11-20T10:00:00", b"2026-11-21T10:00:00", "demo/__init__.py"),),
        passes=("Z002",),
    ),
)

TEXT = Difference(
    "demo/_build.py",
    NodeKind.MEMBER,
    "1 of 3 lines differs",
    passes=(),
    children=(
        Difference(
            "lines",
            NodeKind.TEXT,
            "1 line differs",
            detail=(
                "--- A",
                "+++ B",
                "@@ -1,3 +1,3 @@",
                " import os",
                "-ROOT = '/tmp/one/src'",
                "+ROOT = '/b/two/src'",
                " x",
            ),
            findings=(finding("D001", b"ROOT = '/tmp/one/src'\n", b"ROOT = '/b/two/src'\n", "line 2"),),
        ),
    ),
)

ELF = Difference(
    "demo/_native.cpython-311-x86_64-linux-gnu.so",
    NodeKind.MEMBER,
    "2 of 31 sections differ",
    children=(
        Difference(
            ".debug_line_str",
            NodeKind.ELF,
            "other strings",
            findings=(finding("D001", b"/home/alice/demo/native.c", b"/builds/worker-7/demo/native.c", "offset 0x10"),),
        ),
        Difference(
            ".note.gnu.build-id",
            NodeKind.ELF,
            "other bytes",
            detail=(
                "A 00000010  de ad be ef 01 02 03 04  |........|",
                "B 00000010  fe ed fa ce 01 02 03 04  |........|",
            ),
            findings=(finding("D017", b"\xde\xad\xbe\xef\x01", b"\xfe\xed\xfa\xce\x01", "offset 0x10"),),
        ),
    ),
)

METADATA = Difference(
    "demo-1.0.dist-info/WHEEL",
    NodeKind.MEMBER,
    "1 field differs",
    children=(
        Difference(
            "Generator",
            NodeKind.METADATA,
            "other value",
            findings=(finding("D015", b"setuptools (80.9.0)", b"setuptools (84.2.1)", "field Generator"),),
        ),
    ),
)

GONE = Difference("demo/stale.py", NodeKind.MISSING, "only on the left side")


def ordinary() -> Comparison:
    """A wheel that differs in most ways."""
    return different(*CONTAINER, TEXT, ELF, METADATA, GONE, notes=("pip install 'samebytes[compare]' to see sections",))


def hostile() -> Comparison:
    """A comparison in which every text and every byte means harm."""
    raw = HOSTILE.encode("utf-8", "surrogateescape")
    evil = Difference(
        HOSTILE,
        NodeKind.TEXT,
        HOSTILE,
        (f"-{HOSTILE}", f"+{HOSTILE}", HOSTILE),
        (finding("D099", raw, raw[1:], HOSTILE),),
    )
    parent = Difference(HOSTILE, NodeKind.MEMBER, HOSTILE, children=(evil,))
    sides = (ComparedFile(f"a/{HOSTILE}", "a" * 64, 1), ComparedFile(f"b/{HOSTILE}", "b" * 64, 2))
    return Comparison(*sides, ArtifactKind.WHEEL, Verdict.DIFFERENT, (parent,), (HOSTILE,))


def crowded(members: int = 60, parts: int = 30, lines: int = 40) -> Comparison:
    """More than a terminal should show."""
    part = Difference(
        "part", NodeKind.TEXT, "many", tuple(f"-line {n}" for n in range(lines)), TEXT.children[0].findings * 9
    )
    return different(
        *(Difference(f"demo/m{n}.py", NodeKind.MEMBER, "many", children=(part,) * parts) for n in range(members))
    )
