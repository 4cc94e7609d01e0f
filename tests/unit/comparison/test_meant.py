"""What two files differ in on purpose is said once, and of two builds of one source nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from samebytes_tools.comparison.archives import compare_files
from samebytes_tools.comparison.meant import notes_on
from samebytes_tools.comparison.model import UNKNOWN_BUILD
from support.wheels import members, write_wheel

from samebytes.artifact.layout import ArtifactKind

ONE = "demo-1.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"


@pytest.mark.parametrize(
    ("left", "right", "kind", "starts"),
    [
        (ONE, ONE, ArtifactKind.WHEEL, []),
        ("demo-1.0-py3-none-any.whl", "demo-1.0-1-py3-none-any.whl", ArtifactKind.WHEEL, []),
        (
            ONE,
            "demo-1.0-cp312-cp312-win_amd64.whl",
            ArtifactKind.WHEEL,
            ["they are for cp311-cp311-manylinux_2_17_x86_64"],
        ),
        (
            "demo-1.0-py3-none-any.whl",
            "demo-1.0.1-py3-none-any.whl",
            ArtifactKind.WHEEL,
            ["they are two releases, 1.0 and"],
        ),
        ("demo-1.0.tar.gz", "demo-1.0.post1.tar.gz", ArtifactKind.SDIST, ["they are two releases, 1.0 and 1.0.post1"]),
        ("demo-1.0.tar.gz", "demo-1.0.0.tar.gz", ArtifactKind.SDIST, []),
        ("no name", "demo-1.0.tar.gz", ArtifactKind.SDIST, []),
        ("a.whl", ONE, ArtifactKind.WHEEL, []),
    ],
)
def test_what_names_say(left: str, right: str, kind: ArtifactKind, starts: list[str]) -> None:
    found = list(notes_on(Path("there", left), Path(right), kind))
    assert [note[: len(start)] for note, start in zip(found, starts)] == starts
    assert len(found) == len(starts)


def test_of_two_builds_of_one_source_it_is_a_difference(tmp_path: Path) -> None:
    sides = []
    for tag, text in (("cp311", b"1"), ("cp312", b"2")):
        (tmp_path / tag).mkdir()
        path = write_wheel(tmp_path / tag, members({"demo_pkg/x.txt": text}))
        sides.append(path.rename(tmp_path / f"demo_pkg-1.0-{tag}-{tag}-any.whl"))
    assert [note[:18] for note in compare_files(*sides).notes] == ["they are for cp311"]
    build = replace(UNKNOWN_BUILD, user="ada")
    assert compare_files(*sides, (build, build)).notes == ()
