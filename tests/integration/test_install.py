"""Real wheels by pip, uv and samebytes: one tree, from which everything still runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("installer")
pytest.importorskip("uv")

from samebytes_tools.building import interpreters
from samebytes_tools.commands.tree.digest import digest
from support.installed import TAG, facts, project

from samebytes.commands import main as cli
from samebytes.errors import UsageError

pytestmark = pytest.mark.integration

PROJECTS = ("six", "click", "idna", "attrs", "httpx", "markupsafe", "greenlet", "pyflakes")
"""Modules, packages, commands, an extension, C headers, sources that not every Python compiles."""

LAYER = Path(__file__).parents[2] / "examples" / "container" / "layer.py"
DATE = "1600000000"
SETS = b"def main():\n    print('a' in {'c', 'b', 'a'})\n"


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    directory = tmp_path_factory.mktemp("wheels")
    command = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*command, "--only-binary", ":all:", "-d", directory, *PROJECTS], check=True)
    return sorted(directory.glob("*.whl"))


@pytest.fixture(autouse=True)
def _date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", DATE)
    monkeypatch.setenv("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    monkeypatch.setenv("PIP_ROOT_USER_ACTION", "ignore")


def samebytes(*arguments: object) -> int:
    return cli.main([str(argument) for argument in arguments])


def pip(python: Path | str, *arguments: object) -> None:
    command = [sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-index", "--no-deps"]
    subprocess.run([*command, *map(str, arguments)], check=True)


def uv(python: Path | str, *arguments: object, bytecode: bool = True) -> None:
    command = [sys.executable, "-m", "uv", "pip", "install", "-q", "--no-index", "--no-deps", "--python", python]
    subprocess.run([*command, *(["--compile-bytecode"] if bytecode else []), *map(str, arguments)], check=True)


@pytest.mark.network
def test_a_target_by_pip_by_uv_and_by_samebytes(wheels: list[Path], tmp_path: Path) -> None:
    place = tmp_path / "site"
    found = {}
    for way in ("pip", "uv", "uv without bytecode", "samebytes"):
        before = os.umask(0o077 if way == "uv" else 0o022)
        if way == "pip":
            pip(sys.executable, "--target", place, *reversed(wheels))
        elif way == "samebytes":
            assert samebytes("install", "-q", *wheels, "--target", place) == 0
        else:
            uv(sys.executable, "--target", place, *wheels, bytecode=way == "uv")
        if way != "samebytes":
            assert samebytes("tree", "fix", "--check", "-q", place) == 1
            assert samebytes("tree", "fix", "-q", place, "--executable", sys.executable) == 0
        os.umask(before)
        assert samebytes("tree", "fix", "--check", place) == 0
        found[way] = facts(place)
        shutil.rmtree(place)
    for way, tree in found.items():
        assert {name for name in tree if tree[name] != found["samebytes"].get(name)} == set(), way
        assert tree.keys() == found["samebytes"].keys(), way


@pytest.mark.network
def test_a_virtual_environment_by_pip_by_uv_and_by_samebytes(wheels: list[Path], tmp_path: Path) -> None:
    place = tmp_path / "venv"
    python = place / "bin" / "python"
    found = {}
    for way in ("pip", "uv", "samebytes"):
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
        if way == "pip":
            pip(python, *wheels)
        elif way == "uv":
            uv(python, *wheels, bytecode=False)
        else:
            assert samebytes("install", "-q", *wheels, "--venv", place) == 0
        assert samebytes("tree", "fix", "-q", place) == 0
        found[way] = digest(place).sha256
        command = [place / "bin" / "idna", "--help"]
        subprocess.run(command, check=True, capture_output=True)
        shutil.rmtree(place)
    assert len(set(found.values())) == 1, found


@pytest.mark.network
def test_compiled_modules_are_used_from_a_read_only_tree(wheels: list[Path], tmp_path: Path) -> None:
    site = tmp_path / "site"
    assert samebytes("install", "-q", *wheels, "--target", site, "--executable", sys.executable) == 0
    before = facts(site)
    modules = "six, click, idna, attr, httpx._urls, markupsafe._speedups, greenlet, pyflakes.api"
    names = [name.strip() for name in modules.split(",")]
    for path in [site, *site.rglob("*")]:
        path.chmod(path.stat().st_mode & 0o555)
    pure = [name for name in names if name not in ("httpx._urls", "markupsafe._speedups")]
    code = f"import importlib; [importlib.import_module(name) for name in {pure!r}]; import markupsafe._speedups"
    environ = {**os.environ, "PYTHONPATH": str(site)}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-W", "error", "-v", "-c", code]
    output = subprocess.run(command, env=environ, capture_output=True, text=True, check=True).stderr
    matched = [line for line in output.splitlines() if "matches" in line and str(site) in line]
    assert len(matched) > len(pure)
    assert "code object from" not in "\n".join(
        line for line in output.splitlines() if str(site) in line and ".py'" in line
    )
    tool = subprocess.run(
        [site / "bin" / "pyflakes", "--version"], env=environ, capture_output=True, text=True, check=True
    )
    assert "Python" in tool.stdout
    for path in [site, *site.rglob("*")]:
        path.chmod(path.stat().st_mode | 0o200)
    assert facts(site) == before


@pytest.mark.parametrize(("mode", "seen"), [("checked-hash", "edited"), ("unchecked-hash", "as it was")])
def test_an_edit_is_seen_or_not(mode: str, seen: str, tmp_path: Path) -> None:
    files = {"demo/__init__.py": b"def main(): print('as it was')\n"}
    site = tmp_path / "site"
    assert samebytes("install", "-q", project(tmp_path, files=files), "--target", site, "--pyc", mode) == 0
    source = site / "demo" / "__init__.py"
    source.write_text("def main(): print('edited')\n", encoding="utf-8")
    os.utime(source, (int(DATE), int(DATE)))
    command = [sys.executable, "-W", "error", "-c", "import demo; demo.main()"]
    environ = {**os.environ, "PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"}
    output = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    assert output.stdout == f"{seen}\n"


@pytest.mark.network
def test_an_image_root(wheels: list[Path], tmp_path: Path) -> None:
    root = tmp_path / "image"
    options = ["--root", root, "--prefix", "/opt/py", "--executable", "/opt/py/bin/python3"]
    assert samebytes("install", "-q", *wheels, *options) == 0
    (site,) = (root / "opt" / "py").rglob("six.py")
    compiled = (site.parent / "__pycache__" / f"six.{TAG}.pyc").read_bytes()
    final = "/" + site.relative_to(root).as_posix()
    assert final.encode() in compiled
    for name, (_, _, data) in facts(root).items():
        assert str(tmp_path).encode() not in data, name
    assert (root / "opt/py/bin/httpx").read_bytes().startswith(b"#!/opt/py/bin/python3\n")
    assert samebytes("tree", "fix", "--check", "--root", root, site.parent) == 0


@pytest.mark.network
@pytest.mark.skipif(not LAYER.is_file(), reason="the examples are not here")
def test_the_example_of_a_layer(wheels: list[Path], tmp_path: Path) -> None:
    command = [sys.executable, LAYER, wheels[0].parent, "--output", tmp_path / "layer.tar"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert output[0] == output[1]
    assert output[0].startswith("sha256:")
    assert output[2] == "The same layer."
    (tmp_path / "root").mkdir()
    subprocess.run(["tar", "-xpf", tmp_path / "layer.tar", "-C", tmp_path / "root"], check=True)
    assert f"sha256:{digest(tmp_path / 'root').sha256}" == output[0]


@pytest.mark.parametrize("minor", [9, 10, 12, 13, 14])
def test_other_pythons(minor: int, tmp_path: Path) -> None:
    """What their pip installs is fixed by running them, fixed without running them, and laid out by us, to one tree."""
    try:
        python = interpreters.find(f"3.{minor}", os.environ).executable
    except UsageError as error:
        pytest.skip(error.message)
    source = project(tmp_path, files={"demo/__init__.py": SETS, "demo/part.py": b"from demo import main\n"})
    pip(python, "--target", tmp_path / "compiled", source)
    shutil.copytree(tmp_path / "compiled", tmp_path / "normalized")
    head = (tmp_path / "compiled" / "bin" / "demo").read_text("utf-8").splitlines()[0][2:]
    options = ["-q", "--layout", "/app"]
    assert samebytes("tree", "fix", *options, tmp_path / "compiled", "--python", python) == 0
    assert samebytes("tree", "fix", *options, tmp_path / "normalized") == 0
    place = ["--target", tmp_path / "installed", "--python", python, "--executable", head]
    assert samebytes("install", *options, source, *place) == 0
    found = [facts(tmp_path / name) for name in ("compiled", "normalized", "installed")]
    assert found[0] == found[1]
    assert found[0] == found[2]
    assert {name.split(".")[-2] for name in found[0] if name.endswith(".pyc")} == {f"cpython-3{minor}"}


def test_what_is_imported_is_not_compiled_again(tmp_path: Path) -> None:
    """Scripts and modules run with warnings as errors, and a compiler that refuses to work."""
    site = tmp_path / "site"
    source = project(tmp_path, files={"demo/__init__.py": SETS, "demo/part.py": b"from demo import main\n"})
    assert samebytes("install", "-q", source, "--target", site, "--executable", sys.executable) == 0
    refuse = "def refuse(*_, **__): raise AssertionError('compiled again')\n"
    hook = f"import importlib.machinery as m\n{refuse}m.SourceFileLoader.source_to_code = refuse\n"
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(hook, encoding="utf-8")
    environ = {**os.environ, "PYTHONPATH": f"{tmp_path / 'hook'}{os.pathsep}{site}", "PYTHONWARNINGS": "error"}
    done = subprocess.run([site / "bin" / "demo"], env=environ, capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
    (site / "demo" / "__pycache__" / f"__init__.{TAG}.pyc").unlink()
    done = subprocess.run([site / "bin" / "demo"], env=environ, capture_output=True, text=True, check=False)
    assert "compiled again" in done.stderr, "or this test would see nothing"


def test_pip_takes_out_what_is_named_oddly(tmp_path: Path) -> None:
    """pip reads our RECORDs: it finds nothing wrong, and uninstalls every file, those that two projects share too."""
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    before = set(facts(venv))
    odd = {"one/__init__.py": b"", "one/a,b.txt": b"1", 'one/c"d".txt': b"2", "one/%s \u00e9'.txt": b"3"}
    odd |= {"one-1.0.data/data/share/e, f": b"4", "one-1.0.data/scripts/g%": b"#!python\n", "space/__init__.py": b""}
    two = {"two/__init__.py": b"", "space/__init__.py": b"", "space/two.py": b""}
    wheels = [project(tmp_path, "one", odd), project(tmp_path, "two", two)]
    assert samebytes("install", "-q", *wheels, "--venv", venv) == 0
    command = [sys.executable, "-m", "pip", "--python", venv / "bin" / "python"]
    subprocess.run([*command, "check"], check=True)
    subprocess.run([*command, "uninstall", "-q", "-y", "one", "two"], check=True)
    left = {name for name in facts(venv) if (venv / name).is_file()}
    assert left <= before
