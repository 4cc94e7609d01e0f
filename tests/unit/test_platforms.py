"""Where the code asks on which system it runs: each place is listed here, and what macOS takes has a test.

The tests run on Linux. What only another system does would stay untried, so that each such place names the test that
imitates it; a new one fails here until it has one.
"""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from samebytes_tools.building import memory, pip_settings, processes, watchdog
from samebytes_tools.commands.survey.sandbox import machine, sandbox, system_calls
from samebytes_tools.commands.tree.directories import Directories
from samebytes_tools.variations import disorder, workspace
from support.processes import is_running, linux_only, wait_for

from samebytes import cores
from samebytes.archive import atomic
from samebytes.backend import fixed, inner, lock

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("src/samebytes", "tools/src/samebytes_tools")
NAMES = ("platform", "system")
"""What functions call a parameter that holds sys.platform."""
SYSTEMS = ("darwin", "linux", "macosx")
ON_LINUX = ("/proc/", "/dev/shm", "/sys/", "O_PATH", "ST_NOEXEC")
"""Files and flags that no other system has."""

BACKEND, TOOLS, SANDBOX = "samebytes/backend/", "samebytes_tools/", "samebytes_tools/commands/survey/sandbox/"

MACOS = {
    "samebytes/archive/atomic.py": "test_writing_where_no_directory_can_be_opened_but_for_reading",
    "samebytes/console/programs.py:missing": "test_what_to_do_is_for_the_system",
    "samebytes/cores.py:available": "test_processors_where_no_affinity_can_be_asked_for",
    "samebytes/deflate/libraries.py:_places": "test_no_library_is_loaded_by_its_name_alone",
    f"{BACKEND}enter.py": "test_programs_for_namespaces_end_at_once",
    f"{BACKEND}fixed.py:_runs_nothing": "test_no_fixed_place_without_mount_namespaces",
    f"{BACKEND}fixed.py:_why_not": "test_no_fixed_place_without_mount_namespaces",
    f"{BACKEND}flags.py:_link_flags": "test_macos_gets_the_linkers_prefix_too",
    f"{BACKEND}inner.py:_below": "test_processes_that_cannot_be_seen",
    f"{BACKEND}lock.py:_is_ours": "test_a_lock_whose_holder_cannot_be_seen_is_waited_for",
    f"{BACKEND}session.py:begin": "test_macos_gets_the_linkers_prefix_too",
    f"{TOOLS}building/memory.py:available": "test_no_memory_is_known",
    f"{TOOLS}building/pip_settings.py:_files": "test_where_pip_is_configured",
    f"{TOOLS}building/pip_settings.py:read": "test_where_pip_is_configured",
    f"{TOOLS}building/processes.py:_forget_clock": "test_whether_a_process_has_ended",
    f"{TOOLS}building/processes.py:_has_ended": "test_whether_a_process_has_ended",
    f"{TOOLS}building/watchdog.py:signalled": "test_the_group_stands_for_the_session",
    f"{TOOLS}commands/tree/directories.py:_change_unreadable": "test_a_file_that_may_not_be_read_is_not_changed",
    f"{TOOLS}commands/tree/directories.py:_naming": "test_a_file_that_may_not_be_read_is_not_changed",
    f"{TOOLS}commands/verify/metadata.py:_is_of": "test_platforms",
    f"{TOOLS}variations/disorder.py:find": "test_no_variation_of_the_order_and_of_processors",
    f"{TOOLS}variations/enter_environment.py": "test_programs_for_namespaces_end_at_once",
    f"{TOOLS}variations/moved_clock.py:prepare_clock": "test_no_compiler_of_macos_is_run_for_nothing",
    f"{TOOLS}variations/workspace.py:_is_roomy": "test_no_variation_of_the_order_and_of_processors",
    f"{TOOLS}variations/workspace.py:_obstacles": "test_no_variation_of_the_order_and_of_processors",
    f"{TOOLS}variations/workspace.py:workspace": "test_no_variation_of_the_order_and_of_processors",
    f"{SANDBOX}enter_sandbox.py": "test_programs_for_namespaces_end_at_once",
    f"{SANDBOX}kernel_limits.py:limit": "test_limits_that_every_system_has",
    f"{SANDBOX}machine.py:_processor": "test_no_sandbox",
    f"{SANDBOX}sandbox.py:_find": "test_no_sandbox",
    f"{SANDBOX}supervise.py:end_all": "test_what_a_supervised_command_started_ends_with_it",
    f"{SANDBOX}supervise.py:main": "test_what_a_supervised_command_started_ends_with_it",
    f"{SANDBOX}system_calls.py:machine": "test_no_sandbox",
}
"""Where macOS takes another way than Linux, and the test that takes it on Linux."""

LINUX = {
    f"{BACKEND}enter.py:new_namespace",
    f"{TOOLS}building/enter_memory.py:join",
    f"{TOOLS}building/memory.py",
    f"{TOOLS}building/memory.py:is_full",
    f"{TOOLS}building/watchdog.py:_session",
    f"{TOOLS}variations/disorder.py",
    f"{TOOLS}variations/enter_environment.py:rename_host",
    f"{SANDBOX}confined.py:_is_full",
    f"{SANDBOX}enter_sandbox.py:map_users",
    f"{SANDBOX}kernel_limits.py:tasks_of",
    f"{SANDBOX}sandbox.py:command",
    f"{SANDBOX}supervise.py:children",
}
"""What is called on Linux alone: in a namespace, in a sandbox, or behind one of the questions above."""


posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")


def asks(node: ast.AST) -> bool:
    """Return whether an expression asks for the system, but not just for Windows, or names what Linux has."""
    if isinstance(node, ast.Compare) and isinstance(node.left, ast.Name) and node.left.id in NAMES:
        return any(isinstance(each, ast.Constant) and each.value in SYSTEMS for each in node.comparators)
    text = node.value if isinstance(node, ast.Constant) else None
    return is_system(node) or (isinstance(text, str) and f"{text}/".startswith(ON_LINUX) and "\n" not in text)


def is_system(node: ast.AST) -> bool:
    # os.name is one on Linux and macOS.
    return (
        isinstance(node, ast.Attribute)
        and node.attr == "platform"
        and isinstance(node.value, ast.Name)
        and node.value.id == "sys"
    )


def asks_for_windows(node: ast.AST) -> bool:
    """Return whether a comparison only separates Windows from all others; what is done there is not for this test."""
    if not isinstance(node, ast.Compare):
        return False
    if not is_system(node.left) and not (isinstance(node.left, ast.Name) and node.left.id in NAMES):
        return False
    return all(isinstance(each, ast.Constant) and each.value == "win32" for each in node.comparators)


def places(path: Path) -> Iterator[str]:
    """Give the functions of a module in which that is asked; the module itself outside of all."""
    module = path.relative_to(ROOT).as_posix().partition("src/")[2]

    def walk(node: ast.AST, where: str) -> Iterator[str]:
        for child in ast.iter_child_nodes(node):
            inner = f"{module}:{child.name}" if isinstance(child, ast.FunctionDef) else where
            if asks_for_windows(child):
                continue
            if asks(child):
                yield where
            yield from walk(child, inner)

    yield from walk(ast.parse(path.read_text("utf-8")), module)


def test_every_place_that_asks_is_listed() -> None:
    listed = MACOS.keys() | LINUX
    found = {place for source in SOURCES for path in (ROOT / source).rglob("*.py") for place in places(path)}
    assert found - listed == set(), "new: give it a test that imitates macOS, and a line in one of the tables"
    assert listed - found == set(), "gone: take it out of the tables"


def test_what_macos_takes_has_a_test() -> None:
    tests = "".join(path.read_text("utf-8") for path in (ROOT / "tests" / "unit").rglob("test_*.py"))
    assert [name for name in MACOS.values() if f"def {name}(" not in tests] == []


def on_macos(monkeypatch: pytest.MonkeyPatch, *modules: ModuleType) -> None:
    """Let *modules*, and them alone, take their system for macOS."""
    for module in modules:
        there = {name: getattr(sys, name) for name in ("version_info", "executable", "stdin", "path", "base_prefix")}
        monkeypatch.setattr(module, "sys", SimpleNamespace(**there, platform="darwin"))


def without_proc(monkeypatch: pytest.MonkeyPatch, *modules: ModuleType) -> None:
    """Let *modules* find nothing in /proc."""
    for module in modules:
        monkeypatch.setattr(module, "Path", lambda *parts: Path(str(Path(*parts)).replace("/proc/", "/no-such-proc/")))


def test_processors_where_no_affinity_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    on_macos(monkeypatch, cores)
    monkeypatch.setattr(cores.sys, "version_info", (3, 12))
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 11)
    assert cores.available() == 11
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert cores.available() == 1


@posix
def test_writing_where_no_directory_can_be_opened_but_for_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """macOS has no O_PATH; and /tmp is a link there."""
    monkeypatch.setattr(atomic, "_WALK", os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    (tmp_path / "private" / "tmp").mkdir(parents=True)
    (tmp_path / "tmp").symlink_to("private/tmp")
    for data in (b"one", b"two"):
        with atomic.replacing(tmp_path / "tmp" / "a.whl") as sink:
            sink.write(data)
        assert (tmp_path / "private" / "tmp" / "a.whl").read_bytes() == data
    assert os.listdir(tmp_path / "private" / "tmp") == ["a.whl"]


@pytest.mark.parametrize(
    "program",
    [
        "src/samebytes/backend/enter.py",
        *(
            f"tools/src/samebytes_tools/{name}"
            for name in ("variations/enter_environment.py", "commands/survey/sandbox/enter_sandbox.py")
        ),
    ],
)
def test_programs_for_namespaces_end_at_once(program: str) -> None:
    assert run_on_macos(program, "x").returncode == 125


def run_on_macos(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(macos_command(program, *arguments), capture_output=True, text=True, check=False)


def macos_command(program: str, *arguments: str) -> list[str]:
    """Return the command that runs a file of ours as if on macOS."""
    code = "import runpy, sys; sys.platform = 'darwin'; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], {}, '__main__')"
    return [sys.executable, "-c", code, str(ROOT / program), *arguments]


def test_no_fixed_place_without_mount_namespaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_macos(monkeypatch, fixed)
    said: list[str] = []
    place = fixed.place(tmp_path, {}, said.append, {})
    assert not place.is_fixed
    assert "only Linux has mount namespaces" in "".join(said)
    assert not fixed._runs_nothing(tmp_path)


def test_processes_that_cannot_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    without_proc(monkeypatch, inner)
    assert inner._below(os.getpid()) == set()


def test_a_lock_whose_holder_cannot_be_seen_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_proc(monkeypatch, lock)
    handle = os.open(tmp_path, os.O_RDONLY)
    try:
        assert lock._is_ours(handle)
    finally:
        os.close(handle)


def test_no_memory_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    without_proc(monkeypatch, memory)
    assert memory.available() == 0


@posix
def test_whether_a_process_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python before 3.13 has no waitid(2) for macOS."""
    on_macos(monkeypatch, processes)
    monkeypatch.delattr(os, "waitid", raising=False)
    with subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE) as process:
        assert not processes._has_ended(process)
        assert process.stdin is not None
        process.stdin.close()
        process.wait()
        assert processes._has_ended(process)
    monkeypatch.setattr(processes, "Path", lambda *parts: Path("/no-such-shm", *parts[1:]))
    processes._forget_clock(process.pid)


@posix
def test_the_group_stands_for_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    on_macos(monkeypatch, watchdog)
    monkeypatch.setattr(watchdog, "_session", lambda _: pytest.fail("there is no /proc"))
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True) as process:
        assert watchdog.signalled(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        assert not watchdog.signalled(process.pid, signal.SIGKILL)


@posix
def test_a_file_that_may_not_be_read_is_not_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.delattr(os, "O_PATH", raising=False)
    with Directories(tmp_path) as tree, pytest.raises(PermissionError):
        tree._change_unreadable("file", None, 0o644, None)


def test_no_variation_of_the_order_and_of_processors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_macos(monkeypatch, disorder, workspace)
    monkeypatch.setattr(disorder.shutil, "which", lambda *_, **__: "/usr/bin/disorderfs")
    assert disorder.find(tmp_path, {}) == ""
    monkeypatch.setattr(workspace, "_keeps_order", lambda _: False)
    monkeypatch.setattr(workspace, "Path", lambda text: Path(text.replace("/dev/shm", "/no-such-shm")))
    found = workspace.workspace({}, keep_order=True)
    assert (found.keeps_order, found.disorderfs) == (False, "")
    assert found.directory == found.directory.resolve()
    assert workspace.obstacles(found, {})["processors"].why == "there is no processor affinity on darwin"
    assert "file-order" in workspace.obstacles(found, {})


@posix
def test_limits_that_every_system_has() -> None:
    program = "tools/src/samebytes_tools/commands/survey/sandbox/kernel_limits.py"
    code = "import resource as r; print(*(r.getrlimit(k)[0] for k in (r.RLIMIT_CORE, r.RLIMIT_FSIZE, r.RLIMIT_AS)))"
    done = run_on_macos(program, "5", str(1 << 34), str(1 << 30), "machine", sys.executable, "-c", code)
    core, size, space = map(int, done.stdout.split())
    assert (core, size) == (0, 1 << 30)
    assert space != 1 << 34


def test_where_pip_is_configured(tmp_path: Path) -> None:
    """In Application Support where that is there, else as elsewhere (pip's documentation, "Configuration")."""
    for place in (".config/pip", "Library/Application Support/pip"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "pip.conf").write_text(f"[global]\nfind-links = {place.partition('/')[0]}\n", "utf-8")
        assert pip_settings.read({"HOME": str(tmp_path)}, "darwin")["find-links"] == place.partition("/")[0]
    assert pip_settings.read({"HOME": str(tmp_path)}, "linux")["find-links"] == ".config"


def test_no_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    on_macos(monkeypatch, sandbox, system_calls)
    without_proc(monkeypatch, machine)
    found = sandbox._find.__wrapped__("/usr/bin:/bin", ())
    assert found.program == ""
    assert found.why_not == "there is no bubblewrap on darwin"
    assert system_calls.machine() == ""
    assert machine._processor() == ""


@linux_only
def test_what_a_supervised_command_started_ends_with_it(tmp_path: Path) -> None:
    program = "tools/src/samebytes_tools/commands/survey/sandbox/supervise.py"
    script = "sleep 600 & echo $! $$ >pids.new; mv pids.new pids; wait"
    with subprocess.Popen(macos_command(program, "/bin/sh", "-c", script), cwd=tmp_path) as process:
        try:
            wait_for((tmp_path / "pids").is_file)
        finally:
            process.terminate()
        assert process.wait() == 143
    pids = (tmp_path / "pids").read_text().split()
    wait_for(lambda: not any(is_running(int(pid)) for pid in pids))


def test_a_supervised_command_that_cannot_be_started_ends_nobody_else(tmp_path: Path) -> None:
    program = "tools/src/samebytes_tools/commands/survey/sandbox/supervise.py"
    done = run_on_macos(program, str(tmp_path / "none"))
    assert "FileNotFoundError" in done.stderr
