"""The note on a wheel from the tree that is not the wheel from the sdist."""

from __future__ import annotations

from pathlib import Path

import pytest
from samebytes_tools.commands.check import facts
from samebytes_tools.commands.check.two_wheels import note_on
from support.wheels import FILES, INFO, METADATA, members, write_wheel


def note(tmp_path: Path, left: dict[str, bytes], right: dict[str, bytes], **names: str) -> str:
    made = []
    for side, files in (("tree", left), ("sdist", right)):
        (tmp_path / side).mkdir(exist_ok=True)
        path = write_wheel(tmp_path / side, members({**FILES, **files}))
        made.append(path.rename(path.with_name(names.get(side, path.name))))
    return note_on(*made)


def test_the_same_files_need_none(tmp_path: Path) -> None:
    """Also where contents differ, as they do from build to build."""
    assert note(tmp_path, {}, {}) == ""
    assert note(tmp_path, {"demo_pkg/built.py": b"AT = 1\n"}, {"demo_pkg/built.py": b"AT = 2\n"}) == ""


def test_files_that_the_sdist_lost(tmp_path: Path) -> None:
    lost = {f"demo_pkg/{name}.txt": b"x\n" for name in "abcde"}
    assert note(tmp_path, lost, {"demo_pkg/more.py": b""}) == (
        "the wheel from the tree is not the one from the sdist, which python -m build makes: demo_pkg/a.txt, "
        "demo_pkg/b.txt, demo_pkg/c.txt and 2 more only in the former; demo_pkg/more.py only in the latter. Does the "
        "sdist lack files that the build reads?"
    )


def test_each_wheel_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    of_archive = facts.open_archive
    monkeypatch.setattr(facts, "open_archive", lambda path: opened.append(path.parent.name) or of_archive(path))
    monkeypatch.setattr("samebytes.artifact.opening.open_archive", lambda path: pytest.fail(f"{path} is opened again"))
    assert "only in the former" in note(tmp_path, {"demo_pkg/a.txt": b""}, {})
    assert sorted(opened) == ["sdist", "tree"]


def test_metadata_that_it_lost(tmp_path: Path) -> None:
    """As where setup.py reads requirements.txt, if that is there (retry 0.9.2)."""
    name = f"{INFO}/METADATA"
    said = note(tmp_path, {name: METADATA + b"Requires-Dist: six\n"}, {name: METADATA})
    assert "makes: METADATA with other contents. Does" in said


def test_another_version(tmp_path: Path) -> None:
    other = "demo_pkg-2.0-py3-none-any.whl"
    assert note(tmp_path, {}, {}, sdist=other).endswith(f" and {other}")


def test_what_is_no_archive_is_reported_elsewhere(tmp_path: Path) -> None:
    one, other = tmp_path / "a.whl", tmp_path / "b" / "a.whl"
    other.parent.mkdir()
    one.write_bytes(b"1")
    other.write_bytes(b"2")
    assert note_on(one, other) == ""
