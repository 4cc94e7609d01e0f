"""Patterns on a command line that no shell has expanded."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from samebytes.commands.main import expanded


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dist").mkdir()
    for name in ("b.whl", "a.whl", "c.tar.gz", ".hidden.whl", "v[1].whl", "v1.whl"):
        (tmp_path / "dist" / name).touch()
    monkeypatch.chdir(tmp_path)


def dist(*names: str) -> list[str]:
    return [os.path.join("dist", name) for name in names]


def test_a_pattern_stands_for_the_names_that_match_in_order() -> None:
    assert expanded(["check", dist("*.whl")[0], "-v"]) == ["check", *dist("a.whl", "b.whl", "v1.whl", "v[1].whl"), "-v"]
    assert expanded(dist("?.*")) == dist("a.whl", "b.whl", "c.tar.gz")
    assert expanded(dist("[ab].whl")) == dist("a.whl", "b.whl")


def test_a_name_that_exists_is_no_pattern() -> None:
    assert expanded(dist("v[1].whl")) == dist("v[1].whl")


@pytest.mark.parametrize("text", ["dist/*.zip", "idna>=3.*", "--disable=*", "-*", "*:\0", "[", "dist"])
def test_what_matches_nothing_and_options_stay(text: str) -> None:
    assert expanded([text]) == [text]


def test_absolute_patterns(tmp_path: Path) -> None:
    assert expanded([str(tmp_path / "d*" / "c*")]) == [str(tmp_path / "dist" / "c.tar.gz")]
