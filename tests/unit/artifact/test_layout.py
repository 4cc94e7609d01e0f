"""The names inside wheels and sdists."""

from __future__ import annotations

import json

import pytest

from samebytes.archive.entry import Archive, Container, Entry, Kind
from samebytes.artifact import layout
from samebytes.artifact.layout import ArtifactKind
from samebytes.errors import ArchiveError


@pytest.mark.parametrize(
    ("kind", "text", "suffix", "container"),
    [(ArtifactKind.WHEEL, "wheel", ".whl", Container.ZIP), (ArtifactKind.SDIST, "sdist", ".tar.gz", Container.TAR_GZ)],
)
def test_kinds_are_their_names(kind: ArtifactKind, text: str, suffix: str, container: Container) -> None:
    """In messages, names of hooks and JSON documents, on every Python: what format() makes of such enums has changed."""
    assert (str(kind), f"{kind}", f"{kind:>6}".strip(), f"{kind}", json.dumps(kind)) == (
        *[text] * 4,
        f'"{text}"',
    )
    assert (kind.suffix, kind.container, ArtifactKind(text)) == (suffix, container, kind)
    assert {text: 1}[kind] == 1


def test_wheel_names_are_split() -> None:
    plain = layout.parse_wheel_name("Foo.bar_baz-1.0+local.1-py2.py3-none-any.whl")
    assert plain == ("Foo.bar_baz", "1.0+local.1", "", "py2.py3-none-any")
    built = layout.parse_wheel_name("foo-1.0-2abc-cp311-cp311-manylinux_2_17_x86_64.whl")
    assert (built.build, built.tags) == ("2abc", "cp311-cp311-manylinux_2_17_x86_64")


@pytest.mark.parametrize(
    "name",
    [
        "foo-1.0.whl",
        "foo-1.0-abc-py3-none-any.whl",
        "foo-1.0-1-2-py3-none-any.whl",
        "foo.tar.gz",
        "foo-1.0-py3-none-any",
    ],
)
def test_other_names_are_no_wheels(name: str) -> None:
    with pytest.raises(ArchiveError, match="not the file name of a wheel") as caught:
        layout.parse_wheel_name(name)
    assert "NAME-VERSION" in caught.value.remedy


def test_the_dist_info_directory_is_the_one_at_the_top() -> None:
    names = ["a.py", "pkg/_vendor/x-1.dist-info/METADATA", "foo-1.0.dist-info/WHEEL", "bar-2.DIST-INFO"]
    assert layout.dist_info(names, "w") == "foo-1.0.dist-info"


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (["a.py"], "no .dist-info directory"),
        (["a-1.dist-info/x", "b-1.dist-info"], r"2 .dist-info directories \(a-1.dist-info, b-1.dist-info\)"),
        (["a-1.dist-info/x", "b-1.dist-info/x"], r"2 .dist-info directories \(a-1.dist-info, b-1.dist-info\)"),
    ],
)
def test_none_or_two_dist_info_directories_are_refused(names: list[str], problem: str) -> None:
    with pytest.raises(ArchiveError, match=f"w: there is {problem}"):
        layout.dist_info(names, "w")


@pytest.mark.parametrize("directory", ["foo_bar-1.0.dist-info", "Foo.Bar-1.0.dist-info", "foo__bar-1_0.dist-info"])
def test_a_dist_info_directory_agrees_with_the_file_name_after_folding(directory: str) -> None:
    layout.check_dist_info(directory, "foo_bar-1.0-py3-none-any.whl")


@pytest.mark.parametrize("directory", ["foobar-1.0.dist-info", "foo_bar-1.0.0.dist-info", "foo_bar.dist-info"])
def test_a_dist_info_directory_of_another_release_is_refused(directory: str) -> None:
    with pytest.raises(ArchiveError, match="belongs to another name or version") as caught:
        layout.check_dist_info(directory, "foo_bar-1.0-py3-none-any.whl")
    assert "foo_bar-1.0.dist-info" in caught.value.remedy


def holding(*names: str) -> Archive:
    return Archive("foo-1.0.tar.gz", tuple(Entry(name, Kind.FILE, 0o644, 0) for name in names))


def test_the_top_directory_is_found() -> None:
    assert layout.own_directory(holding("foo-1.0", "foo-1.0/setup.py"), ArtifactKind.SDIST) == "foo-1.0"


@pytest.mark.parametrize("names", [[], ["foo-1.0"]])
def test_nothing_in_a_top_directory_is_refused(names: list[str]) -> None:
    with pytest.raises(ArchiveError, match="no file in a top directory"):
        layout.own_directory(holding(*names), ArtifactKind.SDIST)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("foo-1.0.data/scripts/run", True),
        ("foo-1.0.data/scripts/deep/run", True),
        ("foo-1.0.data/data/run", False),
        (".data/scripts/run", False),
        ("pkg/foo-1.0.data/scripts/run", False),
        ("scripts/run", False),
    ],
)
def test_scripts_are_told_by_their_directory(name: str, expected: bool) -> None:
    assert layout.is_script(name) is expected


@pytest.mark.parametrize(
    ("name", "top", "expected"),
    [
        ("foo_bar-1.0/foo_bar.egg-info/PKG-INFO", "foo_bar-1.0", True),
        ("foo-bar-1.0/src/Foo.Bar.egg-info/PKG-INFO", "foo-bar-1.0", True),
        ("foo-1.0/foo.egg-info/SOURCES.txt", "foo-1.0", False),
        ("foo-1.0/tests/data/other.egg-info/PKG-INFO", "foo-1.0", False),
        ("foo-bar-1.0/foo.egg-info/PKG-INFO", "foo-bar-1.0", False),
        ("foo/foo.egg-info/PKG-INFO", "foo", False),
        ("foo-1.0/foo.egg-info/deep/PKG-INFO", "foo-1.0", False),
        ("foo.egg-info/PKG-INFO", "foo.egg-info", False),
    ],
)
def test_only_the_projects_own_egg_info_counts(name: str, top: str, expected: bool) -> None:
    assert layout.in_egg_info(name, top, "PKG-INFO") is expected
