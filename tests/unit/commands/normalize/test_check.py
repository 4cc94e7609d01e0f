from __future__ import annotations

from pathlib import Path

import pytest
from support.artifacts import sdist, wheel

from samebytes.commands.normalize.normalize import NormalizeOptions, NormalizeResult, normalize, plan
from samebytes.errors import UsageError


def run(*paths: Path) -> list[NormalizeResult]:
    return list(normalize(plan(paths, trees=False), NormalizeOptions(write=False)))


def test_nothing_is_written_and_changes_are_findings(tmp_path: Path) -> None:
    path = wheel(tmp_path)
    before = path.stat().st_mtime_ns, path.read_bytes()
    (result,) = run(path)
    assert result.changed
    assert {"Z001", "Z002"} <= {change.code for change in result.changes}
    assert (path.stat().st_mtime_ns, path.read_bytes()) == before
    assert [child.name for child in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("make", [wheel, sdist])
def test_what_was_normalized_has_no_findings(make: object, tmp_path: Path) -> None:
    path = make(tmp_path)  # type: ignore[operator]
    list(normalize(plan([path]), NormalizeOptions()))
    (result,) = run(path)
    assert not result.changed
    assert result.changes == ()


@pytest.mark.parametrize("marker", ["pyproject.toml", "setup.py"])
def test_a_source_tree_is_refused_even_with_archives_in_it(marker: str, tmp_path: Path) -> None:
    (tmp_path / marker).touch()
    wheel(tmp_path)
    (result,) = run(tmp_path)
    assert isinstance(result.error, UsageError)
    assert result.error.message == f"{tmp_path} is a source tree; samebytes normalize examines archives"
    assert str(tmp_path / "dist") in result.error.remedy


def test_a_directory_of_archives_and_one_named_twice(tmp_path: Path) -> None:
    paths = [sdist(tmp_path), wheel(tmp_path)]
    assert [result.source for result in run(tmp_path, *paths)] == sorted(paths)
