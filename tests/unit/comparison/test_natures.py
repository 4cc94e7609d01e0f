"""What a member's nature lets a comparison say of it."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import json
import marshal
import re
import struct
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samebytes_tools.comparison import allowance, nearby
from samebytes_tools.comparison.archives import compare_files
from samebytes_tools.comparison.causes.cause import NO_CLUES
from samebytes_tools.comparison.formats import compare_contents, hexwindow, jsontree, nested, pyc, strings, text
from samebytes_tools.comparison.formats.marshalled import changes
from samebytes_tools.comparison.members import MemberPair
from samebytes_tools.comparison.model import Comparison, Difference, NodeKind, Verdict
from samebytes_tools.reporting.columns import columns
from support.cause_pairs import CAUSES, build, inner_zip
from support.tars import member, tar
from support.wheels import FILES, INFO, METADATA, RECORD, members, record_of, write_wheel

from samebytes.archive.entry import Data
from samebytes.artifact.marshal_reader import NotMarshalError
from samebytes.artifact.pyc import HEADER_SIZE, normalized

PYTHON = int.from_bytes(importlib.util.MAGIC_NUMBER[:2], "little")


def compared(tmp_path: Path, name: str, left: bytes, right: bytes) -> tuple[Difference, Comparison]:
    """Compare two wheels with one file, and return the node of that file."""
    for side in ("l", "r"):
        (tmp_path / side).mkdir(exist_ok=True)
    one = write_wheel(tmp_path / "l", members({**FILES, name: left}))
    found = compare_files(one, write_wheel(tmp_path / "r", members({**FILES, name: right})))
    return next(each for each in found.differences if each.name == name), found


def codes(node: Difference) -> set[str]:
    return {finding.code for each in node.walk() for finding in each.findings}


def test_texts_are_a_unified_diff(tmp_path: Path) -> None:
    lines = [b"line %d\n" % number for number in range(40)]
    node, _ = compared(tmp_path, "demo_pkg/a.txt", b"".join(lines), b"".join([*lines[:20], b"new\n", *lines[20:]]))
    assert node.kind is NodeKind.TEXT
    assert node.detail == (
        "@@ -18,6 +18,7 @@",
        " line 17",
        " line 18",
        " line 19",
        "+new",
        " line 20",
        " line 21",
        " line 22",
    )
    assert node.findings[0].evidence.where == "line 21"


LINES = st.lists(st.sampled_from([b"a", b"bc", b"", b'"d",']), min_size=1, max_size=4)
ENDS = st.lists(st.sampled_from([b"\n", b"\r\n"]), min_size=4, max_size=4)


@given(lines=LINES, ends=st.tuples(ENDS, ENDS), is_ended=st.tuples(st.booleans(), st.booleans()))
def test_lines_that_end_otherwise_are_in_no_other_order(
    lines: list[bytes], ends: tuple[list[bytes], list[bytes]], is_ended: tuple[bool, bool]
) -> None:
    """Whatever they end by, and whether the last one ends at all."""
    sides = [b"".join(line + end for line, end in zip(lines, one)) for one in ends]
    left, right = (side if keep else side.rstrip(b"\r\n") for side, keep in zip(sides, is_ended))
    if left != right:
        assert codes(text.compare("a.txt", left, right, NO_CLUES)) <= {"D014", "D099"}


def test_a_newline_that_is_missing_at_the_end_is_shown() -> None:
    node = text.compare("a.txt", b"one\ntwo", b"one\ntwo\n", NO_CLUES)
    assert node.summary == "1 line differs; one ends without a newline"
    assert node.detail == ("@@ -1,2 +1,2 @@", " one", "-two", text.NO_NEWLINE, "+two")
    assert [tuple("".join(side or ()) for side in (row.left, row.right)) for row in columns(node)[2:3]] == [
        (f"two  {text.NO_NEWLINE}", "two")
    ]
    both = text.compare("a.txt", b"one\ntwo", b"1\ntwo", NO_CLUES)
    assert both.detail == ("@@ -1,2 +1,2 @@", "-one", "+1", " two", text.NO_NEWLINE)
    assert both.summary == "1 line differs"


def test_a_diff_is_bounded(tmp_path: Path) -> None:
    left = b"".join(b"%d\n" % number for number in range(30_000))
    node, _ = compared(tmp_path, "demo_pkg/a.txt", left, left.replace(b"9", b"nine"))
    assert len(node.detail) < 200
    assert len(node.findings) <= 10


def test_long_lines_are_cut_but_compared_throughout() -> None:
    left = b"word " * 5000 + b"2026-11-20\n"
    node = text.compare("a", left, left.replace(b"-20", b"-21"), NO_CLUES)
    assert all(len(line) < 400 for line in node.detail)
    assert codes(node) == {"D005"}


def test_control_characters_are_no_text_and_do_not_reach_terminals() -> None:
    assert not text.is_text(b"\x07")
    assert text.is_text("naïve\t\n\x1b[0m".encode())
    node = text.compare("a", b"\x1b[31m\n", b"\x1b[32m\n", NO_CLUES)
    assert not any("\x1b" in line for line in node.detail)


def test_metadata_is_shown_by_fields(tmp_path: Path) -> None:
    left = METADATA + b"Author: A\nRequires-Dist: x\nRequires-Dist: y\n\nbody\n"
    right = METADATA + b"Author: B\nRequires-Dist: y\nRequires-Dist: x\nLicense: MIT\n\nbody 2\n"
    node, _ = compared(tmp_path, f"{INFO}/METADATA", left, right)
    assert node.kind is NodeKind.METADATA
    assert [(each.name, each.kind) for each in node.children] == [
        ("Author", NodeKind.METADATA),
        ("Requires-Dist", NodeKind.METADATA),
        ("License", NodeKind.MISSING),
        ("description", NodeKind.TEXT),
    ]
    assert [sorted(codes(each)) for each in node.children] == [["D099"], ["D008"], ["D099"], ["D099"]]


def test_the_order_of_fields_is_the_pass_s_matter(tmp_path: Path) -> None:
    left = METADATA + b"License: MIT\n"
    right = METADATA.replace(b"Version: 1.0\n", b"License: MIT\nVersion: 1.0\n")
    node, found = compared(tmp_path, f"{INFO}/METADATA", left, right)
    assert found.verdict.value == "same after normalization"
    assert node.passes == ("W002",)
    assert codes(node) == {"D015"}


def test_record_is_shown_by_rows(tmp_path: Path) -> None:
    for side in ("l", "r"):
        (tmp_path / side).mkdir()
    backwards = record_of(dict(list(FILES.items())[::-1]))
    one, other = write_wheel(tmp_path / "l"), write_wheel(tmp_path / "r", members(record=backwards))
    (node,) = compare_files(one, other).differences
    assert (node.name, node.kind, node.passes) == (RECORD, NodeKind.RECORD, ("W010",))
    assert codes(node) == {"D009"}
    ends = write_wheel(tmp_path / "r", members(record=record_of(FILES).replace(b"\n", b"\r\n")))
    (node,) = compare_files(one, ends).differences
    assert codes(node) == {"D036"}


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        (f"{INFO}/METADATA", "D036"),
        (f"{INFO}/entry_points.txt", "D036"),
        ("demo_pkg-1.0.data/scripts/run", "D036"),
        ("setup.cfg", "D036"),
        ("demo_pkg/setup.cfg", "D014"),
        ("demo_pkg/text.txt", "D014"),
    ],
)
def test_the_line_ends_of_what_backends_write_are_not_the_checkout_s(name: str, cause: str, tmp_path: Path) -> None:
    """In METADATA, those of the description: the fields' are in the canonical form."""
    head = METADATA + b"\n" if name.endswith("METADATA") else b""
    node, _ = compared(tmp_path, name, head + b"[a]\nb = c\n", head + b"[a]\r\nb = c\r\n")
    assert codes(node) == {cause}


def test_compiled_modules_are_shown_by_header_and_code(tmp_path: Path) -> None:
    pairs = {pair.name: pair for pair in CAUSES}
    found = compare_files(*build(pairs["path in a compiled module"], tmp_path / "1"))
    (node,) = [each for each in found.differences if each.kind is NodeKind.PYC]
    assert [each.name for each in node.children] == ["code"]
    assert node.children[0].summary == (
        "only the path of the source, co_filename, differs: /opt/a/demo.py and /srv/build/b/demo.py"
    )
    found = compare_files(*build(pairs["time in a compiled module"], tmp_path / "2"))
    (node,) = [each for each in found.differences if each.kind is NodeKind.PYC]
    assert [each.name for each in node.children] == ["header"]
    assert node.passes == ("P001", "P002")
    assert found.verdict.value == "same after normalization"


def test_a_module_whose_source_differs_follows_it(tmp_path: Path) -> None:
    import py_compile

    for side, source in (("l", "X = 1\n"), ("r", "X = 2\n")):
        (tmp_path / side).mkdir()
        (tmp_path / side / "demo.py").write_text(source)
        py_compile.compile(
            str(tmp_path / side / "demo.py"),
            str(tmp_path / side / "demo.pyc"),
            "demo.py",
            invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH,
        )
    files = [
        {f"demo_pkg/{name}": (tmp_path / side / name).read_bytes() for name in ("demo.py", "demo.pyc")}
        for side in ("l", "r")
    ]
    sides = [write_wheel(tmp_path / side, members({**FILES, **held})) for side, held in zip(("l", "r"), files)]
    node = next(each for each in compare_files(*sides).differences if each.kind is NodeKind.PYC)
    assert node.summary.startswith("follows from demo_pkg/demo.py")
    assert codes(node) == set()


CODE = compile("def f(a, *, b=(1, 2)):\n    return {'x': a, **b}\n", "/a/b.py", "exec")


def with_constants(*values: object) -> bytes:
    return marshal.dumps(CODE.replace(co_consts=values))


def differing(left: bytes, right: bytes) -> list[tuple[str, str, str]]:
    return [(each.where, each.left.shown(), each.right.shown()) for each in changes(left, right, PYTHON)]


VALUES = [
    (None, "None"),
    (True, "True"),
    (..., "Ellipsis"),
    (1, "int 1"),
    (-2, "int -2"),
    (2**70 + 3, f"int {2**70 + 3}"),
    (-(10**50), f"int -{10**50}"),
    (1.5, "000000000000f83f"),
    (2j, "00000000000000000000000000000040"),
    ("é", "é"),
    ("a" * 300, "a" * 200),
    (b"xy", "78 79"),
    ((1, (2,)), "(int 1, (int 2))"),
    (frozenset({1}), "{int 1}"),
    (tuple(range(100)), "(" + ", ".join(f"int {n}" for n in range(20)) + ")"),
]


def test_a_header_that_contradicts_the_source_in_the_archive_is_unexplained(tmp_path: Path) -> None:
    """The source is the same on both sides, and the right header has the size of another."""
    code = marshal.dumps(CODE)
    sides = []
    for side, size in (("l", 7), ("r", 8)):
        header = importlib.util.MAGIC_NUMBER + bytes(4) + struct.pack("<II", 1_700_000_000, size)
        (tmp_path / side).mkdir()
        files = {**FILES, "demo_pkg/demo.py": b"X = 22\n", "demo_pkg/demo.pyc": header + code}
        sides.append(write_wheel(tmp_path / side, members(files)))
    found = compare_files(*sides)
    assert found.causes == ("D099",)
    (node,) = [each for each in found.differences if each.kind is NodeKind.PYC]
    assert [each.summary for each in node.children] == ["made from another source"]


@pytest.mark.parametrize(("value", "shown"), VALUES, ids=[shown[:20] for _, shown in VALUES])
def test_values_that_differ_are_shown(value: object, shown: str) -> None:
    assert differing(with_constants(value, "same"), with_constants("other", "same")) == [
        ("<module>.co_consts", shown, "other")
    ]
    assert differing(with_constants(value), with_constants(value)) == []


def test_only_what_differs_is_named_with_the_code_that_it_is_in() -> None:
    changed = CODE.replace(co_filename="/c.py", co_firstlineno=7)
    assert differing(marshal.dumps(CODE), marshal.dumps(changed)) == [
        ("<module>.co_filename", "/a/b.py", "/c.py"),
        ("<module>.co_firstlineno", f"int {CODE.co_firstlineno}", "int 7"),
    ]
    inner = next(value for value in CODE.co_consts if hasattr(value, "co_name"))
    # Both are replaced, for Python 3.14 forgets of what is replaced which variables are arguments.
    (change,) = differing(with_constants(inner.replace()), with_constants(inner.replace(co_stacksize=99)))
    assert change == ("<module>.co_consts/f.co_stacksize", f"int {inner.co_stacksize}", "int 99")


def test_how_often_a_value_is_referred_to_is_no_difference() -> None:
    text, other = "two words", "".join(["two", " words"])
    nan = float("nan")
    one = with_constants(text, (text, nan), frozenset({text, nan}))
    two = with_constants(other, (text, float("nan")), frozenset({text, nan}))
    assert one != two
    assert differing(one, two) == []


def marshalled(*values: bytes) -> bytes:
    """Return a code object with these constants, already marshalled; their references count from the first of them."""
    code = marshal.dumps(compile("x = 1", "f", "exec").replace(co_consts=("(here)",)))
    # In the one form nothing before the constants is referable.
    code = normalized(importlib.util.MAGIC_NUMBER + bytes(12) + code)[HEADER_SIZE:]
    before, after = code.split(b")\x01z\x06(here)")
    return before + b"(" + len(values).to_bytes(4, "little") + b"".join(values) + after


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"i\x01",
        b"?",
        b"r\x09\0\0\0",
        b"(\xff\xff\xff\x7f",
        b"(\xff\xff\xff\xff",
        b"s\xff\xff\xff\xff",
        b"l\x00\x00\x00\x80",
        b")\x01" * 5000 + b"N",
        b"NN",
        b"u\x01\0\0\0\xff",
    ],
)
def test_what_is_no_marshalled_code_is_refused(value: bytes) -> None:
    whole = marshalled(b"N")
    assert differing(whole, marshalled(b"T")) == [("<module>.co_consts", "None", "True")]
    for broken in (value, marshalled(value)):
        for sides in ((broken, whole), (whole, broken)):
            with pytest.raises(NotMarshalError):
                changes(*sides, PYTHON)


def tower(inmost: bytes, floors: int) -> list[bytes]:
    """Return constants each of which holds the one before twice: the last holds 2**floors values."""
    return [
        b"\xa9\x01" + inmost,
        *(b"\xa9\x02" + 2 * (b"r" + floor.to_bytes(4, "little")) for floor in range(floors)),
    ]


def test_values_that_refer_to_one_another_do_not_grow_without_bound() -> None:
    one, other = tower(b"N", 60), tower(b"T", 60)
    assert differing(marshalled(*one), marshalled(*one)) == []
    with pytest.raises(NotMarshalError, match="too often"):
        changes(marshalled(*one), marshalled(*other), PYTHON)
    ((_, left, right),) = differing(marshalled(*one), marshalled(*one[:-1], b"T"))
    assert len(left) < 5000
    assert right == "True"


def test_deeply_nested_values_and_huge_numbers_are_shown_in_part() -> None:
    deep = [b")\x01" * 1900 + last for last in (b"N", b"T")]
    assert differing(*map(marshalled, deep)) == [("<module>.co_consts", "None", "True")]
    ((_, left, right),) = differing(marshalled(deep[0]), marshalled(b"T"))
    assert (left, right) == ("(" * 200 + "...", "True")
    huge = b"l" + (50_000).to_bytes(4, "little") + b"\x01\x00" * 50_000
    ((_, left, right),) = differing(marshalled(huge), marshalled(b"T"))
    assert len(left) == 120


def test_a_damaged_module_falls_back_to_its_texts() -> None:
    head = importlib.util.MAGIC_NUMBER + bytes(12)
    node = pyc.compare("a.pyc", head + b"\xe3\0/home/ada/src/a.py", head + b"\xe3\0/srv/other/src/a.py", NO_CLUES)
    assert node is not None
    assert "cannot be read" in node.children[0].summary
    assert codes(node) == {"D001"}
    assert pyc.compare("a.pyc", b"text", b"other", NO_CLUES) is None


def test_elf_files_are_shown_by_sections(tmp_path: Path) -> None:
    pair = next(pair for pair in CAUSES if pair.name == "path by __FILE__ and debug information")
    found = compare_files(*build(pair, tmp_path))
    (node,) = [each for each in found.differences if each.kind is NodeKind.ELF]
    by_name = {each.name: each for each in node.children}
    assert {".rodata", ".debug_line_str", ".note.gnu.build-id"} <= set(by_name)
    assert by_name[".note.gnu.build-id"].summary == "follows from other sections"
    assert by_name[".rodata"].findings[0].evidence.left.startswith(b"/opt/one/src")
    assert found.notes == ()


def test_a_damaged_elf_file_falls_back(tmp_path: Path) -> None:
    node, _ = compared(tmp_path, "demo_pkg/a.so", b"\x7fELF\x02\x01" + bytes(200), b"\x7fELF\x02\x01" + b"\xff" * 200)
    assert node.kind is NodeKind.HEX
    assert codes(node) == {"D099"}


def test_json_is_shown_by_the_path_of_keys(tmp_path: Path) -> None:
    left = {"a": {"b": [1, 2, {"c": "x"}]}, "only": 1, "list": ["p", "q"], "when": "2026-11-20"}
    right = {"a": {"b": [1, 2, {"c": "y"}]}, "list": ["q", "p"], "when": "2026-11-21"}
    node, _ = compared(tmp_path, "demo_pkg/a.json", json.dumps(left).encode(), json.dumps(right).encode())
    assert node.kind is NodeKind.JSON
    assert {each.name: sorted(codes(each)) for each in node.children} == {
        "a.b[2].c": ["D099"],
        "only": ["D099"],
        "list": ["D008"],
        "when": ["D005"],
    }


def test_json_of_another_layout_is_a_text(tmp_path: Path) -> None:
    node, _ = compared(tmp_path, "demo_pkg/a.json", b'{"a": 1}\n', b'{\n"a": 1}\n')
    assert node.kind is NodeKind.TEXT
    assert jsontree.compare("a", b"[" * 100_000, b"[1", NO_CLUES) is None


def test_archives_in_archives_are_looked_into(tmp_path: Path) -> None:
    moment = (2026, 11, 20, 10, 11, 12)
    inner = [
        inner_zip({"deep.txt": b"at /home/ada/w/src/a.c\n" if side else b"at /srv/b/src/a.c\n"}, moment)
        for side in (0, 1)
    ]
    outer = [gzip.compress(inner_zip({"inner.zip": data}, moment), mtime=0) for data in inner]
    node, found = compared(tmp_path, "demo_pkg/data.zip.gz", *outer)
    names = [each.name for each in node.walk()]
    assert names == ["demo_pkg/data.zip.gz", "demo_pkg/data.zip", "inner.zip", "deep.txt"]
    assert found.causes == ("D001",)


def test_archives_in_archives_are_bounded(tmp_path: Path) -> None:
    moment = (2026, 11, 20, 10, 11, 12)
    sides = [b"one 2026-11-20", b"two 2026-11-21"]
    for _ in range(nested.DEEPEST + 2):
        sides = [inner_zip({"a.zip": data}, moment) for data in sides]
    _, found = compared(tmp_path, "demo_pkg/a.zip", *sides)
    assert any("too deep" in note for note in found.notes)


def test_a_hostile_archive_in_an_archive_is_noted_and_compared_as_bytes(tmp_path: Path) -> None:
    sides = [inner_zip({"../escape": data}, (2026, 11, 20, 10, 11, 12)) for data in (b"a", b"b")]
    node, found = compared(tmp_path, "demo_pkg/a.zip", *sides)
    assert node.kind in (NodeKind.HEX, NodeKind.STRINGS)
    assert any("not looked into" in note and ".." in note for note in found.notes)


@pytest.mark.parametrize("kind", ["zip", "gz", "tar.gz"])
def test_archives_in_archives_may_unpack_to_so_much_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """The first of two is looked into, and the second is not, whatever they are; that they differ is found anyhow."""
    monkeypatch.setattr(allowance, "NESTED", 3 * 300_000 if kind != "tar.gz" else 5 * 300_000)
    made = {"zip": _zipped, "gz": gzip.compress, "tar.gz": lambda data: gzip.compress(tar(member(b"t/a", data)))}[kind]
    sides = [{f"demo_pkg/{name}.{kind}": made(bytes(300_000) + side) for name in "ab"} for side in (b"1", b"2")]
    wheels = []
    for number, files in enumerate(sides):
        (tmp_path / str(number)).mkdir()
        wheels.append(write_wheel(tmp_path / str(number), members({**FILES, **files})))
    found = compare_files(*wheels)
    assert found.verdict is Verdict.DIFFERENT
    first, second = (each for each in found.differences if each.name.startswith("demo_pkg/"))
    assert first.kind is NodeKind.ARCHIVE
    assert second.kind is not NodeKind.ARCHIVE
    assert any(note.startswith(f"demo_pkg/b.{kind}: not looked into: ") for note in found.notes)


def _zipped(data: bytes) -> bytes:
    return inner_zip({"a": data}, (2026, 11, 20, 10, 11, 12))


def test_so_many_texts_are_looked_at_for_causes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those beyond are unknown, and the report says so; the verdict is as it was."""
    sides = [{f"demo_pkg/{name}.txt": b"at 2026-11-2%d 10:11:12\n" % side * 30 for name in "abc"} for side in (0, 1)]
    wheels = []
    for number, files in enumerate(sides):
        (tmp_path / str(number)).mkdir()
        wheels.append(write_wheel(tmp_path / str(number), members({**FILES, **files})))
    whole = compare_files(*wheels)
    assert whole.notes == ()
    monkeypatch.setattr(allowance, "EXPLAINED", 40)
    monkeypatch.setattr(allowance, "EXPLAINED_FOR", 1 << 20)
    found = compare_files(*wheels)
    assert found.verdict is whole.verdict
    assert [each.name for each in found.differences] == [each.name for each in whole.differences]
    assert found.notes == (
        "more texts differ than the 40 that are looked at for causes: those of the rest are unknown",
    )
    texts = [each for each in found.differences if each.name.startswith("demo_pkg/")]
    assert [codes(each) for each in texts] == [codes(whole.differences[0]), codes(texts[1]), {"D099"}]
    assert "D099" in codes(texts[1])
    assert texts[2].kind is NodeKind.HEX


def test_letters_without_a_digit_take_no_square_of_time() -> None:
    """What stands for numbers in a text is searched for from each run's start only: else this takes minutes."""
    texts = [b"ABCDEF" * 650 + b" 7 %d" % number for number in range(300)]
    begin = time.process_time()
    assert strings.compare_lists("a", texts, [text + b"8" for text in texts], "", NO_CLUES) is not None
    assert time.process_time() - begin < 15


class _Once:
    """Contents that cost much to be read."""

    def __init__(self, data: bytes) -> None:
        self.size = len(data)
        self.reads = 0
        self._data = data

    def chunks(self):
        self.reads += len(self._data) > 100
        yield from (self._data[at : at + 1000] for at in range(0, self.size, 1000))


@pytest.mark.parametrize("held", [10, 1 << 20])
@pytest.mark.parametrize(
    "begin",
    [b"\x7fELF\2\1\1", b"PK\x03\x04", b"\x1f\x8b\x08\0", b"some text\n", b"\0\xff", b'{"a": 1', b"\x6f\x0d\r\n"],
)
def test_what_is_looked_at_is_unpacked_once(monkeypatch: pytest.MonkeyPatch, held: int, begin: bytes) -> None:
    monkeypatch.setattr(nearby, "HELD", held)
    for key in ("a.bin", "a.json", "__pycache__/a.pyc", "*.dist-info/METADATA"):
        one, other = (_Once(begin + b"\0text of five\0" * 4000 + end) for end in (b"1", b"23"))
        compare_contents(MemberPair(key, key, one, other, NO_CLUES, lambda _: None))
        assert (one.reads, other.reads) == (1, 1), key


def test_a_compressed_file_of_another_compressor(tmp_path: Path) -> None:
    data = b"".join(b"%d of %d\n" % (number * 7919 % 997, number) for number in range(3000))
    node, found = compared(tmp_path, "demo_pkg/a.gz", gzip.compress(data, 1, mtime=0), gzip.compress(data, 9, mtime=0))
    assert node.kind is NodeKind.ARCHIVE
    assert found.causes == ("D013",)


def test_bytes_are_a_window_at_the_first_difference() -> None:
    left = bytes(range(256)) * 8000
    right = left[:1_500_003] + b"!" + left[1_500_004:]
    node = hexwindow.compare("a.bin", Data(left), Data(right))
    assert node.summary == "bytes differ from offset 0x16e363 on"
    assert node.detail[0].startswith("-0016e360  6061 6263 ")
    assert node.detail[4].startswith("+0016e360  6061 6221 ")
    shorter = hexwindow.compare("a.bin", Data(left[:100]), Data(left))
    assert shorter.summary.startswith("100 and 2048000 bytes")


class _Pieces:
    """Contents that come in small pieces, so that texts are cut."""

    def __init__(self, data: bytes, size: int) -> None:
        self._data, self._step = data, size
        self.size = len(data)

    def chunks(self):
        return (self._data[at : at + self._step] for at in range(0, self.size, self._step))


@pytest.mark.parametrize("step", [1, 2, 7, 64])
def test_texts_in_binaries_are_found_however_they_are_read(step: int) -> None:
    data = b"\0\1/home/ada/src/x.c\0\xff\xfeBUILT Nov 20 2026\0abc\0" + b"wording" * 3
    expected = [b"/home/ada/src/x.c", b"BUILT Nov 20 2026", b"wordingwordingwording"]
    (read,) = strings.read(_Pieces(data, step))
    assert read.found == strings.of(data) == expected
    assert read.beside == hashlib.sha256(strings.beside(data)).digest()


@given(
    st.lists(
        st.sampled_from([b"\0", b"\t", b"word", b"/", b"%", b"\xc3", b"\xc3\xa9", b"\xff", b"a" * 4100]), max_size=60
    )
)
def test_texts_are_runs_of_printable_bytes(parts: list[bytes]) -> None:
    """As a regular expression finds them."""
    data = b"".join(parts)
    runs = re.findall(rb"[\t\x20-\x7e\x80-\xf4]{%d,%d}" % (strings.SHORTEST, strings.LONGEST), data)
    usual = re.compile(rb"[A-Za-z0-9 /._\-:+=,\x80-\xf4]")
    texts = [run for run in runs if 4 * len(usual.sub(b"", run)) <= len(run) and run == _as_utf8(run)]
    assert [data[begin:end] for begin, end in strings.places(data)] == texts


def _as_utf8(data: bytes) -> bytes:
    return data.decode("utf-8", "ignore").encode()


@given(st.lists(st.sampled_from([b"\0\0", b"\1", b"a text", b"b text"]), min_size=2, max_size=40), st.integers(1, 9))
def test_both_sides_are_read_as_each_alone(parts: list[bytes], step: int) -> None:
    both = [_Pieces(b"".join(parts[n:] + parts[:n]), step) for n in (0, 1)]
    assert strings.read(*both) == (*strings.read(both[0]), *strings.read(both[1]))


def test_a_huge_member_is_streamed() -> None:
    left = Data(b"\0" * (strings.SHORTEST << 20) + b"a")
    right = Data(b"\0" * (strings.SHORTEST << 20) + b"b")
    found = compare_contents(MemberPair("a.bin", "a.bin", left, right, NO_CLUES, lambda _: None))
    assert found.kind is NodeKind.HEX


def test_causes_of_texts_do_not_hide_what_is_beside_them() -> None:
    """A path in a binary that is no ELF file, with and without a byte more that differs."""
    both = [
        b"\x01\x02\0%s\0\0\x03%s" % (path, more) for path, more in ((b"/home/ada/x/a.c", b"\4"), (b"/srv/y/a.c", b"\4"))
    ]
    one, other = (Data(data) for data in both)
    found = compare_contents(MemberPair("a.pyd", "a.pyd", one, other, NO_CLUES, lambda _: None))
    assert codes(found) == {"D001"}
    changed = Data(both[1][:-1] + b"\5")
    found = compare_contents(MemberPair("a.pyd", "a.pyd", one, changed, NO_CLUES, lambda _: None))
    assert codes(found) == {"D001", "D099"}


def test_texts_that_are_too_many_are_not_taken_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strings, "MOST", 3)
    rest = b"".join(b"\0text %d" % number for number in range(10))
    one, other = Data(b"\0/home/ada/x/a.c" + rest), Data(b"\0/srv/y/a.c" + rest)
    found = compare_contents(MemberPair("a.bin", "a.bin", one, other, NO_CLUES, lambda _: None))
    assert codes(found) == {"D001", "D099"}
