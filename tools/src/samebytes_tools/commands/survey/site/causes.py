"""A cause and the packages that it hits, page by page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from ....comparison.causes.causes import Cause, by_code
from ..model import KINDS, WAYS, Hit


class Struck(NamedTuple):
    """A package that a cause hits."""

    name: str
    version: str
    kinds: Sequence[Sequence[str]]
    """For each way, the kinds of artifacts that it hits."""
    member: str
    """Where it was found first."""
    where: str

    @property
    def all_kinds(self) -> Sequence[str]:
        """The kinds that it hits in any way."""
        return [kind for kind in KINDS if any(kind in some for some in self.kinds)]


class Found(NamedTuple):
    """A cause, and how many packages it hits."""

    cause: Cause
    packages: int
    by_way: Sequence[int]


def cause_of(code: str) -> Cause:
    """Return the cause with *code*; of a code that a newer samebytes wrote, what can be said of it."""
    try:
        return by_code(code)
    except KeyError:
        return Cause(code, "of a newer samebytes", "This samebytes does not know it.", "Update samebytes.")


def struck(hits: Iterable[Hit]) -> Iterator[Struck]:
    """Yield the packages of *hits*, which come by package."""
    for (name, version), group in groupby(hits, key=lambda hit: (hit.name, hit.version)):
        some = list(group)
        kinds = [[kind for kind in KINDS if any((hit.way, hit.kind) == (way, kind) for hit in some)] for way in WAYS]
        yield Struck(name, version, kinds, some[0].cause.member, some[0].cause.where)


def found(cause: Cause, packages: Sequence[Struck]) -> Found:
    """Return how many *packages* the cause hits in each way."""
    return Found(cause, len(packages), [sum(1 for one in packages if one.kinds[at]) for at in range(len(WAYS))])
