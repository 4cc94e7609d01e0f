"""Run a command under another host name, or on one processor (Linux: UTS namespaces, affinity).

This file is run by its path and imports only the standard library. Arguments: JSON with ``host`` (a name) and
``processors`` (how many), each of which may be missing, then the command. Exit status 125: the kernel does not allow
it, and nothing was run.
"""

from __future__ import annotations

import ctypes
import json
import os
import socket
import sys

CLONE_NEWUTS = 0x04000000
CLONE_NEWUSER = 0x10000000
# What env(1) and timeout(1) use for their own failures; 126 and 127 say that a command cannot be run.
NOT_ALLOWED = 125

if sys.platform != "linux":  # no other kernel has these namespaces
    sys.exit(NOT_ALLOWED)


def check(result: int) -> None:
    """Raise the C library's error."""
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def rename_host(name: str) -> None:
    """Give this process a host name of its own; who is not root needs a user namespace for it (user_namespaces(7))."""
    # os.unshare is new in Python 3.12.
    libc = ctypes.CDLL(None, use_errno=True)
    uid, gid = os.getuid(), os.getgid()
    try:
        check(libc.unshare(CLONE_NEWUTS))
    except PermissionError:
        check(libc.unshare(CLONE_NEWUTS | CLONE_NEWUSER))
        # Else the kernel refuses a gid_map to who is not privileged (user_namespaces(7)).
        write("/proc/self/setgroups", "deny")
        # Mapped to itself: as root of the namespace, backends would see another user than in the first build.
        write("/proc/self/uid_map", f"{uid} {uid} 1")
        write("/proc/self/gid_map", f"{gid} {gid} 1")
    socket.sethostname(name)


def write(path: str, text: str) -> None:
    """Write *text* to the file *path* of the kernel's, which takes it in one piece."""
    handle = os.open(path, os.O_WRONLY)
    try:
        os.write(handle, text.encode("ascii"))
    finally:
        os.close(handle)


def keep_processors(number: int) -> None:
    """Leave this process *number* of the processors that it has."""
    # Of those allowed already: a container may not be given processor 0.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:number])


def main() -> None:
    """Apply the options and become the command."""
    options = json.loads(sys.argv[1])
    try:
        if "host" in options:
            rename_host(options["host"])
        if "processors" in options:
            keep_processors(options["processors"])
    # AttributeError: a C library without one of the functions.
    except (OSError, AttributeError):
        sys.exit(NOT_ALLOWED)
    # Not a child: signals and the exit status of the build then need no passing on.
    os.execv(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
