"""The programs that samebytes can use without depending on them, and the packages that bring them."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple


class Program(NamedTuple):
    """A program, or a library that is preloaded."""

    name: str
    package: str
    """What Debian and Fedora call the package, both."""
    use: str


ALL = (
    Program("git", "git", "dates and sources from repositories"),
    Program("cc", "gcc", "what is compiled; sleeping while the clock is moved"),
    Program("libfaketime", "libfaketime", "another clock in the second build of a check"),
    Program("disorderfs", "disorderfs", "the order of files, where a file system has its own"),
    Program("bwrap", "bubblewrap", "the sandbox of surveys"),
    Program("diffoscope", "diffoscope", "compare --diffoscope"),
)

_ELSEWHERE = {
    "darwin": {**dict.fromkeys(("git", "cc"), "xcode-select --install"), "diffoscope": "brew install diffoscope"},
    "win32": {"git": "install Git for Windows"},
}
"""How to get programs where no packages have those names; those that are not listed do not run there."""


def find(name: str, environ: Mapping[str, str]) -> Path | None:
    """Return where the program *name* of ALL is, as ``PATH`` in *environ* has it; None where it is not.

    libfaketime is looked for where distributions and pip put it, or is what the variable LIBFAKETIME names.
    """
    if name != "libfaketime":
        found = shutil.which(name, path=environ.get("PATH", ""))  # with None, it would take the PATH of this process
        return Path(found).absolute() if found else None  # PATH may have relative places, and builds run elsewhere
    # Fedora has it in lib64, Debian in the directory of the architecture.
    places = [*map(Path, ("/usr/lib/faketime", "/usr/lib64/faketime")), *sorted(Path("/usr/lib").glob("*/faketime"))]
    places += [Path(place, "libfaketime/vendor/libfaketime/src") for place in sys.path if place]
    files = [Path(named)] if (named := environ.get("LIBFAKETIME")) else [each / "libfaketime.so.1" for each in places]
    return next(filter(Path.is_file, files), None)


def missing(name: str) -> str:
    """Return the message that the program *name* of ALL is not installed, with what to do about it."""
    advice = _ELSEWHERE.get(sys.platform, {program.name: f"install the package {program.package}" for program in ALL})
    return f"{name} is not installed ({advice.get(name, f'there is none for {sys.platform}')})"
