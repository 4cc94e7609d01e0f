"""The sandbox: what it shows and hides, and that it holds where there is one."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from samebytes_tools.commands.survey.sandbox import sandbox
from samebytes_tools.commands.survey.sandbox.confined import Limits
from samebytes_tools.commands.survey.sandbox.sandbox import Sandbox
from support.processes import linux_only

SMALL = Limits(room=1 << 20)
READABLE = sandbox.readable(os.environ)


@pytest.fixture(scope="module")
def box() -> Sandbox:
    found = sandbox.find(os.environ, READABLE)
    if not found.program:
        pytest.skip(found.why_not)
    return found


PYTHON = (sys.executable, "-S", "-c")
"""Without ``site``, by which coverage starts in every process: in the sandbox it could not write what it measured."""


def said(box: Sandbox, *command: str, given: dict[str, Path] | None = None, limits: Limits = SMALL) -> str:
    words = box.command(list(command), readable=READABLE, given=given or {}, limits=limits)
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd="/", check=False)
    return done.stdout + done.stderr


def test_builds_get_few_variables() -> None:
    secrets = {"AWS_SECRET_ACCESS_KEY": "x", "PIP_EXTRA_INDEX_URL": "http://me:x@host", "HOME": "/somewhere"}
    proxies = {"http_proxy": "http://me:x@host", "https_proxy": "http://proxy:8080"}
    environ = sandbox.environment(
        {"PATH": "/bin", "SSL_CERT_FILE": "/c.pem", **secrets, **proxies}, "http://127.0.0.1:1/simple", "/h", "/t"
    )
    assert environ["HOME"] == "/h"
    assert environ["TMPDIR"] == "/t"
    assert environ["PIP_INDEX_URL"] == "http://127.0.0.1:1/simple"
    assert environ["SSL_CERT_FILE"] == "/c.pem"
    assert environ["https_proxy"] == "http://proxy:8080"
    assert not {"AWS_SECRET_ACCESS_KEY", "PIP_EXTRA_INDEX_URL", "http_proxy"} & set(environ)


def test_a_home_is_never_shown_as_a_whole() -> None:
    environ = {"HOME": "/home/ada", "PATH": "/usr/bin:/home/ada:/home:/home/ada/bin:/:relative"}
    shown = sandbox.readable(environ)
    assert Path("/home/ada/bin") in shown
    assert not {Path("/home/ada"), Path("/home"), Path("/")} & set(shown)
    assert all(path.is_absolute() for path in shown)


@linux_only
def test_threads_that_ask_at_once_have_one_trial(tmp_path: Path) -> None:
    """Two at a time may take too long on a machine under load, and what takes too long does not count as a sandbox."""
    program, log = tmp_path / "bwrap", tmp_path / "log"
    program.write_text(f"#!/bin/sh\necho begun >>{log}\n/bin/sleep 0.2\necho no >&2\nexit 1\n")
    program.chmod(0o755)
    found: list[Sandbox] = []
    asked = [
        threading.Thread(target=lambda: found.append(sandbox.find({"PATH": str(tmp_path)}, (tmp_path,))))
        for _ in range(4)
    ]
    for thread in asked:
        thread.start()
    for thread in asked:
        thread.join()
    assert [one.why_not for one in found] == ["bubblewrap does not work here: no"] * 4
    # As root, with users of its own and without.
    assert log.read_text().count("begun") == (2 if os.getuid() == 0 else 1)


def test_without_bubblewrap_it_says_so(tmp_path: Path) -> None:
    found = sandbox.find({"PATH": str(tmp_path)}, READABLE)
    assert found == Sandbox(why_not="bwrap is not installed (install the package bubblewrap)")
    assert found.command(["x"], readable=(), given={}, limits=Limits(room=5))[-3:] == ["10", "machine", "x"]


def test_one_that_does_not_work_is_not_used(tmp_path: Path) -> None:
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    fake.chmod(0o755)
    found = sandbox.find({"PATH": str(tmp_path)}, READABLE)
    assert not found.program
    assert found.why_not == "bubblewrap does not work here: bwrap: No permissions to create new namespace"


def test_nothing_but_temporary_files_can_be_written(box: Sandbox) -> None:
    assert said(box, "/bin/sh", "-c", "echo here >/tmp/it && cat /tmp/it") == "here\n"
    for place in ("/usr", "/etc", sys.prefix, str(Path(sandbox.__file__).parent)):
        assert "Read-only" in said(box, "/bin/sh", "-c", f"echo here >{place}/samebytes-was-here")
    assert not Path("/tmp/it").exists()


def test_what_is_mounted_stays_so(box: Sandbox) -> None:
    for deed in ("mount -o remount,bind,rw /", "umount -l /usr", "umount -l /root", "umount -l /run"):
        said(box, "/bin/sh", "-c", deed)
        assert "Read-only" in said(box, "/bin/sh", "-c", f"{deed}; echo here >/usr/samebytes-was-here")


def test_no_other_processes_are_seen(box: Sandbox) -> None:
    assert said(box, "/bin/sh", "-c", f"kill -0 {os.getpid()}; ls -d /proc/[0-9]* | wc -l").count("o such process") == 1


def test_too_much_is_not_written(box: Sandbox) -> None:
    assert "No space left" in said(box, "/bin/sh", "-c", "head -c 2000000 /dev/zero >/tmp/it")


def test_a_given_file_can_be_read(box: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "given"
    file.write_text("for you")
    assert said(box, "/bin/cat", "/run/it", given={"it": file}) == "for you"
    assert "No such file" in said(box, "/bin/cat", str(file))


@pytest.mark.skipif(sys.platform == "win32" or os.getuid() != 0, reason="needs root")
def test_root_in_there_is_nobody_outside(box: Sandbox) -> None:
    if not box.has_users:
        pytest.skip(box.why_not)
    assert said(box, "/usr/bin/id", "-u") == "0\n"
    assert "Permission denied" in said(box, "/bin/cat", "/etc/shadow")
    assert said(box, "/bin/sh", "-c", "echo >/tmp/it && chown 12345 /tmp/it && stat -c %u /tmp/it") == "12345\n"
    assert "ermission denied" in said(box, "/bin/sh", "-c", "echo x >/proc/sys/kernel/core_pattern")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs a subreaper")
def test_a_supervisor_leaves_no_daemon(tmp_path: Path) -> None:
    daemon = f"import time; time.sleep(1e6)  # {tmp_path}"
    code = f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', {daemon!r}], start_new_session=True).pid)"
    command = Sandbox().command([sys.executable, "-c", code], readable=(), given={}, limits=SMALL)
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True)
    assert str(tmp_path).encode() not in _arguments(int(done.stdout))


def _arguments(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def test_a_supervisor_ends_as_its_command(tmp_path: Path) -> None:
    for code, status in (("raise SystemExit(7)", 7), ("import os; os.kill(os.getpid(), 9)", 137)):
        command = Sandbox().command([sys.executable, "-c", code], readable=(), given={}, limits=SMALL)
        assert subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode == status


MOST = 300
"""Processes that a test begins, whatever holds it: no test may be what it tests against."""

BEGINNING = """
import ctypes, os, signal, sys, time

def begin(most):
    made = 0
    for _ in range(most):
        try:
            child = os.fork()
        except OSError as error:
            return f"{made} {error.strerror}"
        if child == 0:
            signal.alarm(60)
            time.sleep(50)
            os._exit(0)
        made += 1
    return str(made)

def end():  # what it ends may end this process, with what that has not written yet
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.kill(-1 if os.getpid() < 50 else 0, signal.SIGTERM)
"""

ALONE = f"{BEGINNING}\nprint(begin({MOST}), flush=True)\nend()"

AS_MANY_USERS = f"""{BEGINNING}
reading, writing = os.pipe()
for user in range(4):
    if os.fork() == 0:
        os.setuid(1000 + user)
        os.write(writing, (begin({MOST // 4}) + "; ").encode())
        signal.alarm(60)
        time.sleep(50)
        os._exit(0)
found = ""
while found.count(";") < 4:
    found += os.read(reading, 1000).decode()
print(found, flush=True)
end()
"""

IN_A_NAMESPACE = (
    f"{BEGINNING}\nassert ctypes.CDLL(None).unshare(0x10000000) == 0\nprint(begin({MOST}), flush=True)\nend()"
)


def made(text: str) -> int:
    """Return how many processes a program in there began before the kernel said no."""
    assert "Resource temporarily unavailable" in text, text
    return sum(int(part.split()[0]) for part in text.strip(" ;\n").split(";"))


@pytest.mark.parametrize("program", [ALONE, AS_MANY_USERS, IN_A_NAMESPACE], ids=["alone", "as users", "in a namespace"])
def test_the_kernel_holds_the_number_of_processes(box: Sandbox, program: str) -> None:
    """All users of the sandbox and of namespaces in there together: 200 here, of 300 that are tried."""
    if program is AS_MANY_USERS and not box.has_users:
        pytest.skip(box.why_not or "needs root")
    found = made(said(box, *PYTHON, program, limits=Limits(processes=200 // sandbox.TASKS)))
    assert 150 < found < 200


def test_what_others_do_is_not_counted(box: Sandbox) -> None:
    """Two sandboxes at the same time have their limits each; the rest of the machine has more tasks than either."""
    words = box.command([*PYTHON, ALONE], readable=READABLE, given={}, limits=Limits(processes=200 // sandbox.TASKS))
    both = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd="/") for _ in range(2)]
    assert all(150 < made(one.communicate()[0]) < 200 for one in both)


LIMITED_AS_NOBODY = """
import os, resource, subprocess, sys
sys.path.insert(0, sys.argv[1])
import kernel_limits
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(61234)
    os.setuid(61234)
children = [subprocess.Popen(["/bin/sleep", "60"]) for _ in range(20)]
before = kernel_limits.tasks_of(os.getuid())
kernel_limits.limit(200, 1 << 40, 1 << 20, is_namespace=False)
print(before, resource.getrlimit(resource.RLIMIT_NPROC)[1], resource.getrlimit(resource.RLIMIT_FSIZE)[1])
try:
    resource.setrlimit(resource.RLIMIT_NPROC, (resource.RLIM_INFINITY,) * 2)
except (OSError, ValueError):
    print("for good")
for child in children:
    child.kill()
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
def test_without_a_namespace_what_runs_already_is_added() -> None:
    command = [sys.executable, "-c", LIMITED_AS_NOBODY, str(Path(sandbox.LIMIT).parent)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd="/")
    before, tasks, size = map(int, done.stdout.split()[:3])
    assert before > 20
    assert (tasks, size) == (before + 200, 1 << 20)
    assert done.stdout.endswith("for good\n")


SHOWING = "import resource as r; print([r.getrlimit(getattr(r, 'RLIMIT_' + name)) for name in sys.argv[1:]])"


def test_the_limits_are_there_from_the_beginning(box: Sandbox) -> None:
    limits = Limits(memory=1 << 30, room=1 << 20)
    found = said(box, *PYTHON, f"import sys; {SHOWING}", "AS", "FSIZE", "CORE", limits=limits)
    assert found == f"[{(4 << 30,) * 2}, {(2 << 20,) * 2}, (0, 0)]\n"
