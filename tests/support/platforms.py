"""What a platform does not have, for the tests that need it."""

from __future__ import annotations

import os
import sys
import tempfile
from functools import cache
from pathlib import Path

import pytest


@cache
def makes_links() -> bool:
    """Return whether symbolic links can be made: Windows asks for a privilege, and Wine 8 only claims to make them."""
    with tempfile.TemporaryDirectory() as directory:
        link = Path(directory, "link")
        try:
            link.symlink_to("target")
        except OSError:
            return False
        return os.path.islink(link)


needs_links = pytest.mark.skipif(not makes_links(), reason="symbolic links cannot be made here")
needs_modes = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no permission bits")
needs_open_files_moved = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows lets nobody replace or remove a file that is open"
)
