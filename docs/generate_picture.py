"""Write docs/_static/check.svg: a terminal in which ``samebytes check`` finds a fault, from what it really prints.

    python docs/generate_picture.py

Needs rich, git, and samebytes-tools; what else a check varies should be there too (libfaketime, locales).
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

PICTURE = Path(__file__).resolve().parent / "_static" / "check.svg"
WIDTH = 80

PROJECT = {
    "pyproject.toml": """\
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "greeting"
version = "1.0"
""",
    "setup.py": """\
import datetime
from pathlib import Path

from setuptools import setup

Path("src/greeting/built.py").write_text(f'BUILT = "{datetime.datetime.now():%Y-%m-%d %H:%M}"\\n')
setup()
""",
    "src/greeting/__init__.py": "",
    ".gitignore": "built.py\n",
}
"""A project with one typical fault: it writes down when it was built."""


def printed(project: Path) -> str:
    """Return what ``samebytes check .`` prints of the PROJECT, which is made in the directory *project*."""
    for name, text in PROJECT.items():
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    own = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org"]
    for arguments in (["init", "-q"], ["add", "."], [*own, "commit", "-q", "-m", "First"]):
        subprocess.run(["git", *arguments], cwd=project, check=True)
    environ = {**os.environ, "COLUMNS": str(WIDTH), "FORCE_COLOR": "1"}
    command = [sys.executable, "-m", "samebytes", "check", "."]
    done = subprocess.run(command, cwd=project, env=environ, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 1:
        raise SystemExit(f"the check should have findings, and its exit status is {done.returncode}")
    return done.stdout


def picture(text: str) -> str:
    """Return the SVG of a terminal with *text*, in which escape sequences are colours; it loads nothing."""
    from rich.console import Console
    from rich.text import Text

    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="standard")
    console.print(Text.from_ansi(f"\x1b[1m$ samebytes check .\x1b[0m\n{text.rstrip()}"), soft_wrap=True)
    drawn = console.export_svg(title="samebytes check", unique_id="check")
    return re.sub(r"\s*@font-face \{.*?\}", "", drawn, flags=re.DOTALL)  # these would come from another host


def main() -> int:
    """Make the project, check it, draw what that prints; return an exit status."""
    with tempfile.TemporaryDirectory() as directory:
        PICTURE.write_text(picture(printed(Path(directory))), "utf-8")
    print(f"wrote {PICTURE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
