"""disorderfs: a directory shown with its entries in the reverse order, for file systems that have one of their own."""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

_MOUNTS = Path("/proc/self/mounts")
# Lazily: a process of the build that is just being ended may still have a file open there.
_UNMOUNT = (("fusermount3", "-u", "-z"), ("fusermount", "-u", "-z"), ("umount", "-l"))


def find(directory: Path, environ: Mapping[str, str]) -> str:
    """Return the program, if it is here and a mount in *directory* works; else nothing."""
    program = shutil.which("disorderfs", path=environ.get("PATH"))
    if program is None or sys.platform != "linux":
        return ""
    with tempfile.TemporaryDirectory(prefix="samebytes-", dir=directory) as trial:
        behind, shown = Path(trial, "behind"), Path(trial, "shown")
        behind.mkdir()
        # So many that the reverse does not come up by chance.
        for number in range(20):
            (behind / f"{number:02d}").touch()
        try:
            mount(program, behind, shown)
            works = os.listdir(shown) == os.listdir(behind)[::-1]
        except OSError:
            works = False
        finally:
            unmount_below(Path(trial))
    return program if works else ""


def mount(program: str, behind: Path, shown: Path) -> None:
    """Show the directory *behind* at *shown*, which is made, in the reverse order.

    :raises OSError: if that is not allowed here.
    """
    if sys.platform == "win32":
        raise OSError(errno.ENOTSUP, "there is no FUSE on Windows", str(shown))
    shown.mkdir(exist_ok=True)
    # FUSE hides a mount from all users but its own; who is not root may not change that (fuse(8), allow_other).
    everybody = ["--multi-user=yes"] if os.geteuid() == 0 else []
    command = [program, "-q", *everybody, "--reverse-dirents=yes", str(behind), str(shown)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode or not shown.is_mount():
        raise OSError(
            done.returncode, done.stderr.decode("utf-8", "replace").strip() or "disorderfs failed", str(shown)
        )


def unmount_below(directory: Path) -> None:
    """Unmount what disorderfs shows anywhere below *directory*."""
    # Only Linux has it, and only there something is mounted.
    if not _MOUNTS.is_file():
        return
    for line in _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        _, where, kind, *_ = line.split(" ")
        # Spaces, tabs, newlines and backslashes are octal escapes there (proc(5), fstab(5)).
        place = Path(re.sub(r"\\([0-7]{3})", lambda escape: chr(int(escape[1], 8)), where))
        if kind == "fuse.disorderfs" and place.is_relative_to(directory):
            _unmount(place)


def _unmount(place: Path) -> None:
    for command in _UNMOUNT:
        if shutil.which(command[0]) is None:
            continue
        done = subprocess.run([*command, str(place)], stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if done.returncode == 0:
            return
