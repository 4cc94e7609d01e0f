"""What differs between two archives, as facts that can be counted: for finding which variation each is due to."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from samebytes.archive.entry import Entry
from samebytes.artifact.opening import open_archive
from samebytes.errors import SamebytesError

from ...building.source import sha256_of
from ...comparison.causes.table import orders_in
from ...comparison.model import Comparison, Place


class DifferingFact(NamedTuple):
    """One thing that differs."""

    artifact: str
    """``"sdist"``, ``"wheel"`` or ``"wheel from sdist"``."""
    member: str
    """Empty for the archive as a whole."""
    aspect: str
    """``contents``, ``mode``, ``time``, ``owner``, ``presence``, ``kind``; of the archive ``order``, ``name`` or
    ``container``."""


def differing(artifact: str, left: Path, right: Path) -> frozenset[DifferingFact]:
    """Return what differs between two archives; nothing exactly if their names and bytes are the same."""
    return differing_and_names(artifact, left, right)[0]


def differing_and_names(artifact: str, left: Path, right: Path) -> tuple[frozenset[DifferingFact], frozenset[str]]:
    """Return what :func:`differing` does, and the names of *left*'s members if it was read."""
    # Names count: a version or a tag taken from the environment may leave the bytes alone.
    if left.name == right.name and sha256_of(left) == sha256_of(right):
        return frozenset(), frozenset()
    try:
        one, other = dict(_facts(left)), dict(_facts(right))
    except SamebytesError:  # an archive that samebytes refuses can differ nevertheless
        return frozenset({DifferingFact(artifact, "", "container")}), frozenset()
    # Members on one side only have all their aspects here, and are counted once, by "presence".
    keys = {key for key in one.keys() | other.keys() if one.get(key) != other.get(key)}
    lone = {member for member, aspect in keys if aspect == "presence"}
    found = {DifferingFact(artifact, *key) for key in keys if key[1] == "presence" or key[0] not in lone}
    # Headers and compression differ without any entry being different.
    names = frozenset(member for member, aspect in one if aspect == "presence")
    return _without_records(found) or frozenset({DifferingFact(artifact, "", "container")}), names


_DIGIT = re.compile(r"\d")

_MOST_NAMES = 100
"""How many names are held against each other; more are those of a whole tree."""


def named_alike(names: Collection[str], facts: Collection[DifferingFact]) -> frozenset[str]:
    """Return those of *names* that are like two members of *facts* that only one build each has.

    What these two have in common at their beginnings and ends, and their length, the names have too; or all is the same
    but for digits.
    """
    lone = sorted({fact.member for fact in facts if fact.aspect == "presence"})
    if max(len(names), len(lone)) > _MOST_NAMES:
        return frozenset()
    pairs = [(one, other) for one in lone for other in lone if one < other and len(one) == len(other)]
    return frozenset(name for name in names if any(_is_alike(name, *pair) for pair in pairs))


def drawn(facts: frozenset[DifferingFact], by_moment: frozenset[DifferingFact]) -> frozenset[DifferingFact]:
    """Return those of *facts* that are of members named as those are that differ from build to build by themselves.

    Each build has such members that no other has, whatever is varied in it.
    """
    names = named_alike({fact.member for fact in facts if fact.aspect == "presence"}, by_moment)
    return frozenset(fact for fact in facts if fact.aspect == "presence" and fact.member in names)


def _is_alike(name: str, one: str, other: str) -> bool:
    # Seconds grow: what two of them have in common, a third may not have.
    if _DIGIT.sub("0", one) == _DIGIT.sub("0", other):
        return _DIGIT.sub("0", name) == _DIGIT.sub("0", one)
    same = [a == b for a, b in zip(one, other)]
    before, behind = same.index(False), same[::-1].index(False)
    is_framed = name[:before] == one[:before] and name[len(name) - behind :] == one[len(one) - behind :]
    return len(name) == len(one) and is_framed and before + behind > 0


def orders(comparison: Comparison) -> dict[Place, str]:
    """Return where the contents of files have the same in another order, each with the code of the cause that shows."""
    top = top_directory(Path(comparison.left.path).name)
    found = ((node.name.removeprefix(top), orders_in(node)) for node in comparison.differences if not node.passes)
    return {(member, *place): code for member, places in found for place, code in places.items()}


def _without_records(facts: set[DifferingFact]) -> frozenset[DifferingFact]:
    """Leave out that RECORD's contents differ, where others do: it lists their digests."""
    others = {fact for fact in facts if not (fact.member.endswith(".dist-info/RECORD") and fact.aspect == "contents")}
    listed = any(fact.aspect in ("contents", "presence", "name") for fact in others)
    return frozenset(others if listed else facts)


def top_directory(name: str) -> str:
    """Return the directory that all members of the sdist called *name* are in, with the slash; empty for wheels."""
    return name[: -len(".tar.gz")] + "/" if name.endswith(".tar.gz") else ""


def _facts(path: Path) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield member and aspect, each with its value; an sdist's members without its top directory."""
    yield ("", "name"), path.name
    with open_archive(path) as archive:
        # A version that differs is in the name of each member then, and would hide everything else.
        top = top_directory(path.name)
        names = [entry.name.removeprefix(top) for entry in archive.entries]
        for name, entry in zip(names, archive.entries):
            yield (name, "presence"), "there"
            for aspect, value in _aspects(entry):
                yield (name, aspect), value
    yield ("", "order"), "\n".join(names)


def _aspects(entry: Entry) -> Iterator[tuple[str, str]]:
    yield "kind", entry.kind.value
    yield "mode", f"{entry.mode:o}"
    yield "time", f"{entry.mtime}"
    yield "owner", repr(entry.owner)
    # A link's target is its content; member names that are not UTF-8 come with surrogates (PEP 383).
    state = hashlib.sha256(entry.target.encode("utf-8", "surrogateescape"))
    for piece in entry.content.chunks():
        state.update(piece)
    yield "contents", state.hexdigest()
