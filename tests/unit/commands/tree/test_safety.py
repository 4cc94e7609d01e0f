"""Trees that somebody else changes meanwhile, or that are more than what was installed."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from samebytes_tools.commands.tree import fix as tree_fix
from samebytes_tools.commands.tree import walk as tree_walk
from samebytes_tools.commands.tree.digest import digest
from support.installed import DATE, INFO, facts, fix_tree, install_into, project, strays

from samebytes.errors import ArchiveError, OutputError, UsageError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither these modes nor these links")

root_only = pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root may do this")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A canonical tree with one package."""
    install_into(tmp_path / "tree", project(tmp_path))
    return tmp_path / "tree"


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Path]:
    """A directory beside the tree, with the same names in it; nothing may happen to it."""
    place = tmp_path / "outside"
    (place / "__pycache__").mkdir(parents=True)
    for name in ("data.txt", "part.py", "secret"):
        (place / name).write_text("outside\n", encoding="utf-8")
        (place / name).chmod(0o600)
    place.chmod(0o700)
    before = facts(tmp_path / "outside"), place.stat().st_mode, place.stat().st_mtime_ns
    yield place
    assert (facts(place), place.stat().st_mode, place.stat().st_mtime_ns) == before


# Bits that mean something


@pytest.mark.parametrize("bits", [0o4000, 0o2000, 0o6000, 0o1000])
def test_special_bits_stay(bits: int, tree: Path) -> None:
    for name, mode in (("bin/demo", 0o710), ("demo/data.txt", 0o600), ("demo", 0o700)):
        (tree / name).chmod(mode | bits)
    fix_tree(tree)
    assert facts(tree)["bin/demo"][0] == 0o755 | bits
    assert facts(tree)["demo/data.txt"][0] == 0o644 | bits
    assert facts(tree)["demo"][0] == 0o755 | bits
    assert fix_tree(tree, write=False).changes == ()


@root_only
@pytest.mark.parametrize("how", ["written", "unshared"])
def test_a_file_that_is_replaced_keeps_its_owner(how: str, tree: Path, tmp_path: Path) -> None:
    """Else root would make a program of a user's that runs as root."""
    script = tree / "bin" / "demo"
    if how == "written":
        script.write_bytes(script.read_bytes().replace(b"import re\n", b""))
    else:
        os.link(script, tmp_path / "other")
        os.utime(script, (1, 1))
    os.chown(script, 12345, 12345)
    script.chmod(0o4755)
    fix_tree(tree, rebuild_record=True)
    found = script.stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode), found.st_mtime) == (12345, 12345, 0o4755, DATE)
    assert found.st_nlink == 1


# Links that come meanwhile


def to_link(path: Path, target: Path) -> None:
    """Put a link to *target* in the place of *path*."""
    path.rename(path.with_name(f"{path.name}.away"))
    path.symlink_to(target)


SWAPS: dict[str, Callable[[Path, Path], None]] = {
    "a file": lambda tree, outside: to_link(tree / "demo" / "data.txt", outside / "secret"),
    "a directory": lambda tree, outside: to_link(tree / "demo", outside),
    "a file by another": lambda tree, outside: (
        shutil.copy(outside / "secret", tree / "demo" / "data.txt.new")
        and (tree / "demo" / "data.txt.new").replace(tree / "demo" / "data.txt")
    ),
}


@pytest.mark.parametrize("swap", SWAPS)
def test_a_link_that_comes_between_listing_and_changing(
    swap: str, tree: Path, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tree / "demo" / "data.txt").chmod(0o600)
    (tree / "demo" / "part.py").chmod(0o600)
    (tree / "demo").chmod(0o700)
    planned = tree_fix.demand_permission

    def swapped(*arguments: object) -> None:
        planned(*arguments)  # type: ignore[arg-type]
        SWAPS[swap](tree, outside)

    monkeypatch.setattr(tree_fix, "demand_permission", swapped)
    with pytest.raises(OutputError, match=r"cannot be (changed|written): (was replaced|Too many|Not a dir)") as caught:
        fix_tree(tree)
    assert str(tree) in caught.value.message
    assert caught.value.remedy
    assert strays(tree) == []


@pytest.mark.parametrize("swap", SWAPS)
def test_a_link_that_comes_between_listing_and_reading(
    swap: str, tree: Path, outside: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the digest nor the tar has what is outside, whoever may read it."""
    listed = tree_walk.walk

    def walked(top: Path) -> object:
        nodes = listed(top)
        SWAPS[swap](tree, outside)
        return nodes

    monkeypatch.setattr("samebytes_tools.commands.tree.digest.walk", walked)
    with pytest.raises(ArchiveError, match=r"data\.txt: cannot be read|__init__\.py: cannot be read|part\.py: cannot"):
        digest(tree, tmp_path / "out.tar")
    assert not (tmp_path / "out.tar").exists()


def test_a_directory_that_becomes_a_link_while_it_is_listed(
    tree: Path, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan = tree_walk.Directories.scan

    def scanned(self: tree_walk.Directories, name: str) -> Iterator[os.DirEntry[str]]:
        found = list(scan(self, name))
        yield from found
        if not name:
            to_link(tree / "demo", outside)

    monkeypatch.setattr(tree_walk.Directories, "scan", scanned)
    with pytest.raises(ArchiveError, match=r"demo: cannot be read: (Not a directory|Too many levels)"):
        fix_tree(tree)


def test_a_tree_that_is_swapped_all_the_time(tree: Path, outside: Path) -> None:
    """Whatever comes of each run, nothing outside is ever changed, which the fixture looks at."""
    stop = threading.Event()

    def swap() -> None:
        place, away = tree / "demo", tree / "away"
        while not stop.is_set():
            place.rename(away)
            place.symlink_to(outside)
            place.unlink()
            away.rename(place)

    thread = threading.Thread(target=swap)
    thread.start()
    seen = set()
    try:
        for number in range(150):
            try:
                tree_fix.fix(tree, tree_fix.FixOptions("/opt/app", DATE + number, rebuild_record=True), None)
                seen.add("fixed")
            except (ArchiveError, OutputError) as error:
                seen.add(type(error).__name__)
    finally:
        stop.set()
        thread.join()
    assert len(seen) > 1, "the swaps never met a run"


@pytest.mark.parametrize("target", ["/dev/zero", "/dev/tty", "pipe", "."])
def test_a_link_in_a_record_that_leads_to_no_file(target: str, tree: Path) -> None:
    os.mkfifo(tree.parent / "pipe")
    (tree / "demo" / "data.txt").unlink()
    (tree / "demo" / "data.txt").symlink_to(tree.parent / target if target == "pipe" else target)
    with pytest.raises(ArchiveError, match=r"demo/data\.txt: cannot be read"):
        fix_tree(tree)


def test_files_that_their_owner_may_not_read_get_their_mode(tree: Path) -> None:
    for mode in (0, 0o200, 0o300):
        (tree / f"note{mode}").write_bytes(b"x")
        (tree / f"note{mode}").chmod(mode)
    fix_tree(tree)
    assert {name: found[0] for name, found in facts(tree).items() if "note" in name} == {
        "note0": 0o644,
        "note128": 0o644,
        "note192": 0o755,
    }


def test_links_get_the_time_and_what_they_lead_to_does_not(tree: Path, outside: Path) -> None:
    (tree / "link").symlink_to(outside / "secret")
    (tree / "links").symlink_to(outside)
    fix_tree(tree)
    assert (tree / "link").lstat().st_mtime == (tree / "links").lstat().st_mtime == DATE


def test_a_compiled_module_that_is_a_link_is_replaced_and_not_followed(tree: Path, outside: Path) -> None:
    (compiled,) = (tree / "demo" / "__pycache__").glob("part.*.pyc")
    compiled.unlink()
    compiled.symlink_to(outside / "secret")
    fix_tree(tree)
    assert not compiled.is_symlink()
    shutil.rmtree(compiled.parent)
    compiled.parent.symlink_to(outside / "__pycache__")
    with pytest.raises(OutputError, match="cannot be written"):
        fix_tree(tree)


# Whole systems, and what is mounted in a tree


@pytest.mark.parametrize(
    ("names", "refused"),
    [
        (("etc/passwd",), True),
        (("usr", "bin", "lib", "etc", "var"), True),
        (("usr", "etc", "dev", "proc", "sys", "tmp"), True),
        (("usr", "etc", "var"), False),  # and bin, which is there already
        (("bin", "lib", "include", "share", "etc", "pyvenv.cfg"), False),
        (("bin", "etc", "lib", "var", "tmp", "home"), False),
        (("usr",), False),
    ],
)
def test_a_whole_system_is_known_without_its_users(names: tuple[str, ...], refused: bool, tree: Path) -> None:
    for name in names:
        (tree / name).mkdir(parents=True, exist_ok=True)
    before = facts(tree)
    if not refused:
        fix_tree(tree)
        return
    with pytest.raises(UsageError, match="is a whole file system"):
        fix_tree(tree)
    assert facts(tree) == before


@pytest.mark.parametrize("spelling", ["/", "/.", "/usr/..", "//"])
def test_the_root_is_refused_however_it_is_called(spelling: str, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(spelling)
    for place in (Path(spelling), tmp_path / "link"):
        assert tree_fix.is_whole_system(place)
        with pytest.raises(UsageError, match="is a whole file system"):
            fix_tree(place, write=False)


MOUNTED = """
import sys
sys.path[:0] = {path!r}
from pathlib import Path
import subprocess
from support.installed import fix_tree
from samebytes.errors import UsageError
for command in {commands!r}:
    if subprocess.run(command, capture_output=True).returncode:
        raise SystemExit(125)
try:
    fix_tree(Path({tree!r}))
except UsageError as error:
    print(error.message)
"""


@pytest.mark.parametrize(
    ("below", "made", "problem"),
    [
        ("demo/mounted", (), "another file system is mounted there"),
        ("", ("usr", "etc"), "is a whole file system"),
        ("", ("usr",), ""),
    ],
)
def test_mounts(below: str, made: tuple[str, ...], problem: str, tree: Path) -> None:
    """In a mount namespace, so that it needs no more than a user namespace and leaves nothing mounted."""
    where = tree / below
    where.mkdir(exist_ok=True)
    commands = [["mount", "-t", "tmpfs", "none", str(where)], *(["mkdir", str(where / name)] for name in made)]
    code = MOUNTED.format(path=sys.path, commands=commands, tree=str(tree))
    command = ["unshare", "--mount", *(["--map-root-user"] if os.geteuid() else []), sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode in (1, 125):
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    assert problem in done.stdout
    assert bool(problem) == bool(done.stdout)


# Leftovers


@root_only
def test_what_others_left_stays(tree: Path) -> None:
    for number, owner in enumerate((0, 12345)):
        left = tree / "demo" / f".samebytes-{number:016}.tmp"
        left.touch()
        os.chown(left, owner, owner)
    fix_tree(tree)
    assert strays(tree) == [f".samebytes-{1:016}.tmp"]


def test_a_file_of_a_wheel_is_no_leftover(tmp_path: Path) -> None:
    name = f"demo/.samebytes-{0:016}.tmp"
    install_into(tmp_path / "site", project(tmp_path, files={"demo/__init__.py": b"", name: b"mine"}))
    assert (tmp_path / "site" / name).read_bytes() == b"mine"
    fix_tree(tmp_path / "site")
    assert (tmp_path / "site" / name).exists()
    assert name in (tmp_path / "site" / INFO / "RECORD").read_text("utf-8")


def test_the_tar_of_special_bits_has_them(tree: Path, tmp_path: Path) -> None:
    (tree / "bin" / "demo").chmod(0o4755)
    digest(tree, tmp_path / "out.tar")
    with tarfile.open(tmp_path / "out.tar") as file:
        assert file.getmember("bin/demo").mode == 0o4755
