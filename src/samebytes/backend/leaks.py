"""Searching what was built for what it should not hold: paths, names and the day of the build (D2)."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from ..archive.entry import Archive, Content, Kind

_GENERIC = re.compile("root|runner|localhost|builder|ubuntu|debian|docker|vagrant|jenkins|administrator", re.IGNORECASE)
_SHORTEST = 5  # what is shorter is found by chance in any large file
_MOST_SHOWN = 5
_LARGEST = 16 << 20  # bytes of a source file that is read for a date
_LEFT_BEHIND = re.compile(r"\.git/|build/|(?:.*/)?[^/]+\.egg-info/")
DATE = "today's date"

Thing = tuple[str, str]
"""What it is and how it is written; in what to search for, a text that all matches of the pattern have in them."""
Leaks = Mapping[Thing, list[str]]
Period = tuple[float, float]
"""From when until when, in seconds since 1970-01-01 UTC."""


def needles(paths: Mapping[str, Iterable[str]], names: Mapping[str, str]) -> dict[Thing, re.Pattern[bytes]]:
    """Return what to search for.

    :param paths: what each path is, with the forms it may be written in.
    :param names: what each name is ("user name", "host name"); short and generic ones are left out.
    """
    found = {(what, form): b"%b" for what, forms in paths.items() for form in forms}
    for what, name in names.items():
        if not _GENERIC.fullmatch(name):
            found[what, name] = rb"(?<![A-Za-z0-9])%b(?![A-Za-z0-9])"
    wanted = {thing: pattern % re.escape(os.fsencode(thing[1])) for thing, pattern in found.items()}
    return {thing: re.compile(pattern) for thing, pattern in wanted.items() if len(thing[1]) >= _SHORTEST}


def dates(built: Period, given: int | None) -> dict[Thing, re.Pattern[bytes]]:
    """Return what to search for to find the day of a build in the usual notations, and its second in digits.

    A day that *given* (SOURCE_DATE_EPOCH) lies in may be there. 2026.11.29 is not searched for: it is a version.
    """
    own = () if given is None else (time.gmtime(given)[:3], time.localtime(given)[:3])
    marks = {f"{at:.0f}"[:5] for at in built}
    patterns = [rf"{mark}\d{{5}}(?:\d{{3}}|\d{{6}}|\d{{9}})?" for mark in marks]
    for at in (zone(moment) for zone in (time.gmtime, time.localtime) for moment in built):
        m, d, hour = f"0?{at[1]}", f"0?{at[2]}", r"(?: \d\d?:\d\d(?::\d\d)?)?(?: [A-Z]{2,5})*"
        numbers = rf"%Y-%m-%d|%Y/{m}/{d}|%Y%m%d(?:\d{{4}}|\d{{6}})?|{d}[./-]{m}[./-]%Y|{m}/{d}/%Y"
        words = rf"{d}[ -](?:%b|%B),?[ -]%Y|(?:%b|%B) [ 0]?{at[2]}(?:,|{hour}) %Y|%a %b [ 0]?{at[2]}(?!{hour} \d{{4}})"
        if at[:3] not in own:
            patterns.append(time.strftime(f"{numbers}|{words}", at))
            marks.update(time.strftime(mark, at) for mark in ("%Y", "%a %b "))
    pattern = re.compile(rf"(?<!\d)(?:{'|'.join(dict.fromkeys(patterns))})(?!\d)".encode())
    return {(DATE, mark): pattern for mark in marks}


def search(archive: Archive, wanted: Mapping[Thing, re.Pattern[bytes]]) -> Leaks:
    """Return what leaked into the files of *archive*, as written there, with their names, in its order."""
    leaks: dict[Thing, list[str]] = {}
    for entry in archive.entries:
        for thing in sorted(set(_in(entry.content, wanted))) if entry.kind is Kind.FILE else ():
            leaks.setdefault(thing, []).append(entry.name)
    return leaks


def _in(content: Content, wanted: Mapping[Thing, re.Pattern[bytes]]) -> Iterator[Thing]:
    """Search *content* piece by piece; pieces overlap, so that nothing hides between two."""
    tail = b""
    for chunk in content.chunks():
        window = tail + chunk
        for (what, mark), pattern in wanted.items():
            if os.fsencode(mark) in window:  # far faster than any pattern
                yield from ((what, os.fsdecode(found[0])) for found in pattern.finditer(window))
        tail = window[-4096:]  # no path is longer (PATH_MAX), and so nothing that is searched for


def of_the_build(leaks: Leaks, built: Period, given: int | None, name: str, tree: Path) -> Leaks:
    """Return *leaks* without dates that are the version's (in the file's *name*) or in the source *tree*.

    Source is what is older than the build, and is not what backends leave behind.
    """
    left = {text for what, text in leaks if what == DATE and text not in name.partition("+")[0]}
    # A second has 10 digits, and may have smaller units behind it; a day has 8, 12 or 14.
    seconds = {text: int(text[:10]) for text in left if text.isdigit() and len(text) % 3 == 1}
    left -= {text for text, second in seconds.items() if second == given or not int(built[0]) <= second <= built[1]}
    days = left - seconds.keys()  # no older file has a second of the build
    for path in (Path(place, name) for place, _, names in (os.walk(tree) if days else ()) for name in names):
        with suppress(OSError):  # what cannot be read is no reason for a build to fail
            if days and path.is_file() and not _LEFT_BEHIND.match(path.relative_to(tree).as_posix()):
                data = path.read_bytes() if path.stat().st_mtime < built[0] and path.stat().st_size <= _LARGEST else b""
                days -= {text for text in days if os.fsencode(text) in data}
    left &= {*days, *seconds}
    return {thing: members for thing, members in leaks.items() if thing[0] != DATE or thing[1] in left}


def warnings(leaks: Leaks) -> list[str]:
    """Return one line for each thing that leaked, with the files it is in; one for all dates."""
    lines: list[str] = []
    dated: dict[str, list[str]] = {}
    for (what, text), members in leaks.items():
        if what != DATE:
            lines.append(f"the {what} {text!r} is in {listed(members)}: the result depends on it")
        for member in members if what == DATE else ():
            dated.setdefault(member, []).append(repr(text))
    where = listed([f"{member} ({listed(texts)})" for member, texts in dated.items()])
    advice = "SOURCE_DATE_EPOCH or [tool.samebytes] source-date-epoch, and let what writes it take that, not the clock"
    return [*lines, f"{DATE} is in {where}: the result depends on it; give {advice}"] if dated else lines


def listed(items: Sequence[str], separator: str = ", ") -> str:
    """Return the first *items*, and how many more there are."""
    return separator.join(items[:_MOST_SHOWN]) + f" and {len(items) - _MOST_SHOWN} more" * (len(items) > _MOST_SHOWN)
