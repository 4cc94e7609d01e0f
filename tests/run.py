"""Set up an environment of its own and run the tests in it, against the built and installed wheels.

    python3 tests/run.py [--all] [--coverage] [--again N] [--python PYTHON] [--wheels DIRECTORY] [pytest's arguments]

The quick tier is the unit and property tests, and one real build for each family of backends. It needs Python with
venv, and a package index for what is not installed yet; git and a C compiler are used where they are there. --all is
every test. The environments are kept in .venv/, one for each interpreter and tier.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / ".venv"
UNSTEADY = KEPT / "failed-at-first"
"""Where the tests are named, a line each, that passed only when they ran once more, for .ci/run to report."""
FAILED = 1
"""pytest's exit status where tests failed."""
NOTHING_SELECTED = 5
"""The same where no test is left to run."""
NOT_PASSED_ON = ("PYTHONPATH", "SOURCE_DATE_EPOCH", "PYTHONDONTWRITEBYTECODE")
"""Variables that would change what is tested; without bytecode, every process compiles all that it imports."""

_VERSION = "import sys; print('%d.%d' % sys.version_info[:2])"
_SITE = "import sysconfig; print(sysconfig.get_path('purelib'))"
_CORE = "import sys; print('sysmon' if sys.version_info >= (3, 12) else 'ctrace')"
"""How coverage is measured: with sys.monitoring, tests take little more than half the time that a trace function takes."""


def main() -> int:
    """Build, install, test; return pytest's exit status, or coverage's where that is not 0."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--all", action="store_true", help="run every test, not only the quick tier")
    parser.add_argument("--coverage", action="store_true", help="also report the lines that no process reaches")
    parser.add_argument("--python", default=sys.executable, help="interpreter to test with (default: this one)")
    parser.add_argument(
        "--again",
        metavar="N",
        type=int,
        default=0,
        help="run failed tests once more, alone, if they are no more than N",
    )
    parser.add_argument(
        "--wheels", metavar="DIRECTORY", type=Path, help="build the wheels there, or take those that are there already"
    )
    options, arguments = parser.parse_known_args()
    python = environment(options.python, options.all)
    wheels = build(python, options.wheels)
    install(python, wheels, "requirements-all.txt" if options.all else "requirements.txt")
    tier = ["--skips=list"] if options.all else ["--quick"]
    spread = [] if arguments else ["-n", str(os.cpu_count() or 2), "--dist", "worksteal"]
    environ = {name: value for name, value in os.environ.items() if name not in NOT_PASSED_ON}
    arguments = [*tier, *spread, *arguments]
    if options.coverage:
        status = measured(python, arguments, environ, options.again)
    else:
        status = tested([python, "-m", "pytest", *arguments], environ, options.again)
    if status == NOTHING_SELECTED and not options.all:
        print("None of these tests is in the quick tier; --all runs them.", file=sys.stderr)
    return status


def tested(command: Sequence[str], environ: Mapping[str, str], again: int) -> int:
    """Run pytest and return its exit status, after a second run of the failed tests if they are *again* or fewer.

    Thousands of tests run real programs beside one another, and one that fails by chance should not hide what the steps
    behind it have to say. It is no less of a fault: the output names it, and so does the end of the gate's.
    """
    directory = KEPT / "failed"
    shutil.rmtree(directory, ignore_errors=True)
    command = [*command, "-o", f"cache_dir={directory}"]
    status = _run(command, environ)
    record = directory / "v" / "cache" / "lastfailed"
    failed = sorted(json.loads(record.read_text("utf-8"))) if record.is_file() else []
    if status != FAILED or not 0 < len(failed) <= again:
        return status
    print(f"\nOnce more, one after another: {', '.join(failed)}", flush=True)
    status = _run([*command, "--last-failed", "-n", "0"], environ)
    if status == 0:
        print("\nFAILED AT FIRST, then passed:", *failed, sep="\n  ", flush=True)
        with UNSTEADY.open("a", encoding="utf-8") as file:
            file.writelines(f"{name}\n" for name in failed)
    return status


def _run(command: Sequence[str], environ: Mapping[str, str]) -> int:
    return subprocess.run(command, cwd=ROOT, env=environ, check=False).returncode


def measured(python: str, arguments: Sequence[str], environ: Mapping[str, str], again: int) -> int:
    """Run pytest, print which lines were not reached by any process, and return the first exit status that is not 0."""
    shutil.rmtree(KEPT / "coverage", ignore_errors=True)
    (KEPT / "coverage").mkdir()
    site, core = (
        subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()
        for code in (_SITE, _CORE)
    )
    found = {"COVERAGE_FILE": str(KEPT / "coverage" / "data"), "COVERAGE_CORE": core, "SITE_PACKAGES": site}
    environ = {**environ, **found}
    coverage = [python, "-m", "coverage"]
    statuses = [tested([*coverage, "run", "-m", "pytest", *arguments], environ, again)]
    statuses += [_run([*coverage, *step], environ) for step in (["combine", "-q"], ["report"])]
    return next((status for status in statuses if status != 0), 0)


def environment(interpreter: str, everything: bool) -> str:
    """Make or find the virtual environment for *interpreter* and a tier, and return its Python."""
    version = subprocess.run([interpreter, "-c", _VERSION], check=True, capture_output=True, text=True).stdout.strip()
    directory = KEPT / (f"{version}-all" if everything else version)
    python = directory / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.is_file():
        subprocess.run([interpreter, "-m", "venv", str(directory)], check=True)
    return str(python)


def build(python: str, directory: Path | None) -> list[str]:
    """Build the wheels of both distributions, samebytes' through itself, in *directory* where there are none yet."""
    if directory is None:
        directory = Path(python).parents[1] / "wheels"
        shutil.rmtree(directory, ignore_errors=True)
    if not directory.exists():
        pip = [python, "-m", "pip", "--disable-pip-version-check", "-q"]
        subprocess.run([*pip, "wheel", "--no-deps", "-w", str(directory), str(ROOT), str(ROOT / "tools")], check=True)
    return [str(wheel) for wheel in sorted(directory.glob("*.whl"))]


def install(python: str, wheels: Sequence[str], requirements: str) -> None:
    """Install *wheels* with what the tests need."""
    # uv takes a fraction of pip's time. Where it cannot be had, or does not reach the index that pip does, pip goes on.
    pip = [python, "-m", "pip", "--disable-pip-version-check", "-q"]
    subprocess.run([*pip, "install", "--only-binary=:all:", "uv"], capture_output=True, check=False)
    add(python, [*wheels, "-r", str(ROOT / "tests" / requirements)])
    add(python, ["--reinstall", "--no-deps", *wheels])


def add(python: str, wanted: Sequence[str]) -> None:
    """Install what is *wanted* with uv, and with pip if that does not work."""
    uv = [python, "-m", "uv", "pip", "install", "-q", "--python", python, *wanted]
    if subprocess.run(uv, capture_output=True, check=False).returncode != 0:
        pip = [python, "-m", "pip", "--disable-pip-version-check", "-q", "install"]
        subprocess.run([*pip, *(one.replace("--reinstall", "--force-reinstall") for one in wanted)], check=True)


if __name__ == "__main__":
    sys.exit(main())
