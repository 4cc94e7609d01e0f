"""How equal are two trees of installed packages?"""

from __future__ import annotations

from pathlib import Path

from samebytes.archive.entry import Data, Entry, Kind
from samebytes.artifact.record import Mismatch

from ...comparison.exclusion import Exclusion, demand_rest
from ...comparison.model import UNKNOWN_BUILDS, ComparedFile, Comparison, KnownBuilds
from ...comparison.trees import Tree, compare
from ..tree.apply import mode_for, written_mode
from ..tree.digest import digest
from ..tree.fix import FixOptions, is_whole_system, planned
from ..tree.plan import Plan, with_parents
from ..tree.walk import walk


def compare_trees(
    left: Path, right: Path, builds: KnownBuilds = UNKNOWN_BUILDS, exclusion: Exclusion | None = None
) -> Comparison:
    """Compare the directories *left* and *right*; what ``tree fix`` makes of each decides whether they can be made one.

    What *exclusion* matches is left out, unless the two are the same.

    :raises UsageError: if nothing is left to compare.
    :raises ArchiveError: if something in them cannot be read, or has a name that is not UTF-8.
    """
    exclusion = exclusion or Exclusion()
    one, other = (_without(_tree(path), exclusion) for path in (left, right))
    demand_rest(len(one.excluded | other.excluded), one.entries, other.entries)
    return compare(one, other, builds)


def _without(tree: Tree, exclusion: Exclusion) -> Tree:
    if not exclusion.patterns:
        return tree
    entries = {entry.name: entry for entry in exclusion.kept(tree.entries.values())}
    return tree._replace(
        entries=entries,
        normal={entry.name: _same(entry, tree, entries) for entry in exclusion.kept(tree.normal.values())},
        wrong=tuple(each for each in tree.wrong if not exclusion.matches(each.name)),
        excluded=frozenset(tree.entries.keys() - entries.keys()),
    )


def _same(entry: Entry, tree: Tree, entries: dict[str, Entry]) -> Entry:
    """Return *entry* with the contents of the one in *entries* if that was the same before anything was left out."""
    before = tree.entries.get(entry.name)
    is_one = before is not None and tree.normal[entry.name].content is before.content
    return entry._replace(content=entries[entry.name].content) if is_one and entry.name in entries else entry


def _tree(root: Path) -> Tree:
    found = digest(root)
    side = ComparedFile(str(root), found.sha256, found.size)
    if is_whole_system(root):  # tree fix refuses it
        entries = {node.name: node.entry for node in walk(root)}
        return Tree(side, entries, entries, {}, ())
    # Compiled modules follow from their sources, so they are left out of what is made.
    # rebuild_record: a wrong RECORD is a finding here, not an error.
    options = FixOptions(final="/", levels=(), rebuild_record=True, write=False)
    plan, _ = planned(root, options, compiler=None)
    entries = {name: node.entry for name, node in plan.nodes.items()}
    rules: dict[str, tuple[str, ...]] = {}
    for change in plan.changes:
        rules[change.name] = (*rules.get(change.name, ()), change.rule)
    wrong = tuple(Mismatch(note.name, note.detail) for note in plan.notes if note.rule == "record-verified")
    return Tree(side, entries, _normal(plan, entries), rules, wrong)


def _normal(plan: Plan, entries: dict[str, Entry]) -> dict[str, Entry]:
    kept = {
        name: entries[name]._replace(mode=mode_for(node), mtime=0)
        for name, node in plan.nodes.items()
        if name not in plan.removed
    }
    for name, data in plan.writes.items():
        for parent in with_parents(name):
            # Directories that are made for a moved file get this mode.
            kept.setdefault(parent, Entry(parent, Kind.DIRECTORY, 0o755, 0))
        kept[name] = Entry(name, Kind.FILE, written_mode(plan, name), 0, Data(data))
    return kept
