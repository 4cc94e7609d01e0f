"""Build one setuptools project twice in two hostile environments, without samebytes and with it.

    python3 examples/demo.py

Needs Python with venv and a package index; no compiler, no root. Everything happens in a temporary directory.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PROJECT = HERE / "unwrapped-setuptools"

BOTH: dict[str, dict[str, Any]] = {
    "Alice": {"umask": 0o022, "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "1", "LC_ALL": "C", "path": "a"},
    "Bob": {"umask": 0o077, "TZ": "EST5EDT", "PYTHONHASHSEED": "2", "LC_ALL": "C.UTF-8", "path": "b/" + "c" * 60},
}


def main() -> int:
    """Set up, build four times, print the digests, and return 0 if they are as promised."""
    with tempfile.TemporaryDirectory(prefix="samebytes-demo-") as name:
        directory = Path(name)
        print("Setting up an environment with samebytes, setuptools and build ...", flush=True)
        python = environment(directory / "environment")
        print(f"Building {PROJECT.name} as Alice and as Bob: other paths, umasks, time zones, hash seeds, mtimes ...\n")
        bare = {who: built(python, directory / "bare", who, None) for who in BOTH}
        wrapped = {who: built(python, directory / "wrapped", who, "samebytes.backend") for who in BOTH}
        good = shown("without samebytes", bare, same=False) & shown("with samebytes", wrapped, same=True)
        print("As promised." if good else "NOT as promised.")
        return 0 if good else 1


def environment(directory: Path) -> str:
    """Make a virtual environment with this clone's samebytes in it and return its Python."""
    venv.create(directory, with_pip=True)
    python = str(directory / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, str(HERE.parent), "setuptools>=77", "build"], check=True)
    return python


def built(python: str, directory: Path, who: str, backend: str | None) -> dict[str, str]:
    """Build the project in *who*'s environment and return the SHA-256 of each file by its name."""
    conditions = BOTH[who]
    tree = directory / who / conditions["path"] / "project"
    shutil.copytree(PROJECT, tree)
    for path in sorted(tree.rglob("*"), reverse=who == "Bob"):
        path.chmod(path.stat().st_mode & ~conditions["umask"])
        os.utime(path, times=(1.7e9 + 1e8 * len(who), 1.7e9 + 1e8 * len(who)))
    if backend:
        wrap(tree, backend)
    variables = {name: conditions[name] for name in ("TZ", "PYTHONHASHSEED", "LC_ALL")}
    out = directory / who / "dist"
    command = [python, "-m", "build", "--no-isolation", "--outdir", str(out), str(tree)]
    time.sleep(1)  # the clock moves on between two people
    run(command, {**os.environ, **variables, "HOME": str(directory / who)}, conditions["umask"])
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(out.iterdir())}


def wrap(tree: Path, backend: str) -> None:
    """Put samebytes in front of the project's backend, as its maintainer would."""
    path = tree / "pyproject.toml"
    text = path.read_text(encoding="utf-8")
    inner = 'build-backend = "setuptools.build_meta"'
    if inner not in text:
        raise SystemExit(f"{path} does not name setuptools.build_meta")
    path.write_text(
        text.replace(inner, f'build-backend = "{backend}"') + f"\n[tool.samebytes]\n{inner}\n", encoding="utf-8"
    )


def run(command: list[str], environ: dict[str, str], umask: int) -> None:
    """Run *command*; what it says is shown only if it fails."""
    before = os.umask(umask)
    try:
        done = subprocess.run(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    finally:
        os.umask(before)
    if done.returncode:
        sys.stdout.buffer.write(done.stdout)
        raise SystemExit(f"{' '.join(command)} failed with status {done.returncode}")


def shown(title: str, digests: dict[str, dict[str, str]], *, same: bool) -> bool:
    """Print the digests and say whether every file came out as it should."""
    print(f"{title}:")
    alice, bob = digests["Alice"], digests["Bob"]
    equal = {name: alice[name] == bob.get(name) for name in alice}
    for name, is_equal in equal.items():
        print(f"  {name}: {'the same' if is_equal else 'NOT the same'}")
        for who in BOTH:
            print(f"    {who:5} {digests[who].get(name, 'not built')}")
    print()
    return all(is_equal is same for is_equal in equal.values())


if __name__ == "__main__":
    sys.exit(main())
