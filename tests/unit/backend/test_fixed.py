"""The fixed place: real mounts where the kernel allows them, real locks where it does not."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.processes import import_path

from samebytes.backend import fixed

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no fixed paths on Windows")

STRANGER = 12345
NOT_ALLOWED = "raise SystemExit(125)\n"
"""What enter.py does where the kernel allows no mount namespace."""


@pytest.fixture
def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The fixed place of this test."""
    monkeypatch.setattr(fixed, "PLACE", tmp_path / "fixed")
    return tmp_path / "fixed"


@pytest.fixture
def private(tmp_path: Path) -> Path:
    path = tmp_path / "private"
    path.mkdir()
    (path / "name").write_text("private")
    return path


@pytest.fixture
def mounts(at: Path, private: Path) -> None:
    at.mkdir()
    if fixed.mounted(private) is None:
        pytest.skip("needs a kernel that allows mount namespaces")


@pytest.fixture
def no_mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    enter = tmp_path / "enter.py"
    enter.write_text(NOT_ALLOWED)
    monkeypatch.setattr(fixed, "_ENTER", str(enter))


def said(here: fixed.Place, code: str, cwd: Path | None = None) -> str:
    """Return what Python prints at *here*."""
    command = [*here.prefix, sys.executable, "-I", "-c", f"import os, pathlib; {code}"]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=True).stdout.strip()


def never(text: str) -> None:
    raise AssertionError(f"a warning that was not called for: {text}")


@pytest.mark.usefixtures("mounts")
def test_a_build_sees_its_private_directory_at_the_fixed_path(at: Path, private: Path, tmp_path: Path) -> None:
    with fixed.place(private, {}, never) as here:
        assert (here.root, here.private, here.is_fixed) == (at, private, True)
        assert said(here, f"print(pathlib.Path({str(at)!r}, 'name').read_text())") == "private"
        assert said(here, f"pathlib.Path({str(at)!r}, 'made').touch()") == ""
        assert said(here, "print(os.getcwd())", tmp_path) == str(tmp_path), "it stays where it was started"
    assert (private / "made").exists()
    assert list(at.iterdir()) == [], "nobody else sees anything there"


@pytest.mark.usefixtures("mounts")
def test_two_builds_are_at_the_fixed_path_at_once(at: Path, private: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "name").write_text("other")
    with fixed.place(private, {}, never) as one, fixed.place(other, {}, never) as two:
        read = f"print(pathlib.Path({str(at)!r}, 'name').read_text())"
        assert (one.root, two.root) == (at, at)
        assert (said(one, read), said(two, read)) == ("private", "other")


@pytest.mark.usefixtures("mounts")
def test_a_hook_finds_its_trees_there(at: Path, private: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "setup.py").touch()
    here = fixed.hook_place(private, {"src": source}, {}, never)
    (source / "deeper").mkdir()
    assert said(here, "print(os.getcwd(), sorted(os.listdir('.')))", source) == f"{at}/src ['deeper', 'setup.py']"
    assert said(here, "print(os.getcwd())", source / "deeper") == f"{at}/src/deeper"
    assert said(here, "print(os.getcwd())", private) == str(at)
    (tmp_path / "source-too").mkdir()
    assert said(here, "print(os.getcwd())", tmp_path / "source-too") == str(tmp_path / "source-too")


@pytest.mark.usefixtures("mounts")
def test_what_a_locked_build_left_is_no_obstacle(at: Path, private: Path) -> None:
    (at / ".lock").touch()
    (at / "src").mkdir()
    with fixed.place(private, {}, never) as here:
        assert here.prefix


ENTER_AS_NOBODY = """
import ctypes, json, os, sys, encodings.ascii
sys.path.insert(0, os.path.dirname(sys.argv[1]))
import enter
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # PR_SET_DUMPABLE: as after starting a program; /proc/self is ours again
sys.argv[1:] = sys.argv[2:]
enter.main()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux mount namespaces")
def test_mounting_without_privileges() -> None:
    """As a user who is not root, by way of a user namespace."""
    with tempfile.TemporaryDirectory() as name:
        private, at = Path(name, "private"), Path(name, "fixed")
        for path in (private, at):
            path.mkdir()
        (private / "name").write_text("private")
        Path(name).chmod(0o755)
        options = json.dumps([[str(private), str(at)]])
        command = [sys.executable, "-c", ENTER_AS_NOBODY, fixed._ENTER, options, "/bin/sh", "-c", "id -u; cat name"]
        # The directories of our PATH may be closed to nobody.
        environ = {**os.environ, "PATH": os.defpath}
        done = subprocess.run(command, cwd=private, env=environ, capture_output=True, text=True, check=False)
    if done.returncode == 125:
        pytest.skip("needs a kernel that allows unprivileged user namespaces")
    assert (done.returncode, done.stdout) == (0, f"{os.geteuid() or 65534}\nprivate")


@pytest.mark.usefixtures("mounts")
def test_entering_fails_as_a_whole(at: Path, tmp_path: Path) -> None:
    options = json.dumps([[str(tmp_path / "missing"), str(at)]])
    command = [sys.executable, fixed._ENTER, options, "/bin/echo", "ran nevertheless"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (125, "")


@pytest.mark.usefixtures("no_mounts")
def test_without_namespaces_the_place_itself_is_taken_and_left_empty(at: Path, private: Path) -> None:
    with fixed.place(private, {}, never) as here:
        assert (here.root, here.private, here.prefix) == (at, at, ())
        assert [path.name for path in at.iterdir()] == [".lock"]
        (at / "src" / "deep").mkdir(parents=True)
        (at / "job").touch()
        (at / "link").symlink_to(private)
    assert [path.name for path in at.iterdir()] == [".lock"]
    assert (private / "name").exists(), "links are removed, not followed"


@pytest.mark.usefixtures("no_mounts")
def test_the_place_is_left_empty_and_free_after_an_error(at: Path, private: Path) -> None:
    def interrupted() -> None:
        with fixed.place(private, {}, never):
            (at / "src").mkdir()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [path.name for path in at.iterdir()] == [".lock"]
    with fixed.place(private, {}, never) as here:
        assert here.is_fixed


@pytest.mark.usefixtures("no_mounts")
def test_what_a_killed_build_left_is_cleared(at: Path, private: Path) -> None:
    (at / "src").mkdir(parents=True)
    (at / ".lock").touch()
    with fixed.place(private, {}, never):
        assert [path.name for path in at.iterdir()] == [".lock"]


HOLD = """
import fcntl, sys, time
lock = open(sys.argv[1], "a")
fcntl.flock(lock, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(float(sys.argv[2]))
"""


@pytest.fixture
def holder(at: Path) -> Iterator[subprocess.Popen[str]]:
    """Another build that has the place for half a second."""
    at.mkdir()
    command = [sys.executable, "-c", HOLD, str(at / ".lock"), "0.5"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


@pytest.mark.usefixtures("no_mounts", "holder")
def test_another_build_there_is_waited_for(private: Path) -> None:
    with fixed.place(private, {}, never) as here:
        assert here.is_fixed


@pytest.mark.usefixtures("no_mounts")
def test_but_not_for_long(at: Path, private: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fixed, "PATIENCE", 0.1)
    at.mkdir()
    warnings: list[str] = []
    with (at / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        (at / "theirs").touch()
        with fixed.place(private, {}, warnings.append) as here:
            assert (here.root, here.private, here.is_fixed) == (private, private, False)
    assert len(warnings) == 1
    assert "another build" in warnings[0]
    assert (at / "theirs").exists()


def refused(private: Path, environ: dict[str, str] | None = None) -> str:
    """Return the one warning; the build goes on in its private directory, whatever is wrong with the place."""
    warnings: list[str] = []
    with fixed.place(private, environ or {}, warnings.append) as here:
        assert here == fixed.Place(private, private)
    here = fixed.hook_place(private, {}, environ or {}, warnings.append)
    assert here == fixed.Place(private, private)
    assert len(warnings) == 2
    assert all(warning.startswith(f"not building at the fixed path {fixed.PLACE}: ") for warning in warnings)
    return warnings[0]


@pytest.mark.usefixtures("at")
def test_a_build_within_a_build_goes_elsewhere(private: Path) -> None:
    assert "inside one that is there" in refused(private, {fixed.IN_USE: "/tmp/samebytes"})


def test_a_file_in_its_place(at: Path, private: Path) -> None:
    at.touch()
    assert "it is not a directory" in refused(private)


@pytest.mark.parametrize("target", ["private", "missing"])
def test_a_link_in_its_place(target: str, at: Path, private: Path) -> None:
    at.symlink_to(private.with_name(target))
    assert "it is not a directory" in refused(private)
    assert (private / "name").exists()


def test_no_parent(private: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fixed, "PLACE", Path("/proc/samebytes"))
    assert "it cannot be used (" in refused(private)


def test_files_of_somebody_there_are_neither_hidden_nor_removed(at: Path, private: Path) -> None:
    """A clone or the very interpreter that runs this may be in /tmp/samebytes."""
    (at / "venv" / "bin").mkdir(parents=True)
    assert "it holds files that are not samebytes'" in refused(private)
    assert (at / "venv" / "bin").is_dir()


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() != 0, reason="only root can give a directory away")
def test_a_place_of_somebody_else(at: Path, private: Path) -> None:
    at.mkdir()
    os.chown(at, STRANGER, STRANGER)
    assert "it belongs to another user" in refused(private)


@pytest.mark.usefixtures("no_mounts")
def test_a_place_that_others_may_write_to(at: Path, private: Path) -> None:
    at.mkdir()
    at.chmod(0o777)
    warnings: list[str] = []
    with fixed.place(private, {}, warnings.append) as here:
        assert not here.is_fixed
    assert "others may write to it" in warnings[0]


@pytest.mark.usefixtures("no_mounts")
def test_a_lock_that_is_no_file(at: Path, private: Path) -> None:
    (at / ".lock").mkdir(parents=True)
    warnings: list[str] = []
    with fixed.place(private, {}, warnings.append) as here:
        assert not here.is_fixed
    assert len(warnings) == 1


@pytest.fixture
def noexec(tmp_path: Path) -> Iterator[Path]:
    """A directory where no programs may be run."""
    path = tmp_path / "noexec"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "noexec,mode=755", "samebytes-test", str(path)]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a tmpfs cannot be mounted here")
    yield path
    subprocess.run(["umount", str(path)], check=True)


@pytest.mark.usefixtures("no_mounts")
def test_a_place_where_no_programs_run(noexec: Path, private: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fixed, "PLACE", noexec)
    warnings: list[str] = []
    with fixed.place(private, {}, warnings.append) as here:
        assert not here.is_fixed
    assert len(warnings) == 1
    assert "programs there may not be run (noexec)" in warnings[0]


@pytest.mark.usefixtures("at")
def test_a_private_directory_where_no_programs_run(noexec: Path) -> None:
    private = noexec / "private"
    private.mkdir()
    warnings: list[str] = []
    with fixed.place(private, {}, warnings.append) as here:
        assert here.is_fixed
    assert len(warnings) == 1
    assert f"programs in {noexec} may not be run" in warnings[0]
    assert "TMPDIR" in warnings[0]


def test_the_place_is_made_for_everybody(at: Path, private: Path) -> None:
    before = os.umask(0o077)
    try:
        with fixed.place(private, {}, never):
            assert at.stat().st_mode & 0o777 == 0o755
    finally:
        os.umask(before)


REMOVE_AS_NOBODY = """
import os, pathlib, sys
from samebytes.backend.fixed import remove
if os.geteuid() == 0:
    os.setgid(65534); os.setuid(65534)
remove(pathlib.Path(sys.argv[1]))
"""


def test_read_only_directories_are_removed_too(tmp_path: Path) -> None:
    tree = tmp_path / "shared" / "tree"
    deep = tree / "a" / "b"
    deep.mkdir(parents=True)
    (deep / "file").touch()
    (tree / "link").symlink_to(tmp_path)
    for path in (deep, tree / "a"):
        path.chmod(0o555)
    outer = [*tmp_path.parents][:3]
    modes = {path: path.stat().st_mode for path in outer}
    if os.geteuid() == 0:
        for path in (tree, deep.parent, deep, deep / "file", tree.parent):
            os.chown(path, 65534, 65534)
        for path in (*outer, tmp_path):
            path.chmod(path.stat().st_mode | 0o111)
    command = [sys.executable, "-c", REMOVE_AS_NOBODY, str(tree)]
    subprocess.run(command, env={**os.environ, **import_path()}, check=True)
    for path, mode in modes.items():
        path.chmod(mode)
    assert not tree.exists()
    assert tmp_path.is_dir()
