"""Scripts of entry points: read, written in one wording, and known again in every installer's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from installer.scripts import Script
from samebytes_tools.commands.tree.scripts import EntryPoint, entry_points, first_lines, generated_head, script
from support.examples import examples

from samebytes.errors import UsageError

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")

ENTRY = EntryPoint("tool", "pkg.cli", "app.main")
HEAD = "#!/usr/bin/python3\n"

DISTLIB = """\
# -*- coding: utf-8 -*-
import re
import sys
from pkg.cli import app
if __name__ == '__main__':
    sys.argv[0] = re.sub(r'(-script\\.pyw|\\.exe)?$', '', sys.argv[0])
    sys.exit(app.main())
"""
NEWER_PIP = """\
import sys
from pkg.cli import app
if __name__ == '__main__':
    sys.argv[0] = sys.argv[0].removesuffix('.exe')
    sys.exit(app.main())
"""
UV = """\
# -*- coding: utf-8 -*-
import sys
from pkg.cli import app
if __name__ == "__main__":
    if sys.argv[0].endswith("-script.pyw"):
        sys.argv[0] = sys.argv[0][:-11]
    elif sys.argv[0].endswith(".exe"):
        sys.argv[0] = sys.argv[0][:-4]
    sys.exit(app.main())
"""


def test_entry_points_are_read() -> None:
    text = "[console_scripts]\nOne = a.b:c.d\ntwo=x:y [extra]\n[other]\nz = 1\n[gui_scripts]\nthree = g : main\n"
    assert list(entry_points(text)) == [
        EntryPoint("One", "a.b", "c.d"),
        EntryPoint("two", "x", "y"),
        EntryPoint("three", "g", "main", True),
    ]


@pytest.mark.parametrize(
    "text",
    ["x = 1\n", "[console_scripts]\nx = pkg\n", "[console_scripts]\n../x = a:b\n", "[console_scripts]\nx = a:b()\n"],
)
def test_what_cannot_be_called_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"cannot be called|no section headers"):
        list(entry_points(text))


@pytest.mark.parametrize("text", [DISTLIB, NEWER_PIP, UV], ids=["distlib", "newer pip", "uv"])
def test_every_installers_wording_is_known(text: str) -> None:
    assert generated_head((HEAD + text).encode(), ENTRY) == HEAD.encode()


@pytest.mark.parametrize("executable", ["/usr/bin/python3", "/opt/with space/python", f"/opt/{'x' * 130}/python"])
def test_the_one_wording_is_known_too(executable: str) -> None:
    head = first_lines(executable)
    assert generated_head(script(head, ENTRY), ENTRY) == head


@pytest.mark.parametrize(
    ("old", "new"),
    [("import sys\n", "import sys\nimport site\n"), ("app.main()", "app.other()"), ("pkg.cli", "pkg"), (HEAD, "")],
)
def test_what_says_anything_else_is_not(old: str, new: str) -> None:
    assert generated_head((HEAD + UV).replace(old, new).encode(), ENTRY) is None
    assert generated_head(b"\xff" + UV.encode(), ENTRY) is None


def runs(directory: Path) -> bool:
    """Return whether a script of a Python in *directory* is run by that."""
    directory.mkdir(parents=True, exist_ok=True)
    python, path = directory / "python", directory.parent / "tool"
    if not python.is_symlink():
        python.symlink_to(sys.executable)
    entry = EntryPoint("tool", "platform", "python_version")
    head = first_lines(str(python))
    path.write_bytes(script(head, entry))
    path.chmod(0o755)
    assert b"\r\n" in head or generated_head(path.read_bytes(), entry) == head
    done = subprocess.run([path], capture_output=True, text=True, check=False)
    # What a command returns is its exit.
    return done.stderr.strip() == ".".join(map(str, sys.version_info[:3]))


@posix_only
@pytest.mark.parametrize(
    "name",
    [
        "a b",
        "a\tb",
        "a\nb",
        "a\rb",
        "a\fb",
        "a#b",
        "coding=x",
        "coding: x",
        "it's",
        "''a",
        "a\\xz",
        '"$(false)`',
        "ä" * 60,
    ],
)
def test_a_path_with_any_characters(name: str, tmp_path: Path) -> None:
    assert runs(tmp_path / name)


@posix_only
@settings(max_examples=examples(30), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.sampled_from("ab #=:'\"$`!\t\n\r\v\x1c\x85\u2028\\;&é-"), min_size=1, max_size=12))
def test_a_path_is_run_or_refused(tmp_path: Path, name: str) -> None:
    """What cannot be written so that the kernel, the shell and Python all read it is refused before it is written."""
    try:
        assert runs(tmp_path / "all" / f"_{name}")
    except UsageError:
        assert "\\" in name


@posix_only
def test_a_path_that_is_not_text_is_refused() -> None:
    with pytest.raises(UsageError, match="is not UTF-8") as caught:
        first_lines("/opt/\udcff/python")
    assert caught.value.remedy


@given(st.text(st.sampled_from("abcXYZ019._-+@,~ /"), max_size=200))
def test_ordinary_paths_are_written_as_installers_do(path: str) -> None:
    """By installer, which has distlib's rule, and so has pip but on macOS, where it takes lines of 512 bytes."""
    _, data = Script("tool", "pkg", "main", "console").generate(f"/{path}/python", "posix")
    assert data.startswith(first_lines(f"/{path}/python"))
