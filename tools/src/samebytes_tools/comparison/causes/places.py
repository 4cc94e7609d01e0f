"""Where and by whom something was built: paths, temporary names, the user and the machine.

What two absolute paths at one place show is a matter of where people and services build, and of what an operating
system keeps in the same place everywhere.
"""

from __future__ import annotations

import re

from ..model import UNKNOWN_BUILD, KnownBuild
from ..observations import Nature, OfNature, Padding, Part, PathPair, SearchPaths
from .cause import WRAP, Cause, CauseClues, by_nature

__all__ = [
    "BELOW",
    "BUILD_PATH",
    "HOME",
    "HOST",
    "PATH",
    "PROCESSORS",
    "TEMPORARY",
    "TEMPORARY_DIRECTORY",
    "USER",
    "are_drawn",
    "are_of_compilers",
    "are_of_the_system",
    "are_of_versions",
]

# pip's and build's directories have eight characters of tempfile's, gcc's names six of mkstemp(3)'s.
_RANDOM = (
    r"pip-(?:build-env|install|req-build|ephem-wheel-cache|modern-metadata|wheel|unpack|standalone-pip|metadata)-"
    r"[A-Za-z0-9_]{6,12}"
    r"|(?:build-env|build-via-sdist|\.mesonpy)-[a-z0-9_]{8}(?![a-z0-9_])"
    r"|cc(?=[a-z]*[A-Z0-9])[A-Za-z0-9]{6}(?=\.(?:o|s|c|res|ltrans|i)\b)"
)

TEMPORARY = re.compile(rf"(?<![A-Za-z0-9_])(?:{_RANDOM}|\.tmp(?=[a-z]*[A-Z0-9])[A-Za-z0-9]{{6}}(?!\w))")
"""A name that pip, build, uv, meson-python, tempfile or gcc drew at random."""

_COMPONENT = re.compile(rf"{_RANDOM}|\.?tmp[A-Za-z0-9_]{{6,8}}|cc[A-Za-z0-9]{{6}}\.[a-z]+")
"""The same as a whole component of a path."""

BELOW = re.compile(r"(?<=[\\/])(?P<prefix>[\w.+@~%=-]*?)(?P<drawn>[a-z0-9_]{8})(?=[\\/\s\"':;,]|\Z)")
"""The first name below a directory, if it could be tempfile's: its prefix, and what may have been drawn."""

PATH = re.compile(
    r"(?:(?<![\w:/.%<>}\])~$-])|(?<=file:))(?<!/)(?:file://)?(?:/[\w.+@~%=,-]+){2,}/?"
    r"|(?<![A-Za-z])[A-Za-z]:[\\/](?:[^\s\\/:*?\"'<>|;,]+[\\/])+[^\s\\/:*?\"'<>|;,]*"
    r"|(?<=-I)(?:/[\w.+@~%=,-]+){2,}"
)
"""An absolute path of two components or more, on POSIX systems or Windows, also as a file URL."""

_TEMPORARY_ROOT = re.compile(
    r"/(?:private/)?(?:tmp|var/tmp|dev/shm)(?:/|\Z)|/(?:private/)?var/folders/|[A-Za-z]:[\\/].*?[\\/]Te?mp[\\/]",
    re.IGNORECASE,
)
# /usr/src may hold what is built, and /dev/shm is a directory for temporary files.
_SYSTEM = re.compile(r"/(?:bin|boot|dev(?!/shm)|etc|lib|lib32|lib64|proc|run|sbin|sys|usr(?!/src/))(?:/|\Z)")
"""What an operating system keeps there wherever anybody builds."""

_RUST = re.compile(r"/rustc/[0-9a-f]{40}/|/usr/src/rustc-[\w.+~-]+/|/rust/deps/[\w.+-]+/")
"""Where Rust's own libraries were compiled, by its makers or a distribution: the commit, or a release, in it."""

_GCC = re.compile(
    r"(?<=/gcc/)(?P<machine>[\w.]+(?:-[\w.]+){1,3}/)\d+(?:\.\d+)*(?=/|\Z)|(?<=/include/c\+\+/)\d+(?:\.\d+)*(?=/|\Z)"
)
"""The release in the directories of GCC's own headers and libraries."""

_RUST_COMMIT = re.compile(r"(?<=/rustc/)[0-9a-f]{40}(?=/)")

_VERSION = re.compile(
    r"(?<![A-Za-z0-9.])v?\d+(?:\.\d+)+(?:[.+_-]?(?:a|b|c|rc|alpha|beta|dev|post)[.-]?\d+)*(?![A-Za-z0-9])"
    r"|(?<=[Pp]ython)\d+(?:\.\d+)*t?(?![A-Za-z0-9])|(?<![A-Za-z0-9])(?:cp|pp|cpython-)\d{2,4}t?(?![A-Za-z0-9])"
)
"""A release in the name of a directory: openssl-sys-0.9.103, python3.11, Python/3.11.9, cp311-cp311."""

_HOME = re.compile(r"(?P<before>/home/|/Users/|[A-Za-z]:[\\/]Users[\\/])(?P<name>[^\\/]+)(?P<after>(?:[\\/].*)?)\Z")
_SEPARATOR = re.compile(r"[\\/]")
_ROOTS = re.compile(
    r"[A-Za-z]:[\\/]|/(?:home|Users|root|build|builds|builddir|buildroot|tmp|private|var|srv|opt|mnt|media|Volumes"
    r"|workspace|workspaces|work|project|app|code|repo|codebuild|agent|github|__w|w|src|io|host|usr|runner|jenkins|ci|scratch|wrkdirs|nix|gnu)/"
)
"""Where people and services build; a path elsewhere may be an address on the web, or anything."""

_ONE_PLACE = (["project"], ["app"], ["code"], ["repo"])
"""Those of them that containers have for one project."""

# tempfile draws from 37 characters (a-z, 0-9, _), eight times.
_AGREE = 2
"""In how many of eight places random names may agree: more do in less than two of a thousand pairs."""


def are_of_the_system(left: str, right: str) -> bool:
    """Return whether both paths are an operating system's own, or both Rust's, which show nothing of a build."""
    return any(each.match(left) and each.match(right) for each in (_SYSTEM, _RUST))


def are_of_versions(left: str, right: str) -> bool:
    """Return whether two paths are one but for versions: those of a dependency, or of Python, in one place."""
    return left != right and _VERSION.sub("", left) == _VERSION.sub("", right)


def are_of_compilers(left: str, right: str) -> bool:
    """Return whether both paths are of one compiler's own files, and of two releases of it.

    Of Rust, also where they stand between others: its compiler puts texts one behind the other without a separator.
    """
    if left != right and _RUST_COMMIT.sub("", left) == _RUST_COMMIT.sub("", right):
        return True
    one, other = _RUST.match(left), _RUST.match(right)
    if one and other:
        return one[0] != other[0]
    return left != right and all(map(_GCC.search, (left, right))) and _without_gcc(left) == _without_gcc(right)


def _without_gcc(path: str) -> str:
    # Red Hat's toolsets are in directories with the release as well.
    return re.sub(
        r"(?<=/)(?:devtoolset|gcc-toolset)-\d+(?=/)", "", _GCC.sub(lambda match: match["machine"] or "", path)
    )


def are_drawn(left: str, right: str) -> bool:
    """Return whether two names of eight characters, with one prefix and in one place, are most likely random.

    Eight of 37 characters without a digit or underscore in either are rare, as are two that agree in many places.
    Numbers in hexadecimal may be a commit's.
    """
    if all(re.fullmatch(r"[0-9a-f]*", name) for name in (left, right)):
        return False
    return bool(re.search(r"[0-9_]", left + right)) and sum(a == b for a, b in zip(left, right)) <= _AGREE


def _are_homes(left: str, right: str) -> bool:
    """Return whether both are one file in the home directories of two users."""
    one, other = _HOME.match(left), _HOME.match(right)
    return one is not None and other is not None and one["after"] == other["after"]


def _is_temporary(path: str, other: str) -> bool:
    """Return whether *path* differs from *other* in a temporary directory's part of it."""
    # macOS: /var/folders, and /private before what a link leads to.
    if _TEMPORARY_ROOT.match(path):
        return True
    # A component that both have was not drawn twice: it is a name like tmp1.
    known = set(_SEPARATOR.split(other))
    return any(_COMPONENT.fullmatch(part) for part in _SEPARATOR.split(path) if part not in known)


def _is_moved(left: str, right: str) -> bool:
    """Return whether both end alike and begin otherwise: one file of a tree that lay elsewhere."""
    if not _ROOTS.match(left) or not _ROOTS.match(right):
        return False
    one, other = ([part for part in _SEPARATOR.split(path) if part] for path in (left, right))
    # "/app/users/list" and "/app/groups/list" are addresses; two builds there have one place.
    if one[:1] == other[:1] and one[:1] in _ONE_PLACE:
        return False
    # The last component alone: trees may be laid out otherwise in between, as with src/.
    return bool(one) and one[-1:] == other[-1:] and one != other


def _lies_in(search: str, build: KnownBuild) -> bool:
    """Return whether all directories of a search path lie where *build* took place."""
    # With a slash, so that /tmp/a does not match /tmp/ab; "/" itself would match everything.
    places = [path.rstrip("/") + "/" for path in (*build.paths, *build.temps) if len(path) > 1]
    return all(any(f"{path}/".startswith(place) for place in places) for path in search.split(":"))


def _explains(difference: int, left: tuple[str, ...], right: tuple[str, ...]) -> bool:
    """Return whether paths of both builds differ so in length, or twice or three times in one text."""
    lengths = (len(one) - len(other) for one, other in zip(left, right) if len(one) != len(other))
    return any(difference in (length, 2 * length, 3 * length) for length in lengths)


def _shows_temporary(seen: Part, clues: CauseClues) -> bool:
    if isinstance(seen, PathPair):
        # On one side only, the other is a place that somebody chose: a build path.
        return _is_temporary(seen.left, seen.right) and _is_temporary(seen.right, seen.left)
    if isinstance(seen, Padding):
        one, other = clues.builds
        return _explains(seen.difference, one.temps, other.temps) and not _explains(
            seen.difference, one.paths, other.paths
        )
    return isinstance(seen, OfNature) and seen.nature in (Nature.KNOWN_TEMPORARY_PATH, Nature.TEMPORARY_NAME)


def _shows_build_path(seen: Part, clues: CauseClues) -> bool:
    """Return whether *seen* shows the place of a build; what shows a more special cause does not reach this."""
    if isinstance(seen, PathPair):
        return seen.is_location or _is_moved(seen.left, seen.right)
    if isinstance(seen, SearchPaths):
        sides = [(paths, build) for paths, build in zip(seen.paths, clues.builds) if paths]
        # On one side only: CMake removes the build's search path at installing, other tools leave it.
        return len(sides) == 1 and all(_lies_in(path, sides[0][1]) for path in sides[0][0])
    if isinstance(seen, Padding):
        one, other = clues.builds
        if UNKNOWN_BUILD in clues.builds:
            return True
        return _explains(seen.difference, one.paths, other.paths) and not _explains(
            seen.difference, one.temps, other.temps
        )
    return isinstance(seen, OfNature) and seen.nature is Nature.KNOWN_PATH


BUILD_PATH = Cause(
    "D001",
    "build-path",
    "The directory in which the source or the build environment lay is written into the result.",
    "Build in a fixed place, which maps compilers' paths too:\n\n    samebytes build\n\n"
    'or in pyproject.toml, with build-backend = "samebytes.backend":\n\n'
    "    [tool.samebytes]\n    fixed-paths = true\n\n"
    "With a compiler alone: CPPFLAGS=-ffile-prefix-map=$PWD=. for gcc and clang, RUSTFLAGS=--remap-path-prefix. In "
    "code that writes files, write paths relative to the project.",
    _shows_build_path,
)

TEMPORARY_DIRECTORY = Cause(
    "D002",
    "temporary-directory",
    "The name of a temporary directory or file, which is random, is written into the result.",
    "Take tempfile, $TMPDIR and the names that they give out of what is written at build time; a gzip file has its "
    'name in it unless it is written with gzip.GzipFile(fileobj=file, filename="", mtime=0). '
    f"Where the name is a tool's: {WRAP} It gives the backend names of temporary files that do not change. For build "
    "environments with random names (pip's and build's):\n\n    [tool.samebytes]\n    fixed-paths = true\n\n"
    "or build by:\n\n    samebytes build",
    _shows_temporary,
)

USER = Cause(
    "D003",
    "user-name",
    "The name of the user who built it is written into the result.",
    "Take getpass.getuser(), os.getlogin() and $USER out of what is written at build time. If the name is part of "
    "a path such as /home/NAME, a fixed place fixes it:\n\n    samebytes build",
    lambda seen, clues: (
        _are_homes(seen.left, seen.right) if isinstance(seen, PathPair) else by_nature(Nature.USER)(seen, clues)
    ),
)

HOST = Cause(
    "D004",
    "host-name",
    "The name of the machine on which it was built is written into the result.",
    "Take platform.node(), socket.gethostname() and uname out of what is written at build time.",
    by_nature(Nature.HOST),
)

HOME = Cause(
    "D028",
    "home-directory",
    "The home directory of the one who built it is written into the result, or something that lies in it was read.",
    "Take Path.home(), os.path.expanduser() and $HOME out of what is written at build time: write ~/ as it is, and "
    "expand it where the program runs. Configuration that a build needs belongs into the project. Until then:\n\n"
    "    HOME=/nonexistent python -m build",
    by_nature(Nature.HOME),
)

PROCESSORS = Cause(
    "D021",
    "processors",
    "The number of processors or of parallel jobs is written into the result.",
    "Take os.cpu_count(), os.sched_getaffinity() and MAKEFLAGS out of what is written at build time, or give one "
    "number for all builds:\n\n"
    "    MAX_JOBS=1 CMAKE_BUILD_PARALLEL_LEVEL=1 python -m build",
    by_nature(Nature.PROCESSORS),
)
