"""What tools write of themselves into what they make: backends, compilers, linkers, makers of SBOMs."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..observations import FieldValues, JsonValue, Libraries, LoneMember, Nature, Part, PathPair, SearchPaths
from ..requirements import FIELDS, meaning
from .cause import NORMALIZE, Cause, CauseClues, by_nature
from .places import are_of_compilers
from .repaired import are_libraries, are_tags_of_repairs, is_search_path, without_digest

__all__ = [
    "BACKEND_VERSION",
    "BUILD_ID",
    "CODE_SIGNATURE",
    "DEPLOYMENT_TARGET",
    "REQUIREMENT_SPELLING",
    "SBOM_IDENTITY",
    "TOOLCHAIN_VERSION",
]

_BACKENDS_OWN = frozenset({"generator", "metadata-version", "wheel-version"})
"""Fields of METADATA and WHEEL that a backend fills in by itself."""

_TOOL_WITH_VERSION = re.compile(
    r"((?:python|pypy|gcc|clang|llvm|rust|numpy|pybind11|cython)\D{0,4})\d+(?:\.\d+)*(?=[-/\\]|\Z)", re.IGNORECASE
)

_OF_NAMESPACE = re.compile(r"-py3\.\d+-nspkg\.pth\Z")

_MACOS = re.compile(rb"(?<=-macosx_)\d+_\d+(?=_)")

_STORED = re.compile(r"(/(?:nix|gnu)/store/)[0-9a-z]{32}-")
"""Where Nix and Guix keep a package: in a directory that is named by a digest of all that it was made from."""

_INTERPRETER = re.compile(
    r"/(?:.+/)?(?:versions/[\w.+-]+|(?:opt|usr)/(?:local|python/[\w.-]+)|_internal/[\w.+-]+|[Pp]ython/?[\d.]+\w*(?:/x64|/arm64)?"
    r"|cpython-[\w.+-]+|\w*conda\w*(?:/envs/[\w.+-]+)?)/lib(?:64)?"
)
"""Where installations of Python have their library: pyenv, manylinux, GitHub's runners, uv, conda, /usr/local."""

_LONGEST = 4096  # PATH_MAX

_RUNTIME = re.compile(
    r"(?:lib(?:c|m|dl|rt|util|pthread|gcc_s|stdc\+\+|atomic|python[\d.]+|c\.musl-\w+)|ld-(?:linux|musl)[\w-]*)\.so[.\d]*"
)
"""Libraries that compilers and linkers add: which of them depends on their releases (GLIBC 2.34 has one for many)."""

_UUID = re.compile(r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}")
_IDENTITY = re.compile(
    r"serialNumber|documentNamespace|creationInfo\.created|metadata\.timestamp"
    r"|annotations\[\d+\]\.(?:timestamp|annotationDate)|.*\.time(?:Start|End|Activated)"
)
"""Where CycloneDX and SPDX say which document it is, and when it was made."""


def _shows_backend(seen: Part, clues: CauseClues) -> bool:
    if isinstance(seen, FieldValues):
        return seen.field in _BACKENDS_OWN
    return by_nature(Nature.BACKEND_SPELLING)(seen, clues)


def _shows_target(seen: Part, clues: CauseClues) -> bool:
    if isinstance(seen, FieldValues):  # the tags of a wheel, which name the oldest release of macOS
        left, right = seen.left, seen.right
        return seen.field == "tag" and left != right and _MACOS.sub(b"", left) == _MACOS.sub(b"", right)
    return by_nature(Nature.DEPLOYMENT_TARGET)(seen, clues)


def _shows_spelling(seen: Part, _: CauseClues) -> bool:
    if not isinstance(seen, FieldValues) or seen.field not in FIELDS:
        return False
    return meaning(seen.field, seen.left) == meaning(seen.field, seen.right)


def _shows_toolchain(seen: Part, clues: CauseClues) -> bool:
    if isinstance(seen, PathPair):
        return are_of_compilers(seen.left, seen.right) or _are_of_one_tool(seen.left, seen.right)
    if isinstance(seen, SearchPaths):  # of Python itself, which gives it to all that is linked for it
        found = [path for side in seen.paths for path in side]
        own = [path for path in found if not is_search_path(path)]
        return bool(own) and all(_is_of_interpreter(path, clues) for path in own)
    if isinstance(seen, Libraries):
        return _are_of_the_runtime(*seen.names)
    if isinstance(seen, FieldValues):
        return seen.field == "tag" and are_tags_of_repairs(seen.left.split(b"\n"), seen.right.split(b"\n"))
    if isinstance(seen, LoneMember):
        # setuptools names the file for a namespace after the interpreter that it is built with.
        stem = _OF_NAMESPACE.sub("", seen.key)
        # First whether it is one: this is asked of each member that only one side has.
        return stem != seen.key and any(
            name != seen.key and name.startswith(stem) and _OF_NAMESPACE.sub("", name) == stem for name in clues.only
        )
    return by_nature(Nature.COMPILER)(seen, clues)


def _is_of_interpreter(path: str, clues: CauseClues) -> bool:
    """Return whether a search path is that of an installation of Python, by its form or as the builds are known."""
    known = {f"{build.interpreter}/{name}" for build in clues.builds if build.interpreter for name in ("lib", "lib64")}
    return len(path) <= _LONGEST and (path in known or _INTERPRETER.fullmatch(path) is not None)


def _are_of_one_tool(left: str, right: str) -> bool:
    """Return whether paths differ in the release of a tool: ``/lib/python3.11/`` and ``/lib/python3.12/``."""
    one, other = (_TOOL_WITH_VERSION.sub(r"\1", _STORED.sub(r"\1", path)) for path in (left, right))
    return one == other


def _are_of_the_runtime(left: Sequence[str], right: Sequence[str]) -> bool:
    """Return whether libraries that files need are the C library's and the compiler's, or other copies of the same."""
    one, other = (
        {name for name in map(without_digest, side) if not _RUNTIME.fullmatch(name)} for side in (left, right)
    )
    return one == other and not are_libraries(left, right)


def _shows_sbom_identity(seen: Part, _: CauseClues) -> bool:
    if not isinstance(seen, JsonValue) or not seen.is_sbom:
        return False
    left, right = (text.decode("utf-8", "replace") for text in (seen.left, seen.right))
    # References to the document (bom-ref, URLs) repeat its serial number anywhere.
    return bool(_IDENTITY.fullmatch(seen.path)) or (left != right and _UUID.sub("", left) == _UUID.sub("", right))


BACKEND_VERSION = Cause(
    "D015",
    "backend-version",
    "The files were made by different releases of the build backend, which write themselves down.",
    "Pin the backend, in pyproject.toml:\n\n    [build-system]\n"
    '    requires = ["setuptools==80.9.0"]  # the release to stay with\n\n'
    "or constrain it where you build: PIP_CONSTRAINT=constraints.txt python -m build.",
    _shows_backend,
    small="fields that the release of the backend decides on",
)

REQUIREMENT_SPELLING = Cause(
    "D032",
    "requirement-spelling",
    "The same requirements are spelled otherwise: names, blanks, quotes, the order of versions. They mean the same.",
    "Releases of build backends spell them as they like. Pin the backend, in pyproject.toml:\n\n    [build-system]\n"
    '    requires = ["setuptools==80.9.0"]  # the release to stay with\n\n'
    "and write requirements as new releases do: names in lower case with hyphens, no blanks around signs.",
    _shows_spelling,
    small="the spelling of requirements",
)

BUILD_ID = Cause(
    "D017",
    "build-id",
    "The linker's build id differs though nothing else in the file does: it was stripped or changed after linking.",
    'Strip when linking instead of later:\n\n    [tool.samebytes]\n    debug-info = "strip"\n\n'
    "or leave the id out: LDFLAGS=-Wl,--build-id=none.",
    by_nature(Nature.BUILD_ID),
)

SBOM_IDENTITY = Cause(
    "D018",
    "sbom-identity",
    "A software bill of materials carries a random serial number, or the time at which it was made.",
    f"{NORMALIZE}\nPass C001 derives the number from the contents and takes the time from the date given.",
    _shows_sbom_identity,
)

TOOLCHAIN_VERSION = Cause(
    "D023",
    "toolchain-version",
    "Different releases of a compiler, of a code generator or of Python made the files, and write themselves down. "
    "They make other code of one source; that code is not compared, but its texts and the functions of Python in it.",
    "Build with the same toolchain, such as one container image by its digest, and pin code generators:\n\n"
    '    [build-system]\n    requires = ["setuptools==80.9.0", "cython==3.1.4"]',
    _shows_toolchain,
)

CODE_SIGNATURE = Cause(
    "D025",
    "code-signature",
    "A file of macOS was signed by somebody else, at another time, or on one side only.",
    "Compare what was built before it is signed, or take the signatures off both sides; what the linker signs by "
    "itself (ad hoc) is the same for the same contents:\n\n    codesign --remove-signature FILE.so\n\n"
    "Signing changes files: sign before RECORD is written, and normalize after that.",
    by_nature(Nature.SIGNATURE),
)

DEPLOYMENT_TARGET = Cause(
    "D026",
    "deployment-target",
    "The files are for other oldest releases of macOS: by the environment, or by what Python itself was built for.",
    "Give one for all builds:\n\n    MACOSX_DEPLOYMENT_TARGET=11.0 python -m build\n\n"
    "Without it, the interpreter's own counts, so build with the same installation of Python.",
    _shows_target,
)
