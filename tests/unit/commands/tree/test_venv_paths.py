"""The own path of a virtual environment: reported where it stays, and another in its place where --layout says so."""

from __future__ import annotations

import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samebytes_tools.commands.tree import scripts, venv_paths
from samebytes_tools.commands.tree.digest import digest
from support.installed import facts, fix_tree, project

from samebytes.commands import main as cli
from samebytes.errors import UsageError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has launchers instead of scripts")

LAYOUT = "/opt/the app"
OTHERS = {
    "activate.nu": "const virtual_env = '{path}'\nconst prompt = '({name})'\n",
    "activate.bat": '@for %%i in ("{path}") do @set "VIRTUAL_ENV=%%~fi"\n',
    "tool": "#!{path}/bin/python -O\nprint('{path}')\n",
    "long": "#!/bin/sh\n'''exec' '{path}/bin/python' \"$0\" \"$@\"\n' '''\nprint(1)\n",
    "foreign": "#!/usr/bin/python3\nprint('{path}')\n",
    "neighbour": "#!{path}-2/bin/python\n",
}
"""What virtualenv, uv and packages put into ``bin``, beside what venv and samebytes do."""


def environment(path: Path, wheel: Path) -> Path:
    """Create a virtual environment with a command and more scripts, as at home in its place."""
    venv.EnvBuilder(symlinks=True).create(path)
    assert cli.main(["install", "-q", str(wheel), "--venv", str(path), "--date", "2020-09-13"]) == 0
    for name, text in OTHERS.items():
        (path / "bin" / name).write_text(text.format(path=path, name=path.name), encoding="utf-8")
        (path / "bin" / name).chmod(0o755)
    return path


def having(path: Path, text: str) -> set[str]:
    """Return which files in *path* have *text*, but for compiled modules."""
    return {name for name, (_, _, data) in facts(path).items() if text.encode() in data and not name.endswith(".pyc")}


def test_two_environments_with_one_layout_have_one_digest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wheel = project(tmp_path)
    one, two = environment(tmp_path / "one", wheel), environment(tmp_path / "a b" / "two", wheel)
    assert digest(one).sha256 != digest(two).sha256
    for path in (one, two):
        # Without: it runs where it is, and one line reports what is left.
        before = {name: data for name, (_, _, data) in facts(path).items()}
        capsys.readouterr()
        assert cli.main(["tree", "fix", str(path)]) == 0
        out = capsys.readouterr().out
        assert {name: data for name, (_, _, data) in facts(path).items()} == before
        (line,) = [line for line in out.splitlines() if "venv-path" in line]
        assert re.search(r"bin/activate, bin/activate\.bat, bin/activate\.csh and \d+ more have", line)
        assert "--layout writes another" in line
        assert cli.main(["tree", "fix", str(path), "--layout", LAYOUT]) == 0
        assert "venv-path: the environment's own path put where another was" in capsys.readouterr().out
        assert cli.main(["tree", "fix", "--check", str(path), "--layout", LAYOUT]) == 0
        # What no installer writes is left to who wrote it.
        assert having(path, str(path)) == {"bin/tool", "bin/foreign", "bin/neighbour"}
    for name in ("tool", "foreign", "neighbour"):
        (one / "bin" / name).write_bytes((two / "bin" / name).read_bytes())
    for path in (one, two):
        assert cli.main(["tree", "fix", str(path), "--layout", LAYOUT]) == 0
    assert digest(one).sha256 == digest(two).sha256


def test_scripts_and_activate_are_those_of_an_environment_made_there(tmp_path: Path) -> None:
    wheel = project(tmp_path)
    there = environment(tmp_path / "there", wheel)
    expected = {name: data for name, (_, _, data) in facts(there).items() if name.startswith(("bin/", "pyvenv"))}
    there.rename(tmp_path / "gone")
    here = environment(tmp_path / "here", wheel)
    assert cli.main(["tree", "fix", "-q", str(here), "--layout", str(there)]) == 0
    found = {name: data for name, (_, _, data) in facts(here).items() if name.startswith(("bin/", "pyvenv"))}
    differing = {name for name in expected if expected[name] != found[name]}
    # Bodies of scripts are not looked into, others' first lines stay, and the long form is for long paths.
    assert differing == {"bin/tool", "bin/foreign", "bin/neighbour", "bin/long"}
    here.rename(there)
    command = f". {there}/bin/activate && demo && long && command -v python"
    done = subprocess.run(["/bin/sh", "-c", command], stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout.splitlines()[1:] == ["1", f"{there}/bin/python"]


def test_a_path_that_shells_read_otherwise_is_refused(tmp_path: Path) -> None:
    path = environment(tmp_path / "one", project(tmp_path))
    before = facts(path)
    for layout in ("/opt/$HOME", "/opt/it's", '/opt/"', "/opt/`x`", "/opt/a\nb"):
        with pytest.raises(UsageError, match="cannot be written into activate"):
            fix_tree(path, final=layout, relocate=True)
    assert facts(path) == before


def test_only_an_environment_has_such_a_path(tmp_path: Path) -> None:
    top = tmp_path / "lib"
    assert cli.main(["install", "-q", str(project(tmp_path)), "--target", str(top), "--executable", f"{top}/x"]) == 0
    assert [note for note in fix_tree(top).notes if note.rule == "venv-path"] == []
    assert [change for change in fix_tree(top, relocate=True).changes if change.rule == "venv-path"] == []


names = st.text("ab.-_/ ", min_size=1, max_size=8).map(lambda text: f"/{text.strip('/')}x")


@given(
    names, names, st.lists(st.sampled_from(["A", "A/bin", "AB", "-A", "xA", '"A"', "(A)", "\n", "=", " "]), max_size=8)
)
def test_only_whole_paths_are_replaced(old: str, new: str, parts: list[str]) -> None:
    """A path is replaced where nothing of another name is before or behind it, and nothing else is."""
    text = "".join(parts).replace("A", old)
    found = venv_paths._text(text.encode(), old, new).decode()
    assert found == re.sub(rf"(?<![\w./-]){re.escape(old)}(?![\w.-])", lambda _: new, text)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"#!/x/python -I\nprint(1)\n", (b"#!/x/python -I\n", "/x/python", "-I")),
        (b"#!/x/python\r\n", (b"#!/x/python\r\n", "/x/python", "")),
        (b"#!/bin/sh\n'''exec' '/a b/python' \"$0\" \"$@\"\n' '''\n", None),
        (b"#!/bin/sh\n'''exec' '/a b\n' '''\n", None),
        (b"#!/x/\xff\n", None),
        (b"print(1)\n", None),
        (b"", None),
    ],
)
def test_the_first_lines_of_scripts(data: bytes, expected: tuple[bytes, str, str] | None) -> None:
    found = scripts.head_of(data)
    if data.startswith(b"#!/bin/sh") and b"python" in data:
        assert found == (data, "/a b/python", "")
    else:
        assert found == expected
