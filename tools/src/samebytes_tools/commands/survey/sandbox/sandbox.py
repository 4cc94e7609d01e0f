"""A place for programs that nobody trusts: what they can see, and how much they may take.

With bubblewrap, they have their own processes, temporary files and homes, and everything else is read-only; as root,
they are moreover nobody outside. Without it, they are only limited and watched, and ended with whatever they started.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from samebytes.console import programs

from .confined import Limits

ENTER = str(Path(__file__).with_name("enter_sandbox.py"))
"""The program that makes root in the sandbox nobody outside."""

SUPERVISE = str(Path(__file__).with_name("supervise.py"))
"""The program that leaves nothing running where there is no sandbox."""

LIMIT = str(Path(__file__).with_name("kernel_limits.py"))
"""The program that lowers the kernel's limits before anything else runs."""

FILTER = str(Path(__file__).with_name("system_calls.py"))
"""The program that keeps system calls from what runs in the sandbox."""

# As subuid(5) gives by default to the first user: no files belong to them.
USERS = ("100000", "65536")
"""The users outside that are those in the sandbox, where root may choose: the first, and how many."""

HIDDEN = ("/home", "/root", "/run", "/mnt", "/media", "/srv")
"""What is seen empty in there; temporary directories are, too, and can be written to."""

# The same path in every sandbox, whatever TMPDIR is outside.
PRIVATE = "/tmp"
"""What can be written to in the sandbox, as large as is allowed."""

TASKS = 4
"""How many threads there may be for each process that there may be."""

_TRYING = threading.Lock()

_PATIENCE = 120.0
"""Seconds for a trial. Nothing should take so long, but one that is given up makes the sandbox weaker."""

_SMALL = str(64 << 20)
"""Bytes in the other directories that can be written to."""

_PASSED = (
    "PATH",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "PIP_CERT",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "CARGO_HTTP_CAINFO",
    "GIT_SSL_CAINFO",
    "RUSTUP_HOME",
    "LIBFAKETIME",
)
"""All that programs in there get of the environment of whoever runs them."""

_PROXIES = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")


@dataclass(frozen=True)
class Sandbox:
    """How programs are confined on this machine."""

    program: str = ""
    """bubblewrap; empty where it is not, or does not work."""
    has_users: bool = False
    """Whether it has users of its own."""
    has_filter: bool = False
    """Whether system calls that no build needs are refused."""
    why_not: str = ""
    """Why it is not stronger."""

    def command(
        self,
        command: Sequence[str],
        *,
        readable: Sequence[Path],
        given: Mapping[str, Path],
        limits: Limits,
    ) -> list[str]:
        """Return what runs *command* in there.

        :param readable: files and directories that can be read though they lie in what is hidden.
        :param given: names of files in ``/run``, and what they are.
        :param limits: how much it may take.
        """
        if not self.program:
            limited = _limited(limits, "machine") if sys.platform != "win32" else []
            return [*_program(SUPERVISE), *limited, *command]
        # --new-session: without a terminal, TIOCSTI has none to write to (bwrap(1)).
        words = [self.program, "--die-with-parent", "--new-session", "--unshare-pid", "--unshare-ipc"]
        words += ["--cap-drop", "ALL"]
        if self.has_users:
            # What mapping users takes; SETFCAP for mapping root since Linux 5.12 (user_namespaces(7)).
            words += [word for name in ("SETUID", "SETGID", "SETFCAP") for word in ("--cap-add", f"CAP_{name}")]
        words += ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
        for path, room in ((PRIVATE, str(limits.room)), ("/var/tmp", _SMALL), ("/dev/shm", _SMALL)):
            # 1777 as for /tmp everywhere: users in there are several.
            words += ["--perms", "1777", "--size", room, "--tmpfs", path]
        for path in HIDDEN:
            if Path(path).is_dir():
                words += ["--perms", "0755", "--size", _SMALL, "--tmpfs", path]
        for one in _outermost(path for path in (*readable, *_RESOLVER) if _is_hidden(path)):
            # bubblewrap would make the directories above for itself alone
            for above in reversed(list(one.parents)[:-1]):
                words += ["--perms", "0755", "--dir", str(above)]
            words += ["--ro-bind", str(one), str(one)]
        for name, one in given.items():
            words += ["--ro-bind", str(one), f"/run/{name}"]
        words += ["--chdir", PRIVATE, "--"]
        if self.has_filter:
            command = [*_program(FILTER), *command]
        if not self.has_users:
            return [*words, *_limited(limits, "namespace"), *command]
        # The kernel counts the tasks of each user there, of whom root has many; all of them together count for who made
        # the namespace. So that is made in another, by its root, who has no other tasks and is bound by the limit.
        inner = [*_program(ENTER), "0", USERS[1]]
        return [*words, *_program(ENTER), *USERS, *_limited(limits, "namespace"), *inner, *command]


def _program(path: str) -> list[str]:
    return [sys.executable, "-I", "-S", path]


def _limited(limits: Limits, place: str) -> list[str]:
    """Return what runs a command in *place* within the kernel's limits."""
    # They are wider than those that are watched: who passes those is to be ended, not to see programs fail.
    numbers = (limits.processes * TASKS, limits.memory * 4, limits.room * 2)
    return [*_program(LIMIT), *map(str, numbers), place]


_RESOLVER = (Path("/etc/resolv.conf").resolve(),)
"""Where names of hosts are looked up, which may lie in ``/run``."""


def _is_hidden(path: Path) -> bool:
    """Return whether *path* is in what is hidden, and not all of it."""
    tops = [Path(top) for top in (*HIDDEN, PRIVATE, "/var/tmp")]
    return path.exists() and any(top in path.parents for top in tops)


def _outermost(paths: object) -> list[Path]:
    found: list[Path] = []
    for path in sorted(set(paths)):  # type: ignore[call-overload]
        if not any(one == path or one in path.parents for one in found):
            found.append(path)
    return found


def find(environ: Mapping[str, str], readable: tuple[Path, ...]) -> Sandbox:
    """Return the strongest sandbox that works here, which is tried once; several threads may ask."""
    # Each would try by itself, at the same time: on a machine under load, one that takes too long counts as failed.
    with _TRYING:
        return _find(environ.get("PATH", os.defpath), readable)


@lru_cache(maxsize=8)
def _find(path: str, readable: tuple[Path, ...]) -> Sandbox:
    if not sys.platform.startswith("linux"):
        return Sandbox(why_not=f"there is no bubblewrap on {sys.platform}")
    program = shutil.which("bwrap", path=path)
    if program is None:
        return Sandbox(why_not=programs.missing("bwrap"))
    if os.getuid() == 0:
        layered = Sandbox(program, has_users=True)
        why = _why_not(layered, readable)
        if not why:
            return _filtered(layered, readable)
        plain = Sandbox(program, why_not=f"root in the sandbox is root outside: {why}")
    else:
        plain = Sandbox(program)
    why = _why_not(plain, readable)
    return Sandbox(why_not=f"bubblewrap does not work here: {why}") if why else _filtered(plain, readable)


def _filtered(sandbox: Sandbox, readable: tuple[Path, ...]) -> Sandbox:
    """Return *sandbox* with system calls filtered, or why they are not."""
    stronger = replace(sandbox, has_filter=True)
    why = _why_not(stronger, readable)
    if not why:
        return stronger
    return replace(sandbox, why_not="; ".join(filter(None, [sandbox.why_not, f"system calls are not filtered: {why}"])))


def _why_not(sandbox: Sandbox, readable: tuple[Path, ...]) -> str:
    """Return why *sandbox* does not work, or nothing."""
    # A trial of what builds do: import, write; mere starting proves less.
    program = "import json, subprocess, os; os.mkdir('/tmp/samebytes-trial')"
    command = sandbox.command([sys.executable, "-c", program], readable=readable, given={}, limits=Limits(room=1 << 20))
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=_PATIENCE, text=True, cwd="/"
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    last = done.stderr.strip().splitlines()[-1:] or [f"exit status {done.returncode}"]
    return last[0] if done.returncode else ""


def readable(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Return what a build needs to see: the interpreter, what this process imports, and the programs on PATH.

    Of a home with programs in it, no more than those.
    """
    home = environ.get("HOME", "")
    paths = [Path(sys.prefix), Path(sys.base_prefix), *(Path(one) for one in sys.path if one)]
    paths += [Path(one) for one in environ.get("PATH", "").split(os.pathsep) if one]
    paths += [Path(environ[name]) for name in ("RUSTUP_HOME", *_PASSED[1:]) if environ.get(name)]
    paths += [Path(home, ".rustup")] if home else []
    # Both: programs are called by one, and links lead to the other.
    paths += [path.resolve() for path in paths]
    # A PATH or sys.path with the home itself must not make all of it readable.
    tops = {Path(home), *Path(home).parents} if home else set()
    return tuple(sorted({path for path in paths if path.is_absolute() and path not in tops}))


def environment(environ: Mapping[str, str], index: str, home: str, temp: str) -> dict[str, str]:
    """Return the environment of programs in there: a few variables, and an *index* that wants no credentials."""
    kept = {name: environ[name] for name in _PASSED if environ.get(name)}
    # Not one with credentials: every build could read them.
    kept.update({name: environ[name] for name in _PROXIES if environ.get(name) and "@" not in environ[name]})
    if environ.get("HOME") and Path(environ["HOME"], ".rustup").is_dir():
        kept.setdefault("RUSTUP_HOME", str(Path(environ["HOME"], ".rustup")))
    return {
        **kept,
        # The index is served there, which a proxy cannot reach.
        "no_proxy": "127.0.0.1",
        "NO_PROXY": "127.0.0.1",
        "HOME": home,
        "TMPDIR": temp,
        "LANG": "C.UTF-8",
        # requests, and by that pip, looks for credentials there.
        "NETRC": os.devnull,
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": index,
        "PIP_KEYRING_PROVIDER": "disabled",
        "PIP_NO_CACHE_DIR": "0",  # pip: a no that is false is a yes
        "PIP_NO_COMPILE": "0",
        "PIP_NO_INPUT": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "UV_DEFAULT_INDEX": index,
        "UV_NO_CONFIG": "1",
    }
