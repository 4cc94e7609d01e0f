"""Files appear whole or not at all, whatever happens in between."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.platforms import needs_links, needs_modes

from samebytes.archive.atomic import make_directory, real_path, replacing
from samebytes.errors import ArchiveError, OutputError


@pytest.fixture
def plain_umask() -> Iterator[None]:
    before = os.umask(0o027)
    yield
    os.umask(before)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB, where the system lets us mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "samebytes-test", str(disk)]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command here")
    if mounted.returncode:
        pytest.skip(f"mounting is not permitted here: {mounted.stderr.decode().strip()}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


@needs_modes
@pytest.mark.usefixtures("plain_umask")
def test_new_file_has_the_mode_that_the_umask_leaves(tmp_path: Path) -> None:
    target = tmp_path / "new.whl"
    with replacing(target) as sink:
        sink.write(b"new")
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert names(tmp_path) == ["new.whl"]


@needs_modes
@pytest.mark.parametrize("mode", [0o600, 0o644, 0o755, 0o444])
def test_replaced_file_keeps_its_mode(tmp_path: Path, mode: int) -> None:
    target = tmp_path / "it.whl"
    target.write_bytes(b"old")
    target.chmod(mode)
    with replacing(target) as sink:
        sink.write(b"new")
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == mode


def test_until_the_end_the_target_is_as_before(tmp_path: Path) -> None:
    target = tmp_path / "it.whl"
    target.write_bytes(b"old")
    target.chmod(0o640)
    with replacing(target) as sink:
        sink.write(b"new")
        sink.flush()
        assert target.read_bytes() == b"old"
        (temporary,) = tmp_path.glob(".samebytes-*.tmp")
        assert temporary.read_bytes() == b"new"
        assert sys.platform == "win32" or stat.S_IMODE(temporary.stat().st_mode) == 0o600
    assert names(tmp_path) == ["it.whl"]


def test_sink_can_be_read_and_sought(tmp_path: Path) -> None:
    with replacing(tmp_path / "it") as sink:
        sink.write(b"abcdef")
        sink.seek(2)
        sink.write(b"X")
        sink.seek(0)
        assert sink.read() == b"abXdef"
    assert (tmp_path / "it").read_bytes() == b"abXdef"


def test_name_as_long_as_names_can_be(tmp_path: Path) -> None:
    target = tmp_path / ("x" * 255)
    with replacing(target) as sink:
        sink.write(b"new")
    assert target.read_bytes() == b"new"


@pytest.mark.parametrize("old", [b"old", None])
@pytest.mark.parametrize(
    "error", [ArchiveError("x"), KeyboardInterrupt(), SystemExit(3), MemoryError(), OSError(5, "x")]
)
def test_any_exception_leaves_the_target_and_no_other_file(
    tmp_path: Path, error: BaseException, old: bytes | None
) -> None:
    target = tmp_path / "it.whl"
    if old is not None:
        target.write_bytes(old)
    with pytest.raises(type(error)) as caught:
        fail(target, error)
    assert caught.value is error
    assert names(tmp_path) == ([] if old is None else ["it.whl"])
    assert old is None or target.read_bytes() == old


def fail(target: Path, error: BaseException) -> None:
    with replacing(target) as sink:
        sink.write(bytes(100_000))
        raise error


def test_interrupt_signal_leaves_no_file(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs have it ignored
    try:
        with pytest.raises(KeyboardInterrupt), replacing(tmp_path / "it.whl"):
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
    assert names(tmp_path) == []


def test_abandoned_generator_leaves_no_file(tmp_path: Path) -> None:
    def half() -> Iterator[int]:
        with replacing(tmp_path / "it.whl") as sink:
            sink.write(b"half")
            yield 1

    working = half()
    next(working)
    assert len(names(tmp_path)) == 1
    working.close()  # type: ignore[attr-defined]
    assert names(tmp_path) == []


def refused(target: Path, problem: str, remedy: str) -> None:
    with pytest.raises(OutputError, match=problem) as caught, replacing(target):
        pytest.fail("the block must not run")
    assert str(target.name) in caught.value.message
    assert remedy in caught.value.remedy


def test_missing_directory_is_told(tmp_path: Path) -> None:
    refused(tmp_path / "none" / "it.whl", "cannot be written: No such file or directory", "Create the directory")


def test_file_as_directory_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    problem = "No such file or directory" if sys.platform == "win32" else "Not a directory"
    refused(tmp_path / "file" / "it.whl", f"cannot be written: {problem}", "Create the directory")
    assert names(tmp_path) == ["file"]


def test_directory_as_target_is_told(tmp_path: Path) -> None:
    (tmp_path / "it.whl").mkdir()
    refused(tmp_path / "it.whl", "is not a regular file", "Name a file to write to")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX devices")
def test_device_is_not_replaced() -> None:
    refused(Path(os.devnull), "is not a regular file", "Name a file to write to")
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="no /proc, the one place where even root cannot write")
def test_directory_that_cannot_be_written_is_told() -> None:
    refused(Path("/proc/self/fdinfo/it.whl"), "cannot be written", "")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_read_only_directory_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    try:
        refused(tmp_path / "it.whl", "cannot be written: Permission denied", "writable")
    finally:
        tmp_path.chmod(0o755)


def test_read_only_file_system_is_told(small_disk: Path) -> None:
    target = small_disk / "it.whl"
    target.write_bytes(b"old")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    refused(target, "cannot be written: Read-only file system", "Make the directory")
    assert target.read_bytes() == b"old"


@pytest.mark.parametrize("step", [1 << 20, 1000])
def test_full_disk_is_told_and_leaves_the_target(small_disk: Path, step: int) -> None:
    target = small_disk / "it.whl"
    target.write_bytes(b"old")
    with pytest.raises(OutputError, match=r"it\.whl: cannot be written: No space left on device") as caught:
        fill(target, step)
    assert "Free some space" in caught.value.remedy
    assert target.read_bytes() == b"old"
    assert names(small_disk) == ["it.whl"]


def test_disk_that_fills_up_with_the_last_flush_is_told(small_disk: Path) -> None:
    free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
    (small_disk / "other").write_bytes(bytes(free))
    with pytest.raises(OutputError, match="No space left on device"), replacing(small_disk / "it.whl") as sink:
        sink.write(b"fits into the buffer")
    assert names(small_disk) == ["other"]


def fill(target: Path, step: int) -> None:
    with replacing(target) as sink:
        for _ in range(0, 1 << 20, step):
            sink.write(bytes(step))


def test_directory_that_takes_the_targets_place_meanwhile_is_told(tmp_path: Path) -> None:
    target = tmp_path / "it.whl"
    with pytest.raises(OutputError, match=r"it\.whl: cannot be written"), replacing(target):
        target.mkdir()
    assert names(tmp_path) == ["it.whl"]
    assert list(target.iterdir()) == []


def test_disk_that_fails_only_when_it_is_synced_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    target = tmp_path / "it.whl"
    target.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", fail)  # No disk at hand fails in that way.
    with pytest.raises(OutputError, match=r"it\.whl: cannot be written: Input/output error"), replacing(target) as sink:
        sink.write(b"new")
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["it.whl"]


def test_what_need_not_be_durable_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "it.pyc"
    target.write_bytes(b"old")
    target.chmod(0o640)
    waits: list[int] = []
    monkeypatch.setattr(os, "fsync", waits.append)
    with replacing(target, durable=False) as sink:
        sink.write(b"new")
    assert (target.read_bytes(), waits) == (b"new", [])
    assert sys.platform == "win32" or stat.S_IMODE(target.stat().st_mode) == 0o640
    assert names(tmp_path) == ["it.pyc"]


def test_error_of_another_file_is_not_the_targets(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), replacing(tmp_path / "it.whl") as sink:
        sink.write((tmp_path / "none").read_bytes())
    assert names(tmp_path) == []


@needs_links
def test_symbolic_link_stays_and_its_target_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    real = tmp_path / "real" / "it.whl"
    real.write_bytes(b"old")
    real.chmod(0o640)
    link = tmp_path / "it.whl"
    link.symlink_to(Path("real", "it.whl"))
    with replacing(link) as sink:
        sink.write(b"new")
        assert len(names(real.parent)) == 2
    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    assert sys.platform == "win32" or stat.S_IMODE(real.stat().st_mode) == 0o640
    assert names(real.parent) == ["it.whl"]


@needs_links
def test_link_to_nothing_makes_the_file_that_it_points_to(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("it.whl")
    with replacing(link) as sink:
        sink.write(b"new")
    assert link.is_symlink()
    assert (tmp_path / "it.whl").read_bytes() == b"new"


@needs_links
def test_link_in_a_circle_is_told(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("link")
    refused(link, "cannot be written: Too many levels of symbolic links", "circle")


# --- other users

OTHER, THIRD = 65534, 12345
by_root = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs files of other users")


def as_user(uid: int, do: Callable[[], object]) -> str:
    """Do it in a child that is another user, and return the message of the error that comes of it, or nothing."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            do()
        except BaseException as error:
            os.write(writer, str(error).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader, "rb") as message:  # noqa: PTH123 (a descriptor)
        said = message.read().decode()
    os.waitpid(child, 0)
    return said


def write(target: Path) -> None:
    with replacing(target) as sink:
        sink.write(b"new")


@pytest.fixture
def shared() -> Iterator[Path]:
    """A directory like /tmp, which all users can reach: root's, where everybody may write."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        path = Path(name, "shared")
        path.mkdir()
        path.chmod(0o1777)
        yield path


@pytest.fixture
def mine(shared: Path) -> Path:
    """The directory of THIRD beside it, with a file."""
    path = shared.parent / "mine"
    path.mkdir()
    (path / "it").write_bytes(b"precious")
    for each in (path, path / "it"):
        os.chown(each, THIRD, THIRD)
    return path


def plant(path: Path, target: Path, owner: int, kind: str = "link") -> None:
    if kind == "link":
        path.symlink_to(target)
    elif kind == "file":
        path.write_bytes(b"old")
    else:
        os.mkfifo(path)
    os.chown(path, owner, owner, follow_symlinks=False)


@by_root
@pytest.mark.parametrize("user", [THIRD, 0])
@pytest.mark.parametrize("kind", ["link", "file", "pipe"])
def test_what_another_user_planted_is_neither_followed_nor_replaced(
    kind: str, user: int, shared: Path, mine: Path
) -> None:
    plant(shared / "out", mine / "it", OTHER, kind)
    before = (shared / "out").lstat()
    assert "belongs to another user" in as_user(user, lambda: write(shared / "out"))
    assert (mine / "it").read_bytes() == b"precious"
    assert (shared / "out").lstat() == before
    assert names(shared) == ["out"]
    assert names(mine) == ["it"]


@by_root
@pytest.mark.parametrize("user", [THIRD, 0])
def test_nor_is_a_link_on_the_way(user: int, shared: Path, mine: Path) -> None:
    plant(shared / "out", mine, OTHER)
    assert "shared/out: this link belongs to another user" in as_user(user, lambda: write(shared / "out" / "it"))
    for directory in (shared / "out", shared / "out" / "deeper"):
        assert "belongs to another user" in as_user(user, lambda at=directory: make_directory(at))  # type: ignore[misc]
        assert "belongs to another user" in as_user(user, lambda at=directory: real_path(at))  # type: ignore[misc]
    assert (mine / "it").read_bytes() == b"precious"
    assert names(mine) == ["it"]


@by_root
def test_nor_is_one_that_ones_own_link_leads_to(shared: Path, mine: Path) -> None:
    plant(shared / "out", mine / "it", OTHER)
    (mine / "link").symlink_to(shared / "out")
    os.chown(mine / "link", THIRD, THIRD, follow_symlinks=False)
    assert "belongs to another user" in as_user(THIRD, lambda: write(mine / "link"))
    assert (mine / "it").read_bytes() == b"precious"


@by_root
@pytest.mark.parametrize("owner", [THIRD, 0], ids=["one's own", "of the directory's owner"])
@pytest.mark.parametrize("on_the_way", [True, False])
def test_other_links_are_followed(on_the_way: bool, owner: int, shared: Path, mine: Path) -> None:
    plant(shared / "out", mine if on_the_way else mine / "it", owner)
    assert as_user(THIRD, lambda: write(shared / "out" / "it" if on_the_way else shared / "out")) == ""
    assert (mine / "it").read_bytes() == b"new"
    assert (shared / "out").is_symlink()


@by_root
@pytest.mark.parametrize("mode", [0o755, 0o777, 0o1755])
def test_where_nobody_else_may_write_or_all_may_do_all_links_are_followed(mode: int, shared: Path, mine: Path) -> None:
    """As the kernel does: who may rename what is there can do worse than plant links."""
    plant(shared / "out", mine / "it", OTHER)
    shared.chmod(mode)
    assert as_user(THIRD, lambda: write(shared / "out")) == ""
    assert (mine / "it").read_bytes() == b"new"


@by_root
def test_ones_own_file_is_replaced_there(shared: Path) -> None:
    plant(shared / "out", shared, THIRD, "file")
    assert as_user(THIRD, lambda: write(shared / "out")) == ""
    assert (shared / "out").read_bytes() == b"new"
    assert (shared / "out").stat().st_uid == THIRD


@by_root
def test_a_directory_exchanged_for_a_link_meanwhile_is_not_written_through(shared: Path, mine: Path) -> None:
    """Its owner may do that at any time, in his own directory."""
    theirs = shared / "theirs"
    theirs.mkdir()
    theirs.chmod(0o777)

    def exchanged() -> None:
        with replacing(theirs / "it") as sink:
            sink.write(b"new")
            if not as_user(0, lambda: theirs.rename(shared / "moved")):
                as_user(0, lambda: theirs.symlink_to(mine))

    exchanged()
    assert theirs.is_symlink()
    assert (mine / "it").read_bytes() == b"precious"
    assert (shared / "moved" / "it").read_bytes() == b"new"


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX directories")
def test_a_directory_that_may_be_passed_but_not_read(shared: Path, mine: Path) -> None:
    mine.chmod(0o300)
    assert as_user(THIRD, lambda: write(mine / "it")) == ""
    assert (mine / "it").read_bytes() == b"new"


# --- the file that was read


def rewrite_in_place(path: Path) -> None:
    before = path.stat()
    path.write_bytes(b"n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replace(path: Path) -> None:
    path.with_name("other").write_bytes(b"n")
    path.with_name("other").replace(path)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no times of changes on Windows")
@pytest.mark.parametrize("change", [Path.unlink, replace, rewrite_in_place, lambda path: path.write_bytes(b"longer")])
def test_a_file_that_is_another_by_now_is_left_alone(change: Callable[[Path], object], tmp_path: Path) -> None:
    path = tmp_path / "it"
    path.write_bytes(b"o")
    before = path.stat()
    change(path)
    found = path.read_bytes() if path.exists() else None
    with (
        pytest.raises(OutputError, match="it: was replaced, changed or removed since"),
        replacing(path, unchanged=before) as sink,
    ):
        sink.write(b"lost?")
    assert (path.read_bytes() if path.exists() else None) == found
    assert names(tmp_path) == ([] if found is None else ["it"])


def test_a_file_that_is_the_same_still_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "it"
    path.write_bytes(b"old")
    (tmp_path / "name").hardlink_to(path) if hasattr(path, "hardlink_to") else os.link(path, tmp_path / "name")
    before = path.stat()
    (tmp_path / "name").unlink()
    path.read_bytes()
    with replacing(path, unchanged=before) as sink:
        sink.write(b"new")
    assert path.read_bytes() == b"new"
