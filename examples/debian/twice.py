"""Build a Debian package twice, in two environments, and show that it is the same.

    python examples/debian/twice.py [--output DIRECTORY]

Needs Debian or a descendant with build-essential, debhelper, dh-python, pybuild-plugin-pyproject, python3-dev and
python3-setuptools, and samebytes where Debian's own python3 finds it (PYTHONPATH will do). No root.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCE = Path(__file__).resolve().parent / "greeting"
ENVIRONMENTS = (
    {"path": "a", "umask": 0o022, "parallel": "1", "TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "1"},
    {
        "path": "b/" + "c" * 60,
        "umask": 0o002,
        "parallel": "4",
        "TZ": "Asia/Tokyo",
        "LC_ALL": "C",
        "PYTHONHASHSEED": "2",
    },
)


def built(directory: Path, varied: dict) -> tuple[dict[str, bytes], bytes]:
    """Build below *directory*, and return the packages by name (debug symbols are one of their own), and the log."""
    tree = directory / varied["path"] / "greeting"
    environ = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    environ.update({name: varied[name] for name in ("TZ", "LC_ALL", "PYTHONHASHSEED")})
    environ["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin"  # no Python but Debian's
    environ["DEB_BUILD_OPTIONS"] = f"parallel={varied['parallel']}"
    environ["DH_VERBOSE"] = "1"  # pybuild shows the compiler's commands
    before = os.umask(varied["umask"])
    try:
        shutil.copytree(SOURCE, tree, copy_function=shutil.copyfile)  # as of today, with the modes of this umask
        (tree / "debian" / "rules").chmod(0o755)
        # -d: samebytes is no Debian package that could be named in Build-Depends.
        command = ["dpkg-buildpackage", "-us", "-uc", "-b", "-d"]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        done = subprocess.run(command, cwd=tree, env=environ, check=False, **pipes)
    finally:
        os.umask(before)
    if done.returncode:
        sys.exit(done.stdout.decode(errors="replace"))
    return {path.name: path.read_bytes() for path in sorted(tree.parent.glob("*.deb"))}, done.stdout


def main() -> int:
    """Build twice, print the digests of both, and return 0 if they are the same."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, help="keep the packages and the logs there")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="deb-") as name:
        both = [built(Path(name), varied) for varied in ENVIRONMENTS]
    for number, (packages, log) in enumerate(both, start=1):
        for package, data in packages.items():
            print(f"{hashlib.sha256(data).hexdigest()}  {package}")
        if args.output:
            args.output.mkdir(parents=True, exist_ok=True)
            for package, data in {**packages, f"build-{number}.log": log}.items():
                (args.output / package).write_bytes(data)
    same = both[0][0] == both[1][0]
    print("The same packages." if same else "NOT the same packages.")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
