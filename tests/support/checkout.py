"""A repository of samebytes itself, as somebody has it who clones or pins it: only what is built from."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILT_FROM = ("pyproject.toml", "README.md", "LICENSE", "src", "data", "tools")
_AUTHOR = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")


def export(target: Path, *more: str) -> Path:
    """Copy what samebytes is built from, and what *more* names, to *target*."""
    for name in (*BUILT_FROM, *more):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name)
    return target


def repository(tree: Path) -> Path:
    """Make *tree* a git repository with one commit of all that is in it."""
    for command in (["init", "-q"], ["add", "-A"], [*_AUTHOR, "commit", "-q", "-m", "all"]):
        subprocess.run(["git", *command], cwd=tree, check=True, capture_output=True)
    return tree
