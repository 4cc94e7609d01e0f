"""Comparing files and directories: pairs by name, and errors that stay with their pair."""

from __future__ import annotations

from pathlib import Path

import pytest
from samebytes_tools.commands.compare.compare import ComparedPair, compare, plan
from samebytes_tools.comparison.model import KnownBuild, Verdict
from support.wheels import FILES, SDIST_NAME, WHEEL_NAME, members, write_sdist, write_wheel

from samebytes.errors import ArchiveError, SamebytesError, UsageError


@pytest.fixture
def sides(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("left", "right"):
        (tmp_path / name).mkdir()
    return tmp_path / "left", tmp_path / "right"


def test_two_files_are_one_pair(sides: tuple[Path, Path]) -> None:
    one, other = write_wheel(sides[0]), write_wheel(sides[1])
    (result,) = compare(one, other)
    assert result.pair == ComparedPair(WHEEL_NAME, one, other)
    assert result.comparison is not None
    assert result.comparison.verdict is Verdict.IDENTICAL
    assert result.error is None


def test_files_of_other_names_are_named_both(sides: tuple[Path, Path]) -> None:
    one = write_wheel(sides[0])
    other = write_wheel(sides[1], name="Demo.pkg-1.0-py3-none-any.whl")
    (result,) = compare(one, other)
    assert result.pair.name == f"{WHEEL_NAME} and Demo.pkg-1.0-py3-none-any.whl"
    assert result.comparison is not None


def test_directories_are_compared_by_the_names_in_them(sides: tuple[Path, Path]) -> None:
    write_wheel(sides[0])
    write_wheel(sides[1], members({**FILES, "demo_pkg/tool.py": b"print('salut')\n"}))
    write_sdist(sides[0])
    write_wheel(sides[1], name="demo_pkg-1.0-py2-none-any.whl")
    (sides[0] / "notes.txt").write_text("no archive")
    found = list(compare(*sides))
    assert [result.pair.name for result in found] == ["demo_pkg-1.0-py2-none-any.whl", WHEEL_NAME, SDIST_NAME]
    alone, both, sdist = found
    assert (alone.pair.left, alone.pair.right) == (None, sides[1] / "demo_pkg-1.0-py2-none-any.whl")
    assert alone.comparison is None
    assert alone.error is None
    assert both.comparison is not None
    assert both.comparison.verdict is Verdict.DIFFERENT
    assert sdist.pair.right is None


def test_a_file_and_a_directory_are_the_file_and_its_namesake(sides: tuple[Path, Path]) -> None:
    one = write_wheel(sides[0])
    other = write_wheel(sides[1])
    assert plan(one, sides[1]) == (ComparedPair(WHEEL_NAME, one, other),)
    assert plan(sides[0], other) == (ComparedPair(WHEEL_NAME, one, other),)
    with pytest.raises(UsageError, match=r"right/demo_pkg-1.0.tar.gz: there is no such file"):
        plan(write_sdist(sides[0]), sides[1])


def test_an_error_is_the_result_of_its_pair(sides: tuple[Path, Path]) -> None:
    write_wheel(sides[0])
    write_wheel(sides[1]).write_bytes(b"no wheel")
    write_sdist(sides[0])
    write_sdist(sides[1])
    broken, whole = compare(*sides)
    assert isinstance(broken.error, ArchiveError)
    assert broken.comparison is None
    assert WHEEL_NAME in broken.error.message
    assert broken.error.remedy
    assert whole.comparison is not None


@pytest.mark.parametrize(
    ("left", "right", "message"),
    [
        (WHEEL_NAME, SDIST_NAME, "of different kinds"),
        ("a.whl", "notes.txt", "neither a wheel"),
        ("notes.zip", "a.whl", "not supported"),
    ],
)
def test_what_cannot_be_compared_is_reported(sides: tuple[Path, Path], left: str, right: str, message: str) -> None:
    (sides[0] / left).write_bytes(b"")
    (sides[1] / right).write_bytes(b"")
    (result,) = compare(sides[0] / left, sides[1] / right)
    assert isinstance(result.error, SamebytesError)
    assert message in result.error.message
    assert result.error.remedy


def test_missing_paths_and_empty_directories_are_reported(sides: tuple[Path, Path]) -> None:
    with pytest.raises(UsageError, match="there is no such file") as missing:
        plan(sides[0], sides[1] / "nothing")
    assert missing.value.remedy == "Check the path."
    with pytest.raises(UsageError, match="nothing in either") as empty:
        plan(*sides)
    assert "dist/" in empty.value.remedy


def test_what_is_known_of_builds_is_proof(sides: tuple[Path, Path]) -> None:
    one = write_wheel(sides[0], members({**FILES, "demo_pkg/at.txt": b"made by xena\n"}))
    other = write_wheel(sides[1], members({**FILES, "demo_pkg/at.txt": b"made by zorro\n"}))
    (guessed,) = compare(one, other)
    (known,) = compare(one, other, (KnownBuild(user="xena"), KnownBuild(user="zorro")))
    assert guessed.comparison is not None
    assert known.comparison is not None
    assert guessed.comparison.causes == ("D099",)
    assert known.comparison.causes == ("D003",)
