"""Paths of Windows in a published file, where the rebuilt one has those of its own build."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from ...comparison.model import Comparison

# Not the end of a URL's scheme. In JSON and in source code, each backslash is two.
_PATH = re.compile(rb"""(?<![A-Za-z0-9+.-])[A-Za-z]:(?:\\{1,2}|/)[^\\/\s"'<>|*?:;,][^\s"'<>|*?:;,]*""")


class WindowsPath(NamedTuple):
    """Where a file shows that it was built on Windows."""

    path: str
    """As on that machine: ``C:\\Users\\me\\demo``."""
    member: str
    """The file that names it."""

    @property
    def note(self) -> str:
        """What is to be noted of it."""
        return f"it was built on Windows: {self.member} names {self.path}"


def windows_path(comparison: Comparison, own: Sequence[str]) -> WindowsPath | None:
    """Return the first path with a drive letter in place of one of the rebuild's *own*; None if there is none.

    Such paths in documentation are the same on both sides, or have no path of this build for a counterpart.

    :param own: directories that the rebuild took place in, and nothing else is in.
    """
    directories = [directory.encode("utf-8", "surrogateescape") for directory in own]
    for difference in comparison.differences:
        for finding in (one for node in difference.walk() for one in node.findings):
            there, here = finding.evidence.left, finding.evidence.right
            found = _PATH.search(there)
            if found and found[0] not in here and any(directory in here for directory in directories):
                path = found[0].decode("utf-8", "replace").replace("\\\\", "\\")
                return WindowsPath(path.rstrip("\\/.)]}"), difference.name)
    return None
