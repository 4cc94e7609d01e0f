"""On which system, and for which, a wheel was built."""

from __future__ import annotations

from samebytes.artifact.layout import ArtifactKind

from ..observations import FieldValues, LoneMember, Nature, OfNature, Part, TextPair
from .cause import NORMALIZE, Cause, CauseClues, by_nature

__all__ = ["COMPILED", "EXECUTABLE_BIT", "PURE_FALLBACK", "WINDOWS_BUILT"]

COMPILED = (".so", ".pyd", ".dylib", ".dll")
"""What names of compiled files end with."""


def _shows_fallback(seen: Part, clues: CauseClues) -> bool:
    """Return whether one side was built with extensions and the other without, and *seen* follows from that."""
    if isinstance(seen, LoneMember) and seen.kind == ArtifactKind.SDIST:
        # Where the backend has an extension to build, Cython writes its code for the sdist, too.
        stem, dot, suffix = seen.key.rpartition(".")
        return suffix in ("c", "cpp") and f"{stem}{dot}pyx" in clues.names
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
    {
        Nature.MEMBER_MODE,
        Nature.EXECUTABLE,
        Nature.MEMBER_OWNER,
        Nature.ARCHIVE_HEADER,
        Nature.LINE_ENDS,
        Nature.GENERATED_LINE_ENDS,
    }
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
    "One side has compiled files, or the code that Cython wrote for them, and the other was built without: that was "
    "asked for, or the compiler failed, or something that it needs.",
    "Let the build fail where an extension cannot be compiled: no optional=True of setuptools.Extension, and no "
    "except around build_ext, at least where a release is made. Then look for what was missing in the log of the build "
    "without them.",
    _shows_fallback,
)

EXECUTABLE_BIT = Cause(
    "D038",
    "executable-bit",
    "A file can be executed on one side only. Its mode was changed in the checkout; or it lay on a file system without "
    "that bit, which gives it to all files or to none, such as those of Windows, shared folders and mounts of them in "
    "containers.",
    "Build on a file system that keeps modes, from a checkout that has them:\n\n"
    "    git config core.fileMode true\n    git ls-files --stage  # 100755 is what can be executed\n\n"
    "git update-index --chmod=+x, or -x, with a path changes it there.",
    by_nature(Nature.EXECUTABLE),
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
