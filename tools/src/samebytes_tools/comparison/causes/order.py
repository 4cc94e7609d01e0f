"""The same elements in another order: as a set has them, or as a file system lists files."""

from __future__ import annotations

from ..observations import Part, Reordered
from .cause import NORMALIZE, Cause, CauseClues

__all__ = ["DIRECTORY_ORDER", "HASH_SEED_ORDER"]


_ENOUGH = 4
"""How many elements that are sorted on one side, and the other way round on the other, show more than chance."""


def _shows_files(seen: Part, clues: CauseClues) -> bool:
    """Return whether files are in another order: it is known, their order shows it, or most are members or paths."""
    if not isinstance(seen, Reordered):
        return False
    named = sum("/" in element or element in clues.names for element in seen.elements)
    return seen.is_listing or (clues.is_listed_otherwise and _is_reversed(seen)) or named * 2 > len(seen.elements)


def _is_reversed(seen: Reordered) -> bool:
    """Return whether the elements are sorted on one side and in the reverse of that on the other, as files were."""
    left, right = list(seen.elements), list(seen.others)
    return len(left) >= _ENOUGH and left == right[::-1] and sorted(left) in (left, right)


def _shows_set(seen: Part, clues: CauseClues) -> bool:
    """Return whether elements are in another order, and may be so by the hash seed."""
    return isinstance(seen, Reordered) and not clues.is_one_seed


HASH_SEED_ORDER = Cause(
    "D008",
    "hash-seed-order",
    "The same elements are in another order, as those of a set are with another hash seed.",
    "Sort where it is written: sorted(names) instead of a set. Until then let samebytes call your build backend "
    '(build-backend = "samebytes.backend"), which pins the seed, or:\n\n    PYTHONHASHSEED=0 python -m build\n\n'
    "For hash() take hashlib, as hashlib.sha256(data).hexdigest(). "
    'For Requires-Dist, Provides-Extra and Classifier lines of a finished file: enable = ["W100"] in '
    "[tool.samebytes], or samebytes normalize --enable W100.",
    _shows_set,
)

DIRECTORY_ORDER = Cause(
    "D009",
    "directory-order",
    "Files come in the order in which a file system listed them.",
    f"{NORMALIZE}\nWhere the list is in a file of your own, sort it: sorted(os.listdir(path)), "
    "sorted(glob.glob(pattern)), and names.sort() in os.walk. Until then let samebytes call your build backend "
    '(build-backend = "samebytes.backend"): directories are listed by name in its process, and in samebytes build for '
    "all programs, where the system allows that.",
    _shows_files,
    "Sort where it is written: sorted(os.listdir(path)), sorted(glob.glob(pattern)), and names.sort() in os.walk. "
    'Until then let samebytes call your build backend (build-backend = "samebytes.backend"): directories are listed by '
    "name in its process, and in samebytes build for all programs, where the system allows that.",
)
