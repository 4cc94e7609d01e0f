"""Tar files in wheels are looked into whatever their layout: names with ``./``, as tar has them, or several tops."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from samebytes_tools.comparison.archives import compare_files
from samebytes_tools.comparison.model import Comparison
from support.projects import write_tree
from support.wheels import FILES, members, write_wheel

TREE = {"a.txt": "a" * 3000, "b/c.txt": "c", "b/empty.txt": ""}


def packed(tree: Path, mtime: int, mode: int = 0o644) -> bytes:
    def plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.mtime, member.uid, member.gid, member.uname, member.gname = mtime, 0, 0, "", ""
        member.mode = mode if member.isfile() else 0o755
        return member

    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as target:
        target.add(tree, ".", filter=plain)
    data = bytearray(file.getvalue())
    data[4:8] = bytes(4)
    return bytes(data)


def compared(left: bytes, right: bytes, directory: Path) -> Comparison:
    sides = []
    for name, data in (("l", left), ("r", right)):
        (directory / name).mkdir()
        sides.append(write_wheel(directory / name, members({**FILES, "demo_pkg/parts.tar.gz": data})))
    return compare_files(*sides)


@pytest.mark.parametrize(
    ("how", "causes"),
    [({"mtime": 1_700_003_333}, ("D011",)), ({"mode": 0o600}, ("D010",)), ({"text": "z" * 3000}, ("D099",))],
)
def test_what_differs_in_it_is_reported_and_nothing_else(
    how: dict[str, object], causes: tuple[str, ...], tmp_path: Path
) -> None:
    tree = write_tree(tmp_path / "tree", TREE)
    left = packed(tree, 1_700_000_000)
    text = how.pop("text", None)
    if text:
        write_tree(tree, {**TREE, "a.txt": str(text)})
    found = compared(left, packed(tree, **{"mtime": 1_700_000_000, **how}), tmp_path)  # type: ignore[arg-type]
    assert found.causes == causes
    assert found.notes == ()
    names = {child.name for node in found.differences for child in node.children}
    assert ("a.txt" in names) is bool(text)


@pytest.mark.skipif(shutil.which("tar") is None, reason="needs tar")
@pytest.mark.parametrize("what", [["."], ["a.txt", "b"]])
@pytest.mark.parametrize("form", ["gnu", "ustar", "pax"])
def test_those_of_tar_itself(form: str, what: list[str], tmp_path: Path) -> None:
    tree, archives = write_tree(tmp_path / "tree", TREE), []
    for moment in (1_600_000_000, 1_700_003_333):
        for path in (tree, *tree.rglob("*")):
            os.utime(path, (moment, moment))
        command = ["tar", f"--format={form}", "-C", str(tree), "-c", *what]
        archives.append(gzip.compress(subprocess.run(command, capture_output=True, check=True).stdout, mtime=0))
    found = compared(archives[0], archives[1], tmp_path)
    assert (found.causes, found.notes) == (("D011",), ())
    wheres = {one.evidence.where for node in found.walk() for one in node.findings}
    assert wheres & {"member a.txt", "member b", "member b/"}


def test_what_is_cut_off_or_lies_is_not_looked_into(tmp_path: Path) -> None:
    whole = gzip.decompress(packed(write_tree(tmp_path / "tree", TREE), 1_700_000_000))
    lying = whole.replace(b"00000005670", b"77777777777")
    assert lying != whole
    found = compared(gzip.compress(whole[:2000]), gzip.compress(lying), tmp_path)
    assert found.causes
    assert any("not looked into" in note for note in found.notes)
