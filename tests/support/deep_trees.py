"""Trees that are deeper than Python's stack: whoever walks them by recursion ends in a RecursionError."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DEPTH = 1100
"""More than Python's recursion limit, 1000; each name has one letter, so that the path is below Linux's 4096 bytes."""

# By changing into each: a tree may be deeper than any path that the system takes.
_MAKE = """
import os, sys
os.chdir(sys.argv[1])
for _ in range(int(sys.argv[2])):
    os.mkdir("d")
    os.chdir("d")
open("last", "w").write("x" * 5000)
"""


@contextmanager
def deep(top: Path, depth: int = DEPTH) -> Iterator[Path]:
    """Give the directory *top* with a directory in a directory, *depth* times, and a file in the last.

    Those that are removed with it are all in *top*'s parent: pytest cannot remove such trees.
    """
    top.mkdir(parents=True)
    subprocess.run([sys.executable, "-c", _MAKE, str(top), str(depth)], check=True)
    try:
        yield top
    finally:
        subprocess.run(["rm", "-rf", *map(str, top.parent.iterdir())], check=True)


def last(top: Path, depth: int = DEPTH) -> Path:
    """Return the path of the file in the last directory below *top*."""
    return Path(os.path.join(top, *["d"] * depth, "last"))
