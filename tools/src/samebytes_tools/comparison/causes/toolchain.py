"""What tools write of themselves into what they make: backends, compilers, linkers, makers of SBOMs."""

from __future__ import annotations

import re

from ..observations import FieldValues, JsonValue, Nature, Part, PathPair
from .cause import NORMALIZE, Cause, CauseClues, by_nature

__all__ = ["BACKEND_VERSION", "BUILD_ID", "SBOM_IDENTITY", "TOOLCHAIN_VERSION"]

_BACKENDS_OWN = frozenset({"generator", "metadata-version", "wheel-version"})
"""Fields of METADATA and WHEEL that a backend fills in by itself."""

_TOOL_WITH_VERSION = re.compile(
    r"((?:python|pypy|gcc|clang|llvm|rust|numpy|pybind11|cython)\D{0,4})\d+(?:\.\d+)*(?=[-/\\]|\Z)", re.IGNORECASE
)

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


def _shows_toolchain(seen: Part, clues: CauseClues) -> bool:
    if isinstance(seen, PathPair):  # ".../lib/python3.11/..." and ".../lib/python3.12/..."
        one, other = (_TOOL_WITH_VERSION.sub(r"\1", path) for path in (seen.left, seen.right))
        return one == other
    return by_nature(Nature.COMPILER)(seen, clues)


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
    "Different releases of a compiler, of a code generator or of Python made the files, and write themselves down.",
    "Build with the same toolchain, such as one container image by its digest, and pin code generators:\n\n"
    '    [build-system]\n    requires = ["setuptools==80.9.0", "cython==3.1.4"]',
    _shows_toolchain,
)
