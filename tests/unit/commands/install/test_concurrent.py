"""Installs into one directory at once, and into directories of other users: real processes, real users."""

from __future__ import annotations

import csv
import fcntl
import itertools
import json
import os
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from samebytes_tools.commands.install import move as install_move
from samebytes_tools.commands.install.install import install
from samebytes_tools.commands.install.interpreter import TARGET
from samebytes_tools.commands.install.wheel import InstallOptions
from support.installed import DATE, FINAL, PYTHON, facts, install_into, project, strays
from support.wheels import spelt

from samebytes.commands import main as cli
from samebytes.errors import UsageError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither fork nor users to change to")

STRANGER = 12345

AT_ONCE = """
import errno, json, os, sys
sys.path[:0] = {path!r}
from pathlib import Path
from support.installed import PYTHON, FINAL, DATE
from samebytes_tools.commands.install import move, stage
from samebytes_tools.commands.install.install import install
from samebytes_tools.commands.install.interpreter import TARGET
from samebytes_tools.commands.install.wheel import InstallOptions
from samebytes.errors import SamebytesError

top, locks, *jobs = json.loads(sys.stdin.read())
if not locks:
    def none(descriptor):
        raise OSError(errno.ENOTSUP, "no locks here")
    move.take = stage.take = none
options = InstallOptions(Path(top), FINAL, TARGET, PYTHON, date=DATE, levels=())
go, gate = os.pipe()
children = {{}}
for wheels in jobs:
    child = os.fork()
    if not child:
        os.close(gate)
        os.read(go, 1)  # all begin when this end of the pipe is closed
        try:
            install([Path(wheel) for wheel in wheels], options, None)
        except SamebytesError as error:
            Path(wheels[0] + ".error").write_text(f"{{type(error).__name__}}: {{error.message}}")
            os._exit(1)
        except BaseException as error:
            Path(wheels[0] + ".error").write_text(f"bug: {{error!r}}")
            os._exit(2)
        os._exit(0)
    children[child] = wheels[0]
os.close(gate)
answer = {{}}
while children:
    child, status = os.wait()
    name = children.pop(child)
    answer[name] = "" if status == 0 else Path(name + ".error").read_text()
print(json.dumps(answer))
"""


def at_once(top: Path, jobs: Sequence[Path], *, locks: bool = True) -> dict[Path, str]:
    """Install each of *jobs*, wheels, by a process of its own, all at once; return what each reports.

    :param locks: whether the file system has locks.
    """
    asked = json.dumps([str(top), locks, *([str(wheel)] for wheel in jobs)])
    command = [sys.executable, "-c", AT_ONCE.format(path=sys.path)]
    done = subprocess.run(command, input=asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {Path(name): text for name, text in json.loads(done.stdout).items()}


def assert_records_hold(top: Path) -> None:
    """Demand that every RECORD is true, and every file in one of them."""
    listed = set()
    for record in top.glob("*.dist-info/RECORD"):
        with record.open(encoding="utf-8", newline="") as file:
            for name, digest, _ in csv.reader(file):
                assert not digest or spelt((top / name).read_bytes()) == digest
                listed.add(name)
    assert listed == {name for name in facts(top) if (top / name).is_file()}


@pytest.mark.parametrize(
    ("count", "below", "locks"),
    [
        (40, "", True),
        pytest.param(100, "site", True, marks=pytest.mark.slow("many processes at once")),
        pytest.param(200, "site", True, marks=pytest.mark.broad("the more there are, the longer each waits")),
        pytest.param(40, "a/b/site", True, marks=pytest.mark.slow("many processes at once")),
        pytest.param(60, "a/site", False, marks=pytest.mark.slow("many processes at once")),
    ],
)
def test_hundreds_of_installs_at_once(count: int, below: str, locks: bool, tmp_path: Path) -> None:
    """Of projects that share a namespace, so that they come upon one another's files."""
    (tmp_path / "base").mkdir()
    top = tmp_path / "base" / below
    names = {f"p{number:03}" for number in range(count)}
    wheels = [
        project(tmp_path, name, {"space/__init__.py": b"", f"space/{name}/x.py": b"", f"{name}.py": b""})
        for name in sorted(names)
    ]
    found = at_once(top, wheels, locks=locks)
    assert {wheel: text for wheel, text in found.items() if text} == {}
    assert found.keys() == set(wheels)
    assert {name for name in names if {f"space/{name}/x.py", f"bin/{name}"} <= facts(top).keys()} == names
    assert_records_hold(top)
    assert strays(tmp_path) == []
    assert {time for _, time, _ in facts(top).values()} == {DATE * 10**9}


def test_installs_that_fail_take_nothing_from_others(tmp_path: Path) -> None:
    top = tmp_path / "site"
    jobs = []
    for number in range(120):
        name = f"p{number:03}"
        files = {"space/__init__.py": b"", f"space/{name}.py": b"", "z/deep/__init__.py": b""}
        if number % 3 == 0:
            files["z/deep/other.py"] = b"%d" % number  # one of them can have it
        jobs.append(project(tmp_path, name, files))
    found = at_once(top, jobs)
    failed = {wheel for wheel, text in found.items() if text}
    assert failed < set(jobs[::3])
    assert len(failed) == len(jobs[::3]) - 1
    for wheel in failed:
        assert "z/deep/other.py: is in the way" in found[wheel]
    assert_records_hold(top)
    installed = {f"{wheel.name.partition('-')[0]}-1.0.dist-info" for wheel in set(jobs) - failed}
    assert {path.name for path in top.glob("*.dist-info")} == installed
    assert strays(tmp_path) == []


def test_an_install_that_is_faster_after_the_check_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its files are the same, so none would be in the way; but a project is installed once."""
    top, steps = tmp_path / "base" / "site", install_move._steps

    def overtaken(source: Path, target: Path) -> Iterator[object]:
        monkeypatch.setattr(install_move, "_steps", steps)
        install_into(top, project(tmp_path / "faster"))
        return steps(source, target)

    monkeypatch.setattr(install_move, "_steps", overtaken)
    (tmp_path / "base").mkdir()
    with pytest.raises(UsageError, match="its project is installed already"):
        install_into(top, project(tmp_path / "slower"))
    assert_records_hold(top)
    assert strays(tmp_path) == []


def test_one_project_by_many_is_installed_once(tmp_path: Path) -> None:
    wheels = [project(tmp_path / f"w{number}") for number in range(60)]
    found = at_once(tmp_path / "site", wheels)
    assert sum(not text for text in found.values()) == 1
    for text in filter(None, found.values()):
        assert text.startswith("UsageError: ")
        assert "its project is installed already: " in text
    install_into(tmp_path / "clean", wheels[0])
    assert facts(tmp_path / "site").keys() == {name for name in facts(tmp_path / "clean") if "__pycache__" not in name}
    assert strays(tmp_path) == []


def test_a_lock_that_is_never_released_is_reported_and_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever can read a directory can lock it, and is not to stop others by that."""
    monkeypatch.setattr(install_move, "_PATIENCE", 1.5)
    top, source = tmp_path / "site", project(tmp_path)
    top.mkdir()
    warnings: list[str] = []
    descriptor = os.open(top, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        options = InstallOptions(top, FINAL, TARGET, PYTHON, date=DATE, levels=())
        install([source], options, None, warnings.append)
    finally:
        os.close(descriptor)
    assert warnings == [f"another process has locked {top}: waiting for it"]
    assert (top / "demo" / "__init__.py").is_file()


# Other users

AS_ANOTHER = """
import os, sys
sys.path[:0] = {path!r}
from pathlib import Path
import encodings.ascii, encodings.idna, configparser, csv, fcntl, json, tempfile, zipfile
from support.installed import DATE, FINAL, PYTHON
from samebytes_tools.commands.install.install import install
from samebytes_tools.commands.install.interpreter import TARGET
from samebytes_tools.commands.install.wheel import InstallOptions
from samebytes.errors import SamebytesError

with tempfile.TemporaryDirectory() as name:  # loads all that this user cannot read in the directories of ours
    install([Path({wheel!r})], InstallOptions(Path(name), FINAL, TARGET, PYTHON, date=DATE, levels=()), None)
os.umask(0o077)
os.setgroups([])
os.setgid({group})
os.setuid({user})
try:
    options = InstallOptions(Path({top!r}), FINAL, TARGET, PYTHON, date=DATE, levels=())
    for note in install([Path({wheel!r})], options, None).notes:
        print(*note, sep=": ")
except SamebytesError as error:
    print(error)
"""

root_only = pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root may become another user")


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """A directory that every user can reach, which those of pytest are not."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def as_another(top: Path, wheel: Path, *, user: int = STRANGER, group: int = STRANGER) -> str:
    """Install as another user, and return what is printed."""
    code = AS_ANOTHER.format(path=sys.path, top=str(top), wheel=str(wheel), user=user, group=group)
    done = subprocess.run([sys.executable, "-c", code], cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def foreign(place: Path, owner: int = STRANGER, mode: int = 0o700) -> Path:
    """Make what looks like a private directory of *owner*."""
    stage = place / f".samebytes-{os.urandom(8).hex()}.tmp"
    stage.mkdir()
    (stage / "file").touch()
    os.chown(stage, owner, owner)
    stage.chmod(mode)
    return stage


@root_only
@pytest.mark.parametrize("mode", [0o700, 0o777, 0])
def test_what_another_user_left_stops_nobody_and_stays(mode: int, open_to_all: Path) -> None:
    open_to_all.chmod(0o1777)
    source = project(open_to_all)
    stage = foreign(open_to_all, mode=mode)
    (open_to_all / f".samebytes-{'0' * 16}.tmp").symlink_to("/")
    assert as_another(open_to_all / "his", source, user=STRANGER + 1) == ""
    install_into(open_to_all / "ours", source)
    assert (stage / "file").exists()
    assert (open_to_all / "his" / "demo").is_dir()
    assert (open_to_all / "ours" / "demo").is_dir()
    assert as_another(open_to_all / "theirs", source) == ""
    assert stage.exists() == (mode == 0), "its owner's next install takes it away, if it can be opened"


@root_only
def test_root_removes_nothing_where_another_could_have_named_it(open_to_all: Path) -> None:
    home = open_to_all / "home"
    home.mkdir()
    os.chown(home, STRANGER, STRANGER)
    stage = foreign(home, owner=0)
    install_into(home / "site", project(open_to_all))
    assert (stage / "file").exists()
    install_into(open_to_all / "site", project(open_to_all))
    stage = foreign(open_to_all, owner=0)
    install_into(open_to_all / "other", project(open_to_all))
    assert not stage.exists()


def access_control_list(user: int) -> bytes:
    """Return what lets *user* write beside the owner, as Linux stores it (linux/posix_acl_xattr.h)."""
    rows = [(0x01, 7, -1), (0x02, 7, user), (0x04, 5, -1), (0x10, 7, -1), (0x20, 5, -1)]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHi", *row) for row in rows)


@root_only
@pytest.mark.parametrize("how", ["group", "sticky", "acl"])
@pytest.mark.parametrize("there", [False, True])
def test_a_directory_that_one_may_write_to_and_does_not_own(how: str, there: bool, open_to_all: Path) -> None:
    group = open_to_all / "group"
    group.mkdir()
    if how == "group":
        os.chown(group, 0, STRANGER)
        group.chmod(0o2775)
    elif how == "sticky":
        group.chmod(0o1777)
    else:
        for kind in ("access", "default"):
            os.setxattr(group, f"system.posix_acl_{kind}", access_control_list(STRANGER))
    top = group if there else group / "site"
    printed = as_another(top, project(open_to_all))
    assert printed == ("mtime: .: not set to the date: the directory belongs to another user" if there else "")
    install_into(open_to_all / "own", project(open_to_all), levels=())
    assert facts(top) == facts(open_to_all / "own")
    assert (top / "demo").stat().st_uid == STRANGER
    assert strays(open_to_all) == []


@root_only
@pytest.mark.parametrize("mode", [0o755, 0o555, 0o700])
def test_a_directory_that_one_may_not_write_to(mode: int, open_to_all: Path) -> None:
    top = open_to_all / "site"
    top.mkdir(mode=mode)
    top.chmod(mode)
    printed = as_another(top, project(open_to_all))
    assert f"{top}" in printed
    assert "Permission denied" in printed
    assert list(top.iterdir()) == []


@root_only
def test_a_directory_in_it_that_one_may_not_write_to(open_to_all: Path) -> None:
    top = open_to_all / "site"
    (top / "demo").mkdir(parents=True)
    top.chmod(0o777)
    (top / "demo").chmod(0o755)
    printed = as_another(top, project(open_to_all))
    assert f"{top}/demo/__init__.py: cannot be put in place: Permission denied" in printed
    assert facts(top).keys() == {"demo"}
    assert strays(open_to_all) == []


@root_only
@pytest.mark.parametrize("mode", [0o1777, 0o777])
@pytest.mark.parametrize("owner", [STRANGER, STRANGER + 1, 0])
def test_a_link_in_it_that_another_user_planted(owner: int, mode: int, open_to_all: Path) -> None:
    """Only those are followed that are one's own, or of the directory's owner, as lib64 of a virtual environment is."""
    top, his = open_to_all / "site", open_to_all / "his"
    for directory in (top, his):
        directory.mkdir()
        directory.chmod(mode)
    os.chown(his, STRANGER, STRANGER)
    (top / "demo").symlink_to(his)
    os.lchown(top / "demo", owner, owner)
    printed = as_another(top, project(open_to_all))
    if owner == STRANGER + 1:
        assert f"{top}/demo: is in the way of the directory" in printed
        assert list(his.iterdir()) == []
    else:
        assert (his / "__init__.py").is_file()
    assert strays(open_to_all) == []


@root_only
def test_a_target_that_is_a_link_that_another_user_planted(
    open_to_all: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    open_to_all.chmod(0o1777)
    (open_to_all / "mine").mkdir()
    (open_to_all / "site").symlink_to("mine")
    os.lchown(open_to_all / "site", STRANGER, STRANGER)
    source = project(open_to_all)
    for below in ("site", "site/below"):
        assert cli.main(["install", str(source), "--target", str(open_to_all / below)]) == 8
        assert f"{open_to_all}/site: this link belongs to another user" in capsys.readouterr().err
    assert list((open_to_all / "mine").iterdir()) == []
    os.lchown(open_to_all / "site", 0, 0)
    assert cli.main(["install", "-q", str(source), "--target", str(open_to_all / "site" / "below")]) == 0
    assert (open_to_all / "mine" / "below" / "demo").is_dir()


def test_a_killed_install_is_completed_by_another(tmp_path: Path) -> None:
    """After whichever step: into a tree that is there already, several things are moved, and directories get times."""
    space = {"z/deep/__init__.py": b""}
    first, *others = (project(tmp_path, name, {**space, f"space/{name}/x.py": b""}) for name in ("one", "two", "three"))

    def run(top: Path, wheels: Sequence[Path]) -> None:
        install(wheels, InstallOptions(top, "/opt/app", TARGET, PYTHON, date=DATE, levels=()), None)

    def killed(top: Path, last: int) -> bool:
        """Install until the step number *last*, and return whether there was one."""
        child = os.fork()
        if child:
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
        steps = itertools.count(1)
        for name in ("_put", "set_time"):
            work = getattr(install_move, name)
            setattr(
                install_move, name, lambda *given, work=work: (work(*given), next(steps) == last and os._exit(9))[0]
            )
        run(top, others)
        os._exit(0)

    for top in (tmp_path / "whole", *(tmp_path / f"killed {number}" for number in range(1, 99))):
        run(top, [first])
        if top.name == "whole":
            run(top, others)
            expected = facts(top)
            continue
        is_killed = killed(top, int(top.name.split()[1]))
        if not is_killed:
            break
        run(top, others)
        assert facts(top) == expected, top
        assert strays(top) == []
    assert int(top.name.split()[1]) > 8
    # What is there, and was not put there by a killed run, is still refused.
    with pytest.raises(UsageError, match="installed already"):
        run(top, others)
    (tmp_path / "other").mkdir()
    changed = project(tmp_path / "other", "two", {"space/two/x.py": b"other"})
    run(tmp_path / "partly", [first])
    run(tmp_path / "partly", [changed])
    with pytest.raises(UsageError, match="installed already"):
        run(tmp_path / "partly", others)


def test_nothing_is_lost_where_a_directory_appears_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a program that knows nothing of our locks; what was moved before is not moved a second time."""
    top, steps = tmp_path / "site", install_move._steps
    top.mkdir()

    def overtaken(source: Path, target: Path) -> Iterator[object]:
        found = list(steps(source, target))
        if target == top:
            (top / "space").mkdir()
            (top / "space" / "of others.txt").write_bytes(b"")
        return iter(found)

    monkeypatch.setattr(install_move, "_steps", overtaken)
    source = project(tmp_path, "demo", {"before/__init__.py": b"", "space/demo.py": b"", "zlast.py": b""})
    install_into(top, source)
    install_into(tmp_path / "clean", source)
    assert facts(top).keys() == {*facts(tmp_path / "clean"), "space/of others.txt"}
    assert strays(tmp_path) == []
