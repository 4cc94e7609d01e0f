"""Compiling with an interpreter: the one that runs, and some that end or answer something else."""

from __future__ import annotations

import importlib.util
import marshal
import os
import subprocess
import sys
import types
from pathlib import Path
from typing import NamedTuple

import pytest
from samebytes_tools.commands.tree import compiler
from samebytes_tools.commands.tree.compiler import Compiled, Compiler
from support.interpreters import SEARCH_PATHS, searching

from samebytes.artifact.pyc import HEADER_SIZE, normalized, source_hash
from samebytes.errors import UsageError

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="needs a script as interpreter")


class Wanted(NamedTuple):
    source: Path
    filename: str = "/final/m.py"
    optimize: int = 0


def written(directory: Path, name: str, text: str) -> Path:
    path = directory / name
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    return path


def code_of(compiled: Compiled) -> types.CodeType:
    assert compiled.problem == ""
    code = marshal.loads(compiled.data[HEADER_SIZE:])
    assert isinstance(code, types.CodeType)
    return code


@pytest.mark.parametrize(("mode", "flags"), [("checked-hash", 3), ("unchecked-hash", 1)])
def test_a_module_is_bound_to_its_source_and_names_its_final_place(tmp_path: Path, mode: str, flags: int) -> None:
    source = written(tmp_path, "m.py", "def f(): return 'two words'\n")
    (found,) = Compiler(sys.executable, mode).compile([Wanted(source, "/final/größe.py")])
    magic = importlib.util.MAGIC_NUMBER
    assert found.data[:HEADER_SIZE] == magic + bytes((flags, 0, 0, 0)) + source_hash(magic, source.read_bytes())
    code = code_of(found)
    assert (code.co_filename, code.co_consts[0].co_filename) == ("/final/größe.py", "/final/größe.py")
    assert normalized(found.data) == found.data


@POSIX
@pytest.mark.parametrize("way", SEARCH_PATHS)
def test_whatever_the_interpreter_searches_it_compiles_alike(way: str, tmp_path: Path) -> None:
    """Its first place need not be that of the worker: it may be the standard library's."""
    source = written(tmp_path, "m.py", "x = 1\n")
    python = searching(tmp_path / "python", way)
    assert Compiler(python).compile([Wanted(source)]) == Compiler(sys.executable).compile([Wanted(source)])


def test_levels_are_those_of_the_interpreter(tmp_path: Path) -> None:
    source = written(tmp_path, "m.py", "'''said'''\nassert 0, 'failed'\nLEVEL = __debug__\n")
    wanted = [Wanted(source, optimize=level) for level in (0, 1, 2)]
    for level, found in enumerate(Compiler(sys.executable).compile(wanted)):
        plain = compile(source.read_bytes(), "/final/m.py", "exec", dont_inherit=True, optimize=level)
        assert code_of(found) == plain


def test_results_are_in_order_whatever_the_jobs(tmp_path: Path) -> None:
    wanted = [
        Wanted(written(tmp_path, f"m{n}.py", f"N = {n}\n" + "x = {'a', 'b'}\n" * (n * 7 % 50))) for n in range(40)
    ]
    one = Compiler(sys.executable).compile(wanted)
    assert Compiler(sys.executable, jobs=3).compile(wanted) == one
    assert Compiler(sys.executable, jobs=2).compile(wanted[::-1]) == one[::-1]
    for n, found in enumerate(one):
        assert n in code_of(found).co_consts


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("def f(:\n", "SyntaxError: invalid syntax, line 1"),
        ("print 1\n", "SyntaxError: "),
        ("x = '\0'\n", "null byte"),
        ("# coding: nothing\n", "SyntaxError: "),
        ("x = '\udc80'\n", "SyntaxError: "),
        ("-" * 100_000 + "1\n", "Error"),
    ],
)
def test_what_does_not_compile_is_a_result(tmp_path: Path, text: str, output: str) -> None:
    bad, good = written(tmp_path, "bad.py", text), written(tmp_path, "good.py", "x = 1\n")
    found = Compiler(sys.executable).compile([Wanted(bad), Wanted(good)])
    assert found[0].data == b""
    assert output in found[0].problem or "the interpreter ended" in found[0].problem
    assert "\n" not in found[0].problem
    assert code_of(found[1])


def test_a_source_that_cannot_be_read_is_a_result(tmp_path: Path) -> None:
    (found,) = Compiler(sys.executable).compile([Wanted(tmp_path / "none.py")])
    assert found == Compiled(b"", found.problem)
    assert "FileNotFoundError" in found.problem


def test_nothing_of_ours_is_imported_but_the_rule(tmp_path: Path) -> None:
    """What the worker runs in other Pythons stays as small as it is meant to be."""
    report = "import atexit, sys; atexit.register(lambda: print(*sorted(sys.modules), file=sys.stderr))"
    worker = Path(compiler.__file__).with_name("compile_worker.py")
    code = f"{report}\nimport runpy\nsys.argv = sys.argv[1:]\nrunpy.run_path(sys.argv[0], run_name='__main__')"
    command = [sys.executable, "-I", "-S", "-c", code, str(worker), str(compiler._RULE)]
    done = subprocess.run(command, input=b"", capture_output=True, check=True)
    loaded = set(done.stderr.decode().split())
    assert {name for name in loaded if name.startswith(("rule", "samebytes"))} == {
        "rule",
        "rule.magic_numbers",
        "rule.marshal_reader",
        "rule.marshal_writer",
    }


def test_warnings_are_not_heard(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    source = written(tmp_path, "m.py", "x = '\\d'\nassert (x, 'always')\nx is 'a'\n")
    (found,) = Compiler(sys.executable).compile([Wanted(source)])
    assert code_of(found)
    assert capfd.readouterr() == ("", "")


def test_nothing_to_do_starts_nothing() -> None:
    assert Compiler("/nowhere/python").compile([]) == []


def test_the_environment_has_no_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = written(tmp_path, "m.py", "assert 1, 'kept'\n'''doc'''\n")
    written(tmp_path, "collections.py", "raise SystemExit('imported from the wrong place')\n")
    before = Compiler(sys.executable).compile([Wanted(source)])
    monkeypatch.chdir(tmp_path)
    for name, value in {"PYTHONPATH": str(tmp_path), "PYTHONOPTIMIZE": "2", "PYTHONHASHSEED": "9"}.items():
        monkeypatch.setenv(name, value)
    assert Compiler(sys.executable).compile([Wanted(source)]) == before


def test_the_tag() -> None:
    assert Compiler(sys.executable).tag == sys.implementation.cache_tag


def script(directory: Path, text: str) -> Path:
    """Return a program that stands where an interpreter is expected."""
    path = written(directory, "python", f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@POSIX
def test_a_source_that_kills_the_interpreter_is_reported_and_the_others_compiled(tmp_path: Path) -> None:
    """A process that ends over a source, with others before and after it."""
    dying = written(
        tmp_path,
        "worker.py",
        "import os, runpy, sys, builtins\n"
        "original = builtins.compile\n"
        "def compile(source, filename, *rest, **named):\n"
        "    if filename == '/final/bad.py': os.kill(os.getpid(), 9)\n"
        "    return original(source, filename, *rest, **named)\n"
        "builtins.compile = compile\n"
        "sys.argv = sys.argv[1:]\n"
        "sys.path.insert(0, '')\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n",
    )
    python = script(tmp_path, f'shift 5; exec "{sys.executable}" -s -S -B "{dying}" "$@"')
    sources = [written(tmp_path, f"m{n}.py", f"N = {n}\n") for n in range(6)]
    wanted = [Wanted(source, "/final/bad.py" if n == 3 else "/final/m.py") for n, source in enumerate(sources)]
    for jobs in (1, 2):
        found = Compiler(python, jobs=jobs).compile(wanted)
        assert [bool(each.data) for each in found] == [True, True, True, False, True, True]
        assert found[3].problem == "the interpreter ended with signal 9 when it compiled this alone"
    assert found[0] == Compiler(sys.executable).compile(wanted[:1])[0]


@POSIX
def test_what_a_process_ends_over_once_is_compiled_after_all(tmp_path: Path) -> None:
    count = tmp_path / "count"
    python = script(
        tmp_path,
        f'if [ ! -e "{count}" ]; then touch "{count}"; printf "H\\001\\0\\0\\0x"; exit 3; fi; exec "{sys.executable}" "$@"',
    )
    (found,) = Compiler(python).compile([Wanted(written(tmp_path, "m.py", "x = 1\n"))])
    assert code_of(found)


@POSIX
@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("echo 'no such thing' >&2; exit 1", "no such thing"),
        ("exit 0", "it printed nothing"),
        ("echo hello", "it printed nothing"),
        ("echo hello; exec cat", "it printed nothing"),
    ],
)
def test_what_is_not_an_interpreter_is_an_error(tmp_path: Path, text: str, output: str) -> None:
    python = script(tmp_path, text)
    for use in (lambda: Compiler(python).tag, lambda: Compiler(python, jobs=2).compile([Wanted(python)] * 2)):
        with pytest.raises(UsageError, match=f"does not compile for us: {output}") as caught:
            use()
        assert "a CPython from 3.8 to 3.14" in caught.value.remedy


def test_an_interpreter_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be run: No such file") as caught:
        _ = Compiler(tmp_path / "python").tag
    assert "a CPython from" in caught.value.remedy


def test_a_python_whose_code_is_not_known_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, "magic_numbers.py", "def is_known(magic): return False\n")
    written(tmp_path, "marshal_writer.py", "normalized = None\n")
    monkeypatch.setattr(compiler, "_RULE", tmp_path)
    with pytest.raises(UsageError, match=r"its code, of magic number [0-9]+, is not known here"):
        _ = Compiler(sys.executable).tag


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts open files in /proc")
def test_nothing_is_left_open(tmp_path: Path) -> None:
    source = written(tmp_path, "m.py", "x = 1\n")
    Compiler(sys.executable, jobs=2).compile([Wanted(source)] * 4)
    before = len(os.listdir("/proc/self/fd"))
    Compiler(sys.executable, jobs=2).compile([Wanted(source)] * 4)
    assert len(os.listdir("/proc/self/fd")) == before
