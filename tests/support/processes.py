"""Real processes that tests start, signal and look for."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import pytest

PATIENCE = 60.0
"""Seconds after which a test gives up waiting."""

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def modules_loaded_by(program: str) -> set[str]:
    """Return the modules that *program*, Python code, has loaded when it ends; coverage's own are not among them."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    code = f"import sys; {program}; print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def run_python(*arguments: str, cwd: Path, path: str) -> subprocess.CompletedProcess[str]:
    """Run this interpreter in *cwd*, with modules in *path* before others, and return what it printed."""
    command, environ = [sys.executable, *arguments], {**os.environ, "PYTHONPATH": path}
    return subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True, check=False)


def is_running(pid: int) -> bool:
    """Return whether the process is there and no zombie (those stay where the container's init reaps none)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def wait_for(condition: Callable[[], object], what: str = "it") -> None:
    """Return as soon as *condition* holds; fail after PATIENCE."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"waited for {what} in vain"
        time.sleep(0.01)


def pid_in(path: Path) -> int:
    """Wait until a process has written its number to *path* and return that."""
    wait_for(lambda: path.exists() and path.read_text(), path.name)
    return int(path.read_text())


def import_path() -> dict[str, str]:
    """Return the variable with which another interpreter of this kind imports what this one does."""
    return {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def without_mount_namespaces(command: Sequence[str | Path]) -> list[str]:
    """Return *command* for a kernel that allows no mount namespaces; or skip."""
    wrapped = [*_NO_NAMESPACES, *map(str, command)]
    if not _may_forbid_namespaces():
        pytest.skip("needs the right to make user namespaces")
    return wrapped


_FORBIDDEN = 'echo 0 >/proc/sys/user/max_mnt_namespaces && exec "$@"'
_UNSHARE = ("unshare", "--user", "--map-root-user")
_NO_NAMESPACES = (*_UNSHARE, *_UNSHARE, "sh", "-c", _FORBIDDEN, "sh")


@cache
def _may_forbid_namespaces() -> bool:
    try:
        return subprocess.run([*_NO_NAMESPACES, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
