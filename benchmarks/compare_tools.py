"""What other tools make of one project, built in two environments: the table of docs/explanation/comparison.md.

    python benchmarks/compare_tools.py [--zlib-ng LIBZ] [--reproducibly PROGRAM] [--only NAME]

Two examples are built in the environments of tests/support/conditions.py, with their own backend and
``SOURCE_DATE_EPOCH``: one in pure Python, one with a C extension. Each tool then does what it is for, in both. Printed
is whose two files are equal: sdist, pure wheel, wheel with an extension; in environments that differ in all, in all but
the umask, and, with a ``libz.so.1`` that is zlib-ng (tests/support/foreign_zlib.py builds one), in all but the umask
and in zlib besides.

Needs setuptools, build, setuptools-reproducible, repairwheel and samebytes in the running interpreter;
strip-nondeterminism and reproducibly are left out where they are missing.
"""

from __future__ import annotations

import argparse
import base64
import csv
import hashlib
import shutil
import sys
import tempfile
import time
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Callable, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from support.conditions import CONTROL, EXPERIMENT, Place, settle, wait_past  # noqa: E402
from support.projects import BY_NAME, copy_bare  # noqa: E402

DATE = "1700000000"
BIN = Path(sys.executable).parent
Tool = Callable[[Place, Path], object]
"""Puts an sdist and a wheel of a place's tree into a directory."""


def build(place: Place, out: Path, *, dated: bool = True) -> None:
    """Build by the backend that the tree names."""
    more = {"PATH": f"{BIN}:{place.variables['PATH']}", **({"SOURCE_DATE_EPOCH": DATE} if dated else {})}
    place.run([sys.executable, "-m", "build", "--no-isolation", "--outdir", out, place.tree], more=more)


def build_undated(place: Place, out: Path) -> None:
    """Build as it is, without a date."""
    build(place, out, dated=False)


def with_backend(name: str) -> Tool:
    """Return a tool that builds by another backend than setuptools'."""

    def tool(place: Place, out: Path) -> None:
        pyproject = place.tree / "pyproject.toml"
        text, inner = pyproject.read_text("utf-8"), 'build-backend = "setuptools.build_meta"'
        more = f"\n[tool.samebytes]\n{inner}\n" if name == "samebytes.backend" else ""
        pyproject.write_text(text.replace(inner, f'build-backend = "{name}"') + more, "utf-8")
        build(place, out)

    return tool


def then(*command: str | Path, output: str = "", wheels_only: bool = False) -> Tool:
    """Return a tool that runs *command* on what was built."""

    def tool(place: Place, out: Path) -> None:
        build(place, out)
        for path in sorted(out.glob("*.whl" if wheels_only else "*")):
            options: list[str | Path] = [output, out / "repaired"] if output else []
            place.run([*command, *options, path], more={"SOURCE_DATE_EPOCH": DATE})
        for path in out.glob("repaired/*"):
            next(out.glob("*.whl")).unlink()
            path.rename(out / path.name)

    return tool


def by_reproducibly(program: str) -> Tool:
    """Return reproducibly, which takes a repository, and then the sdist that it made."""

    def tool(place: Place, out: Path) -> None:
        place.run(["git", "config", "--global", "--add", "safe.directory", "*"])
        place.run([program, place.tree, out], more={"SOURCE_DATE_EPOCH": DATE})
        place.run([program, next(out.glob("*.tar.gz")), out], more={"SOURCE_DATE_EPOCH": DATE})

    return tool


def samebytes_build(place: Place, out: Path) -> None:
    """Build by samebytes' own command."""
    more = {"PATH": f"{BIN}:{place.variables['PATH']}", "SOURCE_DATE_EPOCH": DATE}
    place.run([BIN / "samebytes", "build", "--no-isolation", "-q", "-o", out, place.tree], more=more)


def tools(reproducibly: str | None) -> dict[str, Tool]:
    """Return what is compared, by what it is called in the table."""
    found: dict[str, Tool] = {
        "nothing": build_undated,
        "`SOURCE_DATE_EPOCH`": build,
        "setuptools-reproducible": with_backend("setuptools_reproducible"),
        "repairwheel": then(BIN / "repairwheel", output="-o", wheels_only=True),
    }
    if shutil.which("strip-nondeterminism"):
        found["strip-nondeterminism"] = then("strip-nondeterminism", "-T", DATE)
    if reproducibly:
        found["reproducibly"] = by_reproducibly(reproducibly)
    found["`samebytes normalize`"] = then(BIN / "samebytes", "normalize", "-q")
    found["`samebytes.backend`"] = with_backend("samebytes.backend")
    found["`samebytes build`"] = samebytes_build
    return found


def record_fits(wheel: Path) -> bool:
    """Tell whether RECORD has every file once, with the right hash, and itself."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        (record,) = (name for name in names if name.endswith(".dist-info/RECORD"))
        rows = {name: digest for name, digest, _ in csv.reader(archive.read(record).decode().splitlines())}
        real = {name: hashlib.sha256(archive.read(name)).digest() for name in names if name != record}
    made = {name: "sha256=" + base64.urlsafe_b64encode(digest).decode().rstrip("=") for name, digest in real.items()}
    return rows == {**made, record: ""}


class Situation(NamedTuple):
    """In what the second environment differs from the first, besides all else."""

    title: str
    umask: int
    zlib_ng: str = ""


def settled(first: bool, situation: Situation, source: Path, root: Path, tool: Tool) -> Place:
    """Return the first or the second environment, with a copy of *source* in it."""
    conditions = CONTROL if first else replace(EXPERIMENT, umask=situation.umask)
    place = settle(conditions, source, root, needs_git=tool.__qualname__.startswith("by_reproducibly"))
    if first or not situation.zlib_ng:
        return place
    loaded = f"{situation.zlib_ng} {place.variables.get('LD_PRELOAD', '')}"
    return replace(place, variables={**place.variables, "LD_PRELOAD": loaded})


def outcomes(tool: Tool, example: str, situation: Situation) -> tuple[str, str, bool]:
    """Return how alike the sdists and the wheels are of what *tool* made, and whether both RECORDs fit."""
    with tempfile.TemporaryDirectory(prefix="samebytes-tools-") as name:
        source, outs = copy_bare(BY_NAME[example], Path(name, "source")), []
        for first in (True, False):
            place = settled(first, situation, source, Path(name, str(first)), tool)
            outs.append(place.directory("out"))
            try:
                tool(place, outs[-1])
            except AssertionError as error:
                print(f"{example}: {error}", file=sys.stderr)
                return "-", "-", True
            wait_past(time.time())
        sdists, wheels = ([next(out.glob(kind)) for out in outs] for kind in ("*.tar.gz", "*.whl"))
        return sign(sdists), sign(wheels), all(map(record_fits, wheels))


def sign(files: list[Path]) -> str:
    """Return how alike the two files are."""
    one, other = (path.read_bytes() for path in files)
    return "=" if one == other else "≠"


def row(name: str, tool: Tool, situations: list[Situation]) -> str:
    """Return the row of a tool: in each situation, the signs of sdist, pure wheel and wheel with an extension."""
    cells, fit = [name], True
    for situation in situations:
        sdist, pure, record = outcomes(tool, "unwrapped-setuptools", situation)
        _, compiled, compiled_record = outcomes(tool, "setuptools-c-extension", situation)
        cells.append(f"{sdist} {pure} {compiled}")
        fit = fit and record and compiled_record
    return f"| {' | '.join([*cells, 'yes' if fit else 'no'])} |"


def main() -> int:
    """Build, compare, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--zlib-ng", metavar="LIBZ", default="", help="a libz.so.1 that is zlib-ng")
    parser.add_argument("--reproducibly", metavar="PROGRAM", default=shutil.which("reproducibly"))
    parser.add_argument("--only", help="only the tool of that name")
    options = parser.parse_args()
    situations = [Situation("two environments", 0o077), Situation("one umask", 0o022)]
    if options.zlib_ng:
        situations.append(Situation("one umask, two zlibs", 0o022, options.zlib_ng))
    print(f"| | {' | '.join(situation.title for situation in situations)} | RECORD fits |")
    print(f"|---|{'---|' * len(situations)}---|")
    for name, tool in tools(options.reproducibly).items():
        if options.only in (None, name):
            print(row(name, tool, situations), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
