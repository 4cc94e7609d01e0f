"""Verify published manylinux wheels, each repaired by the auditwheel of its day, and print a Markdown table.

    python benchmarks/verify_repaired.py                          all releases below
    python benchmarks/verify_repaired.py MarkupSafe==2.1.5 ...    those
    python benchmarks/verify_repaired.py --root DIR --tag ...     in a root of another system, as if it were an image
    python benchmarks/verify_repaired.py --keep DIR               keep the JSON documents and the rebuilt files

Needs samebytes and samebytes-tools, a C and a C++ compiler, and a package index. A root for ``--root`` is what

    debootstrap --variant=minbase --include=gcc,g++,libc6-dev,python3-venv,python3-dev,ca-certificates bullseye DIR

makes. Its Python is shown as the one of an image, by the engine that the tests use, so this needs bubblewrap as well.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

RELEASES = (
    "MarkupSafe==2.1.5",
    "PyYAML==6.0.2",
    "greenlet==3.1.1",
    "frozenlist==1.5.0",
    "multidict==6.1.0",
    "wrapt==1.17.0",
    "msgpack==1.1.0",
    "ujson==5.10.0",
    "psutil==6.1.0",
    "simplejson==3.19.3",
    "charset-normalizer==3.4.0",
    "kiwisolver==1.4.7",
    "lz4==4.3.3",
    "bitarray==3.0.0",
    "propcache==0.2.0",
)
"""With extensions in C, C++ and Cython that build in a minute or less."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("releases", metavar="NAME==VERSION", nargs="*", default=RELEASES)
    parser.add_argument("--keep", metavar="DIR", type=Path)
    parser.add_argument("--root", metavar="DIR", type=Path, help="the root of another system to build in")
    parser.add_argument("--tag", default="cp3*-*manylinux*x86_64", help="which wheel (default: %(default)s)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        more = engine(args.root, Path(scratch)) if args.root else []
        if args.root or args.tag != parser.get_default("tag"):
            more += ["--tag", args.tag]
        for line in table(args.releases, args.keep or Path(scratch), more):
            print(line, flush=True)
    return 0


def engine(root: Path, directory: Path) -> list[str]:
    """Return options that build in *root*, whose own Python is the image's."""
    sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
    from support import fake_engine

    (version,) = {path.name for path in (root / "usr/bin").glob("python3.*") if path.name[8:].isdecimal()}
    tag = f"cp3{version[8:]}-cp3{version[8:]}"
    python = root / "opt/python" / tag / "bin/python"
    python.parent.mkdir(parents=True, exist_ok=True)
    if not python.is_symlink():
        python.symlink_to(f"/usr/bin/{version}")
    # Where this machine's is mounted.
    (root / "etc/resolv.conf").touch()
    program = fake_engine.make(directory, images={"other-system": {tag: ""}}, root=str(root))
    return ["--image=other-system", "--engine", str(program)]


def table(releases: Sequence[str], directory: Path, more: Sequence[str]) -> Iterator[str]:
    """Yield the lines of the table, a row for each wheel as soon as it is verified."""
    yield "| file | repaired by | verdict | toolchain | other causes |"
    yield "|---|---|---|---|---|"
    for release in releases:
        yield f"| {' | '.join(cells(verify(release, directory, more)['results'][0]))} |"


def verify(release: str, directory: Path, more: Sequence[str]) -> Any:
    """Return the JSON document on one wheel."""
    output = directory / release
    output.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "samebytes", "verify", "--json", "--wheel", release, *more, "-o", str(output)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    (output / "said.txt").write_text(done.stderr)
    (output / "verify.json").write_text(done.stdout)
    return json.loads(done.stdout)


def cells(result: Any) -> tuple[str, ...]:
    """Return file, what repaired it, verdict, the line on the toolchain, and causes beside that."""
    if result["error"]:
        return result["target"], "", f"error: {result['error']['message']}".replace("\n", " "), "", ""
    verified = result["verified"]
    comparison, repair = verified["comparison"], verified["build"]["repair"]
    tools = {one["name"]: one["version"] for one in repair["requirements"]} if repair else {}
    by = f"auditwheel {tools['auditwheel']}" if tools.get("auditwheel") else ""
    by += f" for {repair['platform']}" if repair and repair["platform"] else " (not repaired)"
    lines = [one["summary"] for one in comparison["differences"] if one["name"] == "toolchain"]
    others = ", ".join(code for code in comparison["causes"] if code != "D023")
    return verified["artifact"]["name"], by, comparison["verdict"], "; ".join(lines), others


if __name__ == "__main__":
    sys.exit(main())
