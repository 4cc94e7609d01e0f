"""The commands under CPython for Windows, which Wine runs: what they write and print is what they do on Linux."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from support import artifacts
from support.projects import UNWRAPPED, copy_bare
from support.wine import WindowsPython, windows_python
from support.workshop import Workshop

from samebytes.commands.main import main

pytestmark = pytest.mark.integration

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def windows() -> WindowsPython:
    return windows_python()


@pytest.fixture(scope="module")
def core(windows: WindowsPython, workshop: Workshop) -> dict[str, str]:
    """The variables under which Windows' Python finds the samebytes under test."""
    return {"PYTHONPATH": windows.windows_path(windows.packages(workshop.wheel))}


@pytest.fixture(scope="module")
def tools(windows: WindowsPython, workshop: Workshop) -> dict[str, str]:
    """The same, with samebytes-tools."""
    return {"PYTHONPATH": windows.windows_path(windows.packages(workshop.wheel, workshop.tools_wheel))}


@pytest.fixture
def samebytes(windows: WindowsPython, core: dict[str, str], tmp_path: Path) -> Run:
    """Runs ``samebytes`` on Windows, in ``tmp_path / "windows"``."""

    def run(*arguments: str, cwd: Path = tmp_path / "windows", **env: str) -> subprocess.CompletedProcess[str]:
        return windows.run(["-m", "samebytes", *arguments], cwd=cwd, env={**core, **env})

    (tmp_path / "windows").mkdir()
    return run


@pytest.fixture
def prompt(windows: WindowsPython, core: dict[str, str], tmp_path: Path, samebytes: Run) -> Run:
    """Runs a line in ``cmd``, where ``samebytes`` is the command."""
    (tmp_path / "windows" / "samebytes.bat").write_text(
        f"@{windows.windows_path(windows.executable)} -m samebytes %*\n"
    )

    def run(line: str) -> subprocess.CompletedProcess[str]:
        return windows.run(["/c", *line.split()], program="cmd", cwd=tmp_path / "windows", env=core)

    return run


def made(directory: Path) -> list[Path]:
    """Make archives as backends do, with what names and contents can be."""
    files = {
        "demo/__init__.py": b"x = 1\n" * 50,
        "demo/Case.py": b"A = 1\r\n",
        "demo/größe.txt": "naïve ☃\n".encode(),
        "demo/big.bin": bytes(range(256)) * 4096,
    }
    return [
        artifacts.wheel(directory, files=files),
        artifacts.wheel(directory, "other", times=artifacts.TIMES[:1]),
        artifacts.sdist(directory, files={**files, "pyproject.toml": b"[project]\n"}),
    ]


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


# -- the same bytes, the same texts


def test_normalized_archives_and_reports_are_those_of_linux(
    samebytes: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    archives = made(tmp_path / "linux" / "dist")
    shutil.copytree(tmp_path / "linux" / "dist", tmp_path / "windows" / "dist")
    monkeypatch.chdir(tmp_path / "linux")
    for arguments, status in ((["check", "dist"], 1), (["normalize", "-v", "dist"], 0), (["check", "dist"], 0)):
        capsys.readouterr()
        assert main(arguments) == status
        expected = capsys.readouterr().out.replace("dist/", "dist\\")
        done = samebytes(*arguments, PYTHONUTF8="1")
        assert (done.returncode, done.stdout, done.stderr) == (status, expected, "")
    for one in archives:
        assert (tmp_path / "windows" / "dist" / one.name).read_bytes() == one.read_bytes()


def test_the_doctor_finds_nothing_wrong(samebytes: Run) -> None:
    done = samebytes("doctor")
    assert (done.returncode, done.stderr) == (0, "")
    assert "platform         Windows-10" in done.stdout
    assert "encoder          the interpreter's zlib 1.3" in done.stdout
    assert "compression      ok" in done.stdout


def test_a_project_is_wrapped_as_on_linux(windows: WindowsPython, tools: dict[str, str], tmp_path: Path) -> None:
    here, there = (copy_bare(UNWRAPPED, tmp_path / name) for name in ("linux", "windows"))
    for command in ("wrap", "unwrap"):
        assert main([command, str(here)]) == 0
        done = windows.run(["-m", "samebytes", command, "."], cwd=there, env=tools)
        assert (done.returncode, done.stderr) == (0, "")
        assert (there / "pyproject.toml").read_bytes() == (here / "pyproject.toml").read_bytes()


# -- names


def test_patterns_are_expanded_where_no_shell_does_it(prompt: Run, tmp_path: Path) -> None:
    dist = tmp_path / "windows" / "dist"
    literal = made(dist)[1].rename(dist / "other-1.0-py3-none-[a].whl")
    for line, status, found in (
        (r"samebytes check dist\*.whl", 1, {"demo-1.0-py3-none-any.whl", literal.name}),
        ("samebytes check dist/*", 1, {"demo-1.0-py3-none-any.whl", "demo-1.0.tar.gz", literal.name}),
        (rf"samebytes check dist\{literal.name}", 1, {literal.name}),
        (r"samebytes check dist\*.zip", 2, set()),
    ):
        done = prompt(line)
        assert done.returncode == status, done
        shown = {row.partition(": ")[0].rpartition("\\")[2] for row in done.stdout.splitlines()}
        assert shown == found
    assert r"dist\*.zip: there is no such file" in done.stderr


def test_names_that_differ_in_case_only_are_one_file(samebytes: Run, tmp_path: Path) -> None:
    one, two = tmp_path / "windows" / "one", tmp_path / "windows" / "two"
    path = artifacts.wheel(one)
    two.mkdir()
    shutil.copy(path, two / path.name.upper())
    done = samebytes("normalize", f"one\\{path.name}", f"ONE\\{path.name.upper()}")
    assert (done.returncode, done.stdout.count("sha256")) == (0, 1), done
    done = samebytes("normalize", f"one\\{path.name}", f"two\\{path.name.upper()}", "-o", "out")
    assert (done.returncode, done.stdout) == (2, "")
    assert "would both become" in done.stderr


def test_long_paths(samebytes: Run, tmp_path: Path) -> None:
    deep = tmp_path / "windows"
    while len(str(deep)) < 300:
        deep /= "d" * 40
    expected = made(tmp_path / "linux")
    assert main(["normalize", *map(str, expected)]) == 0
    made(deep)
    done = samebytes("normalize", str(deep.relative_to(tmp_path / "windows")).replace("/", "\\"))
    assert (done.returncode, done.stderr) == (0, "")
    assert names(deep) == sorted(path.name for path in expected)
    for path in expected:
        assert (deep / path.name).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("encoding", ["cp437", "cp1252"])
def test_names_that_the_console_cannot_show_are_escaped(samebytes: Run, tmp_path: Path, encoding: str) -> None:
    files = {"demo/größe.py": b"", "demo/☃.py": b""}
    artifacts.wheel(tmp_path / "windows" / "Grüße ☃", files=files)
    done = samebytes("check", "Grüße ☃", PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (1, "")
    assert r"\u2603.py" in done.stdout


# -- other processes


HOLD = """\
import os, sys, time
with open(sys.argv[1], "rb"):
    print("open", flush=True)
    while not os.path.exists(sys.argv[2]):
        time.sleep(0.02)
"""
NORMALIZE = """\
import os, sys
from samebytes.archive import atomic
from samebytes.commands.main import main
replace = os.replace
def noted(*arguments, **settings):
    try:
        replace(*arguments, **settings)
    except PermissionError:
        open("refused", "w").close()
        raise
os.replace = noted
atomic._PAUSES *= 50  # however late the other program notices it here
sys.exit(main(["normalize", "dist"]))
"""


@pytest.fixture
def held(windows: WindowsPython, tmp_path: Path) -> Iterator[Path]:
    """A wheel that another program has open until there is a file named "refused"."""
    path = artifacts.wheel(tmp_path / "windows" / "dist")
    arguments = ["-c", HOLD, windows.windows_path(path), windows.windows_path(tmp_path / "windows" / "refused")]
    holder = windows.start(arguments)
    assert holder.stdout is not None
    assert holder.stdout.readline().strip() == b"open"
    yield path
    holder.kill()
    holder.communicate()


def test_a_file_that_another_program_has_open_for_a_moment(
    windows: WindowsPython, core: dict[str, str], samebytes: Run, held: Path
) -> None:
    """As virus scanners have new files."""
    before = held.read_bytes()
    done = windows.run(["-c", NORMALIZE], cwd=held.parents[1], env=core)
    assert (done.returncode, done.stderr) == (0, "")
    assert names(held.parent) == [held.name]
    assert held.read_bytes() != before
    assert names(held.parents[1]) == ["dist", "refused"]


def test_a_file_that_another_program_keeps_open(samebytes: Run, held: Path) -> None:
    before = held.read_bytes()
    done = samebytes("normalize", "dist")
    assert done.returncode == 8, done
    assert names(held.parent) == [held.name]
    assert held.read_bytes() == before
    assert f"dist\\{held.name}: cannot be written: " in done.stderr
    assert f"hint: Is {held.name} open in another program, or read-only?" in done.stderr


SLOW = """\
import signal, sys, time
from samebytes.commands.main import main
from samebytes.passes.pipeline import Stop
check, begun = Stop.check, []
def slowly(self):
    if not begun:
        begun.append(True)
        %s
    time.sleep(0.5)
    check(self)
Stop.check = slowly
sys.exit(main(["normalize", "-j", "1", "dist"]))
"""
"""On a machine so slow that the work is not done before the signal comes."""

# The process gets a console of its own: what is sent to all in a console is sent to it once this one has joined it.
PRESS = """\
import ctypes, subprocess, sys
kernel = ctypes.WinDLL("kernel32", use_last_error=True)
pipe, new = subprocess.PIPE, subprocess.CREATE_NEW_CONSOLE
command = [sys.executable, "-c", sys.argv[1]]
process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, creationflags=new)
assert process.stdout.readline().strip() == "at work"
kernel.FreeConsole()
assert kernel.AttachConsole(process.pid), ctypes.get_last_error()
assert kernel.SetConsoleCtrlHandler(None, True), ctypes.get_last_error()
assert kernel.GenerateConsoleCtrlEvent(0, 0), ctypes.get_last_error()
out, err = process.communicate()
sys.stderr.write(err)
sys.exit(process.returncode)
"""
CTRL_C = ["-c", PRESS, SLOW % 'print("at work", flush=True)']
BREAK = ["-c", SLOW % "signal.raise_signal(signal.SIGBREAK)"]
"""Wine 8 does not deliver the key; this is what the C library does where it comes, or the console is closed."""


@pytest.mark.parametrize(
    ("process", "status", "said"), [(CTRL_C, 130, "interrupted"), (BREAK, 143, "terminated")], ids=["ctrl-c", "break"]
)
def test_ctrl_c_and_break_end_it_and_leave_nothing(
    windows: WindowsPython, core: dict[str, str], tmp_path: Path, process: list[str], status: int, said: str
) -> None:
    path = artifacts.wheel(tmp_path / "dist", files={"demo/some.bin": os.urandom(16 << 20)})
    before = path.read_bytes()
    done = windows.run(process, cwd=tmp_path, env=core)
    assert done.returncode == status, done
    assert done.stderr.startswith(f"samebytes: error: {said}\n")
    assert names(path.parent) == [path.name]
    assert path.read_bytes() == before


# -- interpreters


FIND = """\
import os, sys
from samebytes_tools.building import interpreters
print([str(one.executable) for one in interpreters.iter_interpreters("cpython>=3.9", [sys.executable], env=os.environ)])
for found in (interpreters.find("3.13", os.environ), interpreters.named(sys.argv[1], os.environ)):
    print(found.executable, found.short, found.platform)
"""


def test_interpreters_are_found_in_the_registry_and_on_path(
    windows: WindowsPython, tools: dict[str, str], tmp_path: Path
) -> None:
    own, other = windows.windows_path(windows.executable), tmp_path / "another Python"
    other.mkdir()
    for entry in windows.executable.parent.iterdir():
        if entry != windows.executable:
            (other / entry.name).symlink_to(entry)
    shutil.copy(windows.executable, other)
    there = windows.windows_path(other / "python.exe")
    key = r"HKCU\Software\Python\PythonCore\3.13"
    registry: Sequence[list[str]] = (
        ["add", rf"{key}\InstallPath", "/ve", "/d", windows.windows_path(other) + "\\", "/f"],
        ["add", key, "/v", "SysVersion", "/d", "3.13", "/f"],
    )
    for arguments in registry:
        assert windows.run(arguments, program="reg").returncode == 0
    path: Mapping[str, str] = {}
    for name in (there, "python"):
        done = windows.run(["-c", FIND, name], env={**tools, **path})
        assert done.stdout.splitlines() == [str([own, there]), f"{own} 3.13 win-amd64", f"{there} 3.13 win-amd64"], done
        path = {"WINEPATH": windows.windows_path(other)}
    assert windows.run(["delete", r"HKCU\Software\Python", "/f"], program="reg").returncode == 0
