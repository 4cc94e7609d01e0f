"""Searching what was built for what it should not hold: the build's paths, the user's and the machine's name (D2)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ..archive.entry import Archive, Content, Kind

_GENERIC = re.compile("root|runner|localhost|builder|ubuntu|debian|docker|vagrant|jenkins|administrator", re.IGNORECASE)
_SHORTEST = 5  # what is shorter is found by chance in any large file
_MOST_FILES = 5

Thing = tuple[str, str]
"""What it is and what it is called."""


def needles(paths: Mapping[str, Iterable[str]], names: Mapping[str, str]) -> dict[Thing, re.Pattern[bytes]]:
    """Return what to search for.

    :param paths: what each path is, with the forms it may be written in.
    :param names: what each name is ("user name", "host name"); short and generic ones are left out.
    """
    found: dict[Thing, re.Pattern[bytes]] = {}
    for what, forms in paths.items():
        for form in forms:
            if len(form) >= _SHORTEST:
                found[what, form] = re.compile(re.escape(form.encode("utf-8", "surrogateescape")))
    for what, name in names.items():
        if len(name) >= _SHORTEST and not _GENERIC.fullmatch(name):
            word = re.escape(name.encode("utf-8", "surrogateescape"))
            found[what, name] = re.compile(rb"(?<![A-Za-z0-9])" + word + rb"(?![A-Za-z0-9])")
    return found


def search(archive: Archive, wanted: Mapping[Thing, re.Pattern[bytes]]) -> dict[Thing, list[str]]:
    """Return what leaked into the files of *archive*, with their names, in its order."""
    leaks: dict[Thing, list[str]] = {}
    for entry in archive.entries:
        for thing in _in(entry.content, wanted) if entry.kind is Kind.FILE else ():
            leaks.setdefault(thing, []).append(entry.name)
    return leaks


def _in(content: Content, wanted: Mapping[Thing, re.Pattern[bytes]]) -> list[Thing]:
    """Search *content* piece by piece; pieces overlap, so that nothing hides between two."""
    left = dict(wanted)
    tail = b""
    for chunk in content.chunks():
        window = tail + chunk
        for what in [what for what, pattern in left.items() if pattern.search(window)]:
            del left[what]
        tail = window[-4096:]  # no path is longer (PATH_MAX), and so no needle
    return [what for what in wanted if what not in left]


def warnings(leaks: Mapping[Thing, list[str]]) -> list[str]:
    """Return one line for each thing that leaked, with the files it is in."""
    lines = []
    for (what, needle), members in leaks.items():
        shown = ", ".join(members[:_MOST_FILES])
        more = f" and {len(members) - _MOST_FILES} more" if len(members) > _MOST_FILES else ""
        lines.append(f"the {what} {needle!r} is in {shown}{more}: the result depends on it")
    return lines
