"""Which file of a release is verified: the one that pip would take here, or one that is asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Callable

from packaging.tags import Tag
from packaging.utils import parse_wheel_filename

from samebytes.artifact.layout import ArtifactKind, parse_wheel_name
from samebytes.errors import ArchiveError, UsageError

from ..building.interpreters import Python, tags_of
from ..index.pages import File
from ..index.releases import by_preference, form_of, is_for

_SHOWN = 8
"""How many names an error lists."""


@dataclass(frozen=True)
class Selection:
    """What is asked of a file, beyond its release."""

    kind: ArtifactKind | None = None
    """None for a wheel if pip would take one."""
    file: str = ""
    """Its name; empty for whichever."""
    tag: str = ""
    """One that a wheel must have, such as ``cp312-cp312-*``: the pattern of a shell."""
    tags: frozenset[str] = frozenset()
    """All tags that a wheel must have; empty for whichever."""
    hashes: frozenset[str] = frozenset()
    """``ALGORITHM:DIGEST`` of the files that count; empty for all."""
    likely: frozenset[str] = frozenset()
    """Names of files, one of which is taken if nothing else is asked for: those that a record is of."""


def select(files: Sequence[File], selection: Selection, target: str, python: Callable[[], Python]) -> tuple[File, str]:
    """Return the file to verify among those of a release, and why it is this one; nothing if there is no other.

    Unless one is asked for, it is the file that pip takes for *python*: of what its tags and Requires-Python allow,
    one that is not yanked, then the one whose tag is supported best, then the one with the highest build number (pip's
    ``CandidateEvaluator``).

    :raises ArchiveError: if no file has one of the hashes.
    :raises UsageError: if there is no such file.
    """
    found = with_hashes(files, selection, target)
    if selection.file:
        return _comparable(_named(found, selection.file, target)), ""
    if selection.tags:
        return _with_tags(found, selection.tags, target), ""
    if selection.tag:
        found = _tagged(found, selection.tag, target)
    for file in found:
        if file.name in selection.likely and not (selection.tag or selection.kind):
            return file, ""
    wheels = [file for file in found if file.name.endswith(".whl")] if selection.kind != ArtifactKind.SDIST else []
    sdists = [file for file in found if form_of(file.name)] if selection.kind != ArtifactKind.WHEEL else []
    # The interpreter is only looked for where it decides.
    sdists = by_preference(sdists, python().version) if len(sdists) > 1 else sdists
    if not wheels and sdists:
        return _sdist(sdists, "" if selection.kind else "the release has no wheel")
    return _best(wheels, sdists, target, python(), is_tagged=bool(selection.tag))


def _best(
    wheels: Sequence[File], sdists: Sequence[File], target: str, python: Python, *, is_tagged: bool
) -> tuple[File, str]:
    found = fitting(wheels, python)
    # pip leaves the others out; with one of them, another Python of this machine may do.
    found = [file for file in found if is_for(file, python.version)] or found
    here = f"{python.implementation} {python.short}"
    if found:
        one = f"the one of its {len(wheels)} wheels that fits"
        which = one if len(found) == 1 else f"pip's choice of {len(found)} that fit"
        return found[0], f"{which} {here} here" if len(wheels) > 1 else ""
    if sdists:
        return _sdist(sdists, f"none of its {len(wheels)} wheels fits {here} here, so pip takes this")
    if not wheels:
        raise UsageError(f"{target} has no file of that kind", remedy="Leave --sdist or --wheel away, or use --all.")
    # Nothing that pip would take, but somebody asked for it: another Python of this machine may rebuild it.
    if is_tagged:
        return wheels[0], ""
    raise UsageError(
        f"{target}: none of its wheels fits {here} here: {few(file.name for file in wheels)}",
        remedy="Name one with --file, or verify all with --all.",
    )


def _sdist(sdists: Sequence[File], why: str) -> tuple[File, str]:
    """Return the first of *sdists* that can be compared, and *why*; if pip takes another, that."""
    found = next(filter(is_comparable, sdists), sdists[0])
    return _comparable(found), why if found is sdists[0] else f"pip takes {sdists[0].name}, which cannot be compared"


def is_comparable(file: File) -> bool:
    """Return whether *file*, a wheel or sdist, is of a form that has a canonical one."""
    return form_of(file.name) in ("", ".tar.gz")


def _comparable(file: File) -> File:
    if is_comparable(file):
        return file
    raise UsageError(
        f"{file.name}: sdists in {form_of(file.name)} form cannot be verified, for they have no canonical form",
        remedy="It is taken as the source of the release's wheels: name one of these with --file, or use --all.",
    )


def fitting(wheels: Sequence[File], python: Python) -> list[File]:
    """Return those of *wheels* that *python* can install by their tags, the one first that pip would take."""
    order = {tag: number for number, tag in enumerate(tags_of(python.executable))}
    found = [file for file in wheels if _rank(file, order) < len(order)]
    # Of equals, pip takes the last on the index's page.
    found.reverse()
    found.sort(key=lambda file: (file.yanked is None, -_rank(file, order), _build_number(file)), reverse=True)
    return found


def with_hashes(files: Sequence[File], selection: Selection, target: str) -> list[File]:
    """Return those of *files* that may have one of the selection's hashes, by what the index says of them.

    :raises ArchiveError: if there is none.
    """
    found = [file for file in files if may_have(file, selection.hashes)]
    if not found:
        raise ArchiveError(
            f"{target}: no file of the release in the index has a hash that is locked",
            remedy="Do not install it before you know who changed it: the index, or the lock file.",
        )
    return found


def may_have(file: File, hashes: frozenset[str]) -> bool:
    """Return whether *file* may have one of *hashes*, by what its index says of it; any if there are none."""
    algorithms = {one.partition(":")[0] for one in hashes}
    known = {f"{name}:{digest}" for name, digest in file.hashes.items() if name in algorithms}
    # Without one to compare, the download decides.
    return not hashes or not known or bool(known & hashes)


def demand_hashes(path: Path, selection: Selection) -> None:
    """Check the downloaded file *path* against the selection's hashes.

    :raises ArchiveError: if it has none of them.
    """
    states = {name: hashlib.new(name) for name in {one.partition(":")[0] for one in selection.hashes}}
    with path.open("rb") as file:
        for chunk in iter(lambda: file.read(1 << 20), b""):
            for state in states.values():
                state.update(chunk)
    if states and not selection.hashes & {f"{name}:{state.hexdigest()}" for name, state in states.items()}:
        raise ArchiveError(
            f"{path.name} has none of the hashes that are locked",
            remedy="Do not install it before you know who changed it: the index, or the lock file.",
        )


def _named(files: Sequence[File], name: str, target: str) -> File:
    for file in files:
        if file.name == name:
            return file
    near = get_close_matches(name, [file.name for file in files], n=_SHOWN) or [file.name for file in files]
    raise UsageError(f"{target} has no file {name}", remedy=f"It has {few(near)}.")


def few(names: Iterable[str]) -> str:
    """Return *names* for a message, some of them if there are many."""
    every = list(names)
    more = f" and {len(every) - _SHOWN} more" if len(every) > _SHOWN else ""
    return ", ".join(every[:_SHOWN]) + more


def _tagged(files: Sequence[File], tag: str, target: str) -> list[File]:
    wheels = [file for file in files if file.name.endswith(".whl")]
    found = [file for file in wheels if any(fnmatchcase(str(one), tag) for one in _tags(file))]
    if not found:
        # Of many wheels, what they are for says enough: cp39, cp310, py3.
        tags = [parse_wheel_name(file.name).tags for file in wheels]
        shown = few(sorted(tags if len(tags) <= _SHOWN else {one.partition("-")[0] for one in tags}))
        raise UsageError(f"{target} has no wheel with the tag {tag}", remedy=f"It has {shown or 'no wheel'}.")
    return found


def _with_tags(files: Sequence[File], tags: frozenset[str], target: str) -> File:
    wheels = [file for file in files if file.name.endswith(".whl")]
    # Some WHEEL name fewer tags than the file name; what is installed is held against the wheel's files anyway.
    for is_it in (tags.__eq__, tags.intersection):
        for file in wheels:
            if is_it(frozenset(map(str, _tags(file)))):
                return file
    raise UsageError(
        f"{target}: the index has no wheel with the tags of the one that is installed, {', '.join(sorted(tags))}",
        remedy=f"It was built on a machine, or is from elsewhere. To verify its sdist: samebytes verify -s {target}",
    )


def _tags(file: File) -> frozenset[Tag]:
    # Those that it cannot read are no files of a release, so they are not among these.
    return parse_wheel_filename(file.name)[3]


def _rank(file: File, order: dict[str, int]) -> int:
    return min((order.get(str(tag), len(order)) for tag in _tags(file)), default=len(order))


def _build_number(file: File) -> tuple[int, str]:
    number = parse_wheel_filename(file.name)[2]
    return (number[0], number[1]) if number else (-1, "")
