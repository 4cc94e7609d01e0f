"""How equal are two trees of installed packages?"""

from __future__ import annotations

from pathlib import Path

from samebytes.archive.entry import Data, Entry, Kind
from samebytes.artifact.record import Mismatch

from ...comparison.model import UNKNOWN_BUILDS, ComparedFile, Comparison, KnownBuilds
from ...comparison.trees import Tree, compare
from ..tree.apply import mode_for, written_mode
from ..tree.digest import digest
from ..tree.fix import FixOptions, is_whole_system, planned
from ..tree.plan import Plan, with_parents
from ..tree.walk import walk


def compare_trees(left: Path, right: Path, builds: KnownBuilds = UNKNOWN_BUILDS) -> Comparison:
    """Compare the directories *left* and *right*; what ``tree fix`` makes of each decides whether they can be made one.

    :raises ArchiveError: if something in them cannot be read, or has a name that is not UTF-8.
    """
    return compare(_tree(left), _tree(right), builds)


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
