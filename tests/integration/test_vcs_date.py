"""``source-date-epoch = "vcs"`` and SOURCE_DATE_EPOCH in real builds (D5): one date, in the sdist too."""

from __future__ import annotations

import datetime
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest
from support.conditions import CONTROL, Place, settle
from support.differences import assert_same, contents
from support.projects import BY_NAME
from support.workshop import Workshop

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("git") is None, reason="needs git"),
]

COMMITTED = 1709208000
"""When the control environment's clone was committed: 2024-02-29T12:00:00Z."""


def dated_by_vcs(tmp_path: Path) -> Path:
    source = shutil.copytree(BY_NAME["setuptools-pyproject"].path, tmp_path / "source")
    pyproject = source / "pyproject.toml"
    text = pyproject.read_text("utf-8")
    pyproject.write_text(text.replace("[tool.samebytes]\n", '[tool.samebytes]\nsource-date-epoch = "vcs"\n'), "utf-8")
    return source


def build(place: Place, workshop: Workshop, out: str, *options: str, **more: str) -> Path:
    directory = place.directory(out)
    command = [workshop.python, "-m", "build", "--no-isolation", *options, "--outdir", directory, place.tree]
    place.run(command, more={**workshop.tools(dict(place.variables)), **more})
    return directory


def sdist_dates(sdist: Path) -> set[float]:
    with tarfile.open(sdist) as archive:
        return {member.mtime for member in archive}


def wheel_dates(wheel: Path) -> set[tuple[int, ...]]:
    with zipfile.ZipFile(wheel) as archive:
        return {info.date_time for info in archive.infolist()}


def parts(seconds: int) -> tuple[int, ...]:
    moment = datetime.datetime.fromtimestamp(seconds - seconds % 2, datetime.timezone.utc)
    return moment.timetuple()[:6]


def test_the_commit_date_goes_with_the_sdist(roots: tuple[Path, Path], workshop: Workshop, tmp_path: Path) -> None:
    place = settle(CONTROL, dated_by_vcs(tmp_path), roots[0])
    both, tree = build(place, workshop, "both"), build(place, workshop, "tree", "--wheel")
    (sdist,) = both.glob("*.tar.gz")
    wheels = [next(directory.glob("*.whl")) for directory in (both, tree)]
    assert sdist_dates(sdist) == {COMMITTED}
    assert wheel_dates(wheels[0]) == {parts(COMMITTED)}
    top = "example_setuptools_pyproject-2.0"
    assert contents(sdist)[f"{top}/.source-date-epoch"] == b"%d\n" % COMMITTED
    assert_same(wheels)  # the one from the sdist was built where no repository is
    assert not any("source-date-epoch" in name for name in contents(wheels[0]))


def test_an_export_without_the_date_is_an_error(roots: tuple[Path, Path], workshop: Workshop, tmp_path: Path) -> None:
    place = settle(CONTROL, dated_by_vcs(tmp_path), roots[0])
    shutil.rmtree(place.tree / ".git")
    command = [workshop.python, "-m", "build", "--no-isolation", "--wheel", place.tree]
    done = place.run(command, more=workshop.tools(dict(place.variables)), check=False)
    assert done.returncode != 0
    assert "SOURCE_DATE_EPOCH" in done.stderr + done.stdout


def test_git_archive_can_carry_the_date(roots: tuple[Path, Path], workshop: Workshop, tmp_path: Path) -> None:
    place = settle(CONTROL, dated_by_vcs(tmp_path), roots[0])
    cloned = build(place, workshop, "cloned", "--wheel")
    shutil.rmtree(place.tree / ".git")
    shutil.rmtree(place.tree / "build")
    (place.tree / ".git_archival.txt").write_text("node: 0123abc\nnode-date: 2024-02-29T13:00:00+01:00\n")
    exported = build(place, workshop, "exported", "--wheel")
    assert_same([next(directory.glob("*.whl")) for directory in (cloned, exported)])


@pytest.mark.parametrize("seconds", [0, 315532800, 1234567891, 4354819198])
def test_the_users_date_wins(seconds: int, roots: tuple[Path, Path], workshop: Workshop, tmp_path: Path) -> None:
    place = settle(CONTROL, dated_by_vcs(tmp_path), roots[0])
    both = build(place, workshop, "both", SOURCE_DATE_EPOCH=str(seconds))
    (sdist,), (wheel,) = both.glob("*.tar.gz"), both.glob("*.whl")
    assert sdist_dates(sdist) == {seconds}
    assert wheel_dates(wheel) == {max(parts(seconds), (1980, 1, 1, 0, 0, 0))}


def test_without_a_date_the_backend_is_given_none(roots: tuple[Path, Path], workshop: Workshop, tmp_path: Path) -> None:
    """An invented date must not decide versions (setuptools-scm, calendar versioning)."""
    source = shutil.copytree(BY_NAME["setuptools-set-requires"].path, tmp_path / "source")
    setup = source / "setup.py"
    setup.write_text("import os\nassert 'SOURCE_DATE_EPOCH' not in os.environ\n" + setup.read_text())
    place = settle(CONTROL, source, roots[0])
    out = build(place, workshop, "out")
    assert sdist_dates(next(out.glob("*.tar.gz"))) == {1580601600}
    assert wheel_dates(next(out.glob("*.whl"))) == {(2020, 2, 2, 0, 0, 0)}
