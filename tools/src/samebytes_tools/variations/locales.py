"""Another locale for the second build: of those that are installed, the one that is most unlike the first build's."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence

FIRST = "C.UTF-8"

_TRAITS = """
import json, locale, sys

def traits(name):
    try:
        locale.setlocale(locale.LC_ALL, name)
    except locale.Error:
        return None
    order = sorted(["a", "B", "_c", "Z", "z"], key=locale.strxfrm)
    point = locale.localeconv()["decimal_point"]
    return [point, order, locale.nl_langinfo(locale.CODESET), locale.nl_langinfo(locale.DAY_1)]

print(json.dumps({name: traits(name) for name in sys.argv[1:]}))
"""
"""Prints of each locale its decimal point, how it sorts, its encoding and its word for Sunday; null if it is broken."""

_MOSTLY_TRANSLATED = ("de", "fr", "es")
_TRIED = 40
_ANY_BYTE = ("ISO-8859-1", "ISO-8859-15")
"""Encodings in which every byte is a character, so that few builds fail for the encoding alone."""


@functools.lru_cache(maxsize=1)
def other_locale() -> str:
    """Return the installed locale that is most unlike C.UTF-8; plain C where none is unlike it."""
    listed = _output_of(["locale", "-a"]).decode("ascii", "replace").split()
    names = [name for name in listed if name.lower() not in {"c", "posix", "c.utf8", "c.utf-8"}]
    # Of all that there are, which may be 500, those that would be taken, for each is read from a disk.
    tried = sorted(names, key=lambda name: (not name.startswith(_MOSTLY_TRANSLATED), name))[:_TRIED]
    # In a process of its own, as a locale is one of all threads.
    found = _output_of([sys.executable, "-I", "-S", "-c", _TRAITS, FIRST, "C", *tried]) if tried else b""
    return most_unlike(json.loads(found)) if found else "C"


def most_unlike(traits: Mapping[str, Sequence[object] | None]) -> str:
    """Return the locale that differs in most of its *traits* from C.UTF-8; plain C where none differs in any."""
    first = traits.get(FIRST) or [".", ["B", "Z", "_c", "a", "z"], "UTF-8", "Sunday"]

    def rank(name: str) -> tuple[int, bool, bool]:
        own = traits[name] or first
        differ = sum(one != other for one, other in zip(own, first))
        return differ, own[2] in _ANY_BYTE, name.startswith(_MOSTLY_TRANSLATED)

    # The first of the best by name, so that two machines with the same locales take the same.
    best = max(sorted(traits.keys() - {FIRST, "C"}), key=rank, default="C")
    return best if best != "C" and rank(best)[0] else "C"


def _output_of(command: list[str]) -> bytes:
    """Return what *command* prints; nothing if it fails, or is not there."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except OSError:
        return b""
    return b"" if done.returncode else done.stdout
