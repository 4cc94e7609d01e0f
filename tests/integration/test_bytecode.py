"""Compiled modules of every Python that is here: what makes them differ, and that the one form does not.

``SAMEBYTES_FILES=60 python -m pytest tests/integration/test_bytecode.py -rP`` prints the rows of the table in docs/explanation/bytecode.md.
"""

from __future__ import annotations

import json
import os
import subprocess
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from samebytes_tools.building import interpreters
from samebytes_tools.building.interpreters import Python
from samebytes_tools.commands.tree.compiler import Compiler

from samebytes.artifact.pyc import HEADER_SIZE, normalized
from samebytes.errors import UsageError

pytestmark = pytest.mark.integration

FILES = int(os.environ.get("SAMEBYTES_FILES", "20"))
"""How many modules; the table has 60 of each version."""
NAME = "/final/place.py"

COMPILE = """
import importlib.util, marshal, sys
condition, target, *files = sys.argv[2:]
if condition == "modules loaded":
    import argparse, asyncio, decimal, email.mime.text, http.client, json, logging.handlers, unittest, xml.dom.minidom
held = []
for file in files:
    with open(file, "rb") as stream:
        code = compile(stream.read(), sys.argv[1], "exec", dont_inherit=True)
    if condition == "code held":
        held.append(code)
    with open(target + "/" + file.rsplit("/", 1)[1], "wb") as stream:
        stream.write(importlib.util.MAGIC_NUMBER + bytes(12) + marshal.dumps(code))
"""

AGREE = """
import dis, marshal, struct, sys, types

def deep(value):
    if isinstance(value, types.CodeType):
        names = [name for name in dir(value) if name.startswith("co_")]
        names = [name for name in names if name not in ("co_lnotab", "co_lines", "co_positions", "co_branches")]
        lines = list(value.co_lines()) if hasattr(value, "co_lines") else list(dis.findlinestarts(value))
        where = list(value.co_positions()) if hasattr(value, "co_positions") else None
        return [(name, deep(getattr(value, name))) for name in names], lines, where
    if isinstance(value, tuple):
        return ("tuple", *map(deep, value))
    if isinstance(value, frozenset):
        return "frozenset", sorted(repr(deep(each)) for each in value)
    if isinstance(value, float):
        return "float", struct.pack("<d", value)
    if isinstance(value, complex):
        return "complex", struct.pack("<dd", value.real, value.imag)
    return type(value).__name__, value

def load(path):
    with open(path, "rb") as stream:
        return marshal.loads(stream.read()[16:])

left, right, *names = sys.argv[1:]
for name in names:
    one, other = load(left + "/" + name), load(right + "/" + name)
    assert one == other and deep(one) == deep(other), name
print(len(names))
"""


class Wanted(NamedTuple):
    source: Path
    filename: str = NAME
    optimize: int = 0


@cache  # all that are on PATH are asked, which takes seconds
def found(minor: int) -> Python | str:
    """Return the interpreter, or why there is none."""
    try:
        return interpreters.find(f"3.{minor}", os.environ)
    except UsageError as error:
        return error.message


def python(minor: int) -> Python:
    one = found(minor)
    if isinstance(one, str):
        pytest.skip(one)
    return one


@pytest.fixture(params=[9, 10, 11, 12, 13, 14], ids=lambda minor: f"3.{minor}")
def target(request: pytest.FixtureRequest) -> Python:
    return python(request.param)


def run(target: Python, code: str, *args: str, seed: str = "0") -> str:
    command = [target.executable, "-S", "-s", "-W", "ignore", "-c", code, *args]
    done = subprocess.run(command, env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def sources(target: Python) -> list[Path]:
    library = Path(run(target, "import os; print(os.path.dirname(os.__file__))").strip())
    return sorted(library.glob("*.py"))[:FILES]


def compiled(
    target: Python, directory: Path, files: list[Path], condition: str = "", seed: str = "0"
) -> dict[str, bytes]:
    directory.mkdir(exist_ok=True)
    run(target, COMPILE, NAME, condition, str(directory), *map(str, files), seed=seed)
    return {file.name: (directory / file.name).read_bytes() for file in files}


def alone(target: Python, directory: Path, files: list[Path], seed: str = "0") -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for file in files:
        found.update(compiled(target, directory, [file], seed=seed))
    return found


def test_what_makes_them_differ_and_the_one_form_does_not(target: Python, tmp_path: Path) -> None:
    files = sources(target)
    reference = alone(target, tmp_path / "reference", files)
    built = {
        "a process a file, once more": alone(target, tmp_path / "a", files),
        "a process a file, other hash seed": alone(target, tmp_path / "b", files, seed="7"),
        "one process": compiled(target, tmp_path / "c", files),
        "one process, other order": compiled(target, tmp_path / "d", files[::-1]),
        "one process, other hash seed": compiled(target, tmp_path / "e", files, seed="7"),
        "one process, modules loaded": compiled(target, tmp_path / "f", files, "modules loaded"),
        "one process, code held": compiled(target, tmp_path / "g", files, "code held"),
    }
    forms = {name: normalized(data) for name, data in reference.items()}
    row = {}
    for condition, modules in built.items():
        row[condition] = sum(modules[name] != reference[name] for name in reference)
        assert {name: normalized(data) for name, data in modules.items()} == forms, condition
    print(json.dumps({"python": target.version, "files": len(files), "differ": row}))
    if target.minor < (3, 11):
        assert row["one process, modules loaded"] > 0
        assert row["one process, other hash seed"] > 0


def test_the_interpreter_loads_the_same_code(target: Python, tmp_path: Path) -> None:
    files = sources(target)
    (tmp_path / "form").mkdir()
    for name, data in compiled(target, tmp_path / "raw", files).items():
        (tmp_path / "form" / name).write_bytes(normalized(data))
    names = [file.name for file in files]
    assert run(target, AGREE, str(tmp_path / "raw"), str(tmp_path / "form"), *names).strip() == str(len(names))


def test_any_jobs_and_this_python_agree_with_the_target(target: Python, tmp_path: Path) -> None:
    files = sources(target)
    wanted = [Wanted(file) for file in files]
    one = Compiler(target.executable).compile(wanted)
    assert Compiler(target.executable, jobs=3).compile(wanted[::-1]) == one[::-1]
    raw = compiled(target, tmp_path / "raw", files, "modules loaded", seed="3")
    for file, each in zip(files, one):
        # What the target's interpreter wrote by the rule is what this one makes of what another wrote.
        assert each.data[HEADER_SIZE:] == normalized(raw[file.name])[HEADER_SIZE:]
        assert normalized(each.data) == each.data


def test_relocated_is_compiled_there(target: Python) -> None:
    files = sources(target)[:20]
    here = Compiler(target.executable).compile([Wanted(file, "/tmp/pip-target-x1y2/m.py") for file in files])
    there = Compiler(target.executable).compile([Wanted(file) for file in files])
    assert [normalized(each.data, NAME) for each in here] == [each.data for each in there]


@pytest.mark.parametrize(("mode", "seen"), [("checked-hash", "new"), ("unchecked-hash", "old")])
def test_the_import_system_uses_them(target: Python, tmp_path: Path, mode: str, seen: str) -> None:
    source = tmp_path / "module.py"
    source.write_text("SAID = 'old'\n")
    compiler = Compiler(target.executable, mode)
    (found,) = compiler.compile([Wanted(source, str(source))])
    pyc = tmp_path / "__pycache__" / f"module.{compiler.tag}.pyc"
    pyc.parent.mkdir()
    pyc.write_bytes(found.data)
    say = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import module; print(module.SAID)"
    done = subprocess.run([target.executable, "-I", "-B", "-v", "-c", say], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "old"
    assert f"# code object from '{pyc}'" in done.stderr
    source.write_text("SAID = 'new'\n")
    assert run(target, "import sys; sys.dont_write_bytecode = True; " + say).strip() == seen
    assert pyc.read_bytes() == found.data
