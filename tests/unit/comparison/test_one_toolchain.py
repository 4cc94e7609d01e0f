"""Wheels of one release that other toolchains made: one difference for that."""

from __future__ import annotations

import io
import re
import struct
from pathlib import Path

import pytest
from samebytes_tools.comparison.allowance import Allowance
from samebytes_tools.comparison.archives import compare_files
from samebytes_tools.comparison.causes.cause import CauseClues
from samebytes_tools.comparison.causes.table import by_code, codes
from samebytes_tools.comparison.causes.toolchain import TOOLCHAIN_VERSION
from samebytes_tools.comparison.formats.elf import _CYTHON, _parsed
from samebytes_tools.comparison.model import UNKNOWN_BUILD, Difference, Evidence, Finding, KnownBuild, NodeKind, Verdict
from samebytes_tools.comparison.observations import FieldValues, Libraries, SearchPaths
from samebytes_tools.comparison.one_toolchain import _made_by, _patched
from support.cause_pairs import CAUSES, CONTROLS, GCC_10, Maker, Pair, build, compiled, files, tagged

CODE = TOOLCHAIN_VERSION.code


def differences(name: str, tmp_path: Path) -> dict[str, Difference]:
    (pair,) = [each for each in (*CAUSES, *CONTROLS) if each.name == name]
    found = compare_files(*build(pair, tmp_path))
    assert found.verdict is Verdict.DIFFERENT
    return {node.name: node for node in found.differences}


def found_in(node: Difference) -> set[str]:
    return {finding.code for each in node.walk() for finding in each.findings}


@pytest.mark.parametrize(
    ("name", "summary"),
    [
        (
            "another compiler and its repair",
            r"Python files and metadata identical; 1 of 1 compiled module differs: "
            r"GCC \d+[.\d]* against GCC 10\.2\.1 and GCC 4\.8\.5",
        ),
        (
            "two images, each with its compiler and its copies of libraries",
            r"Python files and metadata identical; 1 of 1 .*: GCC \d+[.\d]* against clang 14\.0\.6",
        ),
        (
            "another C library",
            r"Python files and metadata identical; 1 of 1 .*: glibc and GCC \S+ against musl and GCC 13.2.1",
        ),
        ("a Python file beside another compiler", r"metadata identical, Python files not; 1 of 1 compiled module .*"),
    ],
)
def test_one_line_says_what_is_the_same_and_who_made_what_is_not(name: str, summary: str, tmp_path: Path) -> None:
    found = differences(name, tmp_path)
    assert re.fullmatch(summary, found["toolchain"].summary)
    assert found_in(found["toolchain"]) == {CODE}
    assert [name for name, node in found.items() if CODE in found_in(node)] == ["toolchain"]


def test_what_shows_the_source_is_found_in_the_module(tmp_path: Path) -> None:
    found = differences("a text beside another compiler", tmp_path)
    (text,) = [node for node in found["demo_pkg/show.so"].children if node.findings]
    assert text.name == "texts and functions of Python"
    assert text.detail == ("+forever",)


def test_there_is_none_where_one_compiler_made_both(tmp_path: Path) -> None:
    for number, name in enumerate(("code of an extension", "search path of the interpreter")):
        assert "toolchain" not in differences(name, tmp_path / str(number))


@pytest.mark.parametrize(
    ("left", "right", "shown"),
    [
        (
            "GCC: (GNU) 10.2.1 20210130 (Red Hat 10.2.1-11)",
            "GCC: (Debian 12.2.0-14) 12.2.0",
            ("GCC 10.2.1", "GCC 12.2.0"),
        ),
        ("GCC: (crosstool-NG 1.23.0.449-a04d0) 7.3.0", "clang version 15.0.7 (Fedora)", ("GCC 7.3.0", "clang 15.0.7")),
        ("rustc version 1.70.0 (90c541806 2023-05-31)", "Linker: LLD 16.0.6", ("rustc 1.70.0", "LLD 16.0.6")),
        ("Cython 3.0.6", "Cython 3.1.2", ("Cython 3.0.6", "Cython 3.1.2")),
        (
            "GCC: (Debian 12.2.0-14) 12.2.0",
            "GCC: (GNU) 12.2.0",
            ("GCC: (Debian 12.2.0-14) 12.2.0", "GCC: (GNU) 12.2.0"),
        ),
        ("something else", "", ("something else", "nothing")),
    ],
)
def test_compilers_are_shown_by_name_and_release(left: str, right: str, shown: tuple[str, str]) -> None:
    assert _made_by([Evidence("section .comment", left.encode(), right.encode())]) == shown


@pytest.mark.parametrize(
    ("path", "is_interpreter"),
    [
        ("/root/.pyenv/versions/3.11.7/lib", True),
        ("/opt/python/cp311-cp311/lib", True),
        ("/opt/_internal/cpython-3.11.7/lib", True),
        ("/opt/hostedtoolcache/Python/3.12.1/x64/lib", True),
        ("/home/ada/.local/share/uv/python/cpython-3.12.1-linux-x86_64-gnu/lib", True),
        ("/home/ada/miniconda3/envs/demo/lib", True),
        ("/usr/local/lib", True),
        ("/home/ada/src/demo/lib", False),
        ("/tmp/build-env-abcdefgh/lib", False),
        ("/opt/pythons/3.11/lib", False),
    ],
)
def test_the_search_path_of_an_interpreter_is_no_build_path(path: str, is_interpreter: bool) -> None:
    for sides in ((), (path,)), ((path,), ("$ORIGIN/../demo.libs",)), ((path,), ("/opt/python/cp39-cp39/lib",)):
        seen = SearchPaths(b"RUNPATH a", b"RUNPATH b", sides)
        assert (codes(seen) == (CODE,)) == is_interpreter, sides


def test_the_search_path_of_the_interpreter_that_is_known_is_no_build_path() -> None:
    build = KnownBuild(("/home/ada/src", "/srv/snakes"), interpreter="/srv/snakes")
    clues = CauseClues((UNKNOWN_BUILD, build))

    def shown(path: str) -> tuple[str, ...]:
        return codes(SearchPaths(b"", b"RUNPATH b", ((), (path,))), clues)

    assert shown("/srv/snakes/lib") == shown("/srv/snakes/lib64") == (CODE,)
    # That lies in it, and is not where Python itself looks.
    assert shown("/srv/snakes/build/lib") == shown("/home/ada/src/lib") == ("D001",)


def test_libraries_of_the_runtime_and_other_copies_are_of_the_toolchain() -> None:
    def shown(left: list[str], right: list[str]) -> tuple[str, ...]:
        return codes(Libraries(b"a", b"b", (left, right)))

    assert shown(["libpthread.so.0", "libdl.so.2"], []) == (CODE,)
    assert shown(["libc.so.6"], ["libc.musl-x86_64.so.1"]) == (CODE,)
    assert shown(["libyaml-0-0c1d2e3f.so.2"], ["libyaml-0-4b3e2a91.so.2"]) == (CODE,)
    assert shown(["libyaml-0.so.2"], ["libpthread.so.0"]) == ("D099",)
    assert by_code(shown(["libyaml-0.so.2"], ["libyaml-0-4b3e2a91.so.2"])[0]).name == "repaired-wheel"


def test_tags_of_two_images_are_of_the_toolchain() -> None:
    def shown(left: bytes, right: bytes) -> tuple[str, ...]:
        return codes(FieldValues(b"cp311-cp311-%b_x86_64" % left, b"cp311-cp311-%b_x86_64" % right, "tag"))

    assert shown(b"manylinux1", b"manylinux_2_28") == shown(b"manylinux2014", b"musllinux_1_2") == (CODE,)
    assert shown(b"linux", b"manylinux1") != (CODE,)
    assert shown(b"manylinux1", b"macosx_11_0") == ("D099",)


def nodes(make: Maker, tmp_path: Path, needs: str = "gcc") -> dict[str, Difference]:
    return {node.name: node for node in compare_files(*build(Pair("", (), make, needs=needs), tmp_path)).differences}


BESIDE = (("-DNDEBUG",), ("-DNDEBUG",))


@pytest.mark.parametrize(
    ("text", "is_theirs"),
    [
        ("vector::_M_realloc_insert", True),
        ("basic_string::_S_construct null not valid", True),
        ("%s: __pos (which is %zu) > this->size() (which is %zu)", True),
        ("basic_string::at: __n (which is %zu) >= this->size() (which is %zu)", True),
        ("basic_string::replace", True),
        ("vector::of the project", False),
        ("string::of_the_project", False),
        ("basic_string::_M_create in the project", False),
    ],
)
def test_texts_of_the_compilers_own_library_follow_from_it(text: str, is_theirs: bool, tmp_path: Path) -> None:
    found = nodes(compiled(flags=BESIDE, after=GCC_10, when=('"never"', f'"{text}"')), tmp_path)
    assert ("D099" in found_in(found["demo_pkg/show.so"])) != is_theirs


def test_another_library_of_the_same_name_does_not_follow_from_the_compiler(tmp_path: Path) -> None:
    name = "demo_pkg.libs/libx-0a1b2c3d.so.1"
    found = nodes(compiled(flags=BESIDE, after=GCC_10, more=({name: b"harmless\0"}, {name: b"dangerous\0"})), tmp_path)
    assert found_in(found["toolchain"]) == {CODE}
    assert found_in(found[name]) == {"D099"}


@pytest.mark.parametrize("name", ["a.pth", "demo_pkg/a.pyc", "demo_pkg-1.0.data/scripts/run"])
def test_what_is_python_by_another_name_is_not_called_the_same(name: str, tmp_path: Path) -> None:
    found = nodes(compiled(flags=BESIDE, after=GCC_10, more=({name: b"import a\n"}, {name: b"import b\n"})), tmp_path)
    assert found["toolchain"].summary.startswith("metadata identical, Python files not;")


def other_function(path: Path) -> None:
    data = path.read_bytes()
    assert b"\0puts\0" in data  # in .dynstr; in .strtab it has a version
    path.write_bytes(data.replace(b"\0puts\0", b"\0exec\0", 1))


def test_another_function_is_no_repair_though_its_name_is_too_short_for_a_text(tmp_path: Path) -> None:
    more = tagged("linux"), tagged("manylinux_2_17")
    found = nodes(compiled(flags=BESIDE, after=other_function, more=more), tmp_path)
    assert found_in(found["demo_pkg/show.so"]) == {"D099"}


@pytest.mark.parametrize(("where", "code"), [("section .dynamic", "D099"), ("section .dynamic, offset 0x10", "D024")])
def test_a_repair_has_files_load_no_more_libraries(where: str, code: str) -> None:
    evidence = Evidence(where, b"", b"NEEDED libx-0a1b2c3d.so.1")
    node = Difference(".dynamic", NodeKind.ELF, "other libraries", (), (Finding("D099", evidence),))
    assert found_in(_patched(node)) == {code}


def test_only_compiled_files_are_for_another_c_library(tmp_path: Path) -> None:
    names = "demo_pkg/c-linux-gnu.py", "demo_pkg/c-linux-musl.py"
    found = nodes(files({names[0]: b"A = 1\n"}, {names[1]: b"A = 2\n"}), tmp_path, needs="")
    assert {name for name in names if found_in(found[name]) == {"D099"}} == set(names)


class Counted(io.BytesIO):
    """A stream that counts the bytes that are read."""

    count = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.count += len(data)
        return data


def with_names(length: int, section: int = 1) -> bytes:
    """Return an ELF file with 300 symbols and 300 libraries of one name; *section* is where each section's name is."""
    names = b"\0" + b"P" * length + b"\0"
    symbols = struct.pack("<IBBHQQ", 1, 0x12, 0, 0, 0, 0) * 300
    dynamic = struct.pack("<QQ", 1, 1) * 300 + bytes(16)
    at, body, headers = 64, b"", [bytes(64)]
    for kind, data, width in ((3, names, 0), (3, b"\0.some\0", 0), (11, symbols, 24), (6, dynamic, 16)):
        headers.append(struct.pack("<IIQQQQIIQQ", section, kind, 0, 0, at + len(body), len(data), 1, 0, 1, width))
        body += data
    count, table = len(headers), 2 if section == 1 else 1
    head = struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 0, at + len(body), 0, 64, 56, 0, 64, count, table)
    return b"\x7fELF\2\1\1" + bytes(9) + head + body + b"".join(headers)


def test_a_long_name_is_not_read_once_for_each_symbol() -> None:
    stream = Counted(with_names(2 << 20))
    found = _parsed(stream, Allowance(1 << 20))
    assert len(found.dynamic) == 300
    assert stream.count < 64 << 20
    assert _parsed(Counted(with_names(20)), Allowance(1 << 20)).dynamic[0] == ("NEEDED", "P" * 20)


def test_sections_are_not_read_once_for_each_segment() -> None:
    count = 200
    names = b"\0.a\0"
    segments = struct.pack("<IIQQQQQQ", 2, 4, 0, 0, 0, 16, 16, 8) * count
    at = 64 + len(segments)
    headers = bytes(64) + struct.pack("<IIQQQQIIQQ", 1, 3, 0, 0, at, len(names), 0, 0, 1, 0)
    headers += struct.pack("<IIQQQQIIQQ", 1, 6, 0, 0, at, 0, 1, 0, 1, 16) * count
    head = struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, at + len(names), 0, 64, 56, count, 64, count + 2, 1)
    stream = Counted(b"\x7fELF\2\1\1" + bytes(9) + head + segments + names + headers)
    found = _parsed(stream, Allowance(1 << 20))
    assert found.facts[1:] == ("segment PT_DYNAMIC, rights 0x4",) * count
    assert stream.count < 128 * count * count


def test_a_section_with_a_long_name_is_refused() -> None:
    with pytest.raises(ValueError, match="the name of a section is too long"):
        _parsed(Counted(with_names(1 << 20, section=2)), Allowance(1 << 20))


def test_the_release_of_cython_is_no_long_text() -> None:
    assert _CYTHON.search(b"\0_cython_3_1_0a1\0")[1] == b"3_1_0a1"  # type: ignore[index]
    assert not _CYTHON.search(b"_cython_3_" + b"9" * 100)
