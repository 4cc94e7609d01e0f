"""The artifacts of ``samebytes build``: each built at the place where all builds are, then rewritten canonically."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

from samebytes.artifact.layout import ArtifactKind
from samebytes.backend.config import load
from samebytes.backend.fixed import IN_USE, Place, remove
from samebytes.backend.flags import environment_roots
from samebytes.backend.hooks import publish
from samebytes.backend.session import FixedPaths, Interpreter, Session
from samebytes.errors import SamebytesError
from samebytes.passes.model import Change

from ...building.builder import BuildEnvironment, Builder, InstallPolicy, is_full, says_full
from ...building.enter_memory import fill
from ...building.memory import in_memory
from ...building.processes import CommandRunner
from ...building.requirements import without_samebytes
from ...building.source import unpack
from ...building.virtualenvs import InstalledDistribution, VirtualEnvironment


@dataclass(frozen=True)
class BuiltArtifact:
    """One file that was built."""

    name: str
    kind: ArtifactKind
    size: int
    sha256: str
    date: int
    """Seconds since 1970-01-01 UTC."""
    date_origin: str
    changes: tuple[Change, ...]
    warnings: tuple[str, ...]
    """What of this machine is in it."""


@dataclass(frozen=True)
class BuildResult:
    """Everything that a build made."""

    artifacts: tuple[BuiltArtifact, ...]
    requirements: tuple[InstalledDistribution, ...]
    """What was in the virtual environments; two releases of one project if sdist and wheel needed that."""
    fixed: bool
    """Whether it took place at the fixed path."""
    installer: str = ""
    """What filled the virtual environments: ``uv 0.7.0``; empty if nothing was installed."""


class ArtifactBuilder:
    """Builds one artifact after the other, each in a virtual environment that is as if it were its alone."""

    def __init__(
        self,
        here: Place,
        environ: Mapping[str, str],
        policy: InstallPolicy,
        config_settings: Mapping[str, Any],
        log: CommandRunner,
        report: Callable[[str], None],
        warn: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._here, self._log, self._warn = here, log, warn
        self._may_be_in_memory = True
        # IN_USE: a build within this one must not wait for the place that this one has.
        self._environ = {**environ, "TMPDIR": str(here.root), "GIT_OPTIONAL_LOCKS": "0", IN_USE: str(here.root)}
        self._builder = Builder(
            sys.executable,
            policy,
            here.private,
            BuildEnvironment(self._environ, prefix=here.prefix),
            scratch_seen=here.root,
            config_settings=config_settings,
            report=report,
        )
        self._artifacts: list[BuiltArtifact] = []

    @property
    def out(self) -> Path:
        """The directory that holds the artifacts."""
        return self._here.private / "out"

    def build(self, kinds: Sequence[ArtifactKind], source: Path) -> BuildResult:
        """Build in the order sdist, wheel, each from a tree that no build was in.

        :param kinds: one, both (from the tree, the sdist first), or neither: an sdist, and a wheel from that.
        :param source: the source tree, in the place's directory ``src``.
        :raises SamebytesError: as the hooks do; BuildError for requirements that cannot be installed.
        """
        tree, spare = self._here.private / "src", self._here.private / "spare"
        self.out.mkdir()
        if tuple(kinds) == (ArtifactKind.SDIST, ArtifactKind.WHEEL):
            # A second copy, as the sdist's build may leave build/ and .egg-info in the tree.
            spare.mkdir()
            fill(tree, spare)
        if ArtifactKind.SDIST in kinds or not kinds:
            self._make(ArtifactKind.SDIST, source)
        if spare.is_dir():
            remove(tree)
            spare.rename(tree)
        elif not kinds:
            source = _unpacked(self.out / self._artifacts[0].name, tree)
        if tuple(kinds) != (ArtifactKind.SDIST,):
            self._make(ArtifactKind.WHEEL, source)
        requirements, by = tuple(self._builder.installed), ", ".join(self._builder.installers)
        return BuildResult(tuple(self._artifacts), requirements, self._here.is_fixed, by)

    def _make(self, kind: ArtifactKind, source: Path) -> None:
        """Build one artifact of the tree *source*."""
        if "directory-order" in load(source).inherit or not self._made_in_memory(kind, source):
            self._made_at(self._here, kind, source)

    def _made_in_memory(self, kind: ArtifactKind, source: Path) -> bool:
        """Build with the tree in memory, and return whether that could be done; there is one warning if not."""
        if not self._may_be_in_memory:
            return False
        with in_memory(self._here, self._stay_on_disk) as memory:
            if memory is None:
                return False
            try:
                self._made_at(memory.place, kind, source)
                return True
            except SamebytesError:
                # Only a lack of memory is a reason to build once more; any other failure would come again.
                if not memory.is_full() and (is_full(self._here.private) or not says_full(self._log.log)):
                    raise
        self._stay_on_disk("the build needs more memory than it may have")
        if self._log.log is not None:
            self._log.log.unlink(missing_ok=True)  # what it says of room is not of the disk
        return False

    def _stay_on_disk(self, why: str) -> None:
        self._may_be_in_memory = False
        self._warn(f"the source tree is built on disk, with directories in the order of the file system: {why}")

    def _made_at(self, here: Place, kind: ArtifactKind, source: Path) -> None:
        builder = self._builder
        temp = here.private / "tmp"
        # Empty for each, or the second would find what the first has left.
        remove(temp)
        temp.mkdir()
        warnings: list[str] = []
        where = builder.virtual_environment(here.root / "env", self._log, here.private / "env")
        fixed = FixedPaths(
            Place(here.root / "tmp", temp, here.prefix), here.root / source.relative_to(here.private), self._log.start
        )
        environ = where.added_to(self._environ)
        # Closed before the next one, which has its files at the same paths.
        with closing(Session(source, environ, warnings.append)) as session:
            session.begin(self._interpreter(where), environ, fixed)
            requires = session.config.requires
            made = builder.build(kind, session, requires, where, self._log)
            self._artifacts.append(self._rewritten(session, made, kind, warnings))
        # With requirements of the sdist alone, the wheel could import what no front end would give it.
        if builder.asked(where) - set(without_samebytes(requires)):  # what this artifact alone needs
            builder.discard(where)

    def _interpreter(self, where: VirtualEnvironment) -> Interpreter:
        isolated = where.root != Path()
        roots = (where.root,) if isolated else environment_roots(sys.prefix, sys.base_prefix, sys.path)
        return Interpreter(where.python, roots)

    def _rewritten(self, session: Session, made: Path, kind: ArtifactKind, warnings: Sequence[str]) -> BuiltArtifact:
        target = self.out / made.name
        result, found = publish(session, made, target)
        return BuiltArtifact(
            name=target.name,
            kind=kind,
            size=result.after.size,
            sha256=result.after.sha256,
            date=session.dated.seconds,
            date_origin=session.dated.origin,
            changes=result.changes,
            warnings=(*warnings, *found),
        )


def _unpacked(sdist: Path, tree: Path) -> Path:
    """Put what our own canonical *sdist* holds where the source *tree* was, and return that."""
    # Beside it, so that the rename does not cross file systems.
    aside = tree.with_name("sdist")
    aside.mkdir()
    unpacked = unpack(sdist, aside)
    remove(tree)
    return unpacked.rename(tree)
