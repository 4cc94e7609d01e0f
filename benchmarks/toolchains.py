"""Which causes ``samebytes compare`` names for published wheels and wheels that another toolchain made of one release.

    python benchmarks/toolchains.py [NAME ...]

Prints the table of docs/explanation/attributed.md. Needs the package index, a C compiler, and auditwheel and patchelf
on PATH. NAME is a part of a release's name. Published wheels are those for CPython as :data:`PAIRS` has it, on x86-64.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from samebytes_tools.comparison.archives import compare_files

BUILT, REPAIRED = "built here", "built and repaired here"


class Pair(NamedTuple):
    """A release, and where its two wheels come from: a platform's published one, or made here."""

    release: str
    left: str
    right: str
    python: str = "3.11"


PAIRS = (
    Pair("MarkupSafe==3.0.2", "manylinux2014", BUILT),
    Pair("MarkupSafe==3.0.2", "manylinux2014", REPAIRED),
    Pair("PyYAML==6.0.2", "manylinux2014", BUILT),
    Pair("simplejson==3.19.3", "manylinux2014", BUILT),
    Pair("simplejson==3.19.3", "manylinux2014", REPAIRED),
    Pair("wrapt==1.16.0", "manylinux2014", BUILT),
    Pair("frozenlist==1.4.1", "manylinux2014", REPAIRED),
    Pair("ujson==5.10.0", "manylinux2014", REPAIRED),
    Pair("regex==2024.11.6", "manylinux2014", BUILT),
    Pair("multidict==6.0.5", "manylinux2014", REPAIRED),
    Pair("lxml==4.6.3", "manylinux1", "manylinux2014", "3.9"),
    Pair("regex==2021.4.4", "manylinux2010", "manylinux2014", "3.8"),
    Pair("MarkupSafe==3.0.2", "manylinux2014", "musllinux_1_2"),
    Pair("frozenlist==1.4.1", "manylinux2014", "musllinux_1_1"),
)


def main() -> int:
    """Compare the pairs that are asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", metavar="NAME", nargs="*", help="a part of a release's name; all if none is given")
    options = parser.parse_args()
    print("| release | left | right | causes | the first difference |", "|---|---|---|---|---|", sep="\n")
    for pair in PAIRS:
        if options.names and not any(name in pair.release for name in options.names):
            continue
        with tempfile.TemporaryDirectory() as directory:
            left, right = (_wheel(pair, side, Path(directory, str(number))) for number, side in enumerate(pair[1:3]))
            found = compare_files(left, right)
        (line,) = [node.summary for node in found.differences if node.name == "toolchain"] or ["none for the toolchain"]
        print(f"| {pair.release} | {pair.left} | {pair.right} | {', '.join(found.causes)} | {line} |", flush=True)
    return 0


def _wheel(pair: Pair, side: str, directory: Path) -> Path:
    pip = [sys.executable, "-m", "pip", "--quiet"]
    if side in (BUILT, REPAIRED):
        _run([*pip, "wheel", "--no-deps", "--no-binary", ":all:", "-w", str(directory), pair.release])
    else:
        platform = ["--platform", f"{side}_x86_64", "--python-version", pair.python, "--implementation", "cp"]
        tag = f"cp{pair.python.replace('.', '')}"
        _run(
            [
                *pip,
                "download",
                "--no-deps",
                "--only-binary",
                ":all:",
                *platform,
                "--abi",
                tag,
                "-d",
                str(directory),
                pair.release,
            ]
        )
    (wheel,) = directory.glob("*.whl")
    if side != REPAIRED:
        return wheel
    _run(["auditwheel", "repair", "-w", str(directory / "repaired"), str(wheel)])
    (repaired,) = (directory / "repaired").glob("*.whl")
    return repaired


def _run(command: list[str]) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: status {done.returncode}\n{done.stderr}")


if __name__ == "__main__":
    sys.exit(main())
