"""Two trees of installed packages: what differs, why, and whether ``samebytes tree fix`` makes one tree of them."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from samebytes.archive.entry import Archive, Entry, read_all
from samebytes.archive.entry import Kind as EntryKind
from samebytes.artifact import pyc, record
from samebytes.artifact.layout import ArtifactKind
from samebytes.artifact.pyc import source_of
from samebytes.errors import ArchiveError
from samebytes.passes.container import executable

from . import container, contents, members, records
from .allowance import Allowance
from .causes.cause import CauseClues
from .causes.table import explain, reduced, without_unknown
from .contents import Contents
from .formats import compare_contents
from .model import ComparedFile, Comparison, Difference, KnownBuilds, NodeKind, Verdict
from .observations import MemberTime, Nature, OfNature, Unexplained, on_side
from .opened import Opened
from .records import NO_RECORD, ReadRecord

__all__ = ["Tree", "compare"]

_KIND = ArtifactKind.SDIST
"""As what files of a tree are looked at: their mode alone says whether they are executable."""

# RECORD lists the other three, and so differs with them.
_INSTALLERS_OWN = frozenset({"INSTALLER", "REQUESTED", "RECORD", "direct_url.json"})
"""What installers write into ``.dist-info`` of themselves."""

_RULES = {"P001": "bytecode", "P002": "bytecode", "W010": "record"}
"""The rules of ``tree fix`` that do to a tree what these passes do to a wheel."""

_REMEDY = "samebytes tree fix, with the same --layout and --date, makes one tree of both."

MOST_MODULES = 200
"""How many compiled modules are taken apart that are the same but for their form; thousands differ in one way."""


class Tree(NamedTuple):
    """A tree on disk, and what ``tree fix`` without compiled modules would make of it."""

    side: ComparedFile
    """Its digest, and the size of its canonical tar."""
    entries: Mapping[str, Entry]
    """All that is in it, by name; times in whole seconds."""
    normal: Mapping[str, Entry]
    """What there would be, by name, with one time for all; what is not changed has the contents of *entries*."""
    rules: Mapping[str, tuple[str, ...]]
    """The rules that change a file or take it away, by name."""
    wrong: tuple[record.Mismatch, ...]
    """In what its RECORDs contradict its files."""
    excluded: frozenset[str] = frozenset()
    """The names of what was left out."""


class _Both(NamedTuple):
    left: Tree
    right: Tree
    read: Contents
    settled: frozenset[str]
    """Names at which ``tree fix`` leaves the same on both sides, or nothing."""
    differing: frozenset[str]
    """Names of files with other contents, or on one side only."""
    cursory: frozenset[str]
    """Compiled modules that are the same but for their form, beyond the first MOST_MODULES."""
    planted: tuple[Mapping[str, int], Mapping[str, int]]
    """Permission bits that no umask gives, by name."""
    clues: CauseClues
    note: Callable[[str], None]


def compare(left: Tree, right: Tree, builds: KnownBuilds) -> Comparison:
    """Compare two trees; *builds* are what is known of how each was installed.

    :raises ArchiveError: if contents cannot be read, or change meanwhile.
    """
    # Of the canonical tar, so that equal digests leave nothing to compare.
    if left.side.sha256 == right.side.sha256:
        return Comparison(left.side, right.side, None, Verdict.IDENTICAL)
    notes: list[str] = []
    both = _read(left, right, builds, notes.append)
    verdict = _verdict(both)
    differences = tuple(_differences(both))
    excluded = len(left.excluded | right.excluded)
    if excluded and not differences:
        verdict = Verdict.IDENTICAL
    if verdict is Verdict.NORMALIZED:
        notes.append(_REMEDY)
    notes += both.clues.allowance.notes
    return Comparison(left.side, right.side, None, verdict, differences, tuple(dict.fromkeys(notes)), excluded)


def _read(left: Tree, right: Tree, builds: KnownBuilds, note: Callable[[str], None]) -> _Both:
    opened = _opened(left), _opened(right)
    read = contents.read(*opened, {})
    only = frozenset(left.entries.keys() ^ right.entries.keys())
    changed = frozenset(name for name, pair in read.pairs.items() if not pair.equal)
    names = {*left.entries, *right.entries}
    allowance = Allowance(sum(each.size for side in (read.left, read.right) for each in side.values()))
    clues = contents.clues_of(builds, read, names, changed, only)._replace(allowance=allowance)
    settled = frozenset(name for name in names if _is_settled(name, left, right, read))
    one, other = ({name: bits for name, bits in container.planted(side).items() if name not in only} for side in opened)
    # Sorted, so that a report does not depend on the order of a set.
    cursory = frozenset(sorted(filter(_is_compiled, settled & changed))[MOST_MODULES:])
    return _Both(left, right, read, settled, changed | only, cursory, (one, other), clues, note)


def _opened(tree: Tree) -> Opened:
    """Return *tree* as what reads the contents of archives takes them."""
    return Opened(_KIND, Archive(tree.side.path, ()), "", tree.entries, tree.normal, (), {}, b"")


# -- what tree fix would leave


def _is_settled(name: str, left: Tree, right: Tree, read: Contents) -> bool:
    if _is_compiled(name):
        return _is_one_module(name, left, right, read)
    one, other = left.normal.get(name), right.normal.get(name)
    if one is None or other is None:
        # A directory for compiled modules alone comes and goes with them.
        return one is other or posixpath.basename(name) == "__pycache__"
    if _head(one) != _head(other):
        return False
    raw = left.entries.get(name), right.entries.get(name)
    untouched = [side is not None and side.content is new.content for side, new in zip(raw, (one, other))]
    if name in read.pairs and all(untouched):
        return read.pairs[name].equal
    return contents.digests_of(one.content).sha256 == contents.digests_of(other.content).sha256


def _head(entry: Entry) -> tuple[object, ...]:
    return entry.kind, entry.mode, entry.mtime, entry.target


def _is_compiled(name: str) -> bool:
    """Return whether *name* is that of a compiled module whose source lies elsewhere (PEP 3147)."""
    return name.endswith(".pyc") and posixpath.basename(posixpath.dirname(name)) == "__pycache__"


def _is_one_module(name: str, left: Tree, right: Tree, read: Contents) -> bool:
    """Return whether ``tree fix`` makes the same of a compiled module, or of there being none, on both sides.

    It compiles the source, or puts what is there into its one form, or removes it: each for both sides alike if the
    source is the same or missing, unless what is there was not made of that source.
    """
    pair, source = read.pairs.get(name), source_of(name) or ""
    sources = read.pairs.get(source)
    if sources is None:
        return source not in left.entries and source not in right.entries
    # Each is compiled from its own source, and differs with that.
    if not sources.equal:
        return pair is not None and pair.equal
    return pair is None or pair.equal or _form(pair.left, sources.left) == _form(pair.right, sources.right)


def _form(compiled: Entry, source: Entry) -> bytes | None:
    """Return a compiled module in the one form, None if it is not of *source*; as it is if nobody knows its Python."""
    data = read_all(compiled.content)
    # Code of an unknown Python has no form that could be written.
    if not pyc.is_known(data):
        return data
    try:
        return pyc.normalized(pyc.bound(data, read_all(source.content), "checked-hash"), source.name)
    except ArchiveError:
        return None


def _verdict(both: _Both) -> Verdict:
    left, right = both.left, both.right
    # As for archives: a lie or a planted bit outweighs what is equal.
    if left.wrong or right.wrong or both.planted[0] != both.planted[1]:
        return Verdict.DIFFERENT
    unlike = (left.entries.keys() | right.entries.keys() | left.normal.keys() | right.normal.keys()) - both.settled
    if not unlike:
        return Verdict.NORMALIZED
    for name in unlike:
        directory, last = posixpath.split(name)
        if last not in _INSTALLERS_OWN or not directory.endswith(".dist-info"):
            return Verdict.DIFFERENT
    return Verdict.PAYLOAD


# -- what differs


def _differences(both: _Both) -> Iterator[Difference]:
    """Give what differs, modes and times first."""
    common = [(one, both.right.entries[name]) for name, one in both.left.entries.items() if name in both.right.entries]
    times = [
        (one.name, MemberTime(container.moment(one.mtime).encode(), container.moment(other.mtime).encode()))
        for one, other in common
        if one.mtime != other.mtime
    ]
    modes = [
        (one.name, OfNature(Nature.MEMBER_MODE, b"%04o" % one.mode, b"%04o" % other.mode))
        for one, other in common
        if _is_mode_alone(one, other, both)
    ]
    yield from _attribute("mtime", "modification times", times, both.clues)
    yield from _attribute("mode", "modes", modes, both.clues)
    yield from records.wrong("RECORD", both.left.wrong, both.right.wrong, both.clues)
    for name in dict.fromkeys([*both.left.entries, *both.right.entries]):
        yield from map(_with_rules, _member(name, both))


def _attribute(
    rule: str, what: str, found: Sequence[tuple[str, OfNature | MemberTime]], clues: CauseClues
) -> Iterator[Difference]:
    """Give the node for what *rule* of ``tree fix`` sets: *found* has names and what is seen there."""
    if found:
        detail = container.shown([(name, seen.left.decode(), seen.right.decode()) for name, seen in found])
        findings = reduced(finding for name, seen in found for finding in explain(seen, f"member {name}", clues))
        summary = f"{what}: not the same in {len(found):,} member{'s' * (len(found) != 1)}"
        yield Difference(rule, NodeKind.CONTAINER, summary, detail, findings, (rule,))


def _is_mode_alone(one: Entry, other: Entry, both: _Both) -> bool:
    """Return whether modes differ, and neither who may execute it nor a planted bit is at stake."""
    if one.mode == other.mode or one.kind is not other.kind or _is_planted(one.name, both):
        return False
    return one.kind is not EntryKind.FILE or executable(one, _KIND) == executable(other, _KIND)


def _is_planted(name: str, both: _Both) -> bool:
    return both.planted[0].get(name) != both.planted[1].get(name)


def _member(name: str, both: _Both) -> Iterator[Difference]:
    one, other = both.left.entries.get(name), both.right.entries.get(name)
    if one is None or other is None:
        evidence = on_side(name.encode("utf-8", "surrogateescape"), one is not None)
        passes = _passes(name, both)
        findings = () if passes else explain(Unexplained(*evidence), "members", both.clues)
        yield replace(members.only_on(one is not None, name, findings), passes=passes)
        return
    if one.kind is not EntryKind.DIRECTORY or other.kind is not EntryKind.DIRECTORY:
        yield from members.other_nature(one, other, _KIND, both.clues)
    if _is_planted(name, both):
        yield members.planted(one, other, both.clues)
    if name in both.differing:
        yield _changed(name, both)


def _passes(name: str, both: _Both) -> tuple[str, ...]:
    """Return the rules that remove what differs at *name*."""
    if name not in both.settled:
        return ()
    if _is_compiled(name):
        return ("bytecode",)
    found = (*both.left.rules.get(name, ()), *both.right.rules.get(name, ()))
    return tuple(dict.fromkeys(found)) or ("bytecode",)


def _changed(name: str, both: _Both) -> Difference:
    if name in both.cursory:
        return Difference(name, NodeKind.PYC, "the same code in another form, as others above", passes=("bytecode",))
    pair = both.read.pairs[name]
    node = None
    if name.endswith(".dist-info/RECORD"):
        one, other = (_read_record(name, read_all(entry.content)) for entry in (pair.left, pair.right))
        node = next(records.compare(name, one, other, both.differing, both.clues), None)
    if node is None:
        # Formats know files of .dist-info by the key that they have in a wheel.
        in_info = posixpath.dirname(name).endswith(".dist-info")
        key = f"*.dist-info/{posixpath.basename(name)}" if in_info else name
        node = compare_contents(
            members.MemberPair(key, name, pair.left.content, pair.right.content, both.clues, both.note)
        )
    source = source_of(name)
    if source in both.differing:
        node = replace(without_unknown(node), summary=f"follows from {source}: {node.summary}")
    passes = _passes(name, both)
    # What the bytes do not show needs no cause of its own where a rule names who wrote it.
    return replace(without_unknown(node) if passes else node, passes=passes)


def _read_record(name: str, data: bytes) -> ReadRecord:
    """Return what the RECORD called *name* says, by names in the tree."""
    info = posixpath.dirname(name)
    listing = record.parse(data, f"{posixpath.basename(info)}/RECORD")
    # Names count from site-packages, and lead out of it for scripts (../../../bin/x).
    site = posixpath.dirname(info)
    found = {posixpath.normpath(posixpath.join(site, own)): row for own, row in listing.rows.items()}
    return NO_RECORD._replace(data=data, rows=found)


def _with_rules(node: Difference) -> Difference:
    """Return *node* with rules of ``tree fix`` in place of passes, which are for archives."""
    passes = dict.fromkeys(_RULES.get(code, code) for code in node.passes)
    # Codes of passes have upper-case letters, rules of trees have not.
    kept = tuple(code for code in passes if code.islower())
    return replace(node, passes=kept, children=tuple(map(_with_rules, node.children)))
