"""On which system, and for which, a wheel was built."""

from __future__ import annotations

from ..observations import FieldValues, LoneMember, Nature, OfNature, Part, TextPair
from .cause import NORMALIZE, Cause, CauseClues

__all__ = ["COMPILED", "PURE_FALLBACK", "WINDOWS_BUILT"]

COMPILED = (".so", ".pyd", ".dylib", ".dll")
"""What names of compiled files end with."""


def _shows_fallback(seen: Part, clues: CauseClues) -> bool:
    """Return whether one wheel has compiled files and the other none, and *seen* is what follows from that."""
    if clues.pure[0] == clues.pure[1]:
        return False
    if isinstance(seen, LoneMember):
        return seen.key.endswith(COMPILED)
    if not isinstance(seen, FieldValues):
        return False
    if seen.field == "tag":
        sides = [all(tag.endswith(b"-any") for tag in side.split(b"\n")) for side in (seen.left, seen.right)]
        return sides == list(clues.pure)
    return seen.field == "root-is-purelib"


_OF_WINDOWS = frozenset(
    {Nature.MEMBER_MODE, Nature.MEMBER_OWNER, Nature.ARCHIVE_HEADER, Nature.LINE_ENDS, Nature.GENERATED_LINE_ENDS}
)


def _shows_windows(seen: Part, clues: CauseClues) -> bool:
    if clues.on_windows[0] == clues.on_windows[1]:
        return False
    if isinstance(seen, TextPair):  # lines of lists of files, such as SOURCES.txt
        one, other = (side.replace(b"\\", b"/") for side in (seen.left, seen.right))
        return one == other and seen.left != seen.right
    return isinstance(seen, OfNature) and seen.nature in _OF_WINDOWS


PURE_FALLBACK = Cause(
    "D033",
    "pure-fallback",
    "One wheel has compiled files, the other was built without them: the compiler, or something that it needs, failed.",
    "Let the build fail where an extension cannot be compiled: no optional=True of setuptools.Extension, and no "
    "except around build_ext, at least where a release is made. Then look for what was missing in the log of the build "
    "without them.",
    _shows_fallback,
)

WINDOWS_BUILT = Cause(
    "D034",
    "built-on-windows",
    "One archive was made on Windows, where files have no modes, texts other line ends, and archives other headers.",
    f"{NORMALIZE}\nFor line ends in files of your own, in .gitattributes:\n\n    * text=auto eol=lf\n\n"
    'and write text files by open(path, "w", newline="\\n"). Or build wheels that are for any system on one of them.',
    _shows_windows,
    "Keep one kind of line ends in the checkout, in .gitattributes:\n\n    * text=auto eol=lf\n\n"
    'and write text files by open(path, "w", newline="\\n"). Or build wheels that are for any system on one of them.',
    small="line ends",
)
