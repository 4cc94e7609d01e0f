"""One build of a tree at a time: a real lock of another process, ours or another user's."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from samebytes.backend import lock
from samebytes.errors import BackendError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows locks no directories")

OTHER = 65534
HOLD = """
import ctypes, fcntl, os, sys
handle = os.open(".", os.O_RDONLY)
if int(sys.argv[1]) != os.getuid():
    os.setgroups([]); os.setgid(int(sys.argv[1])); os.setuid(int(sys.argv[1]))
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # PR_SET_DUMPABLE: as after starting a program; /proc/self is its own again
fcntl.flock(handle, int(sys.argv[2]))
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def held(tree: Path, uid: int, kind: int = 2) -> Iterator[subprocess.Popen[str]]:
    """Let a process of the user *uid* hold the lock of *tree*; *kind* is LOCK_EX, or LOCK_SH, 1."""
    command = [sys.executable, "-c", HOLD, str(uid), str(kind)]
    with subprocess.Popen(command, cwd=tree, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.stdin.close()


def build(tree: Path, child: dict[str, str] | None = None) -> list[str]:
    """Hold the lock of *tree* for a moment, and return what is warned of."""
    warnings: list[str] = []
    with lock.only_build(tree, tree, {} if child is None else child, warnings.append):
        pass
    return warnings


def test_nobody_else(tmp_path: Path) -> None:
    assert build(tmp_path) == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says who holds a lock")
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs files of other users")
@pytest.mark.parametrize("kind", [1, 2])
def test_another_user_is_not_waited_for(kind: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may read a directory may lock it."""
    monkeypatch.setattr(lock, "PATIENCE", 0.0)  # waiting would fail
    with held(tmp_path, OTHER, kind):
        assert build(tmp_path) == [f"another user has locked {tmp_path}: not waiting for that"]


def test_ones_own_build_is_waited_for_and_that_is_said_at_once(tmp_path: Path) -> None:
    with held(tmp_path, os.getuid()) as process:
        warnings: list[str] = []

        def warn(text: str) -> None:
            warnings.append(text)
            assert process.stdin
            process.stdin.close()  # it ends only now: who waited in silence would wait for ever

        with lock.only_build(tmp_path, tmp_path, {}, warn):
            assert warnings == [f"another build of {tmp_path} is running: waiting for it"]


def test_but_not_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "PATIENCE", 0.0)
    with held(tmp_path, os.getuid()), pytest.raises(BackendError, match="another build of"):
        build(tmp_path)


def test_a_build_in_a_build_does_not_wait_for_it(tmp_path: Path) -> None:
    child: dict[str, str] = {}
    with lock.only_build(tmp_path, tmp_path, child, pytest.fail):
        assert build(tmp_path, child) == []
