"""Members of archives and trees: one that differs, as formats take it; and what differs beside its contents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from samebytes.archive.entry import Content, Entry, read_all
from samebytes.artifact.layout import ArtifactKind
from samebytes.passes.container import executable

from .causes.cause import CauseClues
from .causes.table import explain, explained
from .model import Difference, Finding, NodeKind
from .observations import LoneMember, Nature, OfNature, Unexplained, on_side

__all__ = ["MemberPair", "compare_entries", "disputed", "only_on", "other_nature", "planted"]


class MemberPair(NamedTuple):
    """A file with other contents on the two sides."""

    key: str
    name: str
    """As it is called on the left."""
    left: Content
    right: Content
    clues: CauseClues
    note: Callable[[str], None]
    """Takes what could not be looked at, and why."""
    depth: int = 0
    """How many archives it lies in, beside the one that was given."""

    def held(self, most: int) -> tuple[bytes, bytes] | None:
        """Return both contents, or None if one has more than *most* bytes."""
        return None if max(self.left.size, self.right.size) > most else (read_all(self.left), read_all(self.right))

    def inside(self, name: str, left: Content, right: Content) -> MemberPair:
        """Return what is called *name* in the archives that this member is."""
        # The allowance stays the same one: it is for all archives at any depth together.
        return self._replace(key=name, name=name, left=left, right=right, depth=self.depth + 1)

    def head(self) -> bytes:
        """Return the first four bytes if both sides begin with the same, else nothing."""
        one, other = (next(content.chunks(), b"")[:4] for content in (self.left, self.right))
        return one if one == other else b""


def only_on(is_left: bool, name: str, findings: tuple[Finding, ...], detail: tuple[str, ...] = ()) -> Difference:
    """Return the node for what only one side has."""
    return Difference(name, NodeKind.MISSING, f"only on the {'left' if is_left else 'right'} side", detail, findings)


def compare_entries(
    key: str, left: Entry | None, right: Entry | None, kind: ArtifactKind, clues: CauseClues, *, is_nested: bool = False
) -> Iterator[Difference]:
    """Give what differs in a member of an archive of *kind* beside its contents: that one side has it, or its nature.

    :param is_nested: whether the archive lies in another, so that it is not what its kind is for
    """
    entry = left or right
    if left is not None and right is not None:
        yield from other_nature(left, right, kind, clues)
    elif entry is not None:
        evidence = on_side(entry.name.encode("utf-8", "surrogateescape"), entry is left)
        seen = LoneMember(*evidence, key, None if is_nested else kind)
        yield only_on(entry is left, entry.name, explain(seen, "members", clues))


def other_nature(left: Entry, right: Entry, kind: ArtifactKind, clues: CauseClues) -> Iterator[Difference]:
    """Give the node for a member whose kind, target or right to be executed differs."""
    if left.kind is not right.kind:
        texts = left.kind.value, right.kind.value
        yield _unexplained(left, f"a {texts[0]} and a {texts[1]}", texts, clues)
    elif left.target != right.target:
        yield _unexplained(left, "a link to another place", (left.target, right.target), clues)
    elif executable(left, kind) != executable(right, kind):
        side = "left" if executable(left, kind) else "right"
        one, other = (text.encode() for text in _modes(left, right))
        seen = OfNature(Nature.EXECUTABLE, one, other)
        yield explained(left.name, NodeKind.MEMBER, f"executable on the {side} side only", seen, "", clues)


def planted(left: Entry, right: Entry, clues: CauseClues) -> Difference:
    """Return the node for permission bits that no umask gives, on one side only."""
    texts = _modes(left, right)
    return _unexplained(left, f"permissions that no build gives: {texts[0]} and {texts[1]}", texts, clues)


def disputed(
    entry: Entry, left: tuple[int, int] | None, right: tuple[int, int] | None, clues: CauseClues
) -> Difference:
    """Return the node for a file of which readers disagree: each side's mode and "made by", if they disagree there."""
    texts = [f"mode {side[0]:06o}, made by {side[1]:#06x}" if side else "" for side in (left, right)]
    shown = " and ".join(text or "plain" for text in texts)
    return _unexplained(entry, f"not taken alike by all readers: {shown}", (texts[0], texts[1]), clues)


def _modes(left: Entry, right: Entry) -> tuple[str, str]:
    return f"mode {left.mode:04o}", f"mode {right.mode:04o}"


def _unexplained(entry: Entry, summary: str, texts: tuple[str, str], clues: CauseClues) -> Difference:
    one, other = (text.encode("utf-8", "surrogateescape") for text in texts)
    return explained(entry.name, NodeKind.MEMBER, summary, Unexplained(one, other), "", clues)
