"""Source trees in memory: real mount namespaces, as root and as another user; limits that are set for real."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
import samebytes_tools
from samebytes_tools.building import memory
from samebytes_tools.building.enter_memory import fill, lists_backwards
from samebytes_tools.building.memory import in_memory
from support.processes import import_path, is_running, wait_for

import samebytes
from samebytes.backend import fixed
from samebytes.backend.fixed import Place

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux mount namespaces")

NAMES = ["B", "a", "a-", "b", "c", "d", "e", "f", "z", "é"]
"""In the order of their bytes."""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A place with a mount namespace, and a tree in it that was filled in another order."""
    at, private = tmp_path / "around" / "fixed", tmp_path / "private"
    at.parent.mkdir()
    monkeypatch.setattr(fixed, "PLACE", at)
    for directory in (private / "src", private / "src" / "deeper"):
        directory.mkdir(parents=True, exist_ok=True)
        for name in NAMES[5:] + NAMES[4::-1]:
            (directory / name).write_text(name)
    place = fixed.mounted(private)
    if place is None:
        pytest.skip("needs a kernel that allows mount namespaces")
    return place


def output(here: Place, *command: str, cwd: Path | None = None) -> str:
    """Return what *command* prints at *here*; the tree is its directory."""
    words = [*here.prefix, *command]
    done = subprocess.run(words, cwd=cwd or here.private / "src", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def never(text: str) -> None:
    raise AssertionError(f"a report that was not called for: {text}")


LIST = (sys.executable, "-I", "-c", "import os; print(*os.listdir()); print(*os.listdir('deeper')); print(os.getcwd())")


def test_programs_see_the_tree_in_the_order_of_the_names(here: Place) -> None:
    with in_memory(here, never) as found:
        assert found is not None
        whole, deeper, cwd = output(found.place, *LIST).splitlines()
        assert whole.split() == sorted([*NAMES, "deeper"], key=os.fsencode)
        assert deeper.split() == NAMES
        assert cwd == f"{here.root}/src"
        find = shutil.which("find")
        assert find is not None
        assert output(found.place, find, ".", "-path", "./deeper/*").split() == [f"./deeper/{name}" for name in NAMES]


def test_what_one_command_writes_the_next_one_sees_and_the_directory_does_not(here: Place) -> None:
    before = sorted(here.private.rglob("*"))
    with in_memory(here, never) as found:
        assert found is not None
        output(found.place, "/bin/sh", "-c", "echo made >made; rm a; echo out >../out")
        assert output(found.place, "/bin/sh", "-c", "cat made; ls a || true") == "made\n"
        assert not found.is_full()
        assert output(found.place, "/bin/sh", "-c", "pwd", cwd=here.private) == f"{here.root}\n"
        assert output(found.place, "/bin/sh", "-c", "pwd", cwd=Path("/usr")) == "/usr\n"
    assert sorted(here.private.rglob("*")) == sorted([*before, here.private / "out"])


def test_modes_times_and_links_are_kept(here: Place) -> None:
    tree = here.private / "src"
    (tree / "a").chmod(0o755)
    (tree / "link").symlink_to("deeper")
    (tree / "broken").symlink_to("nowhere")
    os.utime(tree / "link", (7, 7), follow_symlinks=False)
    os.utime(tree / "deeper", ns=(10**18 + 1, 10**18 + 1))
    show = "import os; print(*((n, s.st_mode, s.st_mtime_ns) for n in sorted(os.listdir()) for s in [os.lstat(n)]))"
    command = (sys.executable, "-I", "-c", show + "; print(os.readlink('link'), os.readlink('broken'))")
    expected = output(here, *command)
    with in_memory(here, never) as found:
        assert found is not None
        assert output(found.place, *command) == expected


def test_git_sees_an_unchanged_checkout(here: Place) -> None:
    tree = here.private / "src"
    for words in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=b", "commit", "-qm", "c"]):
        subprocess.run(["git", *words], cwd=tree, check=True)
    git = shutil.which("git")
    assert git is not None
    with in_memory(here, never) as found:
        assert found is not None
        output(found.place, git, "-c", "safe.directory=*", "diff-index", "--quiet", "HEAD")


def test_nothing_is_left(here: Place) -> None:
    """Nor does what goes on in the namespace, as a compiler server does, keep the memory."""
    with in_memory(here, never) as found:
        assert found is not None
        words = [*found.place.prefix, "/bin/sh", "-c", "echo started; exec sleep 60"]
        server = subprocess.Popen(words, cwd=here.private / "src", stdout=subprocess.PIPE)
        assert server.stdout is not None
        assert server.stdout.readline() == b"started\n"
        left = Path(f"/proc/{server.pid}/root{here.root}/src")
        assert os.listdir(left)
    try:
        assert os.listdir(left) == []
        assert not is_running(found.holder)
    finally:
        server.kill()
        server.communicate()


@pytest.mark.parametrize("fault", [KeyboardInterrupt, SystemExit])
def test_an_interruption_ends_it_at_once(fault: type[BaseException], here: Place) -> None:
    with pytest.raises(fault), in_memory(here, never) as found:
        raise fault
    assert found is not None
    assert not is_running(found.holder)


HOLDING = """
import subprocess, sys
from pathlib import Path
from samebytes_tools.building.memory import in_memory
from samebytes.backend import fixed
fixed.PLACE = Path(sys.argv[2])
here = fixed.mounted(Path(sys.argv[1]))
if here is None:
    sys.exit(125)
reports = []
with in_memory(here, reports.append) as found:
    print(reports, found and found.holder, flush=True)
    if found:
        shown = subprocess.run([*found.place.prefix, "/bin/ls", "-U"], cwd=here.private / "src", capture_output=True)
        print(*shown.stdout.decode().split(), found.is_full(), flush=True)
    sys.stdin.read()
"""


def test_without_privileges() -> None:
    """As a user who is not root, by way of user namespaces."""
    is_root = os.geteuid() == 0
    nobody: dict[str, Any] = {"user": 65534, "group": 65534, "extra_groups": []} if is_root else {}
    with tempfile.TemporaryDirectory() as name:
        source = Path(name, "private", "src")
        source.mkdir(parents=True)
        Path(name, "around").mkdir()
        for file in ("c", "a", "b"):
            (source / file).touch()
        for package in (samebytes, samebytes_tools):
            own = Path(package.__file__).parent
            shutil.copytree(own, Path(name, own.name), ignore=shutil.ignore_patterns("__pycache__"))
        for path in (Path(name), *Path(name).rglob("*")):
            path.chmod(0o777)
        python = shutil.which("python3", path=f"{os.defpath}:/usr/local/bin") if is_root else sys.executable
        if python is None:
            pytest.skip("needs a Python that other users may run")
        done = subprocess.run(
            [python, "-c", HOLDING, str(source.parent), f"{name}/around/fixed"],
            **nobody,
            env={"PATH": os.defpath, "PYTHONPATH": name, "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode == 125:
        pytest.skip("needs a kernel that allows unprivileged user namespaces")
    assert done.stdout.splitlines()[1:] == ["a b c False"], (done.stdout, done.stderr)


def test_it_ends_with_a_build_that_is_killed(here: Place) -> None:
    words = ["-c", HOLDING, str(here.private), str(here.root)]
    environ = {**os.environ, **import_path()}
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, *words], env=environ, stdin=pipe, stdout=pipe, text=True) as build:
        assert build.stdout is not None
        reports, _, holder = build.stdout.readline().strip().rpartition(" ")
        assert reports == "[]"
        assert build.stdout.readline().startswith("B a a- b")
        assert is_running(int(holder))
        build.kill()
    wait_for(lambda: not is_running(int(holder)))


def test_too_little_memory(here: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    needed = 2 * memory._size(here.private / "src") + memory._ROOM_TO_BUILD
    reports: list[str] = []
    for there in (2 * needed - 2, 0):
        monkeypatch.setattr(memory, "available", lambda there=there: there)
        with in_memory(here, reports.append) as found:
            assert found is None
    assert reports == [f"in memory it needs 64 MiB, and {size} MiB can be had" for size in (64, 0)]
    monkeypatch.setattr(memory, "available", lambda: 2 * needed)
    with in_memory(here, never) as found:
        assert found is not None


def test_it_takes_no_more_than_it_may(here: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_ROOM_TO_BUILD", 1 << 20)
    monkeypatch.setattr(memory, "available", lambda: 16 << 20)
    with in_memory(here, never) as found:
        assert found is not None
        assert not found.is_full()
        output(found.place, "/bin/sh", "-c", "head -c 9000000 /dev/zero >large || true")
        assert (
            output(found.place, "/bin/sh", "-c", "wc -c <large").strip() == str(8 << 20 >> 12 << 12) or found.is_full()
        )
        assert found.is_full()


def test_what_the_copy_cannot_hold_is_reported(here: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    (here.private / "src" / "large").write_bytes(bytes(2 << 20))
    monkeypatch.setattr(memory, "_size", lambda _: 0)
    monkeypatch.setattr(memory, "_ROOM_TO_BUILD", 0)
    monkeypatch.setattr(memory, "available", lambda: 2 << 20)
    reports: list[str] = []
    with in_memory(here, reports.append) as found:
        assert found is None
    assert len(reports) == 1
    assert os.strerror(errno.ENOSPC) in reports[0]


def test_a_place_without_a_namespace(tmp_path: Path) -> None:
    with in_memory(Place(tmp_path, tmp_path), never) as found:
        assert found is None


def test_what_is_available_is_at_most_what_the_system_has() -> None:
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert 0 < memory.available() <= total


@pytest.mark.parametrize(
    ("files", "left"),
    [
        ({}, sys.maxsize),
        ({"memory.max": "max\n", "memory.current": "5\n"}, sys.maxsize),
        ({"memory.max": "1000\n", "memory.current": "400\n", "memory.stat": "anon 1\ninactive_file 30\n"}, 630),
        ({"memory.limit_in_bytes": "1000\n", "memory.usage_in_bytes": "400\n"}, 600),
        (
            {"memory.limit_in_bytes": "9\n", "memory.usage_in_bytes": "9\n", "memory.stat": "total_inactive_file 7\n"},
            7,
        ),
    ],
)
def test_limits_of_control_groups(files: dict[str, str], left: int, tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert memory._left(tmp_path) == left


@pytest.mark.parametrize("backwards", [False, True])
def test_a_tree_is_filled_in_the_order_of_the_names(backwards: bool, tmp_path: Path) -> None:
    """Inode numbers of a new file system in memory count up, whatever it lists first."""
    mount = ["mount", "-t", "tmpfs", "samebytes-test", str(tmp_path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a tmpfs cannot be mounted here")
    try:
        lists_backwards(tmp_path)
        (tmp_path / "one").mkdir()
        for name in NAMES[5:] + NAMES[4::-1]:
            (tmp_path / "one" / name).touch()
        (tmp_path / "other").mkdir()
        fill(tmp_path / "one", tmp_path / "other", backwards=backwards)
        numbers = {(tmp_path / "other" / name).stat().st_ino: name for name in NAMES}
        assert [numbers[number] for number in sorted(numbers)] == (NAMES[::-1] if backwards else NAMES)
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)
