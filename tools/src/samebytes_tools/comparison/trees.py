"""Two trees of installed packages: what differs, why, and whether ``samebytes tree fix`` makes one tree of them."""

from __future__ import annotations

import posixpath
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from samebytes.archive.entry import Archive, Entry, read_all
from samebytes.archive.entry import Kind as Nature
from samebytes.artifact import pyc, record
from samebytes.artifact.pyc import source_of
from samebytes.errors import ArchiveError
from samebytes.passes.container import executable

from . import container, contents, members, rows
from .causes.causes import UNKNOWN
from .causes.clues import Clues, findings_of
from .contents import Contents
from .deferred import EMPTY, Ledger
from .formats.text import reduced
from .model import Comparison, Difference, Evidence, Finding, Kind, Side, Verdict, World
from .opened import Opened

__all__ = ["Tree", "compare"]

KIND = "tree"
"""What a comparison of trees says that it compares."""

_INSTALLERS_OWN = frozenset({"INSTALLER", "REQUESTED", "RECORD", "direct_url.json"})
"""What installers write into ``.dist-info`` of themselves."""

_RULES = {"P001": "bytecode", "P002": "bytecode", "W010": "record"}
"""The rules of ``tree fix`` that do to a tree what these passes do to a wheel."""

_REMEDY = "samebytes tree fix, with the same --layout and --date, makes one tree of both."

_SHOWN = 20

MOST_MODULES = 200
"""How many compiled modules are taken apart that are the same but for their form; thousands differ in one way."""


class Tree(NamedTuple):
    """A tree on disk, and what ``tree fix`` without compiled modules would make of it."""

    side: Side
    """Its digest, and the size of its canonical tar."""
    entries: Mapping[str, Entry]
    """All that is in it, by name; times in whole seconds."""
    normal: Mapping[str, Entry]
    """What there would be, by name, with one time for all; what is not changed has the contents of *entries*."""
    rules: Mapping[str, tuple[str, ...]]
    """The rules that change a file or take it away, by name."""
    wrong: tuple[record.Mismatch, ...]
    """In what its RECORDs contradict its files."""


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
    clues: Clues


def compare(left: Tree, right: Tree, worlds: tuple[World, World]) -> Comparison:
    """Compare two trees; *worlds* say what is known of the circumstances in which each was installed.

    :raises ArchiveError: if contents cannot be read, or change meanwhile.
    """
    if left.side.sha256 == right.side.sha256:
        return Comparison(left.side, right.side, KIND, Verdict.IDENTICAL)
    both = _read(left, right, worlds)
    verdict = _verdict(both)
    notes = [_REMEDY] if verdict is Verdict.NORMALIZED else []
    differences = tuple(_differences(both, notes.append))
    return Comparison(left.side, right.side, KIND, verdict, differences, tuple(dict.fromkeys(notes)))


def _read(left: Tree, right: Tree, worlds: tuple[World, World]) -> _Both:
    opened = _opened(left), _opened(right)
    read = contents.read(*opened, {})
    only = frozenset(left.entries.keys() ^ right.entries.keys())
    changed = frozenset(name for name, pair in read.pairs.items() if not pair.equal)
    digests = [{side[name].sha256.hex(): name for name in changed} for side in (read.left, read.right)]
    names = {*left.entries, *right.entries}
    clues = Clues(worlds, (digests[0], digests[1]), frozenset({*names, *map(posixpath.basename, names)}), only)
    settled = frozenset(name for name in names if _is_settled(name, left, right, read))
    planted = _planted(opened[0], only), _planted(opened[1], only)
    cursory = frozenset(sorted(filter(_is_compiled, settled & changed))[MOST_MODULES:])
    return _Both(left, right, read, settled, changed | only, cursory, planted, clues)


def _planted(side: Opened, only: Collection[str]) -> dict[str, int]:
    """Return the permission bits that no umask gives, of files on both sides."""
    return {name: bits for name, bits in container.planted(side).items() if name not in only}


def _opened(tree: Tree) -> Opened:
    """Return *tree* as what reads the contents of archives takes them."""
    return Opened(KIND, Archive(tree.side.path, ()), "", tree.entries, tree.normal, (), {}, b"")


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
    """Tell whether *name* is that of a compiled module whose source lies elsewhere (PEP 3147)."""
    return name.endswith(".pyc") and posixpath.basename(posixpath.dirname(name)) == "__pycache__"


def _is_one_module(name: str, left: Tree, right: Tree, read: Contents) -> bool:
    """Tell whether ``tree fix`` makes the same of a compiled module, or of there being none, on both sides.

    It compiles the source, or puts what is there into its one form, or removes it: each for both sides alike if the
    source is the same or missing, unless what is there was not made of that source.
    """
    pair, source = read.pairs.get(name), source_of(name) or ""
    sources = read.pairs.get(source)
    if sources is None:
        return source not in left.entries and source not in right.entries
    if not sources.equal:
        return pair is not None and pair.equal
    return pair is None or pair.equal or _form(pair.left, sources.left) == _form(pair.right, sources.right)


def _form(compiled: Entry, source: Entry) -> bytes | None:
    """Return a compiled module in the one form, None if it is not of *source*; as it is if nobody knows its Python."""
    data = read_all(compiled.content)
    if not pyc.is_known(data):
        return data
    try:
        return pyc.normalized(pyc.bound(data, read_all(source.content), "checked-hash"), source.name)
    except ArchiveError:
        return None


def _verdict(both: _Both) -> Verdict:
    left, right = both.left, both.right
    if left.wrong or right.wrong or both.planted[0] != both.planted[1]:
        return Verdict.DIFFERENT
    unlike = (left.entries.keys() | right.entries.keys() | left.normal.keys() | right.normal.keys()) - both.settled
    if not unlike:
        return Verdict.NORMALIZED
    return Verdict.PAYLOAD if all(map(_is_installers_own, unlike)) else Verdict.DIFFERENT


def _is_installers_own(name: str) -> bool:
    directory, last = posixpath.split(name)
    return last in _INSTALLERS_OWN and directory.endswith(".dist-info")


# -- what differs


def _differences(both: _Both, note: Callable[[str], None]) -> Iterator[Difference]:
    """Give what differs, modes and times first."""
    common = [(one, both.right.entries[name]) for name, one in both.left.entries.items() if name in both.right.entries]
    yield from _attribute("mtime", "modification times", "D011", _times(common))
    yield from _attribute("mode", "modes", "D010", _modes(common, both))
    wrong = rows.wrong("RECORD", both.left.wrong, both.right.wrong)
    if wrong is not None:
        yield wrong
    for name in dict.fromkeys([*both.left.entries, *both.right.entries]):
        yield from (_retold(each) for each in _member(name, both, note))


def _attribute(rule: str, what: str, cause: str, found: Iterable[tuple[str, str, str]]) -> Iterator[Difference]:
    """Give the node for what *rule* of ``tree fix`` sets: *found* has a name and the value on either side."""
    found = list(found)
    if found:
        detail = [f"{name}: {left} | {right}" for name, left, right in found[:_SHOWN]]
        detail += [f"... and {len(found) - _SHOWN:,} more"] if len(found) > _SHOWN else []
        findings = reduced(
            Finding(cause, Evidence(f"member {name}", left.encode(), right.encode())) for name, left, right in found
        )
        summary = f"{what}: not the same in {len(found):,} member{'s' * (len(found) != 1)}"
        yield Difference(rule, Kind.CONTAINER, summary, tuple(detail), findings, (rule,))


def _times(common: Iterable[tuple[Entry, Entry]]) -> Iterator[tuple[str, str, str]]:
    return ((one.name, _moment(one.mtime), _moment(other.mtime)) for one, other in common if one.mtime != other.mtime)


def _moment(seconds: float) -> str:
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds))
    except (OverflowError, ValueError, OSError):
        return f"{seconds:.0f} s"


def _modes(common: Iterable[tuple[Entry, Entry]], both: _Both) -> Iterator[tuple[str, str, str]]:
    """Give other permission bits, where neither who may execute it nor a planted bit is at stake."""
    for one, other in common:
        if one.kind is not other.kind or one.mode == other.mode:
            continue
        if one.kind is Nature.FILE and executable(one, KIND) != executable(other, KIND):
            continue
        if not _is_planted(one.name, both):
            yield one.name, f"{one.mode:04o}", f"{other.mode:04o}"


def _is_planted(name: str, both: _Both) -> bool:
    return both.planted[0].get(name) != both.planted[1].get(name)


def _member(name: str, both: _Both, note: Callable[[str], None]) -> Iterator[Difference]:
    one, other = both.left.entries.get(name), both.right.entries.get(name)
    if one is None or other is None:
        yield _missing(name, both)
        return
    nature = None if one.kind is other.kind is Nature.DIRECTORY else members.other_nature(one, other, KIND)
    if nature is not None:
        yield nature
    if _is_planted(name, both):
        yield members.planted(one, other)
    if name in both.differing:
        yield _changed(name, both, note)


def _missing(name: str, both: _Both) -> Difference:
    side = "left" if name in both.left.entries else "right"
    text = name.encode("utf-8", "surrogateescape")
    passes = _passes(name, both)
    told = () if passes else findings_of((UNKNOWN,), *((text, b"") if side == "left" else (b"", text)), "members")
    return Difference(name, Kind.MISSING, f"only on the {side} side", (), told, passes)


def _passes(name: str, both: _Both) -> tuple[str, ...]:
    """Return the rules that remove what differs at *name*."""
    if name not in both.settled:
        return ()
    if _is_compiled(name):
        return ("bytecode",)
    found = (*both.left.rules.get(name, ()), *both.right.rules.get(name, ()))
    return tuple(dict.fromkeys(found)) or ("bytecode",)


def _changed(name: str, both: _Both, note: Callable[[str], None]) -> Difference:
    if name in both.cursory:
        return Difference(name, Kind.PYC, "the same code in another form, as others above", passes=("bytecode",))
    listed = _record_rows(name, both) if name.endswith(".dist-info/RECORD") else None
    pair = both.read.pairs[name]
    key = f"*.dist-info/{posixpath.basename(name)}" if posixpath.dirname(name).endswith(".dist-info") else name
    node = listed or members.compare_contents(
        members.Member(key, name, pair.left.content, pair.right.content, both.clues, note)
    )
    passes = _passes(name, both)
    if passes:
        # What the bytes do not tell needs no cause of its own: the rule names who wrote it.
        node = _without_unknown(node)
    source = source_of(name)
    if source in both.differing:
        node = replace(_without_unknown(node), summary=f"follows from {source}: {node.summary}")
    return replace(node, passes=passes)


def _record_rows(name: str, both: _Both) -> Difference | None:
    pair = both.read.pairs[name]
    ledgers = [_ledger(name, read_all(entry.content)) for entry in (pair.left, pair.right)]
    return rows.compare(name, ledgers[0], ledgers[1], both.differing)


def _ledger(name: str, data: bytes) -> Ledger:
    """Return what the RECORD called *name* says, by names in the tree."""
    info = posixpath.dirname(name)
    site = posixpath.dirname(info)
    listing = record.parse(data, f"{posixpath.basename(info)}/RECORD")
    found = {posixpath.normpath(posixpath.join(site, own)): row for own, row in listing.rows.items()}
    return EMPTY._replace(data=data, rows=found)


def _without_unknown(node: Difference) -> Difference:
    known = tuple(finding for finding in node.findings if finding.code != UNKNOWN)
    return replace(node, findings=known, children=tuple(map(_without_unknown, node.children)))


def _retold(node: Difference) -> Difference:
    """Return *node* with rules of ``tree fix`` in place of passes, which are for archives."""
    passes = dict.fromkeys(_RULES.get(code, code) for code in node.passes)
    kept = tuple(code for code in passes if code.islower())
    return replace(node, passes=kept, children=tuple(map(_retold, node.children)))
