"""What is to be examined: names, lists of them in files, and the most downloaded."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from importlib import resources

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from samebytes.errors import UsageError

from ...index.releases import NAME
from .model import Target

_FORMAT = "A list has a name, or NAME==VERSION, a line; what follows a # is a comment."


def from_line(text: str, where: str) -> Target:
    """Return the target that *text* is: ``NAME`` or ``NAME==VERSION``.

    :param where: where it stands, for the error.
    :raises UsageError: if it is neither.
    """
    found = NAME.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"{where}: {text.strip()!r} is neither NAME nor NAME==VERSION", remedy=_FORMAT)
    version = found["version"] or ""
    try:
        return Target(canonicalize_name(found["name"]), str(Version(version)) if version else "")
    except InvalidVersion:
        raise UsageError(f"{where}: {version!r} is not a version (PEP 440)", remedy=_FORMAT) from None


def from_lines(text: str, where: str) -> Iterator[Target]:
    """Yield the targets of a list, one a line; *where* is its name.

    :raises UsageError: if a line has none.
    """
    for number, line in enumerate(text.splitlines(), start=1):
        target = line.partition("#")[0].strip()
        if target:
            yield from_line(target, f"{where}, line {number}")


def bundled() -> list[str]:
    """Return the names of the 1,000 most downloaded projects of the list that samebytes brings, most first."""
    text = resources.files("samebytes_tools.commands.survey").joinpath("top-1000.txt").read_text(encoding="utf-8")
    return [target.name for target in from_lines(text, "top-1000.txt")]


def ranked(text: str, where: str) -> list[str]:
    """Return the names of a list in the JSON format of top-pypi-packages, most downloaded first; *where* is its name.

    :raises UsageError: if it is not such a list.
    """
    remedy = "Take a list of the project top-pypi-packages: it has an object with rows, each with a project."
    try:
        document = json.loads(text)
        projects = [str(row["project"]) for row in document["rows"]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        what = f"{type(error).__name__}: {error}"
        raise UsageError(f"{where} is not a list of the most downloaded: {what}", remedy=remedy) from None
    # Each checked, as a list may come from anywhere.
    return [from_line(project, f"{where}, row {number}").name for number, project in enumerate(projects, start=1)]


def ranks(names: Iterable[str]) -> dict[str, int]:
    """Return the place of each of *names*, from 1."""
    return {name: place for place, name in enumerate(names, start=1)}


def top(names: list[str], number: int, where: str) -> list[Target]:
    """Return the first *number* of *names*.

    :raises UsageError: if there are not so many.
    """
    if number > len(names):
        raise UsageError(
            f"{where} has {len(names):,} projects, not {number:,}", remedy="Name a longer list with --top-file."
        )
    return [Target(name) for name in names[:number]]


def placed(targets: Iterable[Target], places: Mapping[str, int]) -> list[Target]:
    """Return *targets*, each once, with their places in the list of the most downloaded."""
    # Ranks first: the same target, named and in the list, is one then.
    return list(dict.fromkeys(replace(target, rank=places.get(target.name)) for target in targets))
