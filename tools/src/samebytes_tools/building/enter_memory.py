"""Keep a copy of a directory in memory, in a mount namespace of its own, or run a command there (Linux).

This file is run by its path and imports only the standard library and samebytes' ``enter.py``, by its path too.

``hold ENTER TARGET BYTES`` covers the directory TARGET with a file system in memory of at most that size, and fills it
with what TARGET has. It lists directories by the bytes of their names. Prints ``ready`` then, and ends when standard
input does. Exit status 125: that could not be done, standard error says why.

``join PID BEFORE NOW COMMAND...`` becomes the command, in the namespace of the process PID that holds; a working
directory in BEFORE is the one that is in NOW there. Exit status 125: the kernel does not allow it.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path
from typing import Any


def enter_module(path: str) -> Any:
    """Return the module *path*."""
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location("enter", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def hold(enter: Any, target: Path, size: int) -> None:
    """Put the copy over *target*, and keep it until standard input ends."""
    import contextlib

    libc = ctypes.CDLL(None, use_errno=True)
    enter.new_namespace(libc)
    os.chdir(target)  # "." is what is covered from now on
    options = f"size={size},mode=755".encode()
    # nosuid, nodev as tmpfs is mounted for users; not noexec, for builds run what they compile.
    enter.check(libc.mount(b"samebytes", bytes(target), b"tmpfs", enter.MS_NOSUID | enter.MS_NODEV, options))
    fill(Path(), target, backwards=lists_backwards(target))
    print("ready", flush=True)
    sys.stdin.read()
    directories = [target]
    for directory in directories:  # a compiler server that goes on is not to keep the memory
        with contextlib.suppress(OSError):
            directory.chmod(0o700)
            for path in directory.iterdir():
                if path.is_dir() and not path.is_symlink():
                    directories.append(path)
                else:
                    path.unlink()
    for directory in reversed(directories[1:]):
        with contextlib.suppress(OSError):
            directory.rmdir()


def lists_backwards(directory: Path) -> bool:
    """Return whether what was made last in the empty *directory* is listed first, which depends on the kernel."""
    paths = [directory / name for name in ("1", "2")]
    for path in paths:
        path.mkdir()
    found = os.listdir(directory)
    for path in paths:
        path.rmdir()
    return found == ["2", "1"]


def fill(source: Path, target: Path, *, backwards: bool = False) -> None:
    """Copy what is in *source* to the directory *target*, in the order of the names or *backwards*."""
    import shutil  # joining does without, and every hook pays for that

    # Not by recursion: a tree may be deeper than Python's stack.
    directories = [(source, target)]
    for directory, copy in directories:
        # By bytes: names that are not UTF-8 sort elsewhere as text.
        for name in sorted(os.listdir(directory), key=os.fsencode, reverse=backwards):
            one, other = directory / name, copy / name
            if one.is_symlink():
                other.symlink_to(one.readlink())
                # Backends and tar record the times of links, too.
                shutil.copystat(one, other, follow_symlinks=False)
            elif one.is_dir():
                other.mkdir()
                directories.append((one, other))
            else:
                shutil.copy2(one, other)
    for directory, copy in reversed(directories):  # what is in a directory sets its time
        shutil.copystat(directory, copy)


def join(pid: str, before: str, now: str) -> None:
    """Enter the namespaces of the process *pid*, and the working directory anew."""
    libc = ctypes.CDLL(None, use_errno=True)
    # Before setns, which moves the working directory to the root of the namespace.
    here = os.path.join(os.getcwd(), "")
    own, theirs = Path("/proc/self/ns"), Path("/proc", pid, "ns")
    # The user namespace first, which gives the right to enter the other; setns refuses the own one with EINVAL
    # (setns(2)).
    kinds = ["mnt"] if (own / "user").samefile(theirs / "user") else ["user", "mnt"]
    for handle in [os.open(theirs / kind, os.O_RDONLY) for kind in kinds]:
        if libc.setns(handle, 0):
            raise OSError(ctypes.get_errno(), "a namespace cannot be entered")
    inside = here.startswith(os.path.join(before, ""))
    os.chdir(os.path.join(now, here[len(before) + 1 :]) if inside else here)


def main() -> None:
    """Do what the arguments say."""
    what, *words = sys.argv[1:]
    try:
        if what == "hold":
            hold(enter_module(words[0]), Path(words[1]), int(words[2]))
            return
        join(*words[:3])
    except (OSError, AttributeError) as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(125)
    os.execv(words[3], words[3:])


if __name__ == "__main__":
    main()
