"""Run a command as root of a user namespace whose users are nobody outside (user_namespaces(7)).

This file is run by its path and imports only the standard library. Arguments: the first user and group outside, how
many, then the command. Its mounts are those of whoever started it, and locked: not even root there can make one
writable or take it away. Exit status 125: the kernel does not allow it, and nothing was run.
"""

from __future__ import annotations

import ctypes
import os
import sys

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWUSER = 0x10000000
NOT_ALLOWED = 125

if sys.platform != "linux":  # no other kernel has these namespaces
    sys.exit(NOT_ALLOWED)


def become_root(libc: ctypes.CDLL, ready: int, go: int) -> None:
    """Enter new namespaces and, once users are mapped, be root in there."""
    if libc.unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWUTS) != 0:
        os._exit(NOT_ALLOWED)
    os.write(ready, b"1")
    if os.read(go, 1) != b"1":
        os._exit(NOT_ALLOWED)
    # Groups of the caller would be kept as "nogroup", with their rights outside.
    os.setgroups([])
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)


def map_users(child: int, first: str, count: str) -> None:
    """Give the namespace of *child* its users and groups."""
    for kind in ("uid", "gid"):
        handle = os.open(f"/proc/{child}/{kind}_map", os.O_WRONLY)
        try:
            os.write(handle, f"0 {first} {count}".encode("ascii"))
        finally:
            os.close(handle)


def main() -> None:
    """Start the command and end as it does."""
    first, count, *command = sys.argv[1:]
    # Only a process outside of a new namespace, with CAP_SETUID there, may map more than one user.
    ready, go = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ready[0])
        os.close(go[1])
        become_root(ctypes.CDLL(None), ready[1], go[0])
        os.execv(command[0], command)
    os.close(ready[1])
    os.close(go[0])
    if os.read(ready[0], 1) == b"1":
        try:
            map_users(child, first, count)
            os.write(go[1], b"1")
        except OSError:
            pass  # the child sees the pipe end, and goes
    os.close(go[1])
    _, status = os.waitpid(child, 0)
    sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))


if __name__ == "__main__":
    main()
