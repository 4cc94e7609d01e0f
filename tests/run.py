"""Set up an environment of its own and run the tests in it, against the built and installed wheel.

    python3 tests/run.py [--python PYTHON] [pytest's arguments]

Needs Python with venv, and a package index for what is not installed yet. The environment is kept in .venv/.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Build, install, test; return pytest's exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--python", default=sys.executable, help="the interpreter to test with")
    options, arguments = parser.parse_known_args()
    python = environment(options.python)
    install(python)
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "SOURCE_DATE_EPOCH")}
    command = [python, "-m", "pytest", *(arguments or ["-n", "2", "--dist", "worksteal"])]
    return subprocess.run(command, cwd=ROOT, env=clean, check=False).returncode


def environment(interpreter: str) -> str:
    """Make or find the virtual environment for *interpreter* and return its Python."""
    version = subprocess.run(
        [interpreter, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    directory = ROOT / ".venv" / version
    python = directory / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.is_file():
        if interpreter == sys.executable:
            venv.create(directory, with_pip=True)
        else:
            subprocess.run([interpreter, "-m", "venv", str(directory)], check=True)
    return str(python)


def install(python: str) -> None:
    """Build the wheels of both distributions, samebytes' through itself, and install them with what the tests need."""
    wheels = ROOT / ".venv" / "wheels"
    shutil.rmtree(wheels, ignore_errors=True)
    pip = [python, "-m", "pip", "--disable-pip-version-check", "-q"]
    subprocess.run([*pip, "wheel", "--no-deps", "-w", str(wheels), str(ROOT), str(ROOT / "tools")], check=True)
    built = [str(wheel) for wheel in sorted(wheels.glob("*.whl"))]
    subprocess.run([*pip, "install", *built, "-r", str(ROOT / "tests" / "requirements.txt")], check=True)
    subprocess.run([*pip, "install", "--force-reinstall", "--no-deps", *built], check=True)


if __name__ == "__main__":
    sys.exit(main())
