"""Little projects for surveys, harmless and hostile, as sdists on an index of the test's own."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Mapping
from pathlib import Path

from samebytes_tools.commands.survey.examine import Conditions
from samebytes_tools.commands.survey.sandbox.confined import Limits

from .indexes import Server
from .projects import SMALL_BACKEND

PYPROJECT = '[build-system]\nrequires = []\nbuild-backend = "small_backend"\nbackend-path = ["backend"]\n'


def sdist(
    directory: Path,
    *,
    extra: str = "",
    name: str = "small",
    version: str = "1.0",
    more: Mapping[str, str] | None = None,
) -> Path:
    """Write an sdist whose in-tree backend is a few lines long, and return it.

    :param more: further files, by their names in the tree
    :param extra: Python that is appended to the backend: its definitions win over the ones that are there
    """
    directory.mkdir(parents=True, exist_ok=True)
    backend = SMALL_BACKEND.replace("small-1.0", f"{name}-{version}") + extra
    files = {
        "pyproject.toml": PYPROJECT,
        "backend/small_backend.py": backend,
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        **(more or {}),
    }
    path = directory / f"{name}-{version}.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for file, text in files.items():
            info = tarfile.TarInfo(f"{name}-{version}/{file}")
            info.size, info.mtime, info.mode = len(text.encode()), 1_600_000_000, 0o644
            archive.addfile(info, io.BytesIO(text.encode()))
    return path


def conditions(server: Server, root: Path, *, limits: Limits | None = None, wants_sandbox: bool = True) -> Conditions:
    """Return what an examination needs of the outside environment, below the directory *root*."""
    scratch = root / "scratch"
    scratch.mkdir(exist_ok=True)
    return Conditions(
        cache=root / "cache",
        environ=dict(os.environ),
        scratch=scratch,
        limits=limits or Limits(seconds=300, room=64 << 20),
        build_seconds=120,
        wants_sandbox=wants_sandbox,
        index=server.address,
        silence=20,
    )
