"""Where each page of the site lies: names that every file system and every server takes, and links between them."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import quote

from ....comparison.causes.table import by_code

DATA = "packages/data.js"
"""All packages for the script that filters them."""

MARKER = "samebytes-survey-site.json"
"""The file by which a directory is known to be a survey's site, to be replaced at will."""

_PLAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,98}[a-z0-9])?")
_DEVICE = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]")
"""Names that Windows keeps for itself, whatever follows their dot."""


def stem(name: str) -> str:
    """Return the file name, less its suffix, for a package: its own name if that is a normalized one (PEP 503).

    Any other is named by its digest, after an underscore, which no normalized name has: so no two share a file.
    """
    if _PLAIN.fullmatch(name) and not _DEVICE.fullmatch(name):
        return name
    return "_" + hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def package(name: str) -> str:
    """Return where a package's page lies, less its suffix."""
    return f"package/{stem(name)}"


def badge(name: str) -> str:
    """Return where a package's badge lies."""
    return f"badge/{stem(name)}.svg"


def rebuilt(name: str) -> str:
    """Return where the page of a package's published files lies, and its badge, less their suffixes."""
    return f"rebuilt/{stem(name)}"


def record(name: str, number: int) -> str:
    """Return where the record of the rebuild of a package's file *number* lies."""
    # No stem has an underscore but at its beginning, so that no two share a file.
    return f"record/{stem(name)}_{number}.json"


def published(number: int = 1) -> str:
    """Return where the page *number* of all packages with published files lies, less its suffix."""
    return f"published/{number}"


def cause_stem(code: str) -> str:
    """Return a cause's code and name, as its pages are called; a code of a newer samebytes stands for itself."""
    try:
        return f"{code}-{by_code(code).name}"
    except KeyError:
        return stem(code.lower())


def cause(code: str, number: int = 1) -> str:
    """Return where the page *number* of a cause lies, less its suffix."""
    return f"cause/{cause_stem(code)}" + (f"-{number}" if number > 1 else "")


def listing(order: str, number: int = 1) -> str:
    """Return where the page *number* of the packages in an *order* lies, less its suffix."""
    return f"packages/{order}-{number}"


def absolute(base: str, path: str) -> str:
    """Return *path* below the site's own address."""
    return f"{base.rstrip('/')}/{quote(path)}"
