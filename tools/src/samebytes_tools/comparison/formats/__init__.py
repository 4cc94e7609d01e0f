"""Differences inside one format, and which format a member is looked at as.

To add a format, write a module with a function that takes a :class:`..members.MemberPair` and returns a node, or None
where the member is of another format; and put the function into FORMATS. It reports observations, and no causes.
"""

from __future__ import annotations

from collections.abc import Callable

from ..members import MemberPair
from ..model import Difference
from ..nearby import near
from . import elf, hexwindow, jsontree, macho, metadata, nested, pyc, strings, text

__all__ = ["FORMATS", "compare_contents"]


def compare_contents(member: MemberPair) -> Difference:
    """Return how the contents of *member* differ, by the first format that it is of; else as bytes.

    :raises ArchiveError: if they cannot be read.
    :raises OutputError: if large ones cannot be put into a temporary directory.
    """
    # Formats are tried one after the other, and each reads the contents from their beginning.
    with near(member.name, member.left, member.right) as (left, right):
        member = member._replace(left=left, right=right)
        for look in FORMATS if not member.clues.allowance.is_spent else ():
            found = look(member)
            if found is not None:
                return found
        return hexwindow.compare(member.name, left, right, member.clues)


FORMATS: tuple[Callable[[MemberPair], Difference | None], ...] = (
    metadata.look,
    pyc.look,
    jsontree.look,
    text.look,
    elf.look,
    macho.look,
    # What lies in an archive is compared by all formats again.
    lambda member: nested.look(member, compare_contents),
    strings.look,
)
"""In the order in which they are tried."""
