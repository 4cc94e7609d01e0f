"""What a pass is (D8): a named rule that takes an archive and returns an archive and the changes that it made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Callable, NamedTuple

from ..archive.entry import Archive, Entry, Written
from ..artifact.layout import ArtifactKind


class Change(NamedTuple):
    """One thing that a pass changed, or, in a check, would change."""

    code: str
    member: str
    """The member's name; empty where the change is to the archive as a whole."""
    detail: str
    """What it was and what it is now, in one line."""


class Context(NamedTuple):
    """What a pass may know beyond the archive."""

    date: int
    """Seconds since 1970-01-01 UTC, for every time in the archive (D5)."""
    kind: ArtifactKind
    rebuild_record: bool = False
    """Write RECORD from the files even where the one found contradicts them."""
    drop_signatures: bool = False
    """Remove RECORD.jws and RECORD.p7s, which a rewrite makes invalid."""
    fresh: bool = False
    """It comes straight from its backend: a RECORD that is wrong, but contradicts no file, is no error, and the texts
    that the backend wrote are known."""
    modes: Callable[[Entry], bool] | None = None
    """Whether a file is executable, where the platform that built it has no modes; else its mode says so."""
    record_date: bool = False
    """Leave the date in the sdist, in its reserved file, for whoever builds from it."""


class PassOutcome(NamedTuple):
    """What a pass returns."""

    archive: Archive
    changes: tuple[Change, ...] = ()
    notes: tuple[Change, ...] = ()
    """What is worth knowing but was not changed."""
    late: Callable[[Sequence[Written]], tuple[Change, ...]] | None = None
    """Gives the changes that cannot be known before everything is written."""


Run = Callable[[Archive, Context], PassOutcome]
"""What a pass does."""


class Pass(NamedTuple):
    """One rule of the canonical form."""

    code: str
    """Stable: a letter for what it is about (T G S for sdists, Z W P C for wheels) and three digits."""
    name: str
    reason: str
    """Why artifacts differ without it, in a sentence or two; the generated reference page quotes it."""
    run: Run
    always_because: str = ""
    """Why ``[tool.samebytes] disable`` may not name it; empty if it may."""
    default: bool = True
    """False for a pass that must be asked for by ``[tool.samebytes] enable``."""
    for_metadata: bool = False
    """Whether it also applies to what ``prepare_metadata_for_build_wheel`` returns."""
    changes_contents: bool = False
    """Whether its changes are to the contents of the members that they name (RECORD, which has to follow, aside)."""
    also_in_sdists: bool = False
    """Whether a pass for wheels applies to sdists too."""

    def applies(self, context: Context) -> bool:
        """Return whether it is for what the context is about."""
        is_for_wheels = self.code[0] in "ZWPC"
        return is_for_wheels if context.kind == ArtifactKind.WHEEL else not is_for_wheels or self.also_in_sdists

    @property
    def switchable(self) -> bool:
        """Whether ``[tool.samebytes] disable`` may name it."""
        return not self.always_because


def each(archive: Archive, code: str, step: Callable[[Entry], tuple[Entry, str]]) -> PassOutcome:
    """Return *archive* with its members as *step* gives them, for the pass with this *code*.

    *step* also says in one line what it changes: nothing where the member is as it is to be.
    """
    steps = [step(entry) for entry in archive.entries]
    changes = tuple(Change(code, entry.name, detail) for entry, detail in steps if detail)
    if not changes:
        return PassOutcome(archive)
    return PassOutcome(archive._replace(entries=tuple(entry for entry, _ in steps)), changes)


ONE_FORM = "the canonical writer has no other form"
"""For ``Pass.always_because``: of what readers note and the writers never reproduce."""
