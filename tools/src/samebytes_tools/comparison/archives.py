"""Two archives of one kind: what differs, why, and how equal they are."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from packaging.utils import canonicalize_name

from samebytes.archive.entry import Entry
from samebytes.artifact.layout import ArtifactKind
from samebytes.artifact.opening import kind_of, open_archive
from samebytes.artifact.pyc import source_of
from samebytes.errors import UsageError
from samebytes.passes import by_code as pass_by_code
from samebytes.passes.pipeline import Stop, digesting, stoppable

from . import container, contents, members, records
from .allowance import Allowance
from .causes.archives import NORMALIZED_COPY
from .causes.cause import CauseClues
from .causes.chance import BUILD_NUMBER, RANDOM_VALUE, is_counted
from .causes.checkout import LEFTOVER_FILES
from .causes.clock import DATE_OR_TIME
from .causes.platforms import COMPILED
from .causes.table import ORDERS, UNKNOWN, ascribed, attributed, explain, ordered_by, without_unknown
from .contents import Contents
from .exclusion import Exclusion, demand_rest
from .formats import compare_contents
from .meant import notes_on
from .model import UNKNOWN_BUILDS, ComparedFile, Comparison, Difference, KnownBuilds, NodeKind, Verdict
from .observations import Nature, OfNature, TextPair
from .one_toolchain import summed_up
from .opened import RECORD, SIGNATURES, Opened, opened, settled, without
from .records import ReadRecord
from .verdict import after_passes, verdict
from .windows import made_on_windows

__all__ = ["compare_files"]


class _Both(NamedTuple):
    """All that is known when both archives are read."""

    left: Opened
    right: Opened
    read: Contents
    records: tuple[ReadRecord, ReadRecord]
    equal: Mapping[str, bool]
    """For each file on both sides, whether the passes leave it equal contents."""
    differing: frozenset[str]
    """The keys of members with other contents, or on one side only; RECORD is not counted."""
    planted: tuple[Mapping[str, int], Mapping[str, int]]
    """By key, permission bits that no umask gives."""
    disputed: tuple[Mapping[str, tuple[int, int]], Mapping[str, tuple[int, int]]]
    """By key, headers by which not all readers take a file alike."""
    codes: Mapping[str, tuple[str, ...]]
    """By key, the codes of the passes that change a member's contents on either side."""
    clues: CauseClues
    note: Callable[[str], None]


def compare_files(
    left: Path,
    right: Path,
    builds: KnownBuilds = UNKNOWN_BUILDS,
    stop: Stop | None = None,
    exclusion: Exclusion | None = None,
) -> Comparison:
    """Compare two wheels or two sdists; *builds* are what is known of where each came from.

    What *exclusion* matches is left out, unless the two are the same bytes.

    Once *stop* is set, by another thread, reading ends with Interrupted.

    :raises UsageError: if one is a wheel and the other an sdist, or nothing is left to compare.
    :raises ArchiveError: if one is missing, or not an archive of its kind, or damaged.
    :raises HostileArchiveError: if one does what no honest archive does.
    """
    stop = stop or Stop()
    kind = kind_of(left)
    if kind_of(right) != kind:
        raise UsageError(
            f"{left} and {right} are of different kinds: a wheel and an sdist have nothing to compare",
            remedy="Give two wheels (.whl), or two sdists (.tar.gz).",
        )
    with open_archive(left) as one, open_archive(right) as other, _digesting(left) as this, _digesting(right) as that:
        # Opened even if they are identical: what is not an archive is refused, whatever it is compared with.
        both = opened(left, stoppable(one, stop), kind), opened(right, stoppable(other, stop), kind)
        # Sizes first: the digests may still be under way, and are waited for.
        if left.stat().st_size == right.stat().st_size and this().sha256 == that().sha256:
            return Comparison(this(), that(), kind, Verdict.IDENTICAL)
        if exclusion is not None and exclusion.patterns:
            both = without(both[0], exclusion.kept), without(both[1], exclusion.kept)
            demand_rest(sum(len(side.excluded) for side in both), *(side.archive.entries for side in both))
        notes: list[str] = []
        allowance = Allowance(left.stat().st_size + right.stat().st_size)
        found = _read(*both, builds, notes.append, allowance)
        differences = tuple(_differences(found))
        if kind == ArtifactKind.WHEEL:
            changed = [key for key in found.differing if not found.equal.get(key)]
            differences = summed_up(found.left, found.right, changed, differences)
        excluded = len({side.key(name) for side in both for name in side.excluded})
        # Last, for what it shows counts only where nothing above does; what is left out is in the streams, too.
        if not excluded:
            differences += tuple(container.compare_streams(left, right, kind, differences, found.clues))
        notes += allowance.notes
        # Two builds of one source are meant to be one file, whatever their names.
        notes += notes_on(left, right, kind) if builds == UNKNOWN_BUILDS else ()
        judged = verdict(found.left, found.right, found.read, found.records, found.equal)
        if excluded and not differences:
            judged = Verdict.IDENTICAL
        if judged is Verdict.NORMALIZED and builds == UNKNOWN_BUILDS and _is_normalized_copy(found, differences):
            differences = tuple(ascribed(node, NORMALIZED_COPY) for node in differences)
        # Each note once: a missing library is missed for every member.
        return Comparison(this(), that(), kind, judged, differences, tuple(dict.fromkeys(notes)), excluded)


_ENOUGH = 3
"""How many causes of the container show that one file is the other's normalized copy, and not as it was built."""


def _is_normalized_copy(found: _Both, differences: Sequence[Difference]) -> bool:
    """Return whether one of two files that normalizing makes the same is so already, and much differs in the other."""
    causes = {finding.code for node in differences if node.passes for finding in node.findings}
    return len(causes) >= _ENOUGH and _is_canonical(found.left) != _is_canonical(found.right)


def _is_canonical(side: Opened) -> bool:
    # On whatever date, which all of its members have.
    is_one_date = len({entry.mtime for entry in side.archive.entries}) == 1
    return is_one_date and not [change for change in side.changes if change.code not in ("Z002", "T002", "G001")]


@contextmanager
def _digesting(path: Path) -> Iterator[Callable[[], ComparedFile]]:
    """Digest the file *path* beside what is done in the block; what is given waits for the digest."""
    with path.open("rb") as file, digesting(file) as digested:
        yield lambda: ComparedFile(str(path), *digested())


def _read(left: Opened, right: Opened, builds: KnownBuilds, note: Callable[[str], None], allowance: Allowance) -> _Both:
    both = records.read(left), records.read(right)
    read = contents.read(left, right, records.algorithms(*both))
    only = frozenset(left.files.keys() ^ right.files.keys())
    # RECORD follows from the files, and would be one more difference whenever there is any.
    changed = frozenset(key for key, pair in read.pairs.items() if not pair.equal and key != RECORD)
    names = (side.key(entry.name) for side in (left, right) for entry in side.archive.entries)
    clues = contents.clues_of(builds, read, names, changed, only)._replace(
        # Another release may have become pure, or have got its first extension.
        pure=(_is_pure(left), _is_pure(right)) if left.own == right.own else (True, True),
        on_windows=(_on_windows(left), _on_windows(right)),
        allowance=allowance,
    )
    differing = changed | only
    left, right = settled(left, differing), settled(right, differing)
    planted = container.planted(left), container.planted(right)
    disputed = container.disputed(left), container.disputed(right)
    equal, codes = after_passes(left, right, read), _codes(left, right)
    return _Both(left, right, read, both, equal, differing, planted, disputed, codes, clues, note)


def _is_pure(side: Opened) -> bool:
    return not any(key.endswith(COMPILED) for key in side.files)


def _on_windows(side: Opened) -> bool:
    return made_on_windows(side.archive.entries, side.headers.values())


def _codes(*sides: Opened) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for side in sides:
        for each in side.changes:
            # Passes of the container explain nothing in a member's contents.
            if pass_by_code(each.code).changes_contents:
                found.setdefault(side.key(each.member), {})[each.code] = None
    return {key: tuple(codes) for key, codes in found.items()}


def _differences(found: _Both) -> Iterator[Difference]:
    """Give what differs, the container first."""
    left, right, clues = found.left, found.right, found.clues
    if left.own != right.own:
        # Archives of different releases; their members are compared nevertheless.
        names = [side.own.replace(".dist-info", "") for side in (left, right)]
        texts = [name.replace("-", " ").encode() for name in names]
        # Backends write names of wheels and sdists as they like, which mean the same (PEP 503).
        is_one = len({(canonicalize_name(name), version) for name, _, version in map(_parted, names)}) == 1
        seen = OfNature(Nature.BACKEND_SPELLING, texts[0], texts[1]) if is_one else TextPair(texts[0], texts[1])
        findings = explain(seen, "name and version", clues)
        # The archive as a whole has no name among its members.
        yield _shown_by_builds("", Difference("release", NodeKind.MEMBER, " and ".join(names), (), findings), found)
    yield from container.compare(left, right, found.read, clues)
    digests = found.read.left, found.read.right
    one, other = (records.mismatches(each, files) for each, files in zip(found.records, digests))
    yield from records.wrong(f"{left.own}/RECORD", one, other, clues)
    pairs = _renamed(found)
    for key in dict.fromkeys([*left.files, *right.files]):
        if key in pairs:
            yield from pairs[key]
            continue
        for node in _member(key, found):
            yield _shown_by_builds(key, node, found)
    # Last, for most of it follows from the files.
    yield from records.compare(f"{left.own}/RECORD", *found.records, found.differing, clues)


_LICENSES = ("*.dist-info/licenses/", "*.dist-info/license_files/")

_OTHER_LIBC = (("-linux-gnu.", "-linux-musl."), ("-linux-musl.", "-linux-gnu."))
"""The C library in the names of extension modules (PEP 3149, PEP 656)."""


def _renamed(found: _Both) -> dict[str, tuple[Difference, ...]]:
    """Return the nodes of files that both sides have by other names, by the keys of both, the second without any.

    Those are extension modules for another C library, and licenses that another release of the backend puts elsewhere
    (PEP 639).
    """
    left, right = found.left.files, found.right.files
    nodes: dict[str, tuple[Difference, ...]] = {}
    of_wheel = [
        {(posixpath.basename(key), each.sha256): key for key, each in read.items() if key.startswith("*.dist-info/")}
        for read in (found.read.left, found.read.right)
    ]
    for file, key in of_wheel[0].items():
        other = of_wheel[1].get(file, key)
        is_moved = any(each.startswith(_LICENSES) for each in (key, other))
        if is_moved and key not in right and other not in left:
            names = left[key].name, right[other].name
            seen = OfNature(Nature.BACKEND_SPELLING, *(name.encode("utf-8", "surrogateescape") for name in names))
            findings = explain(seen, "members", found.clues)
            nodes[key] = (Difference(names[0], NodeKind.MEMBER, f"{names[1]} on the right side", (), findings),)
            nodes[other] = ()
    for key in left.keys() - right.keys():
        for each in _OTHER_LIBC if key.endswith(COMPILED) else ():
            other = key.replace(*each)
            if (
                other in right
                and other not in left
                and {key, other} <= found.read.left.keys() | found.read.right.keys()
            ):
                nodes[key], nodes[other] = (_for_another_libc(key, left[key], right[other], found),), ()
    for key, other, node in _named_by_build(found):
        nodes.setdefault(key, (node,))
        nodes.setdefault(other, ())
    return nodes


_MOST_NAMES = 50
"""How many names on either side are held against those of the other; more are those of another tree."""


def _named_by_build(found: _Both) -> Iterator[tuple[str, str, Difference]]:
    """Give the keys of files whose names hold a date, a host's name or the like of both builds, each with its node."""
    left, right = found.left.files, found.right.files
    lone = [sorted(one.keys() - other.keys()) for one, other in ((left, right), (right, left))]
    if found.clues.builds == UNKNOWN_BUILDS or max(map(len, lone)) > _MOST_NAMES:
        return
    for key in lone[0]:
        for other in (each for each in lone[1] if posixpath.dirname(each) == posixpath.dirname(key)):
            names = left[key].name, right[other].name
            one, two = (name.encode("utf-8", "surrogateescape") for name in names)
            findings = explain(TextPair(one, two), "names", found.clues)
            if not {UNKNOWN, *ORDERS} & {finding.code for finding in findings}:
                yield key, other, Difference(key, NodeKind.MISSING, f"{names[1]} on the right side", (), findings)
                lone[1].remove(other)
                break


def _for_another_libc(key: str, left: Entry, right: Entry, found: _Both) -> Difference:
    names = (entry.name.encode("utf-8", "surrogateescape") for entry in (left, right))
    findings = explain(OfNature(Nature.COMPILER, *names), "names", found.clues)
    pair = members.MemberPair(key, left.name, left.content, right.content, found.clues, found.note)
    node = compare_contents(pair)
    summary = f"for another C library than {right.name}; {node.summary}"
    return replace(node, summary=summary, findings=(*findings, *node.findings))


def _parted(own: str) -> tuple[str, str, str]:
    return own.rpartition("-")


def _shown_by_builds(key: str, node: Difference, found: _Both) -> Difference:
    """Return the node of a member with the causes that further builds have shown, where the bytes show none."""
    # Builds know no keys; those of an sdist's members are their names in its directory.
    names = {key, *(side.files[key].name for side in (found.left, found.right) if key in side.files)}
    known = (each for build in found.clues.builds for each in build.orders.items())
    orders = {(part, where): code for (name, part, where), code in known if name in names}
    node = _attributed_by_builds(names, node, found.clues.builds)
    # Last, for an order that no build explains is not what the clock or chance does elsewhere in the member.
    return ordered_by(node, orders) if orders else node


def _attributed_by_builds(names: Collection[str], node: Difference, builds: KnownBuilds) -> Difference:
    if any(not build.by_clock.isdisjoint(names) for build in builds):
        return attributed(node, DATE_OR_TIME)
    if any(not build.by_chance.isdisjoint(names) for build in builds):
        return attributed(node, RANDOM_VALUE)
    if any(not build.left_over.isdisjoint(names) for build in builds):
        evidence = [finding.evidence for each in node.walk() for finding in each.findings]
        is_count = any(is_counted(each.left, each.right) for each in evidence)
        return attributed(node, BUILD_NUMBER if is_count else LEFTOVER_FILES)
    return node


def _member(key: str, found: _Both) -> Iterator[Difference]:
    one, other, clues = found.left.files.get(key), found.right.files.get(key), found.clues
    # W005 removes an sdist's date file from a wheel. Signatures go only where somebody asks for it, so none is named.
    is_dropped = key not in found.left.normal and key not in found.right.normal and key not in SIGNATURES
    passes = ("W005",) if is_dropped and found.left.kind == ArtifactKind.WHEEL else ()
    for node in members.compare_entries(key, one, other, found.left.kind, clues):
        yield replace(node, passes=passes)
    if one is None or other is None:
        return
    # What counts as planted depends on a side's other files, so one mode may be so on one side alone.
    if one.mode != other.mode and found.planted[0].get(key) != found.planted[1].get(key):
        yield members.planted(one, other, clues)
    if found.disputed[0].get(key) != found.disputed[1].get(key):
        yield members.disputed(one, found.disputed[0].get(key), found.disputed[1].get(key), clues)
    pair = found.read.pairs.get(key)
    if pair is not None and not pair.equal and key != RECORD:
        yield _changed(key, pair, found)


def _changed(key: str, pair: contents.ContentPair, found: _Both) -> Difference:
    node = compare_contents(
        members.MemberPair(
            key,
            pair.left.name,
            pair.left.content,
            pair.right.content,
            found.clues,
            found.note,
        )
    )
    # The passes that changed the member on either side are those that make it equal.
    node = replace(node, passes=found.codes.get(key, ()) if found.equal.get(key) else ())
    source = source_of(key)
    # A compiled module differs wherever its source does; causes are looked for there alone.
    if source in found.differing:
        return replace(without_unknown(node), summary=f"follows from {source}: {node.summary}")
    return node
