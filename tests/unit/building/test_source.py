"""Source trees for a build: what is unpacked is what tarfile unpacks."""

from __future__ import annotations

import io
import os
import stat
import tarfile
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from samebytes_tools.building.source import unpack
from support.examples import examples

from samebytes.errors import ArchiveError

TOP = "demo-1.0"
PKG_INFO = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n"

MEMBERS = st.tuples(
    st.sampled_from(["a.py", "b.py", "pkg/a.py", "pkg", "pkg/sub", "pkg/sub/b.py"]),
    st.sampled_from([tarfile.REGTYPE, tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE]),
    st.sampled_from(["PKG-INFO", "a.py", "b.py", "pkg/a.py"]),
    st.binary(max_size=3),
    st.sampled_from([0o644, 0o755, 0o600]),
)


def add(file: tarfile.TarFile, name: str, kind: bytes, target: str, data: bytes, mode: int) -> None:
    info = tarfile.TarInfo(f"{TOP}/{name}")
    info.type, info.mode, info.mtime = kind, mode, 1600000000
    if kind == tarfile.LNKTYPE:
        info.linkname = f"{TOP}/{target}"
    elif kind == tarfile.SYMTYPE:
        info.linkname = "../" * name.count("/") + target
    info.size = len(data) if kind == tarfile.REGTYPE else 0
    file.addfile(info, io.BytesIO(data) if info.size else None)


def sdist(directory: Path, members: list[tuple[str, bytes, str, bytes, int]]) -> Path:
    path = directory / f"{TOP}.tar.gz"
    with tarfile.open(path, "w:gz") as file:
        add(file, "PKG-INFO", tarfile.REGTYPE, "", PKG_INFO, 0o644)
        for member in members:
            add(file, *member)
    return path


def facts(tree: Path) -> dict[str, tuple[str, bytes, int]]:
    """What is in *tree*: the kind of each path, its contents or its target, and whether its owner may run it."""
    found = {}
    for path in sorted(tree.rglob("*")):
        name = path.relative_to(tree).as_posix()
        mode = path.lstat().st_mode
        if path.is_symlink():
            found[name] = ("link", os.fsencode(path.readlink()), 0)
        elif path.is_dir():
            found[name] = ("directory", b"", 0)
        else:
            found[name] = ("file", path.read_bytes(), mode & stat.S_IXUSR)
    return found


@settings(max_examples=examples(200), deadline=None)
@given(st.lists(MEMBERS, max_size=5), st.booleans())
def test_what_is_unpacked_is_what_tarfile_unpacks(
    members: list[tuple[str, bytes, str, bytes, int]], repeated: bool
) -> None:
    """Of a member given twice the last one counts, links among them, as far as such an archive is read at all."""
    with tempfile.TemporaryDirectory() as name:
        path = sdist(Path(name), members + members[:1] * repeated)
        try:
            tree = unpack(path, Path(name, "ours"))
        except ArchiveError:
            return
        with tarfile.open(path) as file:
            file.extractall(Path(name, "tarfile"), filter="tar")
        assert facts(tree) == facts(Path(name, "tarfile", TOP))


def test_a_link_that_is_given_twice(tmp_path: Path) -> None:
    link = ("link.py", tarfile.SYMTYPE, "a.py", b"", 0o644)
    path = sdist(tmp_path, [("a.py", tarfile.REGTYPE, "", b"x", 0o644), link, link])
    tree = unpack(path, tmp_path / "out")
    assert facts(tree)["link.py"] == ("link", b"a.py", 0)
    assert tree == tmp_path / "out" / TOP
