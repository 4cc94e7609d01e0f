"""Wheels to install, and trees that are installed, made from nothing."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

from samebytes_tools.commands.install.install import Installation, install
from samebytes_tools.commands.install.interpreter import TARGET
from samebytes_tools.commands.install.wheel import InstallOptions
from samebytes_tools.commands.tree.compile_ahead import CompilerAhead
from samebytes_tools.commands.tree.compiler import Compiler
from samebytes_tools.commands.tree.fix import Fixed, FixOptions, fix
from support.artifacts import wheel
from support.wheels import spelt

DATE = 1_600_000_000
FINAL = "/opt/app"
PYTHON = "/usr/bin/python3"
TAG = sys.implementation.cache_tag or ""

INFO = "demo-1.0.dist-info"

PIP_SCRIPT = """\
#!/usr/bin/python3
# -*- coding: utf-8 -*-
import re
import sys
from demo import main
if __name__ == '__main__':
    sys.argv[0] = re.sub(r'(-script\\.pyw|\\.exe)?$', '', sys.argv[0])
    sys.exit(main())
"""
UV_SCRIPT = """\
#!/usr/bin/python3
# -*- coding: utf-8 -*-
import sys
from demo import main
if __name__ == "__main__":
    if sys.argv[0].endswith("-script.pyw"):
        sys.argv[0] = sys.argv[0][:-11]
    elif sys.argv[0].endswith(".exe"):
        sys.argv[0] = sys.argv[0][:-4]
    sys.exit(main())
"""

COMMANDS = "[console_scripts]\n{name} = {name}:main\n"


def project(
    directory: Path, name: str = "demo", files: Mapping[str, bytes] | None = None, record: bytes | None = None
) -> Path:
    """Write a wheel with a package, a module of it, and a command; *files* replace the package's."""
    package = files or {
        f"{name}/__init__.py": b"def main():\n    print(__file__)\n",
        f"{name}/part.py": b"ANSWER = 42\n",
        f"{name}/data.txt": b"some text\n",
    }
    info = f"{name}-1.0.dist-info"
    commands = {f"{info}/entry_points.txt": COMMANDS.format(name=name).encode()}
    return wheel(directory, name, {**package, **commands}, record=record)


def install_into(top: Path, *wheels: Path, **changes: object) -> Installation:
    """Install *wheels* into *top* as ``--target`` does, by this interpreter."""
    options = InstallOptions(top, FINAL, TARGET, PYTHON, date=DATE, jobs=2)._replace(**changes)  # type: ignore[arg-type]
    return install(wheels, options, CompilerAhead(sys.executable))


def fix_tree(top: Path, **changes: object) -> Fixed:
    """Fix the tree *top* by this interpreter."""
    options = FixOptions(FINAL, DATE)._replace(**changes)  # type: ignore[arg-type]
    return fix(top, options, Compiler(sys.executable))


def facts(top: Path) -> dict[str, tuple[int, int, bytes]]:
    """Return mode, time and contents of everything in *top*, by name; read in the plainest way."""
    found = {}
    for path in sorted(top.rglob("*")):
        status = path.lstat()
        data = path.read_bytes() if path.is_file() else b""
        found[path.relative_to(top).as_posix()] = (stat.S_IMODE(status.st_mode), status.st_mtime_ns, data)
    return found


def strays(directory: Path) -> list[str]:
    """Return what an install or a fix has left behind of its own."""
    return [
        name for _, names, files in os.walk(directory) for name in (*names, *files) if name.startswith(".samebytes")
    ]


def rewrite(tree: Path, name: str, text: str, *, listed: bool = True) -> None:
    """Replace a file, and its row in RECORD."""
    path = tree / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    record = tree / INFO / "RECORD"
    kept = [line for line in record.read_text("utf-8").splitlines() if not line.startswith(f"{name},")]
    if listed:
        kept.append(f"{name},{spelt(text.encode())},{len(text.encode())}")
    record.write_text("\n".join(kept) + "\n", encoding="utf-8")
