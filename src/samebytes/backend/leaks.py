"""Searching what was built for what it should not hold: the build's paths, the user's and the machine's name (D2)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ..archive.entry import Archive, Content, Kind

_GENERIC = frozenset({"root", "runner", "localhost", "builder", "ubuntu", "debian", "docker", "vagrant", "jenkins"})
_SHORTEST = 5
_MOST_FILES = 5


Wanted = Mapping["tuple[str, str]", "re.Pattern[bytes]"]
"""What it is and what it is called, with the pattern that finds it."""


class Leak(NamedTuple):
    """One thing of the machine that is in a file."""

    what: str
    needle: str
    member: str


def needles(paths: Mapping[str, Iterable[str]], names: Mapping[str, str]) -> Wanted:
    """Return what to search for.

    :param paths: what each path is, with the forms it may be written in.
    :param names: what each name is ("user name", "host name"); short and generic ones are left out.
    """
    found: dict[tuple[str, str], re.Pattern[bytes]] = {}
    for what, forms in paths.items():
        for form in forms:
            if len(form) >= _SHORTEST:
                found[what, form] = re.compile(re.escape(form.encode("utf-8", "surrogateescape")))
    for what, name in names.items():
        if len(name) >= _SHORTEST and name.lower() not in _GENERIC:
            word = re.escape(name.encode("utf-8", "surrogateescape"))
            found[what, name] = re.compile(rb"(?<![A-Za-z0-9])" + word + rb"(?![A-Za-z0-9])")
    return found


def search(archive: Archive, wanted: Wanted) -> list[Leak]:
    """Return every leak in the files of *archive*, in its order."""
    leaks = []
    for entry in archive.entries:
        if entry.kind is Kind.FILE:
            leaks += [Leak(what, needle, entry.name) for what, needle in _in(entry.content, wanted)]
    return leaks


def _in(content: Content, wanted: Wanted) -> list[tuple[str, str]]:
    """Search *content* piece by piece; pieces overlap, so that nothing hides between two."""
    left = dict(wanted)
    tail = b""
    for chunk in content.chunks():
        window = tail + chunk
        for what in [what for what, pattern in left.items() if pattern.search(window)]:
            del left[what]
        tail = window[-4096:]
    return [what for what in wanted if what not in left]


def warnings(leaks: Iterable[Leak]) -> list[str]:
    """Return one line for each thing that leaked, with the files it is in."""
    files: dict[tuple[str, str], list[str]] = {}
    for leak in leaks:
        files.setdefault((leak.what, leak.needle), []).append(leak.member)
    lines = []
    for (what, needle), members in files.items():
        shown = ", ".join(members[:_MOST_FILES])
        more = f" and {len(members) - _MOST_FILES} more" if len(members) > _MOST_FILES else ""
        lines.append(f"the {what} {needle!r} is in {shown}{more}: the result depends on it")
    return lines
