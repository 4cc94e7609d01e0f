"""Scripts of entry points: read, written in one wording, and known again in every installer's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from samebytes_tools.commands.tree.scripts import EntryPoint, entry_points, first_lines, generated_head, script

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


def test_a_path_with_a_blank_is_run_by_way_of_the_shell(tmp_path: Path) -> None:

    directory = tmp_path / "with space"
    directory.mkdir()
    (directory / "python").symlink_to(sys.executable)
    path = directory / "tool"
    path.write_bytes(script(first_lines(str(directory / "python")), EntryPoint("tool", "platform", "python_version")))
    path.chmod(0o755)
    done = subprocess.run([path], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ".".join(map(str, sys.version_info[:3])), "what a command returns is its exit"
