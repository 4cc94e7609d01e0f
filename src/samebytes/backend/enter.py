"""Run a command with private directories mounted where every build has them (Linux mount namespaces).

This file is run by its path and imports only the standard library. Arguments: JSON with pairs of what is mounted and
where, the place itself first, which is not there yet, then the command. A working directory in what is mounted is
entered anew, where it is mounted. Exit status 125: the kernel does not allow it, and nothing was run.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from pathlib import Path

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
MS_NOSUID, MS_NODEV = 0x2, 0x4
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 1 << 18
NOT_ALLOWED = 125

if sys.platform != "linux":  # no other kernel has these namespaces
    sys.exit(NOT_ALLOWED)


def check(result: int) -> None:
    """Raise what the C library says went wrong."""
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def new_namespace(libc: ctypes.CDLL) -> None:
    """Enter a mount namespace of our own; who is not root needs a user namespace for it (user_namespaces(7))."""
    uid, gid = os.getuid(), os.getgid()
    try:
        check(libc.unshare(CLONE_NEWNS))
    except PermissionError:
        check(libc.unshare(CLONE_NEWNS | CLONE_NEWUSER))
        write("/proc/self/setgroups", "deny")  # else the kernel takes no gid_map from a user
        write("/proc/self/uid_map", f"{uid} {uid} 1")
        write("/proc/self/gid_map", f"{gid} {gid} 1")
    check(libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None))  # or what follows would be mounted for all


def make_room(libc: ctypes.CDLL, place: Path) -> None:
    """Make *place*, in this namespace only: its parent becomes a new file system, with all it had mounted in it."""
    around, back = place.parent, os.open(".", os.O_PATH)
    os.chdir(around)  # relative paths still lead to what is hidden
    check(libc.mount(b"samebytes", bytes(around), b"tmpfs", MS_NOSUID | MS_NODEV, b"mode=755"))
    for old in sorted(Path().iterdir()):
        new = around / old
        if old.is_symlink():
            new.symlink_to(os.readlink(old))
            continue
        (new.mkdir if old.is_dir() else new.touch)()  # something of its kind to mount it on
        check(libc.mount(bytes(old), bytes(new), None, MS_BIND | MS_REC, None))
    place.mkdir()
    os.fchdir(back)
    os.close(back)


def write(path: str, text: str) -> None:
    """Write *text* to the file *path* of the kernel's, which takes it in one piece."""
    handle = os.open(path, os.O_WRONLY)
    try:
        os.write(handle, text.encode("ascii"))
    finally:
        os.close(handle)


def main() -> None:
    """Mount, go to the working directory and become the command."""
    mounts = json.loads(sys.argv[1])
    try:
        here = os.path.join(os.getcwd(), "")
    except FileNotFoundError:
        here = ""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        new_namespace(libc)
        make_room(libc, Path(mounts[0][1]))
        for what, where in mounts:
            check(libc.mount(os.fsencode(what), os.fsencode(where), None, MS_BIND | MS_REC, None))
    except (OSError, AttributeError):  # the latter of a C library that has no unshare
        sys.exit(NOT_ALLOWED)
    for what, where in reversed(mounts):  # of nested ones, the inner one is the last
        if here.startswith(os.path.join(what, "")):
            os.chdir(os.path.join(where, here[len(what) + 1 :]))
            break
    os.execv(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
