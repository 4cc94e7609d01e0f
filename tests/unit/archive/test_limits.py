"""What a hostile archive may not do, and what an honest one may."""

from __future__ import annotations

import pytest

from samebytes.archive.limits import (
    MAX_NAME_BYTES,
    beneath_files,
    case_collisions,
    check_link,
    check_name,
    check_ratio,
    name_problem,
)
from samebytes.errors import HostileArchiveError


@pytest.mark.parametrize(
    "name",
    ["a", "a/b", "..a", "a..", "...", ".hidden", "a b", "é/ü", "ab:c", "a/b:c", "C", "1:2", "x" * MAX_NAME_BYTES],
)
def test_honest_names(name: str) -> None:
    assert name_problem(name) == ""
    check_name("it.whl", name)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "empty"),
        ("/", "absolute"),
        ("/a", "absolute"),
        ("//a", "absolute"),
        ("..", "'..'"),
        ("../a", "'..'"),
        ("a/..", "'..'"),
        ("a/../b", "'..'"),
        ("C:", "drive letter"),
        ("C:a", "drive letter"),
        ("a:b", "drive letter"),
        ("z:/a", "drive letter"),
        ("\\a", "backslash"),
        ("a\\..\\b", "backslash"),
        ("a\0", "NUL"),
        ("a//b", "empty component"),
        ("a/", "empty component"),
        (".", "component '.'"),
        ("./a", "component '.'"),
        ("a/./b", "component '.'"),
        ("x" * (MAX_NAME_BYTES + 1), "longer than 4096 bytes"),
        ("é" * 2049, "longer than 4096 bytes"),
        ("\udcff" * 2000, "longer than 4096 bytes"),
    ],
)
def test_hostile_names(name: str, problem: str) -> None:
    assert problem in name_problem(name)
    with pytest.raises(HostileArchiveError, match=r"it\.whl") as caught:
        check_name("it.whl", name)
    assert problem in caught.value.message
    assert caught.value.remedy


def test_error_shows_names_safely() -> None:
    with pytest.raises(HostileArchiveError) as caught:
        check_name("it.whl", "../\x1b[31m\n" + "x" * 9999)
    assert "\\x1b[31m\\n" in caught.value.message
    assert len(caught.value.message) < 400


@pytest.mark.parametrize(("packed", "size"), [(0, 0), (1, 1032), (1000, 1_032_000)])
def test_ratio_that_deflate_can_reach(packed: int, size: int) -> None:
    check_ratio("it.whl", "a", packed, size)


@pytest.mark.parametrize(("packed", "size"), [(0, 1), (1, 1033), (1000, 1_032_001)])
def test_ratio_that_deflate_cannot_reach(packed: int, size: int) -> None:
    with pytest.raises(
        HostileArchiveError, match=rf"it\.whl: 'a': {packed} compressed bytes cannot hold the {size} bytes"
    ):
        check_ratio("it.whl", "a", packed, size)


def test_case_collisions() -> None:
    assert list(case_collisions(["a", "B", "A", "b", "a", "straße", "STRASSE"])) == [
        ("a", "A"),
        ("B", "b"),
        ("straße", "STRASSE"),
    ]
    assert list(case_collisions(["a", "b", "a/B", "b/B"])) == []


def test_beneath_files() -> None:
    assert list(beneath_files({"a", "b/c"}, ["a", "a/x", "b/c", "b/c/d/e", "b/d", "ab/c"])) == [
        ("a/x", "a"),
        ("b/c/d/e", "b/c"),
    ]
    assert list(beneath_files({"a"}, ["b/x", "b/y", "a/x", "a/y"])) == [("a/x", "a"), ("a/y", "a")]
    assert list(beneath_files(set(), ["a/b"])) == []


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("top/a", "b"),
        ("top/a", "./b"),
        ("top/a", "none/of/these"),
        ("top/d/a", "../b"),
        ("top/d/a", "../e/../b"),
        ("top/a", "d/../b"),
        ("top/d/e/a", ".."),
        ("top/a", "."),
    ],
)
def test_links_that_stay_inside(name: str, target: str) -> None:
    check_link("it.tar.gz", name, {name: target})


@pytest.mark.parametrize(
    ("name", "target", "problem"),
    [
        ("top/a", "", "points nowhere"),
        ("top/a", "/etc/passwd", "is absolute"),
        ("top/a", "C:/x", "is absolute"),
        ("top/a", "b\\c", "NUL or a backslash"),
        ("top/a", "b\0", "NUL or a backslash"),
        ("top/a", "x" * 5000, "longer than 4096"),
        ("top/a", "..", "leads out"),
        ("top/a", "../top/b", "leads out"),
        ("top/a", "../other", "leads out"),
        ("top/d/a", "../../../etc", "leads out"),
        ("top/a", "d/../../b", "leads out"),
        ("top/a", "a", "in a circle"),
        ("a", "b", "leads out"),
        ("a", "../b", "leads out"),
    ],
)
def test_links_that_escape(name: str, target: str, problem: str) -> None:
    with pytest.raises(HostileArchiveError, match=r"it\.tar\.gz") as caught:
        check_link("it.tar.gz", name, {name: target})
    assert problem in caught.value.message


def test_link_is_followed_through_other_links() -> None:
    # Word for word, x/y/up/../.. is top/x; but up leads to top, and from there '..' leads out.
    links = {"top/x/y/up": "../..", "top/escape": "x/y/up/../.."}
    check_link("it.tar.gz", "top/x/y/up", links)
    with pytest.raises(HostileArchiveError, match="leads out"):
        check_link("it.tar.gz", "top/escape", links)
    check_link("it.tar.gz", "top/in", {**links, "top/in": "x/y/up/z"})


def test_links_in_a_circle_are_refused() -> None:
    links = {"top/a": "b", "top/b": "c/../a"}
    for name in links:
        with pytest.raises(HostileArchiveError, match="in a circle"):
            check_link("it.tar.gz", name, links)
    chain = {f"top/{number}": f"{number + 1}" for number in range(60)}
    with pytest.raises(HostileArchiveError, match="in a circle"):
        check_link("it.tar.gz", "top/0", chain)
    check_link("it.tar.gz", "top/30", chain)
