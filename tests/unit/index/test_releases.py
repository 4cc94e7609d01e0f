"""Which sdist of a project is taken, and what is a project's name."""

from __future__ import annotations

import pytest
from samebytes_tools.index.pages import File
from samebytes_tools.index.releases import chosen, is_name, newest, parse_sdist_name, version_of

from samebytes.errors import ArchiveError, UsageError


@pytest.mark.parametrize("text", ["idna", "idna==3.10", "zope.interface", "A_b-c == 1.0rc1", "x"])
def test_names(text: str) -> None:
    assert is_name(text)


@pytest.mark.parametrize(
    "text", ["", ".", "./idna", "dist/idna", "idna>=3", "idna-3.10.tar.gz", "a.whl", "-x", "a[b]", "a-1.tar.xz"]
)
def test_what_is_no_name(text: str) -> None:
    assert not is_name(text)


def file(name: str, requires: str = "", yanked: str | None = None) -> File:
    return File(name, f"https://files.example/{name}", {"sha256": "0" * 64}, requires, yanked)


FILES = [
    file("pkg-1.0.tar.gz"),
    file("pkg-1.10.tar.gz"),
    file("pkg-1.9-py3-none-any.whl"),
    file("pkg-1.11.tar.gz", yanked=""),
    file("pkg-2.0rc1.tar.gz"),
    file("pkg-3.0.tar.gz", requires=">=3.99"),
    file("pkg-4.0-py3-none-any.whl"),
    file("pkg-0.5.zip"),
    file("pkg-no-version-.tar.gz"),
]


@pytest.mark.parametrize(
    ("version", "name"),
    [
        (None, "pkg-1.10.tar.gz"),
        ("0.5", "pkg-0.5.zip"),
        ("1.0.0", "pkg-1.0.tar.gz"),
        ("1.11", "pkg-1.11.tar.gz"),
        ("2.0rc1", "pkg-2.0rc1.tar.gz"),
        ("3.0", "pkg-3.0.tar.gz"),
    ],
)
def test_the_one_that_is_taken(version: str | None, name: str) -> None:
    assert chosen(FILES, "pkg", version, "3.11.7").file.name == name


def test_the_newest_release() -> None:
    """Wheels count; what is yanked, for other interpreters, or not stable does not, unless there is nothing else."""
    assert str(newest(FILES, "pkg", "3.11.7")) == "4.0"
    assert str(newest(FILES, "pkg", "3.99")) == "4.0"
    assert str(newest([*FILES[:2], *FILES[3:6]], "pkg", "3.99")) == "3.0"
    assert str(newest([FILES[4]], "pkg", "3.11.7")) == "2.0rc1"
    assert str(newest(FILES[7:], "pkg", "3.11.7")) == "0.5"
    for none in ([], [FILES[3]], [FILES[5]], FILES[8:]):
        with pytest.raises(UsageError, match=r"no wheel and no sdist of pkg for Python 3\.11\.7"):
            newest(none, "pkg", "3.11.7")


def test_a_prerelease_where_there_is_nothing_else() -> None:
    assert chosen([file("pkg-2.0rc1.tar.gz")], "pkg", None, "3.11.7").file.name == "pkg-2.0rc1.tar.gz"


@pytest.mark.parametrize(
    ("version", "notes"),
    [
        (None, ["pkg 4.0 is newer than 1.10, and has no sdist for Python 3.11.7"]),
        ("1.0", []),
        ("1.11", ["pkg-1.11.tar.gz was yanked"]),
        ("3.0", ["pkg-3.0.tar.gz is for Python >=3.99, not for 3.11.7, and pip would refuse it"]),
    ],
)
def test_what_is_noted_of_the_choice(version: str | None, notes: list[str]) -> None:
    assert list(chosen(FILES, "pkg", version, "3.11.7").notes) == notes


def test_of_several_the_one_for_this_python_is_taken_and_the_others_are_noted() -> None:
    files = [file("pkg-1.0.zip"), file("pkg-1.0.tar.xz"), file("pkg-1.0.tar.gz", ">=3.99"), file("pkg-0.9.tar.gz")]
    for version in (None, "1.0"):
        choice = chosen(files, "pkg", version, "3.11.7")
        assert choice.file.name == "pkg-1.0.tar.xz"
        assert "(pkg-1.0.zip, pkg-1.0.tar.gz)" in choice.others
        assert choice.doubts == ()


@pytest.mark.parametrize(
    ("name", "project", "version"),
    [
        ("zope.interface-5.0.tar.gz", "zope-interface", "5.0"),
        ("zope_interface-5.0-1.zip", "zope.interface", "5.0.post1"),
        ("pkg-extra-1.0.tar.gz", "pkg", None),
        ("pkg-1.0.linux-x86_64.tar.gz", "pkg", None),
        ("other-1.0.tar.gz", "pkg", None),
        ("other-1.0-py3-none-any.whl", "pkg", None),
        ("Pkg-1.0-py3-none-any.whl", "pkg", "1.0"),
        ("pkg-1.0.egg", "pkg", None),
        (f"pkg-{'9' * 5000}.zip", "pkg", None),
    ],
)
def test_the_version_of_a_file_is_what_pip_takes_it_for(name: str, project: str, version: str | None) -> None:
    found = version_of(name, project)
    assert (found and str(found)) == version


@pytest.mark.parametrize(
    ("files", "version", "message", "remedy"),
    [
        (FILES, "9.9", "no sdist of pkg==9.9 for Python 3.11.7", "3.0, 2.0rc1, 1.11, 1.10, 1.0"),
        (FILES, "4.0", "no sdist of pkg==4.0", "The newest sdists"),
        ([FILES[2]], None, "no sdist of pkg for", "There are wheels only"),
        (FILES, "1.x!", "'1.x!' is not a version", "NAME==1.2.3"),
    ],
)
def test_there_is_none(files: list[File], version: str | None, message: str, remedy: str) -> None:
    with pytest.raises(UsageError) as caught:
        chosen(files, "pkg", version, "3.11.7")
    assert message in caught.value.message
    assert remedy in caught.value.remedy


def test_sdist_names_are_split_at_the_last_hyphen() -> None:
    assert parse_sdist_name("foo-bar-1.0.tar.gz") == ("foo-bar", "1.0")
    with pytest.raises(ArchiveError, match="not the file name of an sdist"):
        parse_sdist_name("foo.tar.gz")
