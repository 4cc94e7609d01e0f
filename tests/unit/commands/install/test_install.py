"""Installing wheels: what is laid out, that two installs are the same, and that nothing is ever half installed."""

from __future__ import annotations

import csv
import io
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import packaging.tags
import pytest
from samebytes_tools.commands.install import stage as install_stage
from samebytes_tools.commands.install.install import find_wheels
from samebytes_tools.commands.install.interpreter import TARGET, ask, beneath_top, refuse_unfit
from samebytes_tools.commands.tree.digest import digest
from support.artifacts import METADATA, WHEEL, record_of, wheel, zip_info
from support.installed import DATE, PYTHON, TAG, facts, install_into, project, strays
from support.schemas import assert_valid
from support.wheels import spelt

from samebytes import normalize
from samebytes.commands import main as cli
from samebytes.epoch import DEFAULT_DATE
from samebytes.errors import ArchiveError, HostileArchiveError, OutputError, RecordError, UsageError

INFO = "demo-1.0.dist-info"
RECORD_OF_ANOTHER = b"demo/__init__.py,sha256=AAAA,3\ndemo/gone.py,sha256=AAAA,3\n"


def names(top: Path) -> set[str]:
    return {name for name in facts(top) if (top / name).is_file()}


def rows(top: Path, info: str = INFO) -> list[list[str]]:
    with (top / info / "RECORD").open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


# What is laid out


def test_a_package(tmp_path: Path) -> None:
    top = tmp_path / "lib" / "site"
    installed = install_into(top, project(tmp_path))
    compiled = {f"demo/__pycache__/{name}.{TAG}.pyc" for name in ("__init__", "part")}
    metadata = {
        f"{INFO}/{name}" for name in ("METADATA", "WHEEL", "RECORD", "INSTALLER", "REQUESTED", "entry_points.txt")
    }
    assert names(top) == {"demo/__init__.py", "demo/part.py", "demo/data.txt", "bin/demo"} | compiled | metadata
    assert installed.files == len(names(top))
    assert (top / INFO / "INSTALLER").read_bytes() == b"samebytes\n"
    assert {time for _, time, _ in facts(top).values()} == {DATE * 10**9}
    assert top.stat().st_mtime == DATE
    modes = {name: mode for name, (mode, _, _) in facts(top).items()}
    assert {name for name, mode in modes.items() if mode == 0o755 and name in names(top)} == {"bin/demo"}
    assert set(modes.values()) == {0o644, 0o755}
    assert strays(tmp_path) == []


def test_record_lists_every_file_in_order(tmp_path: Path) -> None:
    top = tmp_path / "site"
    install_into(top, project(tmp_path))
    found = rows(top)
    assert [row[0] for row in found] == [*sorted(names(top) - {f"{INFO}/RECORD"}), f"{INFO}/RECORD"]
    assert found[-1][1:] == ["", ""]
    for name, digested, size in found[:-1]:
        data = (top / name).read_bytes()
        assert [digested, size] == [spelt(data), str(len(data))]


def test_every_kind_of_data(tmp_path: Path) -> None:
    data = "demo-1.0.data"
    files = {
        "demo/__init__.py": b"",
        f"{data}/scripts/run": b"#!python -O\nprint(1)\n",
        f"{data}/scripts/tool.sh": b"#!/bin/sh\n",
        f"{data}/headers/demo.h": b"/* */\n",
        f"{data}/data/share/demo.txt": b"shared\n",
        f"{data}/purelib/demo/pure.py": b"",
        f"{data}/platlib/demo/plat.py": b"",
    }
    paths = {"purelib": "/usr/lib/py", "platlib": "/usr/lib64/py", "scripts": "/usr/bin", "data": "/usr"}
    scheme = beneath_top({**paths, "include": "/usr/include/py"}, "/")
    top = tmp_path / "image"
    install_into(top, wheel(tmp_path, files=files), scheme=scheme, final="/", levels=())
    laid = names(top) - {name for name in names(top) if INFO in name}
    lib = {"usr/lib/py/demo/__init__.py", "usr/lib/py/demo/pure.py", "usr/lib64/py/demo/plat.py"}
    others = {"usr/bin/run", "usr/bin/tool.sh", "usr/include/py/demo/demo.h", "usr/share/demo.txt"}
    assert laid == lib | others
    assert (top / "usr/bin/run").read_bytes() == f"#!{PYTHON}\nprint(1)\n".encode()
    assert facts(top)["usr/bin/tool.sh"][0] == 0o755
    listed = {row[0] for row in rows(top, f"usr/lib/py/{INFO}")}
    assert {"../../bin/run", "../../../usr/bin/run"} & listed == {"../../bin/run"}
    assert "../../lib64/py/demo/plat.py" in listed


def test_the_scripts_run(tmp_path: Path) -> None:
    top = tmp_path / "site"
    install_into(top, project(tmp_path), executable=sys.executable)
    command = [sys.executable, "-W", "error", top / "bin" / "demo"]
    output = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(top)}, capture_output=True, text=True, check=True
    )
    assert output.stdout.strip() == str(top / "demo" / "__init__.py")


def test_windows_launchers_hold_no_time(tmp_path: Path) -> None:
    source = project(tmp_path)
    found = []
    for name in ("one", "two"):
        install_into(tmp_path / name, source, script_kind="win-amd64", executable="C:\\Python\\python.exe")
        found.append((tmp_path / name / "bin" / "demo.exe").read_bytes())
        time.sleep(2.1 if name == "one" else 0)  # what a ZIP's clock counts in
    assert found[0] == found[1]
    assert b"#!C:\\Python\\python.exe\n" in found[0]
    with zipfile.ZipFile(io.BytesIO(found[0])) as archive:
        assert archive.infolist()[0].date_time == (1980, 1, 1, 0, 0, 0)
        assert b"from demo import main" in archive.read("__main__.py")


def test_what_is_not_installed_is_reported(tmp_path: Path) -> None:
    files = {"demo/__init__.py": b"", "demo/__pycache__/x.cpython-36.pyc": b"shipped", f"{INFO}/RECORD.jws": b"{}"}
    source = wheel(tmp_path, files=files)
    with pytest.raises(RecordError, match=r"RECORD\.jws|RECORD lists"):
        install_into(tmp_path / "never", wheel(tmp_path / "odd", files=files, record=RECORD_OF_ANOTHER))
    installed = install_into(tmp_path / "site", source)
    assert set(installed.wheels[0].skipped) == {"demo/__pycache__/x.cpython-36.pyc", f"{INFO}/RECORD.jws"}
    assert not {name for name in names(tmp_path / "site") if "cpython-36" in name or ".jws" in name}


# The date


def test_the_date(tmp_path: Path) -> None:
    one = ((2021, 3, 4, 5, 6, 8),)
    same = [wheel(tmp_path / "same", name, times=one) for name in ("one", "two")]
    mixed = [wheel(tmp_path / "mixed", "one", times=one), wheel(tmp_path / "mixed", "two")]
    for place, wheels in (("a", same), ("b", mixed)):  # a time that they share may be that of a quick build
        found = install_into(tmp_path / place, *wheels, date=None)
        assert (found.date, found.date_source) == (DEFAULT_DATE, "constant")
    normalize(same[0], date=1614834368)
    found = install_into(tmp_path / "d", *same, date=None)
    assert (found.date, found.date_source) == (DEFAULT_DATE, "constant")
    normalize(same[1], date=1614834368)
    found = install_into(tmp_path / "e", *same, date=None)
    assert (found.date, found.date_source) == (1614834368, "wheels")
    found = install_into(tmp_path / "c", *same, date=5)
    assert (found.date, found.date_source) == (5, "given")
    assert (tmp_path / "c").stat().st_mtime == 5


# The same everywhere

HOSTILE = """
import os, sys
os.umask({umask})
sys.path[:0] = {path!r}
from pathlib import Path
from support.installed import install_into
install_into(Path({top!r}), *map(Path, {wheels!r}))
"""


def test_the_same_whatever_the_environment(tmp_path: Path) -> None:
    code = b"".join(b"def f%d(a, *, b={1, 2, 'x%d'}): return {'k%d', 'l', 'm'}\n" % (n, n, n) for n in range(50))
    wheels = [str(project(tmp_path, name, {f"{name}/__init__.py": code})) for name in ("one", "two", "three")]
    tops = []
    for number, order in enumerate(itertools.islice(itertools.permutations(wheels), 3)):
        top = tmp_path / f"somewhere-{number}" / "site"
        scratch = tmp_path / f"tmp{number}"
        scratch.mkdir()
        program = HOSTILE.format(umask=(0o077, 0o002, 0)[number], path=sys.path, top=str(top), wheels=list(order))
        environ = {
            **os.environ,
            "PYTHONHASHSEED": str(number),
            "TMPDIR": str(scratch),
            "TZ": ("UTC", "EST5")[number % 2],
        }
        subprocess.run([sys.executable, "-c", program], env=environ, check=True)
        tops.append(top)
    assert len({digest(top).sha256 for top in tops}) == 1
    for data in (data for _, _, data in facts(tops[0]).values()):
        assert str(tmp_path).encode() not in data


def test_a_full_place_gets_only_what_is_new(tmp_path: Path) -> None:
    top = tmp_path / "site"
    install_into(top, project(tmp_path, "one"))
    (top / "mine.txt").write_text("mine", encoding="utf-8")
    before = facts(top)
    install_into(top, project(tmp_path, "two"))
    after = facts(top)
    assert {name: after[name] for name in before} == before
    assert "two/__init__.py" in after
    assert "bin/two" in after


# Bad input


def test_a_wrong_record(tmp_path: Path) -> None:
    source = project(tmp_path, record=RECORD_OF_ANOTHER)
    with pytest.raises(RecordError) as caught:
        install_into(tmp_path / "site", source)
    assert f"{source}: RECORD does not agree with the files (" in caught.value.message
    assert "demo/gone.py: RECORD lists it" in caught.value.message
    assert "demo/__init__.py: RECORD gives sha256=AAAA" in caught.value.message
    assert "--rebuild-record" in caught.value.remedy
    assert sorted(path.name for path in tmp_path.iterdir()) == [source.name]
    installed = install_into(tmp_path / "site", source, rebuild_record=True)
    assert {mismatch.name for mismatch in installed.wheels[0].mismatches} >= {"demo/gone.py", "demo/__init__.py"}
    assert "demo/gone.py" not in {row[0] for row in rows(tmp_path / "site")}


def test_a_damaged_wheel(tmp_path: Path) -> None:
    source = project(tmp_path, files={"demo/__init__.py": os.urandom(50_000)})
    data = bytearray(source.read_bytes())
    data[25_000] ^= 1
    source.write_bytes(data)
    with pytest.raises(ArchiveError) as caught:
        install_into(tmp_path / "site", source)
    assert caught.value.remedy
    assert sorted(path.name for path in tmp_path.iterdir()) == [source.name]


def test_two_wheels_with_one_file(tmp_path: Path) -> None:
    one = project(tmp_path, "one")
    two = project(tmp_path, "two", {"one/part.py": b"", "two/__init__.py": b""})
    with pytest.raises(ArchiveError) as caught:
        install_into(tmp_path / "site", one, two)
    assert caught.value.message == f"{one} and {two} both install one/part.py"
    assert "only one of them" in caught.value.remedy
    assert not (tmp_path / "site").exists()


def test_a_file_of_one_wheel_that_is_a_directory_of_another(tmp_path: Path) -> None:
    one = wheel(tmp_path, "one", {"one": b""})
    two = wheel(tmp_path, "two", {"one/part.py": b""})
    for order in ((one, two), (two, one)):
        with pytest.raises(ArchiveError) as caught:
            install_into(tmp_path / "site", *order)
        assert caught.value.message == f"{one} and {two} both install one"
        assert not (tmp_path / "site").exists()


def test_a_file_in_the_way(tmp_path: Path) -> None:
    top = tmp_path / "site"
    (top / "demo").mkdir(parents=True)
    (top / "demo" / "part.py").write_text("mine\n", encoding="utf-8")
    before = facts(top)
    source = project(tmp_path)
    with pytest.raises(OutputError) as caught:
        install_into(top, source)
    assert f"{top}/demo/part.py: is in the way of the file that {source} needs there" in caught.value.message
    assert "Remove it" in caught.value.remedy
    assert facts(top) == before


def test_a_file_where_a_directory_must_be(tmp_path: Path) -> None:
    top = tmp_path / "site"
    top.mkdir()
    (top / "demo").write_text("mine\n", encoding="utf-8")
    source = project(tmp_path)
    with pytest.raises(OutputError, match="is in the way of the directory"):
        install_into(top, source)
    assert list(facts(top)) == ["demo"]


def test_a_project_that_is_there_already(tmp_path: Path) -> None:
    source = project(tmp_path)
    install_into(tmp_path / "site", source)
    before = facts(tmp_path / "site")
    with pytest.raises(UsageError) as caught:
        install_into(tmp_path / "site", source)
    assert f"its project is installed already: {tmp_path}/site/{INFO}" in caught.value.message
    assert "pip uninstall" in caught.value.remedy
    assert facts(tmp_path / "site") == before


def test_a_command_that_cannot_be_called(tmp_path: Path) -> None:
    files = {"demo/__init__.py": b"", f"{INFO}/entry_points.txt": b"[console_scripts]\ndemo = demo main\n"}
    with pytest.raises(ArchiveError, match="'demo' points at 'demo main', which cannot be called") as caught:
        install_into(tmp_path / "site", wheel(tmp_path, files=files))
    assert "Fix it" in caught.value.remedy


@pytest.mark.parametrize("text", ["Wheel-Version: 2.0\nRoot-Is-Purelib: true\n", ""])
def test_a_wheel_of_another_format(text: str, tmp_path: Path) -> None:
    contents = {"demo/__init__.py": b"", f"{INFO}/METADATA": METADATA, f"{INFO}/WHEEL": text.encode()}
    contents[f"{INFO}/RECORD"] = record_of(contents, f"{INFO}/RECORD")
    path = tmp_path / "demo-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in contents.items():
            archive.writestr(zip_info(name, (2020, 1, 1, 0, 0, 0)), data)
    assert WHEEL.decode() != text
    with pytest.raises(ArchiveError, match="cannot be installed") as caught:
        install_into(tmp_path / "site", path)
    assert "Build the wheel again" in caught.value.remedy


def test_far_more_to_compile_than_the_wheel_is_large(tmp_path: Path) -> None:
    line = b"x = 1\n"
    wheel = project(tmp_path, files={"demo/__init__.py": line * (3 << 17), "demo/data.txt": line * (3 << 18)})
    with pytest.raises(HostileArchiveError, match="beyond 40 times its size are over the limit sources") as caught:
        install_into(tmp_path / "there", wheel)
    assert "SAMEBYTES_LIMITS=sources=" in caught.value.remedy
    assert not (tmp_path / "there").exists()
    install_into(tmp_path / "there", wheel, levels=())
    assert (tmp_path / "there/demo/__init__.py").is_file()


def test_what_is_not_a_wheel(tmp_path: Path) -> None:
    (tmp_path / "demo-1.0.tar.gz").touch()
    (tmp_path / "empty").mkdir()
    for path, message in (
        (tmp_path / "demo-1.0.tar.gz", "is not a wheel"),
        (tmp_path / "empty", "there are no wheels"),
        (tmp_path / "missing", "there is no such file"),
    ):
        with pytest.raises(UsageError, match=message) as caught:
            find_wheels([path])
        assert caught.value.remedy


def test_wheels_of_one_project(tmp_path: Path) -> None:
    one = project(tmp_path)
    two = one.with_name("Demo-2.0-py3-none-any.whl")
    two.write_bytes(one.read_bytes())
    assert find_wheels([one, tmp_path / "." / one.name]) == (one,)
    with pytest.raises(UsageError, match="are of one project"):
        find_wheels([tmp_path])


@pytest.mark.parametrize(
    ("tags", "abi", "fits"),
    [
        ("py3-none-any", "cp39", True),
        ("py2.py3-none-any", "cp313", True),
        ("py2-none-any", "cp313", False),
        ("py312-none-any", "cp311", False),
        ("py3-none-win_amd64", "cp311", True),
        ("cp39-abi3-manylinux2014_x86_64", "cp312", True),
        ("cp312-abi3-win_amd64", "cp311", False),
        ("cp39-abi3-macosx_11_0_arm64", "cp313t", False),  # no free-threaded build has the stable ABI of PEP 384
        ("cp311-none-macosx_10_9_universal2", "cp311", True),
        ("cp311-none-any", "cp312", False),
        ("cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64", "cp311", True),
        ("cp311-cp311-musllinux_1_2_aarch64", "cp311", True),
        ("cp311-cp311-manylinux2014_x86_64", "cp312", False),
        ("cp311.cp312-cp311.cp312-linux_x86_64", "cp312", True),
        ("cp37-cp37m-manylinux1_x86_64", "cp37m", True),
        ("cp313-cp313t-manylinux2014_x86_64", "cp313", False),
        ("cp313-cp313t-manylinux2014_x86_64", "cp313t", True),
        ("cp313-cp313-manylinux2014_x86_64", "cp313t", False),
        ("cp312-cp312-linux_x86_64", "cp312d", True),
        ("cp312-cp312d-linux_x86_64", "cp312", False),
        ("pp310-pypy310_pp73-manylinux2014_x86_64", "cp310", False),
        ("pp310-pypy310_pp73-manylinux2014_x86_64", "pypy310_pp73", True),
        ("pp39-pypy39_pp73-macosx_11_0_arm64", "pypy310_pp73", False),
        ("cp310-cp310-manylinux2014_x86_64", "pypy310_pp73", False),
        ("cp39-abi3-manylinux2014_x86_64", "pypy310_pp73", False),
        ("py3-none-any", "pypy310_pp73", True),
    ],
)
def test_wheels_of_another_python(tags: str, abi: str, fits: bool) -> None:
    path = Path(f"demo-1.0-{tags}.whl")
    found = re.match(r"(cp|pypy)3(\d+)", abi)
    assert found
    python = {"cp": "cpython", "pypy": "pypy"}[found[1]], (3, int(found[2])), abi
    if fits:
        refuse_unfit([path], *python)
    else:
        with pytest.raises(UsageError, match=f"is not for {python[0]} 3.{found[2]} .{abi}.: its tags are") as caught:
            refuse_unfit([path], *python)
        assert "--python" in caught.value.remedy


def test_what_an_interpreter_can_use_is_not_known_of_all() -> None:
    refuse_unfit([Path("demo-1.0-cp27-cp27mu-linux_x86_64.whl")], "graalpy", (3, 11), "graalpy242_311_native")


def test_the_abi_of_an_interpreter() -> None:
    """As packaging finds it, which runs in the interpreter itself."""
    here = ask(sys.executable)
    assert here.abi == next(packaging.tags.sys_tags()).abi
    for suffix, abi in (
        (".cpython-313t-x86_64-linux-gnu.so", "cp313t"),
        (".cpython-311-darwin.so", "cp311"),
        (".cp313t-win_amd64.pyd", "cp313t"),
        (".cp312-win_arm64.pyd", "cp312"),
        (".pypy310-pp73-x86_64-linux-gnu.so", "pypy310_pp73"),
        (".pypy310-pp73-win_amd64.pyd", "pypy310_pp73"),
        ("", ""),
    ):
        assert here._replace(suffix=suffix).abi == abi


# All or nothing


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("failing", [1, 2, 3, 4])
def test_a_failure_while_moving_is_undone(
    failing: int, after: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    top = tmp_path / "site"
    install_into(top, project(tmp_path, "one"))
    before, dates = facts(top), top.stat().st_mtime_ns
    calls = itertools.count(1)

    def interrupted(move: Callable[[Path, Path], object]) -> Callable[[Path, Path], object]:
        def moved(source: Path, target: Path) -> object:
            fails = next(calls) == failing
            if fails and not after:
                raise KeyboardInterrupt
            found = move(source, target)
            if fails:
                raise KeyboardInterrupt
            return found

        return moved

    monkeypatch.setattr(Path, "rename", interrupted(Path.rename))
    monkeypatch.setattr(os, "link", interrupted(os.link))
    done = pytest.raises(KeyboardInterrupt) if failing < 4 else pytest.raises(UsageError)
    with done:
        install_into(top, project(tmp_path, "two", {"two/__init__.py": b""}))
        install_into(top, project(tmp_path, "one"))
    if failing < 4:
        assert (facts(top), top.stat().st_mtime_ns) == (before, dates)
    assert strays(tmp_path) == []


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 400 kB."""
    directory = tmp_path / "small"
    directory.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=400k", "samebytes-test", str(directory)]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"a tmpfs cannot be mounted here: {done.stderr.decode().strip()}")
    yield directory
    subprocess.run(["umount", str(directory)], check=True)


def test_a_full_disk(small: Path, tmp_path: Path) -> None:
    install_into(small / "site", project(tmp_path, "one"))
    before = facts(small)
    with pytest.raises(OutputError, match="No space left") as caught:
        install_into(small / "site", project(tmp_path, "two", {"two/data.bin": os.urandom(600_000)}))
    assert "space" in caught.value.remedy
    assert facts(small) == before


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_a_file_larger_than_the_process_may_write(tmp_path: Path) -> None:
    import resource

    limit = 300_000
    source = project(tmp_path, "two", {"two/__init__.py": b"", "two/data.bin": os.urandom(2 * limit)})
    done = subprocess.run(
        [sys.executable, "-m", "samebytes", "install", source, "--target", tmp_path / "site"],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == OutputError.exit_status
    assert "two/data.bin: cannot be written: File too large" in done.stderr
    assert not (tmp_path / "site").exists()
    assert strays(tmp_path) == []


def test_a_read_only_place(small: Path, tmp_path: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small)], check=True)
    with pytest.raises(OutputError, match="cannot be written to: Read-only file system"):
        install_into(small / "site", project(tmp_path))
    assert list(small.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals between processes")
@pytest.mark.parametrize("there", [False, True])
def test_a_signal_midway(there: bool, tmp_path: Path) -> None:
    top = tmp_path / "site"
    if there:
        install_into(top, project(tmp_path, "one"))
    before = facts(tmp_path / "site") if there else None
    files = {f"two/m{n}.py": b"x = %d\n" % n for n in range(1500)} | {"two/data.bin": os.urandom(20_000_000)}
    source = project(tmp_path, "two", files)
    code = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    command = [sys.executable, "-c", f"{code}from samebytes.commands.main import main; sys.exit(main())"]
    process = subprocess.Popen([*command, "install", source, "--target", top], stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 60
    while not strays(tmp_path):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
    process.send_signal(signal.SIGINT)
    _, output = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Nothing is half written" in output
    assert (facts(top) if there else top.exists()) == (before if there else False)
    assert strays(tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals between processes")
@pytest.mark.parametrize("there", [False, True])
def test_a_killed_install_is_no_obstacle(there: bool, tmp_path: Path) -> None:
    """What was there is as it was; what the process had written is apart, and the next install removes it."""
    top = tmp_path / "site"
    if there:
        install_into(top, project(tmp_path, "one"))
    before = names(top) if there else set()
    source = project(tmp_path, "two", {f"two/m{n}.py": b"x = %d\n" % n for n in range(400)})
    process = subprocess.Popen([sys.executable, "-m", "samebytes", "install", source, "--target", top])
    end = time.monotonic() + 60
    while not any("m99.py" in files for _, _, files in os.walk(tmp_path)):
        assert process.poll() is None
        assert time.monotonic() < end
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert top.exists() is there
    (stray,) = strays(tmp_path)
    assert {name for name in names(top) if not name.startswith(stray)} == before
    install_into(top, source)
    assert strays(tmp_path) == []
    install_into(tmp_path / "clean", *([project(tmp_path, "one")] if there else []), source)
    assert facts(top) == facts(tmp_path / "clean")


def test_another_install_that_runs_is_left_alone(tmp_path: Path) -> None:
    with install_stage.private_stage(tmp_path) as running:
        (running / "file").touch()
        install_into(tmp_path, project(tmp_path))
        assert (running / "file").is_file()
    assert strays(tmp_path) == []


def test_a_target_that_is_not_a_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine\n", encoding="utf-8")
    (tmp_path / "link").symlink_to("nowhere")
    for target in (tmp_path / "file", tmp_path / "file" / "below", tmp_path / "link"):
        with pytest.raises(OutputError, match="is not a directory, and things are to be installed in it") as caught:
            install_into(target, project(tmp_path))
        assert "Nothing was changed" in caught.value.remedy
    assert (tmp_path / "file").read_text("utf-8") == "mine\n"


# The command line


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    status = cli.main([str(argument) for argument in arguments])
    return (status, *capsys.readouterr())


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SOURCE_DATE_EPOCH", "FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)


def documented(text: str, schema: str) -> Any:
    document = json.loads(text)
    assert_valid(document, schema)
    return document


def test_the_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, top = project(tmp_path), tmp_path / "site"
    status, out, _ = run(capsys, "install", source, "--target", top, "--layout", "/opt/app", "--date", "2020-09-13")
    assert status == 0
    assert out.splitlines()[1:] == ["  installed 1 wheel, 12 files", "  date   2020-09-13T00:00:00Z (--date)"]
    status, out, _ = run(capsys, "tree", "digest", top)
    assert (status, out) == (0, f"{digest(top).sha256}  {top}\n")
    assert run(capsys, "tree", "fix", "--check", top, "--layout", "/opt/app", "--date", "2020-09-13")[0] == 0
    status, out, _ = run(capsys, "tree", "fix", "--check", top, "--layout", "/opt/app")
    assert status == 1
    assert f"{top}: mtime demo/__init__.py: set to the date\n" in out
    assert f"{top}: mtime ... and " in out
    status, out, _ = run(capsys, "tree", "fix", top, "--layout", "/opt/app")
    assert status == 0
    assert "  date   2020-02-02T00:00:00Z (constant)\n" in out


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    source, top = project(tmp_path, record=RECORD_OF_ANOTHER), tmp_path / "site"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1600000000")
    status, out, _ = run(capsys, "install", source, "--target", top, "--rebuild-record", "--json")
    reported = documented(out, "install")
    assert (status, reported["exit_status"]) == (10, 10)
    assert reported["date"] == {"seconds": DATE, "iso": "2020-09-13T12:26:40Z", "source": "SOURCE_DATE_EPOCH"}
    assert reported["wheels"][0]["mismatches"]
    _, out, _ = run(capsys, "tree", "digest", top, "--json", "--tar", tmp_path / "out.tar")
    assert documented(out, "tree-digest")["trees"][0]["sha256"] == digest(top).sha256
    (top / "demo" / "data.txt").chmod(0o600)
    status, out, _ = run(capsys, "tree", "fix", "--check", top, "--json")
    changes = documented(out, "tree-fix")["changes"]
    assert (status, [change["rule"] for change in changes]) == (1, ["mode"])


@pytest.mark.parametrize(
    ("options", "flags"),
    [
        ((), {"": 3}),
        (("--pyc", "checked-hash", "--optimize", "1", "--optimize", "0"), {"": 3, ".opt-1": 3}),
        (("--pyc", "unchecked-hash", "--optimize", "2"), {".opt-2": 1}),
        (("--pyc", "none"), {}),
    ],
)
def test_compiled_modules_as_asked_for(options: tuple[str, ...], flags: dict[str, int], tmp_path: Path) -> None:
    source, top = project(tmp_path), tmp_path / "site"
    assert cli.main(["install", "-q", str(source), "--target", str(top), "--layout", "/opt/app", *options]) == 0
    found = {path.name[len(f"part.{TAG}") : -len(".pyc")]: path.read_bytes() for path in top.rglob("part.*.pyc")}
    assert {level: int.from_bytes(data[4:8], "little") for level, data in found.items()} == flags
    assert all(b"/opt/app/demo/part.py" in data for data in found.values())
    listed = {row[0] for row in rows(top) if row[0].endswith(".pyc")}
    assert listed == {path.relative_to(top).as_posix() for path in top.rglob("*.pyc")}


def test_below_a_prefix_nothing_else_is_touched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The root need not be writable for that."""
    prefix, root = tmp_path / "opt", tmp_path / "root"
    status, out, _ = run(capsys, "install", project(tmp_path), "--prefix", prefix, "--date", DATE)
    assert (status, out.splitlines()[0]) == (0, str(prefix))
    assert (prefix / "bin" / "demo").read_text("utf-8").startswith(f"#!{sys.executable}\n")
    assert run(capsys, "install", project(tmp_path), "--root", root, "--prefix", prefix, "--date", DATE)[0] == 0
    assert facts(prefix) == facts(root / prefix.relative_to("/"))
    assert {time for _, time, _ in facts(root).values()} == {DATE * 10**9}


def test_where_to_install_must_be_given_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = project(tmp_path)
    for options in ([], ["--target", "a", "--venv", "b"], ["--target", "a", "--prefix", "/usr"]):
        status, _, output = run(capsys, "install", source, *options)
        assert status == 2
        assert "there must be one place to install into" in output
    status, _, output = run(capsys, "install", source, "--target", tmp_path / "x", "--layout", "relative")
    assert (status, "is not absolute" in output) == (2, True)
    status, _, output = run(capsys, "install", source, "--venv", tmp_path / "none")
    assert (status, "python -m venv" in output) == (2, True)


def test_the_scheme_of_target() -> None:
    assert TARGET.purelib == TARGET.platlib == ""
    with pytest.raises(UsageError, match="puts purelib into /usr/lib, which is not in /opt"):
        beneath_top(dict.fromkeys(("purelib", "platlib", "scripts", "data", "include"), "/usr/lib"), "/opt")
