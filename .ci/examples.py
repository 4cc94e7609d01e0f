"""Build the examples twice on this system, in two places, and compare what comes out; CI compares the systems, too.

    python .ci/examples.py build DIST DIGESTS [NAME ...]
    python .ci/examples.py equal DIGESTS DIGESTS ...

``build`` needs git, the wheel of samebytes in DIST, and build beside this interpreter. It writes the digests of what is
to be the same on every system (pure packages, and all sdists) to the file DIGESTS, and ends with status 1 if two builds
differ. ``equal`` does so if one file has two digests.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import tempfile
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

PURE = (
    "flit",
    "hatchling",
    "in-tree-backend",
    "pdm",
    "poetry",
    "setuptools-legacy",
    "setuptools-pyproject",
    "uv-build",
)
"""uv-build has another digest where uv_build has another release: both are taken from the index on one day."""
COMPILED = ("meson-c-extension", "scikit-build-core-c-extension", "setuptools-c-extension")
MAY_DIFFER = COMPILED if sys.platform == "win32" else ()
"""Microsoft's compiler and linker are not shown to give equal bytes: there, that they build is all that is asked."""

CONDITIONS = (
    ("one", {"TZ": "UTC", "PYTHONHASHSEED": "1"}),
    ("another place/with a longer name", {"TZ": "Asia/Kathmandu", "PYTHONHASHSEED": "2"}),
)


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build")
    build.add_argument("dist", type=Path)
    build.add_argument("digests", type=Path)
    build.add_argument("names", nargs="*", default=[*PURE, *COMPILED])
    equal = commands.add_parser("equal")
    equal.add_argument("digests", type=Path, nargs="+")
    options = parser.parse_args()
    if options.command == "equal":
        return compared([path.read_text("utf-8") for path in options.digests])
    differing, lines = [], []
    for name in options.names:
        first, second = built_twice(name, options.dist)
        print(f"{name}: {'equal' if first == second else 'DIFFERENT'}", *sorted(first.items()), sep="\n  ", flush=True)
        if first != second:
            print(*sorted(second.items()), sep="\n  ")
            differing += [name] * (name not in MAY_DIFFER)
        lines += [f"{digest}  {file}\n" for file, digest in first.items() if name in PURE or file.endswith(".tar.gz")]
    options.digests.write_text("".join(sorted(lines)), "utf-8")
    print(f"{len(options.names)} examples built twice, {len(differing)} differ: {', '.join(differing)}")
    return 1 if differing else 0


def compared(lists: list[str]) -> int:
    """Return 1 if a file has two digests, or is not in every list."""
    found: dict[str, list[str]] = defaultdict(list)
    for text in lists:
        for line in text.splitlines():
            digest, _, file = line.partition("  ")
            found[file].append(digest)
    bad = [file for file, digests in found.items() if len(set(digests)) > 1 or len(digests) < len(lists)]
    print(f"{len(found)} files of {len(lists)} systems, {len(bad)} are not equal or not everywhere:", *sorted(bad))
    return 1 if bad or not found else 0


def built_twice(name: str, dist: Path) -> list[dict[str, str]]:
    """Return the digests of two builds' files, by name."""
    with tempfile.TemporaryDirectory(prefix="examples-") as scratch:
        root = Path(scratch)
        (wheel,) = dist.resolve().glob("samebytes-[0-9]*.whl")
        constraints = root / "constraints.txt"
        # This very wheel, whatever an index has under its name.
        constraints.write_text(f"samebytes @ {wheel.as_uri()}\n", "utf-8")
        found = []
        for place, variables in CONDITIONS:
            tree, out = root / place / name, root / place / "out"
            checked_out(name, tree)
            # Both from the tree: Windows does not keep the modes of what is unpacked from an sdist.
            command = [sys.executable, "-m", "build", "--sdist", "--wheel", "--outdir", str(out), str(tree)]
            environ = {
                **os.environ,
                **variables,
                "PIP_CONSTRAINT": str(constraints),
                "PIP_FIND_LINKS": str(wheel.parent),
            }
            subprocess.run(command, env=environ, check=True)
            found.append({path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in out.iterdir()})
    return found


def checked_out(name: str, tree: Path) -> None:
    """Make a repository of one example, with the contents and modes that are committed, whatever the checkout has."""
    archive = ["git", "-C", str(ROOT), "-c", "core.autocrlf=false", "archive", "--format=tar", f"HEAD:examples/{name}"]
    data = subprocess.run(archive, check=True, capture_output=True).stdout
    git = ["git", "-c", "core.autocrlf=false", "-c", "user.name=CI", "-c", "user.email=ci@example.org", "-C", str(tree)]
    with tarfile.open(fileobj=io.BytesIO(data)) as files:
        members = files.getmembers()
        for member in members:
            content = files.extractfile(member)
            path = tree / member.name
            if member.isdir() or content is None:
                path.mkdir(parents=True, exist_ok=True)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.read())
            path.chmod(member.mode | 0o200)
    for step in (["init", "--quiet"], ["add", "--force", "."]):
        subprocess.run([*git, *step], check=True)
    for member in members:
        if member.isfile() and member.mode & 0o100:  # where the file system has no such bit
            subprocess.run([*git, "update-index", "--chmod=+x", member.name], check=True)
    subprocess.run([*git, "commit", "--quiet", "--message", "Example"], check=True)


if __name__ == "__main__":
    sys.exit(main())
