"""Two archives of one kind: what differs, why, and how equal they are."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from samebytes.archive.entry import Entry
from samebytes.artifact.opening import kind_of, open_archive
from samebytes.artifact.pyc import source_of
from samebytes.errors import ArchiveError, UsageError
from samebytes.passes import by_code as pass_by_code

from . import container, contents, members, rows, streams
from . import deferred as ledger
from .causes.causes import UNKNOWN
from .causes.clues import Clues, explain
from .contents import Contents
from .deferred import Ledger
from .model import UNKNOWN_WORLD, Comparison, Difference, Finding, Kind, Side, Verdict, World
from .opened import RECORD, SIGNATURES, Opened, opened, settled
from .verdict import after_passes, verdict

__all__ = ["compare_files"]

_CHUNK = 1 << 20


class _Both(NamedTuple):
    """All that is known when both archives are read."""

    left: Opened
    right: Opened
    read: Contents
    ledgers: tuple[Ledger, Ledger]
    equal: Mapping[str, bool]
    """For each file on both sides, whether the passes leave it equal contents."""
    differing: frozenset[str]
    """The keys of members with other contents, or on one side only; RECORD is none."""
    clues: Clues


def compare_files(left: Path, right: Path, worlds: tuple[World, World] = (UNKNOWN_WORLD, UNKNOWN_WORLD)) -> Comparison:
    """Compare two wheels or two sdists; *worlds* say what is known of the circumstances in which each was built.

    :raises UsageError: if one is a wheel and the other an sdist.
    :raises ArchiveError: if one is missing, or no archive of its kind, or damaged.
    :raises HostileArchiveError: if one does what no honest archive does.
    """
    kind = kind_of(left)
    if kind_of(right) != kind:
        raise UsageError(
            f"{left} and {right} are of different kinds: a wheel and an sdist have nothing to compare",
            remedy="Give two wheels (.whl), or two sdists (.tar.gz).",
        )
    with ThreadPoolExecutor(max_workers=2) as pool:
        sides = [pool.submit(_side, path) for path in (left, right)]
        with open_archive(left) as one, open_archive(right) as other:
            both = opened(left, one, kind), opened(right, other, kind)
            if left.stat().st_size == right.stat().st_size and sides[0].result().sha256 == sides[1].result().sha256:
                return Comparison(sides[0].result(), sides[1].result(), kind, Verdict.IDENTICAL)
            found = _read(*both, worlds)
            notes: list[str] = []
            differences = tuple(_differences(found, notes.append))
            differences += tuple(streams.compare(left, right, kind, differences))
            judged = verdict(found.left, found.right, found.read, found.ledgers, found.equal)
        results = sides[0].result(), sides[1].result()
    return Comparison(*results, kind, judged, differences, tuple(dict.fromkeys(notes)))


def _side(path: Path) -> Side:
    state = hashlib.sha256()
    size = 0
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                state.update(chunk)
                size += len(chunk)
    except OSError as error:
        raise ArchiveError(f"{path}: cannot be read: {error.strerror or error}", remedy="Check the path.") from error
    return Side(str(path), state.hexdigest(), size)


def _read(left: Opened, right: Opened, worlds: tuple[World, World]) -> _Both:
    ledgers = ledger.read(left), ledger.read(right)
    read = contents.read(left, right, ledger.algorithms(*ledgers))
    only = frozenset(left.files.keys() ^ right.files.keys())
    changed = frozenset(key for key, pair in read.pairs.items() if not pair.equal and key != RECORD)
    names = {side.key(entry.name) for side in (left, right) for entry in side.archive.entries}
    clues = Clues(
        worlds,
        ({read.left[key].sha256.hex(): key for key in changed}, {read.right[key].sha256.hex(): key for key in changed}),
        frozenset({*names, *map(posixpath.basename, names)}),
        only,
    )
    differing = changed | only
    left, right = settled(left, differing), settled(right, differing)
    return _Both(left, right, read, ledgers, after_passes(left, right, read), differing, clues)


def _differences(found: _Both, note: Callable[[str], None]) -> Iterator[Difference]:
    """Give what differs, the container first."""
    left, right = found.left, found.right
    if left.own != right.own:
        yield _other_release(found)
    ordered = container.order(left, right)
    if ordered is not None:
        yield ordered
    yield from container.deviations(left, right, found.clues.worlds)
    repacked = container.repacked(found.read.pairs.values())
    if repacked is not None:
        yield repacked
    yield from _record(found)
    for key in dict.fromkeys([*left.files, *right.files]):
        yield from _member(key, found, note)
    # Last, for most of it follows from the files.
    listed = rows.compare(f"{left.own}/RECORD", *found.ledgers, found.differing)
    if listed is not None:
        yield listed


def _other_release(found: _Both) -> Difference:
    """Return the node for archives of different releases, whose members are compared nevertheless."""
    names = [side.own.replace(".dist-info", "") for side in (found.left, found.right)]
    findings = explain(names[0].replace("-", " ").encode(), names[1].replace("-", " ").encode(), "name and version")
    return Difference("release", Kind.MEMBER, f"{names[0]} and {names[1]}", (), findings)


def _record(found: _Both) -> Iterator[Difference]:
    wrong = [
        ledger.mismatches(each, digests) for each, digests in zip(found.ledgers, (found.read.left, found.read.right))
    ]
    node = rows.wrong(f"{found.left.own}/RECORD", *wrong)
    if node is not None:
        yield node


def _member(key: str, found: _Both, note: Callable[[str], None]) -> Iterator[Difference]:
    is_left_over = any(key in world.left_over for world in found.clues.worlds)
    for node in _nodes(key, found, note):
        yield _left_over(node) if is_left_over else node


def _left_over(node: Difference) -> Difference:
    """Return *node* with what nothing in the bytes tells laid to what an earlier build left, as is known of it."""
    findings = tuple(replace(one, code="D020") if one.code == UNKNOWN else one for one in node.findings)
    return replace(node, findings=findings, children=tuple(map(_left_over, node.children)))


def _nodes(key: str, found: _Both, note: Callable[[str], None]) -> Iterator[Difference]:
    one, other = found.left.files.get(key), found.right.files.get(key)
    if one is None or other is None:
        yield _missing(key, one, other, found)
        return
    nature = members.other_nature(one, other, found.left.kind)
    if nature is not None:
        yield _dropped(nature, key, found)
    strange = (
        [container.planted(side).get(key, 0) for side in (found.left, found.right)] if one.mode != other.mode else []
    )
    if strange and strange[0] != strange[1]:
        yield members.planted(one, other)
    pair = found.read.pairs.get(key)
    if pair is not None and not pair.equal and key != RECORD:
        yield _changed(key, pair, found, note)


def _missing(key: str, one: Entry | None, other: Entry | None, found: _Both) -> Difference:
    entry = one or other
    assert entry is not None
    return _dropped(members.missing(key, entry, "left" if one else "right", found.left.kind), key, found)


def _dropped(node: Difference, key: str, found: _Both) -> Difference:
    """Return *node* with the pass that leaves its member out of a wheel, if one does."""
    gone = key not in found.left.normal and key not in found.right.normal
    return replace(node, passes=("W005",)) if gone and found.left.kind == "wheel" and key not in SIGNATURES else node


def _changed(key: str, pair: contents.Pair, found: _Both, note: Callable[[str], None]) -> Difference:
    node = members.compare_contents(
        members.Member(key, pair.left.name, pair.left.content, pair.right.content, found.clues, note)
    )
    passes = _passes(key, found) if found.equal.get(key) else ()
    node = replace(node, passes=passes)
    source = source_of(key)
    return _following(node, source) if source in found.differing else node


def _passes(key: str, found: _Both) -> tuple[str, ...]:
    """Return the codes of the passes that changed the contents of a member on either side."""
    return tuple(
        dict.fromkeys(
            change.code
            for side in (found.left, found.right)
            for change in side.changes
            if pass_by_code(change.code).changes_contents and side.key(change.member) == key
        )
    )


def _following(node: Difference, source: str) -> Difference:
    """Return the node of a compiled module whose source differs, without the causes that it cannot tell itself."""

    def known(findings: Iterable[Finding]) -> tuple[Finding, ...]:
        return tuple(finding for finding in findings if finding.code != UNKNOWN)

    children = tuple(replace(child, findings=known(child.findings)) for child in node.children)
    return replace(
        node, summary=f"follows from {source}: {node.summary}", findings=known(node.findings), children=children
    )
