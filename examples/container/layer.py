"""Build a container layer of wheels twice, in two environments, and show that it is the same.

    python examples/container/layer.py WHEELS [--output layer.tar]

WHEELS is a directory with wheels. Needs samebytes with its extra ``install``; no container engine, no root.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ENVIRONMENTS = (
    {"umask": 0o022, "PYTHONHASHSEED": "1", "TZ": "UTC", "jobs": "1", "path": "a"},
    {"umask": 0o077, "PYTHONHASHSEED": "2", "TZ": "Asia/Tokyo", "jobs": "4", "path": "b/" + "c" * 60},
)


def layer(wheels: list[Path], directory: Path, varied: dict) -> tuple[str, Path]:
    """Install *wheels* below *directory*, and return the digest and the path of the layer's tar."""
    root = directory / varied["path"] / "root"
    root.parent.mkdir(parents=True)
    tar = root.with_suffix(".tar")
    environ = {**os.environ, "PYTHONHASHSEED": varied["PYTHONHASHSEED"], "TZ": varied["TZ"]}
    environ["TMPDIR"] = str(root.parent)
    samebytes = [sys.executable, "-m", "samebytes"]
    install = [*samebytes, "install", "-q", "-j", varied["jobs"], "--root", root, "--prefix", "/usr/local"]
    options = ["--pyc", "unchecked-hash", "--executable", "/usr/local/bin/python3"]
    before = os.umask(varied["umask"])
    try:
        subprocess.run([*install, *options, *wheels], env=environ, check=True)
        said = subprocess.run(
            [*samebytes, "tree", "digest", root, "--tar", tar],
            env=environ,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
    finally:
        os.umask(before)
    return said.stdout.split()[0], tar


def main() -> int:
    """Build twice, print both digests, and return 0 if they are the same."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheels", type=Path)
    parser.add_argument("--output", type=Path, help="keep the layer's tar")
    args = parser.parse_args()
    wheels = sorted(args.wheels.glob("*.whl"))
    with tempfile.TemporaryDirectory(prefix="layer-") as name:
        layers = [layer(order, Path(name), varied) for order, varied in zip((wheels, wheels[::-1]), ENVIRONMENTS)]
        for digest, _ in layers:
            print(f"sha256:{digest}")
        if args.output:
            args.output.write_bytes(layers[0][1].read_bytes())
    same = len({digest for digest, _ in layers}) == 1
    print("The same layer." if same else "NOT the same layer.")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
