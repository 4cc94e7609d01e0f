"""Why two builds differ: each cause with a stable code, and a remedy that a maintainer can paste."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ALL", "UNKNOWN", "Cause", "by_code"]


@dataclass(frozen=True)
class Cause:
    """One reason why builds of the same source differ."""

    code: str
    """Stable: D and three digits."""
    name: str
    """In words with hyphens, for people and for links."""
    explanation: str
    """A sentence or two."""
    remedy: str
    """What to do about it, with lines to paste where there are some."""


_NORMALIZE = "Normalize what you publish:\n\n    samebytes normalize dist/*\n"

_WRAP = """Let samebytes call your build backend, in pyproject.toml:

    [build-system]
    requires = ["setuptools>=77", "samebytes"]  # yours, and samebytes
    build-backend = "samebytes.backend"

    [tool.samebytes]
    build-backend = "setuptools.build_meta"  # yours

(or run "samebytes wrap", which writes that)."""

ALL: tuple[Cause, ...] = (
    Cause(
        "D001",
        "build-path",
        "The directory in which the source or the build environment lay is written into the result.",
        "Build in a fixed place, which maps compilers' paths too:\n\n    samebytes build\n\n"
        'or in pyproject.toml, with build-backend = "samebytes.backend":\n\n'
        "    [tool.samebytes]\n    fixed-paths = true\n\n"
        "With a compiler alone: CPPFLAGS=-ffile-prefix-map=$PWD=. for gcc and clang, RUSTFLAGS=--remap-path-prefix. In "
        "code that writes files, write paths relative to the project.",
    ),
    Cause(
        "D002",
        "temporary-directory",
        "The name of a temporary directory or file, which is random, is written into the result.",
        f"{_WRAP} It gives the backend names of temporary files that do not change. For build environments with random "
        "names (pip's and build's):\n\n    [tool.samebytes]\n    fixed-paths = true\n\n"
        "or build by:\n\n    samebytes build",
    ),
    Cause(
        "D003",
        "user-name",
        "The name of the user who built it is written into the result.",
        "Take getpass.getuser(), os.getlogin() and $USER out of what is written at build time. If the name is part of "
        "a path such as /home/NAME, a fixed place cures it:\n\n    samebytes build",
    ),
    Cause(
        "D004",
        "host-name",
        "The name of the machine on which it was built is written into the result.",
        "Take platform.node(), socket.gethostname() and uname out of what is written at build time.",
    ),
    Cause(
        "D005",
        "date-or-time",
        "The date or time of the build is written into the result.",
        "Use the date that the environment gives, not the clock:\n\n"
        "    import os, time\n"
        '    now = int(os.environ.get("SOURCE_DATE_EPOCH", time.time()))\n\n'
        "and give one for all builds:\n\n"
        "    [tool.samebytes]\n"
        '    source-date-epoch = "vcs"  # or seconds\n\n'
        "gcc and clang take __DATE__ and __TIME__ from SOURCE_DATE_EPOCH as well.",
    ),
    Cause(
        "D006",
        "locale",
        "Texts are in the language or the notation of the builder's locale.",
        f'{_WRAP} It pins LC_ALL to C.UTF-8; take "LC_ALL" out of inherit in [tool.samebytes]. Without it:\n\n'
        "    LC_ALL=C.UTF-8 python -m build",
    ),
    Cause(
        "D007",
        "time-zone",
        "The same moment is written in the builder's local time.",
        f'{_WRAP} It pins TZ to UTC; take "TZ" out of inherit in [tool.samebytes]. Without it:\n\n'
        "    TZ=UTC python -m build\n\nIn code, use time.gmtime() or datetime.now(timezone.utc).",
    ),
    Cause(
        "D008",
        "hash-seed-order",
        "The same elements are in another order, as those of a set are with another hash seed.",
        "Sort where it is written: sorted(names) instead of a set. Until then let samebytes call your build backend "
        '(build-backend = "samebytes.backend"), which pins the seed, or:\n\n    PYTHONHASHSEED=0 python -m build\n\n'
        'For Requires-Dist, Provides-Extra and Classifier lines of a finished file: enable = ["W100"] in '
        "[tool.samebytes], or samebytes normalize --enable W100.",
    ),
    Cause(
        "D009",
        "directory-order",
        "Files come in the order in which a file system listed them.",
        f"{_NORMALIZE}\nWhere the list is in a file of your own, sort it: sorted(os.listdir(path)), "
        "sorted(glob.glob(pattern)), and names.sort() in os.walk.",
    ),
    Cause(
        "D010",
        "umask",
        "Permission bits follow the builder's umask.",
        f"{_NORMALIZE}\nor build by samebytes.backend, which pins it, or:\n\n    umask 022; python -m build",
    ),
    Cause(
        "D011",
        "member-times",
        "Files carry the times of a checkout, a copy or the build.",
        f"{_NORMALIZE}\nMany backends also take one date for all files:\n\n"
        "    SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) python -m build\n\n"
        "For .pyc files: python -m compileall --invalidation-mode checked-hash.",
    ),
    Cause(
        "D012",
        "owner",
        "Members carry the number or the name of the user and group who built the archive.",
        f"{_NORMALIZE}\nor build the sdist by samebytes.backend. With tar itself: --owner=0 --group=0 --numeric-owner.",
    ),
    Cause(
        "D013",
        "compressor",
        "The same contents were compressed by another library, release or level.",
        f"{_NORMALIZE}\nIt compresses to one stream whatever zlib is there; samebytes doctor says which is.",
    ),
    Cause(
        "D014",
        "line-endings",
        "Lines end by CRLF on one side and by LF on the other.",
        "Keep one kind in the checkout, in .gitattributes:\n\n    * text=auto eol=lf\n\n"
        'and write text files by open(path, "w", newline="\\n").',
    ),
    Cause(
        "D015",
        "backend-version",
        "The files were made by different releases of the build backend, which write themselves down.",
        "Pin the backend, in pyproject.toml:\n\n    [build-system]\n"
        '    requires = ["setuptools==80.9.0"]  # the release to stay with\n\n'
        "or constrain it where you build: PIP_CONSTRAINT=constraints.txt python -m build.",
    ),
    Cause(
        "D016",
        "vcs-version",
        "The version, or a file that tells it, comes from the state of the checkout: a commit, or changes to it.",
        "Build from a clean checkout of the tag, with its history (git fetch --tags --unshallow; git status --short "
        "must be empty). To give the version by hand, for setuptools-scm and hatch-vcs:\n\n"
        "    SETUPTOOLS_SCM_PRETEND_VERSION=1.0 python -m build\n\nWithout the day in local versions:\n\n"
        '    [tool.setuptools_scm]\n    local_scheme = "no-local-version"',
    ),
    Cause(
        "D017",
        "build-id",
        "The linker's build id differs though nothing else in the file does: it was stripped or changed after linking.",
        'Strip when linking instead of later:\n\n    [tool.samebytes]\n    debug-info = "strip"\n\n'
        "or leave the id out: LDFLAGS=-Wl,--build-id=none.",
    ),
    Cause(
        "D018",
        "sbom-identity",
        "A software bill of materials carries a random serial number, or the time at which it was made.",
        f"{_NORMALIZE}\nPass C001 derives the number from the contents and takes the time from the date given.",
    ),
    Cause(
        "D019",
        "container-writer",
        "The tools that wrote the archives left different headers, attributes or paddings behind.",
        _NORMALIZE,
    ),
    Cause(
        "D020",
        "leftover-files",
        "Files of an earlier build (build/, dist/, *.egg-info, __pycache__) were taken in.",
        "Build from a clean tree:\n\n    git clean -dfx build dist '*.egg-info'\n\n"
        "and leave them out for good, in MANIFEST.in:\n\n    prune build\n    prune dist\n    global-exclude *.py[cod]",
    ),
    Cause(
        "D021",
        "processors",
        "The number of processors or of parallel jobs is written into the result.",
        "Take os.cpu_count() and MAKEFLAGS out of what is written at build time, or give one number for all builds:\n\n"
        "    MAX_JOBS=1 CMAKE_BUILD_PARALLEL_LEVEL=1 python -m build",
    ),
    Cause(
        "D022",
        "wrong-record",
        "RECORD does not agree with the files of its wheel: it was changed after it was built, or the builder erred.",
        "Do not trust it before you know why. Build or fetch the wheel again; if you trust its files:\n\n"
        "    samebytes normalize --rebuild-record FILE",
    ),
    Cause(
        "D023",
        "toolchain-version",
        "Different releases of a compiler, of a code generator or of Python made the files, and write themselves down.",
        "Build with the same toolchain, such as one container image by its digest, and pin code generators:\n\n"
        '    [build-system]\n    requires = ["setuptools==80.9.0", "cython==3.1.4"]',
    ),
    Cause(
        "D024",
        "repaired-wheel",
        "One wheel is as the backend made it, the other went through a tool that makes it fit for many systems.",
        "Compare both before or both after that. For Linux, auditwheel says what a wheel needs and repairs it:\n\n"
        "    auditwheel repair dist/*.whl\n\nFor equal bytes use the same release of it, in the same image "
        "(manylinux, musllinux).",
    ),
    Cause(
        "D099",
        "unknown",
        "Nothing in the bytes tells why they differ: the source may have changed, or a cause that is not known yet.",
        "Look at what differs. If the sources are the same, samebytes check --bisect finds which circumstance "
        "decides it.",
    ),
)
"""Every cause, in the codes' order."""

UNKNOWN = "D099"
"""The code where the bytes do not tell."""


def by_code(code: str) -> Cause:
    """Return the cause with *code*.

    :raises KeyError: if there is none.
    """
    return _BY_CODE[code]


_BY_CODE = {cause.code: cause for cause in ALL}
