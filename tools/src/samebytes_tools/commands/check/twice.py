"""One source, built in two worlds and compared; again with single variations, to find out which it is."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from samebytes.backend.config import Backend
from samebytes.commands.normalize.normalize import ArtifactDate, DateSource, NormalizeJob, NormalizeOptions, normalize
from samebytes.epoch import DEFAULT_DATE
from samebytes.errors import SamebytesError

from ...building.builder import BuildEnvironment, Builder, BuildError, InstallPolicy, Project, project_of
from ...building.interpreters import Python
from ...building.processes import Runner
from ...building.source import unpack
from ...building.source_copy import copy_source
from ...comparison import model
from ...comparison.archives import compare_files
from ...variations.clock import CLOCK_MOVED, build_steady_sleep
from ...variations.environments import LONG_AGO, VariedEnvironment, varied_environment
from ...variations.machine import obstacles_of
from ...variations.variations import NAMES
from .bisect import search
from .build_command import BuildCommand, no_sdist
from .facts import Fact, differing, digest
from .layout import lay_out, remove
from .subject import (
    AS_IS,
    BUILD,
    FROM_SDIST,
    HOOK,
    NORMALIZED,
    SDIST,
    WHEEL,
    Around,
    Artifact,
    Culprits,
    Failure,
    Form,
    Options,
    Outcome,
    Result,
    Row,
    Subject,
)

FRAGILE = ("checkout", "time")
"""Variations that some builds do not survive, which says nothing of their bytes: they are left out then."""

GAP = 2.1
"""Seconds from the end of one build to the beginning of the next, for the clock to count as another (zip's: 2)."""

WRAPPER = "samebytes.backend"

_BISECT = "bisect"


Files = dict[str, Path]
"""What was built, by kind."""

Failures = dict[str, BuildError]


@dataclass(frozen=True)
class _Built:
    """What one way of building gave in one world."""

    where: VariedEnvironment
    started: float
    files: Files
    failures: Failures


class Case:
    """One subject, with everything that is made for it in the directory *private*."""

    def __init__(
        self, subject: Subject, python: Python, options: Options, around: Around, stop: threading.Event, private: Path
    ) -> None:
        self._subject, self._options, self._around, self._stop = subject, options, around, stop
        self._private, self._python = private, python
        self._logs, self._out = private / "logs", private / "out"
        self._logs.mkdir()
        self._pristine, self._within = self._source(private / "source")
        self._project = project_of(self._pristine / self._within)
        scratch = private / "scratch"
        scratch.mkdir()
        self._builder = Builder(
            python.executable,
            InstallPolicy(isolation=options.isolation, same_everywhere=True),
            scratch,
            BuildEnvironment(around.environ),
            python.minor,
            config_settings=options.config_settings,
            advice="The last lines of its output are below; --logs DIR keeps all.",
        )
        self._steady = build_steady_sleep(scratch, around.environ) if "time" in around.vary else None
        self._ended = 0.0
        self._notes: list[str] = []
        self._left_out = dict(around.left_out)

    def result(self, *, at_once: bool) -> Result:
        """Build in all ways that are wanted, compare, and say what came of it."""
        try:
            vary = self._vary()
            first, second, vary = self._both(AS_IS, self._project, vary, at_once=at_once)
            rows = [self._row(AS_IS, first, second)]
            if self._options.normalized and not self._is_hopeless(first):
                rows.append(self._normalized(first, second))
                rows.append(self._by_hook(vary, at_once=at_once))
            if self._options.builder and not self._is_hopeless(first):
                rows.append(self._by_build(vary, at_once=at_once))
            culprits = self._culprits(first, second, vary) if self._options.bisect else None
            return Result(
                self._subject.text,
                self._python.version,
                rows=tuple(rows),
                applied=tuple(name for name in NAMES if name in vary),
                left_out=self._left_out,
                culprits=culprits,
                requirements=tuple(self._builder.installed),
                notes=tuple(self._notes),
                kept=self._options.keep and self._options.keep / self._subject.slug,
            )
        finally:
            self._save()

    def _source(self, directory: Path) -> tuple[Path, Path]:
        """Return a private copy of the source, with the checkout that it is in, and where in that the tree is."""
        directory.mkdir()
        if self._subject.form is Form.TREE:
            source = Path(self._subject.text).resolve()
            top = directory / (source.name or "source")
            return top, copy_source(source, top, source / "dist").relative_to(top)
        sdist = Path(self._subject.text)
        if self._subject.form is Form.NAME:
            self._tell("downloading")
            sdist = self._around.download(self._subject.text, self._python, self._private)
        return unpack(sdist, directory), Path()

    def _vary(self) -> frozenset[str]:
        here = obstacles_of(self._pristine)
        self._left_out.update({name: why for name, why in here.items() if name in self._around.vary})
        return self._around.vary - set(here)

    def _tell(self, what: str) -> None:
        self._around.tell(f"{self._subject.slug}: {what}")

    def _environment(self, vary: frozenset[str]) -> VariedEnvironment:
        program = self._around.workspace.disorderfs
        return varied_environment(self._private, self._pristine.name, vary, self._around.environ, program, self._steady)

    def _both(
        self, way: str, project: Project, vary: frozenset[str], *, at_once: bool
    ) -> tuple[_Built, _Built, frozenset[str]]:
        """Build in both worlds; a variation that the second build does not survive is left out, with a note."""
        here, there = self._environment(frozenset()), self._environment(vary)
        if at_once and not here.shares_with(there) and (there.is_later or "time" not in self._wanted()):
            with ThreadPoolExecutor(2) as pool:
                both = [pool.submit(self._build, way, project, *each) for each in ((here, "1"), (there, "2"))]
                first, second = (future.result() for future in both)
        else:
            first = self._build(way, project, here, "1")
            second = first if self._is_hopeless(first) else self._build(way, project, there, "2")
        for names in (*({name} for name in FRAGILE), set(FRAGILE)):
            if names <= vary and second.failures.keys() - first.failures.keys():
                listed = sorted(names)
                again = self._build(way, project, self._environment(vary - names), f"2-without-{'-'.join(listed)}")
                if len(again.failures) < len(second.failures):
                    if way == AS_IS:
                        self._left_out.update(dict.fromkeys(listed, "the build fails with it"))
                    self._notes.append(f"{way}: {_survived(' and '.join(listed), second.failures)}")
                    second, vary = again, vary - names
        return first, second, vary

    def _is_hopeless(self, first: _Built) -> bool:
        return self._options.gives_up and not first.files

    def _wanted(self) -> frozenset[str]:
        return self._around.vary | set(self._around.left_out)

    def _build(
        self, way: str, project: Project, where: VariedEnvironment, label: str, kinds: Sequence[str] = ()
    ) -> _Built:
        """Build all kinds that are wanted in the environment *where*; what fails is noted."""
        if not label.startswith(_BISECT):  # those all come later than the first
            self._wait(where)
        built = _Built(where, self._around.clock(), {}, {})
        command = BuildCommand(self._options.builder, self._builder, _given(where)) if way == BUILD else None
        for kind in kinds or self._options.kinds:
            self._tell(f"{way}, {label}: {kind}")
            try:
                out = self._out / _plain(way) / label / _plain(kind)
                built.files[kind] = self._one(kind, built, project, out, f"{way}-{label}-{kind}", command)
            except BuildError as error:
                built.failures[kind] = error
                if error.is_late and self._options.gives_up:  # so would the others be
                    rest = [one for one in self._options.kinds if one not in built.files]
                    built.failures.update(dict.fromkeys(rest, error))
                    break
        self._ended = self._around.clock()
        return built

    def _log(self, name: str) -> Runner:
        """Return what runs the commands of one build; the time that it may take begins."""
        return Runner(self._logs / f"{_plain(name)}.log", stop=self._stop, seconds=self._options.timeout)

    def _one(
        self, kind: str, built: _Built, project: Project, out: Path, name: str, command: BuildCommand | None
    ) -> Path:
        where = built.where
        tree = where.tree / self._within
        if command is not None and kind == FROM_SDIST:
            return command.build(kind, tree, out, self._log(name))
        has_leftovers = "leftovers" in where.applied and kind != FROM_SDIST
        if not (has_leftovers and SDIST in built.files):  # else the sdist was just built there, after others
            lay_out(self._pristine, where)
            if has_leftovers:
                self._leave(project, where, tree, f"{name}-leftovers")
        log = self._log(name)
        if command is not None:
            return command.build(kind, tree, out, log)
        if kind != FROM_SDIST:
            return self._by_own_backend(kind, project, where, tree, out, log)
        if SDIST not in built.files:
            raise no_sdist(log)
        return self._by_own_backend(WHEEL, project, where, _unpacked(built.files[SDIST], where, log), out, log)

    def _by_own_backend(
        self, kind: str, project: Project, where: VariedEnvironment, tree: Path, out: Path, log: Runner
    ) -> Path:
        return self._builder.build_own(kind, project, tree, _given(where), where.virtual_environment, out, log)

    def _leave(self, project: Project, where: VariedEnvironment, tree: Path, name: str) -> None:
        """Build in the tree, for whatever an earlier build leaves there; if that fails, for as much as it left."""
        for kind in (SDIST, WHEEL):
            try:
                self._by_own_backend(kind, project, where, tree, tree / "dist", self._log(name))
            except BuildError:
                continue

    def _wait(self, where: VariedEnvironment) -> None:
        """Let the clock go on, unless it is moved or nobody wants it varied."""
        if "time" in self._wanted() and not where.is_later:
            self._stop.wait(max(0.0, self._ended + GAP - self._around.clock()))

    def _row(self, way: str, first: _Built, second: _Built) -> Row:
        row = Row(way, tuple(self._outcome(way, kind, first, second) for kind in self._options.kinds))
        self._around.hear(row)
        return row

    def _outcome(self, way: str, kind: str, first: _Built, second: _Built) -> Outcome:
        for built, which in ((first, "first"), (second, "second")):
            if kind in built.failures:
                failure = built.failures[kind]
                log = self._log_text(failure)
                return Outcome(
                    kind,
                    failure=Failure(
                        f"in the {which} world: {failure.message}", failure.remedy, failure.tail, log, failure.is_late
                    ),
                )
        left, right = first.files[kind], second.files[kind]
        pair = _artifact(left), _artifact(right)
        if pair[0] == pair[1]:
            return Outcome(kind, pair)
        builds = _known(first), replace(_known(second), left_over=self._left_over(way, kind, first, second))
        try:
            comparison = compare_files(left, right, builds)
        except SamebytesError as error:
            return Outcome(kind, pair, note=error.message)
        sides = self._side(comparison.left, left), self._side(comparison.right, right)
        return Outcome(kind, pair, comparison=replace(comparison, left=sides[0], right=sides[1]))

    def _left_over(self, way: str, kind: str, first: _Built, second: _Built) -> frozenset[str]:
        """Return which members differ for what was left in the tree: built without, they do not.

        That is tried where a member is on one side only, or is in an sdist: what differs elsewhere is compiled.
        """
        there = second.where.applied
        if "leftovers" not in there:
            return frozenset()
        differ = _differing_members(kind, first, second)
        if not any(kind == SDIST or aspect == "presence" for _, aspect in differ):
            return frozenset()
        kinds = (SDIST, kind) if kind == FROM_SDIST else (kind,)
        label = f"2-without-leftovers-{kind}"
        built = self._build(
            AS_IS if way == NORMALIZED else way,
            self._project_of(way),
            self._environment(there - {"leftovers"}),
            label,
            kinds,
        )
        still = _differing_members(kind, first, built) if kind in built.files else differ
        return frozenset(member for member, _ in differ - still)

    def _side(self, side: model.ComparedFile, path: Path) -> model.ComparedFile:
        """Return *side* with the path where the file is kept, or its name, for the rest is removed."""
        kept = self._options.keep
        return replace(side, path=str(kept / self._subject.slug / path.relative_to(self._out)) if kept else path.name)

    def _log_text(self, failure: BuildError) -> str:
        if failure.log is None or not failure.log.is_file():
            return ""
        return failure.log.read_text(encoding="utf-8", errors="replace")

    def _normalized(self, first: _Built, second: _Built) -> Row:
        """Normalize copies of what was built, with one date for all."""
        self._tell("normalizing")
        both = [self._normal(built, label) for built, label in ((first, "1"), (second, "2"))]
        return self._row(NORMALIZED, *both)

    def _normal(self, built: _Built, label: str) -> _Built:
        done = _Built(built.where, built.started, {}, dict(built.failures))
        out = self._out / NORMALIZED / label
        jobs = [(kind, NormalizeJob(file, out / _plain(kind) / file.name)) for kind, file in built.files.items()]
        date = ArtifactDate(DEFAULT_DATE, DateSource.OPTION)
        results = normalize([job for _, job in jobs], NormalizeOptions(date=date))
        for (kind, job), result in zip(jobs, results):
            if result.error is None:
                done.files[kind] = job.target
            else:
                done.failures[kind] = BuildError(result.error.message, remedy=result.error.remedy)
        return done

    def _project_of(self, way: str) -> Project:
        """Return the backend that is called: the project's own, or samebytes in front of it."""
        return replace(self._project, backend=Backend(WRAPPER), needs_samebytes=True) if way == HOOK else self._project

    def _by_hook(self, vary: frozenset[str], *, at_once: bool) -> Row:
        """Build with samebytes in front of the backend, as ``samebytes wrap`` would put it there."""
        first, second, _ = self._both(HOOK, self._project_of(HOOK), vary, at_once=at_once)
        return self._row(HOOK, first, second)

    def _by_build(self, vary: frozenset[str], *, at_once: bool) -> Row:
        """Build by ``samebytes build``; what an earlier build left, where that is varied, is the backend's own."""
        first, second, _ = self._both(BUILD, self._project, vary, at_once=at_once)
        return self._row(BUILD, first, second)

    def _culprits(self, first: _Built, second: _Built, vary: frozenset[str]) -> Culprits | None:
        """Find out which variations it is, if something differs."""
        whole = _facts(first, second)
        kinds = _kinds_to_build({fact.artifact for fact in whole})
        if not kinds:
            return None
        builds = 0
        seen: dict[frozenset[str], frozenset[Fact]] = {}

        def probe(names: frozenset[str]) -> frozenset[Fact]:
            nonlocal builds
            if names not in seen:
                builds += 1
                if not names:
                    self._wait(first.where)
                label = f"{_BISECT}-{builds}"
                built = self._build(AS_IS, self._project, self._environment(names), label, kinds)
                seen[names] = _facts(first, built)
                self._notes += [_missed(names, kind, failure) for kind, failure in built.failures.items()]
                remove(self._out / _plain(AS_IS) / label)
            return seen[names]

        by_moment = probe(frozenset())
        rest = frozenset(fact for fact in whole - by_moment if fact.artifact in kinds)
        ordered = [name for name in NAMES if name in vary]
        found = search(ordered, rest, lambda names: probe(names) - by_moment)
        return Culprits(found.blames, by_moment & whole, found.unexplained, builds)

    def _save(self) -> None:
        """Copy logs and artifacts to where they are wanted."""
        for source, target in ((self._logs, self._options.logs), (self._out, self._options.keep)):
            if target is not None and source.is_dir():
                shutil.copytree(source, target / self._subject.slug, dirs_exist_ok=True)


def _given(where: VariedEnvironment) -> BuildEnvironment:
    """Return what the backend sees of *where*."""
    return BuildEnvironment(where.variables, where.umask, where.prefix)


def _plain(name: str) -> str:
    """Return *name* as one of a file."""
    return name.replace(" ", "-")


def _unpacked(sdist: Path, where: VariedEnvironment, log: Runner) -> Path:
    try:
        return unpack(sdist, where.temp / "from-sdist")
    except SamebytesError as error:
        raise BuildError(f"the sdist cannot be unpacked: {error.message}", remedy=error.remedy, log=log.log) from None


def _artifact(path: Path) -> Artifact:
    return Artifact(path.name, digest(path), path.stat().st_size)


def _survived(name: str, failures: Failures) -> str:
    kinds = ", ".join(sorted(failures))
    reason = next(iter(failures.values())).message
    return f"{name} is not varied, for the build does not survive it ({kinds}: {reason})"


def _missed(names: frozenset[str], kind: str, failure: BuildError) -> str:
    varied = ", ".join(name for name in NAMES if name in names) or "nothing"
    return f"what differs by single variations may be incomplete: with {varied} varied, {kind}: {failure.message}"


def _facts(first: _Built, second: _Built) -> frozenset[Fact]:
    """Return what differs, of what was built in both worlds."""
    return frozenset(_each_fact(first, second))


def _differing_members(kind: str, first: _Built, second: _Built) -> frozenset[tuple[str, str]]:
    """Return the members that only one of the two has, or that have other contents, each with that aspect."""
    found = differing(kind, first.files[kind], second.files[kind])
    return frozenset((fact.member, fact.aspect) for fact in found if fact.aspect in ("presence", "contents"))


def _each_fact(first: _Built, second: _Built) -> Iterator[Fact]:
    for kind in first.files.keys() & second.files.keys():
        yield from differing(kind, first.files[kind], second.files[kind])


def _kinds_to_build(differ: set[str]) -> tuple[str, ...]:
    """Return what a bisection builds: what differs; the wheel from the sdist only if the tree's own is the same."""
    if WHEEL in differ:
        differ = differ - {FROM_SDIST}
    if FROM_SDIST in differ:
        differ = differ | {SDIST}
    return tuple(kind for kind in (SDIST, WHEEL, FROM_SDIST) if kind in differ)


def _known(built: _Built) -> model.KnownBuild:
    """Return what the comparison may know of a build."""
    where = built.where
    dates = [int(built.started) + (CLOCK_MOVED if where.is_later else 0)]
    if "mtimes" in where.applied:
        dates.append(LONG_AGO)
    return model.KnownBuild(
        paths=(str(where.tree), str(where.virtual_environment), str(where.home)),
        temps=(str(where.temp),),
        user=where.user,
        host=where.host,
        dates=tuple(dates),
        timezone=where.timezone,
        locale=where.locale,
        umask=where.umask,
        hash_seed=where.hash_seed,
    )
