"""One source, built twice and compared; again with single variations, to find out which one a difference is due to."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from samebytes.commands.normalize.executor import in_order
from samebytes.commands.normalize.normalize import ArtifactDate, DateSource, NormalizeJob, NormalizeOptions, normalize
from samebytes.epoch import DEFAULT_DATE
from samebytes.errors import SamebytesError
from samebytes.passes.pipeline import Stop

from ...building.builder import BuildError
from ...building.interpreters import Python
from ...building.source import sha256_of, unpack
from ...building.source_copy import copy_source
from ...comparison import model
from ...comparison.archives import compare_files
from ...comparison.causes.chance import RANDOM_VALUE
from ...comparison.causes.order import DIRECTORY_ORDER, HASH_SEED_ORDER
from ...comparison.causes.table import UNKNOWN
from ...reporting.readers import Reader
from ...reporting.save import save_tree
from ...variations.environments import LONG_AGO, VariedEnvironment, varied_environment
from ...variations.moved_clock import CLOCK_MOVED, frozen_clock, prepare_clock
from ...variations.variations import NAMES, Obstacle, demand
from ...variations.workspace import STRANGER, obstacles_of
from ...vcs.repository import head, listed
from .attempts import ADVICE, UNPACKED, Attempt, Attempts, Failures, in_file_names
from .attribution import decided
from .bisect import confirmed, search
from .facts import DifferingFact, differing, drawn, named_alike, orders
from .progress import number_of_builds
from .subject import (
    AS_IS,
    BUILD,
    DATED,
    FROM_SDIST,
    HOOK,
    NORMALIZED,
    SDIST,
    WHEEL,
    BisectionResult,
    BuiltFile,
    CheckContext,
    CheckOptions,
    CheckOutcome,
    CheckResult,
    Failure,
    Form,
    Subject,
    WayResult,
)
from .two_wheels import note_on
from .working_copy import remove

FRAGILE = ("checkout", "time", "locales")
"""Variations that some builds fail with, which is not about their bytes: those builds are made without."""


_ORDERED_BY = {"hash-seed": HASH_SEED_ORDER.code, "file-order": DIRECTORY_ORDER.code}
"""The variations that give another order, and nothing else, each with the code of its cause."""

_YEAR = 365 * 86400
"""For how long after LONG_AGO files of the second build may be, each of which has another time."""

_SHOWN = ("contents", "presence", "name")
"""The aspects that a third build shows to differ by chance or by the clock; the others are of the container."""

_PATIENCE = 120.0
"""Seconds that a build may take while the clock stands still, or twice the first build's: some wait for it to go on."""


class SourceCheck:
    """The check of one source, with everything that is made for it in the directory *private*."""

    def __init__(
        self,
        subject: Subject,
        python: Python,
        options: CheckOptions,
        context: CheckContext,
        stop: Stop,
        private: Path,
    ) -> None:
        def report(step: str) -> None:
            context.report(f"{subject.slug}: {step}")

        self._subject, self._options, self._python, self._private = subject, options, python, private
        self._stop = stop
        self._context = replace(context, report=report)
        self._notes = [subject.note] if subject.note else []
        self._pristine, self._within = self._source(private / "source")
        self._attempts = Attempts((self._pristine, self._within), python, options, self._context, stop, private)
        self._here = obstacles_of(self._pristine)
        # cargo hangs with libfaketime: without, what remains is moved.
        self._environ = {**context.environ, **({"LIBFAKETIME": os.devnull} if "time" in self._here else {})}
        # In scratch, as the two builds have directories of their own that are emptied for each.
        self._for_clock = prepare_clock(self._attempts.scratch, self._environ) if "time" in context.vary else None
        self._left_out = dict(context.left_out)
        self._known_orders: dict[model.Place, str] = {}

    def result(self, *, at_once: bool) -> CheckResult:
        """Build in all ways that are wanted, compare, and return what came of it.

        :param at_once: whether both builds may run at the same time.
        """
        try:
            demand(self._context.required, self._here)
            self._left_out.update({name: why for name, why in self._here.items() if name in self._context.vary})
            vary = self._context.vary - {name for name, why in self._here.items() if not why.is_partial}
            self._plan(vary)
            first, second = self._both(AS_IS, vary, at_once=at_once)
            # What the build failed with in the first way is not tried again in the others.
            vary = vary if second is first else second.environment.applied
            ways = [self._compared(AS_IS, first, second)]
            if {WHEEL, FROM_SDIST} <= first.files.keys():
                self._notes += filter(None, [note_on(first.files[WHEEL], first.files[FROM_SDIST])])
            if self._options.dated and not self._gives_up(first):
                ways.append(self._compared(DATED, *self._both(DATED, vary, at_once=at_once)))
            if self._options.normalized and not self._gives_up(first):
                self._context.report("normalizing")
                where = [self._attempts.directory(NORMALIZED, label) for label in ("1", "2")]
                pair = self._normalized(first, where[0]), self._normalized(second, where[1])
                ways.append(self._compared(NORMALIZED, *pair))
                ways.append(self._compared(HOOK, *self._both(HOOK, vary, at_once=at_once)))
            if self._options.builder and not self._gives_up(first):
                ways.append(self._compared(BUILD, *self._both(BUILD, vary, at_once=at_once)))
            bisection = self._bisected(ways[0], first, second) if self._options.bisect else None
            if bisection is not None:
                ways[0] = _decided(ways[0], bisection)
            return CheckResult(
                self._subject.text,
                self._python.version,
                ways=tuple(ways),
                applied=tuple(name for name in NAMES if name in vary),
                left_out=self._left_out,
                bisection=bisection,
                requirements=self._attempts.installed,
                installer=self._attempts.installer,
                notes=tuple(self._notes),
                kept=self._options.keep and self._options.keep / self._subject.slug,
                accept=self._options.accept,
                reader=self._reader,
            )
        finally:
            for source, target in ((self._attempts.logs, self._options.logs), (self._attempts.out, self._options.keep)):
                # In `finally`, as the logs of a check that failed are the ones that are wanted most.
                if target is not None and source.is_dir():
                    save_tree(source, target / self._subject.slug)

    def _source(self, directory: Path) -> tuple[Path, Path]:
        """Return a private copy of the source, with the checkout that it is in, and where in that the tree is."""
        self._stop.check()
        directory.mkdir()
        if self._subject.form is Form.TREE:
            source = Path(self._subject.text).resolve()
            top = directory / (source.name or "source")
            # Without dist/: earlier artifacts there are no source, and would get into sdists that take all files.
            return top, copy_source(source, top, source / "dist").relative_to(top)
        sdist = Path(self._subject.text)
        if self._subject.form is Form.NAME:
            self._context.report("downloading")
            sdist, notes = self._context.download(self._subject.text, self._python, self._private)
            self._notes += notes
        return unpack(sdist, directory), Path()

    @cached_property
    def _listed(self) -> tuple[frozenset[str], frozenset[str]]:
        """The files of the source tree that git tracks, and the others."""
        return listed(self._pristine / self._within)

    @property
    def _reader(self) -> Reader:
        if self._subject.form is not Form.TREE:
            return Reader.OUTSIDER
        return Reader.WRAPPED if self._attempts.is_wrapped else Reader.MAINTAINER

    def _plan(self, vary: frozenset[str]) -> None:
        """Count the builds that will be made in any case."""
        ways = 1 + self._options.dated + self._options.normalized + bool(self._options.builder)
        for names in (frozenset(), vary):
            self._attempts.progress.plan(ways * number_of_builds(self._environment(names), self._options.kinds))

    def _environment(self, vary: frozenset[str]) -> VariedEnvironment:
        disorderfs, name = self._context.workspace.disorderfs, self._pristine.name
        return varied_environment(self._private, name, vary, self._environ, disorderfs, self._for_clock)

    def _both(self, way: str, vary: frozenset[str], *, at_once: bool) -> tuple[Attempt, Attempt]:
        """Build in both environments; a variation that the second build fails with is left out, with a note."""
        control, experiment = self._environment(frozenset()), self._environment(vary)
        wants_time = "time" in {*self._context.vary, *self._left_out}
        # Builds that run at the same time differ by no clock, unless libfaketime moves one.
        if at_once and not control.shares_with(experiment) and (experiment.is_later or not wants_time):
            pair = ((control, "1"), (experiment, "2"))
            first, second = in_order(lambda each: self._attempt(way, *each), pair, len(pair), threading.Event())
        else:
            first = self._attempt(way, control, "1")
            # A survey's source that cannot be built at all is not built again.
            second = first if self._gives_up(first) else self._attempt(way, experiment, "2")
        # One at a time first, so that what the build stands is still varied.
        for names in (*({name} for name in FRAGILE), set(FRAGILE)):
            vary = second.environment.applied
            if names & self._context.required:
                continue
            if names <= vary and second.failures.keys() - first.failures.keys():
                listed = sorted(names)
                again = self._attempt(way, self._environment(vary - names), f"2-without-{'-'.join(listed)}")
                # Else the variation was not the reason, and leaving it out would only show less.
                if len(again.failures) < len(second.failures):
                    if way == AS_IS:
                        self._left_out.update(
                            dict.fromkeys(listed, Obstacle("the build fails with it", brief="the build fails with it"))
                        )
                    self._notes.append(f"{way}: {_left_out_for(' and '.join(listed), second.failures)}")
                    second = again
        return first, second

    def _attempt(self, way: str, environment: VariedEnvironment, label: str, kinds: tuple[str, ...] = ()) -> Attempt:
        if way == DATED:
            # The date that samebytes itself takes where it is given none.
            dated = {**environment.variables, "SOURCE_DATE_EPOCH": str(DEFAULT_DATE)}
            environment = replace(environment, variables=dated)
        self._attempts.wait(environment)
        return self._attempts.build(way, environment, label, kinds)

    def _gives_up(self, first: Attempt) -> bool:
        return self._options.gives_up and not first.files

    def _compared(self, way: str, first: Attempt, second: Attempt) -> WayResult:
        result = WayResult(way, tuple(self._outcome(way, kind, first, second) for kind in self._options.kinds))
        self._context.on_way(result)
        return result

    def _outcome(self, way: str, kind: str, first: Attempt, second: Attempt) -> CheckOutcome:
        for attempt, which in ((first, "first"), (second, "second")):
            if kind in attempt.failures:
                return CheckOutcome(kind, failure=_failure(attempt.failures[kind], which))
        left, right = first.files[kind], second.files[kind]
        pair = _described(left), _described(right)
        if pair[0] == pair[1]:
            return CheckOutcome(kind, pair)
        known = _known(first, kind), _known(second, kind)
        if "checkout" in second.environment.applied - first.environment.applied:
            tracked, untracked = self._listed
            commit = head(self._pristine / self._within)
            known = replace(known[0], tracked=tracked, untracked=untracked, commit=commit), known[1]
        builds = known[0], replace(known[1], left_over=self._left_over(way, kind, first, second))
        try:
            comparison = compare_files(left, right, builds, self._stop)
            outcome = CheckOutcome(kind, pair, comparison=comparison)
            is_open = not outcome.is_accepted(self._options.accept) and (
                UNKNOWN in comparison.causes or bool(orders(comparison))
            )
            if way == AS_IS and is_open and not self._options.bisect:
                builds = builds[0], self._again(kind, first, second, builds[1], comparison)
                comparison = compare_files(left, right, builds, self._stop)
        except SamebytesError as error:
            return CheckOutcome(kind, pair, note=error.message)
        sides = self._side(comparison.left, left), self._side(comparison.right, right)
        return CheckOutcome(kind, pair, comparison=replace(comparison, left=sides[0], right=sides[1]))

    def _left_over(self, way: str, kind: str, first: Attempt, second: Attempt) -> frozenset[str]:
        """Return which members differ for what was left in the tree: built without, they do not.

        That is tried where a member is on one side only, or is in an sdist: what differs elsewhere is compiled.
        """
        vary = second.environment.applied
        if "leftovers" not in vary:
            return frozenset()
        differ = _differing_members(kind, first, second)
        if not any(kind == SDIST or aspect == "presence" for _, aspect in differ):
            return frozenset()
        kinds = (SDIST, kind) if kind == FROM_SDIST else (kind,)
        without = self._environment(vary - {"leftovers"})
        # Normalized files are made from those as is; there is nothing to build in that way.
        way = AS_IS if way == NORMALIZED else way
        attempt = self._attempt(way, without, f"2-without-leftovers-{kind}", kinds)
        still = _differing_members(kind, first, attempt) if kind in attempt.files else differ
        # Where names are drawn, or hold the time, each build has members that no other has.
        is_named_anew = any(aspect == "presence" for _, aspect in still - differ)
        return frozenset(member for member, aspect in differ - still if aspect != "presence" or not is_named_anew)

    def _again(
        self, kind: str, first: Attempt, second: Attempt, known: model.KnownBuild, comparison: model.Comparison
    ) -> model.KnownBuild:
        """Return *known*, of the second build, with what a third one has otherwise, which is like the first.

        That is by chance, or by the clock. An order takes one more build or two, for what is not by chance may be by
        the hash seed or by the listing of files; but none where *comparison* shows what another artifact has as well.
        """
        seen, is_open = orders(comparison), UNKNOWN in comparison.causes
        if not is_open and self._known_orders.keys() >= set(map(_in_any_artifact, seen)):
            return replace(known, orders={place: self._known_orders[_in_any_artifact(place)] for place in seen})
        kinds = (SDIST, kind) if kind == FROM_SDIST else (kind,)
        attempt = self._attempt(AS_IS, first.environment, f"3-like-the-first-{kind}", kinds)
        if kind not in attempt.files:
            return known
        facts = {fact for fact in _facts(first, attempt) if fact.artifact == kind and fact.aspect in _SHOWN}
        # What the bytes show needs no clock that stands still.
        by_clock = self._by_clock(frozenset(facts), first, kinds) if facts and is_open else frozenset()
        lone = {fact.member for fact in _facts(first, second) if (fact.artifact, fact.aspect) == (kind, "presence")}
        chance, clock = (
            frozenset(fact.member for fact in each) | named_alike(lone, each) for each in (facts - by_clock, by_clock)
        )
        shown = dict.fromkeys(self._orders(kind, first, attempt), RANDOM_VALUE.code)
        rest = {place: code for place, code in seen.items() if place not in shown}
        shown.update(self._orders_by_variation(kinds, first, second, rest))
        return replace(known, by_chance=chance, by_clock=clock, orders=shown)

    def _orders_by_variation(
        self, kinds: tuple[str, ...], first: Attempt, second: Attempt, seen: Mapping[model.Place, str]
    ) -> dict[model.Place, str]:
        """Return by which of the variations that give an order each in *seen* is; UNKNOWN if by none of them."""
        kind, rest = kinds[-1], {place for place in seen if _in_any_artifact(place) not in self._known_orders}
        shown = {place: self._known_orders[_in_any_artifact(place)] for place in seen if place not in rest}
        # The one first that the bytes look like, for it is so most often.
        for name, code in sorted(_ORDERED_BY.items(), key=lambda each: each[1] not in seen.values()):
            if rest and name in second.environment.applied:
                attempt = self._attempt(AS_IS, self._environment(frozenset({name})), f"3-{name}-alone-{kind}", kinds)
                found = rest & self._orders(kind, first, attempt).keys() if kind in attempt.files else set()
                shown.update(dict.fromkeys(found, code))
                rest -= found
        self._known_orders.update({_in_any_artifact(place): code for place, code in shown.items()})
        return {**shown, **dict.fromkeys(rest, UNKNOWN)}

    def _orders(self, kind: str, first: Attempt, other: Attempt) -> Mapping[model.Place, str]:
        # With nothing known, for in one environment an order by the hash seed cannot be another.
        return orders(compare_files(first.files[kind], other.files[kind], stop=self._stop))

    def _by_clock(
        self, facts: frozenset[DifferingFact], first: Attempt, kinds: tuple[str, ...]
    ) -> frozenset[DifferingFact]:
        """Return which of *facts*, which differ by the moment, are the same in two builds while the clock stands still.

        Nothing where it cannot be stopped, or the build does not end without it.
        """
        frozen = frozen_clock(self._environ, self._for_clock)
        why_not = self._left_out.get("time")
        if "time" not in self._context.vary or (why_not and not why_not.is_partial):
            return frozenset()
        environment = replace(first.environment, variables={**first.environment.variables, **frozen})
        labels = [f"frozen-{number}-{in_file_names('-'.join(kinds))}" for number in (1, 2)]
        seconds = max(_PATIENCE, 2 * first.seconds)
        one = self._attempts.build(AS_IS, environment, labels[0], kinds, seconds)
        other = one if one.failures else self._attempts.build(AS_IS, environment, labels[1], kinds, seconds)
        pair = [self._to_bisect(each, label) for each, label in zip((one, other), labels)]
        still = facts if other.failures else _facts(*pair)
        # While names are drawn anew, those of two other builds are missing in these two.
        is_named_anew = any(fact.aspect == "presence" for fact in still)
        same = frozenset(fact for fact in facts - still if fact.aspect != "presence" or not is_named_anew)
        for label in labels:
            remove(self._attempts.directory(AS_IS, label))
        return same

    def _side(self, side: model.ComparedFile, path: Path) -> model.ComparedFile:
        """Return *side* with the path where the file is kept, or its name, for the rest is removed."""
        kept = self._options.keep
        # Reports must not name the private directory, which no longer exists when they are read.
        where = kept / self._subject.slug / path.relative_to(self._attempts.out) if kept else path.name
        return replace(side, path=str(where))

    @staticmethod
    def _normalized(attempt: Attempt, out: Path) -> Attempt:
        """Write what was built, normalized with one date for all, below *out*."""
        done = Attempt(attempt.environment, attempt.started, {}, dict(attempt.failures))
        jobs = {kind: NormalizeJob(file, out / in_file_names(kind) / file.name) for kind, file in attempt.files.items()}
        # One given date, for what each build's own says may be what differs.
        date = ArtifactDate(DEFAULT_DATE, DateSource.OPTION)
        for (kind, job), result in zip(jobs.items(), normalize(list(jobs.values()), NormalizeOptions(date=date))):
            if result.error is None:
                done.files[kind] = job.target
            else:
                done.failures[kind] = BuildError(result.error.message, remedy=result.error.remedy)
        return done

    def _to_bisect(self, attempt: Attempt, label: str) -> Attempt:
        """Return what is compared in a bisection: what was built, normalized where that much is accepted."""
        if self._options.accept == "identical":
            return attempt
        normalized = self._normalized(attempt, self._attempts.scratch / "to-bisect" / label)
        # What cannot be normalized is still compared as it is.
        return replace(attempt, files={**attempt.files, **normalized.files})

    def _bisected(self, as_is: WayResult, first: Attempt, second: Attempt) -> BisectionResult | None:
        """Find out which variations those differences are due to that are not accepted, if there are any."""
        accepted = {each.kind for each in as_is.outcomes if each.is_accepted(self._options.accept)}
        control = self._to_bisect(first, "1")
        whole = frozenset(
            fact for fact in _facts(control, self._to_bisect(second, "2")) if fact.artifact not in accepted
        )
        kinds = _kinds_to_build({fact.artifact for fact in whole})
        if not kinds:
            return None
        # The same sets come up again in the search, and a build takes minutes.
        seen: dict[frozenset[str], frozenset[DifferingFact]] = {}
        labels: list[str] = []

        def build(names: frozenset[str]) -> frozenset[DifferingFact]:
            labels.append(f"bisect-{len(labels) + 1}")
            if not names:  # only there, time is to pass: all others come later than the first build anyway
                self._attempts.wait(first.environment)
            attempt = self._attempts.build(AS_IS, self._environment(names), labels[-1], kinds)
            self._notes += [_missed(names, kind, error) for kind, error in attempt.failures.items()]
            facts = _facts(control, self._to_bisect(attempt, labels[-1]))
            # A search may make dozens of builds, and --keep is for those of the check itself.
            remove(self._attempts.directory(AS_IS, labels[-1]))
            remove(self._attempts.scratch / "to-bisect" / labels[-1])
            return facts

        def probe(names: frozenset[str]) -> frozenset[DifferingFact]:
            if names not in seen:
                seen[names] = build(names)
            return seen[names]

        # What differs without any variation would be attributed to every one of them.
        by_moment = probe(frozenset())
        rest = frozenset(fact for fact in whole - by_moment if fact.artifact in kinds)
        named_anew = drawn(rest, by_moment)
        ordered = [name for name in NAMES if name in second.environment.applied]

        def varied(names: frozenset[str]) -> frozenset[DifferingFact]:
            found = probe(names) - by_moment
            return found - drawn(found, by_moment)

        attributions, unexplained = search(ordered, rest - named_anew, varied)
        attributions, late = confirmed(attributions, lambda: build(frozenset()))
        by_moment |= late | named_anew
        by_clock = self._by_clock(by_moment & whole, first, kinds)
        return BisectionResult(attributions, by_moment & whole, unexplained, len(labels), by_clock)


def _decided(way: WayResult, bisection: BisectionResult) -> WayResult:
    """Return *way* with the causes that the variations show which make a difference (D17)."""
    outcomes = (
        replace(each, comparison=decided(each.kind, each.comparison, bisection)) if each.comparison else each
        for each in way.outcomes
    )
    return replace(way, outcomes=tuple(outcomes))


def _in_any_artifact(place: model.Place) -> model.Place:
    """Return what a place in an sdist and the same one in the wheels have in common."""
    return (place[0].removeprefix("src/"), *place[1:])


def _failure(error: BuildError, which: str) -> Failure:
    # Compilers print in whatever encoding the varied locale has.
    log = error.log.read_text(encoding="utf-8", errors="replace") if error.log and error.log.is_file() else ""
    remedy = error.remedy if error.tail or error.remedy != ADVICE else "It printed nothing: does it fail alone, too?"
    return Failure(f"in the {which} build: {error.message}", remedy, error.tail, log, error.is_late)


def _described(path: Path) -> BuiltFile:
    return BuiltFile(path.name, sha256_of(path), path.stat().st_size)


def _left_out_for(name: str, failures: Failures) -> str:
    kinds = ", ".join(sorted(failures))
    reason = next(iter(failures.values())).message
    return f"{name} is not varied, for the build fails with it ({kinds}: {reason})"


def _missed(names: frozenset[str], kind: str, error: BuildError) -> str:
    varied = ", ".join(name for name in NAMES if name in names) or "nothing"
    return f"what differs by single variations may be incomplete: with {varied} varied, {kind}: {error.message}"


def _facts(first: Attempt, second: Attempt) -> frozenset[DifferingFact]:
    """Return what differs, of what was built both times."""
    kinds = first.files.keys() & second.files.keys()
    return frozenset(fact for kind in kinds for fact in differing(kind, first.files[kind], second.files[kind]))


def _differing_members(kind: str, first: Attempt, second: Attempt) -> frozenset[tuple[str, str]]:
    """Return the members that only one of the two has, or that have other contents, each with that aspect."""
    found = differing(kind, first.files[kind], second.files[kind])
    return frozenset((fact.member, fact.aspect) for fact in found if fact.aspect in ("presence", "contents"))


def _kinds_to_build(differ: set[str]) -> tuple[str, ...]:
    """Return what a bisection builds: what differs; the wheel from the sdist only if the tree's own is the same."""
    if WHEEL in differ:
        differ = differ - {FROM_SDIST}
    # It cannot be built without.
    if FROM_SDIST in differ:
        differ = differ | {SDIST}
    return tuple(kind for kind in (SDIST, WHEEL, FROM_SDIST) if kind in differ)


def _known(attempt: Attempt, kind: str) -> model.KnownBuild:
    """Return what the comparison may know of a build of *kind*."""
    where = attempt.environment
    # What the sdist holds may name the tree as well.
    unpacked = [str(where.temp / UNPACKED)] if kind == FROM_SDIST else []
    # Builds saw the moved clock; this process did not.
    dates = [int(attempt.started) + (CLOCK_MOVED if where.is_later else 0)]
    if where.import_path:  # Python's alone was moved
        dates.append(int(attempt.started) + CLOCK_MOVED)
    has_old_files = "mtimes" in where.applied
    if has_old_files:
        dates.append(LONG_AGO)
    return model.KnownBuild(
        paths=(str(where.tree), str(where.virtual_environment), *unpacked),
        temps=(str(where.temp),),
        user=where.user,
        host=where.host,
        dates=tuple(dates),
        file_dates=(LONG_AGO, LONG_AGO + _YEAR) if has_old_files else (0, 0),
        owner=str(STRANGER) if "owner" in where.applied else "",
        timezone=where.timezone,
        locale=where.locale,
        umask=where.umask,
        hash_seed=where.hash_seed,
        home=str(where.home),
        is_listed_backwards="file-order" in where.applied,
        variables=where.variables,
        columns=int(where.variables["COLUMNS"]),
    )
