"""The state of the source tree: its version control, what earlier builds left in it, and its line ends."""

from __future__ import annotations

import re
from functools import lru_cache
from unicodedata import normalize

from samebytes.artifact.layout import ArtifactKind

from ..observations import LoneLine, LoneMember, Nature, Part, TextPair
from .cause import WRAP, Cause, CauseClues, by_nature

__all__ = ["GENERATED_LINE_ENDS", "LEFTOVER_FILES", "LINE_ENDINGS", "NAME_FORM", "VCS_VERSION"]

_LEFTOVER = re.compile(
    r"build/(?:lib|bdist|temp|scripts)[^/]*/|dist/[^/]+\.(?:whl|tar\.gz|egg)\Z"
    r"|(?:.*/)?(?:__pycache__|\.eggs|\.pytest_cache|\.mypy_cache|\.ruff_cache|\.tox|__MACOSX)/"
    r"|(?:.*/)?(?:\.DS_Store|\._[^/]+|Thumbs\.db|desktop\.ini)\Z"
)
"""What builds and tests leave in a tree, and what file managers and archivers of macOS and Windows do."""

_TOP_LEVELS = re.compile(r"\.(?:egg-info|dist-info)/top_level\.txt\Z")

_LEFTOVER_LINE = re.compile(
    rb"\Abuild/(?:lib|bdist|temp)|(?:\A|/)(?:__pycache__|\.eggs|\.pytest_cache)/|(?:\A|/)\.DS_Store\Z"
)


def _shows_leftover(seen: Part, clues: CauseClues) -> bool:
    if isinstance(seen, LoneMember):
        # A build makes .egg-info in a tree, where it belongs into an sdist; nothing puts it into a wheel on purpose.
        in_wheel = seen.kind == ArtifactKind.WHEEL and re.match(r"(?:.*/)?[^/]+\.egg-info/", seen.key)
        return bool(_LEFTOVER.match(seen.key)) or bool(in_wheel)
    # Lists of files, such as SOURCES.txt and RECORD, name them even where they are not in the archive.
    if not isinstance(seen, LoneLine):
        return False
    return bool(_LEFTOVER_LINE.search(seen.text)) or _is_of_no_package(seen, clues)


def _is_of_no_package(line: LoneLine, clues: CauseClues) -> bool:
    """Return whether a line of top_level.txt names what neither archive has: a directory that lay in the tree.

    setuptools' ``find_namespace_packages`` takes any directory for a package, such as ``dist`` with an earlier sdist.
    """
    text = line.text.decode("utf-8", "replace")
    if not _TOP_LEVELS.search(line.name) or not text.isidentifier():
        return False
    # Anywhere, as sources keep packages in any directory: src/, lib/python/.
    return text not in _components(clues.names)


@lru_cache(maxsize=2)
def _components(names: frozenset[str]) -> frozenset[str]:
    """Return what the parts of *names* are called, up to a dot; kept, as a text has many lines."""
    return frozenset(part.partition(".")[0] for name in names for part in name.split("/"))


def _shows_checkout(seen: Part, clues: CauseClues) -> bool:
    """Return whether *seen* shows the state of a checkout: a version, or that git was asked which files there are."""
    if not isinstance(seen, LoneMember):
        return by_nature(Nature.VCS_VERSION)(seen, clues)
    asked = [bool(build.tracked) for build in clues.builds]
    if asked[0] is asked[1]:  # both could ask git, or it is not known
        return False
    build = clues.builds[asked.index(True)]
    has_git = bool(seen.left) is asked[0]
    # In a wheel, packages that lie in src/ in the tree do not.
    return not {seen.key, f"src/{seen.key}"}.isdisjoint(build.tracked if has_git else build.untracked)


def _shows_form(seen: Part, clues: CauseClues) -> bool:
    """Return whether *seen* is a name in one normal form that a member has in the other form, on the other side."""
    if isinstance(seen, TextPair):  # lines of lists such as SOURCES.txt
        one, other = (side.decode("utf-8", "replace").strip() for side in (seen.left, seen.right))
        return one != other and {one, other} <= clues.only and normalize("NFC", one) == normalize("NFC", other)
    if not isinstance(seen, LoneMember) or seen.key.isascii():
        return False
    composed = normalize("NFC", seen.key)
    return any(other != seen.key and normalize("NFC", other) == composed for other in clues.only)


LINE_ENDINGS = Cause(
    "D014",
    "line-endings",
    "Lines end by CRLF on one side and by LF on the other.",
    "Keep one kind in the checkout, in .gitattributes:\n\n    * text=auto eol=lf\n\n"
    'and write text files by open(path, "w", newline="\\n").',
    by_nature(Nature.LINE_ENDS),
    small="line ends",
)

GENERATED_LINE_ENDS = Cause(
    "D036",
    "platform-line-ends",
    "The build backend wrote the file with the line ends of its platform: CRLF on Windows, LF elsewhere.",
    "The file is not in the checkout. samebytes' build backend makes LF of what backends write:\n\n" + WRAP,
    by_nature(Nature.GENERATED_LINE_ENDS),
    small="line ends",
)

VCS_VERSION = Cause(
    "D016",
    "vcs-version",
    "The version, a file that holds it, or the list of files that are taken in comes from the state of the checkout: a "
    "commit, changes to it, or that there is none.",
    "Build from a clean checkout of the tag, with its history (git fetch --tags --unshallow; git status --short "
    "must be empty). To give the version by hand, for setuptools-scm and hatch-vcs:\n\n"
    "    SETUPTOOLS_SCM_PRETEND_VERSION=1.0 python -m build\n\nWithout the day in local versions:\n\n"
    '    [tool.setuptools_scm]\n    local_scheme = "no-local-version"\n\n'
    "In code that asks git, or looks whether there is .git: a release is built from an sdist too, which has no "
    'checkout. Take what is given, os.environ.get("DEMO_COMMIT"), and sorted(os.listdir(path)) for lists of files.\n\n'
    "maturin takes what git tracks, and without git leaves out what begins with a dot. So name all, in Cargo.toml:\n\n"
    '    [package]\n    include = ["Cargo.lock", "pyproject.toml", "src/**/*"]',
    _shows_checkout,
)

LEFTOVER_FILES = Cause(
    "D020",
    "leftover-files",
    "Files or directories of an earlier build (build/, dist/, *.egg-info, __pycache__) or of a file manager "
    "(.DS_Store, ._*) were taken in.",
    "Build from a clean tree:\n\n    git clean -dfx build dist '*.egg-info' '*.DS_Store'\n\n"
    "and leave them out for good. With setuptools, in MANIFEST.in:\n\n    prune build\n    prune dist\n"
    "    global-exclude *.py[cod] .DS_Store ._*\n\n"
    "With maturin, name what belongs in by include in Cargo.toml. A file that a build writes among the sources (git "
    "status --ignored shows it) belongs below build/, or has to be left out of the sdist by its name.",
    _shows_leftover,
)

NAME_FORM = Cause(
    "D035",
    "name-form",
    "A file's name is composed (NFC) on one side and decomposed (NFD) on the other, as macOS' HFS+ lists names.",
    "Build on a file system that keeps names as they were written (APFS, any of Linux), from a checkout with\n\n"
    "    git config core.precomposeunicode true\n\nor give files names in ASCII.",
    _shows_form,
)
