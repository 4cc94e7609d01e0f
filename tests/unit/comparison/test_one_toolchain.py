"""Wheels of one release that other toolchains made: one difference for that."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from samebytes_tools.comparison.archives import compare_files
from samebytes_tools.comparison.causes.table import by_code, codes
from samebytes_tools.comparison.causes.toolchain import TOOLCHAIN_VERSION
from samebytes_tools.comparison.model import Difference, Evidence, Verdict
from samebytes_tools.comparison.observations import FieldValues, Libraries, SearchPaths
from samebytes_tools.comparison.one_toolchain import _made_by
from support.cause_pairs import CAUSES, CONTROLS, build

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
