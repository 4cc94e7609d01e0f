"""The fixed place: real mounts where the kernel allows them, the directory itself where it does not."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.processes import import_path

from samebytes.backend import fixed

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no fixed paths on Windows")
by_root = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs files of other users")

STRANGER = 12345
NOT_ALLOWED = "raise SystemExit(125)\n"
"""What enter.py does where the kernel allows no mount namespace."""


@pytest.fixture
def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The fixed place of this test."""
    path = tmp_path / "around" / "fixed"
    path.parent.mkdir()
    monkeypatch.setattr(fixed, "PLACE", path)
    return path


@pytest.fixture
def private(tmp_path: Path) -> Path:
    path = tmp_path / "private"
    path.mkdir()
    (path / "name").write_text("private")
    return path


@pytest.fixture
def mounts(at: Path, private: Path) -> None:
    assert not at.exists()
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
    here = fixed.place(private, {}, never)
    assert (here.root, here.private, here.is_fixed) == (at, private, True)
    assert said(here, f"print(pathlib.Path({str(at)!r}, 'name').read_text())") == "private"
    assert said(here, f"pathlib.Path({str(at)!r}, 'made').touch()") == ""
    assert said(here, "print(os.getcwd())", tmp_path) == str(tmp_path), "it stays where it was started"
    assert (private / "made").exists()
    assert not at.exists(), "nobody else sees anything there"


@pytest.mark.usefixtures("mounts")
def test_two_builds_are_at_the_fixed_path_at_once(at: Path, private: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "name").write_text("other")
    one, two = fixed.place(private, {}, never), fixed.place(other, {}, never)
    read = f"print(pathlib.Path({str(at)!r}, 'name').read_text())"
    assert (one.root, two.root) == (at, at)
    assert (said(one, read), said(two, read)) == ("private", "other")


@pytest.mark.usefixtures("mounts")
def test_a_hook_finds_its_trees_there(at: Path, private: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "setup.py").touch()
    here = fixed.place(private, {}, never, {"src": source})
    (source / "deeper").mkdir()
    assert said(here, "print(os.getcwd(), sorted(os.listdir('.')))", source) == f"{at}/src ['deeper', 'setup.py']"
    assert said(here, "print(os.getcwd())", source / "deeper") == f"{at}/src/deeper"
    assert said(here, "print(os.getcwd())", private) == str(at)
    (tmp_path / "source-too").mkdir()
    assert said(here, "print(os.getcwd())", tmp_path / "source-too") == str(tmp_path / "source-too")


@pytest.mark.usefixtures("mounts")
def test_what_is_beside_it_is_neither_hidden_nor_changed(at: Path, private: Path) -> None:
    """An interpreter may be there, a checkout, or what a service has."""
    around = at.parent
    (around / "deep" / "er").mkdir(parents=True)
    (around / "deep" / "er" / "file").write_text("deep")
    (around / "file").write_text("a file")
    (around / "link").symlink_to("deep/er")
    (around / "broken").symlink_to("nothing")
    here = fixed.place(private, {}, never)
    looking = (
        f"os.chdir({str(around)!r}); print(sorted(os.listdir('.')), open('file').read(), open('link/file').read())"
    )
    assert said(here, looking) == "['broken', 'deep', 'file', 'fixed', 'link'] a file deep"
    assert said(here, "print(os.getcwd(), os.listdir('.'))", around / "deep") == f"{around}/deep ['er']"
    assert said(here, f"pathlib.Path({str(around)!r}, 'deep', 'made').touch()") == ""
    assert (around / "deep" / "made").exists()
    assert sorted(path.name for path in around.iterdir()) == ["broken", "deep", "file", "link"]


@by_root
@pytest.mark.usefixtures("mounts")
@pytest.mark.parametrize("mode", [0o755, 0o1777])
def test_who_owns_what_is_around_it_does_not_matter(mode: int, at: Path, private: Path) -> None:
    os.chown(at.parent, STRANGER, STRANGER)
    at.parent.chmod(mode)
    here = fixed.place(private, {}, never)
    assert said(here, f"print(pathlib.Path({str(at)!r}, 'name').read_text())") == "private"


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
        private, at = Path(name, "private"), Path(name, "around", "fixed")
        for path in (private, at.parent):
            path.mkdir()
        (at.parent / "beside").mkdir()
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


def refused(private: Path, environ: dict[str, str] | None = None) -> str:
    """Return the one warning; the build goes on in its private directory, whatever is wrong with the place."""
    warnings: list[str] = []
    here = fixed.place(private, environ or {}, warnings.append)
    assert here == fixed.Place(private, private)
    assert not here.is_fixed
    assert len(warnings) == 1
    assert warnings[0].startswith(f"not building at the fixed path {fixed.PLACE}: ")
    return warnings[0]


@pytest.mark.usefixtures("no_mounts")
def test_without_namespaces_a_build_goes_elsewhere(at: Path, private: Path) -> None:
    assert "the kernel allows no mount namespace" in refused(private)
    assert not at.exists()


@by_root
@pytest.mark.usefixtures("no_mounts")
def test_without_namespaces_root_takes_the_directory_itself(at: Path, private: Path) -> None:
    with ExitStack() as ending:
        here = fixed.place(private, {}, never, ending=ending)
        assert here == fixed.Place(at, at)
        assert here.is_fixed
        assert stat.S_IMODE(at.stat().st_mode) == 0o755
        (at / "src").mkdir()
        assert "there is something else" in refused(private), "a second build does not wait"
    assert not at.exists()


@by_root
@pytest.mark.usefixtures("no_mounts")
@pytest.mark.parametrize("fault", ["another user's", "others may write"])
def test_a_directory_that_others_could_exchange_is_not_taken(fault: str, at: Path, private: Path) -> None:
    at.parent.chmod(0o1777 if "write" in fault else 0o755)
    if "user" in fault:
        os.chown(at.parent, STRANGER, STRANGER)
    warnings: list[str] = []
    with ExitStack() as ending:
        assert fixed.place(private, {}, warnings.append, ending=ending) == fixed.Place(private, private)
    assert len(warnings) == 1
    assert not at.exists()


@pytest.mark.usefixtures("at")
def test_a_build_within_a_build_goes_elsewhere(private: Path) -> None:
    assert "inside one that is there" in refused(private, {fixed.IN_USE: "/srv/samebytes"})


@pytest.mark.parametrize("kind", ["file", "link", "broken link", "directory", "another user's directory", "pipe"])
def test_what_somebody_has_there_is_not_hidden(kind: str, at: Path, private: Path) -> None:
    if "link" in kind:
        at.symlink_to(private if kind == "link" else private / "missing")
    elif "directory" in kind:
        (at / "venv" / "bin").mkdir(parents=True)
        if "user" in kind and os.geteuid() == 0:
            os.chown(at, STRANGER, STRANGER)
    elif kind == "pipe":
        os.mkfifo(at)
    else:
        at.touch()
    before = at.lstat()
    assert "there is something else" in refused(private)
    assert at.lstat() == before
    assert (private / "name").exists()


def test_no_directory_for_it(private: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fixed, "PLACE", private / "missing" / "samebytes")
    assert f"there is no directory {private}/missing" in refused(private)


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


def test_around_it_no_programs_may_be_run(noexec: Path, private: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """But in it they may: it is another file system."""
    monkeypatch.setattr(fixed, "PLACE", noexec / "fixed")
    (private / "program").write_text("#!/bin/sh\necho run\n")
    (private / "program").chmod(0o755)
    here = fixed.place(private, {}, never)
    assert said(here, f"os.execv({str(noexec / 'fixed' / 'program')!r}, ['program'])") == "run"


@pytest.mark.usefixtures("mounts")
def test_a_private_directory_where_no_programs_run(noexec: Path) -> None:
    private = noexec / "private"
    private.mkdir()
    warnings: list[str] = []
    assert fixed.place(private, {}, warnings.append).is_fixed
    assert len(warnings) == 1
    assert f"programs in {noexec} may not be run" in warnings[0]
    assert "TMPDIR" in warnings[0]


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
