"""Which sdist of a project is taken, and what is a project's name."""

from __future__ import annotations

import pytest
from samebytes_tools.index.pages import File
from samebytes_tools.index.releases import chosen, is_name, newest

from samebytes.errors import UsageError


@pytest.mark.parametrize("text", ["idna", "idna==3.10", "zope.interface", "A_b-c == 1.0rc1", "x"])
def test_names(text: str) -> None:
    assert is_name(text)


@pytest.mark.parametrize("text", ["", ".", "./idna", "dist/idna", "idna>=3", "idna-3.10.tar.gz", "a.whl", "-x", "a[b]"])
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
        ("1.0.0", "pkg-1.0.tar.gz"),
        ("1.11", "pkg-1.11.tar.gz"),
        ("2.0rc1", "pkg-2.0rc1.tar.gz"),
        ("3.0", "pkg-3.0.tar.gz"),
    ],
)
def test_the_one_that_is_taken(version: str | None, name: str) -> None:
    assert chosen(FILES, "pkg", version, "3.11.7").name == name


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
    assert chosen([file("pkg-2.0rc1.tar.gz")], "pkg", None, "3.11.7").name == "pkg-2.0rc1.tar.gz"


@pytest.mark.parametrize(
    ("files", "version", "message", "remedy"),
    [
        (FILES, "9.9", "no sdist (.tar.gz) of pkg==9.9 for Python 3.11.7", "3.0, 2.0rc1, 1.11, 1.10, 1.0"),
        (FILES, "4.0", "no sdist (.tar.gz) of pkg==4.0", "The newest sdists"),
        ([FILES[2]], None, "no sdist (.tar.gz) of pkg for", "There are wheels only"),
        ([file("pkg-0.5.zip")], None, "no sdist (.tar.gz) of pkg for", "zip sdists only"),
        (FILES, "1.x!", "'1.x!' is not a version", "NAME==1.2.3"),
    ],
)
def test_there_is_none(files: list[File], version: str | None, message: str, remedy: str) -> None:
    with pytest.raises(UsageError) as caught:
        chosen(files, "pkg", version, "3.11.7")
    assert message in caught.value.message
    assert remedy in caught.value.remedy
