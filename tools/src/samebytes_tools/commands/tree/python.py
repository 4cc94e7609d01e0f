"""Which Pythons a tree is for."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from .bytecode import is_compiled_name
from .walk import walk

_DIRECTORY = r"(?:^|/)python(\d+)\.(\d+)/(?:site|dist)-packages(?:/|$)"
_TAG = r"\.cpython-(\d)(\d+)[.]"


def minors_of(root: Path, final: str) -> frozenset[tuple[int, int]]:
    """Return the versions that a tree speaks of: by its directories, else by its compiled modules; none if by neither.

    :param final: where *root* will lie.
    :raises UsageError: if *root* is no directory.
    :raises ArchiveError: if it cannot be read.
    """
    nodes = [posixpath.join(final, node.name) for node in walk(root)]
    found = [re.search(_DIRECTORY, name) for name in nodes]
    if not any(found):
        found = [re.search(_TAG, posixpath.basename(name)) for name in nodes if is_compiled_name(name)]
    return frozenset((int(match[1]), int(match[2])) for match in found if match is not None)
