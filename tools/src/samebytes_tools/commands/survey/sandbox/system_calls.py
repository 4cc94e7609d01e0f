"""Run a command that cannot ask the kernel for what no build needs (seccomp(2)): it is refused, and nothing is ended.

This file is run by its path and imports only the standard library. Its arguments are the command. Whatever that starts
is bound by the same filter, for good, also in namespaces of its own and as root there. Exit status 125: there is no
filter for this machine, or the kernel takes none; nothing was run.

The filter is a program for the kernel's virtual machine (Documentation/networking/filter.rst, "BPF engine and
instruction set"), which sees the number of a call and its arguments, but not what they point to. Numbers are those of
the kernel's ``arch/x86/entry/syscalls/syscall_64.tbl`` and ``include/uapi/asm-generic/unistd.h``.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Mapping

NOT_ALLOWED = 125

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""Machines, and what the kernel calls them (AUDIT_ARCH in ``linux/audit.h``)."""

X32 = 0x40000000
"""The numbers of x86-64's other ABI begin here."""

REFUSED: Mapping[str, tuple[int | None, int | None]] = {
    # the kernel itself: its code, its clock, its accounts, its log
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "reboot": (169, 142),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    "acct": (163, 89),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "syslog": (103, 116),
    "vhangup": (153, 58),
    # programs in the kernel, and what has been the way into it most often
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "fanotify_init": (300, 262),
    "move_pages": (279, 239),
    "migrate_pages": (256, 238),
    # other processes' memory and files, and files by number
    # Debuggers need it, and no build does; up to Linux 4.8, it could also get around a filter (seccomp(2)).
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    "open_by_handle_at": (304, 265),
    # what only old programs know
    "lookup_dcookie": (212, 18),
    "nfsservctl": (180, 42),
    "uselib": (134, None),
    "ustat": (136, None),
    "sysfs": (139, None),
    "_sysctl": (156, None),
    "create_module": (174, None),
    "get_kernel_syms": (177, None),
    "query_module": (178, None),
    "iopl": (172, None),
    "ioperm": (173, None),
    "modify_ldt": (154, None),
}
"""Calls that get EPERM, by their names: the numbers for each of :data:`ARCHITECTURES`."""

ABSENT: Mapping[str, tuple[int, int]] = {
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "clone3": (435, 435),  # its flags lie in memory, where no filter sees them; libraries go on with clone
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
}
"""Calls that get ENOSYS, as from a kernel that does not have them: whoever makes them knows what to do then."""

BY_ARGUMENT = {"ioctl": (16, 29), "socket": (41, 198), "clone": (56, 220), "unshare": (272, 97)}

CLONE_NEWNET = 0x40000000
TIOCSTI, TIOCLINUX = 0x5412, 0x541C
AF_UNIX, AF_INET, AF_INET6, AF_NETLINK = 1, 2, 10, 16
NETLINK_ROUTE = 0

_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
"""Where they are in ``struct seccomp_data``."""
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ERRNO, _ALLOW = 0x00050000, 0x7FFF0000

Code = list[bytes]


def _step(code: int, value: int, then: int = 0, other: int = 0) -> bytes:
    """Return one ``struct sock_filter``: of a test, how many steps are skipped if it holds, and if not."""
    return struct.pack("<HBBI", code, then, other, value)


def _unless(test: int, value: int, steps: Code) -> Code:
    """Return what does *steps* only if *test* holds."""
    return [_step(test, value, 0, len(steps)), *steps]


def _argument(number: int) -> bytes:
    """Return what loads the lower half of an argument: the kernel takes no more of those that are looked at."""
    return _step(_LOAD, _ARGUMENTS + 8 * number)


_FINE = [_step(_RETURN, _ALLOW)]


def _error(number: int) -> Code:
    return [_step(_RETURN, _ERRNO | number)]


def _rules() -> dict[str, Code]:
    """Return what is done with each call of :data:`BY_ARGUMENT`."""
    # Root of a namespace with a network of its own could speak to every part of the kernel that only root may.
    no_network = [_argument(0), *_unless(_ANY_BIT, CLONE_NEWNET, _error(errno.EPERM)), *_FINE]
    # These give a terminal input, as if somebody had typed it.
    ioctl = [_argument(1)]
    for request in (TIOCSTI, TIOCLINUX):
        ioctl += _unless(_EQUAL, request, _error(errno.EPERM))
    # Each other family is a protocol that few look at, in a module that the kernel loads for whoever asks.
    socket = [_argument(0)]
    for family in (AF_UNIX, AF_INET, AF_INET6):
        socket += _unless(_EQUAL, family, _FINE)
    route = [_argument(2), *_unless(_EQUAL, NETLINK_ROUTE, _FINE), *_error(errno.EPROTONOSUPPORT)]
    socket += [*_unless(_EQUAL, AF_NETLINK, route), *_error(errno.EAFNOSUPPORT)]
    return {"ioctl": [*ioctl, *_FINE], "socket": socket, "clone": no_network, "unshare": no_network}


def program(machine: str) -> bytes:
    """Return the filter for *machine*, one of :data:`ARCHITECTURES`.

    Programs for other machines, which the kernel may run too (i386, x32), have other numbers: they can call nothing.
    """
    column = list(ARCHITECTURES).index(machine)
    # The architecture first: the same number is another call on another one.
    code = [_step(_LOAD, _ARCHITECTURE), _step(_EQUAL, ARCHITECTURES[machine], 1), *_error(errno.ENOSYS)]
    code.append(_step(_LOAD, _NUMBER))
    if machine == "x86_64":
        code += _unless(_AT_LEAST, X32, _error(errno.ENOSYS))
    for table, answer in ((REFUSED, errno.EPERM), (ABSENT, errno.ENOSYS)):
        for numbers in table.values():
            number = numbers[column]
            code += [] if number is None else _unless(_EQUAL, number, _error(answer))
    for name, steps in _rules().items():
        code += _unless(_EQUAL, BY_ARGUMENT[name][column], steps)
    return b"".join([*code, *_FINE])


def machine() -> str:
    """Return what this process is a program for; empty if there is no filter for it."""
    name = platform.machine() if sys.platform == "linux" else ""
    # A 32-bit Python on a 64-bit kernel makes the calls of the other table.
    return name if name in ARCHITECTURES and sys.maxsize > 1 << 32 else ""


class _Program(ctypes.Structure):
    """``struct sock_fprog``."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def enter(code: bytes) -> None:
    """Bind this process, and all that it starts, by the filter *code*.

    :raises OSError: if the kernel does not take it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    # As unsigned long: prctl is variadic, and the upper halves of ints would be undefined.
    numbers = [ctypes.c_ulong(value) for value in (1, 0, 0, 0)]
    # no_new_privs first, without which only root may set a filter (seccomp(2)).
    set_no_new_privileges, set_seccomp, mode_filter = 38, 22, ctypes.c_ulong(2)  # linux/prctl.h, linux/seccomp.h
    pointer = ctypes.byref(_Program(len(code) // 8, code))
    if libc.prctl(set_no_new_privileges, *numbers) != 0 or libc.prctl(set_seccomp, mode_filter, pointer) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def main() -> None:
    """Enter the filter and become the command."""
    name = machine()
    why = "" if name else f"there is no filter for {platform.machine()}"
    if name:
        try:
            enter(program(name))
        except OSError as error:
            why = f"the kernel takes no filter: {error.strerror}"
    if why:
        print(why, file=sys.stderr)
        sys.exit(NOT_ALLOWED)
    os.execv(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
