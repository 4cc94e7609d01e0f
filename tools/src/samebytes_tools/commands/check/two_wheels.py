"""Whether the wheel from the tree is the one from the sdist, which is what most front ends build."""

from __future__ import annotations

from pathlib import Path

from .facts import differing_and_names
from .subject import WHEEL

_SAID = ("METADATA", "entry_points.txt")
"""Files of ``.dist-info`` whose contents decide what is installed, and hold no path or date of a build."""

_LISTED = 3


def note_on(tree: Path, sdist: Path) -> str:
    """Return a note on what two wheels of one build have otherwise: that from the *tree*, and that from the *sdist*.

    It is empty where they have the same files and the same metadata. Contents of other files are not looked at, for a
    build that is not reproducible gives others each time.
    """
    facts, names = differing_and_names(WHEEL, tree, sdist)
    if not facts:
        return ""
    start = "the wheel from the tree is not the one from the sdist"
    if tree.name != sdist.name:
        return f"{start}: they are called {tree.name} and {sdist.name}"
    lone = sorted(fact.member for fact in facts if fact.aspect == "presence")
    changed = sorted(
        fact.member for fact in facts if fact.aspect == "contents" and fact.member.partition(".dist-info/")[2] in _SAID
    )
    parts = [
        _listed([name for name in lone if name in names], "only in the former"),
        _listed([name for name in lone if name not in names], "only in the latter"),
        _listed([name.rpartition("/")[2] for name in changed], "with other contents"),
    ]
    said = "; ".join(part for part in parts if part)
    if not said:
        return ""
    return f"{start}, which python -m build makes: {said}. Does the sdist lack files that the build reads?"


def _listed(names: list[str], what: str) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"{', '.join(names[:_LISTED])}{more} {what}" if names else ""
